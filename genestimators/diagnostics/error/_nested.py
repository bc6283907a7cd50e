"""The error on new rows, and how far off cross-validation is, by nesting it.

Within the rows outside of a fold, cross-validation says what to expect on that fold,
and models of the same rows say what is met there. The square of the difference is the
error that is asked for and the noise of a small fold, and that noise is known.
"""

from itertools import combinations

import numpy as np

from genestimators.diagnostics._extrapolation import extrapolate_power
from genestimators.diagnostics.error._estimate import estimate_of, freedom_of
from genestimators.resampling import Draws

N_FOLDS = 10
N_REPEATS = 10
LEAST_FOLDS = 3  # models of the inner folds learn from all but two


def by_nested_cv(question):
    """Nested cross-validation of Bates, Hastie and Tibshirani (2024).

    Folds hold two units or more, since their spread is needed, so there are fewer of
    them than `N_FOLDS` where there are few units.

    Parameters
    ----------
    question : Question

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If there are fewer than six groups.
    """
    n_folds = min(N_FOLDS, question.n_units // 2)
    if n_folds < LEAST_FOLDS:
        raise ValueError(
            f"method='nested_cv' needs at least {2 * LEAST_FOLDS} groups of rows of "
            f"positive weight. Got {question.n_units}; set "
            'method="cross_validation", or pass more groups.'
        )
    n_repeats = question.n_repeats or N_REPEATS
    draws = NestedDraws(question.folds(n_folds), n_folds)
    inner, outer, folds = _losses(question, draws, n_repeats)
    nested = inner.sum(axis=(0, 1)) / (n_repeats * (n_folds - 1))
    plain = (question.shares @ outer).mean(axis=0)
    loss = float(question.scale @ unbiased(nested, plain, n_folds))
    if question.measure.kind == "accuracy":
        loss = min(loss, 1.0)

    # The constant that R2 and D2 compare with is of these rows too.
    moving = question.deviations(np.broadcast_to(nested, outer.shape[1:]))
    found = [
        squared_error(
            inner[repeat] @ question.scale,
            outer[repeat] @ question.scale,
            folds[repeat],
            question.units,
            question.shares,
            moving,
        )
        for repeat in range(n_repeats)
    ]
    square, naive = np.mean(found, axis=0)
    # What is seen is the error of folds on all rows but those of one.
    square *= (n_folds - 1) / n_folds
    variance = min(max(square, naive), n_folds * naive)
    own = question.shares * question.deviations(outer.mean(axis=0))
    return estimate_of(
        question,
        loss,
        float(np.sqrt(variance)),
        freedom=freedom_of(question.unit_sums(own)),
        n_fits=n_repeats * len(draws.left_out),
    )


class NestedDraws(Draws):
    """Draws that leave out one fold, and then two folds of the same repeat.

    A fit without two folds serves both: it is tested on the one for the
    cross-validation within all rows but the other.

    Parameters
    ----------
    folds : RepeatedFoldDraws
    n_folds : int

    Attributes
    ----------
    left_out : list of tuple of int
        The folds that each draw of a repeat leaves out.
    """

    def __init__(self, folds, n_folds):
        super().__init__(
            folds.occurrences,
            folds.n_rows,
            folds.seed,
            row_weight=folds.row_weight,
            importance=folds.importance,
            clusters=folds.clusters,
        )
        self.left_out = [(fold,) for fold in range(n_folds)]
        self.left_out += combinations(range(n_folds), 2)
        self.balanced_block = len(self.left_out)
        self._folds = folds

    def place_of(self, number):
        """The repeat of a draw, and the folds that it leaves out."""
        repeat, place = divmod(number, len(self.left_out))
        return repeat, self.left_out[place]

    def folds_of(self, repeat):
        """The fold of each row in a repeat, (n_rows,); -1 of those of no weight."""
        folds = np.full(self.n_rows, -1)
        folds[self.occurrences.rows] = self._folds.folds_of(repeat)
        return folds

    def counts_of(self, number):
        repeat, left = self.place_of(number)
        return np.isin(self._folds.folds_of(repeat), left, invert=True).astype(np.intp)


def _losses(question, draws, n_repeats):
    """Losses within all rows but a fold, those on the fold itself, and the folds.

    Returns
    -------
    inner : ndarray of shape (n_repeats, n_folds, n_outputs)
        Sums, by shares of the rows, of cross-validation within all but a fold.
    outer : ndarray of shape (n_repeats, n_used, n_outputs)
        Of rows by models without their fold.
    folds : ndarray of shape (n_repeats, n_used), int
    """
    used = question.used
    n_folds, n_outputs = draws.left_out[-1][-1] + 1, len(question.scale)
    inner = np.zeros((n_repeats, n_folds, n_outputs))
    outer = np.empty((n_repeats, len(used), n_outputs))
    folds = np.stack([draws.folds_of(repeat)[used] for repeat in range(n_repeats)])
    numbers = range(n_repeats * len(draws.left_out))
    read = question.read(draws, numbers, noun="fold")
    for number, (_, rows, losses) in zip(numbers, read, strict=True):
        repeat, left = draws.place_of(number)
        if len(left) == 1:
            outer[repeat, rows] = losses
            continue
        for tested, other in (left, left[::-1]):
            own = folds[repeat, rows] == tested
            inner[repeat, other] += question.shares[rows[own]] @ losses[own]
    return inner, outer, folds


def unbiased(nested, plain, n_folds):
    """Mean losses of a fit on all rows, from those of fits without two and one fold.

    Parameters
    ----------
    nested, plain : ndarray of shape (n_outputs,)
        Of models without two folds and without one.
    n_folds : int

    Returns
    -------
    loss : ndarray of shape (n_outputs,)
        A power of the number of rows where the correction would end below zero, where
        losses have no business.
    """
    excess = 1 + ((n_folds - 2) / n_folds) ** 1.5
    centre = nested - excess * (nested - plain)
    sizes = np.array([n_folds - 2.0, n_folds - 1.0])
    power = extrapolate_power(np.stack([nested, plain]), sizes, float(n_folds))[0]
    return np.where(centre > 0, centre, power)


def squared_error(inner, outer, folds, units, shares, moving):
    """The mean squared error of cross-validation in one repeat, and the naive one.

    Parameters
    ----------
    inner : ndarray of shape (n_folds,)
        Sums of shares times losses over all rows that are not in a fold.
    outer : ndarray of shape (n,)
        Losses by models without the row's fold.
    folds, units : ndarray of shape (n,), int
        A unit is in one fold.
    shares : ndarray of shape (n,)
        Weights of the rows; they add up to one.
    moving : ndarray of shape (n,)
        What each row adds to its loss whatever the model.

    Returns
    -------
    square : float
        Of cross-validation on all rows but a fold; may be negative.
    naive : float
        Variance of the mean of independent units.
    """
    n_folds = len(inner)
    sums, weights = (
        np.bincount(units, shares * (outer + moving)),
        np.bincount(units, shares),
    )
    fold_of_unit = np.empty(len(sums), dtype=np.intp)
    fold_of_unit[units] = folds
    moved = np.bincount(folds, shares * moving, minlength=n_folds)
    size = np.bincount(folds, shares, minlength=n_folds)
    expected = (inner + moved.sum() - moved) / (1 - size)
    square = np.empty(n_folds)
    for fold in range(n_folds):
        own = sums[fold_of_unit == fold], weights[fold_of_unit == fold]
        met = own[0].sum() / own[1].sum()
        square[fold] = (expected[fold] - met) ** 2 - _variance_of_mean(*own)
    return square.mean(), _variance_of_mean(sums, weights)


def _variance_of_mean(sums, weights):
    """Variance of a weighted mean of independent units."""
    n, total = len(sums), weights.sum()
    rest = sums - weights * (sums.sum() / total)
    return n / (n - 1) * (rest**2).sum() / total**2
