"""Newton families behind leading columns against a fit for each number of columns."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_selection import RFE, SelectKBest, f_classif, f_regression
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import AutoRegularizedCV
from genestimators.fitting import find_family
from genestimators.fitting._tuned import exactness_of
from genestimators.fitting.families.generalized_linear._design import make_design
from genestimators.fitting.families.generalized_linear._logistic import (
    BinaryLoss,
    MultinomialLoss,
)
from genestimators.fitting.families.generalized_linear._newton import minimise
from genestimators.fitting.families.generalized_linear._newton_paths import (
    Problem,
    solve_leading,
)
from tests.fitting.families.against_refits import assert_equals_refits

pytestmark = [
    # Refits that are at their minimum before they know.
    pytest.mark.filterwarnings("ignore:Line search of Newton solver"),
    pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning"),
]
SIZES = [3, 1, 5, 3]
EXACT = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 1000}
logistic = LogisticRegression(**EXACT)


def labels(k=2, n=90, p=8, seed=0):
    """Text labels."""
    X, y = make_classification(
        n, p, n_informative=5, n_classes=k, flip_y=0.2, random_state=seed
    )
    return X + np.arange(p), np.array(["a", "b", "c"])[y]


def amounts(n=90, p=8, seed=0):
    """Positive numbers that depend on the columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) / 3
    return X, np.exp(X @ rng.normal(size=p) / p) * rng.gamma(2, 0.5, n)


def assert_near(model, param, X, y, values=SIZES, digits=7):
    """Minima found to about 1e-9, some of them flatter than others."""
    limit = 10.0**-digits
    assert_equals_refits(model, param, values, X, y, rtol=limit, atol=limit)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [{}, {"C": 0.01}, {"fit_intercept": False}, {"class_weight": "balanced"}],
)
def test_logistic_regression_equals_refits(settings, k):
    """Labels, probabilities and decisions behind each number of columns."""
    X, y = labels(k)
    tail = clone(logistic).set_params(**settings)
    model = make_pipeline(StandardScaler(), PCA(svd_solver="full"), tail)
    assert_near(model, "pca__n_components", X, y)
    model = make_pipeline(SelectKBest(f_classif), tail)
    assert_near(model, "selectkbest__k", X, y)


@pytest.mark.parametrize(
    "tail",
    [
        PoissonRegressor(alpha=0.1, **EXACT),
        GammaRegressor(alpha=0.1, **EXACT),
        TweedieRegressor(power=1.5, alpha=0.1, **EXACT),
        TweedieRegressor(fit_intercept=False, alpha=0.1, **EXACT),
    ],
)
def test_generalised_linear_models_equal_refits(tail):
    """Every loss, behind components and behind selections of both kinds."""
    X, y = amounts()
    for before, param in (
        (PCA(svd_solver="full", whiten=True), "pca__n_components"),
        (SelectKBest(f_regression), "selectkbest__k"),
        (RFE(LinearRegression()), "rfe__n_features_to_select"),
    ):
        assert_near(make_pipeline(before, tail), param, X, y)


@pytest.mark.parametrize("case", ["offset", "constant", "copies", "one", "wide"])
@pytest.mark.filterwarnings("ignore:Features .* are constant")
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_awkward_columns_equal_refits(case):
    """Far from zero, without variance, equal, alone; nearly as many as rows."""
    X, y = labels()
    values = SIZES
    if case == "offset":
        X = X + 1e3
    elif case == "constant":
        X[:, 2] = 7.0
    elif case == "copies":
        X[:, 1] = X[:, 0]
    elif case == "one":
        X, values = X[:, :1], [1]
    else:
        X, y = labels(n=36, p=40)
        values = [1, 20, 23]  # of 24 rows that are fitted on
    model = make_pipeline(PCA(svd_solver="full"), logistic)
    # The refits have the rounding of the offset in their products.
    digits = 6 if case == "offset" else 7
    assert_near(model, "pca__n_components", X, y, values, digits)
    model = make_pipeline(SelectKBest(f_classif), logistic)
    assert_near(model, "selectkbest__k", X, y, values, digits)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_leading_solutions_equal_solutions_one_by_one(seed, k, fit_intercept):
    """Each from zero, on columns of its own; weights differ."""
    rng = np.random.default_rng(seed)
    X, weight = rng.normal(size=(50, 6)) + 2, rng.gamma(1, size=50)
    y = rng.integers(0, k, 50)
    if k == 2:
        problem = Problem(BinaryLoss(), 2.0 * y - 1, weight, np.zeros(1))
    else:
        problem = Problem(MultinomialLoss(k), y, weight, np.zeros(k - 1))
    design = make_design(X, weight, fit_intercept=fit_intercept)
    ridge, sizes = 0.1 * design.penalty, [4, 1, 6, 4]
    limits = {"tol": 1e-10, "max_iter": 100}
    found = solve_leading(problem, design, ridge, sizes, limits)
    assert found.converged.all()
    for theta, size in zip(found.theta, sizes, strict=True):
        own = [*range(size), *([6] if fit_intercept else [])]
        alone = minimise(
            problem.loss,
            design.columns[:, own],
            problem.y,
            (weight / weight.sum())[None],
            ridge[None, own],
            np.zeros((1, k - 1, len(own))),
            **limits,
        )
        # Both are within 1e-10 of the minimum.
        np.testing.assert_allclose(theta[:, own], alone.theta[0], atol=1e-8)
        assert not np.delete(theta, own, axis=1).any()


