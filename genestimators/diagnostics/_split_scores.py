"""Scores of several models on the same splits."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone, is_classifier

from genestimators._inputs import take_rows
from genestimators._scoring import ScorerCall, one_number
from genestimators.fitting import fit_over
from genestimators.regularization._measure import resolve_scoring


@dataclass(frozen=True, eq=False)
class SplitScores:
    """Scores of one model, split by split.

    Attributes
    ----------
    scores : ndarray of shape (n_splits,)
        Greater is better.
    labels : ndarray of shape (n,) or None
        Predicted labels of the rows left out, the last time they were; None of rows
        that never were, and where they were not asked for.
    test_weight, train_weight : ndarray of shape (n_splits,)
        In rows of mean weight.
    train_scores : ndarray of shape (n_splits,) or None
        On the rows that each fit has seen, where they were asked for.
    """

    scores: np.ndarray
    labels: np.ndarray | None
    test_weight: np.ndarray
    train_weight: np.ndarray
    train_scores: np.ndarray | None = None


def check_alike(owner, first, others):
    """Refuse models of which some classify and some do not.

    Raises
    ------
    TypeError, ValueError
    """
    for other in others:
        if isinstance(other, type) or not hasattr(other, "fit"):
            raise TypeError(f"{owner} compares estimators. Got {other!r}.")
        if is_classifier(first) != is_classifier(other):
            kind = "a classifier" if is_classifier(other) else "no classifier"
            raise ValueError(
                f"{owner} compares models of the same target. Got {other!r}, which is "
                f"{kind}, beside {first!r}."
            )


def measure_of(problem, scoring):
    """What a score asks models for and makes of answers, and scikit-learn's scorer."""
    used = np.flatnonzero(problem.weights)
    told = problem.estimator, problem.X, problem.y, problem.classes, used
    return resolve_scoring(scoring, *told)


def score_name(scoring, kind):
    """The name of a score, for people.

    Parameters
    ----------
    scoring : None, str or callable
    kind : str
        Of the `CandidateMeasure` that it stands for.
    """
    if isinstance(scoring, str):
        return scoring
    return {"accuracy": "accuracy", "r2": "R2", "d2": "D2"}.get(kind, "score")


def score_model(measure, scorer, model, X, y, weight):
    """Whatever a scorer that looks at the model returns.

    Raises
    ------
    ValueError
        If it asks for probabilities or decisions of a model that has none.
    """
    call = ScorerCall(scorer) if measure.measure is None else measure.measure.call
    try:
        return call.answer(model, X, y, weight)
    except AttributeError as exc:
        if "predict_proba" not in str(exc) and "decision_function" not in str(exc):
            raise
        raise ValueError(
            f"{scorer!r} asks for what {model!r} does not have ({exc}); score its "
            'labels, as "accuracy" does, or calibrate it with '
            "sklearn.calibration.CalibratedClassifierCV."
        ) from exc


def stratifies(problem, measure):
    """Whether random splits are to hold each class by its share.

    The mean loss of rows of rare classes would come out the same on every split, and
    off by what the number of such rows is rounded by. Other scores may need a row of
    each class.
    """
    return problem.classifier and not measure.by_rows


