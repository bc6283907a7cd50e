"""The same bits whatever the number of jobs, the backend and the order of the rows."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.bagging.toys import (
    assert_same_fit,
    classification_data,
    figures_of,
    regression_data,
)

CLASSIFIERS = {
    "tree": DecisionTreeClassifier(),
    "random_tree": DecisionTreeClassifier(splitter="random", max_features=1),
    "logistic": LogisticRegression(),
    "neighbors": KNeighborsClassifier(n_neighbors=3),
    "svc": SVC(),
    "forest": RandomForestClassifier(n_estimators=3),
    "scaled": make_pipeline(StandardScaler(), LogisticRegression()),
}
REGRESSORS = {
    "tree": DecisionTreeRegressor(),
    "ridge": Ridge(),
    "forest": RandomForestRegressor(n_estimators=3),
}
PARALLEL = [
    pytest.param(backend, n_jobs, id=f"{backend}-{n_jobs}")
    for backend in ("threading", "loky")
    for n_jobs in (1, 2)
]


def _cases(table):
    return [pytest.param(base, id=name) for name, base in table.items()]


def assert_same_figures(one, other):
    """Every out-of-bag figure of two bags is the same, bit by bit."""
    figures = figures_of(one)
    assert figures.keys() == figures_of(other).keys()
    for name, value in figures.items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


@pytest.mark.parametrize(("backend", "n_jobs"), PARALLEL)
@pytest.mark.parametrize("base", _cases(CLASSIFIERS))
def test_classifier_is_the_same_for_every_way_to_run(base, backend, n_jobs):
    """Jobs and backends change neither the members, the answers, nor the figures."""
    X, y = classification_data()
    bag = BootstrapBaggingClassifier(base, n_estimators=12, random_state=3).fit(X, y)
    with parallel_config(backend=backend):
        other = clone(bag).set_params(n_jobs=n_jobs).fit(X, y)
        assert_same_fit(bag, other, X)
    assert_same_figures(bag, other)


@pytest.mark.parametrize(("backend", "n_jobs"), PARALLEL)
@pytest.mark.parametrize("base", _cases(REGRESSORS))
def test_regressor_is_the_same_for_every_way_to_run(base, backend, n_jobs):
    """With the number of replicates found on the way, and columns drawn too."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(
        base, max_estimators=20, max_features=3, aggregate="median", random_state=3
    ).fit(X, y)
    with parallel_config(backend=backend, n_jobs=n_jobs):
        other = clone(bag).fit(X, y)
        assert_same_fit(bag, other, X)
    assert_same_figures(bag, other)


def test_answers_of_single_rows_are_those_of_all_rows():
    """Predicting row by row gives the predictions of the whole."""
    X, y = classification_data()
    bag = BootstrapBaggingClassifier(n_estimators=12, random_state=0).fit(X, y)
    rows = [bag.predict_proba(X[i : i + 1])[0] for i in range(len(X))]
    np.testing.assert_array_equal(bag.predict_proba(X), rows)


@pytest.mark.parametrize("base", _cases(CLASSIFIERS))
@pytest.mark.parametrize("resampling", ["bootstrap", "subsample"])
def test_classifier_does_not_depend_on_the_order_of_rows(base, resampling):
    """Shuffled rows give the same members, and the same figures, to the bit."""
    X, y = classification_data()
    order = np.random.default_rng(0).permutation(len(X))
    new, _ = classification_data(seed=1)
    bags = [
        BootstrapBaggingClassifier(
            base, n_estimators=10, resampling=resampling, random_state=0
        ).fit(X[rows], y[rows])
        for rows in (np.arange(len(X)), order)
    ]
    assert_same_fit(*bags, new)
    figures = [figures_of(bag) for bag in bags]
    for name, value in figures[0].items():
        if name == "oob_decision_function_":
            value = value[order]
        np.testing.assert_array_equal(value, figures[1][name], err_msg=name)


@pytest.mark.parametrize("base", _cases(REGRESSORS))
def test_regressor_does_not_depend_on_the_order_of_rows(base):
    """Nor do the number of replicates and the draws of rows that come twice."""
    X, y = regression_data()
    X, y = np.r_[X, X[:9], X[:4]], np.r_[y, y[:9], y[:4]]
    order = np.random.default_rng(0).permutation(len(X))
    new, _ = regression_data(seed=1)
    bags = [
        BootstrapBaggingRegressor(base, max_estimators=30, random_state=0).fit(
            X[rows], y[rows]
        )
        for rows in (np.arange(len(X)), order)
    ]
    assert_same_fit(*bags, new)


@pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")
def test_weights_and_frames_move_with_their_rows():
    """The order of rows does not matter with weights, and in frames."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    frame["town"] = np.where(X[:, 0] > 0, "x", "z")
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    order = np.random.default_rng(0).permutation(len(X))
    bags = [
        BootstrapBaggingRegressor(
            make_pipeline(_Numbers(), Ridge()), n_estimators=10, random_state=0
        ).fit(frame.iloc[rows], y[rows], sample_weight=weight[rows])
        for rows in (np.arange(len(X)), order)
    ]
    assert_same_fit(*bags, frame)


class _Numbers(StandardScaler):
    """Scales the columns that hold numbers."""

    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X[list("abcd")], y, sample_weight)

    def fit_transform(self, X, y=None, **params):
        return self.fit(X, y, **params).transform(X)

    def transform(self, X):
        return super().transform(X[list("abcd")])


@pytest.mark.parametrize("base", [DecisionTreeRegressor(), Ridge()])
def test_rounding_noise_of_a_step_upstream_moves_little(base):
    """Rows scaled by a scaler that met them in another order are drawn alike."""
    X, y = regression_data(200)
    order = np.random.default_rng(0).permutation(len(X))
    new, _ = regression_data(200, seed=1)
    bag = BootstrapBaggingRegressor(base, n_estimators=10, random_state=0)
    pipelines = [
        make_pipeline(StandardScaler(), clone(bag)).fit(X[rows], y[rows])
        for rows in (np.arange(len(X)), order)
    ]
    draws = [pipeline[-1].estimators_samples_ for pipeline in pipelines]
    moved = [
        np.abs(
            np.bincount(one, minlength=200) - np.bincount(order[other], minlength=200)
        ).sum()
        for one, other in zip(*draws, strict=True)
    ]
    # Two bags of other seeds differ in about 1.4 draws a row.
    assert np.mean(moved) < 0.05 * len(X)
    difference = pipelines[0].predict(new) - pipelines[1].predict(new)
    assert np.abs(difference).mean() < 0.05 * y.std()


def test_random_state():
    """Equal seeds give equal bags, others do not, and None is new each time."""
    X, y = regression_data()
    predictions = [
        BootstrapBaggingRegressor(n_estimators=3, random_state=seed)
        .fit(X, y)
        .predict(X)
        for seed in (0, 0, 1, None, None, np.random.RandomState(5))
    ]
    np.testing.assert_array_equal(predictions[0], predictions[1])
    assert len({tuple(each) for each in predictions}) == 5
    state = np.random.RandomState(5)
    again = BootstrapBaggingRegressor(n_estimators=3, random_state=state).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), predictions[5])


def test_global_random_state_is_left_alone():
    """A seeded fit neither reads nor moves numpy's global state."""
    X, y = classification_data()
    # The legacy global state is what is tested, so it has to be read.
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    base = RandomForestClassifier(n_estimators=2)
    BootstrapBaggingClassifier(base, n_estimators=3, random_state=0).fit(X, y)
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(before, after)


def test_more_replicates_keep_the_first_ones():
    """The first members of a larger bag are those of a smaller one."""
    X, y = regression_data()
    small, large = (
        BootstrapBaggingRegressor(n_estimators=n, random_state=0).fit(X, y)
        for n in (4, 14)
    )
    for one, other in zip(small.estimators_, large.estimators_[:4], strict=True):
        np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_views_of_arrays_are_what_they_show():
    """A strided view gives the bits of its copy, which is what workers are sent."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(200, 26))
    y = wide[:, ::2] @ rng.normal(size=13) + rng.normal(size=200)
    for X in (wide[:, ::2], wide[:, ::-2], np.asfortranarray(wide)[::-1, :13]):
        bag = BootstrapBaggingRegressor(
            KernelRidge(kernel="rbf"), n_estimators=10, random_state=0
        )
        alone = clone(bag).fit(X, y)
        shared = clone(bag).set_params(n_jobs=2).fit(X, y)
        assert_same_fit(alone, shared, X)
        for name, value in figures_of(alone).items():
            np.testing.assert_array_equal(value, figures_of(shared)[name])
        np.testing.assert_array_equal(alone.predict(X), alone.predict(X.copy()))
