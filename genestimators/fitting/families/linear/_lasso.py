"""Lasso and elastic net: coordinate descent along the penalties, from moments.

The descent starts at the strongest penalty, where all coefficients are zero, and goes
on from each solution to the next. With more rows than columns it needs sums of
products only, which for a training fold are those of all rows less those left out: no
pass over the rows of a fold, also behind scalers.
"""

import warnings
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, enet_path
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from genestimators.fitting._registry import Family, register_family
from genestimators.fitting.families.linear._fold_moments import FoldMoments
from genestimators.fitting.families.linear._gram import (
    centre,
    column_means,
    errors_on,
    mean_squared_errors,
    problem_of,
    standardised,
    sum_moments,
)
from genestimators.fitting.families.linear._linear import (
    LIGHT,
    LinearPath,
    copy_columns,
    finite_rows,
    finite_targets,
    is_far,
    is_flag,
    is_number,
    usable_weights,
)
from genestimators.fitting.families.linear._shared_fits import SharedFits, plain_scalers

TIGHTER = 1e-2  # of the user's tolerance
_FINEST = 1e-12  # a relative duality gap that double precision can still tell from 0
_MOST_COLUMNS = 3000  # beyond, products of columns take too much memory


def path_tolerance(tol):
    """The tolerance along a path for a tolerance of single fits.

    A fit stops as soon as its duality gap is below the tolerance. Along a path that
    stop is often met by the solution for the neighbouring penalty, which then is taken
    over as it is: errors all point to the stronger penalty and make steps in the
    curve. Warm starts pay for more digits.
    """
    return max(tol * TIGHTER, min(tol, _FINEST))


def gram_path(problem, alphas, **settings):
    """Elastic-net coefficients along penalties, from products of columns.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_values,), decreasing
    **settings
        `l1_ratio`, `positive`, `max_iter` and `tol`, as in `ElasticNet`.

    Returns
    -------
    coef : ndarray of shape (n_values, n_outputs, p)
        Of the columns of the problem.
    gap : ndarray of shape (n_values, n_outputs)
        Duality gaps.
    n_iter : ndarray of shape (n_values, n_outputs), int
    """
    # The solver asks X for its shape and y for its norm, nothing else: one row that
    # stands for all of them makes the sums those of one unit of weight.
    row = np.zeros((1, len(problem.gram)), order="F")
    gram = np.ascontiguousarray(problem.gram)
    return _each_output(
        descend(
            row,
            np.sqrt(problem.yy[k : k + 1]),
            alphas,
            precompute=gram,
            Xy=np.ascontiguousarray(problem.xy[:, k]),
            **settings,
        )
        for k in range(len(problem.yy))
    )


def row_path(X, y, alphas, **settings):
    """Elastic-net coefficients along penalties, from the rows.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Centred, and times the root of weights that sum to n.
    y : ndarray of shape (n, n_outputs)
        Likewise.
    alphas, settings
        As in `gram_path`, as is what is returned.
    """
    X = np.asfortranarray(X)
    return _each_output(
        descend(X, np.ascontiguousarray(column), alphas, precompute=False, **settings)
        for column in y.T
    )


def descend(X, y, alphas, **settings):
    """`enet_path` without its checks and warnings: coefficients, gaps, iterations."""
    with warnings.catch_warnings():
        # Callers go by the gaps, and the tolerance of the user: they warn once for all
        # values, or leave a draw to a fit of its own.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, coef, gap, n_iter = enet_path(
            X, y, alphas=alphas, check_input=False, return_n_iter=True, **settings
        )
    return coef.T, gap, np.asarray(n_iter)


def _each_output(found):
    return tuple(np.stack(parts, axis=1) for parts in zip(*found, strict=True))


def strongest_alpha(X, y, weight, *, fit_intercept, positive):
    """The penalty from which on all coefficients of a lasso are zero.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    y : ndarray of shape (n, n_outputs)
    weight : ndarray of shape (n,) or None
    fit_intercept, positive : bool

    Returns
    -------
    alpha : float
        0 where no column has anything to do with y.
    """
    share = np.full(len(y), 1 / len(y)) if weight is None else weight / weight.sum()
    if fit_intercept:
        y = y - share @ y
        if not sparse.issparse(X):
            X = X - share @ X
    products = X.T @ (share[:, None] * y)
    return float(products.max() if positive else np.abs(products).max())


