"""Metadata: what is routed to the base, what the bag takes itself, and when it may."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GroupBootstrap,
)
from tests.bagging.toys import (
    RowRecorder,
    WeightedRecorder,
    assert_same_fit,
    classification_data,
    figures_of,
    regression_data,
)

N_ROWS = 60
NUMBERS = np.arange(N_ROWS)
GROUPS = np.repeat(np.arange(12), 5)
WEIGHTS = np.random.default_rng(0).integers(1, 3, N_ROWS)

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")


@pytest.fixture
def routing():
    """Metadata routing is on for the time of a test."""
    with config_context(enable_metadata_routing=True):
        yield


def regressor(base=None, **params):
    return BootstrapBaggingRegressor(
        base, **{"n_estimators": 4, "random_state": 0, **params}
    )


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("kind", [np.asarray, list])
@pytest.mark.parametrize("recorder", [RowRecorder, WeightedRecorder])
def test_metadata_follow_their_rows(recorder, kind):
    """A member gets the metadata of its own rows, in their order."""
    X, y = regression_data()
    bag = regressor(recorder().set_fit_request(tag=True))
    bag.fit(X, y, tag=kind(NUMBERS))
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        tag = np.asarray(member.seen_.tag)
        assert type(member.seen_.tag) is type(kind(NUMBERS))
        np.testing.assert_array_equal(X[tag], member.seen_.X)
        if recorder is WeightedRecorder:
            tag = np.repeat(tag, member.seen_.sample_weight.astype(int))
        np.testing.assert_array_equal(tag, rows)


@pytest.mark.usefixtures("routing")
def test_metadata_in_a_series_follow_their_rows():
    """A pandas series is taken by position, not by label."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    bag = regressor(RowRecorder().set_fit_request(tag=True))
    bag.fit(X, y, tag=pandas.Series(NUMBERS, index=NUMBERS[::-1]))
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        np.testing.assert_array_equal(member.seen_.tag, rows)


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("note", ["text", 3, {"a": 1}, [1, 2], None])
def test_other_metadata_are_passed_whole(note):
    """What does not have an item for each row reaches each member as it is."""
    X, y = regression_data()
    base = WeightedRecorder().set_fit_request(note=True, tag=True)
    bag = regressor(base).fit(X, y, note=note, tag=NUMBERS)
    assert all(member.seen_.note == note for member in bag.estimators_)


@pytest.mark.usefixtures("routing")
def test_metadata_reach_the_steps_of_a_pipeline():
    """Steps that ask for metadata get them through a pipeline, along with weights."""
    X, y = regression_data()
    base = make_pipeline(StandardScaler(), WeightedRecorder().set_fit_request(tag=True))
    bag = regressor(base).fit(X, y, tag=NUMBERS, sample_weight=WEIGHTS)
    assert bag.row_mode_ == "weights"
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        seen = member[-1].seen_
        times = seen.sample_weight.astype(int)
        np.testing.assert_array_equal(np.repeat(seen.tag, times), rows)


@pytest.mark.usefixtures("routing")
def test_metadata_at_prediction():
    """The members' `predict` gets what it asks for."""
    X, y = regression_data()
    bag = regressor(WeightedRecorder().set_predict_request(factor=True)).fit(X, y)
    np.testing.assert_allclose(bag.predict(X, factor=3.0), 3 * bag.predict(X))
    each = np.linspace(0, 1, len(X))
    np.testing.assert_allclose(bag.predict(X, factor=each), each * bag.predict(X))


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_metadata_of_rows_at_prediction_in_parts(aggregate, monkeypatch):
    """Rows that are predicted in parts keep their metadata."""
    monkeypatch.setattr("genestimators.bagging._predict.MOST_ANSWERS", 64)
    X, y = regression_data()
    base = WeightedRecorder().set_predict_request(factor=True)
    bag = regressor(base, aggregate=aggregate).fit(X, y)
    each = np.linspace(0, 1, len(X))
    np.testing.assert_allclose(bag.predict(X, factor=each), each * bag.predict(X))


