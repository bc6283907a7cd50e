"""Bags of infinitely many members, which answer by a formula."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import (
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    StableFeatureSelector,
)
from tests.bagging.test_callbacks import Recorder, expected_hooks
from tests.bagging.toys import (
    assert_same_fit,
    classification_data,
    figures_of,
    mostly_zero,
    regression_data,
)

FIGURES = {
    "oob_score_",
    "oob_score_std_error_",
    "oob_coverage_",
    "train_score_",
    "generalization_gap_",
    "generalization_gap_std_error_",
    "bagging_gain_",
    "bagging_gain_std_error_",
}


def regressor(k=3, **params):
    """A bag of neighbours of numbers."""
    return BootstrapBaggingRegressor(KNeighborsRegressor(k), random_state=0, **params)


def classifier(k=3, **params):
    """A bag of neighbours of classes."""
    return BootstrapBaggingClassifier(KNeighborsClassifier(k), random_state=0, **params)


BAGS = pytest.mark.parametrize(
    ("bag", "data"),
    [(regressor(), regression_data), (classifier(), classification_data)],
    ids=["regressor", "classifier"],
)


def answers(bag, X):
    """Predictions or probabilities."""
    return getattr(bag, "predict_proba", bag.predict)(X)


@BAGS
def test_what_is_stored(bag, data):
    """No number of members, but every figure, and each row out of bag."""
    X, y = data()
    bag = clone(bag).fit(X, y)
    assert bag.engine_ == "limit"
    assert bag.n_estimators_ == np.inf
    assert bag.oob_coverage_ == 1.0
    figures = figures_of(bag)
    assert FIGURES < figures.keys()
    assert all(np.isfinite(value).all() for value in figures.values())
    assert bag.generalization_gap_ == bag.train_score_ - bag.oob_score_
    assert bag.bagging_gain_ > 0
    assert bag.row_mode_ == "rows"


@BAGS
def test_members_are_those_of_a_bag_of_so_many(bag, data):
    """Any member can be had, with its rows and columns, and none is missing."""
    X, y = data()
    bag = clone(bag).fit(X, y)
    some = clone(bag).set_params(n_estimators=12).fit(X, y)
    assert some.engine_ == "generic"
    for number in (0, 11):
        np.testing.assert_array_equal(
            answers(bag.estimators_[number], X), answers(some.estimators_[number], X)
        )
        np.testing.assert_array_equal(
            bag.estimators_samples_[number], some.estimators_samples_[number]
        )
        np.testing.assert_array_equal(
            bag.estimators_features_[number], some.estimators_features_[number]
        )
    assert len(bag.estimators_[2:8:2]) == 3
    assert isinstance(bag.estimators_[10**6], type(bag.estimator))


@pytest.mark.parametrize(
    "name", ["estimators_", "estimators_samples_", "estimators_features_"]
)
def test_sequences_without_end(name):
    """They cannot be counted or gone through, and say what can be done."""
    sequence = getattr(regressor().fit(*regression_data()), name)
    for act in (len, list, iter):
        with pytest.raises(TypeError, match=r"no end of .*; take a slice, \[:10\]"):
            act(sequence)
    with pytest.raises(IndexError, match=r"no end .* to count from.* Got -1"):
        sequence[-1]
    with pytest.raises(IndexError, match=r"give the slice one[.] Got slice"):
        sequence[3:]
    assert sequence
    assert "without end" in repr(sequence)


@pytest.mark.slow
@BAGS
@pytest.mark.parametrize("max_samples", [1.0, 0.5])
def test_many_members_come_near_it(bag, data, max_samples):
    """Six hundred members differ by chance, and by the law of balanced draws.

    Chance is the variance of a member over their number; the balance of the draws
    makes it less. The counts of balanced draws differ from those of drawing with
    replacement: for 200 rows, shares of the nearest draws by one or two percent in
    all, which moves answers by about as much of the spread of a member. Together
    they stay under 1.5 times the first, which is 4 % of that spread.
    """
    X, y = data(200)
    T, _ = data(100, seed=1)
    bag = clone(bag).set_params(max_samples=max_samples).fit(X, y)
    many = clone(bag).set_params(n_estimators=600).fit(X, y)
    spread = np.std([answers(many.estimators_[b], T) for b in range(40)], axis=0)
    error = answers(bag, T) - answers(many, T)
    chance = np.sqrt(np.mean(spread**2) / 600)
    assert np.sqrt(np.mean(error**2)) < 1.5 * chance
    # The gain is a mean over 200 rows of variances from 200 members that left the row
    # out, each known to a tenth: one percent. Counts of balanced draws have, with 67
    # rows a class, 2 % less variance than binomial ones, and 10 % more of half of them.
    rel = 0.05 if max_samples == 1.0 else 0.12
    assert bag.bagging_gain_ == pytest.approx(many.bagging_gain_, rel=rel)
    # Squared losses of many members are corrected to those of infinitely many.
    if data is regression_data:
        assert bag.oob_score_ == pytest.approx(many.oob_score_, abs=0.01)
        assert bag.train_score_ == pytest.approx(many.train_score_, abs=0.01)


def test_figures_by_hand():
    """Scores of the out-of-bag answers as they are, without a correction."""
    X, y = regression_data()
    bag = regressor().fit(X, y)
    error = (bag.oob_prediction_ - y) ** 2
    assert bag.oob_score_ == pytest.approx(
        1 - error.sum() / ((y - y.mean()) ** 2).sum()
    )
    train = (bag.predict(X) - y) ** 2
    assert bag.train_score_ == pytest.approx(
        1 - train.sum() / ((y - y.mean()) ** 2).sum()
    )
    X, y = classification_data(labels=["x", "y", "z"])
    for score, expected in (
        (True, lambda p: (np.array(list("xyz"))[p.argmax(axis=1)] == y).mean()),
        ("neg_log_loss", None),
        ("neg_brier_score", None),
    ):
        bag = classifier(9, oob_score=score).fit(X, y)
        if expected is not None:
            found = bag.oob_decision_function_
            assert bag.oob_score_ == expected(found)
        assert np.isfinite(bag.oob_score_)


def test_two_scales_of_the_brier_score():
    """The score is scikit-learn's for two classes."""
    X, y = classification_data(60, 2)
    bag = classifier(oob_score="neg_brier_score").fit(X, y)
    loss = (bag.oob_decision_function_[:, 1] - y) ** 2
    assert bag.oob_score_ == pytest.approx(-loss.mean())


