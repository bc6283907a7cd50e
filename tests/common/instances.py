"""Instances of every public estimator for the shared checks, over many bases."""

from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    DonorImputer,
    GaussianImputer,
    KnockoffSelector,
    MultipleImputationClassifier,
    MultipleImputationRegressor,
    StableFeatureSelector,
)

CLASSIFIERS = [
    None,
    DecisionTreeClassifier(max_depth=3),
    LogisticRegression(),
    RidgeClassifier(),
    LinearSVC(),
    SVC(),
    KNeighborsClassifier(n_neighbors=3),
    GaussianNB(),
    SGDClassifier(),
    RandomForestClassifier(n_estimators=3),
    HistGradientBoostingClassifier(max_iter=3),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(SimpleImputer(), DecisionTreeClassifier()),
]

REGRESSORS = [
    None,
    DecisionTreeRegressor(max_depth=3),
    Ridge(),
    LinearRegression(),
    LinearSVR(),
    SGDRegressor(),
    SVR(),
    KNeighborsRegressor(n_neighbors=3),
    RandomForestRegressor(n_estimators=3),
    HistGradientBoostingRegressor(max_iter=10),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline(SimpleImputer(), Ridge()),
    make_pipeline(GaussianImputer(), Ridge()),
    make_pipeline(StandardScaler(), KNeighborsRegressor(n_neighbors=3)),
]


ONCE = {"cv": 3, "n_repeats": 1}  # for bases that are fitted value by value

# Repeats cannot be set with the splits that the checks of weights put in place of `cv`.
TUNED = [
    AutoRegularizedCV(Ridge(), values=[0.1, 1.0, 10.0]),
    AutoRegularizedCV(RidgeClassifier(), values=[0.1, 10.0], **ONCE),
    AutoRegularizedCV(make_pipeline(StandardScaler(), Ridge()), cv=3),
    AutoRegularizedCV(Lasso(), values=[0.01, 0.1], **ONCE),
    AutoRegularizedCV(LogisticRegression(tol=1e-8), values=[0.1, 1.0], **ONCE),
    AutoRegularizedCV(
        make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(tol=1e-8)),
        values=[0.1, 1.0],
        **ONCE,
    ),
    AutoRegularizedCV(DecisionTreeClassifier(), cv=3),
    AutoRegularizedCV(DecisionTreeRegressor(), values=[0.0, 0.01, 0.1]),
    AutoRegularizedCV(KNeighborsClassifier(), values=[1, 2, 3], **ONCE),
    AutoRegularizedCV(KNeighborsRegressor(), values=[1, 2, 3], **ONCE),
    AutoRegularizedCV(
        RandomForestRegressor(n_estimators=10, bootstrap=False, max_features=None),
        values=[0.0, 0.01],
        **ONCE,
    ),
    AutoRegularizedCV(LinearSVC(dual=False, tol=1e-10), values=[0.1, 1.0], **ONCE),
    AutoRegularizedCV(GaussianNB(), values=[1e-12, 1e-9], **ONCE),
    AutoRegularizedCV(KernelRidge(), values=[0.1, 1.0], **ONCE),
    AutoRegularizedCV(
        BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=10),
        values=[0.0, 0.01],
    ),
    AutoRegularizedCV(
        BootstrapBaggingClassifier(DecisionTreeClassifier(), n_estimators=10),
        values=[0.0, 0.01],
    ),
]

FEW = {"n_resamples": 5}
FEWEST = {"n_resamples": 2}
SELECTING = [
    StableFeatureSelector(),
    StableFeatureSelector(Ridge(), criterion="frequency", **FEW),
    StableFeatureSelector(LinearRegression(), importance="conditional", **FEW),
    StableFeatureSelector(Lasso(alpha=0.01), **FEW),
    StableFeatureSelector(LogisticRegression(), criterion="pfer", **FEW),
    StableFeatureSelector(make_pipeline(StandardScaler(), RidgeClassifier()), **FEW),
    StableFeatureSelector(criterion="fdr", **FEW),
    StableFeatureSelector(importance="additive", **FEW),
    StableFeatureSelector(DecisionTreeRegressor(max_depth=3), **FEWEST),
    StableFeatureSelector(DecisionTreeClassifier(max_depth=3), **FEWEST),
    StableFeatureSelector(make_pipeline(SimpleImputer(), Ridge()), **FEWEST),
    StableFeatureSelector(KNeighborsRegressor(), importance="permutation", **FEWEST),
    StableFeatureSelector(GaussianNB(), **FEWEST),
    KnockoffSelector(n_copies=3),
    KnockoffSelector(Ridge(), n_copies=2),
    KnockoffSelector(statistic="ridge", n_copies=3, construction="equicorrelated"),
    KnockoffSelector(RandomForestClassifier(n_estimators=3), n_copies=2),
]


IMPUTING = [
    GaussianImputer(),
    GaussianImputer(strategy="draw", add_indicator=True),
    GaussianImputer(marginals="copula"),
    GaussianImputer(n_factors=1),
    GaussianImputer(shrinkage=0.0),
    DonorImputer(),
    DonorImputer(strategy="nearest", add_indicator=True),
    DonorImputer(n_donors=1, n_factors=1),
    MultipleImputationRegressor(n_imputations=2),
    MultipleImputationClassifier(n_imputations=2),
    MultipleImputationRegressor(KNeighborsRegressor(), n_imputations=2),
    MultipleImputationClassifier(LinearSVC(), n_imputations=2),
]


# Half of the rows: checks on six rows would have replicates that leave none out.
STOPPING = {"n_estimators": 10, "early_stopping": "out_of_bag", "max_samples": 0.5}
STOPPED = [
    BootstrapBaggingClassifier(
        HistGradientBoostingClassifier(max_iter=3, early_stopping=True), **STOPPING
    ),
    BootstrapBaggingRegressor(
        HistGradientBoostingRegressor(max_iter=10, early_stopping=True), **STOPPING
    ),
]


def instances():
    """One estimator for each public class and base."""
    bags = [BootstrapBaggingClassifier(base, n_estimators=10) for base in CLASSIFIERS]
    bags += [BootstrapBaggingRegressor(base, n_estimators=10) for base in REGRESSORS]
    return [
        *TUNED,
        *SELECTING,
        *IMPUTING,
        *bags,
        *STOPPED,
        BootstrapBaggingClassifier(max_estimators=10),
        BootstrapBaggingRegressor(Ridge(), max_estimators=10),
        BootstrapBaggingClassifier(KNeighborsClassifier(n_neighbors=3)),
        BootstrapBaggingRegressor(KNeighborsRegressor(n_neighbors=3)),
    ]
