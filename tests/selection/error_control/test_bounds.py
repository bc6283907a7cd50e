"""Bounds on the expected number of false positives of stability selection."""

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm, rankdata

from genestimators.selection.error_control._bounds import (
    METHODS,
    ORDERS,
    expected_false_positives,
    integrated_scores,
    integrated_sizes,
    largest_size,
    size_measure,
)
from genestimators.selection.error_control._concave_tails import tail_probability


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("pfer", [0.05, 0.2, 0.45, 0.8, 1.25, 1.8, 2.45, 3.2, 4.05, 5.0]),
        (
            "pfer_unimodal",
            [q**2 / 38 for q in range(1, 11)],
        ),
        (
            "pfer_r_concave",
            [
                *(0.006971364, 0.03342845, 0.08691176, 0.1637231, 0.2605329),
                *(0.3820466, 0.5295188, 0.7042719, 0.9077127, 1.141338),
            ],
        ),
    ],
)
def test_bounds_of_the_stabs_package(method, expected):
    """Threshold 0.6, 100 units, 1 to 10 of them kept by 50 pairs (R, stabs 0.6-4)."""
    found = [expected_false_positives(0.6, q, 100, method) for q in range(1, 11)]
    # The optimiser of stabs is local, so that its maxima may be a little too small.
    tolerance = 4e-3 if method == "pfer_r_concave" else 1e-6
    np.testing.assert_allclose(found, expected, rtol=tolerance)
    assert (np.array(found) >= np.array(expected) * (1 - 1e-6)).all()


def test_other_figures_of_the_stabs_package():
    """Sizes and thresholds that its tests print for 200 units and 50 pairs."""
    assert largest_size(0.2, 0.6, 200, "pfer_r_concave") == 6
    assert largest_size(0.2, 0.6, 200, "pfer_unimodal") == 3
    bounds = [
        expected_false_positives(threshold, size, 200, "pfer_r_concave")
        for threshold, size in [(0.6, 6), (0.6, 7), (0.62, 7), (0.61, 7)]
    ]
    # As many digits as are printed.
    np.testing.assert_allclose(bounds, [0.174, 0.248, 0.196, 0.219], atol=6e-4)
    unimodal = expected_false_positives(0.96, 3, 10, "pfer_unimodal")
    assert unimodal == pytest.approx(0.176, abs=6e-4)


def slow_tail(mean, least, n, r):
    """Loop over the ends, with scalar root finding and minimisation on a fine grid."""
    total = n * mean
    first = int(np.ceil(2 * total)) + 1
    if least < first:
        return 1.0

    def expectation(log_a, k):
        i = np.arange(k + 1)
        mass = (np.exp(log_a) + i) ** (1 / r)
        return (i * mass).sum() / mass.sum() - total

    offsets = {k: brentq(expectation, -30, 30, args=(k,)) for k in range(first, n + 1)}
    best = 0.0
    for k, high in offsets.items():
        if k + 1 < least:
            continue

        def tail(log_a, k=k):
            i = np.arange(k + 1)
            mass = (np.exp(log_a) + i) ** (1 / r)
            scale = (k + 1 - total) / ((k + 1 - i) * mass).sum()
            return 1 - scale * mass[i < least].sum()

        low = offsets.get(k + 1, high)
        edges = np.linspace(low, high, 8)
        for left, right in itertools.pairwise(edges):
            if right > left:
                found = minimize_scalar(
                    lambda a: -tail(a), bounds=(left, right), method="bounded"
                )
                best = max(best, -found.fun)
        best = max(best, tail(low), tail(high))
    return best


@pytest.mark.parametrize("r", [-1 / 2, -1 / 4, -1 / 3])
@pytest.mark.parametrize(("mean", "n"), [(0.0025, 12), (0.04, 12), (0.15, 14)])
def test_tail_equals_slow_loop(mean, n, r):
    """All beginnings of the tail, against a loop."""
    least = np.arange(n + 1)
    found = tail_probability(mean, least, n, r)
    expected = [slow_tail(mean, t, n, r) for t in least]
    # Both are maxima found numerically: to about the square root of the precision.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert (np.diff(found) <= 1e-12).all()


