"""Scores of models on subsamples within subsamples, all tested on the same rows."""

from dataclasses import dataclass

import numpy as np

from genestimators.diagnostics._split_scores import (
    measure_of,
    split_scores,
    stratifies,
)
from genestimators.resampling import GroupSubsample, Subsample
from genestimators.resampling._hashing import derive


@dataclass(frozen=True, eq=False)
class NestedScores:
    """Scores at several numbers of training rows.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        Mean number of rows that models learned from, in rows of mean weight,
        increasing.
    test_scores : ndarray of shape (n_sizes, n_splits)
        On the rows that the largest subsample of a split leaves out.
    train_scores : ndarray of shape (n_sizes, n_splits) or None
        On the rows that each model learned from, where they were asked for.
    share : float
        Weight of the rows tested on over that of the rows learned from, at the largest
        size.
    best : float
        The score of perfect predictions, infinity where it is not known.
    """

    sizes: np.ndarray
    test_scores: np.ndarray
    train_scores: np.ndarray | None
    share: float
    best: float


def nested_scores(problem, scoring, shares, n_splits, *, training=False):
    """Fit on growing subsamples, each within the next; one fit a split and size.

    Parameters
    ----------
    problem : Problem
    scoring : None, str or callable
    shares : sequence of float
        Increasing, of the rows or of the groups.
    n_splits : int
    training : bool, default=False
        Whether the rows that models learned from are scored too.

    Returns
    -------
    NestedScores
    """
    kind = Subsample if problem.groups is None else GroupSubsample
    told = problem.X, problem.y, problem.weight, problem.groups
    seed = derive(problem.seed, "splits")
    measure, _ = measure_of(problem, scoring)
    settings = {
        "seed": seed,
        "classifier": stratifies(problem, measure),
        "weight_mode": "importance",
    }
    draws = [kind(share).prepare(*told, **settings) for share in shares]
    found = [
        split_scores(
            problem,
            problem.estimator,
            scoring,
            own,
            range(n_splits),
            tested=draws[-1],
            training=training,
            where=f"{problem.owner}, on a share of {share:.3g} of the rows",
        )
        for share, own in zip(shares, draws, strict=True)
    ]
    last = found[-1]
    return NestedScores(
        sizes=np.array([one.train_weight.mean() for one in found]),
        test_scores=np.stack([one.scores for one in found]),
        train_scores=np.stack([one.train_scores for one in found])
        if training
        else None,
        share=float((last.test_weight / last.train_weight).mean()),
        best=np.inf if measure.best is None else measure.best,
    )
