"""Prunings and truncations of one tree against a fit for each value."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from genestimators.fitting import _paths
from genestimators.fitting._registry import families_of, find_family
from tests.fitting.families.against_refits import assert_equals_refits

ALPHAS = [0.02, 0.0, 0.3, 1e-6, 0.02, 50.0, 0.005]
ATTRIBUTES = [
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "value",
    "missing_go_to_left",
]


def data(seed, n=90, p=4):
    """Rows with ties in a column, a numeric target and one of three labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 0] = np.round(2 * X[:, 0])
    y = np.round(X[:, 0] + X[:, -1] + rng.normal(size=n), 1)
    labels = np.array(["a", "b", "c"])[(y > 0).astype(int) + (X[:, -1] > 1)]
    return X, y, labels, rng


def breakpoints_of_folds(estimator, X, y):
    """The alphas of scikit-learn's own path on each training fold, and next to them."""
    found = []
    for train, _ in KFold(3, shuffle=True, random_state=0).split(X):
        path = clone(estimator).cost_complexity_pruning_path(X[train], y[train])
        found.append(path.ccp_alphas[path.ccp_alphas > 0][::4])
    found = np.concatenate(found)
    return np.concatenate([found, np.nextafter(found, 0), np.nextafter(found, 1)])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_features": 2},
        {"criterion": "absolute_error", "max_depth": 5},
        {"criterion": "poisson", "min_samples_leaf": 2},
        {"max_leaf_nodes": 20, "splitter": "random"},
        {"monotonic_cst": [1, 0, -1, 0]},
    ],
)
def test_prunings_of_regressors_equal_refits(settings, seed):
    """Bit for bit, at and beside the breakpoints of the training folds."""
    X, y, _, _ = data(seed)
    estimator = DecisionTreeRegressor(random_state=7, **settings)
    values = [*ALPHAS, *breakpoints_of_folds(estimator, X, np.abs(y))[::3]]
    assert_equals_refits(estimator, "ccp_alpha", values, X, np.abs(y), rtol=0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"criterion": "entropy", "class_weight": "balanced"},
        {"criterion": "log_loss", "max_features": 2, "max_leaf_nodes": 15},
        {"splitter": "random"},
    ],
)
def test_prunings_of_classifiers_equal_refits(settings, seed):
    """Bit for bit with string labels, at and beside breakpoints, which are tied."""
    X, _, labels, _ = data(seed)
    estimator = DecisionTreeClassifier(random_state=7, **settings)
    values = [*ALPHAS, *breakpoints_of_folds(estimator, X, labels)[::3]]
    assert_equals_refits(estimator, "ccp_alpha", values, X, labels, rtol=0)


@pytest.mark.parametrize("param", ["ccp_alpha", "max_leaf_nodes"])
@pytest.mark.parametrize("kind", ["integer", "uneven"])
def test_weights_and_missing_values_change_nothing(param, kind):
    """Bit for bit with weights, some of them zero or tiny, and holes in X."""
    X, y, labels, rng = data(3)
    X[rng.random(X.shape) < 0.2] = np.nan
    weight = rng.integers(0, 4, len(y)).astype(float)
    if kind == "uneven":
        weight = rng.exponential(size=len(y)) ** 4 + 1e-9
    values = ALPHAS if param == "ccp_alpha" else [4, None, 2, 30]
    for estimator, target in (
        (DecisionTreeRegressor(random_state=0), y),
        (DecisionTreeClassifier(random_state=0), labels),
    ):
        assert_equals_refits(
            estimator, param, values, X, target, sample_weight=weight, rtol=0
        )


