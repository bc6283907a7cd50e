"""The settings of the default bootstrap: keys, strata, duplicates; unusual data."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from genestimators import Bootstrap
from tests.resampling.test_bootstrap import _content, _data


def test_duplicates_separate():
    """Equal rows are drawn one by one, as other rows are."""
    X, y = np.ones((200, 1)), np.ones(200)
    draws = Bootstrap().prepare(X, y, seed=0)
    for number in range(10):
        draw = draws[number]
        assert draw.counts.sum() == 200
        # A replicate leaves out between three and four tenths; 200 rows, 4 errors.
        assert 0.2 < len(draw.out_of_bag) / 200 < 0.5


def test_duplicates_together():
    """Rows of equal X share one side of the bag, also where their classes differ."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 30, size=(150, 1)).astype(float)
    for y in (rng.integers(0, 2, size=150), (X[:, 0] % 2).astype(int)):
        draws = Bootstrap(duplicates="together").prepare(X, y, seed=0, classifier=True)
        for number in range(20):
            draw = draws[number]
            inside = set(X[draw.rows, 0].tolist())
            assert not inside & set(X[draw.out_of_bag, 0].tolist())
            assert len(draw.out_of_bag) > 0
            counts = {}
            for row, count in zip(draw.rows, draw.counts, strict=True):
                assert counts.setdefault(X[row, 0], count) == count


def test_duplicates_together_keep_strata_where_they_can():
    """Classes that share no row keep their weights, to the nearest whole family."""
    X = np.repeat(np.arange(40.0), 3)[:, None]
    y = (X[:, 0] < 20).astype(int)
    draws = Bootstrap(duplicates="together").prepare(X, y, seed=0, classifier=True)
    for number in range(10):
        draw = draws[number]
        assert np.bincount(y[draw.rows], draw.counts).tolist() == [60, 60]


def test_duplicates_together_with_one_family():
    """All rows alike: drawn once each, and none is out of bag."""
    draws = Bootstrap(duplicates="together").prepare(np.ones((6, 1)), np.arange(6.0))
    for number in range(10):
        assert draws[number].counts.tolist() == [1] * 6


@pytest.mark.parametrize("key", ["position", 0])
def test_duplicates_together_needs_content(key):
    """Content is what makes duplicates."""
    X, y = _data(5)
    with pytest.raises(
        ValueError, match=rf'and needs `key="content"`\. Got `key={key!r}`\.'
    ):
        Bootstrap(key=key, duplicates="together").prepare(X, y)


def test_key_position():
    """By position the content is not looked at, and rows come in their order."""
    X, y = _data(30)
    draws = Bootstrap(key="position").prepare(X, y, seed=0)
    others = Bootstrap(key="position").prepare(np.zeros_like(X), y[::-1], seed=0)
    texts = Bootstrap(key="position").prepare(["a"] * 30, y, seed=0)
    for number in range(5):
        assert draws[number].rows.tolist() == others[number].rows.tolist()
        assert draws[number].counts.tolist() == texts[number].counts.tolist()
        assert (np.diff(draws[number].rows) > 0).all()


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_key_column_by_position(container):
    """Rows are known by their ids: what else they hold changes nothing."""
    X, y = _data(30)
    X[:, 1] = np.random.default_rng(5).permutation(30)
    changed = X.copy()
    changed[:, [0, 2]] += 1
    order = np.random.default_rng(6).permutation(30)
    first = Bootstrap(key=1).prepare(container(X), y, seed=0)
    second = Bootstrap(key=1).prepare(container(changed[order]), -y[order], seed=0)
    for number in range(5):
        ours, theirs = first[number], second[number]
        assert X[ours.rows, 1].tolist() == changed[order][theirs.rows, 1].tolist()
        assert ours.counts.tolist() == theirs.counts.tolist()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_key_column_by_name(library):
    """An id column of a frame is named."""
    frames = pytest.importorskip(library)
    X, y = _data(20)
    frame = frames.DataFrame({"a": X[:, 0], "id": [f"p{i}" for i in range(20)]})
    named = Bootstrap(key="id").prepare(frame, y, seed=0)
    placed = Bootstrap(key=1).prepare(frame, y, seed=0)
    assert named[0].rows.tolist() == placed[0].rows.tolist()
    with pytest.raises(
        ValueError, match=r"A column named 'ID' is asked for, and X has"
    ):
        Bootstrap(key="ID").prepare(frame, y)
    with pytest.raises(ValueError, match=r"Got columns None\."):
        Bootstrap(key="id").prepare(X, y)


def test_key_column_with_equal_ids():
    """Rows of one id are occurrences of it, in an order free of where they stand."""
    X, y = _data(30)
    X[:, 0] = np.arange(30) // 3
    order = np.random.default_rng(0).permutation(30)
    first = Bootstrap(key=0).prepare(X, y, seed=0)
    second = Bootstrap(key=0).prepare(X[order], y[order], seed=0)
    for number in range(5):
        assert _content(first[number], X, y) == _content(
            second[number], X[order], y[order]
        )


def test_stratify_true_takes_distinct_values():
    """With True a regression target of few values is stratified too."""
    X, _ = _data(40)
    y = np.repeat([1.0, 2.0], [30, 10])
    draws = Bootstrap(stratify=True).prepare(X, y, seed=0)
    for number in range(10):
        assert y[draws[number].rows] @ draws[number].counts == 30 + 20


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.linspace(0, 1, 20), "continuous"),
        (np.ones((20, 2), dtype=int) * np.arange(20)[:, None] % 3, "multiclass-multi"),
    ],
)
def test_stratify_true_needs_classes(y, kind):
    """Strata of values that never repeat are no strata."""
    X, _ = _data(20)
    with pytest.raises(
        ValueError, match=rf"`stratify=True` needs one column of classes.*'{kind}"
    ):
        Bootstrap(stratify=True).prepare(X, y)


