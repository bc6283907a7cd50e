"""Prediction intervals from the errors of rows that were left out.

All functions take, for new rows, what the bag would predict without each training row,
and the absolute errors that this made on the training rows themselves. Weights say how
many rows each of them stands for; the new row weighs one.
"""

import math

import numpy as np

ROUNDING = 1e-9


def weight_needed(level, total):
    """The weight of errors, in order, at which a bound stands.

    `level` times the weight of the training rows and the new one; for rows of weight
    one the bound is the error of rank ceil(level (n + 1)).
    """
    # Less what products of floats are off: 0.55 * 100 is 55 and something.
    return (level - ROUNDING) * (total + 1)


def upper_bounds(values, level, weights=None):
    """The least value of each row that has enough weight at or below it.

    Parameters
    ----------
    values : ndarray of shape (m, n)
        Put in another order.
    level : float in (0, 1)
    weights : ndarray of shape (n,) or None

    Returns
    -------
    ndarray of shape (m,)
        Infinite where all values together do not have the weight.
    """
    n = values.shape[1]
    if weights is None:
        rank = max(1, math.ceil(weight_needed(level, n)))
        if rank > n:
            return np.full(len(values), np.inf)
        values.partition(rank - 1, axis=1)
        return values[:, rank - 1].copy()
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1)
    place = (reached < weight_needed(level, weights.sum())).sum(axis=1)
    found = np.take_along_axis(
        values, np.take_along_axis(order, np.minimum(place, n - 1)[:, None], 1), 1
    )
    return np.where(place < n, found[:, 0], np.inf)


def jackknife_plus(centres, errors, level, weights=None):
    """Intervals of the jackknife+.

    Parameters
    ----------
    centres : ndarray of shape (m, n)
        Predictions for m new rows without each of n training rows; overwritten.
    errors : ndarray of shape (n,)
        Absolute errors of the same predictors on the rows they did without. Infinite
        where there is none.
    level : float in (0, 1)
    weights : ndarray of shape (n,) or None

    Returns
    -------
    ndarray of shape (m, 2)

    References
    ----------
    .. [1] Barber, R. F., Candes, E. J., Ramdas, A. & Tibshirani, R. J. (2021).
       Predictive inference with the jackknife+. Annals of Statistics 49, 486-507.
    """
    high = upper_bounds(centres + errors, level, weights)
    np.subtract(errors, centres, out=centres)
    low = -upper_bounds(centres, level, weights)
    return np.column_stack([low, high])


def jackknife_minmax(centres, errors, level, weights=None):
    """Intervals from the least and the largest prediction without one row.

    Parameters and result are those of `jackknife_plus`; centres of rows without an
    error do not count, and nothing is overwritten.
    """
    known = np.isfinite(errors)
    error = upper_bounds(errors[None].copy(), level, weights)
    own = centres if known.all() else centres[:, known]
    return np.column_stack([own.min(axis=1) - error, own.max(axis=1) + error])


def around(centre, errors, level, weights=None):
    """Intervals of one width around given centres, ndarray of shape (m, 2)."""
    error = upper_bounds(errors[None].copy(), level, weights)
    return np.column_stack([centre - error, centre + error])
