"""Draws of a stream: those of all rows at once, whatever the batches."""

import numpy as np
import pytest

from genestimators import (
    BayesianBootstrap,
    BlockBootstrap,
    Bootstrap,
    GroupBootstrap,
    Subsample,
)
from genestimators.resampling._stream import stream_draws, stream_resampler

SEED = 20
N_ROWS = 60
X = np.random.default_rng(0).normal(size=(N_ROWS, 3))
Y = np.arange(N_ROWS, dtype=float)
WEIGHTS = {
    "none": None,
    "whole": (np.arange(N_ROWS) % 4).astype(float),
    "fractional": np.random.default_rng(1).uniform(0, 3, N_ROWS),
}


def weights_of_rows(draws, number, n_rows):
    """The weight that each row is drawn with."""
    counts = draws.counts_of(number)
    weights = draws.weights_of(counts[None])[0]
    return np.bincount(draws.occurrences.rows, weights, minlength=n_rows)


def in_batches(resampler, sizes, number, weight=None, importance=False, X=X):
    """What `weights_of_rows` gives, batch after batch."""
    out, start, turn = [], 0, 0
    while start < len(X):
        rows = slice(start, start + sizes[turn % len(sizes)])
        part = X[rows]
        draws = stream_draws(
            resampler,
            part,
            len(part),
            None if weight is None else weight[rows],
            SEED,
            start,
            importance=importance,
        )
        out.append(weights_of_rows(draws, number, len(part)))
        start, turn = rows.stop, turn + 1
    return np.concatenate(out)


@pytest.mark.parametrize("sizes", [[60], [1], [7, 1, 20]])
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("importance", [False, True])
@pytest.mark.parametrize("max_samples", [1.0, 0.3])
def test_batches_of_any_size_draw_what_all_rows_at_once_draw(
    sizes, weight, importance, max_samples
):
    """The draws are those of `Bootstrap` by position without strata, to the bit."""
    weight = WEIGHTS[weight]
    resampler = stream_resampler("bootstrap", max_samples)
    mode = "importance" if importance else "frequency"
    whole = Bootstrap(key="position", stratify=False, max_samples=max_samples)
    draws = whole.prepare(X, Y, weight, seed=SEED, weight_mode=mode)
    for number in (0, 9, 25):
        np.testing.assert_array_equal(
            in_batches(resampler, sizes, number, weight, importance),
            weights_of_rows(draws, number, N_ROWS),
        )


def test_draws_are_balanced_in_blocks_of_ten():
    """Each row is left out three or four times in ten, as in a fit."""
    resampler = stream_resampler("bootstrap", 1.0)
    counts = np.stack([in_batches(resampler, [11], b) for b in range(10)])
    assert set((counts == 0).sum(axis=0)) == {3, 4}


@pytest.mark.parametrize("sizes", [[60], [1], [13]])
def test_ids_that_are_unique_draw_as_in_a_fit(sizes):
    """The order and the batches of rows do not matter where ids are the keys."""
    table = np.column_stack([np.random.default_rng(2).permutation(N_ROWS), X])
    resampler = stream_resampler(Bootstrap(key=0, stratify=False), 1.0)
    draws = resampler.prepare(table, Y, seed=SEED)
    shuffled = table[::-1]
    for number in (0, 12):
        whole = weights_of_rows(draws, number, N_ROWS)
        own = in_batches(resampler, sizes, number, X=table)
        np.testing.assert_array_equal(own, whole)
        own = in_batches(resampler, sizes, number, X=shuffled)
        np.testing.assert_array_equal(own, whole[::-1])


@pytest.mark.parametrize("sizes", [[60], [1], [13]])
def test_rows_of_one_id_are_drawn_alike_in_all_batches(sizes):
    """An id is in the bag or out of it as a whole, wherever its rows come."""
    ids = np.arange(N_ROWS) % 17
    table = np.column_stack([ids, X])
    resampler = stream_resampler(Bootstrap(key=0, stratify=False), 1.0)
    for number in range(10):
        counts = in_batches(resampler, sizes, number, X=table)
        for one in range(17):
            assert len(set(counts[ids == one])) == 1
    weight = (ids % 3 + 1).astype(float)  # of an id, so its rows have one fate still
    counts = in_batches(resampler, sizes, 4, weight, X=table)
    for one in range(17):
        assert len(set(counts[ids == one])) == 1


def test_ids_of_a_frame_go_by_name():
    """A column with a name gives the draws of the same column by position."""
    pandas = pytest.importorskip("pandas")
    ids = np.array([f"id {i % 20}" for i in range(N_ROWS)])
    frame = pandas.DataFrame({"who": ids, "x": X[:, 0]})
    resampler = stream_resampler(Bootstrap(key="who", stratify=False), 1.0)
    draws = stream_draws(resampler, frame, N_ROWS, None, SEED, 0, importance=False)
    counts = weights_of_rows(draws, 0, N_ROWS)
    np.testing.assert_array_equal(counts[:20], counts[20:40])
    assert len(set(counts)) > 1


def test_a_batch_without_weight_draws_nothing():
    """Rows of weight zero take their positions and are in no bag."""
    resampler = stream_resampler("bootstrap", 1.0)
    draws = stream_draws(resampler, X, N_ROWS, 0 * Y, SEED, 0, importance=False)
    assert not draws.counts_of(0).any()
    assert not len(draws.occurrences.rows)


@pytest.mark.parametrize("name", ["group", "block", "bayesian", "subsample"])
def test_other_ways_to_draw_need_all_rows(name):
    """By name or as an object, with the way out."""
    with pytest.raises(ValueError, match=rf"resampling='{name}' cannot; set `resampl"):
        stream_resampler(name, 1.0)
    kind = {
        "group": GroupBootstrap,
        "block": BlockBootstrap,
        "bayesian": BayesianBootstrap,
        "subsample": Subsample,
    }[name]
    with pytest.raises(ValueError, match=rf"{kind.__name__} cannot; set `resampling="):
        stream_resampler(kind(), 1.0)


@pytest.mark.parametrize(
    ("resampler", "max_samples", "message"),
    [
        (Bootstrap(), 1.0, r'cannot use `key="content"`.*Got Bootstrap\(\)'),
        (Bootstrap(key="position"), 1.0, r"not known before.*Got stratify='auto'"),
        (Bootstrap(key=0, stratify=True), 1.0, "not known before.*Got stratify=True"),
        (
            Bootstrap(key=0, stratify=False, duplicates="together"),
            1.0,
            "use a column of ids as the key, whose rows are drawn together",
        ),
        ("bootstrap", 5, "must be a fraction for `partial_fit`.*Got 5"),
        (Bootstrap(key=0, stratify=False), 0.5, "set it on the object passed"),
        (Bootstrap(key=0, stratify=0.5), 1.0, "'stratify' parameter of Bootstrap"),
    ],
)
def test_settings_that_a_stream_cannot_serve(resampler, max_samples, message):
    """Each with its reason and the way out."""
    kind = TypeError if "parameter" in message else ValueError
    with pytest.raises(kind, match=message):
        stream_resampler(resampler, max_samples)


def test_an_id_column_that_is_not_there():
    """The column is named."""
    resampler = stream_resampler(Bootstrap(key="who", stratify=False), 1.0)
    with pytest.raises(ValueError, match="column named 'who' is asked for"):
        stream_draws(resampler, X, N_ROWS, None, SEED, 0, importance=False)
