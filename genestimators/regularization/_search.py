"""Tries the candidates on every draw and collects what was read off."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from genestimators.fitting import Fit, working_precision
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
    paths : dict of Path
        The paths of draws that were asked for no answers, by number.
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
    paths: dict
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
            paths={},
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
        keep_losses=keep_losses,
        keep_answers=frozenset(first),
        out_of_bag=plan.out_of_bag,
        light=keep != "all" and not plan.out_of_bag,
    )
    trials = _no_trials(n_values, n_splits, n_rows, keep_losses)
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
    return trials


def ask_again(plan, param, values, trials, places):
    """Losses and answers by row of some candidates that were tried without them.

    Parameters
    ----------
    plan, param
        As in `try_candidates`.
    values : list
        All candidates.
    trials : Trials
        Of all candidates.
    places : ndarray of int
        Which candidates.

    Returns
    -------
    trials : Trials
        Of those; fitted again where paths were not kept.
    """
    if len(trials.paths) < len(plan.draws):
        return try_candidates(plan, param, [values[i] for i in places], keep="all")
    reading = ScoreReading(
        measure=plan.measure,
        row_weight=plan.weight,
        keep_losses=True,
        keep_answers=frozenset(range(plan.n_first)),
    )
    n_rows = len(plan.y)
    found = _no_trials(len(places), len(plan.draws), n_rows, True)
    X = working_precision(plan.estimator, plan.X)
    for number, path in trials.paths.items():
        draw = plan.draws[number]
        part = path.take(places)
        fit = Fit(number, part, X, plan.y, draw.rows, None, draw.out_of_bag)
        _collect(found, number, np.arange(len(places)), reading(fit), n_rows)
    return found


def _no_trials(n_values, n_splits, n_rows, keep_losses):
    shape, by_row = (n_values, n_splits), (n_values, n_rows)
    return Trials(
        test=np.full(shape, np.nan),
        train=np.full(shape, np.nan),
        fit_seconds=np.full(shape, np.nan),
        score_seconds=np.full(shape, np.nan),
        losses=np.zeros(by_row) if keep_losses else None,
        first_losses=np.full(by_row, np.nan) if keep_losses else None,
        times=np.zeros(n_rows, dtype=np.intp),
        train_losses=None,
        answers=None,
        family=None,
        path=None,
        paths={},
        n_fits=0,
    )


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
    if result.losses is None:
        trials.losses = trials.first_losses = None
    some = len(alive) < len(trials.test)
    which = alive[:, None] if some else slice(None)
    if trials.losses is not None:
        if some:
            trials.losses[np.setdiff1d(np.arange(len(trials.losses)), alive)] = np.nan
        trials.losses[which, rows] += result.losses
        if new.any():
            trials.first_losses[which, rows[new]] = result.losses[:, new]
    trials.times[rows] += 1
    if result.train_losses is not None:
        trials.train_losses = np.full((len(trials.test), n_rows), np.nan)
        trials.train_losses[which, rows] = result.train_losses
    if result.answers is not None and new.any():
        if trials.answers is None:
            width = result.answers.shape[2]
            trials.answers = np.full((len(trials.test), n_rows, width), np.nan)
        trials.answers[which, rows[new]] = result.answers[:, new]
    trials.family = result.family if result.family is not None else trials.family
    trials.path = result.path
    if result.light is not None:
        trials.paths[number] = result.light
    trials.n_fits += result.n_fits
