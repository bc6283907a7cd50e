"""Rules that pick a value from a curve: slow versions, theorems, what is refused."""

import numpy as np
import pytest

from genestimators import Curve
from genestimators.regularization._counts import bootstrap_counts
from genestimators.regularization._rules import N_RESAMPLES, RULES

N_SPLITS = 8  # a power of two: means of dyadic scores are exact
PENALTIES = [0.1, 1.0, 10.0, 100.0]


def curve_of(test, train=None, *, strength=None, n_folds=None, **extra):
    """A curve of mean scores, or of scores by split; weakest penalty first."""
    test = np.asarray(test, dtype=float)
    test = test if test.ndim == 2 else np.repeat(test[:, None], 2, axis=1)
    train = test if train is None else np.asarray(train, dtype=float)
    train = train if train.ndim == 2 else np.repeat(train[:, None], 2, axis=1)
    n = len(test)
    return Curve(
        values=np.arange(n),
        strength=np.arange(n) if strength is None else np.asarray(strength),
        test=test,
        train=train,
        n_folds=test.shape[1] if n_folds is None else n_folds,
        **extra,
    )


def random_curve(seed, *, missing=0.0, coarse=64):
    """Dyadic scores with ties and near ties, in any order of strength."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 13))
    centre = np.linspace(-1, 1, n) - rng.uniform(-1, 1)
    level = -(centre**2) + 0.2 * rng.normal(size=n)
    fold = rng.normal(size=N_SPLITS)
    noise = rng.uniform(0.05, 1.0) * rng.normal(size=(n, N_SPLITS))
    test = np.round(coarse * (level[:, None] + fold + noise)) / coarse
    train = test + np.round(coarse * rng.exponential(size=(n, N_SPLITS))) / coarse
    test[rng.uniform(size=n) < missing] = np.nan
    test[rng.integers(n)] = test[rng.integers(n)]
    if np.isnan(test).all():
        test[0] = 0.0
    strength = rng.permutation(n) if rng.uniform() < 0.5 else np.arange(n)[::-1]
    return curve_of(
        test,
        train,
        strength=strength,
        full_train=np.round(coarse * rng.normal(size=n)) / coarse,
        instability=np.round(8 * rng.uniform(size=n)) / 8,
    )


def slow_mean(scores):
    return sum(scores) / len(scores)


def slow_error(curve, i, j):
    """Standard error of the difference of two candidates over folds."""
    difference = [a - b for a, b in zip(curve.test[i], curve.test[j], strict=True)]
    mean = slow_mean(difference)
    spread = sum((one - mean) ** 2 for one in difference) / len(difference)
    return (spread / (curve.n_folds - 1)) ** 0.5


def slow_best(curve, score, among=None):
    """The greatest score; of equal ones that of the strongest penalty."""
    found = None
    for i in range(len(curve.values)):
        own = score(i)
        if np.isnan(own) or (among is not None and i not in among):
            continue
        if found is None or (own, curve.strength[i]) > found[:2]:
            found = (own, curve.strength[i], i)
    return found[2]


def slow_run(curve, allowed):
    """Candidates next to the best, to either side, as far as all are allowed."""
    top = slow_best(curve, lambda i: slow_mean(curve.test[i]))
    ranked = sorted(range(len(curve.values)), key=lambda i: curve.strength[i])
    place = ranked.index(top)
    run = {top}
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(ranked) and allowed(top, ranked[at]):
            run.add(ranked[at])
            at += step
    return top, run


def slow_tied(curve, q):
    def allowed(top, i):
        short = slow_mean(curve.test[top]) - slow_mean(curve.test[i])
        return short <= q * slow_error(curve, top, i)

    return slow_run(curve, allowed)


def slow_gap(curve, i):
    return slow_mean(curve.train[i]) - slow_mean(curve.test[i])


def slow_resampled_bests(curve):
    """The best candidate of each resample of the splits."""
    n = curve.test.shape[1]
    blocks = bootstrap_counts(n, N_RESAMPLES, 0, n_drawn=curve.n_folds)
    return [
        slow_best(
            curve, lambda i, counts=counts: slow_mean(list(counts * curve.test[i]))
        )
        for counts in np.concatenate(list(blocks))
    ]


def slow_rule(name, curve, **params):
    """Each rule as one would write it down."""
    if name == "best":
        return slow_best(curve, lambda i: slow_mean(curve.test[i]))
    if name == "median":
        ranks = sorted(curve.strength[i] for i in slow_resampled_bests(curve))
        return list(curve.strength).index(ranks[len(ranks) // 2])
    if name == "gap":
        _, run = slow_tied(curve, params.get("q", 0.25))
        return slow_best(curve, lambda i: -slow_gap(curve, i), run)
    if name == "one_standard_error":
        _, run = slow_tied(curve, 1.0)
        return max(run, key=lambda i: curve.strength[i])
    if name == "penalized":
        weight = params.get("weight", 0.1)
        return slow_best(
            curve, lambda i: slow_mean(curve.test[i]) - weight * slow_gap(curve, i)
        )
    if name == "vfold_penalty":
        factor = params.get("kappa", 1.25) * (1 - 1 / curve.n_folds)
        return slow_best(
            curve, lambda i: curve.full_train[i] - factor * slow_gap(curve, i)
        )
    if name == "tolerance":
        means = [slow_mean(scores) for scores in curve.test]
        known = [mean for mean in means if not np.isnan(mean)]
        allowed = params.get("tolerance", 0.01) * (max(known) - min(known))
        _, run = slow_run(curve, lambda top, i: means[top] - means[i] <= allowed)
        return max(run, key=lambda i: curve.strength[i])
    top, run = slow_tied(curve, params.get("q", 1.0))
    run = {i for i in run if curve.strength[i] >= curve.strength[top]}
    return slow_best(curve, lambda i: -curve.instability[i], run)


SETTINGS = [
    ("median", {}),
    ("best", {}),
    ("gap", {}),
    ("gap", {"q": 1.5}),
    ("one_standard_error", {}),
    ("penalized", {"weight": 0.125}),
    ("penalized", {"weight": 1.0}),
    ("vfold_penalty", {"kappa": 1.25}),
    ("tolerance", {"tolerance": 0.125}),
    ("stability", {}),
    ("stability", {"q": 3.0}),
]
SEEDS = range(150)


@pytest.mark.parametrize(("name", "params"), SETTINGS)
def test_rule_equals_its_slow_version(name, params):
    """Whole-array rules pick what loops over candidates and splits pick."""
    for seed in SEEDS:
        curve = random_curve(seed, missing=0.2)
        assert RULES[name](curve, **params).index == slow_rule(name, curve, **params)


@pytest.mark.parametrize(("name", "params"), SETTINGS)
def test_candidates_without_a_score_are_never_picked(name, params):
    """NaN is no score, and what is picked is always admissible."""
    for seed in SEEDS:
        curve = random_curve(seed, missing=0.5)
        picked = RULES[name](curve, **params)
        assert not np.isnan(curve.test[picked.index]).any()
        assert picked.admissible[picked.index]
        assert not np.isnan(curve.mean_test[picked.admissible]).any()


@pytest.mark.parametrize(("name", "params"), SETTINGS)
def test_units_of_the_score_do_not_matter(name, params):
    """Another unit and another origin of the scores, so another sign, change nothing.

    Scores are dyadic and the factor a power of two, so that sums are exact and ties
    stay ties.
    """
    for seed in SEEDS:
        curve = random_curve(seed)
        for factor, origin in ((2.0**-6, 0.0), (1.0, -64.0), (8.0, 64.0)):
            other = curve_of(
                factor * curve.test + origin,
                factor * curve.train + origin,
                strength=curve.strength,
                full_train=factor * curve.full_train + origin,
                instability=curve.instability,
            )
            one, two = (RULES[name](each, **params) for each in (curve, other))
            assert one.index == two.index
            np.testing.assert_array_equal(one.admissible, two.admissible)


@pytest.mark.parametrize(("name", "params"), SETTINGS)
def test_order_of_the_values_does_not_matter(name, params):
    """Values in another order give the same value."""
    for seed in SEEDS:
        curve = random_curve(seed, missing=0.2)
        order = np.random.default_rng(seed).permutation(len(curve.values))
        moved = curve_of(
            curve.test[order],
            curve.train[order],
            strength=curve.strength[order],
            full_train=curve.full_train[order],
            instability=curve.instability[order],
        )
        picked = RULES[name](curve, **params).index
        assert order[RULES[name](moved, **params).index] == picked


@pytest.mark.parametrize(("name", "params"), SETTINGS)
@pytest.mark.parametrize("strength", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_ties_go_to_the_stronger_penalty(name, params, strength):
    """Where all candidates are alike the strongest penalty is picked."""
    curve = curve_of(
        np.ones(4),
        2 * np.ones(4),
        strength=strength,
        full_train=np.zeros(4),
        instability=np.ones(4),
    )
    assert RULES[name](curve, **params).index == int(np.argmax(strength))


def strength_of(curve, name, **params):
    return curve.strength[RULES[name](curve, **params).index]


def test_stronger_settings_are_never_weaker_where_that_is_a_theorem():
    """Rules that take the strongest of nested sets around the best move one way only.

    `one_standard_error` and `stability` look at candidates no weaker than the best, or
    take the strongest of a run around it; the runs of `tolerance` are nested in one
    another. `gap`, `penalized` and `vfold_penalty` decide by the gap, which need not
    fall with the strength of the penalty: see the next tests.
    """
    for seed in SEEDS:
        curve = random_curve(seed, missing=0.1)
        best = strength_of(curve, "best")
        assert strength_of(curve, "one_standard_error") >= best
        assert strength_of(curve, "one_standard_error", classic=True) >= best
        for q in (0.0, 0.5, 2.0):
            assert strength_of(curve, "stability", q=q) >= best
        previous = best
        for share in (0.0, 0.01, 0.1, 0.5, 1.0):
            found = strength_of(curve, "tolerance", tolerance=share)
            assert found >= previous
            previous = found


@pytest.mark.parametrize(
    ("name", "param", "grid"),
    [
        ("gap", "q", [0.0, 0.25, 1.0, 4.0]),
        ("penalized", "weight", [0.0, 0.125, 0.5, 2.0]),
        ("vfold_penalty", "kappa", [0.0, 1.0, 1.25, 4.0]),
    ],
)
def test_stronger_settings_never_widen_the_gap(name, param, grid):
    """Of rules that weigh the gap, a heavier weight never gives a larger gap.

    A minimum over a larger set is no larger; and of two maximisers of score less weight
    times gap, that of the larger weight has the smaller gap. So the penalty is never
    weaker where the gap falls with it, as it does for most learners.
    """
    for seed in SEEDS:
        curve = random_curve(seed)
        gaps = [curve.gap[RULES[name](curve, **{param: one}).index] for one in grid]
        assert (np.diff(gaps) <= 0).all()
        # The same scores, with training scores that make the gap fall.
        falling = curve_of(
            curve.test,
            curve.test + (len(curve.values) - curve.strength)[:, None],
            strength=curve.strength,
            full_train=curve.full_train,
        )
        found = [strength_of(falling, name, **{param: one}) for one in grid]
        assert (np.diff(found) >= 0).all()


def test_weighing_the_gap_may_pick_a_weaker_penalty():
    """Where the gap grows with the penalty, the smaller gap is the weaker penalty."""
    test = np.zeros((3, 4))
    test[0] = [1, -1, 1, -1]  # tied with the others, on the mean
    test[0] -= 0.01
    test[1] += 0.01
    curve = curve_of(test, test + np.array([[0.0], [1.0], [2.0]]))
    assert RULES["gap"](curve, q=0.0).index == 1
    assert RULES["gap"](curve, q=1.0).index == 0
    assert RULES["penalized"](curve, weight=0.0).index == 1
    assert RULES["penalized"](curve, weight=1.0).index == 0


def test_a_candidate_behind_a_worse_one_is_not_admissible():
    """The run of tied candidates ends at the first that is not tied."""
    means = [0.5, 0.9, 1.0, 0.2, 0.95]
    curve = curve_of(means)
    picked = RULES["tolerance"](curve, tolerance=0.2)
    assert picked.index == 2
    assert picked.admissible.tolist() == [False, True, True, False, False]
    whole = RULES["tolerance"](curve, tolerance=1.0)
    assert whole.index == 4
    assert whole.admissible.all()
    # A missing score ends it too.
    curve = curve_of([0.5, 0.9, 1.0, np.nan, 1.0])
    assert RULES["tolerance"](curve, tolerance=0.2).index == 4
    curve = curve_of([0.5, 0.9, 1.0, np.nan, 0.99])
    assert RULES["tolerance"](curve, tolerance=0.2).index == 2


def test_admissible_candidates_are_a_run():
    """In order of strength there are no holes, and the best is among them."""
    for seed in SEEDS:
        curve = random_curve(seed, missing=0.2)
        for name in ("gap", "one_standard_error", "tolerance", "stability"):
            inside = RULES[name](curve).admissible[curve.order]
            places = np.flatnonzero(inside)
            assert (np.diff(places) == 1).all()
            assert curve.best in curve.order[places]


def test_classic_and_paired_standard_error():
    """Noise that all candidates share hides differences from the classic rule only."""
    shared = np.array([-1.0, 1.0, -1.0, 1.0])
    own = 0.01 * np.array([1.0, -1.0, -1.0, 1.0])
    test = np.stack([shared, shared - 0.1 + own, shared - 0.2 - own])
    curve = curve_of(test)
    assert RULES["one_standard_error"](curve).index == 0
    assert RULES["one_standard_error"](curve, classic=True).index == 2
    # Against each other: the difference is noisier than the score of the best.
    test = np.array([[0.1, 0.1, 0.1, 0.1], [1.0, -1.0, 1.0, -1.0]])
    curve = curve_of(test)
    assert RULES["one_standard_error"](curve).index == 1
    assert RULES["one_standard_error"](curve, classic=True).index == 0


def test_classic_standard_error_by_hand():
    """Breiman's rule: the strongest whose mean is within an error of the best one's."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        test = np.sort(rng.normal(size=8))[::-1][:, None] + rng.normal(size=(8, 10))
        curve = curve_of(test)
        means = test.mean(axis=1)
        top = means.argmax()
        error = test[top].std(ddof=1) / np.sqrt(10)
        expected = top
        while expected < 7 and means[expected + 1] >= means[top] - error:
            expected += 1
        assert RULES["one_standard_error"](curve, classic=True).index == expected


