"""The bootstrap of whole groups."""

import pickle

import numpy as np
import pytest

from genestimators import GroupBootstrap
from genestimators.resampling._hashing import derive
from genestimators.resampling._keys import column_keys
from tests.resampling import reference


def _data(n=60, n_groups=12, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.append(np.arange(n_groups), rng.integers(n_groups, size=n - n_groups))
    return rng.normal(size=(n, 2)), rng.normal(size=n), groups


def _group_counts(draw, groups):
    """The count of each group in the bag; all its rows have to share it."""
    counts = {}
    for row, count in zip(draw.rows, draw.counts, strict=True):
        assert counts.setdefault(groups[row], count) == count
    return counts


@pytest.mark.parametrize("max_samples", [1.0, 0.5, 3])
def test_groups_equal_slow_loop(max_samples):
    """Each group has the count that the documented recipe gives its label."""
    X, y, groups = _data()
    draws = GroupBootstrap(max_samples=max_samples).prepare(X, y, groups=groups, seed=4)
    labels = np.unique(groups)
    keys = column_keys(labels).tolist()
    fraction = max_samples / 12 if isinstance(max_samples, int) else max_samples
    for number in (0, 7, 12):
        u = [reference.uniform(key, derive(4, "group"), number) for key in keys]
        expected = reference.stratum_counts(
            np.array(u), np.ones(12), fraction * 12, fraction
        )
        found = _group_counts(draws[number], groups)
        assert [found.get(label, 0) for label in labels] == expected.tolist()
        assert sum(found.values()) == 12 * fraction


def test_groups_are_in_the_bag_or_out_of_it_whole():
    """No group has rows on both sides, and none is lost."""
    X, y, groups = _data()
    draws = GroupBootstrap().prepare(X, y, groups=groups, seed=0)
    for number in range(20):
        draw = draws[number]
        inside, outside = set(groups[draw.rows]), set(groups[draw.out_of_bag])
        assert not inside & outside
        assert inside | outside == set(groups)
        assert sorted([*draw.rows, *draw.out_of_bag]) == list(range(60))
        assert sum(_group_counts(draw, groups).values()) == 12


def test_groups_are_balanced_over_ten_replicates():
    """Ten groups or more: each is left out three or four times in ten."""
    X, y, groups = _data()
    draws = GroupBootstrap().prepare(X, y, groups=groups, seed=0)
    table = np.array(
        [
            [label in _group_counts(draws[b], groups) for label in range(12)]
            for b in range(20)
        ]
    )
    left_out = (~table).reshape(2, 10, 12).sum(axis=1)
    assert set(left_out.ravel().tolist()) <= {3, 4}


def test_groups_do_not_depend_on_the_order_of_rows():
    """Permuted rows: the same rows in the same canonical order."""
    X, y, groups = _data()
    order = np.random.default_rng(1).permutation(60)
    first = GroupBootstrap().prepare(X, y, groups=groups, seed=3)
    second = GroupBootstrap().prepare(X[order], y[order], groups=groups[order], seed=3)
    copy = pickle.loads(pickle.dumps(first))
    for number in (11, 2, 0):
        ours, theirs = first[number], second[number]
        assert X[ours.rows].tolist() == X[order][theirs.rows].tolist()
        assert ours.counts.tolist() == theirs.counts.tolist()
        assert ours.held_out.tolist() == theirs.held_out.tolist()
        assert copy[number].rows.tolist() == ours.rows.tolist()


@pytest.mark.parametrize(
    "relabel",
    [
        lambda g: g.astype(float),
        lambda g: g.tolist(),
        lambda g: g[:, None],
        lambda g: g.astype(object),
        lambda g: g.astype(np.uint8),
    ],
)
def test_groups_are_told_by_what_labels_are(relabel):
    """The number type and the container of labels are no content."""
    X, y, groups = _data()
    plain = GroupBootstrap().prepare(X, y, groups=groups, seed=0)[0]
    other = GroupBootstrap().prepare(X, y, groups=relabel(groups), seed=0)[0]
    assert other.rows.tolist() == plain.rows.tolist()


def test_groups_with_text_labels():
    """Labels may be texts, and equal texts are one group."""
    X, y, groups = _data()
    names = np.array([f"school {g}" for g in groups])
    draws = GroupBootstrap().prepare(X, y, groups=names, seed=0)
    for number in range(5):
        assert sum(_group_counts(draws[number], names).values()) == 12


def test_groups_with_long_numbers():
    """Neighbours among numbers that float64 cannot tell apart are two groups."""
    X, y, groups = _data()
    draws = GroupBootstrap().prepare(X, y, groups=groups + 2**60, seed=0)
    assert len(np.unique(draws.clusters)) == 12
    assert sum(_group_counts(draws[0], groups).values()) == 12


def test_groups_in_a_column_by_position():
    """The column stays in X, and wins over groups passed to fit."""
    X, y, groups = _data()
    X = np.column_stack([X, groups])
    passed = GroupBootstrap().prepare(X, y, groups=groups, seed=0)[0]
    for column in (2, -1):
        named = GroupBootstrap(groups=column)
        for other in (None, np.arange(60)):
            draw = named.prepare(X, y, groups=other, seed=0)[0]
            assert draw.rows.tolist() == passed.rows.tolist()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_groups_in_a_column_by_name(library):
    """The column of a frame is named."""
    frames = pytest.importorskip(library)
    X, y, groups = _data()
    frame = frames.DataFrame({"a": X[:, 0], "school": [f"s{g}" for g in groups]})
    draw = GroupBootstrap(groups="school").prepare(frame, y, seed=0)[0]
    passed = GroupBootstrap().prepare(frame, y, groups=[f"s{g}" for g in groups])[0]
    assert draw.rows.tolist() == passed.rows.tolist()
    with pytest.raises(ValueError, match="A column named 'class' is asked for"):
        GroupBootstrap(groups="class").prepare(frame, y)


def test_groups_with_missing_labels():
    """Rows without a label are no group; they are refused, not thrown together."""
    X, y, groups = _data()
    labels = np.where(groups < 3, np.nan, groups.astype(float))
    with pytest.raises(ValueError, match="must not have missing labels"):
        GroupBootstrap().prepare(X, y, groups=labels, seed=0)


def test_groups_with_weights():
    """Weights are weights of rows: totals of groups are counted without them."""
    X, y, groups = _data()
    weight = np.random.default_rng(0).choice([1.0, 2.0, 0.5], size=60)
    weight[groups == 4] = 0.0
    draws = GroupBootstrap().prepare(X, y, weight, groups, seed=0)
    for number in range(10):
        draw = draws[number]
        totals = {}
        for row, count in zip(draw.rows, draw.counts, strict=True):
            totals[row] = totals.get(row, 0) + count
        of_group = {groups[row]: total / weight[row] for row, total in totals.items()}
        assert 4 not in {*of_group, *groups[draw.out_of_bag].tolist()}
        assert sum(of_group.values()) == 11
        for row, total in totals.items():
            assert total == of_group[groups[row]] * weight[row]


def test_groups_are_clusters():
    """Standard errors go by groups."""
    X, y, groups = _data()
    clusters = GroupBootstrap().prepare(X, y, groups=groups).clusters
    assert len(np.unique(clusters)) == 12
    assert len(np.unique(12 * clusters + groups)) == 12


def test_groups_are_needed():
    """Without groups there is nothing to draw, and two ways to pass them."""
    X, y, _ = _data()
    with pytest.raises(
        ValueError,
        match=r"needs groups, and got none; pass `fit\(groups=\.\.\.\)`, or name the "
        r"column that holds them",
    ):
        GroupBootstrap().prepare(X, y)


def test_groups_must_be_two():
    """One group cannot be in the bag and out of it."""
    X, y, groups = _data()
    words = r"needs at least two groups among the rows of positive weight\. Got 1;"
    with pytest.raises(ValueError, match=words):
        GroupBootstrap().prepare(X, y, groups=np.ones(60))
    with pytest.raises(ValueError, match=words):
        GroupBootstrap().prepare(X, y, (groups == 3).astype(float), groups)


@pytest.mark.parametrize("groups", [np.ones(59), np.ones((60, 2)), "school"])
def test_groups_must_be_one_label_a_row(groups):
    """Too few labels, or several columns of them."""
    X, y, _ = _data()
    with pytest.raises(
        ValueError, match=r"must hold one label for each of the 60 rows of X\. Got an a"
    ):
        GroupBootstrap().prepare(X, y, groups=groups)


def test_groups_max_samples_counts_groups():
    """`max_samples` as a number is a number of groups."""
    X, y, groups = _data()
    with pytest.raises(ValueError, match=r"must not exceed .*, 12\. Got 13\."):
        GroupBootstrap(max_samples=13).prepare(X, y, groups=groups)
    with pytest.raises(TypeError, match="'groups' parameter of GroupBootstrap must be"):
        GroupBootstrap(groups=[1, 2]).prepare(X, y)
