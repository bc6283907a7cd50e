"""Time of a whole validation curve: AutoRegularizedCV beside GridSearchCV and others.

Each row is an estimator, data and values of one parameter. Both sides use the same
folds and both make training scores; neither refits. Where GridSearchCV would take
minutes it is given a part of the values, evenly spaced, and its time is scaled up.
"""

import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from _report import Report, arguments, median_and_range
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    RidgeCV,
)
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV

warnings.filterwarnings("ignore")  # of convergence, on both sides


@dataclass
class Row:
    """One line of the table.

    Attributes
    ----------
    name : str
    data : callable
        Makes X, y.
    estimator : estimator
    param : str
    values : sequence
    target : str
        What the ratio should be.
    tried : int
        How many values GridSearchCV is given.
    peers : dict
        Names and functions of (X, y, values, folds) that fit another peer.
    classify : bool
    settings : dict
        Further parameters of AutoRegularizedCV.
    repeats : int
        Pairs of timed runs.
    """

    name: str
    data: object
    estimator: object
    param: str
    values: object
    target: str
    tried: int = 5
    peers: dict = field(default_factory=dict)
    classify: bool = False
    settings: dict = field(default_factory=dict)
    repeats: int = 3


def regression(n, p, *, noise=50.0, informative=None):
    def make():
        return make_regression(
            n,
            p,
            n_informative=informative or max(1, p // 2),
            noise=noise,
            random_state=0,
        )

    return make


def smooth(n, p, noise=0.5):
    """A curved function of a few columns."""

    def make():
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, p))
        y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + noise * rng.normal(size=n)
        return X, y

    return make


def classes(n, p, k=2):
    def make():
        return make_classification(
            n, p, n_informative=max(3, p // 2), n_classes=k, flip_y=0.1, random_state=0
        )

    return make


def counts(n, p):
    def make():
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, p))
        return X, rng.poisson(np.exp(0.3 * X[:, :5].sum(axis=1) / 2)).astype(float)

    return make


