"""Bagging helps unstable estimators, and its out-of-bag score can be believed.

Real tables, four estimators each in a Pipeline with its preprocessing, several
splits. Losses are squared errors over the variance of the target, or Brier scores.
scikit-learn's bagging gets the same Pipeline, the same rows and as many members.
"""

import warnings

import numpy as np
from _report import Report, arguments
from _tables import load, preprocessed
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor

TABLES = {
    "regression": [
        "ames",
        "concrete",
        "car_prices",
        "Sacramento",
        "Hitters",
        "Wage",
        "College",
        "Carseats",
        "diabetes",
    ],
    "classification": [
        "attrition",
        "credit_data",
        "mlc_churn",
        "hpc_data",
        "ad_data",
        "OJ",
        "Smarket",
        "spam7",
        "monica",
        "breast_cancer",
    ],
}
BASES = {
    "regression": {
        "full tree": DecisionTreeRegressor(),
        "pruned tree": DecisionTreeRegressor(min_samples_leaf=10),
        "linear": Ridge(),
        "5 neighbours": KNeighborsRegressor(),
    },
    "classification": {
        "full tree": DecisionTreeClassifier(),
        "pruned tree": DecisionTreeClassifier(min_samples_leaf=10),
        "linear": LogisticRegression(max_iter=1000),
        "5 neighbours": KNeighborsClassifier(),
    },
}
OURS = {
    "regression": BootstrapBaggingRegressor,
    "classification": BootstrapBaggingClassifier,
}
PEERS = {"regression": BaggingRegressor, "classification": BaggingClassifier}
SCORES = {"regression": "neg_mean_squared_error", "classification": "neg_brier_score"}
SIZES = (10, 20, 50)
EVER = "scikit-learn, rows ever out of bag"
METHODS = ("genestimators", "scikit-learn", EVER)
MANY = 300  # members that stand for infinitely many
MOST_TRAIN, MOST_TEST = 600, 800


class Trial:
    """One table, one split, one estimator: every number that the tables need.

    Attributes
    ----------
    task, table, base : str
    plain : float
        Test loss of the estimator alone.
    limit : float
        Out-of-bag loss of infinitely many members.
    tests : dict of (method, size) to float
        Test losses of the bags.
    forecasts : dict of (method, size) to float
        Out-of-bag losses.
    gain : float
        `bagging_gain_` of our bag of 50.
    distances : tuple of two floats
        From our out-of-bag loss to the test loss, B = 50: in standard errors of both,
        and of the out-of-bag loss alone.
    """

    def __init__(self, table, base, seed, many):
        self.task, self.table, self.base = table.task, table.name, base
        split = Split(table, seed)
        model = split.prepared(BASES[self.task][base])
        self.plain = split.test_losses(model.fit(split.X, split.y)).mean()
        # Of another seed than the bags it judges.
        limit = split.bag(OURS, model, many, seed + 1000)
        self.limit = -limit.oob_score_ / split.scale
        self.tests, self.forecasts = {}, {}
        for size in SIZES:
            ours = split.bag(OURS, model, size, seed)
            losses = split.test_losses(ours)
            self.tests["genestimators", size] = losses.mean()
            self.forecasts["genestimators", size] = -ours.oob_score_ / split.scale
            peer = split.bag(PEERS, model, size, seed)
            stands, ever = split.peer_forecasts(peer)
            peer_test = split.test_losses(peer).mean()
            for method, forecast in (("scikit-learn", stands), (EVER, ever)):
                self.tests[method, size] = peer_test
                self.forecasts[method, size] = forecast
        self.gain = ours.bagging_gain_ / split.scale
        error = ours.oob_score_std_error_ / split.scale
        test_error = losses.std() / np.sqrt(len(losses))
        distance = abs(losses.mean() - self.forecasts["genestimators", SIZES[-1]])
        self.distances = distance / np.hypot(error, test_error), distance / error

    def error(self, method, size, truth):
        """Relative error of a forecast."""
        true = self.limit if truth == "limit" else self.tests[method, size]
        return self.forecasts[method, size] / true - 1


