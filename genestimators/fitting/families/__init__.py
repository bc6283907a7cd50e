"""The families of this library, one module each; importing it registers them."""

from genestimators.fitting.families import (
    _boosting,
    _boosting_libraries,
    _components,
    _discriminant,
    _epochs,
    _feature_count,
    _forest,
    _glm,
    _kernel_ridge,
    _lasso,
    _logistic,
    _neighbors,
    _ridge,
    _svm,
    _tree,
)

__all__ = [
    "_boosting",
    "_boosting_libraries",
    "_components",
    "_discriminant",
    "_epochs",
    "_feature_count",
    "_forest",
    "_glm",
    "_kernel_ridge",
    "_lasso",
    "_logistic",
    "_neighbors",
    "_ridge",
    "_svm",
    "_tree",
]
