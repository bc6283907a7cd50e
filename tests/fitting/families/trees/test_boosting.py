"""Boosting rounds from one fit against a fit for each number of rounds."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting import find_family
from genestimators.fitting.families.trees._boosting import StagedPath, weighted_medians
from tests.fitting.families.against_refits import assert_equals_refits

ROUNDS = [5, 1, 9, 3, 5]

REGRESSORS = [
    GradientBoostingRegressor(subsample=0.7, max_depth=2, random_state=3),
    GradientBoostingRegressor(loss="huber", max_features=2, random_state=0),
    GradientBoostingRegressor(init=LinearRegression(), random_state=0),
    GradientBoostingRegressor(init="zero", random_state=0),
    HistGradientBoostingRegressor(early_stopping=False),
    HistGradientBoostingRegressor(
        early_stopping=False,
        loss="quantile",
        quantile=0.3,
        max_features=0.5,
        random_state=1,
    ),
    AdaBoostRegressor(random_state=3),
    AdaBoostRegressor(loss="square", estimator=Ridge(), random_state=0),
]
CLASSIFIERS = [
    GradientBoostingClassifier(subsample=0.7, max_depth=2, random_state=3),
    GradientBoostingClassifier(init="zero", random_state=0),
    HistGradientBoostingClassifier(early_stopping=False),
    HistGradientBoostingClassifier(early_stopping=False, class_weight="balanced"),
    AdaBoostClassifier(random_state=0),
    AdaBoostClassifier(estimator=GaussianNB(), learning_rate=0.5, random_state=0),
]


def rounds_of(model):
    """The name of the number of rounds."""
    return "max_iter" if hasattr(model, "max_iter") else "n_estimators"


def regression(seed=0, n=90, p=5, **settings):
    """A target with noise."""
    return make_regression(n, p, noise=10, random_state=seed, **settings)


def classification(seed=0, n=90, n_classes=3):
    """Labels as text."""
    X, y = make_classification(
        n, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=seed
    )
    return X, np.array(["c", "a", "b"])[y]


def fit_path(model, X, y, values, weight=None):
    """The path of an estimator on all rows."""
    family = find_family(model, rounds_of(model))
    assert family.unsupported(model, X, y, weight, values) is None
    return family.fit_path(model, X, y, weight, values)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", REGRESSORS)
def test_rounds_of_regressors_equal_refits(model, seed):
    """Predictions of each number of rounds."""
    X, y = regression(seed)
    assert_equals_refits(model, rounds_of(model), ROUNDS, X, y, rtol=0)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", CLASSIFIERS)
def test_rounds_of_classifiers_equal_refits(model, n_classes):
    """Labels, probabilities and decisions of each number of rounds."""
    X, y = classification(n_classes, n_classes=n_classes)
    assert_equals_refits(model, rounds_of(model), ROUNDS, X, y, rtol=1e-12)


def test_other_losses_equal_refits():
    """The exponential loss has probabilities; log links are undone."""
    X, y = classification(n_classes=2)
    model = GradientBoostingClassifier(loss="exponential", random_state=0)
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, rtol=0)
    model = GradientBoostingClassifier(init=LogisticRegression(), random_state=0)
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, rtol=0)
    X, y = regression()
    y = np.exp(y / y.std())
    for loss in ("poisson", "gamma"):
        model = HistGradientBoostingRegressor(loss=loss, early_stopping=False)
        assert_equals_refits(model, "max_iter", ROUNDS, X, y, rtol=0)


@pytest.mark.parametrize("model", [*REGRESSORS[::2], *CLASSIFIERS[::2]])
@pytest.mark.parametrize("kind", ["whole", "uneven"])
def test_weights_equal_refits(model, kind):
    """Rows that count more, by whole numbers and by very different ones."""
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, size=90).astype(float)
    if kind == "uneven":
        weight = 10.0 ** rng.uniform(-2, 2, size=90)
    X, y = classification() if hasattr(model, "predict_proba") else regression()
    assert_equals_refits(
        model, rounds_of(model), [1, 9], X, y, sample_weight=weight, rtol=1e-12
    )


@pytest.mark.parametrize("model", REGRESSORS[::2])
def test_odd_data_equal_refits(model):
    """Single precision, ties, constant columns, offsets, few rows of many columns."""
    X, y = regression()
    constant = np.column_stack([np.round(X), np.full(len(X), 3.0)])
    for table, target in (
        (X.astype(np.float32), y),
        (constant, np.round(y)),
        (X[:, :1] + 1e6, y + 1e6 * y.std()),
        regression(n=24, p=40),
    ):
        assert_equals_refits(model, rounds_of(model), [5, 2], table, target, rtol=0)


def test_pipelines_equal_refits():
    """Behind a step, and before a target that is transformed back."""
    X, y = regression()
    model = make_pipeline(StandardScaler(), GradientBoostingRegressor(random_state=0))
    name = "gradientboostingregressor__n_estimators"
    assert_equals_refits(model, name, ROUNDS, X, y, rtol=0)
    model = TransformedTargetRegressor(
        HistGradientBoostingRegressor(early_stopping=False),
        transformer=StandardScaler(),
    )
    assert_equals_refits(model, "regressor__max_iter", ROUNDS, X, y)


def test_frames_equal_refits():
    """Frames, with categories where the estimator takes them, without a warning."""
    pd = pytest.importorskip("pandas")
    X, y = regression()
    X = pd.DataFrame(X, columns=list("abcde"))
    for model in (REGRESSORS[0], REGRESSORS[6]):
        assert_equals_refits(model, "n_estimators", [4, 2], X, y, rtol=0)
    X["f"] = pd.Categorical(np.where(y > 0, "up", "down"))
    model = HistGradientBoostingRegressor(early_stopping=False)
    assert_equals_refits(model, "max_iter", [4, 2], X, y, rtol=0)


@pytest.mark.parametrize("model", [REGRESSORS[0], REGRESSORS[6], CLASSIFIERS[4]])
def test_sparse_equals_refits(model):
    """Sparse rows, where the estimator takes them."""
    X, y = classification() if hasattr(model, "predict_proba") else regression()
    X = sparse.csr_array(np.where(np.abs(X) > 0.5, X, 0))
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, rtol=1e-12)


def test_adaboost_that_stops_equals_refits():
    """Rounds after a perfect or a useless model do not exist and change nothing."""
    X, y = classification(n_classes=2)
    X = np.column_stack([X, y == "a"]).astype(float)
    model = AdaBoostClassifier(random_state=0)
    assert len(fit_path(model, X, y, ROUNDS).fitted.estimators_) == 1
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, rtol=0)
    X, y = regression(3, n=60)
    model = AdaBoostRegressor(Ridge(alpha=1e4), loss="linear", random_state=0)
    stopped = len(fit_path(model, X, y, [1, 200]).fitted.estimators_)
    assert 1 < stopped < 200
    values = [1, stopped - 1, stopped, stopped + 1, 200]
    assert_equals_refits(model, "n_estimators", values, X, y, rtol=0)


def test_early_stopping_is_off():
    """Every round that is asked for is fitted, whatever the estimator was told."""
    X, y = regression(p=2)
    for model, off in (
        (GradientBoostingRegressor(n_iter_no_change=1, random_state=0), {}),
        (HistGradientBoostingRegressor(early_stopping=True, n_iter_no_change=1), {}),
    ):
        off = find_family(model, rounds_of(model)).settings
        path = fit_path(model, X, y, [5, 60])
        for i, number in enumerate([5, 60]):
            one = type(model)(random_state=0, **off)
            one.set_params(**{rounds_of(model): number}).fit(X, y)
            np.testing.assert_array_equal(path.predict(X)[i], one.predict(X))


def test_other_settings_are_refitted():
    """The generic engine does what the family does not."""
    X, y = regression()
    model = GradientBoostingRegressor(warm_start=True, random_state=0)
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, served=False)
    model = HistGradientBoostingRegressor(warm_start=True)
    assert find_family(model, "max_iter").unsupported(model, X, y, None, [2])
    model = AdaBoostClassifier()
    assert find_family(model, "n_estimators").unsupported(
        model, X, np.zeros(90), None, [2]
    )


@pytest.mark.parametrize("values", [[0, 3], [2.0, 3]])
def test_impossible_numbers_are_the_estimators_error(values):
    """Numbers of rounds that cannot be are refused in its own words."""
    X, y = regression()
    with pytest.raises(ValueError, match="'n_estimators' parameter"):
        assert_equals_refits(AdaBoostRegressor(), "n_estimators", values, X, y)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", [CLASSIFIERS[0], CLASSIFIERS[2], CLASSIFIERS[4]])
def test_decisions_have_the_estimators_shape(model, n_classes):
    """One decision a row for two classes, one a class for more."""
    X, y = classification(n_classes=n_classes)
    path = fit_path(model, X, y, ROUNDS)
    expected = path.model(ROUNDS.index(9)).decision_function(X)
    assert path.decision_function(X).shape == (5, *expected.shape)
    assert path.classes_.tolist() == sorted(set(y))


@pytest.mark.parametrize("model", [*REGRESSORS[:2], REGRESSORS[6], *CLASSIFIERS[::4]])
def test_models_equal_refits(model):
    """A model cut to its first rounds is the refit, also in what it tells."""
    X, y = classification() if hasattr(model, "predict_proba") else regression()
    path = fit_path(model, X, y, ROUNDS)
    for i, number in enumerate(ROUNDS):
        cut = path.model(i)
        one = type(model)(**{**cut.get_params(deep=False)}).fit(X, y)
        assert cut.n_estimators == one.n_estimators == number
        assert len(cut.estimators_) == len(one.estimators_)
        np.testing.assert_array_equal(cut.predict(X), one.predict(X))
        np.testing.assert_array_equal(
            cut.feature_importances_, one.feature_importances_
        )
        assert getattr(cut, "oob_score_", 0) == getattr(one, "oob_score_", 0)
        assert getattr(cut, "n_estimators_", 0) == getattr(one, "n_estimators_", 0)
    assert len(path.fitted.estimators_) == 9


def test_models_of_histograms_are_those_of_all_rounds():
    """Only the model with most rounds can be had without a fit."""
    X, y = regression()
    path = fit_path(REGRESSORS[4], X, y, [3, 9])
    assert path.model(0) is None
    np.testing.assert_array_equal(path.model(1).predict(X), path.predict(X)[1])


def test_stages_end_with_the_last_that_is_wanted():
    """Stages that nobody asked for are not computed."""

    class Counting:
        n_asked = 0

        def staged_predict(self, X):
            for number in range(1, 100):
                self.n_asked = number
                yield np.full(len(X), number)

    model = Counting()
    path = StagedPath(model, np.array([4, 2]), 100)
    assert path.predict(np.zeros((3, 1)))[:, 0].tolist() == [4, 2]
    assert model.n_asked == 4


@pytest.mark.parametrize("seed", range(5))
def test_weighted_median_has_half_of_the_weight_below_it(seed):
    """Up to the median there is at least half of the weight, before it less."""
    rng = np.random.default_rng(seed)
    predictions, weight = rng.integers(0, 5, size=(20, 7)), rng.uniform(size=7)
    medians = weighted_medians(predictions, weight)[:, None]
    upto = ((predictions <= medians) * weight).sum(axis=1)
    below = ((predictions < medians) * weight).sum(axis=1)
    assert (upto >= weight.sum() / 2 - 1e-12).all()
    assert (below < weight.sum() / 2 + 1e-12).all()


@pytest.mark.parametrize("model", [REGRESSORS[0], REGRESSORS[4], CLASSIFIERS[4]])
def test_paths_survive_pickling(model):
    """A path answers as before."""
    X, y = classification() if hasattr(model, "predict_proba") else regression()
    path = fit_path(model, X, y, ROUNDS)
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again.predict(X), path.predict(X))


@pytest.mark.parametrize("model", [REGRESSORS[2], REGRESSORS[4]])
def test_fewer_rounds_fit_training_rows_less_closely(model):
    """A stronger penalty has no lower training loss."""
    X, y = regression()
    path = fit_path(model, X, y, [1, 4, 16, 64])
    loss = ((path.training().predict(X) - y) ** 2).mean(axis=1)
    assert (np.diff(loss) < 0).all()


@pytest.mark.parametrize("model", [REGRESSORS[0], CLASSIFIERS[2], CLASSIFIERS[4]])
def test_default_values_increase(model):
    """Default values are whole numbers of rounds, and there are more beyond."""
    X, y = regression()
    family = find_family(model, rounds_of(model))
    values = family.default_values(model, X, y, None)
    assert (np.diff(values) > 0).all()
    assert values[0] == 5
    assert family.more_values(values, larger=True).min() > values[-1]
    assert family.more_values(values, larger=False).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("model", "param"),
    [
        (GradientBoostingRegressor(n_estimators=20, random_state=0), "max_depth"),
        (GradientBoostingClassifier(n_estimators=20), "min_samples_leaf"),
        (HistGradientBoostingRegressor(max_iter=20), "l2_regularization"),
        (HistGradientBoostingRegressor(max_iter=20), "max_leaf_nodes"),
        (HistGradientBoostingClassifier(max_iter=20), "min_samples_leaf"),
        (HistGradientBoostingClassifier(max_iter=20), "max_depth"),
    ],
)
def test_other_parameters_have_their_direction(model, param):
    """A stronger value has no lower training loss; values are refitted one by one."""
    family = find_family(model, param)
    assert not family.fits_paths
    assert not family.preferred
    X, y = regression(n=200)
    classifies = hasattr(model, "predict_proba")
    if classifies:
        y = y > 0
    values = family.default_values(model, X, y, None)
    assert (np.diff(values) > 0).all()
    ends = []
    for value in (values[0], values[-1]):
        model.set_params(**{param: value.item()}).fit(X, y)
        ends.append(((model.predict(X) - y.astype(float)) ** 2).mean())
    assert (ends[0] <= ends[1]) == (family.stronger == "larger")
