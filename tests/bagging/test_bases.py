"""Every kind of estimator as the base: the ensemble is the mean of its members."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    RidgeCV,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.bagging.toys import (
    PredictsOnly,
    aligned_proba,
    classification_data,
    regression_data,
)

# The base, and how counts have to reach it.
REGRESSORS = {
    "default": (None, "weights"),
    "tree": (DecisionTreeRegressor(max_depth=4), "weights"),
    "ols": (LinearRegression(), "weights"),
    "ridge": (Ridge(), "weights"),
    "lasso": (Lasso(alpha=0.01), "weights"),
    "huber": (HuberRegressor(), "weights"),
    "ridge_cv": (RidgeCV(), "weights"),
    "svr": (SVR(), "weights"),
    "linear_svr": (LinearSVR(), "weights"),
    "neighbors": (KNeighborsRegressor(n_neighbors=3), "rows"),
    "kernel_ridge": (KernelRidge(kernel="rbf"), "weights"),
    "gaussian_process": (GaussianProcessRegressor(alpha=0.1), "rows"),
    "pls": (PLSRegression(n_components=2), "rows"),
    "boosting": (GradientBoostingRegressor(n_estimators=3), "weights"),
    "extra_trees": (ExtraTreesRegressor(n_estimators=3), "weights"),
    "hist_boosting": (HistGradientBoostingRegressor(max_iter=3), "weights"),
    "scaled_ridge": (make_pipeline(StandardScaler(), Ridge()), "weights"),
    "imputed_ridge": (make_pipeline(SimpleImputer(), Ridge()), "rows"),
    "passthrough": (make_pipeline("passthrough", Ridge()), "weights"),
    "scaled_neighbors": (
        make_pipeline(StandardScaler(), KNeighborsRegressor(n_neighbors=3)),
        "rows",
    ),
    "columns": (
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), [0, 1]), remainder="passthrough"
            ),
            Ridge(),
        ),
        "rows",
    ),
    "grid_search": (GridSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=2), "rows"),
    "log_target": (
        TransformedTargetRegressor(Ridge(), func=np.arcsinh, inverse_func=np.sinh),
        "weights",
    ),
    "voting": (
        VotingRegressor([("r", Ridge()), ("t", DecisionTreeRegressor(max_depth=2))]),
        "rows",
    ),
    "stacking": (
        StackingRegressor([("r", Ridge()), ("t", DecisionTreeRegressor())], cv=2),
        "rows",
    ),
    "bag": (
        BootstrapBaggingRegressor(DecisionTreeRegressor(max_depth=3), n_estimators=3),
        "weights",
    ),
    "bag_of_neighbors": (
        BootstrapBaggingRegressor(KNeighborsRegressor(n_neighbors=2), n_estimators=3),
        "weights",
    ),
    "auto_bag": (BootstrapBaggingRegressor(Ridge(), max_estimators=10), "weights"),
}

CLASSIFIERS = {
    "default": (None, "weights"),
    "tree": (DecisionTreeClassifier(max_depth=3), "weights"),
    "logistic": (LogisticRegression(), "weights"),
    "naive_bayes": (GaussianNB(), "weights"),
    "discriminant": (LinearDiscriminantAnalysis(), "rows"),
    "neighbors": (KNeighborsClassifier(n_neighbors=3), "rows"),
    "forest": (RandomForestClassifier(n_estimators=3), "weights"),
    "adaboost": (AdaBoostClassifier(n_estimators=3), "weights"),
    "hist_boosting": (HistGradientBoostingClassifier(max_iter=3), "weights"),
    "gaussian_process": (GaussianProcessClassifier(optimizer=None), "rows"),
    "scaled_logistic": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        "weights",
    ),
    "function": (make_pipeline(FunctionTransformer(), GaussianNB()), "rows"),
    "grid_search": (
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 3]}, cv=2),
        "rows",
    ),
    "calibrated": (CalibratedClassifierCV(LinearSVC(), cv=2), "weights"),
    "calibrated_neighbors": (
        CalibratedClassifierCV(KNeighborsClassifier(n_neighbors=3), cv=2),
        "rows",
    ),
    "voting": (
        VotingClassifier(
            [("n", GaussianNB()), ("t", DecisionTreeClassifier(max_depth=2))],
            voting="soft",
        ),
        "rows",
    ),
    "one_vs_rest": (OneVsRestClassifier(LogisticRegression()), "rows"),
    "bag": (
        BootstrapBaggingClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=3),
        "weights",
    ),
}

DECIDERS = {
    "svc": (SVC(), "weights"),
    "linear_svc": (LinearSVC(), "weights"),
    "ridge": (RidgeClassifier(), "weights"),
    "hinge": (SGDClassifier(), "weights"),
    "scaled_svc": (make_pipeline(StandardScaler(), SVC()), "weights"),
    "bag_of_svc": (BootstrapBaggingClassifier(SVC(), n_estimators=3), "weights"),
}

VOTERS = {
    "predicts_only": (PredictsOnly(), "rows"),
    "hard_voting": (
        VotingClassifier([("n", GaussianNB()), ("t", DecisionTreeClassifier())]),
        "rows",
    ),
    "ovo": (SVC(decision_function_shape="ovo"), "weights"),
    "scaled_ovo": (
        make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")),
        "weights",
    ),
}


def _cases(table):
    return [pytest.param(*case, id=name) for name, case in table.items()]


# A bag within a bag is handed counts as weights, and finds few rows out of its bags.
pytestmark = pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")


@pytest.mark.parametrize(("base", "mode"), _cases(REGRESSORS))
def test_regressor_is_the_mean_of_its_members(base, mode):
    """Predictions are the members' mean, and figures are there, for every regressor."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(base, n_estimators=5, random_state=0).fit(X, y)
    mean = np.mean([np.ravel(m.predict(X)) for m in bag.estimators_], axis=0)
    assert bag.predict(X).shape == y.shape
    np.testing.assert_allclose(bag.predict(X), mean, rtol=1e-12, atol=1e-12)
    assert bag.row_mode_ == mode
    assert np.isfinite(bag.oob_score_)
    assert np.isfinite(bag.generalization_gap_)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("base", "mode"), _cases(CLASSIFIERS))
