"""Things a bag must not do, however it is used."""

import io

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import RepeatedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BlockBootstrap,
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    Folds,
    OutOfBagWarning,
    Subsample,
)

X, Y = make_regression(80, 4, noise=20, random_state=0)
A, B = make_classification(80, 5, flip_y=0.2, random_state=0)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_bases_that_work_in_place_change_nothing_of_the_callers(n_jobs):
    """Rows to answer for are copied for a base that was told not to copy."""
    holes = X.copy()
    holes[np.random.default_rng(0).random(X.shape) < 0.3] = np.nan
    before = holes.copy()
    found = []
    for copy in (False, True):
        pipe = make_pipeline(
            SimpleImputer(copy=copy), DecisionTreeRegressor(max_depth=3)
        )
        bag = BootstrapBaggingRegressor(
            pipe, n_estimators=10, random_state=0, n_jobs=n_jobs
        ).fit(holes, Y)
        found.append((bag.oob_score_, bag.predict(holes)))
        np.testing.assert_array_equal(holes, before)
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_scores_that_are_not_corrected_use_every_out_of_bag_row():
    """Accuracy and log loss are those of oob_decision_function_, weights included."""
    weight = np.random.default_rng(0).integers(1, 6, 80).astype(float)
    for n_estimators in (10, 20):
        for scoring in (True, "neg_log_loss"):
            bag = BootstrapBaggingClassifier(
                DecisionTreeClassifier(max_depth=3),
                n_estimators=n_estimators,
                oob_score=scoring,
                random_state=0,
            )
            with pytest.warns(OutOfBagWarning, match="weight_mode"):
                bag.fit(A, B, sample_weight=weight)
            answer = bag.oob_decision_function_
            out = ~np.isnan(answer[:, 0])
            if scoring is True:
                expected = accuracy_score(
                    B[out], answer[out].argmax(axis=1), sample_weight=weight[out]
                )
            else:
                expected = -log_loss(B[out], answer[out], sample_weight=weight[out])
            assert bag.oob_score_ == pytest.approx(expected)


def test_few_members_are_scored_on_every_row_they_left_out():
    """Two members: rows out of bag once count, though they cannot be corrected."""
    bag = BootstrapBaggingRegressor(n_estimators=2, random_state=0).fit(X, Y)
    out = ~np.isnan(bag.oob_prediction_)
    error = (bag.oob_prediction_[out] - Y[out]) ** 2
    assert bag.oob_score_ == pytest.approx(1 - error.mean() / Y[out].var())


