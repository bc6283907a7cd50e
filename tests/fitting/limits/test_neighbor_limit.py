"""Bagged nearest neighbours by formula against members fitted on every sample."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from genestimators import BayesianBootstrap, Bootstrap, GroupBootstrap, Subsample
from genestimators.fitting import fit_limit
from genestimators.fitting._limits import registered_limits
from genestimators.fitting.families import _neighbor_limit
from genestimators.fitting.families._bootstrap_order import place_moments
from genestimators.fitting.families._neighbor_limit import n_places_of
from tests.fitting.limits.every_draw import EveryMember, every_draw

LABELS = np.array(["a", "b", "c"])


def small_data(n=5, seed=0, n_columns=2):
    """Rows at different distances, numbers, and labels of two classes or more."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, n_columns)), rng.normal(size=n)
    labels = LABELS[np.sort(rng.permutation(np.arange(n) % 3))]
    return X, y, rng.permutation(labels), rng.normal(size=(4, n_columns))


def draws_of(X, y, *, classifier=False, weight=None, **settings):
    """Draws of the default bootstrap."""
    resampler = Bootstrap(**settings)
    return resampler.prepare(X, y, weight, seed=1, classifier=classifier)


def limit_of(estimator, X, y, draws):
    """The limit of some draws, or None."""
    classes = ()
    if isinstance(estimator, KNeighborsClassifier):
        known = y if draws.row_weight is None else y[draws.row_weight > 0]
        classes = tuple(map(np.unique, known.reshape(len(known), -1).T))
    return fit_limit(estimator, X, y, draws, classes=classes)


def predict(model, T):
    """Predictions in two dimensions."""
    return model.predict(T).reshape(len(T), -1)


def probabilities(model, T):
    """Probabilities with columns for all labels, also those a member has not seen."""
    out = np.zeros((len(T), len(LABELS)))
    out[:, np.searchsorted(LABELS, model.classes_)] = model.predict_proba(T)
    return out


def plan(draws):
    """The strata of draws as lists of occurrences, and what is drawn of each."""
    everything = np.arange(len(draws.occurrences.rows))
    return [everything[own].tolist() for own in draws.strata], draws.totals().tolist()


def assert_training_answers(path, draws, members, n_points, summed=False):
    """Answers for the training rows, of which members answered after `n_points`."""
    answers, rows = path.training_answers(draws), draws.occurrences.rows
    for row in range(draws.n_rows):
        own = np.flatnonzero(rows == row)
        found = members.moments(own) if len(own) else None
        if len(own):
            mean = members.moments()[0][n_points + row]
            np.testing.assert_allclose(answers.every[row], mean, atol=1e-12)
        else:
            assert np.isnan(answers.every[row]).all()
        if found is None:
            assert np.isnan(answers.left_out[row]).all()
            assert np.isnan(answers.variance[row]).all()
            continue
        mean, variance = (part[n_points + row] for part in found)
        np.testing.assert_allclose(answers.left_out[row], mean, atol=1e-12)
        variance = variance.sum() if summed else variance
        np.testing.assert_allclose(answers.variance[row], variance, atol=1e-12)


@pytest.mark.parametrize("max_samples", [1.0, 0.5, 3])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("weight", [None, [1, 2, 0, 1, 1]])
def test_regressor_against_all_samples(k, max_samples, weight):
    """New rows, training rows, and training rows by the samples without them."""
    X, y, _, T = small_data()
    y = np.c_[y, X[:, 0] ** 2]
    weight = None if weight is None else np.array(weight, dtype=float)
    draws = draws_of(X, y, weight=weight, max_samples=max_samples)
    rows = draws.occurrences.rows
    estimator, every = KNeighborsRegressor(k), every_draw(*plan(draws), len(rows))
    points = np.r_[T, X]
    members = EveryMember(estimator, predict, X[rows], y[rows], points, every)
    path = limit_of(estimator, X, y, draws)
    mean, _ = members.moments()
    np.testing.assert_allclose(path.predict(points)[0], mean, atol=1e-12)
    assert_training_answers(path, draws, members, len(T))


