"""A bag scores better on new rows than its estimator, and says beforehand how well.

Five estimators on real tables, alone and wrapped: the score on the rows they were
fitted on, the score on rows kept back, and what the wrapped one forecast from its
out-of-bag rows, before it saw any of those. The last one is a linear model with many
more rows than columns, for which averaging does nothing. Then four estimators whose
penalty is chosen by AutoRegularizedCV, and by GridSearchCV over the same values. Then
a feature selector as a step of pipelines, where forty columns are noise. Then what
reports on three models say would help, and what it brings on rows kept back. Last
tables of which a quarter of the values is gone, filled in two ways.
"""

import time
from dataclasses import dataclass

import _demo_imputation
import _demo_penalty
import _demo_report
import _demo_selection
import matplotlib.pyplot as plt
import numpy as np
from _report import RESULTS, Report, arguments
from _tables import load, preprocessed
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor

# name of the table, what is predicted, the estimator in words, the estimator
CASES = [
    ("ames", "house prices", "tree", DecisionTreeRegressor(random_state=0)),
    ("diabetes", "disease progression", "tree", DecisionTreeRegressor(random_state=0)),
    ("attrition", "who leaves a job", "tree", DecisionTreeClassifier(random_state=0)),
    ("breast_cancer", "benign or not", "tree", DecisionTreeClassifier(random_state=0)),
    ("Wage", "wages", "ridge", Ridge()),
]
MOST_ROWS = 1500
LEVEL = 2e-3  # a smaller difference of scores is none
GREY, BLUE, ORANGE = "#8a8a8a", "#1f5fa8", "#d9730d"


@dataclass(frozen=True)
class Outcome:
    """Scores of one estimator, alone and wrapped."""

    title: str
    score: str
    n_rows: int
    plain_train: float
    plain_test: float
    plain_seconds: float
    bag_train: float
    bag_test: float
    bag_seconds: float
    n_fits: int
    forecast: float
    forecast_error: float
    gap: float
    gap_error: float
    test_error: float
    gain: float
    gain_error: float

    @property
    def gained(self):
        """What averaging added to the test score."""
        return self.bag_test - self.plain_test

    @property
    def told(self):
        """Whether the forecast and the test score agree within two standard errors."""
        error = np.hypot(self.forecast_error, self.test_error)
        return abs(self.forecast - self.bag_test) <= 2 * error


def fit_timed(model, X, y):
    """Fit a model; return the seconds."""
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started


def standard_error_of_test(model, X, y, regression):
    """Standard error over rows of the score of a fitted model."""
    predicted = model.predict(X)
    if not regression:
        return np.std(predicted == y) / np.sqrt(len(y))
    # R2 = 1 - sum(loss) / sum(spread), a ratio of two sums over rows.
    loss, spread = (y - predicted) ** 2, (y - y.mean()) ** 2
    ratio = loss.sum() / spread.sum()
    return np.std(loss - ratio * spread) * np.sqrt(len(y)) / spread.sum()


def compare(name, what, base, estimator, n_rows=MOST_ROWS):
    """Fit an estimator alone and wrapped, and score both on rows kept back."""
    table = load(name).sample(n_rows, 0)
    regression = table.task == "regression"
    X, X_test, y, y_test = train_test_split(
        table.X,
        table.y,
        test_size=0.3,
        random_state=0,
        stratify=None if regression else table.y,
    )
    plain = preprocessed(table, estimator)
    wrapper = BootstrapBaggingRegressor if regression else BootstrapBaggingClassifier
    bag = wrapper(preprocessed(table, estimator), random_state=0)
    plain_seconds, bag_seconds = fit_timed(plain, X, y), fit_timed(bag, X, y)
    return Outcome(
        title=f"{base}, {name} ({what})",
        score="R2" if regression else "accuracy",
        n_rows=len(y),
        plain_train=plain.score(X, y),
        plain_test=plain.score(X_test, y_test),
        plain_seconds=plain_seconds,
        bag_train=bag.train_score_,
        bag_test=bag.score(X_test, y_test),
        bag_seconds=bag_seconds,
        n_fits=bag.n_estimators_,
        forecast=bag.oob_score_,
        forecast_error=bag.oob_score_std_error_,
        gap=bag.generalization_gap_,
        gap_error=bag.generalization_gap_std_error_,
        test_error=standard_error_of_test(bag, X_test, y_test, regression),
        gain=bag.bagging_gain_,
        gain_error=bag.bagging_gain_std_error_,
    )


def rows_of(outcomes):
    """The table of the outcomes, two rows each: alone and wrapped."""
    rows = []
    for one in outcomes:
        rows.append(
            [
                f"{one.title}: {one.score}",
                f"{one.plain_train:.3f}",
                "",
                "",
                f"{one.plain_test:.3f}",
                "1",
                f"{one.plain_seconds:.2f}",
            ]
        )
        rows.append(
            [
                "  wrapped",
                f"{one.bag_train:.3f}",
                f"{one.gap:.3f} ± {one.gap_error:.3f}",
                f"{one.forecast:.3f} ± {one.forecast_error:.3f}",
                f"**{one.bag_test:.3f}** ± {one.test_error:.3f}",
                str(one.n_fits),
                f"{one.bag_seconds:.2f}",
            ]
        )
    return rows


