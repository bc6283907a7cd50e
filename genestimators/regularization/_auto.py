"""AutoRegularizedCV: chooses a penalty strength from validation scores and the gap."""

import time
from copy import deepcopy
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_random_state

from genestimators import _params
from genestimators._compat import (
    CallbackSupportMixin,
    callback_context,
    with_callbacks,
)
from genestimators._delegate import DocLink, inherit_tags, tags_of
from genestimators._exceptions import EdgeOfGridWarning, warn_user
from genestimators._parallel import Progress
from genestimators._params import HasMethods, Interval, Is, Options
from genestimators._routing import route, router_of, routing_enabled
from genestimators.fitting._tuned import exactness_of
from genestimators.regularization._honest import corrected_score_of_folds
from genestimators.regularization._methods import ASKED, DelegatedMethods
from genestimators.regularization._outcome import (
    apply_rule,
    audited,
    check_rule,
    check_scores,
    cv_results,
    describe,
    expected_score,
    make_curve,
    out_of_fold,
    row_results,
)
from genestimators.regularization._planning import (
    check_data,
    check_estimator,
    make_plan,
    seeded,
    with_settings,
)
from genestimators.regularization._rules import RULES
from genestimators.regularization._search import try_candidates
from genestimators.regularization._values import find_candidates
from genestimators.resampling._hashing import derive, mix_int

EXTENSIONS = 3  # of an automatic range, at most


