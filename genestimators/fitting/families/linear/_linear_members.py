"""Least squares and ridge regression on many draws.

Sums of products of columns are linear in the weights, so those of all draws are one
product of matrices; what is left is a small system for each draw. With more columns
than rows the products of rows, which are the same in every draw, take their place.

Everything is computed in double precision.
"""

from copy import copy
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import validate_data

from genestimators._inputs import take_rows
from genestimators.fitting._ensembles import (
    EnsembleFamily,
    MembersPath,
    register_ensemble,
)
from genestimators.fitting.families._scaling import Scaling, plain_scaler
from genestimators.fitting.families.linear._gram import (
    centre,
    column_means,
    keeps_digits,
    problem_of,
    stack_moments,
    standardised,
)
from genestimators.fitting.families.linear._linear import (
    LinearPath,
    finite_rows,
    finite_targets,
    is_far,
    is_flag,
    is_number,
)
from genestimators.fitting.families.linear._linear_mean import mean_of
from genestimators.fitting.families.linear._linear_totals import linear_total
from genestimators.fitting.families.linear._row_products import RowProducts

SOLVERS = ("auto", "cholesky", "svd")
# What a column has of its own, in a system with ones on its diagonal. Below it the
# normal equations have lost digits that a decomposition of X still has.
_OWN = 1e-5
_MOST_ROWS = 3000  # whose products are kept


class LinearMembers(LinearPath, MembersPath):
    """Linear predictions ``(X - centre) @ coef + offset`` of the members of a bag.

    Parameters
    ----------
    shared : LinearFits
        What all members share.
    coef : ndarray of shape (n_values, n_outputs, p)
    offset : ndarray of shape (n_values, n_outputs)
    fine : ndarray of shape (n_values,), bool
    scaling : Scaling or None
        Of the scaler in front.
    """

    _by_value = ("coef", "offset", "fine")

    def __init__(self, shared, coef, offset, fine, scaling=None):
        super().__init__(
            shared.template,
            None,
            (),
            coef,
            shared.centre,
            offset,
            dtype=shared.dtype,
            far=shared.far,
        )
        self.fine = fine
        self.scaling = scaling
        self.flat = shared.flat
        self.classes_ = shared.classes
        self.few = shared.few
        self.steps = shared.steps

    def predict(self, X):
        answer = self.linear(X)
        if self.classes_ is None:
            return answer[:, 0] if self.flat else np.moveaxis(answer, 1, 2)
        if answer.shape[1] == 1:
            return self.classes_[(answer[:, 0] > 0).astype(np.intp)]
        return self.classes_[answer.argmax(axis=1)]

    def decision_function(self, X):
        answer = self.linear(X)
        return answer[:, 0] if answer.shape[1] == 1 else np.moveaxis(answer, 1, 2)

    def take(self, which):
        part = super().take(which)
        part.scaling = None if self.scaling is None else self.scaling.take(which)
        return part

    def joined(self, others):
        paths = [self, *others]
        whole = self.take(slice(None))
        for name in self._by_value:
            setattr(whole, name, np.concatenate([getattr(one, name) for one in paths]))
        if self.scaling is not None:
            whole.scaling = self.scaling.joined([one.scaling for one in others])
        return whole

    def mean(self):
        owner = type(self.template).__name__
        return mean_of(self, owner, flat=self.flat, classes=self.classes_)

    def total(self, X, response):
        return linear_total(self, X, response, ("vote",))

    def model(self, i):
        if self.seen is None:
            self.seen = self.steps.fit(*self.few)
        coef, offset = self.coef[i], self.offset[i]
        model = copy(self.seen)
        if self.scaling is None:
            _complete(model, coef, offset - coef @ self.centre, self.dtype)
            return model
        own = self.scaling.take(i)
        (_, scaler), (_, last) = model.steps
        scaler, last = own.scaler(scaler), copy(last)
        # About the scaler's own offset; that of all members may be far from it.
        intercept = offset + coef @ (own.offset - self.centre)
        _complete(last, coef * own.scale, intercept, self.dtype)
        model.steps = [
            (name, step)
            for (name, _), step in zip(model.steps, (scaler, last), strict=True)
        ]
        return model


