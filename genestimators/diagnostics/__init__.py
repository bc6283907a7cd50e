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
from genestimators.diagnostics._forecast import (
    LearningCurveForecast,
    learning_curve_forecast,
)
from genestimators.diagnostics._forecast_display import LearningCurveForecastDisplay
from genestimators.diagnostics._gap_display import GeneralizationGapDisplay
from genestimators.diagnostics.error import GeneralizationError, generalization_error
from genestimators.diagnostics.report import (
    GeneralizationReport,
    Statement,
    generalization_report,
)

__all__ = [
    "BiasVarianceDecomposition",
    "BiasVarianceDisplay",
    "CorrectedScore",
    "EnsembleDecomposition",
    "GeneralizationError",
    "GeneralizationGapDisplay",
    "GeneralizationReport",
    "LearningCurveForecast",
    "LearningCurveForecastDisplay",
    "ModelComparison",
    "Statement",
    "bias_variance_decomposition",
    "compare_models",
    "ensemble_decomposition",
    "generalization_error",
    "generalization_report",
    "learning_curve_forecast",
    "selection_corrected_score",
]
