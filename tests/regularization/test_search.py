"""The race: candidates that are clearly beaten are not fitted on the last folds."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV
from genestimators.regularization._search import (
    RACE_AFTER,
    RACE_SHARE,
    _in_the_race,
)
from tests.bagging.toys import regression_data
from tests.regularization.against_grid import plain, split_scores

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
FACTORS = [0.0, 0.5, 0.9, 1.0, 1.1, 3.0]


class Scaled(RegressorMixin, BaseEstimator):
    """Least squares, with predictions multiplied by a factor; 1 is best."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        self.coef_ = np.linalg.lstsq(X, y, rcond=None)[0] * self.factor
        return self

    def predict(self, X):
        return X @ self.coef_


def searched(engine="auto", cv=10, estimator=None, values=FACTORS, **settings):
    X, y = regression_data(200)
    estimator = Scaled() if estimator is None else estimator
    param = "factor" if isinstance(estimator, Scaled) else "alpha"
    return plain(estimator, param, values, engine=engine, cv=cv, **settings).fit(X, y)


def test_beaten_candidates_have_no_scores_on_the_last_folds():
    """They are NaN from some fold on, come last, save fits; the choice is the same."""
    raced, all_fitted = searched(), searched("generic")
    scores, every = split_scores(raced), split_scores(all_fitted)
    gone = np.isnan(scores).any(axis=1)
    assert gone[0]
    tried = ~np.isnan(scores)
    first = max(RACE_AFTER, int(np.ceil(RACE_SHARE * 10)))
    assert tried[:, :first].all()
    assert (tried[:, first:] == ~gone[:, None]).all()
    np.testing.assert_allclose(scores[tried], every[tried])
    assert raced.best_params_ == all_fitted.best_params_
    assert raced.n_fits_ == tried.sum() + 1
    assert all_fitted.n_fits_ == every.size + 1
    table = raced.cv_results_
    assert np.isnan(table["mean_test_score"][gone]).all()
    assert np.isnan(table["gap"][gone]).all()
    assert not table["admissible"][gone].any()
    assert (table["rank_test_score"][gone] == (~gone).sum() + 1).all()
    assert np.isfinite(table["mean_fit_time"]).all()
    assert np.isfinite(raced.expected_score_)
    assert np.isfinite(raced.oof_predictions_).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"engine": "generic"},
        {"cv": 3},
        {"estimator": Ridge(), "values": [1e-3, 1.0, 1e9]},
        {"engine": "audit"},
    ],
)
def test_no_candidate_is_given_up(settings):
    """By request, on few folds, and where a path costs nothing."""
    assert not np.isnan(split_scores(searched(**settings))).any()


def test_values_of_a_parameter_known_but_fitted_one_by_one_race():
    """A tree with more rows in a leaf is another tree."""
    X, y = regression_data(200)
    tree = DecisionTreeRegressor(random_state=0)
    raced = plain(tree, "min_samples_leaf", [5, 10, 150], cv=10).fit(X, y)
    assert raced.engine_ == "generic"
    assert np.isnan(raced.cv_results_["split9_test_score"][2])


@pytest.mark.parametrize("n_folds", [4, 5, 10])
@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0])
def test_the_winner_stays_in_the_race(n_folds, spread):
    """Of candidates that differ by less than their noise, the eventual winner stays.

    A candidate is given up at a level of 0.005 for one comparison. Of 200 curves with
    eight candidates each, more than 20 winners lost would be a level above 0.0125 for
    each.
    """
    before = max(RACE_AFTER, int(np.ceil(RACE_SHARE * n_folds)))
    lost = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        levels = spread * rng.normal(size=(8, 1))
        noise = rng.normal(size=(8, n_folds)) + 5 * rng.normal(size=n_folds)
        test = levels + noise
        winner = test.mean(axis=1).argmax()
        lost += winner not in _in_the_race(test[:, :before])
    assert lost <= 20


def test_a_clear_loser_leaves_and_the_leader_stays():
    """Paired: noise that all candidates share does not hide a difference."""
    rng = np.random.default_rng(0)
    shared = 100 * rng.normal(size=3)
    test = np.stack([shared, shared - 1 + 0.01 * rng.normal(size=3), shared - 0.0])
    np.testing.assert_array_equal(_in_the_race(test), [0, 2])


def test_missing_scores_do_not_stop_the_race():
    """A candidate without a score stays, as does everyone where none has any."""
    test = np.array([[1.0, 1.1, 1.2], [np.nan, 1.0, 1.0], [0.1, 0.2, 0.31]])
    np.testing.assert_array_equal(_in_the_race(test), [0, 1])
    np.testing.assert_array_equal(_in_the_race(np.full((2, 3), np.nan)), [0, 1])


def test_the_race_ends_the_same_for_any_number_of_jobs():
    """Stages are by folds, not by who is ready."""
    one = searched()
    with parallel_config("threading"):
        two = searched(n_jobs=2)
    np.testing.assert_array_equal(split_scores(one), split_scores(two))


def test_splits_given_one_by_one_race_too():
    """In the order given."""
    X, _ = regression_data(200)
    np.testing.assert_array_equal(
        split_scores(searched(cv=list(KFold(10).split(X)))), split_scores(searched())
    )


@pytest.mark.parametrize("estimator", [Ridge(), Lasso(tol=1e-8)])
@pytest.mark.parametrize("scoring", [None, "neg_root_mean_squared_error"])
def test_rows_asked_about_after_the_choice(estimator, scoring):
    """Answers made after the choice, or kept from the start, are the same."""
    X, y = regression_data()
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    found = {}
    for keep in (False, True):
        model = AutoRegularizedCV(
            estimator,
            values=[0.01, 0.1, 1.0, 10.0],
            scoring=scoring,
            store_oof=keep,
            random_state=0,
        )
        found[keep] = model.fit(X, y, sample_weight=weight)
    light, whole = found[False], found[True]
    assert light.best_index_ == whole.best_index_
    assert light.n_fits_ == whole.n_fits_
    for name in ("mean_test_score", "mean_train_score"):
        np.testing.assert_allclose(
            light.cv_results_[name], whole.cv_results_[name], rtol=1e-10
        )
    np.testing.assert_allclose(
        light.oof_predictions_, whole.oof_predictions_[whole.best_index_], rtol=1e-12
    )
    assert light.expected_score_ == pytest.approx(whole.expected_score_, rel=1e-9)
