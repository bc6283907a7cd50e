"""Rows that are copies of others, which models know from training."""

import numpy as np

from genestimators._exceptions import RepeatedRowsWarning, warn_user
from genestimators._inputs import take_rows
from genestimators.resampling._keys import content_keys

COPIES = 0.1  # of the rows, that may be copies of others


def first_of_copies(problem):
    """The first of the rows of positive weight that are equal, target included."""
    rows = np.flatnonzero(problem.weights > 0)
    taken = take_rows(problem.X, rows), problem.y[rows]
    return rows[np.unique(content_keys(*taken, exact=True), return_index=True)[1]]


def warn_of_copies(problem):
    """Warn where many rows of a regression are copies of others."""
    if problem.classifier or problem.groups is not None:
        return
    n = int(np.count_nonzero(problem.weights))
    copies = n - len(first_of_copies(problem))
    if copies > COPIES * n:
        warn_user(
            f"{copies} of {n} rows are copies of others, target included, so models "
            "are tested on what they have learned and the loss comes out too small; "
            "pass `groups` that hold copies together, or each row once with its number "
            "as `sample_weight`.",
            RepeatedRowsWarning,
        )
