"""Which units a set of knockoff statistics selects.

A statistic W is positive where a unit matters more than its knockoff, and for a unit
without effect of its own it is as likely negative as positive, whatever the others are.
So the units with W <= -t estimate how many of those with W >= t are false [1]_.

One copy selects at the least t with (offset + #{W <= -t}) <= alpha * #{W >= t}. Other
copies would have selected others, so several are averaged by e-values [2]_: each copy
gives e = n_units * 1{W >= t} / (1 + #{W <= -t}), whose expectations over the units
without effect add up to at most n_units. So do those of the mean over copies, whatever
the dependence between them, and the e-BH procedure [3]_ applied to the mean holds the
false discovery rate.

References
----------
.. [1] Barber, R. F. & Candes, E. J. (2015). Controlling the false discovery rate via
   knockoffs. Annals of Statistics 43, 2055-2085.
.. [2] Ren, Z. & Barber, R. F. (2024). Derandomised knockoffs: leveraging e-values for
   false discovery rate control. Journal of the Royal Statistical Society B 86, 122-154.
.. [3] Wang, R. & Ramdas, A. (2022). False discovery rate control with e-values. Journal
   of the Royal Statistical Society B 84, 822-852.
"""

import numpy as np

# Ratios of small integers meet their level exactly, but for rounding.
_SLACK = 1e-12


def knockoff_e_values(statistics, alpha, offset=1):
    """The e-value of each unit, averaged over copies.

    The threshold may be any stopping time of a search from small t to large t that sees
    the signs of the units it has passed and how many of each sign are left [2]_. Here
    it is the first t that meets the rule of one copy at alpha / 2 where there are
    several, so that a unit may be missed by some; once fewer than 2 / alpha units with
    W >= t are left, which never meet it, at alpha; once fewer than 1 / alpha are left,
    the present t: a copy that selects nothing still tells the leading units apart. (Ren
    and Barber stop at 2 / alpha, which leaves less than 20 discoveries without a chance
    at alpha = 0.1.)

    Parameters
    ----------
    statistics : ndarray of shape (n_copies, n_units)
    alpha : float in (0, 1)
    offset : {0, 1}, default=1
        With 1, the e-values hold the false discovery rate. With 0, those of one copy
        select what the original filter [1]_ without its "+1" selects, which holds a
        modified rate only; their means over copies follow it without a theorem.

    Returns
    -------
    ndarray of shape (n_units,)
    """
    n_copies, n_units = statistics.shape
    level = alpha if n_copies == 1 else alpha / 2
    bars, positive, negative = _bars(statistics, level, alpha, offset)
    copies = np.flatnonzero(np.isfinite(bars))
    taken = statistics[copies] >= bars[copies, None]
    if offset:
        false = 1.0 + negative[copies]
    else:
        # As large as e-BH needs for all that are taken, and no larger.
        false = np.maximum(negative[copies], level * positive[copies])
    return n_units * (taken / np.maximum(false, _SLACK)[:, None]).sum(axis=0) / n_copies


def thresholds(statistics, alpha, offset=1):
    """The statistic that a unit has to reach in each copy.

    Parameters
    ----------
    statistics, alpha, offset
        As `knockoff_e_values` takes them.

    Returns
    -------
    bars : ndarray of shape (n_copies,)
        Infinite where nothing reaches it.
    """
    level = alpha if len(statistics) == 1 else alpha / 2
    return _bars(statistics, level, alpha, offset)[0]


def _bars(statistics, level, alpha, offset):
    """Threshold of each copy, and how many units are beyond it on either side."""
    n_copies, n_units = statistics.shape
    size = np.abs(statistics)
    order = np.argsort(-size, axis=1, kind="stable")
    size = np.take_along_axis(size, order, axis=1)
    ranked = np.take_along_axis(statistics, order, axis=1)
    positive = np.cumsum(ranked > 0, axis=1)
    negative = np.cumsum(ranked < 0, axis=1)
    # Places where the next is smaller: units of one size are taken together.
    ends = np.ones(size.shape, dtype=bool)
    ends[:, :-1] = size[:, 1:] < size[:, :-1]
    allowed = level * positive * (1 + _SLACK)
    stops = offset + negative <= allowed
    if offset:
        few = level * positive * (1 + _SLACK) < 1
        at_alpha = alpha * positive * (1 + _SLACK)
        stops |= few & ((offset + negative <= at_alpha) | (at_alpha < 1))
    stops &= ends & (size > 0)
    place = n_units - 1 - np.argmax(stops[:, ::-1], axis=1)
    copies = np.arange(n_copies)
    bars = np.where(stops.any(axis=1), size[copies, place], np.inf)
    return bars, positive[copies, place], negative[copies, place]


def e_bh_q_values(e_values):
    """The least level at which e-BH selects each unit, given its e-values.

    Parameters
    ----------
    e_values : ndarray of shape (n_units,)

    Returns
    -------
    ndarray of shape (n_units,)
        At most 1.
    """
    n_units = len(e_values)
    order = np.argsort(-e_values, kind="stable")
    with np.errstate(divide="ignore"):
        needed = n_units / (np.arange(1, n_units + 1) * e_values[order])
    q_values = np.empty(n_units)
    q_values[order] = np.minimum(1.0, np.minimum.accumulate(needed[::-1])[::-1])
    return q_values


def selected(q_values, alpha):
    """The units whose q-value is at most alpha."""
    return q_values <= alpha * (1 + _SLACK)


def fewest_discoveries(alpha, offset=1):
    """The least number of units, other than none, that can be selected."""
    return int(np.ceil(1 / alpha * (1 - _SLACK))) if offset else 1
