"""Metadata routing on or off, in one place."""

from sklearn import clone, get_config
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)


def routing_enabled():
    """Whether scikit-learn's metadata routing is switched on."""
    return bool(get_config().get("enable_metadata_routing"))


def router_of(wrapper, estimator, methods):
    """The routing of a wrapper that takes `sample_weight` for itself.

    Counts and weights reach the wrapped estimator by the wrapper's own policy, so
    what the wrapped estimator requests of `sample_weight` is switched off here: a
    user says it once, on the wrapper.

    Parameters
    ----------
    wrapper : estimator
        Consumes `sample_weight` and `groups` itself.
    estimator : estimator
        The wrapped one, to which everything else is routed.
    methods : iterable of str
        Methods of the wrapper that call the method of the same name.
    """
    mapping = MethodMapping()
    for method in methods:
        mapping.add(caller=method, callee=method)
    return (
        MetadataRouter(owner=type(wrapper).__name__)
        .add_self_request(wrapper)
        .add(
            estimator=request_weights(clone(estimator), False),
            method_mapping=mapping,
        )
    )


def route(wrapper, method, metadata):
    """Arguments for the wrapped estimator's method of the same name.

    Raises
    ------
    TypeError
        If metadata are passed while routing is switched off.
    """
    if not metadata:
        return {}
    if not routing_enabled():
        raise TypeError(
            f"{type(wrapper).__name__}.{method} passes further arguments on only with "
            "metadata routing switched on "
            "(`sklearn.set_config(enable_metadata_routing=True)`). "
            f"Got {sorted(metadata)!r}."
        )
    routed = process_routing(wrapper, method, **metadata)
    return dict(routed["estimator"][method])


def request_weights(estimator, value):
    """Set the request of `sample_weight` in fits, here and in everything nested."""
    if not routing_enabled():
        return estimator
    for nested in [estimator, *nested_estimators(estimator)]:
        for name in ("set_fit_request", "set_partial_fit_request"):
            if hasattr(nested, name):
                try:
                    getattr(nested, name)(sample_weight=value)
                except TypeError:  # it takes no sample_weight there
                    continue
    return estimator


def supports_routing(estimator):
    """Whether an estimator and everything nested in it take part in routing."""
    for nested in [estimator, *nested_estimators(estimator)]:
        try:
            nested.get_metadata_routing()
        except (NotImplementedError, AttributeError):
            return False
    return True


def nested_estimators(estimator):
    """Every estimator among the parameters of an estimator, at any depth."""
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        return []
    return [
        value
        for value in estimator.get_params(deep=True).values()
        if hasattr(value, "fit") and not isinstance(value, type)
    ]
