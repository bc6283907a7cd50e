"""The loss to expect where features say nothing: the no-information rate.

Each target is compared with each prediction (Efron and Tibshirani, 1997). What takes
n^2 losses to write down is a function of a few means of the targets and of the
predictions, since the two are independent.

Squared loss, Brier's and deviances are Bregman divergences: the mean over targets of
their loss under any prediction is their loss under the mean target, and the loss of the
mean target under the prediction (Banerjee, Guo & Wang, 2005, On the optimality of
conditional expectation as a Bregman predictor).
"""

import numpy as np

from genestimators._row_losses import SQUARED, row_losses

_BREGMAN = (*SQUARED, "brier", "deviance", "d2")


def no_information(kind, answer, target, shares, power=None):
    """Mean loss of every target under every prediction.

    Parameters
    ----------
    kind : str
        One of those of `row_losses`.
    answer : ndarray of shape (n_rows, width)
        Predictions, positions of labels, or probabilities.
    target : ndarray of shape (n_rows, width)
        Targets, positions of labels, or indicators of the classes.
    shares : ndarray of shape (n_rows,)
        Weights of the rows, adding up to one.
    power : float, default=None
        Of the kinds "deviance" and "d2".

    Returns
    -------
    rate : ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If there is no closed form for a kind of loss.
    """
    if kind in _BREGMAN:
        return _bregman(kind, answer, target, shares, power)
    if kind == "absolute":
        columns = zip(answer.T, target.T, strict=True)
        return np.array([_mean_distance(*one, shares) for one in columns])
    if kind == "accuracy":
        return _other_labels(answer, target, shares)
    if kind == "log":
        return _mean_logarithm(answer, target, shares)
    raise ValueError(
        f"There is no closed form of the no-information rate for losses of the kind "
        f'{kind!r}, which method=".632+" needs; set method=".632".'
    )


def _bregman(kind, answer, target, shares, power):
    if kind in SQUARED:  # digits are not spent on where zero is
        answer, target = answer - shares @ target, target - shares @ target
    mean = shares @ target
    # Means that are not positive have no deviance; any other reference will do.
    centre = mean
    if power is not None:
        centre = np.where(mean > 0, mean, shares @ np.abs(target))

    def lost(predicted, observed):
        return row_losses(kind, predicted[None], observed, power)[0]

    spread = shares @ lost(np.broadcast_to(centre, target.shape), target)
    away = lost(centre[None], mean[None])[0]
    return spread - away + shares @ lost(answer, np.broadcast_to(mean, target.shape))


def _mean_distance(first, second, shares):
    """E|U - V| of independent values: what lies between, times how often it does."""
    values = np.concatenate([first, second])
    order = np.argsort(values, kind="stable")
    n = len(first)
    below = np.zeros((2, 2 * n))
    below[0, :n] = below[1, n:] = shares
    one, other = np.cumsum(below[:, order[:-1]], axis=1)
    return np.diff(values[order]) @ (one * (1 - other) + other * (1 - one))


def _other_labels(answer, target, shares):
    """The chance that labels, or rows of labels, of two rows are not the same."""
    both = np.concatenate([answer, target])
    codes = np.unique(both, axis=0, return_inverse=True)[1].ravel()
    n, n_labels = len(answer), codes.max() + 1
    predicted = np.bincount(codes[:n], shares, minlength=n_labels)
    observed = np.bincount(codes[n:], shares, minlength=n_labels)
    return np.array([observed @ (1 - predicted)])


def _mean_logarithm(answer, target, shares):
    n_rows, n_classes = answer.shape
    rate = 0.0
    for j, share in enumerate(shares @ target):
        one = np.zeros((n_rows, n_classes))
        one[:, j] = 1.0
        rate += share * (shares @ row_losses("log", answer[None], one)[0])
    return rate