def _complete(model, coef, intercept, dtype):
    """Give a model that was fitted on a few rows the coefficients of a member."""
    model.coef_ = coef.astype(dtype).reshape(np.shape(model.coef_))
    if model.fit_intercept:
        shape = np.shape(model.intercept_)
        model.intercept_ = intercept.astype(dtype).reshape(shape)[()]
    if hasattr(model, "rank_"):  # others are not fitted here
        model.rank_ = coef.shape[1]
        del model.singular_


class LinearFits:
    """What all draws of a linear least-squares fit share.

    Parameters
    ----------
    scaler : StandardScaler or None
    estimator : estimator
        Unfitted.
    alpha : float
        The penalty.
    X : container of n rows
        As it was passed.
    rows : ndarray of shape (n, p)
        The same as numbers.
    Y : ndarray of shape (n, n_outputs)
    flat : bool
        Whether predictions have one dimension.
    few : tuple of X and y
        A few rows as they were passed, to make fitted estimators from.
    classes : ndarray, default=None
        Of a classifier.
    codes : ndarray of shape (n,), default=None
        The class of each row.
    """

    def __init__(
        self,
        scaler,
        estimator,
        alpha,
        X,
        rows,
        Y,
        *,
        flat,
        few,
        classes=None,
        codes=None,
    ):
        self.steps = estimator if scaler is None else make_pipeline(scaler, estimator)
        self.template = clone(estimator)
        validate_data(self.template, X, skip_check_array=True)
        self.intercept, self.alpha = estimator.fit_intercept, alpha
        self.scalers = [] if scaler is None else [(scaler.with_mean, scaler.with_std)]
        self.X, self.Y = rows, Y
        self.flat, self.few = flat, few
        self.classes, self.codes = classes, codes
        self.dtype = rows.dtype
        n, p = rows.shape
        shifted = self.intercept or any(with_mean for with_mean, _ in self.scalers)
        self.centre = column_means(rows, None) if shifted else np.zeros(p)
        self.y_shift = column_means(Y, None) if self.intercept else np.zeros(Y.shape[1])
        variance = np.var(rows, axis=0, dtype=np.float64)
        self.far = shifted and is_far(self.centre, variance)
        self.products = None
        if p > n:
            self.products = RowProducts(
                rows - self.centre, Y - self.y_shift, self.intercept, alpha
            )

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        if self.products is not None:
            coef, offset, fine = self.products.fit(weights)
            offset = offset + self.y_shift
            return LinearMembers(self, coef, offset, fine & self._hold_all(weights))
        moments = stack_moments(self.X, self.Y, weights, self.centre, self.y_shift)
        there = moments.weight > 0
        moments = replace(moments, weight=np.where(there, moments.weight, 1.0))
        fine = keeps_digits(moments, moments) & there & self._hold_all(weights)
        centred = centre(moments)
        variance = np.maximum(np.diagonal(centred.xx, axis1=1, axis2=2), 0.0)
        origin, scale = standardised(centred.x, variance, moments.weight, self.scalers)
        problem = problem_of(centred, origin, scale, fit_intercept=self.intercept)
        ridge = self.alpha / moments.weight
        coef, own = _solve(problem.gram, problem.xy, ridge, scale)
        offset = problem.offset
        if self.intercept or any(with_mean for with_mean, _ in self.scalers):
            away = moments.x / moments.weight[:, None]  # of the draw's means
            offset = offset - np.einsum("bqp,bp->bq", coef, away)
        scaling = None
        if self.scalers:
            scaling = Scaling(centred.x, variance, origin, scale, moments.weight)
        return LinearMembers(self, coef, offset, fine & (own > _OWN), scaling)

    def _hold_all(self, weights):
        """The draws that hold every class."""
        if self.codes is None:
            return np.ones(len(weights), dtype=bool)
        there = np.ones(len(weights), dtype=bool)
        for code in range(len(self.classes)):
            there &= weights[:, self.codes == code].any(axis=1)
        return there


