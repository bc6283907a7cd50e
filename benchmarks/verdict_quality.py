"""Whether the first remedy of a report is the right one, and what it really brings.

Each case is drawn anew many times. What remedies really bring is measured on 5,000 new
rows, averaged over the draws: the model in a bag of 50 halves, with its penalty chosen
by AutoRegularizedCV, and on twice the rows. The right one is the best of the two free
ones if it brings at least 2 % of the loss, else twice the rows if they do, else
nothing; where not even a constant is beaten with them, to look for a signal. Two may be
about as good, so the mean loss with the first remedy is also set beside that with the
right one. skore and deepchecks compare training and test scores (of a split of 75 to
25 %) with fixed thresholds and say overfitting, underfitting or neither; they are held
to these three only: averaging, a stronger penalty and more rows are remedies of
overfitting, a weaker penalty and a search for signal are those of underfitting. The
release of deepchecks does not run with this scikit-learn, so its two rules are applied
to the scores: a relative degradation of 10 %, and a gain of 10 % over a constant.
"""

import warnings

import numpy as np
from _designs import bag_of_halves, curved_border, friedman, report_loss
from _report import Report, arguments
from joblib import Parallel, delayed
from sklearn.base import clone, is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skore import EstimatorReport

from genestimators import (
    AutoRegularizedCV,
    generalization_report,
)

N_DATA, N_NEW, WORTHWHILE = 30, 5000, 0.02
COARSE = {
    "averaging": "over", "stronger": "over", "rows": "over",
    "weaker": "under", "signal": "under", "nothing": "neither",
}  # fmt: skip


def linear(p, noise):
    def make(n, rng):
        X = rng.standard_normal((n, p))
        mean = X @ np.full(p, 2 / np.sqrt(p))
        return X, mean, mean + noise * rng.standard_normal(n)

    return make


def two_classes(p, slope):
    def make(n, rng):
        X = rng.standard_normal((n, p))
        share = 1 / (1 + np.exp(-slope * X[:, :5].sum(axis=1)))
        return X, share, (rng.random(n) < share).astype(int)

    return make


CASES = [
    ("full tree, Friedman 1", friedman, DecisionTreeRegressor(), 300),
    ("full tree, two classes", curved_border, DecisionTreeClassifier(), 200),
    ("least squares, 20 columns", linear(20, 2), LinearRegression(), 80),
    ("LDA, 20 columns", two_classes(20, 0.6), LinearDiscriminantAnalysis(), 100),
    ("hardly any ridge, 50 columns", linear(50, 2), Ridge(1e-6), 70),
    (
        "hardly any penalty, logistic", two_classes(20, 0.6),
        LogisticRegression(C=1e6), 100,
    ),
    ("1 neighbour, noise", linear(3, 2), KNeighborsRegressor(1), 200),
    ("too much ridge", linear(5, 1), Ridge(1e4), 200),
    ("too much penalty, logistic", two_classes(5, 1), LogisticRegression(C=1e-4), 200),
    ("tree pruned to a stump", friedman, DecisionTreeRegressor(ccp_alpha=4), 300),
    ("least squares, 1,000 rows", linear(5, 2), LinearRegression(), 1000),
    ("ridge, 1,000 rows", linear(5, 2), Ridge(1.0), 1000),
    (
        "forest, much noise", linear(3, 6),
        RandomForestRegressor(10, min_samples_leaf=30), 500,
    ),
    ("nothing to learn", linear(3, 1e3), DecisionTreeRegressor(max_depth=2), 200),
]  # fmt: skip


def kind_of(statement):
    """A remedy by its name, penalties by their direction."""
    if statement is None:
        return "nothing"
    if statement.kind == "penalty":
        return "weaker" if "A weaker" in statement.text else "stronger"
    return statement.kind


def trial(make, estimator, n, seed):
    """What tools say of one data set, and the losses with each remedy."""
    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(seed)
    X, _, y = make(n, rng)
    X_more, _, y_more = make(n, rng)
    X_new, _, y_new = make(N_NEW, rng)
    new = X_new, y_new
    report = generalization_report(
        estimator, X, y, worthwhile=WORTHWHILE, random_state=seed
    )
    found = {one.kind: one for one in report.verdict}
    kind = is_classifier(estimator)
    dummy = DummyClassifier(strategy="prior") if kind else DummyRegressor()
    models = {
        "own": estimator,
        "averaging": bag_of_halves(estimator, seed),
        "constant": dummy,
    }
    if "penalty" in found:
        models["penalty"] = AutoRegularizedCV(clone(estimator), random_state=seed)
    losses = {
        name: report_loss(clone(one).fit(X, y), *new) for name, one in models.items()
    }
    twice = clone(estimator).fit(np.vstack([X, X_more]), np.append(y, y_more))
    losses["rows"] = report_loss(twice, *new)
    split = train_test_split(
        X, y, test_size=0.25, random_state=seed, stratify=y if kind else None
    )
    return (
        kind_of(report.first_remedy),
        losses,
        {
            name: (one.predicted_gain, one.interval)
            for name, one in found.items()
            if name in ("averaging", "penalty", "rows")
        },
        _stronger(found),
        skore_says(estimator, *split),
        deepchecks_says(estimator, dummy, *split),
    )


def _stronger(found):
    if "penalty" not in found:
        return None
    return "weaker" if "A weaker" in found["penalty"].text else "stronger"


