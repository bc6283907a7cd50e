"""A real cluster on this machine: a scheduler here and two worker processes."""

import joblib
import pytest

try:
    import dask
    import distributed
except ImportError:  # an extra
    dask = distributed = None

SETTINGS = {
    # A busy machine may take a while to start a process, or to start one again.
    "distributed.comm.timeouts.connect": "120s",
    "distributed.deploy.lost-worker-timeout": "120s",
    "distributed.worker.profile.enabled": False,
}


@pytest.fixture(scope="session")
def client():
    """The client of a cluster that lasts as long as the tests."""
    if distributed is None:
        pytest.skip("clusters need the dask extra")
    with (
        dask.config.set(SETTINGS),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def on_dask(client):
    """Work inside goes to the cluster; the client, which counts what it is sent."""
    client.wait_for_workers(1, timeout=120)  # others may be starting again
    with client.as_current(), joblib.parallel_config(backend="dask"):
        yield client
