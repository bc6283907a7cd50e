"""Models of several completions of the training rows, drawn with the target in view."""

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
    is_classifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from genestimators import _params
from genestimators._delegate import DocLink, inherit_tags
from genestimators._inputs import (
    as_container,
    check_sample_weight,
    check_y,
    is_frame,
    n_rows_of,
    take_rows,
)
from genestimators._params import HasMethods, Interval
from genestimators._routing import router_of
from genestimators._weights import fit_all, fit_weighted
from genestimators.imputation._gaussian_imputer import GaussianImputer
from genestimators.imputation.columns._columns import refuse_sparse
from genestimators.imputation.columns._with_target import (
    beside,
    target_columns,
    without,
)


def _has(method):
    """Whether the wrapped estimator has a method."""

    def check(self):
        return hasattr(self._get_estimator(), method)

    return check


class _MultipleImputation(
    DocLink, MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta
):
    """What the regressor and the classifier share."""

    _parameter_constraints = {
        "estimator": [HasMethods("fit", "predict"), _params.NONE],
        "imputer": [HasMethods("fit", "sample"), _params.NONE],
        "n_imputations": [Interval(int, 1)],
        "random_state": _params.RANDOM_STATE,
    }

    def __init__(
        self, estimator=None, *, imputer=None, n_imputations=5, random_state=None
    ):
        self.estimator = estimator
        self.imputer = imputer
        self.n_imputations = n_imputations
        self.random_state = random_state

    @abstractmethod
    def _get_estimator(self):
        """The estimator, the default one where none is set."""

    def fit(self, X, y, sample_weight=None):
        """Draw completions with y in view, and fit the estimator on each.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            NaN, None and NA are missing values.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            How many rows each row counts for; None is one.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError, ValueError
            If X, y, weights or parameters are not what they must be.
        """
        _params.check_parameters(self)
        if y is None:  # worded by scikit-learn
            validate_data(self, X, y=None, skip_check_array=True)
        X = self._read(X, reset=True)
        n_rows = n_rows_of(X)
        y = check_y(y, n_rows, classifier=is_classifier(self))
        if y.ndim == 2:
            raise ValueError(
                f"{type(self).__name__} takes one target. Got {y.shape[1]} columns of "
                "y; fit one model for each."
            )
        weight = check_sample_weight(sample_weight, n_rows)
        if weight is not None and not weight.all():
            used = np.flatnonzero(weight)
            X, y, weight = take_rows(X, used), y[used], weight[used]
        self._store_classes(y)
        state = check_random_state(self.random_state)
        imputer = self.imputer
        if imputer is None:  # shrinkage would weaken what depends on a column
            imputer = GaussianImputer(
                strategy="draw", add_indicator=False, shrinkage=0.0
            )
        self.imputer_ = _seeded(clone(imputer), state)
        columns = target_columns(y, getattr(self, "classes_", None))
        self._n_target_columns = columns.shape[1]
        joint = beside(X, columns)
        fit_all(self.imputer_, joint, None, weight)
        counts = np.ones(len(y)) if weight is None else weight
        self.estimators_ = []
        for completed in self._completions(joint):
            model = _seeded(clone(self._get_estimator()), state)
            fit_weighted(model, completed, y, np.arange(len(y)), counts)
            self.estimators_.append(model)
        return self

    def _store_classes(self, y):
        """Nothing for a regressor."""

    def _read(self, X, reset):
        """X as numbers, or as it is where there may be columns of levels."""
        refuse_sparse(type(self).__name__, X)
        table = as_container(X)
        if is_frame(table) or table.dtype == object or table.dtype.kind in "US":
            validate_data(self, table, skip_check_array=True, reset=reset)
            return table
        return validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=reset
        )

    def _completions(self, joint):
        """Draws of a table with the target beside it, which is taken off again."""
        for draw in self.imputer_.sample(joint, self.n_imputations):
            yield without(draw, self.n_features_in_, self._n_target_columns)

    def _answers(self, X, method):
        """What each model answers to its own draw of X, made without the target."""
        check_is_fitted(self)
        X = self._read(X, reset=False)
        unknown = np.full((n_rows_of(X), self._n_target_columns), np.nan)
        completions = self._completions(beside(X, unknown))
        return [
            getattr(model, method)(completed)
            for model, completed in zip(self.estimators_, completions, strict=True)
        ]

    def get_metadata_routing(self):
        """Metadata routing: `sample_weight` is this object's own.

        Returns
        -------
        routing : MetadataRouter
        """
        return router_of(self, self._get_estimator(), [])

    def __sklearn_tags__(self):
        tags = inherit_tags(super().__sklearn_tags__(), self._get_estimator())
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = False
        tags.target_tags.multi_output = False
        tags.target_tags.single_output = True
        return tags


def _seeded(estimator, state):
    """An estimator whose random numbers come from this object's seed."""
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=int(state.randint(2**31 - 1)))
    return estimator


