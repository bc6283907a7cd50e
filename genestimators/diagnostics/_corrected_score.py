"""The score to expect of a model that was chosen for its score."""

import html
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from genestimators._inputs import take_rows
from genestimators._params import Interval, Is, check_arguments
from genestimators._row_losses import OF_SCORERS, LossTable
from genestimators._scoring import (
    Outputs,
    ScoredClassifier,
    ScoredRegressor,
    call_scorer,
)
from genestimators.diagnostics._problem import make_problem
from genestimators.fitting import fit_over
from genestimators.regularization._auto import AutoRegularizedCV
from genestimators.regularization._curve import Curve
from genestimators.regularization._honest import (
    N_RESAMPLES,
    corrected_score,
    corrected_score_of_folds,
    corrected_score_of_scorer,
)
from genestimators.regularization._measure import resolve_scoring
from genestimators.resampling import Folds

OWNER = "selection_corrected_score"
_CONSTRAINTS = {
    "confidence_level": [Interval(float, 0.0, 1.0, open_low=True, open_high=True)],
    "n_resamples": [Interval(int, 50)],
    "scoring": [Is(lambda one: one is None or isinstance(one, str), "a str or None")],
}


@dataclass(frozen=True)
class CorrectedScore:
    """What a chosen model will score, beside what it scored when it was chosen.

    Attributes
    ----------
    score : float
        To expect on new rows, greater is better.
    interval : tuple of float
    confidence_level : float
        Of the interval.
    naive_score : float
        Of the chosen candidate in the search: too good, as it was chosen for it.
    optimism : float
        By how much: `naive_score` less `score`.
    best_index : int
        The chosen candidate.
    n_candidates : int
    method : {"bootstrap", "folds", "search"}
        Whether the choice was repeated on resampled predictions, the correction is from
        scores of folds alone, or it is what the search had found itself.
    scoring : str
        What the scores are.
    n_fits : int
        Fits that were made for it.
    """

    score: float
    interval: tuple
    confidence_level: float
    naive_score: float
    optimism: float
    best_index: int
    n_candidates: int
    method: str
    scoring: str
    n_fits: int

    def __str__(self):
        low, high = self.interval
        return (
            f"{self.scoring} to expect on new rows: {self.score:.4g} ({low:.4g} to "
            f"{high:.4g} at {self.confidence_level:.0%} confidence).\n"
            f"The best of {self.n_candidates} candidates had {self.naive_score:.4g} in "
            f"the search: {abs(self.optimism):.2g} too "
            f"{'good' if self.optimism >= 0 else 'bad'}."
        )

    def _repr_html_(self):
        lines = "".join(
            f"<li>{html.escape(line)}</li>" for line in str(self).split("\n")
        )
        return f"<ul>{lines}</ul>"

    def to_dict(self):
        """The fields as a dict.

        Returns
        -------
        fields : dict
        """
        return asdict(self)


