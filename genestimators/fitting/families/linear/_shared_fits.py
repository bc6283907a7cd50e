"""Fits of all draws that share their work, with a way out for single draws."""

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

from genestimators._inputs import take_rows
from genestimators.fitting._composites import make_path


def plain_scalers(steps):
    """Whether all steps are `StandardScaler`, of the exact class and plainly set."""
    return all(
        type(step) is StandardScaler
        and isinstance(step.with_mean, (bool, np.bool_))
        and isinstance(step.with_std, (bool, np.bool_))
        for step in steps
    )


class SharedFits:
    """Fits of all draws that share their work.

    Parameters
    ----------
    family : Family
    steps : list of StandardScaler
        Before the estimator.
    estimator : estimator
        Unfitted.
    X : container of n rows
    y : ndarray
    values : sequence

    Attributes
    ----------
    template : estimator
        Unfitted but for the number and names of the columns.
    scalers : list of (bool, bool)
        For each step whether it centres and whether it scales.
    """

    def __init__(self, family, steps, estimator, X, y, values):
        self.family = family
        self.steps = steps
        self.estimator = estimator
        self.X = X
        self.y = y
        self.values = values
        self.template = clone(estimator)
        validate_data(self.template, X, skip_check_array=True)
        self.scalers = [(step.with_mean, step.with_std) for step in steps]

    def fit_path(self, number, draw):
        """The path of a draw for rows before any step, or None; see `Family.share`."""
        path = self.shared_path(number, draw)
        if path is not None:
            path.family = self.family
            path.whole = False  # there may be steps around it
        return path

    def shared_path(self, number, draw):
        """The path of a draw from shared work, or None where that does not serve."""
        raise NotImplementedError

    def _apart(self, draw):
        """The path of a draw from its own rows."""
        chain, name = self.estimator, self.family.param
        if self.steps:
            chain = make_pipeline(*self.steps, self.estimator)
            name = f"{chain.steps[-1][0]}__{name}"
        weight = None if (draw.counts == 1).all() else np.asarray(draw.counts, float)
        X, y = take_rows(self.X, draw.rows), self.y[draw.rows]
        return make_path(chain, name, self.values, X, y, weight)
