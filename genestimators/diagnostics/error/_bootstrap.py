"""The error on new rows as a mix of training and out-of-bag loss (.632 and .632+).

The variance is that of the infinitesimal jackknife (Efron and Tibshirani, 1997, section
5). With E_i the mean loss of row i under the fits of samples that leave it out, s_i its
share of the weight, N_bi how often sample b holds it and e the inverse of the chance to
be left out, the effect of row i on the out-of-bag loss is (in units of a row: groups
are as rows, with sums over their rows)

    D_i = s_i (E_i - E) + e Cov_b(N_bi, r_b),   r_b = sum_j s_j [N_bj = 0] (Q_bj - E_j),

where Q_bj is the loss of row j under fit b. That is theirs for equal shares, where the
covariance with the E_j in r_b is known, -(1 + 1 / (n - 1)) s_i (E_i - E) / e, and taken
out: it then holds for unequal shares too, and for draws that are balanced, and is less
noisy. A covariance over a few hundred samples is noise for the most part all the same.
The squares of that noise add up, so their expectation is taken off (Wager, Hastie and
Efron, 2014).
"""

import numpy as np

from genestimators._exceptions import (
    FewReplicatesWarning,
    InterpolatingWarning,
    warn_user,
)
from genestimators.diagnostics.curves._gap import INTERPOLATES
from genestimators.diagnostics.error._estimate import estimate_of, freedom_of
from genestimators.diagnostics.error._no_information import no_information
from genestimators.resampling import Bootstrap, GroupBootstrap
from genestimators.resampling._hashing import derive

N_SAMPLES = 200
OUTSIDE = 0.632  # the share of rows that a bootstrap sample holds, 1 - 1 / e
NOISY = 4.0  # times the variance: noise taken off that leaves errors a third off


def by_632(question):
    """.368 of the training loss and .632 of the out-of-bag loss (Efron, 1983).

    Returns
    -------
    Estimate
    """
    left, fit, training = _learn(question, ".632")
    loss = (1 - OUTSIDE) * training + OUTSIDE * left.loss
    return _estimate(question, left, fit, loss, OUTSIDE)


def by_632_plus(question):
    """The same with more of the out-of-bag loss the more a fit overfits.

    Returns
    -------
    Estimate
    """
    left, fit, training = _learn(question, ".632+")
    worst = float(_no_information(question) @ question.scale)
    loss, weight = plus(training, left.loss, worst)
    return _estimate(question, left, fit, loss, weight)


def plus(training, outside, worst):
    """The .632+ estimate (Efron and Tibshirani, 1997).

    Parameters
    ----------
    training, outside, worst : float
        Losses on training rows, on rows left out, and without information.

    Returns
    -------
    loss : float
    weight : float
        Of the loss on rows left out.
    """
    capped = min(outside, worst)
    overfitting = 0.0
    # A constant prediction has no more and no less than that, but for rounding.
    if capped - training > 1e-9 * abs(worst):
        overfitting = (capped - training) / (worst - training)
    weight = OUTSIDE / (1 - (1 - OUTSIDE) * overfitting)
    loss = (1 - OUTSIDE) * training + OUTSIDE * outside
    return loss + (weight - OUTSIDE) * (capped - training), weight


def bootstrap_draws(question):
    """Bootstrap samples of rows, or of groups; weights stay with their rows."""
    problem = question.problem
    kind = Bootstrap if problem.groups is None else GroupBootstrap
    return kind().prepare(
        problem.X,
        problem.y,
        problem.weight,
        problem.groups,
        derive(problem.seed, "bootstrap"),
        classifier=problem.classifier,
        weight_mode="importance",
    )


def losses_of(question, fitted):
    """Losses of a fit on all rows used, (n_used, n_outputs)."""
    parts = question.parts(fitted, question.used)
    return question.measure.losses(parts, question.used)[0]


def warn_if_interpolating(method, training, elsewhere):
    """Warn where the training loss is next to nothing beside that on other rows."""
    if training < INTERPOLATES * elsewhere:
        warn_user(
            f"The loss of the fit on its training rows is {training:.3g}, and "
            f"{elsewhere:.3g} on others: the learner interpolates, so training says "
            f"nothing about new rows and method={method!r} is too good; set "
            'method="subsampling" or "corrected_t".',
            InterpolatingWarning,
        )


def _learn(question, method):
    """Losses outside bootstrap samples; those of training, by row and on average."""
    left = _Left(question, question.n_repeats or N_SAMPLES)
    fit = losses_of(question, question.training)
    training = float(question.shares @ fit @ question.scale)
    warn_if_interpolating(method, training, left.loss)
    return left, fit, training


