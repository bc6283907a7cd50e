"""Counts of many replicates at once: what `stratum_counts` does, a matrix at a time.

One replicate at a time, small data spend their time between array operations. Here all
replicates look for their rates together: a search in all their ordered uniforms gives
their totals at a rate each. Each gets the counts that it would get alone, since between
two steps of its total every rate gives the same counts.
"""

import numpy as np

from genestimators.resampling._balanced import (
    empty_shares,
    poisson_counts,
    stratum_counts,
)

_TURNS = 16  # then those still looking are done one by one
_HIGHEST = 12.0  # a rate beyond this has too many cuts
_NEAR_ONE = 1 - 1e-12  # sums of probabilities may never reach a uniform above this
_WIDE = 512  # columns from which rows are compared one by one


def many_stratum_counts(uniforms, weights, target, fraction):
    """Counts of one stratum in many replicates.

    Parameters
    ----------
    uniforms : ndarray of shape (n_draws, m)
    weights : ndarray of shape (m,) or None
    target, fraction : float
        See `stratum_counts`.

    Returns
    -------
    ndarray of shape (n_draws, m), int32
        Each row equal to `stratum_counts` of that row.
    """
    counts = np.empty(uniforms.shape, dtype=np.int32)
    found = np.zeros(len(uniforms), dtype=bool)
    if weights is None:
        rates, low, high, found = _rates(uniforms, target, fraction)
        own = np.flatnonzero(found)
        cuts = _cuts(rates[own], low[own], high[own], uniforms[own].max(axis=1))
        _count(counts, uniforms, own, cuts)
    for row in np.flatnonzero(~found):
        counts[row] = stratum_counts(uniforms[row], weights, target, fraction)
    return counts


def many_poisson_counts(uniforms, fraction):
    """Counts at a fixed rate in many replicates; see `poisson_counts`.

    Parameters
    ----------
    uniforms : ndarray of shape (n_draws, m)
    fraction : float

    Returns
    -------
    ndarray of shape (n_draws, m), int32
    """
    # At one rate a count does not depend on the other rows of a replicate.
    return poisson_counts(uniforms.ravel(), fraction).reshape(uniforms.shape)


def _rates(uniforms, target, fraction):
    """The rates that meet the target, bounds of the empty share, and which were found.

    Each an ndarray of shape (n_draws,).
    """
    ordered = np.sort(uniforms, axis=1)
    top = ordered[:, -1]
    low, high = (np.full(len(top), share) for share in empty_shares(fraction))
    loose = (top < low) | (_at_or_above(ordered, high[None])[0] > target)
    low[loose], high[loose] = 0.0, 1.0
    rate = np.full(len(top), fraction)
    rates, totals = np.zeros((2, len(top))), np.zeros((2, len(top)))  # of a bracket
    rates[1] = np.inf
    found = np.zeros(len(top), dtype=bool)
    looking = np.flatnonzero(top < _NEAR_ONE)
    for turn in range(_TURNS):
        if not len(looking):
            break
        at = rate[looking]
        cuts = _cuts(at, low[looking], high[looking], top[looking])
        total = _at_or_above(ordered, cuts, looking).sum(axis=0)
        hit = total == target
        found[looking[hit]] = True
        looking, at, total = looking[~hit], at[~hit], total[~hit]
        side = (total > target).astype(np.intp)
        rates[side, looking], totals[side, looking] = at, total
        at = _next_rates(at, total, rates[:, looking], totals[:, looking], target, turn)
        rate[looking] = at
        looking = looking[at < _HIGHEST]
    return rate, low, high, found


def _next_rates(rate, total, rates, totals, target, turn):
    """Where to look next.

    In proportion, since totals grow about as rates do; on every third turn further than
    that while the bracket is open, and in the middle of it once it is not, which sees
    to an end.
    """
    third = turn % 3 == 2
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.clip(target / total, 0.5, 2.0)
        further = rate * (3 * factor - 2 if third else factor)
        share = 0.5 if third else (target - totals[0]) / (totals[1] - totals[0])
        between = rates[0] + share * (rates[1] - rates[0])
    open_ended = (rates[0] == 0) | np.isinf(rates[1])
    inside = (rates[0] < further) & (further < rates[1])
    return np.where(inside & (open_ended | (not third)), further, between)


def _cuts(rate, low, high, top):
    """The cuts of each replicate, (n_cuts, n_draws), as far as uniforms reach."""
    term = np.exp(-rate)
    total = term
    cuts = [np.clip(total, low, high)]
    while (cuts[-1] <= top).any():
        term = term * (rate / len(cuts))
        total = total + term
        cuts.append(np.maximum(np.minimum(total, 1.0), low))
    return np.array(cuts)


def _at_or_above(ordered, cuts, rows=None):
    """How many uniforms of a replicate are at or above each of its cuts.

    Parameters
    ----------
    ordered : ndarray of shape (n_all, m)
        Increasing along its rows.
    cuts : ndarray of shape (n_cuts, n_draws)
    rows : ndarray of shape (n_draws,), default=None
        The replicate of each column of `cuts`; None is all of them.
    """
    m = ordered.shape[1]
    flat = ordered.ravel()
    start = (np.arange(len(ordered)) if rows is None else rows) * m
    below = np.zeros(cuts.shape, dtype=np.intp)  # that many are surely below
    for width in _halves(m):
        place = below + width
        inside = place <= m
        less = flat[start + np.minimum(place, m) - 1] < cuts
        below = np.where(inside & less, place, below)
    return m - below


def _halves(m):
    """Powers of two, from the greatest up to m down to one."""
    width = 1 << (m.bit_length() - 1)
    while width:
        yield width
        width >>= 1


def _count(counts, uniforms, rows, cuts):
    """Set the counts of some rows: how many cuts are at or below each uniform."""
    if uniforms.shape[1] < _WIDE:
        own = uniforms if len(rows) == len(uniforms) else uniforms[rows]
        total = np.zeros(own.shape, dtype=np.uint8)
        for cut in cuts:
            total += (own >= cut[:, None]).view(np.uint8)
        counts[rows] = total
        return
    total = np.empty(uniforms.shape[1], dtype=np.uint8)
    for row, own in zip(rows, cuts.T, strict=True):
        total[:] = 0
        for cut in own:
            total += (uniforms[row] >= cut).view(np.uint8)
        counts[row] = total
