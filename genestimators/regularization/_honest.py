"""The score to expect of a model that was chosen among many by its score.

The best of many noisy scores is too good. Bootstrap-bias-corrected cross-validation
(Tsamardinos, Greasidou and Borboudakis, 2018) repeats the choice on resampled
out-of-fold predictions and scores what was chosen on the rows that the resample left
out: no model is fitted again.
"""

import warnings

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t
from sklearn.exceptions import UndefinedMetricWarning

from genestimators._exceptions import UnweightedScoreWarning
from genestimators.regularization._counts import bootstrap_counts
from genestimators.regularization._curve import row_std_error

N_RESAMPLES = 500
N_SCORED = 40  # resamples, where each is scored by a scorer
MOST_UNITS = 500  # more rows than twice that are drawn by handfuls, so many
FAR = 4.0  # paired standard errors behind the best: such candidates are never chosen


def corrected_score(
    table,
    chosen,
    clusters,
    seed,
    *,
    confidence=0.95,
    between=0.0,
    n_resamples=None,
    share=1.0,
):
    """Score to expect of the chosen candidate, with an interval.

    Parameters
    ----------
    table : LossTable
    chosen : int
        What it gives up against the best candidate is taken off.
    clusters : ndarray of shape (n_rows,), int, or None
        Rows that are resampled together.
    seed : int
    confidence : float, default=0.95
    between : float, default=0.0
        Variance of the score from one fitted model to the next, which the rows do not
        show. It widens the interval.
    n_resamples : int, default=None
        None is 500.
    share : float, default=1.0
        Of the drawn rows, to choose by; see `share_to_choose_by`.

    Returns
    -------
    score : float
    interval : tuple of float
        Percentiles of the scores of the resamples, widened, but not beyond the scores
        that single rows have.
    """
    limits = table.of_single_models().limits()
    table = _pooled(table, clusters, seed)
    n = table.losses.shape[1]
    everywhere = np.ones(n) if table.weight is None else table.weight
    scores = table.scores(everywhere)
    best = int(np.nanargmax(scores))
    near_table = table.take(_near(table, scores, best))
    single = near_table.of_single_models()
    found, means = [], []
    n_resamples = N_RESAMPLES if n_resamples is None else n_resamples
    for counts, left in _resamples(n, n_resamples, seed, share):
        picked = np.argmax(near_table.scores(counts * everywhere), axis=1)
        every, outside = np.arange(len(picked)), left * everywhere
        found.append(single.scores(outside)[every, picked])
        if single is not near_table:
            means.append(near_table.scores(outside)[every, picked])
    found = np.concatenate(found)
    if means:  # they vary as one model does, around the mean of all repeats
        found += np.nanmean(np.concatenate(means)) - np.nanmean(found)
    score, interval = _summary(
        found, scores[chosen] - scores[best], confidence, between
    )
    return score, tuple(float(np.clip(end, *limits)) for end in interval)


def corrected_score_of_scorer(
    score, scores, chosen, n, clusters, seed, *, confidence=0.95, share=1.0
):
    """The same for a score that is no mean over rows.

    Parameters
    ----------
    score : callable
        `score(i, rows)` is the score of candidate i on some rows.
    scores : ndarray of shape (n_values,)
        Of every candidate on all rows.
    share : float, default=1.0
        As in `corrected_score`.
    """
    best = int(np.nanargmax(scores))
    near = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")[:3]
    near = near[~np.isnan(scores[near])]
    found = []
    with warnings.catch_warnings():
        # A resample may lack a class, which says nothing about the data.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        # The scores that were chosen by have warned already; once is enough.
        warnings.simplefilter("ignore", UnweightedScoreWarning)
        for block in _resamples(n, N_SCORED, seed, share, clusters):
            for counts, left in zip(*block, strict=True):
                rows = np.repeat(np.arange(n), counts.astype(np.intp))
                found.append(_score_outside(score, near, rows, left))
    found = np.array(found)
    found = found[~np.isnan(found)]
    if len(found) < N_SCORED // 2:
        return float("nan"), (float("nan"), float("nan"))
    found = found + scores[chosen] - scores[best]
    # Too few for percentiles.
    reach = norm.ppf(0.5 + confidence / 2) * found.std(ddof=1)
    centre = float(found.mean())
    return centre, (centre - float(reach), centre + float(reach))


