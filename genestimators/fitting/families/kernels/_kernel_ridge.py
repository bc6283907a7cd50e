"""Kernel ridge regression: all penalties from one reduction of the kernel matrix.

The penalty is added to the diagonal of the kernel matrix, which is brought into a
simpler form once. Folds share the kernel matrix of all rows, and when every fold leaves
out one row, one eigendecomposition answers for all of them.
"""

from functools import partial

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import kernel_metrics
from sklearn.utils.validation import validate_data

from genestimators._weights import fit_all
from genestimators.fitting._registry import Family, register_family
from genestimators.fitting.families.kernels._kernel_solutions import (
    DualSolution,
    KernelRows,
    KnownKernel,
    kernel_matrix,
    leave_one_out_kernel,
    solve_kernel,
)
from genestimators.fitting.families.linear._left_out import (
    LeftOutRow,
    SingleRows,
    leaves_one_out,
)
from genestimators.fitting.families.linear._linear import copy_columns
from genestimators.fitting.families.linear._ridge import (
    RidgePath,
    not_penalties,
    penalty_range,
)
from genestimators.fitting.families.linear._ridge_solutions import some_of
from genestimators.fitting.families.linear._shared_fits import SharedFits

_ACCEPTS = {"accept_sparse": ["csr", "csc"]}
_SHARED = 4000  # rows whose kernel matrix is kept for all folds


class KernelRidgePath(RidgePath):
    """Predictions for all penalties."""

    accepts = _ACCEPTS

    def model(self, i):
        if not self.whole:
            return None
        model = clone(self.estimator).set_params(alpha=self.values[i])
        copy_columns(self.estimator, model)
        model.X_fit_ = self.linear.kernel.X
        model.dual_coef_ = (
            self.linear.dual[i, 0] if self.flat else self.linear.dual[i].T
        )
        return model


class KernelRidgeAlpha(Family):
    """`KernelRidge.alpha`."""

    estimator = KernelRidge
    param = "alpha"
    stronger = "larger"
    exactness = "exact"
    preferred = True
    scale = "log"
    n_repeats = 3
    limits = (0.0,)
    default_range = (
        "four a decade, from a thousandth of the smallest eigenvalue of the kernel "
        "matrix (at least 1e-7 times the largest) to 100 times the largest"
    )

    def unsupported(self, estimator, X, y, sample_weight, values):
        kernel = estimator.kernel
        if not callable(kernel) and kernel not in kernel_metrics():
            return f"The kernel {kernel!r} is not computed from rows."
        if np.ndim(y) not in (1, 2):
            return "y has too many dimensions."
        return not_penalties(values)

    def rows(self, estimator, X, y):
        """X and y as the estimator works with them; it is told their columns."""
        X, y = validate_data(
            estimator, X, y, multi_output=True, y_numeric=True, **_ACCEPTS
        )
        return X, np.asarray(y, dtype=np.float64).reshape(len(y), -1)

    def fit_path(self, estimator, X, y, sample_weight, values):
        alphas = np.asarray(values, dtype=np.float64)
        rows, Y = self.rows(estimator, X, y)
        dual, errors, fine = solve_kernel(
            kernel_matrix(estimator, rows), Y, sample_weight, alphas
        )
        for i in np.flatnonzero(~fine):
            model = clone(estimator).set_params(alpha=values[i])
            fit_all(model, X, y, sample_weight)
            dual[i] = model.dual_coef_.reshape(len(Y), -1).T
        return KernelRidgePath(
            estimator,
            values,
            DualSolution(KernelRows(estimator, rows), dual),
            n_outputs=Y.shape[1],
            flat=y.ndim == 1,
            errors=errors if fine.all() else None,
        )

    def default_values(self, estimator, X, y, sample_weight):
        X = validate_data(clone(estimator), X, **_ACCEPTS)
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        taken = some_of(np.flatnonzero(weight > 0))
        if estimator.kernel == "precomputed":
            values = X[taken][:, taken]
        else:
            values = kernel_matrix(estimator, X[taken])
        root = np.sqrt(weight[taken])
        spectrum = np.linalg.eigvalsh(values * np.outer(root, root), UPLO="U")
        return penalty_range(spectrum * (weight.sum() / weight[taken].sum()))

    def share(self, steps, estimator, X, y, draws, values):
        if steps or draws.limit is None or sparse.issparse(X) or len(y) > _SHARED:
            return None
        try:
            rows, Y = self.rows(clone(estimator), X, y)
        except (TypeError, ValueError):
            return None  # each fold's own fit says what is wrong
        return SharedKernel(rows, Y, draws, self, steps, estimator, X, y, values)


class SharedKernel(SharedFits):
    """The folds of a splitter, fitted from the kernel matrix of all rows.

    Parameters
    ----------
    rows : ndarray of shape (n, p)
        X as the estimator works with it.
    Y : ndarray of shape (n, q)
    draws : Draws
    *settings
        As `SharedFits` takes them.
    """

    def __init__(self, rows, Y, draws, *settings):
        super().__init__(*settings)
        self.rows, self.Y = rows, Y
        self.unit_counts = draws.unit_counts
        self.alphas = np.asarray(self.values, dtype=np.float64)
        self.kernel = kernel_matrix(self.estimator, rows)
        weight = None if draws.unit_counts else draws.row_weight
        single = SingleRows(weight, len(rows))
        self.single = None
        if leaves_one_out(draws, len(single.counted)):
            self.single = self._answer_single(single)

    def _answer_single(self, single):
        counted = single.counted
        kernel, Y = self.kernel[np.ix_(counted, counted)], self.Y[counted]
        found = leave_one_out_kernel(kernel, Y, single.own_weight, self.alphas)
        return None if found is None else single.hold(*found)

    def shared_path(self, number, draw):
        known = None if self.single is None else self.single.of(draw)
        if known is None:
            return self._from_kernel(draw)
        row, answers, errors = known
        linear = LeftOutRow(self.rows[row], answers, partial(self._whole, draw))
        return self._path(linear, errors)

    def _path(self, linear, errors):
        return KernelRidgePath(
            self.template,
            self.values,
            linear,
            n_outputs=self.Y.shape[1],
            flat=self.y.ndim == 1,
            errors=errors,
        )

    def _from_kernel(self, draw):
        rows = draw.rows
        weight = None if self.unit_counts else np.asarray(draw.counts, dtype=float)
        kernel = self.kernel[np.ix_(rows, rows)]
        dual, errors, fine = solve_kernel(kernel, self.Y[rows], weight, self.alphas)
        if not fine.all():
            return None
        known = KnownKernel(
            self.estimator, self.rows, self.kernel, rows, (draw.out_of_bag, rows)
        )
        return self._path(DualSolution(known, dual), errors)

    def _whole(self, draw):
        """The fit itself, where answers for the row left out are not enough."""
        path = self._from_kernel(draw)
        return self._apart(draw) if path is None else path


register_family(KernelRidgeAlpha())
