"""The Bayesian bootstrap: a random weight for every row."""

import pickle

import numpy as np
import pytest
from scipy.stats import kstest
from threadpoolctl import threadpool_limits

from genestimators import BayesianBootstrap
from genestimators.resampling._hashing import GOLDEN, derive, mix_int
from genestimators.resampling._keys import content_keys
from tests.resampling import reference


def _data(n=40, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.integers(n_classes, size=n)


def test_weights_equal_slow_loop():
    """Minus the logarithm of a uniform, scaled so that each class keeps its weight."""
    X, y = _data(15)
    draws = BayesianBootstrap().prepare(X, y, seed=6, classifier=True)
    keys = content_keys(X, y).tolist()
    order = sorted(range(15), key=lambda i: keys[i])
    for number in (0, 9, 23):
        raw = {}
        for row in order:
            state = mix_int(keys[row] + GOLDEN)
            u = reference.uniform(state, derive(6, "bayesian"), number)
            raw[row] = -np.log1p(-u)
        total = {c: sum(raw[i] for i in order if y[i] == c) for c in set(y.tolist())}
        size = np.bincount(y)
        slow = [raw[i] / total[y[i]] * size[y[i]] for i in order]
        assert draws[number].rows.tolist() == order
        np.testing.assert_allclose(draws[number].counts, slow, rtol=1e-12)


def test_weights_are_positive_and_nothing_is_left_out():
    """Every row is in every replicate, so none is out of bag."""
    X, y = _data()
    draws = BayesianBootstrap().prepare(X, y, seed=0)
    assert not draws.has_out_of_bag
    for number in range(10):
        draw = draws[number]
        assert sorted(draw.rows.tolist()) == list(range(40))
        assert draw.counts.min() > 0
        assert len(draw.out_of_bag) == len(draw.out_of_bag_counts) == 0
        assert len(draw.held_out) == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_classes_keep_their_weight(weighted):
    """The weight of each class is that of the data."""
    X, y = _data()
    weight = np.ones(40)
    if weighted:
        weight = np.random.default_rng(0).choice([0.0, 0.5, 2.0], size=40)
    draws = BayesianBootstrap().prepare(
        X, y, weight if weighted else None, seed=0, classifier=True
    )
    for number in range(10):
        draw = draws[number]
        totals = np.bincount(y[draw.rows], draw.counts, minlength=3)
        np.testing.assert_allclose(totals, np.bincount(y, weight), rtol=1e-12)
        assert (weight[draw.rows] > 0).all()


def test_draws_do_not_depend_on_the_order_of_rows():
    """Permuted rows have the same weights, in the same order, in a copy too."""
    X, y = _data()
    order = np.random.default_rng(1).permutation(40)
    first = BayesianBootstrap().prepare(X, y, seed=2, classifier=True)
    second = BayesianBootstrap().prepare(X[order], y[order], seed=2, classifier=True)
    copy = pickle.loads(pickle.dumps(first))
    for number in (12, 0, 5):
        assert X[first[number].rows].tolist() == X[order][second[number].rows].tolist()
        assert first[number].counts.tolist() == second[number].counts.tolist()
        assert copy[number].counts.tolist() == first[number].counts.tolist()


def test_weights_equal_repeats():
    """A row of weight k is k rows with a random weight each."""
    X, y = _data()
    weight = np.random.default_rng(0).integers(0, 4, size=40)
    repeats = np.repeat(np.arange(40), weight)
    weighted = BayesianBootstrap().prepare(X, y, weight.astype(float), seed=0)
    repeated = BayesianBootstrap().prepare(X[repeats], y[repeats], seed=0)
    for number in range(5):
        assert weighted[number].rows.tolist() == repeats[repeated[number].rows].tolist()
        assert weighted[number].counts.tolist() == repeated[number].counts.tolist()


@pytest.mark.slow
def test_weights_are_exponential():
    """For many rows the weights are those of Rubin's bootstrap, balanced in blocks."""
    n = 3000
    X, y = np.random.default_rng(0).normal(size=(n, 1)), np.zeros(n)
    draws = BayesianBootstrap().prepare(X, y, seed=0)
    table = np.array([draws[number].counts for number in range(10)])
    # One test in each replicate; ten p-values below 1e-4 have probability 1e-3.
    assert min(kstest(row, "expon").pvalue for row in table) > 1e-4
    # Independent exponential weights would have row means of variance 0.1.
    assert table.mean(axis=0).var() < 0.02


def test_weights_do_not_depend_on_threads():
    """Sums are not left to a product of vectors, which threads share."""
    X = np.arange(30_000.0)[:, None]
    draws = BayesianBootstrap().prepare(X, X[:, 0], seed=3)
    wanted = draws[0].counts
    for limit in (1, 2):
        with threadpool_limits(limit):
            assert np.array_equal(draws[0].counts, wanted)
