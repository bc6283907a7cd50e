"""Nearest neighbours: every number of neighbours from one search.

The k nearest neighbours are the first k of the nearest K, so one search with the
largest number serves all others, and sums along the neighbours give the prediction of
each. Over the folds of a splitter even one search among all rows is enough.

Where several rows lie at the same distance as the k-th neighbour, it is a matter of
the search which of them is counted: there another one may be than in a fit for that k
alone. Everything else is the same but for rounding.
"""

from copy import copy
from functools import partial
from math import ceil, sqrt
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from genestimators._inputs import n_rows_of, take_rows
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, integer_grid, register_family
from genestimators.fitting.families._neighbor_search import (
    BLOCK,
    FoldSearch,
    Search,
    SharedNeighbors,
)

_MOST = 200  # neighbours that are tried by default
_SHARED = 2**25  # neighbours kept for all folds


def neighbour_weights(distance):
    """One over the distance; neighbours at distance zero, if any, count alone.

    Parameters
    ----------
    distance : ndarray of shape (n_rows, k)
        Increasing along each row.

    Returns
    -------
    weight : ndarray of shape (n_rows, k)
    """
    with np.errstate(divide="ignore"):
        weight = 1.0 / distance
    same = np.isinf(weight)
    some = same[:, 0]
    weight[some] = same[some]
    return weight


def running_means(neighbours, weight, target, wanted):
    """Weighted means of the target over the first k neighbours, for each wanted k.

    Parameters
    ----------
    neighbours : ndarray of shape (k_max, n_rows), int
    weight : ndarray of shape (k_max, n_rows) or None
    target : ndarray of shape (n_training_rows, n_outputs)
    wanted : increasing sequence of int

    Yields
    ------
    k : int
    means : ndarray of shape (n_rows, n_outputs)
    """
    sums = np.zeros((neighbours.shape[1], target.shape[1]))
    total = np.zeros((neighbours.shape[1], 1))
    done = 0
    for k in wanted:
        for i in range(done, k):
            own = 1.0 if weight is None else weight[i][:, None]
            sums += own * target[neighbours[i]]
            total += own
        done = k
        yield k, sums / total


def running_votes(codes, weight, n_classes, wanted):
    """Votes of the first k neighbours for each class, for each wanted k.

    Parameters
    ----------
    codes : ndarray of shape (k_max, n_rows), int
        The class of each neighbour.
    weight : ndarray of shape (k_max, n_rows) or None
    n_classes : int
    wanted : increasing sequence of int

    Yields
    ------
    k : int
    votes : ndarray of shape (n_rows, n_classes)
        Counted on when the next ones are asked for.
    """
    n_rows = codes.shape[1]
    votes = np.zeros((n_rows, n_classes))
    flat, places = votes.reshape(-1), codes + np.arange(n_rows) * n_classes
    done = 0
    for k in wanted:
        for i in range(done, k):
            flat[places[i]] += 1.0 if weight is None else weight[i]
        done = k
        yield k, votes


