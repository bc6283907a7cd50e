"""Properties of the default bootstrap on tables that a machine makes up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as tables

from genestimators import Bootstrap, GroupBootstrap, Subsample

CELLS = st.sampled_from([0.0, -0.0, 1.0, 0.5, -3.25, 1e300, -1e-300, np.inf, np.nan])


@st.composite
def problems(draw):
    """A table of few distinct cells, classes, whole weights and an order of rows."""
    n = draw(st.integers(2, 12))
    X = draw(tables.arrays(float, (n, draw(st.integers(1, 3))), elements=CELLS))
    y = draw(tables.arrays(int, n, elements=st.integers(0, 2)))
    weight = draw(tables.arrays(int, n, elements=st.integers(0, 3)))
    weight[draw(st.integers(0, n - 1))] += 1
    order = np.array(draw(st.permutations(range(n))))
    return X, y, weight, order


def _content(draw, X, y):
    def content(i):
        return (*map(repr, (X[i] + 0.0).tolist()), int(y[i]))

    rows = [content(i) for i in draw.rows]
    return rows, draw.counts.tolist(), draw.held_out.tolist()


def _left_out(draw, X, y):
    cells = np.nan_to_num(X[draw.out_of_bag], nan=7.0) + 0.0
    y, weight = y[draw.out_of_bag], draw.out_of_bag_counts
    return sorted(zip(map(tuple, cells.tolist()), y, weight, strict=True))


def _is_empty(draws, number):
    """Whether a draw of very few rows comes to none, which is an error."""
    if (draws.counts_of(number) > 0).any():
        return False
    with pytest.raises(ValueError, match="holds no rows of positive weight"):
        draws[number]
    return True


RESAMPLERS = [
    Bootstrap(),
    Bootstrap(duplicates="together"),
    Bootstrap(stratify=False),
    Subsample(),
    Subsample(complementary_pairs=True),
]


# No example database: a failure is printed, and nothing is written beside the tests.
@pytest.mark.parametrize("resampler", RESAMPLERS, ids=str)
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(problem=problems(), seed=st.integers(0, 2**31), number=st.integers(0, 30))
def test_order_and_repeats(resampler, problem, seed, number):
    """Permuted rows, and repeats in the place of weights, give the same draw."""
    X, y, weight, order = problem
    weighted = resampler.prepare(X, y, weight.astype(float), seed=seed, classifier=True)
    repeats = np.repeat(order, weight[order])
    repeated = resampler.prepare(X[repeats], y[repeats], seed=seed, classifier=True)
    if _is_empty(weighted, number):
        assert _is_empty(repeated, number)
        return
    ours, theirs = weighted[number], repeated[number]
    assert _content(ours, X, y) == _content(theirs, X[repeats], y[repeats])
    permuted = resampler.prepare(
        X[order], y[order], weight[order].astype(float), seed=seed, classifier=True
    )[number]
    assert _content(ours, X, y) == _content(permuted, X[order], y[order])
    assert _left_out(ours, X, y) == _left_out(permuted, X[order], y[order])


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(problem=problems(), seed=st.integers(0, 2**31), number=st.integers(0, 30))
def test_classes_keep_their_weight(problem, seed, number):
    """Class totals are exact for whole weights, and each row has one side."""
    X, y, weight, _ = problem
    draw = Bootstrap().prepare(X, y, weight.astype(float), seed=seed, classifier=True)[
        number
    ]
    totals = np.bincount(y[draw.rows], draw.counts, minlength=3)
    assert totals.tolist() == np.bincount(y, weight, minlength=3).tolist()
    inside, outside = set(draw.rows.tolist()), set(draw.out_of_bag.tolist())
    assert not inside & outside
    assert inside | outside == set(np.flatnonzero(weight).tolist())


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(problem=problems(), seed=st.integers(0, 2**31), number=st.integers(0, 30))
def test_groups_stay_whole(problem, seed, number):
    """A group is in the bag or out of it, and as many are drawn as there are."""
    X, y, weight, _ = problem
    groups = np.arange(len(y)) // 2
    if len(np.unique(groups[weight > 0])) < 2:
        return
    draw = GroupBootstrap().prepare(X, y, weight.astype(float), groups, seed=seed)[
        number
    ]
    inside, outside = set(groups[draw.rows]), set(groups[draw.out_of_bag])
    assert not inside & outside
    assert inside | outside == set(groups[weight > 0])
    of_group = dict(zip(groups[draw.rows], draw.counts, strict=True))
    assert sum(of_group.values()) == len(inside | outside)
