"""Blocks of consecutive rows, their embargo and their length."""

import math
import pickle

import numpy as np
import pytest
from scipy.signal import lfilter

from genestimators import BlockBootstrap
from genestimators.resampling._block_length import (
    correlation_length,
    optimal_block_length,
)
from genestimators.resampling._hashing import GOLDEN, derive, mix_int

KINDS = ["moving", "circular", "stationary"]


def _series(n, phi, seed=0):
    noise = np.random.default_rng(seed).normal(size=n + 100)
    return lfilter([1.0], [1.0, -phi], noise)[-n:]


def _slow_counts(kind, n, n_drawn, length, seed, number):
    """How often each row is drawn, one row at a time."""
    word = derive(derive(seed, "block"), number)
    units = [
        (mix_int(word + GOLDEN * (i + 1)) >> 11) / 2**53 for i in range(2 * n_drawn)
    ]
    counts = [0] * n
    for i in range(n_drawn):
        if kind == "stationary":
            if i == 0 or units[i] < 1 / length:
                block = sum(u < 1 / length for u in units[1 : i + 1])
                row = math.floor(units[n_drawn + block] * n)
        elif i % length == 0:
            places = n if kind == "circular" else n - length + 1
            row = math.floor(units[i // length] * places)
        counts[row % n] += 1
        row += 1
    return np.array(counts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 4, 29])
@pytest.mark.parametrize("max_samples", [1.0, 0.5, 7])
def test_blocks_equal_slow_loop(kind, length, max_samples):
    """The counts are those of blocks laid down one row at a time."""
    X, y = np.zeros((30, 1)), _series(30, 0.5)
    draws = BlockBootstrap(
        kind=kind, block_length=length, embargo=0, max_samples=max_samples
    ).prepare(X, y, seed=3)
    n_drawn = max_samples if isinstance(max_samples, int) else round(30 * max_samples)
    for number in (0, 1, 12):
        draw = draws[number]
        slow = _slow_counts(kind, 30, n_drawn, length, 3, number)
        assert draw.rows.tolist() == np.flatnonzero(slow).tolist()
        assert draw.counts.tolist() == slow[slow > 0].tolist()
        assert draw.counts.sum() == n_drawn
        assert draw.out_of_bag.tolist() == np.flatnonzero(slow == 0).tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("embargo", [0, 1, 3, 50])
def test_embargo_equals_slow_loop(kind, embargo):
    """Out of bag is what lies further than the embargo from any row of the bag."""
    X, y = np.zeros((60, 1)), _series(60, 0.5)
    draws = BlockBootstrap(kind=kind, block_length=8, embargo=embargo).prepare(X, y)
    for number in range(6):
        draw = draws[number]
        slow = [
            row
            for row in range(60)
            if all(abs(row - drawn) > embargo for drawn in draw.rows.tolist())
        ]
        assert draw.out_of_bag.tolist() == slow
        assert draw.held_out.tolist() == slow


@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_in_time_order(kind):
    """The estimator is handed the rows as time goes; nothing depends on content."""
    X, y = np.random.default_rng(0).normal(size=(50, 2)), _series(50, 0.5)
    blocks = BlockBootstrap(kind=kind, block_length=5, embargo=2)
    draws, others = blocks.prepare(X, y), blocks.prepare(-X, y**2)
    copy = pickle.loads(pickle.dumps(draws))
    for number in (5, 0, 3):
        draw = draws[number]
        assert (np.diff(draw.rows) > 0).all()
        assert others[number].rows.tolist() == draw.rows.tolist()
        assert copy[number].counts.tolist() == draw.counts.tolist()
    assert draws.balanced_block == 1
    assert draws.clusters.tolist() == [row // 5 for row in range(50)]


def test_weights_are_repeats_in_place():
    """A row of weight k is k occurrences of its time; of weight 0, none."""
    X, y = np.zeros((30, 1)), _series(30, 0.5)
    weight = np.random.default_rng(0).choice([0.0, 1.0, 3.0, 1.5], size=30)
    blocks = BlockBootstrap(block_length=5, embargo=1)
    plain, weighted = blocks.prepare(X, y), blocks.prepare(X, y, weight)
    for number in range(5):
        expected = np.zeros(30)
        expected[plain[number].rows] = plain[number].counts
        found = np.zeros(30)
        np.add.at(found, weighted[number].rows, weighted[number].counts)
        assert found.tolist() == (expected * weight).tolist()
        assert (np.diff(weighted[number].rows) >= 0).all()
        out = weighted[number].out_of_bag
        assert (weight[out] > 0).all()
        assert weighted[number].out_of_bag_counts.tolist() == weight[out].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["circular", "stationary"])
def test_blocks_over_the_end_cover_rows_equally(kind):
    """Each row is drawn once on average, at the ends as in the middle."""
    n, n_draws = 40, 3000
    draws = BlockBootstrap(kind=kind, block_length=5, embargo=0).prepare(
        np.zeros((n, 1)), np.zeros(n)
    )
    mean = sum(draws._row_counts(number) for number in range(n_draws)) / n_draws
    # A row's count is a sum of indicators over 8 blocks (variance below 1; for
    # blocks of random length below 2): five standard errors over 40 rows.
    assert np.abs(mean - 1).max() < 5 * np.sqrt(2 / n_draws)


@pytest.mark.slow
def test_moving_blocks_cover_the_ends_less():
    """Fewer blocks reach the ends: the documented price of staying inside."""
    n, length, n_draws = 40, 5, 3000
    draws = BlockBootstrap(block_length=length, embargo=0).prepare(
        np.zeros((n, 1)), np.zeros(n)
    )
    mean = sum(draws._row_counts(number) for number in range(n_draws)) / n_draws
    reach = np.minimum(np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)), length)
    expected = n / length * reach / (n - length + 1)
    # Variance below 1: five standard errors.
    assert np.abs(mean - expected).max() < 5 / np.sqrt(n_draws)


