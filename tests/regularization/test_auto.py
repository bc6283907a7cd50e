"""What a fitted AutoRegularizedCV holds: predictions, repeats, edges, times."""

import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import AutoRegularizedCV, EdgeOfGridWarning
from genestimators.fitting import find_family
from tests.bagging.toys import classification_data, multilabel_data, regression_data
from tests.regularization.against_grid import plain, split_scores

ALPHAS = [0.01, 1.0, 300.0]
logistic = LogisticRegression(tol=1e-10, max_iter=1000)
tree_classifier = DecisionTreeClassifier(random_state=0)


def two_targets():
    X, y = regression_data()
    return X, np.column_stack([y, 3 * X[:, 2] - y])


def text_data():
    return classification_data(labels=["b", "a", "c"])


KEPT = [  # and the method that oof_predictions_ holds the answers of
    (Ridge(), "alpha", ALPHAS, regression_data, "predict"),
    (Ridge(), "alpha", ALPHAS, two_targets, "predict"),
    (logistic, "C", [0.01, 1.0, 100.0], text_data, "predict_proba"),
    (tree_classifier, "ccp_alpha", [0.0, 0.02, 0.3], multilabel_data, "predict_proba"),
    (RidgeClassifier(), "alpha", ALPHAS, text_data, "decision_function"),
    (RidgeClassifier(), "alpha", ALPHAS, multilabel_data, "predict"),
    (
        SVC(decision_function_shape="ovo"),
        "C",
        [0.01, 1.0, 100.0],
        text_data,
        "predict",
    ),
]


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
@pytest.mark.parametrize("engine", ["auto", "generic"])
@pytest.mark.parametrize(("estimator", "param", "values", "data", "method"), KEPT)
def test_predictions_left_out_equal_cross_val_predict(
    estimator, param, values, data, method, engine
):
    """Of the chosen value, and with `store_oof` of all values."""
    X, y = data()
    folds = KFold(3) if y.ndim == 2 or y.dtype.kind == "f" else StratifiedKFold(3)
    own = plain(estimator, param, values, cv=folds, engine=engine).fit(X, y)
    every = clone(own).set_params(store_oof=True).fit(X, y).oof_predictions_
    for i, value in enumerate(values):
        model = clone(estimator).set_params(**{param: value})
        expected = cross_val_predict(model, X, y, cv=folds, method=method)
        found = every[i] if not isinstance(every, list) else [part[i] for part in every]
        assert_same_answers(found, expected)
        if i == own.best_index_:
            assert_same_answers(own.oof_predictions_, expected)


def assert_same_answers(found, expected):
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same_answers(one, other)
    elif expected.dtype.kind in "Ui":
        np.testing.assert_array_equal(found, expected)
    else:
        assert found.shape == expected.shape
        # Two solvers of a logistic regression differ by their tolerances.
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
def test_rows_never_left_out_have_no_prediction():
    """The first part of a time series; labels become objects to hold NaN."""
    X, y = text_data()
    own = plain(SVC(decision_function_shape="ovo"), "C", [1.0, 9.0])
    own.set_params(cv=TimeSeriesSplit(3)).fit(X, y)
    first = TimeSeriesSplit(3).split(X).__next__()[1][0]
    assert all(label != label for label in own.oof_predictions_[:first])
    assert set(own.oof_predictions_[first:]) <= set(y)
    X, y = regression_data()
    own = plain(Ridge(), "alpha", ALPHAS, cv=TimeSeriesSplit(3)).fit(X, y)
    np.testing.assert_array_equal(
        np.isnan(own.oof_predictions_), np.arange(len(y)) < first
    )


