"""The bags at home in scikit-learn: pipelines, searches, stacks, pickles."""

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BlockBootstrap,
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    Subsample,
)
from tests.bagging.toys import (
    assert_same_fit,
    classification_data,
    figures_of,
    regression_data,
)


def regressor(base=None, **params):
    return BootstrapBaggingRegressor(
        base, **{"n_estimators": 5, "random_state": 0, **params}
    )


def classifier(base=None, **params):
    return BootstrapBaggingClassifier(
        base, **{"n_estimators": 5, "random_state": 0, **params}
    )


def test_step_of_a_pipeline():
    """As the last step it sees what the steps before it hand on."""
    X, y = regression_data()
    pipeline = make_pipeline(StandardScaler(), regressor()).fit(X, y)
    scaled = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(
        pipeline.predict(X), regressor().fit(scaled, y).predict(scaled)
    )
    X, y = classification_data()
    pipeline = make_pipeline(StandardScaler(), classifier(LogisticRegression()))
    pipeline.fit(X, y)
    assert pipeline.predict_proba(X).shape == (len(X), 3)
    assert pipeline.decision_function(X).shape == (len(X), 3)
    assert pipeline.classes_.tolist() == [0, 1, 2]


def test_cross_validate_with_several_scorers():
    """Cross-validation with several scorers equals fits by hand."""
    X, y = classification_data(n_classes=2)
    found = cross_validate(
        classifier(),
        X,
        y,
        cv=3,
        scoring=["accuracy", "roc_auc", "neg_log_loss", "neg_brier_score"],
        return_estimator=True,
        return_indices=True,
        return_train_score=True,
    )
    for fold, bag in enumerate(found["estimator"]):
        test = found["indices"]["test"][fold]
        assert found["test_accuracy"][fold] == bag.score(X[test], y[test])
        # The training score of the outside is the one that the bag knows itself.
        assert found["train_accuracy"][fold] == pytest.approx(bag.train_score_)
    assert np.isfinite(found["test_roc_auc"]).all()
    probability = cross_val_predict(classifier(), X, y, cv=3, method="predict_proba")
    np.testing.assert_allclose(probability.sum(axis=1), 1)


def test_search_over_the_settings_of_a_bag():
    """Numbers, names and resampling objects can all be searched over."""
    X, y = regression_data()
    grid = {
        "n_estimators": [2, 5],
        "resampling": [
            "bootstrap",
            Bootstrap(duplicates="together"),
            BlockBootstrap(block_length=5),
            Subsample(),
        ],
    }
    search = GridSearchCV(regressor(), grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    best = regressor().set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict(X), best.predict(X))
    grid = [{"max_samples": [0.5, 20]}, {"max_features": [0.5, 2]}]
    GridSearchCV(regressor(), grid, cv=2, error_score="raise").fit(X, y)


def test_search_over_a_parameter_of_the_resampler():
    """A resampler's own parameters have names of their own."""
    X, y = regression_data()
    search = GridSearchCV(
        regressor(resampling=Subsample()),
        {"resampling__fraction": [0.3, 0.6]},
        cv=2,
        error_score="raise",
    ).fit(X, y)
    sizes = {len(rows) for rows in search.best_estimator_.estimators_samples_}
    assert sizes == {round(search.best_params_["resampling__fraction"] * len(X))}


def test_search_over_parameters_of_the_base():
    """Parameters are reached through the wrapper, and through a pipeline in it."""
    X, y = regression_data()
    base = Pipeline([("scale", StandardScaler()), ("ridge", Ridge())])
    search = GridSearchCV(
        regressor(base), {"estimator__ridge__alpha": [1e-3, 1e4]}, cv=2
    ).fit(X, y)
    assert search.best_params_ == {"estimator__ridge__alpha": 1e-3}
    member = search.best_estimator_.estimators_[0]
    assert member["ridge"].alpha == 1e-3
    random = RandomizedSearchCV(
        make_pipeline(StandardScaler(), classifier(DecisionTreeClassifier())),
        {
            "bootstrapbaggingclassifier__estimator__max_depth": [1, 2, 3],
            "bootstrapbaggingclassifier__n_estimators": [2, 3],
        },
        n_iter=3,
        cv=2,
        random_state=0,
        error_score="raise",
    )
    random.fit(*classification_data())


def test_member_of_a_stack():
    """Stacks use predictions, probabilities or decisions of a bag."""
    X, y = regression_data()
    stack = StackingRegressor([("bag", regressor()), ("ridge", Ridge())], cv=2)
    assert stack.fit(X, y).transform(X).shape == (len(X), 2)
    X, y = classification_data()
    members = [("trees", classifier()), ("svc", classifier(SVC()))]
    stack = StackingClassifier(members, cv=2).fit(X, y)
    assert stack.stack_method_ == ["predict_proba", "decision_function"]
    assert stack.predict_proba(X).shape == (len(X), 3)


def test_stack_as_the_base():
    """A stack can be bagged though it has `predict` only once it is fitted."""
    X, y = regression_data()
    stack = StackingRegressor([("ridge", Ridge())], cv=2)
    bag = regressor(stack).fit(X, y)
    members = [member.predict(X) for member in bag.estimators_]
    np.testing.assert_allclose(bag.predict(X), np.mean(members, axis=0))
    X, y = classification_data()
    members = [("n", GaussianNB()), ("t", DecisionTreeClassifier(max_depth=2))]
    stack = StackingClassifier(members, LogisticRegression(), cv=2)
    bag = classifier(make_pipeline(StandardScaler(), stack)).fit(X, y)
    assert bag.predict_proba(X).shape == (len(X), 3)
    with pytest.raises(TypeError, match="an object with `fit` and `predict`"):
        regressor(make_pipeline(StandardScaler())).fit(X, y)


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_member_of_a_vote(voting):
    """Votes of a bag and another classifier, by probability and by label."""
    X, y = classification_data(labels=["a", "b", "c"])
    members = [("bag", classifier()), ("bayes", GaussianNB())]
    vote = VotingClassifier(members, voting=voting).fit(X, y)
    assert vote.score(X, y) > 0.5
    if voting == "soft":
        mean = np.mean([each.predict_proba(X) for each in vote.estimators_], axis=0)
        np.testing.assert_allclose(vote.predict_proba(X), mean)


