"""Ridge regression on the first columns of a matrix, for all numbers of them at once.

The Cholesky factor of a leading block of a matrix is the leading block of its Cholesky
factor, so one factor holds the regressions on the first column, the first two, and so
on. Transformers whose output at one value is the first columns of their output at a
larger one need no other fit where a ridge regression follows.
"""

from numbers import Real

import numpy as np
from scipy import linalg
from sklearn.linear_model import LinearRegression, Ridge

from genestimators.fitting._paths import Path

COLLINEAR = 1e-12  # columns whose own part has less than this of the largest square


def leading_ridge(Z, y, alpha, sizes, *, fit_intercept=True):
    """Ridge regression on the first columns of Z, for several numbers of them.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
    y : ndarray of shape (n, n_outputs)
    alpha : float
        The penalty; 0 is least squares.
    sizes : sequence of int
        How many columns, each from 1 to k.
    fit_intercept : bool, default=True

    Returns
    -------
    coef : ndarray of shape (n_sizes, k, n_outputs)
        Zero behind the first columns.
    Z_mean : ndarray of shape (k,)
    y_mean : ndarray of shape (n_outputs,)
        The prediction is ``(Z - Z_mean) @ coef + y_mean``.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a column is all but zero or a combination of those before it.

    Notes
    -----
    With the Cholesky factor L of ``Z'Z + alpha I`` and ``w = L^-1 Z'y``, the
    coefficients of the first s columns solve ``L_s' coef = w_s``: leading blocks.
    """
    Z_mean = np.zeros(Z.shape[1])
    y_mean = np.zeros(y.shape[1])
    if fit_intercept:
        Z_mean, y_mean = Z.mean(axis=0), y.mean(axis=0)
    Z = Z - Z_mean
    gram = Z.T @ Z
    gram.flat[:: len(gram) + 1] += alpha
    factor = linalg.cholesky(gram, lower=True)
    if (np.diag(factor) ** 2 <= COLLINEAR * np.diag(gram).max()).any():
        raise np.linalg.LinAlgError("Columns are collinear.")
    right = linalg.solve_triangular(factor, Z.T @ (y - y_mean), lower=True)
    coef = np.zeros((len(sizes), Z.shape[1], y.shape[1]))
    for at, size in zip(coef, sizes, strict=True):
        at[:size] = linalg.solve_triangular(
            factor[:size, :size], right[:size], lower=True, trans="T"
        )
    return coef, Z_mean, y_mean


def ridge_after(columns, sizes, after, X, y, weight):
    """The path of the steps after a transformer, where it can be had without fits.

    Parameters
    ----------
    columns : object
        `columns.whole(X)` is X transformed.
    sizes : sequence of int
        How many of the first columns each value stands for.
    after : Pipeline
        The unfitted steps after it.
    X : container of n rows
        Training rows, not transformed.
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None

    Returns
    -------
    path : Path or None
        None where the steps are no such regression, or columns are collinear.
    """
    if len(after.steps) != 1 or weight is not None:
        return None
    model = after.steps[0][1]
    alpha = _direct_penalty(model)
    if alpha is None:
        return None
    Z = columns.whole(X)
    if not isinstance(Z, np.ndarray) or Z.dtype != np.float64:
        return None
    target = y.astype(np.float64).reshape(len(y), -1)
    try:
        fitted = leading_ridge(
            Z, target, alpha, sizes, fit_intercept=model.fit_intercept
        )
    except np.linalg.LinAlgError:
        return None
    return LeadingRidgePath(columns, *fitted, flat=y.ndim == 1)


def _direct_penalty(model):
    """The penalty of a regression that `leading_ridge` can stand for, or None."""
    if type(model) is LinearRegression and not model.positive:
        return 0.0
    if type(model) is Ridge and not model.positive:
        direct = model.solver in ("auto", "svd", "cholesky")
        if direct and isinstance(model.alpha, Real) and model.alpha >= 0:
            return float(model.alpha)
    return None


class LeadingRidgePath(Path):
    """Ridge regressions on the first columns of a transformation.

    Parameters
    ----------
    columns : object
        `columns.whole(X)` is X transformed.
    coef, Z_mean, y_mean : ndarray
        See `leading_ridge`.
    flat : bool
        Whether the target has one dimension.
    """

    def __init__(self, columns, coef, Z_mean, y_mean, *, flat):
        self.columns = columns
        self.coef = coef
        self.Z_mean = Z_mean
        self.y_mean = y_mean
        self.flat = flat
        self.n_values = len(coef)

    def predict(self, X):
        answer = (self.columns.whole(X) - self.Z_mean) @ self.coef + self.y_mean
        return answer[:, :, 0] if self.flat else answer
