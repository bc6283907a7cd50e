"""Folds that candidates are tried on, and how they are counted."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from genestimators import OneClassReplicateWarning
from genestimators.regularization._splits import make_splits, one_draw
from tests.bagging.toys import classification_data, regression_data


def splits_of(cv, X, y, *, n_repeats=1, weight=None, groups=None, seed=0, **settings):
    settings = {"classifier": False, **settings}
    return make_splits(cv, n_repeats, X, y, weight, groups, seed, **settings)


def pairs(splits):
    draws = [splits.draws[number] for number in range(len(splits.draws))]
    return [(draw.rows, draw.out_of_bag) for draw in draws]


def assert_same_splits(found, expected):
    found, expected = pairs(found), list(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for rows, wanted in zip(one, other, strict=True):
            np.testing.assert_array_equal(rows, wanted)


def test_a_number_of_folds_is_what_grid_search_takes():
    """Plain, stratified or grouped, in order."""
    X, y = regression_data()
    Xc, labels = classification_data()
    groups = np.arange(60) // 7
    for cv, number in ((None, 5), (3, 3)):
        assert_same_splits(splits_of(cv, X, y), KFold(number).split(X))
        assert_same_splits(
            splits_of(cv, Xc, labels, classifier=True),
            StratifiedKFold(number).split(Xc, labels),
        )
        assert_same_splits(
            splits_of(cv, X, y, groups=groups), GroupKFold(number).split(X, y, groups)
        )
        assert_same_splits(
            splits_of(cv, Xc, labels, groups=groups, classifier=True),
            StratifiedGroupKFold(number).split(Xc, labels, groups),
        )


@pytest.mark.parametrize("classifier", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_repeats_are_partitions_shuffled_anew(classifier, grouped):
    """Each repeat leaves out every row once; groups stay together; a seed fixes all."""
    X, y = classification_data()
    groups = np.arange(60) // 4 if grouped else None
    how = {"n_repeats": 3, "groups": groups, "classifier": classifier}
    splits = splits_of(4, X, y, **how)
    assert (splits.n_folds, splits.n_first, splits.partition) == (4, 4, True)
    found = pairs(splits)
    assert len(found) == 12
    for repeat in range(3):
        left = [test for _, test in found[4 * repeat : 4 * repeat + 4]]
        np.testing.assert_array_equal(np.sort(np.concatenate(left)), np.arange(60))
    for one, next_one in zip(found[:8], found[4:], strict=True):
        assert one[1].tolist() != next_one[1].tolist()
    for train, test in found:
        np.testing.assert_array_equal(np.union1d(train, test), np.arange(60))
        if grouped:
            assert not set(groups[train]) & set(groups[test])
        elif classifier:
            assert (np.bincount(y[test]) == 5).all()
    assert_same_splits(splits_of(4, X, y, **how), found)
    other = pairs(splits_of(4, X, y, seed=1, **how))
    assert any(
        a[1].tolist() != b[1].tolist() for a, b in zip(found, other, strict=True)
    )


@pytest.mark.parametrize(
    ("cv", "expected"),
    [
        (KFold(4), (4, 4, True)),
        (RepeatedKFold(n_splits=4, n_repeats=3), (4, 4, True)),
        (LeaveOneOut(), (60, 60, True)),
        (TimeSeriesSplit(4), (4, 4, False)),
        (ShuffleSplit(8, test_size=0.25, random_state=0), (4, 8, False)),
        (ShuffleSplit(3, test_size=0.1, random_state=0), (3, 3, False)),
        (PredefinedSplit(np.arange(60) % 3 - 1), (2, 2, False)),
        ([(np.arange(50), np.arange(50, 60))], (1, 1, False)),
    ],
)
def test_independent_parts_are_counted(cv, expected):
    """Folds, not folds times repeats; no more parts than there are splits."""
    X, y = regression_data()
    splits = splits_of(cv, X, y)
    assert (splits.n_folds, splits.n_first, splits.partition) == expected


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
@pytest.mark.parametrize(
    "cv", [None, 3, KFold(3, shuffle=True, random_state=0), TimeSeriesSplit(3)]
)
@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("classifier", [True, False])
def test_rows_of_weight_zero_are_in_no_fold(cv, grouped, classifier):
    """The other rows are split as they would be alone."""
    X, y = classification_data(40)
    groups = np.arange(40) // 5 if grouped else None
    place = np.sort(np.random.default_rng(0).choice(60, 40, replace=False))
    weight, wide = np.zeros(60), {"X": np.zeros((60, 4)), "y": np.zeros(60, dtype=int)}
    weight[place], wide["X"][place], wide["y"][place] = 2.0, X, y
    if grouped:
        wide["groups"] = np.full(60, -1)
        wide["groups"][place] = groups
    found = splits_of(cv, **wide, weight=weight, classifier=classifier)
    alone = splits_of(cv, X, y, groups=groups, classifier=classifier)
    assert_same_splits(found, [(place[a], place[b]) for a, b in pairs(alone)])
    assert found.n_folds == alone.n_folds
    assert found.partition == alone.partition


def test_splits_by_position_keep_their_meaning_with_weights():
    """An iterable and a predefined split name rows of X."""
    X, y = regression_data()
    weight = (np.arange(60) % 3 > 0).astype(float)
    for cv in (PredefinedSplit(np.arange(60) % 4), list(KFold(4).split(X))):
        listed = list(cv.split()) if hasattr(cv, "split") else cv
        assert_same_splits(
            splits_of(cv, X, y, weight=weight),
            [[rows[weight[rows] > 0] for rows in pair] for pair in listed],
        )


@pytest.mark.parametrize("n_rows", [4, 5, 9, 10, 20])
def test_default_folds_of_few_rows_have_two_rows_each(n_rows):
    """R2 of one row is not defined."""
    X, y = regression_data(n_rows)
    splits = splits_of(None, X, y)
    assert len(splits.draws) == min(5, n_rows // 2)
    assert min(len(test) for _, test in pairs(splits)) >= 2


def test_default_folds_of_few_groups_or_members():
    """As many folds as there are groups, or members of the largest class."""
    X, y = classification_data(12)
    assert len(splits_of(None, X, y, groups=np.arange(12) % 3).draws) == 3
    assert len(splits_of(None, X, y, classifier=True).draws) == 4


def test_one_draw_leaves_out_no_row():
    """The estimator leaves out its own; rows of weight zero are no rows."""
    X, y = regression_data(6)
    weight = np.array([1.0, 0.0, 2.0, 1.0, 0.0, 1.0])
    ((train, test),) = pairs(one_draw(X, y, weight))
    np.testing.assert_array_equal(train, [0, 2, 3, 5])
    assert len(test) == 0


def test_training_rows_of_one_class_warn():
    """Such folds score a constant; one class in all is not their fault."""
    X, y = classification_data(60, 2)
    y = np.sort(y)
    with pytest.warns(OneClassReplicateWarning, match=r"2 of 2 splits train on rows"):
        splits_of(KFold(2), X, y, classifier=True)
    single = np.zeros(60, dtype=int)
    splits_of(KFold(2), X, single, classifier=True)
    splits_of(KFold(2), X, y)


BAD = [
    (70, {}, r"as many rows as folds, 70.*n_samples = 60"),
    (5, {"groups": np.arange(60) % 3}, r"as many groups as folds, 5. Got 3"),
    (None, {"groups": np.zeros(60)}, r"as many groups as folds, 2. Got 1"),
    ([], {}, r"`cv` must give at least one split"),
    ([(np.arange(50), [])], {}, r"leave out rows of positive weight.*split 0"),
    ([1, 2], {}, r"pairs \(train, test\) of positions.*Got 1"),
    ((np.arange(40), np.arange(40, 60)), {}, r"pass one split as \[\(train, test\)\]"),
    ([([0, 1], [2], [3])], {}, r"pairs \(train, test\)"),
    ([(0, 1)], {}, r"pairs \(train, test\)"),
]


@pytest.mark.parametrize(("cv", "settings", "message"), BAD)
def test_folds_that_cannot_be(cv, settings, message):
    """One sentence with the rule and the way out."""
    X, y = regression_data()
    with pytest.raises(ValueError, match=message):
        splits_of(cv, X, y, **settings)


def test_rows_to_score_must_have_weight():
    """A fold of rows that do not count has no score."""
    X, y = regression_data()
    weight = (np.arange(60) >= 20).astype(float)
    with pytest.raises(ValueError, match=r"positive weight to score.*split 0"):
        splits_of(list(KFold(3).split(X)), X, y, weight=weight)
