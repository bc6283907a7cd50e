"""Bags at the price of one fit: members from shared sums, predictions from one vector.

scikit-learn's bagging gets the same estimator, the same data and as many members. Runs
alternate and each pair gives a ratio, scikit-learn's time over ours; tables show the
median and the range of ratios. Times are processor times with one job and one thread,
without out-of-bag scores unless a row says so. Errors of coefficients are the largest
difference from a reference relative to the largest coefficient, on the same draws: from
fits one by one, or, where a solver stops at a tolerance, from fits one by one at a
tolerance of 1e-12. Logistic and generalised linear models have in both bags the
greatest tolerance (a power of ten, at most the default) at which single fits have
errors of at most 1e-5.
"""

import warnings

import numpy as np
from _bagging_cases import (
    PAIRS,
    bag_of,
    classes,
    counts,
    positive,
    regression,
    scaled,
    words,
)
from _bagging_predictions import pickle_rows, prediction_rows
from _fresh_process import seconds
from _report import Report, arguments, median_and_range, verdict
from _tables import load
from sklearn.base import clone, is_regressor
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

# What coefficients are compared with; SOLVED also sets the tolerance of both bags.
EXACT, TIGHT, SOLVED = "exact", "tight", "solved"


def three_classes(n, p):
    """The same in three classes."""
    return classes(n, p, 3)


def smooth_cells(solver):
    """Cells of losses that are minimised step by step."""
    settings = {"solver": solver, "max_iter": 1000}
    kinds = [
        (LogisticRegression(**settings), classes),
        (LogisticRegression(**settings), three_classes),
        (PoissonRegressor(**settings), counts),
        (GammaRegressor(**settings), positive),
        (TweedieRegressor(power=1.5, **settings), positive),
    ]
    sizes = [(500, 10), (2000, 20), (10_000, 30)]
    return [(*kind, size, SOLVED) for kind in kinds for size in sizes]


SIZES = [(n, p) for n in (500, 2000, 10_000) for p in (5, 20, 50)]
SUM_SIZES = [(500, 10), (2000, 20), (10_000, 50)]
# name: target of the geometric mean, target of the worst cell, members, rows
FAMILIES = {
    "linear": (
        30, 5, 200,
        [(LinearRegression(), regression, size, EXACT) for size in SIZES]
        + [(Ridge(), regression, size, EXACT) for size in SIZES]
        + [(RidgeClassifier(), classes, size, EXACT) for size in SIZES]
        + [(scaled(Ridge()), regression, size, EXACT) for size in SIZES],
    ),
    "linear, more columns than rows": (
        None, None, 200, [(Ridge(), regression, (100, 500), EXACT)],
    ),
    "logistic and generalised linear, lbfgs": (8, None, 100, smooth_cells("lbfgs")),
    "logistic and generalised linear, newton-cholesky": (
        8, None, 100, smooth_cells("newton-cholesky"),
    ),
    "sums of classes": (
        20, None, 100,
        [(GaussianNB(), classes, size, None) for size in SUM_SIZES]
        + [(MultinomialNB(), words, size, None) for size in SUM_SIZES]
        + [(LinearDiscriminantAnalysis(), classes, size, None) for size in SUM_SIZES]
        + [(QuadraticDiscriminantAnalysis(), classes, size, None)
           for size in SUM_SIZES],
    ),
    "lasso": (
        1, 1, 100,
        [(Lasso(alpha=0.1), regression, size, TIGHT) for size in SUM_SIZES]
        + [(ElasticNet(alpha=0.1), regression, size, TIGHT) for size in SUM_SIZES]
        + [(Lasso(alpha=0.1), regression, (100, 300), TIGHT)],
    ),
}  # fmt: skip


def last_of(model):
    """The last step of a fitted member."""
    return model[-1] if hasattr(model, "steps") else model


def coefficients(bag):
    """All members' coefficients, stacked."""
    return np.stack([np.ravel(last_of(model).coef_) for model in bag.estimators_])


def tight(estimator):
    """The estimator with a tolerance far below what is compared."""
    changed = clone(estimator).set_params(tol=1e-12, max_iter=100_000)
    if "solver" in changed.get_params():
        changed.set_params(solver="newton-cholesky")
    return changed


