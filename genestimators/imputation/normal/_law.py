"""From a table with gaps to the law that fills them."""

from dataclasses import dataclass

import numpy as np

from genestimators.imputation.normal._conditional import ConditionalNormal
from genestimators.imputation.normal._em import fit_normal
from genestimators.imputation.normal._expectation import IncompleteRows
from genestimators.imputation.normal._factors import ConditionalFactors, fit_factors
from genestimators.imputation.normal._shrinkage import (
    LEAST,
    definite,
    most_probable_penalty,
    pairwise_correlation,
    pairwise_penalty,
)

_ROUGH = 1e-2  # change at which the scatter is known well enough to weigh the prior


@dataclass(frozen=True)
class Law:
    """A normal law of standardized columns, and how it was reached.

    Attributes
    ----------
    conditional : ConditionalNormal or ConditionalFactors
        Fills gaps by it.
    mean : ndarray of shape (p,)
    covariance : ndarray of shape (p, p)
    shrinkage : float
        Share of the identity in the covariance.
    log_likelihood : ndarray of shape (n_last_iter,)
        At the start of each iteration since the shrinkage is settled, less what the
        shrinkage costs.
    n_iter : int
    converged : bool
    """

    conditional: object
    mean: np.ndarray
    covariance: np.ndarray
    shrinkage: float
    log_likelihood: np.ndarray
    n_iter: int
    converged: bool


def fit_law(table, weight, *, shrinkage, n_factors, max_iter, tol):
    """Fit a normal law to the rows of a table.

    Parameters
    ----------
    table : ndarray of shape (n_rows, p)
        Columns of mean zero and variance one, NaN where missing.
    weight : ndarray of shape (n_rows,)
        Positive; they count as rows.
    shrinkage : "auto" or float in [0, 1)
    n_factors : int or None
        More than p are as good as p.
    max_iter : int
    tol : float

    Returns
    -------
    law : Law
    """
    # Rows without a value tell nothing, but would count for the shrinkage and slow EM.
    tells = ~np.isnan(table).all(axis=1)
    if not tells.all():
        table, weight = table[tells], weight[tells]
    if n_factors is not None:
        fit = fit_factors(table, weight, n_factors, max_iter=max_iter, tol=tol)
        covariance = fit.loadings @ fit.loadings.T
        covariance.ravel()[:: len(covariance) + 1] += fit.noise
        conditional = ConditionalFactors(fit.mean, fit.loadings, fit.noise)
        return Law(
            conditional,
            fit.mean,
            covariance,
            0.0,
            fit.objective,
            len(fit.objective),
            fit.converged,
        )
    rows = IncompleteRows(table, weight)
    p = table.shape[1]
    correlation, counts = pairwise_correlation(table, weight)
    point = np.zeros(p), definite(correlation)
    least = LEAST * rows.weight
    before = 0
    if shrinkage == "auto":
        penalty, n_pairs = pairwise_penalty(correlation, counts)
        rough = fit_normal(
            rows, max(penalty, least), point, max_iter=max_iter, tol=max(tol, _ROUGH)
        )
        point, before = (rough.mean, rough.covariance), len(rough.objective)
        penalty = most_probable_penalty(rough.scatter / rows.weight, n_pairs)
    else:
        penalty = shrinkage / (1 - shrinkage) * rows.weight
    penalty = max(penalty, least)
    fit = fit_normal(rows, penalty, point, max_iter=max_iter, tol=tol)
    precision = np.linalg.inv(fit.covariance)
    return Law(
        ConditionalNormal(fit.mean, (precision + precision.T) / 2),
        fit.mean,
        fit.covariance,
        penalty / (rows.weight + penalty),
        fit.objective,
        before + len(fit.objective),
        fit.converged,
    )
