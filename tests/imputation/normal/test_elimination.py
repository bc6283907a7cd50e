"""Small systems solved side by side: against LAPACK, and alike in any company."""

import numpy as np
import pytest
from scipy.linalg import solve_triangular

from genestimators.imputation.normal._elimination import (
    cholesky,
    invert,
    solve_lower,
    solve_upper,
)


def _systems(m, n, seed=0):
    half = np.random.default_rng(seed).normal(size=(n, m, m + 2))
    return np.moveaxis(half @ half.transpose(0, 2, 1) + 0.1 * np.eye(m), 0, 2).copy()


@pytest.mark.parametrize("m", [1, 2, 5, 14, 15, 20])
def test_inverses_and_determinants(m):
    """Both ways of inverting, on either side of the size at which they change."""
    systems = _systems(m, 7)
    inverses, sizes = invert(systems.copy())
    for k in range(7):
        one = systems[:, :, k]
        np.testing.assert_allclose(inverses[:, :, k] @ one, np.eye(m), atol=1e-8)
        np.testing.assert_allclose(sizes[k], np.linalg.slogdet(one)[1], rtol=1e-10)


@pytest.mark.parametrize("m", [2, 3, 16])
def test_determinant_of_what_is_not_positive_definite(m):
    """It is NaN, so that no likelihood is made of it."""
    systems = _systems(m, 3)
    systems[:, :, 1] -= 2 * np.abs(systems[:, :, 1]).sum() * np.diag(np.arange(m) == 1)
    sizes = invert(systems)[1]
    assert np.isnan(sizes).tolist() == [False, True, False]


@pytest.mark.parametrize("m", [1, 2, 6])
def test_factors_and_solutions(m):
    """Cholesky's triangles, and both halves of solving with them."""
    systems = _systems(m, 5)
    right = np.random.default_rng(1).normal(size=(m, 5))
    factors = cholesky(systems.copy())
    lower, upper = (
        solve_lower(factors, right.copy()),
        solve_upper(factors, right.copy()),
    )
    for k in range(5):
        L = np.linalg.cholesky(systems[:, :, k])
        np.testing.assert_allclose(np.tril(factors[:, :, k]), L, atol=1e-12)
        np.testing.assert_allclose(
            lower[:, k], solve_triangular(L, right[:, k], lower=True), atol=1e-10
        )
        np.testing.assert_allclose(
            upper[:, k], solve_triangular(L.T, right[:, k]), atol=1e-10
        )


@pytest.mark.parametrize("m", [1, 3, 9])
def test_a_system_has_its_bits_in_any_company(m):
    """Alone, in a slice, and in another order."""
    systems = _systems(m, 37)
    right = np.random.default_rng(2).normal(size=(m, 37))

    def solved(which):
        factors = cholesky(systems[:, :, which].copy())
        return solve_upper(factors, solve_lower(factors, right[:, which].copy()))

    whole = solved(np.arange(37))
    order = np.random.default_rng(3).permutation(37)
    np.testing.assert_array_equal(solved(order), whole[:, order])
    np.testing.assert_array_equal(solved(np.arange(11, 24)), whole[:, 11:24])
    for k in (0, 17, 36):
        np.testing.assert_array_equal(solved(np.array([k])), whole[:, [k]])
