"""Backward elimination of a penalised least-squares fit, in closed form.

With T the inverse of the penalised Gram matrix and b the solution, leaving out a unit
of columns u raises the penalised sum of squares by

    b_u' (T_uu)^-1 b_u

and what is left of T and b follows by an update of the rank of u: all steps of an
elimination cost about as much as a few inverses. Draws are stacked along a first axis
and eliminate side by side.

A *unit* is a column, or a group of columns that stands or falls together.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from genestimators.selection.importances._sparse_rows import SparseRows

TIED = 1e-6  # relative difference of two costs that rounding may have made
_WORTHLESS = 1e-8  # of what a fit explains: such costs are tied
# A ridge, in mean squares of a column, where none is asked for. With a lesser one what
# is left of a copy after the other is dropped would be a difference of large numbers.
_LEAST = 1e-6
_LEAST_TO_FIT = 1e-9  # where nothing is taken off an inverse again
_TOGETHER = 2**21  # numbers in a stack of matrices
_DELAYED = 16  # steps whose updates are made in one product


def members(labels):
    """The columns of each unit.

    Parameters
    ----------
    labels : ndarray of shape (p,), int
        The unit of each column, numbered from 0, none of them empty.

    Returns
    -------
    columns : list of ndarray
    """
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels))[:-1])


def penalised(gram, ridge, least=_LEAST):
    """Gram matrices with a ridge on their diagonals.

    Parameters
    ----------
    gram : ndarray of shape (n_draws, p, p)
    ridge : float or ndarray of shape (p,)
        At least a small share of the mean square of a column, so that the matrix has
        an inverse. Of two copies of a column each then has half of the coefficient
        until one of them is dropped.
    least : float, default=1e-6
        That share.

    Returns
    -------
    full : ndarray of shape (n_draws, p, p)
    """
    p = gram.shape[1]
    trace = np.einsum("bii->b", gram)
    least = least * np.where(trace > 0, trace, 1.0) / p
    full = gram.copy()
    np.einsum("bii->bi", full)[...] += np.maximum(ridge, least[:, None])
    return full


def eliminate(gram, cross, ridge, labels=None, *, forced=None, together=False):
    """Drop the unit that costs least, again and again, in each of a stack of draws.

    Of units whose costs are tied the last is dropped, in every draw: of two copies it
    is always the same one that stays.

    Parameters
    ----------
    gram : ndarray of shape (n_draws, p, p)
        Of centred columns.
    cross : ndarray of shape (n_draws, p, n_outputs)
        Products of centred columns and targets.
    ridge : float or ndarray of shape (p,)
    labels : ndarray of shape (p,), int, default=None
        The unit of each column; None makes every column one.
    forced : ndarray of shape (n_units,), bool, default=None
        Units that go only when no others are left.
    together : bool, default=False
        Drop the same unit in all draws: the one of the least mean cost.

    Returns
    -------
    ranks : ndarray of shape (n_draws, n_units), int
        1 for the unit that stayed longest.
    costs : ndarray of shape (n_draws, n_units)
        By how much dropping the unit raised the penalised sum of squares, or dropping
        one before it if that was more: costs are in the order of the ranks.
    """
    p = gram.shape[1]
    labels = np.arange(p) if labels is None else labels
    n_units = int(labels.max()) + 1
    late = np.zeros(n_units) if forced is None else np.where(forced, np.inf, 0.0)
    ranks = np.zeros((len(gram), n_units), dtype=int)
    costs = np.zeros((len(gram), n_units))
    if n_units == p:
        work, units = _eliminate_columns, labels
        size = max(1, _TOGETHER // p**2)
    else:
        work, units, size = _eliminate_groups, members(labels), 1
    size = len(gram) if together else size
    for start in range(0, len(gram), size):
        block = slice(start, start + size)
        inverse = np.linalg.inv(penalised(gram[block], ridge))
        solution = inverse @ cross[block]
        slack = _WORTHLESS * np.maximum((solution * cross[block]).sum(axis=(1, 2)), 0)
        slack = slack.mean() if together or work is _eliminate_groups else slack
        work(
            inverse, solution, units, late, slack, together, ranks[block], costs[block]
        )
    # Of a later step, and so a better rank, the cost is never less.
    order = np.argsort(-ranks, axis=1)
    running = np.maximum.accumulate(np.take_along_axis(costs, order, axis=1), axis=1)
    np.put_along_axis(costs, order, running, axis=1)
    return ranks, costs


def _eliminate_columns(inverse, solution, labels, late, slack, together, ranks, costs):
    """Fill in ranks and costs of single columns; inverses are overwritten.

    A step needs one column of an inverse and its diagonal. Updates of the rest wait
    until there are enough of them for one product of matrices.
    """
    n_draws = len(inverse)
    every = np.arange(n_draws)
    units = np.tile(labels, (n_draws, 1))
    slack = np.broadcast_to(slack, n_draws)[:, None]
    diagonal = np.array(np.einsum("bii->bi", inverse))
    left = len(labels)
    while left:
        n_steps = min(_DELAYED, left)
        waiting = np.zeros((n_draws, left, n_steps))
        gone = np.zeros((n_draws, left))  # infinite for columns that are gone
        for i in range(n_steps):
            now = np.square(solution).sum(axis=2) / diagonal
            if together:
                now = np.broadcast_to(now.mean(axis=0), now.shape)
            tied = _least(now + late[units] + gone, slack) & (gone == 0)
            place = np.where(tied, units, -1).argmax(axis=1)
            dropped = units[every, place]
            ranks[every, dropped] = left - i
            costs[every, dropped] = now[every, place]
            column = inverse[every, :, place]
            before = waiting[:, :, :i]
            column -= (before @ before[every, place][:, :, None])[:, :, 0]
            column /= np.sqrt(column[every, place])[:, None]
            share = solution[every, place] / column[every, place][:, None]
            solution -= column[:, :, None] * share[:, None]
            diagonal -= np.square(column)
            waiting[:, :, i] = column
            gone[every, place] = np.inf
            diagonal[every, place] = 1.0
            solution[every, place] = 0.0
        left -= n_steps
        # Rows and columns that are left, side by side.
        kept = np.argsort(gone, axis=1, kind="stable")[:, :left]
        waiting = np.take_along_axis(waiting, kept[:, :, None], axis=1)
        inverse = inverse[every[:, None, None], kept[:, :, None], kept[:, None]]
        inverse -= waiting @ waiting.transpose(0, 2, 1)
        solution = np.take_along_axis(solution, kept[:, :, None], axis=1)
        diagonal = np.take_along_axis(diagonal, kept, axis=1)
        units = np.take_along_axis(units, kept, axis=1)


def _eliminate_groups(inverse, solution, columns, late, slack, together, ranks, costs):
    """Fill in ranks and costs of groups of columns, the same in all draws."""
    kept = list(range(len(columns)))
    while kept:
        now = _costs(inverse, solution, [columns[unit] for unit in kept])
        now = now.mean(axis=0)
        place = np.flatnonzero(_least(now + late[kept], slack))[-1]
        unit = kept.pop(place)
        ranks[:, unit] = len(kept) + 1
        costs[:, unit] = now[place]
        _leave_out(inverse, solution, columns[unit])


def _least(costs, slack):
    """Which costs are the least of a row, or tied with it."""
    return costs <= costs.min(axis=-1, keepdims=True) * (1 + TIED) + slack


def _costs(inverse, solution, columns):
    """What leaving out each unit's columns costs, of shape (n_draws, n_units)."""
    lengths = np.array([len(own) for own in columns])
    found = np.empty((len(inverse), len(columns)))
    for length in np.unique(lengths):  # units of one length side by side
        which = np.flatnonzero(lengths == length)
        places = np.stack([columns[unit] for unit in which])
        own = solution[:, places]
        block = inverse[:, places[:, :, None], places[:, None]]
        change = own / block if length == 1 else np.linalg.solve(block, own)
        found[:, which] = (own * change).sum(axis=(2, 3))
    return found


