"""What one set of resampled fits tells: scores, the gap, what averaging gained."""

from dataclasses import dataclass

import numpy as np

from genestimators._exceptions import OutOfBagWarning, warn_user
from genestimators._inputs import take_rows
from genestimators._parallel import error_note
from genestimators._scoring import (
    Outputs,
    Score,
    call_scorer,
    mean_score,
    r2_score,
    scorer_score,
)
from genestimators.bagging._aggregate import labels_of, log_odds, normalised
from genestimators.fitting import LOG_FLOOR

ENOUGH = 0.9  # of the weight of out-of-bag rows must be correctable


@dataclass(frozen=True)
class Figures:
    """Scores of a bag on its own training data.

    Attributes
    ----------
    oob_score, oob_score_std_error, oob_coverage, train_score : float
    generalization_gap, generalization_gap_std_error : float
    bagging_gain, bagging_gain_std_error : float
    """

    oob_score: float
    oob_score_std_error: float
    oob_coverage: float
    train_score: float
    generalization_gap: float
    generalization_gap_std_error: float
    bagging_gain: float
    bagging_gain_std_error: float


def outputs_of(answer, response, aggregate, *, flat_y):
    """An aggregated answer in the forms that `predict` and its kin return.

    Parameters
    ----------
    answer : ndarray of shape (n, width)
    flat_y : bool
        Whether predictions of a regressor have one dimension.
    """
    if response.kind == "predict":
        return Outputs(answer[:, 0] if flat_y else answer)
    answer = normalised(answer, response, aggregate)
    labels = labels_of(answer, response)
    if response.kind == "decision":
        decision = answer[:, 0] if answer.shape[1] == 1 else answer
        return Outputs(labels, None, decision, response.classes[0])
    parts = [answer[:, part] for part in response.slices]
    if len(parts) > 1:
        return Outputs(labels, parts, None, list(response.classes))
    return Outputs(labels, parts[0], log_odds(parts[0]), response.classes[0])


def cluster_codes(clusters, rows):
    """Numbers 0, 1, ... for the clusters of some rows, in order of appearance."""
    if clusters is None:
        return np.arange(len(rows)), len(rows)
    labels, first, codes = np.unique(
        clusters[rows], return_index=True, return_inverse=True
    )
    rank = np.empty(len(labels), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(labels))
    return rank[codes], len(labels)


def compute_figures(
    *, X, y, draws, sums, oob_answer, train_answer, response, aggregate, measure
):
    """All figures of a bag.

    Parameters
    ----------
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    draws : Draws
    sums : OutOfBagSums
        Over the rows.
    oob_answer, train_answer : ndarray of shape (n, width)
        Aggregated answers for the training rows: by the members that left a row out
        (NaN where none did), and by all of them.
    response : Response
    aggregate : str
    measure : Measure

    Returns
    -------
    Figures
    """
    # Canonical order: sums do not depend on the order of the rows of X.
    order = draws.row_order()
    out = sums.times[order] > 0
    coverage = _share(out, _taken(draws.row_weight, order))
    _warn_coverage(coverage, draws)
    if not out.any():
        return Figures(*([np.nan] * 2), coverage, *([np.nan] * 5))
    rows = order[out]
    correct = _can_correct(sums, rows, draws, response, aggregate)
    if correct:
        rows = rows[sums.correctable()[rows]]
    shape = {"response": response, "aggregate": aggregate, "flat_y": y.ndim == 1}

    def score(answer, rows, losses=None):
        return _score(
            measure,
            outputs_of(answer[rows], **shape),
            take_rows(X, rows) if measure.needs_rows else None,
            y[rows],
            sums.targets[rows],
            _weighting(draws, rows),
            response,
            losses,
        )

    corrected = correct and measure.kind in ("r2", "squared", "brier")
    losses = sums.limit_loss()[rows] if correct else None
    scored = rows if corrected else order[out]
    try:
        oob = score(oob_answer, scored, losses if corrected else None)
        # The gap compares the same rows; the training score is over all of them.
        gap = score(train_answer, scored).minus(oob)
        train = score(train_answer, order).value
    except ValueError as error:  # a scorer that needs what these rows do not have
        warn_user(
            f"The out-of-bag figures could not be scored and are NaN: {error}",
            OutOfBagWarning,
        )
        oob = gap = Score(np.nan, np.full(2, np.nan))
        train = np.nan
    if losses is None and _averaged(response, aggregate):
        losses = sums.mean_loss()[rows]
    bag = outputs_of(oob_answer[rows], **shape)
    gain = _gain(sums, rows, losses, bag, y[rows], _weighting(draws, rows), response)
    return Figures(
        oob_score=oob.value,
        oob_score_std_error=oob.std_error,
        oob_coverage=coverage,
        train_score=train,
        generalization_gap=train - oob.value,
        generalization_gap_std_error=gap.std_error,
        bagging_gain=gain.value,
        bagging_gain_std_error=gain.std_error,
    )