def selection_corrected_score(
    search_or_predictions,
    X=None,
    y=None,
    *,
    scoring=None,
    classes=None,
    sample_weight=None,
    groups=None,
    params=None,
    confidence_level=0.95,
    n_resamples=N_RESAMPLES,
    n_jobs=None,
    random_state=None,
):
    """Score to expect of the best of many candidates, without a nested search.

    The best of many noisy scores is too good. The choice is repeated on resampled
    out-of-fold predictions, and what is chosen is scored on the rows that the resample
    left out (bootstrap-bias-corrected cross-validation [1]_).

    Parameters
    ----------
    search_or_predictions : fitted search, or array-like
        A fitted :class:`AutoRegularizedCV`, which knows its own; a fitted GridSearchCV
        or RandomizedSearchCV, whose candidates are fitted again on its folds, since it
        did not keep their predictions; or out-of-fold predictions of all candidates, of
        shape (n_candidates, n_samples) for numbers and labels and (n_candidates,
        n_samples, n_classes) for probabilities.
    X, y : the data of the search
        X is not needed for predictions, neither for an AutoRegularizedCV.
    scoring : str, default=None
        What predictions are scored by; a search has a `scoring` of its own.
    classes : array-like, default=None
        What the columns of probabilities stand for; None is the sorted labels in y.
    sample_weight : array-like of shape (n_samples,), default=None
        Of the rows, in fits and in scores.
    groups : array-like of shape (n_samples,), default=None
        For the folds, and drawn as wholes in the resamples.
    params : dict, default=None
        Further arguments of the fits.
    confidence_level : float, default=0.95
        Of the interval.
    n_resamples : int, default=500
        Of the rows.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of the resamples.

    Returns
    -------
    found : CorrectedScore

    Raises
    ------
    ValueError, TypeError
        If the search is not fitted, its data are missing, or there is no scorer of that
        name.

    Notes
    -----
    Scores that are functions of mean losses of rows (R2, errors, accuracy, log-loss,
    Brier, deviances) are resampled by two matrix products. Any other scorer is called
    on 40 resamples of the three best candidates. Scorers that look at the fitted model
    are corrected by what the best of each fold scores above the best of all [2]_.

    Folds that a search drew at random are drawn again; with a splitter whose
    `random_state` is None they are others.

    References
    ----------
    .. [1] Tsamardinos, I., Greasidou, E. & Borboudakis, G. (2018). Bootstrapping the
       out-of-sample predictions for efficient and accurate cross-validation. Machine
       Learning 107, 1895-1922.
    .. [2] Tibshirani, R. J. & Tibshirani, R. (2009). A bias correction for the minimum
       error rate in cross-validation. Annals of Applied Statistics 3, 822-829.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from genestimators import selection_corrected_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> grid = {"max_depth": [2, 4, 8], "random_state": range(10)}
    >>> search = GridSearchCV(DecisionTreeRegressor(), grid).fit(X, y)
    >>> found = selection_corrected_score(search, X, y, random_state=0)
    >>> found.score < search.best_score_
    True
    """
    check_arguments(
        OWNER,
        _CONSTRAINTS,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        scoring=scoring,
    )
    search = search_or_predictions
    settings = {"confidence": confidence_level, "n_resamples": n_resamples}
    if isinstance(search, AutoRegularizedCV):
        return _of_own_search(search, confidence_level)
    told = {
        "sample_weight": sample_weight,
        "groups": groups,
        "random_state": random_state,
    }
    if hasattr(search, "fit"):
        problem = _problem_of(search, X, y, params=params, n_jobs=n_jobs, **told)
        return _of_search(search, problem, scoring, settings)
    return _of_predictions(search, y, scoring, classes, told, settings)


def _of_own_search(search, confidence_level):
    check_is_fitted(search)
    if confidence_level != 0.95:
        raise ValueError(
            "An AutoRegularizedCV knows its interval at a confidence of 0.95; leave "
            f"`confidence_level` at that. Got {confidence_level!r}."
        )
    return CorrectedScore(
        score=search.expected_score_,
        interval=tuple(search.expected_score_interval_),
        confidence_level=0.95,
        naive_score=search.best_score_,
        optimism=search.best_score_ - search.expected_score_,
        best_index=int(search.best_index_),
        n_candidates=len(search.values_),
        method="search",
        scoring=search.scoring if isinstance(search.scoring, str) else "score",
        n_fits=0,
    )


def _problem_of(search, X, y, **told):
    """The estimator of a search and its data, checked."""
    if isinstance(search, type) or not hasattr(search, "estimator"):
        raise TypeError(
            f"{OWNER} takes a fitted search or predictions of all candidates. Got "
            f"{search!r}."
        )
    check_is_fitted(search, "cv_results_")
    if "iter" in search.cv_results_:
        raise TypeError(
            f"{OWNER} needs candidates that were all scored on the same rows, and a "
            f"successive halving gives them different ones. Got {search!r}; use a "
            "GridSearchCV or a RandomizedSearchCV."
        )
    if not hasattr(search, "best_index_"):
        raise ValueError(
            f"{OWNER} needs a search that chose one candidate. Got refit="
            f"{search.refit!r} of several scores; set `refit` to the name of one."
        )
    if X is None or y is None:
        raise ValueError(
            f"{OWNER} needs the data of the search, since it kept no out-of-fold "
            "predictions; pass X and y."
        )
    return make_problem(OWNER, search.estimator, X, y, least_rows=4, **told)


def _of_search(search, problem, scoring, settings):
    if scoring is not None:
        raise ValueError(
            "A search has a `scoring` of its own; leave `scoring` of "
            f"{OWNER} at None. Got {scoring!r}."
        )
    name, scoring = _scoring_of(search)
    used = np.flatnonzero(problem.weights)
    measure, _ = resolve_scoring(
        scoring, problem.estimator, problem.X, problem.y, problem.classes, used
    )
    results, chosen = search.cv_results_, int(search.best_index_)
    naive = float(results[f"mean_test_{name}"][chosen])
    common = {"naive": naive, "chosen": chosen, "settings": settings}
    label = scoring if isinstance(scoring, str) else name
    if measure.kind == "model":
        splits = [results[f"split{k}_test_{name}"] for k in range(search.n_splits_)]
        test = np.stack(splits, axis=1)
        n = len(test)
        curve = Curve(np.arange(n), np.arange(n), test, test, test.shape[1])
        found = corrected_score_of_folds(
            curve, chosen, confidence=settings["confidence"]
        )
        return _result(found, n, 0, "folds", label, **common)
    draws = Folds(search.cv).prepare(
        problem.X,
        problem.y,
        problem.weight,
        problem.groups,
        classifier=problem.classifier,
    )
    trials = _Trials(problem, measure, draws, results["params"])
    found = trials.corrected(chosen, settings)
    n = len(results["params"])
    return _result(found, n, n * len(draws), "bootstrap", label, **common)


