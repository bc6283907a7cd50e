"""Poisson, gamma and Tweedie regression for all penalties against refits."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting import find_family
from genestimators.fitting._composites import make_path
from genestimators.fitting.families.generalized_linear._glm import (
    LogLinkLoss,
    SquaredLoss,
)
from tests.fitting.families.against_refits import assert_equals_refits

# Refits that are at their minimum before they know.
pytestmark = pytest.mark.filterwarnings("ignore:Line search of Newton solver")

PENALTIES = [1.0, 1e-3, 100.0, 1.0]
FOLDS = KFold(3, shuffle=True, random_state=0)
EXACT = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 1000}
MODELS = {
    "poisson": PoissonRegressor(**EXACT),
    "gamma": GammaRegressor(**EXACT),
    "tweedie, normal": TweedieRegressor(power=0, **EXACT),
    "tweedie, 1.2": TweedieRegressor(power=1.2, **EXACT),
    "tweedie, 1.9": TweedieRegressor(power=1.9, link="log", **EXACT),
    "tweedie, identity": TweedieRegressor(power=0, link="identity", **EXACT),
}
FEW = ["poisson", "gamma", "tweedie, normal"]


def targets(model, seed=0, n=60, p=4):
    """Counts, positive numbers, amounts with zeros, or any numbers."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.3, 3, p) + rng.normal(size=p)
    mean = np.exp(0.5 + X @ rng.normal(size=p) / (3 * p))
    power = getattr(model, "power", {PoissonRegressor: 1}.get(type(model), 2))
    if power == 0:
        return X, 100 * np.log(mean) + rng.normal(size=n)
    if power == 2:
        return X, mean * rng.gamma(2, 0.5, n)
    counts = rng.poisson(mean)
    return X, counts.astype(float) if power == 1 else counts * rng.gamma(2, 0.5, n)


def scaled(estimator, **settings):
    """The estimator behind a StandardScaler."""
    return make_pipeline(StandardScaler(**settings), estimator)


def assert_glm(estimator, X, y, values=PENALTIES, *, digits=7, cv=FOLDS, **how):
    """Equal to refits as far as these are from the minimum."""
    last = getattr(estimator, "steps", [("", estimator)])[-1][0]
    param = f"{last}__alpha" if last else "alpha"
    how = {"rtol": 10.0**-digits, "atol": 10.0**-digits, "cv": cv, **how}
    assert_equals_refits(estimator, param, values, X, y, **how)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(60, 4), (40, 1), (30, 40)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_regression_equals_refits(seed, name, shape, fit_intercept):
    """Every loss and link; few columns, one, and more columns than rows."""
    model = clone(MODELS[name]).set_params(fit_intercept=fit_intercept)
    X, y = targets(model, seed, *shape)
    # Where only the penalty curves the loss, gradients of 1e-10 say less.
    digits = 7 if shape[0] > shape[1] else 5
    assert_glm(model, X, y, digits=digits)
    assert_glm(scaled(model), X, y, digits=digits)


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_regression_behind_a_scaler_equals_refits(name, with_mean, with_std):
    """Every scaler, with weights of very different size, some of them zero."""
    model = MODELS[name]
    X, y = targets(model, 2)
    rng = np.random.default_rng(2)
    weight = rng.gamma(0.5, size=len(y)) * 10 * (rng.random(len(y)) > 0.1)
    chain = scaled(model, with_mean=with_mean, with_std=with_std)
    assert_glm(chain, X, y, sample_weight=weight)
    assert_glm(model, X, y, sample_weight=weight)
    counts = rng.integers(0, 4, len(y)).astype(float)
    assert_glm(chain, X, y, sample_weight=counts)


@pytest.mark.parametrize("name", FEW)
def test_the_other_solver_agrees(name):
    """Both solvers look for the same minimum."""
    model = clone(MODELS[name]).set_params(solver="lbfgs")
    X, y = targets(model, 3)
    # Its steps end where losses no longer differ in double precision.
    assert_glm(model, X, y, digits=5)


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(3),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        LeaveOneOut(),
        "groups",
    ],
)
def test_regression_over_other_folds_equals_refits(name, cv):
    """Growing training sets, folds drawn again, single rows, whole groups."""
    model = MODELS[name]
    X, y = targets(model, 4, 24, 3)
    if cv == "groups":
        groups = np.arange(len(y)) // 5
        cv = list(GroupKFold(3).split(X, y, groups))
    assert_glm(model, X, y, [0.1], cv=cv)
    assert_glm(scaled(model), X, y, [0.1], cv=cv)


@pytest.mark.parametrize("name", FEW)
def test_columns_far_from_zero(name):
    """Means much larger than spreads: an intercept takes them up exactly."""
    model = MODELS[name]
    X, y = targets(model, 5)
    away = X + 1e6 * X.std(axis=0)
    near = away - 1e6 * X.std(axis=0)  # with the same rounding
    family = find_family(model, "alpha")
    path = family.fit_path(clone(model), away, y, None, PENALTIES)
    expected = family.fit_path(clone(model), near, y, None, PENALTIES)
    # Rounding of the means is 1e6 times 1e-16 of a spread.
    np.testing.assert_allclose(path.predict(away), expected.predict(near), rtol=1e-8)
    # A scaler's own means and spreads lose half the digits.
    assert_glm(scaled(model), away, y, digits=5)


