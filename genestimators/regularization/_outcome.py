"""From trials to a choice: the curve, the rule, the table, the honest score."""

import inspect
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from genestimators._exceptions import AuditWarning, MissingScoreWarning, warn_user
from genestimators._inputs import take_rows
from genestimators._row_losses import LossTable
from genestimators._scoring import call_scorer
from genestimators.fitting._tuned import exactness_of
from genestimators.regularization._choice import Choice
from genestimators.regularization._curve import Curve
from genestimators.regularization._extra import full_training_scores, instability
from genestimators.regularization._honest import (
    FAR,
    corrected_score,
    corrected_score_of_scorer,
    variance_between_models,
)
from genestimators.regularization._rules import RULES, Pick, check_partition
from genestimators.regularization._search import (
    MOST_NUMBERS,
    ask_again,
    try_candidates,
)

MOST_NEAR = 12  # candidates that rows are asked about after the choice
# Differences between a path and a refit, in spreads of the answers, that an audit
# accepts; another draw of the same law cannot be compared.
AUDIT_LIMITS = {
    "bitwise": 0.0,
    "exact": 1e-6,
    "tolerance": 1e-2,
    "approximate": 5e-2,
    "in_law": np.inf,
    "refit": 0.0,
}


def make_curve(plan, splits, candidates, trials):
    """The table that rules read."""
    scored = {}
    if plan.out_of_bag and trials.losses is not None:
        rows = np.flatnonzero(trials.times)
        scored = {
            "losses": trials.losses[:, rows],
            "train_losses": trials.train_losses[:, rows],
            "weight": None if plan.weight is None else plan.weight[rows],
            "clusters": _clusters(plan, rows),
        }
    curve = Curve(
        values=candidates.column,
        strength=candidates.strength,
        test=trials.test,
        train=trials.train,
        n_folds=splits.n_folds,
        partition=splits.partition,
        **scored,
    )
    if plan.measure.kind == "root":
        slope = 0.5 / max(-float(np.nanmax(curve.mean_test)), np.finfo(float).tiny)
        curve = replace(curve, slope=slope)
    return curve


def _clusters(plan, rows):
    """Groups of some rows, numbered from 0, or None."""
    if plan.groups is None:
        return None
    return np.unique(plan.groups[rows], return_inverse=True)[1]


def check_rule(rule, rule_params, splits):
    """Refuse, before all fits, a rule that could not be applied after them.

    Raises
    ------
    ValueError
        If the rule does not take the parameters, or has no meaning for the splits.
    """
    params = dict(rule_params or {})
    if not isinstance(rule, str):
        _check_takes(rule, params)
        return
    known = dict(list(inspect.signature(RULES[rule]).parameters.items())[1:])
    unknown = sorted(set(params) - set(known), key=str)
    if unknown:
        raise ValueError(
            f"`rule_params` of rule={rule!r} may hold {list(known)!r}. Got {unknown!r}."
        )
    for name, value in params.items():
        _check_rule_param(name, value, flag=isinstance(known[name].default, bool))
    if rule == "vfold_penalty":
        check_partition(splits.partition)
    if rule == "stability" and len(splits.draws) < 2:
        raise ValueError(
            'rule="stability" compares predictions of several folds, and there is one '
            "split (as there is out of bag). Set `cv` to a number of folds, or use "
            'rule="gap".'
        )


def _check_takes(rule, params):
    """Refuse a callable rule that cannot be called with the curve and its settings."""
    try:
        inspect.signature(rule).bind(None, **params)
    except ValueError:  # it does not tell
        return
    except TypeError as exc:
        raise TypeError(
            "A callable `rule` must take the curve, and `rule_params` by their names. "
            f"Got {rule!r} with rule_params={params!r}: {exc}."
        ) from exc


def _check_rule_param(name, value, *, flag):
    number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    fits = isinstance(value, (bool, np.bool_)) if flag else number
    if not fits or not 0 <= value < np.inf:
        kind = "True or False" if flag else "a number in [0, inf)"
        raise ValueError(
            f"{name!r} in `rule_params` must be {kind}. Got {value!r}; leave it out "
            "for its default."
        )


def apply_rule(rule, rule_params, curve, plan, candidates):
    """What a rule picks, with what it needs beyond the curve worked out for it.

    Raises
    ------
    ValueError
        If a callable returns no candidate.
    """
    function = RULES[rule] if isinstance(rule, str) else rule
    params = dict(rule_params or {})
    if rule == "vfold_penalty":
        curve = replace(curve, full_train=full_training_scores(plan, candidates))
    if rule == "stability":
        curve = replace(curve, instability=instability(plan, candidates))
    picked = function(curve, **params)
    if isinstance(picked, Pick):
        return picked, curve
    place = isinstance(picked, (int, np.integer)) and not isinstance(picked, bool)
    if not place or not 0 <= picked < len(curve.values):
        raise ValueError(
            "A callable `rule` must return the position of a candidate, an int in "
            f"[0, {len(curve.values)}). Got {picked!r}."
        )
    chosen = np.zeros(len(curve.values), dtype=bool)
    chosen[picked] = True
    name = getattr(rule, "__name__", repr(rule))
    return Pick(int(picked), chosen, f"the rule {name} picked it"), curve


