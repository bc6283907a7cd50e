"""How many replicates are enough: `n_estimators="auto"`.

For squared and Brier loss the loss of a mean of B members exceeds that of infinitely
many by V / B, with V the variance between members (less, where draws are balanced).
A pilot block of ten tells V and the limit R; the number asked for is the least B with
V / B <= tolerance x R, and it is asked again with what has been fitted by then.
"""

import math

import numpy as np

PILOT = 10

_NEGLIGIBLE = 1e-12


def replicates_needed(sums, weight, tolerance, scale, order=slice(None)):
    """The number of replicates that brings the Monte-Carlo excess under tolerance.

    Parameters
    ----------
    sums : OutOfBagSums
        Over the occurrences, so that weighted and repeated data decide alike.
    weight : ndarray of shape (n,) or None
    tolerance : float
        Relative to the loss of infinitely many members.
    scale : ndarray of shape (n_outputs,)
        Divides the loss of each output, to make outputs comparable.
    order : ndarray or slice, optional
        The order in which to add up, for sums that do not depend on that of the rows.

    Returns
    -------
    float
        Infinite where the loss cannot be told.

    References
    ----------
    .. [1] Lopes, M. E., Wu, S. & Lee, T. C. M. (2020). Measuring the algorithmic
       convergence of randomized ensembles: the regression setting. SIAM Journal on
       Mathematics of Data Science 2, 921-943.
    """
    limit = sums.limit_loss()[order]
    told = ~np.isnan(limit[:, 0])
    if not told.any():
        return math.inf
    share = np.ones(told.sum()) if weight is None else weight[told]
    share = share / share.sum()
    limit = float(share @ (limit[told] / scale).mean(axis=1))
    single = float(share @ (sums.member_loss()[order][told] / scale).mean(axis=1))
    excess = max(single - limit, 0.0)
    # Nothing to gain, or a loss that is rounding error beside the spread of y.
    centred = sums.targets[order] - sums.targets[order].mean(axis=0)
    spread = float((sums.by_output(centred**2) / scale).mean())
    if excess <= _NEGLIGIBLE * single or single <= _NEGLIGIBLE * spread:
        return 0.0
    if limit <= 0:
        return math.inf
    # Rounded so that the last bits of a sum do not decide.
    return float(np.float32(excess / (tolerance * limit)))


def next_goal(needed, done, most):
    """The number of replicates to reach next: whole blocks, at most `most`."""
    if needed <= done:
        return done
    if not math.isfinite(needed):
        return most
    return min(most, PILOT * math.ceil(needed / PILOT))
