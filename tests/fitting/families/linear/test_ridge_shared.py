"""Folds of ridge regression that share their sums against a fit for each of them."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import KFold, LeaveOneOut, TimeSeriesSplit

from genestimators import Bootstrap, Folds
from genestimators.fitting import read_over
from genestimators.fitting._composites import find_shared, make_path
from genestimators.fitting.families.linear._ridge_shared import SharedRidge
from tests.fitting.families.against_refits import TrainingErrors
from tests.fitting.families.linear.linear_data import (
    constant_columns,
    regression,
    scaled,
    uneven,
)
from tests.fitting.families.linear.test_ridge import assert_ridge

FEW = [1.0, 1e-3, 1e4]


@pytest.mark.parametrize("cv", [LeaveOneOut(), TimeSeriesSplit(4), KFold(7)])
@pytest.mark.parametrize("p", [3, 27])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_over_other_folds_equals_refits(cv, p, fit_intercept):
    """Single rows left out, growing training sets, folds in the order of rows."""
    X, y = regression(4, 24, p, n_targets=2)
    weight = np.random.default_rng(4).gamma(0.5, size=24) * 10 + 0.01
    ridge = Ridge(fit_intercept=fit_intercept)
    assert_ridge(ridge, X, y, FEW, cv=cv)
    assert_ridge(ridge, X, y, FEW, cv=cv, sample_weight=weight, digits=8)
    chain, param = scaled(ridge)
    # Without an intercept the mean of the target has no share in centred rows but
    # rounding, which a small penalty blows up in any fit.
    if fit_intercept or p < 24:
        assert_ridge(chain, X, y, FEW, param=param, cv=cv)


def test_ridge_leaves_out_a_row_that_stands_alone():
    """A row with a column of its own says all about it; a small penalty on it."""
    X, y = regression(5, 30, 3)
    X = np.column_stack([X, np.arange(30) == 7])
    assert_ridge(Ridge(), X, y, [1e-6, 1e-2, 1.0], cv=LeaveOneOut())
    chain, param = scaled(Ridge())
    assert_ridge(chain, X, y, [1e-2, 1.0], param=param, cv=LeaveOneOut())


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_ridge_far_from_zero_equals_refits(offset):
    """Means much larger than standard deviations, of columns and of the target."""
    X, y = regression(6, 80, 4)
    X, y = X + offset * X.std(axis=0), y + offset * y.std()
    chain, param = scaled(Ridge())
    digits = 10 if offset < 1e6 else 8  # what the refits themselves keep
    assert_ridge(chain, X, y, param=param, digits=digits)
    assert_ridge(Ridge(), X, y, digits=digits)


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")
def test_ridge_with_constant_columns_equals_refits():
    """Constant in all rows, in the training rows of one fold only, and nearly so."""
    X, y = regression(7, 60, 3)
    for extra in constant_columns(X):
        wider = np.column_stack([X, extra])
        for settings in ({}, {"with_mean": False}):
            chain, param = scaled(Ridge(), **settings)
            assert_ridge(chain, wider, y, FEW, param=param, digits=9)
        assert_ridge(Ridge(), wider, y, FEW, digits=9)
    assert_ridge(Ridge(), np.ones((60, 2)), y)
    assert_ridge(Ridge(), X, np.ones(60))


def test_ridge_classifier_of_classes_missing_in_a_fold():
    """A class seen in one fold only, which is fitted by itself."""
    X, y = regression(11, 24, 3)
    y = np.where(y > np.median(y), 1, 0)
    y[:2] = 5
    splits = [(np.arange(12, 24), np.arange(12)), (np.arange(12), np.arange(12, 24))]
    chain, param = scaled(RidgeClassifier())
    assert_ridge(chain, X, y, param=param, cv=splits)
    y[1] = 0
    assert_ridge(RidgeClassifier(), X, y, cv=LeaveOneOut())


@pytest.mark.parametrize("shape", [(60, 5), (30, 50)])
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("weighted", [True, False])
def test_training_errors_are_known(shape, n_targets, weighted):
    """Mean squared errors on the training rows, of the path alone and of folds."""
    X, y = regression(14, *shape, n_targets=n_targets)
    y = y + 1e3 * y.std()
    weight = uneven(1, len(y)) if weighted else None
    reading = TrainingErrors()
    for cv in (KFold(3), LeaveOneOut()):
        for chain, param in ((Ridge(), "alpha"), scaled(Ridge())):
            draws = Folds(cv).prepare(X, y, weight)
            for *_, (known, computed) in read_over(
                chain,
                X,
                y,
                draws,
                range(min(4, len(draws))),
                reading=reading,
                param=param,
                values=FEW,
            ):
                np.testing.assert_allclose(known, computed, atol=1e-10 * y.var())


def test_leaving_one_row_out_of_a_classifier():
    """Decisions for each row by the fit without it, of two classes and of three."""
    X, y = regression(19, 24, 3)
    for cuts in ([0.5], [0.3, 0.6]):
        labels = np.digitize(y, np.quantile(y, cuts))
        assert_ridge(RidgeClassifier(), X, labels, FEW, cv=LeaveOneOut())


def test_shared_folds_travel_and_answer_any_rows():
    """Pickled, they give the same paths; rows other than the left-out are fitted."""
    X, y = regression(20, 24, 3)
    for cv in (KFold(3), LeaveOneOut()):
        draws = Folds(cv).prepare(X, y)
        shared = find_shared(Ridge(), "alpha", FEW, X, y, draws)
        shared = pickle.loads(pickle.dumps(shared))
        for number in (0, 2):
            draw = draws[number]
            path = pickle.loads(pickle.dumps(shared.fit_path(number, draw)))
            own = make_path(Ridge(), "alpha", FEW, X[draw.rows], y[draw.rows], None)
            for rows in (X[draw.out_of_bag], X, X[:1] + 1):
                np.testing.assert_allclose(path.predict(rows), own.predict(rows))
            parts = list(path.parts(2**23))
            assert len(parts) == 3
            for rows in (X[draw.out_of_bag], X):
                joined = np.concatenate([part.predict(rows) for part in parts])
                np.testing.assert_allclose(joined, own.predict(rows))


def test_folds_of_plain_data_need_no_fits_of_their_own(monkeypatch):
    """The sums of all rows do for every fold, and one decomposition for single rows."""

    def fail(*args):
        raise AssertionError("a fold was fitted by itself")

    monkeypatch.setattr(SharedRidge, "_apart", fail)
    X, y = regression(22, 40, 4)
    weight = uneven(22, 40)
    for chain, param in ((Ridge(), "alpha"), scaled(Ridge())):
        for rows in (None, weight):
            draws = Folds(KFold(4)).prepare(X, y, rows)
            shared = find_shared(chain, param, FEW, X, y, draws)
            assert all(shared.fit_path(i, draws[i]).n_values == 3 for i in range(4))
    for p in (4, 50):
        X, y = regression(22, 40, p)
        draws = Folds(LeaveOneOut()).prepare(X, y)
        shared = find_shared(Ridge(), "alpha", FEW, X, y, draws)
        monkeypatch.setattr(SharedRidge, "_from_moments", fail)
        assert all(shared.fit_path(i, draws[i]).n_values == 3 for i in range(40))


def test_draws_that_are_no_folds_are_not_shared():
    """Training rows may repeat, and draws without an end have no sums in common."""
    X, y = regression(21, 30, 3)
    splits = [(np.arange(30) // 2, np.arange(20, 30)), (np.arange(9), np.arange(9, 30))]
    for chain, param in ((Ridge(), "alpha"), scaled(Ridge())):
        assert_ridge(chain, X, y, FEW, param=param, cv=splits)
    draws = Bootstrap().prepare(X, y)
    assert find_shared(Ridge(), "alpha", FEW, X, y, draws) is None
