"""Intervals of left-out errors against their definition, value by value."""

import math
from fractions import Fraction

import numpy as np
import pytest

from genestimators.bagging._intervals import (
    around,
    jackknife_minmax,
    jackknife_plus,
    upper_bounds,
    weight_needed,
)

LEVELS = [0.05, 0.5, 0.8, 0.9, 0.95]


def slow_bound(values, level, weights):
    """The least value with enough weight at or below it, in exact arithmetic."""
    exact = [Fraction(w) for w in weights]
    needed = Fraction(str(level)) * (sum(exact) + 1)
    for value in sorted(values):
        below = sum(w for v, w in zip(values, exact, strict=True) if v <= value)
        if below >= needed:
            return value
    return math.inf


def slow_jackknife_plus(centres, errors, level, weights):
    """Both ends of each row, from the definition."""
    return [
        (
            -slow_bound(
                [e - c for c, e in zip(row, errors, strict=True)], level, weights
            ),
            slow_bound(
                [c + e for c, e in zip(row, errors, strict=True)], level, weights
            ),
        )
        for row in centres
    ]


def case(seed, m=4, n=37):
    """Centres and errors with ties."""
    rng = np.random.default_rng(seed)
    errors = np.abs(rng.normal(size=n)).round(1)
    return rng.normal(size=(m, n)).round(1), errors, rng


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(3))
def test_jackknife_plus_equals_its_definition(level, seed):
    """Without weights, with whole ones, and with fractions."""
    centres, errors, rng = case(seed)
    whole = rng.integers(1, 4, size=len(errors)).astype(float)
    for weights in (None, whole, whole / 8):
        own = np.ones(len(errors)) if weights is None else weights
        np.testing.assert_array_equal(
            jackknife_plus(centres.copy(), errors, level, weights),
            slow_jackknife_plus(centres, errors, level, own),
        )


def test_the_upper_end_is_the_value_of_the_documented_rank():
    """Ceil(level (n + 1)) from below, floor((1 - level) (n + 1)) for the lower end."""
    n, level = 30, 0.9
    centres, errors, _ = case(0, n=n)
    ends = jackknife_plus(centres.copy(), errors, level)
    high = np.sort(centres + errors, axis=1)[:, math.ceil(level * (n + 1)) - 1]
    low = np.sort(centres - errors, axis=1)[:, n - math.ceil(level * (n + 1))]
    np.testing.assert_array_equal(ends, np.column_stack([low, high]))


@pytest.mark.parametrize("hundredths", range(1, 100))
def test_ranks_are_not_off_by_rounding(hundredths):
    """A level of hundredths and 99 rows: the rank is the number of hundredths."""
    values = np.arange(1.0, 100.0)[None]
    assert upper_bounds(values.copy(), hundredths / 100)[0] == hundredths
    assert upper_bounds(values, hundredths / 100, np.ones(99))[0] == hundredths


def test_whole_weights_equal_repeated_rows():
    """A row of weight three counts as three rows."""
    centres, errors, rng = case(3)
    counts = rng.integers(1, 4, size=len(errors))
    for bounds in (jackknife_plus, jackknife_minmax):
        np.testing.assert_array_equal(
            bounds(centres.copy(), errors, 0.8, counts.astype(float)),
            bounds(np.repeat(centres, counts, axis=1), np.repeat(errors, counts), 0.8),
        )


@pytest.mark.parametrize("weights", [None, np.ones(8)])
def test_ends_are_infinite_where_there_are_too_few_rows(weights):
    """Eight rows give levels up to 8/9, and infinite errors count among them."""
    centres, errors, _ = case(4, n=8)
    for bounds in (jackknife_plus, jackknife_minmax):
        assert np.isfinite(bounds(centres.copy(), errors, 8 / 9, weights)).all()
        assert np.isinf(bounds(centres.copy(), errors, 0.9, weights)).all()
        errors[2] = np.inf
        assert np.isinf(bounds(centres.copy(), errors, 8 / 9, weights)).all()
        assert np.isfinite(bounds(centres.copy(), errors, 7 / 9, weights)).all()
        errors[2] = 0.5


def test_infinite_errors_widen_intervals():
    """A row without an error stands at both ends, so an end moves outward or stays."""
    centres, errors, _ = case(5)
    before = jackknife_plus(centres.copy(), errors, 0.8)
    errors[np.argsort(errors)[:4]] = np.inf
    after = jackknife_plus(centres.copy(), errors, 0.8)
    assert (after[:, 0] <= before[:, 0]).all()
    assert (after[:, 1] >= before[:, 1]).all()
    assert (after != before).any()


def test_minmax_equals_its_definition_and_holds_the_jackknife_plus():
    """Extremes of the centres and the error of that rank; rows without error apart."""
    centres, errors, _ = case(6)
    error = slow_bound(errors, 0.8, np.ones(len(errors)))
    wide = jackknife_minmax(centres, errors, 0.8)
    np.testing.assert_array_equal(wide[:, 0], centres.min(axis=1) - error)
    np.testing.assert_array_equal(wide[:, 1], centres.max(axis=1) + error)
    narrow = jackknife_plus(centres.copy(), errors, 0.8)
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (wide[:, 1] >= narrow[:, 1]).all()
    errors[0], centres[:, 0] = np.inf, 99.0
    assert jackknife_minmax(centres, errors, 0.8).max() < 50


def test_around_is_the_jackknife_plus_of_equal_centres():
    """One centre for all rows: both are the centre and the error of that rank."""
    centres, errors, _ = case(7)
    same = np.repeat(centres[:, :1], centres.shape[1], axis=1)
    np.testing.assert_allclose(
        around(centres[:, 0], errors, 0.8), jackknife_plus(same, errors, 0.8)
    )


def test_weight_needed_is_the_level_of_all_rows_and_one():
    """Nine tenths of ten rows are nine rows."""
    assert weight_needed(0.9, 9.0) == pytest.approx(9.0)
    assert weight_needed(0.9, 9.0) <= 9.0
