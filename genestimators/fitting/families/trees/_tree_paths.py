"""Paths of trees that are one fitted tree with some of its nodes collapsed.

A value of the parameter only says which nodes collapse into leaves; what a node answers
is known from the one fit.
"""

from copy import copy

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.metaestimators import available_if

from genestimators.fitting._paths import Path, parts_of
from genestimators.fitting.families.trees._tree_growth import cut_tree
from genestimators.fitting.families.trees._tree_pruning import (
    alpha_thresholds,
    risks_of,
    weakest_links,
)
from genestimators.fitting.families.trees._tree_sweeps import (
    levels_of,
    parents_of,
    reach_of,
    spread,
    sums_over_leaves,
)


class Collapse:
    """Which nodes of a fitted tree are collapsed at each of some values.

    Parameters
    ----------
    tree : object
        The `tree_` of a fitted decision tree.
    levels : list of ndarray
    threshold : ndarray of shape (n_nodes,)
    strengths : ndarray of shape (n_values,)
        An inner node is collapsed where its threshold is not above the strength.
    """

    def __init__(self, tree, levels, threshold, strengths):
        self.parent = parents_of(tree.children_left, tree.children_right)
        self.reach = reach_of(
            tree.children_left, tree.children_right, levels, threshold
        )
        self.height = len(levels) - 1
        self.strengths = strengths

    def take(self, which):
        """The same for a slice of the values."""
        part = copy(self)
        part.strengths = self.strengths[which]
        return part

    def answers(self, per_node, leaves):
        """What the answering nodes hold, (n_rows, n_values, ...).

        Parameters
        ----------
        per_node : ndarray of shape (n_nodes, ...)
        leaves : ndarray of shape (n_rows,), int
            The leaf of each row in the whole tree.
        """
        found, place = np.unique(leaves, return_inverse=True)
        table = spread(
            per_node, found, self.reach, self.parent, self.height, self.strengths
        )
        return table[place]

    def sums(self, per_node):
        """Sums over the leaves that are left, (n_values, width)."""
        return sums_over_leaves(per_node, self.reach, self.parent, self.strengths)

    def tree(self, tree, i, numbering):
        """The cut tree at value i; see `cut_tree`."""
        return cut_tree(
            tree,
            levels_of(tree.children_left, tree.children_right),
            self.reach,
            self.parent,
            self.strengths[i],
            numbering=numbering,
        )


def collapse_by_alpha(tree, values):
    """How minimal cost-complexity pruning collapses a tree.

    Parameters
    ----------
    tree : object
        The `tree_` of a fitted decision tree that was not pruned.
    values : ndarray of shape (n_values,)
        Values of `ccp_alpha`.

    Returns
    -------
    collapse : Collapse, or None
        None if the impurities are not finite, which no order of cuts follows from.
    """
    left, right = tree.children_left, tree.children_right
    risk = risks_of(tree.impurity, tree.weighted_n_node_samples)
    if not np.isfinite(risk).all():
        return None
    levels = levels_of(left, right)
    return Collapse(tree, levels, *alpha_thresholds(left, right, risk, levels, values))


def breakpoints_of(tree):
    """The values of `ccp_alpha` at which a tree changes, and what counts as zero."""
    left, right = tree.children_left, tree.children_right
    risk = risks_of(tree.impurity, tree.weighted_n_node_samples)
    if not np.isfinite(risk).all():
        return np.empty(0), 0.0
    noise = len(left) * np.finfo(float).eps * np.abs(risk).max()
    return weakest_links(left, right, risk, levels_of(left, right)), noise


def node_predictions(model):
    """What each node of a fitted tree predicts, (n_nodes[, n_outputs])."""
    value = model.tree_.value
    if not is_classifier(model):
        return value[:, 0, 0] if model.n_outputs_ == 1 else value[:, :, 0]
    if model.n_outputs_ == 1:
        return model.classes_.take(np.argmax(value[:, 0], axis=1), axis=0)
    labels = np.zeros(value.shape[:2], dtype=model.classes_[0].dtype)
    for k, classes in enumerate(model.classes_):
        labels[:, k] = classes.take(np.argmax(value[:, k], axis=1), axis=0)
    return labels


class CollapsingPath(Path):
    """Trees that are one fitted tree with some of its nodes collapsed.

    Parameters
    ----------
    fitted : fitted decision tree
    collapse : Collapse
    param : str
    values : sequence
    numbering : {"preorder", "kept"}
        See `cut_tree`.
    errors : ndarray of shape (n_nodes, n_outputs), or None
        Squared errors of each node on its training rows, for shares of the weight.
    """

    def __init__(self, fitted, collapse, param, values, numbering, errors=None):
        self.fitted = fitted
        self.collapse = collapse
        self.param = param
        self.values = values
        self.numbering = numbering
        self.errors = errors

    @property
    def n_values(self):
        return len(self.values)

    def predict(self, X):
        per_node = node_predictions(self.fitted)
        answers = self.collapse.answers(per_node, self.fitted.apply(X))
        return np.moveaxis(answers, 1, 0)

    def training_squared_error(self):
        return None if self.errors is None else self.collapse.sums(self.errors)

    def model(self, i):
        tree = self.collapse.tree(self.fitted.tree_, i, self.numbering)
        if tree is None:
            return None
        model = copy(self.fitted).set_params(**{self.param: self.values[i]})
        model.tree_ = tree
        return model

    def take(self, which):
        """The path of a slice of the values."""
        part = copy(self)
        part.collapse = self.collapse.take(which)
        part.values = self.values[which]
        return part

    def parts(self, n_rows):
        return parts_of(self, n_rows * self.fitted.tree_.value[0].size)


class CollapsingClassifierPath(CollapsingPath):
    """The same for classifiers."""

    @property
    def classes_(self):
        return self.fitted.classes_

    def predict_proba(self, X):
        model, value = self.fitted, self.fitted.tree_.value
        leaves = model.apply(X)
        if model.n_outputs_ == 1:
            answers = self.collapse.answers(value[:, 0, : model.n_classes_], leaves)
            return np.moveaxis(answers, 1, 0)
        return [
            np.moveaxis(self.collapse.answers(value[:, k, :n_classes], leaves), 1, 0)
            for k, n_classes in enumerate(model.n_classes_)
        ]


def _has_probabilities(path):
    return all(hasattr(one, "predict_proba") for one in path.paths)


class JoinedPath(Path):
    """Paths of consecutive values, one after the other.

    Parameters
    ----------
    paths : list of Path
    """

    def __init__(self, paths):
        self.paths = paths
        self.n_values = sum(path.n_values for path in paths)

    @property
    def classes_(self):
        return self.paths[0].classes_

    def predict(self, X):
        return np.concatenate([path.predict(X) for path in self.paths])

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        answers = [path.predict_proba(X) for path in self.paths]
        if isinstance(answers[0], list):
            return [np.concatenate(parts) for parts in zip(*answers, strict=True)]
        return np.concatenate(answers)

    def training_squared_error(self):
        errors = [path.training_squared_error() for path in self.paths]
        return None if errors[0] is None else np.concatenate(errors)

    def model(self, i):
        for path in self.paths:
            if i < path.n_values:
                return path.model(i)
            i -= path.n_values
        raise IndexError(i)

    def parts(self, n_rows):
        for path in self.paths:
            yield from path.parts(n_rows)
