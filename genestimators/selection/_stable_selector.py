"""Keeps the features whose usefulness repeats over subsamples."""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import Ridge
from sklearn.utils.validation import check_is_fitted

from genestimators import _inputs, _params
from genestimators._delegate import DocLink, fills_missing, inherit_tags
from genestimators._params import HasMethods, Interval, Is, Options
from genestimators._routing import router_of
from genestimators.selection._evidence_reader import EvidenceReader
from genestimators.selection._failed_fits import unchanged_by_failure
from genestimators.selection._feature_groups import is_flat
from genestimators.selection._gather import fingerprint
from genestimators.selection._memory import remembered_evidence, word_of
from genestimators.selection._request_maker import RequestMaker
from genestimators.selection.error_control._criteria import ALPHA, CRITERIA

IMPORTANCES = (
    "auto",
    "elimination",
    "coef",
    "permutation",
    "conditional",
    "additive",
)


def _holds_objects(dtype):
    """Whether a pandas dtype is an extension that holds no numbers."""
    return not isinstance(dtype, np.dtype) and getattr(dtype, "kind", "O") == "O"


class StableFeatureSelector(
    DocLink,
    RequestMaker,
    EvidenceReader,
    SelectorMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Keeps the features whose usefulness repeats over subsamples.

    The rows are halved at random again and again, the features are ranked in every
    half, and nested models are scored on the other one. A criterion then selects: for
    prediction, the features of the size that predicts unseen rows best; for discovery,
    those that are found too often to be there by chance.

    The criterion is applied when the support is asked for. After `set_params` of
    `criterion`, `alpha`, `threshold`, `min_features_to_select` or `max_features` the
    next `transform` follows it, and nothing is fitted again; any other parameter, those
    of `estimator` and `resampling` among them, waits for the next fit. With `memory` a
    grid search over the first five fits once a fold.

    When to use: as a step of a pipeline, before a model that suffers from useless
    columns, or to tell which features matter with a bound on false ones. When not: to
    find causes, or to choose among strongly correlated features; such features are
    told apart by chance, and `feature_groups="auto"` selects them together.

    Parameters
    ----------
    estimator : estimator, default=None
        Whose features are selected. None is ridge regression with a penalty of 1 on
        standardised columns, of classes on their indicators; then y of texts, of
        booleans or of two values holds classes, and any other numbers are numbers.
        Least squares, ridge, lasso, elastic net and logistic regression (as ridge
        regression of the classes' indicators, with the penalty that weighs as much at
        even odds), alone or behind StandardScaler, have closed forms: `engine_` is
        then "closed_form", and no fit is repeated. All others are fitted again on
        every draw. They get columns in X's own container and must accept any part of
        them.
    importance : str or callable, default="auto"
        What ranks the features of a draw.

        - "elimination": backward elimination. In closed form the feature goes whose
          leaving raises the penalised sum of squares least [1]_; otherwise those of
          the least permutation importance on rows left out, three tenths at a time.
        - "coef": the order in which features enter a lasso or elastic net path (that
          of `estimator`, whose own `alpha` is not used, or a lasso if it is None); for
          other estimators the sizes of their coefficients times the spreads of the
          columns.
        - "permutation", "conditional": importance on rows left out, see
          :func:`conditional_importance`; for estimators with a closed form
          "conditional" is what leaving a feature out of the fit on all of them costs.
        - "additive": boosting of polynomials of ranks, which finds curved effects and
          needs no estimator.
        - a callable: ``importance(fitted, X, y)`` on rows left out, one number a
          feature.
        - "auto": "coef" for a lasso or elastic net, "elimination" otherwise.
    scoring : str or callable, default=None
        How nested models are scored on rows left out; None is the estimator's own
        score. Closed forms have squared errors, summed over outputs, also for "r2" and
        "neg_root_mean_squared_error".
    n_resamples : int, default=50
        Number of pairs of halves, or of draws of another `resampling`.
    resampling : "complementary_pairs" or resampler, default="complementary_pairs"
        Pairs of disjoint halves, each with rows of every class [2]_, or any resampler
        of this library, for as many draws as it has. Criteria that bound errors need
        pairs ("pfer": subsamples of at most half of the rows).
    criterion : str, default="prediction"
        The rule that selects.

        - "prediction": the size at which the mean loss of the nested models on rows
          left out is least, and the first features in the order in which they leave
          all draws together (closed forms) or by their mean rank.
        - "fdr": q-values of at most `alpha`. A feature's score is the mean over pairs
          of the smaller of its two importances, compared with runs on permuted y.
          Exact if no feature matters at all; otherwise a plug-in, which correlated
          features make too small.
        - "pfer", "pfer_unimodal", "pfer_r_concave": frequency of at least `threshold`
          among the first so many features of a draw that at most `alpha` false ones
          are to be expected, by Meinshausen and Buehlmann [3]_ and by the two
          sharper bounds of Shah and Samworth [2]_.
        - "pfer_integrated": the area under the stability path [4]_, again with at
          most `alpha` false features to be expected.
        - "frequency": frequency of at least `threshold` among the features that
          predict best; no error rate.
    alpha : float, default=0.1
        The false discovery rate of "fdr", the expected number of false positives of
        the "pfer" criteria. The others have none and take no other value.
    threshold : float in (0.5, 1], default=None
        The least frequency, 0.75 if None, for "pfer", "pfer_unimodal",
        "pfer_r_concave" and "frequency". The others take None only.
    feature_groups : "auto" or array-like of shape (n_features,), default=None
        A label for each feature; features of a label stand or fall together, and
        errors are counted by groups. "auto" makes clusters by average linkage of
        absolute correlations of 0.8 and more.
    always_keep : list of str or int, or mask, default=None
        Names or positions of features that are kept, with their groups. They are not
        put to the test: the others are selected beside them. A whole number is always
        a position, never a name, also where columns have numbers for names.
    min_features_to_select : int, default=1
        Where fewer are significant the next best are kept as well, and if none is a
        warning says so. 0 allows an empty selection.
    max_features : int, default=None
        The best so many are kept where more are significant, groups as a whole.
    memory : str or object with `cache`, default=None
        Where fits are cached, by the content of data and parameters (functions and
        classes by their names); needs an integer `random_state`.
    n_jobs : int, default=None
        Draws are fitted in parallel; results do not depend on it. Closed forms use
        one job.
    random_state : int, RandomState or None, default=None
        Seeds the draws, the permutations, and every `random_state` of the estimator
        that is None.
    verbose : int, default=0
        How much to report of fits that are repeated.

    Attributes
    ----------
    scores_ : ndarray of shape (n_features,)
        Mean importance over the draws; members of a group share that of the group.
    selection_probabilities_ : ndarray of shape (n_features,)
        Share of the draws in which a feature is among the first `n_selected_`.
    n_selected_ : int
        How many features (or groups) count as selected in a draw.
    q_values_ : ndarray of shape (n_features,)
        With criterion="fdr" only; NaN for `always_keep`. Set after `fit`, it needs runs
        with permuted y, which are made when a figure or the support is first asked for.
    expected_false_positives_ : ndarray of shape (n_features,)
        With the "pfer" criteria only: how many false ones to expect among all that
        are selected at least as often as this one; NaN for `always_keep`.
    stability_ : float
        Of the draws' selections (Nogueira, Sechidis and Brown, 2018): 1 if all are the
        same, about 0 if they are random, NaN if there is nothing to compare.
    stability_interval_ : tuple of two float
        95 % confidence interval, given the data.
    n_features_significant_ : int
        Features that the criterion selects, before `min_features_to_select` and
        `max_features`, and without `always_keep`.
    stability_paths_ : ndarray of shape (n_sizes, n_features)
        Share of the draws in which a feature is among the first k, k = 1, 2, ..., 320
        at most.
    nested_sizes_ : ndarray of shape (n_sizes,)
        Sizes of the nested models.
    nested_losses_ : ndarray of shape (n_draws, n_sizes), or None
        Their losses on the rows that the draw left out: minus the score, or squared
        errors (see `scoring`).
    ranks_ : ndarray of shape (n_draws, n_units), int
        Of each draw, 1 for the best; n_units + 1 for no use.
    feature_groups_ : ndarray of shape (n_features,), int
        The unit of each feature, numbered from 0.
    importance_ : str or callable
        What `importance` came to.
    engine_ : {"closed_form", "additive", "refits"}
    n_draws_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X has names.

    Raises
    ------
    ValueError
        If parameters make no sense together, a class has too few rows for both halves,
        or the estimator lacks what `importance` looks at.

    See Also
    --------
    KnockoffSelector : Controls the false discovery rate given the other features.
    conditional_importance : Importance of features given the others.

    Notes
    -----
    The order for prediction is a consensus: at each step the feature leaves all draws
    whose leaving costs least on average. By mean rank, correlated features that take
    turns would all end up in the middle. The losses, however, are those of each draw's
    own order, since an order that has seen the rows left out would be judged too well.

    "Exact if no feature matters" means: with permuted y (or X, where halves hold every
    class, or weights differ) all runs are exchangeable, and at most a share `alpha` of
    such data sets has any feature selected, unless rows of a group are alike. Nested
    models in closed form have at most 320 units, additive ones 64.

    Tied units of a draw are ranked by lots, so that the order of the columns is no
    evidence; only of columns that tell the same to the last digits closed forms always
    leave out the later ones.

    With `memory` a fit that is found again still costs 5 to 10 milliseconds, and a
    search adds as much. A grid of twenty rates takes at most 1.3 times what one takes
    from about 500 rows of 100 columns on ("fdr") or 1000 of 200 (bounds), more on
    smaller data, where the first fit is as quick. "fdr" adds permuted runs where a
    smaller `alpha` needs more of them, 1 / `alpha` in all.

    A pickled or copied selector carries no data: its rule can be changed as before,
    but runs with permuted y that were not made until then cannot be made.

    References
    ----------
    .. [1] Guyon, I., Weston, J., Barnhill, S. & Vapnik, V. (2002). Gene selection for
       cancer classification using support vector machines. Machine Learning 46,
       389-422.
    .. [2] Shah, R. D. & Samworth, R. J. (2013). Variable selection with error control:
       another look at stability selection. Journal of the Royal Statistical Society
       B 75, 55-80.
    .. [3] Meinshausen, N. & Buehlmann, P. (2010). Stability selection. Journal of the
       Royal Statistical Society B 72, 417-473.
    .. [4] Melikechi, O. & Miller, J. W. (2025). Integrated path stability selection.
       Journal of the American Statistical Association.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from genestimators import StableFeatureSelector
    >>> X, y = make_regression(200, 20, n_informative=3, shuffle=False, noise=10,
    ...                        random_state=0)
    >>> selector = StableFeatureSelector(random_state=0).fit(X, y)
    >>> selector.get_support(indices=True)
    array([0, 1, 2])
    >>> selector.set_params(criterion="fdr", alpha=0.05).get_support(indices=True)
    array([0, 1, 2])
    >>> selector.n_features_significant_
    3
    """

    __metadata_request__fit = {"groups": True}

    _parameter_constraints = {
        "estimator": [HasMethods("fit"), _params.NONE],
        "importance": [Options(*IMPORTANCES), _params.CALLABLE],
        "scoring": [_params.TEXT, _params.CALLABLE, _params.NONE],
        "n_resamples": [Interval(int, 1)],
        "resampling": [Options("complementary_pairs"), HasMethods("prepare")],
        "criterion": [Options(*CRITERIA)],
        "alpha": [Interval(float, 0.0, open_low=True), Interval(int, 1)],
        "threshold": [
            Interval(float, 0.5, 1.0, open_low=True),
            Interval(int, 1, 1),
            _params.NONE,
        ],
        "feature_groups": [
            Options("auto"),
            _params.NONE,
            Is(is_flat, "one label for each feature"),
        ],
        "always_keep": [
            _params.NONE,
            Is(is_flat, "a list of names or positions"),
        ],
        "min_features_to_select": [Interval(int, 0)],
        "max_features": [Interval(int, 1), _params.NONE],
        "memory": [
            _params.NONE,
            _params.TEXT,
            HasMethods("cache"),
        ],
        "n_jobs": _params.N_JOBS,
        "random_state": _params.RANDOM_STATE,
        "verbose": _params.VERBOSE,
    }

    def __init__(
        self,
        estimator=None,
        *,
        importance="auto",
        scoring=None,
        n_resamples=50,
        resampling="complementary_pairs",
        criterion="prediction",
        alpha=ALPHA,
        threshold=None,
        feature_groups=None,
        always_keep=None,
        min_features_to_select=1,
        max_features=None,
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.importance = importance
        self.scoring = scoring
        self.n_resamples = n_resamples
        self.resampling = resampling
        self.criterion = criterion
        self.alpha = alpha
        self.threshold = threshold
        self.feature_groups = feature_groups
        self.always_keep = always_keep
        self.min_features_to_select = min_features_to_select
        self.max_features = max_features
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit on many draws and select by the criterion.

        Parameters
        ----------
        X : array, sparse matrix or frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Whole weights are numbers of rows: a row of weight k is k rows, which may be
            in both halves. If any weight is not whole, weights are relative and a row
            is in one half with all of its weight. Where whole weights are no counts of
            independent rows, divide them by the largest: their parts would be found
            useful in both halves, and every criterion would keep too many features.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group are in one half of a pair together.
        **params : dict
            Further arguments of the estimator's `fit`, with metadata routing.

        Returns
        -------
        self : StableFeatureSelector
        """
        with unchanged_by_failure(self):
            self._fit(self._request_of(X, y, sample_weight, groups, params))
        return self

    def _fit(self, request):
        """Gather the evidence of a request and store it."""
        self._check_rule(request)
        word = None if self.memory is None else word_of(request)
        evidence, engine = remembered_evidence(
            self.memory,
            word,
            request,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            owner=type(self).__name__,
        )
        self._request, self._evidence, self._word = request, evidence, word
        self._null_scores, self._selected, self._warned_of = None, None, None
        self._words = fingerprint(request)
        self.importance_ = request.importance
        self.engine_ = engine
        self.feature_groups_ = request.labels
        self.n_draws_ = evidence.n_draws
        self._support()

    def __getstate__(self):
        """The fitted state without the data."""
        state = dict(super().__getstate__())
        if "_request" in state:
            state["_request"] = state["_request"].without_data()
        return state

    def transform(self, X):
        """Keep the selected features.

        Parameters
        ----------
        X : array, sparse matrix or frame of shape (n_samples, n_features)

        Returns
        -------
        X : array, sparse matrix or frame of shape (n_samples, n_features_selected)
            A frame where `set_output` asks for one, of columns as they were if X is
            one of the same kind.
        """
        cells = X
        if hasattr(X, "iloc") and any(map(_holds_objects, X.dtypes)):
            cells = X.astype(object)  # categories and numbers make no common array
        kept = super().transform(cells)
        if _inputs.is_frame(X) and type(kept) is type(X):
            return _inputs.take_columns(X, self.get_support(indices=True))
        return kept

    def _get_support_mask(self):
        check_is_fitted(self)
        self._check_rule()
        return self._support()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags = inherit_tags(tags, self._base())
        if self.estimator is None:
            tags.input_tags.allow_nan = False
            tags.input_tags.sparse = True
            tags.target_tags.multi_output = True
        elif fills_missing(self.estimator):
            tags.input_tags.allow_nan = True
        if isinstance(self.importance, str) and self.importance == "additive":
            tags.input_tags.sparse = tags.input_tags.allow_nan = False
        tags.target_tags.required = True
        return tags

    def _base(self):
        return Ridge() if self.estimator is None else self.estimator

    def get_metadata_routing(self):
        """How metadata are routed: everything but weights and groups to the estimator.

        Returns
        -------
        routing : MetadataRouter
        """
        return router_of(self, self._base(), ["fit"])