class _NeighborsPath(Path):
    """Answers for all numbers of neighbours.

    Parameters
    ----------
    searches : list of (Search, ndarray of bool)
        With the values that each is for.
    y : ndarray of shape (n,) or (n, n_outputs)
        Of the training rows.
    values : ndarray of int
    training : bool, default=False
        Whether the rows asked for are the training rows, each of them answered by its
        neighbours other than itself.
    """

    def __init__(self, searches, y, values, *, training=False):
        self.searches = searches
        self.y = y
        self.values = values
        self.n_values = len(values)
        self.for_training = training
        self.last = None

    def __getstate__(self):
        return {**vars(self), "last": None}

    def training(self):
        """The path that leaves out the row itself; a single row cannot be."""
        if len(self.y) == 1:
            return self
        return type(self)(self.searches, self.y, self.values, training=True)

    def model(self, i):
        search = next(search for search, own in self.searches if own[i])
        model = copy(search.model)
        model.n_neighbors = int(self.values[i])
        return model

    def _blocks(self, X):
        """Blocks of neighbours, row by row, and what they serve.

        Yields
        ------
        numbers : ndarray of shape (n_values,), int
            How many neighbours each value takes; 0 where another search serves it.
        rows : slice
        neighbours : ndarray of shape (k_max, n_rows), int
        weight : ndarray of shape (k_max, n_rows) or None
        """
        if self.last is None or self.last[0] is not X:
            found = self._search(X)
            if n_rows_of(X) * self.values.max() > BLOCK:
                return found
            self.last = (X, list(found))  # labels may be asked for after scores
        return self.last[1]

    def _search(self, X):
        most = len(self.y) - 1 if self.for_training else len(self.y)
        for search, own in self.searches:
            numbers = np.where(own, np.minimum(self.values, most), 0)
            found = search.training_blocks() if self.for_training else search.blocks(X)
            for rows, neighbours, distance in found:
                weight = None
                if distance is not None:
                    weight = np.ascontiguousarray(neighbour_weights(distance).T)
                yield numbers, rows, np.ascontiguousarray(neighbours.T), weight


class NeighborsRegressorPath(_NeighborsPath):
    """Path of `KNeighborsRegressor`."""

    def predict(self, X):
        target = np.asarray(self.y, dtype=np.float64).reshape(len(self.y), -1)
        out = np.empty((self.n_values, n_rows_of(X), target.shape[1]))
        for numbers, rows, neighbours, weight in self._blocks(X):
            wanted = np.unique(numbers[numbers > 0])
            for k, means in running_means(neighbours, weight, target, wanted):
                out[numbers == k, rows] = means
        return out[:, :, 0] if self.y.ndim == 1 else out


class NeighborsClassifierPath(_NeighborsPath):
    """Path of `KNeighborsClassifier`."""

    @property
    def classes_(self):
        return self.searches[0][0].model.classes_

    def _ask(self, X, answer):
        """Arrays, one for each output, of `answer(classes, votes)` at each value."""
        known = self.classes_ if isinstance(self.classes_, list) else [self.classes_]
        columns = self.y.reshape(len(self.y), -1).T
        codes = [np.searchsorted(*pair) for pair in zip(known, columns, strict=True)]
        out = [None] * len(known)
        for numbers, rows, neighbours, weight in self._blocks(X):
            wanted = np.unique(numbers[numbers > 0])
            for j, classes in enumerate(known):
                own = codes[j][neighbours]
                for k, votes in running_votes(own, weight, len(classes), wanted):
                    found = answer(classes, votes)
                    if out[j] is None:
                        shape = (self.n_values, n_rows_of(X), *found.shape[1:])
                        out[j] = np.empty(shape, dtype=found.dtype)
                    out[j][numbers == k, rows] = found
        return out

    def predict(self, X):
        # Of classes with equal votes the first is predicted.
        out = self._ask(X, lambda classes, votes: classes[votes.argmax(axis=1)])
        return np.stack(out, axis=-1) if isinstance(self.classes_, list) else out[0]

    def predict_proba(self, X):
        out = self._ask(X, lambda _, votes: votes / votes.sum(axis=1, keepdims=True))
        return out if isinstance(self.classes_, list) else out[0]


class SharedPaths:
    """Paths of all folds from one search among all rows."""

    def __init__(self, family, estimator, X, y, values, shared):
        self.family = family
        self.estimator = estimator
        self.X = X
        self.y = y
        self.values = values
        self.shared = shared

    def fit_path(self, number, draw):
        """The path of one fold."""
        path = self.family.fit_path(
            clone(self.estimator),
            take_rows(self.X, draw.rows),
            self.y[draw.rows],
            None,
            self.values,
            kind=partial(
                FoldSearch, shared=self.shared, rows=draw.rows, left_out=draw.out_of_bag
            ),
        )
        path.family = self.family
        return path