def test_classifier_is_the_mean_of_its_members(base, mode, n_classes):
    """Probabilities are the members' mean for every classifier that has them."""
    X, y = classification_data(n_classes=n_classes)
    bag = BootstrapBaggingClassifier(base, n_estimators=5, random_state=0).fit(X, y)
    mean = np.mean([aligned_proba(m, X, bag.classes_) for m in bag.estimators_], axis=0)
    probability = bag.predict_proba(X)
    np.testing.assert_allclose(probability, mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(
        bag.predict(X), bag.classes_[probability.argmax(axis=1)]
    )
    np.testing.assert_allclose(np.exp(bag.predict_log_proba(X)), probability)
    assert bag.row_mode_ == mode
    assert bag.oob_decision_function_.shape == (len(X), n_classes)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("base", "mode"), _cases(DECIDERS))
def test_decisions_are_averaged_without_probabilities(base, mode, n_classes):
    """Decisions are averaged where a classifier has no probabilities to offer."""
    X, y = classification_data(n_classes=n_classes)
    bag = BootstrapBaggingClassifier(base, n_estimators=5, random_state=0).fit(X, y)
    mean = np.mean([m.decision_function(X) for m in bag.estimators_], axis=0)
    decision = bag.decision_function(X)
    np.testing.assert_allclose(decision, mean, rtol=1e-12, atol=1e-12)
    winner = decision > 0 if n_classes == 2 else decision.argmax(axis=1)
    np.testing.assert_array_equal(bag.predict(X), bag.classes_[winner.astype(int)])
    assert not hasattr(bag, "predict_proba")
    assert bag.row_mode_ == mode


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("base", "mode"), _cases(VOTERS))
def test_labels_are_votes_where_there_is_nothing_else(base, mode, n_classes):
    """Classifiers with labels only, or with decisions between pairs, vote."""
    X, y = classification_data(n_classes=n_classes, labels=["a", "b", "c"])
    bag = BootstrapBaggingClassifier(base, n_estimators=5, random_state=0).fit(X, y)
    votes = np.mean(
        [m.predict(X)[:, None] == bag.classes_ for m in bag.estimators_], axis=0
    )
    np.testing.assert_allclose(bag.predict_proba(X), votes)
    np.testing.assert_array_equal(bag.predict(X), bag.classes_[votes.argmax(axis=1)])
    assert bag.row_mode_ == mode


