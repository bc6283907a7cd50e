"""X and y in every container, and what is left over from an earlier fit."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import AutoRegularizedCV, BootstrapBaggingRegressor
from tests.bagging.toys import (
    classification_data,
    mostly_zero,
    multilabel_data,
    regression_data,
)

ALPHAS = [0.01, 1.0, 100.0]

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators.EdgeOfGridWarning",
    "ignore::genestimators.OutOfBagWarning",
)


def search(base=None, **settings):
    settings = {"values": ALPHAS, "cv": KFold(3), "random_state": 0, **settings}
    return AutoRegularizedCV(Ridge() if base is None else base, **settings)


def assert_as_grid_search(model, name, X, y):
    """The curve and the refit are those of GridSearchCV."""
    model.set_params(rule="best").fit(X, y)
    plain = GridSearchCV(
        model.estimator,
        {name: list(model.values)},
        cv=model.cv,
        scoring=model.scoring,
        error_score="raise",
    ).fit(X, y)
    np.testing.assert_allclose(
        model.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    assert model.best_params_ == plain.best_params_
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-6)
    return model


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_equal_arrays(library):
    """Names of columns are kept, also of those that are no text."""
    frames = pytest.importorskip(library)
    X, y = regression_data()
    expected = search().fit(X, y)
    frame = frames.DataFrame({f"c{j}": X[:, j] for j in range(4)})
    if library == "pandas":
        frame.index = np.arange(60)[::-1]
    for target in (y, frames.Series(y)):
        model = search().fit(frame, target)
        # Columns lie in memory otherwise, so sums are rounded otherwise.
        np.testing.assert_allclose(model.predict(frame), expected.predict(X))
        assert model.feature_names_in_.tolist() == ["c0", "c1", "c2", "c3"]
        names = model.best_estimator_.feature_names_in_
        assert names.tolist() == ["c0", "c1", "c2", "c3"]
    if library == "pandas":
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[["c1", "c0", "c2", "c3"]])
        with pytest.warns(UserWarning, match="valid feature names"):
            model.predict(X)


def test_frames_are_handed_on_as_frames():
    """A transformer that chooses columns by name or kind works, text included."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    frame["kind"] = pandas.Categorical(np.array(["u", "v"])[np.arange(60) % 2])
    chain = make_pipeline(
        ColumnTransformer(
            [("kind", OrdinalEncoder(), ["kind"]), ("a", "passthrough", ["a", "b"])]
        ),
        DecisionTreeRegressor(random_state=0),
    )
    model = search(chain, values=[0.0, 0.02, 0.1])
    assert_as_grid_search(model, "decisiontreeregressor__ccp_alpha", frame, y)
    assert model.engine_ == "path"


@pytest.mark.parametrize(
    "kind", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array]
)
@pytest.mark.parametrize(
    ("base", "name"),
    [
        (Ridge(), "alpha"),
        (make_pipeline(MaxAbsScaler(), Ridge()), "ridge__alpha"),
        (DecisionTreeRegressor(random_state=0), "ccp_alpha"),
    ],
    ids=["ridge", "pipeline", "tree"],
)
def test_sparse_rows(kind, base, name):
    """Sparse rows stay sparse, served by a family or not."""
    X, y = mostly_zero()
    X = kind(X)
    model = assert_as_grid_search(search(base), name, X.tocsr(), y)
    again = search(base, rule="best").fit(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X.tocsr()))


def test_sparse_rows_that_no_family_serves_are_not_repeated():
    """What has to be fitted value by value is fitted on one set of folds."""
    X, y = mostly_zero()
    dense = search(cv=None).fit(X, y)
    thin = search(cv=None).fit(sparse.csr_matrix(X), y)
    assert (dense.engine_, thin.engine_) == ("path", "generic")
    assert thin.n_splits_ == 5 < dense.n_splits_


def test_text():
    """Rows of text reach a vectoriser."""
    words = np.array(["good", "bad", "fine", "poor"])
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    X = [" ".join(words[rng.integers(0, 2, 4) * 2 + label]) for label in y]
    for last, name, values in (
        (LogisticRegression(tol=1e-10), "logisticregression__C", [0.1, 1.0]),
        (MultinomialNB(), "multinomialnb__alpha", [0.1, 1.0]),
    ):
        chain = make_pipeline(TfidfVectorizer(), last)
        model = search(chain, values=values, scoring="neg_log_loss")
        assert_as_grid_search(model, name, X, y)


def test_lists_and_other_numbers():
    """Nested lists, integers, single precision, Fortran order, read-only rows."""
    X, y = regression_data()
    expected = search().fit(X, y)
    locked = X.copy()
    locked.flags.writeable = False
    for rows in (X.tolist(), np.asfortranarray(X), locked):
        model = search().fit(rows, y.tolist())
        np.testing.assert_allclose(model.predict(rows), expected.predict(X))
    single = search().fit(X.astype(np.float32), y)
    assert single.best_params_ == expected.best_params_
    # single precision has seven digits
    np.testing.assert_allclose(single.predict(X), expected.predict(X), rtol=1e-3)
    whole = np.rint(X).astype(int)
    np.testing.assert_allclose(
        search().fit(whole, y).predict(whole),
        search().fit(whole.astype(float), y).predict(whole),
    )


