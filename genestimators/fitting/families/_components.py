"""Numbers of components: every smaller number is a part of the largest fit.

Principal components do not depend on how many are asked for, so the first columns of
one transformation are the transformation with fewer components. Partial least squares
takes its components one after the other from what is left of X and y, so the first of
a long fit are those of a short one.
"""

from numbers import Integral

import numpy as np
from scipy import linalg, sparse
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from genestimators._inputs import take_columns
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, integer_grid, register_family
from genestimators.fitting.families.generalized_linear._leading_newton import (
    LeadingFamily,
    path_after,
)


def scaled_like_pls(A, scale):
    """Means and divisors of the columns, as partial least squares takes them.

    Parameters
    ----------
    A : ndarray of shape (n, k)
    scale : bool
        Whether columns are divided by their standard deviations.

    Returns
    -------
    mean, std : ndarray of shape (k,)
        A deviation of zero is replaced by 1.
    """
    mean = A.mean(axis=0)
    if not scale:
        return mean, np.ones(A.shape[1])
    std = (A - mean).std(axis=0, ddof=1)
    std[std == 0.0] = 1.0
    return mean, std


def pls_coefficients(x_weights, x_loadings, y_loadings, sizes):
    """Coefficients of partial least squares of the first components.

    Parameters
    ----------
    x_weights, x_loadings : ndarray of shape (p, k)
    y_loadings : ndarray of shape (n_outputs, k)
    sizes : sequence of int

    Returns
    -------
    coef : ndarray of shape (n_sizes, p, n_outputs)
        For centred and scaled X and y.

    Notes
    -----
    ``W_a (P_a' W_a)^-1 Q_a'`` with the first a weights and loadings (Wegelin, 2000,
    section 4). Each block is inverted by itself, with a pseudo-inverse as a fit of its
    own does, so that components beyond the rank leave the others as they are.
    """
    coef = []
    for a in sizes:
        weights = np.ascontiguousarray(x_weights[:, :a])
        loadings = np.ascontiguousarray(x_loadings[:, :a])
        inverse = linalg.pinv(loadings.T @ weights, check_finite=False)
        coef.append((weights @ inverse) @ y_loadings[:, :a].T)
    return np.stack(coef)


def counts_within(values, high):
    """Whether all values are whole numbers from 1 to `high`."""
    return all(
        isinstance(value, Integral)
        and not isinstance(value, (bool, np.bool_))
        and 1 <= value <= high
        for value in values
    )


def _shape(X):
    return X.shape if hasattr(X, "shape") else np.shape(X)


def _component_grid(X):
    # Half of the rows: a training fold has no fewer.
    n, p = _shape(X)
    return integer_grid(1, max(1, min(p, n // 2)), 25)


class PrefixColumns:
    """A fitted transformer, cut to the first columns at each value.

    Parameters
    ----------
    model : fitted transformer
    sizes : sequence of int
        How many columns.
    """

    def __init__(self, model, sizes):
        self.model = model
        self.sizes = [int(size) for size in sizes]

    def whole(self, X):
        """X transformed, all columns."""
        return self.model.transform(X)

    def transform(self, X):
        """Yield X transformed at each value."""
        columns = self.whole(X)
        if isinstance(columns, np.ndarray):
            columns = np.asfortranarray(columns)  # leading columns lie together
            for size in self.sizes:
                yield columns[:, :size]
            return
        for size in self.sizes:
            yield take_columns(columns, np.arange(size))

    def fit_after(self, after, X, y, weight):
        """The path of the steps after, or None; see `path_after`."""
        return path_after(self, self.sizes, after, X, y, weight)


class _Components(LeadingFamily):
    param = "n_components"
    stronger = "smaller"
    preferred = True
    scale = "integer"
    n_repeats = 5
    default_range = "1 to the number of columns, at most half the rows"
    limits = (1,)

    def default_values(self, estimator, X, y, sample_weight):
        return _component_grid(X)

    def fit_path(self, estimator, X, y, sample_weight, values):
        estimator.set_params(n_components=int(max(values)))
        return PrefixColumns(estimator.fit(X), values)


class PCAComponents(_Components):
    """`PCA.n_components`, where the decomposition is a full one."""

    estimator = PCA

    def unsupported(self, estimator, X, y, sample_weight, values):
        n, p = _shape(X)
        if not counts_within(values, min(n, p)):
            return "`n_components` has to be whole numbers from 1 to the rank of X."
        solver = estimator.svd_solver
        if sparse.issparse(X) and solver != "covariance_eigh":
            return "Sparse X is decomposed anew for each number of components."
        if solver not in ("full", "covariance_eigh") and not (
            solver == "auto" and _auto_is_full(n, p, values)
        ):
            return "An approximate solver depends on the number of components."
        return None


def _auto_is_full(n, p, values):
    """Whether `svd_solver="auto"` means a full decomposition for all values."""
    if p <= 1000 and n >= 10 * p:
        return True
    return max(n, p) <= 500 or min(values) >= 0.8 * min(n, p)


class TruncatedSVDComponents(_Components):
    """`TruncatedSVD.n_components`, where the solver converges to machine precision."""

    estimator = TruncatedSVD
    exactness = "tolerance"

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not counts_within(values, min(_shape(X)) - 1):
            return "`n_components` has to be whole numbers below the rank of X."
        if estimator.algorithm != "arpack" or estimator.tol != 0:
            return "An approximate solver depends on the number of components."
        return None


class PLSPath(Path):
    """Partial least squares with several numbers of components.

    Parameters
    ----------
    model : PLSRegression
        Fitted, with the largest number.
    coef : ndarray of shape (n_values, p, n_outputs)
    X_mean : ndarray of shape (p,)
    flat : bool
        Whether the target has one dimension.
    """

    def __init__(self, model, coef, X_mean, *, flat):
        self.fitted = model
        self.coef = coef
        self.X_mean = X_mean
        self.flat = flat
        self.n_values = len(coef)

    def predict(self, X):
        X = validate_data(self.fitted, X, dtype=np.float64, reset=False)
        answer = (X - self.X_mean) @ self.coef + self.fitted.intercept_
        return answer[:, :, 0] if self.flat else answer


class PLSComponents(Family):
    """`PLSRegression.n_components`."""

    estimator = PLSRegression
    param = "n_components"
    stronger = "smaller"
    exactness = "exact"
    preferred = True
    scale = "integer"
    n_repeats = 5
    default_range = "1 to the number of columns, at most half the rows"
    limits = (1,)

    def default_values(self, estimator, X, y, sample_weight):
        return _component_grid(X)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not counts_within(values, min(_shape(X))):
            return "`n_components` has to be whole numbers from 1 to the rank of X."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        estimator.set_params(n_components=int(max(values))).fit(X, y)
        X = check_array(X, dtype=np.float64)
        target = check_array(y, dtype=np.float64, ensure_2d=False)
        X_mean, X_std = scaled_like_pls(X, estimator.scale)
        _, y_std = scaled_like_pls(target.reshape(len(y), -1), estimator.scale)
        coef = pls_coefficients(
            estimator.x_weights_, estimator.x_loadings_, estimator.y_loadings_, values
        )
        coef *= y_std / X_std[:, None]
        return PLSPath(estimator, coef, X_mean, flat=np.ndim(y) == 1)


for _family in (PCAComponents, TruncatedSVDComponents, PLSComponents):
    register_family(_family())
