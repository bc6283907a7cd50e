"""A verdict on a model, with remedies."""

from genestimators.diagnostics.report._report import (
    GeneralizationReport,
    generalization_report,
)
from genestimators.diagnostics.report._verdict import Statement

__all__ = ["GeneralizationReport", "Statement", "generalization_report"]
