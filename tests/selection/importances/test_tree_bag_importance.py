"""Importance in bags of trees, against copies of rows given to each tree."""

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
)
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from genestimators.selection.importances._replaced_columns import donors_of
from genestimators.selection.importances._tree_bag_importance import tree_bag_importance

LABELS = np.array([0, 1, 2, 1, 3, 3])
FEW = {"n_estimators": 4, "random_state": 0}


def data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6)).round(1)  # ties
    return X, X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n)


def slow_importance(bag, X, y, loss, labels, n_repeats, seed, weight=None):
    """Every unit of every tree, in copies of its out-of-bag rows."""
    features = getattr(bag, "estimators_features_", None)
    found = []
    for number, tree in enumerate(bag.estimators_):
        outside = np.setdiff1d(np.arange(len(X)), bag.estimators_samples_[number])
        columns = np.arange(X.shape[1]) if features is None else features[number]
        split = np.unique(tree.tree_.feature[tree.tree_.feature >= 0])
        units = np.unique(labels[columns[split]])
        own = None if weight is None else weight[outside]
        rng = np.random.default_rng([seed, number])
        share = None if weight is None else own / own.sum()
        size = len(units) * n_repeats
        donors = donors_of(rng, size, len(outside), share).reshape(
            len(units), n_repeats, -1
        )
        before = loss(tree, X[outside][:, columns], y[outside], own)
        row = np.zeros(labels.max() + 1)
        for place, unit in enumerate(units):
            after = []
            for each in donors[place]:
                copy = X[outside]
                moved = labels == unit
                copy[:, moved] = copy[each][:, moved]
                after.append(loss(tree, copy[:, columns], y[outside], own))
            row[unit] = np.mean(after) - before
        found.append(row)
    return np.array(found)


def squared(tree, X, y, weight):
    return mean_squared_error(y, tree.predict(X), sample_weight=weight)


def absolute(tree, X, y, weight):
    return mean_absolute_error(y, tree.predict(X), sample_weight=weight)


REGRESSORS = [
    RandomForestRegressor(max_depth=3, **FEW),
    RandomForestRegressor(criterion="absolute_error", **FEW),
    ExtraTreesRegressor(bootstrap=True, **FEW),
    BaggingRegressor(max_features=0.5, max_samples=0.7, **FEW),
    BootstrapBaggingRegressor(DecisionTreeRegressor(random_state=0), **FEW),
    BootstrapBaggingRegressor(
        DecisionTreeRegressor(random_state=0), max_features=4, **FEW
    ),
]


@pytest.mark.parametrize("labels", [np.arange(6), LABELS])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bag", REGRESSORS, ids=lambda bag: type(bag).__name__)
def test_regressors_equal_slow_loop(bag, weighted, labels):
    """Only touching the rows that can change gives the same importances."""
    X, y = data()
    bag.fit(X, y)
    weight = np.random.default_rng(0).uniform(0.2, 2, size=60) if weighted else None
    for scoring, loss in (
        ("neg_mean_squared_error", squared),
        ("neg_mean_absolute_error", absolute),
    ):
        found = tree_bag_importance(
            bag,
            X,
            y,
            scoring=scoring,
            labels=labels,
            sample_weight=weight,
            n_repeats=2,
            seed=3,
        )
        expected = slow_importance(bag, X, y, loss, labels, 2, 3, weight)
        np.testing.assert_allclose(found, expected, atol=1e-12)


CLASSIFIERS = [
    RandomForestClassifier(max_depth=4, **FEW),
    BaggingClassifier(max_features=0.7, **FEW),
    BootstrapBaggingClassifier(**FEW),
]


