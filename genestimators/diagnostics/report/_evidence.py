"""One set of fits for everything a report says.

Pairs of subsamples tell variance from the rest, folds and halves the error to expect;
the halves that do not hold a row are a bag for it, and folds are fitted for all values
of a penalty where a family does that at the price of one.
"""

from dataclasses import dataclass
from functools import cached_property
from numbers import Real

import numpy as np
from sklearn.base import clone

from genestimators._delegate import random_state_parameters
from genestimators._inputs import take_rows
from genestimators._row_losses import row_losses
from genestimators.diagnostics.decomposition._figures import Figures
from genestimators.diagnostics.decomposition._pairs import Pairs
from genestimators.diagnostics.error._generalization_error import ask
from genestimators.diagnostics.error._subsampling import LeftOut, folds, halves
from genestimators.fitting._tuned import preferred_parameter, serving_family
from genestimators.regularization._values import find_candidates, thinned
from genestimators.resampling._hashing import derive, derive_seed

PAIRS = 5  # for each repeat of the folds
MOST_VALUES = 40
SCORES = {
    "squared_error": "neg_mean_squared_error",
    "brier": "neg_brier_score",
    "log_loss": "neg_log_loss",
    "zero_one": "accuracy",
}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the fits of a report have shown.

    Attributes
    ----------
    question : Question
    pairs : Pairs
    whole, half : LeftOut
        Losses of folds and of halves.
    constant : ndarray of shape (n_used,)
        Losses of a constant prediction, learned from the folds.
    averaged : ndarray of shape (n_used,)
        Losses of the mean (or the vote) of the halves without the row.
    penalty : PenaltyPath or None
    """

    question: object
    pairs: Pairs
    whole: LeftOut
    half: LeftOut
    constant: np.ndarray
    averaged: np.ndarray
    penalty: object

    @cached_property
    def figures(self):
        """Both parts of the loss, extrapolated."""
        return Figures.of(self.pairs)

    @cached_property
    def losses(self):
        """Losses of the model, scaled, (n_used,)."""
        return self.whole.rows @ self.question.scale


@dataclass(frozen=True, eq=False)
class PenaltyPath:
    """Losses of rows at all values of a penalty.

    Attributes
    ----------
    param : str
    values : list
    strength : ndarray of shape (n_values,)
        Rank of each value by strength of penalty.
    current : int
        Position of the value that the estimator has.
    losses : ndarray of shape (n_values, n_used)
    """

    param: str
    values: list
    strength: np.ndarray
    current: int
    losses: np.ndarray


def gather(plan, level, n_repeats):
    """Make all fits.

    Parameters
    ----------
    plan : PairPlan
    level : float
        Confidence.
    n_repeats : int

    Returns
    -------
    Evidence

    Raises
    ------
    ValueError
        For probabilities of several outputs.
    """
    problem = plan.problem
    if len(problem.classes) > 1:
        raise ValueError(
            f"{problem.owner} takes one output of classes. Got "
            f"{len(problem.classes)}; make a report for each of them."
        )
    question = ask(problem, SCORES[plan.loss.name], level, n_repeats=n_repeats)
    pairs = Pairs(plan)
    pairs.add(PAIRS * n_repeats)

    draws, numbers, noun = folds(question, n_repeats)
    constant, path = _Constant(question), _path_of(question)
    settings, current, keepers = {}, 0, [constant]
    if path is not None:
        settings = {"param": path.param, "values": path.values}
        current, keepers = path.current, [constant, path]
    stream = question.answers(draws, numbers, noun=noun, **settings)
    stream = _losses_of(question, stream, current, keepers)
    whole = LeftOut(question, stream, len(numbers))

    draws, numbers, noun = halves(question, n_repeats)
    averaged = _Averaged(question)
    stream = question.answers(draws, numbers, noun=noun)
    stream = _losses_of(question, stream, 0, [averaged])
    half = LeftOut(question, stream, len(numbers))
    return Evidence(
        question=question,
        pairs=pairs,
        whole=whole,
        half=half,
        constant=constant.losses(),
        averaged=averaged.losses(whole.rows @ question.scale),
        penalty=None if path is None else path.finished(),
    )


def _losses_of(question, stream, current, keepers):
    """What `LeftOut` reads, on its way seen by others."""
    for draw, places, parts in stream:
        losses = question.losses(parts, places, "fold or half")
        for keeper in keepers:
            keeper.see(draw, places, parts, losses)
        yield draw, places, losses[current]


class _Constant:
    """Losses of the mean target, or the most frequent label, of the rows in a fold."""

    def __init__(self, question):
        self.question = question
        self.sums = np.zeros(len(question.used))
        self.seen = np.zeros(len(question.used))

    def see(self, draw, places, parts, losses):
        question = self.question
        measure, targets = question.measure, question.measure.targets
        known = targets[draw.rows]
        if measure.kind == "accuracy":
            weight = np.bincount(known[:, 0].astype(np.intp), weights=draw.counts)
            constant = np.array([weight.argmax()], dtype=float)
        else:
            constant = np.average(known, axis=0, weights=draw.counts)
        own = targets[question.used[places]]
        answer = np.broadcast_to(constant, own.shape)[None]
        found = row_losses(measure.kind, answer, own, measure.power)[0]
        self.sums[places] += found @ question.scale
        self.seen[places] += 1

    def losses(self):
        return self.sums / self.seen


class _Averaged:
    """Losses of the mean answer of models that have not seen a row."""

    def __init__(self, question):
        self.question = question
        measure = question.measure
        self.vote = measure.kind == "accuracy"
        n, width = len(question.used), measure.targets.shape[1]
        # Squares of numbers far from zero would lose what they differ by.
        self.centre = question.shares @ measure.targets[question.used]
        if self.vote:
            width, self.centre = len(measure.needed.classes[0]), 0.0
        self.sums = np.zeros((n, width))
        self.squares = np.zeros((n, width))
        self.seen = np.zeros(n)

    def see(self, draw, places, parts, losses):
        answer = parts[self.question.measure.loss_answer][0]
        if self.vote:
            answer = (answer == np.arange(self.sums.shape[1])).astype(float)
        answer = answer - self.centre
        self.sums[places] += answer
        self.squares[places] += answer**2
        self.seen[places] += 1

    def losses(self, instead):
        """Losses of rows; of those seen by fewer than two models those given."""
        question, measure = self.question, self.question.measure
        some = self.seen > 1
        n = self.seen[some, None]
        mean = self.sums[some] / n
        answer = mean + self.centre
        if self.vote:
            answer = mean.argmax(axis=1)[:, None].astype(float)
        own = measure.targets[question.used[some]]
        found = row_losses(measure.kind, answer[None], own, measure.power)[0]
        if measure.kind in ("squared", "brier"):
            # A mean of so many models still varies by an nth of what they do.
            variance = np.maximum(self.squares[some] - n * mean**2, 0.0) / (n - 1) / n
            if measure.kind == "brier":
                half = 0.5 if own.shape[1] == 2 else 1.0
                variance = half * variance.sum(axis=1, keepdims=True)
            found = found - variance
        out = np.array(instead)
        out[some] = found @ question.scale
        return out


class _Path:
    """Adds up the losses at all values of a penalty."""

    def __init__(self, question, candidates, values, current):
        self.question = question
        self.param, self.values, self.current = candidates.param, values, current
        self.strength = candidates.strength
        self.sums = np.zeros((len(values), len(question.used)))
        self.seen = np.zeros(len(question.used))

    def see(self, draw, places, parts, losses):
        self.sums[:, places] += losses @ self.question.scale
        self.seen[places] += 1

    def finished(self):
        return PenaltyPath(
            self.param, self.values, self.strength, self.current, self.sums / self.seen
        )


def _path_of(question):
    """The values of a penalty that folds can be fitted at for nothing, or None."""
    problem = question.problem
    param = preferred_parameter(problem.estimator)
    if param is None or problem.params:
        return None
    seeds = random_state_parameters(problem.estimator)
    seed = derive(problem.seed, "values")
    estimator = clone(problem.estimator).set_params(
        **{name: derive_seed(seed, name, 0) for name in seeds}
    )
    rows = question.used
    weight = None if problem.weight is None else problem.weight[rows]
    told = take_rows(problem.X, rows), problem.y[rows], weight
    try:
        candidates = find_candidates(estimator, param, "auto", *told)
    except ValueError:  # a family without a range
        return None
    if len(candidates.values) > MOST_VALUES:
        candidates = candidates.with_values(thinned(candidates.values, MOST_VALUES))
    own = problem.estimator.get_params()[param]
    if own is not None and not isinstance(own, Real):
        return None  # one for each output
    known = candidates.as_list()
    if own not in known:
        joined = np.empty(len(known) + 1, dtype=object)
        joined[:] = [*known, own]
        numbers = all(isinstance(one, int | float) for one in joined)
        candidates = candidates.with_values(
            np.array(joined.tolist()) if numbers else joined
        )
    values = candidates.as_list()
    if serving_family(estimator, param, *told, values) is None:
        return None
    return _Path(question, candidates, values, values.index(own))