@pytest.mark.parametrize("max_samples", [1.0, 0.5])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("weight", [None, [1, 2, 0, 1, 1, 1]])
def test_classifier_against_all_samples(k, max_samples, weight):
    """Each class drawn apart; a class of one row is never left out."""
    X, _, _, T = small_data(6)
    y = LABELS[[0, 0, 2, 1, 0, 1] if weight is None else [0, 1, 2, 1, 0, 2]]
    weight = None if weight is None else np.array(weight, dtype=float)
    settings = {"max_samples": max_samples, "stratify": k > 1 or "auto"}
    draws = draws_of(X, y, classifier=True, weight=weight, **settings)
    rows = draws.occurrences.rows
    estimator, every = KNeighborsClassifier(k), every_draw(*plan(draws), len(rows))
    points = np.r_[T, X]
    members = EveryMember(estimator, probabilities, X[rows], y[rows], points, every)
    path = limit_of(estimator, X, y, draws)
    mean, _ = members.moments()
    np.testing.assert_allclose(path.predict_proba(points)[0], mean, atol=1e-12)
    chosen = np.searchsorted(LABELS, path.predict(points)[0])
    gap = mean.max(axis=1) - mean[np.arange(len(points)), chosen]
    assert (gap < 1e-12).all()  # rounding may choose between equals
    assert_training_answers(path, draws, members, len(T), summed=True)


def test_classifier_of_classes_drawn_together():
    """One stratum, so the formula for numbers serves indicators of the classes."""
    X, _, y, T = small_data(5)
    draws = draws_of(X, np.c_[y, y], classifier=True)
    estimator, order = KNeighborsClassifier(2), draws.occurrences.rows
    members = EveryMember(
        estimator,
        probabilities,
        X[order],
        y[order],
        np.r_[T, X],
        every_draw([range(5)], [5], 5),
    )
    path = limit_of(estimator, X, np.c_[y, y], draws)
    for part in path.predict_proba(np.r_[T, X]):
        np.testing.assert_allclose(part[0], members.moments()[0], atol=1e-12)
    assert path.predict(T).shape == (1, 4, 2)
    single = limit_of(estimator, X, y, draws)
    assert_training_answers(single, draws, members, len(T), summed=True)
    twice = path.training_answers(draws).variance
    np.testing.assert_allclose(twice, 2 * single.training_answers(draws).variance)


def test_rows_drawn_each_on_their_own():
    """Against a long run of such draws; ten standard errors are no chance."""
    rng = np.random.default_rng(0)
    X, y, T = rng.normal(size=(60, 2)), rng.normal(size=60), rng.normal(size=(20, 2))
    draws = draws_of(X, y, stratify=False)
    estimator = KNeighborsRegressor(3)
    path = limit_of(estimator, X, y, draws)
    n_draws = 400
    members = []
    for counts in rng.poisson(1.0, size=(n_draws, 60)):
        rows = np.repeat(np.arange(60), counts)
        members.append(clone(estimator).fit(X[rows], y[rows]).predict(T))
    error = path.predict(T)[0] - np.mean(members, axis=0)
    limit = np.std(members, axis=0) / np.sqrt(n_draws)
    assert (np.abs(error) < 10 * limit).all()
    assert np.sqrt(np.mean((error / limit) ** 2)) < 1.6  # one, but for chance


@pytest.mark.parametrize(
    "settings",
    [
        {"max_samples": 0.37},
        {"max_samples": 0.5},
        {"max_samples": 33},
        {"max_samples": 1.0},
        {"max_samples": 0.01},
    ],
)
@pytest.mark.parametrize("classifier", [False, True])
def test_totals_are_those_of_the_draws(settings, classifier):
    """As many of each class as the draws hold, in every draw."""
    X, _, y, _ = small_data(67)
    draws = draws_of(X, y, classifier=classifier, **settings)
    for number in range(20):
        counts = draws.counts_of(number)
        drawn = [counts[own].sum() for own in draws.strata]
        np.testing.assert_array_equal(drawn, draws.totals())
    assert draws_of(X, y, stratify=False).totals() is None


