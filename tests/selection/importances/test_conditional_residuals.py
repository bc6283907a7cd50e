"""Residuals of every column given the others, against a regression for each."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from genestimators.selection.importances._conditional_residuals import (
    PENALTIES,
    coefficients_without,
    conditional_residuals,
    standardize,
)


def data(n, p, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + offset
    return X, rng.uniform(0.2, 3, size=n)


def slow_residuals(X, weight, labels, penalties):
    """A ridge regression for each unit and penalty, with its smoother matrix."""
    Z, deviations = standardize(X, weight)
    n = len(Z)
    share = np.full(n, 1 / n) if weight is None else weight / weight.sum()
    residuals, scale, chosen = np.zeros(X.shape), [], []
    for unit in range(labels.max() + 1):
        own = labels == unit
        tried = []
        for penalty in penalties:
            others = Z[:, ~own]
            gram = others.T @ (share[:, None] * others)
            inverse = np.linalg.inv(gram + penalty * np.eye(len(gram)))
            smoother = others @ inverse @ others.T * share + share
            left = Z[:, own] - smoother @ Z[:, own]
            kept = np.eye(n) - smoother
            error = np.sum(share[:, None] * left**2) / np.trace(kept) ** 2
            tried.append((error, penalty, left, np.sqrt(n / np.trace(kept @ kept))))
        _, penalty, left, factor = min(tried, key=lambda each: each[0])
        residuals[:, own] = left
        scale.append(factor)
        chosen.append(penalty)
    return residuals * deviations, np.array(scale), np.array(chosen)


LABELS = {
    "alone": np.arange(8),
    "groups": np.array([0, 1, 1, 2, 0, 3, 1, 2]),
    "all": np.zeros(8, dtype=int),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("n", [6, 8, 9, 30])
@pytest.mark.parametrize("weighted", [False, True])
def test_residuals_equal_a_regression_for_each_unit(n, labels, weighted):
    """One eigendecomposition does what a ridge regression for each unit does.

    The differences are rounding, which grows with one over the penalty: 1e-9 at 0.05.
    """
    for seed in range(3):
        X, weight = data(n, 8, seed)
        weight = weight if weighted else None
        found = conditional_residuals(
            X, sample_weight=weight, labels=labels, penalty=0.05
        )
        residuals, scale, _ = slow_residuals(X, weight, labels, [0.05])
        np.testing.assert_allclose(found.residuals, residuals, atol=1e-9)
        np.testing.assert_allclose(found.scale, scale, rtol=1e-9)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_penalties_are_those_of_cross_validation(labels, weighted):
    """Each unit takes the penalty that a search of its own would take."""
    for seed in range(3):
        X, weight = data(30, 8, seed)
        weight = weight if weighted else None
        found = conditional_residuals(X, sample_weight=weight, labels=labels)
        residuals, scale, chosen = slow_residuals(X, weight, labels, PENALTIES)
        if labels.any():  # with all columns in one unit any penalty is as good
            np.testing.assert_allclose(found.penalty, chosen)
        # The least penalties leave seven digits fewer to the slow inverse.
        np.testing.assert_allclose(found.residuals, residuals, atol=1e-6)
        np.testing.assert_allclose(found.scale, scale, rtol=1e-6)


def test_residuals_equal_those_of_ridge():
    """scikit-learn's Ridge on standardised columns leaves the same."""
    X, _ = data(40, 5)
    Z, deviations = standardize(X)
    found = conditional_residuals(X, penalty=0.3).residuals
    for column in range(5):
        others = np.delete(Z, column, axis=1)
        ridge = Ridge(alpha=0.3 * 40).fit(others, Z[:, column])
        left = (Z[:, column] - ridge.predict(others)) * deviations[column]
        np.testing.assert_allclose(found[:, column], left, atol=1e-12)


def test_whole_weights_are_repeated_rows():
    """At a given penalty a row of weight 3 leaves what three such rows leave."""
    X, _ = data(15, 4)
    counts = np.random.default_rng(0).integers(1, 4, size=15)
    weighted = conditional_residuals(X, sample_weight=1.0 * counts, penalty=0.1)
    repeated = conditional_residuals(np.repeat(X, counts, axis=0), penalty=0.1)
    np.testing.assert_allclose(
        np.repeat(weighted.residuals, counts, axis=0), repeated.residuals, atol=1e-12
    )


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_weights_count_by_their_ratios(factor):
    """Another unit of the weights changes nothing."""
    X, weight = data(20, 4)
    one = conditional_residuals(X, sample_weight=weight)
    two = conditional_residuals(X, sample_weight=factor * weight)
    np.testing.assert_allclose(one.residuals, two.residuals, atol=1e-12)


