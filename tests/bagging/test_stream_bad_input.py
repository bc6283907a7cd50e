"""Batches that do not belong to a stream: one clear sentence, and nothing is lost."""

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import (
    Perceptron,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor

from genestimators import (
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
)
from tests.bagging.stream_toys import BY_POSITION, CountsRows, Fails
from tests.bagging.toys import classification_data, regression_data

X, Y = regression_data()
WORDS = np.array(["a", "b", "c"])
LABELS = classification_data(labels=WORDS)[1]


def regressor(base=None, **params):
    base = SGDRegressor() if base is None else base
    return BootstrapBaggingRegressor(
        base, **{"n_estimators": 10, "random_state": 0, **params}
    )


def classifier(base=None, **params):
    base = SGDClassifier() if base is None else base
    return BootstrapBaggingClassifier(
        base, **{"n_estimators": 10, "random_state": 0, **params}
    )


def assert_nothing_is_lost(bag, batch, message, error=ValueError, **given):
    """A batch is refused; the bag is what it was, to the byte, and goes on."""
    before = pickle.dumps(bag)
    untouched = pickle.loads(before)
    with pytest.raises(error, match=message):
        bag.partial_fit(*batch, **given)
    assert pickle.dumps(bag) == before
    return untouched


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (
            (X[:, :3], Y),
            "X has 3 features, but BootstrapBaggingRegressor is expecting 4",
        ),
        ((X[:0], Y[:0]), r"0 sample\(s\) while a minimum of 1 is required by Bootst"),
        ((X, Y[:-1]), "same number of rows. Got 60 and 59"),
        ((X, np.r_[np.nan, Y[1:]]), "y contains NaN"),
        ((X, LABELS), "y must hold numbers for a regressor"),
        ((X, np.c_[Y, Y]), "as many outputs as at first, 1. Got 2"),
        ((np.where(X > 2, np.inf, X), Y), "infinity"),  # said by the estimator
        ((X, Y, -np.ones(60)), "must not be negative"),
        ((X, Y, np.full(60, 1000.0)), "mean weight of 1000"),
        ((X, Y, np.ones(3)), "one weight for each of the 60 rows"),
    ],
)
@pytest.mark.parametrize("begun", ["before", "not", "by fit"])
def test_batches_of_numbers_that_do_not_fit(batch, message, begun):
    """Whatever is wrong, the stream is where it was."""
    bag = regressor()
    if begun == "before":
        bag.partial_fit(X[:30], Y[:30])
    elif begun == "by fit":
        bag.fit(X[:30], Y[:30])
    elif batch[0].shape[1] != 4 or np.ndim(batch[1]) > 1:
        return  # there is nothing to differ from
    untouched = assert_nothing_is_lost(bag, batch, message)
    bag.partial_fit(X[30:], Y[30:])
    untouched.partial_fit(X[30:], Y[30:])
    np.testing.assert_array_equal(bag.predict(X), untouched.predict(X))


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((X, np.where(LABELS == "a", "z", LABELS)), r"\['a', 'b', 'c'\]. Got \['z'\]"),
        ((X, LABELS, ["a", "b"]), r"same at every call.*Got \['a', 'b'\]"),
        ((X, LABELS, ["a", "b", "c", "d"]), "same at every call.*leave it out"),
        (
            (X, LABELS, [["a", "b", "c"]]),
            r"one dimension. Got an array of shape \(1, 3",
        ),
        ((X, np.c_[LABELS, LABELS]), "as many outputs as at first, 1. Got 2"),
        ((X, Y), "Unknown label type"),
        ((X[:, :3], LABELS), "X has 3 features"),
    ],
)
@pytest.mark.parametrize("begin", ["partial_fit", "fit"])
def test_batches_of_labels_that_do_not_fit(batch, message, begin):
    """New classes above all, told before anything is learned."""
    bag = classifier()
    if begin == "fit":
        bag.fit(X[:30], LABELS[:30])
    else:
        bag.partial_fit(X[:30], LABELS[:30], WORDS)
    untouched = assert_nothing_is_lost(bag, batch, message)
    bag.partial_fit(X[30:], LABELS[30:], WORDS)
    untouched.partial_fit(X[30:], LABELS[30:])
    np.testing.assert_array_equal(bag.predict(X), untouched.predict(X))


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        (LABELS, None, "must name every label at the first call.*Got None; pass an ar"),
        (LABELS, ["a", "b"], r"`classes` named at the first call.*Got \['c'\]"),
        (LABELS, ["a"], r"at least two labels of an output. Got \['a'\]"),
        (np.c_[LABELS, LABELS], [WORDS], "each of the 2 outputs. Got"),
        (np.c_[LABELS, LABELS], [WORDS, ["a"]], r"at least two labels.*Got \['a'\]"),
    ],
)
def test_first_batches_without_all_classes(y, classes, message):
    """A stream cannot begin without them, and has not begun then."""
    bag = classifier(MultiOutputClassifier(SGDClassifier()) if y.ndim > 1 else None)
    with pytest.raises(ValueError, match=message):
        bag.partial_fit(X, y, classes)
    assert vars(bag) == vars(clone(bag).set_params(**bag.get_params(deep=False)))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_error_in_the_middle_of_a_batch(n_jobs):
    """Members that had learned the batch have not, when another one fails."""
    rows = np.abs(X)
    bad = rows.copy()
    bad[7, 0] = -1.0  # only some members draw it
    with parallel_config(backend="threading"):
        bag = regressor(Fails(), n_jobs=n_jobs).partial_fit(rows, Y)
        before = [dict(member.seen_) for member in bag.estimators_]
        assert_nothing_is_lost(bag, (bad, Y), "a negative row", RuntimeError)
        assert [dict(member.seen_) for member in bag.estimators_] == before
        assert bag.n_samples_seen_ == 60
        assert bag.partial_fit(rows, Y).n_samples_seen_ == 120


