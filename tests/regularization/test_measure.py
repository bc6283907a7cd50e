"""Scores of candidates: every scorer, weights, and scorers that look at the model."""

from contextlib import suppress

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.metrics import (
    check_scoring,
    f1_score,
    fbeta_score,
    get_scorer,
    get_scorer_names,
    make_scorer,
    mean_pinball_loss,
    precision_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import UnweightedScoreWarning
from tests.bagging.toys import classification_data, multilabel_data, regression_data
from tests.regularization.against_grid import (
    assert_equals_grid,
    loop_scores,
    plain,
    split_scores,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:sklearn"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
]
ALPHAS = [0.1, 10.0, 300.0]
logistic = LogisticRegression(tol=1e-10, max_iter=1000)
tree_classifier = DecisionTreeClassifier(random_state=0)
tree_regressor = DecisionTreeRegressor(random_state=0)


@pytest.fixture(autouse=True)
def no_resamples(monkeypatch):
    """The score to expect by any scorer is tested elsewhere, and takes long."""

    def skipped(*args, **kwargs):
        return np.nan, (np.nan, np.nan)

    name = "genestimators.regularization._outcome.corrected_score_of_scorer"
    monkeypatch.setattr(name, skipped)


def positive_data():
    X, y = regression_data()
    return X, np.exp(y)


def two_targets():
    X, y = regression_data()
    return X, np.column_stack([y, 3 * X[:, 2] - y])


def binary_data():
    return classification_data(n_classes=2)


def text_data():
    return classification_data(n_classes=2, labels=["yes", "no"])


ALL_SCORERS = [  # and how many scorers there are at least
    (logistic, "C", [0.01, 1.0], binary_data, 45),
    (tree_classifier, "max_leaf_nodes", [2, 6], text_data, 25),
    (tree_classifier, "ccp_alpha", [0.0, 0.05], classification_data, 35),
    (tree_classifier, "ccp_alpha", [0.0, 0.03], multilabel_data, 15),
    (Ridge(), "alpha", [0.1, 30.0], regression_data, 15),
    (tree_regressor, "ccp_alpha", [0.0, 0.3], positive_data, 20),
    (Ridge(), "alpha", [0.1, 30.0], two_targets, 7),
]


@pytest.mark.parametrize(("estimator", "param", "values", "data", "least"), ALL_SCORERS)
def test_every_scorer_equals_grid_search(estimator, param, values, data, least):
    """All of scikit-learn's that are finite on the data, on paths."""
    X, y = data()
    split = next(KFold(2, shuffle=True, random_state=3).split(X))
    how = {"cv": [split]}
    suited = suited_scorers(estimator, X, y)
    grid = GridSearchCV(
        estimator,
        {param: values},
        scoring=suited,
        refit=False,
        return_train_score=True,
        **how,
    ).fit(X, y)
    table = grid.cv_results_
    finite = [name for name in suited if np.isfinite(table[f"mean_test_{name}"]).all()]
    assert len(finite) >= least
    for name in finite:
        own = plain(estimator, param, values, scoring=name, **how).fit(X, y)
        assert own.engine_ == "path"
        for part in ("mean_test", "mean_train"):
            # Two solvers of a logistic regression differ by their tolerances.
            np.testing.assert_allclose(
                own.cv_results_[f"{part}_score"],
                table[f"{part}_{name}"],
                rtol=1e-6,
                atol=1e-8,
                err_msg=name,
            )


def suited_scorers(estimator, X, y):
    """Names of the scorers that can be called."""
    model = clone(estimator).fit(X, y)
    suited = []
    for name in get_scorer_names():
        with suppress(ValueError, AttributeError, TypeError):
            get_scorer(name)(model, X, y)
            suited.append(name)
    return suited


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "f1", "accuracy"])
@pytest.mark.parametrize(
    ("estimator", "param"),
    [(RidgeClassifier(), "alpha"), (SVC(), "C"), (LinearSVC(random_state=0), "C")],
)
def test_scorers_of_decisions(scoring, estimator, param):
    """Classifiers without probabilities are scored by their decisions or labels."""
    X, y = classification_data(90, 2)
    values = [1e-3, 0.05, 1.0]
    assert_all_equal(estimator, param, values, X, y, scoring)


def assert_all_equal(estimator, param, values, X, y, scoring, engine=None):
    """The scores are GridSearchCV's, also where values tie; returns the search."""
    grid = GridSearchCV(
        estimator, {param: values}, cv=3, scoring=scoring, return_train_score=True
    ).fit(X, y)
    own = plain(estimator, param, values, cv=3, scoring=scoring).fit(X, y)
    for name in ("split0_test", "split2_test", "mean_test", "mean_train"):
        found, expected = (one.cv_results_[f"{name}_score"] for one in (own, grid))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    assert own.engine_ == engine or engine is None
    return own


