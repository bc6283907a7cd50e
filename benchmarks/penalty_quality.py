"""How good is the chosen penalty? AutoRegularizedCV beside searches of the same values.

Real tables, four estimators each in a Pipeline with its preprocessing, 300 training
rows. Every value of the penalty is also fitted on all training rows and judged on the
rows kept back (at most 3000): the least of these losses is the best in hindsight, and
what a method loses beyond it is its excess. Losses are squared errors over the variance
of the target, or Brier scores, and are what every method chooses by.
"""

import time
import warnings
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from _report import Report, arguments
from _tables import load, preprocessed
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    Lasso,
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeCV,
)
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    Curve,
)
from genestimators.regularization._rules import RULES

TABLES = [
    "ames", "concrete", "car_prices", "Sacramento", "deliveries", "hotel_rates",
    "Wage", "College", "Carseats", "diabetes", "attrition", "cells", "credit_data",
    "mlc_churn", "wa_churn", "hpc_data", "lending_club", "stackoverflow", "OJ",
    "Smarket", "spam7", "monica", "breast_cancer", "digits",
]  # fmt: skip
BASES = {
    "linear": (Ridge(), LogisticRegression(max_iter=300)),
    "tree": (
        DecisionTreeRegressor(random_state=0),
        DecisionTreeClassifier(random_state=0),
    ),
    "neighbours": (KNeighborsRegressor(), KNeighborsClassifier()),
    "lasso, LDA": (Lasso(), LinearDiscriminantAnalysis(solver="lsqr")),
}
BAGGED = ("linear", "tree", "neighbours")
BAGS = (BootstrapBaggingRegressor, BootstrapBaggingClassifier)
SCORES = ("neg_mean_squared_error", "neg_brier_score")
DEFAULT = "AutoRegularizedCV, rule median"
SEARCH = "GridSearchCV"
CLASSIC = "GridSearchCV, classic one standard error"
OWN = "scikit-learn's own *CV class"
N_TRAIN, N_TEST, N_MEMBERS, MOST_VALUES, N_SPLITS = 300, 3000, 40, 40, 2


@dataclass
class Trial:
    """One table, one split, one estimator.

    Attributes
    ----------
    table, base : str
    excess : dict of str to float
        Loss of each method beyond the best in hindsight.
    seconds : dict of str to float
        Time of each fit, refits included.
    expected, truth : float
        Loss that `expected_score_` tells, and on the rows kept back.
    interval : tuple of float
    error : float
        Standard error of the truth.
    bags : dict of str to (float, float)
        Losses of bags relative to the single model of the search, and their seconds.
    """

    table: str
    base: str
    excess: dict
    seconds: dict
    expected: float = np.nan
    truth: float = np.nan
    interval: tuple = ()
    error: float = np.nan
    bags: dict = None