def split_scores(
    problem,
    estimator,
    scoring,
    draws,
    numbers,
    *,
    labels=False,
    tested=None,
    training=False,
    where=None,
    seed=None,
):
    """Fit a model on draws and score it on the rows that each leaves out.

    Parameters
    ----------
    problem : Problem
        Data and settings; its own estimator plays no part.
    estimator : estimator
        It is cloned.
    scoring : None, str or callable
        As in `cross_val_score`.
    draws : Draws
    numbers : sequence of int
        Which of them.
    labels : bool, default=False
        Whether predicted labels are kept, of a classifier with one output.
    tested : Draws, default=None
        Draws whose left-out rows are scored; they are left out by `draws` too. None is
        `draws` themselves.
    training : bool, default=False
        Whether the rows that each fit has seen are scored too.
    where : str, default=None
        For the note on an error raised by the estimator.
    seed : int, default=None
        Of the models; None leaves their seeds as they are.

    Returns
    -------
    SplitScores
    """
    problem = replace(problem, estimator=clone(estimator))
    X, y, weight = problem.X, problem.y, problem.weight
    measure, scorer = measure_of(problem, scoring)
    by_model = measure.kind == "model" or (
        labels and "label" not in {part.kind for part in measure.needed.parts}
    )
    answer = "none" if by_model else "all" if training else "out_of_bag"

    def parts_of(fitted, rows):
        answers = fitted.responses
        places = rows if training else np.searchsorted(fitted.draw.out_of_bag, rows)
        return measure.needed.split(answers[:, places], measure.n_outputs)

    def score(fitted, rows, own):
        if by_model:
            told = take_rows(X, rows), y[rows], own
            return score_model(measure, scorer, fitted.model(), *told)
        parts = parts_of(fitted, rows)
        return measure.scores(parts, X, rows=rows, y=y, weight=own)[0]

    found, known, sizes = [], [], []
    tested = draws if tested is None else tested
    kept = np.full(problem.n_rows, None, dtype=object) if labels else None
    for fitted in fit_over(
        problem.estimator,
        X,
        y,
        draws,
        numbers,
        response=measure.needed,
        answer=answer,
        models=by_model,
        ensembles=not by_model and draws.limit is None,
        seed=seed,
        noun="split",
        **(problem.settings() | {"owner": where or problem.owner}),
    ):
        draw = fitted.draw if tested is draws else tested[fitted.number]
        rows = draw.out_of_bag
        if not len(rows) and problem.groups is not None:
            raise ValueError(
                f"{problem.owner} tests on groups that a fit has not seen. Got none in "
                f"split {fitted.number} of {len(np.unique(problem.groups))} groups; "
                "pass more groups."
            )
        if not len(rows):
            raise ValueError(
                f"{problem.owner} tests on rows that a fit has not seen. Got none in "
                f"split {fitted.number} of {problem.n_used} rows; pass more rows, or "
                "smaller `sizes`."
            )
        sizes.append((draw.out_of_bag_counts.sum(), fitted.draw.counts.sum()))
        found.append(score(fitted, rows, None if weight is None else weight[rows]))
        if training:
            known.append(score(fitted, *_in_bag(fitted.draw, weight)))
        if labels and by_model:
            kept[rows] = fitted.model().predict(take_rows(X, rows))
        elif labels:
            kept[rows] = measure.labels(parts_of(fitted, rows)["label"][0])
    test, train = np.array(sizes).T / problem.mean_weight
    if any(isinstance(one, dict) for one in found):
        raise ValueError(
            f"{problem.owner} goes by one score, and the scorer gives several. Got "
            f"{sorted(found[0])!r}; pass a scorer of one of them."
        )
    scores = np.array([one_number(one, scorer) for one in found])
    known = np.array([one_number(one, scorer) for one in known]) if training else None
    for some in (scores,) if known is None else (scores, known):
        if np.isinf(some).any():
            n = np.isinf(some).sum()
            raise ValueError(
                f"{problem.owner} needs finite scores. Got an infinite one on {n} of "
                f"{len(some)} splits; see whether the model predicts infinity."
            )
        if np.isnan(some).any():
            raise ValueError(
                f"{problem.owner} needs a score on every split. Got NaN on "
                f"{np.isnan(some).sum()} of {len(some)}; see whether the scorer suits "
                "so few rows (R2 needs two, ROC AUC both classes)."
            )
    return SplitScores(scores, kept, test, train, known)


def _in_bag(draw, weight):
    """The rows that a fit has seen, each once, and their weights or None."""
    if weight is None:
        return draw.rows, None
    rows, places = np.unique(draw.rows, return_inverse=True)
    return rows, np.bincount(places, weights=draw.counts)