def check_scores(trials, candidates):
    """Refuse trials without a single score; warn of candidates without one.

    Candidates given up in the race were not fitted on the last splits.
    """
    if np.isnan(trials.test.mean(axis=1)).all():
        raise ValueError(
            "There must be a candidate with a score on every split to choose by. Got "
            f"NaN for all values of `{candidates.param}`; see whether the scorer suits "
            "the splits (R2 needs two rows in each, D2 two targets that differ, "
            "ROC AUC both classes)."
        )
    tried = ~np.isnan(trials.fit_seconds)
    missing = (np.isnan(trials.test) & tried).any(axis=1)
    if missing.any():
        values = [candidates.at(i) for i in np.flatnonzero(missing)]
        warn_user(
            f"The score is NaN for {candidates.param} in {values!r}; these are not "
            "chosen.",
            MissingScoreWarning,
        )


def cv_results(candidates, trials, curve, picked):
    """The table of a search, with GridSearchCV's keys and a few more."""
    n_values = len(candidates.values)
    column = np.ma.MaskedArray(candidates.column, mask=np.zeros(n_values, dtype=bool))
    results = {
        "mean_fit_time": np.nanmean(trials.fit_seconds, axis=1),
        "std_fit_time": np.nanstd(trials.fit_seconds, axis=1),
        "mean_score_time": np.nanmean(trials.score_seconds, axis=1),
        "std_score_time": np.nanstd(trials.score_seconds, axis=1),
        f"param_{candidates.param}": column,
        "params": [{candidates.param: value} for value in candidates.as_list()],
    }
    for name, scores in (("test", trials.test), ("train", trials.train)):
        for split in range(scores.shape[1]):
            results[f"split{split}_{name}_score"] = scores[:, split]
        results[f"mean_{name}_score"] = scores.mean(axis=1)
        results[f"std_{name}_score"] = scores.std(axis=1)
        if name == "test":
            results["rank_test_score"] = _ranks(scores.mean(axis=1))
    results["gap"] = curve.gap
    results["paired_std_error"] = curve.paired_std_error(curve.best)
    results["admissible"] = picked.admissible
    return results


def _ranks(scores):
    """Competition ranks, 1 is the best; NaN comes last."""
    scores = np.nan_to_num(scores, nan=-np.inf)
    return np.array([1 + np.count_nonzero(scores > own) for own in scores], np.int32)


def describe(candidates, curve, picked, rule):
    """The choice in words and numbers."""
    i, best = picked.index, curve.best
    errors = curve.paired_std_error(best)
    name = rule if isinstance(rule, str) else getattr(rule, "__name__", repr(rule))
    end = _end_in_words(candidates, i)
    return Choice(
        param=candidates.param,
        value=candidates.at(i),
        score=float(curve.mean_test[i]),
        score_std_error=float(curve.std_error()[i]),
        gap=float(curve.gap[i]),
        gap_std_error=curve.gap_std_error(i),
        best_value=candidates.at(best),
        best_score=float(curve.mean_test[best]),
        best_gap=float(curve.gap[best]),
        given_up=float(curve.mean_test[best] - curve.mean_test[i]),
        given_up_std_error=float(errors[i]),
        n_values=len(candidates.values),
        n_admissible=int(picked.admissible.sum()),
        rule=name,
        reason=picked.reason,
        edge=end,
    )


def _end_in_words(candidates, index):
    """Which end of the values one of them is, or ""."""
    if candidates.direction is not None:
        end = candidates.end(index)
        return {"weak": "weakest", "strong": "strongest"}.get(end, "")
    value = candidates.values[index]
    known = [one for one in candidates.values if one is not None]
    if value is None or min(known) < value < max(known):
        return ""
    return "smallest" if value == min(known) else "largest"


@dataclass(frozen=True, eq=False)
class RowResults:
    """What is known of the rows, for the candidates that a choice may have been among.

    Attributes
    ----------
    trials : Trials
        Of these candidates, with losses and answers by row.
    places : ndarray of int
        Which candidates they are.
    chosen : int
        The place of the chosen one among them.
    """

    trials: object
    places: np.ndarray
    chosen: int