@BAGS
def test_without_figures(bag, data):
    """`oob_score=False` leaves the figures out and the answers as they are."""
    X, y = data()
    bag = clone(bag).fit(X, y)
    plain = clone(bag).set_params(oob_score=False).fit(X, y)
    assert not figures_of(plain)
    np.testing.assert_array_equal(answers(plain, X), answers(bag, X))


@BAGS
def test_order_of_rows_seeds_and_jobs(bag, data):
    """None of them makes a difference to any bit."""
    X, y = data()
    bag = clone(bag).fit(X, y)
    order = np.random.default_rng(0).permutation(len(y))
    shuffled = clone(bag).fit(X[order], y[order])
    assert_same_fit(bag, shuffled, X)
    figures = figures_of(bag)
    for name, value in figures_of(shuffled).items():
        expected = figures[name][order] if np.ndim(value) else figures[name]
        np.testing.assert_array_equal(value, expected, err_msg=name)
    for params in ({"n_jobs": 2}, {"random_state": 7}, {"tolerance": 0.5}):
        assert_same_fit(bag, clone(bag).set_params(**params).fit(X, y), X)


@BAGS
def test_weights_are_rows(bag, data):
    """A row of weight k is k rows, to the last bit, and weight zero none."""
    X, y = data()
    weight = np.random.default_rng(0).integers(0, 4, size=len(y)).astype(float)
    rows = np.repeat(np.arange(len(y)), weight.astype(int))
    weighted = clone(bag).fit(X, y, sample_weight=weight)
    assert weighted.engine_ == "limit"
    assert_same_fit(weighted, clone(bag).fit(X[rows], y[rows]), X)
    assert weighted.oob_coverage_ == 1.0
    name = "oob_prediction_" if "Reg" in repr(bag) else "oob_decision_function_"
    missing = np.isnan(getattr(weighted, name)).reshape(len(y), -1).all(axis=1)
    np.testing.assert_array_equal(missing, weight == 0)


