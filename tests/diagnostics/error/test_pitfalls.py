"""What a user may do to an estimate of the error, and what must not come of it."""

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, PredefinedSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    CoverageWarning,
    GeneralizationGapDisplay,
    RepeatedRowsWarning,
    UnweightedScoreWarning,
    bias_variance_decomposition,
    compare_models,
    generalization_error,
    generalization_report,
    learning_curve_forecast,
)
from tests.diagnostics import toys


class Answers(RegressorMixin, BaseEstimator):
    """Predicts one value, for one row another."""

    def __init__(self, other=np.nan):
        self.other = other

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        out = np.zeros(len(X))
        out[0] = self.other
        return out


@pytest.mark.parametrize("method", ["corrected_t", "conservative_z"])
def test_rare_classes_have_their_share_in_tests(method):
    """Rounded numbers of a class in every test would be off by a third here."""
    y = np.zeros(500, dtype=int)
    y[:12] = 1
    X = np.random.default_rng(0).normal(size=(500, 2))
    model = DummyClassifier(strategy="prior")
    share = 12 / 500
    truth = share * np.log(share) + (1 - share) * np.log(1 - share)
    found = generalization_error(
        model, X, y, scoring="neg_log_loss", method=method, random_state=0
    )
    low, high = found.interval
    assert low < truth < high
    assert high - low > 0.03


def test_curves_do_not_go_beyond_perfect():
    X = np.random.default_rng(1).uniform(size=(80, 1))
    y = np.sin(4 * X[:, 0])
    found = learning_curve_forecast(
        DecisionTreeRegressor(random_state=0), X, y, random_state=0
    )
    assert found.score_doubled <= 1
    assert found.intervals["score_doubled"][1] <= 1
    assert found.limit <= 1
    report = generalization_report(KNeighborsRegressor(3), X, y, random_state=0)
    gains = {one.kind: one.estimate for one in report.verdict}
    assert gains["rows"] <= report.loss
    assert "nan" not in str(report)


def test_a_constant_is_not_averaged():
    """On noise a bag of priors is told from a prior as often as chance has it."""
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(30, 3)), np.arange(30) % 2
        report = generalization_report(
            DummyClassifier(strategy="prior"), X, rng.permutation(y), n_repeats=2,
            random_state=seed,
        )  # fmt: skip
        told += any(one.worthwhile for one in report.verdict if one.kind == "averaging")
    assert told <= 4


def _two_points():
    """Two points, each many times: any tree is right everywhere."""
    X = np.repeat([[0.0], [1.0]], 20, axis=0)
    X = X + 1e-3 * np.random.default_rng(0).normal(size=X.shape)
    return X, np.repeat([0, 1], 20)


def test_no_loss_at_all():
    X, y = _two_points()
    told = {"random_state": 0, "n_repeats": 2}
    with pytest.warns(CoverageWarning, match="no loss at all in 40 rows"):
        found = generalization_error(
            DecisionTreeRegressor(), X, y.astype(float), scoring="r2", **told
        )
    assert found.score == 1
    # A Brier score is at most one, so some rows in forty may have had it.
    found = generalization_error(
        DecisionTreeClassifier(), X, y, scoring="neg_brier_score", **told
    )
    assert found.score == 0
    assert -0.2 < found.interval[0] < -0.05


def test_a_loss_that_is_hardly_known_has_a_bounded_interval():
    rng = np.random.default_rng(0)
    X = np.linspace(0, 1, 40)[:, None]
    y = np.zeros(40)
    y[20] = 1e3
    found = generalization_error(
        KNeighborsRegressor(1), X, y + 1e-9 * rng.normal(size=40), random_state=0,
        scoring="neg_mean_squared_error",
    )  # fmt: skip
    low, high = found.interval
    assert low > 100 * found.score
    assert high < 0
    binary = np.arange(100) >= 90
    found = generalization_error(
        LogisticRegression(), rng.normal(size=(100, 2)), binary,
        groups=np.arange(100) // 10, scoring="neg_brier_score", random_state=0,
        n_repeats=2,
    )  # fmt: skip
    assert found.interval[0] >= -1


@pytest.mark.parametrize(
    "function",
    [generalization_error, generalization_report, learning_curve_forecast],
)
def test_copies_are_told_of(function):
    X, y = toys.regression(40)
    X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2)
    with pytest.warns(RepeatedRowsWarning, match="40 of 80 rows are copies of others"):
        function(Ridge(), X, y, random_state=0)


