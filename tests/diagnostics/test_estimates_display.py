"""The pictures of results that are a few estimates with their intervals."""

import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingRegressor,
    CorrectedScore,
    EstimatesDisplay,
    GeneralizationError,
    ModelComparison,
    compare_models,
    ensemble_decomposition,
    generalization_error,
    selection_corrected_score,
)
from tests.diagnostics.toys import MeanOfTarget, classes, regression

NAN = float("nan")
COMPARISON = ModelComparison(
    first="A()",
    second="B()",
    difference=0.25,
    std_error=0.1,
    interval=(0.05, 0.45),
    confidence_level=0.95,
    p_value=0.02,
    p_value_adjusted=0.02,
    margin=0.0,
    p_value_non_inferior=0.01,
    scores=(0.75, 0.5),
    scoring="accuracy",
    method="corrected_t",
    n_fits=50,
)
ERROR = GeneralizationError(
    score=0.8,
    std_error=0.03,
    interval=(0.74, 0.85),
    confidence_level=0.9,
    training_score=0.95,
    gap=0.15,
    method="subsampling",
    scoring="accuracy",
    n_samples=100,
    n_fits=201,
)


@pytest.fixture(autouse=True)
def _pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    pytest.importorskip("matplotlib.pyplot").close("all")


def _drawn(display):
    """Estimates and ends of intervals by rows from the top, as they are drawn."""
    places = display.ax_.get_yticks()
    estimates = np.full(len(places), NAN)
    intervals = np.full((len(places), 2), NAN)
    kinds = np.full(len(places), "", dtype=object)
    for kind, points in display.points_.items():
        for x, y in points.get_offsets():
            row = np.flatnonzero(places == y)[0]
            estimates[row], kinds[row] = x, kind
    for (low, y), (high, also_y) in display.whiskers_.get_segments():
        assert y == also_y
        intervals[np.flatnonzero(places == y)[0]] = low, high
    bottom, top = display.ax_.get_ylim()
    assert (np.diff(places) > 0).all()
    assert top < places[0]
    assert bottom > places[-1]
    return estimates, intervals, kinds.tolist()


def _labels(display):
    return [label.get_text().split("\n") for label in display.ax_.get_yticklabels()]


def _legend(display):
    legend = display.ax_.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_an_error_beside_the_training_score():
    X, y = classes(60)
    found = generalization_error(
        DecisionTreeClassifier(max_depth=2, random_state=0),
        X,
        y,
        method="corrected_t",
        confidence_level=0.9,
        random_state=0,
    )
    display = found.plot()
    estimates, intervals, kinds = _drawn(display)
    assert estimates.tolist() == [found.score, found.training_score]
    assert intervals[0].tolist() == list(found.interval)
    assert np.isnan(intervals[1]).all()
    assert kinds == ["filled", "hollow"]
    first, second = _labels(display)
    assert first[0] == "on new rows"
    assert second[0] == "on the training rows"
    assert second[-1] == f"gap {found.gap:.3g}"
    assert display.ax_.get_xlabel() == (
        "accuracy (90% confidence)\n60 rows; corrected resampled t, 26 fits"
    )
    assert _legend(display) == []


def test_the_parts_of_an_ensemble():
    """Standard errors are drawn 1.96 of them to each side, and the axis says so."""
    X, y = regression(60)
    bag = BootstrapBaggingRegressor(n_estimators=30, random_state=0).fit(X, y)
    found = ensemble_decomposition(bag, X, y)
    display = found.plot()
    estimates, intervals, _ = _drawn(display)
    names = ["member_loss", "removable", "not_removable"]
    expected = np.array([getattr(found, name) for name in names])
    reach = 1.96 * np.array([found.std_errors[name] for name in names])
    np.testing.assert_array_equal(estimates, expected)
    np.testing.assert_allclose(intervals[:, 0], expected - reach)
    np.testing.assert_allclose(intervals[:, 1], expected + reach)
    total, removable, rest = _labels(display)
    assert total[0] == "total"
    assert removable[0] == "removable by averaging"
    assert removable[-1] == f"{100 * found.removable_share:.0f} % of it"
    assert rest[0] == "not removable by averaging"
    first, second = display.ax_.get_xlabel().split("\n")
    assert first == "squared error (± 1.96 standard errors)"
    assert second == "one of 30 members, on 60 rows not seen"
    assert [line.get_xdata()[0] for line in display.references_.values()] == [0.0]


