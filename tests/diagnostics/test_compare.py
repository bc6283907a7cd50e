"""Comparisons of models, against the tests written out, and their error rates."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    GroupSubsample,
    Subsample,
    UndefinedTestWarning,
    compare_models,
)
from genestimators.diagnostics._compare import (
    corrected_t,
    exact_mcnemar,
    five_by_two,
    holm,
)
from genestimators.diagnostics._problem import make_problem
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import classes, regression

TREE = DecisionTreeRegressor(max_depth=3, random_state=0)


def _differences(X, y, resampler, n, groups=None):
    """Differences of R2 of a ridge and a tree on the splits of a resampler."""
    problem = make_problem("f", Ridge(), X, y, groups=groups, random_state=0)
    seed = derive(problem.seed, "splits")
    draws = resampler.prepare(X, y, groups=groups, seed=seed)
    found, shares = [], []
    for number in range(n):
        train, test = draws[number].rows, draws[number].out_of_bag
        scores = [
            r2_score(y[test], model.fit(X[train], y[train]).predict(X[test]))
            for model in (Ridge(), TREE)
        ]
        found.append(scores[0] - scores[1])
        shares.append(len(test) / len(train))
    return np.array(found), np.mean(shares)


@pytest.mark.parametrize("grouped", [False, True])
def test_corrected_t_by_hand(grouped):
    X, y = regression(60)
    groups = np.arange(60) % 20 if grouped else None
    kind = GroupSubsample if grouped else Subsample
    found = compare_models(Ridge(), TREE, X, y, groups=groups, random_state=0)
    own, share = _differences(X, y, kind(0.8), 25, groups)
    error = np.sqrt((1 / 25 + share) * own.var(ddof=1))
    assert found.difference == pytest.approx(own.mean())
    assert found.std_error == pytest.approx(error)
    ratio = own.mean() / error
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(ratio), 24))
    reach = stats.t.ppf(0.975, 24) * error
    assert found.interval == pytest.approx((own.mean() - reach, own.mean() + reach))
    assert found.scores[0] - found.scores[1] == pytest.approx(found.difference)
    assert found.n_fits == 50


def test_five_times_two_halves_by_hand():
    X, y = regression(60)
    found = compare_models(Ridge(), TREE, X, y, method="5x2cv_f", random_state=0)
    own, _ = _differences(X, y, Subsample(0.5, complementary_pairs=True), 10)
    pairs = own.reshape(5, 2)
    spread = pairs.var(axis=1, ddof=1) * 1.0
    statistic = (pairs**2).sum() / (2 * spread.sum())
    assert found.p_value == pytest.approx(stats.f.sf(statistic, 10, 5))
    assert np.isnan(found.p_value_non_inferior)
    assert found.n_fits == 20


@pytest.mark.parametrize("k", [2, 3])
def test_mcnemar_by_hand(k):
    X, y = classes(80, k=k)
    names = np.array(["c", "a", "b"])[y]
    models = LogisticRegression(), DecisionTreeClassifier(random_state=0)
    found = compare_models(*models, X, names, method="mcnemar", random_state=0)
    hits = [
        cross_val_predict(model, X, names, cv=StratifiedKFold(5)) == names
        for model in models
    ]
    better, worse = (hits[0] & ~hits[1]).sum(), (hits[1] & ~hits[0]).sum()
    expected = stats.binomtest(int(better), int(better + worse)).pvalue
    assert found.p_value == pytest.approx(expected)
    assert found.difference == pytest.approx((better - worse) / 80)
    assert found.scoring == "accuracy"


def test_statistics_alone():
    rng = np.random.default_rng(0)
    values = rng.normal(size=12)
    assert corrected_t(values, 0.0).p_value == pytest.approx(
        stats.ttest_1samp(values, 0).pvalue
    )
    assert corrected_t(values, 0.25).p_value > corrected_t(values, 0.0).p_value
    zero, one = np.zeros(10), np.ones(10)
    assert corrected_t(zero, 0.25).p_value == 1.0
    assert np.isnan(corrected_t(one, 0.25).p_value)
    assert five_by_two(zero).p_value == 1.0
    assert np.isnan(five_by_two(one).p_value)
    same = rng.random(30) < 0.5
    assert exact_mcnemar(same, same).p_value == 1.0
    weight = rng.integers(3, size=30)
    rows = np.repeat(np.arange(30), weight)
    other = rng.random(30) < 0.5
    weighted, repeated = (
        exact_mcnemar(same, other, weight),
        exact_mcnemar(same[rows], other[rows]),
    )
    assert weighted == repeated


def test_adjusted_p_values():
    """Holm's procedure step by step."""
    p_values = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p_values).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([0.3]).tolist() == [0.3]
    with_nothing = holm([0.01, np.nan, 0.04])
    assert with_nothing[[0, 2]].tolist() == pytest.approx([0.02, 0.04])
    assert np.isnan(with_nothing[1])


