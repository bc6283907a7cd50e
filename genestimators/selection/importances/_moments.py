"""Moments of rows: all that a least-squares fit, and its squared loss, need of them."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

CONSTANT = 1e-20  # variance of centred columns, below which there is none
_SAME = 9  # decimals in which copies agree
_ROUNDING = 1e-13  # of its mean square: what a difference of two sums leaves of it


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments of the rows of each of a stack of draws.

    Attributes
    ----------
    total : ndarray of shape (n_draws,)
        Sum of the weights.
    mean_X : ndarray of shape (n_draws, p)
    mean_y : ndarray of shape (n_draws, n_outputs)
    gram : ndarray of shape (n_draws, p, p)
        Sums of products of centred columns.
    cross : ndarray of shape (n_draws, p, n_outputs)
        Sums of products of centred columns and centred targets.
    spread : ndarray of shape (n_draws,)
        Sum of squares of the centred targets.
    constant : ndarray of shape (n_draws, p), bool
        Columns without a spread; what rounding left of it has been removed.
    """

    total: np.ndarray
    mean_X: np.ndarray
    mean_y: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    spread: np.ndarray
    constant: np.ndarray

    def scaled(self, scale):
        """The same of columns divided by a scale, ndarray of shape (n_draws, p)."""
        return Moments(
            self.total,
            self.mean_X / scale,
            self.mean_y,
            self.gram / scale[:, :, None] / scale[:, None],
            self.cross / scale[:, :, None],
            self.spread,
            self.constant,
        )

    def with_targets(self, mean_y, cross, spread):
        """The same columns with the moments of other targets."""
        return replace(self, mean_y=mean_y, cross=cross, spread=spread)

    def scales(self):
        """Standard deviations of the columns, 1 for those that are constant."""
        variance = np.einsum("bii->bi", self.gram) / self.total[:, None]
        return np.sqrt(np.where(self.constant, 1.0, variance))


def moments_of(X, Y, parts):
    """Moments of some rows for each draw.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        Columns of mean near zero and spread near one, or sparse.
    Y : ndarray of shape (n, n_outputs)
    parts : sequence of (rows, weights)

    Returns
    -------
    moments : Moments
    """
    n_draws, p, k = len(parts), X.shape[1], Y.shape[1]
    out = Moments(
        np.empty(n_draws),
        np.empty((n_draws, p)),
        np.empty((n_draws, k)),
        np.empty((n_draws, p, p)),
        np.empty((n_draws, p, k)),
        np.empty(n_draws),
        np.empty((n_draws, p), dtype=bool),
    )
    for b, (rows, weight) in enumerate(parts):
        total = weight.sum()
        Z, y = X[rows], Y[rows]
        root = np.sqrt(weight)[:, None]
        mean_y = (weight @ y) / total
        y = (y - mean_y) * root
        if sparse.issparse(Z):
            Z = Z.multiply(root).tocsr()
            mean = np.asarray(Z.T @ root).ravel() / total
            gram = (Z.T @ Z).toarray()
            square = np.diagonal(gram) / total
            gram -= total * np.outer(mean, mean)
            # Centring a column of sums leaves rounding in the size of the sums.
            least = CONSTANT + _ROUNDING * square
        else:
            mean = (weight @ Z) / total
            Z = (Z - mean) * root
            gram = Z.T @ Z
            least = CONSTANT
        constant = np.diagonal(gram) <= total * least
        cross = Z.T @ y
        gram[constant] = gram[:, constant] = cross[constant] = 0.0
        out.total[b], out.mean_X[b], out.mean_y[b] = total, mean, mean_y
        out.gram[b], out.cross[b], out.constant[b] = gram, cross, constant
        out.spread[b] = np.square(y).sum()
    return out


def moments_of_targets(X, targets, parts):
    """What moments say of targets, for several of them on the same columns.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    targets : ndarray of shape (n_runs, n, n_outputs)
    parts : sequence of (rows, weights)

    Returns
    -------
    mean_y : ndarray of shape (n_runs, n_draws, n_outputs)
    cross : ndarray of shape (n_runs, n_draws, p, n_outputs)
    spread : ndarray of shape (n_runs, n_draws)
    """
    n_runs, n, k = targets.shape
    flat = targets.transpose(1, 0, 2).reshape(n, n_runs * k)
    means, crosses, spreads = [], [], []
    for rows, weight in parts:
        y = flat[rows]
        mean = (weight @ y) / weight.sum()
        y = (y - mean) * weight[:, None]  # centred, so that columns need not be
        cross = (X[rows].T @ y).reshape(-1, n_runs, k).transpose(1, 0, 2)
        square = (y * (flat[rows] - mean)).sum(axis=0)
        means.append(mean.reshape(n_runs, k))
        crosses.append(cross)
        spreads.append(square.reshape(n_runs, k).sum(axis=1))
    return (np.stack(part, axis=1) for part in (means, crosses, spreads))


def copies_among(Z, columns):
    """Units of one column that is an earlier one, up to its sign and size.

    Parameters
    ----------
    Z : ndarray or sparse matrix of shape (n, p)
        Columns of one size; dense ones are centred.
    columns : list of ndarray
        Of each unit.

    Returns
    -------
    copies : ndarray of shape (n_units,), bool
    """
    seen, copies = set(), np.zeros(len(columns), dtype=bool)
    Z = Z.tocsc() if sparse.issparse(Z) else Z
    for unit, own in enumerate(columns):
        if len(own) > 1:
            continue
        if sparse.issparse(Z):
            stored = slice(*Z.indptr[own[0] : own[0] + 2])
            column, where = Z.data[stored], Z.indices[stored].tobytes()
        else:
            column, where = Z[:, own[0]], b""
        column = np.round(column, _SAME)
        there = np.flatnonzero(column)
        if not len(there):
            continue
        word = hash((where, (np.sign(column[there[0]]) * column + 0.0).tobytes()))
        copies[unit] = word in seen
        seen.add(word)
    return copies