def test_a_part_without_a_standard_error_is_a_dot():
    X, y = regression(60)
    bag = BootstrapBaggingRegressor(n_estimators=30, random_state=0).fit(X, y)
    found = ensemble_decomposition(bag, X, y)
    errors = dict.fromkeys(found.std_errors, NAN)
    display = replace(found, std_errors=errors, removable_share=NAN).plot()
    estimates, intervals, kinds = _drawn(display)
    assert estimates[0] == found.member_loss
    assert np.isnan(intervals).all()
    assert kinds == ["hollow"] * 3


def test_a_score_and_that_of_the_search():
    X, y = regression(60)
    model = DecisionTreeRegressor(random_state=0)
    name = "neg_root_mean_squared_error"
    search = GridSearchCV(model, {"max_depth": [1, 2, 3]}, scoring=name).fit(X, y)
    found = selection_corrected_score(search, X, y, n_resamples=60, random_state=0)
    display = found.plot()
    estimates, intervals, kinds = _drawn(display)
    # The root error of all rows together is not the mean of those of folds.
    pooled = found.score + found.optimism
    assert estimates.tolist() == [found.score, pooled, found.naive_score]
    assert intervals[0].tolist() == list(found.interval)
    assert np.isnan(intervals[1:]).all()
    assert kinds == ["filled", "hollow", "hollow"]
    (line,) = display.references_.values()
    assert line.get_xdata() == [found.naive_score] * 2
    labels = _labels(display)
    assert [lines[0] for lines in labels] == [
        "on new rows",
        "chosen, on all rows together",
        "in the search, best of 3",
    ]
    good = "good" if found.optimism >= 0 else "bad"
    assert labels[1][-1] == f"{abs(found.optimism):.2g} too {good}"
    assert display.ax_.get_xlabel() == f"{name} (95% confidence)"


def test_a_search_that_knows_its_score():
    """Its score in the search is that on all rows together: two rows."""
    X, y = regression(60)
    found = selection_corrected_score(
        AutoRegularizedCV(Ridge(), random_state=0).fit(X, y)
    )
    display = found.plot()
    assert _drawn(display)[0].tolist() == [found.score, found.naive_score]
    assert _labels(display)[1][-1].endswith(("too good", "too bad"))


def test_a_score_that_was_too_bad_by_chance():
    found = CorrectedScore(
        score=0.75,
        interval=(0.5, 1.0),
        confidence_level=0.995,
        naive_score=0.5,
        optimism=-0.25,
        best_index=0,
        n_candidates=2,
        method="bootstrap",
        scoring="accuracy",
        n_fits=0,
    )
    display = found.plot()
    assert _labels(display)[1] == ["in the search, best of 2", "0.5", "0.25 too bad"]
    assert display.ax_.get_xlabel() == "accuracy (99.5% confidence)"


def test_a_comparison():
    X, y = regression(60)
    found = compare_models(
        Ridge(), MeanOfTarget(), X, y, scoring="r2", margin=0.03, random_state=0
    )
    display = found.plot()
    estimates, intervals, kinds = _drawn(display)
    assert estimates.tolist() == [found.difference]
    assert intervals.tolist() == [list(found.interval)]
    assert kinds == ["filled"]
    lines = {name: one.get_xdata()[0] for name, one in display.references_.items()}
    assert lines == {"no difference": 0.0, "worse by the margin of 0.03": -0.03}
    assert _legend(display) == [*lines, "told apart: p < 0.05"]
    (label,) = _labels(display)
    assert label[0] == "MeanOfTarget()"
    assert label[-2] == f"differs: p = {found.p_value:.2g}"
    assert label[-1].startswith("not inferior: p ")
    assert display.ax_.get_xlabel() == (
        "difference of r2 (95% confidence)\nabove zero: better is Ridge()"
    )


