"""Sparse rows of a draw as a fit sees them: centred, scaled and weighted, in parts.

Centring makes a sparse column dense, so that only some columns, or some rows, are ever
made at a time.
"""

import numpy as np

_COLUMNS = 256  # that are made dense at a time
_CELLS = 2**20  # likewise, of rows


class SparseRows:
    """What `_rooted` of dense rows is, of sparse ones.

    Attributes
    ----------
    Z : sparse CSC matrix of shape (n, p)
    mean, factor : ndarray of shape (p,)
        A cell z stands for (z - mean) * factor * root.
    variance : ndarray of shape (p,)
        Weighted, of the columns times the factor.
    root : ndarray of shape (n, 1)
        Roots of the rows' weights.
    """

    def __init__(self, Z, mean, factor, variance, root):
        self.Z, self.mean, self.factor = Z, mean, factor
        self.variance, self.root = variance, root

    @classmethod
    def of(cls, Z, weight, *, scaled, least):
        """Centre the columns of rows with weights, and scale them or not.

        Parameters
        ----------
        Z : sparse matrix of shape (n, p)
        weight : ndarray of shape (n,)
            Positive.
        scaled : bool
            Whether columns are divided by their standard deviations.
        least : float
            Variance up to which a column is constant, and becomes zeros.
        """
        Z = Z.tocsc()
        share = weight / weight.sum()
        mean = Z.T @ share
        own = np.repeat(np.arange(Z.shape[1]), np.diff(Z.indptr))  # column of a cell
        shares = share[Z.indices]
        variance = np.bincount(
            own, shares * np.square(Z.data - mean[own]), minlength=Z.shape[1]
        )
        # Of a column without a zero the rest would be rounding.
        rest = 1.0 - np.bincount(own, shares, minlength=Z.shape[1])
        rest[np.diff(Z.indptr) == Z.shape[0]] = 0.0
        variance += np.maximum(rest, 0.0) * np.square(mean)
        there = variance > least
        factor = np.where(there, 1.0, 0.0)
        if scaled:
            factor /= np.sqrt(np.where(there, variance, 1.0))
        return cls(Z, mean, factor, variance * factor**2, np.sqrt(weight)[:, None])

    @property
    def shape(self):
        return self.Z.shape

    @property
    def square_sum(self):
        """Sum of the squares of all cells."""
        return self.variance.sum() * np.square(self.root).sum()

    def take(self, columns):
        """The same of some columns."""
        return SparseRows(
            self.Z[:, columns],
            self.mean[columns],
            self.factor[columns],
            self.variance[columns],
            self.root,
        )

    def dense(self):
        """All cells, ndarray of shape (n, p)."""
        return (self.Z.toarray() - self.mean) * self.factor * self.root

    def gram(self, Y):
        """Products of the columns with each other, and with targets."""
        n, p = self.shape
        Z = self.Z.tocsr()
        gram, cross = np.zeros((p, p)), np.zeros((p, Y.shape[1]))
        step = max(1, _CELLS // p)
        for start in range(0, n, step):
            rows = slice(start, start + step)
            part = (Z[rows].toarray() - self.mean) * self.factor * self.root[rows]
            gram += part.T @ part
            cross += part.T @ Y[rows]
        return gram, cross

    def parts(self, lengths):
        """Some columns at a time, none of a unit apart from the others.

        Parameters
        ----------
        lengths : sequence of int
            Columns of each unit, which lie side by side.

        Yields
        ------
        units, columns : slice
        cells : ndarray of shape (n, n_columns)
        """
        ends = np.cumsum(lengths)
        first = start = 0
        while first < len(lengths):
            last = np.searchsorted(ends, start + _COLUMNS, "right")
            last = max(first + 1, int(last))  # a larger unit is whole all the same
            columns = slice(start, int(ends[last - 1]))
            yield slice(first, last), columns, self.take(columns).dense()
            first, start = last, columns.stop
