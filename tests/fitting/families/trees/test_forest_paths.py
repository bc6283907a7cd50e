"""Out-of-bag answers of ensembles, their models, and how members are added up."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import RidgeClassifier

from genestimators.fitting import Response, _paths, find_family
from genestimators.fitting._composites import make_path
from genestimators.fitting.families.trees._forest_paths import means_of_first
from tests.fitting.families.trees.test_forest import data

ALPHAS = [0.02, 0.0, 0.2]
NUMBERS = [30, 25, 40]
MANY = {"n_estimators": 30, "random_state": 0}
FORESTS = [
    RandomForestRegressor(**MANY),
    ExtraTreesRegressor(bootstrap=True, max_samples=0.7, max_features=2, **MANY),
    RandomForestClassifier(class_weight="balanced_subsample", **MANY),
    ExtraTreesClassifier(bootstrap=True, max_depth=3, **MANY),
]
BAGS = [
    BaggingRegressor(max_features=2, **MANY),
    BaggingClassifier(max_samples=0.6, **MANY),
    BaggingClassifier(RidgeClassifier(), **MANY),
]


def values_of(estimator):
    """The served parameters with their values."""
    found = {"ccp_alpha": ALPHAS, "n_estimators": NUMBERS}
    return [(name, found[name]) for name in found if name in estimator.get_params()]


@pytest.mark.parametrize("estimator", [*FORESTS, *BAGS])
@pytest.mark.parametrize("weighted", [False, True])
def test_out_of_bag_answers_are_those_of_refits(estimator, weighted):
    """Those that scikit-learn stores with `oob_score=True`, at each value."""
    X, y, labels, rng = data(0)
    target = labels if is_classifier(estimator) else y
    weight = rng.integers(1, 4, len(y)).astype(float) if weighted else None
    for param, values in values_of(estimator):
        training = make_path(estimator, param, values, X, target, weight).training()
        assert training.covered.all()
        if is_classifier(estimator):
            answers, expected = training.predict_proba(X), "oob_decision_function_"
            winners = training.classes_[np.argmax(answers, axis=2)]
            np.testing.assert_array_equal(training.predict(X), winners)
        else:
            answers, expected = training.predict(X), "oob_prediction_"
        for value, own in zip(values, answers, strict=True):
            refit = clone(estimator).set_params(**{param: value}, oob_score=True)
            refit.fit(X, target, sample_weight=weight)
            # Bags divide votes by their sum, forests by the number of members.
            np.testing.assert_allclose(own, getattr(refit, expected), rtol=1e-12)


def test_out_of_bag_answers_of_several_outputs_are_those_of_refits():
    """Targets, and labels with different numbers of classes."""
    X, y, labels, _ = data(1)
    target = np.column_stack([y, y**2])
    codes = np.column_stack([np.unique(labels, return_inverse=True)[1], y > 0])
    for param, values in values_of(FORESTS[0]):
        training = make_path(FORESTS[0], param, values, X, target, None).training()
        own = make_path(FORESTS[2], param, values, X, codes, None).training()
        predicted, probable = training.predict(X), own.predict_proba(X)
        for i, value in enumerate(values):
            refit = clone(FORESTS[0]).set_params(**{param: value}, oob_score=True)
            expected = refit.fit(X, target).oob_prediction_
            np.testing.assert_array_equal(predicted[i], expected)
            # scikit-learn has no score for such labels, so trees are asked here.
            refit = clone(FORESTS[2]).set_params(**{param: value}).fit(X, codes)
            totals = [np.zeros(one[i].shape) for one in probable]
            times = np.zeros(len(y))
            pairs = zip(refit.estimators_, refit.estimators_samples_, strict=True)
            for tree, drawn in pairs:
                out = np.setdiff1d(np.arange(len(y)), drawn)
                times[out] += 1
                for total, part in zip(totals, tree.predict_proba(X[out]), strict=True):
                    total[out] += part
            for one, total in zip(probable, totals, strict=True):
                np.testing.assert_allclose(one[i], total / times[:, None], rtol=1e-12)
    assert own.predict(X).shape == (len(values), len(y), 2)


def test_rows_that_no_member_left_out_are_not_covered():
    """At the least number of members, so that all values answer the same rows."""
    X, y, _, _ = data(2)
    path = make_path(RandomForestRegressor(), "n_estimators", [9, 2], X, y, None)
    drawn = [set(rows) for rows in path.fitted.estimators_samples_[:2]]
    expected = [not all(row in rows for rows in drawn) for row in range(len(y))]
    assert 0 < np.mean(expected) < 1
    np.testing.assert_array_equal(path.training().covered, expected)
    parts = [part.training().covered for part in path.parts(2**23)]
    assert len(parts) == 2
    for part in parts:
        np.testing.assert_array_equal(part, expected)
    path = make_path(
        RandomForestRegressor(9, random_state=0), "ccp_alpha", ALPHAS, X, y, None
    )
    assert path.training().covered.mean() > np.mean(expected)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestRegressor(5, bootstrap=False),
        ExtraTreesClassifier(5),
        BaggingRegressor(n_estimators=5, bootstrap=False),
    ],
)
def test_members_fitted_on_all_rows_are_their_own_training_answer(estimator):
    """No row is out of bag."""
    X, y, labels, _ = data(3)
    target = labels if is_classifier(estimator) else y
    for param, _ in values_of(estimator):
        values = [3, 5] if param == "n_estimators" else ALPHAS
        path = make_path(estimator, param, values, X, target, None)
        assert path.training() is path


@pytest.mark.parametrize("estimator", FORESTS)
@pytest.mark.parametrize("param", ["ccp_alpha", "n_estimators"])
def test_models_of_a_path_are_refits(estimator, param):
    """The same trees, settings and importances, without another fit."""
    X, y, labels, _ = data(4)
    target = labels if is_classifier(estimator) else y
    values = dict(values_of(estimator))[param]
    path = make_path(estimator, param, values, X, target, None)
    path = pickle.loads(pickle.dumps(path))
    for i, value in enumerate(values):
        own = path.model(i)
        refit = clone(estimator).set_params(**{param: value}).fit(X, target)
        assert own.get_params() == refit.get_params()
        assert set(vars(own)) == set(vars(refit))
        assert len(own.estimators_) == len(refit.estimators_)
        for tree, other in zip(own.estimators_, refit.estimators_, strict=True):
            assert tree.get_params() == other.get_params()
            assert tree.tree_.node_count == other.tree_.node_count
        for method in ("predict", "predict_proba", "apply"):
            if hasattr(refit, method):
                expected = getattr(refit, method)(X)
                np.testing.assert_array_equal(getattr(own, method)(X), expected)
        np.testing.assert_array_equal(
            own.feature_importances_, refit.feature_importances_
        )
        for rows, others in zip(
            own.estimators_samples_, refit.estimators_samples_, strict=True
        ):
            np.testing.assert_array_equal(rows, others)


def test_models_that_need_an_out_of_bag_score_are_fitted():
    """With `oob_score=True` a fit gives what a part of another one does not have."""
    X, y, _, _ = data(5)
    for estimator in (FORESTS[0], BAGS[0]):
        scored = clone(estimator).set_params(oob_score=True)
        path = make_path(scored, "n_estimators", NUMBERS, X, y, None)
        assert [path.model(i) for i in range(3)] == [None] * 3
    path = make_path(BAGS[0], "n_estimators", NUMBERS, X, y, None)
    assert path.model(0) is None  # a smaller bag would keep all seeds
    np.testing.assert_array_equal(path.model(2).predict(X), path.predict(X)[2])


@pytest.mark.parametrize("estimator", [FORESTS[0], FORESTS[2], BAGS[1]])
def test_parts_are_the_path(estimator, monkeypatch):
    """Parts of few values answer as the whole path does, out of bag too."""
    monkeypatch.setattr(_paths, "MOST_ANSWERS", 1)
    X, y, labels, _ = data(6)
    response = Response("predict")
    if is_classifier(estimator):
        y, response = labels, Response("probability", (np.unique(labels),))
    for param, values in values_of(estimator):
        path = make_path(estimator, param, values, X, y, None)
        parts = list(path.parts(len(y)))
        assert len(parts) == len(values)
        joined = np.concatenate([response(part, X) for part in parts])
        np.testing.assert_array_equal(joined, response(path, X))
        joined = np.concatenate([response(part.training(), X) for part in parts])
        np.testing.assert_array_equal(joined, response(path.training(), X))


def test_means_are_those_of_the_members_that_answer():
    """Rows and members in any pattern, a member without rows, a row without members."""
    rng = np.random.default_rng(0)
    answers = rng.normal(size=(6, 5, 2))
    asked = rng.random((6, 5)) < 0.6
    asked[2] = False
    asked[:, 4] = False
    stream = [
        (np.flatnonzero(own), answer[own] if own.any() else None)
        for own, answer in zip(asked, answers, strict=True)
    ]
    numbers = [6, 1, 3, 6]
    means = means_of_first(iter(stream), numbers, 5)
    for number, mean in zip(numbers, means, strict=True):
        for row in range(5):
            own = asked[:number, row]
            expected = answers[:number, row][own].mean(axis=0) if own.any() else 0.0
            np.testing.assert_allclose(mean[row], expected)
    whole = means_of_first(((slice(None), answer) for answer in answers), [2], 5)
    np.testing.assert_allclose(whole[0], answers[:2].mean(axis=0))


@pytest.mark.parametrize("estimator", [FORESTS[0], FORESTS[2]])
def test_a_stronger_pruning_leaves_fewer_leaves(estimator):
    """Larger values of `ccp_alpha` prune more."""
    X, y, labels, _ = data(7)
    target = labels if is_classifier(estimator) else y
    family = find_family(estimator, "ccp_alpha")
    assert family.stronger == "larger"
    values = family.default_values(estimator, X, target, None)
    path = make_path(estimator, "ccp_alpha", values, X, target, None)
    leaves = [
        sum(tree.get_n_leaves() for tree in path.model(i).estimators_)
        for i in range(len(values))
    ]
    assert (np.diff(leaves) <= 0).all()
    assert leaves[-1] < leaves[0]