def test_members_are_those_of_the_draws():
    """A member has the rows of its draw, in canonical order."""
    X, y, _, T = small_data(30)
    draws = draws_of(X, y)
    path = limit_of(KNeighborsRegressor(3), X, y, draws)
    for number in (0, 7):
        rows = draws.drawn_rows(number)
        expected = KNeighborsRegressor(3).fit(X[rows], y[rows])
        member = path.member(draws.counts_of(number))
        np.testing.assert_array_equal(member.predict(T), expected.predict(T))


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "manhattan"},
        {"metric": "cosine", "algorithm": "brute"},
        {"p": 1, "algorithm": "ball_tree"},
        {"metric": "mahalanobis", "metric_params": {"VI": np.diag([1.0, 9.0, 0.1])}},
        {"algorithm": "brute"},
        {"algorithm": "kd_tree", "leaf_size": 2},
        {"weights": None},
    ],
    ids=str,
)
def test_searches(params):
    """Whatever the search, the weights of neighbours depend on their order alone."""
    X, y, _, T = small_data(40, n_columns=3)
    estimator = KNeighborsRegressor(3, **params)
    path = limit_of(estimator, X, y, draws_of(X, y))
    near = clone(estimator).fit(X, y).kneighbors(T, 40, return_distance=False)
    weights = place_moments(3, 40, 1.0, 40, 40).weights
    np.testing.assert_allclose(path.predict(T)[0], y[near] @ weights, atol=1e-11)


@pytest.mark.parametrize("kind", ["sparse", "single", "shifted"])
def test_containers(kind):
    """Sparse rows, single precision, and targets far from zero."""
    X, y, _, T = small_data(60, n_columns=3)
    estimator, draws = KNeighborsRegressor(4), draws_of(X, y)
    expected = limit_of(estimator, X, y, draws)
    shift, tolerance = 0.0, 1e-12
    own_X, own_y, own_T = X, y, T
    if kind == "sparse":
        own_X, own_T = sparse.csr_matrix(X), sparse.csr_matrix(T)
    elif kind == "single":
        own_X, own_y, own_T = (part.astype(np.float32) for part in (X, y, T))
        tolerance = 1e-6
    else:
        own_y, shift, tolerance = 1e6 + y, 1e6, 1e-8  # a hundred roundings at 1e6
    own_draws = draws_of(own_X, own_y)
    path = limit_of(estimator, own_X, own_y, own_draws)
    np.testing.assert_allclose(
        path.predict(own_T) - shift, expected.predict(T), atol=tolerance
    )
    found, answers = path.training_answers(own_draws), expected.training_answers(draws)
    np.testing.assert_allclose(found.left_out - shift, answers.left_out, atol=tolerance)
    np.testing.assert_allclose(found.variance, answers.variance, atol=tolerance)


def test_rows_far_from_zero():
    """The same neighbours a million away, and the same answers."""
    X, y, _, T = small_data(60)
    near = limit_of(KNeighborsRegressor(4), X, y, draws_of(X, y)).predict(T)
    far = limit_of(KNeighborsRegressor(4), X + 1e6, y, draws_of(X, y)).predict(T + 1e6)
    np.testing.assert_allclose(far, near, rtol=1e-9)