class MultipleImputationRegressor(RegressorMixin, _MultipleImputation):
    """Fits a regressor on several completions of the training rows.

    Missing values of the training rows are drawn with the target in view, since draws
    that do not know it weaken what depends on it; new rows are completed without it, by
    the same law. Predictions are averages over the completions.

    When to use: for honest spread, of coefficients above all, in a bag, where every
    replicate fits its imputer on its own rows and `pool` takes the coefficients:
    ``BootstrapBaggingRegressor(MultipleImputationRegressor(n_imputations=2))``.
    When not: for the best prediction alone, which conditional means without the target
    give as well or better (`GaussianImputer` in a pipeline).

    Parameters
    ----------
    estimator : estimator, default=None
        What is fitted; None is `Ridge`.
    imputer : estimator with `sample`, default=None
        What draws the missing values; None is
        ``GaussianImputer(strategy="draw", add_indicator=False, shrinkage=0.0)``, since
        shrinkage weakens what depends on a column, and masks would be coefficients.
    n_imputations : int, default=5
        Number of completions, each with a model of its own.
    random_state : int, RandomState or None, default=None
        Of the draws, and of `estimator` if it has one.

    Attributes
    ----------
    estimators_ : list of n_imputations estimators
        The models, in the order of the draws.
    imputer_ : estimator
        The imputer, fitted on the columns of X and those of the target behind them.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if all are text.

    See Also
    --------
    pool : Coefficients with standard errors.
    GaussianImputer : One completion, without the target.

    Notes
    -----
    The target is a further column of the imputer's table in `fit`, and is missing there
    when new rows are completed, so it is summed out of the fitted law and no prediction
    knows the target of its row. Rows that are alike are completed alike.

    References
    ----------
    .. [1] Schomaker, M. & Heumann, C. (2018). Bootstrap inference when using multiple
       imputation. Statistics in Medicine, 37(14), 2252-2266.
    .. [2] von Hippel, P. T. & Bartlett, J. W. (2021). Maximum likelihood multiple
       imputation: faster imputations and consistent standard errors without posterior
       draws. Statistical Science, 36(3), 400-420.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import MultipleImputationRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X.sum(axis=1)
    >>> X[rng.random(X.shape) < 0.2] = np.nan
    >>> model = MultipleImputationRegressor(random_state=0).fit(X, y)
    >>> model.predict([[1.0, np.nan]]).round(1)
    array([0.9])
    """

    def _get_estimator(self):
        return Ridge() if self.estimator is None else self.estimator

    def predict(self, X):
        """Mean of the models' predictions, each for its own draw of X.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If X is not of the columns that `fit` saw.
        """
        return np.mean(self._answers(X, "predict"), axis=0)


class MultipleImputationClassifier(ClassifierMixin, _MultipleImputation):
    """Fits a classifier on several completions of the training rows.

    Missing values of the training rows are drawn with the target in view, since draws
    that do not know it weaken what depends on it; new rows are completed without it, by
    the same law. Predictions are averages over the completions.

    When to use: for honest spread, of coefficients above all, in a bag, where every
    replicate fits its imputer on its own rows and `pool` takes the coefficients:
    ``BootstrapBaggingClassifier(MultipleImputationClassifier(n_imputations=2))``.
    When not: for the best prediction alone, which conditional means without the target
    give as well or better (`GaussianImputer` in a pipeline).

    Parameters
    ----------
    estimator : estimator, default=None
        What is fitted; None is `LogisticRegression`.
    imputer : estimator with `sample`, default=None
        What draws the missing values; None is
        ``GaussianImputer(strategy="draw", add_indicator=False, shrinkage=0.0)``, since
        shrinkage weakens what depends on a column, and masks would be coefficients.
    n_imputations : int, default=5
        Number of completions, each with a model of its own.
    random_state : int, RandomState or None, default=None
        Of the draws, and of `estimator` if it has one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.
    estimators_ : list of n_imputations estimators
        The models, in the order of the draws.
    imputer_ : estimator
        The imputer, fitted on the columns of X and those of the target behind them.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if all are text.

    See Also
    --------
    pool : Coefficients with standard errors.
    GaussianImputer : One completion, without the target.

    Notes
    -----
    An indicator for each class but the first is a further column of the imputer's table
    in `fit`, and is missing there when new rows are completed, so it is summed out of
    the fitted law and no prediction knows the target of its row. Rows that are alike
    are completed alike.

    References
    ----------
    .. [1] Schomaker, M. & Heumann, C. (2018). Bootstrap inference when using multiple
       imputation. Statistics in Medicine, 37(14), 2252-2266.
    .. [2] von Hippel, P. T. & Bartlett, J. W. (2021). Maximum likelihood multiple
       imputation: faster imputations and consistent standard errors without posterior
       draws. Statistical Science, 36(3), 400-420.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import MultipleImputationClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X.sum(axis=1) > 0
    >>> X[rng.random(X.shape) < 0.2] = np.nan
    >>> model = MultipleImputationClassifier(random_state=0).fit(X, y)
    >>> bool(model.predict([[1.0, np.nan]])[0])
    True
    """

    def _get_estimator(self):
        return LogisticRegression() if self.estimator is None else self.estimator

    def _store_classes(self, y):
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs rows of at least two classes (of "
                f"positive weight). Got one class, {self.classes_.tolist()[0]!r}."
            )

    def predict(self, X):
        """The class of the largest mean probability, or of most models' votes.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If X is not of the columns that `fit` saw.
        """
        check_is_fitted(self)
        if hasattr(self, "predict_proba"):
            shares = self.predict_proba(X)
        else:
            votes = self._answers(X, "predict")
            shares = np.mean([v[:, None] == self.classes_ for v in votes], axis=0)
        return self.classes_[shares.argmax(axis=1)]

    @available_if(_has("predict_proba"))
    def predict_proba(self, X):
        """Mean of the models' probabilities, each for its own draw of X.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If X is not of the columns that `fit` saw.
        """
        return np.mean(self._answers(X, "predict_proba"), axis=0)
