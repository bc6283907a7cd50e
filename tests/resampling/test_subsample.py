"""Subsamples without replacement, alone or in complementary pairs."""

import pickle

import numpy as np
import pytest

from genestimators import Subsample
from genestimators.resampling._hashing import GOLDEN, derive, mix_int
from genestimators.resampling._keys import content_keys
from tests.resampling import reference


def _data(n=40, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.integers(n_classes, size=n)


@pytest.mark.parametrize("fraction", [0.5, 0.1, 0.63, 0.95])
def test_subsamples_equal_slow_loop(fraction):
    """The rows of the least uniforms, as many as come nearest to the fraction."""
    X, y = _data(23)
    draws = Subsample(fraction=fraction).prepare(X, y, seed=6, classifier=True)
    keys = content_keys(X, y).tolist()
    word = derive(6, "subsample")
    for number in (0, 9, 23):
        chosen = []
        for label in set(y.tolist()):
            rows = [i for i in range(23) if y[i] == label]
            rows.sort(
                key=lambda i: reference.uniform(mix_int(keys[i] + GOLDEN), word, number)
            )
            target = fraction * len(rows)
            # Of two numbers as near, the greater one.
            chosen += rows[
                : min(range(1, len(rows)), key=lambda k: (abs(k - target), -k))
            ]
        draw = draws[number]
        assert sorted(draw.rows.tolist()) == sorted(chosen)
        assert [keys[i] for i in draw.rows] == sorted(keys[i] for i in chosen)
        assert draw.counts.tolist() == [1] * len(chosen)
        assert draw.out_of_bag.tolist() == sorted({*range(23)} - {*chosen})


@pytest.mark.parametrize("fraction", [0.5, 0.25])
def test_fraction_of_each_class(fraction):
    """Each class of a classifier gives its share, a target without classes as one."""
    y = np.repeat([0, 1, 2], [40, 20, 8])
    X = np.random.default_rng(0).normal(size=(68, 2))
    for number in range(5):
        for stratify, classifier in (("auto", True), (True, False)):
            draws = Subsample(fraction=fraction, stratify=stratify).prepare(
                X, y, classifier=classifier
            )
            sizes = np.bincount(y[draws[number].rows])
            assert sizes.tolist() == [40 * fraction, 20 * fraction, 8 * fraction]
        for stratify, classifier in (("auto", False), (False, True)):
            draws = Subsample(fraction=fraction, stratify=stratify).prepare(
                X, y, classifier=classifier
            )
            assert len(draws[number].rows) == 68 * fraction


@pytest.mark.parametrize("n", [10, 11])
@pytest.mark.parametrize("classifier", [False, True])
def test_pairs_are_disjoint(n, classifier):
    """Two of a pair share no row; halves of an even number leave none over."""
    y = np.repeat([0, 1], [4, n - 4])
    X = np.random.default_rng(0).normal(size=(n, 2))
    draws = Subsample(complementary_pairs=True).prepare(X, y, classifier=classifier)
    firsts = set()
    for pair in range(10):
        first = draws[2 * pair].rows.tolist()
        second = draws[2 * pair + 1].rows.tolist()
        assert not set(first) & set(second)
        assert len(first) == len(second) == n // 2
        if n == 10:
            assert sorted(first + second) == list(range(10))
        firsts.add(tuple(sorted(first)))
    assert len(firsts) > 1


def test_pairs_of_smaller_fractions():
    """Below a half, pairs stay disjoint and leave rows over."""
    X, y = _data()
    draws = Subsample(fraction=0.3, complementary_pairs=True).prepare(X, y)
    for pair in range(5):
        first, second = draws[2 * pair].rows, draws[2 * pair + 1].rows
        assert not set(first.tolist()) & set(second.tolist())
        assert len(first) == len(second) == 12


@pytest.mark.parametrize("pairs", [False, True])
def test_draws_do_not_depend_on_the_order_of_rows(pairs):
    """Permuted rows: the same rows in the same order, asked in any order."""
    X, y = _data()
    order = np.random.default_rng(1).permutation(40)
    subsample = Subsample(complementary_pairs=pairs)
    first = subsample.prepare(X, y, seed=2, classifier=True)
    second = subsample.prepare(X[order], y[order], seed=2, classifier=True)
    copy = pickle.loads(pickle.dumps(first))
    for number in (12, 0, 5):
        assert X[first[number].rows].tolist() == X[order][second[number].rows].tolist()
        assert copy[number].rows.tolist() == first[number].rows.tolist()


def test_weights_equal_repeats():
    """A row of weight k is k rows, any of which may be left out."""
    X, y = _data()
    weight = np.random.default_rng(0).integers(0, 4, size=40)
    repeats = np.repeat(np.arange(40), weight)
    weighted = Subsample().prepare(X, y, weight.astype(float), seed=0)
    repeated = Subsample().prepare(X[repeats], y[repeats], seed=0)
    for number in range(5):
        ours, theirs = weighted[number], repeated[number]
        assert ours.rows.tolist() == repeats[theirs.rows].tolist()
        assert ours.counts.tolist() == theirs.counts.tolist()
        assert ours.held_out.tolist() == theirs.held_out.tolist()
        # A row is out of bag only when all its occurrences are left out.
        assert not set(ours.rows.tolist()) & set(ours.out_of_bag.tolist())


def test_fractional_weights_come_near_the_share():
    """The weight drawn is within a half of the heaviest occurrence of the share."""
    X, y = _data()
    weight = np.random.default_rng(0).choice([0.25, 0.5, 1.0], size=40)
    draws = Subsample().prepare(X, y, weight, seed=0)
    for number in range(10):
        assert abs(draws[number].counts.sum() - weight.sum() / 2) <= 0.5


def test_a_class_of_one_row_stays():
    """A class does not vanish, however small."""
    X = np.random.default_rng(0).normal(size=(11, 2))
    y = np.repeat([0, 1], [10, 1])
    draws = Subsample(fraction=0.1).prepare(X, y, classifier=True)
    for number in range(10):
        assert np.bincount(y[draws[number].rows]).tolist() == [1, 1]


def test_rows_are_drawn_equally_often():
    """Halves over a block of ten: each row is drawn about five times."""
    X, y = _data(400)
    draws = Subsample().prepare(X, y, seed=0)
    times = sum(np.bincount(draws[b].rows, minlength=400) for b in range(10))
    # Uniforms in each tenth once: only those in the two tenths next to the cut vary.
    assert set(times.tolist()) <= {4, 5, 6}


def test_key_position():
    """By position the content is not looked at."""
    X, y = _data()
    draws = Subsample(key="position").prepare(X, y)
    assert (
        draws[0].rows.tolist()
        == Subsample(key="position").prepare(-X, y)[0].rows.tolist()
    )
    assert (np.diff(draws[0].rows) > 0).all()


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"fraction": 1.0}, ValueError, r"a float in the range \(0\.0, 1\.0\)\. Got 1"),
        (
            {"fraction": 1},
            TypeError,
            r"'fraction' parameter of Subsample .* Got 1 inst",
        ),
        (
            {"fraction": 0.6, "complementary_pairs": True},
            ValueError,
            r"must be at most 0\.5 with `complementary_pairs=True`, .*\. Got 0\.6\.",
        ),
        ({"complementary_pairs": 1}, TypeError, "must be a bool. Got 1 instead"),
        ({"stratify": "no"}, ValueError, "'stratify' parameter of Subsample"),
        ({"key": "id"}, ValueError, "A column named 'id' is asked for"),
    ],
)
def test_parameters_are_checked(parameters, error, words):
    """One sentence with the rule and the value got."""
    X, y = _data()
    with pytest.raises(error, match=words):
        Subsample(**parameters).prepare(X, y)
