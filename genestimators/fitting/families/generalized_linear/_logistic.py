"""Logistic regression: all values of C by Newton's method."""

from numbers import Integral

import numpy as np
from scipy import linalg
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_array, compute_class_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from genestimators.fitting._registry import log_grid, register_family
from genestimators.fitting.families.generalized_linear._newton_paths import (
    NewtonFamily,
    Problem,
)
from genestimators.fitting.families.linear._linear import (
    LinearPath,
    is_flag,
    is_number,
    mean_square,
    usable_weights,
)
from genestimators.fitting.families.linear._linear_totals import to_shares

_SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky")


class BinaryLoss:
    """Log-loss of two classes; y is -1 or 1."""

    unit = 1.0

    def values(self, eta, y):
        margin = y * eta[:, 0]
        return np.log1p(np.exp(-np.abs(margin))) + np.maximum(-margin, 0.0)

    def slopes(self, eta, y):
        odds = y * eta
        with np.errstate(over="ignore"):  # far on the right side the slope is zero
            np.exp(odds, out=odds)
        odds += 1.0
        return np.divide(-y, odds, out=odds)

    def curvatures(self, eta, slopes, y):
        miss = np.abs(slopes)
        hit = 1.0 - miss
        return np.multiply(miss, hit, out=hit)[:, :, None]


class MultinomialLoss:
    """Log-loss of several classes; y is the position of the class.

    The scores of all classes sum to zero where the penalty is least, so there is one
    predictor less than classes: scores are combinations of orthonormal contrasts, which
    leave the sum of squared coefficients as it is.

    Parameters
    ----------
    n_classes : int
    """

    unit = 1.0

    def __init__(self, n_classes):
        self.contrasts = linalg.helmert(n_classes)  # (n_classes - 1, n_classes)
        pairs = self.contrasts[:, None] * self.contrasts[None]
        self.pairs = pairs.reshape(-1, n_classes)

    def scores(self, eta):
        """Scores of the classes, (n_problems, n_classes, ...), from predictors."""
        return self.contrasts.T @ eta

    def values(self, eta, y):
        scores = self.scores(eta)
        scores -= scores.max(axis=1, keepdims=True)
        own = scores[:, y, np.arange(len(y))]
        return np.log(np.exp(scores).sum(axis=1)) - own

    def slopes(self, eta, y):
        shares = to_shares(self.scores(eta))
        shares[:, y, np.arange(len(y))] -= 1.0
        return self.contrasts @ shares

    def curvatures(self, eta, slopes, y):
        shares = self.contrasts.T @ slopes  # less one in the row's own class
        shares[:, y, np.arange(len(y))] += 1.0
        mean = self.contrasts @ shares
        k = len(self.contrasts)
        second = (self.pairs @ shares).reshape(len(eta), k, k, -1)
        return second - mean[:, :, None] * mean[:, None]


class LogisticPath(LinearPath):
    """Predictions for all values of C.

    Attributes
    ----------
    classes_ : ndarray
    n_iter : ndarray of shape (n_values,), int
    """

    _by_value = (*LinearPath._by_value, "n_iter")
    classes_ = n_iter = None

    def decision_function(self, X):
        scores = self.linear(X)
        return scores[:, 0] if len(self.classes_) == 2 else scores.transpose(0, 2, 1)

    def predict(self, X):
        scores = self.linear(X)
        two = len(self.classes_) == 2
        place = (scores[:, 0] > 0).astype(int) if two else scores.argmax(axis=1)
        return self.classes_[place]

    def predict_proba(self, X):
        scores = self.linear(X)
        if len(self.classes_) == 2:
            second = expit(scores[:, 0])
            return np.stack([1 - second, second], axis=-1)
        return to_shares(scores).transpose(0, 2, 1)

    def complete(self, model, i, coef, intercept):
        model.coef_, model.intercept_ = coef, intercept
        model.classes_ = self.classes_
        model.n_iter_ = np.array([self.n_iter[i]], dtype=np.int32)