def test_several_comparisons():
    """Dots are filled by p-values after Holm, not by intervals."""
    X, y = regression(60)
    others = [MeanOfTarget(), LinearRegression(), Lasso(alpha=0.2)]
    found = compare_models(Ridge(), others, X, y, random_state=0)
    names = ["mean", "none", "lasso"]
    display = EstimatesDisplay.from_comparisons(found, names=names)
    estimates, intervals, kinds = _drawn(display)
    assert estimates.tolist() == [one.difference for one in found]
    assert intervals.tolist() == [list(one.interval) for one in found]
    expected = [one.p_value_adjusted < 0.05 for one in found]
    assert [kind == "filled" for kind in kinds] == expected
    assert set(expected) == {True, False}
    assert [lines[0] for lines in _labels(display)] == names
    assert all(lines[-1].endswith("after Holm") for lines in _labels(display))
    assert _legend(display) == [
        "no difference",
        "told apart: p < 0.05 after Holm",
        "not told apart",
    ]


def test_significance_is_that_of_the_adjusted_p_value():
    one = replace(COMPARISON, p_value_adjusted=0.06)
    assert COMPARISON.interval[0] > 0  # which is not adjusted
    assert _drawn(COMPARISON.plot())[2] == ["filled"]
    assert _drawn(one.plot())[2] == ["hollow"]
    wider = replace(one, confidence_level=0.9)
    assert _drawn(wider.plot())[2] == ["filled"]
    assert "told apart: p < 0.1 after Holm" in _legend(wider.plot())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["p = 0.02"]),
        ({"p_value_adjusted": 0.0401}, ["p = 0.04 after Holm"]),
        ({"p_value_adjusted": 0.0009, "p_value": 0.0009}, ["p < 0.001"]),
        ({"margin": 0.1}, ["differs: p = 0.02", "not inferior: p = 0.01"]),
        ({"margin": 0.1, "p_value_non_inferior": NAN}, ["p = 0.02"]),
    ],
)
def test_p_values_are_written(changes, expected):
    (label,) = _labels(replace(COMPARISON, **changes).plot())
    assert label == ["B()", "0.250 (0.050 to 0.450)", *expected]


@pytest.mark.parametrize("method", ["5x2cv_f", "mcnemar"])
def test_other_tests(method):
    X, y = classes(60)
    found = compare_models(
        LogisticRegression(),
        DecisionTreeClassifier(random_state=0),
        X,
        y,
        method=method,
        margin=0.1,
        random_state=0,
    )
    display = found.plot()
    assert _drawn(display)[1].tolist() == [list(found.interval)]
    text = "\n".join(_labels(display)[0])
    # The F test has no side.
    assert ("not inferior" in text) == (method == "mcnemar")


def test_no_test_at_all():
    """Scores that are the same on every split and differ from each other."""
    nothing = ("std_error", "p_value", "p_value_adjusted", "p_value_non_inferior")
    found = replace(
        COMPARISON, **dict.fromkeys(nothing, NAN), interval=(NAN, NAN), margin=0.1
    )
    display = found.plot()
    estimates, intervals, kinds = _drawn(display)
    assert estimates.tolist() == [found.difference]
    assert np.isnan(intervals).all()
    assert kinds == ["hollow"]
    assert _labels(display)[0][-1] == "no test"


def test_long_names_are_shown_from_both_ends():
    long = "Pipeline(steps=[" + ", ".join(f"step{i}" for i in range(40)) + ", C=10])"
    display = replace(COMPARISON, first=long, second=long).plot()
    (label,) = _labels(display)
    assert max(map(len, label)) <= 40
    name = " ".join(label)
    assert name.startswith("Pipeline(steps=[step0")
    assert " … " in name
    assert "C=10])" in name
    assert max(map(len, display.ax_.get_xlabel().split("\n"))) <= 56


@pytest.mark.parametrize(
    ("estimate", "interval", "expected"),
    [
        (0.84213, (0.7682, 0.8956), "0.842 (0.768 to 0.896)"),
        (-0.0004308, (-0.008465, 0.007603), "-0.0004 (-0.0085 to 0.0076)"),
        (6698.3, (6167.2, 7229.4), "6698 (6167 to 7229)"),
        (-1e-9, (-0.5, 0.5), "0.00 (-0.50 to 0.50)"),
        (5.2e7, (4e7, 6e7), "5.2e+07 (4e+07 to 6e+07)"),
        (0.3, (0.3, 0.3), "0.3 (0.3 to 0.3)"),
        (0.3, (-np.inf, 0.5), "0.3 (-inf to 0.5)"),
        (0.98765, (NAN, NAN), "0.9877"),
    ],
)
def test_numbers_have_as_many_digits_as_they_are_worth(estimate, interval, expected):
    display = EstimatesDisplay(
        names=["a"], estimates=[estimate], intervals=[interval], x_name="x"
    ).plot()
    assert _labels(display) == [["a", expected]]


