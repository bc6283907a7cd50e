"""The folds that candidates are tried on."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.utils.multiclass import type_of_target

from genestimators._exceptions import OneClassReplicateWarning, warn_user
from genestimators._inputs import take_rows
from genestimators.resampling import Folds
from genestimators.resampling._hashing import derive

DEFAULT_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Splits:
    """Draws that are folds, and how to count them.

    Attributes
    ----------
    draws : Draws
    n_folds : int
        How many independent parts the splits amount to, whatever the repeats.
    n_first : int
        The first so many splits are one repeat.
    partition : bool
        Whether every row is left out once a repeat.
    """

    draws: object
    n_folds: int
    n_first: int
    partition: bool


def make_splits(cv, n_repeats, X, y, weight, groups, seed, *, classifier):
    """Folds for a `cv` parameter.

    Parameters
    ----------
    cv : None, int, splitter or iterable
    n_repeats : int
        How often an int number of folds is repeated, shuffled anew each time.
    weight : ndarray of shape (n,) or None
        Rows of weight zero are in no fold, and do not move the others.
    groups : ndarray of shape (n,) or None
    seed : int

    Returns
    -------
    Splits
    """
    n_rows = len(y)
    rows = np.arange(n_rows) if weight is None else np.flatnonzero(weight > 0)
    own = None if groups is None else groups[rows]
    if cv is None or isinstance(cv, (int, np.integer)):
        splitter = _splitter(cv, n_repeats, y[rows], own, seed, classifier)
        splits = list(splitter.split(np.zeros(len(rows)), y[rows], own))
    elif hasattr(cv, "split") and not isinstance(cv, PredefinedSplit):
        own_X = X if weight is None else take_rows(X, rows)
        splits = list(cv.split(own_X, y[rows], own))
    else:  # these name rows of X
        splits, rows = list(cv.split() if hasattr(cv, "split") else cv), None
        for split in splits:
            _check_pair(split)
    if rows is not None and weight is not None:
        splits = [(rows[train], rows[test]) for train, test in splits]
    draws = Folds(splits).prepare(X, y, weight, classifier=classifier)
    used = y if weight is None else y[weight > 0]
    if classifier and y.ndim == 1:
        _warn_of_one_class(y, used, draws)
    return Splits(draws, *_structure(draws, len(used)))


def _check_pair(split):
    """Refuse what is no pair of rows to fit on and rows to score."""
    pair = isinstance(split, (tuple, list)) and len(split) == 2
    if not pair or any(np.ndim(rows) != 1 for rows in split):
        raise ValueError(
            "An iterable `cv` must hold pairs (train, test) of positions of rows. Got "
            f"{split!r} in it; pass one split as [(train, test)]."
        )


def _warn_of_one_class(y, used, draws):
    """Warn of training rows of one class where there are several."""
    trained = [y[draws[number].rows] for number in range(len(draws))]
    n_short = sum(len(own) > 0 and (own == own[0]).all() for own in trained)
    if n_short and (used != used[0]).any():
        warn_user(
            f"{n_short} of {len(trained)} splits train on rows of one class only, so "
            "every value predicts that one there; set `cv` to fewer folds or to a "
            "StratifiedKFold, which gives every class its share of each.",
            OneClassReplicateWarning,
        )


def _splitter(cv, n_repeats, y, groups, seed, classifier):
    stratify = classifier and type_of_target(y) in ("binary", "multiclass")
    n_folds = cv
    if groups is not None:
        n_groups = len(np.unique(groups))
        if n_groups < (cv or 2):
            raise ValueError(
                f"There must be at least as many groups as folds, {cv or 2}. Got "
                f"{n_groups} in `groups`; set a smaller `cv`, or pass more groups."
            )
        n_folds = min(DEFAULT_FOLDS, n_groups) if cv is None else cv
        kind = StratifiedGroupKFold if stratify else GroupKFold
        if n_repeats == 1:
            return kind(n_folds)
        return _Repeated(kind, n_folds, n_repeats, seed)
    if len(y) < (cv or 2):
        raise ValueError(
            f"There must be at least as many rows as folds, {cv or 2}. Got "
            f"n_samples = {len(y)}; set a smaller `cv`, or pass more rows."
        )
    if cv is None:
        most = len(y) // 2  # R2 needs two rows in a fold
        if stratify:
            most = int(np.unique(y, return_counts=True)[1].max())
        n_folds = max(2, min(DEFAULT_FOLDS, most))
    state = derive(seed, "folds") % 2**32
    if stratify:
        if n_repeats == 1:
            return StratifiedKFold(n_folds)
        return RepeatedStratifiedKFold(
            n_splits=n_folds, n_repeats=n_repeats, random_state=state
        )
    if n_repeats == 1:
        return KFold(n_folds)
    return RepeatedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=state)


class _Repeated:
    """Folds of groups, shuffled anew for each repeat."""

    def __init__(self, kind, n_folds, n_repeats, seed):
        self.kind = kind
        self.n_folds = n_folds
        self.n_repeats = n_repeats
        self.seed = seed

    def split(self, X, y, groups):
        for repeat in range(self.n_repeats):
            state = derive(self.seed, "folds", repeat) % 2**32
            folds = self.kind(self.n_folds, shuffle=True, random_state=state)
            yield from folds.split(X, y, groups)


def _structure(draws, n_rows):
    """Independent parts, splits of the first repeat, whether they split the rows."""
    n_splits = len(draws)
    tests = [draws[number].out_of_bag for number in range(n_splits)]
    sizes = np.array([len(test) for test in tests])
    if (sizes == 0).any():
        raise ValueError(
            "Every split must leave out rows of positive weight to score. Got none in "
            f"split {int(np.flatnonzero(sizes == 0)[0])}."
        )
    n_folds = int(np.clip(round(n_rows / sizes.mean()), 1, n_splits))
    first = int(np.searchsorted(np.cumsum(sizes), n_rows)) + 1
    first = min(first, n_splits)
    seen = np.concatenate(tests[:first])
    whole = len(seen) == n_rows == len(np.unique(seen))
    whole = whole and all(
        len(draws[number].rows) + sizes[number] == n_rows for number in range(first)
    )
    return n_folds, first if whole else n_splits, whole


def one_draw(X, y, weight):
    """A single draw of all rows, none left out: the estimator leaves out its own."""
    rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight > 0)
    draws = Folds([(rows, np.empty(0, dtype=np.intp))]).prepare(X, y, weight)
    return Splits(draws, 1, 1, False)
