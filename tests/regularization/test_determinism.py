"""The same seed gives the same results, however the work is done."""

import pickle
from functools import partial

import joblib
import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV, BootstrapBaggingRegressor
from tests.bagging.toys import classification_data, regression_data

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators.EdgeOfGridWarning",
    "ignore::genestimators.OutOfBagWarning",
    "ignore::sklearn.exceptions.ConvergenceWarning",
)

CASES = {
    "ridge": (Ridge(), [0.1, 1.0, 10.0], {}, regression_data),
    "pipeline": (
        make_pipeline(StandardScaler(), Ridge()),
        [0.1, 9.0],
        {},
        regression_data,
    ),
    "logistic": (LogisticRegression(), [0.1, 1.0], {}, classification_data),
    "tree": (DecisionTreeRegressor(max_features=2), [0.0, 0.1], {}, regression_data),
    "forest": (
        RandomForestClassifier(n_estimators=8),
        [0.0, 0.05],
        {},
        classification_data,
    ),
    "bag": (
        BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=8),
        [0.0, 0.1],
        {},
        regression_data,
    ),
    "generic": (
        SGDRegressor(max_iter=20),
        [1e-4, 1e-1],
        {"param": "alpha", "engine": "generic"},
        regression_data,
    ),
    "race": (
        KNeighborsRegressor(),
        [1, 2],
        {"param": "p", "cv": 12, "n_repeats": 1},
        regression_data,
    ),
}


def search(case, **settings):
    base, values, own, data = CASES[case]
    model = AutoRegularizedCV(base, values=values, **own)
    return model.set_params(**{"random_state": 0, **settings}).fit(*data())


def assert_same(one, other):
    """Everything that was found is the same, bit by bit, but for the times."""
    assert set(vars(one)) == set(vars(other))
    for name, value in one.cv_results_.items():
        if "time" not in name and name != "params":
            np.testing.assert_array_equal(value, other.cv_results_[name])
    for name in (
        "best_params_",
        "best_score_",
        "choice_",
        "expected_score_",
        "expected_score_interval_",
        "n_fits_",
        "engine_",
    ):
        assert repr(getattr(one, name)) == repr(getattr(other, name))
    np.testing.assert_array_equal(one.oof_predictions_, other.oof_predictions_)
    X, _ = regression_data()
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


@pytest.mark.parametrize("case", CASES)
def test_fits_can_be_repeated(case):
    """By a clone, by the same object, after pickling."""
    data = CASES[case][3]()
    model = search(case)
    assert_same(clone(model).fit(*data), model)
    back = pickle.loads(pickle.dumps(model))
    assert_same(back, model)
    assert_same(back.fit(*data), model)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_the_number_of_jobs_changes_nothing(case, backend):
    """Neither do processes nor threads."""
    with parallel_config(backend=backend):
        assert_same(search(case, n_jobs=2).set_params(n_jobs=None), search(case))


def test_a_random_state_advances():
    """A RandomState gives another search each time, None too, an int the same."""
    X, y = regression_data()
    for random_state, repeats in ((np.random.RandomState(0), False), (3, True)):
        model = AutoRegularizedCV(
            Ridge(), values=[0.1, 1.0], n_repeats=2, random_state=random_state
        )
        one = model.fit(X, y).cv_results_["mean_test_score"]
        other = model.fit(X, y).cv_results_["mean_test_score"]
        assert np.array_equal(one, other) == repeats


def test_the_seed_reaches_the_estimator():
    """A `random_state` that is None is set, one that is not stays."""
    X, y = regression_data()
    model = AutoRegularizedCV(
        DecisionTreeRegressor(max_features=1), values=[0.0, 0.1], cv=3, n_repeats=1
    )
    states = [
        model.set_params(random_state=seed).fit(X, y).best_estimator_.random_state
        for seed in (0, 1, 0)
    ]
    assert states[0] == states[2] != states[1]
    assert model.estimator.random_state is None
    model.set_params(estimator__random_state=7).fit(X, y)
    assert model.best_estimator_.random_state == 7


def test_persistence_by_joblib(tmp_path):
    """A fitted search is stored and read."""
    model = search("ridge")
    joblib.dump(model, tmp_path / "model")
    assert_same(joblib.load(tmp_path / "model"), model)


def fails(estimator, X, y, shape):
    return -np.mean((estimator.predict(X) - y) ** shape)


def test_callables_travel_to_processes():
    """A scorer and a rule that can be pickled work with two jobs."""
    X, y = regression_data()
    shared = {"values": [0.1, 10.0], "cv": 3, "n_repeats": 1, "random_state": 0}
    scoring = partial(fails, shape=2)
    models = [
        AutoRegularizedCV(Ridge(), scoring=scoring, n_jobs=n_jobs, **shared).fit(X, y)
        for n_jobs in (None, 2)
    ]
    plain = AutoRegularizedCV(Ridge(), scoring="neg_mean_squared_error", **shared)
    expected = plain.fit(X, y).cv_results_["mean_test_score"]
    for model in models:
        np.testing.assert_allclose(model.cv_results_["mean_test_score"], expected)
