"""q-values from runs with permuted y."""

import numpy as np
import pytest

from genestimators.selection.error_control._q_values import (
    global_p_value,
    pair_scores,
    plug_in_rates,
    q_values,
    runs_needed,
)


def slow_rates(scores, null_scores):
    """Each threshold that selects a unit, in turn."""
    rates = []
    for score in scores:
        estimates = [
            (1 + (null_scores >= t).sum())
            / (1 + len(null_scores))
            / (scores >= t).sum()
            for t in scores
            if t <= score
        ]
        rates.append(min([1.0, *estimates]))
    return np.array(rates)


def slow_p_value(runs):
    least = []
    for number, run in enumerate(runs):
        others = np.delete(runs, number, axis=0)
        least.append(min((1 + (others >= t).sum()) / (run >= t).sum() for t in run))
    return np.mean([value <= least[0] for value in least])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n_runs", "n_units"), [(1, 1), (5, 1), (1, 6), (9, 25)])
def test_q_values_equal_slow_loop(ties, n_runs, n_units):
    """Against a loop over thresholds, with and without ties."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        runs = rng.exponential(size=(1 + n_runs, n_units))
        runs[0, : n_units // 3] += 2
        runs = np.round(runs) if ties else runs
        rates = slow_rates(runs[0], runs[1:])
        p_value = slow_p_value(runs)
        found = plug_in_rates(runs[0], np.sort(runs[1:], axis=None), n_runs)
        np.testing.assert_allclose(found, rates)
        assert global_p_value(runs[0], runs[1:]) == pytest.approx(p_value)
        expected = np.maximum(rates, p_value)
        np.testing.assert_allclose(q_values(runs[0], runs[1:]), expected)


def test_q_values_are_monotone_and_free_of_scale():
    """A higher score has no larger q-value, ties the same; units of the score drop out.

    The factor is a power of two, so that ties stay ties.
    """
    rng = np.random.default_rng(0)
    scores = np.round(
        rng.exponential(size=40) + np.r_[np.full(5, 8.0), np.zeros(35)], 1
    )
    null_scores = np.round(rng.exponential(size=(10, 40)), 1)
    found = q_values(scores, null_scores)
    order = np.argsort(-scores, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    for level in np.unique(scores):
        assert len(np.unique(found[scores == level])) == 1
    np.testing.assert_array_equal(found, q_values(scores / 4, null_scores / 4))
    np.testing.assert_array_equal(found[::-1], q_values(scores[::-1], null_scores))
    assert found.min() == pytest.approx(1 / 11)
    assert found.max() <= 1


def test_scores_that_are_all_zero_select_nothing():
    """Ties with the null count for the null."""
    assert (q_values(np.zeros(5), np.zeros((10, 5))) == 1).all()


def test_fewest_runs_for_a_rate():
    """With so many runs, and no fewer, the least possible q-value is at most alpha."""
    for alpha in (0.01, 0.05, 0.07, 0.1, 0.2, 0.5, 1.0):
        n_runs = runs_needed(alpha)
        for runs, reachable in ((n_runs, True), (n_runs - 1, False)):
            if runs:
                least = q_values([9.0, 0.0], np.zeros((runs, 2))).min()
                assert (least <= alpha) == reachable


def test_pair_scores_are_the_mean_of_the_worse_half():
    """Against a loop over pairs, also where runs come first."""
    scores = np.random.default_rng(0).uniform(size=(3, 8, 5))
    expected = [
        np.mean([np.minimum(run[2 * k], run[2 * k + 1]) for k in range(4)], axis=0)
        for run in scores
    ]
    np.testing.assert_allclose(pair_scores(scores), expected)
    np.testing.assert_allclose(pair_scores(scores[0]), expected[0])


def test_bad_input_is_told():
    """One sentence with the rule and the value."""
    with pytest.raises(ValueError, match=r"even number of draws.* Got 3\."):
        pair_scores(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"shapes \(4, 2\) and \(3,\)"):
        q_values(np.ones(3), np.ones((4, 2)))
    with pytest.raises(ValueError, match="at least one run"):
        q_values(np.ones(3), np.ones((0, 3)))
    with pytest.raises(ValueError, match="must not be NaN"):
        q_values([np.nan], [[1.0]])
    with pytest.raises(ValueError, match="`alpha` must be above 0"):
        runs_needed(0)


def correlation_scores(X, runs, halves):
    """Pair scores of squared correlations, for each run of y."""
    both = []
    for half in halves:
        columns, outputs = X[half], runs[:, half]
        columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
        outputs = outputs - outputs.mean(axis=1, keepdims=True)
        outputs = outputs / outputs.std(axis=1, keepdims=True)
        both.append((outputs @ columns / len(half)) ** 2)
    return pair_scores(np.stack(both, axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_any_selection_under_the_global_null(correlation):
    """At most a share alpha of data sets without signal has a selection at alpha."""
    n_sets, n_rows, n_units, n_runs = 1000, 30, 40, 19
    rng = np.random.default_rng(int(10 * correlation))
    least = np.empty(n_sets)
    for number in range(n_sets):
        shared = np.sqrt(correlation) * rng.normal(size=(n_rows, 1))
        X = shared + np.sqrt(1 - correlation) * rng.normal(size=(n_rows, n_units))
        y = rng.standard_t(3, size=n_rows)
        runs = np.vstack([y, [rng.permutation(y) for _ in range(n_runs)]])
        halves = np.argsort(rng.uniform(size=(5, n_rows)), axis=1).reshape(10, -1)
        scores = correlation_scores(X, runs, halves)
        least[number] = q_values(scores[0], scores[1:]).min()
    for alpha in (0.05, 0.1, 0.2, 0.5):
        # Exact, up to three binomial standard errors of the number of data sets.
        reach = 3 * np.sqrt(alpha * (1 - alpha) / n_sets)
        assert np.mean(least <= alpha) <= alpha + reach
    # The level is used, not only kept: the rule is not vacuous.
    assert np.mean(least <= 0.2) > 0.1


@pytest.mark.slow
def test_false_discovery_rate_with_signal():
    """Independent features, some true: the rate is kept and the true ones are found."""
    n_sets, n_rows, n_units, n_true = 100, 120, 60, 8
    rng = np.random.default_rng(0)
    rates, powers = [], []
    for _ in range(n_sets):
        X = rng.normal(size=(n_rows, n_units))
        y = X[:, :n_true].sum(axis=1) + 1.5 * rng.normal(size=n_rows)
        runs = np.vstack([y, [rng.permutation(y) for _ in range(19)]])
        halves = np.argsort(rng.uniform(size=(10, n_rows)), axis=1).reshape(20, -1)
        scores = correlation_scores(X, runs, halves)
        selected = q_values(scores[0], scores[1:]) <= 0.1
        rates.append(selected[n_true:].sum() / max(1, selected.sum()))
        powers.append(selected[:n_true].mean())
    # Three standard errors of the mean over data sets.
    assert np.mean(rates) <= 0.1 + 3 * np.std(rates) / np.sqrt(n_sets)
    assert np.mean(powers) > 0.5
