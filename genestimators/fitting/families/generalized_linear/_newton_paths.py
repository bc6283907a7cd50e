"""Families whose estimators minimise a loss of a linear predictor, and their draws.

Each solution along the penalties is the start for the next one. The solutions for all
rows are the start for those of a draw, which they miss by little; a few steps with a
Hessian that is at hand close the gap. Where data are few, all draws and values are one
stack of problems and every step is taken for all of them at once.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from genestimators.fitting._registry import Family
from genestimators.fitting.families.generalized_linear._design import make_design
from genestimators.fitting.families.generalized_linear._newton import (
    Solutions,
    column_products,
    follow,
    minimise,
)
from genestimators.fitting.families.linear._gram import standardised
from genestimators.fitting.families.linear._linear import copy_columns, finite_rows
from genestimators.fitting.families.linear._shared_fits import SharedFits, plain_scalers

MOST_PRODUCTS = 170_000  # in a Hessian: beyond, it costs more than it saves
_MOST_STACKED = 2**21  # numbers in the predictors of a stack of problems
_MOST_KEPT = 2**23  # numbers in the Hessians of a path
_KEPT = 1e-7  # of a variance that has to be left in a draw


@dataclass(frozen=True, eq=False)
class Problem:
    """A loss and what it needs to know of the rows.

    Attributes
    ----------
    loss : object
        As `minimise` takes it.
    y : ndarray of shape (n,)
    weight : ndarray of shape (n,)
    start : ndarray of shape (n_latent,)
        Predictors to start from, the same for all rows.
    """

    loss: object
    y: np.ndarray
    weight: np.ndarray
    start: np.ndarray

    def zero(self, design):
        """Coefficients to start from, ndarray of shape (1, n_latent, q)."""
        theta = np.zeros((1, len(self.start), design.columns.shape[1]))
        if design.fit_intercept:
            theta[0, :, -1] = self.start
        return theta


class NewtonFamily(Family):
    """What such families share; a family of its own adds the loss."""

    stronger = "larger"
    exactness = "tolerance"
    preferred = True
    scale = "log"
    n_repeats = 10

    def problem(self, estimator, y, sample_weight):
        """The loss for some rows.

        Parameters
        ----------
        estimator : estimator
        y : ndarray of shape (n,)
        sample_weight : ndarray of shape (n,) or None

        Returns
        -------
        problem : Problem
        """
        raise NotImplementedError

    def check(self, estimator, X, y):
        """X and y as the estimator's `fit` would take them."""
        raise NotImplementedError

    def strengths(self, values, weight):
        """Factors of half the squared coefficients, beside the mean loss.

        Parameters
        ----------
        values : ndarray
        weight : float
            Sum of weights.
        """
        raise NotImplementedError

    def alike(self, y, rows):
        """Whether the problem of some rows is of the same kind as that of all."""
        return True

    def answer(self, estimator, y, values, coef, centre, offset, n_iter, dtype):
        """The path, from coefficients (n_values, n_latent, p)."""
        raise NotImplementedError

    def fit_path(self, estimator, X, y, sample_weight, values):
        X, y = self.check(estimator, X, y)
        values = np.asarray(values, dtype=np.float64)
        problem = self.problem(estimator, y, sample_weight)
        if sparse.issparse(X) or n_products(X.shape, problem) > MOST_PRODUCTS:
            return self.fit_warm(estimator, X, y, sample_weight, values)
        design = make_design(
            X, problem.weight, fit_intercept=bool(estimator.fit_intercept)
        )
        found = solve_path(
            self,
            problem,
            design,
            values,
            _limits(estimator),
            products=column_products(design.columns),
        )
        _warn_once(found.converged, estimator)
        coef, offset = design.coefficients(found.theta)
        return self.answer(
            estimator, y, values, coef, design.centre, offset, found.n_iter, X.dtype
        )

    def fit_leading(self, estimator, X, y, sizes):
        """The path over numbers of leading columns, with the penalty as it is set.

        Parameters
        ----------
        estimator : estimator
            Unfitted, served by the family.
        X : ndarray of shape (n, p)
        y : ndarray of shape (n,)
        sizes : sequence of int
            How many columns, each from 1 to p.

        Returns
        -------
        path : Path or None
            For all columns of X. None where there are too many.
        """
        template = clone(estimator)
        X, y = self.check(template, X, y)
        problem = self.problem(template, y, None)
        if X.shape[1] >= len(X) or n_products(X.shape, problem) > MOST_PRODUCTS:
            return None
        values = np.full(len(sizes), getattr(template, self.param), dtype=np.float64)
        design = make_design(
            X, problem.weight, fit_intercept=bool(template.fit_intercept)
        )
        total = problem.weight.sum()
        ridge = self.strengths(values[:1], total) * design.penalty
        found = solve_leading(problem, design, ridge, sizes, _limits(template))
        _warn_once(found.converged, template)
        coef, offset = design.coefficients(found.theta)
        return self.answer(
            template, y, values, coef, design.centre, offset, found.n_iter, X.dtype
        )

    def share(self, steps, estimator, X, y, draws, values):
        if not plain_scalers(steps):
            return None
        moved = any(step.with_mean for step in steps)
        rows = finite_rows(X)
        if rows is None or (moved and not estimator.fit_intercept):
            return None
        n, p = rows.shape
        # Fewer directions than columns cannot be scaled column by column.
        if steps and p >= n:
            return None
        values = np.asarray(values, dtype=np.float64)
        problem = self.problem(estimator, y, draws.row_weight)
        if n_products((n, p), problem) > MOST_PRODUCTS:
            return None
        if ((min(n, p) + 1) * len(problem.start)) ** 2 * len(values) > _MOST_KEPT:
            return None
        shared = SharedNewton(self, steps, estimator, X, y, values)
        return shared.over(rows, problem, draws)

    def fit_warm(self, estimator, X, y, sample_weight, values):
        """The path by fits of the estimator itself, each from the one before.

        Parameters
        ----------
        estimator : estimator
            It is fitted.
        X : ndarray or sparse matrix of shape (n, p)
            Too wide for Hessians, or sparse.
        y, sample_weight, values
            As `fit_path` has them.
        """
        template = clone(estimator)
        copy_columns(estimator, template)
        estimator.set_params(warm_start=True, tol=_tolerance(estimator.tol))
        order, place = np.unique(-self.strengths(values, 1.0), return_inverse=True)
        found = []
        with warnings.catch_warnings():
            # `_warn_once` tells of all values, by the tolerance of the user.
            warnings.simplefilter("ignore", ConvergenceWarning)
            for i in range(len(order)):
                value = values[np.flatnonzero(place == i)[0]]
                estimator.set_params(**{self.param: value.item()})
                estimator.fit(X, y, sample_weight=sample_weight)
                coef = np.array(estimator.coef_, dtype=np.float64, ndmin=2)
                offset = np.broadcast_to(estimator.intercept_, len(coef))
                n_iter = np.max(estimator.n_iter_)
                found.append((coef, offset.astype(np.float64), n_iter))
        coef, offset, n_iter = (
            np.stack(parts)[place] for parts in zip(*found, strict=True)
        )
        _warn_once(n_iter < estimator.max_iter, template)
        centre = np.zeros(X.shape[1])
        return self.answer(template, y, values, coef, centre, offset, n_iter, X.dtype)


