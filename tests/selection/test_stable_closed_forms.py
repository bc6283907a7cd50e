"""The closed-form engine and the one that fits agree; which one runs is told."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.selection._stable_selector import StableFeatureSelector
from tests.selection.stable_toys import OwnRidge, clear_problem


class OwnLogistic(LogisticRegression):
    """A logistic regression without a closed form."""


def selector(estimator=None, **kwargs):
    settings = {"n_resamples": 10, "random_state": 0, **kwargs}
    return StableFeatureSelector(estimator, **settings)


@pytest.mark.parametrize("importance", ["elimination", "conditional", "coef"])
@pytest.mark.parametrize(
    ("closed", "refitted"),
    [
        (None, make_pipeline(StandardScaler(), OwnRidge())),
        (Ridge(), OwnRidge()),
        (make_pipeline(StandardScaler(), LogisticRegression()), OwnLogistic()),
    ],
)
def test_both_engines_find_the_same(closed, refitted, importance):
    """On a clear problem nothing hangs on how the figures came about."""
    X, y = clear_problem(n=200, p=8)
    if isinstance(refitted, OwnLogistic):
        y = np.where(X[:, :3].sum(axis=1) > 0, "yes", "no")
    one = selector(closed, importance=importance).fit(X, y)
    two = selector(refitted, importance=importance, n_resamples=3).fit(X, y)
    if importance == "coef" and closed is not None:
        assert one.engine_ == "refits"  # no path without an L1 penalty
    else:
        assert one.engine_ == "closed_form"
    assert two.engine_ == "refits"
    for each in (one, two):
        assert set(np.argsort(-each.scores_)[:3]) == {0, 1, 2}
        each.set_params(criterion="frequency", threshold=0.9)
        assert each.get_support(indices=True).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("estimator", "params", "engine", "importance"),
    [
        (None, {}, "closed_form", "elimination"),
        (Ridge(), {}, "closed_form", "elimination"),
        (LinearRegression(), {"scoring": "r2"}, "closed_form", "elimination"),
        (Lasso(), {}, "closed_form", "coef"),
        (make_pipeline(StandardScaler(), ElasticNet()), {}, "closed_form", "coef"),
        (Ridge(), {"scoring": "neg_mean_absolute_error"}, "refits", "elimination"),
        (Ridge(), {"importance": "permutation"}, "refits", "permutation"),
        (RandomForestRegressor(3), {}, "refits", "elimination"),
        (None, {"importance": "additive"}, "additive", "additive"),
        (Ridge(), {"importance": "additive"}, "additive", "additive"),
    ],
)
def test_which_engine(estimator, params, engine, importance):
    """`engine_` and `importance_` say what ran."""
    X, y = clear_problem(n=60, p=4, n_signal=2)
    fitted = selector(estimator, n_resamples=1, **params).fit(X, y)
    assert fitted.engine_ == engine
    assert fitted.importance_ == importance


@pytest.mark.parametrize("estimator", [None, RidgeClassifier(), LogisticRegression()])
def test_names_of_classes_do_not_matter(estimator):
    """Texts, booleans and numbers for two classes: the same figures."""
    X, y = clear_problem(n=60)
    code = (y > 0).astype(int)
    one = selector(estimator).fit(X, code)
    for other in (code == 1, np.array(["no", "yes"])[code], code * 2.0 - 1.0):
        two = selector(estimator).fit(X, other)
        assert set(two.get_support(indices=True)) >= {0, 1}
        assert two.nested_losses_.shape == one.nested_losses_.shape
        assert (two.nested_losses_ < 1).all()  # of an indicator, not of -1 and 1


def test_numbers_of_several_kinds_are_numbers():
    """Objects and nullable integers are no classes if they are numbers."""
    X, y = clear_problem()
    wanted = selector().fit(X, y).nested_losses_
    objects = selector().fit(X, y.astype(object)).nested_losses_
    np.testing.assert_allclose(objects.mean(axis=0), wanted.mean(axis=0))
    pd = pytest.importorskip("pandas")
    counts = pd.Series(np.round(3 * y).astype(int), dtype="Int64")
    assert selector().fit(X, counts).get_support()[:3].all()


@pytest.mark.parametrize("estimator", [None, Ridge(), Lasso(), OwnRidge()])
@pytest.mark.parametrize(
    "kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_sparse_equals_dense(estimator, kind):
    """Any sparse format is taken, and what comes out is sparse."""
    X, y = clear_problem(n=60)
    X[:, 4:] *= np.random.default_rng(0).random((60, 6)) < 0.3
    params = {"n_resamples": 2, "importance": "coef"}
    if estimator is None or type(estimator) is Ridge:
        params["importance"] = "elimination"
    one = selector(estimator, **params).fit(X, y)
    two = selector(estimator, **params).fit(kind(X), y)
    np.testing.assert_array_equal(one.ranks_, two.ranks_)
    np.testing.assert_allclose(one.nested_losses_, two.nested_losses_, rtol=1e-4)
    kept = two.transform(kind(X))
    assert sparse.issparse(kept)
    np.testing.assert_array_equal(kept.toarray(), one.transform(X))


@pytest.mark.parametrize("estimator", [None, Ridge(), Lasso(), OwnRidge()])
def test_single_precision(estimator):
    """float32 comes out as float32, with the same features."""
    X, y = clear_problem()
    one = selector(estimator, n_resamples=3).fit(X, y)
    two = selector(estimator, n_resamples=3).fit(np.float32(X), np.float32(y))
    assert two.transform(np.float32(X)).dtype == np.float32
    assert one.get_support()[:3].all()
    assert two.get_support()[:3].all()


@pytest.mark.parametrize("estimator", [None, Ridge(), LinearRegression(), Lasso()])
def test_hard_columns_beside_clear_ones(estimator):
    """Constants, copies, offsets of a million spreads and far units do no harm."""
    X, y = clear_problem(n=120, p=6, noise=0.3)
    hard = np.column_stack(
        [X, np.full(120, 0.1), np.full(120, 1e6 + 0.1), X[:, 4], X[:, 5] + 1e6]
    )
    if estimator is not Lasso:
        hard[:, 3] *= 1e9
    fitted = selector(estimator).fit(hard, y)
    assert fitted.get_support()[:3].all()
    assert fitted.get_support().sum() <= 6
    # A copy that was dropped before them costs a little, and costs are made to rise.
    assert (fitted.scores_[6:8] < 1e-6).all()


@pytest.mark.parametrize("kind", ["linear", "additive"])
def test_one_column(kind):
    """A single feature is kept if it helps, and if it does not with a warning."""
    X, y = clear_problem(p=1, n_signal=1)
    importance = "auto" if kind == "linear" else "additive"
    step = selector(importance=importance).fit(X, y)
    assert step.n_features_significant_ == 1
    assert step.transform(X).shape == (100, 1)
    assert np.isnan(step.stability_)
    step.set_params(criterion="fdr")
    assert step.q_values_ == [0.05]


def test_few_rows_and_many_columns():
    """Forty rows of six hundred columns: the three that matter are first."""
    X, y = clear_problem(n=40, p=600, noise=0.1)
    fitted = selector(n_resamples=2).fit(X, y)
    assert fitted.get_support()[0]
    assert fitted.nested_sizes_[-1] < 600
    assert fitted.ranks_.max() == 600


def test_four_rows_are_enough():
    """Two rows in each half are the least."""
    X, y = clear_problem(n=4)
    assert selector(min_features_to_select=0).fit(X, y).n_draws_ == 20


def test_targets_without_spread():
    """Nothing tells anything about a constant."""
    X, _ = clear_problem()
    for estimator in (Ridge(), Lasso()):
        with pytest.warns(UserWarning, match="No feature is significant"):
            fitted = selector(estimator).fit(X, np.full(100, 3.3))
        assert (fitted.scores_ == 0).all()


def test_further_arguments_are_fitted():
    """Metadata that are routed reach the estimator, which is then fitted."""
    import sklearn

    class Offset(Ridge):
        def fit(self, X, y, sample_weight=None, offset=None):
            assert len(offset) == len(X)
            return super().fit(X, y - offset, sample_weight)

    X, y = clear_problem()
    with sklearn.config_context(enable_metadata_routing=True):
        base = Offset().set_fit_request(offset=True)
        step = selector(base, n_resamples=1).fit(X, y, offset=np.zeros(100))
        assert step.engine_ == "refits"
        with pytest.raises(TypeError, match="unexpected argument"):
            selector(Ridge()).fit(X, y, offset=np.zeros(100))
    with pytest.raises(TypeError, match="only with metadata routing switched on"):
        selector(Ridge()).fit(X, y, offset=np.zeros(100))
