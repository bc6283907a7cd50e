"""How much noise there can be at most.

Without repeated rows or smoothness noise cannot be told from bias, so only bounds from
above are given: what no model seen does without, what neighbouring rows differ by, and
what rows with equal features differ by.
"""

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from genestimators._inputs import frame_columns, take_rows
from genestimators.diagnostics._copies import first_of_copies
from genestimators.resampling._keys import content_keys

_LEAST_REPEATED = 20  # rows with a twin, from which their differences tell something
_MOST_ROWS = 20_000  # for a search of neighbours


def noise_bounds(problem, loss, target):
    """Estimates that noise does not exceed on average, by where they come from.

    Parameters
    ----------
    problem : Problem
    loss : Loss
        Only squared errors and Brier scores of neighbours say something of noise.
    target : ndarray of shape (n, width)

    Returns
    -------
    bounds : dict
        ``{"repeated rows": ..., "nearest neighbours": ...}``, as far as they are known.
    """
    if loss.name not in ("squared_error", "brier"):
        return {}
    bounds = {}
    repeated = _of_repeated_rows(problem, loss, target)
    if repeated is not None:
        bounds["repeated rows"] = repeated
    near = _of_neighbours(problem, loss, target)
    if near is not None:
        bounds["nearest neighbours"] = near
    return bounds


def _of_repeated_rows(problem, loss, target):
    """The variance of targets within rows of equal features (pure error).

    Copies of a row whose target is a number are one row: they tell nothing of noise.
    """
    rows = np.flatnonzero(problem.weights > 0)
    if loss.name == "squared_error":
        rows = first_of_copies(problem)
    keys = content_keys(take_rows(problem.X, rows), None, exact=True)
    _, codes, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    repeated = sizes[codes] > 1
    if repeated.sum() < _LEAST_REPEATED:
        return None
    sums = np.zeros((len(sizes), target.shape[1]))
    np.add.at(sums, codes, target[rows])
    losses = loss.of_rows((sums / sizes[:, None])[codes], target[rows])
    return float(losses.sum() / (repeated.sum() - (sizes > 1).sum()))


def _of_neighbours(problem, loss, target):
    """Half the loss of the target of the nearest row (Devroye et al., 2018)."""
    X = _numbers(problem.X)
    used = problem.weights > 0
    if X is None or not 2 <= used.sum() <= _MOST_ROWS:
        return None
    X, target = X[used], target[used]
    spread = X.std(axis=0)
    X = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)
    losses = loss.of_rows(target[nearest[:, 0]], target) / 2
    return float(np.average(losses, weights=problem.weights[used]))


def _numbers(X):
    """X as finite numbers, or None."""
    if sparse.issparse(X):
        return None
    columns = frame_columns(X)
    try:
        X = np.asarray(X if columns is None else np.column_stack(columns), dtype=float)
    except (TypeError, ValueError):
        return None
    return X if X.ndim == 2 and X.shape[1] and np.isfinite(X).all() else None
