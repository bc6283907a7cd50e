"""Boosting rounds from one fit against a fit for each number of rounds."""

import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    AdaBoostRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.fitting.families.against_refits import assert_equals_refits


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("estimator", "param"),
    [
        (GradientBoostingClassifier(subsample=0.7, random_state=3), "n_estimators"),
        (HistGradientBoostingClassifier(), "max_iter"),
        (
            make_pipeline(StandardScaler(), HistGradientBoostingClassifier()),
            "histgradientboostingclassifier__max_iter",
        ),
    ],
)
def test_rounds_of_classifiers_equal_refits(estimator, param, seed):
    """Labels, probabilities and decisions of each number of rounds."""
    X, y = make_classification(
        90, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=seed
    )
    assert_equals_refits(estimator, param, [1, 3, 7], X, y, rtol=0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("estimator", "param"),
    [
        (HistGradientBoostingRegressor(early_stopping=True), "max_iter"),
        (AdaBoostRegressor(random_state=3), "n_estimators"),
    ],
)
def test_rounds_of_regressors_equal_refits(estimator, param, seed):
    """Predictions of each number of rounds, early stopping switched off."""
    X, y = make_regression(90, 5, noise=10, random_state=seed)
    reference = estimator
    if hasattr(estimator, "early_stopping"):
        reference = estimator.set_params(early_stopping=False)
    assert_equals_refits(reference, param, [1, 3, 7], X, y, rtol=0)