@pytest.mark.parametrize("r", [-1 / 2, -1 / 4])
def test_no_concave_distribution_has_a_heavier_tail(r):
    """Random r-concave distributions keep the bound, and some nearly meet it."""
    n, rng, ratios = 12, np.random.default_rng(0), []
    for _ in range(200):
        # A convex positive function; its power 1 / r is r-concave. Cut at some end.
        slopes = np.cumsum(rng.exponential(size=n) * (rng.uniform(size=n) < 0.3))
        convex = 1e-3 * rng.exponential() + np.concatenate([[0], np.cumsum(slopes)])
        convex += rng.exponential() * np.arange(n + 1)
        mass = convex ** (1 / r)
        mass[rng.integers(2, n + 2) :] = 0
        mass /= mass.sum()
        mean = mass @ np.arange(n + 1) / n
        tails = np.cumsum(mass[::-1])[::-1]
        bound = tail_probability(mean, np.arange(n + 1), n, r)
        assert (tails <= bound + 1e-9).all()
        ratios.append((tails / np.maximum(bound, 1e-6))[bound < 1].max(initial=0))
    assert max(ratios) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_bounds_are_monotone(method):
    """More units kept, or a lower threshold, never make a bound smaller."""
    levels = np.arange(101) / 100
    table = np.array(
        [expected_false_positives(levels, q, 40, method) for q in (1, 2, 5, 12, 30, 40)]
    )
    assert (np.diff(table, axis=0) >= -1e-9).all()
    # At 3/4 the two formulas of the unimodal bound do not quite meet.
    assert (np.diff(table, axis=1) <= 40 * 1e-2 * (method == "pfer_unimodal")).all()
    assert (table <= 40).all()
    assert (table[0] <= expected_false_positives(levels, 1, 40, "pfer")).all()
    assert (table[:, levels <= 0.5] == 40).all() or method == "pfer_r_concave"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_pairs", [1, 10, 50])
def test_largest_size_is_the_last_that_keeps_the_bound(method, n_pairs):
    """Against a loop over all sizes."""
    for alpha, threshold in [(0.05, 0.6), (1.0, 0.9), (5.0, 0.75), (100.0, 1.0)]:
        found = largest_size(alpha, threshold, 30, method, n_pairs)
        kept = [
            expected_false_positives(threshold, q, 30, method, n_pairs) <= alpha
            for q in range(1, 31)
        ]
        assert kept == [True] * found + [False] * (30 - found)


def test_thresholds_between_two_shares_act_as_the_upper():
    """A unit reaches 0.601 of 100 draws if it reaches 0.61, whatever the rounding."""
    for method in METHODS[1:]:
        between, upper, sum_ = expected_false_positives(
            [0.601, 0.61, 0.1 + 0.51], 5, 100, method
        )
        assert between == upper == pytest.approx(sum_)


def area_by_hand(path, sizes, n_units, n_pairs, order, cutoff):
    """The integral over lambda itself, as a sum over a fine grid of log lambda."""
    ends = [*sizes, sizes[-1] + 1]
    log_lambda = np.log(norm.isf((np.array(ends) - 0.5) / (2 * n_units)))
    share = sizes / n_units
    moments = {
        1: share**2,
        2: share**2 / n_pairs + (n_pairs - 1) / n_pairs * share**4,
        3: share**2 / n_pairs**2
        + 3 * (n_pairs - 1) / n_pairs**2 * share**4
        + (n_pairs - 1) * (n_pairs - 2) / n_pairs**2 * share**6,
    }
    best = None
    for stop in range(1, len(sizes) + 1):
        grid = np.linspace(log_lambda[stop], log_lambda[0], 40001)
        grid = (grid[1:] + grid[:-1]) / 2
        place = np.searchsorted(-log_lambda, -grid, side="right") - 1
        level = n_units * moments[order][place].mean()
        if stop > 1 and level > cutoff:
            break
        area = (np.maximum(2 * path[place] - 1, 0) ** order).mean(axis=0)
        best = level / np.maximum(area, level / n_units)
    return best


@pytest.mark.parametrize("order", ORDERS)
def test_integrated_scores_equal_an_integral_over_lambda(order):
    """The measure over sizes is dlambda / lambda at quantiles of normal scores."""
    rng = np.random.default_rng(order)
    for sizes in (np.arange(1, 20), np.array([1, 2, 4, 8, 16])):
        ranks = rankdata(rng.normal([3.0] * 3 + [0.0] * 27, size=(40, 30)) * -1, axis=1)
        path = np.array([(ranks <= k).mean(axis=0) for k in sizes])
        found = integrated_scores(path, sizes, 30, 20, order=order, cutoff=0.4)
        expected = area_by_hand(path, sizes, 30, 20, order, 0.4)
        # The grid of the slow integral has 40,000 steps.
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_measure_is_near_its_first_order():
    """The log-length of a step of lambda is about 1 / (2 k log(n / k))."""
    sizes = np.arange(1, 300)
    measure = size_measure(sizes, 100_000)
    assert (measure > 0).all()
    # The next term of the expansion is smaller by about 1 / log(n / k), 0.12 at 300.
    ratio = measure * 2 * sizes * np.log(100_000 / sizes)
    assert (np.abs(ratio[10:] - 1) < 0.25).all()


