"""The fifth part of the demo: a quarter of the values gone, filled in two ways."""

import time

import numpy as np
from _tables import load
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingRegressor,
    GaussianImputer,
)

# table, what is predicted, the estimator in words, the estimator
CASES = [
    ("concrete", "strength", "bag of trees", DecisionTreeRegressor(random_state=0)),
    ("diabetes", "disease progression", "ridge", Ridge()),
    ("cells", "well segmented", "logistic", LogisticRegression(max_iter=1000)),
    ("ames", "house prices", "ridge", Ridge()),
]
SHARE = 0.25
N_TRAIN = 600
HEADER = [
    "estimator, table",
    "columns",
    "test score, column means",
    "test score, GaussianImputer",
    "seconds of filling",
]


def compare(name, what, words, estimator):
    """A row of the table: numbers of which a quarter is masked, in all rows."""
    table = load(name)
    X = np.array(table.X[table.numbers], dtype=np.float64)
    X[np.random.default_rng(0).random(X.shape) < SHARE] = np.nan
    X, X_test, y, y_test = train_test_split(
        X, table.y, train_size=min(N_TRAIN, len(X) // 2), random_state=0
    )

    def model_of(imputer):
        model = make_pipeline(imputer, StandardScaler(), clone(estimator))
        if words.startswith("bag"):
            model = BootstrapBaggingRegressor(model, n_estimators=100, random_state=0)
        return model.fit(X, y)

    plain = model_of(SimpleImputer()).score(X_test, y_test)
    ours = model_of(GaussianImputer()).score(X_test, y_test)
    started = time.perf_counter()
    GaussianImputer().fit_transform(X)
    seconds = time.perf_counter() - started
    return [
        f"{words}, {name} ({what})",
        str(X.shape[1]),
        f"{plain:.3f}",
        f"**{ours:.3f}**",
        f"{seconds:.2f}",
    ]
