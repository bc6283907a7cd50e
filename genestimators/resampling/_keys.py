"""Row keys: a 64-bit word that stands for the content of a row.

Numbers are taken as float64; -0.0 equals 0.0 and every NaN is alike. They are
rounded to a grid of about a millionth of their column's range before they are
hashed, so that rounding noise left by a step upstream (a scaler fitted on the rows
in another order) moves at most the odd row, never the whole bag. The grid is a power
of two times an offset chosen so that values people write (0.5, 1/4, the ends of a
scaled range) do not lie on one of its edges.

Zeros add nothing to a row's sum, so a sparse matrix and its dense copy have the same
keys. Frames are hashed column by column; text and other objects by the stable hash
of `_hashing.describe`.
"""

import numpy as np
from scipy import sparse

from genestimators._inputs import frame_columns
from genestimators.resampling._hashing import derive, hash_objects, mix, sequence

KEY_VERSION = 1  # raised whenever the same data would get other keys

_GRID = 2.0**-20
_SCALE_SLACK = 1.2345678  # keeps natural ranges away from powers of two
_ROUND_OFFSET = 0.3819660112501051  # keeps natural values away from grid edges
_CONSTANT = 1e-12  # a range below this share of a column's size is rounding noise
_CHUNK = 1 << 15  # numbers hashed at a time; fits the cache


def content_keys(X, y=None, *, keep=None, exact=False):
    """Hash each row of X, and of y if given.

    Parameters
    ----------
    X : array, sparse matrix, frame or sequence of n rows
    y : array of shape (n,) or (n, n_outputs), or None
    keep : bool array of shape (n,), optional
        The rows whose values set the grid (those of positive weight).
    exact : bool, default=False
        Hash the exact values instead of the rounded ones.

    Returns
    -------
    ndarray of shape (n,), uint64
    """
    total = _hash_table(X, "X", keep, exact)
    if y is not None:
        total = total + _hash_table(np.asarray(y), "y", keep, exact)
    return mix(total)


def column_keys(values):
    """Hash one column (an id, a group label) exactly, each value by its content."""
    values = np.asarray(values)
    # Labels are told by what they are, so 1 (integer) and 1.0 (float) are one label.
    return mix(hash_objects(values.tolist()))


def _hash_table(table, name, keep, exact):
    """Sum of the hashed cells of each row."""
    if sparse.issparse(table):
        return _hash_sparse(table, name, keep, exact)
    columns = frame_columns(table)
    if columns is not None:
        total = None
        for j, column in enumerate(columns):
            cells = _hash_array(column.reshape(-1, 1), name, keep, exact, first=j)
            total = cells if total is None else total + cells
        return np.zeros(len(table), dtype=np.uint64) if total is None else total
    if not isinstance(table, np.ndarray):
        table = _objects(table)
    return _hash_array(table.reshape(len(table), -1), name, keep, exact)


def _objects(rows):
    """A one-dimensional object array, without numpy guessing at nested shapes."""
    out = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        out[i] = row
    return out


def _hash_array(table, name, keep, exact, first=0):
    """Sum of the hashed cells of each row of a 2-D array; columns count from first."""
    if table.dtype.kind == "c":
        table = np.concatenate([table.real, table.imag], axis=1)
    if table.dtype.kind in "mM":
        missing = np.isnat(table)
        table = np.where(missing, np.nan, table.astype(np.int64))
    if table.dtype.kind not in "fiub":
        total = np.zeros(table.shape[0], dtype=np.uint64)
        for j in range(table.shape[1]):
            column = table[:, j]
            number = _as_numbers(column)
            if number is None:
                words = hash_objects(column.tolist())
                total += mix(words + _salts(name, first + j, 1))
            else:
                total += _hash_numbers(number[:, None], name, keep, exact, first + j)
        return total
    return _hash_numbers(table, name, keep, exact, first)


def _as_numbers(column):
    """An object column that holds only numbers and missing values, as float64."""
    if column.dtype != object or any(isinstance(v, (str, bytes)) for v in column):
        return None
    try:
        numbers = np.array([_number(value) for value in column], dtype=float)
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if numbers.ndim == 1 else None  # not cells that hold lists


