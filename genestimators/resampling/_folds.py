"""The folds of a scikit-learn splitter, as draws."""

import numpy as np
from sklearn.model_selection import check_cv

from genestimators._inputs import n_rows_of
from genestimators._params import NONE, HasMethods, Interval, Is
from genestimators.resampling._draws import Draw, Draws, Occurrences
from genestimators.resampling._resampler import Resampler


class Folds(Resampler):
    """The folds of any scikit-learn splitter: train rows in, test rows out of bag.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None, default=None
        As in `cross_validate`: None is five folds, stratified for a classifier.

    Notes
    -----
    There are as many draws as the splitter has splits. Weights multiply the counts,
    which are one otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import Folds
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> draws = Folds(cv=5).prepare(X, y)
    >>> len(draws), draws[0].out_of_bag.tolist()
    (5, [0, 1])
    """

    _parameter_constraints = {
        "cv": [
            Interval(int, 2),
            HasMethods("split", "get_n_splits"),
            Is(
                lambda value: hasattr(value, "__iter__") and not isinstance(value, str),
                "an iterable of (train, test) pairs",
            ),
            NONE,
        ],
    }

    def __init__(self, cv=None):
        self.cv = cv

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        n_rows = n_rows_of(X)
        splitter = check_cv(self.cv, y, classifier=classifier)
        splits = [
            (_indices(train), _indices(test))
            for train, test in splitter.split(np.zeros(n_rows), y, groups)
        ]
        for number, split in enumerate(splits):
            _check_positions(number, np.concatenate(split), n_rows)
        if not splits:
            raise ValueError(
                "`cv` must give at least one split. Got none; an iterator is used up "
                "by the first fit: pass a list of its splits."
            )
        rows = np.arange(n_rows)
        if sample_weight is not None:
            rows = rows[sample_weight > 0]
        occurrences = Occurrences(rows, rows.astype(np.uint64), None)
        return FoldDraws(
            occurrences, n_rows, seed, splits=splits, row_weight=sample_weight
        )


def _check_positions(number, rows, n_rows):
    if len(rows) and not 0 <= rows.min() <= rows.max() < n_rows:
        odd = rows.max() if rows.max() >= n_rows else rows.min()
        raise ValueError(
            f"`cv` must give positions of rows, from 0 to {n_rows - 1}. Got {odd} in "
            f"split {number}; make the splits of the same data."
        )


def _indices(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


class FoldDraws(Draws):
    """Draws that are the splits of a splitter."""

    balanced_block = 1

    def __init__(self, occurrences, n_rows, seed, *, splits, **kwargs):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.splits = splits
        self.limit = len(splits)
        self.unit_counts = self.row_weight is None

    def drawn_rows(self, number):
        """The training rows of a split."""
        return self[number].rows

    def held_out_rows(self, draw):
        weight = draw.out_of_bag_counts
        return draw.out_of_bag, None if (weight == 1).all() else weight

    def __getitem__(self, number):
        if not 0 <= number < self.limit:
            raise IndexError(f"There is no draw {number}.")
        train, test = self.splits[number]
        test = np.sort(test)
        if self.row_weight is None:
            return Draw(train, np.ones(len(train)), test, np.ones(len(test)), test)
        train = train[self.row_weight[train] > 0]
        test = test[self.row_weight[test] > 0]
        held_out = np.flatnonzero(np.isin(self.occurrences.rows, test))
        return Draw(
            train, self.row_weight[train], test, self.row_weight[test], held_out
        )
