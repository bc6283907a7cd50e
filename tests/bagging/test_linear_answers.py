"""Linear members answer together as they do one by one."""

import warnings
from functools import partial

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OneClassReplicateWarning,
    OutOfBagWarning,
    Subsample,
)
from genestimators.bagging._aggregate import median_answer, trimmed_answer
from genestimators.fitting.families.linear import _gathered, _linear_totals
from tests.bagging.toys import classification_data, regression_data

COMBINED = {
    "median": median_answer,
    "trimmed": trimmed_answer,
    **dict.fromkeys(("mean", "vote", "logit"), partial(np.mean, axis=0)),
}
CLASSES = sorted(
    _gathered._REGRESSORS | _gathered._CLASSIFIERS, key=lambda kind: kind.__name__
)


def fitted(estimator, X, y, **settings):
    """A bag of an estimator; what its members warn of is not the subject here."""
    kind = BootstrapBaggingRegressor
    if is_classifier(estimator):
        kind = BootstrapBaggingClassifier
    bag = kind(estimator, **({"n_estimators": 10, "random_state": 0} | settings))
    with warnings.catch_warnings():
        for known in (ConvergenceWarning, OneClassReplicateWarning, OutOfBagWarning):
            warnings.simplefilter("ignore", known)
        return bag.fit(X, y)


def one_by_one(bag, X):
    """The answer of a bag by its fitted members, asked one after the other."""
    answers = []
    for model, columns in zip(bag.estimators_, bag.estimators_features_, strict=True):
        whole = len(columns) == bag.n_features_in_
        if whole:
            own = X
        else:
            own = X.iloc[:, columns] if hasattr(X, "iloc") else X[:, columns]
        answers.append(bag._response(model, own))
    return COMBINED[bag.aggregate](np.stack(answers))


def answer_of(bag, X):
    """The answer of the bag itself, in the same form."""
    return bag._answer(X, "predict", {})


def assert_answers(bag, X, rtol=1e-12):
    """To twelve digits of the largest; labels of votes to the last."""
    ours, theirs = answer_of(bag, X), one_by_one(bag, X)
    if bag._response.kind == "vote":
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(
        ours, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max()
    )


def forms_of(X):
    """The same rows in several containers, and fewer of them."""
    return {
        "array": X,
        "one row": X[:1],
        "no order": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "single": X.astype(np.float32),
        "whole numbers": np.rint(X).astype(np.int64),
        "sparse": sparse.csr_array(X),
        "columns": sparse.csc_array(X),
        "lists": X.tolist(),
    }


# What makes the slow ones quick.
QUICK = {
    "LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "RidgeClassifierCV": {"cv": 2},
    "TheilSenRegressor": {"max_subpopulation": 10},
}


