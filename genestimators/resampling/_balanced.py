"""The balanced draw: Poisson counts whose uniforms are spread over blocks of ten.

Within each block of ten replicates the uniforms of an occurrence fall once into each
tenth of [0, 1) (a Latin hypercube with one dimension), so each row is used about
equally often, as in the balanced bootstrap of [1]_, and is left out three or four
times in ten. Counts are the Poisson quantiles of the uniforms; the rate is chosen in
each replicate and class so that the class keeps its weight, so no class ever
vanishes, and out-of-bag rows are not biased against the bag's majority [2]_.

References
----------
.. [1] Davison, A. C., Hinkley, D. V. & Schechtman, E. (1986). Efficient bootstrap
   simulation. Biometrika 73, 555-566.
.. [2] Janitza, S. & Hornung, R. (2018). On the overestimation of random forest's
   out-of-bag error. PLoS ONE 13, e0201904.
"""

import numpy as np

from genestimators.resampling._hashing import MASK, derive, mix, step, to_unit

BLOCK = 10

_CHUNK = 1 << 14
_MOST = 256.0  # rates beyond this are never needed; thresholds reach twice as far
_COUNTS = np.arange(2 * int(_MOST) + 256.0)
_FEW = 48  # terms of a distribution
_SIGN = np.uint64(1 << 63)
_JITTER = 0x6A09E667F3BCC909  # separates the place within a tenth from its rank


