"""A row of weight k is k rows, and a row of weight zero is no row, to the bit.

The base gets one row for each occurrence that is drawn, in an order that does not
depend on how the data were written down, so the equality holds for any base.
"""

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GroupBootstrap,
    Subsample,
)
from tests.bagging.toys import (
    RowRecorder,
    WeightedRecorder,
    assert_same_fit,
    classification_data,
    mostly_zero,
    regression_data,
)

# Rows of weight three are out of bag only as a whole, so few are: that is the point.
pytestmark = pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")

REGRESSORS = {
    "tree": DecisionTreeRegressor(min_samples_leaf=2),
    "ridge": Ridge(),
    "lasso": Lasso(alpha=0.01),
    "svr": SVR(),
    "neighbors": KNeighborsRegressor(n_neighbors=3),
    "forest": RandomForestRegressor(n_estimators=3),
    "hist_boosting": HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=5),
    "stopped_boosting": HistGradientBoostingRegressor(
        max_iter=3, min_samples_leaf=5, early_stopping=True
    ),
    "scaled": make_pipeline(StandardScaler(), Ridge()),
    "imputed": make_pipeline(SimpleImputer(), StandardScaler(), Ridge()),
    "search": GridSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=2),
    "bag": BootstrapBaggingRegressor(Ridge(), n_estimators=3),
}
CLASSIFIERS = {
    "tree": DecisionTreeClassifier(),
    "logistic": LogisticRegression(),
    "sgd": SGDClassifier(max_iter=5, tol=None),
    "svc": SVC(),
    "linear_svc": LinearSVC(),
    "neighbors": KNeighborsClassifier(n_neighbors=3),
    "forest": RandomForestClassifier(n_estimators=3),
    "hist_boosting": HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5),
    "scaled_svc": make_pipeline(StandardScaler(), SVC()),
    "imputed": make_pipeline(SimpleImputer(), DecisionTreeClassifier()),
}


def _cases(table):
    return [pytest.param(base, id=name) for name, base in table.items()]


def some_weights(n_rows=60):
    """Weights zero to three, many of each."""
    return np.random.default_rng(7).integers(0, 4, n_rows)


def pair(bag, X, y, **more):
    """A bag fitted with weights, and one on repeated rows in another order."""
    weight = some_weights(len(y))
    rows = np.random.default_rng(8).permutation(np.repeat(np.arange(len(y)), weight))
    weighted = type(bag)(**bag.get_params(deep=False)).fit(
        X, y, sample_weight=weight, **more
    )
    taken = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
    more = {name: value[rows] for name, value in more.items()}
    return weighted, type(bag)(**bag.get_params(deep=False)).fit(taken, y[rows], **more)


@pytest.mark.parametrize("base", _cases(REGRESSORS))
def test_repeats_equal_weights_for_regressors(base):
    """Repeated rows, in any order, give the members of weighted rows."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(base, n_estimators=5, random_state=0)
    assert_same_fit(*pair(bag, X, y), regression_data(seed=1)[0])


@pytest.mark.parametrize("base", _cases(CLASSIFIERS))
def test_repeats_equal_weights_for_classifiers(base):
    """Repeated rows, in any order, give the members of weighted rows."""
    X, y = classification_data(labels=["a", "b", "c"])
    bag = BootstrapBaggingClassifier(base, n_estimators=5, random_state=0)
    assert_same_fit(*pair(bag, X, y), classification_data(seed=1)[0])


@pytest.mark.parametrize(
    "resampling",
    [
        "subsample",
        Bootstrap(stratify=False),
        Bootstrap(duplicates="together"),
        Subsample(fraction=0.3, complementary_pairs=True),
        "bayesian",
    ],
    ids=str,
)
def test_repeats_equal_weights_for_resamplers(resampling):
    """Every resampler that goes by content draws occurrences."""
    X, y = classification_data()
    bag = BootstrapBaggingClassifier(
        DecisionTreeClassifier(),
        n_estimators=5,
        resampling=resampling,
        oob_score=False,
        random_state=0,
    )
    assert_same_fit(*pair(bag, X, y), X)


def test_repeats_equal_weights_for_groups():
    """Groups of repeated rows are drawn as groups of weighted rows are."""
    X, y = regression_data()
    groups = np.arange(60) % 9
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=5, resampling="group")
    bag.set_params(random_state=0)
    assert_same_fit(*pair(bag, X, y, groups=groups), X)
    X[:, 3] = groups
    bag.set_params(resampling=GroupBootstrap(groups=3))
    assert_same_fit(*pair(bag, X, y), X)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize(
    "base",
    [Ridge(), DecisionTreeRegressor(), KNeighborsRegressor(n_neighbors=3)],
    ids=str,
)
def test_repeats_equal_weights_for_sparse_rows(base, container):
    """Sparse rows are repeated and weighted as dense ones are."""
    X, y = mostly_zero()
    bag = BootstrapBaggingRegressor(base, n_estimators=5, random_state=0)
    assert_same_fit(*pair(bag, container(X), y), container(X))


def test_repeats_equal_weights_for_frames():
    """Frames with text, categories and missing values too."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    X[::6, 0] = np.nan
    frame = pandas.DataFrame(X[:, :2], columns=["a", "b"])
    frame["town"] = np.where(X[:, 1] > 0, "here", "there")
    base = make_pipeline(
        make_column_transformer(
            (SimpleImputer(), ["a", "b"]), (OneHotEncoder(), ["town"])
        ),
        Ridge(),
    )
    bag = BootstrapBaggingRegressor(base, n_estimators=5, random_state=0)
    assert_same_fit(*pair(bag, frame, y), frame)
    frame["town"] = frame["town"].astype("category")
    boosting = HistGradientBoostingRegressor(
        max_iter=3, min_samples_leaf=5, categorical_features="from_dtype"
    )
    assert_same_fit(*pair(bag.set_params(estimator=boosting), frame, y), frame)


