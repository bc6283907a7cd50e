"""The fitted members of a bag: estimators, or places in an ensemble."""

from collections.abc import Sequence
from itertools import groupby

from genestimators.fitting import Member


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
    some = any(isinstance(item, Member) for item in items)
    return FittedMembers(items) if some else items


def join(items):
    """The same members with ensembles of a kind joined to one, where they can be."""
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


def mean_member(items):
    """One path that answers as the mean of all members does, or None."""
    runs = list(ensembles_of(items))
    if len(runs) != 1 or runs[0][0] is None:
        return None
    path, own = runs[0]
    return path.mean() if len(own) == path.n_values else None
