"""The EM fit: against a direct maximiser, closed forms, and slow sums over rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.covariance import empirical_covariance

from genestimators.imputation.normal._em import fit_normal
from genestimators.imputation.normal._expectation import IncompleteRows
from genestimators.imputation.normal._law import fit_law
from tests.imputation.normal.toys import (
    covariance_of,
    log_likelihood_of,
    normal_table,
    penalty_of,
)


def _fit(table, weight=None, penalty=0.0, **settings):
    weight = np.ones(len(table)) if weight is None else weight
    p = table.shape[1]
    settings = {"max_iter": 5000, "tol": 1e-10} | settings
    rows = IncompleteRows(table, weight)
    return fit_normal(rows, penalty, (np.zeros(p), np.eye(p)), **settings)


def _direct(table, weight, penalty):
    """Maximise over the mean and a Cholesky factor, by a general optimiser."""
    p = table.shape[1]
    lower = np.tril_indices(p)

    def parts(vector):
        root = np.zeros((p, p))
        root[lower] = vector[p:]
        return vector[:p], root @ root.T

    def loss(vector):
        mean, covariance = parts(vector)
        try:
            gain = log_likelihood_of(table, weight, mean, covariance)
        except (np.linalg.LinAlgError, ValueError):
            return 1e10
        return penalty_of(covariance, penalty) - gain

    start = np.concatenate([np.zeros(p), np.eye(p)[lower]])
    found = minimize(loss, start, method="BFGS", options={"gtol": 1e-4})
    return *parts(found.x), -found.fun


@pytest.mark.parametrize(("seed", "penalty"), [(0, 0.0), (1, 4.0)])
def test_fit_is_where_a_general_optimiser_ends(seed, penalty):
    """At three columns, weighted; differences of 1e-4 are the optimiser's."""
    table = normal_table(seed, n=25)
    weight = np.random.default_rng(seed).uniform(0.5, 2.0, size=25)
    fit = _fit(table, weight, penalty)
    mean, covariance, value = _direct(table, weight, penalty)
    assert fit.converged
    np.testing.assert_allclose(fit.mean, mean, atol=2e-4)
    np.testing.assert_allclose(fit.covariance, covariance, atol=5e-4)
    np.testing.assert_allclose(fit.objective[-1], value, atol=1e-5)
    assert fit.objective[-1] >= value - 1e-7


@pytest.mark.parametrize("penalty", [0.0, 3.0])
def test_complete_rows_have_a_closed_form(penalty):
    """The covariance about the mean, and the identity for as many rows."""
    table = normal_table(0, n=50, p=4, share=0.0)
    fit = _fit(table, penalty=penalty)
    empirical = empirical_covariance(table)
    expected = (50 * empirical + penalty * np.eye(4)) / (50 + penalty)
    np.testing.assert_allclose(fit.mean, table.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(fit.covariance, expected, atol=1e-12)
    np.testing.assert_allclose(fit.scatter, 50 * empirical, atol=1e-10)


@pytest.mark.parametrize("penalty", [0.0, 2.5])
def test_objective_is_the_sum_over_rows(penalty):
    """The value told at the start of an iteration, at the first and at the last."""
    table = normal_table(3, n=30, p=4, n_empty=2)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=30)
    covariance = covariance_of(1, 4)
    start = np.full(4, 0.1), covariance
    rows = IncompleteRows(table, weight)
    one = fit_normal(rows, penalty, start, max_iter=1, tol=0.0)
    expected = log_likelihood_of(table, weight, *start) - penalty_of(
        covariance, penalty
    )
    np.testing.assert_allclose(one.objective, [expected], rtol=1e-11)
    long = _fit(table, weight, penalty)
    last = log_likelihood_of(table, weight, long.mean, long.covariance)
    last -= penalty_of(long.covariance, penalty)
    np.testing.assert_allclose(long.objective[-1], last, rtol=1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(3, 40),
    p=st.integers(1, 7),
    share=st.floats(0.0, 0.8),
    penalty=st.floats(0.05, 20.0),
    n_empty=st.integers(0, 2),
)
def test_objective_never_falls(seed, n, p, share, penalty, n_empty):
    """Foreseen points are taken only where they raise it; rounding apart.

    Penalties from a twentieth of a row on keep it bounded, whatever the gaps.
    """
    table = normal_table(seed, n=n, p=p, share=share, n_empty=n_empty)
    weight = np.random.default_rng(seed).uniform(0.1, 3.0, size=n)
    fit = _fit(table, weight, penalty, max_iter=60, tol=1e-7)
    slack = 1e-9 * (1 + np.abs(fit.objective).max())
    assert np.isfinite(fit.objective).all()
    assert (np.diff(fit.objective) >= -slack).all()
    assert np.linalg.eigvalsh(fit.covariance).min() > 0


