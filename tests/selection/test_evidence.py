"""What draws say about units: paths, orders, sizes."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from genestimators.selection._evidence import (
    Evidence,
    order_of,
    ranks_of,
    refit_sizes,
    step_sizes,
)


def evidence_of(ranks, losses=None, paired=True, scores=None):
    """Evidence of some ranks; scores fall with them unless given."""
    ranks = np.asarray(ranks)
    n_units = ranks.shape[1]
    scores = np.maximum(n_units + 1.0 - ranks, 0) if scores is None else scores
    order = order_of(ranks, scores, np.zeros(n_units, bool))
    sizes = np.arange(n_units + 1)
    return Evidence(ranks, np.asarray(scores), order, sizes, losses, paired)


@pytest.mark.parametrize("seed", range(3))
def test_path_counts_draws(seed):
    """Entry (k, j): the share of draws in which j is among the first k."""
    rng = np.random.default_rng(seed)
    ranks = np.stack([rng.permutation(5) + 1 for _ in range(8)])
    ranks[ranks == 5] = 6  # not used at all
    sizes = np.array([0, 1, 3, 5])
    path = evidence_of(ranks).path(sizes)
    wanted = [[np.mean(ranks[:, j] <= k) for j in range(5)] for k in sizes]
    np.testing.assert_array_equal(path, wanted)


@pytest.mark.parametrize("n_units", [1, 2, 3, 10, 101])
def test_steps_go_down_to_one(n_units):
    """Sizes fall, by three tenths at a time and at least one."""
    sizes = step_sizes(n_units)
    assert sizes[0] == n_units
    assert sizes[-1] == 1
    for before, after in pairwise(sizes):
        assert before - after == max(1, int(0.3 * before))


def test_steps_one_by_one_from_some_size_on():
    """The size from which units go one at a time is reached exactly."""
    assert step_sizes(10, one_by_one=6) == [10, 7, 6, 5, 4, 3, 2, 1]


def test_sizes_of_refits_hold_the_number_of_forced_units():
    """No size twice, none added where nothing is forced."""
    assert refit_sizes(np.zeros(7, bool)) == step_sizes(7)
    assert refit_sizes(np.arange(7) < 6) == sorted({*step_sizes(7), 6}, reverse=True)
    assert refit_sizes(np.ones(4, bool)) == step_sizes(4)


def test_ranks_from_scores():
    """No score is no use; what is forced comes first."""
    scores = np.array([[0.5, 0.0, 0.4, 0.9], [-1.0, 0.2, 0.1, 0.0]])
    free = np.zeros(4, bool)
    assert ranks_of(scores, free, 0).tolist() == [[2, 5, 3, 1], [5, 1, 2, 5]]
    forced = np.array([False, True, False, True])
    assert ranks_of(scores, forced, 0).tolist() == [[3, 1, 4, 2], [5, 1, 3, 2]]


def test_ties_are_broken_by_lots():
    """Each draw has its own, and each order of what is tied comes up as often."""
    scores = np.tile([0.5, 0.9, 0.5, 0.1, 0.5], (1200, 1))
    ranks = ranks_of(scores, np.zeros(5, bool), 3)
    assert (ranks[:, [1, 3]] == [1, 5]).all()
    np.testing.assert_array_equal(np.sort(ranks, axis=1), [[1, 2, 3, 4, 5]] * 1200)
    orders, counts = np.unique(ranks[:, [0, 2, 4]], axis=0, return_counts=True)
    assert len(orders) == 6
    # 200 are expected of each, with a standard deviation of 13.
    assert np.abs(counts - 200).max() < 5 * 13
    again = ranks_of(scores[:7], np.zeros(5, bool), 3)
    np.testing.assert_array_equal(again, ranks[:7])
    assert (ranks_of(scores[:7], np.zeros(5, bool), 4) != again).any()
    forced = np.array([True, False, True, False, False])
    assert (ranks_of(scores[:7], forced, 3)[:, [0, 2]] == [1, 2]).all()


def test_common_order():
    """By mean rank, ties by mean score, those that are forced first."""
    ranks = np.array([[1, 2, 3], [2, 1, 3]])
    scores = np.array([[0.5, 0.4, 0.1], [0.3, 0.6, 0.1]])
    assert order_of(ranks, scores, np.zeros(3, bool)).tolist() == [1, 0, 2]
    assert order_of(ranks, scores, np.array([False, False, True])).tolist() == [2, 1, 0]


@pytest.mark.parametrize("sizes", [[7], [0], [0, 400], range(401)])
def test_path_takes_no_more_room_than_is_asked_for(sizes):
    """One row for each size, whatever the number of units."""
    rng = np.random.default_rng(0)
    ranks = rng.permuted(np.tile(np.arange(1, 401), (4, 1)), axis=1)
    ranks[ranks > 300] = 401
    evidence = evidence_of(ranks)
    wanted = np.array([(ranks <= k).mean(axis=0) for k in sizes])
    tracemalloc.start()
    path = evidence.path(np.array(sizes))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(path, wanted)
    # The path itself and a row more, and some numbers for each draw and unit.
    assert peak < 8 * 400 * (len(sizes) + 20)
