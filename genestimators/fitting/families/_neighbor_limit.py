"""Nearest neighbours averaged over all bootstrap samples.

Whichever rows a sample draws, the neighbours that a member finds are the nearest of
those. So one search among all rows serves every sample, and the mean of the members is
a weighted mean over the neighbours, with weights that `_bootstrap_order` gives [1]_.

The weights are those of drawing with replacement, from all rows or from each class.
The balanced draws of `Bootstrap` have the same totals, and counts whose law differs
from that by an amount of the order of one over the rows (of a class).

Rows at the same distance come in the order in which the search finds them among the
rows in canonical order. Where many are, members are fitted.

References
----------
.. [1] Steele, B. M. (2009). Exact bootstrap k-nearest neighbor learners. Machine
   Learning 74, 235-255.
"""

from numbers import Integral

import numpy as np
from scipy import special
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from genestimators._inputs import n_rows_of, take_rows
from genestimators.fitting._limits import (
    LimitFamily,
    LimitPath,
    TrainingAnswers,
    register_limit,
)
from genestimators.fitting.families._bootstrap_order import (
    NEGLIGIBLE,
    ClassTables,
    class_moments,
    place_moments,
    places_needed,
)
from genestimators.fitting.families._neighbor_search import Search
from genestimators.resampling._bootstrap import BootstrapDraws

_TABLES = 2**23  # numbers in the tables of all classes
_STEPS = 5e6  # multiplications for a row
_TIES = 0.02  # of the neighbours, that may be as near as the one before them
_TRIED = 200  # rows that are looked at for them
_EQUAL = 1e-7  # of the farthest distance, which may be rounding


class AlikeLaw:
    """The bootstrap that draws all occurrences alike.

    Parameters
    ----------
    k : int
    draws : BootstrapDraws
    n_places : int
        Neighbours that are looked at.
    """

    def __init__(self, k, draws, n_places):
        self.k = k
        self.n = len(draws.occurrences.rows)
        self.totals = draws.totals()
        self.fraction = draws.fraction
        self.n_places = n_places
        self.full = self._places(0)

    def _places(self, left):
        """Moments where some occurrences are left out."""
        trials, n, rate = None, self.n - left, self.fraction
        if self.totals is not None:
            trials = int(self.totals[0])
            rate = trials / n
        return place_moments(self.k, trials, rate, n, self.n_places)

    def weights(self, neighbours):
        """Weights of the neighbours of rows, of shape (n_rows or 1, n_places)."""
        return self.full.weights[None]

    def left_out(self, neighbours, owner, copies, target):
        """Mean answers where a row is left out, and their variance.

        Parameters
        ----------
        neighbours : ndarray of shape (n_rows, n_places), int
            Without the row itself.
        owner : ndarray of shape (n_rows,), int
            An occurrence of the row.
        copies : ndarray of shape (n_rows,), int
            How many it has.
        target : ndarray of shape (n_occurrences, width)

        Returns
        -------
        mean : ndarray of shape (n_rows, width)
        variance : ndarray of shape (n_rows, width)
        """
        mean = np.empty((len(neighbours), target.shape[1]))
        variance = np.zeros_like(mean)
        for left in np.unique(copies):
            rows = np.flatnonzero(copies == left)
            own, places = neighbours[rows], self._places(left)
            mean[rows] = centre = mean_over(own, places.weights[None], target)
            nearer = np.zeros_like(centre)
            total = np.zeros_like(centre)
            for j in range(self.n_places):
                away = target[own[:, j]] - centre
                total += places.squares[j] * away**2
                total += 2 * places.products[j] * away * nearer
                nearer += away
            variance[rows] = np.maximum(total, 0.0)
        return mean, variance


