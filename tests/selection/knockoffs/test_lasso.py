"""The lasso of columns and copies: solutions, and the choice of the penalty."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression

from genestimators.selection.knockoffs._lasso import (
    LogisticLoss,
    SquaredLoss,
    chosen_lasso,
    lasso_at,
)


def _problem(seed, n=60, p=8, classes=False):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    A = np.asfortranarray((A - A.mean(axis=0)) / A.std(axis=0))
    score = A[:, : min(p, 3)].sum(axis=1) + rng.normal(size=n)
    if classes:
        return A, LogisticLoss((score > 0.5).astype(float))
    score -= score.mean()
    return A, SquaredLoss(score / score.std())


@pytest.mark.parametrize(("n", "p"), [(60, 8), (30, 50), (20, 1)])
@pytest.mark.parametrize("share", [0.9, 0.3, 0.1])
def test_squared_loss_equals_sklearn(n, p, share):
    """The coefficients are Lasso's, with and without products of all columns."""
    A, loss = _problem(0, n, p)
    penalty = share * np.abs(A.T @ loss.y).max() / n
    wanted = Lasso(alpha=penalty, tol=1e-12, max_iter=100_000).fit(A, loss.y).coef_
    for gram in (None, A.T @ A):
        found = lasso_at(A, loss, penalty, gram)
        # The solver stops at a duality gap of 1e-6 of the sum of squares.
        np.testing.assert_allclose(found, wanted, atol=2e-3)


def _logistic_lasso(C):
    """scikit-learn's, whose way to ask for it changed with version 1.8."""
    settings = {"C": C, "solver": "saga", "tol": 1e-9, "max_iter": 20_000}
    settings["random_state"] = 0
    if LogisticRegression().get_params()["penalty"] == "l2":
        return LogisticRegression(penalty="l1", **settings)
    return LogisticRegression(l1_ratio=1.0, **settings)


@pytest.mark.parametrize(("n", "p"), [(60, 8), (30, 50), (40, 1)])
@pytest.mark.parametrize("share", [0.9, 0.3, 0.1])
def test_logistic_loss_equals_sklearn(n, p, share):
    """The coefficients are those of a logistic regression with the same penalty."""
    A, loss = _problem(1, n, p, classes=True)
    penalty = share * np.abs(A.T @ (loss.y - loss.y.mean())).max() / n
    model = _logistic_lasso(1 / (n * penalty))
    wanted = model.fit(A, loss.y).coef_[0]
    # Newton steps stop at a gain of 1e-6 of the loss.
    np.testing.assert_allclose(lasso_at(A, loss, penalty), wanted, atol=5e-3)


def _slow_choice(A, loss, quadratic):
    """The criterion at each penalty, the search taken to its end."""
    n = len(A)
    slope = loss.y - loss.y.mean()
    penalty = np.abs(A.T @ slope).max() / n
    best, waited = None, 0
    for step in range(41):
        coef = lasso_at(A, loss, penalty * 0.85**step)
        eta = A @ coef
        if not quadratic:
            intercept = 0.0
            for _ in range(50):
                share = 1 / (1 + np.exp(-(eta + intercept)))
                intercept += (loss.y - share).sum() / (share * (1 - share)).sum()
            share = 1 / (1 + np.exp(-(eta + intercept)))
            fit = -2 * np.log(np.where(loss.y == 1, share, 1 - share)).sum()
        else:
            fit = n * np.log(np.mean((loss.y - eta) ** 2))
        size = 1 + (coef != 0).sum()
        if size >= n - 1:
            break
        criterion = fit + 2 * size * n / (n - size - 1)
        waited += 1
        if best is None or criterion < best[0]:
            best, waited = (criterion, penalty * 0.85**step, coef), 0
        if waited == 4:
            break
    return best[2], best[1]


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize(("n", "p"), [(60, 8), (30, 50)])
@pytest.mark.parametrize("seed", range(2))
def test_choice_equals_slow_search(classes, n, p, seed):
    """The penalty is the one with the least criterion, each solved from scratch."""
    A, loss = _problem(seed, n, p, classes)
    coef, penalty = chosen_lasso(A, loss)
    slow_coef, slow_penalty = _slow_choice(A, loss, not classes)
    np.testing.assert_allclose(penalty, slow_penalty)
    # Other warm starts, the same stops as above.
    np.testing.assert_allclose(coef, slow_coef, atol=5e-3)


@pytest.mark.parametrize("classes", [False, True])
def test_order_of_columns_does_not_matter(classes):
    """Permuted columns give permuted coefficients at the same penalty."""
    A, loss = _problem(5, 50, 20, classes)
    order = np.random.default_rng(0).permutation(20)
    coef, penalty = chosen_lasso(A, loss)
    other, other_penalty = chosen_lasso(np.asfortranarray(A[:, order]), loss)
    np.testing.assert_allclose(other_penalty, penalty)
    np.testing.assert_allclose(other, coef[order], atol=2e-3)


@pytest.mark.parametrize("classes", [False, True])
def test_columns_of_zeros_stay_zero(classes):
    """A constant column has no coefficient, alone or among others."""
    A, loss = _problem(0, 40, 4, classes)
    A[:, 2] = 0.0
    coef, _ = chosen_lasso(A, loss)
    assert coef[2] == 0
    assert (coef != 0).any()
    coef, penalty = chosen_lasso(np.zeros((40, 3)), loss)
    assert not coef.any()
    assert penalty == 0


@pytest.mark.parametrize("classes", [False, True])
def test_separated_and_exactly_fitted_responses(classes):
    """Coefficients stay finite where a model could fit without error."""
    A, _ = _problem(0, 30, 60)
    y = A[:, 0] * 3
    loss = LogisticLoss((y > 0).astype(float)) if classes else SquaredLoss(y - y.mean())
    coef, _ = chosen_lasso(A, loss)
    assert np.isfinite(coef).all()
    assert np.argmax(np.abs(coef)) == 0


def test_repeated_columns_share_a_coefficient():
    """However columns repeat each other, their coefficients add up to the same."""
    A, loss = _problem(3, 60, 5)
    both = np.asfortranarray(np.hstack([A, A[:, :1]]))
    penalty = 0.1
    alone, shared = lasso_at(A, loss, penalty), lasso_at(both, loss, penalty)
    np.testing.assert_allclose(shared[0] + shared[5], alone[0], atol=2e-3)