def test_intervals_without_a_bound_go_on_to_the_edge():
    display = EstimatesDisplay(
        names=["a", "b", "c"],
        estimates=[1.0, 2.0, 3.0],
        intervals=[(-5.0, np.inf), (-np.inf, 8.0), (NAN, NAN)],
        x_name="x",
    ).plot()
    low, high = display.ax_.get_xlim()
    _, intervals, _ = _drawn(display)
    assert low < -5 < 8 < high
    np.testing.assert_array_equal(intervals[:2], [(-5.0, high), (low, 8.0)])


@pytest.mark.parametrize("n", [1, 4, 12])
def test_figures_are_as_high_as_their_rows(n):
    """Texts of neighbouring rows do not touch, and none is cut off."""
    found = [replace(COMPARISON, second=f"Model(depth={i}) $x$") for i in range(n)]
    display = EstimatesDisplay.from_comparisons(found)
    display.figure_.canvas.draw()
    boxes = [one.get_window_extent() for one in display.ax_.get_yticklabels()]
    for upper, lower in pairwise(boxes):
        assert upper.y0 > lower.y1
    whole = display.figure_.bbox
    texts = [display.ax_.xaxis.label, *display.ax_.get_legend().get_texts()]
    for box in [*boxes, *(one.get_window_extent() for one in texts)]:
        assert box.x0 >= whole.x0
        assert box.x1 <= whole.x1
        assert box.y0 >= whole.y0
        assert box.y1 <= whole.y1
    assert display.figure_.get_size_inches()[1] < 1.7 + 0.8 * n


@pytest.mark.parametrize("found", [COMPARISON, ERROR], ids=lambda one: type(one))
def test_axes_of_ones_own(found):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, (left, right) = plt.subplots(1, 2)
    display = found.plot(ax=right)
    assert isinstance(display, EstimatesDisplay)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert not left.has_data()
    # A second time on the same axes: the first row stays at the top.
    again = display.plot(ax=right)
    assert again is display
    assert right.get_ylim()[0] > right.get_ylim()[1]


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for found in (COMPARISON, ERROR):
        with pytest.raises(
            ImportError, match=r"^EstimatesDisplay needs matplotlib .* `pip install"
        ):
            found.plot()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"estimates": [1.0]}, r"a row for each of `names`.* Got 2 names and .*\(1,\)"),
        ({"intervals": [0.0, 1.0]}, r"shapes \(2,\), \(2,\)"),
        ({"notes": ["a"]}, "Got 2 names"),
        ({"filled": [True]}, "Got 2 names"),
        ({"names": [], "estimates": [], "intervals": []}, "Got 0 names"),
    ],
)
def test_rows_are_as_many_everywhere(changes, message):
    told = {"names": ["a", "b"], "estimates": [1.0, 2.0], "intervals": [(0, 3)] * 2}
    with pytest.raises(ValueError, match=message):
        EstimatesDisplay(**(told | changes), x_name="x").plot()


@pytest.mark.parametrize("comparisons", [[], [COMPARISON, ERROR], 3, None])
def test_only_comparisons_are_compared(comparisons):
    with pytest.raises(TypeError, match="`comparisons` must be a ModelComparison, or"):
        EstimatesDisplay.from_comparisons(comparisons)


@pytest.mark.parametrize(
    "changes",
    [
        {"first": "C()"},
        {"scoring": "r2"},
        {"method": "mcnemar"},
        {"confidence_level": 0.9},
        {"margin": 0.1},
    ],
)
def test_comparisons_are_of_one_call(changes):
    (name,) = changes
    with pytest.raises(ValueError, match=f"one call .* Got several values of `{name}`"):
        EstimatesDisplay.from_comparisons([COMPARISON, replace(COMPARISON, **changes)])
