"""How time and memory grow with rows, columns, replicates and values.

Each point is fitted in a process of its own, ours and scikit-learn's in turn, with one
job and one thread; times are processor times. The exponent is the slope of the
logarithm of the time against that of the size over the three greatest sizes: 1 is
proportional, 0 does not grow.
"""

import time

import numpy as np
from _fresh_process import in_fresh_process, peak_of, seconds
from _report import Report, arguments
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV, Bootstrap, BootstrapBaggingRegressor
from genestimators.fitting.families.linear._gram import stack_moments
from genestimators.fitting.families.linear._linear_members import RidgeEnsemble
from genestimators.fitting.families.trees._tree_paths import collapse_by_alpha

DEPTH = 8
# model, axis: the fixed sizes, and the sizes along the axis
CASES = {
    ("tree bag", "rows"): ({"p": 10, "count": 5}, [1e3, 1e4, 1e5, 1e6]),
    ("tree bag", "columns"): ({"n": 5000, "count": 5}, [10, 40, 160, 640]),
    ("tree bag", "replicates"): ({"n": 1000, "p": 10}, [10, 40, 160, 640]),
    ("linear bag", "rows"): ({"p": 20, "count": 20}, [1e3, 1e4, 1e5, 1e6]),
    ("linear bag", "columns"): ({"n": 5000, "count": 20}, [10, 40, 160, 640]),
    ("linear bag", "replicates"): ({"n": 1000, "p": 10}, [50, 200, 800, 3200]),
    ("tuned ridge", "rows"): ({"p": 20, "count": 20}, [1e3, 1e4, 1e5, 1e6]),
    ("tuned ridge", "columns"): ({"n": 2000, "count": 20}, [10, 40, 160, 640]),
    ("tuned ridge", "values"): ({"n": 5000, "p": 20}, [10, 40, 160, 640]),
}
NAMES = {"rows": "n", "columns": "p", "replicates": "count", "values": "count"}


def numbers(n, p):
    """Normal columns and a target that some of them tell in part."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    return X, X[:, :5].sum(axis=1) + rng.standard_normal(n)


def model_of(model, ours, count):
    """An estimator that is not fitted."""
    if model == "tuned ridge":
        values = np.logspace(-3, 4, count)
        pipeline = make_pipeline(StandardScaler(), Ridge())
        folds = KFold(5, shuffle=True, random_state=0)
        if ours:
            return AutoRegularizedCV(
                pipeline, param="ridge__alpha", values=values, cv=folds, n_repeats=1
            )
        return GridSearchCV(pipeline, {"ridge__alpha": values}, cv=folds)
    base = Ridge() if model == "linear bag" else DecisionTreeRegressor(max_depth=DEPTH)
    kind = BootstrapBaggingRegressor if ours else BaggingRegressor
    return kind(base, n_estimators=count, oob_score=False, random_state=0)


def point(model, ours, n, p, count, repeats):
    """Seconds to fit and to predict, and bytes for either, in this process."""
    small = numbers(60, 4)
    model_of(model, ours, 3).fit(*small).predict(small[0])  # what is imported late
    X, y = numbers(n, p)
    fitted = model_of(model, ours, count)
    memory = peak_of(fitted.fit, X, y), peak_of(fitted.predict, X)
    times = [
        (
            seconds(model_of(model, ours, count).fit, X, y),
            seconds(fitted.predict, X),
        )
        for _ in range(repeats)
    ]
    return (*np.median(times, axis=0), *memory)


def case_rows(model, axis, quick):
    """A line for each size, and the exponents of the times and memories."""
    fixed, sizes = CASES[model, axis]
    sizes = [int(size) for size in sizes][: 2 if quick else None]
    found = np.empty((len(sizes), 2, 4))
    rows = []
    for i, size in enumerate(sizes):
        at = {**fixed, NAMES[axis]: size}
        repeats = 1 if at.get("n", 0) >= 100_000 or quick else 3
        for ours in (True, False):
            found[i, int(not ours)] = in_fresh_process(
                point, model, ours, at["n"], at["p"], at["count"], repeats
            )
        rows.append(
            [
                f"{model}, {size:,} {axis}",
                *(_pair(found[i, :, k], 1, "{:.3g}") for k in (0, 1)),
                *(_pair(found[i, :, k], 2**20, "{:.3g}") for k in (2, 3)),
                f"{found[i, 1, 0] / found[i, 0, 0]:.1f}",
                f"{found[i, 1, 1] / found[i, 0, 1]:.1f}",
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    last = slice(-3, None)
    logs = np.log(np.maximum(found[last], 1e-9))
    slopes = np.polyfit(np.log(sizes[last]), logs.reshape(len(logs), -1), 1)[0]
    return rows, slopes.reshape(2, 4)


def _pair(values, unit, form):
    return " / ".join(form.format(value / unit) for value in values)


def exponent_row(model, axis, slopes):
    """A line of exponents, ours and theirs, and whether ours grows no faster."""
    cells = [f"{own:.2f} / {peer:.2f}" for own, peer in slopes.T[:3]]
    # A tenth is what repeated runs differ by.
    faster = [
        what
        for what, (own, peer) in zip(
            ("fit", "predict", "memory"), slopes.T[:3], strict=True
        )
        if own > peer + 0.1
    ]
    return [f"{model}, {axis}", *cells, ", ".join(faster) or "none"]


def share_rows(quick):
    """What a replicate of a ridge bag costs: drawing, products of columns, the rest."""
    rows = []
    for n in (1000, 10_000) if quick else (1000, 10_000, 100_000, 1_000_000):
        X, y = numbers(n, 20)
        draws = Bootstrap().prepare(X, y, seed=0)
        family = RidgeEnsemble()
        size = family.group
        fits = family.prepare(None, Ridge(), X, y, ())
        drawing = seconds(draws.counts_matrix, range(size))
        weights = draws.counts_matrix(range(size))
        parts = fits.X, fits.Y, weights, fits.centre, fits.y_shift
        products, whole = [], []
        for _ in range(3):
            products.append(seconds(stack_moments, *parts))
            whole.append(seconds(fits.fit, weights))
        rest = np.median(whole) - np.median(products)
        cells = (drawing, np.median(products), rest)
        rows.append([f"{n:,} rows", *(f"{1e3 * t / size:.3f}" for t in cells)])
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows


def best_of(function, *args, repeats=7):
    """The least processor time of a call: a rate is what the machine can do."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function(*args)
        times.append(time.process_time() - started)
    return min(times)