@pytest.mark.usefixtures("routing")
def test_metadata_nobody_asked_for_are_refused():
    """Arguments that the base has not requested raise scikit-learn's own error."""
    X, y = regression_data()
    with pytest.raises(TypeError, match="unexpected argument"):
        regressor(Ridge()).fit(X, y, tag=NUMBERS)
    with pytest.raises(ValueError, match="tag"):
        regressor(RowRecorder()).fit(X, y, tag=NUMBERS)
    with pytest.raises(TypeError, match="unexpected argument"):
        regressor(Ridge()).fit(X, y).predict(X, factor=2)


def test_metadata_without_routing_are_refused():
    """With routing off further arguments raise an error that says what to do."""
    X, y = regression_data()
    message = "only with metadata routing switched on.*Got \\['note', 'tag'\\]"
    with pytest.raises(TypeError, match=message):
        regressor(WeightedRecorder()).fit(X, y, tag=NUMBERS, note=1)
    bag = regressor(WeightedRecorder()).fit(X, y)
    with pytest.raises(TypeError, match=r"BootstrapBaggingRegressor.predict passes"):
        bag.predict(X, factor=2)


@pytest.mark.usefixtures("routing")
def test_groups_are_requested_by_default():
    """Cross-validation hands groups to splitter and bag without any request."""
    X, y = regression_data()
    found = cross_validate(
        regressor(resampling="group"),
        X,
        y,
        cv=GroupKFold(3),
        params={"groups": GROUPS},
        return_estimator=True,
        return_indices=True,
    )
    for bag, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        for rows in bag.estimators_samples_:
            times = np.bincount(rows, minlength=len(train))
            for group in np.unique(GROUPS[train]):
                assert np.ptp(times[GROUPS[train] == group]) == 0
    cross_val_predict(
        regressor(resampling="group"), X, y, cv=GroupKFold(3), params={"groups": GROUPS}
    )


@pytest.mark.usefixtures("routing")
def test_groups_through_a_search_and_a_pipeline():
    """They get through a search, and through a pipeline that ends in a bag."""
    X, y = regression_data()
    pipeline = make_pipeline(
        StandardScaler(), regressor(DecisionTreeRegressor(), resampling="group")
    )
    grid = {"bootstrapbaggingregressor__estimator__max_depth": [1, 3]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), error_score="raise")
    search.fit(X, y, groups=GROUPS)
    bag = search.best_estimator_[-1]
    depth = search.best_params_["bootstrapbaggingregressor__estimator__max_depth"]
    again = regressor(DecisionTreeRegressor(max_depth=depth), resampling="group")
    again.fit(search.best_estimator_[0].transform(X), y, groups=GROUPS)
    assert_same_fit(bag, again, X)


@pytest.mark.usefixtures("routing")
def test_groups_reach_a_base_that_splits_by_them():
    """A search inside each member splits by the groups of its rows."""
    X, y = regression_data()
    inner = GridSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=GroupKFold(2))
    bag = regressor(inner, resampling="group").fit(X, y, groups=GROUPS)
    assert bag.row_mode_ == "rows"
    assert bag.estimators_[0].n_splits_ == 2


