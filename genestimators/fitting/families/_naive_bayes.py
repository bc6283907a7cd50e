"""Naive Bayes: one count of the data for all amounts of smoothing.

Smoothing adds a constant to variances or to counts after they were taken, so one fit
holds what every amount needs.
"""

from copy import copy
from numbers import Real

import numpy as np
from scipy import special
from sklearn.base import clone
from sklearn.naive_bayes import (
    BernoulliNB,
    CategoricalNB,
    ComplementNB,
    GaussianNB,
    MultinomialNB,
)
from sklearn.preprocessing import binarize
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import validate_data

from genestimators._weights import fit_all
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, log_grid, register_family

SMALLEST = 1e-10  # a count smoothed by less is scikit-learn's to deal with


class BayesPath(Path):
    """Answers from joint log-likelihoods at several values."""

    def joint(self, X):
        """Joint log-likelihoods, (n_values, n_rows, n_classes)."""
        raise NotImplementedError

    def predict(self, X):
        return self.classes_[self.joint(X).argmax(axis=2)]

    def predict_proba(self, X):
        return special.softmax(self.joint(X), axis=2)


class ModelsPath(BayesPath):
    """Answers of models that have some of their attributes in common.

    Parameters
    ----------
    models : list of fitted estimators
        One for each value.
    """

    def __init__(self, models):
        self.models = models
        self.n_values = len(models)
        self.classes_ = models[0].classes_

    def model(self, i):
        return self.models[i]


class GaussianPath(ModelsPath):
    """Gaussian naive Bayes with several additions to the variances."""

    def joint(self, X):
        first = self.models[0]
        X = validate_data(first, X, reset=False)
        scores = []
        with np.errstate(divide="ignore"):  # a prior may be zero
            log_prior = np.log(first.class_prior_)
        for i, mean in enumerate(first.theta_):
            variance = np.stack([model.var_[i] for model in self.models])
            volume = np.log(2.0 * np.pi * variance).sum(axis=1)
            square = (1 / variance) @ ((X - mean) ** 2).T
            scores.append(log_prior[i] - 0.5 * (volume[:, None] + square))
        return np.stack(scores, axis=2)


class CountPath(ModelsPath):
    """Discrete naive Bayes with several additions to the counts: linear in X."""

    def joint(self, X):
        first = self.models[0]
        X = validate_data(first, X, accept_sparse="csr", reset=False)
        log_prob = np.stack([model.feature_log_prob_ for model in self.models])
        return count_joint(first, X, log_prob, first.class_log_prior_)


def count_joint(estimator, X, log_prob, log_prior):
    """Joint log-likelihoods of discrete naive Bayes.

    Parameters
    ----------
    estimator : estimator
        With its settings.
    X : ndarray or CSR matrix of shape (n_rows, p)
    log_prob : ndarray of shape (n_values, n_classes, p)
        The coefficients.
    log_prior : ndarray of shape (n_classes,) or (n_values, n_classes)

    Returns
    -------
    ndarray of shape (n_values, n_rows, n_classes)
    """
    n_values, n_classes, p = log_prob.shape
    offset = np.zeros((n_values, n_classes))
    if isinstance(estimator, BernoulliNB):
        if estimator.binarize is not None:
            X = binarize(X, threshold=estimator.binarize)
        absent = np.log1p(-np.exp(log_prob))
        offset = absent.sum(axis=2)
        log_prob = log_prob - absent
    if not isinstance(estimator, ComplementNB) or n_classes == 1:
        offset = offset + log_prior
    scores = safe_sparse_dot(X, log_prob.reshape(-1, p).T, dense_output=True)
    scores = scores.reshape(-1, n_values, n_classes)
    return np.moveaxis(scores, 0, 1) + offset[:, None]


def multinomial_log_prob(counts, alpha):
    """Logarithms of smoothed shares, from counts of shape (..., n_classes, p)."""
    smoothed = counts + alpha
    return np.log(smoothed) - np.log(smoothed.sum(axis=-1, keepdims=True))


