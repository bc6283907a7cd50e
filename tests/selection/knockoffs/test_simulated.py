"""The false discovery rate of KnockoffSelector, by simulation."""

import numpy as np
import pytest
from scipy.linalg import toeplitz

from genestimators.selection.knockoffs._selector import KnockoffSelector

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators.selection.knockoffs._selector.NothingSelectedWarning"
)


def simulate(trials, *, p, n_true, size, classes=False, group_size=1, **settings):
    """Power, false discovery proportion and whether anything false was selected."""
    correlation = toeplitz(0.6 ** np.arange(p))
    root = np.linalg.cholesky(correlation).T
    found = []
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(200, p)) @ root
        # Groups of neighbours, one member of which matters.
        true = rng.choice(p // group_size, n_true, replace=False)
        score = X[:, true * group_size] @ rng.choice([-size, size], size=n_true)
        score += rng.logistic(size=200) if classes else rng.normal(size=200)
        labels = np.arange(p) // group_size
        selector = KnockoffSelector(
            alpha=0.2,
            n_copies=6,
            random_state=seed,
            covariance=correlation,
            feature_groups=labels if group_size > 1 else None,
            **settings,
        ).fit(X, score > 0 if classes else score)
        chosen = np.unique(labels[selector.get_support()])
        right = np.isin(chosen, true).sum()
        false = len(chosen) - right
        found.append((right / max(1, n_true), false / max(1, len(chosen)), false > 0))
    return np.array(found, dtype=float)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"p": 60, "n_true": 15, "size": 0.4},
        {"p": 60, "n_true": 15, "size": 0.4, "statistic": "ridge"},
        {"p": 60, "n_true": 15, "size": 1.5, "classes": True},
        {"p": 90, "n_true": 12, "size": 0.5, "group_size": 3},
        {"p": 60, "n_true": 15, "size": 0.4, "construction": "maximum_entropy"},
    ],
)
def test_false_discovery_rate_is_held(settings):
    """At most alpha of the selected are false on average, and much is found."""
    found = simulate(20, **settings)
    error = found[:, 1].std() / np.sqrt(len(found))
    # Two standard errors above the level.
    assert found[:, 1].mean() <= 0.2 + 2 * error
    # Far from the border: between 0.6 and 0.95 for all of these.
    assert found[:, 0].mean() >= 0.5


@pytest.mark.slow
@pytest.mark.parametrize("classes", [False, True])
def test_nothing_is_found_where_nothing_is(classes):
    """Under the global null any selection is a false discovery proportion of 1."""
    found = simulate(20, p=40, n_true=0, size=0.0, classes=classes)
    # At most 20 % of data sets; 20 coins of that probability reach 9 in 1 of 100.
    assert found[:, 2].sum() <= 8
