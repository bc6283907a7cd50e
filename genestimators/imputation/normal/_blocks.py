"""Incomplete rows in blocks that miss equally many entries.

What a row needs is a small system of equations in its missing entries. Rows that miss
m entries have systems of one size, whichever entries they miss, so a block of them is
one array of shape (m, m, n_rows) that is worked on at once, and no pattern of
missingness is ever looped over.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_NUMBERS = 1 << 16  # of a block's systems; fits the cache


@dataclass(frozen=True)
class Block:
    """Some rows that miss equally many entries.

    Attributes
    ----------
    rows : ndarray of shape (n,), int
        Where they are among all rows.
    missing : ndarray of shape (m, n), int
        The columns that each misses, ascending.
    """

    rows: np.ndarray
    missing: np.ndarray

    @property
    def shape(self):
        """Entries that are missing in a row, and rows."""
        return self.missing.shape

    @property
    def own_rows(self):
        """Positions of the rows within the block, to go with `missing`."""
        return np.arange(self.missing.shape[1])

    def pairs(self, n_columns):
        """Flat positions, in a square table, of each two missing columns of a row.

        Returns
        -------
        positions : ndarray of shape (m, m, n), int
        """
        return self.missing[:, None] * n_columns + self.missing[None]


def blocks_of(missing):
    """The incomplete rows of a table in blocks.

    Parameters
    ----------
    missing : bool ndarray of shape (n_rows, n_columns)

    Returns
    -------
    blocks : list of Block
        From those that miss one entry to those that miss all; rows keep their order
        within one number. Complete rows are in none.
    """
    number = np.count_nonzero(missing, axis=1)
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(1, missing.shape[1] + 2))
    blocks = []
    for m, (start, stop) in enumerate(pairwise(bounds), 1):
        size = max(1, _NUMBERS // (m * m))
        for first in range(start, stop, size):
            rows = order[first : min(first + size, stop)]
            columns = np.nonzero(missing[rows])[1].reshape(len(rows), m)
            blocks.append(Block(rows, np.ascontiguousarray(columns.T)))
    return blocks
