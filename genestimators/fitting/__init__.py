"""Fit one estimator over draws x values."""

from genestimators.fitting._copies import own_rows
from genestimators.fitting._generic import FittedDraw, fit_over
from genestimators.fitting._precision import working_precision
from genestimators.fitting._responses import LOG_FLOOR, Response, response_kind

__all__ = [
    "LOG_FLOOR",
    "FittedDraw",
    "Response",
    "fit_over",
    "own_rows",
    "response_kind",
    "working_precision",
]
