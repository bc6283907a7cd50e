"""How many rows the identity should count for in a covariance.

The covariance of standardized columns is pulled towards the identity by a conjugate
(inverse Wishart) prior worth `penalty` rows. Its weight is the one under which the
scatter is most probable, the marginal likelihood of the prior being known in closed
form by the eigenvalues of the scatter.

References
----------
Chen, C.-F. (1979). Bayesian inference for a normal dispersion matrix and its
application to stochastic multiple regression analysis. JRSS B, 41(2), 235-248.
Schaefer, J. & Strimmer, K. (2005). A shrinkage approach to large-scale covariance
matrix estimation and implications for functional genomics. Statistical Applications in
Genetics and Molecular Biology, 4(1), 32.
"""

import numpy as np
from scipy.special import gammaln

LEAST = 1e-8  # of the rows: keeps a covariance of copied columns invertible
_LEAST_SIZE = 0.05  # eigenvalue of a correlation to begin at
_MOST = 1e4  # times the rows or columns: nothing is left of the correlations
_STEPS = 40  # of a grid of weights
_ZOOMS = 3  # each into the neighbourhood of the best so far


def pairwise_correlation(table, weight):
    """Correlations by the rows in which both columns are seen.

    Parameters
    ----------
    table : ndarray of shape (n_rows, p)
        Standardized columns, NaN where missing.
    weight : ndarray of shape (n_rows,)

    Returns
    -------
    correlation : ndarray of shape (p, p)
        Zero for columns that are never seen together; it may be indefinite.
    counts : ndarray of shape (p, p)
        Rows that two columns are seen together in.
    """
    observed = ~np.isnan(table)
    values = np.where(observed, table, 0.0)
    counts = (observed * weight[:, None]).T @ observed
    products = (values * weight[:, None]).T @ values
    seen = np.where(counts > 0, counts, 1.0)
    correlation = np.clip(products / seen, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation, counts


def pairwise_penalty(correlation, counts):
    """A first weight, by the sampling variance of pairwise correlations.

    Parameters
    ----------
    correlation, counts : ndarray of shape (p, p)
        As `pairwise_correlation` returns them.

    Returns
    -------
    penalty : float
        In rows.
    n_pairs : float
        Rows that two columns are seen together in, on average.
    """
    apart = ~np.eye(len(counts), dtype=bool)
    if not apart.any():
        return 0.0, float(counts.mean())
    n_pairs = float(counts[apart].mean())
    seen = apart & (counts > 0)
    r = correlation[seen]
    noise = (np.square(1 - np.square(r)) / counts[seen]).sum()
    total = np.square(r).sum()
    share = min(noise / total, 0.99) if total > 0 else 0.99
    return share / (1 - share) * n_pairs, n_pairs


def definite(correlation):
    """The correlation with eigenvalues that are not small, to begin EM at.

    Parameters
    ----------
    correlation : ndarray of shape (p, p)

    Returns
    -------
    start : ndarray of shape (p, p)
        Positive definite. EM leaves a nearly singular point slowly.
    """
    sizes, vectors = np.linalg.eigh(correlation)
    return (vectors * np.maximum(sizes, _LEAST_SIZE)) @ vectors.T


def most_probable_penalty(correlation, n_rows):
    """The weight under which a scatter is most probable.

    Parameters
    ----------
    correlation : ndarray of shape (p, p)
        Mean products of standardized columns.
    n_rows : float
        That it rests on.

    Returns
    -------
    penalty : float
        In rows.
    """
    p = len(correlation)
    if p == 1 or n_rows <= 0:
        return 0.0
    scatter = n_rows * np.maximum(np.linalg.eigvalsh(correlation), 0.0)

    low, high = np.log(LEAST * n_rows), np.log(_MOST * max(n_rows, p))
    for _ in range(_ZOOMS):
        grid = np.linspace(low, high, _STEPS)
        best = int(np.argmax(_log_evidence(grid, scatter, n_rows)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, _STEPS - 1)]
    return float(np.exp(grid[best]))


def _log_evidence(log_penalty, scatter, n_rows):
    """Log marginal likelihood of eigenvalues of a scatter, but for a constant."""
    p = len(scatter)
    penalty = np.exp(log_penalty)
    freedom = penalty + p + 1
    halves = np.arange(p) / 2
    gammas = gammaln((freedom + n_rows)[:, None] / 2 - halves) - gammaln(
        freedom[:, None] / 2 - halves
    )
    logs = np.log(penalty[:, None] + scatter)
    return (
        gammas.sum(axis=1)
        + freedom / 2 * p * log_penalty
        - (freedom + n_rows) / 2 * logs.sum(axis=1)
    )