def conclusion(outcomes):
    """What was gained and what was not, in words."""
    gained = [one for one in outcomes if one.gained > LEVEL]
    level = [one for one in outcomes if abs(one.gained) <= LEVEL]
    lost = [one for one in outcomes if one.gained < -LEVEL]
    told = sum(one.told for one in outcomes)
    slower = [one.bag_seconds / one.plain_seconds for one in outcomes]
    words = []
    if gained:
        best = max(gained, key=lambda one: one.gained)
        words.append(
            f"Gained: in {len(gained)} of {len(outcomes)} cases the wrapped estimator "
            f"scored higher on new rows, most for {best.title} "
            f"({best.plain_test:.3f} to {best.bag_test:.3f})."
        )
    words.append(
        f"The forecast made without new rows agreed with the test score (within two "
        f"standard errors of their difference) in {told} of {len(outcomes)}."
    )
    for verdict, group in (("Nothing gained", level), ("Lost", lost)):
        if group:
            listed = "; ".join(
                f"{one.title} ({one.plain_test:.3f} to {one.bag_test:.3f})"
                for one in group
            )
            words.append(f"{verdict}: {listed}.")
    words.append(
        f"The price: fitting took {min(slower):.0f} to {max(slower):.0f} times as long "
        "as one fit."
    )
    return " ".join(words)


def draw(outcomes, path):
    """The scores as a picture: a line leads from training rows to new rows."""
    fig, ax = plt.subplots(figsize=(10.5, 0.95 * len(outcomes) + 1.5))
    for place, one in enumerate(outcomes):
        _draw_case(ax, place, one)
    ax.set_yticks(
        range(len(outcomes)),
        [f"{one.title}\n{one.score}, {one.n_rows} rows" for one in outcomes],
    )
    ax.set_ylim(len(outcomes) - 0.45, -0.55)
    lowest = min(
        min(one.plain_test, one.bag_test, one.forecast - 2 * one.forecast_error)
        for one in outcomes
    )
    ax.set_xlim(lowest - 0.05, 1.02)
    ax.set_xlabel("score (1 is perfect)")
    ax.axvline(1.0, color="0.85", linewidth=1, zorder=0)
    for edge in ("top", "right", "left"):
        ax.spines[edge].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.legend(
        handles=_legend(),
        loc="lower center",
        bbox_to_anchor=(0.4, 1.0),
        ncols=4,
        frameon=False,
    )
    fig.tight_layout()
    fig.savefig(path, dpi=150)
    plt.close(fig)


def _draw_case(ax, place, one):
    for height, colour, train, test in (
        (place - 0.16, GREY, one.plain_train, one.plain_test),
        (place + 0.16, BLUE, one.bag_train, one.bag_test),
    ):
        ax.plot([train, test], [height] * 2, color=colour, linewidth=2, alpha=0.6)
        ax.plot(train, height, "o", markersize=8, color=colour, fillstyle="none")
        ax.plot(test, height, "o", markersize=8, color=colour)
    ax.errorbar(
        one.forecast,
        place + 0.36,
        xerr=2 * one.forecast_error,
        fmt="D",
        markersize=5,
        color=ORANGE,
        capsize=3,
    )
    ax.annotate(
        f"{one.gained:+.3f} on new rows",
        (1.02, place),
        xycoords=("axes fraction", "data"),
        ha="left",
        va="center",
        fontweight="bold" if one.gained > LEVEL else "normal",
        color=BLUE if one.gained > LEVEL else "0.35",
    )


def _legend():
    kinds = [
        ("alone", {"color": GREY, "marker": "o", "linewidth": 2}),
        ("wrapped", {"color": BLUE, "marker": "o", "linewidth": 2}),
        (
            "open: training rows, filled: new rows",
            {"color": "0.3", "marker": "o", "fillstyle": "none", "linewidth": 0},
        ),
        (
            "forecast ± 2 standard errors",
            {"color": ORANGE, "marker": "D", "linewidth": 1},
        ),
    ]
    return [plt.Line2D([], [], label=label, **look) for label, look in kinds]


def main():
    """Run the cases, print the table, save the figure."""
    options = arguments(__doc__.splitlines()[0])
    report = Report("demo", "What wrapping an estimator does", options.quick)
    n_rows = 200 if options.quick else MOST_ROWS
    outcomes = [compare(*case, n_rows=n_rows) for case in CASES]
    report.table(
        "Alone and wrapped",
        [
            "estimator, table",
            "train score",
            "gap",
            "forecast",
            "test score",
            "fits",
            "seconds",
        ],
        rows_of(outcomes),
    )
    report.say(
        "Forecast: the out-of-bag score, from the training rows alone. Gap: training "
        "score minus forecast. All with their standard errors; that of the test score "
        "is for the new rows there are."
    )
    report.say(conclusion(outcomes))
    report.table(
        "A penalty chosen, beside GridSearchCV over the same values",
        _demo_penalty.HEADER,
        [_demo_penalty.compare(*case, n_rows) for case in _demo_penalty.CASES],
    )
    report.say(_demo_penalty.bag_and_tree(n_rows))
    report.table(
        "Features selected, forty columns of noise among them",
        _demo_selection.HEADER,
        [_demo_selection.compare(*case) for case in _demo_selection.CASES],
    )
    report.table(
        "What a report says would help, and what it brings",
        _demo_report.HEADER,
        [_demo_report.compare(*case) for case in _demo_report.CASES],
    )
    report.table(
        "A quarter of the values gone, filled by column means and by the rest of rows",
        _demo_imputation.HEADER,
        [_demo_imputation.compare(*case) for case in _demo_imputation.CASES],
    )
    if not options.quick:
        RESULTS.mkdir(exist_ok=True)
        draw(outcomes, RESULTS / "demo.png")
        report.say("![the scores](demo.png)")
    report.save()


if __name__ == "__main__":
    main()
