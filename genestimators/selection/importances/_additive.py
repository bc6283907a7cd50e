"""Importances from additive boosting of rank polynomials, for many draws and responses.

A feature enters through Legendre polynomials of its mid-ranks, so that monotone
transformations of it change nothing and outliers have no weight. In each round the
feature whose polynomials explain most of the weighted residual is fitted by weighted
least squares, and a share of the fit is taken off the residual. All responses of a
draw (y, and copies of y with its rows permuted) are boosted at once: the gains of all
features are one matrix product.
"""

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from genestimators._inputs import frame_columns
from genestimators._parallel import run_in_order

DEGREE = 4
N_ROUNDS = 30
SHRINKAGE = 0.5

_BLOCK = 64  # features orthonormalised at a time, to stay in the processor's cache
_FLOOR = 1e-10  # of the total sum of squares; smaller gains are rounding noise
_COLUMNS = 4  # products with a multiple of so many columns are faster


def additive_importance(
    X,
    Y,
    draw_weights,
    *,
    labels=None,
    permutations=None,
    row_weight=None,
    n_rounds=N_ROUNDS,
    shrinkage=SHRINKAGE,
    degree=DEGREE,
    n_jobs=None,
):
    """Importance and rank of each unit in each draw, by additive boosting.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Numbers without NaN.
    Y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        The response; see :func:`working_response` for classes and several outputs.
        The outputs share the feature of a round, the one with the largest gain summed
        over outputs.
    draw_weights : array-like of shape (n_draws, n_rows)
        Weight of each row in each draw; rows of weight 0 are left out of it.
    labels : array-like of shape (n_features,), int, default=None
        The unit of each feature, numbered from 0. A round fits one feature, and the
        importance of a unit is the sum over its features. (A joint fit of all features
        of a unit would favour large units by its degrees of freedom.) By default each
        feature is a unit.
    permutations : array-like of shape (n_runs, n_rows), int, default=None
        Orders of the rows of Y, each for one run under the global null: row i of X is
        given row `permutations[run, i]` of Y, while weights stay with X.
    row_weight : array-like of shape (n_rows,), default=None
        Weights for the ranks, by which a row of weight 2 is two rows.
    n_rounds : int, default=30
    shrinkage : float in (0, 1], default=0.5
        The share of a fit that is taken off the residual. What matters is foremost
        the product of `n_rounds` and `shrinkage`, 15 here.
    degree : int, default=4
        Of the polynomials.
    n_jobs : int, default=None
        The draws run in parallel, in threads. Results do not depend on it.

    Returns
    -------
    scores : ndarray of shape (n_draws, n_units)
        Share of the draw's weighted sum of squares that fits of the unit explained.
    ranks : ndarray of shape (n_draws, n_units), int
        1 for the largest score; tied units share the last of their ranks, so that
        never more than k units are among the first k. Units that were never fitted
        have `n_units + 1`.
    null_scores : ndarray of shape (n_runs, n_draws, n_units)
        The scores of the permuted runs; `n_runs` is 0 without `permutations`.

    Notes
    -----
    In a draw with weights w the polynomials of a feature are made orthonormal to each
    other and to the intercept in the inner product sum_i w_i f_i g_i, by Gram-Schmidt
    in double precision; a polynomial that depends on lower ones (a feature with few
    distinct values, a constant) is left out. The least-squares gain of a feature is
    then the sum of its squared coefficients, exactly. Polynomials and residuals are
    kept in single precision, the residual in units of the total sum of squares: gains
    are off by about 1e-6 of it. Memory is that of the polynomials in one draw, 4
    `degree` n_features n_drawn bytes a job, next to 8 n_features n_rows for the ranks.

    Of features with the same ranks, one takes all the credit in a round: put copies in
    one unit.

    References
    ----------
    .. [1] Buehlmann, P. & Yu, B. (2003). Boosting with the L2 loss. Journal of the
       American Statistical Association 98, 324-339.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators.selection.importances._additive import additive_importance
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X[:, 1] ** 2 + 0.1 * rng.normal(size=100)
    >>> scores, ranks, _ = additive_importance(X, y, np.ones((1, 100)))
    >>> int(ranks[0].argmin())
    1
    """
    X, Y = _check_data(X, Y)
    n_rows, n_features = X.shape
    draw_weights = _check_weights(draw_weights, n_rows)
    labels = _check_labels(labels, n_features)
    orders = np.arange(n_rows)[None]
    if permutations is not None:
        orders = np.vstack([orders, _check_orders(permutations, n_rows)])
    ranks = centred_ranks(X, row_weight)
    tasks = (
        {
            "ranks": ranks,
            "Y": Y,
            "orders": orders,
            "weight": weight,
            "n_rounds": n_rounds,
            "shrinkage": shrinkage,
            "degree": degree,
        }
        for weight in draw_weights
    )
    n_units = labels.max() + 1
    found = np.zeros((len(orders), len(draw_weights), n_units))
    results = run_in_order(_boost_draw, tasks, n_jobs=n_jobs, threads=True)
    for draw, gains in enumerate(results):
        for run, gain in enumerate(gains):
            found[run, draw] = np.bincount(labels, weights=gain, minlength=n_units)
    return found[0], ranks_of(found[0]), found[1:]


