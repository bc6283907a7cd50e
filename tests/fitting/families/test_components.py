"""Numbers of components from one fit against a fit for each number."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting import find_family
from tests.fitting.families.against_refits import assert_equals_refits

SIZES = [3, 1, 5, 3]


def regression(seed=0, n=90, p=8, **settings):
    """Data with some structure in X."""
    return make_regression(n, p, noise=10, random_state=seed, **settings)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"svd_solver": "full", "whiten": True},
        {"svd_solver": "covariance_eigh"},
        {"svd_solver": "covariance_eigh", "whiten": True},
    ],
)
@pytest.mark.parametrize(
    "tail",
    [
        (Ridge(alpha=3.0),),
        (StandardScaler(), Ridge(solver="svd")),
        (LinearRegression(fit_intercept=False),),
    ],
)
def test_pca_equals_refits(settings, tail, seed):
    """Predictions behind each number of components, in any order."""
    X, y = regression(seed)
    model = make_pipeline(StandardScaler(), PCA(**settings), *tail)
    assert_equals_refits(model, "pca__n_components", SIZES, X, y, rtol=1e-9, atol=1e-9)


def test_pca_of_classifier_equals_refits():
    """Labels, probabilities and decisions; labels are text."""
    X, y = make_classification(90, 8, n_informative=5, n_classes=3, random_state=0)
    y = np.array(["a", "b", "c"])[y]
    model = make_pipeline(
        PCA(), LogisticRegression(solver="newton-cholesky", tol=1e-10)
    )
    assert_equals_refits(model, "pca__n_components", SIZES, X, y, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("case", ["offset", "constant", "single", "wide", "outputs"])
def test_pca_of_awkward_data_equals_refits(case):
    """Far from the origin, no variance, few rows, several outputs."""
    X, y = regression(n_targets=2 if case == "outputs" else 1)
    atol = 1e-8
    if case == "offset":
        X, atol = X + 1e6, 1e-4
    elif case == "constant":
        X[:, 2] = 7.0
    elif case == "wide":
        X, y = regression(n=12, p=20)
    elif case == "single":
        X, y = X[:9], y[:9]
    model = make_pipeline(PCA(svd_solver="full"), Ridge())
    assert_equals_refits(model, "pca__n_components", SIZES, X, y, rtol=1e-8, atol=atol)


def test_pca_of_single_precision_equals_refits():
    """Up to that precision."""
    X, y = regression()
    model = make_pipeline(PCA(), Ridge())
    X = X.astype(np.float32)
    assert_equals_refits(model, "pca__n_components", SIZES, X, y, rtol=1e-3, atol=1e-2)


def test_pca_of_frames_equals_refits():
    """Frames go in, and come out of the transformer where that is set."""
    pd = pytest.importorskip("pandas")
    X, y = regression()
    X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    for out in ("default", "pandas"):
        model = make_pipeline(StandardScaler(), PCA(), Ridge())
        model.set_output(transform=out)
        assert_equals_refits(
            model, "pca__n_components", SIZES, X, y, rtol=1e-9, atol=1e-9
        )


def test_pca_of_sparse_data_equals_refits():
    """The eigen solver takes sparse rows."""
    X, y = regression()
    X[np.abs(X) < 0.5] = 0
    model = make_pipeline(PCA(svd_solver="covariance_eigh"), Ridge())
    assert_equals_refits(
        model,
        "pca__n_components",
        SIZES,
        sparse.csr_matrix(X),
        y,
        rtol=1e-9,
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("settings", "values", "shape"),
    [
        ({"svd_solver": "randomized", "random_state": 0}, [1, 3], (90, 8)),
        ({"svd_solver": "arpack", "random_state": 0}, [1, 3], (90, 8)),
        ({"random_state": 0}, [1, 9], (900, 99)),
        ({}, [0.5, 0.9], (90, 8)),
        ({}, [1, None], (90, 8)),
        ({"svd_solver": "full"}, ["mle", 3], (90, 8)),
    ],
)
def test_pca_without_full_decomposition_is_refitted(settings, values, shape):
    """Approximate solvers and numbers that are none are left to refits."""
    X, y = regression(n=shape[0], p=shape[1])
    model = make_pipeline(PCA(**settings), Ridge())
    assert_equals_refits(model, "pca__n_components", values, X, y, served=False)


def test_pca_chooses_its_solver_as_a_refit_does():
    """Where every value is large, or rows are many, the solver is a full one."""
    for n, p, values in [(900, 99, [80, 99]), (780, 20, [2, 20])]:
        X, y = regression(n=n, p=p)
        model = make_pipeline(PCA(), Ridge())
        assert_equals_refits(
            model, "pca__n_components", values, X, y, rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_truncated_svd_equals_refits(container, seed):
    """To the precision of the solver, which converges."""
    X, y = regression(seed)
    X[np.abs(X) < 0.5] = 0
    model = make_pipeline(TruncatedSVD(algorithm="arpack", random_state=0), Ridge())
    assert_equals_refits(
        model,
        "truncatedsvd__n_components",
        SIZES,
        container(X),
        y,
        rtol=1e-8,
        atol=1e-8,
    )


def test_truncated_svd_that_approximates_is_refitted():
    """The randomized solver depends on the number of components."""
    X, y = regression()
    model = make_pipeline(TruncatedSVD(random_state=0), Ridge())
    assert_equals_refits(model, "truncatedsvd__n_components", SIZES, X, y, served=False)


@pytest.mark.parametrize("tail", [Ridge(alpha=2.0), LinearRegression()])
def test_pca_fits_a_ridge_behind_it_without_refits(tail):
    """The path of transformer and ridge together equals pipelines fitted one by one."""
    X, y = regression(n_targets=2)
    family = find_family(PCA(), "n_components")
    columns = family.fit_path(PCA(), X, y, None, SIZES)
    path = columns.fit_after(make_pipeline(tail), X, y, None)
    path = pickle.loads(pickle.dumps(path))
    for answer, size in zip(path.predict(X), SIZES, strict=True):
        model = make_pipeline(PCA(size), tail).fit(X, y)
        np.testing.assert_allclose(answer, model.predict(X), rtol=1e-9)


def test_pca_leaves_other_tails_to_refits():
    """Further steps, other models, penalties for each output, collinear columns."""
    X, y = regression()
    family = find_family(PCA(), "n_components")
    for tail in (
        (StandardScaler(), Ridge()),
        (Ridge(positive=True),),
        (Ridge(solver="sag"),),
        (Ridge(alpha=np.array([1.0])),),
        (LogisticRegression(),),
    ):
        columns = family.fit_path(PCA(), X, y, None, SIZES)
        assert columns.fit_after(make_pipeline(*tail), X, y, None) is None
    X[:, 1] = X[:, 0]
    columns = family.fit_path(PCA(), X, y, None, [8])
    assert columns.fit_after(make_pipeline(LinearRegression()), X, y, None) is None


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_pls_equals_refits(n_outputs, scale, seed):
    """Predictions with each number of components."""
    X, y = regression(seed, n_targets=n_outputs)
    assert_equals_refits(PLSRegression(scale=scale), "n_components", SIZES, X, y)
    model = make_pipeline(StandardScaler(), PLSRegression(scale=scale))
    assert_equals_refits(model, "plsregression__n_components", SIZES, X, y)


@pytest.mark.parametrize(
    "case", ["offset", "constant", "wide", "column", "column y", "single precision"]
)
def test_pls_of_awkward_data_equals_refits(case):
    """Far from the origin, no variance, p > n, one column."""
    X, y = regression()
    values, rtol, atol = SIZES, 1e-9, 1e-9
    if case == "offset":
        X, atol = X + 1e6, 1e-6
    elif case == "constant":
        X[:, 2] = 7.0
    elif case == "wide":
        X, y = regression(n=15, p=40)
    elif case == "column":
        X, values = X[:, :1], [1, 1]
    elif case == "column y":
        y = y[:, None]
    else:
        X, rtol, atol = X.astype(np.float32), 1e-3, 1e-2
    assert_equals_refits(
        PLSRegression(), "n_components", values, X, y, rtol=rtol, atol=atol
    )


@pytest.mark.filterwarnings("ignore:y residual is constant")
def test_pls_beyond_the_rank_equals_refits():
    """Components of what is left when X is used up leave the others as they are."""
    X, y = regression(p=4)
    X = np.hstack([X, X])
    y = X[:, 0] * 2
    assert_equals_refits(
        PLSRegression(), "n_components", [1, 4, 8], X, y, rtol=1e-6, atol=1e-6
    )


def test_pls_of_frames_equals_refits():
    """Column names do no harm."""
    pd = pytest.importorskip("pandas")
    X, y = regression()
    X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    assert_equals_refits(PLSRegression(), "n_components", SIZES, X, y)


def test_values_are_sane():
    """Whole numbers, increasing, possible in half of the rows; more fit better."""
    for n, p in [(90, 8), (10, 40), (3, 1)]:
        X, y = regression(n=n, p=p, n_informative=1)
        for model in (PCA(), TruncatedSVD(), PLSRegression()):
            family = find_family(model, "n_components")
            values = family.default_values(model, X, y, None)
            assert values[0] == 1
            assert values[-1] <= min(p, max(1, n // 2))
            assert (np.diff(values) > 0).all()
    X, y = regression()
    family = find_family(PLSRegression(), "n_components")
    assert family.stronger == "smaller"
    answers = family.fit_path(PLSRegression(), X, y, None, [1, 2, 4]).predict(X)
    losses = ((answers - y) ** 2).mean(axis=1)
    assert (np.diff(losses) <= 0).all()
