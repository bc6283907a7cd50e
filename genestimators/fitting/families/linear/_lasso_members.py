"""Lasso and elastic net on many draws, from moments.

Moments of all draws are one product of the weights with products of columns. Each draw
then takes a descent over coordinates that starts at the solution for all rows, and that
does not touch a row again.

A descent stops where its duality gap is below the tolerance. The solution for all rows
is often within the tolerance of a user for a draw, too; members would all be the same.
Descents are therefore taken to many more digits than a fit by itself.
"""

import warnings
from dataclasses import replace

import numpy as np
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso

from genestimators._inputs import take_rows
from genestimators.fitting._ensembles import EnsembleFamily, register_ensemble
from genestimators.fitting.families._scaling import Scaling, plain_scaler
from genestimators.fitting.families.linear._gram import (
    centre,
    keeps_digits,
    problem_of,
    stack_moments,
    standardised,
)
from genestimators.fitting.families.linear._lasso import (
    ElasticNetAlpha,
    descend,
    settings_of,
)
from genestimators.fitting.families.linear._linear import (
    finite_rows,
    finite_targets,
)
from genestimators.fitting.families.linear._linear_members import (
    LinearFits,
    LinearMembers,
)

_TIGHTEST = 1e-4  # of the user's tolerance
_FINEST = 1e-12  # a relative duality gap that double precision can still tell from 0
_MOST_COLUMNS = 100  # of which products are faster than a descent over the rows


class LassoMembers(LinearMembers):
    """The members of a bag of lassos.

    Attributes
    ----------
    gap, n_iter : ndarray of shape (n_values, n_outputs)
        Duality gaps and numbers of iterations.
    """

    _by_value = (*LinearMembers._by_value, "gap", "n_iter")
    gap = n_iter = None

    def model(self, i):
        if self.seen is None:
            with warnings.catch_warnings():
                # Of a few rows, for the attributes that do not depend on them.
                warnings.simplefilter("ignore", ConvergenceWarning)
                self.seen = self.steps.fit(*self.few)
        model = super().model(i)
        last = model if self.scaling is None else model[-1]
        gap, n_iter = self.gap[i], self.n_iter[i]
        one = len(gap) == 1
        last.dual_gap_ = gap[0] if one else gap.copy()
        last.n_iter_ = int(n_iter[0]) if one else n_iter.tolist()
        return model


class LassoFits(LinearFits):
    """What all draws of a lasso or an elastic net share."""

    def __init__(self, scaler, estimator, X, rows, Y, *, flat, few):
        alpha = float(estimator.alpha)
        super().__init__(scaler, estimator, alpha, X, rows, Y, flat=flat, few=few)
        self.settings = settings_of(estimator)
        self.tol = estimator.tol
        self.settings["tol"] = max(_TIGHTEST * self.tol, min(self.tol, _FINEST))
        whole, told = self._problems(np.ones((1, len(rows))))
        start = np.zeros((1, Y.shape[1], rows.shape[1]))
        found, gap, _ = self._descents(whole, told["fine"], start)
        self.start = found[0]
        # What does not converge on all rows does not on draws of them.
        self.converges = told["fine"][0] and (gap <= self.tol * whole.yy).all()

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        problem, told = self._problems(weights)
        fine = told.pop("fine")
        away = told.pop("away")
        start = np.broadcast_to(self.start, (len(fine), *self.start.shape))
        found, gap, n_iter = self._descents(problem, fine, start)
        coef = found / problem.scale[:, None]
        offset = problem.offset - np.einsum("bqp,bp->bq", coef, away)
        fine &= (gap <= self.tol * problem.yy).all(axis=1)
        scaling = Scaling(**told) if self.scalers else None
        path = LassoMembers(self, coef, offset, fine, scaling)
        path.gap, path.n_iter = gap, n_iter
        return path

    def _problems(self, weights):
        """The least-squares problems of draws, and what their scalers learn."""
        moments = stack_moments(self.X, self.Y, weights, self.centre, self.y_shift)
        there = moments.weight > 0
        moments = replace(moments, weight=np.where(there, moments.weight, 1.0))
        centred = centre(moments)
        variance = np.maximum(np.diagonal(centred.xx, axis1=1, axis2=2), 0.0)
        offset, scale = standardised(centred.x, variance, moments.weight, self.scalers)
        problem = problem_of(centred, offset, scale, fit_intercept=self.intercept)
        # Of the point about which a problem is centred, from the common centre.
        shifted = self.intercept or any(with_mean for with_mean, _ in self.scalers)
        away = moments.x / moments.weight[:, None]
        return problem, {
            "mean": centred.x,
            "variance": variance,
            "offset": offset,
            "scale": scale,
            "weight": moments.weight,
            "fine": keeps_digits(moments, moments) & there,
            "away": away if shifted else np.zeros_like(away),
        }

    def _descents(self, problem, fine, start):
        """Coefficients (n_draws, n_outputs, p), duality gaps and iterations."""
        coef = np.array(start)
        gap = np.zeros(coef.shape[:2])
        n_iter = np.zeros(coef.shape[:2], dtype=np.intp)
        # The solver asks X for its shape only, and y for its norm; see `gram_path`.
        row, alphas = np.zeros((1, coef.shape[2]), order="F"), np.array([self.alpha])
        # Its checks of parameters would take longer than most descents.
        with config_context(skip_parameter_validation=True):
            for b in np.flatnonzero(fine):
                for k, own in enumerate(coef[b]):
                    found, gaps, rounds = descend(
                        row,
                        np.sqrt(problem.yy[b, k : k + 1]),
                        alphas,
                        precompute=problem.gram[b],
                        Xy=np.ascontiguousarray(problem.xy[b, :, k]),
                        coef_init=own.copy(),
                        **self.settings,
                    )
                    coef[b, k], gap[b, k], n_iter[b, k] = found[0], gaps[0], rounds[0]
        return coef, gap, n_iter


class ElasticNetEnsemble(EnsembleFamily):
    """`ElasticNet` on many draws."""

    estimator = ElasticNet
    exactness = "tolerance"
    scaled = True
    group = 50
    settings = ElasticNetAlpha()

    def unsupported(self, estimator, X, y, draws):
        if estimator.warm_start is not False:
            return "a fit goes on from the one before"
        return self.settings.unsupported(estimator, X, y, None, [estimator.alpha])

    def prepare(self, scaler, estimator, X, y, classes):
        rows, Y = finite_rows(X), finite_targets(y)
        if rows is None or Y is None or getattr(X, "dtype", None) == np.float16:
            return None
        if not plain_scaler(scaler):
            return None
        n, p = rows.shape
        if p > _MOST_COLUMNS or n < 2 * p:
            return None
        few = np.arange(2)
        few = take_rows(X, few), y[few]
        flat = np.ndim(y) == 1
        fits = LassoFits(scaler, estimator, X, rows, Y, flat=flat, few=few)
        return fits if fits.converges else None


class LassoEnsemble(ElasticNetEnsemble):
    """`Lasso` on many draws."""

    estimator = Lasso


for _family in (ElasticNetEnsemble, LassoEnsemble):
    register_ensemble(_family())
