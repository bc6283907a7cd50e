"""Newton's method for ridge-penalised losses of a linear predictor, many at a time.

Problems are stacked along a first axis: penalties, folds, or both. Each minimises

    sum_i weight_i loss(y_i, theta x_i) + 1/2 sum_j ridge_j |theta_j|^2

over theta of shape (n_latent, q): one row of coefficients for each number that the loss
takes from a row of X. Weights sum to one.

The Newton decrement, the length of a step in the metric of the Hessian, tells how far
the solution is on any scale of the columns (Boyd and Vandenberghe, 2004, section 9.5).
Divided by the root of the mean curvature it is a change of the linear predictor.
A Hessian is the dear part. Where rows are many it is kept from one step, penalty or
fold to the next, as long as steps shrink fast enough; steps are then no longer
quadratic, but solutions are as exact.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_WIDE = 2**19  # numbers in the products of columns, up to which they are kept
_BLOCK = 2**17  # numbers in a block of rows: it stays in the cache
_TRUSTED = 0.3  # steps that are shorter need no check of the objective
_FAR = 0.6  # after steps that are longer the Hessian is another one
_LEAST = 1e-12  # mean curvature
_SHRINKING = 0.5  # a step longer than this part of the last one is suspect
_ARMIJO = 1e-4
_HALVINGS = 40


@dataclass(frozen=True, eq=False)
class Solutions:
    """Where the steps ended.

    Attributes
    ----------
    theta : ndarray of shape (n_problems, n_latent, q)
    n_iter : ndarray of shape (n_problems,), int
    converged : ndarray of shape (n_problems,), bool
    hessian : ndarray of shape (n_problems, d, d) or None
        Of the loss alone, the last that was used; d is ``n_latent * q``. None where
        every step had its own.
    """

    theta: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    hessian: np.ndarray | None

    def take(self, which):
        """Those of some problems."""
        hessian = None if self.hessian is None else self.hessian[which]
        return Solutions(
            self.theta[which], self.n_iter[which], self.converged[which], hessian
        )


def column_products(design):
    """Products of all pairs of columns, or None where there would be too many.

    Parameters
    ----------
    design : ndarray of shape (n, q)

    Returns
    -------
    products : ndarray of shape (n, q * (q + 1) / 2), or None
        With them the Hessians of a stack of problems are one product of matrices.
    """
    n, q = design.shape
    if n * q * q > _WIDE:
        return None
    first, second = np.triu_indices(q)
    return design[:, first] * design[:, second]


def predict(design, theta):
    """Linear predictors of shape (n_problems, n_latent, n)."""
    flat = theta.reshape(-1, theta.shape[-1]) @ design.T
    return flat.reshape(*theta.shape[:2], len(design))


def gradients(design, weight, slopes, theta, ridge):
    """Gradients of shape (n_problems, n_latent, q).

    Parameters
    ----------
    design : ndarray of shape (n, q)
    weight : ndarray of shape (1, n) or (n_problems, n)
    slopes : ndarray of shape (n_problems, n_latent, n)
    theta : ndarray of shape (n_problems, n_latent, q)
    ridge : ndarray of shape (n_problems, q)
    """
    weighted = slopes * weight[:, None]
    flat = weighted.reshape(-1, len(design)) @ design
    return flat.reshape(theta.shape) + ridge[:, None] * theta


def hessians(design, products, weight, curvatures):
    """Hessians of the loss, ndarray of shape (n_problems, d, d).

    Parameters
    ----------
    design : ndarray of shape (n, q)
    products : ndarray of shape (n, q * (q + 1) / 2) or None
    weight : ndarray of shape (1, n) or (n_problems, n)
    curvatures : ndarray of shape (n_problems, n_latent, n_latent, n)
    """
    q = design.shape[1]
    n_problems, k = curvatures.shape[:2]

    def block(a, b):
        own = curvatures[:, a, b] * weight
        if products is not None:
            return np.take(own @ products, _places(q), axis=1)
        return np.stack([_weighted_gram(design, w, a == b) for w in own])

    if k == 1:
        return block(0, 0)
    out = np.empty((n_problems, k, q, k, q))
    for a in range(k):
        for b in range(a + 1):
            out[:, a, :, b] = out[:, b, :, a] = block(a, b)
    return out.reshape(n_problems, k * q, k * q)


@lru_cache(maxsize=8)
def _places(q):
    """The place of each pair of columns among their products."""
    place = np.zeros((q, q), dtype=np.intp)
    place[np.triu_indices(q)] = np.arange(q * (q + 1) // 2)
    return np.maximum(place, place.T)


def _weighted_gram(design, weight, positive):
    n, q = design.shape
    out = np.zeros((q, q))
    step = max(64, _BLOCK // q)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        if positive:  # the product of a matrix with itself is half the work
            root = np.sqrt(np.maximum(weight[rows], 0.0))  # rounding may be below 0
            block = design[rows] * root[:, None]
            out += block.T @ block
        else:
            out += (design[rows] * weight[rows, None]).T @ design[rows]
    return out


def objectives(loss, eta, y, weight, theta, ridge):
    """Values of what is minimised, ndarray of shape (n_problems,)."""
    values = loss.values(eta, y)
    penalty = (ridge[:, None] * theta**2).sum(axis=(1, 2))
    return np.einsum("bn,bn->b", values, np.broadcast_to(weight, values.shape)) + (
        0.5 * penalty
    )


def minimise(
    loss, design, y, weight, ridge, theta, *, tol, max_iter, products=None, hessian=None
):
    """Minimise a stack of problems.

    Parameters
    ----------
    loss : object
        With `values(eta, y)` of shape (n_problems, n), its derivatives by eta,
        `slopes(eta, y)` and `curvatures(eta, slopes, y)`, the last positive
        semidefinite in every row, and `unit`, a large change of eta.
    design : ndarray of shape (n, q)
    y : ndarray of shape (n,)
    weight : ndarray of shape (1, n) or (n_problems, n)
        Each row sums to one.
    ridge : ndarray of shape (n_problems, q)
    theta : ndarray of shape (n_problems, n_latent, q)
        Where to start.
    tol : float
        How far, in the root mean square of the linear predictor and in the loss's
        unit, a solution may be from the minimum.
    max_iter : int
    products : ndarray of shape (n, q * (q + 1) / 2), default=None
        From `column_products`; with them every step has a Hessian of its own.
    hessian : ndarray of shape (n_problems, d, d), default=None
        Of the loss, near the solution: the first steps take it for their own.

    Returns
    -------
    solutions : Solutions
    """
    n_problems, k, q = theta.shape
    theta = np.array(theta)
    lazy = products is None
    cost = (
        1 + q * (k + 1) * min(n_problems, 8) / 80
    )  # of a Hessian, in steps without it
    known = None
    if lazy:
        known = np.zeros((n_problems, k * q, k * q))
        inverse = np.empty_like(known)
    if hessian is not None:
        known[:] = hessian
        inverse[:] = _solve(_with_ridge(known.copy(), ridge), np.eye(k * q))
    renew = np.full(n_problems, hessian is None)
    spread = np.zeros(n_problems)
    last = np.full(n_problems, np.nan)
    n_iter = np.zeros(n_problems, dtype=int)
    converged = np.zeros(n_problems, dtype=bool)
    active = np.arange(n_problems)
    for _ in range(max_iter):
        own, here = _of(weight, active), theta[active]
        eta = predict(design, here)
        slopes = loss.slopes(eta, y)
        flat = gradients(design, own, slopes, here, ridge[active])
        flat = flat.reshape(len(active), k * q, 1)
        fresh = renew[active]
        unknown = fresh | (spread[active] == 0)
        if unknown.any():
            curvatures = loss.curvatures(eta, slopes, y)
            mean = np.einsum("bkkn,bn->b", curvatures, _rows(own, len(active))) / k
            spread[active[unknown]] = np.maximum(mean, _LEAST)[unknown]
        if fresh.any():
            new = np.flatnonzero(fresh)
            full = hessians(design, products, _of(own, new), _of(curvatures, new))
            new = active[new]
            if lazy:
                known[new] = full
            full = _with_ridge(full, ridge[new])
            if lazy:
                inverse[new] = _solve(full, np.eye(k * q))
        # With products every Hessian is fresh, and one solution is all it is used for.
        step = -(inverse[active] @ flat if lazy else _solve(full, flat))
        decrement = np.maximum(-(step * flat).sum(axis=(1, 2)), 0.0)
        length = np.sqrt(decrement / spread[active]) / loss.unit
        lost = ~np.isfinite(decrement)
        step[lost] = 0.0
        step = step.reshape(here.shape)
        rate = length / last[active]  # NaN where there was no step to compare with
        size = np.ones(len(active))
        doubt = np.flatnonzero(~(length < _TRUSTED) | (rate > _SHRINKING))
        if len(doubt):
            size[doubt] = _step_sizes(
                loss,
                y,
                _of(own, doubt),
                ridge[active[doubt]],
                (eta[doubt], here[doubt]),
                (predict(design, step[doubt]), step[doubt]),
                decrement[doubt],
            )
        theta[active] = here + size[:, None, None] * step
        n_iter[active] += 1
        # What is left to go: a Newton step squares it, others shrink it at their rate.
        shrink = np.where(fresh, 5 * length, np.where(np.isnan(rate), 1.0, rate))
        left = length * np.minimum(shrink, 1.0)
        done = (left <= tol) & (size == 1)
        converged[active[done]] = True
        # A Hessian pays where more steps would be needed without it than it costs.
        with np.errstate(divide="ignore"):
            steps = np.log(tol / left) / np.log(np.clip(rate, 1e-9, 0.99))
        slow = ~fresh & (steps > cost)
        renew[active] = slow | (size < 1) | (length > _FAR) | (not lazy)
        last[active] = np.where(size == 1, length, np.nan)
        active = active[~(done | (fresh & (size == 0)))]
        if not len(active):
            break
    return Solutions(theta, n_iter, converged, known)


def follow(
    loss, design, y, weight, ridges, theta, *, tol, max_iter, keep_hessians=False
):
    """Minimise one problem after the other, each from the solution before.

    Parameters
    ----------
    loss, design, y, weight, tol, max_iter
        As in `minimise`, with `weight` of shape (1, n).
    ridges : ndarray of shape (n_problems, q)
        From strong to weak.
    theta : ndarray of shape (1, n_latent, q)
        Where to start.
    keep_hessians : bool, default=False
        Whether to return them.

    Returns
    -------
    solutions : Solutions
    """
    found, kept, last = [], [], None
    for ridge in ridges:
        last = minimise(
            loss,
            design,
            y,
            weight,
            ridge[None],
            theta if last is None else last.theta,
            tol=tol,
            max_iter=max_iter,
            hessian=None if last is None else last.hessian,
        )
        found.append((last.theta, last.n_iter, last.converged))
        if keep_hessians:
            kept.append(last.hessian)
    return Solutions(
        *(np.concatenate(parts) for parts in zip(*found, strict=True)),
        np.concatenate(kept) if kept else None,
    )


def _step_sizes(loss, y, weight, ridge, place, step, decrement):
    """How much of each step to go, by halving until the objective has decreased.

    Returns
    -------
    sizes : ndarray of shape (n_problems,)
        0 where no part of the step is of use.
    """
    eta, theta = place
    moved, change = step
    before = objectives(loss, eta, y, weight, theta, ridge)
    sizes = np.where(np.isfinite(decrement), 1.0, 0.0)
    todo = np.flatnonzero(sizes)
    for _ in range(_HALVINGS):
        size = sizes[todo, None, None]
        after = objectives(
            loss,
            eta[todo] + size * moved[todo],
            y,
            _of(weight, todo),
            theta[todo] + size * change[todo],
            ridge[todo],
        )
        wanted = _ARMIJO * sizes[todo] * decrement[todo]
        rounding = 1e-14 * np.abs(before[todo])
        todo = todo[~(after <= before[todo] - wanted + rounding)]
        if not len(todo):
            return sizes
        sizes[todo] /= 2
    sizes[todo] = 0.0
    return sizes


def _of(rows, which):
    """Rows of some problems, in their order; one row stands for all of them."""
    return rows if len(rows) in (1, len(which)) else rows[which]


def _rows(weight, n_problems):
    return np.broadcast_to(weight, (n_problems, weight.shape[1]))


def _with_ridge(hessian, ridge):
    """The Hessians with the ridges on their diagonals; it writes into them."""
    diagonal = np.einsum("bii->bi", hessian)
    diagonal += np.tile(ridge, (1, diagonal.shape[1] // ridge.shape[1]))
    return hessian


def _solve(full, right):
    right = np.broadcast_to(right, (len(full), *right.shape[-2:]))
    try:
        return np.linalg.solve(full, right)
    except np.linalg.LinAlgError:
        return np.stack([_solve_one(*pair) for pair in zip(full, right, strict=True)])


def _solve_one(full, right):
    try:
        return np.linalg.solve(full, right)
    except np.linalg.LinAlgError:
        # No curvature is left in some direction; a little there keeps steps finite.
        little = max(np.trace(full), _LEAST) * 1e-10
        return np.linalg.solve(full + little * np.eye(len(full)), right)