class ElasticNetPath(LinearPath):
    """Predictions for all penalties.

    Attributes
    ----------
    gap, n_iter : ndarray of shape (n_values, n_outputs)
        Duality gaps and numbers of iterations.
    errors : ndarray of shape (n_values, n_outputs) or None
        Mean squared errors on the training rows.
    """

    _by_value = (*LinearPath._by_value, "gap", "n_iter", "errors", "left_out_errors")
    gap = n_iter = errors = left_out_errors = None

    def training_squared_error(self):
        return self.errors

    def left_out_squared_error(self):
        return self.left_out_errors

    def predict(self, X):
        answer = self.linear(X)
        return answer[:, 0] if answer.shape[1] == 1 else answer.transpose(0, 2, 1)

    def complete(self, model, i, coef, intercept):
        one = len(coef) == 1
        model.coef_ = coef[0] if one else coef
        model.intercept_ = 0.0
        if model.fit_intercept:
            model.intercept_ = intercept[0] if one else intercept
        model.dual_gap_ = self.gap[i, 0] if one else self.gap[i]
        model.n_iter_ = int(self.n_iter[i, 0]) if one else self.n_iter[i].tolist()


class ElasticNetAlpha(Family):
    """`ElasticNet.alpha`."""

    estimator = ElasticNet
    param = "alpha"
    stronger = "larger"
    exactness = "tolerance"
    preferred = True
    scale = "log"
    n_repeats = 10
    default_range = (
        "50 values from the smallest penalty that makes all coefficients zero, down to "
        "a thousandth of it (a hundredth with fewer rows than columns)"
    )

    def default_values(self, estimator, X, y, sample_weight):
        X = check_array(X, accept_sparse="csc", dtype=[np.float64, np.float32])
        strongest = strongest_alpha(
            X,
            np.asarray(y, dtype=np.float64).reshape(len(y), -1),
            sample_weight,
            fit_intercept=estimator.fit_intercept,
            positive=estimator.positive,
        )
        # Without a lasso part nothing is ever zero; glmnet has the same bound.
        strongest /= max(_l1_ratio(estimator), 1e-3)
        if not strongest > np.finfo(np.float64).tiny * 1e3:
            strongest = 1.0
        weakest = 1e-3 if X.shape[0] > X.shape[1] else 1e-2
        return np.geomspace(weakest * strongest, strongest, 50)

    def more_values(self, values, larger):
        # Beyond the strongest default all coefficients stay zero.
        return np.empty(0) if larger else super().more_values(values, larger)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(is_number(value) and 0 < value < np.inf for value in values):
            return "a penalty that is not positive has a solver of its own"
        if not (is_number(_l1_ratio(estimator)) and 0 < _l1_ratio(estimator) <= 1):
            return "without a lasso part this is a ridge regression"
        if estimator.selection != "cyclic":
            return "coordinates are chosen at random"
        if not is_flag(estimator.precompute):
            return "products of columns are given"
        if not (is_number(estimator.tol) and estimator.tol >= 0):
            return "there is no tolerance"
        if not (isinstance(estimator.max_iter, Integral) and estimator.max_iter > 0):
            return "there is no limit to the iterations"
        for name in ("fit_intercept", "positive"):
            if not is_flag(getattr(estimator, name)):
                return f"`{name}` is neither true nor false"
        if not usable_weights(sample_weight):
            return "weights are negative or missing, or all of them are zero"
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse="csc",
            dtype=[np.float64, np.float32],
            accept_large_sparse=False,
            multi_output=True,
            y_numeric=True,
        )
        if sparse.issparse(X):
            return fit_warm(estimator, X, y, sample_weight, values)
        target = y.astype(np.float64).reshape(len(y), -1)
        if len(X) > X.shape[1]:
            shifts = (column_means(A, sample_weight) for A in (X, target))
            moments = sum_moments(X, target, sample_weight, *shifts)
            path = _path_from_moments(estimator, values, moments, [])
        else:
            path = _path_from_rows(estimator, values, X, target, sample_weight)
        path.dtype = X.dtype
        return path

    def share(self, steps, estimator, X, y, draws, values):
        if not plain_scalers(steps):
            return None
        rows, targets = finite_rows(X), finite_targets(y)
        if rows is None or targets is None:
            return None
        if not rows.shape[1] < min(len(rows), _MOST_COLUMNS):
            return None
        settings = (self, steps, estimator, X, y, values)
        return SharedLasso(rows, targets, draws, *settings)


class LassoAlpha(ElasticNetAlpha):
    """`Lasso.alpha`."""

    estimator = Lasso


class SharedLasso(SharedFits):
    """The folds of a splitter, fitted from common sums.

    Parameters
    ----------
    rows : ndarray of shape (n, p)
    targets : ndarray of shape (n, n_outputs)
    draws : Draws
    *settings
        As `SharedFits` takes them.
    """

    def __init__(self, rows, targets, draws, *settings):
        super().__init__(*settings)
        self.moments = FoldMoments(rows, targets, draws.row_weight, draws)

    def shared_path(self, number, draw):
        moments, others = self.moments.of(number, draw)
        if moments is None:
            return None
        path = _path_from_moments(self.template, self.values, moments, self.scalers)
        if others is not None and path.coef.size <= LIGHT:
            path.left_out_errors = errors_on(
                others, path.coef, path.centre, path.offset
            )
        return path


