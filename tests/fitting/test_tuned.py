"""Which parameter is tuned, what stands before it, and which family serves it."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingRegressor, Folds
from genestimators.fitting import Response, find_family, read_over
from genestimators.fitting._tuned import (
    exactness_of,
    in_an_ensemble,
    known_parameters,
    offers_out_of_bag,
    preferred_parameter,
    rows_before,
    serving_family,
    tuned_leaf,
)
from tests.bagging.toys import regression_data
from tests.fitting.families.against_refits import EveryAnswer

SCALED = make_pipeline(StandardScaler(), Ridge())
TARGET = TransformedTargetRegressor(SCALED, func=np.log, inverse_func=np.exp)
BAG = BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=4)


@pytest.mark.parametrize(
    ("estimator", "param"),
    [
        (Ridge(), "alpha"),
        (LogisticRegression(), "C"),
        (DecisionTreeRegressor(), "ccp_alpha"),
        (SCALED, "ridge__alpha"),
        (make_pipeline(PCA(), Ridge()), "ridge__alpha"),
        (make_pipeline(StandardScaler(), SCALED), "pipeline__ridge__alpha"),
        (TARGET, "regressor__ridge__alpha"),
        (BAG, "estimator__ccp_alpha"),
        (BootstrapBaggingRegressor(), "estimator__ccp_alpha"),
        (
            make_pipeline(StandardScaler(), BAG),
            "bootstrapbaggingregressor__estimator__ccp_alpha",
        ),
        (MultiOutputRegressor(Ridge()), "estimator__alpha"),
        (LinearRegression(), None),
        (TransformedTargetRegressor(), None),
        (make_pipeline(Ridge(), "passthrough"), None),
        (Pipeline([("scale", StandardScaler()), ("none", None)]), None),
        (VotingRegressor([("a", Ridge())]), None),
    ],
)
def test_the_preferred_parameter(estimator, param):
    """That of the last step, of the regressor behind a target, of a bag's member."""
    assert preferred_parameter(estimator) == param


@pytest.mark.parametrize(
    ("estimator", "param", "leaf", "name"),
    [
        (Ridge(), "alpha", Ridge, "alpha"),
        (SCALED, "ridge__alpha", Ridge, "alpha"),
        (SCALED, "ridge", Pipeline, "ridge"),
        (TARGET, "regressor__ridge__alpha", Ridge, "alpha"),
        (BAG, "estimator__ccp_alpha", DecisionTreeRegressor, "ccp_alpha"),
        (BootstrapBaggingRegressor(), "estimator__ccp_alpha", None, "ccp_alpha"),
        (VotingRegressor([("a", Ridge())]), "a__alpha", Ridge, "alpha"),
    ],
)
def test_the_tuned_leaf(estimator, param, leaf, name):
    """The way down is the name; what holds no parameters ends it."""
    found, own = tuned_leaf(estimator, param)
    assert own == name
    assert name in found.get_params()
    assert leaf is None or type(found) is leaf


def test_rows_before_the_tuned_estimator():
    """As a fit on all rows hands them over, targets transformed."""
    X, y = regression_data()
    y = np.exp(y)
    leaf, rows, target = rows_before(TARGET, "regressor__ridge__alpha", X, y, None)
    assert type(leaf) is Ridge
    np.testing.assert_allclose(rows, StandardScaler().fit_transform(X))
    np.testing.assert_allclose(target, np.log(y))
    chain = make_pipeline(PolynomialFeatures(2), SCALED)
    weight = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    _, rows, _ = rows_before(chain, "pipeline__ridge__alpha", X, y, weight)
    wide = PolynomialFeatures(2).fit_transform(X)
    # PolynomialFeatures takes no weights, so the steps of that pipeline get none
    # beside it; the pipeline within takes them.
    expected = StandardScaler().fit(wide, sample_weight=weight).transform(wide)
    np.testing.assert_allclose(rows, expected)
    _, rows, _ = rows_before(BAG, "estimator__ccp_alpha", X, y, None)
    assert rows is X
    assert not hasattr(SCALED[0], "mean_")


def test_rows_before_the_first_step():
    """They are all rows, as they came."""
    X, y = regression_data()
    leaf, rows, _ = rows_before(make_pipeline(PCA(), Ridge()), "pca__tol", X, y, None)
    assert type(leaf) is PCA
    assert rows is X


@pytest.mark.parametrize("columns", [[0, 2], slice(1, 3), lambda X: [1]])
def test_rows_before_a_part_of_the_columns(columns):
    """A transformer gets its own columns, the remainder is not worked out."""
    X, y = regression_data()
    parts = ColumnTransformer([("own", PCA(), columns)], remainder=StandardScaler())
    whole = make_pipeline(parts, Ridge())
    name = "columntransformer__own__n_components"
    leaf, rows, _ = rows_before(whole, name, X, y, None)
    own = columns(X) if callable(columns) else columns
    assert type(leaf) is PCA
    np.testing.assert_array_equal(rows, X[:, own])
    name = "columntransformer__remainder__with_mean"
    assert rows_before(whole, name, X, y, None)[1] is X