def _solve(gram, xy, ridge, scale):
    """Coefficients for columns that are not scaled, and how safe they are.

    Parameters
    ----------
    gram : ndarray of shape (n_draws, p, p)
    xy : ndarray of shape (n_draws, p, n_outputs)
    ridge : ndarray of shape (n_draws,)
    scale : ndarray of shape (n_draws, p)

    Returns
    -------
    coef : ndarray of shape (n_draws, n_outputs, p)
    own : ndarray of shape (n_draws,)
        The least that a column has of its own; 0 where there is no solution.
    """
    full = gram.copy()
    diagonal = np.einsum("bii->bi", full)
    diagonal += ridge[:, None]
    # Constant columns get no coefficient, whatever stands for their own product.
    root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    full /= root[:, :, None] * root[:, None]
    diagonal[...] = 1.0
    factor = _factors(full)
    own = np.square(np.einsum("bii->bi", factor)).min(axis=1, initial=1.0)
    full[~(own > _OWN)] = np.eye(full.shape[1])  # not served; one of them would raise
    coef = np.linalg.solve(full, xy / root[:, :, None])
    coef /= (root * scale)[:, :, None]
    return np.ascontiguousarray(np.moveaxis(coef, 1, 2)), own


def _factors(matrices):
    """Cholesky factors; zeros for a matrix that has none."""
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:  # of any of them
        if len(matrices) == 1:
            return np.zeros_like(matrices)
        return np.concatenate([_factors(one[None]) for one in matrices])


class RidgeEnsemble(EnsembleFamily):
    """`Ridge` on many draws."""

    estimator = Ridge
    exactness = "exact"
    scaled = True
    group = 50

    def unsupported(self, estimator, X, y, draws):
        if sparse.issparse(X):
            return "Sparse X is solved iteratively, to a tolerance."
        if getattr(estimator, "positive", False):
            return "With `positive=True` coefficients are bounded."
        if getattr(estimator, "solver", "auto") not in SOLVERS:
            return f"The solver {estimator.solver!r} is iterative, to a tolerance."
        if not is_flag(estimator.fit_intercept):
            return "`fit_intercept` has to be True or False."
        if getattr(estimator, "class_weight", None) is not None:
            return "Weights of classes differ from draw to draw."
        alpha = self.penalty(estimator)
        if not is_number(alpha) or not 0 <= alpha < np.inf:
            return "`alpha` has to be one finite number, not negative."
        return None

    def penalty(self, estimator):
        """The penalty of an estimator."""
        return estimator.alpha

    def prepare(self, scaler, estimator, X, y, classes):
        rows = finite_rows(X)
        if rows is None or getattr(X, "dtype", None) == np.float16:
            return None
        n, p = rows.shape
        alpha = float(self.penalty(estimator))
        if p > n and (scaler is not None or n > _MOST_ROWS or alpha == 0):
            return None
        if not plain_scaler(scaler):
            return None
        target = self.targets(y, classes)
        if target is None:
            return None
        Y, codes = target
        few = np.arange(min(2, n))
        if codes is not None:
            few = np.unique(codes, return_index=True)[1]
        return LinearFits(
            scaler,
            estimator,
            alpha,
            X,
            rows,
            Y,
            flat=np.ndim(y) == 1,
            few=(take_rows(X, few), y[few]),
            classes=classes[0] if classes else None,
            codes=codes,
        )

    def targets(self, y, classes):
        """Targets (n, n_outputs) and the class of each row, or None."""
        Y = finite_targets(y)
        return None if Y is None else (Y, None)


class LinearRegressionEnsemble(RidgeEnsemble):
    """`LinearRegression` on many draws."""

    estimator = LinearRegression

    def penalty(self, estimator):
        return 0.0


class RidgeClassifierEnsemble(RidgeEnsemble):
    """`RidgeClassifier` on many draws."""

    estimator = RidgeClassifier

    def targets(self, y, classes):
        if np.ndim(y) != 1 or len(classes) != 1 or len(classes[0]) < 2:
            return None
        known = classes[0]
        codes = np.minimum(np.searchsorted(known, y), len(known) - 1)
        codes = np.where(known[codes] == y, codes, -1)  # in rows of no weight
        shown = np.arange(len(known)) if len(known) > 2 else np.ones(1)
        return np.where(codes[:, None] == shown, 1.0, -1.0), codes


for _family in (RidgeEnsemble, LinearRegressionEnsemble, RidgeClassifierEnsemble):
    register_ensemble(_family())
