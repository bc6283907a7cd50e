"""The rule is applied when the support is asked for, and nothing is fitted for it."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from genestimators._exceptions import NothingSelectedWarning
from genestimators.selection._memory import blocks
from genestimators.selection._stable_selector import StableFeatureSelector
from genestimators.selection.error_control._criteria import (
    CRITERIA,
    WITH_ALPHA,
    WITH_THRESHOLD,
)
from tests.selection.stable_toys import CALLS, OwnRidge, clear_problem, count_engines

RULES = [
    {"criterion": name, **extra}
    for name in CRITERIA
    for extra in (
        {},
        *([{"alpha": 0.02}, {"alpha": 0.9}] if name in WITH_ALPHA else []),
        *([{"threshold": 0.55}, {"threshold": 1.0}] if name in WITH_THRESHOLD else []),
        {"min_features_to_select": 5},
        {"max_features": 2},
        {"min_features_to_select": 0, "max_features": 1},
    )
]
EVERY = {
    "criterion": "prediction",
    "alpha": 0.1,
    "threshold": None,
    "min_features_to_select": 1,
    "max_features": None,
}
quiet = pytest.mark.filterwarnings(
    "ignore::genestimators._exceptions.NothingSelectedWarning"
)


def selector(estimator=None, **kwargs):
    settings = {"n_resamples": 8, "random_state": 0, **kwargs}
    return StableFeatureSelector(estimator, **settings)


@quiet
@pytest.mark.parametrize(
    ("estimator", "importance", "rules"),
    [
        (None, "auto", RULES),
        (OwnRidge(), "coef", [{"criterion": name} for name in CRITERIA]),
        (None, "additive", RULES[::3]),
    ],
)
def test_another_rule_equals_another_fit(estimator, importance, rules, monkeypatch):
    """After set_params the support is that of a fit with these parameters.

    Only runs with permuted y are made, once for each number of them, by "fdr".
    """
    X, y = clear_problem(noise=3.0)
    calls = count_engines(monkeypatch)
    settings = {"importance": importance, "n_resamples": 2}
    tuned = selector(estimator, **settings).fit(X, y)
    made = {"evidence", "refit_evidence", "_additive"}
    n_made = sum(name in made for name in calls)
    found = set()
    for rule in rules:
        fresh = selector(estimator, **settings, **rule).fit(X, y)
        calls.clear()
        CALLS.clear()
        tuned.set_params(**{**EVERY, **rule})
        mask = tuned.get_support()
        np.testing.assert_array_equal(mask, fresh.get_support())
        assert tuned.n_features_significant_ == fresh.n_features_significant_
        np.testing.assert_array_equal(tuned.ranks_, fresh.ranks_)
        if rule["criterion"] == "fdr":
            np.testing.assert_array_equal(tuned.q_values_, fresh.q_values_)
        else:
            assert not calls
            assert not CALLS
        found.add(tuple(mask))
    assert n_made == 1 or importance == "additive"
    assert len(found) > 2


@quiet
def test_more_permuted_runs_do_not_change_the_first(monkeypatch):
    """A stricter rate asks for more runs; an easier one uses the first of them."""
    X, y = clear_problem(noise=3.0)
    calls = count_engines(monkeypatch)
    tuned = selector(criterion="fdr", n_resamples=4).fit(X, y)
    before = tuned.q_values_
    calls.clear()
    tuned.set_params(alpha=0.03).get_support()
    assert calls == ["null_scores"]  # of 19, ..., 38, though 32 are needed
    tuned.set_params(alpha=0.02).get_support()
    assert calls == ["null_scores"] * 2
    assert tuned.q_values_.min() == pytest.approx(0.02)
    at_once = selector(criterion="fdr", alpha=0.02, n_resamples=4).fit(X, y)
    np.testing.assert_array_equal(at_once.q_values_, tuned.q_values_)
    calls.clear()
    tuned.set_params(alpha=0.1)
    np.testing.assert_array_equal(tuned.q_values_, before)
    assert not calls


def test_blocks_of_runs():
    """They begin where others end, and the same come up whatever is asked for."""
    assert blocks(0, 1) == blocks(0, 19) == [(0, 19)]
    assert blocks(0, 99) == [(0, 19), (19, 39), (39, 59), (59, 79), (79, 99)]
    assert blocks(39, 49) == [(39, 59)]
    assert blocks(39, 39) == []


@quiet
def test_memory_shares_runs_among_rates(tmp_path, monkeypatch):
    """A stricter rate adds the runs that it needs more, in other selectors, too."""
    X, y = clear_problem(noise=3.0)
    calls = count_engines(monkeypatch)
    for alpha, made in (
        (0.04, 2),
        (0.03, 0),
        (0.1, 0),
        (0.02, 1),
        (0.01, 2),
        (0.015, 0),
    ):
        calls.clear()
        step = selector(
            criterion="fdr", alpha=alpha, memory=str(tmp_path), n_resamples=2
        ).fit(X, y)
        assert calls.count("null_scores") == made
        plain = step.set_params(memory=None).fit(X, y).q_values_
        step.set_params(memory=str(tmp_path)).fit(X, y)
        np.testing.assert_array_equal(step.q_values_, plain)


def test_memory_finds_fits_again(tmp_path, monkeypatch):
    """A second fit with another rule reads its evidence from the cache."""
    X, y = clear_problem()
    calls = count_engines(monkeypatch)
    memory = str(tmp_path)
    one = selector(memory=memory, criterion="pfer", alpha=0.5).fit(X, y)
    assert calls == ["evidence"]
    two = selector(memory=memory, criterion="pfer", alpha=2.0, n_jobs=1).fit(X, y)
    three = selector(memory=memory, criterion="fdr").fit(X.copy(), y.tolist())
    four = selector(memory=memory, criterion="fdr", alpha=0.2, verbose=1).fit(X, y)
    assert calls == ["evidence", "null_scores"]
    np.testing.assert_array_equal(one.ranks_, two.ranks_)
    np.testing.assert_array_equal(three.q_values_, four.q_values_)


CHANGES = {
    "X": lambda X, y: ({}, (X + 0.1, y), {}),
    "y": lambda X, y: ({}, (X, y + X[:, 0]), {}),
    "weights": lambda X, y: ({}, (X, y), {"sample_weight": np.full(100, 2.0)}),
    "groups": lambda X, y: ({}, (X, y), {"groups": np.arange(100) // 2}),
    "estimator": lambda X, y: ({"estimator": Ridge()}, (X, y), {}),
    "penalty": lambda X, y: ({"estimator": Ridge(alpha=2.0)}, (X, y), {}),
    "seed": lambda X, y: ({"random_state": 1}, (X, y), {}),
    "n_resamples": lambda X, y: ({"n_resamples": 9}, (X, y), {}),
    "importance": lambda X, y: ({"importance": "conditional"}, (X, y), {}),
    "always_keep": lambda X, y: ({"always_keep": [0]}, (X, y), {}),
    "feature_groups": lambda X, y: ({"feature_groups": np.arange(10) // 2}, (X, y), {}),
}


def test_memory_misses_whatever_evidence_depends_on(tmp_path, monkeypatch):
    """Other data, weights, groups, estimators or seeds are fitted."""
    X, y = clear_problem()
    calls = count_engines(monkeypatch)
    selector(memory=str(tmp_path)).fit(X, y)
    for name, change in CHANGES.items():
        params, data, arguments = change(X, y)
        calls.clear()
        selector(memory=str(tmp_path)).set_params(**params).fit(*data, **arguments)
        assert calls == ["evidence"], name
        selector(memory=str(tmp_path)).set_params(**params).fit(*data, **arguments)
        assert calls == ["evidence"], name


@pytest.mark.filterwarnings("ignore::genestimators._exceptions.NothingSelectedWarning")
def test_a_grid_search_over_alpha_fits_once_a_fold(tmp_path, monkeypatch):
    """With a memory in a pipeline; the refit on all rows is one more."""
    X, y = clear_problem()
    calls = count_engines(monkeypatch)
    step = selector(criterion="pfer", memory=str(tmp_path))
    pipe = Pipeline([("select", step), ("model", Ridge())])
    grid = {"select__alpha": [0.01, 0.1, 1.0, 5.0], "model__alpha": [0.1, 1.0]}
    search = GridSearchCV(pipe, grid, cv=3).fit(X, y)
    assert calls == ["evidence"] * 4
    plain = clone(pipe).set_params(select__memory=None)
    again = GridSearchCV(plain, grid, cv=3).fit(X, y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"]
    )


def test_memory_needs_a_seed(tmp_path):
    """Without one no fit would ever be found again."""
    X, y = clear_problem()
    words = r"needs an integer `random_state`\. Got None\."
    with pytest.raises(ValueError, match=words):
        selector(memory=str(tmp_path), random_state=None).fit(X, y)


def test_memory_needs_parameters_that_can_be_pickled(tmp_path):
    """A lambda has no content, which one sentence says."""
    X, y = clear_problem()
    step = selector(Ridge(), importance=lambda model, X, y: np.abs(model.coef_))
    with pytest.raises(ValueError, match=r"picklable .* or set `memory=None`"):
        step.set_params(memory=str(tmp_path)).fit(X, y)


@quiet
def test_pickles_carry_no_data():
    """A pickled selector is small, and all but new permuted runs work as before."""
    X, y = clear_problem(n=2000)
    fitted = selector(criterion="fdr").fit(X, y)
    written = pickle.dumps(fitted)
    assert len(written) < X.nbytes / 4
    read = pickle.loads(written)
    np.testing.assert_array_equal(read.transform(X), fitted.transform(X))
    for rule in RULES:
        if rule.get("alpha") == 0.02 and rule["criterion"] == "fdr":
            continue
        for each in (read, fitted):
            each.set_params(**{**EVERY, **rule})
        np.testing.assert_array_equal(read.get_support(), fitted.get_support())


@pytest.mark.parametrize("always_keep", [None, [0]])
def test_bounds_can_be_asked_for_after_a_pickle(always_keep):
    """They are worked out late, from what a pickle carries."""
    X, y = clear_problem()
    fitted = selector(
        criterion="pfer_r_concave", alpha=1.0, always_keep=always_keep
    ).fit(X, y)
    read = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        read.expected_false_positives_, fitted.expected_false_positives_
    )


def test_permuted_runs_need_the_data():
    """After a pickle they cannot be made any more, which is said with the numbers."""
    X, y = clear_problem()
    read = pickle.loads(pickle.dumps(selector().fit(X, y)))
    read.set_params(criterion="fdr")
    words = r"alpha=0\.1 needs 19 runs with permuted y, and 0 were made .* fit it again"
    with pytest.raises(ValueError, match=words):
        read.get_support()
    with pytest.raises(AttributeError, match=words):
        _ = read.q_values_
    assert read.set_params(criterion="prediction").get_support().any()
    read = pickle.loads(pickle.dumps(selector(criterion="fdr").fit(X, y)))
    with pytest.raises(ValueError, match="needs 99 runs with permuted y, and 19 were"):
        read.set_params(alpha=0.01).get_support()


def test_permuted_runs_are_made_once():
    """Whoever asks first makes them: figures, the support or the representation."""
    X, y = clear_problem(p=4)
    fitted = selector(OwnRidge(), importance="coef", n_resamples=2).fit(X, y)
    fitted.set_params(criterion="fdr")
    assert fitted.q_values_.shape == (4,)
    CALLS.clear()
    fitted.get_support()
    fitted._repr_html_()
    assert fitted.n_features_significant_ == (fitted.q_values_ <= 0.1).sum()
    assert not CALLS


def test_rules_that_do_not_fit_together_are_refused_after_fit():
    """The check of `fit` is made whenever the support is asked for."""
    X, y = clear_problem()
    fitted = selector().fit(X, y)
    for rule, words in (
        ({"alpha": 0.2}, "`alpha` belongs to the criteria"),
        ({"criterion": "best"}, "'criterion' parameter"),
        ({"max_features": 1, "min_features_to_select": 2}, "must be at least"),
    ):
        with pytest.raises(ValueError, match=words):
            clone_fitted(fitted).set_params(**rule).get_support()
        with pytest.raises(AttributeError, match=words):
            _ = clone_fitted(fitted).set_params(**rule).n_selected_


def clone_fitted(fitted):
    return pickle.loads(pickle.dumps(fitted))


@pytest.mark.filterwarnings("error::genestimators._exceptions.NothingSelectedWarning")
def test_nothing_selected_is_said_once_for_each_rule():
    """By `fit`, and by the support where another rule finds nothing."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8)), rng.normal(size=60)
    words = (
        "No feature is significant by criterion='fdr'; the best will be kept all the "
        "same, since min_features_to_select=1. Set it to 0 for an empty selection."
    )
    with pytest.warns(NothingSelectedWarning) as caught:
        fitted = selector(criterion="fdr").fit(X, y)
    assert [str(each.message) for each in caught] == [words]
    assert caught[0].filename == __file__
    fitted.transform(X)  # a warning would be an error here
    fitted.get_support()
    fitted.set_params(criterion="pfer")
    _ = fitted.stability_
    with pytest.warns(NothingSelectedWarning, match="criterion='pfer'"):
        fitted.get_support()
    assert fitted.n_features_significant_ == 0
    assert fitted.get_support().sum() == 1
    empty = selector(criterion="fdr", min_features_to_select=0).fit(X, y)
    assert not empty.get_support().any()
    kept = selector(criterion="fdr", always_keep=[3]).fit(X, y)
    assert kept.get_support(indices=True).tolist() == [3]
    with pytest.warns(NothingSelectedWarning, match="the best ones will be kept"):
        both = kept.set_params(min_features_to_select=3).get_support()
    assert both.sum() == 3