@pytest.mark.parametrize("base", [None, LinearSVC()])
def test_calibration_of_a_bag(base):
    """A bag can be calibrated, with folds or frozen, from either kind of answer."""
    X, y = classification_data(labels=["a", "b", "c"])
    for model in (classifier(base), FrozenEstimator(classifier(base).fit(X, y))):
        calibrated = CalibratedClassifierCV(model, cv=2).fit(X, y)
        np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)


def test_frozen_bag():
    """A frozen bag answers as the bag does and is not fitted again."""
    X, y = classification_data()
    bag = classifier().fit(X, y)
    frozen = clone(FrozenEstimator(bag)).fit(X[:5], y[:5])
    assert frozen.estimator is bag
    np.testing.assert_array_equal(frozen.predict_proba(X), bag.predict_proba(X))


def test_transformed_target_inside_and_outside():
    """The target can be transformed around the bag, or in each member."""
    X, y = regression_data()
    y = np.exp(y)
    outside = TransformedTargetRegressor(regressor(), func=np.log, inverse_func=np.exp)
    logs = regressor().fit(X, np.log(y)).predict(X)
    np.testing.assert_allclose(outside.fit(X, y).predict(X), np.exp(logs))
    inside = regressor(
        TransformedTargetRegressor(
            KNeighborsRegressor(), func=np.log, inverse_func=np.exp
        )
    ).fit(X, y)
    members = [member.predict(X) for member in inside.estimators_]
    np.testing.assert_allclose(inside.predict(X), np.mean(members, axis=0))


def test_set_output_around_and_inside():
    """Pipelines around and inside a bag may hand frames on."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    inside = make_pipeline(
        ColumnTransformer([("scale", StandardScaler(), ["a", "b"])]),
        SelectKBest(f_regression, k=1),
        Ridge(),
    ).set_output(transform="pandas")
    outer = make_pipeline(StandardScaler(), regressor(inside))
    outer.set_output(transform="pandas")
    outer.fit(frame, y)
    bag = outer[-1]
    assert bag.feature_names_in_.tolist() == list("abcd")
    assert bag.estimators_[0][-1].feature_names_in_.shape == (1,)
    plain = clone(outer).set_output(transform="pandas").fit(frame, y)
    np.testing.assert_array_equal(outer.predict(frame), plain.predict(frame))


def test_clone_is_unfitted_with_the_same_parameters():
    """A clone has equal parameters, an estimator of its own, and nothing fitted."""
    X, y = regression_data()
    bag = regressor(Ridge(alpha=3), resampling=Subsample(fraction=0.4)).fit(X, y)
    copy = clone(bag)
    assert copy.estimator is not bag.estimator
    assert copy.get_params(deep=True).keys() == bag.get_params(deep=True).keys()
    assert copy.get_params()["estimator__alpha"] == 3
    assert copy.get_params()["resampling__fraction"] == 0.4
    assert not any(name.endswith("_") for name in vars(copy))
    np.testing.assert_array_equal(copy.fit(X, y).predict(X), bag.predict(X))


@pytest.mark.parametrize("dump", ["pickle", "joblib"])
@pytest.mark.parametrize("warm_start", [False, True])
def test_pickle_round_trip(dump, warm_start):
    """A pickled bag answers the same, knows its rows, and can be grown."""
    X, y = classification_data()
    bag = classifier(warm_start=warm_start, max_features=3).fit(X, y)
    stored = io.BytesIO()
    (pickle if dump == "pickle" else joblib).dump(bag, stored)
    stored.seek(0)
    copy = (pickle if dump == "pickle" else joblib).load(stored)
    assert_same_fit(bag, copy, X)
    for name, value in figures_of(bag).items():
        np.testing.assert_array_equal(value, getattr(copy, name))
    for one, other in zip(
        bag.estimators_samples_, copy.estimators_samples_, strict=True
    ):
        np.testing.assert_array_equal(one, other)
    if warm_start:
        grown = [each.set_params(n_estimators=8).fit(X, y) for each in (bag, copy)]
        assert_same_fit(*grown, X)
        assert_same_fit(
            grown[1], classifier(n_estimators=8, max_features=3).fit(X, y), X
        )


def test_inspection_tools():
    """Permutation importance, partial dependence and learning curves work."""
    X, y = regression_data()
    bag = regressor(DecisionTreeRegressor(max_depth=3)).fit(X, y)
    importance = permutation_importance(bag, X, y, n_repeats=2, random_state=0)
    assert importance.importances_mean[:2].min() > importance.importances_mean[2:].max()
    dependence = partial_dependence(bag, X, [0], grid_resolution=5)
    assert np.ptp(dependence["average"]) > 0
    sizes, train, _ = learning_curve(bag, X, y, train_sizes=[10, 30], cv=2)
    assert sizes.tolist() == [10, 30]
    assert np.isfinite(train).all()
    X, y = classification_data(n_classes=2)
    dependence = partial_dependence(
        classifier().fit(X, y), X, [0], grid_resolution=5, response_method="auto"
    )
    assert np.isfinite(dependence["average"]).all()