def _number(value):
    """A cell as it is, a missing one (None, NA) as NaN."""
    if isinstance(value, (int, float)):
        return value
    return np.nan if value is None or repr(value) == "<NA>" else value


def _salts(name, first, n_columns):
    """A word for each of some consecutive columns."""
    return sequence(derive("cell", name), first + n_columns)[first:]


def _hash_numbers(table, name, keep, exact, first=0):
    n_rows, n_columns = table.shape
    salts = _salts(name, first, n_columns)
    zero = mix(salts)
    steps = None if exact else _grid(*_ranges(table, keep))
    total = np.empty(n_rows, dtype=np.uint64)
    size = max(1, _CHUNK // max(1, n_columns))
    for start in range(0, n_rows, size):
        block = table[start : start + size].astype(np.float64)
        words = mix(_words(block, steps) + salts)
        words -= zero
        total[start : start + size] = words.sum(axis=1, dtype=np.uint64)
    return total


def _hash_sparse(table, name, keep, exact):
    table = table.tocsr()
    if not table.has_canonical_format:
        table = table.copy()
        table.sum_duplicates()
    n_rows, n_columns = table.shape
    columns = table.indices
    data = table.data
    if data.dtype.kind == "c":
        data = np.abs(data)  # complex input is refused by the estimators themselves
    data = data.astype(np.float64)
    salts = _salts(name, 0, n_columns)
    steps = None
    if not exact:
        row_of = np.repeat(np.arange(n_rows), np.diff(table.indptr))
        used = np.isfinite(data)
        n_used_rows = n_rows
        if keep is not None:
            used &= keep[row_of]
            n_used_rows = int(np.count_nonzero(keep))
            stored = np.bincount(columns[keep[row_of]], minlength=n_columns)
        else:
            stored = np.bincount(columns, minlength=n_columns)
        low = np.where(stored < n_used_rows, 0.0, np.inf)
        high = np.where(stored < n_used_rows, 0.0, -np.inf)
        np.minimum.at(low, columns[used], data[used])
        np.maximum.at(high, columns[used], data[used])
        steps = _grid(low, high)[columns]
    words = mix(_words(data, steps) + salts[columns]) - mix(salts)[columns]
    # Differences of a running sum give the sum of each row, empty rows included.
    running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(words)])
    return running[table.indptr[1:]] - running[table.indptr[:-1]]


def _words(numbers, steps):
    """Float64 numbers as words, on the grid if steps are given; zero gives zero."""
    # A number that overflows the division becomes infinite; NaN may be signalling.
    with np.errstate(over="ignore", invalid="ignore"):
        if steps is not None:
            numbers = np.floor(numbers / steps + _ROUND_OFFSET)
        numbers = numbers + 0.0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def _ranges(table, keep):
    """Least and greatest finite value of each column among the rows to keep."""
    low = np.full(table.shape[1], np.inf)
    high = np.full(table.shape[1], -np.inf)
    size = max(1, _CHUNK // max(1, table.shape[1]))
    for start in range(0, len(table), size):
        block = table[start : start + size]
        if keep is not None:
            block = block[keep[start : start + size]]
        if not len(block):
            continue
        block = block.astype(np.float64)
        finite = np.isfinite(block)
        everything = finite.all()
        np.minimum(
            low,
            (block if everything else np.where(finite, block, np.inf)).min(axis=0),
            out=low,
        )
        np.maximum(
            high,
            (block if everything else np.where(finite, block, -np.inf)).max(axis=0),
            out=high,
        )
    return low, high


def _grid(low, high):
    """Width of the rounding grid of each column."""
    with np.errstate(invalid="ignore", over="ignore"):
        scale = high - low
    # A column that is constant up to rounding noise is measured by its own size.
    size = np.maximum(np.abs(low), np.abs(high))
    varies = np.isfinite(scale) & (scale > _CONSTANT * size)
    scale = np.where(varies, scale, size)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    exponent = np.frexp(np.minimum(scale, 1e300) * _SCALE_SLACK)[1]
    return np.ldexp(_GRID, exponent)
