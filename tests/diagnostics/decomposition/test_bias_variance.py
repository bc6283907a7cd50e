"""The decomposition as a user sees it."""

import pickle
from itertools import combinations
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    GroupSubsample,
    LearningCurveWarning,
    RepeatedRowsWarning,
    Subsample,
    bias_variance_decomposition,
)
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._sizes import check_sizes
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import MeanOfTarget, classes, regression

QUICK = {"n_pairs": 6, "random_state": 0}
FIGURES = ("variance", "bias_and_noise", "total", "variance_share")


def _by_hand(X, y, n_pairs, groups=None, weight=None):
    """Both parts of the squared error of a ridge at each size, in plain loops."""
    problem = make_problem("f", Ridge(), X, y, groups=groups, random_state=0)
    seed = derive(problem.seed, "pairs")
    kind = Subsample if groups is None else GroupSubsample
    draws = {
        share: kind(share, True)
        .prepare(X, y, weight, groups, seed=seed, weight_mode="importance")
        .balance()
        for share in (0.2, 0.4)
    }
    own = np.ones(len(y)) if weight is None else weight
    parts = []
    for share in (0.2, 0.4):
        variance = rest = total = 0.0
        for k in range(n_pairs):
            models = [draws[share][2 * k].rows, draws[share][2 * k + 1].rows]
            if share == 0.2:  # two more, of the rows that come next
                models += [
                    np.setdiff1d(draws[0.4][2 * k + i].rows, models[i]) for i in (0, 1)
                ]
            for a, b in combinations(models, 2):
                assert not set(a) & set(b)
                free = np.setdiff1d(np.arange(len(y)), np.concatenate([a, b]))
                f, g = (
                    Ridge().fit(X[r], y[r], own[r]).predict(X[free]) for r in (a, b)
                )
                variance += own[free] @ (f - g) ** 2 / 2
                rest += own[free] @ ((y[free] - f) * (y[free] - g))
                total += own[free].sum()
        parts.append([variance / total, rest / total])
    return np.array(parts)


@pytest.mark.parametrize("grouped", [False, True])
def test_parts_equal_loops_over_pairs(grouped):
    """Disjoint pairs, fits one by one, formulas row by row; then two lines."""
    X, y = regression(50)
    groups = np.arange(50) % 15 if grouped else None
    found = bias_variance_decomposition(Ridge(), X, y, groups=groups, **QUICK)
    parts = _by_hand(X, y, 6, groups=groups)
    np.testing.assert_allclose(found.variance_at_sizes, parts[:, 0])
    np.testing.assert_allclose(found.bias_and_noise_at_sizes, parts[:, 1])
    m = found.sizes
    power = np.log(parts[1, 0] / parts[0, 0]) / np.log(m[1] / m[0])
    assert found.variance == pytest.approx(parts[1, 0] * (50 / m[1]) ** power)
    slope = (parts[1, 1] - parts[0, 1]) / (1 / m[1] - 1 / m[0])
    expected = parts[1, 1] + slope * (1 / 50 - 1 / m[1])
    assert found.bias_and_noise == pytest.approx(expected)
    assert found.total == pytest.approx(found.variance + found.bias_and_noise)
    assert found.variance_share == pytest.approx(found.variance / found.total)
    assert found.n_pairs == 6
    assert found.n_fits == 6 * 2 * 3 + 2 * 6  # a ridge has a seed too


def test_figures_of_each_row():
    """Their weighted mean is the figure of the largest size."""
    X, y = regression(50)
    found = bias_variance_decomposition(KNeighborsRegressor(3), X, y, **QUICK)
    assert found.sample_variance.shape == (50,)
    assert np.isnan(found.sample_variance).any()  # six pairs leave some row out
    assert (found.sample_variance[~np.isnan(found.sample_variance)] >= 0).all()
    many = bias_variance_decomposition(
        KNeighborsRegressor(3), X, y, n_pairs=60, random_state=0
    )
    mean = np.nanmean(many.sample_variance)  # rows are out about equally often
    assert mean == pytest.approx(many.variance_at_sizes[-1], rel=0.1)