def test_stratify_auto_takes_several_outputs_as_one_stratum():
    """With several outputs the total weight is kept, and nothing else is asked."""
    X, _ = _data(40)
    Y = np.random.default_rng(0).integers(0, 3, size=(40, 2))
    draws = Bootstrap().prepare(X, Y, seed=0, classifier=True)
    assert all(draws[b].counts.sum() == 40 for b in range(10))


def test_stratify_false_lets_the_total_vary():
    """Each row on its own: totals differ between replicates."""
    X, y = _data(100)
    draws = Bootstrap(stratify=False).prepare(X, y, seed=0)
    totals = {int(draws[b].counts.sum()) for b in range(10)}
    assert len(totals) > 3


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"max_samples": 0.0}, ValueError, r"'max_samples' .*\(0\.0, 1\.0\].*Got 0\.0"),
        ({"max_samples": 1.5}, ValueError, r"'max_samples' .*Got 1\.5 instead"),
        ({"max_samples": 0}, ValueError, r"or an int in the range \[1, inf\)\. Got 0"),
        ({"max_samples": "all"}, TypeError, "'max_samples' parameter of Bootstrap"),
        ({"max_samples": 11}, ValueError, r"must not exceed .*, 10\. Got 11\."),
        ({"stratify": "yes"}, ValueError, "'stratify' .*'auto' or a bool. Got 'yes'"),
        ({"stratify": None}, TypeError, "'stratify' parameter of Bootstrap"),
        ({"duplicates": "apart"}, ValueError, "one of {'separate', 'together'}"),
        ({"key": 1.5}, TypeError, "'key' parameter of Bootstrap"),
    ],
)
def test_parameters_are_checked(parameters, error, words):
    """One sentence with the rule and the value got."""
    X, y = _data(10)
    with pytest.raises(error, match=words):
        Bootstrap(**parameters).prepare(X, y)


@pytest.mark.parametrize("n", [2, 3])
def test_tiny_data(n):
    """Two rows are enough for replicates of the right weight."""
    X, y = _data(n)
    draws = Bootstrap().prepare(X, y, seed=0)
    out = 0
    for number in range(20):
        assert draws[number].counts.sum() == n
        out += len(draws[number].out_of_bag)
    assert out > 0


@pytest.mark.parametrize(
    "X",
    [
        np.arange(30.0)[:, None],
        np.ones((30, 3)),
        np.hstack([np.ones((30, 2)), np.arange(30.0)[:, None]]),
        np.full((30, 1), np.nan),
        np.full((30, 1), np.inf),
        np.zeros((30, 0)),
        sparse.csr_array((30, 4)),
        [f"text {i % 3}" for i in range(30)],
    ],
)
def test_unusual_tables(X):
    """One column, constant columns, nothing but NaN, no column at all, texts."""
    draws = Bootstrap().prepare(X, np.arange(30.0), seed=0)
    for number in range(3):
        assert draws[number].counts.sum() == 30
        assert len(draws[number].out_of_bag) > 0


def test_groups_are_clusters_for_standard_errors():
    """Rows are drawn one by one; their groups are handed on for standard errors."""
    X, y = _data(20)
    groups = [f"school {i % 5}" for i in range(20)]
    draws = Bootstrap().prepare(X, y, groups=groups, seed=0)
    assert draws[0].rows.tolist() == Bootstrap().prepare(X, y)[0].rows.tolist()
    pairs = set(zip(groups, draws.clusters.tolist(), strict=True))
    assert len(pairs) == len(set(draws.clusters.tolist())) == 5
    assert Bootstrap().prepare(X, y).clusters is None
    with pytest.raises(ValueError, match=r"one label for each of the 20 rows of X"):
        Bootstrap().prepare(X, y, groups=groups[:-1])


def test_draws_as_a_sequence():
    """Draws have no end and no negative numbers."""
    X, y = _data(5)
    draws = Bootstrap().prepare(X, y, seed=0)
    with pytest.raises(TypeError, match=r"These draws have no end; ask for draws\[b\]"):
        len(draws)
    with pytest.raises(IndexError, match=r"There is no draw -1\."):
        draws[-1]
    assert draws[10**6].counts.sum() == 5


def test_prepare_changes_nothing_it_is_given():
    """X, y and weights stay as they were."""
    X, y = _data(20)
    weight = np.random.default_rng(0).choice([0.0, 1.0, 1.5], size=20)
    arrays = [X, y, weight]
    copies = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    draws = Bootstrap().prepare(X, y, weight, seed=0)
    draws[0]
    for array, copy in zip(arrays, copies, strict=True):
        assert np.array_equal(array, copy)


def test_pickled_draws_are_the_same_draws():
    """A copy sent to another process draws the same, weights and strata included."""
    X, y = _data(40, n_classes=3)
    weight = np.random.default_rng(0).choice([0.0, 1.0, 1.5], size=40)
    draws = Bootstrap().prepare(X, y, weight, seed=9, classifier=True)
    draws[3]
    copy = pickle.loads(pickle.dumps(draws))
    for number in (0, 3, 17):
        for name in ("rows", "counts", "out_of_bag", "out_of_bag_counts", "held_out"):
            assert np.array_equal(
                getattr(copy[number], name), getattr(draws[number], name)
            )
