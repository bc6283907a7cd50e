"""The .632+ estimate of an error, beside mlxtend.

Gaussian naive Bayes on two classes of 2,000 rows, 20 bootstrap samples for both tools;
runs alternate. mlxtend makes all pairs of a label and a prediction in each sample, to
find the loss without information; here it is a sum over classes, once, for the fit on
all rows, as in the paper (Efron and Tibshirani, 1997). For the rate itself mlxtend's
formula is given the labels and predictions of that fit.
"""

import time

import numpy as np
from _report import Report, arguments, median_and_range, verdict
from mlxtend.evaluate import bootstrap_point632_score
from mlxtend.evaluate.bootstrap_point632 import accuracy, no_information_rate
from sklearn.naive_bayes import GaussianNB

from genestimators import generalization_error
from genestimators.diagnostics.error._no_information import no_information

N_ROWS, N_NEW, N_SAMPLES, N_RUNS = 2000, 100_000, 20, 5
N_DEFAULT = 200  # samples that both tools draw unless told


def two_classes(n, rng):
    """Ten normal columns; two shift with the class, and one with its square."""
    X = rng.standard_normal((n, 10))
    odds = 1.5 * X[:, 0] - X[:, 1] + 0.5 * (X[:, 2] ** 2 - 1)
    return X, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)


def ours(X, y, n_samples, seed):
    """The estimate and its error, and seconds."""
    start = time.process_time()
    found = generalization_error(
        GaussianNB(), X, y, method=".632+", n_repeats=n_samples, random_state=seed
    )
    return found, time.process_time() - start


def theirs(X, y, n_samples, seed):
    """The mean over samples, and seconds."""
    start = time.process_time()
    found = bootstrap_point632_score(
        GaussianNB(), X, y, n_splits=n_samples, method=".632+", random_seed=seed
    )
    return found.mean(), time.process_time() - start


def rates(X, y):
    """The loss without information by both, and seconds of both."""
    label = GaussianNB().fit(X, y).predict(X)
    start = time.process_time()
    other = 1 - no_information_rate(y, label, accuracy)
    middle = time.process_time()
    shares = np.full(len(y), 1 / len(y))
    columns = label[:, None].astype(float), y[:, None].astype(float)
    own = no_information("accuracy", *columns, shares)[0]
    end = time.process_time()
    return own, other, end - middle, middle - start


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    report = Report("point632", "The .632+ estimate, beside mlxtend", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    n, n_runs = (200, 2) if args.quick else (N_ROWS, N_RUNS)
    rng = np.random.default_rng(0)
    X_new, y_new = two_classes(N_NEW, rng)
    seconds, off, gammas, rate_seconds = [], [], [], []
    ours(*two_classes(n, rng), 2, 0)  # what is imported on the first call is not timed
    for seed in range(n_runs):
        X, y = two_classes(n, rng)
        truth = GaussianNB().fit(X, y).score(X_new, y_new)
        if seed % 2:
            own, own_time = ours(X, y, N_SAMPLES, seed)
            other, other_time = theirs(X, y, N_SAMPLES, seed)
        else:
            other, other_time = theirs(X, y, N_SAMPLES, seed)
            own, own_time = ours(X, y, N_SAMPLES, seed)
        default_time = ours(X, y, N_DEFAULT, seed)[1]
        seconds.append((own_time, default_time, other_time))
        off.append((own.score - truth, other - truth, own.std_error))
        *gamma, rate_time, other_rate_time = rates(X, y)
        gammas.append(gamma)
        rate_seconds.append((rate_time, other_rate_time))
    seconds, rate_seconds = np.array(seconds), np.array(rate_seconds)
    gammas, off = np.array(gammas), np.array(off)
    ratio = seconds[:, 2] / seconds[:, 0]
    apart = np.abs(np.diff(gammas, axis=1)).max()
    report.table(
        "Targets",
        ["what", "target", "ours", "verdict"],
        [
            [
                "mlxtend's time / ours", "200", median_and_range(ratio, 0),
                verdict(np.median(ratio) >= 200),
            ],
            [
                "difference of the rates without information", "1e-12",
                f"{apart:.1e}", verdict(apart <= 1e-12),
            ],
        ],
    )  # fmt: skip
    report.table(
        f"Processor seconds of {n_runs} runs, median and range; {n} rows",
        ["what", "ours", "mlxtend"],
        [
            [
                f"{N_SAMPLES} samples", median_and_range(seconds[:, 0], 3),
                median_and_range(seconds[:, 2], 1),
            ],
            [f"{N_DEFAULT} samples", median_and_range(seconds[:, 1], 3), "-"],
            [
                "one rate without information",
                median_and_range(1e3 * rate_seconds[:, 0], 2) + " ms",
                median_and_range(1e3 * rate_seconds[:, 1], 0) + " ms",
            ],
        ],
    )  # fmt: skip
    report.table(
        f"Accuracy: estimate less that of the fit on {N_NEW:,} new rows, in points",
        ["run", "ours", "its standard error", "mlxtend"],
        [
            [str(run), f"{100 * a:+.2f}", f"{100 * error:.2f}", f"{100 * b:+.2f}"]
            for run, (a, b, error) in enumerate(off, 1)
        ],
    )
    report.save()


if __name__ == "__main__":
    main()
