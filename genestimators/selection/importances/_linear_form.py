"""Whether a fitted regressor is linear in X, and with which coefficients.

The predictor is asked, not its class: a bag of ridge regressions or a scaler before a
lasso is linear, a Poisson regression is not although it has `coef_`.
"""

import numpy as np
from scipy import sparse

from genestimators.selection.importances._replaced_columns import like, numbers_of

MOST_ROWS = 500  # on which the form is compared with the predictions
BLOCK = 256  # columns that are moved in one call of `predict`
EXACTNESS = 1e-6  # of the spread of predictions; what is nearer is linear
SINGLE_EXACTNESS = 1e-4  # the same where X is in single precision


def linear_form(estimator, X, *, seed=0):
    """The coefficients of a fitted regressor in terms of X, if it is linear.

    Moving one column at a time from end to end gives the coefficients, unless `coef_`
    states them. They have to meet the predictions on rows of X, and on rows whose
    columns are shuffled apart from each other, to within a millionth of the spread of
    the predictions (`EXACTNESS`).

    Parameters
    ----------
    estimator : fitted regressor
    X : array, sparse matrix or frame of shape (n, p)
    seed : int, default=0
        Of the shuffles.

    Returns
    -------
    coef : ndarray of shape (n_outputs, p) or None
        None where it is not linear, or X has cells that are no finite numbers.
    """
    probe = (_SparseProbe if sparse.issparse(X) else _Probe)(estimator, X)
    if probe.numbers is None:
        return None
    rng = np.random.default_rng(seed)
    coef = _stated(estimator, probe)
    if coef is not None:
        error, spread = probe.errors(coef, rng)
        return coef if _small(error, spread, probe) else None
    coef = probe.moved()
    if coef is None:
        return None
    error, spread = probe.errors(coef, rng)
    if not _small(error, spread, probe):
        return None
    # What is below the rounding errors of the predictions is no coefficient.
    coef[np.abs(coef) * (probe.high - probe.low) <= 4 * error[:, None]] = 0.0
    return coef


def _small(error, spread, probe):
    rounding = 1e-13 * np.abs(probe.at_centre[0])
    return bool((error <= probe.exactness * spread + rounding).all())


def _stated(estimator, probe):
    """`coef_`, where it has a number for every column and output."""
    coef = getattr(estimator, "coef_", None)
    if coef is None or sparse.issparse(coef):
        return None
    coef = np.atleast_2d(np.array(coef, dtype=np.float64))
    return coef if coef.shape == (probe.at_centre.shape[1], probe.p) else None


class _Probe:
    """Asks a predictor about made-up rows: an array or a frame.

    Attributes
    ----------
    numbers : ndarray of shape (n, p), or None
        None where nothing can be asked.
    low, high : ndarray of shape (p,)
        The ends of each column.
    centre : ndarray of shape (p,)
        Where all other columns stay while one is moved.
    at_centre : ndarray of shape (1, n_outputs)
    """

    def __init__(self, estimator, X):
        self.estimator, self.X = estimator, X
        numbers = numbers_of(X)
        usable = (
            numbers is not None
            and np.isfinite(numbers).all()
            and like(X, numbers[:1]) is not None
        )
        self.numbers = numbers if usable else None
        if usable:
            self.n, self.p = numbers.shape
            self.low, self.high = numbers.min(axis=0), numbers.max(axis=0)
            self.centre = numbers[0] + (numbers - numbers[0]).mean(axis=0)
            self.exactness = _exactness(X)
            self.at_centre = self.ask(self.centre[None])

    def ask(self, rows):
        """Predictions for rows of numbers, (n_rows, n_outputs)."""
        answer = self.estimator.predict(self.rows(rows))
        answer = np.asarray(answer, dtype=np.float64)
        return answer.reshape(rows.shape[0], -1)

    def rows(self, numbers):
        return like(self.X, numbers)

    def one_moved(self, columns, ends):
        """The centre, with another of the columns at its end in each row."""
        rows = np.tile(self.centre, (len(columns), 1))
        rows[np.arange(len(columns)), columns] = ends[columns]
        return rows

    def from_centre(self, rows):
        return rows - self.centre

    def shuffled(self, rows, rng):
        from_where = rng.integers(len(rows), size=rows.shape)
        return np.take_along_axis(rows, from_where, axis=0)

    def stacked(self, parts):
        return np.concatenate(parts)

    def moved(self):
        """Slopes of every column from end to end, or None if one is no line."""
        slopes = []
        for start in range(0, self.p, BLOCK):
            columns = np.arange(start, min(start + BLOCK, self.p))
            ends = [self.one_moved(columns, each) for each in (self.high, self.low)]
            top, bottom = np.split(self.ask(self.stacked(ends)), 2)
            width = (self.high - self.low)[columns, None]
            slope = (top - bottom) / np.where(width > 0, width, 1.0)
            middle = bottom + slope * (self.centre - self.low)[columns, None]
            error = np.abs(middle - self.at_centre).max(axis=0)
            if not _small(error, np.abs(top - bottom).max(axis=0), self):
                return None
            slopes.append(slope.T)
        return np.concatenate(slopes, axis=1)

    def errors(self, coef, rng):
        """The largest errors of the linear form, and the spread of predictions."""
        some = np.arange(self.n)
        if self.n > MOST_ROWS:
            some = np.sort(rng.choice(self.n, MOST_ROWS, replace=False))
        rows = self.numbers[some]
        rows = self.stacked([rows, self.shuffled(rows, rng)])
        answers = self.ask(rows)
        expected = self.at_centre + self.from_centre(rows) @ coef.T
        return np.abs(answers - expected).max(axis=0), np.ptp(answers, axis=0)


class _SparseProbe(_Probe):
    """The same of a sparse matrix: the centre is zero, and rows stay sparse."""

    def __init__(self, estimator, X):
        self.estimator = estimator
        usable = X.dtype.kind in "fiub" and np.isfinite(X.data).all()
        self.numbers = X.tocsr() if usable else None
        if usable:
            self.n, self.p = X.shape
            columns = X.tocsc()
            self.low = np.asarray(columns.min(axis=0).todense(), float).ravel()
            self.high = np.asarray(columns.max(axis=0).todense(), float).ravel()
            self.centre = np.zeros(self.p)
            self.exactness = _exactness(X)
            self.at_centre = self.ask(self._matrix([], [], [], 1))

    def _matrix(self, values, rows, columns, n_rows):
        values = np.asarray(values, dtype=self.numbers.dtype)
        places = np.asarray(rows, dtype=int), np.asarray(columns, dtype=int)
        return type(self.numbers)((values, places), shape=(n_rows, self.p))

    def rows(self, numbers):
        return numbers

    def one_moved(self, columns, ends):
        own = np.arange(len(columns))
        return self._matrix(ends[columns], own, columns, len(columns))

    def from_centre(self, rows):
        return rows

    def shuffled(self, rows, rng):
        # Cells keep their column and go to any row: the matrix stays as sparse.
        cells = rows.tocoo()
        return self._matrix(
            cells.data, rng.permutation(cells.row), cells.col, rows.shape[0]
        )

    def stacked(self, parts):
        return sparse.vstack(parts, format="csr")


def _exactness(X):
    single = getattr(X, "dtype", None) == np.float32
    return SINGLE_EXACTNESS if single else EXACTNESS
