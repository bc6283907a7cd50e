"""Does selecting features help the model behind it? Ours beside others, real tables.

Each table is preprocessed as a user would, and 300 of its rows train. In every second
table 40 columns of noise are added and copies (with a little noise) of up to 10
columns. Each method selects on the training rows; ridge or logistic regression is then
fitted on what it kept and judged on the other rows (at most 3000), by squared error or
log-loss, relative to the fit on all columns. All methods see the same rows. How much
selections differ is measured over the splits of a table (Nogueira et al., 2018).
"""

import time
import warnings
from dataclasses import dataclass

import numpy as np
from _report import Report, arguments
from _tables import load, preprocessed
from joblib import Parallel, delayed
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import (
    RFECV,
    SelectFromModel,
    SequentialFeatureSelector,
)
from sklearn.linear_model import (
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
)
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from genestimators import StableFeatureSelector
from genestimators.selection import selection_stability

TABLES = [
    "ames", "concrete", "car_prices", "Sacramento", "deliveries", "hotel_rates",
    "Wage", "College", "Carseats", "diabetes", "attrition", "cells", "credit_data",
    "mlc_churn", "wa_churn", "lending_club", "stackoverflow", "OJ", "Smarket",
    "spam7", "monica", "breast_cancer", "bfi", "nassCDS",
]  # fmt: skip
N_TRAIN, N_TEST, N_NOISE, N_COPIES, N_SPLITS = 300, 3000, 40, 10, 4
OURS, ALL, PEER = "StableFeatureSelector", "all columns", "RFECV"
SLOW = ("SequentialFeatureSelector", "BorutaPy")
SLOW_TABLES, SLOW_SPLITS = TABLES[1::3], 2  # minutes each: a part of it all


@dataclass
class Trial:
    """One method on one split of a table.

    Attributes
    ----------
    table, method : str
    loss : float
        On the rows kept back.
    kept : ndarray of shape (n_columns,), bool
    n_noise : int
        Columns of noise, the last ones.
    seconds : float
    """

    table: str
    method: str
    loss: float
    kept: np.ndarray
    n_noise: int
    seconds: float


def selectors(classify, seed):
    """Each method as a function of the training rows that says what is kept."""
    base = LogisticRegression(max_iter=500) if classify else Ridge()
    scoring = "neg_log_loss" if classify else "neg_mean_squared_error"
    lasso = LassoCV(cv=5, random_state=seed)
    if classify:
        lasso = LogisticRegressionCV(
            Cs=10, cv=5, scoring=scoring, solver="liblinear", penalty="l1",
            random_state=seed,
        )  # fmt: skip
    return {
        OURS: StableFeatureSelector(base, random_state=seed),
        PEER: RFECV(base, cv=5, scoring=scoring),
        "SelectFromModel(LassoCV)": SelectFromModel(lasso, threshold=1e-5),
        "SequentialFeatureSelector": SequentialFeatureSelector(
            base, n_features_to_select="auto", tol=1e-3, cv=5, scoring=scoring
        ),
        "BorutaPy": boruta(classify, seed),
    }


def boruta(classify, seed):
    """BorutaPy with the forest that its documentation asks for."""
    from boruta import BorutaPy

    kind = RandomForestClassifier if classify else RandomForestRegressor
    forest = kind(max_depth=5, n_jobs=1, random_state=seed)
    return BorutaPy(forest, n_estimators="auto", random_state=seed)