def test_predictions_are_kept_of_the_first_repeat():
    """A row is left out once a repeat, and its first answer counts."""
    X, y = regression_data()
    folds = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    own = plain(Ridge(), "alpha", ALPHAS, cv=folds).fit(X, y)
    model = Ridge(**own.best_params_)
    first = list(folds.split(X))[:3]
    expected = cross_val_predict(model, X, y, cv=first)
    np.testing.assert_allclose(own.oof_predictions_, expected)


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
@pytest.mark.parametrize("scoring", [None, "neg_max_error"])
@pytest.mark.parametrize(
    ("estimator", "param"), [(Ridge(), "alpha"), (DecisionTreeRegressor(), "ccp_alpha")]
)
@pytest.mark.parametrize("store_oof", [False, True])
def test_what_is_too_much_to_keep_is_had_by_another_fit(
    estimator, param, scoring, store_oof, monkeypatch
):
    """Predictions are the same; the score to expect is of the best candidates."""
    X, y = regression_data()
    own = plain(estimator, param, [0.3, 30.0, 1.0, 0.012, 2.0], random_state=0, cv=4)
    own.set_params(scoring=scoring, store_oof=store_oof).fit(X, y)
    for module in ("_search", "_outcome"):
        name = f"genestimators.regularization.{module}.MOST_NUMBERS"
        monkeypatch.setattr(name, 4 * len(y))
    again = clone(own).fit(X, y)
    np.testing.assert_allclose(again.oof_predictions_, own.oof_predictions_)
    np.testing.assert_allclose(split_scores(again), split_scores(own))
    # It was chosen among fewer, so a little less is taken off.
    np.testing.assert_allclose(again.expected_score_, own.expected_score_, rtol=0.1)


def test_attributes_of_the_choice_are_those_of_the_table():
    """The chosen row of cv_results_, its gap and its standard error over folds."""
    X, y = regression_data()
    own = AutoRegularizedCV(Ridge(), cv=4, n_repeats=1).fit(X, y)
    table, i = own.cv_results_, own.best_index_
    assert own.best_params_ == {"alpha": own.values_[i]} == table["params"][i]
    assert own.best_score_ == table["mean_test_score"][i]
    assert own.generalization_gap_ == table["gap"][i]
    np.testing.assert_allclose(
        table["gap"], table["mean_train_score"] - table["mean_test_score"]
    )
    test = split_scores(own)
    train = np.column_stack([table[f"split{k}_train_score"] for k in range(4)])
    np.testing.assert_allclose(
        own.generalization_gap_std_error_,
        (train - test)[i].std(ddof=1) / np.sqrt(4),
    )
    best = test.mean(axis=1).argmax()
    np.testing.assert_allclose(
        table["paired_std_error"],
        (test[best] - test).std(axis=1, ddof=1) / np.sqrt(4),
    )
    assert table["admissible"][i]
    assert own.param_ == "alpha"
    assert own.direction_ == "larger"
    assert own.n_splits_ == 4
    assert own.best_estimator_.alpha == own.values_[i]
    assert own.refit_time_ > 0
    assert own.choice_.value == own.values_[i]


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
def test_fits_are_counted():
    """One a fold where a path does the work, one a fold and value where none does."""
    X, y = regression_data()
    for engine, refit, expected in (
        ("auto", True, 4 + 1),
        ("generic", True, 4 * 3 + 1),
        ("generic", False, 4 * 3),
    ):
        tree = DecisionTreeRegressor(random_state=0)
        own = plain(tree, "ccp_alpha", [0.0, 0.1, 0.3], cv=4, engine=engine)
        assert own.set_params(refit=refit).fit(X, y).n_fits_ == expected


