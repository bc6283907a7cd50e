"""Kernel ridge regression for all penalties at once against a fit for each."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import KFold, LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import Folds
from genestimators.fitting import find_family, read_over
from genestimators.fitting._composites import find_shared, make_path
from tests.fitting.families.against_refits import (
    TrainingErrors,
    assert_equals_refits,
)

ALPHAS = [1.0, 1e-2, 30.0, 1.0]
FAMILY = find_family(KernelRidge(), "alpha")


def regression(seed, n=50, p=3, n_targets=1):
    """A curved target with noise; some rows come twice."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[-5:] = X[:5]
    y = np.sin(2 * X[:, :1]) + X[:, -1:] + 0.3 * rng.normal(size=(n, n_targets))
    return X, y[:, 0] if n_targets == 1 else y


def assert_kernel_ridge(estimator, X, y, values=ALPHAS, *, param="alpha", **how):
    """Equal to refits up to rounding relative to the spread of the target."""
    how = {"rtol": 1e-10, "atol": 1e-10 * np.std(y), **how}
    assert_equals_refits(estimator, param, values, X, y, **how)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"kernel": "rbf", "gamma": 0.5},
        {"kernel": "polynomial", "degree": 2, "coef0": 0.5},
        {"kernel": "laplacian"},
        {"kernel": rbf_kernel, "kernel_params": {"gamma": 0.3}},
    ],
)
def test_kernel_ridge_equals_refits(seed, settings):
    """Alone, where folds share the kernel, and behind a scaler; with weights too."""
    if callable(settings.get("kernel")):
        settings = {**settings, "kernel": row_kernel}
    X, y = regression(seed)
    weight = np.random.default_rng(seed).integers(0, 4, len(y)).astype(float)
    ridge = KernelRidge(**settings)
    chain = make_pipeline(StandardScaler(), ridge)
    for rows in (None, weight):
        assert_kernel_ridge(ridge, X, y, sample_weight=rows)
        assert_kernel_ridge(chain, X, y, param="kernelridge__alpha", sample_weight=rows)


def row_kernel(a, b, gamma):
    """A kernel of two rows, written by a user."""
    return np.exp(-gamma * np.sum((a - b) ** 2))


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("cv", [KFold(4), LeaveOneOut()])
def test_kernel_ridge_over_other_folds_equals_refits(n_targets, cv):
    """Single rows left out, with several targets and uneven weights."""
    X, y = regression(2, 24, n_targets=n_targets)
    ridge = KernelRidge(kernel="rbf")
    weight = np.random.default_rng(0).gamma(0.5, size=24) * 10 + 0.01
    assert_kernel_ridge(ridge, X, y, cv=cv)
    # A weight of 0.01 among tens costs the refits digits.
    assert_kernel_ridge(ridge, X, y, cv=cv, sample_weight=weight, atol=1e-8)
    assert_kernel_ridge(ridge, X, y.reshape(24, -1)[:, :1], cv=cv)


def test_kernel_ridge_of_many_rows_equals_refits():
    """Beyond the size from which the kernel matrix is brought to tridiagonal form."""
    X, y = regression(3, 240, n_targets=2)
    assert_kernel_ridge(KernelRidge(kernel="rbf", gamma=0.5), X, y)


def test_kernel_ridge_of_small_penalties():
    """Values with which a system loses its digits are fitted by themselves."""
    X, y = regression(4)
    ridge = KernelRidge(kernel="linear")
    with pytest.warns(Warning, match=r"[Ss]ingular|ill-conditioned"):
        assert_kernel_ridge(ridge, X, y, [1.0, 1e-16, 0.0], atol=1e-6)
    X = np.unique(X, axis=0)
    laplacian = KernelRidge(kernel="laplacian")
    assert_kernel_ridge(laplacian, X, y[: len(X)], [1.0, 0.0, 1e-9])
    assert_kernel_ridge(laplacian, X, y[: len(X)], [1.0, 0.0], cv=LeaveOneOut())


def test_kernel_ridge_of_other_containers_equals_refits():
    """Frames, nested lists, sparse rows; single precision but for its rounding."""
    pandas = pytest.importorskip("pandas")
    X, y = regression(5)
    X = np.round(X, 1)
    ridge = KernelRidge(kernel="rbf")
    for rows in (pandas.DataFrame(X), X.tolist(), sparse.csr_matrix(X)):
        assert_kernel_ridge(ridge, rows, y)
    assert_kernel_ridge(ridge, X.astype(np.float32), y, atol=1e-4)


