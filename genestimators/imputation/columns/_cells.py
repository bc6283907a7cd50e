"""Writing what was filled into the container that came.

What type a column has afterwards depends on its type before and on the fit, and never
on which rows were missing: else batches of the same table would not go together.
"""

import numpy as np

from genestimators._inputs import is_frame, is_missing


def refuse_unwritable(X):
    """Raise for frames with text or categories whose cells cannot be replaced."""
    if is_frame(X) and not (hasattr(X, "iloc") or hasattr(X, "get_columns")):
        raise TypeError(
            "X with columns of text or categories must be an array or a frame of "
            f"pandas or polars. Got {type(X).__name__}; convert it to one of these."
        )


def own_copy(X):
    """X whose cells may be replaced without changing the caller's."""
    return X.copy() if isinstance(X, np.ndarray) else X


def replace_cells(X, j, rows, values, levels):
    """A container like X in which some cells of a column have other values.

    Parameters
    ----------
    X : frame or object ndarray
        An array is written into.
    j : int
    rows : ndarray of shape (n,), int
        May be none.
    values : list of n
    levels : list or None
        What a column of levels may hold, None for numbers; with none of them columns
        keep their types.

    Returns
    -------
    X : container
    """
    if hasattr(X, "iloc"):
        return _replace_in_pandas(X, j, rows, values, levels)
    if hasattr(X, "get_columns"):
        return _replace_in_polars(X, j, rows, values, levels)
    if levels and X.dtype.kind in "fiub":
        X = X.astype(object)  # levels are all missing in it, as in a single row
    if len(rows):
        X[rows, j] = values
    return X


def _replace_in_pandas(X, j, rows, values, levels):
    before = column = X.iloc[:, j]
    if hasattr(column, "sparse"):
        column = column.sparse.to_dense()
    if hasattr(column, "cat"):
        new = _others(levels or [], column.cat.categories)
        if new:
            column = column.cat.add_categories(new)
    elif levels:
        if column.dtype != np.dtype(object) and column.dtype.type is not str:
            column = column.astype(object)  # all are missing, as in a single row
    elif levels is None and column.dtype.kind not in (
        "fiub" if _is_plain(column) else "f"
    ):
        column = _of_floats(column)  # nullable integers and objects take no mean
    if len(rows):
        if _is_plain(column) and column.dtype.kind == "f":
            values = np.array(values, dtype=column.dtype)
        column = column.copy()
        column.iloc[rows] = values
    if column is before:
        return X
    X = X.copy(deep=False)
    X.isetitem(j, column)
    return X


def _is_plain(column):
    """Whether a column of pandas is one of numpy's types."""
    return isinstance(column.dtype, np.dtype)


def _of_floats(column):
    """A column of numbers as one of floats, NaN where missing."""
    cells = column.to_numpy(dtype=object).tolist()
    floats = [np.nan if is_missing(cell) else cell for cell in cells]
    series = type(column)
    return series(np.array(floats, np.float64), index=column.index, name=column.name)


def _replace_in_polars(X, j, rows, values, levels):
    import polars as pl

    before = column = X.to_series(j)
    if levels is None and not column.dtype.is_float():
        column = column.cast(pl.Float64)  # any column may miss values, now or later
    if levels and (column.dtype.is_numeric() or column.dtype == pl.Null):
        column = pl.Series(column.name, [None] * len(column), dtype=pl.String)
    dtype = column.dtype
    if isinstance(dtype, pl.Enum):
        new = _others(levels or [], dtype.categories.to_list())
        if new:
            dtype = pl.Enum([*dtype.categories.to_list(), *new])
            column = column.cast(dtype)
    if len(rows):
        items = column.to_list()
        for row, value in zip(rows.tolist(), values, strict=True):
            items[row] = value
        column = pl.Series(column.name, items, dtype=dtype)
    return X if column is before else X.with_columns(column)


def _others(levels, known):
    """Levels that a type of categories does not know."""
    known = set(known)
    return [level for level in levels if level not in known]


def append_columns(X, table, names):
    """A container with columns of numbers after its own.

    Parameters
    ----------
    X : frame or ndarray of shape (n, p)
    table : ndarray of shape (n, k), float64
    names : sequence of k
        That no column has.

    Returns
    -------
    X : container of shape (n, p + k)
    """
    if not table.shape[1]:
        return X
    if hasattr(X, "iloc"):
        X = X.copy(deep=False)
        below = ("",) * (X.columns.nlevels - 1)
        for name, column in zip(names, table.T, strict=True):
            X[(name, *below) if below else name] = column
        return X
    if hasattr(X, "get_columns"):  # polars
        series = type(X.to_series(0))
        return X.with_columns(
            [series(name, column) for name, column in zip(names, table.T, strict=True)]
        )
    kind = X.dtype if X.dtype.kind == "f" else object
    return np.concatenate([X, table.astype(kind, copy=False)], axis=1)


def append_masks(X, masks, names):
    """A container with masks as further columns.

    Parameters
    ----------
    X : frame or object ndarray
    masks : bool ndarray of shape (n, n_masks)
    names : sequence of str
        Of all columns, those of the masks last; none twice among the masks.

    Returns
    -------
    X : container
    """
    own = names[len(names) - masks.shape[1] :]
    X = append_columns(X, masks.astype(np.float64), own)
    if hasattr(X, "iloc") and not all(isinstance(name, str) for name in X.columns):
        return X.set_axis(names, axis=1)  # an estimator takes no names of two kinds
    return X
