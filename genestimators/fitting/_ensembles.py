"""Ensembles: one estimator fitted on many draws at once.

What a family of `_registry` does for the values of a parameter, an ensemble family does
for the draws of a bag: sums that all draws share are made once, and what is left for
each draw does not grow with the rows. The fitted members are a `Path` too, with the
draws along its first axis in place of the values.

Draws are fitted in groups of a fixed size that begin at its multiples, with weights of
zero in place of draws that were not asked for. A draw is therefore fitted in the same
company, and to the same bits, however many others are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from genestimators._delegate import pipeline_steps
from genestimators._inputs import take_rows
from genestimators._weights import row_mode
from genestimators.fitting._paths import Path

_AHEAD = 1 << 20  # counts that are drawn at a time
_ENSEMBLES = {}


class DrawsFamily:
    """A class of estimators that is served on some draws, all of them together.

    Attributes
    ----------
    estimator : type
        The class, exactly: subclasses are not served.
    """

    estimator = None

    def unsupported(self, estimator, X, y, draws):
        """Why these settings or data are not served, or None where they are.

        Parameters
        ----------
        estimator : estimator
            Unfitted.
        X : container of n rows
        y : ndarray of shape (n,) or (n, n_outputs)
        draws : Draws

        Returns
        -------
        reason : str or None
            With a reason, the generic engine does the work.
        """
        return None


class EnsembleFamily(DrawsFamily):
    """How a class of estimators is fitted on many draws at once.

    Attributes
    ----------
    exactness : str
        How members compare with fits one by one: "exact" but for rounding, or within
        the "tolerance" of the solver.
    scaled : bool
        Whether it is also served behind one `StandardScaler`.
    group : int
        Draws that are fitted together.
    """

    exactness = "exact"
    scaled = False
    group = 20

    def prepare(self, scaler, estimator, X, y, classes):
        """What all draws share.

        Parameters
        ----------
        scaler : StandardScaler or None
            Unfitted, where there is one in front of the estimator.
        estimator : estimator
            A clone, to be used in place.
        X : container of n rows
            One for each occurrence that may be drawn, in canonical order.
        y : ndarray of shape (n,) or (n, n_outputs)
        classes : tuple of ndarray
            The classes of each output, for a classifier.

        Returns
        -------
        fits : object or None
            With a method `fit(weights)` that takes an ndarray of shape (group, n), the
            weight of each row in each draw (counts, of a type of whole numbers, where
            no weight is fractional), and returns a `MembersPath`. None, or a TypeError
            or ValueError: the generic engine does the work, and says what is wrong.
        """
        raise NotImplementedError


class MembersPath(Path):
    """The fitted members of a group of draws, as one object.

    It answers as a `Path` does, with the members in place of the values, and keeps no
    rows of X.

    Attributes
    ----------
    fine : ndarray of shape (n_values,), bool
        The draws that were fitted well; the generic engine fits the others.
    pipeline : Pipeline or None
        Unfitted; the one with the scaler, whose steps have names. Set by the engine.
    """

    fine = None
    pipeline = None

    def model(self, i):
        """The fitted estimator of member i, as its own fit would have made it.

        A Pipeline where there was a scaler.
        """
        raise NotImplementedError

    def take(self, which):
        """The path of some members.

        Parameters
        ----------
        which : ndarray of int or slice
        """
        raise NotImplementedError

    def mean(self):
        """A path of one member whose answers are the mean of those of all members.

        None (the default) where the mean of the members is no such member. A
        classifier's mean is that of the decisions.
        """
        return None

    def total(self, X, response):
        """The sum over the members of their answers, where there is a short way to it.

        Parameters
        ----------
        X : container of n rows
        response : Response

        Returns
        -------
        total : ndarray of shape (n_rows, width), or None
            None (the default): answers have to be made and added.
        """
        return None

    def joined(self, others):
        """The path of these members and those of other paths of their kind.

        None (the default): they stay apart.

        Parameters
        ----------
        others : list of MembersPath
        """
        return None


def register_ensemble(family):
    """Make an ensemble family known.

    Parameters
    ----------
    family : EnsembleFamily

    Returns
    -------
    family : EnsembleFamily
    """
    _ENSEMBLES[family.estimator] = family
    return family


def registered_ensembles():
    """All ensemble families, by name of class."""
    return sorted(_ENSEMBLES.values(), key=lambda one: one.estimator.__name__)


def find_ensemble(estimator, X, y, draws):
    """The family that serves an estimator on some draws, or None.

    Parameters
    ----------
    estimator : estimator
        Unfitted.
    X, y, draws
        As in `EnsembleFamily.unsupported`.

    Returns
    -------
    family : EnsembleFamily
    scaler : StandardScaler or None
    last : estimator
    """
    scaler, last = None, estimator
    steps = pipeline_steps(estimator)
    if steps is not None:
        if len(steps) != 2 or type(steps[0][1]) is not StandardScaler:
            return None
        if estimator.memory is not None or estimator.transform_input is not None:
            return None
        (_, scaler), (_, last) = steps
    family = _ENSEMBLES.get(type(last))
    if family is None or (scaler is not None and not family.scaled):
        return None
    if family.unsupported(last, X, y, draws) is not None:
        return None
    return family, scaler, last


@dataclass(frozen=True, eq=False)
class Member:
    """A member of an ensemble, by its place.

    Attributes
    ----------
    path : MembersPath
    place : int
    """

    path: MembersPath
    place: int

    def model(self):
        """The fitted estimator."""
        model = self.path.model(self.place)
        pipeline = self.path.pipeline
        if pipeline is None:
            return model
        names = [name for name, _ in pipeline.steps]
        steps = [step for _, step in model.steps]
        settings = pipeline.get_params(deep=False)
        del settings["steps"]
        return Pipeline(list(zip(names, steps, strict=True)), **settings)


@dataclass(frozen=True, eq=False)
class FittedGroup:
    """Members that were fitted together.

    Attributes
    ----------
    numbers : range
        Of their draws, those that were asked for.
    counts : ndarray of shape (n_numbers, n_occurrences)
        How often each occurrence was drawn.
    path : MembersPath
        Of these draws.
    """

    numbers: range
    counts: np.ndarray
    path: MembersPath


def fit_ensemble(estimator, X, y, draws, numbers, *, classes=()) -> Iterator | None:
    """Fit an estimator on many draws at once.

    Parameters
    ----------
    estimator : estimator
        Unfitted; it is cloned.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    draws : Draws
    numbers : range
        Consecutive numbers of draws.
    classes : tuple of ndarray, default=()
        The classes of each output, for a classifier.

    Returns
    -------
    groups : iterator of FittedGroup, or None
        None where no family serves the estimator and these data.
    """
    found = find_ensemble(estimator, X, y, draws)
    if found is None:
        return None
    family, scaler, last = found
    pipeline = None if scaler is None else estimator
    scaler = None if scaler is None else clone(scaler)
    # By occurrences, so that neither the order of rows nor whether they come twice or
    # weigh two makes a difference to any bit.
    rows = draws.occurrences.rows
    try:
        fits = family.prepare(scaler, clone(last), take_rows(X, rows), y[rows], classes)
    except (TypeError, ValueError):
        return None  # the generic engine says what is wrong
    if fits is None:
        return None
    if row_mode(estimator) == "rows":
        some = range(numbers.start, numbers.start + 1)
        if draws.weights_of(draws.counts_matrix(some)).dtype.kind == "f":
            return None  # rows cannot be repeated by fractions, which is said there
    return _fit_groups(family, fits, draws, numbers, pipeline)


def _fit_groups(family, fits, draws, numbers, pipeline):
    size = family.group
    for own, counts in _grouped_counts(draws, numbers, size):
        weights = draws.weights_of(counts)
        place = own.start % size
        if len(own) < size:
            whole = np.zeros((size, weights.shape[1]), dtype=weights.dtype)
            whole[place : place + len(own)] = weights
            weights = whole
        path = fits.fit(weights).take(slice(place, place + len(own)))
        path.family = family
        path.pipeline = pipeline
        yield FittedGroup(own, counts, path)


def _grouped_counts(draws, numbers, size):
    """The numbers of each group, and their counts; several groups are drawn at a time.

    Groups begin at the multiples of their size.
    """
    start = numbers.start
    n_ahead = max(1, _AHEAD // (size * len(draws.occurrences.rows)))
    while start < numbers.stop:
        stop = min(start - start % size + size * n_ahead, numbers.stop)
        counts = draws.counts_matrix(range(start, stop))
        for first in range(start - start % size, stop, size):
            own = range(max(first, start), min(first + size, stop))
            yield own, counts[own.start - start : own.stop - start]
        start = stop
