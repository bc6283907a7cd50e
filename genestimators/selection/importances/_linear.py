"""Evidence of linear least squares, from moments: no fit is ever repeated."""

import warnings
from dataclasses import replace
from itertools import repeat

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    enet_path,
)

from genestimators._inputs import frame_columns
from genestimators.selection._evidence import (
    Evidence,
    order_of,
    ranks_of,
    ranks_without,
)
from genestimators.selection.importances._elimination import (
    eliminate,
    members,
    nested_losses,
    prune,
    unit_costs,
)
from genestimators.selection.importances._moments import (
    CONSTANT,
    copies_among,
    moments_of,
    moments_of_targets,
)
from genestimators.selection.importances._sparse_rows import SparseRows

ONE_BY_ONE = 320  # units; of more than these many go at a time
_TOGETHER = 512  # columns of which the moments of all draws are kept at once
_PENALTIES = 50  # of a lasso path
_LAST_PENALTY = 1e-2  # of the largest
_SMALL = 1e-140  # its square is still far from the least number there is
_NO_SPREAD = 1e-14  # of the size of a column: rounding, not spread


def numbers_of(X):
    """X as finite numbers, dense or sparse, or None where it holds anything else."""
    if sparse.issparse(X):
        X = X.tocsr()
        if X.dtype.kind not in "fiub":
            return None
        X = X.astype(np.float64)
        return X if np.isfinite(X.data).all() else None
    columns = frame_columns(X)
    try:
        if columns is not None:
            if any(column.dtype.kind not in "fiub" for column in columns):
                return None
            X = np.stack(columns, axis=1) if columns else np.empty((len(X), 0))
        if not isinstance(X, np.ndarray) or X.dtype.kind not in "fiubO":
            return None
        if X.dtype.kind == "O" and any(isinstance(cell, str) for cell in X.flat):
            return None  # a text of digits is text
        X = X.astype(np.float64)
    except (TypeError, ValueError):
        return None
    return X if X.ndim == 2 and np.isfinite(X).all() else None


def targets_of(y, classifier):
    """Centred columns to fit: targets over their spread, or indicators of classes."""
    outputs = y[:, None] if y.ndim == 1 else y
    columns = []
    for output in outputs.T:
        if classifier:
            classes, codes = np.unique(output, return_inverse=True)
            block = (codes[:, None] == np.arange(len(classes))).astype(np.float64)
            block = block[:, 1:] if len(classes) == 2 else block
        else:
            block = output.astype(np.float64)[:, None]
            _check_squares(block)
        block = block - block.mean(axis=0)
        if outputs.shape[1] > 1:  # outputs of any units count alike
            spread = np.sqrt(np.square(block).mean(axis=0).sum())
            block = block / spread if spread > 0 else 0 * block
        columns.append(block)
    return np.hstack(columns)


def _check_squares(y):
    """Refuse targets whose squares are no numbers any more."""
    size = np.abs(y).max()
    if size and not _SMALL < size < 1 / _SMALL:
        raise ValueError(
            f"y must have sizes between {_SMALL:g} and {1 / _SMALL:g}, as it is "
            f"squared. Got {size:.3g} at most; change its unit."
        )


