"""Missing entries of a row given the observed ones: mean, variance, random draws.

What a row gets depends on that row and on the law alone, to the last bit: not on the
rows beside it, their number or order, nor on the number of threads. Products of
matrices do not promise that, so sums run over the columns one at a time, in order.
"""

import numpy as np

from genestimators.imputation.normal._blocks import blocks_of
from genestimators.imputation.normal._elimination import (
    cholesky,
    solve_lower,
    solve_upper,
)


class ConditionalNormal:
    """Fills the missing entries of rows by a normal law.

    Parameters
    ----------
    mean : ndarray of shape (p,)
    precision : ndarray of shape (p, p)
        The inverse of the covariance.
    """

    def __init__(self, mean, precision):
        self.mean = mean
        self.precision = precision

    def fill(self, table, normals=None):
        """Fill with conditional means, or with draws where there are normals.

        Parameters
        ----------
        table : ndarray of shape (n_rows, p)
            NaN where missing; it is filled in place.
        normals : callable, optional
            Given positions of rows, of shape (n,), and columns, of shape (m, n), it
            returns as many independent standard normal numbers.
        """
        for block, center, factors in self._solved(table):
            if normals is not None:
                noise = normals(block.rows, block.missing)
                center += solve_upper(factors, noise)
            table[block.rows, block.missing] = center

    def block_law(self, table, columns):
        """Conditional law of some columns in the rows that miss all of them.

        Parameters
        ----------
        table : ndarray of shape (n_rows, p)
            NaN where missing.
        columns : ndarray of shape (c,), int
            Ascending; a row misses all of them or none.

        Yields
        ------
        rows : ndarray of shape (n,), int
        means : ndarray of shape (c, n)
        covariances : ndarray of shape (c, c, n)
        """
        rows = np.flatnonzero(np.isnan(table[:, columns[0]]))
        for block, center, factors in self._solved(table[rows]):
            m, n = block.shape
            first = np.count_nonzero(block.missing < columns[0], axis=0)
            place = first + np.arange(len(columns))[:, None]
            own = block.own_rows
            parts = np.zeros((len(columns), m, n))
            for part, at in zip(parts, place, strict=True):
                part[at, own] = 1.0
                solve_lower(factors, part)
            covariance = np.zeros((len(columns), len(columns), n))
            for k in range(m):
                covariance += parts[:, None, k] * parts[:, k]
            yield rows[block.rows], center[place, own], covariance

    def variance(self, table):
        """Conditional variances of the missing entries.

        Parameters
        ----------
        table : ndarray of shape (n_rows, p)
            NaN where missing.

        Returns
        -------
        variance : ndarray of shape (n_rows, p)
            Zero where a value is observed.
        """
        out = np.zeros(table.shape)
        for block, _, factors in self._solved(table):
            m, n = block.shape
            for k in range(m):
                unit = np.zeros((m, n))
                unit[k] = 1.0
                part = solve_lower(factors, unit)
                total = np.zeros(n)
                for row in part:  # in order: a sum of numpy's may group its terms
                    total += row * row
                out[block.rows, block.missing[k]] = total
        return out

    def _solved(self, table):
        """Blocks, their conditional means, and factors of their precisions."""
        K = self.precision
        p = len(K)
        for block in blocks_of(np.isnan(table)):
            z = table[block.rows].T - self.mean[:, None]
            z[block.missing, block.own_rows] = 0.0
            right = np.zeros(block.shape)
            for j in range(p):
                right -= K[j].take(block.missing) * z[j]
            factors = cholesky(K.ravel().take(block.pairs(p)))
            center = solve_upper(factors, solve_lower(factors, right))
            center += self.mean.take(block.missing)
            yield block, center, factors
