"""One ridge-penalised loss under many weights, by quasi-Newton steps.

The problems are those of `_newton`, on the same rows and from the same start. At the
start every row has one curvature, whatever its weight, so the Hessians of all problems
are linear in their weights: one product of matrices makes them. Where columns are many
a Hessian of all rows can stand for them. From there on gradients alone are needed, two
products of matrices for all problems together. What they tell of the curvature on the
way goes into the inverse Hessians (the update of Broyden, Fletcher, Goldfarb and
Shanno, 1970), which brings solutions near in few steps. A problem that takes many gets
another Hessian of its own.

Nothing that is computed of a problem depends on another one: products of matrices
have the same shape at each step, and problems that are done are carried along.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.fitting.families.generalized_linear._newton import (
    hessians,
    predict,
)

_PAIRS = 80  # columns, up to which the products of all pairs of them are made
_BLOCK = 2**15  # numbers in a block of rows: it stays in the cache
_OWN = 1e-8  # of a column, in the metric of the Hessian, that the others must not share
_TURNED = 0.5  # of a slope, that may be left with the other sign
_CURVED = 0.1  # of the curvature that was expected, which an update has to show
_PATIENCE = 12  # steps with one Hessian
_MOST = 40  # steps


def stacked_hessians(design, weight, curvature):
    """Hessians of the loss at one point, ndarray of shape (n_problems, d, d).

    Parameters
    ----------
    design : ndarray of shape (n, q)
    weight : ndarray of shape (n_problems, n)
    curvature : ndarray of shape (n_latent, n_latent, n)
        Of each row, before its weight.
    """
    n, q = design.shape
    k, n_problems = len(curvature), len(weight)
    if q > _PAIRS:
        return np.concatenate(
            [
                _own_hessian(design, own, curvature, np.flatnonzero(own))
                for own in weight
            ]
        )
    first, second = np.triu_indices(q)
    sums = np.zeros((k, k, n_problems, len(first)))
    step = max(64, _BLOCK // len(first))
    block = np.empty((len(first), step))
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        columns = np.ascontiguousarray(design[rows].T)
        m = columns.shape[1]
        for a in range(k):
            for b in range(a + 1):
                curved = columns * curvature[a, b, rows]
                place = 0
                for j in range(q):
                    own = block[place : place + q - j, :m]
                    np.multiply(curved[j], columns[j:], out=own)
                    place += q - j
                sums[a, b] += weight[:, rows] @ block[:, :m].T
    out = np.empty((n_problems, k, q, k, q))
    for a in range(k):
        for b in range(a + 1):
            for i, j in ((first, second), (second, first)):
                out[:, a, i, b, j] = out[:, b, i, a, j] = sums[a, b]
    return out.reshape(n_problems, k * q, k * q)


def _own_hessian(design, weight, curvature, rows):
    """The Hessian of one problem, from the rows that have weight in it."""
    own = curvature[:, :, rows]
    return hessians(design[rows], None, weight[None, rows], own[None])


def inverses(full):
    """Inverses of Hessians, and how safe they are.

    Parameters
    ----------
    full : ndarray of shape (n_problems, d, d)

    Returns
    -------
    inverse : ndarray of shape (n_problems, d, d)
    own : ndarray of shape (n_problems,)
        The least part of a squared length, in the metric of the Hessian, that a
        coefficient has of its own; 0 where there is no inverse.
    """
    root = np.sqrt(np.einsum("bii->bi", full))
    root[~(root > 0)] = np.nan
    scaled = full / (root[:, :, None] * root[:, None])
    inverse = np.stack([_inverse(one) for one in scaled])
    diagonal = np.einsum("bii->bi", inverse)
    own = 1 / np.where(diagonal > 0, diagonal, np.inf).max(axis=1)
    inverse /= root[:, :, None] * root[:, None]
    return inverse, np.where(np.isfinite(inverse).all(axis=(1, 2)), own, 0.0)


def _inverse(matrix):
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def minimise_reweighted(
    loss, design, y, weight, ridge, start, *, tol, hessian=None, trusted=None
):
    """Minimise a loss under many weights.

    Parameters
    ----------
    loss : object
        As `minimise` takes it.
    design : ndarray of shape (n, q)
    y : ndarray of shape (n,)
    weight : ndarray of shape (n_problems, n)
        Each row sums to one; rows of zeros stand for no problem.
    ridge : ndarray of shape (n_problems, q)
    start : ndarray of shape (1, n_latent, q)
        Where all problems start.
    tol : float
        As `minimise` takes it, with the mean curvature of the rows at the start.
    hessian : ndarray of shape (1, d, d), default=None
        Of the loss, at the start, to begin with in place of own Hessians.
    trusted : ndarray of shape (n_problems,), bool, default=None
        The problems that begin with it.

    Returns
    -------
    theta : ndarray of shape (n_problems, n_latent, q)
    n_iter : ndarray of shape (n_problems,), int
    converged : ndarray of shape (n_problems,), bool
        False also where coefficients are not determined.
    """
    stack = _Stack(loss, design, y, weight, ridge, start.shape[1:])
    curvature = curvatures_at(loss, design, y, start)
    inverse, own = _first_inverses(stack, curvature, hessian, trusted)
    active = weight.any(axis=1) & (own > _OWN)
    inverse[~active] = 0.0
    spread = np.einsum("kkn,bn->b", curvature, weight) / len(curvature)
    unit = loss.unit * np.sqrt(np.where(active, spread, 1.0))
    theta = np.repeat(start.reshape(1, -1), len(weight), axis=0)
    slope = stack.first_slopes(start)
    step = -_times(inverse, slope)
    fall = -_dot(step, slope)  # and also the curvature along the step
    length = np.sqrt(np.maximum(fall, 0.0)) / unit
    rate, last = np.ones(len(weight)), np.ones(len(weight))
    n_iter = np.zeros(len(weight), dtype=int)
    converged = np.zeros(len(weight), dtype=bool)
    for number in range(1, _MOST + 1):
        # What the next slope would show is foreseen; the last step goes without.
        done = active & (length * np.maximum(rate, last) <= tol)
        theta[done] += step[done]
        n_iter[done] += 1
        converged |= done
        active &= ~done
        if not active.any():
            break
        step[~active] = 0.0
        trial = theta + step
        new = stack.slopes(trial)
        left = _dot(step, new)
        # The loss is convex: behind its least value along a step the slope turns.
        good = active & (left <= _TURNED * fall) & np.isfinite(new).all(axis=1)
        change = np.where(good[:, None], new - slope, 0.0)
        _update(inverse, np.where(good[:, None], step, 0.0), change, fall)
        theta[good], slope[good] = trial[good], new[good]
        n_iter[good] += 1
        renewed = good & (number % _PATIENCE == 0)
        for i in np.flatnonzero(renewed):
            here = curvatures_at(loss, design, y, theta[i].reshape(start.shape))
            inverse[i], own[i] = stack.inverse(i, here)
            active[i] = good[i] = own[i] > _OWN
        part = _shorter(fall, left)
        step = np.where(good[:, None], -_times(inverse, slope), step * part[:, None])
        fall = np.where(good, -_dot(step, slope), fall * part)
        before, length = length, np.sqrt(np.maximum(fall, 0.0)) / unit
        with np.errstate(invalid="ignore", divide="ignore"):
            last, rate = rate, np.where(good & ~renewed, length / before, 1.0)
    return theta.reshape(-1, *start.shape[1:]), n_iter, converged


@dataclass(frozen=True, eq=False)
class _Stack:
    """The problems, as `minimise_reweighted` takes them.

    Attributes
    ----------
    shape : tuple of int
        Of the coefficients of a problem, (n_latent, q).
    """

    loss: object
    design: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    ridge: np.ndarray
    shape: tuple

    def first_slopes(self, start):
        """Gradients at one place, (n_problems, d); rows have one slope each there."""
        slopes = self.loss.slopes(predict(self.design, start), self.y)
        return self._sums(start, lambda rows: slopes[:, :, rows] * self._each(rows))

    def slopes(self, flat):
        """Gradients of all problems, (n_problems, d)."""
        theta = flat.reshape(-1, *self.shape)

        def weighted(rows):
            eta = predict(self.design[rows], theta)
            slopes = self.loss.slopes(eta, self.y[rows])
            slopes *= self._each(rows)
            return slopes

        with np.errstate(over="ignore", invalid="ignore"):
            return self._sums(theta, weighted)

    def _sums(self, theta, weighted):
        """Gradients from weighted slopes of rows, block by block."""
        out = np.zeros((len(self.weight), *self.shape))
        step = max(64, _BLOCK // out[:, :, 0].size)
        for start in range(0, len(self.design), step):
            rows = slice(start, start + step)
            slopes = weighted(rows)
            own = slopes.reshape(-1, slopes.shape[2]) @ self.design[rows]
            out += own.reshape(out.shape)
        out += self.ridge[:, None] * theta
        return out.reshape(len(out), -1)

    def _each(self, rows):
        """Weights of some rows, for every predictor."""
        return self.weight[:, None, rows]

    def inverse(self, i, curvature):
        """As `inverses`, for problem i, where rows have some curvatures."""
        rows = np.flatnonzero(self.weight[i])
        full = _own_hessian(self.design, self.weight[i], curvature, rows)
        inverse, own = inverses(_ridged(full, self.ridge[i : i + 1]))
        return inverse[0], own[0]


def _first_inverses(stack, curvature, hessian, trusted):
    """As `inverses`, for all problems at the start."""
    if hessian is None:
        full = stacked_hessians(stack.design, stack.weight, curvature)
        return inverses(_ridged(full, stack.ridge))
    kinds, place = np.unique(stack.ridge, axis=0, return_inverse=True)
    full = np.repeat(hessian, len(kinds), axis=0)
    inverse, own = (one[place] for one in inverses(_ridged(full, kinds)))
    for i in np.flatnonzero(~trusted):
        inverse[i], own[i] = stack.inverse(i, curvature)
    return inverse, own


def _shorter(fall, left):
    """The part of a step at whose end the slope is zero, if it were linear."""
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.clip(fall / (fall + left), 0.1, 0.5)
    return np.where(np.isfinite(part), part, 0.1)


def curvatures_at(loss, design, y, theta):
    """Curvatures of the rows, (n_latent, n_latent, n), at theta (1, n_latent, q)."""
    eta = predict(design, theta)
    return loss.curvatures(eta, loss.slopes(eta, y), y)[0]


def _update(inverse, step, change, fall):
    """Let inverse Hessians know how slopes changed along a step; in place.

    Parameters
    ----------
    inverse : ndarray of shape (n_problems, d, d)
    step, change : ndarray of shape (n_problems, d)
        Zero where nothing is to be learned.
    fall : ndarray of shape (n_problems,)
        The curvature along the step that was expected.
    """
    curved = _dot(step, change)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(curved > _CURVED * fall, 1 / curved, 0.0)[:, None]
    moved = _times(inverse, change)
    extra = 1 + factor[:, 0] * _dot(change, moved)
    side = factor * (0.5 * extra[:, None] * step - moved)
    product = step[:, :, None] * side[:, None]
    inverse += product
    inverse += product.transpose(0, 2, 1)


def _ridged(hessian, ridge):
    diagonal = np.einsum("bii->bi", hessian)
    diagonal += np.tile(ridge, (1, diagonal.shape[1] // ridge.shape[1]))
    return hessian


def _times(matrices, vectors):
    return (matrices @ vectors[:, :, None])[:, :, 0]


def _dot(a, b):
    return np.einsum("bi,bi->b", a, b)
