"""Bias and variance of learners whose truth is known, beside mlxtend.

Each design is drawn anew; both decompose the loss of a learner from one data set of 300
rows with 200 fits or as near as it gets, mlxtend on bootstrap samples of 70 % of the
rows, tested on the others. Truth: 1,000 learners fitted on data sets of 300 rows of
their own. For labels each tool is held to the parts it states: ours are those of Kohavi
and Wolpert, mlxtend's the loss of the main prediction, and what a single model loses
more.
"""

import time
import warnings

import numpy as np
from _designs import curved_border, friedman
from _report import Report, arguments, verdict
from joblib import Parallel, delayed
from mlxtend.evaluate import bias_variance_decomp
from sklearn.base import clone
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import bias_variance_decomposition

N_ROWS, N_DATA, N_TRUE, N_TEST = 300, 50, 1000, 2000
N_PAIRS, N_ROUNDS = 30, 200  # 30 pairs are 180 fits, and 20 for the learner's seed


def sparse_linear(n, rng):
    """Thirty normal columns, three of which matter; noise variance 4."""
    X = rng.standard_normal((n, 30))
    mean = X[:, :3] @ np.array([3.0, 2.0, 1.0])
    return X, mean, mean + 2 * rng.standard_normal(n)


REGRESSORS = [
    ("ridge", Ridge()),
    ("5 neighbours", KNeighborsRegressor()),
    ("full tree", DecisionTreeRegressor()),
    ("tree, leaves of 10", DecisionTreeRegressor(min_samples_leaf=10)),
]
DESIGNS = {
    "Friedman 1": (friedman, REGRESSORS, "squared_error"),
    "sparse linear": (
        sparse_linear, [("lasso", Lasso(0.1)), *REGRESSORS[1:]], "squared_error",
    ),
    "two classes": (
        curved_border,
        [
            ("logistic regression", LogisticRegression()),
            ("5 neighbours", KNeighborsClassifier()),
            ("full tree", DecisionTreeClassifier()),
            ("tree, leaves of 10", DecisionTreeClassifier(min_samples_leaf=10)),
        ],
        "zero_one",
    ),
}  # fmt: skip


def truth(design, learner, n_true):
    """Variance, and bias^2 + noise, on N_ROWS rows: as ours and as mlxtend's."""
    make, _, loss = DESIGNS[design]
    rng = np.random.default_rng(1)
    X_test, mean, _ = make(N_TEST, rng)
    answers = np.empty((n_true, N_TEST))
    for answer in answers:
        X, _, y = make(N_ROWS, rng)
        answer[:] = clone(learner).fit(X, y).predict(X_test)
    if loss == "squared_error":
        variance = answers.var(axis=0, ddof=1)
        rest = (answers.mean(axis=0) - mean) ** 2 - variance / n_true
        noise = {"Friedman 1": 2.25, "sparse linear": 4.0}[design]
        return [[variance.mean(), rest.mean() + noise]] * 2
    share = answers.mean(axis=0)  # that predict class 1
    single = share * (1 - mean) + (1 - share) * mean
    main = np.where(share > 0.5, 1 - mean, mean)
    apart = share * (1 - share) * n_true / (n_true - 1)
    return [
        [apart.mean(), (single - apart).mean()],
        [(single - main).mean(), main.mean()],
    ]


