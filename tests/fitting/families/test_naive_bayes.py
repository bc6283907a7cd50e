"""Naive Bayes at all amounts of smoothing against a fit for each."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import (
    BernoulliNB,
    CategoricalNB,
    ComplementNB,
    GaussianNB,
    MultinomialNB,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from genestimators.fitting import find_family
from tests.fitting.families.against_refits import assert_equals_refits

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
ADDED = [1e-3, 1e-9, 0.5, 1e-3]
COUNTED = [1.0, 1e-3, 30, 1.0]


def classes(seed=0, n=120, p=6, k=3):
    """Data of k classes, whose labels are text."""
    X, y = make_classification(
        n, p, n_informative=p - 1, n_redundant=0, n_classes=k, random_state=seed
    )
    return X, np.array(["a", "b", "c", "d"])[y]


def counted(seed=0, k=3, p=6):
    """Counts, many of them zero."""
    X, y = classes(seed, k=k, p=p)
    return np.maximum(np.rint(2 * X), 0), y


def uneven(n):
    """Weights over six orders of magnitude."""
    return 10.0 ** np.random.default_rng(0).uniform(-3, 3, n)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("weights", [None, "whole", "uneven"])
def test_gaussian_equals_refits(weights, k, seed):
    """Labels and probabilities, with and without weights, also unsmoothed."""
    X, y = classes(seed, k=k)
    weight = None if weights is None else uneven(len(y))
    weight = np.ceil(weight) if weights == "whole" else weight
    for values in (ADDED, [*ADDED, 0.0]):
        assert_equals_refits(
            GaussianNB(),
            "var_smoothing",
            values,
            X,
            y,
            sample_weight=weight,
            rtol=1e-9,
            cv=FOLDS,
        )
    model = make_pipeline(StandardScaler(), GaussianNB())
    assert_equals_refits(
        model, "gaussiannb__var_smoothing", ADDED, X, y, rtol=1e-9, cv=FOLDS
    )


@pytest.mark.parametrize(
    "case", ["constant", "offset", "column", "priors", "single precision", "frame"]
)
def test_gaussian_of_awkward_data_equals_refits(case):
    """Columns without variance, far from the origin, one column."""
    X, y = classes()
    model, rtol, atol = GaussianNB(), 1e-8, 1e-12
    if case == "constant":
        X[:, 2] = 7.0
    elif case == "offset":
        X = X + 1e6
    elif case == "column":
        X = X[:, :1]
    elif case == "priors":
        model = GaussianNB(priors=[0.5, 0.4, 0.1])
    elif case == "frame":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    else:
        X, rtol, atol = X.astype(np.float32), 1e-2, 1e-3
    assert_equals_refits(
        model, "var_smoothing", ADDED, X, y, rtol=rtol, atol=atol, cv=FOLDS
    )


@pytest.mark.parametrize(("k", "seed"), [(2, 0), (3, 1)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(
    "model",
    [
        MultinomialNB(),
        MultinomialNB(fit_prior=False),
        BernoulliNB(),
        BernoulliNB(binarize=1.0),
        ComplementNB(),
        ComplementNB(norm=True),
    ],
)
def test_counts_equal_refits(model, container, weighted, k, seed):
    """Labels and probabilities from dense and sparse counts."""
    X, y = counted(seed, k=k)
    assert_equals_refits(
        model,
        "alpha",
        COUNTED,
        container(X),
        y,
        sample_weight=uneven(len(y)) if weighted else None,
        rtol=1e-9,
        cv=FOLDS,
    )


@pytest.mark.parametrize("case", ["zeros", "column", "single precision", "wide"])
@pytest.mark.parametrize("model", [MultinomialNB(), BernoulliNB(), ComplementNB()])
def test_counts_of_awkward_data_equal_refits(model, case):
    """A column of zeros, one column, p > n, behind a scaler."""
    X, y = counted()
    if case == "zeros":
        X[:, 1] = 0
    elif case == "column":
        X = X[:, :1]
    elif case == "wide":
        X, y = counted(p=60)
        X, y = X[:40], y[:40]
    else:
        X = X.astype(np.float32)
    values = COUNTED if case != "column" or type(model) is BernoulliNB else [1.0, 2.0]
    name = f"{type(model).__name__.lower()}__alpha"
    assert_equals_refits(model, "alpha", values, X, y, rtol=1e-9, cv=FOLDS)
    assert_equals_refits(
        make_pipeline(MinMaxScaler(clip=True), model),
        name,
        values,
        X,
        y,
        rtol=1e-4 if case == "single precision" else 1e-9,
        cv=FOLDS,
    )


@pytest.mark.filterwarnings("ignore:alpha too small")
@pytest.mark.parametrize(
    ("model", "param", "values"),
    [
        (MultinomialNB(force_alpha=False), "alpha", [1e-12, 1.0]),
        (ComplementNB(), "alpha", [np.ones(6), 2 * np.ones(6)]),
        (CategoricalNB(min_categories=20), "alpha", [0.1, 1.0]),
    ],
)
def test_other_values_are_refitted(model, param, values):
    """Hardly any smoothing, smoothing by column, categories."""
    X, y = counted()
    assert_equals_refits(model, param, values, X, y, rtol=0, served=False, cv=FOLDS)


@pytest.mark.parametrize(
    ("model", "param", "values"),
    [
        (GaussianNB(), "var_smoothing", ADDED),
        (MultinomialNB(), "alpha", COUNTED),
        (BernoulliNB(), "alpha", COUNTED),
        (ComplementNB(), "alpha", COUNTED),
    ],
)
def test_models_predict_as_refits_do(model, param, values):
    """The estimator at a value is fitted."""
    X, y = counted()
    path = find_family(model, param).fit_path(model, X, y, None, values)
    for i, value in enumerate(values):
        refit = type(model)(**{param: value}).fit(X, y)
        assert path.model(i).get_params() == refit.get_params()
        np.testing.assert_allclose(
            path.model(i).predict_proba(X), refit.predict_proba(X), rtol=1e-8
        )


def test_values_are_sane():
    """Positive and increasing; a stronger one is less sure of its answers."""
    X, y = counted()
    for model, param in (
        (GaussianNB(), "var_smoothing"),
        (MultinomialNB(), "alpha"),
        (BernoulliNB(), "alpha"),
        (ComplementNB(), "alpha"),
        (CategoricalNB(), "alpha"),
    ):
        family = find_family(model, param)
        values = family.default_values(model, X, y, None)
        assert (values > 0).all()
        assert (np.diff(values) > 0).all()
        assert family.stronger == "larger"
        if family.fits_paths:
            path = family.fit_path(model, X, y, None, [values[0], values[-1]])
            weak, strong = path.predict_proba(X).max(axis=2).mean(axis=1)
            assert strong < weak
