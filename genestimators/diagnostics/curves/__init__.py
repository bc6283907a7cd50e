"""Scores against the number of training rows."""

from genestimators.diagnostics.curves._forecast import (
    LearningCurveForecast,
    learning_curve_forecast,
)
from genestimators.diagnostics.curves._forecast_display import (
    LearningCurveForecastDisplay,
)
from genestimators.diagnostics.curves._gap_display import GeneralizationGapDisplay

__all__ = [
    "GeneralizationGapDisplay",
    "LearningCurveForecast",
    "LearningCurveForecastDisplay",
    "learning_curve_forecast",
]
