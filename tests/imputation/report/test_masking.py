"""Which observed entries are masked, and how they look then."""

import numpy as np
import pytest

from genestimators.imputation.report._masking import (
    LEAST_LEFT,
    mask_at_random,
    mask_by_pattern,
    with_missing,
)

SEEDS = range(5)


def observed_of(seed, n_rows=60, n_columns=5, share=0.4):
    rng = np.random.default_rng(seed)
    observed = rng.uniform(size=(n_rows, n_columns)) > share
    observed[:, -1] |= rng.uniform(size=n_rows) < 0.9
    return observed


def masks_of(observed, share, seed):
    """By both mechanisms."""
    return [
        mask(observed, share, np.random.default_rng(seed))
        for mask in (mask_at_random, mask_by_pattern)
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_only_observed_entries_are_masked_and_some_are_left(seed, share):
    """No row loses its last value and no column more than all but two."""
    observed = observed_of(seed)
    for mask in masks_of(observed, share, seed):
        assert mask.any()
        assert not (mask & ~observed).any()
        left = observed & ~mask
        assert (left.any(axis=1) == observed.any(axis=1)).all()
        before = observed.sum(axis=0)
        assert (left.sum(axis=0) >= np.minimum(before, LEAST_LEFT)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_masks_are_functions_of_the_seed(seed):
    """The same seed gives the same masks, another one gives others."""
    observed = observed_of(0)
    first, again = masks_of(observed, 0.1, seed), masks_of(observed, 0.1, seed)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(first, masks_of(observed, 0.1, seed + 99), strict=True):
        assert (one != other).any()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_at_random_each_column_loses_its_share(seed, share):
    """Exactly, where no row is to be spared."""
    observed = np.column_stack([observed_of(seed), np.ones((60, 9), dtype=bool)])
    mask = mask_at_random(observed, share, np.random.default_rng(seed))
    wanted = [max(1, round(share * n)) for n in observed.sum(axis=0).tolist()]
    assert mask.sum(axis=0).tolist() == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_by_pattern_equals_the_plain_loop(seed):
    """Row by row: the gaps of a donor where the receiver has values."""
    observed = observed_of(seed, share=0.1)
    observed[:, 3] = True  # so that no row is to be spared
    share = 0.05
    mask = mask_by_pattern(observed, share, np.random.default_rng(seed))

    rng = np.random.default_rng(seed)
    n_rows = len(observed)
    donors = [i for i in range(n_rows) if not observed[i].all()]
    chances = np.full(len(donors), 1 / len(donors))
    most = max(
        np.mean([not observed[i, j] for i in donors]) for j in range(observed.shape[1])
    )
    n_receivers = round(share * n_rows / most)
    receivers = rng.choice(n_rows, size=n_receivers, replace=False)
    givers = rng.choice(donors, size=n_receivers, p=chances)
    wanted = np.zeros_like(observed)
    for receiver, giver in zip(receivers, givers, strict=True):
        for j in range(observed.shape[1]):
            wanted[receiver, j] = observed[receiver, j] and not observed[giver, j]
    np.testing.assert_array_equal(mask, wanted)


@pytest.mark.parametrize("seed", SEEDS)
def test_by_pattern_what_is_missing_together_is_masked_together(seed):
    """And a column that misses nothing is not masked."""
    rng = np.random.default_rng(seed)
    observed = np.ones((200, 4), dtype=bool)
    together = rng.uniform(size=200) < 0.3
    observed[together, 1] = observed[together, 2] = False
    observed[:, 3] = rng.uniform(size=200) < 0.8
    mask = mask_by_pattern(observed, 0.1, rng)
    np.testing.assert_array_equal(mask[:, 1], mask[:, 2])
    assert mask[:, 1].any()
    assert not mask[:, 0].any()


def test_by_pattern_rare_patterns_are_used_again():
    """The column that is missing most often loses its share on average, whatever."""
    observed = np.ones((1000, 3), dtype=bool)
    observed[:4, 0] = False
    observed[4, 1] = False
    n_masked = np.array(
        [
            mask_by_pattern(observed, 0.1, np.random.default_rng(seed)).sum(axis=0)
            for seed in range(40)
        ]
    )
    # Of 125 receivers four fifths get the common gap: 100, within binomial noise of a
    # standard deviation of 4.5 over the root of 40.
    assert abs(n_masked[:, 0].mean() - 100) < 4 * 4.5 / 40**0.5
    assert (n_masked[:, 1] > 0).all()
    assert (n_masked[:, 2] == 0).all()


def test_by_pattern_every_row_gets_gaps_where_none_is_common():
    """Twenty columns, each missing in a twentieth of the rows; a share of a half."""
    observed = np.ones((200, 20), dtype=bool)
    observed[np.arange(200), np.arange(200) % 20] = False
    mask = mask_by_pattern(observed, 0.5, np.random.default_rng(0))
    assert (mask.sum(axis=1) <= 1).all()
    assert mask.any(axis=1).mean() > 0.8  # all but those whose donor has their gap


def test_by_pattern_weights_are_chances_of_donors():
    """A pattern without weight is never used."""
    observed = np.ones((100, 3), dtype=bool)
    observed[0, 0] = observed[1, 1] = False
    weight = np.ones(100)
    weight[1] = 1e-12
    mask = mask_by_pattern(observed, 0.5, np.random.default_rng(0), weight)
    assert mask[:, 0].sum() > 40
    assert not mask[:, 1].any()


def test_by_pattern_empty_columns_and_rows_say_nothing():
    """A column without values is no gap of every row; an empty row is no pattern."""
    observed = np.ones((100, 4), dtype=bool)
    observed[:, 3] = False
    observed[:20, 0] = False
    observed[99] = False
    mask = mask_by_pattern(observed, 0.2, np.random.default_rng(0))
    assert not mask[:, 1:].any()
    assert 0 < mask[:, 0].sum() <= 20
    nothing = np.ones((10, 2), dtype=bool)
    assert not mask_by_pattern(nothing, 0.2, np.random.default_rng(0)).any()


def test_columns_of_two_values_keep_them():
    """Both mechanisms leave them alone."""
    observed = np.ones((30, 3), dtype=bool)
    observed[2:, 0] = False
    observed[:15, 1] = False
    for mask in masks_of(observed, 0.5, 0):
        assert not mask[:, 0].any()
        assert mask[:, 1].any()


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, bool, object])
def test_arrays_with_missing_entries(kind):
    """What is not masked stays, integers become floats, the array is not written to."""
    X = np.arange(12).reshape(4, 3).astype(kind)
    mask = np.zeros((4, 3), dtype=bool)
    mask[1, 2] = mask[0, 0] = True
    before = X.copy()
    out = with_missing(X, mask)
    np.testing.assert_array_equal(X, before)
    assert out.dtype == (np.float64 if kind in (np.int64, bool) else kind)
    missing = np.array([[value != value for value in row] for row in out.tolist()])
    np.testing.assert_array_equal(missing, mask)
    np.testing.assert_array_equal(out[~mask], X[~mask])


