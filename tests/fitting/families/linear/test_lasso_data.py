"""Lasso and elastic net of data of many kinds against a fit for each penalty."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from genestimators.fitting._composites import make_path
from tests.fitting.families.linear.linear_data import (
    constant_columns,
    regression,
    uneven,
)
from tests.fitting.families.linear.test_lasso import (
    KINDS,
    SHARES,
    assert_lasso,
    assert_scaled_lasso,
    penalties,
)


@pytest.mark.parametrize("kind", KINDS)
def test_lasso_of_tied_rows_and_columns_equals_refits(kind):
    """Where columns are equal coefficients are not unique, but predictions are."""
    X, y = regression(6, 60, 3)
    X = np.round(X)[np.arange(60) // 2]
    X = np.column_stack([X, X[:, :2]])
    assert_lasso(KINDS[kind], X, y)
    assert_scaled_lasso(KINDS[kind], X, y)


@pytest.mark.parametrize("offset", [1e3, 1e6])
@pytest.mark.parametrize("kind", ["lasso", "elastic net"])
def test_lasso_far_from_zero_equals_refits(offset, kind):
    """Means much larger than standard deviations, of columns and of the target."""
    X, y = regression(7, 80, 4)
    values = penalties(X, y)
    X, y = X + offset * X.std(axis=0), y + offset * y.std()
    assert_lasso(KINDS[kind], X, y, values)
    assert_scaled_lasso(KINDS[kind], X, y)


def test_lasso_with_constant_columns_equals_refits():
    """Constant in all rows, in the training rows of one fold only, and nearly so."""
    X, y = regression(8, 60, 3)
    columns = constant_columns(X)
    values = penalties(X, y)
    for extra in columns:
        wider = np.column_stack([X, extra])
        # A spike of 1e8 is in the rows asked about, times a coefficient that two fits
        # agree upon to their tolerance.
        within = 10.0 if extra is columns[-1] else 1e-6
        assert_lasso(KINDS["lasso"], wider, y, values, within=within)
        for settings in ({}, {"with_mean": False}):
            assert_scaled_lasso(
                KINDS["lasso"], wider, y, settings=settings, within=within
            )
    assert_lasso(KINDS["lasso"], np.ones((60, 2)), y, values)
    assert_lasso(KINDS["lasso"], X, np.ones(60), values)


def test_lasso_of_other_containers_equals_refits():
    """Frames, nested lists, integers, columns in Fortran order."""
    pandas = pytest.importorskip("pandas")
    X, y = regression(9)
    X = np.round(X)
    frame = pandas.DataFrame(X, columns=list("abcde"))
    values = penalties(X, y)
    for rows in (frame, X.astype(int), np.asfortranarray(X), X.tolist()):
        assert_lasso(KINDS["lasso"], rows, y, values)
        assert_scaled_lasso(KINDS["lasso"], rows, y)


@pytest.mark.parametrize("shape", [(60, 5), (30, 40)])
def test_lasso_of_single_precision_is_near_refits(shape):
    """The path is in double precision and differs by the rounding of the refits."""
    X, y = regression(10, *shape)
    X = X.astype(np.float32)
    # The duality gap cannot be known to more than the digits of single precision.
    coarse = Lasso(tol=1e-6, max_iter=100_000)
    assert_lasso(coarse, X, y, within=1e-3)
    assert_scaled_lasso(coarse, X, y, within=1e-3)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_targets", [1, 2])
def test_lasso_of_sparse_rows_equals_refits(fit_intercept, n_targets):
    """Sparse rows are never centred: fits follow each other."""
    X, y = regression(11, 60, 8, n_targets=n_targets)
    X = np.where(np.abs(X) > 2, X, 0.0)
    values = penalties(X, y)
    weight = uneven(11, 60)
    for name in ("lasso", "elastic net"):
        estimator = clone(KINDS[name]).set_params(fit_intercept=fit_intercept)
        for make in (sparse.csr_matrix, sparse.csc_array):
            assert_lasso(estimator, make(X), y, values)
        assert_lasso(estimator, sparse.csr_matrix(X), y, values, sample_weight=weight)
    settings = {"with_mean": False}
    assert_scaled_lasso(KINDS["lasso"], sparse.csr_matrix(X), y, settings=settings)


def test_sparse_paths_far_from_zero_do_not_complain():
    """The tolerance is relative to the square of y, whose mean is not taken off."""
    X, y = regression(21, 40, 3)
    lasso = Lasso(fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for rows in (X, sparse.csc_matrix(X)):
            make_path(lasso, "alpha", SHARES, rows, y + 1e4 * y.std(), None)
