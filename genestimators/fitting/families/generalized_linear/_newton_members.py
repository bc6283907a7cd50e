"""Members of ensembles whose estimators minimise a loss of a linear predictor.

The fit to all rows is made once. Draws differ from it by their weights alone, and all
of them go on from there together.

With a `StandardScaler` in front every draw has scales of its own. To the loss they make
no difference; the penalty of each column is that of its scaled coefficient.
"""

from copy import copy

import numpy as np
from sklearn.pipeline import make_pipeline

from genestimators.fitting._ensembles import MembersPath
from genestimators.fitting.families._scaling import Scaling
from genestimators.fitting.families.generalized_linear._design import make_design
from genestimators.fitting.families.generalized_linear._newton import (
    column_products,
    minimise,
)
from genestimators.fitting.families.generalized_linear._reweighted import (
    curvatures_at,
    minimise_reweighted,
    stacked_hessians,
)
from genestimators.fitting.families.linear._gram import standardised
from genestimators.fitting.families.linear._linear_mean import mean_of
from genestimators.fitting.families.linear._linear_totals import SUMS, linear_total

# Far below what members differ by, and below what a solver's own tolerance asks for:
# neither the order of the rows nor weights in place of copies are to be seen.
_TOL = 1e-9
_MOST_STEPS = 100  # of the fit to all rows
_SAVED = 3  # steps, that a Hessian of its own saves a draw
_ROW = 20  # columns, whose products with a row take as long as the loss of the row
_LONG = 10  # rows a column, from which draws are like all rows
_VOUCHES = 2e-4  # of the mean curvature, which a penalty adds in every direction
_FLAT = 1e-4  # of the mean curvature, that has to be left
_KEPT = 1e-7  # of a variance that has to be left in a draw


class NewtonMembers(MembersPath):
    """Members that answer as the path of their family does.

    Parameters
    ----------
    inner : LinearPath
        Of the members without a scaler, for X as it comes.
    fine : ndarray of shape (n_values,), bool
    linear : bool
        Whether answers are linear in the coefficients, decisions for a classifier.
    steps : Pipeline or None
        A scaler that was fitted on a few rows, and the estimator, unfitted but for the
        columns it has seen behind it.
    scaling : Scaling or None
        Of the members' scalers.
    """

    def __init__(self, inner, fine, *, linear, steps=None, scaling=None):
        self.inner = inner
        self.fine = fine
        self.linear = linear
        self.steps = steps
        self.scaling = scaling
        self.seen = None

    @property
    def n_values(self):
        return self.inner.n_values

    @property
    def classes_(self):
        return self.inner.classes_

    def predict(self, X):
        return self.inner.predict(X)

    def predict_proba(self, X):
        return self.inner.predict_proba(X)

    def decision_function(self, X):
        return self.inner.decision_function(X)

    def take(self, which):
        part = copy(self)
        part.inner, part.fine = self.inner.take(which), self.fine[which]
        if self.scaling is not None:
            part.scaling = self.scaling.take(which)
        return part

    def joined(self, others):
        whole, paths = copy(self), [self, *others]
        whole.fine = np.concatenate([one.fine for one in paths])
        whole.inner = copy(self.inner)
        for name in ("values", "coef", "offset", "n_iter"):
            parts = [getattr(one.inner, name) for one in paths]
            setattr(whole.inner, name, np.concatenate(parts))
        if self.scaling is not None:
            whole.scaling = self.scaling.joined([one.scaling for one in others])
        return whole

    def parts(self, n_rows):
        for inner in self.inner.parts(n_rows):
            part = copy(self)
            part.inner = inner
            yield part

    def mean(self):
        if not self.linear:
            return None
        inner = self.inner
        classes = getattr(inner, "classes_", None)
        return mean_of(inner, type(inner.template).__name__, classes=classes)

    def total(self, X, response):
        return linear_total(self.inner, X, response, SUMS)

    def model(self, i):
        if self.scaling is None:
            return self.inner.model(i)
        own, path = self.scaling.take(i), self.inner
        (_, scaler), (_, last) = self.steps.steps
        if self.seen is None:
            bare = copy(path)
            bare.template = last
            self.seen = bare.blank()
        scaler, last = own.scaler(scaler), copy(self.seen)
        coef = path.coef[i]
        intercept = path.offset[i] + coef @ (own.offset - path.centre)
        coef = coef * own.scale
        path.complete(last, i, coef.astype(path.dtype), intercept.astype(path.dtype))
        return make_pipeline(scaler, last)


