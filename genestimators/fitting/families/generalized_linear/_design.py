"""Designs: columns as Newton's method likes them, and the way back.

Columns are centred where an intercept takes up the means, and divided by their
spreads; the penalty is weighted so that the problem stays the same. With fewer rows
than columns, coefficients lie in the span of the rows, and as many directions as there
are rows are enough.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from genestimators.fitting.families.linear._gram import column_means


@dataclass(frozen=True, eq=False)
class Design:
    """Columns to fit on.

    Attributes
    ----------
    columns : ndarray of shape (n, q)
        The last column is one where there is an intercept.
    penalty : ndarray of shape (q,)
        Factors of squared coefficients; 0 for the intercept.
    centre : ndarray of shape (p,)
        Subtracted from the columns of X.
    spread : ndarray of shape (p,) or None
        What the columns of X were divided by.
    directions : ndarray of shape (q, p) or None
        The directions that stand for the columns of X; None where these stand for
        themselves.
    fit_intercept : bool
    """

    columns: np.ndarray
    penalty: np.ndarray
    centre: np.ndarray
    spread: np.ndarray | None
    directions: np.ndarray | None
    fit_intercept: bool

    def coefficients(self, theta):
        """Coefficients of X and intercepts.

        Parameters
        ----------
        theta : ndarray of shape (..., q)

        Returns
        -------
        coef : ndarray of shape (..., p)
        offset : ndarray of shape (...,)
            The predictor is ``(X - centre) @ coef + offset``.
        """
        offset = np.zeros(theta.shape[:-1])
        if self.fit_intercept:
            theta, offset = theta[..., :-1], theta[..., -1]
        if self.directions is None:
            return theta / self.spread, offset
        return theta @ self.directions, offset


def make_design(X, weight, *, fit_intercept):
    """Columns for X.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    weight : ndarray of shape (n,) or None
        For the means and spreads.
    fit_intercept : bool

    Returns
    -------
    design : Design
        In double precision.
    """
    n, p = X.shape
    centre = column_means(X, weight) if fit_intercept else np.zeros(p)
    spread = directions = None
    if p < n:
        columns = np.empty((n, p + fit_intercept))
        inner = np.subtract(X, centre, out=columns[:, :p])
        share = np.full(n, 1 / n) if weight is None else weight / weight.sum()
        spread = np.sqrt(share @ np.square(inner))
        spread[spread == 0] = 1.0
        inner /= spread
        penalty = spread**-2.0
    else:
        # X - centre = lower @ directions, and the length of a combination of
        # orthonormal directions is that of its coefficients.
        directions, upper = linalg.qr((X - centre).T, mode="economic")
        directions = directions.T
        columns = np.empty((n, len(directions) + fit_intercept))
        columns[:, : len(directions)] = upper.T
        penalty = np.ones(len(directions))
    if fit_intercept:
        columns[:, -1] = 1.0
        penalty = np.append(penalty, 0.0)
    return Design(columns, penalty, centre, spread, directions, fit_intercept)