def searched_alike(estimator, n_rows, values):
    """Masks of the values that an estimator searches for in the same way.

    With `algorithm="auto"` it compares all pairs of rows where the number is half of
    them or more. Such distances are less precise: duplicates may not be at zero.

    Parameters
    ----------
    estimator : estimator
    n_rows : int
        Training rows.
    values : ndarray of int
    """
    many = values >= n_rows // 2
    if estimator.algorithm != "auto" or many.all() or not many.any():
        return [np.ones(len(values), dtype=bool)]
    return [~many, many]


def make_search(estimator, X, y, values, kind=Search):
    """A search for the largest of some numbers; they are searched for alike."""
    model = estimator.set_params(n_neighbors=int(min(values))).fit(X, y)
    return kind(model, X, int(max(values)), distances=model.weights == "distance")


class NeighborsRegressor(Family):
    """`KNeighborsRegressor.n_neighbors`."""

    estimator = KNeighborsRegressor
    param = "n_neighbors"
    stronger = "larger"
    exactness = "exact"
    preferred = True
    scale = "integer"
    n_repeats = 5
    default_range = "1 to a third of the rows, to 200 at the most"
    limits = (1,)
    path = NeighborsRegressorPath

    def default_values(self, estimator, X, y, sample_weight):
        # Two folds leave more rows than that; more neighbours would be no neighbours.
        return integer_grid(1, max(1, min(n_rows_of(X) // 3, _MOST)))

    def unsupported(self, estimator, X, y, sample_weight, values):
        if estimator.weights not in (None, "uniform", "distance"):
            return "Weights of neighbours that a function gives may depend on all k."
        if estimator.metric == "precomputed":
            return "Distances that were computed before have columns to choose, too."
        if not all(isinstance(value, Integral) for value in values):
            return "Numbers of neighbours are whole numbers."
        if min(values) < 1 or max(values) > n_rows_of(X):
            return "There are from one to as many neighbours as there are rows."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values, *, kind=Search):
        values = np.asarray(values)
        searches = [
            (make_search(clone(estimator), X, y, values[own], kind), own)
            for own in searched_alike(estimator, n_rows_of(X), values)
        ]
        return self.path(searches, y, values)

    def share(self, steps, estimator, X, y, draws, values):
        if steps or sparse.issparse(X) or not draws.unit_counts or draws.limit is None:
            return None
        n_rows, k = n_rows_of(X), int(max(values))
        sizes = [len(draw.rows) for draw in draws if _is_partition(draw, n_rows)]
        if len(sizes) < max(3, draws.limit) or min(sizes) < k:
            return None
        kept = min(sizes) / n_rows
        # Of this many neighbours, k are kept in all rows but one of ten thousand.
        enough = ceil((k + 4 * sqrt(k * (1 - kept)) + 4) / kept)
        enough = min(enough, n_rows - 1)
        several = len(searched_alike(estimator, min(sizes), np.asarray(values))) > 1
        if (
            several
            or n_rows * enough > _SHARED
            or np.asarray(X).dtype.kind not in "fiu"
        ):
            return None
        try:
            search = make_search(clone(estimator), X, y, values)
            search.k = enough
            shared = SharedNeighbors(search)
        except (TypeError, ValueError):  # the draws that cannot be fitted will tell
            return None
        return SharedPaths(self, estimator, X, y, values, shared)


def _is_partition(draw, n_rows):
    """Whether the rows of a draw are all those that are not left out, each once."""
    rows = np.concatenate([draw.rows, draw.out_of_bag])
    return len(rows) == n_rows and len(np.unique(rows)) == n_rows


class NeighborsClassifier(NeighborsRegressor):
    """`KNeighborsClassifier.n_neighbors`."""

    estimator = KNeighborsClassifier
    path = NeighborsClassifierPath


for _family in (NeighborsRegressor, NeighborsClassifier):
    register_family(_family())
