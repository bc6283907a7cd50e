"""The families of this library; importing it registers them.

A folder for each kind of estimator of which there are several, else a module.
"""

from genestimators.fitting.families import (
    _components,
    _directions,
    _discriminant,
    _discriminant_members,
    _epochs,
    _feature_count,
    _naive_bayes,
    _naive_bayes_members,
    _neighbor_limit,
    _neighbors,
    _quadratic_members,
    generalized_linear,
    kernels,
    linear,
    trees,
)

__all__ = [
    "_components",
    "_directions",
    "_discriminant",
    "_discriminant_members",
    "_epochs",
    "_feature_count",
    "_naive_bayes",
    "_naive_bayes_members",
    "_neighbor_limit",
    "_neighbors",
    "_quadratic_members",
    "generalized_linear",
    "kernels",
    "linear",
    "trees",
]
