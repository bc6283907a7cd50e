"""Training and test score against the number of rows, against plain loops of fits."""

import sys

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import check_scoring, r2_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    GeneralizationGapDisplay,
    GroupSubsample,
    Subsample,
    UnweightedScoreWarning,
    learning_curve_forecast,
)
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics.curves._gap import in_words
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import classes, regression

SIZES = (0.2, 0.5, 0.8)
QUICK = {"n_splits": 4, "random_state": 0}
draw_gap = GeneralizationGapDisplay.from_estimator


@pytest.fixture(autouse=True)
def _pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    pytest.importorskip("matplotlib.pyplot").close("all")


def by_hand(model, X, y, scoring=None, groups=None, weight=None, n_splits=4):
    """Scores of clones fitted one by one, (n_sizes, n_splits), and their sizes.

    A row of weight k is drawn as one, and clones and scores get it as k rows.
    """
    classifier = hasattr(model, "classes_") or hasattr(model, "decision_function")
    classifier = classifier or hasattr(model, "predict_proba")
    problem = make_problem(
        "f", model, X, y, groups=groups, sample_weight=weight, random_state=0
    )
    # Mean losses of rows are not stratified by class.
    by_class = classifier and scoring in ("roc_auc_ovr", "balanced_accuracy")
    told = {
        "seed": derive(problem.seed, "splits"),
        "classifier": by_class,
        "weight_mode": "importance",
    }
    kind = Subsample if groups is None else GroupSubsample
    draws = [kind(s).prepare(X, y, weight, groups, **told) for s in SIZES]
    train, test = np.empty((2, len(SIZES), n_splits))
    sizes = np.empty((len(SIZES), n_splits))
    scorer = check_scoring(model, scoring)
    for i, own in enumerate(draws):
        for k in range(n_splits):
            seen, left = own[k].rows, draws[-1][k].out_of_bag
            assert not set(seen) & set(left)
            if i:
                assert set(draws[i - 1][k].rows) <= set(seen)
            if groups is not None:
                assert not set(groups[seen]) & set(groups[left])
            sizes[i, k] = len(seen)
            if weight is not None:
                assert len(set(seen)) == len(seen)
                sizes[i, k] = weight[seen].sum() / weight[weight > 0].mean()
                seen = np.repeat(seen, weight[seen])
                left = np.repeat(left, weight[left])
            fitted = clone(model).fit(X[seen], y[seen])
            train[i, k] = scorer(fitted, X[seen], y[seen])
            test[i, k] = scorer(fitted, X[left], y[left])
    return train, test, sizes.mean(axis=1)


