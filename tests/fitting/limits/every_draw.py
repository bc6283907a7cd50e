"""The slow obvious version: every bootstrap sample there is, with its probability."""

from itertools import combinations_with_replacement, product
from math import factorial, prod

import numpy as np
from sklearn.base import clone


def every_draw(strata, totals, n):
    """All samples with replacement, from each stratum so many.

    Parameters
    ----------
    strata : list of sequences of int
    totals : list of int
    n : int
        Of all occurrences.

    Yields
    ------
    probability : float
    counts : ndarray of shape (n,), int
    """
    of_strata = [
        list(combinations_with_replacement(own, total))
        for own, total in zip(strata, totals, strict=True)
    ]
    for drawn in product(*of_strata):
        counts = np.zeros(n, dtype=int)
        ways = 1
        for own, stratum in zip(drawn, strata, strict=True):
            here = np.bincount(own, minlength=n)
            counts += here
            ways *= factorial(len(own)) / prod(map(factorial, here.tolist()))
            ways /= len(stratum) ** len(own)
        yield ways, counts


def shares_of(counts, k):
    """The share of the first k draws that each place holds."""
    return np.diff(np.minimum(counts.cumsum(), k), prepend=0) / k


class EveryMember:
    """Members fitted on every sample, and what they answer.

    Parameters
    ----------
    ask : callable
        `ask(model, T)` gives answers of shape (n_points, width).
    T : container of n_points rows
    draws : iterable of (float, ndarray)
    """

    def __init__(self, estimator, ask, X, y, T, draws):
        probabilities, counts = zip(*draws, strict=True)
        self.probability, self.counts = np.array(probabilities), np.array(counts)
        self.answers = []
        for own in self.counts:
            rows = np.repeat(np.arange(len(own)), own)
            self.answers.append(ask(clone(estimator).fit(X[rows], y[rows]), T))
        self.answers = np.array(self.answers)

    def moments(self, without=()):
        """Means and variances over the samples that lack some occurrences, or None.

        Each of shape (n_points, width).
        """
        there = ~self.counts[:, without].any(axis=1)
        if not there.any():
            return None
        share = self.probability[there] / self.probability[there].sum()
        mean = np.tensordot(share, self.answers[there], 1)
        square = np.tensordot(share, self.answers[there] ** 2, 1)
        return mean, square - mean**2