def _scoring_of(search):
    """The name of the score that a search chose by, and the score."""
    if isinstance(search.refit, str) and search.multimetric_:
        scoring = search.scoring
        one = scoring[search.refit] if isinstance(scoring, dict) else search.refit
        return search.refit, one
    if getattr(search, "multimetric_", False):
        raise ValueError(
            f"{OWNER} corrects one score, and the search chose by several. Got "
            f"refit={search.refit!r}; set it to the name of one of them."
        )
    return "score", search.scoring


def _result(found, n, n_fits, method, scoring, *, naive, chosen, settings):
    score, interval = found
    return CorrectedScore(
        score=float(score),
        interval=tuple(float(end) for end in interval),
        confidence_level=settings["confidence"],
        naive_score=naive,
        optimism=naive - float(score),
        best_index=chosen,
        n_candidates=n,
        method=method,
        scoring=scoring,
        n_fits=n_fits,
    )


class _Trials:
    """Losses of rows, or answers for them, of every candidate.

    Parameters
    ----------
    problem : Problem
    measure : CandidateMeasure
    draws : Draws
    candidates : sequence of dict
        Parameters of each.
    """

    def __init__(self, problem, measure, draws, candidates):
        self.problem, self.measure = problem, measure
        n, n_rows = len(candidates), problem.n_rows
        self.times = np.zeros(n_rows, dtype=int)
        self.losses = np.zeros((n, n_rows)) if measure.by_rows else None
        self.answers = None
        for i, changes in enumerate(candidates):
            self._try(i, changes, draws, n)
        self.times //= n

    def _try(self, i, changes, draws, n):
        problem, measure = self.problem, self.measure
        estimator = clone(problem.estimator).set_params(**clone(changes, safe=False))
        for fitted in fit_over(
            estimator,
            problem.X,
            problem.y,
            draws,
            range(len(draws)),
            response=measure.needed,
            models=False,
            noun=f"fold, with {changes!r},",
            **problem.settings(),
        ):
            rows, answer = fitted.draw.out_of_bag, fitted.predictions
            self.times[rows] += 1
            if self.losses is None:
                if self.answers is None:
                    shape = n, problem.n_rows, answer.shape[2]
                    self.answers = np.full(shape, np.nan)
                self.answers[i, rows] = answer[0]
                continue
            weight = None if problem.weight is None else problem.weight[rows]
            parts = measure.needed.split(answer, measure.n_outputs)
            losses = measure.losses(parts, rows)
            self.losses[i, rows] += measure.flat_losses(losses, rows, weight)[0]

    def corrected(self, chosen, settings):
        """Score and interval of the chosen candidate."""
        problem = self.problem
        rows = np.flatnonzero(self.times * (problem.weights > 0))
        clusters = problem.clusters
        if clusters is not None:
            clusters = np.unique(clusters[rows], return_inverse=True)[1]
        weight = None if problem.weight is None else problem.weight[rows]
        if self.losses is not None:
            losses = self.losses[:, rows] / self.times[rows]
            table = LossTable(self.measure.kind, losses, weight)
            return corrected_score(table, chosen, clusters, problem.seed, **settings)
        score, scores = _scorer(
            self.measure, self.answers[:, rows], problem.X, problem.y, rows, weight
        )
        return corrected_score_of_scorer(
            score,
            scores,
            chosen,
            len(rows),
            clusters,
            problem.seed,
            confidence=settings["confidence"],
        )


def _scorer(measure, answers, X, y, rows, weight):
    """A score of a candidate on some of the rows, and the scores of all on all."""
    parts = measure.needed.split(answers, measure.n_outputs)

    def score(i, places):
        taken = take_rows(X, rows[places]) if measure.measure.needs_rows else None
        own = None if weight is None else weight[places]
        outputs = measure.outputs(parts, i).take(places)
        return call_scorer(measure.measure, outputs, taken, y[rows[places]], own)

    every = np.arange(len(rows))
    return score, np.array([score(i, every) for i in range(len(answers))])