@pytest.mark.parametrize(
    ("base", "name", "values"),
    [
        (HistGradientBoostingRegressor(), "max_iter", [2, 6]),
        (DecisionTreeRegressor(random_state=0), "ccp_alpha", [0.0, 0.05]),
    ],
    ids=["boosting", "tree"],
)
def test_missing_values(base, name, values):
    """NaN go where the estimator takes them, and are refused where it does not."""
    X, y = regression_data()
    X[::7, 1] = np.nan
    assert_as_grid_search(search(base, values=values), name, X, y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        search().fit(X, y)


def test_several_targets_and_labels():
    """Multi-output regression, and several labels a row."""
    X, y = regression_data()
    assert_as_grid_search(search(), "alpha", X, np.column_stack([y, -y, y**2]))
    X, labels = multilabel_data()
    tree = DecisionTreeClassifier(random_state=0)
    model = search(tree, values=[0.0, 0.05])
    assert_as_grid_search(model, "ccp_alpha", X, labels)
    assert len(model.classes_) == 3


@pytest.mark.parametrize(
    "labels", [["a", "b", "c"], [True, False], [-1, 1], [2.0, 5.0]]
)
def test_labels_of_any_kind(labels):
    """Predictions, classes and out-of-fold labels are the user's own."""
    X, y = classification_data(n_classes=len(labels), labels=labels)
    model = search(LogisticRegression(), values=[0.1, 1.0], n_repeats=1, cv=3)
    model.fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert set(model.predict(X)) <= set(y)
    assert model.oof_predictions_.shape == (60, len(labels))


class RowsOnly(RegressorMixin, BaseEstimator):
    """Takes rows of three dimensions."""

    def __init__(self, weight=1.0):
        self.weight = weight

    def fit(self, X, y):
        assert X.ndim == 3
        self.slope_ = self.weight * np.polyfit(X.mean(axis=(1, 2)), y, 1)
        return self

    def predict(self, X):
        return np.polyval(self.slope_, X.mean(axis=(1, 2)))


def test_rows_of_more_dimensions():
    """What X looks like is the estimator's affair."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3, 3))
    y = X.mean(axis=(1, 2)) + 0.1 * rng.normal(size=30)
    model = search(RowsOnly(), param="weight", values=[0.5, 1.0]).fit(X, y)
    assert model.best_params_ == {"weight": 1.0}


def test_a_second_fit_leaves_nothing_of_the_first():
    """Other columns, names, kinds of answers and settings replace the earlier ones."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = search(store_oof=True).fit(frame, y)
    fresh = search()
    for again in (model.set_params(store_oof=False), fresh):
        again.fit(X[:, :3], y)
    assert set(vars(model)) == set(vars(fresh))
    assert model.n_features_in_ == 3
    assert not hasattr(model, "feature_names_in_")
    assert model.oof_predictions_.shape == y.shape
    model.set_params(refit=False).fit(X, y)
    assert not hasattr(model, "best_estimator_")
    assert not hasattr(model, "refit_time_")
    labels = (y > 0).astype(int)
    model.set_params(estimator=LogisticRegression(), values="auto", refit=True)
    model.fit(X, labels)
    assert model.param_ == "C"
    assert model.classes_.tolist() == [0, 1]
    model.set_params(estimator=StandardScaler())
    with pytest.raises(ValueError, match="No penalty is known"):
        model.fit(X, labels)


def test_a_bag_out_of_bag_after_folds():
    """The way of scoring is found anew for each fit."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=5)
    model = AutoRegularizedCV(bag, values=[0.0, 0.1], cv=KFold(3), random_state=0)
    assert model.fit(X, y).n_splits_ == 3
    model.set_params(cv=None).fit(X, y)
    assert model.n_splits_ == 1
    fresh = AutoRegularizedCV(bag, values=[0.0, 0.1], random_state=0).fit(X, y)
    assert set(vars(model)) == set(vars(fresh))
    np.testing.assert_array_equal(model.predict(X), fresh.predict(X))


def test_the_data_are_not_written_into():
    """Neither by the search nor by an estimator that works in place."""
    X, y = regression_data()
    weight = np.ones(60)
    kept = X.copy(), y.copy()
    for base in (
        Ridge(copy_X=False),
        make_pipeline(StandardScaler(copy=False), Ridge(copy_X=False)),
    ):
        model = search(base).fit(X, y, sample_weight=weight)
        expected = search(
            make_pipeline(StandardScaler(), Ridge()) if hasattr(base, "steps") else None
        ).fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(X, kept[0])
        np.testing.assert_array_equal(y, kept[1])
        np.testing.assert_allclose(
            model.cv_results_["mean_test_score"],
            expected.cv_results_["mean_test_score"],
        )
