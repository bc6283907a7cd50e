"""Which draws of a bootstrap sample come first, by nearness to a point.

Order the n rows by nearness. A sample of m rows draws :math:`N_i` times among the i
nearest, and of the k nearest *draws* those among them are :math:`min(k, N_i)`. So the
place i holds, on average, a share of the k nearest draws of

.. math:: w_i = (E min(k, N_i) - E min(k, N_{i-1})) / k ,

with :math:`N_i` binomial (m trials of probability i/n), Poisson where each row is drawn
on its own, and a sum of independent binomials, one a class, where classes are drawn
apart [1]_. Second moments of the shares are had in the same way.

References
----------
.. [1] Steele, B. M. (2009). Exact bootstrap k-nearest neighbor learners. Machine
   Learning 74, 235-255.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

NEGLIGIBLE = 1e-12  # of the weight of all neighbours, what those farther off may have

_NUMBERS = 2**22  # held at a time
_CACHED = 2**16  # numbers of a product at a time


def places_needed(k, rate, n):
    """How many neighbours there are but for a negligible share of the weight.

    Parameters
    ----------
    k : int
    rate : float
        How often an occurrence is drawn on average, at the least.
    n : int
        Occurrences.

    Returns
    -------
    places : int
        At most n.

    Notes
    -----
    The weight beyond place i is :math:`E (k - N_i)_+ / k`. A sum of binomials is less
    than a Poisson variable of its mean in convex order, so this is at most the
    probability that a Poisson variable of mean `rate * i` is below k.
    """
    enough = special.gammainccinv(k, NEGLIGIBLE) / rate
    return n if enough >= n else int(np.ceil(enough))


def at_most(a, trials, p):
    """P(N <= a) for N binomial, or Poisson of mean p where `trials` is None."""
    a = np.asarray(a, dtype=float)
    if trials is None:
        found = special.gammaincc(np.maximum(a, 0.0) + 1.0, p)
    elif trials < 1:
        found = 1.0
    else:
        inside = np.clip(a, 0.0, trials - 1.0)
        found = special.betaincc(inside + 1.0, trials - inside, p)
        found = np.where(a >= trials, 1.0, found)
    return np.where(a < 0, 0.0, found)


def capped_moments(most, trials, p):
    """E min(t, N) and E min(t, N)^2, for N binomial or Poisson.

    Parameters
    ----------
    most : int or ndarray of int
        The cap t.
    trials : int or None
        None: Poisson.
    p : ndarray
        Probabilities, or means of the Poisson variables.

    Returns
    -------
    first, second : ndarray
    """
    most = np.asarray(most)
    mean = pairs = p
    if trials is not None:
        mean, pairs = trials * p, trials * (trials - 1.0) * p * p
        fewer, fewest = trials - 1, trials - 2
    else:
        pairs, fewer, fewest = p * p, None, None
    reached = 1.0 - at_most(most - 1, trials, p)
    first = mean * at_most(most - 2, fewer, p)  # E N while N < t
    second = pairs * at_most(most - 3, fewest, p) + first
    return most * reached + first, most**2 * reached + second


@dataclass(frozen=True, eq=False)
class Places:
    """Moments of the share of the k nearest draws at each place.

    Attributes
    ----------
    weights : ndarray of shape (n_places,)
        Mean shares.
    squares : ndarray of shape (n_places,)
        Means of their squares.
    products : ndarray of shape (n_places,)
        The mean of the product of the share at a place and that at any nearer one.
    """

    weights: np.ndarray
    squares: np.ndarray
    products: np.ndarray


def place_moments(k, trials, rate, n, n_places):
    """Moments of the shares, where all rows are drawn alike.

    Parameters
    ----------
    k : int
    trials : int or None
        How many are drawn; None: each on its own, at the rate.
    rate : float
        How often each is drawn on average.
    n : int
        How many may be drawn.
    n_places : int
        Those beyond n have share zero.

    Returns
    -------
    Places

    Notes
    -----
    With c the counts among the first k draws and i < j, a draw at i comes before those
    at j: given it, the others are as a sample of one draw less of which k - 1 count.
    So :math:`E c_i c_j` is `rate` times :math:`E c_j` of such a sample, whatever i.
    """
    place = np.minimum(np.arange(n_places + 1), n)
    p = place * rate if trials is None else place / n
    first, second = capped_moments(k, trials, p)
    fewer = None if trials is None else trials - 1
    products = rate * np.diff(capped_moments(k - 1, fewer, p)[0])
    squares = np.diff(second) - 2 * np.arange(n_places) * products
    return Places(np.diff(first) / k, squares / k**2, products / k**2)


class ClassTables:
    """What a class adds to the k nearest draws, where classes are drawn apart.

    Parameters
    ----------
    k : int
    kinds : sequence of (int, int)
        For each table, how many occurrences the class has and how often it is drawn.
    n_places : int
        Neighbours that are looked at.

    Attributes
    ----------
    length : int
        Lines of a table: 0, 1, ... of the class are among the nearest.
    pmf : ndarray of shape (k, n_tables * length)
        How likely each number of draws below k is.
    shares : ndarray of shape (k, n_tables * length)
        The share of the last of them, given how many draws of other classes are nearer.
    squares : ndarray of shape (k, n_tables * length)
        What it adds to the mean squared share of its class.
    """

    def __init__(self, k, kinds, n_places):
        self.k = k
        self.length = n_places + 1
        number = np.arange(k)[:, None]
        parts = [[], [], []]
        for size, total in kinds:
            p = np.minimum(np.arange(self.length) / size, 1.0)
            parts[0].append(stats.binom.pmf(number, total, p))
            moments = capped_moments(k - number, total, p)
            for power, moment in enumerate(moments, start=1):
                gained = np.diff(moment, prepend=moment[:, :1])
                parts[power].append(np.maximum(gained, 0.0) / k**power)
        self.pmf, self.shares, self.squares = (np.hstack(part) for part in parts)


def class_moments(codes, tables, start, order, *, squares=False):
    """Mean shares of the neighbours of rows, where classes are drawn apart.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_places), int
        The class of each neighbour, nearest first.
    tables : ClassTables
    start : ndarray of shape (n_rows, n_classes), int
        The first line of the table of each class.
    order : sequence of int
        All classes, those with few rows first: combined in this order there are the
        fewest combinations.
    squares : bool, default=False
        Whether squares are wanted.

    Returns
    -------
    weights : ndarray of shape (n_rows, n_places)
    squared : ndarray of shape (n_rows,) or None
        The mean of the sum over classes of the squared share of the class.
    """
    weights = np.empty(codes.shape)
    squared = np.empty(len(codes)) if squares else None
    step = max(1, _NUMBERS // (codes.shape[1] * max(start.shape[1], tables.k)))
    for first in range(0, len(codes), step):
        part = slice(first, first + step)
        weights[part], found = _block_moments(
            codes[part], tables, start[part], order, squares
        )
        if squares:
            squared[part] = found
    return weights, squared


def _block_moments(codes, tables, start, order, squares):
    lines = {}
    for c in order:
        own = codes == c
        if own.any():
            lines[c] = own.cumsum(axis=1) + start[:, c, None]
    weights = np.zeros(codes.shape)
    gained = np.zeros(codes.shape) if squares else None
    none = np.zeros((tables.k, 1))
    none[0] = 1.0
    for c, own_lines in lines.items():
        at = codes == c
        # How many draws of other classes are nearer: columns of a table. Two and two,
        # since pairs of classes have few different states.
        laws = [(tables.pmf, theirs[at]) for g, theirs in lines.items() if g != c]
        while len(laws) > 1:
            (law, i), (other, j), *laws = laws
            i, j, state = pairs_of(i, j)
            laws.append((convolved(law[:, i], other[:, j]), state))
        others, state = laws[0] if laws else (none, np.zeros(np.count_nonzero(at), int))
        before, line, state = pairs_of(state, own_lines[at])
        weights[at] = _products(others, tables.shares, before, line)[state]
        if squares:
            gained[at] = _products(others, tables.squares, before, line)[state]
    return weights, None if gained is None else gained.sum(axis=1)


def pairs_of(a, b):
    """The distinct pairs of two arrays of whole numbers, and which one is where.

    Parameters
    ----------
    a, b : ndarray of shape (n,), int
        Not negative.

    Returns
    -------
    first, second : ndarray of shape (n_pairs,)
    place : ndarray of shape (n,)
        Where there are nearly as many pairs as entries, these are all taken.
    """
    low = b.min()
    span = b.max() - low + 1
    most = int((a.max() + 1) * span)
    if most > 4 * len(a):
        return a, b, np.arange(len(a))
    values = a * span + (b - low)
    there = np.zeros(most, dtype=bool)
    there[values] = True
    known = np.flatnonzero(there)
    return known // span, known % span + low, (np.cumsum(there) - 1)[values]


def convolved(a, b):
    """Columns of b convolved with those of a, as far as they go, (k, n)."""
    out = np.empty_like(b)
    step = max(1, _CACHED // len(a))
    for first in range(0, b.shape[1], step):
        part = slice(first, first + step)
        x, y = a[:, part].copy(), b[:, part].copy()
        own, product = x * y[0], np.empty_like(x)
        for s in range(1, len(a)):
            own[s:] += np.multiply(x[:-s], y[s], out=product[s:])
        out[:, part] = own
    return out


def _products(a, b, i, j):
    """Scalar products of pairs of columns of a and b."""
    out = np.zeros(len(i))
    for own, other in zip(a, b, strict=True):
        out += own[i] * other[j]
    return out
