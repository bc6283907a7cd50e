"""Ridge regression, the lasso and the elastic net, and what they are made of."""

from genestimators.fitting.families.linear import _lasso, _ridge

__all__ = ["_lasso", "_ridge"]
