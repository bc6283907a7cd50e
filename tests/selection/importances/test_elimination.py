"""Backward elimination in closed form against fits of every smaller model."""

import numpy as np
import pytest

from genestimators.selection.importances._elimination import (
    eliminate,
    nested_losses,
    prune,
)
from genestimators.selection.importances._moments import moments_of


def problem(seed, n=40, p=6, k=1, n_draws=3):
    """Draws of one table: moments, and the rows that they are of."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 1] += X[:, 0]
    Y = X[:, :3] @ rng.normal(size=(3, k)) + rng.normal(size=(n, k))
    parts = [(np.arange(n), rng.integers(0, 3, n) + 0.5) for _ in range(n_draws)]
    return X, Y, parts, moments_of(X, Y, parts)


def penalised_loss(X, Y, weight, ridge, columns):
    """The least penalised sum of squares of a fit on some columns, by its rows."""
    Xc = X - np.average(X, axis=0, weights=weight)
    Yc = Y - np.average(Y, axis=0, weights=weight)
    Z = Xc[:, columns]
    gram = (Z * weight[:, None]).T @ Z + ridge * np.eye(len(columns))
    beta = np.linalg.solve(gram, (Z * weight[:, None]).T @ Yc)
    return (weight[:, None] * (Yc - Z @ beta) ** 2).sum() + ridge * (beta**2).sum()


def slow_elimination(losses, labels):
    """Ranks and running costs, with the loss of every set of columns asked for."""
    units = list(range(labels.max() + 1))
    ranks, costs = np.zeros(len(units), int), np.zeros(len(units))
    reached = 0.0
    while units:
        now = losses(np.flatnonzero(np.isin(labels, units)))
        without = [
            losses(np.flatnonzero(np.isin(labels, [u for u in units if u != unit])))
            for unit in units
        ]
        place = int(np.argmin(without))
        reached = max(reached, without[place] - now)
        unit = units.pop(place)
        ranks[unit], costs[unit] = len(units) + 1, reached
    return ranks, costs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 4, 5], [2, 0, 0, 1, 1, 1], [0] * 6])
@pytest.mark.parametrize(("k", "ridge"), [(1, 0.0), (1, 3.0), (2, 0.5)])
def test_elimination_equals_refits(seed, labels, k, ridge):
    """Each step drops what a refit without it misses least, at that cost."""
    X, Y, parts, moments = problem(seed, k=k)
    labels = np.array(labels)
    ranks, costs = eliminate(moments.gram, moments.cross, ridge, labels)
    for b, (_, weight) in enumerate(parts):
        wanted, slow = slow_elimination(
            lambda columns, w=weight: penalised_loss(X, Y, w, ridge, columns), labels
        )
        np.testing.assert_array_equal(ranks[b], wanted)
        # The least ridge, a millionth of a mean square, moves costs by as much, times
        # the condition of the columns.
        np.testing.assert_allclose(costs[b], slow, rtol=1e-4 if ridge == 0 else 1e-7)


@pytest.mark.parametrize("labels", [None, np.array([0, 0, 1, 2, 3, 3])])
def test_elimination_together_uses_mean_costs(labels):
    """Dropped together, units go in the order of the mean loss of all draws."""
    X, Y, parts, moments = problem(7)
    ranks, costs = eliminate(moments.gram, moments.cross, 1.0, labels, together=True)
    wanted, slow = slow_elimination(
        lambda columns: np.mean(
            [penalised_loss(X, Y, weight, 1.0, columns) for _, weight in parts]
        ),
        np.arange(6) if labels is None else labels,
    )
    for b in range(len(parts)):
        np.testing.assert_array_equal(ranks[b], wanted)
        np.testing.assert_allclose(costs[b], slow, rtol=1e-9)


@pytest.mark.parametrize("together", [False, True])
def test_first_of_two_copies_stays(together):
    """Of copies it is the first that stays, in every draw."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    X[:, 3] = -X[:, 1]
    Y = X[:, 1:2] + 0.1 * rng.normal(size=(60, 1))
    parts = [(rows, np.ones(30)) for rows in rng.permutation(60).reshape(2, 30)]
    moments = moments_of(X, Y, parts)
    for ridge in (0.0, 1.0):
        ranks, _ = eliminate(moments.gram, moments.cross, ridge, together=together)
        assert (ranks[:, 1] == 1).all()
        assert (ranks[:, 3] > 1).all()


