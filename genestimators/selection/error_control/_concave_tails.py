"""The heaviest tail that a discrete r-concave distribution can have.

A distribution on 0, ..., n is r-concave (r < 0) if the power r of its mass function is
convex on its support: the more negative r, the heavier the tails that this allows
(r = 0 is log-concavity). The source is appendix A.4 of Shah and Samworth (2013),
Variable selection with error control, Journal of the Royal Statistical Society B 75.
"""

import numpy as np

N_POINTS = 9  # of the grid that is narrowed down
N_ROUNDS = 12  # each narrows the grid by a factor of four
N_CANDIDATES = 3


def tail_probability(mean, least, n, r):
    """Largest P(X >= least) among r-concave X on 0, ..., n of a given mean.

    Parameters
    ----------
    mean : float in (0, 1]
        Bound on the expectation of X / n.
    least : ndarray of shape (n_levels,), int
        Where the tail begins; at most n.
    n : int
    r : float, below 0

    Returns
    -------
    probability : ndarray of shape (n_levels,)
        1 for tails that begin at or below twice the mean, for which nothing better is
        claimed.

    Notes
    -----
    The extremal mass function is c (a + i)^(1 / r) on 0, ..., k with what is left on
    k + 1, for some k and a. With m = n mean and f_i = (a + i)^(1 / r), a total of 1
    and an expectation of m fix c = (m' - m) / sum_{i <= k} (m' - i) f_i, m' = k + 1,
    so that the tail is 1 - c sum_{i < least} f_i. The mass left is between 0 and c
    f_{k + 1} for a between the values at which f, cut at k + 1 and at k, has
    expectation m; the tail is maximised over k and a.
    """
    least = np.asarray(least)
    probability = np.ones(len(least))
    total = n * mean
    first = int(np.ceil(np.round(2 * total, 10))) + 1
    inside = least >= first
    if first > n or not inside.any():
        return probability
    ends = np.arange(first, n + 1)
    offsets = _offsets(total, ends, r)
    low = np.append(offsets[1:], offsets[-1])
    levels = least[inside]

    # A coarse look at all ends, then a close one at those that look best.
    grid = np.geomspace(low, offsets, N_POINTS)
    heights = _all_tails(grid, ends, total, r).max(axis=0)[:, levels].T
    best = np.argsort(-heights, axis=1)[:, :N_CANDIDATES]
    low, high = (np.log(side)[best] for side in (low, offsets))
    steps = np.linspace(0, 1, N_POINTS)[:, None, None]
    for _ in range(N_ROUNDS):
        grid = low + steps * (high - low)
        tails = _tails(np.exp(grid), levels[:, None], ends[best], total, r)
        top = tails.argmax(axis=0)[None]
        low, high = (
            np.take_along_axis(grid, np.clip(top + side, 0, N_POINTS - 1), axis=0)[0]
            for side in (-1, 1)
        )
    probability[inside] = np.clip(tails.max(axis=(0, 2)), 0, 1)
    return probability


def _mass(points, r):
    """points^(1 / r), quickly for the two r that are in use."""
    if r not in (-1 / 2, -1 / 4):
        return points ** (1 / r)
    square = 1 / (points * points)
    return square if r == -1 / 2 else square * square


def _offsets(total, ends, r):
    """The a at which (a + i)^(1 / r) on 0, ..., k has a given expectation, per k."""
    points = np.arange(ends[-1] + 1.0)
    inside = points <= ends[:, None]
    low = np.full(len(ends), np.log(1e-8))
    high = np.full(len(ends), np.log(1e8))
    for _ in range(50):
        middle = (low + high) / 2
        mass = np.where(inside, _mass(np.exp(middle)[:, None] + points, r), 0)
        above = mass @ points > total * mass.sum(axis=1)
        high = np.where(above, middle, high)
        low = np.where(above, low, middle)
    return np.exp((low + high) / 2)


def _all_tails(offset, end, total, r):
    """As `_tails`, for offsets and ends of one shape and all beginnings 0, ..., n."""
    points = np.arange(end.max() + 1.0)
    mass = _mass(offset[..., None] + points, r)
    below = np.cumsum(mass, axis=-1) - mass
    room = np.maximum(end[..., None] + 1 - points, 0)
    scale = (end + 1 - total) / (room * mass).sum(axis=-1)
    return 1 - scale[..., None] * below


def _tails(offset, least, end, total, r):
    """P(X >= least) of the extremal distribution, for arrays that broadcast."""
    points = np.arange(end.max() + 1.0)
    mass = _mass(offset[..., None] + points, r)
    below = np.where(points < least[..., None], mass, 0).sum(axis=-1)
    room = np.maximum(end[..., None] + 1 - points, 0)
    return 1 - (end + 1 - total) * below / (room * mass).sum(axis=-1)
