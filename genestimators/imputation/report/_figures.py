"""How good imputed values are: figures of one column over several masked tables."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

N_QUANTILES = 101
PROBABILITIES = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES


@dataclass(frozen=True, eq=False)
class Answers:
    """Masked entries of a column in one masked table.

    Attributes
    ----------
    true, guess : ndarray of shape (n_masked,)
        What they were and what the imputer filled in; floats, or objects for levels.
    rows : ndarray of shape (n_masked,), int
        Where they were; none is there twice.
    plain : float or object
        Mean, or most frequent level, of the values that were not masked.
    known : set or None
        The levels that were not masked.
    low, high : ndarray of shape (n_masked,)
        Intervals; NaN where there are none.
    """

    true: np.ndarray
    guess: np.ndarray
    rows: np.ndarray
    plain: object
    known: object
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Errors:
    """Sums of errors by row, over all masked tables.

    Attributes
    ----------
    own, plain : ndarray of shape (n_rows,)
        Of the imputer, and of the column mean or the most frequent level.
    masked : ndarray of shape (n_rows,)
        Weight of what was masked.
    weight : ndarray of shape (n_rows,)
        Of the rows.
    """

    own: np.ndarray
    plain: np.ndarray
    masked: np.ndarray
    weight: np.ndarray

    def scaled(self, factor):
        """The same errors in another unit."""
        return Errors(self.own * factor, self.plain * factor, self.masked, self.weight)


def add(errors):
    """Errors of several columns as one.

    Parameters
    ----------
    errors : list of Errors
        At least one, in the same unit.
    """
    parts = (
        sum(getattr(each, name) for each in errors)
        for name in ("own", "plain", "masked")
    )
    return Errors(*parts, errors[0].weight)


def std_error(parts, errors):
    """Standard error of a figure to which each row adds its part, and its freedom.

    Rows are taken for independent; entries of a row, and one entry masked in several
    tables, are not. A row of weight two is two rows.

    Parameters
    ----------
    parts : ndarray of shape (n_rows,)
        They add up to zero.
    errors : Errors

    Returns
    -------
    std_error : float
        NaN of fewer than two rows.
    freedom : float
    """
    used = errors.masked > 0
    n_rows = errors.weight[used].sum()
    if not n_rows > 1:
        return np.nan, np.nan
    total = np.square(parts[used]) @ (1 / errors.weight[used])
    return float(np.sqrt(total * n_rows / (n_rows - 1))), float(n_rows - 1)


def ratio_of(errors, level, *, root):
    """Errors of the imputer over the plain ones, with an interval.

    Parameters
    ----------
    errors : Errors
    level : float
    root : bool
        Whether they are squares.

    Returns
    -------
    ratio, low, high : float
        NaN if the plain errors are zero, the ends also where no error was made.
    """
    own, plain = errors.own.sum(), errors.plain.sum()
    if not plain > 0:
        return np.nan, np.nan, np.nan
    power = 0.5 if root else 1.0
    ratio = float((own / plain) ** power)
    if not own > 0:
        return ratio, np.nan, np.nan
    # What each row adds to the logarithm of the ratio, to first order.
    error, freedom = std_error(
        power * (errors.own / own - errors.plain / plain), errors
    )
    reach = stats.t.ppf(0.5 + level / 2, freedom) * error
    return ratio, ratio * float(np.exp(-reach)), ratio * float(np.exp(reach))


def errors_of_numbers(repeats, weight):
    """Squared errors of a column of numbers.

    Parameters
    ----------
    repeats : list of Answers
    weight : ndarray of shape (n_rows,)
        Of all rows.
    """
    return _errors(
        repeats,
        weight,
        [(one.guess - one.true) ** 2 for one in repeats],
        [(one.plain - one.true) ** 2 for one in repeats],
    )


def errors_of_levels(repeats, weight):
    """Wrong levels of a column of levels; as `errors_of_numbers`."""
    return _errors(
        repeats,
        weight,
        [~_equal(one.guess, one.true) for one in repeats],
        [~_equal([one.plain] * len(one.true), one.true) for one in repeats],
    )


def _errors(repeats, weight, own, plain):
    sums = np.zeros((3, len(weight)))
    for one, *errors in zip(repeats, own, plain, strict=True):
        amount = weight[one.rows]
        sums[0, one.rows] += amount * errors[0]
        sums[1, one.rows] += amount * errors[1]
        sums[2, one.rows] += amount
    return Errors(*sums, weight)


def _equal(first, second):
    pairs = zip(first, second, strict=True)
    return np.array([bool(a == b) for a, b in pairs], dtype=bool)


def figures_of_numbers(repeats, weight, level):
    """Figures of a column of numbers.

    Parameters
    ----------
    repeats : list of Answers
        One a masked table.
    weight : ndarray of shape (n_rows,)
        Of all rows.
    level : float
        Of the interval of the ratio.

    Returns
    -------
    figures : dict of float
    quantiles : tuple of two ndarray of shape (N_QUANTILES,)
        Of the true and of the imputed values.
    errors : Errors
    """
    errors = errors_of_numbers(repeats, weight)
    total = errors.masked.sum()
    figures = {"n_masked": sum(len(one.true) for one in repeats)}
    if not total > 0:
        nothing = np.full(N_QUANTILES, np.nan)
        return figures, (nothing, nothing), errors
    true, guess, rows, low, high = (
        np.concatenate([getattr(one, name) for one in repeats])
        for name in ("true", "guess", "rows", "low", "high")
    )
    amount = weight[rows]
    bias = amount @ (guess - true) / total
    parts = np.bincount(rows, amount * (guess - true - bias), len(weight)) / total
    ratio, ratio_low, ratio_high = ratio_of(errors, level, root=True)
    held = np.nan
    if not np.isnan(low).any():
        held = float(amount @ ((low <= true) & (true <= high)) / total)
    figures |= {
        "rmse": float(np.sqrt(errors.own.sum() / total)),
        "rmse_mean": float(np.sqrt(errors.plain.sum() / total)),
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "bias": float(bias),
        "bias_std_error": std_error(parts, errors)[0],
        "coverage": held,
        "spread_ratio": over(spread(guess, amount), spread(true, amount)),
        "distance": largest_gap(true, guess, amount),
    }
    drawn = tuple(
        np.quantile(one, PROBABILITIES, weights=amount, method="inverted_cdf")
        for one in (true, guess)
    )
    return figures, drawn, errors


def figures_of_levels(repeats, weight, level):
    """Figures of a column of levels; as `figures_of_numbers`, without quantiles."""
    errors = errors_of_levels(repeats, weight)
    total = errors.masked.sum()
    figures = {"n_masked": sum(len(one.true) for one in repeats)}
    if not total > 0:
        return figures, errors
    new = np.array([guess not in one.known for one in repeats for guess in one.guess])
    amount = weight[np.concatenate([one.rows for one in repeats])]
    ratio = ratio_low = ratio_high = np.nan
    if not new.all():  # else it does not say which level it is
        ratio, ratio_low, ratio_high = ratio_of(errors, level, root=False)
    figures |= {
        "share_right": float(1 - errors.own.sum() / total),
        "share_most_frequent": float(1 - errors.plain.sum() / total),
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "share_new": float(amount @ new / total),
        "distance": _largest_difference(repeats, weight),
    }
    return figures, errors


def spread(values, weight):
    """Standard deviation of weighted values; NaN of none."""
    if not len(values):
        return np.nan
    rest = values - np.average(values, weights=weight)
    return float(np.sqrt(np.average(np.square(rest), weights=weight)))


def over(first, second):
    """A ratio, NaN where nothing is divided by."""
    return first / second if second > 0 else np.nan


def largest_gap(first, second, weight):
    """The largest gap between two distribution functions (Kolmogorov-Smirnov).

    Parameters
    ----------
    first, second : ndarray of shape (n,)
    weight : ndarray of shape (n,)
        Of the values of both.
    """
    places = np.unique(np.concatenate([first, second]))
    heights = []
    for values in (first, second):
        at = np.bincount(np.searchsorted(places, values), weight, len(places))
        heights.append(np.cumsum(at))
    return float(np.abs(heights[0] - heights[1]).max() / weight.sum())


def _largest_difference(repeats, weight):
    """Half the sum of differences of the shares of levels (total variation)."""
    shares = {}
    for one in repeats:
        for values, sign in ((one.true, 1.0), (one.guess, -1.0)):
            for value, amount in zip(values, weight[one.rows].tolist(), strict=True):
                shares[value] = shares.get(value, 0.0) + sign * amount
    total = sum(weight[one.rows].sum() for one in repeats)
    return float(sum(map(abs, shares.values())) / 2 / total)
