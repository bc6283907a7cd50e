"""The picture of a curve: where things stand, and what is said where it cannot be."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingRegressor,
    RegularizationDisplay,
)
from tests.bagging.toys import classification_data, regression_data

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators.EdgeOfGridWarning",
    "ignore::genestimators.OutOfBagWarning",
    "ignore::genestimators.MissingScoreWarning",
)


@pytest.fixture
def plt():
    """matplotlib without a screen; its figures are closed after the test."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def fitted(base=None, data=regression_data, **settings):
    base = Ridge() if base is None else base
    settings = {"cv": 3, "n_repeats": 1, "random_state": 0, **settings}
    return AutoRegularizedCV(base, **settings).fit(*data())


def drawn(model, **settings):
    """The display, after the figure was drawn to pixels."""
    display = RegularizationDisplay.from_estimator(model, **settings)
    display.figure_.canvas.draw()
    return display


def labels_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("base", "settings", "scale"),
    [
        (Ridge(), {}, "log"),
        (Ridge(), {"values": [0.0, 0.1, 100.0]}, "symlog"),
        (Ridge(), {"values": [0.0, 1.0, 2.0]}, "linear"),
        (Ridge(), {"values": [10.0, 1.0, 5.0]}, "linear"),
        (DecisionTreeRegressor(), {}, "symlog"),
        (KNeighborsRegressor(), {"values": [1, 2, 5, 8]}, "linear"),
        (KNeighborsRegressor(), {"values": [1, 4, 30]}, "log"),
    ],
)
@pytest.mark.usefixtures("plt")
def test_curves_are_those_of_the_search(base, settings, scale):
    """In increasing order of the values, on an axis that spreads them."""
    model = fitted(base, **settings)
    display = drawn(model)
    order = np.argsort(model.values_)
    results = model.cv_results_
    for line, name in (
        (display.test_line_, "mean_test_score"),
        (display.train_line_, "mean_train_score"),
    ):
        np.testing.assert_array_equal(line.get_xdata(), model.values_[order])
        np.testing.assert_array_equal(line.get_ydata(), results[name][order])
    assert display.ax_.get_xscale() == scale
    low, high = display.ax_.get_xlim()
    assert low < model.values_[order][0] < model.values_[order][-1] < high


@pytest.mark.usefixtures("plt")
def test_axes_have_names():
    """The parameter, which way it penalises, and what the scores are."""
    display = drawn(fitted())
    assert display.ax_.get_xlabel().startswith("alpha")
    assert "stronger penalty →" in display.ax_.get_xlabel()
    assert display.ax_.get_ylabel() == "score"
    display = drawn(
        fitted(LogisticRegression(), classification_data, scoring="neg_log_loss")
    )
    assert "← stronger penalty" in display.ax_.get_xlabel()
    assert display.ax_.get_ylabel() == "neg_log_loss"
    model = fitted(KNeighborsRegressor(), param="p", values=[1, 2])
    display = drawn(model, score_name="R2")
    assert display.ax_.get_xlabel() == "p"
    assert display.ax_.get_ylabel() == "R2"


@pytest.mark.parametrize(
    ("base", "settings", "last"),
    [
        (
            DecisionTreeRegressor(),
            {"param": "max_depth", "values": [None, 1, 3, 2]},
            "None",
        ),
        (
            LogisticRegression(),
            {"values": [1.0, np.inf, 0.1], "data": classification_data},
            "inf",
        ),
    ],
    ids=["none", "infinity"],
)
@pytest.mark.usefixtures("plt")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_values_without_a_place_on_an_axis(base, settings, last):
    """They stand in their order, by name."""
    model = fitted(base, **settings)
    display = drawn(model)
    n_values = len(model.values_)
    np.testing.assert_array_equal(display.test_line_.get_xdata(), np.arange(n_values))
    ticks = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert len(ticks) == n_values
    assert ticks[-1] == last


@pytest.mark.usefixtures("plt")
def test_the_choice_and_its_gap():
    """A star on the validation curve, a line up to the training curve."""
    model = fitted(rule="one_standard_error")
    display = drawn(model)
    labels = labels_of(display)
    assert {"training", "validation", "chosen", "gap", "admissible"} <= set(labels)
    index = model.best_index_
    (star,) = [
        one.get_offsets()[0]
        for one in display.ax_.collections
        if one.get_label() == "chosen"
    ]
    expected = [model.values_[index], model.cv_results_["mean_test_score"][index]]
    np.testing.assert_allclose(star, expected)
    best = model.choice_.best_value
    assert model.values_[display.best] == best
    assert ("best validation score" in labels) == (best != model.best_params_["alpha"])


@pytest.mark.usefixtures("plt")
def test_one_split_has_no_band():
    """Nothing is drawn or named that is not known."""
    folds = PredefinedSplit(np.repeat([-1, 0], 30))
    display = drawn(fitted(cv=folds))
    assert display.band_ is None
    assert not [label for label in labels_of(display) if "standard error" in label]
    assert drawn(fitted()).band_ is not None


@pytest.mark.usefixtures("plt")
def test_out_of_bag():
    """There is a band from the rows where there is no second split."""
    bag = BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=20)
    model = fitted(bag, cv=None, n_repeats="auto")
    assert model.n_splits_ == 1
    display = drawn(model)
    assert display.band_ is not None
    assert display.ax_.get_xlabel().startswith("estimator__ccp_alpha")


def missing_for_two(estimator, X, y):
    """A score that is not known for one of the values."""
    if estimator.alpha == 1.0:
        return np.nan
    return -np.mean((estimator.predict(X) - y) ** 2)


@pytest.mark.usefixtures("plt")
def test_scores_that_are_missing():
    """The curve has a hole, and the rest of it is there."""
    model = fitted(values=[0.1, 1.0, 10.0, 100.0], scoring=missing_for_two)
    display = drawn(model)
    assert np.isnan(display.test_line_.get_ydata()).tolist() == [0, 1, 0, 0]
    assert display.chosen != 1


def test_axes_of_the_user(plt):
    """Two curves side by side, each on the axes it was given."""
    figure, both = plt.subplots(1, 2)
    for ax, base in zip(both, (Ridge(), KNeighborsRegressor()), strict=True):
        display = drawn(fitted(base), ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
    again = display.plot()
    assert again is display
    assert again.ax_ is not both[1]


def test_what_cannot_be_drawn():
    """A search that is not fitted, another estimator, no estimator."""
    with pytest.raises(NotFittedError, match="instance is not fitted yet"):
        RegularizationDisplay.from_estimator(AutoRegularizedCV(Ridge()))
    X, y = regression_data()
    other = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}).fit(X, y)
    for wrong in (other, Ridge().fit(X, y), None, AutoRegularizedCV, "model"):
        with pytest.raises(TypeError, match=r"be a fitted AutoRegularizedCV\. Got"):
            RegularizationDisplay.from_estimator(wrong)


def test_without_matplotlib(monkeypatch):
    """The message says what to install."""
    model = fitted()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"needs matplotlib .* `pip install"):
        RegularizationDisplay.from_estimator(model)
