"""Discriminant analysis: one eigendecomposition for all amounts of shrinkage.

Shrinking a covariance matrix towards a multiple of the identity moves its eigenvalues
and leaves its eigenvectors where they are. With both at hand, a further amount costs a
division.
"""

from copy import copy
from functools import partial
from numbers import Real

import numpy as np
from scipy import linalg, special
from sklearn.base import clone
from sklearn.covariance import shrunk_covariance
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.utils.validation import validate_data

from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, register_family

# Smallest over largest eigenvalue, below which a fit of its own is made.
SINGULAR = 1e-6


def shares():
    """Shares from 0.001 to 1: dense where little is shrunk, then evenly spaced."""
    return np.concatenate([[0.001, 0.003, 0.01, 0.025], np.arange(5, 101, 5) / 100])


def shrunk_eigenvalues(eigenvalues, shrinkage):
    """Eigenvalues of shrunk covariance matrices.

    Parameters
    ----------
    eigenvalues : ndarray of shape (p,)
        Of the matrix that is shrunk, not negative.
    shrinkage : ndarray of shape (n_values,)
        0 keeps the matrix, 1 makes all eigenvalues their mean.

    Returns
    -------
    ndarray of shape (n_values, p)
    """
    s = np.asarray(shrinkage, dtype=np.float64)[:, None]
    eigenvalues = np.maximum(eigenvalues, 0.0)
    return (1 - s) * eigenvalues + s * eigenvalues.mean()


def linear_scores(U, coef, offset):
    """``U @ coef.T + offset`` for several sets of coefficients.

    Parameters
    ----------
    U : ndarray of shape (n, p)
    coef : ndarray of shape (n_values, k, p)
    offset : ndarray of shape (n_values, k)

    Returns
    -------
    ndarray of shape (n_values, n, k)
    """
    n_values, k, p = coef.shape
    scores = U @ coef.reshape(-1, p).T
    return np.moveaxis(scores.reshape(len(U), n_values, k), 0, 1) + offset[:, None]


def _are_shares(values):
    return all(isinstance(value, Real) and 0 <= value <= 1 for value in values)


class LinearPath(Path):
    """Linear discriminant analysis with several amounts of shrinkage.

    Rows are measured from a centre among them, so that data far from the origin lose no
    digits. What this leaves out is the same for all classes.

    Parameters
    ----------
    model : LinearDiscriminantAnalysis
        Fitted without shrinkage.
    center : ndarray of shape (p,)
    coef : ndarray of shape (n_values, k, p)
        One row for each class; two classes have one row, their difference.
    offset : ndarray of shape (n_values, k)
    common_coef : ndarray of shape (n_values, 1, p)
        What is left out of `coef`.
    common_offset : ndarray of shape (n_values, 1)
        What is left out of `offset`.
    models : list of callable
        Each returns the fitted estimator, or None.
    """

    def __init__(self, model, center, coef, offset, common_coef, common_offset, models):
        self.fitted = model
        self.center = center
        self.coef = coef
        self.offset = offset
        self.common_coef = common_coef
        self.common_offset = common_offset
        self.models = models
        self.n_values = len(coef)
        self.classes_ = model.classes_

    def _from_center(self, X):
        X = validate_data(self.fitted, X, reset=False)  # refuses text, as members do
        return X.astype(np.float64, copy=False) - self.center

    def decision_function(self, X):
        U = self._from_center(X)
        scores = linear_scores(U, self.coef, self.offset)
        if len(self.classes_) == 2:
            return scores[:, :, 0]
        return scores + linear_scores(U, self.common_coef, self.common_offset)

    def predict(self, X):
        scores = linear_scores(self._from_center(X), self.coef, self.offset)
        if len(self.classes_) == 2:
            return self.classes_[(scores[:, :, 0] > 0).astype(int)]
        return self.classes_[scores.argmax(axis=2)]

    def predict_proba(self, X):
        scores = linear_scores(self._from_center(X), self.coef, self.offset)
        if len(self.classes_) == 2:
            second = special.expit(scores[:, :, 0])
            return np.stack([1 - second, second], axis=2)
        return special.softmax(scores, axis=2)

    def model(self, i):
        return self.models[i]()


class LinearShrinkage(Family):
    """`LinearDiscriminantAnalysis.shrinkage`."""

    estimator = LinearDiscriminantAnalysis
    param = "shrinkage"
    exactness = "exact"
    preferred = True
    scale = "linear"
    n_repeats = 10
    default_range = "0 to 1"
    limits = (0.0, 0.001, 1.0)

    def default_values(self, estimator, X, y, sample_weight):
        if estimator.solver == "eigen":  # it may fail without any shrinkage
            return shares()
        return np.concatenate([[0.0], shares()])

    def unsupported(self, estimator, X, y, sample_weight, values):
        if estimator.solver == "svd":
            return '`solver="svd"` takes no shrinkage; set "lsqr" or "eigen".'
        if estimator.covariance_estimator is not None:
            return "`covariance_estimator` excludes shrinkage."
        if not _are_shares(values):
            return "`shrinkage` has to be numbers from 0 to 1."
        if len(np.unique(y)) < 2:
            return "There is one class only."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        user = clone(estimator)
        estimator.set_params(solver="lsqr", shrinkage=None).fit(X, y)
        means = estimator.means_.astype(np.float64)
        center = means.mean(axis=0)
        moved = means - center
        with np.errstate(divide="ignore"):  # a prior may be zero
            log_prior = np.log(np.asarray(estimator.priors_, dtype=np.float64))
        eigenvalues, vectors = linalg.eigh(estimator.covariance_)
        shrunk = shrunk_eigenvalues(eigenvalues, values)
        parts, models = [], []
        for value, scale in zip(values, shrunk, strict=True):
            if scale.min() <= SINGULAR * scale.max():
                # Which directions count is a matter of rounding: as the solver has it.
                model = clone(user).set_params(shrinkage=value).fit(X, y)
                parts.append(_moved(model, center))
                models.append(partial(_itself, model))
                continue
            precision = (vectors / scale) @ vectors.T
            parts.append(_rule(precision, moved, center, log_prior))
            told = (estimator, value, means @ precision, means, log_prior)
            # With another solver it could not transform.
            known = user.solver == "lsqr"
            models.append(partial(_model, *told) if known else partial(_itself, None))
        arrays = [np.stack(arrays) for arrays in zip(*parts, strict=True)]
        return LinearPath(estimator, center, *arrays, models)


