"""Numbers of neighbours from one search against a fit for each number."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import Folds
from genestimators.fitting import find_family, read_over
from tests.fitting.families.against_refits import assert_equals_refits

VALUES = [7, 1, 30, 2, 7, 16]


def regression(seed=0, n=90, p=4, **settings):
    """Data without ties."""
    return make_regression(n, p, noise=10, random_state=seed, **settings)


def classification(seed=0, n=90, p=4, n_classes=3):
    """Data without ties, labels as text."""
    X, y = make_classification(
        n, p, n_informative=p, n_redundant=0, n_classes=n_classes, random_state=seed
    )
    return X, np.array(["c", "a", "b"])[y]


def fit_path(estimator, X, y, values):
    """The path of an estimator on all rows."""
    family = find_family(estimator, "n_neighbors")
    assert family.unsupported(estimator, X, y, None, values) is None
    return family.fit_path(estimator, X, y, None, values)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("p", [1, 4, 20])
@pytest.mark.parametrize("weights", ["uniform", "distance", None])
@pytest.mark.parametrize("scaled", [False, True])
def test_regressors_equal_refits(weights, p, scaled, seed):
    """Predictions, with one search for all folds and, behind a step, one a fold."""
    X, y = regression(seed, p=p)
    model, name = KNeighborsRegressor(weights=weights), "n_neighbors"
    if scaled:
        model = make_pipeline(StandardScaler(), model)
        name = "kneighborsregressor__n_neighbors"
    assert_equals_refits(model, name, VALUES, X, y, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("scaled", [False, True])
def test_classifiers_equal_refits(weights, n_classes, scaled, seed):
    """Labels (also where votes are equal) and probabilities."""
    X, y = classification(seed, n_classes=n_classes)
    model, name = KNeighborsClassifier(weights=weights), "n_neighbors"
    if scaled:
        model = make_pipeline(StandardScaler(), model)
        name = "kneighborsclassifier__n_neighbors"
    assert_equals_refits(model, name, VALUES, X, y, atol=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"algorithm": "brute"},
        {"algorithm": "brute", "metric": "manhattan"},
        {"algorithm": "brute", "metric": "cosine"},
        {"algorithm": "ball_tree", "p": 3},
        {"algorithm": "kd_tree", "leaf_size": 3, "n_jobs": 2},
        {"metric": lambda a, b: np.abs(a - b).sum()},
    ],
)
def test_searches_equal_refits(settings):
    """Any metric and algorithm of the estimator."""
    X, y = regression(n=60)
    for weights in ("uniform", "distance"):
        model = KNeighborsRegressor(weights=weights, **settings)
        assert_equals_refits(model, "n_neighbors", [3, 11], X, y, rtol=1e-7)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_several_outputs_equal_refits(weights):
    """Predictions, labels and probabilities of each output."""
    X, y = regression(n_targets=3)
    model = KNeighborsRegressor(weights=weights)
    assert_equals_refits(model, "n_neighbors", VALUES, X, y, atol=1e-9)
    _, labels = classification()
    y = np.column_stack([labels, np.where(y[:, 0] > 0, "up", "down")])
    model = KNeighborsClassifier(weights=weights)
    assert_equals_refits(model, "n_neighbors", VALUES, X, y, atol=1e-12)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("p", [4, 20])
def test_odd_data_equal_refits(weights, p):
    """Single precision, a constant column, offsets, whole-number targets."""
    X, y = regression(p=p)
    constant = np.column_stack([X, np.full(len(X), 3.0)])
    model = KNeighborsRegressor(weights=weights)
    for table, target in (
        (X.astype(np.float32), y),
        (constant, y + 1e6 * y.std()),
        (X + 1e4, np.rint(y).astype(int)),
    ):
        assert_equals_refits(model, "n_neighbors", VALUES, table, target, atol=1e-8)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_duplicates_equal_refits(weights):
    """Rows at distance zero are all the answer of weights by distance."""
    X, y = regression(n=45)
    X, y = np.repeat(X, 2, axis=0), np.arange(90.0)
    # Pairs stay together and so do numbers of neighbours: no pair is torn apart.
    folds = GroupKFold(3).split(X, y, np.repeat(np.arange(45), 2))
    model = KNeighborsRegressor(weights=weights)
    assert_equals_refits(model, "n_neighbors", [2, 8, 16], X, y, cv=list(folds))


def test_ties_are_those_of_one_search():
    """With ties, predictions are means of k of the nearest, any of those tied."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(80, 2)).astype(float)
    y = rng.normal(size=80)
    path = fit_path(KNeighborsRegressor(), X, y, [1, 5, 12])
    answers = path.predict(X)
    for i in range(3):
        k = int(path.values[i])
        for row in range(80):
            distance = ((X - X[row]) ** 2).sum(axis=1)
            edge = np.sort(distance)[k - 1]
            inside, tied = y[distance < edge], np.sort(y[distance == edge])
            left = k - len(inside)
            low = inside.sum() + tied[:left].sum()
            high = inside.sum() + tied[len(tied) - left :].sum()
            assert low - 1e-9 <= k * answers[i, row] <= high + 1e-9


