"""The choice of a fitted search, repeated on the predictions of all its candidates."""

from numbers import Integral

import numpy as np
from scipy.stats import t as student_t
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from genestimators._delegate import random_state_parameters
from genestimators._exceptions import OtherDataWarning, warn_user
from genestimators._row_losses import LossTable
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._split_scores import score_name
from genestimators.diagnostics.tuning._after_choice import (
    OWNER,
    clusters_of,
    result_of,
    scorer_of,
)
from genestimators.fitting import fit_over
from genestimators.regularization._curve import Curve
from genestimators.regularization._honest import (
    corrected_score,
    corrected_score_of_folds,
    corrected_score_of_scorer,
    share_to_choose_by,
)
from genestimators.regularization._measure import resolve_scoring
from genestimators.resampling import Folds

_SUSPECTED = 1e-4  # level of the test for other data, of learners of random numbers


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
    name, scoring, known = _scoring_of(search)
    measure = None
    if known:
        used = np.flatnonzero(problem.weights)
        told = problem.estimator, problem.X, problem.y, problem.classes, used
        measure, _ = resolve_scoring(scoring, *told)
    results, chosen = search.cv_results_, int(search.best_index_)
    mean = results[f"mean_test_{name}"]
    tried = np.flatnonzero(np.isfinite(mean))  # the others failed
    if chosen not in tried:
        raise ValueError(
            f"{OWNER} needs a search whose choice has a score. Got {mean[chosen]} of "
            f"{results['params'][chosen]!r}; see whether the scorer suits the "
            "estimator and the folds."
        )
    place = int(np.flatnonzero(tried == chosen)[0])
    told = {
        "naive": float(mean[chosen]),
        "chosen": chosen,
        "settings": settings,
        "n": len(mean),
        "scoring": _name_of(name, scoring, measure),
    }
    if measure is None or measure.kind == "model":
        test = np.array([_scores_of_splits(search, name, i) for i in tried])
        order = np.arange(len(test))
        curve = Curve(order, order, test, test, test.shape[1])
        found = corrected_score_of_folds(
            curve, place, confidence=settings["confidence"]
        )
        pooled = float(test[place].mean())
        return result_of(found, pooled=pooled, n_fits=0, method="folds", **told)
    draws = _folds_of(search, problem)
    candidates = [results["params"][i] for i in tried]
    trials = _Trials(problem, measure, draws, candidates, place)
    trials.warn_if_others(_scores_of_splits(search, name, chosen))
    found, pooled = trials.corrected(place, settings)
    n_fits = trials.n_fits
    return result_of(found, pooled=pooled, n_fits=n_fits, method="bootstrap", **told)


def _folds_of(search, problem):
    told = problem.X, problem.y, problem.weight, problem.groups
    try:
        return Folds(search.cv).prepare(*told, classifier=problem.classifier)
    except ValueError as exc:
        if problem.groups is None and "'groups'" in str(exc):
            raise ValueError(
                f"The `cv` of the search, {search.cv!r}, needs groups. Got none; pass "
                "`groups=...` as in the fit of the search."
            ) from exc
        raise


def _name_of(name, scoring, measure):
    """The name of the score, for people; `name` is what the search calls it."""
    if measure is None or (callable(scoring) and name != "score"):
        return name
    return score_name(scoring, measure.kind)


def _scoring_of(search):
    """The name of the score that a search chose by, the score, whether it is known."""
    scoring = search.scoring
    if not getattr(search, "multimetric_", False):
        return "score", scoring, True
    if not isinstance(search.refit, str):
        raise ValueError(
            f"{OWNER} corrects one score, and the search chose by several. Got "
            f"refit={search.refit!r}; set it to the name of one of them."
        )
    if isinstance(scoring, dict):
        return search.refit, scoring[search.refit], True
    # Keys of what a callable returns mean what its author likes.
    return search.refit, search.refit, not callable(scoring)


def _scores_of_splits(search, name, candidate):
    results = search.cv_results_
    splits = [results[f"split{k}_test_{name}"] for k in range(search.n_splits_)]
    return np.array([one[candidate] for one in splits])


def _draws_numbers(estimator):
    """Whether a fit may come out otherwise the next time."""
    told = estimator.get_params()
    seeds = [told[name] for name in random_state_parameters(estimator)]
    return not all(isinstance(seed, Integral) for seed in seeds)


