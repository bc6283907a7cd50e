"""What one set of resampled fits tells: scores, the gap, what averaging gained."""

from dataclasses import dataclass

import numpy as np

from genestimators._exceptions import OutOfBagWarning, warn_user
from genestimators._scoring import Outputs, mean_score, r2_score, scorer_score
from genestimators.bagging._aggregate import labels_of, log_odds, normalised


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
    *, y, draws, sums, oob_answer, train_answer, response, aggregate, measure
):
    """All figures of a bag.

    Parameters
    ----------
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
    weight = None if draws.row_weight is None else draws.row_weight[order]
    out = sums.times[order] > 0
    coverage = _share(out, weight)
    _warn_coverage(coverage, draws)
    if not out.any():
        return Figures(*([np.nan] * 2), coverage, *([np.nan] * 5))

    limit = sums.limit_loss()[order]
    # What can be corrected: means of predictions or probabilities under squared loss.
    averaged = aggregate == "mean" and response.kind in ("predict", "probability")
    correct = averaged and not np.isnan(limit).all()
    told = ~np.isnan(limit[:, 0]) if correct else out
    rows = order[told]
    codes, n_clusters = cluster_codes(draws.clusters, rows)
    weight = None if weight is None else weight[told]
    share = (weight, codes, n_clusters)
    losses = limit[told] if correct else sums.mean_loss()[rows]

    flat_y = y.ndim == 1
    shape = {"response": response, "aggregate": aggregate, "flat_y": flat_y}
    oob = outputs_of(oob_answer[rows], **shape)
    train = outputs_of(train_answer[rows], **shape)
    targets = sums.targets[rows]
    oob_losses = losses if averaged else None
    oob_score = _score(measure, oob, y[rows], targets, share, response, oob_losses)
    # The gap compares the same rows; the training score is over all of them.
    paired = _score(measure, train, y[rows], targets, share, response, None)
    whole = draws.row_weight
    whole = None if whole is None else whole[order]
    all_codes, n_all = cluster_codes(draws.clusters, order)
    train_score = _score(
        measure,
        outputs_of(train_answer[order], **shape),
        y[order],
        sums.targets[order],
        (whole, all_codes, n_all),
        response,
        None,
    )
    gap = paired.minus(oob_score)
    gain = _gain(sums, rows, losses, oob, y[rows], share, response, averaged)
    return Figures(
        oob_score=oob_score.value,
        oob_score_std_error=oob_score.std_error,
        oob_coverage=coverage,
        train_score=train_score.value,
        generalization_gap=train_score.value - oob_score.value,
        generalization_gap_std_error=gap.std_error,
        bagging_gain=gain.value,
        bagging_gain_std_error=gain.std_error,
    )


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


def _score(measure, outputs, y, targets, share, response, losses):
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
    return scorer_score(measure, outputs, y, *share)


def _brier_scale(response):
    """Two classes: the score in [0, 1], as scikit-learn has it."""
    return 0.5 if len(response.classes) == 1 and len(response.classes[0]) == 2 else 1.0


def _gain(sums, rows, losses, outputs, y, share, response, averaged):
    """How much lower the loss of the ensemble is than that of one member.

    The score of the difference, minus its mean, is the gain.
    """
    single = sums.member_loss()[rows]
    if response.kind == "predict":
        ensemble = losses
        if not averaged:
            ensemble = (outputs.predict.reshape(single.shape) - sums.targets[rows]) ** 2
        return mean_score((ensemble - single).mean(axis=1), *share)
    if response.kind in ("probability", "log_probability"):
        ensemble = losses[:, 0]
        if not averaged:
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
