"""Tables and imputers for tests of the report."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


def table_of(seed=0, n_rows=120, n_columns=4, share=0.1, correlation=0.6):
    """Normal columns, equally correlated, some entries missing at random."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n_rows, 1)) * correlation**0.5
    X = common + rng.normal(size=(n_rows, n_columns)) * (1 - correlation) ** 0.5
    X[rng.uniform(size=X.shape) < share] = np.nan
    return X


class Returns(TransformerMixin, BaseEstimator):
    """An imputer that returns what a function makes of X filled with zeros."""

    def __init__(self, function=None):
        self.function = function

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.function(X)
