"""Replicates that lack a class, or hold one class only."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from genestimators import (
    BlockBootstrap,
    Bootstrap,
    BootstrapBaggingClassifier,
    OneClassReplicateWarning,
    Subsample,
)
from tests.bagging.toys import PredictsOnly, aligned_proba, classification_data

BASES = {
    "tree": DecisionTreeClassifier(),
    "logistic": LogisticRegression(),
    "naive_bayes": GaussianNB(),
    "neighbors": KNeighborsClassifier(n_neighbors=2),
    "scaled_logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "svc": SVC(),
    "linear_svc": LinearSVC(),
    "ridge": RidgeClassifier(),
    "scaled_svc": make_pipeline(StandardScaler(), SVC()),
    "ovo": SVC(decision_function_shape="ovo"),
    "predicts_only": PredictsOnly(),
}
LABELS = ["a", "b", "c", "d"]


def sorted_classes(n_classes, n_rows=60):
    """Rows sorted by class, so that groups and blocks hold a class or two."""
    X, y = classification_data(n_rows, n_classes)
    order = np.argsort(y, kind="stable")
    return X[order], np.asarray(LABELS)[y[order]]


def assert_consistent(bag, X):
    """Rows sum to one, columns are those of `classes_`, and all answers agree."""
    n_classes = len(bag.classes_)
    predicted = bag.predict(X)
    if hasattr(bag, "predict_proba"):
        probability = bag.predict_proba(X)
        assert probability.shape == (len(X), n_classes)
        np.testing.assert_allclose(probability.sum(axis=1), 1)
        np.testing.assert_array_equal(predicted, bag.classes_[probability.argmax(1)])
    if hasattr(bag, "decision_function"):
        decision = bag.decision_function(X)
        winner = decision > 0 if n_classes == 2 else decision.argmax(axis=1)
        assert decision.shape == ((len(X),) if n_classes == 2 else (len(X), n_classes))
        np.testing.assert_array_equal(predicted, bag.classes_[winner.astype(int)])
    out = ~np.isnan(bag.oob_decision_function_.reshape(len(X), -1)).any(axis=1)
    assert out.mean() == pytest.approx(bag.oob_coverage_)
    assert np.isfinite(bag.oob_decision_function_[out]).all()
    if hasattr(bag, "predict_proba"):
        np.testing.assert_allclose(bag.oob_decision_function_[out].sum(axis=1), 1)


@pytest.mark.filterwarnings("ignore::genestimators.OneClassReplicateWarning")
@pytest.mark.parametrize("n_classes", [3, 4])
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_class_missing_from_a_replicate_of_groups(base, n_classes):
    """A class that lives in two of eight groups is absent from some replicates."""
    X, y = sorted_classes(n_classes)
    groups = np.repeat(np.arange(2 * n_classes), -(-60 // (2 * n_classes)))[:60]
    bag = BootstrapBaggingClassifier(
        base, n_estimators=10, resampling="group", random_state=0
    ).fit(X, y, groups=groups)
    assert min(len(member.classes_) for member in bag.estimators_) < n_classes
    assert_consistent(bag, X)


@pytest.mark.parametrize(
    "resampling",
    [
        BlockBootstrap(block_length=12, embargo=2),
        BlockBootstrap(kind="circular", block_length=15, embargo=0),
        Subsample(fraction=0.1, stratify=False),
        Bootstrap(stratify=False, max_samples=0.1),
    ],
)
@pytest.mark.parametrize(
    "base", [DecisionTreeClassifier(), LogisticRegression(), SVC()]
)
@pytest.mark.filterwarnings("ignore::genestimators.OneClassReplicateWarning")
def test_class_missing_from_other_replicates(base, resampling):
    """Blocks of sorted classes, and small draws, lack classes; all answers agree."""
    X, y = sorted_classes(4)
    bag = BootstrapBaggingClassifier(
        base, n_estimators=10, resampling=resampling, random_state=0
    ).fit(X, y)
    assert min(len(member.classes_) for member in bag.estimators_) < 4
    assert_consistent(bag, X)


def test_probabilities_are_put_in_the_columns_of_all_classes():
    """The mean over members counts a class they have not seen as impossible."""
    X, y = sorted_classes(3)
    bag = BootstrapBaggingClassifier(
        LogisticRegression(), n_estimators=10, resampling="group", random_state=0
    ).fit(X, y, groups=np.repeat(np.arange(6), 10))
    naive = np.mean(
        [aligned_proba(m, X, bag.classes_) for m in bag.estimators_], axis=0
    )
    np.testing.assert_allclose(bag.predict_proba(X), naive)


def test_decisions_never_prefer_a_class_that_was_not_seen():
    """A member's decision for a class it lacks is the least of its own."""
    X, y = sorted_classes(4)
    bag = BootstrapBaggingClassifier(
        LinearSVC(), n_estimators=10, resampling="group", random_state=0
    ).fit(X, y, groups=np.repeat(np.arange(6), 10))
    total = np.zeros((len(X), 4))
    for member in bag.estimators_:
        own = member.decision_function(X)
        if own.ndim == 1:
            own = np.column_stack([-own, own])
        for column, label in enumerate(bag.classes_):
            known = label in member.classes_
            seen = own[:, member.classes_ == label] if known else own
            total[:, column] += seen.min(axis=1)
    assert {len(member.classes_) for member in bag.estimators_} >= {3}
    np.testing.assert_allclose(bag.decision_function(X), total / 10)


