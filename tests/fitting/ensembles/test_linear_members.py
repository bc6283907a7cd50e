"""Least squares and ridge regression on many draws, against fits one by one."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from genestimators.fitting._ensembles import fit_ensemble
from genestimators.resampling import (
    BayesianBootstrap,
    Bootstrap,
    GroupBootstrap,
    Subsample,
)

N_DRAWS = 12
REGRESSORS = {
    "ridge": Ridge(),
    "ridge through zero": Ridge(alpha=0.1, fit_intercept=False),
    "least squares": LinearRegression(),
    "least squares through zero": LinearRegression(fit_intercept=False),
    "scaled": make_pipeline(StandardScaler(), Ridge()),
    "divided": make_pipeline(StandardScaler(with_mean=False), Ridge()),
    "centred": make_pipeline(
        StandardScaler(with_std=False), LinearRegression(fit_intercept=False)
    ),
}
RESAMPLERS = {
    "bootstrap": Bootstrap(),
    "groups": GroupBootstrap(),
    "subsample": Subsample(),
    "bayesian": BayesianBootstrap(),
}


def problem(seed=0, n=80, p=4, n_outputs=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.1, 10, p)
    Y = X @ rng.normal(size=(p, n_outputs)) + rng.normal(size=(n, n_outputs))
    return X, Y[:, 0] if n_outputs == 1 else Y


def members_and_fits(
    estimator, X, y, resampler=None, weight=None, mode="frequency", classes=()
):
    """Pairs of a member and the fit that it stands for, with answers of the path."""
    resampler = Bootstrap() if resampler is None else resampler
    groups = np.arange(len(y)) // 4
    draws = resampler.prepare(
        X, y, weight, groups, 7, classifier=bool(classes), weight_mode=mode
    )
    groups = fit_ensemble(estimator, X, y, draws, range(N_DRAWS), classes=classes)
    for group in groups:
        for place, number in enumerate(group.numbers):
            draw = draws[number]
            fit = clone(estimator)
            if isinstance(estimator, Pipeline):
                weights = {
                    f"{name}__sample_weight": draw.counts for name, _ in fit.steps
                }
            else:
                weights = {"sample_weight": draw.counts}
            rows = draw.rows
            own_X = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            fit.fit(own_X, y[rows], **weights)
            yield group.path, place, fit


def assert_equal_models(model, fit, rtol=1e-10):
    """Coefficients, and all that a scaler has learned."""
    if isinstance(fit, Pipeline):
        for name in ("mean_", "var_", "scale_", "n_samples_seen_"):
            known, wanted = getattr(model[0], name), getattr(fit[0], name)
            assert (known is None) == (wanted is None)
            if wanted is not None:
                np.testing.assert_allclose(known, wanted, rtol=1e-9, atol=1e-12)
        model, fit = model[-1], fit[-1]
    size = np.abs(fit.coef_).max()
    np.testing.assert_allclose(model.coef_, fit.coef_, rtol=0, atol=rtol * size)
    assert model.coef_.shape == fit.coef_.shape
    assert np.shape(model.intercept_) == np.shape(fit.intercept_)
    np.testing.assert_allclose(model.intercept_, fit.intercept_, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("weighting", ["none", "whole", "fractional", "importance"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_equal_clones(name, n_outputs, weighting):
    """Coefficients to ten digits, answers of the path and of the made models."""
    X, y = problem(n_outputs=n_outputs)
    rng = np.random.default_rng(1)
    weight = {
        "none": None,
        "whole": rng.integers(0, 3, size=len(y)).astype(float),
        "fractional": rng.uniform(0.1, 3, size=len(y)),
        "importance": rng.uniform(0.1, 3, size=len(y)),
    }[weighting]
    mode = "importance" if weighting == "importance" else "frequency"
    estimator = REGRESSORS[name]
    for path, place, fit in members_and_fits(estimator, X, y, weight=weight, mode=mode):
        assert path.fine[place]
        model = path.model(place)
        assert_equal_models(model, fit)
        np.testing.assert_allclose(path.predict(X)[place], fit.predict(X), rtol=1e-8)
        np.testing.assert_allclose(model.predict(X), fit.predict(X), rtol=1e-8)


@pytest.mark.parametrize("name", RESAMPLERS)
@pytest.mark.parametrize("estimator", [Ridge(), REGRESSORS["scaled"]])
def test_all_ways_to_draw(estimator, name):
    """Draws of any kind are weights."""
    X, y = problem(2)
    for path, place, fit in members_and_fits(estimator, X, y, RESAMPLERS[name]):
        assert path.fine[place]
        assert_equal_models(path.model(place), fit)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("labels", [np.array(["a", "b", "c"]), np.array([-1, 5, 9])])
def test_classifiers_equal_clones(n_classes, labels, scaled):
    """Labels, decisions and coefficients."""
    X, y = problem(3, n=120)
    codes = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    y = labels[codes]
    estimator = RidgeClassifier()
    if scaled:
        estimator = make_pipeline(StandardScaler(), estimator)
    for path, place, fit in members_and_fits(estimator, X, y, classes=(np.unique(y),)):
        assert path.fine[place]
        model = path.model(place)
        assert_equal_models(model, fit)
        np.testing.assert_array_equal(model.classes_, fit.classes_)
        np.testing.assert_array_equal(path.predict(X)[place], fit.predict(X))
        wanted = fit.decision_function(X)
        np.testing.assert_allclose(path.decision_function(X)[place], wanted, rtol=1e-8)
        np.testing.assert_allclose(model.decision_function(X), wanted, rtol=1e-8)


def test_draws_without_a_class_are_left_to_single_fits():
    """They know fewer classes than the others."""
    X, _ = problem(n=40)
    y = np.where(np.arange(40) < 4, "rare", "common")
    classes = (np.array(["common", "rare"]),)
    draws = GroupBootstrap().prepare(X, y, None, np.arange(40) // 4, 0, classifier=True)
    (group,) = fit_ensemble(
        RidgeClassifier(), X, y, draws, range(N_DRAWS), classes=classes
    )
    lacks = [len(np.unique(y[draws[b].rows])) < 2 for b in range(N_DRAWS)]
    assert any(lacks)
    np.testing.assert_array_equal(group.path.fine, np.logical_not(lacks))


@pytest.mark.parametrize("estimator", [Ridge(), Ridge(fit_intercept=False)])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_more_columns_than_rows(estimator, n_outputs):
    """Products of rows take the place of those of columns."""
    X, y = problem(4, n=30, p=90, n_outputs=n_outputs)
    for path, place, fit in members_and_fits(estimator, X, y):
        assert path.fine[place]
        assert_equal_models(path.model(place), fit, rtol=1e-9)


@pytest.mark.parametrize(
    "estimator", [Ridge(), LinearRegression(), REGRESSORS["scaled"]]
)
def test_big_offsets_cost_few_digits(estimator):
    """Columns at a million of their spread."""
    X, y = problem(5)
    X = X / X.std(axis=0) + 1e6
    for path, place, fit in members_and_fits(estimator, X, y + 1e6):
        assert path.fine[place]
        wanted = fit.predict(X)  # of which rounding takes 1e-10 of a million
        np.testing.assert_allclose(path.predict(X)[place], wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "estimator", [Ridge(), LinearRegression(), REGRESSORS["scaled"]]
)
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 / 3])
def test_constant_columns_get_no_coefficient(estimator, constant):
    """As in a fit, whatever the constant is."""
    X, y = problem(6)
    X[:, 1] = constant
    for path, place, fit in members_and_fits(estimator, X, y):
        assert path.fine[place]
        model = path.model(place)
        last = model[-1] if isinstance(model, Pipeline) else model
        assert last.coef_[1] == 0
        np.testing.assert_allclose(path.predict(X)[place], fit.predict(X), rtol=1e-8)


def test_columns_that_others_make_up_are_left_to_single_fits():
    """Normal equations cannot tell them apart; a decomposition of X can."""
    X, y = problem(7)
    X = np.c_[X, X[:, 0] + 1e-4 * X[:, 1]]
    for path, place, _ in members_and_fits(LinearRegression(), X, y):
        assert not path.fine[place]


def test_draws_without_a_solution_spoil_no_others():
    """As few rows as columns: some draws hold fewer distinct ones, some do not."""
    X, y = problem(14, n=12, p=8)
    fine = []
    for path, place, fit in members_and_fits(LinearRegression(), X, y):
        fine.append(path.fine[place])
        if path.fine[place]:
            assert_equal_models(path.model(place), fit, rtol=1e-8)
    assert not all(fine)


def test_a_rare_column_is_left_to_single_fits_where_a_draw_lacks_it():
    """There it is constant, though not in all rows."""
    X, y = problem(8)
    X[:, 2] = 0.0
    X[:2, 2] = 1.0
    lacks = []
    for path, place, fit in members_and_fits(Ridge(), X, y):
        lacks.append(not path.fine[place])
        if path.fine[place]:
            assert_equal_models(path.model(place), fit)
    assert any(lacks)
    assert not all(lacks)


def test_one_column_and_single_precision():
    """One column will do; single precision gives single coefficients."""
    X, y = problem(9, p=1)
    for path, place, fit in members_and_fits(Ridge(), X.astype(np.float32), y):
        model = path.model(place)
        assert model.coef_.dtype == fit.coef_.dtype == np.float32
        np.testing.assert_allclose(model.coef_, fit.coef_, rtol=1e-4)


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_members_know_the_names_of_columns(output):
    """As fits do, also behind a scaler that makes frames, and under its own name."""
    X, y = problem(10)
    frame = pytest.importorskip("pandas").DataFrame(X, columns=list("abcd"))
    chain = Pipeline([("first", StandardScaler()), ("then", Ridge())])
    chain.set_output(transform=output)
    for estimator in (Ridge(), chain):
        for path, place, fit in members_and_fits(estimator, frame, y):
            model = path.model(place)
            assert list(model.feature_names_in_) == list("abcd")
            np.testing.assert_allclose(model.predict(frame), fit.predict(frame))
            if estimator is chain:
                assert hasattr(model[-1], "feature_names_in_") == (output == "pandas")


def test_a_draw_is_the_same_in_any_company():
    """Bits do not depend on how many draws are fitted."""
    X, y = problem(11)
    draws = Bootstrap().prepare(X, y, seed=0)
    every = {}
    for numbers in (range(70), range(3, 5), range(45, 60)):
        for group in fit_ensemble(Ridge(), X, y, draws, numbers):
            for place, number in enumerate(group.numbers):
                own = group.path.coef[place]
                np.testing.assert_array_equal(own, every.setdefault(number, own))
    assert len(every) == 70


def test_joined_and_mean():
    """Paths side by side, and one that answers for all of them."""
    X, y = problem(12)
    draws = Bootstrap().prepare(X, y, seed=0)
    paths = [
        group.path
        for group in fit_ensemble(REGRESSORS["scaled"], X, y, draws, range(60))
    ]
    assert len(paths) == 2
    whole = paths[0].joined(paths[1:])
    apart = np.concatenate([path.predict(X) for path in paths])
    np.testing.assert_allclose(whole.predict(X), apart, rtol=1e-12)
    np.testing.assert_allclose(whole.mean().predict(X)[0], apart.mean(axis=0))
    np.testing.assert_array_equal(
        whole.model(55).predict(X), paths[1].model(5).predict(X)
    )


@pytest.mark.parametrize(
    ("estimator", "change"),
    [
        (Ridge(positive=True), None),
        (Ridge(solver="sag"), None),
        (Ridge(alpha=np.array([1.0])), None),
        (RidgeClassifier(class_weight="balanced"), None),
        (make_pipeline(MinMaxScaler(), Ridge()), None),
        (make_pipeline(StandardScaler(), StandardScaler(), Ridge()), None),
        # Such a scaler counts rows, not their weights.
        (make_pipeline(StandardScaler(with_mean=False, with_std=False), Ridge()), None),
        (make_pipeline(StandardScaler(), Ridge(), memory="somewhere"), None),
        (type("OwnRidge", (Ridge,), {})(), None),
        (Ridge(), sparse.csr_array),
        (Ridge(), lambda X: np.where(X > 2, np.nan, X)),
        (LinearRegression(), lambda X: np.hstack([X] * 50)),
        (REGRESSORS["scaled"], lambda X: np.hstack([X] * 50)),
        (Ridge(), lambda X: X.astype(np.float16)),
    ],
)
def test_what_is_left_to_the_generic_engine(estimator, change):
    """Other solvers, steps, classes and containers."""
    X, y = problem(13)
    X = X if change is None else change(X)
    if isinstance(estimator, RidgeClassifier):
        y = (y > 0).astype(int)
    draws = Bootstrap(key="position").prepare(X, y, seed=0)
    classes = (np.unique(y),) if isinstance(estimator, RidgeClassifier) else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numbers too large for half
        assert fit_ensemble(estimator, X, y, draws, range(3), classes=classes) is None
