"""Whether a model over- or underfits, how sure that is, and what error to expect."""

from genestimators.diagnostics._after_choice import CorrectedScore
from genestimators.diagnostics._bias_variance import bias_variance_decomposition
from genestimators.diagnostics._compare import ModelComparison, compare_models
from genestimators.diagnostics._corrected_score import selection_corrected_score
from genestimators.diagnostics._decomposition import BiasVarianceDecomposition
from genestimators.diagnostics._display import BiasVarianceDisplay
from genestimators.diagnostics._ensemble import (
    EnsembleDecomposition,
    ensemble_decomposition,
)

__all__ = [
    "BiasVarianceDecomposition",
    "BiasVarianceDisplay",
    "CorrectedScore",
    "EnsembleDecomposition",
    "ModelComparison",
    "bias_variance_decomposition",
    "compare_models",
    "ensemble_decomposition",
    "selection_corrected_score",
]