@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed", "vote", "logit"])
def test_every_aggregate_with_missing_classes(aggregate):
    """Answers agree and rows sum to one under every way of combining members."""
    X, y = sorted_classes(3)
    bag = BootstrapBaggingClassifier(
        DecisionTreeClassifier(max_depth=2),
        n_estimators=10,
        aggregate=aggregate,
        resampling="group",
        random_state=0,
    ).fit(X, y, groups=np.repeat(np.arange(6), 10))
    assert min(len(member.classes_) for member in bag.estimators_) < 3
    assert_consistent(bag, X)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_replicates_of_one_class_warn_and_work(base, n_classes):
    """One class only is predicted everywhere, even by bases that refuse to fit it."""
    X, y = sorted_classes(n_classes)
    groups = np.repeat(np.arange(n_classes), 60 // n_classes)
    bag = BootstrapBaggingClassifier(
        base, n_estimators=10, resampling="group", random_state=0
    )
    with pytest.warns(OneClassReplicateWarning, match="of 10 replicates hold rows of"):
        bag.fit(X, y, groups=groups)
    single = [member for member in bag.estimators_ if len(member.classes_) == 1]
    assert 0 < len(single) < 10
    for member in single:
        assert set(member.predict(X)) == set(member.classes_)
    assert_consistent(bag, X)


def test_warning_points_at_the_call_of_fit():
    """The warning shows the line of the user's own code."""
    X, y = sorted_classes(2)
    bag = BootstrapBaggingClassifier(n_estimators=10, resampling="group")
    with pytest.warns(OneClassReplicateWarning) as caught:
        bag.set_params(random_state=0).fit(X, y, groups=np.repeat([0, 1], 30))
    assert caught[0].filename == __file__


def test_default_bootstrap_loses_no_class():
    """The stratified bootstrap keeps a class of two rows in every replicate."""
    X, _ = sorted_classes(2)
    y = np.r_[["rare"] * 2, ["common"] * 58]
    with warnings.catch_warnings():
        warnings.simplefilter("error", OneClassReplicateWarning)
        bag = BootstrapBaggingClassifier(
            LogisticRegression(), n_estimators=20, random_state=0
        ).fit(X, y)
    assert all(len(member.classes_) == 2 for member in bag.estimators_)


def test_class_of_weight_zero_rows_only():
    """A class whose rows all have weight zero does not exist for the bag."""
    X, y = sorted_classes(3)
    weight = (y != "b").astype(float)
    bag = BootstrapBaggingClassifier(LogisticRegression(), n_estimators=10)
    bag.set_params(random_state=0).fit(X, y, sample_weight=weight)
    assert bag.classes_.tolist() == ["a", "c"]
    assert set(bag.predict(X)) <= {"a", "c"}
    assert np.isnan(bag.oob_decision_function_[y == "b"]).all()