def test_several_models():
    X, y = regression(60)
    found = compare_models(Ridge(), [TREE, KNeighborsRegressor()], X, y, random_state=0)
    single = compare_models(Ridge(), TREE, X, y, random_state=0)
    assert found[0].p_value == single.p_value
    adjusted = holm([one.p_value for one in found])
    assert [one.p_value_adjusted for one in found] == adjusted.tolist()
    assert "Adjusted for several models" in "".join(map(str, found))


def test_no_worse_by_a_margin():
    X, y = regression(60)
    ridge = Ridge(alpha=1e-3)
    found = compare_models(ridge, LinearRegression(), X, y, margin=0.1, random_state=0)
    assert found.p_value_non_inferior < 1e-6
    strict = compare_models(ridge, LinearRegression(), X, y, random_state=0)
    assert strict.p_value_non_inferior > found.p_value_non_inferior
    assert "worse by 0.1 or more" in str(found)
    law = stats.t(24)
    expected = law.sf((found.difference + 0.1) / found.std_error)
    assert found.p_value_non_inferior == pytest.approx(expected)


def test_a_model_against_itself():
    X, y = regression(60)
    for method in ("corrected_t", "5x2cv_f"):
        found = compare_models(Ridge(), Ridge(), X, y, method=method, random_state=0)
        assert found.difference == 0.0
        assert found.p_value == 1.0
    X, y = classes(60)
    knn = KNeighborsClassifier()
    assert compare_models(knn, knn, X, y, method="mcnemar").p_value == 1.0


def test_scorers_weights_jobs_and_the_order_of_rows():
    X, y = classes(80)
    models = LogisticRegression(), KNeighborsClassifier()
    for scoring in ("roc_auc", "neg_log_loss", lambda model, X, y: model.score(X, y)):
        found = compare_models(*models, X, y, scoring=scoring, random_state=0)
        assert np.isfinite(found.p_value)
    plain = compare_models(*models, X, y, random_state=0)
    assert compare_models(*models, X, y, n_jobs=2, random_state=0) == plain
    order = np.random.default_rng(0).permutation(80)
    again = compare_models(*models, X[order], y[order], random_state=0)
    assert again.difference == pytest.approx(plain.difference)
    weight = np.random.default_rng(1).integers(1, 3, size=80)
    weighted = compare_models(
        LogisticRegression(), DecisionTreeClassifier(random_state=0), X, y,
        sample_weight=weight, random_state=0,
    )  # fmt: skip
    assert np.isfinite(weighted.p_value)


@pytest.mark.parametrize("method", ["corrected_t", "5x2cv_f"])
def test_a_row_is_drawn_as_one_whatever_its_weight(method):
    """Rows of great weight are tested on as often as others."""
    X, y = regression(60)
    weight = np.where(np.arange(60) < 30, 1.0, 4.0)
    told = {"method": method, "random_state": 0}
    found = compare_models(Ridge(), TREE, X, y, sample_weight=weight, **told)
    resampler = Subsample(0.8)
    if method == "5x2cv_f":
        resampler = Subsample(0.5, complementary_pairs=True)
    problem = make_problem("f", Ridge(), X, y, random_state=0)
    draws = resampler.prepare(X, y, seed=derive(problem.seed, "splits"))
    scores = []
    for model in (Ridge(), TREE):
        own = []
        for k in range(10 if method == "5x2cv_f" else 25):
            seen, left = draws[k].rows, draws[k].out_of_bag
            fitted = clone(model).fit(X[seen], y[seen], sample_weight=weight[seen])
            own.append(fitted.score(X[left], y[left], sample_weight=weight[left]))
        scores.append(np.mean(own))
    assert found.scores == pytest.approx(scores)


def test_a_model_is_no_worse_than_itself():
    X, y = regression(60)
    told = {"random_state": 0}
    assert compare_models(Ridge(), Ridge(), X, y, **told).p_value_non_inferior == 1.0
    found = compare_models(Ridge(), Ridge(), X, y, margin=0.01, **told)
    assert found.p_value_non_inferior == 0.0


