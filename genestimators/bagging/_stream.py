"""Bags of a stream: batches of rows that are learned once and not kept.

Every member learns each batch by the `partial_fit` of the estimator, with the counts
that its replicate draws for the rows: Poisson counts, as in online bagging [1]_, from
the uniforms of :class:`Bootstrap`, so that they are balanced over blocks of ten members
and do not depend on how rows were put into batches. A batch is learned by copies of the
members, which take their place once all of them have learned it.

References
----------
.. [1] Oza, N. C. & Russell, S. (2001). Online bagging and boosting. Artificial
   Intelligence and Statistics, 105-112.
"""

from collections import deque
from copy import deepcopy
from dataclasses import dataclass, replace
from inspect import signature

import numpy as np
from sklearn.base import clone

from genestimators._delegate import random_state_parameters
from genestimators._inputs import n_rows_of, per_row_names, take_columns, take_rows
from genestimators._parallel import error_note, prefers_threads, run_in_order
from genestimators._params import check_parameters
from genestimators._weights import learn_weighted, learning_mode
from genestimators.bagging._base import _FEATURES, _check_estimator
from genestimators.bagging._compact import refuse_compact
from genestimators.bagging._features import feature_chooser
from genestimators.bagging._growing import same_settings, settings_of
from genestimators.bagging._prequential import (
    LeftOutAnswers,
    RunningScore,
    score_batch,
    stream_score,
)
from genestimators.bagging._stream_classes import (
    check_labels,
    classes_of,
    listed,
    n_outputs_of,
)
from genestimators.bagging._uncertainty import Kept
from genestimators.fitting import Response, response_kind
from genestimators.resampling._hashing import derive, derive_seed
from genestimators.resampling._resolve import resolve_resampler
from genestimators.resampling._stream import stream_draws, stream_resampler

_WAY = "go on with the bag that `compact()` was called on, or with a clone of this one"
MEMBERS = 50  # of `n_estimators="auto"`, which has no rows to go by


@dataclass(frozen=True, eq=False)
class Stream:
    """What a bag knows of its stream, between two batches.

    Attributes
    ----------
    members : list of estimators
        None for a member that has not drawn a row yet.
    features : list of ndarray or None
        Columns of each member; None is all of them.
    response : Response
    classes : object or None
        The classes in the form that the estimator takes.
    shape : tuple of int
        The shape of the target of one row.
    seed : int
    n_seen : int
        Rows so far, those of weight zero among them.
    settings : dict
        Parameters that must stay as they are.
    running : RunningScore or None
    """

    members: list
    features: list
    response: Response
    classes: object
    shape: tuple
    seed: int
    n_seen: int
    settings: dict
    running: RunningScore | None


def learn_batch(bag, X, y, classes, sample_weight, params):
    """The recipe of `partial_fit`: check, draw, predict, learn, store.

    Whatever fails on the way, the bag stays what it was.
    """
    known = {name: vars(bag)[name] for name in _FEATURES if name in vars(bag)}
    try:
        stream, plan = _plan_batch(bag, X, y, classes, sample_weight, params)
        members, answers = _learn(stream, plan)
        running = stream.running
        if running is not None:
            running = score_batch(
                running,
                answers,
                plan["y"],
                plan["draws"].row_weight,
                stream.response,
                bag.aggregate,
                flat_y=not stream.shape,
            )
        estimator = clone(plan["estimator"])
    except BaseException:
        for name in set(_FEATURES) - known.keys():
            vars(bag).pop(name, None)
        vars(bag).update(known)
        raise
    n_seen = stream.n_seen + len(plan["y"])
    stream = replace(stream, members=members, n_seen=n_seen, running=running)
    _store(bag, stream, estimator, plan)
    return bag


def _plan_batch(bag, X, y, classes, sample_weight, params):
    """The stream so far, and everything about a batch that is known beforehand."""
    check_parameters(bag)
    refuse_compact(bag, "Batches", _WAY)
    estimator = bag._get_estimator()
    _check_estimator(estimator, type(bag).__name__, bag._is_classifier)
    resampler = stream_resampler(bag.resampling, bag.max_samples)
    if bag.early_stopping is not None:
        raise ValueError(
            "`early_stopping` hands validation rows to `fit`, and `partial_fit` takes "
            f"none; set `early_stopping=None`. Got {bag.early_stopping!r}."
        )
    params = bag._routed("partial_fit", params)
    stream = vars(bag).get("_stream")
    fitted = stream is None and "_draws" in vars(bag)
    begun = stream is not None or fitted
    X, y, weight = bag._check_data(X, y, sample_weight, begun, minimum=1)
    if fitted:
        stream = _after_fit(bag, estimator)
    if stream is None:
        stream = _first(bag, estimator, y, classes)
    else:
        _check_same(bag, estimator, stream, y, classes)
    check_labels(stream.response.classes, y, weight)
    draws = stream_draws(
        resampler,
        X,
        len(y),
        weight,
        stream.seed,
        stream.n_seen,
        importance=bag.weight_mode == "importance",
    )
    plan = {
        "estimator": estimator,
        "X": X,
        "y": y,
        "draws": draws,
        "mode": learning_mode(estimator),
        "aggregate": bag.aggregate,
        "params": params,
        "per_row": per_row_names(params, n_rows_of(X)),
        "n_jobs": bag.n_jobs,
        "owner": type(bag).__name__,
    }
    return stream, plan