def _leave_out(inverse, solution, columns):
    """Update inverses and solutions in place; the columns' own parts become zero."""
    block = inverse[:, columns[:, None], columns]
    beside = inverse[:, :, columns]
    share = np.linalg.solve(block, beside.transpose(0, 2, 1))
    solution -= share.transpose(0, 2, 1) @ solution[:, columns]
    inverse -= beside @ share
    inverse[:, columns] = 0.0
    inverse[:, :, columns] = 0.0
    # A place that is left out has no coefficient; its cost is asked for no more.
    solution[:, columns] = 0.0


def prune(Z, Y, ridge, labels, n_kept, *, forced=None, share=0.2):
    """Drop units many at a time, until few enough are left to go one by one.

    Parameters
    ----------
    Z : ndarray or SparseRows of shape (n, p)
        Centred columns, times the roots of the rows' weights.
    Y : ndarray of shape (n, n_outputs)
        Targets, likewise.
    ridge : float or ndarray of shape (p,)
    labels : ndarray of shape (p,), int
    n_kept : int
        Units to keep.
    forced : ndarray of shape (n_units,), bool, default=None
        Units that go only when no others are left.
    share : float, default=0.2
        Of the units that are left, how many go at a time.

    Returns
    -------
    ranks : ndarray of shape (n_units,), int
        Greater than n_kept, and 0 for the units that are kept.
    costs : ndarray of shape (n_units,)
        As `eliminate` has them; 0 for the units that are kept.
    """
    columns = members(labels)
    ranks = np.zeros(len(columns), dtype=int)
    costs = np.zeros(len(columns))
    kept, reached = np.arange(len(columns)), 0.0
    ridge = np.broadcast_to(ridge, len(labels))
    while len(kept) > n_kept:
        active = np.concatenate([columns[unit] for unit in kept])
        lengths = [len(columns[unit]) for unit in kept]
        now = unit_costs(Z, active, Y, ridge[active], lengths)
        left = max(n_kept, len(kept) - max(1, int(share * len(kept))))
        late = now if forced is None else np.where(forced[kept], np.inf, now)
        order = np.argsort(late, kind="stable")[::-1]
        gone = order[left:]
        ranks[kept[gone]] = np.arange(left, len(kept)) + 1
        costs[kept[gone]] = np.maximum(now[gone], reached)
        reached = costs[kept[gone]].max()
        kept = np.sort(kept[order[:left]])
    return ranks, costs