@pytest.mark.parametrize("loss", ["brier", "log_loss", "zero_one"])
@pytest.mark.parametrize("k", [2, 3])
def test_losses_of_classes(loss, k):
    """Labels may be strings or negative; their names change nothing."""
    X, y = classes(90, k=k)
    model = LogisticRegression()
    found = bias_variance_decomposition(model, X, y, loss=loss, **QUICK)
    assert found.loss == loss
    assert found.total == pytest.approx(found.variance + found.bias_and_noise)
    # Rows are known by their content, y included, so other names give other draws.
    for names in (np.array(["b", "a", "c"]), np.array([-1, 1, 5])):
        again = bias_variance_decomposition(model, X, names[y], loss=loss, **QUICK)
        assert abs(again.total - found.total) < 3 * found.std_errors["total"]
        assert again.n_fits == found.n_fits


def test_terms_of_the_zero_one_loss():
    """James' effects add up; Domingos' terms do with signs."""
    X, y = classes(90)
    found = bias_variance_decomposition(
        DecisionTreeClassifier(), X, y, loss="zero_one", n_pairs=30, random_state=0
    )
    terms = found.terms
    loss = found.variance_at_sizes[-1] + found.bias_and_noise_at_sizes[-1]
    # Votes are also cast on rows that only one of a pair has not seen.
    of_james = terms["james_variance"] + terms["james_bias_and_noise"]
    assert of_james == pytest.approx(loss, abs=0.05)
    assert terms["domingos_bias"] == terms["james_bias_and_noise"]
    net = terms["domingos_unbiased_variance"] - terms["domingos_biased_variance"]
    assert terms["domingos_bias"] + net == pytest.approx(of_james)
    both = terms["domingos_unbiased_variance"] + terms["domingos_biased_variance"]
    assert both == pytest.approx(terms["domingos_variance"])  # with two classes


def test_constant_predictions_have_no_variance():
    X, y = classes(60)
    found = bias_variance_decomposition(
        DummyClassifier(strategy="constant", constant=1), X, y, **QUICK
    )
    assert found.variance == 0.0
    assert found.std_errors["variance"] == 0.0
    off = found.bias_and_noise - np.mean(y != 1)
    assert abs(off) < 3 * found.monte_carlo_std_errors["bias_and_noise"]
    X, y = regression(60)
    found = bias_variance_decomposition(
        DummyRegressor(strategy="constant", constant=0.0),
        X,
        y,
        n_pairs=50,
        random_state=0,
    )
    assert found.variance == 0.0
    # Figures of rows that were out more often weigh more.
    off = found.bias_and_noise - np.mean(y**2)
    assert abs(off) < 3 * found.monte_carlo_std_errors["bias_and_noise"]


def test_several_outputs_are_averaged():
    X, y = regression(50)
    both = np.column_stack([y, y])
    one = bias_variance_decomposition(Ridge(), X, y, n_pairs=20, random_state=0)
    two = bias_variance_decomposition(Ridge(), X, both, n_pairs=20, random_state=0)
    assert two.total == pytest.approx(one.total, rel=0.1)
    assert two.variance_share == pytest.approx(one.variance_share, rel=0.5)
    X, y = classes(80, k=3)
    labels = np.column_stack([y, y > 0])
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    for loss in ("brier", "log_loss", "zero_one"):
        found = bias_variance_decomposition(tree, X, labels, loss=loss, **QUICK)
        assert np.isfinite(found.total)


