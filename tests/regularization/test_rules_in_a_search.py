"""Rules in a whole search: what they need beyond the curve, and what is refused."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC

from genestimators import AutoRegularizedCV
from genestimators.regularization import _outcome
from genestimators.regularization._extra import instability
from genestimators.regularization._rules import Pick
from tests.bagging.toys import classification_data, regression_data

PENALTIES = [0.1, 1.0, 10.0, 100.0]


def tuned(estimator=None, **params):
    """A search in known values, fitted one by one."""
    estimator = Ridge() if estimator is None else estimator
    return AutoRegularizedCV(
        estimator,
        **{"values": PENALTIES, "cv": 4, "n_repeats": 1, "random_state": 0, **params},
    )


def test_vfold_penalty_against_a_loop():
    """Training score of the full fit less kappa times what the folds lose to it."""
    X, y = regression_data()
    folds = KFold(4, shuffle=True, random_state=1)
    for kappa in (1.0, 1.25, 5.0):
        search = tuned(rule="vfold_penalty", rule_params={"kappa": kappa}, cv=folds)
        criterion = []
        for alpha in PENALTIES:
            model = Ridge(alpha=alpha)
            gaps = []
            for train, test in folds.split(X):
                model.fit(X[train], y[train])
                gaps.append(model.score(X[train], y[train]))
                gaps[-1] -= model.score(X[test], y[test])
            full = r2_score(y, model.fit(X, y).predict(X))
            criterion.append(full - kappa * 0.75 * np.mean(gaps))
        assert search.fit(X, y).best_index_ == np.argmax(criterion)


def left_one_out(model, X, y):
    """R2 of neighbours' answers for rows that are not their own neighbours."""
    return r2_score(y, cross_val_predict(model, X, y, cv=LeaveOneOut()))


def test_vfold_penalty_of_neighbours_starts_from_their_leave_one_out_score():
    """As the gaps of the folds do; rows that are their own neighbours say nothing."""
    X, y = regression_data()
    folds = KFold(4, shuffle=True, random_state=1)
    values = [1, 4, 9, 20]
    search = tuned(
        KNeighborsRegressor(), values=values, cv=folds, rule="vfold_penalty"
    ).fit(X, y)
    criterion = []
    for k in values:
        model, gaps = KNeighborsRegressor(k), []
        for train, test in folds.split(X):
            score = model.fit(X[train], y[train]).score(X[test], y[test])
            gaps.append(left_one_out(model, X[train], y[train]) - score)
        criterion.append(left_one_out(model, X, y) - 1.25 * 0.75 * np.mean(gaps))
    assert search.engine_ == "path"
    assert search.best_index_ == np.argmax(criterion) > 0


def test_stability_of_weighted_rows_is_that_of_repeated_rows(monkeypatch):
    """Means over rows count each by its weight."""
    found = []

    def kept(plan, candidates):
        found.append(instability(plan, candidates))
        return found[-1]

    monkeypatch.setattr(_outcome, "instability", kept)
    X, y = regression_data()
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    rows, fold = np.repeat(np.arange(len(y)), weight), np.arange(len(y)) % 4
    tuned(rule="stability", cv=PredefinedSplit(fold)).fit(X, y, sample_weight=weight)
    tuned(rule="stability", cv=PredefinedSplit(fold[rows])).fit(X[rows], y[rows])
    np.testing.assert_allclose(*found)


def test_stability_against_a_loop():
    """Variance of the predictions over the fits of folds, over their mean square."""
    X, y = regression_data()
    search = tuned(rule="stability", rule_params={"q": 100.0}).fit(X, y)
    instability = []
    for alpha in PENALTIES:
        model = Ridge(alpha=alpha)
        answers = [
            clone(model).fit(X[train], y[train]).predict(X)
            for train, _ in KFold(4).split(X)
        ]
        mean = np.mean(answers, axis=0)
        spread = np.mean([(one - mean) ** 2 for one in answers])
        instability.append(spread / np.var(mean))
    instability = np.array(instability)
    scores = search.cv_results_["mean_test_score"]
    instability[: int(np.argmax(scores))] = np.inf
    assert search.best_index_ == np.argmin(instability)


