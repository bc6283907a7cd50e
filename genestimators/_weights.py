"""How counts and weights reach an estimator: one policy for everybody.

A resampled fit has a count for each row. If the estimator, every step of it and
everything nested in it take `sample_weight`, the counts are passed as weights; else
rows are repeated by their counts, in the order they come. The choice depends on the
estimator alone, never on whether metadata routing is on, and is told by `row_mode`.
"""

from contextlib import nullcontext
from inspect import signature

import numpy as np
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.utils.validation import has_fit_parameter

from genestimators._delegate import pipeline_steps
from genestimators._inputs import take_rows
from genestimators._routing import request_weights, routing_enabled, supports_routing

MOST_REPEATS = 100  # of a row, on average, for an estimator without weights


def accepts_weights(estimator):
    """Whether an estimator and everything nested in it take `sample_weight`.

    A wrapper that says `_counts_weights` takes them whatever is nested in it: it draws
    rows and leaves them out by their weights, and repeats them, where it must, after
    that. Were they repeated before, copies of a row would lie on both sides.
    """
    if getattr(estimator, "_counts_weights", False):
        return True
    steps = pipeline_steps(estimator)
    if steps is not None:
        return all(accepts_weights(step) for _, step in steps)
    if isinstance(estimator, TransformedTargetRegressor):
        # Of one it makes itself, weights cannot be requested where routing is on.
        known = estimator.regressor
        return known is not None and accepts_weights(known)
    return has_fit_parameter(estimator, "sample_weight") and all(
        accepts_weights(nested) for nested in _direct_estimators(estimator)
    )


def _direct_estimators(estimator):
    if not hasattr(estimator, "get_params"):
        return []
    found = []
    for value in estimator.get_params(deep=False).values():
        candidates = [value]
        if isinstance(value, (list, tuple)):
            candidates = [
                part
                for item in value
                for part in (item if isinstance(item, tuple) else (item,))
            ]
        found += [
            candidate
            for candidate in candidates
            if hasattr(candidate, "fit") and not isinstance(candidate, type)
        ]
    return found


def row_mode(estimator):
    """How counts reach an estimator: "weights" or "rows"."""
    return "weights" if accepts_weights(estimator) else "rows"


def fit_weighted(estimator, X, y, rows, counts, *, mode=None, params=None, per_row=()):
    """Fit an estimator on some rows, each counted as often as it is told.

    Parameters
    ----------
    estimator : estimator
        A clone; it is fitted in place.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    rows : ndarray of shape (m,), int
        Rows to fit on; a row may come more than once. The estimator sees them in
        this order.
    counts : ndarray of shape (m,)
        How often each counts, positive.
    mode : {"weights", "rows"}, default=None
        The outcome of `row_mode(estimator)`, where it is known already.
    params : dict, optional
        Further arguments of `fit`.
    per_row : collection of str, optional
        Names in `params` that hold one item for each of the n rows.

    Returns
    -------
    estimator : the fitted estimator

    Raises
    ------
    ValueError
        If the estimator takes no weights and the counts are not whole numbers.
    """
    mode = row_mode(estimator) if mode is None else mode
    rows, weight = weighted_rows(estimator, rows, counts, mode)
    arguments = {} if weight is None else _weight_arguments(estimator, weight)
    arguments |= _arguments_of(rows, params, per_row)
    with _routing_for(estimator, mode == "weights"):
        return estimator.fit(take_rows(X, rows), y[rows], **arguments)


def _arguments_of(rows, params, per_row):
    """Further arguments, those with one item a row for some of the rows."""
    return {
        name: take_rows(value, rows) if name in per_row else value
        for name, value in (params or {}).items()
    }


def learning_mode(estimator):
    """How counts reach the `partial_fit` of an estimator: "weights" or "rows"."""
    if not accepts_weights(estimator):
        return "rows"
    taken = signature(estimator.partial_fit).parameters
    return "weights" if "sample_weight" in taken else "rows"


