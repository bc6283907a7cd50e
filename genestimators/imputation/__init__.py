"""Filling missing values, and saying how sure that is."""

from genestimators.imputation._gaussian_imputer import GaussianImputer

__all__ = ["GaussianImputer"]
