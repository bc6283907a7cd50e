"""Filling missing values: time, error, random draws, intervals, and how cost grows.

Rows are normal: a few factors (five, three for ten columns) times normal loadings, plus
noise of variance a half, columns of variance 1.5 on average; each entry is missing with
a chance of 20 %. Runs of two methods alternate, each pair on a data set of its own, and
each pair gives a ratio, the peer's time over ours. Times are processor times of
`fit_transform` with one thread. Settings are the defaults, so GaussianImputer makes
masks too, and IterativeImputer stops at 10 rounds, mostly with a warning that it has
not converged. RMSE is over the entries made missing, relative to that of column means.
miceforest fills with random draws (5 rounds), whose RMSE is larger by nature.
"""

import warnings

import numpy as np
import pandas as pd
from _fresh_process import seconds
from _report import Report, arguments, median_and_range, verdict
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # its effect
from sklearn.impute import IterativeImputer, KNNImputer

from genestimators import GaussianImputer

SIZES = [(2000, 10), (10_000, 20), (5000, 50)]
QUICK_SIZES = [(300, 10)]
# Pairs of runs at each size.
PAIRS = {
    "IterativeImputer": [15, 9, 5],
    "KNNImputer": [9, 1, 3],
    "miceforest": [3, 1, 1],
}
DRAW_PAIRS = [7, 3, 3]
N_DRAWS = 10
# rows, columns, data sets: enough for a standard error well below 0.3 points.
COVERAGE = [
    (2000, 10, 60),
    (10_000, 20, 12),
    (5000, 50, 12),
    (500, 20, 60),
    (200, 10, 200),
]
LEAST_SPEED, LEAST_DRAW_SPEED, COVERED = 15, 50, (89, 91)