def _first(bag, estimator, y, classes):
    """The stream of a bag that knows nothing yet."""
    known, handed = (), None
    if bag._is_classifier:
        if classes is None:
            raise ValueError(
                "`classes` must name every label at the first call of `partial_fit`, "
                "since later batches may hold labels that the first one lacks. Got "
                "None; pass an array of all labels."
            )
        known, handed = classes_of(classes, y)
    response = _response_of(bag, estimator, known)
    bag._check_response(estimator, response)
    score = stream_score(bag.oob_score, response)
    seed = bag._new_seed()
    n_members = bag.n_estimators
    if n_members == "auto":
        n_members = min(MEMBERS, bag.max_estimators)
    chooser = feature_chooser(
        bag.max_features, getattr(bag, "n_features_in_", None), seed
    )
    return Stream(
        members=[None] * n_members,
        features=[None if chooser is None else chooser(b) for b in range(n_members)],
        response=response,
        classes=handed,
        shape=y.shape[1:],
        seed=seed,
        n_seen=0,
        settings=_settings(bag, estimator, score),
        running=None if score is None else RunningScore(score),
    )


def _after_fit(bag, estimator):
    """The stream that goes on from a fit."""
    known = bag._response.classes
    members = list(bag.estimators_)
    for number, member in enumerate(members):
        seen = getattr(member, "classes_", None)
        seen = seen if isinstance(seen, list) else [seen]
        if known and seen[0] is not None:
            lacks = [set(a) - set(b) for a, b in zip(known, seen, strict=False)]
            if any(lacks):
                raise ValueError(
                    "`partial_fit` after `fit` needs members that know every class, "
                    f"and member {number} has not drawn {sorted(set.union(*lacks))!r}; "
                    "begin with `clone(bag).partial_fit(X, y, classes=...)`."
                )
    score = stream_score(bag.oob_score, bag._response)
    settings = _settings(bag, estimator, score)
    # What `fit` has noted, and what it has used.
    before = settings | bag._settings | {"aggregate": bag._aggregate}
    if not same_settings(settings, before):
        raise ValueError(_differ(settings, before))
    handed = known[0] if len(known) == 1 else list(known)
    return Stream(
        members=members,
        features=list(bag._features),
        response=bag._response,
        classes=handed if known else None,
        shape=bag._target_shape,
        seed=bag._seed,
        n_seen=bag._draws.n_rows,
        settings=settings,
        running=None if score is None else RunningScore(score),
    )


def _response_of(bag, estimator, classes):
    """What the members are asked."""
    kind = response_kind(
        estimator,
        bag.aggregate,
        classifier=bag._is_classifier,
        multi_output=len(classes) > 1,
    )
    return Response(kind, classes)


def _settings(bag, estimator, score):
    """What must stay as it is from batch to batch."""
    resampler = resolve_resampler(bag.resampling, bag.max_samples)
    return {
        **settings_of(bag, {"estimator": estimator, "resampler": resampler}),
        "aggregate": bag.aggregate,
        "weight_mode": bag.weight_mode,
        "oob_score": score,
    }


def _differ(ours, theirs):
    """The message for parameters that have changed."""
    names = sorted(
        name
        for name in ours.keys() | theirs.keys()
        if name not in ours
        or name not in theirs
        or not same_settings({name: ours[name]}, {name: theirs[name]})
    )
    return (
        "`partial_fit` goes on with the parameters it began with. Got others for "
        f"{', '.join(names)}; set them back, or begin anew with "
        "`clone(bag).partial_fit(...)`."
    )


