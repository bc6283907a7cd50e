"""Aggregates without each unit against loops that leave members out one by one."""

import numpy as np
import pytest

from genestimators.bagging import _left_out
from genestimators.bagging._aggregate import median_answer, trimmed_answer
from genestimators.bagging._left_out import left_out_aggregates


def slow_aggregates(answers, left_out, aggregate):
    """One unit at a time, with the functions that the bag itself uses."""
    combine = {"median": median_answer, "trimmed": trimmed_answer}.get(aggregate)
    out = np.empty((answers.shape[1], len(left_out)))
    for i, members in enumerate(left_out):
        if not members.any():
            out[:, i] = answers[0]
        elif combine is None:
            out[:, i] = answers[members].mean(axis=0)
        else:
            out[:, i] = combine(answers[members][:, :, None])[:, 0]
    return out


def case(seed, n_members=13, n_rows=7, n_units=40):
    """Answers with ties, and units of all numbers of members, none among them."""
    rng = np.random.default_rng(seed)
    answers = rng.normal(size=(n_members, n_rows)).round(1)
    left_out = rng.uniform(size=(n_units, n_members)) < rng.uniform(size=(n_units, 1))
    left_out[:3] = False
    left_out[0, 4] = left_out[2] = True
    return answers, left_out


@pytest.mark.parametrize("aggregate", ["mean", "vote", "logit", "median", "trimmed"])
@pytest.mark.parametrize("seed", range(4))
def test_aggregates_equal_a_slow_loop(aggregate, seed):
    """The product of matrices, and the sorted answers, leave out what a loop does."""
    answers, left_out = case(seed)
    np.testing.assert_allclose(
        left_out_aggregates(answers, left_out, aggregate),
        slow_aggregates(answers, left_out, aggregate),
        atol=1e-14,
    )


@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed"])
def test_one_member_one_row_and_one_unit(aggregate):
    """The smallest case is that member's answer."""
    out = left_out_aggregates(np.array([[2.5]]), np.array([[True]]), aggregate)
    np.testing.assert_array_equal(out, [[2.5]])


@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed"])
def test_members_that_agree_give_what_they_agree_on(aggregate):
    """No rounding moves a constant, which a sum of 0.1 would."""
    _, left_out = case(0)
    out = left_out_aggregates(np.full((13, 2), 0.1), left_out, aggregate)
    np.testing.assert_array_equal(out, 0.1)


def test_digits_are_kept_beside_a_large_offset():
    """Answers around 1e9 lose no more digits than they have."""
    answers, left_out = case(1)
    answers = answers / 8  # eighths added to 1e9 are exact
    out = left_out_aggregates(answers + 1e9, left_out, "mean") - 1e9
    np.testing.assert_allclose(
        out, slow_aggregates(answers, left_out, "mean"), atol=3e-7
    )


def test_units_in_parts_equal_units_at_once(monkeypatch):
    """Where all units would take too much memory they come in parts."""
    answers, left_out = case(2)
    whole = left_out_aggregates(answers, left_out, "mean")
    monkeypatch.setattr(_left_out, "_UNITS", 7)
    np.testing.assert_allclose(
        left_out_aggregates(answers, left_out, "mean"), whole, atol=1e-15
    )
