"""Knockoff copies: the conditional distribution, and columns on one scale."""

import numpy as np
import pytest
from scipy.linalg import toeplitz
from sklearn.covariance import EmpiricalCovariance, LedoitWolf, ledoit_wolf

from genestimators.selection.knockoffs._construction import CONSTRUCTIONS, construct
from genestimators.selection.knockoffs._copies import draw_copy, plan_copies
from genestimators.selection.knockoffs._covariance import (
    SingularCovarianceWarning,
    standardize,
)


@pytest.mark.parametrize("method", CONSTRUCTIONS)
@pytest.mark.parametrize("labels", [None, np.array([0, 0, 1, 2, 1])])
def test_copies_have_the_conditional_distribution(method, labels):
    """Mean and variance are those of the joint normal distribution given the rows."""
    correlation = toeplitz(0.6 ** np.arange(5))
    S = construct(correlation, method, labels)
    Z = np.random.default_rng(0).normal(size=(7, 5))
    means, root = plan_copies(Z, correlation, S)
    regression = np.linalg.solve(correlation, correlation - S)
    np.testing.assert_allclose(means, Z @ regression, atol=1e-12)
    variance = correlation - (correlation - S) @ regression
    np.testing.assert_allclose(root.T @ root, variance, atol=1e-12)
    # So the joint distribution has the moments knockoffs are defined by.
    both = np.block([[correlation, correlation - S], [correlation - S, correlation]])
    assert np.linalg.eigvalsh(both)[0] > -1e-12


@pytest.mark.slow
def test_copies_are_exchangeable_with_their_columns():
    """Moments up to the fourth do not tell columns from copies, in any swap."""
    correlation = toeplitz(0.6 ** np.arange(3))
    S = construct(correlation)
    rng = np.random.default_rng(0)
    n = 200_000
    Z = rng.normal(size=(n, 3)) @ np.linalg.cholesky(correlation).T
    copy = draw_copy(*plan_copies(Z, correlation, S), 1)
    found = np.corrcoef(np.hstack([Z, copy]).T)
    wanted = np.block([[correlation, correlation - S], [correlation - S, correlation]])
    # Standard errors are at most 1 / sqrt(n) = 0.0022; five of them.
    np.testing.assert_allclose(found, wanted, atol=0.011)
    np.testing.assert_allclose(np.mean(copy**4, axis=0), 3, atol=5 * (96 / n) ** 0.5)


def test_copies_where_the_variance_touches_the_border():
    """S = 2 C in a direction leaves no variance there; the root is still one."""
    correlation = np.array([[1.0, 0.8], [0.8, 1.0]])
    S = 2 * np.linalg.eigvalsh(correlation)[0] * np.eye(2)
    _, root = plan_copies(np.zeros((3, 2)), correlation, S)
    wanted = 2 * S - S @ np.linalg.solve(correlation, S)
    assert np.linalg.eigvalsh(wanted)[0] < 1e-12
    np.testing.assert_allclose(root.T @ root, wanted, atol=1e-12)


def test_copies_repeat_with_their_seed():
    """The same seed, the same copy; another, another."""
    Z = np.random.default_rng(0).normal(size=(10, 3))
    plan = plan_copies(Z, np.eye(3), np.eye(3))
    np.testing.assert_array_equal(draw_copy(*plan, 5), draw_copy(*plan, 5))
    assert (draw_copy(*plan, 5) != draw_copy(*plan, 6)).all()


def _data(n=40, p=5, seed=0):
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-3, 4, size=p)
    return scale * (rng.normal(size=(n, p)) @ rng.normal(size=(p, p)))


@pytest.mark.parametrize("n", [12, 40])
@pytest.mark.parametrize("p", [1, 5, 30])
def test_covariances_by_name(n, p):
    """Empirical and Ledoit-Wolf, the latter of standardised columns."""
    X = _data(n, p)
    scale = X.std(axis=0)
    scaled = (X - X.mean(axis=0)) / scale
    _, correlation, used, constant = standardize(X, "ledoit_wolf")
    wanted = ledoit_wolf(scaled, assume_centered=True)[0]
    np.testing.assert_allclose(correlation, wanted, atol=1e-12)
    np.testing.assert_allclose(used, wanted * np.outer(scale, scale), rtol=1e-9)
    assert not constant.any()
    if n > p:
        Z, correlation, used, _ = standardize(X, "empirical")
        np.testing.assert_allclose(Z, scaled, atol=1e-12)
        np.testing.assert_allclose(correlation, np.atleast_2d(np.corrcoef(X.T)))
        np.testing.assert_allclose(used, np.atleast_2d(np.cov(X.T, bias=True)))


