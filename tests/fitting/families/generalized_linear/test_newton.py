"""Newton's method for stacks of problems against differences and a general solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from genestimators.fitting.families.generalized_linear import _newton
from genestimators.fitting.families.generalized_linear._glm import (
    LogLinkLoss,
    SquaredLoss,
)
from genestimators.fitting.families.generalized_linear._logistic import (
    BinaryLoss,
    MultinomialLoss,
)

LOSSES = {
    "binary": (BinaryLoss(), 1),
    "three classes": (MultinomialLoss(3), 2),
    "poisson": (LogLinkLoss(1), 1),
    "gamma": (LogLinkLoss(2), 1),
    "squares": (SquaredLoss(1.0), 1),
}
RIDGES = [0.01, 0.1, 1.0]


class Stack:
    """Three problems on the same rows: penalties and weights of their own."""

    def __init__(self, name, seed=0, n=40, q=3, *, common=False):
        rng = np.random.default_rng(seed)
        self.loss, k = LOSSES[name]
        self.design = np.column_stack([rng.normal(size=(n, q - 1)), np.ones(n)])
        if name == "binary":
            self.y = rng.choice([-1.0, 1.0], n)
        elif name == "three classes":
            self.y = rng.integers(0, 3, n)
        else:
            self.y = rng.gamma(2, size=n)
        weight = rng.gamma(1, size=(1 if common else 3, n))
        self.weight = weight / weight.sum(axis=1, keepdims=True)
        self.ridge = np.outer(RIDGES, [1.0] * (q - 1) + [0.0])
        self.start = np.zeros((3, k, q))
        self.near = 0.3 * rng.normal(size=(3, k, q))

    @property
    def problem(self):
        return self.loss, self.design, self.y, self.weight, self.ridge

    def objective(self, theta):
        eta = _newton.predict(self.design, theta)
        return _newton.objectives(
            self.loss, eta, self.y, self.weight, theta, self.ridge
        )

    def gradient(self, theta):
        slopes = self.loss.slopes(_newton.predict(self.design, theta), self.y)
        return _newton.gradients(self.design, self.weight, slopes, theta, self.ridge)

    def hessian(self, theta, products):
        eta = _newton.predict(self.design, theta)
        curvatures = self.loss.curvatures(eta, self.loss.slopes(eta, self.y), self.y)
        return _newton.hessians(self.design, products, self.weight, curvatures)

    def solution(self):
        """By a solver of SciPy, one after the other."""
        found = []
        for i in range(3):

            def value(flat, i=i):
                theta = np.array(self.start)
                theta[i] = flat.reshape(theta[i].shape)
                return self.objective(theta)[i], self.gradient(theta)[i].ravel()

            start = self.start[i].ravel()
            answer = minimize(value, start, jac=True, method="BFGS", tol=1e-9)
            found.append(answer.x.reshape(self.start[i].shape))
        return np.stack(found)


def differences(function, theta, step=1e-6):
    """Central differences by every coefficient, along the last axis."""
    columns = []
    for place in np.ndindex(theta.shape[1:]):
        change = np.zeros_like(theta)
        change[(slice(None), *place)] = step
        slope = (function(theta + change) - function(theta - change)) / (2 * step)
        columns.append(slope.reshape(len(theta), -1))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("common", [True, False])
def test_gradients_and_hessians_are_derivatives(name, common):
    """Against differences, with products of columns and without."""
    stack = Stack(name, common=common)
    # Differences of numbers near one, 1e-6 apart, keep nine digits or so.
    found = stack.gradient(stack.near).reshape(3, -1)
    expected = differences(stack.objective, stack.near)[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-8)
    k = stack.near.shape[1]
    penalties = np.stack([np.diag(np.tile(ridge, k)) for ridge in stack.ridge])
    expected = differences(stack.gradient, stack.near) - penalties
    for products in (None, _newton.column_products(stack.design)):
        found = stack.hessian(stack.near, products)
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_hessians_of_many_rows_are_summed_by_blocks(monkeypatch):
    """Weights of rows may be negative in a block between two predictors."""
    stack = Stack("three classes", n=200)
    whole = stack.hessian(stack.near, None)
    monkeypatch.setattr(_newton, "_BLOCK", 100)
    np.testing.assert_allclose(stack.hessian(stack.near, None), whole, rtol=1e-12)


def test_products_of_many_columns_are_not_kept(monkeypatch):
    """They would need more memory than they save time."""
    design = Stack("binary").design
    assert _newton.column_products(design).shape == (40, 6)
    monkeypatch.setattr(_newton, "_WIDE", 40 * 9 - 1)
    assert _newton.column_products(design) is None


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("common", [True, False])
def test_minimise_finds_the_minimum(name, common):
    """With a Hessian a step and with one that is kept, from zero and from nearby."""
    stack = Stack(name, 1, common=common)
    expected = stack.solution()
    products = _newton.column_products(stack.design)
    near = expected + 0.01 * stack.near
    ways = [
        (stack.start, {"products": products}),
        (stack.start, {}),
        (near, {"hessian": stack.hessian(expected, None)}),
        (near, {"hessian": 1.5 * stack.hessian(expected, None)}),
        (near, {"products": products}),
    ]
    for start, how in ways:
        given = start.copy()
        found = _newton.minimise(*stack.problem, start, tol=1e-10, max_iter=100, **how)
        assert found.converged.all()
        assert np.abs(stack.gradient(found.theta)).max() < 1e-9
        # The solver stops at gradients of 1e-9; no curvature is below 1e-2.
        np.testing.assert_allclose(found.theta, expected, atol=1e-6)
        np.testing.assert_array_equal(start, given)
        assert (found.n_iter >= 1).all()
        assert (found.hessian is None) == ("products" in how)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("keep", [True, False])
def test_follow_finds_the_minima(name, keep):
    """One problem after the other, each from the solution before."""
    stack = Stack(name, 2, common=True)
    loss, design, y, weight, ridge = stack.problem
    found = _newton.follow(
        loss,
        design,
        y,
        weight,
        ridge[::-1],
        stack.start[:1],
        tol=1e-10,
        max_iter=100,
        keep_hessians=keep,
    )
    products = _newton.column_products(design)
    expected = _newton.minimise(
        *stack.problem, stack.start, products=products, tol=1e-10, max_iter=100
    )
    assert found.converged.all()
    assert (found.hessian is not None) == keep
    # Both are as near to the minimum as was asked.
    np.testing.assert_allclose(found.theta[::-1], expected.theta, atol=1e-8)
    some = found.take([2, 0])
    np.testing.assert_array_equal(some.theta, found.theta[[2, 0]])
    assert (some.hessian is not None) == keep


@pytest.mark.parametrize("tol", [1e-2, 1e-5, 1e-8])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_solutions_are_as_near_as_was_asked(tol, name, seed):
    """In the root mean square of the linear predictor, kept Hessian or not."""
    stack = Stack(name, seed)
    products = _newton.column_products(stack.design)
    best = _newton.minimise(
        *stack.problem, stack.start, products=products, tol=1e-12, max_iter=100
    )
    for how in ({"products": products}, {}):
        found = _newton.minimise(
            *stack.problem, stack.start, tol=tol, max_iter=100, **how
        )
        assert found.converged.all()
        off = _newton.predict(stack.design, found.theta - best.theta)
        off = np.sqrt(np.einsum("bkn,bn->b", off**2, stack.weight))
        # The metric is that of the Hessian; rows of small curvature move more.
        assert (off <= 3 * tol).all()


@pytest.mark.parametrize("products", [True, False])
def test_steps_that_go_too_far_are_cut(products):
    """From where the exponential has no curvature a whole step would overshoot."""
    stack = Stack("poisson", 3)
    given = _newton.column_products(stack.design) if products else None
    for away in (-8.0, 8.0):
        start = stack.start.copy()
        start[:, :, -1] = away
        found = _newton.minimise(
            *stack.problem, start, products=given, tol=1e-10, max_iter=200
        )
        assert found.converged.all()
        assert np.abs(stack.gradient(found.theta)).max() < 1e-9


@pytest.mark.parametrize("products", [True, False])
def test_too_few_steps_are_no_convergence(products):
    """The steps are counted, and problems that are done say so."""
    stack = Stack("binary", 4)
    given = _newton.column_products(stack.design) if products else None
    best = _newton.minimise(
        *stack.problem, stack.start, products=given, tol=1e-10, max_iter=100
    ).theta
    start = np.stack([stack.start[0], best[1], stack.start[2]])
    found = _newton.minimise(
        *stack.problem, start, products=given, tol=1e-10, max_iter=1
    )
    assert found.converged.tolist() == [False, True, False]
    assert found.n_iter.tolist() == [1, 1, 1]


def test_a_direction_without_curvature_is_left_alone():
    """A column of zeros with no penalty: the others are solved as if it were not."""
    stack = Stack("binary", 5)
    wide = np.column_stack([stack.design, np.zeros(40)])
    ridge = np.column_stack([stack.ridge, np.zeros(3)])
    found = _newton.minimise(
        stack.loss,
        wide,
        stack.y,
        stack.weight,
        ridge,
        np.zeros((3, 1, 4)),
        tol=1e-10,
        max_iter=100,
    )
    np.testing.assert_allclose(found.theta[:, :, :3], stack.solution(), atol=1e-6)
    np.testing.assert_array_equal(found.theta[:, :, 3], 0)


def test_a_problem_of_numbers_that_are_none_does_not_converge():
    """It stays where it was, and its neighbours are not disturbed."""
    stack = Stack("squares", 6)
    stack.weight[1] = np.nan
    found = _newton.minimise(*stack.problem, stack.start, tol=1e-10, max_iter=20)
    assert found.converged.tolist() == [True, False, True]
    assert np.isfinite(found.theta[[0, 2]]).all()


@pytest.mark.parametrize("name", LOSSES)
def test_problems_take_the_steps_they_would_take_alone(name):
    """One that is far, or singular, does not change where and when others stop."""
    stack = Stack(name, 7)
    loss, design, y, weight, ridge = stack.problem
    near = stack.solution() + 1e-3 * stack.near
    kept = 1.2 * stack.hessian(near, None)

    def found(which, start):
        return _newton.minimise(
            loss,
            design,
            y,
            weight[which],
            ridge[which],
            start[which],
            tol=1e-9,
            max_iter=100,
            hessian=kept[which],
        )

    alone = found([0], near)
    for away in (0.0, 1.0, 3.0):
        start = near.copy()
        start[1:] += away
        together = found([0, 1, 2], start)
        assert together.n_iter[0] == alone.n_iter[0]
        np.testing.assert_allclose(together.theta[0], alone.theta[0], atol=1e-13)


def test_a_singular_problem_does_not_change_the_others():
    """It gets a little curvature, and they get none."""
    full = np.stack([np.diag([1e-13, 1.0]), np.diag([0.0, 1.0])])
    right = np.ones((2, 2, 1))
    found = _newton._solve(full, right)
    np.testing.assert_allclose(found[0], [[1e13], [1.0]])
    assert np.isfinite(found).all()