def solved(estimator, X, y, most=1e-5):
    """The estimator with the greatest tolerance at which its errors are small."""
    few = 5
    best = coefficients(
        bag_of(True, tight(estimator), few, 0, engine="generic").fit(X, y)
    )
    for digits in range(4, 10):
        own = clone(estimator).set_params(tol=10.0**-digits)
        found = coefficients(bag_of(True, own, few, 0, engine="generic").fit(X, y))
        if np.abs(found - best).max() <= most * np.abs(best).max():
            break
    return own


def coefficient_error(estimator, X, y, reference):
    """The error of our members' coefficients on twenty draws, and of single fits."""
    if reference is None:
        return "", ""
    shared = bag_of(True, estimator, 20, 0).fit(X, y)
    single = bag_of(True, estimator, 20, 0, engine="generic").fit(X, y)
    found, one_by_one = coefficients(shared), coefficients(single)
    best = one_by_one
    if reference != EXACT:
        best = coefficients(
            bag_of(True, tight(estimator), 20, 0, engine="generic").fit(X, y)
        )
    scale = np.abs(best).max()
    own = f"{np.abs(found - best).max() / scale:.0e}"
    if reference == EXACT:
        return own, ""
    return own, f"{np.abs(one_by_one - best).max() / scale:.0e}"


def paired_fits(estimator, X, y, n_members, n_pairs):
    """Times of alternating fits, (n_pairs, 2), and the engine that ran."""
    times, engines = [], set()
    for pair in range(n_pairs):
        both = [None, None]
        for ours in (True, False) if pair % 2 else (False, True):
            bag = bag_of(ours, estimator, n_members, pair)
            both[not ours] = seconds(bag.fit, X, y)
            if ours:
                engines.add(bag.engine_)
        times.append(both)
    [engine] = engines
    return np.array(times), engine