@pytest.mark.parametrize("labels", [None, np.array([0, 0, 1, 2, 3, 3])])
def test_forced_units_go_last(labels):
    """A forced unit outlasts all others, whatever it is worth."""
    _, _, _, moments = problem(3)
    n_units = 6 if labels is None else 4
    forced = np.zeros(n_units, bool)
    forced[[1, n_units - 1]] = True
    for together in (False, True):
        ranks, costs = eliminate(
            moments.gram, moments.cross, 1.0, labels, forced=forced, together=together
        )
        assert (ranks[:, forced] <= 2).all()
        assert np.isfinite(costs).all()


@pytest.mark.parametrize("constant", [0, 5])
def test_constant_column_is_dropped_first(constant):
    """A column that is constant in a draw costs nothing."""
    X, Y, parts, _ = problem(1)
    X[:, constant] = 0.0
    moments = moments_of(X, Y, parts)
    ranks, costs = eliminate(moments.gram, moments.cross, 0.0)
    assert (ranks[:, constant] == 6).all()
    assert (costs[:, constant] == 0).all()


@pytest.mark.parametrize(("n", "p"), [(60, 30), (20, 50)])
@pytest.mark.parametrize("grouped", [False, True])
def test_pruning_drops_the_least_costs(n, p, grouped):
    """A step drops the units whose leaving costs least, from rows or their products."""
    X, Y, parts, _ = problem(5, n=n, p=p, n_draws=1)
    labels = np.arange(p) // 2 if grouped else np.arange(p)
    n_units = labels.max() + 1
    weight = parts[0][1]
    root = np.sqrt(weight)[:, None]
    Z = root * (X - np.average(X, axis=0, weights=weight))
    keep = n_units - max(1, n_units // 5)
    target = root * (Y - np.average(Y, axis=0, weights=weight))
    ranks, costs = prune(Z, target, 2.0, labels, keep)
    every = np.arange(p)
    whole = penalised_loss(X, Y, weight, 2.0, every)
    slow = np.array(
        [
            penalised_loss(X, Y, weight, 2.0, every[labels != unit]) - whole
            for unit in range(n_units)
        ]
    )
    gone = np.argsort(slow)[: n_units - keep]
    np.testing.assert_array_equal(np.sort(np.flatnonzero(ranks)), np.sort(gone))
    # Differences of losses that are a hundred times as large lose two digits.
    np.testing.assert_allclose(costs[gone], slow[gone], rtol=1e-7)
    np.testing.assert_array_equal(ranks[gone], n_units - np.arange(len(gone)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("labels", [None, np.array([2, 0, 0, 1, 1, 1])])
@pytest.mark.parametrize(("k", "ridge"), [(1, 0.0), (3, 2.0)])
def test_nested_losses_equal_refits(seed, labels, k, ridge):
    """One factor gives the test losses of all nested fits."""
    rng = np.random.default_rng(seed)
    X, Y, parts, train = problem(seed, k=k)
    rows = np.arange(5, 30)
    held = [(rows, rng.uniform(0.5, 2, len(rows))) for _ in parts]
    test = moments_of(X, Y, held)
    n_units = 6 if labels is None else 3
    orders = np.stack([rng.permutation(n_units) for _ in parts])
    losses = nested_losses(train, test, ridge, orders, labels)
    units = np.arange(6) if labels is None else labels
    for b, ((_, weight), (_, own)) in enumerate(zip(parts, held, strict=True)):
        mean, mean_y = (np.average(A, axis=0, weights=weight) for A in (X, Y))
        for size in range(n_units + 1):
            columns = np.flatnonzero(np.isin(units, orders[b, :size]))
            Z = (X - mean)[:, columns]
            gram = (Z * weight[:, None]).T @ Z + ridge * np.eye(len(columns))
            beta = np.linalg.solve(gram, (Z * weight[:, None]).T @ (Y - mean_y))
            error = Y[rows] - mean_y - Z[rows] @ beta
            slow = np.average((error**2).sum(axis=1), weights=own)
            # Here the least ridge is a billionth of a mean square.
            assert losses[b, size] == pytest.approx(slow, rel=1e-7)
