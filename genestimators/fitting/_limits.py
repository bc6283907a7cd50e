"""Limits: what a bag of infinitely many members answers, without any member.

For some estimators the mean over all bootstrap samples is a formula. A limit family
knows it. What it makes answers as one fitted estimator would, for the mean, and there
is no Monte-Carlo error in it.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from genestimators._inputs import take_rows
from genestimators._weights import fit_weighted
from genestimators.fitting._ensembles import DrawsFamily
from genestimators.fitting._paths import Path

_LIMITS = {}


class LimitFamily(DrawsFamily):
    """How a class of estimators is averaged over all bootstrap samples."""

    def prepare(self, estimator, X, y, draws, classes):
        """The mean over all draws.

        Parameters
        ----------
        estimator : estimator
            A clone, to be used in place.
        X : container of n_occurrences rows
            One for each occurrence that may be drawn, in canonical order.
        y : ndarray of shape (n_occurrences,) or (n_occurrences, n_outputs)
        draws : Draws
        classes : tuple of ndarray
            The classes of each output, for a classifier.

        Returns
        -------
        path : LimitPath or None
            None, or a TypeError or ValueError: the generic engine does the work, and
            says what is wrong.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class TrainingAnswers:
    """What a limit says of the rows it was made from.

    Rows of weight zero have NaN everywhere.

    Attributes
    ----------
    every : ndarray of shape (n_rows, width)
        Means over all draws.
    left_out : ndarray of shape (n_rows, width)
        Means over the draws that a row is left out of; NaN where it never is.
    variance : ndarray of shape (n_rows, n_outputs)
        Of one member's answer over those draws. For a classifier there is one column,
        the sum over the classes.
    """

    every: np.ndarray
    left_out: np.ndarray
    variance: np.ndarray


class LimitPath(Path):
    """The mean over all draws, as a path of one value.

    Parameters
    ----------
    estimator : estimator
        Cloned for members that are asked for.
    X : container of n_occurrences rows
    y : ndarray of shape (n_occurrences,) or (n_occurrences, n_outputs)
    """

    n_values = 1

    def __init__(self, estimator, X, y):
        self.estimator = estimator
        self.X = X
        self.y = y

    def training_answers(self, draws):
        """What it says of its training rows.

        Parameters
        ----------
        draws : Draws

        Returns
        -------
        answers : TrainingAnswers
        """
        raise NotImplementedError

    def member(self, counts):
        """The estimator fitted on one draw.

        Parameters
        ----------
        counts : ndarray of shape (n_occurrences,), int

        Returns
        -------
        estimator : fitted estimator
        """
        drawn = np.flatnonzero(counts)
        return fit_weighted(clone(self.estimator), self.X, self.y, drawn, counts[drawn])


def register_limit(family):
    """Make a limit family known.

    Parameters
    ----------
    family : LimitFamily

    Returns
    -------
    family : LimitFamily
    """
    _LIMITS[family.estimator] = family
    return family


def registered_limits():
    """All limit families, by name of class."""
    return sorted(_LIMITS.values(), key=lambda one: one.estimator.__name__)


def fit_limit(estimator, X, y, draws, *, classes=()):
    """The mean of an estimator over all draws, where there is a formula for it.

    Parameters
    ----------
    estimator : estimator
        Unfitted; it is cloned.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    draws : Draws
    classes : tuple of ndarray, default=()
        The classes of each output, for a classifier.

    Returns
    -------
    path : LimitPath or None
        None where no family serves the estimator and these data.
    """
    family = _LIMITS.get(type(estimator))
    if family is None or family.unsupported(estimator, X, y, draws) is not None:
        return None
    # By occurrences, so that neither the order of rows nor whether they come twice or
    # weigh two makes a difference to any bit.
    rows = draws.occurrences.rows
    try:
        path = family.prepare(
            clone(estimator), take_rows(X, rows), y[rows], draws, classes
        )
    except (TypeError, ValueError):
        return None  # the generic engine says what is wrong
    if path is not None:
        path.family = family
    return path