@pytest.mark.parametrize("names", [["a", "b", "c"], [3, 1, 2], [0, 1, 2]])
@pytest.mark.parametrize("bag", CLASSIFIERS, ids=lambda bag: type(bag).__name__)
def test_classifiers_equal_slow_loop(bag, names):
    """Trees fitted on codes, and trees fitted on labels, are read rightly."""
    X, y = data(90)
    y = np.asarray(names)[np.digitize(y, [-0.5, 0.7])]
    bag.fit(X, y)
    codes = np.searchsorted(bag.classes_, y)
    on_codes = not isinstance(bag, BootstrapBaggingClassifier)

    def proba(tree, X):
        wide = np.zeros((len(X), 3))
        seen = tree.classes_
        seen = seen if on_codes else np.searchsorted(bag.classes_, seen)
        wide[:, seen.astype(int)] = tree.predict_proba(X)
        return wide

    def accuracy(tree, X, y, weight):
        return 1 - accuracy_score(y, proba(tree, X).argmax(axis=1))

    def logarithmic(tree, X, y, weight):
        return log_loss(y, proba(tree, X), labels=[0, 1, 2])

    def brier(tree, X, y, weight):
        return np.mean(np.sum((proba(tree, X) - np.eye(3)[y]) ** 2, axis=1))

    for scoring, loss in (
        (None, accuracy),
        ("neg_log_loss", logarithmic),
        ("neg_brier_score", brier),
    ):
        found = tree_bag_importance(bag, X, y, scoring=scoring, n_repeats=2)
        expected = slow_importance(bag, X, codes, loss, np.arange(6), 2, 0)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_several_outputs_and_r2():
    """R2 is relative to the variance of each output in all rows."""
    X, y = data()
    Y = np.column_stack([y, 10 * X[:, 3]])
    bag = RandomForestRegressor(**FEW).fit(X, Y)
    found = tree_bag_importance(bag, X, Y, n_repeats=2)
    parts = [
        slow_importance(
            bag,
            X,
            Y,
            lambda tree, X, y, weight, output=output: np.mean(
                (tree.predict(X)[:, output] - y[:, output]) ** 2
            ),
            np.arange(6),
            2,
            0,
        )
        / np.var(Y[:, output])
        for output in range(2)
    ]
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-12)


def test_missing_values_go_where_the_tree_sends_them():
    """NaN in a column, and NaN that comes from another row."""
    X, y = data()
    X[::4, 0] = np.nan
    X[1::5, 2] = np.nan
    bag = RandomForestRegressor(**FEW).fit(X, y)
    found = tree_bag_importance(bag, X, y, scoring="neg_mean_squared_error")
    expected = slow_importance(bag, X, y, squared, np.arange(6), 5, 0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, "pandas"])
def test_containers_give_the_same(make):
    """Sparse matrices and frames hold the same cells."""
    X, y = data()
    X[np.abs(X) < 0.5] = 0
    made = pytest.importorskip("pandas").DataFrame(X) if make == "pandas" else make(X)
    bag = RandomForestRegressor(**FEW).fit(X, y)
    np.testing.assert_array_equal(
        tree_bag_importance(bag, made, y), tree_bag_importance(bag, X, y)
    )


def test_jobs_change_nothing():
    """Trees are dealt out with seeds of their own."""
    X, y = data()
    bag = RandomForestRegressor(**FEW).fit(X, y)
    one = tree_bag_importance(bag, X, y)
    with parallel_config(backend="threading"):
        two = tree_bag_importance(bag, X, y, n_jobs=2)
    np.testing.assert_array_equal(one, two)


def test_trees_without_a_split_or_out_of_bag_rows():
    """A stump of nothing has importance 0; a tree that saw all rows has none."""
    X, y = data()
    bag = RandomForestRegressor(max_leaf_nodes=2, **FEW).fit(X, np.ones(60))
    found = tree_bag_importance(bag, X, y, scoring="neg_mean_squared_error")
    assert not found.any()
    small = RandomForestRegressor(n_estimators=30, random_state=0).fit(X[:4], y[:4])
    found = tree_bag_importance(small, X[:4], y[:4])
    full = [len(np.unique(rows)) == 4 for rows in small.estimators_samples_]
    assert any(full)
    np.testing.assert_array_equal(np.isnan(found).all(axis=1), full)


@pytest.mark.parametrize(
    ("bag", "settings", "error", "message"),
    [
        (GradientBoostingRegressor(), {}, TypeError, "forest with `estimators_`"),
        (BaggingRegressor(Ridge()), {}, TypeError, "such as Ridge"),
        (
            ExtraTreesRegressor(5, random_state=0),
            {},
            ValueError,
            "No tree has out-of-bag rows.*bootstrap=True",
        ),
        (
            RandomForestRegressor(5, random_state=0),
            {"scoring": "neg_median_absolute_error"},
            ValueError,
            "must be a mean of losses.*Got 'neg_median_absolute_error'",
        ),
    ],
)
def test_bad_arguments(bag, settings, error, message):
    """One sentence says what is wrong and what to do."""
    X, y = data()
    with pytest.raises(error, match=message):
        tree_bag_importance(bag.fit(X, y), X, y, **settings)


def test_other_rows_than_those_of_the_fit():
    """Fewer rows than the bag was fitted on are not the rows it was fitted on."""
    X, y = data()
    bag = RandomForestRegressor(**FEW).fit(X, y)
    with pytest.raises(ValueError, match="rows that the bag was fitted on"):
        tree_bag_importance(bag, X[:30], y[:30])
    with pytest.raises(ValueError, match="R2 is undefined for a constant y"):
        tree_bag_importance(bag, X, np.ones(60))
