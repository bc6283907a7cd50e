"""Data and learners of known properties."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


def regression(n=60, p=3, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=p) + noise * rng.normal(size=n)


def classes(n=60, p=3, k=2, seed=0):
    X, y = regression(n, p, seed)
    return X, np.digitize(y, np.quantile(y, np.arange(1, k) / k))


class MeanOfTarget(RegressorMixin, BaseEstimator):
    """Predicts the mean of y: variance sigma^2 / m, bias^2 + noise sigma^2."""

    def fit(self, X, y, sample_weight=None):
        self.mean_ = np.average(y, axis=0, weights=sample_weight)
        return self

    def predict(self, X):
        return np.tile(self.mean_, (len(X),) + (1,) * np.ndim(self.mean_))
