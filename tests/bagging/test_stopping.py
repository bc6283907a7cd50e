"""`n_estimators="auto"`: how many replicates are fitted, and why."""

import math

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from genestimators.bagging._out_of_bag import OutOfBagSums
from genestimators.bagging._stopping import next_goal, replicates_needed


def test_replicates_needed_is_variance_over_tolerated_loss():
    """B = V / (tolerance x R) with V and R of the sums."""
    rng = np.random.default_rng(0)
    sums = OutOfBagSums(np.zeros((50, 1)), np.zeros(1, dtype=int))
    noise = rng.normal(size=(50, 1))
    for _ in range(400):
        sums.add(np.arange(50), noise + 2 * rng.normal(size=(50, 1)))
    needed = replicates_needed(sums, None, 0.01, np.ones(1))
    assert needed == pytest.approx(4 / 0.01 / np.mean(noise**2), rel=0.15)


def test_next_goal():
    """Goals are whole blocks of ten, at most the maximum, never less than there are."""
    assert next_goal(3.0, 10, 200) == 10
    assert next_goal(10.1, 10, 200) == 20
    assert next_goal(1000.0, 20, 200) == 200
    assert next_goal(math.inf, 10, 35) == 35


def test_smooth_learners_stop_at_the_pilot():
    """A linear model with many rows needs no more than ten replicates."""
    X, y = make_regression(500, 10, noise=50, random_state=0)
    assert BootstrapBaggingRegressor(Ridge()).fit(X, y).n_estimators_ == 10
    X, y = make_classification(500, 10, flip_y=0.2, random_state=0)
    bag = BootstrapBaggingClassifier(LogisticRegression())
    assert bag.fit(X, y).n_estimators_ == 10


def test_trees_get_as_many_as_the_tolerance_asks():
    """A looser tolerance stops earlier, and what remains is within it."""
    X, y = make_regression(200, 5, noise=50, random_state=0)
    numbers = {}
    for tolerance in (0.1, 0.02):
        bag = BootstrapBaggingRegressor(tolerance=tolerance, random_state=0).fit(X, y)
        numbers[tolerance] = bag.n_estimators_
        loss = (1 - bag.oob_score_) * y.var()
        assert bag.bagging_gain_ / bag.n_estimators_ <= 1.01 * tolerance * loss
    assert numbers[0.1] < numbers[0.02]


def test_max_estimators_is_the_most():
    """The maximum is kept, also below a pilot block."""
    X, y = make_regression(60, 5, noise=50, random_state=0)
    for most in (3, 25):
        bag = BootstrapBaggingRegressor(max_estimators=most, tolerance=1e-6)
        assert bag.fit(X, y).n_estimators_ == most


@pytest.mark.parametrize("oob_score", [True, False])
@pytest.mark.parametrize(
    "base", [DecisionTreeRegressor(), Ridge(1e-3), KNeighborsRegressor(1)]
)
def test_weighted_and_repeated_data_decide_alike(base, oob_score):
    """A row of weight k is k rows, also for the number of replicates."""
    rng = np.random.default_rng(1)
    X, y = make_regression(60, 20, noise=50, random_state=0)
    weight = rng.integers(0, 4, size=60).astype(float)
    rows = rng.permutation(np.repeat(np.arange(60), weight.astype(int)))
    bag = BootstrapBaggingRegressor(
        base, random_state=0, tolerance=0.015, oob_score=oob_score
    )
    if isinstance(base, KNeighborsRegressor):  # else there are infinitely many
        bag.set_params(engine="generic")
    repeated = bag.fit(X[rows], y[rows]).n_estimators_
    prediction = bag.predict(X)
    with np.errstate(all="ignore"):
        weighted = bag.fit(X, y, sample_weight=weight).n_estimators_
    assert weighted == repeated
    assert repeated > 10
    np.testing.assert_array_equal(bag.predict(X), prediction)


def test_auto_is_deterministic_and_independent_of_n_jobs():
    """The same seed gives the same number, whatever n_jobs is."""
    X, y = make_regression(80, 5, noise=50, random_state=0)
    numbers = {
        BootstrapBaggingRegressor(random_state=3, n_jobs=n_jobs).fit(X, y).n_estimators_
        for n_jobs in (1, 2)
    }
    assert len(numbers) == 1


def test_auto_works_without_probabilities_and_without_noise():
    """Votes decide where there are no probabilities; a perfect fit needs no more."""
    X, y = make_classification(100, 5, random_state=0)
    assert BootstrapBaggingClassifier(LinearSVC()).fit(X, y).n_estimators_ >= 10
    X, y = make_regression(100, 5, noise=0.0, random_state=0)
    bag = BootstrapBaggingRegressor(LinearRegression())
    assert bag.fit(X, y).n_estimators_ == 10


def test_auto_without_out_of_bag_rows_goes_by_the_training_loss():
    """The Bayesian bootstrap leaves nothing out; auto still comes to an end."""
    X, y = make_regression(300, 5, noise=50, random_state=0)
    bag = BootstrapBaggingRegressor(Ridge(), resampling="bayesian", oob_score=False)
    assert bag.fit(X, y).n_estimators_ == 10