@pytest.mark.parametrize("max_features", [1.0, 0.75])
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_of_the_table_predicts_as_it_is_known_to(kind, max_features):
    """Each is gathered, and its members agree, in labels of three classes too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # some are on their way out
        estimator = kind(**QUICK.get(kind.__name__, {}))
        X, y = regression_data(60)
        if is_classifier(estimator):
            X, y = classification_data(60, labels=["a", "b", "c"])
        elif kind.__name__.startswith("MultiTask"):
            y = np.column_stack([y, X[:, 2] - y])
        bag = fitted(
            estimator, X, y, n_estimators=5, max_features=max_features, engine="generic"
        )
    [(path, _, _)] = bag_runs(bag)
    likely = bag._response.kind != "probability" or kind in _gathered._LIKELY
    assert isinstance(path, _gathered.GatheredMembers) == likely
    assert_answers(bag, X)


def bag_runs(bag):
    """How the members of a bag answer together."""
    bag.__dict__["_mean_member"], mean = None, bag._mean_member
    try:
        answer_of(bag, np.zeros((1, bag.n_features_in_)))
        return bag._kept.made["runs"]
    finally:
        bag._mean_member = mean


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed"])
@pytest.mark.parametrize("settings", [{}, {"engine": "generic"}, {"max_features": 0.5}])
def test_regressors_in_any_container(settings, aggregate, seed):
    """Weights, offsets far from zero, and rows as they come."""
    X, y = regression_data(70, 6, seed=seed)
    X[:, 2] += 1e6
    rng = np.random.default_rng(seed)
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=15, aggregate=aggregate, random_state=seed, **settings
    ).fit(X, y, sample_weight=rng.integers(0, 3, len(y)))
    # One column is a million times as large as what it adds, so six digits go.
    for name, rows in forms_of(X).items():
        rtol = 1e-2 if name == "single" else 1e-8
        if name != "lists":
            assert_answers(bag, rows, rtol=rtol)
        else:
            np.testing.assert_array_equal(bag.predict(rows), bag.predict(X))


@pytest.mark.parametrize("aggregate", ["mean", "median", "vote", "logit"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RidgeClassifier(),
        LinearSVC(),
        Perceptron(),
        LinearDiscriminantAnalysis(),
        SGDClassifier(loss="log_loss", random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_classifiers_in_any_container(estimator, n_classes, aggregate):
    """Votes exactly, probabilities and decisions but for rounding, by both engines."""
    if aggregate == "logit" and not hasattr(estimator, "predict_proba"):
        aggregate = "trimmed"
    takes_sparse = get_tags(estimator).input_tags.sparse
    seed = n_classes + len(aggregate)
    X, y = classification_data(
        50, n_classes, seed=seed, labels=["a", "b", "c"][:n_classes]
    )
    for settings in ({}, {"engine": "generic"}, {"max_features": 0.75}):
        bag = fitted(estimator, X, y, aggregate=aggregate, **settings)
        for name, rows in forms_of(X).items():
            if name == "lists":
                np.testing.assert_array_equal(bag.predict(rows), bag.predict(X))
            elif not sparse.issparse(rows):
                assert_answers(bag, rows)
            elif takes_sparse and not (name == "columns" and bag.max_features < 1):
                assert_answers(bag, rows)


def test_single_precision_stays_what_it_is():
    """Members of single precision, asked with rows of theirs, agree to its digits."""
    X, y = regression_data(200, 6)
    bag = fitted(Ridge(), X.astype(np.float32), y.astype(np.float32), engine="generic")
    assert bag.estimators_[0].coef_.dtype == np.float32
    assert_answers(bag, X.astype(np.float32), rtol=1e-6)
    assert_answers(bag, X)
    X, y = classification_data(200)
    bag = fitted(LogisticRegression(), X.astype(np.float32), y, engine="generic")
    assert_answers(bag, X.astype(np.float32), rtol=1e-6)


def test_frames_in_any_order_of_engine():
    """Names of columns are checked, and their numbers used."""
    pd = pytest.importorskip("pandas")
    X, y = regression_data(60)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["b"] = np.rint(frame["b"]).astype("int64")
    for settings in ({}, {"engine": "generic"}, {"max_features": 0.75}):
        bag = fitted(HuberRegressor(), frame, y, **settings)
        assert_answers(bag, frame)
        with pytest.raises(ValueError, match="feature names should match"):
            bag.predict(frame[list("bacd")])
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            bag.predict(frame.to_numpy())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_scores", [1, 2, 3, 7])
def test_votes_of_equal_scores_go_to_the_first(n_scores, seed):
    """As `argmax` has it, also where a score is not a number."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, (n_scores, 300, 40)).astype(np.float64)
    scores[rng.uniform(size=scores.shape) < 0.01] = np.nan
    choice = scores.argmax(axis=0)
    if n_scores == 1:
        scores -= 1.0
        choice = (scores[0] > 0).astype(int)
    every = np.arange(max(2, n_scores))[:, None, None]
    np.testing.assert_array_equal(
        _linear_totals._votes(scores), (choice == every).sum(axis=1)
    )


