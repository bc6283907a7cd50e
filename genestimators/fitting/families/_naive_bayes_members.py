"""Naive Bayes on many draws: one product of the weights with the rows of each class.

A fit knows its rows by sums over each class only, and these are linear in the weights.
"""

from copy import copy

import numpy as np
from scipy import sparse
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.preprocessing import binarize
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from genestimators._compat import naive_bayes_keeps_single
from genestimators.fitting._ensembles import (
    EnsembleFamily,
    register_ensemble,
)
from genestimators.fitting.families._class_sums import (
    KEPT,
    ClassRows,
    StackedMembers,
    Steps,
    class_order,
    plain_numbers,
    spread,
    usable_priors,
)
from genestimators.fitting.families._naive_bayes import (
    SMALLEST,
    BayesPath,
    bernoulli_log_prob,
    complement_weights,
    count_joint,
    multinomial_log_prob,
)
from genestimators.fitting.families._scaling import plain_scaler
from genestimators.fitting.families.linear._linear import is_flag, is_number

_LEAST = 1e-6  # the weight of a class, below which it may count as none


class GaussianMembers(StackedMembers, BayesPath):
    """Gaussian naive Bayes on many draws.

    Parameters
    ----------
    fits : GaussianFits
        What all members share.
    counts, prior : ndarray of shape (n_values, n_classes)
    means : ndarray of shape (n_values, n_classes, p)
        From the shifts of the classes.
    variances : ndarray of shape (n_values, n_classes, p)
        Smoothed, of the columns of X before any scaler.
    added : ndarray of shape (n_values,)
        What was added to variances after the scaler.
    scaling : Scaling
    fine : ndarray of shape (n_values,), bool
    """

    _by_value = (
        "counts",
        "prior",
        "means",
        "variances",
        "added",
        "scaling",
        "fine",
    )

    def __init__(self, fits, counts, prior, means, variances, added, scaling, fine):
        self.steps, self.seen = fits.steps, fits.steps.seen
        self.shifts, self.dtype = fits.shifts, fits.dtype
        self.classes_ = fits.classes
        self.counts, self.prior = counts, prior
        self.means, self.variances = means, variances
        self.added, self.scaling, self.fine = added, scaling, fine

    def joint(self, X):
        X = validate_data(self.seen, X, reset=False)
        # Of the columns behind a scaler.
        volume = np.log(2.0 * np.pi * self.variances).sum(axis=2)
        volume -= 2.0 * np.log(self.scaling.scale).sum(axis=1)[:, None]
        log_prior = np.log(self.prior)
        scores = []
        for i, shift in enumerate(self.shifts):
            U = np.subtract(X, shift, dtype=np.float64)
            own = self.means[:, i]
            precision = 1.0 / self.variances[:, i]
            pull = precision * own
            square = precision @ np.square(U).T
            square -= 2.0 * (pull @ U.T)
            square += (pull * own).sum(axis=1)[:, None]
            level = log_prior[:, i] - 0.5 * volume[:, i]
            scores.append(level[:, None] - 0.5 * square)
        return np.stack(scores, axis=2)

    def model(self, i):
        own = self.scaling.take(i)
        model = copy(self.steps.last)
        model.classes_ = self.classes_
        theta = (self.shifts - own.offset + self.means[i]) / own.scale
        model.theta_ = theta.astype(self.dtype)
        model.var_ = (self.variances[i] / own.scale**2).astype(self.dtype)
        model.epsilon_ = self.added[i].astype(self.dtype)
        model.class_count_ = self.counts[i].astype(self.dtype)
        model.class_prior_ = self.prior[i].astype(self.dtype)
        return self.steps.fitted(model, own)


