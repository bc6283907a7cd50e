"""Searches for nearest neighbours: of any rows, of training rows, within folds.

A row's neighbours among the training rows of a fold are its neighbours among all rows
without those that were left out, so one search serves all folds.
"""

import numpy as np
from scipy import sparse

from genestimators._inputs import n_rows_of, take_rows

BLOCK = 2**22  # neighbours looked at together


def without_self(own, neighbours):
    """Which neighbours of rows that were searched for are others than the row.

    Parameters
    ----------
    own : ndarray of shape (n_rows,), int
    neighbours : ndarray of shape (n_rows, k + 1), int

    Returns
    -------
    others : ndarray of shape (n_rows, k + 1), bool
        True k times in each row.
    """
    others = neighbours != own[:, None]
    others[others.all(axis=1), -1] = False  # so many duplicates that it is not in it
    return others


def first_allowed(allowed, neighbours, k):
    """The first k neighbours that are allowed.

    Parameters
    ----------
    allowed : ndarray of bool
        For each row that can be a neighbour.
    neighbours : ndarray of shape (n_rows, k_max), int
    k : int

    Returns
    -------
    first : ndarray of shape (n_rows, k_max), bool
    enough : ndarray of shape (n_rows,), bool
        Whether the row has k of them.
    """
    first = allowed[neighbours]
    rank = first.cumsum(axis=1, dtype=np.int32)
    first &= rank <= k
    return first, rank[:, -1] >= k


def _pick(mask, *arrays):
    """Entries of arrays (or None), as many in each row."""
    return tuple(
        None if array is None else array[mask].reshape(len(mask), -1)
        for array in arrays
    )


def _slices(n_rows, k):
    step = max(1, BLOCK // k)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _part(X, rows):
    if rows == slice(0, n_rows_of(X)):
        return X
    X = X.tocsr() if sparse.issparse(X) else X
    return take_rows(X, np.arange(rows.start, rows.stop))


class Search:
    """The nearest training rows of any rows.

    Parameters
    ----------
    model : fitted estimator
    X : container of n rows
        Training rows.
    k : int
        How many to find.
    distances : bool
        Whether distances are wanted; they are None otherwise.

    Attributes
    ----------
    n_training : int
    """

    def __init__(self, model, X, k, *, distances):
        self.model = model
        self.X = X
        self.k = k
        self.distances = distances
        self.n_training = n_rows_of(X)

    def find(self, X, k):
        """Neighbours of rows and their distances, nearest first."""
        if self.distances:
            distance, neighbours = self.model.kneighbors(X, k)
            return neighbours, distance
        return self.model.kneighbors(X, k, return_distance=False), None

    def find_others(self, X, own, k):
        """Neighbours of training rows, which are not neighbours of themselves."""
        found = self.find(X, k + 1)
        return _pick(without_self(own, found[0]), *found)

    def blocks(self, X):
        """Yield (slice of rows, neighbours, distances) of rows, block by block."""
        for rows in _slices(n_rows_of(X), self.k):
            yield rows, *self.find(_part(X, rows), self.k)

    def training_blocks(self):
        """The same of all training rows, without themselves.

        There is one neighbour less where all training rows are wanted.
        """
        k = min(self.k, self.n_training - 1)
        for rows in _slices(self.n_training, k + 1):
            own = np.arange(rows.start, rows.stop)
            yield rows, *self.find_others(_part(self.X, rows), own, k)


class SharedNeighbors:
    """Neighbours of all rows among all rows.

    Parameters
    ----------
    search : Search
        Among all rows, for more neighbours than are wanted in the end.
    """

    def __init__(self, search):
        self.X = search.X
        self.table = np.asarray(search.X)
        blocks = list(search.training_blocks())
        self.neighbours = np.concatenate(
            [neighbours.astype(np.int32) for _, neighbours, _ in blocks]
        )
        self.distance = None
        if search.distances:
            self.distance = np.concatenate([distance for *_, distance in blocks])

    def of(self, rows):
        """Neighbours of some rows, and their distances or None."""
        distance = None if self.distance is None else self.distance[rows]
        return self.neighbours[rows], distance

    def are_rows(self, X, rows):
        """Whether X is these rows."""
        return np.array_equal(np.asarray(X), self.table[rows])


class FoldSearch(Search):
    """The nearest training rows of a fold, from the neighbours among all rows.

    Other rows than those of the fold are searched for.

    Parameters
    ----------
    model, X, k, distances
        As in `Search`.
    shared : SharedNeighbors
    rows, left_out : ndarray of int
        The training rows and the others.
    """

    def __init__(self, model, X, k, *, distances, shared, rows, left_out):
        super().__init__(model, X, k, distances=distances)
        self.shared = shared
        self.rows = rows
        self.left_out = left_out
        n_rows = len(shared.neighbours)
        self.allowed = np.zeros(n_rows, dtype=bool)
        self.allowed[rows] = True
        self.place = np.zeros(n_rows, dtype=np.intp)  # among the training rows
        self.place[rows] = np.arange(len(rows))

    def blocks(self, X):
        if not self.shared.are_rows(X, self.left_out):
            return super().blocks(X)
        return self._masked(
            self.left_out, self.k, lambda i: self.find(take_rows(X, i), self.k)
        )

    def training_blocks(self):
        k = min(self.k, self.n_training - 1)
        return self._masked(
            self.rows, k, lambda i: self.find_others(take_rows(self.X, i), i, k)
        )

    def _masked(self, rows, k, search):
        """Blocks of rows; `search(i)` finds the neighbours of those that have too few.

        They have where rows near to each other were left out together.
        """
        k_max = self.shared.neighbours.shape[1]
        for block in _slices(len(rows), k_max):
            neighbours, distance = self.shared.of(rows[block])
            first, enough = first_allowed(self.allowed, neighbours, k)
            first[~enough] = np.arange(k_max) < k  # any k, to be replaced
            neighbours, distance = _pick(first, neighbours, distance)
            neighbours = self.place[neighbours]
            lacking = np.flatnonzero(~enough)
            if len(lacking):
                found = search(block.start + lacking)
                neighbours[lacking] = found[0]
                if distance is not None:
                    distance[lacking] = found[1]
            yield block, neighbours, distance