def test_probabilities_of_a_search_are_those_of_its_estimator():
    """A search over a classifier without probabilities has its decisions averaged."""
    X, y = classification_data()
    search = GridSearchCV(LinearSVC(), {"C": [0.1, 1]}, cv=2)
    bag = BootstrapBaggingClassifier(search, n_estimators=3, random_state=0).fit(X, y)
    assert bag.decision_function(X).shape == (len(X), 3)
    assert not hasattr(bag, "predict_proba")


class _Constant(ClassifierMixin, BaseEstimator):
    """Predicts the first label it met, and does not tell which there are."""

    def fit(self, X, y):
        self.label_ = y[0]
        return self

    def predict(self, X):
        return np.full(len(X), self.label_)


def test_base_that_does_not_tell_its_classes():
    """Labels are enough to vote with; `classes_` of a member is not needed."""
    X, y = classification_data(labels=["a", "b", "c"])
    bag = BootstrapBaggingClassifier(_Constant(), n_estimators=5).fit(X, y)
    votes = [np.mean([m.label_ == k for m in bag.estimators_]) for k in "abc"]
    np.testing.assert_allclose(bag.predict_proba(X[:1]), [votes])


def test_frozen_base_is_left_as_it_is():
    """A frozen base is not fitted again: every member is the same fitted model."""
    X, y = regression_data()
    ridge = Ridge().fit(X, y)
    bag = BootstrapBaggingRegressor(FrozenEstimator(ridge), n_estimators=3).fit(X, y)
    np.testing.assert_allclose(bag.predict(X), ridge.predict(X), rtol=1e-14)
    X, y = classification_data(labels=["a", "b", "c"])
    model = FrozenEstimator(LogisticRegression().fit(X, y))
    frozen = BootstrapBaggingClassifier(model, n_estimators=3).fit(X, y)
    np.testing.assert_allclose(frozen.predict_proba(X), model.predict_proba(X))


def test_string_labels_reach_the_base_as_they_are():
    """`class_weight` by label name works, and changes the fit."""
    X, y = classification_data(n_classes=2, labels=["ham", "spam"])
    bags = [
        BootstrapBaggingClassifier(
            LogisticRegression(class_weight=weight), n_estimators=3, random_state=0
        ).fit(X, y)
        for weight in (None, {"ham": 1, "spam": 1}, {"spam": 20})
    ]
    assert bags[0].classes_.tolist() == ["ham", "spam"]
    np.testing.assert_array_equal(bags[0].predict_proba(X), bags[1].predict_proba(X))
    # The weighted class is never less likely.
    assert (bags[2].predict_proba(X)[:, 1] > bags[0].predict_proba(X)[:, 1]).all()


def test_base_is_neither_fitted_nor_changed():
    """The estimator passed in stays unfitted, with its own random state."""
    X, y = regression_data()
    base = make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=7))
    before = str(base.get_params())
    bag = BootstrapBaggingRegressor(base, n_estimators=3, random_state=0).fit(X, y)
    assert not hasattr(base[-1], "tree_")
    assert not hasattr(base[0], "scale_")
    assert str(base.get_params()) == before
    assert bag.estimator is base
    # Members with a random state each have their own.
    states = {member[-1].random_state for member in bag.estimators_}
    assert len(states) == 3
