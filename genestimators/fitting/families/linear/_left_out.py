"""Which rows a draw leaves out, and answers for single rows that are left out."""

from dataclasses import dataclass, replace

import numpy as np


def left_out(draw, weight, n):
    """The rows that a draw leaves out, if it takes all others as they are.

    Parameters
    ----------
    draw : Draw
    weight : ndarray of shape (n,) or None
        Of all rows.
    n : int

    Returns
    -------
    rows : ndarray of int, increasing, or None
        Of positive weight.
    """
    inside = np.zeros(n, dtype=bool)
    inside[draw.rows] = True
    if np.count_nonzero(inside) < len(draw.rows):
        return None
    if (draw.counts != (1.0 if weight is None else weight[draw.rows])).any():
        return None
    return np.flatnonzero(~inside if weight is None else ~inside & (weight > 0))


def partition(draws, weight, n, most):
    """The first draws, if each row is left out by just one of them.

    Parameters
    ----------
    draws : Draws
    weight : ndarray of shape (n,) or None
    n : int
    most : int
        How many draws at the most.

    Returns
    -------
    taken : dict of ndarray of int
        The rows left out, by the number of the draw; empty where there are no such
        draws.
    """
    missing = np.ones(n, dtype=bool) if weight is None else weight > 0
    taken = {}
    for number in range(min(most, draws.limit or 0)):
        rows = left_out(draws[number], weight, n)
        if rows is None or not missing[rows].all():
            return {}
        missing[rows] = False
        taken[number] = rows
        if not missing.any():
            return taken
    return {}


def leaves_one_out(draws, n):
    """Whether draws look as if each left out one row of n."""
    if 2 * len(draws) < n or n < 3:
        return False
    return all(len(draws[i].rows) == n - 1 for i in (0, len(draws) - 1))


class SingleRows:
    """Answers for each row by the fit without it.

    Parameters
    ----------
    weight : ndarray of shape (n,) or None
        Rows of weight zero have no answers.
    n : int
    """

    def __init__(self, weight, n):
        self.weight = weight
        self.counted = np.arange(n) if weight is None else np.flatnonzero(weight)
        self.own_weight = None if weight is None else weight[self.counted]
        self.place = np.full(n, -1)
        self.place[self.counted] = np.arange(len(self.counted))
        self.answers = self.errors = self.safe = None

    def hold(self, answers, errors, safe):
        """Keep what is known of the rows that count.

        Parameters
        ----------
        answers, errors : ndarray of shape (m, q, n_counted)
        safe : ndarray of shape (n_counted,), bool
            Whose answers can be trusted.
        """
        self.answers, self.errors, self.safe = answers, errors, safe
        return self

    def of(self, draw):
        """The only row that a draw leaves out, its answers (m, q) and errors (m, q).

        Returns
        -------
        row, answers, errors, or None
            None where a draw is another one, or answers cannot be trusted.
        """
        rows = left_out(draw, self.weight, len(self.place))
        if rows is None or len(rows) != 1:
            return None
        i = self.place[rows[0]]
        if not self.safe[i]:
            return None
        return rows[0], self.answers[:, :, i], self.errors[:, :, i]


@dataclass(frozen=True, eq=False)
class LeftOutRow:
    """Answers for the one row that was left out; others need the fit itself.

    Attributes
    ----------
    row : ndarray of shape (p,)
    answers : ndarray of shape (m, q)
    fit : callable
        Returns a path with `outputs`.
    part : slice or ...
        Of the penalties of that path.
    """

    row: np.ndarray
    answers: np.ndarray
    fit: object
    part: object = ...

    def outputs(self, X):
        """Linear predictions, (m, q, n_rows)."""
        if np.array_equal(X, self.row[None]):
            return self.answers[:, :, None]
        return self.fit().outputs(X)[self.part]

    def take(self, part):
        """The same for some of the penalties."""
        return replace(self, answers=self.answers[part], part=part)