def test_the_same_whatever_the_jobs_and_the_order_of_rows():
    X, y = regression(60)
    estimator = make_pipeline(StandardScaler(), DecisionTreeRegressor())
    one = bias_variance_decomposition(estimator, X, y, **QUICK)
    two = bias_variance_decomposition(estimator, X, y, n_jobs=2, **QUICK)
    order = np.random.default_rng(1).permutation(60)
    three = bias_variance_decomposition(estimator, X[order], y[order], **QUICK)
    for name in FIGURES:
        assert getattr(one, name) == getattr(two, name)
        assert getattr(three, name) == pytest.approx(getattr(one, name), rel=1e-9)
    np.testing.assert_allclose(three.sample_variance, one.sample_variance[order])


def test_families_and_fits_one_by_one_agree():
    """A ridge in a pipeline that no family serves has the same parts."""
    X, y = regression(60)
    shared = bias_variance_decomposition(Ridge(), X, y, **QUICK)
    single = bias_variance_decomposition(
        make_pipeline("passthrough", Ridge()), X, y, **QUICK
    )
    for name in FIGURES:
        assert getattr(shared, name) == pytest.approx(getattr(single, name), rel=1e-8)


def test_the_estimator_is_left_alone():
    X, y = regression(40)
    tree = DecisionTreeRegressor(random_state=3)
    bias_variance_decomposition(tree, X, y, **QUICK)
    assert not hasattr(tree, "tree_")
    assert tree.get_params()["random_state"] == 3


def test_seeds_of_the_learner():
    """A forest of one tree owes a part of its variance to its seed, a ridge none."""
    X, y = regression(60)
    forest = RandomForestRegressor(n_estimators=1)
    found = bias_variance_decomposition(forest, X, y, **QUICK)
    assert 0 < found.seed_variance < found.variance_at_sizes[-1] * 1.5
    assert found.n_fits == 6 * 2 * 3 + 2 * 6
    assert "of it by seed" in str(found)
    assert bias_variance_decomposition(Ridge(), X, y, **QUICK).seed_variance == 0.0


class _Seeded(RegressorMixin, BaseEstimator):
    """Predicts a number that depends on its seed alone, and notes it."""

    seen: ClassVar = []

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.seen.append(self.random_state)
        self.value_ = np.random.default_rng(self.random_state).normal()
        return self

    def predict(self, X):
        return np.full(len(X), self.value_)


def test_no_two_models_that_are_compared_share_a_seed():
    X, y = regression(60)
    _Seeded.seen.clear()
    found = bias_variance_decomposition(_Seeded(), X, y, **QUICK)
    least = _Seeded.seen[: 4 * 6]  # four models of the least size, six times
    assert len(set(least)) == len(least)
    assert found.variance > 0


def test_weights_against_loops():
    """A row of weight k is drawn as one, and weighs k in fits and in losses."""
    X, y = regression(60)
    weight = np.random.default_rng(1).integers(1, 5, size=60).astype(float)
    found = bias_variance_decomposition(Ridge(), X, y, sample_weight=weight, **QUICK)
    expected = _by_hand(X, y, 6, weight=weight)
    np.testing.assert_allclose(found.variance_at_sizes, expected[:, 0])
    np.testing.assert_allclose(found.bias_and_noise_at_sizes, expected[:, 1])
    assert found.sizes == pytest.approx([12, 24], rel=0.2)


@pytest.mark.parametrize("scale", [0.01, 2, 6, 1e6])
def test_the_scale_of_weights_has_no_say(scale):
    X, y = regression(60)
    model = LinearRegression()
    plain = bias_variance_decomposition(model, X, y, **QUICK)
    told = {"sample_weight": np.full(60, scale), **QUICK}
    found = bias_variance_decomposition(model, X, y, **told)
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(getattr(plain, name))
        error = plain.std_errors[name]
        assert found.std_errors[name] == pytest.approx(error)


