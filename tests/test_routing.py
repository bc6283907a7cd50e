"""Metadata routing on or off."""

import numpy as np
import pytest
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators._routing import (
    nested_estimators,
    request_weights,
    route,
    router_of,
    routing_enabled,
)


class Base(BaseEstimator):
    """Takes metadata in `fit` and in `predict`."""

    def fit(self, X, y, sample_weight=None, margin=None):
        return self

    def predict(self, X, offset=None):
        return np.zeros(len(X))


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """Consumes weights and groups, routes everything else."""

    __metadata_request__fit = {"groups": True}

    def __init__(self, estimator=None):
        self.estimator = estimator

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        self.routed_ = route(self, "fit", params)
        return self

    def predict(self, X, **params):
        return route(self, "predict", params)

    def get_metadata_routing(self):
        return router_of(self, self.estimator, ["fit", "predict"])


def test_routing_enabled_follows_the_configuration():
    """The global configuration is read and never set."""
    before = get_config()
    with config_context(enable_metadata_routing=True):
        assert routing_enabled() is True
    with config_context(enable_metadata_routing=False):
        assert routing_enabled() is False
    assert get_config() == before


def test_nothing_to_route():
    """Without metadata there is nothing to do, on or off."""
    for enabled in (False, True):
        with config_context(enable_metadata_routing=enabled):
            assert route(Wrapper(Base()), "fit", {}) == {}


def test_routing_off_refuses_metadata():
    """One sentence: what is needed, how to get it, what was passed."""
    with pytest.raises(
        TypeError,
        match=r"Wrapper\.fit passes further arguments on only with metadata routing "
        r"switched on \(`sklearn\.set_config\(enable_metadata_routing=True\)`\)\. "
        r"Got \['a', 'margin'\]\.",
    ):
        Wrapper(Base()).fit([[0]], [0], margin=1, a=2)
    with pytest.raises(TypeError, match=r"Wrapper\.predict passes .* Got \['offset'\]"):
        Wrapper(Base()).predict([[0]], offset=1)


def test_routing_on_passes_what_is_requested():
    """What the wrapped estimator requests reaches its method of the same name."""
    with config_context(enable_metadata_routing=True):
        base = Base().set_fit_request(margin=True).set_predict_request(offset="start")
        wrapper = Wrapper(base).fit([[0]], [0], margin=[1])
        assert wrapper.routed_ == {"margin": [1]}
        assert wrapper.predict([[0]], start=[2]) == {"offset": [2]}


def test_routing_on_refuses_what_is_not_requested():
    """scikit-learn's own words for metadata that nobody asked for."""
    with config_context(enable_metadata_routing=True):
        with pytest.raises(
            ValueError, match=r"margin.*are passed but are not explicitly"
        ):
            Wrapper(Base()).fit([[0]], [0], margin=[1])
        with pytest.raises(TypeError, match=r"unexpected argument.*other"):
            Wrapper(Base()).fit([[0]], [0], other=[1])


def test_weights_are_the_wrapper_s_alone():
    """What the wrapped estimator requests of weights is switched off in the router."""
    with config_context(enable_metadata_routing=True):
        base = Base().set_fit_request(sample_weight=True)
        wrapper = Wrapper(base).set_fit_request(sample_weight="w")
        router = wrapper.get_metadata_routing()
        assert router.consumes("fit", {"w", "groups", "sample_weight"}) == {
            "w",
            "groups",
        }
        requests = base.get_metadata_routing().fit.requests
        assert requests["sample_weight"] is True


def test_request_weights_reaches_everything_nested():
    """Each step and nested estimator that takes weights asks for them."""
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), BaggingRegressor(Ridge()))
        assert request_weights(pipeline, True) is pipeline
        for nested in (pipeline[0], pipeline[1].estimator):
            requests = nested.get_metadata_routing().fit.requests
            assert requests["sample_weight"] is True
        consumed = pipeline[1].get_metadata_routing().consumes("fit", {"sample_weight"})
        assert consumed == {"sample_weight"}
        request_weights(pipeline, False)
        assert pipeline[0].get_metadata_routing().fit.requests["sample_weight"] is False


def test_request_weights_leaves_others_alone():
    """An estimator without weights is no error, and routing off changes nothing."""
    neighbors = KNeighborsRegressor()
    with config_context(enable_metadata_routing=True):
        assert request_weights(neighbors, True) is neighbors
    ridge = Ridge()
    assert request_weights(ridge, True) is ridge
    with config_context(enable_metadata_routing=True):
        assert ridge.get_metadata_routing().fit.requests["sample_weight"] is None


def test_nested_estimators():
    """Every estimator among the parameters, at any depth; classes are none."""
    ridge = Ridge()
    bagged = BaggingRegressor(ridge)
    scaler = StandardScaler()
    pipeline = make_pipeline(scaler, bagged)
    found = nested_estimators(pipeline)
    assert {id(each) for each in found} >= {id(scaler), id(bagged), id(ridge)}
    assert nested_estimators(Ridge) == []
    assert nested_estimators(object()) == []