@pytest.mark.parametrize("resampling", ["bootstrap", "group"])
def test_equal_rows_with_other_weights_or_groups_in_any_order(resampling):
    """Rows of equal content are told apart by what else they have."""
    rng = np.random.default_rng(0)
    rows = np.round(X[:, :2]).clip(-1, 1)
    target = np.round(Y / 50)
    weight, groups = rng.choice([0.5, 1, 2], 80), rng.integers(0, 12, 80)
    order = rng.permutation(80)
    bag = BootstrapBaggingRegressor(
        Ridge(),
        n_estimators=10,
        random_state=0,
        weight_mode="importance",
        resampling=resampling,
    )
    first = bag.fit(rows, target, sample_weight=weight, groups=groups).predict(rows)
    score, error = bag.oob_score_, bag.oob_score_std_error_
    bag.fit(
        rows[order], target[order], sample_weight=weight[order], groups=groups[order]
    )
    np.testing.assert_array_equal(bag.predict(rows), first)
    assert bag.oob_score_ == pytest.approx(score, rel=1e-12)
    assert bag.oob_score_std_error_ == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_outliers_do_not_give_the_draws_to_rounding_noise(seed):
    """One huge row, or a sentinel value, behind a scaler fitted in another order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(80)
    huge, sentinel = X.copy(), X.copy()
    huge[0] = 1e9
    sentinel[rng.random(80) < 0.1, 0] = -999999999.0
    for table in (huge, sentinel):
        scaled = StandardScaler().fit_transform(table)
        shuffled = np.empty_like(scaled)
        shuffled[order] = StandardScaler().fit_transform(table[order])
        ours = Bootstrap().prepare(scaled, Y, seed=seed)
        theirs = Bootstrap().prepare(shuffled, Y, seed=seed)
        for number in range(10):
            counts = np.zeros((2, 80))
            for side, draws in enumerate((ours, theirs)):
                np.add.at(counts[side], draws[number].rows, draws[number].counts)
            assert (counts[0] != counts[1]).sum() <= 4


@pytest.mark.parametrize(
    "resampling",
    [BlockBootstrap(block_length=5, embargo=0), Bootstrap(key="position")],
)
def test_growth_on_other_data_after_a_plain_fit(resampling):
    """Draws by position do not see other data; the fit does."""
    bag = BootstrapBaggingRegressor(Ridge(), resampling=resampling, n_estimators=5)
    bag.fit(X, Y).set_params(warm_start=True, n_estimators=8)
    with pytest.raises(ValueError, match="on the data it was fitted on"):
        bag.fit(X * 3, Y)


@pytest.mark.parametrize(
    "change",
    [
        {"estimator": Lasso()},
        {"estimator__alpha": 10.0},
        {"max_features": 2},
        {"resampling": Subsample(0.502)},
    ],
)
def test_growth_with_other_settings(change):
    """Members of two kinds are not mixed in silence."""
    bag = BootstrapBaggingRegressor(
        Ridge(), resampling=Subsample(0.5), n_estimators=5, warm_start=True
    ).fit(X, Y)
    with pytest.raises(ValueError, match=r"and these differ|ways to resample differ"):
        bag.set_params(n_estimators=8, **change).fit(X, Y)


def test_growth_with_an_array_of_another_shape():
    """Parameters that are arrays are compared, shapes included."""
    penalties = np.ones(4)
    bag = BootstrapBaggingRegressor(
        Ridge(alpha=penalties[:1]), n_estimators=3, warm_start=True
    ).fit(X, Y)
    assert bag.set_params(n_estimators=4).fit(X, Y).n_estimators_ == 4
    with pytest.raises(ValueError, match="and these differ"):
        bag.set_params(n_estimators=5, estimator__alpha=penalties).fit(X, Y)


def test_growth_of_a_pipeline_with_missing_values_to_fill():
    """A parameter that is NaN is equal to itself, also after a pickle."""
    pipe = make_pipeline(SimpleImputer(), Ridge())
    bag = BootstrapBaggingRegressor(pipe, n_estimators=5, warm_start=True).fit(X, Y)
    buffer = io.BytesIO()
    joblib.dump(bag, buffer)
    buffer.seek(0)
    bag = joblib.load(buffer)
    assert bag.set_params(n_estimators=8).fit(X, Y).n_estimators_ == 8


def test_growth_of_a_bag_mapped_from_a_file(tmp_path):
    """Sums that cannot be written are made again."""
    bag = BootstrapBaggingRegressor(n_estimators=5, warm_start=True, random_state=0)
    joblib.dump(bag.fit(X, Y), tmp_path / "bag.joblib")
    mapped = joblib.load(tmp_path / "bag.joblib", mmap_mode="r")
    mapped.set_params(n_estimators=12).fit(X, Y)
    whole = BootstrapBaggingRegressor(n_estimators=12, random_state=0).fit(X, Y)
    assert mapped.oob_score_ == whole.oob_score_


@pytest.mark.parametrize("warm_start", [True, False])
def test_a_refused_fit_leaves_the_model_usable(warm_start):
    """A fit that fails forgets nothing of the one before."""
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=5, warm_start=warm_start)
    bag.fit(X, Y)
    with pytest.raises(ValueError, match=r"features|rows"):
        bag.fit(X[:, :2], Y[: 80 if warm_start else 79])
    assert bag.n_features_in_ == 4
    assert len(bag.predict(X)) == 80


def test_refit_on_rows_without_columns():
    """The number of columns of an earlier table is forgotten."""
    texts = [f"word{i % 3} other" for i in range(80)]
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=3).fit(X, Y)
    bag.set_params(estimator=make_pipeline(TfidfVectorizer(), Ridge())).fit(texts, Y)
    assert not hasattr(bag, "n_features_in_")
    assert len(bag.predict(texts)) == 80


def test_estimators_of_the_wrong_kind():
    """A regressor cannot vote, and labels cannot be averaged."""
    with pytest.raises(ValueError, match=r"wraps a classifier.*is a regressor"):
        BootstrapBaggingClassifier(Ridge()).fit(A, B)
    with pytest.raises(ValueError, match=r"wraps a regressor.*is a classifier"):
        BootstrapBaggingRegressor(LogisticRegression()).fit(A, B)


def test_auto_keeps_to_the_maximum_with_folds():
    """Folds are draws, and no more of them than `max_estimators` are used."""
    folds = Folds(RepeatedKFold(n_splits=5, n_repeats=20, random_state=0))
    bag = BootstrapBaggingRegressor(resampling=folds, max_estimators=20).fit(X, Y)
    assert bag.n_estimators_ <= 20
    with pytest.raises(ValueError, match="at least one split"):
        Folds(iter([])).prepare(X, Y)


def test_a_backend_that_gives_results_back_all_at_once():
    """joblib's multiprocessing backend has no generators; results are the same."""
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=7, random_state=0).fit(X, Y)
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        other = BootstrapBaggingRegressor(Ridge(), n_estimators=7, random_state=0)
        other.fit(X, Y)
        np.testing.assert_array_equal(other.predict(X), bag.predict(X))
    assert other.oob_score_ == bag.oob_score_