@pytest.mark.parametrize("name", FEW)
def test_targets_of_any_size(name):
    """Very large and very small targets, and targets without spread."""
    model = MODELS[name]
    X, y = targets(model, 6)
    family = find_family(model, "alpha")
    for size in (1e-6, 1e6):
        # Gradients are in units of the target, those of gammas are pure numbers.
        unit = 1 if name == "gamma" else size
        own = clone(model).set_params(tol=1e-10 * unit)
        values = family.default_values(own, X, size * y, None)[8::8]
        path = family.fit_path(own, X, size * y, None, values)
        for i, value in enumerate(values):
            refit = clone(own).set_params(alpha=value).fit(X, size * y)
            # Weak penalties let gradients of 1e-10 stop early.
            np.testing.assert_allclose(
                path.predict(X)[i], refit.predict(X), rtol=1e-5, atol=1e-5 * size
            )
    assert_glm(model, X, np.full(len(y), 3.0))


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_columns_that_are_constant(name, fit_intercept):
    """In all rows, in those of a fold, all of them; and columns that are equal."""
    model = clone(MODELS[name]).set_params(fit_intercept=fit_intercept)
    X, y = targets(model, 7)
    rare = np.zeros(len(y))
    rare[next(FOLDS.split(X, y))[1][:3]] = 1.0
    for extra in (np.full(len(y), 0.1), rare, X[:, 0]):
        wider = np.column_stack([X, extra])
        assert_glm(model, wider, y, [1e-3, 1.0])
        assert_glm(scaled(model), wider, y, [1e-3, 1.0])
    assert_glm(model, np.ones((len(y), 2)), y, [1e-3, 1.0])


def test_a_fold_without_counts():
    """Where all training counts are zero the logarithm has no start: it is refitted."""
    X, y = targets(MODELS["poisson"], 8, 30, 2)
    y[:15] = 0
    family = find_family(PoissonRegressor(), "alpha")
    plain = PoissonRegressor()
    assert "zero" in family.unsupported(plain, X[:15], y[:15], None, [1.0])
    splits = [(np.arange(10, 30), np.arange(10)), (np.arange(20), np.arange(20, 30))]
    assert_glm(MODELS["poisson"], X, y, [0.1], cv=splits)
    assert not family.alike(y, np.arange(15))


@pytest.mark.parametrize("name", FEW)
def test_regression_of_other_containers_equals_refits(name):
    """Frames, integers, columns in Fortran order; sparse rows, fitted one by one."""
    pandas = pytest.importorskip("pandas")
    model = MODELS[name]
    X, y = targets(model, 9)
    X = np.round(3 * X)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    for rows in (frame, X.astype(int), np.asfortranarray(X)):
        assert_glm(model, rows, y, [0.1, 10.0])
    own = clone(model).set_params(solver="lbfgs")
    # Both sides stop by gradients.
    assert_glm(own, sparse.csr_matrix(X), y, [10.0, 0.1], digits=4)


@pytest.mark.parametrize("name", FEW)
def test_single_precision_is_near_refits(name):
    """Computed in double precision, the path differs by the rounding of the refits."""
    model = clone(MODELS[name]).set_params(tol=1e-5)
    X, y = targets(model, 10)
    X = X.astype(np.float32)
    assert_glm(model, X, y, digits=3)
    path = make_path(model, "alpha", PENALTIES, X, y, None)
    assert path.model(0).coef_.dtype == np.float32


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (PoissonRegressor(warm_start=True), "warm_start"),
        (PoissonRegressor(solver="newton"), "solver"),
        (PoissonRegressor(fit_intercept="yes"), "fit_intercept"),
        (PoissonRegressor(tol=0), "tolerance"),
        (PoissonRegressor(max_iter=0), "iterations"),
        (TweedieRegressor(power=3), "convex"),
        (TweedieRegressor(power=0, link="log"), "convex"),
        (TweedieRegressor(power=-1), "bounded"),
        (TweedieRegressor(power=1.5, link="identity"), "bounded"),
        (TweedieRegressor(power=1.5, link="logit"), "link"),
        (TweedieRegressor(power="1"), "power"),
    ],
)
def test_settings_that_are_not_served(model, reason):
    """Other links and powers are left to the generic engine."""
    X, y = targets(GammaRegressor(), 11)
    family = find_family(model, "alpha")
    assert reason in family.unsupported(model, X, y, None, [1.0])


def test_other_powers_are_refitted():
    """The answers are then those of fits one by one, to the bit."""
    X, y = targets(GammaRegressor(), 12)
    for model in (
        TweedieRegressor(power=3, max_iter=1000),
        TweedieRegressor(power=0, link="log", max_iter=1000),
    ):
        assert_equals_refits(
            model, "alpha", [1.0], X, y, cv=FOLDS, rtol=0, served=False
        )


