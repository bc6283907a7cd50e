"""KnockoffSelector: features that matter given all others, at a false discovery
rate."""

from copy import deepcopy
from warnings import catch_warnings, filterwarnings

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from genestimators import _inputs, _params
from genestimators._delegate import DocLink, tags_of
from genestimators._exceptions import NothingSelectedWarning, warn_user
from genestimators._parallel import prefers_threads, run_in_order
from genestimators._params import HasMethods, Interval, Is, Options
from genestimators.resampling._hashing import derive, mix_int
from genestimators.selection._failed_fits import unchanged_by_failure
from genestimators.selection._feature_groups import unit_labels
from genestimators.selection.knockoffs._construction import CONSTRUCTIONS, construct
from genestimators.selection.knockoffs._copies import plan_copies
from genestimators.selection.knockoffs._covariance import COVARIANCES, standardize
from genestimators.selection.knockoffs._filter import (
    e_bh_q_values,
    fewest_discoveries,
    knockoff_e_values,
    selected,
)
from genestimators.selection.knockoffs._statistics import (
    STATISTICS,
    CallableImportance,
    EstimatorImportance,
    copy_statistics,
    lasso_importance,
    losses_of,
    ridge_importance,
)

_ARRAY = Is(
    lambda value: isinstance(value, (list, tuple)) or hasattr(value, "__array__"),
    "an array",
)