@pytest.mark.parametrize(
    "tail",
    [
        (StandardScaler(), logistic),
        (LogisticRegression(solver="liblinear"),),
        (LogisticRegression(warm_start=True),),
        (LogisticRegression(C=np.inf),),
        (BaggingClassifier(logistic),),
    ],
)
def test_other_tails_are_left_to_refits(tail):
    """Further steps, settings that are not served, other estimators."""
    X, y = labels()
    columns = find_family(PCA(), "n_components").fit_path(PCA(), X, y, None, SIZES)
    assert columns.fit_after(make_pipeline(*tail), X, y, None) is None
    assert columns.fit_after(make_pipeline(logistic), X, y, None) is not None


def test_other_data_are_left_to_refits():
    """Single precision, weights, as many columns as rows, targets out of range."""
    X, y = labels()
    family, after = find_family(PCA(), "n_components"), make_pipeline(logistic)

    def served(X, y, weight=None, after=after, sizes=SIZES):
        columns = family.fit_path(PCA(), X, y, None, sizes)
        return columns.fit_after(after, X, y, weight) is not None

    assert served(X, y)
    assert not served(X.astype(np.float32), y)
    assert not served(X, y, np.ones(len(y)))
    assert not served(X, np.full(len(y), "a"))
    assert not served(X[:8], y[:8], sizes=[8])
    assert not served(X, np.zeros(len(y)), after=make_pipeline(GammaRegressor()))


def test_paths_are_pickled_and_read_in_parts():
    """A part answers for some of the values, and says who did the work."""
    X, y = labels(3)
    family = find_family(PCA(), "n_components")
    columns = family.fit_path(PCA(), X, y, None, SIZES)
    path = columns.fit_after(make_pipeline(logistic), X, y, None)
    path.family = family
    whole = pickle.loads(pickle.dumps(path))
    assert whole.classes_.tolist() == ["a", "b", "c"]
    parts = list(path.parts(2**22))
    assert len(parts) > 1
    assert all(part.family is family for part in parts)
    for method in ("predict", "predict_proba", "decision_function"):
        found = np.concatenate([getattr(part, method)(X) for part in parts])
        np.testing.assert_array_equal(found, getattr(whole, method)(X))


def test_exactness_is_that_of_the_steps_after():
    """Wherever the pipeline is; ridge regressions are exact as before."""
    for before, own in ((PCA(), "n_components"), (SelectKBest(), "k")):
        family = find_family(before, own)
        assert exactness_of(family, before, own) == "exact"
        for tail, expected in (
            (logistic, "tolerance"),
            (PoissonRegressor(), "tolerance"),
            (Ridge(), "exact"),
            ("passthrough", "exact"),
        ):
            model = make_pipeline(StandardScaler(), before, tail)
            param = f"{type(before).__name__.lower()}__{own}"
            assert exactness_of(family, model, param) == expected
            bag, param = BaggingClassifier(model), f"estimator__{param}"
            assert exactness_of(family, bag, param) == expected
    svd = TruncatedSVD(algorithm="arpack")
    family = find_family(svd, "n_components")
    model = make_pipeline(svd, Ridge())
    assert exactness_of(family, model, "truncatedsvd__n_components") == "tolerance"


def test_a_search_says_so():
    """The audit, which compares with a refit, is content with default tolerances."""
    X, y = labels()
    model = make_pipeline(PCA(svd_solver="full"), LogisticRegression())
    own = AutoRegularizedCV(model, param="pca__n_components", values=[2, 4, 6], cv=3)
    own.fit(X, y)
    assert (own.engine_, own.exactness_) == ("path", "tolerance")
