"""The folds of scikit-learn's splitters, as draws."""

import pickle

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    check_cv,
)

from genestimators import Folds


def _data(n=30, seed=0):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 2)), np.repeat([0, 1], [n - n // 3, n // 3])
    return X, rng.permutation(y), np.arange(n) % 6


@pytest.mark.parametrize(
    "cv",
    [
        KFold(4),
        KFold(4, shuffle=True, random_state=0),
        StratifiedKFold(3),
        GroupKFold(3),
        TimeSeriesSplit(4, gap=2),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, test_size=0.2, random_state=0),
    ],
)
def test_folds_equal_the_splitter(cv):
    """Train rows are in the bag with count 1, test rows are out of it."""
    X, y, groups = _data()
    groups = groups if isinstance(cv, GroupKFold) else None
    draws = Folds(cv).prepare(X, y, groups=groups, classifier=True)
    splits = list(cv.split(X, y, groups))
    assert len(draws) == draws.limit == len(splits)
    assert draws.has_out_of_bag
    for draw, (train, test) in zip(draws, splits, strict=True):
        assert draw.rows.tolist() == train.tolist()
        assert draw.counts.tolist() == [1] * len(train)
        assert draw.out_of_bag.tolist() == sorted(test.tolist())
        assert draw.out_of_bag_counts.tolist() == [1] * len(test)
        assert draws.occurrences.rows[draw.held_out].tolist() == sorted(test.tolist())


@pytest.mark.parametrize("classifier", [False, True])
@pytest.mark.parametrize("cv", [None, 3])
def test_folds_by_number(cv, classifier):
    """A number of folds is stratified for a classifier, as everywhere."""
    X, y, _ = _data()
    draws = Folds(cv).prepare(X, y, classifier=classifier)
    splits = check_cv(cv, y, classifier=classifier).split(X, y)
    assert [draw.out_of_bag.tolist() for draw in draws] == [
        test.tolist() for _, test in splits
    ]


def test_folds_from_an_iterable():
    """Pairs of row numbers, or of boolean masks."""
    X, y, _ = _data()
    splits = list(KFold(3).split(X))
    masks = [
        (np.isin(np.arange(30), train), np.isin(np.arange(30), test).tolist())
        for train, test in splits
    ]
    for cv in (splits, masks, iter(splits)):
        draws = Folds(cv).prepare(X, y)
        for draw, (train, test) in zip(draws, splits, strict=True):
            assert draw.rows.tolist() == train.tolist()
            assert draw.out_of_bag.tolist() == test.tolist()


def test_folds_keep_the_order_of_train_rows():
    """The estimator sees train rows as the splitter gives them; test rows sorted."""
    X, y, _ = _data(6)
    draw = Folds([([5, 0, 3], [4, 1])]).prepare(X, y)[0]
    assert draw.rows.tolist() == [5, 0, 3]
    assert draw.out_of_bag.tolist() == [1, 4]


def test_folds_of_any_container():
    """Only the number of rows of X is asked for."""
    _, y, _ = _data(6)
    draws = Folds(KFold(2)).prepare([f"text {i}" for i in range(6)], y)
    assert draws[1].out_of_bag.tolist() == [3, 4, 5]


def test_folds_of_a_random_splitter_are_fixed_once_prepared():
    """A splitter without a seed is asked once."""
    X, y, _ = _data()
    draws = Folds(KFold(3, shuffle=True)).prepare(X, y)
    first = [draw.out_of_bag.tolist() for draw in draws]
    copy = pickle.loads(pickle.dumps(draws))
    assert [draw.out_of_bag.tolist() for draw in draws] == first
    assert [draw.out_of_bag.tolist() for draw in copy] == first


@pytest.mark.parametrize("weight_mode", ["frequency", "importance"])
def test_folds_with_weights(weight_mode):
    """Weights are the counts of the rows; rows of weight zero are on neither side."""
    X, y, _ = _data()
    weight = np.random.default_rng(0).choice([0.0, 0.5, 2.0], size=30)
    draws = Folds(KFold(3)).prepare(X, y, weight, weight_mode=weight_mode)
    for draw, (train, test) in zip(draws, KFold(3).split(X), strict=True):
        train, test = train[weight[train] > 0], test[weight[test] > 0]
        assert draw.rows.tolist() == train.tolist()
        assert draw.counts.tolist() == weight[train].tolist()
        assert draw.out_of_bag.tolist() == test.tolist()
        assert draw.out_of_bag_counts.tolist() == weight[test].tolist()
        assert draws.occurrences.rows[draw.held_out].tolist() == test.tolist()


def test_folds_end():
    """There are as many draws as splits."""
    X, y, _ = _data()
    draws = Folds(KFold(3)).prepare(X, y)
    for number in (3, -1):
        with pytest.raises(IndexError, match=rf"There is no draw {number}\."):
            draws[number]


@pytest.mark.parametrize(
    ("cv", "error", "words"),
    [
        (
            1,
            ValueError,
            r"'cv' parameter of Folds must be an int in the range \[2, inf",
        ),
        ("kfold", TypeError, r"an iterable of \(train, test\) pairs or None\. Got 'kf"),
        (2.5, TypeError, "an object with `split` and `get_n_splits`"),
    ],
)
def test_parameters_are_checked(cv, error, words):
    """One sentence with the rule and the value got."""
    X, y, _ = _data()
    with pytest.raises(error, match=words):
        Folds(cv).prepare(X, y)