def predicts_well(estimator, X, y):
    return -np.abs(estimator.predict(X) - y).max()


def is_sure(estimator, X, y):
    return estimator.predict_proba(X)[np.arange(len(y)), y].min()


def looks_at_rows(estimator, X, y):
    return -np.abs((estimator.predict(X) - y) * X[:, 0]).mean()


def has_small_coefficients(estimator, X, y):
    return -np.abs(estimator.coef_).sum() - np.abs(estimator.predict(X) - y).mean()


CALLABLES = [
    (predicts_well, "path"),
    (looks_at_rows, "path"),
    (has_small_coefficients, "generic"),
    (get_scorer("r2"), "path"),
    (make_scorer(mean_pinball_loss, alpha=0.9, greater_is_better=False), "path"),
]


@pytest.mark.parametrize(("scoring", "engine"), CALLABLES)
def test_callables(scoring, engine):
    """Scorers of one's own; one that asks for more than answers gets fitted models."""
    X, y = regression_data()
    assert_all_equal(Ridge(), "alpha", ALPHAS, X, y, scoring, engine)


@pytest.mark.parametrize(
    "scoring",
    [
        is_sure,
        make_scorer(fbeta_score, beta=2, average="macro"),
        make_scorer(f1_score, labels=[1, 2], average="micro"),
        make_scorer(
            roc_auc_score,
            response_method="predict_proba",
            multi_class="ovr",
            average="weighted",
        ),
        make_scorer(precision_score, average=None, zero_division=0),
    ],
)
def test_callables_for_classifiers(scoring):
    """Answers of every kind are offered; several numbers are refused."""
    X, y = classification_data()
    if "average=None" in str(scoring):
        with pytest.raises(TypeError, match="A scorer must return one number"):
            plain(tree_classifier, "ccp_alpha", ALPHAS, scoring=scoring).fit(X, y)
    else:
        values = [0.0, 0.05, 0.1]
        assert_all_equal(tree_classifier, "ccp_alpha", values, X, y, scoring, "path")


EXACT = {"tol": 1e-10, "max_iter": 1000}


@pytest.mark.parametrize(
    ("estimator", "engine"),
    [
        (PoissonRegressor(**EXACT), "path"),
        (GammaRegressor(**EXACT), "path"),
        (TweedieRegressor(power=1.5, **EXACT), "path"),
        (TweedieRegressor(**EXACT), "path"),
        (TweedieRegressor(power=3, **EXACT), "generic"),
        (TweedieRegressor(power=0.5, link="log", **EXACT), "generic"),
        (make_pipeline(StandardScaler(), PoissonRegressor(tol=1e-10)), "path"),
    ],
)
def test_an_estimators_own_score_is_known(estimator, engine):
    """D2 of generalised linear models is had from a path, where there is one."""
    X, y = positive_data()
    param = "alpha" if "alpha" in estimator.get_params() else "poissonregressor__alpha"
    own = assert_all_equal(estimator, param, [1e-3, 0.1, 10.0], X, y, None, engine)
    assert own.score(X, y) == own.best_estimator_.score(X, y)


@pytest.mark.parametrize("prefix", ["", "tweedieregressor__"])
def test_powers_are_scored_each_by_its_own(prefix):
    """The score that is an estimator's own depends on the candidate."""
    X, y = positive_data()
    model = TweedieRegressor(alpha=0.1, **EXACT)
    model = make_pipeline(StandardScaler(), model) if prefix else model
    assert_all_equal(model, f"{prefix}power", [1, 1.5, 2.0, 3], X, y, None, "generic")


def test_a_deviance_of_predictions_that_have_none():
    """Linear predictions below zero are refused, as are several targets."""
    X, y = positive_data()
    own = plain(Ridge(), "alpha", ALPHAS, scoring="neg_mean_gamma_deviance", cv=3)
    with pytest.raises(ValueError, match=r"power 2 needs predictions greater than 0"):
        own.fit(X, y)
    with pytest.raises(ValueError, match="needs targets greater than 0"):
        plain(
            tree_regressor, "ccp_alpha", ALPHAS, scoring="neg_mean_gamma_deviance"
        ).fit(X, 0 * y)
    with pytest.raises(ValueError, match="Multioutput not supported"):
        own.set_params(estimator=tree_regressor, param="ccp_alpha").fit(
            X, np.column_stack([y, y])
        )


