"""Made-up data and bags, ours and scikit-learn's, for the benchmarks of bags."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor

PAIRS = 5  # of alternating runs


def regression(n, p):
    """Normal columns and a target that half of them tell in part."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    coef = rng.standard_normal(p) * (np.arange(p) % 2)
    return X, X @ coef + rng.standard_normal(n)


def classes(n, p, k=2):
    """The same, the target cut into classes."""
    X, y = regression(n, p)
    return X, np.digitize(y, np.quantile(y, np.arange(1, k) / k))


def counts(n, p):
    """Counts whose logarithm of the mean is linear."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    return X, rng.poisson(np.exp(X @ rng.normal(0, 0.5 / np.sqrt(p), p))).astype(float)


def positive(n, p):
    """Positive numbers whose logarithm of the mean is linear."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    return X, rng.gamma(2.0, np.exp(X @ rng.normal(0, 0.5 / np.sqrt(p), p))) + 1e-3


def words(n, p):
    """Counts of words in two classes."""
    X, y = classes(n, p)
    rng = np.random.default_rng(1)
    return rng.poisson(np.exp(0.3 * X)).astype(float), y


def scaled(estimator):
    """The estimator behind a scaler."""
    return make_pipeline(StandardScaler(), estimator)


def bag_of(ours, estimator, n_members, seed, **settings):
    """A bag of ours or of scikit-learn's, not fitted."""
    regressor = is_regressor(estimator)
    if ours:
        kind = BootstrapBaggingRegressor if regressor else BootstrapBaggingClassifier
        settings = {"oob_score": False, **settings}
    else:
        kind = BaggingRegressor if regressor else BaggingClassifier
    return kind(estimator, n_estimators=n_members, random_state=seed, **settings)
