"""Methods and tags that a wrapper takes from its estimator."""

from copy import deepcopy

from sklearn.utils import get_tags


def tags_of(estimator):
    """The tags of an estimator, or None for an object that has none."""
    try:
        return get_tags(estimator)
    except (AttributeError, TypeError):
        return None


def inherit_tags(tags, estimator):
    """Give a wrapper's tags what depends on the wrapped estimator."""
    inner = tags_of(estimator)
    if inner is None:
        return tags
    tags.input_tags = deepcopy(inner.input_tags)
    steps = pipeline_steps(estimator)
    if steps:
        tags.input_tags.allow_nan = _steps_allow_nan(step for _, step in steps)
    tags.target_tags.multi_output = inner.target_tags.multi_output
    tags.target_tags.single_output = inner.target_tags.single_output
    tags.target_tags.positive_only = inner.target_tags.positive_only
    for kind in ("classifier_tags", "regressor_tags"):
        ours, theirs = getattr(tags, kind), getattr(inner, kind)
        if ours is not None and theirs is not None:
            setattr(tags, kind, deepcopy(theirs))
    tags.array_api_support = False
    return tags


def pipeline_steps(estimator):
    """The named steps of a pipeline that fit something, or None for other things."""
    steps = getattr(estimator, "steps", None)
    if not isinstance(steps, list) or not hasattr(estimator, "named_steps"):
        return None
    return [
        (name, step)
        for name, step in steps
        if step is not None and not isinstance(step, str)
    ]


def _steps_allow_nan(steps):
    """Whether a pipeline takes NaN: its steps do, up to one that fills them in."""
    for step in steps:
        tags = tags_of(step)
        if tags is None or not tags.input_tags.allow_nan:
            return False
        if _fills(step):
            return True
    return True


def _fills(value):
    """Whether something is an estimator that leaves no value missing."""
    if isinstance(value, type) or not hasattr(value, "get_params"):
        return False
    return getattr(value, "_fills_missing", False) or (
        "missing_values" in value.get_params(deep=False)
    )


def random_state_parameters(estimator):
    """Names of every `random_state` parameter, nested ones included, in order."""
    if not hasattr(estimator, "get_params"):
        return []
    return sorted(
        name
        for name in estimator.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    )


class DocLink:
    """Links the "?" of the HTML representation to this library's documentation."""

    _doc_link_module = "genestimators"
    _doc_link_template = (
        "https://genestimators.readthedocs.io/en/latest/api/generated/"
        "genestimators.{name}.html"
    )

    def _doc_link_url_param_generator(self):
        return {"name": type(self).__name__}


def fills_missing(estimator):
    """Whether an estimator is made of others, one of which fills missing values.

    The tags of a composite say that it takes none if a later step does not.
    """
    return any(_fills(value) for value in estimator.get_params(deep=True).values())
