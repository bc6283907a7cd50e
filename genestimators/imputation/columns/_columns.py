"""What the columns of X are, and X as a table of numbers and codes of levels."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from genestimators._inputs import (
    as_container,
    column_names,
    frame_columns,
    is_frame,
    is_missing,
)
from genestimators.imputation.columns._cells import refuse_unwritable
from genestimators.imputation.columns._levels import Levels

_DATES = (
    "X must hold numbers, text or categories. Got a column of dates or times ({}); "
    "make numbers of it, such as days since some date."
)


def refuse_sparse(owner, X):
    """Raise for sparse X, in which what is not stored is zero and not missing."""
    if sparse.issparse(X):
        raise TypeError(
            f"{owner} takes no sparse X, since the filled table is dense; pass "
            "X.toarray() if it fits into memory. "
            f"Got a sparse {X.format} container of shape {X.shape}."
        )


def read(estimator, X, *, reset):
    """Check X, for `fit` (`reset`) or for `transform`.

    Parameters
    ----------
    estimator : estimator
        It gets `n_features_in_` and `feature_names_in_`, or is asked for them, and for
        `_levels`.
    X : array-like or frame of shape (n_samples, n_features)
    reset : bool

    Returns
    -------
    X : ndarray of floats, or the container with columns of levels in it
    parts : list of (ndarray, bool) or None
        Its columns and whether each holds levels, where some do.
    """
    owner = type(estimator).__name__
    refuse_sparse(owner, X)
    if isinstance(X, np.ma.MaskedArray):
        X = _nan_where_masked(X)
    names = getattr(estimator, "feature_names_in_", None)
    container = as_container(X)
    parts = _columns_with_levels(container, fitting=reset)
    wants = not reset and bool(estimator._levels)
    if parts is None and not wants:
        return (
            validate_data(
                estimator,
                _nan_for_missing(X, container),
                dtype=[np.float64, np.float32],
                ensure_all_finite="allow-nan",
                reset=reset,
            ),
            None,
        )
    if not reset and not wants:
        _refuse_levels(parts, names)
    refuse_unwritable(container)
    validate_data(estimator, container, skip_check_array=True, reset=reset)
    if parts is None:
        parts = _all_columns(container)
    if len(parts[0][0]) == 0:
        raise ValueError(
            "Found array with 0 sample(s) while a minimum of 1 is required by "
            f"{owner}; pass X with rows."
        )
    return container, parts


def levels_of(parts, weight, names):
    """The levels of the columns that hold some.

    Parameters
    ----------
    parts : list of (ndarray, bool) or None
        As `read` returns them.
    weight : ndarray of shape (n,)
    names : sequence
        Of the columns.

    Returns
    -------
    levels : dict of Levels
        By position of the column; empty if all columns hold numbers.
    """
    used = weight > 0
    return {
        j: Levels(_objects(values)[used], weight[used], names[j])
        for j, (values, is_levels) in enumerate(parts or ())
        if is_levels
    }


def table_of(X, parts, levels, names):
    """X as numbers and codes.

    Parameters
    ----------
    X, parts
        As `read` returns them.
    levels : dict of Levels
        By position of the column.
    names : sequence

    Returns
    -------
    table : ndarray of shape (n, n_features), float64
        NaN where missing.
    """
    if parts is None:
        return np.array(X, dtype=np.float64)  # which will be written into
    out = np.empty((len(parts[0][0]), len(parts)))
    for j, (values, is_levels) in enumerate(parts):
        if j in levels:
            if not is_levels and not _all_missing(values):
                raise TypeError(
                    f"Column {names[j]!r} must hold levels (text or categories), as it "
                    f"did in fit. Got numbers such as {_first(values)!r}; pass the "
                    "column as it was."
                )
            out[:, j] = levels[j].encode(_objects(values))
        else:
            out[:, j] = _numbers(values, is_levels, names[j])
    if np.isinf(out).any():
        j = int(np.flatnonzero(np.isinf(out).any(axis=0))[0])
        raise ValueError(
            "X must hold finite numbers or missing values. Got infinity in column "
            f"{names[j]!r}; replace it by NaN if the value is not known."
        )
    return out


def _nan_where_masked(X):
    """A plain array; what is masked is missing."""
    cells = np.array(X.data, dtype=float if X.dtype.kind in "iub" else None)
    if np.ma.is_masked(X):
        cells = cells.astype(object) if cells.dtype.kind in "US" else cells
        cells[np.ma.getmaskarray(X)] = np.nan
    return cells


def _nan_for_missing(X, container):
    """X in which pandas' NA among objects is NaN, which can be made a float."""
    if isinstance(container, np.ndarray) and container.dtype == object:
        return _nan_among(container)
    if not hasattr(container, "iloc"):
        return X
    out = container
    for j, dtype in enumerate(container.dtypes):
        objects = isinstance(dtype, np.dtype) and dtype.kind == "O"
        if objects or dtype.type is str:  # text without any, which is all missing
            out = container.copy(deep=False) if out is container else out
            cells = container.iloc[:, j].to_numpy(dtype=object)
            out.isetitem(j, _nan_among(cells))
    return out


