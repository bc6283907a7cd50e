"""What X may be: frames, sparse matrices, texts, missing values, three dimensions."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.bagging.toys import (
    FrameClassifier,
    Images,
    RowRecorder,
    WeightedRecorder,
    classification_data,
    figures_of,
    mostly_zero,
    regression_data,
)

SPARSE = [
    sparse.csr_array,
    sparse.csr_matrix,
    sparse.csc_array,
    sparse.csc_matrix,
    sparse.coo_array,
    sparse.coo_matrix,
]
TEXTS = [
    f"{word} {other} {'offer' if i % 2 else 'meeting'} {i % 5}"
    for i, (word, other) in enumerate(
        zip(["win", "lunch", "team"] * 10, ["cash", "today"] * 15, strict=True)
    )
]
KINDS = np.array(["ham", "spam"] * 15)


def make_table(library):
    """A frame with numbers, some missing, and text categories; and a target."""
    X, y = regression_data()
    size = X[:, 0].copy()
    size[::7] = np.nan
    frame = library.DataFrame(
        {"size": size, "town": np.where(X[:, 1] > 0, "here", "there"), "age": X[:, 2]}
    )
    return frame, y


def by_column_name():
    """A pipeline that picks columns by their names."""
    return make_pipeline(
        ColumnTransformer(
            [
                ("numbers", SimpleImputer(), ["size", "age"]),
                ("towns", OneHotEncoder(sparse_output=False), ["town"]),
            ]
        ),
        Ridge(),
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("recorder", [RowRecorder, WeightedRecorder])
def test_frames_reach_the_base_as_frames(library, recorder):
    """A frame stays a frame of its library, its columns and types untouched."""
    library = pytest.importorskip(library)
    X, y = make_table(library)
    bag = BootstrapBaggingRegressor(recorder(), n_estimators=3, random_state=0)
    bag.fit(X, y)
    assert bag.feature_names_in_.tolist() == ["size", "town", "age"]
    for member in bag.estimators_:
        assert type(member.seen_.X) is type(X)
        assert list(member.seen_.X.columns) == list(X.columns)
        assert list(member.seen_.X.dtypes) == list(X.dtypes)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_are_found_by_name(library):
    """Pipelines that name columns work, and agree with the same numbers in an array."""
    library = pytest.importorskip(library)
    X, y = make_table(library)
    bag = BootstrapBaggingRegressor(by_column_name(), n_estimators=5, random_state=0)
    bag.fit(X, y)
    numbers = np.column_stack(
        [X["size"].to_numpy(), np.asarray(X["town"]) == "here", X["age"].to_numpy()]
    ).astype(float)
    members = [member.predict(X) for member in bag.estimators_]
    np.testing.assert_allclose(bag.predict(X), np.mean(members, axis=0))
    assert bag.oob_score_ > 0.3
    assert len(numbers) == len(bag.oob_prediction_)


def test_pandas_and_polars_frames_give_the_same_bag():
    """The same table draws the same rows and gives the same predictions."""
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    predictions = []
    for library in (pandas, polars):
        X, y = make_table(library)
        bag = BootstrapBaggingRegressor(by_column_name(), n_estimators=5)
        predictions.append(bag.set_params(random_state=0).fit(X, y).predict(X))
    np.testing.assert_array_equal(*predictions)


def test_frame_of_numbers_equals_an_array():
    """A frame of numbers gives the predictions of its array, to the bit."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"), index=np.arange(len(X)) * 3)
    bags = [
        BootstrapBaggingRegressor(n_estimators=5, random_state=0).fit(data, target)
        for data, target in [(X, y), (frame, y), (frame, pandas.Series(y))]
    ]
    for bag, data in zip(bags, (X, frame, frame), strict=True):
        np.testing.assert_array_equal(bag.predict(data), bags[0].predict(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_labels_of_a_series(library):
    """Text labels may come as a series; `classes_` holds them as they are."""
    library = pytest.importorskip(library)
    X, y = classification_data(labels=["a", "b", "c"])
    bags = [
        BootstrapBaggingClassifier(n_estimators=3, random_state=0).fit(X, target)
        for target in (y, library.Series(list(y)))
    ]
    assert bags[1].classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(bags[0].predict(X), bags[1].predict(X))


def test_categories_and_missing_values_for_boosting():
    """Pandas categories and missing values reach histogram boosting as they are."""
    pandas = pytest.importorskip("pandas")
    X, y = classification_data(n_classes=2)
    X[::5, 0] = np.nan
    frame = pandas.DataFrame(X[:, :2], columns=["a", "b"])
    frame["kind"] = pandas.Categorical(np.where(y, "x", "z"), ["x", "y", "z"])
    frame.loc[3, "kind"] = None
    base = HistGradientBoostingClassifier(
        max_iter=5, min_samples_leaf=3, categorical_features="from_dtype"
    )
    bag = BootstrapBaggingClassifier(base, n_estimators=3, random_state=0)
    bag.fit(frame, y)
    assert bag.estimators_[0].is_categorical_.tolist() == [False, False, True]
    assert bag.oob_score_ > 0.9


def test_missing_values_are_the_business_of_the_base():
    """A tree takes NaN, a ridge does not and says so in its own words."""
    X, y = regression_data()
    X[::4, 1] = np.nan
    bag = BootstrapBaggingRegressor(n_estimators=3).fit(X, y)
    assert np.isfinite(bag.predict(X)).all()
    with pytest.raises(ValueError, match="NaN") as caught:
        BootstrapBaggingRegressor(Ridge(), n_estimators=3).fit(X, y)
    assert "replicate 0 of BootstrapBaggingRegressor" in caught.value.__notes__[0]


@pytest.mark.parametrize("base", [MultinomialNB(), LogisticRegression(), SVC()])
def test_texts_in_a_list_or_an_array(base):
    """A list of texts reaches the vectorizer as texts, and equals an object array."""
    bag = BootstrapBaggingClassifier(
        make_pipeline(TfidfVectorizer(), base), n_estimators=3, random_state=0
    )
    answers = []
    for texts in (TEXTS, np.array(TEXTS, dtype=object), np.array(TEXTS)):
        answers.append(bag.fit(texts, KINDS).predict(texts))
        assert not hasattr(bag, "n_features_in_")
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])
    assert bag.oob_score_ > 0.9