@pytest.mark.slow
def test_stationary_blocks_have_the_mean_length():
    """A row is followed by the next one unless a new block starts."""
    n, length = 2000, 8
    draws = BlockBootstrap(kind="stationary", block_length=length, embargo=0).prepare(
        np.zeros((n, 1)), np.zeros(n)
    )
    starts = 0
    for number in range(20):
        word = derive(derive(0, "block"), number)
        units = [(mix_int(word + GOLDEN * (i + 1)) >> 11) / 2**53 for i in range(n)]
        starts += sum(u < 1 / length for u in units)
        assert draws[number].counts.sum() == n
    # A binomial number of 40000 tries: five standard errors.
    p = 1 / length
    assert abs(starts / (20 * n) - p) < 5 * np.sqrt(p * (1 - p) / (20 * n))


def _slow_block_length(series, stationary):
    """Politis & White (2004) with the correction of 2009, from their formulas."""
    n = len(series)
    mean = sum(series) / n

    def covariance(k):
        return (
            sum((series[t] - mean) * (series[t + k] - mean) for t in range(n - k)) / n
        )

    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    bound = 2 * math.sqrt(math.log10(n) / n)
    rho = [covariance(k) / covariance(0) for k in range(most + 1)]
    for m in range(most - run + 1):
        if all(abs(rho[m + k]) < bound for k in range(1, run + 1)):
            break
    else:
        m = max((k for k in range(1, most + 1) if abs(rho[k]) >= bound), default=0)
    bandwidth = max(1, min(2 * m, most))

    def window(t):
        return 1.0 if abs(t) <= 0.5 else max(0.0, 2 * (1 - abs(t)))

    lags = range(-bandwidth, bandwidth + 1)
    g = sum(window(k / bandwidth) * abs(k) * covariance(abs(k)) for k in lags)
    spectrum = sum(window(k / bandwidth) * covariance(abs(k)) for k in lags)
    d = (2 if stationary else 4 / 3) * spectrum**2
    length = (2 * g**2 / d) ** (1 / 3) * n ** (1 / 3)
    longest = math.ceil(min(3 * math.sqrt(n), n / 3))
    return min(max(length, 1.0), longest), m


