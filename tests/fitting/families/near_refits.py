"""Families whose refits are slow: every answer of a value from a single refit."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier

from genestimators import Folds
from genestimators._inputs import take_rows
from genestimators.fitting import JointResponse, read_over
from tests.fitting.families.against_refits import responses_of


@dataclass(frozen=True)
class EveryAnswer:
    """Reads all answers for out-of-bag and training rows, and which family answered."""

    response: object

    def __call__(self, fit):
        rows = np.concatenate([fit.out_of_bag, fit.rows])
        asked = take_rows(fit.X, rows)
        found = [self.response(part, asked) for part in fit.path.parts(len(rows))]
        return np.concatenate(found), fit.path.family


def assert_near_refits(
    estimator, param, values, X, y, *, cv, limit, sample_weight=None, served=True
):
    """Answers of the family are near those of a clone fitted for each value.

    Parameters
    ----------
    estimator, param, values, X, y
        As `read_over` takes them.
    cv : splitter
    limit : float
        Absolute, and relative where numbers are large. Labels are compared exactly.
    sample_weight : ndarray of shape (n,), default=None
    served : bool
        Whether a family is expected to do the work.
    """
    y = np.asarray(y)
    draws = Folds(cv).prepare(X, y, sample_weight, classifier=is_classifier(estimator))
    response = JointResponse(tuple(responses_of(estimator, y)))
    fast, slow = (
        read_over(
            estimator,
            X,
            y,
            draws,
            range(len(draws)),
            reading=EveryAnswer(response),
            param=param,
            values=values,
            families=families,
            classes=response.classes,
        )
        for families in (True, False)
    )
    for (*_, ours), (*_, theirs) in zip(fast, slow, strict=True):
        assert (ours[1] is not None) == served
        assert theirs[1] is None
        found, expected = response.split(ours[0], 1), response.split(theirs[0], 1)
        for kind in found:
            allowed = 0.0 if kind == "label" else limit
            np.testing.assert_allclose(
                found[kind], expected[kind], rtol=allowed, atol=allowed
            )
