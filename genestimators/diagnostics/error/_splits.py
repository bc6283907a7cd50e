"""The error on new rows from scores of random splits, for any score.

Scores of splits that share rows are not independent, so the variance of their mean is
not theirs over their number. Nadeau and Bengio (2003) either widen it by what the
shared rows add, or take it from halves of the rows, which share none.
"""

import numpy as np
from scipy import stats

from genestimators._exceptions import CoverageWarning, warn_user
from genestimators._inputs import take_rows
from genestimators.diagnostics._split_scores import split_scores, stratifies
from genestimators.diagnostics.error._estimate import Estimate, estimate_of
from genestimators.resampling import Folds, GroupSubsample, Subsample
from genestimators.resampling._hashing import derive

TEST_SHARE = 0.2
N_SPLITS = 25  # of the corrected t
N_PAIRS = 10  # of halves
N_INSIDE = 15  # splits of all rows, and of each half


def by_corrected_t(question):
    """Mean score of random splits, with the variance of Nadeau and Bengio.

    Scores of splits are taken to be as correlated as the share of rows that two test
    sets have in common, whatever the learner.

    Parameters
    ----------
    question : Question

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If there are fewer than three groups, or no score on some split.

    Warns
    -----
    CoverageWarning
        If the score is the same on every split.
    """
    _check_groups(question, "corrected_t", 3)
    problem = question.problem
    draws = _splits(question, np.arange(problem.n_rows), TEST_SHARE, "splits")
    numbers = range(question.n_repeats or N_SPLITS)
    figures, ratio = _figures(question, draws, numbers)
    n = len(figures)
    variance = (1 / n + ratio) * figures.var(ddof=1)
    told = {"freedom": n - 1, "n_fits": n}
    return _estimate(question, figures.mean(), np.sqrt(variance), **told)


def by_conservative_z(question):
    """Mean score of random splits, with the variance between disjoint halves.

    Models in halves learn from fewer rows, and vary more for it.

    Parameters
    ----------
    question : Question

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If there are fewer than four groups, or no score on some split.

    Warns
    -----
    CoverageWarning
        If the score is the same on every split.
    """
    _check_groups(question, "conservative_z", 4)
    n_pairs = question.n_repeats or N_PAIRS
    every = np.arange(question.problem.n_rows)
    whole = _splits(question, every, TEST_SHARE, "splits")
    figure = _figures(question, whole, range(N_INSIDE))[0].mean()
    halves = _inside_halves(question, n_pairs)
    numbers = range(2 * n_pairs * N_INSIDE)
    inside, _ = _figures(question, halves, numbers, "split of a half")
    means = inside.reshape(n_pairs, 2, N_INSIDE).mean(axis=2)
    # Halves share no row, so half the square of their difference has the variance of
    # one of them for its mean.
    variance = (np.diff(means, axis=1) ** 2).mean() / 2
    n_fits = N_INSIDE * (1 + 2 * n_pairs)
    told = {"freedom": np.inf, "n_fits": n_fits}
    return _estimate(question, figure, np.sqrt(variance), **told)


def _check_groups(question, method, least):
    if question.n_units < least:
        raise ValueError(
            f"method={method!r} needs at least {least} groups of rows of positive "
            f"weight. Got {question.n_units}; pass more groups."
        )


def _splits(question, rows, test_share, *name):
    """Random splits of some rows, or of their groups.

    Parameters
    ----------
    rows : ndarray of int
    test_share : float
        Of the rows, or groups, to leave out.
    *name : str or int
        Of the stream that splits are drawn from.

    Returns
    -------
    draws : Draws
        Of places in `rows`.
    """
    problem = question.problem
    y = problem.y[rows]
    weight = None if problem.weight is None else problem.weight[rows]
    groups = None if problem.groups is None else problem.groups[rows]
    told = take_rows(problem.X, rows), y, weight, groups, derive(problem.seed, *name)
    classifier = stratifies(problem, question.measure)
    settings = {"classifier": classifier, "weight_mode": "importance"}
    if groups is not None:
        return GroupSubsample(1 - test_share).prepare(*told, **settings)
    draws = Subsample(1 - test_share).prepare(*told, **settings)
    if not len(draws[0].out_of_bag):  # classes of one row, none of which is left out
        draws = Subsample(1 - test_share, stratify=False).prepare(*told, **settings)
    return draws


def _inside_halves(question, n_pairs):
    """Splits of halves, which leave out as much as those of all rows.

    Returns
    -------
    draws : Draws
        Those of one half follow each other, and so do the two halves of a pair.
    """
    problem, used = question.problem, question.used
    unit = np.empty(problem.n_rows, dtype=np.intp)
    unit[used] = question.units
    folds, pairs = question.folds(2), []
    for number in range(2 * n_pairs):
        half = folds[number].rows
        n_units = len(np.unique(unit[half]))
        share = TEST_SHARE * question.n_units / n_units
        draws = _splits(question, half, share, "inside", number)
        inside = [draws[split] for split in range(N_INSIDE)]
        pairs += [(half[draw.rows], half[draw.out_of_bag]) for draw in inside]
    return Folds(pairs).prepare(
        problem.X, problem.y, problem.weight, classifier=problem.classifier
    )


def _figures(question, draws, numbers, noun="split"):
    """Mean losses of splits, or scores where they are no mean losses.

    R2 and its kin compare with the mean of all rows: that of a split would have its own
    error, which is large where few rows are tested.

    Returns
    -------
    figures : ndarray of shape (n_splits,)
    ratio : float
        Weight of the rows tested on over that of the rows learned from.
    """
    problem = question.problem
    if not question.by_rows:
        seed = derive(problem.seed, "models", noun)
        told = problem, problem.estimator, question.scoring, draws, numbers
        found = split_scores(*told, seed=seed)
        return found.scores, float((found.test_weight / found.train_weight).mean())
    figures, ratios = [], []
    for draw, places, losses in question.read(draws, numbers, noun=noun):
        shares = question.shares[places]
        figures.append(np.average(losses @ question.scale, weights=shares))
        ratios.append(draw.out_of_bag_counts.sum() / draw.counts.sum())
    return np.array(figures), float(np.mean(ratios))


def _estimate(question, figure, std_error, *, freedom, n_fits):
    """The estimate from a mean loss, or a mean score, of splits."""
    # Where there was no loss at all `estimate_of` has its say.
    if std_error == 0 and not (question.by_rows and figure == 0):
        _warn_of_no_spread()
    if question.by_rows:
        told = {"freedom": freedom, "n_fits": n_fits}
        return estimate_of(question, figure, std_error, **told)
    # Bounds of other scores are not known (an area under a curve has them, a score of
    # the user's own may not), so that the interval is symmetric and may leave them.
    reach = float(stats.t.ppf(0.5 + question.level / 2, freedom) * std_error)
    score = float(figure)
    interval = score - reach, score + reach
    return Estimate(score, float(std_error), interval, n_fits)


def _warn_of_no_spread():
    warn_user(
        "The score is the same on every split, so that its interval has no width and "
        'means nothing; set method="nested_cv" with a mean loss, such as '
        '"neg_log_loss" or "neg_mean_squared_error".',
        CoverageWarning,
    )
