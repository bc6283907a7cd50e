"""The table that a report masks, and how the answers of an imputer are read."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from genestimators._inputs import (
    as_container,
    is_frame,
    is_missing,
    take_columns,
    take_rows,
)
from genestimators.imputation.columns._columns import kinds_of, refuse_sparse, values_of

_NEAR = 1e-5  # of a number, which may have become a float32 on its way


@dataclass(frozen=True, eq=False)
class Table:
    """A table with gaps.

    Attributes
    ----------
    X : ndarray or frame of shape (n_rows, n_columns)
    names : list
        Of the columns; their positions in an array.
    kinds : list of bool
        Which hold levels.
    values : list of ndarray of shape (n_rows,)
        Floats, or objects where they are levels.
    missing : bool ndarray of shape (n_rows, n_columns)
    weight : ndarray of shape (n_rows,) or None
        None where no weights were given.
    """

    X: object
    names: list
    kinds: list
    values: list
    missing: np.ndarray
    weight: np.ndarray | None

    @property
    def weights(self):
        """Of all rows, ones where none were given."""
        return np.ones(len(self.missing)) if self.weight is None else self.weight


def make_table(owner, X, weight):
    """Check X and read its columns; rows of weight zero are left out.

    Raises
    ------
    TypeError, ValueError
        If X cannot be masked.
    """
    refuse_sparse(owner, X)
    X = as_container(X)
    if is_frame(X) and not (hasattr(X, "iloc") or hasattr(X, "get_columns")):
        raise TypeError(
            f"{owner} masks entries of arrays and of pandas and polars frames. Got "
            f"{type(X).__name__}; pass X.to_pandas() or an array."
        )
    shape = np.shape(X)
    if len(shape) != 2 or not hasattr(X, "shape"):
        raise ValueError(
            f"{owner} takes a table of rows and columns. Got {type(X).__name__} of "
            f"shape {shape}."
        )
    if shape[1] < 2:
        raise ValueError(
            f"{owner} needs at least two columns, since a row keeps one value when "
            f"others are masked. Got {shape[1]}; pass the whole table."
        )
    if weight is not None and not weight.all():
        used = np.flatnonzero(weight)
        X, weight = take_rows(X, used), weight[used]
    names = list(X.columns) if is_frame(X) else list(range(shape[1]))
    kinds = kinds_of(X)
    values = values_of(X, kinds, names)
    missing = np.column_stack([_gaps(column) for column in values])
    return Table(X, names, kinds, values, missing, weight)


def answers_of(imputer, filled, table):
    """The columns of X in what an imputer returned.

    Parameters
    ----------
    imputer : fitted imputer
    filled : array or frame
        Further columns, such as masks, may follow.
    table : Table
        What its `transform` was given, with more of it missing at will.

    Returns
    -------
    columns : list of ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If there is not a column for each of X.
    """
    name = type(imputer).__name__
    if sparse.issparse(filled):
        raise TypeError(
            "The imputer must return a dense table. "
            f"{name} returned a sparse {filled.format} container."
        )
    filled = as_container(filled)
    if len(np.shape(filled)) != 2:
        raise ValueError(
            "The imputer must return a table of rows and columns. "
            f"{name} returned one of shape {np.shape(filled)}."
        )
    places = _places(imputer, filled.shape[1], table)
    return values_of(take_columns(filled, places), table.kinds, table.names)


def _places(imputer, n_filled, table):
    """Where the columns of X are in the output: by name, or in front."""
    n_columns = len(table.names)
    texts = table.names if is_frame(table.X) else [f"x{j}" for j in table.names]
    try:
        found = list(imputer.get_feature_names_out())
    except (AttributeError, ValueError):  # a step of a pipeline may have none
        found = []
    lost = [
        name for name, text in zip(table.names, texts, strict=True) if text not in found
    ]
    if not lost:
        return [found.index(text) for text in texts]
    if len(lost) == n_columns and n_filled >= n_columns:
        return list(range(n_columns))
    what = "some of them"
    if len(lost) < n_columns:
        what = f"column {lost[0]!r}"
        if len(lost) > 1:
            what += f" and {len(lost) - 1} others"
    raise ValueError(
        "The imputer must return every column of X. "
        f"{type(imputer).__name__} dropped {what}; scikit-learn's imputers drop "
        "columns without any value unless keep_empty_features=True, so set that, or "
        "leave such columns out."
    )


def check_answers(imputer, answers, table, mask):
    """Refuse answers with gaps, and observed values that have changed.

    Parameters
    ----------
    imputer : fitted imputer
    answers : list of ndarray of shape (n_rows,)
        Of all columns.
    table : Table
    mask : bool ndarray of shape (n_rows, n_columns)
        Entries that were masked.
    """
    name = type(imputer).__name__
    for j, (before, after) in enumerate(zip(table.values, answers, strict=True)):
        if (_gaps(after) & mask[:, j]).any():
            raise ValueError(
                f"The imputer must fill every missing entry. {name} left some of "
                f"column {table.names[j]!r} missing."
            )
        seen = ~table.missing[:, j] & ~mask[:, j]
        before, after = before[seen], after[seen]
        if table.kinds[j]:
            same = np.array(
                [a == b for a, b in zip(after.tolist(), before.tolist(), strict=True)],
                dtype=bool,
            )
        else:
            same = np.abs(after - before) <= _NEAR * np.abs(before)
        if not same.all():
            i = int(np.flatnonzero(~same)[0])
            pair = f"{after.tolist()[i]!r} for {before.tolist()[i]!r}"
            raise ValueError(
                "The imputer must return observed values as they were, in the columns "
                f"of X in front. {name} returned {pair} in column "
                f"{table.names[j]!r}; take steps that scale, encode or reorder columns "
                "out of it, and pass X scaled or encoded instead."
            )


def _gaps(values):
    if values.dtype != object:
        return np.isnan(values)
    return np.array([is_missing(value) for value in values.tolist()], dtype=bool)