def test_missing_entries_look_as_others_of_their_column():
    """None where there is None already."""
    X = np.array([["a", 1.0], [None, 2.0], ["b", np.nan], ["a", 4.0]], dtype=object)
    mask = np.zeros((4, 2), dtype=bool)
    mask[0] = True
    out = with_missing(X, mask)
    assert out[0, 0] is None
    assert out[0, 1] is not None
    assert np.isnan(out[0, 1])
    texts = with_missing(np.array([["a", "b"]]), np.array([[True, False]]))
    assert np.isnan(texts[0, 0])
    assert texts[0, 1] == "b"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_missing_entries(library):
    """Each column of its own kind; the frame is not written to."""
    frames = pytest.importorskip(library)
    columns = {
        "number": [1.5, 2.5, 3.5, 4.5],
        "count": [1, 2, 3, 4],
        "flag": [True, False, True, True],
        "text": ["a", "b", "c", "a"],
    }
    X = frames.DataFrame(columns)
    if library == "pandas":
        X["level"] = frames.Categorical(["u", "v", "u", "u"])
        X["nullable"] = frames.array([1, None, 3, 4], dtype="Int64")
    else:
        X = X.with_columns(
            frames.Series("level", ["u", "v", "u", "u"], dtype=frames.Categorical),
            frames.Series("nullable", [1, None, 3, 4]),
        )
    mask = np.zeros(X.shape, dtype=bool)
    mask[[0, 2], :] = True
    out = with_missing(X, mask)
    assert type(out) is type(X)
    gaps = [list(out[name].is_null() if library == "polars" else out[name].isna())
            for name in X.columns]  # fmt: skip
    wanted = mask.T.copy()
    wanted[5, 1] = True
    assert np.array(gaps).tolist() == wanted.tolist()
    assert list(out["text"])[1::2] == ["b", "a"]
    assert list(out["count"])[1::2] == [2, 4]
    assert list(X["count"]) == [1, 2, 3, 4]
    assert list(X["level"]) == ["u", "v", "u", "u"]
