"""Linear answers for many values, and what linear families check beforehand."""

import numpy as np
import pytest
from scipy import sparse

from genestimators.fitting.families.linear._linear import (
    finite_rows,
    finite_targets,
    is_far,
    is_flag,
    is_number,
    linear_answers,
    mean_square,
    usable_weights,
)


@pytest.mark.parametrize("far", [True, False])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csc_array])
def test_linear_answers_are_those_of_each_value(far, make):
    """One product for all values and outputs; sparse rows are never centred."""
    rng = np.random.default_rng(0)
    X, coef = rng.normal(size=(7, 3)), rng.normal(size=(4, 2, 3))
    centre, offset = rng.normal(size=3), rng.normal(size=(4, 2))
    before = X.copy(), offset.copy()
    answers = linear_answers(make(X), coef, centre, offset, far=far)
    assert answers.shape == (4, 2, 7)
    for v in range(4):
        for k in range(2):
            expected = (X - centre) @ coef[v, k] + offset[v, k]
            np.testing.assert_allclose(answers[v, k], expected, atol=1e-13)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(offset, before[1])


def test_answers_far_from_zero_keep_their_digits():
    """Where means are large, columns are centred before the product."""
    rng = np.random.default_rng(1)
    X, coef = rng.normal(size=(50, 3)), rng.normal(size=(1, 1, 3))
    centre, offset = np.full(3, 2.0**40), np.zeros((1, 1))
    assert is_far(centre, X.var(axis=0))
    assert not is_far(np.ones(3), X.var(axis=0))
    assert not is_far(centre, np.zeros(3))  # constant columns have no coefficient
    moved = X + centre
    expected = coef[0, 0] @ (moved - centre).T
    found = linear_answers(moved, coef, centre, offset, far=True)[0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("weight", [None, np.arange(8.0)])
@pytest.mark.parametrize("centred", [True, False])
def test_the_mean_square_is_that_of_a_column_on_average(weight, centred):
    """About the mean or about zero, with weights, dense and sparse."""
    X = np.random.default_rng(2).normal(size=(8, 3)) + 2
    own = np.average(X, axis=0, weights=weight) if centred else 0
    expected = np.average((X - own) ** 2, axis=0, weights=weight).mean()
    for rows in (X, sparse.csr_matrix(X)):
        np.testing.assert_allclose(mean_square(rows, weight, centred=centred), expected)


def test_usable_weights():
    """None, or finite ones of which none is negative and one is not zero."""
    assert usable_weights(None)
    assert usable_weights([0, 1, 2.5])
    for bad in ([0, 0], [1, -1], [1, np.nan], [np.inf, 1]):
        assert not usable_weights(bad)


def test_numbers_and_flags():
    """A flag is no number, and a number is no flag."""
    for number in (1, 0.5, np.float32(2), np.int64(3)):
        assert is_number(number)
        assert not is_flag(number)
    for flag in (True, np.False_):
        assert is_flag(flag)
        assert not is_number(flag)
    for neither in ("1", None, 1j, np.ones(1)):
        assert not is_number(neither)
        assert not is_flag(neither)


def test_rows_and_targets_have_to_be_finite_numbers():
    """Otherwise None, and the estimator says what is wrong."""
    X = [[1, 2], [3, 4]]
    assert finite_rows(X).tolist() == X
    assert finite_rows(np.float32(X)).dtype == np.float32
    for bad in ([[1, np.nan]], [["a", "b"]], [1, 2], sparse.csr_matrix(X)):
        assert finite_rows(bad) is None
    assert finite_targets(np.array([1, 2])).tolist() == [[1.0], [2.0]]
    assert finite_targets(np.array([1, np.inf])) is None
    assert finite_targets(np.array(["a", "b"])) is None
