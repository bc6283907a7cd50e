"""Permutation importance on given rows, for any estimator, scorer and container."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import get_scorer, make_scorer, median_absolute_error
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier
from genestimators.selection.importances._permutation import (
    check_rows,
    out_of_sample_importance,
    score_drops,
    used_columns,
)
from genestimators.selection.importances._replaced_columns import (
    donors_of,
    rows_to_donate,
    with_donated,
)
from genestimators.selection.importances._row_scoring import (
    resolve_scoring,
    std_error_of,
)


def data(n=40, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X[:, 0] + X[:, 1] ** 2 + 0.3 * rng.normal(size=n)


def slow_importance(fitted, X, y, scorer, labels, n_repeats, seed, weight=None):
    """One copy of X, one permutation and one call of the scorer at a time."""
    arguments = {} if weight is None else {"sample_weight": weight}
    share = None if weight is None else weight / weight.sum()
    before = scorer(fitted, X, y, **arguments)
    found = []
    for unit in range(labels.max() + 1):
        rng = np.random.default_rng([seed, unit])
        after = []
        for donors in donors_of(rng, n_repeats, len(X), share):
            copy = X.copy()
            for column in np.flatnonzero(labels == unit):
                copy[:, column] = X[donors, column]
            after.append(scorer(fitted, copy, y, **arguments))
        found.append(before - np.mean(after))
    return np.array(found)


REGRESSION = [
    "r2",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_median_absolute_error",
    "neg_max_error",
]
CLASSES = [
    "accuracy",
    "neg_log_loss",
    "neg_brier_score",
    "roc_auc",
    "balanced_accuracy",
]
LABELS = np.array([0, 1, 2, 1])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", REGRESSION)
def test_regressor_equals_slow_loop(scoring, weighted):
    """Batched losses give what a scorer called on each copy gives."""
    X, y = data()
    weight = np.random.default_rng(0).uniform(0.2, 2, size=40) if weighted else None
    fitted = KNeighborsRegressor().fit(X, y)
    found = out_of_sample_importance(
        fitted,
        X,
        y,
        scoring=scoring,
        labels=LABELS,
        sample_weight=weight if scoring != "neg_max_error" else None,
        n_repeats=3,
        seed=5,
    )
    expected = slow_importance(
        fitted,
        X,
        y,
        get_scorer(scoring),
        LABELS,
        3,
        5,
        weight if scoring != "neg_max_error" else None,
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"]])
@pytest.mark.parametrize("scoring", CLASSES)
def test_classifier_equals_slow_loop(scoring, labels, weighted):
    """The same of classes, numbers or names."""
    X, y = data()
    y = np.asarray(labels)[(y > 1).astype(int)]
    weight = np.random.default_rng(0).uniform(0.2, 2, size=40) if weighted else None
    fitted = LogisticRegression().fit(X, y)
    settings = {"pos_label": "yes"} if labels[1] == "yes" else {}
    if scoring == "neg_brier_score" and settings:
        pytest.skip("scikit-learn's scorer needs a positive label")
    found = out_of_sample_importance(
        fitted,
        X,
        y,
        scoring=scoring,
        labels=LABELS,
        sample_weight=weight,
        n_repeats=3,
        seed=5,
    )
    expected = slow_importance(fitted, X, y, get_scorer(scoring), LABELS, 3, 5, weight)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_several_outputs_equal_slow_loop():
    """Scores of several outputs are averaged as the scorer does."""
    X, y = data()
    Y = np.column_stack([y, -y, X[:, 3]])
    fitted = KNeighborsRegressor().fit(X, Y)
    for scoring in REGRESSION[:4]:
        found = out_of_sample_importance(
            fitted, X, Y, scoring=scoring, labels=LABELS, n_repeats=2
        )
        expected = slow_importance(fitted, X, Y, get_scorer(scoring), LABELS, 2, 0)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_squared_error"])
@pytest.mark.parametrize("weighted", [False, True])
def test_linear_predictors_get_the_mean_over_all_permutations(scoring, weighted):
    """Monte Carlo goes where the closed form is."""
    X, y = data(n=30)
    weight = np.random.default_rng(0).uniform(0.2, 2, size=30) if weighted else None
    settings = {"scoring": scoring, "sample_weight": weight, "labels": LABELS}
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    found = out_of_sample_importance(fitted, X, y, **settings)

    rows = check_rows(fitted, X, y, sample_weight=weight, labels=LABELS)
    drops, _ = score_drops(
        fitted, X, rows, resolve_scoring(fitted, scoring, y), [0, 1, 2], [0, 1, 2], 2000
    )
    error = drops.std(axis=1) / np.sqrt(2000)
    # Four standard errors of the mean of 2000 permutations.
    assert (np.abs(found - drops.mean(axis=1)) < 4 * error).all()
    again = out_of_sample_importance(fitted, X, y, seed=1, n_repeats=7, **settings)
    np.testing.assert_array_equal(found, again)


def test_given_rows_are_all_that_count():
    """Rows by number are the rows themselves, and weight zero is not being there."""
    X, y = data()
    fitted = KNeighborsRegressor().fit(X[:20], y[:20])
    rows = np.arange(20, 40)
    found = out_of_sample_importance(fitted, X, y, rows, n_repeats=2)
    direct = out_of_sample_importance(fitted, X[rows], y[rows], n_repeats=2)
    np.testing.assert_array_equal(found, direct)
    weight = np.r_[np.zeros(20), np.ones(20)]
    weighted = out_of_sample_importance(fitted, X, y, sample_weight=weight, rows=rows)
    ignored = out_of_sample_importance(fitted, X, y, sample_weight=weight)
    np.testing.assert_array_equal(weighted, ignored)


def test_weighted_donors_donate_by_their_weight():
    """Equal weights give permutations; others a number near n times the share."""
    rng = np.random.default_rng(0)
    equal = donors_of(rng, 50, 16, np.full(16, 1 / 16))
    assert (np.sort(equal, axis=1) == np.arange(16)).all()
    share = rng.dirichlet(np.ones(16))
    donors = donors_of(rng, 4000, 16, share)
    counts = np.stack([np.bincount(each, minlength=16) for each in donors])
    assert (np.abs(counts - 16 * share) < 1).all()
    # A count of 4000 draws is off by less than 1 each: 0.05 is six standard errors.
    np.testing.assert_allclose(counts.mean(axis=0), 16 * share, atol=0.05)


@pytest.mark.parametrize("columns", [[1], [3, 0]])
@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, np.asarray])
def test_copies_of_rows_of_any_kind(make, columns):
    """Stacked copies hold the cells of the donors, and sparse ones stay sparse."""
    X, _ = data(n=9)
    X[np.abs(X) < 0.7] = 0
    donors = donors_of(np.random.default_rng(0), 3, 9)
    copies = with_donated(rows_to_donate(make(X)), np.array(columns), donors)
    assert sparse.issparse(copies) == (make is not np.asarray)
    copies = copies.toarray() if sparse.issparse(copies) else copies
    for number, own in enumerate(donors):
        expected = X.copy()
        for column in columns:
            expected[:, column] = X[own, column]
        np.testing.assert_array_equal(copies[9 * number : 9 * (number + 1)], expected)


class Typed(RegressorMixin, BaseEstimator):
    """Insists on a frame with the dtypes it was fitted on."""

    def fit(self, X, y):
        self.dtypes_ = [str(kind) for kind in X.dtypes]
        self.is_fitted_ = True
        return self

    def predict(self, X):
        assert [str(kind) for kind in X.dtypes] == self.dtypes_
        return (X["text"] == "u").to_numpy() + X["number"].to_numpy()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_keep_their_dtypes(library):
    """Text and whole numbers are permuted as they are."""
    frames = pytest.importorskip(library)
    number = np.arange(20) % 7
    frame = frames.DataFrame(
        {"text": list("uv" * 10), "number": number, "other": np.ones(20, np.float32)}
    )
    if library == "pandas":
        frame["text"] = frame["text"].astype("category")
        frame.index = frame.index[::-1]
    y = number + np.tile([1.0, 0.0], 10)
    found = out_of_sample_importance(Typed().fit(frame, y), frame, y, n_repeats=3)
    assert (found[:2] > 0.1).all()
    assert found[2] == 0
    grouped = out_of_sample_importance(
        Typed().fit(frame, y), frame, y, labels=np.array([0, 0, 1]), n_repeats=3
    )
    assert grouped.shape == (2,)


def test_missing_values_are_the_estimators_business():
    """NaN moves from row to row like any other value."""
    X, y = data(n=200)
    X[::5, 0] = np.nan
    fitted = HistGradientBoostingClassifier(max_iter=5).fit(X, y > 1)
    assert np.isfinite(out_of_sample_importance(fitted, X, y > 1)).all()


def test_sparse_equals_dense():
    """A sparse matrix gives the importances of the same dense one."""
    X, y = data()
    X[np.abs(X) < 0.7] = 0
    nearest = KNeighborsRegressor(algorithm="brute")
    for estimator, tolerance in ((Lasso(0.01), 1e-10), (nearest, 1e-12)):
        estimator.fit(X, y)
        dense = out_of_sample_importance(estimator, X, y, labels=LABELS)
        for make in (sparse.csr_matrix, sparse.csc_array):
            found = out_of_sample_importance(estimator, make(X), y, labels=LABELS)
            # Sums in another order differ by rounding.
            np.testing.assert_allclose(found, dense, atol=tolerance)


def test_columns_that_no_tree_splits_on_are_not_permuted():
    """Trees and their bags tell which columns they use; others are exactly 0."""
    X, y = data(n=80, p=6)
    tree = DecisionTreeRegressor(max_leaf_nodes=3, random_state=0).fit(X, y)
    used = used_columns(tree, 6)
    assert 0 < used.sum() < 3
    found = out_of_sample_importance(tree, X, y)
    np.testing.assert_array_equal(found != 0, used)
    bag = BootstrapBaggingClassifier(n_estimators=3, max_features=2, random_state=0)
    bag.fit(X, y > 1)
    drawn = np.zeros(6, dtype=bool)
    drawn[np.concatenate(bag.estimators_features_)] = True
    assert not (used_columns(bag, 6) & ~drawn).any()
    forest = RandomForestClassifier(3, max_depth=1, random_state=0).fit(X, y > 1)
    assert used_columns(forest, 6).sum() <= 3
    assert used_columns(Ridge().fit(X, y), 6) is None


def test_a_unit_is_permuted_in_its_own_way():
    """Other units being there or not does not change how one is permuted."""
    X, y = data()
    fitted = KNeighborsRegressor().fit(X, y)
    apart = out_of_sample_importance(fitted, X, y, n_repeats=2)
    merged = out_of_sample_importance(
        fitted, X, y, labels=np.array([0, 1, 2, 2]), n_repeats=2
    )
    np.testing.assert_array_equal(apart[:2], merged[:2])


@pytest.mark.parametrize(
    "scoring",
    [
        median_absolute_error,
        make_scorer(median_absolute_error, greater_is_better=False),
        lambda estimator, X, y: -np.abs(estimator.predict(X) - y).max(),
    ],
)
def test_metrics_and_scorers_of_any_kind(scoring):
    """Whatever gives one number may judge."""
    X, y = data()
    fitted = LinearRegression().fit(X, y)
    assert np.isfinite(out_of_sample_importance(fitted, X, y, scoring=scoring)).all()


def test_constant_target_scores_as_scikit_learn_has_it():
    """R2 of a constant target is 1 or 0 and never a division by nothing."""
    X, y = data()
    fitted = Ridge().fit(X, y)
    found = out_of_sample_importance(fitted, X, np.full(40, 0.1))
    np.testing.assert_array_equal(found, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("scoring", ["r2", "neg_root_mean_squared_error"])
def test_influence_tells_the_error_of_the_mean(scoring):
    """The standard error is that found by drawing the rows again and again.

    It is compared with the spread over 200 fresh samples of 100 rows, which has itself
    an error of 5 percent; the importance of few rows is skewed, hence 25 percent.
    """
    X, y = data(n=200, p=2, seed=1)
    fitted = KNeighborsRegressor(20).fit(X, y)
    resolved = resolve_scoring(fitted, scoring, y)
    drops, errors = [], []
    for seed in range(200):
        X, y = data(n=100, p=2, seed=100 + seed)
        rows = check_rows(fitted, X, y)
        found, influence = score_drops(fitted, X, rows, resolved, [0], [seed], 5)
        drops.append(found.mean())
        errors.append(std_error_of(influence, axis=1)[0])
    assert np.mean(errors) == pytest.approx(np.std(drops), rel=0.25)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"scoring": "nope"}, ValueError, "`scoring` must be None, a callable or the"),
        ({"scoring": 3}, TypeError, "`scoring` must be None, a callable.*Got 3"),
        ({"sample_weight": -np.ones(40)}, ValueError, "must not be negative"),
    ],
)
def test_bad_arguments(settings, error, message):
    """One sentence says what is wrong."""
    X, y = data()
    with pytest.raises(error, match=message):
        out_of_sample_importance(Ridge().fit(X, y), X, y, **settings)


def test_bad_shapes():
    """Rows and columns are needed, and as many targets as rows."""
    X, y = data()
    fitted = Ridge().fit(X, y)
    with pytest.raises(ValueError, match="two dimensions, rows and columns"):
        out_of_sample_importance(fitted, X[:, 0], y)
    with pytest.raises(ValueError, match="same number of rows"):
        out_of_sample_importance(fitted, X, y[:-1])
    with pytest.raises(ValueError, match=r"Got shape \(40, 0\)"):
        out_of_sample_importance(fitted, X[:, :0], y)


def test_estimators_without_a_score():
    """Without `score` a scorer has to be named."""

    class Bare(BaseEstimator):
        def predict(self, X):
            return X[:, 0]

    X, y = data()
    with pytest.raises(TypeError, match=r"Bare has no `score`.*pass `scoring`"):
        out_of_sample_importance(Bare(), X, y)
    clusters = KMeans(2, n_init=1, random_state=0).fit(X)
    assert np.isfinite(out_of_sample_importance(clusters, X, y)).all()
