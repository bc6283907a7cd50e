"""The error on new rows, from folds and halves, with what training rows add to it.

The mean loss m on rows left out by folds is a U-statistic: it varies since other rows
would have been tested on, and since models would have learned from other rows. Both are
seen in the same fits. A row's loss, averaged over the models that did not have it, is
its part in the first; how much better others are predicted by models that had it, the
second (the infinitesimal jackknife; Efron, 2014; Wager, Hastie and Efron, 2014). The
effect of a single row is buried in the noise of a few hundred fits, but the sum of
squares of all effects is not, once that noise is taken off.
"""

import numpy as np

from genestimators._row_losses import mean_over_rows
from genestimators.diagnostics._extrapolation import (
    extrapolate_limit,
    extrapolate_power,
)
from genestimators.diagnostics.error._estimate import estimate_of, freedom_of
from genestimators.resampling import GroupSubsample, Subsample
from genestimators.resampling._hashing import derive

N_FOLDS = 10
N_REPEATS = 10  # of the folds, and for each as many halves


def by_subsampling(question):
    """Extrapolated loss of folds and halves, and its error by rows and by training.

    Returns
    -------
    Estimate
    """
    n_repeats = question.n_repeats or N_REPEATS
    left = []
    for draws, numbers, noun in (
        folds(question, n_repeats),
        halves(question, n_repeats),
    ):
        stream = question.read(draws, numbers, noun=noun)
        left.append(LeftOut(question, stream, len(numbers)))
    return estimate_from(question, *left)


def estimate_from(question, whole, half):
    """The estimate that losses of folds and of halves lead to.

    Parameters
    ----------
    question : Question
    whole, half : LeftOut
    """
    sizes = np.array([half.size, whole.size])
    total = question.problem.weights.sum()
    losses = np.stack([half.mean, whole.mean])
    centre = extrapolate_limit(losses, sizes, total)[0]
    # A line can end below zero, where losses have no business.
    power = extrapolate_power(losses, sizes, total)[0]
    loss = float(question.scale @ np.where(centre > 0, centre, power))
    own = question.unit_sums(question.shares * question.deviations(whole.rows))
    variance = variance_of(question, own, whole, half)
    return estimate_of(
        question,
        loss,
        float(np.sqrt(variance)),
        freedom=freedom_of(own, question.effective_units),
        n_fits=len(whole) + len(half),
    )


def variance_of(question, own, whole, half, sign=1.0):
    """Variance of a mean loss, by rows that are tested and by rows in training.

    Parameters
    ----------
    question : Question
    own : ndarray of shape (n_units,)
        How much each unit, as a tested one, moves the mean.
    whole, half : LeftOut
    sign : {1.0, -1.0}, default=1.0
        Of the loss in what is averaged.
    """
    n = question.n_units
    effective = question.effective_units
    variance = effective / (effective - 1) * (own**2).sum() + whole.within
    # Effects of training rows fall as the excess of the loss does: as one over rows.
    shrink = half.size / question.problem.weights.sum() * half.share
    effects, noise = half.effects()
    training = shrink**2 * ((effects**2).sum() - n * noise)
    both = 2 * shrink * sign * (own @ effects)
    return variance + max(training + both, 0.0)


def folds(question, n_repeats):
    """Draws, numbers and name of repeated folds."""
    n_folds = min(N_FOLDS, question.n_units)
    if n_folds < 5:
        raise ValueError(
            f"{question.problem.owner} needs at least 5 groups. Got {n_folds}; with so "
            "few no interval means anything."
        )
    return question.folds(n_folds), range(n_repeats * n_folds), "fold"


def halves(question, n_repeats):
    """Draws, numbers and name of pairs of halves, as many as there are folds."""
    problem = question.problem
    kind = Subsample if problem.groups is None else GroupSubsample
    draws = kind(0.5, complementary_pairs=True).prepare(
        problem.X,
        problem.y,
        problem.weight,
        problem.groups,
        derive(problem.seed, "halves"),
        weight_mode="importance",
    )
    return draws, range(n_repeats * N_FOLDS), "half"


class LeftOut:
    """Losses of rows left out, summed up over draws.

    Parameters
    ----------
    question : Question
    stream : iterable
        As `Question.read` yields.
    n_draws : int

    Attributes
    ----------
    rows : ndarray of shape (n_used, n_outputs)
        Mean losses of rows; the mean of all for a row that was never left out.
    mean : ndarray of shape (n_outputs,)
    size : float
        Weight that models learn from: over the rows tested, its harmonic mean, as a
        loss falls by one over it.
    share : float
        Mean share of the units that models learn from.
    within : float
        Variance of the mean loss of single models that is left when each row has the
        mean loss of all models: other models of the same data would have other losses.
    """

    def __init__(self, question, stream, n_draws):
        self.question = question
        n, n_units = len(question.used), question.n_units
        sums = np.zeros((n, len(question.scale)))
        seen, squares = np.zeros(n), np.zeros(n_units)
        unit_sums, unit_seen = np.zeros(n_units), np.zeros(n_units)
        self._inside = np.ones((n_draws, n_units), dtype=bool)
        self._losses = np.empty(n_draws)
        weight, tested = [], []
        for number, (draw, rows, losses) in enumerate(stream):
            sums[rows] += losses
            seen[rows] += 1
            flat = losses @ question.scale
            units = np.unique(question.units[rows])
            own = np.bincount(
                question.units[rows], question.shares[rows] * flat, minlength=n_units
            )[units]
            unit_sums[units] += own
            unit_seen[units] += 1
            squares[units] += own**2
            self._inside[number, units] = False
            self._losses[number] = np.average(flat, weights=question.shares[rows])
            # A row is predicted by models of so many; a large group by smaller ones.
            tested.append(question.shares[rows].sum())
            weight.append(draw.counts.sum())
        known = seen > 0
        self.rows = np.empty_like(sums)
        self.rows[known] = sums[known] / seen[known, None]
        self.mean = mean_over_rows(self.rows[known], question.shares[known])
        self.rows[~known] = self.mean
        self.size = float(1 / np.average(1 / np.array(weight), weights=tested))
        self.share = float(self._inside.mean())
        some = unit_seen > 1
        own = squares[some] - unit_sums[some] ** 2 / unit_seen[some]
        # A mean over models already holds a part of it.
        self.within = float((own / unit_seen[some]).sum())

    def __len__(self):
        return len(self._losses)

    def monte_carlo(self):
        """Variance of the mean loss that more draws would take away."""
        return float(self._rest().var(ddof=1) / len(self))

    def effects(self):
        """Of each unit in training on the loss of others, and their noise.

        Draws are pairs of halves, the second with the units that the first leaves out.

        Returns
        -------
        effects : ndarray of shape (n_units,)
        noise : float
            The variance of an effect that is none.
        """
        rest = self._rest()
        difference = rest[::2] - rest[1::2]
        side = self._inside[::2].astype(float) - self._inside[1::2]
        n_pairs = len(difference)
        return difference @ side / n_pairs, float((difference**2).mean() / n_pairs)

    def _rest(self):
        """The losses of draws less those that their rows have on average."""
        shares, flat = self.question.shares, self.rows @ self.question.scale
        return self._losses - [
            np.average(flat[out], weights=shares[out])
            for out in (~inside[self.question.units] for inside in self._inside)
        ]
