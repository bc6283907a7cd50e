"""Which parameter of a nested estimator is tuned, and what stands before it."""

from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from genestimators._weights import accepts_weights, fit_transform_all
from genestimators.fitting._composites import transformed_target
from genestimators.fitting._copies import works_in_place
from genestimators.fitting._nested import nested_family
from genestimators.fitting._registry import (
    families_of,
    find_family,
    registered_families,
)


def preferred_parameter(estimator):
    """The full name of the parameter that `param="auto"` means, or None.

    It is the preferred parameter of the last step of a pipeline, of the regressor
    behind a transformed target, or of the estimator that a wrapper wraps.
    """
    for family in families_of(estimator):
        if family.preferred:
            return family.param
    for name, inner in _inner(estimator):
        found = preferred_parameter(inner)
        if found is not None:
            return f"{name}__{found}"
    return None


def _inner(estimator):
    """The estimators to look into, with their names."""
    if isinstance(estimator, Pipeline):
        name, step = estimator.steps[-1]
        return [] if step is None or isinstance(step, str) else [(name, step)]
    if isinstance(estimator, TransformedTargetRegressor):
        inner = estimator.regressor
        return [] if inner is None else [("regressor", inner)]
    wrapper = nested_family(estimator)
    if wrapper is not None:
        return [(wrapper.param, wrapper.inner(estimator))]
    inner = getattr(estimator, "estimator", None)
    return [("estimator", inner)] if hasattr(inner, "fit") else []


def tuned_leaf(estimator, param):
    """The estimator that has the tuned parameter as its own, and its name there.

    Returns
    -------
    leaf : estimator
    name : str
    """
    name, _, rest = param.partition("__")
    wrapper = nested_family(estimator)
    if rest and wrapper is not None and wrapper.param == name:
        return tuned_leaf(wrapper.inner(estimator), rest)
    inner = estimator.get_params(deep=True).get(name) if rest else None
    if inner is None or not hasattr(inner, "get_params"):
        return estimator, param
    return tuned_leaf(inner, rest)


def in_an_ensemble(estimator, param):
    """Whether the tuned parameter is that of a member of an ensemble."""
    name, _, rest = param.partition("__")
    wrapper = nested_family(estimator)
    if rest and wrapper is not None and wrapper.param == name:
        return True
    inner = estimator.get_params(deep=True).get(name) if rest else None
    return hasattr(inner, "get_params") and in_an_ensemble(inner, rest)


def family_of(estimator, param):
    """The family of a parameter at any depth, or None."""
    return find_family(*tuned_leaf(estimator, param))


def rows_before(estimator, param, X, y, weight, *, scaled=True):
    """X and y as they reach the estimator that has the tuned parameter.

    Steps before it are fitted on all rows.

    Parameters
    ----------
    estimator, param, X, y, weight
        As `make_path` takes them.
    scaled : bool, default=True
        False passes by scalers, where the kind of rows matters and not their size.

    Returns
    -------
    leaf : estimator
    X : container of n rows
    y : ndarray
    """
    name, _, rest = param.partition("__")
    if rest and isinstance(estimator, Pipeline):
        names = [one for one, _ in estimator.steps]
        place = names.index(name) if name in names else 0
        before = estimator.steps[:place]
        asked = scaled or any(type(step) is not StandardScaler for _, step in before)
        if before and asked:
            before = clone(estimator[:place])
            own = weight if accepts_weights(before) else None
            X = fit_transform_all(before, X, y, own)
        return rows_before(estimator.steps[place][1], rest, X, y, weight)
    if rest and isinstance(estimator, TransformedTargetRegressor):
        _, y = transformed_target(estimator, y)
        return rows_before(estimator.regressor, rest, X, y, weight)
    wrapper = nested_family(estimator)
    if rest and wrapper is not None and wrapper.param == name:
        return rows_before(wrapper.inner(estimator), rest, X, y, weight)
    if rest:
        inner = estimator.get_params(deep=True).get(name)
        if hasattr(inner, "get_params"):
            if isinstance(estimator, ColumnTransformer):
                X = _columns_for(estimator, name, X)
            return rows_before(inner, rest, X, y, weight)
    return estimator, X, y


