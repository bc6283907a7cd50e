"""Moments, and the least-squares problems that are made of them."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting.families.linear import _gram
from genestimators.fitting.families.linear._gram import (
    centre,
    column_means,
    keeps_digits,
    mean_squared_errors,
    problem_of,
    standardised,
    sum_moments,
)

SCALERS = [
    [],
    [(True, True)],
    [(False, True)],
    [(True, False)],
    [(False, True), (True, True)],
]


def data(seed=0, n=50):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [0.1, 1.0, 10.0] + [1.0, 0.0, -5.0]
    Y = X @ rng.normal(size=(3, 2)) + rng.normal(size=(n, 2)) + 4
    return X, Y, rng.integers(0, 3, n) * 0.7


def moments_of(X, Y, weight):
    shifts = column_means(X, weight), column_means(Y, weight)
    return sum_moments(X, Y, weight, *shifts)


@pytest.mark.parametrize("rows", [None, np.arange(10, 30), np.arange(40)[::-3]])
@pytest.mark.parametrize("weighted", [True, False])
def test_moments_are_the_same_in_blocks_of_any_size(rows, weighted, monkeypatch):
    """All rows, consecutive ones and others, in one block and in many."""
    X, Y, weight = data()
    weight = weight if weighted else None
    shifts = np.full(3, 0.5), np.full(2, -1.0)
    taken = np.arange(50) if rows is None else rows
    own = np.ones(len(taken)) if weight is None else weight[taken]
    both = np.column_stack([X[taken] - 0.5, Y[taken] + 1.0])
    products = (own[:, None] * both).T @ both
    for block in (1, 2**17):
        monkeypatch.setattr(_gram, "_BLOCK", block)
        found = sum_moments(X, Y, weight, *shifts, rows)
        # Numbers of size ten, squared and added up in another order.
        close = {"rtol": 1e-12, "atol": 1e-10}
        np.testing.assert_allclose(found.weight, own.sum(), **close)
        np.testing.assert_allclose(np.r_[found.x, found.y], own @ both, **close)
        np.testing.assert_allclose(found.xx, products[:3, :3], **close)
        np.testing.assert_allclose(found.xy, products[:3, 3:], **close)
        np.testing.assert_allclose(found.yy, np.diag(products)[3:], **close)


def test_moments_of_single_precision_are_in_double():
    """The sums of float32 numbers are those of the same numbers as float64."""
    X, Y, _ = data()
    X = X.astype(np.float32)
    found = moments_of(X, Y, None)
    expected = moments_of(X.astype(float), Y, None)
    assert found.xx.dtype == np.float64
    np.testing.assert_allclose(found.xx, expected.xx, rtol=1e-12)


def test_moments_add_up():
    """Those of two parts are those of the whole, and back."""
    X, Y, weight = data()
    shifts = column_means(X, weight), column_means(Y, weight)
    first, second = np.arange(20), np.arange(20, 50)
    whole = sum_moments(X, Y, weight, *shifts)
    part, rest = (sum_moments(X, Y, weight, *shifts, r) for r in (first, second))
    for found, expected in ((part + rest, whole), (whole - part, rest)):
        for name in ("weight", "x", "y", "xx", "xy", "yy", "x_shift"):
            np.testing.assert_allclose(
                getattr(found, name), getattr(expected, name), atol=1e-10
            )


@pytest.mark.parametrize("value", [0.1, 1e6 / 3, -7e-9])
def test_means_of_constant_columns_are_their_value(value):
    """To the bit, with and without weights; other columns have their mean."""
    X, _, weight = data()
    X[:, 1] = value
    for own in (None, weight):
        means = column_means(X, own)
        assert means[1] == value
        np.testing.assert_allclose(means, np.average(X, axis=0, weights=own))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_covariances_are_those_about_the_means(weighted, shift):
    """The shift keeps digits where means are large."""
    X, Y, weight = data()
    weight = weight if weighted else np.ones(len(X))
    centred = centre(moments_of(X + shift, Y, weight if weighted else None))
    expected = np.cov(np.column_stack([X, Y]).T, aweights=weight, ddof=0)
    # The data themselves are rounded by 1e-16 of the shift.
    within = 1e-12 * max(1.0, shift)
    np.testing.assert_allclose(centred.xx, expected[:3, :3], atol=1e2 * within)
    np.testing.assert_allclose(centred.xy, expected[:3, 3:], atol=1e2 * within)
    np.testing.assert_allclose(centred.yy, np.diag(expected)[3:], atol=1e2 * within)
    np.testing.assert_allclose(centred.x, np.average(X, 0, weight) + shift)


def test_digits_are_kept_or_not():
    """Lost by subtraction, by a mean far from the shift, by a tiny variance."""
    X, Y, _ = data()
    whole = moments_of(X, Y, None)
    assert keeps_digits(whole, whole)
    huge = sum_moments(1e3 * X, Y, None, 1e3 * whole.x_shift, whole.y_shift)
    assert not keeps_digits(whole, huge)
    away = sum_moments(X, Y, None, whole.x_shift + 1e4, whole.y_shift)
    assert not keeps_digits(away, away)
    far = X + 1e16
    assert not keeps_digits(*[moments_of(far, Y, None)] * 2)
    flat = np.column_stack([X, np.full(len(X), 0.1)])
    assert keeps_digits(*[moments_of(flat, Y, None)] * 2)


@pytest.mark.parametrize("scalers", SCALERS)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("far", [0.0, 1e9])
# The scaler's variance of a column that is nearly constant can be below zero.
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")
def test_standardised_columns_are_those_of_the_scaler(scalers, weighted, far):
    """Also constant columns, and those that the scaler takes for constant."""
    X, Y, weight = data()
    near = 1.0 + 1e-16 * np.arange(len(X))
    X = np.column_stack([X + far, np.full(len(X), 0.1), near])
    weight = weight if weighted else None
    centred = centre(moments_of(X, Y, weight))
    total = len(X) if weight is None else weight.sum()
    variance = np.diag(centred.xx)
    offset, scale = standardised(centred.x, variance, total, scalers)
    expected = X
    for with_mean, with_std in scalers:
        scaler = StandardScaler(with_mean=with_mean, with_std=with_std)
        expected = scaler.fit(expected, sample_weight=weight).transform(expected)
    # The scaler's own passes lose the digits that the mean takes up.
    within = 1e-11 + 1e-14 * far
    np.testing.assert_allclose((X - offset) / scale, expected, rtol=1e-9, atol=within)


@pytest.mark.parametrize("scalers", SCALERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_problem_of_standardised_columns(scalers, fit_intercept, weighted):
    """Its solution predicts what least squares behind scalers does; errors match."""
    X, Y, weight = data()
    weight = weight if weighted else None
    moments = moments_of(X, Y, weight)
    centred = centre(moments)
    offset, scale = standardised(
        centred.x, np.diag(centred.xx), moments.weight, scalers
    )
    problem = problem_of(centred, offset, scale, fit_intercept=fit_intercept)
    coef = np.linalg.solve(problem.gram, problem.xy).T
    found = (X - problem.centre) @ (coef / problem.scale).T + problem.offset
    steps = [StandardScaler(with_mean=m, with_std=s) for m, s in scalers]
    chain = make_pipeline(*steps, LinearRegression(fit_intercept=fit_intercept))
    named = {f"{name}__sample_weight": weight for name in chain.named_steps}
    expected = chain.fit(X, Y, **named).predict(X)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    errors = mean_squared_errors(problem, np.stack([coef, 0 * coef]))
    wanted = np.average((Y - found) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(errors[0], wanted, rtol=1e-9)
    np.testing.assert_allclose(errors[1], problem.yy)


def test_errors_that_rounding_would_swamp_are_none():
    """A perfect fit has no error that differences of sums could show."""
    X, _, _ = data()
    centred = centre(moments_of(X, X @ np.ones((3, 1)), None))
    problem = problem_of(centred, np.zeros(3), np.ones(3), fit_intercept=True)
    assert mean_squared_errors(problem, np.ones((1, 1, 3))) is None
