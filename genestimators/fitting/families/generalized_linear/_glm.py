"""Poisson, gamma and Tweedie regression: all penalties by Newton's method."""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from genestimators.fitting._registry import log_grid, register_family
from genestimators.fitting.families.generalized_linear._newton_paths import (
    NewtonFamily,
    Problem,
)
from genestimators.fitting.families.linear._linear import (
    LinearPath,
    copy_columns,
    is_flag,
    is_number,
    mean_square,
    usable_weights,
)


class LogLinkLoss:
    """Half the deviance of a power variance with logarithmic link, but for constants.

    Parameters
    ----------
    power : float
        From 1 (Poisson) to 2 (gamma): there it is convex in the predictor.
    """

    unit = 1.0

    def __init__(self, power):
        self.power = power

    def values(self, eta, y):
        eta, power = eta[:, 0], self.power
        with np.errstate(over="ignore", invalid="ignore"):
            mean = eta if power == 2 else np.exp((2 - power) * eta) / (2 - power)
            if power == 1:
                return mean - y * eta
            return mean + y * np.exp((1 - power) * eta) / (power - 1)

    def slopes(self, eta, y):
        if self.power == 1:
            slopes = np.exp(eta)
            slopes -= y
            return slopes
        if self.power == 2:
            slopes = np.exp(-eta)
            slopes *= -y
            slopes += 1
            return slopes
        return np.exp((2 - self.power) * eta) - y * np.exp((1 - self.power) * eta)

    def curvatures(self, eta, slopes, y):
        if self.power == 1:  # monotone rounding: never below zero
            return (slopes + y)[:, :, None]
        if self.power == 2:
            return (1 - slopes)[:, :, None]
        first = (2 - self.power) * np.exp((2 - self.power) * eta)
        second = (self.power - 1) * y * np.exp((1 - self.power) * eta)
        return (first + second)[:, :, None]


class SquaredLoss:
    """Half the squared error.

    Parameters
    ----------
    unit : float
        A typical deviation of y.
    """

    def __init__(self, unit):
        self.unit = unit

    def values(self, eta, y):
        return 0.5 * (eta[:, 0] - y) ** 2

    def slopes(self, eta, y):
        return eta - y

    def curvatures(self, eta, slopes, y):
        return np.ones_like(eta)[:, :, None]


class GlmPath(LinearPath):
    """Predictions for all penalties.

    Attributes
    ----------
    log_link : bool
    n_iter : ndarray of shape (n_values,), int
    """

    _by_value = (*LinearPath._by_value, "n_iter")
    log_link = n_iter = None

    def predict(self, X):
        answer = self.linear(X)[:, 0]
        return np.exp(answer, out=answer) if self.log_link else answer

    def blank(self):
        # A fit leaves more behind than its coefficients; two rows are enough for that.
        # With a penalty they have one solution.
        seen = clone(self.template).set_params(alpha=1.0)
        seen.fit(np.zeros((2, self.coef.shape[2])), np.ones(2))
        copy_columns(self.template, seen)
        return seen.set_params(alpha=self.template.alpha)

    def complete(self, model, i, coef, intercept):
        model.coef_ = coef[0]
        model.intercept_ = intercept[0] if model.fit_intercept else 0.0
        model.n_iter_ = int(self.n_iter[i])


