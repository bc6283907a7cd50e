"""Fit one estimator over draws x values."""

from genestimators.fitting._generic import FittedDraw, fit_over
from genestimators.fitting._precision import working_precision
from genestimators.fitting._responses import Response, response_kind

__all__ = ["FittedDraw", "Response", "fit_over", "response_kind", "working_precision"]
