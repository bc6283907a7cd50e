"""Counts of many replicates at once equal those of each alone, to the number."""

import numpy as np
import pytest

from genestimators import Bootstrap
from genestimators.resampling import _many_counts
from genestimators.resampling._balanced import (
    BalancedUniforms,
    poisson_counts,
    stratum_counts,
)
from genestimators.resampling._many_counts import (
    many_poisson_counts,
    many_stratum_counts,
)


@pytest.mark.parametrize("fraction", [1.0, 0.632, 0.05])
@pytest.mark.parametrize("m", [1, 2, 3, 17, 64, 600, 3000])
def test_equal_one_by_one(m, fraction):
    """Whole and broken targets, few and many columns."""
    for seed in range(3):
        u = np.random.default_rng(seed).random((23, m))
        target = max(fraction * m, 0.4)
        many = many_stratum_counts(u, None, target, fraction)
        alone = [stratum_counts(own, None, target, fraction) for own in u]
        assert many.dtype == np.int32
        assert np.array_equal(many, alone)


def test_equal_one_by_one_with_ties_and_weights():
    """Totals that jump over the target, and weights that are summed."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        u = rng.random((12, 7))[:, rng.integers(0, 7, size=30)]
        w = rng.integers(1, 5, size=30) / 4
        for weights, target in ((None, 30.0), (None, 11.0), (w, w.sum())):
            many = many_stratum_counts(u, weights, target, 1.0)
            alone = [stratum_counts(own, weights, target, 1.0) for own in u]
            assert np.array_equal(many, alone)


def test_extreme_uniforms():
    """All near zero, all near one, zero itself: some leave the search of many."""
    for u in (1e-18, 1e-300, 0.0, np.nextafter(1.0, 0.0), 0.999999):
        uniforms = np.full((3, 5), u)
        uniforms[1] *= np.linspace(1, 0.5, 5)
        many = many_stratum_counts(uniforms, None, 5.0, 1.0)
        alone = [stratum_counts(own, None, 5.0, 1.0) for own in uniforms]
        assert np.array_equal(many, alone)


def test_most_are_found_together(monkeypatch):
    """The search of many is not a detour before the search of each."""
    calls = []

    def counted(*args):
        calls.append(args)
        return stratum_counts(*args)

    monkeypatch.setattr(_many_counts, "stratum_counts", counted)
    u = np.random.default_rng(0).random((200, 500))
    many_stratum_counts(u, None, 500.0, 1.0)
    assert len(calls) < 10


def test_poisson_counts_of_many():
    """At one rate a matrix is as good as its rows."""
    u = np.random.default_rng(0).random((6, 400))
    alone = [poisson_counts(own, 0.8) for own in u]
    assert np.array_equal(many_poisson_counts(u, 0.8), alone)


@pytest.mark.parametrize("m", [0, 1, 30, 1638, 1639, 5000, 20_000])
@pytest.mark.parametrize("numbers", [range(3, 4), range(7, 33), range(10, 20)])
def test_uniforms_of_many(m, numbers):
    """Any part of blocks, any number of columns."""
    states = np.random.default_rng(m).integers(0, 2**64, size=m, dtype=np.uint64)
    uniforms = BalancedUniforms(states, 99)
    alone = [uniforms(number) for number in numbers]
    assert np.array_equal(BalancedUniforms(states, 99).many(numbers), alone)


@pytest.mark.parametrize("settings", [{}, {"stratify": False}, {"max_samples": 0.3}])
@pytest.mark.parametrize("classifier", [False, True])
def test_matrix_of_draws(settings, classifier):
    """`counts_matrix` is the counts of the draws, with classes and weights too."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.integers(0, 3, size=60)
    for weight in (None, rng.integers(1, 4, size=60), rng.uniform(0.2, 3, size=60)):
        weight = None if weight is None else weight.astype(float)
        draws = Bootstrap(**settings).prepare(X, y, weight, classifier=classifier)
        matrix = draws.counts_matrix(range(5, 27))
        assert np.array_equal(matrix, [draws.counts_of(b) for b in range(5, 27)])