def test_groups_without_routing():
    """With routing off a column of X holds the groups, also inside a search."""
    X, y = regression_data()
    X[:, 3] = GROUPS
    search = GridSearchCV(
        regressor(DecisionTreeRegressor(), resampling=GroupBootstrap(groups=3)),
        {"estimator__max_depth": [1, 3]},
        cv=GroupKFold(3),
        error_score="raise",
    )
    search.fit(X, y, groups=GROUPS)
    bag = regressor(search.best_estimator_.estimator, resampling="group")
    assert_same_fit(bag.fit(X, y, groups=GROUPS), search.best_estimator_, X)


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    "base",
    [Ridge(), make_pipeline(StandardScaler(), Ridge()), KNeighborsRegressor()],
    ids=str,
)
def test_weights_are_requested_on_the_bag_alone(base):
    """A request on the bag suffices; the base's own is of no importance."""
    X, y = regression_data()
    bag = regressor(base).set_fit_request(sample_weight=True)
    bag.set_score_request(sample_weight=False)
    search = GridSearchCV(bag, {"n_estimators": [2, 3]}, cv=2, error_score="raise")
    search.fit(X, y, sample_weight=WEIGHTS)
    alone = regressor(base, n_estimators=search.best_params_["n_estimators"])
    alone.fit(X, y, sample_weight=WEIGHTS)
    assert_same_fit(search.best_estimator_, alone, X)
    np.testing.assert_array_equal(
        search.best_estimator_.oob_prediction_, alone.oob_prediction_
    )


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("request_", [True, False, None])
def test_request_of_the_base_is_left_alone(request_):
    """Whatever the base requests of weights, the fit is the same and it keeps it."""
    X, y = regression_data()
    base = Ridge().set_fit_request(sample_weight=request_)
    bag = regressor(base).fit(X, y, sample_weight=WEIGHTS)
    assert_same_fit(bag, regressor(Ridge()).fit(X, y, sample_weight=WEIGHTS), X)
    routing = base.get_metadata_routing().fit.requests["sample_weight"]
    assert routing is request_


REGRESSORS = {
    "tree": (None, "weights"),
    "ridge": (Ridge(), "weights"),
    "forest": (RandomForestRegressor(n_estimators=2), "weights"),
    "scaled": (make_pipeline(StandardScaler(), Ridge()), "weights"),
    "nested": (make_pipeline(make_pipeline(StandardScaler()), Ridge()), "weights"),
    "bag": (BootstrapBaggingRegressor(Ridge(), n_estimators=2), "weights"),
    "bag_of_scaled": (
        BootstrapBaggingRegressor(
            make_pipeline(StandardScaler(), Ridge()), n_estimators=2
        ),
        "weights",
    ),
    "neighbors": (KNeighborsRegressor(), "rows"),
    "scaled_neighbors": (
        make_pipeline(StandardScaler(), KNeighborsRegressor()),
        "rows",
    ),
    "search": (GridSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=2), "rows"),
}
CLASSIFIERS = {
    "logistic": (LogisticRegression(), "weights"),
    "svc": (make_pipeline(StandardScaler(), SVC()), "weights"),
    "calibrated": (CalibratedClassifierCV(LinearSVC(), cv=2), "weights"),
}


@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", [*REGRESSORS, *CLASSIFIERS])
def test_routing_does_not_change_the_fit(name, weight):
    """Members, figures and row mode are the same with routing on and off."""
    classifies = name in CLASSIFIERS
    base, mode = (CLASSIFIERS if classifies else REGRESSORS)[name]
    bag = BootstrapBaggingClassifier if classifies else BootstrapBaggingRegressor
    X, y = classification_data() if classifies else regression_data()
    bags = []
    for enabled in (False, True):
        with config_context(enable_metadata_routing=enabled):
            bags.append(bag(base, n_estimators=4, random_state=0))
            bags[-1].fit(X, y, sample_weight=weight)
            assert bags[-1].row_mode_ == mode
    assert_same_fit(*bags, X)
    for figure, value in figures_of(bags[0]).items():
        np.testing.assert_array_equal(value, getattr(bags[1], figure))


@pytest.mark.usefixtures("routing")
def test_routing_of_an_unfitted_bag():
    """`get_metadata_routing` works before `fit` and names the bag's own requests."""
    bag = regressor(WeightedRecorder().set_fit_request(tag=True, sample_weight=True))
    routing = bag.get_metadata_routing()
    assert routing.consumes("fit", ["groups", "tag", "sample_weight"]) == {
        "groups",
        "tag",
    }
    assert "tag" in str(routing)
