"""Data on which a selector once went wrong: each test names the reason."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from genestimators import KnockoffSelector, StableFeatureSelector
from genestimators.resampling._hashing import derive
from genestimators.selection._gather import _additive, _prepare, gather_null
from genestimators.selection.importances._linear import LinearFits
from genestimators.selection.importances._linear_bases import linear_base
from tests.selection.stable_toys import clear_problem

BOUNDS = ("pfer", "pfer_unimodal", "pfer_r_concave", "pfer_integrated")


@pytest.mark.parametrize("importance", ["elimination", "additive", "coef"])
@pytest.mark.parametrize("criterion", BOUNDS)
def test_columns_of_no_use_do_not_raise_what_a_draw_may_keep(criterion, importance):
    """Constants are never kept by chance, so the others may not count as rare."""
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(200, 5)), np.zeros((200, 95))]
    y = rng.normal(size=200)
    step = StableFeatureSelector(
        importance=importance,
        criterion=criterion,
        alpha=1,
        min_features_to_select=0,
        random_state=0,
    ).fit(X, y)
    assert step.n_features_significant_ == 0
    assert (step.ranks_[:, 5:] == 101).all()
    np.testing.assert_array_equal(step.expected_false_positives_[5:], 5.0)


def test_nothing_but_constants():
    """None is of use."""
    X, y = np.ones((50, 30)), np.arange(50.0) % 7
    for criterion in BOUNDS:
        step = StableFeatureSelector(
            criterion=criterion, alpha=1, min_features_to_select=0, random_state=0
        )
        assert step.fit(X, y).n_features_significant_ == 0
        np.testing.assert_array_equal(step.expected_false_positives_, 30.0)


def test_copies_are_of_no_use():
    """Thirty copies of a column are one column, whatever their sign and unit."""
    rng = np.random.default_rng(0)
    once = rng.normal(size=(200, 1))
    X = np.hstack([once * np.linspace(-1, 2, 30), rng.normal(size=(200, 3))])
    step = StableFeatureSelector(
        criterion="pfer_r_concave", alpha=0.1, min_features_to_select=0, random_state=0
    ).fit(X, rng.normal(size=200))
    assert step.n_features_significant_ == 0
    assert (step.ranks_[:, 1:30] == 34).all()
    assert sorted(step.ranks_[0, [0, 30, 31, 32]]) == [1, 2, 3, 4]


def own_scores():
    """Estimators whose score is neither R2 nor accuracy."""
    search = GridSearchCV(
        Ridge(), {"alpha": [0.1, 1]}, scoring="neg_mean_squared_error", cv=3
    )
    return [search, make_pipeline(search), PoissonRegressor(alpha=1e-3)]


@pytest.mark.parametrize("place", range(3))
def test_no_feature_is_scored_as_some_are(place):
    """The score of an estimator's own kind also says what nothing is worth."""
    X, y = clear_problem(n=80, p=4, n_signal=2)
    y = np.exp(y / 3)
    estimator = own_scores()[place]
    step = StableFeatureSelector(estimator, n_resamples=3, random_state=0).fit(X, y)
    losses = step.nested_losses_.mean(axis=0)
    assert losses[0] > losses[2]
    assert step.get_support()[:2].all()
    if place < 2:  # a fit to a constant column is what no feature is
        other = StableFeatureSelector(
            Ridge(),
            scoring="neg_mean_squared_error",
            importance="permutation",
            n_resamples=3,
            random_state=0,
        ).fit(X, y)
        np.testing.assert_allclose(
            step.nested_losses_[0, 0], other.nested_losses_[0, 0], rtol=1e-9
        )


def test_own_scores_that_need_columns_ask_for_scoring():
    """An estimator that selects columns by name cannot be fitted without them."""
    X, y = clear_problem(n=60, p=3)
    frame = pytest.importorskip("pandas").DataFrame(X, columns=list("abc"))
    inner = make_pipeline(make_column_transformer(("passthrough", ["a"])), Ridge())
    search = GridSearchCV(inner, {"ridge__alpha": [1]}, scoring="r2", cv=2)
    step = StableFeatureSelector(search, importance=lambda m, X, y: [3.0, 2, 1])
    with pytest.raises(ValueError, match=r"`scoring` must be given .* GridSearchCV"):
        step.set_params(n_resamples=1, max_features=3).fit(frame, y)


