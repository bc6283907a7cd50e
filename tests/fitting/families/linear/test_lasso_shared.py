"""Folds of the lasso that share their sums against a fit for each of them."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    TimeSeriesSplit,
)

from genestimators import Bootstrap, Folds
from genestimators.fitting import read_over
from genestimators.fitting._composites import find_shared, make_path
from genestimators.fitting.families.linear._lasso import SharedLasso
from tests.fitting.families.against_refits import TrainingErrors
from tests.fitting.families.linear.linear_data import regression, scaled, uneven
from tests.fitting.families.linear.test_lasso import (
    KINDS,
    assert_lasso,
    assert_scaled_lasso,
    penalties,
)


@pytest.mark.parametrize(
    "cv",
    [
        KFold(4),
        TimeSeriesSplit(4),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        LeaveOneOut(),
        list(GroupKFold(3).split(np.zeros(24), groups=np.arange(24) % 5)),
    ],
)
@pytest.mark.parametrize("p", [3, 15, 30])
def test_lasso_over_other_folds_equals_refits(cv, p):
    """Also single rows left out, and training sets with fewer rows than columns."""
    X, y = regression(0, 24, p, n_targets=2)
    weight = np.random.default_rng(0).gamma(0.5, size=24) * 10 + 0.01
    values = penalties(X, y)[[0, 2, 4]]
    assert_lasso(KINDS["lasso"], X, y, values, cv=cv)
    assert_lasso(KINDS["lasso"], X, y, values, cv=cv, sample_weight=weight)
    assert_scaled_lasso(KINDS["elastic net"], X, y, cv=cv)


def test_lasso_over_draws_that_are_no_partition_equals_refits():
    """Training rows may repeat, and some rows may never be left out."""
    X, y = regression(1, 30, 3)
    splits = [(np.arange(30) // 2, np.arange(20, 30)), (np.arange(9), np.arange(9, 30))]
    weight = uneven(1, 30)
    for own in (None, weight):
        assert_lasso(KINDS["lasso"], X, y, cv=splits, sample_weight=own)
        assert_scaled_lasso(KINDS["lasso"], X, y, cv=splits, sample_weight=own)


@pytest.mark.parametrize("weighted", [True, False])
def test_lasso_over_bootstrap_draws_equals_fits(weighted):
    """Draws without an end have their moments summed up, with their counts."""
    X, y = regression(2, 40, 3)
    weight = np.random.default_rng(2).integers(0, 3, 40) if weighted else None
    draws = Bootstrap().prepare(X, y, weight, seed=0)
    values = penalties(X, y)
    shared = find_shared(KINDS["lasso"], "alpha", values, X, y, draws)
    for number in (0, 7):
        draw = draws[number]
        own = make_path(
            KINDS["lasso"], "alpha", values, X[draw.rows], y[draw.rows], draw.counts
        )
        found = shared.fit_path(number, draw)
        # Both end with a duality gap of 1e-10 of the sum of squares, or sooner.
        np.testing.assert_allclose(
            found.predict(X), own.predict(X), atol=1e-6 * y.std()
        )


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_training_errors_are_known(n_targets, weighted, fit_intercept):
    """Mean squared errors on the training rows, of the path alone and of folds."""
    X, y = regression(3, 60, 5, n_targets=n_targets)
    y = y + 10 * y.std()
    weight = uneven(3, len(y)) if weighted else None
    lasso = Lasso(fit_intercept=fit_intercept)
    draws = Folds(KFold(3)).prepare(X, y, weight)
    for chain, param in ((lasso, "alpha"), scaled(lasso)):
        how = {"reading": TrainingErrors(), "param": param, "values": [0.1, 1.0]}
        for *_, (known, found) in read_over(chain, X, y, draws, range(3), **how):
            # From moments, whose rounding is relative to the square of y.
            np.testing.assert_allclose(known, found, atol=1e-10 * np.square(y).max())


def test_training_errors_that_rounding_would_swamp_are_not_told():
    """A fit without error has none that differences of large sums could show."""
    X, _ = regression(4, 60, 3)
    y = 1e3 * X[:, 0] + 1e6
    path = make_path(KINDS["lasso"], "alpha", [1e-6, 1e-5], X, y, None)
    assert path.training_squared_error() is None


def test_shared_folds_travel():
    """Pickled, they give the same paths; a shared path makes no models."""
    X, y = regression(5, 24, 3)
    values = penalties(X, y)
    draws = Folds(KFold(3)).prepare(X, y)
    shared = find_shared(KINDS["lasso"], "alpha", values, X, y, draws)
    copied = pickle.loads(pickle.dumps(shared))
    for number in range(3):
        path = shared.fit_path(number, draws[number])
        again = pickle.loads(pickle.dumps(copied.fit_path(number, draws[number])))
        np.testing.assert_array_equal(path.predict(X), again.predict(X))
        assert path.model(0) is None


def test_folds_of_plain_data_need_no_fits_of_their_own(monkeypatch):
    """The sums of all rows do for every fold, also far from zero."""

    def fail(*args):
        raise AssertionError("a fold was fitted by itself")

    monkeypatch.setattr(SharedLasso, "_apart", fail)
    X, y = regression(6, 40, 4)
    for offset in (0.0, 1e6):
        for weight in (None, uneven(6, 40)):
            draws = Folds(KFold(4)).prepare(X + offset, y, weight)
            for chain, param in ((Lasso(), "alpha"), scaled(Lasso())):
                shared = find_shared(chain, param, [0.1, 1.0], X + offset, y, draws)
                assert len(shared.moments.known) == 4
                assert all(shared.fit_path(i, draws[i]).n_values == 2 for i in range(4))


def test_a_fold_that_loses_digits_is_fitted_by_itself():
    """Shared work does not serve it; other folds it does."""
    X, y = regression(7, 30, 2)
    X[0, 0] = 1e9  # what is left of the column is lost in its sum of squares
    draws = Folds(KFold(3)).prepare(X, y)
    shared = find_shared(Lasso(), "alpha", [0.1, 1.0], X, y, draws)
    assert shared.fit_path(0, draws[0]) is None
    assert shared.fit_path(1, draws[1]) is not None


@pytest.mark.parametrize("shape", [(30, 30), (30, 40)])
def test_folds_with_few_rows_are_not_shared(shape):
    """With as many columns as rows there is nothing to gain from products."""
    X, y = regression(8, *shape)
    draws = Folds(KFold(3)).prepare(X, y)
    assert find_shared(Lasso(), "alpha", [0.1], X, y, draws) is None