@pytest.mark.parametrize("param", ["ccp_alpha", "max_leaf_nodes"])
@pytest.mark.parametrize(
    ("estimator", "multi"),
    [
        (ExtraTreeRegressor(random_state=1), False),
        (ExtraTreeRegressor(random_state=1), True),
        (ExtraTreeClassifier(random_state=1), False),
        (DecisionTreeClassifier(random_state=1), True),
    ],
)
def test_extra_trees_and_several_outputs_equal_refits(estimator, multi, param):
    """Random splits are the same ones; outputs share a tree."""
    X, y, labels, _ = data(4)
    classifies = hasattr(estimator, "predict_proba")
    target = labels if classifies else y
    if multi:
        second = labels[::-1] if classifies else y**2
        target = np.column_stack([target, second])
    values = ALPHAS if param == "ccp_alpha" else [5, 3, 3, None, 60]
    assert_equals_refits(estimator, param, values, X, target, rtol=0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(random_state=2),
        DecisionTreeClassifier(random_state=2, max_features=1, splitter="random"),
        DecisionTreeRegressor(random_state=2, max_depth=4, max_features=2),
    ],
)
def test_fewer_leaves_equal_refits(estimator, seed):
    """Best-first growth takes the same steps, whatever the number of leaves allowed."""
    X, y, labels, _ = data(seed)
    target = labels if hasattr(estimator, "predict_proba") else y
    values = [None, 6, 2, 3, None, 45, 17]
    assert_equals_refits(estimator, "max_leaf_nodes", values, X, target, rtol=0)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(random_state=0),
        DecisionTreeRegressor(random_state=0, monotonic_cst=[1], min_samples_leaf=3),
        DecisionTreeClassifier(random_state=0),
    ],
)
def test_less_depth_equals_refits_where_nothing_is_drawn(estimator):
    """With one column there are no ties between columns to be broken."""
    X, y, _, _ = data(5, p=1)
    X[:, 0] += np.random.default_rng(0).normal(size=len(y))
    target = y > 0 if hasattr(estimator, "predict_proba") else y
    values = [3, 1, None, 2, 2, 30]
    assert_equals_refits(estimator, "max_depth", values, X, target, rtol=0)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.arange(12.0)[:, None], np.arange(12.0) % 5),
        (np.ones((12, 3)), np.arange(12.0)),
        (np.arange(12.0)[:, None], np.ones(12)),
        (np.arange(24.0).reshape(12, 2).astype(np.float32), 1e6 + np.arange(12.0) % 3),
        (csr_matrix(np.eye(12)), np.arange(12.0)),
        (np.random.default_rng(0).normal(size=(15, 40)), np.arange(15.0) % 4),
    ],
    ids=["few", "constant X", "constant y", "offset", "sparse", "wide"],
)
@pytest.mark.parametrize("param", ["ccp_alpha", "max_leaf_nodes"])
def test_odd_data_equal_refits(X, y, param):
    """Few rows, one column, constants, large offsets, sparse X, more columns."""
    values = ALPHAS if param == "ccp_alpha" else [None, 2, 5]
    estimator = DecisionTreeRegressor(random_state=0)
    assert_equals_refits(estimator, param, values, X, y, rtol=0)


def test_pipelines_and_frames_are_served():
    """Behind a scaler, with named columns."""
    pandas = pytest.importorskip("pandas")
    X, y, _, _ = data(6)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    tree = DecisionTreeRegressor(random_state=0)
    assert_equals_refits(tree, "ccp_alpha", ALPHAS, frame, y, rtol=0)
    pipeline = make_pipeline(StandardScaler(), tree)
    param = "decisiontreeregressor__ccp_alpha"
    assert_equals_refits(pipeline, param, ALPHAS, frame, y, rtol=0)


@pytest.mark.parametrize(
    ("estimator", "param", "values", "target"),
    [
        (DecisionTreeRegressor(random_state=0), "ccp_alpha", ALPHAS, "y"),
        (
            DecisionTreeRegressor(random_state=0, max_leaf_nodes=20),
            "ccp_alpha",
            ALPHAS,
            "y",
        ),
        (DecisionTreeClassifier(random_state=0), "ccp_alpha", ALPHAS, "labels"),
        (
            DecisionTreeClassifier(random_state=0),
            "max_leaf_nodes",
            [3, None, 7],
            "labels",
        ),
    ],
)
def test_models_of_a_path_are_refits(estimator, param, values, target):
    """The same nodes in the same order, importances and settings; without a fit."""
    X, y, labels, rng = data(8)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = y if target == "y" else labels
    family = find_family(estimator, param)
    path = pickle.loads(pickle.dumps(family.fit_path(estimator, X, y, None, values)))
    for i, value in enumerate(values):
        refit = clone(estimator).set_params(**{param: value}).fit(X, y)
        model = path.model(i)
        assert model.get_params() == refit.get_params()
        for name in ATTRIBUTES:
            np.testing.assert_array_equal(
                getattr(model.tree_, name), getattr(refit.tree_, name), err_msg=name
            )
        assert model.get_depth() == refit.get_depth()
        assert model.get_n_leaves() == refit.get_n_leaves()
        np.testing.assert_array_equal(
            model.feature_importances_, refit.feature_importances_
        )
        np.testing.assert_array_equal(model.apply(X), refit.apply(X))
        np.testing.assert_array_equal(model.predict(X), path.predict(X)[i])


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("param", ["ccp_alpha", "max_leaf_nodes", "max_depth"])
def test_training_errors_are_known_without_answers(param, weighted):
    """They are those of the answers for the training rows, weighted."""
    X, y, _, rng = data(9)
    y = np.column_stack([y, 1e3 + y**2])
    weight = rng.exponential(size=len(y)) if weighted else None
    values = ALPHAS if param == "ccp_alpha" else [None, 3, 2, 8, None]
    estimator = DecisionTreeRegressor(random_state=0)
    path = find_family(estimator, param).fit_path(estimator, X, y, weight, values)
    squares = (path.predict(X) - y) ** 2
    expected = np.average(squares, axis=1, weights=weight)
    np.testing.assert_allclose(
        path.training_squared_error(), expected, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("param", ["ccp_alpha", "max_leaf_nodes", "max_depth"])
def test_parts_are_slices_and_stronger_values_fit_less_closely(param, monkeypatch):
    """Small parts join to the whole; training errors grow with the strength."""
    monkeypatch.setattr(_paths, "MOST_ANSWERS", 300)
    X, y, _, _ = data(10)
    estimator = DecisionTreeRegressor(random_state=0)
    family = find_family(estimator, param)
    values = family.default_values(estimator, X, y, None)
    assert (np.diff(values) > 0).all()
    path = family.fit_path(estimator, X, y, None, values.tolist())
    parts = list(path.parts(len(y)))
    assert len(parts) > 1
    joined = np.concatenate([part.predict(X) for part in parts])
    np.testing.assert_array_equal(joined, path.predict(X))
    errors = path.training_squared_error()[:, 0]
    steps = np.diff(errors if family.stronger == "larger" else errors[::-1])
    assert (steps >= -1e-12).all()


def test_default_alphas_stand_for_every_pruning():
    """One value for each number of leaves on the pruning path, from whole to root."""
    X, y = make_friedman1(120, noise=1, random_state=0)
    estimator = DecisionTreeRegressor(random_state=0)
    family = find_family(estimator, "ccp_alpha")
    values = family.default_values(estimator, X, y, None).tolist()
    path = family.fit_path(clone(estimator), X, y, None, values)
    leaves = [path.model(i).get_n_leaves() for i in range(len(values))]
    assert leaves[0] == clone(estimator).fit(X, y).get_n_leaves()
    assert leaves[-1] == 1
    assert (np.diff(leaves) < 0).all()


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (DecisionTreeRegressor(random_state=0), "min_samples_leaf", [1, 5]),
        (DecisionTreeRegressor(random_state=0), "min_samples_split", [2, 9]),
        (DecisionTreeRegressor(random_state=0), "min_impurity_decrease", [0.0, 0.1]),
        (
            DecisionTreeRegressor(random_state=0, ccp_alpha=0.01),
            "max_leaf_nodes",
            [3, 9],
        ),
        (DecisionTreeRegressor(random_state=0, max_leaf_nodes=9), "max_depth", [2, 4]),
        (DecisionTreeRegressor(random_state=0, ccp_alpha=0.01), "max_depth", [2, 4]),
    ],
)
def test_what_one_tree_does_not_hold_is_refitted(estimator, param, values):
    """Parameters that move splits, and limits to a tree that is changed afterwards."""
    X, y, _, _ = data(0)
    assert_equals_refits(estimator, param, values, X, y, rtol=0, served=False)


