"""Evidence of any estimator: it is fitted again on every draw and every nested size."""

from copy import copy
from dataclasses import replace
from inspect import signature

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import check_scoring

from genestimators import _inputs
from genestimators._delegate import pipeline_steps, random_state_parameters
from genestimators._inputs import take_columns, take_rows
from genestimators._parallel import error_note, prefers_threads, run_in_order
from genestimators._scoring import ScorerCall
from genestimators._weights import fit_weighted, row_mode
from genestimators.resampling._hashing import derive_seed
from genestimators.selection._evidence import Evidence, lots, order_of, refit_sizes
from genestimators.selection.importances._conditional import conditional_importance
from genestimators.selection.importances._elimination import members
from genestimators.selection.importances._permutation import out_of_sample_importance


def refit_evidence(data, importance, scores=None):
    """Evidence of "elimination", "permutation", "conditional", "coef" or a callable.

    Parameters
    ----------
    data : Data
    importance : str or callable
    scores : ndarray of shape (n_draws, n_units), default=None
        Importances that are known already; only nested models are fitted then.

    Returns
    -------
    evidence : Evidence
    """
    if scores is None and importance != "coef" and not data.left_out:
        raise ValueError(
            f"importance={importance!r} looks at the rows that a draw leaves out, and "
            'a draw leaves none out; use another `resampling`, or importance="coef".'
        )
    ranks, scores, losses = _run(data, importance, losses=data.left_out, known=scores)
    order = order_of(ranks, scores, data.forced)
    sizes = np.r_[0, refit_sizes(data.forced)[::-1]]
    return Evidence(ranks, scores, order, sizes, losses, data.paired)


def refit_null_scores(data, importance, orders):
    """Importances where the rows of X are in other orders than those of y.

    Draws stay with y, so that a half that holds every class still does.

    Yields
    ------
    scores : ndarray of shape (n_draws, n_units)
    """
    for order in orders:
        permuted = replace(data, X=take_rows(data.X, order))
        yield _run(permuted, importance, losses=False)[1]


def _run(data, importance, *, losses, known=None):
    scorer = check_scoring(data.estimator, scoring=data.scoring)
    common = {
        "estimator": data.estimator,
        "X": data.X,
        "y": data.y,
        "labels": data.labels,
        "forced": data.forced,
        "importance": importance,
        "scoring": data.scoring,
        "scorer": None if data.scoring is None else scorer,
        "classifier": data.classifier,
        "params": data.params,
        "losses": losses,
        "mode": row_mode(data.estimator),
    }
    tasks = (
        {
            **common,
            "draw": draw,
            "number": number,
            "seed": derive_seed(data.seed, number),
            "known": None if known is None else known[number],
        }
        for number, draw in enumerate(data.draws)
    )
    threads = prefers_threads(data.estimator)
    results = run_in_order(_fit_draw, tasks, n_jobs=data.n_jobs, threads=threads)
    found = []
    for result in results:
        found.append(result)
        if data.progress is not None:
            data.progress.report(len(found), len(data.draws))
    ranks, scores, lost = zip(*found, strict=True)
    return np.stack(ranks), np.stack(scores), np.stack(lost) if losses else None