def test_kernels_that_are_not_served():
    """A kernel matrix in the place of rows, an unknown kernel, penalties by target."""
    X, y = regression(6, n_targets=2)
    for settings in ({"kernel": "precomputed"}, {"kernel": "none such"}):
        assert FAMILY.unsupported(KernelRidge(**settings), X, y, None, ALPHAS)
    values = [np.array([1.0, 2.0])]
    assert_kernel_ridge(KernelRidge(), X, y, values, served=False)


@pytest.mark.parametrize("weighted", [True, False])
def test_training_errors_are_known(weighted):
    """Mean squared errors on the training rows, also of the fits without a row."""
    X, y = regression(7, n_targets=2)
    weight = np.random.default_rng(0).gamma(1.0, size=len(y)) if weighted else None
    chain = make_pipeline(StandardScaler(), KernelRidge(kernel="rbf"))
    for cv in (KFold(3), LeaveOneOut()):
        draws = Folds(cv).prepare(X, y, weight)
        for estimator, param in (
            (KernelRidge(kernel="rbf"), "alpha"),
            (chain, "kernelridge__alpha"),
        ):
            stream = read_over(
                estimator,
                X,
                y,
                draws,
                range(3),
                reading=TrainingErrors(),
                param=param,
                values=ALPHAS,
            )
            for *_, (known, computed) in stream:
                np.testing.assert_allclose(known, computed, rtol=1e-9)


def test_models_of_a_path_are_fitted_estimators():
    """A value's model has what its refit has, and predicts alike."""
    pandas = pytest.importorskip("pandas")
    X, y = regression(8)
    X = pandas.DataFrame(X, columns=list("abc"))
    for target in (y, y[:, None]):
        path = make_path(KernelRidge(kernel="rbf"), "alpha", ALPHAS, X, target, None)
        for i, alpha in enumerate(ALPHAS):
            own = pickle.loads(pickle.dumps(path)).model(i)
            refit = KernelRidge(kernel="rbf", alpha=alpha).fit(X, target)
            assert set(vars(refit)) == set(vars(own))
            assert own.dual_coef_.shape == refit.dual_coef_.shape
            assert own.feature_names_in_.tolist() == list("abc")
            np.testing.assert_allclose(own.predict(X), refit.predict(X), atol=1e-10)
            assert clone(own).alpha == alpha


def test_shared_folds_travel_and_answer_any_rows():
    """Pickled, they give the same paths; their values can be had in parts."""
    X, y = regression(9, 24)
    ridge = KernelRidge(kernel="rbf")
    for cv in (KFold(3), LeaveOneOut()):
        draws = Folds(cv).prepare(X, y)
        shared = find_shared(ridge, "alpha", ALPHAS, X, y, draws)
        shared = pickle.loads(pickle.dumps(shared))
        for number in (0, 2):
            rows = draws[number].rows
            path = shared.fit_path(number, draws[number])
            own = make_path(ridge, "alpha", ALPHAS, X[rows], y[rows], None)
            for asked in (X[draws[number].out_of_bag], X[rows], X, X[:1] + 1):
                expected = own.predict(asked)
                np.testing.assert_allclose(path.predict(asked), expected, atol=1e-10)
                parts = [part.predict(asked) for part in path.parts(2**22)]
                assert len(parts) == 2
                np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-10)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "precomputed"])
def test_default_values_span_the_shrinkage(kernel):
    """From next to none to nearly complete."""
    X, y = regression(10, 40)
    values = FAMILY.default_values(KernelRidge(kernel="rbf"), X, y, np.ones(40))
    spread = np.std(
        [KernelRidge(alpha=a, kernel="rbf").fit(X, y).predict(X) for a in values],
        axis=1,
    )
    assert spread[0] > 0.9 * y.std()
    assert spread[-1] < 0.1 * y.std()
    rows = rbf_kernel(X) if kernel == "precomputed" else X
    values = FAMILY.default_values(KernelRidge(kernel=kernel), rows, y, None)
    assert (np.diff(values) > 0).all()
    assert values[0] > 0


def test_a_stronger_penalty_has_no_lower_training_loss():
    """Larger values of alpha penalise more."""
    X, y = regression(11)
    values = np.geomspace(1e-3, 1e5, 20)
    path = make_path(KernelRidge(kernel="rbf"), "alpha", values, X, y, None)
    assert (np.diff(path.training_squared_error()[:, 0]) >= 0).all()
    assert FAMILY.stronger == "larger"
