"""The infinitesimal jackknife against sums over units, and against known variances."""

import numpy as np
import pytest

from genestimators.bagging import _sampling_error
from genestimators.bagging._sampling_error import (
    count_products,
    raw_variance,
    unbiased_variance,
)
from genestimators.resampling import Bootstrap, Subsample


def multinomial(n_members, n, seed):
    """Counts of independent draws of n of n units."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / n), size=n_members)


def drawn(resampler, n_members, n, seed):
    """Counts of the draws of a resampler over n rows."""
    draws = resampler.prepare(np.arange(float(n))[:, None], np.zeros(n), seed=seed)
    return draws.counts_matrix(range(n_members))


def slow_raw(counts, answers):
    """Squared covariances of counts and answers, unit by unit."""
    out = np.zeros(answers.shape[1])
    for own in counts.T:
        for j, answer in enumerate(answers.T):
            covariance = np.mean((own - own.mean()) * (answer - answer.mean()))
            out[j] += covariance**2
    return out


def slow_unbiased(counts, answers, block):
    """Products of members of different blocks, pair by pair and unit by unit."""
    n_members = len(counts)
    number = np.arange(n_members) // block
    centred = counts - counts.mean()
    total, pairs = np.zeros(answers.shape[1]), 0
    for b in range(n_members):
        own = answers[b] - answers[number != number[b]].mean(axis=0)
        for c in range(n_members):
            if number[b] == number[c]:
                continue
            other = answers[c] - answers[number != number[c]].mean(axis=0)
            total += centred[b] @ centred[c] * own * other
            pairs += 1
    return total / pairs


def case(seed, n_members=23, n=17, m=5):
    """Counts, and answers that they tell in part."""
    counts = multinomial(n_members, n, seed)
    rng = np.random.default_rng(seed)
    answers = counts @ rng.normal(size=(n, m)) / n
    return counts, answers + rng.normal(size=answers.shape)


@pytest.mark.parametrize("seed", range(3))
def test_variances_equal_slow_loops(seed):
    """The products of members' counts tell what sums over units tell."""
    counts, answers = case(seed)
    products = count_products(counts).products
    np.testing.assert_allclose(
        raw_variance(products, answers), slow_raw(counts, answers), rtol=1e-11
    )
    for block in (1, 10):
        np.testing.assert_allclose(
            unbiased_variance(products, answers, block)[0],
            slow_unbiased(counts, answers, block),
            rtol=1e-9,
            atol=1e-12,
        )


@pytest.mark.parametrize("kind", ["uint8", "int32", "float32", "float64"])
def test_counts_of_any_kind(kind, monkeypatch):
    """Small integers do not overflow; units come in parts."""
    counts, _ = case(3)
    counts[0, :] += 100  # its square does not fit a byte
    whole = count_products(counts)
    monkeypatch.setattr(_sampling_error, "_BLOCK", 5)
    parts = count_products(counts.astype(kind))
    np.testing.assert_allclose(parts.products, whole.products, rtol=1e-9, atol=1e-6)
    assert parts.scale == pytest.approx(whole.scale)


def test_offsets_do_not_matter():
    """Answers around 1e6 have the variance of the answers around zero."""
    counts, answers = case(4)
    products = count_products(counts).products
    for block in (1, 10):
        np.testing.assert_allclose(
            np.array(unbiased_variance(products, answers + 1e6, block)),
            np.array(unbiased_variance(products, answers, block)),
            rtol=1e-6,
        )


def test_members_that_agree_have_no_variance_and_no_noise():
    """The same answer from all members: zero, exactly."""
    counts, answers = case(5)
    products = count_products(counts).products
    variance, noise = unbiased_variance(products, np.full_like(answers, 0.1), 10)
    assert not variance.any()
    assert not noise.any()


