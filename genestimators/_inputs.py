"""X, y, sample weights and groups: checks and row indexing.

Containers stay what they are: a frame reaches the wrapped estimator as a frame, a
list of texts as a list. What is in the cells (NaN, text, categories) is the wrapped
estimator's business; here only rows are counted and taken.
"""

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target


def is_frame(X):
    """Whether X is a data frame (pandas, polars) or a pyarrow table."""
    return hasattr(X, "columns") and hasattr(X, "shape") and not hasattr(X, "dtype")


def frame_columns(X):
    """The columns of a frame as numpy arrays, or None if X is no frame."""
    if not is_frame(X):
        return None
    if hasattr(X, "iloc"):
        return [_pandas_column(X.iloc[:, j]) for j in range(X.shape[1])]
    if hasattr(X, "get_columns"):  # polars
        return [_polars_column(column) for column in X.get_columns()]
    return [column.to_numpy() for column in X.columns]  # pyarrow


def _pandas_column(column):
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iufb" and not isinstance(column.dtype, np.dtype):  # nullable numbers
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if hasattr(column, "sparse"):
        return column.sparse.to_dense().to_numpy()
    return np.asarray(column.to_numpy())


def _polars_column(column):
    if column.dtype.is_numeric() and not column.dtype.is_decimal():
        return column.to_numpy()
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_list()
    return values


def n_rows_of(X):
    """Number of rows of any container."""
    if hasattr(X, "shape") and len(X.shape):
        return X.shape[0]
    return len(X)


def take_rows(X, rows):
    """The given rows of X, in the given order, in X's own container."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if sparse.issparse(X) or isinstance(X, np.ndarray):
        return X[rows]
    if hasattr(X, "get_columns"):  # polars
        return X[rows]
    if is_frame(X) and hasattr(X, "take"):  # pyarrow
        return X.take(rows)
    if hasattr(X, "__array__"):
        return np.asarray(X)[rows]
    return [X[i] for i in rows]


def take_columns(X, columns):
    """The given columns of X, in X's own container."""
    if hasattr(X, "iloc"):
        return X.iloc[:, columns]
    if hasattr(X, "get_columns"):  # polars
        return X[:, [int(j) for j in columns]]
    if is_frame(X) and hasattr(X, "select"):  # pyarrow
        return X.select([int(j) for j in columns])
    return X[:, columns]


def per_row_names(params, n_rows):
    """Names of arguments that hold one item for each row."""
    return tuple(
        name
        for name, value in params.items()
        if not isinstance(value, (str, bytes, dict))
        and (hasattr(value, "shape") or isinstance(value, (list, tuple)))
        and np.ndim(value) > 0
        and n_rows_of(value) == n_rows
    )


def named_column(X, name):
    """One column of X by its name (frames) or position, as a numpy array."""
    if isinstance(name, str):
        columns = frame_columns(X)
        names = column_names(X)
        if columns is None or name not in names:
            raise ValueError(
                f"A column named {name!r} is asked for, and X has no such column; pass "
                "a frame that has it, or the column's position. "
                f"Got columns {names!r}."
            )
        return columns[names.index(name)]
    columns = frame_columns(X)
    n_columns = np.shape(X)[1] if columns is None else len(columns)
    if not -n_columns <= name < n_columns:
        raise ValueError(
            f"A column at position {name} is asked for, and X has {n_columns} columns; "
            "pass one of theirs."
        )
    if sparse.issparse(X):
        return X.tocsc()[:, [name]].toarray().ravel()
    return np.asarray(X)[:, name] if columns is None else columns[name]


def column_names(X):
    """The names of the columns of a frame, or None if X is no frame."""
    if not is_frame(X):
        return None
    if hasattr(X, "column_names"):  # pyarrow
        return list(X.column_names)
    return list(X.columns)


def as_container(X):
    """X as it reaches the wrapped estimator: rows that can be taken.

    Nested lists of numbers become an array, sparse matrices become CSR; arrays,
    frames and sequences of other things (texts, token lists) stay what they are. Views
    of arrays that are strided are copied: on their way to another process they would
    be, and products with them may differ in their last bits.
    """
    if sparse.issparse(X):
        return X if X.format == "csr" else X.tocsr()
    if isinstance(X, np.matrix):
        raise TypeError(
            "X must not be a np.matrix, whose rows cannot be taken as rows; pass "
            f"np.asarray(X). Got a matrix of shape {X.shape}."
        )
    if isinstance(X, np.ndarray) or is_frame(X):
        if isinstance(X, np.ndarray) and X.ndim == 0:
            raise ValueError(f"X must hold rows. Got a scalar array instead: {X!r}.")
        if isinstance(X, np.ndarray) and not X.flags.forc:
            return X.copy()
        return X
    if hasattr(X, "__array__"):
        return np.asarray(X)
    if isinstance(X, (str, bytes)) or not hasattr(X, "__len__"):
        raise TypeError(
            "X must be an array, a sparse matrix, a frame or a sequence of rows. "
            f"Got {type(X).__name__} instead."
        )
    if len(X) and not isinstance(X[0], (str, bytes)):
        try:
            table = np.asarray(X)
        except ValueError:  # ragged: lists of tokens
            return X
        if table.dtype.kind in "fiubc":
            return table
        if table.ndim >= 2:  # cells of several kinds stay what they are
            return np.array(X, dtype=object)
    return X


