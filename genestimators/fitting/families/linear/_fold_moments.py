"""Moments of training folds: those of all rows less those of the rows left out."""

from functools import reduce
from operator import add

import numpy as np

from genestimators.fitting.families.linear._gram import (
    column_means,
    keeps_digits,
    sum_moments,
)
from genestimators.fitting.families.linear._left_out import left_out, partition

_MOST_KEPT = 2**23  # numbers in the sums of folds, if X does not have more itself


class FoldMoments:
    """Moments of the rows of each draw.

    Where the rows that draws leave out are a partition, every row is touched once for
    all draws of it.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    Y : ndarray of shape (n, q)
    weight : ndarray of shape (n,) or None
    draws : Draws

    Attributes
    ----------
    whole : Moments
        Of all rows.
    known : dict of Moments
        Of the rows left out, by the number of the draw.
    n_known : dict of int
        How many rows these are.
    """

    def __init__(self, X, Y, weight, draws):
        self.X, self.Y, self.weight = X, Y, weight
        n, p = X.shape
        counted, own = slice(None), weight
        if weight is not None and not weight.all():
            counted = np.flatnonzero(weight)
            own = weight[counted]
        self.shifts = column_means(X[counted], own), column_means(Y[counted], own)
        most = max(n * p, _MOST_KEPT) // (p + Y.shape[1]) ** 2
        taken = partition(draws, weight, n, most)
        self.known = {n: self._sum(weight, rows) for n, rows in taken.items()}
        self.n_known = {n: len(rows) for n, rows in taken.items()}
        if self.known:
            self.whole = reduce(add, self.known.values())
        else:
            self.whole = self._sum(weight)

    def _sum(self, weight, rows=None):
        return sum_moments(self.X, self.Y, weight, *self.shifts, rows)

    def of(self, number, draw):
        """The moments of a draw, and those of the rows it leaves out.

        Parameters
        ----------
        number : int
        draw : Draw

        Returns
        -------
        moments : Moments or None
            None where digits were lost.
        others : Moments or None
            None where they are not those of all rows out of bag, or were not needed.
        """
        less = self.known.get(number)
        if less is None:
            n = len(self.X)
            rows = left_out(draw, self.weight, n)
            if rows is None or len(rows) >= len(draw.rows):
                counts = np.bincount(draw.rows, weights=draw.counts, minlength=n)
                moments = self._sum(counts, np.flatnonzero(counts))
                return (moments if keeps_digits(moments, moments) else None), None
            less = self._sum(self.weight, rows)
            n_less = len(rows)
        else:
            n_less = self.n_known[number]
        moments = self.whole - less
        if not keeps_digits(moments, self.whole):
            return None, None
        known = n_less == len(draw.out_of_bag) and less.weight > 0
        return moments, less if known else None
