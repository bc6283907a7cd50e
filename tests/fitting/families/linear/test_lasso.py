"""Lasso and elastic net for all penalties at once against a fit for each of them."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from genestimators import AutoRegularizedCV
from genestimators.fitting import find_family
from genestimators.fitting._composites import make_path
from tests.fitting.families.against_refits import (
    assert_equals_refits,
    assert_refuses_as_a_fit_does,
)
from tests.fitting.families.linear.linear_data import regression, scaled, uneven

# A fit ends when its duality gap is below this part of the sum of squares of y.
TOL = 1e-10
EXACT = {"tol": TOL, "max_iter": 100_000}
SHARES = np.array([0.1, 1e-2, 1.0, 0.1, 1.5])  # of the strongest penalty
KINDS = {
    "lasso": Lasso(**EXACT),
    "elastic net": ElasticNet(l1_ratio=0.4, **EXACT),
    "positive": Lasso(positive=True, **EXACT),
}


def penalties(X, y):
    """From almost none to more than it takes to make all coefficients zero."""
    X, y = np.asarray(X, dtype=float), y.reshape(len(y), -1)
    return SHARES * np.abs((X - X.mean(axis=0)).T @ (y - y.mean(axis=0))).max() / len(y)


def assert_lasso(
    estimator, X, y, values=None, *, param="alpha", within=1e-6, scale=None, **how
):
    """Equal to refits up to what two fits that end at their tolerance may differ by.

    The mean squared difference of two answers on the training rows is at most twice
    the sum of their duality gaps, so its root is at most twice the root of `TOL`, of
    the spread of y. In these data it is a twentieth of that, on new rows as well.
    """
    if values is None:
        values = penalties(X, y) if scale is None else SHARES * scale
    spread = max(np.std(y, axis=0).max(), 1e-3)
    assert_equals_refits(
        estimator, param, values, X, y, rtol=0, atol=within * spread, **how
    )


def assert_scaled_lasso(estimator, X, y, *, settings=None, **how):
    """The same behind a StandardScaler, where columns are of size one."""
    chain, param = scaled(estimator, **(settings or {}))
    assert_lasso(chain, X, y, param=param, scale=np.std(y), **how)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(60, 5), (30, 1), (30, 40), (75, 40)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_lasso_equals_refits(seed, shape, fit_intercept, kind):
    """From products of columns, and from rows where columns are more."""
    X, y = regression(seed, *shape)
    estimator = clone(KINDS[kind]).set_params(fit_intercept=fit_intercept)
    assert_lasso(estimator, X, y)


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_lasso_behind_a_scaler_equals_refits(with_mean, with_std, fit_intercept, kind):
    """Scaling is done to moments, whatever the scaler and the intercept."""
    X, y = regression(2)
    estimator = clone(KINDS[kind]).set_params(fit_intercept=fit_intercept)
    settings = {"with_mean": with_mean, "with_std": with_std}
    assert_scaled_lasso(estimator, X, y, settings=settings)
    weight = uneven(2, len(y))
    assert_scaled_lasso(estimator, X, y, settings=settings, sample_weight=weight)


@pytest.mark.parametrize(
    "steps",
    [
        [StandardScaler(with_mean=False), StandardScaler()],
        [StandardScaler(), StandardScaler(with_std=False)],
        [make_pipeline(StandardScaler(with_std=False)), "passthrough"],
        [PolynomialFeatures(2, include_bias=False), StandardScaler()],
    ],
)
def test_lasso_behind_several_steps_equals_refits(steps):
    """Scalers after each other are one; other steps are fitted for every fold."""
    X, y = regression(3, 60, 3)
    chain = make_pipeline(*steps, KINDS["lasso"])
    assert_lasso(chain, X, y, param="lasso__alpha", scale=np.std(y))


@pytest.mark.parametrize("shape", [(60, 4), (40, 60)])
@pytest.mark.parametrize("kind", ["whole", "uneven"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_lasso_with_weights_equals_refits(shape, kind, fit_intercept):
    """Weights that are counts, and weights of very different size; zeros in both."""
    X, y = regression(4, *shape)
    weight = np.random.default_rng(4).integers(0, 4, len(y)).astype(float)
    if kind == "uneven":
        weight = uneven(4, len(y))
    for name in ("lasso", "elastic net"):
        estimator = clone(KINDS[name]).set_params(fit_intercept=fit_intercept)
        assert_lasso(estimator, X, y, sample_weight=weight)


@pytest.mark.parametrize("shape", [(60, 5), (30, 40)])
@pytest.mark.parametrize("kind", KINDS)
def test_lasso_with_several_targets_equals_refits(shape, kind):
    """Targets are fitted side by side; one target in two dimensions is one."""
    X, y = regression(5, *shape, n_targets=3)
    y = y * [1.0, 10.0, 0.1]
    for target in (y, y[:, :1]):
        # The bound holds for the spread of each target, and is taken from the least.
        part = target.std(axis=0).min() / target.std(axis=0).max()
        assert_lasso(KINDS[kind], X, target, within=1e-6 * max(part, 0.1))
        assert_scaled_lasso(KINDS[kind], X, target)


@pytest.mark.parametrize(
    ("estimator", "values"),
    [
        (Lasso(selection="random", random_state=0, **EXACT), [0.1]),
        (ElasticNet(l1_ratio=0.0, max_iter=2000), [0.1]),
        (Lasso(**EXACT), [0.0, 0.1]),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of fits without a penalty
def test_settings_that_are_not_served(estimator, values):
    """Random coordinates and problems without a lasso part go to the generic engine."""
    X, y = regression(12, 40, 3)
    assert_lasso(estimator, X, y, values, served=False)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"l1_ratio": 0.0}, "ridge regression"),
        ({"selection": "random"}, "at random"),
        ({"precompute": np.eye(3)}, "products of columns are given"),
        ({"tol": None}, "no tolerance"),
        ({"max_iter": 2.5}, "no limit"),
        ({"positive": "yes"}, "`positive` is neither true nor false"),
        ({"fit_intercept": None}, "`fit_intercept` is neither true nor false"),
    ],
)
def test_reasons_for_not_serving_settings(settings, reason):
    """Each setting that is left to the generic engine has its reason."""
    X, y = regression(12, 40, 3)
    estimator = ElasticNet(**settings)
    family = find_family(estimator, "alpha")
    assert reason in family.unsupported(estimator, X, y, None, [0.1])


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan, "a", True, None])
def test_values_that_are_no_positive_numbers_are_not_served(value):
    """A penalty has to be a positive finite number."""
    X, y = regression(12, 40, 3)
    family = find_family(Lasso(), "alpha")
    assert "penalty" in family.unsupported(Lasso(), X, y, None, [1.0, value])


def test_a_value_is_fitted_the_same_in_any_company():
    """Answers do not depend on the order of the values, nor on repeated ones."""
    X, y = regression(13)
    values = penalties(X, y)
    whole = make_path(Lasso(**EXACT), "alpha", values, X, y, None).predict(X)
    for order in (np.argsort(values), np.argsort(-values), [0, 3, 0]):
        own = make_path(Lasso(**EXACT), "alpha", values[order], X, y, None).predict(X)
        np.testing.assert_allclose(own, whole[order], atol=1e-6 * y.std())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_errors_are_those_of_the_estimator(bad):
    """Bad cells are refused in the estimator's own words, shared folds or not."""
    X, y = regression(14)
    X[-1, 1] = bad
    for estimator, name in ((Lasso(), "alpha"), scaled(Lasso())):
        assert_refuses_as_a_fit_does(estimator, name, X, y, match="Input X contains")


