"""Incomplete normal tables, and slow obvious forms of what the package does fast."""

import numpy as np
from scipy.stats import multivariate_normal


def normal_table(seed, n=40, p=3, share=0.3, *, n_empty=0):
    """A table of correlated standardized columns with gaps.

    Rows lose some entries at random; the last `n_empty` lose all.
    """
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n, p)) @ rng.normal(size=(p, p))
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    table[rng.random((n, p)) < share] = np.nan
    table[rng.integers(n), 0] = 0.5  # no column is empty
    table[n - n_empty :] = np.nan
    return table


def covariance_of(seed, p):
    """A covariance that is far from singular."""
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(p, 2 * p))
    return half @ half.T / (2 * p) + 0.1 * np.eye(p)


def log_likelihood_of(table, weight, mean, covariance):
    """Sum over rows of the log density of what is observed in each."""
    total = 0.0
    patterns = np.isnan(table)
    for pattern in np.unique(patterns, axis=0):
        seen = ~pattern
        if seen.any():
            rows = (patterns == pattern).all(axis=1)
            law = multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)])
            total += (weight[rows] * law.logpdf(table[np.ix_(rows, seen)])).sum()
    return total


def penalty_of(covariance, penalty):
    """What `penalty` rows of the identity take from the log-likelihood."""
    _, size = np.linalg.slogdet(covariance)
    return penalty / 2 * (size + np.trace(np.linalg.inv(covariance)))


def conditional_of(row, mean, covariance):
    """The textbook law of the missing entries: Sigma_mo Sigma_oo^-1 and the rest."""
    m = np.isnan(row)
    across = covariance[np.ix_(m, ~m)] @ np.linalg.inv(covariance[np.ix_(~m, ~m)])
    center = mean[m] + across @ (row[~m] - mean[~m])
    return center, covariance[np.ix_(m, m)] - across @ covariance[np.ix_(~m, m)]
