"""Selecting the features that generalise."""

from genestimators.selection._display import SelectionDisplay
from genestimators.selection._stable_selector import StableFeatureSelector
from genestimators.selection.error_control._stability import (
    Stability,
    StabilityDifference,
    compare_stability,
    selection_stability,
)
from genestimators.selection.importances._conditional import conditional_importance
from genestimators.selection.importances._conditional_result import (
    ConditionalImportance,
)
from genestimators.selection.knockoffs._selector import KnockoffSelector

__all__ = [
    "ConditionalImportance",
    "KnockoffSelector",
    "SelectionDisplay",
    "Stability",
    "StabilityDifference",
    "StableFeatureSelector",
    "compare_stability",
    "conditional_importance",
    "selection_stability",
]
