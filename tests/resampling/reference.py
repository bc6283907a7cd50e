"""Draws made slowly, one occurrence at a time, straight from the documentation."""

import math

import numpy as np
from scipy.stats import poisson

from genestimators.resampling._balanced import _JITTER, BLOCK
from genestimators.resampling._hashing import GOLDEN, derive, mix_int


def uniform(state, word, number):
    """The uniform of one occurrence in one replicate: (pi(b) + v) / 10."""
    block, place = divmod(number, BLOCK)
    own = mix_int(state ^ derive(word, block))
    words = [mix_int(own + GOLDEN * (b + 1)) for b in range(BLOCK)]
    permutation = [sorted(words).index(each) for each in words]
    v = (mix_int(words[place] + _JITTER) >> 11) / 2**53
    return (permutation[place] + v) / BLOCK


def quantiles(uniforms, rate, low, high):
    """Poisson quantiles; none below `low`, at least one from `high` on."""
    counts = []
    for u, count in zip(uniforms, poisson.ppf(uniforms, rate), strict=True):
        if u < low:
            count = 0
        elif u >= high:
            count = max(1, count)
        counts.append(max(0, int(count)))
    return np.array(counts)


def tenths(fraction):
    """An occurrence is left out in so many or so many replicates of ten."""
    empty = BLOCK * math.exp(-fraction)
    return math.floor(empty) / BLOCK, math.ceil(empty) / BLOCK


def stratum_counts(uniforms, weights, target, fraction):
    """Counts of a stratum whose weight comes nearest to the target, by bisection."""
    low, high = tenths(fraction)
    least = sum(w for u, w in zip(uniforms, weights, strict=True) if u >= high)
    if all(u < low for u in uniforms) or least > target:
        low, high = 0.0, 1.0

    def total(rate):
        return float(quantiles(uniforms, rate, low, high) @ weights)

    below, above = 1e-300, 1.0
    while total(above) < target:
        below, above = above, 2 * above
    for _ in range(100):
        middle = (below + above) / 2
        if total(middle) == target:
            return quantiles(uniforms, middle, low, high)
        if total(middle) < target:
            below = middle
        else:
            above = middle
    best = above
    if 0 < total(below) and target - total(below) < total(above) - target:
        best = below
    return quantiles(uniforms, best, low, high)