@pytest.mark.parametrize("rows", ["frame", "wide", "sparse"])
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_models_of_a_path_are_like_refits(rows, n_targets, fit_intercept):
    """A value's model is a fitted estimator like the refit in all it holds."""
    X, y = regression(15, 40, 50 if rows == "wide" else 4, n_targets=n_targets)
    values = penalties(X, y)
    if rows == "sparse":
        X = sparse.csc_matrix(X)
    if rows == "frame":
        pandas = pytest.importorskip("pandas")
        X = pandas.DataFrame(X, columns=list("abcd"))
    estimator = ElasticNet(l1_ratio=0.9, fit_intercept=fit_intercept, **EXACT)
    path = make_path(estimator, "alpha", values, X, y, None)
    path = pickle.loads(pickle.dumps(path))
    for i, alpha in enumerate(values):
        own, refit = path.model(i), clone(estimator).set_params(alpha=alpha).fit(X, y)
        assert own.get_params() == refit.get_params()
        held = {*vars(refit), "sparse_coef_"} - {*refit.get_params()}
        for name in held:
            expected, found = getattr(refit, name), getattr(own, name)
            assert type(found) is type(expected)
            if isinstance(expected, np.ndarray):
                assert found.dtype == expected.dtype
                assert found.shape == expected.shape
        for name in ("coef_", "intercept_"):
            # Coefficients are less certain than predictions.
            np.testing.assert_allclose(
                getattr(own, name), getattr(refit, name), atol=1e-5
            )
        # Both have met the tolerance, which is relative to the mean square of y.
        squares = np.square(y - fit_intercept * y.mean(axis=0)).mean(axis=0)
        assert (np.asarray(own.dual_gap_) <= TOL * squares).all()
        np.testing.assert_allclose(own.predict(X), refit.predict(X), atol=1e-6)


