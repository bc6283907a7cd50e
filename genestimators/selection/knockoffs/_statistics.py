"""How much more columns matter than their knockoff copies.

An importance is worked out for the columns and one copy of each together, shape
(2 * n_features,), and the statistic of a unit is the sum of its columns' importances
less that of their copies. In half of the pairs, drawn at random, column and copy change
places beforehand, so that no order of columns, starting value or tie can favour either.
"""

import numpy as np
from scipy import linalg
from sklearn.base import clone

from genestimators._delegate import pipeline_steps, random_state_parameters
from genestimators.resampling._hashing import derive_seed
from genestimators.selection.importances._refits import keeps_columns
from genestimators.selection.knockoffs._copies import draw_copy
from genestimators.selection.knockoffs._lasso import (
    LogisticLoss,
    SquaredLoss,
    chosen_lasso,
)

STATISTICS = ("lasso", "ridge")
_RIDGE_PENALTIES = np.geomspace(1e-4, 1e4, 33)


def copy_statistics(Z, means, root, y, importance, labels, seed):
    """The statistic of each unit for one copy; a task of its own.

    Parameters
    ----------
    Z, means : ndarray of shape (n_samples, n_features)
    root : ndarray of shape (n_features, n_features)
        See `plan_copies`.
    y : object
        What `importance` takes.
    importance : callable
        Gives the importances of the columns of a matrix, from (matrix, y, seed).
    labels : ndarray of shape (n_features,), int
    seed : int

    Returns
    -------
    ndarray of shape (n_units,)
    """
    p = Z.shape[1]
    copy = draw_copy(means, root, seed)
    changed = np.random.default_rng([seed, 1]).random(p) < 0.5
    both = np.empty((len(Z), 2 * p), order="F")
    both[:, :p] = np.where(changed, copy, Z)
    both[:, p:] = np.where(changed, Z, copy)
    both -= both.mean(axis=0)
    scale = np.sqrt(np.mean(both**2, axis=0))
    both /= np.where(scale > 0, scale, 1.0)
    found = importance(both, y, seed)
    more = found[:p] - found[p:]
    more[changed] *= -1
    return np.bincount(labels, more)


def losses_of(y, classes):
    """The losses of the columns of y, one or more for each.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    classes : bool
        Whether y holds classes. More than two are taken one against the rest.

    Returns
    -------
    list of SquaredLoss or LogisticLoss
        None for a column that is constant.
    """
    losses = []
    for column in y.reshape(len(y), -1).T:
        values, codes = np.unique(column, return_inverse=True)
        if len(values) == 1:
            continue
        if not classes:
            centred = column - column.mean(dtype=np.float64)
            centred = centred - centred.mean()
            losses.append(SquaredLoss(centred / np.sqrt(np.mean(centred**2))))
        elif len(values) == 2:
            losses.append(LogisticLoss((codes == 1).astype(np.float64)))
        else:
            losses += [
                LogisticLoss((codes == k).astype(np.float64))
                for k in range(len(values))
            ]
    return losses


def lasso_importance(A, losses, seed):
    """Absolute lasso coefficients, summed over the losses."""
    squared = any(loss.quadratic for loss in losses)
    # Products of all columns pay unless columns are many more than rows.
    gram = A.T @ A if squared and A.shape[1] <= 2 * len(A) else None
    total = np.zeros(A.shape[1])
    for loss in losses:
        total += np.abs(chosen_lasso(A, loss, gram)[0])
    return total


def ridge_importance(A, losses, seed):
    """Absolute ridge coefficients, summed over the losses.

    The penalty has the least generalised cross-validation score, which like the
    eigenvalues it rests on does not tell a column from its copy. Classes are zeros and
    ones to it.
    """
    total = np.zeros(A.shape[1])
    if not losses:
        return total
    Y = np.stack([loss.y - loss.y.mean() for loss in losses], axis=1)
    n = len(A)
    if A.shape[1] <= n:
        values, vectors = linalg.eigh(A.T @ A)
        directions = vectors
        turned = vectors.T @ (A.T @ Y)
    else:
        values, vectors = linalg.eigh(A @ A.T)
        directions = A.T @ vectors
        turned = vectors.T @ Y * np.maximum(values, 0.0)[:, None]
    there = values > 1e-10 * max(values[-1], 0.0)
    if not there.any():
        return total
    values, turned, directions = values[there], turned[there], directions[:, there]
    if A.shape[1] > n:
        directions, turned = (
            directions / np.sqrt(values),
            turned / np.sqrt(values)[:, None],
        )
    for k in range(Y.shape[1]):
        scores = []
        for penalty in _RIDGE_PENALTIES * values.mean():
            kept = values / (values + penalty)
            fitted = turned[:, k] ** 2 / values
            squares = Y[:, k] @ Y[:, k] - np.sum(fitted * kept * (2 - kept))
            left = n - 1 - kept.sum()
            scores.append(squares / left**2 if left > 1e-8 * n else np.inf)
        penalty = _RIDGE_PENALTIES[np.argmin(scores)] * values.mean()
        total += np.abs(directions @ (turned[:, k] / (values + penalty)))
    return total


class CallableImportance:
    """Importances from a function of the user's."""

    def __init__(self, function):
        self.function = function

    def __call__(self, A, y, seed):
        found = np.asarray(self.function(A, y), dtype=np.float64)
        return _check_importance(found, A, "`statistic` as a callable must return")


class EstimatorImportance:
    """`coef_` or `feature_importances_` of a fitted estimator."""

    def __init__(self, estimator):
        self.estimator = estimator

    def __call__(self, A, y, seed):
        model = clone(self.estimator)
        known = model.get_params(deep=True)
        for name in random_state_parameters(model):
            if known[name] is None:
                model.set_params(**{name: derive_seed(seed, name)})
        return importance_of(model.fit(A, y), A)


def importance_of(model, A):
    """Absolute coefficients or importances of a fitted estimator.

    Those of a pipeline are its last step's; coefficients of several outputs or classes
    are summed.
    """
    steps = pipeline_steps(model)
    last = steps[-1][1] if steps else model
    for _, step in steps[:-1] if steps else ():
        if not keeps_columns(step):
            raise ValueError(
                "`estimator` must have coefficients or importances of the columns "
                f"themselves, and {type(step).__name__} makes other columns of them; "
                "pass an estimator without that step, or a callable as `statistic`."
            )
    if hasattr(last, "coef_"):
        found = np.abs(np.asarray(last.coef_, dtype=np.float64))
        found = found.reshape(-1, found.shape[-1]).sum(axis=0) if found.ndim else found
    elif hasattr(last, "feature_importances_"):
        found = np.asarray(last.feature_importances_, dtype=np.float64)
    else:
        raise AttributeError(
            "`estimator` must have `coef_` or `feature_importances_` once it is "
            f"fitted. Got {type(last).__name__}, which has neither; pass another "
            "estimator, or a callable as `statistic`."
        )
    name = type(last).__name__
    return _check_importance(found, A, f"The importances of {name} must be")


def _check_importance(found, A, words):
    if found.shape != (A.shape[1],):
        raise ValueError(
            f"{words} one number for each of the {A.shape[1]} columns it was given "
            f"(features and their copies). Got shape {found.shape}."
        )
    if not np.isfinite(found).all():
        raise ValueError(f"{words} finite numbers. Got NaN or infinity.")
    return found