class LogisticC(NewtonFamily):
    """`LogisticRegression.C`."""

    estimator = LogisticRegression
    param = "C"
    stronger = "smaller"
    default_range = (
        "from 0.001 to 10,000 times the value that halves the coefficient of a column "
        "of average variance, 4 / (n variance); 4 a decade"
    )

    def default_values(self, estimator, X, y, sample_weight):
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        # Half of a coefficient is left where the penalty, 1 / C, is the curvature of
        # the log-loss: at even odds a quarter of the sum of squares.
        total = len(y) if sample_weight is None else np.sum(sample_weight)
        squares = total * mean_square(X, sample_weight, centred=estimator.fit_intercept)
        middle = 4 / squares if squares > 0 else 1.0
        return log_grid(1e-3 * middle, 1e4 * middle)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(is_number(value) and 0 < value < np.inf for value in values):
            return "a value of C is not positive or not finite"
        reason = unserved_settings(vars(estimator))
        if reason is not None:
            return reason
        if y.ndim != 1 or type_of_target(y) not in ("binary", "multiclass"):
            return "the target is no column of classes"
        if not usable_weights(sample_weight):
            return "weights are negative or missing, or all of them are zero"
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            return "there is one class"
        seen = np.bincount(codes, weights=sample_weight) > 0
        given = estimator.class_weight
        if isinstance(given, dict):
            seen &= [given.get(label, 1) > 0 for label in classes.tolist()]
        return None if seen.all() else "a class has no weight"

    def check(self, estimator, X, y):
        return validate_data(
            estimator,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
        )

    def problem(self, estimator, y, sample_weight):
        classes, codes = np.unique(y, return_inverse=True)
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        if estimator.class_weight is not None:
            by_class = compute_class_weight(
                estimator.class_weight,
                classes=classes,
                y=y,
                sample_weight=sample_weight,
            )
            weight = weight * by_class[codes]
        if len(classes) == 2:
            return Problem(BinaryLoss(), 2.0 * codes - 1.0, weight, np.zeros(1))
        loss = MultinomialLoss(len(classes))
        return Problem(loss, codes, weight, np.zeros(len(classes) - 1))

    def strengths(self, values, weight):
        return 1 / (values * weight)

    def alike(self, y, rows):
        return len(np.unique(y[rows])) == len(np.unique(y))

    def answer(self, estimator, y, values, coef, centre, offset, n_iter, dtype):
        classes = np.unique(y)
        if coef.shape[1] == len(classes) - 1 > 1:
            loss = MultinomialLoss(len(classes))
            coef, offset = loss.scores(coef), loss.scores(offset[:, :, None])[:, :, 0]
        path = LogisticPath(estimator, "C", values, coef, centre, offset, dtype)
        path.classes_, path.n_iter = classes, n_iter
        return path


def unserved_settings(settings):
    """Why an estimator with these settings is not served, or None.

    Parameters
    ----------
    settings : dict
        The parameters of a `LogisticRegression` of any version.
    """
    if settings["solver"] not in _SOLVERS:
        return f"the solver {settings['solver']!r} goes its own way"
    if settings.get("penalty", "deprecated") not in ("l2", "deprecated"):
        return "the penalty is no sum of squares"
    if settings.get("l1_ratio") not in (None, 0):
        return "a part of the penalty is a sum of absolute values"
    if settings.get("multi_class", "deprecated") not in ("auto", "deprecated"):
        return "`multi_class` is set"
    for name in ("dual", "warm_start"):
        if settings.get(name, False):
            return f"`{name}` is set"
    if settings.get("intercept_scaling", 1) != 1:
        return "the intercept is scaled"
    if not is_flag(settings["fit_intercept"]):
        return "`fit_intercept` is neither true nor false"
    if not (is_number(settings["tol"]) and settings["tol"] >= 0):
        return "there is no tolerance"
    if not (isinstance(settings["max_iter"], Integral) and settings["max_iter"] > 0):
        return "there is no limit to the iterations"
    given = settings["class_weight"]
    if given is None or isinstance(given, dict):
        return None
    balanced = isinstance(given, str) and given == "balanced"
    return None if balanced else "`class_weight` is not known"


register_family(LogisticC())
