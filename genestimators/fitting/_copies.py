"""Estimators that were told to work in place get rows of their own."""

import numpy as np

from genestimators._inputs import n_rows_of, take_rows


def works_in_place(estimator):
    """Whether an estimator, or one nested in it, was told not to copy X."""
    if not hasattr(estimator, "get_params"):
        return False
    return any(
        value is False and name.rpartition("__")[2].startswith("copy")
        for name, value in estimator.get_params(deep=True).items()
    )


def copy_rows(X):
    """A copy of X, in its own container."""
    return take_rows(X, np.arange(n_rows_of(X)))