class LinearFits:
    """Least-squares fits on all draws of some data.

    Parameters
    ----------
    base : LinearBase
    data : Data
    Z : ndarray or sparse matrix of shape (n, p)
        From `numbers_of`.
    """

    def __init__(self, base, data, Z):
        self.base, self.data = base, data
        self.columns = members(data.labels)
        self.labels = None if data.n_units == len(data.labels) else data.labels
        self.at_once = data.n_units <= ONE_BY_ONE and len(data.labels) <= _TOGETHER
        self.Z, self.spread = _centred(Z)
        scale = 1.0 if base.standardised else self.spread
        ridge = np.square(np.sqrt(base.ridge) / scale)
        self.ridge = np.broadcast_to(ridge, len(data.labels))
        # By which the ridge that is added to a lasso's fits goes.
        self.weight = np.mean(np.concatenate([draw.counts for draw in data.draws]))
        self.copies = copies_among(self.Z, self.columns)
        self.Y = targets_of(data.y, data.classifier)
        self.known = self.scale = None
        self.inside = [(draw.rows, draw.counts) for draw in data.draws]
        self.outside = [
            (draw.out_of_bag, draw.out_of_bag_counts) for draw in data.draws
        ]

    def evidence(self, importance):
        """Evidence of "elimination", "conditional" or "coef"."""
        data = self.data
        if importance == "elimination":
            ranks, scores = self._eliminate()
            order = self._consensus(order_of(ranks, scores, data.forced))
            useless = ((scores <= 0) | self.copies) & ~data.forced
            scores = np.where(useless, 0.0, scores)
            ranks = ranks_without(useless, ranks)
        else:
            scores = self.scores(importance)
            ranks = ranks_of(scores, data.forced, data.seed)
            order = order_of(ranks, scores, data.forced)
        return self.nested(ranks, scores, order)

    def nested(self, ranks, scores, order, most=ONE_BY_ONE):
        """Evidence with the losses of nested fits.

        Of so many units at most, next to those that are forced.
        """
        data = self.data
        n_sizes = min(data.n_units, most + int(data.forced.sum()))
        losses = None
        if data.left_out:
            first = np.argsort(ranks, axis=1, kind="stable")[:, :n_sizes]
            losses = self._losses(first)
        sizes = np.arange(n_sizes + 1)
        return Evidence(ranks, scores, order, sizes, losses, data.paired)

    def scores(self, importance):
        """Importances, ndarray of shape (n_draws, n_units)."""
        if importance == "elimination":
            useless = self.copies & ~self.data.forced
            return np.where(useless, 0.0, self._eliminate()[1])
        one = {"coef": self._entries, "conditional": self._conditional}[importance]
        return np.stack([one(b) for b in range(len(self.inside))])

    def null_scores(self, importance, orders):
        """Importances where rows of y, or of X if draws know y, are in other orders.

        Parameters
        ----------
        orders : ndarray of shape (n_runs, n), int

        Yields
        ------
        scores : ndarray of shape (n_draws, n_units)
        """
        if self.data.knows_targets:
            for order in orders:
                other = replace(self.data, X=None)
                yield LinearFits(self.base, other, self.Z[order]).scores(importance)
            return
        known = repeat(None)
        if importance == "elimination" and self.at_once:
            known = self._known_of(orders)
        for order, own in zip(orders, known, strict=False):
            other = object.__new__(LinearFits)
            vars(other).update(vars(self), Y=self.Y[order], known=own)
            yield other.scores(importance)

    def _known_of(self, orders):
        """Training moments of targets in other orders; the columns stay the same."""
        train, _, labels = self._moments()
        parts = moments_of_targets(self.Z, self.Y[orders], self.inside)
        gone = train.constant[:, :, None]
        for mean, cross, spread in zip(*parts, strict=True):
            cross = np.where(gone, 0.0, cross / self.scale[:, :, None])
            yield train.with_targets(mean, cross, spread), None, labels

    def _moments(self, units=None, block=slice(None)):
        """Training and test moments of draws, of some units side by side.

        Parameters
        ----------
        units : ndarray of int, default=None
            None is all of them; their moments are kept.
        block : slice
            Which draws.

        Returns
        -------
        train, test : Moments
            Test moments are None where a draw leaves nothing out.
        labels : ndarray of int, or None
            The unit of each column among those asked for.
        """
        if units is None and self.known is not None:
            return self.known
        Z, labels = self.Z, self.labels
        if units is not None:
            Z = Z[:, self._columns_of(units)]
            lengths = [len(self.columns[unit]) for unit in units]
            labels = np.repeat(np.arange(len(units)), lengths)
        train = moments_of(Z, self.Y, self.inside[block])
        test = None
        if self.data.left_out:
            test = moments_of(Z, self.Y, self.outside[block])
        scale = np.ones((1, 1))
        if self.base.standardised:
            scale = train.scales()
            train, test = train.scaled(scale), test and test.scaled(scale)
        if units is None:
            self.known, self.scale = (train, test, labels), scale
        return train, test, labels

    def _columns_of(self, units):
        """The columns of some units, side by side."""
        return np.concatenate([self.columns[unit] for unit in units])

    def _rooted(self, number, scaled):
        """Columns and targets of a draw, times root weights.

        Columns are divided by their standard deviation in the draw, or not. Sparse
        ones are `SparseRows`.
        """
        rows, weight = self.inside[number]
        Z, Y = self.Z[rows], self.Y[rows]
        share = weight / weight.sum()
        Y = Y - share @ Y
        if sparse.issparse(Z):
            Z = SparseRows.of(Z, weight, scaled=scaled, least=CONSTANT)
            return Z, Y * np.sqrt(weight)[:, None]
        Z = Z - share @ Z
        variance = share @ np.square(Z)
        there = variance > CONSTANT
        if scaled:
            Z /= np.sqrt(np.where(there, variance, 1.0))
        Z *= there
        root = np.sqrt(weight)[:, None]
        return Z * root, Y * root

    def _eliminate(self):
        """Ranks and scores by each draw's own elimination."""
        data, ridge = self.data, self.ridge
        if self.at_once:
            train, _, labels = self._moments()
            ranks, costs = eliminate(
                train.gram, train.cross, ridge, labels, forced=data.forced
            )
            return ranks, _shares(costs, train.spread[:, None])
        ranks = np.zeros((len(data.draws), data.n_units), dtype=int)
        scores = np.zeros(ranks.shape)
        for b in range(len(data.draws)):
            Z, Y = self._rooted(b, self.base.standardised)
            ranks[b], costs = prune(
                Z, Y, ridge, data.labels, ONE_BY_ONE, forced=data.forced
            )
            kept = np.flatnonzero(ranks[b] == 0)
            train, _, labels = self._moments(kept, slice(b, b + 1))
            own, last = eliminate(
                train.gram,
                train.cross,
                ridge[self._columns_of(kept)],
                labels,
                forced=data.forced[kept],
            )
            ranks[b, kept] = own[0]
            costs[kept] = np.maximum(last[0], costs.max())
            scores[b] = _shares(costs, np.square(Y).sum())
        return ranks, scores

    def _consensus(self, order):
        """The order in which units go if each leaves all draws at once.

        Of correlated units that take turns in the draws' own orders one then stays,
        where mean ranks would put all of them in the middle. Only units that come
        first by mean rank are considered, the others follow in that order.
        """
        lengths = [len(self.columns[unit]) for unit in order[:ONE_BY_ONE]]
        first = order[: max(1, (np.cumsum(lengths) <= _TOGETHER).sum())]
        units = None if len(first) == self.data.n_units else first
        forced = self.data.forced if units is None else self.data.forced[units]
        train, _, labels = self._moments(units)
        ranks, _ = eliminate(
            train.gram,
            train.cross,
            self.ridge if units is None else self.ridge[self._columns_of(units)],
            labels,
            forced=forced,
            together=True,
        )
        own = np.argsort(ranks[0], kind="stable")
        return np.r_[own if units is None else first[own], order[len(first) :]]

    def _losses(self, orders):
        """Losses of the fits on the first units of each draw's order."""
        ridge = self.ridge
        if self.base.l1_ratio is not None:
            ridge = ridge + self.weight  # what a lasso selects is fitted by a ridge
        if self.at_once and orders.shape[1] == self.data.n_units:
            train, test, labels = self._moments()
            return nested_losses(train, test, ridge, orders, labels)
        losses = np.empty((len(orders), orders.shape[1] + 1))
        places = np.arange(orders.shape[1])[None]
        for b, order in enumerate(orders):
            train, test, labels = self._moments(order, slice(b, b + 1))
            own = ridge[self._columns_of(order)]
            losses[b] = nested_losses(train, test, own, places, labels)[0]
        return losses

    def _conditional(self, number):
        """What leaving each unit out of the fit on all of them costs."""
        Z, Y = self._rooted(number, self.base.standardised)
        every = np.concatenate(self.columns)
        lengths = [len(columns) for columns in self.columns]
        costs = unit_costs(Z, every, Y, self.ridge[every], lengths)
        return _shares(costs, np.square(Y).sum())

    def _entries(self, number):
        """At which share of the largest penalty of a lasso path each unit enters."""
        Z, Y = self._rooted(number, self.base.scaled)
        Z = Z if isinstance(Z, np.ndarray) else Z.dense()  # one half at a time
        Z = np.asfortranarray(Z if self.base.scaled else Z * self.spread)
        target = Y[:, 0] if Y.shape[1] == 1 else Y
        ratio = self.base.l1_ratio or 1.0
        largest = np.sqrt(np.square(Z.T @ Y).sum(axis=1)).max() / (len(Z) * ratio)
        scores = np.zeros(self.data.n_units)
        if largest <= 0:
            return scores
        # At the largest penalty itself rounding decides what is in.
        shares = np.geomspace(1.0, _LAST_PENALTY, _PENALTIES + 1)[1:]
        with warnings.catch_warnings():
            # An entry is all that is asked for; weak penalties may be approximate.
            warnings.simplefilter("ignore", ConvergenceWarning)
            _, coefs, _ = enet_path(
                Z, target, l1_ratio=ratio, alphas=largest * shares, max_iter=2000
            )
        active = np.abs(coefs) > 0
        active = active.any(axis=0) if active.ndim == 3 else active
        entry = np.where(active.any(axis=1), shares[active.argmax(axis=1)], 0.0)
        np.maximum.at(scores, self.data.labels, entry)
        # Of those that enter at one step the larger coefficient comes first.
        size = np.abs(coefs).max(axis=(*range(coefs.ndim - 2), -1))
        first = np.zeros(self.data.n_units)
        np.maximum.at(first, self.data.labels, size)
        return scores * (1.0 + 1e-6 * first / max(first.max(), 1e-300))


