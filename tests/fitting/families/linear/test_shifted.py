"""Symmetric systems shifted by penalties against solving them one by one."""

import numpy as np
import pytest

from genestimators.fitting.families.linear._shifted import (
    left_out_residuals,
    shifted_solves,
    well_conditioned,
)

ALPHAS = np.array([1.0, 1e-3, 50.0, 1.0])


@pytest.mark.parametrize("size", [1, 2, 5, 127, 128, 200])
@pytest.mark.parametrize("order", ["C", "F"])
def test_shifted_systems_are_solved(size, order):
    """In eigenvectors and in tridiagonal form; only the upper triangle is read."""
    rng = np.random.default_rng(size)
    root = rng.normal(size=(2 * size, size))
    A, B = root.T @ root, rng.normal(size=(size, 3))
    given = np.array(np.triu(A), order=order)
    before = given.copy()
    solutions, fine = shifted_solves(given, B, ALPHAS)
    assert fine.all()
    np.testing.assert_array_equal(given, before)
    for alpha, found in zip(ALPHAS, solutions, strict=True):
        expected = np.linalg.solve(A + alpha * np.eye(size), B)
        np.testing.assert_allclose(found.T, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [4, 150])
def test_systems_that_lose_digits_have_no_solution(size):
    """Ill-conditioned, indefinite or not finite: such penalties are told."""
    A = np.diag(np.linspace(-1.0, 1.0, size))
    solutions, fine = shifted_solves(A, np.ones((size, 1)), np.array([0.5, 1.0, 2.0]))
    assert fine.tolist() == [False, False, True]
    assert np.isnan(solutions[:2]).all()
    assert np.isfinite(solutions[2]).all()
    A[0, 0] = np.inf
    assert not shifted_solves(A, np.ones((size, 1)), np.ones(2))[1].any()


def test_conditions_are_those_of_the_shifted_system():
    """A penalty makes a singular system well conditioned, if it is large enough."""
    fine = well_conditioned(0.0, 1e4, np.array([0.0, 1e-6, 1e-2]))
    assert fine.tolist() == [False, False, True]
    assert not well_conditioned(0.0, 0.0, np.zeros(1)).any()


@pytest.mark.parametrize("n_columns", [4, 20])
def test_rows_left_out_against_fits_without_them(n_columns):
    """Residuals of each row and of the others, in a full basis and in part of one."""
    rng = np.random.default_rng(n_columns)
    X, Y = rng.normal(size=(12, n_columns)), rng.normal(size=(12, 2))
    if n_columns < 12:
        basis, values, _ = np.linalg.svd(X, full_matrices=False)
        spectrum = values**2
        beyond = Y - basis @ (basis.T @ Y), 1 - (basis**2).sum(axis=1)
    else:
        spectrum, basis = np.linalg.eigh(X @ X.T)
        beyond = ()
    missed, squares, left = left_out_residuals(basis, spectrum, Y, ALPHAS, *beyond)
    assert (left > 0).all()
    for i in range(12):
        rest = np.delete(np.arange(12), i)
        for k, alpha in enumerate(ALPHAS):
            gram = X[rest].T @ X[rest] + alpha * np.eye(n_columns)
            coef = np.linalg.solve(gram, X[rest].T @ Y[rest])
            np.testing.assert_allclose(missed[k, :, i], Y[i] - X[i] @ coef, rtol=1e-8)
            expected = ((Y[rest] - X[rest] @ coef) ** 2).sum(axis=0)
            np.testing.assert_allclose(squares[k, :, i], expected, rtol=1e-6, atol=1e-9)
