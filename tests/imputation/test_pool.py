"""Pooling by Rubin's rules and over bootstrap replicates."""

import numpy as np
import pytest
from scipy.stats import t
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GaussianImputer,
    MultipleImputationClassifier,
    MultipleImputationRegressor,
    pool,
)


def _gappy(seed, n=200):
    """A regression whose second column goes missing by the target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    X[:, 1] = 0.6 * X[:, 0] + 0.8 * X[:, 1]
    y = 1 + X @ [1.0, -0.5] + rng.normal(size=n)
    X[rng.random(n) < 1 / (1 + np.exp(0.5 - y)), 1] = np.nan
    return X, y


@pytest.mark.parametrize("complete", [None, 30.0])
def test_rubins_rules_number_by_number(complete):
    """Against the formulas of Rubin (1987) and Barnard & Rubin (1999), in scalars."""
    rng = np.random.default_rng(0)
    estimates, variances = rng.normal(size=(6, 3)), rng.random((6, 3)) + 0.1
    found = pool(estimates, variances, complete_degrees_of_freedom=complete)
    for k in range(3):
        q, u = estimates[:, k].tolist(), variances[:, k].tolist()
        mean = sum(q) / 6
        b = sum((x - mean) ** 2 for x in q) / 5
        w = sum(u) / 6
        total = w + (1 + 1 / 6) * b
        share = (1 + 1 / 6) * b / total
        freedom = 5 / share**2
        if complete is not None:
            observed = (complete + 1) / (complete + 3) * complete * (1 - share)
            freedom = 1 / (1 / freedom + 1 / observed)
        reach = t.ppf(0.975, freedom) * total**0.5
        assert found.estimate[k] == pytest.approx(mean)
        assert found.std_error[k] == pytest.approx(total**0.5)
        assert found.degrees_of_freedom[k] == pytest.approx(freedom)
        assert found.missing_information[k] == pytest.approx(share)
        assert found.interval[k] == pytest.approx([mean - reach, mean + reach])


def test_replicates_number_by_number():
    """Against the components of von Hippel & Bartlett (2021), in scalars."""
    rng = np.random.default_rng(1)
    b, m = 7, 3
    values = rng.normal(size=(b, 1, 2)) + 0.3 * rng.normal(size=(b, m, 2))
    found = pool(values)
    for k in range(2):
        means = [sum(row) / m for row in values[:, :, k].tolist()]
        grand = sum(means) / b
        outer = m * sum((one - grand) ** 2 for one in means) / (b - 1)
        inner = sum(
            (value - mean) ** 2
            for row, mean in zip(values[:, :, k].tolist(), means, strict=True)
            for value in row
        ) / (b * (m - 1))
        total = (b + 1) / (b * m) * outer - inner / m
        assert found.std_error[k] ** 2 == pytest.approx(total)
        assert found.between[k] == pytest.approx((outer - inner) / m)
        assert found.within[k] == pytest.approx(inner)
        first, second = (b + 1) / (b * m) * outer, inner / m
        freedom = total**2 / (first**2 / (b - 1) + second**2 / (b * (m - 1)))
        assert found.degrees_of_freedom[k] == pytest.approx(max(freedom, 3))


def test_equal_estimates_have_no_error_between():
    """Nothing missing: the complete-data standard error, and no missing information."""
    found = pool([[2.0]] * 4, [[0.25]] * 4)
    assert found.std_error[0] == 0.5
    assert found.missing_information[0] == 0.0
    assert found.interval[0] == pytest.approx([2 - 0.5 * 1.959964, 2 + 0.5 * 1.959964])


def test_coefficients_of_a_bag():
    """They are the members' own, in the order of the names."""
    X, y = _gappy(0)
    bag = BootstrapBaggingRegressor(
        MultipleImputationRegressor(LinearRegression(), n_imputations=2),
        n_estimators=8,
        random_state=0,
    ).fit(X, y)
    found = pool(bag)
    own = [
        [[*model.coef_, model.intercept_] for model in member.estimators_]
        for member in bag.estimators_
    ]
    assert found.names == ["x0", "x1", "intercept"]
    np.testing.assert_allclose(found.estimate, np.mean(own, axis=(0, 1)))
    np.testing.assert_allclose(found.std_error, pool(own).std_error)
    assert "2 imputations in each of 8 replicates" in str(found)


def test_coefficients_of_classes():
    """One set for two classes, one a class for more."""
    X, y = _gappy(0)
    for labels, n_sets in ((y > 1, 1), (np.digitize(y, [0, 2]), 3)):
        bag = BootstrapBaggingClassifier(
            MultipleImputationClassifier(LogisticRegression(), n_imputations=2),
            n_estimators=3,
            random_state=0,
        ).fit(X, labels)
        assert len(pool(bag).names) == 3 * n_sets


@pytest.mark.parametrize(
    ("args", "settings", "message"),
    [
        (([[1.0]], [[1.0]]), {}, "of shape \\(n_imputations, n_parameters\\)"),
        (([[1.0], [2.0]],), {}, "n_replicates, n_imputations"),
        (([[[1.0]], [[2.0]]],), {}, "two replicates and two imputations"),
        (([[1.0], [2.0]], [[1.0], [-1.0]]), {}, "not negative"),
        (([[1.0], [2.0]], [[1.0, 1.0], [1.0, 1.0]]), {}, "one number"),
        (([[1.0], [np.nan]], [[1.0], [1.0]]), {}, "must be finite"),
        (([[1.0], [2.0]], [[1.0], [1.0]]), {"names": ["a", "b"]}, "one name for each"),
        (([[1.0], [2.0]], [[1.0], [1.0]]), {"confidence_level": 1.5}, "confidence_l"),
        (
            (np.zeros((2, 2, 1)),),
            {"complete_degrees_of_freedom": 3},
            "goes with `variances`",
        ),
    ],
)
def test_bad_input(args, settings, message):
    """Shapes and numbers that make no sense are named."""
    with pytest.raises(ValueError, match=message):
        pool(*args, **settings)


def test_bags_without_coefficients():
    """The members must be of multiple imputation, with linear estimators."""
    X, y = _gappy(0, 60)
    complete = GaussianImputer().fit_transform(X)
    with pytest.raises(TypeError, match="that have `coef_`"):
        pool(BootstrapBaggingRegressor(n_estimators=3).fit(complete, y))
    bag = BootstrapBaggingRegressor(
        MultipleImputationRegressor(KNeighborsRegressor(), n_imputations=2),
        n_estimators=3,
    )
    with pytest.raises(TypeError, match="that have `coef_`"):
        pool(bag.fit(X, y))


def _covers(seed):
    X, y = _gappy(seed)
    bag = BootstrapBaggingRegressor(
        MultipleImputationRegressor(LinearRegression(), n_imputations=2),
        n_estimators=30,
        random_state=seed,
    ).fit(X, y)
    found = pool(bag)
    truth = np.array([1.0, -0.5, 1.0])
    low, high = found.interval.T
    return (low <= truth) & (truth <= high), found.estimate - truth


@pytest.mark.slow
def test_intervals_cover_where_values_go_missing_by_the_target():
    """Complete rows alone, and draws that do not know the target, are biased here."""
    covered, errors = zip(*(_covers(seed) for seed in range(60)), strict=True)
    # 95 % of 60: a standard error of 2.8 points each, 1.8 for the mean of three that
    # are hardly correlated; three of them.
    assert np.mean(covered) > 0.895
    # Standard errors of the means are .013 to .018; without the target they are off by
    # .2 and .3.
    assert np.abs(np.mean(errors, axis=0)).max() < 0.055