@pytest.mark.parametrize("tolerance", [0.02, 0.005])
def test_repeats_ask_for_as_many_replicates(tolerance):
    """The number of replicates is found from occurrences, so it is the same."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(tolerance=tolerance, random_state=0)
    bags = pair(bag, X, y)
    assert bags[0].n_estimators_ > 10
    assert_same_fit(*bags, X)
    X, y = classification_data()
    bag = BootstrapBaggingClassifier(
        LogisticRegression(), tolerance=tolerance / 10, random_state=0
    )
    assert_same_fit(*pair(bag, X, y), X)


@pytest.mark.parametrize("base", [None, Ridge(), KNeighborsRegressor()], ids=str)
def test_weight_zero_equals_absence(base):
    """Rows of weight zero change neither the members nor any figure."""
    X, y = regression_data()
    weight = (some_weights() > 0).astype(float)
    kept = weight > 0
    # Far away, to be felt if they were looked at.
    X[~kept] *= 1e6
    y[~kept] = 1e9
    bags = [
        BootstrapBaggingRegressor(base, max_estimators=20, random_state=0).fit(
            X, y, sample_weight=weight
        ),
        BootstrapBaggingRegressor(base, max_estimators=20, random_state=0).fit(
            X[kept], y[kept]
        ),
    ]
    assert_same_fit(*bags, regression_data(seed=1)[0])
    assert bags[0].oob_score_ == bags[1].oob_score_
    assert bags[0].generalization_gap_ == bags[1].generalization_gap_
    np.testing.assert_array_equal(
        bags[0].oob_prediction_[kept], bags[1].oob_prediction_
    )
    assert np.isnan(bags[0].oob_prediction_[~kept]).all()


@pytest.mark.parametrize("base", [None, Ridge(), RowRecorder()], ids=str)
def test_weights_of_one_equal_no_weights(base):
    """Weights that are all one change nothing."""
    X, y = regression_data()
    bags = [
        BootstrapBaggingRegressor(base, n_estimators=10, random_state=0).fit(
            X, y, sample_weight=weight
        )
        for weight in (None, np.ones(60), np.ones(60, dtype=int), 1.0)
    ]
    for bag in bags[1:]:
        assert_same_fit(bags[0], bag, X)
        assert bag.oob_score_ == bags[0].oob_score_


def test_importance_weights_leave_the_draws_alone():
    """As importances, weights multiply the counts of draws made without them."""
    X, y = regression_data()
    X[:, 0] = np.arange(60)
    weight = np.random.default_rng(0).uniform(0.5, 50, len(X))
    plain, weighted = (
        BootstrapBaggingRegressor(
            WeightedRecorder(), n_estimators=5, weight_mode="importance", random_state=0
        ).fit(X, y, sample_weight=each)
        for each in (None, weight)
    )
    for one, other in zip(plain.estimators_, weighted.estimators_, strict=True):
        np.testing.assert_array_equal(one.seen_.X, other.seen_.X)
        np.testing.assert_allclose(
            one.seen_.sample_weight * weight[one.seen_.X[:, 0].astype(int)],
            other.seen_.sample_weight,
        )