class ClassLaw:
    """The bootstrap that draws the occurrences of each class apart.

    Parameters
    ----------
    k, draws, n_places
        As in `AlikeLaw`.
    """

    def __init__(self, k, draws, n_places):
        self.k = k
        self.n_places = n_places
        self.sizes = np.array([len(own) for own in draws.strata])
        self.totals = draws.totals()
        self.codes = np.empty(len(draws.occurrences.rows), dtype=np.intp)
        for c, own in enumerate(draws.strata):
            self.codes[own] = c
        self.order = np.argsort(self.sizes, kind="stable")
        kinds = zip(self.sizes, self.totals, strict=True)
        self.full = ClassTables(k, kinds, n_places)

    def weights(self, neighbours):
        """Weights of the neighbours of rows, (n_rows, n_places)."""
        start = np.arange(len(self.sizes)) * self.full.length
        start = np.broadcast_to(start, (len(neighbours), len(start)))
        return class_moments(self.codes[neighbours], self.full, start, self.order)[0]

    def left_out(self, neighbours, owner, copies, target):
        """Mean answers where a row is left out, and the variance of them all."""
        # The row's own class has as many draws, from fewer occurrences.
        n_classes, own = len(self.sizes), self.codes[owner]
        mean = np.full((len(neighbours), target.shape[1]), np.nan)
        variance = np.full((len(neighbours), 1), np.nan)
        possible = np.flatnonzero(copies < self.sizes[own])
        if not len(possible):
            return mean, variance
        pairs = np.stack([own, copies], axis=1)[possible]
        every = np.stack([np.arange(n_classes), np.zeros(n_classes)], axis=1)
        kinds, which = np.unique(
            np.concatenate([every, pairs]).astype(np.intp), axis=0, return_inverse=True
        )
        which = which.ravel()
        start = np.tile(which[:n_classes], (len(possible), 1))
        start[np.arange(len(possible)), own[possible]] = which[n_classes:]
        tables = ClassTables(
            self.k,
            [(self.sizes[c] - left, self.totals[c]) for c, left in kinds.tolist()],
            self.n_places,
        )
        neighbours = neighbours[possible]
        weights, squared = class_moments(
            self.codes[neighbours],
            tables,
            start * tables.length,
            self.order,
            squares=True,
        )
        mean[possible] = found = mean_over(neighbours, weights, target)
        variance[possible, 0] = np.maximum(squared - (found**2).sum(axis=1), 0.0)
        return mean, variance


def mean_over(neighbours, weights, target):
    """Weighted means of the target over the neighbours of rows.

    Parameters
    ----------
    neighbours : ndarray of shape (n_rows, n_places), int
    weights : ndarray of shape (n_rows or 1, n_places)
        They sum to one but for a negligible rest, which is spread over all.
    target : ndarray of shape (n_occurrences, width)

    Returns
    -------
    means : ndarray of shape (n_rows, width)
    """
    sums = np.zeros((len(neighbours), target.shape[1]))
    for own, weight in zip(neighbours.T, weights.T, strict=True):
        sums += weight[:, None] * target[own]
    return sums / weights.sum(axis=1, keepdims=True)