PFER = [name for name in CRITERIA if "pfer" in name]


@pytest.mark.parametrize("criterion", PFER)
@pytest.mark.parametrize("more", [{}, {"always_keep": [9]}])
def test_no_room_for_any_feature_is_said(criterion, more):
    """With few features the defaults of a bound may select nothing, whatever X holds.

    The alpha that the warning names is enough, and one a little below is not.
    """
    X, _ = clear_problem()
    y = X[:, 0] + 1e-6 * X[:, 1]  # the best of every draw
    X[:, 5] = 0.0  # never of use, so not counted
    settings = {"criterion": criterion, "min_features_to_select": 2, **more}
    number = "8 of 9" if more else "9 of 10"
    words = rf"no draw may keep even one of {number} units, .* an alpha of (.+) or more"
    with pytest.warns(NothingSelectedWarning, match=words) as caught:
        step = selector(alpha=0.01, **settings).fit(X, y)
    least = float(re.search(words, str(caught[0].message))[1])
    assert step.set_params(alpha=least).n_features_significant_ >= 1
    with pytest.warns(NothingSelectedWarning, match="no draw may keep"):
        step.set_params(alpha=least * 0.98).get_support()
    assert step.n_features_significant_ == 0


def test_room_that_is_there_is_not_spoken_of():
    """Nothing was found, though it could have been."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8)), rng.normal(size=60)
    for criterion in PFER:
        with pytest.warns(NothingSelectedWarning) as caught:
            selector(criterion=criterion, alpha=0.3).fit(X, y)
        assert "no draw" not in str(caught[0].message)


class OwnLogistic(LogisticRegression):
    """A logistic regression without a closed form."""


@quiet
@pytest.mark.parametrize("criterion", CRITERIA)
def test_representation_of_fitted_selectors(criterion):
    """The HTML of a fitted selector reads every attribute it has."""
    X, y = clear_problem(n=40, p=3, n_signal=2)
    settings = {"criterion": criterion, "n_resamples": 1, "always_keep": [2]}
    for estimator, target in ((None, y), (OwnLogistic(), y > 0)):
        step = selector(estimator, importance="coef", **settings)
        assert "StableFeatureSelector" in step.fit(X, target)._repr_html_()
        assert "StableFeatureSelector" in repr(step)
