"""Support vector machines: the kernel is computed once for all penalties.

The solver spends most of its time on kernel values, and so does every prediction. The
kernel does not depend on `C`: with its matrix at hand each value costs the solution of
a quadratic programme, and sums over kernel values.
"""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.utils.validation import validate_data

from genestimators._weights import fit_all
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, log_grid, register_family

MOST_ROWS = 5000  # whose kernel matrix takes 200 MB, as much as the solver's own cache
MOST_ENTRIES = 2**23  # of the kernel between new rows and training rows, at a time
KERNELS = ("rbf", "poly", "sigmoid")  # the solver is quick with linear ones itself


class Kernel:
    """Kernel values between any rows and the training rows.

    Parameters
    ----------
    metric : {"rbf", "poly", "sigmoid"}
    X : ndarray of shape (n, p)
        Training rows.
    gamma : float or {"scale", "auto"}
    degree, coef0 : float
    """

    def __init__(self, metric, X, *, gamma, degree, coef0):
        # Distances stay the same and lose fewer digits.
        self.center = X.mean(axis=0) if metric == "rbf" else 0.0
        self.X = X - self.center
        self.metric = metric
        self.settings = {"gamma": _width(X, gamma), "degree": degree, "coef0": coef0}

    def __call__(self, X):
        """Kernel values, ndarray of shape (n_rows, n)."""
        return pairwise_kernels(
            X - self.center,
            self.X,
            metric=self.metric,
            filter_params=True,
            **self.settings,
        )

    def itself(self):
        """Kernel values among the training rows."""
        return pairwise_kernels(
            self.X, metric=self.metric, filter_params=True, **self.settings
        )


def _width(X, gamma):
    """`gamma` as a number."""
    if gamma == "scale":
        variance = X.var()
        return 1.0 / (X.shape[1] * variance) if variance != 0 else 1.0
    return 1.0 / X.shape[1] if gamma == "auto" else gamma


class SharedKernelPath(Path):
    """Machines fitted on one kernel matrix.

    Parameters
    ----------
    checked : estimator
        Knows the columns it was fitted on.
    kernel : Kernel
    machines : list of fitted estimators
        They take kernel values for X.
    """

    def __init__(self, checked, kernel, machines):
        self.checked = checked
        self.kernel = kernel
        self.machines = machines
        self.n_values = len(machines)

    def _ask(self, method, X):
        X = validate_data(self.checked, X, dtype=np.float64, reset=False)
        size = max(1, MOST_ENTRIES // len(self.kernel.X))
        answers = []
        for start in range(0, len(X), size):
            values = self.kernel(X[start : start + size])
            answers.append([getattr(one, method)(values) for one in self.machines])
        return np.concatenate([np.stack(part) for part in answers], axis=1)

    def predict(self, X):
        return self._ask("predict", X)


class SharedKernelClassifierPath(SharedKernelPath):
    """Classifiers fitted on one kernel matrix."""

    @property
    def classes_(self):
        return self.machines[0].classes_

    def decision_function(self, X):
        return self._ask("decision_function", X)


class RegressorC(Family):
    """`SVR.C`."""

    estimator = SVR
    param = "C"
    stronger = "smaller"
    exactness = "exact"
    preferred = True
    default_range = "0.001 to 1000"
    path = SharedKernelPath

    def default_values(self, estimator, X, y, sample_weight):
        return log_grid(1e-3, 1e3, per_decade=2)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not (isinstance(estimator.kernel, str) and estimator.kernel in KERNELS):
            return f"`kernel` is none of {KERNELS!r}."
        if getattr(estimator, "probability", False) is True:
            return "`probability` fits on folds of its own."
        if sparse.issparse(X):
            return "X is sparse."
        if len(y) > MOST_ROWS:
            return f"There are more than {MOST_ROWS} rows."
        if not all(isinstance(value, Real) and value > 0 for value in values):
            return "`C` has to be positive numbers."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        X = validate_data(estimator, X, dtype=np.float64)
        kernel = Kernel(
            estimator.kernel,
            X,
            gamma=estimator.gamma,
            degree=estimator.degree,
            coef0=estimator.coef0,
        )
        matrix = kernel.itself()
        machines = []
        for value in values:
            machine = clone(estimator).set_params(kernel="precomputed", C=value)
            machines.append(fit_all(machine, matrix, y, sample_weight))
        return self.path(estimator, kernel, machines)


class ClassifierC(RegressorC):
    """`SVC.C`."""

    estimator = SVC
    path = SharedKernelClassifierPath


class LinearClassifierC(Family):
    """`LinearSVC.C`; every value is fitted by itself."""

    estimator = LinearSVC
    param = "C"
    stronger = "smaller"
    preferred = True
    default_range = "0.001 to 1000"

    def default_values(self, estimator, X, y, sample_weight):
        return log_grid(1e-3, 1e3, per_decade=2)


class LinearRegressorC(LinearClassifierC):
    """`LinearSVR.C`; every value is fitted by itself."""

    estimator = LinearSVR


for _family in (RegressorC, ClassifierC, LinearClassifierC, LinearRegressorC):
    register_family(_family())
