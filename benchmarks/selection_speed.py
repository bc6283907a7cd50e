"""Time of selectors and importances beside their peers, on the same data, one thread.

Processor times. Ratios are of the peer's time to ours: medians (least to most) of
alternating pairs, or one pair where the peer takes minutes.
"""

import tempfile
import time
import warnings

import numpy as np
from _report import Report, arguments, median_and_range
from _selection_designs import additive_bumps, ipss_q_values, toeplitz_linear
from _selection_importances import HEADER, importance_rows
from _selection_knockoffs import (
    COPIES_HEADER,
    MVR_HEADER,
    copies_rows,
    mvr_rows,
)
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from genestimators import StableFeatureSelector

warnings.filterwarnings("ignore")


def seconds(call):
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def selector_rows(quick):
    """Whole selections beside others on the same table."""
    n, p = (100, 20) if quick else (500, 100)
    repeats = 1 if quick else 3
    X, y, _ = toeplitz_linear(0, n_rows=n, n_features=p, n_true=10)
    forest = RandomForestRegressor(max_depth=5, random_state=0)
    peers = {
        "RFECV(Ridge)": lambda: RFECV(Ridge(), cv=5).fit(X, y),
        "SequentialFeatureSelector(Ridge)": lambda: SequentialFeatureSelector(
            Ridge(), n_features_to_select="auto", tol=1e-3, cv=5
        ).fit(X, y),
        "BorutaPy": lambda: boruta(forest).fit(X, y),
    }
    rows = []
    for name, peer in peers.items():
        own, theirs = [], []
        for repeat in range(1 if name == "BorutaPy" else repeats):
            ours = StableFeatureSelector(Ridge(), random_state=repeat)
            own.append(seconds(lambda s=ours: s.fit(X, y))[0])
            theirs.append(seconds(peer)[0])
        rows.append(_row(f"prediction, {n} x {p}", own, name, theirs, "-"))
    rows.append(additive_row(quick))
    return rows


def additive_row(quick):
    """The additive selection, its permuted runs included, beside ipss."""
    own, theirs = [], []
    settings = {"n_rows": 100, "n_features": 30} if quick else {}
    for seed in range(1 if quick else 3):
        X, y, _ = additive_bumps(seed, **settings)
        ours = StableFeatureSelector(
            importance="additive", criterion="fdr", random_state=seed
        )
        own.append(seconds(lambda s=ours, X=X, y=y: s.fit(X, y))[0])
        theirs.append(ipss_q_values(X, y, seed=seed)[2])
    n, p = X.shape
    return _row(f"additive, fdr, {n} x {p}", own, "ipss 'gb'", theirs, ">= 3")


def _row(name, own, peer, theirs, target):
    ratios = np.divide(theirs, own)
    return [
        name, f"{np.median(own):.3f}", peer, f"{np.median(theirs):.2f}",
        median_and_range(ratios, 1), target,
    ]  # fmt: skip


def boruta(forest):
    from boruta import BorutaPy

    return BorutaPy(forest, n_estimators="auto", random_state=0)


def grid_rows(quick):
    """A grid of twenty rates, beside one of them."""
    n, p = (100, 10) if quick else (500, 100)
    X, y, _ = toeplitz_linear(0, n_rows=n, n_features=p, n_true=10)
    alphas = np.linspace(0.05, 0.5, 20).tolist()
    rows = []
    for criterion, values in {
        "fdr": alphas,
        "pfer_r_concave": (20 * np.array(alphas)).tolist(),
    }.items():
        ratios, times = [], []
        for _ in range(1 if quick else 3):
            took = []
            for some in (values[:1], values):
                with tempfile.TemporaryDirectory() as folder:
                    model = make_pipeline(
                        StableFeatureSelector(
                            criterion=criterion, memory=folder, random_state=0
                        ),
                        Ridge(),
                    )
                    search = GridSearchCV(
                        model, {"stablefeatureselector__alpha": some}, cv=5
                    )
                    took.append(seconds(lambda s=search: s.fit(X, y))[0])
            times.append(took)
            ratios.append(took[1] / took[0])
        one, every = np.median(times, axis=0)
        rows.append(
            [f"{criterion}, {n} x {p}", f"{one:.2f}", f"{every:.2f}",
             median_and_range(ratios), "<= 1.3"]
        )  # fmt: skip
    return rows


def main():
    args = arguments(__doc__)
    report = Report("selection_speed", "The time of selecting", args.quick)
    report.table(
        "Selections",
        ["selection", "ours (s)", "peer", "peer (s)", "ratio", "target"],
        selector_rows(args.quick),
    )
    report.table(
        "A grid search over 20 values of alpha, five folds, with `memory`",
        ["criterion", "one value (s)", "20 values (s)", "ratio", "target"],
        grid_rows(args.quick),
    )
    report.table("Importances", HEADER, importance_rows(args.quick))
    if not args.quick:
        report.table(
            "25 sets of knockoff copies beside one of the peer (target: >= 10)",
            COPIES_HEADER,
            copies_rows(),
        )
        report.table(
            "Minimum-variance construction, p = 500 (target: >= 5, no worse loss)",
            MVR_HEADER,
            mvr_rows(),
        )
    report.save()


if __name__ == "__main__":
    main()
