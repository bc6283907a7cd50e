"""A report on an imputer in words, and in the cells of a table."""

import numpy as np

WAYS = {
    "mcar": "Values masked at random",
    "pattern": "Values masked by the table's own pattern",
}
HEAD = {
    "numbers": (
        "column", "masked", "RMSE", "of the mean", "ratio", "bias", "coverage",
        "spread", "distance",
    ),
    "levels": (
        "column", "masked", "right", "by the most frequent", "ratio of wrong",
        "new levels", "distance",
    ),
}  # fmt: skip
_MOST = 3  # columns that are named
_NEXT_TO = 1e-9  # a ratio that is one but for rounding


def verdict(report):
    """Lines that say how good the imputer is.

    Parameters
    ----------
    report : ImputationReport

    Returns
    -------
    lines : list of str
    """
    ways = " each way" if len(report.mechanisms) > 1 else ""
    lines = [
        f"{report.imputer} on {report.n_samples} rows, up to {report.share:.0%} of the "
        f"values of a column masked, {report.n_repeats} times{ways}."
    ]
    for mechanism in report.mechanisms:
        lines += _on_numbers(report, mechanism)
        lines += _on_levels(report, mechanism)
    if not report.n_missing:
        lines.append("X misses nothing, so it has no pattern to mask by.")
    lines.append(
        "Masks do not look at values, so this says nothing about values that are "
        "missing because of what they are (not at random)."
    )
    return lines


def _on_numbers(report, mechanism):
    rows = rows_of(report.numbers, mechanism)
    level = report.confidence_level
    way = WAYS[mechanism]
    table = report.numbers
    if not len(rows):
        return []
    known = rows[np.isfinite(table["ratio"][rows])]
    if not len(known):
        return [f"{way}: no column of numbers has errors to compare."]
    better, worse = told_apart(table, known)
    lines = [
        f"{way}: better than the column mean in {better.sum()} of {_columns(known)}"
        f"{_worse(worse.sum())}, RMSE "
        f"{change(*report.overall[mechanism], level)}."
    ]
    order = worst_first(table, known)[:_MOST]
    named = (
        f"{table['column'][i]!r} {change(*_ratio(table, i))}" for i in order.tolist()
    )
    lines.append(f"  Worst by RMSE: {'; '.join(named)}.")
    held = table["coverage"][known]
    if np.isfinite(held).any():
        share = np.average(held, weights=table["n_masked"][known])
        least = known[np.nanargmin(held)]
        lines.append(
            f"  Its {100 * level:.4g}% intervals hold {share:.1%} of the true values, "
            f"{held.min():.1%} in {table['column'][least]!r}."
        )
    lines.append(
        "  Standard deviation of imputed over true values: "
        f"{np.median(table['spread_ratio'][known]):.2f} (median of columns)."
    )
    idle = rows[table["n_masked"][rows] == 0]
    if len(idle):
        lines.append(f"  Nothing was masked in {_named(table, idle)}.")
    return lines


def _on_levels(report, mechanism):
    table = report.levels
    rows = rows_of(table, mechanism)
    known = rows[np.isfinite(table["ratio"][rows])]
    lines = []
    if len(known):
        better, worse = told_apart(table, known)
        weight = table["n_masked"][known]
        right, plain = (
            np.average(table[name][known], weights=weight)
            for name in ("share_right", "share_most_frequent")
        )
        lines.append(
            f"{WAYS[mechanism]}: better than the most frequent level in {better.sum()} "
            f"of {_columns(known)}{_worse(worse.sum())}, {right:.0%} of levels right "
            f"against {plain:.0%}."
        )
    new = rows[table["share_new"][rows] > 0]
    if len(new):
        lines.append(
            f"{WAYS[mechanism]}: given a level that was never observed in "
            f"{_named(table, new)}."
        )
    return lines


def rows_of(table, mechanism):
    """Rows of a table of figures that belong to a mechanism."""
    return np.flatnonzero(table["mechanism"] == mechanism)


def worst_first(table, rows):
    """Rows by their ratio, the largest first, those without one last."""
    return rows[
        np.argsort([rank(ratio) for ratio in table["ratio"][rows]], kind="stable")
    ]


def rank(ratio):
    """What to sort by, for the largest ratio first; rounding breaks no ties."""
    return np.inf if np.isnan(ratio) else -round(float(ratio), 9)


def told_apart(table, rows):
    """Which rows are better and which worse, by the interval of their ratio."""
    low, high = table["ratio_low"][rows], table["ratio_high"][rows]
    perfect = table["ratio"][rows] == 0
    return (high < 1 - _NEXT_TO) | perfect, low > 1 + _NEXT_TO


def change(ratio, low, high, level=None):
    """A ratio in words: "38% lower (31 to 45)".

    Parameters
    ----------
    ratio, low, high : float
    level : float, default=None
        Of the interval, if it is to be said.
    """
    if np.isnan(ratio):
        return "not known"
    at = "" if level is None else f" at {100 * level:.4g}% confidence"
    percents = [100 * (value - 1) for value in (ratio, low, high)]
    if abs(percents[0]) < 100 * _NEXT_TO:
        return "the same"
    text = _percent(percents[0])
    if np.isnan(low):
        return text
    ends = sorted(percents[1:], key=abs)
    if low >= 1 or high <= 1:
        return f"{text} ({abs(ends[0]):.0f} to {abs(ends[1]):.0f}{at})"
    return f"{text} ({_percent(percents[1])} to {_percent(percents[2])}{at})"


def _percent(value):
    return f"{abs(value):.0f}% {'lower' if value < 0 else 'higher'}"


def _ratio(table, i):
    return tuple(float(table[name][i]) for name in ("ratio", "ratio_low", "ratio_high"))


def _columns(rows):
    return f"{len(rows)} column{'s' if len(rows) > 1 else ''}"


def _worse(n):
    return f" and worse in {n}" if n else ""


def _named(table, rows):
    named = ", ".join(repr(table["column"][i]) for i in rows[:5])
    return named + (f" and {len(rows) - 5} others" if len(rows) > 5 else "")


def cells_of(report):
    """Tables of texts, one for each mechanism and kind of column.

    Returns
    -------
    tables : list of (str, str, list of tuple of str)
        What it is of, "numbers" or "levels", and its rows, the worst column first.
    """
    out = []
    for mechanism in report.mechanisms:
        for kind, cells in (("numbers", _number_cells), ("levels", _level_cells)):
            table = getattr(report, kind)
            rows = worst_first(table, rows_of(table, mechanism))
            if len(rows):
                texts = [cells(table, i) for i in rows.tolist()]
                out.append((WAYS[mechanism], kind, texts))
    return out


def _number_cells(table, i):
    return (
        str(table["column"][i]),
        str(table["n_masked"][i]),
        *(_short(table[name][i]) for name in ("rmse", "rmse_mean")),
        _with_interval(table, i),
        _short(table["bias"][i]),
        *(_short(table[name][i]) for name in ("coverage", "spread_ratio", "distance")),
    )


def _level_cells(table, i):
    return (
        str(table["column"][i]),
        str(table["n_masked"][i]),
        *(_short(table[name][i]) for name in ("share_right", "share_most_frequent")),
        _with_interval(table, i),
        *(_short(table[name][i]) for name in ("share_new", "distance")),
    )


def _short(value):
    return "" if np.isnan(value) else f"{value:.3g}"


def _with_interval(table, i):
    ratio, low, high = _ratio(table, i)
    if np.isnan(low):
        return _short(ratio)
    return f"{ratio:.3g} ({low:.3g} to {high:.3g})"
