"""Paths through pipelines, transformed targets and other holders, against refits."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators.fitting import find_family
from genestimators.fitting._composites import PrefixPath, make_path
from tests.bagging.toys import classification_data, regression_data
from tests.fitting.families.against_refits import assert_equals_refits

ALPHAS = [0.01, 1.0, 100.0]


class Counting(TransformerMixin, BaseEstimator):
    """Counts its fits; takes no weights."""

    fits = 0

    def fit(self, X, y=None):
        type(self).fits += 1
        self.shift_ = np.asarray(X).mean(axis=0)
        return self

    def transform(self, X):
        return np.asarray(X) - self.shift_


def ridge_behind(*steps, **settings):
    """A pipeline that ends in a ridge, and the name of its penalty."""
    names = [f"step{i}" for i in range(len(steps))]
    chain = Pipeline([*zip(names, steps, strict=True), ("ridge", Ridge())], **settings)
    return chain, "ridge__alpha"


@pytest.mark.parametrize(
    "steps",
    [
        ["passthrough"],
        [None],
        ["passthrough", StandardScaler(), None],
        [make_pipeline(StandardScaler(), "passthrough")],
        [PolynomialFeatures(2), StandardScaler()],
        [SelectKBest(f_regression, k=2)],
        [FeatureUnion([("a", StandardScaler()), ("b", PCA(2))])],
        [ColumnTransformer([("a", StandardScaler(), [0, 1])], remainder="drop")],
        [FunctionTransformer(np.tanh)],
        [],
    ],
    ids=lambda steps: "-".join(type(step).__name__ for step in steps) or "none",
)
def test_steps_before_the_tuned_one(steps):
    """Whatever they are, they are fitted on the training rows of a draw only."""
    X, y = regression_data()
    chain, param = ridge_behind(*steps)
    assert_equals_refits(chain, param, ALPHAS, X, y)


def test_steps_before_the_tuned_one_with_weights():
    """Weights reach every step where all take them; else rows are repeated."""
    X, y = regression_data()
    weight = np.random.default_rng(0).integers(0, 4, 60)
    for step in (StandardScaler(), PolynomialFeatures(2), Counting()):
        chain, param = ridge_behind(step)
        assert_equals_refits(chain, param, ALPHAS, X, y, sample_weight=weight)


def test_steps_before_the_tuned_one_are_fitted_once():
    """Not once for each value."""
    X, y = regression_data()
    chain, param = ridge_behind(Counting())
    for families in (True, False):
        Counting.fits = 0
        path = make_path(chain, param, ALPHAS, X, y, None, families=families)
        for part in path.parts(len(X)):
            part.predict(X)
        assert Counting.fits == 1


def test_pipelines_in_pipelines():
    """The tuned step may lie any number of pipelines down, as the last of each."""
    X, y = regression_data()
    inner = make_pipeline(MinMaxScaler(), make_pipeline(StandardScaler(), Ridge()))
    chain = make_pipeline(PolynomialFeatures(2), inner)
    param = "pipeline__pipeline__ridge__alpha"
    # nine columns of degree two are nearly dependent for the weakest penalty
    assert_equals_refits(chain, param, ALPHAS, X, y, rtol=1e-8)


def test_memory(tmp_path):
    """A pipeline that remembers its steps answers alike, and still remembers."""
    X, y = regression_data()
    chain, param = ridge_behind(StandardScaler(), memory=str(tmp_path))
    assert_equals_refits(chain, param, ALPHAS, X, y)
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_steps_that_return_frames(library):
    """`set_output` is kept, so a later step can choose columns by name."""
    frames = pytest.importorskip(library)
    X, y = regression_data()
    frame = frames.DataFrame({name: X[:, j] for j, name in enumerate("abcd")})
    columns = ColumnTransformer([("kept", StandardScaler(), ["a", "c"])])
    chain, param = ridge_behind(StandardScaler(), columns)
    chain.set_output(transform=library)
    assert_equals_refits(chain, param, ALPHAS, frame, y)
    model = make_path(chain, param, ALPHAS, frame, y, None).model(0)
    if model is not None:
        assert model[-1].feature_names_in_.tolist() == ["kept__a", "kept__c"]


def test_transformed_metadata_are_left_to_the_pipeline():
    """A pipeline that transforms metadata on the way is fitted value by value."""
    X, y = regression_data()
    chain, param = ridge_behind(StandardScaler(), transform_input=["X_val"])
    with config_context(enable_metadata_routing=True):
        assert_equals_refits(chain, param, ALPHAS, X, y, served=False)


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (
            make_pipeline(
                ColumnTransformer([("pca", PCA(), [0, 1, 2])]), LinearRegression()
            ),
            "columntransformer__pca__n_components",
            [1, 2],
        ),
        (
            make_pipeline(
                FeatureUnion([("pca", PCA()), ("all", StandardScaler())]), Ridge()
            ),
            "featureunion__pca__n_components",
            [1, 3],
        ),
        (
            make_pipeline(make_pipeline(StandardScaler(), PCA()), LinearRegression()),
            "pipeline__pca__n_components",
            [1, 3],
        ),
        (
            make_pipeline(PolynomialFeatures(), StandardScaler(), Ridge()),
            "polynomialfeatures__degree",
            [1, 2],
        ),
    ],
    ids=["columns", "union", "nested", "degree"],
)
def test_a_tuned_step_that_lies_elsewhere(estimator, param, values):
    """Where no path leads through, every value is fitted by itself."""
    X, y = regression_data()
    # the order of sums differs, so does their rounding
    assert_equals_refits(estimator, param, values, X, y, served=False, rtol=1e-9)


@pytest.mark.parametrize(
    "before", [[], [StandardScaler()], [Counting(), "passthrough"]]
)
@pytest.mark.parametrize(
    "after",
    [
        [Ridge()],
        [Ridge(alpha=0.1, fit_intercept=False)],
        [LinearRegression()],
        [StandardScaler(), Ridge()],
        [KNeighborsRegressor(3)],
        [DecisionTreeRegressor(max_depth=2, random_state=0)],
    ],
    ids=lambda steps: "-".join(type(step).__name__ for step in steps),
)
@pytest.mark.parametrize(
    ("step", "name"),
    [
        (PCA(), "pca__n_components"),
        (PCA(whiten=True), "pca__n_components"),
        (SelectKBest(f_regression), "selectkbest__k"),
    ],
    ids=["pca", "whiten", "kbest"],
)
def test_a_tuned_transformer(before, step, name, after):
    """Leading columns of one transformation, and what follows for each number."""
    X, y = regression_data()
    chain = make_pipeline(*before, step, *after)
    # components are found to about twelve digits, those of no variance to fewer
    assert_equals_refits(chain, name, [1, 2, 4], X, y, rtol=1e-7, atol=1e-9)


def test_a_tuned_transformer_before_a_classifier():
    """Labels, probabilities and decisions of the steps behind it."""
    X, y = classification_data(labels=["a", "b", "c"])
    for last in (
        LogisticRegression(tol=1e-10),
        RidgeClassifier(),
        DecisionTreeClassifier(random_state=0),
    ):
        chain = make_pipeline(StandardScaler(), PCA(), last)
        # a logistic fit stops within its tolerance
        assert_equals_refits(
            chain, "pca__n_components", [1, 2, 4], X, y, rtol=1e-5, atol=1e-6
        )


def test_a_tuned_transformer_of_sparse_rows():
    """Sparse rows go through a decomposition that takes them."""
    X, y = regression_data(40, 8)
    rows = sparse.csr_matrix(np.where(np.abs(X) > 0.5, X, 0.0))
    chain = make_pipeline(TruncatedSVD(algorithm="arpack", random_state=0), Ridge())
    # an iterative solver finds directions to about half its digits
    assert_equals_refits(
        chain, "truncatedsvd__n_components", [1, 3], rows, y, rtol=1e-6, atol=1e-8
    )


def test_what_follows_is_fitted_at_once_where_it_can_be():
    """A ridge behind principal components needs no fit for each number of them."""
    X, y = regression_data()
    numbers = [1, 2, 4]
    for last, at_once in ((Ridge(), True), (KNeighborsRegressor(), False)):
        chain = make_pipeline(StandardScaler(), PCA(), last)
        path = make_path(chain, "pca__n_components", numbers, X, y, None)
        assert isinstance(path.inner, PrefixPath) != at_once
        assert path.family is find_family(PCA(), "n_components")
        refits = [
            make_pipeline(StandardScaler(), PCA(number), last).fit(X, y).predict(X)
            for number in numbers
        ]
        np.testing.assert_allclose(path.predict(X), refits, rtol=1e-9)


@pytest.mark.parametrize(
    "target",
    [
        {"func": np.log, "inverse_func": np.exp},
        {"transformer": StandardScaler()},
        {"func": np.log, "inverse_func": np.exp, "check_inverse": False},
        {},
    ],
    ids=lambda target: "-".join(target) or "none",
)
@pytest.mark.parametrize("width", [0, 1, 2])
def test_transformed_targets(target, width):
    """The path is that of the transformed target, its answers are transformed back."""
    X, y = regression_data()
    y = np.exp(y)
    y = y if not width else np.column_stack([y, y**2])[:, :width]
    for regressor, param in ((Ridge(), "alpha"), ridge_behind(StandardScaler())):
        whole = TransformedTargetRegressor(regressor, **target)
        assert_equals_refits(whole, f"regressor__{param}", ALPHAS, X, y)
        chain = make_pipeline(StandardScaler(), whole)
        name = f"transformedtargetregressor__regressor__{param}"
        assert_equals_refits(chain, name, ALPHAS, X, y)


def test_transformed_targets_with_weights():
    """Rows are repeated, also for the transformer of the target."""
    X, y = regression_data()
    weight = np.random.default_rng(0).integers(0, 4, 60)
    whole = TransformedTargetRegressor(Ridge(), transformer=StandardScaler())
    assert_equals_refits(whole, "regressor__alpha", ALPHAS, X, y, sample_weight=weight)


@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (*ridge_behind(StandardScaler()), ALPHAS),
        (make_pipeline(StandardScaler(), PCA(), Ridge()), "ridge__alpha", ALPHAS),
        (
            TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
            "regressor__alpha",
            ALPHAS,
        ),
        (
            make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)),
            "decisiontreeregressor__ccp_alpha",
            [0.0, 0.05],
        ),
    ],
    ids=["scaler", "pca", "target", "tree"],
)
def test_models_of_a_path_are_fitted_estimators(estimator, param, values):
    """They hold the value, and answer like the path and like a refit."""
    X, y = regression_data()
    path = make_path(estimator, param, values, X, y, None)
    answers = np.concatenate([part.predict(X) for part in path.parts(len(X))])
    for i, value in enumerate(values):
        model = path.model(i)
        assert type(model) is type(estimator)
        assert model.get_params()[param] == value
        np.testing.assert_allclose(model.predict(X), answers[i], rtol=1e-9)
        assert model.score(X, y) <= 1


def test_no_path_of_a_parameter_that_is_not_the_steps():
    """A step that is not there, and a parameter of the pipeline itself."""
    X, y = regression_data()
    chain, _ = ridge_behind(StandardScaler())
    path = make_path(chain, "ridge", [Ridge(1.0), Ridge(5.0)], X, y, None)
    assert path.family is None
    parts = [part.predict(X)[0] for part in path.parts(len(X))]
    np.testing.assert_allclose(
        parts[1], make_pipeline(StandardScaler(), Ridge(5.0)).fit(X, y).predict(X)
    )
    with pytest.raises(ValueError, match="Invalid parameter"):
        list(make_path(chain, "lasso__alpha", [1.0], X, y, None).parts(len(X)))