def run(name, split, noisy):
    """All methods on one split."""
    warnings.filterwarnings("ignore")
    table = load(name)
    table = table.sample(min(N_TRAIN + N_TEST, len(table.y)), split)
    classify = table.task == "classification"
    n = min(N_TRAIN, len(table.y) // 2)
    prepare = preprocessed(table, "passthrough")
    prepare.fit(table.X.iloc[:n])
    X = np.asarray(prepare.transform(table.X), dtype=np.float64)
    X = X[:, X[:n].std(axis=0) > 0]
    rng = np.random.default_rng([split, len(table.y)])
    n_noise = 0
    if noisy:
        copied = rng.choice(X.shape[1], min(N_COPIES, X.shape[1]), replace=False)
        copies = X[:, copied] + 0.1 * rng.normal(size=(len(X), len(copied)))
        X = np.hstack([X, copies, rng.normal(size=(len(X), N_NOISE))])
        n_noise = N_NOISE
    scaler = StandardScaler().fit(X[:n])
    X, y = scaler.transform(X), table.y
    if classify:
        y = np.unique(y, return_inverse=True)[1]
        if np.bincount(y[:n], minlength=y.max() + 1).min() < 5:
            common = np.flatnonzero(np.bincount(y[:n]) >= 5)
            there = np.isin(y, common)
            X, y, n = X[there], y[there], int(there[:n].sum())
    train, test = slice(0, n), slice(n, None)

    def loss(kept):
        if not kept.any():
            kept = np.ones(len(kept), dtype=bool) & False
            kept[0] = True
        model = LogisticRegression(max_iter=500) if classify else Ridge()
        model.fit(X[train][:, kept], y[train])
        if classify:
            answer = model.predict_proba(X[test][:, kept])
            return log_loss(y[test], answer, labels=model.classes_)
        return np.mean((model.predict(X[test][:, kept]) - y[test]) ** 2)

    every = np.ones(X.shape[1], dtype=bool)
    found = [Trial(name, ALL, loss(every), every, n_noise, 0.0)]
    for method, selector in selectors(classify, split).items():
        if method in SLOW and not (name in SLOW_TABLES and split < SLOW_SPLITS):
            continue
        start = time.process_time()
        selector.fit(X[train], y[train])
        seconds = time.process_time() - start
        kept = np.asarray(
            selector.support_ if method == "BorutaPy" else selector.get_support()
        )
        found.append(Trial(name, method, loss(kept), kept, n_noise, seconds))
    print(f"  {name} {split} done", flush=True)
    return found


def by_table(trials, method):
    """Mean loss, columns dropped, noise kept, stability, seconds of each table."""
    out = {}
    for name in dict.fromkeys(t.table for t in trials):
        own = [t for t in trials if t.table == name and t.method == method]
        if not own:
            continue
        # The same splits on both sides; one-hot columns differ from split to split.
        reference = [t for t in trials if t.table == name and t.method == ALL]
        width = min(len(t.kept) for t in own)
        stability = np.nan
        if len(own) > 1 and len({len(t.kept) for t in own}) == 1:
            stability = selection_stability(np.stack([t.kept for t in own])).value
        noise = [t.kept[-t.n_noise :].sum() for t in own if t.n_noise]
        out[name] = {
            "ratio": np.mean([t.loss for t in own])
            / np.mean([t.loss for t in reference[: len(own)]]),
            "dropped": np.mean([1 - t.kept.mean() for t in own]),
            "noise": np.mean(noise) if noise else np.nan,
            "stability": stability,
            "seconds": np.median([t.seconds for t in own]),
            "width": width,
        }
    return out


def rows(trials, names):
    """A line a method."""
    out = []
    for method in dict.fromkeys(t.method for t in trials):
        found = by_table([t for t in trials if t.table in names], method)
        ratios = np.array([cell["ratio"] for cell in found.values()])
        mean = {
            key: np.nanmean([cell[key] for cell in found.values()])
            if any(np.isfinite(cell[key]) for cell in found.values())
            else np.nan
            for key in ("dropped", "noise", "stability")
        }
        worst = max(found, key=lambda name: found[name]["ratio"])
        seconds = np.median([cell["seconds"] for cell in found.values()])
        out.append(
            [
                method,
                f"{np.exp(np.log(ratios).mean()):.4f}",
                f"{ratios.max():.3f} ({worst})",
                f"{mean['dropped']:.2f}",
                f"{mean['noise']:.2f}",
                f"{mean['stability']:.2f}",
                f"{seconds:.2f}",
            ]
        )
    return out


def main():
    args = arguments(__doc__)
    report = Report("selection_prediction", "Selecting to predict", args.quick)
    names = ["diabetes", "OJ"] if args.quick else TABLES
    splits = range(2 if args.quick else N_SPLITS)
    tasks = [(name, s, i % 2 == 0) for i, name in enumerate(names) for s in splits]
    found = Parallel(n_jobs=-1, return_as="generator")(
        delayed(run)(*task) for task in tasks
    )
    trials = [trial for some in found for trial in some]
    noisy = {trial.table for trial in trials if trial.n_noise}
    report.say(
        f"{len(names)} tables, {len(splits)} random splits of each, {N_TRAIN} training "
        "rows. Ridge or logistic regression on the kept columns; test loss relative to "
        "that on all columns, geometric mean over tables. Noise kept: of "
        f"{N_NOISE} columns. Stability: of the selections of "
        "the splits, where one-hot coding gives all of them the same columns. Seconds: "
        "processor time of a selection, median over tables, one thread."
    )
    header = [
        "method", "test loss", "worst table", "dropped", "noise kept", "stability",
        "seconds",
    ]  # fmt: skip
    quick_ones = [trial for trial in trials if trial.method not in SLOW]
    report.table("All tables", header, rows(quick_ones, set(names)))
    report.table("With noise and copies", header, rows(quick_ones, noisy))
    report.table("As they are", header, rows(quick_ones, set(names) - noisy))
    part = {trial.table for trial in trials if trial.method in SLOW}
    some = [trial for trial in trials if trial.table in part]
    report.table(
        f"The slowest two on {len(part)} of the tables, {SLOW_SPLITS} splits; the "
        "others there, on all splits",
        header,
        rows(some, part),
    )
    ours, peer = by_table(trials, OURS), by_table(trials, PEER)
    shared = [name for name in ours if name in peer]
    time_ratio = np.median([ours[n]["seconds"] / peer[n]["seconds"] for n in shared])
    log_ratio = [np.log(ours[n]["ratio"] / peer[n]["ratio"]) for n in shared]
    error = np.std(log_ratio, ddof=1) / np.sqrt(len(log_ratio))
    report.say(
        f"{OURS} against {PEER}: test loss {np.exp(np.mean(log_ratio)):.4f} "
        f"+- {error:.4f} times its (geometric mean over tables), processor time "
        f"{time_ratio:.3f} times its (median)."
    )
    report.save()


if __name__ == "__main__":
    main()
