"""Instances of every public estimator for the shared checks, over many bases."""

from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
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
    SVR(),
    KNeighborsRegressor(n_neighbors=3),
    RandomForestRegressor(n_estimators=3),
    HistGradientBoostingRegressor(max_iter=10),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline(SimpleImputer(), Ridge()),
    make_pipeline(StandardScaler(), KNeighborsRegressor(n_neighbors=3)),
]


TUNED = [
    AutoRegularizedCV(Ridge(), values=[0.1, 1.0, 10.0]),
    AutoRegularizedCV(DecisionTreeRegressor(), values=[0.0, 0.01, 0.1]),
    AutoRegularizedCV(LogisticRegression(tol=1e-8), values=[0.1, 1.0, 10.0]),
]


def instances():
    """One estimator for each public class and base."""
    bags = [BootstrapBaggingClassifier(base, n_estimators=10) for base in CLASSIFIERS]
    bags += [BootstrapBaggingRegressor(base, n_estimators=10) for base in REGRESSORS]
    return [
        *TUNED,
        *bags,
        BootstrapBaggingClassifier(max_estimators=10),
        BootstrapBaggingRegressor(Ridge(), max_estimators=10),
    ]
