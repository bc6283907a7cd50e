"""Ridge regression: all penalties from one Gram matrix a fold.

With more rows than columns a fold's Gram matrix is that of all rows less that of the
rows left out, also behind StandardScaler, whose means and variances are in it. With
more columns than rows the products of rows take its place. When every fold leaves out
one row, one decomposition answers for all of them.

Everything is computed in double precision. A fit to X in single precision is not, and
differs by its own rounding.
"""

from copy import copy
from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from genestimators._inputs import take_rows
from genestimators._weights import fit_all
from genestimators.fitting._paths import Path, parts_of
from genestimators.fitting._registry import Family, log_grid, register_family
from genestimators.fitting.families.linear._left_out import leaves_one_out
from genestimators.fitting.families.linear._ridge_shared import SharedRidge
from genestimators.fitting.families.linear._ridge_solutions import (
    gram_spectrum,
    solve_rows,
)
from genestimators.fitting.families.linear._shared_fits import plain_scalers

_SOLVERS = ("auto", "cholesky", "svd")
_FLOATS = [np.float64, np.float32]


def not_penalties(values):
    """Why values are no penalties for all outputs alike, or None."""
    if all(isinstance(value, Real) and 0 <= value < np.inf for value in values):
        return None
    return "Values of alpha have to be finite numbers, not negative."


def penalty_range(spectrum, least=1e-7):
    """Penalties from negligible to nearly complete shrinkage, four a decade.

    Parameters
    ----------
    spectrum : ndarray, increasing
        Eigenvalues of what the penalty is added to. A direction of eigenvalue s is
        shrunk by alpha / (s + alpha).
    least : float

    Returns
    -------
    values : ndarray, increasing
        From a thousandth of the smallest eigenvalue (but no less than `least` times
        the largest) to a hundred times the largest; quarters of decades, so that they
        do not change with the rounding of the data.
    """
    high = spectrum[-1] if len(spectrum) else 0.0
    if not (np.isfinite(high) and high > 0):
        return log_grid(1e-3, 1e3)
    low = max(1e-3 * spectrum[0], least * high)
    first, last = np.round(4 * np.log10([low, 100 * high])) / 4
    return log_grid(10.0**first, 10.0**last)


@dataclass(frozen=True, eq=False)
class Rows:
    """X and y as the estimator works with them.

    Attributes
    ----------
    estimator : estimator
        Unfitted, but for the number and names of the columns.
    X : ndarray of shape (n, p)
    Y : ndarray of shape (n, q)
        Targets; of a classifier 1 and -1 for each class, or for the second of two.
    classes : ndarray or None
    codes : ndarray of shape (n,) or None
        Positions of the labels in the classes.
    """

    estimator: object
    X: np.ndarray
    Y: np.ndarray
    classes: np.ndarray | None = None
    codes: np.ndarray | None = None


class RidgePath(Path):
    """Linear predictions for all penalties.

    Parameters
    ----------
    estimator : estimator
        Unfitted, but for the number and names of the columns.
    values : sequence of float
    linear : Solution or LeftOutRow
    n_outputs : int
    flat : bool
        Whether predictions have one dimension.
    classes : ndarray or None
    errors : ndarray of shape (n_values, q) or None
        Mean squared errors on the training rows.
    few : tuple of X and y, or None
        A few training rows as they were passed, to make fitted estimators from.
    """

    accepts = {"dtype": _FLOATS}
    left_out_errors = None
    whole = True  # whether there are no steps around it

    def __init__(
        self,
        estimator,
        values,
        linear,
        *,
        n_outputs,
        flat,
        classes=None,
        errors=None,
        few=None,
    ):
        self.estimator = estimator
        self.values = np.asarray(values)
        self.linear = linear
        self.n_outputs = n_outputs
        self.flat = flat
        self.classes = classes
        self.errors = errors
        self.few = few
        self.n_values = len(values)

    def outputs(self, X):
        """Linear predictions, (n_values, q, n_rows)."""
        X = validate_data(self.estimator, X, reset=False, **self.accepts)
        return self.linear.outputs(X)

    def predict(self, X):
        answer = self.outputs(X)
        return answer[:, 0] if self.flat else np.moveaxis(answer, 1, 2)

    def training_squared_error(self):
        return self.errors

    def left_out_squared_error(self):
        return self.left_out_errors

    def model(self, i):
        if not self.whole:
            return None
        model = clone(self.estimator).set_params(alpha=1.0).fit(*self.few)
        model.set_params(alpha=self.values[i].item())
        coef, intercept = self.linear.at(i)
        model.coef_ = coef.astype(model.coef_.dtype).reshape(model.coef_.shape)
        if model.fit_intercept:
            shape = np.shape(model.intercept_)
            model.intercept_ = intercept.astype(coef.dtype).reshape(shape)[()]
        return model

    def parts(self, n_rows):
        return parts_of(self, n_rows * self.n_outputs)

    def take(self, which):
        part = copy(self)
        part.values, part.linear = self.values[which], self.linear.take(which)
        for name in ("errors", "left_out_errors"):
            known = getattr(self, name)
            setattr(part, name, None if known is None else known[which])
        part.n_values = len(part.values)
        return part


