"""The shared engine of a bag against the generic one."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GroupBootstrap,
)
from tests.bagging.toys import classification_data, figures_of, regression_data

SCALED = make_pipeline(StandardScaler(), Ridge())


def two_bags(bag, X, y, **fit):
    """The same bag, fitted by both engines."""
    shared = clone(bag).set_params(engine="auto").fit(X, y, **fit)
    generic = clone(bag).set_params(engine="generic").fit(X, y, **fit)
    assert shared.engine_ == "shared"
    assert generic.engine_ == "generic"
    assert isinstance(generic.estimators_, list)
    return shared, generic


def assert_near(one, other, X):
    """Answers and figures to nine digits."""
    for method in ("predict", "decision_function"):
        if hasattr(one, method):
            a, b = (getattr(bag, method)(X) for bag in (one, other))
            if a.dtype.kind in "OU":
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    figures, others = figures_of(one), figures_of(other)
    assert figures.keys() == others.keys()
    for name, value in figures.items():
        np.testing.assert_allclose(
            value, others[name], rtol=1e-7, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed"])
@pytest.mark.parametrize("n_estimators", [23, "auto"])
@pytest.mark.parametrize("estimator", [Ridge(), LinearRegression(), SCALED])
def test_regressors(estimator, n_estimators, aggregate):
    """The same number of members, answers and figures."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(
        estimator, n_estimators=n_estimators, aggregate=aggregate, random_state=0
    )
    shared, generic = two_bags(bag, X, y)
    assert shared.n_estimators_ == generic.n_estimators_
    assert_near(shared, generic, X)
    for one, other in zip(shared.estimators_, generic.estimators_, strict=True):
        np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-9)


@pytest.mark.parametrize("aggregate", ["mean", "median", "vote"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers(n_classes, aggregate):
    """Labels, decisions and figures."""
    X, y = classification_data(90, n_classes, labels=["a", "b", "c"][:n_classes])
    bag = BootstrapBaggingClassifier(
        RidgeClassifier(), n_estimators=20, aggregate=aggregate, random_state=0
    )
    assert_near(*two_bags(bag, X, y), X)


@pytest.mark.parametrize("weight_mode", ["frequency", "importance"])
def test_weights_and_several_outputs(weight_mode):
    """Fractional weights, and a target of two columns."""
    X, y = regression_data()
    weight = np.random.default_rng(0).uniform(0, 3, size=len(y))
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=20, weight_mode=weight_mode, random_state=0
    )
    for target in (y, np.c_[y, X[:, 0]]):
        assert_near(*two_bags(bag, X, target, sample_weight=weight), X)


def test_draws_that_a_family_leaves_out_are_fitted_one_by_one():
    """Members of both kinds side by side, in the order of the draws."""
    X, _ = regression_data(40)
    y = np.where(np.arange(40) < 4, "rare", "common")
    bag = BootstrapBaggingClassifier(
        RidgeClassifier(),
        resampling=GroupBootstrap(),
        n_estimators=30,
        random_state=0,
    )
    with pytest.warns(match="hold rows of one class"):
        shared, generic = two_bags(bag, X, y, groups=np.arange(40) // 4)
    assert_near(shared, generic, X)
    for one, other in zip(shared.estimators_, generic.estimators_, strict=True):
        assert type(one) is type(other)
        np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_growing_is_fitting_at_once():
    """Bit by bit, and the mean is that of all members."""
    X, y = regression_data()
    grown = BootstrapBaggingRegressor(
        Ridge(), n_estimators=7, warm_start=True, random_state=0
    ).fit(X, y)
    for n_estimators in (7, 30, 75):
        grown.set_params(n_estimators=n_estimators).fit(X, y)
    whole = BootstrapBaggingRegressor(Ridge(), n_estimators=75, random_state=0)
    whole.fit(X, y)
    for one, other in zip(grown.estimators_, whole.estimators_, strict=True):
        np.testing.assert_array_equal(one.coef_, other.coef_)
    np.testing.assert_array_equal(grown.predict(X), whole.predict(X))
    np.testing.assert_array_equal(grown.oob_prediction_, whole.oob_prediction_)


def test_growing_from_one_engine_to_the_other():
    """Members of both kinds make one bag."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=10, warm_start=True, engine="generic", random_state=0
    ).fit(X, y)
    bag.set_params(n_estimators=25, engine="auto").fit(X, y)
    whole = BootstrapBaggingRegressor(Ridge(), n_estimators=25, random_state=0)
    assert_near(bag, whole.fit(X, y), X)


def test_mean_of_linear_members_is_one_linear_model():
    """It equals the mean of the members' answers to twelve digits."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(SCALED, n_estimators=60, random_state=0).fit(X, y)
    mean = np.mean([member.predict(X) for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict(X), mean, rtol=1e-12, atol=1e-12)
    assert bag._mean_member.n_values == 1


def test_members_are_a_sequence():
    """They count, slice, and are the same each time."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=12, random_state=0).fit(X, y)
    assert len(bag.estimators_) == bag.n_estimators_ == 12
    assert [type(one) for one in bag.estimators_[2:4]] == [Ridge, Ridge]
    first, last = bag.estimators_[0], bag.estimators_[-1]
    assert not np.array_equal(first.coef_, last.coef_)
    np.testing.assert_array_equal(bag.estimators_[0].coef_, first.coef_)
    with pytest.raises(IndexError):
        bag.estimators_[12]
    assert "12 fitted estimators" in repr(bag.estimators_)


def test_pickles_answer_alike():
    """Also the members that are made when asked for."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(SCALED, n_estimators=12, random_state=0).fit(X, y)
    read = pickle.loads(pickle.dumps(bag))
    np.testing.assert_array_equal(read.predict(X), bag.predict(X))
    np.testing.assert_array_equal(
        read.estimators_[5].predict(X), bag.estimators_[5].predict(X)
    )


@pytest.mark.parametrize(
    "params",
    [{"max_features": 0.5}, {"estimator": DecisionTreeRegressor()}],
)
def test_what_is_left_to_the_generic_engine(params):
    """Columns drawn for each member, and estimators that no family knows."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=3, random_state=0)
    assert bag.set_params(**params).fit(X, y).engine_ == "generic"


def test_an_engine_that_is_none():
    """There are two."""
    X, y = regression_data()
    with pytest.raises(ValueError, match="'engine' parameter of Boot"):
        BootstrapBaggingRegressor(engine="fast").fit(X, y)