class NeighborsLimit(LimitPath):
    """The mean of nearest neighbours over all bootstrap samples.

    Parameters
    ----------
    estimator, X, y
        As in `LimitPath`.
    search : Search
    law : AlikeLaw or ClassLaw
    classes : tuple of ndarray
    """

    def __init__(self, estimator, X, y, search, law, classes):
        super().__init__(estimator, X, y)
        self.search = search
        self.law = law
        self.classes = classes
        columns = y.reshape(len(y), -1)
        if classes:
            columns = np.concatenate(
                [
                    known == column[:, None]
                    for known, column in zip(classes, columns.T, strict=True)
                ],
                axis=1,
            )
        self.target = columns.astype(np.float64)

    @property
    def classes_(self):
        return self.classes[0] if len(self.classes) == 1 else list(self.classes)

    def _mean(self, neighbours):
        return mean_over(neighbours, self.law.weights(neighbours), self.target)

    def _answer(self, X):
        if not n_rows_of(X):
            self.search.find(X, 1)  # which refuses it in the words of scikit-learn
        out = np.empty((n_rows_of(X), self.target.shape[1]))
        for rows, neighbours, _ in self.search.blocks(X):
            out[rows] = self._mean(neighbours)
        return out

    def predict(self, X):
        answer = self._answer(X)[None]
        if self.classes:
            ends = np.cumsum([len(known) for known in self.classes])[:-1]
            parts = np.split(answer, ends, axis=2)
            labels = [
                known[part.argmax(axis=2)]
                for known, part in zip(self.classes, parts, strict=True)
            ]
            answer = np.stack(labels, axis=-1)
        return answer[:, :, 0] if self.y.ndim == 1 else answer

    def training_answers(self, draws):
        occurrences = draws.occurrences.rows
        rows, owner, copies = np.unique(
            occurrences, return_index=True, return_counts=True
        )
        width = self.target.shape[1]
        every = np.full((draws.n_rows, width), np.nan)
        left_out = np.full((draws.n_rows, width), np.nan)
        variance = np.full((draws.n_rows, 1 if self.classes else width), np.nan)
        # Rows in canonical order; those of many copies need more neighbours.
        size = np.ceil(np.log2(copies))
        order = np.lexsort((owner, size))
        for own in np.split(order, np.flatnonzero(np.diff(size[order])) + 1):
            row = rows[own]
            answers = self._training(owner[own], copies[own], occurrences)
            every[row], left_out[row], spread = answers
            summed = spread.shape[1] > variance.shape[1]
            variance[row] = spread.sum(axis=1, keepdims=True) if summed else spread
        return TrainingAnswers(every, left_out, variance)

    def _training(self, owner, copies, occurrences):
        """Answers for some training rows, by all draws and by those without them."""
        k = self.search.k
        wanted = min(k + int(copies.max()), self.search.n_training)
        parts = []
        search = Search(self.search.model, self.X, wanted, distances=False)
        for rows, neighbours, _ in search.blocks(take_rows(self.X, owner)):
            mine = occurrences[neighbours] == occurrences[owner[rows], None]
            # Where fewer others are left than looked at, the row itself fills up: it
            # comes last, at places whose weight is zero.
            others = np.argsort(mine, axis=1, kind="stable")[:, :k]
            others = np.take_along_axis(neighbours, others, axis=1)
            parts.append(
                (
                    self._mean(neighbours[:, :k]),
                    *self.law.left_out(others, owner[rows], copies[rows], self.target),
                )
            )
        return tuple(map(np.concatenate, zip(*parts, strict=True)))


class NeighborsClassifierLimit(NeighborsLimit):
    """Of a classifier: it has probabilities."""

    def predict_proba(self, X):
        answer = self._answer(X)[None]
        ends = np.cumsum([len(known) for known in self.classes])[:-1]
        parts = np.split(answer, ends, axis=2)
        return parts[0] if len(parts) == 1 else parts


class NeighborsRegressorFamily(LimitFamily):
    """`KNeighborsRegressor`, each neighbour counting the same."""

    estimator = KNeighborsRegressor
    path = NeighborsLimit

    def unsupported(self, estimator, X, y, draws):
        k = estimator.n_neighbors
        if estimator.weights not in (None, "uniform"):
            return "Weights by distance have no formula."
        if not isinstance(k, Integral) or k < 1:
            return "Numbers of neighbours are whole numbers from one on."
        if _learns_metric(estimator):
            return "The metric depends on the rows of each sample."
        reason = _unsupported_draws(draws, int(k))
        if reason is None and _is_split(draws):
            reason = self._unsupported_classes(draws, int(k))
        return reason

    def _unsupported_classes(self, draws, k):
        return "The variance of numbers drawn by their values is not worked out."

    def prepare(self, estimator, X, y, draws, classes):
        k = int(estimator.n_neighbors)
        model = estimator.fit(X, y)
        law = ClassLaw if _is_split(draws) else AlikeLaw
        if law is ClassLaw and not _are_classes(draws.strata, y, classes):
            return None
        search = Search(model, X, n_places_of(draws, k), distances=False)
        if _share_of_ties(search, y) > _TIES:
            return None
        law = law(k, draws, search.k)
        return self.path(model, X, y, search, law, classes)


