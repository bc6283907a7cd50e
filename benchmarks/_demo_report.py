"""The fourth part of the demo: what a report says beforehand, and what comes of it."""

import time

import numpy as np
from _designs import bag_of_halves, report_loss
from _tables import load, preprocessed
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    generalization_report,
)

# table, what is predicted, the estimator in words, the estimator
CASES = [
    ("concrete", "strength", "full tree", DecisionTreeRegressor(random_state=0)),
    ("breast_cancer", "benign or not", "1 neighbour", KNeighborsClassifier(1)),
    ("diabetes", "disease progression", "heavy ridge", Ridge(1e4)),
]
N_TRAIN = 300
HEADER = [
    "estimator, table",
    "expected loss",
    "on new rows",
    "first remedy",
    "gain told",
    "gain on new rows",
    "fits",
    "seconds",
]


def remedied(estimator, statement):
    """The estimator with a remedy."""
    if statement.kind == "penalty":
        return AutoRegularizedCV(clone(estimator), random_state=0)
    return bag_of_halves(estimator, 0)


def compare(name, what, words, estimator):
    """A row of the table: told from 300 rows, tried on the others."""
    table = load(name)
    X, X_test, y, y_test = train_test_split(
        table.X, table.y, train_size=N_TRAIN, random_state=0
    )
    prepare = preprocessed(table, StandardScaler())[0]
    X = np.asarray(prepare.fit_transform(X))
    X_test = np.asarray(prepare.transform(X_test))
    y, y_test = np.asarray(y), np.asarray(y_test)
    started = time.perf_counter()
    report = generalization_report(estimator, X, y, random_state=0)
    seconds = time.perf_counter() - started
    own = report_loss(clone(estimator).fit(X, y), X_test, y_test)
    first = report.first_remedy
    told = real = "-"
    if first is not None and first.kind in ("averaging", "penalty"):
        new = report_loss(remedied(estimator, first).fit(X, y), X_test, y_test)
        low, high = first.interval
        told = f"{first.predicted_gain:.3g} ({low:.3g} to {high:.3g})"
        real = f"**{own - new:.3g}**"
    low, high = report.loss_interval
    return [
        f"{words}, {name} ({what})",
        f"{report.loss:.3g} ({low:.3g} to {high:.3g})",
        f"**{own:.3g}**",
        "none" if first is None else first.piece or first.kind,
        told,
        real,
        str(report.n_fits),
        f"{seconds:.1f}",
    ]
