"""Whether intervals of the error cover it, by every method, on data of known truth.

Each design is drawn anew 300 times. Truth is the loss on 20,000 new rows, of the model
fitted on all rows ("its own"), and the mean of those over all data sets ("the mean").
Intervals are at 95 %. RMSE is that of the point estimate about the loss of the model
itself; widths and RMSE are in units of the mean loss. With 300 data sets a coverage of
95 % has a standard error of 1.3 points.

Every estimate is kept in results/error_interval_coverage.npz: own loss, point, low end,
high end, fits and seconds by case, data set and method. A run takes several hours;
--resume goes on with the record of one that was stopped, of the same code, and --report
makes the tables of what it holds.
"""

import time
import warnings

import numpy as np
from _designs import curved_border, friedman
from _report import RESULTS, Report, arguments, verdict
from joblib import Parallel, delayed
from sklearn import config_context
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeRegressor

from genestimators import generalization_error

N_DATA, N_NEW = 300, 20_000
RECORD = RESULTS / "error_interval_coverage.npz"
BLOCK = 20  # data sets between two writings of the record
METHODS = [
    ("auto", {}),
    ("nested_cv", {}),
    ("corrected_t", {}),
    ("conservative_z", {"n_repeats": 5}),
    ("cross_validation", {}),
    (".632", {}),
    (".632+", {}),
    ("optimism", {}),
]
SIZES = (100, 200)


def two_normals(n, rng):
    """Two normal classes in 20 columns, of which half tell them apart a little."""
    y = rng.integers(2, size=n)
    shift = 0.18 * (2 * y - 1)[:, None] * (np.arange(20) < 10)
    return rng.standard_normal((n, 20)) + shift, y


def wide_friedman(n, rng):
    """Ten columns."""
    X, _, y = friedman(n, rng, 10)
    return X, y


def wide_border(n, rng):
    """Eight columns."""
    X, _, y = curved_border(n, rng, 8)
    return X, y


MSE = "neg_mean_squared_error"
LEARNERS = {
    "LDA": (two_normals, LinearDiscriminantAnalysis(), "accuracy"),
    "logistic regression": (wide_border, LogisticRegression(), "accuracy"),
    "ridge": (wide_friedman, Ridge(), MSE),
    "full tree": (wide_friedman, DecisionTreeRegressor(), MSE),
    # On so few rows brute force finds the same neighbour soonest.
    "1 neighbour": (
        wide_border,
        KNeighborsClassifier(1, algorithm="brute"),
        "accuracy",
    ),
    "forest of 5": (
        wide_friedman,
        RandomForestRegressor(5),
        "neg_mean_squared_error",
    ),
}


def losses_of(model, X, y, scoring):
    predicted = model.predict(X)
    if scoring == "accuracy":
        return predicted != y
    return (predicted - y) ** 2


def trial(learner, n, seed, method):
    """The loss of the model; estimate, ends, fits and seconds by the method."""
    warnings.filterwarnings("ignore")
    make, estimator, scoring = LEARNERS[learner]
    name, settings = method
    rng = np.random.default_rng([n, seed])
    X, y = make(n, rng)
    new = make(N_NEW, rng)
    # Models of so few rows spend much of their time on checks of their input.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        # A learner of random numbers is several models, of which one will be used.
        own = losses_of(clone(estimator).fit(X, y), *new, scoring).mean()
        best = 1.0 if scoring == "accuracy" else 0.0
        start = time.process_time()
        found = generalization_error(
            estimator,
            X,
            y,
            scoring=scoring,
            method=name,
            random_state=seed,
            **settings,
        )
        seconds = time.process_time() - start
    low, high = found.interval
    return own, best - found.score, best - high, best - low, found.n_fits, seconds


def fill(estimates, learner, n, keep):
    """Run what a case lacks; (n_data, n_methods, 6) in place, kept block by block."""
    lacking = np.flatnonzero(np.isnan(estimates).any(axis=(1, 2)))
    for i in range(0, len(lacking), BLOCK):
        block = lacking[i : i + BLOCK]
        # Data sets within methods: those at the end are quick, so no process idles.
        found = Parallel(n_jobs=-1)(
            delayed(trial)(learner, n, int(seed), method)
            for method in METHODS
            for seed in block
        )
        estimates[block] = np.reshape(found, (len(METHODS), len(block), 6)).swapaxes(
            0, 1
        )
        keep()


