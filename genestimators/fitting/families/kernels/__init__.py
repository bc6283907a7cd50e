"""Kernel ridge regression and support vector machines."""

from genestimators.fitting.families.kernels import _kernel_ridge, _svm

__all__ = ["_kernel_ridge", "_svm"]
