"""Figures of imputed values against plain loops."""

import numpy as np
import pytest
from scipy import stats

from genestimators import GaussianImputer, imputation_report
from genestimators.imputation.report._figures import (
    Answers,
    figures_of_levels,
    figures_of_numbers,
    largest_gap,
)
from genestimators.imputation.report._masked import ask
from genestimators.imputation.report._table import make_table
from genestimators.resampling._hashing import derive
from tests.imputation.report.toys import table_of

SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mechanism", ["mcar", "pattern"])
@pytest.mark.parametrize("weighted", [False, True])
def test_figures_equal_plain_loops(seed, mechanism, weighted):
    """RMSE, its ratio, bias and coverage of every column, entry by entry."""
    X = table_of(seed) * [1.0, 10.0, 0.1, 1.0] + [0.0, 5.0, 1e6, -3.0]
    n_rows = len(X)
    weight = np.random.default_rng(seed).integers(1, 4, n_rows) if weighted else None
    report = imputation_report(
        GaussianImputer(), X, n_repeats=3, mechanism=mechanism, sample_weight=weight,
        random_state=seed,
    )  # fmt: skip
    w = np.ones(n_rows) if weight is None else weight.astype(float)
    table = make_table("test", X, None if weight is None else w)
    found = []

    def keep(**task):
        found.append(ask(**task))

    base = int(np.random.RandomState(seed).randint(2**31 - 1))
    for number in range(3):
        keep(
            imputer=GaussianImputer(), table=table, mechanism=mechanism, share=0.1,
            seed=derive(base, "masking", mechanism, number), level=0.9, note="",
        )  # fmt: skip
    for j in range(4):
        own = plain = bias = total = held = 0.0
        parts = {}
        for answers in found:
            one = answers[j]
            masked = np.zeros(n_rows, dtype=bool)
            masked[one.rows] = True
            left = ~np.isnan(X[:, j]) & ~masked
            mean = sum(w[left] * X[left, j]) / sum(w[left])
            for k, i in enumerate(one.rows):
                assert one.true[k] == X[i, j]
                errors = (one.guess[k] - X[i, j]) ** 2, (mean - X[i, j]) ** 2
                own += w[i] * errors[0]
                plain += w[i] * errors[1]
                bias += w[i] * (one.guess[k] - X[i, j])
                total += w[i]
                held += w[i] * (one.low[k] <= X[i, j] <= one.high[k])
                parts.setdefault(i, []).append(errors)
        row = report.numbers
        assert row["rmse"][j] == pytest.approx((own / total) ** 0.5)
        assert row["rmse_mean"][j] == pytest.approx((plain / total) ** 0.5)
        assert row["ratio"][j] == pytest.approx((own / plain) ** 0.5)
        assert row["bias"][j] == pytest.approx(bias / total, abs=1e-9)
        assert row["coverage"][j] == pytest.approx(held / total)
        n = sum(w[i] for i in parts)
        square = sum(
            w[i] * sum(0.5 * (a / own - b / plain) for a, b in errors) ** 2
            for i, errors in parts.items()
        )
        reach = stats.t.ppf(0.95, n - 1) * (square * n / (n - 1)) ** 0.5
        ends = row["ratio_low"][j], row["ratio_high"][j]
        assert np.log(row["ratio"][j] / ends[0]) == pytest.approx(reach)
        assert np.log(ends[1] / row["ratio"][j]) == pytest.approx(reach)


@pytest.mark.parametrize("seed", SEEDS)
def test_distance_is_the_kolmogorov_smirnov_statistic(seed):
    """As scipy has it, ties and all; a weight of two is a value twice."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 15, 80).astype(float)
    second = rng.normal(7, 5, 80).round()
    weight = rng.integers(1, 4, 80)
    assert largest_gap(first, second, np.ones(80)) == pytest.approx(
        stats.ks_2samp(first, second).statistic
    )
    assert largest_gap(first, second, weight) == pytest.approx(
        stats.ks_2samp(np.repeat(first, weight), np.repeat(second, weight)).statistic
    )


def test_figures_of_levels_are_shares():
    """Right, right by the most frequent one, new, and the change of shares."""
    weight = np.array([1.0, 1.0, 2.0, 1.0, 1.0])
    nothing = np.full(3, np.nan)

    def answers(true, guess, rows):
        return Answers(
            true=np.array(true, dtype=object), guess=np.array(guess, dtype=object),
            rows=np.array(rows), plain="a", known={"a", "b"}, low=nothing, high=nothing,
        )  # fmt: skip

    repeats = [
        answers(["a", "b", "b"], ["a", "b", "a"], [0, 1, 2]),
        answers(["a", "b"], ["new", "b"], [3, 4]),
    ]
    figures, errors = figures_of_levels(repeats, weight, 0.9)
    assert figures["n_masked"] == 5
    assert figures["share_right"] == pytest.approx(3 / 6)
    assert figures["share_most_frequent"] == pytest.approx(2 / 6)
    assert figures["ratio"] == pytest.approx(3 / 4)
    assert figures["share_new"] == pytest.approx(1 / 6)
    # Shares of a, b, new: 2, 4, 0 of six before and 3, 2, 1 after.
    assert figures["distance"] == pytest.approx((1 + 2 + 1) / 2 / 6)
    assert errors.masked.tolist() == [1, 1, 2, 1, 1]


def test_a_column_that_was_filled_perfectly_has_a_ratio_of_zero():
    """And no interval; one that does not vary has no ratio."""
    values = np.arange(3.0)
    nothing = np.full(3, np.nan)
    told = {"rows": np.arange(3), "known": None, "low": nothing, "high": nothing}
    one = Answers(true=values, guess=values, plain=1.0, **told)
    figures, _, _ = figures_of_numbers([one], np.ones(3), 0.9)
    assert figures["ratio"] == 0
    assert np.isnan(figures["ratio_low"])
    one = Answers(true=np.ones(3), guess=np.ones(3), plain=1.0, **told)
    figures, _, _ = figures_of_numbers([one], np.ones(3), 0.9)
    assert np.isnan(figures["ratio"])
    assert np.isnan(figures["spread_ratio"])