def trial(design, learner, seed):
    """Both parts and seconds, of ours and of mlxtend, for one data set."""
    warnings.filterwarnings("ignore")
    make, _, loss = DESIGNS[design]
    X, _, y = make(N_ROWS, np.random.default_rng(1000 + seed))
    out = []
    for ours in (True, False) if seed % 2 else (False, True):
        start = time.process_time()
        if ours:
            found = bias_variance_decomposition(
                learner, X, y, loss=loss, n_pairs=N_PAIRS, random_state=seed
            )
            parts = found.variance, found.bias_and_noise
            n_fits = found.n_fits
        else:
            stratify = y if loss == "zero_one" else None
            split = train_test_split(
                X, y, test_size=0.3, random_state=seed, stratify=stratify
            )
            total, rest, _ = bias_variance_decomp(
                clone(learner),
                split[0],
                split[2],
                split[1],
                split[3],
                loss="mse" if loss == "squared_error" else "0-1_loss",
                num_rounds=N_ROUNDS,
                random_seed=seed,
            )
            parts, n_fits = (total - rest, rest), N_ROUNDS
        out.append((not ours, *parts, time.process_time() - start, n_fits))
    return [one[1:] for one in sorted(out)]


def rows_of(design, name, learner, quick):
    """Lines of ours and of mlxtend, errors relative to truth, spreads, times."""
    true = np.array(truth(design, learner, 50 if quick else N_TRUE))
    found = np.array(
        Parallel(n_jobs=-1)(
            delayed(trial)(design, learner, seed)
            for seed in range(4 if quick else N_DATA)
        )
    )  # (n_data, tool, figure)
    parts = found[..., :2]
    off = parts.mean(axis=0) / true - 1
    spread = parts.std(axis=0, ddof=1)
    seconds = np.median(found[..., 2], axis=0)
    rows = []
    for tool, own in enumerate(("ours", "mlxtend")):
        cells = [f"{design}, {name}" if tool == 0 else "", own]
        for part in range(2):
            cells += [
                f"{true[tool, part]:.3g}",
                f"{100 * off[tool, part]:+.0f} %",
                f"{spread[tool, part]:.2g}",
            ]
        cells += [f"{found[0, tool, 3]:.0f}", f"{seconds[tool]:.2f}"]
        rows.append(cells)
        print("  " + " | ".join(cells), flush=True)
    return rows, off, spread, seconds


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    report = Report(
        "decomposition_truth", "Bias and variance beside the truth", args.quick
    )
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    rows, off, spread, seconds = [], [], [], []
    for design, (_, learners, _) in DESIGNS.items():
        for name, learner in learners:
            own = rows_of(design, name, learner, args.quick)
            for kept, new in zip((rows, off, spread, seconds), own, strict=True):
                kept.extend(new) if kept is rows else kept.append(new)
    off, spread, seconds = (np.array(one) for one in (off, spread, seconds))
    error, worst = np.abs(off).mean(axis=(0, 2)), np.abs(off).max(axis=(0, 2))
    ratio = np.median(spread[:, 0] / spread[:, 1], axis=0)
    faster = np.median(seconds[:, 1] / seconds[:, 0])
    report.table(
        "Targets",
        ["what", "target", "ours", "mlxtend", "verdict"],
        [
            [
                "mean error of the two parts", "10 %", f"{100 * error[0]:.0f} %",
                f"{100 * error[1]:.0f} %", verdict(error[0] <= 0.1),
            ],
            [
                "largest error of a part", "-", f"{100 * worst[0]:.0f} %",
                f"{100 * worst[1]:.0f} %", "-",
            ],
            [
                "spread of bias^2 + noise / mlxtend's, median", "0.6",
                f"{ratio[1]:.2f}", "1", verdict(ratio[1] <= 0.6),
            ],
            [
                "spread of variance / mlxtend's, median", "0.6",
                f"{ratio[0]:.2f}", "1", verdict(ratio[0] <= 0.6),
            ],
            [
                "mlxtend's time / ours, median", "1", f"{faster:.1f}", "1",
                verdict(faster > 1),
            ],
        ],
    )  # fmt: skip
    report.table(
        f"Errors relative to the truth, spread over {N_DATA} data sets, fits, seconds",
        [
            "learner", "tool", "variance", "error", "spread", "bias^2 + noise",
            "error", "spread", "fits", "seconds",
        ],
        rows,
    )  # fmt: skip
    report.save()


if __name__ == "__main__":
    main()
