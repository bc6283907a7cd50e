"""The choice of a fitted search, repeated on the predictions of all its candidates."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from genestimators._row_losses import LossTable
from genestimators.diagnostics._after_choice import OWNER, result_of, scorer_of
from genestimators.diagnostics._problem import make_problem
from genestimators.fitting import fit_over
from genestimators.regularization._curve import Curve
from genestimators.regularization._honest import (
    corrected_score,
    corrected_score_of_folds,
    corrected_score_of_scorer,
)
from genestimators.regularization._measure import resolve_scoring
from genestimators.resampling import Folds


def problem_of(search, X, y, **told):
    """The estimator of a search and its data, checked."""
    if isinstance(search, type) or not hasattr(search, "estimator"):
        raise TypeError(
            f"{OWNER} takes a fitted search or predictions of all candidates. Got "
            f"{search!r}."
        )
    check_is_fitted(search, "cv_results_")
    if "iter" in search.cv_results_:
        raise TypeError(
            f"{OWNER} needs candidates that were all scored on the same rows, and a "
            f"successive halving gives them different ones. Got {search!r}; use a "
            "GridSearchCV or a RandomizedSearchCV."
        )
    if not hasattr(search, "best_index_"):
        raise ValueError(
            f"{OWNER} needs a search that chose one candidate. Got refit="
            f"{search.refit!r} of several scores; set `refit` to the name of one."
        )
    if X is None or y is None:
        raise ValueError(
            f"{OWNER} needs the data of the search, since it kept no out-of-fold "
            "predictions; pass X and y."
        )
    return make_problem(OWNER, search.estimator, X, y, least_rows=4, **told)


def of_search(search, problem, scoring, settings):
    if scoring is not None:
        raise ValueError(
            "A search has a `scoring` of its own; leave `scoring` of "
            f"{OWNER} at None. Got {scoring!r}."
        )
    name, scoring = _scoring_of(search)
    used = np.flatnonzero(problem.weights)
    measure, _ = resolve_scoring(
        scoring, problem.estimator, problem.X, problem.y, problem.classes, used
    )
    results, chosen = search.cv_results_, int(search.best_index_)
    naive = float(results[f"mean_test_{name}"][chosen])
    common = {"naive": naive, "chosen": chosen, "settings": settings}
    label = scoring if isinstance(scoring, str) else name
    if measure.kind == "model":
        splits = [results[f"split{k}_test_{name}"] for k in range(search.n_splits_)]
        test = np.stack(splits, axis=1)
        n = len(test)
        curve = Curve(np.arange(n), np.arange(n), test, test, test.shape[1])
        found = corrected_score_of_folds(
            curve, chosen, confidence=settings["confidence"]
        )
        return result_of(found, n, 0, "folds", label, **common)
    draws = Folds(search.cv).prepare(
        problem.X,
        problem.y,
        problem.weight,
        problem.groups,
        classifier=problem.classifier,
    )
    trials = _Trials(problem, measure, draws, results["params"])
    found = trials.corrected(chosen, settings)
    n = len(results["params"])
    return result_of(found, n, n * len(draws), "bootstrap", label, **common)


def _scoring_of(search):
    """The name of the score that a search chose by, and the score."""
    if isinstance(search.refit, str) and search.multimetric_:
        scoring = search.scoring
        one = scoring[search.refit] if isinstance(scoring, dict) else search.refit
        return search.refit, one
    if getattr(search, "multimetric_", False):
        raise ValueError(
            f"{OWNER} corrects one score, and the search chose by several. Got "
            f"refit={search.refit!r}; set it to the name of one of them."
        )
    return "score", search.scoring


class _Trials:
    """Losses of rows, or answers for them, of every candidate.

    Parameters
    ----------
    problem : Problem
    measure : CandidateMeasure
    draws : Draws
    candidates : sequence of dict
        Parameters of each.
    """

    def __init__(self, problem, measure, draws, candidates):
        self.problem, self.measure = problem, measure
        n, n_rows = len(candidates), problem.n_rows
        self.times = np.zeros(n_rows, dtype=int)
        self.losses = np.zeros((n, n_rows)) if measure.by_rows else None
        self.answers = None
        for i, changes in enumerate(candidates):
            self._try(i, changes, draws, n)
        self.times //= n

    def _try(self, i, changes, draws, n):
        problem, measure = self.problem, self.measure
        estimator = clone(problem.estimator).set_params(**clone(changes, safe=False))
        for fitted in fit_over(
            estimator,
            problem.X,
            problem.y,
            draws,
            range(len(draws)),
            response=measure.needed,
            models=False,
            noun=f"fold, with {changes!r},",
            **problem.settings(),
        ):
            rows, answer = fitted.draw.out_of_bag, fitted.predictions
            self.times[rows] += 1
            if self.losses is None:
                if self.answers is None:
                    shape = n, problem.n_rows, answer.shape[2]
                    self.answers = np.full(shape, np.nan)
                self.answers[i, rows] = answer[0]
                continue
            weight = None if problem.weight is None else problem.weight[rows]
            parts = measure.needed.split(answer, measure.n_outputs)
            losses = measure.losses(parts, rows)
            self.losses[i, rows] += measure.flat_losses(losses, rows, weight)[0]

    def corrected(self, chosen, settings):
        """Score and interval of the chosen candidate."""
        problem = self.problem
        rows = np.flatnonzero(self.times * (problem.weights > 0))
        clusters = problem.clusters
        if clusters is not None:
            clusters = np.unique(clusters[rows], return_inverse=True)[1]
        weight = None if problem.weight is None else problem.weight[rows]
        if self.losses is not None:
            losses = self.losses[:, rows] / self.times[rows]
            table = LossTable(self.measure.kind, losses, weight)
            return corrected_score(table, chosen, clusters, problem.seed, **settings)
        score, scores = scorer_of(
            self.measure, self.answers[:, rows], problem.X, problem.y, rows, weight
        )
        return corrected_score_of_scorer(
            score,
            scores,
            chosen,
            len(rows),
            clusters,
            problem.seed,
            confidence=settings["confidence"],
        )
