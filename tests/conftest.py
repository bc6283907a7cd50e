"""What all tests share: an option to run a part of the parameters."""


def pytest_addoption(parser):
    """Take `--every N` from the command line."""
    parser.addoption(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="of each test over parameters run the first and then every N-th case",
    )


def pytest_collection_modifyitems(config, items):
    """Leave out the cases between, of each test function by itself."""
    every = config.getoption("every")
    if every == 1:
        return
    seen, kept, left_out = {}, [], []
    for item in items:
        name = item.nodeid.split("[")[0]
        seen[name] = seen.get(name, -1) + 1
        (left_out if seen[name] % every else kept).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