class NeighborsClassifierFamily(NeighborsRegressorFamily):
    """`KNeighborsClassifier`, each neighbour counting the same."""

    estimator = KNeighborsClassifier
    path = NeighborsClassifierLimit

    def _unsupported_classes(self, draws, k):
        rows = draws.occurrences.rows
        n_classes, n_places = len(draws.strata), n_places_of(draws, k)
        copies = np.bincount(rows)
        n_kinds = sum(len(np.unique(copies[rows[own]])) for own in draws.strata)
        if (n_classes + n_kinds) * n_places * k > _TABLES:
            return "So many neighbours need tables that are too large."
        if (n_classes - 2) * n_places * k * k > _STEPS:
            return "So many neighbours of so many classes take longer than members do."
        return None


def _share_of_ties(search, y):
    """How often the next nearest row is as near and has another target.

    Members take those of equal distance that their own search finds first, about the
    same ones each time; their mean is then not the mean over neighbours.
    """
    n = search.n_training
    rows = np.unique(np.linspace(0, n - 1, min(n, _TRIED)).astype(np.intp))
    search = Search(search.model, search.X, search.k, distances=True)
    neighbours, distance = search.find(take_rows(search.X, rows), search.k)
    near = np.diff(distance, axis=1) <= _EQUAL * distance[:, -1:]
    target = y.reshape(len(y), -1)[neighbours]
    other = (target[:, 1:] != target[:, :-1]).any(axis=2)
    return (near & other).mean() if near.size else 0.0


def _is_split(draws):
    """Whether parts of the rows are drawn apart."""
    return draws.strata is not None and len(draws.strata) > 1


def _are_classes(strata, y, classes):
    """Whether the parts are the classes, in their order."""
    return len(classes) == 1 and all(
        (y[own] == known).all() for own, known in zip(strata, classes[0], strict=True)
    )


def _learns_metric(estimator):
    """Whether distances are made from the training rows themselves."""
    given = estimator.metric_params or {}
    needs = {"seuclidean": ("V",), "mahalanobis": ("V", "VI")}.get(
        estimator.metric if isinstance(estimator.metric, str) else None
    )
    return needs is not None and not any(name in given for name in needs)


def _unsupported_draws(draws, k):
    """Why the law of some draws is not known, or None."""
    if type(draws) is not BootstrapDraws:
        return "The formula is of the bootstrap of rows."
    if draws.importance is not None or draws.occurrences.weights is not None:
        return "Rows cannot be repeated by fractions."
    states = draws.occurrences.states
    if len(np.unique(states)) < len(states):
        return "Equal rows are drawn together."
    totals = draws.totals()
    if totals is not None:
        return None if k <= totals.sum() else "Draws hold fewer rows than neighbours."
    heaviest = np.bincount(draws.occurrences.rows).max()
    mean = draws.fraction * (len(states) - heaviest)
    # P(N < k) for N Poisson
    short = special.gammaincc(k, mean)
    return None if short <= NEGLIGIBLE else "Draws may hold fewer rows than neighbours."


def n_places_of(draws, k):
    """How many neighbours to look at."""
    n = len(draws.occurrences.rows)
    totals = draws.totals()
    rate = draws.fraction
    if totals is not None:
        sizes = [n] if len(draws.strata) == 1 else [len(own) for own in draws.strata]
        rate = float(np.min(totals / np.array(sizes)))
    return places_needed(k, rate, n)


for _family in (NeighborsRegressorFamily, NeighborsClassifierFamily):
    register_limit(_family())
