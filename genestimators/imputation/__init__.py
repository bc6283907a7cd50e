"""Filling missing values, and saying how sure that is."""

from genestimators.imputation._donor_imputer import DonorImputer
from genestimators.imputation._gaussian_imputer import GaussianImputer
from genestimators.imputation._multiple import (
    MultipleImputationClassifier,
    MultipleImputationRegressor,
)
from genestimators.imputation._pool import PooledEstimate, pool

__all__ = [
    "DonorImputer",
    "GaussianImputer",
    "MultipleImputationClassifier",
    "MultipleImputationRegressor",
    "PooledEstimate",
    "pool",
]