def _nan_among(cells):
    out = cells.copy()
    flat = [
        np.nan if np.ndim(cell) == 0 and is_missing(cell) else cell
        for cell in cells.ravel().tolist()
    ]
    out.ravel()[:] = flat
    return out.reshape(cells.shape)


def _columns_with_levels(X, fitting):
    """Each column with whether it holds levels; None if all hold numbers.

    In fit, columns of a frame without a value that may hold text hold levels: what is
    there later, as in the rows that a bootstrap sample leaves out, is more often text
    than numbers.
    """
    if is_frame(X):
        parts = _all_columns(X, fitting)
    elif isinstance(X, np.ndarray) and X.dtype.kind in "mM":
        raise TypeError(_DATES.format(X.dtype))
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUS":
        parts = _all_columns(X, fitting)
    else:
        return None
    return parts if any(is_levels for _, is_levels in parts) else None


def _all_columns(X, fitting=False):
    columns = frame_columns(X) if is_frame(X) else list(X.T)
    names = column_names(X) if is_frame(X) else range(len(columns))
    dtypes = list(X.dtypes) if hasattr(X, "dtypes") else [None] * len(columns)
    return [
        (
            column,
            _holds_levels(column, dtype, name)
            or (fitting and _may_be_text(column, dtype)),
        )
        for column, dtype, name in zip(columns, dtypes, names, strict=True)
    ]


def _holds_levels(column, dtype, name):
    """Whether a column is one of categories or holds text."""
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        # pandas makes integers of them, which no category equals.
        if getattr(getattr(categories, "dtype", None), "kind", "O") in "mM":
            raise TypeError(_DATES.format(f"categories of {categories.dtype}"))
        return True
    temporal = getattr(dtype, "is_temporal", bool)()  # polars
    if temporal or column.dtype.kind in "mM" or getattr(dtype, "kind", "O") in "mM":
        raise TypeError(_DATES.format(dtype or column.dtype))
    if column.dtype.kind in "US":
        return True
    return column.dtype == object and _holds_text(column, name)


def _holds_text(cells, name):
    """Whether any cell is text; those before it must be numbers or missing."""
    for cell in cells.tolist():
        if isinstance(cell, (str, bytes)):
            return True
        if hasattr(type(cell), "__float__"):
            continue
        if np.ndim(cell) or not is_missing(cell):
            raise TypeError(
                f"Column {name!r} must hold numbers, text or categories. Got "
                f"{cell!r:.60} of type {type(cell).__name__}; make numbers of it, such "
                "as days since some date (argument must be a string or a number)."
            )
    return False


def _may_be_text(column, dtype):
    """Whether a column without text among its values may have some elsewhere."""
    to_python = getattr(dtype, "to_python", None)  # polars
    if getattr(dtype, "type", None) is str or (to_python and to_python() is str):
        return True
    # In an array every column is one of objects, which tells nothing.
    plain = isinstance(dtype, np.dtype) and dtype.kind == "O"
    return plain and _all_missing(column)


def _refuse_levels(parts, names):
    j = next(j for j, (_, is_levels) in enumerate(parts) if is_levels)
    name = j if names is None else names[j]
    raise ValueError(
        f"Column {name!r} must hold numbers, as it did in fit. Got levels such as "
        f"{_first(parts[j][0])!r}; pass the column as it was."
    )


def _objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values.tolist()
    return out


def _numbers(values, is_levels, name):
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    found = [np.nan if is_missing(value) else value for value in values.tolist()]
    try:
        if is_levels:
            raise TypeError
        return np.array(found, dtype=np.float64).reshape(len(values))
    except (TypeError, ValueError) as exc:
        raise TypeError(
            f"Column {name!r} must hold numbers, as it did in fit, or text alone. Got "
            f"{_first(values)!r} (argument must be a string or a number)."
        ) from exc


def _all_missing(values):
    return all(is_missing(value) for value in values.tolist())


def _first(values):
    return next((v for v in values.tolist() if not is_missing(v)), None)


def kinds_of(X):
    """Whether each column of an array or a frame holds levels."""
    parts = _columns_with_levels(X, fitting=True)
    if parts is None:
        return [False] * X.shape[1]
    return [is_levels for _, is_levels in parts]


def values_of(X, kinds, names):
    """The columns of an array or a frame, each of a kind that is known.

    Parameters
    ----------
    X : ndarray or frame of shape (n, n_features)
    kinds : sequence of bool
        Which hold levels.
    names : sequence

    Returns
    -------
    columns : list of ndarray of shape (n,)
        Floats, NaN where missing; objects where they are levels.
    """
    columns = frame_columns(X) if is_frame(X) else list(X.T)
    return [
        _objects(values) if is_levels else _numbers(values, False, name)
        for values, is_levels, name in zip(columns, kinds, names, strict=True)
    ]
