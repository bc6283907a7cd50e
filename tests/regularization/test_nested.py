"""AutoRegularizedCV inside of other tools, and around them."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
)
from tests.bagging.toys import classification_data, regression_data

ALPHAS = [0.01, 1.0, 100.0]

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators.EdgeOfGridWarning",
    "ignore::genestimators.OutOfBagWarning",
)


def ridge(**settings):
    settings = {"values": ALPHAS, "n_repeats": 1, "random_state": 0, **settings}
    return AutoRegularizedCV(Ridge(), **settings)


def logistic(**settings):
    settings = {"values": [0.1, 1.0, 10.0], "n_repeats": 1, **settings}
    return AutoRegularizedCV(LogisticRegression(), random_state=0, **settings)


def test_cross_validate_equals_a_loop():
    """Every outer fold gets a search of its own."""
    X, y = regression_data()
    folds = KFold(3)
    result = cross_validate(
        ridge(), X, y, cv=folds, return_estimator=True, return_train_score=True
    )
    answers = cross_val_predict(ridge(), X, y, cv=folds)
    for number, (train, test) in enumerate(folds.split(X)):
        alone = ridge().fit(X[train], y[train])
        assert result["estimator"][number].best_params_ == alone.best_params_
        expected = r2_score(y[test], alone.predict(X[test]))
        np.testing.assert_allclose(result["test_score"][number], expected)
        np.testing.assert_array_equal(answers[test], alone.predict(X[test]))


@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_cross_val_predict_asks_for_other_answers(method):
    """A classifier is known as one, with its classes."""
    X, y = classification_data(labels=["a", "b", "c"])
    answers = cross_val_predict(logistic(), X, y, cv=3, method=method)
    assert answers.shape == (60, 3)
    assert is_classifier(logistic())


@pytest.mark.parametrize(
    "grid",
    [
        {"rule": ["gap", "best", "one_standard_error"]},
        {"rule": ["gap"], "rule_params": [None, {"q": 0.0}, {"q": 3.0}]},
        {"estimator__fit_intercept": [True, False]},
        {"estimator": [Ridge(), make_pipeline(StandardScaler(), Ridge())]},
        {"values": ["auto", [1.0, 10.0]], "n_repeats": [1, 2]},
    ],
)
def test_grid_search_over_its_parameters(grid):
    """Each combination scores as a search with those parameters does."""
    X, y = regression_data()
    model = ridge() if "estimator" not in grid else ridge(param="auto", values="auto")
    search = GridSearchCV(model, grid, cv=KFold(3), error_score="raise").fit(X, y)
    for params, score in zip(
        search.cv_results_["params"],
        search.cv_results_["mean_test_score"],
        strict=True,
    ):
        own = cross_validate(clone(model).set_params(**params), X, y, cv=KFold(3))
        np.testing.assert_allclose(score, own["test_score"].mean())
    assert search.best_estimator_.choice_ is not None


def test_grid_search_over_a_step_of_its_pipeline():
    """Two parameters at once: one by the grid, the penalty by the curve."""
    X, y = regression_data()
    chain = make_pipeline(PolynomialFeatures(), StandardScaler(), Ridge())
    model = AutoRegularizedCV(chain, values=ALPHAS, n_repeats=1)
    grid = {"estimator__polynomialfeatures__degree": [1, 2]}
    search = GridSearchCV(model, grid, cv=KFold(3)).fit(X, y)
    plain = GridSearchCV(
        AutoRegularizedCV(chain, values=ALPHAS, n_repeats=1, engine="generic"),
        grid,
        cv=KFold(3),
    ).fit(X, y)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )


def test_a_step_of_a_pipeline_equals_one_fitted_behind_it():
    """As the last step it gets what the steps before it make."""
    X, y = regression_data()
    chain = make_pipeline(StandardScaler(), ridge()).fit(X, y)
    alone = ridge().fit(StandardScaler().fit_transform(X), y)
    assert chain[-1].best_params_ == alone.best_params_
    np.testing.assert_array_equal(
        chain.predict(X), alone.predict(chain[0].transform(X))
    )
    assert chain.score(X, y) == alone.score(chain[0].transform(X), y)


@pytest.mark.parametrize(
    ("kind", "base", "data"),
    [
        (BootstrapBaggingRegressor, ridge(), regression_data),
        (BootstrapBaggingClassifier, logistic(), classification_data),
    ],
)
def test_inside_a_bag(kind, base, data):
    """Each member chooses for its own rows, as a fit on them with counts does."""
    X, y = data()
    bag = kind(base, n_estimators=4, random_state=0).fit(X, y)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        kept, first, counts = np.unique(rows, return_index=True, return_counts=True)
        order = np.argsort(first)
        kept, counts = kept[order], counts[order]
        alone = clone(base).fit(X[kept], y[kept], sample_weight=counts)
        assert member.best_params_ == alone.best_params_
        np.testing.assert_array_equal(member.predict(X), alone.predict(X))


def test_around_a_bag_of_searches():
    """A parameter of the search inside the bag may be tuned from outside."""
    X, y = regression_data(40)
    bag = BootstrapBaggingRegressor(
        AutoRegularizedCV(KNeighborsRegressor(), values=[1, 3], cv=2, n_repeats=1),
        n_estimators=5,
        random_state=0,
    )
    model = AutoRegularizedCV(
        bag, param="estimator__estimator__p", values=[1, 2], cv=2, random_state=0
    ).fit(X, y)
    assert model.engine_ == "generic"
    assert (
        model.best_estimator_.estimator.estimator.p == model.best_params_[model.param_]
    )


def test_a_search_around_a_search():
    """The outer one chooses what the inner one leaves open, fit by fit."""
    X, y = regression_data(40)
    inner = AutoRegularizedCV(
        KNeighborsRegressor(), values=[1, 3, 5], cv=KFold(3), random_state=0
    )
    outer = AutoRegularizedCV(
        inner, param="estimator__p", values=[1, 2], cv=KFold(3), rule="best"
    ).fit(X, y)
    plain = GridSearchCV(inner, {"estimator__p": [1, 2]}, cv=KFold(3)).fit(X, y)
    np.testing.assert_allclose(
        outer.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    assert outer.best_params_ == plain.best_params_
    assert outer.best_estimator_.best_params_ == plain.best_estimator_.best_params_


def test_the_preferred_parameter_lies_beneath_another_wrapper():
    """param="auto" looks through wrappers that name what they hold `estimator`."""
    X, y = regression_data(40, seed=1)
    both = np.column_stack([y, -y])
    model = AutoRegularizedCV(MultiOutputRegressor(Ridge()), values=ALPHAS, cv=3)
    model.fit(X, both)
    assert model.param_ == "estimator__alpha"
    single = ridge(cv=3, rule="best").fit(X, y)
    assert model.set_params(rule="best").fit(X, both).best_params_ == {
        "estimator__alpha": single.best_params_["alpha"]
    }


@pytest.mark.parametrize("inside", [True, False])
def test_transformed_targets(inside):
    """Inside: the search sees the transformed target. Outside: it scores the plain."""
    X, y = regression_data()
    y = np.exp(y)
    target = {"func": np.log, "inverse_func": np.exp}
    if inside:
        model = TransformedTargetRegressor(ridge(), **target).fit(X, y)
        alone = ridge().fit(X, np.log(y))
        assert model.regressor_.best_params_ == alone.best_params_
        np.testing.assert_allclose(model.predict(X), np.exp(alone.predict(X)))
        return
    whole = TransformedTargetRegressor(Ridge(), **target)
    model = AutoRegularizedCV(whole, values=ALPHAS, cv=KFold(4), rule="best").fit(X, y)
    plain = GridSearchCV(whole, {"regressor__alpha": ALPHAS}, cv=KFold(4)).fit(X, y)
    assert model.engine_ == "path"
    np.testing.assert_allclose(
        model.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    np.testing.assert_allclose(model.predict(X), plain.predict(X))


@pytest.mark.parametrize(
    "outer",
    [
        StackingClassifier(
            [("one", logistic()), ("two", DecisionTreeClassifier(random_state=0))], cv=3
        ),
        VotingClassifier([("one", logistic()), ("two", logistic())], voting="soft"),
        CalibratedClassifierCV(logistic(), cv=3),
        OneVsRestClassifier(logistic()),
    ],
    ids=lambda outer: type(outer).__name__,
)
def test_inside_of_classifiers(outer):
    """Ensembles, calibration and decompositions take it for a classifier."""
    X, y = classification_data(labels=["a", "b", "c"])
    outer.fit(X, y)
    np.testing.assert_allclose(outer.predict_proba(X).sum(axis=1), 1)
    assert accuracy_score(y, outer.predict(X)) > 0.5


def test_inside_of_a_tuned_threshold():
    """A threshold is tuned over it, and it may tune what a threshold is set for."""
    X, y = classification_data(n_classes=2)
    tuned = TunedThresholdClassifierCV(logistic(), cv=2, thresholds=5).fit(X, y)
    assert set(tuned.predict(X)) <= {0, 1}
    around = AutoRegularizedCV(
        TunedThresholdClassifierCV(LogisticRegression(), cv=2, thresholds=5),
        values=[0.1, 10.0],
        cv=3,
    ).fit(X, y)
    assert around.param_ == "estimator__C"
    assert hasattr(around, "predict_proba")


def test_around_an_ensemble_by_the_name_of_a_member():
    """A parameter of one member of a stack can be tuned."""
    X, y = regression_data(40)
    stack = StackingRegressor(
        [("a", Ridge()), ("b", DecisionTreeRegressor(random_state=0))], cv=3
    )
    model = AutoRegularizedCV(
        stack, param="a__alpha", values=ALPHAS, cv=KFold(3), rule="best"
    ).fit(X, y)
    plain = GridSearchCV(stack, {"a__alpha": ALPHAS}, cv=KFold(3)).fit(X, y)
    full = ~np.isnan(model.cv_results_["mean_test_score"])
    np.testing.assert_allclose(
        model.cv_results_["mean_test_score"][full],
        plain.cv_results_["mean_test_score"][full],
    )
    assert model.best_params_ == plain.best_params_


def test_around_a_column_transformer_with_text():
    """A frame with a column of text goes through a pipeline as it is."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    frame["town"] = np.array(["x", "y", "z"])[np.arange(60) % 3]
    columns = ColumnTransformer(
        [("text", OneHotEncoder(), ["town"])],
        remainder=StandardScaler(),
        sparse_threshold=0,
    )
    chain = make_pipeline(columns, Ridge())
    model = AutoRegularizedCV(chain, values=ALPHAS, cv=KFold(4), rule="best")
    model.fit(frame, y)
    plain = GridSearchCV(chain, {"ridge__alpha": ALPHAS}, cv=KFold(4)).fit(frame, y)
    assert model.engine_ == "path"
    np.testing.assert_allclose(
        model.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    assert model.feature_names_in_.tolist() == list(frame.columns)