def bernoulli_log_prob(counts, class_counts, alpha):
    """Logarithms of smoothed shares of rows that have a feature."""
    return np.log(counts + alpha) - np.log(class_counts + 2 * alpha)[..., None]


def complement_weights(counts, alpha, *, norm):
    """Weights from the counts of all other classes (Rennie et al., 2003)."""
    others = counts.sum(axis=-2, keepdims=True) + alpha - counts
    logged = np.log(others / others.sum(axis=-1, keepdims=True))
    return logged / logged.sum(axis=-1, keepdims=True) if norm else -logged


class GaussianSmoothing(Family):
    """`GaussianNB.var_smoothing`."""

    estimator = GaussianNB
    param = "var_smoothing"
    exactness = "exact"
    preferred = True
    n_repeats = 10
    default_range = "1e-9 to 1"

    def default_values(self, estimator, X, y, sample_weight):
        return log_grid(1e-9, 1.0, per_decade=2)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(isinstance(value, Real) and value >= 0 for value in values):
            return "`var_smoothing` has to be numbers from 0 on."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        # The smallest value is fitted: what it adds to the variances is taken off with
        # an error that is small beside what any value adds.
        smallest = min(values)
        estimator.set_params(var_smoothing=smallest)
        fit_all(estimator, X, y, sample_weight)
        variance = estimator.var_ - estimator.epsilon_
        if smallest > 0:
            largest = estimator.epsilon_ / smallest
        else:
            unit = clone(estimator).set_params(var_smoothing=1.0)
            largest = fit_all(unit, X, y, sample_weight).epsilon_
        models = []
        for value in values:
            model = copy(estimator).set_params(var_smoothing=value)
            model.epsilon_ = value * largest
            model.var_ = variance + model.epsilon_
            models.append(model)
        return GaussianPath(models)


class _CountSmoothing(Family):
    param = "alpha"
    exactness = "exact"
    preferred = True
    n_repeats = 10
    default_range = "0.001 to 100"

    def default_values(self, estimator, X, y, sample_weight):
        return log_grid(1e-3, 1e2)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(isinstance(value, Real) and value >= SMALLEST for value in values):
            return f"`alpha` has to be numbers from {SMALLEST} on."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        fit_all(estimator.set_params(alpha=values[0]), X, y, sample_weight)
        models = []
        for value in values:
            model = copy(estimator).set_params(alpha=value)
            model.feature_log_prob_ = self.log_prob(estimator, value)
            models.append(model)
        return CountPath(models)

    def log_prob(self, model, alpha):
        """The coefficients at a value."""
        raise NotImplementedError


class MultinomialSmoothing(_CountSmoothing):
    """`MultinomialNB.alpha`."""

    estimator = MultinomialNB

    def log_prob(self, model, alpha):
        return multinomial_log_prob(model.feature_count_, alpha)


class BernoulliSmoothing(_CountSmoothing):
    """`BernoulliNB.alpha`."""

    estimator = BernoulliNB

    def log_prob(self, model, alpha):
        return bernoulli_log_prob(model.feature_count_, model.class_count_, alpha)


class ComplementSmoothing(_CountSmoothing):
    """`ComplementNB.alpha`."""

    estimator = ComplementNB

    def log_prob(self, model, alpha):
        return complement_weights(model.feature_count_, alpha, norm=model.norm)


class CategoricalSmoothing(Family):
    """`CategoricalNB.alpha`; every value is fitted by itself."""

    estimator = CategoricalNB
    param = "alpha"
    preferred = True
    n_repeats = 5
    default_range = "0.001 to 100"

    def default_values(self, estimator, X, y, sample_weight):
        return log_grid(1e-3, 1e2)


for _family in (
    GaussianSmoothing,
    MultinomialSmoothing,
    BernoulliSmoothing,
    ComplementSmoothing,
    CategoricalSmoothing,
):
    register_family(_family())
