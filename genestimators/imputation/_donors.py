"""Donors of one column: observed values beside what was predicted for them.

A row takes the value of a donor whose prediction is near its own. Nearness is counted
in rows: the donors are the nearest ones that together weigh as much as so many rows, a
weight of two being a row twice. Of donors that are equally far, and of which not all
are wanted, each has the same chance, by its weight; so an order among ties never
matters, not even where all predictions are equal.
"""

import numpy as np

_GRID = 2.0**30  # predictions are whole numbers of 2**-30: ties survive rounding
_FARTHEST = 2.0**30  # of a prediction, so that no difference overflows
_BEYOND = (1 << 61) + 1  # a distance that no two predictions have
_FAR = 1 << 62  # where those stand that limit the donors on both sides


def on_grid(predictions):
    """Predictions of standardized columns as whole numbers.

    Parameters
    ----------
    predictions : ndarray of float

    Returns
    -------
    places : ndarray of int64
    """
    bounded = np.clip(predictions, -_FARTHEST, _FARTHEST)
    return np.rint(bounded * _GRID).astype(np.int64)


class Donors:
    """The donors of a column, in the order of their predictions and then values.

    Parameters
    ----------
    predictions : ndarray of shape (n,)
        Of the standardized column; n is one or more.
    values : ndarray of shape (n,)
        Observed ones.
    weight : ndarray of shape (n,)
        Positive.
    """

    def __init__(self, predictions, values, weight):
        places = on_grid(predictions)
        order = np.lexsort((values, places))
        # Donor i stands at position i + 1, between two that are infinitely far.
        self._places = np.concatenate([[-_FAR], places[order], [_FAR]])
        self._values = values[order]
        alike = bool((weight == 1).all())
        self._weight = None if alike else np.cumsum(weight[order])

    def _before(self):
        """Weight of the donors before each position."""
        if self._weight is None:
            return np.maximum(np.arange(-1.0, len(self._values) + 1), 0.0)
        return np.concatenate([[0.0, 0.0], self._weight])

    def nearest(self, predictions):
        """Values of the nearest donors.

        Parameters
        ----------
        predictions : ndarray of shape (m,)

        Returns
        -------
        values : ndarray of shape (m,)
            The weighted median, the lower one of two, among donors of the nearest
            prediction, which is the lower one if two are equally near.
        """
        places, before, here = self._places, self._before(), on_grid(predictions)
        at = np.searchsorted(places, here)
        below, above = places[at - 1], places[at]
        best = np.where(here - below <= above - here, below, above)
        start = np.searchsorted(places, best, side="left")
        stop = np.searchsorted(places, best, side="right")
        middle = before[start] + (before[stop] - before[start]) / 2
        found = np.searchsorted(before, middle, side="left") - 1
        return self._values[np.clip(found, start, stop - 1) - 1]

    def draw(self, predictions, n_donors, uniforms):
        """Values of donors that are drawn from the nearest ones.

        Parameters
        ----------
        predictions : ndarray of shape (m,)
        n_donors : int
            How many rows the donors count for; all donors if they are fewer.
        uniforms : ndarray of shape (m,)
            Numbers between zero and one, which decide.

        Returns
        -------
        values : ndarray of shape (m,)
        """
        places, before, here = self._places, self._before(), on_grid(predictions)
        order = np.argsort(here)  # for the speed of searches alone
        here, uniforms = here[order], uniforms[order]
        wanted = min(float(n_donors), before[-1])
        reach = _reach(places, before, here, wanted)
        # Those nearer than the reach stand from `first` to `last`, those at it before
        # and after them.
        start = np.searchsorted(places, here - reach, side="left")
        first = np.searchsorted(places, here - reach, side="right")
        last = np.maximum(np.searchsorted(places, here + reach, side="left"), first)
        stop = np.searchsorted(places, here + reach, side="right")

        target = uniforms * wanted
        nearer = before[last] - before[first]
        at_left, at_right = before[first] - before[start], before[stop] - before[last]
        rest = wanted - nearer
        tied = np.zeros(len(rest))
        np.divide(target - nearer, rest, out=tied, where=rest > 0)
        tied *= at_left + at_right
        choices = [target < nearer, tied < at_left]
        target = np.select(
            choices,
            [before[first] + target, before[start] + tied],
            before[last] + tied - at_left,
        )
        low = np.select(choices, [first, start], last)
        high = np.select(choices, [last, first], stop) - 1
        found = np.searchsorted(before, target, side="right") - 1
        found = np.clip(np.clip(found, low, high), 1, len(self._values))
        values = np.empty(len(order))
        values[order] = self._values[found - 1]
        return values


def _reach(places, before, here, wanted):
    """The least distance within which the donors weigh as much as is wanted.

    The nearest donors stand side by side. Let a window begin at some donor and take in
    as many as `wanted` has room for: the window to choose is the first whose beginning
    is no farther than the donor that follows it. It is found by bisection among the
    windows that come near the row at all, which are about as many as `wanted`.

    Parameters
    ----------
    places : ndarray of shape (n + 2,), int64
        Ascending.
    before : ndarray of shape (n + 2,)
    here : ndarray of shape (m,), int64
    wanted : float
        No more than all weights together.

    Returns
    -------
    reach : ndarray of shape (m,), int64
    """

    def follows(begin):
        return np.searchsorted(before, before[begin] + wanted, side="right") - 1

    high = np.searchsorted(places, here)
    low = np.maximum(np.searchsorted(before, before[high] - wanted) - 1, 1)
    while True:
        open_ = low < high
        if not open_.any():
            break
        middle = (low + high) // 2
        fits = here - places[middle] <= places[follows(middle)] - here
        high = np.where(open_ & fits, middle, high)
        low = np.where(open_ & ~fits, middle + 1, low)
    reach = np.minimum(here - places[low - 1], places[follows(low)] - here)
    return np.minimum(reach, _BEYOND)  # where all donors are wanted
