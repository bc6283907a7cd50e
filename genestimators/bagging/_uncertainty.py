"""What a fitted bag says of its own uncertainty, without further fits.

Members are asked for their answers on new rows; which of them left a training row out,
and how often each row was drawn, comes back from the seed. The maths are in
`_left_out`, `_intervals`, `_prediction_sets` and `_sampling_error`.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from genestimators._exceptions import (
    CoverageWarning,
    FewReplicatesWarning,
    OutOfBagWarning,
    warn_user,
)
from genestimators._inputs import check_n_rows
from genestimators._parallel import run_in_order
from genestimators.bagging._aggregate import normalised
from genestimators.bagging._compact import refuse_compact
from genestimators.bagging._intervals import (
    around,
    jackknife_minmax,
    jackknife_plus,
    weight_needed,
)
from genestimators.bagging._left_out import left_out_aggregates
from genestimators.bagging._predict import aggregate_members, checked_rows, runs_in
from genestimators.bagging._prediction_sets import jackknife_plus_sets, sets_around
from genestimators.bagging._sampling_error import count_products, unbiased_variance
from genestimators.resampling._block import BlockDraws
from genestimators.resampling._group import GroupDraws

METHODS = ("jackknife+", "jackknife-minmax")
NOISE = 0.5  # of the variance, on average, before standard errors are warned of

_LEFT_OUT = 1 << 21  # numbers held at a time, new rows x training rows


class Kept:
    """What a fit keeps for later, and what is made from it when asked for.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_scores) or None
        How wrong the out-of-bag answers are on the training rows; NaN for rows that
        were never out of bag. None where there are no such answers.
    chosen : bool
        Whether the data chose the number of members.
    """

    def __init__(self, scores, chosen):
        self.scores = scores
        self.chosen = chosen
        self.made = {}

    def __getstate__(self):
        return {"scores": self.scores, "chosen": self.chosen}

    def __setstate__(self, state):
        self.__init__(**state)

    def once(self, name, make):
        """What `make` returns, made at the first call; never pickled."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]