def check_measure(measure, X, y, rows, response, aggregate):
    """Score perfect answers, so that a scorer that does not fit fails before the fits.

    Parameters
    ----------
    rows : ndarray of int
        Rows of positive weight.
    """
    if measure.kind != "scorer":
        return
    if response.kind == "predict":
        answer = y[rows].reshape(len(rows), -1).astype(np.float64)
    else:
        answer = response.one_hot(y[rows])
        if response.kind == "log_probability":
            answer = np.log(np.maximum(answer, LOG_FLOOR))
        if response.kind == "decision" and response.width == 1:
            answer = 2 * answer[:, 1:] - 1
    outputs = outputs_of(
        answer, response=response, aggregate=aggregate, flat_y=y.ndim == 1
    )
    taken = take_rows(X, rows) if measure.needs_rows else None
    with error_note("This happened when `oob_score` was tried on perfect predictions."):
        call_scorer(measure, outputs, taken, y[rows], None)


def _averaged(response, aggregate):
    """Whether the ensemble is a mean whose squared loss is scored."""
    return aggregate == "mean" and response.kind in ("predict", "probability")


def _can_correct(sums, rows, draws, response, aggregate):
    """Whether losses can be corrected for the number of members.

    A row that was out of bag only once cannot; few such rows are left aside, with many
    of them nothing is corrected.
    """
    if not _averaged(response, aggregate):
        return False
    weight = _taken(draws.row_weight, rows)
    return _share(sums.correctable()[rows], weight) >= ENOUGH


def _taken(weight, rows):
    return None if weight is None else weight[rows]


def _weighting(draws, rows):
    """Weights, clusters and their number, for some rows."""
    return (_taken(draws.row_weight, rows), *cluster_codes(draws.clusters, rows))


def _share(out, weight):
    if weight is None:
        return float(out.mean())
    return float(weight[out].sum() / weight.sum())


def _warn_coverage(coverage, draws):
    if coverage == 0:
        warn_user(
            "No row was ever out of bag, so there is no out-of-bag score (it is NaN); "
            "fit more estimators, or set a smaller `max_samples`.",
            OutOfBagWarning,
        )
    elif draws.importance is None and coverage < 0.9 and _any_heavy(draws):
        warn_user(
            "A row of weight k is drawn as k rows and is out of bag only when none of "
            f"them is in the bag; rows with {coverage:.0%} of the weight ever were. If "
            "weights say how much rows matter rather than how often they occurred, set "
            '`weight_mode="importance"`.',
            OutOfBagWarning,
        )


def _any_heavy(draws):
    """Whether some row is drawn as several."""
    return draws.row_weight is not None and bool((draws.row_weight > 1).any())


def _score(measure, outputs, X, y, targets, share, response, losses):
    """A score of outputs; `losses` replaces the squared errors they make."""
    weight, codes, n_clusters = share
    if measure.kind == "accuracy":
        hits = outputs.predict == y
        hits = hits if hits.ndim == 1 else hits.all(axis=1)
        return mean_score(-hits.astype(float), *share)
    if measure.kind in ("r2", "squared"):
        if losses is None:
            losses = (outputs.predict.reshape(targets.shape) - targets) ** 2
        if measure.kind == "r2":
            return r2_score(losses, targets, weight, codes, n_clusters)
        return mean_score(losses.mean(axis=1), *share)
    if measure.kind == "brier":
        if losses is None:
            losses = ((outputs.predict_proba - targets) ** 2).sum(axis=1, keepdims=True)
        return mean_score(losses[:, 0] * _brier_scale(response), *share)
    return scorer_score(measure, outputs, X, y, *share)


def _brier_scale(response):
    """Two classes: the score in [0, 1], as scikit-learn has it."""
    return 0.5 if len(response.classes) == 1 and len(response.classes[0]) == 2 else 1.0


def _gain(sums, rows, losses, outputs, y, share, response):
    """How much lower the loss of the ensemble is than that of one member.

    The score of the difference, minus its mean, is the gain.
    """
    single = sums.member_loss()[rows]
    if response.kind == "predict":
        ensemble = losses
        if losses is None:
            ensemble = (outputs.predict.reshape(single.shape) - sums.targets[rows]) ** 2
        return mean_score((ensemble - single).mean(axis=1), *share)
    if response.kind in ("probability", "log_probability"):
        if losses is not None:
            ensemble = losses[:, 0]
        else:
            columns = outputs.predict_proba
            columns = np.hstack(columns) if isinstance(columns, list) else columns
            ensemble = ((columns - sums.targets[rows]) ** 2).sum(axis=1)
        difference = (ensemble - single[:, 0]) * _brier_scale(response)
        return mean_score(difference, *share)
    # Votes: the squared error of an indicator is twice the 0-1 loss.
    wrong = outputs.predict != y
    wrong = wrong if wrong.ndim == 1 else wrong.mean(axis=1)
    n_outputs = len(response.classes)
    return mean_score(wrong - single[:, 0] / (2 * n_outputs), *share)
