"""Regressions of each column on the others against the textbook."""

import numpy as np
import pytest

from genestimators.imputation.normal._regression import Regressions


@pytest.mark.parametrize("p", [1, 2, 5, 12])
def test_predictions_are_conditional_means(p):
    """Mean of a column given the others, by the covariance of the others."""
    rng = np.random.default_rng(p)
    root = rng.normal(size=(p, p + 2))
    mean, covariance = rng.normal(size=p), root @ root.T
    rows = rng.normal(size=(20, p))
    regressions = Regressions(mean, covariance)
    together = regressions.predict_all(rows)
    for j in range(p):
        others = np.delete(np.arange(p), j)
        slopes = np.linalg.solve(
            covariance[np.ix_(others, others)], covariance[others, j]
        )
        expected = mean[j] + (rows[:, others] - mean[others]) @ slopes
        np.testing.assert_allclose(together[:, j], expected, rtol=1e-8, atol=1e-10)
        alone = regressions.predict(rows, j)
        np.testing.assert_allclose(alone, expected, rtol=1e-8, atol=1e-10)


def test_own_value_does_not_count_and_bits_are_the_rows_own():
    """Another value in the column, or other company, changes no bit."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(9, 30))
    regressions = Regressions(rng.normal(size=9), root @ root.T / 30)
    rows = rng.normal(size=(37, 9))
    found = regressions.predict(rows, 4)
    other = rows.copy()
    other[:, 4] = 1e9
    np.testing.assert_array_equal(regressions.predict(other, 4), found)
    single = [regressions.predict(rows[i : i + 1], 4)[0] for i in range(37)]
    np.testing.assert_array_equal(single, found)
    np.testing.assert_array_equal(regressions.predict(rows[::-3], 4), found[::-3])
