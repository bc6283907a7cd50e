"""Moments of the nearest draws against all samples, one by one."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy import stats

from genestimators.fitting.families._bootstrap_order import (
    NEGLIGIBLE,
    ClassTables,
    at_most,
    capped_moments,
    class_moments,
    convolved,
    pairs_of,
    place_moments,
    places_needed,
)
from tests.fitting.limits.every_draw import every_draw, shares_of


@pytest.mark.parametrize("trials", [0, 1, 2, 7, 40])
@pytest.mark.parametrize("p", [0.0, 2.0**-20, 0.25, 0.75, 1.0])
def test_capped_moments_of_binomials(trials, p):
    """Against sums of exact fractions; 1e-13 is rounding in the incomplete beta."""
    chance = Fraction(p)
    law = [
        comb(trials, a) * chance**a * (1 - chance) ** (trials - a)
        for a in range(trials + 1)
    ]
    for most in (1, 2, 5, 60):
        first, second = capped_moments(most, trials, np.array([p]))
        for power, found in ((1, first), (2, second)):
            exact = sum(q * min(a, most) ** power for a, q in enumerate(law))
            np.testing.assert_allclose(found, [float(exact)], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 50.0])
def test_capped_moments_of_poisson_variables(mean):
    """Against a long sum."""
    a = np.arange(300)
    law = stats.poisson.pmf(a, mean)
    for most in (1, 2, 5, 60):
        first, second = capped_moments(most, None, np.array([mean]))
        np.testing.assert_allclose(first, law @ np.minimum(a, most), rtol=1e-12)
        np.testing.assert_allclose(second, law @ np.minimum(a, most) ** 2, rtol=1e-12)


def test_probabilities_at_most():
    """Also below zero and beyond what can be."""
    for trials in (0, 1, 6):
        for p in (0.0, 0.4, 1.0):
            found = at_most(np.arange(-2, 9), trials, np.array(p))
            expected = stats.binom.cdf(np.arange(-2, 9), trials, p)
            np.testing.assert_allclose(found, expected, atol=1e-15)


def _moments(draws, k, n):
    """Means and mean products of the shares, from all draws."""
    mean, products = np.zeros(n), np.zeros((n, n))
    for probability, counts in draws:
        share = shares_of(counts, k)
        mean += probability * share
        products += probability * np.outer(share, share)
    return mean, products


def _assert_places(places, mean, products):
    n = len(mean)
    np.testing.assert_allclose(places.weights[:n], mean, atol=1e-14)
    np.testing.assert_allclose(places.squares[:n], np.diag(products), atol=1e-14)
    for j in range(n):
        np.testing.assert_allclose(products[:j, j], places.products[j], atol=1e-14)
    for beyond in (places.weights, places.squares, places.products):
        np.testing.assert_allclose(beyond[n:], 0.0, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_places_against_all_draws(n):
    """Every number of draws and of neighbours; places beyond the rows have none."""
    for m in range(1, n + 1):
        for k in range(1, m + 1):
            draws = every_draw([range(n)], [m], n)
            places = place_moments(k, m, m / n, n, n + 2)
            _assert_places(places, *_moments(draws, k, n))


@pytest.mark.parametrize("fraction", [1.0, 0.4])
def test_places_where_each_row_is_drawn_on_its_own(fraction):
    """Independent Poisson counts to 14 each; fewer draws than k leave some share open.

    Beyond 14 there is a probability below 1e-12.
    """
    n, most = 3, 15
    law = stats.poisson.pmf(np.arange(most), fraction)
    for k in (1, 2, 4):
        draws = (
            (law[list(counts)].prod(), np.array(counts))
            for counts in product(range(most), repeat=n)
        )
        mean, products = _moments(draws, k, n)
        places = place_moments(k, None, fraction, n, n)
        np.testing.assert_allclose(places.weights, mean, atol=1e-11)
        np.testing.assert_allclose(places.squares, np.diag(products), atol=1e-11)
        for j in range(n):
            np.testing.assert_allclose(products[:j, j], places.products[j], atol=1e-11)


@pytest.mark.parametrize(
    ("sizes", "totals"),
    [
        ((2, 3), (2, 3)),
        ((1, 4), (1, 2)),
        ((2, 1, 2), (2, 1, 1)),
        ((1, 2, 1, 1), (1,) * 4),
    ],
)
def test_classes_against_all_draws(sizes, totals):
    """Each class drawn apart, in several orders of nearness."""
    n, n_classes = sum(sizes), len(sizes)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(n_classes), sizes)
    codes = np.stack([rng.permutation(labels) for _ in range(6)])
    for k in range(1, sum(totals) + 1):
        tables = ClassTables(k, zip(sizes, totals, strict=True), n)
        start = np.tile(np.arange(n_classes) * tables.length, (len(codes), 1))
        weights, squared = class_moments(
            codes, tables, start, range(n_classes), squares=True
        )
        for row, own in enumerate(codes):
            strata = [np.flatnonzero(own == c).tolist() for c in range(n_classes)]
            mean, products = _moments(every_draw(strata, totals, n), k, n)
            np.testing.assert_allclose(weights[row], mean, atol=1e-14)
            same = own[:, None] == own
            np.testing.assert_allclose(squared[row], products[same].sum(), atol=1e-14)


def test_classes_drawn_alike_are_one_class():
    """A single class has the weights of the plain bootstrap, and all of the draws."""
    k, n, n_places = 4, 50, 30
    tables = ClassTables(k, [(n, n)], n_places)
    codes, start = np.zeros((3, n_places), dtype=int), np.zeros((3, 1), dtype=int)
    weights, squared = class_moments(codes, tables, start, [0], squares=True)
    places = place_moments(k, n, 1.0, n, n_places)
    np.testing.assert_allclose(weights, [places.weights] * 3, atol=1e-15)
    np.testing.assert_allclose(squared, 1.0, rtol=1e-8)  # at place 30, less than all


def test_classes_in_many_blocks_and_few(monkeypatch):
    """However the rows are cut, and whichever pairs are made once."""
    rng = np.random.default_rng(0)
    k, n_places, n_classes = 6, 25, 5
    codes = rng.integers(0, n_classes, size=(40, n_places))
    tables = ClassTables(k, [(20 + c, 15) for c in range(n_classes)], n_places)
    start = np.tile(np.arange(n_classes) * tables.length, (40, 1))
    once = class_moments(codes, tables, start, range(n_classes), squares=True)
    module = "genestimators.fitting.families._bootstrap_order."
    monkeypatch.setattr(module + "_NUMBERS", 1)
    monkeypatch.setattr(module + "_CACHED", 1)
    again = class_moments(codes, tables, start, range(n_classes), squares=True)
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pairs():
    """The pairs make the arrays again, each pair once where that is less."""
    rng = np.random.default_rng(0)
    for most, n in ((3, 100), (1000, 10)):
        a, b = rng.integers(0, most, size=n), rng.integers(70, 70 + most, size=n)
        first, second, place = pairs_of(a, b)
        np.testing.assert_array_equal(first[place], a)
        np.testing.assert_array_equal(second[place], b)
    assert len(pairs_of(np.arange(9) % 3, np.zeros(9, dtype=int))[0]) == 3


def test_convolutions():
    """As numpy's, cut off."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(size=(2, 7, 5))
    for i, out in enumerate(convolved(a, b).T):
        np.testing.assert_allclose(out, np.convolve(a[:, i], b[:, i])[:7])