def test_stability_counts_votes_of_classifiers_without_numbers():
    """Names of classes are no numbers: another alphabet changes nothing."""
    X, y = classification_data(80, labels=["a", "b", "c"])

    def search(y):
        model = tuned(LinearSVC(), param="C", rule="stability", scoring="accuracy")
        return model.fit(X, y).best_index_

    renamed = np.array(["z", "b", "c"])[np.unique(y, return_inverse=True)[1]]
    assert search(y) == search(renamed)


def second(curve):
    """A rule of one's own."""
    return int(curve.order[1])


def test_callable_rule():
    """A callable gets the curve and its parameters, and returns a position."""
    X, y = regression_data()
    search = tuned(rule=second).fit(X, y)
    assert search.best_params_ == {"alpha": PENALTIES[1]}
    assert "second" in str(search.choice_)
    assert search.cv_results_["admissible"].tolist() == [False, True, False, False]

    def at(curve, place=0):
        return np.int64(place)

    search = tuned(rule=at, rule_params={"place": 3}).fit(X, y)
    assert search.best_index_ == 3

    def with_reason(curve):
        return Pick(2, np.ones(4, dtype=bool), "two is my number")

    search = tuned(rule=with_reason).fit(X, y)
    assert search.best_index_ == 2
    assert "two is my number" in str(search.choice_)
    assert search.cv_results_["admissible"].all()


@pytest.mark.parametrize("found", [4, -1, 1.0, "0", None, True, np.array([1])])
def test_callable_rule_that_returns_no_candidate(found):
    """What a rule returns has to be a position."""
    X, y = regression_data()
    with pytest.raises(ValueError, match=r"must return the position.*\[0, 4\). Got"):
        tuned(rule=lambda curve: found).fit(X, y)


@pytest.mark.parametrize(
    ("rule", "params", "known"),
    [
        ("gap", {"kappa": 1}, r"\['q'\]. Got \['kappa'\]"),
        ("best", {"q": 1}, r"may hold \[\]. Got \['q'\]"),
        ("penalized", {"weight": 1, "q": 1, "z": 2}, r"Got \['q', 'z'\]"),
    ],
)
def test_unknown_parameters_of_a_rule(rule, params, known):
    """They are refused before anything is fitted."""

    class NeverFitted(Ridge):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError

    X, y = regression_data()
    search = tuned(NeverFitted(), param="alpha", rule=rule, rule_params=params)
    with pytest.raises(ValueError, match=f"`rule_params` of rule='{rule}'.*{known}"):
        search.fit(X, y)


@pytest.mark.parametrize(
    "cv", [TimeSeriesSplit(3), ShuffleSplit(4, test_size=0.25, random_state=0)]
)
def test_vfold_penalty_needs_folds(cv):
    """Splits that leave rows out never, or several times, have no penalty of folds."""
    X, y = regression_data()
    with pytest.raises(ValueError, match=r"vfold_penalty.*folds that split the rows"):
        tuned(rule="vfold_penalty", cv=cv).fit(X, y)


@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneOut(), 3])
def test_vfold_penalty_takes_every_kind_of_folds(cv):
    """Folds of groups and of single rows are folds."""
    X, y = regression_data(30)
    search = tuned(rule="vfold_penalty", cv=cv, scoring="neg_mean_squared_error").fit(
        X, y, groups=np.arange(30) // 3
    )
    assert search.best_params_["alpha"] in PENALTIES


def test_stability_needs_several_splits():
    """One split has nothing to compare predictions with."""
    X, y = regression_data()
    split = [(np.arange(40), np.arange(40, 60))]
    with pytest.raises(ValueError, match=r"stability.*there is one split"):
        tuned(rule="stability", cv=split).fit(X, y)