def working_response(y, *, classifier=False, sample_weight=None):
    """The columns that boosting fits, each output with the same total variance.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
    classifier : bool, default=False
        Replace an output by the centred indicators of its classes (one of them if
        there are two). A class counts by the variance of its indicator, as in the
        Gini index.
    sample_weight : array-like of shape (n_rows,), default=None

    Returns
    -------
    Y : ndarray of shape (n_rows, n_columns)
        Centred. An output that is constant becomes zeros.
    """
    y = np.asarray(y)
    outputs = y[:, None] if y.ndim == 1 else y
    columns = []
    for output in outputs.T:
        block = output[:, None]
        if classifier:
            classes, codes = np.unique(output, return_inverse=True)
            block = codes[:, None] == np.arange(len(classes))
            block = block[:, 1:] if len(classes) == 2 else block
        block = block.astype(np.float64)
        block -= np.average(block, axis=0, weights=sample_weight)
        spread = np.average(block**2, axis=0, weights=sample_weight).sum()
        columns.append(block / np.sqrt(spread) if spread > 0 else 0 * block)
    return np.hstack(columns)


def centred_ranks(X, row_weight=None):
    """Mid-ranks of each column as shares of the weight, put on (-1, 1).

    A value becomes the share of weight below it less the share above it.
    """
    X = np.asarray(X)
    weight = np.ones(len(X)) if row_weight is None else np.asarray(row_weight, float)
    ranks = np.empty(X.shape)
    for j, column in enumerate(X.T):
        _, place = np.unique(column, return_inverse=True)
        mass = np.bincount(place, weights=weight)
        running = np.cumsum(mass)
        ranks[:, j] = ((2 * running - mass) / running[-1] - 1)[place]
    return ranks


def ranks_of(scores):
    """Ranks of units in each draw, 1 for the best, `n_units + 1` for a score of 0."""
    n_units = scores.shape[1]
    ranks = rankdata(-scores, method="max", axis=1).astype(np.intp)
    return np.where(scores > 0, ranks, n_units + 1)


def orthonormal_polynomials(ranks, root, degree):
    """Legendre polynomials of ranks, orthonormal in a draw.

    Parameters
    ----------
    ranks : ndarray of shape (n_drawn, n_features)
        Between -1 and 1.
    root : ndarray of shape (n_drawn,)
        Square roots of the weights of the rows, which sum to 1.
    degree : int

    Returns
    -------
    basis : ndarray of shape (degree, n_features, n_drawn), float32
        Multiplied by `root`, so that inner products are plain; each row has length 1
        or, where the polynomial depends on lower ones, 0.
    """
    n_drawn, n_features = ranks.shape
    basis = np.empty((degree, n_features, n_drawn), dtype=np.float32)
    for first in range(0, n_features, _BLOCK):
        block = np.ascontiguousarray(ranks[:, first : first + _BLOCK].T)
        done = []
        before, polynomial = np.zeros_like(block), np.ones_like(block)
        for k in range(degree):
            raised = (2 * k + 1) * block * polynomial - k * before
            before, polynomial = polynomial, raised / (k + 1)
            rest = polynomial * root
            rest -= (rest @ root)[:, None] * root
            size = np.einsum("fi,fi->f", rest, rest)
            for other in done:
                rest -= np.einsum("fi,fi->f", rest, other)[:, None] * other
            left = np.einsum("fi,fi->f", rest, rest)
            keep = (left > 1e-10 * size) & (left > 1e-18)
            rest *= (keep / np.sqrt(np.where(keep, left, 1)))[:, None]
            basis[k, first : first + _BLOCK] = rest
            done.append(rest)
    return basis


