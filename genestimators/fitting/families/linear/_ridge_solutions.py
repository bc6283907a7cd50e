"""Ridge regression for every penalty: from rows, from moments, leaving rows out."""

from dataclasses import dataclass, replace

import numpy as np

from genestimators.fitting.families.linear._gram import (
    EPS,
    centre,
    column_means,
    errors_on,
    problem_of,
    standardised,
    sum_moments,
)
from genestimators.fitting.families.linear._linear import is_far, linear_answers
from genestimators.fitting.families.linear._shifted import (
    left_out_residuals,
    shifted_solves,
    well_conditioned,
)

_LEAST_LEFT = 1e-6  # of a row's own residual that must remain when it is left out
_MOST = 1000  # rows or columns whose eigenvalues are taken without thinning


@dataclass(frozen=True, eq=False)
class Solution:
    """Ridge regression of each output on X for every penalty.

    Attributes
    ----------
    coef : ndarray of shape (m, q, p)
    offset : ndarray of shape (m, q)
    centre : ndarray of shape (p,)
        The prediction is ``(X - centre) @ coef + offset``.
    far : bool
        Whether the centre must be subtracted first, lest digits be lost.
    errors : ndarray of shape (m, q)
        Mean squared errors on the rows of the fit.
    fine : ndarray of shape (m,), bool
        Penalties whose system is well conditioned; others have no solution here.
    """

    coef: np.ndarray
    offset: np.ndarray
    centre: np.ndarray
    far: bool
    errors: np.ndarray
    fine: np.ndarray

    def outputs(self, X):
        """Linear predictions for rows X, (m, q, n_rows)."""
        return linear_answers(X, self.coef, self.centre, self.offset, far=self.far)

    def errors_on(self, moments):
        """Mean squared errors (m, q) on the rows of moments, or None; see `_gram`."""
        return errors_on(moments, self.coef, self.centre, self.offset)

    def at(self, i):
        """Coefficients (q, p) and intercepts (q,) at penalty i."""
        return self.coef[i], self.offset[i] - self.coef[i] @ self.centre

    def set(self, i, coef, intercept):
        """Put in those of a fit at penalty i."""
        self.coef[i] = coef
        self.offset[i] = intercept + self.coef[i] @ self.centre

    def take(self, part):
        """The same for some of the penalties, a slice or their positions."""
        arrays = ("coef", "offset", "errors", "fine")
        return replace(self, **{name: getattr(self, name)[part] for name in arrays})


def solve_moments(moments, scalers, fit_intercept, alphas):
    """Ridge regression on columns standardised step after step, from moments.

    With the deviations x, y for one unit of weight, the coefficients solve
    ``(x'x + alpha) w = x'y``, and the mean squared error is
    ``y'y - w'x'y - alpha w'w``.

    Parameters
    ----------
    moments : Moments
    scalers : list of (bool, bool)
        For each step whether it centres and whether it scales.
    fit_intercept : bool
    alphas : ndarray of shape (m,)

    Returns
    -------
    Solution
        For columns that are not standardised.
    """
    centred = centre(moments)
    variance = np.diag(centred.xx)
    origin, scale = standardised(centred.x, variance, moments.weight, scalers)
    problem = problem_of(centred, origin, scale, fit_intercept=fit_intercept)
    own = alphas / moments.weight
    gram, size = problem.gram, np.diag(problem.gram)
    # Constant columns get no coefficient whatever stands for their own product; zero
    # would make the system look worse than it is.
    gram[size == 0, size == 0] = size.mean()
    coef, fine = shifted_solves(gram, problem.xy, own)
    fitted = (coef * problem.xy.T).sum(axis=2)
    errors = problem.yy - fitted - own[:, None] * (coef**2).sum(axis=2)
    coef /= scale
    offset = problem.offset - np.zeros((len(alphas), 1))
    if fit_intercept or any(with_mean for with_mean, _ in scalers):
        # What rounding took from the means, which may be far from zero.
        lost = moments.x / moments.weight - (centred.x - moments.x_shift)
        offset = offset - coef @ lost
    return Solution(
        coef=coef,
        offset=offset,
        centre=problem.centre,
        far=is_far(problem.centre, variance),
        errors=np.maximum(errors, 0.0),
        fine=fine,
    )


