"""False discoveries and power of the selectors on simulated designs, beside ipss.

Targets are rates of 0.1. Power is the share of true features found, FDR the mean share
of false ones among those selected, "any" the share of data sets with any selection, on
data where nothing is true the share of errors. Copulas of columns: neighbours have
a correlation of 0.5 unless a row says otherwise.
"""

import time
import warnings

import numpy as np
from _report import Report, arguments
from _selection_designs import (
    additive_bumps,
    correlated_blocks,
    equicorrelated,
    errors,
    global_null,
    ipss_q_values,
    toeplitz_linear,
    toeplitz_logistic,
)
from _selection_knockoffs import POWER_HEADER, power_rows
from joblib import Memory, Parallel, delayed

from genestimators import KnockoffSelector, StableFeatureSelector

ALPHA = 0.1
ADDITIVE = {"importance": "additive", "criterion": "fdr", "alpha": ALPHA}
# design: generator, its settings, methods, trials
DESIGNS = {
    "bumps, 500 x 500": (additive_bumps, {}, ("additive", "ipss"), 100),
    "bumps, 250 x 500": (
        additive_bumps, {"n_rows": 250}, ("additive", "ipss"), 40,
    ),
    "nothing true, 500 x 500": (global_null, {}, ("additive", "knockoffs"), 100),
    "nothing true, 200 x 50": (
        global_null, {"n_rows": 200, "n_features": 50},
        ("elimination", "additive", "pfer", "integrated"), 100,
    ),
    "linear, 500 x 500, 20 true": (
        toeplitz_linear, {}, ("additive", "knockoffs"), 40,
    ),
    "linear, 500 x 100, 20 true": (
        toeplitz_linear, {"n_features": 100},
        ("additive", "elimination", "coef", "pfer", "integrated", "knockoffs"), 40,
    ),
    "two classes, 500 x 100, 10 true": (
        toeplitz_logistic, {"n_features": 100}, ("additive", "elimination"), 40,
    ),
    "all correlated at 0.5, 500 x 100": (
        equicorrelated, {"n_features": 100}, ("elimination", "knockoffs"), 40,
    ),
    "blocks at 0.9, 500 x 100": (
        correlated_blocks, {"n_features": 100},
        ("elimination", "knockoffs", "elimination of clusters"), 40,
    ),
}  # fmt: skip


def selector(method, seed):
    """A selector at a rate, or an expected number, of 0.1."""
    fdr = {"criterion": "fdr", "alpha": ALPHA, "random_state": seed}
    if method == "additive":
        return StableFeatureSelector(importance="additive", **fdr, **EMPTY)
    if method == "elimination":
        return StableFeatureSelector(**fdr, **EMPTY)
    if method == "elimination of clusters":
        return StableFeatureSelector(feature_groups="auto", **fdr, **EMPTY)
    if method == "coef":
        return StableFeatureSelector(importance="coef", **fdr, **EMPTY)
    if method == "pfer":
        return StableFeatureSelector(
            criterion="pfer_r_concave", alpha=1, random_state=seed, **EMPTY
        )
    if method == "integrated":
        return StableFeatureSelector(
            criterion="pfer_integrated", alpha=1, random_state=seed, **EMPTY
        )
    return KnockoffSelector(alpha=ALPHA, random_state=seed)


EMPTY = {"min_features_to_select": 0}


def trial(design, seed):
    """Outcomes of all methods on one data set."""
    warnings.filterwarnings("ignore")
    make, settings, methods, _ = DESIGNS[design]
    X, y, true = make(seed, **settings)
    out = {}
    for method in methods:
        if method == "ipss":
            q_values, _, seconds = ipss_q_values(X, y, seed=seed)
            chosen, labels = q_values <= ALPHA, None
        else:
            start = time.process_time()
            fitted = selector(method, seed).fit(X, y)
            chosen = fitted.get_support()
            seconds = time.process_time() - start
            labels = fitted.feature_groups_
        if method.endswith("clusters"):  # a cluster is true if any of it is
            first = np.unique(labels, return_index=True)[1]
            whole = np.bincount(labels, weights=true) > 0
            power, rate = errors(chosen[first], whole)
        else:
            power, rate = errors(chosen, true)
        n_false = int((chosen & ~true).sum())
        out[method] = power, rate, bool(chosen.any()), n_false, seconds
    return out


def design_rows(design, trials):
    """A line a method."""
    rows = []
    for method in DESIGNS[design][2]:
        power, rate, anything, n_false, seconds = zip(
            *(found[method] for found in trials), strict=True
        )
        rate_error = np.std(rate, ddof=1) / np.sqrt(len(rate))
        rows.append(
            [
                design,
                NAMES[method],
                str(len(trials)),
                "-" if np.isnan(power).all() else f"{np.nanmean(power):.3f}",
                f"{np.mean(rate):.3f} +- {rate_error:.3f}",
                f"{np.mean(anything):.2f}",
                f"{np.mean(n_false):.2f}",
                f"{np.median(seconds):.2f}",
            ]
        )
    return rows


NAMES = {
    "additive": 'importance="additive", criterion="fdr"',
    "elimination": 'elimination, criterion="fdr"',
    "elimination of clusters": 'elimination of clusters, "fdr"',
    "coef": 'lasso paths, criterion="fdr"',
    "pfer": 'elimination, "pfer_r_concave", alpha=1',
    "integrated": 'elimination, "pfer_integrated", alpha=1',
    "knockoffs": "KnockoffSelector",
    "ipss": "ipss, gradient boosting",
}


def main():
    args = arguments(__doc__, cache=True)
    once = Memory(args.cache, verbose=0).cache(trial)
    report = Report("selection_error_control", "Errors of selections", args.quick)
    report.say(
        "At a target of 0.1 (pfer: one false feature expected). Seconds: processor "
        "time, median, one thread."
    )
    rows = []
    for design, (*_, methods, n_trials) in DESIGNS.items():
        if args.quick and "200 x 50" not in design:
            continue
        seeds = range(2 if args.quick else n_trials)
        found = list(
            Parallel(n_jobs=-1, return_as="generator")(
                delayed(once)(design, seed) for seed in seeds
            )
        )
        rows += design_rows(design, found)
        for row in rows[-len(methods) :]:
            print(" | ".join(row), flush=True)
    report.table(
        "Designs",
        ["design", "method", "trials", "power", "FDR", "any", "false", "seconds"],
        rows,
    )
    if not args.quick:
        report.table(
            "Derandomised knockoffs on the designs of Ren and Barber (2024)",
            POWER_HEADER,
            power_rows(),
        )
    report.save()


if __name__ == "__main__":
    main()
