"""The mean of linear members: one linear prediction, as fast and small as one model."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from genestimators.fitting._ensembles import MembersPath


class LinearMean(MembersPath):
    """Predictions ``(X - centre) @ coef.T + offset``, or decisions of a classifier.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs, p)
    offset : ndarray of shape (n_outputs,)
    centre : ndarray of shape (p,) or None
        Where columns are so far from zero that a product would lose digits.
    owner : str
        The class of the members, which refuses rows in its own words.
    flat : bool
        Whether predictions have one dimension.
    classes : ndarray or None
        Of a classifier.
    """

    n_values = 1

    def __init__(self, coef, offset, centre=None, *, owner, flat=True, classes=None):
        self.coef = coef
        self.offset = offset
        self.centre = centre
        self.owner = owner
        self.flat = flat
        if classes is not None:
            self.classes_ = classes

    def linear(self, X):
        """Linear predictions of shape (n_rows, n_outputs)."""
        if is_plain(X, self.coef.shape[1]) and self.coef[0].all():
            # Where no coefficient is zero, what is not finite in X shows in the answer,
            # and large X need not be read twice.
            with np.errstate(invalid="ignore", over="ignore"):
                answer = self._product(X)
                if np.isfinite(answer.sum()):
                    return answer
        return self._product(finite_numbers(X, self.coef.shape[1], self.owner))

    def _product(self, X):
        offset = self.offset
        if self.centre is not None and sparse.issparse(X):
            offset = offset - self.coef @ self.centre
        elif self.centre is not None:
            X = X - self.centre
        answer = X @ self.coef.T
        answer += offset
        return answer

    def predict(self, X):
        answer = self.linear(X)
        if not hasattr(self, "classes_"):
            return answer[None, :, 0] if self.flat else answer[None]
        if answer.shape[1] == 1:
            return self.classes_[(answer.T > 0).astype(np.intp)]
        return self.classes_[answer.argmax(axis=1)[None]]

    def decision_function(self, X):
        answer = self.linear(X)
        return answer.T if answer.shape[1] == 1 else answer[None]

    def mean(self):
        return self

    def take(self, which):
        return self


def mean_of(path, owner, *, flat=True, classes=None):
    """The mean of the members of a linear path.

    Parameters
    ----------
    path : LinearPath
    owner : str
    flat, classes
        As `LinearMean` takes them.

    Returns
    -------
    LinearMean
    """
    coef = path.coef.mean(axis=0, dtype=np.float64)
    offset = path.offset.mean(axis=0, dtype=np.float64)
    centre = path.centre
    if not path.far:
        offset, centre = offset - coef @ centre, None
    return LinearMean(coef, offset, centre, owner=owner, flat=flat, classes=classes)


def finite_numbers(X, n_columns, owner):
    """X as it can be multiplied, or refused as a linear model of scikit-learn does.

    Parameters
    ----------
    X : container of n rows
        Its columns are known to be those of the fit.
    n_columns : int
    owner : str
        The class in whose words it is refused.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n, n_columns)

    Raises
    ------
    TypeError
        If it holds things that are no numbers.
    ValueError
        Likewise, or if a number is missing or not finite, or if there are no rows.
    """
    # Checks take longer than a small answer, so what is plainly fine skips them.
    if is_plain(X, n_columns) and np.isfinite(X.sum()):
        return X
    return check_array(X, accept_sparse="csr", input_name="X", estimator=owner)


def is_plain(X, n_columns):
    """Whether X is an array that needs no check but for numbers that are not finite."""
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == n_columns
    )