def learn_weighted(estimator, X, y, rows, counts, *, mode, params=None, per_row=()):
    """Call `partial_fit` on some rows, each counted as often as it is told.

    Parameters
    ----------
    estimator : estimator
        It learns in place.
    X, y, rows, counts, params, per_row
        As in `fit_weighted`.
    mode : {"weights", "rows"}
        The outcome of `learning_mode(estimator)`.

    Raises
    ------
    ValueError
        If the estimator takes no weights and the counts are not whole numbers.
    """
    rows, weight = weighted_rows(estimator, rows, counts, mode)
    arguments = _arguments_of(rows, params, per_row)
    if weight is not None:
        arguments["sample_weight"] = weight
    with _routing_for(estimator, weight is not None):
        if weight is not None and routing_enabled():
            request_weights(estimator, True)
        estimator.partial_fit(take_rows(X, rows), y[rows], **arguments)


def weighted_rows(estimator, rows, counts, mode):
    """Rows as an estimator gets them, and their weights.

    Parameters
    ----------
    estimator, rows, counts, mode
        As in `fit_weighted`.

    Returns
    -------
    rows : ndarray of int
        Repeated by their counts where the estimator takes no weights.
    weight : ndarray or None
    """
    if mode == "weights":
        return rows, np.asarray(counts, dtype=np.float64)
    whole = np.rint(counts)
    if not np.array_equal(whole, counts):
        raise ValueError(
            f"{type(estimator).__name__} takes no `sample_weight` (or a step or an "
            "estimator in it does not), so rows are repeated by their counts, "
            "which have to be whole numbers. Got a count of "
            f"{float(counts[whole != counts][0])!r}; pass integer weights, or an "
            "estimator that takes weights."
        )
    if whole.sum() > MOST_REPEATS * len(rows):
        raise ValueError(
            f"{type(estimator).__name__} takes no `sample_weight` (or a step or an "
            "estimator in it does not), so rows are repeated by their counts, which "
            f"must not come to more than {MOST_REPEATS} for each on average. Got "
            f"{whole.mean():.6g}; pass smaller weights, or an estimator that takes "
            "weights."
        )
    return np.repeat(rows, whole.astype(np.intp)), None


def fit_all(estimator, X, y, weight):
    """Fit an estimator on all rows of X, with weights for every step if there are any.

    Parameters
    ----------
    estimator : estimator
        It is fitted in place.
    weight : ndarray of shape (n,) or None

    Returns
    -------
    estimator : the fitted estimator
    """
    with _routing_for(estimator, weight is not None):
        arguments = {} if weight is None else _weight_arguments(estimator, weight)
        return estimator.fit(X, y, **arguments)


def fit_transform_all(estimator, X, y, weight):
    """Fit a transformer as `fit_all` does; return X transformed."""
    with _routing_for(estimator, weight is not None):
        arguments = {} if weight is None else _weight_arguments(estimator, weight)
        return estimator.fit_transform(X, y, **arguments)


def _routing_for(estimator, weighted):
    """Routing off where an estimator that has weights to get does not support it.

    Weights still reach it, as they do with routing off.
    """
    if weighted and routing_enabled() and not supports_routing(estimator):
        return config_context(enable_metadata_routing=False)
    return nullcontext()


def _weight_arguments(estimator, weights):
    """The arguments of `fit` that carry weights to every step."""
    if routing_enabled() and supports_routing(estimator):
        request_weights(estimator, True)
        return {"sample_weight": weights}
    return _step_arguments(estimator, weights, "")


def _step_arguments(estimator, weights, prefix):
    if isinstance(estimator, TransformedTargetRegressor):
        return _step_arguments(estimator.regressor, weights, prefix)
    steps = pipeline_steps(estimator)
    if steps is None:
        return {f"{prefix}sample_weight": weights}
    arguments = {}
    for name, step in steps:
        arguments |= _step_arguments(step, weights, f"{prefix}{name}__")
    return arguments
