"""Estimators that learn in batches and remember what they were given."""

from collections import Counter

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from genestimators import Bootstrap

BY_POSITION = Bootstrap(key="position", stratify=False)


def in_batches(bag, X, y, sizes, classes=None, sample_weight=None):
    """The bag after a stream of the rows, in batches of these sizes, over and over."""
    start, turn, n_rows = 0, 0, len(y)
    while start < n_rows:
        rows = slice(start, start + sizes[turn % len(sizes)])
        given = {} if classes is None else {"classes": classes}
        if sample_weight is not None:
            given["sample_weight"] = sample_weight[rows]
        bag.partial_fit(X[rows], y[rows], **given)
        start, turn = rows.stop, turn + 1
    return bag


class _Counts(BaseEstimator):
    def _count(self, X, y, weight):
        if not hasattr(self, "seen_"):
            self.seen_, self.total_, self.sum_ = Counter(), 0.0, 0.0
            self.n_calls_ = 0
        for row, times in zip(X[:, 0].tolist(), weight.tolist(), strict=True):
            self.seen_[row] += times
        self.total_ += weight.sum()
        self.sum_ += weight @ y
        self.n_calls_ += 1
        return self


class CountsWeights(RegressorMixin, _Counts):
    """Takes weights; knows the weight of each value of the first column, and the mean.

    With integers for y the sums are exact, so it minds neither order nor batches.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        vars(self).pop("seen_", None)
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        return self._count(X, y, weight)

    def predict(self, X):
        return np.full(len(X), self.sum_ / self.total_)


class CountsRows(RegressorMixin, _Counts):
    """The same without weights."""

    def fit(self, X, y):
        vars(self).pop("seen_", None)
        return self.partial_fit(X, y)

    def partial_fit(self, X, y):
        return self._count(X, y, np.ones(len(y)))

    def predict(self, X):
        return np.full(len(X), self.sum_ / self.total_)


class Fails(CountsWeights):
    """Refuses to learn a row whose first column is negative."""

    def partial_fit(self, X, y, sample_weight=None):
        self._count(X, y, np.ones(len(y)))  # has learned half of it when it fails
        if (X[:, 0] < 0).any():
            raise RuntimeError("a negative row")
        return self


class Shares(ClassifierMixin, BaseEstimator):
    """Knows the shares of the classes it was told; wants to be told them once."""

    def fit(self, X, y, sample_weight=None):
        vars(self).pop("classes_", None)
        return self.partial_fit(X, y, np.unique(y), sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        if not hasattr(self, "classes_"):
            if classes is None:
                raise ValueError("classes are missing")
            self.classes_ = np.asarray(classes)
            self.counts_ = np.zeros(len(classes))
        elif classes is not None:
            raise ValueError("classes are known already")
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        np.add.at(self.counts_, np.searchsorted(self.classes_, y), weight)
        return self

    def predict_proba(self, X):
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        return np.tile(self.counts_ / self.counts_.sum(), (n_rows, 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