def unit_costs(Z, columns, Y, ridge, lengths):
    """What leaving each unit out of the fit on all of some columns costs.

    Parameters
    ----------
    Z, Y
        As `prune` takes them.
    columns : ndarray of int
        Of Z, the units' side by side.
    ridge : ndarray
        Of these columns.
    lengths : list of int
        Columns of each unit.

    Returns
    -------
    costs : ndarray of shape (n_units,)
        Rise of the penalised sum of squares.
    """
    if isinstance(Z, SparseRows):
        return _sparse_costs(Z.take(columns), Y, ridge, lengths)
    Z = Z[:, columns]
    n, p = Z.shape
    ridge = _ridge_of(ridge, np.square(Z).sum(), p)
    if p <= n:
        return _costs_of_gram(Z.T @ Z, Z.T @ Y, ridge, lengths)
    # The same from the rows' products, of columns in units of their ridge.
    Z = Z / np.sqrt(ridge)
    scaled = np.linalg.solve(Z @ Z.T + np.eye(n), Z)
    return _costs_of_rows(Z, scaled, scaled.T @ Y, lengths)


def _sparse_costs(Z, Y, ridge, lengths):
    """The same of `SparseRows`, of which no more than a part is ever dense."""
    n, p = Z.shape
    ridge = _ridge_of(ridge, Z.square_sum, p)
    if p <= n:
        return _costs_of_gram(*Z.gram(Y), ridge, lengths)
    root = np.sqrt(ridge)
    products = np.eye(n)
    for _, columns, cells in Z.parts(lengths):
        cells = cells / root[columns]
        products += cells @ cells.T
    factor = cho_factor(products)
    target = cho_solve(factor, Y)
    found = []
    for units, columns, cells in Z.parts(lengths):
        cells = cells / root[columns]
        scaled, solution = cho_solve(factor, cells), cells.T @ target
        found.append(_costs_of_rows(cells, scaled, solution, lengths[units]))
    return np.concatenate(found)


