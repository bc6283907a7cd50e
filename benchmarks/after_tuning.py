"""The score to expect after tuning, beside the naive best score and nested search.

Truth is the accuracy of the chosen model, fitted on all rows, on 20,000 new ones.
Everything is in points of accuracy. Fits are those of the correction and of the nested
search, beside the search that made the model: a GridSearchCV keeps no predictions, so
its candidates are fitted again; where predictions are kept the correction makes none.
"""

import time
import warnings

import numpy as np
from _report import Report, arguments, verdict
from joblib import Parallel, delayed
from sklearn import config_context
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from genestimators import selection_corrected_score

N_DATA, N_NEW = 100, 20_000


def weak_signal(n, rng):
    """Thirty normal columns; a tenth of the variance of the odds in each of three."""
    X = rng.standard_normal((n, 30))
    odds = 0.8 * (X[:, 0] + X[:, 1] - X[:, 2])
    return X, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)


def trees():
    """Forty trees that look at few columns, by forty seeds."""
    tree = DecisionTreeClassifier(max_depth=3, max_features=3)
    return tree, {"random_state": list(range(40))}


def neighbours():
    """Nearest neighbours on forty random sets of five columns."""
    rng = np.random.default_rng(0)
    sets = [sorted(rng.choice(30, size=5, replace=False).tolist()) for _ in range(40)]
    takers = [make_column_transformer(("passthrough", own)) for own in sets]
    model = Pipeline([("take", takers[0]), ("knn", KNeighborsClassifier(11))])
    return model, {"take": takers}


def depths():
    """One tree of five depths: little to choose, little to correct."""
    tree = DecisionTreeClassifier(random_state=0)
    return tree, {"max_depth": [1, 2, 3, 5, None]}


DESIGNS = [
    ("40 trees by chance", trees, 100),
    ("40 trees by chance", trees, 200),
    ("40 sets of columns, neighbours", neighbours, 100),
    ("40 sets of columns, neighbours", neighbours, 200),
    ("5 depths of a tree", depths, 200),
]


def errors(make, n, seed):
    """Estimates less the truth: naive, corrected, nested; whether 95 % is covered."""
    rng = np.random.default_rng(seed)
    X, y = weak_signal(n, rng)
    new = weak_signal(N_NEW, rng)
    model, grid = make()
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    search = GridSearchCV(model, grid, cv=folds).fit(X, y)
    truth = search.score(*new)
    found = selection_corrected_score(search, X, y, random_state=seed)
    outer = StratifiedKFold(5, shuffle=True, random_state=seed + 10_000)
    nested = cross_val_score(GridSearchCV(model, grid, cv=folds), X, y, cv=outer)
    low, high = found.interval
    return (
        search.best_score_ - truth,
        found.score - truth,
        nested.mean() - truth,
        low <= truth <= high,
    )


def trial(*design):
    """Those errors, without scikit-learn's checks, which take small models long."""
    warnings.filterwarnings("ignore")
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return errors(*design)


def design_rows(quick):
    """Lines of bias and root mean squared error."""
    rows, bias, error = [], [], []
    for name, make, n in DESIGNS[:1] if quick else DESIGNS:
        found = np.array(
            Parallel(n_jobs=-1)(
                delayed(trial)(make, n, seed) for seed in range(4 if quick else N_DATA)
            )
        )
        off, covered = 100 * found[:, :3], found[:, 3].mean()
        bias.append(off.mean(axis=0))
        error.append(np.sqrt((off**2).mean(axis=0)))
        noise = off.std(axis=0, ddof=1) / np.sqrt(len(off))
        size = len(next(iter(make()[1].values())))
        rows.append(
            [
                f"{name}, {n} rows",
                *(
                    f"{one:+.1f} +- {own:.1f}"
                    for one, own in zip(bias[-1], noise, strict=True)
                ),
                *(f"{one:.1f}" for one in error[-1]),
                f"{covered:.2f}",
                f"{5 * size} / {25 * size + 5}",
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(bias), np.array(error)


def seconds():
    """Of 200 candidates, 1,000 rows and 1,000 resamples, on one thread."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=1000)
    predictions = np.where(rng.random((200, 1000)) < 0.7, y, 1 - y)
    took = []
    for _ in range(7):
        start = time.process_time()
        selection_corrected_score(
            predictions, y=y, scoring="accuracy", n_resamples=1000, random_state=0
        )
        took.append(time.process_time() - start)
    return np.median(took)


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    report = Report("after_tuning", "The score to expect after tuning", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    rows, bias, error = design_rows(args.quick)
    took = seconds()
    far = bias[:, 0] >= 3  # where the naive score is that much too good
    worst = np.abs(bias[far, 1]).max(initial=0.0)
    ratio = np.exp(np.log(error[:, 1] / error[:, 2]).mean())
    report.table(
        "Targets",
        ["what", "target", "found", "verdict"],
        [
            [
                "largest bias where the naive score is 3 points too good", "1 point",
                f"{worst:.1f}", verdict(worst <= 1),
            ],
            [
                "RMSE / that of the nested search, geometric mean", "1",
                f"{ratio:.2f}", verdict(ratio <= 1),
            ],
            [
                "200 candidates x 1,000 rows x 1,000 resamples, s", "0.3",
                f"{took:.2f}", verdict(took < 0.3),
            ],
        ],
    )  # fmt: skip
    report.table(
        f"Points of accuracy above the truth over {N_DATA} data sets",
        [
            "candidates", "naive bias", "corrected bias", "nested bias", "naive RMSE",
            "corrected RMSE", "nested RMSE", "95 % covers", "fits, corrected / nested",
        ],
        rows,
    )  # fmt: skip
    report.save()


if __name__ == "__main__":
    main()
