"""Data for linear models with a penalty, and how they stand behind a scaler."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.fitting.families.against_refits import FOLDS


def regression(seed, n=60, p=5, n_targets=1):
    """Columns of different size and position; a linear target with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.1, 10, p) + rng.normal(size=p) * 5
    y = X @ rng.normal(size=(p, n_targets)) + rng.normal(size=(n, n_targets))
    return X, y[:, 0] if n_targets == 1 else y


def uneven(seed, n):
    """Weights over several orders of magnitude, some of them zero."""
    rng = np.random.default_rng(seed)
    return rng.gamma(0.5, size=n) * 10 * (rng.random(n) > 0.1)


def constant_columns(X):
    """Constant in all rows, in the training rows of one fold, nearly so; a spike."""
    n = len(X)
    test = next(FOLDS.split(X))[1]
    rare = np.zeros(n)
    rare[test[:3]] = 1.0
    near = 0.1 + 1e-17 * np.arange(n)
    spike = np.where(np.arange(n) == test[0], 1e8, X[:, 0])
    return [np.full(n, 0.1), np.full(n, 1e6), rare, near, spike]


def scaled(estimator, **settings):
    """The estimator behind a StandardScaler, and the name of its penalty there."""
    chain = make_pipeline(StandardScaler(**settings), estimator)
    return chain, f"{chain.steps[-1][0]}__alpha"