class AutoRegularizedCV(
    DocLink, DelegatedMethods, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator
):
    """Chooses the penalty strength of any estimator, and says why.

    A drop-in replacement for `GridSearchCV` over one penalty-like parameter. It finds
    the parameter, its range and its direction by itself, gets the training and the
    validation curve of all values from one fit a fold where it knows how (see the table
    of families in the user guide; every other estimator is fitted value by value),
    picks a value by a rule that allows for the noise of the validation scores, tells
    the gap between training and validation, and refits.

    Use it wherever one parameter limits how closely a model may follow its training
    data. For several parameters at once put it into a `GridSearchCV` over the others;
    for choices that are not ordered (a kernel, a loss) use `GridSearchCV` alone.

    Parameters
    ----------
    estimator : estimator
        Any estimator or pipeline; it is cloned.
    param : str, default="auto"
        The parameter, in the notation of `set_params`. "auto" is the preferred one of
        the last step: alpha of a ridge, ccp_alpha of a tree, n_neighbors.
    values : "auto" or sequence of numbers or None, default="auto"
        What to choose from. "auto" is a range from the data; one of a logarithmic scale
        is extended where the choice lies at its end. Of a parameter whose direction is
        not known they count as given from the weakest penalty to the strongest.
    cv : int, splitter, iterable of (train, test), "out_of_bag" or None, default=None
        As in `GridSearchCV`; None is five folds, stratified for a classifier, grouped
        if `groups` are given. "out_of_bag" scores a bag or a forest on the rows that
        its members left out; None means that for them.
    n_repeats : int or "auto", default="auto"
        How often a number of folds is repeated, shuffled anew each time; once takes the
        folds in order. "auto" is ten where a path costs about as much as a fit, fewer
        where it costs more, once where values are fitted one by one.
    scoring : str, callable or None, default=None
        One scorer as in `GridSearchCV`; None is the estimator's `score`.
    rule : str or callable, default="median"
        How to pick a value from the curve.

        - "median": the best value of each of 501 resamples of the splits, and of these
          the median by strength of penalty;
        - "gap": of the values within `q` (0.25) paired standard errors of the best, the
          one with the smallest gap;
        - "best": the best mean validation score;
        - "one_standard_error": the strongest penalty within one paired standard error
          (`classic=True`: of the best score itself);
        - "penalized": the best score less `weight` (0.1) times the gap;
        - "vfold_penalty": training score of the full fit less `kappa` (1.25) times the
          optimism that the folds estimate;
        - "tolerance": the strongest penalty that gives up at most `tolerance` (0.01) of
          the range of scores;
        - "stability": within `q` (1) paired standard errors and no weaker than the
          best, the one whose predictions change least from fold to fold;
        - a callable that takes the `Curve` and returns the position of a value.
    rule_params : dict or None, default=None
        Parameters of the rule.
    engine : {"auto", "generic", "audit"}, default="auto"
        "generic" fits every value by itself. "audit" also refits the chosen value on
        one fold, and does everything value by value if that differs from the path.
    refit : bool, default=True
        Fit the estimator with the chosen value on all rows.
    store_oof : bool, default=False
        Keep the out-of-fold predictions of all values.
    n_jobs : int, default=None
        Folds fitted at the same time.
    random_state : int, RandomState or None, default=None
        Seeds the shuffling of repeated folds, and each `random_state` of the estimator
        that is None.
    verbose : int, default=0
        1 prints progress, 2 a line a split.

    Attributes
    ----------
    best_estimator_ : estimator
        Fitted on all rows with the chosen value; not there with `refit=False`.
    best_params_ : dict
        The parameter and the chosen value.
    best_score_ : float
        Mean validation score of the chosen value.
    best_index_ : int
        Position of the chosen value in `values_`.
    cv_results_ : dict of arrays
        As that of `GridSearchCV` with training scores; also "gap", "paired_std_error"
        (of the difference to the best mean score) and "admissible" (to the rule). Times
        of a value are its share of the time of its split. Values that were clearly
        beaten on the first folds, among those fitted one by one, have NaN for the rest.
    scorer_ : callable
        The scorer used.
    n_splits_ : int
        Splits, repeats counted; 1 out of bag.
    refit_time_ : float
        Seconds of the refit.
    param_ : str
        The parameter.
    values_ : ndarray of shape (n_values,)
        The values it was chosen from.
    direction_ : {"larger", "smaller"} or None
        Which values penalise more; None if that is not known.
    engine_ : {"path", "generic"}
        How the values were fitted.
    exactness_ : str
        How the path compares with fits one by one; "refit" if they were such.
    n_fits_ : int
        Fits made, the refit included.
    oof_predictions_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        For each row what the chosen value answered when the row was first left out:
        predictions, probabilities if the estimator has them, else decisions or labels.
        NaN for rows never left out. With `store_oof` of all values, along a first axis.
    expected_score_ : float
        Score to expect on new rows, corrected for having chosen the best of many.
    expected_score_interval_ : tuple of float
        Its 95 % interval.
    generalization_gap_ : float
        Mean training score minus mean validation score, of the chosen value.
    generalization_gap_std_error_ : float
        Its standard error.
    choice_ : Choice
        What was chosen, against what, by how much; print it.
    bagging_gain_ : float
        How much lower the out-of-bag loss of the chosen bag is than that of one of its
        members; for an estimator that is a `BootstrapBaggingClassifier` or a
        `BootstrapBaggingRegressor` with `oob_score`.
    bagging_gain_std_error_ : float
        Its standard error; near to or above the gain there is nothing to gain.
    classes_ : ndarray of shape (n_classes,)
        The classes; classifiers only.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X has names.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Fits every candidate on every fold.
    register_family : Teaches it the path of another estimator.

    Notes
    -----
    Scores of two values on the same fold share its noise, so values are compared by
    the differences on each fold. Their standard error is the standard deviation over
    the splits divided by the root of the number of *folds*: repeats smooth the
    splitting, and are no new data.

    The plain validation score is the training score minus the gap. Minimising the gap
    itself would choose a constant; with ``rule="gap"`` it decides only among values
    that the validation scores cannot tell apart.

    Learners that reproduce their training rows whatever the penalty (nearest
    neighbours, forests) are given the leave-one-out or the out-of-bag score as
    training score.

    `expected_score_` repeats the choice on resampled out-of-fold predictions [1]_.

    References
    ----------
    .. [1] Tsamardinos, I., Greasidou, E. and Borboudakis, G. (2018). Bootstrapping the
       out-of-sample predictions for efficient and accurate cross-validation. Machine
       Learning 107, 1895-1922.
    .. [2] Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification
       and Regression Trees. Wadsworth. (The one-standard-error rule.)
    .. [3] Arlot, S. (2008). V-fold cross-validation improved: V-fold penalization.
       arXiv:0802.0566.
    .. [4] Roberts, S. and Nowak, G. (2014). Stabilizing the lasso against
       cross-validation variability. Computational Statistics and Data Analysis 70,
       198-211. (In the manner of which the median is taken.)
    .. [5] Lim, C. and Yu, B. (2016). Estimation stability with cross-validation.
       Journal of Computational and Graphical Statistics 25, 464-492.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from genestimators import AutoRegularizedCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AutoRegularizedCV(make_pipeline(StandardScaler(), Ridge()),
    ...                           random_state=0).fit(X, y)
    >>> model.param_, model.engine_
    ('ridge__alpha', 'path')
    >>> bool(model.best_score_ > 0.4)
    True
    """

    __metadata_request__fit = {"groups": True}
    _counts_weights = True  # see `accepts_weights`

    _parameter_constraints = {
        "estimator": [HasMethods("fit", "get_params", "set_params")],
        "param": [_params.TEXT],
        "values": [
            Options("auto"),
            Is(
                lambda value: hasattr(value, "__len__") and not isinstance(value, str),
                "a sequence of values",
            ),
        ],
        "cv": [
            Interval(int, 2),
            Options("out_of_bag"),
            HasMethods("split", "get_n_splits"),
            Is(
                lambda value: hasattr(value, "__iter__") and not isinstance(value, str),
                "an iterable of (train, test) pairs",
            ),
            _params.NONE,
        ],
        "n_repeats": [Interval(int, 1), Options("auto")],
        "scoring": [_params.TEXT, _params.CALLABLE, _params.NONE],
        "rule": [Options(*RULES), _params.CALLABLE],
        "rule_params": [
            Is(lambda value: isinstance(value, dict), "a dict"),
            _params.NONE,
        ],
        "engine": [Options("auto", "generic", "audit")],
        "refit": [_params.BOOLEAN],
        "store_oof": [_params.BOOLEAN],
        "n_jobs": _params.N_JOBS,
        "random_state": _params.RANDOM_STATE,
        "verbose": _params.VERBOSE,
    }

    def __init__(
        self,
        estimator,
        *,
        param="auto",
        values="auto",
        cv=None,
        n_repeats="auto",
        scoring=None,
        rule="median",
        rule_params=None,
        engine="auto",
        refit=True,
        store_oof=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.param = param
        self.values = values
        self.cv = cv
        self.n_repeats = n_repeats
        self.scoring = scoring
        self.rule = rule
        self.rule_params = rule_params
        self.engine = engine
        self.refit = refit
        self.store_oof = store_oof
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None, groups=None, **params):
        """Try the values, choose one, and refit with it.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
            Whatever the estimator takes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; they reach the fits and the scores.
        groups : array-like of shape (n_samples,), default=None
            Labels of rows that belong together; folds keep them together.
        **params : dict
            Routed to the estimator's `fit`, with metadata routing switched on.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If a parameter is of a wrong kind, or arguments cannot be routed.
        ValueError
            If a parameter, y, weights or groups are out of their range.
        """
        _params.check_parameters(self)
        check_estimator(self.estimator)
        X, y, weight, groups = check_data(self, X, y, sample_weight, groups)
        fit_params = self._routed("fit", params, groups)
        state = check_random_state(self.random_state)
        seed = mix_int(int(state.randint(np.iinfo(np.int32).max)))
        estimator = seeded(self.estimator, seed)
        told = (estimator, self.param, self.values, X, y, weight)
        candidates = find_candidates(*told, families=self.engine != "generic")
        estimator = with_settings(estimator, candidates)
        data = (X, y, weight, groups)
        plan, splits, scorer = make_plan(
            self, estimator, candidates, data, fit_params, seed
        )
        check_rule(self.rule, self.rule_params, splits)
        context = callback_context(self, None)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        plan, *found = self._search(plan, splits, candidates, context)
        self._store(plan, scorer, *found, seed)
        if self.refit:
            self._refit(plan)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _routed(self, method, params, groups=None):
        """Arguments for the wrapped estimator's method."""
        metadata = {name: value for name, value in params.items() if value is not None}
        if groups is not None and routing_enabled():
            metadata["groups"] = groups
        return route(self, method, metadata)

    def _search(self, plan, splits, candidates, context):
        """Try the candidates, and more of them where the choice lies at an edge."""
        progress = Progress(type(self).__name__, "splits", self.verbose)

        def attempt(plan, values):
            done = 0

            def step():
                nonlocal done
                done += 1
                progress.report(done, len(plan.draws))
                task = context.subcontext(task_name="split")
                task.call_on_fit_task_begin(estimator=self)
                task.call_on_fit_task_end(estimator=self)

            keep = "all" if self.store_oof else "few"
            return try_candidates(
                plan, candidates.param, values, progress=step, keep=keep
            )

        trials = attempt(plan, candidates.as_list())
        for remaining in reversed(range(EXTENSIONS + 1)):
            check_scores(trials, candidates)
            curve = make_curve(plan, splits, candidates, trials)
            picked, curve = apply_rule(
                self.rule, self.rule_params, curve, plan, candidates
            )
            new = candidates.extended(picked.index)
            if not remaining or not len(new) or curve.flat_at(picked.index):
                break
            more = candidates.with_values(new)
            trials = trials.join(
                attempt(plan, more.as_list()), before=new[0] < candidates.values[0]
            )
            candidates = candidates.joined(new)
        if self.engine == "audit" and not audited(plan, candidates, trials, picked):
            plan, in_vain = replace(plan, families=False), trials.n_fits
            trials = attempt(plan, candidates.as_list())
            trials.n_fits += in_vain
            curve = make_curve(plan, splits, candidates, trials)
            picked, curve = apply_rule(
                self.rule, self.rule_params, curve, plan, candidates
            )
        return plan, candidates, trials, curve, picked

    def _store(self, plan, scorer, candidates, trials, curve, picked, seed):
        """Set the fitted attributes that do not need a refit."""
        index = picked.index
        family = trials.family
        for stale in ("best_estimator_", "refit_time_", "oof_predictions_"):
            vars(self).pop(stale, None)
        self.param_ = candidates.param
        self.values_ = candidates.column
        self.direction_ = candidates.direction
        self.engine_ = "generic" if family is None else "path"
        self.exactness_ = (
            "refit"
            if family is None
            else exactness_of(family, plan.estimator, candidates.param)
        )
        self.scorer_ = scorer
        self.n_splits_ = len(plan.draws)
        self.n_fits_ = trials.n_fits
        self.cv_results_ = cv_results(candidates, trials, curve, picked)
        self.best_index_ = index
        self.best_params_ = {candidates.param: candidates.at(index)}
        self.best_score_ = float(curve.mean_test[index])
        self.choice_ = describe(candidates, curve, picked, self.rule)
        if self.choice_.edge and not candidates.automatic:
            warn_user(
                f"The choice {candidates.param}={candidates.at(index)!r} is the "
                f"{self.choice_.edge} of `values`, so a better one may lie beyond; "
                "give more values at that end.",
                EdgeOfGridWarning,
            )
        self.generalization_gap_ = float(curve.gap[index])
        self.generalization_gap_std_error_ = curve.gap_std_error(index)
        self._store_rows(plan, candidates, trials, curve, index, seed)
        self._path = trials.path if self.refit else None

    def _store_rows(self, plan, candidates, trials, curve, index, seed):
        """Set what rests on answers for single rows."""
        by_model = plan.measure.kind == "model"
        if by_model:
            expected = corrected_score_of_folds(curve, index)
        if not by_model or (trials.answers is not None):
            held = row_results(plan, candidates, trials, curve, index)
            if plan.measure.kept is not None:
                place = None if self.store_oof else held.chosen
                self.oof_predictions_ = out_of_fold(plan, held, place)
            if not by_model:
                seed = derive(seed, "expected score")
                expected = expected_score(plan, held, curve, seed)
        self.expected_score_, self.expected_score_interval_ = expected

    def _refit(self, plan):
        """Fit the estimator with the chosen value on all rows."""
        start = time.perf_counter()
        path, self._path = self._path, None
        model = None if path is None else path.model(self.best_index_)
        if model is None:
            model = plan.refit(self.best_params_)
            self.n_fits_ += 1
        self.best_estimator_ = model
        self.refit_time_ = time.perf_counter() - start

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        inner = tags_of(self.estimator)
        if inner is None:
            return tags
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.transformer_tags = deepcopy(inner.transformer_tags)
        return inherit_tags(tags, self.estimator)

    def get_metadata_routing(self):
        """How metadata are routed: everything but weights and groups to the estimator.

        Returns
        -------
        routing : MetadataRouter
        """
        methods = ["fit", "fit_transform", *ASKED]
        return router_of(self, self.estimator, methods)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "best_index_")
