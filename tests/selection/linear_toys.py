"""Small problems for closed forms, and the same figures by fits of scikit-learn."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import Ridge

from genestimators.resampling import Draw
from genestimators.selection._evidence import Data


def problem(seed, n=40, p=5, k=None, classes=0):
    """Rows with correlated columns; numbers, several outputs or classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 2.0, size=p) + rng.normal(size=p)
    X[:, -1] += X[:, 0]
    signal = X[:, :3] @ rng.normal(size=(3, k or 1))
    y = signal + 0.5 * rng.normal(size=signal.shape)
    if classes:
        cuts = np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1])
        y = np.array(["a", "b", "c"])[np.digitize(y[:, 0], cuts)]
    return X, y if k else y.reshape(n)


def draws_of(n, seed=0, n_draws=3, weighted=False):
    """Draws of two thirds of the rows, the others left out."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n_draws):
        order = rng.permutation(n)
        rows, out = np.sort(order[: 2 * n // 3]), np.sort(order[2 * n // 3 :])
        weights = rng.uniform(0.5, 2.0, size=n) if weighted else np.ones(n)
        found.append(Draw(rows, weights[rows], out, weights[out], out))
    return tuple(found)


def data_of(X, y, *, labels=None, forced=None, estimator=None, classifier=False, **kw):
    """What engines take; draws are those of `draws_of`."""
    labels = np.arange(X.shape[1]) if labels is None else np.asarray(labels)
    n_units = int(labels.max()) + 1
    forced = np.zeros(n_units, bool) if forced is None else np.asarray(forced)
    draws = draws_of(X.shape[0], **kw)
    return Data(
        estimator, X, y, labels, forced, draws, False, classifier, None, {}, seed=0
    )


def slow_targets(y, classifier):
    """Columns to fit: classes as indicators, several outputs in units of theirs."""
    if classifier:
        classes = sorted(set(y))
        first = 1 if len(classes) == 2 else 0
        return np.array([[float(a == c) for c in classes[first:]] for a in y])
    if y.ndim == 1:
        return y[:, None]
    return np.stack([column / column.std() for column in y.T], axis=1)


def slow_fit(base, X, Y, draw):
    """Coefficients and intercept of a fit on a draw, in units of the columns of X."""
    rows, weight = draw.rows, draw.counts
    scale = np.ones(X.shape[1])
    if base.scaled:
        mean = np.average(X[rows], axis=0, weights=weight)
        scale = np.sqrt(np.average((X[rows] - mean) ** 2, axis=0, weights=weight))
        scale[scale < 1e-12] = 1.0
    model = clone(Ridge(alpha=base.ridge))
    model.fit(X[rows] / scale, Y[rows], sample_weight=weight)
    return model.coef_.reshape(Y.shape[1], -1), model.intercept_, scale


def slow_objective(base, X, Y, draw, columns):
    """The penalised sum of squares of a fit on some columns."""
    rows, weight = draw.rows, draw.counts
    if not len(columns):
        mean = np.average(Y[rows], axis=0, weights=weight)
        return float((weight[:, None] * (Y[rows] - mean) ** 2).sum())
    coef, intercept, scale = slow_fit(base, X[:, columns], Y, draw)
    left = Y[rows] - X[rows][:, columns] / scale @ coef.T - intercept
    return float((weight[:, None] * left**2).sum() + base.ridge * (coef**2).sum())


def slow_loss(base, X, Y, draw, columns):
    """The mean squared error on the rows left out, summed over outputs."""
    out, weight = draw.out_of_bag, draw.out_of_bag_counts
    predicted = np.average(Y[draw.rows], axis=0, weights=draw.counts)
    if len(columns):
        coef, intercept, scale = slow_fit(base, X[:, columns], Y, draw)
        predicted = X[out][:, columns] / scale @ coef.T + intercept
    return float(np.average((Y[out] - predicted) ** 2, axis=0, weights=weight).sum())


def slow_costs(base, X, Y, draw, labels, units):
    """What leaving each unit out of those that are there costs."""
    now = slow_objective(base, X, Y, draw, np.flatnonzero(np.isin(labels, units)))
    without = [[other for other in units if other != unit] for unit in units]
    return np.array(
        [
            slow_objective(base, X, Y, draw, np.flatnonzero(np.isin(labels, left)))
            - now
            for left in without
        ]
    )


def slow_elimination(base, X, Y, draws, labels, n_kept=None):
    """Ranks and running costs of one elimination, by mean costs of some draws.

    A fifth of the units goes at a time while more than `n_kept` are left.
    """
    units = list(range(labels.max() + 1))
    ranks, costs = np.zeros(len(units), int), np.zeros(len(units))
    reached = 0.0
    while units:
        now = np.mean(
            [slow_costs(base, X, Y, draw, labels, units) for draw in draws], axis=0
        )
        n_gone = 1
        if n_kept is not None and len(units) > n_kept:
            n_gone = min(max(1, int(0.2 * len(units))), len(units) - n_kept)
        gone = np.argsort(now)[:n_gone]
        for place, unit in enumerate(gone):
            ranks[units[unit]] = len(units) - place
            costs[units[unit]] = max(reached, now[unit])
        reached = max(reached, now[gone].max())
        units = [unit for place, unit in enumerate(units) if place not in gone]
    return ranks, costs
