"""A few named estimates with their intervals, one row each."""

import textwrap

import numpy as np

from genestimators._plotting import new_axes

NORMAL = 1.96  # standard errors to each side, where there is no interval
_WIDE = 40  # characters of a line beside a row
_BELOW = 56  # characters of a line below the axis
_MOST = 72  # characters of a name; of longer ones both ends are shown
_HUGE = 1e6  # from here on numbers are written with an exponent
_LINE, _GAP = 0.15, 0.17  # inches of a line of text, and between rows
_AXIS = 0.4  # inches of the axis without its texts


class EstimatesDisplay:
    """Named estimates with their intervals, one below the other.

    Results make it by their `plot`: :class:`GeneralizationError`,
    :class:`CorrectedScore`, :class:`EnsembleDecomposition` and
    :class:`ModelComparison`. Several comparisons go into one picture by
    `from_comparisons`. Numbers are written beside the rows, so that nothing has to be
    read off the axis.

    Parameters
    ----------
    names : sequence of str, of shape (n_rows,)
        What is estimated, from top to bottom.
    estimates : array-like of shape (n_rows,)
    intervals : array-like of shape (n_rows, 2)
        Their ends; NaN where there is none, infinite where there is no bound.
    x_name : str
        What the numbers are, and what the intervals.
    notes : sequence of str, of shape (n_rows,), default=None
        What is written below the numbers.
    filled : array-like of shape (n_rows,), default=None
        Which dots are filled; None fills those with an interval.
    filled_names : tuple of two str, default=None
        What filled and hollow dots mean, for the legend; None says nothing.
    references : dict of float, default=None
        Values to compare with, by name: upright lines. Names that begin with an
        underscore are not in the legend, as elsewhere in matplotlib.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.
    points_ : dict of matplotlib PathCollection
        The dots, "filled" and "hollow".
    whiskers_ : matplotlib LineCollection
        The intervals, of those rows that have one.
    references_ : dict of matplotlib Line2D
        The upright lines, by name.

    Examples
    --------
    >>> from genestimators import EstimatesDisplay
    >>> display = EstimatesDisplay(
    ...     names=["on new rows", "on training rows"],
    ...     estimates=[0.82, 0.97],
    ...     intervals=[(0.76, 0.87), (float("nan"), float("nan"))],
    ...     x_name="accuracy (95% confidence)",
    ... ).plot()
    >>> display.ax_.get_xlabel()
    'accuracy (95% confidence)'
    """

    def __init__(
        self,
        *,
        names,
        estimates,
        intervals,
        x_name,
        notes=None,
        filled=None,
        filled_names=None,
        references=None,
    ):
        self.names = names
        self.estimates = estimates
        self.intervals = intervals
        self.x_name = x_name
        self.notes = notes
        self.filled = filled
        self.filled_names = filled_names
        self.references = references

    @classmethod
    def from_comparisons(cls, comparisons, *, names=None, ax=None):
        """Draw what one model has over others.

        Dots are filled where models are told apart: where the p-value, adjusted for the
        number of comparisons (Holm), is below one less the confidence level. Intervals
        are not adjusted, so one may lie beside zero whose dot is hollow.

        Parameters
        ----------
        comparisons : ModelComparison, or list of them
            What `compare_models` returned.
        names : sequence of str, default=None
            Of the other models; None is their code.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EstimatesDisplay

        Raises
        ------
        TypeError, ValueError
            If they are no comparisons, or not those of one call of `compare_models`.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.dummy import DummyRegressor
        >>> from sklearn.linear_model import Lasso, Ridge
        >>> from genestimators import EstimatesDisplay, compare_models
        >>> X, y = load_diabetes(return_X_y=True)
        >>> found = compare_models(
        ...     Ridge(), [Lasso(), DummyRegressor()], X, y, random_state=0
        ... )
        >>> display = EstimatesDisplay.from_comparisons(
        ...     found, names=["lasso", "mean of y"]
        ... )
        >>> display.names
        ['lasso', 'mean of y']
        """
        found = _checked(comparisons)
        one = found[0]
        level = 1 - one.confidence_level
        adjusted = any(each.p_value_adjusted > each.p_value for each in found)
        after = " after Holm" if adjusted else ""
        references = {"no difference": 0.0}
        if one.margin > 0:
            references[f"worse by the margin of {one.margin:g}"] = -one.margin
        return cls(
            names=[each.second for each in found] if names is None else list(names),
            estimates=[each.difference for each in found],
            intervals=[each.interval for each in found],
            x_name=(
                f"difference of {one.scoring} ({confidence(one.confidence_level)})\n"
                f"above zero: better is {_short(one.first)}"
            ),
            notes=[_p_values(each, after) for each in found],
            filled=[each.p_value_adjusted < level for each in found],
            filled_names=(f"told apart: p < {level:.2g}{after}", "not told apart"),
            references=references,
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure as high as the rows need.

        Returns
        -------
        display : EstimatesDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If rows are not as many everywhere.
        """
        estimates, intervals, filled, labels = self._rows()
        lines = [textwrap.fill(line, _BELOW) for line in self.x_name.split("\n")]
        below = _plain("\n".join(lines))
        heights = _GAP + _LINE * np.array([_n_lines(label) for label in labels])
        # The y-axis is in inches of a new figure: a row is as high as its texts.
        rows = np.cumsum(heights) - heights / 2
        legend = 2 if self.filled_names else 0  # lines, at most
        height = heights.sum() + _AXIS + 0.2 * (_n_lines(below) + legend)
        ax = new_axes(ax, type(self).__name__, figsize=(7, height))
        self.references_ = {
            name: ax.axvline(value, label=_plain(name), zorder=1, **_style_of(value))
            for name, value in (self.references or {}).items()
        }
        meanings = self.filled_names or (None, None)
        self.points_ = {}
        for kind, chosen, color, meaning in zip(
            ("filled", "hollow"), (filled, ~filled), ("C0", "w"), meanings, strict=True
        ):
            self.points_[kind] = ax.scatter(
                estimates[chosen], rows[chosen], s=36, facecolor=color, edgecolor="C0",
                linewidth=1.5, zorder=3, label=meaning if chosen.any() else None,
            )  # fmt: skip
        self.whiskers_ = _draw_whiskers(ax, rows, intervals)
        ax.set_yticks(rows, labels, fontsize="small")
        ax.set_ylim(heights.sum(), 0.0)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.9", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "left", "right"]].set_visible(False)
        ax.set_xlabel(below)
        _draw_legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _rows(self):
        """The numbers as arrays, and what is written beside each row."""
        n = len(self.names)
        estimates = np.asarray(self.estimates, dtype=float)
        intervals = np.asarray(self.intervals, dtype=float)
        notes = [""] * n if self.notes is None else self.notes
        filled = ~np.isnan(intervals).any(axis=-1)
        if self.filled is not None:
            filled = np.asarray(self.filled, dtype=bool)
        shapes = estimates.shape, intervals.shape, (len(notes),), filled.shape
        if n == 0 or shapes != ((n,), (n, 2), (n,), (n,)):
            raise ValueError(
                "`estimates`, `intervals`, `notes` and `filled` must have a row for "
                f"each of `names`, of which there is at least one. Got {n} names and "
                f"shapes {', '.join(map(str, shapes))}."
            )
        rows = zip(self.names, estimates, intervals, notes, strict=True)
        return estimates, intervals, filled, [_label(*row) for row in rows]


def confidence(level):
    """A confidence level, for people."""
    return f"{100 * level:.4g}% confidence"


def around(estimate, std_error):
    """The ends of 1.96 standard errors to each side."""
    return estimate - NORMAL * std_error, estimate + NORMAL * std_error


def _draw_whiskers(ax, rows, intervals):
    """Lines from end to end; one without a bound goes on to the edge."""
    known = ~np.isnan(intervals).any(axis=1)
    ends = intervals[known]
    if not np.isfinite(ends).all():
        seen = ends[np.isfinite(ends)]
        ax.update_datalim(np.column_stack([seen, np.zeros(len(seen))]), updatey=False)
        ax.autoscale_view(scaley=False)
        edges = ax.get_xlim()
        ends = np.clip(ends, *edges)
        ax.set_xlim(edges)
    return ax.hlines(rows[known], *ends.T, color="C0", linewidth=2, zorder=2)


def _draw_legend(ax):
    """Above the axes, where it hides nothing."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(
            fontsize="small", loc="lower right", bbox_to_anchor=(1, 1), ncols=2,
            frameon=False, borderaxespad=0.2,
        )  # fmt: skip


