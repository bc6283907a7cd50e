"""How a tree answers when some of its nodes have collapsed into leaves.

A binary tree is given by two arrays, the left and the right child of each node
(negative for leaves); a parent comes before its children. Whatever prunes it, each
inner node gets a threshold, the smallest strength at which it collapses. A row is then
answered by the topmost collapsed node on its way down, so that the answers for any
number of strengths follow from the running minimum of the thresholds along that way.
"""

import numpy as np

BLOCK = 2**21  # numbers held at once


def parents_of(left, right):
    """The parent of each node.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int

    Returns
    -------
    parent : ndarray of shape (n_nodes + 1,), int
        The root's is `n_nodes`, a node above the root, which is its own parent.
    """
    parent = np.full(len(left) + 1, len(left))
    inner = np.flatnonzero(left >= 0)
    parent[left[inner]] = inner
    parent[right[inner]] = inner
    return parent


def levels_of(left, right):
    """The nodes of each depth, siblings side by side, the root's level first.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int

    Returns
    -------
    levels : list of ndarray of int
        The nodes of a level that have children, taken in order, have the nodes of the
        next level as their children, in order.
    """
    levels = [np.zeros(1, dtype=np.intp)]
    while True:
        inner = levels[-1][left[levels[-1]] >= 0]
        if not len(inner):
            return levels
        below = np.empty(2 * len(inner), dtype=np.intp)
        below[0::2], below[1::2] = left[inner], right[inner]
        levels.append(below)


def depths_of(levels, n_nodes):
    """The depth of each node, ndarray of shape (n_nodes,); the root's is 0."""
    depth = np.zeros(n_nodes, dtype=np.intp)
    for d, nodes in enumerate(levels):
        depth[nodes] = d
    return depth


def preorder(left, right, levels):
    """The place of each node if a parent is followed by its left, then right branch."""
    size = np.ones(len(left), dtype=np.intp)
    for nodes in levels[::-1]:
        inner = nodes[left[nodes] >= 0]
        size[inner] += size[left[inner]] + size[right[inner]]
    place = np.zeros(len(left), dtype=np.intp)
    for nodes in levels:
        inner = nodes[left[nodes] >= 0]
        place[left[inner]] = place[inner] + 1
        place[right[inner]] = place[inner] + 1 + size[left[inner]]
    return place


def reach_of(left, right, levels, threshold):
    """The smallest strength at which a node or one above it has collapsed.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int
    levels : list of ndarray
        See `levels_of`.
    threshold : ndarray of shape (n_nodes,)
        What leaves have does not matter.

    Returns
    -------
    reach : ndarray of shape (n_nodes,), float
        Minus infinity for leaves, which answer until something above collapses.
    """
    reach = np.where(left >= 0, threshold, -np.inf)
    for nodes in levels:
        inner = nodes[left[nodes] >= 0]
        for child in (left[inner], right[inner]):
            reach[child] = np.minimum(reach[child], reach[inner])
    return reach


def ways_up(nodes, parent, height):
    """Each node and all above it, (n, height + 2); the last is above the root."""
    ways = np.empty((len(nodes), height + 2), dtype=np.intp)
    ways[:, 0] = nodes
    for d in range(height + 1):
        ways[:, d + 1] = parent[ways[:, d]]
    return ways


def places_of(reach, parent, strengths):
    """Between which strengths each node is the one that answers.

    Parameters
    ----------
    reach : ndarray of shape (n_nodes,)
        See `reach_of`.
    parent : ndarray of shape (n_nodes + 1,)
    strengths : ndarray of shape (n_values,)
        Increasing.

    Returns
    -------
    start, stop : ndarray of shape (n_nodes,), int
        The node answers the values start, ..., stop - 1 of the rows it holds.
    """
    start = np.searchsorted(strengths, reach, side="left")
    return start, np.append(start, len(strengths))[parent[:-1]]


def spread(per_node, leaves, reach, parent, height, strengths):
    """What stands in the answering node, for some leaves and all strengths.

    Parameters
    ----------
    per_node : ndarray of shape (n_nodes, ...)
        What each node answers.
    leaves : ndarray of shape (n,), int
        Leaves of the whole tree.
    reach, parent
        As in `places_of`.
    height : int
        The depth of the deepest node.
    strengths : ndarray of shape (n_values,)
        In any order.

    Returns
    -------
    answers : ndarray of shape (n, n_values, ...)
    """
    order = np.argsort(strengths, kind="stable")
    start, stop = places_of(reach, parent, strengths[order])
    times = np.append(stop - start, 0)
    per_node = np.concatenate([per_node, per_node[:1]])  # above the root: never used
    answers = np.empty(
        (len(leaves), len(strengths), *per_node.shape[1:]), per_node.dtype
    )
    step = max(1, BLOCK // (height + 2))
    for low in range(0, len(leaves), step):
        ways = ways_up(leaves[low : low + step], parent, height).ravel()
        times_here = times[ways]
        answering = times_here > 0
        flat = np.repeat(per_node[ways[answering]], times_here[answering], axis=0)
        answers[low : low + step] = flat.reshape(-1, *answers.shape[1:])
    if (order[1:] < order[:-1]).any():
        answers = answers[:, np.argsort(order, kind="stable")]
    return answers


def sums_over_leaves(per_node, reach, parent, strengths):
    """The sum of something over the leaves of the pruned tree, for each strength.

    Parameters
    ----------
    per_node : ndarray of shape (n_nodes, width)
    reach, parent
        As in `places_of`.
    strengths : ndarray of shape (n_values,)
        In any order.

    Returns
    -------
    sums : ndarray of shape (n_values, width)
    """
    n_values = len(strengths)
    order = np.argsort(strengths, kind="stable")
    start, stop = places_of(reach, parent, strengths[order])
    answers = stop > start
    start, stop, per_node = start[answers], stop[answers], per_node[answers]
    sums = np.empty((n_values, per_node.shape[1]))
    for j, column in enumerate(per_node.T):
        change = np.bincount(start, column, n_values + 1)
        change -= np.bincount(stop, column, n_values + 1)
        sums[order, j] = np.cumsum(change)[:n_values]
    return sums


def squared_errors(leaves, y, weight, value, left, right, levels):
    """The sum of squared errors of each node's answer for the rows it holds.

    Parameters
    ----------
    leaves : ndarray of shape (n,), int
        The leaf of each row.
    y : ndarray of shape (n, n_outputs)
    weight : ndarray of shape (n,) or None
    value : ndarray of shape (n_nodes, n_outputs)
    left, right, levels
        The tree.

    Returns
    -------
    errors : ndarray of shape (n_nodes, n_outputs)
    """
    n_nodes = len(left)
    held = np.bincount(leaves, weight, n_nodes).astype(np.float64)
    residual = y - value[leaves]
    if weight is not None:
        scaled = residual * weight[:, None]
    else:
        scaled = residual
    excess, errors = np.empty((2, *value.shape))
    for j in range(value.shape[1]):
        excess[:, j] = np.bincount(leaves, scaled[:, j], n_nodes)
        errors[:, j] = np.bincount(leaves, scaled[:, j] * residual[:, j], n_nodes)
    # From the answer of a child to that of its parent, sum w (y - v) and its square
    # change by what the step v_child - v_parent adds.
    for nodes in levels[::-1]:
        inner = nodes[left[nodes] >= 0]
        for child in (left[inner], right[inner]):
            step = value[child] - value[inner]
            moved = held[child][:, None] * step
            held[inner] += held[child]
            errors[inner] += errors[child] + (2 * excess[child] + moved) * step
            excess[inner] += excess[child] + moved
    return errors
