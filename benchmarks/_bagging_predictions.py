"""Times to predict, and sizes, of bags of a hundred members, as rows of tables."""

import pickle
import time

import numpy as np
from _bagging_cases import PAIRS, bag_of, classes, regression
from _report import median_and_range, verdict
from sklearn.base import is_regressor
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


def repeated(function, X, least=0.2):
    """Processor time of a call, from as many as fill a fifth of a second."""
    n, took = 1, 0.0
    while True:
        started = time.process_time()
        for _ in range(n):
            function(X)
        took = time.process_time() - started
        if took >= least:
            return took / n
        n = max(2 * n, int(1.2 * least / max(took / n, 1e-7)))


def predictions(quick):
    """Text, target, estimator, data, method, rows to predict."""
    many, p = (2000 if quick else 20_000), 50
    tree = DecisionTreeRegressor(max_depth=3)
    pruned = DecisionTreeRegressor(ccp_alpha=0.05)
    for estimator in (LinearRegression(), Ridge()):
        yield f"{estimator}, {many} x {p}", 500, estimator, regression, p, many
        yield f"{estimator}, one row", 100, estimator, regression, p, 1
    yield (
        f"hard vote of RidgeClassifier, {many} x {p}",
        30,
        RidgeClassifier(),
        classes,
        p,
        many,
    )
    yield (
        "hard vote of RidgeClassifier, one row",
        None,
        RidgeClassifier(),
        classes,
        p,
        1,
    )
    logistic = LogisticRegression(max_iter=1000)
    yield f"LogisticRegression, {many} x {p}", None, logistic, classes, p, many
    yield "LogisticRegression, one row", None, logistic, classes, p, 1
    yield f"trees of depth 3, {many} x 20", 1.5, tree, regression, 20, many
    yield "trees of depth 3, 2000 x 20", 1.5, tree, regression, 20, 2000
    yield (
        "classification trees of depth 3, 2000 x 20", 1.5,
        DecisionTreeClassifier(max_depth=3), classes, 20, 2000,
    )  # fmt: skip
    yield "pruned trees, one row", 2, pruned, regression, 20, 1
    yield "trees of depth 3, one row", 2, tree, regression, 20, 1
    yield "whole trees, 2000 x 20", None, DecisionTreeRegressor(), regression, 20, 2000


def prediction_rows(quick):
    """Times to predict with a hundred members."""
    rows = []
    for text, target, estimator, data, p, n_new in predictions(quick):
        X, y = data(2000, p)
        new = data(max(n_new, 2), p)[0][:n_new]
        vote = {"aggregate": "vote"} if text.startswith("hard vote") else {}
        ours = bag_of(True, estimator, 100, 0, **vote).fit(X, y)
        peer = bag_of(False, estimator, 100, 0).fit(X, y)
        difference = ""
        if is_regressor(estimator):
            slow = np.mean([one.predict(new) for one in ours.estimators_], axis=0)
            scale = np.abs(slow).max()
            difference = f"{np.abs(ours.predict(new) - slow).max() / scale:.0e}"
        times = []
        for pair in range(2 if quick else PAIRS):
            both = [None, None]
            for own in (True, False) if pair % 2 else (False, True):
                bag = ours if own else peer
                both[not own] = repeated(bag.predict, new)
            times.append(both)
        times = np.array(times)
        ratio = times[:, 1] / times[:, 0]
        rows.append(
            [
                text,
                "-" if target is None else f"{target:g}",
                *(f"{1e3 * t:.3g}" for t in np.median(times, axis=0)),
                median_and_range(ratio, 1),
                difference,
                "-" if target is None else verdict(np.median(ratio) >= target),
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows


def pickle_rows(quick):
    """Bytes of pickled bags of a hundred members."""
    rows = []
    for text, estimator, p in (
        ("Ridge, 50 columns", Ridge(), 50),
        ("LinearRegression, 50 columns", LinearRegression(), 50),
        ("trees of depth 3, 20 columns", DecisionTreeRegressor(max_depth=3), 20),
    ):
        X, y = regression(2000 if quick else 20_000, p)
        ours = bag_of(True, estimator, 100, 0).fit(X, y)
        peer = bag_of(False, estimator, 100, 0).fit(X, y)
        sizes = [len(pickle.dumps(one)) for one in (ours, ours.compact(), peer)]
        rows.append(
            [
                f"{text}, {len(X)} rows",
                *(f"{size:,}" for size in sizes),
                f"{sizes[2] / sizes[0]:.1f}",
                f"{sizes[2] / sizes[1]:.0f}",
            ]
        )
    return rows
