"""Filling missing values, and saying how sure that is."""

from genestimators.imputation._donor_imputer import DonorImputer
from genestimators.imputation._gaussian_imputer import GaussianImputer
from genestimators.imputation._multiple import (
    MultipleImputationClassifier,
    MultipleImputationRegressor,
)
from genestimators.imputation._pool import PooledEstimate, pool
from genestimators.imputation.report import (
    ImputationReport,
    ImputationReportDisplay,
    imputation_report,
)

__all__ = [
    "DonorImputer",
    "GaussianImputer",
    "ImputationReport",
    "ImputationReportDisplay",
    "MultipleImputationClassifier",
    "MultipleImputationRegressor",
    "PooledEstimate",
    "imputation_report",
    "pool",
]