def test_rows_of_great_weight_are_tested_on():
    """Half of the rows have four times the weight and a hundred times the loss."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=120) * np.where(np.arange(120) < 60, 1, 10)
    weight = np.where(np.arange(120) < 60, 1.0, 4.0)
    X = rng.normal(size=(120, 2))
    found = bias_variance_decomposition(Ridge(), X, y, sample_weight=weight, **QUICK)
    assert found.total == pytest.approx(np.average(y**2, weights=weight), rel=0.15)


def test_subsamples_differ_in_the_shares_of_classes():
    """The share of a class that a constant predicts has the variance of a mean.

    The Brier score of such a constant is (share - y)^2. The variance at m of n rows is
    p (1 - p) / m over new data, of which disjoint subsamples are a sample.
    """
    y = np.arange(200) % 4 == 0
    X = np.zeros((200, 1))
    found = bias_variance_decomposition(
        DummyClassifier(), X, y, n_pairs=100, random_state=0
    )
    expected = 0.25 * 0.75 / found.sizes
    # 100 pairs of one degree of freedom each: 14 % standard error, three allowed.
    np.testing.assert_allclose(found.variance_at_sizes, expected, rtol=0.42)


def test_weights_of_zero_are_rows_that_are_not_there():
    X, y = regression(60)
    weight = np.ones(60)
    weight[50:] = 0.0
    found = bias_variance_decomposition(Ridge(), X, y, sample_weight=weight, **QUICK)
    alone = bias_variance_decomposition(Ridge(), X[:50], y[:50], **QUICK)
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(getattr(alone, name))
    assert np.isnan(found.sample_variance[50:]).all()
    assert found.n_samples == 50


def test_further_arguments_reach_the_fits():
    class Told(Ridge):
        def fit(self, X, y, sample_weight=None, row_ids=None, twice=False):
            assert len(row_ids) == len(X)
            assert twice
            return super().fit(X, y, sample_weight)

    X, y = regression(40)
    params = {"row_ids": np.arange(40), "twice": True}
    found = bias_variance_decomposition(Told(), X, y, params=params, **QUICK)
    plain = bias_variance_decomposition(Ridge(), X, y, **QUICK)
    assert found.total == pytest.approx(plain.total)


def test_frames_and_text_are_the_business_of_the_estimator():
    pd = pytest.importorskip("pandas")
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    X, y = regression(60)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["kind"] = np.where(X[:, 0] > 0, "x", "y")
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough"
    )
    found = bias_variance_decomposition(
        make_pipeline(encode, Ridge()), frame, y, **QUICK
    )
    assert np.isfinite(found.total)
    assert "nearest neighbours" not in found.noise_bounds


def test_pairs_are_fitted_until_they_are_enough():
    X, y = regression(60)
    few = bias_variance_decomposition(Ridge(), X, y, tolerance=0.5, random_state=0)
    many = bias_variance_decomposition(Ridge(), X, y, tolerance=1e-6, random_state=0)
    assert few.n_pairs == 20
    assert many.n_pairs == 100
    for name in ("variance", "bias_and_noise"):
        assert few.monte_carlo_std_errors[name] <= 0.5 * few.total
        assert many.monte_carlo_std_errors[name] < few.monte_carlo_std_errors[name]


def test_noise_is_bounded_by_what_is_known():
    """Repeated rows tell noise; else the learner, or neighbours, bound it."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(60, 2)), 2, axis=0)
    y = X[:, 0] + rng.normal(size=120)
    groups = np.repeat(np.arange(60), 2)
    found = bias_variance_decomposition(
        KNeighborsRegressor(1), X, y, groups=groups, **QUICK
    )
    within = np.var(y.reshape(60, 2), axis=1, ddof=1).mean()
    assert found.noise_bounds["repeated rows"] == pytest.approx(within)
    own = found.noise_bounds["bias^2 + noise of this learner"]
    assert own == pytest.approx(max(found.bias_and_noise, 0.0))
    assert found.noise_upper_bound == min(found.noise_bounds.values())
    low, high = found.bias_range
    assert low == pytest.approx(max(high - found.noise_upper_bound, 0.0))
    assert high == pytest.approx(max(found.bias_and_noise, 0.0))


