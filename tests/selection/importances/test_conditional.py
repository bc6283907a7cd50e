"""Conditional importance of a fitted estimator."""

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingRegressor, UnweightedScoreWarning
from genestimators.selection.importances._conditional import conditional_importance
from genestimators.selection.importances._conditional_residuals import (
    conditional_residuals,
)
from genestimators.selection.importances._replaced_columns import donors_of


def data(n=80, p=5, seed=0):
    """Neighbouring columns correlate; the first, the second and the last matter."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 1:] += 0.8 * X[:, :-1]
    return X, X[:, 0] + X[:, 1] - 2 * X[:, -1] + rng.normal(size=n)


MEDIAN = "neg_median_absolute_error"  # no mean over rows
GROUPS = np.array(["u", "v", "v", "w", "u"])


def slow_importance(fitted, X, y, scorer, labels, n_repeats, random_state, weight):
    """One copy of X and one call of the scorer at a time."""
    arguments = {} if weight is None else {"sample_weight": weight}
    share = None if weight is None else weight / weight.sum()
    residuals = conditional_residuals(X, sample_weight=weight, labels=labels)
    residuals = residuals.calibrated(labels)
    before = scorer(fitted, X, y, **arguments)
    n_units = labels.max() + 1
    seeds = np.random.RandomState(random_state).randint(2**31 - 1, size=n_units)
    found = []
    for unit, seed in enumerate(seeds):
        rng = np.random.default_rng(int(seed))
        after = []
        for donors in donors_of(rng, n_repeats, len(X), share):
            copy = X.copy()
            for column in np.flatnonzero(labels == unit):
                own = residuals[:, column]
                copy[:, column] += own[donors] - own
            after.append(scorer(fitted, copy, y, **arguments))
        found.append(before - np.mean(after))
    return before, np.array(found)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error", MEDIAN])
def test_permutation_equals_slow_loop(scoring, groups, weighted):
    """Batches of copies give what one copy at a time gives."""
    X, y = data()
    weight = np.random.default_rng(0).uniform(0.2, 2, size=80) if weighted else None
    fitted = KNeighborsRegressor().fit(X, y)
    result = conditional_importance(
        fitted,
        X,
        y,
        scoring=scoring,
        sample_weight=weight,
        feature_groups=groups,
        n_repeats=3,
        random_state=7,
    )
    labels = np.arange(5) if groups is None else np.array([0, 1, 1, 2, 0])
    score, expected = slow_importance(
        fitted, X, y, get_scorer(scoring), labels, 3, 7, weight
    )
    assert result.score == pytest.approx(score)
    np.testing.assert_allclose(result.importances_mean, expected, atol=1e-12)
    assert result.method == "permutation"
    assert (result.p_values is None) == (scoring == MEDIAN)
    assert len(result.names) == len(expected)


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_squared_error"])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("groups", [None, GROUPS])
def test_closed_form_is_where_permutation_goes(scoring, outputs, weighted, groups):
    """The closed form has the mean and the standard error of many permutations."""
    X, y = data()
    y = y if outputs == 1 else np.column_stack([y, X[:, 2] ** 2])
    weight = np.random.default_rng(0).uniform(0.2, 2, size=80) if weighted else None
    fitted = make_pipeline(MinMaxScaler(), Ridge(0.1)).fit(X[:60], y[:60])
    settings = {
        "scoring": scoring,
        "sample_weight": weight,
        "feature_groups": groups,
        "random_state": 0,
    }
    closed = conditional_importance(fitted, X, y, **settings)
    many = conditional_importance(
        fitted, X, y, method="permutation", n_repeats=1000, **settings
    )
    assert closed.method == "closed_form"
    assert closed.n_repeats is None
    assert closed.score == pytest.approx(many.score)
    # A mean of 1000 permutations of 80 rows is off by about 1 percent of the standard
    # error over rows, times the root of the share of permutation in it.
    error = closed.importances_std_error
    assert (np.abs(closed.importances_mean - many.importances_mean) < 0.1 * error).all()
    np.testing.assert_allclose(many.importances_std_error, error, rtol=0.05)
    np.testing.assert_allclose(many.p_values, closed.p_values, atol=0.02)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("n", [40, 8])
def test_units_of_columns_do_not_matter(n, offset):
    """Importances are those of the model, whatever scale or origin its columns have."""
    X, y = data(n, 8)
    factors = np.geomspace(1e-3, 1e3, 8)
    results = []
    for Z in (X, factors * (X + offset)):
        fitted = make_pipeline(StandardScaler(), Ridge()).fit(Z, y)
        results.append(conditional_importance(fitted, Z, y).importances_mean)
    # Columns of mean 1e6 keep ten digits, of which regressions cost some.
    np.testing.assert_allclose(*results, atol=1e-6)


def test_copies_and_constants_have_no_importance():
    """What another column tells as well is nobody's; together it counts."""
    X, y = data(200)
    X = np.column_stack([X, X[:, 0], np.full(200, 3.0)])
    fitted = Ridge().fit(X[:100], y[:100])
    result = conditional_importance(fitted, X[100:], y[100:])
    # The least ridge penalty, 1e-8, leaves as little of a copy.
    assert np.abs(result.importances_mean[[0, 5]]).max() < 1e-6
    assert result.importances_mean[6] == 0
    assert result.p_values[6] == 1
    together = conditional_importance(
        fitted, X[100:], y[100:], feature_groups=[0, 1, 2, 3, 4, 0, 5]
    )
    assert together.importances_mean[0] > 0.01
    assert together.p_values[0] < 1e-3


