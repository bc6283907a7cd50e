"""Minimal cost-complexity pruning of a tree, for all values of alpha at once.

`weakest_links` finds the alpha at which each node is cut [1]_. It repeats to the bit
what scikit-learn computes, with a heap in place of a search through all nodes at each
cut. `alpha_positions` is quicker where few values are asked for: it finds the cheapest
subtree for each value by one pass over the levels, and notices if rounding could have
changed a decision.

References
----------
.. [1] Breiman, L., Friedman, J. H., Olshen, R. A. and Stone, C. J. (1984).
   Classification and Regression Trees. Chapter 3. Wadsworth.
"""

from heapq import heapify, heappop, heappush, heapreplace

import numpy as np

from genestimators.fitting.families.trees._tree_sweeps import BLOCK, parents_of, ways_up

FEW = 200  # values up to which a pass over the levels is quicker than cutting links


def risks_of(impurity, weight):
    """What each node adds to the impurity of the tree where it is a leaf."""
    return weight * impurity / weight[0]


def weakest_links(left, right, risk, levels):
    """The value of alpha at which each inner node is cut as the weakest link.

    The weakest link is the inner node with the smallest rise in risk for each leaf
    saved, (risk of node - risk of branch) / (leaves of branch - 1). It becomes a leaf,
    the branches above it change, and so on up to the root. Here each node waits in a
    heap under a number that is never above its true one: rises only grow as links
    below are cut, but for rounding, which puts the node into the heap again.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int
    risk : ndarray of shape (n_nodes,)
        See `risks_of`. Finite.
    levels : list of ndarray

    Returns
    -------
    alpha : ndarray of shape (n_nodes,)
        To the bit what decides in scikit-learn: a node is collapsed if alpha is not
        above the parameter's value. Infinite for leaves and for nodes that disappear
        with a branch.
    """
    parent = parents_of(left, right)
    branch, n_leaves = _branch_risks(left, parent, risk, len(levels) - 1)
    inner = np.flatnonzero(left >= 0)
    rise = np.full(len(left), np.inf)
    rise[inner] = (risk[inner] - branch[inner]) / (n_leaves[inner] - 1)

    saved = (n_leaves - 1).tolist()
    branch, risk, known = branch.tolist(), risk.tolist(), rise.tolist()
    alive = (left >= 0).tolist()
    left, right, parent = left.tolist(), right.tolist(), parent.tolist()
    above = len(left)
    alpha = [np.inf] * above
    highest = -np.inf
    heap = [(known[node], node) for node in inner.tolist()]
    heapify(heap)
    while heap:
        number, node = heap[0]
        if not alive[node] or number != known[node]:
            heappop(heap)
            continue
        gain, fewer = risk[node] - branch[node], saved[node]
        if gain / fewer != number:
            known[node] = gain / fewer
            heapreplace(heap, (known[node], node))
            continue
        heappop(heap)
        # Cuts stop at the first one above the value: a later, smaller one needs it.
        highest = max(highest, number)
        alpha[node] = highest
        below = [node]
        while below:
            gone = below.pop()
            if alive[gone]:
                alive[gone] = False
                below += (left[gone], right[gone])
        node = parent[node]
        while node != above:
            branch[node] += gain
            saved[node] -= fewer
            number = (risk[node] - branch[node]) / saved[node]
            if number < known[node]:
                known[node] = number
                heappush(heap, (number, node))
            node = parent[node]
    return np.array(alpha)


