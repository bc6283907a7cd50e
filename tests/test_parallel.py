"""Tasks in order, one thread for linear algebra, notes on errors, progress."""

import os
import time

import joblib
import numpy as np
import pytest
from sklearn import config_context, get_config
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from genestimators._parallel import (
    Progress,
    error_note,
    prefers_threads,
    run_in_order,
)


def _square(x, wait=0.0):
    time.sleep(wait)
    return x * x


def _product(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(60, 300)) @ rng.normal(size=(300, 60))


def _blas_threads(x):
    return [
        each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
    ]


def _routing(x):
    return get_config()["enable_metadata_routing"]


def _process(x):
    return os.getpid()


def _fail(x):
    with error_note(f"In replicate {x}."):
        if x == 2:
            raise ZeroDivisionError("no such luck")
    return x


def _tasks(n, **arguments):
    return ({"x": i, **arguments} for i in range(n))


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_results_come_in_the_order_of_tasks(n_jobs, backend):
    """Later tasks that end sooner wait for their turn."""
    tasks = ({"x": i, "wait": 0.02 * (3 - i % 4)} for i in range(8))
    with joblib.parallel_config(backend=backend):
        results = list(run_in_order(_square, tasks, n_jobs=n_jobs))
    assert results == [i * i for i in range(8)]


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_runs_that_are_read_by_turns(backend):
    """The end of one must not end the pool of the other."""
    with joblib.parallel_config(backend=backend, n_jobs=2):
        for _ in range(3):
            runs = run_in_order(_square, _tasks(6)), run_in_order(_square, _tasks(6))
            assert list(zip(*runs, strict=True)) == [(i * i, i * i) for i in range(6)]


def test_results_are_the_same_bits_in_every_way_to_run():
    """One job or two, processes or threads: the same products to the last bit."""
    tasks = [{"seed": seed} for seed in range(4)]
    wanted = [_product(**task).tobytes() for task in tasks]
    with threadpool_limits(limits=1, user_api="blas"):
        wanted = [_product(**task).tobytes() for task in tasks]
    for n_jobs in (1, 2):
        for backend in ("loky", "threading"):
            copies = (dict(task) for task in tasks)
            with joblib.parallel_config(backend=backend):
                found = run_in_order(_product, copies, n_jobs=n_jobs)
                assert [each.tobytes() for each in found] == wanted


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_linear_algebra_runs_on_one_thread(n_jobs, backend):
    """Here and in every process; afterwards the limits are what they were."""
    before = _blas_threads(0)
    with joblib.parallel_config(backend=backend):
        for found in run_in_order(_blas_threads, _tasks(3), n_jobs=n_jobs):
            assert set(found) <= {1}
    assert _blas_threads(0) == before


def test_limits_end_with_a_consumer_that_leaves():
    """A loop left early gives the threads back and runs no further task."""
    before = _blas_threads(0)
    seen = []
    tasks = ({"x": seen.append(i) or i} for i in range(100))
    results = run_in_order(_square, tasks)
    assert next(results) == 0
    results.close()
    assert _blas_threads(0) == before
    assert len(seen) < 100


def test_tasks_are_made_when_they_are_needed():
    """One task at a time is held, so copies of X never pile up."""
    made = []
    tasks = ({"x": made.append(i) or i} for i in range(5))
    for number, _ in enumerate(run_in_order(_square, tasks)):
        assert len(made) == number + 1


def test_processes_serve_all_batches():
    """Where results come all at once, tasks go in batches, and to the same pool."""
    with joblib.parallel_config(backend="multiprocessing"):
        found = list(run_in_order(_process, _tasks(12), n_jobs=2))
    assert os.getpid() not in found
    assert len(set(found)) <= 2


def test_no_tasks():
    """Nothing to do is done."""
    assert list(run_in_order(_square, iter(()))) == []
    assert list(run_in_order(_square, iter(()), n_jobs=2)) == []


def test_threads_are_asked_for():
    """With `threads` the tasks stay in this process, unless told otherwise."""
    here = set(run_in_order(_process, _tasks(4), n_jobs=2, threads=True))
    assert here == {os.getpid()}
    with joblib.parallel_config(backend="loky"):
        there = set(run_in_order(_process, _tasks(4), n_jobs=2, threads=True))
    assert os.getpid() not in there


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_configuration_reaches_the_tasks(backend):
    """scikit-learn's configuration goes with the tasks."""
    with config_context(enable_metadata_routing=True):
        with joblib.parallel_config(backend=backend):
            assert all(run_in_order(_routing, _tasks(3), n_jobs=2))


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_keep_their_type_and_note(n_jobs, backend):
    """Where it happened travels with the error, also from another process."""
    before = _blas_threads(0)
    with joblib.parallel_config(backend=backend):
        with pytest.raises(ZeroDivisionError, match="no such luck") as caught:
            list(run_in_order(_fail, _tasks(4), n_jobs=n_jobs))
    assert caught.value.__notes__ == ["In replicate 2."]
    assert _blas_threads(0) == before


def test_error_note_is_silent_where_nothing_happens():
    """Without an error there is no note; notes add up."""
    with error_note("outer"):
        pass
    with pytest.raises(ValueError, match="inside") as caught:
        with error_note("outer"), error_note("inner"):
            raise ValueError("inside")
    assert caught.value.__notes__ == ["inner", "outer"]


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (DecisionTreeClassifier(), True),
        (RandomForestRegressor(), True),
        (ExtraTreesClassifier(), True),
        (Ridge(), False),
        (None, False),
    ],
)
def test_prefers_threads(estimator, expected):
    """Trees work outside Python's lock; most others do not."""
    assert prefers_threads(estimator) is expected


@pytest.mark.parametrize(
    ("verbose", "planned", "lines"),
    [(0, 20, 0), (1, 20, 10), (1, 5, 5), (1, 23, 12), (2, 20, 20), (True, 20, 10)],
)
def test_progress_prints_as_much_as_asked(verbose, planned, lines, capsys):
    """Silence, about ten lines, or a line each; the last is always there."""
    progress = Progress("Bag", "replicates", verbose)
    for done in range(1, planned + 1):
        progress.report(done, planned)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == lines
    if lines:
        assert printed[-1].startswith(f"[Bag] {planned}/{planned} replicates, 0.")
        assert printed[-1].endswith(" s")