class _Fits:
    """Fits of one draw on some units.

    Each number of units has seeds of its own. With the same ones again and again, the
    first column, whose place never changes, would keep its luck from step to step.
    """

    def __init__(self, estimator, X, y, draw, labels, mode, params, seed):
        self.estimator = estimator
        self.X, self.y, self.draw = X, y, draw
        self.labels, self.columns = labels, members(labels)
        self.mode, self.params = mode, params
        self.per_row = _inputs.per_row_names(params, len(y))
        self.seed = seed

    def features(self, units):
        return np.sort(np.concatenate([self.columns[unit] for unit in units]))

    def model(self, units):
        """An estimator fitted on the draw's rows and some units."""
        model = clone(self.estimator)
        known = model.get_params(deep=True)
        settings = {
            name: derive_seed(self.seed, len(units), i)
            for i, name in enumerate(random_state_parameters(model))
            if known[name] is None
        }
        return fit_weighted(
            model.set_params(**settings),
            self.of(units),
            self.y,
            self.draw.rows,
            self.draw.counts,
            mode=self.mode,
            params=self.params,
            per_row=self.per_row,
        )

    def of(self, units):
        """X with the columns of some units, itself with those of all of them."""
        if len(units) == len(self.columns):
            return self.X
        X = self.X.tocsc() if sparse.issparse(self.X) else self.X
        X = take_columns(X, self.features(units))
        return X.tocsr() if sparse.issparse(X) else X

    def loss(self, model, units, scorer):
        """Minus the score on the rows left out."""
        rows, weight = self.draw.out_of_bag, self.draw.out_of_bag_counts
        X = self.X if units is None else self.of(units)
        weight = weight if np.ptp(weight) > 0 else None
        return -scored(scorer, model, take_rows(X, rows), self.y[rows], weight)

    def worth(self, model, units, importance, scoring):
        """Importances of the units that a model was fitted on."""
        features = self.features(units)
        place = np.empty(len(self.columns), dtype=int)
        place[units] = np.arange(len(units))
        labels = place[self.labels[features]]
        if importance == "coef":
            sizes = coefficient_sizes(model, take_rows(self.of(units), self.draw.rows))
            if len(sizes) != len(features):
                raise ValueError(
                    'importance="coef" needs one coefficient for each feature, and '
                    f"{type(model).__name__} has {len(sizes)} for {len(features)} "
                    'features; use importance="permutation".'
                )
            return _largest(sizes, labels, len(units))
        rows = self.draw.out_of_bag
        X, y = take_rows(self.of(units), rows), self.y[rows]
        weight = self.draw.out_of_bag_counts
        weight = weight if np.ptp(weight) > 0 else None
        if callable(importance):
            sizes = np.asarray(importance(model, X, y), dtype=np.float64)
            if sizes.shape != (len(features),):
                raise ValueError(
                    "`importance` as a callable must return one number for each of "
                    f"the {len(features)} features. Got shape {sizes.shape}."
                )
            if not np.isfinite(sizes).all():
                raise ValueError(
                    "`importance` as a callable must return finite numbers. Got NaN or "
                    "infinity."
                )
            return _largest(sizes, labels, len(units))
        if importance == "conditional":
            found = conditional_importance(
                model,
                X,
                y,
                scoring=scoring,
                sample_weight=weight,
                feature_groups=labels,
                n_repeats=1,
                random_state=self.seed,
            )
            return found.importances_mean
        return out_of_sample_importance(
            model,
            X,
            y,
            scoring=scoring,
            sample_weight=weight,
            labels=labels,
            seed=derive_seed(self.seed, "permutations", len(units)),
        )


def scored(scorer, model, X, y, weight):
    """A model's score, weighted where what gives it takes weights.

    Parameters
    ----------
    scorer : callable or None
        None is the model's own `score`.
    weight : ndarray of shape (n,) or None

    Returns
    -------
    score : float
    """
    if scorer is None:
        takes = "sample_weight" in signature(model.score).parameters
        scorer = _own_weighted_score if takes else _own_score
    score = ScorerCall(scorer)(model, X, y, weight)
    if np.isnan(score):
        raise ValueError(
            "`scoring` must give a number on the rows that a draw leaves out. Got NaN; "
            "choose another one."
        )
    return score


def _own_score(model, X, y):
    return model.score(X, y)


def _own_weighted_score(model, X, y, sample_weight=None):
    if sample_weight is None:
        return model.score(X, y)
    return model.score(X, y, sample_weight=sample_weight)


def _largest(sizes, labels, n_units):
    """Of each unit the largest of its features' importances."""
    found = np.zeros(n_units)
    np.maximum.at(found, labels, sizes)
    return found


