"""What selectors refuse: one sentence with the rule, the value got and the way out."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge

from genestimators import KnockoffSelector
from genestimators._exceptions import NothingSelectedWarning
from genestimators.selection._feature_groups import kept_units
from genestimators.selection._stable_selector import StableFeatureSelector
from tests.selection.stable_toys import OwnRidge, clear_problem

FITTED = [
    "scores_",
    "selection_probabilities_",
    "q_values_",
    "expected_false_positives_",
    "stability_",
    "stability_interval_",
    "stability_paths_",
    "n_features_significant_",
    "n_selected_",
    "nested_sizes_",
    "nested_losses_",
    "ranks_",
]


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"estimator": Ridge}, TypeError, "'estimator' .* object with `fit` or None"),
        ({"importance": "gain"}, ValueError, "'importance' .* Got 'gain' instead"),
        ({"scoring": "r3"}, ValueError, r"name of a scorer .* Got 'r3'\."),
        (
            {"scoring": "neg_mean_absolute_error"},
            ValueError,
            "with estimator=None nested models are scored by squared error",
        ),
        ({"n_resamples": 0}, ValueError, r"'n_resamples' .* range \[1, inf\)"),
        ({"n_resamples": 2.0}, TypeError, "'n_resamples' parameter"),
        ({"resampling": "halves"}, ValueError, "'complementary_pairs' or an object"),
        ({"criterion": "best"}, ValueError, "'criterion' .* Got 'best' instead"),
        ({"criterion": "fdr", "alpha": 0.0}, ValueError, r"range \(0\.0, inf\)"),
        ({"criterion": "fdr", "alpha": 1}, ValueError, r"must be below 1\. Got 1\."),
        ({"criterion": "fdr", "alpha": "0.1"}, TypeError, "'alpha' parameter"),
        ({"alpha": 0.2}, ValueError, "alpha=0.2 with criterion='prediction'; leave"),
        (
            {"criterion": "frequency", "alpha": 1},
            ValueError,
            "`alpha` belongs to the criteria fdr, pfer, .* criterion='frequency'",
        ),
        ({"threshold": 0.9}, ValueError, "threshold=0.9 with criterion='prediction'"),
        (
            {"criterion": "pfer_integrated", "threshold": 0.9},
            ValueError,
            "`threshold` belongs to the criteria pfer, pfer_unimodal",
        ),
        ({"criterion": "pfer", "threshold": 0.5}, ValueError, r"range \(0\.5, 1\.0\]"),
        (
            {"criterion": "pfer", "threshold": 2},
            ValueError,
            r"int in the range \[1, 1\]",
        ),
        ({"criterion": "pfer", "threshold": 1.5}, ValueError, r"range \(0\.5, 1\.0\]"),
        ({"feature_groups": [0, 1]}, ValueError, "each of the 10 features. Got 2"),
        ({"feature_groups": "all"}, ValueError, "'auto', None or one label for each"),
        ({"feature_groups": [[0] * 10]}, TypeError, "one label for each feature"),
        ({"feature_groups": [[0, 1], [2]]}, TypeError, "one label for each feature"),
        (
            {"feature_groups": np.array([{1}] * 10)},
            TypeError,
            "labels that can be told apart as keys, such as texts",
        ),
        ({"always_keep": [[0], [1, 2]]}, TypeError, "a list of names or positions"),
        ({"always_keep": ["age"]}, ValueError, r"X has no names\. Got 'age'"),
        ({"always_keep": "age"}, TypeError, "a list of names or positions. Got 'age'"),
        ({"always_keep": [10]}, ValueError, r"positions of the 10 features.* Got 10\."),
        ({"min_features_to_select": 11}, ValueError, r"features, 10\. Got 11\."),
        ({"min_features_to_select": -1}, ValueError, r"in the range \[0, inf\)"),
        ({"max_features": 0}, ValueError, r"in the range \[1, inf\) or None"),
        (
            {"min_features_to_select": 3, "max_features": 2},
            ValueError,
            r"at least `min_features_to_select`\. Got 2 and 3\.",
        ),
        (
            {"always_keep": [0], "feature_groups": [0, 0] + [1] * 8, "max_features": 1},
            ValueError,
            r"room for the features of `always_keep` and their groups, 2\. Got 1\.",
        ),
        ({"importance": "permutation"}, ValueError, "'permutation' looks at a fitted"),
        ({"importance": abs}, ValueError, r"Got estimator=None\."),
        (
            {"estimator": RandomForestRegressor(2), "importance": "coef"},
            ValueError,
            "`coef_`, and RandomForestRegressor has none; use",
        ),
        (
            {"estimator": OwnRidge(), "importance": lambda model, X, y: [1.0]},
            ValueError,
            r"one number for each of the 10 features\. Got shape \(1,\)\.",
        ),
        (
            {"estimator": OwnRidge(), "importance": lambda model, X, y: X[0] * np.nan},
            ValueError,
            "must return finite numbers. Got NaN",
        ),
        (
            {"memory": 3, "random_state": 0},
            TypeError,
            "'memory' .* object with `cache`",
        ),
    ],
)
def test_parameters(params, error, words):
    """Values out of range, and values that make no sense together."""
    X, y = clear_problem()
    with pytest.raises(error, match=words):
        StableFeatureSelector(**params).fit(X, y)


def test_names_are_those_of_columns():
    """Unknown names come with those that are known."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.ones((10, 2)), columns=["age", "height"])
    step = StableFeatureSelector(always_keep=["weight"])
    with pytest.raises(ValueError, match=r"\['age', 'height'\]\. Got 'weight'\."):
        step.fit(frame, np.arange(10.0))


