"""Checks that scikit-learn offers and does not run by itself, and tags."""

import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator_tags_renamed,
)

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.common.instances import CLASSIFIERS, REGRESSORS, instances


def _name(estimator):
    return repr(estimator).replace(" ", "").replace("\n", "")


@pytest.mark.parametrize("estimator", instances(), ids=_name)
def test_names_of_columns(estimator):
    """Column names are recorded, and compared when predicting."""
    pytest.importorskip("pandas")
    check_dataframe_column_names_consistency(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", instances(), ids=_name)
def test_tags_are_of_today(estimator):
    """Tags are given in the form of the present scikit-learn."""
    check_estimator_tags_renamed(type(estimator).__name__, estimator)


def test_tags_come_from_the_base():
    """What a bag accepts is what its base accepts."""
    for bases, kind in (
        (CLASSIFIERS, BootstrapBaggingClassifier),
        (REGRESSORS, BootstrapBaggingRegressor),
    ):
        for base in bases:
            ours = get_tags(kind(base))
            theirs = get_tags(kind(base)._get_estimator())
            assert ours.input_tags.sparse == theirs.input_tags.sparse
            assert ours.classifier_tags == theirs.classifier_tags
            assert ours.regressor_tags == theirs.regressor_tags
            assert ours.target_tags.multi_output == theirs.target_tags.multi_output
