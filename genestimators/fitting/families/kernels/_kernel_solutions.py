"""Kernel ridge regression for every penalty, from the kernel matrix."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics.pairwise import pairwise_kernels

from genestimators.fitting.families.linear._shifted import (
    left_out_residuals,
    shifted_solves,
    well_conditioned,
)


def kernel_matrix(estimator, X, others=None):
    """Kernel values between rows, by the estimator's settings.

    Parameters
    ----------
    estimator : KernelRidge
    X, others : ndarray or sparse matrix

    Returns
    -------
    values : ndarray of shape (n, n_others)
    """
    if callable(estimator.kernel):
        settings = estimator.kernel_params or {}
    else:
        settings = {
            "gamma": estimator.gamma,
            "degree": estimator.degree,
            "coef0": estimator.coef0,
        }
    values = pairwise_kernels(
        X, others, metric=estimator.kernel, filter_params=True, **settings
    )
    return np.asarray(values, dtype=np.float64)


def solve_kernel(values, Y, weight, alphas):
    """Kernel ridge regression for every penalty.

    With weights, kernel values and targets are times the roots of the weights.

    Parameters
    ----------
    values : ndarray of shape (n, n)
        Kernel matrix; its upper triangle is read.
    Y : ndarray of shape (n, q)
    weight : ndarray of shape (n,) or None
    alphas : ndarray of shape (m,)

    Returns
    -------
    dual : ndarray of shape (m, q, n)
        Predictions are kernel values times it.
    errors : ndarray of shape (m, q)
        Mean squared errors on the rows.
    fine : ndarray of shape (m,), bool
        Penalties whose system is well conditioned; others have no solution here.
    """
    if weight is None:
        dual, fine = shifted_solves(values, Y, alphas)
        return dual, alphas[:, None] ** 2 * (dual**2).mean(axis=2), fine
    root = np.sqrt(weight)
    dual, fine = shifted_solves(
        values * np.outer(root, root), Y * root[:, None], alphas
    )
    errors = alphas[:, None] ** 2 * (dual**2).sum(axis=2) / weight.sum()
    return dual * root, errors, fine


def leave_one_out_kernel(values, Y, weight, alphas):
    """Predictions for each row by the fit without it, for every penalty.

    Parameters
    ----------
    values, Y, weight, alphas
        As in `solve_kernel`.

    Returns
    -------
    answers : ndarray of shape (m, q, n)
    errors : ndarray of shape (m, q, n)
        Mean squared errors of the fit without the row on the other rows.
    safe : ndarray of shape (n,), bool
        Rows whose answers can be trusted: all of them.

    All of it is None where some penalty's system is not well conditioned.
    """
    n = len(values)
    weight = np.ones(n) if weight is None else weight
    root = np.sqrt(weight)
    spectrum, basis = np.linalg.eigh(values * np.outer(root, root), UPLO="U")
    if not well_conditioned(spectrum[0], spectrum[-1], alphas).all():
        return None
    missed, squares, _ = left_out_residuals(basis, spectrum, Y * root[:, None], alphas)
    errors = squares / (weight.sum() - weight)
    return Y.T - missed / root, errors, np.ones(n, dtype=bool)


@dataclass(frozen=True, eq=False)
class KernelRows:
    """Kernel values of rows with those of a fit.

    Attributes
    ----------
    estimator : KernelRidge
    X : ndarray or sparse matrix
        Rows of the fit.
    """

    estimator: object
    X: object

    def __call__(self, X):
        """Kernel values, (n, n_rows of the fit)."""
        return kernel_matrix(self.estimator, X, self.X)


@dataclass(frozen=True, eq=False)
class KnownKernel:
    """Kernel values that are known already for some rows.

    Attributes
    ----------
    estimator : KernelRidge
    X : ndarray of shape (n, p)
        All rows.
    values : ndarray of shape (n, n)
    rows : ndarray of int
        Rows of the fit.
    known : tuple of ndarray of int
        Rows that are likely to be asked for.
    """

    estimator: object
    X: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    known: tuple

    def __call__(self, X):
        """Kernel values, (n, n_rows of the fit)."""
        for rows in self.known:
            if len(rows) == X.shape[0] and np.array_equal(self.X[rows], X):
                return self.values[np.ix_(rows, self.rows)]
        return kernel_matrix(self.estimator, X, self.X[self.rows])


@dataclass(frozen=True, eq=False)
class DualSolution:
    """Kernel ridge regression of each output for every penalty.

    Attributes
    ----------
    kernel : KernelRows or KnownKernel
    dual : ndarray of shape (m, q, n)
    """

    kernel: object
    dual: np.ndarray

    def outputs(self, X):
        """Predictions for rows X, (m, q, n_rows)."""
        values = self.kernel(X)
        flat = self.dual.reshape(-1, self.dual.shape[2]) @ values.T
        return flat.reshape(*self.dual.shape[:2], -1)

    def take(self, part):
        """The same for a slice of the penalties."""
        return replace(self, dual=self.dual[part])