def test_a_fold_of_a_constant_target_has_no_deviance_explained():
    """There scikit-learn's score divides by zero, or by its rounding: any number."""
    X, y = positive_data()
    y[:20] = 3.0
    own = plain(PoissonRegressor(), "alpha", ALPHAS, cv=KFold(3))
    with pytest.raises(ValueError, match=r"NaN for all values.*D2 two targets that"):
        own.fit(X, y)
    own.set_params(scoring="neg_mean_poisson_deviance").fit(X, y)
    assert np.isfinite(own.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("scoring", [None, "neg_mean_poisson_deviance"])
def test_scores_that_forbid_zeros_are_had_from_a_path(scoring):
    """Counts hold zeros, which no prediction may be: the scorer needs no model yet."""
    X, y = positive_data()
    y = np.floor(y)
    assert (y == 0).any()
    model = PoissonRegressor(tol=1e-10, max_iter=1000)
    assert_all_equal(model, "alpha", [1e-3, 0.1, 10.0], X, y, scoring, "path")


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (KMeans(random_state=0, n_init=1), "n_clusters", [2, 3, 5]),
        (PCA(), "n_components", [1, 2, 3]),
        (KernelDensity(), "bandwidth", [0.3, 1.0, 3.0]),
        (RANSACRegressor(random_state=0, max_trials=3), "min_samples", [5, 20, 40]),
        (make_pipeline(StandardScaler(), PCA()), "pca__n_components", [1, 2, 3]),
    ],
)
def test_an_estimators_own_score_is_asked_for(estimator, param, values):
    """Where nothing is known of it; what predicts nothing keeps no predictions."""
    X, y = regression_data()
    own = assert_all_equal(estimator, param, values, X, y, None, "generic")
    assert hasattr(own, "oof_predictions_") == hasattr(estimator, "predict")


def test_no_score_of_ones_own():
    """Without `scoring` there must be one."""
    X, y = regression_data()
    with pytest.raises(TypeError, match="should have a 'score' method"):
        plain(DBSCAN(), "eps", [0.3, 1.0]).fit(X, y)


WEIGHTED = [
    (Ridge(), "alpha", ALPHAS, None),
    (Ridge(), "alpha", ALPHAS, "neg_root_mean_squared_error"),
    (Ridge(), "alpha", ALPHAS, "neg_mean_absolute_percentage_error"),
    (tree_regressor, "ccp_alpha", [0.0, 0.03, 0.3], "neg_mean_absolute_error"),
    (tree_regressor, "min_samples_leaf", [1, 5, 20], None),
]


@pytest.mark.parametrize(("estimator", "param", "values", "scoring"), WEIGHTED)
@pytest.mark.parametrize("engine", ["auto", "generic"])
@pytest.mark.parametrize("targets", [1, 2])
def test_weights_reach_fits_and_scores(
    estimator, param, values, scoring, engine, targets
):
    """Scores of regressors equal a loop that passes weights to both."""
    X, y = regression_data() if targets == 1 else two_targets()
    weight = np.random.default_rng(0).gamma(0.5, size=len(y))
    own = plain(estimator, param, values, scoring=scoring, cv=3, engine=engine)
    own.fit(X, y, sample_weight=weight)
    scorer = check_scoring(estimator, scoring)
    if scoring is None:
        scorer = get_scorer("r2")
    splits = list(KFold(3).split(X))
    expected = loop_scores(estimator, param, values, X, y, splits, scorer, weight)
    np.testing.assert_allclose(split_scores(own), expected, rtol=1e-9)
    refit = clone(estimator).set_params(**own.best_params_)
    refit.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(own.predict(X), refit.predict(X), rtol=1e-9)


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "neg_brier_score", "f1"])
@pytest.mark.parametrize("engine", ["auto", "generic"])
def test_weights_reach_fits_and_scores_of_classifiers(scoring, engine):
    """Of labels, probabilities, and any other scorer."""
    X, y = classification_data(90, 2)
    weight = np.random.default_rng(0).gamma(0.5, size=len(y))
    how = {"scoring": scoring, "cv": 3, "engine": engine}
    values = [0.01, 0.1, 10.0]
    own = plain(logistic, "C", values, **how).fit(X, y, sample_weight=weight)
    scorer = get_scorer(scoring or "accuracy")
    splits = list(StratifiedKFold(3).split(X, y))
    expected = loop_scores(logistic, "C", values, X, y, splits, scorer, weight)
    # Two solvers of a logistic regression differ by their tolerances.
    np.testing.assert_allclose(split_scores(own), expected, rtol=1e-6)


def test_weights_of_an_own_score():
    """D2 is weighted too, alone and behind a step."""
    X, y = positive_data()
    weight = np.random.default_rng(0).gamma(0.5, size=len(y))
    model = PoissonRegressor(tol=1e-10, max_iter=1000)
    splits = list(KFold(3).split(X))

    def score(fitted, X, y, sample_weight):
        return fitted.score(X, y, sample_weight=sample_weight)

    values = [1e-3, 0.1, 10.0]
    expected = loop_scores(model, "alpha", values, X, y, splits, score, weight)
    for engine in ("auto", "generic"):
        own = plain(model, "alpha", values, cv=3, engine=engine)
        own.fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(split_scores(own), expected, rtol=1e-6)