def _style_of(value):
    if value == 0:
        return {"color": "0.4", "linewidth": 1.0}
    return {"color": "C3", "linewidth": 1.2, "linestyle": "--"}


def _label(name, estimate, interval, note):
    """What is written beside a row: the name, the numbers, a note."""
    numbers = f"{estimate:.4g}"
    if not np.isnan(interval).any():
        estimate, low, high = _rounded(estimate, *interval)
        numbers = f"{estimate} ({low} to {high})"
    lines = [*textwrap.wrap(_short(name), _WIDE), numbers, *([note] if note else [])]
    return _plain("\n".join(lines))


def _short(name):
    """Both ends of a long name, of which models often differ by the last."""
    if len(name) <= _MOST:
        return name
    half = _MOST // 2 - 2
    return f"{name[:half].rstrip()} … {name[-half:].lstrip()}"


def _n_lines(text):
    return text.count("\n") + 1


def _plain(text):
    return text.replace("$", r"\$")  # no mathematics


def _rounded(estimate, low, high):
    """Texts of three numbers, of as many digits as the interval is worth."""
    kind, width = ".4g", high - low
    if 0 < width < np.inf and max(abs(low), abs(high)) < _HUGE:
        kind = f".{max(2 - int(np.floor(np.log10(width))), 0)}f"
    texts = [f"{value:{kind}}" for value in (estimate, low, high)]
    return [text if text.strip("-0.") else text.lstrip("-") for text in texts]


def _p_values(comparison, after):
    """Of a difference and, where there is a margin, of not being inferior."""
    if np.isnan(comparison.p_value_adjusted):
        return "no test"
    text = f"{_p_text(comparison.p_value_adjusted)}{after}"
    inferior = comparison.p_value_non_inferior
    if comparison.margin > 0 and not np.isnan(inferior):
        text = f"differs: {text}\nnot inferior: {_p_text(inferior)}"
    return text


def _p_text(p_value):
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def _checked(comparisons):
    """Comparisons of the same model by the same test, as a list."""
    several = isinstance(comparisons, list | tuple)
    found = list(comparisons) if several else [comparisons]
    if not found or not all(hasattr(one, "p_value_non_inferior") for one in found):
        raise TypeError(
            "`comparisons` must be a ModelComparison, or a list of at least one. Got "
            f"{comparisons!r}."
        )
    for name in ("first", "scoring", "method", "confidence_level", "margin"):
        values = {getattr(one, name) for one in found}
        if len(values) > 1:
            raise ValueError(
                "`comparisons` must be of one call of `compare_models`. Got several "
                f"values of `{name}`: {', '.join(sorted(map(repr, values)))}."
            )
    return found
