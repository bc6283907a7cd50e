"""Kernel ridge regression: every alpha from one eigendecomposition."""
