"""The score to expect after a choice: against loops, and its claims by simulation."""

import numpy as np
import pytest

from genestimators._row_losses import LossTable
from genestimators.regularization import _honest
from genestimators.regularization._counts import bootstrap_counts
from genestimators.regularization._curve import row_std_error
from genestimators.regularization._honest import (
    corrected_score,
    corrected_score_of_scorer,
    variance_between_models,
)


def random_table(seed, n=60, m=8, *, weighted=False, kind="squared"):
    rng = np.random.default_rng(seed)
    losses = rng.exponential(size=n) * (1 + 0.3 * rng.normal(size=(m, n))) ** 2
    weight = rng.integers(1, 4, n).astype(float) if weighted else None
    return LossTable(kind, losses, weight)


def slow_score(table, rows, i):
    """The score of candidate i on rows, with repetitions."""
    weight = np.ones(60) if table.weight is None else table.weight
    total = sum(weight[r] for r in rows)
    mean = sum(weight[r] * table.losses[i, r] for r in rows) / total
    if table.kind == "root":
        return -np.sqrt(mean)
    return -mean if table.kind == "squared" else 1 - mean


def rows_and_more(seed, n_first, n_resamples):
    """Sixty rows drawn of sixty: those to choose by, and the others."""

    def drawn(own, n_drawn):
        blocks = bootstrap_counts(60, n_resamples, own, n_drawn=n_drawn)
        for counts in np.vstack(list(blocks)).astype(int):
            yield np.repeat(np.arange(60), counts)

    yield from zip(drawn(seed, n_first), drawn(seed + 1, 60 - n_first), strict=True)


def slow_corrected(table, seed, n_first=60):
    """Tsamardinos et al. (2018), algorithm 2, resample by resample.

    The choice is by the `n_first` rows that are drawn first.
    """
    found = []
    for rows, more in rows_and_more(seed, n_first, _honest.N_RESAMPLES):
        inside = [slow_score(table, rows, i) for i in range(len(table.losses))]
        out = sorted(set(range(60)) - set(rows) - set(more))
        found.append(slow_score(table, out, int(np.argmax(inside))))
    return np.mean(found), tuple(np.quantile(found, [0.025, 0.975]))


