"""What is left of every column given all others, from one eigendecomposition.

The ridge regressions of each column on the rest need no fits of their own: with Th the
inverse of (R + penalty I), R the correlation matrix and Z the standardised columns, the
residual of column j is (Z Th)_j / Th_jj. In the eigenvectors of R this holds for any
penalty at once, so each column takes the one that generalised cross-validation likes
best, as p separate ridge regressions would.
"""

from dataclasses import dataclass

import numpy as np

PENALTIES = np.geomspace(1e-8, 1e4, 25)  # in units of a correlation matrix


@dataclass(frozen=True, eq=False)
class ConditionalResiduals:
    """Residuals of every column given the columns of other units.

    Attributes
    ----------
    residuals : ndarray of shape (n, p)
        In the units of the columns, mean zero; zero where a column is constant.
    scale : ndarray of shape (n_units,)
        Times this, residuals have the variance that the column has given the others:
        a regression on many columns leaves too little in the rows it was fitted on.
    penalty : ndarray of shape (n_units,)
        The ridge penalty of each unit, in units of the correlation matrix.
    """

    residuals: np.ndarray
    scale: np.ndarray
    penalty: np.ndarray

    def calibrated(self, labels):
        """The residuals times the scale of their unit."""
        return self.residuals * self.scale[labels]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvectors of the correlation matrix of some columns.

    Attributes
    ----------
    values : ndarray of shape (r,)
        Eigenvalues, not negative.
    vectors : ndarray of shape (p, r)
    scores : ndarray of shape (n, r)
        Standardised columns times the eigenvectors.
    rest : int
        Rows that are neither the mean nor an eigenvector, n - 1 - r.
    """

    values: np.ndarray
    vectors: np.ndarray
    scores: np.ndarray
    rest: int

    @property
    def whole(self):
        """Whether the eigenvectors span the columns."""
        return len(self.values) == len(self.vectors)


def standardize(X, weight=None):
    """Columns with mean 0 and variance 1, and their standard deviations.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    weight : ndarray of shape (n,) or None
        Positive.

    Returns
    -------
    Z : ndarray of shape (n, p), float64
        Zero where a column is constant.
    deviations : ndarray of shape (p,)
    """
    X = np.asarray(X, dtype=np.float64)
    Z = X - X[0]  # a big offset would cost the mean its last digits
    Z -= np.average(Z, axis=0, weights=weight)
    Z[:, np.ptp(X, axis=0) == 0] = 0.0
    deviations = np.sqrt(np.average(Z * Z, axis=0, weights=weight))
    Z /= np.where(deviations > 0, deviations, 1.0)
    return Z, deviations


def spectrum_of(Z, weight=None):
    """The eigenvectors of Z'WZ / sum(W), by way of ZZ' where columns are many.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
        As `standardize` makes it.
    weight : ndarray of shape (n,) or None

    Returns
    -------
    spectrum : Spectrum
    """
    n, p = Z.shape
    share = np.full(n, 1.0 / n) if weight is None else weight / weight.sum()
    rooted = Z * np.sqrt(share)[:, None]
    if p < n:
        values, vectors = np.linalg.eigh(rooted.T @ rooted)
        values = np.maximum(values, 0.0)
    else:
        values, left = np.linalg.eigh(rooted @ rooted.T)
        # Directions of rounding: the mean, and copies of rows.
        real = values > 1e-12 * max(1.0, float(values[-1]))
        values = values[real]
        vectors = rooted.T @ (left[:, real] / np.sqrt(values))
    return Spectrum(values, vectors, Z @ vectors, n - 1 - len(values))


def conditional_residuals(X, *, sample_weight=None, labels=None, penalty=None):
    """Residuals of the ridge regression of every unit on all other units.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Finite numbers.
    sample_weight : ndarray of shape (n,), default=None
        Positive; only their ratios count.
    labels : ndarray of shape (p,), int, default=None
        Unit of each column, numbered from 0; None makes every column a unit. The
        columns of a unit are regressed on the columns of the others only.
    penalty : float or None, default=None
        Added to the diagonal of the correlation matrix; None takes for each unit that
        of `PENALTIES` with the least generalised cross-validation error [1]_.

    Returns
    -------
    residuals : ConditionalResiduals

    Notes
    -----
    With H_g the smoother of the regression of unit g, the residual sum of squares has
    the expectation s^2 tr((I - H_g)^2) where the regression is right. `scale` is the
    root of n / tr((I - H_g)^2), so that scaled residuals have the mean square s^2.

    References
    ----------
    .. [1] Golub, G. H., Heath, M. & Wahba, G. (1979). Generalized cross-validation as
       a method for choosing a good ridge parameter. Technometrics 21, 215-223.
    """
    Z, deviations = standardize(X, sample_weight)
    n, p = Z.shape
    labels = np.arange(p) if labels is None else np.asarray(labels)
    spectrum = spectrum_of(Z, sample_weight)
    grid = PENALTIES if penalty is None else np.array([float(penalty)])
    n_units = int(labels.max()) + 1
    size = np.bincount(labels, minlength=n_units)
    chosen, scale = np.empty(n_units), np.empty(n_units)
    residuals = np.empty((n, p))

    alone = np.flatnonzero(size[labels] == 1)
    if len(alone):
        units = labels[alone]
        chosen[units], scale[units], coefficients = _singles(spectrum, alone, grid, n)
        residuals[:, alone] = spectrum.scores @ coefficients
    for unit in np.flatnonzero(size > 1):
        columns = np.flatnonzero(labels == unit)
        chosen[unit], scale[unit], coefficients = _block(spectrum, columns, grid, n)
        residuals[:, columns] = spectrum.scores @ coefficients
    return ConditionalResiduals(residuals * deviations, scale, chosen)


def _singles(spectrum, columns, grid, n):
    """Penalties, scales and coefficients of the scores, of single columns."""
    values = spectrum.values[:, None]
    vectors = spectrum.vectors[columns]
    squares = vectors * vectors
    damped = values + grid
    inverse = squares @ (1.0 / damped)
    if not spectrum.whole:
        inverse += np.maximum(1.0 - squares.sum(axis=1), 0.0)[:, None] / grid
    left = squares @ (values / damped**2)
    bent = squares @ (values * grid / damped**3)
    kept = grid / damped
    freedom = spectrum.rest + kept.sum(axis=0) + left / inverse
    squared = (
        spectrum.rest
        + (kept**2).sum(axis=0)
        + 2.0 * bent / inverse
        + (left / inverse) ** 2
    )
    best = np.argmin(_criterion(left / inverse**2, freedom), axis=1)
    own = np.arange(len(columns)), best
    coefficients = vectors.T / (values + grid[best]) / inverse[own]
    return grid[best], _scale(squared[own], n), coefficients


def _block(spectrum, columns, grid, n):
    """The same of a group of columns that are regressed on the others together."""
    values, vectors = spectrum.values, spectrum.vectors[columns]
    outside = np.eye(len(columns)) - vectors @ vectors.T
    found = []
    for penalty in grid:
        damped = values + penalty
        inverse = (vectors / damped) @ vectors.T
        if not spectrum.whole:
            inverse += outside / penalty
        back = np.linalg.inv(inverse)
        left = back @ ((vectors * (values / damped**2)) @ vectors.T)
        bent = back @ ((vectors * (values * penalty / damped**3)) @ vectors.T)
        kept = penalty / damped
        freedom = spectrum.rest + kept.sum() + np.trace(left)
        squared = (
            spectrum.rest
            + (kept**2).sum()
            + 2.0 * np.trace(bent)
            + np.sum(left * left.T)
        )
        found.append((_criterion(np.trace(left @ back), freedom), squared, penalty))
    _, squared, penalty = min(found, key=lambda each: each[0])
    inverse = (vectors / (values + penalty)) @ vectors.T
    if not spectrum.whole:
        inverse += outside / penalty
    coefficients = (vectors.T / (values + penalty)[:, None]) @ np.linalg.inv(inverse)
    return penalty, _scale(squared, n), coefficients


def _criterion(residual_square, freedom):
    """Generalised cross-validation; where nothing is left free, never the least."""
    free = freedom > 0
    return np.where(free, residual_square / np.where(free, freedom, 1.0) ** 2, np.inf)


def _scale(squared, n):
    return np.sqrt(n / np.where(squared > 0, squared, n))


def coefficients_without(coef, precision, labels=None):
    """Ridge coefficients after each unit in turn is left out, without a refit.

    Parameters
    ----------
    coef : ndarray of shape (p,) or (n_outputs, p)
        Ridge coefficients of all columns.
    precision : ndarray of shape (p, p)
        Inverse of the centred (weighted) Gram matrix plus the ridge penalty.
    labels : ndarray of shape (p,), int, default=None
        Unit of each column, numbered from 0; None makes every column a unit.

    Returns
    -------
    coefs : ndarray of shape (n_units, p) or (n_units, n_outputs, p)
        Zero in the columns left out.

    Notes
    -----
    Leaving out g changes the solution by a step along Th_:g that brings b_g to zero:
    b(-g) = b - Th_:g inv(Th_gg) b_g. This is what leaving one covariate out (LOCO, Lei
    et al., 2018) asks p refits for.
    """
    coef = np.asarray(coef, dtype=np.float64)
    p = len(precision)
    labels = np.arange(p) if labels is None else np.asarray(labels)
    found = []
    for unit in range(int(labels.max()) + 1):
        own = np.flatnonzero(labels == unit)
        step = np.linalg.solve(precision[np.ix_(own, own)], coef[..., own].T)
        left = coef - (precision[:, own] @ step).T
        left[..., own] = 0.0
        found.append(left)
    return np.stack(found)
