"""Limited-memory BFGS for functions that are infinite outside an open region."""

import numpy as np

_MEMORY = 10
_SUFFICIENT = 1e-4  # share of the slope that a step has to earn
_SHRINK = 0.4


def minimize(function, start, *, tolerance=1e-9, max_steps=200):
    """Minimise a smooth function, staying where it is finite.

    Plain backtracking rather than an interpolating line search: an infinite value
    only says that a step was too long.

    Parameters
    ----------
    function : callable
        Gives the value and the gradient at a point; the value is infinite outside.
    start : ndarray of shape (n,)
        A point with a finite value.
    tolerance : float, default=1e-9
        Stops when a step gains less than this share of the value, two times running.
    max_steps : int, default=200

    Returns
    -------
    ndarray of shape (n,)
    """
    point = start
    value, slope = function(point)
    steps, changes, idle = [], [], 0
    for _ in range(max_steps):
        direction = -_times_inverse_hessian(slope, steps, changes)
        along = slope @ direction
        if not along < 0:
            break
        length = 1.0 if steps else min(1.0, 1.0 / np.abs(slope).max())
        while True:
            candidate = point + length * direction
            new_value, new_slope = function(candidate)
            if new_value <= value + _SUFFICIENT * length * along:
                break
            length *= _SHRINK
            if length < 1e-12:
                return point
        step, change = candidate - point, new_slope - slope
        if step @ change > 1e-12 * (step @ step) ** 0.5 * (change @ change) ** 0.5:
            steps, changes = (
                [*steps, step][-_MEMORY:],
                [*changes, change][-_MEMORY:],
            )
        idle = idle + 1 if value - new_value <= tolerance * abs(value) else 0
        point, value, slope = candidate, new_value, new_slope
        if idle == 2:
            break
    return point


def _times_inverse_hessian(slope, steps, changes):
    """The two-loop recursion (Nocedal, 1980)."""
    found = slope.copy()
    shares = []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        share = (step @ found) / (step @ change)
        found -= share * change
        shares.append(share)
    if steps:
        found *= (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for step, change, share in zip(steps, changes, reversed(shares), strict=True):
        found += (share - (change @ found) / (step @ change)) * step
    return found