def splits_of(estimator, **settings):
    X, y = regression_data(60)
    groups = settings.pop("groups", None)
    own = AutoRegularizedCV(estimator, random_state=0, rule="best", **settings)
    return own.fit(X, y, groups=groups).n_splits_


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
def test_repeats_are_a_fixed_number_of_a_family():
    """Whatever the clock; one for splitters, iterables and the generic engine."""
    ridge, scaled = Ridge(), make_pipeline(StandardScaler(), Ridge())
    many = find_family(ridge, "alpha").n_repeats
    assert many > 1
    assert splits_of(ridge) == splits_of(scaled) == 5 * many
    assert splits_of(ridge, cv=3) == 3 * many
    assert splits_of(ridge, groups=np.arange(60) // 10) == 5 * many
    few = find_family(KNeighborsRegressor(), "n_neighbors").n_repeats
    assert splits_of(KNeighborsRegressor()) == 5 * few
    assert splits_of(ridge, engine="generic") == 5
    assert splits_of(DecisionTreeRegressor(), param="min_samples_leaf") == 5
    for cv in (KFold(3), list(KFold(3).split(np.zeros(60))), TimeSeriesSplit(3)):
        assert splits_of(ridge, cv=cv) == 3
    assert splits_of(ridge, cv=GroupKFold(3), groups=np.arange(60) // 10) == 3
    assert splits_of(ridge, cv=3, n_repeats=2) == 6


def noise():
    X, _ = regression_data(80)
    return X, np.random.default_rng(2).normal(size=80)


def no_noise():
    X, _ = regression_data(80)
    return X, X @ [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("data", [noise, no_noise])
def test_an_automatic_range_is_extended_where_the_choice_lies_at_its_end(data):
    """By values beyond it, without a warning, in order, and each tried on all folds."""
    X, y = data()
    own = AutoRegularizedCV(Ridge(), rule="best", random_state=0).fit(X, y)
    first = find_family(Ridge(), "alpha").default_values(Ridge(), X, y, None)
    assert set(first) < set(own.values_)
    assert (np.diff(own.values_) > 0).all()
    new = own.values_[
        own.values_ < first[0] if data is no_noise else own.values_ > first[-1]
    ]
    assert len(new) == len(own.values_) - len(first)
    again = AutoRegularizedCV(
        Ridge(), param="alpha", values=own.values_, rule="best", random_state=0
    )
    if own.choice_.edge:
        with pytest.warns(EdgeOfGridWarning):
            again.fit(X, y)
    else:
        again.fit(X, y)
    np.testing.assert_allclose(split_scores(again), split_scores(own), rtol=1e-8)
    np.testing.assert_allclose(again.oof_predictions_, own.oof_predictions_)


def test_a_range_is_not_extended_where_the_curve_is_flat():
    """Beyond values that change nothing there is nothing."""
    X, y = np.ones((60, 2)), np.arange(60) % 3 == 0
    own = AutoRegularizedCV(BernoulliNB(), random_state=0).fit(X, y)
    first = find_family(BernoulliNB(), "alpha").default_values(
        BernoulliNB(), X, y, None
    )
    np.testing.assert_array_equal(own.values_, first)
    assert own.best_index_ == len(first) - 1


@pytest.mark.parametrize(
    ("data", "values", "end"),
    [
        (noise, [0.1, 1.0, 10.0], "strongest"),
        (noise, [10.0, 1.0, 0.1], "strongest"),
        (no_noise, [0.1, 1.0, 10.0], "weakest"),
    ],
)
def test_a_choice_at_the_end_of_given_values_warns(data, values, end):
    """The user's values are not extended."""
    X, y = data()
    own = plain(Ridge(), "alpha", values)
    with pytest.warns(EdgeOfGridWarning, match=f"the {end} of `values`.*more values"):
        own.fit(X, y)
    assert own.choice_.edge == end
    np.testing.assert_array_equal(own.values_, values)


@pytest.mark.parametrize("values", [[1, 2, 4], [4, 1, 2]])
def test_an_end_of_values_of_no_known_direction(values, recwarn):
    """It is the smallest or the largest, in whatever order they came."""
    X, y = regression_data()
    largest = len(values) - 1 - values[::-1].index(4)
    tree = DecisionTreeRegressor(random_state=0)
    model = plain(tree, "max_features", values, rule=lambda curve: largest)
    with pytest.warns(EdgeOfGridWarning, match="=4 is the largest of `values`"):
        model.fit(X, y)
    assert (model.direction_, model.choice_.edge) == (None, "largest")
    recwarn.clear()
    inside = values.index(2)
    own = plain(tree, "max_features", values, rule=lambda curve: inside).fit(X, y)
    assert own.choice_.edge == ""
    assert not [one for one in recwarn if one.category is EdgeOfGridWarning]


def test_a_choice_inside_or_at_a_natural_limit_does_not_warn(recwarn):
    """No tree is larger than an unpruned one."""
    X, y = regression_data()
    plain(Ridge(), "alpha", [1e-3, 1.0, 1e5]).fit(X, y)
    X, y = no_noise()
    tree = DecisionTreeRegressor(random_state=0)
    own = plain(tree, "ccp_alpha", [0.0, 1.0, 30.0]).fit(X, y)
    assert own.best_params_ == {"ccp_alpha": 0.0}
    assert not [one for one in recwarn if one.category is EdgeOfGridWarning]


class Sleeps(RegressorMixin, BaseEstimator):
    """Takes as long to fit as it is told."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
def test_fit_times_are_shares():
    """A value's own time where it has one, else an equal part; no more than was spent.

    Nothing is said about speed: a sleep takes at least its time.
    """
    X, y = regression_data()
    start = time.perf_counter()
    own = plain(Sleeps(), "seconds", [0.0, 0.02], cv=3, refit=False).fit(X, y)
    spent = time.perf_counter() - start
    times = own.cv_results_["mean_fit_time"]
    assert times[1] >= 0.02
    assert times[0] < times[1]
    assert 3 * times.sum() + 3 * own.cv_results_["mean_score_time"].sum() <= spent
    start = time.perf_counter()
    own = plain(Ridge(), "alpha", ALPHAS, cv=3).fit(X, y)
    spent = time.perf_counter() - start
    times = own.cv_results_["mean_fit_time"]
    np.testing.assert_allclose(times, times[0])
    assert 0 < 3 * times.sum() <= spent


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
def test_without_a_refit():
    """All but the model is there, and what needs it says so."""
    X, y = classification_data(labels=["b", "a", "c"])
    own = plain(logistic, "C", [1e-3, 0.1, 30.0], refit=False).fit(X, y)
    assert own.best_params_["C"] in (1e-3, 0.1, 30.0)
    for name in ("best_estimator_", "refit_time_", "classes_"):
        assert not hasattr(own, name)
    for method in (own.predict, own.predict_proba, lambda X: own.score(X, y)):
        with pytest.raises(AttributeError, match="refit=False; set `refit=True`"):
            method(X)
    refitted = clone(own).set_params(refit=True).fit(X, y)
    assert refitted.classes_.tolist() == ["a", "b", "c"]
    refitted.set_params(refit=False).fit(X, y)
    assert not hasattr(refitted, "best_estimator_")


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
@pytest.mark.parametrize("engine", ["auto", "generic"])
@pytest.mark.parametrize("n_repeats", [1, 3])
def test_rows_of_weight_zero_do_not_move_the_folds(engine, n_repeats):
    """Scores and the choice are those without such rows, wherever they stand."""
    X, y = regression_data()
    rng = np.random.default_rng(0)
    place = np.sort(rng.choice(80, 60, replace=False))
    weight = np.zeros(80)
    weight[place] = rng.integers(1, 4, 60)
    many_X, many_y = rng.normal(size=(80, 4)) * 50, rng.normal(size=80) * 50
    many_X[place], many_y[place] = X, y
    how = {"n_repeats": n_repeats, "engine": engine, "random_state": 0, "cv": 4}
    less = plain(Ridge(), "alpha", ALPHAS, **how)
    less.fit(X, y, sample_weight=weight[place])
    more = plain(Ridge(), "alpha", ALPHAS, **how)
    more.fit(many_X, many_y, sample_weight=weight)
    # Moments of all rows are taken about another mean: rounding is a little larger.
    np.testing.assert_allclose(split_scores(more), split_scores(less), rtol=1e-8)
    assert more.best_params_ == less.best_params_
    np.testing.assert_allclose(more.oof_predictions_[place], less.oof_predictions_)
    np.testing.assert_allclose(more.expected_score_, less.expected_score_)
    np.testing.assert_allclose(more.predict(X), less.predict(X))
