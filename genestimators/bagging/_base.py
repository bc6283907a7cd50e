"""What the bagging classifier and regressor share."""

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from genestimators import _inputs, _params
from genestimators._compat import CallbackSupportMixin, callback_context
from genestimators._delegate import DocLink, tags_of
from genestimators._parallel import Progress
from genestimators._params import HasMethods, Interval, Is, Options
from genestimators._routing import route, router_of, routing_enabled
from genestimators._scoring import resolve_measure
from genestimators._weights import row_mode
from genestimators.bagging._compact import START_ANEW, Compactable, refuse_compact
from genestimators.bagging._features import feature_chooser
from genestimators.bagging._figures import check_measure, compute_figures
from genestimators.bagging._growing import (
    can_continue,
    fingerprint,
    same_draws,
    same_settings,
    settings_of,
)
from genestimators.bagging._limit import limit_parts
from genestimators.bagging._members import (
    as_estimators,
    count_of,
    engine_of,
    features_of,
    join,
    runs_of,
    samples_of,
)
from genestimators.bagging._predict import (
    aggregate_members,
    checked_rows,
    mean_of_members,
    runs_in,
)
from genestimators.bagging._stopping import PILOT, next_goal, replicates_needed
from genestimators.bagging._tally import Tally
from genestimators.fitting import Response, fit_over, held_out_of, response_kind
from genestimators.resampling._hashing import derive, mix_int
from genestimators.resampling._resolve import RESAMPLERS, resolve_resampler


def _fits_and_predicts(value):
    """Whether an object fits and predicts, be it only once it is fitted (a stack)."""
    if HasMethods("fit", "predict").accepts(value):
        return True
    if not HasMethods("fit").accepts(value) or not hasattr(type(value), "predict"):
        return False
    tags = tags_of(value)
    return tags is not None and tags.estimator_type in ("classifier", "regressor")


_FEATURES = ("n_features_in_", "feature_names_in_")