def test_units_of_columns_do_not_matter():
    """Residuals have the unit of their column, and offsets are taken out first."""
    X, _ = data(40, 5)
    plain = conditional_residuals(X)
    factors = np.array([1e-5, 1.0, 1e3, 7.0, -2.0])
    moved = conditional_residuals(factors * (X + 1e6))
    # Columns of mean 1e6 keep ten of their sixteen digits.
    np.testing.assert_allclose(moved.residuals / factors, plain.residuals, atol=1e-6)
    single = conditional_residuals(X.astype(np.float32))
    np.testing.assert_allclose(single.residuals, plain.residuals, atol=1e-5)


@pytest.mark.parametrize("n", [5, 40])
def test_constant_columns_leave_nothing_and_change_nothing(n):
    """A constant column has no residual, and is no help to the others."""
    X, _ = data(n, 6)
    plain = conditional_residuals(X, penalty=0.1)
    wider = conditional_residuals(np.insert(X, 2, 0.1, axis=1), penalty=0.1)
    assert not wider.residuals[:, 2].any()
    np.testing.assert_allclose(
        np.delete(wider.residuals, 2, axis=1), plain.residuals, atol=1e-10
    )


def test_copies_of_a_column_leave_nothing_alone_and_something_together():
    """The other copy tells all there is; in one unit they stand for themselves."""
    X, _ = data(50, 4)
    X = np.column_stack([X, X[:, 0]])
    alone = conditional_residuals(X)
    # At the least penalty, 1e-8, what is left is as little.
    assert np.abs(alone.calibrated(np.arange(5))[:, [0, 4]]).max() < 1e-6
    labels = np.array([0, 1, 2, 3, 0])
    together = conditional_residuals(X, labels=labels)
    np.testing.assert_allclose(
        together.residuals[:, 0], together.residuals[:, 4], atol=1e-6
    )
    without = conditional_residuals(X[:, :4])
    np.testing.assert_allclose(
        together.residuals[:, 0], without.residuals[:, 0], atol=1e-6
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (2, 3), (7, 1)])
def test_few_rows_and_few_columns(shape):
    """One row leaves nothing; one column leaves itself less its mean."""
    X, _ = data(*shape, offset=5.0)
    found = conditional_residuals(X)
    assert np.isfinite(found.residuals).all()
    assert np.isfinite(found.scale).all()
    if shape[0] == 1:
        assert not found.residuals.any()
    if shape[1] == 1:
        np.testing.assert_allclose(found.residuals, X - X.mean(axis=0), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "p", "bound"), [(500, 200, 0.2), (100, 50, 0.2), (100, 200, 0.5)]
)
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_calibrated_residuals_have_the_conditional_variance(n, p, bound, rho):
    """Neighbours correlated at rho: the variance given the others is known.

    Simulated means lie between 0.96 and 1.13 of it for p < n and below 1.4 for p = 2 n,
    where the ridge regression leaves some of what the others tell. Unscaled residuals
    have as little as 0.33 of it.
    """
    rng = np.random.default_rng(0)
    place = np.arange(p)
    covariance = rho ** np.abs(np.subtract.outer(place, place))
    factor = np.linalg.cholesky(covariance)
    truth = 1 / np.diag(np.linalg.inv(covariance))
    ratios = []
    for _ in range(4):
        found = conditional_residuals(rng.normal(size=(n, p)) @ factor.T)
        variance = np.mean(found.calibrated(place) ** 2, axis=0)
        ratios.append(np.mean(variance / truth))
    assert 1 - 0.1 < np.mean(ratios) < 1 + bound


@pytest.mark.parametrize("n", [12, 40])
@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("labels", [None, LABELS["groups"]])
def test_coefficients_without_a_unit_equal_refits(n, outputs, labels):
    """The closed form of leaving out a unit is a ridge regression without it."""
    X, weight = data(n, 8, offset=10.0)
    shape = n if outputs is None else (n, outputs)
    y = np.random.default_rng(1).normal(size=shape)
    ridge = Ridge(alpha=0.5).fit(X, y, sample_weight=weight)
    centred = X - np.average(X, axis=0, weights=weight)
    gram = centred.T @ (weight[:, None] * centred)
    precision = np.linalg.inv(gram + 0.5 * np.eye(8))
    found = coefficients_without(ridge.coef_, precision, labels)
    labels = np.arange(8) if labels is None else labels
    assert len(found) == labels.max() + 1
    for unit, coef in enumerate(found):
        kept = labels != unit
        refit = Ridge(alpha=0.5).fit(X[:, kept], y, sample_weight=weight)
        # Grams of correlated columns cost some six of sixteen digits.
        np.testing.assert_allclose(coef[..., kept], refit.coef_, atol=1e-8)
        assert not coef[..., ~kept].any()
