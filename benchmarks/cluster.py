"""What a Dask cluster costs beside processes of this machine, two of each.

The same bags are fitted and asked through `joblib.parallel_config(backend="dask")` and
`backend="loky"`, in turns, and must give the same bits. Times are by the clock. Small
bags show what a task costs, large ones what is left of that where fits take their time.
"""

import time

import joblib
import numpy as np
from _report import Report, arguments, median_and_range, use_dask
from sklearn.dummy import DummyRegressor
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingRegressor

WORKERS = 2
BACKENDS = {"dask": {}, "loky": {"n_jobs": WORKERS}}


def cases(quick):
    """Text, estimator, number of members, rows, columns and pairs of each case."""
    tree = DecisionTreeRegressor(max_features="sqrt", min_samples_leaf=5)
    if quick:
        yield "20 trees, 2000 x 10", tree, 20, 2000, 10, 1
        return
    yield "100 trees, 200,000 x 50", tree, 100, 200_000, 50, 3
    yield "100 trees, 5000 x 50", tree, 100, 5000, 50, 5
    yield "100 constants, 1000 x 5", DummyRegressor(), 100, 1000, 5, 5


def numbers(n_rows, n_columns):
    """Normal columns and a target that the first few of them tell in part."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns))
    return X, X[:, :3].sum(axis=1) + rng.standard_normal(n_rows)


def timed(call):
    """Seconds of a call, and what it returned."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def run(backend, model, X, y):
    """Seconds to fit and to predict, and the predictions."""
    with joblib.parallel_config(backend=backend, **BACKENDS[backend]):
        fit, _ = timed(lambda: model.fit(X, y))
        predict, answer = timed(lambda: model.predict(X))
    return fit, predict, answer


def case_rows(text, estimator, n_members, n_rows, n_columns, n_pairs):
    """Rows of the table: one to fit, one to predict."""
    X, y = numbers(n_rows, n_columns)
    times = {backend: [] for backend in BACKENDS}
    for pair in range(n_pairs):
        answers = []
        for backend in list(BACKENDS)[:: 1 if pair % 2 else -1]:
            bag = BootstrapBaggingRegressor(
                estimator, n_estimators=n_members, random_state=pair
            )
            *seconds, answer = run(backend, bag, X, y)
            times[backend].append(seconds)
            answers.append(answer)
        np.testing.assert_array_equal(*answers)
    dask, loky = (np.array(times[backend]) for backend in BACKENDS)
    tasks = {"fit": n_members, "predict": -(-n_members // 10)}
    for step, (name, n_tasks) in enumerate(tasks.items()):
        more = 1000 * (dask - loky)[:, step] / n_tasks
        yield [
            f"{text}: {name}",
            f"{np.median(dask[:, step]):.2f}",
            f"{np.median(loky[:, step]):.2f}",
            median_and_range(dask[:, step] / loky[:, step]),
            median_and_range(more, 0),
        ]


def main():
    args = arguments(__doc__.splitlines()[0])
    report = Report("cluster", "What a cluster costs", args.quick)
    if args.dask is None:
        use_dask("", n_workers=WORKERS)
    # Both have their processes started and the library imported before.
    X, y = numbers(200, 5)
    for backend in BACKENDS:
        run(backend, BootstrapBaggingRegressor(n_estimators=10), X, y)
    report.say(
        "Two worker processes of one thread each, on this machine, so that the network "
        "costs little and memory is copied all the same. X goes to the workers once "
        "to fit and once to predict; predictions carry the members there too. The last "
        "column is the difference of both for each task, in milliseconds."
    )
    report.table(
        "Seconds",
        ["bag", "dask", "loky", "ratio", "more a task (ms)"],
        [row for case in cases(args.quick) for row in case_rows(*case)],
    )
    report.save()


if __name__ == "__main__":
    main()
