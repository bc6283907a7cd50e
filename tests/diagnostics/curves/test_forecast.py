"""Learning curves: the fit against a search, the forecast against the truth."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    LearningCurveWarning,
    Subsample,
    learning_curve_forecast,
)
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics.curves._power_curve import fit_power_curves
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import MeanOfTarget, classes, regression

QUICK = {"n_splits": 6, "random_state": 0}


@pytest.mark.parametrize("seed", range(5))
def test_curves_are_the_best_of_their_kind(seed):
    """No limit, scale and rate within the bounds fits better, by a simplex search."""
    rng = np.random.default_rng(seed)
    sizes = np.array([10.0, 20.0, 40.0, 80.0])
    scores = 1 - 2 * sizes**-0.5 + 0.05 * rng.normal(size=4)
    weight = rng.uniform(0.5, 2, size=4)
    curve = fit_power_curves(scores[None], sizes, weight)

    def loss(theta):
        limit, scale, rate = theta
        if scale < 0 or not 0.1 <= rate <= 2:
            return np.inf
        return weight @ (scores - limit + scale * sizes**-rate) ** 2

    own = loss([curve.limit[0], curve.scale[0], curve.rate[0]])
    starts = [[1.0, 2.0, rate] for rate in (0.15, 0.5, 1.0, 1.9)]
    best = min(
        minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000}).fun
        for start in starts
    )
    assert own <= best * 1.01 + 1e-6  # rates are tried at steps of 2 %
    np.testing.assert_allclose(
        curve.at(sizes)[0], curve.limit[0] - curve.scale[0] * sizes ** -curve.rate[0]
    )


def test_exact_curves_are_found_and_inverted():
    sizes = np.array([10.0, 20.0, 40.0])
    scores = np.stack([0.9 - 2 / sizes, np.full(3, 0.4)])
    curves = fit_power_curves(scores, sizes, np.ones(3))
    assert curves.at([100])[0, 0] == pytest.approx(0.88, abs=1e-3)
    assert curves.at([100])[1, 0] == pytest.approx(0.4)
    assert curves.size_for(0.88)[0] == pytest.approx(100, rel=0.05)
    assert curves.size_for(0.95).tolist() == [np.inf, np.inf]
    falling = fit_power_curves(0.5 + 1 / sizes[None], sizes, np.ones(3))
    assert falling.scale[0] == 0.0  # more rows do not harm: flat


def test_scores_by_hand():
    """Nested subsamples, scored on the rows that the largest leaves out."""
    X, y = regression(60)
    found = learning_curve_forecast(Ridge(), X, y, sizes=[0.2, 0.5, 0.8], **QUICK)
    problem = make_problem("f", Ridge(), X, y, random_state=0)
    seed = derive(problem.seed, "splits")
    draws = [Subsample(f).prepare(X, y, seed=seed) for f in (0.2, 0.5, 0.8)]
    scores = np.empty((6, 3))
    for k in range(6):
        test = draws[-1][k].out_of_bag
        for i, own in enumerate(draws):
            train = own[k].rows
            assert not set(train) & set(test)
            model = Ridge().fit(X[train], y[train])
            scores[k, i] = r2_score(y[test], model.predict(X[test]))
    np.testing.assert_allclose(found.scores, scores.mean(axis=0))
    error = scores.std(axis=0, ddof=1) * np.sqrt(1 / 6 + 12 / 48)
    np.testing.assert_allclose(found.std_errors, error)
    assert found.sizes.tolist() == [12, 30, 48]
    assert found.n_fits == 18


def test_forecasts():
    X, y = regression(60)
    found = learning_curve_forecast(Ridge(), X, y, target=0.35, **QUICK)
    score, low, high = found.forecast([60, 120])
    assert score.tolist() == [found.score_now, found.score_doubled]
    assert found.gain_from_doubling == pytest.approx(score[1] - score[0])
    assert (low <= high).all()
    assert found.intervals["score_now"] == pytest.approx((low[0], high[0]))
    with pytest.raises(ValueError, match=r"Beyond twice the 60 rows.*Got 121; set"):
        found.forecast(121)
    far, _, _ = found.forecast(1e6, beyond=True)
    assert far[0] <= found.limit
    with pytest.raises(ValueError, match="must be positive"):
        found.forecast(0)
    low, high = found.n_for_target_interval
    assert low <= found.n_for_target <= high
    assert f"{found.target:g} takes about" in str(found)
    never = learning_curve_forecast(Ridge(), X, y, target=2.0, **QUICK)
    assert never.n_for_target == np.inf
    assert "does not reach 2" in str(never)
    soon = learning_curve_forecast(Ridge(), X, y, target=-5.0, **QUICK)
    assert "-5 takes fewer than 6 rows" in str(soon)
    assert "curve" not in found.to_dict()
    assert found._repr_html_().count("<li>") == 3


def test_classes_scorers_groups_weights_and_jobs():
    X, y = classes(90, k=3)
    names = np.array(["b", "a", "c"])[y]
    tree = DecisionTreeClassifier(random_state=0)
    for scoring in (None, "neg_log_loss", "roc_auc_ovr"):
        found = learning_curve_forecast(tree, X, names, scoring=scoring, **QUICK)
        assert np.isfinite(found.score_now)
    again = learning_curve_forecast(
        tree, X, names, scoring="roc_auc_ovr", n_jobs=2, **QUICK
    )
    assert str(again) == str(found)
    X, y = regression(90)
    found = learning_curve_forecast(Ridge(), X, y, groups=np.arange(90) // 3, **QUICK)
    assert found.sizes.tolist() == [18, 36, 54, 72]
    weight = np.random.default_rng(0).integers(1, 3, size=90)
    found = learning_curve_forecast(Ridge(), X, y, sample_weight=weight, **QUICK)
    assert found.n_samples == 90
    assert found.sizes == pytest.approx([9, 18, 36, 54, 72], rel=0.1)


def test_the_order_of_rows_has_no_say():
    X, y = regression(60)
    order = np.random.default_rng(0).permutation(60)
    one = learning_curve_forecast(Ridge(), X, y, **QUICK)
    two = learning_curve_forecast(Ridge(), X[order], y[order], **QUICK)
    assert two.score_doubled == pytest.approx(one.score_doubled)


class _Worse(RegressorMixin, BaseEstimator):
    """Predicts zero, and the farther from it the more rows it has seen."""

    def fit(self, X, y):
        self.shift_ = len(y) / 10
        return self

    def predict(self, X):
        return np.full(len(X), self.shift_)


def test_falls_are_told():
    X, y = regression(60)
    with pytest.warns(LearningCurveWarning, match="The score falls from .* rows to"):
        learning_curve_forecast(_Worse(), X, y, **QUICK)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": [0.2, 0.5]}, "at least three different sizes.*which gives 2"),
        ({"sizes": [0.2, 0.5, 1.0]}, "above none and below all of the rows"),
        ({"sizes": [0, 10, 20]}, "above none and below all of the rows"),
        ({"sizes": "many"}, '`sizes` must be "auto" or a sequence'),
        ({"sizes": ["a", "b", "c"]}, "which gives 0"),
        ({"X": np.ones((12, 1)), "y": np.arange(12)}, "with 12 rows, which gives 2"),
        ({"n_splits": 4}, "'n_splits' parameter of learning_curve_forecast"),
        ({"confidence_level": 0.0}, "'confidence_level' parameter"),
        ({"target": np.nan}, "'target' parameter of learning_curve_forecast must be"),
        ({"target": "0.5"}, "'target' parameter of learning_curve_forecast must be"),
        ({"groups": np.arange(60) % 6}, "with 6 groups, which gives 0"),
    ],
)
def test_bad_input(changes, message):
    X, y = regression(60)
    given = {"X": X, "y": y} | QUICK | changes
    with pytest.raises((TypeError, ValueError), match=message):
        learning_curve_forecast(Ridge(), **given)


def test_scores_that_are_not_defined():
    X, y = regression(60)

    def nothing(model, X, y):
        return np.nan

    with pytest.raises(ValueError, match=r"needs a score on every split\. Got NaN"):
        learning_curve_forecast(Ridge(), X, y, scoring=nothing, **QUICK)


def test_the_picture():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    X, y = regression(60)
    found = learning_curve_forecast(Ridge(), X, y, target=0.35, **QUICK)
    display = found.plot()
    x, curve = display.line_.get_data()
    assert x[0] == pytest.approx(found.sizes[0])
    np.testing.assert_allclose(curve, found.forecast(x)[0])
    assert display.ax_.get_xlabel() == "training rows"
    texts = {text.get_text() for text in display.ax_.get_legend().get_texts()}
    assert {"curve", "target", "95% confidence"} <= texts
    pytest.importorskip("matplotlib.pyplot").close("all")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "scoring"),
    [
        (MeanOfTarget(), "neg_mean_squared_error"),
        (DecisionTreeRegressor(random_state=0), "neg_mean_squared_error"),
        (LogisticRegression(), "accuracy"),
    ],
    ids=["mean", "tree", "logistic"],
)
def test_forecasts_hold_what_comes(model, scoring):
    """95 % intervals of the score at all rows and at twice as many hold the truth.

    100 data sets of 80 rows; of a coverage of 95 % at least 87 are held with a
    probability of .999.
    """
    rng = np.random.default_rng(0)

    def data(n):
        X = rng.normal(size=(n, 4))
        y = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=n)
        return X, y if scoring != "accuracy" else (y > 0).astype(int)

    new = data(5000)

    def truth(n):
        scores = []
        for _ in range(200):
            fitted = model.fit(*data(n))
            if scoring == "accuracy":
                scores.append(fitted.score(*new))
            else:
                scores.append(-mean_squared_error(new[1], fitted.predict(new[0])))
        return np.mean(scores)

    true = {"score_now": truth(80), "score_doubled": truth(160)}
    held = dict.fromkeys(true, 0)
    for seed in range(100):
        found = learning_curve_forecast(
            model, *data(80), scoring=scoring, random_state=seed
        )
        for name, value in true.items():
            low, high = found.intervals[name]
            held[name] += low <= value <= high
    assert min(held.values()) >= 87, held