@pytest.mark.parametrize(
    "cv",
    [
        LeaveOneOut(),
        KFold(5),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(3, test_size=0.3, train_size=0.5, random_state=0),
        TimeSeriesSplit(3, test_size=20),
    ],
)
@pytest.mark.parametrize("model", [KNeighborsRegressor(weights="distance")])
def test_splitters_equal_refits(model, cv):
    """Folds of any kind, with neighbours that were left out together, too."""
    X, y = regression(n=75)
    X = X[np.argsort(X[:, 0])]
    assert_equals_refits(model, "n_neighbors", [1, 4, 9], X, y, cv=cv)


def test_frames_equal_refits():
    """Frames keep their names, and share a search."""
    pd = pytest.importorskip("pandas")
    X, y = regression()
    X = pd.DataFrame(X, columns=list("abcd"))
    assert_equals_refits(KNeighborsRegressor(), "n_neighbors", VALUES, X, y, atol=1e-9)
    path = fit_path(KNeighborsRegressor(), X, y, VALUES)
    assert list(path.model(2).feature_names_in_) == list("abcd")


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_sparse_equals_refits(weights):
    """Sparse rows go to the estimator's own search."""
    X, y = regression(p=8)
    X = sparse.csr_array(np.where(np.abs(X) > 0.7, X, 0))
    model = KNeighborsRegressor(weights=weights)
    assert_equals_refits(model, "n_neighbors", VALUES, X, y, atol=1e-8)


def test_weights_equal_refits():
    """Whole weights repeat rows; a number of neighbours takes all copies of some."""
    X, y = regression(n=60)
    weight = np.full(60, 3.0)
    model = make_pipeline(StandardScaler(), KNeighborsRegressor())
    name = "kneighborsregressor__n_neighbors"
    assert_equals_refits(model, name, [3, 9], X, y, sample_weight=weight, atol=1e-9)


def test_transformed_target_equals_refits():
    """Means of the transformed target are transformed back."""
    X, y = regression()
    model = TransformedTargetRegressor(
        KNeighborsRegressor(), transformer=StandardScaler()
    )
    assert_equals_refits(model, "regressor__n_neighbors", VALUES, X, y, atol=1e-9)


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (KNeighborsRegressor(weights=lambda distance: np.exp(-distance)), [1, 3]),
        (KNeighborsRegressor(metric="precomputed"), [1, 3]),
    ],
)
def test_other_settings_are_refitted(model, values):
    """The generic engine does what the family does not."""
    X, y = regression(n=30)
    family = find_family(model, "n_neighbors")
    assert family.unsupported(model, X, y, None, values)
    if model.metric != "precomputed":
        assert_equals_refits(model, "n_neighbors", values, X, y, served=False)