@pytest.mark.parametrize("method", ["auto", "permutation"])
def test_features_without_a_use_are_exactly_zero(method):
    """A coefficient of zero has no importance, no error, and a p-value of 1."""
    X, y = data(100, 12)
    fitted = Lasso(0.5).fit(X[:50], y[:50])
    result = conditional_importance(
        fitted, X[50:], y[50:], method=method, random_state=0
    )
    dropped = fitted.coef_ == 0
    assert dropped.any()
    np.testing.assert_array_equal(result.importances_mean == 0, dropped)
    np.testing.assert_array_equal(result.importances_std_error == 0, dropped)
    np.testing.assert_array_equal(result.p_values == 1, dropped)


def test_trees_and_forests_are_asked_for_used_features_only():
    """A stump has one feature of importance."""
    X, y = data()
    stump = DecisionTreeRegressor(max_depth=1, random_state=0).fit(X, y)
    result = conditional_importance(stump, X, y, random_state=0)
    assert (result.importances_mean != 0).sum() == 1
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=3, random_state=0)
    assert conditional_importance(bag.fit(X, y), X, y).method == "closed_form"


def test_weight_zero_is_not_being_there():
    """Rows of weight zero are neither scored nor donors, nor in the regressions."""
    X, y = data()
    weight = np.r_[np.ones(50), np.zeros(30)]
    for fitted in (Ridge().fit(X, y), KNeighborsRegressor().fit(X, y)):
        one = conditional_importance(fitted, X, y, sample_weight=weight, random_state=0)
        two = conditional_importance(
            fitted, X[:50], y[:50], sample_weight=np.ones(50), random_state=0
        )
        np.testing.assert_allclose(one.importances_mean, two.importances_mean)
        assert one.n_rows == 50


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_jobs_change_nothing(backend):
    """Seeds are made before the work is dealt out."""
    X, y = data()
    fitted = KNeighborsRegressor().fit(X, y)
    one = conditional_importance(fitted, X, y, random_state=3)
    with parallel_config(backend=backend):
        two = conditional_importance(fitted, X, y, random_state=3, n_jobs=2)
    np.testing.assert_array_equal(one.importances_mean, two.importances_mean)
    np.testing.assert_array_equal(one.importances_std_error, two.importances_std_error)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("estimator", [Ridge(), KNeighborsRegressor()], ids=str)
def test_frames_reach_the_estimator_as_frames(library, estimator):
    """Names are those of the columns, and no warning about names is given."""
    frames = pytest.importorskip(library)
    X, y = data()
    X[:, 2] = X[:, 2].round()
    columns = dict(zip("abcde", X.T, strict=True))
    columns["c"] = columns["c"].astype(int)
    frame = frames.DataFrame(columns)
    result = conditional_importance(estimator.fit(frame, y), frame, y, random_state=0)
    plain = conditional_importance(estimator.fit(X, y), X, y, random_state=0)
    assert result.names.tolist() == list("abcde")
    np.testing.assert_allclose(result.importances_mean, plain.importances_mean)
    assert plain.names.tolist() == ["x0", "x1", "x2", "x3", "x4"]


