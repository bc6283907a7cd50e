"""Random numbers of rows: functions of their content, and really random."""

import numpy as np
import pytest
from scipy.stats import kstest

from genestimators.imputation._noise import RowNoise


def _table(n=40):
    table = np.random.default_rng(0).normal(size=(n, 3))
    table[::3, 1] = np.nan
    return table


def _columns(n, m=4):
    return np.repeat(np.arange(m)[:, None], n, axis=1)


def test_numbers_follow_rows_and_columns():
    """Whatever rows and columns are asked for beside them, in whatever order."""
    table = _table()
    whole = RowNoise(table, 3, 0).normals(np.arange(40), _columns(40))
    order = np.random.default_rng(1).permutation(40)
    again = RowNoise(table[order], 3, 0).normals(np.arange(40), _columns(40, 2))
    np.testing.assert_array_equal(again, whole[:2, order])
    one = RowNoise(table[[7]], 3, 0).normals(np.array([0]), np.array([[2]]))
    assert one[0, 0] == whole[2, 7]


def test_seeds_and_draws_give_other_numbers():
    """No number is shared between two seeds, two draws, two rows or two columns."""
    found = [
        RowNoise(_table(), seed, draw).uniforms(np.arange(40), _columns(40))
        for seed, draw in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    assert len(np.unique(found)) == 4 * 40 * 4


def test_equal_content_gives_equal_numbers():
    """-0.0 is 0.0, every NaN is alike, and copies of a row share their numbers."""
    payload = np.array([0x7FF8000000000123], dtype=np.uint64).view(np.float64)[0]
    table = np.array([[0.0, np.nan], [-0.0, payload], [0.0, -np.nan], [0.0, 1.0]])
    numbers = RowNoise(table, 0, 0).uniforms(np.arange(4), _columns(4))
    for row in (1, 2):
        np.testing.assert_array_equal(numbers[:, row], numbers[:, 0])
    assert not (numbers[:, 3] == numbers[:, 0]).any()
    near = RowNoise(np.nextafter(table, 9.0), 0, 0).uniforms(np.arange(4), _columns(4))
    assert not (near[:, 3] == numbers[:, 3]).any()


def test_numbers_are_within_the_open_interval():
    """So that no normal number is infinite."""
    numbers = RowNoise(_table(5000), 0, 0).uniforms(np.arange(5000), _columns(5000))
    assert numbers.min() > 0
    assert numbers.max() < 1


@pytest.mark.slow
def test_numbers_are_normal_and_independent():
    """Over 40,000: level 0.001 of a test of the law, five standard errors elsewhere."""
    table = np.arange(20_000.0)[:, None]
    a, b = RowNoise(table, 0, 0).normals(np.arange(20_000), _columns(20_000, 2))
    c = RowNoise(table, 0, 1).normals(np.arange(20_000), _columns(20_000, 1))[0]
    assert kstest(np.r_[a, b], "norm").pvalue > 0.001
    for one, other in ((a, b), (a, c), (a[1:], a[:-1])):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(20_000)