def test_copies_of_rows_are_told():
    """They are no noise, and a model tested on them has seen them."""
    X, y = regression(60)
    X, y = np.r_[X, X[:20]], np.r_[y, y[:20]]
    with pytest.warns(RepeatedRowsWarning, match="20 of 80 rows are copies of others"):
        found = bias_variance_decomposition(Ridge(), X, y, **QUICK)
    assert "repeated rows" not in found.noise_bounds
    groups = np.r_[np.arange(60), np.arange(20)]
    bias_variance_decomposition(Ridge(), X, y, groups=groups, **QUICK)


def test_nearest_neighbours_bound_noise():
    """Half the squared difference of the targets of the nearest rows."""
    X, y = regression(40)
    found = bias_variance_decomposition(Ridge(), X, y, **QUICK)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    total = 0.0
    for i in range(40):
        distance = ((Z - Z[i]) ** 2).sum(axis=1)
        distance[i] = np.inf
        total += (y[i] - y[distance.argmin()]) ** 2 / 2
    assert found.noise_bounds["nearest neighbours"] == pytest.approx(total / 40)


def test_words_and_tables():
    X, y = regression(60)
    found = bias_variance_decomposition(DecisionTreeRegressor(), X, y, **QUICK)
    text = str(found)
    assert text.startswith("Expected squared error of a fit on 60 rows (6 pairs")
    assert f"{found.variance:.4g}" in text
    assert f"{100 * found.variance_share:.0f} % of it" in text
    html = found._repr_html_()
    assert html.count("<tr>") == text.count("\n") + 1
    assert found.to_dict()["total"] == found.total
    copy = pickle.loads(pickle.dumps(found))
    assert str(copy) == text


def test_a_loss_that_rises_with_rows_is_told():
    """A learner that gets worse with more rows: figures of all rows are not trusted."""

    class Worse(DummyRegressor):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y)
            self.constant_ = self.constant_ + len(y)
            return self

    X, y = regression(60)
    with pytest.warns(LearningCurveWarning, match="The loss rises with the number"):
        bias_variance_decomposition(Worse(), X, y, **QUICK)


def test_numbers_of_rows_are_sizes_too():
    X, y = regression(60)
    found = bias_variance_decomposition(Ridge(), X, y, sizes=[24, 12], **QUICK)
    default = bias_variance_decomposition(Ridge(), X, y, **QUICK)
    assert found.total == pytest.approx(default.total)
    problem = make_problem("f", Ridge(), X, y)
    assert check_sizes([12, 20, 24], problem) == (0.2, 1 / 3, 0.4)
    three = bias_variance_decomposition(Ridge(), X, y, sizes=[0.26, 0.3, 0.4], **QUICK)
    assert len(three.sizes) == 3
    assert three.n_fits == 6 * 2 * 3 + 2 * 6  # no room for four models at a time


@pytest.mark.slow
def test_parts_of_the_mean_are_those_of_theory():
    """A mean of m normal numbers: variance 1 / m, the rest 1; at n = 50.

    The mean over 200 data sets has a standard error of .0004 for the variance (its own
    spread is about a quarter of .02) and .015 for the rest; four of these are allowed.
    The standard errors stated are on average within a factor of two of the spread.
    """
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(50, 1)), rng.normal(size=50)
        one = bias_variance_decomposition(
            MeanOfTarget(), X, y, n_pairs=20, random_state=seed
        )
        errors = one.std_errors
        found.append(
            [
                one.variance,
                one.bias_and_noise,
                errors["variance"],
                errors["bias_and_noise"],
            ]
        )
    found = np.array(found)
    assert found[:, 0].mean() == pytest.approx(1 / 50, abs=0.0016 * 2)
    assert found[:, 1].mean() == pytest.approx(1.0, abs=0.06)
    spread = found[:, :2].std(axis=0)
    ratio = np.sqrt((found[:, 2:] ** 2).mean(axis=0)) / spread
    assert (ratio > 0.5).all()
    assert (ratio < 2.0).all()