def test_cv_keeps_rows_and_groups_apart():
    X, y = toys.regression(40)
    groups = np.repeat(np.arange(8), 5)
    mixed = KFold(4, shuffle=True, random_state=0).split(X)
    for cv in (list(mixed), PredefinedSplit(np.arange(40) % 4)):
        with pytest.raises(ValueError, match="must not test on a group that it learns"):
            generalization_error(Ridge(), X, y, cv=cv, groups=groups)
    everything = np.arange(40)
    with pytest.raises(ValueError, match="must not test on a row that it learns from"):
        generalization_error(Ridge(), X, y, cv=[(everything, everything)])


@pytest.mark.parametrize("method", ["subsampling", "nested_cv", "cross_validation"])
@pytest.mark.parametrize("other", [np.nan, np.inf])
def test_predictions_have_to_be_finite(method, other):
    X, y = toys.regression(40)
    told = {"scoring": "neg_mean_squared_error", "random_state": 0}
    with pytest.raises(
        ValueError, match=r"needs finite losses\. Got (nan|inf) for a row"
    ):
        generalization_error(Answers(other), X, y, method=method, **told)


def test_other_functions_want_finite_predictions_too():
    X, y = toys.regression(40)
    told = {"random_state": 0}
    with pytest.raises(ValueError, match=r"needs finite losses\. Got inf"):
        generalization_report(Answers(np.inf), X, y, **told)
    with pytest.raises(ValueError, match="needs finite losses"):
        bias_variance_decomposition(Answers(np.nan), X, y, **told)
    mse = {"scoring": "neg_mean_squared_error"}
    for call in (
        lambda: learning_curve_forecast(Answers(np.inf), X, y, **mse, **told),
        lambda: compare_models(Answers(np.inf), Ridge(), X, y, **mse, **told),
    ):
        with pytest.raises(
            ValueError, match=r"needs finite scores\. Got an infinite one"
        ):
            call()


