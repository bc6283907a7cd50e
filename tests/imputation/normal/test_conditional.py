"""Conditional laws of missing entries against the textbook, a row at a time."""

import numpy as np
import pytest

from genestimators.imputation.normal import _blocks, _factors
from genestimators.imputation.normal._blocks import blocks_of
from genestimators.imputation.normal._conditional import ConditionalNormal
from genestimators.imputation.normal._expectation import IncompleteRows
from genestimators.imputation.normal._factors import ConditionalFactors
from tests.imputation.normal.toys import (
    conditional_of,
    covariance_of,
    log_likelihood_of,
    normal_table,
)


def _law(p, seed=0):
    """A factor law, and the full law of the covariance that it implies."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=p)
    loadings, noise = rng.normal(size=(p, 2)), rng.uniform(0.1, 1.0, size=p)
    covariance = loadings @ loadings.T + np.diag(noise)
    return mean, covariance, ConditionalFactors(mean, loadings, noise)


def _either(p, kind, seed=0):
    mean, covariance, factors = _law(p, seed)
    if kind == "factors":
        return mean, covariance, factors
    return mean, covariance, ConditionalNormal(mean, np.linalg.inv(covariance))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_blocks_hold_each_incomplete_row_once(share, monkeypatch):
    """With all that it misses, whatever the size of a block."""
    missing = np.random.default_rng(0).random((50, 4)) < share
    for numbers in (1, 17, 1 << 16):
        monkeypatch.setattr(_blocks, "_NUMBERS", numbers)
        blocks = blocks_of(missing)
        rows = np.concatenate([block.rows for block in blocks] or [[]])
        assert sorted(rows) == np.flatnonzero(missing.any(axis=1)).tolist()
        for block in blocks:
            for row, columns in zip(block.rows, block.missing.T, strict=True):
                assert columns.tolist() == np.flatnonzero(missing[row]).tolist()


@pytest.mark.parametrize("kind", ["normal", "factors"])
@pytest.mark.parametrize(("p", "seed"), [(1, 0), (2, 1), (4, 2), (7, 3)])
def test_means_and_variances_are_the_textbook_ones(kind, p, seed):
    """Sigma_mo Sigma_oo^-1 row by row, rows that miss everything among them."""
    mean, covariance, law = _either(p, kind, seed)
    table = normal_table(seed, n=60, p=p, share=0.4, n_empty=2)
    filled = table.copy()
    law.fill(filled)
    variance = law.variance(table)
    for row, ours, spread in zip(table, filled, variance, strict=True):
        m = np.isnan(row)
        center, rest = conditional_of(row, mean, covariance)
        np.testing.assert_allclose(ours[m], center, atol=1e-9)
        np.testing.assert_array_equal(ours[~m], row[~m])
        np.testing.assert_allclose(spread[m], np.diag(rest), atol=1e-9)
        assert not spread[~m].any()


@pytest.mark.parametrize("kind", ["normal", "factors"])
@pytest.mark.parametrize("columns", [[1], [1, 2], [3, 4, 5], [0, 1, 2, 3, 4, 5]])
def test_laws_of_blocks_are_the_textbook_ones(kind, columns):
    """Of the chosen columns among all that a row misses."""
    mean, covariance, law = _either(6, kind)
    table = normal_table(5, n=40, p=6, share=0.4)
    together = np.random.default_rng(1).random(40) < 0.5
    table[:, columns] = np.where(together[:, None], np.nan, 0.3)
    seen = []
    for rows, means, covariances in law.block_law(table, np.array(columns)):
        for k, row in enumerate(rows):
            center, spread = conditional_of(table[row], mean, covariance)
            at = np.searchsorted(np.flatnonzero(np.isnan(table[row])), columns)
            np.testing.assert_allclose(means[:, k], center[at], atol=1e-9)
            np.testing.assert_allclose(
                covariances[:, :, k], spread[np.ix_(at, at)], atol=1e-9
            )
        seen += rows.tolist()
    assert sorted(seen) == np.flatnonzero(together).tolist()


@pytest.mark.parametrize("kind", ["normal", "factors"])
def test_rows_have_their_bits_in_any_company(kind, monkeypatch):
    """Means, variances, draws and laws of blocks of single rows and small blocks."""
    law = _either(6, kind)[2]
    table = normal_table(2, n=90, p=6, share=0.4)
    table[:, 2:4] = np.where(np.arange(90)[:, None] % 3 == 0, np.nan, 0.1)

    def normals(rows, columns):
        return np.sin(7.0 * names[rows] + columns)

    def results(which):
        mean, draw = table[which], table[which]
        law.fill(mean)
        law.fill(draw, normals)
        block = np.zeros((len(which), 6))
        for rows, means, covariances in law.block_law(table[which], np.array([2, 3])):
            block[rows, :2] = means.T
            block[rows, 2:] = covariances.reshape(4, -1).T
        return np.hstack([mean, draw, law.variance(table[which]), block])

    names = np.arange(90)
    whole = results(names)
    monkeypatch.setattr(_blocks, "_NUMBERS", 100)
    monkeypatch.setattr(_factors, "_NUMBERS", 100)
    np.testing.assert_array_equal(results(names), whole)
    names = order = np.random.default_rng(0).permutation(90)
    np.testing.assert_array_equal(results(order), whole[order])
    for row in range(0, 90, 7):
        names = np.array([row])
        np.testing.assert_array_equal(results(names), whole[[row]])


@pytest.mark.parametrize("kind", ["normal", "factors"])
def test_draws_are_linear_in_the_noise_with_the_right_covariance(kind):
    """A draw is the mean plus a matrix times noise; its square is the covariance.

    The matrix comes out exactly by feeding unit vectors, so nothing is simulated.
    """
    mean, covariance, law = _either(5, kind)
    row = np.array([[np.nan, 0.3, np.nan, np.nan, -1.0]])
    base = row.copy()
    law.fill(base)
    columns_of_matrix = []
    for place in range(5 + 2):  # latent columns, then factors
        drawn = row.copy()
        law.fill(drawn, lambda rows, columns, place=place: 1.0 * (columns == place))
        columns_of_matrix.append((drawn - base)[0])
    root = np.array(columns_of_matrix).T
    m = np.isnan(row[0])
    expected = conditional_of(row[0], mean, covariance)[1]
    np.testing.assert_allclose((root @ root.T)[np.ix_(m, m)], expected, atol=1e-9)
    assert not root[~m].any()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "factors"])
def test_draws_have_the_right_moments(kind):
    """Over 40,000 draws of one row.

    A mean of 40,000 numbers of variance v has standard error sqrt(v)/200; five of them
    are passed by chance in fewer than one of a million. A covariance has standard error
    at most sqrt(2) v / 200.
    """
    mean, covariance, law = _either(4, kind)
    row = np.array([np.nan, 0.3, np.nan, np.nan])
    table = np.tile(row, (40_000, 1))
    rng = np.random.default_rng(0)
    law.fill(table, lambda rows, columns: rng.normal(size=columns.shape))
    center, spread = conditional_of(row, mean, covariance)
    drawn = table[:, np.isnan(row)]
    size = np.diag(spread).max()
    np.testing.assert_allclose(drawn.mean(axis=0), center, atol=5 * size**0.5 / 200)
    np.testing.assert_allclose(np.cov(drawn.T), spread, atol=5 * 2**0.5 * size / 200)


@pytest.mark.parametrize("p", [1, 3, 18])
def test_expected_sums_against_a_loop_over_rows(p):
    """The E-step: sums about the mean, and the log-likelihood; many missing entries."""
    covariance = covariance_of(1, p)
    mean = np.linspace(-0.5, 0.5, p)
    table = normal_table(p, n=30, p=p, share=0.5, n_empty=1)
    weight = np.random.default_rng(0).uniform(0.2, 3.0, size=30)
    sums = IncompleteRows(table, weight).expect(mean, covariance)
    first, second = np.zeros(p), np.zeros((p, p))
    for row, w in zip(table, weight, strict=True):
        m = np.isnan(row)
        center, spread = conditional_of(row, mean, covariance)
        full = row - mean
        full[m] = center - mean[m]
        first += w * full
        second += w * np.outer(full, full)
        second[np.ix_(m, m)] += w * spread
    np.testing.assert_allclose(sums.weight, weight.sum(), rtol=1e-12)
    np.testing.assert_allclose(sums.first, first, atol=1e-8)
    np.testing.assert_allclose(sums.second, second, atol=1e-8)
    expected = log_likelihood_of(table, weight, mean, covariance)
    np.testing.assert_allclose(sums.log_likelihood, expected, rtol=1e-10)