def test_rows_that_are_all_alike(monkeypatch):
    """A row's neighbours are any, and its own copies none of them.

    A bag leaves such data to members, which choose among them as their search does.
    """
    X, y, labels, _ = small_data(50)
    X[:] = 1.0
    assert limit_of(KNeighborsRegressor(3), X, y, draws_of(X, y)) is None
    monkeypatch.setattr(_neighbor_limit, "_TIES", 1.0)
    path = limit_of(KNeighborsRegressor(3), X, y, draws_of(X, y))
    answers = path.training_answers(draws_of(X, y))
    for found in (path.predict(X)[0], answers.every[:, 0], answers.left_out[:, 0]):
        assert (y.min() < found).all()
        assert (found < y.max()).all()
    marked = np.zeros(50)
    marked[13] = 1.0
    found = limit_of(KNeighborsRegressor(50), X, marked, draws_of(X, marked))
    answers = found.training_answers(draws_of(X, marked))
    np.testing.assert_allclose(answers.every[:, 0], 1 / 50)
    np.testing.assert_allclose(answers.left_out[:, 0], np.where(marked, 0, 1 / 49))
    path = limit_of(
        KNeighborsClassifier(3), X, labels, draws_of(X, labels, classifier=True)
    )
    np.testing.assert_allclose(path.predict_proba(X)[0].sum(axis=1), 1.0)


@pytest.mark.parametrize("k", [1, 4, 5])
def test_no_more_rows_than_neighbours(k):
    """With k neighbours of as many draws, every row has the same weight."""
    X, y, _, T = small_data(5)
    path = limit_of(KNeighborsRegressor(k), X, y, draws_of(X, y))
    if k == 5:
        np.testing.assert_allclose(path.predict(T)[0], y.mean())
    assert limit_of(KNeighborsRegressor(6), X, y, draws_of(X, y)) is None


def test_heavy_rows_among_light_ones():
    """Weights of 1, 6 and 90 at once; each row lacks its own occurrences only."""
    X, y, _, _ = small_data(60)
    weight = np.ones(60)
    weight[3], weight[4:10] = 90, 6
    draws = draws_of(X, y, weight=weight)
    answers = limit_of(KNeighborsRegressor(2), X, y, draws).training_answers(draws)
    for row in (0, 3, 5):
        others = np.flatnonzero(np.arange(60) != row)
        near = others[np.argsort(((X[others] - X[row]) ** 2).sum(axis=1))]
        occurrences = np.repeat(near, weight[near].astype(int))
        places = place_moments(
            2, int(weight.sum()), 1.0, len(occurrences), len(occurrences)
        )
        expected = places.weights @ y[occurrences]
        np.testing.assert_allclose(answers.left_out[row, 0], expected, atol=1e-10)


def test_blocks_of_rows(monkeypatch):
    """Rows searched for in several parts."""
    X, _, labels, T = small_data(50)
    draws = draws_of(X, labels, classifier=True)
    path = limit_of(KNeighborsClassifier(3), X, labels, draws)
    expected = path.predict_proba(T), path.training_answers(draws)
    monkeypatch.setattr("genestimators.fitting.families._neighbor_search.BLOCK", 60)
    found = path.predict_proba(T), path.training_answers(draws)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    for name in ("every", "left_out", "variance"):
        np.testing.assert_allclose(
            getattr(found[1], name), getattr(expected[1], name), rtol=1e-12
        )


def test_order_of_rows_and_copies():
    """Shuffled rows and rows that come twice give the same bits."""
    X, _, y, T = small_data(40)
    weight = np.random.default_rng(0).integers(0, 3, size=40).astype(float)
    rows = np.repeat(np.arange(40), weight.astype(int))
    rows = np.random.default_rng(1).permutation(rows)
    estimator = KNeighborsClassifier(3)
    one = limit_of(estimator, X, y, draws_of(X, y, classifier=True, weight=weight))
    draws = draws_of(X[rows], y[rows], classifier=True)
    other = limit_of(estimator, X[rows], y[rows], draws)
    np.testing.assert_array_equal(one.predict_proba(T), other.predict_proba(T))


