"""Discriminant analysis at all amounts of shrinkage against a fit for each."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting import find_family
from tests.fitting.families.against_refits import assert_equals_refits

SHARES = [0.3, 0.01, 1.0, 0.3]
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
SOLVERS = ["lsqr", "eigen"]


def classes(seed=0, n=120, p=6, k=3):
    """Data of k classes, whose labels are text."""
    X, y = make_classification(
        n, p, n_informative=p - 1, n_redundant=0, n_classes=k, random_state=seed
    )
    return X, np.array(["a", "b", "c", "d"])[y]


def linear(solver="lsqr", **settings):
    """A linear discriminant analysis that takes shrinkage."""
    return LinearDiscriminantAnalysis(solver=solver, **settings)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("k", [2, 3])
def test_linear_equals_refits(k, solver, seed):
    """Labels, probabilities and decisions, also without shrinkage."""
    X, y = classes(seed, k=k)
    values = [*SHARES, 0]
    assert_equals_refits(linear(solver), "shrinkage", values, X, y, rtol=1e-9, cv=FOLDS)
    model = make_pipeline(StandardScaler(), linear(solver))
    assert_equals_refits(
        model, "lineardiscriminantanalysis__shrinkage", values, X, y, rtol=1e-9
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("k", [2, 3])
def test_linear_with_priors_equals_refits(solver, k):
    """Priors that are given."""
    X, y = classes(k=k)
    model = linear(solver, priors=[0.7, 0.3] if k == 2 else [0.5, 0.4, 0.1])
    assert_equals_refits(model, "shrinkage", SHARES, X, y, rtol=1e-9, cv=FOLDS)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "case", ["constant", "scales", "column", "few rows", "wide", "single precision"]
)
def test_linear_of_awkward_data_equals_refits(case, solver):
    """Columns without variance or of different scales, p > n."""
    X, y = classes()
    rtol, atol = 1e-8, 1e-10
    if case == "constant":
        X[:, 2] = 7.0
    elif case == "scales":
        X = X * np.array([1, 1e3, 1e-3, 1, 1, 1])
    elif case == "column":
        X = X[:, :1]
    elif case == "few rows":
        X, y = X[:24], y[:24]
    elif case == "wide":
        X, y = classes(n=30, p=60)
    else:
        X, rtol, atol = X.astype(np.float32), 1e-3, 1e-4
    assert_equals_refits(
        linear(solver), "shrinkage", SHARES, X, y, rtol=rtol, atol=atol, cv=FOLDS
    )


def test_linear_far_from_the_origin_equals_refits():
    """Refits lose digits there, the path does not."""
    X, y = classes()
    assert_equals_refits(
        linear(), "shrinkage", SHARES, X + 1e3, y, rtol=1e-4, atol=1e-6, cv=FOLDS
    )
    family = find_family(linear(), "shrinkage")
    near, far = (
        family.fit_path(linear(), X + shift, y, None, SHARES) for shift in (0, 2.0**20)
    )
    np.testing.assert_allclose(
        near.predict_proba(X), far.predict_proba(X + 2.0**20), rtol=1e-6, atol=1e-8
    )


def test_linear_without_shrinkage_of_wide_data_equals_refits():
    """Where the covariance matrix is singular the solver itself decides."""
    X, y = classes(n=30, p=60)
    assert_equals_refits(linear(), "shrinkage", [0.0, 0.2], X, y, rtol=1e-8, cv=FOLDS)


@pytest.mark.filterwarnings("ignore:Only one sample available")
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_linear_with_a_class_of_one_row_equals_refits():
    """It has a mean and no spread."""
    X, y = classes(k=2)
    y = y.copy()
    y[0] = "z"
    assert_equals_refits(
        linear(), "shrinkage", SHARES, X, y, rtol=1e-9, atol=1e-12, cv=FOLDS
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("k", [2, 3])
def test_linear_models_predict_as_the_path_does(k, solver):
    """The estimator at a value is fitted, where it costs nothing."""
    X, y = classes(k=k)
    family = find_family(linear(), "shrinkage")
    path = family.fit_path(linear(solver), X, y, None, SHARES)
    for i, value in enumerate(SHARES):
        model = path.model(i)
        if solver == "eigen":
            assert model is None
            continue
        refit = linear(shrinkage=value).fit(X, y)
        assert model.get_params() == refit.get_params()
        for name in ("coef_", "intercept_", "covariance_"):
            np.testing.assert_allclose(
                getattr(model, name), getattr(refit, name), rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (linear(), ["auto", 0.1]),
        (linear(), [None, 0.1]),
    ],
)
def test_other_shrinkage_is_refitted(model, values):
    """Values that are no numbers."""
    X, y = classes()
    assert_equals_refits(model, "shrinkage", values, X, y, rtol=0, served=False)


def test_default_solver_is_not_served():
    """It takes no shrinkage, and refits say so."""
    X, y = classes()
    model = LinearDiscriminantAnalysis()
    family = find_family(model, "shrinkage")
    assert "svd" in family.unsupported(model, X, y, None, SHARES)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"priors": True}])
def test_quadratic_equals_refits(settings, k, seed):
    """Labels, probabilities and decisions, also without regularisation."""
    X, y = classes(seed, k=k)
    if settings:
        settings = {"priors": [0.7, 0.3] if k == 2 else [0.5, 0.4, 0.1]}
    model = QuadraticDiscriminantAnalysis(**settings)
    for values in ([*SHARES, 0.0], SHARES, [1.0, 1]):
        assert_equals_refits(model, "reg_param", values, X, y, rtol=1e-9, cv=FOLDS)
    assert_equals_refits(
        make_pipeline(StandardScaler(), model),
        "quadraticdiscriminantanalysis__reg_param",
        SHARES,
        X,
        y,
        rtol=1e-9,
        cv=FOLDS,
    )


@pytest.mark.parametrize(
    "case", ["constant", "offset", "scales", "column", "single precision", "integers"]
)
def test_quadratic_of_awkward_data_equals_refits(case):
    """Columns without variance, of different scales, far from the origin."""
    X, y = classes()
    rtol, atol = 1e-8, 1e-10
    if case == "constant":
        X[:, 2] = 7.0
    elif case == "offset":
        X = X + 1e6
    elif case == "scales":
        X = X * np.array([1, 1e3, 1e-3, 1, 1, 1])
    elif case == "column":
        X = X[:, :1]
    elif case == "integers":
        X = (X * 10).astype(int)
    else:
        X, rtol, atol = X.astype(np.float32), 1e-3, 1e-4
    assert_equals_refits(
        QuadraticDiscriminantAnalysis(),
        "reg_param",
        SHARES,
        X,
        y,
        rtol=rtol,
        atol=atol,
        cv=FOLDS,
    )


def test_discriminants_of_frames_equal_refits():
    """Column names do no harm."""
    pd = pytest.importorskip("pandas")
    X, y = classes()
    X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    assert_equals_refits(linear(), "shrinkage", SHARES, X, y, rtol=1e-9)
    model = QuadraticDiscriminantAnalysis()
    assert_equals_refits(model, "reg_param", SHARES, X, y, rtol=1e-9)


def test_quadratic_models_predict_as_the_path_does():
    """The estimator at a value is fitted."""
    X, y = classes()
    model = QuadraticDiscriminantAnalysis()
    path = find_family(model, "reg_param").fit_path(model, X, y, None, SHARES)
    for i, value in enumerate(SHARES):
        refit = QuadraticDiscriminantAnalysis(reg_param=value).fit(X, y)
        assert path.model(i).get_params() == refit.get_params()
        np.testing.assert_allclose(
            path.model(i).predict_proba(X), refit.predict_proba(X), rtol=1e-9
        )


def test_values_are_sane():
    """Shares, increasing; a stronger one fits the training rows no better."""
    X, y = classes(n=300)
    for model, param in (
        (linear(), "shrinkage"),
        (linear("eigen"), "shrinkage"),
        (QuadraticDiscriminantAnalysis(), "reg_param"),
    ):
        family = find_family(model, param)
        values = family.default_values(model, X, y, None)
        assert (np.diff(values) > 0).all()
        assert values[0] >= 0
        assert values[-1] == 1
        assert family.stronger == "larger"
        path = family.fit_path(model, X, y, None, [0.001, 1.0])
        losses = [log_loss(y, answer) for answer in path.predict_proba(X)]
        assert (np.diff(losses) >= 0).all()