@pytest.mark.parametrize(
    ("values", "match"), [([1, 61], "<= n_samples_fit"), ([0, 3], "parameter")]
)
def test_too_many_neighbours_are_the_estimators_error(values, match):
    """More neighbours than training rows are refused in its own words."""
    X, y = regression()
    model = KNeighborsRegressor()
    with pytest.raises(ValueError, match=match):
        assert_equals_refits(model, "n_neighbors", values, X, y)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("p", [4, 20])
@pytest.mark.parametrize("shared", [False, True])
def test_training_rows_are_left_out_themselves(weights, p, shared):
    """The training view equals the estimator's own leave-one-out predictions."""
    X, y = regression(n=100, p=p)
    values = [1, 5, 66, 67, 80]
    model = KNeighborsRegressor(weights=weights)

    def reading(fit):
        rows = np.sort(fit.rows)
        answers = fit.path.training().predict(fit.X[fit.rows])
        for i, k in enumerate(values):
            k = min(k, len(rows) - 1)
            one = KNeighborsRegressor(k, weights=weights).fit(X[rows], y[rows])
            np.testing.assert_allclose(answers[i], one.predict(None), atol=1e-8)

    draws = Folds(KFold(5)).prepare(X, y)
    inner = (
        make_pipeline(None, model)
        if shared
        else make_pipeline(StandardScaler(with_mean=False, with_std=False), model)
    )
    for _ in read_over(
        inner,
        X,
        y,
        draws,
        range(5),
        reading=reading,
        param="kneighborsregressor__n_neighbors",
        values=values,
    ):
        pass


def test_training_labels_are_leave_one_out():
    """Labels and probabilities of training rows, for a classifier."""
    X, y = classification()
    path = fit_path(KNeighborsClassifier(), X, y, [1, 9, 90]).training()
    one = KNeighborsClassifier(9).fit(X, y)
    np.testing.assert_array_equal(path.predict(X)[1], one.predict(None))
    np.testing.assert_allclose(path.predict_proba(X)[1], one.predict_proba(None))
    assert path.predict(X).shape == (3, 90)


def test_blocks_change_nothing(monkeypatch):
    """Rows looked at a few at a time get the same answers."""
    X, y = classification()
    whole = fit_path(KNeighborsClassifier(), X, y, VALUES)
    expected = whole.predict_proba(X), whole.training().predict_proba(X)
    for name in ("_neighbors", "_neighbor_search"):
        monkeypatch.setattr(f"genestimators.fitting.families.{name}.BLOCK", 400)
    path = fit_path(KNeighborsClassifier(), X, y, VALUES)
    np.testing.assert_allclose(path.predict_proba(X), expected[0])
    np.testing.assert_allclose(path.training().predict_proba(X), expected[1])
    assert_equals_refits(KNeighborsRegressor(), "n_neighbors", VALUES, X, X[:, 0])


def test_models_and_pickles_answer_alike():
    """`model(i)` predicts as the path does, and the path survives pickling."""
    X, y = classification()
    path = fit_path(KNeighborsClassifier(), X, y, VALUES)
    expected = path.predict_proba(X)
    for i, k in enumerate(VALUES):
        assert path.model(i).n_neighbors == k
        np.testing.assert_allclose(path.model(i).predict_proba(X), expected[i])
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again.predict_proba(X), expected)


def test_more_neighbours_fit_training_rows_less_closely():
    """A stronger penalty has no lower loss on the rows themselves."""
    X, y = regression()
    path = fit_path(KNeighborsRegressor(), X, y, [1, 5, 25, 90])
    loss = ((path.predict(X) - y) ** 2).mean(axis=1)
    assert (np.diff(loss) > 0).all()


@pytest.mark.parametrize("n", [2, 5, 50, 5000])
def test_default_values_fit_any_folds(n):
    """From one to a number that two folds have rows for, in increasing order."""
    X = np.zeros((n, 1))
    model = KNeighborsRegressor()
    values = find_family(model, "n_neighbors").default_values(model, X, X[:, 0], None)
    assert values[0] == 1
    assert (np.diff(values) > 0).all()
    assert values[-1] <= max(1, min(n // 2, 200))
    assert len(values) <= 40
