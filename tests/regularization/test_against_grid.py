"""Without repeats and by the best score, AutoRegularizedCV is GridSearchCV."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    HuberRegressor,
    Lasso,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.bagging.toys import classification_data, multilabel_data, regression_data
from tests.regularization.against_grid import assert_equals_grid

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")

ALPHAS = [1e-2, 1.0, 30.0, 1e3]
PENALTIES = [1e-3, 0.1, 10.0]
TIGHT = {"tol": 1e-10, "max_iter": 10_000}  # iterative solvers go as far as paths do
SOLVED = 1e-6  # where both sides stop at a tolerance

logistic = LogisticRegression(**TIGHT)
boosting = GradientBoostingRegressor(random_state=0, max_depth=1)
tree_regressor = DecisionTreeRegressor(random_state=0)
tree_classifier = DecisionTreeClassifier(random_state=0)

REGRESSORS = [
    (make_pipeline(StandardScaler(), Ridge()), "ridge__alpha", ALPHAS, "path"),
    (Ridge(), "alpha", [300, 20.0, 3], "path"),
    (Lasso(**TIGHT), "alpha", [1e-3, 1e-2, 0.1, 0.5], "path"),
    (KernelRidge(kernel="rbf"), "alpha", ALPHAS, "path"),
    (tree_regressor, "ccp_alpha", [0.0, 0.02, 0.3], "path"),
    (tree_regressor, "max_leaf_nodes", [2, None, 9], "path"),
    (tree_regressor, "min_samples_leaf", [1, 5, 20], "generic"),
    (boosting, "n_estimators", [2, 10, 20], "path"),
    (make_pipeline(PCA(), Ridge()), "pca__n_components", [1, 2, 4], "path"),
    (PLSRegression(), "n_components", [1, 2, 3], "path"),
    (HuberRegressor(**TIGHT), "alpha", [1e-3, 1.0, 100.0], "generic"),
]
CLASSIFIERS = [
    (RidgeClassifier(), "alpha", [1.0, 30.0, 1e3], "path"),
    (SVC(), "C", [0.01, 1.0, 30.0], "path"),
    (LinearSVC(random_state=0, **TIGHT), "C", [1e-4, 0.01, 1.0], "generic"),
]
PROBABLE = [
    (make_pipeline(StandardScaler(), logistic), "logisticregression__C", PENALTIES),
    (tree_classifier, "ccp_alpha", [0.01, 0.02, 0.2]),
    (LinearDiscriminantAnalysis(solver="lsqr"), "shrinkage", [0.0, 0.5, 1.0]),
    (QuadraticDiscriminantAnalysis(), "reg_param", [0.0, 0.5, 1.0]),
    (GaussianNB(), "var_smoothing", [1e-9, 0.1, 10.0]),
    (make_pipeline(SelectKBest(f_classif), logistic), "selectkbest__k", [1, 2, 4]),
    (OneVsRestClassifier(logistic), "estimator__C", PENALTIES),
]


@pytest.mark.parametrize(("estimator", "param", "values", "engine"), REGRESSORS)
def test_regressors(estimator, param, values, engine):
    """Paths and refits give the table of GridSearchCV, and its choice."""
    X, y = regression_data()
    how = {"rtol": SOLVED} if "tol" in estimator.get_params() else {}
    own, _ = assert_equals_grid(estimator, param, values, X, y, cv=3, **how)
    assert own.engine_ == engine
    own, _ = assert_equals_grid(estimator, param, values, X, y, engine="generic")
    assert own.engine_ == "generic"


@pytest.mark.parametrize(("estimator", "param", "values", "engine"), CLASSIFIERS)
def test_classifiers_by_their_labels(estimator, param, values, engine):
    """Stratified folds; accuracy, which is the estimators' own score."""
    X, y = classification_data(150, labels=["b", "a", "c"])
    own, _ = assert_equals_grid(estimator, param, values, X, y, cv=3)
    assert own.engine_ == engine
    assert_equals_grid(estimator, param, values, X, y, engine="generic")


@pytest.mark.parametrize(("estimator", "param", "values"), PROBABLE)
def test_classifiers_by_their_probabilities(estimator, param, values):
    """Losses of probabilities, in which candidates seldom tie."""
    X, y = classification_data()
    how = {"scoring": "neg_log_loss"}
    assert_equals_grid(estimator, param, values, X, y, cv=3, rtol=SOLVED, **how)
    assert_equals_grid(estimator, param, values, X, y, engine="generic", **how)


