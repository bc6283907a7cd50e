"""Tries the candidates on every draw and collects what was read off."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from genestimators.regularization._reading import ScoreReading

MOST_NUMBERS = 1 << 24  # of row losses or of answers that are kept
RACE_AFTER = 3  # folds, and
RACE_SHARE = 0.3  # of all of them
RACE_LEVEL = 0.005


@dataclass(eq=False)
class Trials:
    """Scores of candidates on draws.

    Attributes
    ----------
    test, train, fit_seconds, score_seconds : ndarray of shape (n_values, n_splits)
    losses : ndarray of shape (n_values, n_rows) or None
        Sums over splits of the losses of each row.
    first_losses : ndarray of shape (n_values, n_rows) or None
        The same of the first repeat alone: losses of single models.
    times : ndarray of shape (n_rows,)
        In how many splits a row was scored.
    train_losses : ndarray of shape (n_values, n_rows) or None
        Out of bag only.
    answers : ndarray of shape (n_values, n_rows, width) or None
        Out-of-fold answers of the first repeat; NaN where there is none.
    family : Family or None
        Which did the work.
    path : Path or None
        Out of bag: the fitted path.
    n_fits : int
    """

    test: np.ndarray
    train: np.ndarray
    fit_seconds: np.ndarray
    score_seconds: np.ndarray
    losses: np.ndarray | None
    first_losses: np.ndarray | None
    times: np.ndarray
    train_losses: np.ndarray | None
    answers: np.ndarray | None
    family: object
    path: object
    n_fits: int

    def join(self, other, before):
        """With the candidates of other trials before or after these."""
        first, second = (other, self) if before else (self, other)

        def both(name):
            parts = getattr(first, name), getattr(second, name)
            lost = parts[0] is None or parts[1] is None
            return None if lost else np.concatenate(parts)

        names = ("test", "train", "fit_seconds", "score_seconds", "losses")
        names += ("first_losses", "train_losses", "answers")
        return Trials(
            **{name: both(name) for name in names},
            times=np.minimum(self.times, other.times),
            family=self.family,
            path=self.path if other.path is None else None,
            n_fits=self.n_fits + other.n_fits,
        )


def try_candidates(plan, param, values, *, progress=None, keep="few"):
    """Score candidates on every draw.

    Parameters
    ----------
    plan : Plan
    param : str
    values : list
        Plain objects.
    progress : callable, optional
        `progress()` is called after each draw.
    keep : {"few", "all", False}, default="few"
        Keep row losses and answers: unless they would be too many, always, or never.

    Returns
    -------
    Trials
    """
    n_rows, n_values, n_splits = len(plan.y), len(values), len(plan.draws)
    measure = plan.measure
    width = max(1, sum(len(labels) for labels in plan.classes), measure.n_outputs)

    def kept(width):
        few = n_rows * n_values * width <= MOST_NUMBERS
        return keep == "all" or (keep == "few" and few)

    keep_losses = measure.by_rows and (plan.out_of_bag or kept(1))
    keep_answers = measure.kept is not None and kept(width)
    first = range(plan.n_first) if keep_answers else ()
    reading = ScoreReading(
        measure=measure,
        row_weight=plan.weight,
        scale=plan.scale,
        keep_losses=keep_losses,
        keep_answers=frozenset(first),
        out_of_bag=plan.out_of_bag,
    )
    shape = (n_values, n_splits)
    trials = Trials(
        test=np.full(shape, np.nan),
        train=np.full(shape, np.nan),
        fit_seconds=np.full(shape, np.nan),
        score_seconds=np.full(shape, np.nan),
        losses=np.zeros((n_values, n_rows)) if keep_losses else None,
        first_losses=np.full((n_values, n_rows), np.nan) if keep_losses else None,
        times=np.zeros(n_rows, dtype=np.intp),
        train_losses=None,
        answers=None,
        family=None,
        path=None,
        n_fits=0,
    )
    alive = np.arange(n_values)
    for numbers in _stages(plan, n_splits):
        if plan.race and numbers[0] > 0:
            alive = _in_the_race(trials.test[:, : numbers[0]])
        tried = [values[i] for i in alive]
        stream = plan.read(reading, param, tried, numbers)
        for number, _, result in stream:
            _collect(trials, number, alive, result, n_rows)
            if progress is not None:
                progress()
    if trials.answers is None and keep_answers:
        raise RuntimeError("No answers were kept.")
    return trials


def _stages(plan, n_splits):
    """Draws to do before candidates may be given up, and the rest."""
    before = max(RACE_AFTER, int(np.ceil(RACE_SHARE * n_splits)))
    if not plan.race or n_splits <= before:
        return [list(range(n_splits))]
    return [list(range(before)), list(range(before, n_splits))]


def _in_the_race(test):
    """Candidates not clearly beaten, by paired differences on the folds so far."""
    n = test.shape[1]
    means = test.mean(axis=1)
    if np.isnan(means).all():
        return np.arange(len(test))
    best = int(np.nanargmax(means))
    short = test[best] - test
    error = short.std(axis=1, ddof=1) / np.sqrt(n)
    beaten = short.mean(axis=1) > student_t.ppf(1 - RACE_LEVEL, n - 1) * error
    beaten &= short.mean(axis=1) > 0
    return np.flatnonzero(~beaten)


def _collect(trials, number, alive, result, n_rows):
    trials.test[alive, number] = result.test
    trials.train[alive, number] = result.train
    trials.fit_seconds[alive, number] = result.fit_seconds
    trials.score_seconds[alive, number] = result.score_seconds
    rows = result.rows
    new = trials.times[rows] == 0
    if trials.losses is not None:
        if len(alive) < len(trials.losses):
            trials.losses[np.setdiff1d(np.arange(len(trials.losses)), alive)] = np.nan
        trials.losses[np.ix_(alive, rows)] += result.losses
        fresh = np.ix_(alive, rows[new])
        trials.first_losses[fresh] = result.losses[:, new]
    trials.times[rows] += 1
    if result.train_losses is not None:
        trials.train_losses = np.full((len(trials.test), n_rows), np.nan)
        trials.train_losses[np.ix_(alive, rows)] = result.train_losses
    if result.answers is not None:
        if trials.answers is None:
            width = result.answers.shape[2]
            trials.answers = np.full((len(trials.test), n_rows, width), np.nan)
        trials.answers[np.ix_(alive, rows[new])] = result.answers[:, new]
    trials.family = result.family if result.family is not None else trials.family
    trials.path = result.path
    trials.n_fits += result.n_fits
