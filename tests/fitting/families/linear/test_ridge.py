"""Ridge regression for all penalties at once against a fit for each of them."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from genestimators.fitting import find_family
from genestimators.fitting._composites import make_path
from genestimators.fitting.families.linear import _ridge_solutions
from tests.fitting.families.against_refits import (
    assert_equals_refits,
    assert_refuses_as_a_fit_does,
)
from tests.fitting.families.linear.linear_data import regression, scaled, uneven

ALPHAS = [1.0, 1e-3, 30.0, 1.0, 1e4]
FAMILY = find_family(Ridge(), "alpha")


def assert_ridge(estimator, X, y, values=ALPHAS, *, param="alpha", digits=10, **how):
    """Equal to refits up to rounding relative to the spread of the target."""
    spread = np.std(y, axis=0).max() if np.asarray(y).dtype.kind in "fiu" else 1.0
    assert_equals_refits(
        estimator,
        param,
        values,
        X,
        y,
        rtol=10.0**-digits,
        atol=10.0**-digits * spread,
        **how,
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("shape", [(60, 5), (30, 1), (30, 50), (200, 150)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_equals_refits(seed, shape, fit_intercept):
    """Alone, with more rows than columns and with fewer, also few and one column."""
    X, y = regression(seed, *shape)
    assert_ridge(Ridge(fit_intercept=fit_intercept), X, y)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_behind_a_scaler_equals_refits(seed, with_mean, with_std, fit_intercept):
    """Scaling is done to moments, whatever the scaler and the intercept."""
    X, y = regression(seed)
    chain, param = scaled(
        Ridge(fit_intercept=fit_intercept), with_mean=with_mean, with_std=with_std
    )
    weight = uneven(seed, len(y))
    assert_ridge(chain, X, y, param=param)
    assert_ridge(chain, X, y, param=param, sample_weight=weight, digits=9)


@pytest.mark.parametrize(
    "steps",
    [
        [StandardScaler(with_mean=False), StandardScaler()],
        [StandardScaler(), StandardScaler(with_std=False)],
        [make_pipeline(StandardScaler(with_std=False)), "passthrough"],
        [PolynomialFeatures(2, include_bias=False), StandardScaler()],
    ],
)
def test_ridge_behind_several_steps_equals_refits(steps):
    """Scalers after each other are one; other steps are fitted for every fold."""
    X, y = regression(3)
    chain = make_pipeline(*steps, Ridge())
    assert_ridge(chain, X, y, param="ridge__alpha")


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("p", [4, 70])
@pytest.mark.parametrize("kind", ["whole", "uneven"])
def test_ridge_with_weights_equals_refits(seed, p, kind):
    """Weights that are counts, and weights of very different size."""
    X, y = regression(seed, 50, p)
    rng = np.random.default_rng(seed)
    weight = rng.integers(0, 4, 50).astype(float)
    if kind == "uneven":
        weight = uneven(seed, 50)
    for fit_intercept in (True, False):
        ridge = Ridge(fit_intercept=fit_intercept)
        assert_ridge(ridge, X, y, sample_weight=weight, digits=9)


@pytest.mark.parametrize("shape", [(60, 5), (30, 50)])
def test_ridge_with_several_targets_equals_refits(shape):
    """Several targets, and one target in two dimensions."""
    X, y = regression(0, *shape, n_targets=3)
    assert_ridge(Ridge(), X, y)
    assert_ridge(Ridge(), X, y[:, :1])
    chain, param = scaled(Ridge())
    assert_ridge(chain, X, y, param=param)


def test_ridge_with_a_penalty_of_zero_equals_refits():
    """Also where columns depend on each other: such values are fitted by themselves."""
    X, y = regression(8, 60, 4)
    assert_ridge(Ridge(), X, y, [0.0, 1.0])
    chain, param = scaled(Ridge())
    assert_ridge(chain, X, y, [0.0, 1.0], param=param)
    twice = np.column_stack([X, X[:, 0]])
    for solver in ("auto", "svd"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ill-conditioned
            assert_ridge(Ridge(solver=solver), twice, y, [1.0, 0.0, 1e-14])


def test_ridge_of_other_containers_equals_refits():
    """Frames, nested lists, integers, columns in Fortran order; tied rows."""
    pandas = pytest.importorskip("pandas")
    X, y = regression(9)
    X = np.round(X)
    chain, param = scaled(Ridge())
    frame = pandas.DataFrame(X, columns=list("abcde"))
    for rows in (frame, X.astype(int), np.asfortranarray(X), X.tolist()):
        assert_ridge(Ridge(), rows, y)
        assert_ridge(chain, rows, y, param=param)


def test_ridge_of_single_precision_is_near_refits():
    """Computed in double precision, the path differs by the rounding of the refits."""
    X, y = regression(10)
    chain, param = scaled(Ridge())
    for dtype in (np.float32, np.float16):
        part = X.astype(dtype)
        assert_ridge(Ridge(), part, y, digits=4 if dtype == np.float32 else 9)
    assert_ridge(chain, X.astype(np.float32), y, param=param, digits=4)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"b": 3.0}])
def test_ridge_classifier_equals_refits(seed, n_classes, class_weight):
    """Labels and decisions, labels of text, with class weights and weights of rows."""
    X, y = make_classification(
        80, 6, n_informative=5, n_redundant=0, n_classes=n_classes, random_state=seed
    )
    labels = np.array(["b", "a", "cc"])[y]
    ridge = RidgeClassifier(class_weight=class_weight)
    chain, param = scaled(ridge)
    weight = np.random.default_rng(seed).integers(0, 4, 80)
    for rows in (None, weight.astype(float)):
        assert_ridge(ridge, X, labels, sample_weight=rows)
        assert_ridge(chain, X, labels, param=param, sample_weight=rows)


@pytest.mark.parametrize("class_weight", ["balanced", {"b": 3.0}])
def test_ridge_classifier_with_class_weights_leaves_single_rows_out(class_weight):
    """Balanced weights differ from fold to fold."""
    X, y = make_classification(24, 4, random_state=0)
    labels = np.array(["b", "a"])[y]
    ridge = RidgeClassifier(class_weight=class_weight)
    assert_ridge(ridge, X, labels, [1.0, 1e-3], cv=LeaveOneOut())


@pytest.mark.parametrize(
    ("estimator", "values"),
    [
        (Ridge(solver="sparse_cg", tol=1e-12), [1.0]),
        (Ridge(solver="lsqr", tol=1e-12), [1.0]),
        (Ridge(positive=True), [1.0]),
    ],
)
def test_settings_that_are_not_served(estimator, values):
    """Iterative solvers and bounds are left to the generic engine."""
    X, y = regression(12)
    assert_ridge(estimator, X, y, values, served=False)


def test_data_that_are_not_served():
    """Sparse rows, a penalty for each target, two columns of labels."""
    X, y = regression(12, n_targets=2)
    assert_ridge(Ridge(), sparse.csr_matrix(X), y[:, 0], [1.0], served=False)
    assert_ridge(Ridge(), X, y, [np.array([1.0, 2.0])], served=False)
    labels = (y > 0).astype(int)
    family = find_family(RidgeClassifier(), "alpha")
    assert family.unsupported(RidgeClassifier(), X, labels, None, [1.0]) is not None
    assert family.unsupported(RidgeClassifier(), X, labels[:1, 0], None, [1.0])
    assert FAMILY.unsupported(Ridge(), X, y, None, [-1.0]) is not None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_errors_are_those_of_the_estimator(bad):
    """Bad cells are refused in the estimator's own words, shared folds or not."""
    X, y = regression(13)
    X[-1, 1] = bad
    chain, param = scaled(Ridge())
    for estimator, name in ((Ridge(), "alpha"), (chain, param)):
        assert_refuses_as_a_fit_does(estimator, name, X, y, match="Input X contains")