@pytest.mark.parametrize("importance", ["elimination", "additive", "conditional"])
@pytest.mark.parametrize("of_classes", [False, True])
def test_permuted_runs_of_draws_that_know_y(importance, of_classes):
    """Where halves hold every class, or rows weigh, the rows of X change places."""
    X, y = clear_problem(n=60, p=4)
    weight = None if of_classes else np.linspace(0.5, 1.5, 60)
    y = y > 0 if of_classes else y
    step = StableFeatureSelector(
        importance=importance, n_resamples=2, random_state=0
    ).fit(X, y, sample_weight=weight)
    request = step._request
    (found,) = gather_null(request, range(1))
    data, _ = _prepare(request, None, 0, "")
    order = np.random.default_rng(derive(request.seed, "null", 0)).permutation(60)
    permuted = replace(data, X=data.X[order])
    if importance == "additive":
        expected = _additive(permuted)[0]
    else:
        base = linear_base(None, data.classifier)
        expected = LinearFits(base, permuted, permuted.X).scores(importance)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_rate_for_rare_classes():
    """Halves that hold every class know y, so the permuted runs permute X.

    Four of 60 rows are of one class. With y permuted in fixed halves 16 % of such data
    sets had a discovery. Of 200 at a rate of 10 %, more than 15 % come up with a
    probability of one in a hundred.
    """
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(60, 10))
        y = np.where(rng.permutation(60) < 4, "rare", "common")
        step = StableFeatureSelector(
            criterion="fdr",
            n_resamples=5,
            min_features_to_select=0,
            random_state=seed,
        )
        found += step.fit(X, y).n_features_significant_ > 0
    assert found <= 30


@pytest.mark.parametrize("estimator", [None, Lasso()])
def test_relative_weights_are_relative(estimator):
    """Their size is not weighed against a ridge of the selector's own."""
    rng = np.random.default_rng(0)
    X, y = clear_problem(n=200)
    weight = rng.uniform(0.5, 1.5, size=200)
    losses = [
        StableFeatureSelector(estimator, n_resamples=5, random_state=0)
        .fit(X, y, sample_weight=weight * factor)
        .nested_losses_
        for factor in (1.0, 1e-5, 1e4 / 3)
    ]
    for other in losses[1:]:
        np.testing.assert_allclose(other, losses[0], rtol=1e-6)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_missing_values_are_the_business_of_a_composite(kind):
    """What it is made of may fill them, whatever its tags say."""
    library = pytest.importorskip(kind)
    X, y = clear_problem(n=60, p=4)
    X[3, 1] = np.nan
    frame = library.DataFrame(dict(zip("abcd", X.T, strict=True)))
    fill = make_column_transformer((SimpleImputer(), make_column_selector()))
    if kind == "polars":
        fill = SimpleImputer()
    step = StableFeatureSelector(
        GridSearchCV(make_pipeline(fill, Ridge()), {"ridge__alpha": [1.0]}, cv=2),
        n_resamples=2,
        scoring="r2",
        importance=lambda model, X, y: np.ones(X.shape[1]),
        random_state=0,
    )
    step.set_output(transform=kind)
    assert step.fit(frame, y).transform(frame).shape[0] == 60


def test_data_that_change_after_a_fit():
    """Runs with permuted y would belong to other data than the scores."""
    X, y = clear_problem()
    step = StableFeatureSelector(random_state=0, n_resamples=5).fit(X, y)
    step._request.y[:] = 0.0
    step.set_params(criterion="fdr")
    with pytest.raises(ValueError, match="X or y have been changed since; fit again"):
        step.get_support()


def test_components_are_no_columns():
    """Knockoffs compare columns with their copies, which components mix."""
    X, y = clear_problem()
    step = KnockoffSelector(make_pipeline(PCA(), Ridge()), n_copies=2, random_state=0)
    with pytest.raises(ValueError, match="PCA makes other columns of them"):
        step.fit(X, y)