def test_an_error_names_the_member():
    """The note says where it happened; a bag that has not begun is as it was."""
    bag = regressor(Fails())
    with pytest.raises(RuntimeError, match="a negative row") as caught:
        bag.partial_fit(-np.abs(X), Y)
    assert caught.value.__notes__ == [
        "This happened in replicate 0 of BootstrapBaggingRegressor."
    ]
    assert not hasattr(bag, "n_features_in_")
    assert not hasattr(bag, "estimators_")


def test_a_failed_fit_leaves_the_stream():
    """It goes on as if nothing had been."""
    bag = regressor().partial_fit(X[:30], Y[:30])
    untouched = pickle.loads(pickle.dumps(bag))
    with pytest.raises(ValueError, match="y contains NaN"):
        bag.fit(X[:, :2], np.r_[np.nan, Y[1:]])
    bag.partial_fit(X[30:], Y[30:])
    untouched.partial_fit(X[30:], Y[30:])
    np.testing.assert_array_equal(bag.predict(X), untouched.predict(X))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator__alpha": 1.0}, "Got others for estimator__alpha; set them back"),
        ({"estimator": MLPRegressor()}, "Got others for estimator, estimator__"),
        ({"aggregate": "median"}, "Got others for aggregate"),
        ({"weight_mode": "importance"}, "Got others for weight_mode"),
        ({"max_samples": 0.5}, "Got others for resampler__max_samples"),
        ({"max_features": 0.5}, "Got others for max_features"),
        ({"oob_score": "neg_mean_absolute_error"}, "Got others for oob_score"),
        ({"oob_score": False}, "Got others for oob_score"),
        ({"n_estimators": 12}, "what the stream began with, 10, since.*Got 12"),
    ],
)
def test_parameters_that_change(params, message):
    """The stream goes on with those it began with, and after they are set back."""
    bag = regressor().partial_fit(X, Y)
    before = bag.get_params()
    bag.set_params(**params)
    assert_nothing_is_lost(bag, (X, Y), message)
    bag.set_params(**{name: before[name] for name in params})
    assert bag.partial_fit(X, Y).n_samples_seen_ == 120


def test_parameters_that_may_change():
    """What does not bear on the model does not matter."""
    bag = regressor().partial_fit(X, Y)
    bag.set_params(n_jobs=1, verbose=1, oob_score="r2", random_state=3)
    bag.set_params(n_estimators="auto", tolerance=0.1)
    assert bag.partial_fit(X, Y).n_estimators_ == 10


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator__alpha": 1.0}, "Got others for estimator__alpha; set them back"),
        ({"aggregate": "median"}, "Got others for aggregate"),
        ({"n_estimators": 12}, "what the stream began with, 10, since.*Got 12"),
    ],
)
def test_parameters_that_change_after_a_fit(params, message):
    """The members of a fit go on with its parameters too."""
    bag = regressor().fit(X, Y).set_params(**params)
    assert_nothing_is_lost(bag, (X, Y), message)


