"""Common checks over bases that do not treat weights as repeated rows themselves."""

import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.svm import SVC, SVR
from sklearn.utils.estimator_checks import estimator_checks_generator

from genestimators import AutoRegularizedCV

ONCE = {"cv": 3, "n_repeats": 1}

BASES = [
    AutoRegularizedCV(RandomForestClassifier(n_estimators=10), values=[0.0, 0.01]),
    AutoRegularizedCV(RandomForestRegressor(n_estimators=10), values=[0.0, 0.01]),
    AutoRegularizedCV(HistGradientBoostingClassifier(), values=[1, 3], **ONCE),
    AutoRegularizedCV(HistGradientBoostingRegressor(), values=[5, 20], **ONCE),
    AutoRegularizedCV(SVC(), values=[0.1, 1.0], **ONCE),
    AutoRegularizedCV(SVR(), values=[0.1, 1.0], **ONCE),
    AutoRegularizedCV(PLSRegression(), **ONCE),
]


def _checks():
    for estimator in BASES:
        for instance, check in estimator_checks_generator(estimator):
            name = getattr(check, "func", check).__name__
            if "sample_weight" not in name:
                kind = type(estimator.estimator).__name__
                yield pytest.param(instance, check, id=f"{kind}-{name}")


@pytest.mark.parametrize(("estimator", "check"), list(_checks()))
def test_checks_but_those_of_weights(estimator, check):
    """The bases themselves fit weights and repeated rows differently.

    A forest draws rows by position, boosting counts the rows of a leaf, libsvm stops at
    its tolerance, and partial least squares has no second component in the few rows
    that these checks have.
    """
    check(estimator)
