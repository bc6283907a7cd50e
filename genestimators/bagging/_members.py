"""The fitted members of a bag: estimators, or places in an ensemble."""

import math
from collections.abc import Sequence
from itertools import groupby
from numbers import Integral

from genestimators.fitting import Member
from genestimators.fitting.families.linear._gathered import gather_linear


class Endless:
    """A sequence without an end; what stands at a place is made when asked for.

    Parameters
    ----------
    make : callable
        From a whole number, from zero on, to what stands there.
    noun : str
    """

    def __init__(self, make, noun):
        self.make = make
        self.noun = noun

    def __getitem__(self, number):
        if isinstance(number, slice):
            if number.stop is None:
                raise IndexError(
                    f"There is no end of {self.noun}; give the slice one. Got {number}."
                )
            ends = (number.start or 0, number.stop)
            for end in ends:
                self._check(end)
            return [self[place] for place in range(*ends, number.step or 1)]
        self._check(number)
        return self.make(number)

    def _check(self, number):
        if not isinstance(number, Integral):
            raise TypeError(
                f"Places in the {self.noun} are whole numbers. Got {number!r}."
            )
        if number < 0:
            raise IndexError(
                f"There is no end of {self.noun} to count from; ask for number 0, 1, "
                f"... Got {number}."
            )

    def __bool__(self):
        return True

    def __len__(self):
        raise TypeError(f"There is no end of {self.noun}; take a slice, [:10].")

    def __iter__(self):
        raise TypeError(f"There is no end of {self.noun}; take a slice, [:10].")

    def __repr__(self):
        return f"<{self.noun} without end, made when asked for>"


class LimitMembers(Endless):
    """The members of a bag of infinitely many.

    Parameters
    ----------
    path : LimitPath
        Answers as their mean does.
    draws : Draws
    """

    def __init__(self, path, draws):
        super().__init__(self._fit, "fitted estimators")
        self.path = path
        self.draws = draws

    def _fit(self, number):
        return self.path.member(self.draws.counts_of(number))


def count_of(items):
    """How many members there are."""
    return math.inf if isinstance(items, Endless) else len(items)


def samples_of(draws, n):
    """In-bag rows of each of n replicates, which may be infinitely many."""
    if math.isinf(n):
        return Endless(draws.drawn_rows, "replicates")
    return Samples(draws, n)


def features_of(members, features, every):
    """Columns of each member; `every` where it was given none."""
    if isinstance(members, Endless):
        return Endless(lambda number: every, "replicates")
    return [every if columns is None else columns for columns in features]


def engine_of(items):
    """What fitted the members."""
    if isinstance(items, Endless):
        return "limit"
    return "shared" if isinstance(items, FittedMembers) else "generic"


class Samples(Sequence):
    """In-bag rows of each replicate, made when they are asked for."""

    def __init__(self, draws, n):
        self.draws = draws
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, number):
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(self.n))]
        if not -self.n <= number < self.n:
            raise IndexError(f"There are {self.n} replicates. Got {number}.")
        return self.draws.drawn_rows(number % self.n)


class FittedMembers(Sequence):
    """Fitted estimators, of which those in an ensemble are made when asked for.

    Parameters
    ----------
    items : list
        Estimators and `Member`s.
    """

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, number):
        if isinstance(number, slice):
            return [_model_of(item) for item in self.items[number]]
        return _model_of(self.items[number])

    def __repr__(self):
        return f"<{len(self)} fitted estimators, made when asked for>"


def _model_of(item):
    return item.model() if isinstance(item, Member) else item


def as_estimators(items):
    """Members as a sequence of fitted estimators."""
    if isinstance(items, Endless):
        return items
    some = any(isinstance(item, Member) for item in items)
    return FittedMembers(items) if some else items


def join(items):
    """The same members with ensembles of a kind joined to one, where they can be."""
    if isinstance(items, Endless):
        return items
    if not all(isinstance(item, Member) for item in items):
        return items
    paths = [
        path.take([item.place for item in own]) for path, own in ensembles_of(items)
    ]
    whole = paths[0] if len(paths) == 1 else paths[0].joined(paths[1:])
    if whole is None:
        return items
    whole.family, whole.pipeline = paths[0].family, paths[0].pipeline
    return [Member(whole, place) for place in range(len(items))]


def ensembles_of(items):
    """Runs of members of the same ensemble, with it; of estimators, with None.

    Yields
    ------
    path : MembersPath or None
    own : list
    """
    for _, run in groupby(items, lambda item: id(getattr(item, "path", None))):
        own = list(run)
        yield own[0].path if isinstance(own[0], Member) else None, own


def runs_of(items, features, response=None, n_features=None):
    """Runs of members that answer together, as one path where they can.

    Parameters
    ----------
    items : list of fitted estimators and `Member`s
    features : list of ndarray or None
        The columns of each; None is all of them.
    response : Response, optional
        What they will be asked; without it estimators are left as they are.
    n_features : int, optional
        Columns of X, where it has columns.

    Returns
    -------
    runs : list of (path, own, columns)
        A `MembersPath` of just these members, or None; the members; their features.
    """
    runs, done = [], 0
    for path, own in ensembles_of(items):
        columns = features[done : done + len(own)]
        done += len(own)
        if path is None and response is not None:
            path = gather_linear(own, columns, response, n_features)
        elif path is not None and [item.place for item in own] != list(
            range(path.n_values)
        ):
            path = path.take([item.place for item in own])
        runs.append((path, own, columns))
    return runs
