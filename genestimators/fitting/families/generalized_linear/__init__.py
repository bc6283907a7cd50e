"""Logistic, Poisson, gamma and Tweedie regression by Newton's method."""

from genestimators.fitting.families.generalized_linear import (
    _glm,
    _logistic,
    _newton_ensembles,
)

__all__ = ["_glm", "_logistic", "_newton_ensembles"]
