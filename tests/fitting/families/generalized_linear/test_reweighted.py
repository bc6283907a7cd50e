"""One loss under many weights against Newton's method for each of them."""

import numpy as np
import pytest

from genestimators.fitting.families.generalized_linear import _newton, _reweighted
from tests.fitting.families.generalized_linear.test_newton import LOSSES

TOL = 1e-9


class Reweighted:
    """Bags of the same rows, the fit to all of which is known."""

    def __init__(self, name, seed=0, n=120, q=4, n_problems=5, ridge=0.01):
        rng = np.random.default_rng(seed)
        self.loss, k = LOSSES[name]
        self.design = np.column_stack([rng.normal(size=(n, q - 1)), np.ones(n)])
        if name == "binary":
            self.y = rng.choice([-1.0, 1.0], n)
        elif name == "three classes":
            self.y = rng.integers(0, 3, n)
        else:
            self.y = rng.gamma(2, size=n)
        self.weight = rng.multinomial(n, np.full(n, 1 / n), size=n_problems) / n
        self.ridge = np.full((n_problems, q), ridge)
        self.ridge *= rng.uniform(0.5, 2, size=(n_problems, 1))
        self.ridge[:, -1] = 0.0
        self.whole = np.full((1, n), 1 / n)
        start = np.zeros((1, k, q))
        self.start = self.one_by_one(self.whole, self.ridge[:1], start).theta

    def one_by_one(self, weight, ridge, start):
        """By Newton's method, every step with its own Hessian."""
        return _newton.minimise(
            self.loss,
            self.design,
            self.y,
            weight,
            ridge,
            np.repeat(start, len(ridge), axis=0),
            tol=1e-12,
            max_iter=200,
            products=_newton.column_products(self.design),
        )

    def expected(self):
        return self.one_by_one(self.weight, self.ridge, self.start).theta

    def curvature(self):
        return _reweighted.curvatures_at(self.loss, self.design, self.y, self.start)

    def shared(self, trusted=True):
        """Arguments that let problems begin with one Hessian."""
        hessian = _reweighted.stacked_hessians(
            self.design, self.whole, self.curvature()
        )
        return {
            "hessian": hessian,
            "trusted": np.broadcast_to(trusted, len(self.weight)),
        }

    def found(self, **how):
        return _reweighted.minimise_reweighted(
            self.loss,
            self.design,
            self.y,
            self.weight,
            self.ridge,
            self.start,
            tol=TOL,
            **how,
        )


@pytest.mark.parametrize("name", LOSSES)
def test_stacked_hessians_equal_those_of_each_problem(name, monkeypatch):
    """In blocks of rows, and problem by problem where columns are many."""
    stack = Reweighted(name)
    curvature = stack.curvature()
    expected = _newton.hessians(
        stack.design,
        None,
        stack.weight,
        np.repeat(curvature[None], len(stack.weight), axis=0),
    )
    monkeypatch.setattr(_reweighted, "_BLOCK", 700)  # of 70 rows
    for most in (80, 3):
        monkeypatch.setattr(_reweighted, "_PAIRS", most)
        found = _reweighted.stacked_hessians(stack.design, stack.weight, curvature)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("patience", [1, 3, 12])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_solutions_are_those_of_newton(name, seed, patience, monkeypatch):
    """With own Hessians, with a shared one, and with one for some problems alone."""
    monkeypatch.setattr(_reweighted, "_PATIENCE", patience)
    stack = Reweighted(name, seed)
    expected = stack.expected()
    some = np.arange(5) % 2 == 0
    for how in ({}, stack.shared(), stack.shared(some)):
        theta, n_iter, converged = stack.found(**how)
        assert converged.all()
        assert (n_iter >= 1).all()
        # A tenth of a coefficient's length, at least, is its own.
        np.testing.assert_allclose(theta, expected, atol=10 * TOL)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shared", [False, True])
def test_problems_do_not_see_each_other(name, shared):
    """The same bits whatever the weights of the others: ordinary, extreme, none."""
    stack = Reweighted(name)
    how = stack.shared() if shared else {}
    theta, n_iter, converged = stack.found(**how)
    weight = stack.weight.copy()
    for kind in ("other rows", "one row", "none", "no numbers"):
        stack.weight[1:4] = {
            "other rows": np.roll(weight[1:4], 7, axis=1),
            "one row": np.eye(len(stack.y))[:3],
            "none": 0.0,
            "no numbers": np.nan,
        }[kind]
        other = stack.found(**how)
        np.testing.assert_array_equal(other[0][[0, 4]], theta[[0, 4]])
        np.testing.assert_array_equal(other[1][[0, 4]], n_iter[[0, 4]])
        assert other[2][[0, 4]].all()
        assert np.isfinite(other[0]).all()
    assert not other[2][1:4].any()
    assert converged.all()


@pytest.mark.parametrize("name", ["binary", "three classes", "poisson", "gamma"])
def test_a_start_that_is_far_is_left_safely(name):
    """Steps that turn the slope are cut, until none does."""
    stack = Reweighted(name)
    expected = stack.expected()
    rng = np.random.default_rng(3)
    for size in (1.0, 3.0):
        stack.start = size * rng.normal(size=stack.start.shape)
        theta, _, converged = stack.found()
        assert converged.any()
        # Lengths are measured by the curvature of the start.
        curvature = np.einsum("kkn->n", stack.curvature())
        bound = 10 * TOL * np.sqrt(max(1.0, curvature.max()))
        np.testing.assert_allclose(theta[converged], expected[converged], atol=bound)


def test_what_no_row_determines_is_no_solution():
    """A column that is zero in the rows of a problem, and has no penalty."""
    stack = Reweighted("binary", ridge=0.0)
    stack.design[:60, 1] = 0.0
    stack.weight[2, 60:] = 0.0
    _, _, converged = stack.found()
    assert converged.tolist() == [True, True, False, True, True]


def test_separated_classes_without_a_penalty_do_not_converge():
    """There is no minimum, and the steps come to an end."""
    stack = Reweighted("binary", ridge=0.0)
    right = stack.y * stack.design[:, 0] > 0
    stack.weight[1] = right / right.sum()
    _, n_iter, converged = stack.found()
    assert converged.tolist() == [True, False, True, True, True]
    assert n_iter.max() <= _reweighted._MOST
