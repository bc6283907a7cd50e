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
        self._ranks = None

    def __getstate__(self):
        return {"states": self.states, "seed": self.seed}

    def __setstate__(self, state):
        self.__init__(**state)

    def __call__(self, number):
        """The uniforms of replicate `number`, shape (m,), in [0, 1)."""
        block, place = divmod(number, BLOCK)
        ranks = self._ranks_of(block)[place]
        words = step(self._block_states(block, slice(None)), place)
        jitter = to_unit(mix(words + np.uint64(_JITTER)))
        return np.minimum((ranks + jitter) / BLOCK, np.nextafter(1.0, 0.0))

    def _block_states(self, block, part):
        word = derive(self.seed, block) & MASK
        return mix(self.states[part] ^ np.uint64(word))

    def _ranks_of(self, block):
        """The tenth of each occurrence in each replicate of a block, (10, m)."""
        if self._block != block:
            ranks = np.zeros((BLOCK, len(self.states)), dtype=np.uint8)
            for start in range(0, len(self.states), _CHUNK):
                part = slice(start, start + _CHUNK)
                states = self._block_states(block, part)
                words = [step(states, place) for place in range(BLOCK)]
                for i in range(BLOCK):
                    for j in range(i):
                        above = words[i] > words[j]
                        ranks[i, part] += above
                        ranks[j, part] += ~above
            self._block, self._ranks = block, ranks
        return self._ranks


def poisson_cdf(rate, size):
    """P(N <= k) for k = 0 .. size - 1."""
    terms = np.ones(size)
    terms[1:] = rate / np.arange(1, size)
    return np.minimum(np.exp(-rate) * np.cumsum(np.cumprod(terms)), 1.0)


def _thresholds(rate, low, high):
    """N is the number of these at or below u."""
    size = int(rate + 12 * np.sqrt(rate) + 25)
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
    ordered = np.sort(uniforms) if weights is None else None
    if weights is None:
        above = np.arange(len(uniforms), -1, -1)
    else:
        order = np.argsort(uniforms, kind="stable")
        ordered = uniforms[order]
        above = np.concatenate([np.cumsum(weights[order][::-1])[::-1], [0.0]])

    def total(rate, low, high):
        cuts = _thresholds(rate, low, high)
        return above[np.searchsorted(ordered, cuts, side="left")].sum()

    # Left out in three or four of ten replicates (for a fraction of 1), never in two
    # or five; given up where the stratum is too small to meet its total that way.
    empty = BLOCK * np.exp(-fraction)
    low, high = np.floor(empty) / BLOCK, np.ceil(empty) / BLOCK
    possible = above[np.searchsorted(ordered, low, side="left")] > 0
    if not possible or total(0.0, low, high) > target:
        low, high = 0.0, 1.0
    floor, ceiling = 0.0, 1.0
    floor_total = total(floor, low, high)
    ceiling_total = total(ceiling, low, high)
    while ceiling_total < target and ceiling < 512:
        floor, floor_total = ceiling, ceiling_total
        ceiling *= 2
        ceiling_total = total(ceiling, low, high)
    rate, reached = ceiling, ceiling_total
    for _ in range(200):
        if reached == target or not floor < (middle := (floor + ceiling) / 2) < ceiling:
            break
        rate, reached = middle, total(middle, low, high)
        if reached < target:
            floor, floor_total = rate, reached
        else:
            ceiling, ceiling_total = rate, reached
    if reached != target:  # no rate meets it exactly: the nearer side, never nothing
        nearer = target - floor_total < ceiling_total - target
        rate = floor if nearer and floor_total > 0 else ceiling
    cuts = _thresholds(rate, low, high)
    return np.searchsorted(cuts, uniforms, side="right")


def poisson_counts(uniforms, fraction):
    """Counts at a fixed rate: each occurrence is drawn on its own."""
    empty = BLOCK * np.exp(-fraction)
    cuts = _thresholds(fraction, np.floor(empty) / BLOCK, np.ceil(empty) / BLOCK)
    return np.searchsorted(cuts, uniforms, side="right")


def strata_of(labels):
    """Positions of each label, labels in sorted order."""
    _, codes = np.unique(labels, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
