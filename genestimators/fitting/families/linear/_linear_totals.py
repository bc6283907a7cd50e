"""Sums over the members of an ensemble of what their linear scores say of each row.

The scores of all members are one product of matrices. It is made for as many rows at a
time as fit a processor's cache, where votes or probabilities are summed before the
next rows take their place.
"""

import numpy as np
from scipy import sparse

from genestimators.fitting._responses import LOG_FLOOR

_CACHED = 2**17  # scores at a time


def linear_total(path, X, response, kinds):
    """Sums of the answers of linear classifiers; see `MembersPath.total`.

    Parameters
    ----------
    path : LinearPath
        With one score for two classes, which is above zero for the second, or one for
        each of more. Probabilities are the logistic function of the score, or shares
        of the exponentials.
    X : container of n rows
    response : Response
    kinds : collection of str
        The kinds of answer that follow from the scores as above.

    Returns
    -------
    total : ndarray of shape (n_rows, n_classes), or None
    """
    if response.kind not in kinds or len(response.classes) != 1:
        return None
    if len(path.classes_) != len(response.classes[0]):
        return None
    X = path.numbers(X)
    n_members, n_scores, p = path.coef.shape
    total = np.empty((X.shape[0], max(2, n_scores)))
    # Scores of a class side by side, which are what is compared and added.
    weights = np.moveaxis(path.coef, 0, 1).reshape(-1, p)
    offset, centre = path.offset, path.centre
    if sparse.issparse(X) or not path.far:
        offset, centre = offset - path.coef @ centre, 0.0
    offset = offset.T.reshape(-1, 1)
    size = max(16, _CACHED // len(weights))
    for start in range(0, len(total), size):
        rows = X[start : start + size]
        if sparse.issparse(X):
            scores = (rows @ weights.T).T
        else:
            scores = weights @ (rows - centre if path.far else rows).T
        scores = scores.astype(np.float64, copy=False)
        scores += offset
        scores = scores.reshape(n_scores, n_members, -1)
        total[start : start + size] = SUMS[response.kind](scores).T
    return total


def _votes(scores):
    """How many members prefer each class; the first of those that are equal."""
    if len(scores) == 1:
        second = _counts(scores > 0)
        return np.concatenate([scores.shape[1] - second, second])
    counts = _counts(scores == scores.max(axis=0))
    if (counts.sum(axis=0) == scores.shape[1]).all():
        return counts
    order = np.arange(len(scores))[:, None, None]
    return _counts(scores.argmax(axis=0) == order)  # where some are equal


def _counts(true):
    """How many members say yes, of (n_scores, n_members, n_rows)."""
    whole = np.min_scalar_type(true.shape[1])  # the shorter, the faster
    return np.add.reduce(true.view(np.uint8), axis=1, dtype=whole).astype(np.float64)


def _probabilities(scores):
    if len(scores) > 1:
        return to_shares(scores, axis=0).sum(axis=1)
    second = _logistic(scores).sum(axis=1)
    return np.concatenate([scores.shape[1] - second, second])


def _log_probabilities(scores):
    if len(scores) > 1:
        shares = to_shares(scores, axis=0)
    else:
        second = _logistic(scores)
        shares = np.concatenate([1.0 - second, second])
    return np.log(np.maximum(shares, LOG_FLOOR, out=shares), out=shares).sum(axis=1)


def _logistic(scores):
    """``1 / (1 + exp(-scores))``, written into the scores."""
    np.negative(scores, out=scores)
    with np.errstate(over="ignore"):  # the reciprocal of infinity is zero
        np.exp(scores, out=scores)
    scores += 1.0
    return np.reciprocal(scores, out=scores)


def to_shares(scores, axis=1):
    """Softmax along an axis; it writes into the scores."""
    scores -= scores.max(axis=axis, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=axis, keepdims=True)
    return scores


SUMS = {
    "vote": _votes,
    "probability": _probabilities,
    "log_probability": _log_probabilities,
}
