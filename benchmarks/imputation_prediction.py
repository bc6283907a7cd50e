"""What filling is worth to a model behind it: real tables, ten treatments of holes.

Values of complete tables are made missing, 25 % of all entries: MCAR (each with the
same chance), MAR (half of the columns miss a value with a chance that grows from none
to one with the rank of another column, always seen) and MNAR (each entry with a chance
that grows from none to a half with its own rank). Other tables have holes of their own
and stay as they are. Tables have no texts of more than 40 levels. At most 1,000 random
rows train and 2,000 test, both with holes; all treatments see the same rows and holes.
In a bag of 30 every member fits its own imputer, scaler and model. Texts are one-hot
encoded, with a level for holes; only GaussianImputer looks at them when it fills
numbers, and by default it makes masks too, where there are 30 rows for each or where
values are seen to be missing for a reason. Models: Ridge or LogisticRegression; a tree
with leaves of at least five rows; HistGradientBoosting; default settings but for seeds.

Loss is the squared error, or the Brier score of all classes, on the test rows, averaged
over splits, relative to that of column means for the single model. Tables are called
correlated where the mean absolute correlation of their columns of numbers is at least
0.3 before anything is made missing. Behind +- is a standard error over tables.
"""

import time
import warnings
from functools import lru_cache

import numpy as np
from _missing import CORRELATED, OWN, holed_table, mean_correlation
from _report import Report, arguments, verdict
from _tables import load
from joblib import Memory
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # its effect
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GaussianImputer,
)

COMPLETE = [
    "concrete", "car_prices", "Sacramento", "Hitters", "Wage", "College", "Carseats",
    "Auto", "diabetes", "attrition", "cells", "hpc_data", "OJ", "Smarket", "spam7",
    "breast_cancer", "wine",
]  # fmt: skip
OWN_HOLES = ["credit_data", "bfi", *OWN]
MADE = ("MCAR", "MAR", "MNAR")
N_TRAIN, N_TEST, SIZE = 1000, 2000, 30
SPLITS = {"linear": 2, "tree": 2, "HistGB": 2}  # random ones of each table

MEAN, NATIVE, GAUSS = "mean", "native", "GaussianImputer"
SETTINGS = {  # of GaussianImputer
    GAUSS: {},
    f"{GAUSS}, no mask": {"add_indicator": False},
    f"{GAUSS}, draw": {"strategy": "draw"},
}
BARE, DRAW = list(SETTINGS)[1:]
SINGLE = [MEAN, "mean + mask", NATIVE, "IterativeImputer", GAUSS, BARE]
BAGS = [f"bag, {fill}" for fill in (MEAN, NATIVE, GAUSS, DRAW)]
TREATMENTS = SINGLE + BAGS


def learner_of(name, classify):
    """The model at the end."""
    return {
        ("linear", False): Ridge(),
        ("linear", True): LogisticRegression(max_iter=1000),
        ("tree", False): DecisionTreeRegressor(min_samples_leaf=5, random_state=0),
        ("tree", True): DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
        ("HistGB", False): HistGradientBoostingRegressor(random_state=0),
        ("HistGB", True): HistGradientBoostingClassifier(random_state=0),
    }[name, classify]