def test_rows_are_answered_in_chunks(monkeypatch):
    """How many rows are asked at a time changes nothing but the last digit."""
    X, y = classification_data(90)
    for aggregate in ("mean", "vote", "logit"):
        bag = fitted(LogisticRegression(), X, y, aggregate=aggregate)
        whole = answer_of(bag, X)
        monkeypatch.setattr(_linear_totals, "_CACHED", 1)
        np.testing.assert_allclose(answer_of(bag, X), whole, rtol=1e-13)
        monkeypatch.undo()


def test_extreme_scores_are_certain():
    """Far from the boundary probabilities are zero and one, without a warning."""
    X, y = classification_data(60, 2)
    for engine in ("auto", "generic"):
        bag = fitted(LogisticRegression(), X, y, engine=engine)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            probability = bag.predict_proba(1e5 * X)
        np.testing.assert_allclose(probability.sum(axis=1), 1.0)
        votes = bag.n_estimators_ * probability
        np.testing.assert_allclose(votes, np.rint(votes), atol=1e-9)
        assert probability.min() >= 0


def test_members_that_lack_a_class_are_asked_one_by_one():
    """Small replicates miss classes, some all but one."""
    X, y = classification_data(60)
    for estimator in (LogisticRegression(), RidgeClassifier()):
        for aggregate in ("mean", "vote"):
            bag = fitted(
                estimator,
                X,
                y,
                aggregate=aggregate,
                resampling=Subsample(0.05, stratify=False),
                engine="generic",
                oob_score=False,
                n_estimators=30,
            )
            seen = {len(model.classes_) for model in bag.estimators_}
            assert {2, 3} <= seen
            assert_answers(bag, X)


def test_several_outputs():
    """Targets of several columns, whose labels are not classes."""
    X, y = regression_data(60)
    Y = np.column_stack([y, X[:, 0] - y, X[:, 1]])
    for engine in ("auto", "generic"):
        bag = fitted(Ridge(), X, Y, engine=engine)
        assert bag.predict(X).shape == Y.shape
        assert_answers(bag, X)
        bag = fitted(RidgeClassifier(), X, (Y > 0).astype(int), engine=engine)
        assert_answers(bag, X)


def test_links_are_not_linear():
    """Where a mean of members is no member, they are asked."""
    X, y = regression_data(60)
    bag = fitted(PoissonRegressor(), X, np.exp(y), engine="generic")
    assert bag._mean_member is None
    assert_answers(bag, X)


class Doubled(Ridge):
    """A Ridge that predicts otherwise."""

    def predict(self, X):
        return 2 * super().predict(X)


def test_subclasses_are_asked_themselves():
    """What they make of their coefficients is their own business."""
    X, y = regression_data(60)
    bag = fitted(Doubled(), X, y)
    plain = fitted(Ridge(), X, y, engine="generic")
    np.testing.assert_allclose(bag.predict(X), 2 * plain.predict(X))


def test_a_fit_forgets_what_the_one_before_had_made():
    """Answers are those of the last fit, grown or new."""
    X, y = classification_data(60)
    bag = BootstrapBaggingClassifier(
        LinearSVC(), n_estimators=5, aggregate="vote", warm_start=True, random_state=0
    ).fit(X, y)
    bag.predict(X)
    bag.set_params(n_estimators=12).fit(X, y)
    assert_answers(bag, X)
    bag.set_params(warm_start=False).fit(X, y[::-1])
    assert_answers(bag, X)