def _itself(model):
    return model


def _rule(precision, moved, center, log_prior):
    """Coefficients and offsets of `LinearPath` at one value.

    With means m = center + v and rows x = center + u, the score of a class is
    x'Am - m'Am / 2 + log prior = u'Av - v'Av / 2 + log prior + (u'Ac + c'Ac / 2),
    where the bracket is common to all classes.
    """
    coef = moved @ precision
    offset = -0.5 * (coef * moved).sum(axis=1) + log_prior
    common = center @ precision
    if len(moved) == 2:
        coef, offset = coef[1:] - coef[:1], offset[1:] - offset[:1]
    return coef, offset, common[None], np.array([0.5 * common @ center])


def _moved(model, center):
    """The rule of a fitted model, for rows measured from the centre."""
    coef = np.asarray(model.coef_, dtype=np.float64)
    offset = model.intercept_ + coef @ center
    return coef, offset, np.zeros((1, len(center))), np.zeros(1)


def _model(fitted, shrinkage, coef, means, log_prior):
    """The fitted estimator at one amount of shrinkage."""
    model = copy(fitted).set_params(shrinkage=shrinkage)
    intercept = -0.5 * (coef * means).sum(axis=1) + log_prior
    if len(means) == 2:
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    model.coef_, model.intercept_ = coef, intercept
    model.covariance_ = shrunk_covariance(fitted.covariance_, shrinkage)
    return model


class QuadraticPath(Path):
    """Quadratic discriminant analysis with several amounts of regularisation.

    Parameters
    ----------
    model : QuadraticDiscriminantAnalysis
        Fitted.
    scalings : list of ndarray of shape (n_values, rank)
        Variances along the axes of each class.
    values : sequence of float
    """

    def __init__(self, model, scalings, values):
        self.fitted = model
        self.scalings = scalings
        self.values = values
        self.n_values = len(values)
        self.classes_ = model.classes_

    def _log_posterior(self, X):
        model = self.fitted
        X = validate_data(model, X, reset=False)
        scores = []
        for mean, rotation, scaling in zip(
            model.means_, model.rotations_, self.scalings, strict=True
        ):
            square = ((X - mean) @ rotation) ** 2
            volume = np.log(scaling).sum(axis=1)
            scores.append(-0.5 * ((1 / scaling) @ square.T + volume[:, None]))
        with np.errstate(divide="ignore"):  # a prior may be zero
            return np.stack(scores, axis=2) + np.log(model.priors_)

    def decision_function(self, X):
        scores = self._log_posterior(X)
        return scores[:, :, 1] - scores[:, :, 0] if scores.shape[2] == 2 else scores

    def predict(self, X):
        return self.classes_[self._log_posterior(X).argmax(axis=2)]

    def predict_proba(self, X):
        return special.softmax(self._log_posterior(X), axis=2)

    def model(self, i):
        if self.fitted.store_covariance:
            return None
        model = copy(self.fitted).set_params(reg_param=self.values[i])
        model.scalings_ = [scaling[i] for scaling in self.scalings]
        return model


class QuadraticRegularization(Family):
    """`QuadraticDiscriminantAnalysis.reg_param`."""

    estimator = QuadraticDiscriminantAnalysis
    param = "reg_param"
    exactness = "exact"
    preferred = True
    scale = "linear"
    n_repeats = 10
    default_range = "0.001 to 1"
    limits = (0.0, 0.001, 1.0)

    def default_values(self, estimator, X, y, sample_weight):
        return shares()

    def unsupported(self, estimator, X, y, sample_weight, values):
        if getattr(estimator, "solver", "svd") != "svd":
            return 'Another solver than "svd" takes no notice of `reg_param`.'
        if not _are_shares(values):
            return "`reg_param` has to be numbers from 0 to 1."
        if estimator.tol >= 1:
            return "`tol` calls covariance matrices singular that are not."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        # The smallest value is fitted: if it can be, so can the others.
        smallest = min(values)
        estimator.set_params(reg_param=smallest).fit(X, y)
        r = np.asarray(values, dtype=np.float64)[:, None]
        scalings = []
        for scaling in estimator.scalings_:
            own = np.zeros_like(scaling)
            if smallest < 1:
                own = np.maximum((scaling - smallest) / (1 - smallest), 0.0)
            scalings.append((1 - r) * own + r)
        return QuadraticPath(estimator, scalings, values)


for _family in (LinearShrinkage, QuadraticRegularization):
    register_family(_family())
