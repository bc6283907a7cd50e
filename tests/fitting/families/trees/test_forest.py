"""Forests and bags of all values of a parameter against a fit for each of them."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators.fitting import find_family
from genestimators.fitting._registry import families_of
from tests.fitting.families.against_refits import assert_equals_refits

ALPHAS = [0.02, 0.0, 50.0]
NUMBERS = [3, 1, 3]
FEW = {"n_estimators": 3, "random_state": 3}
HALVES = KFold(2, shuffle=True, random_state=0)
FORESTS = [
    RandomForestRegressor(**FEW),
    RandomForestRegressor(max_features=2, max_samples=0.5, max_depth=6, **FEW),
    RandomForestRegressor(bootstrap=False, max_features=0.5, **FEW),
    RandomForestRegressor(criterion="absolute_error", max_leaf_nodes=12, **FEW),
    ExtraTreesRegressor(**FEW),
    ExtraTreesRegressor(bootstrap=True, min_samples_leaf=2, warm_start=True, **FEW),
    RandomForestClassifier(**FEW),
    RandomForestClassifier(class_weight="balanced", criterion="entropy", **FEW),
    RandomForestClassifier(class_weight="balanced_subsample", max_samples=0.6, **FEW),
    ExtraTreesClassifier(class_weight={"a": 1, "b": 5, "c": 0.5}, **FEW),
    ExtraTreesClassifier(bootstrap=True, max_features=1, **FEW),
]
REGRESSORS = [one for one in FORESTS if not is_classifier(one)]
CLASSIFIERS = [one for one in FORESTS if is_classifier(one)]


def data(seed, n=60, p=4):
    """Rows with ties in a column, a numeric target and one of three labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 0] = np.round(2 * X[:, 0])
    y = np.round(X[:, 0] + X[:, -1] + rng.normal(size=n), 1)
    labels = np.array(["a", "b", "c"])[np.digitize(y, np.quantile(y, [0.3, 0.6]))]
    return X, y, labels, rng


def assert_forest(forest, X, y, **how):
    """Both parameters to the bit: trees are added up in the order of the forest."""
    for param, values in (("ccp_alpha", ALPHAS), ("n_estimators", NUMBERS)):
        assert_equals_refits(forest, param, values, X, y, rtol=0, cv=HALVES, **how)


@pytest.mark.parametrize("forest", FORESTS)
def test_forests_equal_refits(forest):
    """Predictions and probabilities, whatever grows the trees and draws their rows."""
    X, y, labels, _ = data(0)
    assert_forest(forest, X, labels if is_classifier(forest) else y)


@pytest.mark.parametrize("forest", [FORESTS[i] for i in (0, 5, 7, 8)])
@pytest.mark.parametrize("kind", ["whole", "uneven"])
def test_forests_with_weights_equal_refits(forest, kind):
    """Counts, some of them zero, and weights of different size."""
    X, y, labels, rng = data(1)
    weight = rng.integers(0, 4, len(y)).astype(float)
    if kind == "uneven":
        weight = rng.exponential(size=len(y))
    target = labels if is_classifier(forest) else y
    assert_forest(forest, X, target, sample_weight=weight)


@pytest.mark.parametrize("forest", [REGRESSORS[0], *CLASSIFIERS[:2]])
def test_forests_with_several_outputs_equal_refits(forest):
    """Numbers, or labels with different numbers of classes, some of text."""
    X, y, labels, _ = data(2)
    target = np.column_stack([y, y**2])
    if is_classifier(forest):
        target = np.column_stack([labels, np.where(y > 1, "yes", "no")])
    assert_forest(forest, X, target)


@pytest.mark.parametrize("forest", [FORESTS[0], FORESTS[6]])
def test_forests_with_missing_cells_equal_refits(forest):
    """NaN takes its own way down the trees."""
    X, y, labels, rng = data(3)
    X[rng.random(X.shape) < 0.2] = np.nan
    assert_forest(forest, X, labels if is_classifier(forest) else y)


def test_forests_of_other_containers_equal_refits():
    """Frames, nested lists, sparse rows, labels that are true or false, a pipeline."""
    pandas = pytest.importorskip("pandas")
    X, y, labels, _ = data(4)
    forest = RandomForestRegressor(**FEW)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    for rows in (frame, sparse.csr_matrix(X)):
        assert_forest(forest, rows, y)
    classifier = RandomForestClassifier(**FEW)
    name = "n_estimators"
    assert_equals_refits(classifier, name, NUMBERS, X.tolist(), labels == "a", rtol=0)
    chain = make_pipeline(StandardScaler(), forest)
    name = "randomforestregressor__ccp_alpha"
    assert_equals_refits(chain, name, ALPHAS, frame, y, rtol=0, cv=HALVES)


BAGS = [
    BaggingRegressor(random_state=0),
    BaggingRegressor(DecisionTreeRegressor(max_depth=3), max_samples=0.6),
    BaggingRegressor(Ridge(), max_features=2, bootstrap_features=True),
    BaggingRegressor(Ridge(), bootstrap=False, max_samples=30, max_features=0.5),
    BaggingClassifier(random_state=0),
    BaggingClassifier(DecisionTreeClassifier(max_depth=3), warm_start=True),
    BaggingClassifier(GaussianNB(), max_features=3),
    BaggingClassifier(LinearSVC(), max_features=3),
    BaggingClassifier(RidgeClassifier(), bootstrap=False, max_samples=0.8),
]