BROKEN = {"NaN": np.nan, "infinity": np.inf}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(
    "settings", [{}, {"engine": "generic"}, {"max_features": 0.75}]
)
@pytest.mark.parametrize(
    "estimator",
    [
        Ridge(),
        LinearRegression(),
        ElasticNet(alpha=0.1),
        Lasso(alpha=1e3),  # all coefficients are zero
        HuberRegressor(),
        LogisticRegression(),
        RidgeClassifier(),
        LinearSVC(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_is_not_finite_is_refused_as_members_would(estimator, settings, value):
    """Dense or sparse, in the words of the estimator that was bagged."""
    X, y = regression_data(60)
    if is_classifier(estimator):
        X, y = classification_data(60)
    bag = fitted(estimator, X, y, **settings)
    for column in range(4):
        rows = X.copy()
        rows[7, column] = value
        alone = clone(estimator).fit(X, y)
        for own in (rows, sparse.csr_array(rows), rows[7:8], rows.astype(np.float32)):
            if sparse.issparse(own) and isinstance(estimator, ElasticNet):
                with pytest.raises(ValueError, match="Input X contains"):
                    bag.predict(own)  # by itself it answers NaN
                continue
            with pytest.raises(ValueError, match="Input X contains") as theirs:
                alone.predict(own)
            with pytest.raises(ValueError, match="Input X contains") as ours:
                bag.predict(own)
            assert str(ours.value) == str(theirs.value)


def test_columns_that_no_member_sees_may_hold_anything():
    """They are nobody's business, with members alone as in a bag."""
    X, y = regression_data(60, 8)
    bag = fitted(Ridge(), X, y, max_features=1, n_estimators=3)
    unseen = np.setdiff1d(np.arange(8), np.concatenate(bag.estimators_features_))
    rows = X.copy()
    rows[:, unseen] = np.nan
    np.testing.assert_array_equal(bag.predict(rows), bag.predict(X))


def test_large_numbers_are_no_infinities():
    """Numbers whose sum overflows are finite."""
    X, y = regression_data(60)
    for engine in ("auto", "generic"):
        bag = fitted(Ridge(), X, y, engine=engine)
        rows = np.full((2, 4), 1e308)
        rows[1] *= -1
        with np.errstate(over="ignore", invalid="ignore"):
            assert bag.predict(rows).shape == (2,)


def test_things_that_are_no_numbers_are_refused():
    """Numbers written as texts are none."""
    X, y = regression_data(60)
    for engine in ("auto", "generic"):
        bag = fitted(Ridge(), X, y, engine=engine)
        with pytest.raises(ValueError, match="numeric"):
            bag.predict(X.astype(str))
        with pytest.raises(ValueError, match="0 sample"):
            bag.predict(X[:0])
        with pytest.raises(ValueError, match="has 3 features"):
            bag.predict(X[:, :3])
        with pytest.raises(ValueError, match="Expected 2D array"):
            bag.predict(X[0])


def test_intervals_by_members_together():
    """The members' answers that intervals are made of are the same."""
    X, y = regression_data(80)
    for engine in ("auto", "generic"):
        bag = fitted(Ridge(), X, y, engine=engine, n_estimators=25)
        together = bag.predict_interval(X)
        bag._kept.made["runs"] = [(None, list(bag.estimators_), bag._features)]
        np.testing.assert_allclose(bag.predict_interval(X), together, rtol=1e-10)


@pytest.mark.parametrize("aggregate", ["mean", "vote"])
@pytest.mark.parametrize(
    "base",
    [LogisticRegression(), LinearDiscriminantAnalysis(), RidgeClassifier(), Ridge()],
    ids=lambda base: type(base).__name__,
)
def test_numbers_written_as_text_are_refused(base, aggregate):
    """As scikit-learn refuses them in each member."""
    kind = BootstrapBaggingClassifier if is_classifier(base) else None
    X, y = regression_data(40)
    if kind is None:
        bag = BootstrapBaggingRegressor(base, n_estimators=5).fit(X, y)
    else:
        bag = kind(base, n_estimators=5, aggregate=aggregate).fit(X, y > 0)
    with pytest.raises(ValueError, match="numeric"):
        bag.predict(X.astype(str))
