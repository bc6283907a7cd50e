"""Rules that pick a candidate from a curve.

A rule is a function of the curve that returns the index of a candidate, which
candidates were admissible, and why. Only differences of scores are used, so rules do
not depend on the scale or the sign of the metric.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.regularization._counts import bootstrap_counts
from genestimators.regularization._curve import pick

N_RESAMPLES = 501  # odd, so that one of them is the median


@dataclass(frozen=True, eq=False)
class Pick:
    """What a rule picked.

    Attributes
    ----------
    index : int
    admissible : ndarray of shape (n_values,), bool
        The candidates it picked from.
    reason : str
        What they have in common and what decided among them.
    """

    index: int
    admissible: np.ndarray
    reason: str


def best(curve):
    """The best mean validation score."""
    index = curve.best
    return Pick(index, _only(curve, index), "it has the best mean validation score")


def median(curve):
    """The median, by strength of penalty, of the best candidates of resamples.

    As many splits as there are folds are drawn with replacement (out of bag: as many
    rows as there are) and the best candidate of each resample is noted. Where the
    curve is steep it is always the same; on a noisy plateau each resample has its
    own, and the middle of them is a calmer choice than the top of the mean curve
    (in the manner of the percentile lasso of Roberts and Nowak, 2014).
    """
    if curve.test.shape[1] == 1 and not curve.by_rows:
        words = "it has the best score of the one split, which cannot be resampled"
        return Pick(curve.best, _only(curve, curve.best), words)
    found = np.concatenate(list(_best_of_resamples(curve)))
    order = np.argsort(curve.strength[found], kind="stable")
    low, index, high = found[
        order[[N_RESAMPLES // 4, N_RESAMPLES // 2, -N_RESAMPLES // 4]]
    ]
    strength = curve.strength
    inside = (strength >= strength[low]) & (strength <= strength[high])
    return Pick(
        int(index),
        inside & ~np.isnan(curve.mean_test),
        "it is the median, by strength of penalty, of the best values of "
        f"{N_RESAMPLES} resamples",
    )


def _best_of_resamples(curve):
    """The best candidate of each resample, ties to the strongest penalty."""
    usable = curve.order[::-1]
    usable = usable[~np.isnan(curve.mean_test[usable])]
    if curve.by_rows:
        scores, settings = -curve.losses[usable], {"clusters": curve.clusters}
        if curve.weight is not None:
            scores = scores * curve.weight
    else:
        scores, settings = curve.test[usable], {"n_drawn": curve.n_folds}
    # The first of candidates that are alike: their sums may differ by rounding.
    scores, first = np.unique(scores, axis=0, return_index=True)
    scores, usable = scores[np.argsort(first)], usable[np.sort(first)]
    for counts in bootstrap_counts(scores.shape[1], N_RESAMPLES, 0, **settings):
        yield usable[np.argmax(counts @ scores.T, axis=1)]


def gap(curve, *, q=0.25):
    """The smallest gap among the candidates that are tied with the best.

    Parameters
    ----------
    q : float, default=0.25
        Candidates within q paired standard errors of the best are tied with it.
    """
    admissible = _tied(curve, q)
    index = pick(-curve.gap, curve.strength, admissible)
    return Pick(
        index,
        admissible,
        f"it has the smallest gap among those within {q:g} paired standard errors of "
        "the best",
    )


def one_standard_error(curve, *, classic=False):
    """The strongest penalty within one standard error of the best.

    Parameters
    ----------
    classic : bool, default=False
        Use the standard error of the best mean score itself (Breiman et al., 1984)
        rather than that of paired differences, which is smaller.
    """
    if classic:
        error = curve.std_error()[curve.best]
        short = curve.mean_test[curve.best] - curve.mean_test
        admissible = _contiguous(curve, short <= np.nan_to_num(error))
        words = "one standard error"
    else:
        admissible = _tied(curve, 1.0)
        words = "one paired standard error"
    index = pick(curve.strength.astype(float), curve.strength, admissible)
    return Pick(
        index, admissible, f"it is the strongest penalty within {words} of the best"
    )


def penalized(curve, *, weight=0.1):
    """The best validation score minus a share of the gap.

    Parameters
    ----------
    weight : float, default=0.1
        What a unit of gap costs.
    """
    index = pick(curve.mean_test - weight * curve.gap, curve.strength)
    return Pick(
        index,
        _only(curve, index),
        f"its validation score less {weight:g} times its gap is the best",
    )


def check_partition(partition):
    """Refuse folds that V-fold penalisation has no meaning for."""
    if not partition:
        raise ValueError(
            'rule="vfold_penalty" needs folds that split the rows, each row left out '
            "once: a time split or a random split is none. Use KFold or its kin, or "
            'rule="gap".'
        )


def vfold_penalty(curve, *, kappa=1.25):
    """The best training score of the full fit, less the gap the folds predict for it.

    V-fold penalisation (Arlot, 2008): the gap of the folds, times the share of rows in
    a training fold, estimates the optimism of the fit on all rows.

    Parameters
    ----------
    kappa : float, default=1.25
        1 is unbiased; more penalises beyond that, which pays where noise is strong.
    """
    check_partition(curve.partition)
    share = 1.0 - 1.0 / curve.n_folds
    criterion = curve.full_train - kappa * share * curve.gap
    index = pick(criterion, curve.strength)
    return Pick(
        index,
        _only(curve, index),
        f"its training score less {kappa:g} times its estimated optimism is the best",
    )


def tolerance(curve, *, tolerance=0.01):
    """The strongest penalty whose loss of score is a small share.

    Parameters
    ----------
    tolerance : float, default=0.01
        Share of the range from the worst candidate to the best that may be given up.
    """
    scores = curve.mean_test
    allowed = tolerance * (np.nanmax(scores) - np.nanmin(scores))
    admissible = _contiguous(curve, scores[curve.best] - scores <= allowed)
    index = pick(curve.strength.astype(float), curve.strength, admissible)
    return Pick(
        index,
        admissible,
        f"it is the strongest penalty that gives up at most {100 * tolerance:g}% of "
        "the range of scores",
    )


def stability(curve, *, q=1.0):
    """The most stable predictions among tied candidates no weaker than the best.

    Estimation stability (Lim and Yu, 2016): the variance of the predictions from fold
    to fold, over their mean square.

    Parameters
    ----------
    q : float, default=1.0
        Candidates within q paired standard errors of the best are tied with it.
    """
    admissible = _tied(curve, q) & (curve.strength >= curve.strength[curve.best])
    index = pick(-curve.instability, curve.strength, admissible)
    return Pick(
        index,
        admissible,
        "its predictions change least from fold to fold among those no weaker than "
        f"the best and within {q:g} paired standard errors of it",
    )


RULES = {
    "median": median,
    "gap": gap,
    "best": best,
    "one_standard_error": one_standard_error,
    "penalized": penalized,
    "vfold_penalty": vfold_penalty,
    "tolerance": tolerance,
    "stability": stability,
}


def _tied(curve, q):
    """Candidates within q paired standard errors of the best, next to it."""
    reference = curve.best
    short = curve.mean_test[reference] - curve.mean_test
    error = np.nan_to_num(curve.paired_std_error(reference))
    return _contiguous(curve, short <= q * error)


def _contiguous(curve, tied):
    """The run of tied candidates around the best, in order of strength.

    A candidate behind a worse one is likelier to be there by chance.
    """
    order = curve.order
    along = (tied | (np.arange(len(tied)) == curve.best))[order]
    place = int(np.flatnonzero(order == curve.best)[0])
    first = last = place
    while first > 0 and along[first - 1]:
        first -= 1
    while last < len(order) - 1 and along[last + 1]:
        last += 1
    inside = np.zeros(len(order), dtype=bool)
    inside[order[first : last + 1]] = True
    return inside


def _only(curve, index):
    chosen = np.zeros(len(curve.values), dtype=bool)
    chosen[index] = True
    return chosen
