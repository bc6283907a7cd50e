"""Maximum likelihood of a normal law from incomplete rows.

The EM algorithm, with what its steps would lead to foreseen from the last few of them
(Anderson's mixing). A foreseen point is kept only where it raises the objective, so the
objective never falls, and the fixed points are those of EM.

References
----------
Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). Maximum likelihood from incomplete
data via the EM algorithm. JRSS B, 39(1), 1-38.
Walker, H. F. & Ni, P. (2011). Anderson acceleration for fixed-point iterations. SIAM
Journal on Numerical Analysis, 49(4), 1715-1735.
Henderson, N. C. & Varadhan, R. (2019). Damped Anderson acceleration with restarts and
monotonicity control for accelerating EM and EM-like algorithms. JCGS, 28(4), 834-846.
"""

from dataclasses import dataclass

import numpy as np

_MEMORY = 4  # steps that the next one is foreseen from


@dataclass(frozen=True)
class NormalFit:
    """A normal law, and how it was reached.

    Attributes
    ----------
    mean : ndarray of shape (p,)
    covariance : ndarray of shape (p, p)
    scatter : ndarray of shape (p, p)
        Expected sum of products about the mean, without the penalty.
    objective : ndarray of shape (n_iter,)
        The log-likelihood at the start of each iteration, less the penalty.
    converged : bool
    """

    mean: np.ndarray
    covariance: np.ndarray
    scatter: np.ndarray
    objective: np.ndarray
    converged: bool


def fit_normal(rows, penalty, start, *, max_iter, tol):
    """Fit a normal law to incomplete rows.

    Parameters
    ----------
    rows : IncompleteRows
    penalty : float
        Rows that the identity counts for in the covariance, zero or more.
    start : tuple of ndarray
        Mean and covariance to begin at.
    max_iter : int
    tol : float
        The largest change of a mean or a covariance in an iteration at which to stop.

    Returns
    -------
    fit : NormalFit
    """
    point = start
    step = _Step(rows, penalty)
    after, value = step(point)
    objective = [value]
    history = _History()
    while True:
        change = max(np.abs(b - a).max() for a, b in zip(point, after, strict=True))
        converged = bool(change <= tol)
        if converged or len(objective) >= max_iter:
            scatter = after[1] * (rows.weight + penalty) - penalty * np.eye(
                len(after[0])
            )
            return NormalFit(*after, scatter, np.array(objective), converged)
        foreseen = history.foresee(_vector(point), _vector(after))
        point, after, value = step.try_first(
            _parts(foreseen, len(after[0])), after, objective[-1], history
        )
        objective.append(value)


class _Step:
    """One EM step, which also tells the objective where it started."""

    def __init__(self, rows, penalty):
        self.rows = rows
        self.penalty = penalty

    def __call__(self, point):
        mean, covariance = point
        sums = self.rows.expect(mean, covariance)
        shift = sums.first / sums.weight
        scatter = sums.second - sums.weight * np.outer(shift, shift)
        value = sums.log_likelihood
        if self.penalty:
            scatter.ravel()[:: len(mean) + 1] += self.penalty
            root = np.linalg.cholesky(covariance)
            trace = np.square(np.linalg.inv(root)).sum()
            value -= self.penalty * (np.log(np.diag(root)).sum() + trace / 2)
        after = scatter / (sums.weight + self.penalty)
        return (mean + shift, (after + after.T) / 2), value

    def try_first(self, foreseen, sure, least, history):
        """A step from the foreseen point if that is above `least`, else from `sure`.

        Returns
        -------
        point, after : tuple of ndarray
        value : float
        """
        if foreseen is not None:
            try:
                after, value = self(foreseen)
            except np.linalg.LinAlgError:
                value = -np.inf
            if value >= least:
                return foreseen, after, value
            history.forget()
        after, value = self(sure)
        return sure, after, value


class _History:
    """The last points and the steps from them."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Begin anew."""
        self.points, self.steps = [], []

    def foresee(self, point, after):
        """The point that the steps so far lead to, or None if there was but one."""
        self.points = [*self.points[-_MEMORY:], point]
        self.steps = [*self.steps[-_MEMORY:], after - point]
        if len(self.points) == 1:
            return None
        moved = np.diff(self.points, axis=0)
        turned = np.diff(self.steps, axis=0)
        share = np.linalg.lstsq(turned.T, self.steps[-1], rcond=None)[0]
        return after - share @ (moved + turned)


def _vector(point):
    return np.concatenate([point[0], point[1].ravel()])


def _parts(vector, p):
    if vector is None:
        return None
    return vector[:p], vector[p:].reshape(p, p)
