"""The parameter, its values and which of them penalise more."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingRegressor, RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingRegressor
from genestimators.fitting import find_family
from genestimators.regularization._values import (
    MOST_OF_COSTLY,
    Candidates,
    find_candidates,
    thinned,
)
from tests.bagging.toys import classification_data, regression_data


def found(estimator, param="auto", values="auto", data=regression_data):
    X, y = data()
    return find_candidates(estimator, param, values, X, y, None)


@pytest.mark.parametrize(
    ("estimator", "param"),
    [
        (Ridge(), "alpha"),
        (make_pipeline(StandardScaler(), Ridge()), "ridge__alpha"),
        (make_pipeline(PCA(), Lasso()), "lasso__alpha"),
        (
            make_pipeline(StandardScaler(), make_pipeline(PCA(), Ridge())),
            "pipeline__ridge__alpha",
        ),
        (TransformedTargetRegressor(Ridge()), "regressor__alpha"),
        (DecisionTreeRegressor(), "ccp_alpha"),
        (BootstrapBaggingRegressor(Ridge()), "estimator__alpha"),
    ],
)
def test_the_parameter_is_found(estimator, param):
    """The preferred one of the last step, with values that are one range."""
    candidates = found(estimator)
    assert candidates.param == param
    assert candidates.automatic
    assert (np.diff(candidates.values) > 0).all()


def test_values_are_made_for_rows_as_the_estimator_gets_them():
    """Behind a scaler the units of X do not matter."""
    X, y = regression_data()
    chain = make_pipeline(StandardScaler(), Ridge())
    one, two = (
        find_candidates(chain, "auto", "auto", X * factor, y, None).values
        for factor in (1.0, 1e6)
    )
    np.testing.assert_allclose(one, two)
    rows = StandardScaler().fit_transform(X)
    direct = find_family(Ridge(), "alpha").default_values(Ridge(), rows, y, None)
    np.testing.assert_allclose(one, direct)


DIRECTIONS = [
    (Ridge(), "alpha", [1.0, 100.0, 0.1], [1, 2, 0]),
    (LogisticRegression(), "C", [1.0, 100.0, 0.1], [1, 0, 2]),
    (SVC(), "C", [1, 100, 0.1], [1, 0, 2]),
    (KNeighborsClassifier(), "n_neighbors", [9, 1, 5], [2, 0, 1]),
    (DecisionTreeClassifier(), "ccp_alpha", [0.0, 0.3, 0.1], [0, 2, 1]),
    (DecisionTreeClassifier(), "max_depth", [3, None, 7], [2, 0, 1]),
    (DecisionTreeClassifier(), "max_leaf_nodes", [None, 2, 7], [0, 2, 1]),
    (DecisionTreeClassifier(), "min_samples_leaf", [1, 5, 3], [0, 2, 1]),
    (make_pipeline(PCA(), Ridge()), "pca__n_components", [1, 4, 2], [2, 0, 1]),
    (RandomForestClassifier(), "max_depth", [3, None, 7], [2, 0, 1]),
    (Ridge(), "tol", [3.0, 1.0, 2.0], [0, 1, 2]),
]


@pytest.mark.parametrize(("estimator", "param", "values", "strength"), DIRECTIONS)
def test_strength_is_the_rank_of_the_penalty(estimator, param, values, strength):
    """None is no limit; without a known direction values keep their order."""
    candidates = found(estimator, param, values, classification_data)
    np.testing.assert_array_equal(candidates.strength, strength)
    assert candidates.as_list() == values
    ends = [candidates.end(i) for i in range(3)]
    limits = () if candidates.family is None else candidates.family.limits
    for end, value, rank in zip(ends, values, strength, strict=True):
        natural = value is None or float(value) in limits
        expected = {0: "weak", 2: "strong"}.get(rank, "")
        assert end == ("" if natural else expected)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 5, 3], int),
        (range(1, 4), int),
        (np.array([1, 2, 3], dtype=np.int8), int),
        ([0.1, 2.0], float),
        (np.geomspace(0.1, 1, 3, dtype=np.float32), float),
        ((1, None), (int, type(None))),
    ],
)
def test_values_are_set_as_plain_objects(values, kind):
    """A whole number stays one, which estimators insist on."""
    candidates = found(Ridge(), "alpha", values)
    assert all(isinstance(value, kind) for value in candidates.as_list())
    assert candidates.as_list() == list(values)
    assert not candidates.automatic


def test_whole_and_other_numbers_stay_what_they_are():
    """A number of features and a share of them are two things."""
    forest = RandomForestClassifier()
    candidates = found(forest, "max_features", [1, 0.5, 2], classification_data)
    assert [type(value) for value in candidates.as_list()] == [int, float, int]
    assert candidates.column.dtype == float
    np.testing.assert_array_equal(candidates.column, [1, 0.5, 2])


@pytest.mark.parametrize(
    ("values", "kind"), [([1, 2], "i"), ([0.1, 1, 10], "f"), ([1, None], "O")]
)
def test_the_column_of_values_holds_numbers(values, kind):
    """As that of GridSearchCV does, so that it can be drawn and calculated with."""
    column = found(Ridge(), "alpha", values).column
    assert column.dtype.kind == kind
    assert column.tolist() == values


def test_a_range_is_extended_at_its_ends_only():
    """By the ratio of a logarithmic range; towards stronger or weaker penalties."""
    family = find_family(Ridge(), "alpha")
    candidates = Candidates("alpha", np.array([0.1, 1.0, 10.0]), family, True)
    assert len(candidates.extended(1)) == 0
    below, above = candidates.extended(0), candidates.extended(2)
    np.testing.assert_allclose(np.diff(np.log10(below)), 1.0)
    np.testing.assert_allclose(below[-1], 0.01)
    np.testing.assert_allclose(above[0], 100.0)
    for new in (below, above):
        joined = candidates.joined(new).values
        assert (np.diff(joined) > 0).all()
        assert len(joined) == 3 + len(new)
    given = Candidates("alpha", candidates.values, family, False)
    assert len(given.extended(2)) == 0
    C = find_family(LogisticRegression(), "C")
    inverse = Candidates("C", candidates.values, C, True)
    np.testing.assert_allclose(inverse.extended(2)[0], 100.0)
    np.testing.assert_allclose(inverse.extended(0)[-1], 0.01)


@pytest.mark.parametrize("first", [0.0, 1e-4])
@pytest.mark.parametrize("most", [10, 41])
def test_thinned_values_keep_the_ends(first, most):
    """Some of the values, in order, the smallest and the largest among them."""
    values = np.concatenate(
        [[first], np.sort(np.random.default_rng(0).random(500)) + 1]
    )
    few = thinned(values, most)
    assert len(few) <= most
    assert few[0] == values[0]
    assert few[-1] == values[-1]
    assert (np.diff(few) > 0).all()
    assert np.isin(few, values).all()


def test_costly_values_are_few():
    """Those of members of an ensemble, and those that are fitted one by one."""
    X, y = regression_data(300)
    alone = find_candidates(DecisionTreeRegressor(), "auto", "auto", X, y, None)
    behind = find_candidates(
        make_pipeline(StandardScaler(), DecisionTreeRegressor()),
        "auto",
        "auto",
        X,
        y,
        None,
    )
    assert len(alone.values) == len(behind.values) > MOST_OF_COSTLY
    for bag in (BootstrapBaggingRegressor, BaggingRegressor):
        inside = find_candidates(
            bag(DecisionTreeRegressor()), "estimator__ccp_alpha", "auto", X, y, None
        )
        assert len(inside.values) <= MOST_OF_COSTLY
