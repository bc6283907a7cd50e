"""Moments: what a penalised least-squares fit needs to know of its rows.

Sums of weights, of columns and of products of columns are all of it. They add up, so
the sums of a training fold are those of all rows less those of the rows left out, and
neither centring nor scaling needs another pass over the rows.

Subtraction loses digits where what is left is small beside what is taken away. Columns
are therefore shifted by their mean over all rows first, and `keeps_digits` tells where
that was not enough.

All of it also works for a stack of problems, one for each draw: arrays then have one
axis more in front.
"""

from dataclasses import dataclass, replace

import numpy as np

EPS = np.finfo(np.float64).eps
_BLOCK = 2**17  # numbers in a block of rows: it stays in the cache
_PAIRS = 80  # columns, up to which the products of all pairs of them are made
_KEPT = 1e-4  # of a sum of squares that has to be left after subtraction
_SWAMPED = 1e-8  # of a sum of squares, beneath which a difference is rounding
_SUMS = ("weight", "x", "y", "xx", "xy", "yy")


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted sums over rows of shifted columns.

    Attributes
    ----------
    weight : float
        Sum of weights.
    x : ndarray of shape (p,)
        Sums of the columns of X.
    y : ndarray of shape (n_outputs,)
        Sums of the columns of y.
    xx : ndarray of shape (p, p)
        Sums of products of the columns of X.
    xy : ndarray of shape (p, n_outputs)
        Sums of products of columns of X and y.
    yy : ndarray of shape (n_outputs,)
        Sums of squares of y.
    x_shift : ndarray of shape (p,)
        What was subtracted from the columns of X.
    y_shift : ndarray of shape (n_outputs,)
    """

    weight: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    x_shift: np.ndarray
    y_shift: np.ndarray

    def __add__(self, other):
        sums = {name: getattr(self, name) + getattr(other, name) for name in _SUMS}
        return replace(self, **sums)

    def __sub__(self, other):
        sums = {name: getattr(self, name) - getattr(other, name) for name in _SUMS}
        return replace(self, **sums)


@dataclass(frozen=True, eq=False)
class Centred:
    """Means, and second moments about them for one unit of weight.

    Attributes
    ----------
    x : ndarray of shape (p,)
        Means of the columns of X.
    y : ndarray of shape (n_outputs,)
        Means of the columns of y.
    xx : ndarray of shape (p, p)
        Covariances.
    xy : ndarray of shape (p, n_outputs)
    yy : ndarray of shape (n_outputs,)
    """

    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray


def sum_moments(X, y, weight, x_shift, y_shift, rows=None):
    """Moments of some rows, added up block by block.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    y : ndarray of shape (n, n_outputs)
    weight : ndarray of shape (n,) or None
        Of all rows of X, not negative; None is all ones.
    x_shift : ndarray of shape (p,)
        Subtracted from the columns of X.
    y_shift : ndarray of shape (n_outputs,)
    rows : ndarray of int, default=None
        Which rows; None is all of them.

    Returns
    -------
    moments : Moments
        In double precision.
    """
    p, k = X.shape[1], y.shape[1]
    n = len(X) if rows is None else len(rows)
    total, sums, products = 0.0, np.zeros(p + k), np.zeros((p + k, p + k))
    step = max(2 * (p + k), _BLOCK // (p + k))
    for start in range(0, n, step):
        own = slice(start, min(start + step, n))
        own = own if rows is None else _as_slice(rows[own])
        x_block = X[own]
        block = np.empty((len(x_block), p + k))
        np.subtract(x_block, x_shift, out=block[:, :p])
        np.subtract(y[own], y_shift, out=block[:, p:])
        root = np.ones(len(block)) if weight is None else np.sqrt(weight[own])
        if weight is not None:
            block *= root[:, None]
        total += root @ root
        sums += root @ block
        products += block.T @ block
    return Moments(
        weight=float(total),
        x=sums[:p],
        y=sums[p:],
        xx=products[:p, :p],
        xy=products[:p, p:],
        yy=np.diag(products)[p:].copy(),
        x_shift=x_shift,
        y_shift=y_shift,
    )


def stack_moments(X, y, weights, x_shift, y_shift):
    """Moments of the same rows with many weights.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    y : ndarray of shape (n, n_outputs)
    weights : ndarray of shape (n_draws, n)
        Not negative, of any type of numbers.
    x_shift : ndarray of shape (p,)
    y_shift : ndarray of shape (n_outputs,)

    Returns
    -------
    moments : Moments
        With one more axis in front.

    Notes
    -----
    They are linear in the weights, so the products of pairs of columns, made once a
    block of rows, serve all draws in one product of matrices. Where columns are many
    that takes longer than the products of each draw.
    """
    p, k = X.shape[1], y.shape[1]
    if p > _PAIRS:
        each = [
            sum_moments(X, y, own, x_shift, y_shift, np.flatnonzero(own))
            for own in np.asarray(weights, dtype=np.float64)
        ]
        sums = {name: np.stack([getattr(one, name) for one in each]) for name in _SUMS}
        return Moments(**sums, x_shift=x_shift, y_shift=y_shift)
    first, second = np.triu_indices(p)
    n_pairs = len(first)
    parts = np.cumsum([1, p, k, n_pairs, p * k])
    step = max(64, 4 * _BLOCK // (parts[-1] + k))
    block = np.ones((parts[-1] + k, step))
    _, x, own_y, xx, xy, yy = np.split(block, parts)
    sums = np.zeros((len(block), len(weights)))
    shift = np.concatenate([x_shift, y_shift])[:, None]
    both = np.empty((p + k, step))
    for start in range(0, len(X), step):
        rows = slice(start, min(start + step, len(X)))
        m = rows.stop - rows.start
        both[:p, :m], both[p:, :m] = X[rows].T, y[rows].T
        np.subtract(both[:, :m], shift, out=block[1 : 1 + p + k, :m])
        place = 0
        for j in range(p):
            np.multiply(x[j, :m], x[j:, :m], out=xx[place : place + p - j, :m])
            place += p - j
            np.multiply(x[j, :m], own_y[:, :m], out=xy[j * k : (j + 1) * k, :m])
        np.square(own_y[:, :m], out=yy[:, :m])
        sums += block[:, :m] @ np.asarray(weights[:, rows], dtype=np.float64).T
    total, x, own_y, pairs, xy, yy = np.split(sums.T, parts, axis=1)
    xx = np.empty((len(weights), p, p))
    xx[:, first, second] = pairs
    xx[:, second, first] = pairs
    return Moments(
        weight=total[:, 0],
        x=x,
        y=own_y,
        xx=xx,
        xy=xy.reshape(-1, p, k),
        yy=yy,
        x_shift=x_shift,
        y_shift=y_shift,
    )


def _as_slice(rows):
    """Rows that follow each other as a slice, which copies nothing."""
    if rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
        return slice(rows[0], rows[-1] + 1)
    return rows


def column_means(A, weight):
    """Means of columns in double precision.

    Parameters
    ----------
    A : ndarray of shape (n, p)
    weight : ndarray of shape (n,) or None

    Returns
    -------
    means : ndarray of shape (p,)
        The value itself for a column that is constant.
    """
    if weight is None:
        means = A.mean(axis=0, dtype=np.float64)
    else:
        means = np.asarray(weight @ A, dtype=np.float64) / weight.sum()
    # A mean of equal values can miss them by a digit.
    near = np.flatnonzero(np.abs(A[0] - means) <= 1e-9 * np.abs(means))
    constant = near[(A[:, near] == A[0, near]).all(axis=0)]
    means[constant] = A[0, constant]
    return means


def centre(moments):
    """Means and covariances from sums.

    Parameters
    ----------
    moments : Moments

    Returns
    -------
    centred : Centred
    """
    weight = np.asarray(moments.weight)[..., None]
    x, y = moments.x / weight, moments.y / weight
    wide = weight[..., None]
    return Centred(
        x=moments.x_shift + x,
        y=moments.y_shift + y,
        xx=moments.xx / wide - _outer(x, x),
        xy=moments.xy / wide - _outer(x, y),
        yy=np.maximum(moments.yy / weight - y * y, 0.0),
    )


def _outer(a, b):
    """Products of all pairs of the last axes."""
    return a[..., :, None] * b[..., None, :]


def keeps_digits(moments, before):
    """Whether enough digits of each column are left after subtraction and centring.

    Sums of squares must not have shrunk too much, and variances must be well above
    what `StandardScaler` takes for rounding. Columns that equal their shift in all rows
    are exactly zero, and do no harm.

    Parameters
    ----------
    moments : Moments
        Of the rows that are left.
    before : Moments
        What was subtracted from; the same where nothing was.

    Returns
    -------
    enough : bool, or ndarray of shape (n_draws,)
    """
    weight = np.asarray(moments.weight)[..., None]
    squares, first = (
        np.concatenate([np.diagonal(own.xx, axis1=-2, axis2=-1), own.yy], axis=-1)
        for own in (moments, before)
    )
    sums = np.concatenate([moments.x, moments.y], axis=-1)
    shift = np.concatenate([moments.x_shift, moments.y_shift])
    scatter = squares - sums**2 / weight
    mean = np.abs(shift) + np.abs(sums) / weight
    rounding = weight * (weight * mean * EPS) ** 2
    enough = (scatter >= _KEPT * first) & (scatter > 10 * rounding)
    return (enough | (first == 0)).all(axis=-1)


def standardised(mean, variance, n_samples, settings):
    """Means and divisors that standardise columns, step after step.

    Parameters
    ----------
    mean, variance : ndarray of shape (p,)
    n_samples : float, or ndarray of shape (n_draws,)
        Sum of weights: the bound below which a variance is taken for rounding depends
        on it.
    settings : list of (bool, bool)
        For each step whether it centres and whether it scales.

    Returns
    -------
    offset, scale : ndarray of shape (p,)
        Columns become ``(x - offset) / scale``.
    """
    offset, scale = np.zeros(mean.shape), np.ones(mean.shape)
    n_samples = np.asarray(n_samples)[..., None]
    for with_mean, with_std in settings:
        own_mean, own = (mean - offset) / scale, variance / scale**2
        if with_mean:
            offset = offset + scale * own_mean
        if with_std:
            # The bound of Chan, Golub and LeVeque (1983) for sums in two passes.
            rounding = n_samples * EPS * own + (n_samples * own_mean * EPS) ** 2
            scale = scale * np.where(own <= rounding, 1.0, np.sqrt(own))
    return offset, scale


@dataclass(frozen=True, eq=False)
class Problem:
    """A least-squares problem for one unit of weight, and the way back to X.

    Attributes
    ----------
    gram : ndarray of shape (p, p)
    xy : ndarray of shape (p, n_outputs)
    yy : ndarray of shape (n_outputs,)
        Half of ``yy - 2 xy'w + w'gram w`` is half the mean squared error of w.
    centre, scale : ndarray of shape (p,)
    offset : ndarray of shape (n_outputs,)
        The prediction is ``(X - centre) @ (w / scale) + offset``.
    """

    gram: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    offset: np.ndarray


def problem_of(centred, offset, scale, *, fit_intercept):
    """The problem of columns ``(x - offset) / scale``, with or without an intercept.

    Parameters
    ----------
    centred : Centred
    offset, scale : ndarray of shape (p,)
    fit_intercept : bool

    Returns
    -------
    problem : Problem
    """
    gram = centred.xx / _outer(scale, scale)
    xy = centred.xy / scale[..., None]
    if fit_intercept:
        return Problem(gram, xy, centred.yy, centred.x, scale, centred.y)
    mean = (centred.x - offset) / scale
    return Problem(
        gram + _outer(mean, mean),
        xy + _outer(mean, centred.y),
        centred.yy + centred.y**2,
        offset,
        scale,
        np.zeros(centred.y.shape),
    )


def mean_squared_errors(problem, coef):
    """Training errors of coefficients, or None where rounding would swamp them.

    Parameters
    ----------
    problem : Problem
    coef : ndarray of shape (n_values, n_outputs, p)

    Returns
    -------
    errors : ndarray of shape (n_values, n_outputs), or None
    """
    return _spread_of_residuals(problem.gram, problem.xy, problem.yy, coef)


def _spread_of_residuals(xx, xy, yy, coef):
    """``yy - 2 xy'w + w'xx w``, or None where rounding would swamp it."""
    fitted = (coef * xy.T).sum(axis=2)
    products = (coef.reshape(-1, coef.shape[2]) @ xx).reshape(coef.shape)
    squares = (products * coef).sum(axis=2)
    errors = yy - 2 * fitted + squares
    if (errors < _SWAMPED * np.maximum(yy, np.abs(squares))).any():
        return None
    return errors


def errors_on(moments, coef, centre, offset):
    """Mean squared errors of linear predictions on the rows of moments.

    Parameters
    ----------
    moments : Moments
    coef : ndarray of shape (n_values, n_outputs, p)
    centre : ndarray of shape (p,)
    offset : ndarray of shape (n_values, n_outputs)
        The prediction is ``(X - centre) @ coef + offset``.

    Returns
    -------
    errors : ndarray of shape (n_values, n_outputs), or None
        None where rounding would swamp them.

    Notes
    -----
    The spread of the residuals about their mean, and the square of that mean.
    """
    x, y = moments.x / moments.weight, moments.y / moments.weight
    spread = _spread_of_residuals(
        moments.xx / moments.weight - np.outer(x, x),
        moments.xy / moments.weight - np.outer(x, y),
        moments.yy / moments.weight - y * y,
        coef,
    )
    if spread is None:
        return None
    lead = offset + coef @ (moments.x_shift - centre + x)
    return spread + (moments.y_shift + y - lead) ** 2
