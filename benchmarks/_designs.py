"""Data whose truth is known, and what is lost on them, for several scripts."""

import numpy as np
from sklearn.base import clone, is_classifier

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor


def friedman(n, rng, n_columns=8):
    """Friedman (1991), columns of which five matter; noise variance 2.25.

    Returns
    -------
    X : ndarray of shape (n, n_columns)
    mean, y : ndarray of shape (n,)
    """
    X = rng.uniform(size=(n, n_columns))
    mean = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    mean += 10 * X[:, 3] + 5 * X[:, 4]
    return X, mean, mean + 1.5 * rng.standard_normal(n)


def curved_border(n, rng, n_columns=6):
    """A curved border between two classes; labels are wrong at random near it.

    Returns
    -------
    X : ndarray of shape (n, n_columns)
    p : ndarray of shape (n,)
        Probability of class 1.
    y : ndarray of shape (n,)
    """
    X = rng.standard_normal((n, n_columns))
    odds = 2 * X[:, 0] + 1.5 * (X[:, 1] ** 2 - 1) + X[:, 2] * X[:, 3]
    p = 1 / (1 + np.exp(-odds))
    return X, p, (rng.random(n) < p).astype(int)


def report_loss(model, X, y):
    """What a report is about by default: squared error, or the Brier score."""
    if is_classifier(model):
        return np.mean((model.predict_proba(X)[:, 1] - (y == model.classes_[1])) ** 2)
    return np.mean((model.predict(X) - y) ** 2)


def bag_of_halves(estimator, random_state):
    """Fifty of an estimator, each on a half of the rows, as a report recommends."""
    bag = BootstrapBaggingRegressor
    if is_classifier(estimator):
        bag = BootstrapBaggingClassifier
    return bag(
        clone(estimator),
        n_estimators=50,
        resampling="subsample",
        random_state=random_state,
    )