def n_products(shape, problem):
    """How many products of columns a Hessian is made of.

    Parameters
    ----------
    shape : tuple of int
        Of X.
    problem : Problem
    """
    k = len(problem.start)
    return (min(shape) + 1) ** 2 * k * (k + 1) // 2


def solve_path(
    family, problem, design, values, limits, *, products=None, keep_hessians=False
):
    """Solutions for all rows and all values, in the order of the values.

    Parameters
    ----------
    family : NewtonFamily
    problem : Problem
    design : Design
    values : ndarray
    limits : dict
        `tol` and `max_iter`, as `minimise` takes them.
    products : ndarray or None
        From `column_products`.
    keep_hessians : bool, default=False
        Whether to return them, unless data are few.

    Returns
    -------
    solutions : Solutions
    """
    total = problem.weight.sum()
    strengths = family.strengths(values, total)
    order, place = np.unique(-strengths, return_inverse=True)
    ridges = -order[:, None] * design.penalty
    weight = (problem.weight / total)[None]
    size = len(order) * len(problem.start) * len(problem.y)
    start = problem.zero(design)
    common = (problem.loss, design.columns, problem.y, weight, ridges)
    if products is None or size > _MOST_STACKED:
        found = follow(*common, start, keep_hessians=keep_hessians, **limits)
        return found.take(place)
    start = np.repeat(start, len(order), axis=0)
    return minimise(*common, start, products=products, **limits).take(place)


def solve_leading(problem, design, ridge, sizes, limits):
    """Solutions for the first columns alone, for several numbers of them.

    Parameters
    ----------
    problem : Problem
    design : Design
    ridge : ndarray of shape (q,)
        Of the columns of the design.
    sizes : sequence of int
        How many columns, not counting that of the intercept.
    limits : dict
        `tol` and `max_iter`, as `minimise` takes them.

    Returns
    -------
    solutions : Solutions
        In the order of the sizes; zero behind the first columns.
    """
    # The intercept comes first, so that every problem has leading columns.
    first = int(design.fit_intercept)
    columns = np.asfortranarray(np.roll(design.columns, first, axis=1))
    ridge = np.roll(ridge, first)[None]
    theta = np.roll(problem.zero(design), first, axis=2)
    weight = (problem.weight / problem.weight.sum())[None]
    order, place = np.unique(sizes, return_inverse=True)
    found = []
    for q in order + first:
        last = minimise(
            problem.loss,
            columns[:, :q],
            problem.y,
            weight,
            ridge[:, :q],
            theta[:, :, :q],
            **limits,
        )
        theta[:, :, :q] = last.theta
        found.append((theta.copy(), last.n_iter, last.converged))
    theta, n_iter, converged = (
        np.concatenate(parts) for parts in zip(*found, strict=True)
    )
    theta = np.roll(theta, -first, axis=2)
    return Solutions(theta, n_iter, converged, None).take(place)


