"""Bags of a stream: the same model in batches of any size, from rows seen once."""

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Perceptron, Ridge, SGDClassifier, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import (
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
)
from tests.bagging.stream_toys import (
    BY_POSITION,
    CountsRows,
    CountsWeights,
    Shares,
    in_batches,
)
from tests.bagging.toys import (
    assert_same_fit,
    classification_data,
    figures_of,
    mostly_zero,
    regression_data,
)

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")

SIZES = [[60], [1], [7, 1, 20], [2, 58]]
N_ROWS = 60
WHOLE = np.random.default_rng(3).integers(0, 4, N_ROWS).astype(float)
PARTS = np.random.default_rng(4).uniform(0, 3, N_ROWS)


def numbered():
    """Rows with their number in front, and integers to predict."""
    X, _ = regression_data()
    X[:, 0] = np.arange(N_ROWS)
    return X, np.random.default_rng(5).integers(-9, 9, N_ROWS).astype(float)


def regressor(base=None, **params):
    base = CountsWeights() if base is None else base
    return BootstrapBaggingRegressor(
        base, **{"n_estimators": 12, "random_state": 0, **params}
    )


def classifier(base, **params):
    return BootstrapBaggingClassifier(
        base, **{"n_estimators": 12, "random_state": 0, **params}
    )


@pytest.mark.parametrize("sizes", SIZES[1:3])
@pytest.mark.parametrize("weight", [None, WHOLE, PARTS])
@pytest.mark.parametrize("mode", ["frequency", "importance"])
@pytest.mark.parametrize("max_samples", [1.0, 0.4])
def test_members_learn_what_their_replicates_draw(sizes, weight, mode, max_samples):
    """Every row reaches every member with the weight that `fit` would draw for it."""
    X, y = numbered()
    params = {"weight_mode": mode, "max_samples": max_samples, "oob_score": False}
    bag = in_batches(regressor(**params), X, y, sizes, sample_weight=weight)
    draws = clone(BY_POSITION).set_params(max_samples=max_samples)
    draws = draws.prepare(X, y, weight, seed=bag._seed, weight_mode=mode)
    for number, member in enumerate(bag.estimators_):
        expected = np.zeros(N_ROWS)
        draw = draws[number]
        np.add.at(expected, draw.rows, draw.counts)
        seen = np.array([member.seen_[row] for row in range(N_ROWS)])
        np.testing.assert_allclose(seen, expected, rtol=1e-12)
    assert bag.n_samples_seen_ == N_ROWS


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("kind", [CountsWeights, CountsRows])
@pytest.mark.parametrize("weight", [None, WHOLE])
def test_any_batches_give_one_model_to_the_bit(sizes, kind, weight):
    """For a base of exact sums, the model is that of one batch and of `fit`."""
    X, y = numbered()
    one = regressor(kind()).partial_fit(X, y, sample_weight=weight)
    many = in_batches(regressor(kind()), X, y, sizes, sample_weight=weight)
    fitted = regressor(kind(), resampling=BY_POSITION).fit(X, y, sample_weight=weight)
    mode = "weights" if kind is CountsWeights else "rows"
    assert many.row_mode_ == one.row_mode_ == fitted.row_mode_ == mode
    assert_same_fit(many, one, X)
    assert_same_fit(many, fitted, X)
    for ours, theirs in zip(many.estimators_, fitted.estimators_, strict=True):
        assert ours.seen_ == theirs.seen_


@pytest.mark.parametrize("engine", ["auto", "generic"])
@pytest.mark.parametrize("weight", [None, PARTS])
@pytest.mark.parametrize(
    ("base", "make"),
    [
        # Its smoothing is a share of the variance of the last batch alone, so nothing
        # that learns in batches agrees with a fit to more than that.
        (GaussianNB(var_smoothing=0.0), lambda X: X),
        (MultinomialNB(), np.abs),
        (BernoulliNB(), lambda X: X),
    ],
)
def test_naive_bayes_in_batches_equals_its_fit(base, make, weight, engine):
    """Moments and counts add up, whatever engine fitted the bag it is compared with."""
    X, y = classification_data()
    X, y = make(X), y.astype(str)
    classes = ["0", "1", "2"]
    fitted = classifier(base, resampling=BY_POSITION, engine=engine)
    expected = fitted.fit(X, y, sample_weight=weight).predict_proba(X)
    for sizes in ([60], [25, 4]):
        bag = in_batches(classifier(base), X, y, sizes, classes, weight)
        np.testing.assert_allclose(bag.predict_proba(X), expected, atol=1e-12)
        assert bag.classes_.tolist() == classes


