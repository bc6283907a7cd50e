"""How well values are filled in, by masking some that are known."""

from genestimators.imputation.report._display import ImputationReportDisplay
from genestimators.imputation.report._report import ImputationReport, imputation_report

__all__ = ["ImputationReport", "ImputationReportDisplay", "imputation_report"]
