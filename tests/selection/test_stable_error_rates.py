"""Simulations: how often selectors that control errors select what is only noise."""

import numpy as np
import pytest

from genestimators.selection._stable_selector import StableFeatureSelector

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::genestimators._exceptions.NothingSelectedWarning"
    ),
]

BOUNDS = ("pfer", "pfer_unimodal", "pfer_r_concave", "pfer_integrated")


def noise(seed, n=100, p=20, classes=False):
    """Correlated columns and a target that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 1:] += X[:, :-1]
    y = rng.normal(size=n)
    return X, (y > 0.5).astype(int) if classes else y


def n_found(X, y, seed, **params):
    settings = {"min_features_to_select": 0, "random_state": seed, **params}
    return StableFeatureSelector(**settings).fit(X, y).n_features_significant_


@pytest.mark.parametrize(
    ("importance", "classes", "n_sets", "least", "most"),
    [
        ("elimination", False, 100, 3, 17),
        ("elimination", True, 30, 0, 7),
        ("conditional", False, 30, 0, 7),
    ],
)
def test_false_discoveries_under_the_global_null(
    importance, classes, n_sets, least, most
):
    """At alpha = 0.1 about one data set in ten has anything selected."""
    settings = {"importance": importance, "criterion": "fdr", "n_resamples": 3}
    found = sum(
        n_found(*noise(seed, classes=classes), seed, **settings) > 0
        for seed in range(n_sets)
    )
    # Of a binomial number at a rate of 0.1: more than 17 of 100, or more than 7 of 30,
    # has a probability of 0.01. The rate is exact, not merely an upper bound: fewer
    # than 3 of 100 has one of 0.002.
    assert least <= found <= most


def test_expected_false_positives_under_the_global_null():
    """On noise the mean number of features selected is below alpha, by every bound."""
    alpha, found = 1.0, {name: [] for name in BOUNDS}
    for seed in range(40):
        step = StableFeatureSelector(
            min_features_to_select=0, random_state=seed, n_resamples=25
        ).fit(*noise(seed))
        for name in BOUNDS:
            step.set_params(criterion=name, alpha=alpha)
            found[name].append(step.n_features_significant_)
    for name in BOUNDS:
        # The bounds are far from sharp, so chance needs no room.
        assert np.mean(found[name]) < alpha, name


def test_power_beside_noise():
    """Clear features are found at the same settings."""
    found = []
    for seed in range(10):
        X, y = noise(seed)
        y = y + X[:, [0, 10]].sum(axis=1)
        found.append(n_found(X, y, seed, criterion="fdr", n_resamples=10))
    assert np.mean(found) >= 1.8
