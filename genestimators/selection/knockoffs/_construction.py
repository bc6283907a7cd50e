"""How far Gaussian knockoffs may stand from the columns they copy.

Knockoffs of columns with correlation C have the same correlation among themselves, and
C - S with the columns, where S is block diagonal over the units (diagonal where each
column is a unit of its own) [1]_. Any S with 0 <= S <= 2 C is valid. The farther a
knockoff is from its column the more power, and a construction says what that means:

- "mvr": least tr(G^-1), G the correlation of columns and knockoffs together. It is
  tr((2 C - S)^-1) + tr(S^-1) up to a factor: the variance that least squares on both
  would have [2]_.
- "maximum_entropy": greatest log det G = log det(2 C - S) + log det S + a constant
  [2]_.
- "equicorrelated": S = g * C restricted to the blocks, the greatest g <= 1 that is
  valid [1]_, [3]_. Quick, and weak where columns are strongly correlated.

The first two are smooth problems with barriers at their borders, so no solver of
semidefinite programs is needed: S = L L' block by block, and limited-memory BFGS over
the logarithms of the diagonal of L and its other entries. Each step is one Cholesky
factorisation of 2 C - S, which fails exactly where S is not valid.

References
----------
.. [1] Candes, E., Fan, Y., Janson, L. & Lv, J. (2018). Panning for gold: 'model-X'
   knockoffs for high dimensional controlled variable selection. Journal of the Royal
   Statistical Society B 80, 551-577.
.. [2] Spector, A. & Janson, L. (2022). Powerful knockoffs via minimizing
   reconstructability. Annals of Statistics 50, 252-276.
.. [3] Dai, R. & Barber, R. F. (2016). The knockoff filter for FDR control in
   group-sparse and multitask regression. ICML 33, 1851-1859.
"""

import numpy as np
from scipy import linalg

from genestimators.selection.knockoffs._descent import minimize

CONSTRUCTIONS = ("mvr", "maximum_entropy", "equicorrelated")


class Blocks:
    """The entries of a matrix that lie within units, by size of unit.

    Parameters
    ----------
    labels : ndarray of shape (n_features,), int
        The unit of each column, numbered from 0.

    Attributes
    ----------
    members : list of ndarray of shape (n_units_of_this_size, size)
        Columns of each unit.
    """

    def __init__(self, labels):
        order = np.argsort(labels, kind="stable")
        units = np.split(order, np.cumsum(np.bincount(labels))[:-1])
        sizes = np.array([len(unit) for unit in units])
        self.members = [
            np.stack([units[i] for i in np.flatnonzero(sizes == size)])
            for size in np.unique(sizes[sizes > 0])
        ]

    def of(self, matrix):
        """The blocks of a square matrix, one stack a size."""
        return [matrix[of[:, :, None], of[:, None, :]] for of in self.members]

    def of_square(self, matrix):
        """The blocks of matrix @ matrix, for a symmetric matrix."""
        return [
            np.einsum("kap,kbp->kab", rows, rows, optimize=True)
            if of.shape[1] > 1
            else np.einsum("kap,kap->ka", rows, rows)[:, :, None]
            for of in self.members
            for rows in [matrix[of]]
        ]

    def fill(self, blocks, n_features):
        """A square matrix with these blocks and zero elsewhere."""
        matrix = np.zeros((n_features, n_features))
        for of, block in zip(self.members, blocks, strict=True):
            matrix[of[:, :, None], of[:, None, :]] = block
        return matrix


def construct(correlation, method="mvr", labels=None):
    """The matrix S of a construction.

    Parameters
    ----------
    correlation : ndarray of shape (n_features, n_features)
        Positive definite.
    method : {"mvr", "maximum_entropy", "equicorrelated"}, default="mvr"
    labels : ndarray of shape (n_features,), int, optional
        The unit of each column, numbered from 0; None where each is its own.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Zero between units; 0 < S < 2 C.
    """
    n_features = len(correlation)
    blocks = Blocks(np.arange(n_features) if labels is None else labels)
    if method == "equicorrelated":
        own = blocks.of(correlation)
        share = _largest_share(correlation, own, blocks)
        return blocks.fill([share * block for block in own], n_features)
    problem = _Problem(correlation, blocks, method)
    return blocks.fill(problem.solve(), n_features)


def mvr_loss(correlation, S):
    """tr((2 C - S)^-1) + tr(S^-1), what "mvr" minimises."""
    return np.trace(np.linalg.inv(2 * correlation - S)) + np.trace(np.linalg.inv(S))


def entropy_loss(correlation, S):
    """-log det(2 C - S) - log det S, what "maximum_entropy" minimises."""
    return -np.linalg.slogdet(2 * correlation - S)[1] - np.linalg.slogdet(S)[1]


