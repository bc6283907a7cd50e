"""Tasks on a Dask cluster: what they share goes there once, lost ones are sent again.

`joblib.parallel_config(backend="dask")` says which cluster, and its client does the
rest here. joblib 1.6 would run the tasks too, but puts what they share on one worker,
so that its death takes X along, and waits for ever once dask gives a task up. Here the
shared arguments are on every worker, and should all of those die, they are sent again
with the tasks that were lost: a task is a function of its arguments alone, so it does
not matter how often or where it runs.

Arrays that dask unpacks begin anywhere in what it received, and numpy multiplies arrays
that are not aligned by other code, with other last bits. So whatever travels is packed
and unpacked here, into memory of its own.
"""

import itertools
import pickle
import uuid
import warnings
from collections import deque
from contextlib import suppress

import numpy as np
from joblib import parallel_config
from joblib.parallel import get_active_backend
from sklearn import config_context, get_config

_AHEAD = 4  # tasks a core that are sent before their turn
_LOST = 3  # how often in a row data are sent again
_LARGE = 1_000_000  # bytes; dask warns of tasks that carry much
_ALIGNED = 16  # as numpy's own memory is
_MISSING = object()


def active_cluster():
    """The joblib backend that holds a Dask client, or None where none is active."""
    backend, _ = get_active_backend()
    client = getattr(backend, "client", None)
    return backend if hasattr(client, "scatter") else None


def on_worker():
    """Whether this is a task on a Dask worker already."""
    from distributed import get_worker

    try:
        get_worker()
    except ValueError:
        return False
    return True


def run_on_cluster(backend, function, tasks):
    """Run `function(**task)` for each task and yield the results in order.

    Parameters
    ----------
    backend : object
        From `active_cluster`.
    function : callable
        Of a module that the workers can import, or a partial of one.
    tasks : iterable of dict
        Keyword arguments. Those that are the same objects in task after task are sent
        once; others travel with their task.

    Raises
    ------
    ConnectionError
        If the cluster is gone, or loses its data time and again.
    """
    yield from _Run(backend, function, iter(tasks)).results()


class _Run:
    """One pass over tasks.

    Parameters
    ----------
    backend, function, tasks
        As in `run_on_cluster`.
    """

    def __init__(self, backend, function, tasks):
        self.client = backend.client
        self.settings = getattr(backend, "submit_kwargs", {})
        self.check()
        # joblib waits here for the first worker.
        self.window = _AHEAD * backend.effective_n_jobs(-1)
        first = list(itertools.islice(tasks, 2))
        self.tasks = itertools.chain(first, tasks)
        self.arguments = _same_in(first)
        self.shared = _Shared(function, self.arguments, (get_config(), _filters()))
        self.data = None  # the future of what is shared
        self.pending = deque()  # what a task has of its own, and its future
        self.lost = 0

    def results(self):
        """The results, in order."""
        served = 0
        self.send_shared()
        try:
            while self.fill():
                ready = self.ready()
                try:
                    results = deque(self.client.gather(ready))
                except BaseException as error:
                    if not self.was_lost(error, ready):
                        raise
                    self.send_again(error)
                    continue
                for _ in ready:
                    self.pending.popleft()
                del ready
                self.lost, served = 0, served + len(results)
                while results:
                    yield pickle.loads(results.popleft())
                if served >= self.window:  # the cluster may have grown
                    served, self.window = 0, self.wanted()
        finally:
            self.pending.clear()  # dask forgets tasks that nobody waits for

    def ready(self):
        """The futures to fetch at once: those at the head that are done, or the first.

        Each fetch is a round trip, which short tasks would not be worth.
        """
        futures = [future for _, future in self.pending]
        done = itertools.takewhile(lambda future: future.status == "finished", futures)
        return list(done) or futures[:1]

    def wanted(self):
        """How many tasks to keep on the cluster."""
        self.check()
        return _AHEAD * max(1, sum(self.client.nthreads().values()))

    def fill(self):
        """Keep the cluster busy; tell whether there is something to wait for."""
        room = max(0, self.window - len(self.pending))
        for task in itertools.islice(self.tasks, room):
            own = {
                name: value
                for name, value in task.items()
                if self.arguments.get(name, _MISSING) is not value
            }
            self.pending.append([own, self.send(own)])
        return bool(self.pending)

    def send_shared(self, error=None):
        """Put what all tasks share on every worker."""
        self.data = None
        while self.data is None:
            self.check(error)
            try:
                [self.data] = self.client.scatter([self.shared], hash=False)
            except TimeoutError as cause:
                raise _gone("has no worker that answers") from cause
            except OSError as cause:  # the worker died meanwhile
                self.count_loss(cause)
        with suppress(Exception):  # workers that come and go; one copy will do
            self.client.replicate([self.data])

    def send(self, own):
        """Send a task off; its future."""
        import cloudpickle

        self.check()
        payload = cloudpickle.dumps(own)
        if len(payload) > _LARGE:
            [payload] = self.client.scatter([payload], hash=False)
        key = f"genestimators-{uuid.uuid4().hex}"
        return self.client.submit(
            _run_there, self.data, payload, key=key, pure=False, **self.settings
        )

    def was_lost(self, error, futures):
        """Whether an error says that a task was lost rather than that it failed."""
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            return False
        lost = any(future.cancelled() for future in futures)
        return lost or self.client.status != "running"

    def send_again(self, error):
        """Send what is shared once more, and the tasks that have no result yet."""
        self.count_loss(error)
        self.send_shared(error)
        for each in self.pending:
            if each[1].status != "finished":
                each[1] = self.send(each[0])

    def count_loss(self, error):
        """Give up where data get lost again and again."""
        self.lost += 1
        if self.lost > _LOST:
            raise _gone("keeps losing the workers that hold the data") from error

    def check(self, error=None):
        """Refuse a client that has lost its cluster."""
        if self.client.status != "running":
            status = self.client.status
            raise _gone(f"cannot be reached (its client is {status})") from error