def row_results(plan, candidates, trials, curve, index):
    """Losses and answers by row, asked for now where they were not kept.

    Parameters
    ----------
    index : int
        The chosen candidate.
    """
    measure = plan.measure
    answered = trials.answers is not None or measure.kept is None
    if answered and (trials.losses is not None or not measure.by_rows):
        return RowResults(trials, np.arange(len(curve.values)), index)
    most = max(2, min(MOST_NEAR, MOST_NUMBERS // (4 * len(plan.y))))
    places = _plausible(curve, index, most)
    trials = ask_again(plan, candidates.param, candidates.as_list(), trials, places)
    return RowResults(trials, places, int(np.flatnonzero(places == index)[0]))


def _plausible(curve, index, most):
    """Candidates that might have been chosen, at most about so many.

    Those that are not clearly behind the best one, evenly thinned where they are many:
    neighbours lose on the same rows.
    """
    short = curve.mean_test[curve.best] - curve.mean_test
    error = np.nan_to_num(curve.paired_std_error(curve.best))
    order = curve.order[(short <= FAR * error)[curve.order]]
    thinned = np.unique(np.linspace(0, len(order) - 1, most).round().astype(int))
    return np.union1d(order[thinned], [index, curve.best])


def out_of_fold(plan, held, index):
    """Out-of-fold answers of a candidate, or of all (index None), as predictions.

    Parameters
    ----------
    held : RowResults
    index : int or None
        Its place in `held`.
    """
    measure = plan.measure
    answers = held.trials.answers
    part = measure.kept.split(answers, measure.n_outputs)[measure.primary]
    if index is not None:
        return measure.prediction(part[index])
    every = [measure.prediction(answer) for answer in part]
    if isinstance(every[0], list):
        return [np.stack(output) for output in zip(*every, strict=True)]
    return np.stack(every)


def expected_score(plan, held, curve, seed):
    """Score to expect of the chosen candidate, corrected for the choice.

    Parameters
    ----------
    held : RowResults
    curve : Curve
        Of all candidates.

    Returns
    -------
    score : float
    interval : tuple of float
    """
    measure, trials, index = plan.measure, held.trials, held.chosen
    chosen, means = held.places[index], curve.mean_test[held.places]
    rows = np.flatnonzero(trials.times)
    clusters = _clusters(plan, rows)
    weight = None if plan.weight is None else plan.weight[rows]
    if measure.by_rows:
        table = LossTable(
            measure.kind,
            trials.losses[:, rows] / trials.times[rows],
            weight,
            trials.first_losses[:, rows] if trials.times.max() > 1 else None,
        )
        between = variance_between_models(curve.test[chosen], plan.n_first)
        return corrected_score(table, index, clusters, seed, between=between)
    known = ~np.isnan(trials.answers[index, rows]).any(axis=1)
    rows, clusters = rows[known], None if clusters is None else clusters[known]
    parts = measure.kept.split(trials.answers[:, rows], measure.n_outputs)
    taken = take_rows(plan.X, rows) if measure.measure.needs_rows else None
    weight = None if plan.weight is None else plan.weight[rows]
    y = plan.y[rows]

    def score(i, places):
        X = None if taken is None else take_rows(taken, places)
        own = None if weight is None else weight[places]
        outputs = measure.outputs(parts, i).take(places)
        return call_scorer(measure.measure, outputs, X, y[places], own)

    return corrected_score_of_scorer(score, means, index, len(rows), clusters, seed)


def audited(plan, candidates, trials, picked):
    """Whether the chosen value, refitted on one fold, answers as its path did.

    Where it does not, a warning says so.
    """
    family = trials.family
    if family is None or plan.out_of_bag:
        return True
    value = [candidates.at(picked.index)]
    one = replace(plan, draws=_FirstDraw(plan.draws), n_first=1, race=False)
    rows = plan.draws[0].out_of_bag
    place, answers = picked.index, trials.answers
    if answers is None:
        every = candidates.as_list()
        again = ask_again(plan, candidates.param, every, trials, np.array([place]))
        place, answers = 0, again.answers
    fast = answers[place][rows]
    one = replace(one, families=False)
    slow = try_candidates(one, candidates.param, value, keep="all").answers[0][rows]
    spread = float(np.ptp(slow, axis=0).max())
    # Answers that are all alike differ by rounding.
    scale = max(spread, 1e-6 * float(np.abs(slow).max()), np.finfo(float).tiny)
    difference = float(np.abs(fast - slow).max() / scale)
    limit = AUDIT_LIMITS[exactness_of(family, plan.estimator, candidates.param)]
    if difference <= limit:
        return True
    warn_user(
        f"The path of {type(family).__name__} differs from a refit by {difference:.2g} "
        f"of the spread of its answers, more than {limit:.2g}; every value is fitted "
        "by itself instead.",
        AuditWarning,
    )
    return False


class _FirstDraw:
    """Draws of which there is only the first."""

    def __init__(self, draws):
        self.draws = draws
        self.row_weight = draws.row_weight
        self.unit_counts = draws.unit_counts
        self.limit = 1

    def __len__(self):
        return 1

    def __getitem__(self, number):
        return self.draws[number]
