"""Forests and bags: pruned members, and the first members of many.

The trees of a forest are pruned each by itself, so one forest holds the forests of all
values of `ccp_alpha`. Members are drawn one after the other, so a large ensemble begins
with the smaller ones.
"""

from numbers import Integral

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from genestimators._weights import fit_all
from genestimators.fitting._registry import integer_grid, register_family
from genestimators.fitting.families.trees._forest_paths import (
    FirstOfBagClassifierPath,
    FirstOfBagPath,
    FirstTreesClassifierPath,
    FirstTreesPath,
    PrunedForestClassifierPath,
    PrunedForestPath,
)
from genestimators.fitting.families.trees._tree import TreeFamily, not_alphas, refits
from genestimators.fitting.families.trees._tree_limits import growth_limit
from genestimators.fitting.families.trees._tree_paths import (
    breakpoints_of,
    collapse_by_alpha,
)
from genestimators.fitting.families.trees._tree_pruning import midpoints


class _EnsembleFamily(TreeFamily):
    """What families of forests and bags share."""

    exactness = "exact"
    n_repeats = 1

    def out_of_bag(self, estimator):
        return bool(estimator.bootstrap)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if estimator.oob_score and (estimator.warm_start or not estimator.bootstrap):
            return "These settings have no out-of-bag score, as the estimator will say."
        return self.not_values(values)

    def not_values(self, values):
        """Why the parameter does not take the values, or None."""
        raise NotImplementedError


class ForestCostComplexity(_EnsembleFamily):
    """`ccp_alpha` of a forest."""

    param = "ccp_alpha"
    stronger = "larger"
    preferred = True
    scale = "log"
    limits = (0.0,)
    default_range = "about 20 values between breakpoints of three trees, and 0"

    def not_values(self, values):
        return not_alphas(values)

    def default_values(self, estimator, X, y, sample_weight):
        few = clone(estimator).set_params(
            n_estimators=min(3, estimator.n_estimators), ccp_alpha=0.0, oob_score=False
        )
        fit_all(few, X, y, sample_weight)
        found = [breakpoints_of(tree.tree_) for tree in few.estimators_]
        values = midpoints(
            np.concatenate([alpha for alpha, _ in found]),
            max(noise for _, noise in found),
        )
        if len(values) == 1:
            return values
        # From each to the next the number of cuts that are left falls by one factor.
        from_top = np.geomspace(1, len(values) - 1, 20)
        places = len(values) - np.unique(np.rint(from_top).astype(int))[::-1]
        return values[np.append(0, places)]

    def fit_path(self, estimator, X, y, sample_weight, values):
        whole = clone(estimator).set_params(ccp_alpha=0.0, oob_score=False)
        forest = fit_all(whole, X, y, sample_weight)
        alphas = np.asarray(values, dtype=np.float64)
        collapses = [
            collapse_by_alpha(tree.tree_, alphas) for tree in forest.estimators_
        ]
        if any(collapse is None for collapse in collapses):
            return refits(estimator, self.param, values, X, y, sample_weight)
        kind = PrunedForestClassifierPath if is_classifier(forest) else PrunedForestPath
        return kind(
            forest, self.param, values, len(y), collapses, scored=estimator.oob_score
        )


class _Members(_EnsembleFamily):
    """`n_estimators`: averaging more members takes away variance."""

    param = "n_estimators"
    stronger = "larger"
    scale = "integer"
    paths = (FirstTreesPath, FirstTreesClassifierPath)

    def not_values(self, values):
        for value in values:
            if not isinstance(value, Integral) or value < 1:
                return f"`n_estimators` must be a whole number from 1 on: {value!r}."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        largest = clone(estimator).set_params(n_estimators=max(values), oob_score=False)
        ensemble = fit_all(largest, X, y, sample_weight)
        kind = self.paths[is_classifier(ensemble)]
        return kind(ensemble, self.param, values, len(y), scored=estimator.oob_score)


class ForestMembers(_Members):
    """`n_estimators` of a forest."""

    default_range = "10 to 300"

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(10, 300, 20)


class BagMembers(_Members):
    """`n_estimators` of a bag."""

    preferred = True
    default_range = "5 to 100"
    paths = (FirstOfBagPath, FirstOfBagClassifierPath)

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(5, 100, 15)


def depths(estimator, X, y):
    """Depths, to twice that of a balanced tree with a leaf for each row."""
    return integer_grid(1, max(2, round(2 * np.log2(len(y)))), 12)


def leaf_counts(estimator, X, y):
    """Numbers of leaves, to half the number of rows."""
    return integer_grid(2, max(3, len(y) // 2), 12)


def leaf_rows(estimator, X, y):
    """Least numbers of rows in a leaf, to a tenth of all rows."""
    return integer_grid(1, max(2, len(y) // 10), 12)


def split_columns(estimator, X, y):
    """Numbers of columns that a split chooses from; fewer make trees differ more."""
    return integer_grid(1, np.shape(X)[1], 12)


_LIMITS = (
    ("max_depth", depths, "1 to twice the binary logarithm of the number of rows"),
    ("max_leaf_nodes", leaf_counts, "2 to half the number of rows"),
    ("min_samples_leaf", leaf_rows, "1 to a tenth of the number of rows"),
    ("max_features", split_columns, "1 to the number of columns"),
)

for _kind in (
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
):
    register_family(ForestCostComplexity(_kind))
    register_family(ForestMembers(_kind))
    for _limit in _LIMITS:
        register_family(growth_limit(_kind, *_limit))
for _kind in (BaggingClassifier, BaggingRegressor):
    register_family(BagMembers(_kind))
