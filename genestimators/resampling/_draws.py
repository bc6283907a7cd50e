"""Draws: which rows, how often, and which are left out.

Every way of resampling (bootstrap, blocks, groups, subsamples, the folds of a
splitter) speaks `Draw`. A `Draws` object makes them on demand from a seed: `draws[b]`
is a function of the data, the seed and `b` alone, nothing is stored that the seed can
bring back, and drawing more never changes earlier ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genestimators._inputs import n_rows_of, named_column, take_rows
from genestimators.resampling._hashing import GOLDEN, MASK, derive, mix
from genestimators.resampling._keys import (
    KEY_VERSION,
    column_keys,
    content_keys,
)

DRAW_VERSION = KEY_VERSION  # raised whenever the same data and seed draw otherwise
MAX_OCCURRENCES = 20  # a row, on average, before integer weights are too large

_REFINEMENTS = 4
_WHOLE = 1e-9  # a weight this near to a positive whole number is that number


@dataclass(frozen=True, eq=False)
class Draw:
    """One draw: the rows to fit on and the rows left out.

    Attributes
    ----------
    rows : ndarray of shape (m,), int
        The in-bag rows, one entry for each in-bag occurrence, in canonical order.
    counts : ndarray of shape (m,)
        How often each counts, positive; integers unless weights are fractional.
    out_of_bag : ndarray of shape (k,), int
        Rows that a fit on this draw has not seen, in increasing order.
    out_of_bag_counts : ndarray of shape (k,)
        The weight of each of them (1 where rows are not weighted).
    held_out : ndarray of int
        The occurrences left out, as positions in `Draws.occurrences`. A row of weight
        3 is three occurrences, and is out of bag only when all of them are.
    """

    rows: np.ndarray
    counts: np.ndarray
    out_of_bag: np.ndarray
    out_of_bag_counts: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True, eq=False)
class Occurrences:
    """The units that are drawn: a row of weight k is k of them.

    Attributes
    ----------
    rows : ndarray of shape (m,), int
        The row of each occurrence, in canonical order (key, then occurrence number).
    states : ndarray of shape (m,), uint64
        A word that stands for (key, occurrence number).
    weights : ndarray of shape (m,) or None
        1 for a whole occurrence, the fraction for the rest of a fractional weight;
        None where all are whole.
    """

    rows: np.ndarray
    states: np.ndarray
    weights: np.ndarray | None

    def take(self, values):
        """Values of rows as values of occurrences."""
        return values[self.rows]

    @property
    def total(self):
        """The weight of all occurrences."""
        return len(self.rows) if self.weights is None else float(self.weights.sum())


def resolve_keys(key, X, y, sample_weight, *, target=True, also=()):
    """Keys of the rows, and what orders rows of equal keys.

    Parameters
    ----------
    key : "content", "position", or the name or position of an id column
    sample_weight : ndarray of shape (n,) or None
        Rows of weight zero do not matter.
    target : bool, default=True
        Whether y belongs to the content.
    also : sequence of ndarray of shape (n,)
        What else tells rows of equal content apart: weights, groups.

    Returns
    -------
    keys : ndarray of shape (n,), uint64
    exact : ndarray of shape (n,), uint64
    """
    n_rows = n_rows_of(X)
    keep = None if sample_weight is None else sample_weight > 0
    if isinstance(key, str) and key == "position":
        keys = np.arange(n_rows, dtype=np.uint64)
        return keys, keys
    by_content = isinstance(key, str) and key == "content"
    if by_content:
        keys = content_keys(X, y if target else None, keep=keep)
    else:
        keys = column_keys(named_column(X, key))
    # Rows that share a rounded key are told apart by their exact content, so that the
    # order in which they come does not matter.
    exact = np.zeros(n_rows, dtype=np.uint64)
    tied = _tied_rows(keys, keep)
    if not len(tied):
        return keys, exact
    exact[tied] = content_keys(
        take_rows(X, tied), y[tied] if target else None, exact=True
    )
    if by_content:
        _refine(keys, exact, tied, X, y if target else None)
    if not target:
        exact[tied] = mix(exact[tied] + content_keys(y[tied], exact=True))
    for values in also:
        words = content_keys(np.asarray(values)[tied], exact=True)
        exact[tied] = mix(exact[tied] + words)
    return keys, exact


def _tied_rows(keys, keep):
    """Rows (of positive weight) that share their key with another one."""
    rows = np.arange(len(keys)) if keep is None else np.flatnonzero(keep)
    order = rows[np.argsort(keys[rows], kind="stable")]
    equal = keys[order][1:] == keys[order][:-1]
    tied = np.zeros(len(keys), dtype=bool)
    tied[order[1:][equal]] = True
    tied[order[:-1][equal]] = True
    return np.flatnonzero(tied)


def _refine(keys, exact, tied, X, y):
    """Give different rows different keys where one grid was too coarse for them.

    A single huge value stretches the grid of its column so far that all other rows
    share a key. Those rows get a grid of their own, from their own ranges.
    """
    for _ in range(_REFINEMENTS):
        group, codes = np.unique(keys[tied], return_inverse=True)
        low = np.full(len(group), np.iinfo(np.uint64).max, dtype=np.uint64)
        high = np.zeros(len(group), dtype=np.uint64)
        np.minimum.at(low, codes, exact[tied])
        np.maximum.at(high, codes, exact[tied])
        tied = tied[(low < high)[codes]]
        if not len(tied):
            return
        words = content_keys(take_rows(X, tied), None if y is None else y[tied])
        keys[tied] = mix(keys[tied] + words)


def expand(keys, exact, sample_weight, *, together=False, names=None):
    """Turn rows with weights into occurrences in canonical order.

    Parameters
    ----------
    keys, exact : ndarray of shape (n,), uint64
        From `resolve_keys`.
    sample_weight : ndarray of shape (n,) or None
        Frequencies: a weight of k is k occurrences, a fractional rest one more.
    together : bool, default=False
        Give all occurrences of a key the same state, so that they are drawn alike.
    names : ndarray of shape (n,), uint64, optional
        What stands for the rows in the states, in the place of their keys: rows of one
        name are then drawn alike, whatever else there is.

    Returns
    -------
    Occurrences

    Raises
    ------
    ValueError
        If the weights are too large to expand.
    """
    n_rows = len(keys)
    if sample_weight is None:
        rows, fractions, repeats = np.lexsort((exact, keys)), None, None
    else:
        whole = np.floor(sample_weight + _WHOLE)
        fraction = sample_weight - whole
        fraction[(fraction < _WHOLE) & (whole > 0)] = 0.0
        per_row = whole + (fraction > 0)
        n_drawn = np.count_nonzero(per_row)
        if not per_row.sum() <= MAX_OCCURRENCES * n_drawn:
            raise ValueError(
                "A row of weight k is drawn as k rows, and weights must not come to "
                f"more than {MAX_OCCURRENCES} occurrences a row on average. Got a mean "
                f"weight of {sample_weight[per_row > 0].mean():.6g}; divide weights "
                'by their mean, or set `weight_mode="importance"`.'
            )
        order = np.lexsort((sample_weight, exact, keys))
        repeats = per_row[order].astype(np.intp)
        rows = np.repeat(order, repeats)
        fractions = None
        if fraction.any():
            fractions = np.ones(len(rows))
            last = np.cumsum(repeats) - 1
            partial = fraction[order] > 0
            fractions[last[partial]] = fraction[order][partial]
    own = keys[rows]
    number = np.zeros(len(rows), dtype=np.uint64)
    if len(rows) and not together:
        first = np.ones(len(rows), dtype=bool)
        first[1:] = own[1:] != own[:-1]
        start = np.flatnonzero(first)
        position = np.arange(len(rows))
        number = (position - np.repeat(start, np.diff([*start, len(rows)]))).astype(
            np.uint64
        )
    if names is not None:
        own = names[rows]
    states = mix(own + np.uint64(GOLDEN) * (number + np.uint64(1)))
    if n_rows < np.iinfo(np.int32).max:
        rows = rows.astype(np.int32)
    return Occurrences(rows, states, fractions)


class Draws(Sequence):
    """A growable sequence of draws; `draws[b]` makes draw b from the seed.

    Parameters
    ----------
    occurrences : Occurrences
    n_rows : int
        Rows of X.
    seed : int
    row_weight : ndarray of shape (n_rows,) or None
        Weights of the rows, for scores on them.
    importance : ndarray of shape (n_rows,) or None
        Weights that the counts are multiplied by.
    clusters : ndarray of shape (n_rows,) or None
        Labels of rows that belong together (groups, blocks), for standard errors.

    Attributes
    ----------
    has_out_of_bag : bool
        Whether draws leave rows out at all.
    balanced_block : int
        Draws are balanced within blocks of this many; 1 where they are independent.
    limit : int or None
        How many draws there are, None where there is no end.
    version : int
        Version of the hashing and drawing.
    unit_counts : bool
        Whether every count is one, so that a fit needs no weights.
    """

    has_out_of_bag = True
    unit_counts = False
    balanced_block = 10
    limit = None
    version = DRAW_VERSION

    def __init__(
        self,
        occurrences,
        n_rows,
        seed,
        *,
        row_weight=None,
        importance=None,
        clusters=None,
    ):
        self.occurrences = occurrences
        self.n_rows = n_rows
        self.seed = seed
        self.row_weight = row_weight
        self.importance = importance
        self.clusters = clusters
        # With weights a row may be no occurrence, or several.
        self._partial = row_weight is not None or len(occurrences.rows) != n_rows

    def counts_of(self, number):
        """How often each occurrence is drawn in draw `number`."""
        raise NotImplementedError

    def seen(self, counts):
        """The occurrences whose rows a fit has seen (also those near in time)."""
        return counts > 0

    def drawn_rows(self, number):
        """The in-bag rows of draw `number`, each as often as it was drawn."""
        counts = self.counts_of(number)
        if counts.dtype.kind == "f":  # weights: every row once
            return self.occurrences.rows[counts > 0]
        return np.repeat(self.occurrences.rows, counts)

    def __len__(self):
        if self.limit is None:
            raise TypeError("These draws have no end; ask for draws[b].")
        return self.limit

    def __getitem__(self, number):
        number = int(number)
        if number < 0 or (self.limit is not None and number >= self.limit):
            raise IndexError(f"There is no draw {number}.")
        return self.draw_of(number, self.counts_of(number))

    def counts_matrix(self, numbers):
        """How often each occurrence is drawn in some draws, (n_numbers, m)."""
        return np.stack([self.counts_of(number) for number in numbers])

    def weights_of(self, counts):
        """The weights of the occurrences, where they are drawn so often.

        Parameters
        ----------
        counts : ndarray of shape (n_draws, m)

        Returns
        -------
        weights : ndarray of shape (n_draws, m)
            Whole numbers unless there are fractional weights.
        """
        occurrences = self.occurrences
        if occurrences.weights is not None:
            counts = counts * occurrences.weights
        if self.importance is not None:
            counts = counts * self.importance[occurrences.rows]
        return counts

    def draw_of(self, number, counts):
        """The draw of a number, whose counts are known."""
        occurrences = self.occurrences
        drawn = counts > 0
        if not drawn.any():
            raise ValueError(
                f"Draw {number} holds no rows of positive weight; draw more rows, or "
                "leave out the rows of weight zero."
            )
        rows = occurrences.rows[drawn]
        counts_in = counts[drawn]
        if occurrences.weights is not None:
            counts_in = counts_in * occurrences.weights[drawn]
        if self.importance is not None:
            counts_in = counts_in * self.importance[rows]
        if not self.has_out_of_bag:
            empty = np.empty(0, dtype=np.intp)
            return Draw(rows, counts_in, empty, np.empty(0), empty)
        seen = self.seen(counts)
        left = np.ones(self.n_rows, dtype=bool)
        if self._partial:  # rows of weight zero are in no bag and out of none
            left[:] = False
            left[occurrences.rows] = True
        left[occurrences.rows[seen]] = False
        out = np.flatnonzero(left).astype(rows.dtype)
        if self.row_weight is None:
            weight = np.broadcast_to(np.float64(1.0), out.shape)
        else:
            weight = self.row_weight[out]
        held_out = np.flatnonzero(~seen).astype(rows.dtype)
        return Draw(rows, counts_in, out, weight, held_out)

    def held_out_rows(self, draw):
        """The occurrences that a draw leaves out: rows, and weights unless all one.

        Occurrences and not rows: a row of weight 3 is three rows, so weighted and
        repeated data give the same.
        """
        held = draw.held_out
        counts = np.ones((1, len(self.occurrences.rows)), dtype=np.int32)
        weight = self.weights_of(counts)[0, held]
        return self.occurrences.rows[held], None if (weight == 1).all() else weight

    def row_order(self):
        """Rows of positive weight in canonical order, each once."""
        rows = self.occurrences.rows
        if not self._partial:
            return rows
        _, first = np.unique(rows, return_index=True)
        return rows[np.sort(first)]


def draw_seed(seed, purpose):
    """The word that starts a stream of draws."""
    return derive(seed, purpose) & MASK