def _ridge_of(ridge, square_sum, p):
    least = _LEAST * max(square_sum, 1.0) / p
    return np.broadcast_to(np.maximum(ridge, least), p)


def _costs_of_gram(gram, cross, ridge, lengths):
    inverse = np.linalg.inv(gram + np.diag(ridge))
    solution = inverse @ cross
    if max(lengths) == 1:
        return np.square(solution).sum(axis=1) / np.diagonal(inverse)
    blocks = (inverse[own, own] for own in _slices(lengths))
    return _costs_of_blocks(blocks, solution, lengths)


def _costs_of_rows(Z, scaled, solution, lengths):
    if max(lengths) == 1:
        diagonal = 1.0 - np.einsum("np,np->p", Z, scaled)
        return np.square(solution).sum(axis=1) / diagonal
    blocks = (
        np.eye(own.stop - own.start) - Z[:, own].T @ scaled[:, own]
        for own in _slices(lengths)
    )
    return _costs_of_blocks(blocks, solution, lengths)


def _costs_of_blocks(blocks, solution, lengths):
    return np.array(
        [
            (solution[own] * np.linalg.solve(block, solution[own])).sum()
            for own, block in zip(_slices(lengths), blocks, strict=True)
        ]
    )


def _slices(lengths):
    """The places of each unit's columns, which lie side by side."""
    ends = np.cumsum(lengths)
    return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]


def nested_losses(train, test, ridge, orders, labels=None):
    """Squared losses of fits on the first 0, 1, 2, ... units of an order.

    One Cholesky factor of the training Gram matrix in that order holds all of the
    nested fits: with U the inverse of its transpose and z the rotated products with the
    target, the coefficients of the first k columns are U[:, :k] z[:k].

    Parameters
    ----------
    train, test : Moments
        Of the rows to fit on and of those to score, for each draw.
    ridge : float or ndarray of shape (p,)
    orders : ndarray of shape (n_draws, n_units), int
        Units of each draw, the first to enter first.
    labels : ndarray of shape (p,), int, default=None

    Returns
    -------
    losses : ndarray of shape (n_draws, n_units + 1)
        Mean over the test rows, summed over the outputs. The intercept is that of the
        training rows.
    """
    n_draws, p = train.gram.shape[:2]
    columns = None if labels is None else members(labels)
    losses = np.empty((n_draws, orders.shape[1] + 1))
    full = penalised(train.gram, ridge, _LEAST_TO_FIT)
    for b, order in enumerate(orders):
        if columns is None:
            ends = np.arange(p + 1)
        else:
            ends = np.cumsum([0, *(len(columns[unit]) for unit in order)])
            order = np.concatenate([columns[unit] for unit in order])
        factor = np.linalg.cholesky(full[b][order[:, None], order])
        turn = solve_triangular(factor, np.eye(len(order)), lower=True)
        z = turn @ train.cross[b, order]
        gram = turn @ test.gram[b][order[:, None], order] @ turn.T
        gram *= z @ z.T
        lower = np.tril(gram, -1).sum(axis=1)
        square = np.cumsum(2 * lower + np.diagonal(gram))
        linear = np.cumsum((z * (turn @ test.cross[b, order])).sum(axis=1))
        shift = train.mean_X[b, order] - test.mean_X[b, order]
        moved = np.cumsum((turn @ shift)[:, None] * z, axis=0)
        inside = np.concatenate([[0.0], square - 2 * linear])
        apart = test.mean_y[b] - train.mean_y[b]
        moved = np.concatenate([np.zeros((1, z.shape[1])), moved]) + apart
        every = (test.spread[b] + inside) / test.total[b] + np.square(moved).sum(axis=1)
        losses[b] = every[ends]
    return losses