def solve_rows(X, Y, weight, fit_intercept, alphas):
    """Ridge regression on rows: by products of columns, or of rows if they are fewer.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    Y : ndarray of shape (n, q)
    weight : ndarray of shape (n,) or None
    fit_intercept : bool
    alphas : ndarray of shape (m,)

    Returns
    -------
    Solution
    """
    x_mean, y_mean = column_means(X, weight), column_means(Y, weight)
    if X.shape[1] <= X.shape[0]:
        moments = sum_moments(X, Y, weight, x_mean, y_mean)
        return solve_moments(moments, [], fit_intercept, alphas)
    if not fit_intercept:
        x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
    rows, target, root = _weighted_deviations(X, Y, weight, x_mean, y_mean)
    products = rows @ rows.T
    total = root @ root
    if fit_intercept:
        # Deviations and target have no part along the roots: any eigenvalue will do.
        usual = np.trace(products) / len(products)
        products += usual / total * np.outer(root, root)
    dual, fine = shifted_solves(products, target, alphas)
    coef = (dual.reshape(-1, len(rows)) @ rows).reshape(*dual.shape[:2], -1)
    return Solution(
        coef=coef,
        offset=y_mean - coef @ (root @ rows / total if fit_intercept else 0 * x_mean),
        centre=x_mean,
        far=is_far(x_mean, np.einsum("ij,ij->j", rows, rows) / total),
        errors=alphas[:, None] ** 2 * (dual**2).sum(axis=2) / total,
        fine=fine,
    )


def _weighted_deviations(X, Y, weight, x_mean, y_mean):
    """Deviations from the means, times the roots of the weights, and those roots."""
    rows, target = X - x_mean, Y - y_mean
    if weight is None:
        return rows, target, np.ones(len(X))
    root = np.sqrt(weight)
    rows *= root[:, None]
    target *= root[:, None]
    return rows, target, root


def leave_one_out(X, Y, weight, fit_intercept, alphas):
    """Predictions for each row by the fit without it, for every penalty.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    Y : ndarray of shape (n, q)
    weight : ndarray of shape (n,) or None
        Positive.
    fit_intercept : bool
    alphas : ndarray of shape (m,)

    Returns
    -------
    answers : ndarray of shape (m, q, n), or None
        None where some penalty's system is not well conditioned.
    errors : ndarray of shape (m, q, n)
        Mean squared errors of the fit without the row on the other rows.
    safe : ndarray of shape (n,), bool
        Rows whose answers can be trusted.
    """
    n, p = X.shape
    means = [np.zeros(p), np.zeros(Y.shape[1])]
    if fit_intercept:
        means = [column_means(X, weight), column_means(Y, weight)]
    rows, target, root = _weighted_deviations(X, Y, weight, *means)
    unit = root / np.linalg.norm(root) if fit_intercept else np.zeros(n)
    if p < n:
        basis, values, _ = np.linalg.svd(rows, full_matrices=False)
        spectrum = values**2
        low, high = spectrum[-1], spectrum[0]
        basis = basis[:, values > values[0] * EPS * n]
        spectrum = spectrum[: basis.shape[1]]
        beyond = target - basis @ (basis.T @ target)
        spare = np.maximum(1 - unit**2 - (basis**2).sum(axis=1), 0.0)
        least = _LEAST_LEFT
    else:
        # The intercept is a direction of no penalty: it goes to the end of the
        # spectrum, away from others that X does not reach either, and is dropped.
        products = rows @ rows.T
        push = 2 * np.linalg.norm(products) or 1.0
        spectrum, basis = np.linalg.eigh(products + push * np.outer(unit, unit))
        if fit_intercept:
            spectrum, basis = spectrum[:-1], basis[:, :-1]
        spectrum = np.maximum(spectrum, 0.0)
        low, high = spectrum[0], spectrum[-1]
        beyond, spare, least = None, None, 0.0
    if not well_conditioned(low, high, alphas).all():
        return None
    missed, squares, left = left_out_residuals(
        basis, spectrum, target, alphas, beyond, spare
    )
    total = root @ root
    return (
        Y.T - missed / root,
        squares / (total - root**2),
        (left > least).all(axis=0) & np.isfinite(missed).all(axis=(0, 1)),
    )


def some_of(rows):
    """At most a thousand of some rows, evenly spread."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), _MOST))
    return rows[places.astype(int)]


def gram_spectrum(X, weight, fit_intercept):
    """Eigenvalues of the products of columns (centred, with an intercept).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    weight : ndarray of shape (n,) or None
    fit_intercept : bool

    Returns
    -------
    spectrum : ndarray, increasing
        Of many rows and columns it is that of fewer rows, evenly spread, blown up.
    """
    n, p = X.shape
    if isinstance(X, np.ndarray) and p <= min(n, _MOST):
        middle = column_means(X, weight) if fit_intercept else np.zeros(p)
        moments = sum_moments(X, np.zeros((n, 0)), weight, middle, np.zeros(0))
        return np.linalg.eigvalsh(moments.xx)
    weight = np.ones(n) if weight is None else weight
    taken = some_of(np.flatnonzero(weight > 0))
    own = weight[taken]
    products = X[taken] @ X[taken].T
    if not isinstance(products, np.ndarray):
        products = products.toarray()
    if fit_intercept:
        means = products @ own / own.sum()
        products = products - means - means[:, None] + own @ means / own.sum()
    products = products * np.sqrt(np.outer(own, own))
    return np.linalg.eigvalsh(products) * (weight.sum() / own.sum())
