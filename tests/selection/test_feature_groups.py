"""Units of features, and features that always stay."""

import numpy as np
import pytest
from scipy import sparse

from genestimators.selection._feature_groups import (
    correlation_clusters,
    kept_units,
    unit_labels,
)


def slow_clusters(X, threshold):
    """Average linkage, two clusters at a time."""
    correlation = np.abs(np.corrcoef(X.T))
    clusters = [[j] for j in range(X.shape[1])]
    while len(clusters) > 1:
        best, pair = -1.0, None
        for a in range(len(clusters)):
            for b in range(a):
                mean = correlation[np.ix_(clusters[a], clusters[b])].mean()
                if mean > best:
                    best, pair = mean, (a, b)
        if best < threshold:
            break
        a, b = pair
        clusters[b] += clusters.pop(a)
    labels = np.empty(X.shape[1], int)
    for place, cluster in enumerate(sorted(clusters, key=min)):
        labels[cluster] = place
    return labels


def correlated(seed, n=60, p=10):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 3))
    share = rng.uniform(0.5, 1.0, size=p)
    noise = rng.normal(size=(n, p))
    return share * common[:, rng.integers(3, size=p)] * 2 + (1 - share) * noise * 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_clusters_equal_slow_linkage(seed, threshold):
    """Clusters join while the mean absolute correlation between them is enough."""
    X = correlated(seed)
    X[:, 1] *= -1e-6
    wanted = slow_clusters(X, threshold)
    np.testing.assert_array_equal(correlation_clusters(X, threshold), wanted)
    found = correlation_clusters(sparse.csr_array(X), threshold)
    np.testing.assert_array_equal(found, wanted)
    offset = correlation_clusters(X + 1e6 * X.std(axis=0), threshold)
    np.testing.assert_array_equal(offset, wanted)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_weights_are_repetitions(kind):
    """A row of weight 2 is two rows, one of weight 0 is none."""
    X = correlated(7, n=20)
    weight = np.random.default_rng(0).integers(0, 4, size=20)
    wanted = correlation_clusters(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(unit_labels("auto", kind(X), 10, weight), wanted)


def test_copies_and_constants():
    """Copies are one cluster, whatever their sign and units; a constant is its own."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    X = np.column_stack([x, -1e-8 * x + 3, rng.normal(size=50), 1e8 * x])
    X = np.column_stack([X, np.full(50, 0.1), np.full(50, 1e6 + 0.1)])
    assert correlation_clusters(X).tolist() == [0, 0, 1, 0, 2, 3]
    X[:, 1] -= 3  # a difference of sums would lose so large an offset
    assert correlation_clusters(sparse.csr_array(X)).tolist() == [0, 0, 1, 0, 2, 3]
    assert correlation_clusters(X[:, :1]).tolist() == [0]


def test_indicators_of_one_column():
    """The two columns of a binary category are one cluster."""
    rng = np.random.default_rng(1)
    flag = rng.random(60) < 0.3
    X = np.column_stack([flag, rng.normal(size=60), ~flag])
    assert correlation_clusters(X).tolist() == [0, 1, 0]


def test_missing_numbers_stand_at_the_mean():
    """NaN neither joins columns nor keeps copies apart that share it."""
    X = correlated(2)
    X[:, 1] = X[:, 0]
    X[:5, :2] = np.nan
    labels = correlation_clusters(X)
    assert labels[0] == labels[1]
    X[:, 2] = np.nan
    assert (correlation_clusters(X) == correlation_clusters(X)[2]).sum() == 1


def test_frames_with_text():
    """A column that holds no numbers is a cluster of its own."""
    pd = pytest.importorskip("pandas")
    x = np.random.default_rng(0).normal(size=30)
    frame = pd.DataFrame(
        {
            "a": x,
            "text": np.where(x > 0, "u", "v"),
            "category": pd.Categorical(np.where(x > 0, "u", "v")),
            "b": 2 * x,
            "nullable": pd.array(np.round(x * 10), dtype="Int64"),
        }
    )
    assert unit_labels("auto", frame, 5).tolist() == [0, 1, 2, 0, 0]


@pytest.mark.parametrize(
    ("groups", "wanted"),
    [
        (None, [0, 1, 2, 3]),
        (["b", "a", "b", "c"], [0, 1, 0, 2]),
        (np.array([7, 7, 3, 7]), [0, 0, 1, 0]),
        ([1, "1", 1, "x"], [0, 1, 0, 2]),
    ],
)
def test_labels_are_numbered_as_they_come(groups, wanted):
    """Labels of any kind become numbers from 0."""
    assert unit_labels(groups, None, 4).tolist() == wanted


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([0, 1], r"one label for each of the 4 features. Got 2 labels\."),
        ("clusters", r"None, 'auto' or one label for each feature. Got 'clusters'\."),
        ([0, None, 1, 2], "must not have missing labels"),
        ([0, np.nan, 1, 2], "must not have missing labels"),
    ],
)
def test_labels_are_checked(groups, words):
    """One label for each feature, none of them missing."""
    with pytest.raises(ValueError, match=words):
        unit_labels(groups, None, 4)


def test_missing_labels_of_pandas():
    """NA is a missing label, too."""
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="must not have missing labels"):
        unit_labels([0, pd.NA, 1, 2], None, 4)


@pytest.mark.parametrize(
    ("always_keep", "wanted"),
    [
        (None, []),
        ([], []),
        (["c"], [1]),
        (["a", "d"], [0, 2]),
        ([0], [0]),
        ([-1], [2]),
        (np.array([1, 2]), [0, 1]),
        ([True, False, False, True], [0, 2]),
        (np.array([False, True, False, False]), [0]),
        (np.array([False, False, False, True], dtype=object), [2]),
        (["b", 3], [0, 2]),
    ],
)
def test_whole_units_are_kept(always_keep, wanted):
    """By name, position, from the end, or mask: with all features of the group."""
    labels = np.array([0, 0, 1, 2])
    kept = kept_units(always_keep, labels, np.array(list("abcd"), dtype=object))
    assert np.flatnonzero(kept).tolist() == wanted


@pytest.mark.parametrize(
    ("always_keep", "names", "error", "words"),
    [
        (["x"], list("abc"), ValueError, r"X has \['a', 'b', 'c'\]. Got 'x'\."),
        (["x"], None, ValueError, r"X has no names. Got 'x'\."),
        ([3], None, ValueError, r"positions of the 3 features of X. Got 3\."),
        ([-4], None, ValueError, r"positions of the 3 features of X. Got -4\."),
        ([1.0], None, TypeError, r"names or positions of features. Got 1\.0\."),
        ([None], None, TypeError, r"names or positions of features. Got None\."),
        ([True, 2], None, TypeError, r"names or positions of features. Got True\."),
        ([True], None, ValueError, r"must hold 3 entries, .* Got shape \(1,\)\."),
    ],
)
def test_features_to_keep_are_checked(always_keep, names, error, words):
    """What is no feature of X is refused by its name."""
    with pytest.raises(error, match=words):
        kept_units(always_keep, np.arange(3), names)
