"""The bagging regressor."""

from sklearn.base import RegressorMixin
from sklearn.tree import DecisionTreeRegressor

from genestimators._compat import with_callbacks
from genestimators._delegate import inherit_tags
from genestimators._params import Options
from genestimators.bagging._base import BaseBootstrapBagging


class BootstrapBaggingRegressor(RegressorMixin, BaseBootstrapBagging):
    """Averages a regressor over resampled rows and says how well it generalises.

    The estimator is fitted on bootstrap replicates of the rows and the predictions are
    averaged [1]_. Rows that a replicate leaves out are predicted by it, and these
    out-of-bag predictions give, without further fits: a score to expect on new rows,
    the gap to the training score with its standard error, and what averaging gained.

    Use it for regressors that change a lot when a few rows change: trees, boosted
    trees, nearest neighbours, models with many features for their rows. It does
    nothing for stable ones (a linear model with many more rows than features):
    `bagging_gain_` is then about zero.

    Parameters
    ----------
    estimator : estimator, default=None
        The regressor to average; None is a `DecisionTreeRegressor`. Pipelines, text
        and frames are fine: rows reach it in the container they came in.
    n_estimators : int or "auto", default="auto"
        How many replicates. "auto" fits ten, then as many as bring the squared error
        within `tolerance` of that of infinitely many, at most `max_estimators`.
    resampling : str or resampler, default="bootstrap"
        How rows are drawn: "bootstrap", "group", "block", "bayesian", "subsample", or
        an object; see :class:`Bootstrap`, :class:`GroupBootstrap`,
        :class:`BlockBootstrap`, :class:`BayesianBootstrap` and :class:`Subsample`.
    max_samples : float in (0, 1] or int, default=1.0
        How much to draw for a replicate, as a fraction or a number. Less is a stronger
        regularizer. For "subsample" it is the fraction (0.5 if left at 1.0).
    max_features : float in (0, 1] or int, default=1.0
        How many columns each replicate sees, as a fraction or a number.
    aggregate : {"mean", "median", "trimmed"}, default="mean"
        How predictions are combined; "trimmed" is the mean without a tenth of the
        members at either end.
    weight_mode : {"frequency", "importance"}, default="frequency"
        What `sample_weight` means. "frequency": a row of weight k is k rows, exactly.
        "importance": draws ignore weights and counts are multiplied by them.
    oob_score : bool, str or callable, default=True
        True scores R2 out of bag; a name, a scorer or a metric (y_true, y_pred) scores
        by it. False computes no figure on the training data.
    tolerance : float, default=0.01
        For `n_estimators="auto"`: the excess of the squared error over that of
        infinitely many members, relative to it.
    max_estimators : int, default=200
        For `n_estimators="auto"`: the most to fit.
    warm_start : bool, default=False
        Keep what is fitted and add to it when `fit` is called again on the same data.
    n_jobs : int, default=None
        Fits and predictions to run at a time. Results do not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of draws, columns and the estimator's own `random_state`.
    verbose : int, default=0
        1 prints about ten lines while fitting, 2 one for each replicate.

    Attributes
    ----------
    estimator_ : estimator
        The estimator that was cloned.
    estimators_ : list of estimators
        The fitted members.
    n_estimators_ : int
        Number of members.
    estimators_samples_ : sequence of ndarray
        In-bag rows of each member, repeated as often as they were drawn (whatever
        their weight); made from the seed when asked for.
    estimators_features_ : list of ndarray
        Columns of each member.
    n_features_in_ : int
        Number of columns of X, where X has columns.
    feature_names_in_ : ndarray of str
        Names of the columns, where X is a frame with names.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Out-of-bag predictions; NaN for rows that were never out of bag.
    oob_score_ : float
        Score of the out-of-bag predictions. R2 and squared error are corrected to
        those of infinitely many members; other scores are not corrected, and are a
        little pessimistic for few members.
    oob_score_std_error_ : float
        Its standard error over rows, groups or blocks.
    oob_coverage_ : float
        Share of the weight of rows that were out of bag at least once.
    train_score_ : float
        Score of the ensemble on its training rows.
    generalization_gap_ : float
        Training score minus out-of-bag score.
    generalization_gap_std_error_ : float
        Its standard error; rows count in pairs, so it is smaller than that of either
        score.
    bagging_gain_ : float
        How much averaging lowered the squared error, in squared units of y: error of a
        member minus error of the ensemble, averaged over outputs.
    bagging_gain_std_error_ : float
        Its standard error over rows, given the members; over other samples of data it
        varies more, about twice as much for trees.
    row_mode_ : {"weights", "rows"}
        How counts reached the estimator: as `sample_weight`, or as repeated rows.
    draw_version_ : int
        Version of the hashing and drawing of rows.

    See Also
    --------
    BootstrapBaggingClassifier : The same for classification.

    Notes
    -----
    The squared error of a mean of M predictions has a share of their variance, s^2/M,
    that more members would remove. It is taken off row by row: by s^2/M itself for
    fewer than twenty members, and from twenty on by averaging products of residuals of
    different blocks of ten replicates only (draws within a block are balanced, hence
    not independent).

    An out-of-bag row was left out by about a third of the members, and every member
    saw about 63 % of the rows, so out-of-bag scores lean to the pessimistic side.

    References
    ----------
    .. [1] Breiman, L. (1996). Bagging predictors. Machine Learning 24, 123-140.
    .. [2] Breiman, L. (1996). Out-of-bag estimation. Technical report, University of
       California, Berkeley.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from genestimators import BootstrapBaggingRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> bag = BootstrapBaggingRegressor(n_estimators=20, random_state=0).fit(X, y)
    >>> bag.train_score_ > bag.oob_score_ > 0.3
    True
    """

    _parameter_constraints = {
        **BaseBootstrapBagging._parameter_constraints,
        "aggregate": [Options("mean", "median", "trimmed")],
    }

    def _get_estimator(self):
        return DecisionTreeRegressor() if self.estimator is None else self.estimator

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the members and compute the out-of-bag figures.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
            Whatever the estimator takes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; see `weight_mode`.
        groups : array-like of shape (n_samples,), default=None
            Labels of rows that belong together. `resampling="group"` draws them
            together; standard errors count them as one, unless blocks are drawn.
        **params : dict
            Routed to the estimator's `fit`, with metadata routing switched on.

        Returns
        -------
        self : object
            The fitted bag.

        Raises
        ------
        TypeError
            If a parameter is of a wrong kind, or arguments cannot be routed.
        ValueError
            If a parameter, y, weights or groups are out of their range.
        """
        return self._fit(X, y, sample_weight, groups, params)

    def __sklearn_tags__(self):
        return inherit_tags(super().__sklearn_tags__(), self._get_estimator())

    def _store_out_of_bag(self, answer):
        self.oob_prediction_ = self._shaped(answer)

    def _shaped(self, answer):
        return answer[:, 0] if self._flat_y else answer

    def predict(self, X, **params):
        """Predict the target: the aggregate of the members' predictions.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
        **params : dict
            Routed to the members, with metadata routing switched on.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._shaped(self._answer(X, "predict", params))