def test_equal_rows_with_other_targets():
    """Ties are broken by the search alone, which the order of rows does not reach."""
    X, y = regression_data()
    X = np.round(X)  # few different rows
    bag = regressor(5).fit(X, y)
    order = np.random.default_rng(0).permutation(len(y))
    assert_same_fit(bag, regressor(5).fit(X[order], y[order]), X)
    flat = regressor(5).fit(np.ones((60, 2)), y)
    assert np.ptp(flat.predict(np.ones((3, 2)))) == 0
    assert y.min() < flat.predict(np.ones((1, 2)))[0] < y.max()


def test_several_targets():
    """Each as if it were alone."""
    X, y = regression_data()
    both = regressor().fit(X, np.c_[y, 5 * X[:, 0]])
    for j, own in enumerate((y, 5 * X[:, 0])):
        alone = regressor().fit(X, own)
        np.testing.assert_allclose(both.predict(X)[:, j], alone.predict(X))
        np.testing.assert_allclose(both.oob_prediction_[:, j], alone.oob_prediction_)


def test_labels_of_several_outputs():
    """Lists of probabilities, one an output."""
    X, codes = classification_data()
    y = np.c_[np.array(["u", "v", "w"])[codes], np.where(codes > 0, "p", "q")]
    bag = classifier().fit(X, y)
    assert bag.engine_ == "limit"
    assert [part.shape for part in bag.predict_proba(X)] == [(60, 3), (60, 2)]
    assert bag.predict(X).shape == (60, 2)
    assert (bag.predict(X)[:, 0] == y[:, 0]).mean() > 0.5
    assert np.isfinite(bag.bagging_gain_)


