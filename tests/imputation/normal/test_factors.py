"""The law of few factors: its likelihood, its path, and what it finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genestimators.imputation.normal import _factors
from genestimators.imputation.normal._conditional import ConditionalNormal
from genestimators.imputation.normal._factors import (
    ConditionalFactors,
    _step,
    fit_factors,
)
from tests.imputation.normal.toys import log_likelihood_of, normal_table


def _implied(fit):
    return fit.loadings @ fit.loadings.T + np.diag(fit.noise)


@pytest.mark.parametrize(("p", "k"), [(4, 1), (6, 2), (3, 3)])
def test_likelihood_is_the_sum_over_rows(p, k, monkeypatch):
    """That of the normal law with the covariance the factors imply, in chunks too."""
    table = normal_table(p, n=40, p=p, n_empty=1)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=40)
    fit = fit_factors(table, weight, k, max_iter=15, tol=0.0)
    expected = log_likelihood_of(table, weight, fit.mean, _implied(fit))
    values, observed = np.nan_to_num(table), (~np.isnan(table)).astype(float)
    law = fit.mean, fit.loadings, fit.noise
    np.testing.assert_allclose(
        _step(values, observed, weight, *law)[1], expected, rtol=1e-10
    )
    # It is told at the start of each step, and the last one goes uphill too.
    assert fit.objective[-1] <= expected + 1e-9 * abs(expected)
    monkeypatch.setattr(_factors, "_NUMBERS", 30)
    chunks = fit_factors(table, weight, k, max_iter=15, tol=0.0)
    np.testing.assert_allclose(chunks.objective, fit.objective, rtol=1e-10)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(4, 40),
    p=st.integers(1, 6),
    k=st.integers(1, 6),
    share=st.floats(0.0, 0.7),
)
def test_likelihood_never_falls(seed, n, p, k, share):
    """But for rounding, more factors than columns included."""
    table = normal_table(seed, n=n, p=p, share=share, n_empty=1)
    weight = np.random.default_rng(seed).uniform(0.1, 3.0, size=n)
    fit = fit_factors(table, weight, k, max_iter=40, tol=1e-6)
    slack = 1e-8 * (1 + np.abs(fit.objective).max())
    assert (np.diff(fit.objective) >= -slack).all()
    assert np.isfinite(fit.objective).all()


def test_fit_is_a_maximum():
    """No small change of a parameter raises the likelihood."""
    table = normal_table(1, n=60, p=4, share=0.2)
    weight = np.ones(60)
    fit = fit_factors(table, weight, 1, max_iter=3000, tol=1e-10)
    observed = (~np.isnan(table)).astype(float)
    values = np.nan_to_num(table)

    def likelihood(*parts):
        return _step(values, observed, weight, *parts)[1]

    parts = [fit.mean, fit.loadings, fit.noise]
    best = likelihood(*parts)
    np.testing.assert_allclose(best, fit.objective[-1], rtol=1e-12)
    for place, part in enumerate(parts):
        for j in range(4):
            for change in (-1e-3, 1e-3):
                moved = [one.copy() for one in parts]
                moved[place][j] += change
                if part is fit.noise and fit.noise[j] <= 1e-3 and change < 0:
                    continue  # at the least noise that is allowed
                assert likelihood(*moved) <= best + 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_filling_agrees_with_the_full_law(seed):
    """A fitted law fills as the normal law of the covariance that it implies."""
    table = normal_table(seed, n=50, p=6, share=0.3)
    table[:, 1:3] = np.where(np.arange(50)[:, None] % 4 == 0, np.nan, table[:, 1:3])
    table[np.isnan(table[:, 1]) | np.isnan(table[:, 2]), 1:3] = np.nan
    fit = fit_factors(table, np.ones(50), 2, max_iter=100, tol=1e-4)
    few = ConditionalFactors(fit.mean, fit.loadings, fit.noise)
    full = ConditionalNormal(fit.mean, np.linalg.inv(_implied(fit)))
    ours, theirs = table.copy(), table.copy()
    few.fill(ours)
    full.fill(theirs)
    np.testing.assert_allclose(ours, theirs, atol=1e-8)
    np.testing.assert_allclose(few.variance(table), full.variance(table), atol=1e-8)
    laws = []
    for law in (few, full):
        out = {}
        for rows, means, spreads in law.block_law(table, np.array([1, 2])):
            for k, row in enumerate(rows):
                out[int(row)] = np.append(means[:, k], spreads[:, :, k])
        laws.append(np.array([out[row] for row in sorted(out)]))
    np.testing.assert_allclose(laws[0], laws[1], atol=1e-8)


@pytest.mark.slow
def test_true_factors_are_found():
    """A covariance of two factors in 10 columns from 4,000 rows, a fifth missing.

    A correlation from some 2,500 pairs has standard error below 0.02; the largest of
    45 is below 3.5 of them.
    """
    rng = np.random.default_rng(0)
    loadings = rng.uniform(-0.8, 0.8, size=(10, 2)) / np.sqrt(2)
    noise = 1 - np.square(loadings).sum(axis=1)
    table = rng.normal(size=(4000, 2)) @ loadings.T
    table += rng.normal(size=table.shape) * np.sqrt(noise)
    table[rng.random(table.shape) < 0.2] = np.nan
    fit = fit_factors(table, np.ones(4000), 2, max_iter=300, tol=1e-4)
    assert fit.converged
    expected = loadings @ loadings.T + np.diag(noise)
    apart = ~np.eye(10, dtype=bool)
    np.testing.assert_allclose(_implied(fit)[apart], expected[apart], atol=0.07)
    np.testing.assert_allclose(np.diag(_implied(fit)), 1.0, atol=0.1)
