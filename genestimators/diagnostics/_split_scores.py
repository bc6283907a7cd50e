"""Scores of several models on the same splits."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring

from genestimators._inputs import take_rows
from genestimators.fitting import fit_over
from genestimators.regularization._measure import resolve_scoring


@dataclass(frozen=True, eq=False)
class SplitScores:
    """Scores of one model, split by split.

    Attributes
    ----------
    scores : ndarray of shape (n_splits,)
        Greater is better.
    labels : ndarray of shape (n,) or None
        Predicted labels of the rows left out, the last time they were; None of rows
        that never were, and where they were not asked for.
    test_weight, train_weight : ndarray of shape (n_splits,)
    """

    scores: np.ndarray
    labels: np.ndarray | None
    test_weight: np.ndarray
    train_weight: np.ndarray


def check_alike(owner, first, others):
    """Refuse models of which some classify and some do not.

    Raises
    ------
    TypeError, ValueError
    """
    for other in others:
        if isinstance(other, type) or not hasattr(other, "fit"):
            raise TypeError(f"{owner} compares estimators. Got {other!r}.")
        if is_classifier(first) != is_classifier(other):
            kind = "a classifier" if is_classifier(other) else "no classifier"
            raise ValueError(
                f"{owner} compares models of the same target. Got {other!r}, which is "
                f"{kind}, beside {first!r}."
            )


def split_scores(
    problem,
    estimator,
    scoring,
    draws,
    numbers,
    *,
    labels=False,
    tested=None,
    where=None,
    seed=None,
):
    """Fit a model on draws and score it on the rows that each leaves out.

    Parameters
    ----------
    problem : Problem
        Data and settings; its own estimator plays no part.
    estimator : estimator
        It is cloned.
    scoring : None, str or callable
        As in `cross_val_score`.
    draws : Draws
    numbers : sequence of int
        Which of them.
    labels : bool, default=False
        Whether predicted labels are kept, of a classifier with one output.
    tested : Draws, default=None
        Draws whose left-out rows are scored; they are left out by `draws` too. None is
        `draws` themselves.
    where : str, default=None
        For the note on an error raised by the estimator.
    seed : int, default=None
        Of the models; None leaves their seeds as they are.

    Returns
    -------
    SplitScores
    """
    problem = replace(problem, estimator=clone(estimator))
    X, y, weight = problem.X, problem.y, problem.weight
    used = np.flatnonzero(problem.weights)
    measure, _ = resolve_scoring(
        scoring, problem.estimator, X, y, problem.classes, used
    )
    by_model = measure.kind == "model" or (
        labels and "label" not in {part.kind for part in measure.needed.parts}
    )
    scorer = check_scoring(problem.estimator, scoring) if by_model else None
    found, sizes = [], []
    tested = draws if tested is None else tested
    kept = np.full(problem.n_rows, None, dtype=object) if labels else None
    for fitted in fit_over(
        problem.estimator,
        X,
        y,
        draws,
        numbers,
        response=measure.needed,
        answer="none" if by_model else "out_of_bag",
        models=by_model,
        ensembles=not by_model and draws.limit is None,
        seed=seed,
        noun="split",
        **(problem.settings() | {"owner": where or problem.owner}),
    ):
        draw = fitted.draw if tested is draws else tested[fitted.number]
        rows = draw.out_of_bag
        own = None if weight is None else weight[rows]
        sizes.append((draw.out_of_bag_counts.sum(), fitted.draw.counts.sum()))
        if by_model:
            taken = take_rows(X, rows)
            told = {} if own is None else {"sample_weight": own}
            found.append(scorer(fitted.model(), taken, y[rows], **told))
            if labels:
                kept[rows] = fitted.model().predict(taken)
            continue
        answer = fitted.predictions
        if tested is not draws:
            answer = answer[:, np.searchsorted(fitted.draw.out_of_bag, rows)]
        parts = measure.needed.split(answer, measure.n_outputs)
        found.append(measure.scores(parts, X, rows=rows, y=y, weight=own)[0])
        if labels:
            kept[rows] = measure.labels(parts["label"][0])
    test, train = np.array(sizes).T
    if any(isinstance(one, dict) for one in found):
        raise ValueError(
            f"{problem.owner} goes by one score, and the scorer gives several. Got "
            f"{sorted(found[0])!r}; pass a scorer of one of them."
        )
    scores = np.array(found, dtype=float)
    if np.isnan(scores).any():
        raise ValueError(
            f"{problem.owner} needs a score on every split. Got NaN on "
            f"{np.isnan(scores).sum()} of {len(scores)}; see whether the scorer suits "
            "so few rows (R2 needs two, ROC AUC both classes)."
        )
    return SplitScores(scores, kept, test, train)
