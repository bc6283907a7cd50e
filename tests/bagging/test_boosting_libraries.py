"""xgboost and lightgbm as bases, where they are installed."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.bagging.toys import (
    aligned_proba,
    assert_same_fit,
    classification_data,
    mostly_zero,
    multilabel_data,
    regression_data,
)

LIBRARIES = ["xgboost", "lightgbm"]
# lightgbm tells of rounds, and of parts of a frame it copies; neither is ours.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:lightgbm|xgboost")


def regressor_of(name, **params):
    library = pytest.importorskip(name)
    params = {"n_estimators": 5, "n_jobs": 1, **params}
    if name == "xgboost":
        return library.XGBRegressor(**params)
    return library.LGBMRegressor(verbose=-1, min_child_samples=3, **params)


def classifier_of(name, **params):
    library = pytest.importorskip(name)
    params = {"n_estimators": 5, "n_jobs": 1, **params}
    if name == "xgboost":
        return library.XGBClassifier(**params)
    return library.LGBMClassifier(verbose=-1, min_child_samples=3, **params)


@pytest.mark.parametrize("name", LIBRARIES)
def test_regressor_is_the_mean_of_its_members(name):
    """Weights reach the library, and members are averaged."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(regressor_of(name), n_estimators=4, random_state=0)
    bag.fit(X, y)
    assert bag.row_mode_ == "weights"
    mean = np.mean([member.predict(X) for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict(X), mean, rtol=1e-5)
    assert bag.predict(X).dtype == np.float64
    assert np.isfinite(bag.oob_score_)
    assert len({member.random_state for member in bag.estimators_}) == 4


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", LIBRARIES)
def test_classifier_is_the_mean_of_its_members(name, n_classes):
    """Probabilities are averaged and sum to one."""
    X, y = classification_data(n_classes=n_classes)
    bag = BootstrapBaggingClassifier(classifier_of(name), n_estimators=4)
    bag.set_params(random_state=0).fit(X, y)
    members = [aligned_proba(model, X, bag.classes_) for model in bag.estimators_]
    np.testing.assert_allclose(bag.predict_proba(X), np.mean(members, axis=0), 1e-5)
    np.testing.assert_allclose(bag.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(bag.predict(X), bag.predict_proba(X).argmax(axis=1))


def test_string_labels_for_lightgbm():
    """lightgbm takes labels as they are."""
    X, y = classification_data(labels=["a", "b", "c"])
    bag = BootstrapBaggingClassifier(classifier_of("lightgbm"), n_estimators=3)
    assert bag.fit(X, y).classes_.tolist() == ["a", "b", "c"]
    assert set(bag.predict(X)) <= {"a", "b", "c"}


@pytest.mark.parametrize("name", LIBRARIES)
def test_frames_with_categories(name):
    """A frame with categories and missing values is fitted as a frame."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    X[::6, 0] = np.nan
    frame = pandas.DataFrame(X[:, :3], columns=["a", "b", "c"])
    frame["town"] = pandas.Categorical(np.where(X[:, 1] > 0, "here", "there"))
    params = {"enable_categorical": True} if name == "xgboost" else {}
    bag = BootstrapBaggingRegressor(regressor_of(name, **params), n_estimators=3)
    bag.set_params(random_state=0).fit(frame, y)
    assert bag.feature_names_in_.tolist() == ["a", "b", "c", "town"]
    assert list(bag.estimators_[0].feature_names_in_) == ["a", "b", "c", "town"]
    mean = np.mean([member.predict(frame) for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict(frame), mean, rtol=1e-5)


@pytest.mark.parametrize("name", LIBRARIES)
def test_sparse_rows(name):
    """Sparse X reaches the library as such."""
    sparse = pytest.importorskip("scipy.sparse")
    X, y = mostly_zero()
    bag = BootstrapBaggingRegressor(regressor_of(name), n_estimators=3, random_state=0)
    assert np.isfinite(bag.fit(sparse.csr_matrix(X), y).predict(X)).all()


@pytest.mark.parametrize("name", LIBRARIES)
def test_repeats_equal_weights_and_order_does_not_matter(name):
    """The libraries get the same input for weighted, repeated and shuffled rows."""
    X, y = regression_data()
    weight = np.arange(60) % 3
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(60), weight))
    base = make_pipeline(StandardScaler(), regressor_of(name, subsample=0.8))
    bag = BootstrapBaggingRegressor(base, n_estimators=3, oob_score=False)
    bag.set_params(random_state=0)
    one = clone(bag).fit(X, y, sample_weight=weight)
    assert_same_fit(one, clone(bag).fit(X[rows], y[rows]), X)
    assert_same_fit(one, clone(bag).set_params(n_jobs=2).fit(X[rows], y[rows]), X)


@pytest.mark.parametrize("name", LIBRARIES)
def test_predictions_of_fewer_rounds(name):
    """An argument of `predict` that stops early is routed to the members."""
    X, y = regression_data()
    base, rounds = regressor_of(name), {"num_iteration": 2}
    if name == "xgboost":
        rounds = {"iteration_range": (0, 2)}
    with config_context(enable_metadata_routing=True):
        base.set_predict_request(**dict.fromkeys(rounds, True))
        bag = BootstrapBaggingRegressor(base, n_estimators=3, random_state=0).fit(X, y)
        early = bag.predict(X, **rounds)
    mean = np.mean([model.predict(X, **rounds) for model in bag.estimators_], axis=0)
    np.testing.assert_allclose(early, mean, rtol=1e-5)
    assert np.abs(early - bag.predict(X)).max() > 1e-3


def test_multilabel_and_several_targets_for_xgboost():
    """xgboost answers for several labels in one array."""
    X, Y = multilabel_data()
    bag = BootstrapBaggingClassifier(classifier_of("xgboost"), n_estimators=3)
    bag.set_params(random_state=0).fit(X, Y)
    present = np.mean([model.predict_proba(X) for model in bag.estimators_], axis=0)
    ours = np.column_stack([part[:, 1] for part in bag.predict_proba(X)])
    np.testing.assert_allclose(ours, present, rtol=1e-5)
    bag = BootstrapBaggingRegressor(regressor_of("xgboost"), n_estimators=3)
    assert bag.fit(X, X[:, :2]).predict(X).shape == (60, 2)


@pytest.mark.filterwarnings("ignore::genestimators.OneClassReplicateWarning")
def test_class_missing_from_a_replicate_for_lightgbm():
    """lightgbm members that lack a class are put in the right columns."""
    X, codes = classification_data()
    order = np.argsort(codes, kind="stable")
    X, y = X[order], np.array(["a", "b", "c"])[codes[order]]
    bag = BootstrapBaggingClassifier(classifier_of("lightgbm"), resampling="group")
    bag.set_params(n_estimators=10, random_state=0)
    bag.fit(X, y, groups=np.repeat(np.arange(6), 10))
    assert min(len(model.classes_) for model in bag.estimators_) == 2
    members = [aligned_proba(model, X, bag.classes_) for model in bag.estimators_]
    np.testing.assert_allclose(bag.predict_proba(X), np.mean(members, axis=0))
