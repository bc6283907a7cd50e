"""Folds that are dealt anew in every repeat."""

import pickle

import numpy as np
import pytest

from genestimators import BootstrapBaggingRegressor, RepeatedFolds


def _data(n=47, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.integers(3, size=n)


def _tests(draws, repeat, n_folds):
    numbers = range(repeat * n_folds, (repeat + 1) * n_folds)
    return [draws[number].out_of_bag for number in numbers]


@pytest.mark.parametrize("classifier", [False, True])
@pytest.mark.parametrize("n_folds", [2, 5, 47])
def test_every_row_is_left_out_once_a_repeat(n_folds, classifier):
    X, y = _data()
    draws = RepeatedFolds(n_folds).prepare(X, y, seed=3, classifier=classifier)
    seen = []
    for repeat in range(3):
        tests = _tests(draws, repeat, n_folds)
        assert sorted(np.concatenate(tests).tolist()) == list(range(47))
        sizes = [len(test) for test in tests]
        assert max(sizes) - min(sizes) <= 1
        seen.append(tuple(tests[0].tolist()))
        for number, test in enumerate(tests):
            draw = draws[repeat * n_folds + number]
            assert not set(test) & set(draw.rows)
            assert len(test) + len(draw.rows) == 47
    if n_folds < 47:
        assert len(set(seen)) == 3


def test_classes_are_dealt_out_evenly():
    X, y = _data(100)
    draws = RepeatedFolds(5).prepare(X, y, seed=0, classifier=True)
    share = np.array([np.bincount(y[t], minlength=3) for t in _tests(draws, 0, 5)])
    assert (np.ptp(share, axis=0) <= 1).all()
    plain = RepeatedFolds(5, stratify=False).prepare(X, y, seed=0, classifier=True)
    share = np.array([np.bincount(y[t], minlength=3) for t in _tests(plain, 0, 5)])
    assert (np.ptp(share, axis=0) > 1).any()


def test_groups_stay_whole():
    X, y = _data(60)
    groups = np.random.default_rng(1).integers(12, size=60)
    draws = RepeatedFolds(4).prepare(X, y, groups=groups, seed=0)
    for number in range(8):
        draw = draws[number]
        assert not set(groups[draw.out_of_bag]) & set(groups[draw.rows])
        assert len(set(groups[draw.out_of_bag])) == 3


def test_order_of_rows_makes_no_difference():
    X, y = _data()
    order = np.random.default_rng(1).permutation(47)
    first = RepeatedFolds().prepare(X, y, seed=0)
    second = RepeatedFolds().prepare(X[order], y[order], seed=0)
    for number in (0, 13):
        assert set(order[second[number].out_of_bag]) == set(first[number].out_of_bag)


def test_weights_multiply_and_rows_stay_whole():
    X, y = _data()
    weight = np.random.default_rng(0).choice([0.0, 0.5, 3.0], size=47)
    draws = RepeatedFolds(4).prepare(X, y, sample_weight=weight, seed=0)
    used = np.flatnonzero(weight)
    seen = np.concatenate(_tests(draws, 0, 4))
    assert sorted(seen.tolist()) == used.tolist()
    draw = draws[2]
    np.testing.assert_array_equal(draw.counts, weight[draw.rows])
    np.testing.assert_array_equal(draw.out_of_bag_counts, weight[draw.out_of_bag])


def test_pickles_and_serves_a_bag():
    X, y = _data()
    draws = RepeatedFolds(4).prepare(X, y, seed=0)
    again = pickle.loads(pickle.dumps(draws))
    np.testing.assert_array_equal(draws[9].rows, again[9].rows)
    bag = BootstrapBaggingRegressor(
        n_estimators=10, resampling=RepeatedFolds(5), oob_score=True, random_state=0
    ).fit(X, y)
    assert not np.isnan(bag.oob_prediction_).any()


def test_errors():
    X, y = _data(6)
    with pytest.raises(ValueError, match=r"at least as many rows .* 10. Got 6; set"):
        RepeatedFolds().prepare(X, y)
    with pytest.raises(ValueError, match=r"as many groups .* 3. Got 2; set a smaller"):
        RepeatedFolds(3).prepare(X, y, groups=[0, 0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="'n_folds' parameter of RepeatedFolds"):
        RepeatedFolds(1).prepare(X, y)