@pytest.mark.parametrize("k", [1, 5, 40])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 1.0])
def test_places_that_are_needed(k, fraction):
    """What lies beyond weighs less than is negligible, and much more before half."""
    n = 5000
    m = int(n * fraction)
    needed = places_needed(k, fraction, n)
    assert needed < n
    rest = 1 - place_moments(k, m, fraction, n, needed).weights.sum()
    assert rest < NEGLIGIBLE + 1e-14
    assert 1 - place_moments(k, m, fraction, n, needed // 2).weights.sum() > 1e-8
    assert places_needed(k, fraction, 20) == 20


def test_places_of_classes_that_are_needed():
    """The bound holds for classes drawn apart, whatever is near."""
    k, sizes, totals = 5, (30, 300, 100), (15, 150, 50)
    needed = places_needed(k, 0.5, 430)
    tables = ClassTables(k, zip(sizes, totals, strict=True), needed)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), sizes)
    codes = np.stack([rng.permutation(labels)[:needed] for _ in range(20)])
    codes[0, :30], codes[0, 30:] = 0, 1  # the rare class first
    start = np.tile(np.arange(3) * tables.length, (20, 1))
    weights, _ = class_moments(codes, tables, start, range(3))
    assert (weights >= 0).all()
    assert (np.abs(1 - weights.sum(axis=1)) < NEGLIGIBLE + 1e-14).all()
