"""Ridge regression, the lasso and the elastic net, and what they are made of."""

from genestimators.fitting.families.linear import (
    _lasso,
    _lasso_members,
    _linear_members,
    _ridge,
)

__all__ = ["_lasso", "_lasso_members", "_linear_members", "_ridge"]
