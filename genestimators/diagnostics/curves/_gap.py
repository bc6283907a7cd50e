"""Training and test scores over splits: what their means are known to, and the gap.

Splits share rows, so their scores are correlated by about the share of the rows that
two of them score in common, and the variance of their mean is
``(1 / n_splits + share / (1 - share))`` times the variance between splits (Nadeau and
Bengio, 2003). For test scores that is the share of the rows that are left out. Training
scores are means over the rows learned from, of which splits have far more in common:
they hardly differ between splits and are known no better for it.

In the gap both meet. To first order a training score is a mean of a_i over the m rows
learned from, a test score one of b_i over the k others, and the mean gap over many
splits has the variance of the mean of a_i - b_i over all rows, var(a - b) / n. Between
splits the two move against each other, as a row that one gains the other loses: their
variances are k / m var(a) / n and m / k var(b) / n, their covariance -cov(a, b) / n.
So var(a - b) / n is the variance between splits of

    sqrt(m / k) * training score + sqrt(k / m) * test score.
"""

import numpy as np
from scipy import stats

from genestimators.fitting import Response

INTERPOLATES = 0.01  # of the expected loss, that a training loss may be at most


def mean_interval(scores, ratio, level):
    """Mean scores over splits that share rows, with confidence limits.

    Parameters
    ----------
    scores : ndarray of shape (..., n_splits)
    ratio : float or ndarray of shape (...)
        Rows scored over the rows that are not.
    level : float

    Returns
    -------
    mean, low, high : ndarray of shape (...)
    """
    n = scores.shape[-1]
    error = np.sqrt((1 / n + ratio) * scores.var(axis=-1, ddof=1))
    return _limits(scores.mean(axis=-1), error, n, level)


def gap_interval(train, test, train_ratio, test_ratio, level):
    """Mean of training less test scores over the same splits, with its limits.

    Parameters
    ----------
    train, test : ndarray of shape (n_splits,)
    train_ratio, test_ratio : float
        Rows that each scores, over the rows that it does not.
    level : float

    Returns
    -------
    mean, low, high : float
    """
    n, gaps = len(train), train - test
    joint = np.sqrt(train_ratio) * train + np.sqrt(test_ratio) * test
    error = np.sqrt(gaps.var(ddof=1) / n + joint.var(ddof=1))
    return _limits(gaps.mean(), error, n, level)


def _limits(mean, error, n_splits, level):
    reach = stats.t.ppf(0.5 + level / 2, n_splits - 1) * error
    return mean, mean - reach, mean + reach


def interpolates(train, test, best):
    """Whether a training score is as good as perfect, and that tells of nothing new.

    Parameters
    ----------
    train, test : float
    best : float or None
        The score of perfect predictions; None is not known.
    """
    if best is None or not best - test > 0:
        return False
    return bool(best - train <= INTERPOLATES * (best - test))


def perfect_score(question):
    """The score of predictions that are all right, or None where none can be told.

    Parameters
    ----------
    question : Question
    """
    measure, problem = question.measure, question.problem
    if measure.kind == "model":  # it may look at anything
        return None
    if measure.by_rows:
        return measure.best
    rows = np.flatnonzero(problem.weights)
    parts = {
        part.kind: _right_answer(part, problem.outputs[rows])[None]
        for part in measure.needed.parts
    }
    told = {"X": problem.X, "y": problem.y, "rows": rows, "weight": None}
    try:
        return float(measure.scores(parts, **told)[0])
    except Exception:  # a score may be undefined for them, as deviances are at zero
        return None


def _right_answer(response, outputs):
    """The targets in the form of an answer, (n_rows, width)."""
    if not response.classes:
        return outputs.astype(np.float64)
    if response.kind == "label":
        return response.codes(outputs)
    hot = Response("vote", response.classes).one_hot(outputs)
    if response.kind == "decision":
        hot = 2 * hot - 1
        return hot[:, 1:] if response.width == 1 else hot
    return hot


def in_words(value, low, high):
    """A value and its interval, with two digits of what it is not known to."""
    reach = (high - low) / 2
    if not (np.isfinite(reach) and reach > 0):
        return f"{value:.3g} ({low:.3g} to {high:.3g})"
    digits = int(max(0, 1 - np.floor(np.log10(reach))))
    shown = [f"{round(one, digits) + 0.0:.{digits}f}" for one in (value, low, high)]
    return "{} ({} to {})".format(*shown)
