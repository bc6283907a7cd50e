"""Which rows selectors draw, and what does not change with how the rows come."""

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from genestimators import (
    BayesianBootstrap,
    BlockBootstrap,
    Bootstrap,
    Folds,
    GroupBootstrap,
    Subsample,
)
from genestimators.selection._halves import is_halving, is_paired, plan_draws
from genestimators.selection._stable_selector import StableFeatureSelector
from tests.selection.stable_toys import OwnRidge, clear_problem

PAIRS = "complementary_pairs"


class OwnLogistic(LogisticRegression):
    """A logistic regression without a closed form."""


def drawn(X, y, *, resampling=PAIRS, n=6, weight=None, groups=None, classifier=False):
    settings = {"classifier": classifier, "seed": 0}
    rows, draws = plan_draws(resampling, n, X, y, weight, groups, **settings)
    return rows, draws


def selector(estimator=None, **kwargs):
    settings = {"n_resamples": 5, "random_state": 0, **kwargs}
    return StableFeatureSelector(estimator, **settings)


def assert_same(one, two):
    """Bit for bit the same evidence and support."""
    np.testing.assert_array_equal(one.get_support(), two.get_support())
    np.testing.assert_array_equal(one.ranks_, two.ranks_)
    np.testing.assert_array_equal(one.scores_, two.scores_)
    np.testing.assert_array_equal(one.nested_losses_, two.nested_losses_)
    if one.criterion == "fdr":
        np.testing.assert_array_equal(one.q_values_, two.q_values_)


@pytest.mark.parametrize("classifier", [False, True])
@pytest.mark.parametrize("fraction", [None, 0.3])
def test_pairs_share_no_row(classifier, fraction):
    """Halves of a pair are disjoint, and what a half leaves out holds the other."""
    X, y = clear_problem(n=31)
    y = np.arange(31) % 3 if classifier else y
    resampling = PAIRS if fraction is None else Subsample(fraction, True)
    rows, draws = drawn(X, y, resampling=resampling, classifier=classifier)
    assert len(draws) == 12
    for one, two in zip(draws[::2], draws[1::2], strict=True):
        assert not set(one.rows) & set(two.rows)
        assert set(two.rows) <= set(one.out_of_bag)
        assert len(one.rows) + len(one.out_of_bag) == 31
        for half in (one, two):
            assert abs(len(half.rows) - (fraction or 0.5) * 31) <= 3
            if classifier:
                assert set(y[rows[half.rows]]) == {0, 1, 2}


@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_rows_of_relative_weights_are_in_one_half(scale):
    """Weights that are no counts stay whole, so that one half tests the other."""
    X, y = clear_problem(n=31)
    weight = scale * np.random.default_rng(0).uniform(0.1, 5.0, size=31)
    rows, draws = drawn(X, y, weight=weight)
    for one, other in zip(draws[::2], draws[1::2], strict=True):
        assert not np.isin(rows[one.rows], rows[other.rows]).any()
        np.testing.assert_allclose(one.counts, weight[rows[one.rows]])
        np.testing.assert_allclose(one.out_of_bag_counts, weight[rows[one.out_of_bag]])


def test_a_row_of_most_of_a_class_is_in_one_half():
    """Relative weights halve the rows of a class, however they are spread."""
    X, _ = clear_problem(n=10)
    y = np.array(["a"] * 8 + ["b"] * 2)
    weight = np.r_[np.ones(8), 0.9, 0.1]
    rows, draws = drawn(X, y, weight=weight, classifier=True)
    for draw in draws:
        assert (y[rows[draw.rows]] == "b").sum() == 1
    for estimator in (None, LogisticRegression()):
        assert selector(estimator).fit(X, y, weight).get_support().any()


def test_halves_hold_every_class_of_every_output():
    """With several outputs pairs are drawn until both halves have all classes."""
    X, _ = clear_problem(n=30)
    y = np.zeros((30, 2), int)
    y[:2, 0] = 1
    y[:3, 1] = 2
    rows, draws = drawn(X, y, classifier=True, n=20)
    assert len(draws) == 40
    for draw in draws:
        for output in y[rows[draw.rows]].T:
            assert len(set(output)) == 2


def test_classes_too_rare_for_a_fraction_are_refused():
    """Three tenths of two rows are none: no pair is ever found."""
    X, _ = clear_problem(n=30)
    y = (np.arange(30) < 2).astype(int)
    with pytest.raises(ValueError, match="do: 0 of 300 pairs; leave out rare classes"):
        drawn(X, y, resampling=Subsample(0.3, True), classifier=True)