class KnockoffSelector(DocLink, SelectorMixin, MetaEstimatorMixin, BaseEstimator):
    """Keep the features that matter given all others, at a false discovery rate.

    Each feature gets artificial copies, the knockoffs, that relate to the other
    features as it does and know nothing of y. A feature whose importance beats that of
    its copies by more than chance explains is kept, and of those kept a share of at
    most `alpha` is expected to be false [1]_. "False" means: without information on y
    beyond what all other features hold. One set of copies would decide by luck, so the
    evidence of `n_copies` sets is averaged [2]_.

    Use it to find out which features matter, where well over 1 / `alpha` are expected
    to: that many are selected at least, or none. It takes the features for jointly
    normal; heavy tails and few rows make the rate approximate. It is no means to
    predict better: a feature that helps a little and cannot be told from noise is
    dropped. Of two features that are nearly the same neither can be told to matter
    given the other; group them with `feature_groups`.

    Parameters
    ----------
    estimator : estimator, default=None
        Its `coef_` or `feature_importances_`, once it is fitted on standardised
        features and copies together, are the importances; of a pipeline, the last
        step's. With None they come from `statistic`.
    statistic : {"lasso", "ridge"} or callable, default="lasso"
        Where importances come from without an `estimator`. "lasso": absolute lasso
        coefficients, for features of which few matter. "ridge": absolute ridge
        coefficients, for many small effects. Classes are taken for classes ("lasso" is
        then a logistic lasso) if y holds strings, bools or two distinct values; pass
        strings to have more than two integers taken so. A callable
        `statistic(features_and_copies, y)` returns one importance for each column it is
        given: `2 * n_features_in_` standardised columns, a column and its copy in
        random order.
    n_copies : int, default=25
        Sets of copies. With 1 it is the original knockoff filter, which finds a little
        more and depends on luck.
    construction : {"mvr", "maximum_entropy", "equicorrelated"}, default="mvr"
        How far copies stand from their features [3]_. "mvr" makes it hardest to
        reconstruct a feature from the others and the copies. "equicorrelated" is the
        oldest one and loses power where features are correlated.
    covariance : {"ledoit_wolf", "empirical"}, array or estimator, default="ledoit_wolf"
        The covariance of the features: shrunk by as much as the data suggest, that of
        the data, a known one (an array of shape (n_features, n_features)), or an
        estimator that has `covariance_` once it is fitted on the standardised features.
        Shrinkage makes copies of strongly correlated features too different, and the
        rate is exceeded; "empirical" is safer there where rows are many.
    alpha : float in (0, 1), default=0.1
        The false discovery rate. Like `offset` it may be set after fitting, and takes
        effect at once.
    offset : {0, 1}, default=1
        With 1 the false discovery rate is held. With 0 fewer than 1 / `alpha` features
        may be selected; then a modified rate is held for one copy, and for several the
        rule is a rule of thumb.
    feature_groups : {"auto"} or array-like of shape (n_features,), default=None
        Labels; features of one label are selected together or not at all, and the rate
        is that of groups. "auto" makes clusters of correlated features.
    n_jobs : int, default=None
        Sets of copies at work at a time.
    random_state : int, RandomState or None, default=None
        An int makes the copies, and all that follows, repeat.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_copies, n_units)
        Importance of each unit less that of its copy, by set of copies. A unit is a
        feature or a group of `feature_groups`.
    e_values_ : ndarray of shape (n_units,)
        Mean evidence over the sets, for the present `alpha` and `offset`. Those of the
        units without effect add up to at most the number of units on average.
    q_values_ : ndarray of shape (n_units,)
        The least rate at which a unit would be selected by its e-value. Those of at
        most `alpha` are selected. The e-values are tuned to `alpha`, so at another
        `alpha` they are others.
    n_features_significant_ : int
        Number of features selected.
    feature_groups_ : ndarray of shape (n_features,), int
        The unit of each feature, numbered from 0.
    covariance_ : ndarray of shape (n_features, n_features)
        The covariance that the copies were drawn with, in the units of X.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Where all names of columns are strings.

    See Also
    --------
    sklearn.feature_selection.SelectFromModel : No error rate; one fit.

    Notes
    -----
    `sample_weight` is not offered: a row that comes twice gets two different copies, so
    a weight could not mean a repeat. Copies are drawn row by row, so with the rows in
    another order the same `random_state` makes other copies, and results differ as they
    do between seeds. A constant feature has a statistic of 0 and is never selected.
    With several outputs or more than two classes importances are summed over outputs or
    classes (one against the rest), and a feature matters if it does for any. The
    penalty of "lasso" is chosen for each set of copies by the corrected Akaike
    criterion; the one of "ridge" by generalised cross-validation. Neither can tell a
    feature from its copy, so they leave the rate as it is.

    With several copies each is thresholded at `alpha` / 2, as in [2]_, or at `alpha`
    where fewer than 2 / `alpha` features could pass. The copies of a
    group of features differ from it by a block of a block-diagonal matrix, which "mvr"
    and "maximum_entropy" optimise whole and "equicorrelated" takes in proportion to the
    covariance within the groups.

    References
    ----------
    .. [1] Candes, E., Fan, Y., Janson, L. & Lv, J. (2018). Panning for gold: 'model-X'
       knockoffs for high dimensional controlled variable selection. Journal of the
       Royal Statistical Society B 80, 551-577.
    .. [2] Ren, Z. & Barber, R. F. (2024). Derandomised knockoffs: leveraging e-values
       for false discovery rate control. Journal of the Royal Statistical Society B 86,
       122-154.
    .. [3] Spector, A. & Janson, L. (2022). Powerful knockoffs via minimizing
       reconstructability. Annals of Statistics 50, 252-276.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from genestimators import KnockoffSelector
    >>> X, y = make_regression(
    ...     n_samples=300, n_features=60, n_informative=15, noise=100.0, random_state=0
    ... )
    >>> selector = KnockoffSelector(n_copies=10, random_state=0).fit(X, y)
    >>> selector.n_features_significant_
    12
    >>> selector.set_params(alpha=0.2).n_features_significant_
    16
    """

    _parameter_constraints = {
        "estimator": [HasMethods("fit"), _params.NONE],
        "statistic": [Options(*STATISTICS), _params.CALLABLE],
        "n_copies": [Interval(int, 1)],
        "construction": [Options(*CONSTRUCTIONS)],
        "covariance": [Options(*COVARIANCES), HasMethods("fit"), _ARRAY],
        "alpha": [Interval(float, 0.0, 1.0, open_low=True, open_high=True)],
        "offset": [Interval(int, 0, 1)],
        "feature_groups": [Options("auto"), _ARRAY, _params.NONE],
        "n_jobs": _params.N_JOBS,
        "random_state": _params.RANDOM_STATE,
    }

    def __init__(
        self,
        estimator=None,
        *,
        statistic="lasso",
        n_copies=25,
        construction="mvr",
        covariance="ledoit_wolf",
        alpha=0.1,
        offset=1,
        feature_groups=None,
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.statistic = statistic
        self.n_copies = n_copies
        self.construction = construction
        self.covariance = covariance
        self.alpha = alpha
        self.offset = offset
        self.feature_groups = feature_groups
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X, y):
        """Draw copies and compare the features with them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers, dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers or classes.

        Returns
        -------
        self : KnockoffSelector
        """
        with unchanged_by_failure(self):
            self._fit(X, y)
        return self

    def _fit(self, X, y):
        """The recipe of `fit`: check, make copies, compare, store."""
        _params.check_parameters(self)
        self._check_source()
        X, y, classes = self._check_data(X, y)
        labels = unit_labels(self.feature_groups, X, X.shape[1])
        Z, correlation, covariance, constant = standardize(X, self.covariance)
        S = construct(correlation, self.construction, labels)
        means, root = plan_copies(Z, correlation, S)
        root[:, constant] = 0.0  # a constant is its own copy
        y, importance = self._importance(y, classes)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        seed = mix_int(int(seed))
        tasks = (
            {
                "Z": Z,
                "means": means,
                "root": root,
                "y": y,
                "importance": importance,
                "labels": labels,
                "seed": derive(seed, "copy", number),
            }
            for number in range(self.n_copies)
        )
        found = run_in_order(
            copy_statistics,
            tasks,
            n_jobs=self.n_jobs,
            threads=prefers_threads(self.estimator),
        )
        self.statistics_ = np.stack(list(found))
        self.feature_groups_ = labels
        self.covariance_ = covariance
        if not self._selected_units().any():
            self._warn_of_nothing()

    def _check_source(self):
        """Refuse an estimator together with another source of importances."""
        if self.estimator is not None and self.statistic != "lasso":
            raise ValueError(
                "`statistic` must be left at its default where an `estimator` is "
                "given, since the estimator's importances are taken. Got "
                f"statistic={self.statistic!r}; give one of the two."
            )

    def _check_data(self, X, y):
        """X as finite numbers, y as it is, and whether y holds classes."""
        if sparse.issparse(X):
            raise TypeError(
                f"{type(self).__name__} takes no sparse X, since the copies of its "
                "columns are dense; pass X.toarray() if it fits into memory. "
                f"Got a sparse {X.format} container of shape {X.shape}."
            )
        if y is None:  # worded by scikit-learn
            validate_data(self, X, y=None, skip_check_array=True)
        X = validate_data(
            self, X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2
        )
        bad = np.flatnonzero(~np.isfinite(X).all(axis=0)).tolist()
        if bad:
            names = getattr(self, "feature_names_in_", np.arange(X.shape[1])).tolist()
            raise ValueError(
                "X must hold finite numbers, since no copies can be drawn of missing "
                "or infinite ones; impute them before. Got NaN or inf in column "
                f"{names[bad[0]]!r}."
            )
        if self.estimator is None:
            classes = _holds_text(y)
        else:
            classes = is_classifier(self.estimator)
        y = _inputs.check_y(y, len(X), classifier=classes)
        return X, y, classes or _has_two_values(y)

    def _importance(self, y, classes):
        """What the tasks get for y, and the function that makes importances of it."""
        if self.estimator is not None:
            return y, EstimatorImportance(self.estimator)
        if callable(self.statistic):
            return y, CallableImportance(self.statistic)
        function = lasso_importance if self.statistic == "lasso" else ridge_importance
        return losses_of(y, classes), function

    @property
    def e_values_(self):
        """Mean evidence for each unit, for the present `alpha` and `offset`."""
        self._check_rule()
        return knockoff_e_values(self.statistics_, self.alpha, self.offset)

    @property
    def q_values_(self):
        """The least rate at which each unit would be selected by its e-value."""
        return e_bh_q_values(self.e_values_)

    @property
    def n_features_significant_(self):
        """Number of features selected."""
        return int(self._selected_units()[self.feature_groups_].sum())

    def _check_rule(self):
        """Fitted, and fit to be asked: an attribute that cannot be had is none."""
        if "statistics_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        try:
            _params.check_parameters(self)
        except (TypeError, ValueError) as exc:
            raise AttributeError(str(exc)) from exc

    def _selected_units(self):
        return selected(self.q_values_, self.alpha)

    def _get_support_mask(self):
        check_is_fitted(self)
        _params.check_parameters(self)
        return self._selected_units()[self.feature_groups_]

    def transform(self, X):
        """Reduce X to the selected features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        array or frame of shape (n_samples, n_selected)
        """
        check_is_fitted(self)
        if not self.get_support().any():
            self._warn_of_nothing()
        with catch_warnings():
            # Said above, with the reason.
            filterwarnings("ignore", "No features were selected", UserWarning)
            return super().transform(X)

    def inverse_transform(self, X):
        """Put selected features back into their places, the others being zero.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_selected)

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        shape = np.shape(X)
        if shape[1:] == (0,) and not self.get_support().any():
            return np.zeros((shape[0], self.n_features_in_), getattr(X, "dtype", None))
        return super().inverse_transform(X)

    def _warn_of_nothing(self):
        """Warn that nothing is selected, and say what would have to change."""
        n_units = self.statistics_.shape[1]
        unit = "feature" if self.feature_groups is None else "group of features"
        fewest = fewest_discoveries(self.alpha, self.offset)
        words = f"No {unit} is selected at alpha={self.alpha:g}"
        if fewest > 1:
            words += f": with offset=1 at least 1 / alpha = {fewest} are selected "
            words += "or none, and "
            least = float(self.q_values_.min())
            if n_units < fewest:
                words += f"there are {n_units}"
            elif least < 1:
                words += f"the least q-value is {least:.2g}"
            else:
                words += "none stands out"
            words += "; raise `alpha`, or set offset=0 for a weaker guarantee"
        else:
            words += ": none stands out from its copies; raise `alpha`"
        warn_user(words + ".", NothingSelectedWarning)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = tags_of(self.estimator) if self.estimator is not None else None
        if inner is None:
            tags.target_tags.multi_output = True
        else:
            tags.target_tags = deepcopy(inner.target_tags)
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _holds_text(y):
    """Whether a target holds something else than numbers and bools."""
    y = np.asarray(y)
    if y.dtype.kind != "O":
        return y.dtype.kind in "US"
    try:
        y.astype(np.float64)
    except (TypeError, ValueError):
        return True
    return False


def _has_two_values(y):
    """Whether each output has two distinct values."""
    return all(len(np.unique(column)) == 2 for column in y.reshape(len(y), -1).T)
