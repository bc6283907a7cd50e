"""A bag tells its own uncertainty: intervals, sets and standard errors without refits.

Intervals are set beside those of MAPIE, which fits a jackknife+ after bootstrap of its
own, and of quantile-forest; standard errors beside those of forestci. Each gets the
same rows, and MAPIE the same estimator and as many members. Real tables have their
columns prepared before, on the training rows. Times are processor times with one job
and one thread, of runs that alternate.
"""

import gc
import time
import warnings

import numpy as np
from _report import Report, arguments, median_and_range
from _tables import load, preprocessed
from forestci.forestci import _core_computation, calc_inbag
from mapie.regression import JackknifeAfterBootstrapRegressor
from quantile_forest import RandomForestQuantileRegressor
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from genestimators.bagging._sampling_error import (
    count_products,
    raw_variance,
    unbiased_variance,
)

LEVEL = 0.9
N_MEMBERS = 50
REGRESSION = [
    "ames",
    "concrete",
    "car_prices",
    "Sacramento",
    "deliveries",
    "hotel_rates",
    "Hitters",
    "Wage",
    "College",
    "Carseats",
    "Auto",
    "diabetes",
]
CLASSIFICATION = [
    "attrition",
    "credit_data",
    "mlc_churn",
    "hpc_data",
    "ad_data",
    "OJ",
    "Smarket",
    "spam7",
    "monica",
    "breast_cancer",
    "wine",
    "digits",
]
METHODS = ("genestimators", "MAPIE", "quantile-forest")
MOST_TRAIN, MOST_TEST = 600, 800


def seconds(function):
    """What a call returns, and its processor time."""
    gc.collect()
    started = time.process_time()
    result = function()
    return result, time.process_time() - started


def fitted(method, base, X, y, n_members, seed):
    """A function that predicts intervals, (n_rows, 2)."""
    if method == "genestimators":
        bag = BootstrapBaggingRegressor(
            base, n_estimators=n_members, n_jobs=1, random_state=seed
        ).fit(X, y)
        return lambda new: bag.predict_interval(new, confidence_level=LEVEL)
    if method == "MAPIE":
        peer = JackknifeAfterBootstrapRegressor(
            base,
            confidence_level=LEVEL,
            resampling=n_members,
            n_jobs=1,
            random_state=seed,
        ).fit_conformalize(X, y)
        return lambda new: peer.predict_interval(new)[1][:, :, 0]
    forest = RandomForestQuantileRegressor(n_jobs=1, random_state=seed).fit(X, y)
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    return lambda new: forest.predict(new, quantiles=ends)