@pytest.mark.parametrize(
    ("base", "aggregate", "backend"),
    [(SGDRegressor(), "mean", "loky"), (CountsRows(), "median", "threading")],
)
def test_results_do_not_depend_on_the_number_of_jobs(base, aggregate, backend):
    """Members, answers and the running score are the same bits."""
    X, y = regression_data()
    one = in_batches(regressor(base, aggregate=aggregate), X, y, [40])
    with parallel_config(backend=backend):
        two = in_batches(regressor(base, aggregate=aggregate, n_jobs=2), X, y, [40])
    assert_same_fit(one, two, X)
    assert one.prequential_score_ == two.prequential_score_
    assert one.prequential_score_std_error_ == two.prequential_score_std_error_


def test_more_members_leave_the_first_as_they_are():
    """A member depends on its number, not on how many there are."""
    X, y = regression_data()
    few = in_batches(regressor(SGDRegressor(), n_estimators=3), X, y, [20])
    many = in_batches(regressor(SGDRegressor(), n_estimators=14), X, y, [20])
    for ours, theirs in zip(few.estimators_, many.estimators_, strict=False):
        assert ours.random_state == theirs.random_state
        np.testing.assert_array_equal(ours.coef_, theirs.coef_)
    assert len({member.random_state for member in many.estimators_}) == 14


def test_random_states():
    """A seed is drawn once for a stream, from whatever is given."""
    X, y = regression_data()
    state = np.random.RandomState(0)
    streamed = in_batches(regressor(SGDRegressor(), random_state=state), X, y, [20])
    after = state.randint(100)
    state = np.random.RandomState(0)
    once = regressor(SGDRegressor(), random_state=state).partial_fit(X[:20], y[:20])
    assert state.randint(100) == after
    assert once._seed == streamed._seed
    free = [regressor(random_state=None).partial_fit(X, y)._seed for _ in range(2)]
    assert free[0] != free[1]


def test_auto_is_fifty_members_at_most():
    """A stream cannot tell how many it takes, so a number stands in."""
    X, y = regression_data()
    bag = regressor(n_estimators="auto").partial_fit(X, y)
    assert bag.n_estimators_ == len(bag.estimators_) == 50
    bag = regressor(n_estimators="auto", max_estimators=7).partial_fit(X, y)
    assert bag.n_estimators_ == 7
    assert bag.partial_fit(X, y).n_estimators_ == 7


def test_members_that_have_drawn_nothing_wait():
    """They neither vote nor are shown, and come in with their first row."""
    X, y = numbered()
    bag = regressor(n_estimators=10, oob_score=False).partial_fit(X[:1], y[:1])
    drawn = [b for b in range(10) if bag._stream.members[b] is not None]
    assert 6 <= len(drawn) <= 7  # a row is left out by three or four of ten
    assert bag.n_estimators_ == len(bag.estimators_) == len(drawn)
    assert (bag.predict(X) == y[0]).all()
    in_batches(bag, X[1:], y[1:], [1])
    assert bag.n_estimators_ == 10
    whole = regressor(n_estimators=10, oob_score=False).partial_fit(X, y)
    assert_same_fit(bag, whole, X)


def test_a_bag_is_not_fitted_before_a_member_has_drawn_a_row():
    """A single member that leaves the first rows out has nothing to say."""
    X, y = numbered()
    for seed in range(20):
        bag = regressor(n_estimators=1, random_state=seed).partial_fit(X[:1], y[:1])
        if bag._stream.members[0] is None:
            break
    assert bag.n_estimators_ == 0
    assert bag.n_samples_seen_ == 1
    with pytest.raises(NotFittedError):
        bag.predict(X)
    assert bag.partial_fit(X[1:], y[1:]).predict(X).shape == (N_ROWS,)


def test_classes_are_told_to_a_member_at_its_first_rows():
    """Each knows all of them, at whatever batch it begins."""
    _, y = classification_data(n_classes=2)
    X = np.zeros((N_ROWS, 1))
    bag = in_batches(classifier(Shares()), X, y, [1], classes=[1, 0])
    assert bag.classes_.tolist() == [0, 1]
    assert all(member.classes_.tolist() == [0, 1] for member in bag.estimators_)
    assert_same_fit(bag, classifier(Shares()).partial_fit(X, y, [0, 1]), X)


