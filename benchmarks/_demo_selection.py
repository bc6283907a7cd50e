"""The third part of the demo: a selector as a step of a pipeline."""

import time

import numpy as np
from _tables import load, preprocessed
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from genestimators import StableFeatureSelector

# table, what is predicted, the estimator in words, the estimator, training rows
CASES = [
    ("diabetes", "disease progression", "ridge", Ridge(), 300),
    ("concrete", "strength", "ridge", Ridge(), 300),
    ("cells", "well segmented", "logistic", LogisticRegression(max_iter=1000), 300),
    ("ames", "house prices", "ridge", Ridge(), 1000),
]
N_NOISE = 40
HEADER = [
    "estimator, table",
    "columns",
    "kept",
    "noise kept",
    "test score, all",
    "test score, kept",
    "stability",
    "seconds",
]


def with_noise(X):
    """The same columns and forty of random numbers."""
    rng = np.random.default_rng(0)
    return np.hstack([np.asarray(X), rng.normal(size=(len(X), N_NOISE))])


def compare(name, what, words, estimator, n_train):
    """A row of the table: the pipeline with and without a selector."""
    table = load(name)
    X, X_test, y, y_test = train_test_split(
        table.X, table.y, train_size=min(n_train, len(table.y) // 2), random_state=0
    )
    prepare = preprocessed(table, "passthrough")[0]
    noise = FunctionTransformer(with_noise)
    every = make_pipeline(clone(prepare), noise, clone(estimator)).fit(X, y)
    selector = StableFeatureSelector(estimator, random_state=0)
    started = time.perf_counter()
    model = make_pipeline(prepare, noise, selector, clone(estimator)).fit(X, y)
    seconds = time.perf_counter() - started
    kept = model[2].get_support()
    return [
        f"{words}, {name} ({what})",
        str(len(kept)),
        str(int(kept.sum())),
        f"{int(kept[-N_NOISE:].sum())} of {N_NOISE}",
        f"{every.score(X_test, y_test):.3f}",
        f"**{model.score(X_test, y_test):.3f}**",
        f"{model[2].stability_:.2f}",
        f"{seconds:.2f}",
    ]
