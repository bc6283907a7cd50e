"""The arithmetic of cost-complexity pruning against scikit-learn and brute force."""

import itertools

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators.fitting.families.trees._tree_pruning import (
    alpha_positions,
    alpha_thresholds,
    midpoints,
    risks_of,
    weakest_links,
)
from genestimators.fitting.families.trees._tree_sweeps import levels_of, reach_of


def arrays_of(model):
    tree = model.tree_
    left, right = tree.children_left, tree.children_right
    risk = risks_of(tree.impurity, tree.weighted_n_node_samples)
    return left, right, risk, levels_of(left, right)


def data(seed, n=150):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    X[:, 0] = np.round(X[:, 0])
    return X, X[:, 0] + rng.normal(size=n), rng


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(random_state=0),
        DecisionTreeRegressor(random_state=0, max_leaf_nodes=40),
        DecisionTreeClassifier(random_state=0),
        DecisionTreeClassifier(random_state=0, criterion="entropy", max_leaf_nodes=40),
    ],
)
def test_cuts_are_those_of_scikit_learn_to_the_bit(model, seed):
    """Each alpha of its pruning path, among them many that are tied."""
    X, y, rng = data(seed)
    if isinstance(model, DecisionTreeClassifier):
        y = (y > 0).astype(int)
    weight = rng.integers(1, 4, len(y)).astype(float) if seed % 2 else None
    path = model.cost_complexity_pruning_path(X, y, sample_weight=weight)
    model.fit(X, y, sample_weight=weight)
    alpha = weakest_links(*arrays_of(model))
    # A cut that follows a larger one by rounding counts as that one.
    expected = np.maximum.accumulate(path.ccp_alphas[1:])
    np.testing.assert_array_equal(np.sort(alpha[np.isfinite(alpha)]), expected)


@pytest.mark.parametrize("seed", range(4))
def test_both_ways_agree_between_breakpoints(seed):
    """The cheapest subtrees are those that are left by cutting weakest links."""
    X, y, _ = data(seed)
    left, right, risk, levels = arrays_of(DecisionTreeRegressor().fit(X, y))
    alpha = weakest_links(left, right, risk, levels)
    values = midpoints(alpha)[1:]
    position = alpha_positions(left, right, risk, levels, values)
    first = np.searchsorted(values, reach_of(left, right, levels, alpha))
    reach = reach_of(left, right, levels, position)
    np.testing.assert_array_equal(np.maximum(reach, 0), first)


def test_values_at_breakpoints_are_left_to_the_exact_way():
    """Where rounding decides, the quick way says that it does not know."""
    X, y, _ = data(0)
    tree = arrays_of(DecisionTreeRegressor(max_depth=4).fit(X, y))
    alpha = weakest_links(*tree)
    breakpoints = np.unique(alpha[np.isfinite(alpha)])
    assert alpha_positions(*tree, breakpoints) is None
    threshold, strengths = alpha_thresholds(*tree, breakpoints)
    np.testing.assert_array_equal(threshold, alpha)
    np.testing.assert_array_equal(strengths, breakpoints)


def test_pruned_trees_are_the_cheapest():
    """No other pruning costs less, over all of them."""
    X, y, _ = data(1, 40)
    left, right, risk, levels = arrays_of(DecisionTreeRegressor(max_depth=3).fit(X, y))

    def prunings(node):  # (risk, leaves) of every pruning of a branch
        yield risk[node], 1
        if left[node] >= 0:
            pairs = itertools.product(prunings(left[node]), prunings(right[node]))
            yield from ((a + c, b + d) for (a, b), (c, d) in pairs)

    alpha = weakest_links(left, right, risk, levels)
    reach = reach_of(left, right, levels, alpha)
    above = np.full(len(left), np.inf)
    for node in np.flatnonzero(left >= 0):
        above[[left[node], right[node]]] = reach[node]
    for value in midpoints(alpha):
        leaves = (reach <= value) & (above > value)
        cost = risk[leaves].sum() + value * leaves.sum()
        best = min(total + value * n for total, n in prunings(0))
        assert cost <= best + 1e-12


def test_midpoints_lie_between_distinct_breakpoints():
    """Zero, geometric means of neighbours, and beyond the largest."""
    found = midpoints(np.array([np.inf, 4.0, 1.0, 1.0, 1e-20, 1.0 + 1e-12]), 1e-15)
    np.testing.assert_allclose(found, [0.0, 2.0, 8.0])
    np.testing.assert_array_equal(midpoints(np.array([np.inf])), [0.0])