def keep(bag, scores):
    """Keep what a fit knows; called at the end of each."""
    earlier = getattr(bag, "_kept", None)
    grown = bag.warm_start and earlier is not None and earlier.chosen
    bag._kept = Kept(scores, bag.n_estimators == "auto" or grown)


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The rows whose errors bound those of new ones.

    Attributes
    ----------
    rows : ndarray of shape (n,)
        Those of positive weight.
    unit : ndarray of shape (n,) or None
        The unit of each, where units are groups of rows.
    left_out : ndarray of shape (n_units, n_members), bool
    weights : ndarray of shape (n,) or None
        None where each is one.
    """

    rows: np.ndarray
    unit: np.ndarray | None
    left_out: np.ndarray
    weights: np.ndarray | None

    @property
    def total(self):
        """The weight of all rows."""
        return len(self.rows) if self.weights is None else float(self.weights.sum())


def training_rows(draws, n_members):
    """The training rows of some draws, with who left them out.

    Parameters
    ----------
    draws : Draws
    n_members : int

    Returns
    -------
    TrainingRows
    """
    rows = np.sort(draws.row_order())
    left_out = np.zeros((draws.n_rows, n_members), dtype=bool)
    for b in range(n_members):
        left_out[draws[b].out_of_bag, b] = True
    left_out = left_out[rows]
    weights = None
    if draws.row_weight is not None and draws.importance is None:
        weights = draws.row_weight[rows]
    if not isinstance(draws, GroupDraws):
        return TrainingRows(rows, None, left_out, weights)
    _, first, unit = np.unique(
        draws.clusters[rows], return_index=True, return_inverse=True
    )
    share = np.ones(len(rows)) if weights is None else weights
    weights = share / np.bincount(unit, share)[unit]  # each group weighs one
    return TrainingRows(rows, unit, left_out[first], weights)


def predict_interval(bag, X, level, method):
    """Intervals for new rows, (n_rows, n_outputs, 2); see the regressor."""
    check_is_fitted(bag)
    refuse_compact(bag, "Intervals")
    _check_rows_known(bag)
    _check_level(level)
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {METHODS}. Got {method!r}.")
    series = isinstance(bag._draws, BlockDraws)
    if series and method != "jackknife+":
        raise ValueError(
            "Intervals of a bag of blocks have one width around the prediction, and "
            f'`method` chooses nothing there; leave it at "jackknife+". Got {method!r}.'
        )
    training = _prepared(bag, level, "Intervals")
    return _by_new_row(
        bag,
        X,
        _intervals_of,
        scores=_scores_of(bag, training),
        training=training,
        aggregate=bag._aggregate,
        level=level,
        method="around" if series else method,
    )


def predict_set(bag, X, level):
    """Sets of classes for new rows, (n_rows, n_classes); see the classifier."""
    check_is_fitted(bag)
    refuse_compact(bag, "Sets of classes")
    _check_rows_known(bag)
    _check_level(level)
    if len(bag._response.classes) > 1:
        raise ValueError(
            "Sets of classes are for one output. Got a bag that was fitted on "
            f"{len(bag._response.classes)}; fit one for each output."
        )
    training = _prepared(bag, level, "Sets of classes")
    return _by_new_row(
        bag,
        X,
        _sets_of,
        scores=_scores_of(bag, training),
        training=training,
        aggregate=bag._aggregate,
        response=bag._response,
        level=level,
        series=isinstance(bag._draws, BlockDraws),
    )


def predict_std(bag, X):
    """Standard errors of the answers for new rows, (n_rows, width)."""
    check_is_fitted(bag)
    refuse_compact(bag, "Standard errors")
    _check_rows_known(bag)
    _check_counted(bag, "Standard errors")
    draws, n_members = bag._draws, bag.n_estimators_
    if isinstance(draws, BlockDraws):
        raise ValueError(
            "Standard errors are for rows, or groups of rows, that do not depend on "
            "each other, and blocks are drawn where they do; `predict_interval` and "
            "`predict_set` allow for that. Got a bag of blocks."
        )
    if bag._aggregate not in ("mean", "vote"):
        raise ValueError(
            "Standard errors are those of a mean of the members' answers; set "
            f'`aggregate="mean"`. Got a bag with aggregate={bag._aggregate!r}.'
        )
    block = draws.balanced_block
    if n_members <= block:
        raise ValueError(
            f"Standard errors compare members of different blocks of {block} and need "
            f"more than {block} of them, better hundreds. Got {n_members}."
        )
    counts = bag._kept.once("counts", lambda: _products_of(draws, n_members))

    def combine(answers):
        flat = answers.reshape(n_members, -1)
        variance, noise = unbiased_variance(counts.products, flat, block)
        shape = answers.shape[1:]
        return counts.scale * np.stack(
            [variance.reshape(shape), noise.reshape(shape)], axis=-1
        )

    variance, noise = np.moveaxis(_combined(bag, X, combine), -1, 0)
    _warn_noise(variance, noise, n_members)
    return np.sqrt(np.maximum(variance, 0.0))


def _check_rows_known(bag):
    """Refuse a bag of a stream, which keeps nothing of its rows."""
    if not hasattr(bag, "_draws"):
        raise ValueError(
            "Intervals, sets and standard errors rest on the training rows, and a bag "
            "keeps none of those it learns by `partial_fit`. Got a bag of "
            f"{bag.n_samples_seen_} rows of a stream; call `fit` on rows that fit in "
            "memory."
        )


def _check_level(level):
    if isinstance(level, (bool, np.bool_)) or not isinstance(level, Real):
        raise TypeError(
            f"`confidence_level` must be a number between 0 and 1. Got {level!r}."
        )
    if not 0 < level < 1:
        raise ValueError(
            "`confidence_level` must lie strictly between 0 and 1; 0.9 is nine rows "
            f"in ten. Got {level!r}."
        )


def _check_counted(bag, what):
    """Whether there are members to compare."""
    if np.isinf(bag.n_estimators_):
        raise ValueError(
            f"{what} compare the members of a bag, and this one averages infinitely "
            "many by a formula; set `n_estimators` to a number, such as 200, and fit "
            f"again. Got n_estimators={bag.n_estimators!r} with "
            f"engine_={bag.engine_!r}."
        )


def _prepared(bag, level, what):
    """The training rows, once it is clear that they can bound anything."""
    _check_counted(bag, what)
    draws, kept = bag._draws, bag._kept
    if not draws.has_out_of_bag:
        raise ValueError(
            f"{what} need rows that members left out, and this resampling leaves none "
            'out; set `resampling="bootstrap"`. '
            f"Got resampling={bag.resampling!r}."
        )
    if kept.scores is None:
        raise ValueError(
            f"{what} need the out-of-bag predictions of the fit; fit with "
            f"`oob_score=True`. Got oob_score={bag.oob_score!r}."
        )
    training = kept.once("training", lambda: training_rows(draws, bag.n_estimators_))
    # All scores of a row are missing together.
    never = np.isnan(kept.scores[training.rows, 0])
    share = np.ones(len(never)) if training.weights is None else training.weights
    known = share[~never].sum()
    noun = "rows" if training.unit is None else "groups"
    if weight_needed(level, training.total) > known:
        raise ValueError(
            f"{what} need {noun} that were out of bag, as many as the level times one "
            f"more than the {training.total:.6g} there are: "
            f"{level * (training.total + 1):.6g} at `confidence_level={level!r}`. Got "
            f"{known:.6g}; ask for a level of at most "
            f"{np.floor(1e4 * known / (training.total + 1)) / 1e4:g}, or fit on more "
            "rows, or more estimators where rows were never out of bag."
        )
    if never.any():
        warn_user(
            f"{np.count_nonzero(never)} of {len(never)} training rows were never out "
            f"of bag and count as rows of infinite error, so {what.lower()} are wider "
            "than they need be; fit more estimators, or set a smaller `max_samples`.",
            OutOfBagWarning,
        )
    if kept.chosen:
        warn_user(
            "The proof of coverage asks for a number of estimators that the data did "
            f'not choose. Got n_estimators="auto", which chose {bag.n_estimators_}; '
            "set a number to keep to the proof.",
            CoverageWarning,
        )
    return training


def _scores_of(bag, training):
    """Scores of the training rows, (n, n_scores); infinite where there is none."""
    scores = bag._kept.scores[training.rows]
    return np.where(np.isnan(scores), np.inf, scores)


def _products_of(draws, n_members):
    """Products of the counts of units: occurrences, or what is drawn together."""
    occurrences = draws.occurrences
    label = occurrences.states  # equal for copies that are drawn together
    if isinstance(draws, GroupDraws):
        label = draws.clusters[occurrences.rows]
    _, unit = np.unique(label, return_index=True)
    counts = None
    for b in range(n_members):
        own = draws.counts_of(b)[unit]
        if counts is None:
            whole = own.dtype.kind != "f"
            counts = np.empty((n_members, len(unit)), "int32" if whole else "float64")
        counts[b] = own
    # On one thread, so that the last bits do not depend on how many there are.
    [products] = run_in_order(count_products, [{"counts": counts}])
    return products


def _warn_noise(variance, noise, n_members):
    """Say when standard errors cannot be told from Monte-Carlo noise."""
    rounding = 1e-12 * np.abs(noise).max(initial=0.0)
    floored = np.count_nonzero(variance < -rounding)
    signal = float(np.maximum(variance, 0.0).mean())
    share = float(noise.mean()) / signal if signal > 0 else np.inf
    if not noise.any() or (not floored and share <= NOISE):
        return
    told = f"{share:.0%} of" if np.isfinite(share) else "more than"
    warn_user(
        f"With {n_members} estimators the Monte-Carlo error of the squared standard "
        f"errors is {told} them on average (at most {NOISE:.0%} is wanted), and "
        f"{floored} of {variance.size} are set to zero because they came out below "
        "it; fit more estimators, about as many as there are training rows.",
        FewReplicatesWarning,
    )


def _by_new_row(bag, X, function, *, training, scores, **settings):
    """Apply a function of answers to chunks of new rows, side by side."""

    def combine(answers):
        size = max(1, _LEFT_OUT // (len(scores) * answers.shape[2]))
        tasks = (
            {
                "answers": answers[:, start : start + size],
                "training": training,
                "scores": scores,
                **settings,
            }
            for start in range(0, answers.shape[1], size)
        )
        parts = run_in_order(function, tasks, n_jobs=bag.n_jobs, threads=True)
        return np.concatenate(list(parts))

    return _combined(bag, X, combine)


def _intervals_of(*, answers, training, scores, aggregate, level, method):
    """Intervals for a few new rows, (m, n_outputs, 2)."""
    out = np.empty((*answers.shape[1:], 2))
    for j, errors in enumerate(scores.T):
        centres = left_out_aggregates(answers[:, :, j], training.left_out, aggregate)
        if method == "around":
            centre = _centre(centres, errors)
            out[:, j] = around(centre, errors, level, training.weights)
            continue
        if training.unit is not None:
            centres = centres[:, training.unit]
        bounds = jackknife_plus if method == "jackknife+" else jackknife_minmax
        out[:, j] = bounds(centres, errors, level, training.weights)
    return out


def _sets_of(*, answers, training, scores, aggregate, response, level, series):
    """Sets for a few new rows, (m, n_classes)."""
    errors = scores[:, 0]
    centres = np.stack(
        [
            left_out_aggregates(answers[:, :, k], training.left_out, aggregate)
            for k in range(answers.shape[2])
        ]
    )
    shape = centres.shape
    flat = centres.reshape(shape[0], -1).T
    centres = normalised(flat, response, aggregate).T.reshape(shape)
    if series:
        probability = np.stack([_centre(own, errors) for own in centres], axis=1)
        return sets_around(probability, errors, level, training.weights)
    if training.unit is not None:
        centres = centres[:, :, training.unit]
    return jackknife_plus_sets(centres, errors, level, training.weights)


def _centre(centres, errors):
    """The mean over training rows that were left out at all."""
    known = np.isfinite(errors)
    return (centres if known.all() else centres[:, known]).mean(axis=1)


def _combined(bag, X, combine):
    """A function of all members' answers, (n_members, m, width), by chunks of rows."""
    X = checked_rows(bag, X)
    check_n_rows(X, minimum=1, name=type(bag).__name__)
    return aggregate_members(runs_in(bag), X, bag._response, combine, n_jobs=bag.n_jobs)


def error_scores(y, prediction):
    """Absolute errors of out-of-bag predictions, (n_rows, n_outputs)."""
    error = np.abs(y.astype(np.float64, copy=False) - prediction)
    return error.reshape(len(y), -1)


def class_scores(y, probability, classes, rows):
    """One minus the out-of-bag probability of the true class, (n_rows, 1).

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    probability : ndarray of shape (n_rows, n_classes)
    classes : ndarray of shape (n_classes,)
    rows : ndarray of int
        Rows of positive weight; others may have classes that are not known.
    """
    scores = np.full((len(y), 1), np.nan)
    scores[rows, 0] = 1 - probability[rows, np.searchsorted(classes, y[rows])]
    return scores
