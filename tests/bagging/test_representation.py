"""What a bag shows of itself: HTML, properties, tags, the rows and columns it used."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from genestimators import (
    BlockBootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GroupBootstrap,
    Subsample,
)
from tests.bagging.toys import (
    RowRecorder,
    WeightedRecorder,
    classification_data,
    mostly_zero,
    regression_data,
)

BAGS = [
    BootstrapBaggingRegressor(Ridge(), n_estimators=3),
    BootstrapBaggingRegressor(n_estimators=3, resampling=Subsample(), oob_score=False),
    BootstrapBaggingClassifier(LogisticRegression(), n_estimators=3),
    BootstrapBaggingClassifier(SVC(), n_estimators=3, max_features=2),
]


def fitted(bag):
    return bag.fit(
        *(classification_data() if is_classifier(bag) else regression_data())
    )


@pytest.mark.parametrize("bag", BAGS, ids=str)
def test_html_links_to_our_documentation(bag):
    """The HTML of a bag, fitted or not, links to its page."""
    page = f"genestimators.{type(bag).__name__}.html"
    for state in (bag, fitted(bag)):
        html = state._repr_html_()
        assert page in html
        assert "genestimators.readthedocs.io" in html
    assert "genestimators.Subsample.html" in Subsample()._repr_html_()


@pytest.mark.parametrize("bag", BAGS, ids=str)
@pytest.mark.parametrize("fit", [False, True])
def test_public_properties_work_or_are_missing(bag, fit):
    """A property ending in "_" has a value, or raises AttributeError and no other."""
    bag = type(bag)(**bag.get_params(deep=False))
    bag = fitted(bag) if fit else bag
    names = [
        name
        for name in dir(type(bag))
        if name.endswith("_")
        and not name.startswith("_")
        and isinstance(getattr(type(bag), name), property)
    ]
    assert "estimators_samples_" in names
    for name in names:
        assert hasattr(bag, name) == fit


def test_repr_shows_what_was_changed():
    """`repr` shows the parameters that are not at their defaults."""
    bag = BootstrapBaggingRegressor(Ridge(alpha=2), n_estimators=3)
    expected = "BootstrapBaggingRegressor(estimator=Ridge(alpha=2), n_estimators=3)"
    assert repr(bag).replace("\n", "").replace("  ", "") in (
        expected,
        expected.replace(", n_", ",n_"),
    )


def test_tags_come_from_the_base():
    """Sparse, NaN and multi-output support are those of the base."""
    bag = BootstrapBaggingRegressor(Ridge())
    assert is_regressor(bag)
    assert is_classifier(BootstrapBaggingClassifier())
    assert get_tags(bag).input_tags.sparse
    assert not get_tags(bag).input_tags.allow_nan
    assert get_tags(bag).target_tags.multi_output
    assert get_tags(BootstrapBaggingRegressor()).input_tags.allow_nan
    scaled = BootstrapBaggingRegressor(make_pipeline(StandardScaler(), Ridge()))
    assert not get_tags(scaled).input_tags.allow_nan


def numbered(n_rows=40):
    """Data whose first column is the number of the row."""
    X, y = regression_data(n_rows)
    X[:, 0] = np.arange(n_rows)
    return X, y


@pytest.mark.parametrize(
    "resampling",
    [
        "bootstrap",
        "subsample",
        BlockBootstrap(block_length=6, embargo=1),
        GroupBootstrap(groups=3),
    ],
    ids=str,
)
def test_samples_are_the_rows_that_members_saw(resampling):
    """`estimators_samples_` tells each row as often, and in the order, it was seen."""
    X, y = numbered()
    X[:, 3] = np.arange(len(X)) // 4
    bags = [
        BootstrapBaggingRegressor(
            recorder, n_estimators=4, resampling=resampling, random_state=0
        ).fit(X, y)
        for recorder in (RowRecorder(), WeightedRecorder())
    ]
    for number, rows in enumerate(bags[0].estimators_samples_):
        seen = bags[0].estimators_[number].seen_
        np.testing.assert_array_equal(seen.X[:, 0], rows)
        np.testing.assert_array_equal(seen.y, y[rows])
        weighted = bags[1].estimators_[number].seen_
        times = weighted.sample_weight.astype(int)
        np.testing.assert_array_equal(np.repeat(weighted.X[:, 0], times), rows)
        np.testing.assert_array_equal(bags[1].estimators_samples_[number], rows)


def test_samples_are_a_sequence():
    """They have a length, slices, negative numbers, and an end."""
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=4, random_state=0)
    samples = bag.fit(*numbered()).estimators_samples_
    assert len(samples) == 4
    np.testing.assert_array_equal(samples[-1], samples[3])
    assert len(samples[1:3]) == 2
    assert [len(rows) for rows in samples] == [40] * 4
    with pytest.raises(IndexError, match="There are 4 replicates"):
        samples[4]


@pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")
def test_samples_with_weights():
    """A row of weight two may be seen up to as often as two rows; weight zero never."""
    X, y = numbered()
    weight = np.arange(40) % 3
    bag = BootstrapBaggingRegressor(RowRecorder(), n_estimators=10, random_state=0)
    bag.fit(X, y, sample_weight=weight)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        np.testing.assert_array_equal(member.seen_.X[:, 0], rows)
        assert len(rows) == weight.sum()
        assert (weight[rows] > 0).all()


def test_samples_after_growing():
    """Growing an ensemble leaves the rows of its first members as they were."""
    X, y = numbered()
    bag = BootstrapBaggingRegressor(
        RowRecorder(), n_estimators=3, warm_start=True, random_state=0
    ).fit(X, y)
    first = bag.estimators_samples_[:]
    bag.set_params(n_estimators=13).fit(X, y)
    assert len(bag.estimators_samples_) == 13
    for one, other in zip(first, bag.estimators_samples_[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        np.testing.assert_array_equal(member.seen_.X[:, 0], rows)


@pytest.mark.parametrize(("wanted", "number"), [(2, 2), (0.5, 2), (0.01, 1), (1.0, 4)])
def test_columns_that_members_saw(wanted, number):
    """`estimators_features_` names the columns each member was fitted on."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(
        KNeighborsRegressor(n_neighbors=2),
        n_estimators=8,
        max_features=wanted,
        random_state=0,
    ).fit(X, y)
    features = bag.estimators_features_
    assert {len(columns) for columns in features} == {number}
    assert len({tuple(columns) for columns in features}) > (number < 4)
    mean = np.mean(
        [
            member.predict(X[:, columns])
            for member, columns in zip(bag.estimators_, features, strict=True)
        ],
        axis=0,
    )
    np.testing.assert_allclose(bag.predict(X), mean)
    assert np.isfinite(bag.oob_score_)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_a_frame_keep_their_names(library):
    """Members see a part of the frame, with its names; the numbers are the array's."""
    library = pytest.importorskip(library)
    X, y = regression_data()
    frame = library.DataFrame({name: X[:, j] for j, name in enumerate("abcd")})
    bags = [
        BootstrapBaggingRegressor(
            base, n_estimators=4, max_features=2, random_state=0
        ).fit(data, y)
        for base, data in [(RowRecorder(), frame), (None, frame), (None, X)]
    ]
    for member, columns in zip(
        bags[0].estimators_, bags[0].estimators_features_, strict=True
    ):
        assert type(member.seen_.X) is type(frame)
        assert list(member.seen_.X.columns) == ["abcd"[j] for j in columns]
    np.testing.assert_array_equal(bags[1].predict(frame), bags[2].predict(X))


def test_columns_of_a_sparse_matrix():
    """Columns of sparse X are chosen as those of the array are."""
    X, y = mostly_zero()
    data = sparse.csr_array(X)
    bags = [
        BootstrapBaggingRegressor(
            RowRecorder(), n_estimators=4, max_features=0.5, random_state=0
        ).fit(table, y)
        for table in (X, data)
    ]
    for one, other in zip(bags[0].estimators_, bags[1].estimators_, strict=True):
        np.testing.assert_array_equal(one.seen_.X, other.seen_.X.toarray())
    np.testing.assert_array_equal(bags[0].predict(X), bags[1].predict(data))
    for one, other in zip(
        bags[0].estimators_features_, bags[1].estimators_features_, strict=True
    ):
        np.testing.assert_array_equal(one, other)
