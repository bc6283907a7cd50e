"""Steps uphill, with what they lead to foreseen from the last few.

Steps of EM go uphill and slowly. Where they lead is foreseen from the last of them
(Anderson's mixing). A foreseen point is kept only where it is no lower, so the
objective never falls, and what is arrived at is where the steps themselves stop.

References
----------
Walker, H. F. & Ni, P. (2011). Anderson acceleration for fixed-point iterations. SIAM
Journal on Numerical Analysis, 49(4), 1715-1735.
Henderson, N. C. & Varadhan, R. (2019). Damped Anderson acceleration with restarts and
monotonicity control for accelerating EM and EM-like algorithms. JCGS, 28(4), 834-846.
"""

import numpy as np

_MEMORY = 4  # steps that the next one is foreseen from


def climb(step, start, *, max_iter, tol):
    """Repeat a step until it changes next to nothing.

    Parameters
    ----------
    step : callable
        `step(point)` returns the next point, no lower, and the objective at `point`. It
        raises numpy.linalg.LinAlgError where it is not defined.
    start : tuple of ndarray
        A point.
    max_iter : int
    tol : float
        The largest change of a number in a step at which to stop.

    Returns
    -------
    point : tuple of ndarray
        After the last step.
    objective : ndarray of shape (n_iter,)
        At the start of each step.
    converged : bool
    """
    point = start
    after, value = step(point)
    objective = [value]
    history = _History()
    while True:
        change = max(np.abs(b - a).max() for a, b in zip(point, after, strict=True))
        converged = bool(change <= tol)
        if converged or len(objective) >= max_iter:
            return after, np.array(objective), converged
        foreseen, sure = history.foresee(point, after), after
        point = None
        if foreseen is not None:
            try:
                after, value = step(foreseen)
                point = foreseen if value >= objective[-1] else None
            except np.linalg.LinAlgError:
                pass  # it is no point at all
            if point is None:
                history.forget()
        if point is None:
            point = sure
            after, value = step(point)
        objective.append(value)


class _History:
    """The last points and the steps from them, as vectors."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Begin anew."""
        self.points, self.steps = [], []

    def foresee(self, point, after):
        """The point that the steps so far lead to, or None if there was but one."""
        here, there = _vector(point), _vector(after)
        self.points = [*self.points[-_MEMORY:], here]
        self.steps = [*self.steps[-_MEMORY:], there - here]
        if len(self.points) == 1:
            return None
        moved = np.diff(self.points, axis=0)
        turned = np.diff(self.steps, axis=0)
        share = np.linalg.lstsq(turned.T, self.steps[-1], rcond=None)[0]
        return _parts(there - share @ (moved + turned), point)


def _vector(point):
    return np.concatenate([part.ravel() for part in point])


def _parts(vector, like):
    """A vector in parts, of the shapes of those of another point."""
    ends = np.cumsum([part.size for part in like])[:-1]
    pieces = np.split(vector, ends)
    return tuple(
        piece.reshape(part.shape) for piece, part in zip(pieces, like, strict=True)
    )
