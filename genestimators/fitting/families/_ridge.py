"""Ridge regression and classification: every alpha from one eigendecomposition."""
