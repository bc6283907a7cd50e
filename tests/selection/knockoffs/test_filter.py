"""From knockoff statistics to a selection: thresholds, e-values, their guarantees."""

import numpy as np
import pytest

from genestimators.selection.knockoffs._filter import (
    e_bh_q_values,
    fewest_discoveries,
    knockoff_e_values,
    selected,
)


def random_statistics(seed, n_copies, n_units, n_true):
    """Statistics with ties and zeros; those of true units lean to the right."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(n_copies, n_units))
    found[:, :n_true] += 2.0
    return np.round(4 * found) / 4


def knockoff_plus(W, alpha, offset):
    """The selection of one copy as Barber and Candes write it."""
    for t in sorted(set(np.abs(W[W != 0]).tolist())):
        if (offset + (W <= -t).sum()) / max(1, (W >= t).sum()) <= alpha + 1e-12:
            return t <= W
    return np.zeros(len(W), dtype=bool)


def slow_e_values(statistics, alpha, offset):
    """One copy after another, one threshold after another, from below."""
    n_copies, n_units = statistics.shape
    level = alpha if n_copies == 1 else alpha / 2
    total = np.zeros(n_units)
    for W in statistics:
        for t in sorted(set(np.abs(W[W != 0]).tolist())):
            positive, negative = (t <= W).sum(), (-t >= W).sum()
            stop = offset + negative <= level * positive + 1e-12
            if offset == 1 and level * positive < 1 - 1e-12:
                stop |= offset + negative <= alpha * positive + 1e-12
                stop |= alpha * positive < 1 - 1e-12
            if stop:
                false = 1 + negative if offset else max(negative, level * positive)
                total += n_units * (t <= W) / max(false, 1e-300)
                break
    return total / n_copies


def slow_e_bh(e_values, alpha):
    """The largest k of which the k largest e-values allow it."""
    n_units = len(e_values)
    order = sorted(range(n_units), key=lambda j: -e_values[j])
    chosen = np.zeros(n_units, dtype=bool)
    for k in range(1, n_units + 1):
        if e_values[order[k - 1]] >= n_units / (alpha * k) * (1 - 1e-12):
            chosen[order[:k]] = True
    return chosen


@pytest.mark.parametrize("n_copies", [1, 2, 7])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("offset", [0, 1])
def test_e_values_and_selection_equal_slow_loops(n_copies, alpha, offset):
    """Sorted sums equal counting anew at each threshold, ties and zeros included."""
    for seed in range(8):
        statistics = random_statistics(seed, n_copies, 60, 5 * seed)
        e_values = knockoff_e_values(statistics, alpha, offset)
        np.testing.assert_allclose(e_values, slow_e_values(statistics, alpha, offset))
        chosen = selected(e_bh_q_values(e_values), alpha)
        np.testing.assert_array_equal(chosen, slow_e_bh(e_values, alpha))


@pytest.mark.parametrize("alpha", [0.05, 0.07, 0.1, 0.2, 0.29, 0.5])
@pytest.mark.parametrize("offset", [0, 1])
def test_one_copy_selects_as_the_original_filter(alpha, offset):
    """With one copy the e-values select what Barber and Candes select."""
    some = False
    for seed in range(30):
        statistics = random_statistics(seed, 1, 80, 2 * seed)
        e_values = knockoff_e_values(statistics, alpha, offset)
        chosen = selected(e_bh_q_values(e_values), alpha)
        wanted = knockoff_plus(statistics[0], alpha, offset)
        np.testing.assert_array_equal(chosen, wanted)
        some |= wanted.any()
    assert some


@pytest.mark.parametrize("n_copies", [1, 3])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2, 0.5])
def test_fewest_discoveries(n_copies, alpha):
    """That many can be selected, one fewer never."""
    fewest = fewest_discoveries(alpha)
    assert fewest == round(1 / alpha)
    for n_true in range(1, fewest + 1):
        statistics = np.zeros((n_copies, 200))
        statistics[:, :n_true] = 1.0
        e_values = knockoff_e_values(statistics, alpha)
        chosen = selected(e_bh_q_values(e_values), alpha)
        assert chosen.sum() == (n_true if n_true == fewest else 0)
    assert fewest_discoveries(alpha, offset=0) == 1
    assert fewest_discoveries(0.3) == 4


def test_without_offset_one_unit_can_be_selected():
    """One unit that stands out in each copy is selected with offset=0."""
    statistics = np.zeros((5, 10))
    statistics[:, 3] = 1.0
    e_values = knockoff_e_values(statistics, 0.1, offset=0)
    assert np.flatnonzero(selected(e_bh_q_values(e_values), 0.1)).tolist() == [3]


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (2, 5)])
def test_statistics_of_zero_select_nothing(offset, shape):
    """No evidence, no selection, and q-values of 1."""
    e_values = knockoff_e_values(np.zeros(shape), 0.1, offset)
    assert e_values.tolist() == [0.0] * shape[1]
    assert e_bh_q_values(e_values).tolist() == [1.0] * shape[1]


def test_q_values_are_the_least_levels():
    """Just above its q-value a unit is selected, just below it is not."""
    e_values = np.random.default_rng(0).exponential(20, size=40)
    q_values = e_bh_q_values(e_values)
    for j in np.flatnonzero(q_values < 1):
        assert slow_e_bh(e_values, q_values[j] * 1.0001)[j]
        assert not slow_e_bh(e_values, q_values[j] * 0.9999)[j]
    assert (np.diff(q_values[np.argsort(-e_values)]) >= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("n_copies", [1, 10])
@pytest.mark.parametrize("n_true", [0, 20])
def test_e_values_hold_their_sum(n_copies, n_true):
    """The e-values of units without effect add up to at most n_units on average."""
    rng = np.random.default_rng(0)
    n_units, trials = 60, 1500
    sums, rates = [], []
    for _ in range(trials):
        # Signs of null units are coins, given all sizes; copies share the sizes, so
        # they are as dependent as can be but for their signs.
        size = rng.exponential(size=n_units)
        size[:n_true] += 1.5
        sign = rng.choice([-1.0, 1.0], size=(n_copies, n_units))
        sign[:, :n_true] = 1.0
        e_values = knockoff_e_values(size * sign, 0.2)
        sums.append(e_values[n_true:].sum())
        chosen = selected(e_bh_q_values(e_values), 0.2)
        rates.append(chosen[n_true:].sum() / max(1, chosen.sum()))
    for values, bound in ((sums, n_units), (rates, 0.2)):
        # Three standard errors of a mean of 1500 trials.
        error = np.std(values) / np.sqrt(trials)
        assert np.mean(values) <= bound + 3 * error