def test_groups_stay_together():
    """A group is in one half or in the other, in neither of them twice."""
    X, y = clear_problem(n=40)
    groups = np.array([f"g{i}" for i in np.arange(40) // 4])
    for resampling in (PAIRS, Subsample(0.4, complementary_pairs=True)):
        rows, draws = drawn(X, y, resampling=resampling, groups=groups)
        for one, two in zip(draws[::2], draws[1::2], strict=True):
            inside, beside = groups[rows[one.rows]], groups[rows[two.rows]]
            assert not set(inside) & set(beside)
            assert not set(inside) & set(groups[rows[one.out_of_bag]])
            assert len(inside) == 4 * len(set(inside)) > 0


def test_halves_of_groups_hold_every_class():
    """A class that two groups have is in both halves."""
    X, _ = clear_problem(n=40)
    groups = np.arange(40) // 4
    y = np.where(np.isin(groups, [2, 7]), "rare", "often")
    rows, draws = drawn(X, y, groups=groups, classifier=True, n=20)
    for draw in draws:
        assert set(y[rows[draw.rows]]) == {"rare", "often"}


def test_groups_of_no_weight_are_not_there():
    """Rows of weight zero make no group and no class."""
    X, y = clear_problem(n=40)
    groups, weight = np.arange(40) // 4, np.ones(40)
    weight[groups == 3] = 0
    kept = weight > 0
    fitted = selector().fit(X, y, sample_weight=weight, groups=groups)
    assert_same(fitted, selector().fit(X[kept], y[kept], groups=groups[kept]))


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("estimator", [None, OwnRidge()])
def test_groups_are_taken_with_and_without_routing(estimator, routing):
    """`groups` is an argument of fit in any case."""
    X, y = clear_problem(n=40)
    groups = np.arange(40) // 4
    with sklearn.config_context(enable_metadata_routing=routing):
        fitted = selector(estimator, n_resamples=2).fit(X, y, groups=groups)
    plain = selector(estimator, n_resamples=2).fit(X, y, groups=groups)
    assert_same(fitted, plain)
    other = selector(estimator, n_resamples=2).fit(X, y)
    assert not np.array_equal(fitted.ranks_, other.ranks_)


@pytest.mark.parametrize(
    ("groups", "y", "words"),
    [
        (np.zeros(12), None, r"at least two different labels, .* Got one, 0\.0\."),
        (np.arange(12) // 3, np.arange(12) < 3, "1 of 2 classes in one group only"),
        (np.arange(9), None, "one label for each of the 12 rows"),
    ],
)
def test_groups_are_checked(groups, y, words):
    """Too few groups for two halves are refused."""
    X, target = clear_problem(n=12)
    with pytest.raises(ValueError, match=words):
        selector().fit(X, target if y is None else y, groups=groups)


@pytest.mark.filterwarnings("ignore::genestimators._exceptions.NothingSelectedWarning")
@pytest.mark.parametrize("criterion", ["prediction", "fdr"])
@pytest.mark.parametrize(
    ("estimator", "importance", "kind"),
    [
        (None, "auto", "numbers"),
        (None, "auto", "classes"),
        (None, "conditional", "outputs"),
        (None, "additive", "numbers"),
        (Ridge(), "elimination", "groups"),
        (None, "auto", "clusters"),
        (OwnRidge(), "coef", "numbers"),
        (OwnLogistic(), "coef", "classes"),
    ],
)
def test_weights_are_repetitions_in_any_order(estimator, importance, kind, criterion):
    """Rows of weight 2, rows that come twice, and rows in another order: the same."""
    rng = np.random.default_rng(0)
    X, y = clear_problem(n=40, p=6)
    X[:, 5] = X[:, 0] + 0.1 * X[:, 5]
    if kind == "classes":
        y = np.where(y > 0, "yes", "no")
    if kind == "outputs":
        y = np.column_stack([y, -X[:, 4]])
    weight = rng.integers(0, 4, size=40)
    groups = rng.integers(0, 12, size=40) if kind == "groups" else None
    settings = {"importance": importance, "criterion": criterion, "n_resamples": 1}
    if kind == "clusters":
        settings["feature_groups"] = "auto"
    weighted = selector(estimator, **settings).fit(X, y, weight, groups)
    order = rng.permutation(np.repeat(np.arange(40), weight))
    own = None if groups is None else groups[order]
    repeated = selector(estimator, **settings).fit(X[order], y[order], groups=own)
    assert_same(weighted, repeated)


@pytest.mark.parametrize(
    ("estimator", "importance"),
    [
        (OwnRidge(), "elimination"),
        (RandomForestRegressor(n_estimators=3, max_depth=3), "permutation"),
        (None, "additive"),
    ],
)
def test_n_jobs_does_not_matter(estimator, importance):
    """One job, two threads: the same bits."""
    X, y = clear_problem(n=50, p=3, n_signal=2)
    settings = {"importance": importance, "n_resamples": 1, "criterion": "fdr"}
    one = selector(estimator, **settings).fit(X, y)
    with parallel_config("threading"):
        two = selector(estimator, n_jobs=2, **settings).fit(X, y)
    assert_same(one, two)


def test_seeds():
    """The same integer draws the same; None and a RandomState draw anew."""
    X, y = clear_problem(n=50, noise=3.0)
    one, two = (selector(random_state=3).fit(X, y) for _ in range(2))
    assert_same(one, two)
    again = one.ranks_
    np.testing.assert_array_equal(one.fit(X, y).ranks_, again)
    state = np.random.RandomState(0)
    for seed in (4, None, state):
        step = selector(random_state=seed).fit(X, y)
        assert not np.array_equal(step.ranks_, one.ranks_)
    assert not np.array_equal(step.ranks_, selector(random_state=state).fit(X, y))


RESAMPLERS = [
    Bootstrap(),
    Subsample(0.7),
    Subsample(0.3, complementary_pairs=True),
    Folds(4),
    BlockBootstrap(),
]


@pytest.mark.parametrize("estimator", [None, OwnRidge()])
@pytest.mark.parametrize("resampling", RESAMPLERS)
def test_other_resamplers(resampling, estimator):
    """Any resampler serves for prediction; the clear features are found."""
    X, y = clear_problem()
    step = selector(estimator, resampling=resampling, importance="coef")
    step = step.set_params(importance="elimination" if estimator is None else "coef")
    step.fit(X, y)
    assert step.get_support()[:3].all()
    wanted = {Folds: 4}.get(type(resampling), 10 if is_paired(resampling) else 5)
    assert step.n_draws_ == wanted
    assert step.set_params(criterion="frequency").get_support()[:3].all()


def test_folds_are_those_of_their_splitter():
    """Weights are weights there; rows of weight zero are in no fold."""
    X, y = clear_problem(n=20)
    weight = np.r_[0.0, np.full(19, 1.5)]
    splits = list(Folds(4).prepare(X, y, weight, classifier=False))
    rows, draws = drawn(X, y, resampling=Folds(4), weight=weight)
    for draw, split in zip(draws, splits, strict=True):
        assert rows[draw.rows].tolist() == list(split.rows)
        assert rows[draw.out_of_bag].tolist() == list(split.out_of_bag)
        assert (draw.counts == 1.5).all()


def test_group_bootstrap_takes_groups():
    """Resamplers that draw groups are given them."""
    X, y = clear_problem()
    step = selector(resampling=GroupBootstrap())
    assert step.fit(X, y, groups=np.arange(100) // 5).get_support()[:3].all()
    with pytest.raises(ValueError, match="needs groups, and got none"):
        step.fit(X, y)


@pytest.mark.parametrize("criterion", ["fdr", "pfer", "pfer_integrated"])
@pytest.mark.parametrize("resampling", [Bootstrap(), Subsample(0.7), Folds(4)])
def test_error_control_asks_for_halves(resampling, criterion):
    """Bounds that rest on other draws are refused before anything is fitted."""
    X, y = clear_problem()
    with pytest.raises(ValueError, match=f"criterion='{criterion}' rests on"):
        selector(OwnRidge(), resampling=resampling, criterion=criterion).fit(X, y)
    assert not is_halving(resampling)
    assert is_halving(Subsample()) > is_paired(Subsample())


def test_draws_must_leave_rows_out():
    """A Bayesian bootstrap draws all rows: there is nothing to score on."""
    X, y = clear_problem()
    step = selector(resampling=BayesianBootstrap())
    with pytest.raises(ValueError, match="these draws leave none out; use another"):
        step.fit(X, y)
    with pytest.raises(ValueError, match="a draw leaves none out; use another"):
        selector(OwnRidge(), resampling=BayesianBootstrap()).fit(X, y)


def test_draws_without_rows_are_refused():
    """A part so small that it holds no row cannot be fitted."""
    X, y = clear_problem(n=6)
    few = Subsample(0.1, complementary_pairs=True)
    with pytest.raises(ValueError, match=r"Every draw must hold rows, .* Got 6 rows"):
        selector(resampling=few).fit(X, y)


def _unweighted_score(model, X, y):
    return r2_score(y, model.predict(X))


def test_weights_and_groups_through_a_pipeline_and_nested_folds():
    """With routing on a selector in a pipeline gets both; groups without asking."""
    X, y = clear_problem(n=60)
    weight, groups = np.arange(60) % 3 + 1.0, np.arange(60) // 3
    with sklearn.config_context(enable_metadata_routing=True):
        step = selector().set_fit_request(sample_weight=True)
        pipe = make_pipeline(step, Ridge().set_fit_request(sample_weight=True))
        pipe.fit(X, y, sample_weight=weight, groups=groups)
        params = {"sample_weight": weight, "groups": groups}
        settings = {"cv": GroupKFold(3), "scoring": _unweighted_score}
        found = cross_validate(
            pipe, X, y, params=params, return_estimator=True, **settings
        )
    assert_same(pipe[0], selector().fit(X, y, weight, groups))
    train = next(iter(GroupKFold(3).split(X, y, groups)))[0]
    inner = selector().fit(X[train], y[train], weight[train], groups[train])
    assert_same(found["estimator"][0][0], inner)