def _branch_risks(left, parent, risk, height):
    """Sums of the leaves' risks over each branch, in the order of the leaves."""
    branch = np.zeros(len(left) + 1)
    n_leaves = np.zeros(len(left) + 1, dtype=np.intp)
    leaves = np.flatnonzero(left < 0)
    step = max(1, BLOCK // (height + 2))
    for low in range(0, len(leaves), step):
        ways = ways_up(leaves[low : low + step], parent, height)
        risks = np.repeat(risk[ways[:, 0]], ways.shape[1])
        np.add.at(branch, ways.ravel(), risks)
        np.add.at(n_leaves, ways.ravel(), 1)
    return branch[:-1], n_leaves[:-1]


def alpha_positions(left, right, risk, levels, alphas):
    """The first of some values at which each node is collapsed, if rounding allows.

    At alpha the best pruning of a branch costs C = min(risk + alpha, C_left + C_right),
    and the branch is collapsed where the first is not above the second.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int
    risk : ndarray of shape (n_nodes,)
    levels : list of ndarray
    alphas : ndarray of shape (n_values,)
        Increasing.

    Returns
    -------
    position : ndarray of shape (n_nodes,), int, or None
        None if some decision is within rounding errors of going the other way, as
        happens for values that are breakpoints of the tree themselves.
    """
    # `noise` times a machine epsilon is above all rounding errors of sums in a branch.
    size = np.abs(risk)
    n_leaves = (left < 0).astype(np.float64)
    for nodes in levels[::-1]:
        inner = nodes[left[nodes] >= 0]
        size[inner] += size[left[inner]] + size[right[inner]]
        n_leaves[inner] = n_leaves[left[inner]] + n_leaves[right[inner]]
    most = 4 * size[0]  # everything is collapsed there
    alphas = np.minimum(alphas, most)
    order = np.concatenate(levels)
    ends = np.cumsum([0, *map(len, levels)])
    inner = np.flatnonzero(left[order] >= 0)  # places in the order
    cuts = np.searchsorted(inner, ends)
    position = np.zeros(len(left), dtype=np.intp)
    step = max(1, BLOCK // len(left))
    for low in range(0, len(alphas), step):
        some = alphas[low : low + step]
        cost = risk[order][:, None] + some
        saving = np.empty((len(inner), len(some)))
        for d in range(len(levels) - 2, -1, -1):
            places = inner[cuts[d] : cuts[d + 1]]
            below = cost[ends[d + 1] : ends[d + 2]]
            split = below[0::2] + below[1::2]
            whole = cost[places]
            np.subtract(split, whole, out=saving[cuts[d] : cuts[d + 1]])
            cost[places] = np.minimum(whole, split)
        nodes = order[inner]
        noise = 16 * np.finfo(float).eps * n_leaves[nodes] * (size[nodes] + some[-1])
        if (np.abs(saving) <= noise[:, None]).any():
            return None
        position[nodes] += np.count_nonzero(saving < 0, axis=1)
    return position


def alpha_thresholds(left, right, risk, levels, values):
    """Thresholds of all nodes for minimal cost-complexity pruning.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int
    risk : ndarray of shape (n_nodes,)
    levels : list of ndarray
    values : ndarray of shape (n_values,)
        Values of alpha in any order. At zero nothing is pruned.

    Returns
    -------
    threshold : ndarray of shape (n_nodes,)
    strengths : ndarray of shape (n_values,)
        An inner node is collapsed at value i if its threshold is not above
        `strengths[i]`.
    """
    pruning = values > 0
    distinct = np.unique(values[pruning])
    threshold, strengths = None, values
    if len(distinct) <= FEW:
        threshold = alpha_positions(left, right, risk, levels, distinct)
        strengths = np.searchsorted(distinct, values)
    if threshold is None:
        threshold, strengths = weakest_links(left, right, risk, levels), values
    return threshold, np.where(pruning, strengths, -np.inf)


def midpoints(breakpoints, noise=0.0):
    """One value for each pruned tree: between any two neighbouring breakpoints.

    Geometric means stand for the trees between breakpoints, zero for the whole tree,
    and twice the largest breakpoint for the root alone.

    Parameters
    ----------
    breakpoints : ndarray
        In any order; infinite ones do not count.
    noise : float, default=0.0
        Breakpoints up to here count as zero.

    Returns
    -------
    values : ndarray, increasing
    """
    known = np.unique(breakpoints[np.isfinite(breakpoints)])
    known = known[known > noise]
    if not len(known):
        return np.zeros(1)
    apart = np.append(True, known[1:] > known[:-1] * (1 + 1e-9))
    known = known[apart]
    between = np.sqrt(known[1:]) * np.sqrt(known[:-1])
    return np.concatenate([[0.0], between, [2 * known[-1]]])
