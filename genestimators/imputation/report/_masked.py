"""One masked table: an imputer fitted on it, and asked for what was masked."""

import inspect

import numpy as np
from sklearn.base import clone

from genestimators._inputs import take_rows
from genestimators._parallel import error_note
from genestimators._weights import fit_all
from genestimators.imputation.report._figures import Answers
from genestimators.imputation.report._masking import (
    mask_at_random,
    mask_by_pattern,
    with_missing,
)
from genestimators.imputation.report._table import answers_of, check_answers


def ask(imputer, table, mechanism, share, seed, level, note):
    """Mask a table, fit a clone of the imputer on it and ask for what was masked.

    Parameters
    ----------
    imputer : imputer
    table : Table
    mechanism : {"mcar", "pattern"}
    share : float
    seed : int
    level : float
        Of intervals of imputed values.
    note : str
        Where an error happened.

    Returns
    -------
    answers : list of Answers
        One a column.
    """
    rng = np.random.default_rng(seed)
    observed = ~table.missing
    if mechanism == "mcar":
        mask = mask_at_random(observed, share, rng)
    else:
        mask = mask_by_pattern(observed, share, rng, table.weight)
    masked = with_missing(table.X, mask)
    with error_note(note):
        fitted = fit_all(clone(imputer), masked, None, table.weight)
        filled = answers_of(fitted, fitted.transform(masked), table)
        check_answers(fitted, filled, table, mask)
        low, high = _intervals(fitted, masked, mask, table, level)
    return [
        _answers(table, j, filled[j], mask[:, j], observed[:, j], low[:, j], high[:, j])
        for j in range(len(table.names))
    ]


def _answers(table, j, filled, mask, observed, low, high):
    values, weights = table.values[j], table.weights
    left = observed & ~mask
    known = None
    if table.kinds[j]:
        plain, known = _most_frequent(values[left], weights[left])
    else:
        plain = np.nan
        if left.any():
            plain = float(np.average(values[left], weights=weights[left]))
    return Answers(
        true=values[mask],
        guess=filled[mask],
        rows=np.flatnonzero(mask),
        plain=plain,
        known=known,
        low=low[mask],
        high=high[mask],
    )


def _most_frequent(values, weight):
    """The most frequent level, the first in alphabet of several, and all levels."""
    totals = {}
    for value, amount in zip(values.tolist(), weight.tolist(), strict=True):
        totals[value] = totals.get(value, 0.0) + amount
    levels = sorted(totals, key=str)
    return max(levels, key=totals.get, default=None), set(levels)


def _intervals(imputer, masked, mask, table, level):
    """Intervals of the masked numbers, NaN where the imputer has none."""
    low = np.full(mask.shape, np.nan)
    high = low.copy()
    kinds = np.array(table.kinds)
    rows = np.flatnonzero(mask[:, ~kinds].any(axis=1))
    if not len(rows):
        return low, high
    asked = take_rows(masked, rows)
    if _takes(imputer, "interval", "confidence_level"):
        ends = imputer.interval(asked, confidence_level=level)
        for out, end in zip((low, high), ends, strict=True):
            out[rows] = np.asarray(end)[:, : mask.shape[1]]
        low[:, kinds] = high[:, kinds] = np.nan
    elif _takes(imputer, "sample", "n_draws"):
        # The ends are draws themselves: of n draws and the truth, each is the r-th with
        # the same chance. So the level is met by few draws already.
        n_draws = int(np.ceil(2 / (1 - level) - 1e-9)) - 1
        draws = [
            answers_of(imputer, one, table)
            for one in imputer.sample(asked, n_draws=n_draws)
        ]
        ends = (1 - level) / 2, (1 + level) / 2
        for j in np.flatnonzero(~kinds):
            found = np.array([draw[j] for draw in draws])
            low[rows, j], high[rows, j] = np.quantile(
                found, ends, axis=0, method="weibull"
            )
    return low, high


def _takes(imputer, method, argument):
    """Whether an imputer has a method that takes an argument of that name."""
    found = getattr(imputer, method, None)
    return callable(found) and argument in inspect.signature(found).parameters
