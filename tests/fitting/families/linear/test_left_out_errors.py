"""Errors on the rows left out that paths know from moments, without any answer."""

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Lasso, Ridge
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import Folds
from genestimators.fitting._composites import find_shared
from genestimators.fitting.families.linear._gram import errors_on, sum_moments
from tests.fitting.families.linear.linear_data import regression, uneven

VALUES = [0.01, 1.0, 30.0]


def paths_of(estimator, X, y, cv, *, weight=None, steps=()):
    draws = Folds(cv).prepare(X, y, weight)
    chain = make_pipeline(*steps, estimator)
    name = f"{chain.steps[-1][0]}__alpha"
    shared = find_shared(chain, name, VALUES, X, y, draws)
    for number in range(len(draws)):
        yield draws[number], shared.fit_path(number, draws[number])


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("steps", [(), (StandardScaler(),)])
@pytest.mark.parametrize("estimator", [Ridge(), Lasso(), ElasticNet(l1_ratio=0.5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_errors_are_those_of_the_answers(estimator, steps, weighted, offset):
    """For every output, with weights, behind a scaler, far from zero."""
    X, y = regression(0, 60, 4, n_targets=2)
    X = X + offset
    weight = uneven(0, 60) if weighted else None
    cv = RepeatedKFold(n_splits=4, n_repeats=2, random_state=0)
    for draw, path in paths_of(estimator, X, y, cv, weight=weight, steps=steps):
        rows = draw.out_of_bag
        own = None if weight is None else weight[rows]
        squares = (path.predict(X[rows]) - y[rows]) ** 2
        expected = np.average(squares, axis=1, weights=own)
        # Means of 1e4 leave 8 digits of the squares of numbers of size one.
        np.testing.assert_allclose(
            path.left_out_squared_error(), expected, rtol=1e-10 if not offset else 1e-6
        )


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), ShuffleSplit(3, test_size=0.2)])
def test_errors_are_not_known_where_other_rows_are_left_out_too(cv):
    """Moments of what was not drawn are not those of the rows out of bag."""
    X, y = regression(1, 60, 4)
    for draw, path in paths_of(Ridge(), X, y, cv):
        if len(draw.rows) + len(draw.out_of_bag) < 60:
            assert path.left_out_squared_error() is None


@pytest.mark.parametrize("estimator", [Ridge(), Lasso()])
def test_parts_of_a_path_answer_as_the_whole(estimator):
    """Some values, in any order."""
    X, y = regression(2, 60, 4)
    for _, path in paths_of(estimator, X, y, KFold(3)):
        part = path.take(np.array([2, 0]))
        np.testing.assert_array_equal(part.predict(X), path.predict(X)[[2, 0]])
        np.testing.assert_array_equal(
            part.left_out_squared_error(), path.left_out_squared_error()[[2, 0]]
        )


def test_errors_that_rounding_would_swamp_are_not_told():
    """A perfect prediction has no error that sums of squares could show."""
    X, _ = regression(3, 60, 4)
    coef = np.ones((1, 1, 4))
    moments = sum_moments(X, X @ np.ones((4, 1)), None, X.mean(axis=0), np.zeros(1))
    assert errors_on(moments, coef, np.zeros(4), np.zeros((1, 1))) is None
