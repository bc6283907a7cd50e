"""Choosing the penalty strength of an estimator."""

from genestimators.regularization._auto import AutoRegularizedCV
from genestimators.regularization._choice import Choice
from genestimators.regularization._curve import Curve
from genestimators.regularization._display import RegularizationDisplay

__all__ = ["AutoRegularizedCV", "Choice", "Curve", "RegularizationDisplay"]