def limit_rows(quick):
    """Two kernels beside what the machine can do."""
    size = 400 if quick else 1500
    A = np.random.default_rng(0).standard_normal((size, size))
    product_rate = 2 * size**3 / best_of(np.matmul, A, A)
    big = np.zeros((1 << 20) if quick else (1 << 25))
    other = np.empty_like(big)
    copy_rate = 2 * big.nbytes / best_of(np.copyto, other, big)
    rows = [
        [
            "matrix product",
            f"{size} x {size} x {size}",
            _giga(product_rate, "FLOP"),
            "",
        ],
        ["copy", f"{big.nbytes >> 20} MiB", _giga(copy_rate, "B"), ""],
    ]
    n_draws = RidgeEnsemble.group
    for n, p in ((2000, 20), (10_000, 50)):
        X, y = numbers(n, p)
        weights = np.random.default_rng(1).poisson(1.0, (n_draws, n)).astype(np.int32)
        args = X, y[:, None], weights, X.mean(axis=0), y[None].mean(axis=1)
        width = 1 + p + 1 + p * (p + 1) // 2 + p + 1
        rate = 2 * n * width * n_draws / best_of(stack_moments, *args)
        rows.append(
            [
                "products of columns",
                f"{n:,} x {p}, {n_draws} draws",
                _giga(rate, "FLOP"),
                f"{rate / product_rate:.0%} of the matrix product",
            ]
        )
    n = 2000 if quick else 100_000
    X, y = numbers(n, 10)
    tree = DecisionTreeRegressor(max_depth=12).fit(X, y)
    values = np.logspace(-6, 0, 41)
    collapse = collapse_by_alpha(tree.tree_, values)
    leaves, per_node = tree.apply(X), tree.tree_.value[:, 0, 0]
    took = best_of(collapse.answers, per_node, leaves)
    moved = 8 * n * len(values)  # the answers, written once
    rows.append(
        [
            "sweep of a tree",
            f"{n:,} rows, {len(values)} values",
            _giga(moved / took, "B"),
            f"{moved / took / (copy_rate / 2):.0%} of writing as a copy does",
        ]
    )
    return rows


def _giga(rate, unit):
    return f"{rate / 1e9:.1f} G{unit}/s"


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    report = Report("scaling", "How costs grow", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    rows, exponents = [], []
    for model, axis in CASES:
        own, slopes = case_rows(model, axis, args.quick)
        rows += own
        exponents.append(exponent_row(model, axis, slopes))
    report.table(
        "Exponents, ours / scikit-learn's",
        ["what grows", "fit", "predict", "memory of fit", "ours grows faster in"],
        exponents,
    )
    report.table(
        "Seconds and MiB above what was in use, ours / scikit-learn's",
        [
            "case", "fit, s", "predict, s", "fit, MiB", "predict, MiB",
            "times as fast, fit", "predict",
        ],
        rows,
    )  # fmt: skip
    report.table(
        f"A replicate of a ridge bag of 20 columns, milliseconds, in groups of "
        f"{RidgeEnsemble.group}",
        ["rows", "drawing", "products of columns", "the rest"],
        share_rows(args.quick),
    )
    report.say(
        "Drawing gives each row a count, and the products go over the rows; what is "
        "left of a replicate, the solution of a small system, does not see them."
    )
    report.table(
        "Two kernels and the machine's limits, one thread",
        ["what", "size", "rate", "share"],
        limit_rows(args.quick),
    )
    report.save()


if __name__ == "__main__":
    main()