def test_data_that_are_not_served():
    """Values, targets and weights that a fit would refuse, or treat otherwise."""
    X, y = targets(PoissonRegressor(), 13)
    for name in FEW:
        model = MODELS[name]
        family = find_family(model, "alpha")
        assert family.unsupported(model, X, y + 1, None, PENALTIES) is None
        for value in (0.0, -1.0, np.inf, "1", None, True):
            assert "penalty" in family.unsupported(model, X, y + 1, None, [value])
        for bad in (y[:, None], np.where(y > 0, y, np.nan), y.astype(str)):
            assert "numbers" in family.unsupported(model, X, bad, None, [1.0])
        assert "weights" in family.unsupported(model, X, y + 1, -y - 1, [1.0])
    poisson, gamma = PoissonRegressor(), GammaRegressor()
    family = find_family(gamma, "alpha")
    assert "range" in family.unsupported(gamma, X, y, None, [1.0])
    family = find_family(poisson, "alpha")
    assert "range" in family.unsupported(poisson, X, y - 1, None, [1.0])
    assert "zero" in family.unsupported(poisson, X, y, (y == 0) * 1.0, [1.0])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("p", [4, 60])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_models_of_a_path_are_those_of_refits(name, p, fit_intercept):
    """A value's model is a fitted estimator like the refit in all it holds."""
    pandas = pytest.importorskip("pandas")
    model = clone(MODELS[name]).set_params(fit_intercept=fit_intercept)
    X, y = targets(model, 14, 50, p)
    X = pandas.DataFrame(X, columns=[f"c{j}" for j in range(p)])
    path = make_path(clone(model), "alpha", [1.0, 0.01], X, y, None)
    path = pickle.loads(pickle.dumps(path))
    for i, value in enumerate([1.0, 0.01]):
        own = path.model(i)
        refit = clone(model).set_params(alpha=value).fit(X, y)
        assert own.alpha == value
        assert set(vars(refit)) == set(vars(own))
        assert own.feature_names_in_.tolist() == X.columns.tolist()
        assert type(own.n_iter_) is type(refit.n_iter_)
        for attribute in ("coef_", "intercept_"):
            found, expected = getattr(own, attribute), getattr(refit, attribute)
            assert np.shape(found) == np.shape(expected)
            # Minima found to about 1e-9.
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(own.predict(X), refit.predict(X), rtol=1e-6)
        assert own.score(X, y) == pytest.approx(refit.score(X, y), rel=1e-6)


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
def test_default_values_span_the_shrinkage(name, size):
    """From next to none to nearly complete, whatever the units of X."""
    model = MODELS[name]
    X, y = targets(model, 15, 200)
    family = find_family(model, "alpha")
    values = family.default_values(model, size * X, y, None)
    assert (np.diff(values) > 0).all()
    path = family.fit_path(
        clone(model), size * X, y, None, [1e-3 * values[0], values[0], values[-1]]
    )
    length = np.linalg.norm(path.coef[:, 0], axis=1)
    assert length[1] > 0.9 * length[0]
    assert length[2] < 0.1 * length[0]
    flat = family.default_values(model, np.ones((10, 2)), np.ones(10), np.ones(10))
    assert (np.diff(flat) > 0).all()
    assert flat[0] > 0


@pytest.mark.parametrize("name", MODELS)
def test_a_stronger_penalty_has_no_lower_training_loss(name):
    """Larger values of alpha penalise more."""
    model = MODELS[name]
    X, y = targets(model, 16)
    family = find_family(model, "alpha")
    values = family.default_values(model, X, y, None)
    path = family.fit_path(clone(model), X, y, None, values)
    loss = family.problem(model, y, None).loss
    losses = loss.values(path.linear(X), y).mean(axis=1)
    assert (np.diff(losses) >= 0).all()
    assert family.stronger == "larger"


@pytest.mark.parametrize(
    "loss",
    [
        LogLinkLoss(1),
        LogLinkLoss(1.0),
        LogLinkLoss(1.5),
        LogLinkLoss(2),
        SquaredLoss(3),
    ],
)
def test_slopes_and_curvatures_are_derivatives(loss):
    """Against central differences."""
    rng = np.random.default_rng(17)
    eta, y = rng.normal(size=(3, 1, 20)), rng.gamma(2, size=20)
    step = 1e-5
    up, down = eta + step, eta - step
    slopes = loss.slopes(eta, y)
    first = (loss.values(up, y) - loss.values(down, y)) / (2 * step)
    second = (loss.slopes(up, y) - loss.slopes(down, y)) / (2 * step)
    # Differences of values near one lose ten of sixteen digits.
    np.testing.assert_allclose(slopes[:, 0], first, rtol=1e-8, atol=1e-8)
    curvatures = loss.curvatures(eta, slopes, y)[:, 0]
    np.testing.assert_allclose(curvatures, second, rtol=1e-8, atol=1e-8)