def test_a_batch_may_lack_classes():
    """Labels are aligned to those that were announced."""
    X, y = classification_data(labels=["a", "b", "c"])
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    for base in (SGDClassifier(), SGDClassifier(loss="log_loss"), Perceptron()):
        bag = in_batches(classifier(base), X, y, [15], classes=["c", "b", "a"])
        assert bag.classes_.tolist() == ["a", "b", "c"]
        assert set(bag.predict(X)) <= {"a", "b", "c"}


@pytest.mark.parametrize("base", [SGDRegressor(), CountsWeights()])
def test_some_columns(base):
    """Each member keeps the columns it was given, those of a fit."""
    X, y = regression_data()
    bag = in_batches(regressor(base, max_features=0.5), X, y, [20])
    fitted = regressor(base, max_features=0.5, resampling=BY_POSITION).fit(X, y)
    for ours, theirs in zip(
        bag.estimators_features_, fitted.estimators_features_, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    members = zip(bag.estimators_, bag.estimators_features_, strict=True)
    mean = np.mean([model.predict(X[:, own]) for model, own in members], axis=0)
    np.testing.assert_allclose(bag.predict(X), mean)


@pytest.mark.parametrize("mode", ["frequency", "importance"])
def test_weights_of_zero(mode):
    """Such rows take their place in the stream, even as a whole batch."""
    X, y = numbered()
    weight = WHOLE.copy()
    weight[10:25] = 0.0
    one = regressor(weight_mode=mode).partial_fit(X, y, sample_weight=weight)
    many = in_batches(regressor(weight_mode=mode), X, y, [5], sample_weight=weight)
    assert_same_fit(one, many, X)
    assert many.n_samples_seen_ == N_ROWS
    seen = {row for member in many.estimators_ for row in member.seen_}
    assert seen <= set(np.flatnonzero(weight).tolist())


def test_rows_of_one_id_share_their_draws():
    """Out of bag means a new id, over all batches."""
    X, y = numbered()
    X[:, 0] = np.arange(N_ROWS) % 11
    by_id = Bootstrap(key=0, stratify=False)
    bag = in_batches(regressor(resampling=by_id), X, y, [9])
    for member in bag.estimators_:
        rows = [member.seen_[number] for number in range(11)]
        times = np.bincount(np.arange(N_ROWS) % 11)
        assert (np.array(rows) % times == 0).all()
        assert 0 in rows
    assert_same_fit(bag, regressor(resampling=by_id).partial_fit(X, y), X)


@pytest.mark.parametrize("mode", ["frequency", "importance"])
def test_weights_of_an_id_may_change_from_batch_to_batch(mode):
    """An id that a member has learned at a weight of 2 is not new to it at 1."""
    X, y = numbered()
    by_id = Bootstrap(key=0, stratify=False)
    weights = [np.full(N_ROWS, weight) for weight in (2.0, 1.5, 1.0)]
    bag = regressor(resampling=by_id, weight_mode=mode)
    asked = []
    for weight in weights:
        for member in getattr(bag, "estimators_", []):
            asked.append({row for row, times in member.seen_.items() if times})
        bag.partial_fit(X, y, sample_weight=weight)
    last = asked[-len(bag.estimators_) :]
    for before, member in zip(last, bag.estimators_, strict=True):
        learned = {row for row, times in member.seen_.items() if times}
        assert learned == before  # no id joins later, whatever its weight
    twice = regressor(resampling=by_id).partial_fit(
        np.repeat(X, 2, axis=0), np.repeat(y, 2)
    )
    one = regressor(resampling=by_id).partial_fit(X, y, sample_weight=weights[0])
    for own, other in zip(one.estimators_, twice.estimators_, strict=True):
        assert own.seen_ == other.seen_


@pytest.mark.parametrize(
    ("base", "data"),
    [
        (CountsWeights(), numbered),
        (GaussianNB(var_smoothing=0.0), classification_data),
        (BernoulliNB(), classification_data),
    ],
)
@pytest.mark.parametrize("engine", ["auto", "generic"])
def test_going_on_after_a_fit(base, data, engine):
    """Positions go on too, so a fit and batches are one stream."""
    X, y = data()
    kind = classifier if data is classification_data else regressor
    whole = kind(base, resampling=BY_POSITION, engine=engine).fit(X, y)
    bag = kind(base, resampling=BY_POSITION, engine=engine).fit(X[:30], y[:30])
    in_batches(bag, X[30:], y[30:], [11])
    np.testing.assert_allclose(bag.predict(X), whole.predict(X), rtol=1e-12)
    assert bag.n_samples_seen_ == N_ROWS
    assert not figures_of(bag)
    assert not hasattr(bag, "estimators_samples_")
    assert np.isfinite(bag.prequential_score_)  # the first batch had a model before it


def test_going_on_after_a_fit_that_drew_otherwise():
    """Members learn on from whatever `resampling="bootstrap"` drew for the fit."""
    X, y = classification_data()
    bag = classifier(SGDClassifier()).fit(X[:40], y[:40])
    coefs = [member.coef_.copy() for member in bag.estimators_]
    steps = [member.t_ for member in bag.estimators_]
    bag.partial_fit(X[40:], y[40:])
    assert [member.t_ for member in bag.estimators_] > steps
    assert all(
        (member.coef_ != coef).any()
        for member, coef in zip(bag.estimators_, coefs, strict=True)
    )


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_fit_begins_anew(warm_start):
    """Nothing of a stream is left, not even where ensembles grow."""
    X, y = regression_data()
    bag = regressor(SGDRegressor(), warm_start=warm_start).partial_fit(X[:20], y[:20])
    bag.fit(X[:, :3], y)
    fresh = regressor(SGDRegressor(), warm_start=warm_start).fit(X[:, :3], y)
    assert_same_fit(bag, fresh, X[:, :3])
    assert vars(bag).keys() == vars(fresh).keys()
    assert len(bag.estimators_samples_) == 12
    if warm_start:
        assert bag.set_params(n_estimators=15).fit(X[:, :3], y).n_estimators_ == 15


def test_only_where_the_estimator_has_it():
    """`hasattr` tells, as everywhere in scikit-learn."""
    assert not hasattr(regressor(Ridge()), "partial_fit")
    assert not hasattr(BootstrapBaggingRegressor(), "partial_fit")
    assert not hasattr(BootstrapBaggingClassifier(), "partial_fit")
    assert not hasattr(
        classifier(make_pipeline(StandardScaler(), SGDClassifier())), "partial_fit"
    )
    assert hasattr(regressor(SGDRegressor()), "partial_fit")
    assert not hasattr(regressor(MLPClassifier(solver="lbfgs")), "partial_fit")


def test_attributes_of_a_stream():
    """What needs rows is not there, the rest is as after a fit."""
    X, y = classification_data()
    bag = in_batches(classifier(SGDClassifier()), X, y, [20], classes=[0, 1, 2])
    assert bag.engine_ == "generic"
    assert bag.n_estimators_ == 12
    assert bag.n_features_in_ == 4
    assert bag.draw_version_ == 1
    assert bag.row_mode_ == "weights"
    assert type(bag.estimator_) is SGDClassifier
    assert not hasattr(bag.estimator_, "coef_")
    assert not figures_of(bag)
    assert not hasattr(bag, "estimators_samples_")
    assert not hasattr(bag, "oob_decision_function_")
    assert hasattr(bag, "decision_function")
    assert not hasattr(bag, "predict_proba")
    silent = classifier(SGDClassifier(), oob_score=False)
    silent.partial_fit(X, y, classes=[0, 1, 2])
    assert not hasattr(silent, "prequential_score_")
    assert_same_fit(silent, classifier(SGDClassifier()).partial_fit(X, y, [0, 1, 2]), X)


def test_memory_does_not_grow_with_the_rows():
    """What is pickled after a hundred batches is what was after two, a few bytes apart.

    The numbers themselves may take other lengths (a count of 10 and one of 1,000).
    """
    rng = np.random.default_rng(0)
    bag = regressor(SGDRegressor(), n_estimators=4, aggregate="median")
    sizes = []
    for _ in range(100):
        X = rng.normal(size=(50, 4))
        bag.partial_fit(X, X[:, 0])
        sizes.append(len(pickle.dumps(bag)))
    assert abs(sizes[-1] - sizes[1]) < 100
    again = pickle.loads(pickle.dumps(bag)).partial_fit(X, X[:, 0])
    assert_same_fit(again, bag.partial_fit(X, X[:, 0]), X)
    assert again.prequential_score_ == bag.prequential_score_
    assert not hasattr(clone(bag), "n_samples_seen_")


def test_frames():
    """Rows reach the members as frames, with their names."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"), index=np.arange(60)[::-1])
    series = pandas.Series(y, index=frame.index)
    bag = regressor(SGDRegressor())
    for start in range(0, 60, 20):
        bag.partial_fit(frame[start : start + 20], series[start : start + 20])
    assert bag.feature_names_in_.tolist() == list("abcd")
    assert bag.estimators_[0].feature_names_in_.tolist() == list("abcd")
    plain = in_batches(regressor(SGDRegressor()), X, y, [20])
    np.testing.assert_allclose(bag.predict(frame), plain.predict(X), rtol=1e-9)
    by_name = Bootstrap(key="a", stratify=False)
    bag = regressor(SGDRegressor(), resampling=by_name).partial_fit(frame, series)
    assert np.isfinite(bag.predict(frame)).all()


def test_sparse_rows():
    """Sparse batches give what dense ones give."""
    sparse = pytest.importorskip("scipy.sparse")
    X, y = mostly_zero()
    X, y = np.abs(X), y > 0
    thin = sparse.csr_matrix(X)
    dense = in_batches(classifier(MultinomialNB()), X, y, [20], [False, True])
    bag = in_batches(classifier(MultinomialNB()), thin, y, [20], [False, True])
    np.testing.assert_allclose(bag.predict_proba(thin), dense.predict_proba(X))
    some = classifier(MultinomialNB(), max_features=0.5)
    some.partial_fit(thin.tocoo(), y, [False, True])
    assert some.predict(thin).shape == (60,)


def test_lists_and_single_precision():
    """Lists become arrays; float32 stays what it is."""
    X, y = regression_data()
    bag = regressor(SGDRegressor()).partial_fit(X.tolist(), y.tolist())
    assert_same_fit(bag, regressor(SGDRegressor()).partial_fit(X, y), X)
    bag = regressor(SGDRegressor()).partial_fit(X.astype(np.float32), y)
    assert np.isfinite(bag.predict(X.astype(np.float32))).all()


@pytest.mark.parametrize("sizes", [[60], [9]])
def test_several_outputs(sizes):
    """Numbers and classes of several outputs, where the base takes them."""
    X, y = regression_data()
    Y = np.column_stack([y, X[:, 2]])
    bag = in_batches(regressor(MultiOutputRegressor(SGDRegressor())), X, Y, sizes)
    assert bag.predict(X).shape == (60, 2)
    labels = np.column_stack([y > 0.5, X[:, 2] > 0]).astype(int)
    base = MultiOutputClassifier(SGDClassifier(loss="log_loss"))
    bag = in_batches(classifier(base), X, labels, sizes, classes=[[0, 1], [1, 0]])
    assert [own.tolist() for own in bag.classes_] == [[0, 1], [0, 1]]
    assert bag.predict(X).shape == (60, 2)
    assert [part.shape for part in bag.predict_proba(X)] == [(60, 2)] * 2
    # A network wants the numbers of the labels.
    base = MLPClassifier((3,))
    bag = in_batches(classifier(base), X, labels, sizes, classes=[0, 1])
    members = np.mean([model.predict_proba(X) for model in bag.estimators_], axis=0)
    ours = np.column_stack([part[:, 1] for part in bag.predict_proba(X)])
    np.testing.assert_allclose(ours, members)


def test_a_bag_in_a_bag():
    """A stream within a stream."""
    X, y = regression_data()
    inner = BootstrapBaggingRegressor(SGDRegressor(), n_estimators=3)
    bag = in_batches(regressor(inner, n_estimators=4), X, y, [20])
    assert bag.row_mode_ == "weights"
    assert np.isfinite(bag.predict(X)).all()
    assert np.isfinite(bag.prequential_score_)


class Tagged(CountsWeights):
    """Takes a tag for each row, which has to be its number."""

    def partial_fit(self, X, y, sample_weight=None, tag=None, note=None):
        np.testing.assert_array_equal(tag, X[:, 0])
        self.note_ = note
        return super().partial_fit(X, y, sample_weight)


def test_routing():
    """Further arguments go to the members' `partial_fit`, those of rows by rows."""
    X, y = numbered()
    with config_context(enable_metadata_routing=True):
        base = Tagged().set_partial_fit_request(tag=True, note=True)
        bag = regressor(base).partial_fit(X, y, tag=X[:, 0], note="text")
        assert all(member.note_ == "text" for member in bag.estimators_)
        plain = regressor().partial_fit(X, y, sample_weight=WHOLE)
        nested = MultiOutputRegressor(SGDRegressor())
        wrapped = regressor(nested).partial_fit(X, np.c_[y, y], sample_weight=WHOLE)
    assert_same_fit(plain, regressor().partial_fit(X, y, sample_weight=WHOLE), X)
    off = regressor(nested).partial_fit(X, np.c_[y, y], sample_weight=WHOLE)
    assert_same_fit(wrapped, off, X)
    with pytest.raises(TypeError, match="partial_fit passes further arguments on only"):
        regressor(base).partial_fit(X, y, tag=X[:, 0])
