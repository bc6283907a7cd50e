"""What bags say where intervals, sets or standard errors cannot be had, or mislead."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OutOfBagWarning,
)
from genestimators._exceptions import CoverageWarning, FewReplicatesWarning
from tests.bagging.toys import classification_data, multilabel_data, regression_data

NEW, _ = regression_data(9, seed=99)


def test_a_number_of_members_that_the_data_chose_is_warned_of_once_a_call():
    """Intervals and sets; growing by a fixed number does not undo it."""
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(
        Ridge(), max_estimators=20, warm_start=True, random_state=0
    ).fit(X, y)
    with pytest.warns(
        CoverageWarning, match='n_estimators="auto", which chose'
    ) as seen:
        bag.predict_interval(NEW)
    assert len(seen) == 1
    bag.set_params(n_estimators=30).fit(X, y)
    with pytest.warns(CoverageWarning):
        bag.predict_interval(NEW)
    bag.set_params(warm_start=False).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bag.predict_interval(NEW)
    voter = BootstrapBaggingClassifier(max_estimators=20, random_state=0)
    with pytest.warns(CoverageWarning) as seen:
        voter.fit(X, np.where(y > 0, "a", "b")).predict_set(NEW)
    assert len(seen) == 1


def test_rows_that_were_never_out_of_bag_are_counted_in_a_warning():
    """They stand at both ends, with the numbers in the sentence."""
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=5, random_state=0).fit(X, y)
    never = np.count_nonzero(np.isnan(bag.oob_prediction_))
    assert never
    with pytest.warns(OutOfBagWarning, match=f"{never} of 60 training rows were never"):
        ends = bag.predict_interval(NEW, confidence_level=0.5)
    assert np.isfinite(ends).all()
    with pytest.raises(ValueError, match=rf"57\.95 at.*Got {60 - never};"):
        bag.predict_interval(NEW, confidence_level=0.95)


def test_too_few_rows_for_a_level():
    """The sentence says what the level needs, what there is, and what would do."""
    X, y = regression_data(12)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=20, random_state=0).fit(X, y)
    assert np.isfinite(bag.predict_interval(NEW, confidence_level=12 / 13)).all()
    with pytest.raises(
        ValueError,
        match=r"12 there are: 12\.35 at `confidence_level=0\.95`\. Got 12; ask for a "
        r"level of at most 0\.923",
    ):
        bag.predict_interval(NEW, confidence_level=0.95)
    grouped = BootstrapBaggingRegressor(
        Ridge(), n_estimators=20, resampling="group", random_state=0
    ).fit(X, y, groups=np.arange(12) // 3)
    assert np.isfinite(grouped.predict_interval(NEW, confidence_level=0.8)).all()
    with pytest.raises(ValueError, match="Intervals need groups that were out of bag"):
        grouped.predict_interval(NEW)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 90, float("nan")])
def test_levels_out_of_range(level):
    """The level is a share, open at both ends."""
    X, y = classification_data(40)
    voter = BootstrapBaggingClassifier(n_estimators=10, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="must lie strictly between 0 and 1"):
        voter.predict_set(X, confidence_level=level)
    bag = BootstrapBaggingRegressor(n_estimators=10, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=f"Got {level!r}"):
        bag.predict_interval(X, confidence_level=level)


@pytest.mark.parametrize("level", ["0.9", None, True, [0.9]])
def test_levels_that_are_no_numbers(level):
    """A list of levels, or a text, is a matter of type."""
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(n_estimators=10, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="must be a number between 0 and 1"):
        bag.predict_interval(X, confidence_level=level)


def test_methods_that_are_not_known():
    """The sentence lists those there are; blocks have one only."""
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=10, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"`method` must be one of .*Got 'plus'"):
        bag.predict_interval(X, method="plus")
    bag.set_params(resampling="block").fit(X, y)
    with pytest.raises(ValueError, match="one width around the prediction"):
        bag.predict_interval(X, method="jackknife-minmax")
    with pytest.raises(ValueError, match="blocks are drawn where they do"):
        bag.predict_std(X)


def test_bags_that_are_not_fitted():
    """In scikit-learn's words."""
    with pytest.raises(NotFittedError):
        BootstrapBaggingRegressor().predict_interval(NEW)
    with pytest.raises(NotFittedError):
        BootstrapBaggingRegressor().predict_std(NEW)
    with pytest.raises(NotFittedError):
        BootstrapBaggingClassifier().predict_set(NEW)


