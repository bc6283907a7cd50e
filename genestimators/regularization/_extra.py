"""What single rules need beyond the curve: fits on all rows, spread over folds."""

from dataclasses import dataclass, replace

import numpy as np

from genestimators._inputs import take_rows
from genestimators._row_losses import mean_over_rows
from genestimators.fitting import Response
from genestimators.regularization._search import try_candidates
from genestimators.resampling import Folds


def full_training_scores(plan, candidates):
    """Training scores of fits on all rows, (n_values,).

    Made as those of the folds are: of learners that reproduce their rows they are
    leave-one-out or out of bag.
    """
    rows = np.arange(len(plan.y))
    if plan.weight is not None:
        rows = np.flatnonzero(plan.weight)
    draws = Folds([(rows, rows)]).prepare(plan.X, plan.y, plan.weight)
    whole = replace(plan, draws=draws, n_first=1, race=False)
    trials = try_candidates(whole, candidates.param, candidates.as_list(), keep=False)
    return trials.train[:, 0]


@dataclass(frozen=True, eq=False)
class _AllRows:
    """Reads answers for some rows, whether they were left out or not."""

    response: Response
    rows: np.ndarray

    def __call__(self, fit):
        asked = take_rows(fit.X, self.rows)
        parts = fit.path.parts(len(self.rows))
        return np.concatenate([self.response(part, fit.given(asked)) for part in parts])


def instability(plan, candidates):
    """Variance of predictions over folds, over their mean square; (n_values,).

    Estimation stability of Lim and Yu (2016): means are over the rows, predictions are
    centred by the mean target.
    """
    measure = plan.measure
    # Positions of labels are no quantities: votes stand for them.
    kind = "vote" if measure.primary == "label" else measure.primary
    response = Response(kind, measure.needed.classes)
    rows = np.arange(len(plan.y))
    if plan.weight is not None:
        rows = np.flatnonzero(plan.weight)
    numbers = range(len(plan.draws))
    total = squares = 0.0
    reading = _AllRows(response, rows)
    for _, _, answers in plan.read(
        reading, candidates.param, candidates.as_list(), numbers
    ):
        total = total + answers
        squares = squares + answers**2
    n = len(numbers)
    mean = total / n
    weight = None if plan.weight is None else plan.weight[rows]
    variance = mean_over_rows(np.maximum(squares / n - mean**2, 0.0), weight)
    centre = mean_over_rows(mean, weight)[:, None]
    size = mean_over_rows((mean - centre) ** 2, weight).mean(axis=1)
    variance = variance.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size > 0, variance / size, np.inf)
