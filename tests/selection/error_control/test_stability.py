"""Stability of selections, its interval and the test of equality."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from genestimators.selection.error_control._stability import (
    compare_stability,
    selection_stability,
)


def random_selection(rng, n_draws, chances):
    return rng.uniform(size=(n_draws, len(chances))) < chances


def test_stability_is_the_mean_kappa_of_pairs():
    """For draws of one size, the mean over pairs of draws of Cohen's kappa."""
    rng = np.random.default_rng(0)
    for size in (1, 4, 9):
        strength = rng.normal(size=10)
        noisy = strength + rng.normal(size=(7, 10))
        selected = np.argsort(np.argsort(-noisy, axis=1), axis=1) < size
        kappas = [
            cohen_kappa_score(one, two)
            for one, two in itertools.combinations(selected, 2)
        ]
        found = selection_stability(selected).value
        assert found == pytest.approx(np.mean(kappas))


def test_stability_equals_slow_loop():
    """The definition, unit by unit."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        selected = random_selection(rng, 6, rng.uniform(size=8))
        variances = [np.var(column, ddof=1) for column in selected.T.astype(float)]
        share = selected.mean()
        expected = 1 - np.mean(variances) / (share * (1 - share))
        assert selection_stability(selected).value == pytest.approx(expected)


def test_std_error_is_that_of_the_jackknife():
    """Leaving out a draw at a time gives nearly the same standard error."""
    rng = np.random.default_rng(2)
    for chances in (np.full(30, 0.3), rng.uniform(size=30) ** 3):
        selected = random_selection(rng, 200, chances)
        others = [
            selection_stability(np.delete(selected, draw, axis=0)).value
            for draw in range(200)
        ]
        jackknife = np.sqrt(199 * np.var(others))
        found = selection_stability(selected).std_error
        # They differ by terms of one over the number of draws.
        assert found == pytest.approx(jackknife, rel=0.03)


def test_stability_at_its_ends():
    """Always the same units: 1, without error. Halves that never agree: -1."""
    same = selection_stability(np.tile([True, False, True], (5, 1)))
    assert same.value == 1
    assert same.std_error == pytest.approx(0, abs=1e-12)
    opposite = selection_stability([[1, 1, 0, 0], [0, 0, 1, 1]])
    assert opposite.value == -1


@pytest.mark.parametrize(
    ("selected", "reason"),
    [
        (np.zeros((4, 3), dtype=bool), "every draw selects no unit"),
        (np.ones((4, 3), dtype=bool), "every draw selects all units"),
        (np.ones((4, 1), dtype=bool), "every draw selects all units"),
        ([[True, False]], "a single draw"),
    ],
)
def test_undefined_stability_tells_why(selected, reason):
    """NaN, and the reason in words."""
    found = selection_stability(selected)
    assert np.isnan([found.value, found.std_error, *found.interval]).all()
    assert reason in found.reason
    assert reason in str(found)
    assert np.isnan(compare_stability(selected, [[1, 0], [1, 0], [0, 1]]).p_value)


def test_two_draws_have_a_stability_and_no_interval():
    """A standard error needs three draws."""
    found = selection_stability([[1, 1, 0, 0], [1, 0, 1, 0]])
    assert found.value == pytest.approx(0)
    assert np.isnan(found.std_error)
    assert "three draws" in str(found)


def test_comparison_of_selections_that_never_change():
    """Without any error, a difference is certain and equality too."""
    same = np.tile([True, False], (4, 1))
    assert compare_stability(same, same).p_value == 1
    one = compare_stability(
        same, random_selection(np.random.default_rng(0), 50, [0.5] * 9)
    )
    assert one.difference < 0
    assert one.p_value < 1e-10


def test_bad_input_is_told():
    """One sentence with the rule and the value."""
    with pytest.raises(ValueError, match=r"row for each draw .* \(3,\)"):
        selection_stability([True, False, True])
    with pytest.raises(ValueError, match="True or False"):
        selection_stability([[0.5, 1.0]])
    with pytest.raises(ValueError, match="`confidence` must be between 0 and 1"):
        selection_stability([[0, 1], [1, 0]], confidence=1)


@pytest.mark.slow
def test_coverage_and_level():
    """Intervals cover as often, and tests reject as often, as they say."""
    rng = np.random.default_rng(3)
    chances = np.r_[np.full(5, 0.9), np.full(5, 0.4), np.full(40, 0.05)]
    share = chances.mean()
    # The limit of many draws, from the probabilities themselves.
    true = 1 - np.mean(chances * (1 - chances)) / (share * (1 - share))
    covered, rejected = [], []
    for _ in range(1000):
        one, two = (random_selection(rng, 100, chances) for _ in range(2))
        low, high = selection_stability(one).interval
        covered.append(low <= true <= high)
        rejected.append(compare_stability(one, two).p_value < 0.05)
    # Three binomial standard errors of 1000 sets, 0.02, and 0.01 for the normal limit.
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.03)