def test_reports_are_reproducible_whatever_the_order():
    X, y = toys.regression(60, p=6)
    told = {"n_repeats": 2, "random_state": 0}
    model = DecisionTreeRegressor(max_features=2)
    first = generalization_report(model, X, y, **told)
    again = generalization_report(model, X, y, **told)
    assert str(first) == str(again)
    order = np.random.default_rng(0).permutation(60)
    moved = generalization_report(model, X[order], y[order], **told)
    for one, other in zip(first.verdict, moved.verdict, strict=True):
        assert one.kind == other.kind
        assert other.estimate == pytest.approx(one.estimate, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("offset", [2.0**30, 2.0**31])
def test_offsets_do_not_move_gains(offset):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = np.round(64 * (X[:, 0] + rng.normal(size=100))) / 64
    told = {"n_repeats": 2, "random_state": 0}
    near = generalization_report(LinearRegression(), X, y, **told)
    far = generalization_report(LinearRegression(), X, y + offset, **told)
    gains = [
        {one.kind: one.estimate for one in found.verdict}["averaging"]
        for found in (near, far)
    ]
    # Other rows are drawn, as their content is another.
    assert abs(gains[1] - gains[0]) < 0.1


def test_units_do_not_move_intervals():
    X, y = toys.regression(60)
    told = {"n_repeats": 2, "random_state": 0}
    scale = 2.0**-30
    found = [
        {one.kind: one for one in generalization_report(
            LinearRegression(), X, factor * y, **told
        ).verdict}["rows"].interval
        for factor in (1.0, scale)
    ]  # fmt: skip
    np.testing.assert_allclose(np.array(found[1]) / scale**2, found[0], rtol=1e-6)


def test_reports_are_json():
    X, y = toys.regression(60)
    report = generalization_report(Ridge(), X, y, n_repeats=2, random_state=0)
    fields = json.loads(json.dumps(report.to_dict()))
    assert fields["loss"] == report.loss
    assert fields["curve"]["sizes"] == report.curve.sizes.tolist()


def test_a_penalty_for_each_output_is_left_alone():
    X, y = toys.regression(60)
    both = np.column_stack([y, X[:, 0] + y])
    report = generalization_report(
        Ridge(alpha=np.array([1.0, 2.0])), X, both, n_repeats=2, random_state=0
    )
    assert "penalty" not in [one.kind for one in report.verdict]


def test_a_group_that_holds_half_the_rows_counts_as_few():
    """Intervals are wider than those of as many groups of equal size."""
    X, y = toys.regression(100)
    uneven = np.r_[np.zeros(50, dtype=int), 1 + np.arange(50) // 5]
    even = np.arange(100) // 9
    told = {"scoring": "neg_mean_squared_error", "random_state": 0, "n_repeats": 2}
    wide, narrow = (
        np.log(np.divide(*generalization_error(
            LinearRegression(), X, y, groups=groups, **told
        ).interval))
        for groups in (uneven, even)
    )  # fmt: skip
    assert wide > narrow


def test_gap_of_a_rare_class_is_drawn():
    pytest.importorskip("matplotlib").use("agg")
    X, y = toys.classes(60)
    y[:] = 0
    y[:3] = 1
    GeneralizationGapDisplay.from_estimator(
        LogisticRegression(), X, y, n_splits=3, sizes=(0.5, 0.8), random_state=0
    )


@pytest.mark.parametrize(
    ("answer", "got"), [("good", "'good'"), (None, "None"), (np.ones(3), r"array\(\[1")]
)
def test_scorers_that_return_no_number(answer, got):
    X, y = toys.regression(40)

    def scorer(estimator, X, y):
        return answer

    told = f"A scorer must return one number. Got {got}.*; pass one that does"
    for ask in (generalization_error, learning_curve_forecast):
        with pytest.raises(TypeError, match=told):
            ask(Ridge(), X, y, scoring=scorer, random_state=0)
    with pytest.raises(TypeError, match=told):
        compare_models(Ridge(), LinearRegression(), X, y, scoring=scorer)


def test_a_metric_without_weights_counts_every_row_alike():
    """`make_scorer` takes weights whatever its metric does."""
    X, y = toys.regression(40)

    def error(y, predicted):
        return np.abs(y - predicted).max()

    scorer = make_scorer(error, greater_is_better=False)
    weight = np.arange(40) % 3 + 1
    with pytest.warns(UnweightedScoreWarning, match="takes no `sample_weight`"):
        generalization_error(Ridge(), X, y, scoring=scorer, sample_weight=weight)

    def broken(y, predicted, sample_weight=None):
        raise TypeError("another one")

    with pytest.raises(TypeError, match="another one"):
        generalization_error(
            Ridge(), X, y, scoring=make_scorer(broken), sample_weight=weight
        )


def test_optimism_wants_a_number_too():
    X, y = toys.regression(40)
    with pytest.raises(TypeError, match=r"A scorer must return one number\. Got 'x'"):
        generalization_error(
            Ridge(), X, y, method="optimism", scoring=lambda model, X, y: "x"
        )


def test_scores_of_probabilities_of_a_model_without():
    X, y = toys.classes(40)
    told = {"scoring": "neg_log_loss", "random_state": 0}
    words = r"asks for what LinearSVC\(.*\) does not have .* or calibrate it with"
    for ask in (generalization_error, learning_curve_forecast):
        with pytest.raises(ValueError, match=words):
            ask(LinearSVC(), X, y, **told)
    with pytest.raises(ValueError, match=words):
        compare_models(LinearSVC(), LogisticRegression(), X, y, **told)


class Few(Ridge):
    def predict(self, X):
        return super().predict(X)[:2]


@pytest.mark.parametrize(
    "ask", [bias_variance_decomposition, generalization_error, learning_curve_forecast]
)
def test_models_that_do_not_answer_for_every_row(ask):
    X, y = toys.regression(40)
    with pytest.raises(ValueError, match=r"for each of the \d+ rows .* Got 2 answers"):
        ask(Few(), X, y, random_state=0)


@pytest.mark.parametrize("odd", [45, -1])
def test_splits_of_other_data(odd):
    X, y = toys.regression(40)
    message = rf"positions of rows, from 0 to 39\. Got {odd} in split 0"
    with pytest.raises(ValueError, match=message):
        generalization_error(Ridge(), X, y, cv=[(np.arange(20), np.array([30, odd]))])


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (1e100, r"finite losses\. Got \d.*scale a huge"),
        (1e-100, "scale a tiny target up"),
    ],
)
def test_targets_whose_squares_are_no_numbers(scale, message):
    X, y = toys.regression(40)
    with pytest.raises(ValueError, match=message):
        generalization_report(Ridge(), X, y * scale, random_state=0)


def test_models_that_harm_are_called_so():
    """Trees on noise lose twice as much as a constant, and that is told from none."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 4)), rng.normal(size=120)
    report = generalization_report(DecisionTreeRegressor(), X, y, random_state=0)
    signal = next(one for one in report.verdict if one.kind == "signal")
    assert signal.text.startswith("Worse than a constant prediction, whose squared er")
    assert "gain -" in signal.text
    assert signal.remedy == "Make the model simpler, or predict a constant."
    for one in report.verdict:
        if one.interval is not None and one.interval[1] < 0 and one.kind != "signal":
            assert "not told from" not in one.remedy


def test_results_are_plain_and_copies():
    X, y = toys.regression(40)
    found = bias_variance_decomposition(Ridge(), X, y, random_state=0)
    fields = found.to_dict()
    assert json.loads(json.dumps(fields))["sizes"] == found.sizes.tolist()
    fields["std_errors"]["total"] = 0
    assert found.std_errors["total"] > 0
    curve = learning_curve_forecast(Ridge(), X, y, random_state=0).to_dict()
    assert json.loads(json.dumps(curve))["n_samples"] == 40