@pytest.mark.parametrize("settings", [{"shrinkage": 0.0}, {"shrinkage": "auto"}])
@pytest.mark.parametrize("n_factors", [None, 2])
def test_weights_are_repeated_rows(settings, n_factors):
    """Weights of 1, 2 and 3 are as many rows, up to the order of sums."""
    table = normal_table(4, n=60, p=5, share=0.2)
    weight = np.random.default_rng(0).integers(1, 4, size=60)
    common = settings | {"n_factors": n_factors, "max_iter": 300, "tol": 1e-8}
    ours = fit_law(table, weight.astype(float), **common)
    again = np.repeat(table, weight, axis=0)
    theirs = fit_law(again, np.ones(len(again)), **common)
    np.testing.assert_allclose(ours.shrinkage, theirs.shrinkage, rtol=1e-6)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-6)
    np.testing.assert_allclose(ours.covariance, theirs.covariance, atol=1e-6)
    np.testing.assert_allclose(
        ours.log_likelihood[-1], theirs.log_likelihood[-1], rtol=1e-9
    )


@pytest.mark.parametrize("n_factors", [None, 2])
def test_order_of_rows_does_not_matter(n_factors):
    """But for the order in which sums are rounded."""
    table = normal_table(5, n=60, p=5, share=0.3)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=60)
    order = np.random.default_rng(1).permutation(60)
    common = {"shrinkage": "auto", "n_factors": n_factors, "max_iter": 300, "tol": 1e-8}
    ours = fit_law(table, weight, **common)
    theirs = fit_law(table[order], weight[order], **common)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-6)
    np.testing.assert_allclose(ours.covariance, theirs.covariance, atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.0, 0.2, "auto"])
def test_law_maximises_at_the_shrinkage_it_reports(shrinkage):
    """The step of EM, written slowly from the law, returns the law."""
    table = normal_table(6, n=40, p=4, share=0.3)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=40)
    law = fit_law(
        table, weight, shrinkage=shrinkage, n_factors=None, max_iter=2000, tol=1e-10
    )
    if shrinkage != "auto":
        np.testing.assert_allclose(law.shrinkage, max(shrinkage, 1e-8), rtol=1e-6)
    tells = ~np.isnan(table).all(axis=1)  # shrinkage is a share of the rows that do
    rows = IncompleteRows(table[tells], weight[tells])
    sums = rows.expect(law.mean, law.covariance)
    np.testing.assert_allclose(sums.first, 0.0, atol=1e-6)
    own = sums.second / sums.weight
    expected = (1 - law.shrinkage) * own + law.shrinkage * np.eye(4)
    np.testing.assert_allclose(law.covariance, expected, atol=1e-7)


def test_most_iterations_are_kept_to():
    """And the fit says that it did not converge."""
    table = normal_table(7, n=40, p=4, share=0.5)
    fit = _fit(table, max_iter=3, tol=0.0)
    assert len(fit.objective) == 3
    assert not fit.converged
    law = fit_law(
        table, np.ones(40), shrinkage=0.1, n_factors=None, max_iter=3, tol=0.0
    )
    assert (law.n_iter, law.converged) == (3, False)


def test_steps_foreseen_reach_the_fit_of_plain_steps_sooner():
    """The same law as by EM steps alone, in fewer of them."""
    table = normal_table(8, n=60, p=4, share=0.6)
    fit = _fit(table, penalty=1.0, tol=1e-9)
    rows = IncompleteRows(table, np.ones(60))
    point, n_plain = (np.zeros(4), np.eye(4)), 0
    while True:
        step = fit_normal(rows, 1.0, point, max_iter=1, tol=0.0)
        n_plain += 1
        change = max(
            np.abs(step.mean - point[0]).max(), np.abs(step.covariance - point[1]).max()
        )
        point = step.mean, step.covariance
        if change <= 1e-9:
            break
    np.testing.assert_allclose(fit.mean, point[0], atol=1e-7)
    np.testing.assert_allclose(fit.covariance, point[1], atol=1e-7)
    assert len(fit.objective) < n_plain