def test_a_scorer_without_weights_warns():
    """Rows then count alike in the scores, and not in the fits."""
    X, y = regression_data()
    own = plain(Ridge(), "alpha", ALPHAS, scoring=predicts_well)
    with pytest.warns(UnweightedScoreWarning, match="takes no `sample_weight`"):
        own.fit(X, y, sample_weight=np.ones(len(y)))


def test_folds_of_a_constant_target():
    """R2 is 1 or 0 there, as scikit-learn has it where the mean is not rounded."""
    X, y = regression_data()
    y[:20] = 0.5
    splits = list(KFold(3).split(X))
    for estimator, param in ((Ridge(), "alpha"), (tree_regressor, "ccp_alpha")):
        values = [0.0123, 1.0]
        expected = loop_scores(estimator, param, values, X, y, splits, get_scorer("r2"))
        for constant in (0.5, 0.1):
            y[:20] = constant
            own = plain(estimator, param, values, cv=KFold(3)).fit(X, y)
            found = split_scores(own)
            np.testing.assert_allclose(found[:, 0], expected[:, 0])
            if constant == 0.5:
                np.testing.assert_allclose(found, expected)
        y[:20] = 0.5


@pytest.mark.parametrize("unit", [1.0, 1e4])
def test_a_fold_of_a_constant_target_is_expected_to_score_as_it_does(unit):
    """It counts as 0 whatever the unit; the other folds are as many rows each."""
    X, y = regression_data()
    y[:20] = 0.5
    own = plain(Ridge(), "alpha", [0.1, 1.0], cv=KFold(3)).fit(X, unit * y)
    low, high = own.expected_score_interval_
    assert low < own.best_score_ < high
    assert low > -1


@pytest.mark.parametrize(
    ("estimator", "param"),
    [(Ridge(), "alpha"), (BaggingRegressor(DummyRegressor()), "n_estimators")],
)
def test_a_constant_target(estimator, param):
    """Every split scores 1 or 0, whatever rounding does to means."""
    X, y = regression_data()
    own = plain(estimator, param, [2, 4], cv=3).fit(X, np.full(len(y), 0.1))
    assert np.isin(split_scores(own), (0.0, 1.0)).all()


class Forgets(ClassifierMixin, BaseEstimator):
    """Predicts shares of the classes it has seen, mixed with equal ones."""

    def __init__(self, mix=0.0):
        self.mix = mix

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        shares = counts / counts.sum()
        self.shares_ = (1 - self.mix) * shares + self.mix / len(shares)
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X):
        return np.full(len(X), self.classes_[self.shares_.argmax()])


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", "f1_macro"])
def test_classes_missing_from_a_training_fold(scoring):
    """Probabilities have a column for every class, zero for one that was not seen."""
    X, y = classification_data(60, 3)
    y[:20], y[20:] = 2, y[20:] % 2
    own = plain(Forgets(), "mix", [0.1, 0.5], cv=KFold(3), scoring=scoring).fit(X, y)
    eps = np.finfo(float).eps
    for i, mix in enumerate([0.1, 0.5]):
        model = Forgets(mix).fit(X[20:], y[20:])
        expected = {"neg_log_loss": np.log(eps), "accuracy": 0.0, "f1_macro": 0.0}
        assert (model.predict(X[:20]) != y[:20]).all()
        np.testing.assert_allclose(
            own.cv_results_["split0_test_score"][i], expected[scoring]
        )


def test_own_score_of_neighbours_is_accuracy():
    """KNeighborsClassifier has a `score` of its own, which is no reason for refits."""
    X, y = classification_data()
    for model, param in (
        (KNeighborsClassifier(), "n_neighbors"),
        (
            make_pipeline(StandardScaler(), KNeighborsClassifier()),
            "kneighborsclassifier__n_neighbors",
        ),
    ):
        own, _ = assert_equals_grid(model, param, [1, 4, 15], X, y, cv=3, train=False)
        assert own.engine_ == "path"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("CatBoostClassifier", classification_data),
        ("CatBoostRegressor", regression_data),
    ],
)
def test_own_score_of_catboost_is_the_usual_one(name, data):
    """Its classes inherit no `score`, and are known by their names."""
    X, y = data()
    known = {"__module__": "catboost.core", "score": lambda self, X, y: 0.0}
    base = DecisionTreeClassifier if "Class" in name else DecisionTreeRegressor
    model = type(name, (base,), known)(random_state=0)
    own = plain(model, "max_depth", [1, 2], cv=KFold(3)).fit(X, y)
    usual = plain(base(random_state=0), "max_depth", [1, 2], cv=KFold(3))
    usual.set_params(engine="generic").fit(X, y)
    np.testing.assert_allclose(split_scores(own), split_scores(usual))
