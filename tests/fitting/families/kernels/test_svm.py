"""Support vector machines on one kernel matrix against a fit for each penalty."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from genestimators.fitting import find_family
from tests.fitting.families.against_refits import assert_equals_refits

PENALTIES = [1.0, 0.01, 30, 1.0]
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
KERNELS = [
    {},
    {"kernel": "rbf", "gamma": "auto"},
    {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": 0.1},
    {"kernel": "sigmoid", "gamma": 0.05},
]


def classes(seed=0, n=90, p=5, k=3):
    """Data of k classes, whose labels are text."""
    X, y = make_classification(
        n, p, n_informative=p - 1, n_redundant=0, n_classes=k, random_state=seed
    )
    return X, np.array(["a", "b", "c"])[y]


def regression(seed=0, n=90, p=5):
    """Standardised data."""
    X, y = make_regression(n, p, noise=10, random_state=seed)
    return X, y / y.std()


def uneven(n):
    """Weights over four orders of magnitude."""
    return 10.0 ** np.random.default_rng(0).uniform(-2, 2, n)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("settings", KERNELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_regressor_equals_refits(weighted, settings, seed):
    """Predictions at each penalty, with and without weights."""
    X, y = regression(seed)
    weight = uneven(len(y)) if weighted else None
    assert_equals_refits(
        SVR(tol=1e-8, **settings),
        "C",
        PENALTIES,
        X,
        y,
        sample_weight=weight,
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("settings", KERNELS)
@pytest.mark.parametrize(("k", "seed"), [(2, 0), (3, 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_equals_refits(weighted, k, seed, settings):
    """Labels and decisions at each penalty."""
    X, y = classes(seed, k=k)
    assert_equals_refits(
        SVC(tol=1e-8, **settings),
        "C",
        PENALTIES,
        X,
        y,
        sample_weight=uneven(len(y)) if weighted else None,
        rtol=1e-6,
        atol=1e-6,
        cv=FOLDS,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"class_weight": "balanced"},
        {"break_ties": True},
        {"shrinking": False},
    ],
)
def test_classifier_with_settings_equals_refits(settings):
    """Weights of classes and ways to decide, behind a scaler."""
    X, y = classes()
    model = make_pipeline(StandardScaler(), SVC(tol=1e-8, **settings))
    assert_equals_refits(
        model, "svc__C", PENALTIES, X, y, rtol=1e-6, atol=1e-6, cv=FOLDS
    )


@pytest.mark.parametrize(
    "case",
    ["constant", "all constant", "offset", "column", "wide", "ties", "frame", "single"],
)
def test_awkward_data_equal_refits(case):
    """No variance, far from the origin, p > n, equal rows, other containers."""
    X, y = regression()
    atol = 1e-6
    if case == "constant":
        X[:, 2] = 7.0
    elif case == "all constant":
        X[:] = 2.0
    elif case == "offset":
        X, atol = X + 1e3, 1e-4
    elif case == "column":
        X = X[:, :1]
    elif case == "wide":
        X, y = regression(n=20, p=40)
    elif case == "ties":
        X = X.round()
    elif case == "frame":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    else:
        X = X.astype(np.float32)
    assert_equals_refits(SVR(tol=1e-8), "C", PENALTIES, X, y, rtol=1e-6, atol=atol)


@pytest.mark.parametrize(
    ("model", "container"),
    [
        (SVR(), sparse.csr_matrix),
        (SVR(kernel="linear"), np.asarray),
        (SVR(kernel=lambda X, Z: X @ Z.T), np.asarray),
    ],
)
def test_other_machines_are_refitted(model, container):
    """Sparse rows, linear kernels, kernels of one's own."""
    X, y = regression()
    assert_equals_refits(model, "C", PENALTIES, container(X), y, rtol=0, served=False)


def test_large_data_and_probabilities_are_not_served(monkeypatch):
    """A large kernel matrix, and folds inside a fit."""
    X, y = classes()
    family = find_family(SVC(), "C")
    assert family.unsupported(SVC(), X, y, None, PENALTIES) is None
    assert "folds" in family.unsupported(SVC(probability=True), X, y, None, PENALTIES)
    monkeypatch.setattr("genestimators.fitting.families.kernels._svm.MOST_ROWS", 50)
    assert "50 rows" in family.unsupported(SVC(), X, y, None, PENALTIES)


def test_rows_are_answered_in_parts(monkeypatch):
    """Kernel values of a few rows at a time give the same answers."""
    X, y = classes()
    path = find_family(SVC(), "C").fit_path(SVC(), X, y, None, PENALTIES)
    path = pickle.loads(pickle.dumps(path))
    whole = path.decision_function(X)
    monkeypatch.setattr(
        "genestimators.fitting.families.kernels._svm.MOST_ENTRIES", 7 * 90
    )
    np.testing.assert_allclose(path.decision_function(X), whole, rtol=1e-9)
    assert not hasattr(path, "predict_proba")


def test_values_are_sane():
    """Positive, increasing; a stronger penalty fits the training rows no better."""
    X, y = regression()
    for model in (SVR(), SVC(), LinearSVC(), LinearSVR()):
        family = find_family(model, "C")
        values = family.default_values(model, X, y, None)
        assert (values > 0).all()
        assert (np.diff(values) > 0).all()
        assert family.stronger == "smaller"
        assert family.preferred
    path = find_family(SVR(), "C").fit_path(SVR(), X, y, None, [0.01, 1, 100])
    losses = ((path.predict(X) - y) ** 2).mean(axis=1)
    assert (np.diff(losses) <= 0).all()