def test_scorers_that_cannot_score_the_rows_there_are():
    """A class of one row is never out of bag: the score is NaN, the bag is there."""
    labels = np.digitize(Y, [-50, 50])
    labels[0] = 7
    bag = BootstrapBaggingClassifier(n_estimators=20, oob_score="neg_log_loss")
    with pytest.warns(OutOfBagWarning, match="could not be scored and are NaN"):
        bag.fit(X, labels)
    assert np.isnan(bag.oob_score_)
    assert bag.n_estimators_ == 20


class Unfittable(Ridge):
    """Fails if it is ever fitted."""

    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("fitted before the scorer was tried")


def test_scorers_that_do_not_fit_fail_before_the_fits():
    """A wrong scorer costs no fit, and a note says when it was tried."""
    bag = BootstrapBaggingRegressor(Unfittable(), oob_score="accuracy")
    with pytest.raises(ValueError, match="continuous is not supported") as raised:
        bag.fit(X, Y)
    assert "`oob_score` was tried" in raised.value.__notes__[0]
    bag = BootstrapBaggingClassifier(LinearSVC(), oob_score="neg_log_loss")
    with pytest.raises(AttributeError, match="predict_proba"):
        bag.fit(A, B)


def test_scorers_see_the_rows_they_score():
    """A scorer of the user's own gets X itself."""

    def weighted_error(estimator, rows, target):
        return -np.mean(np.abs(estimator.predict(rows) - target) * np.abs(rows[:, 0]))

    bag = BootstrapBaggingRegressor(
        n_estimators=10, oob_score=weighted_error, random_state=0
    ).fit(X, Y)
    error = np.abs(bag.oob_prediction_ - Y) * np.abs(X[:, 0])
    assert bag.oob_score_ == pytest.approx(-error.mean())


def test_numpy_booleans_as_oob_score():
    """np.True_ and np.False_ are as good as Python's."""
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=3, oob_score=np.False_)
    assert not hasattr(bag.fit(X, Y), "oob_score_")
    assert hasattr(bag.set_params(oob_score=np.True_).fit(X, Y), "oob_score_")


def test_lists_of_rows_of_several_kinds():
    """Text and missing values in a list of rows stay what they are."""
    rows = [["a" if i % 3 else np.nan, float(i)] for i in range(80)]
    pipe = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore"),
        Ridge(),
    )
    assert len(
        BootstrapBaggingRegressor(pipe, n_estimators=3).fit(rows, Y).predict(rows)
    )


def test_matrices_and_missing_groups_are_refused():
    """np.matrix rows cannot be taken; a missing label is no group."""
    with pytest.raises(TypeError, match=r"must not be a np\.matrix"):
        BootstrapBaggingRegressor(Ridge()).fit(np.asmatrix(X), Y)
    groups = np.repeat(np.arange(8.0), 10)
    groups[3] = np.nan
    with pytest.raises(ValueError, match="must not have missing labels"):
        BootstrapBaggingRegressor(Ridge(), resampling="group").fit(X, Y, groups=groups)


def test_samples_are_rows_as_often_as_drawn_whatever_their_weight():
    """Importance weights multiply counts and repeat nothing."""
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=3, weight_mode="importance", random_state=0
    ).fit(X, Y, sample_weight=np.full(80, 5.0))
    assert [len(rows) for rows in bag.estimators_samples_] == [80, 80, 80]
