"""Estimators on a cluster: the same bits, X sent once, errors and losses."""

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BayesianBootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    KnockoffSelector,
    StableFeatureSelector,
)
from genestimators.bagging import _base
from genestimators.bagging._base import Progress
from tests.bagging.toys import classification_data, figures_of, regression_data
from tests.cluster.conftest import distributed
from tests.cluster.toys import Fails, KillsOnce, Mean
from tests.selection.stable_toys import OwnRidge, clear_problem

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators.EdgeOfGridWarning",
    "ignore::genestimators.OutOfBagWarning",
    "ignore::genestimators.NothingSelectedWarning",
    "ignore::sklearn.exceptions.ConvergenceWarning",
)


def bag(base=None, **settings):
    settings = {"n_estimators": 12, "random_state": 0, **settings}
    return BootstrapBaggingRegressor(base, **settings)


def bag_of_classes(base=None, **settings):
    settings = {"n_estimators": 12, "random_state": 0, **settings}
    return BootstrapBaggingClassifier(base, **settings)


def tuned(base, values, **settings):
    return AutoRegularizedCV(base, values=values, random_state=0, **settings)


def stable(base, **settings):
    return StableFeatureSelector(base, n_resamples=6, random_state=0, **settings)


def knockoffs(**settings):
    return KnockoffSelector(n_copies=4, random_state=0, **settings)


def by_columns():
    """Products of arrays in this order have other last bits."""
    X, y = regression_data()
    return np.asfortranarray(X), y


def scaled(base):
    return make_pipeline(StandardScaler(), base)


CASES = {
    "trees": (bag(DecisionTreeRegressor(max_features=2)), regression_data),
    "until it settles": (
        bag(n_estimators="auto", max_estimators=30),
        regression_data,
    ),
    "boosting stopped by held-out rows": (
        bag(
            HistGradientBoostingRegressor(max_iter=5, early_stopping=True),
            n_estimators=4,
            early_stopping="out_of_bag",
        ),
        regression_data,
    ),
    "ridges": (bag(OwnRidge()), regression_data),
    "ridges, X by columns": (bag(OwnRidge()), by_columns),
    "some columns": (bag(Ridge(), max_features=0.5), regression_data),
    "weights": (
        bag(scaled(OwnRidge()), resampling=BayesianBootstrap(), oob_score=False),
        regression_data,
    ),
    "together": (bag(Ridge()), regression_data),
    "medians": (bag(aggregate="median"), regression_data),
    "votes": (bag_of_classes(DecisionTreeClassifier()), classification_data),
    "probabilities": (
        bag_of_classes(scaled(LogisticRegression(solver="newton-cg"))),
        classification_data,
    ),
    "shared path": (tuned(Ridge(), [0.1, 1.0, 10.0]), regression_data),
    "prunings": (
        tuned(DecisionTreeRegressor(max_features=2), [0.0, 0.1], cv=3),
        regression_data,
    ),
    "no path": (
        tuned(SGDRegressor(max_iter=20), [1e-4, 1e-1], param="alpha", engine="generic"),
        regression_data,
    ),
    "refits": (stable(OwnRidge()), clear_problem),
    "closed form": (stable(Ridge()), clear_problem),
    "tree": (stable(DecisionTreeRegressor(max_depth=3)), clear_problem),
    "copies": (knockoffs(), clear_problem),
    "importances": (knockoffs(estimator=Lasso(alpha=0.05)), clear_problem),
}
# Fitted here at once from sums that all draws share, so that there are no tasks.
TOGETHER = {"together", "closed form", "probabilities"}
TIMES = ("time", "seconds")


def learnt(model, X):
    """Everything that a fit has learnt and can be compared, by name."""
    found = {
        name: value
        for name, value in vars(model).items()
        if name.endswith("_") and isinstance(value, (np.ndarray, int, float, str))
    }
    if hasattr(model, "n_estimators_"):
        found |= figures_of(model)
    for name, value in getattr(model, "cv_results_", {}).items():
        if not any(word in name for word in TIMES) and name != "params":
            found[name] = np.asarray(value)
    for method in ("predict", "predict_proba", "decision_function", "get_support"):
        if hasattr(model, method):
            arguments = () if method == "get_support" else (X,)
            found[method] = getattr(model, method)(*arguments)
    return {
        name: value
        for name, value in found.items()
        if not any(word in name for word in TIMES)
    }


