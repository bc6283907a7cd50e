"""Quadratic discriminant analysis on many draws, from sums of products in each class.

Answers need a triangular factor of the covariance of each class only; its axes are
worked out for a member that is asked for as an estimator.
"""

from copy import copy

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.utils.validation import validate_data

from genestimators._compat import divides_by_rows
from genestimators.fitting._ensembles import register_ensemble
from genestimators.fitting.families._class_covariances import (
    MOST_COLUMNS,
    ClassEnsemble,
    ClassFits,
    correlations_of,
    pairs_of,
    whiteners,
)
from genestimators.fitting.families._class_sums import KEPT, StackedMembers
from genestimators.fitting.families._discriminant import SINGULAR, QuadraticPath
from genestimators.fitting.families.linear._linear import is_flag, is_number

_NEAR = 1e-6  # of a bound: so near, rounding decides
_MOST_NUMBERS = 2**25  # in the products of a group


class QuadraticMembers(StackedMembers, QuadraticPath):
    """Quadratic discriminant analysis on many draws.

    Parameters
    ----------
    fits : QuadraticFits
        What all members share.
    priors : ndarray of shape (n_values, n_classes)
    means : ndarray of shape (n_values, n_classes, p)
        From the shifts of the classes.
    whiteners : ndarray of shape (n_values, n_classes, p, p)
        Lower triangular: with them rows of a class, behind the scaler and from its
        mean, have variances of one and no correlations.
    scaling : Scaling
    fine : ndarray of shape (n_values,), bool
    """

    _by_value = ("priors", "means", "whiteners", "scaling", "fine")

    def __init__(self, fits, priors, means, whiteners, scaling, fine):
        self.steps, self.dtype = fits.steps, fits.dtype
        self.shifts, self.classes_ = fits.rows.shifts, fits.classes
        self.priors, self.means, self.whiteners = priors, means, whiteners
        self.scaling, self.fine = scaling, fine

    def _log_posterior(self, X):
        X = validate_data(self.steps.seen, X, reset=False)
        diagonal = np.diagonal(self.whiteners, axis1=2, axis2=3)
        level = np.log(self.priors) + np.log(diagonal).sum(axis=2)
        scores = np.empty((self.n_values, len(X), len(self.shifts)))
        for i, shift in enumerate(self.shifts):
            U = np.subtract(X, shift, dtype=np.float64)
            for b, whitener in enumerate(self.whiteners[:, i]):
                white = (whitener / self.scaling.scale[b]).T
                Z = U @ white
                Z -= self.means[b, i] @ white
                scores[b, :, i] = level[b, i] - 0.5 * np.einsum("ij,ij->i", Z, Z)
        return scores

    def model(self, i):
        own = self.scaling.take(i)
        model = copy(self.steps.last)
        model.classes_ = self.classes_
        means = (self.shifts - own.offset + self.means[i]) / own.scale
        model.means_ = means.astype(self.dtype)
        model.priors_ = self.priors[i].copy()
        model.scalings_, model.rotations_, covariances = [], [], []
        for whitener in self.whiteners[i]:
            # Singular values keep the digits that eigenvalues would lose.
            _, values, axes = np.linalg.svd(np.linalg.inv(whitener).T)
            scaling = np.square(values).astype(self.dtype)
            rotation = axes.T.astype(self.dtype)
            model.scalings_.append(scaling)
            model.rotations_.append(rotation)
            covariances.append(scaling * rotation @ rotation.T)
        if model.store_covariance:
            model.covariance_ = covariances
        return self.steps.fitted(model, own)


class QuadraticFits(ClassFits):
    """What all draws of quadratic discriminant analysis share."""

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        estimator = self.estimator
        counts, means, products, fine = self.moments(weights, pooled=False)
        p = means.shape[2]
        fine &= (counts > p).all(axis=1)
        covariance = products / counts[:, :, None, None]
        square = np.einsum("gkii->gki", covariance).copy()
        covariance -= pairs_of(means)
        variance = np.maximum(np.einsum("gkii->gki", covariance), 0.0)
        scaling, safe = self.scaling(counts, means, variance)
        fine &= safe
        if self.steps.scaler is not None:
            fine &= ((variance > 0) & (variance >= KEPT * square)).all(axis=(1, 2))
        covariance /= pairs_of(scaling.scale)[:, None]
        square /= np.square(scaling.scale)[:, None]
        r = estimator.reg_param
        covariance *= 1 - r
        np.einsum("gkii->gki", covariance)[...] += r
        variance = np.einsum("gkii->gki", covariance)
        kept = (variance > 0) & (variance >= KEPT * square)
        fine &= kept.all(axis=(1, 2))
        R, sigma = correlations_of(covariance)
        each = np.broadcast_to(fine[:, None], counts.shape)
        T, inverse_trace = whiteners(R, each)
        T /= sigma[:, :, None]
        fine &= (inverse_trace < 1 / SINGULAR).all(axis=1)
        fine &= self._full_rank(T, covariance, fine)
        T[~fine] = np.eye(p)
        return QuadraticMembers(self, self.shares(counts), means, T, scaling, fine)

    def _full_rank(self, T, covariance, fine):
        """Draws of which all variances along axes are above the tolerance."""
        bound = (1 + _NEAR) * self.estimator.tol
        full = bound * np.square(T).sum(axis=(2, 3)) < 1
        for place in np.argwhere(~full & fine[:, None]):  # it may be so even then
            least = np.linalg.eigvalsh(covariance[tuple(place)])[0]
            full[tuple(place)] = least > bound
        return full.all(axis=1)


class QuadraticEnsemble(ClassEnsemble):
    """`QuadraticDiscriminantAnalysis` on many draws."""

    estimator = QuadraticDiscriminantAnalysis
    fits = QuadraticFits

    def unsupported(self, estimator, X, y, draws):
        if not divides_by_rows(estimator):
            return "This version of scikit-learn has other covariances."
        if getattr(estimator, "solver", "svd") != "svd":
            return f"The solver {estimator.solver!r} takes no notice of `reg_param`."
        for name in ("shrinkage", "covariance_estimator"):
            if getattr(estimator, name, None) is not None:
                return f"`{name}` is refused by the solver."
        if not is_number(estimator.reg_param) or not 0 <= estimator.reg_param <= 1:
            return "`reg_param` has to be a number from 0 to 1."
        if not is_number(estimator.tol) or not 0 <= estimator.tol < np.inf:
            return "`tol` has to be a number from 0 on."
        if not is_flag(estimator.store_covariance):
            return "`store_covariance` has to be True or False."
        return None

    def fits_in(self, estimator, n, p, n_classes):
        most = self.group * n_classes * p**2
        return p <= MOST_COLUMNS and n > 2 * p * n_classes and most <= _MOST_NUMBERS


register_ensemble(QuadraticEnsemble())
