"""Random numbers that belong to rows, whatever stands beside them."""

import numpy as np
from scipy.special import ndtri

from genestimators.resampling._hashing import derive, mix, sequence, to_unit
from genestimators.resampling._keys import content_keys

_HALF = 2.0**-54  # takes a number off zero


class RowNoise:
    """Numbers that are functions of (seed, draw, content of the row, column) alone.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        What is known of the rows; every NaN is alike, and so are -0.0 and 0.0.
    seed : int
    draw : int
        Number of the draw; another one is independent.
    """

    def __init__(self, table, seed, draw):
        word = np.uint64(derive(seed, "imputation", draw))
        self._rows = mix(content_keys(table, exact=True) ^ word)
        self._word = int(word)

    def uniforms(self, rows, columns):
        """Numbers between zero and one, both excluded.

        Parameters
        ----------
        rows : ndarray of shape (n,), int
        columns : ndarray of shape (..., n), int
            Any numbers that tell the uses of a row apart.

        Returns
        -------
        numbers : ndarray of shape (..., n)
        """
        salts = sequence(self._word, int(columns.max(initial=0)) + 1)
        return to_unit(mix(self._rows[rows] + salts[columns])) + _HALF

    def normals(self, rows, columns):
        """Standard normal numbers; as `uniforms`."""
        return ndtri(self.uniforms(rows, columns))
