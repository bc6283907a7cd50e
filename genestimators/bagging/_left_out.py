"""What the members that left a row out say of other rows, for every row at once.

A unit is a training row, or a group of rows that are in a bag or out of it together.
`left_out[i, b]` says that member b has not seen unit i.
"""

import numpy as np

from genestimators.bagging._aggregate import SUMMED, TRIMMED_SHARE

_UNITS = 1 << 13  # turned into numbers at a time


def left_out_aggregates(answers, left_out, aggregate):
    """Answers for new rows, aggregated over the members that left each unit out.

    Parameters
    ----------
    answers : ndarray of shape (n_members, n_rows)
        One number from each member for each new row.
    left_out : ndarray of shape (n_units, n_members), bool
    aggregate : str
        As the parameter of a bag.

    Returns
    -------
    ndarray of shape (n_rows, n_units)
        For a unit that no member left out, the answer of the first member.

    Notes
    -----
    Answers less those of the first member are combined. Members that agree then give
    exactly what they agree on, and no digits are lost where answers are large beside
    their differences.
    """
    if aggregate in SUMMED:
        return _means(answers, left_out)
    choose = _medians if aggregate == "median" else _trimmed_means
    count = np.count_nonzero(left_out, axis=1)
    never = count == 0
    out = np.empty((answers.shape[1], len(left_out)))
    for own, column in zip(out, answers.T, strict=True):
        order = np.argsort(column, kind="stable")
        out_in_order = left_out[:, order]
        place = np.cumsum(out_in_order, axis=1)  # 1 for the least of a unit's answers
        own[:] = choose((column - column[0])[order], out_in_order, place, count)
        own[never] = 0.0
        own += column[0]
    return out


def _means(answers, left_out):
    """One product of matrices."""
    first = answers[0]
    spread = (answers - first).T
    out = np.empty((len(spread), len(left_out)))
    for start in range(0, len(left_out), _UNITS):
        part = slice(start, start + _UNITS)
        np.matmul(spread, left_out[part].T.astype(np.float64), out=out[:, part])
    out /= np.maximum(np.count_nonzero(left_out, axis=1), 1)
    out += first[:, None]
    return out


def _medians(ordered, left_out, place, count):
    lower, upper = (
        ordered[np.minimum((place <= rank[:, None]).sum(axis=1), len(ordered) - 1)]
        for rank in ((count - 1) // 2, count // 2)
    )
    return (lower + upper) / 2


def _trimmed_means(ordered, left_out, place, count):
    cut = np.floor(TRIMMED_SHARE * count)[:, None]
    kept = left_out & (place > cut) & (place <= count[:, None] - cut)
    return kept @ ordered / np.maximum(count - 2 * cut[:, 0], 1)
