"""Folds of ridge regression from common sums, or from one decomposition."""

from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators._inputs import take_rows
from genestimators.fitting._composites import make_path
from genestimators.fitting.families._gram import column_means, sum_moments
from genestimators.fitting.families._ridge_solutions import leave_one_out, solve_moments

EPS = np.finfo(np.float64).eps
_BLOCK = 2**17  # numbers in a block of rows
_MOST_KEPT = 2**23  # numbers in the sums of folds, if X does not have more itself
_KEPT = 1e-4  # of a sum of squares that must remain when others are subtracted
_MOST_SINGLE = 2**25  # numbers in the answers for all rows, each left out


def plain_scalers(steps):
    """(with_mean, with_std) of steps that are all StandardScalers, else None."""
    if any(type(step) is not StandardScaler for step in steps):
        return None
    settings = [(step.with_mean, step.with_std) for step in steps]
    if not all(isinstance(one, (bool, np.bool_)) for pair in settings for one in pair):
        return None
    return settings


def leaves_one_out(draws, n):
    """Whether draws look as if each left out one row of n."""
    if 2 * len(draws) < n or n < 3:
        return False
    return all(len(draws[i].rows) == n - 1 for i in (0, len(draws) - 1))


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


class FoldMoments:
    """Moments of the rows of each draw, from those of all rows.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    Y : ndarray of shape (n, q)
    weight : ndarray of shape (n,) or None
    draws : Draws
        With an end. Where the rows that the first of them leave out are a partition,
        every row is touched once for all draws of it.

    Attributes
    ----------
    whole : Moments
        Of all rows.
    known : dict
        Moments of the rows left out, by the number of the draw.
    """

    def __init__(self, X, Y, weight, draws):
        self.X, self.Y, self.weight = X, Y, weight
        self.counted = np.ones(len(X), bool) if weight is None else weight > 0
        rows = slice(None) if self.counted.all() else np.flatnonzero(self.counted)
        own = None if weight is None else weight[rows]
        self.x_shift = column_means(X[rows], own)
        self.y_shift = column_means(Y[rows], own)
        self.known = {
            number: self._sums(taken, self._own(taken))
            for number, taken in self._partition(draws)
        }
        if self.known:
            self.whole = reduce(add, self.known.values())
        else:
            self.whole = self._sums(np.flatnonzero(self.counted), own)

    def _partition(self, draws):
        """The first draws, if each row is left out by just one of them."""
        n, p = self.X.shape
        most = max(n * p, _MOST_KEPT) // (p + self.Y.shape[1]) ** 2
        found, covered = [], np.zeros(n, dtype=bool)
        for number in range(min(most, len(draws))):
            rows = left_out(draws[number], self.weight, n)
            if rows is None or covered[rows].any():
                return []
            covered[rows] = True
            found.append((number, rows))
            if covered[self.counted].all():
                return found
        return []

    def _own(self, rows):
        return None if self.weight is None else self.weight[rows]

    def _sums(self, rows, weight):
        # Rows are taken in blocks that stay in the cache until they are summed.
        size = max(2 * self.X.shape[1], _BLOCK // self.X.shape[1])
        parts = []
        for start in range(0, max(1, len(rows)), size):
            some = rows[start : start + size]
            own = None if weight is None else weight[start : start + size]
            if len(some) and some[-1] - some[0] + 1 == len(some):
                if (np.diff(some) == 1).all():
                    some = slice(some[0], some[-1] + 1)  # a view, no copy
            X, Y = self.X[some], self.Y[some]
            parts.append(sum_moments(X, Y, own, self.x_shift, self.y_shift))
        return reduce(add, parts)

    def solve(self, number, draw, scalers, fit_intercept, alphas):
        """Ridge regression on the rows of a draw, or None where digits were lost.

        Parameters
        ----------
        number : int
            Of the draw.
        draw : Draw
        scalers, fit_intercept, alphas
            As in `solve_moments`.

        Returns
        -------
        Solution or None
        """
        rows = left_out(draw, self.weight, len(self.X))
        if rows is not None and len(rows) < len(draw.rows):
            if number in self.known:
                less = self.known[number]
            else:
                less = self._sums(rows, self._own(rows))
            before, moments = self.whole, self.whole - less
        else:
            before = moments = self._sums(draw.rows, draw.counts)
        if not self._trusted(before, moments):
            return None
        found = solve_moments(
            moments, self.x_shift, self.y_shift, scalers, fit_intercept, alphas
        )
        return found if found.fine.all() else None

    def _trusted(self, before, moments):
        """Whether enough digits of each column are left after subtraction.

        Sums of squares must not have shrunk too much, and variances must be well above
        what StandardScaler takes for rounding. Columns that are constant in all rows
        are exactly zero after the shift, and do no harm.
        """
        weight = moments.weight
        squares = np.concatenate([np.diag(moments.xx), moments.yy])
        sums = np.concatenate([moments.x, moments.y])
        first = np.concatenate([np.diag(before.xx), before.yy])
        scatter = squares - sums**2 / weight
        shift = np.concatenate([self.x_shift, self.y_shift])
        rounding = (
            weight * (weight * (np.abs(shift) + np.abs(sums) / weight) * EPS) ** 2
        )
        whole = np.concatenate([np.diag(self.whole.xx), self.whole.yy])
        enough = (scatter >= _KEPT * first) & (scatter > 10 * rounding)
        return bool((enough | (whole == 0)).all())


class SharedRidge:
    """The folds of a splitter, fitted from common sums.

    Parameters
    ----------
    family : RidgeAlpha
    steps : list of StandardScaler
    estimator, X, y, draws, values
        As in `Family.share`.
    rows : Rows
    weight : ndarray of shape (n,) or None
    alone : bool
        Whether draws leave out one row each.
    """

    def __init__(
        self, family, steps, estimator, X, y, rows, weight, draws, values, alone
    ):
        self.family = family
        self.chain = make_pipeline(*steps, estimator) if steps else estimator
        self.scalers = plain_scalers(steps)
        self.intercept = estimator.fit_intercept
        self.X, self.y, self.rows, self.weight = X, y, rows, weight
        self.unit_counts = draws.unit_counts
        self.values = values
        self.alphas = np.asarray(values, dtype=np.float64)
        self.moments = None
        if rows.X.shape[1] <= len(draws[0].rows):
            self.moments = FoldMoments(rows.X, rows.Y, weight, draws)
        self.single = None
        if alone and len(values) * rows.Y.size <= _MOST_SINGLE:
            self.single = self._all_single(weight)

    def _all_single(self, weight):
        """Answers for each row by the fit without it, and places of rows in them."""
        n = len(self.rows.X)
        counted = np.arange(n) if weight is None else np.flatnonzero(weight)
        own = None if weight is None else weight[counted]
        place = np.full(n, -1)
        place[counted] = np.arange(len(counted))
        X, Y = self.rows.X[counted], self.rows.Y[counted]
        found = leave_one_out(X, Y, own, self.intercept, self.alphas)
        return None if found is None else (place, *found)

    def fit_path(self, number, draw):
        """The path of a draw, for rows before any step."""
        if self.rows.classes is not None:
            codes = self.rows.codes[draw.rows]
            if not np.bincount(codes, minlength=len(self.rows.classes)).all():
                return self._apart(draw)
        path = None if self.single is None else self._left_out(number, draw)
        return self._from_moments(number, draw) if path is None else path

    def _path(self, linear, errors):
        path = self.family.path(
            self.rows.estimator,
            self.values,
            linear,
            flat=self.y.ndim == 1,
            n_outputs=self.rows.Y.shape[1],
            classes=self.rows.classes,
            errors=errors,
        )
        path.family = self.family
        return path

    def _left_out(self, number, draw):
        place, answers, errors, safe = self.single
        rows = left_out(draw, self.weight, len(self.rows.X))
        if rows is None or len(rows) != 1 or not safe[place[rows[0]]]:
            return None
        i = place[rows[0]]
        linear = LeftOutRow(
            self.rows.X[rows[0]],
            answers[:, :, i],
            partial(self._from_moments, number, draw),
        )
        return self._path(linear, errors[:, :, i])

    def _from_moments(self, number, draw):
        found = None
        # With fewer rows than columns their products are smaller, and exact where
        # those of the columns leave directions to rounding.
        if self.moments is not None and self.rows.X.shape[1] <= len(draw.rows):
            found = self.moments.solve(
                number, draw, self.scalers, self.intercept, self.alphas
            )
        if found is None:
            return self._apart(draw)
        return self._path(found, found.errors)

    def _apart(self, draw):
        """The path of a draw from its own rows."""
        param = self.family.param
        if self.scalers:
            param = f"{self.chain.steps[-1][0]}__{param}"
        weight = None if self.unit_counts else np.asarray(draw.counts, dtype=float)
        X, y = take_rows(self.X, draw.rows), self.y[draw.rows]
        return make_path(self.chain, param, self.values, X, y, weight)
