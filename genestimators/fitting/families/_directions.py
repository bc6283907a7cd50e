"""Parameters whose direction and range are known, and whose values are fitted singly.

They are here so that `param="auto"` finds them, that ties go to the stronger penalty,
and that a range need not be given.
"""

from functools import partial

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import (
    HuberRegressor,
    Lars,
    LassoLars,
    MultiTaskElasticNet,
    MultiTaskLasso,
    OrthogonalMatchingPursuit,
    Perceptron,
    QuantileRegressor,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import (
    KBinsDiscretizer,
    PolynomialFeatures,
    SplineTransformer,
)
from sklearn.utils import check_array

from genestimators.fitting._registry import (
    Family,
    integer_grid,
    log_grid,
    register_family,
)


class Direction(Family):
    """A parameter that is fitted value by value.

    Parameters
    ----------
    estimator, param, default_range, stronger, scale, preferred
        As in `Family`.
    values : callable
        `values(estimator, X, y)` gives the default values.
    """

    def __init__(
        self,
        estimator,
        param,
        values,
        default_range,
        *,
        stronger="larger",
        scale="log",
        preferred=True,
        limits=(),
    ):
        self.estimator = estimator
        self.param = param
        self.values = values
        self.default_range = default_range
        self.stronger = stronger
        self.scale = scale
        self.preferred = preferred
        self.limits = limits

    def default_values(self, estimator, X, y, sample_weight):
        return self.values(estimator, X, y)


def decades(low, high, estimator, X, y):
    """Two values in every factor of ten, whatever the data."""
    return log_grid(low, high, per_decade=2)


def counts(low, high, estimator, X, y):
    """Whole numbers, at most half the rows."""
    return integer_grid(low, max(low, min(high, _shape(X)[0] // 2)), 15)


def column_counts(estimator, X, y):
    """Numbers of columns, at most half the rows."""
    n, p = _shape(X)
    return integer_grid(1, max(1, min(p, n // 2)), 15)


def thresholds(estimator, X, y):
    """Numbers of standard errors."""
    return np.linspace(0.25, 5.0, 20)


def _shape(X):
    return X.shape if hasattr(X, "shape") else np.shape(X)


def largest_penalty(X, y, l1_ratio=1.0):
    """The smallest penalty of a (group) lasso that leaves no coefficient.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    y : ndarray of shape (n,) or (n, n_outputs)
    l1_ratio : float, default=1.0

    Returns
    -------
    alpha : float
    """
    y = y.reshape(len(y), -1)
    inner = (X - X.mean(axis=0)).T @ (y - y.mean(axis=0))
    largest = np.sqrt((inner**2).sum(axis=1)).max()
    return largest / (len(y) * max(l1_ratio, 1e-3)) or 1.0


def lasso_penalties(estimator, X, y):
    """From the penalty that leaves nothing down to a thousandth of it."""
    X = check_array(X, dtype=np.float64)
    largest = largest_penalty(
        X, np.asarray(y, float), getattr(estimator, "l1_ratio", 1)
    )
    return log_grid(1e-3 * largest, largest, per_decade=5)


_OF_LASSO = "a thousandth of the largest useful penalty to the largest"

for _estimator in (SGDClassifier, SGDRegressor):
    register_family(
        Direction(_estimator, "alpha", partial(decades, 1e-7, 1.0), "1e-7 to 1")
    )
register_family(  # it counts only where `penalty` is set, which it is not by default
    Direction(
        Perceptron, "alpha", partial(decades, 1e-7, 1.0), "1e-7 to 1", preferred=False
    )
)
register_family(
    Direction(HuberRegressor, "alpha", partial(decades, 1e-5, 1e3), "1e-5 to 1000")
)
register_family(
    Direction(QuantileRegressor, "alpha", partial(decades, 1e-5, 10.0), "1e-5 to 10")
)
for _estimator in (MultiTaskLasso, MultiTaskElasticNet, LassoLars):
    register_family(Direction(_estimator, "alpha", lasso_penalties, _OF_LASSO))
for _estimator in (Lars, OrthogonalMatchingPursuit):
    register_family(
        Direction(
            _estimator,
            "n_nonzero_coefs",
            column_counts,
            "1 to the number of columns, at most half the rows",
            stronger="smaller",
            scale="integer",
            limits=(1,),
        )
    )
register_family(
    Direction(
        GaussianProcessRegressor, "alpha", partial(decades, 1e-8, 10.0), "1e-8 to 10"
    )
)
register_family(
    Direction(
        NearestCentroid,
        "shrink_threshold",
        thresholds,
        "0.25 to 5",
        scale="linear",
    )
)
for _estimator, _param, _low, _high in (
    (PolynomialFeatures, "degree", 1, 4),
    (SplineTransformer, "n_knots", 2, 20),
    (KBinsDiscretizer, "n_bins", 2, 20),
    (Nystroem, "n_components", 5, 300),
    (KernelPCA, "n_components", 1, 100),
):
    register_family(
        Direction(
            _estimator,
            _param,
            partial(counts, _low, _high),
            f"{_low} to {_high}, at most half the rows",
            stronger="smaller",
            scale="integer",
            limits=(_low,),
        )
    )