def test_texts_in_a_series():
    """A pandas series of texts is taken by rows, whatever its index."""
    pandas = pytest.importorskip("pandas")
    texts = pandas.Series(TEXTS, index=np.arange(len(TEXTS))[::-1])
    bag = BootstrapBaggingClassifier(
        make_pipeline(TfidfVectorizer(), MultinomialNB()), random_state=0
    ).set_params(n_estimators=3)
    probability = bag.fit(texts, KINDS).predict_proba(texts)
    np.testing.assert_array_equal(
        probability, bag.fit(TEXTS, KINDS).predict_proba(TEXTS)
    )


def test_lists_of_tokens_stay_lists():
    """Rows of unequal length (lists of tokens) reach the base one by one."""
    tokens = [text.split()[: 2 + i % 3] for i, text in enumerate(TEXTS)]
    bag = BootstrapBaggingClassifier(FrameClassifier(), n_estimators=3, random_state=0)
    bag.fit(tokens, KINDS)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        assert member.seen_.X == [tokens[row] for row in rows]
    assert bag.predict(tokens).shape == (len(tokens),)


@pytest.mark.parametrize("container", SPARSE)
def test_sparse_equals_dense_to_the_bit(container):
    """Any sparse format draws the rows of the array; neighbours then give its bits."""
    X, y = mostly_zero()
    base = KNeighborsRegressor(n_neighbors=3, algorithm="brute")
    bags = [
        BootstrapBaggingRegressor(base, n_estimators=5, random_state=0).fit(data, y)
        for data in (X, container(X))
    ]
    np.testing.assert_array_equal(bags[0].predict(X), bags[1].predict(container(X)))
    figures = [figures_of(bag) for bag in bags]
    for name, value in figures[0].items():
        np.testing.assert_array_equal(value, figures[1][name])


@pytest.mark.parametrize("container", SPARSE)
def test_sparse_equals_dense_for_linear_models(container):
    """Linear models agree as far as their solvers do."""
    X, y = mostly_zero()
    labels = np.array(["low", "high"])[(y > 0).astype(int)]
    data = container(X)
    ridges = [
        BootstrapBaggingRegressor(
            Ridge(solver="sparse_cg", tol=1e-10), n_estimators=3, random_state=0
        ).fit(table, y)
        for table in (X, data)
    ]
    np.testing.assert_allclose(ridges[0].predict(X), ridges[1].predict(data), rtol=1e-5)
    bags = [
        BootstrapBaggingClassifier(
            make_pipeline(
                StandardScaler(with_mean=False), LogisticRegression(tol=1e-8)
            ),
            n_estimators=3,
            random_state=0,
        ).fit(table, labels)
        for table in (X, data)
    ]
    np.testing.assert_allclose(
        bags[0].predict_proba(X), bags[1].predict_proba(data), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_base_gets_rows_of_a_sparse_matrix(container):
    """What the base is fitted on is sparse, in CSR format."""
    X, y = mostly_zero()
    bag = BootstrapBaggingRegressor(RowRecorder(), n_estimators=2, random_state=0)
    bag.fit(container(X), y)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        assert sparse.issparse(member.seen_.X)
        assert member.seen_.X.format == "csr"
        np.testing.assert_array_equal(member.seen_.X.toarray(), X[rows])


def test_images_of_three_dimensions():
    """X may have three dimensions where the base takes them."""
    X, y = regression_data()
    images = X.reshape(len(X), 2, 2)
    bag = BootstrapBaggingRegressor(Images(), n_estimators=5, random_state=0)
    bag.fit(images, y)
    members = [member.predict(images) for member in bag.estimators_]
    np.testing.assert_allclose(bag.predict(images), np.mean(members, axis=0))
    assert np.isfinite(bag.oob_score_)


def test_list_of_lists_equals_an_array():
    """Nested lists of numbers become an array for the base."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(n_estimators=3, random_state=0)
    predictions = bag.fit(X.tolist(), y.tolist()).predict(X.tolist())
    np.testing.assert_array_equal(predictions, bag.fit(X, y).predict(X))


@pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")
def test_inputs_are_not_written_to():
    """Neither X nor y nor the weights are changed, even if they are read-only."""
    X, y = classification_data()
    weight = np.ones(len(X))
    for array in (X, y, weight):
        array.setflags(write=False)
    bag = BootstrapBaggingClassifier(
        DecisionTreeClassifier(), n_estimators=3, max_features=2
    )
    bag.fit(X, y, sample_weight=weight).predict_proba(X)
    BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=3).fit(X, y)


class _SeesRows(BaseEstimator):
    """A regressor by duck type only: no tags, no score, no mixin."""

    def fit(self, X, y):
        self.mean_ = y.mean()
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_base_without_a_mixin():
    """A base needs `fit` and `predict`, nothing else."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(_SeesRows(), n_estimators=3).fit(X, y)
    assert np.ptp(bag.predict(X)) == 0