def rows():
    """All lines of the table."""
    alphas = np.geomspace(1e-3, 1e6, 100)
    few = np.geomspace(1e-3, 1e3, 20)
    cs = np.geomspace(1e-4, 1e2, 30)
    scaled = make_pipeline(StandardScaler(), Ridge())
    return [
        Row("StandardScaler + Ridge alpha, 20,000 x 100", regression(20_000, 100),
            scaled, "ridge__alpha", alphas, ">= 200", 3,
            {"RidgeCV, leave-one-out": ridge_cv, "one fit of the pipeline": one_fit},
            repeats=9),
        Row("Ridge alpha, p > n, 300 x 1,000", regression(300, 1000), Ridge(), "alpha",
            np.geomspace(1e-2, 1e5, 50), "-", 5),
        Row("RidgeClassifier alpha, 20,000 x 50", classes(20_000, 50),
            make_pipeline(StandardScaler(), RidgeClassifier()),
            "ridgeclassifier__alpha",
            np.geomspace(1e-3, 1e6, 50), "-", 4, classify=True),
        Row("KernelRidge alpha (rbf), 1,000 x 10", smooth(1000, 10),
            KernelRidge(kernel="rbf"), "alpha", np.geomspace(1e-3, 1e2, 40), ">= 4", 5),
        Row("Lasso alpha, 20,000 x 200", regression(20_000, 200, informative=20),
            Lasso(), "alpha", np.geomspace(0.1, 100, 100), ">= 100", 4,
            {"LassoCV, same folds": lasso_cv}),
        Row("ElasticNet alpha, 20,000 x 200", regression(20_000, 200, informative=20),
            ElasticNet(), "alpha", np.geomspace(0.1, 100, 100), ">= 100", 4),
        Row("LogisticRegression C, 10,000 x 50", classes(10_000, 50),
            LogisticRegression(max_iter=1000), "C", cs, "-", 6,
            {"LogisticRegressionCV, same folds": logistic_cv}, classify=True,
            settings={"scoring": "neg_log_loss"}),
        Row("LogisticRegression C, 200 x 20", classes(200, 20),
            LogisticRegression(max_iter=1000), "C", cs, "-", 30,
            {"LogisticRegressionCV, same folds": logistic_cv}, classify=True,
            settings={"scoring": "neg_log_loss"}, repeats=9),
        Row("PoissonRegressor alpha, 5,000 x 20", counts(5000, 20),
            PoissonRegressor(max_iter=1000), "alpha", few, "-", 20),
        Row("DecisionTree ccp_alpha, 41 values, 4,000 x 10", smooth(4000, 10),
            DecisionTreeRegressor(random_state=0), "ccp_alpha",
            np.r_[0.0, np.geomspace(1e-4, 0.3, 40)], ">= 40", 41),
        Row("DecisionTree max_leaf_nodes, 4,000 x 10", smooth(4000, 10),
            DecisionTreeRegressor(random_state=0), "max_leaf_nodes",
            np.unique(np.geomspace(2, 2000, 40).astype(int)), "-", 40),
        Row("DecisionTree max_depth, 4,000 x 10", smooth(4000, 10),
            DecisionTreeRegressor(random_state=0), "max_depth",
            np.arange(1, 21), "-", 20),
        Row("RandomForest ccp_alpha, out of bag, 1,000 x 10", smooth(1000, 10),
            RandomForestRegressor(random_state=0), "ccp_alpha",
            np.r_[0.0, np.geomspace(1e-4, 0.1, 20)], ">= 75", 3,
            {"one fit of the forest": one_fit},
            settings={"cv": "out_of_bag"}),
        Row("RandomForest n_estimators, out of bag, 1,000 x 10", smooth(1000, 10),
            RandomForestRegressor(random_state=0), "n_estimators",
            np.arange(40, 231, 10), "-", 3, settings={"cv": "out_of_bag"}),
        Row("HistGradientBoosting max_iter, 40 values, 2,000 x 10", smooth(2000, 10),
            HistGradientBoostingRegressor(random_state=0, early_stopping=False),
            "max_iter", np.arange(5, 201, 5), ">= 15", 8),
        Row("GradientBoosting n_estimators, 40 values, 1,000 x 10", smooth(1000, 10),
            GradientBoostingRegressor(random_state=0), "n_estimators",
            np.arange(5, 201, 5), ">= 15", 8),
        Row("KNeighbors n_neighbors, k = 1..100, 4,000 x 20", smooth(4000, 20),
            KNeighborsRegressor(), "n_neighbors", np.arange(1, 101), ">= 35", 10),
        Row("PCA n_components + Ridge, 2,000 x 100", regression(2000, 100),
            make_pipeline(PCA(svd_solver="covariance_eigh"), Ridge()),
            "pca__n_components", np.arange(5, 101, 5), ">= 10", 20),
        Row("PCA n_components + LogisticRegression, 2,000 x 100", classes(2000, 100),
            make_pipeline(PCA(svd_solver="covariance_eigh"), LogisticRegression()),
            "pca__n_components", np.arange(5, 101, 5), ">= 10", 20, classify=True),
        Row("PLSRegression n_components, 2,000 x 50", regression(2000, 50),
            PLSRegression(), "n_components", np.arange(1, 21), ">= 10", 20),
        Row("LDA shrinkage, 2,000 x 50", classes(2000, 50, 3),
            LinearDiscriminantAnalysis(solver="lsqr"), "shrinkage",
            np.linspace(0.05, 1, 20), ">= 10", 20, classify=True),
        Row("QDA reg_param, 2,000 x 50", classes(2000, 50, 3),
            QuadraticDiscriminantAnalysis(), "reg_param", np.linspace(0.05, 0.95, 20),
            ">= 10", 20, classify=True),
        Row("SelectKBest k + Ridge, 2,000 x 200", regression(2000, 200),
            make_pipeline(SelectKBest(f_regression), Ridge()), "selectkbest__k",
            np.arange(10, 201, 10), ">= 10", 20),
        Row("MLP epochs, 500 x 10", smooth(500, 10),
            MLPRegressor(hidden_layer_sizes=(32,), random_state=0,
                         n_iter_no_change=10_000),
            "max_iter", np.arange(5, 101, 5), ">= 10", 20),
        Row("SVC C (rbf), 1,000 x 10", classes(1000, 10), SVC(), "C",
            np.geomspace(1e-2, 1e2, 10), ">= 1", 10, classify=True),
        Row("PCA + LinearSVC C, 2,000 x 200 (no path)", classes(2000, 200),
            make_pipeline(StandardScaler(), PCA(50), LinearSVC()),
            "linearsvc__C", np.geomspace(1e-4, 1e-1, 10), ">= 1", 10, classify=True),
    ]  # fmt: skip