def assert_bag(bag, X, y, **how):
    """Equal but for rounding: scikit-learn adds members up in chunks."""
    bag = clone(bag).set_params(random_state=3)
    assert_equals_refits(
        bag, "n_estimators", NUMBERS, X, y, rtol=1e-12, cv=HALVES, **how
    )


@pytest.mark.parametrize("bag", BAGS)
def test_bags_equal_refits(bag):
    """Predictions, probabilities and decisions, with and without weights."""
    X, y, labels, rng = data(5)
    target = labels if is_classifier(bag) else y
    assert_bag(bag, X, target)
    if is_classifier(bag):
        assert_bag(bag, X, labels == "a")
    if bag.bootstrap:  # else scikit-learn draws as many rows as the weights add up to
        weight = rng.integers(1, 4, len(y)).astype(float)
        assert_bag(bag, X, target, sample_weight=weight)


def test_bags_of_other_data_equal_refits():
    """Sparse rows, missing cells, several targets."""
    X, y, labels, rng = data(6)
    assert_bag(BAGS[2], sparse.csr_matrix(X), y)
    assert_bag(BAGS[2], X, np.column_stack([y, y**2]))
    X[rng.random(X.shape) < 0.2] = np.nan
    assert_bag(BAGS[0], X, y)
    assert_bag(BAGS[4], X, labels)


@pytest.mark.parametrize("forest", [FORESTS[6], BAGS[4]])
def test_members_that_miss_a_class_equal_refits(forest):
    """A class of few rows is unknown to some members and to one fold."""
    X, _, labels, _ = data(7)
    labels = np.where(labels == "c", "b", labels)
    labels[:3] = "rare"
    for param, values in (("ccp_alpha", ALPHAS), ("n_estimators", NUMBERS)):
        if param in forest.get_params():
            how = {"rtol": 1e-12}  # bags add members up in chunks
            assert_equals_refits(forest, param, values, X, labels, **how, cv=HALVES)


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (FORESTS[0], "max_depth", [2, 4]),
        (FORESTS[0], "max_leaf_nodes", [3, 9]),
        (FORESTS[6], "min_samples_leaf", [1, 5]),
        (FORESTS[6], "max_features", [1, 3]),
    ],
)
def test_what_one_forest_does_not_hold_is_refitted(estimator, param, values):
    """Parameters that change how the trees are grown."""
    X, y, labels, _ = data(8)
    target = labels if is_classifier(estimator) else y
    assert_equals_refits(estimator, param, values, X, target, rtol=0, served=False)


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (RandomForestRegressor(), "ccp_alpha", [0.1, -1.0]),
        (RandomForestRegressor(), "ccp_alpha", [None]),
        (RandomForestRegressor(), "n_estimators", [5, 0]),
        (ExtraTreesRegressor(), "n_estimators", [5, 2.0]),
        (BaggingRegressor(), "n_estimators", ["many"]),
        (RandomForestRegressor(oob_score=True, warm_start=True), "ccp_alpha", [0.1]),
        (BaggingRegressor(oob_score=True, bootstrap=False), "n_estimators", [5]),
    ],
)
def test_values_and_settings_that_do_not_do_are_left_to_the_estimator(
    estimator, param, values
):
    """It says so itself."""
    X, y, _, _ = data(0)
    family = find_family(estimator, param)
    assert family.unsupported(estimator, X, y, None, values) is not None


@pytest.mark.parametrize("bootstrap", [True, False])
@pytest.mark.parametrize("kind", [RandomForestRegressor, BaggingRegressor])
def test_out_of_bag_needs_members_that_leave_rows_out(kind, bootstrap):
    """That is what bootstrapping does."""
    estimator = kind(bootstrap=bootstrap)
    for family in families_of(estimator):
        if family.fits_paths:
            assert family.out_of_bag(estimator) == bootstrap


@pytest.mark.parametrize("estimator", [*FORESTS[::3], BAGS[0], BAGS[4]])
def test_every_family_has_increasing_defaults(estimator):
    """Also for a target without spread; the estimator takes them."""
    X, y, labels, _ = data(9)
    target = labels if is_classifier(estimator) else y
    for family in families_of(estimator):
        for column in (target, np.full_like(target, target[0])):
            values = np.asarray(family.default_values(estimator, X, column, None))
            assert (np.diff(values) > 0).all()
            assert values.dtype.kind == ("f" if family.param == "ccp_alpha" else "i")
            for value in values[:2].tolist():
                model = clone(estimator).set_params(**{family.param: value})
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of one class
                    model.fit(X, column)


def test_default_alphas_go_from_whole_trees_to_roots():
    """The first value prunes nothing, the last everything, in about twenty steps."""
    X, y, _, _ = data(10, 200)
    forest = RandomForestRegressor(**FEW)
    family = find_family(forest, "ccp_alpha")
    values = family.default_values(forest, X, y, None)
    assert 10 < len(values) <= 21
    assert values[0] == 0.0
    sizes = []
    for value in values.tolist():
        fitted = clone(forest).set_params(ccp_alpha=value).fit(X, y)
        sizes.append(np.mean([tree.get_n_leaves() for tree in fitted.estimators_]))
    assert (np.diff(sizes) <= 0).all()
    # It comes from three trees, and another tree may hold a little longer.
    assert sizes[-1] < 0.1 * sizes[0]


def test_exactness_follows_the_random_state():
    """Without one two fits of one forest differ."""
    family = find_family(RandomForestRegressor(), "ccp_alpha")
    assert family.exactness_for(RandomForestRegressor()) == "in_law"
    assert family.exactness_for(RandomForestRegressor(random_state=0)) == "exact"