def test_parts_are_the_path():
    """Parts of few values answer as the whole path does."""
    X, y = regression(16, n_targets=2)
    path = make_path(Lasso(), "alpha", SHARES, X, y, None)
    parts = list(path.parts(2**21))
    assert [part.n_values for part in parts] == [2, 2, 1]
    joined = np.concatenate([part.predict(X) for part in parts])
    np.testing.assert_allclose(joined, path.predict(X), rtol=1e-12)
    errors = np.concatenate([part.training_squared_error() for part in parts])
    np.testing.assert_array_equal(errors, path.training_squared_error())
    assert [part.model(0).alpha for part in parts] == SHARES[::2].tolist()


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("shape", [(200, 4), (30, 80)])
@pytest.mark.parametrize("settings", [{}, {"positive": True}, {"fit_intercept": False}])
def test_default_values_end_where_all_coefficients_are_zero(size, shape, settings):
    """The largest value leaves none, the next one some, whatever the units of X."""
    X, y = regression(17, *shape)
    X = X * size
    weight = uneven(17, len(y))
    for ratio in (1.0, 0.5):
        estimator = ElasticNet(l1_ratio=ratio, **settings)
        family = find_family(estimator, "alpha")
        values = family.default_values(estimator, X, y, weight)
        assert (np.diff(values) > 0).all()
        assert values[0] > 0
        last = values[-2:] * [1.0, 1 + 1e-9]
        path = make_path(estimator, "alpha", last, X, y, weight)
        assert path.coef[0].any()
        assert not path.coef[1].any()
        sparse_values = family.default_values(estimator, sparse.csr_matrix(X), y, None)
        np.testing.assert_allclose(
            sparse_values, family.default_values(estimator, X, y, None), rtol=1e-9
        )
        assert not len(family.more_values(values, larger=True))
        assert (family.more_values(values, larger=False) < values[0]).all()


@pytest.mark.parametrize("X", [np.ones((10, 2)), np.zeros((10, 2))])
def test_default_values_where_nothing_can_be_learned(X):
    """Constant columns and targets of any kind still give a range."""
    family = find_family(Lasso(), "alpha")
    for y in (np.arange(10.0), np.ones(10)):
        values = family.default_values(Lasso(), X, y, None)
        assert (np.diff(values) > 0).all()
        assert 0 < values[0] < values[-1] < np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_a_stronger_penalty_has_no_lower_training_loss(kind):
    """Larger values of alpha penalise more."""
    X, y = regression(18, 60, 8)
    values = np.geomspace(1e-4, 1.0, 20) * penalties(X, y).max()
    path = make_path(KINDS[kind], "alpha", values, X, y, None)
    losses = ((path.predict(X) - y) ** 2).mean(axis=1)
    assert (np.diff(losses) >= -1e-9 * y.var()).all()
    assert find_family(KINDS[kind], "alpha").stronger == "larger"


@pytest.mark.parametrize("rows", ["tall", "wide", "sparse"])
def test_paths_that_do_not_converge_say_so_once(rows):
    """As for single fits there is a warning, and it tells the way out."""
    X, y = regression(19, 40, 60 if rows == "wide" else 10)
    X = sparse.csc_matrix(X) if rows == "sparse" else X
    hasty = Lasso(max_iter=1, fit_intercept=False)
    with pytest.warns(ConvergenceWarning, match="raise `max_iter`. Got max_iter=1"):
        make_path(hasty, "alpha", [1e-3, 1e-2], X, y, None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_path(hasty, "alpha", [1e-3, 1e-2], X, y, None)
    assert len(caught) == 1


def test_the_curve_is_that_of_a_grid_search():
    """Validation and training scores of every fold, and the choice."""
    X, y = regression(20, 80, 6)
    y = y + 3 * y.std() * np.random.default_rng(20).normal(size=80)
    chain, param = scaled(KINDS["lasso"])
    values = np.geomspace(1e-3, 1.0, 8) * y.std()
    search = GridSearchCV(chain, {param: values}, cv=KFold(4), return_train_score=True)
    search.fit(X, y)
    own = AutoRegularizedCV(chain, param=param, values=values, cv=KFold(4), rule="best")
    own.fit(X, y)
    assert own.exactness_ == "tolerance"
    assert own.best_params_ == search.best_params_
    for split in range(4):
        for side in ("train", "test"):
            name = f"split{split}_{side}_score"
            expected, found = search.cv_results_[name], own.cv_results_[name]
            np.testing.assert_allclose(found, expected, atol=1e-7)