class Case:
    """A table's training rows, the rows kept back, and losses on them."""

    def __init__(self, name, seed):
        table = load(name)
        n_rows = min(N_TRAIN + N_TEST, len(table.y))
        self.table = table.sample(n_rows, seed)
        self.name, self.seed = name, seed
        self.classify = table.task == "classification"
        self.scoring = SCORES[self.classify]
        self.n = min(N_TRAIN, n_rows // 2)
        self.X, self.y = self.table.codes(), self.table.y
        if self.classify:  # scikit-learn's Brier scorer wants no texts
            self.y = np.unique(self.y, return_inverse=True)[1]
        self.labels = np.unique(self.y)
        self.scale = 1.0 if self.classify else np.var(self.y[self.n :])

    @property
    def training(self):
        return self.X[: self.n], self.y[: self.n]

    def prepared(self, model):
        return preprocessed(self.table, clone(model), by="position")

    def losses(self, model):
        """Losses of the rows kept back."""
        X, y = self.X[self.n :], self.y[self.n :]
        if not self.classify:
            return (y - model.predict(X)) ** 2 / self.scale
        answer = np.zeros((len(y), len(self.labels)))
        answer[:, np.searchsorted(self.labels, model.classes_)] = model.predict_proba(X)
        hit = (y[:, None] == self.labels).astype(float)
        loss = ((answer - hit) ** 2).sum(axis=1)
        return loss / 2 if len(self.labels) == 2 else loss

    def timed(self, model):
        """Fit on the training rows; return the seconds."""
        start = time.process_time()
        model.fit(*self.training)
        return time.process_time() - start

    def hindsight(self, model, param, values):
        """Loss on the rows kept back of every value, fitted on the training rows."""
        rows = np.arange(len(self.y))
        judge = AutoRegularizedCV(
            model,
            param=param,
            values=values,
            cv=[(rows[: self.n], rows[self.n :])],
            scoring=self.scoring,
            rule="best",
            refit=False,
        ).fit(self.X, self.y)
        return -judge.cv_results_["mean_test_score"] / self.scale

    def own(self, base):
        """scikit-learn's class that chooses by itself, or None."""
        folds = StratifiedKFold(5) if self.classify else KFold(5)
        if isinstance(base, Ridge):
            return lambda values: RidgeCV(alphas=values, cv=folds, scoring=self.scoring)
        if isinstance(base, Lasso):
            return lambda values: LassoCV(alphas=values, cv=folds)
        if isinstance(base, LogisticRegression):
            return lambda values: LogisticRegressionCV(
                Cs=values, cv=folds, scoring=self.scoring, max_iter=300
            )
        return None


def classic(search, stronger_first):
    """The strongest value within one standard error of the best mean score."""
    scores = np.stack(
        [search.cv_results_[f"split{i}_test_score"] for i in range(search.n_splits_)]
    )
    mean = scores.mean(axis=0)
    best = int(np.argmax(mean))
    error = scores[:, best].std(ddof=1) / np.sqrt(len(scores))
    tied = np.flatnonzero(mean >= mean[best] - error)
    return int(tied[0] if stronger_first else tied[-1])


def other_rules(fitted):
    """Where other rules find the value, on the curve of a fitted AutoRegularizedCV."""
    results, n_splits = fitted.cv_results_, fitted.n_splits_
    sides = {
        side: np.stack(
            [results[f"split{i}_{side}_score"] for i in range(n_splits)], axis=1
        )
        for side in ("test", "train")
    }
    order = np.argsort(fitted.values_)
    order = order if fitted.direction_ == "larger" else order[::-1]
    strength = np.empty(len(order), dtype=int)
    strength[order] = np.arange(len(order))
    curve = Curve(values=fitted.values_, strength=strength, n_folds=5, **sides)
    return {
        "rule best (argmax)": RULES["best"](curve).index,
        "rule gap, q = 0.25": RULES["gap"](curve, q=0.25).index,
        "rule gap, q = 0.5": RULES["gap"](curve, q=0.5).index,
    }


def automatic_values(case, model):
    """The parameter and the values that AutoRegularizedCV finds, at most forty."""
    first = AutoRegularizedCV(
        model, scoring=case.scoring, rule="best", n_repeats=1, refit=False
    ).fit(*case.training)
    values = first.values_
    places = np.linspace(0, len(values) - 1, min(len(values), MOST_VALUES))
    return first.param_, values[np.unique(places.round().astype(int))].tolist()


def run(name, seed, base_name):
    """Every method on one table, split and estimator."""
    warnings.filterwarnings("ignore")  # of convergence and of edges, on both sides
    case = Case(name, seed)
    base = BASES[base_name][case.classify]
    model = case.prepared(base)
    param, values = automatic_values(case, model)
    ours = AutoRegularizedCV(
        model, param=param, values=values, scoring=case.scoring, random_state=case.seed
    )
    seconds = {DEFAULT: case.timed(ours)}
    truth = case.hindsight(model, param, values)
    best = truth.min()
    excess = {DEFAULT: truth[ours.best_index_] - best}
    for words, index in other_rules(ours).items():
        excess[words] = truth[index] - best
    search = GridSearchCV(model, {param: values}, scoring=case.scoring, cv=5)
    seconds[SEARCH] = case.timed(search)
    excess[SEARCH] = truth[search.best_index_] - best
    simple = classic(search, stronger_first=ours.direction_ == "smaller")
    excess[CLASSIC] = truth[simple] - best
    own = case.own(base)
    if own is not None:
        peer = case.prepared(own(values))
        seconds[OWN] = case.timed(peer)
        excess[OWN] = case.losses(peer).mean() - best
    losses = case.losses(ours)
    low, high = (-end / case.scale for end in ours.expected_score_interval_[::-1])
    trial = Trial(
        case.name, base_name, excess, seconds,
        expected=-ours.expected_score_ / case.scale, truth=losses.mean(),
        interval=(low, high), error=losses.std() / np.sqrt(len(losses)), bags={},
    )  # fmt: skip
    if base_name in BAGGED:
        trial.bags = bags(case, model, search, param)
    print(f"  {name} {seed} {base_name} done", flush=True)
    return trial


def bags(case, model, search, param):
    """Bags: untuned, at the choice of the search, and with a choice of their own."""
    kind = BAGS[case.classify]
    single = case.losses(search).mean()
    tuned = clone(model).set_params(**search.best_params_)
    every = {
        "bag, not tuned": kind(model, n_estimators=N_MEMBERS, random_state=case.seed),
        "bag at the choice of GridSearchCV": kind(
            tuned, n_estimators=N_MEMBERS, random_state=case.seed
        ),
        "AutoRegularizedCV of the bag, out of bag": AutoRegularizedCV(
            kind(model, n_estimators=N_MEMBERS, random_state=case.seed),
            scoring=case.scoring, random_state=case.seed,
        ),
    }  # fmt: skip
    found = {}
    for words, bag in every.items():
        took = case.timed(bag)
        found[words] = (case.losses(bag).mean() / single, took)
    return found


def excess_table(trials):
    """Mean excess of each method, relative to that of the search, by estimator."""
    methods = list(dict.fromkeys(name for trial in trials for name in trial.excess))
    rows = []
    for method in methods:
        cells = [method]
        for base in BASES:
            own = [t for t in trials if t.base == base and method in t.excess]
            if not own:
                cells.append("-")
                continue
            mean = np.mean([t.excess[method] for t in own])
            cells.append(f"{mean:.4f} ({relative(own, method):.2f})")
        own = [t for t in trials if method in t.excess]
        for figure in (relative, mean_relative):
            cells.append(
                f"{figure(own, method):.2f} +- {error(figure, own, method):.2f}"
            )
        rows.append(cells)
    return rows


def relative(trials, method):
    """Mean excess of a method over that of the search."""
    return np.mean([t.excess[method] for t in trials]) / np.mean(
        [t.excess[SEARCH] for t in trials]
    )


def mean_relative(trials, method):
    """Mean over estimators of the same."""
    bases = {t.base for t in trials}
    return np.mean(
        [relative([t for t in trials if t.base == base], method) for base in bases]
    )


def error(figure, trials, method):
    """Standard error of a figure by the jackknife over tables."""
    names = sorted({t.table for t in trials})
    without = [figure([t for t in trials if t.table != name], method) for name in names]
    return np.sqrt((len(names) - 1) * np.var(without))


def time_table(trials):
    """Seconds of each method, and ratios to the search."""
    rows = []
    for method in (DEFAULT, SEARCH, OWN):
        cells = [method]
        for base in BASES:
            own = [t for t in trials if t.base == base and method in t.seconds]
            if not own:
                cells.append("-")
                continue
            ratios = [t.seconds[method] / t.seconds[SEARCH] for t in own]
            middle = np.median([t.seconds[method] for t in own])
            cells.append(f"{middle:.2f} s ({np.median(ratios):.2f})")
        rows.append(cells)
    return rows


def cover_table(trials):
    """How often the interval holds the loss on the rows kept back."""
    rows = []
    for base in [*BASES, "all"]:
        own = [t for t in trials if base in (t.base, "all")]
        inside = [t.interval[0] <= t.truth <= t.interval[1] for t in own]
        naive = [t.expected / t.truth - 1 for t in own]
        width = [(t.interval[1] - t.interval[0]) / t.truth for t in own]
        rows.append(
            [base, str(len(own)), f"{np.mean(inside):.1%}", f"{np.median(naive):+.1%}",
             f"{np.median(width):.0%}"]
        )  # fmt: skip
    return rows


def bag_table(trials):
    """Loss relative to the single model of the search (geometric mean), and seconds."""
    found = defaultdict(dict)
    for base in BAGGED:
        own = [t for t in trials if t.base == base]
        for words in own[0].bags:
            ratio = np.exp(np.mean([np.log(t.bags[words][0]) for t in own]))
            took = np.median([t.bags[words][1] for t in own])
            found[words][base] = f"{ratio:.3f} ({took:.2f} s)"
        search = np.median([t.seconds[SEARCH] for t in own])
        found["GridSearchCV of the single model"][base] = f"1 ({search:.2f} s)"
    return [
        [words, *(cells[base] for base in BAGGED)] for words, cells in found.items()
    ]


def main():
    args = arguments(__doc__)
    report = Report("penalty_quality", "How good is the chosen penalty?", args.quick)
    names = ["diabetes", "breast_cancer"] if args.quick else TABLES
    seeds = [0] if args.quick else range(N_SPLITS)
    tasks = [(name, seed, base) for name in names for seed in seeds for base in BASES]
    trials = list(
        Parallel(n_jobs=-1, return_as="generator")(
            delayed(run)(name, seed, base) for name, seed, base in tasks
        )
    )
    report.say(
        f"{len(names)} tables, {len(seeds)} random splits of each, {N_TRAIN} training "
        "rows (half of a table that has fewer than twice that). All methods choose "
        "among the same values, those that AutoRegularizedCV finds by itself, evenly "
        f"thinned to {MOST_VALUES}; the searches on five folds. Processor times, "
        "refits included, one thread. Excess: mean loss beyond the best value in "
        "hindsight; in brackets, relative to that of GridSearchCV. Standard errors by "
        "the jackknife over tables."
    )
    report.table(
        "Excess test loss",
        ["method", *BASES, "all", "mean of ratios"],
        excess_table(trials),
    )
    report.table(
        "Time: median, and median ratio to GridSearchCV",
        ["method", *BASES],
        time_table(trials),
    )
    report.table(
        "The 95 % interval of expected_score_ against the rows kept back",
        ["estimator", "cases", "covered", "expected loss off by (median)", "width"],
        cover_table(trials),
    )
    report.table(
        f"Bags of {N_MEMBERS}: test loss relative to the single model of GridSearchCV",
        ["model", *BAGGED],
        bag_table(trials),
    )
    report.save()


if __name__ == "__main__":
    main()
