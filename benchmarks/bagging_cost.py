"""A bag costs what its fits cost: time, memory, and how many fits are needed.

scikit-learn's bagging gets the same estimator, the same data and as many members. Runs
alternate and each pair gives a ratio; tables show the median and the range of ratios.
Times are processor times with one job and one thread.
"""

import warnings

import numpy as np
import pandas as pd
from _fresh_process import in_fresh_process, resident, seconds
from _report import Report, arguments, median_and_range, verdict
from _tables import load, preprocessed
from sklearn.base import is_regressor
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
)

N_MEMBERS = 50
ALONE = "estimator alone, weighted"
MEMORY_ROWS, MEMORY_COLUMNS, MEMORY_MEMBERS = 1_000_000, 50, 3
SMOOTH_TABLES = [
    "ames",
    "concrete",
    "car_prices",
    "Sacramento",
    "deliveries",
    "Hitters",
    "Wage",
    "College",
    "Carseats",
    "Auto",
    "diabetes",
    "attrition",
    "credit_data",
    "mlc_churn",
    "wa_churn",
    "hpc_data",
    "ad_data",
    "OJ",
    "spam7",
    "monica",
    "breast_cancer",
]


def numbers(n_rows, n_columns, classes=False):
    """Normal columns, a target that the first few of them tell in part."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns))
    y = X[:, :3].sum(axis=1) + rng.standard_normal(n_rows)
    return X, (y > 0).astype(int) if classes else y


def frame(n_rows, n_columns):
    """The same as a data frame."""
    X, y = numbers(n_rows, n_columns)
    return pd.DataFrame(X, columns=[f"column {j}" for j in range(n_columns)]), y


def real(name):
    """A real table as an array, as the pipelines by position want it."""
    table = load(name).sample(2000, 0)
    return table.codes(), table.y


def scaled(estimator):
    """The estimator after a scaler, in a Pipeline."""
    return make_pipeline(StandardScaler(), estimator)


def speed_cases(quick):
    """Text, estimator, X and y of each cell."""
    tree, tree_classifier = DecisionTreeRegressor(), DecisionTreeClassifier()
    for n_rows, n_columns in [(200, 5), (1000, 10), (5000, 20), (10000, 10)]:
        if quick and n_rows > 1000:
            break
        size = f"{n_rows} x {n_columns}"
        yield f"tree, {size}", tree, *numbers(n_rows, n_columns)
        classified = numbers(n_rows, n_columns, classes=True)
        yield f"tree classifier, {size}", tree_classifier, *classified
    if quick:
        return
    for n_rows, n_columns in [(1000, 10), (5000, 20)]:
        size = f"{n_rows} x {n_columns}"
        X, y = numbers(n_rows, n_columns)
        labels = (y > 0).astype(int)
        yield f"tree of 8 leaves, {size}", DecisionTreeRegressor(max_leaf_nodes=8), X, y
        yield f"ridge, {size}", Ridge(), X, y
        yield f"scaler and ridge, {size}", scaled(Ridge()), X, y
        yield f"scaler and logistic, {size}", scaled(LogisticRegression()), X, labels
        yield f"scaler and tree, {size}", scaled(tree), X, y
    yield "5 neighbours, 2000 x 10", KNeighborsRegressor(), *numbers(2000, 10)
    yield "tree, data frame 1000 x 10", tree, *frame(1000, 10)
    yield "tree, data frame 5000 x 20", tree, *frame(5000, 20)
    for name, base in [("ames", tree), ("attrition", tree_classifier)]:
        model = preprocessed(load(name), base, by="position")
        yield f"preprocessing and tree, {name}", model, *real(name)


def bag_of(ours, estimator, oob_score, seed):
    """A bag of ours or of theirs, not fitted."""
    regression = is_regressor(estimator)
    if ours:
        kind = BootstrapBaggingRegressor if regression else BootstrapBaggingClassifier
    else:
        kind = BaggingRegressor if regression else BaggingClassifier
    return kind(
        estimator,
        n_estimators=N_MEMBERS,
        oob_score=oob_score,
        n_jobs=1,
        random_state=seed,
    )


def paired_times(estimator, X, y, oob_score):
    """Times to fit and predict, shape (pairs, ours and theirs, fit and predict)."""
    times, spent = [], 0.0
    # Five pairs, fewer of long ones, more of short ones.
    while len(times) < 5 or (spent < 2.0 and len(times) < 25):
        pair = [None, None]
        for ours in (True, False) if len(times) % 2 else (False, True):
            bag = bag_of(ours, estimator, oob_score, len(times))
            pair[not ours] = seconds(bag.fit, X, y), seconds(bag.predict, X)
        times.append(pair)
        spent += np.sum(pair)
        if spent > 6.0 and len(times) >= 3:
            break
    return np.array(times)


def speed_rows(quick):
    """Ratios of the times to fit and predict."""
    rows, ratios = [], []
    for text, estimator, X, y in speed_cases(quick):
        for oob_score in (True, False):
            times = paired_times(estimator, X, y, oob_score)
            ratio = times[:, 0] / times[:, 1]
            ratios.append(np.median(ratio, axis=0))
            rows.append(
                [
                    f"{text}, oob_score={oob_score}",
                    *(f"{1e3 * t:.0f}" for t in np.median(times[:, :, 0], axis=0)),
                    median_and_range(ratio[:, 0]),
                    *(f"{1e3 * t:.1f}" for t in np.median(times[:, :, 1], axis=0)),
                    median_and_range(ratio[:, 1]),
                ]
            )
            print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(ratios)


def fits_needed(name):
    """How many fits "auto" makes at 1 %: a smooth estimator, a tree."""
    table = load(name).sample(1000, 0)
    found = []
    for smooth in (True, False):
        if table.task == "regression":
            wrapper = BootstrapBaggingRegressor
            base = Ridge() if smooth else DecisionTreeRegressor()
        else:
            wrapper = BootstrapBaggingClassifier
            base = LogisticRegression(max_iter=1000)
            base = base if smooth else DecisionTreeClassifier()
        model = preprocessed(table, base, by="position")
        bag = wrapper(model, tolerance=0.01, n_jobs=1, random_state=0)
        found.append(bag.fit(table.codes(), table.y).n_estimators_)
    columns = preprocessed(table, base).named_steps["prepare"].fit_transform(table.X)
    return columns.shape, *found


def fits_rows(names):
    """Number of fits for each table."""
    rows = []
    for name in names:
        shape, smooth, tree = fits_needed(name)
        rows.append([name, f"{shape[0]} x {shape[1]}", smooth, tree])
    return rows


def drawing_rows(quick):
    """Seconds to prepare the draws, milliseconds to make one."""
    n_rows = 2000 if quick else 100_000
    X, y = numbers(n_rows, 20)
    labels = (y > 0).astype(int)
    mixed = pd.DataFrame(X)
    for column in range(5):
        mixed[column] = np.array(["low", "middle", "high"])[
            np.digitize(X[:, column], [-0.5, 0.5])
        ]
    rows = []
    for text, table, target, classifier in (
        ("array", X, y, False),
        ("array, two classes", X, labels, True),
        ("data frame, 5 columns of text", mixed, y, False),
    ):
        prepare = [
            seconds(_prepared, table, target, classifier)
            for _ in range(2 if quick else 5)
        ]
        draws = _prepared(table, target, classifier)
        # The first of ten ranks the rows for all ten of them.
        each = np.array([seconds(draws.__getitem__, b) for b in range(30)]) * 1e3
        rows.append(
            [
                f"{text}, {n_rows} x 20",
                f"{np.median(prepare):.2f} s",
                f"{each.mean():.1f} ms",
                f"{np.median(each):.1f} ms",
                f"{each.max():.1f} ms",
            ]
        )
    return rows


def _prepared(X, y, classifier):
    return Bootstrap().prepare(X, y, seed=0, classifier=classifier)


def memory_used(who, base, n_rows):
    """Peak memory before X is made, with X, and at the end of the fit."""
    estimator = Ridge() if base == "ridge" else DecisionTreeRegressor(max_depth=3)
    before = resident("VmRSS")
    X, y = numbers(n_rows, MEMORY_COLUMNS)
    with_data = resident("VmHWM")
    if who == ALONE:
        weight = np.random.default_rng(0).poisson(1.0, n_rows).astype(float)
        took = seconds(lambda: estimator.fit(X, y, sample_weight=weight))
    else:
        bag = bag_of(who == "genestimators", estimator, True, 0)
        took = seconds(bag.set_params(n_estimators=MEMORY_MEMBERS).fit, X, y)
    return before, with_data, resident("VmHWM"), X.nbytes, took


def memory_rows(quick):
    """Peak memory of fits, each in a process of its own."""
    n_rows = 20_000 if quick else MEMORY_ROWS
    rows = []
    for base in ("tree of depth 3", "ridge"):
        for who in ("genestimators", "scikit-learn", ALONE):
            before, with_data, peak, size, took = in_fresh_process(
                memory_used, who, base, n_rows
            )
            rows.append(
                [
                    f"{base}, {who}",
                    f"{size / 2**20:.0f}",
                    f"{before / 2**20:.0f}",
                    f"{with_data / 2**20:.0f}",
                    f"{peak / 2**20:.0f}",
                    f"{(peak - before) / size:.2f}",
                    f"{took:.0f}",
                ]
            )
            print("  " + " | ".join(rows[-1]), flush=True)
    return rows


def target_rows(ratios, fits, drawing, memory):
    """The targets, what was found, and whether it is met."""
    smooth = np.array([row[2] for row in fits])
    prepare = max(float(row[1].split()[0]) for row in drawing[:2])
    draw = max(float(row[2].split()[0]) for row in drawing)
    peaks = {
        row[0].split(",")[0]: float(row[5])
        for row in memory
        if "genestimators" in row[0]
    }
    speed = [
        [
            f"{text} / scikit-learn's, worst cell (geometric mean; cells in target)",
            "1.05",
            f"{ratio.max():.2f} ({np.exp(np.log(ratio).mean()):.2f}; "
            f"{np.sum(ratio <= 1.05)} of {len(ratio)})",
            verdict(ratio.max() <= 1.05),
        ]
        for text, ratio in zip(("fit", "predict"), ratios.T, strict=True)
    ]
    return [
        *speed,
        [
            "fits for ridge and logistic at 1 %, most (share of tables within target)",
            "10",
            f"{smooth.max()} ({np.mean(smooth <= 10):.0%})",
            verdict(smooth.max() <= 10),
        ],
        ["seconds to hash the array", "0.5", f"{prepare:.2f}", verdict(prepare <= 0.5)],
        ["milliseconds for a draw, mean", "25", f"{draw:.1f}", verdict(draw <= 25)],
        *(
            [
                f"peak memory of a fit in sizes of X, {base}",
                "2.2",
                f"{peak:.2f}",
                verdict(peak < 2.2),
            ]
            for base, peak in peaks.items()
        ),
    ]


def main():
    """Run everything; print and write the tables."""
    options = arguments(__doc__.splitlines()[0])
    warnings.filterwarnings("ignore")
    report = Report("bagging_cost", "Cost of bagging", options.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    memory = memory_rows(options.quick)
    drawing = drawing_rows(options.quick)
    fits = fits_rows(SMOOTH_TABLES[-2:] if options.quick else SMOOTH_TABLES)
    speed, ratios = speed_rows(options.quick)
    report.table(
        "Targets",
        ["what", "target", "found", "verdict"],
        target_rows(ratios, fits, drawing, memory),
    )
    report.table(
        f"Milliseconds at B = {N_MEMBERS}: ours, scikit-learn's, ratio",
        ["case", "fit", "peer", "ratio", "predict", "peer", "ratio"],
        speed,
    )
    report.say(
        "With `oob_score=True` ours answers for every training row, to tell the gap, "
        "and scikit-learn's for the rows out of bag only."
    )
    report.table(
        'Fits made by `n_estimators="auto"` at a tolerance of 1 %',
        ["table", "rows x columns", "ridge or logistic", "tree"],
        fits,
    )
    report.table(
        "Planning the default bootstrap and drawing from it",
        ["data", "prepare", "draw, mean", "draw, median", "draw, most"],
        drawing,
    )
    report.table(
        f"Peak memory of a fit of {MEMORY_MEMBERS} members, MiB; "
        "the multiple leaves out what was in use before X was made",
        ["case", "X", "before", "with data", "peak", "multiple of X", "seconds"],
        memory,
    )
    report.save()


if __name__ == "__main__":
    main()