@pytest.mark.parametrize("n_units", [1, 2, 3, 10, 300])
@pytest.mark.parametrize("cutoff", [0.001, 0.05, 2.5])
def test_integrated_scores_need_a_few_sizes_only(n_units, cutoff):
    """A path that ends where it is cut gives the same scores, to the last bit."""
    rng = np.random.default_rng(n_units)
    sizes = np.arange(1, n_units + 1)
    path = np.sort(rng.integers(0, 41, (n_units, n_units)), axis=0) / 40
    end = integrated_sizes(n_units, 20, cutoff=cutoff)
    assert n_units < 300 or end < 100
    few = integrated_scores(path[:end], sizes[:end], n_units, 20, cutoff=cutoff)
    every = integrated_scores(path, sizes, n_units, 20, cutoff=cutoff)
    np.testing.assert_array_equal(few, every)


def test_integrated_scores_at_the_ends():
    """First in all draws: the cutoff at best. Never among the first: all units."""
    sizes = np.arange(1, 51)
    path = np.zeros((50, 100))
    path[:, 0] = 1
    path[9:, 1] = 1
    for order in ORDERS:
        scores = integrated_scores(path, sizes, 100, order=order, cutoff=0.3)
        assert 0.2 < scores[0] <= 0.3
        assert scores[0] <= scores[1] <= 100
        np.testing.assert_allclose(scores[2:], 100)
    assert integrated_scores([[1.0]], [1], 1).tolist() == [1.0]
    whole = integrated_scores(np.ones((2, 3)), [2, 3], 3)
    assert ((whole > 0) & (whole <= 3)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expected_false_positives(1.2, 3, 10), "between 0 and 1. Got 1.2"),
        (lambda: expected_false_positives(0.7, 11, 10), "at most `n_units`=10. Got 11"),
        (lambda: expected_false_positives(0.7, 3, 10, "none"), "one of .*'none'"),
        (lambda: largest_size(0, 0.7, 10), "`alpha` must be above 0"),
        (lambda: largest_size(1, 0.5, 10), "above 0.5, where the bounds begin"),
        (lambda: largest_size(1, 0.7, 10, n_pairs=0), "`n_pairs` must be at least 1"),
        (lambda: integrated_scores(np.ones((2, 3)), [1], 3), r"shape \(1, 3\)"),
        (lambda: integrated_scores(np.ones((2, 3)), [2, 2], 3), "increasing"),
        (lambda: integrated_scores(np.ones((1, 3)), [1], 3, order=4), "one of"),
    ],
)
def test_bad_input_is_told(call, message):
    """One sentence with the rule and the value."""
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_false_positives_of_a_global_null(correlation):
    """Ranks by correlation with noise: on average at most alpha units are selected.

    Orders 2 and 3 of the integral assume more than holds here, and exceed it.
    """
    n_rows, n_units, n_pairs, n_sets = 60, 100, 25, 150
    rng = np.random.default_rng(int(10 * correlation))
    sizes = np.arange(1, n_units)
    rules = {
        (method, threshold): largest_size(1.0, threshold, n_units, method, n_pairs)
        for method in METHODS
        for threshold in (0.6, 0.75, 0.9)
    }
    found = {rule: [] for rule in [*rules, *ORDERS]}
    for _ in range(n_sets):
        X = rng.normal(size=(n_rows, n_units))
        X += np.sqrt(correlation / (1 - correlation)) * rng.normal(size=(n_rows, 1))
        y = rng.normal(size=n_rows)
        halves = np.argsort(rng.uniform(size=(n_pairs, n_rows)), axis=1).reshape(
            2 * n_pairs, -1
        )
        columns = X[halves] - X[halves].mean(axis=1, keepdims=True)
        inner = np.einsum("dif,di->df", columns, y[halves])
        strength = np.abs(inner) / np.sqrt((columns**2).sum(axis=1))
        ranks = rankdata(-strength, axis=1)
        path = (ranks <= sizes[:, None, None]).mean(axis=1)
        for (method, threshold), size in rules.items():
            found[method, threshold].append((path[size - 1] >= threshold).sum())
        for order in ORDERS:
            scores = integrated_scores(path, sizes, n_units, n_pairs, order=order)
            found[order].append((scores <= 1).sum())
    for rule, counts in found.items():
        # Three standard errors of the mean over the data sets.
        reach = 3 * np.std(counts) / np.sqrt(n_sets)
        if rule in (2, 3):
            continue
        assert np.mean(counts) <= 1 + reach, rule
    assert np.mean(found[3]) > 1.5
