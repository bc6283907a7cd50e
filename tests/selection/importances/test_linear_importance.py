"""Which predictors are linear, and the mean over all permutations of these."""

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import (
    HuberRegressor,
    Lasso,
    LinearRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    PolynomialFeatures,
    StandardScaler,
)

from genestimators import BootstrapBaggingRegressor
from genestimators.selection.importances._linear_form import linear_form
from genestimators.selection.importances._linear_importance import (
    expected_increase,
    linear_permutation_importance,
    unit_contributions,
)


def data(n=60, p=5, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + offset
    return X, X[:, 0] - 2 * X[:, -1] + rng.normal(size=n)


LABELS = np.array([0, 1, 0])


@pytest.mark.parametrize("labels", [None, LABELS])
@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_formula_equals_the_mean_over_all_permutations(make, labels, offset):
    """Averaging the loss over every permutation of five rows gives the formula."""
    if make is not np.asarray and offset:
        pytest.skip("sums of squares of sparse columns keep no digits at big offsets")
    X, y = data(5, 3, offset=offset)
    coef = np.array([0.7, -1.0, 2.0])
    residual = y - y.mean() - (X - offset) @ coef
    found = linear_permutation_importance(coef, make(X), residual, labels=labels)
    for unit in range(len(found)):
        own = np.flatnonzero((np.arange(3) if labels is None else labels) == unit)
        losses = []
        for order in permutations(range(5)):
            changed = (X[list(order)][:, own] - X[:, own]) @ coef[own]
            losses.append(np.mean((residual - changed) ** 2))
        exact = np.mean(losses) - np.mean(residual**2)
        # Columns of size 1e6 keep ten digits.
        tolerance = 1e-12 if offset == 0 else 1e-8
        assert found[unit] == pytest.approx(exact, rel=tolerance)


def test_whole_weights_are_repeated_rows():
    """A row of weight 3 is scored and donates as three rows do."""
    X, y = data(20, 3)
    coef = np.array([[0.7, -1.0, 2.0], [0.0, 1.0, 0.5]])
    residual = np.column_stack([y, -y]) - X @ coef.T
    counts = np.random.default_rng(0).integers(1, 4, size=20)
    found = linear_permutation_importance(
        coef, X, residual, sample_weight=counts, labels=LABELS
    )
    repeated = linear_permutation_importance(
        coef,
        np.repeat(X, counts, axis=0),
        np.repeat(residual, counts, 0),
        labels=LABELS,
    )
    np.testing.assert_allclose(found, repeated, rtol=1e-12)


def test_influence_is_the_derivative_in_the_weight_of_a_row():
    """A row's influence is how fast the increase changes as it gains weight."""
    X, y = data(12, 3)
    parts = unit_contributions(np.array([0.7, -1.0, 2.0]), X, LABELS)
    share = np.random.default_rng(0).dirichlet(np.ones(12))
    increase, influence = expected_increase(parts, y, share)
    np.testing.assert_allclose(share @ influence, 0, atol=1e-12)
    step = 1e-6
    for row in range(12):
        moved = (1 - step) * share
        moved[row] += step
        derivative = (expected_increase(parts, y, moved)[0] - increase) / step
        # A one-sided difference is off by a multiple of its step.
        np.testing.assert_allclose(influence[row], derivative, rtol=1e-3, atol=1e-4)


LINEAR = [
    Ridge(),
    LinearRegression(fit_intercept=False),
    HuberRegressor(),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline(MinMaxScaler(), LinearRegression()),
    TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
    BootstrapBaggingRegressor(Ridge(), n_estimators=5, random_state=0),
]
CURVED = [
    PoissonRegressor(),
    make_pipeline(PolynomialFeatures(2), LinearRegression()),
    KNeighborsRegressor(),
    RandomForestRegressor(5, random_state=0),
    MLPRegressor(hidden_layer_sizes=(8,), max_iter=20, random_state=0),
    TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("estimator", LINEAR, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_linear_predictors_are_found(estimator, dtype):
    """Coefficients in terms of X give the predictions back."""
    X, y = data()
    X = X.astype(dtype)
    estimator.fit(X, y)
    coef = linear_form(estimator, X)
    assert coef.shape == (1, 5)
    offset = estimator.predict(X) - X @ coef[0]
    # Predictions in single precision have seven digits.
    assert np.ptp(offset) < (1e-10 if dtype is np.float64 else 1e-4)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("estimator", CURVED, ids=str)
def test_curved_predictors_are_not_linear(estimator):
    """Having `coef_`, or being made of straight pieces, is not enough."""
    X, y = data()
    assert linear_form(estimator.fit(X, np.abs(y)), X) is None


def test_clipped_scaling_is_linear_only_inside():
    """A scaler that clips is linear on rows it was fitted on, and on no others."""
    X, y = data()
    pipeline = make_pipeline(MinMaxScaler(clip=True), Ridge()).fit(X[:30], y[:30])
    assert linear_form(pipeline, X[:30]) is not None
    assert linear_form(pipeline, X) is None


def test_coefficients_of_zero_stay_zero():
    """Rounding behind a scaler does not bring back what a lasso has dropped."""
    X, y = data(80, 20, offset=3.0)
    pipeline = make_pipeline(StandardScaler(), Lasso(0.3)).fit(X, y)
    coef = linear_form(pipeline, X)
    np.testing.assert_array_equal(coef[0] == 0, pipeline[-1].coef_ == 0)
    assert (coef == 0).any()


def test_constant_columns_and_constant_predictions():
    """A column that never moves has no slope; a constant has none at all."""
    X, y = data()
    X[:, 1] = 2.0
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    assert linear_form(pipeline, X)[0, 1] == 0
    constant = make_pipeline(StandardScaler(), Lasso(1e3)).fit(X, y)
    assert not linear_form(constant, X).any()


def test_several_outputs_and_big_offsets():
    """Every output has its coefficients, with columns far from zero too."""
    X, y = data(offset=1e6)
    Y = np.column_stack([y, X[:, 1]]) - 1e6
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(X, Y)
    coef = linear_form(pipeline, X)
    own = pipeline[-1].coef_ / pipeline[0].scale_
    # Differences of predictions of size 1e6 keep ten digits.
    np.testing.assert_allclose(coef, own, atol=1e-8)


def test_sparse_rows_stay_sparse():
    """A sparse predictor is asked about sparse rows only."""

    class OnlySparse(Ridge):
        def predict(self, X):
            assert sparse.issparse(X)
            return super().predict(X)

    X, y = data(40, 600)
    X[np.abs(X) < 1] = 0
    X = sparse.csr_matrix(X)
    estimator = OnlySparse().fit(X, y)
    np.testing.assert_array_equal(linear_form(estimator, X)[0], estimator.coef_)
    bag = BootstrapBaggingRegressor(estimator, n_estimators=3, random_state=0)
    coef = linear_form(bag.fit(X, y), X)
    own = np.mean([member.coef_ for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(coef[0], own, atol=1e-10)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_asked_with_frames(library):
    """Names survive, so that a pipeline that looks at them does not warn."""
    frames = pytest.importorskip(library)
    X, y = data()
    frame = frames.DataFrame(dict(zip("abcde", X.T, strict=True)))
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(frame, y)
    array = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    np.testing.assert_allclose(linear_form(pipeline, frame), linear_form(array, X))
    text = frames.DataFrame({"a": ["u", "v"], "b": [1.0, 2.0]})
    assert linear_form(pipeline, text) is None