def share_to_choose_by(n_tested, n_trained):
    """Share of the rows of a resample whose choice is as noisy as one by all rows.

    Resampled predictions show the noise of the rows that are predicted, v / n_tested.
    That of the rows that the models were fitted on is not in them, as no model is
    fitted again: what looks true in all rows by chance helps the same candidate in
    every fold. It is about v / n_trained (Nadeau and Bengio, 2003), and a choice by
    fewer rows has as much noise as both.

    Parameters
    ----------
    n_tested, n_trained : float
        Rows that were predicted, and that the average model was fitted on.

    Returns
    -------
    share : float
    """
    return n_trained / (n_trained + n_tested)


def _resamples(n, n_resamples, seed, share, clusters=None):
    """Counts of rows to choose by, and which rows to score on, some resamples a time.

    As many are drawn as there are, and the choice is by the first of them; the rows to
    score on are those that were not drawn at all.
    """
    n_units = n if clusters is None else int(clusters.max()) + 1
    n_first = max(1, round(share * n_units))
    first = bootstrap_counts(n, n_resamples, seed, n_drawn=n_first, clusters=clusters)
    if n_first == n_units:
        for counts in first:
            yield counts, counts == 0
        return
    others = bootstrap_counts(
        n, n_resamples, seed + 1, n_drawn=n_units - n_first, clusters=clusters
    )
    for counts, more in zip(first, others, strict=True):
        yield counts, counts + more == 0


def _score_outside(score, near, rows, left):
    """What the best candidate of a resample scores on the rows left out, or NaN."""
    try:
        inside = np.array([score(i, rows) for i in near])
        if np.isnan(inside).all():
            return np.nan
        return score(near[int(np.nanargmax(inside))], np.flatnonzero(left))
    except ValueError:  # one class only, say
        return np.nan


def _summary(found, given_up, confidence, between):
    found = found[~np.isnan(found)] + given_up
    if not len(found):
        return float("nan"), (float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    centre, own = found.mean(), found.var()
    wider = np.sqrt(1 + between / own) if own > 0 else 1.0
    low, high = centre + wider * (np.quantile(found, [tail, 1 - tail]) - centre)
    return float(centre), (float(low), float(high))


def variance_between_models(scores, n_first):
    """Variance of the score of one model around that of the next, from repeats.

    Parameters
    ----------
    scores : ndarray of shape (n_splits,)
        Of one candidate.
    n_first : int
        Splits of a repeat.

    Returns
    -------
    variance : float
        The mean of a repeat is over the same rows every time, so it varies by its
        models alone; of one model rather than n_first of them that is n_first times
        as much. 0 where there are no repeats to tell.
    """
    n_repeats = len(scores) // n_first
    if n_repeats < 2 or n_first < 2:
        return 0.0
    means = scores[: n_repeats * n_first].reshape(n_repeats, n_first).mean(axis=1)
    return float(n_first * means.var(ddof=1))


def _pooled(table, clusters, seed):
    """The table of what is resampled: rows, clusters, or handfuls of them.

    Sums over handfuls vary as what is in them does, so nothing is lost by drawing it
    together.
    """
    units = np.arange(table.losses.shape[1]) if clusters is None else clusters
    n_units = int(units.max()) + 1
    if n_units > 2 * MOST_UNITS:
        units = (np.random.default_rng(seed).permutation(n_units) % MOST_UNITS)[units]
    elif clusters is None:
        return table
    return table.pooled(units)


def _near(table, scores, best):
    """Candidates that a resample might choose; those without a score are none."""
    n = table.losses.shape[1]
    share = np.full(n, 1.0 / n)
    if table.weight is not None:
        share = table.weight / table.weight.sum()
    difference = table.losses[best] - table.losses
    error = row_std_error(difference, table.weight)
    behind = (table.losses - table.losses[best]) @ share
    rounding = 1e-12 * np.nanmax(np.abs(behind), initial=0.0)
    near = behind <= FAR * np.nan_to_num(error) + rounding
    return np.flatnonzero(near & ~np.isnan(scores))


def corrected_score_of_folds(curve, chosen, *, confidence=0.95):
    """The same from the scores of folds alone (Tibshirani and Tibshirani, 2009).

    The bias of choosing is what the best candidate of each fold scores there above the
    best candidate of all; the interval is that of a mean over folds.
    """
    test = curve.test
    best = curve.best
    bias = float(np.nanmean(np.nanmax(test, axis=0) - test[best]))
    score = float(curve.mean_test[chosen]) - bias
    error = float(curve.std_error()[chosen])
    reach = student_t.ppf(0.5 + confidence / 2, max(curve.n_folds - 1, 1)) * error
    return score, (score - reach, score + reach)