@pytest.mark.parametrize(
    ("param", "values"),
    [
        ("ccp_alpha", [0.1, -1.0]),
        ("ccp_alpha", [0.1, np.inf]),
        ("max_leaf_nodes", [5, 1]),
        ("max_depth", [2.5]),
    ],
)
def test_values_that_do_not_do_are_left_to_the_estimator(param, values):
    """It says so itself."""
    X, y, _, _ = data(0)
    estimator = DecisionTreeRegressor()
    family = find_family(estimator, param)
    assert family.unsupported(estimator, X, y, None, values) is not None


def test_infinite_impurities_are_refitted():
    """Poisson deviances of vanishing means are infinite: no order of cuts."""
    X, y, _, _ = data(0)
    y = 1e-16 * np.where(X[:, 1] > 0, np.abs(y), 0.0) + 1e-19
    estimator = DecisionTreeRegressor(criterion="poisson", random_state=0)
    impurity = clone(estimator).fit(X, y).tree_.impurity
    path = find_family(estimator, "ccp_alpha").fit_path(estimator, X, y, None, [1e-18])
    if np.isfinite(impurity).all():
        pytest.skip("finite in this version of scikit-learn")
    refit = clone(estimator).set_params(ccp_alpha=1e-18).fit(X, y)
    np.testing.assert_array_equal(path.model(0).predict(X), refit.predict(X))


def test_every_family_of_trees_has_increasing_defaults():
    """Also for a target without spread."""
    X, y, _, _ = data(0)
    estimator = DecisionTreeRegressor(random_state=0)
    families = families_of(estimator)
    assert families[0].param == "ccp_alpha"
    for family in families:
        for target in (y, np.ones(len(y))):
            values = np.asarray(family.default_values(estimator, X, target, None))
            assert (np.diff(values) > 0).all()
            assert (values >= 0).all()
            for value in values[:3].tolist():
                clone(estimator).set_params(**{family.param: value}).fit(X, target)


def test_exactness_follows_the_random_state():
    """Without one, even ties make two fits of one estimator differ."""
    family = find_family(DecisionTreeRegressor(), "ccp_alpha")
    assert family.exactness_for(DecisionTreeRegressor()) == "in_law"
    assert family.exactness_for(DecisionTreeRegressor(random_state=0)) == "bitwise"
    refitted = find_family(DecisionTreeRegressor(), "min_samples_leaf")
    assert refitted.exactness_for(DecisionTreeRegressor()) == "refit"
