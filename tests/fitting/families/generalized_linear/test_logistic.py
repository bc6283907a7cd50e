"""Logistic regression for all values of C at once against a fit for each of them."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from genestimators.fitting import find_family
from genestimators.fitting._composites import make_path
from genestimators.fitting.families.generalized_linear._logistic import (
    unserved_settings,
)
from tests.fitting.families.against_refits import assert_equals_refits

STRENGTHS = [1.0, 1e-3, 30.0]
FAMILY = find_family(LogisticRegression(), "C")
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def exact(**settings):
    """A regression that stops where rounding does."""
    settings = {"solver": "newton-cholesky", "tol": 1e-10} | settings
    return LogisticRegression(**settings, max_iter=5000)


def classes(seed=0, n=90, p=5, k=2):
    """Columns of different size and position; labels of text, one in ten wrong."""
    X, y = make_classification(
        n,
        p,
        n_informative=max(p // 2, 3) if p > 3 else p,
        n_redundant=0,
        n_repeated=0,
        n_classes=k,
        n_clusters_per_class=1,
        weights=[0.6] if k == 2 else [0.5, 0.3],
        flip_y=0.1,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    X = X * np.geomspace(0.3, 3, p) + rng.normal(size=p)
    return X, np.array(["b", "a", "cc"])[y]


def weights(kind, n, seed=0):
    """None, counts with zeros, or weights of very different size with zeros."""
    rng = np.random.default_rng(seed)
    if kind == "counts":
        return rng.integers(0, 4, n).astype(float)
    if kind == "uneven":
        return rng.gamma(0.5, size=n) * 10 * (rng.random(n) > 0.1)
    return None


def scaled(estimator, **settings):
    """The estimator behind a StandardScaler."""
    return make_pipeline(StandardScaler(**settings), estimator)


def assert_logistic(estimator, X, y, values=STRENGTHS, *, digits=6, cv=FOLDS, **how):
    """Equal to refits as far as these are from the minimum."""
    param = (
        "C" if isinstance(estimator, LogisticRegression) else "logisticregression__C"
    )
    how = {"rtol": 10.0**-digits, "atol": 10.0**-digits, "cv": cv, **how}
    assert_equals_refits(estimator, param, values, X, y, **how)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("shape", [(90, 5), (60, 1), (30, 40)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_regression_equals_refits(seed, k, shape, fit_intercept):
    """Two and three classes, few columns, one, and more columns than rows."""
    n, p = shape
    X, y = classes(seed, n, p, k if p > 1 else 2)
    model = exact(fit_intercept=fit_intercept)
    # With p > n the penalty is all the curvature that some directions have: refits
    # stop at gradients that leave decisions wrong by more.
    digits = 6 if n > p else 4
    values = [1.0, 1e-3, 1e3]
    assert_logistic(model, X, y, values, digits=digits)
    assert_logistic(scaled(model), X, y, values, digits=digits)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_regression_behind_a_scaler_equals_refits(
    k, with_mean, with_std, fit_intercept
):
    """Every scaler and intercept; scaling is done to the penalty."""
    X, y = classes(2, k=k)
    model = exact(fit_intercept=fit_intercept)
    chain = scaled(model, with_mean=with_mean, with_std=with_std)
    assert_logistic(chain, X, y, sample_weight=weights("uneven", len(y)))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("kind", ["none", "counts", "uneven"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"b": 3.0, "a": 0.2}])
def test_regression_with_weights_equals_refits(k, kind, class_weight):
    """Weights of rows and of classes, each alone and together."""
    X, y = classes(3, k=k)
    model = exact(class_weight=class_weight)
    weight = weights(kind, len(y))
    assert_logistic(model, X, y, sample_weight=weight)
    assert_logistic(scaled(model), X, y, sample_weight=weight)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("k", [2, 3])
def test_other_solvers_agree(solver, k):
    """Each of the solvers that look for the same minimum."""
    X, y = classes(4, k=k)
    model = exact(solver=solver, tol=1e-9)
    # Their gradients are no more than 1e-9; weak penalties have little curvature.
    assert_logistic(model, X, y, digits=5)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "cv",
    [
        KFold(4),
        TimeSeriesSplit(3),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        LeaveOneOut(),
        "groups",
    ],
)
def test_regression_over_other_folds_equals_refits(cv, k):
    """Growing training sets, folds drawn again, single rows, whole groups."""
    X, y = classes(5, 24, 3, k)
    if cv == "groups":
        groups = np.arange(len(y)) // 5
        cv = list(GroupKFold(3).split(X, y, groups))
    model = exact(class_weight="balanced")
    assert_logistic(model, X, y, [1.0], cv=cv)
    assert_logistic(scaled(model), X, y, [1e-2, 1.0], cv=cv)


@pytest.mark.parametrize("k", [2, 3])
def test_a_class_missing_in_a_fold(k):
    """Such a fold is fitted by itself, with one class less."""
    X, y = classes(6, k=k)
    order = np.argsort(y, kind="stable")
    for model in (exact(), scaled(exact())):
        assert_logistic(model, X[order], y[order], cv=KFold(3))


def test_separable_classes_with_next_to_no_penalty():
    """Coefficients are large where nothing but the penalty holds them."""
    X, _ = classes(7, 60, 2)
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    # Far from the border the losses are as flat as rounding: decisions are the test.
    for model in (exact(), scaled(exact())):
        assert_logistic(model, X, y, [1.0, 1e3, 1e5], digits=4)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_columns_far_from_zero(offset, k):
    """Means much larger than spreads: an intercept takes them up exactly."""
    X, y = classes(8, k=k)
    away = X + offset * X.std(axis=0)
    near = away - offset * X.std(axis=0)  # with the same rounding
    path = FAMILY.fit_path(exact(), away, y, None, STRENGTHS)
    expected = FAMILY.fit_path(exact(), near, y, None, STRENGTHS)
    # Rounding of the means is offset times 1e-16 of a spread, decisions are tens.
    np.testing.assert_allclose(
        path.decision_function(away), expected.decision_function(near), atol=1e-7
    )
    # A scaler's own means and spreads lose half the digits.
    assert_logistic(scaled(exact()), away, y, digits=5)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_columns_that_are_constant(fit_intercept):
    """In all rows, in those of a fold, all of them; and columns that are equal."""
    X, y = classes(9, 60, 3)
    rare = np.zeros(60)
    rare[next(FOLDS.split(X, y))[1][:3]] = 1.0
    model = exact(fit_intercept=fit_intercept)
    for extra in (np.full(60, 0.1), np.full(60, 1e3), rare, X[:, 0]):
        wider = np.column_stack([X, extra])
        assert_logistic(model, wider, y, [1e-3, 30.0])
        assert_logistic(scaled(model), wider, y, [1e-3, 30.0])
    assert_logistic(model, np.ones((60, 2)), y)


def test_regression_of_other_containers_equals_refits():
    """Frames, lists, integers, columns in Fortran order; tied rows."""
    pandas = pytest.importorskip("pandas")
    X, y = classes(10)
    X = np.round(3 * X)
    frame = pandas.DataFrame(X, columns=list("abcde"))
    for rows in (frame, X.astype(int), np.asfortranarray(X), X.tolist()):
        assert_logistic(exact(), rows, y, [0.01, 1.0])
        assert_logistic(scaled(exact()), rows, y, [0.01, 1.0])


@pytest.mark.parametrize("k", [2, 3])
def test_sparse_rows_are_near_refits(k):
    """The estimator itself is fitted, from the strongest penalty to the weakest."""
    X, y = classes(11, k=k)
    X = sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0))
    model = exact(solver="lbfgs", tol=1e-9)
    # Both sides stop by gradients.
    assert_logistic(model, X, y, digits=4)
    chain = scaled(model, with_mean=False)
    assert_logistic(chain, X, y, digits=4)


def test_single_precision_is_near_refits():
    """Computed in double precision, the path differs by the rounding of the refits."""
    X, y = classes(12)
    X = X.astype(np.float32)
    model = exact(tol=1e-6)
    assert_logistic(model, X, y, digits=2)
    path = make_path(model, "C", STRENGTHS, X, y, None)
    assert path.model(0).coef_.dtype == np.float32
    assert path.model(0).intercept_.dtype == np.float32


def test_regression_behind_other_steps_equals_refits():
    """Steps that are no scalers are fitted for every fold."""
    X, y = classes(13, p=3)
    chain = make_pipeline(PolynomialFeatures(2), StandardScaler(), exact())
    assert_logistic(chain, X, y, [1e-2, 1.0])


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"solver": "liblinear"}, "solver"),
        ({"solver": "saga"}, "solver"),
        ({"solver": "sag"}, "solver"),
        ({"penalty": "l1"}, "squares"),
        ({"penalty": "elasticnet"}, "squares"),
        ({"penalty": None}, "squares"),
        ({"l1_ratio": 0.5}, "absolute"),
        ({"multi_class": "ovr"}, "multi_class"),
        ({"dual": True}, "dual"),
        ({"warm_start": True}, "warm_start"),
        ({"intercept_scaling": 2.0}, "scaled"),
        ({"fit_intercept": "yes"}, "fit_intercept"),
        ({"tol": -1.0}, "tolerance"),
        ({"max_iter": 0}, "iterations"),
        ({"class_weight": "even"}, "class_weight"),
    ],
)
def test_settings_that_are_not_served(settings, reason):
    """Other penalties and solvers are left to the generic engine."""
    given = LogisticRegression().get_params(deep=False)
    assert unserved_settings(given) is None
    assert reason in unserved_settings(given | settings)


def test_data_that_are_not_served():
    """Values, targets and weights that a fit would refuse, or treat otherwise."""
    X, y = classes(14, 40)
    model = LogisticRegression()
    plain = (model, X, y, None)
    assert FAMILY.unsupported(*plain, STRENGTHS) is None
    for value in (0.0, -1.0, np.inf, "1", None, True):
        assert "a value of C" in FAMILY.unsupported(*plain, [1.0, value])
    two = np.column_stack([y, y])
    assert "classes" in FAMILY.unsupported(model, X, two, None, [1.0])
    assert "classes" in FAMILY.unsupported(model, X, X[:, 0], None, [1.0])
    assert "one class" in FAMILY.unsupported(model, X, np.ones(40), None, [1.0])
    for weight in (-np.ones(40), np.zeros(40), np.full(40, np.nan)):
        assert "weights" in FAMILY.unsupported(model, X, y, weight, [1.0])
    alone = (y == "a").astype(float)
    assert "no weight" in FAMILY.unsupported(model, X, y, alone, [1.0])
    model = LogisticRegression(class_weight={"a": 0.0})
    assert "no weight" in FAMILY.unsupported(model, X, y, None, [1.0])


def test_a_solver_of_another_kind_is_refitted():
    """The answers are then those of fits one by one, to the bit."""
    X, y = classes(15)
    model = LogisticRegression(solver="liblinear")
    assert_equals_refits(model, "C", [1.0], X, y, rtol=0, cv=FOLDS, served=False)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("p", [4, 60])
def test_models_of_a_path_are_those_of_refits(k, p):
    """A value's model is a fitted estimator like the refit in all it holds."""
    pandas = pytest.importorskip("pandas")
    X, y = classes(16, 50, p, k)
    X = pandas.DataFrame(X, columns=[f"c{j}" for j in range(p)])
    values = [*STRENGTHS, 1.0]
    path = make_path(exact(), "C", values, X, y, None)
    path = pickle.loads(pickle.dumps(path))
    for i, value in enumerate(values):
        own = path.model(i)
        refit = clone(exact()).set_params(C=value).fit(X, y)
        assert value == own.C
        assert set(vars(refit)) == set(vars(own))
        assert own.n_features_in_ == p
        assert own.feature_names_in_.tolist() == X.columns.tolist()
        np.testing.assert_array_equal(own.classes_, refit.classes_)
        for name in ("coef_", "intercept_", "n_iter_"):
            found, expected = getattr(own, name), getattr(refit, name)
            assert found.shape == expected.shape
            assert found.dtype == expected.dtype
            if name != "n_iter_":
                # Coefficients of up to ten, minima found to about 1e-8.
                np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(own.predict(X), refit.predict(X))


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_default_values_span_the_shrinkage(size, fit_intercept):
    """From nearly complete to next to none, whatever the units of X."""
    X, y = classes(17, 200)
    model = exact(fit_intercept=fit_intercept)
    values = FAMILY.default_values(model, size * X, y, None)
    assert (np.diff(values) > 0).all()
    weak = clone(model).set_params(C=1e3 * values[-1]).fit(X * size, y).coef_
    path = FAMILY.fit_path(model, X * size, y, None, values[[0, -1]])
    length = np.linalg.norm(path.coef[:, 0], axis=1) / np.linalg.norm(weak)
    assert length[0] < 0.1
    assert length[1] > 0.9
    twice = FAMILY.default_values(model, size * X, y, np.full(len(y), 2.0))
    np.testing.assert_allclose(twice, values / 2)
    thin = FAMILY.default_values(model, sparse.csr_matrix(size * X), y, None)
    # The variance is a difference of sums there.
    np.testing.assert_allclose(thin, values, rtol=1e-8)


def test_default_values_of_constant_columns():
    """There is no variance to go by; there are values all the same."""
    values = FAMILY.default_values(exact(), np.ones((10, 2)), np.arange(10) % 2, None)
    assert (np.diff(values) > 0).all()
    assert values[0] > 0


@pytest.mark.parametrize("k", [2, 3])
def test_a_stronger_penalty_has_no_lower_training_loss(k):
    """Smaller values of C penalise more."""
    X, y = classes(18, k=k)
    path = FAMILY.fit_path(exact(), X, y, None, np.geomspace(1e-5, 1e4, 25))
    own = np.searchsorted(np.unique(y), y)
    proba = path.predict_proba(X)[:, np.arange(len(y)), own]
    assert (np.diff(-np.log(proba).mean(axis=1)) <= 0).all()
    assert FAMILY.stronger == "smaller"