def assert_same(one, other):
    """The same names, and the same bits under each."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


@pytest.fixture
def sent(monkeypatch):
    """The tasks that were sent to a cluster."""
    tasks = []
    submit = distributed.Client.submit

    def counted(self, function, *args, **kwargs):
        tasks.append(function)
        return submit(self, function, *args, **kwargs)

    monkeypatch.setattr(distributed.Client, "submit", counted)
    return tasks


@pytest.mark.parametrize("case", CASES)
def test_a_cluster_finds_the_same_bits(case, on_dask, sent):
    """Fitted and asked there or here, one after another: no difference at all."""
    model, data = CASES[case]
    X, y = data()
    with parallel_config(backend="sequential"):
        alone = clone(model).fit(X, y)
        wanted = learnt(alone, X)
    assert not sent
    found = clone(model).fit(X, y)
    assert sent or case in TOGETHER
    assert_same(learnt(found, X), wanted)
    with parallel_config(backend="sequential"):
        assert_same(learnt(found, X), wanted)


def test_a_stream_finds_the_same_bits(on_dask, sent):
    """Members travel there and back with each batch, and the score is the same."""
    X, y = regression_data()
    found, alone = (bag(SGDRegressor(), n_estimators=4) for _ in range(2))
    for start in (0, 30):
        rows = slice(start, start + 30)
        found.partial_fit(X[rows], y[rows])
        with parallel_config(backend="sequential"):
            alone.partial_fit(X[rows], y[rows])
    assert sent
    np.testing.assert_array_equal(found.predict(X), alone.predict(X))
    assert found.prequential_score_ == alone.prequential_score_


def test_one_job_stays_here(on_dask, sent):
    """As elsewhere in scikit-learn, `n_jobs=1` wins over the configuration."""
    X, y = regression_data()
    bag(n_jobs=1).fit(X, y).predict(X)
    assert not sent


def test_a_search_on_a_cluster_holds_bags(on_dask):
    """Bags inside of tasks run one replicate after another, and nothing waits."""
    X, y = regression_data()
    search = GridSearchCV(bag(Ridge()), {"estimator__alpha": [0.1, 9.0]}, cv=3)
    with parallel_config(backend="sequential"):
        wanted = clone(search).fit(X, y).cv_results_["mean_test_score"]
    found = search.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, wanted)


@pytest.fixture
def bytes_sent(monkeypatch):
    """The sizes of messages that client and scheduler, both here, have written."""
    tcp = pytest.importorskip("distributed.comm.tcp")
    sizes = []
    write = tcp.TCP.write

    async def counted(self, *args, **kwargs):
        size = await write(self, *args, **kwargs)
        sizes.append(size)
        return size

    monkeypatch.setattr(tcp.TCP, "write", counted)
    return sizes


def _as_pandas(X):
    return pytest.importorskip("pandas").DataFrame(X, columns=_names(X))


def _as_polars(X):
    return pytest.importorskip("polars").DataFrame(X, schema=_names(X))


def _names(X):
    return [f"column {j}" for j in range(X.shape[1])]


CONTAINERS = {
    "array": np.asarray,
    "sparse": sparse.csr_matrix,
    "pandas": _as_pandas,
    "polars": _as_polars,
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_data_are_sent_once(container, on_dask, bytes_sent):
    """Not once a task, to fit or to predict, whatever holds them."""
    dense = np.random.default_rng(0).normal(size=(4000, 250))
    X, least = CONTAINERS[container](dense), dense.nbytes
    most = least + (X.indices.nbytes if container == "sparse" else 0)
    y = dense[:, 0]
    model = bag(Mean(), n_estimators=20)  # two tasks to predict
    for work in (lambda: model.fit(X, y), lambda: model.predict(X)):
        bytes_sent.clear()
        work()
        # From client to scheduler to one worker (the other one gets it from there),
        # which is twice; what tasks have of their own comes on top.
        assert 2.0 * least < sum(bytes_sent) < 2.5 * most


def test_a_killed_worker_changes_nothing(on_dask, tmp_path):
    """Its replicates are fitted by others."""
    X, y = regression_data(200)
    flag = tmp_path / "killed"
    with parallel_config(backend="sequential"):
        alone = bag(KillsOnce()).fit(X, y)
        wanted = learnt(alone, X)
    found = bag(KillsOnce(str(flag))).fit(X, y)
    assert flag.exists()
    assert_same(learnt(found, X), wanted)


def test_an_error_keeps_its_type_and_says_where(on_dask):
    """The estimator's own error, with a note that names the replicate."""
    X, y = regression_data()
    y = y - y.mean() + 0.1
    with pytest.raises(ZeroDivisionError, match="no such luck") as caught:
        bag(Fails(), warm_start=True).fit(X, y)
    with parallel_config(backend="sequential"):
        with pytest.raises(ZeroDivisionError) as alone:
            bag(Fails()).fit(X, y)
    assert caught.value.__notes__ == alone.value.__notes__
    [note] = caught.value.__notes__
    assert note.startswith("This happened in replicate ")
    assert note.endswith(" of BootstrapBaggingRegressor.")


@pytest.mark.skipif(distributed is None, reason="clusters need the dask extra")
def test_a_cluster_that_goes_leaves_what_was_fitted(monkeypatch):
    """A clear error; with `warm_start` the next fit goes on from there."""
    X, y = regression_data()
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    )

    class Closes(Progress):
        def report(self, done, planned):
            if done == 4:
                cluster.close()

    model = bag(warm_start=True)
    with cluster, distributed.Client(cluster) as client:
        monkeypatch.setattr(_base, "Progress", Closes)
        with client.as_current(), parallel_config(backend="dask"):
            with pytest.raises(ConnectionError, match="must stay until the work is"):
                model.fit(X, y)
    monkeypatch.undo()
    n_fitted = model.n_estimators_  # results that had come already are kept too
    assert 4 <= n_fitted < 12
    np.testing.assert_array_equal(
        model.predict(X), bag(n_estimators=n_fitted).fit(X, y).predict(X)
    )
    assert_same(learnt(model.fit(X, y), X), learnt(bag().fit(X, y), X))
