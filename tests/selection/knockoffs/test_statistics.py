"""Statistics of units: what makes importances, and fairness to columns and copies."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.selection.knockoffs._copies import draw_copy, plan_copies
from genestimators.selection.knockoffs._lasso import LogisticLoss, SquaredLoss
from genestimators.selection.knockoffs._statistics import (
    CallableImportance,
    EstimatorImportance,
    copy_statistics,
    importance_of,
    lasso_importance,
    losses_of,
    ridge_importance,
)


def _data(seed=0, n=50, p=6):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, p))
    return Z, Z[:, 0] - 2 * Z[:, 1] + rng.normal(size=n)


def _correlations_with_y(A, y):
    return np.abs(np.corrcoef(A.T, y)[-1, :-1])


def test_statistics_equal_slow_version():
    """Each column against its own copy, summed within units."""
    Z, y = _data()
    means, root = plan_copies(Z, np.eye(6), 0.8 * np.eye(6))
    labels = np.array([0, 1, 0, 2, 1, 2])
    importance = CallableImportance(_correlations_with_y)
    found = copy_statistics(Z, means, root, y, importance, labels, 7)
    copy = draw_copy(means, root, 7)
    own, other = _correlations_with_y(Z, y), _correlations_with_y(copy, y)
    wanted = [(own - other)[labels == unit].sum() for unit in range(3)]
    np.testing.assert_allclose(found, wanted)


def test_importances_get_no_hint_which_column_is_the_copy():
    """An importance that likes the first of a pair likes columns and copies alike."""
    Z, y = _data(p=400)
    means, root = plan_copies(Z, np.eye(400), np.eye(400))
    places = CallableImportance(lambda A, y: np.repeat([1.0, 0.0], 400))
    found = copy_statistics(Z, means, root, y, places, np.arange(400), 0)
    assert set(found.tolist()) == {-1.0, 1.0}
    # A sum of 400 coins has a standard deviation of 20; four of them.
    assert abs(found.sum()) <= 80


@pytest.mark.parametrize("function", [lasso_importance, ridge_importance])
@pytest.mark.parametrize("classes", [False, True])
def test_importances_move_with_the_columns(function, classes):
    """Swapped columns have swapped importances: nothing is read off the order."""
    Z, y = _data(n=40, p=10)
    losses = losses_of(y > 0 if classes else y, classes)
    order = np.random.default_rng(0).permutation(10)
    Z = np.asfortranarray((Z - Z.mean(axis=0)) / Z.std(axis=0))
    found = function(Z, losses, 0)
    moved = function(np.asfortranarray(Z[:, order]), losses, 0)
    # The stops of the lasso; ridge is exact.
    np.testing.assert_allclose(moved, found[order], atol=2e-3)
    assert set(np.argsort(found)[-2:].tolist()) == {0, 1}


@pytest.mark.parametrize(("n", "p"), [(50, 6), (20, 30), (10, 1)])
def test_ridge_equals_slow_search(n, p):
    """The penalty of least generalised cross-validation score, each fitted anew."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(n, p))
    Z -= Z.mean(axis=0)
    y = Z[:, 0] + rng.normal(size=n)
    best = None
    values = np.linalg.svd(Z, compute_uv=False) ** 2
    values = values[values > 1e-10 * values[0]]
    for share in np.geomspace(1e-4, 1e4, 33):
        penalty = share * values.mean()
        hat = Z @ np.linalg.solve(Z.T @ Z + penalty * np.eye(p), Z.T)
        centred = y - y.mean()
        left = n - 1 - np.trace(hat)
        if left > 1e-8 * n:
            score = np.sum((centred - hat @ centred) ** 2) / left**2
            if best is None or score < best[0]:
                best = (score, penalty)
    wanted = np.abs(Ridge(alpha=best[1]).fit(Z, y).coef_) / y.std()
    found = ridge_importance(np.asfortranarray(Z), losses_of(y, False), 0)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-10)


def test_losses_of_targets():
    """A loss for each output and each class beyond two; none for a constant."""
    y = np.array([1.0, 2.0, 4.0, 5.0])
    (loss,) = losses_of(y + 1e8, False)
    assert isinstance(loss, SquaredLoss)
    np.testing.assert_allclose([loss.y.mean(), loss.y.std()], [0, 1], atol=1e-12)
    assert len(losses_of(np.c_[y, np.ones(4), y**2], False)) == 2
    (loss,) = losses_of(np.array(["b", "a", "b", "a"]), True)
    assert isinstance(loss, LogisticLoss)
    assert loss.y.tolist() == [1, 0, 1, 0]
    three = losses_of(np.array(["c", "a", "b", "a"]), True)
    assert [each.y.tolist() for each in three] == [
        [0, 1, 0, 1],
        [0, 0, 1, 0],
        [1, 0, 0, 0],
    ]
    assert losses_of(np.ones(4), True) == []


@pytest.mark.parametrize("function", [lasso_importance, ridge_importance])
def test_outputs_are_summed(function):
    """Importances for two outputs are the sum of those for each."""
    Z, y = _data()
    Z -= Z.mean(axis=0)
    Z = np.asfortranarray(Z)
    both = function(Z, losses_of(np.c_[y, y**2], False), 0)
    each = [function(Z, losses_of(one, False), 0) for one in (y, y**2)]
    np.testing.assert_allclose(both, each[0] + each[1])
    assert not function(Z, [], 0).any()


def test_importances_of_estimators():
    """Coefficients are absolute and summed over outputs; pipelines have a last step."""
    Z, y = _data()
    linear = LinearRegression().fit(Z, y)
    np.testing.assert_allclose(importance_of(linear, Z), np.abs(linear.coef_))
    both = LinearRegression().fit(Z, np.c_[y, -y])
    np.testing.assert_allclose(importance_of(both, Z), 2 * np.abs(linear.coef_))
    steps = make_pipeline(StandardScaler(), LogisticRegression()).fit(Z, y > 0)
    np.testing.assert_allclose(importance_of(steps, Z), np.abs(steps[-1].coef_[0]))
    forest = RandomForestRegressor(5, random_state=0).fit(Z, y)
    np.testing.assert_allclose(importance_of(forest, Z), forest.feature_importances_)


def test_estimators_are_cloned_and_seeded():
    """A forest without a seed repeats; a seed of the user's is kept."""
    Z, y = _data()
    forest = RandomForestRegressor(3)
    importance = EstimatorImportance(forest)
    np.testing.assert_array_equal(importance(Z, y, 5), importance(Z, y, 5))
    assert (importance(Z, y, 5) != importance(Z, y, 6)).any()
    assert not hasattr(forest, "estimators_")
    fixed = EstimatorImportance(RandomForestRegressor(3, random_state=1))
    np.testing.assert_array_equal(fixed(Z, y, 5), fixed(Z, y, 6))


@pytest.mark.parametrize(
    ("importance", "error", "words"),
    [
        (
            EstimatorImportance(KNeighborsRegressor()),
            AttributeError,
            "Got KNeighborsRegressor, which has neither",
        ),
        (
            CallableImportance(lambda A, y: np.ones(3)),
            ValueError,
            r"each of the 6 columns .* Got shape \(3,\)",
        ),
        (
            CallableImportance(lambda A, y: np.full(6, np.nan)),
            ValueError,
            "finite numbers. Got NaN",
        ),
    ],
)
def test_importances_are_checked(importance, error, words):
    """One sentence with the rule and what was got."""
    with pytest.raises(error, match=words):
        importance(*_data(), 0)