@pytest.mark.parametrize("estimator", [Ridge(), RidgeClassifier()])
@pytest.mark.parametrize("p", [4, 60])
def test_models_of_a_path_predict_like_refits(estimator, p):
    """A value's model is a fitted estimator like the refit in all it holds."""
    pandas = pytest.importorskip("pandas")
    X, y = regression(15, 50, p)
    if isinstance(estimator, RidgeClassifier):
        y = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    X = pandas.DataFrame(X, columns=[f"c{j}" for j in range(p)])
    for target in (y, y[:, None] if y.dtype.kind == "f" else np.minimum(y, 1)):
        path = make_path(estimator, "alpha", ALPHAS, X, target, None)
        path = pickle.loads(pickle.dumps(path))
        for i, alpha in enumerate(ALPHAS):
            own = path.model(i)
            refit = clone(estimator).set_params(alpha=alpha).fit(X, target)
            assert own.alpha == alpha
            assert own.n_features_in_ == p
            assert own.feature_names_in_.tolist() == X.columns.tolist()
            for name in ("coef_", "intercept_"):
                expected = getattr(refit, name)
                assert np.shape(getattr(own, name)) == np.shape(expected)
                np.testing.assert_allclose(getattr(own, name), expected, atol=1e-9)
            np.testing.assert_allclose(own.predict(X), refit.predict(X), atol=1e-9)
            assert set(vars(refit)) == set(vars(own))


