"""Covariances within classes on many draws, and what discriminant analyses share.

Covariances have half the digits of the rows they come from. Where a draw's are so
nearly singular that this would show, the draw is left to a fit of its own.
"""

import numpy as np
from scipy.linalg.lapack import dtrtri

from genestimators.fitting._ensembles import EnsembleFamily
from genestimators.fitting.families._class_sums import (
    ClassRows,
    Steps,
    plain_numbers,
    spread,
    usable_priors,
)
from genestimators.fitting.families._scaling import plain_scaler

MOST_COLUMNS = 300  # beyond, products of columns take too much memory


def whiteners(correlations, fine):
    """Triangular T with ``T R T'`` the identity, for many correlation matrices R.

    Parameters
    ----------
    correlations : ndarray of shape (..., p, p)
    fine : ndarray of shape (...,), bool
        The others are not looked at.

    Returns
    -------
    T : ndarray of shape (..., p, p), lower triangular
        The identity where there is none.
    inverse_trace : ndarray of shape (...,)
        The trace of the inverse of R. Its least eigenvalue is between 1 and p times
        the inverse of this; infinite where R is singular.
    """
    p = correlations.shape[-1]
    R = np.where(fine[..., None, None], correlations, np.eye(p))
    definite = np.ones(fine.shape, dtype=bool)
    try:
        factors = np.linalg.cholesky(R)
    except np.linalg.LinAlgError:  # one of them is singular: which?
        factors = np.empty_like(R)
        for place in np.ndindex(fine.shape):
            try:
                factors[place] = np.linalg.cholesky(R[place])
            except np.linalg.LinAlgError:
                factors[place], definite[place] = np.eye(p), False
    T = np.empty_like(factors)
    for place in np.ndindex(fine.shape):
        T[place] = dtrtri(factors[place], lower=1)[0]
    return T, np.where(definite, np.square(T).sum(axis=(-2, -1)), np.inf)


def correlations_of(covariances):
    """Correlation matrices and standard deviations, ones in place of zeros.

    Parameters
    ----------
    covariances : ndarray of shape (..., p, p)

    Returns
    -------
    correlations : ndarray of shape (..., p, p)
    sigma : ndarray of shape (..., p)
    """
    variance = np.diagonal(covariances, axis1=-2, axis2=-1)
    sigma = np.sqrt(np.where(variance > 0, variance, 1.0))
    return covariances / pairs_of(sigma), sigma


def pairs_of(a):
    """Products of all pairs of the last axis."""
    return a[..., :, None] * a[..., None, :]


class ClassFits:
    """What all draws of a discriminant analysis share.

    Parameters
    ----------
    scaler : StandardScaler or None
    estimator : estimator
        Unfitted.
    X : container of n rows
    numbers : ndarray of shape (n, p)
        The same as numbers.
    y : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,)
    """

    def __init__(self, scaler, estimator, X, numbers, y, classes):
        self.estimator, self.classes = estimator, classes
        self.rows = ClassRows(numbers, y, classes)
        self.steps = Steps(scaler, estimator, X)
        self.dtype = numbers.dtype
        self.priors = None
        if estimator.priors is not None:
            self.priors = np.asarray(estimator.priors, dtype=np.float64)

    def moments(self, weights, *, pooled):
        """Counts, means and products of the classes in each draw.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n)
        pooled : bool
            Whether products are summed over the classes.

        Returns
        -------
        counts : ndarray of shape (n_draws, n_classes)
        means : ndarray of shape (n_draws, n_classes, p)
            From the shifts.
        products : ndarray of shape (n_draws, 1 or n_classes, p, p)
        fine : ndarray of shape (n_draws,), bool
            Draws that hold every class.
        """
        own = self.rows.sorted(weights)
        counts = self.rows.counts(own)
        fine = (counts > 0).all(axis=1)
        counts = np.where(counts > 0, counts, 1.0)
        sums, products = self.rows.products(own, pooled=pooled)
        return counts, sums / counts[:, :, None], products, fine

    def scaling(self, counts, means, variance):
        """What the scalers learn, from variances about the class means."""
        squares = variance + np.square(means)
        mean, variance, _ = spread(counts, means, squares, self.rows.shifts)
        return self.steps.scaling(mean, variance, counts.sum(axis=1))

    def shares(self, counts):
        """The priors, (n_draws, n_classes)."""
        if self.priors is not None:
            return np.broadcast_to(self.priors, counts.shape)
        return counts / counts.sum(axis=1, keepdims=True)


class ClassEnsemble(EnsembleFamily):
    """An ensemble of discriminant analyses.

    Attributes
    ----------
    fits : type
        Of `ClassFits`.
    """

    scaled = True
    group = 50  # blocks of products are made once for all of them
    fits = None

    def prepare(self, scaler, estimator, X, y, classes):
        numbers = plain_numbers(X, y, classes)
        if numbers is None or not plain_scaler(scaler):
            return None
        if not usable_priors(estimator.priors, len(classes[0])):
            return None
        if not self.fits_in(estimator, *numbers.shape, len(classes[0])):
            return None
        return self.fits(scaler, estimator, X, numbers, y, classes[0])

    def fits_in(self, estimator, n, p, n_classes):
        """Whether draws of such data are worth the while."""
        raise NotImplementedError