def test_several_targets_and_labels():
    """R2 averages over targets, accuracy asks for all labels of a row."""
    X, y = regression_data()
    both = np.column_stack([y, 3 * X[:, 2] - y])
    for estimator, param in ((Ridge(), "alpha"), (tree_regressor, "ccp_alpha")):
        own, _ = assert_equals_grid(estimator, param, [0.01, 1.0, 30.0], X, both, cv=3)
        assert own.engine_ == "path"
    X, labels = multilabel_data()
    assert_equals_grid(tree_classifier, "ccp_alpha", [0.0, 0.03], X, labels, cv=3)


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (KNeighborsRegressor(), regression_data),
        (KNeighborsClassifier(), classification_data),
        (RandomForestRegressor(n_estimators=7, random_state=0), regression_data),
        (RandomForestClassifier(n_estimators=7, random_state=0), classification_data),
    ],
)
def test_interpolating_learners(estimator, data):
    """Validation scores are GridSearchCV's; a training row does not answer itself."""
    X, y = data(100)
    param, values = "n_neighbors", [1, 2, 9]
    if param not in estimator.get_params():
        param, values = "ccp_alpha", [0.0, 0.03, 0.1]
    own, grid = assert_equals_grid(estimator, param, values, X, y, cv=3, train=False)
    assert own.engine_ == "path"
    ours, theirs = (one.cv_results_["mean_train_score"] for one in (own, grid))
    assert (ours < theirs).any()


@pytest.mark.parametrize("engine", ["auto", "generic"])
@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
def test_predictions_are_transformed_back_before_they_are_scored(scoring, engine):
    """The target of TransformedTargetRegressor is transformed for the fit alone."""
    X, y = regression_data()
    model = TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp)
    own, _ = assert_equals_grid(
        model,
        "regressor__alpha",
        ALPHAS,
        X,
        np.exp(y),
        cv=3,
        scoring=scoring,
        engine=engine,
    )
    assert own.engine_ == {"auto": "path", "generic": "generic"}[engine]


SPLITTERS = [
    TimeSeriesSplit(4),
    KFold(4, shuffle=True, random_state=0),
    ShuffleSplit(4, random_state=0),
    PredefinedSplit(np.arange(60) % 4 - 1),
    [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))],
    [(np.arange(60) < 40, np.arange(60) >= 40)] * 2,
]


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("engine", ["auto", "generic"])
def test_splitters(cv, engine):
    """Time splits, random splits, splits given one by one or as masks."""
    X, y = regression_data()
    for estimator, param in ((Ridge(), "alpha"), (tree_regressor, "ccp_alpha")):
        values = [0.0123, 1.0, 30.0]
        assert_equals_grid(estimator, param, values, X, y, cv=cv, engine=engine)


@pytest.mark.parametrize("cv", [GroupKFold(4), LeaveOneGroupOut()])
@pytest.mark.parametrize("engine", ["auto", "generic"])
def test_splitters_that_need_groups(cv, engine):
    """Groups reach the splitter."""
    X, y = regression_data()
    fit = {"groups": np.random.default_rng(0).integers(5, size=60)}
    assert_equals_grid(Ridge(), "alpha", ALPHAS, X, y, cv=cv, fit=fit, engine=engine)


def test_leaving_out_single_rows():
    """A score that one row has; R2 has none."""
    X, y = regression_data(30)
    how = {"cv": LeaveOneOut(), "scoring": "neg_mean_squared_error"}
    assert_equals_grid(Ridge(), "alpha", ALPHAS, X, y, **how)


def test_generators_of_splits_are_used_once():
    """An iterator of splits does what the list of them does."""
    X, y = classification_data(90)
    splitter = StratifiedKFold(3)
    listed, _ = assert_equals_grid(
        GaussianNB(), "var_smoothing", [0.01, 1.0], X, y, cv=splitter
    )
    own = listed.set_params(cv=splitter.split(X, y))
    found = own.fit(X, y).cv_results_["split2_test_score"]
    listed.set_params(cv=list(splitter.split(X, y))).fit(X, y)
    np.testing.assert_array_equal(found, listed.cv_results_["split2_test_score"])
