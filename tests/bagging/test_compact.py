"""A compact bag predicts as the one it was made from, and says what it lacks."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import (
    HuberRegressor,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OutOfBagWarning,
)
from tests.bagging.toys import classification_data, figures_of, regression_data

REGRESSORS = {
    "ridge": (Ridge(), {}),
    "scaled": (make_pipeline(StandardScaler(), Ridge()), {}),
    "huber": (HuberRegressor(), {}),
    "columns": (Ridge(), {"max_features": 0.75}),
    "median": (Ridge(), {"aggregate": "median"}),
    "tree": (DecisionTreeRegressor(), {}),
    "tree of columns": (DecisionTreeRegressor(), {"max_features": 0.5}),
}
CLASSIFIERS = {
    "decisions": (RidgeClassifier(), {}),
    "generic decisions": (LinearSVC(), {}),
    "votes": (RidgeClassifier(), {"aggregate": "vote"}),
    "probabilities": (LogisticRegression(), {}),
    "generic": (LogisticRegression(), {"engine": "generic"}),
    "tree of classes": (DecisionTreeClassifier(max_depth=3), {}),
    "neighbours": (KNeighborsClassifier(), {"oob_score": False}),
}
# Bags of which one mean is enough.
ONE = ("ridge", "scaled", "huber", "columns", "decisions", "generic decisions")


def fitted(name):
    """A bag by its name, and rows."""
    if name in REGRESSORS:
        kind, (estimator, settings) = BootstrapBaggingRegressor, REGRESSORS[name]
        X, y = regression_data(80)
    else:
        kind, (estimator, settings) = BootstrapBaggingClassifier, CLASSIFIERS[name]
        X, y = classification_data(80, labels=["a", "b", "c"])
    bag = kind(estimator, n_estimators=12, random_state=0, **settings)
    return bag.fit(X, y), X


def assert_same_answers(one, other, X):
    """To the same bits, by every method there is."""
    for method in (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
    ):
        assert hasattr(one, method) == hasattr(other, method)
        if hasattr(one, method):
            for rows in (X, X[:1], X.astype(np.float32), X.tolist()):
                np.testing.assert_array_equal(
                    getattr(one, method)(rows), getattr(other, method)(rows)
                )


@pytest.mark.parametrize("name", [*REGRESSORS, *CLASSIFIERS])
def test_predicts_to_the_same_bits(name):
    """Before and after pickling; and it is smaller, with the same figures."""
    bag, X = fitted(name)
    small = bag.compact()
    assert type(small) is type(bag)
    assert repr(small.get_params()) == repr(bag.get_params())
    again = pickle.loads(pickle.dumps(small))
    for one in (small, again, small.compact()):
        assert_same_answers(one, bag, X)
        for figure, value in figures_of(bag).items():
            if np.ndim(value) == 0:
                assert getattr(one, figure) == value
        assert one.n_features_in_ == bag.n_features_in_
        assert one.n_estimators_ == bag.n_estimators_
        assert hasattr(one, "estimators_") == (name not in ONE)
    assert len(pickle.dumps(small)) < len(pickle.dumps(bag))
    # Nothing was taken from the bag itself.
    assert len(bag.estimators_) == 12
    assert len(bag.estimators_samples_) == 12


def test_a_collapsed_bag_is_a_fiftieth_of_scikit_learns():
    """Of a hundred members and fifty columns."""
    X, y = regression_data(300, 50)
    theirs = BaggingRegressor(Ridge(), n_estimators=100, random_state=0).fit(X, y)
    size = len(pickle.dumps(theirs))
    for estimator in (Ridge(), make_pipeline(StandardScaler(), Ridge())):
        ours = BootstrapBaggingRegressor(estimator, n_estimators=100, random_state=0)
        small = ours.fit(X, y).compact()
        if isinstance(estimator, Ridge):
            assert len(pickle.dumps(small)) <= size / 50
        # Twice the members take no more room.
        more = ours.set_params(n_estimators=200).fit(X, y).compact()
        assert abs(len(pickle.dumps(more)) - len(pickle.dumps(small))) < 50


def test_what_was_left_behind_is_said():
    """One sentence each, with the way out."""
    bag, X = fitted("ridge")
    small = bag.compact()
    for name in (
        "estimators_",
        "estimators_samples_",
        "estimators_features_",
        "oob_prediction_",
    ):
        assert not hasattr(small, name)
        with pytest.raises(
            AttributeError, match=rf"has left `{name}` behind; ask the bag that"
        ):
            getattr(small, name)
    for ask, what in (
        (small.predict_interval, "Intervals"),
        (small.predict_std, "Standard errors"),
    ):
        with pytest.raises(ValueError, match=rf"{what} need the draws.*; ask the bag"):
            ask(X)
    voter = fitted("probabilities")[0].compact()
    assert not hasattr(voter, "oob_decision_function_")
    with pytest.raises(ValueError, match="Sets of classes need the draws"):
        voter.predict_set(X)
    with pytest.raises(AttributeError, match="no attribute 'other_'"):
        _ = small.other_
    with pytest.raises(AttributeError, match="no attribute 'estimators_'"):
        _ = clone(small).estimators_


@pytest.mark.parametrize("name", ["ridge", "tree"])
def test_it_is_fitted_anew_but_does_not_grow(name):
    """A fit makes it an ordinary bag; going on would need what is gone."""
    bag, X = fitted(name)
    y = bag.predict(X)
    small = bag.compact().set_params(warm_start=True)
    with pytest.raises(ValueError, match=r"Bags that grow.*set `warm_start=False`"):
        small.fit(X, y)
    assert_same_answers(small, bag, X)
    small.set_params(warm_start=False).fit(X, y)
    whole = clone(bag).fit(X, y)
    assert_same_answers(small, whole, X)
    np.testing.assert_array_equal(small.oob_prediction_, whole.oob_prediction_)
    assert len(small.estimators_) == 12
    small.set_params(warm_start=True, n_estimators=15).fit(X, y)
    assert small.n_estimators_ == 15


def test_a_fit_that_fails_leaves_it_as_it_was():
    """Columns that it knows are those of the fit that succeeded."""
    bag, X = fitted("ridge")
    small = bag.compact()
    with pytest.raises(ValueError, match="NaN"):
        small.fit(np.full((20, 2), np.nan), np.arange(20.0))
    assert_same_answers(small, bag, X)


def test_clones_and_is_shown():
    """A clone is unfitted; the HTML representation asks for all attributes."""
    bag, X = fitted("ridge")
    small = bag.compact()
    with pytest.raises(NotFittedError):
        clone(small).predict(X)
    with pytest.raises(NotFittedError):
        clone(small).compact()
    assert "BootstrapBaggingRegressor" in small._repr_html_()
    assert repr(small) == repr(bag)


def test_names_of_columns_are_kept():
    """Frames with other names are refused."""
    pd = pytest.importorskip("pandas")
    X, y = regression_data(60)
    frame = pd.DataFrame(X, columns=list("abcd"))
    for estimator in (Ridge(), DecisionTreeRegressor()):
        bag = BootstrapBaggingRegressor(estimator, n_estimators=5, random_state=0)
        small = bag.fit(frame, y).compact()
        assert list(small.feature_names_in_) == list("abcd")
        np.testing.assert_array_equal(small.predict(frame), bag.predict(frame))
        with pytest.raises(ValueError, match="feature names should match"):
            small.predict(frame[list("bacd")])


def test_weights_groups_and_outputs():
    """Whatever was drawn, only the members count."""
    X, y = regression_data(60)
    groups = np.arange(60) // 3
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=12, resampling="group", random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutOfBagWarning)
        bag.fit(X, np.column_stack([y, -y]), sample_weight=groups % 3, groups=groups)
    assert_same_answers(bag.compact(), bag, X)


def test_of_a_stream():
    """A compact copy predicts and learns no further batches."""
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    bag = BootstrapBaggingClassifier(GaussianNB(), n_estimators=5, random_state=0)
    bag.partial_fit(X, y, classes=[0, 1])
    small = bag.compact()
    np.testing.assert_array_equal(small.predict_proba(X), bag.predict_proba(X))
    with pytest.raises(ValueError, match="Batches need the draws of the fit"):
        small.partial_fit(X, y)
    with pytest.raises(ValueError, match="Sets of classes need the draws"):
        small.predict_set(X)
    bag.partial_fit(X, y)
    again = small.fit(X, y).partial_fit(X, y, classes=[0, 1])  # an ordinary bag again
    assert again.n_samples_seen_ == 120


def test_of_infinitely_many_members():
    """The formula alone is kept."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    bag = BootstrapBaggingRegressor(KNeighborsRegressor()).fit(X, X[:, 0])
    assert bag.engine_ == "limit"
    small = pickle.loads(pickle.dumps(bag.compact()))
    np.testing.assert_array_equal(small.predict(X), bag.predict(X))
    assert np.isinf(small.n_estimators_)
    with pytest.raises(AttributeError, match="has left `estimators_` behind"):
        small.estimators_  # noqa: B018
