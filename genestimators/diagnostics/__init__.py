"""Whether a model over- or underfits, how sure that is, and what error to expect."""

from genestimators.diagnostics._compare import ModelComparison, compare_models
from genestimators.diagnostics._estimates_display import EstimatesDisplay
from genestimators.diagnostics.curves import (
    GeneralizationGapDisplay,
    LearningCurveForecast,
    LearningCurveForecastDisplay,
    learning_curve_forecast,
)
from genestimators.diagnostics.decomposition import (
    BiasVarianceDecomposition,
    BiasVarianceDisplay,
    EnsembleDecomposition,
    bias_variance_decomposition,
    ensemble_decomposition,
)
from genestimators.diagnostics.error import GeneralizationError, generalization_error
from genestimators.diagnostics.report import (
    GeneralizationReport,
    Statement,
    generalization_report,
)
from genestimators.diagnostics.tuning import CorrectedScore, selection_corrected_score

__all__ = [
    "BiasVarianceDecomposition",
    "BiasVarianceDisplay",
    "CorrectedScore",
    "EnsembleDecomposition",
    "EstimatesDisplay",
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