def test_names_of_several_columns_are_ambiguous():
    """One of them would be taken and the others left, without a word."""
    labels = np.arange(3)
    words = r"several columns of X have this one\. Got 'a'; give their positions"
    with pytest.raises(ValueError, match=words):
        kept_units(["a"], labels, np.array(["a", "a", "b"], dtype=object))
    kept = kept_units(["b", 0], labels, np.array(["a", "a", "b"], dtype=object))
    assert kept.tolist() == [True, False, True]


def test_labels_of_groups_for_knockoffs():
    """Labels that cannot be keys are refused in the same words."""
    X, y = clear_problem(p=3)
    with pytest.raises(TypeError, match="can be told apart as keys"):
        KnockoffSelector(feature_groups=[[0], [0], [1]]).fit(X, y)


def test_a_threshold_of_one_may_be_whole():
    """1 is 1.0: found by all draws."""
    X, y = clear_problem()
    settings = {"criterion": "frequency", "n_resamples": 3, "random_state": 0}
    one, same = (
        StableFeatureSelector(threshold=value, **settings).fit(X, y).get_support()
        for value in (1, 1.0)
    )
    np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("estimator", [None, Ridge()])
@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.ones(10), np.ones(10), "Expected 2D array"),
        (np.ones((10, 0)), np.ones(10), r"0 feature\(s\) \(shape=\(10, 0\)\)"),
        (np.ones((3, 2)), np.arange(3.0), r"at least 4 rows .* n_samples = 3"),
        (np.ones((0, 2)), np.ones(0), r"0 sample\(s\)"),
        (np.ones((10, 2)), None, "requires y to be passed, but the target y is None"),
        (np.ones((10, 2)), np.arange(9.0), "same number of rows. Got 10 and 9"),
        (np.ones((10, 2)), np.full(10, np.nan), "Input y contains NaN"),
    ],
)
def test_data(estimator, X, y, words):
    """Too few rows, no columns, targets that do not belong to them."""
    with pytest.raises(ValueError, match=words):
        StableFeatureSelector(estimator).fit(X, y)


