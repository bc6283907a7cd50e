"""Sets of classes against their definition, row by row."""

import numpy as np
import pytest

from genestimators.bagging._prediction_sets import jackknife_plus_sets, sets_around


def slow_sets(probabilities, scores, level, weights):
    """Class k is in unless rows of enough weight have a lower score than it."""
    n_classes, m, n = probabilities.shape
    out = np.empty((m, n_classes), dtype=bool)
    for j in range(m):
        for k in range(n_classes):
            worse = sum(
                weights[i]
                for i in range(n)
                if 1 - probabilities[k, j, i] > scores[i] + 1e-10
            )
            out[j, k] = worse < level * (weights.sum() + 1) - 1e-6
    return out


def case(seed, n_classes=3, m=6, n=29):
    """Probabilities in eighths, so that many are tied with scores."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(8, np.ones(n_classes) / n_classes, size=(m, n))
    scores = rng.integers(0, 9, size=n) / 8
    return np.moveaxis(counts / 8, -1, 0), scores, rng


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_sets_equal_their_definition(level, seed):
    """Without weights and with them; ties speak for a class."""
    probabilities, scores, rng = case(seed)
    weights = rng.integers(1, 4, size=len(scores)) / 2
    for own in (None, weights):
        share = np.ones(len(scores)) if own is None else own
        np.testing.assert_array_equal(
            jackknife_plus_sets(probabilities, scores, level, own),
            slow_sets(probabilities, scores, level, share),
        )


def test_whole_weights_equal_repeated_rows():
    """A row of weight three counts as three rows."""
    probabilities, scores, rng = case(5)
    counts = rng.integers(1, 4, size=len(scores))
    np.testing.assert_array_equal(
        jackknife_plus_sets(probabilities, scores, 0.7, counts.astype(float)),
        jackknife_plus_sets(
            np.repeat(probabilities, counts, axis=2), np.repeat(scores, counts), 0.7
        ),
    )


def test_ties_off_by_rounding_are_ties():
    """A class that is as typical as all training rows is in the set."""
    scores = np.full(20, 1 - 0.3)
    own = np.full((1, 1, 20), 0.3 - 1e-16)
    assert jackknife_plus_sets(own, scores, 0.5)[0, 0]
    assert sets_around(own[:, :, 0], scores, 0.5)[0, 0]
    assert not jackknife_plus_sets(own - 1e-6, scores, 0.5)[0, 0]
    assert not sets_around(own[:, :, 0] - 1e-6, scores, 0.5)[0, 0]


def test_rows_without_a_score_speak_for_every_class():
    """Sets grow with infinite scores, to all classes where nothing else is known."""
    probabilities, scores, _ = case(6)
    before = jackknife_plus_sets(probabilities, scores, 0.5)
    scores[:5] = np.inf
    after = jackknife_plus_sets(probabilities, scores, 0.5)
    assert (after | ~before).all()
    assert (after != before).any()
    scores[:] = np.inf
    assert jackknife_plus_sets(probabilities, scores, 0.5).all()
    assert sets_around(probabilities[:, :, 0].T, scores, 0.5).all()


@pytest.mark.parametrize("level", [0.3, 0.6, 0.9])
def test_one_threshold_is_the_jackknife_plus_of_equal_predictors(level):
    """If no row matters for the probabilities, the two constructions agree."""
    probabilities, scores, _ = case(7)
    same = np.repeat(probabilities[:, :, :1], probabilities.shape[2], axis=2)
    np.testing.assert_array_equal(
        sets_around(same[:, :, 0].T, scores, level),
        jackknife_plus_sets(same, scores, level),
    )