def pipeline(fill, model):
    """Filling, encoding and a model, as a user would write them."""
    numbers = make_column_selector(dtype_include="number")
    texts = make_column_selector(dtype_exclude="number")
    one_hot = OneHotEncoder(
        min_frequency=0.01, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    if fill in SETTINGS:
        imputer = GaussianImputer(random_state=0, **SETTINGS[fill])
        imputer.set_output(transform="pandas")
        encode = [("numbers", StandardScaler(), numbers), ("texts", one_hot, texts)]
        return make_pipeline(imputer, ColumnTransformer(encode), model)
    imputer = {
        MEAN: SimpleImputer(),
        "mean + mask": SimpleImputer(add_indicator=True),
        NATIVE: "passthrough",
        "IterativeImputer": IterativeImputer(random_state=0),
    }[fill]
    scaled = make_pipeline(imputer, StandardScaler())
    return make_pipeline(
        ColumnTransformer([("numbers", scaled, numbers), ("texts", one_hot, texts)]),
        model,
    )


def treated(treatment, learner, classify, seed, size):
    """The estimator of a treatment; `size` members in a bag."""
    model = learner_of(learner, classify)
    if treatment in SINGLE:
        return pipeline(treatment, model)
    bag = BootstrapBaggingClassifier if classify else BootstrapBaggingRegressor
    inside = pipeline(treatment.removeprefix("bag, "), model)
    return bag(inside, n_estimators=size, random_state=seed)


@lru_cache(maxsize=4)
def parts_of(name, mechanism, split):
    """The rows that train and that test, and whether the target is of classes."""
    table = holed_table(name, mechanism, split)
    table = table.sample(N_TRAIN + N_TEST, split)
    classify = table.task == "classification"
    y = np.unique(table.y, return_inverse=True)[1] if classify else table.y
    parts = train_test_split(
        table.X,
        y,
        train_size=min(N_TRAIN, len(y) // 2),
        random_state=split,
        stratify=y if classify else None,
    )
    return *parts, classify


def loss_of(model, X, y, classify):
    """Squared error, or the Brier score summed over classes."""
    if not classify:
        return np.mean((model.predict(X) - y) ** 2)
    truth = y[:, None] == model.classes_
    return np.mean(np.sum((model.predict_proba(X) - truth) ** 2, axis=1))


def trial(name, mechanism, learner, treatment, split, size):
    """Test loss and seconds of a fit and its predictions."""
    warnings.filterwarnings("ignore")
    X_train, X_test, y_train, y_test, classify = parts_of(name, mechanism, split)
    model = treated(treatment, learner, classify, split, size)
    start = time.process_time()
    model.fit(X_train, y_train)
    loss = loss_of(model, X_test, y_test, classify)
    return loss, time.process_time() - start


def applies(treatment, learner):
    """Whether the model takes what the treatment leaves."""
    return learner != "linear" or not treatment.endswith(NATIVE)


def run_all(once, names, own, splits, size):
    """Mean loss over splits and median seconds, by cell and treatment.

    A split of all tables after another: a run that was stopped has whole ones.
    """
    found = {}
    cases = [(name, mechanism) for name in names for mechanism in MADE]
    cases += [(name, "own") for name in own]
    for split in range(max(splits.values())):
        for case in cases:
            for learner, n_splits in splits.items():
                for treatment in TREATMENTS:
                    if split < n_splits and applies(treatment, learner):
                        key = *case, learner, treatment
                        found.setdefault(key, []).append(once(*key, split, size))
            print(f"  {', '.join(case)}, {split} done", flush=True)
    losses = {key: np.mean([one[0] for one in ones]) for key, ones in found.items()}
    took = {key: np.median([one[1] for one in ones]) for key, ones in found.items()}
    return losses, took


class Losses:
    """Mean test losses by table, mechanism, learner and treatment."""

    def __init__(self, losses, correlated):
        self.losses = losses
        self.correlated = correlated

    def cells(self, mechanisms, learners, correlated=None):
        """Tables, mechanisms and learners that are there."""
        return [
            (name, mechanism, learner)
            for name, mechanism, learner, treatment in self.losses
            if treatment == MEAN
            and mechanism in mechanisms
            and learner in learners
            and (correlated is None or (name in self.correlated) == correlated)
        ]

    def ratios(self, cells, treatment, reference):
        """Loss over that of another treatment, a number a cell."""
        return np.array([
            self.losses[*cell, treatment] / self.losses[*cell, reference]
            for cell in cells
        ])  # fmt: skip


def mean_text(ratios, cells):
    """Geometric mean, and its standard error over tables."""
    by_table = {}
    for cell, value in zip(cells, np.log(ratios), strict=True):
        by_table.setdefault(cell[0], []).append(value)
    logs = np.array([np.mean(values) for values in by_table.values()])
    mean = np.exp(logs.mean())
    if len(logs) < 2:
        return f"{mean:.3f}"
    return f"{mean:.3f} +- {mean * np.std(logs, ddof=1) / np.sqrt(len(logs)):.3f}"


def summary_rows(found, correlated=None):
    """By learner and mechanism: geometric mean, and in how many tables it is best."""
    rows = []
    for learner in SPLITS:
        for mechanism in (*MADE, "own"):
            cells = found.cells([mechanism], [learner], correlated)
            if not cells:
                continue
            there = [t for t in TREATMENTS if applies(t, learner)]
            every = np.array([found.ratios(cells, t, MEAN) for t in there])
            best = dict(zip(there, np.bincount(
                every.argmin(axis=0), minlength=len(there)
            ), strict=True))  # fmt: skip
            texts = dict(zip(there, every, strict=True))
            rows.append([
                f"{learner}, {mechanism}", len(cells),
                *(
                    f"{np.exp(np.log(texts[t]).mean()):.3f} ({best[t]})"
                    if t in texts else ""
                    for t in TREATMENTS
                ),
            ])  # fmt: skip
    return rows


def win_rows(found):
    """GaussianImputer beside others: geometric mean and in how many tables it wins."""
    pairs = [
        (GAUSS, MEAN), (BARE, MEAN), (GAUSS, BARE), (GAUSS, "mean + mask"),
        (GAUSS, "IterativeImputer"), (GAUSS, NATIVE),
        (f"bag, {GAUSS}", f"bag, {MEAN}"), (f"bag, {GAUSS}", f"bag, {NATIVE}"),
        (f"bag, {GAUSS}", f"bag, {DRAW}"), (f"bag, {GAUSS}", GAUSS),
    ]  # fmt: skip
    rows = []
    for ours, other in pairs:
        for learner in SPLITS:
            if not (applies(ours, learner) and applies(other, learner)):
                continue
            row = [f"{ours} / {other}, {learner}"]
            for mechanism in (*MADE, "own"):
                cells = found.cells([mechanism], [learner])
                ratios = found.ratios(cells, ours, other)
                wins = int((ratios < 1).sum())
                row.append(f"{mean_text(ratios, cells)} ({wins}/{len(cells)})")
            rows.append(row)
    return rows


def target_rows(found):
    """The two targets, by learner and mechanism, and whether they are met."""
    rows = []
    groups = [("all learners and mechanisms", MADE, SPLITS)]
    groups += [(f"{k}, {m}", [m], [k]) for k in SPLITS for m in MADE]
    for what, mechanisms, learners in groups:
        cells = found.cells(mechanisms, learners, True)
        ratios = found.ratios(cells, f"bag, {GAUSS}", f"bag, {MEAN}")
        mean = np.exp(np.log(ratios).mean())
        worst = cells[int(ratios.argmax())][0]
        rows.append([
            f"correlated, {what}: bag, {GAUSS} / bag, {MEAN}",
            "<= 0.90", mean_text(ratios, cells), f"{ratios.max():.3f} ({worst})",
            verdict(mean <= 0.9),
        ])  # fmt: skip
    for ours, other in (
        (f"bag, {GAUSS}", NATIVE), (f"bag, {GAUSS}", f"bag, {NATIVE}"), (GAUSS, NATIVE),
    ):  # fmt: skip
        for mechanism in (*MADE, "own"):
            cells = found.cells([mechanism], ["HistGB"])
            ratios = found.ratios(cells, ours, other)
            worst = cells[int(ratios.argmax())][0]
            over = int((ratios > 1.02).sum())
            rows.append([
                f"HistGB, {mechanism}: {ours} / {other}, worst of {len(cells)} tables",
                "<= 1.02", mean_text(ratios, cells),
                f"{ratios.max():.3f} ({worst}); {over} above 1.02",
                verdict(ratios.max() <= 1.02),
            ])  # fmt: skip
    return rows


def table_rows(found, facts):
    """A line a table, learner and mechanism."""
    rows = []
    for name, mechanism, learner in found.cells((*MADE, "own"), SPLITS):
        cell = name, mechanism, learner
        rows.append([
            f"{name}, {mechanism}, {learner}", facts[name],
            f"{found.losses[*cell, MEAN]:.4g}",
            *(
                f"{found.ratios([cell], t, MEAN)[0]:.3f}" if applies(t, learner) else ""
                for t in TREATMENTS[1:]
            ),
        ])  # fmt: skip
    return rows


def seconds_rows(took):
    """Median seconds over tables and mechanisms."""
    rows = []
    for learner in SPLITS:
        cells = [
            [took[key] for key in took if key[2:] == (learner, t)] for t in TREATMENTS
        ]
        rows.append([learner, *(f"{np.median(c):.2f}" if c else "" for c in cells)])
    return rows


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0], cache=True)
    warnings.filterwarnings("ignore")
    once = Memory(args.cache, verbose=0).cache(trial)
    report = Report("imputation_prediction", "Filling to predict", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    names, own, splits, size = COMPLETE, OWN_HOLES, SPLITS, SIZE
    if args.quick:
        names, own, splits, size = ["Auto"], ["births14"], dict.fromkeys(SPLITS, 1), 3
    losses, took = run_all(once, names, own, splits, size)
    correlations = {name: mean_correlation(load(name).X) for name in names}
    correlated = {name for name in names if correlations[name] >= CORRELATED}
    facts = {name: f"{value:.2f}" for name, value in correlations.items()}
    for name in own:
        facts[name] = (
            f"{holed_table(name, 'own', 0).X.isna().mean().mean():.1%} missing"
        )
    found = Losses(losses, correlated)
    report.say(
        f"{len(names)} complete tables, of which {len(correlated)} are correlated "
        f"({', '.join(sorted(correlated))}), and {len(own)} with holes of their own. "
        f"Splits: {', '.join(f'{k} {v}' for k, v in splits.items())}."
    )
    report.table(
        "Targets",
        ["what", "target", "geometric mean", "worst", "verdict"],
        target_rows(found),
    )
    header = ["learner, mechanism", "tables", *TREATMENTS]
    report.table(
        "Loss / that of column means, geometric mean over tables (tables where best)",
        header,
        summary_rows(found),
    )
    report.table("The same, correlated tables", header, summary_rows(found, True))
    report.table(
        "One beside another: geometric mean (tables where the first has less loss)",
        ["what", *MADE, "own"],
        win_rows(found),
    )
    report.table(
        "Processor seconds to fit and predict, median", ["learner", *TREATMENTS],
        seconds_rows(took),
    )  # fmt: skip
    report.table(
        "By table: loss / that of column means",
        ["case", "correlation", f"loss, {MEAN}", *TREATMENTS[1:]],
        table_rows(found, facts),
    )
    report.save()


if __name__ == "__main__":
    main()