def _check_same(bag, estimator, stream, y, classes):
    """Refuse a batch or parameters that do not belong to the stream."""
    score = stream_score(bag.oob_score, stream.response)
    settings = _settings(bag, estimator, score)
    if not same_settings(settings, stream.settings):
        raise ValueError(_differ(settings, stream.settings))
    if bag.n_estimators not in ("auto", len(stream.members)):
        raise ValueError(
            f"`n_estimators` must stay what the stream began with, "
            f"{len(stream.members)}, since a new member would lack the rows seen. Got "
            f"{bag.n_estimators!r}; begin anew with `clone(bag).partial_fit(...)`."
        )
    if y.shape[1:] != stream.shape:
        raise ValueError(
            f"y must have as many outputs as at first, {n_outputs_of(stream.shape)}. "
            f"Got {n_outputs_of(y.shape[1:])}."
        )
    if classes is None:
        return
    known, _ = classes_of(classes, y)
    same = len(known) == len(stream.response.classes) and all(
        map(np.array_equal, known, stream.response.classes)
    )
    if not same:
        raise ValueError(
            "`classes` must be the same at every call of `partial_fit`: "
            f"{listed(stream.response.classes)}. Got {listed(known)}; leave it out, "
            "or begin anew with all labels."
        )


def _learn(stream, plan):
    """Members that have learned a batch, and what they answered before."""
    y, draws, estimator = plan["y"], plan["draws"], plan["estimator"]
    names, seed = random_state_parameters(estimator), derive(stream.seed, "estimator")
    present = np.zeros(len(y), dtype=bool)
    present[draws.occurrences.rows] = True
    first = {}
    if stream.classes is not None:
        if "classes" in signature(estimator.partial_fit).parameters:
            first["classes"] = stream.classes
    common = {
        **{name: plan[name] for name in ("X", "y", "mode", "params", "per_row")},
        "response": stream.response,
    }
    waiting = deque()

    def tasks():
        for number, member in enumerate(stream.members):
            counts = draws.counts_of(number)
            drawn = counts > 0
            rows = draws.occurrences.rows[drawn]
            asked = None
            if stream.running is not None and member is not None:
                left = present.copy()
                left[rows] = False
                asked = np.flatnonzero(left)
            if not len(rows) and (asked is None or not len(asked)):
                continue
            waiting.append((number, asked))
            learner = member
            if member is None:
                seeds = {name: derive_seed(seed, name, number) for name in names}
                learner = clone(estimator).set_params(**seeds)
            yield {
                **common,
                "learner": learner,
                "first": first if member is None else {},
                "rows": rows,
                "counts": draws.weights_of(counts[None])[0][drawn],
                "asked": asked,
                "columns": stream.features[number],
                "note": f"This happened in replicate {number} of {plan['owner']}.",
            }

    members = list(stream.members)
    answers = LeftOutAnswers(len(y), plan["aggregate"])
    results = run_in_order(
        _learn_one, tasks(), n_jobs=plan["n_jobs"], threads=prefers_threads(estimator)
    )
    for learned, answer in results:
        number, asked = waiting.popleft()
        if learned is not None:
            members[number] = learned
        if answer is not None:
            answers.add(asked, answer)
    return members, answers


def _learn_one(
    *,
    learner,
    first,
    X,
    y,
    rows,
    counts,
    mode,
    asked,
    columns,
    response,
    params,
    per_row,
    note,
):
    """A copy of a member that has learned its rows, and its answers before that."""
    with error_note(note):
        if columns is not None:
            X = take_columns(X, columns)
        answer = None
        if asked is not None and len(asked):
            answer = response(learner, take_rows(X, asked))
        if not len(rows):
            return None, answer
        learned = deepcopy(learner)
        learn_weighted(  # what `partial_fit` returns is the estimator, or nothing
            learned,
            X,
            y,
            rows,
            counts,
            mode=mode,
            params={**params, **first},
            per_row=per_row,
        )
        return learned, answer


def _store(bag, stream, estimator, plan):
    """Set the fitted attributes."""
    bag._forget_figures()
    for name in ("_compact", "_draws", "_data", "_tally", "_settings"):
        vars(bag).pop(name, None)
    bag._kept = Kept(None, False)
    begun = [b for b, member in enumerate(stream.members) if member is not None]
    bag._stream = stream
    bag._seed = stream.seed
    bag._response = stream.response
    bag._aggregate = bag.aggregate
    bag._flat_y = not stream.shape
    bag._mean_member = None
    bag._members = [stream.members[b] for b in begun]
    bag._features = [stream.features[b] for b in begun]
    bag.estimator_ = estimator
    bag.estimators_ = bag._members
    bag.n_estimators_ = len(begun)
    bag.engine_ = "generic"
    bag.row_mode_ = plan["mode"]
    bag.draw_version_ = plan["draws"].version
    bag.n_samples_seen_ = stream.n_seen
    bag._store_classes(stream.response)
    if stream.running is not None:
        bag.prequential_score_ = stream.running.value
        bag.prequential_score_std_error_ = stream.running.std_error