class GaussianFits:
    """What all draws of Gaussian naive Bayes share.

    Parameters
    ----------
    scaler : StandardScaler or None
    estimator : GaussianNB
    X : container of n rows
    numbers : ndarray of shape (n, p)
        The same as numbers.
    y : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,)
    """

    def __init__(self, scaler, estimator, X, numbers, y, classes):
        self.rows = ClassRows(numbers, y, classes)
        self.steps = Steps(scaler, estimator, X)
        self.shifts, self.classes = self.rows.shifts, classes
        self.dtype = numbers.dtype if naive_bayes_keeps_single() else np.float64
        self.smoothing = float(estimator.var_smoothing)
        self.prior = None
        if estimator.priors is not None:
            self.prior = np.asarray(estimator.priors, dtype=np.float64)

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        n_draws = len(weights)
        own = self.rows.sorted(weights)
        # What is added goes by the variances of the rows in the bag, each once.
        stacked = np.concatenate([own, own > 0])
        counts = self.rows.counts(stacked)
        there = (counts[:n_draws] > _LEAST).all(axis=1)
        counts = np.where(counts > 0, counts, 1.0)
        sums, squares = self.rows.sums(stacked)
        means, squares = (part / counts[:, :, None] for part in (sums, squares))
        mean, variance, square = spread(counts, means, squares, self.shifts)
        total = counts[:n_draws].sum(axis=1)
        scaling, fine = self.steps.scaling(mean[:n_draws], variance[:n_draws], total)
        divisor = np.square(scaling.scale)
        largest = (variance[n_draws:] / divisor).max(axis=1)
        fine &= largest >= KEPT * (square[n_draws:] / divisor).max(axis=1)
        if self.steps.scaler is not None:
            fine &= (variance >= KEPT * square)[:n_draws].all(axis=1)
        added = self.smoothing * largest
        means, squares = means[:n_draws], squares[:n_draws]
        variances = np.maximum(squares - np.square(means), 0.0)
        variances += (added[:, None] * divisor)[:, None]
        kept = (variances > 0) & (variances >= KEPT * squares)
        fine &= there & kept.all(axis=(1, 2))
        variances[~fine] = 1.0
        counts = counts[:n_draws]
        prior = counts / total[:, None]
        if self.prior is not None:
            prior = np.broadcast_to(self.prior, prior.shape)
        return GaussianMembers(
            self, counts, prior, means, variances, added, scaling, fine
        )


class GaussianEnsemble(EnsembleFamily):
    """`GaussianNB` on many draws."""

    estimator = GaussianNB
    scaled = True
    group = 50

    def unsupported(self, estimator, X, y, draws):
        smoothing = estimator.var_smoothing
        if not is_number(smoothing) or not 0 <= smoothing < np.inf:
            return "`var_smoothing` has to be a number from 0 on."
        if sparse.issparse(X):
            return "Sparse X is refused by the estimator."
        return None

    def prepare(self, scaler, estimator, X, y, classes):
        numbers = plain_numbers(X, y, classes)
        if numbers is None or not plain_scaler(scaler):
            return None
        if not usable_priors(estimator.priors, len(classes[0])):
            return None
        return GaussianFits(scaler, estimator, X, numbers, y, classes[0])


class CountMembers(StackedMembers, BayesPath):
    """Discrete naive Bayes on many draws.

    Parameters
    ----------
    fits : CountFits
        What all members share.
    class_counts : ndarray of shape (n_values, n_classes)
    counts : ndarray of shape (n_values, n_classes, p)
    log_prob : ndarray of shape (n_values, n_classes, p)
    log_prior : ndarray of shape (n_values, n_classes)
    fine : ndarray of shape (n_values,), bool
    """

    _by_value = ("class_counts", "counts", "log_prob", "log_prior", "fine")

    def __init__(self, fits, class_counts, counts, log_prob, log_prior, fine):
        self.seen, self.classes_ = fits.seen, fits.classes
        self.class_counts, self.counts = class_counts, counts
        self.log_prob, self.log_prior = log_prob, log_prior
        self.fine = fine

    def joint(self, X):
        X = validate_data(self.seen, X, accept_sparse="csr", reset=False)
        return count_joint(self.seen, X, self.log_prob, self.log_prior)

    def model(self, i):
        model = copy(self.seen)
        model.classes_ = self.classes_
        # Copies: `partial_fit` writes into what it finds.
        model.class_count_ = self.class_counts[i].copy()
        model.feature_count_ = self.counts[i].copy()
        model.feature_log_prob_ = self.log_prob[i].copy()
        model.class_log_prior_ = self.log_prior[i].copy()
        if isinstance(model, ComplementNB):
            model.feature_all_ = self.counts[i].sum(axis=0)
        return model


