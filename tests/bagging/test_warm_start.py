"""Growing an ensemble, and what an interrupted fit leaves behind."""

import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor

FIGURES = (
    "oob_score_",
    "oob_score_std_error_",
    "train_score_",
    "generalization_gap_",
    "generalization_gap_std_error_",
    "bagging_gain_",
    "bagging_gain_std_error_",
)


@pytest.mark.parametrize("aggregate", ["mean", "median"])
@pytest.mark.parametrize("sizes", [(10, 20), (7, 25), (50, 100), (3, 10, 31)])
def test_growing_equals_fitting_at_once_to_the_bit(sizes, aggregate):
    """Members, predictions and every figure are those of one large fit."""
    X, y = make_regression(60, 4, noise=20, random_state=0)
    grown = BootstrapBaggingRegressor(
        warm_start=True, random_state=0, aggregate=aggregate
    )
    for size in sizes:
        grown.set_params(n_estimators=size).fit(X, y)
    whole = BootstrapBaggingRegressor(
        n_estimators=sizes[-1], random_state=0, aggregate=aggregate
    ).fit(X, y)
    np.testing.assert_array_equal(grown.predict(X), whole.predict(X))
    np.testing.assert_array_equal(grown.oob_prediction_, whole.oob_prediction_)
    for name in FIGURES:
        assert getattr(grown, name) == getattr(whole, name), name
    for ours, theirs in zip(
        grown.estimators_samples_, whole.estimators_samples_, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_growing_a_classifier_and_switching_warm_start_on_later():
    """What was not kept is made again from the members."""
    X, y = make_classification(60, 5, random_state=0)
    grown = BootstrapBaggingClassifier(n_estimators=10, random_state=0).fit(X, y)
    grown.set_params(warm_start=True, n_estimators=30).fit(X, y)
    whole = BootstrapBaggingClassifier(n_estimators=30, random_state=0).fit(X, y)
    assert grown.oob_score_ == whole.oob_score_
    np.testing.assert_array_equal(
        grown.oob_decision_function_, whole.oob_decision_function_
    )


def test_growing_without_a_seed_goes_on_with_the_first_one():
    """random_state=None draws a seed once; growing keeps it."""
    X, y = make_regression(40, 3, random_state=0)
    bag = BootstrapBaggingRegressor(n_estimators=5, warm_start=True).fit(X, y)
    first = bag.estimators_samples_[2]
    bag.set_params(n_estimators=8).fit(X, y)
    np.testing.assert_array_equal(bag.estimators_samples_[2], first)


def test_auto_never_shrinks():
    """A bag that is larger than auto asks for stays as it is, and may grow."""
    X, y = make_regression(200, 3, noise=20, random_state=0)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=40, warm_start=True)
    bag.fit(X, y).set_params(n_estimators="auto").fit(X, y)
    assert bag.n_estimators_ == 40
    bag = BootstrapBaggingRegressor(warm_start=True, tolerance=0.1).fit(X, y)
    before = bag.n_estimators_
    assert bag.set_params(tolerance=0.02).fit(X, y).n_estimators_ > before


def test_fewer_estimators_than_fitted_raise():
    """An ensemble does not shrink by warm start."""
    X, y = make_regression(40, 3, random_state=0)
    bag = BootstrapBaggingRegressor(n_estimators=6, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="must not shrink with `warm_start=True`"):
        bag.set_params(n_estimators=4).fit(X, y)


@pytest.mark.parametrize("change", ["y", "X", "order", "weight", "resampling"])
def test_other_data_raise(change):
    """Growing on other data would mix two out-of-bag scores."""
    X, y = make_regression(40, 3, random_state=0)
    bag = BootstrapBaggingRegressor(n_estimators=6, warm_start=True).fit(X, y)
    weight = None
    if change == "y":
        y = y[::-1].copy()
    if change == "X":
        X = X + (np.arange(40) == 3)[:, None]
    if change == "order":
        X, y = X[::-1].copy(), y[::-1].copy()
    if change == "weight":
        weight = np.full(40, 2.0)
    if change == "resampling":
        bag.set_params(max_samples=0.5)
    with pytest.raises(ValueError, match="grows the ensemble on the data it was"):
        bag.set_params(n_estimators=8).fit(X, y, sample_weight=weight)


class Stumbles(RegressorMixin, BaseEstimator):
    """Fits a constant; the fit number `at` raises."""

    fits = 0

    def __init__(self, at=None, error=RuntimeError):
        self.at = at
        self.error = error

    def fit(self, X, y):
        type(self).fits += 1
        if self.at is not None and type(self).fits == self.at:
            raise self.error("stumbled")
        self.mean_ = y.mean()
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_warm_fit_keeps_what_was_fitted(error):
    """After an interruption the bag predicts, and the next fit goes on."""
    X, y = make_regression(40, 3, random_state=0)
    Stumbles.fits = 0
    bag = BootstrapBaggingRegressor(
        Stumbles(at=8, error=error), n_estimators=20, warm_start=True, random_state=0
    )
    with pytest.raises(error, match="stumbled"):
        bag.fit(X, y)
    assert bag.n_estimators_ == 7
    assert np.isfinite(bag.predict(X)).all()
    assert np.isfinite(bag.oob_score_)
    bag.fit(X, y)
    whole = BootstrapBaggingRegressor(Stumbles(), n_estimators=20, random_state=0)
    assert bag.n_estimators_ == 20
    assert bag.oob_score_ == whole.fit(X, y).oob_score_


def test_an_interrupted_plain_fit_leaves_the_earlier_one():
    """Without warm start an interrupted fit changes no member."""
    X, y = make_regression(40, 3, random_state=0)
    bag = BootstrapBaggingRegressor(Stumbles(), n_estimators=3, random_state=0)
    bag.fit(X, y)
    Stumbles.fits = 0
    bag.set_params(estimator=Stumbles(at=2))
    with pytest.raises(RuntimeError, match="stumbled"):
        bag.fit(X, y)
    assert bag.n_estimators_ == 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failing_replicate_is_named_in_a_note(n_jobs):
    """The error keeps its type; a note says where it happened."""
    X, y = make_regression(40, 3, random_state=0)
    bad = DecisionTreeRegressor(max_depth=-1)
    bag = BootstrapBaggingRegressor(bad, n_estimators=3, n_jobs=n_jobs)
    with pytest.raises(ValueError, match="max_depth") as raised:
        bag.fit(X, y)
    # With two jobs either of the first two may be the first to fail.
    note = " ".join(raised.value.__notes__)
    assert re.search(r"replicate [01] of BootstrapBaggingRegressor", note)
