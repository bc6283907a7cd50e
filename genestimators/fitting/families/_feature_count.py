"""Numbers of selected columns: one ranking holds the selections of all of them.

The scores of the columns do not depend on how many are kept, and backward elimination
that drops one column at a time comes by every larger selection on its way to the
smallest.
"""

from copy import copy
from numbers import Integral, Real

import numpy as np
from sklearn.feature_selection import RFE, SelectKBest, SelectPercentile

from genestimators.fitting._registry import integer_grid, register_family
from genestimators.fitting.families.generalized_linear._leading_newton import (
    LeadingFamily,
    path_after,
)


class SelectedColumns:
    """Copies of one fitted selector, each set to another number of columns.

    Parameters
    ----------
    selectors : list of fitted selectors
    """

    def __init__(self, selectors):
        self.selectors = selectors

    def transform(self, X):
        """Yield the selected columns of X at each value."""
        for selector in self.selectors:
            yield selector.transform(X)

    def fit_after(self, after, X, y, weight):
        """The path of the steps after, or None; see `path_after`."""
        chosen = np.stack([selector.get_support() for selector in self.selectors])
        sizes = chosen.sum(axis=1)
        rounds = chosen[np.argsort(sizes, kind="stable")]
        if (rounds[:-1] & ~rounds[1:]).any():
            return None  # a larger selection lacks a column of a smaller one
        entry = len(rounds) - rounds.sum(axis=0)  # the first round that has a column
        order = np.argsort(entry[rounds[-1]], kind="stable")
        columns = OrderedColumns(self.selectors[int(np.argmax(sizes))], order)
        return path_after(columns, sizes, after, X, y, weight)


class OrderedColumns:
    """The columns of the largest selection, those of the smaller ones first.

    Parameters
    ----------
    selector : fitted selector
    order : ndarray of int
        Of the columns it selects.
    """

    def __init__(self, selector, order):
        self.selector = selector
        self.order = order

    def whole(self, X):
        """The selected columns, in order, where they are an array."""
        columns = self.selector.transform(X)
        return columns[:, self.order] if isinstance(columns, np.ndarray) else None


def _is_count(value, high):
    whole = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
    return whole and 1 <= value <= high


def _n_columns(X):
    return X.shape[1] if hasattr(X, "shape") else np.shape(X)[1]


class _Selection(LeadingFamily):
    stronger = "smaller"
    preferred = True
    scale = "integer"
    n_repeats = 5
    default_range = "1 to the number of columns"
    limits = (1,)

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(1, _n_columns(X), 25)

    def fit_path(self, estimator, X, y, sample_weight, values):
        # The selector picks by itself, ties and all: only its number is set.
        estimator.set_params(**{self.param: values[0]}).fit(X, y)
        return SelectedColumns([self._at(estimator, value) for value in values])

    def _at(self, selector, value):
        return copy(selector).set_params(**{self.param: value})


class BestColumns(_Selection):
    """`SelectKBest.k`.

    A score that draws at random (mutual information) is drawn once for all values.
    """

    estimator = SelectKBest
    param = "k"

    def unsupported(self, estimator, X, y, sample_weight, values):
        high = _n_columns(X)
        known = [isinstance(one, str) and one == "all" for one in values]
        if not all(
            whole or _is_count(value, high)
            for whole, value in zip(known, values, strict=True)
        ):
            return '`k` has to be "all" or from 1 to the number of columns.'
        return None


class BestPercentile(_Selection):
    """`SelectPercentile.percentile`."""

    estimator = SelectPercentile
    param = "percentile"
    scale = "linear"
    default_range = "5 to 100"
    limits = (100,)

    def default_values(self, estimator, X, y, sample_weight):
        return np.arange(5, 101, 5)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(isinstance(value, Real) and 0 < value <= 100 for value in values):
            return "`percentile` has to be above 0, and at most 100."
        return None


class EliminatedColumns(_Selection):
    """`RFE.n_features_to_select`, where it drops one column at a time."""

    estimator = RFE
    param = "n_features_to_select"
    n_repeats = 1

    def unsupported(self, estimator, X, y, sample_weight, values):
        high = _n_columns(X)
        if not all(_is_count(value, high) for value in values):
            return "`n_features_to_select` has to be from 1 to the number of columns."
        if not (isinstance(estimator.step, Integral) and estimator.step == 1):
            return "Several columns at a time are other ones for each number."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        smallest = min(values)
        estimator.set_params(n_features_to_select=smallest).fit(X, y)
        return SelectedColumns(
            [self._from(estimator, smallest, value) for value in values]
        )

    def _from(self, selector, smallest, value):
        # The column dropped last is ranked 2, the one before it 3, and so on.
        selector = self._at(selector, value)
        selector.support_ = selector.ranking_ <= value - smallest + 1
        return selector


for _family in (BestColumns, BestPercentile, EliminatedColumns):
    register_family(_family())
