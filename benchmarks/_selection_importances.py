"""Rows of tables on importances: time and agreement, ours beside peers."""

import time

import numpy as np
from _report import median_and_range
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.selection.importances._conditional import conditional_importance
from genestimators.selection.importances._permutation import out_of_sample_importance
from genestimators.selection.importances._tree_bag_importance import tree_bag_importance

HEADER = ["importance", "ours (s)", "peer", "peer (s)", "ratio", "target", "agreement"]


def neighbours(n, p, seed=0):
    """Correlated neighbours, ten of which matter; as many rows again to fit on."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * n, p))
    for column in range(1, p):
        X[:, column] = 0.5 * X[:, column - 1] + np.sqrt(0.75) * X[:, column]
    y = X[:, : 5 * 10 : 5].sum(axis=1) + 2 * rng.normal(size=2 * n)
    return X[:n], y[:n], X[n:], y[n:]


def conditional_row(n=500, p=200, repeats=3):
    """All conditional importances of a linear model, against hidimstat's CFI.

    The peer has its own settings: RidgeCV for each feature, 50 permutations.
    """
    try:
        from hidimstat import CFI
    except ImportError as exc:
        raise ImportError(
            "This row needs hidimstat; get it by `pip install hidimstat packaging`."
        ) from exc
    X_fit, y_fit, X, y = neighbours(n, p)
    model = make_pipeline(StandardScaler(), RidgeCV()).fit(X_fit, y_fit)

    def ours():
        return conditional_importance(
            model, X, y, scoring="neg_mean_squared_error"
        ).importances_mean

    def theirs():
        return CFI(model, random_state=0).fit_importance(X, y)

    return _row(
        f"conditional, linear, {n} x {p}", ours, theirs, "hidimstat CFI", ">= 500",
        repeats,
    )  # fmt: skip


def marginal_row(n=500, p=200, repeats=3, n_repeats=30):
    """Permutation importance of a linear model: all permutations against 30."""
    X_fit, y_fit, X, y = neighbours(n, p)
    model = make_pipeline(StandardScaler(), RidgeCV()).fit(X_fit, y_fit)

    def ours():
        return out_of_sample_importance(model, X, y)

    def theirs():
        return permutation_importance(
            model, X, y, n_repeats=n_repeats, random_state=0
        ).importances_mean

    return _row(
        f"permutation, linear, {n} x {p}", ours, theirs,
        f"permutation_importance, {n_repeats} repeats", "-", repeats,
    )  # fmt: skip


def tree_bag_row(n=500, p=200, max_depth=5, repeats=3, n_estimators=100):
    """Importances in a forest on out-of-bag rows, against those of the forest.

    Equal repeats; the two measure different things, so only ranks can agree.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    y = X[:, :5].sum(axis=1) + X[:, 0] * X[:, 1] + rng.normal(size=n)
    forest = RandomForestRegressor(n_estimators, max_depth=max_depth, random_state=0)
    forest.fit(X, y)

    def ours():
        return tree_bag_importance(forest, X, y, n_repeats=5).mean(axis=0)

    def theirs():
        return permutation_importance(
            forest, X, y, n_repeats=5, random_state=0
        ).importances_mean

    depth = "full depth" if max_depth is None else f"depth {max_depth}"
    return _row(
        f"forest of {n_estimators}, {depth}, {n} x {p}", ours, theirs,
        "permutation_importance, 5 repeats", ">= 10" if max_depth else "-", repeats,
    )  # fmt: skip


def importance_rows(quick=False):
    """All rows; a quick run is small."""
    if quick:
        return [
            conditional_row(60, 10, 1),
            marginal_row(60, 10, 1, 3),
            tree_bag_row(60, 10, 3, 1, 5),
        ]
    return [
        conditional_row(),
        marginal_row(),
        tree_bag_row(),
        tree_bag_row(max_depth=None),
    ]


def _row(name, ours, theirs, peer, target, repeats):
    own, other, ratios = [], [], []
    ours()  # imports and first-call costs are no part of either
    for _ in range(repeats):
        a, found = _seconds(ours)
        b, wanted = _seconds(theirs)
        own.append(a)
        other.append(b)
        ratios.append(b / a)
    return [
        name,
        f"{np.median(own):.4f}",
        peer,
        f"{np.median(other):.2f}",
        median_and_range(ratios, 0),
        target,
        f"correlation {np.corrcoef(found, wanted)[0, 1]:.4f}",
    ]


def _seconds(call):
    """Processor time of a call; short ones are repeated for at least 0.2 s."""
    start, n_calls = time.process_time(), 0
    while True:
        result = call()
        n_calls += 1
        taken = time.process_time() - start
        if taken > 0.2:
            return taken / n_calls, result


if __name__ == "__main__":
    import sys

    from _report import markdown_table

    print(markdown_table(HEADER, importance_rows("--quick" in sys.argv)))
