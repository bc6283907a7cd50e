"""Which observed entries are masked, so that an imputer can be asked for them."""

import numpy as np

from genestimators._inputs import frame_columns, is_frame, is_missing
from genestimators.imputation.columns._cells import replace_cells

LEAST_LEFT = 2  # values that a column keeps, so that it has a spread


def maskable_columns(observed):
    """Columns with values enough for one of them to be masked.

    Parameters
    ----------
    observed : bool ndarray of shape (n_rows, n_columns)

    Returns
    -------
    maskable : bool ndarray of shape (n_columns,)
    """
    return observed.sum(axis=0) > LEAST_LEFT


def mask_at_random(observed, share, rng):
    """Entries at random: in each column the same share of its observed values.

    Parameters
    ----------
    observed : bool ndarray of shape (n_rows, n_columns)
    share : float in (0, 1)
        Of the observed values of a column, rounded to a number of them, at least one.
        Rows and columns that would lose everything get values back.
    rng : Generator

    Returns
    -------
    mask : bool ndarray of shape (n_rows, n_columns)
        A part of `observed`.
    """
    mask = np.zeros(observed.shape, dtype=bool)
    for j in np.flatnonzero(maskable_columns(observed)):
        rows = np.flatnonzero(observed[:, j])
        n_masked = min(max(1, round(share * len(rows))), len(rows) - LEAST_LEFT)
        mask[rng.choice(rows, size=n_masked, replace=False), j] = True
    return _spare_rows(mask, observed, rng)


def mask_by_pattern(observed, share, rng, weight=None):
    """Entries by the table's own pattern: rows get the gaps of other rows.

    Some rows, drawn at random, each get the gaps of one incomplete row, drawn at random
    with replacement, on top of their own: what is missing together is masked together.
    They are as many as mask `share` of the observed values of the column that is
    missing most often, on average; other columns lose less, in proportion to how often
    they are missing, and columns that miss nothing lose nothing. If patterns are rare
    they are used again and again; if no column is missing in a `share` of the
    incomplete rows, every row gets gaps and fewer are masked.

    Parameters
    ----------
    observed : bool ndarray of shape (n_rows, n_columns)
    share : float in (0, 1)
    rng : Generator
    weight : ndarray of shape (n_rows,), optional
        A row gives its gaps with a probability in proportion.

    Returns
    -------
    mask : bool ndarray of shape (n_rows, n_columns)
        A part of `observed`; rows and columns that would lose everything get values
        back. Nothing is masked if nothing is missing.
    """
    n_rows = len(observed)
    weight = np.ones(n_rows) if weight is None else weight
    # Columns with next to no values keep them, and do not say which rows have gaps.
    maskable = maskable_columns(observed)
    gaps = ~observed & maskable
    donors = np.flatnonzero(gaps.any(axis=1) & observed.any(axis=1))
    mask = np.zeros(observed.shape, dtype=bool)
    if not len(donors):
        return mask
    chances = weight[donors] / weight[donors].sum()
    most = (chances @ gaps[donors]).max()
    n_receivers = max(1, min(round(share * n_rows / most), n_rows))
    receivers = rng.choice(n_rows, size=n_receivers, replace=False)
    givers = rng.choice(donors, size=n_receivers, p=chances)
    mask[receivers] = gaps[givers] & observed[receivers]
    for j in np.flatnonzero((observed & ~mask).sum(axis=0) < LEAST_LEFT):
        _spare(mask[:, j], observed[:, j], LEAST_LEFT, rng)
    return _spare_rows(mask, observed, rng)


def _spare_rows(mask, observed, rng):
    """Give back one entry, at random, to each row that would lose its last."""
    lost = mask.any(axis=1) & ~(observed & ~mask).any(axis=1)
    for i in np.flatnonzero(lost):
        _spare(mask[i], observed[i], 1, rng)
    return mask


def _spare(mask, observed, least, rng):
    """Take entries out of a mask, in place, until some are left unmasked."""
    wanted = least - int((observed & ~mask).sum())
    masked = np.flatnonzero(mask)
    mask[rng.choice(masked, size=min(wanted, len(masked)), replace=False)] = False


def with_missing(X, mask):
    """A container like X in which some entries are missing.

    Parameters
    ----------
    X : ndarray or frame of shape (n_rows, n_columns)
        It is left as it is. Integers become floats.
    mask : bool ndarray of shape (n_rows, n_columns)

    Returns
    -------
    X : container
        Entries are missing as others of their column are (None, NaN), NaN if there are
        no others; null in polars.
    """
    if not is_frame(X):
        kept = X.dtype.kind in "fO"
        X = X.copy() if kept else X.astype(float if X.dtype.kind in "iub" else object)
    columns = frame_columns(X) if is_frame(X) else X.T
    for j in np.flatnonzero(mask.any(axis=0)):
        rows = np.flatnonzero(mask[:, j])
        if hasattr(X, "get_columns"):  # polars
            hole = None
        else:
            hole = _hole(columns[j])
        if hasattr(X, "iloc") and columns[j].dtype.kind in "iub":
            X = X.copy(deep=False)
            X.isetitem(int(j), X.iloc[:, j].astype(np.float64))
        X = replace_cells(X, int(j), rows, [hole] * len(rows), [])
    return X


def _hole(values):
    """What stands where a value is missing."""
    if values.dtype != object:
        return np.nan
    return next((value for value in values.tolist() if is_missing(value)), np.nan)
