"""Tags and methods that a wrapper takes from its estimator."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags

from genestimators._delegate import (
    DocLink,
    inherit_tags,
    pipeline_steps,
    random_state_parameters,
)


class RegressorWrapper(RegressorMixin, BaseEstimator):
    """Takes its tags from a regressor."""

    def __init__(self, estimator=None):
        self.estimator = estimator

    def __sklearn_tags__(self):
        return inherit_tags(super().__sklearn_tags__(), self.estimator)


class ClassifierWrapper(ClassifierMixin, BaseEstimator):
    """Takes its tags from a classifier."""

    def __init__(self, estimator=None):
        self.estimator = estimator

    def __sklearn_tags__(self):
        return inherit_tags(super().__sklearn_tags__(), self.estimator)


@pytest.mark.parametrize(
    ("wrapper", "estimator"),
    [
        (RegressorWrapper, Ridge()),
        (RegressorWrapper, PoissonRegressor()),
        (RegressorWrapper, HistGradientBoostingRegressor()),
        (RegressorWrapper, DecisionTreeRegressor()),
        (ClassifierWrapper, LogisticRegression()),
        (ClassifierWrapper, KNeighborsClassifier(metric="precomputed")),
        (ClassifierWrapper, SVC()),
    ],
)
def test_tags_are_those_of_the_estimator(wrapper, estimator):
    """What data it takes, and what target, is the estimator's affair."""
    ours, theirs = get_tags(wrapper(estimator)), get_tags(estimator)
    assert ours.input_tags == theirs.input_tags
    assert ours.input_tags is not theirs.input_tags
    assert ours.target_tags.multi_output == theirs.target_tags.multi_output
    assert ours.target_tags.positive_only == theirs.target_tags.positive_only
    assert ours.classifier_tags == theirs.classifier_tags
    assert ours.regressor_tags == theirs.regressor_tags
    assert ours.estimator_type == theirs.estimator_type
    assert not ours.array_api_support


def test_tags_of_an_object_without_tags():
    """A third-party object without tags is asked nothing."""

    class Plain:
        def fit(self, X, y):
            return self

    assert get_tags(RegressorWrapper(Plain())).estimator_type == "regressor"


@pytest.mark.parametrize(
    ("pipeline", "allow_nan"),
    [
        (make_pipeline(SimpleImputer(), Ridge()), True),
        (make_pipeline(StandardScaler(), SimpleImputer(), Ridge()), True),
        (make_pipeline(StandardScaler(), Ridge()), False),
        (make_pipeline(StandardScaler(), HistGradientBoostingRegressor()), True),
        (make_pipeline("passthrough", Ridge()), False),
        (make_pipeline(make_pipeline(SimpleImputer()), Ridge()), False),
    ],
)
def test_pipelines_take_nan_up_to_the_step_that_fills_it(pipeline, allow_nan):
    """A pipeline takes NaN where an imputer comes before the step that does not."""
    assert get_tags(RegressorWrapper(pipeline)).input_tags.allow_nan == allow_nan
    if allow_nan:
        X = np.random.default_rng(0).normal(size=(20, 2))
        X[3, 0] = np.nan
        pipeline.fit(X, np.arange(20.0))


def test_pipeline_steps():
    """Steps that fit something, in order; None for what is no pipeline."""
    scaler, ridge = StandardScaler(), Ridge()
    pipeline = Pipeline(
        [("a", scaler), ("b", "passthrough"), ("c", None), ("d", ridge)]
    )
    assert pipeline_steps(pipeline) == [("a", scaler), ("d", ridge)]
    assert pipeline_steps(ridge) is None
    assert pipeline_steps(object()) is None


def test_random_state_parameters():
    """Every seed of an estimator, nested ones included, in a fixed order."""
    pipeline = make_pipeline(StandardScaler(), DecisionTreeRegressor())
    assert random_state_parameters(pipeline) == ["decisiontreeregressor__random_state"]
    assert random_state_parameters(ClassifierWrapper(SVC())) == [
        "estimator__random_state"
    ]
    assert random_state_parameters(StandardScaler()) == []
    assert random_state_parameters(object()) == []


def test_documentation_links_lead_to_the_class():
    """The "?" of the representation opens the page of the class."""

    class Bag(DocLink, BaseEstimator):
        pass

    link = Bag._doc_link_template.format(**Bag()._doc_link_url_param_generator())
    assert link.endswith("/api/generated/genestimators.Bag.html")
