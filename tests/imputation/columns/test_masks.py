"""Which columns get a mask."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from genestimators import GaussianImputer
from genestimators.imputation.columns._masks import dependence_p_values, masked_columns

MISSING = np.array(
    [
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 1, 1, 0, 1],
    ],
    dtype=bool,
)


def _nothing(n_rows):
    """A latent table that tells nothing, and weights of one."""
    return np.zeros((n_rows, 2)), np.ones(n_rows)


@pytest.mark.parametrize(
    ("add_indicator", "excluded", "expected"),
    [
        (False, (), []),
        (True, (), [1, 2, 3, 4]),
        ("auto", (), [1, 3, 4]),
        ("auto", (1,), [2, 3, 4]),
        (True, (1, 4), [2, 3]),
        ("auto", (1, 2, 3, 4), []),
    ],
)
def test_masked_columns(add_indicator, excluded, expected):
    """All that miss something; "auto" one of those that miss together."""
    # As many rows as it takes for masks to be cheap.
    missing = np.repeat(MISSING, 50, axis=0)
    found = masked_columns(missing, add_indicator, *_nothing(150), excluded)
    assert found.tolist() == expected


def test_nothing_missing_gives_no_masks():
    """Neither with all, nor without rows of gaps."""
    for setting in (True, "auto", False):
        found = masked_columns(np.zeros((4, 3), dtype=bool), setting, *_nothing(4))
        assert found.tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_patterns_of_many_rows_against_a_loop(seed):
    """Columns with equal bits over 200 rows have one mask, that of the first."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((200, 4)) < 0.3
    missing = patterns[:, rng.integers(4, size=9)]
    expected = [
        j
        for j in range(9)
        if missing[:, j].any()
        and not any((missing[:, i] == missing[:, j]).all() for i in range(j))
    ]
    assert masked_columns(missing, "auto", *_nothing(200)).tolist() == expected


def test_masks_are_decided_in_fit():
    """A column that misses values only later gets none; one that had them keeps it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    X[:5, 1] = np.nan
    imputer = GaussianImputer().fit(X)
    out = imputer.transform([[np.nan, 1.0, 2.0], [1.0, np.nan, np.nan]])
    assert out.shape == (2, 4)
    assert out[:, 3].tolist() == [0.0, 1.0]
    assert imputer.get_feature_names_out().tolist() == [
        "x0",
        "x1",
        "x2",
        "missingindicator_x1",
    ]


def test_rows_without_weight_decide_nothing():
    """A mask is not owed to a row that counts for nothing."""
    X = np.random.default_rng(0).normal(size=(10, 2))
    X[0, 0] = np.nan
    weight = np.r_[0.0, np.ones(9)]
    assert GaussianImputer().fit(X, sample_weight=weight).indicator_features_.size == 0


@pytest.mark.parametrize("seed", range(3))
def test_dependence_against_t_tests_one_by_one(seed):
    """The least p-value of scipy's t tests, times their number; weights are rows."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(40, 4))
    latent[rng.random(latent.shape) < 0.2] = np.nan
    latent[:, 3] = 0.0  # tells nothing
    missing = rng.random((40, 3)) < 0.3
    missing[:, 2] = False
    missing[0, 2] = True  # one row against all others
    weight = rng.integers(1, 4, size=40)
    rows = np.repeat(np.arange(40), weight)
    expected = []
    for mask in missing[rows].T:
        p_values = []
        for column in latent[rows, :3].T:
            seen = ~np.isnan(column)
            one, other = column[mask & seen], column[~mask & seen]
            if len(one) and len(other):
                p_values.append(ttest_ind(one, other).pvalue)
        expected.append(min(1.0, min(p_values, default=1.0) * len(p_values)))
    found = dependence_p_values(missing, latent, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_few_rows_have_masks_only_where_missingness_tells_something():
    """A column missing where another is large gets one, one at random none."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    X[X[:, 0] > 0.5, 1] = np.nan
    X[rng.random(40) < 0.3, 2] = np.nan
    assert GaussianImputer().fit(X).indicator_features_.tolist() == [1]
    more = np.concatenate([X, rng.normal(size=(40, 4))])
    assert GaussianImputer().fit(more).indicator_features_.tolist() == [1, 2]
    every = GaussianImputer(add_indicator=True).fit(X)
    assert every.indicator_features_.tolist() == [1, 2]


@pytest.mark.slow
def test_masks_of_chance_are_few():
    """Of columns missing completely at random about one in twenty or less has one."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        latent = rng.normal(size=(60, 6))
        missing = rng.random((60, 6)) < 0.25
        latent[missing] = np.nan
        found.append(dependence_p_values(missing, latent, np.ones(60)) < 0.05)
    # 2,400 tests that hardly depend on each other: .05 with a standard error of .0045,
    # four of them; Bonferroni's correction is a little strict.
    assert 0.03 < np.mean(found) < 0.068