def _centred(Z):
    """Columns with a mean of zero and a spread of one, so that no digits are lost.

    Parameters
    ----------
    Z : ndarray or sparse matrix of shape (n, p)
        A sparse matrix is not centred, and its root mean square becomes one.

    Returns
    -------
    Z : ndarray or sparse matrix of shape (n, p)
    spread : ndarray of shape (p,)
        What columns were divided by; 1 for those that are constant.
    """
    if sparse.issparse(Z):
        Z = Z.copy()
        unit = _unit_of(abs(Z).max(axis=0).toarray().ravel())
        Z.data /= unit[Z.indices]
        squares = np.asarray(Z.multiply(Z).mean(axis=0)).ravel()
        spread = np.sqrt(np.where(squares > 0, squares, 1.0))
        Z.data /= spread[Z.indices]
        return Z, spread * unit
    # Squares of cells in units of a power of two neither overflow nor vanish.
    size = np.abs(Z).max(axis=0, initial=0.0)
    unit = _unit_of(size)
    Z = Z / unit
    Z -= Z.mean(axis=0)
    spread = Z.std(axis=0)
    there = spread > _NO_SPREAD * (size / unit)
    spread = np.where(there, spread, 1.0)
    return Z * (there / spread), np.where(there, spread * unit, 1.0)


def _unit_of(size):
    """The powers of two at or below some sizes, 1 for zeros."""
    return np.exp2(np.floor(np.log2(np.where(size > 0, size, 1.0))))


def _shares(costs, total):
    """Costs as shares of the sum of squares, 0 where there is none."""
    total = np.broadcast_to(total, np.shape(costs))
    return np.where(total > 0, costs / np.where(total > 0, total, 1.0), 0.0)
