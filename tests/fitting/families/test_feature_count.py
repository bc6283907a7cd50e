"""Numbers of columns from one ranking against a fit for each number."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.feature_selection import (
    RFE,
    SelectKBest,
    SelectPercentile,
    chi2,
    f_regression,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from genestimators.fitting import find_family
from tests.fitting.families.against_refits import assert_equals_refits

COUNTS = [3, 1, 8, 3]


def regression(seed=0, n=90, p=8, **settings):
    """Data with informative and other columns."""
    return make_regression(
        n, p, n_informative=4, noise=10, random_state=seed, **settings
    )


def tied(X):
    """X with columns that score the same."""
    return np.hstack([X[:, :3], X[:, :3], np.ones((len(X), 1)), X[:, 3:4]])


@pytest.mark.filterwarnings("ignore:Features .* are constant")
@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("change", [np.asarray, tied, lambda X: X.astype(np.float32)])
@pytest.mark.parametrize(
    ("selector", "param", "values"),
    [
        (SelectKBest(f_regression), "selectkbest__k", [*COUNTS, "all"]),
        (
            SelectPercentile(f_regression),
            "selectpercentile__percentile",
            [40, 12.5, 100, 60],
        ),
        (RFE(LinearRegression()), "rfe__n_features_to_select", COUNTS),
    ],
)
def test_selection_equals_refits(selector, param, values, change, seed):
    """Predictions behind each selection, with ties and a constant column.

    Ridge regressions of all selections come from one factor, which rounds otherwise;
    behind neighbours the selections alone are compared, to the bit.
    """
    X, y = regression(seed)
    model = make_pipeline(StandardScaler(), selector, Ridge())
    assert_equals_refits(model, param, values, change(X), y, rtol=1e-9)
    model = make_pipeline(StandardScaler(), selector, KNeighborsRegressor())
    assert_equals_refits(model, param, values, change(X), y, rtol=0)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_selection_of_classifier_equals_refits(container):
    """Labels are text, rows may be sparse."""
    X, y = make_classification(90, 8, n_informative=5, n_classes=3, random_state=0)
    X, y = container(np.abs(X).round()), np.array(["a", "b", "c"])[y]
    model = make_pipeline(SelectKBest(chi2), LinearSVC(random_state=0))
    assert_equals_refits(model, "selectkbest__k", COUNTS, X, y, rtol=0)


def test_selection_from_frames_equals_refits():
    """Frames go in, and come out of the selector where that is set."""
    pd = pytest.importorskip("pandas")
    X, y = regression()
    X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    for out in ("default", "pandas"):
        for selector, param in (
            (SelectKBest(f_regression), "selectkbest__k"),
            (RFE(LinearRegression()), "rfe__n_features_to_select"),
        ):
            model = make_pipeline(selector, StandardScaler(), Ridge())
            model.set_output(transform=out)
            assert_equals_refits(model, param, COUNTS, X, y, rtol=0)


@pytest.mark.parametrize("seed", [0, 1])
def test_elimination_with_trees_equals_refits(seed):
    """Importances of a seeded tree, p of the order of n."""
    X, y = make_classification(30, 12, n_informative=5, random_state=seed)
    model = make_pipeline(RFE(DecisionTreeClassifier(random_state=0)), SVR())
    y = y.astype(float)
    assert_equals_refits(model, "rfe__n_features_to_select", [5, 2, 12], X, y, rtol=0)


@pytest.mark.parametrize("change", [np.asarray, tied])
@pytest.mark.parametrize(
    ("selector", "param", "values"),
    [
        (SelectKBest(f_regression), "k", [3, 1, 6, 3]),
        (SelectPercentile(f_regression), "percentile", [40, 12.5, 80]),
        (RFE(LinearRegression()), "n_features_to_select", [3, 1, 6]),
    ],
)
@pytest.mark.filterwarnings("ignore:Features .* are constant")
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_selection_fits_a_ridge_behind_it_without_refits(
    selector, param, values, change
):
    """Selections are nested, so that they are leading columns in some order."""
    X, y = regression()
    X = change(X)
    family = find_family(selector, param)
    columns = family.fit_path(clone(selector), X, y, None, values)
    path = columns.fit_after(make_pipeline(Ridge(alpha=0.5)), X, y, None)
    for answer, value in zip(path.predict(X), values, strict=True):
        model = make_pipeline(clone(selector).set_params(**{param: value}), Ridge(0.5))
        np.testing.assert_allclose(answer, model.fit(X, y).predict(X), rtol=1e-9)
    assert columns.fit_after(make_pipeline(LogisticRegression()), X, y, None) is None


@pytest.mark.filterwarnings("ignore:k=.* is greater than n_features")
@pytest.mark.parametrize(
    ("selector", "param", "values"),
    [
        (SelectKBest(f_regression), "selectkbest__k", [2, 9]),
        (RFE(LinearRegression(), step=2), "rfe__n_features_to_select", [2, 5]),
        (RFE(LinearRegression()), "rfe__n_features_to_select", [0.5, None]),
    ],
)
def test_other_settings_are_refitted(selector, param, values):
    """More columns than there are, several at a time, fractions."""
    X, y = regression()
    model = make_pipeline(selector, Ridge())
    assert_equals_refits(model, param, values, X, y, rtol=0, served=False)


def test_values_are_sane():
    """Whole numbers or percentages, increasing; more columns fit better."""
    X, y = regression(p=30)
    for model, param, high in (
        (SelectKBest(), "k", 30),
        (SelectPercentile(), "percentile", 100),
        (RFE(Ridge()), "n_features_to_select", 30),
    ):
        family = find_family(model, param)
        values = family.default_values(model, X, y, None)
        assert values[0] >= 1
        assert values[-1] == high
        assert (np.diff(values) > 0).all()
        assert family.stronger == "smaller"
    family = find_family(SelectKBest(), "k")
    selections = family.fit_path(SelectKBest(f_regression), X, y, None, [2, 5, 30])
    losses = [
        ((LinearRegression().fit(Z, y).predict(Z) - y) ** 2).mean()
        for Z in selections.transform(X)
    ]
    assert (np.diff(losses) <= 0).all()