class RidgeClassifierPath(RidgePath):
    """Decisions and labels for all penalties."""

    @property
    def classes_(self):
        return self.classes

    def training_squared_error(self):
        return None

    def left_out_squared_error(self):
        return None

    def decision_function(self, X):
        answer = self.outputs(X)
        return answer[:, 0] if answer.shape[1] == 1 else np.moveaxis(answer, 1, 2)

    def predict(self, X):
        answer = self.outputs(X)
        if answer.shape[1] == 1:
            return self.classes[(answer[:, 0] > 0).astype(np.intp)]
        return self.classes[answer.argmax(axis=1)]


class RidgeAlpha(Family):
    """`Ridge.alpha`."""

    estimator = Ridge
    param = "alpha"
    stronger = "larger"
    exactness = "exact"
    preferred = True
    scale = "log"
    n_repeats = 10
    limits = (0.0,)
    default_range = (
        "four a decade, from a thousandth of the smallest eigenvalue of the centred "
        "Gram matrix (at least 1e-7 times the largest) to 100 times the largest"
    )
    path = RidgePath

    def unsupported(self, estimator, X, y, sample_weight, values):
        if sparse.issparse(X):
            return "Sparse X is solved iteratively, to a tolerance."
        if estimator.positive:
            return "With `positive=True` coefficients are bounded."
        if estimator.solver not in _SOLVERS:
            return f"The solver {estimator.solver!r} is iterative, to a tolerance."
        if not isinstance(estimator.fit_intercept, (bool, np.bool_)):
            return "`fit_intercept` has to be True or False."
        return not_penalties(values) or self.unsupported_target(y)

    def unsupported_target(self, y):
        """Why a target is not served, or None."""
        return None if np.ndim(y) in (1, 2) else "y has too many dimensions."

    def rows(self, estimator, X, y):
        """X and y as the estimator works with them; it is told their columns."""
        X, y = validate_data(
            estimator, X, y, dtype=_FLOATS, multi_output=True, y_numeric=True
        )
        Y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        return Rows(estimator, np.ascontiguousarray(X, dtype=np.float64), Y)

    def weights(self, estimator, y, sample_weight):
        """Weights of the rows in the least-squares problem."""
        return sample_weight

    def some_rows(self, X, y, rows):
        """A few rows that a fit can be made from."""
        few = np.arange(min(2, len(y)))
        return take_rows(X, few), y[few]

    def fit_path(self, estimator, X, y, sample_weight, values):
        alphas = np.asarray(values, dtype=np.float64)
        rows = self.rows(estimator, X, y)
        weight = self.weights(estimator, y, sample_weight)
        found = solve_rows(rows.X, rows.Y, weight, estimator.fit_intercept, alphas)
        for i in np.flatnonzero(~found.fine):
            model = clone(estimator).set_params(alpha=values[i])
            fit_all(model, X, y, sample_weight)
            found.set(i, model.coef_, model.intercept_)
        return self.path(
            estimator,
            values,
            found,
            n_outputs=rows.Y.shape[1],
            flat=y.ndim == 1,
            classes=rows.classes,
            errors=found.errors if found.fine.all() else None,
            few=self.some_rows(X, y, rows),
        )

    def default_values(self, estimator, X, y, sample_weight):
        X = validate_data(clone(estimator), X, accept_sparse=["csr"], dtype=_FLOATS)
        if not sparse.issparse(X):
            X = np.ascontiguousarray(X, dtype=np.float64)
        weight = self.weights(estimator, y, sample_weight)
        return penalty_range(gram_spectrum(X, weight, estimator.fit_intercept))

    def share(self, steps, estimator, X, y, draws, values):
        if not plain_scalers(steps) or draws.limit is None:
            return None
        if getattr(estimator, "class_weight", None):
            return None  # weights of the rows differ from fold to fold
        if getattr(X, "dtype", None) == np.float16:
            return None  # the scaler computes in half precision
        try:
            rows = self.rows(clone(estimator), X, y)
        except (TypeError, ValueError):
            return None  # each fold's own fit says what is wrong
        weight = None if draws.unit_counts else draws.row_weight
        n = len(rows.X) if weight is None else np.count_nonzero(weight)
        alone = not steps and leaves_one_out(draws, n)
        if not alone and rows.X.shape[1] > len(draws[0].rows):
            return None
        settings = (self, steps, estimator, X, y, values)
        return SharedRidge(rows, weight, draws, alone, *settings)


class RidgeClassifierAlpha(RidgeAlpha):
    """`RidgeClassifier.alpha`."""

    estimator = RidgeClassifier
    path = RidgeClassifierPath

    def unsupported_target(self, y):
        if np.ndim(y) != 1 or type_of_target(y) not in ("binary", "multiclass"):
            return "Only one column of class labels is served."
        return "There is one class only." if (y == y[0]).all() else None

    def rows(self, estimator, X, y):
        X, y = validate_data(estimator, X, y, dtype=_FLOATS, multi_output=True)
        classes, codes = np.unique(y, return_inverse=True)
        shown = np.arange(len(classes)) if len(classes) > 2 else np.ones(1)
        Y = np.where(codes[:, None] == shown, 1.0, -1.0)
        X = np.ascontiguousarray(X, dtype=np.float64)
        return Rows(estimator, X, Y, classes, codes)

    def weights(self, estimator, y, sample_weight):
        if not estimator.class_weight:
            return sample_weight
        own = compute_sample_weight(estimator.class_weight, y)
        return own if sample_weight is None else own * sample_weight

    def some_rows(self, X, y, rows):
        few = np.unique(rows.codes, return_index=True)[1]
        return take_rows(X, few), y[few]


register_family(RidgeAlpha())
register_family(RidgeClassifierAlpha())
