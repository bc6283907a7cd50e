"""Fit one estimator over draws x values."""

from genestimators.fitting._copies import copy_rows, works_in_place
from genestimators.fitting._generic import FittedDraw, fit_over
from genestimators.fitting._precision import working_precision
from genestimators.fitting._responses import LOG_FLOOR, Response, response_kind

__all__ = [
    "LOG_FLOOR",
    "FittedDraw",
    "Response",
    "copy_rows",
    "fit_over",
    "response_kind",
    "working_precision",
    "works_in_place",
]
