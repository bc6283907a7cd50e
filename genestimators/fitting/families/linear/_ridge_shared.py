"""Folds of ridge regression from common sums, or from one decomposition."""

from functools import partial

import numpy as np

from genestimators.fitting.families.linear._fold_moments import FoldMoments
from genestimators.fitting.families.linear._left_out import LeftOutRow, SingleRows
from genestimators.fitting.families.linear._linear import LIGHT
from genestimators.fitting.families.linear._ridge_solutions import (
    leave_one_out,
    solve_moments,
)
from genestimators.fitting.families.linear._shared_fits import SharedFits

_MOST_SINGLE = 2**25  # numbers in the answers for all rows, each left out


class SharedRidge(SharedFits):
    """The folds of a splitter, fitted from common sums.

    Parameters
    ----------
    rows : Rows
    weight : ndarray of shape (n,) or None
    draws : Draws
    alone : bool
        Whether draws leave out one row each.
    *settings
        As `SharedFits` takes them.
    """

    def __init__(self, rows, weight, draws, alone, *settings):
        super().__init__(*settings)
        self.rows = rows
        self.intercept = self.estimator.fit_intercept
        self.alphas = np.asarray(self.values, dtype=np.float64)
        self.moments = self.single = None
        if rows.X.shape[1] <= len(draws[0].rows):
            self.moments = FoldMoments(rows.X, rows.Y, weight, draws)
        if alone and len(self.values) * rows.Y.size <= _MOST_SINGLE:
            self.single = self._answer_single(SingleRows(weight, len(rows.X)))

    def _answer_single(self, single):
        counted = single.counted
        X, Y = self.rows.X[counted], self.rows.Y[counted]
        found = leave_one_out(X, Y, single.own_weight, self.intercept, self.alphas)
        return None if found is None else single.hold(*found)

    def shared_path(self, number, draw):
        if self.rows.classes is not None:
            codes = self.rows.codes[draw.rows]
            if not np.bincount(codes, minlength=len(self.rows.classes)).all():
                return None
        known = None if self.single is None else self.single.of(draw)
        if known is None:
            return self._from_moments(number, draw)
        row, answers, errors = known
        fit = partial(self._whole, number, draw)
        return self._path(LeftOutRow(self.rows.X[row], answers, fit), errors)

    def _path(self, linear, errors):
        return self.family.path(
            self.template,
            self.values,
            linear,
            flat=self.y.ndim == 1,
            n_outputs=self.rows.Y.shape[1],
            classes=self.rows.classes,
            errors=errors,
        )

    def _from_moments(self, number, draw):
        # With fewer rows than columns their products are smaller, and exact where
        # those of the columns leave directions to rounding.
        if self.moments is None or self.rows.X.shape[1] > len(draw.rows):
            return None
        moments, others = self.moments.of(number, draw)
        if moments is None:
            return None
        found = solve_moments(moments, self.scalers, self.intercept, self.alphas)
        if not found.fine.all():
            return None
        path = self._path(found, found.errors)
        if others is not None and found.coef.size <= LIGHT:
            path.left_out_errors = found.errors_on(others)
        return path

    def _whole(self, number, draw):
        """The fit itself, where answers for the row left out are not enough."""
        path = self._from_moments(number, draw)
        return self._apart(draw) if path is None else path
