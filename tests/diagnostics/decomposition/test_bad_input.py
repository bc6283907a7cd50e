"""What a decomposition refuses, each in one sentence."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifier

from genestimators import bias_variance_decomposition
from tests.diagnostics.toys import classes, regression

QUICK = {"n_pairs": 6, "random_state": 0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "absolute"}, "'loss' parameter of bias_variance_decomposition must"),
        ({"n_pairs": 1}, "'n_pairs' parameter of bias_variance_decomposition must"),
        ({"tolerance": 0.0}, "'tolerance' parameter"),
        ({"sizes": [0.2]}, "`sizes` must be at least two different shares"),
        ({"sizes": [0.2, 0.2]}, "`sizes` must be at least two different shares"),
        ({"sizes": [0.2, 0.5]}, "`sizes` must be below half of the rows"),
        ({"sizes": [10, 35]}, "`sizes` must be below half of the rows"),
        ({"sizes": [0, 0.3]}, "`sizes` must be below half of the rows"),
        ({"sizes": "few"}, '`sizes` must be "auto" or a sequence'),
        ({"groups": np.arange(60) % 4}, "need at least 5 groups .* Got 4"),
        ({"params": {"sample_weight": 1}}, "pass `sample_weight=...`, not"),
        ({"y": np.ones(60)}, "needs a y that varies.*Got the value 1.0"),
        ({"y": None}, "y is None; pass y"),
        ({"X": np.ones((9, 1)), "y": np.arange(9)}, "needs at least 10 rows. Got 9"),
        (
            {"sample_weight": (np.arange(60) < 9).astype(float)},
            "needs at least 10 rows of positive weight. Got 9",
        ),
        ({"y": np.arange(59)}, "same number of rows"),
    ],
)
def test_bad_input(changes, message):
    X, y = regression(60)
    given = {"X": X, "y": y} | QUICK | changes
    with pytest.raises(ValueError, match=message):
        bias_variance_decomposition(Ridge(), **given)


def test_bad_estimators():
    X, y = regression(60)
    for bad in (Ridge, None, "ridge"):
        with pytest.raises(TypeError, match="'estimator' parameter of bias_variance"):
            bias_variance_decomposition(bad, X, y)


def test_classes_too_small_for_pairs():
    """The error says how many rows are needed."""
    X, y = classes(60)
    y = np.where(np.arange(60) < 4, "rare", np.where(y > 0, "a", "b"))
    with pytest.raises(ValueError, match=r"at least 5 rows of each class\. Got 4 of"):
        bias_variance_decomposition(RidgeClassifier(), X, y)