def test_words():
    X, y = regression(60)
    found = compare_models(Ridge(), TREE, X, y, scoring="r2", random_state=0)
    assert str(found).startswith("r2 of Ridge() less that of DecisionTreeRegressor(")
    assert found._repr_html_().count("<li>") == 1
    assert found.to_dict()["second"] == found.second


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"method": "t"}, ValueError, "'method' parameter of compare_models must be"),
        ({"margin": -1.0}, ValueError, "'margin' parameter of compare_models"),
        ({"second": []}, ValueError, "`second` must hold at least one model"),
        ({"second": Ridge}, TypeError, "compare_models compares estimators"),
        ({"second": DummyClassifier()}, ValueError, "models of the same target"),
        ({"method": "mcnemar"}, ValueError, "McNemar's test compares the labels"),
        ({"scoring": "nothing"}, ValueError, "`scoring` must be None"),
        ({"scoring": ["r2"]}, TypeError, "'scoring' parameter of compare_models"),
        ({"confidence_level": 1.0}, ValueError, "'confidence_level' parameter"),
        ({"groups": np.zeros(60)}, ValueError, "at least 2 groups"),
    ],
)
def test_bad_input(changes, error, message):
    X, y = regression(60)
    given = {"first": Ridge(), "second": TREE, "X": X, "y": y} | changes
    with pytest.raises(error, match=message):
        compare_models(**given)


def test_what_mcnemar_cannot_do():
    X, y = classes(60)
    models = LogisticRegression(), DecisionTreeClassifier()
    with pytest.raises(ValueError, match="takes rows for independent"):
        compare_models(*models, X, y, method="mcnemar", groups=np.arange(60) // 2)
    with pytest.raises(ValueError, match=r"whole numbers of them\. Got 1\.5"):
        compare_models(*models, X, y, method="mcnemar", sample_weight=np.full(60, 1.5))


def test_scores_that_do_not_vary():
    """Constant predictions and stratified splits: nothing to test by."""
    X, _ = classes(25)
    y = np.r_[np.zeros(15), np.ones(10)].astype(int)
    models = [DummyClassifier(strategy="constant", constant=k) for k in (0, 1)]
    with pytest.warns(UndefinedTestWarning, match="the same on every split"):
        found = compare_models(*models, X, y, random_state=0)
    assert found.difference == pytest.approx(0.2)
    assert np.isnan([found.p_value, found.p_value_non_inferior, *found.interval]).all()
    assert "There is no test" in str(found)
    exact = compare_models(*models, X, y, method="mcnemar")
    assert exact.p_value == pytest.approx(stats.binomtest(15, 25).pvalue)


def test_scores_that_are_not_defined():
    X, y = classes(60)
    y = np.where(np.arange(60) < 1, 1, 0)
    models = LogisticRegression(), DecisionTreeClassifier(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        with pytest.raises(ValueError, match="compare_models needs a score on every"):
            compare_models(*models, X, y, scoring="roc_auc", random_state=0)

    def several(model, X, y):
        return {"a": 1.0, "b": 2.0}

    with pytest.raises(ValueError, match=r"goes by one score.*Got \['a', 'b'\]"):
        compare_models(*models, X, y, scoring=several, random_state=0)


class _Boom(Ridge):
    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("boom")


def test_the_note_says_which_model_failed():
    X, y = regression(60)
    with pytest.raises(RuntimeError, match="boom") as caught:
        compare_models(Ridge(), [TREE, _Boom()], X, y, random_state=0)
    assert "compare_models, with _Boom()" in caught.value.__notes__[0]


class _FirstColumns(RegressorMixin, BaseEstimator):
    """Least squares on a few columns."""

    def __init__(self, columns=slice(0, 2)):
        self.columns = columns

    def fit(self, X, y):
        self.model_ = LinearRegression().fit(X[:, self.columns], y)
        return self

    def predict(self, X):
        return self.model_.predict(X[:, self.columns])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["corrected_t", "5x2cv_f"])
def test_equal_models_are_seldom_told_apart(method):
    """Two models of equal merit by symmetry: at most about 5 % are found to differ.

    200 data sets; at a true rate of 5 % more than 10 % have a probability of .1 %. A
    t test that takes the 25 splits for independent rejects a third or more.
    """
    rejected = naive = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(60, 4))
        y = X.sum(axis=1) + rng.normal(size=60)
        models = _FirstColumns(slice(0, 2)), _FirstColumns(slice(2, 4))
        found = compare_models(*models, X, y, method=method, random_state=seed)
        rejected += found.p_value < 0.05
        if method == "corrected_t":
            plain = found.std_error * np.sqrt((1 / 25) / (1 / 25 + 0.25))
            naive += 2 * stats.t.sf(abs(found.difference) / plain, 24) < 0.05
    assert rejected <= 20
    if method == "corrected_t":
        assert naive > 60


def test_two_groups_leave_none_to_test_on():
    X, y = regression(40)
    groups = np.repeat([0, 1], 20)
    with pytest.raises(ValueError, match=r"has not seen\. Got none in split 0 of 2"):
        compare_models(Ridge(), Ridge(10.0), X, y, groups=groups, random_state=0)
