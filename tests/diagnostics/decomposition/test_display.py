"""The picture of bias and variance."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BiasVarianceDisplay, bias_variance_decomposition
from tests.diagnostics.toys import classes, regression

QUICK = {"n_pairs": 6, "random_state": 0}


@pytest.fixture(autouse=True)
def _pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    pytest.importorskip("matplotlib.pyplot").close("all")


@pytest.mark.parametrize(
    ("model", "param", "values"),
    [
        (Ridge(), "alpha", [0.1, 1.0, 10.0]),
        (KNeighborsRegressor(), "n_neighbors", [1, 3, 5]),
        (DecisionTreeRegressor(random_state=0), "ccp_alpha", [0.0, 0.1, 0.3]),
        (make_pipeline(StandardScaler(), Ridge()), "ridge__alpha", [1.0, 10.0]),
    ],
)
def test_each_value_is_decomposed_as_by_itself(model, param, values):
    """Paths of all values, and one decomposition after the other."""
    X, y = regression(60)
    display = BiasVarianceDisplay.from_estimator(
        model, X, y, param=param, values=values, **QUICK
    )
    for i, value in enumerate(values):
        own = clone(model).set_params(**{param: value})
        found = bias_variance_decomposition(own, X, y, **QUICK)
        assert display.variance[i] == pytest.approx(found.variance)
        assert display.bias_and_noise[i] == pytest.approx(found.bias_and_noise)
        assert display.total[i] == pytest.approx(found.total)
        for name in ("variance", "bias_and_noise", "total"):
            error = found.std_errors[name]
            assert display.std_errors[name][i] == pytest.approx(error, rel=1e-6)
    assert display.marked == int(np.argmin(display.total))
    _, drawn = display.lines_["total"].get_data()
    np.testing.assert_allclose(np.sort(drawn), np.sort(display.total))


def test_an_automatic_range():
    X, y = regression(60)
    display = BiasVarianceDisplay.from_estimator(KNeighborsRegressor(), X, y, **QUICK)
    assert display.x_name.startswith("n_neighbors")
    assert 3 <= len(display.x) <= 40
    assert max(display.x) <= 12  # no more neighbours than the least models have rows
    assert display.ax_.get_ylabel() == "expected squared error"
    texts = {text.get_text() for text in display.ax_.get_legend().get_texts()}
    assert texts == {"total", "bias² + noise", "variance", "least total"}


def test_classes_and_weights():
    X, y = classes(80)
    weight = np.random.default_rng(0).integers(1, 3, size=80)
    display = BiasVarianceDisplay.from_estimator(
        DecisionTreeClassifier(random_state=0), X, y, sample_weight=weight, **QUICK
    )
    assert display.loss_name == "Brier score"
    assert np.isfinite(display.total).all()


def test_against_the_number_of_rows():
    X, y = regression(60)
    found = bias_variance_decomposition(Ridge(), X, y, **QUICK)
    display = found.plot()
    assert display.x == [12, 24, 60]
    assert display.total[-1] == pytest.approx(found.total)
    assert display.marked == 2
    assert display.ax_.get_xlabel() == "training rows"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"param": "depth"}, "depth"),
        ({"values": []}, "values"),
        ({"loss": "brier"}, "one of classifiers"),
        ({"n_pairs": 1}, "'n_pairs' parameter of BiasVarianceDisplay.from_estimator"),
    ],
)
def test_bad_input(changes, message):
    X, y = regression(60)
    with pytest.raises(ValueError, match=message):
        BiasVarianceDisplay.from_estimator(Ridge(), X, y, **(QUICK | changes))