class BalancedUniforms:
    """Uniform numbers of occurrences in replicates, balanced in blocks of ten.

    Parameters
    ----------
    states : ndarray of shape (m,), uint64
        One word an occurrence.
    seed : int
        A 64-bit word.
    """

    def __init__(self, states, seed):
        self.states = states
        self.seed = seed
        self._block = None
        self._known = None

    def __getstate__(self):
        return {"states": self.states, "seed": self.seed}

    def __setstate__(self, state):
        self.__init__(**state)

    def __call__(self, number):
        """The uniforms of replicate `number`, shape (m,), in [0, 1)."""
        block, place = divmod(number, BLOCK)
        if len(self.states) <= _CHUNK:
            if self._block != block:  # kept for the other nine
                self._known = self._words([block], slice(None))
                self._block = block
            words, ranks = self._known
            return _uniforms_of(words[place], ranks[place])
        uniforms = np.empty(len(self.states))
        for start in range(0, len(self.states), _CHUNK):
            part = slice(start, start + _CHUNK)
            states = self._block_states(block, part)
            words = step(states, place)
            rank = sum(step(states, other) < words for other in _others(place))
            uniforms[part] = _uniforms_of(words, rank)
        return uniforms

    def many(self, numbers):
        """The uniforms of consecutive replicates, a range, shape (n_numbers, m)."""
        uniforms = np.empty((len(numbers), len(self.states)))
        first, last = numbers[0] // BLOCK, numbers[-1] // BLOCK
        size = min(len(self.states), _CHUNK // BLOCK) or 1
        n_blocks = max(1, _CHUNK // BLOCK // size)
        for block in range(first, last + 1, n_blocks):
            blocks = range(block, min(block + n_blocks, last + 1))
            start = max(numbers[0], blocks[0] * BLOCK)
            stop = min(numbers[-1] + 1, blocks[-1] * BLOCK + BLOCK)
            own = slice(start - blocks[0] * BLOCK, stop - blocks[0] * BLOCK)
            rows = slice(start - numbers[0], stop - numbers[0])
            for begin in range(0, len(self.states), size):
                part = slice(begin, begin + size)
                words, ranks = self._words(blocks, part)
                uniforms[rows, part] = _uniforms_of(words[own], ranks[own])
        return uniforms

    def _block_states(self, block, part):
        word = derive(self.seed, block) & MASK
        return mix(self.states[part] ^ np.uint64(word))

    def _words(self, blocks, part):
        """Words of each replicate of some blocks, (10 * n_blocks, m), and their ranks.

        The rank among the ten of a block is the tenth in which the uniform lies.
        """
        states = np.array([self._block_states(block, part) for block in blocks])
        words = step(states[:, None], np.arange(BLOCK)[:, None])
        ranks = np.zeros(words.shape, dtype=np.uint8)
        signed = (words ^ _SIGN).view(np.int64)  # in the same order, compared faster
        for place in range(1, BLOCK):
            less = (signed[:, :place] < signed[:, place, None]).view(np.uint8)
            np.add.reduce(less, axis=1, dtype=np.uint8, out=ranks[:, place])
            # Words of different places are never equal.
            ranks[:, :place] += 1 - less
        shape = len(blocks) * BLOCK, states.shape[1]
        return words.reshape(shape), ranks.reshape(shape)


def _uniforms_of(words, ranks):
    uniforms = to_unit(mix(words + np.uint64(_JITTER)))
    uniforms += ranks
    uniforms /= BLOCK
    return np.minimum(uniforms, np.nextafter(1.0, 0.0), out=uniforms)


def _others(place):
    """The other places of a block."""
    return (other for other in range(BLOCK) if other != place)


def poisson_cdf(rate, size):
    """P(N <= k) for k = 0 .. size - 1."""
    term = np.exp(-rate)
    if size <= _FEW:  # a loop is faster here, and does the same sums
        term = total = float(term)
        cdf = [min(total, 1.0)]
        for k in range(1, size):
            term *= rate / k
            total += term
            cdf.append(min(total, 1.0))
        return np.array(cdf)
    terms = np.empty(size)
    terms[0] = term
    np.divide(rate, _COUNTS[1:size], out=terms[1:])
    return np.minimum(np.cumsum(np.cumprod(terms)), 1.0)


def empty_shares(fraction):
    """Between which shares of the replicates an occurrence is left out.

    In three or four of ten (for a fraction of 1), never in two or five.
    """
    empty = BLOCK * np.exp(-fraction)
    return np.floor(empty) / BLOCK, np.ceil(empty) / BLOCK


def _thresholds(rate, low, high, top):
    """N is the number of these at or below u, for u up to `top`."""
    size = int(rate + 4 * np.sqrt(rate) + 8)
    cdf = poisson_cdf(rate, size)
    while cdf[-1] <= top and size < len(_COUNTS):
        size = min(2 * size, len(_COUNTS))
        cdf = poisson_cdf(rate, size)
    cdf[0] = min(max(cdf[0], low), high)
    return np.maximum(cdf, low)


def stratum_counts(uniforms, weights, target, fraction):
    """Counts of one stratum whose weighted total comes nearest to a target.

    Parameters
    ----------
    uniforms : ndarray of shape (m,)
    weights : ndarray of shape (m,) or None
    target : float
        The total to reach, positive.
    fraction : float
        The expected count of an occurrence; sets how often it is left out.

    Returns
    -------
    ndarray of shape (m,), int
    """
    if weights is None:
        ordered = np.sort(uniforms)
    else:
        order = np.argsort(uniforms, kind="stable")
        ordered = uniforms[order]
        above = np.concatenate([np.cumsum(weights[order][::-1])[::-1], [0.0]])
    top = ordered[-1]

    def weight_from(cuts):
        """The weight of the occurrences at or above each cut."""
        place = np.searchsorted(ordered, cuts, side="left")
        return len(ordered) - place if weights is None else above[place]

    def total(rate, low, high):
        return float(weight_from(_thresholds(rate, low, high, top)).sum())

    low, high = empty_shares(fraction)  # given up where the stratum is too small for it
    if weight_from(low) <= 0 or weight_from(high) > target:
        low, high = 0.0, 1.0
    rate = _rate_for(target, fraction, lambda rate: total(rate, low, high))
    return _counts_at(uniforms, _thresholds(rate, low, high, top))


def _counts_at(uniforms, cuts):
    """How many of the cuts are at or below each uniform."""
    counts = np.empty(len(uniforms), dtype=np.int32)
    for start in range(0, len(uniforms), _CHUNK):
        own = uniforms[start : start + _CHUNK]
        reached = cuts[: np.searchsorted(cuts, own.max(initial=0.0), side="right")]
        if len(reached) > 2 * BLOCK:
            counts[start : start + _CHUNK] = np.searchsorted(cuts, own, side="right")
            continue
        total = np.zeros(len(own), dtype=np.uint8)
        for cut in reached:
            total += own >= cut
        counts[start : start + _CHUNK] = total
    return counts


def _rate_for(target, guess, total):
    """The rate at which an increasing step function comes nearest to a target.

    Totals grow about in proportion to the rate, so interpolation gets there in a few
    steps; every third step halves the bracket, which sees to an end. Which rate is
    found between two steps makes no difference to the counts.
    """
    floor, floor_total = 0.0, 0.0
    ceiling, ceiling_total = np.inf, np.inf
    rate = guess
    for turn in range(300):
        reached = total(rate)
        if reached == target:
            return rate
        if reached < target:
            floor, floor_total = rate, reached
        else:
            ceiling, ceiling_total = rate, reached
        if not np.isfinite(ceiling):
            if floor > _MOST:
                return floor
            # In proportion, a little further each time it falls short.
            growth = target / max(floor_total, 1e-300)
            rate = floor * min(2.0, max(1.1 if turn > 2 else 1.001, growth))
            continue
        share = 0.5
        if turn % 3 != 2:
            share = (target - floor_total) / (ceiling_total - floor_total)
        rate = floor + share * (ceiling - floor)
        if not floor < rate < ceiling:
            rate = (floor + ceiling) / 2
            if not floor < rate < ceiling:
                break
    # No rate meets the target exactly: the nearer side, but never nothing at all.
    nearer = target - floor_total < ceiling_total - target
    return floor if nearer and floor_total > 0 else ceiling


def poisson_counts(uniforms, fraction):
    """Counts at a fixed rate: each occurrence is drawn on its own."""
    low, high = empty_shares(fraction)
    cuts = _thresholds(fraction, low, high, uniforms.max(initial=0.0))
    return _counts_at(uniforms, cuts)


def strata_of(labels):
    """Positions of each label, labels in sorted order."""
    _, codes = np.unique(labels, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
