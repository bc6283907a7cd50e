"""Estimators that work in single precision get it once, not once for each fit.

Trees and forests turn X into float32 at every fit and every prediction. Done once for a
whole ensemble the results are the same to the bit, at less time and memory.
"""

import numpy as np
from sklearn import ensemble, tree

_SINGLE = frozenset(
    {
        tree.DecisionTreeClassifier,
        tree.DecisionTreeRegressor,
        tree.ExtraTreeClassifier,
        tree.ExtraTreeRegressor,
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    }
)


def working_precision(estimator, X):
    """X as the estimator will turn it anyway, or X itself.

    Parameters
    ----------
    estimator : estimator
        Only its exact class counts.
    X : container of n rows
    """
    if type(estimator) not in _SINGLE or not isinstance(X, np.ndarray):
        return X
    if X.dtype != np.float64 or X.ndim != 2:
        return X
    with np.errstate(
        over="ignore"
    ):  # the estimator refuses infinities in its own words
        return X.astype(np.float32)
