"""Tasks on a cluster: order, configuration, losses, what is refused."""

import os
import signal
import threading

import numpy as np
import pytest
from joblib import parallel_config
from sklearn import config_context

from genestimators._parallel import run_in_order
from tests.cluster import toys
from tests.cluster.conftest import distributed


def tasks(n, **shared):
    return ({"x": i, **shared} for i in range(n))


def test_results_come_in_the_order_of_tasks(on_dask):
    """Later tasks that end sooner wait for their turn; others are made meanwhile."""
    made = []
    waiting = (
        {"x": made.append(i) or i, "seconds": 0.02 * (3 - i % 4)} for i in range(20)
    )
    results = run_in_order(toys.wait, waiting)
    assert next(results) == 0
    assert len(made) < 20
    assert list(results) == list(range(1, 20))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_tasks(n, on_dask):
    """None, one that shares with nobody, and two."""
    X = np.zeros((10, 2))
    assert list(run_in_order(toys.square, tasks(n, X=X))) == [i * i for i in range(n)]


def test_arguments_that_change_are_no_shared_ones(on_dask):
    """The same object in the first tasks and another one later."""
    values = [7, 7, 7, 8, 7]
    found = run_in_order(toys.square, ({"x": x} for x in values))
    assert list(found) == [49, 49, 49, 64, 49]


def test_tasks_share_one_object(on_dask):
    """On a worker there is one X for all tasks, as writable as it is here."""
    X = np.zeros((1000, 20))
    found = list(run_in_order(toys.identity, tasks(8, X=X)))
    assert os.getpid() not in {process for process, _, _ in found}
    assert len({(process, place) for process, place, _ in found}) <= 2
    assert all(writeable for _, _, writeable in found)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_aligned_there_and_back(order, on_dask):
    """Products of arrays that are not aligned have other last bits."""
    X = np.asarray(np.random.default_rng(0).normal(size=(60, 4)), order=order)
    # The lengths of names move what comes behind them on its way.
    for n in range(1, 9):
        waiting = ({"x": "a" * n, "X": X} for _ in range(2))
        for aligned, back in run_in_order(toys.as_it_lies, waiting):
            assert aligned
            assert back.flags.aligned
            assert back.flags.c_contiguous == X.flags.c_contiguous
            np.testing.assert_array_equal(back, X)


def test_large_tasks_pass_without_a_warning(on_dask, recwarn):
    """What a task has of its own may be large, as fitted forests are."""
    own = ({"x": i, "own": np.zeros(2_000_000)} for i in range(3))
    assert list(run_in_order(toys.square, own)) == [0, 1, 4]
    assert not [each for each in recwarn if "large graph" in str(each.message)]


def test_a_consumer_may_leave(on_dask):
    """The rest is dropped, and the cluster serves the next one."""
    results = run_in_order(toys.wait, tasks(50, seconds=0.01))
    assert next(results) == 0
    results.close()
    assert list(run_in_order(toys.square, tasks(3))) == [0, 1, 4]


@pytest.mark.filterwarnings("ignore:a deprecated way", "error:mind:UserWarning")
def test_configuration_reaches_the_tasks(on_dask):
    """scikit-learn's, and the filters of warnings."""
    with config_context(enable_metadata_routing=True):
        assert all(run_in_order(toys.routing, tasks(3)))
    with pytest.raises(UserWarning, match="mind the gap"):
        list(run_in_order(toys.warn, tasks(3)))


def test_tasks_use_one_job(on_dask):
    """The cluster is in use already, so `n_jobs` of an estimator finds one core."""
    assert set(run_in_order(toys.nested, tasks(4))) == {1}


def test_settings_of_joblib_reach_the_cluster(on_dask):
    """Here: on which worker the tasks may run."""
    address, info = next(iter(on_dask.scheduler_info()["workers"].items()))
    with parallel_config(backend="dask", workers=[address]):
        found = set(run_in_order(toys.process, tasks(6)))
    assert found == {on_dask.run(os.getpid)[address]}, info


def test_what_cannot_be_pickled_is_refused(on_dask):
    """Shared or not, an error instead of a wait without end."""
    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"[Cc](an|ould) ?not (pickle|serialize)"):
        list(run_in_order(toys.square, tasks(3, lock=lock)))
    own = ({"x": i, "own": threading.Lock()} for i in range(3))
    with pytest.raises(TypeError, match="cannot pickle"):
        list(run_in_order(toys.square, own))


def test_a_task_that_kills_its_workers_is_given_up(on_dask):
    """dask's own error, which says how often it was tried."""
    scheduler = on_dask.cluster.scheduler
    allowed, scheduler.allowed_failures = scheduler.allowed_failures, 0
    try:
        with pytest.raises(distributed.KilledWorker, match="Attempted to run task"):
            list(run_in_order(toys.kill, tasks(3)))
    finally:
        scheduler.allowed_failures = allowed


def test_all_workers_may_die(on_dask):
    """What they held is sent to those that take their place."""
    X = np.random.default_rng(0).normal(size=(1000, 10))
    found = []
    for result in run_in_order(toys.wait, tasks(12, X=X, seconds=0.1)):
        found.append(result)
        if len(found) == 3:
            for pid in on_dask.run(os.getpid).values():
                os.kill(pid, signal.SIGKILL)
    assert found == list(range(12))
