"""Rows with some columns replaced, in X's own container, and which rows donate."""

from numbers import Real

import numpy as np
from scipy import sparse

from genestimators._inputs import frame_columns, is_frame, take_columns, take_rows

MOST_NUMBERS = 2**22  # in the stacked rows of one call of `predict`


def donors_of(rng, size, n_rows, share=None):
    """The rows that give each row its new value, a few times over.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
    n_rows : int
    share : ndarray of shape (n_rows,) or None
        Weights that sum to 1. None gives permutations; else rows donate nearly as
        often as n_rows times their share, exactly so on average.

    Returns
    -------
    donors : ndarray of shape (size, n_rows), int
    """
    donors = np.tile(np.arange(n_rows), (size, 1))
    if share is not None:
        places = (donors + rng.random((size, 1))) / n_rows
        donors = np.searchsorted(np.cumsum(share), places, side="right")
        donors = np.minimum(donors, n_rows - 1)
    return rng.permuted(donors, axis=1)


def batches(n_repeats, n_rows, n_columns):
    """Slices of repeats whose stacked rows fit into memory together."""
    step = max(1, MOST_NUMBERS // max(1, n_rows * n_columns))
    for start in range(0, n_repeats, step):
        yield slice(start, min(start + step, n_repeats))


def with_donated(X, columns, donors):
    """Stacked copies of X, the given columns of each taken from other rows.

    Parameters
    ----------
    X : container of n rows
        Array, sparse CSC matrix or frame.
    columns : ndarray of int
        They move together.
    donors : ndarray of shape (n_repeats, n), int

    Returns
    -------
    copies : container of n_repeats * n rows
        Cells keep their dtypes. Sparse copies are CSR, and are not densified.
    """
    here = np.tile(np.arange(donors.shape[1]), len(donors))
    there = donors.ravel()
    if sparse.issparse(X):
        order = np.argsort(np.r_[np.delete(np.arange(X.shape[1]), columns), columns])
        kept = np.delete(np.arange(X.shape[1]), columns)
        moved = [X[:, kept].tocsr()[here], X[:, columns].tocsr()[there]]
        return sparse.hstack(moved, format="csc")[:, order].tocsr()
    return with_values(
        take_rows(X, here), columns, take_columns(take_rows(X, there), columns)
    )


def with_values(X, columns, values):
    """X with some columns replaced; X is not used after, and may be written to.

    Parameters
    ----------
    X : container of n rows
        Array or frame.
    columns : ndarray of int
    values : ndarray or frame of shape (n, n_replaced)

    Returns
    -------
    X : container of the same kind
    """
    if isinstance(X, np.ndarray):
        X[:, columns] = values
        return X
    for place, column in enumerate(map(int, columns)):
        value = values[:, place] if isinstance(values, np.ndarray) else None
        if hasattr(X, "isetitem"):  # pandas
            X.isetitem(column, values.iloc[:, place].array if value is None else value)
        elif hasattr(X, "get_columns"):  # polars
            old = X.get_columns()[column]
            new = values.get_columns()[place] if value is None else value
            X = X.with_columns(new if value is None else type(old)(old.name, value))
        else:  # pyarrow
            new = values.column(place) if value is None else [value]
            X = X.set_column(column, X.column_names[column], new)
    return X


def rows_to_donate(X):
    """X in the form `with_donated` wants: sparse matrices by columns."""
    return X.tocsc() if sparse.issparse(X) else X


def numbers_of(X):
    """The cells of an array or a frame as float64, or None if they are no numbers.

    Categories and text are no numbers, even if they look like it.
    """
    if sparse.issparse(X):
        return None
    parts = frame_columns(X)
    if parts is None:
        parts = [np.asarray(X)]
    elif hasattr(X, "iloc") and any(
        hasattr(X.iloc[:, column], "cat") for column in range(X.shape[1])
    ):
        return None
    if not all(_is_numeric(part) for part in parts):
        return None
    if not is_frame(X):
        return parts[0].astype(np.float64)
    return np.column_stack([part.astype(np.float64) for part in parts])


def _is_numeric(cells):
    if cells.dtype.kind == "O":
        return all(isinstance(cell, Real | np.bool_) for cell in cells.ravel())
    return cells.dtype.kind in "fiub"


def like(X, values):
    """An array as a container of X's kind, or None where that is not known."""
    if isinstance(X, np.ndarray):
        dtype = X.dtype if X.dtype.kind == "f" else np.float64
        return values.astype(dtype, copy=False)
    if hasattr(X, "iloc"):
        return type(X)(values, columns=X.columns)
    if hasattr(X, "get_columns"):
        return type(X)(values, schema=list(X.columns))
    return None
