"""Which columns get a mask: a column that says where they were missing."""

import numpy as np


def masked_columns(missing, add_indicator, excluded=()):
    """The columns that get a mask, decided in `fit` for good.

    Parameters
    ----------
    missing : bool ndarray of shape (n_rows, n_columns)
        Of the rows fitted on.
    add_indicator : bool or "auto"
        True gives every column that misses something a mask; "auto" gives one mask to
        columns that are missing in the same rows.
    excluded : collection of int
        Columns that say themselves where they are missing.

    Returns
    -------
    columns : ndarray of int
        Ascending.
    """
    if add_indicator is False:
        return np.zeros(0, dtype=np.intp)
    found = np.flatnonzero(missing.any(axis=0))
    found = np.array([j for j in found if j not in excluded], dtype=np.intp)
    if add_indicator is True or not len(found):
        return found
    words = np.packbits(missing[:, found], axis=0).T
    first = np.unique(words, axis=0, return_index=True)[1]
    return found[np.sort(first)]
