"""Limits to the growth of trees, alone and in ensembles, that are fitted singly.

Which way a limit penalises is a matter of trees, whatever holds them; the range worth
trying is not.
"""

from genestimators.fitting.families._directions import Direction

# Which values penalise more, and the least that is allowed.
_LIMITS = {
    "max_depth": ("smaller", 1),
    "max_leaf_nodes": ("smaller", 2),
    "max_features": ("smaller", 1),
    "min_samples_leaf": ("larger", 1),
    "min_samples_split": ("larger", 2),
}


def growth_limit(estimator, param, values, default_range):
    """The family of a limit whose values are fitted one by one.

    Parameters
    ----------
    estimator : type
    param : str
        One of `_LIMITS`.
    values : callable
        `values(estimator, X, y)` gives the default values.
    default_range : str
        They in words.

    Returns
    -------
    family : Direction
    """
    stronger, least = _LIMITS[param]
    return Direction(
        estimator,
        param,
        values,
        default_range,
        stronger=stronger,
        scale="integer",
        preferred=False,
        limits=(least,),
    )