def _alike(known, scores, random):
    """Whether scores of splits may be those of the same data and folds.

    Scores of a learner of random numbers differ by the luck of its fits, which is less
    than what the scores of splits differ by: a t test, at a level so low that
    hardly a search is suspected for nothing (one in a thousand with ten rows a fold).
    """
    if len(known) != len(scores):
        return False
    if random:
        if len(known) == 1:
            return True
        spread = np.sqrt((known.var(ddof=1) + scores.var(ddof=1)) / len(known))
        slack = student_t.isf(0.5 * _SUSPECTED, 2 * (len(known) - 1))
        return abs(known.mean() - scores.mean()) <= slack * spread + 1e-12
    # Solvers may stop a little elsewhere on rows that lie otherwise in memory.
    return np.allclose(known, scores, rtol=1e-4, atol=1e-4 * known.std())


class _Trials:
    """Losses of rows, or answers for them, of every candidate.

    Parameters
    ----------
    problem : Problem
    measure : CandidateMeasure
    draws : Draws
    candidates : sequence of dict
        Parameters of each.
    chosen : int
    """

    def __init__(self, problem, measure, draws, candidates, chosen):
        self.problem, self.measure, self.draws = problem, measure, draws
        self.chosen = chosen
        n, n_rows = len(candidates), problem.n_rows
        self.n_fits = self.n_trained = 0
        self.times = np.zeros(n_rows, dtype=int)
        self.losses = np.zeros((n, n_rows)) if measure.by_rows else None
        self.answers = None
        self.scores_of_chosen = []
        self.random = _draws_numbers(self._candidate(candidates[chosen]))
        for i, changes in enumerate(candidates):
            self._try(i, changes, n)
        self.times //= n

    def _candidate(self, changes):
        return clone(self.problem.estimator).set_params(**clone(changes, safe=False))

    def _folds(self, changes):
        """Rows and answers of a candidate, fold by fold."""
        problem = self.problem
        estimator = self._candidate(changes)
        for fitted in fit_over(
            estimator,
            problem.X,
            problem.y,
            self.draws,
            range(len(self.draws)),
            response=self.measure.needed,
            models=False,
            noun="fold",
            **(problem.settings() | {"owner": f"{OWNER}, with {changes!r}"}),
        ):
            self.n_fits += 1
            self.n_trained += len(np.unique(fitted.draw.rows))
            yield fitted.draw.out_of_bag, fitted.predictions

    def _scores_of_fold(self, rows, answer):
        """The score of the chosen candidate, without weights and with them.

        Which of them a search has told depends on the version of scikit-learn.
        """
        problem, measure = self.problem, self.measure
        parts = measure.needed.split(answer, measure.n_outputs)
        weights = [None] if problem.weight is None else [None, problem.weight[rows]]
        told = problem.X, problem.y, rows
        return [measure.scores(parts, *told, weight)[0] for weight in weights]

    def warn_if_others(self, known):
        """Say so where the scores of the chosen candidate do not come out again.

        Parameters
        ----------
        known : ndarray of shape (n_splits,)
            What they were in the search.
        """
        every = np.array(self.scores_of_chosen).T
        if any(_alike(known, scores, self.random) for scores in every):
            return
        warn_user(
            f"The best candidate of the search had {known.mean():.4g} in it, and has "
            f"{every[-1].mean():.4g} in its folds of X and y. Pass the data of the "
            "search, weights and groups too. If they are, its `cv` draws other folds "
            "every time, and the correction is that of these folds.",
            OtherDataWarning,
        )

    def _try(self, i, changes, n):
        problem, measure = self.problem, self.measure
        for rows, answer in self._folds(changes):
            self.times[rows] += 1
            if i == self.chosen:
                self.scores_of_chosen.append(self._scores_of_fold(rows, answer))
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
        """Score and interval of the chosen candidate, and its score uncorrected."""
        problem = self.problem
        rows = np.flatnonzero(self.times * (problem.weights > 0))
        clusters = clusters_of(problem, rows)
        weight = None if problem.weight is None else problem.weight[rows]
        share = share_to_choose_by(len(rows), self.n_trained / self.n_fits)
        if self.losses is not None:
            losses = self.losses[:, rows] / self.times[rows]
            table = LossTable(self.measure.kind, losses, weight)
            ones = np.ones(len(rows)) if weight is None else weight
            pooled = float(table.scores(ones)[chosen])
            told = table, chosen, clusters, problem.seed
            return corrected_score(*told, share=share, **settings), pooled
        score, scores = scorer_of(
            self.measure, self.answers[:, rows], problem.X, problem.y, rows, weight
        )
        found = corrected_score_of_scorer(
            score,
            scores,
            chosen,
            len(rows),
            clusters,
            problem.seed,
            confidence=settings["confidence"],
            share=share,
        )
        return found, float(scores[chosen])