def family_rows(name, quick):
    """A line for each cell, and the median ratios."""
    _, _, n_members, cells = FAMILIES[name]
    rows, ratios = [], []
    for estimator, data, (n, p), reference in cells:
        if quick and (n, p) not in ((500, 10), (500, 5)):
            continue
        X, y = data(n, p)
        if reference == SOLVED:
            estimator = solved(estimator, X, y)
        members = 20 if quick else n_members
        bag_of(True, estimator, 10, 0).fit(X, y)  # what is imported late
        times, engine = paired_fits(estimator, X, y, members, 2 if quick else PAIRS)
        ratio = times[:, 1] / times[:, 0]
        ratios.append(np.median(ratio))
        text = " ".join(str(estimator).split()).replace("max_iter=1000, ", "")
        text = text.replace("solver='newton-cholesky', ", "").replace(", )", ")")
        classes_ = "" if is_regressor(estimator) else f", {len(np.unique(y))} classes"
        rows.append(
            [
                f"{text}, {n} x {p}{classes_}",
                engine,
                *(f"{1e3 * t:.0f}" for t in np.median(times, axis=0)),
                median_and_range(ratio, 1),
                *coefficient_error(estimator, X, y, reference),
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(ratios)


def neighbour_rows(quick):
    """The limit of infinitely many replicates beside a hundred, fit and predict."""
    rows, ratios = [], []
    sizes = [(500, 200)] if quick else [(2000, 2000)]
    for n, m in sizes:
        for k in (1, 5, 20):
            for kind, data in (
                (KNeighborsRegressor, regression), (KNeighborsClassifier, classes),
            ):  # fmt: skip
                X, y = data(n + m, 10)
                parts = X[:n], y[:n], X[n:]
                times = []
                for pair in range(2 if quick else PAIRS):
                    both = [None, None]
                    for ours in (True, False) if pair % 2 else (False, True):
                        size = "auto" if ours else 100
                        bag = bag_of(ours, kind(k), size, pair)
                        both[not ours] = seconds(_fit_predict, bag, *parts)
                    times.append(both)
                times = np.array(times)
                ratio = times[:, 1] / times[:, 0]
                ratios.append(np.median(ratio))
                rows.append(
                    [
                        f"{kind.__name__}({k}), {n} + {m} rows of 10",
                        *(f"{1e3 * t:.0f}" for t in np.median(times, axis=0)),
                        median_and_range(ratio, 1),
                    ]
                )
                print("  " + " | ".join(rows[-1]), flush=True)
    return rows, np.array(ratios)


def _fit_predict(bag, X, y, new):
    bag.fit(X, y)
    (bag.predict_proba if hasattr(bag, "predict_proba") else bag.predict)(new)


LOSS_TABLES = ["concrete", "Sacramento", "Auto", "wa_churn", "OJ", "spam7", "monica"]


def neighbour_losses(quick):
    """Test losses of the limit and of a hundred replicates on real tables."""
    rows, ratios = [], []
    for name in LOSS_TABLES[: 2 if quick else None]:
        table = load(name).sample(1500, 0)
        X, y = table.codes(), table.y
        X = StandardScaler().fit_transform(np.nan_to_num(np.asarray(X, dtype=float)))
        stratify = None if table.task == "regression" else y
        split = train_test_split(X, y, random_state=0, test_size=0.4, stratify=stratify)
        X_train, X_test, y_train, y_test = split
        kind = KNeighborsClassifier if stratify is not None else KNeighborsRegressor
        losses = []
        for ours, size in ((True, "auto"), (True, 100), (False, 100)):
            bag = bag_of(ours, kind(5), size, 0).fit(X_train, y_train)
            losses.append(_loss(bag, X_test, y_test))
        losses.append(_loss(kind(5).fit(X_train, y_train), X_test, y_test))
        ratios.append(losses[0] / losses[2])
        rows.append([name, *(f"{loss:.4f}" for loss in losses)])
    return rows, np.array(ratios)


def _loss(model, X, y):
    if not is_regressor(model):
        return log_loss(
            y, np.clip(model.predict_proba(X), 1e-3, 1), labels=np.unique(y)
        )
    return root_mean_squared_error(y, model.predict(X))


def target_rows(found, neighbours, losses):
    """The targets of fits, what was found, and whether it is met."""
    rows = []
    for name, ratios in found.items():
        mean_target, worst_target, n_members, _ = FAMILIES[name]
        mean = np.exp(np.log(ratios).mean())
        for what, target, value in (
            ("geometric mean", mean_target, mean),
            ("worst cell", worst_target, ratios.min()),
        ):
            if target is not None:
                text = f"{name}, {n_members} members, {what}"
                met = verdict(value >= target)
                rows.append([text, f"{target}", f"{value:.1f}", met])
    mean = np.exp(np.log(neighbours).mean())
    rows.append(
        ["neighbours, fit and predict, geometric mean", "30", f"{mean:.1f}",
         verdict(mean >= 30)]
    )  # fmt: skip
    ratio = np.exp(np.log(losses).mean())
    rows.append(
        ["neighbours, test loss / that of 100 replicates, geometric mean", "1",
         f"{ratio:.4f}", verdict(ratio <= 1)]
    )  # fmt: skip
    return rows


def main():
    """Run everything; print and write the tables."""
    args = arguments(__doc__.splitlines()[0])
    warnings.filterwarnings("ignore")
    report = Report("bagging_speed", "Bags at the price of one fit", args.quick)
    report.say(__doc__.split("\n\n", 1)[1].strip().replace("\n", " "))
    found, tables = {}, []
    for name in FAMILIES:
        rows, ratios = family_rows(name, args.quick)
        if len(rows):
            found[name] = ratios
            tables.append((name, rows))
    neighbours, neighbour_ratios = neighbour_rows(args.quick)
    losses, loss_ratios = neighbour_losses(args.quick)
    report.table(
        "Targets of fits",
        ["what", "target", "found", "verdict"],
        target_rows(found, neighbour_ratios, loss_ratios),
    )
    header = ["case", "engine", "ms", "peer", "ratio", "error", "error of single fits"]
    for name, rows in tables:
        report.table(f"Fits: {name}, {FAMILIES[name][2]} members", header, rows)
    report.table(
        "Nearest neighbours, fit and predict: infinitely many replicates against 100",
        ["case", "ms", "peer", "ratio"],
        neighbours,
    )
    report.table(
        "Their test losses (root mean squared error, log-loss clipped at 0.001), k = 5",
        ["table", "limit", "our 100", "scikit-learn's 100", "single"],
        losses,
    )
    report.table(
        "Predictions of 100 members, ms",
        ["case", "target", "ms", "peer", "ratio", "difference", "verdict"],
        prediction_rows(args.quick),
    )
    report.table(
        "Bytes of a pickled bag of 100 members",
        ["case", "ours", "ours, compact", "scikit-learn's", "ratio", "ratio, compact"],
        pickle_rows(args.quick),
    )
    report.save()


if __name__ == "__main__":
    main()