class _GlmAlpha(NewtonFamily):
    param = "alpha"
    stronger = "larger"
    default_range = (
        "from 0.0001 to 1,000 times the value that halves the coefficient of a column "
        "of average variance; 4 a decade"
    )

    def power(self, estimator):
        """The power of the mean that the variance is in proportion to."""
        raise NotImplementedError

    def log_link(self, estimator):
        """Whether the predictor is the logarithm of the mean."""
        return True

    def default_values(self, estimator, X, y, sample_weight):
        X = check_array(X, accept_sparse=["csc", "csr"], dtype=[np.float64, np.float32])
        square = mean_square(X, sample_weight, centred=estimator.fit_intercept)
        # Half of a coefficient is left where the penalty is the curvature of the loss.
        middle = square
        mean = np.average(y, weights=sample_weight)
        if self.log_link(estimator) and mean > 0:
            middle = square * mean ** (2 - self.power(estimator))
        middle = middle if 0 < middle < np.inf else 1.0
        return log_grid(1e-4 * middle, 1e3 * middle)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(is_number(value) and 0 < value < np.inf for value in values):
            return "a penalty is not positive or not finite"
        reason = _unserved_settings(estimator)
        if reason is not None:
            return reason
        power = self.power(estimator)
        if self.log_link(estimator):
            if not 1 <= power <= 2:
                return "the deviance is not convex in the predictor"
        elif power != 0:
            return "the predictor is bounded"
        if y.ndim != 1 or y.dtype.kind not in "fiub" or not np.isfinite(y).all():
            return "the target is no column of numbers"
        if not usable_weights(sample_weight):
            return "weights are negative or missing, or all of them are zero"
        if power >= 1 and ((y < 0).any() or (power == 2 and (y == 0).any())):
            return "the target is out of range"
        if power >= 1 and not np.average(y, weights=sample_weight) > 0:
            return "the target is zero"
        return None

    def check(self, estimator, X, y):
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse=["csc", "csr"],
            dtype=[np.float64, np.float32],
            y_numeric=True,
        )
        return X, check_array(y, dtype=X.dtype, order="C", ensure_2d=False)

    def problem(self, estimator, y, sample_weight):
        y = y.astype(np.float64)
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        mean = np.average(y, weights=weight)
        if self.log_link(estimator):
            loss = LogLinkLoss(float(self.power(estimator)))
            return Problem(loss, y, weight, np.array([np.log(mean)]))
        unit = np.sqrt(np.average((y - mean) ** 2, weights=weight))
        return Problem(SquaredLoss(unit if unit > 0 else 1.0), y, weight, mean[None])

    def strengths(self, values, weight):
        return values

    def alike(self, y, rows):
        # All numbers may be zero where counts are; the logarithm has no start there.
        return bool(y[rows].any())

    def answer(self, estimator, y, values, coef, centre, offset, n_iter, dtype):
        path = GlmPath(estimator, "alpha", values, coef, centre, offset, dtype)
        path.log_link, path.n_iter = self.log_link(estimator), n_iter
        return path


class PoissonAlpha(_GlmAlpha):
    """`PoissonRegressor.alpha`."""

    estimator = PoissonRegressor

    def power(self, estimator):
        return 1


class GammaAlpha(_GlmAlpha):
    """`GammaRegressor.alpha`."""

    estimator = GammaRegressor

    def power(self, estimator):
        return 2


class TweedieAlpha(_GlmAlpha):
    """`TweedieRegressor.alpha`."""

    estimator = TweedieRegressor

    def power(self, estimator):
        return estimator.power

    def log_link(self, estimator):
        if estimator.link == "auto":
            return estimator.power > 0
        return estimator.link == "log"

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not is_number(estimator.power):
            return "the power is no number"
        if estimator.link not in ("auto", "log", "identity"):
            return "the link is not known"
        return super().unsupported(estimator, X, y, sample_weight, values)


def _unserved_settings(estimator):
    """Why an estimator with its settings is not served, or None."""
    if estimator.solver not in ("lbfgs", "newton-cholesky"):
        return "the solver is not known"
    if not is_flag(estimator.fit_intercept):
        return "`fit_intercept` is neither true nor false"
    if estimator.warm_start:
        return "`warm_start` is set"
    if not (is_number(estimator.tol) and estimator.tol > 0):
        return "there is no tolerance"
    if not (isinstance(estimator.max_iter, Integral) and estimator.max_iter > 0):
        return "there is no limit to the iterations"
    return None


for _family in (PoissonAlpha, GammaAlpha, TweedieAlpha):
    register_family(_family())