def prepared(name, seed):
    """Numbers of a table, in training and test rows."""
    table = load(name).sample(MOST_TRAIN + MOST_TEST, seed)
    X, y = table.codes(), table.y
    n_train = min(MOST_TRAIN, len(y) // 2)
    classes = y if table.task == "classification" else None
    X, new, y, target = train_test_split(
        X, y, train_size=n_train, random_state=seed, stratify=classes
    )
    steps = preprocessed(table, None, by="position").named_steps["prepare"]
    return steps.fit(X).transform(X), y, steps.transform(new), target


def told(predict, new, target, scale):
    """Coverage, and width over the spread of the target, in percent and shares."""
    low, high = predict(new).T
    inside = (low <= target) & (target <= high)
    return 100 * inside.mean(), np.mean(high - low) / scale


def coverage_of(cases):
    """Coverage and width of each method, (n_methods, 2), means over cases."""
    found = [
        [
            told(fitted(method, base, X, y, N_MEMBERS, seed), new, target, np.std(y))
            for method in METHODS
        ]
        for seed, (base, X, y, new, target) in enumerate(cases)
    ]
    return np.mean(found, axis=0)


def as_row(text, found):
    """Coverages, then widths."""
    return [
        text,
        *(f"{c:.1f}" for c in found[:, 0]),
        *(f"{w:.2f}" for w in found[:, 1]),
    ]


def table_rows(names, n_splits):
    """Coverage and width on real tables."""
    rows, every = [], []
    for name in names:
        found = coverage_of(
            (DecisionTreeRegressor(), *prepared(name, seed)) for seed in range(n_splits)
        )
        rows.append(as_row(name, found))
        every.append(found)
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(every)


def simulated(kind, n_rows, rng):
    """Columns and a target of one kind."""
    if kind == "Friedman's function":
        return make_friedman1(n_rows, noise=1.0, random_state=rng.integers(1 << 31))
    X = rng.normal(size=(n_rows, 5))
    mean = X[:, 0] + np.sin(2 * X[:, 1])
    noise = {
        "normal errors": rng.normal(size=n_rows),
        "errors of three degrees of freedom": rng.standard_t(3, size=n_rows),
        "skewed errors": rng.exponential(size=n_rows),
        "errors that grow with a column": rng.normal(size=n_rows) * np.exp(X[:, 2]),
    }
    return X, mean + noise[kind]


def simulation_rows(quick):
    """Coverage and width on simulated data."""
    kinds = [
        "normal errors",
        "errors of three degrees of freedom",
        "skewed errors",
        "errors that grow with a column",
        "Friedman's function",
    ]
    bases = {
        "tree": DecisionTreeRegressor(),
        "ridge": Ridge(),
        "5 neighbours": KNeighborsRegressor(),
    }
    rows, every = [], []
    for kind in kinds[: 1 if quick else None]:
        for n_rows in (40, 300):
            for text, base in bases.items():
                repeats = 2 if quick else 40 if n_rows < 100 else 10
                cases = []
                for seed in range(repeats):
                    rng = np.random.default_rng(seed)
                    X, y = simulated(kind, n_rows + 500, rng)
                    cases.append((base, X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]))
                found = coverage_of(cases)
                rows.append(as_row(f"{kind}, {n_rows} rows, {text}", found))
                every.append(found)
                print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(every)