def test_pickled():
    """The path answers alike when read back."""
    X, _, y, T = small_data(40)
    path = limit_of(KNeighborsClassifier(3), X, y, draws_of(X, y, classifier=True))
    read = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(read.predict_proba(T), path.predict_proba(T))


def test_estimators_that_are_not_served():
    """Their reasons, in words."""
    X, y, _, _ = small_data(30)
    draws = draws_of(X, y)
    families = {one.estimator: one for one in registered_limits()}
    for params, reason in (
        ({"weights": "distance"}, "by distance"),
        ({"weights": np.ones_like}, "by distance"),
        ({"n_neighbors": 2.5}, "whole numbers"),
        ({"n_neighbors": 0}, "whole numbers"),
        ({"n_neighbors": 31}, "fewer rows than neighbours"),
        ({"metric": "mahalanobis"}, "depends on the rows"),
        ({"metric": "seuclidean", "metric_params": {}}, "depends on the rows"),
    ):
        estimator = KNeighborsRegressor(**params)
        found = families[KNeighborsRegressor].unsupported(estimator, X, y, draws)
        assert reason in found
        assert limit_of(estimator, X, y, draws) is None

    class Other(KNeighborsRegressor):
        pass

    assert limit_of(Other(), X, y, draws) is None
    # Of what cannot be fitted the generic engine tells the reason.
    assert limit_of(KNeighborsRegressor(metric="no"), X, y, draws) is None
    coarse = np.round(y)
    by_value = draws_of(X, coarse, stratify=True)
    assert limit_of(KNeighborsRegressor(2), X, coarse, by_value) is None


def test_draws_that_are_not_served():
    """Other ways to draw, fractions, rows that share their fate, too few rows."""
    X, y, _, _ = small_data(30)
    X[1], y[1] = X[0], y[0]
    estimator = KNeighborsRegressor(3)
    groups = np.arange(30) // 2
    for resampler in (Subsample(), BayesianBootstrap(), GroupBootstrap()):
        draws = resampler.prepare(X, y, None, groups, seed=0)
        assert limit_of(estimator, X, y, draws) is None
    assert limit_of(estimator, X, y, draws_of(X, y, duplicates="together")) is None
    fractional = np.full(30, 1.5)
    assert limit_of(estimator, X, y, draws_of(X, y, weight=fractional)) is None
    important = Bootstrap().prepare(
        X, y, np.full(30, 2.0), seed=0, weight_mode="importance"
    )
    assert limit_of(estimator, X, y, important) is None
    # Of forty rows drawn each on its own, no draw to speak of holds less than three.
    X, y, _, _ = small_data(40)
    assert limit_of(estimator, X, y, draws_of(X, y, stratify=False)) is not None
    few = draws_of(X, y, stratify=False, max_samples=0.3)
    assert limit_of(estimator, X, y, few) is None
    # But for rows of equal content, "together" is the same as "separate".
    alike = draws_of(X, y, duplicates="together")
    assert limit_of(estimator, X, y, alike) is not None


def test_so_many_neighbours(monkeypatch):
    """Where the formula costs more than members, they are fitted."""
    X, _, y, _ = small_data(60)
    draws = draws_of(X, y, classifier=True)
    estimator = KNeighborsClassifier(20)
    assert limit_of(estimator, X, y, draws) is not None
    steps = n_places_of(draws, 20) * 20**2
    monkeypatch.setattr(_neighbor_limit, "_STEPS", steps - 1)
    assert limit_of(estimator, X, y, draws) is None
    monkeypatch.setattr(_neighbor_limit, "_STEPS", steps)
    assert limit_of(estimator, X, y, draws) is not None
    monkeypatch.setattr(_neighbor_limit, "_TABLES", 6 * n_places_of(draws, 20) * 20 - 1)
    assert limit_of(estimator, X, y, draws) is None
    # Numbers need no tables.
    many = KNeighborsRegressor(59)
    plain = draws_of(X, np.arange(60.0))
    assert limit_of(many, X, np.arange(60.0), plain) is not None