def _path_from_moments(template, values, moments, scalers):
    """The path of columns that are standardised step after step."""
    centred = centre(moments)
    variance = np.diag(centred.xx)
    offset, scale = standardised(centred.x, variance, moments.weight, scalers)
    problem = problem_of(centred, offset, scale, fit_intercept=template.fit_intercept)
    alphas, place = np.unique(
        -np.asarray(values, dtype=np.float64), return_inverse=True
    )
    coef, gap, n_iter = gram_path(problem, -alphas, **settings_of(template))
    _warn_once(gap, problem.yy, template)
    errors = mean_squared_errors(problem, coef)
    path = ElasticNetPath(
        template,
        "alpha",
        values,
        (coef / problem.scale)[place],
        problem.centre,
        np.broadcast_to(problem.offset, (len(place), len(problem.offset))),
        far=is_far(problem.centre, variance),
    )
    path.gap, path.n_iter = gap[place], n_iter[place]
    path.errors = None if errors is None else errors[place]
    return path


def _path_from_rows(template, values, X, y, weight):
    """The path of data with no more rows than columns."""
    n, p = X.shape
    x_mean, y_mean = np.zeros(p), np.zeros(y.shape[1])
    if template.fit_intercept:
        x_mean, y_mean = column_means(X, weight), column_means(y, weight)
    X, y = X - x_mean, y - y_mean
    if weight is not None:
        root = np.sqrt(weight * (n / weight.sum()))[:, None]
        X, y = X * root, y * root
    alphas, place = np.unique(
        -np.asarray(values, dtype=np.float64), return_inverse=True
    )
    coef, gap, n_iter = row_path(X, y, -alphas, **settings_of(template))
    _warn_once(gap, np.square(y).mean(axis=0), template)
    offset = np.broadcast_to(y_mean, (len(place), len(y_mean)))
    path = ElasticNetPath(template, "alpha", values, coef[place], x_mean, offset)
    path.gap, path.n_iter = gap[place], n_iter[place]
    return path


def fit_warm(estimator, X, y, weight, values):
    """The path by fits of the estimator itself, each from the one before.

    Parameters
    ----------
    estimator : ElasticNet or Lasso
        Unfitted; it is fitted.
    X : sparse matrix of shape (n, p)
        It cannot be centred.
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
    values : sequence of float

    Returns
    -------
    path : ElasticNetPath
    """
    template = clone(estimator)
    copy_columns(estimator, template)
    estimator.set_params(warm_start=True, tol=path_tolerance(estimator.tol))
    alphas, place = np.unique(
        -np.asarray(values, dtype=np.float64), return_inverse=True
    )
    found = []
    with warnings.catch_warnings():
        # `_warn_once` tells of all values, by the tolerance of the user.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for alpha in -alphas:
            estimator.set_params(alpha=alpha).fit(X, y, sample_weight=weight)
            # The next fit writes into the coefficients of this one.
            coef = np.array(estimator.coef_, dtype=np.float64, ndmin=2)
            offset = np.broadcast_to(estimator.intercept_, len(coef)).astype(float)
            gap = np.array(estimator.dual_gap_, ndmin=1)
            n_iter = np.array(estimator.n_iter_, ndmin=1)
            found.append((coef, offset, gap, n_iter))
    coef, offset, gap, n_iter = map(np.stack, zip(*found, strict=True))
    middle = np.average(y, axis=0, weights=weight) if template.fit_intercept else 0.0
    squares = np.average(np.square(y - middle), axis=0, weights=weight)
    _warn_once(gap, squares, template)
    path = ElasticNetPath(
        template, "alpha", values, coef[place], np.zeros(X.shape[1]), offset[place]
    )
    path.gap, path.n_iter, path.dtype = gap[place], n_iter[place], X.dtype
    return path


def _l1_ratio(estimator):
    return getattr(estimator, "l1_ratio", 1.0)


def settings_of(estimator):
    """What `descend` is told of an estimator."""
    return {
        "l1_ratio": _l1_ratio(estimator),
        "positive": estimator.positive,
        "max_iter": estimator.max_iter,
        "tol": path_tolerance(estimator.tol),
    }


def _warn_once(gap, squares, estimator):
    """Tell that single fits would not have met their tolerance either."""
    if (gap > estimator.tol * squares).any():
        warnings.warn(
            "Coordinate descent did not converge for every penalty of the path; "
            f"raise `max_iter`. Got max_iter={estimator.max_iter}.",
            ConvergenceWarning,
            stacklevel=2,
        )


for _family in (LassoAlpha, ElasticNetAlpha):
    register_family(_family())