def test_frames_of_other_cells_are_refused():
    """Categories and text are no numbers, even if they look like it."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 4.0], "b": ["1", "2", "3"]})
    y = [1.0, 0.0, 2.0]
    fitted = Ridge().fit(frame[["a", "a"]].to_numpy(), y)
    for kind in (str, object, "category"):
        frame["b"] = frame["b"].astype(kind)
        with pytest.raises(TypeError, match="cells that are no numbers; encode"):
            conditional_importance(fitted, frame, y)
    frame["b"] = [True, False, True]
    assert conditional_importance(fitted, frame.to_numpy(), y).n_rows == 3


def test_classifiers_by_name_and_by_default():
    """Accuracy by default, with string labels; probabilities where asked for."""
    X, y = data(200)
    y = np.where(y > 0, "yes", "no")
    fitted = LogisticRegression().fit(X[:100], y[:100])
    for scoring in (None, "neg_log_loss", "roc_auc"):
        result = conditional_importance(
            fitted, X[100:], y[100:], scoring=scoring, random_state=0
        )
        assert result.importances_mean.argmax() == 4
        assert (result.p_values is None) == (scoring == "roc_auc")
        assert result.by_rows == (scoring != "roc_auc")


def test_single_precision_stays_single():
    """A closed form is found in single precision, and rows stay in it."""
    X, y = data()
    single = X.astype(np.float32)
    one = conditional_importance(LinearRegression().fit(X, y), X, y)
    two = conditional_importance(LinearRegression().fit(single, y), single, y)
    assert two.method == "closed_form"
    np.testing.assert_allclose(one.importances_mean, two.importances_mean, rtol=1e-4)

    class Checks(KNeighborsRegressor):
        def predict(self, X):
            assert X.dtype == np.float32
            return super().predict(X)

    conditional_importance(Checks().fit(single, y), single, y, random_state=0)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (30, 1)])
def test_few_rows_and_few_columns(shape):
    """One row has no standard error; one column has nothing to be given."""
    X, y = data(40, 3)
    X = X[:, : shape[1]]
    for fitted in (Ridge().fit(X, y), KNeighborsRegressor().fit(X, y)):
        result = conditional_importance(
            fitted,
            X[: shape[0]],
            y[: shape[0]],
            scoring="neg_mean_squared_error",
            random_state=0,
        )
        assert np.isfinite(result.importances_mean).all()
        assert np.isnan(result.importances_std_error).all() == (shape[0] == 1)
        if shape[0] < 3:
            assert not (result.p_values < 1).any()
        str(result)


def test_result_reads_well():
    """Text and HTML list the greatest first, with errors and p-values."""
    X, y = data(60, 20)
    X, y = X[:40], y[:40]
    fitted = Ridge().fit(X, y)
    result = conditional_importance(fitted, X, y)
    lines = str(result).splitlines()
    assert lines[0].startswith("Drop of r2 (0.9")
    assert "all permutations at once; standard errors over rows" in lines[0]
    assert lines[1].split()[0] == f"x{result.importances_mean.argmax()}"
    assert lines[1].count("+-") == lines[1].count("(p ") == 1
    assert lines[-1] == "  and 5 more"
    page = result._repr_html_()
    assert page.startswith("<table>")
    assert page.count("<tr>") == 16
    assert "p-value" in page
    again = conditional_importance(
        fitted,
        X,
        y,
        scoring=MEDIAN,
        n_repeats=1,
        feature_groups=["<b>"] + ["rest"] * 19,
    )
    assert "by 1 permutation; standard errors over repeats" in str(again)
    assert "+-" not in str(again)
    assert "&lt;b&gt;" in again._repr_html_()
    assert "p-value" not in again._repr_html_()
    assert set(result.to_dict()) == set(vars(result))
    assert str(pickle.loads(pickle.dumps(result))) == str(result)


def test_scorers_without_weights_warn_once():
    """A scorer that takes no weights says so, once."""
    X, y = data()
    fitted = KNeighborsRegressor().fit(X, y)

    def closest(estimator, X, y):
        return -np.abs(estimator.predict(X) - y).min()

    with pytest.warns(UnweightedScoreWarning) as caught:
        conditional_importance(
            fitted, X, y, scoring=closest, sample_weight=np.arange(1.0, 81)
        )
    assert len(caught) == 1


NUMBERS = np.arange(15.0).reshape(5, 3) ** 2


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_repeats": 0}, ValueError, "'n_repeats' parameter of conditional_imp"),
        ({"n_repeats": 1.5}, TypeError, "'n_repeats' parameter of conditional_imp"),
        ({"method": "exact"}, ValueError, "one of {'auto', 'closed_form', 'permu"),
        ({"scoring": "nope"}, ValueError, "`scoring` must be None, a callable"),
        ({"feature_groups": [0, 1]}, ValueError, "one label for each of the 3"),
        ({"feature_groups": ["a", None, "b"]}, ValueError, "missing labels"),
        ({"sample_weight": [1, 2]}, ValueError, "one weight for each of the 5"),
        (
            {"scoring": "neg_mean_absolute_error", "method": "closed_form"},
            ValueError,
            "needs R2 or mean squared error as the score. Got neg_mean_abs",
        ),
        ({"X": sparse.csr_matrix(NUMBERS)}, TypeError, r"pass X\.toarray\(\)"),
        ({"X": np.where(NUMBERS == 4, np.nan, NUMBERS)}, ValueError, "row 0, column 2"),
        ({"X": NUMBERS.astype(str)}, TypeError, "cells that are no numbers"),
        ({"X": NUMBERS[0]}, ValueError, "two dimensions"),
        ({"y": np.ones(4)}, ValueError, "same number of rows"),
    ],
)
def test_bad_arguments(settings, error, message):
    """One sentence says the rule, what was got, and the way out."""
    y = np.array([1.0, 2.0, 0.0, 5.0, 1.0])
    fitted = Ridge().fit(NUMBERS, y)
    arguments = {"X": NUMBERS, "y": y} | settings
    with pytest.raises(error, match=message):
        conditional_importance(fitted, **arguments)


def test_estimators_that_are_not_fitted_or_not_linear():
    """Both are told apart from bad arguments."""
    X, y = data()
    with pytest.raises(NotFittedError):
        conditional_importance(Ridge(), X, y)
    forest = RandomForestRegressor(3, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Those of RandomForestRegressor are not"):
        conditional_importance(forest, X, y, method="closed_form")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["closed_form", "permutation"])
def test_p_values_hold_their_level_on_new_rows(kind):
    """A feature that does not help given its neighbours is found in 5 of 100 cases.

    Half of ten features matter; noise makes the fitted model use the others too. Of
    200 data sets, times five features that share the data, rejections at 0.05 have a
    standard error of about 0.01: 0.08 is three of them above.
    """
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(160, 10))
        X[:, 1:] += 0.7 * X[:, :-1]
        y = X[:, ::2].sum(axis=1) + 2 * rng.normal(size=160)
        fitted = LinearRegression().fit(X[:60], y[:60])
        settings = (
            {} if kind == "closed_form" else {"scoring": "neg_mean_absolute_error"}
        )
        result = conditional_importance(
            fitted, X[60:], y[60:], n_repeats=5, random_state=seed, **settings
        )
        assert result.method == kind
        found.append(result.p_values)
    found = np.array(found)
    assert np.mean(found[:, 1::2] < 0.05) < 0.08
    assert np.mean(found[:, ::2] < 0.05) > 0.7


@pytest.mark.slow
def test_standard_error_is_the_spread_over_samples():
    """Importances of 400 fresh samples of rows vary as their standard errors say.

    The spread of 400 has an error of 4 percent, and regressions on few rows add a
    little that is not counted: 15 percent.
    """
    X, y = data(200)
    fitted = Ridge().fit(X, y)
    results = [
        conditional_importance(fitted, *data(100, seed=100 + seed))
        for seed in range(400)
    ]
    spread = np.std([result.importances_mean for result in results], axis=0)
    told = np.mean([result.importances_std_error for result in results], axis=0)
    np.testing.assert_allclose(told, spread, rtol=0.15)