def factor_data(n, p, seed):
    """Normal rows of a factor structure, and the same with 20 % missing.

    Returns
    -------
    complete, holed : ndarray of shape (n, p)
    """
    rng = np.random.default_rng([n, p, seed])
    k = min(5, p // 3)
    loadings = rng.standard_normal((k, p)) / np.sqrt(k)
    noise = np.sqrt(0.5) * rng.standard_normal((n, p))
    complete = rng.standard_normal((n, k)) @ loadings + noise
    return complete, np.where(rng.random((n, p)) < 0.2, np.nan, complete)


def timed(fill, complete, holed, seed):
    """Processor time of a function that fills, and its RMSE on what was missing."""
    out = []
    took = seconds(lambda: out.append(fill(holed, seed)))
    filled = np.asarray(out[0])[:, : holed.shape[1]]  # masks may follow
    return took, rmse(filled, complete, holed)


def rmse(filled, complete, holed):
    """Root mean squared error of the entries that were missing."""
    missing = np.isnan(holed)
    return np.sqrt(np.mean((filled - complete)[missing] ** 2))


def column_means(holed):
    """Filled with column means."""
    return np.where(np.isnan(holed), np.nanmean(holed, axis=0), holed)


def by_gauss(holed, seed):
    """By GaussianImputer."""
    return GaussianImputer(random_state=seed).fit_transform(holed)


def by_iteration(holed, seed):
    """By IterativeImputer."""
    return IterativeImputer(random_state=seed).fit_transform(holed)


def by_neighbours(holed, seed):
    """By KNNImputer."""
    return KNNImputer().fit_transform(holed)


def by_miceforest(holed, seed):
    """By miceforest, one data set."""
    import miceforest

    frame = pd.DataFrame(holed, columns=[f"x{j}" for j in range(holed.shape[1])])
    kernel = miceforest.ImputationKernel(frame, num_datasets=1, random_state=seed)
    kernel.mice(5, num_threads=1)
    return kernel.complete_data(0)


def several_by_gauss(holed, seed):
    """Ten draws, the mean of them: one fit."""
    imputer = GaussianImputer(strategy="draw", random_state=seed).fit(holed)
    return np.mean(imputer.sample(holed, N_DRAWS), axis=0)


def several_by_iteration(holed, seed):
    """Ten draws, the mean of them: a fit for each."""
    draws = [
        IterativeImputer(sample_posterior=True, random_state=k).fit_transform(holed)
        for k in range(N_DRAWS)
    ]
    return np.mean(draws, axis=0)


PEERS = {
    "IterativeImputer": by_iteration,
    "KNNImputer": by_neighbours,
    "miceforest": by_miceforest,
}


def paired(ours, peer, size, n_pairs):
    """Alternating runs on data sets of their own.

    Returns
    -------
    found : ndarray of shape (n_pairs, 5)
        Our time, the peer's, our RMSE, the peer's, that of column means.
    """
    found = []
    for pair in range(n_pairs):
        complete, holed = factor_data(*size, pair)
        both = [None, None]
        for which in (0, 1) if pair % 2 else (1, 0):
            both[which] = timed((ours, peer)[which], complete, holed, pair)
        times, errors = zip(*both, strict=True)
        found.append([*times, *errors, rmse(column_means(holed), complete, holed)])
    return np.array(found)


def speed_cells(name, size, found):
    """What a line of a table of pairs says."""
    ours, peer, our_error, error, of_mean = found.T
    return [
        f"{size[0]:,} x {size[1]}",
        name,
        len(found),
        f"{np.median(ours):.3f}",
        f"{np.median(peer):.3f}",
        median_and_range(peer / ours, 1),
        f"{np.mean(our_error / of_mean):.4f}",
        f"{np.mean(error / of_mean):.4f}",
        f"{np.mean(of_mean):.3f}",
    ]


SPEED_HEADER = [
    "size", "peer", "pairs", "ours (s)", "peer (s)", "ratio of times",
    "RMSE / column mean's: ours", "the peer's", "RMSE of column means",
]  # fmt: skip


def speed_rows(quick):
    """Lines of fills, and the pairs with IterativeImputer by size."""
    rows, kept = [], {}
    sizes = QUICK_SIZES if quick else SIZES
    for i, size in enumerate(sizes):
        for name, peer in PEERS.items():
            n_pairs = 2 if quick else PAIRS[name][i]
            try:
                found = paired(by_gauss, peer, size, n_pairs)
            except Exception as error:  # a peer that does not run is told of
                said = f"{type(error).__name__}: {error}"
                text = f"{size[0]:,} x {size[1]}"
                rows.append([text, name, 0, "", "", said, "", "", ""])
                continue
            rows.append(speed_cells(name, size, found))
            if name == "IterativeImputer":
                kept[size] = found
            print("  " + " | ".join(map(str, rows[-1])), flush=True)
    return rows, kept


def draw_rows(quick):
    """Lines of ten random completions, and the pairs by size."""
    rows, kept = [], {}
    for i, size in enumerate(QUICK_SIZES if quick else SIZES):
        n_pairs = 2 if quick else DRAW_PAIRS[i]
        found = paired(several_by_gauss, several_by_iteration, size, n_pairs)
        kept[size] = found
        rows.append(speed_cells("IterativeImputer(sample_posterior)", size, found))
        print("  " + " | ".join(map(str, rows[-1])), flush=True)
    return rows, kept


def coverage_rows(quick):
    """Lines of how often intervals hold what was missing, and the means in per cent."""
    rows, kept = [], {}
    for n, p, n_sets in [(300, 10, 3)] if quick else COVERAGE:
        shares, widths = [], []
        for seed in range(n_sets):
            complete, holed = factor_data(n, p, 1000 + seed)
            low, high = GaussianImputer(random_state=0).fit(holed).interval(holed)
            missing = np.isnan(holed)
            holds = (low <= complete) & (complete <= high)
            shares.append(100 * holds[missing].mean())
            widths.append((high - low)[missing].mean())
        kept[n, p] = np.mean(shares)
        error = np.std(shares, ddof=1) / np.sqrt(n_sets)
        inside = COVERED[0] <= kept[n, p] <= COVERED[1]
        rows.append(
            [f"{n:,} x {p}", n_sets, f"{kept[n, p]:.2f}", f"{error:.2f}",
             f"{np.mean(widths):.2f}", verdict(inside)]
        )  # fmt: skip
        print("  " + " | ".join(map(str, rows[-1])), flush=True)
    return rows, kept


def growth_rows(cases):
    """Lines of single runs of growing size; each case says whether the peer runs."""
    rows = []
    for n, p, n_factors, with_peer in cases:
        complete, holed = factor_data(n, p, 0)
        imputer = GaussianImputer(n_factors=n_factors, random_state=0)

        def fill(table, seed, imputer=imputer):
            return imputer.fit_transform(table)

        took, error = timed(fill, complete, holed, 0)
        of_mean = rmse(column_means(holed), complete, holed)
        cells = ["", ""]
        if with_peer:
            peer_took, peer_error = timed(by_iteration, complete, holed, 0)
            cells = [f"{peer_took:.2f}", f"{peer_error / of_mean:.4f}"]
        rows.append(
            [f"{n:,} x {p}", n_factors or "none", imputer.n_iter_, f"{took:.2f}",
             f"{error / of_mean:.4f}", *cells]
        )  # fmt: skip
        print("  " + " | ".join(map(str, rows[-1])), flush=True)
    return rows


GROWTH_HEADER = [
    "size", "n_factors", "iterations", "seconds", "RMSE / column mean's",
    "IterativeImputer (s)", "its RMSE / column mean's",
]  # fmt: skip
COLUMNS = [
    (2000, 20, None, True),
    (2000, 50, None, True),
    (2000, 100, None, True),
    (2000, 200, None, False),
    (2000, 200, 5, False),
    (2000, 200, 20, False),
    (2000, 500, None, False),
    (2000, 500, 5, False),
    (2000, 500, 20, False),
]
ROWS = [(n, 20, None, True) for n in (1000, 3000, 10_000, 30_000, 100_000)]


def target_rows(fills, draws, coverages):
    """The targets, what was found, and whether it is met."""
    rows = []
    for what, least, kept in (
        ("fit_transform", LEAST_SPEED, fills),
        (f"{N_DRAWS} random completions", LEAST_DRAW_SPEED, draws),
    ):
        for (n, p), found in kept.items():
            ratio = np.median(found[:, 1] / found[:, 0])
            rows.append(
                [f"{what}, {n:,} x {p}: time of IterativeImputer / ours",
                 f">= {least}", f"{ratio:.1f}", verdict(ratio >= least)]
            )  # fmt: skip
    for (n, p), found in fills.items():
        ratio = np.exp(np.log(found[:, 2] / found[:, 3]).mean())
        rows.append(
            [f"{n:,} x {p}: our RMSE / that of IterativeImputer", "<= 1",
             f"{ratio:.4f}", verdict(ratio <= 1)]
        )  # fmt: skip
    low, high = COVERED
    for (n, p), share in coverages.items():
        if (n, p) in fills:
            rows.append(
                [f"{n:,} x {p}: 90 % intervals cover", f"{low} to {high} %",
                 f"{share:.2f} %", verdict(low <= share <= high)]
            )  # fmt: skip
    return rows


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    warnings.filterwarnings("ignore")
    report = Report("imputation_speed", "The time of filling", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    by_gauss(factor_data(300, 10, 0)[1], 0)  # what is imported late
    fill_lines, fills = speed_rows(args.quick)
    draw_lines, draws = draw_rows(args.quick)
    coverage_lines, coverages = coverage_rows(args.quick)
    report.table(
        "Targets",
        ["what", "target", "found", "verdict"],
        target_rows(fills, draws, coverages),
    )
    report.table("fit_transform", SPEED_HEADER, fill_lines)
    report.table(
        f"{N_DRAWS} random completions: one fit and `sample`, beside a "
        "fit_transform for each; RMSE of their mean",
        SPEED_HEADER,
        draw_lines,
    )
    report.table(
        "Coverage of 90 % intervals (%); they leave the uncertainty of the fitted law "
        "out, which shows where rows are few",
        ["size", "data sets", "cover", "standard error", "width", "89 to 91"],
        coverage_lines,
    )
    some = 1 if args.quick else None
    report.table(
        "Growth with columns, one run each", GROWTH_HEADER, growth_rows(COLUMNS[:some])
    )
    report.table(
        "Growth with rows, one run each", GROWTH_HEADER, growth_rows(ROWS[:some])
    )
    report.save()


if __name__ == "__main__":
    main()