class NewtonFits:
    """What all draws share: the design, and the fit to all rows.

    Parameters
    ----------
    family : NewtonEnsemble
    estimator : estimator
        Unfitted but for the columns it has seen.
    X : ndarray of shape (n, p)
    problem : Problem
        Of all rows.
    targets : ndarray
        What `NewtonEnsemble.reweigh` and `answer` are told of y.
    steps : Pipeline or None
        As `NewtonMembers` takes it.
    """

    def __init__(self, family, estimator, X, problem, targets, steps):
        self.family, self.estimator = family, estimator
        self.targets, self.steps = targets, steps
        self.problem, self.dtype = problem, X.dtype
        self.settings = []
        if steps is not None:
            scaler = steps.steps[0][1]
            self.settings = [(scaler.with_mean, scaler.with_std)]
        self.design = make_design(X, None, fit_intercept=bool(estimator.fit_intercept))
        self.value = family.strength(estimator)
        self.constant = (X == X[0]).all(axis=0)

    def start(self):
        """Fit to all rows.

        Returns
        -------
        found : bool
            Whether there is a solution.
        """
        problem, columns = self.problem, self.design.columns
        penalty, _, _ = self._penalties(np.ones((1, len(columns))))
        total = problem.weight.sum(keepdims=True)
        weight = problem.weight[None] / total
        ridge = self._strengths(total)[:, None] * penalty
        zero = problem.zero(self.design)
        found = minimise(
            problem.loss,
            columns,
            problem.y,
            weight,
            ridge,
            zero,
            tol=_TOL,
            max_iter=_MOST_STEPS,
            products=column_products(columns),
        )
        self.theta = found.theta
        if not (found.converged[0] and np.isfinite(found.theta).all()):
            return False
        self.curved = self._curvature(self.theta, weight[0])
        if self.curved < _FLAT * self._curvature(zero, weight[0]):
            return False
        self.hessian = None
        if self._own_are_dear() and self._vouched(ridge).all():
            curvature = curvatures_at(problem.loss, columns, problem.y, self.theta)
            self.hessian = stacked_hessians(columns, weight, curvature)
        return True

    def _curvature(self, theta, weight):
        """The mean curvature of the rows."""
        problem, columns = self.problem, self.design.columns
        own = curvatures_at(problem.loss, columns, problem.y, theta)
        return np.einsum("kkn,n->", own, weight) / len(own)

    def _own_are_dear(self):
        """Whether Hessians of the draws take longer than the steps they save."""
        n, q = self.design.columns.shape
        k = len(self.problem.start)
        products = q * (q + 1) / 2 * k * (k + 1) / 2
        return products > _SAVED * 2 * k * (q + _ROW) and n >= _LONG * q

    def _vouched(self, ridge):
        """The problems in which the penalty makes up for any lack of curvature.

        In a direction in which a draw does not vary, a Hessian of all rows says nothing
        of the draw. It is of use where the penalty alone is known to bring the draw to
        its solution.
        """
        inner = ridge[:, : ridge.shape[1] - self.design.fit_intercept]
        return inner.min(axis=1, initial=np.inf) >= _VOUCHES * self.curved

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        weight, fine = self.family.reweigh(self.estimator, self.targets, weights)
        weight, total = _shares(weight)
        penalty, kept, scaling = self._penalties(weights)
        weight[~(fine & kept)] = 0.0
        ridge = self._strengths(total)[:, None] * penalty
        vouched = self._vouched(ridge)
        theta, n_iter, converged = minimise_reweighted(
            self.problem.loss,
            self.design.columns,
            self.problem.y,
            weight,
            ridge,
            self.theta,
            tol=_TOL,
            hessian=self.hessian,
            trusted=vouched,
        )
        # Where classes are apart there may be no minimum, and slopes vanish far away.
        for i in np.flatnonzero(converged & ~vouched):
            curved = self._curvature(theta[i : i + 1], weight[i])
            converged[i] = curved >= _FLAT * self.curved
        coef, offset = self.design.coefficients(theta)
        inner = self.family.values.answer(
            self.estimator,
            self.family.summary(self.targets),
            [getattr(self.estimator, self.family.values.param)] * len(weight),
            coef,
            self.design.centre,
            offset,
            n_iter,
            self.dtype,
        )
        return NewtonMembers(
            inner,
            converged & np.isfinite(coef).all(axis=(1, 2)),
            linear=self.family.linear(self.estimator),
            steps=self.steps,
            scaling=scaling,
        )

    def _strengths(self, total):
        strengths = self.family.values.strengths(self.value, total)
        return np.broadcast_to(strengths, total.shape)

    def _penalties(self, weights):
        """Penalties of the design's columns, where the draws' scalers come first.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n)

        Returns
        -------
        penalty : ndarray of shape (n_draws, q)
        kept : ndarray of shape (n_draws,), bool
            Whether variances have kept their digits.
        scaling : Scaling or None
        """
        design = self.design
        penalty = np.repeat(design.penalty[None], len(weights), axis=0)
        if not self.settings:
            return penalty, np.ones(len(weights), dtype=bool), None
        weight, total = _shares(weights)
        p, spread = len(design.centre), design.spread
        columns = design.columns[:, :p]
        mean = weight @ columns
        variance = weight @ np.square(columns) - mean**2
        variance[:, self.constant] = 0.0
        kept = ((variance > _KEPT) | self.constant).all(axis=1)
        variance = np.maximum(variance, 0.0)
        mean, variance = design.centre + spread * mean, spread**2 * variance
        offset, scale = standardised(mean, variance, total, self.settings)
        penalty[:, :p] = (scale / spread) ** 2
        return penalty, kept, Scaling(mean, variance, offset, scale, total)


def _shares(weights):
    """Weights as shares of their sums, and the sums; 1 in place of zero."""
    weights = np.asarray(weights, dtype=np.float64)
    total = weights.sum(axis=1)
    total[total == 0] = 1.0
    return weights / total[:, None], total