@pytest.mark.parametrize("kind", ["squared", "root", "accuracy", "r2"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_first", [60, 30, 27])
def test_correction_equals_its_loop(kind, weighted, n_first, monkeypatch):
    """The best of the table was chosen, so nothing was given up."""
    monkeypatch.setattr(_honest, "N_RESAMPLES", 40)
    table = random_table(0, weighted=weighted, kind=kind)
    share = np.ones(60) if table.weight is None else table.weight
    best = int(np.argmax(table.scores(share)))
    score, interval = corrected_score(table, best, None, seed=3, share=n_first / 60)
    slow, slow_interval = slow_corrected(table, 3, n_first)
    np.testing.assert_allclose(score, slow, rtol=1e-12)
    np.testing.assert_allclose(interval, slow_interval, rtol=1e-12)


def test_what_was_given_up_is_taken_off():
    """A choice that is not the best one expects as much less as its mean is lower."""
    table = random_table(1)
    scores = table.scores(np.ones(60))
    best, other = int(np.argmax(scores)), int(np.argmin(scores))
    high, _ = corrected_score(table, best, None, seed=0)
    low, _ = corrected_score(table, other, None, seed=0)
    np.testing.assert_allclose(high - low, scores[best] - scores[other], rtol=1e-9)


def test_one_candidate_needs_no_correction():
    """With nothing to choose from the score is the mean, but for the resampling."""
    table = random_table(2, m=1)
    score, (low, high) = corrected_score(table, 0, None, seed=0)
    error = row_std_error(table.losses, None)[0]
    # Means over the third of the rows that a resample leaves out vary by 1.3 standard
    # errors, their mean over 500 resamples by a twentieth of one: four of those.
    assert abs(score + table.losses.mean()) < 4 * 1.3 / np.sqrt(500) * error
    assert low < score < high


@pytest.mark.parametrize("weighted", [False, True])
def test_pooled_rows_score_as_rows(weighted):
    """Clusters keep every sum, whatever is pooled."""
    table = random_table(3, weighted=weighted, kind="r2")
    clusters = np.random.default_rng(0).permutation(60) % 7
    share = np.ones(60) if table.weight is None else table.weight
    pooled = table.pooled(clusters)
    np.testing.assert_allclose(
        pooled.scores(pooled.weight), table.scores(share), rtol=1e-12
    )


def test_clusters_are_drawn_together():
    """A copy of each row, in its cluster, is no new information."""
    table = random_table(4)
    double = LossTable(table.kind, np.repeat(table.losses, 2, axis=1), None)
    chosen = int(np.argmax(table.scores(np.ones(60))))
    for share in (1.0, 0.5):
        one = corrected_score(table, chosen, None, seed=5, share=share)
        clusters = np.repeat(np.arange(60), 2)
        two = corrected_score(double, chosen, clusters, seed=5, share=share)
        np.testing.assert_allclose(one[0], two[0], rtol=1e-12)
        np.testing.assert_allclose(one[1], two[1], rtol=1e-12)


def test_cluster_errors_equal_those_of_sums():
    """The standard error of a mean whose rows come in clusters, by hand."""
    rng = np.random.default_rng(0)
    values, weight = rng.normal(size=(1, 40)), rng.exponential(size=40)
    clusters = rng.permutation(40) % 9
    mean = np.average(values[0], weights=weight)
    sums = [
        (weight * (values[0] - mean))[clusters == one].sum() / weight.sum()
        for one in range(9)
    ]
    np.testing.assert_allclose(
        row_std_error(values, weight, clusters)[0],
        np.sqrt(9 / 8 * np.square(sums).sum()),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        row_std_error(values, weight, np.arange(40)), row_std_error(values, weight)
    )


def test_many_rows_are_drawn_by_handfuls(monkeypatch):
    """Handfuls of rows give the score and the interval that rows give."""
    rng = np.random.default_rng(0)
    table = LossTable("squared", rng.exponential(size=(3, 5000)), None)
    best = int(np.argmax(table.scores(np.ones(5000))))
    score, (low, high) = corrected_score(table, best, None, seed=0)
    monkeypatch.setattr(_honest, "MOST_UNITS", 5000)
    slow_score, (slow_low, slow_high) = corrected_score(table, best, None, seed=0)
    assert abs(score - slow_score) < (slow_high - slow_low) / 10
    # 500 resamples know the width between two percentiles to about 7 %: three of
    # those, for two intervals.
    assert abs((high - low) / (slow_high - slow_low) - 1) < 3 * 0.07 * np.sqrt(2)


def test_repeats_settle_the_score_and_single_models_the_interval():
    """The luck of the first repeat does not move the score to expect."""
    rng = np.random.default_rng(0)
    table, found = random_table(7), []
    best = int(np.argmax(table.scores(np.ones(60))))
    for noise in (0.0, 0.3, 0.6):
        single = table.losses + noise * (1 + rng.normal(size=(1, 60)))
        lucky = LossTable(table.kind, table.losses, None, single)
        found.append(corrected_score(lucky, best, None, seed=0))
    score, _ = corrected_score(table, best, None, seed=0)
    np.testing.assert_allclose([one for one, _ in found], score, rtol=1e-9)
    widths = [high - low for _, (low, high) in found]
    assert widths[0] < widths[1] < widths[2]


@pytest.mark.parametrize("kind", ["accuracy", "squared", "root", "r2"])
def test_intervals_hold_no_score_that_cannot_be(kind):
    """Widening stops at all rows right and at all rows wrong."""
    losses = np.random.default_rng(0).integers(0, 2, size=(3, 12)).astype(float)
    table = LossTable(kind, losses, None)
    best = int(np.argmax(table.scores(np.ones(12))))
    _, (low, high) = corrected_score(table, best, None, seed=0, between=1.0)
    ends = (0, 1) if kind in ("accuracy", "r2") else (-1, 0)
    assert (low, high) == ends


@pytest.mark.parametrize("n_first", [60, 30])
def test_scorers_are_corrected_like_losses(n_first):
    """A score that is asked for by rows equals that of the table of losses."""
    table = random_table(6, m=3)
    scores = table.scores(np.ones(60))
    best = int(np.argmax(scores))
    one, _ = corrected_score_of_scorer(
        lambda i, rows: -table.losses[i, rows].mean(),
        scores,
        best,
        60,
        None,
        7,
        share=n_first / 60,
    )
    found = []
    for rows, more in rows_and_more(7, n_first, _honest.N_SCORED):
        inside = table.losses[:, rows].mean(axis=1)
        out = sorted(set(range(60)) - set(rows) - set(more))
        found.append(-table.losses[inside.argmin(), out].mean())
    np.testing.assert_allclose(one, np.mean(found), rtol=1e-9)


def test_variance_between_models_needs_repeats():
    """One repeat says nothing of it; the repeats' means do."""
    rng = np.random.default_rng(0)
    assert variance_between_models(rng.normal(size=5), 5) == 0
    scores = rng.normal(size=(2000, 5)).ravel()
    # Models that vary alone by 1, five to a mean: 2000 repeats tell it to 3 %.
    np.testing.assert_allclose(variance_between_models(scores, 5), 1, atol=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("n", [40, 200])
def test_the_best_of_many_equal_candidates_is_corrected(n):
    """The naive score of the best of 40 alike is too good, the corrected one is not.

    Every candidate loses 1 on average. In 300 tables the mean of the corrected score
    errs to the pessimistic side, by less than the naive one errs to the other, and
    the interval covers the truth as often as it says: 95 %, of which 300 tables can
    tell 3 %.
    """
    rng = np.random.default_rng(0)
    naive, corrected, covered = [], [], []
    for seed in range(300):
        common = rng.exponential(size=n)
        losses = 0.5 * common + 0.5 * rng.exponential(size=(40, n))
        table = LossTable("squared", losses, None)
        scores = table.scores(np.ones(n))
        best = int(np.argmax(scores))
        score, (low, high) = corrected_score(table, best, None, seed)
        naive.append(scores[best] + 1)
        corrected.append(score + 1)
        covered.append(low <= -1 <= high)
    assert np.mean(naive) > 0
    error = 3 * np.std(corrected) / np.sqrt(300)
    assert -np.mean(naive) < np.mean(corrected) < error
    assert np.mean(covered) > 0.92
