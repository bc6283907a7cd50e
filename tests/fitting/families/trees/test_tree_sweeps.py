"""Sweeps through trees against loops over nodes and rows."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from genestimators.fitting.families.trees import _tree_sweeps
from genestimators.fitting.families.trees._tree_sweeps import (
    levels_of,
    parents_of,
    preorder,
    reach_of,
    spread,
    squared_errors,
    sums_over_leaves,
)


def grown(seed, **settings):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(70, 3))
    y = np.column_stack([X[:, 0] + rng.normal(size=70), 1e6 + X[:, 1]])
    weight = rng.exponential(size=70)
    model = DecisionTreeRegressor(random_state=0, **settings).fit(X, y, weight)
    return model, X, y, weight, rng


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block", [2**21, 40])
def test_rows_are_answered_by_their_topmost_collapsed_node(seed, block, monkeypatch):
    """A loop down the tree for each row and strength; small blocks change nothing."""
    monkeypatch.setattr(_tree_sweeps, "BLOCK", block)
    model, X, _, _, rng = grown(seed)
    tree = model.tree_
    left, right = tree.children_left, tree.children_right
    levels = levels_of(left, right)
    threshold = rng.normal(size=len(left))
    strengths = np.array([0.3, -2.0, 1.0, 0.3, -np.inf])
    reach = reach_of(left, right, levels, threshold)
    parent = parents_of(left, right)
    leaves = model.apply(X)
    numbers = np.arange(len(left))
    found = spread(numbers, leaves, reach, parent, len(levels) - 1, strengths)
    sums = sums_over_leaves(np.ones((len(left), 1)), reach, parent, strengths)
    ways = model.decision_path(X)
    for i, strength in enumerate(strengths):
        answering = [
            next(
                node
                for node in np.sort(way.indices)  # from the top
                if left[node] < 0 or threshold[node] <= strength
            )
            for way in ways
        ]
        np.testing.assert_array_equal(found[:, i], answering)
        assert sums[i, 0] == len(set(answering))


@pytest.mark.parametrize("weighted", [True, False])
def test_squared_errors_of_nodes_are_those_of_their_rows(weighted):
    """Every node answers the rows that pass through it, also far from zero."""
    model, X, y, weight, _ = grown(0, max_leaf_nodes=20)
    tree = model.tree_
    left, right = tree.children_left, tree.children_right
    weight = weight if weighted else None
    value = tree.value[:, :, 0]
    levels = levels_of(left, right)
    found = squared_errors(model.apply(X), y, weight, value, left, right, levels)
    passing = model.decision_path(X).toarray().astype(bool)
    for node in range(tree.node_count):
        rows = passing[:, node]
        squares = (y[rows] - value[node]) ** 2
        if weighted:
            squares *= weight[rows][:, None]
        np.testing.assert_allclose(
            found[node], squares.sum(axis=0), rtol=1e-9, atol=1e-12
        )


def test_preorder_is_that_of_trees_grown_depth_first():
    """Their nodes are numbered so; best-first trees are renumbered."""
    tree = grown(0)[0].tree_
    levels = levels_of(tree.children_left, tree.children_right)
    place = preorder(tree.children_left, tree.children_right, levels)
    np.testing.assert_array_equal(place, np.arange(tree.node_count))
    tree = grown(0, max_leaf_nodes=9)[0].tree_
    left, right = tree.children_left, tree.children_right
    place = preorder(left, right, levels_of(left, right))
    inner = left >= 0
    np.testing.assert_array_equal(place[left[inner]], place[inner] + 1)
    np.testing.assert_array_equal(np.sort(place), np.arange(tree.node_count))


def test_a_tree_of_one_node_answers_everything():
    """The root is a leaf."""
    left = right = np.array([-1])
    levels = levels_of(left, right)
    reach = reach_of(left, right, levels, np.array([np.inf]))
    parent = parents_of(left, right)
    strengths = np.array([1.0, 0.0])
    found = spread(np.array([7.0]), np.zeros(2, int), reach, parent, 0, strengths)
    np.testing.assert_array_equal(found, np.full((2, 2), 7.0))