def coefficient_sizes(model, X):
    """Absolute coefficients times the standard deviations of their columns.

    Parameters
    ----------
    model : fitted estimator
        With `coef_`, or a pipeline that ends in one; its other steps are applied.
    X : container of n rows

    Returns
    -------
    sizes : ndarray of shape (n_columns,)
        The root of the sum of squares over outputs.
    """
    steps = pipeline_steps(model)
    last = model
    if steps is not None:
        for _, step in steps[:-1]:
            if not keeps_columns(step):
                raise ValueError(
                    'importance="coef" needs coefficients of the features themselves, '
                    f"and {type(step).__name__} makes other columns of them; use "
                    'importance="permutation".'
                )
            X = step.transform(X)
        last = steps[-1][1]
    if not hasattr(last, "coef_"):
        raise ValueError(
            'importance="coef" needs an estimator with `coef_`, and '
            f'{type(last).__name__} has none; use importance="permutation".'
        )
    coef = last.coef_
    coef = coef.toarray() if sparse.issparse(coef) else np.asarray(coef)
    if sparse.issparse(X):
        mean = np.asarray(X.mean(axis=0)).ravel()
        square = np.asarray(X.multiply(X).mean(axis=0)).ravel()
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    else:
        spread = np.asarray(X, dtype=np.float64).std(axis=0)
    sizes = np.sqrt(np.square(np.atleast_2d(coef)).sum(axis=0))
    return sizes * spread if len(sizes) == len(spread) else sizes


def keeps_columns(step):
    """Whether a fitted transformer says that its columns are those it was given."""
    n_features = getattr(step, "n_features_in_", None)
    if n_features is None or not hasattr(step, "get_feature_names_out"):
        return True
    given = [f"x{j}" for j in range(n_features)]
    given = list(getattr(step, "feature_names_in_", given))
    return list(step.get_feature_names_out(given)) == given


def _fit_draw(
    labels,
    forced,
    number,
    importance,
    scoring,
    scorer,
    classifier,
    losses,
    known,
    **common,
):
    """Ranks, scores and losses of one draw."""
    fits = _Fits(labels=labels, **common)
    n_units = len(forced)
    sizes = refit_sizes(forced)
    ranks = np.zeros(n_units, dtype=int)
    scores, lost = np.zeros(n_units), []
    kept, reached, worth = np.arange(n_units), -np.inf, known
    tie = lots(fits.seed, number, forced)
    with error_note(f"in draw {number}"):
        for size, left in zip(sizes, [*sizes[1:], 0], strict=True):
            asked = known is None and (size == n_units or importance == "elimination")
            model = fits.model(kept) if losses or asked else None
            if losses:
                lost.append(fits.loss(model, kept, scorer))
            if asked:
                kind = "permutation" if importance == "elimination" else importance
                worth = np.full(n_units, -np.inf)
                worth[kept] = fits.worth(model, kept, kind, scoring)
            late = np.where(forced[kept], np.inf, worth[kept])
            order = np.lexsort((tie[kept], -late))
            gone = kept[order[left:]]
            ranks[gone] = np.arange(left, size) + 1
            # Units that go later are worth no less than those before them.
            scores[gone] = np.maximum(worth[gone], reached)
            reached = max(reached, scores[gone].max())
            kept = np.sort(kept[order[:left]])
        if losses:
            lost.append(_loss_of_nothing(fits, scorer, classifier))
    if importance != "elimination":
        scores = worth
    ranks = np.where((scores <= 0) & ~forced, n_units + 1, ranks)
    return ranks, np.maximum(scores, 0.0), np.array(lost[::-1])


def _loss_of_nothing(fits, scorer, classifier):
    """The loss without any feature: of a constant, by the same score as the others."""
    rows, weight = fits.draw.rows, fits.draw.counts
    if scorer is not None or _scores_plainly(fits.estimator):
        model = DummyClassifier(strategy="prior") if classifier else DummyRegressor()
        model.fit(np.zeros((len(rows), 1)), fits.y[rows], sample_weight=weight)
        return fits.loss(model, None, scorer)
    blank = copy(fits)  # its own score, of a fit to a column of zeros
    blank.X = np.zeros((len(fits.y), 1))
    blank.labels, blank.columns = np.zeros(1, dtype=int), [np.zeros(1, dtype=int)]
    try:
        return blank.loss(blank.model([0]), [0], None)
    except Exception as error:
        raise ValueError(
            "`scoring` must be given where the estimator scores in its own way and "
            "cannot be fitted on one column of zeros, which stands for no feature. Got "
            f"scoring=None and {type(fits.estimator).__name__}."
        ) from error


def _scores_plainly(estimator):
    """Whether `score` is accuracy or R2, as it is unless a class has its own."""
    steps = pipeline_steps(estimator)
    last = estimator if steps is None else steps[-1][1]
    plain = (ClassifierMixin.score, RegressorMixin.score)
    return getattr(type(last), "score", None) in plain
