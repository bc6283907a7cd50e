"""The picture of a selection."""

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge

from genestimators import KnockoffSelector, StableFeatureSelector

X, Y = make_regression(100, 12, n_informative=3, noise=5, random_state=0)
CRITERIA = ["prediction", "fdr", "pfer", "pfer_integrated", "frequency"]


@pytest.fixture
def display():
    """The class, with figures that are closed afterwards."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from genestimators import SelectionDisplay

    yield SelectionDisplay
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    """A selector whose criterion may be changed."""
    return StableFeatureSelector(n_resamples=10, random_state=0).fit(X, Y)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.filterwarnings("ignore::genestimators.NothingSelectedWarning")
def test_paths_are_those_of_the_selector(display, fitted, criterion):
    """There is a line for each feature, those kept apart from the others."""
    fitted.set_params(criterion=criterion)
    drawn = display.from_estimator(fitted)
    lines = [line.get_ydata() for line in drawn.ax_.lines if len(line.get_xdata()) > 2]
    order = np.argsort(fitted.get_support(), kind="stable")
    np.testing.assert_array_equal(np.stack(lines), fitted.stability_paths_[:, order].T)
    assert criterion in drawn.ax_.get_title()
    assert len({line.get_color() for line in drawn.ax_.lines}) >= 2


def test_bar_of_a_frequency_is_drawn(display, fitted):
    """The threshold is a line where frequencies are compared with it."""
    fitted.set_params(criterion="frequency", threshold=0.9)
    drawn = display.from_estimator(fitted)
    assert [0.9, 0.9] in [list(line.get_ydata()) for line in drawn.ax_.lines]
    fitted.set_params(threshold=None)


def test_names_of_few_features_are_written(display):
    """Kept features are named by their columns."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"column {i}" for i in range(12)])
    selector = StableFeatureSelector(n_resamples=10, random_state=0).fit(frame, Y)
    drawn = display.from_estimator(selector)
    written = {text.get_text() for text in drawn.ax_.texts}
    assert written == set(selector.get_feature_names_out())


@pytest.mark.filterwarnings("ignore::genestimators.NothingSelectedWarning")
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]])
def test_statistics_of_knockoffs_are_drawn(display, groups):
    """Units stand by their mean statistics, the greatest first."""
    selector = KnockoffSelector(
        n_copies=5, alpha=0.4, feature_groups=groups, random_state=0
    ).fit(X, Y)
    drawn = display.from_estimator(selector)
    heights = np.concatenate(
        [points.get_offsets()[:, 1] for points in drawn.ax_.collections[1:]]
    )
    means = selector.statistics_.mean(axis=0)
    np.testing.assert_allclose(np.sort(heights), np.sort(means))
    what = "groups of features" if groups else "features"
    assert drawn.ax_.get_xlabel() == f"{what} by their mean statistic"


def test_axes_can_be_given(display, fitted):
    """An axes of the user's is drawn on."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert display.from_estimator(fitted, ax=ax).ax_ is ax


def test_other_estimators_are_refused(display):
    """Only selectors have something to draw."""
    with pytest.raises(TypeError, match="must be a fitted StableFeatureSelector"):
        display.from_estimator(Ridge())
