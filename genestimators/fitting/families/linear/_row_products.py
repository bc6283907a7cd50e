"""Ridge regression on many draws of fewer rows than columns.

The products of all pairs of rows are the same in every draw; each takes its own rows
and columns of them. With K the products of the centred rows of a draw, W their weights
and y the centred targets, the coefficients are X' a with

    (K + alpha W^-1) a = y,

and the a of a fit with an intercept sum to zero, so that X need not be centred again.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

_WORST = 1e9  # ratio of the largest to the least eigenvalue, at most, by a bound


class RowProducts:
    """Ridge regression from products of rows.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Centred about the means of all rows where there is an intercept.
    Y : ndarray of shape (n, n_outputs)
    intercept : bool
    alpha : float, positive
    """

    def __init__(self, X, Y, intercept, alpha):
        self.X, self.Y = X, Y
        self.intercept, self.alpha = intercept, alpha
        self.products = X @ X.T

    def fit(self, weights):
        """Coefficients of the draws.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n)

        Returns
        -------
        coef : ndarray of shape (n_draws, n_outputs, p)
        offset : ndarray of shape (n_draws, n_outputs)
            Predictions are ``X @ coef + offset``.
        fine : ndarray of shape (n_draws,), bool
        """
        n, k = self.Y.shape
        found = np.zeros((len(weights), k, n))
        offset = np.zeros((len(weights), k))
        fine = np.zeros(len(weights), dtype=bool)
        for b, own in enumerate(weights):
            rows = np.flatnonzero(own)
            if not len(rows):
                continue
            solved = self._solve(rows, own[rows].astype(np.float64))
            if solved is not None:
                found[b][:, rows], offset[b] = solved
                fine[b] = True
        coef = (found.reshape(-1, n) @ self.X).reshape(len(weights), k, -1)
        return coef, offset, fine

    def _solve(self, rows, weight):
        system = self.products[np.ix_(rows, rows)]
        Y = self.Y[rows]
        if self.intercept:
            share = weight / weight.sum()
            middle, mean = system @ share, share @ Y
            system = system - middle - middle[:, None] + share @ middle
            Y = Y - mean
        largest = np.trace(system)
        if largest > _WORST * self.alpha / weight.max():
            return None
        system[np.diag_indices(len(rows))] += self.alpha / weight
        try:
            found = cho_solve(cho_factor(system, lower=True), Y)
        except LinAlgError:
            return None
        if not self.intercept:
            return found.T, np.zeros(Y.shape[1])
        return found.T, mean - middle @ found