def skore_says(estimator, X_train, X_test, y_train, y_test):
    """Over- or underfitting by skore's checks."""
    report = EstimatorReport(
        clone(estimator), X_train=X_train, y_train=y_train, X_test=X_test, y_test=y_test
    )
    frame = report.checks.summarize(fast_mode=True).frame().set_index("code")
    if frame.loc["SKD001", "section"] == "issue":
        return "over"
    return "under" if frame.loc["SKD002", "section"] == "issue" else "neither"


def deepchecks_says(estimator, dummy, X_train, X_test, y_train, y_test):
    """The same by the rules of deepchecks, on accuracy or R2."""
    model = clone(estimator).fit(X_train, y_train)
    train, test = model.score(X_train, y_train), model.score(X_test, y_test)
    if train > 0 and (train - test) / train > 0.1:
        return "over"
    base = clone(dummy).fit(X_train, y_train).score(X_test, y_test)
    best = 1.0
    return "under" if test - base < 0.1 * (best - base) else "neither"


def right_of(mean, direction):
    """The right remedy by what it really brings on average."""
    free = {name: mean["own"] - mean[name] for name in ("averaging", "penalty")
            if name in mean}  # fmt: skip
    best = max(free, key=free.get)
    least = WORTHWHILE * mean["own"]
    choice = "nothing"
    if free[best] >= least:
        choice = best
    elif mean["own"] - mean["rows"] >= least:
        choice = "rows"
    loss = mean["own"] if choice == "nothing" else mean[choice]
    if loss >= mean["constant"] * (1 - 1e-3):
        return "signal"
    return direction if choice == "penalty" else choice


def loss_with(kind, mean):
    """The mean loss with a remedy."""
    key = {"weaker": "penalty", "stronger": "penalty", "signal": "constant"}
    return mean[{"nothing": "own", **key}.get(kind, kind)]


def case_of(name, make, estimator, n, n_data):
    """Lines of both tables, and counts of what was right."""
    trials = Parallel(n_jobs=-1)(
        delayed(trial)(make, estimator, n, seed) for seed in range(n_data)
    )
    mean = {
        key: np.mean([one[1][key] for one in trials]) for key in trials[0][1]
    }  # fmt: skip
    directions = [one[3] for one in trials]
    direction = max(set(directions), key=directions.count)
    right = right_of(mean, direction)
    ours = np.mean([one[0] == right for one in trials])
    coarse = np.mean([COARSE[one[0]] == COARSE[right] for one in trials])
    skore = np.mean([one[4] == COARSE[right] for one in trials])
    deep = np.mean([one[5] == COARSE[right] for one in trials])
    regret = np.mean([loss_with(one[0], mean) for one in trials]) / loss_with(
        right, mean
    )
    shares = ours, coarse, skore, deep, regret
    row = [name, str(n), right, *(f"{100 * one:.0f} %" for one in shares[:-1])]
    row.append(f"{regret:.2f}")
    print("  " + " | ".join(row), flush=True)
    gains = []
    for key, title in (
        ("averaging", "averaging"), ("penalty", "penalty"), ("rows", "twice the rows"),
    ):  # fmt: skip
        if key not in mean:
            continue
        real = mean["own"] - mean[key]
        predicted = np.array([one[2][key][0] for one in trials])
        inside = np.mean([
            one[2][key][1][0] <= real <= one[2][key][1][1] for one in trials
        ])  # fmt: skip
        off = np.abs(predicted - real) / mean["own"]
        gains.append((key, np.median(off), inside, [
            name, title, f"{100 * real / mean['own']:.1f} %",
            f"{100 * np.median(predicted) / mean['own']:.1f} %",
            f"{100 * np.median(off):.1f}", f"{100 * inside:.0f} %",
        ]))  # fmt: skip
    return row, shares, gains


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    report = Report("verdict_quality", "Verdicts and remedies", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    cases = CASES[::6] if args.quick else CASES
    found = [case_of(*case, 3 if args.quick else N_DATA) for case in cases]
    shares = np.array([one[1] for one in found]).mean(axis=0)
    gains = [gain for one in found for gain in one[2]]
    report.table(
        "How often the first remedy is right",
        [
            "", "the very remedy", "over- or underfitting or neither",
            "loss / with the right remedy, mean",
        ],
        [
            [
                "ours", f"{100 * shares[0]:.0f} %", f"{100 * shares[1]:.0f} %",
                f"{shares[4]:.3f}",
            ],
            ["skore", "-", f"{100 * shares[2]:.0f} %", "-"],
            ["deepchecks' rules", "-", f"{100 * shares[3]:.0f} %", "-"],
        ],
    )  # fmt: skip
    report.table(
        "Predicted gains beside those realised, in percent of the loss",
        ["remedy", "cases", "off by, median of medians", "real mean in the interval"],
        [
            [
                title, str(sum(one[0] == key for one in gains)),
                f"{100 * np.median([one[1] for one in gains if one[0] == key]):.1f}",
                f"{100 * np.mean([one[2] for one in gains if one[0] == key]):.0f} %",
            ]
            for key, title in (
                ("averaging", "averaging"), ("penalty", "another penalty"),
                ("rows", "twice the rows"),
            )
        ],
    )  # fmt: skip
    report.table(
        f"By case, {N_DATA} data sets each",
        [
            "case", "rows", "right remedy", "ours", "ours, coarse", "skore",
            "deepchecks' rules", "loss / with the right remedy",
        ],
        [one[0] for one in found],
    )  # fmt: skip
    report.table(
        "Gains by case",
        ["case", "remedy", "real", "predicted, median", "off by", "in the interval"],
        [gain[3] for gain in gains],
    )
    report.save()


if __name__ == "__main__":
    main()