def test_a_member_of_an_ensemble():
    """Bags are ensembles, pipelines are not."""
    assert in_an_ensemble(BAG, "estimator__ccp_alpha")
    chain = make_pipeline(StandardScaler(), BAG)
    name = "bootstrapbaggingregressor__estimator__ccp_alpha"
    assert in_an_ensemble(chain, name)
    assert not in_an_ensemble(BAG, "n_estimators")
    assert not in_an_ensemble(SCALED, "ridge__alpha")


def test_out_of_bag_is_offered_by_bags_and_forests():
    """By those that bootstrap, and stand alone."""
    X, y = regression_data()

    def offers(estimator, param):
        return offers_out_of_bag(estimator, param, X, y, None, [0.0, 0.1])

    forest = RandomForestRegressor(n_estimators=3)
    assert offers(forest, "ccp_alpha")
    assert not offers(RandomForestRegressor(bootstrap=False), "ccp_alpha")
    assert not offers(make_pipeline(forest), "randomforestregressor__ccp_alpha")
    assert offers(BAG, "estimator__ccp_alpha")
    assert not offers(Ridge(), "alpha")
    assert not offers(SCALED, "ridge__alpha")


class OtherPipeline(Pipeline):
    """A subclass, which may fit otherwise."""


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (Ridge(), "alpha", [0.1, 1.0]),
        (Ridge(solver="sag", tol=1e-8), "alpha", [0.1, 1.0]),
        (Ridge(copy_X=False), "alpha", [0.1, 1.0]),
        (Ridge(), "tol", [0.1, 1.0]),
        (SCALED, "ridge__alpha", [0.1, 1.0]),
        (make_pipeline("passthrough", SCALED), "pipeline__ridge__alpha", [0.1, 1.0]),
        (make_pipeline(PCA(2), Ridge()), "ridge__alpha", [0.1, 1.0]),
        (make_pipeline(PCA(), Ridge()), "pca__n_components", [1, 2]),
        (make_pipeline(PCA(svd_solver="arpack"), Ridge()), "pca__n_components", [1, 2]),
        (
            make_pipeline(make_pipeline(StandardScaler(), PCA()), Ridge()),
            "pipeline__pca__n_components",
            [1, 2],
        ),
        (make_pipeline(Ridge(), verbose=False), "ridge__alpha", [0.1, 1.0]),
        (OtherPipeline([("ridge", Ridge())]), "ridge__alpha", [0.1, 1.0]),
        (TransformedTargetRegressor(Ridge()), "regressor__alpha", [0.1, 1.0]),
        (BAG, "estimator__ccp_alpha", [0.0, 0.1]),
        (BAG, "n_estimators", [2, 3]),
        (make_pipeline(BAG), "bootstrapbaggingregressor__n_estimators", [2, 3]),
        (VotingRegressor([("a", Ridge())]), "a__alpha", [0.1, 1.0]),
        (KNeighborsRegressor(), "n_neighbors", [1, 2]),
        (KNeighborsRegressor(metric="cosine"), "p", [1, 2]),
        (
            make_pipeline(
                ColumnTransformer([("a", StandardScaler(), [0])]),
                DecisionTreeRegressor(random_state=0),
            ),
            "decisiontreeregressor__ccp_alpha",
            [0.0, 0.1],
        ),
    ],
    ids=lambda part: str(part).replace(" ", "").replace("\n", "")[:40],
)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_whether_a_family_serves_is_foretold(estimator, param, values, kind):
    """What is decided before the fits is what the fits then do."""
    X, y = regression_data()
    text = repr(estimator)
    if kind == "sparse":
        X = sparse.csr_matrix(X)
        if "StandardScaler" in text or "arpack" in text:
            pytest.skip("These steps centre their rows.")
    told = serving_family(estimator, param, X, y, None, values)
    draws = Folds().prepare(X, y)
    *_, (_, family) = next(
        read_over(
            estimator,
            X,
            y,
            draws,
            [0],
            reading=EveryAnswer(Response("predict")),
            param=param,
            values=values,
        )
    )
    assert (family is None) == (told is None)


def test_exactness_follows_the_leaf():
    """With the settings of the tuned estimator, wherever it is."""
    family = find_family(DecisionTreeRegressor(), "max_depth")
    for settings in ({}, {"max_features": 1}):
        tree = DecisionTreeRegressor(**settings)
        name = "decisiontreeregressor__max_depth"
        alone = exactness_of(family, tree, "max_depth")
        assert exactness_of(family, make_pipeline(tree), name) == alone
    assert "Ridge.alpha" in known_parameters()