def _gone(what):
    """The error of a cluster that is of no use any more."""
    return ConnectionError(
        f"The Dask cluster must stay until the work is done, and it {what}; start one "
        "again and repeat the call (with `warm_start=True` a bag goes on from the "
        "replicates that it has)."
    )


def _same_in(tasks):
    """The arguments that are the same objects in the first tasks."""
    if len(tasks) < 2:
        return {}
    one, other = tasks
    return {
        name: value
        for name, value in one.items()
        if name in other and other[name] is value
    }


def _filters():
    """The warning filters in force."""
    get = getattr(warnings, "_get_filters", None)  # those of this context, from 3.14
    return list(warnings.filters if get is None else get())


class _Shared:
    """What all tasks of a pass share: the function, arguments, configuration."""

    def __init__(self, function, arguments, configuration):
        self.function = function
        self.arguments = arguments
        self.configuration = configuration

    def __sizeof__(self):
        from dask.sizeof import sizeof  # what dask plans its memory by

        return object.__sizeof__(self) + sum(map(sizeof, self.arguments.values()))

    def __reduce_ex__(self, protocol):
        import cloudpickle

        buffers = []  # arrays go as they lie in memory, without a copy here
        packed = cloudpickle.dumps(
            vars(self), protocol=5, buffer_callback=buffers.append
        )
        return _unpack_shared, (packed, *buffers)


def _unpack_shared(packed, *buffers):
    shared = _Shared(None, {}, None)
    vars(shared).update(pickle.loads(packed, buffers=map(_aligned, buffers)))
    return shared


def _aligned(buffer):
    """A buffer as it is, or a copy that begins where memory is aligned."""
    data = np.frombuffer(buffer, dtype=np.uint8)
    return buffer if data.ctypes.data % _ALIGNED == 0 else data.copy()


def _run_there(shared, payload):
    """Run one task on a worker, under the configuration of the caller; pack the result.

    Parameters
    ----------
    shared : _Shared
    payload : bytes
        The arguments that the task does not share.
    """
    import cloudpickle

    config, filters = shared.configuration
    with (
        config_context(**config),
        warnings.catch_warnings(),
        parallel_config(backend="sequential"),  # one level: the cluster is in use
    ):
        warnings.resetwarnings()
        for action, message, category, module, line in filters:
            if message is None and module is None:  # this takes several categories
                warnings.simplefilter(action, category, line, append=True)
                continue
            message, module = (
                getattr(pattern, "pattern", pattern) or ""
                for pattern in (message, module)
            )
            warnings.filterwarnings(
                action, message, category, module, line, append=True
            )
        result = shared.function(**shared.arguments | pickle.loads(payload))
    return cloudpickle.dumps(result)