def _columns_for(estimator, name, X):
    """The columns that a ColumnTransformer gives to one of its transformers."""
    known = {one: columns for one, _, columns in estimator.transformers}
    if name not in known:  # that of the remainder
        return X
    one = ColumnTransformer([(name, "passthrough", known[name])])
    return one.fit_transform(X)


def known_parameters():
    """Every registered estimator and parameter, for messages."""
    found = []
    for family in registered_families():
        kind = family.estimator
        name = kind.__name__ if isinstance(kind, type) else kind.rpartition(".")[2]
        found.append(f"{name}.{family.param}")
    return sorted(found)


def nested_path_family(estimator, param, X, y, weight, values):
    """The family of a wrapper that fits a path over a nested parameter, or None.

    Parameters
    ----------
    estimator, param, X, y, weight, values
        As `make_path` takes them.
    """
    name, _, rest = param.partition("__")
    wrapper = nested_family(estimator) if rest else None
    if wrapper is None or wrapper.param != name:
        return None
    reason = wrapper.unsupported(estimator, rest, X, y, weight, values)
    return wrapper if reason is None else None


def offers_out_of_bag(estimator, param, X, y, weight, values):
    """Whether an estimator can be scored out of bag at all values of a parameter.

    Parameters
    ----------
    estimator, param, X, y, weight, values
        As `make_path` takes them.
    """
    if "__" in param:
        wrapper = nested_path_family(estimator, param, X, y, weight, values)
        return wrapper is not None and wrapper.out_of_bag(estimator)
    family = find_family(estimator, param)
    if family is None or not family.fits_paths or not family.out_of_bag(estimator):
        return False
    return family.unsupported(estimator, X, y, weight, values) is None


def serving_family(estimator, param, X, y, weight, values, before=None):
    """The family that fits the path of an estimator on rows like these, or None.

    Parameters
    ----------
    estimator, param, X, y, weight, values
        As `make_path` takes them.
    before : tuple, default=None
        What `rows_before` returned; None asks it.
    """
    family = family_of(estimator, param)
    if family is None or not family.fits_paths or works_in_place(estimator):
        return None
    if not _leads_down(estimator, param, X, y, weight, values, family):
        return None
    own = weight if accepts_weights(estimator) else None
    if before is None:
        before = rows_before(estimator, param, X, y, own, scaled=False)
    reason = family.unsupported(*before, own, values)
    return family if reason is None else None


def _leads_down(estimator, param, X, y, weight, values, family):
    """Whether paths go through everything that holds the tuned estimator."""
    name, _, rest = param.partition("__")
    if not rest:
        return not family.transforms
    if type(estimator) is TransformedTargetRegressor:
        inner = estimator.regressor
    elif type(estimator) is Pipeline and not estimator.transform_input:
        inner = dict(estimator.steps).get(name)
        if name != estimator.steps[-1][0]:
            return family.transforms and "__" not in rest
    else:
        found = nested_path_family(estimator, param, X, y, weight, values)
        return found is not None
    return _leads_down(inner, rest, X, y, weight, values, family)


def exactness_of(family, estimator, param):
    """How exact a family is for an estimator, by its settings."""
    after = _steps_after(estimator, param)
    if after is not None and hasattr(family, "exactness_before"):
        return family.exactness_before(after)
    leaf, _ = tuned_leaf(estimator, param)
    own = getattr(family, "exactness_for", None)
    return family.exactness if own is None else own(leaf)


def _steps_after(estimator, param):
    """The steps after the tuned one in its pipeline, or None where there are none."""
    name, _, rest = param.partition("__")
    wrapper = nested_family(estimator)
    if rest and wrapper is not None and wrapper.param == name:
        return _steps_after(wrapper.inner(estimator), rest)
    inner = estimator.get_params(deep=True).get(name) if rest else None
    if not hasattr(inner, "get_params"):
        return None
    if "__" in rest or not isinstance(estimator, Pipeline):
        return _steps_after(inner, rest)
    place = [one for one, _ in estimator.steps].index(name)
    after = estimator.steps[place + 1 :]
    return Pipeline(after) if after else None
