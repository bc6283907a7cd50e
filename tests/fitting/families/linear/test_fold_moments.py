"""Rows that draws leave out, and moments of what is left, against loops over rows."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from genestimators import Bootstrap, Folds
from genestimators.fitting.families.linear._fold_moments import FoldMoments
from genestimators.fitting.families.linear._left_out import (
    SingleRows,
    leaves_one_out,
    left_out,
    partition,
)
from genestimators.fitting.families.linear._shared_fits import SharedFits, plain_scalers

N = 20
SPLITTERS = [
    KFold(4),
    LeaveOneOut(),
    TimeSeriesSplit(3),
    ShuffleSplit(3, random_state=0),
    RepeatedKFold(n_splits=4, n_repeats=2, random_state=0),
    [(np.r_[0, 0, 1:12], np.arange(12, 20))],
]
WEIGHTS = [None, np.arange(N) % 4 * 0.5]


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, 3)) + 5, rng.normal(size=(N, 2)) - 3


def folds(cv, weight):
    X, Y = data()
    return Folds(cv).prepare(X, Y, weight)


@pytest.mark.parametrize("cv", SPLITTERS)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_rows_left_out_are_those_not_drawn(cv, weight):
    """Or None, where a row is drawn twice."""
    draws = folds(cv, weight)
    for draw in (draws[i] for i in range(len(draws))):
        found = left_out(draw, weight, N)
        if len(set(draw.rows)) < len(draw.rows):
            assert found is None
            continue
        positive = range(N) if weight is None else np.flatnonzero(weight)
        assert found.tolist() == sorted({*positive} - {*draw.rows})


def test_rows_of_other_counts_are_not_simply_left_out():
    """A draw that takes rows otherwise than by their weight is no fold."""
    draws = folds(KFold(4), WEIGHTS[1])
    assert left_out(draws[0], None, N) is None
    assert left_out(draws[0], 2 * WEIGHTS[1], N) is None


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_partition_leaves_out_every_row_once(weight):
    """The first repeat of folds; none for growing or random training sets."""
    for cv, n_folds in zip(SPLITTERS, (4, None, 0, 0, 4, 0), strict=True):
        draws = folds(cv, weight)
        found = partition(draws, weight, N, most=N)
        if n_folds is not None:
            assert len(found) == n_folds
        if found:
            rows = np.concatenate(list(found.values()))
            counted = np.arange(N) if weight is None else np.flatnonzero(weight)
            assert np.sort(rows).tolist() == counted.tolist()
        assert partition(draws, weight, N, most=3) == {}
    X, y = data()
    assert partition(Bootstrap().prepare(X, y[:, 0]), None, N, most=N) == {}


@pytest.mark.parametrize("cv", SPLITTERS)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_moments_of_a_draw_are_sums_over_its_rows(cv, weight):
    """Subtracted or added up, they are those of shifted rows with their counts."""
    X, Y = data()
    draws = folds(cv, weight)
    moments = FoldMoments(X, Y, weight, draws)
    for number in range(len(draws)):
        draw = draws[number]
        found, others = moments.of(number, draw)
        rows = np.column_stack([X - found.x_shift, Y - found.y_shift])[draw.rows]
        products = (draw.counts[:, None] * rows).T @ rows
        sums = draw.counts @ rows
        # A few dozen numbers of size one are added up.
        close = {"rtol": 0, "atol": 1e-12}
        np.testing.assert_allclose(found.weight, draw.counts.sum(), **close)
        np.testing.assert_allclose(np.r_[found.x, found.y], sums, **close)
        np.testing.assert_allclose(found.xx, products[:3, :3], **close)
        np.testing.assert_allclose(found.xy, products[:3, 3:], **close)
        np.testing.assert_allclose(found.yy, np.diag(products)[3:], **close)
        if others is not None:
            out = draw.out_of_bag
            own = np.ones(len(out)) if weight is None else weight[out]
            rows = np.column_stack([X - found.x_shift, Y - found.y_shift])[out]
            np.testing.assert_allclose(others.weight, own.sum(), **close)
            np.testing.assert_allclose(np.r_[others.x, others.y], own @ rows, **close)


def test_moments_of_the_rows_left_out_are_given_for_folds_alone():
    """Not where rows are neither drawn nor scored."""
    X, Y = data()
    for cv, known in zip(
        SPLITTERS, (True, True, False, True, True, False), strict=True
    ):
        draws = folds(cv, None)
        moments = FoldMoments(X, Y, None, draws)
        others = [moments.of(i, draws[i])[1] for i in range(len(draws))]
        if known:
            assert all(one is not None for one in others)
        else:
            assert others[0] is None


def test_moments_are_summed_once_for_a_partition(monkeypatch):
    """Four folds are four sums, and nothing more for the training rows."""
    calls = []
    own = FoldMoments._sum

    def counted(self, weight, rows=None):
        calls.append(N if rows is None else len(rows))
        return own(self, weight, rows)

    monkeypatch.setattr(FoldMoments, "_sum", counted)
    X, Y = data()
    draws = folds(KFold(4), None)
    moments = FoldMoments(X, Y, None, draws)
    for number in range(4):
        moments.of(number, draws[number])
    assert calls == [5, 5, 5, 5]


@pytest.mark.parametrize("size", [1e3, 1e9])
def test_moments_that_lost_digits_are_not_given(size):
    """Where one row holds nearly all of a column, the rest cannot be had without it."""
    X, Y = data()
    X[0, 1] = size
    draws = folds(KFold(4), None)
    moments = FoldMoments(X, Y, None, draws)
    # The column's own sum of squares is about 20.
    kept = size**2 < 20 / 1e-4
    assert (moments.of(0, draws[0])[0] is not None) == kept
    assert moments.of(1, draws[1])[0] is not None


def test_constant_columns_lose_no_digits():
    """Equal to their shift in all rows that count, they are exactly zero."""
    X, Y = data()
    X[:, 0], Y[:, 0] = 0.1, 1e7 / 3
    weight = np.arange(N) % 4 * 0.3
    X[weight == 0, 0] = 5.0  # a row without weight may hold anything
    draws = folds(KFold(4), weight)
    moments, _ = FoldMoments(X, Y, weight, draws).of(2, draws[2])
    assert not moments.xx[0].any()
    assert moments.yy[0] == 0


def test_single_rows_are_answered_where_they_can_be_trusted():
    """One row left out, of positive weight and safe; otherwise None."""
    weight = WEIGHTS[1]
    single = SingleRows(weight, N)
    assert single.counted.tolist() == np.flatnonzero(weight).tolist()
    n = len(single.counted)
    answers = np.arange(2.0 * n).reshape(2, 1, n)
    safe = np.arange(n) != 3
    single.hold(answers, -answers, safe)
    draws = folds([(np.delete(np.arange(N), i), [i]) for i in range(N)], weight)
    for i in range(N):
        found = single.of(draws[i])
        if weight[i] == 0 or i == single.counted[3]:
            assert found is None
            continue
        row, own, errors = found
        assert row == i
        place = np.flatnonzero(single.counted == i)[0]
        assert own.tolist() == answers[:, :, place].tolist()
        assert errors.tolist() == (-own).tolist()
    several = folds(KFold(4), weight)
    assert single.of(several[0]) is None


@pytest.mark.parametrize(
    ("cv", "expected"), [(LeaveOneOut(), True), (KFold(19), False), (KFold(4), False)]
)
def test_leaving_one_row_out_is_recognised(cv, expected):
    """By the number of draws and the size of the first and the last."""
    assert leaves_one_out(folds(cv, None), N) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], True),
        ([StandardScaler(), StandardScaler(with_mean=False)], True),
        ([StandardScaler(with_std="no")], False),
        ([StandardScaler(), MinMaxScaler()], False),
        ([type("Own", (StandardScaler,), {})()], False),
    ],
)
def test_plain_scalers_are_of_the_exact_class(steps, expected):
    """Subclasses may scale otherwise, and flags have to be flags."""
    assert plain_scalers(steps) == expected


def test_shared_fits_know_their_columns_and_scalers():
    """Names and number of columns, and for each step what it does."""
    pandas = pytest.importorskip("pandas")
    X, Y = data()
    frame = pandas.DataFrame(X, columns=list("abc"))
    steps = [StandardScaler(with_mean=False), StandardScaler(with_std=False)]
    shared = SharedFits(None, steps, LinearRegression(), frame, Y, [])
    assert shared.template.feature_names_in_.tolist() == ["a", "b", "c"]
    assert shared.scalers == [(False, True), (True, False)]
