"""The median rule out of bag, where rows or clusters of rows are resampled."""

import numpy as np
import pytest

from genestimators import Curve
from genestimators.regularization._counts import bootstrap_counts
from genestimators.regularization._rules import N_RESAMPLES, RULES

N_ROWS = 12
N_CLUSTERS = 5


def row_curve(seed, *, weighted, clustered):
    """Dyadic losses of rows, so that sums are exact and ties are ties."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    level = np.linspace(0, 0.5, n)[:, None] ** 2
    losses = np.round(16 * (level + rng.exponential(size=(n, N_ROWS)))) / 16
    losses[rng.integers(n)] = losses[rng.integers(n)]
    weight = rng.integers(1, 5, N_ROWS).astype(float) if weighted else None
    clusters = None
    if clustered:
        clusters = np.concatenate(
            [np.arange(N_CLUSTERS), rng.integers(N_CLUSTERS, size=N_ROWS - N_CLUSTERS)]
        )
        clusters = rng.permutation(clusters)
    return Curve(
        values=np.arange(n),
        strength=rng.permutation(n),
        test=-np.average(losses, axis=1, weights=weight)[:, None],
        train=np.zeros((n, 1)),
        n_folds=1,
        losses=losses,
        weight=weight,
        clusters=clusters,
    )


def slow_median(curve):
    """The rule as one would write it down, and its admissible candidates."""
    weight = np.ones(N_ROWS) if curve.weight is None else curve.weight
    clusters = np.arange(N_ROWS) if curve.clusters is None else curve.clusters
    ranks = []
    blocks = bootstrap_counts(clusters.max() + 1, N_RESAMPLES, 0)
    for counts in np.concatenate(list(blocks)):
        totals = []
        for i in range(len(curve.values)):
            total = 0.0
            for row in range(N_ROWS):
                total += counts[clusters[row]] * weight[row] * curve.losses[i, row]
            totals.append(total)
        best = [i for i, total in enumerate(totals) if total == min(totals)]
        ranks.append(max(curve.strength[i] for i in best))
    ranks.sort()
    half = [ranks[N_RESAMPLES // 4], ranks[-1 - N_RESAMPLES // 4]]
    inside = (curve.strength >= half[0]) & (curve.strength <= half[1])
    return list(curve.strength).index(ranks[N_RESAMPLES // 2]), inside


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_median_of_resampled_rows_equals_its_loop(weighted, clustered):
    """Rows count by their weights; those of a cluster are drawn together."""
    for seed in range(2):
        curve = row_curve(seed, weighted=weighted, clustered=clustered)
        picked = RULES["median"](curve)
        index, inside = slow_median(curve)
        assert picked.index == index
        np.testing.assert_array_equal(picked.admissible, inside)


def test_copies_of_rows_in_their_clusters_change_nothing():
    """Clusters of three alike draw as the rows they are copies of."""
    for seed in range(40):
        one = row_curve(seed, weighted=True, clustered=False)
        three = Curve(
            values=one.values,
            strength=one.strength,
            test=one.test,
            train=one.train,
            n_folds=1,
            losses=np.repeat(one.losses, 3, axis=1),
            weight=np.repeat(one.weight, 3),
            clusters=np.repeat(np.arange(N_ROWS), 3),
        )
        picked, again = RULES["median"](one), RULES["median"](three)
        assert picked.index == again.index
        np.testing.assert_array_equal(picked.admissible, again.admissible)


def test_one_split_without_losses_of_rows_has_nothing_to_resample():
    """The best score is picked, and the reason says so."""
    curve = Curve(
        values=np.arange(3),
        strength=np.arange(3),
        test=np.array([[0.1], [0.3], [0.2]]),
        train=np.ones((3, 1)),
        n_folds=1,
    )
    picked = RULES["median"](curve)
    assert picked.index == 1
    assert "cannot be resampled" in picked.reason