def test_parts_are_the_path():
    """Parts of few values answer as the whole path does."""
    X, y = regression(16)
    path = make_path(Ridge(), "alpha", ALPHAS, X, y, None)
    parts = list(path.parts(2**22))
    assert [part.n_values for part in parts] == [2, 2, 1]
    joined = np.concatenate([part.predict(X) for part in parts])
    np.testing.assert_allclose(joined, path.predict(X), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("shape", [(200, 4), (30, 80)])
def test_default_values_span_the_shrinkage(size, shape):
    """From next to none to nearly complete, whatever the units of X."""
    X, y = regression(17, *shape)
    values = FAMILY.default_values(Ridge(), X * size, y, None)
    assert (np.diff(values) > 0).all()
    assert values[0] > 0
    path = make_path(Ridge(), "alpha", values, X * size, y, None)
    # Judged where the target follows the direction that is shrunk first and last.
    spread = path.predict(X * size).std(axis=1) / y.std()
    assert spread[0] > 0.9
    assert spread[-1] < 0.1
    family = find_family(RidgeClassifier(), "alpha")
    labels = y > np.median(y)
    classifier = RidgeClassifier(class_weight="balanced")
    more = family.default_values(classifier, X * size, labels, np.ones(len(y)))
    np.testing.assert_allclose(more, values)


def test_default_values_of_many_or_sparse_or_constant_rows(monkeypatch):
    """Rows are thinned, sparse rows stay sparse, and constant ones give a range."""
    monkeypatch.setattr(_ridge_solutions, "_MOST", 100)
    X, y = make_regression(300, 110, random_state=0)
    for rows in (X, sparse.csr_matrix(X), np.ones((10, 2))):
        values = FAMILY.default_values(Ridge(), rows, y[: rows.shape[0]], None)
        assert (np.diff(values) > 0).all()
        assert values[0] > 0


@pytest.mark.parametrize("estimator", [Ridge(), RidgeClassifier()])
def test_a_stronger_penalty_has_no_lower_training_loss(estimator):
    """Larger values of alpha penalise more."""
    X, y = regression(18)
    target = y
    if isinstance(estimator, RidgeClassifier):
        target = np.where(y > np.median(y), 1, -1)
    values = np.geomspace(1e-3, 1e5, 20)
    path = make_path(estimator, "alpha", values, X, target, None)
    answer = path.outputs(X)[:, 0]
    losses = ((answer - target) ** 2).mean(axis=1)
    assert (np.diff(losses) >= 0).all()
    assert find_family(estimator, "alpha").stronger == "larger"