def _no_information(question):
    measure, used = question.measure, question.used
    answer = question.parts(question.training, used)[measure.loss_answer][0]
    target = measure.targets[used]
    return no_information(measure.kind, answer, target, question.shares, measure.power)


def _estimate(question, left, fit, loss, weight):
    mixed = (1 - weight) * fit + weight * left.rows
    own = question.unit_sums(question.shares * question.deviations(mixed))
    noise = weight**2 * left.noise
    variance = ((own + weight * left.effects) ** 2).sum() - noise
    # The difference of two large numbers: below this it is noise.
    variance = max(variance, (own**2).sum() / 2)
    if noise > NOISY * variance:
        warn_user(
            "The standard error rests on too few bootstrap samples to be told from "
            f"their noise, whose variance is {noise / variance:.2g} times as large. "
            f"Got {left.n_fits} samples; raise `n_repeats`.",
            FewReplicatesWarning,
        )
    return estimate_of(
        question,
        loss,
        float(np.sqrt(variance)),
        freedom=freedom_of(own),
        n_fits=left.n_fits,
    )


class _Left:
    """Losses of rows that bootstrap samples leave out.

    Attributes
    ----------
    n_fits : int
        A sample that leaves nothing out needs no fit.
    rows : ndarray of shape (n_used, n_outputs)
        Mean losses of rows; the mean of all for a row that was never left out.
    loss : float
        Their mean, scaled.
    effects : ndarray of shape (n_units,)
        Of each unit in training on the loss of others.
    noise : float
        Sum over the units of the variances of their effects due to few samples.
    """

    def __init__(self, question, n_samples):
        n = len(question.used)
        draws = bootstrap_draws(question)
        # Rows of a unit are drawn together: the first stands for all.
        units = question.units[question.place[draws.occurrences.rows]]
        first = np.unique(units, return_index=True)[1]
        sums, seen = np.zeros((n, len(question.scale))), np.zeros(n)
        outside = np.zeros(n_samples)
        leaving = _leaving(question, draws, first, n_samples)
        numbers = iter(np.concatenate(leaving))
        for run in leaving:
            for _, rows, losses in question.read(draws, run, noun="bootstrap sample"):
                sums[rows] += losses
                seen[rows] += 1
                share = question.shares[rows]
                outside[next(numbers)] = share @ losses @ question.scale
        known = seen > 0
        shares = question.shares[known]
        self.n_fits = sum(map(len, leaving))
        self.rows = np.empty_like(sums)
        self.rows[known] = sums[known] / seen[known, None]
        self.rows[~known] = shares @ self.rows[known] / shares.sum()
        self.loss = float(question.shares @ self.rows @ question.scale)
        own = question.unit_sums(question.shares * (self.rows @ question.scale))
        self.effects, self.noise = _effects(draws, first, outside, own)


def _blocks(draws, first, n_samples):
    """Numbers of consecutive draws and how often they hold each unit, (n, n_units)."""
    for start in range(0, n_samples, draws.balanced_block):
        numbers = range(start, min(start + draws.balanced_block, n_samples))
        yield numbers, draws.counts_matrix(numbers)[:, first]


def _leaving(question, draws, first, n_samples):
    """Ranges of the draws that leave something out."""
    leaves = [
        (counts == 0).any(axis=1) for _, counts in _blocks(draws, first, n_samples)
    ]
    numbers = np.flatnonzero(np.concatenate(leaves))
    if not len(numbers):
        of = "rows" if question.problem.groups is None else "groups"
        raise ValueError(
            f"The .632 estimates need {of} that a bootstrap sample leaves out. Got "
            f"{n_samples} samples with all {len(first)} {of}; raise `n_repeats`."
        )
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [range(run[0], run[-1] + 1) for run in runs]


def _effects(draws, first, outside, own):
    """Effects of units in samples on the losses outside, and how noisy they are.

    Parameters
    ----------
    draws : Draws
    first : ndarray of shape (n_units,)
        An occurrence of each unit.
    outside : ndarray of shape (n_samples,)
        Sums of the losses of rows left out, by share.
    own : ndarray of shape (n_units,)
        Such sums to expect of each unit.

    Returns
    -------
    effects : ndarray of shape (n_units,)
    noise : float
    """
    n_samples, n_units = len(outside), len(own)
    total, squares, left = np.zeros(n_units), 0.0, 0
    for numbers, counts in _blocks(draws, first, n_samples):
        out = counts == 0
        left += out.sum()
        rest = outside[numbers.start : numbers.stop] - out @ own
        terms = (counts - 1.0) * rest[:, None]
        total += terms.sum(axis=0)
        squares += (terms**2).sum()
    inverse = n_samples * n_units / left
    mean = total / n_samples
    noise = (squares / n_samples - mean @ mean) / (n_samples - 1)
    return inverse * mean, inverse**2 * noise
