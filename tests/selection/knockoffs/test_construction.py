"""How far knockoffs may stand off: validity, optimality, closed forms."""

import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.optimize import minimize as scipy_minimize

from genestimators.selection.knockoffs._construction import (
    CONSTRUCTIONS,
    Blocks,
    _Problem,
    construct,
    entropy_loss,
    mvr_loss,
)
from genestimators.selection.knockoffs._descent import minimize

LOSSES = {"mvr": mvr_loss, "maximum_entropy": entropy_loss}


def random_correlation(seed, p):
    """A correlation with widely spread eigenvalues."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(2 * p, p)) * rng.uniform(0.1, 2.0, size=p)
    rows += rng.normal(size=(2 * p, 1))
    return np.corrcoef(rows.T)


def random_labels(seed, p):
    rng = np.random.default_rng(seed)
    return np.unique(rng.integers(p // 2 + 1, size=p), return_inverse=True)[1]


@pytest.mark.parametrize("method", CONSTRUCTIONS)
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_construction_is_valid(method, grouped, seed):
    """S is zero between units and lies strictly between 0 and 2 C."""
    p = 12
    correlation = random_correlation(seed, p)
    labels = random_labels(seed, p) if grouped else np.arange(p)
    S = construct(correlation, method, labels if grouped else None)
    assert not S[labels[:, None] != labels].any()
    np.testing.assert_allclose(S, S.T, rtol=1e-12)
    assert np.linalg.eigvalsh(S)[0] > 0
    assert np.linalg.eigvalsh(2 * correlation - S)[0] > 0


@pytest.mark.parametrize("method", list(LOSSES))
@pytest.mark.parametrize("grouped", [False, True])
def test_slope_equals_finite_differences(method, grouped):
    """The gradient is that of the loss in every unknown."""
    p = 6
    labels = np.array([0, 1, 0, 2, 1, 0]) if grouped else np.arange(p)
    problem = _Problem(random_correlation(1, p), Blocks(labels), method)
    size = sum(scale.size for scale in problem.scales)
    point = 0.05 * np.random.default_rng(0).normal(size=size)
    value, slope = problem.loss_and_slope(point)
    for j, unit in enumerate(np.eye(size)):
        above = problem.loss_and_slope(point + 1e-5 * unit)[0]
        below = problem.loss_and_slope(point - 1e-5 * unit)[0]
        # Central differences: errors of 1e-10 of the loss over a step of 1e-5.
        np.testing.assert_allclose(slope[j], (above - below) / 2e-5, atol=1e-6 * value)


@pytest.mark.parametrize("method", list(LOSSES))
@pytest.mark.parametrize("seed", range(3))
def test_diagonal_optimum_equals_general_search(method, seed):
    """No better diagonal is found by a search without derivatives."""
    correlation = random_correlation(seed, 4)
    found = LOSSES[method](correlation, construct(correlation, method))

    def loss(logs):
        S = np.diag(np.exp(logs))
        if np.linalg.eigvalsh(2 * correlation - S)[0] <= 0:
            return 1e10
        return LOSSES[method](correlation, S)

    start = np.full(4, np.log(np.linalg.eigvalsh(correlation)[0]))
    settings = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000}
    best = scipy_minimize(loss, start, method="Nelder-Mead", options=settings).fun
    # The search stops at steps that gain 1e-9 of the value.
    assert found <= best + 1e-6 * abs(best)


@pytest.mark.parametrize("method", list(LOSSES))
@pytest.mark.parametrize("seed", range(3))
def test_grouped_optimum_is_stationary(method, seed):
    """Within the blocks the two slopes of the loss balance."""
    p = 9
    correlation, labels = random_correlation(seed, p), random_labels(seed, p)
    S = construct(correlation, method, labels)
    rest, own = np.linalg.inv(2 * correlation - S), np.linalg.inv(S)
    if method == "mvr":
        rest, own = rest @ rest, own @ own
    inside = labels[:, None] == labels
    # Convex, so a small slope is a small distance; 1e-3 of either part comes from the
    # stop at a gain of 1e-9, the square root of which is 3e-5.
    assert np.abs((rest - own)[inside]).max() < 1e-3 * np.abs(own).max()


def test_group_losses_fall_with_larger_groups():
    """Larger blocks hold the smaller ones, so the least loss can only fall."""
    correlation = toeplitz(0.7 ** np.arange(12))
    for method, loss in LOSSES.items():
        found = [
            loss(correlation, construct(correlation, method, np.arange(12) // size))
            for size in (1, 2, 4, 12)
        ]
        assert (np.diff(found) < 0).all()


@pytest.mark.parametrize("method", CONSTRUCTIONS)
def test_one_group_of_all_gives_an_independent_copy(method):
    """S = C is the optimum, by symmetry of S and 2 C - S."""
    correlation = random_correlation(0, 7)
    S = construct(correlation, method, np.zeros(7, dtype=int))
    # As near as the stop of the search, and the hair left at the border, allow.
    np.testing.assert_allclose(S, correlation, atol=1e-3)


@pytest.mark.parametrize("method", CONSTRUCTIONS)
@pytest.mark.parametrize("p", [1, 5])
def test_independent_columns_have_independent_copies(method, p):
    """For C = I each construction gives S = I, up to the hair at the border."""
    np.testing.assert_allclose(construct(np.eye(p), method), np.eye(p), atol=1e-4)


def test_equicorrelated_equals_its_formula():
    """The least of 1 and twice the least eigenvalue; in blocks, that of whitened C."""
    correlation = random_correlation(2, 6)
    least = np.linalg.eigvalsh(correlation)[0]
    found = construct(correlation, "equicorrelated")
    np.testing.assert_allclose(found, min(1, 2 * least) * np.eye(6), rtol=1e-5)
    labels = np.array([0, 0, 1, 1, 2, 2])
    blocks = np.where(labels[:, None] == labels, correlation, 0.0)
    values = np.linalg.eigvals(np.linalg.solve(blocks, correlation)).real
    found = construct(correlation, "equicorrelated", labels)
    np.testing.assert_allclose(found, min(1, 2 * values.min()) * blocks, rtol=1e-5)


def test_mvr_leaves_room_under_equicorrelation():
    """All s are alike; the old construction goes to the border, this one half-way."""
    p, rho = 20, 0.5
    correlation = np.full((p, p), rho) + (1 - rho) * np.eye(p)
    S = np.diag(construct(correlation, "mvr"))
    # The loss of s on the diagonal, whose minimum a fine grid finds to 1e-4.
    grid = np.linspace(0.01, 0.99, 9801)
    loss = (p - 1) / (2 * (1 - rho) - grid) + p / grid
    loss += 1 / (2 * (1 - rho + p * rho) - grid)
    np.testing.assert_allclose(S, grid[np.argmin(loss)], atol=2e-4)


@pytest.mark.parametrize("method", CONSTRUCTIONS)
def test_order_of_columns_and_names_of_units_do_not_matter(method):
    """Permuted columns, relabelled units: the permuted S."""
    correlation, labels = random_correlation(3, 8), random_labels(3, 8)
    order = np.random.default_rng(0).permutation(8)
    S = construct(correlation, method, labels)
    other = construct(
        correlation[np.ix_(order, order)], method, labels.max() - labels[order]
    )
    # Both stop at the same gain, by other roundings.
    np.testing.assert_allclose(other, S[np.ix_(order, order)], atol=1e-3)


@pytest.mark.parametrize("method", CONSTRUCTIONS)
def test_near_singular_correlation(method):
    """Columns that nearly repeat each other get copies that nearly repeat them."""
    correlation = toeplitz(0.9999 ** np.arange(15))
    S = construct(correlation, method)
    assert np.isfinite(S).all()
    assert 0 < np.diag(S).min()
    assert np.diag(S).max() < 1e-3
    assert np.linalg.eigvalsh(2 * correlation - S)[0] > 0


def test_minimize_stays_inside():
    """A barrier is respected, and the minimum next to it found."""

    def function(x):
        if x.min() <= 0:
            return np.inf, None
        target = np.arange(1.0, 6.0)
        return np.sum(x / target - np.log(x)), 1 / target - 1 / x

    found = minimize(function, np.full(5, 0.01), tolerance=1e-14)
    np.testing.assert_allclose(found, np.arange(1.0, 6.0), rtol=1e-5)


def test_minimize_follows_a_valley():
    """The function of Rosenbrock, whose minimum is at ones."""

    def function(x):
        a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        slope = np.zeros_like(x)
        slope[1:] += 200 * a
        slope[:-1] += -400 * a * x[:-1] - 2 * b
        return 100 * np.sum(a**2) + np.sum(b**2), slope

    found = minimize(function, np.full(4, -0.5), tolerance=0.0, max_steps=500)
    np.testing.assert_allclose(found, 1.0, rtol=1e-5)