def test_repeats_of_the_same_folds_change_nothing():
    """Standard errors count folds: folds given twice are no new data."""
    for seed in SEEDS:
        curve = random_curve(seed)
        twice = curve_of(
            np.tile(curve.test, 2),
            np.tile(curve.train, 2),
            strength=curve.strength,
            n_folds=N_SPLITS,
            full_train=curve.full_train,
            instability=curve.instability,
        )
        np.testing.assert_allclose(
            curve.paired_std_error(0), twice.paired_std_error(0), atol=1e-15
        )
        np.testing.assert_allclose(curve.std_error(), twice.std_error())
        assert curve.gap_std_error(0) == pytest.approx(twice.gap_std_error(0))
    once = curve.test.std(axis=1, ddof=1) / np.sqrt(N_SPLITS)
    np.testing.assert_allclose(curve.std_error(), once)


def test_one_split_has_no_standard_error():
    """With one split and no losses only equal scores are tied."""
    curve = curve_of(np.array([[0.5], [0.7], [0.7], [0.69]]))
    assert np.isnan(curve.paired_std_error(0)).all()
    for name in ("best", "gap", "one_standard_error", "penalized"):
        assert RULES[name](curve).index == 2


def test_row_losses_give_paired_errors_where_there_is_one_split():
    """Out of bag, differences of losses on the same row are what is averaged."""
    rng = np.random.default_rng(0)
    losses = rng.exponential(size=(3, 40))
    train_losses = 0.5 * losses
    for weight in (None, rng.uniform(0.5, 2, size=40)):
        share = np.full(40, 1 / 40) if weight is None else weight / weight.sum()
        curve = curve_of(
            -(losses @ share)[:, None],
            -(train_losses @ share)[:, None],
            losses=losses,
            train_losses=train_losses,
            weight=weight,
            slope=2.0,
        )
        difference = losses[1] - losses[2]
        centred = difference - difference @ share
        expected = 2 * np.sqrt(40 / 39 * np.sum((share * centred) ** 2))
        assert curve.paired_std_error(1)[2] == pytest.approx(expected)
        half = 0.5 * losses[0]
        centred = half - half @ share
        expected = 2 * np.sqrt(40 / 39 * np.sum((share * centred) ** 2))
        assert curve.gap_std_error(0) == pytest.approx(expected)


@pytest.mark.parametrize("rule", ["gap", "penalized", "vfold_penalty"])
def test_rules_that_need_training_scores_say_so(rule):
    """R2 of one training row is undefined."""
    curve = curve_of([0.5, 0.7], [np.nan, np.nan], full_train=np.ones(2))
    with pytest.raises(ValueError, match=r"compares training scores.*rule=\"median\""):
        RULES[rule](curve)


def test_tolerance_tells_its_share_in_full():
    """Less than a percent is not nothing."""
    curve = curve_of([0.0, 1.0])
    assert "at most 0.3% of" in RULES["tolerance"](curve, tolerance=0.003).reason
