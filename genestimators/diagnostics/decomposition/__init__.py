"""The expected loss in parts: bias, variance, and what averaging takes away."""

from genestimators.diagnostics.decomposition._bias_variance import (
    bias_variance_decomposition,
)
from genestimators.diagnostics.decomposition._decomposition import (
    BiasVarianceDecomposition,
)
from genestimators.diagnostics.decomposition._display import BiasVarianceDisplay
from genestimators.diagnostics.decomposition._ensemble import (
    EnsembleDecomposition,
    ensemble_decomposition,
)

__all__ = [
    "BiasVarianceDecomposition",
    "BiasVarianceDisplay",
    "EnsembleDecomposition",
    "bias_variance_decomposition",
    "ensemble_decomposition",
]