class BaseBootstrapBagging(
    Compactable, DocLink, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator
):
    """Fits an estimator on resampled rows and averages; see the two subclasses."""

    __metadata_request__fit = {"groups": True}
    _counts_weights = True  # see `accepts_weights`

    _parameter_constraints = {
        "estimator": [
            Is(_fits_and_predicts, "an object with `fit` and `predict`"),
            _params.NONE,
        ],
        "n_estimators": [Interval(int, 1), Options("auto")],
        "resampling": [Options(*RESAMPLERS), HasMethods("prepare")],
        "max_samples": [Interval(float, 0.0, 1.0, open_low=True), Interval(int, 1)],
        "max_features": [Interval(float, 0.0, 1.0, open_low=True), Interval(int, 1)],
        "weight_mode": [Options("frequency", "importance")],
        "oob_score": [_params.BOOLEAN, _params.TEXT, _params.CALLABLE],
        "tolerance": [Interval(float, 0.0, open_low=True)],
        "max_estimators": [Interval(int, 1)],
        "engine": [Options("auto", "generic")],
        "early_stopping": [Options("out_of_bag"), _params.NONE],
        "warm_start": [_params.BOOLEAN],
        "n_jobs": _params.N_JOBS,
        "random_state": _params.RANDOM_STATE,
        "verbose": _params.VERBOSE,
    }
    _is_classifier = False

    def __init__(
        self,
        estimator=None,
        *,
        n_estimators="auto",
        resampling="bootstrap",
        max_samples=1.0,
        max_features=1.0,
        aggregate="mean",
        weight_mode="frequency",
        oob_score=True,
        tolerance=0.01,
        max_estimators=200,
        engine="auto",
        early_stopping=None,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.resampling = resampling
        self.max_samples = max_samples
        self.max_features = max_features
        self.aggregate = aggregate
        self.weight_mode = weight_mode
        self.oob_score = oob_score
        self.tolerance = tolerance
        self.max_estimators = max_estimators
        self.engine = engine
        self.early_stopping = early_stopping
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _fit(self, X, y, sample_weight, groups, params):
        """Fit; a fit that fails leaves what was known of the features as it was."""
        known = {name: vars(self)[name] for name in _FEATURES if name in vars(self)}
        before = vars(self).get("_response")
        try:
            self._fit_members(X, y, sample_weight, groups, params)
        except BaseException:
            if before is not None and vars(self).get("_response") is before:
                for name in _FEATURES:
                    vars(self).pop(name, None)
                vars(self).update(known)
            raise
        return self

    def _fit_members(self, X, y, sample_weight, groups, params):
        """The recipe of `fit`: check, plan, run, combine, store."""
        if self.warm_start:
            refuse_compact(self, "Bags that grow", START_ANEW)
        growing = (
            self.warm_start and hasattr(self, "_draws") and self.engine_ != "limit"
        )
        plan, seed, measure = self._plan_fit(
            X, y, sample_weight, groups, params, growing
        )
        limit = limit_parts(self, plan, measure is not None)
        if limit is not None:
            self._store(plan, seed, *limit, measure)
            return
        models, features, tally = self._begin(plan, growing, measure is not None)
        try:
            self._grow(plan, models, features, tally)
        except BaseException:
            # What was fitted stays usable, and the next fit goes on from there.
            if self.warm_start and models:
                self._store(plan, seed, models, features, tally, measure)
            raise
        self._store(plan, seed, models, features, tally, measure)

    def _plan_fit(self, X, y, sample_weight, groups, params, growing):
        """Everything about a fit that is known before it, checked."""
        _params.check_parameters(self)
        estimator = self._get_estimator()
        _check_estimator(estimator, type(self).__name__, self._is_classifier)
        fit_params = self._routed("fit", params, groups)
        X, y, weight = self._check_data(X, y, sample_weight, growing)
        classes = self._classes_of(y, weight)
        response = Response(
            response_kind(
                estimator,
                self.aggregate,
                classifier=self._is_classifier,
                multi_output=len(classes) > 1,
            ),
            classes,
        )
        self._check_response(estimator, response)
        measure = None
        if not _is_false(self.oob_score):
            measure = resolve_measure(
                self.oob_score,
                classifier=self._is_classifier,
                probabilities=response.kind in ("probability", "log_probability")
                and len(classes) == 1,
            )
            rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
            check_measure(measure, X, y, rows, response, self.aggregate)
        resampler = resolve_resampler(self.resampling, self.max_samples)
        seed = self._seed if growing else self._new_seed()
        draws = resampler.prepare(
            X,
            y,
            weight,
            groups,
            seed,
            classifier=self._is_classifier,
            weight_mode=self.weight_mode,
        )
        if measure is not None and not draws.has_out_of_bag:
            raise ValueError(
                "Out-of-bag figures need rows that are left out, and "
                f"{type(resampler).__name__} leaves none out; set `oob_score=False`. "
                f"Got oob_score={self.oob_score!r}."
            )
        per_row = _inputs.per_row_names(fit_params, _inputs.n_rows_of(X))
        stopping = self.early_stopping
        plan = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "draws": draws,
            "resampler": resampler,
            "response": response,
            "features": feature_chooser(
                self.max_features, getattr(self, "n_features_in_", None), seed
            ),
            "fit_params": fit_params,
            "per_row": per_row,
            "held_out": held_out_of(stopping, estimator, draws, fit_params, per_row),
            "seed": derive(seed, "estimator"),
            "n_jobs": self.n_jobs,
            "owner": type(self).__name__,
        }
        return plan, seed, measure

    def _get_estimator(self):
        raise NotImplementedError

    def _new_seed(self):
        state = check_random_state(self.random_state)
        return mix_int(int(state.randint(np.iinfo(np.int32).max)))

    def _routed(self, method, params, groups=None):
        """Arguments for the wrapped estimator's method."""
        metadata = {name: value for name, value in params.items() if value is not None}
        if groups is not None and routing_enabled():
            metadata["groups"] = groups
        return route(self, method, metadata)

    def _check_data(self, X, y, sample_weight, growing, minimum=2):
        """Check X, y and the weights; record the features."""
        name = type(self).__name__
        if not growing:
            for stale in _FEATURES:
                vars(self).pop(stale, None)
        X = _inputs.as_container(X)
        if y is None:  # worded by scikit-learn
            validate_data(self, X, y=None, skip_check_array=True)
        n_rows = _inputs.check_n_rows(X, minimum=minimum, name=name)
        validate_data(self, X, reset=not growing, skip_check_array=True)
        y = _inputs.check_y(y, n_rows, classifier=self._is_classifier)
        few = minimum < 2
        weight = _inputs.check_sample_weight(sample_weight, n_rows, all_zero=few)
        if weight is not None and not few and np.count_nonzero(weight) < 2:
            raise ValueError(
                f"{name} needs at least 2 rows of positive weight to resample. Got "
                "n_samples = 1 with a weight above zero."
            )
        return X, y, weight

    def _classes_of(self, y, weight):
        return ()

    def _check_response(self, estimator, response):
        pass

    def _begin(self, plan, growing, figures):
        """Members, their features and the tally to go on from."""
        if self.n_estimators != "auto" and growing:
            if self.n_estimators < len(self.estimators_):
                raise ValueError(
                    "`n_estimators` must not shrink with `warm_start=True`: "
                    f"{len(self.estimators_)} are fitted. Got {self.n_estimators!r}; "
                    "set `warm_start=False` to start anew."
                )
        stopping = self.n_estimators == "auto"
        tally = None
        if figures or stopping:
            tally = Tally(
                plan["draws"],
                plan["y"],
                plan["response"],
                self.aggregate,
                figures=figures,
                stopping=stopping,
            )
        if not growing:
            return [], [], tally
        same = same_draws(plan["draws"], self._draws)
        if not same or self._data != fingerprint(plan):
            raise ValueError(
                "`warm_start=True` grows the ensemble on the data it was fitted on, "
                "and these data, weights, groups or ways to resample differ; set "
                "`warm_start=False` to start anew."
            )
        if not same_settings(self._settings, settings_of(self, plan)):
            raise ValueError(
                "`warm_start=True` grows the ensemble with the estimator, the "
                "resampling and the `max_features` it was fitted with, and these "
                "differ; set `warm_start=False` to start anew."
            )
        models, features = list(self._members), list(self._features)
        if tally is None:
            return models, features, tally
        earlier = getattr(self, "_tally", None)
        if can_continue(earlier, tally, len(models)):
            return models, features, earlier
        for number, (model, columns) in enumerate(zip(models, features, strict=True)):
            one = runs_of([model], [columns])
            answer = aggregate_members(one, plan["X"], plan["response"], "mean")
            tally.add(plan["draws"][number], answer)
        return models, features, tally

    def _grow(self, plan, models, features, tally):
        """Fit replicates until there are enough of them."""
        auto = self.n_estimators == "auto"
        limit = plan["draws"].limit
        goal = min(PILOT, self.max_estimators) if auto else self.n_estimators
        if limit is not None and goal > limit and not auto:
            raise ValueError(
                f"`n_estimators` must not exceed the {limit} draws there are. "
                f"Got {self.n_estimators!r}."
            )
        most = min(self.max_estimators, np.inf if limit is None else limit)
        most = max(most, len(models))
        goal = max(min(goal, most) if auto else goal, len(models))
        progress = Progress(type(self).__name__, "replicates", self.verbose)
        context = callback_context(self, None if auto else goal - len(models))
        context.call_on_fit_task_begin(estimator=self, X=plan["X"], y=plan["y"])
        fits = {name: value for name, value in plan.items() if name != "resampler"}
        while True:
            for fitted in fit_over(
                **fits,
                numbers=range(len(models), goal),
                answer="none" if tally is None else "all",
                ensembles=self.engine == "auto",
            ):
                task = context.subcontext(task_name="replicate")
                task.call_on_fit_task_begin(estimator=self)
                if tally is not None:
                    tally.add(fitted.draw, fitted.responses[0])
                features.append(fitted.features)
                models.append(fitted.member)
                del fitted  # else its answers would wait for the next fit
                progress.report(len(models), goal)
                task.call_on_fit_task_end(estimator=self)
            if not auto:
                break
            goal = next_goal(self._needed(plan, tally), len(models), most)
            if goal <= len(models):
                break
        context.call_on_fit_task_end(estimator=self, X=plan["X"], y=plan["y"])

    def _needed(self, plan, tally):
        """Replicates that bring the Monte-Carlo excess under the tolerance."""
        draws, sums = plan["draws"], tally.stopping_sums
        order = draws.occurrences.rows if sums is tally.rows else slice(None)
        weight = draws.occurrences.weights
        if draws.importance is not None:
            weight = draws.importance[draws.occurrences.rows]
        scale = np.ones(sums.n_outputs)
        if sums.n_outputs > 1:
            spread = sums.targets[order].var(axis=0)
            scale = np.where(spread > 0, spread, 1.0)
        return replicates_needed(sums, weight, self.tolerance, scale, order)

    def _store(self, plan, seed, models, features, tally, measure):
        """Set the fitted attributes."""
        draws, response = plan["draws"], plan["response"]
        vars(self).pop("_compact", None)
        self.estimator_ = clone(plan["estimator"])
        self._members = join(models)
        self.estimators_ = as_estimators(self._members)
        self.engine_ = engine_of(self.estimators_)
        self.n_estimators_ = count = count_of(models)
        self.row_mode_ = row_mode(plan["estimator"])
        self.draw_version_ = draws.version
        self._features = features[: min(count, len(features))]
        self._draws = draws
        self._data = fingerprint(plan)
        self._settings = settings_of(self, plan)
        self._seed = seed
        self._response = response
        self._aggregate = self.aggregate
        self._mean_member = mean_of_members(self)
        self._flat_y = plan["y"].ndim == 1
        self._target_shape = plan["y"].shape[1:]
        self._store_classes(response)
        self._forget_figures()
        self._tally = tally if self.warm_start else None
        if measure is None or tally.busy or tally.n_added != count:
            return
        oob, train = tally.answers()
        figures = compute_figures(
            X=plan["X"],
            y=plan["y"],
            draws=draws,
            sums=tally.rows,
            oob_answer=oob,
            train_answer=train,
            response=response,
            aggregate=self.aggregate,
            measure=measure,
        )
        for name, value in vars(figures).items():
            setattr(self, f"{name}_", value)
        self._store_out_of_bag(oob)

    def _store_classes(self, response):
        pass

    def _forget_figures(self):
        """Drop the figures of an earlier fit, and what is known of a stream."""
        starts = ("oob_", "train_score", "generalization_", "bagging_", "prequential_")
        for name in list(vars(self)):
            if name.startswith(starts) and name.endswith("_"):
                delattr(self, name)
        for name in ("_stream", "n_samples_seen_"):
            vars(self).pop(name, None)

    @property
    def estimators_samples_(self):
        """The in-bag rows of each member, made again from the seed."""
        if not hasattr(self, "_draws"):
            raise AttributeError("estimators_samples_")
        return samples_of(self._draws, self.n_estimators_)

    @property
    def estimators_features_(self):
        """The columns each member was fitted on."""
        if not hasattr(self, "_features"):
            raise AttributeError("estimators_features_")
        every = np.arange(getattr(self, "n_features_in_", 0))
        return features_of(self._members, self._features, every)

    def _answer(self, X, method, params):
        """The aggregated answer for new rows, (n_rows, width)."""
        if not self.__sklearn_is_fitted__():  # the check takes longer than some answers
            check_is_fitted(self)
        params = self._routed(method, params)
        X = checked_rows(self, X)
        if self._mean_member is not None and not params:
            return self._response(self._mean_member, X)[0]
        return aggregate_members(
            runs_in(self),
            X,
            self._response,
            self._aggregate,
            params=params,
            n_jobs=self.n_jobs,
        )

    def __sklearn_is_fitted__(self):
        # No member of a stream may have drawn a row yet.
        return bool(vars(self).get("n_estimators_"))

    def get_metadata_routing(self):
        """How metadata are routed: everything but weights and groups to the estimator.

        Returns
        -------
        routing : MetadataRouter
        """
        asked = ["predict", "predict_proba", "decision_function"]
        methods = ["fit", "partial_fit", *asked]
        return router_of(self, self._get_estimator(), methods)


def _is_false(value):
    return isinstance(value, (bool, np.bool_)) and not value


def _check_estimator(estimator, name, classifier):
    if (is_regressor if classifier else is_classifier)(estimator):
        wanted, got = ("classifier", "regressor")[:: 1 if classifier else -1]
        raise ValueError(
            f"{name} wraps a {wanted}, and the estimator is a {got}; use the bag for "
            f"{got}s. Got {estimator!r}."
        )
    tags = tags_of(estimator)
    if tags is not None and tags.input_tags.pairwise:
        raise ValueError(
            f"{name} resamples rows and cannot resample the columns of a precomputed "
            f"kernel or distance matrix with them. Got {estimator!r}; let the "
            "estimator compute its kernel."
        )