def test_class_of_one_row():
    """It is in every bag, so it is never out of one, and the others are."""
    X, y = classification_data(labels=["x", "y", "z"])
    y[7] = "alone"
    bag = classifier().fit(X, y)
    missing = np.isnan(bag.oob_decision_function_).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(missing), [7])
    assert bag.oob_coverage_ == pytest.approx(59 / 60)
    assert bag.predict_proba(X[[7]])[0, 0] > 0.3


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    """Names of columns are kept and compared, numbers are the array's."""
    library = pytest.importorskip(library)
    X, y = regression_data()
    frame = library.DataFrame(dict(zip("abcd", X.T, strict=True)))
    bag = regressor().fit(frame, y)
    assert bag.engine_ == "limit"
    assert bag.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(bag.predict(frame), regressor().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        bag.predict(frame[["b", "a", "c", "d"]])


def test_sparse_rows():
    """As their dense copies; distances of sparse rows are rounded otherwise."""
    sparse = pytest.importorskip("scipy.sparse")
    X, y = mostly_zero()
    bag = regressor().fit(sparse.csr_array(X), y)
    assert bag.engine_ == "limit"
    dense = regressor().fit(X, y)
    np.testing.assert_allclose(bag.predict(sparse.csr_array(X)), dense.predict(X))
    assert bag.oob_score_ == pytest.approx(dense.oob_score_)


@pytest.mark.parametrize(
    ("params", "fit"),
    [
        ({"n_estimators": 5}, {}),
        ({"engine": "generic"}, {}),
        ({"aggregate": "median"}, {}),
        ({"max_features": 0.5}, {}),
        ({"warm_start": True}, {}),
        ({"resampling": "subsample"}, {}),
        ({"resampling": "group"}, {"groups": np.arange(60) // 2}),
        ({"resampling": Bootstrap(stratify=False, max_samples=0.2)}, {}),
        ({"weight_mode": "importance"}, {"sample_weight": np.arange(60.0) // 20 + 1}),
        ({"estimator": KNeighborsRegressor(3, weights="distance")}, {}),
        ({"estimator": make_pipeline(StandardScaler(), KNeighborsRegressor(3))}, {}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")
def test_what_is_left_to_members(params, fit):
    """Whatever has no formula has members, as many as are asked for."""
    bag = regressor(max_estimators=10).set_params(**params)
    bag.fit(*regression_data(), **fit)
    assert bag.engine_ == "generic"
    assert len(bag.estimators_) == bag.n_estimators_ <= 10


@pytest.mark.parametrize("aggregate", ["vote", "logit", "median"])
def test_how_classes_are_combined(aggregate):
    """Only means of probabilities have a formula."""
    bag = classifier(aggregate=aggregate, max_estimators=10)
    assert bag.fit(*classification_data()).engine_ == "generic"


def test_resampling_objects():
    """Whatever a row is known by, and each row drawn on its own."""
    X, y = regression_data(90)
    plain = regressor().fit(X, y)
    position = regressor(resampling=Bootstrap(key="position")).fit(X, y)
    np.testing.assert_array_equal(position.predict(X), plain.predict(X))
    alone = regressor(resampling=Bootstrap(stratify=False)).fit(X, y)
    assert alone.engine_ == "limit"
    # The total of Poisson draws varies, which changes little.
    assert 0 < np.abs(alone.predict(X) - plain.predict(X)).max() < 0.1
    fewer = regressor(max_samples=0.3).fit(X, y)
    assert fewer.train_score_ < plain.train_score_


def test_clusters_count_as_one():
    """Groups that are not drawn together widen the standard errors."""
    X, y = regression_data()
    groups = np.repeat(np.arange(6), 10)
    bag = regressor().fit(X, y, groups=groups)
    assert bag.engine_ == "limit"
    plain = regressor().fit(X, y)
    assert bag.oob_score_ == plain.oob_score_
    assert bag.oob_score_std_error_ != plain.oob_score_std_error_


def test_growing_begins_anew():
    """There are no members to go on from, so members are fitted from the first on."""
    X, y = regression_data()
    bag = regressor().fit(X, y)
    bag.set_params(warm_start=True, n_estimators=4).fit(X[:40], y[:40])
    assert bag.n_estimators_ == 4
    expected = regressor(n_estimators=4).fit(X[:40], y[:40])
    np.testing.assert_array_equal(bag.predict(X), expected.predict(X))
    bag.set_params(n_estimators=6).fit(X[:40], y[:40])
    assert bag.n_estimators_ == 6
    bag.set_params(warm_start=False, n_estimators="auto").fit(X, y)
    assert bag.n_estimators_ == np.inf


@pytest.mark.parametrize("ask", ["predict_interval", "predict_std"])
def test_uncertainty_of_a_regressor_needs_members(ask):
    """The message says how to get them."""
    X, y = regression_data()
    bag = regressor().fit(X, y)
    with pytest.raises(ValueError, match="set `n_estimators` to a number, such as 200"):
        getattr(bag, ask)(X)
    bag.set_params(n_estimators=50).fit(X, y)
    assert len(bag.predict_interval(X)) == 60


@pytest.mark.parametrize("ask", ["predict_set", "predict_std"])
def test_uncertainty_of_a_classifier_needs_members(ask):
    """As of a regressor."""
    X, y = classification_data()
    with pytest.raises(ValueError, match="infinitely many by a formula; set `n_estim"):
        getattr(classifier().fit(X, y), ask)(X)


def test_too_many_neighbours_for_the_rows():
    """The error is the estimator's own, and says where it happened."""
    X, y = regression_data(20)
    with pytest.raises(ValueError, match="Expected n_neighbors <= n_samples_fit"):
        regressor(30).fit(X, y)
    with pytest.raises(ValueError, match="n_neighbors' parameter of KNeighborsReg"):
        regressor(0).fit(X, y)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        regressor().fit(X, y)


@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_few_rows(n_rows):
    """Two rows are enough: each is out of bag where only the other was drawn."""
    X, y = regression_data(n_rows)
    bag = regressor(1).fit(X, y)
    assert bag.engine_ == "limit"
    if n_rows == 2:
        np.testing.assert_allclose(bag.predict(X), 0.75 * y + 0.25 * y[::-1])
        np.testing.assert_allclose(bag.oob_prediction_, y[::-1])
        assert bag.bagging_gain_ == pytest.approx(0.0, abs=1e-12)


@BAGS
def test_pickle_clone_and_representation(bag, data):
    """What a fitted estimator is expected to go through."""
    X, y = data()
    bag = clone(bag).fit(X, y)
    read = pickle.loads(pickle.dumps(bag))
    assert_same_fit(read, bag, X)
    np.testing.assert_array_equal(
        answers(read.estimators_[3], X), answers(bag.estimators_[3], X)
    )
    assert not hasattr(clone(bag), "estimators_")
    assert "KNeighbors" in repr(bag)
    assert "KNeighbors" in bag._repr_html_()


def test_in_searches_and_pipelines():
    """A search over the number of neighbours, and predictions by folds."""
    X, y = regression_data()
    pipeline = make_pipeline(StandardScaler(), regressor())
    search = GridSearchCV(
        pipeline, {"bootstrapbaggingregressor__estimator__n_neighbors": [1, 3, 9]}, cv=3
    ).fit(X, y)
    assert search.best_score_ > 0
    assert search.best_estimator_[-1].engine_ == "limit"
    assert cross_val_predict(pipeline, X, y, cv=3).shape == (60,)
    selector = StableFeatureSelector(
        regressor(), importance="permutation", n_resamples=2, random_state=0
    )
    assert selector.fit(X, y).get_support().shape == (4,)


def test_progress(capsys):
    """One task without parts, and nothing printed for members that are not there."""
    X, y = regression_data()
    regressor(verbose=2).fit(X, y)
    assert capsys.readouterr().out == ""
    pytest.importorskip("sklearn.callback")
    recorder = Recorder()
    regressor().set_callbacks(recorder).fit(X, y)
    assert recorder.hooks == expected_hooks(0, None)


def test_other_estimators_have_members():
    """No formula is known for them."""
    bag = BootstrapBaggingRegressor(Ridge(), random_state=0).fit(*regression_data())
    assert bag.engine_ == "shared"
    assert bag.n_estimators_ == len(bag.estimators_)


@pytest.mark.parametrize("kind", ["auto", "brute", "kd_tree"])
def test_rows_at_equal_distances_are_left_to_members(kind):
    """A grid of few points: members do not take those that a formula would."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(60, 2)).astype(float)
    y = rng.normal(size=60)
    knn = KNeighborsRegressor(5, algorithm=kind)
    bag = BootstrapBaggingRegressor(knn, random_state=0).fit(X, y)
    assert bag.engine_ == "generic"
    mean = np.mean([member.predict(X) for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict(X), mean)
    # Equal rows of one target do no harm, as they are all the same.
    labels = (X[:, 0] > 0).astype(int)
    bag = BootstrapBaggingClassifier(KNeighborsClassifier(5), random_state=0)
    assert bag.fit(X[:, :1] ** 3, labels).engine_ == "limit"


def test_no_rows_to_answer():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    bag = BootstrapBaggingRegressor(KNeighborsRegressor(3), random_state=0).fit(X, y)
    assert bag.engine_ == "limit"
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        bag.predict(X[:0])


@pytest.mark.parametrize("place", ["a", 1.5, None])
def test_places_are_whole_numbers(place):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    bag = BootstrapBaggingRegressor(KNeighborsRegressor(3), random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="are whole numbers"):
        bag.estimators_[place]
    with pytest.raises(IndexError, match="no end of fitted estimators to count from"):
        bag.estimators_[:-1]
