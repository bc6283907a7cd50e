"""Which columns get a mask: a column that says where they were missing.

A mask is an insurance: it pays where values are missing because of what they are, and
costs a linear model about a coefficient where they are not. Where there are many rows
for each mask it is cheap, and all are taken; where there are few, those whose column is
seen to be missing by what the others hold.

References
----------
Little, R. J. A. (1988). A test of missing completely at random for multivariate data
with missing values. JASA, 83(404), 1198-1202.
Le Morvan, M. & Varoquaux, G. (2024). Imputation for prediction: beware of diminishing
returns. arXiv 2407.19804.
"""

import numpy as np
from scipy.stats import t

_CHEAP = 30  # rows for each mask from which on all are taken
_LEVEL = 0.05  # of the test that a column is missing by what the others hold


def masked_columns(missing, add_indicator, latent, weight, excluded=()):
    """The columns that get a mask, decided in `fit` for good.

    Parameters
    ----------
    missing : bool ndarray of shape (n_rows, n_columns)
        Of the rows fitted on.
    add_indicator : bool or "auto"
        True gives every column that misses something a mask. "auto" gives one mask to
        columns that are missing in the same rows, and where rows are few only to those
        that are missing by what the other columns hold.
    latent : ndarray of shape (n_rows, n_latent)
        What is observed, in standardized columns, NaN where missing.
    weight : ndarray of shape (n_rows,)
        Positive; they count as rows.
    excluded : collection of int
        Columns that say themselves where they are missing.

    Returns
    -------
    columns : ndarray of int
        Ascending.
    """
    if add_indicator is False:
        return np.zeros(0, dtype=np.intp)
    found = np.flatnonzero(missing.any(axis=0))
    found = np.array([j for j in found if j not in excluded], dtype=np.intp)
    if add_indicator is True or not len(found):
        return found
    first = {}
    for j in found.tolist():
        first.setdefault(np.packbits(missing[:, j]).tobytes(), j)
    found = np.array(sorted(first.values()), dtype=np.intp)
    if weight.sum() >= _CHEAP * len(found):
        return found
    return found[dependence_p_values(missing[:, found], latent, weight) < _LEVEL]


def dependence_p_values(missing, latent, weight):
    """Whether what is observed differs between rows that miss a column and others.

    Parameters
    ----------
    missing : bool ndarray of shape (n_rows, n_columns)
    latent : ndarray of shape (n_rows, n_latent)
        NaN where missing.
    weight : ndarray of shape (n_rows,)

    Returns
    -------
    p_values : ndarray of shape (n_columns,)
        The least of the t tests against each latent column, times their number; one
        where there is nothing to compare.
    """
    observed = ~np.isnan(latent)
    values = np.where(observed, latent, 0.0)
    sums = []
    for side in (missing, ~missing):
        weights = side.T * weight
        sums.append([weights @ part for part in (observed, values, np.square(values))])
    (n_1, first_1, square_1), (n_0, first_0, square_0) = sums
    possible = (n_1 > 0) & (n_0 > 0) & (n_1 + n_0 > 2)
    n_1, n_0 = np.where(possible, n_1, 2.0), np.where(possible, n_0, 2.0)
    within = square_1 - np.square(first_1) / n_1 + square_0 - np.square(first_0) / n_0
    freedom = n_1 + n_0 - 2
    variance = np.maximum(within, 0.0) / freedom * (1 / n_1 + 1 / n_0)
    possible &= variance > 0
    statistic = (first_1 / n_1 - first_0 / n_0) / np.sqrt(
        np.where(possible, variance, 1.0)
    )
    p_values = np.where(possible, 2 * t.sf(np.abs(statistic), freedom), 1.0)
    number = np.count_nonzero(possible, axis=1)
    return np.minimum(p_values.min(axis=1, initial=1.0) * number, 1.0)
