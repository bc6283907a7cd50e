"""Decision trees: prunings and truncations of one tree.

Pruning comes after growing, so one whole tree holds the pruned trees of all values of
`ccp_alpha`. A tree that may have fewer leaves, or less depth, is the top of one that
may have more.
"""

from itertools import groupby
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from genestimators._weights import fit_all
from genestimators.fitting._paths import RefittedPath
from genestimators.fitting._registry import (
    Family,
    integer_grid,
    log_grid,
    register_family,
)
from genestimators.fitting.families.trees._tree_growth import (
    depth_thresholds,
    leaves_thresholds,
)
from genestimators.fitting.families.trees._tree_limits import growth_limit
from genestimators.fitting.families.trees._tree_paths import (
    Collapse,
    CollapsingClassifierPath,
    CollapsingPath,
    JoinedPath,
    breakpoints_of,
    collapse_by_alpha,
)
from genestimators.fitting.families.trees._tree_pruning import midpoints
from genestimators.fitting.families.trees._tree_sweeps import levels_of, squared_errors


def not_alphas(values):
    """Why values are none of `ccp_alpha`, or None where they are."""
    for value in values:
        if not isinstance(value, Real) or not 0 <= value < np.inf:
            return (
                f"`ccp_alpha` must be a finite number that is not negative: {value!r}."
            )
    return None


def not_limits(values, least):
    """Why values are no whole numbers from `least` on or None; or None if they are."""
    for value in values:
        whole = isinstance(value, Integral) and value >= least
        if value is not None and not whole:
            return f"Values must be None or whole numbers from {least} on: {value!r}."
    return None


