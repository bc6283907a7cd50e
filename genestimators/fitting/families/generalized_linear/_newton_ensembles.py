"""Logistic, Poisson, gamma and Tweedie regression on many draws."""

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import validate_data

from genestimators._inputs import take_rows
from genestimators.fitting._ensembles import EnsembleFamily, register_ensemble
from genestimators.fitting.families.generalized_linear._glm import (
    GammaAlpha,
    PoissonAlpha,
    TweedieAlpha,
)
from genestimators.fitting.families.generalized_linear._logistic import LogisticC
from genestimators.fitting.families.generalized_linear._newton_members import (
    NewtonFits,
)
from genestimators.fitting.families.generalized_linear._newton_paths import (
    MOST_PRODUCTS,
    n_products,
)
from genestimators.fitting.families.linear._linear import is_number
from genestimators.fitting.families.linear._shared_fits import plain_scalers


class NewtonEnsemble(EnsembleFamily):
    """What the families share.

    Attributes
    ----------
    values : NewtonFamily
        The family of the same estimator and the values of its penalty.
    """

    exactness = "tolerance"
    scaled = True
    values = None

    def strength(self, estimator):
        """The value of the penalty, or the one that stands for none."""
        return float(getattr(estimator, self.values.param))

    def unpenalised(self, estimator):
        """Whether there is no penalty."""
        raise NotImplementedError

    def linear(self, estimator):
        """Whether answers are linear in the coefficients, or decisions are."""
        raise NotImplementedError

    def targets(self, problem, y):
        """What is to be known of y."""
        raise NotImplementedError

    def summary(self, targets):
        """What the path is told of y."""
        raise NotImplementedError

    def reweigh(self, estimator, targets, weights):
        """Weights as the loss takes them.

        Parameters
        ----------
        estimator : estimator
        targets : object
            As `targets` returned it.
        weights : ndarray of shape (n_draws, n)

        Returns
        -------
        weights : ndarray of shape (n_draws, n)
        fine : ndarray of shape (n_draws,), bool
            Whether problems are of the same kind as that of all rows.
        """
        raise NotImplementedError

    def unsupported(self, estimator, X, y, draws):
        if sparse.issparse(X):
            return "X is sparse"
        value = getattr(estimator, self.values.param)
        if self.unpenalised(estimator):
            estimator, value = self.with_penalty(estimator), 1.0
        return self.values.unsupported(estimator, X, y, draws.row_weight, [value])

    def with_penalty(self, estimator):
        """An estimator with the same settings but for the penalty it lacks."""
        return estimator

    def prepare(self, scaler, estimator, X, y, classes):
        few = take_rows(X, np.arange(1))
        halved = getattr(X, "dtype", None) == np.float16  # a scaler stays with it
        rows, y = self.values.check(estimator, X, y)
        n, p = rows.shape
        problem = self.values.problem(estimator, y, None)
        if sparse.issparse(rows) or n_products((n, p), problem) > MOST_PRODUCTS:
            return None
        if p >= n and (scaler is not None or self.unpenalised(estimator)):
            return None
        steps = None
        if scaler is not None:
            moved = scaler.with_mean and not estimator.fit_intercept
            if halved or moved or not plain_scalers([scaler]):
                return None
            last = clone(estimator)
            behind = scaler.fit(few).transform(few)
            validate_data(last, behind, skip_check_array=True)
            steps = make_pipeline(scaler, last)
        targets = self.targets(problem, y)
        fits = NewtonFits(self, estimator, rows, problem, targets, steps)
        return fits if fits.start() else None


class LogisticEnsemble(NewtonEnsemble):
    """`LogisticRegression` on many draws."""

    estimator = LogisticRegression
    values = LogisticC()

    def unpenalised(self, estimator):
        return is_number(estimator.C) and self.strength(estimator) == np.inf

    def strength(self, estimator):
        none = getattr(estimator, "penalty", "deprecated") is None
        return np.inf if none else super().strength(estimator)

    def with_penalty(self, estimator):
        return clone(estimator).set_params(penalty="l2")

    def linear(self, estimator):
        return True

    def targets(self, problem, y):
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes, np.eye(len(classes))[codes]

    def summary(self, targets):
        return targets[0]

    def reweigh(self, estimator, targets, weights):
        classes, codes, indicators = targets
        held = weights @ indicators
        fine = (held > 0).all(axis=1)
        given = estimator.class_weight
        if given is None:
            return weights, fine
        if isinstance(given, str):  # "balanced"
            held[held == 0] = 1.0
            factors = held.sum(axis=1, keepdims=True) / (held.shape[1] * held)
        else:
            factors = compute_class_weight(given, classes=classes, y=classes)[None]
        return weights * factors[:, codes], fine


class _GlmEnsemble(NewtonEnsemble):
    def unpenalised(self, estimator):
        return is_number(estimator.alpha) and estimator.alpha == 0

    def linear(self, estimator):
        return not self.values.log_link(estimator)

    def targets(self, problem, y):
        return (problem.y != 0).astype(np.float64)

    def summary(self, targets):
        return None

    def reweigh(self, estimator, targets, weights):
        # The logarithm of a mean of zero is no place to start from.
        there = weights @ targets > 0
        return weights, there | self.linear(estimator)


class PoissonEnsemble(_GlmEnsemble):
    """`PoissonRegressor` on many draws."""

    estimator = PoissonRegressor
    values = PoissonAlpha()


class GammaEnsemble(_GlmEnsemble):
    """`GammaRegressor` on many draws."""

    estimator = GammaRegressor
    values = GammaAlpha()


class TweedieEnsemble(_GlmEnsemble):
    """`TweedieRegressor` on many draws."""

    estimator = TweedieRegressor
    values = TweedieAlpha()


for _family in (LogisticEnsemble, PoissonEnsemble, GammaEnsemble, TweedieEnsemble):
    register_ensemble(_family())
