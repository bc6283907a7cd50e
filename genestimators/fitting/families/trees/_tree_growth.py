"""Truncated trees: a tree grown less far is the top of one grown further.

Best-first growth splits the leaf that gains most, whatever the number of leaves allowed
[1]_, so the tree with few leaves is what the one with many was on its way. The children
of a split get the next two numbers, so node numbers tell the order of the splits.

References
----------
.. [1] Friedman, J., Hastie, T. and Tibshirani, R. (2000). Additive logistic
   regression: a statistical view of boosting. Annals of Statistics 28 (best-first
   trees as used there).
"""

import numpy as np

from genestimators.fitting.families.trees._tree_sweeps import depths_of, preorder

_STATE = {"max_depth", "node_count", "nodes", "values"}
_FIELDS = {"left_child", "right_child", "feature", "threshold", "missing_go_to_left"}


def leaves_thresholds(left):
    """Thresholds for strengths that are `-max_leaf_nodes`, of a best-first tree.

    Parameters
    ----------
    left : ndarray of shape (n_nodes,), int
        Left children; their numbers increase with the order of the splits.

    Returns
    -------
    threshold : ndarray of shape (n_nodes,)
        The k-th split is made where more than k leaves are allowed.
    """
    threshold = np.full(len(left), np.inf)
    inner = np.flatnonzero(left >= 0)
    threshold[inner[np.argsort(left[inner])]] = -1.0 - np.arange(len(inner))
    return threshold


def depth_thresholds(levels, n_nodes):
    """Thresholds for strengths that are `-max_depth`: minus the depth of each node."""
    return -depths_of(levels, n_nodes).astype(np.float64)


def cut_tree(tree, levels, reach, parent, strength, *, numbering):
    """A tree like a fitted one, in which the nodes collapsed at a strength are leaves.

    It is made as a copy is, by the protocol of pickling.

    Parameters
    ----------
    tree : object
        The `tree_` of a fitted decision tree.
    levels, reach, parent
        See `_tree_sweeps`.
    strength : float
        Nothing is collapsed at minus infinity.
    numbering : {"preorder", "kept"}
        How nodes are numbered: as scikit-learn numbers those of a pruned tree, or as
        they were.

    Returns
    -------
    tree : object, or None
        None if trees are not stored as this library knows them.
    """
    if strength == -np.inf:
        return tree
    make, arguments, state = tree.__reduce__()
    if not _STATE <= set(state) or not _FIELDS <= set(state["nodes"].dtype.names):
        return None
    left, right = tree.children_left, tree.children_right
    kept = np.flatnonzero(np.append(reach, np.inf)[parent[:-1]] > strength)
    if numbering == "preorder":
        kept = kept[np.argsort(preorder(left, right, levels)[kept])]
    number = np.full(len(left), -1)
    number[kept] = np.arange(len(kept))
    nodes = state["nodes"][kept]
    leaf = reach[kept] <= strength
    for name, old in (("left_child", left), ("right_child", right)):
        nodes[name] = np.where(leaf, -1, number[old[kept]])
    nodes["feature"][leaf] = -2
    nodes["threshold"][leaf] = -2.0
    if numbering == "preorder":
        nodes["missing_go_to_left"][leaf] = 0
    new = make(*arguments)
    new.__setstate__(
        {
            "max_depth": int(depths_of(levels, len(left))[kept].max()),
            "node_count": len(kept),
            "nodes": nodes,
            "values": np.ascontiguousarray(state["values"][kept]),
        }
    )
    return new
