"""Sets of classes from the scores of rows that were left out.

The score of a class is one minus its probability: large for classes that are not
typical. A class is in the set of a new row unless it is less typical there than the
true classes of nearly all training rows were, each row and the new one being judged by
a predictor that has seen neither.
"""

import numpy as np

from genestimators.bagging._intervals import upper_bounds, weight_needed

# Probabilities nearer than this are equal: they were added up in different orders.
_EQUAL = 1e-12


def jackknife_plus_sets(probabilities, scores, level, weights=None):
    """Sets of the jackknife+ for classes.

    Parameters
    ----------
    probabilities : ndarray of shape (n_classes, m, n)
        For m new rows, without each of n training rows.
    scores : ndarray of shape (n,)
        One minus the probability of its true class, for each training row, told
        without it. Infinite where there is none.
    level : float in (0, 1)
    weights : ndarray of shape (n,) or None

    Returns
    -------
    ndarray of shape (m, n_classes), bool

    References
    ----------
    .. [1] Romano, Y., Sesia, M. & Candes, E. J. (2020). Classification with valid and
       adaptive coverage. NeurIPS 33, section 2.3.
    """
    total = len(scores) if weights is None else weights.sum()
    typical = 1 - scores - _EQUAL
    out = np.empty((probabilities.shape[1], len(probabilities)), dtype=bool)
    for k, own in enumerate(probabilities):
        below = own < typical
        beaten = below.sum(axis=1) if weights is None else below @ weights
        out[:, k] = beaten < weight_needed(level, total)
    return out


def sets_around(probability, scores, level, weights=None):
    """Sets of classes whose score is among the lower scores of the training rows.

    Parameters
    ----------
    probability : ndarray of shape (m, n_classes)
    scores, level, weights
        As in `jackknife_plus_sets`.

    Returns
    -------
    ndarray of shape (m, n_classes), bool
    """
    bound = upper_bounds(scores[None].copy(), level, weights)
    return 1 - probability <= bound + _EQUAL
