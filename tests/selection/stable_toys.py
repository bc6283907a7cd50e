"""A clear problem for selectors, and a count of the fits that they make."""

import numpy as np
from sklearn.linear_model import Ridge

from genestimators.selection import _gather

CALLS = []


class OwnRidge(Ridge):
    """A ridge regression without a closed form, since its class is another one."""

    def fit(self, X, y, sample_weight=None):
        CALLS.append("fit")
        return super().fit(X, y, sample_weight)


def clear_problem(seed=0, n=100, p=10, n_signal=3, noise=0.5):
    """Independent columns, the first few of which matter."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X[:, :n_signal] @ np.linspace(2.0, 1.0, n_signal) + noise * rng.normal(size=n)
    return X, y


def count_engines(monkeypatch):
    """A list that grows by a name whenever an engine is called."""
    calls = []

    def counted(name, function):
        def call(*args, **kwargs):
            calls.append(name)
            return function(*args, **kwargs)

        return call

    for name in ("refit_evidence", "refit_null_scores", "_additive"):
        monkeypatch.setattr(_gather, name, counted(name, getattr(_gather, name)))
    for name in ("evidence", "null_scores"):
        method = getattr(_gather.LinearFits, name)
        monkeypatch.setattr(_gather.LinearFits, name, counted(name, method))
    return calls
