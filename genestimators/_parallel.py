"""The one place that runs tasks in parallel, and that reports progress.

Tasks run at one level, results come back in the order of the tasks, and the linear
algebra of each task runs on one thread: the last bits of a matrix product depend on
how many threads share it, so results would otherwise change with `n_jobs`. joblib does
the work, except on a Dask cluster (see `_cluster`).
"""

import itertools
import os
import sys
import threading
import time
from contextlib import contextmanager
from functools import lru_cache, partial

from joblib import effective_n_jobs
from joblib.parallel import BACKENDS, get_active_backend
from sklearn import ensemble, tree
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import ThreadpoolController

from genestimators._cluster import active_cluster, on_worker, run_on_cluster

# These spend their time outside Python's lock, so threads serve them best: nothing is
# copied to another process, and nothing is pickled on the way back.
_THREADED = (
    tree.BaseDecisionTree,
    ensemble.RandomForestClassifier,
    ensemble.RandomForestRegressor,
    ensemble.ExtraTreesClassifier,
    ensemble.ExtraTreesRegressor,
)

_POOLED = ("loky", "multiprocessing", "threading")  # joblib's own backends


def prefers_threads(estimator):
    """Whether fits of an estimator gain from threads."""
    return isinstance(estimator, _THREADED)


def run_in_order(function, tasks, *, n_jobs=None, threads=False):
    """Run `function(**task)` for each task and yield the results in order.

    Parameters
    ----------
    function : callable
        A module-level function.
    tasks : iterable of dict
        Keyword arguments, made when they are needed; emptied once they have served.
        What is the same object in every task is sent once to a cluster.
    n_jobs : int, default=None
        As everywhere in scikit-learn: None is 1 unless in a
        `joblib.parallel_config` context, -1 is all cores.
    threads : bool, default=False
        Ask for threads rather than processes where the active backend allows both.
    """
    cluster = None if n_jobs == 1 else active_cluster()
    nested = cluster is not None and on_worker()  # its workers have their tasks
    if cluster is not None and not nested:
        with _one_thread:
            yield from run_on_cluster(cluster, partial(_run_alone, function), tasks)
        return
    if nested or effective_n_jobs(n_jobs) == 1:
        with _one_thread:
            for task in tasks:
                result = function(**task)
                task.clear()
                yield result
                del result
        return
    settings = {"n_jobs": n_jobs, "prefer": "threads" if threads else None}
    own = _backend_of_its_own(settings["prefer"])
    if own is not None:
        settings = {"n_jobs": effective_n_jobs(n_jobs), "backend": own}
    here = os.getpid()
    call = delayed(_run_task)
    calls = (call(function, here, **task) for task in tasks)
    with _one_thread:
        try:
            parallel = Parallel(**settings, return_as="generator")
        except ValueError:  # a backend that gives results back all at once
            size = 2 * effective_n_jobs(n_jobs)
            with Parallel(**settings) as parallel:  # its processes serve all batches
                while batch := list(itertools.islice(calls, size)):
                    yield from parallel(batch)
            return
        results = parallel(calls)
        try:
            yield from results
        finally:
            results.close()


def _backend_of_its_own(prefer):
    """A backend like the active one, where those who share one would block.

    A `parallel_config` context hands one object to all inside it. The pool of that
    object ends with the first of several runs that are read by turns, and the others
    would fail, or wait for it for ever.
    """
    active, _ = get_active_backend(prefer=prefer)
    kind = type(active)
    if kind not in [BACKENDS.get(name) for name in _POOLED]:
        return None
    return kind(
        nesting_level=active.nesting_level,
        inner_max_num_threads=active.inner_max_num_threads,
    )


def _run_task(function, caller, **task):
    """Run one task; a process of its own limits its own linear algebra."""
    if os.getpid() == caller:
        return function(**task)
    return _run_alone(function, **task)


def _run_alone(function, **task):
    """Run one task with its linear algebra on one thread."""
    with _one_thread:
        return function(**task)


class _OneThread:
    """A context in which linear algebra runs on one thread.

    The limit belongs to the process, so contexts of several threads that overlap share
    one: the first to enter sets it, the last to leave takes it back.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.depth = 0
        self.limit = None

    def __enter__(self):
        with self.lock:
            if self.depth == 0:
                controller = _controller(len(sys.modules))
                self.limit = controller.limit(limits=1, user_api="blas")
            self.depth += 1

    def __exit__(self, *error):
        with self.lock:
            self.depth -= 1
            if self.depth == 0:
                self.limit.restore_original_limits()


_one_thread = _OneThread()


@lru_cache(maxsize=1)
def _controller(n_modules):
    """The libraries to limit; they are looked for again when modules were loaded."""
    return ThreadpoolController()


class Progress:
    """Prints how far a long fit has come.

    Parameters
    ----------
    title : str
        Who is at work.
    noun : str
        What is counted, in the plural.
    verbose : int
        0 is silent, 1 prints about ten lines, 2 and more a line each.
    """

    def __init__(self, title, noun, verbose):
        self.title = title
        self.noun = noun
        self.verbose = int(verbose)
        self.started = time.perf_counter()

    def report(self, done, planned):
        """Say that `done` of `planned` are ready."""
        if not self.verbose:
            return
        every = 1 if self.verbose > 1 else max(1, planned // 10)
        if done % every and done != planned:
            return
        seconds = time.perf_counter() - self.started
        print(
            f"[{self.title}] {done}/{planned} {self.noun}, {seconds:.1f} s",
            file=sys.stdout,
            flush=True,
        )


@contextmanager
def error_note(text):
    """Add a note to an error raised inside, which keeps its type."""
    try:
        yield
    except Exception as error:
        error.add_note(text)
        raise


__all__ = [
    "Progress",
    "effective_n_jobs",
    "error_note",
    "prefers_threads",
    "run_in_order",
]
