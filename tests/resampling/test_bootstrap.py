"""The default bootstrap: balanced, stratified, independent of the order of rows."""

import pickle

import numpy as np
import pytest
from scipy.stats import poisson

from genestimators import Bootstrap
from genestimators.resampling._hashing import GOLDEN, derive, mix_int
from genestimators.resampling._keys import content_keys
from tests.resampling import reference


def _data(n, seed=0, n_classes=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = rng.normal(size=n) if n_classes is None else rng.integers(n_classes, size=n)
    return X, y


def _count_table(draws, numbers, n):
    """How often each row is drawn in each replicate, (n_replicates, n)."""
    table = np.zeros((len(numbers), n))
    for i, number in enumerate(numbers):
        draw = draws[number]
        np.add.at(table[i], draw.rows, draw.counts)
    return table


def _content(draw, X, y):
    """The draw in terms of what the rows hold, not where they stand."""
    return (
        X[draw.rows].tolist(),
        y[draw.rows].tolist(),
        draw.counts.tolist(),
        draw.held_out.tolist(),
        sorted(map(tuple, X[draw.out_of_bag].tolist())),
    )


def _slow_draw(X, y, weight, seed, number, *, classifier, fraction=1.0):
    """A draw by loops over rows and occurrences: (row, count, weight) of each."""
    keys = content_keys(X, y, keep=weight > 0).tolist()
    occurrences = []
    for row in sorted(range(len(y)), key=lambda i: keys[i]):
        whole = int(weight[row])
        rest = float(weight[row]) - whole
        shares = [1.0] * whole + ([rest] if rest else [])
        for k, share in enumerate(shares):
            state = mix_int(keys[row] + GOLDEN * (k + 1))
            u = reference.uniform(state, derive(seed, "bootstrap"), number)
            occurrences.append((row, u, share))
    rows = np.array([row for row, _, _ in occurrences])
    uniforms = np.array([u for _, u, _ in occurrences])
    shares = np.array([share for _, _, share in occurrences])
    counts = np.zeros(len(rows), dtype=int)
    labels = y[rows] if classifier else np.zeros(len(rows))
    for label in np.unique(labels):
        of = labels == label
        target = fraction * shares[of].sum()
        counts[of] = reference.stratum_counts(
            uniforms[of], shares[of], target, fraction
        )
    drawn = counts > 0
    return (
        rows[drawn].tolist(),
        (counts * shares)[drawn].tolist(),
        sorted(set(rows) - set(rows[drawn])),
        np.flatnonzero(~drawn).tolist(),
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classifier", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_draws_equal_slow_loop(seed, classifier, weighted):
    """Rows, counts, out of bag and held out are those of the documented recipe."""
    n = 7 + 4 * seed
    X, y = _data(n, seed, 3 if classifier else None)
    rng = np.random.default_rng(seed)
    # Quarters add up without rounding; some rows weigh nothing.
    weight = rng.integers(0, 10, size=n) / 4 if weighted else np.ones(n)
    draws = Bootstrap().prepare(
        X, y, weight if weighted else None, seed=seed, classifier=classifier
    )
    for number in (0, 4, 11):
        draw = draws[number]
        rows, counts, out, held = _slow_draw(
            X, y, weight, seed, number, classifier=classifier
        )
        assert draw.rows.tolist() == rows
        assert draw.counts.tolist() == counts
        assert draw.out_of_bag.tolist() == out
        assert draw.out_of_bag_counts.tolist() == weight[out].tolist()
        assert draw.held_out.tolist() == held


@pytest.mark.parametrize("max_samples", [0.5, 0.25, 6])
def test_draws_of_fewer_samples_equal_slow_loop(max_samples):
    """`max_samples` sets the total to reach and how often rows are left out."""
    X, y = _data(16)
    fraction = max_samples / 16 if isinstance(max_samples, int) else max_samples
    draws = Bootstrap(max_samples=max_samples).prepare(X, y, seed=1)
    for number in range(3):
        rows, counts, _, _ = _slow_draw(
            X, y, np.ones(16), 1, number, classifier=False, fraction=fraction
        )
        assert draws[number].rows.tolist() == rows
        assert draws[number].counts.tolist() == counts
        assert draws[number].counts.sum() == 16 * fraction


@pytest.mark.parametrize("classifier", [False, True])
@pytest.mark.parametrize("duplicates", ["separate", "together"])
@pytest.mark.parametrize("weighted", [False, True])
def test_draws_do_not_depend_on_the_order_of_rows(classifier, duplicates, weighted):
    """Permuted data: the same rows, counts and left-out rows in the same order."""
    X, y = _data(60, n_classes=3)
    X = np.round(X)  # with many equal rows
    rng = np.random.default_rng(3)
    weight = rng.choice([0.0, 0.5, 1.0, 2.0, 2.7], size=60) if weighted else None
    order = rng.permutation(60)
    resampler = Bootstrap(duplicates=duplicates)
    first = resampler.prepare(X, y, weight, seed=7, classifier=classifier)
    second = resampler.prepare(
        X[order],
        y[order],
        None if weight is None else weight[order],
        seed=7,
        classifier=classifier,
    )
    for number in range(12):
        ours, theirs = first[number], second[number]
        assert _content(ours, X, y) == _content(theirs, X[order], y[order])


def test_draws_do_not_depend_on_when_they_are_asked_for():
    """Draw b is a function of b: any order, any number of draws, a copy."""
    X, y = _data(50, n_classes=2)
    draws = Bootstrap().prepare(X, y, seed=2, classifier=True)
    wanted = {b: _content(draws[b], X, y) for b in range(25)}
    again = Bootstrap().prepare(X, y, seed=2, classifier=True)
    copy = pickle.loads(pickle.dumps(draws))
    for number in np.random.default_rng(0).permutation(25).tolist():
        assert _content(again[number], X, y) == wanted[number]
        assert _content(copy[number], X, y) == wanted[number]
        assert _content(draws[np.int64(number)], X, y) == wanted[number]


def test_draws_differ_between_seeds_and_replicates():
    """Another seed or number is another draw."""
    X, y = _data(50)
    draws = [Bootstrap().prepare(X, y, seed=seed)[b] for seed in (0, 1) for b in (0, 1)]
    assert len({tuple(sorted(draw.rows.tolist())) for draw in draws}) == 4


@pytest.mark.parametrize("classifier", [False, True])
@pytest.mark.parametrize("duplicates", ["separate", "together"])
def test_weights_equal_repeats(classifier, duplicates):
    """A row of weight k is k rows, to the bit and in the order they come."""
    X, y = _data(40, n_classes=3)
    rng = np.random.default_rng(1)
    weight = rng.integers(0, 4, size=40)
    X[5] = X[4]  # equal rows of unlike weight
    y[5] = y[4]
    weight[4:6] = 1, 3
    repeats = np.repeat(np.arange(40), weight)
    rng.shuffle(repeats)
    resampler = Bootstrap(duplicates=duplicates)
    weighted = resampler.prepare(
        X, y, weight.astype(float), seed=4, classifier=classifier
    )
    repeated = resampler.prepare(X[repeats], y[repeats], seed=4, classifier=classifier)
    for number in range(12):
        ours, theirs = weighted[number], repeated[number]
        assert X[ours.rows].tolist() == X[repeats][theirs.rows].tolist()
        assert y[ours.rows].tolist() == y[repeats][theirs.rows].tolist()
        assert ours.counts.tolist() == theirs.counts.tolist()
        assert ours.held_out.tolist() == theirs.held_out.tolist()


def test_weights_of_one_and_absent_rows_change_nothing():
    """Weights of 1 are no weights, rows of weight 0 are no rows."""
    X, y = _data(30)
    weight = np.ones(30)
    plain = Bootstrap().prepare(X, y, seed=0)
    ones = Bootstrap().prepare(X, y, weight, seed=0)
    # Far out, so that it would change the rounding grid of every column.
    X_more, y_more = np.vstack([X, [[1e6, 1e6, 1e6]]]), np.append(y, 1e6)
    more = Bootstrap().prepare(X_more, y_more, np.append(weight, 0.0), seed=0)
    for number in range(10):
        for other in (ones[number], more[number]):
            assert other.rows.tolist() == plain[number].rows.tolist()
            assert other.counts.tolist() == plain[number].counts.tolist()
            assert other.out_of_bag.tolist() == plain[number].out_of_bag.tolist()


@pytest.mark.parametrize("more", [1, 2, 3])
def test_weight_zero_is_neither_in_nor_out(more):
    """A row of weight zero is never drawn, and never out of bag."""
    X, y = _data(30)
    weight = np.ones(30)
    weight[[3, 7]] = 0
    weight[:2] = more  # also where there are as many occurrences as rows
    draws = Bootstrap().prepare(X, y, weight, seed=0)
    for number in range(20):
        draw = draws[number]
        assert not {3, 7} & {*draw.rows.tolist(), *draw.out_of_bag.tolist()}
        assert len(set(draw.rows.tolist())) + len(draw.out_of_bag) == 28
    assert sorted(draws.row_order().tolist()) == sorted({*range(30)} - {3, 7})


def test_weights_that_are_fractions():
    """A fractional rest is an occurrence whose count is multiplied by it."""
    X, y = _data(200)
    weight = np.random.default_rng(0).choice([0.25, 1.0, 1.5], size=200)
    draws = Bootstrap().prepare(X, y, weight, seed=0)
    for number in range(10):
        draw = draws[number]
        # No rate meets the total exactly; the step at the best one is a few rows'.
        assert abs(draw.counts.sum() - weight.sum()) <= 1.0
        quarter = weight[draw.rows] == 0.25
        assert np.all(draw.counts[quarter] % 0.25 == 0)
        assert draw.out_of_bag_counts.tolist() == weight[draw.out_of_bag].tolist()


@pytest.mark.parametrize("scale", [1e-12, 1e-3])
def test_weights_however_small_are_drawn(scale):
    """Weights that are small everywhere are weights like any other."""
    X, y = _data(30)
    draws = Bootstrap().prepare(X, y, np.full(30, scale), seed=0)
    plain = Bootstrap().prepare(X, y, seed=0)
    for number in range(5):
        draw = draws[number]
        assert draw.rows.tolist() == plain[number].rows.tolist()
        np.testing.assert_allclose(draw.counts, scale * plain[number].counts)


def test_weights_near_whole_numbers_are_whole():
    """Rounding noise in a weight makes no extra occurrence."""
    X, y = _data(10)
    weight = np.full(10, 2.0)
    noisy = weight * (1 + np.array([1e-14, -1e-14] * 5))
    plain = Bootstrap().prepare(X, y, weight, seed=0)
    near = Bootstrap().prepare(X, y, noisy, seed=0)
    assert near.occurrences.weights is None
    assert near[3].rows.tolist() == plain[3].rows.tolist()


def test_weights_too_large_to_expand():
    """Frequencies in the thousands are not expanded; the message says what helps."""
    X, y = _data(10)
    weight = np.full(10, 500.0)
    with pytest.raises(
        ValueError,
        match=r"weights must not come to more than 20 occurrences a row on average\. "
        r"Got a mean weight of 500; divide weights by their mean, or set "
        r'`weight_mode="importance"`',
    ):
        Bootstrap().prepare(X, y, weight)
    draw = Bootstrap().prepare(X, y, weight, weight_mode="importance")[0]
    assert draw.counts.sum() == 500 * 10


def test_importance_weights_multiply_counts():
    """As importance, weights change no draw: they multiply its counts."""
    X, y = _data(30)
    weight = np.random.default_rng(0).choice([0.0, 0.5, 3.0, 100.0], size=30)
    present = weight > 0
    draws = Bootstrap().prepare(X, y, weight, seed=0, weight_mode="importance")
    plain = Bootstrap().prepare(X[present], y[present], seed=0)
    for number in range(5):
        ours, theirs = draws[number], plain[number]
        assert X[ours.rows].tolist() == X[present][theirs.rows].tolist()
        expected = theirs.counts * weight[present][theirs.rows]
        assert ours.counts.tolist() == expected.tolist()


@pytest.mark.parametrize("sizes", [(30, 12, 3, 1), (2, 2), (1, 1), (100, 1)])
def test_classes_keep_their_weight(sizes):
    """Each class has its own number of rows in every replicate and never vanishes."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    for seed in range(5):
        draws = Bootstrap().prepare(X, y, seed=seed, classifier=True)
        for number in range(20):
            draw = draws[number]
            totals = np.bincount(y[draw.rows], draw.counts, minlength=len(sizes))
            assert totals.tolist() == list(sizes)


def test_classes_of_ten_are_left_out_three_or_four_times_in_ten():
    """In each block of ten, every row of a class of ten or more has its turn."""
    # A class is exempt only where all its uniforms fall below 0.3: 0.3**10 = 6e-6 in
    # each of 40 replicates of two small classes.
    y = np.repeat([0, 1, 2], [10, 12, 100])
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    draws = Bootstrap().prepare(X, y, seed=0, classifier=True)
    table = _count_table(draws, range(40), len(y))
    left_out = (table == 0).reshape(4, 10, len(y)).sum(axis=1)
    assert set(left_out.ravel().tolist()) <= {3, 4}


def test_every_row_is_in_or_out_of_bag():
    """In-bag and out-of-bag rows part the data; held out are the other occurrences."""
    X, y = _data(40)
    draws = Bootstrap().prepare(X, y, seed=0)
    assert draws.has_out_of_bag
    assert draws.balanced_block == 10
    assert draws.limit is None
    for number in range(10):
        draw = draws[number]
        assert sorted([*draw.rows, *draw.out_of_bag]) == list(range(40))
        assert (np.diff(draw.out_of_bag) > 0).all()
        assert (draw.counts > 0).all()
        left = draws.occurrences.rows[draw.held_out]
        assert sorted(left.tolist()) == draw.out_of_bag.tolist()


@pytest.mark.slow
def test_counts_have_the_moments_of_the_bootstrap():
    """Mean 1, variance near the bootstrap's, a share of e**-1 out of bag."""
    n, blocks = 2000, 20
    X, y = _data(n)
    draws = Bootstrap().prepare(X, y, seed=11)
    table = _count_table(draws, range(10 * blocks), n)
    assert table.mean() == 1.0  # exactly, by the totals
    # The bootstrap's is 1 - 1 / n, and the mean over replicates is fixed. Poisson
    # counts have fourth moment 4: a standard error of sqrt(3 / 400000) = 0.0027.
    assert abs(table.var() - 1) < 0.011
    # A replicate's share varies by 0.25 / sqrt(2000); over 200 of them, by 4e-4.
    assert abs((table == 0).mean() - np.exp(-1)) < 0.005
    # Balance: a row's mean over ten replicates varies ten times less than without.
    row_means = table.reshape(blocks, 10, n).mean(axis=1)
    assert row_means.var() < 0.1 * 0.2


@pytest.mark.slow
@pytest.mark.parametrize("n", [12, 30, 100])
def test_counts_of_small_data_vary_a_little_less(n):
    """The variance keeps within 0.95 and 1 of the multinomial bootstrap's 1 - 1 / n."""
    tables = []
    for seed in range(10):
        X, y = _data(n, seed)
        draws = Bootstrap().prepare(X, y, seed=seed)
        tables.append(_count_table(draws, range(100), n))
    # 1000 n counts; the least n has a standard error of sqrt(3 / 12000) = 0.016.
    assert 0.95 - 0.03 < np.var(tables) / (1 - 1 / n) < 1.0 + 0.03


@pytest.mark.slow
def test_replicates_of_a_block_are_negatively_correlated():
    """About -0.1 within a block of ten, zero across blocks."""
    n, blocks = 2000, 20
    X, y = _data(n)
    table = _count_table(Bootstrap().prepare(X, y, seed=3), range(10 * blocks), n)
    correlation = np.corrcoef(table)
    block = np.arange(10 * blocks) // 10
    within = (block[:, None] == block) & ~np.eye(10 * blocks, dtype=bool)
    # Ten distinct tenths: the covariance is minus a ninth of the variance of the mean
    # count of a tenth. Fine steps give each tenth's mean under a Poisson law of rate 1.
    steps = (np.arange(100_000) + 0.5) / 100_000
    of_tenth = poisson.ppf(steps, 1).reshape(10, -1).mean(axis=1)
    expected = -of_tenth.var() / 9
    assert -0.11 < expected < -0.09
    # 900 pairs of 2000 rows: a standard error below 0.002, and 0.005 for the clipping.
    assert abs(correlation[within].mean() - expected) < 0.01
    across = correlation[block[:, None] != block]
    # 19000 correlations: each has a standard error of 1 / sqrt(2000) = 0.022.
    assert abs(across.mean()) < 0.002
    assert np.abs(across).max() < 6 / np.sqrt(n)


@pytest.mark.slow
def test_rows_are_correlated_by_the_total_alone():
    """Two rows of a stratum are correlated by -1 / (n - 1), as in the bootstrap."""
    n, n_draws = 10, 3000
    X, y = _data(n)
    draws = Bootstrap().prepare(X, y, seed=5)
    # One replicate of each block, so that the draws are independent.
    table = _count_table(draws, range(0, 10 * n_draws, 10), n)
    correlation = np.corrcoef(table.T)[np.triu_indices(n, 1)]
    # 45 pairs with a standard error of 1 / sqrt(3000) = 0.018; 4.5 of them.
    assert np.abs(correlation + 1 / (n - 1)).max() < 4.5 / np.sqrt(n_draws)
    assert np.abs(table.mean(axis=0) - 1).max() < 4.5 / np.sqrt(n_draws)


@pytest.mark.slow
def test_unstratified_rows_are_independent():
    """With `stratify=False` each count has its own law, whatever the other rows."""
    n, blocks = 1000, 20
    X, y = _data(n)
    draws = Bootstrap(stratify=False).prepare(X, y, seed=0)
    table = _count_table(draws, range(10 * blocks), n)
    # The total of a replicate varies as a sum of n counts of variance 0.97 does: the
    # variance of 200 totals (correlated by -0.1 in blocks) within a factor of 1.6.
    totals = table.sum(axis=1)
    assert 1 / 1.6 < totals.var() / n < 1.6
    # A mean of 200000 counts, balanced in blocks.
    assert abs(table.mean() - 1) < 0.01


def test_unstratified_rows_are_drawn_alone():
    """A part of the data is drawn as it is within the whole."""
    X, y = _data(40)
    half = np.vstack([X[:20], X[[X[:, j].argmin() for j in range(3)]]])
    half = np.vstack([half, X[[X[:, j].argmax() for j in range(3)]]])
    rows = np.unique(half, axis=0)  # a part with the same range, hence the same grid
    whole = np.array([np.flatnonzero((X == row).all(axis=1))[0] for row in rows])
    y[:] = 1.0
    resampler = Bootstrap(stratify=False)
    ours = _count_table(resampler.prepare(X, y, seed=3), range(10), 40)
    theirs = _count_table(
        resampler.prepare(rows, y[whole], seed=3), range(10), len(rows)
    )
    assert np.array_equal(ours[:, whole], theirs)
