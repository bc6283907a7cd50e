"""Estimates of a mean loss, and intervals on the scale that suits it."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from genestimators._exceptions import CoverageWarning, warn_user

LEAST_FREEDOM = 3.0
FARTHEST = 2.0  # standard errors times quantile, over the loss


@dataclass(frozen=True)
class Estimate:
    """What a method finds.

    Attributes
    ----------
    score : float
    std_error : float
    interval : tuple of float
    n_fits : int
    """

    score: float
    std_error: float
    interval: tuple
    n_fits: int


def freedom_of(deviations, n_effective=None):
    """Degrees of freedom of a variance of values with heavy tails.

    The variance of n values varies by (kurtosis - 1) / n of its square; a chi-square
    with as much has so many degrees of freedom (Satterthwaite, 1946).

    Parameters
    ----------
    deviations : ndarray of shape (n_units,)
    n_effective : float, default=None
        How many units of equal weight they are worth; None is all.

    Returns
    -------
    freedom : float
        At most n - 1, and at least 3.
    """
    n = len(deviations)
    most = max(float(n_effective or n) - 1, 1.0)
    square = (deviations - deviations.mean()) ** 2
    mean = square.mean()
    kurtosis = (square**2).mean() / mean**2 if mean > 0 else 1.0
    if kurtosis <= 1:
        return most
    return float(min(max(2 * n / (kurtosis - 1), LEAST_FREEDOM), most))


def estimate_of(question, loss, std_error, *, freedom, n_fits):
    """The estimate of a score from that of a scaled mean loss.

    Losses are not negative, so their interval is symmetric in their logarithm; a share
    of errors has that of Wilson (1927), with as many independent rows as give it its
    standard error, and never more than there are. A Brier score ends where it has to.

    Parameters
    ----------
    question : Question
    loss, std_error : float
        In units in which `Question.score_of` takes them.
    freedom : float
        Of Student's t.
    n_fits : int

    Returns
    -------
    Estimate
    """
    quantile = float(stats.t.ppf(0.5 + question.level / 2, freedom))
    if question.measure.kind == "accuracy":
        ends = _wilson(loss, std_error, quantile, question)
    else:
        most = np.inf
        if question.measure.kind == "brier":
            most = 1.0 if question.measure.targets.shape[1] == 2 else 2.0
        if loss > 0:
            ends = _logarithmic(loss, std_error, quantile)
        else:
            ends = _of_none(question, quantile, most)
        ends = tuple(min(end, most) for end in ends)
    low, high = (question.score_of(end) for end in reversed(ends))
    factor = 1.0
    if question.measure.kind == "root" and loss > 0:
        factor = 0.5 / np.sqrt(loss)
    score = question.score_of(loss)
    return Estimate(score, float(std_error * factor), (low, high), n_fits)


def _wilson(share, std_error, quantile, question):
    share = min(max(share, 0.0), 1.0)
    inner = share * (1 - share)
    n = question.n_units  # of which nothing is known but that they are all alike
    if std_error > 0 and inner > 0:
        n = min(len(question.used), inner / std_error**2)
    square = quantile**2 / n
    centre = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * (inner + square / 4)) / (1 + square)
    return max(float(centre - reach), 0.0), min(float(centre + reach), 1.0)


def _logarithmic(loss, std_error, quantile):
    reach = quantile * std_error / loss
    # Beyond that the exponential would go on to any number; continued by its tangent.
    known = min(reach, FARTHEST)
    factor = np.exp(known) * (1 + reach - known)
    return float(loss / factor), float(loss * factor)


def _of_none(question, quantile, most):
    """Ends where there was no loss at all in any row, and a row can have so much."""
    if np.isfinite(most):
        return 0.0, most * _wilson(0.0, 0.0, quantile, question)[1]
    warn_user(
        f"There was no loss at all in {len(question.used)} rows, so that the interval "
        "has no width, and says nothing of losses that are rarer or larger than those "
        "seen.",
        CoverageWarning,
    )
    return 0.0, 0.0