def ridge_cv(X, y, values, folds):
    make_pipeline(StandardScaler(), RidgeCV(alphas=values)).fit(X, y)


def lasso_cv(X, y, values, folds):
    LassoCV(alphas=values, cv=folds).fit(X, y)


def logistic_cv(X, y, values, folds):
    LogisticRegressionCV(
        Cs=values, cv=folds, scoring="neg_log_loss", max_iter=1000, refit=False
    ).fit(X, y)


def one_fit(X, y, values, folds, estimator=None):
    estimator.fit(X, y)


def out_of_bag_score(row, value, X, y):
    """That of a forest fitted with one value, as scikit-learn has it."""
    model = clone(row.estimator).set_params(oob_score=True, **{row.param: value})
    return model.fit(X, y).oob_score_


def seconds(call):
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def measure(row):
    """The cells of a line."""
    X, y = row.data()
    splitter = StratifiedKFold(5) if row.classify else KFold(5)
    folds = list(splitter.split(X, y))
    values = list(row.values)
    places = np.unique(np.linspace(0, len(values) - 1, row.tried).round().astype(int))
    scoring = row.settings.get("scoring")
    search = GridSearchCV(
        row.estimator,
        {row.param: [values[i] for i in places]},
        cv=folds,
        scoring=scoring,
        refit=False,
        return_train_score=True,
    )
    settings = {"cv": folds, "rule": "best", "refit": False} | row.settings
    ours = AutoRegularizedCV(
        row.estimator, param=row.param, values=values, random_state=0, **settings
    )
    scale = len(values) / len(places)
    own, theirs, ratios = [], [], []
    others = {name: [] for name in row.peers}
    for _ in range(row.repeats):
        a, fitted = seconds(lambda: ours.fit(X, y))
        b, searched = seconds(lambda: search.fit(X, y))
        own.append(a)
        theirs.append(scale * b)
        ratios.append(scale * b / a)
        for name, peer in row.peers.items():
            more = {"estimator": row.estimator} if peer is one_fit else {}
            took, _ = seconds(lambda p=peer, m=more: p(X, y, values, folds, **m))
            others[name].append(took / a if peer is not one_fit else a / took)
    found = fitted.cv_results_["mean_test_score"][places]
    if settings["cv"] is folds:
        wanted = searched.cv_results_["mean_test_score"]
    else:
        wanted = [out_of_bag_score(row, values[i], X, y) for i in places]
    difference = f"{np.nanmax(np.abs(found - wanted)):.1e}"
    extra = "; ".join(
        f"{name}: {median_and_range(times)}" for name, times in others.items()
    )
    return [
        row.name,
        str(len(values)),
        f"{np.median(own):.3f}",
        f"{np.median(theirs):.2f}" + ("" if scale == 1 else "*"),
        median_and_range(ratios, 1),
        row.target,
        f"{fitted.engine_}, {fitted.exactness_}",
        difference,
        extra or "-",
    ]


def main():
    args = arguments(__doc__)
    report = Report("paths_speed", "The time of a whole curve", args.quick)
    report.say(
        "Five folds, training scores on both sides, no refit, one thread, processor "
        "times. Ratio: time of GridSearchCV over ours, median (least to most) of "
        "alternating pairs; ours is the whole fit of AutoRegularizedCV, corrected "
        "score included. * : time "
        "scaled up from a part of the values. Difference: the largest of mean "
        "validation scores at the same values; out of bag, to the `oob_score_` of "
        "forests fitted with them. Other peers: their time over ours; for "
        '"one fit", our time over that of one fit.'
    )
    table = []
    for row in rows():
        if args.quick:
            row.repeats, row.values = (
                1,
                list(row.values)[:: max(1, len(row.values) // 3)],
            )
            row.tried = 2
            data = row.data
            row.data = lambda data=data: tuple(part[:200] for part in data())
        table.append(measure(row))
        print(" | ".join(table[-1]), flush=True)
    report.table(
        "Curves",
        ["estimator and parameter", "values", "ours (s)", "GridSearchCV (s)", "ratio",
         "target", "engine", "difference", "other peers"],
        table,
    )  # fmt: skip
    report.save()


if __name__ == "__main__":
    main()