def check_n_rows(X, *, minimum, name):
    """Refuse X with too few rows, in one sentence."""
    n_rows = n_rows_of(X)
    if n_rows == 0:
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of {minimum} is required "
            f"by {name}; pass X with rows."
        )
    if n_rows < minimum:
        raise ValueError(
            f"{name} needs at least {minimum} rows to resample. "
            f"Got n_samples = {n_rows}; fit the estimator itself instead."
        )
    return n_rows


def check_y(y, n_rows, *, classifier):
    """Check the target: its length, its kind, no missing numbers.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_outputs)
    """
    y = check_array(
        y,
        ensure_2d=False,
        dtype=None,
        input_name="y",
        ensure_min_samples=0,
        ensure_all_finite=True,
    )
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim not in (1, 2):
        raise ValueError(f"y must have one or two dimensions. Got shape {y.shape}.")
    if len(y) != n_rows:
        raise ValueError(
            f"X and y must have the same number of rows. Got {n_rows} and {len(y)}: "
            "inconsistent numbers of samples."
        )
    if classifier:
        _check_labels(y)
    elif y.dtype.kind not in "fiub":
        try:
            y = y.astype(np.float64)
        except (TypeError, ValueError) as exc:
            first = y.tolist()[0]
            raise ValueError(
                f"y must hold numbers for a regressor. Got {first!r} among others."
            ) from exc
        assert_all_finite(y, input_name="y")  # None among numbers is NaN only now
    return y


def _check_labels(y):
    try:
        kind = type_of_target(y)
    except TypeError:  # text and something else, which cannot be sorted
        kind = "unknown"
    if kind == "unknown" and y.dtype.kind == "O":
        found = sorted({type(label).__name__ for label in y.ravel().tolist()})
        raise ValueError(
            "y must hold labels of one kind, all text or all numbers (Unknown label "
            f"type). Got {', '.join(found)} in an array of objects; write all labels "
            "as text, or pass an array of numbers."
        )
    check_classification_targets(y)


def check_sample_weight(sample_weight, n_rows, *, all_zero=False):
    """Check weights: one a row, finite, not negative, not all zero unless allowed.

    Returns
    -------
    ndarray of shape (n_rows,), float64, or None where no weights are given
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, (int, float, np.number)):
        sample_weight = np.full(n_rows, sample_weight)
    weight = check_array(
        sample_weight,
        ensure_2d=False,
        dtype=np.float64,
        input_name="sample_weight",
        ensure_min_samples=0,
    )
    if weight.ndim != 1:
        raise ValueError(
            f"`sample_weight` must be one-dimensional (Sample weights must be 1D array "
            f"or scalar). Got shape {weight.shape}."
        )
    if len(weight) != n_rows:
        raise ValueError(
            f"`sample_weight` must hold one weight for each of the {n_rows} rows of X. "
            f"Got {len(weight)} (sample_weight.shape == {weight.shape})."
        )
    if (weight < 0).any():
        raise ValueError(
            "`sample_weight` must not be negative (Negative values in data passed to "
            f"`sample_weight`). Got {float(weight.min())!r} as its least value."
        )
    if not (all_zero or weight.any()):
        raise ValueError(
            "`sample_weight` must not be zero for every row: at least one weight has "
            f"to be positive. Got {n_rows} weights of zero."
        )
    return weight


def is_missing(label):
    """Whether a label is None, NaN, or pandas' NA, which equals nothing."""
    same = label == label
    return label is None or not isinstance(same, bool | np.bool_) or not same


def check_groups(groups, n_rows):
    """Check group labels: one a row, one dimension, none missing."""
    groups = np.asarray(groups)
    if groups.ndim == 2 and groups.shape[1] == 1:
        groups = groups.ravel()
    if groups.ndim != 1 or len(groups) != n_rows:
        raise ValueError(
            f"`groups` must hold one label for each of the {n_rows} rows of X. "
            f"Got an array of shape {groups.shape}."
        )
    if any(is_missing(label) for label in groups.tolist()):
        raise ValueError(
            "`groups` must not have missing labels, since a missing label is no group; "
            "give rows without a group labels of their own. Got None or NaN."
        )
    return groups