class SharedNewton(SharedFits):
    """Solutions for all rows, from which those of a draw are a few steps away."""

    def over(self, X, problem, draws):
        """Solve for all rows, and for all draws where they are one small stack.

        Parameters
        ----------
        X : ndarray of shape (n, p)
        problem : Problem
            Of all rows.
        draws : Draws

        Returns
        -------
        shared : SharedNewton
            Itself.
        """
        self.limits = _limits(self.estimator)
        self.problem = problem
        self.design = make_design(
            X, problem.weight, fit_intercept=bool(self.estimator.fit_intercept)
        )
        products = column_products(self.design.columns)
        self.full = solve_path(
            self.family,
            problem,
            self.design,
            self.values,
            self.limits,
            products=products,
            keep_hessians=True,
        )
        self.stacked = {}
        if self.full.hessian is None and draws.limit is not None:
            size = draws.limit * len(self.values) * len(problem.start)
            if size * len(problem.y) <= _MOST_STACKED:
                self._solve_all(draws, products)
        return self

    def shared_path(self, number, draw):
        found = self.stacked.get(number)
        if found is None:
            found = self._solve(draw)
        if found is None:
            return None
        _warn_once(found.converged, self.estimator)
        coef, offset = self.design.coefficients(found.theta)
        return self.family.answer(
            self.template,
            self.y,
            self.values,
            coef,
            self.design.centre,
            offset,
            found.n_iter,
            np.float64,
        )

    def _part(self, draw):
        """Weights and ridges of a draw, or None where it is of another kind."""
        if not self.family.alike(self.problem.y, draw.rows):
            return None
        penalty = self._penalty(draw)
        if penalty is None:
            return None
        own = self.family.problem(self.estimator, self.y[draw.rows], draw.counts)
        total = own.weight.sum()
        strengths = self.family.strengths(self.values, total)
        return own.weight / total, strengths[:, None] * penalty

    def _penalty(self, draw):
        """The penalty of the design's columns where the draw's scalers come first."""
        if not self.steps:
            return self.design.penalty
        p = len(self.design.centre)
        columns = self.design.columns[draw.rows, :p]
        total = np.sum(draw.counts)
        share = draw.counts / total
        mean = share @ columns
        variance = share @ np.square(columns) - mean**2
        there = self.design.columns[:, :p].any(axis=0)
        if (variance[there] < _KEPT).any():
            return None
        spread = self.design.spread
        settings = [(step.with_mean, step.with_std) for step in self.steps]
        _, scale = standardised(
            self.design.centre + spread * mean, spread**2 * variance, total, settings
        )
        penalty = self.design.penalty.copy()
        penalty[:p] = (scale / spread) ** 2
        return penalty

    def _solve(self, draw):
        part = self._part(draw)
        if part is None:
            return None
        weight, ridges = part
        columns = self.design.columns[draw.rows]
        return minimise(
            self.problem.loss,
            columns,
            self.problem.y[draw.rows],
            weight[None],
            ridges,
            self.full.theta,
            products=None
            if self.full.hessian is not None
            else column_products(columns),
            hessian=self.full.hessian,
            **self.limits,
        )

    def _solve_all(self, draws, products):
        parts = {}
        for number in range(draws.limit):
            draw = draws[number]
            part = self._part(draw)
            if part is not None:
                own = np.bincount(draw.rows, weights=part[0], minlength=len(self.y))
                parts[number] = own, part[1]
        if not parts:
            return
        weights, ridges = zip(*parts.values(), strict=True)
        n_values = len(self.values)
        found = minimise(
            self.problem.loss,
            self.design.columns,
            self.problem.y,
            np.repeat(np.stack(weights), n_values, axis=0),
            np.concatenate(ridges),
            np.tile(self.full.theta, (len(parts), 1, 1)),
            products=products,
            **self.limits,
        )
        for i, number in enumerate(parts):
            self.stacked[number] = found.take(slice(i * n_values, (i + 1) * n_values))


def _tolerance(tol):
    """The tolerance along a path for a tolerance of single fits.

    Fits stop by their gradients, here it is the distance to the solution, in the root
    mean square of the predictor; a tenth of the number is far less in those terms.
    Neighbouring values and folds are to differ by themselves, not by where they
    stopped.
    """
    return float(np.clip(0.1 * tol, 1e-10, 1e-5))


def _limits(estimator):
    # Newton's method needs few steps; a small limit is meant for other solvers.
    return {
        "tol": _tolerance(estimator.tol),
        "max_iter": max(100, estimator.max_iter),
    }


def _warn_once(converged, estimator):
    if not np.all(converged):
        warnings.warn(
            f"{type(estimator).__name__} did not converge for every value of the path; "
            f"scale the data, or penalise more. Got max_iter={estimator.max_iter}.",
            ConvergenceWarning,
            stacklevel=2,
        )
