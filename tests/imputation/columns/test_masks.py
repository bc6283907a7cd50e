"""Which columns get a mask."""

import numpy as np
import pytest

from genestimators import GaussianImputer
from genestimators.imputation.columns._masks import masked_columns

MISSING = np.array(
    [
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 1, 1, 0, 1],
    ],
    dtype=bool,
)


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
    assert masked_columns(MISSING, add_indicator, excluded).tolist() == expected


def test_nothing_missing_gives_no_masks():
    """Neither with all, nor without rows of gaps."""
    for setting in (True, "auto", False):
        assert masked_columns(np.zeros((4, 3), dtype=bool), setting).tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_patterns_of_many_rows_against_a_loop(seed):
    """Columns with equal bits over 100 rows have one mask, that of the first."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((100, 4)) < 0.3
    missing = patterns[:, rng.integers(4, size=9)]
    expected = [
        j
        for j in range(9)
        if missing[:, j].any()
        and not any((missing[:, i] == missing[:, j]).all() for i in range(j))
    ]
    assert masked_columns(missing, "auto").tolist() == expected


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