@pytest.mark.parametrize("estimator", [Ridge(), LogisticRegression()])
def test_lists_of_texts_have_no_columns(estimator):
    """There is nothing to select from."""
    with pytest.raises(ValueError, match="must have columns to select from"):
        StableFeatureSelector(estimator).fit(["a", "b", "c", "d"], [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("y", "weight", "words"),
    [
        (["a"] * 9 + ["b"], None, r"a weight of 1 for class 'b'; leave the class out"),
        (["a"] * 10, None, r"at least two classes in y\. Got one class, 'a'\."),
        (["a"] * 8 + ["b"] * 2, [1] * 8 + [1, 0], "a weight of 1 for class 'b'"),
        (["a"] * 8 + ["b"] * 2, [1] * 8 + [0, 0], "Got one class, 'a'"),
        (["a"] * 8 + ["b"] * 2, [1] * 8 + [0.9, 0], "a weight of 1 for class 'b'"),
    ],
)
def test_classes_that_cannot_be_halved(y, weight, words):
    """Every half holds every class, so one row of a class is too few."""
    X = np.random.default_rng(0).normal(size=(10, 2))
    for estimator in (None, LogisticRegression()):
        with pytest.raises(ValueError, match=words):
            StableFeatureSelector(estimator).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("y", [np.full(100, 3.0), np.zeros(100, dtype=int)])
def test_constant_numbers_are_no_classes(y):
    """Nothing is significant for a target that does not vary, and that is said."""
    X, _ = clear_problem()
    with pytest.warns(NothingSelectedWarning, match="No feature is significant"):
        step = StableFeatureSelector(random_state=0).fit(X, y)
    assert step.n_features_significant_ == 0


@pytest.mark.parametrize("estimator", [None, Ridge()])
def test_none_among_numbers(estimator):
    """A missing target is called so, and not taken for a class."""
    X, y = clear_problem()
    y = y.astype(object)
    y[0] = None
    with pytest.raises(ValueError, match="Input y contains NaN"):
        StableFeatureSelector(estimator).fit(X, y)


def test_classes_of_small_weights():
    """Weights that sum to one will do; classes of no weight are not there."""
    X, y = clear_problem()
    y = np.where(y > 0, "yes", "no")
    step = StableFeatureSelector(random_state=0, n_resamples=3)
    assert step.fit(X, y, sample_weight=np.full(100, 0.01)).get_support()[0]
    weight = np.ones(100)
    weight[0] = 0
    y[0] = "never seen"
    assert step.fit(X, y, sample_weight=weight).get_support()[0]


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.ones(99), "one weight for each of the 100 rows"),
        (np.full(100, -1.0), "must not be negative"),
        (np.zeros(100), "must not be zero for every row"),
        (
            np.r_[np.ones(3), np.zeros(97)],
            "at least 4 rows of positive weight .* Got 3",
        ),
        (np.full(100, 100.0), "not come to more than 20 rows .* divide"),
    ],
)
def test_weights(weight, words):
    """One a row, enough of them positive, none too large to draw rows by."""
    X, y = clear_problem()
    with pytest.raises(ValueError, match=words):
        StableFeatureSelector().fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("factor", [1e170, 1e-200])
def test_targets_whose_squares_are_no_numbers(factor):
    """Squares that overflow or vanish would rank nothing."""
    X, y = clear_problem()
    with pytest.raises(ValueError, match=r"y must have sizes between 1e-140 .* unit"):
        StableFeatureSelector().fit(X, y * factor)


def test_errors_of_estimators_say_in_which_draw():
    """Their type and message stay as they are."""

    class Failing(Ridge):
        def fit(self, X, y, sample_weight=None):
            raise RuntimeError("no luck")

    X, y = clear_problem()
    with pytest.raises(RuntimeError, match="no luck") as caught:
        StableFeatureSelector(Failing(), random_state=0).fit(X, y)
    assert caught.value.__notes__ == ["in draw 0"]


@pytest.mark.parametrize("name", FITTED)
def test_figures_before_fit(name):
    """An AttributeError, so that `hasattr` and representations work."""
    with pytest.raises(AttributeError, match="not fitted yet; call `fit` first"):
        getattr(StableFeatureSelector(), name)
    with pytest.raises(NotFittedError):
        StableFeatureSelector().get_support()
    assert StableFeatureSelector()._repr_html_()


@pytest.mark.parametrize("name", ["q_values_", "expected_false_positives_"])
def test_figures_of_other_criteria(name):
    """Only the criteria that have them tell them."""
    X, y = clear_problem()
    fitted = StableFeatureSelector(random_state=0, n_resamples=2).fit(X, y)
    with pytest.raises(AttributeError, match="no such figure with criterion='pred"):
        getattr(fitted, name)


def test_another_number_of_columns():
    """What is transformed has the columns that were fitted."""
    X, y = clear_problem()
    fitted = StableFeatureSelector(random_state=0, n_resamples=2).fit(X, y)
    with pytest.raises(ValueError, match="X has 9 features, but StableFeatureSelector"):
        fitted.transform(X[:, :9])
