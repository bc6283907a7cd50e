"""Sparse rows are what dense ones are, and are made dense in parts only."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from genestimators.selection._stable_selector import StableFeatureSelector
from genestimators.selection.importances import _sparse_rows
from genestimators.selection.importances._elimination import prune, unit_costs
from genestimators.selection.importances._moments import CONSTANT
from genestimators.selection.importances._sparse_rows import SparseRows


def rows(seed, n, p, *, scaled, weighted):
    """Sparse rows, and the same as a slow dense computation has them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.uniform(size=(n, p)) < 0.3)
    X[:, 0] = 3.7  # a constant without a zero
    X[:, 1] = 0.0
    X[:, 2] = 1.0 + rng.uniform(size=n)  # no zeros
    weight = rng.uniform(0.1, 2.0, n) if weighted else np.ones(n)
    mean = np.average(X, axis=0, weights=weight)
    Z = X - mean
    Z[:, :2] = 0.0
    if scaled:
        spread = np.sqrt(np.average(Z**2, axis=0, weights=weight))
        Z /= np.where(spread > 0, spread, 1.0)
    root = np.sqrt(weight)[:, None]
    found = SparseRows.of(sparse.csr_array(X), weight, scaled=scaled, least=CONSTANT)
    Y = rng.normal(size=(n, 2))
    return found, Z * root, (Y - np.average(Y, axis=0, weights=weight)) * root


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (1, 5)])
def test_cells_and_products(shape, scaled, weighted):
    """Cells, sums of squares, products, some columns and some at a time."""
    found, Z, Y = rows(0, *shape, scaled=scaled, weighted=weighted)
    near = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(found.dense(), Z, **near)
    np.testing.assert_allclose(found.square_sum, (Z**2).sum(), **near)
    some = np.array([4, 0, 2])
    np.testing.assert_allclose(found.take(some).dense(), Z[:, some], **near)
    gram, cross = found.gram(Y)
    np.testing.assert_allclose(gram, Z.T @ Z, **near)
    np.testing.assert_allclose(cross, Z.T @ Y, **near)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(60, 40), (20, 60)])
@pytest.mark.parametrize("lengths", ["single", "groups"])
def test_costs_are_those_of_dense_rows(seed, shape, lengths, monkeypatch):
    """Whatever is dense at a time: a unit is never parted."""
    n, p = shape
    found, Z, Y = rows(seed, n, p, scaled=True, weighted=True)
    rng = np.random.default_rng(seed)
    labels = np.arange(p) if lengths == "single" else np.arange(p) // 3
    lengths = np.bincount(labels).tolist()
    ridge = rng.uniform(0.5, 2.0, p)
    columns = np.arange(p)
    wanted = unit_costs(Z, columns, Y, ridge, lengths)
    for size in (1, 7, 256):
        monkeypatch.setattr(_sparse_rows, "_COLUMNS", size)
        monkeypatch.setattr(_sparse_rows, "_CELLS", 3 * size)
        costs = unit_costs(found, columns, Y, ridge, lengths)
        np.testing.assert_allclose(costs, wanted, rtol=1e-8, atol=1e-10)
        ranks, costs = prune(found, Y, ridge, labels, 4)
        dense_ranks, dense_costs = prune(Z, Y, ridge, labels, 4)
        # Columns without a spread have costs of zero, in which rounding decides.
        real = np.ptp(found.Z.toarray()[:, np.unique(labels, return_index=True)[1]], 0)
        real = (real > 0) & (dense_costs > 1e-9)
        np.testing.assert_array_equal(ranks[real], dense_ranks[real])
        np.testing.assert_allclose(costs, dense_costs, rtol=1e-8, atol=1e-10)


@pytest.mark.filterwarnings("ignore::genestimators._exceptions.NothingSelectedWarning")
@pytest.mark.parametrize("importance", ["elimination", "conditional"])
def test_wide_sparse_columns_stay_sparse(importance):
    """No half is ever dense, which would take 12 million bytes here."""
    rng = np.random.default_rng(0)
    places = rng.integers(300, size=20_000), rng.integers(10_000, size=20_000)
    cells = rng.uniform(size=20_000), places
    X = sparse.csr_array(cells, shape=(300, 10_000))
    y = np.asarray(X[:, :20].sum(axis=1)).ravel() + 0.1 * rng.normal(size=300)
    step = StableFeatureSelector(importance=importance, n_resamples=1, random_state=0)
    tracemalloc.start()
    step.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6