@pytest.mark.filterwarnings("ignore::genestimators.OneClassReplicateWarning")
@pytest.mark.parametrize("n_groups", [3, 6])
def test_members_of_a_fit_that_lack_a_class(n_groups):
    """They cannot learn it later, and the way out is told."""
    order = np.argsort(LABELS, kind="stable")
    groups = np.repeat(np.arange(n_groups), 60 // n_groups)
    bag = classifier(GaussianNB(), resampling="group")
    bag.fit(X[order], LABELS[order], groups=groups)
    bag.set_params(resampling="bootstrap")
    message = r"member \d+ has not drawn \[.*begin with `clone\(bag\).partial_fit\("
    assert_nothing_is_lost(bag, (X, LABELS), message)


@pytest.mark.parametrize(
    ("bag", "message"),
    [
        (regressor(resampling="group"), "resampling='group' cannot; set `resampling="),
        (regressor(resampling=Bootstrap()), 'cannot use `key="content"`'),
        (regressor(resampling=Bootstrap(key=0)), "not known before the last row"),
        (regressor(max_samples=20), "must be a fraction for `partial_fit`"),
        (regressor(max_features=7), "must not exceed the number of features of X, 4"),
        (regressor(oob_score="max_error"), "'r2', .*'neg_mean_gamma_deviance' here"),
        (regressor(oob_score="accuracy"), "set `oob_score=False`"),
        (regressor(oob_score=lambda model, X, y: 0.0), "for `partial_fit`: 'r2'"),
        (regressor(early_stopping="out_of_bag"), "`partial_fit` takes none"),
        (regressor(n_estimators=0), "'n_estimators' parameter"),
        (regressor(oob_score="neg_mean_poisson_deviance"), "needs targets of at least"),
        (regressor(MLPRegressor(early_stopping=True)), "partial_fit does not support"),
    ],
)
def test_settings_that_a_stream_cannot_serve(bag, message):
    """At the first batch, or at the first one that is scored."""
    with pytest.raises(ValueError, match=message):
        bag.partial_fit(X, Y).partial_fit(X, Y)


@pytest.mark.parametrize(
    ("bag", "message"),
    [
        (classifier(oob_score="neg_log_loss"), "'accuracy' here. Got 'neg_log_loss'"),
        (classifier(oob_score="r2"), "'accuracy' here. Got 'r2'"),
        (classifier(oob_score="roc_auc"), "Got 'roc_auc'; choose one of them"),
        (classifier(aggregate="logit"), 'set `aggregate="mean"`'),
    ],
)
def test_settings_of_classifiers_that_a_stream_cannot_serve(bag, message):
    """Scores need what the members answer."""
    with pytest.raises(ValueError, match=message):
        bag.partial_fit(X, LABELS, WORDS)


def test_a_regressor_and_a_classifier():
    """Each bag has estimators of its own kind."""
    with pytest.raises(ValueError, match="wraps a classifier"):
        classifier(SGDRegressor()).partial_fit(X, LABELS, WORDS)
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        _ = regressor(Ridge()).partial_fit


def test_weights_that_a_base_cannot_take():
    """Fractions need a base with weights, as in `fit`; whole numbers are repeats."""
    weight = np.random.default_rng(0).uniform(0.5, 2.5, 60)
    bag = regressor(CountsRows()).partial_fit(X, Y, np.rint(weight))
    assert_nothing_is_lost(bag, (X, Y, weight), "CountsRows takes no `sample_weight`")


def test_what_needs_rows():
    """Intervals, sets and standard errors need the rows, which are gone."""
    bag = regressor().partial_fit(X, Y)
    for method in ("predict_interval", "predict_std"):
        with pytest.raises(ValueError, match=r"keeps none of those.*bag of 60 rows of"):
            getattr(bag, method)(X)
    bag = classifier(GaussianNB()).partial_fit(X, LABELS, WORDS)
    for method in ("predict_set", "predict_std"):
        with pytest.raises(ValueError, match="keeps none of those it learns"):
            getattr(bag, method)(X)


def test_an_id_column_that_is_missing():
    """The stream waits for a batch that has it."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["who", "b", "c", "d"])
    bag = regressor(resampling=Bootstrap(key="who", stratify=False))
    bag.partial_fit(frame, Y)
    renamed = frame.rename(columns={"who": "which"})
    assert_nothing_is_lost(bag, (renamed, Y), "feature names should match")
    assert bag.partial_fit(frame, Y).n_samples_seen_ == 120


def test_arguments_without_routing():
    """Further arguments need metadata routing, and a request."""
    bag = regressor().partial_fit(X, Y)
    message = "partial_fit passes further arguments on only with"
    assert_nothing_is_lost(bag, (X, Y), message, TypeError, groups=Y)
    with config_context(enable_metadata_routing=True):
        message = r"unexpected argument\(s\) \{'groups'\}"
        assert_nothing_is_lost(bag, (X, Y), message, TypeError, groups=Y)


@pytest.mark.parametrize(
    "base", [Perceptron(), MLPClassifier(hidden_layer_sizes=(3,)), GaussianNB()]
)
def test_bases_that_refuse_labels_by_themselves_never_see_them(base):
    """New labels are refused before any member is asked."""
    bag = classifier(base, resampling=BY_POSITION).partial_fit(X, LABELS, WORDS)
    new = np.where(np.arange(60) == 5, "d", LABELS)
    assert_nothing_is_lost(bag, (X, new), r"Got \['d'\]; labels cannot be added later")


def test_outputs_that_change_after_a_fit():
    """The shape of the target is that of the fit."""
    bag = regressor(MultiOutputRegressor(SGDRegressor())).fit(X, np.c_[Y, Y])
    assert_nothing_is_lost(bag, (X, Y), "as many outputs as at first, 2. Got 1")
    message = "as many outputs as at first, 2. Got 3"
    assert_nothing_is_lost(bag, (X, np.c_[Y, Y, Y]), message)