def _of_predictions(predictions, y, scoring, classes, told, settings):
    """The same from predictions that were made elsewhere."""
    if scoring is None or y is None:
        raise ValueError(
            f"{OWNER} needs to know what predictions are scored by, and against what; "
            f"pass `scoring` and `y`. Got scoring={scoring!r} and "
            f"y={'None' if y is None else 'values'}."
        )
    predictions = np.asarray(predictions)
    if predictions.ndim not in (2, 3) or predictions.shape[1] != len(y):
        raise ValueError(
            "Predictions must have the shape (n_candidates, n_samples), or with "
            "probabilities (n_candidates, n_samples, n_classes), and y one value for "
            f"each sample. Got {predictions.shape} and {len(y)}."
        )
    if predictions.dtype.kind == "f" and np.isnan(predictions).any():
        raise ValueError(
            "Predictions must not be NaN: every candidate has to be tried on every "
            "row. Got NaN; leave such rows out of predictions and y."
        )
    probabilities = predictions.ndim == 3
    classifier = probabilities or _holds_classes(scoring, y)
    model = ScoredClassifier() if classifier else ScoredRegressor()
    model.outputs = Outputs(y, predictions if probabilities else None)
    X = np.zeros((len(y), 1))
    problem = make_problem(OWNER, model, X, y, least_rows=4, **told)
    known = problem.classes
    if probabilities:
        known = (_classes_of(classes, known[0], predictions.shape[2]),)
    used = np.flatnonzero(problem.weights)
    weight = None if problem.weight is None else problem.weight[used]
    measure, _ = resolve_scoring(scoring, model, X, problem.y, known, used)
    if measure.kind == "model":
        raise ValueError(
            f"scoring={scoring!r} cannot be found from "
            f"{'probabilities' if probabilities else 'these predictions'} alone; pass "
            "predictions of the other kind, or another `scoring`."
        )
    answers = _as_answers(predictions, measure, known)[:, used]
    clusters = problem.clusters
    if clusters is not None:
        clusters = np.unique(clusters[used], return_inverse=True)[1]
    common = clusters, problem.seed
    if measure.by_rows:
        parts = measure.needed.split(answers, measure.n_outputs)
        losses = measure.flat_losses(measure.losses(parts, used), used, weight)
        table = LossTable(measure.kind, losses, weight)
        scores = table.scores(np.ones(len(used)) if weight is None else weight)
        chosen = int(np.argmax(scores))
        found = corrected_score(table, chosen, *common, **settings)
    else:
        score, scores = _scorer(measure, answers, X, problem.y, used, weight)
        chosen = int(np.nanargmax(scores))
        found = corrected_score_of_scorer(
            score,
            scores,
            chosen,
            len(used),
            *common,
            confidence=settings["confidence"],
        )
    naive = float(scores[chosen])
    return _result(
        found,
        len(predictions),
        0,
        "bootstrap",
        scoring,
        naive=naive,
        chosen=chosen,
        settings=settings,
    )


def _holds_classes(scoring, y):
    if scoring in OF_SCORERS:
        return OF_SCORERS[scoring].answer != "predict"
    y = np.asarray(y)
    return y.dtype.kind != "f" and type_of_target(y) in ("binary", "multiclass")


def _classes_of(classes, labels, width):
    """What the columns of probabilities stand for."""
    classes = labels if classes is None else np.asarray(classes)
    if len(classes) != width or not np.isin(labels, classes).all():
        raise ValueError(
            f"`classes` must name the {width} columns of probabilities, all labels in "
            f"y among them. Got {classes.tolist()!r} and labels {labels.tolist()!r}."
        )
    if (np.sort(classes) != classes).any():
        raise ValueError(
            "`classes` must be sorted, as scikit-learn has them; sort the columns of "
            f"the probabilities with them. Got {classes.tolist()!r}."
        )
    return classes


def _as_answers(predictions, measure, classes):
    """Predictions as `measure` wants the answers of candidates."""
    kinds = {part.kind for part in measure.needed.parts}
    wanted = {"probability"} if predictions.ndim == 3 else {"label", "predict"}
    if not kinds <= wanted:
        have = "probabilities" if predictions.ndim == 3 else "labels or numbers"
        need = " and ".join(sorted({"label": "labels"}.get(k, k) for k in kinds))
        raise ValueError(
            f"This score needs the answers {need}, and predictions are {have}; pass "
            "what it needs, or another `scoring`."
        )
    if predictions.ndim == 3:
        return predictions.astype(np.float64)
    if classes:
        return measure.needed.parts[0].codes(predictions[..., None])
    return predictions[..., None].astype(np.float64)