def _boost_draw(ranks, Y, orders, weight, **settings):
    """Gains of each feature in one draw, for each order of the rows of Y."""
    rows = np.flatnonzero(weight)
    if len(rows) == 0:
        return np.zeros((len(orders), ranks.shape[1]))
    root = np.sqrt(weight[rows] / weight[rows].sum())
    residual = Y[orders[:, rows]].transpose(0, 2, 1) * root
    residual -= (residual @ root)[..., None] * root
    total = np.sqrt((residual**2).sum(axis=(1, 2), keepdims=True))
    # What centring leaves of a constant is rounding noise, of about this size.
    size = np.sqrt((Y**2).mean(axis=0).sum())
    residual *= np.where(total > 1e-12 * size, 1 / np.where(total > 0, total, 1), 0)
    basis = orthonormal_polynomials(ranks[rows], root, settings.pop("degree"))
    return boost(basis, residual, **settings)


def boost(basis, residual, *, n_rounds, shrinkage):
    """Share of the sum of squares that fits of each feature explain.

    Parameters
    ----------
    basis : ndarray of shape (degree, n_features, n_drawn)
        Orthonormal within a feature.
    residual : ndarray of shape (n_runs, n_outputs, n_drawn)
        Each run with a sum of squares of 1 (or 0).

    Returns
    -------
    gains : ndarray of shape (n_runs, n_features)
    """
    degree, n_features, n_drawn = basis.shape
    n_runs, n_outputs, _ = residual.shape
    flat = basis.reshape(degree * n_features, n_drawn)
    used = n_runs * n_outputs
    padded = np.zeros((-(-used // _COLUMNS) * _COLUMNS, n_drawn), dtype=np.float32)
    padded[:used] = residual.reshape(used, n_drawn)
    residual = padded[:used].reshape(n_runs, n_outputs, n_drawn)
    gains = np.zeros((n_runs, n_features))
    runs = np.arange(n_runs)
    for _ in range(n_rounds):
        inner = (flat @ padded.T)[:, :used].reshape(degree, n_features, n_runs, -1)
        explained = np.einsum("kfro,kfro->fr", inner, inner)
        best = explained.argmax(axis=0)
        gain = explained[best, runs].astype(np.float64)
        worth = gain > _FLOOR
        if not worth.any():
            break
        gains[runs, best] += shrinkage * (2 - shrinkage) * np.where(worth, gain, 0)
        coefficients = inner[:, best, runs] * np.float32(shrinkage)
        residual -= np.einsum("kro,kri->roi", coefficients, basis[:, best])
    return gains


def _check_data(X, Y):
    if sparse.issparse(X):
        raise TypeError(
            "Additive importances need a dense X, since ranks of a sparse matrix are "
            f"dense; pass X.toarray() or choose another importance. Got {type(X)}."
        )
    columns = frame_columns(X)
    X = np.asarray(X) if columns is None else np.column_stack(columns)
    Y = np.asarray(Y)
    if X.ndim != 2 or X.shape[1] == 0:
        raise ValueError(
            f"X must have two dimensions and at least one column. Got {X.shape}."
        )
    if X.dtype.kind not in "buif":
        try:
            X = X.astype(np.float64)
        except (TypeError, ValueError) as exc:
            raise ValueError(
                "Additive importances need numeric columns; encode texts and "
                f"categories first. Got an array of {X.dtype}."
            ) from exc
    if np.isnan(X).any():
        raise ValueError(
            "Additive importances need X without NaN; impute first or choose another "
            f"importance. Got NaN in {int(np.isnan(X).any(axis=0).sum())} columns."
        )
    Y = Y.astype(np.float64)
    Y = Y[:, None] if Y.ndim == 1 else Y
    if len(Y) != len(X):
        raise ValueError(
            f"Y must have a row for each row of X. Got {len(Y)} and {len(X)}."
        )
    if not np.isfinite(Y).all():
        raise ValueError("Y must be finite; drop rows without a response.")
    return X, Y - Y.mean(axis=0)


def _check_weights(draw_weights, n_rows):
    weights = np.asarray(draw_weights, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[1] != n_rows:
        raise ValueError(
            "`draw_weights` must have a row for each draw and a column for each row of "
            f"X, of which there are {n_rows}. Got shape {weights.shape}."
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("`draw_weights` must be finite and not negative.")
    return weights


def _check_labels(labels, n_features):
    if labels is None:
        return np.arange(n_features)
    labels = np.asarray(labels)
    if labels.shape != (n_features,):
        raise ValueError(
            f"`labels` must have an entry for each of the {n_features} features. Got "
            f"shape {labels.shape}."
        )
    if labels.dtype.kind not in "ui" or labels.min() < 0:
        raise ValueError("`labels` must be integers from 0 on.")
    return labels


def _check_orders(permutations, n_rows):
    orders = np.asarray(permutations)
    if orders.ndim != 2 or (np.sort(orders, axis=1) != np.arange(n_rows)).any():
        raise ValueError(
            f"`permutations` must hold orders of the {n_rows} rows, one a run."
        )
    return orders