def _largest_share(correlation, own, blocks):
    """The greatest g <= 1 with g * own <= 2 C, a hair inside the border."""
    roots = [np.linalg.inv(np.linalg.cholesky(block)) for block in own]
    root = blocks.fill(roots, len(correlation))
    least = linalg.eigvalsh(root @ correlation @ root.T, subset_by_index=[0, 0])[0]
    return min(1.0, 2.0 * least * (1 - 1e-6))


class _Problem:
    """The loss as a function of unknowns of about the same scale.

    The conditional covariance of a unit given all others, K K', is about what S comes
    to, so S = (K T)(K T)' with T lower triangular. The unknowns are the logarithms of
    the diagonals of T and its other entries. For "mvr", whose curvature grows with
    1 / S, they are divided by the diagonal of K: about ten steps where the columns'
    conditional variances differ widely, rather than forty.
    """

    def __init__(self, correlation, blocks, method):
        self.correlation = correlation
        self.blocks = blocks
        self.method = method
        precision = linalg.inv(correlation)
        given_others = [np.linalg.inv(block) for block in blocks.of(precision)]
        # Halfway to the border, where the slopes say well where to go.
        self.share = 0.5 * _largest_share(correlation, given_others, blocks)
        self.roots = [np.linalg.cholesky(block) for block in given_others]
        self.scales = []
        for root in self.roots:
            scale = np.einsum("kaa->ka", root)
            if method == "maximum_entropy":
                scale = np.ones_like(scale)
            self.scales += [scale, scale[:, _below(root.shape[1])[0]]]
        least = min(scale.min() for scale in self.scales if scale.size)
        self.scales = [scale / least for scale in self.scales]

    def solve(self):
        """The blocks of S."""
        start = np.zeros(sum(scale.size for scale in self.scales))
        factors = self._factors(minimize(self.loss_and_slope, start))
        return [factor @ factor.swapaxes(1, 2) for factor in factors]

    def _triangles(self, unknowns):
        """The matrices T, and all of them at once for a vector of unknowns."""
        parts = np.split(
            unknowns, np.cumsum([scale.size for scale in self.scales])[:-1]
        )
        parts = [
            scale * part.reshape(scale.shape)
            for scale, part in zip(self.scales, parts, strict=True)
        ]
        for diagonal, below in zip(parts[::2], parts[1::2], strict=True):
            size = diagonal.shape[1]
            triangle = np.zeros((len(diagonal), size, size))
            triangle[(slice(None), *_below(size))] = below
            # An overflow is a step across the border like any other.
            with np.errstate(over="ignore"):
                triangle[:, range(size), range(size)] = self.share**0.5 * np.exp(
                    diagonal
                )
            yield triangle

    def _factors(self, unknowns):
        return [
            root @ triangle
            for root, triangle in zip(
                self.roots, self._triangles(unknowns), strict=True
            )
        ]

    def loss_and_slope(self, unknowns):
        """The loss and its gradient; infinite where S is not valid."""
        triangles = list(self._triangles(unknowns))
        factors = [r @ t for r, t in zip(self.roots, triangles, strict=True)]
        rest = 2 * self.correlation
        for of, factor in zip(self.blocks.members, factors, strict=True):
            rest[of[:, :, None], of[:, None, :]] -= factor @ factor.swapaxes(1, 2)
        if not np.isfinite(rest).all():
            return np.inf, None
        upper, failed = linalg.lapack.dpotrf(rest, lower=0, clean=1)
        if failed:
            return np.inf, None
        inverse, _ = linalg.lapack.dpotri(upper, lower=0)
        inverse = np.triu(inverse) + np.triu(inverse, 1).T
        inverses = [np.linalg.inv(factor) for factor in factors]
        own = [one.swapaxes(1, 2) @ one for one in inverses]
        if self.method == "mvr":
            loss = np.trace(inverse) + sum(np.sum(one**2) for one in inverses)
            there, own = self.blocks.of_square(inverse), [one @ one for one in own]
        else:
            loss = -2 * np.log(np.diag(upper)).sum()
            loss -= 2 * sum(np.log(np.einsum("kaa->ka", one)).sum() for one in factors)
            there = self.blocks.of(inverse)
        slope = []
        for k, (root, triangle) in enumerate(zip(self.roots, triangles, strict=True)):
            along = 2 * root.swapaxes(1, 2) @ (there[k] - own[k]) @ factors[k]
            diagonal = np.einsum("kaa,kaa->ka", along, triangle)
            below = along[(slice(None), *_below(root.shape[1]))]
            slope += [diagonal, below]
        return loss, np.concatenate(
            [
                (part * scale).ravel()
                for part, scale in zip(slope, self.scales, strict=True)
            ]
        )


def _below(size):
    """Indices of the entries below the diagonal."""
    return np.tril_indices(size, -1)
