"""Linear models that were fitted one by one, as one path.

Whatever has chosen the coefficients, predictions are one product with them. What is
needed for that are the public `coef_` and `intercept_` of the fitted models.
"""

import numpy as np
from scipy.special import expit
from sklearn import linear_model, svm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from genestimators.fitting.families.linear._linear import LinearPath
from genestimators.fitting.families.linear._linear_mean import finite_numbers
from genestimators.fitting.families.linear._linear_members import LinearMembers
from genestimators.fitting.families.linear._linear_totals import (
    SUMS,
    linear_total,
    to_shares,
)


def _known(module, *names):
    """The classes of a module that this version of it has."""
    return {getattr(module, name) for name in names if hasattr(module, name)}


# Classes whose predictions are ``X @ coef_.T + intercept_``, exactly these: a subclass
# may predict otherwise.
_REGRESSORS = frozenset(
    {svm.LinearSVR}
    | _known(
        linear_model,
        "ARDRegression",
        "BayesianRidge",
        "ElasticNet",
        "ElasticNetCV",
        "HuberRegressor",
        "Lars",
        "LarsCV",
        "Lasso",
        "LassoCV",
        "LassoLars",
        "LassoLarsCV",
        "LassoLarsIC",
        "LinearRegression",
        "MultiTaskElasticNet",
        "MultiTaskElasticNetCV",
        "MultiTaskLasso",
        "MultiTaskLassoCV",
        "OrthogonalMatchingPursuit",
        "OrthogonalMatchingPursuitCV",
        "PassiveAggressiveRegressor",
        "QuantileRegressor",
        "Ridge",
        "RidgeCV",
        "SGDRegressor",
        "TheilSenRegressor",
    )
)
# Classes that decide by the sign, or the largest, of ``X @ coef_.T + intercept_``.
_LIKELY = frozenset(
    {
        LinearDiscriminantAnalysis,
        linear_model.LogisticRegression,
        linear_model.LogisticRegressionCV,
    }
)
_CLASSIFIERS = _LIKELY | frozenset(
    {svm.LinearSVC}
    | _known(
        linear_model,
        "PassiveAggressiveClassifier",
        "Perceptron",
        "RidgeClassifier",
        "RidgeClassifierCV",
        "SGDClassifier",
    )
)


class GatheredMembers(LinearMembers):
    """Linear models that were fitted one by one.

    Parameters
    ----------
    models : list of fitted estimators
    coef : ndarray of shape (n_values, n_outputs, p)
    offset : ndarray of shape (n_values, n_outputs)
    flat : bool
        Whether predictions have one dimension.
    classes : ndarray or None
        Of classifiers.
    """

    _by_value = ("coef", "offset", "models")
    scaling = None

    def __init__(self, models, coef, offset, *, flat, classes):
        LinearPath.__init__(
            self, models[0], None, (), coef, np.zeros(coef.shape[2]), offset, far=False
        )
        self.models = models
        self.flat = flat
        self.classes_ = classes

    def numbers(self, X):
        return finite_numbers(X, self.coef.shape[2], type(self.template).__name__)

    def predict_proba(self, X):
        scores = self.linear(X).astype(np.float64, copy=False)
        if scores.shape[1] > 1:
            return np.moveaxis(to_shares(scores), 1, 2)
        second = expit(scores[:, 0])
        return np.stack([1 - second, second], axis=-1)

    def total(self, X, response):
        return linear_total(self, X, response, SUMS)

    def model(self, i):
        return self.models[i]


def gather_linear(models, features, response, n_features):
    """Linear models as one path that answers as they do, but for rounding.

    Parameters
    ----------
    models : list of fitted estimators
    features : list of ndarray or None
        The columns of each; None is all of them.
    response : Response
        What they will be asked.
    n_features : int
        Columns of X.

    Returns
    -------
    path : GatheredMembers or None
        None where it is not known that they predict so, where they have seen different
        classes, and where there are columns that no member looks at: what is in those
        is nobody's business.
    """
    kind = type(models[0])
    if kind not in _REGRESSORS | _CLASSIFIERS or len(set(map(type, models))) > 1:
        return None
    classes = None
    if kind in _CLASSIFIERS:
        if len(response.classes) != 1 or not all(map(_asks_scores(response), models)):
            return None
        [classes] = response.classes
        if not all(np.array_equal(model.classes_, classes) for model in models):
            return None
    elif response.kind != "predict":
        return None
    coef = [np.asarray(model.coef_) for model in models]
    if len({(one.shape, one.dtype) for one in coef}) > 1 or coef[0].dtype.kind != "f":
        return None
    flat = coef[0].ndim == 1
    coef = np.stack(coef).reshape(len(models), -1, coef[0].shape[-1])
    offset = np.stack(
        [np.broadcast_to(model.intercept_, coef.shape[1]) for model in models]
    )
    if classes is not None and coef.shape[1] != (
        1 if len(classes) == 2 else len(classes)
    ):
        return None
    if not (np.isfinite(coef).all() and np.isfinite(offset).all()):
        return None
    if features[0] is not None:
        seen = np.zeros(n_features, dtype=bool)
        seen[np.concatenate(features)] = True
        if not seen.all():
            return None
        whole = np.zeros((*coef.shape[:2], n_features), dtype=coef.dtype)
        for own, columns, few in zip(whole, features, coef, strict=True):
            own[:, columns] = few
        coef = whole
    return GatheredMembers(models, coef, offset, flat=flat, classes=classes)


def _asks_scores(response):
    """A function that tells whether a model's answers follow from its scores."""

    def follow(model):
        if response.kind in ("decision", "vote"):
            return True
        if type(model) not in _LIKELY:
            return False
        # Older versions fit a model for each class on demand.
        joint = getattr(model, "multi_class", "auto") in ("auto", "deprecated")
        apart = getattr(model, "solver", None) == "liblinear"
        return joint and (len(model.classes_) == 2 or not apart)

    return follow