class CountFits:
    """What all draws of discrete naive Bayes share.

    Parameters
    ----------
    seen : estimator
        Unfitted but for the number and names of its columns.
    X : ndarray or CSR matrix of shape (n, p)
        The counts.
    y : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,)
    log_prob : callable
        `log_prob(estimator, counts, class_counts)` gives the coefficients.
    """

    def __init__(self, seen, X, y, classes, log_prob):
        self.seen, self.classes, self.log_prob = seen, classes, log_prob
        self.order, self.parts = class_order(y, classes)
        # Its transpose is what is multiplied.
        self.rows = [X[self.order[part]].T for part in self.parts]

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        own = np.take(weights, self.order, axis=1).astype(np.float64)
        own = [np.ascontiguousarray(own[:, part].T) for part in self.parts]
        class_counts = np.stack([part.sum(axis=0) for part in own], axis=1)
        counts = np.stack(
            [(rows @ part).T for rows, part in zip(self.rows, own, strict=True)],
            axis=1,
        )
        fine = (class_counts > 0).all(axis=1)
        known = np.where(class_counts > 0, class_counts, 1.0)
        if self.seen.class_prior is not None:
            log_prior = np.log(self.seen.class_prior)
        elif self.seen.fit_prior:
            log_prior = np.log(known) - np.log(known.sum(axis=1, keepdims=True))
        else:
            log_prior = np.full(len(self.classes), -np.log(len(self.classes)))
        log_prior = np.broadcast_to(log_prior, known.shape)
        log_prob = self.log_prob(self.seen, counts, known)
        return CountMembers(self, class_counts, counts, log_prob, log_prior, fine)


class _CountEnsemble(EnsembleFamily):
    group = 50
    highest = np.inf  # what a count may be

    def unsupported(self, estimator, X, y, draws):
        if not is_number(estimator.alpha) or not SMALLEST <= estimator.alpha < np.inf:
            return f"`alpha` has to be a number from {SMALLEST} on."
        if not is_flag(estimator.fit_prior):
            return "`fit_prior` has to be True or False."
        return None

    def prepare(self, scaler, estimator, X, y, classes):
        if np.ndim(y) != 1 or len(classes) != 1 or len(classes[0]) < 2:
            return None
        if not usable_priors(estimator.class_prior, len(classes[0])):
            return None
        seen = estimator
        validate_data(seen, X, skip_check_array=True)
        counts = self.counts(seen, check_array(X, accept_sparse="csr"))
        counts = counts.astype(np.float64)
        held = counts.data if sparse.issparse(counts) else counts
        if held.size and not (held.min() >= 0 and held.max() <= self.highest):
            return None
        return CountFits(seen, counts, y, classes[0], self.log_prob)

    def counts(self, estimator, X):
        """X as it is counted."""
        return X

    def log_prob(self, estimator, counts, class_counts):
        """The coefficients, for stacks of counts."""
        raise NotImplementedError


class MultinomialEnsemble(_CountEnsemble):
    """`MultinomialNB` on many draws."""

    estimator = MultinomialNB

    def log_prob(self, estimator, counts, class_counts):
        return multinomial_log_prob(counts, estimator.alpha)


class BernoulliEnsemble(_CountEnsemble):
    """`BernoulliNB` on many draws."""

    estimator = BernoulliNB
    highest = 1

    def unsupported(self, estimator, X, y, draws):
        threshold = estimator.binarize
        if threshold is not None and not (is_number(threshold) and threshold >= 0):
            return "`binarize` has to be None or a number from 0 on."
        return super().unsupported(estimator, X, y, draws)

    def counts(self, estimator, X):
        if estimator.binarize is None:
            return X
        return binarize(X, threshold=estimator.binarize)

    def log_prob(self, estimator, counts, class_counts):
        return bernoulli_log_prob(counts, class_counts, estimator.alpha)


class ComplementEnsemble(_CountEnsemble):
    """`ComplementNB` on many draws."""

    estimator = ComplementNB

    def unsupported(self, estimator, X, y, draws):
        if not is_flag(estimator.norm):
            return "`norm` has to be True or False."
        if estimator.norm and np.shape(X)[1:] == (1,):
            return "The weight of a single column is no number."
        return super().unsupported(estimator, X, y, draws)

    def log_prob(self, estimator, counts, class_counts):
        return complement_weights(counts, estimator.alpha, norm=estimator.norm)


for _family in (
    GaussianEnsemble,
    MultinomialEnsemble,
    BernoulliEnsemble,
    ComplementEnsemble,
):
    register_ensemble(_family())