def assert_by_hand(display, expected):
    train, test, sizes = expected
    np.testing.assert_allclose(display.train_scores, train, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(display.test_scores, test, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(display.sizes, sizes)


@pytest.mark.parametrize(
    ("model", "scoring"),
    [
        (Ridge(), None),
        (Ridge(), "neg_mean_absolute_error"),
        (Ridge(), "explained_variance"),
        (make_pipeline(StandardScaler(), KNeighborsRegressor(3)), None),
        (DecisionTreeRegressor(min_samples_leaf=3, random_state=0), "neg_max_error"),
    ],
)
def test_regressors_against_a_loop(model, scoring):
    X, y = regression(60)
    display = draw_gap(model, X, y, scoring=scoring, sizes=SIZES, **QUICK)
    assert_by_hand(display, by_hand(model, X, y, scoring))
    assert display.sizes.tolist() == [12, 30, 48]
    assert display.n_samples == 60
    assert display.test_ratio == pytest.approx(12 / 48)


@pytest.mark.parametrize(
    ("model", "scoring"),
    [
        (LogisticRegression(tol=1e-10, max_iter=1000), None),
        (LogisticRegression(tol=1e-10, max_iter=1000), "neg_log_loss"),
        (DecisionTreeClassifier(max_depth=2, random_state=0), "roc_auc_ovr"),
        (LinearSVC(random_state=0), "balanced_accuracy"),
    ],
)
def test_classifiers_against_a_loop(model, scoring):
    X, y = classes(90, k=3)
    names = np.array(["b", "a", "c"])[y]
    display = draw_gap(model, X, names, scoring=scoring, sizes=SIZES, **QUICK)
    assert_by_hand(display, by_hand(model, X, names, scoring))


@pytest.mark.parametrize("scoring", [None, "explained_variance", "by model"])
@pytest.mark.parametrize(
    "model", [Ridge(), KNeighborsRegressor(2)], ids=["weights", "rows"]
)
def test_weights_against_repeated_rows(model, scoring):
    """A learner that takes weights, and one that gets rows repeated."""
    X, y = regression(60)
    weight = np.random.default_rng(1).integers(0, 4, size=60)
    if scoring == "by model":

        def scoring(fitted, X, y, sample_weight=None):
            assert hasattr(fitted, "n_features_in_")
            return r2_score(y, fitted.predict(X), sample_weight=sample_weight)

    display = draw_gap(
        model, X, y, scoring=scoring, sizes=SIZES, sample_weight=weight, **QUICK
    )
    assert_by_hand(display, by_hand(model, X, y, scoring, weight=weight))
    assert display.n_samples == np.count_nonzero(weight)


def test_fractional_weights():
    """Fits, training scores and test scores, all weighted."""
    X, y = regression(60)
    weight = np.random.default_rng(1).uniform(0.2, 3, size=60)
    display = draw_gap(Ridge(), X, y, sizes=SIZES, sample_weight=weight, **QUICK)
    problem = make_problem("f", Ridge(), X, y, sample_weight=weight, random_state=0)
    seed = derive(problem.seed, "splits")
    told = {"seed": seed, "weight_mode": "importance"}
    draws = [Subsample(s).prepare(X, y, weight, **told) for s in SIZES]
    for i, own in enumerate(draws):
        for k in range(4):
            rows, counts = own[k].rows, weight[own[k].rows]
            left = draws[-1][k].out_of_bag
            model = Ridge().fit(X[rows], y[rows], sample_weight=counts)
            score = model.score(X[rows], y[rows], sample_weight=counts)
            assert display.train_scores[i, k] == pytest.approx(score)
            score = model.score(X[left], y[left], sample_weight=weight[left])
            assert display.test_scores[i, k] == pytest.approx(score)


def test_groups_against_a_loop():
    X, y = regression(90)
    groups = np.repeat(np.arange(20), [3, 6] * 10)
    display = draw_gap(Ridge(), X, y, sizes=SIZES, groups=groups, **QUICK)
    assert_by_hand(display, by_hand(Ridge(), X, y, groups=groups))


class _Counted(RegressorMixin, BaseEstimator):
    """The mean of y, in a list of all that were fitted."""

    fits = []

    def fit(self, X, y):
        self.mean_ = y.mean()
        self.n_seen_ = len(y)
        self.fits.append(len(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def n_seen(model, X, y):
    return model.n_seen_ + len(y) / 1000


@pytest.mark.parametrize("scoring", [None, n_seen], ids=["answers", "model"])
def test_one_fit_serves_both_scores(scoring):
    """Also where the scorer looks at the fitted model."""
    X, y = regression(60)
    _Counted.fits.clear()
    display = draw_gap(_Counted(), X, y, scoring=scoring, sizes=SIZES, **QUICK)
    assert _Counted.fits == [12] * 4 + [30] * 4 + [48] * 4
    if scoring is not None:
        assert display.train_scores[:, 0].tolist() == [12.012, 30.03, 48.048]
        assert display.test_scores[:, 0].tolist() == [12.012, 30.012, 48.012]
        assert display.best_score is None
        assert not display.interpolates
        assert display.score_name == "score"


def test_jobs_and_the_order_of_rows_have_no_say():
    X, y = classes(60)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    told = {"scoring": "roc_auc", **QUICK}
    one = draw_gap(tree, X, y, **told)
    two = draw_gap(tree, X, y, n_jobs=2, **told)
    np.testing.assert_array_equal(one.train_scores, two.train_scores)
    np.testing.assert_array_equal(one.test_scores, two.test_scores)
    order = np.random.default_rng(0).permutation(60)
    X, y = regression(60)
    one = draw_gap(Ridge(), X, y, **QUICK)
    two = draw_gap(Ridge(), X[order], y[order], **QUICK)
    np.testing.assert_allclose(one.train_scores, two.train_scores)
    np.testing.assert_allclose(one.test_scores, two.test_scores)


def test_test_scores_are_those_of_the_forecast():
    X, y = regression(60)
    display = draw_gap(Ridge(), X, y, n_splits=6, random_state=0)
    found = learning_curve_forecast(Ridge(), X, y, n_splits=6, random_state=0)
    np.testing.assert_allclose(display.test_scores.mean(axis=1), found.scores)
    np.testing.assert_allclose(display.sizes, found.sizes)
    reach = np.ptp(_edges(display.bands_["test"], display.sizes), axis=0) / 2
    np.testing.assert_allclose(reach, stats.t.ppf(0.975, 5) * found.std_errors)


def test_seeds_and_outputs():
    X, y = regression(60)
    told = {"n_splits": 3, "sizes": SIZES}
    one = draw_gap(Ridge(), X, y, random_state=1, **told)
    two = draw_gap(Ridge(), X, y, random_state=2, **told)
    assert (one.test_scores != two.test_scores).any()
    both = draw_gap(Ridge(), X, np.column_stack([y, -y]), random_state=1, **told)
    assert both.train_scores.shape == (3, 3)
    assert (both.train_scores[-1] < 1).all()


def _edges(band, x):
    """The lower and the upper edge of a band at each x."""
    (path,) = band.get_paths()
    found = [path.vertices[np.isclose(path.vertices[:, 0], at), 1] for at in x]
    return np.array([[one.min(), one.max()] for one in found]).T


def test_the_picture_against_its_numbers():
    X, y = regression(60)
    display = draw_gap(Ridge(), X, y, confidence_level=0.9, **QUICK)
    quantile = stats.t.ppf(0.95, 3)
    ratios = {"train": display.sizes / (60 - display.sizes), "test": 12 / 48}
    means = {}
    for name in ("train", "test"):
        scores = getattr(display, f"{name}_scores")
        x, drawn = display.lines_[name].get_data()
        means[name] = scores.mean(axis=1)
        np.testing.assert_allclose(x, display.sizes)
        np.testing.assert_allclose(drawn, means[name])
        error = scores.std(axis=1, ddof=1) * np.sqrt(1 / 4 + ratios[name])
        low, high = _edges(display.bands_[name], x)
        np.testing.assert_allclose(low, means[name] - quantile * error)
        np.testing.assert_allclose(high, means[name] + quantile * error)
    low, high = _edges(display.area_, display.sizes)
    np.testing.assert_allclose(low, np.minimum(means["train"], means["test"]))
    np.testing.assert_allclose(high, np.maximum(means["train"], means["test"]))
    assert display.gap == pytest.approx(means["train"][-1] - means["test"][-1])
    train, test = display.train_scores[-1], display.test_scores[-1]
    error = np.sqrt(
        np.var(train - test, ddof=1) / 4 + np.var(2 * train + test / 2) * 4 / 3
    )
    assert display.gap_interval == pytest.approx(
        (display.gap - quantile * error, display.gap + quantile * error)
    )
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    gap = in_words(display.gap, *display.gap_interval)
    assert texts == [
        "training rows",
        "rows left out",
        "90% confidence",
        f"gap at 48 rows: {gap}",
    ]
    assert display.ax_.get_xlabel() == "training rows"
    assert display.ax_.get_ylabel() == "R2"
    assert not display.ax_.texts
    assert display.ax_.get_title() == ""
    assert display.figure_ is display.ax_.figure


def test_it_is_drawn_where_it_is_told_and_again():
    import matplotlib.pyplot as plt

    X, y = regression(60)
    _, ax = plt.subplots()
    display = draw_gap(Ridge(), X, y, scoring="r2", ax=ax, **QUICK)
    assert display.ax_ is ax
    assert ax.get_ylabel() == "r2"
    lines = display.lines_
    assert display.plot() is display
    assert display.ax_ is not ax
    for name, line in lines.items():
        np.testing.assert_array_equal(line.get_data(), display.lines_[name].get_data())
    own = GeneralizationGapDisplay(
        sizes=np.array([10.0, 1000.0]),
        train_scores=np.array([[0.9, 0.8], [0.8, 0.7]]),
        test_scores=np.array([[0.2, 0.1], [0.6, 0.3]]),
        n_samples=1100.0,
        test_ratio=0.1,
    ).plot(ax=ax)
    assert own.gap == pytest.approx(0.3)
    assert own.ax_.get_xscale() == "log"
    assert not own.interpolates


@pytest.mark.parametrize(
    ("model", "scoring", "told"),
    [
        (DecisionTreeRegressor(random_state=0), None, True),
        (DecisionTreeRegressor(random_state=0), "neg_root_mean_squared_error", True),
        (DecisionTreeRegressor(random_state=0), "neg_max_error", True),
        (KNeighborsRegressor(1), "explained_variance", True),
        (DecisionTreeRegressor(min_samples_leaf=2, random_state=0), None, False),
        (Ridge(), None, False),
    ],
)
def test_what_a_perfect_training_score_is_worth(model, scoring, told):
    X, y = regression(60)
    display = draw_gap(model, X, y, scoring=scoring, **QUICK)
    assert display.interpolates is told
    texts = " ".join(text.get_text() for text in display.ax_.texts)
    assert ("says nothing" in texts) is told
    assert "fault" not in texts


def test_a_scorer_without_weights_is_told():
    X, y = regression(60)
    with pytest.warns(UnweightedScoreWarning, match="takes no `sample_weight`"):
        draw_gap(
            Ridge(), X, y, scoring=_coefficient, sample_weight=np.ones(60), **QUICK
        )


def _coefficient(model, X, y):
    return model.coef_[0]


def test_two_sizes_are_enough():
    X, y = regression(12)
    display = draw_gap(Ridge(), X, y, **QUICK)
    assert display.sizes.tolist() == [7, 10]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": [0.2]}, "at least two different sizes.*which gives 1"),
        ({"sizes": [0.2, 0.2]}, "at least two different sizes.*which gives 1"),
        ({"sizes": [0.2, 0.5, 1.0]}, "above none and below all of the rows"),
        ({"sizes": "many"}, '`sizes` must be "auto" or a sequence'),
        ({"groups": np.arange(60) % 6}, "with 6 groups, which gives 0"),
        ({"n_splits": 2}, "'n_splits' parameter of GeneralizationGapDisplay.from_est"),
        ({"n_splits": 2.0}, "'n_splits' parameter"),
        ({"confidence_level": 1.0}, "'confidence_level' parameter"),
        ({"confidence_level": 95}, "'confidence_level' parameter"),
        ({"scoring": "good"}, r"`scoring` must be None, a callable .* Got 'good'"),
        ({"scoring": ["r2", "max_error"]}, "'scoring' parameter"),
        ({"scoring": r2_score}, "must take .estimator, X, y.*make_scorer"),
        ({"estimator": Ridge}, "'estimator' parameter"),
        ({"y": None}, "compares predictions with a target, and y is None"),
        ({"y": np.ones(60)}, "needs a y that varies"),
        ({"X": np.ones((9, 2)), "y": np.arange(9)}, "needs at least 10 rows"),
        ({"params": {"sample_weight": np.ones(60)}}, "pass `sample_weight=...`"),
        ({"sizes": [0.5, 59]}, r"needs a score on every split\. Got NaN"),
        ({"sizes": [1, 30]}, r"needs a score on every split\. Got NaN on 4 of 4"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_bad_input(changes, message):
    X, y = regression(60)
    given = {"estimator": Ridge(), "X": X, "y": y} | QUICK | changes
    with pytest.raises((TypeError, ValueError), match=message):
        draw_gap(**given)


def test_scores_that_are_none():
    X, y = regression(60)

    def nothing_on_what_it_knows(model, X, y):
        assert model.coef_ is not None
        return np.nan if len(y) > 12 else 1.0

    with pytest.raises(ValueError, match=r"needs a score on every split\. Got NaN"):
        draw_gap(Ridge(), X, y, scoring=nothing_on_what_it_knows, **QUICK)

    def several(model, X, y):
        return {"a": 1.0, "b": 2.0}

    with pytest.raises(ValueError, match=r"goes by one score.*Got \['a', 'b'\]"):
        draw_gap(Ridge(), X, y, scoring=several, **QUICK)


@pytest.mark.parametrize("scale", [0.01, 2, 2.5, 1e6])
def test_the_scale_of_weights_has_no_say(scale):
    """Ten rows of weight two were once twenty, of which every fit had one of each."""
    X, y = regression(60)
    model = LinearRegression()
    plain = draw_gap(model, X, y, **QUICK)
    scaled = draw_gap(model, X, y, sample_weight=np.full(60, scale), **QUICK)
    np.testing.assert_allclose(scaled.test_scores, plain.test_scores)
    np.testing.assert_allclose(scaled.sizes, plain.sizes)
    assert scaled.n_samples == 60
    assert scaled.gap_interval == pytest.approx(plain.gap_interval)


class _Boom(Ridge):
    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("boom")


def test_errors_of_fits_say_where_they_happened():
    X, y = regression(60)
    with pytest.raises(RuntimeError, match="boom") as caught:
        draw_gap(_Boom(), X, y, **QUICK)
    (note,) = caught.value.__notes__
    assert "split 0 of GeneralizationGapDisplay.from_estimator, on a share of" in note


def test_without_matplotlib(monkeypatch):
    """Told before anything is fitted."""
    X, y = regression(60)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match=r"^GeneralizationGapDisplay needs matplotlib .* `pip install"
    ):
        draw_gap(_Boom(), X, y, **QUICK)