def test_blocks_of_one_are_the_usual_correction():
    """For independent draws the excess taken off is n s^2 / B, nearly.

    Wager, Hastie and Efron take n / B^2 sum (t_b - mean)^2 off; without the pairs of a
    member with itself each count's own square stands for its expected value. Those
    squares vary by sqrt(2 / n) = 7 %, a weighted mean of 200 of them by about 1 %; five
    of that are allowed. Without a correction the difference would be 100 %.
    """
    n, n_members = 400, 200
    counts = multinomial(n_members, n, 0)
    rng = np.random.default_rng(1)
    answers = counts @ rng.normal(size=(n, 20)) / n
    products = count_products(counts).products
    term = n * answers.var(axis=0) / n_members
    usual = raw_variance(products, answers) - term
    ours, _ = unbiased_variance(products, answers, 1)
    np.testing.assert_allclose(ours / term, usual / term, atol=0.05)


def test_scale_is_one_for_the_bootstrap_and_as_published_without_replacement():
    """((n - 1) / (n - m))^2 for m of n; for counts of mean and variance one, one."""
    n, m = 40, 10
    counts = drawn(Subsample(fraction=m / n), 30, n, 0)
    expected = ((n - 1) / (n - m)) ** 2
    assert count_products(counts).scale == pytest.approx(expected, rel=1e-12)
    assert count_products(multinomial(2000, n, 0)).scale == pytest.approx(1, abs=0.02)


def test_equal_counts_tell_nothing():
    """If every unit is drawn once in all members there is no variance to tell."""
    assert count_products(np.ones((12, 6), dtype=int)).scale == 0.0


@pytest.mark.parametrize(
    "resampler", [Bootstrap(), Bootstrap(max_samples=0.5), Subsample(fraction=0.5)]
)
def test_mean_has_its_textbook_variance(resampler):
    """For the mean of y the variance is sum (y - mean)^2 / n^2, whatever is drawn.

    Four of the Monte-Carlo standard deviations that it comes with are allowed (a third
    in all). Without its scale the variance of the subsample would be a quarter.
    """
    n, n_members = 40, 2000
    y = np.random.default_rng(0).normal(size=n)
    draws = resampler.prepare(np.arange(float(n))[:, None], np.zeros(n), seed=1)
    counts = draws.counts_matrix(range(n_members))
    own = y[draws.occurrences.rows]
    answers = (counts @ own / counts.sum(axis=1))[:, None]
    found = count_products(counts)
    variance, noise = found.scale * np.array(
        unbiased_variance(found.products, answers, 10)
    )
    expected = np.mean((y - y.mean()) ** 2) / n
    assert noise[0] < 0.1 * expected
    assert abs(variance[0] - expected) <= 4 * noise[0]


@pytest.mark.slow
@pytest.mark.parametrize("n_members", [20, 50, 100])
def test_balanced_draws_leave_no_bias(n_members):
    """Averaged over seeds, the estimate from few balanced members is the truth.

    The usual correction leaves 17 % of a mean's variance for 20 members and 6 % for 50
    (three times the truth for trees). Over 600 seeds the standard error of the average
    is known from the spread; four of it are allowed.
    """
    n = 40
    y = np.random.default_rng(0).normal(size=n)
    expected = np.mean((y - y.mean()) ** 2) / n
    found = []
    for seed in range(600):
        draws = Bootstrap().prepare(
            np.arange(float(n))[:, None], np.zeros(n), seed=seed
        )
        counts = draws.counts_matrix(range(n_members))
        answers = (counts @ y[draws.occurrences.rows] / n)[:, None]
        own = count_products(counts)
        found.append(own.scale * unbiased_variance(own.products, answers, 10)[0][0])
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - expected) <= 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_noise_is_the_monte_carlo_error(share):
    """The spread over draws is as told, if counts tell all, a part, or nothing.

    The formula supposes normal counts and answers; over 1000 pairs the standard error
    of a standard deviation is 2 % for normal estimates and more for these, which have
    long tails. 15 % are allowed.
    """
    rng = np.random.default_rng(0)
    effects = share * rng.normal(size=25)
    found = []
    for seed in range(1000):
        counts = multinomial(40, 25, seed)
        products = count_products(counts).products
        answers = (counts @ effects)[:, None] / 5 + (1 - share) * rng.normal(
            size=(40, 1)
        )
        found.append(unbiased_variance(products, answers, 10))
    variance, noise = np.array(found)[:, :, 0].T
    assert np.std(variance) == pytest.approx(np.sqrt(np.mean(noise**2)), rel=0.15)
