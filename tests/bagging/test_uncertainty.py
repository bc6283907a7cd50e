"""Intervals, sets and standard errors of bags against what their members tell."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OutOfBagWarning,
)
from genestimators._exceptions import FewReplicatesWarning
from genestimators.bagging import _uncertainty
from tests.bagging.test_intervals import slow_bound, slow_jackknife_plus
from tests.bagging.test_left_out import slow_aggregates
from tests.bagging.test_prediction_sets import slow_sets
from tests.bagging.test_sampling_error import slow_unbiased
from tests.bagging.toys import classification_data, multilabel_data, regression_data

LEVEL = 0.8
NEW, _ = regression_data(9, seed=99)


def left_out_by(bag, n_rows):
    """Which members never saw a row, from the documented samples, (n_rows, B)."""
    seen = [np.isin(np.arange(n_rows), own) for own in bag.estimators_samples_]
    return ~np.column_stack(seen)


def answers_of(bag, X, method="predict"):
    """Answers of each member, (B, n_rows) or (B, n_rows, n_columns)."""
    return np.stack([getattr(one, method)(X) for one in bag.estimators_])


def slow_errors(bag, X, y, left_out, aggregate):
    """Errors of the aggregate of the members that left a row out, row by row."""
    answers = answers_of(bag, X)
    out = np.full(len(y), np.inf)
    for i in np.flatnonzero(left_out.any(axis=1)):
        told = slow_aggregates(answers[:, [i]], left_out[[i]], aggregate)
        out[i] = abs(y[i] - told[0, 0])
    return out


@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed"])
@pytest.mark.parametrize("seed", range(3))
def test_intervals_equal_a_slow_jackknife_plus(aggregate, seed):
    """Every member's answers, every row's own aggregate, every rank."""
    X, y = regression_data(50, seed=seed)
    bag = BootstrapBaggingRegressor(
        n_estimators=20, aggregate=aggregate, random_state=seed
    ).fit(X, y)
    left_out = left_out_by(bag, 50)
    centres = slow_aggregates(answers_of(bag, NEW), left_out, aggregate)
    errors = slow_errors(bag, X, y, left_out, aggregate)
    expected = slow_jackknife_plus(centres, errors, LEVEL, np.ones(50))
    found = bag.predict_interval(NEW, confidence_level=LEVEL)
    assert found.shape == (9, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    wide = bag.predict_interval(NEW, confidence_level=LEVEL, method="jackknife-minmax")
    error = slow_bound(errors, LEVEL, np.ones(50))
    np.testing.assert_allclose(wide[:, 0], centres.min(axis=1) - error)
    np.testing.assert_allclose(wide[:, 1], centres.max(axis=1) + error)


def test_intervals_of_several_outputs_are_those_of_each():
    """Each output has the interval that it has alone, members being equal."""
    X, y = regression_data(60)
    both = np.column_stack([y, 100 * y + 1e6])
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=20, random_state=0)
    found = bag.fit(X, both).predict_interval(NEW)
    assert found.shape == (9, 2, 2)
    np.testing.assert_allclose(found[:, 1], 100 * found[:, 0] + 1e6, rtol=1e-9)
    assert bag.set_params(n_estimators=100).fit(X, both).predict_std(NEW).shape == (
        9,
        2,
    )


@pytest.mark.parametrize("weights", ["frequency", "importance"])
def test_weights_that_are_frequencies_count_in_ranks(weights):
    """Frequencies weigh the errors; importance does not; weight zero is not there."""
    X, y = regression_data(50)
    weight = np.random.default_rng(0).integers(0, 4, size=50).astype(float)
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=30, weight_mode=weights, random_state=0
    ).fit(X, y, sample_weight=weight)
    rows = np.flatnonzero(weight)
    left_out = left_out_by(bag, 50)[rows]
    centres = slow_aggregates(answers_of(bag, NEW), left_out, "mean")
    errors = slow_errors(bag, X[rows], y[rows], left_out, "mean")
    share = weight[rows] if weights == "frequency" else np.ones(len(rows))
    expected = slow_jackknife_plus(centres, errors, LEVEL, share)
    with warnings.catch_warnings():  # heavy rows may never be out of bag
        warnings.simplefilter("ignore", OutOfBagWarning)
        found = bag.predict_interval(NEW, confidence_level=LEVEL)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_intervals_of_groups_give_each_group_a_weight_of_one(weighted):
    """Predictors without a group, errors of its rows, which share its weight."""
    X, y = regression_data(60)
    rng = np.random.default_rng(0)
    groups = np.array(list("abcdefghijkl"))[rng.integers(0, 12, size=60)]
    weight = rng.integers(1, 3, size=60).astype(float) if weighted else None
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=20, resampling="group", random_state=0
    ).fit(X, y, groups=groups, sample_weight=weight)
    left_out = left_out_by(bag, 60)
    centres = slow_aggregates(answers_of(bag, NEW), left_out, "mean")
    errors = slow_errors(bag, X, y, left_out, "mean")
    own = np.ones(60) if weight is None else weight
    share = [
        w / own[groups == group].sum() for w, group in zip(own, groups, strict=True)
    ]
    level = 0.83  # twelve groups, so not a rank that rounding could move
    expected = slow_jackknife_plus(centres, errors, level, share)
    np.testing.assert_allclose(
        bag.predict_interval(NEW, confidence_level=level), expected
    )


def test_intervals_of_blocks_have_one_width_around_the_mean():
    """The centre is the mean of the predictors without a row, the width one error."""
    X, y = regression_data(80)
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=20, resampling="block", random_state=0
    ).fit(X, y)
    left_out = np.zeros((80, 20), dtype=bool)
    for b in range(20):  # in-bag rows and those near them are not left out
        left_out[bag._draws[b].out_of_bag, b] = True
    centres = slow_aggregates(answers_of(bag, NEW), left_out, "mean")
    known = left_out.any(axis=1)
    errors = slow_errors(bag, X, y, left_out, "mean")
    error = slow_bound(errors, LEVEL, np.ones(80))
    centre = centres[:, known].mean(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutOfBagWarning)
        found = bag.predict_interval(NEW, confidence_level=LEVEL)
    np.testing.assert_allclose(found, np.column_stack([centre - error, centre + error]))


@pytest.mark.parametrize("aggregate", ["mean", "vote", "logit", "median", "trimmed"])
def test_sets_equal_a_slow_jackknife_plus(aggregate):
    """Probabilities without each row, in the form that the bag itself gives them."""
    X, y = classification_data(60, labels=["x", "y", "z"])
    bag = BootstrapBaggingClassifier(
        DecisionTreeClassifier(max_depth=3),
        n_estimators=20,
        aggregate=aggregate,
        random_state=0,
    ).fit(X, y)
    left_out = left_out_by(bag, 60)
    answers = answers_of(bag, NEW, "predict_proba")
    if aggregate == "vote":
        answers = (answers_of(bag, NEW)[:, :, None] == bag.classes_).astype(float)
    if aggregate == "logit":
        answers = np.log(np.maximum(answers, 2.0**-26))
    centres = np.stack(
        [
            slow_aggregates(own, left_out, aggregate)
            for own in np.moveaxis(answers, 2, 0)
        ]
    )
    if aggregate == "logit":
        centres = np.exp(centres)
    total = centres.sum(axis=0)  # zero for medians of certain votes: no class is told
    centres = np.where(total > 0, centres / np.where(total > 0, total, 1), 1 / 3)
    own = bag.oob_decision_function_[np.arange(60), np.searchsorted(bag.classes_, y)]
    expected = slow_sets(centres, 1 - own, LEVEL, np.ones(60))
    found = bag.predict_set(NEW, confidence_level=LEVEL)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, expected)
    assert 0 < found.mean() < 1


@pytest.mark.parametrize("resampling", ["group", "block", "subsample"])
def test_sets_for_groups_and_blocks_grow_with_the_level(resampling):
    """Other ways to draw have sets too, and a higher level never drops a class."""
    X, y = classification_data(90)
    bag = BootstrapBaggingClassifier(
        LogisticRegression(), n_estimators=20, resampling=resampling, random_state=0
    ).fit(X, y, groups=np.arange(90) // 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutOfBagWarning)
        sets = [bag.predict_set(X, confidence_level=level) for level in (0.5, 0.7, 0.9)]
    assert (sets[0] <= sets[1]).all()
    assert (sets[1] <= sets[2]).all()
    assert sets[0].sum() < sets[2].sum()


def slow_std(bag, answers, units, scale):
    """Standard errors from the samples of the members, pair by pair."""
    counts = np.stack(
        [np.bincount(own, minlength=60) for own in bag.estimators_samples_]
    )
    variance = slow_unbiased(counts[:, units], answers, 10)
    return np.sqrt(np.maximum(scale(counts[:, units]) * variance, 0))


def scale_of(counts):
    """(mean / variance)^2 of the counts."""
    return (counts.mean() / counts.var(axis=1, ddof=1).mean()) ** 2


@pytest.mark.parametrize("resampling", ["bootstrap", "group", "subsample"])
def test_standard_errors_equal_a_slow_infinitesimal_jackknife(resampling):
    """Units are rows, or groups where groups are drawn."""
    X, y = regression_data(60)
    groups = np.arange(60) // 2
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=40, resampling=resampling, random_state=0
    ).fit(X, y, groups=groups)
    units = np.arange(0, 60, 2) if resampling == "group" else np.arange(60)
    expected = slow_std(bag, answers_of(bag, NEW), units, scale_of)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewReplicatesWarning)
        np.testing.assert_allclose(bag.predict_std(NEW), expected, rtol=1e-8)


def test_copies_that_are_drawn_together_are_one_unit():
    """Rows of equal content share one count, which enters once."""
    from genestimators import Bootstrap

    X, y = regression_data(30)
    X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2)
    bag = BootstrapBaggingRegressor(
        Ridge(),
        n_estimators=40,
        resampling=Bootstrap(duplicates="together"),
        random_state=0,
    ).fit(X, y)
    expected = slow_std(bag, answers_of(bag, NEW), np.arange(0, 60, 2), scale_of)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewReplicatesWarning)
        np.testing.assert_allclose(bag.predict_std(NEW), expected, rtol=1e-8)


def test_weighted_rows_have_the_standard_error_of_repeated_rows():
    """A row of weight two is two occurrences, each a unit."""
    X, y = regression_data(40)
    weight = np.random.default_rng(0).integers(1, 3, size=40)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=200, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutOfBagWarning)
        weighted = bag.fit(X, y, sample_weight=weight.astype(float)).predict_std(NEW)
    repeated = bag.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted, repeated.predict_std(NEW), rtol=1e-9)


def test_standard_errors_of_probabilities():
    """Of two classes they are equal; several outputs come as a list."""
    X, y = classification_data(60, n_classes=2)
    bag = BootstrapBaggingClassifier(
        LogisticRegression(), n_estimators=200, random_state=0
    ).fit(X, y)
    std = bag.predict_std(NEW)
    assert std.shape == (9, 2)
    np.testing.assert_allclose(std[:, 0], std[:, 1], rtol=1e-6)
    assert (std > 0).all()
    X, y = multilabel_data()
    several = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, y)
    with pytest.warns(FewReplicatesWarning):
        parts = several.predict_std(X[:5])
    assert [part.shape for part in parts] == [(5, 2)] * 3


def test_bayesian_bags_have_standard_errors_and_no_intervals():
    """Weights vary, so there is an infinitesimal jackknife; no row is left out."""
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(
        Ridge(),
        n_estimators=300,
        resampling="bayesian",
        oob_score=False,
        random_state=0,
    ).fit(X, y)
    plain = BootstrapBaggingRegressor(Ridge(), n_estimators=300, random_state=0)
    # Both estimate one number; the Monte-Carlo error of each square is about 20 %.
    np.testing.assert_allclose(
        np.mean(bag.predict_std(NEW)),
        np.mean(plain.fit(X, y).predict_std(NEW)),
        rtol=0.3,
    )
    with pytest.raises(ValueError, match=r"leaves none out.*resampling='bayesian'"):
        bag.predict_interval(NEW)


def test_pickled_bags_answer_alike_and_carry_no_masks():
    """Draws come back from the seed; what was made from them is not pickled."""
    X, y = regression_data(400)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=100, random_state=0).fit(X, y)
    before = len(pickle.dumps(bag))
    interval, std = bag.predict_interval(NEW), bag.predict_std(NEW)
    assert bag._kept.made
    pickled = pickle.dumps(bag)
    assert len(pickled) < before + 1000  # masks of 400 rows x 100 members are 40 kB
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(again.predict_interval(NEW), interval)
    np.testing.assert_array_equal(again.predict_std(NEW), std)


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_results_do_not_depend_on_n_jobs(n_jobs):
    """Bit by bit."""
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(n_estimators=60, random_state=0).fit(X, y)
    labels = np.where(y > 0, "a", "b")
    voter = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewReplicatesWarning)
        one = [bag.predict_interval(NEW), bag.predict_std(NEW), voter.predict_set(NEW)]
        bag.set_params(n_jobs=n_jobs)
        voter.set_params(n_jobs=n_jobs)
        two = [bag.predict_interval(NEW), bag.predict_std(NEW), voter.predict_set(NEW)]
    for ours, theirs in zip(one, two, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_many_rows_are_answered_in_chunks(monkeypatch):
    """Chunks of rows, and of rows times training rows, change nothing."""
    X, y = regression_data(60)
    labels = np.where(y > 0, "a", "b")
    bag = BootstrapBaggingRegressor(n_estimators=200, random_state=0).fit(X, y)
    voter = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, labels)

    def ask():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FewReplicatesWarning)
            return bag.predict_interval(X), bag.predict_std(X), voter.predict_set(X)

    whole = ask()
    monkeypatch.setattr("genestimators.bagging._predict.MOST_ANSWERS", 200 * 7)
    monkeypatch.setattr(_uncertainty, "_LEFT_OUT", 60 * 3)
    for ours, theirs in zip(whole, ask(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_grown_bag_answers_like_one_fitted_at_once():
    """What was made for fewer members is made again."""
    X, y = regression_data(60)
    grown = BootstrapBaggingRegressor(
        Ridge(), n_estimators=20, warm_start=True, random_state=0
    ).fit(X, y)
    grown.predict_interval(NEW)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewReplicatesWarning)
        grown.predict_std(NEW)
        grown.set_params(n_estimators=100).fit(X, y)
        whole = BootstrapBaggingRegressor(Ridge(), n_estimators=100, random_state=0)
        whole.fit(X, y)
        np.testing.assert_array_equal(
            grown.predict_interval(NEW), whole.predict_interval(NEW)
        )
        np.testing.assert_array_equal(grown.predict_std(NEW), whole.predict_std(NEW))


@pytest.mark.parametrize(
    ("base", "settings"),
    [
        (DecisionTreeRegressor(max_depth=3), {"max_features": 0.5}),
        (Ridge(copy_X=False), {}),
        (make_pipeline(StandardScaler(), KNeighborsRegressor(3)), {}),
    ],
)
def test_members_get_their_columns_and_rows_of_their_own(base, settings):
    """Intervals lie around the prediction of the bag, and X is not changed.

    They would not if members were given other columns, or rows scaled by an earlier
    member.
    """
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(
        base, n_estimators=20, random_state=0, **settings
    ).fit(X.copy(), y)
    new = NEW.copy()
    ends = bag.predict_interval(new)
    np.testing.assert_array_equal(new, NEW)
    predicted = bag.predict(new.copy())
    assert (ends[:, 0] < predicted).all()
    assert (predicted < ends[:, 1]).all()
    middle = ends.mean(axis=1)
    assert np.abs(middle - predicted).max() < 0.5 * np.diff(ends).min()


def test_frames_and_sparse_matrices():
    """X comes in the container that the bag was fitted on."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=20, random_state=0)
    expected = bag.fit(X, y).predict_interval(NEW)
    names = list("abcd")
    bag.fit(pandas.DataFrame(X, columns=names), y)
    found = bag.predict_interval(pandas.DataFrame(NEW, columns=names))
    np.testing.assert_allclose(found, expected)
    with pytest.raises(ValueError, match="feature names"):
        bag.predict_interval(pandas.DataFrame(NEW, columns=names[::-1]))
    thin = BootstrapBaggingRegressor(Ridge(), n_estimators=20, random_state=0)
    found = thin.fit(sparse.csr_array(X), y).predict_interval(sparse.csr_array(NEW))
    assert found.shape == (9, 2)
    assert (found[:, 0] < found[:, 1]).all()


def test_a_constant_target_has_intervals_of_no_width():
    """All members agree, no row is off, and the ends are the constant.

    Means of 0.1 differ in the last bit, those of 0.5 do not.
    """
    X, _ = regression_data(40)
    bag = BootstrapBaggingRegressor(n_estimators=20, random_state=0)
    bag.fit(X, np.full(40, 0.1))
    ends = bag.predict_interval(NEW)
    np.testing.assert_allclose(ends, 0.1, rtol=1e-15)
    assert (ends[:, 0] <= 0.1).all()
    assert (ends[:, 1] >= 0.1).all()
    bag.fit(X, np.full(40, 0.5))
    np.testing.assert_array_equal(bag.predict_interval(NEW), 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(bag.predict_std(NEW), 0.0)
