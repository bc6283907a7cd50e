"""From columns to normal ones and back: closed forms, ranges, weights, the ends."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm

from genestimators import GaussianImputer
from genestimators.imputation.columns._marginals import (
    MARGINALS,
    Quantiles,
    Standardized,
)

BOTH = pytest.mark.parametrize("kind", ["gaussian", "copula"])


def _values(kind, n=200):
    rng = np.random.default_rng(0)
    return {
        "smooth": rng.exponential(size=n),
        "few": rng.integers(0, 4, size=n) / 3,
        "integers": rng.poisson(40, size=n) * 1.0,
        "many": rng.normal(size=5000),
    }[kind]


@pytest.mark.parametrize("offset", [0.0, 1e6, -1e9])
def test_standardized_columns_have_mean_zero_and_variance_one(offset):
    """Weighted, and beside an offset of many times their spread."""
    values = _values("smooth") + offset
    weight = np.random.default_rng(1).uniform(0.1, 2.0, size=200)
    one = Standardized(values, weight)
    latent = one.forward(values)
    rounding = 1e-12 + abs(offset) * 2.0**-52  # of a mean of that size
    np.testing.assert_allclose(np.average(latent, weights=weight), 0.0, atol=rounding)
    np.testing.assert_allclose(np.average(latent**2, weights=weight), 1.0, rtol=1e-9)
    np.testing.assert_allclose(one.backward(latent), values, rtol=1e-15, atol=1e-15)


@BOTH
@pytest.mark.parametrize("power", [-308, -300, -160, 150, 160, 300])
def test_scales_at_the_ends_of_floats(kind, power):
    """Their squares overflow or vanish; the latent columns are those of scale one."""
    values, weight = _values("smooth"), np.ones(200)
    scaled = values * 10.0**power
    ours, theirs = MARGINALS[kind](scaled, weight), MARGINALS[kind](values, weight)
    assert ours.varies
    latent = theirs.forward(values)
    np.testing.assert_allclose(ours.forward(scaled), latent, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        ours.backward(np.array([-0.5, 0.7])) / 10.0**power,
        theirs.backward(np.array([-0.5, 0.7])),
        rtol=1e-6,
    )


@BOTH
def test_columns_that_do_not_vary_come_back_exactly(kind):
    """A constant is not rounded, and nothing at all is zero."""
    for values in (np.full(7, 0.1), np.full(3, 1e6 + 0.1), np.array([1e-310])):
        one = MARGINALS[kind](values, np.full(len(values), 0.3))
        assert not one.varies
        assert one.backward(np.zeros(2)).tolist() == [values[0]] * 2
    one = MARGINALS[kind](np.zeros(0), np.zeros(0))
    assert not one.varies
    assert one.backward(np.zeros(1)).tolist() == [0.0]


@pytest.mark.parametrize("kind", ["smooth", "few", "integers"])
def test_normal_scores_against_a_loop(kind):
    """Half of the weight at a value lies below it; scores are of unit variance."""
    values = _values(kind)
    weight = np.random.default_rng(1).uniform(0.1, 2.0, size=200)
    one = Quantiles(values, weight)
    share = np.array(
        [
            (weight[values < v].sum() + weight[values == v].sum() / 2) / weight.sum()
            for v in values
        ]
    )
    scores = ndtri(share)
    center = np.average(scores, weights=weight)
    scores /= np.sqrt(np.average((scores - center) ** 2, weights=weight))
    np.testing.assert_allclose(one.forward(values), scores, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["smooth", "few", "integers", "many"])
def test_what_comes_back_is_within_the_range(kind):
    """And is an observed value where the column is of few values or integers."""
    values = _values(kind)
    one = Quantiles(values, np.ones(len(values)))
    latent = np.concatenate([np.linspace(-9, 9, 501), [-1e300, 1e300]])
    for back in (one.backward(latent), one.mean(latent, np.full(503, 0.8))):
        assert back.min() >= values.min()
        assert back.max() <= values.max()
        np.testing.assert_allclose(back[-2:], [values.min(), values.max()])
        assert (np.diff(back[:501]) >= -1e-12).all()
        if kind in ("few", "integers"):
            assert set(back) <= set(values)
    np.testing.assert_allclose(
        one.backward(one.forward(values)), values, atol=0.01 if kind == "many" else 1e-9
    )


def test_steps_have_the_shares_of_the_values():
    """A standard normal number comes back as each value as often as it was seen."""
    values = np.repeat([0.0, 1.0, 5.0], [50, 30, 20])
    one = Quantiles(values, np.ones(100))
    borders = ndtri([0.5, 0.8]) / one.scale
    for border, low, high in zip(borders, (0.0, 1.0), (1.0, 5.0), strict=True):
        ends = one.backward(border + np.array([-1e-9, 1e-9]))
        assert ends.tolist() == [low, high]


@pytest.mark.parametrize("kind", ["smooth", "many"])
@pytest.mark.parametrize("deviation", [0.05, 0.4, 1.0])
def test_mean_of_a_smooth_column_against_an_integral(kind, deviation):
    """By fine quadrature.

    15 nodes on a line with corners are off by some percent of the spread, the most
    where the corners are wide apart: beside the largest values of a long tail.
    """
    values = _values(kind)
    one = Quantiles(values, np.ones(len(values)))
    at = np.linspace(-1.5, 1.5, 7)
    fine = (np.arange(4000) + 0.5) / 4000
    expected = [one.backward(m + deviation * norm.ppf(fine)).mean() for m in at]
    ours = one.mean(at, np.full(7, deviation))
    np.testing.assert_allclose(ours, expected, atol=0.08 * values.std())


def test_weights_next_to_nothing_leave_scores_finite():
    """The share below the largest value is rounded to one."""
    weight = np.ones(60)
    values = np.random.default_rng(0).normal(size=60)
    values[5], weight[5] = 99.0, 1e-25
    values[6], weight[6] = -99.0, 1e-25
    one = Quantiles(values, weight)
    assert np.isfinite(one.forward(values)).all()
    assert np.isfinite(one.backward(np.array([-5.0, 0.0, 5.0, 9.0]))).all()


@pytest.mark.parametrize("kind", ["smooth", "integers"])
def test_weights_are_repeated_values(kind):
    """Two rows are a weight of two."""
    values = _values(kind, 80)
    times = np.random.default_rng(1).integers(1, 4, size=80)
    ours = Quantiles(values, times * 1.0)
    theirs = Quantiles(np.repeat(values, times), np.ones(times.sum()))
    np.testing.assert_array_equal(ours.knots, theirs.knots)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-12)
    np.testing.assert_allclose(ours.borders, theirs.borders, atol=1e-12)


def _skewed(seed=0, n=300):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3)) @ np.array([[1, 0.8, 0.5], [0, 0.6, 0.3], [0, 0, 0.8]])
    X = np.column_stack([np.exp(z[:, 0]), np.floor(3 * z[:, 1]), norm.cdf(z[:, 2])])
    X[rng.random(X.shape) < 0.25] = np.nan
    return X


@pytest.mark.parametrize("strategy", ["conditional_mean", "draw"])
def test_filled_values_stay_within_the_observed_range(strategy):
    """Of each column, and on observed values for integers."""
    X = _skewed()
    imputer = GaussianImputer(
        marginals="copula", strategy=strategy, add_indicator=False, random_state=0
    )
    filled = imputer.fit_transform(X)
    assert (filled >= np.nanmin(X, axis=0)).all()
    assert (filled <= np.nanmax(X, axis=0)).all()
    assert set(filled[:, 1]) <= set(X[:, 1])
    low, high = imputer.interval(X)
    assert (low >= np.nanmin(X, axis=0)).all()
    assert (high <= np.nanmax(X, axis=0)).all()
    assert (high >= low).all()


@pytest.mark.parametrize("strategy", ["conditional_mean", "draw"])
def test_monotone_transforms_of_columns_change_nothing_else(strategy):
    """The latent table has the same bits, so fills lie between the same neighbours."""
    X = _skewed()
    Y = np.column_stack([np.log(X[:, 0]), 5 * X[:, 1] - 2, X[:, 2] ** 3])
    settings = {"marginals": "copula", "add_indicator": False, "random_state": 0}
    ours = GaussianImputer(strategy="conditional_mean", **settings).fit(X)
    theirs = GaussianImputer(strategy="conditional_mean", **settings).fit(Y)
    np.testing.assert_array_equal(ours.mean_, theirs.mean_)
    np.testing.assert_array_equal(ours.covariance_, theirs.covariance_)
    if strategy == "conditional_mean":  # the medians of integers
        np.testing.assert_array_equal(
            5 * ours.transform(X)[:, 1] - 2, theirs.transform(Y)[:, 1]
        )
        return
    # Draws depend on the content of rows, so intervals stand for them.
    for one, other in zip(ours.interval(X, 0.5), theirs.interval(Y, 0.5), strict=True):
        for j in range(3):
            knots = [np.unique(Z[~np.isnan(Z[:, j]), j]) for Z in (X, Y)]
            places = [
                np.searchsorted(k, end[:, j], side="right")
                for k, end in zip(knots, (one, other), strict=True)
            ]
            # On a value itself rounding may fall to either side of it.
            assert np.abs(places[0] - places[1]).max() <= 1
            assert np.mean(places[0] == places[1]) > 0.95


@pytest.mark.slow
def test_conditional_means_are_means_of_draws():
    """Of smooth columns, over 1,000 draws a row.

    The mean of 1,000 numbers has a standard error of a 31st of their spread; four of
    these, and the quadrature is off by less than 0.08 of the spread.
    """
    X = _skewed(n=150)[:, [0, 2]]
    imputer = GaussianImputer(marginals="copula", add_indicator=False, random_state=0)
    imputer.fit(X)
    rows = X[np.isnan(X).any(axis=1)][:12]
    means = imputer.transform(rows)
    draws = np.array(imputer.sample(rows, 1000))
    slack = (4 / 31 + 0.08) * draws.std(axis=0)
    assert (np.abs(draws.mean(axis=0) - means) <= slack + 1e-12).all()
