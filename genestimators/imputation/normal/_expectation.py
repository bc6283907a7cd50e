"""Expected sums of incomplete rows under a normal law: the E-step.

In precision form: with K the inverse of the covariance and z a row less the mean, zero
where it is missing, the conditional mean of the missing entries solves K_mm d = -(K
z)_m, and their conditional covariance is the inverse of K_mm. So rows are worked on in
as many equations as they *miss* (the usual form inverts the larger observed block), and
what they share is one product with K.

References
----------
Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). Maximum likelihood from incomplete
data via the EM algorithm. JRSS B, 39(1), 1-38.
Little, R. J. A. & Rubin, D. B. (2019). Statistical analysis with missing data, 3rd ed.,
chapter 11.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.imputation.normal._blocks import blocks_of
from genestimators.imputation.normal._elimination import LARGEST, invert

_LOG_2_PI = float(np.log(2 * np.pi))
_CHUNK = 1 << 16  # numbers of complete rows in one product


@dataclass(frozen=True)
class Sums:
    """Expected weighted sums over rows, about some point.

    Attributes
    ----------
    weight : float
    first : ndarray of shape (p,)
    second : ndarray of shape (p, p)
    log_likelihood : float
        Of what is observed, at the parameters that the expectation was taken under.
    """

    weight: float
    first: np.ndarray
    second: np.ndarray
    log_likelihood: float


class IncompleteRows:
    """Rows of a table with missing entries, laid out for repeated E-steps.

    Parameters
    ----------
    table : ndarray of shape (n_rows, p)
        NaN where missing, in columns of about unit scale.
    weight : ndarray of shape (n_rows,)
        Positive.
    """

    def __init__(self, table, weight):
        missing = np.isnan(table)
        self.n_columns = table.shape[1]
        self.weight = float(weight.sum())
        self._blocks = []
        for block in blocks_of(missing):
            values = np.nan_to_num(table[block.rows], nan=0.0)
            cells = block.own_rows * self.n_columns + block.missing
            parts = values, cells, weight[block.rows], _patterns(block)
            self._blocks.append((block, *parts))
        complete = np.flatnonzero(~missing.any(axis=1))
        self._complete = _moments(table, complete, weight)
        self._n_observed = float(weight @ np.count_nonzero(~missing, axis=1))

    @property
    def all_complete(self):
        """Whether no entry is missing."""
        return not self._blocks

    def expect(self, mean, covariance):
        """Expected sums about `mean`, and the log-likelihood.

        Parameters
        ----------
        mean : ndarray of shape (p,)
        covariance : ndarray of shape (p, p)
            Positive definite.

        Returns
        -------
        sums : Sums

        Raises
        ------
        numpy.linalg.LinAlgError
            If the covariance is not positive definite.
        """
        p = self.n_columns
        root = np.linalg.cholesky(covariance)
        inverse_root = np.linalg.inv(root)
        K = inverse_root.T @ inverse_root
        log_determinant = 2 * np.log(np.diag(root)).sum()
        weight, first, second = self._complete
        second = second - np.outer(first, mean) - np.outer(mean, first)
        second += weight * np.outer(mean, mean)
        first = first - weight * mean
        distance = np.vdot(K, second)
        extra = 0.0
        spread = np.zeros(p * p)
        for block, values, cells, weights, (first_of, pattern) in self._blocks:
            z = values - mean
            z.ravel()[cells] = 0.0
            pull = z @ K
            quadratic = np.einsum("ij,ij->i", z, pull)
            pairs = block.pairs(p)
            inverse, size = invert(K.ravel().take(pairs[..., first_of]))
            inverse, size = inverse[..., pattern], size[pattern]
            right = pull.ravel().take(cells)
            filled = np.einsum("ijn,jn->in", inverse, right)
            distance += weights @ (quadratic - np.einsum("in,in->n", filled, right))
            extra += weights @ size
            z.ravel()[cells] = -filled
            weighted = z * weights[:, None]
            first += weighted.sum(axis=0)
            second += weighted.T @ z
            inverse *= weights
            spread += np.bincount(
                pairs.ravel(), np.ascontiguousarray(inverse).ravel(), minlength=p * p
            )
        second += spread.reshape(p, p)
        log_likelihood = -0.5 * (
            self._n_observed * _LOG_2_PI
            + self.weight * log_determinant
            + extra
            + distance
        )
        return Sums(self.weight, first, second, float(log_likelihood))


def _patterns(block):
    """One row of each pattern in a block, and which of these each row is like.

    Columns of levels are missing in all their indicators at once, so that many rows
    with many missing entries share few systems. Small systems are not worth the look.
    """
    if len(block.missing) <= LARGEST:
        return slice(None), slice(None)
    _, first, pattern = np.unique(
        block.missing, axis=1, return_index=True, return_inverse=True
    )
    if 2 * len(first) > block.shape[1]:
        return slice(None), slice(None)
    return first, pattern.ravel()


def _moments(table, rows, weight):
    """Weight, weighted sum and weighted sum of products of some complete rows."""
    p = table.shape[1]
    total, first, second = 0.0, np.zeros(p), np.zeros((p, p))
    size = max(1, _CHUNK // max(1, p))
    for start in range(0, len(rows), size):
        part = table[rows[start : start + size]]
        weighted = part * weight[rows[start : start + size], None]
        total += float(weight[rows[start : start + size]].sum())
        first += weighted.sum(axis=0)
        second += weighted.T @ part
    return total, first, second
