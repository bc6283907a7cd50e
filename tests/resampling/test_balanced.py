"""The balanced draw against a slow loop, and what it promises of its counts."""

import pickle

import numpy as np
import pytest
from scipy.stats import poisson

from genestimators.resampling._balanced import (
    BLOCK,
    BalancedUniforms,
    poisson_cdf,
    poisson_counts,
    strata_of,
    stratum_counts,
)
from tests.resampling import reference


def _states(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, size=n, dtype=np.uint64)


def test_uniforms_equal_slow_loop():
    """Every uniform is (pi(b) + v) / 10 with pi a permutation of the block."""
    uniforms = BalancedUniforms(_states(20), 1234)
    for number in (0, 3, 9, 10, 27):
        slow = [reference.uniform(s, 1234, number) for s in uniforms.states.tolist()]
        assert uniforms(number).tolist() == slow


def test_uniforms_fall_once_into_each_tenth():
    """Within a block of ten every occurrence meets every tenth once."""
    uniforms = BalancedUniforms(_states(1000), 5)
    tenths = np.array([np.floor(10 * uniforms(b)) for b in range(20)])
    for block in (tenths[:10], tenths[10:]):
        assert np.array_equal(
            np.sort(block, axis=0), np.repeat(np.arange(10.0)[:, None], 1000, axis=1)
        )


def test_uniforms_do_not_depend_on_what_was_asked_before():
    """Any order of asking, any company of rows, a pickled copy: the same numbers."""
    states = _states(40_000)  # more than two chunks
    uniforms = BalancedUniforms(states, 5)
    wanted = {b: uniforms(b) for b in (0, 5, 13)}
    other = BalancedUniforms(states[::-1][:25_000], 5)
    for number in (13, 0, 5):
        assert np.array_equal(other(number), wanted[number][::-1][:25_000])
    copy = pickle.loads(pickle.dumps(uniforms))
    assert np.array_equal(copy(13), wanted[13])
    assert len(pickle.dumps(uniforms)) < states.nbytes + 1000


@pytest.mark.slow
def test_uniforms_are_uniform():
    """Uniform in each replicate and uncorrelated between rows."""
    n = 20_000
    uniforms = BalancedUniforms(np.arange(n, dtype=np.uint64), 0)
    for number in range(20):
        u = uniforms(number)
        assert 0 <= u.min()
        assert u.max() < 1
        # Kolmogorov's distance exceeds 2 / sqrt(n) with probability 7e-4 in each of
        # twenty replicates.
        steps = np.arange(n) / n
        assert np.abs(np.sort(u) - steps).max() < 2.2 / np.sqrt(n)
        # Neighbours: five standard errors.
        assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 5 / np.sqrt(n)


@pytest.mark.parametrize("rate", [0.1, 1.0, 7.5, 300.0])
def test_poisson_cdf_equals_scipy(rate):
    """The running sum is the distribution function."""
    size = int(rate + 50)
    expected = poisson.cdf(np.arange(size), rate)
    # The sum of up to 350 terms, each with some ulps of error.
    np.testing.assert_allclose(poisson_cdf(rate, size), expected, rtol=1e-12)


@pytest.mark.parametrize("fraction", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 25])
def test_stratum_counts_equal_slow_loop(n, fraction):
    """Integer weights: the counts of the slow bisection, to the number."""
    for seed in range(6):
        u = np.random.default_rng(seed).random(n)
        fast = stratum_counts(u, None, fraction * n, fraction)
        slow = reference.stratum_counts(u, np.ones(n), fraction * n, fraction)
        assert fast.tolist() == slow.tolist()


@pytest.mark.parametrize("n", [1, 2, 4, 12])
def test_stratum_counts_equal_slow_loop_with_weights(n):
    """Fractional weights, whose totals jump over the target: the nearer side."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        u = rng.random(n)
        # Quarters, so that totals are free of rounding.
        w = rng.integers(1, 5, size=n) / 4
        fast = stratum_counts(u, w, w.sum(), 1.0)
        assert fast.tolist() == reference.stratum_counts(u, w, w.sum(), 1.0).tolist()


def test_stratum_counts_equal_slow_loop_with_ties():
    """Equal uniforms (rows drawn together) move as one, so totals jump too."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        u = rng.random(5)[rng.integers(0, 5, size=12)]
        fast = stratum_counts(u, None, 12.0, 1.0)
        slow = reference.stratum_counts(u, np.ones(12), 12.0, 1.0)
        assert fast.tolist() == slow.tolist()
        of_uniform = {}
        for value, count in zip(u, fast, strict=True):
            assert of_uniform.setdefault(value, count) == count


@pytest.mark.parametrize("u", [[1e-18], [1e-9, 2e-9], [0.299, 0.1], [0.9999, 0.5]])
def test_stratum_counts_never_nothing(u):
    """A stratum below the clipped tenth still meets its total."""
    assert stratum_counts(np.array(u), None, float(len(u)), 1.0).sum() == len(u)
    assert stratum_counts(np.array(u), None, 0.01, 0.01).sum() >= 1


def test_stratum_counts_leave_out_three_or_four_tenths():
    """Below 0.3 never drawn, from 0.4 on always; between, as the total asks."""
    u = np.random.default_rng(0).random(500)
    counts = stratum_counts(u, None, 500.0, 1.0)
    assert counts[u < 0.3].max() == 0
    assert counts[u >= 0.4].min() >= 1
    assert (np.diff(counts[np.argsort(u)]) >= 0).all()


def test_poisson_counts_are_clipped_quantiles():
    """At a fixed rate each count is a function of its own uniform."""
    u = np.random.default_rng(0).random(300)
    for fraction in (1.0, 0.3):
        slow = reference.quantiles(u, fraction, *reference.tenths(fraction))
        assert poisson_counts(u, fraction).tolist() == slow.tolist()


def test_strata_of_sorted_labels():
    """Positions of each label in the order of the labels."""
    parts = strata_of(np.array(["b", "a", "b", "c", "a"]))
    assert [part.tolist() for part in parts] == [[1, 4], [0, 2], [3]]


def test_balanced_block_is_ten():
    """The documentation speaks of ten replicates."""
    assert BLOCK == 10