class Split:
    """Training and test rows of a table, and losses on them."""

    def __init__(self, table, seed):
        self.table, self.task, self.seed = table, table.task, seed
        whole = table.sample(MOST_TRAIN + MOST_TEST, seed)
        X, y = whole.codes(), whole.y
        # Squared errors are told relative to the variance of the target.
        self.scale = np.var(y) if self.task == "regression" else 1.0
        self.labels = np.unique(y)
        self.X, self.X_test, self.y, self.y_test = train_test_split(
            X,
            y,
            train_size=min(MOST_TRAIN, 2 * len(y) // 3),
            random_state=seed,
            stratify=None if self.task == "regression" else y,
        )

    def prepared(self, base):
        """The estimator after the preprocessing of the table."""
        base = clone(base)
        if "random_state" in base.get_params():
            base.set_params(random_state=self.seed)
        return preprocessed(self.table, base, by="position")

    def bag(self, kinds, model, size, seed):
        """A bag of ours or of theirs, fitted; out of bag, ours scores the loss."""
        return kinds[self.task](
            model,
            n_estimators=size,
            oob_score=SCORES[self.task] if kinds is OURS else True,
            random_state=seed,
        ).fit(self.X, self.y)

    def losses(self, y, answer):
        """Loss of each row, from predictions or probabilities of all labels."""
        if self.task == "regression":
            return (y - answer) ** 2 / self.scale
        hit = (y[:, None] == self.labels).astype(float)
        loss = ((answer - hit) ** 2).sum(axis=1)
        return loss / 2 if len(self.labels) == 2 else loss

    def test_losses(self, model):
        """Losses of the test rows."""
        asked = "predict" if self.task == "regression" else "predict_proba"
        return self.losses(self.y_test, getattr(model, asked)(self.X_test))

    def peer_forecasts(self, bag):
        """scikit-learn's out-of-bag loss: as it stands, and of rows ever out of bag."""
        if self.task == "regression":
            answer = bag.oob_prediction_
        else:
            answer = bag.oob_decision_function_
        losses = self.losses(self.y, answer)
        ever = np.zeros(len(self.y), dtype=bool)
        for rows in bag.estimators_samples_:
            ever |= np.bincount(rows, minlength=len(ever)) == 0
        return losses.mean(), losses[ever].mean()


def run_trials(quick):
    """Every table, split and estimator."""
    tables, splits, many = TABLES, range(2), MANY
    if quick:
        tables = {task: names[-1:] for task, names in TABLES.items()}
        splits, many = range(1), 20
    trials = []
    for task, names in tables.items():
        for table in map(load, names):
            for base in BASES[task]:
                trials += [Trial(table, base, seed, many) for seed in splits]
            print(f"  {table.name} done", flush=True)
    return trials


def grouped(trials, *keys):
    """Trials by some of their attributes, in order of appearance."""
    groups = {}
    for trial in trials:
        groups.setdefault(tuple(getattr(trial, key) for key in keys), []).append(trial)
    return groups


def loss_rows(trials):
    """Test losses of each table and estimator, and how they compare."""
    rows = []
    for (task, table, base), group in grouped(trials, "task", "table", "base").items():
        plain = np.mean([trial.plain for trial in group])
        ours = np.mean([trial.tests["genestimators", SIZES[-1]] for trial in group])
        peer = np.mean([trial.tests["scikit-learn", SIZES[-1]] for trial in group])
        rows.append(
            [
                f"{table}, {base}",
                "squared" if task == "regression" else "Brier",
                f"{plain:.4f}",
                f"{ours:.4f}",
                f"{peer:.4f}",
                f"{ours / plain:.2f}",
                f"{ours / peer:.3f}",
                f"{np.mean([trial.gain for trial in group]):.4f}",
            ]
        )
    return rows


def summary_rows(trials):
    """Geometric means of the ratios of test losses, for each kind of estimator."""
    rows = []
    for (task, base), group in grouped(trials, "task", "base").items():
        plain = np.log([trial.plain for trial in group])
        ours, peer = (
            np.log([trial.tests[method, SIZES[-1]] for trial in group])
            for method in METHODS[:2]
        )
        least, most = np.exp((ours - peer).min()), np.exp((ours - peer).max())
        rows.append(
            [
                f"{task}, {base}",
                f"{np.exp((ours - plain).mean()):.3f}",
                f"{np.exp((ours - plain).max()):.3f}",
                f"{np.mean(ours < plain):.0%}",
                f"{np.exp((ours - peer).mean()):.3f}",
                f"{least:.3f} to {most:.3f}",
            ]
        )
    return rows


def bias_and_rms(relative):
    """Mean and root mean square of the errors that are numbers, share of the rest."""
    relative = np.asarray(relative)
    told = relative[np.isfinite(relative)]
    if not len(told):
        return np.nan, np.nan, 1.0
    return told.mean(), np.sqrt((told**2).mean()), 1 - len(told) / len(relative)


def error_text(relative):
    """Bias and root mean square of relative errors, in percent."""
    bias, rms, lost = bias_and_rms(relative)
    text = "" if np.isnan(bias) else f"{bias:+.1%} / {rms:.1%}"
    return f"{text} ({lost:.0%} NaN)".strip() if lost else text


def forecast_rows(trials, truth):
    """Errors of the forecasts for each kind of estimator, method and size."""
    rows = []
    for (task, base), group in grouped(trials, "task", "base").items():
        for method in METHODS:
            cells = [
                error_text([trial.error(method, size, truth) for trial in group])
                for size in SIZES
            ]
            rows.append([f"{task}, {base}: {method}", *cells])
    return rows


def calibration_rows(trials):
    """How often the test loss lies within two standard errors of the forecast."""
    groups = grouped(trials, "task", "base") | {("all",): trials}
    rows = []
    for key, group in groups.items():
        both, own = np.array([trial.distances for trial in group]).T
        rows.append(
            [
                ", ".join(key),
                len(group),
                f"{np.mean(both <= 2):.0%}",
                f"{np.mean(own <= 2):.0%}",
                f"{np.median(both):.2f}",
            ]
        )
    return rows


def noise_accuracies(base, coin, seeds, size=50, n_rows=50):
    """Out-of-bag accuracies where labels have nothing to do with X: ours, theirs."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((n_rows, 5))
        y = rng.permutation(np.arange(n_rows) % 2)
        if coin:
            y = rng.integers(2, size=n_rows)
        ours = BootstrapBaggingClassifier(base, n_estimators=size, random_state=seed)
        peer = BaggingClassifier(
            base, n_estimators=size, oob_score=True, random_state=seed
        )
        found.append([ours.fit(X, y).oob_score_, peer.fit(X, y).oob_score_])
    return np.array(found).T


def noise_rows(seeds):
    """Mean out-of-bag accuracy for random labels."""
    rows = []
    for text, base in (
        ("LogisticRegression(C=1e-3)", LogisticRegression(C=1e-3)),
        ("full tree", DecisionTreeClassifier()),
    ):
        for coin in (False, True):
            ours, peer = noise_accuracies(base, coin, seeds)
            error = np.sqrt(np.maximum(ours.var(), peer.var()) / len(seeds))
            labels = "a coin for each row" if coin else "25 of each"
            rows.append(
                [
                    f"{text}, {labels}",
                    f"{ours.mean():.3f}",
                    f"{peer.mean():.3f}",
                    f"{error:.3f}",
                ]
            )
    return rows


def target_rows(trials, noise):
    """The targets and whether they are met."""
    rows = []
    for text, chosen in (
        ("all estimators", trials),
        ("full trees", [trial for trial in trials if trial.base == "full tree"]),
    ):
        for method in METHODS:
            bias, rms, _ = bias_and_rms(
                [trial.error(method, 20, "limit") for trial in chosen]
            )
            met = abs(bias) <= 0.03 and rms <= 0.08
            rows.append(
                [
                    f"out-of-bag loss, B = 20, {text}: {method}",
                    "bias 3 %, RMS 8 %",
                    f"{bias:+.1%}, {rms:.1%}",
                    "met" if met else "missed",
                ]
            )
    for labels in ("25 of each", "a coin for each row"):
        for column, method in ((1, METHODS[0]), (2, METHODS[1])):
            found = [float(row[column]) for row in noise if labels in row[0]]
            worst = max(found, key=lambda value: abs(value - 0.5))
            rows.append(
                [
                    f"accuracy for random labels, {labels}, worst of two: {method}",
                    "0.5 ± 0.05",
                    f"{worst:.3f}",
                    "met" if abs(worst - 0.5) <= 0.05 else "missed",
                ]
            )
    return rows


def check_brier():
    """Our rows' losses are what scikit-learn calls the Brier score."""
    probability = np.array([[0.2, 0.8], [0.6, 0.4]])
    direct = ((probability - np.eye(2)[[1, 1]]) ** 2).sum(axis=1).mean() / 2
    assert np.isclose(direct, brier_score_loss([1, 1], probability[:, 1], pos_label=1))


def main():
    """Run everything; print and write the tables."""
    options = arguments(__doc__.splitlines()[0])
    warnings.filterwarnings("ignore")
    check_brier()
    report = Report("bagging_quality", "Quality of bagging", options.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    trials = run_trials(options.quick)
    noise = noise_rows(range(5 if options.quick else 200))
    report.table(
        "Targets",
        ["what", "target", "found", "verdict"],
        target_rows(trials, noise),
    )
    report.table(
        "Test loss at B = 50, over tables and splits (geometric means)",
        [
            "task, estimator",
            "bag / alone",
            "worst",
            "bag better in",
            "bag / scikit-learn's",
            "range",
        ],
        summary_rows(trials),
    )
    header = ["task, estimator: method", *(f"B = {size}" for size in SIZES)]
    report.table(
        "Out-of-bag loss as a forecast of the out-of-bag loss at B = infinity "
        "(bias / RMS of the relative error)",
        header,
        forecast_rows(trials, "limit"),
    )
    report.say(
        f"B = infinity is our own corrected figure at B = {MANY}, of another seed. "
        "NaN: scikit-learn's figure is NaN where a row was never out of bag."
    )
    report.table(
        "Out-of-bag loss as a forecast of the loss of that bag on test rows "
        "(bias / RMS of the relative error)",
        header,
        forecast_rows(trials, "test"),
    )
    report.say(
        "The test rows are few, so much of the RMS is theirs. The corrected figure is "
        "of infinitely many members, so it is low for a bag of ten."
    )
    report.table(
        "Test loss within two standard errors of the out-of-bag loss, B = 50",
        [
            "task, estimator",
            "trials",
            "errors of both",
            "out-of-bag error alone",
            "median distance",
        ],
        calibration_rows(trials),
    )
    report.table(
        "Out-of-bag accuracy where labels are random, 50 rows, 5 columns, B = 50",
        ["estimator, labels", "genestimators", "scikit-learn", "standard error"],
        noise,
    )
    report.table(
        "Test loss of each table at B = 50 (means over splits)",
        [
            "table, estimator",
            "loss",
            "alone",
            "bag",
            "scikit-learn's",
            "bag / alone",
            "bag / scikit-learn's",
            "bagging_gain_",
        ],
        loss_rows(trials),
    )
    report.save()


if __name__ == "__main__":
    main()