class TreeFamily(Family):
    """What families of trees share.

    Parameters
    ----------
    estimator : type
        The class served.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def exactness_for(self, estimator):
        # Ties between splits are broken at random, if nothing else is drawn.
        drawn = self.fits_paths and estimator.random_state is None
        return "in_law" if drawn else self.exactness


def refits(estimator, param, values, X, y, sample_weight):
    """The path of clones fitted one by one."""

    def fit(i):
        model = clone(estimator).set_params(**{param: values[i]})
        return fit_all(model, X, y, sample_weight)

    return RefittedPath(fit, len(values))


def _path(model, collapse, param, values, numbering, X, y, sample_weight):
    kind = CollapsingClassifierPath if is_classifier(model) else CollapsingPath
    return kind(
        model, collapse, param, values, numbering, _errors(model, X, y, sample_weight)
    )


def _errors(model, X, y, weight):
    """Squared errors of each node on the training rows, for shares of the weight."""
    if is_classifier(model):
        return None
    tree = model.tree_
    left, right = tree.children_left, tree.children_right
    errors = squared_errors(
        model.apply(X),
        np.asarray(y, dtype=np.float64).reshape(len(y), -1),
        weight,
        tree.value[:, :, 0],
        left,
        right,
        levels_of(left, right),
    )
    return errors / (len(y) if weight is None else np.sum(weight))


class CostComplexity(TreeFamily):
    """`ccp_alpha` of a tree."""

    param = "ccp_alpha"
    stronger = "larger"
    exactness = "bitwise"
    preferred = True
    scale = "log"
    n_repeats = 5
    limits = (0.0,)
    default_range = "one value for each pruning of the tree on all rows"

    def unsupported(self, estimator, X, y, sample_weight, values):
        return not_alphas(values)

    def default_values(self, estimator, X, y, sample_weight):
        model = fit_all(clone(estimator).set_params(ccp_alpha=0.0), X, y, sample_weight)
        return midpoints(*breakpoints_of(model.tree_))

    def fit_path(self, estimator, X, y, sample_weight, values):
        model = fit_all(estimator.set_params(ccp_alpha=0.0), X, y, sample_weight)
        collapse = collapse_by_alpha(model.tree_, np.asarray(values, dtype=np.float64))
        if collapse is None:
            return refits(estimator, self.param, values, X, y, sample_weight)
        return _path(
            model, collapse, self.param, values, "preorder", X, y, sample_weight
        )


class _Limit(TreeFamily):
    """A limit to growth; None is no limit."""

    stronger = "smaller"
    scale = "integer"
    n_repeats = 10

    def unsupported(self, estimator, X, y, sample_weight, values):
        if estimator.ccp_alpha != 0.0:
            return "A tree that is pruned afterwards is not the top of a larger one."
        return not_limits(values, self.limits[0])


class MaxLeafNodes(_Limit):
    """`max_leaf_nodes` of a tree."""

    param = "max_leaf_nodes"
    exactness = "bitwise"
    limits = (2,)
    default_range = "2 to half the number of rows"

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(2, max(2, len(y) // 2), 30)

    def fit_path(self, estimator, X, y, sample_weight, values):
        limits = [value for value in values if value is not None]
        fitted = {}
        if limits:
            model = clone(estimator).set_params(max_leaf_nodes=max(limits))
            fitted[True] = fit_all(model, X, y, sample_weight)
        if len(limits) < len(values):  # without a limit growth takes another order
            model = clone(estimator).set_params(max_leaf_nodes=None)
            fitted[False] = fit_all(model, X, y, sample_weight)
        paths = []
        for limited, group in groupby(values, lambda value: value is not None):
            group = list(group)
            tree = fitted[limited].tree_
            left, right = tree.children_left, tree.children_right
            threshold, strengths = np.full(len(left), np.inf), np.zeros(len(group))
            if limited:
                threshold = leaves_thresholds(left)
                strengths = -np.asarray(group, dtype=np.float64)
            collapse = Collapse(tree, levels_of(left, right), threshold, strengths)
            paths.append(
                _path(
                    fitted[limited],
                    collapse,
                    self.param,
                    group,
                    "kept",
                    X,
                    y,
                    sample_weight,
                )
            )
        return paths[0] if len(paths) == 1 else JoinedPath(paths)


class MaxDepth(_Limit):
    """`max_depth` of a tree.

    Ties between splits are broken at random. A deeper tree has drawn more by the time
    it comes to a node, so the answers are those of refits in distribution only.
    """

    param = "max_depth"
    exactness = "in_law"
    limits = (1,)
    default_range = "1 to twice the binary logarithm of the number of rows"

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(1, max(1, round(2 * np.log2(len(y)))))

    def unsupported(self, estimator, X, y, sample_weight, values):
        if estimator.max_leaf_nodes is not None:
            return "Leaves that depth forbids would go elsewhere in the tree."
        return super().unsupported(estimator, X, y, sample_weight, values)

    def fit_path(self, estimator, X, y, sample_weight, values):
        limits = np.array([np.inf if value is None else value for value in values])
        deepest = values[int(np.argmax(limits))]
        model = fit_all(estimator.set_params(max_depth=deepest), X, y, sample_weight)
        tree = model.tree_
        levels = levels_of(tree.children_left, tree.children_right)
        threshold = depth_thresholds(levels, tree.node_count)
        collapse = Collapse(tree, levels, threshold, -limits)
        return _path(
            model, collapse, self.param, values, "preorder", X, y, sample_weight
        )


class MinImpurityDecrease(TreeFamily):
    """`min_impurity_decrease` of a tree: fitted one by one."""

    param = "min_impurity_decrease"
    stronger = "larger"
    default_range = "1e-5 to 0.3 times the impurity of all rows"

    def default_values(self, estimator, X, y, sample_weight):
        stump = clone(estimator).set_params(max_depth=1, ccp_alpha=0.0)
        impurity = fit_all(stump, X, y, sample_weight).tree_.impurity[0]
        if not 0 < impurity < np.inf:
            return np.zeros(1)
        return log_grid(1e-5 * impurity, 0.3 * impurity)


def leaf_rows(estimator, X, y):
    """Least numbers of rows in a leaf, to a fifth of all rows."""
    return integer_grid(1, max(2, len(y) // 5), 20)


def split_rows(estimator, X, y):
    """Least numbers of rows in a node that is split, to two fifths of all rows."""
    return integer_grid(2, max(3, 2 * len(y) // 5), 20)


_LIMITS = (
    ("min_samples_leaf", leaf_rows, "1 to a fifth of the number of rows"),
    ("min_samples_split", split_rows, "2 to two fifths of the number of rows"),
)

for _kind in (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
):
    for _family in (CostComplexity, MaxLeafNodes, MaxDepth):
        register_family(_family(_kind))
    for _limit in _LIMITS:
        register_family(growth_limit(_kind, *_limit))
    register_family(MinImpurityDecrease(_kind))
