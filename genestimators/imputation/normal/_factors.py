"""A normal law of few factors, for tables of hundreds of columns.

A row is its factors times loadings, plus noise of its own in each column. Given the
factors the columns are independent, so what is missing simply drops out, and a row
costs one system in as many equations as there are factors. The EM algorithm lets the
factors have any mean and covariance and then takes these into the loadings, which goes
uphill in fewer steps (parameter expansion).

References
----------
Rubin, D. B. & Thayer, D. T. (1982). EM algorithms for ML factor analysis.
Psychometrika, 47(1), 69-76.
Liu, C., Rubin, D. B. & Wu, Y. N. (1998). Parameter expansion to accelerate EM: the PX-
EM algorithm. Biometrika, 85(4), 755-770.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.imputation.normal._climb import climb
from genestimators.imputation.normal._elimination import (
    cholesky,
    invert,
    solve_lower,
    solve_upper,
)

_LOG_2_PI = float(np.log(2 * np.pi))
_LEAST_NOISE = 1e-3  # variance of a column's own noise, of one in all
_NUMBERS = 1 << 18  # of the systems of a chunk of rows


@dataclass(frozen=True)
class FactorFit:
    """A law of few factors, and how it was reached.

    Attributes
    ----------
    mean : ndarray of shape (p,)
    loadings : ndarray of shape (p, k)
    noise : ndarray of shape (p,)
        Variances.
    objective : ndarray of shape (n_iter,)
        The log-likelihood at the start of each iteration.
    converged : bool
    """

    mean: np.ndarray
    loadings: np.ndarray
    noise: np.ndarray
    objective: np.ndarray
    converged: bool


def fit_factors(table, weight, n_factors, *, max_iter, tol):
    """Fit a law of few factors to incomplete rows.

    Parameters
    ----------
    table : ndarray of shape (n_rows, p)
        Standardized columns, NaN where missing.
    weight : ndarray of shape (n_rows,)
    n_factors : int
    max_iter : int
    tol : float
        The largest change of a mean, a loading or the logarithm of a variance in an
        iteration at which to stop.

    Returns
    -------
    fit : FactorFit
    """
    observed = (~np.isnan(table)).astype(np.float64)
    values = np.where(observed > 0, table, 0.0)
    mean, loadings, noise = _start(values, observed, weight, n_factors)

    def step(point):
        after, value = _step(values, observed, weight, *point[:2], _noise_of(point[2]))
        return (*after[:2], np.log(after[2])), value

    start = mean, loadings, np.log(noise)
    point, objective, converged = climb(step, start, max_iter=max_iter, tol=tol)
    return FactorFit(*point[:2], _noise_of(point[2]), objective, converged)


def _noise_of(logarithms):
    """Variances by their logarithms, so that foreseen ones are positive."""
    least = logarithms <= np.log(_LEAST_NOISE)
    return np.where(least, _LEAST_NOISE, np.exp(logarithms))


def _start(values, observed, weight, k):
    """The leading components of the products that are seen."""
    weighted = observed * weight[:, None]
    counts = weighted.T @ observed
    counts = np.where(counts > 0, counts, 1.0)
    size, vectors = np.linalg.eigh((values * weight[:, None]).T @ values / counts)
    size, vectors = size[::-1][:k], vectors[:, ::-1][:, :k]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(len(size))])
    loadings = vectors * np.sqrt(np.maximum(size, _LEAST_NOISE))
    share = np.square(loadings).sum(axis=1, keepdims=True)
    loadings *= np.sqrt(np.minimum(1.0, 0.9 / np.maximum(share, _LEAST_NOISE)))
    noise = np.maximum(1.0 - np.square(loadings).sum(axis=1), 0.1)
    return np.zeros(len(noise)), loadings, noise


def _step(values, observed, weight, mean, loadings, noise):
    """One step, and the log-likelihood where it started."""
    n, p = values.shape
    k = loadings.shape[1]
    outer = (loadings[:, :, None] * loadings[:, None] / noise[:, None, None]).reshape(
        p, k * k
    )
    normal = np.zeros((p, (k + 1) * (k + 1)))
    right = np.zeros((p, k + 1))
    moment = np.zeros((k + 1, k + 1))
    value = 0.0
    size = max(1, _NUMBERS // max(p, (k + 1) ** 2))
    for start in range(0, n, size):
        seen, w = observed[start : start + size], weight[start : start + size]
        z = values[start : start + size]
        rest = (z - mean) * seen
        systems = (outer.T @ seen.T).reshape(k, k, len(z))
        systems += np.eye(k)[:, :, None]
        spread, log_determinant = invert(systems)
        pull = (rest / noise) @ loadings
        center = np.einsum("ijn,nj->ni", spread, pull)
        distance = (np.square(rest) / noise).sum(axis=1) - (center * pull).sum(axis=1)
        value -= 0.5 * float(
            w @ (log_determinant + distance + seen @ (np.log(noise) + _LOG_2_PI))
        )
        extended = np.concatenate([np.ones((len(z), 1)), center], axis=1)
        second = extended[:, :, None] * extended[:, None]
        second[:, 1:, 1:] += np.moveaxis(spread, 2, 0)
        second = second.reshape(len(z), -1)
        weighted = seen * w[:, None]
        normal += weighted.T @ second
        right += (z * weighted).T @ extended
        moment += (w @ second).reshape(k + 1, k + 1)
    normal = normal.reshape(p, k + 1, k + 1)
    # A column that is never seen keeps what it has.
    normal[:, np.arange(k + 1), np.arange(k + 1)] += 1e-12 * weight.sum()
    solution = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    squares = (np.square(values) * weight[:, None]).sum(axis=0)
    counts = np.maximum(weight @ observed, np.finfo(float).tiny)
    residual = squares - np.einsum("ij,ij->i", solution, right)
    noise = np.maximum(residual / counts, _LEAST_NOISE)
    mean, loadings = solution[:, 0], solution[:, 1:]
    moment /= moment[0, 0]
    shift = moment[0, 1:]
    root = np.linalg.cholesky(moment[1:, 1:] - np.outer(shift, shift))
    return (mean + loadings @ shift, loadings @ root, noise), value


class ConditionalFactors:
    """Fills the missing entries of rows by a law of few factors.

    What a row gets depends on that row and on the law alone, to the last bit.

    Parameters
    ----------
    mean : ndarray of shape (p,)
    loadings : ndarray of shape (p, k)
    noise : ndarray of shape (p,)
    """

    def __init__(self, mean, loadings, noise):
        self.mean = mean
        self.loadings = loadings
        self.noise = noise

    def fill(self, table, normals=None):
        """Fill with conditional means, or with draws where there are normals.

        Parameters
        ----------
        table, normals
            As for `ConditionalNormal.fill`; numbers for the factors are asked for in
            the columns that follow the last.
        """
        p, k = self.loadings.shape
        for rows, missing, center, factors in self._solved(table):
            if normals is not None:
                columns = np.broadcast_to(np.arange(p, p + k)[:, None], center.shape)
                center = center + solve_upper(factors, normals(rows, columns))
            where, columns = np.nonzero(missing)
            found = self.mean[columns]
            for j in range(k):
                found = found + self.loadings[columns, j] * center[j, where]
            if normals is not None:
                noise = normals(rows[where], columns[None])[0]
                found = found + np.sqrt(self.noise[columns]) * noise
            table[rows[where], columns] = found

    def block_law(self, table, columns):
        """Conditional law of some columns in the rows that miss all of them.

        As `ConditionalNormal.block_law`.
        """
        chosen = self.loadings[columns]
        for rows, missing, center, factors in self._solved(table):
            use = missing[:, columns[0]]
            if not use.any():
                continue
            c, n = len(columns), int(use.sum())
            means = np.repeat(self.mean[columns][:, None], n, axis=1)
            parts = np.repeat(chosen.T[:, :, None], n, axis=2)
            for j in range(center.shape[0]):
                means += chosen[:, j, None] * center[j, use]
            for a in range(c):
                solve_lower(factors[:, :, use], parts[:, a])
            covariance = np.zeros((c, c, n))
            for part in parts:
                covariance += part[:, None] * part
            own = np.arange(c)
            covariance[own, own] += self.noise[columns][:, None]
            yield rows[use], means, covariance

    def variance(self, table):
        """Conditional variances of the missing entries, zero where one is observed."""
        out = np.zeros(table.shape)
        k = self.loadings.shape[1]
        for rows, missing, _, factors in self._solved(table):
            where, columns = np.nonzero(missing)
            parts = solve_lower(factors[:, :, where], self.loadings[columns].T.copy())
            total = self.noise[columns]
            for j in range(k):
                total = total + parts[j] * parts[j]
            out[rows[where], columns] = total
        return out

    def _solved(self, table):
        """Chunks of rows: what they miss, means of factors, roots of precisions."""
        p, k = self.loadings.shape
        missing = np.isnan(table)
        incomplete = np.flatnonzero(missing.any(axis=1))
        size = max(1, _NUMBERS // max(p, k * k))
        for start in range(0, len(incomplete), size):
            rows = incomplete[start : start + size]
            seen = (~missing[rows]).T
            z = np.where(seen, table[rows].T - self.mean[:, None], 0.0)
            systems = np.zeros((k, k, len(rows)))
            systems[np.arange(k), np.arange(k)] = 1.0
            pull = np.zeros((k, len(rows)))
            for j in range(p):
                scaled = self.loadings[j] / self.noise[j]
                systems += (scaled[:, None] * self.loadings[j])[:, :, None] * seen[j]
                pull += scaled[:, None] * z[j]
            factors = cholesky(systems)
            center = solve_upper(factors, solve_lower(factors, pull))
            yield rows, missing[rows], center, factors
