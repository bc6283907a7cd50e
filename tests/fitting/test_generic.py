"""The generic engine against plain clone-and-refit loops."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import Bootstrap, Folds
from genestimators.fitting import Response, fit_over, response_kind

REGRESSION = Response("predict")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_folds_and_values_equal_refitting(seed):
    """Folds x values give the out-of-fold predictions of a loop over both."""
    X, y = make_regression(40, 5, noise=10, random_state=seed)
    pipe = make_pipeline(StandardScaler(), Ridge())
    values = [0.1, 1.0, 100.0]
    draws = Folds(KFold(4, shuffle=True, random_state=seed)).prepare(X, y)
    fitted = list(
        fit_over(
            pipe,
            X,
            y,
            draws,
            range(4),
            response=REGRESSION,
            param="ridge__alpha",
            values=values,
            families=False,
        )
    )
    for i, value in enumerate(values):
        expected = cross_val_predict(
            clone(pipe).set_params(ridge__alpha=value),
            X,
            y,
            cv=KFold(4, shuffle=True, random_state=seed),
        )
        for item in fitted:
            out = item.draw.out_of_bag
            np.testing.assert_allclose(item.predictions[i, :, 0], expected[out])
            assert item.model(i).get_params()["ridge__alpha"] == value


def test_search_over_folds_picks_what_grid_search_picks():
    """The engine's curve is GridSearchCV's."""
    X, y = make_regression(60, 8, noise=30, random_state=0)
    values = np.logspace(-2, 3, 6)
    search = GridSearchCV(
        Ridge(), {"alpha": values}, cv=KFold(5), scoring="neg_mean_squared_error"
    ).fit(X, y)
    scores = []
    for item in fit_over(
        Ridge(),
        X,
        y,
        Folds(KFold(5)).prepare(X, y),
        range(5),
        response=REGRESSION,
        param="alpha",
        values=values,
    ):
        error = item.predictions[:, :, 0] - y[item.draw.out_of_bag]
        scores.append(-(error**2).mean(axis=1))
    expected = search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(np.mean(scores, axis=0), expected)


def test_bootstrap_draws_equal_refitting_with_weights():
    """A draw is a fit on its rows with its counts as weights."""
    X, y = make_regression(40, 5, noise=10, random_state=0)
    draws = Bootstrap().prepare(X, y, seed=5)
    for item in fit_over(
        Ridge(), X, y, draws, [3, 0], response=REGRESSION, answer="all"
    ):
        draw = draws[item.number]
        model = Ridge().fit(X[draw.rows], y[draw.rows], sample_weight=draw.counts)
        np.testing.assert_allclose(item.responses[0, :, 0], model.predict(X))
        inside = np.unique(draw.rows)
        np.testing.assert_allclose(
            item.training_predictions[0, :, 0], model.predict(X[inside])
        )
        np.testing.assert_allclose(
            item.predictions[0, :, 0], model.predict(X[draw.out_of_bag])
        )


def test_training_answers_have_to_be_asked_for():
    """Asking for what was not computed says how to get it."""
    X, y = make_regression(20, 2, random_state=0)
    (item,) = fit_over(
        Ridge(), X, y, Bootstrap().prepare(X, y), [0], response=REGRESSION
    )
    with pytest.raises(ValueError, match='set `answer="all"`'):
        _ = item.training_predictions
    (item,) = fit_over(
        Ridge(),
        X,
        y,
        Bootstrap().prepare(X, y),
        [0],
        response=REGRESSION,
        answer="none",
    )
    assert item.responses is None


class Counting(RegressorMixin, BaseEstimator):
    """Counts its fits."""

    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        self.mean_ = y.mean()
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_fits_happen_when_they_are_asked_for():
    """The engine is a stream: nothing is fitted ahead of the consumer."""
    X, y = make_regression(20, 2, random_state=0)
    Counting.fits = 0
    stream = fit_over(
        Counting(), X, y, Bootstrap().prepare(X, y), range(50), response=REGRESSION
    )
    next(stream)
    assert Counting.fits <= 2
    stream.close()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_come_in_order_and_seeds_belong_to_draws(n_jobs):
    """A random base gets the same seed for a draw, whatever runs beside it."""
    X, y = make_regression(50, 6, noise=5, random_state=0)
    base = DecisionTreeRegressor(max_features=2)
    draws = Bootstrap().prepare(X, y)
    shared = {"response": REGRESSION, "answer": "all", "seed": 9, "n_jobs": n_jobs}
    every = list(fit_over(base, X, y, draws, range(6), **shared))
    assert [item.number for item in every] == list(range(6))
    (alone,) = fit_over(base, X, y, draws, [4], **shared)
    np.testing.assert_array_equal(alone.responses, every[4].responses)


def test_features_restrict_columns():
    """Each draw may see columns of its own."""
    X, y = make_regression(40, 5, random_state=0)
    (item,) = fit_over(
        Ridge(),
        X,
        y,
        Bootstrap().prepare(X, y),
        [0],
        response=REGRESSION,
        features=lambda number: np.array([1, 3]),
    )
    assert item.model().n_features_in_ == 2
    assert item.features.tolist() == [1, 3]


def test_probabilities_are_aligned_to_all_classes():
    """A fold without a class gives it probability zero."""
    X, y = make_classification(30, 6, n_informative=4, n_classes=3, random_state=0)
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    response = Response("probability", (np.unique(y),))
    draws = Folds(KFold(3)).prepare(X, y)
    for item in fit_over(
        LogisticRegression(), X, y, draws, range(3), response=response
    ):
        missing = np.setdiff1d(np.unique(y), item.model().classes_)
        assert (item.predictions[0][:, missing] == 0).all()
        np.testing.assert_allclose(item.predictions[0].sum(axis=1), 1)


def test_response_kinds():
    """What is averaged follows from what the estimator offers."""
    kinds = {
        ("mean", LogisticRegression()): "probability",
        ("vote", LogisticRegression()): "vote",
        ("logit", LogisticRegression()): "log_probability",
    }
    for (aggregate, base), kind in kinds.items():
        assert response_kind(base, aggregate, classifier=True) == kind
    assert response_kind(Ridge(), "mean", classifier=False) == "predict"
