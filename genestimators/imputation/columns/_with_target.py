"""X and y side by side, as an imputer that knows the target gets them."""

from numbers import Integral

import numpy as np

from genestimators._inputs import is_frame, take_columns
from genestimators.imputation.columns._cells import append_columns


def target_columns(y, classes):
    """y as columns of numbers: itself, or indicators of all classes but the first.

    Parameters
    ----------
    y : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,), or None for numbers

    Returns
    -------
    columns : ndarray of shape (n, k)
    """
    if classes is None:
        return y[:, None].astype(np.float64)
    return (y[:, None] == classes[1:]).astype(np.float64)


def beside(X, columns):
    """X with further columns after its own, in its own container.

    Parameters
    ----------
    X : ndarray or frame of shape (n, p)
    columns : ndarray of shape (n, k)

    Returns
    -------
    X : container of shape (n, p + k)
    """
    names = None
    if is_frame(X):
        names = _new_names(list(X.columns), columns.shape[1])
    return append_columns(X, columns, names)


def without(X, first, n_columns):
    """X without some consecutive columns."""
    kept = [j for j in range(X.shape[1]) if not first <= j < first + n_columns]
    return take_columns(X, kept)


def _new_names(taken, n_names):
    """Names that no column has, of text if the others are."""
    if not all(isinstance(name, str) for name in taken):
        first = 1 + max((n for n in taken if isinstance(n, Integral)), default=0)
        return list(range(first, first + n_names))
    prefix = "target"
    while any(name.startswith(prefix) for name in taken):
        prefix += "_"
    return [f"{prefix}{k}" for k in range(n_names)]
