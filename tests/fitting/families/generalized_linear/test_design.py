"""Designs say what X says, and coefficients find their way back."""

import numpy as np
import pytest

from genestimators.fitting.families.generalized_linear._design import make_design


def table(seed, n, p):
    """Columns of different size and position, one of them constant."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.1, 100, p) + 10 * rng.normal(size=p)
    if p > 2:
        X[:, 1] = 0.1
    return X


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(30, 4), (30, 1), (10, 10), (10, 25), (2, 3)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_predictors_and_penalties_are_those_of_the_coefficients(
    seed, shape, fit_intercept, weighted
):
    """Any coefficients of the design, in stacks of any shape."""
    X = table(seed, *shape)
    rng = np.random.default_rng(seed)
    weight = rng.integers(0, 3, len(X)) + np.arange(len(X)) % 2 if weighted else None
    design = make_design(X, weight, fit_intercept=fit_intercept)
    theta = rng.normal(size=(2, 3, design.columns.shape[1]))
    coef, offset = design.coefficients(theta)
    assert coef.shape == (2, 3, shape[1])
    assert offset.shape == (2, 3)
    # Predictors are of the size of the largest column.
    np.testing.assert_allclose(
        coef @ (X - design.centre).T + offset[..., None],
        theta @ design.columns.T,
        atol=1e-10,
    )
    penalty = (design.penalty * theta**2).sum(axis=-1)
    np.testing.assert_allclose((coef**2).sum(axis=-1), penalty, rtol=1e-10)
    if not fit_intercept:
        np.testing.assert_array_equal(design.centre, 0)
        np.testing.assert_array_equal(offset, 0)
    elif shape[1] < shape[0]:
        means = np.average(design.columns[:, :-1], axis=0, weights=weight)
        np.testing.assert_allclose(means, 0, atol=1e-12)
        np.testing.assert_array_equal(design.columns[:, -1], 1)
    if design.directions is None:
        square = np.average(design.columns**2, axis=0, weights=weight)
        constant = square == 0
        np.testing.assert_allclose(square[~constant], 1)
        np.testing.assert_array_equal(design.spread[constant[: shape[1]]], 1)
    else:
        gram = design.directions @ design.directions.T
        np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize("shape", [(30, 4), (5, 9)])
def test_columns_far_from_zero_keep_their_digits(shape):
    """Columns are centred before they are used, in double precision."""
    X = np.random.default_rng(0).normal(size=shape)
    away = X + 1e7
    design = make_design(away, None, fit_intercept=True)
    near = make_design(away - 1e7, None, fit_intercept=True)
    # The mean of numbers near 1e7 is known to 1e-9.
    if design.spread is not None:
        np.testing.assert_allclose(design.columns, near.columns, atol=1e-8)
    gram = design.columns @ design.columns.T
    np.testing.assert_allclose(gram, near.columns @ near.columns.T, atol=1e-7)
    single = make_design(X.astype(np.float32), None, fit_intercept=True)
    assert single.columns.dtype == np.float64