def set_rows(names, n_splits):
    """Coverage and size of sets of classes."""
    rows, every = [], []
    for name in names:
        found = []
        for seed in range(n_splits):
            X, y, new, target = prepared(name, seed)
            bag = BootstrapBaggingClassifier(
                DecisionTreeClassifier(min_samples_leaf=5),
                n_estimators=N_MEMBERS,
                n_jobs=1,
                random_state=seed,
            ).fit(X, y)
            sets = bag.predict_set(new, confidence_level=LEVEL)
            place = np.searchsorted(bag.classes_, target)
            found.append(
                [
                    100 * sets[np.arange(len(new)), place].mean(),
                    sets.sum(axis=1).mean(),
                    100 * np.mean(~sets.any(axis=1)),
                    100 * np.mean(bag.predict(new) == target),
                    len(bag.classes_),
                ]
            )
        mean = np.mean(found, axis=0)
        every.append(mean)
        rows.append(
            [
                name,
                f"{mean[4]:.0f}",
                f"{mean[0]:.1f}",
                f"{mean[1]:.2f}",
                f"{mean[2]:.1f}",
                f"{mean[3]:.1f}",
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(every)


def timed(method, base, data, n_members, seed):
    """Seconds to fit, to predict for the first time and again; coverage and width."""
    X, y, new, target = data
    predict, fit = seconds(lambda: fitted(method, base, X, y, n_members, seed))
    _, first = seconds(lambda: predict(new))
    _, later = seconds(lambda: predict(new))
    return fit, first, later, *told(predict, new, target, np.std(y))


def speed_rows(quick):
    """Times to fit and to predict intervals, beside MAPIE's."""
    grid = [(200, 30)] if quick else [(500, 30), (2000, 30), (2000, 100), (5000, 100)]
    rows, ratios = [], []
    for text, base in (("tree", DecisionTreeRegressor()), ("ridge", Ridge())):
        for size, n_members in grid:
            X, y = simulated("normal errors", 2 * size, np.random.default_rng(size))
            data = X[:size], y[:size], X[size:], y[size:]
            found = []
            for pair in range(3 if size > 1000 else 5):
                own = {
                    method: timed(method, base, data, n_members, pair)
                    for method in METHODS[:2][:: 1 if pair % 2 else -1]
                }
                found.append([own[method] for method in METHODS[:2]])
            times, quality = np.split(np.array(found), [3], axis=2)
            quality = quality.mean(axis=0)
            ratio = times[:, 1] / times[:, 0]
            ratios.append(np.median(ratio, axis=0))
            rows.append(
                [
                    f"{text}, {size} rows and as many new ones, {n_members} members",
                    *(f"{1e3 * t:.0f}" for t in np.median(times[:, 0], axis=0)),
                    *(median_and_range(one, 1) for one in ratio.T),
                    f"{quality[0, 0]:.1f} / {quality[1, 0]:.1f}",
                    f"{quality[0, 1]:.2f} / {quality[1, 1]:.2f}",
                ]
            )
            print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(ratios)


def forest_times(inbag, answers, ours_first):
    """Times of ours, first and later, and of forestci's; the largest difference."""
    n_rows, n_trees = inbag.shape
    counts = np.ascontiguousarray(inbag.T)
    centred = (answers - answers.mean(axis=0)).T
    shape = (n_rows, 1)
    if not ours_first:
        theirs, peer = seconds(
            lambda: _core_computation(shape, None, inbag, centred, n_trees)
        )
    made, first = seconds(lambda: count_products(counts))
    ours, later = seconds(lambda: raw_variance(made.products, answers))
    if ours_first:
        theirs, peer = seconds(
            lambda: _core_computation(shape, None, inbag, centred, n_trees)
        )
    return first + later, later, peer, np.abs(ours / theirs - 1).max()


def forest_rows(quick):
    """The infinitesimal jackknife of a forest, beside forestci's."""
    grid = [(300, 100, 50)]
    if not quick:
        grid = [(2000, 2000, 200), (20_000, 2000, 200), (5000, 5000, 500)]
    rows, ratios, gaps = [], [], []
    for n_rows, n_new, n_trees in grid:
        X, y = simulated("normal errors", n_rows + n_new, np.random.default_rng(0))
        forest = RandomForestRegressor(
            n_trees, max_leaf_nodes=50, n_jobs=1, random_state=0
        ).fit(X[:n_rows], y[:n_rows])
        inbag = calc_inbag(n_rows, forest)
        answers = np.stack([tree.predict(X[n_rows:]) for tree in forest.estimators_])
        found = np.array([forest_times(inbag, answers, pair % 2) for pair in range(3)])
        times = found[:, :3]
        ratio = times[:, 2:] / times[:, :2]
        ratios.append(np.median(ratio, axis=0))
        gaps.append(found[:, 3].max())
        rows.append(
            [
                f"{n_rows} rows, {n_new} new ones, {n_trees} trees",
                *(f"{1e3 * t:.1f}" for t in np.median(times, axis=0)),
                *(median_and_range(one, 1) for one in ratio.T),
                f"{gaps[-1]:.0e}",
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(ratios), max(gaps)


def usual_correction(counts, answers):
    """What the correction for independent draws leaves, as forestci has it."""
    products = count_products(counts).products
    excess = counts.shape[1] * counts.var(axis=0).mean() * answers.var(axis=0)
    return raw_variance(products, answers) - excess / len(answers)


def error_rows(quick):
    """Squared standard errors over the variance of predictions over samples."""
    bases = {
        "ridge": Ridge(),
        "5 neighbours": KNeighborsRegressor(),
        "tree of leaves of 5": DecisionTreeRegressor(min_samples_leaf=5),
    }
    new, _ = simulated("normal errors", 50, np.random.default_rng(99))
    rows = []
    for text, base in bases.items():
        for n_members in (50, 200):
            predicted, squares = [], []
            for seed in range(4 if quick else 150):
                X, y = simulated("normal errors", 100, np.random.default_rng(seed))
                bag = BootstrapBaggingRegressor(
                    base,
                    n_estimators=n_members,
                    oob_score=False,
                    n_jobs=1,
                    random_state=seed,
                ).fit(X, y)
                answers = np.stack([one.predict(new) for one in bag.estimators_])
                counts = np.stack(
                    [np.bincount(s, minlength=100) for s in bag.estimators_samples_]
                )
                made = count_products(counts)
                squares.append(
                    [
                        made.scale * unbiased_variance(made.products, answers, 10)[0],
                        usual_correction(counts, answers),
                        raw_variance(made.products, answers),
                    ]
                )
                predicted.append(answers.mean(axis=0))
            truth = np.var(predicted, axis=0, ddof=1).mean()
            share = np.mean(squares, axis=(0, 2)) / truth
            rows.append(
                [f"{text}, {n_members} members", f"{np.sqrt(truth):.3f}"]
                + [f"{s:.2f}" for s in share]
            )
            print("  " + " | ".join(rows[-1]), flush=True)
    return rows


def target_rows(tables, simulations, sets, speed, forest, gap):
    """The targets, what was found, and whether it is met."""
    pooled = np.concatenate([tables, simulations])
    width = np.exp(np.log(pooled[:, 0, 1] / pooled[:, 1, 1]).mean())

    def row(text, target, found, met):
        return [text, target, found, "met" if met else "missed"]

    def worst(values):
        return f"{values.min():.1f} ({np.exp(np.log(values).mean()):.1f})"

    return [
        row(
            "coverage on tables and simulations, mean (least), per cent",
            "90",
            f"{pooled[:, 0, 0].mean():.1f} ({pooled[:, 0, 0].min():.1f})",
            pooled[:, 0, 0].mean() >= 89.5,
        ),
        row("width / MAPIE's, geometric mean", "1.02", f"{width:.3f}", width <= 1.02),
        row(
            "coverage of sets, mean (least), per cent",
            "90",
            f"{sets[:, 0].mean():.1f} ({sets[:, 0].min():.1f})",
            sets[:, 0].mean() >= 89.5,
        ),
        row(
            "MAPIE's time to predict / ours, least (geometric mean)",
            "3",
            worst(speed[:, 2]),
            speed[:, 2].min() >= 3,
        ),
        row(
            "the same for the first call, which makes the masks",
            "3",
            worst(speed[:, 1]),
            speed[:, 1].min() >= 3,
        ),
        row(
            "forestci's time / ours after the first call, least (geometric mean)",
            "20",
            worst(forest[:, 1]),
            forest[:, 1].min() >= 20,
        ),
        row("relative difference from forestci's", "1e-10", f"{gap:.0e}", gap <= 1e-10),
    ]


def main():
    """Run everything; print and write the tables."""
    options = arguments(__doc__.splitlines()[0])
    warnings.filterwarnings("ignore")
    report = Report("bagging_intervals", "Uncertainty of a bag", options.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    splits = 1 if options.quick else 5
    some = slice(2) if options.quick else slice(None)
    tables, of_tables = table_rows(REGRESSION[::-1][some], splits)
    simulations, of_simulations = simulation_rows(options.quick)
    sets, of_sets = set_rows(CLASSIFICATION[::-1][some], splits)
    speed, ratios = speed_rows(options.quick)
    forest, forest_ratios, gap = forest_rows(options.quick)
    errors = error_rows(options.quick)
    report.table(
        "Targets",
        ["what", "target", "found", "verdict"],
        target_rows(of_tables, of_simulations, of_sets, ratios, forest_ratios, gap),
    )
    header = [*(f"{m}, %" for m in METHODS), *(f"{m}, width" for m in METHODS)]
    report.table(
        f"Coverage at a level of {LEVEL:.0%}, and width over the standard deviation of "
        f"the target: real tables, full trees, {N_MEMBERS} members",
        ["table", *header],
        tables,
    )
    report.table("The same on simulated data", ["case", *header], simulations)
    report.table(
        f"Sets of classes at a level of {LEVEL:.0%}: pruned trees, {N_MEMBERS} members",
        ["table", "classes", "coverage, %", "size", "empty, %", "accuracy, %"],
        sets,
    )
    report.table(
        "Milliseconds of ours, and MAPIE's over ours",
        [
            "case",
            "fit",
            "first predict",
            "predict",
            "fit ratio",
            "first ratio",
            "ratio",
            "coverage, ours / MAPIE",
            "width",
        ],
        speed,
    )
    report.table(
        "Infinitesimal jackknife of a forest from counts and predictions, not "
        "corrected: milliseconds, and forestci's over ours",
        ["case", "first", "later", "forestci", "ratio first", "ratio", "difference"],
        forest,
    )
    report.table(
        "Squared standard errors over the variance of predictions over 150 samples of "
        "100 rows, means over 50 points: as here, by the usual correction, and raw",
        ["bag", "standard deviation", "here", "usual", "raw"],
        errors,
    )
    report.save()


if __name__ == "__main__":
    main()
