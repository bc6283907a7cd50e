"""How many rows the identity counts for: its formula, and its limits."""

import numpy as np
import pytest
from scipy.special import multigammaln

from genestimators.imputation.normal._law import fit_law
from genestimators.imputation.normal._shrinkage import (
    LEAST,
    _log_evidence,
    most_probable_penalty,
    pairwise_correlation,
    pairwise_penalty,
)
from tests.imputation.normal.toys import covariance_of


def _evidence(penalty, scatter, n):
    """Chen's marginal likelihood, with determinants; the prior's mode is no matter."""
    p = len(scatter)
    freedom = penalty + p + 1
    prior = penalty * np.eye(p)
    return (
        multigammaln((freedom + n) / 2, p)
        - multigammaln(freedom / 2, p)
        + freedom / 2 * np.linalg.slogdet(prior)[1]
        - (freedom + n) / 2 * np.linalg.slogdet(prior + scatter)[1]
    )


@pytest.mark.parametrize(("p", "n"), [(2, 5.0), (4, 30.5), (8, 6.0)])
def test_evidence_against_the_formula(p, n):
    """Differences between weights, since a constant is left out."""
    scatter = n * covariance_of(p, p)
    penalties = np.array([1e-3, 0.1, 1.0, 7.5, 1e3])
    ours = _log_evidence(np.log(penalties), np.linalg.eigvalsh(scatter), n)
    theirs = np.array([_evidence(one, scatter, n) for one in penalties])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_most_probable_weight_beats_a_fine_grid(seed):
    """No weight of a grid of 2,000 is more probable by more than its rounding."""
    p, n = 5, 20.0
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(20, p)) @ np.linalg.cholesky(covariance_of(seed, p))
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    correlation = table.T @ table / n
    found = most_probable_penalty(correlation, n)
    grid = np.geomspace(1e-4, 1e5, 2000)
    best = max(_evidence(one, n * correlation, n) for one in grid)
    assert _evidence(found, n * correlation, n) >= best - 1e-3


def test_weight_of_one_column_and_of_no_rows():
    """There is no correlation to shrink."""
    assert most_probable_penalty(np.ones((1, 1)), 10.0) == 0.0
    assert most_probable_penalty(np.eye(2), 0.0) == 0.0


def test_pairwise_weight_against_a_loop():
    """Sampling variances of the correlations of pairs, over their squares."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(30, 4))
    table[:, 1] += table[:, 0]
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    table[rng.random((30, 4)) < 0.3] = np.nan
    weight = rng.uniform(0.5, 2.0, size=30)
    noise, total, counts = 0.0, 0.0, []
    for i in range(4):
        for j in range(4):
            if i != j:
                both = ~np.isnan(table[:, [i, j]]).any(axis=1)
                n = weight[both].sum()
                r = (weight * table[:, i] * table[:, j])[both].sum() / n
                noise, total = noise + (1 - r**2) ** 2 / n, total + r**2
                counts.append(n)
    share = noise / total
    penalty, n_pairs = pairwise_penalty(*pairwise_correlation(table, weight))
    np.testing.assert_allclose(n_pairs, np.mean(counts))
    np.testing.assert_allclose(penalty, share / (1 - share) * np.mean(counts))


def test_pairs_that_are_never_seen_together():
    """Nothing is known of their correlations, and nothing fails."""
    table = np.array([[1.0, np.nan], [np.nan, 1.0], [-1.0, np.nan], [np.nan, -1.0]])
    penalty, n_pairs = pairwise_penalty(*pairwise_correlation(table, np.ones(4)))
    assert np.isfinite(penalty)
    assert n_pairs == 0.0
    law = fit_law(
        table, np.ones(4), shrinkage="auto", n_factors=None, max_iter=50, tol=1e-6
    )
    np.testing.assert_allclose(law.covariance, np.eye(2), atol=1e-6)


def _shrinkage(table):
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    table[np.random.default_rng(9).random(table.shape) < 0.1] = np.nan
    return fit_law(
        table,
        np.ones(len(table)),
        shrinkage="auto",
        n_factors=None,
        max_iter=100,
        tol=1e-4,
    )


def test_pure_noise_is_shrunk_to_next_to_the_identity():
    """Correlations of 20 independent columns from 40 rows are all chance.

    They are of size 0.16 as they are; what is left is a tenth of that.
    """
    law = _shrinkage(np.random.default_rng(0).normal(size=(40, 20)))
    apart = law.covariance[~np.eye(20, dtype=bool)]
    assert law.shrinkage > 0.9
    assert np.sqrt(np.mean(apart**2)) < 0.02


def test_many_rows_are_hardly_shrunk():
    """A hundred rows a column, really correlated; fewer rows are shrunk more."""
    root = np.linalg.cholesky(covariance_of(0, 6))
    rng = np.random.default_rng(1)
    many = _shrinkage(rng.normal(size=(3000, 6)) @ root.T).shrinkage
    few = _shrinkage(rng.normal(size=(12, 6)) @ root.T).shrinkage
    assert many < 0.01
    assert few > 5 * many


def test_copied_columns_stay_invertible():
    """At no shrinkage, by the least weight that there is."""
    x = np.random.default_rng(0).normal(size=(50, 1))
    table = np.hstack([x, x]) / x.std()
    law = fit_law(
        table, np.ones(50), shrinkage=0.0, n_factors=None, max_iter=5, tol=1e-8
    )
    np.testing.assert_allclose(law.shrinkage, LEAST, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.eigvalsh(law.covariance)[0], LEAST, rtol=1e-3)
