"""Estimators whose fits have a closed form, and which one."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.preprocessing import StandardScaler

from genestimators._delegate import pipeline_steps

_SOLVERS = (
    *("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"),
    *("newton-cg", "newton-cholesky", "liblinear"),
)


@dataclass(frozen=True)
class LinearBase:
    """A penalised least-squares fit that has closed forms.

    Attributes
    ----------
    ridge : float
        Penalty of the squared coefficients, where the loss is the sum of squares.
    scaled : bool
        Whether columns are divided by their standard deviation in each draw.
    l1_ratio : float or None
        Of a lasso or elastic net, whose own penalty is not used; its path is.
    """

    ridge: float
    scaled: bool
    l1_ratio: float | None = None

    @property
    def standardised(self):
        """Whether fits are those on standardised columns.

        Without a ridge the scale of a column means nothing to a fit, only to the
        path of a lasso; it would to the least ridge that makes matrices invertible.
        """
        return self.scaled or self.ridge == 0


def linear_base(estimator, classifier):
    """The closed form of an estimator, or None where there is none.

    Parameters
    ----------
    estimator : estimator or None
        None is ridge regression with a penalty of 1 on standardised columns. A
        pipeline may have a StandardScaler in front.
    classifier : bool
        Classes are fitted as their indicators, that of logistic regression by the
        penalty that has the same weight against the curvature at even odds.

    Returns
    -------
    base : LinearBase or None
    """
    if estimator is None:
        return LinearBase(1.0, scaled=True)
    steps = pipeline_steps(estimator)
    if steps is None:
        return _bare_base(estimator, classifier, scaled=False)
    *before, (_, last) = steps
    if not all(_standardises(step) for _, step in before):
        return None
    return _bare_base(last, classifier, scaled=bool(before))


def _standardises(step):
    return type(step) is StandardScaler and step.with_std and step.with_mean


def _bare_base(estimator, classifier, scaled):
    kind = type(estimator)
    if not getattr(estimator, "fit_intercept", False) or not _has_form(estimator):
        return None
    if kind in (LinearRegression, Ridge, Lasso, ElasticNet):
        if classifier:
            return None
        if kind is LinearRegression:
            return LinearBase(0.0, scaled)
        if kind is Ridge:
            alpha = estimator.alpha
            return LinearBase(float(alpha), scaled) if np.ndim(alpha) == 0 else None
        ratio = 1.0 if kind is Lasso else float(estimator.l1_ratio)
        return LinearBase(0.0, scaled, l1_ratio=ratio) if ratio > 0 else None
    if not classifier or estimator.class_weight is not None:
        return None
    if kind is RidgeClassifier:
        # Its targets are -1 and 1, indicators are half as far apart.
        return LinearBase(float(estimator.alpha), scaled)
    if kind is LogisticRegression and _is_ridge(estimator):
        return LinearBase(4.0 / float(estimator.C), scaled)
    return None


def _has_form(estimator):
    """Whether its settings are served; the estimator itself refuses wrong ones."""
    penalty, cost = getattr(estimator, "alpha", 0.0), getattr(estimator, "C", 1.0)
    return (
        not getattr(estimator, "positive", False)
        and getattr(estimator, "solver", "auto") in _SOLVERS
        and (np.ndim(penalty) > 0 or 0 <= penalty < np.inf)
        and cost > 0
    )


def _is_ridge(estimator):
    if estimator.C == np.inf:
        return True
    ratio = getattr(estimator, "l1_ratio", None)
    return estimator.penalty in ("l2", "deprecated") and not ratio