def test_fits_without_out_of_bag_predictions():
    """Also after one that had them."""
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=20, random_state=0).fit(X, y)
    bag.predict_interval(NEW)
    bag.set_params(oob_score=False).fit(X, y)
    with pytest.raises(ValueError, match=r"`oob_score=True`\. Got oob_score=False"):
        bag.predict_interval(NEW)
    voter = BootstrapBaggingClassifier(n_estimators=10, oob_score=False, random_state=0)
    with pytest.raises(ValueError, match="Sets of classes need the out-of-bag"):
        voter.fit(X, np.where(y > 0, "a", "b")).predict_set(NEW)


def test_bags_without_sets_or_standard_errors():
    """Several outputs, medians, logits, decisions, and too few members."""
    X, y = multilabel_data()
    several = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"are for one output\. Got .* 3;"):
        several.predict_set(X)
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=20, aggregate="median", random_state=0
    ).fit(X, y)
    with pytest.raises(ValueError, match="aggregate='median'"):
        bag.predict_std(X)
    bag.set_params(aggregate="mean", n_estimators=10).fit(X, y)
    with pytest.raises(ValueError, match=r"more than 10 of them.*Got 10"):
        bag.predict_std(X)
    decides = BootstrapBaggingClassifier(RidgeClassifier(), n_estimators=20)
    assert not hasattr(decides, "predict_set")
    assert not hasattr(decides, "predict_std")


def test_wrong_columns_are_refused_as_in_predict():
    """Shapes are checked before members are asked."""
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(n_estimators=20, random_state=0).fit(X, y)
    for ask in (bag.predict_interval, bag.predict_std):
        with pytest.raises(ValueError, match="3 features"):
            ask(X[:, :3])
        with pytest.raises(ValueError, match="Expected 2D array"):
            ask(X[0])


def test_noise_of_few_members_is_warned_of_with_numbers():
    """Trees need about as many members as rows; with them there is no warning."""
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(n_estimators=20, random_state=0).fit(X, y)
    with pytest.warns(
        FewReplicatesWarning, match=r"With 20 estimators .* of 60 are set to zero"
    ):
        std = bag.predict_std(X)
    assert (std >= 0).all()
    assert (std == 0).any()
    steady = BootstrapBaggingRegressor(Ridge(), n_estimators=300, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steady.fit(X, y).predict_std(X)


@pytest.mark.parametrize("ask", ["predict_interval", "predict_std"])
def test_no_rows_to_answer(ask):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    bag = BootstrapBaggingRegressor(n_estimators=40, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) while"):
        getattr(bag, ask)(X[:0])


def test_methods_that_are_missing_say_why():
    X = np.random.default_rng(0).normal(size=(40, 2))
    bag = BootstrapBaggingClassifier(RidgeClassifier()).fit(X, X[:, 0] > 0)
    assert not hasattr(bag, "predict_set")
    with pytest.raises(AttributeError, match="no attribute 'predict_set'") as caught:
        bag.predict_set(X)
    assert "has no `predict_proba`, so its bag has no" in str(caught.value.__cause__)
    bag = BootstrapBaggingClassifier(make_pipeline(RidgeClassifier()))
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as caught:
        bag.partial_fit(X, X[:, 0] > 0)
    assert "has no `partial_fit`; fit all rows" in str(caught.value.__cause__)