def summarised(learner, n, estimates):
    """Lines of the table, and coverage, width and fits by method."""
    # A model of random numbers is another one in every trial: the truth is the first.
    own = estimates[:, :1, 0]
    point, low, high, fits, seconds = np.moveaxis(estimates[..., 1:], 2, 0)
    mean = own.mean()
    covers = [((low <= truth) & (truth <= high)).mean(axis=0) for truth in (own, mean)]
    width = (high - low).mean(axis=0) / mean
    error = np.sqrt(((point - own) ** 2).mean(axis=0)) / mean
    bias = (point.mean(axis=0) - mean) / mean
    rows = [
        [
            f"{learner}, {n}" if i == 0 else "", name,
            f"{100 * covers[0][i]:.1f}", f"{100 * covers[1][i]:.1f}",
            f"{width[i]:.3f}", f"{error[i]:.3f}", f"{100 * bias[i]:+.1f} %",
            f"{np.median(fits[:, i]):.0f}", f"{np.median(seconds[:, i]):.2f}",
        ]
        for i, (name, _) in enumerate(METHODS)
    ]  # fmt: skip
    for row in rows:
        print("  " + " | ".join(row), flush=True)
    return rows, np.array([*covers, width, np.median(fits, axis=0)])


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0], resume=True)
    report = Report(
        "error_interval_coverage", "Intervals of the error to expect", args.quick
    )
    report.say(__doc__.split("\n\n")[1].replace("\n", " "))
    cases = [(one, n) for one in LEARNERS for n in SIZES]
    n_data = N_DATA
    if args.quick:
        cases, n_data = cases[::5], 3
    estimates = np.full((len(cases), n_data, len(METHODS), 6), np.nan)
    if args.resume or args.report:
        estimates = np.load(RECORD)["estimates"].astype(float)

    def keep():
        if not args.quick:
            np.savez_compressed(RECORD, estimates=estimates.astype(np.float32))

    found, open_cases = [], []
    for case, kept in zip(cases, estimates, strict=True):
        if not args.report:
            fill(kept, *case, keep)
        if np.isnan(kept).any():
            open_cases.append("{}, {} rows".format(*case))
        else:
            found.append(summarised(*case, kept))
    if open_cases:
        report.say(f"Not run to the end yet: {'; '.join(open_cases)}.")
    figures = np.array([one[1] for one in found])  # (n_cases, 4, n_methods)
    summary = []
    for i, (name, _) in enumerate(METHODS):
        own, mean, width, fits = np.moveaxis(figures[..., i], 1, 0)
        both = np.concatenate([own, mean])
        relative = width / figures[:, 2, 1]
        summary.append([
            name, f"{100 * both.mean():.1f}", f"{100 * both.min():.1f}",
            f"{100 * both.max():.1f}", f"{np.mean(relative):.2f}",
            f"{relative.max():.2f}", f"{np.median(fits):.0f}",
        ])  # fmt: skip
    ours = 100 * figures[:, :2, 0]
    share = figures[:, 2, 0] / figures[:, 2, 1]
    fits = figures[:, 3, 0] / figures[:, 3, 1]
    report.table(
        "Targets, of auto",
        ["what", "target", "found", "verdict"],
        [
            [
                "coverage, least", "93 %", f"{ours.min():.1f} %",
                verdict(ours.min() >= 93),
            ],
            [
                "coverage, largest", "97 %", f"{ours.max():.1f} %",
                verdict(ours.max() <= 97),
            ],
            [
                "width / nested_cv's, largest", "1", f"{share.max():.2f}",
                verdict(share.max() <= 1),
            ],
            [
                "fits / nested_cv's, largest", "0.5", f"{fits.max():.2f}",
                verdict(fits.max() <= 0.5),
            ],
        ],
    )  # fmt: skip
    report.table(
        "By method, over all cases and both truths",
        [
            "method", "coverage, mean", "least", "largest", "width / nested_cv's, mean",
            "largest", "fits",
        ],
        summary,
    )  # fmt: skip
    report.table(
        "By case",
        [
            "learner, rows", "method", "covers its own loss, %", "the mean loss, %",
            "width", "RMSE", "bias", "fits", "seconds",
        ],
        [row for one in found for row in one[0]],
    )  # fmt: skip
    report.save()


if __name__ == "__main__":
    main()
