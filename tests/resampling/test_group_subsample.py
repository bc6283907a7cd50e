"""Subsamples of whole groups, alone or in pairs that share none."""

import pickle

import numpy as np
import pytest

from genestimators import BootstrapBaggingRegressor, GroupSubsample, Subsample
from genestimators.resampling._hashing import derive, mix_int
from genestimators.resampling._keys import column_keys
from tests.resampling import reference


def _data(n=60, n_groups=12, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.append(np.arange(n_groups), rng.integers(n_groups, size=n - n_groups))
    return rng.normal(size=(n, 2)), rng.normal(size=n), groups


def _drawn(draws, number, groups):
    return set(groups[draws[number].rows].tolist())


@pytest.mark.parametrize("fraction", [0.5, 0.1, 0.63, 0.95])
def test_groups_of_the_least_uniforms(fraction):
    """As many groups as come nearest to the fraction, by the documented recipe."""
    X, y, groups = _data()
    draws = GroupSubsample(fraction).prepare(X, y, groups=groups, seed=4)
    keys = column_keys(np.arange(12)).tolist()
    word = derive(4, "group subsample")
    for number in (0, 7, 12):
        order = sorted(
            range(12), key=lambda g: reference.uniform(keys[g], word, number)
        )
        expected = set(order[: max(1, round(12 * fraction))])
        assert _drawn(draws, number, groups) == expected
        draw = draws[number]
        assert sorted([*draw.rows, *draw.out_of_bag]) == list(range(60))
        assert (draw.counts == 1).all()


@pytest.mark.parametrize("fraction", [0.5, 0.4, 0.1])
def test_pairs_share_no_group(fraction):
    """The second of a pair has the greatest uniforms where the first has the least."""
    X, y, groups = _data()
    draws = GroupSubsample(fraction, True).prepare(X, y, groups=groups, seed=1)
    keys = column_keys(np.arange(12)).tolist()
    word = derive(1, "group subsample")
    for pair in range(5):
        first = _drawn(draws, 2 * pair, groups)
        second = _drawn(draws, 2 * pair + 1, groups)
        assert not first & second
        assert len(first) == len(second) == int(12 * fraction)
        own = derive(word, "pair", pair)
        order = sorted(range(12), key=lambda g: mix_int(keys[g] ^ own))
        assert first == set(order[: len(first)])
        assert second == set(order[-len(second) :])


def test_a_larger_fraction_holds_the_smaller_one():
    """With one seed draws of two sizes are nested."""
    X, y, groups = _data()
    small, large = (
        GroupSubsample(fraction, True).prepare(X, y, groups=groups, seed=1)
        for fraction in (0.2, 0.4)
    )
    for number in range(6):
        assert _drawn(small, number, groups) < _drawn(large, number, groups)


def test_order_of_rows_and_pickling_change_nothing():
    X, y, groups = _data()
    order = np.random.default_rng(1).permutation(60)
    first = GroupSubsample().prepare(X, y, groups=groups, seed=3)
    second = GroupSubsample().prepare(X[order], y[order], groups=groups[order], seed=3)
    copy = pickle.loads(pickle.dumps(first))
    for number in (11, 2, 0):
        assert (first[number].rows == order[second[number].rows]).all()
        assert (first[number].rows == copy[number].rows).all()


def test_groups_from_a_column_and_weights():
    """Groups in a column of X; rows of no weight are in no group."""
    X, y, groups = _data()
    X = np.column_stack([X, groups])
    weight = np.ones(60)
    weight[groups == 3] = 0.0
    draws = GroupSubsample(0.5, groups=2).prepare(X, y, sample_weight=weight, seed=0)
    for number in range(6):
        draw = draws[number]
        assert len(set(groups[draw.rows])) == round(0.5 * 11)
        assert 3 not in groups[draw.rows]
        assert 3 not in groups[draw.out_of_bag]


def test_a_bag_of_group_subsamples():
    """`fit` hands its groups on, and no group is on both sides."""
    X, y, groups = _data()
    bag = BootstrapBaggingRegressor(
        n_estimators=10, resampling=GroupSubsample(0.5), random_state=0
    ).fit(X, y, groups=groups)
    for rows in bag.estimators_samples_:
        inside = set(groups[rows])
        assert len(inside) == 6
        assert len(rows) == np.isin(groups, list(inside)).sum()


@pytest.mark.parametrize(
    ("resampler", "groups", "message"),
    [
        (GroupSubsample(), None, "GroupSubsample needs groups, and got none; pass"),
        (GroupSubsample(0.6, True), [0, 1] * 30, "`fraction` must be at most 0.5"),
        (GroupSubsample(0.1), [0, 1, 2] * 20, "at least 10 groups .* Got 3"),
        (GroupSubsample(), [0] * 60, "at least 2 groups .* Got 1; draw rows"),
        (GroupSubsample(), [0, 1], "`groups` must hold one label for each of the 60"),
        (GroupSubsample(1.0), [0, 1] * 30, "'fraction' parameter of GroupSubsample"),
    ],
)
def test_bad_input(resampler, groups, message):
    X, y, _ = _data()
    with pytest.raises(ValueError, match=message):
        resampler.prepare(X, y, groups=groups)


@pytest.mark.parametrize("grouped", [False, True])
def test_balanced_pairs(grouped):
    """Ten pairs of two fifths: each unit is in neither of a pair about twice."""
    X, y, groups = _data(200, 100)
    kind, given = (GroupSubsample, groups) if grouped else (Subsample, None)
    draws = kind(0.4, complementary_pairs=True).prepare(X, y, groups=given, seed=0)
    units = groups if grouped else np.arange(200)
    left = np.zeros((2, 200 if not grouped else 100))
    for table, own in zip(left, (draws, draws.balance()), strict=True):
        for pair in range(10):
            first, second = (set(units[own[2 * pair + i].rows]) for i in (0, 1))
            assert not first & second
            assert len(first) == len(second) == 0.4 * len(table)
            table[[i for i in range(len(table)) if i not in first | second]] += 1
    assert left.mean(axis=1).tolist() == [2.0, 2.0]
    assert left[1].std() < 0.8 * left[0].std()