@pytest.mark.parametrize("stationary", [False, True])
@pytest.mark.parametrize("phi", [-0.6, 0.0, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("n", [12, 60, 300])
def test_block_length_equals_slow_formulas(n, phi, stationary):
    """The automatic length and lag are those of the papers' formulas."""
    for seed in range(3):
        series = _series(n, phi, seed)
        length, lag = optimal_block_length(series, stationary=stationary)
        slow_length, slow_lag = _slow_block_length(series.tolist(), stationary)
        assert lag == slow_lag
        # Sums of a few hundred terms in another order.
        assert length == pytest.approx(slow_length, rel=1e-9)


@pytest.mark.slow
def test_block_length_is_that_of_the_process():
    """Long series: near the length that the autoregression's own formula gives."""
    n = 5000
    for phi in (0.3, 0.6, 0.8):
        # Sum of |k| R(k) and of R(k) of an autoregression with unit noise.
        variance = 1 / (1 - phi**2)
        g = 2 * variance * phi / (1 - phi) ** 2
        spectrum = variance * (1 + phi) / (1 - phi)
        best = (2 * g**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * n ** (1 / 3)
        found = [optimal_block_length(_series(n, phi, s))[0] for s in range(10)]
        # The standard deviation of one estimate is about 0.12 of its value for this n,
        # that of the mean of ten a third of it; the flat-top window costs up to 0.07.
        assert abs(np.mean(found) / best - 1) < 0.2


def test_block_length_grows_with_dependence():
    """The more the past tells, the longer the blocks; no scale or shift matters."""
    means = []
    for phi in (0.0, 0.4, 0.8):
        series = [_series(400, phi, seed) for seed in range(20)]
        lengths = [optimal_block_length(s)[0] for s in series]
        means.append(np.mean(lengths))
        moved = [optimal_block_length(1000 * s - 5)[0] for s in series]
        np.testing.assert_allclose(moved, lengths, rtol=1e-6)
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize(
    "series", [np.ones(50), np.full(50, 1e6 + 0.1), np.arange(3.0)]
)
def test_block_length_of_constant_or_tiny_series(series):
    """Nothing to learn: blocks of one row, no embargo."""
    assert optimal_block_length(series) == (1.0, 0)


def test_block_length_is_bounded():
    """A strict season asks for endless blocks and gets n / 3, or 3 sqrt(n)."""
    for n in (20, 400):
        length, _ = optimal_block_length(np.arange(float(n)) % 5)
        assert length == math.ceil(min(3 * math.sqrt(n), n / 3))


def test_correlation_length_of_noise_is_zero():
    """The first run of small autocorrelations ends the search, else the last lag."""
    assert correlation_length(np.array([1.0, *[0.0] * 20]), 100) == 0
    assert correlation_length(np.array([1.0, 0.9, 0.8, *[0.0] * 20]), 100) == 2
    gaps = np.array([1.0, *[0.9, 0.0, 0.0] * 6])
    assert correlation_length(gaps, 100) == 16


@pytest.mark.parametrize("kind", KINDS)
def test_auto_lengths_come_from_y(kind):
    """By default the rule on y, the longest over outputs; an embargo up to a block."""
    n = 300
    y = np.column_stack([_series(n, 0.2, 1), _series(n, 0.8, 2)])
    draws = BlockBootstrap(kind=kind).prepare(np.zeros((n, 1)), y)
    found = [optimal_block_length(c, stationary=kind == "stationary") for c in y.T]
    assert draws.block_length == round(max(length for length, _ in found))
    assert draws.embargo == min(max(lag for _, lag in found), draws.block_length)
    half = BlockBootstrap(kind=kind, block_length=7).prepare(np.zeros((n, 1)), y)
    assert (half.block_length, half.embargo) == (
        7,
        min(7, max(lag for _, lag in found)),
    )
    other = BlockBootstrap(kind=kind, embargo=4).prepare(np.zeros((n, 1)), y)
    assert (other.block_length, other.embargo) == (draws.block_length, 4)


def test_auto_lengths_of_classes():
    """For classes each one's presence is a series, whatever the labels are."""
    state = _series(400, 0.9) > 0
    X = np.zeros((400, 1))
    names = np.where(state, "up", "down")
    draws = BlockBootstrap().prepare(X, names, classifier=True)
    expected = optimal_block_length(state.astype(float))[0]
    assert draws.block_length == round(expected)
    both = np.column_stack([np.zeros(400, dtype=int), state.astype(int)])
    assert BlockBootstrap().prepare(X, both, classifier=True).block_length == round(
        expected
    )


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8])
def test_auto_lengths_of_tiny_series(n):
    """A handful of rows can be drawn in blocks too."""
    draws = BlockBootstrap().prepare(np.zeros((n, 1)), np.arange(float(n)))
    assert draws.block_length < n
    assert draws[0].counts.sum() == n


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"block_length": 10}, ValueError, r"less than the number of rows\. Got block_"
         r"length=10 and 10 rows\."),
        ({"block_length": 0}, ValueError, r"\[1, inf\) or 'auto'\. Got 0 instead"),
        ({"block_length": 2.5}, TypeError, "'block_length' parameter of Bl"),
        ({"embargo": -1}, ValueError, r"an int in the range \[0, inf\) or 'auto'"),
        ({"kind": "tapered"}, ValueError, "one of {'moving', 'circular', 'stat"),
        ({"max_samples": 11}, ValueError, r"must not exceed .*, 10\. Got 11\."),
    ],
)  # fmt: skip
def test_parameters_are_checked(parameters, error, words):
    """One sentence with the rule and the value got."""
    with pytest.raises(error, match=words):
        BlockBootstrap(**parameters).prepare(np.zeros((10, 1)), np.arange(10.0))
