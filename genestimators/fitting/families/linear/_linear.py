"""Linear predictions for all values of a penalty, and what their families share.

All values are answered by one product of matrices. Columns whose means would use up
the digits are centred before it.
"""

from copy import copy
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from genestimators.fitting._paths import Path, parts_of
from genestimators.fitting.families.linear._linear_mean import is_plain

LIGHT = 2**18  # coefficients of a path that may be kept
_FAR = 1e3  # standard deviations from zero, beyond which a product loses digits


class LinearPath(Path):
    """Linear predictions ``(X - centre) @ coef + offset`` for all values.

    Parameters
    ----------
    template : estimator
        Unfitted but for the number and names of the columns it has seen.
    param : str
        The parameter that takes the values.
    values : sequence
    coef : ndarray of shape (n_values, n_outputs, p)
    centre : ndarray of shape (p,)
    offset : ndarray of shape (n_values, n_outputs)
    dtype : dtype, default=float64
        Of the coefficients that a fit would have.
    far : bool, default=True
        Whether the centre must be subtracted first, lest digits be lost.
    """

    # Attributes with one item for each value.
    _by_value = ("values", "coef", "offset")

    def __init__(
        self,
        template,
        param,
        values,
        coef,
        centre,
        offset,
        dtype=np.float64,
        far=True,
    ):
        self.template = template
        self.param = param
        self.values = np.asarray(values)
        self.coef = coef
        self.centre = centre
        self.offset = offset
        self.dtype = dtype
        self.far = far
        self.whole = True
        self.seen = None

    @property
    def n_values(self):
        return len(self.coef)

    def linear(self, X):
        """Linear predictions of shape (n_values, n_outputs, n_rows)."""
        X = self.numbers(X)
        return linear_answers(X, self.coef, self.centre, self.offset, far=self.far)

    def numbers(self, X):
        """X as it can be multiplied, or refused as the estimator would."""
        if self._plainly_fine(X):
            return X
        X = validate_data(  # which refuses numbers written as text
            self.template, X, accept_sparse=["csr", "csc", "coo"], reset=False
        )
        floats = X.dtype in (np.float64, np.float32)
        return X if floats else X.astype(np.float64)

    def _plainly_fine(self, X):
        """Whether X needs no validation, which takes longer than a small answer."""
        return (
            is_plain(X, self.coef.shape[2])
            and not hasattr(self.template, "feature_names_in_")
            and bool(np.isfinite(X.sum()))
        )

    def model(self, i):
        if not self.whole:
            return None
        if self.seen is None:
            self.seen = self.blank()
        model = copy(self.seen).set_params(**{self.param: self.values[i].item()})
        intercept = self.offset[i] - self.coef[i] @ self.centre
        self.complete(
            model, i, self.coef[i].astype(self.dtype), intercept.astype(self.dtype)
        )
        return model

    def blank(self):
        """An estimator that lacks the attributes of `complete` only."""
        model = clone(self.template)
        copy_columns(self.template, model)
        return model

    def complete(self, model, i, coef, intercept):
        """Give an estimator the attributes that its fit would.

        Parameters
        ----------
        model : estimator
        i : int
            Which value.
        coef : ndarray of shape (n_outputs, p)
        intercept : ndarray of shape (n_outputs,)
        """
        raise NotImplementedError

    def parts(self, n_rows):
        return parts_of(self, n_rows * self.coef.shape[1])

    def take(self, which):
        part = copy(self)
        for name in self._by_value:
            whole = getattr(self, name)
            setattr(part, name, None if whole is None else whole[which])
        return part


def linear_answers(X, coef, centre, offset, *, far):
    """Linear predictions ``(X - centre) @ coef + offset`` for all values.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, p)
    coef : ndarray of shape (n_values, n_outputs, p)
    centre : ndarray of shape (p,)
    offset : ndarray of shape (n_values, n_outputs)
    far : bool
        Whether the centre is subtracted from X rather than from the answers; never
        from a sparse matrix.

    Returns
    -------
    answers : ndarray of shape (n_values, n_outputs, n_rows)
    """
    weights = coef.reshape(-1, coef.shape[2])
    if far and not sparse.issparse(X):
        X = X - centre
    else:
        offset = offset - coef @ centre
    answers = (X @ weights.T).T if sparse.issparse(X) else weights @ X.T
    answers += offset.reshape(-1, 1)
    return answers.reshape(*offset.shape, X.shape[0])


def is_far(middle, variance):
    """Whether columns are so far from zero that their products lose digits.

    Parameters
    ----------
    middle, variance : ndarray of shape (p,)
    """
    varies = variance > 0
    return bool((np.abs(middle) > _FAR * np.sqrt(variance))[varies].any())


def copy_columns(seen, model):
    """Let an estimator know the columns that another one has seen."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(seen, name):
            setattr(model, name, getattr(seen, name))


def finite_rows(X):
    """X as an array of numbers, or None where an estimator would complain.

    Parameters
    ----------
    X : container of n rows

    Returns
    -------
    X : ndarray of shape (n, p), or None
        None also for a sparse matrix.
    """
    if sparse.issparse(X):
        return None
    try:
        return check_array(X, dtype=[np.float64, np.float32])
    except (TypeError, ValueError):
        return None


def finite_targets(y):
    """Targets (n, n_outputs) in double precision, or None where one is no number."""
    try:
        return check_array(y.reshape(len(y), -1), dtype=np.float64)
    except (TypeError, ValueError):
        return None


def mean_square(X, weight, *, centred):
    """The mean square of a column of X, on average over columns.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    weight : ndarray of shape (n,) or None
    centred : bool
        Whether about the mean of the column.
    """
    share = (
        np.full(X.shape[0], 1 / X.shape[0]) if weight is None else weight / weight.sum()
    )
    mean = np.asarray(share @ X, dtype=np.float64) if centred else np.zeros(X.shape[1])
    if sparse.issparse(X):
        squares = share @ X.multiply(X) - mean**2
    else:
        squares = share @ np.square(X - mean)
    return float(max(np.mean(squares), 0.0))


def usable_weights(weight):
    """Whether there are none, or all are finite, none negative and one not zero."""
    if weight is None:
        return True
    weight = np.asarray(weight)
    return bool(np.isfinite(weight).all() and (weight >= 0).all() and weight.any())


def is_number(value):
    """Whether a parameter is a number."""
    return isinstance(value, (Real, np.number)) and not isinstance(value, bool)


def is_flag(value):
    """Whether a parameter is true or false."""
    return isinstance(value, (bool, np.bool_))
