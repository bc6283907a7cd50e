"""Maximum likelihood of a normal law from incomplete rows: the EM algorithm.

References
----------
Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). Maximum likelihood from incomplete
data via the EM algorithm. JRSS B, 39(1), 1-38.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.imputation.normal._climb import climb


@dataclass(frozen=True)
class NormalFit:
    """A normal law, and how it was reached.

    Attributes
    ----------
    mean : ndarray of shape (p,)
    covariance : ndarray of shape (p, p)
    scatter : ndarray of shape (p, p)
        Expected sum of products about the mean, without the penalty.
    objective : ndarray of shape (n_iter,)
        The log-likelihood at the start of each iteration, less the penalty.
    converged : bool
    """

    mean: np.ndarray
    covariance: np.ndarray
    scatter: np.ndarray
    objective: np.ndarray
    converged: bool


def fit_normal(rows, penalty, start, *, max_iter, tol):
    """Fit a normal law to incomplete rows.

    Parameters
    ----------
    rows : IncompleteRows
    penalty : float
        Rows that the identity counts for in the covariance, zero or more.
    start : tuple of ndarray
        Mean and covariance to begin at.
    max_iter : int
    tol : float
        The largest change of a mean or a covariance in an iteration at which to stop.

    Returns
    -------
    fit : NormalFit
    """

    def step(point):
        return _step(rows, penalty, *point)

    found, objective, converged = climb(step, start, max_iter=max_iter, tol=tol)
    mean, covariance = found
    scatter = covariance * (rows.weight + penalty) - penalty * np.eye(len(mean))
    return NormalFit(mean, covariance, scatter, objective, converged)


def _step(rows, penalty, mean, covariance):
    """One EM step, and the objective where it started."""
    sums = rows.expect(mean, covariance)
    shift = sums.first / sums.weight
    scatter = sums.second - sums.weight * np.outer(shift, shift)
    value = sums.log_likelihood
    if penalty:
        scatter.ravel()[:: len(mean) + 1] += penalty
        root = np.linalg.cholesky(covariance)
        trace = np.square(np.linalg.inv(root)).sum()
        value -= penalty * (np.log(np.diag(root)).sum() + trace / 2)
    after = scatter / (sums.weight + penalty)
    return (mean + shift, (after + after.T) / 2), value