def test_known_covariance_sets_the_scale():
    """With an array the columns are divided by its deviations, not their own."""
    X = _data(p=3)
    known = np.diag([4.0, 9.0, 16.0])
    known[0, 1] = known[1, 0] = 3.0
    Z, correlation, used, _ = standardize(X, known)
    np.testing.assert_allclose(Z, (X - X.mean(axis=0)) / [2.0, 3.0, 4.0])
    np.testing.assert_allclose(correlation, [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(used, known)


def test_covariance_estimators_are_cloned():
    """The estimator given stays as it was; its fit is used."""
    X = _data()
    for estimator, name in (
        (LedoitWolf(assume_centered=True), "ledoit_wolf"),
        (EmpiricalCovariance(), "empirical"),
    ):
        found = standardize(X, estimator)
        for ours, theirs in zip(found, standardize(X, name), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-12)
        assert not hasattr(estimator, "covariance_")


@pytest.mark.parametrize("kind", ["ledoit_wolf", "empirical", "array"])
def test_constant_columns_stand_apart(kind):
    """A constant column is zero, independent, and changes nothing for the others."""
    X = _data(p=3)
    covariance = np.cov(X.T) if kind == "array" else kind
    wanted = standardize(X, covariance)
    # 0.1 has no exact mean in floating point.
    more = np.column_stack([X[:, :2], np.full(len(X), 0.1), X[:, 2]])
    if kind == "array":
        covariance = np.cov(more.T)
    Z, correlation, used, constant = standardize(more, covariance)
    others = [0, 1, 3]
    np.testing.assert_allclose(Z[:, others], wanted[0])
    np.testing.assert_allclose(correlation[np.ix_(others, others)], wanted[1])
    assert constant.tolist() == [False, False, True, False]
    assert not Z[:, 2].any()
    assert correlation[2].tolist() == [0, 0, 1, 0]
    assert not used[2].any()


def test_large_means_cost_no_digits():
    """A mean a million deviations away leaves the standardised columns as they are."""
    X = np.random.default_rng(0).normal(size=(50, 4))
    Z, correlation, _, _ = standardize(X)
    far, far_correlation, _, _ = standardize(X + 1e6)
    # X + 1e6 itself is rounded at 1e-10.
    np.testing.assert_allclose(far, Z, atol=1e-9)
    np.testing.assert_allclose(far_correlation, correlation, atol=1e-9)


@pytest.mark.parametrize("case", ["repeated", "more columns than rows"])
def test_singular_covariance_is_shrunk_and_said(case):
    """The correlation becomes positive definite, by as little as it takes."""
    X = _data(10, 30) if case != "repeated" else np.repeat(_data(p=3), 2, axis=1)
    with pytest.warns(SingularCovarianceWarning, match="shrunk towards its diagonal"):
        _, correlation, _, _ = standardize(X, "empirical")
    np.testing.assert_allclose(np.linalg.eigvalsh(correlation)[0], 1e-6, rtol=1e-3)
    np.testing.assert_allclose(correlation, np.corrcoef(X.T), atol=1e-5)
    S = construct(correlation)
    assert np.linalg.eigvalsh(2 * correlation - S)[0] > 0


class _NoCovariance:
    def get_params(self, deep=False):
        return {}

    def fit(self, X):
        return self


@pytest.mark.parametrize(
    ("covariance", "error", "words"),
    [
        (np.eye(2), ValueError, r"must have shape \(3, 3\), .* Got shape \(2, 2\)"),
        ([["a"] * 3] * 3, TypeError, "must hold numbers"),
        (np.diag([1, 1, np.nan]), ValueError, "finite numbers. Got NaN"),
        (np.triu(np.ones((3, 3))), ValueError, "must be symmetric. Got an entry"),
        (np.diag([1.0, 0.0, 1.0]), ValueError, "positive variance. Got 0.0 for col"),
        (1.5 - 0.5 * np.eye(3), ValueError, "negative eigenvalues. Got -0.5"),
        (_NoCovariance(), ValueError, "Got _NoCovariance with one of shape None"),
    ],
)
def test_covariances_are_checked(covariance, error, words):
    """One sentence with the rule and what was got."""
    with pytest.raises(error, match=words):
        standardize(_data(p=3), covariance)
