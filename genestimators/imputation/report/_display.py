"""Errors of an imputer by column, and true against imputed distributions."""

import numpy as np

from genestimators._plotting import pyplot
from genestimators.imputation.report._words import WAYS, rank, rows_of, worst_first

_MOST_DOTS = 25  # columns with a dot; of more, the worst
_MOST_CURVES = 6  # columns whose distributions are drawn unless they are named
_LINE = 0.3  # inches of a column with its dots
_FRAME = 1.5  # inches of axes, title and legend
_LONGEST = 18  # characters of a name
_COLORS = {"mcar": "C0", "pattern": "C1"}
_STYLES = {"true": ("0.35", "-", "true"), "imputed": ("C3", "--", "imputed")}


class ImputationReportDisplay:
    """Errors of an imputer by column, and true against imputed distributions.

    Make it by :meth:`ImputationReport.plot`. To the left stand the errors of each
    column over those of the column mean (columns of numbers: RMSE) or of the most
    frequent level (columns of levels: share of wrong ones), the worst on top; dots left
    of the line are better than that. To the right stand distribution functions of the
    masked values of some columns of numbers: what was there, and what was filled in. A
    step in the imputed ones where the true ones rise gently is a column mean; imputed
    ones that are steeper are conditional means; those of draws lie upon the true ones.

    Parameters
    ----------
    report : ImputationReport
    mechanism : {"mcar", "pattern"}, default=None
        Whose distributions are drawn; None is the first of the report.
    columns : sequence, default=None
        Columns of numbers whose distributions are drawn; None takes up to six, those
        with the worst ratios.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn on.
    errors_ax_ : matplotlib Axes
        That of the errors.
    points_ : dict of matplotlib PathCollection
        Their dots, by mechanism.
    whiskers_ : dict of matplotlib LineCollection
        Their intervals, by mechanism.
    distribution_axes_ : dict of matplotlib Axes
        Those of the distributions, by column.
    curves_ : dict of dict of matplotlib Line2D
        The distribution functions, by column: "true" and "imputed".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.impute import SimpleImputer
    >>> from genestimators import imputation_report
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> display = imputation_report(SimpleImputer(), X, random_state=0).plot()
    >>> list(display.distribution_axes_)
    [0, 1, 2]
    """

    def __init__(self, report, *, mechanism=None, columns=None):
        self.report = report
        self.mechanism = mechanism
        self.columns = columns

    def plot(self, *, figure=None):
        """Draw.

        Parameters
        ----------
        figure : matplotlib Figure, default=None
            Where to draw; None makes one as large as the columns need.

        Returns
        -------
        display : ImputationReportDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the mechanism was not used or a column is none of numbers.
        """
        plt = pyplot(type(self).__name__)
        mechanism, chosen = self._chosen()
        shown = _order(self.report)[:_MOST_DOTS]
        n_lines = -(-len(chosen) // 2)
        height = max(_LINE * len(shown), 1.5 * n_lines, 1.0) + _FRAME
        if figure is None:
            width = 10.0 if len(chosen) else 5.5
            figure = plt.figure(figsize=(width, height), layout="constrained")
        left, right = figure, None
        if chosen:
            left, right = figure.subfigures(1, 2, width_ratios=[1.0, 1.15])
        self.errors_ax_ = left.add_subplot()
        self._draw_errors(self.errors_ax_, shown)
        self.distribution_axes_, self.curves_ = {}, {}
        for k, i in enumerate(chosen):
            ax = right.add_subplot(n_lines, min(len(chosen), 2), k + 1)
            column = self.report.numbers["column"][i]
            self.distribution_axes_[column] = ax
            self.curves_[column] = self._draw_distributions(ax, i)
            if k % 2 == 0:
                ax.set_ylabel("share below", fontsize="small")
            else:
                ax.tick_params(labelleft=False)
        if chosen:
            right.suptitle(WAYS[mechanism], fontsize="medium")
            lines = next(iter(self.curves_.values())).values()
            right.legend(
                handles=list(lines), loc="outside lower center", ncols=2,
                fontsize="small", frameon=False,
            )  # fmt: skip
        self.figure_ = figure
        return self

    def _chosen(self):
        """The mechanism and the rows of the table whose distributions are drawn."""
        report = self.report
        used = report.mechanisms
        mechanism = used[0] if self.mechanism is None else self.mechanism
        if mechanism not in used:
            raise ValueError(
                f"`mechanism` must be one that the report used: {', '.join(used)}. Got "
                f"{mechanism!r}."
            )
        table = report.numbers
        rows = rows_of(table, mechanism)
        if self.columns is None:
            rows = rows[table["n_masked"][rows] > 0]
            return mechanism, worst_first(table, rows)[:_MOST_CURVES].tolist()
        names = table["column"][rows].tolist()
        for column in self.columns:
            if column not in names:
                raise ValueError(
                    "`columns` must be columns of numbers of the report. Got "
                    f"{column!r}, which is none of {names!r}."
                )
        return mechanism, [int(rows[names.index(column)]) for column in self.columns]

    def _draw_errors(self, ax, shown):
        """Dots and whiskers of the ratios, a line of the axes for each column."""
        report = self.report
        places = {key: float(place) for place, key in enumerate(shown)}
        n_ways = len(report.mechanisms)
        self.points_, self.whiskers_, largest = {}, {}, 0.0
        ax.axvline(1.0, color="0.4", linewidth=1.0, zorder=1)
        for k, mechanism in enumerate(report.mechanisms):
            ratios, y = [], []
            for kind in ("numbers", "levels"):
                table = getattr(report, kind)
                for i in rows_of(table, mechanism).tolist():
                    key = (kind, table["column"][i])
                    if key in places:
                        y.append(places[key] + 0.24 * (k - (n_ways - 1) / 2))
                        names = ("ratio", "ratio_low", "ratio_high")
                        ratios.append([table[name][i] for name in names])
            ratios = np.array(ratios, dtype=float).reshape(-1, 3)
            y, color = np.array(y), _COLORS[mechanism]
            known = np.isfinite(ratios[:, 0])
            largest = max(largest, ratios[known, 0].max(initial=0.0))
            self.points_[mechanism] = ax.scatter(
                ratios[known, 0], y[known], s=28, color=color, zorder=3,
                label=WAYS[mechanism],
            )  # fmt: skip
            known = np.isfinite(ratios).all(axis=1)
            self.whiskers_[mechanism] = ax.hlines(
                y[known], ratios[known, 1], ratios[known, 2], color=color,
                linewidth=1.6, zorder=2,
            )  # fmt: skip
        labels = [
            _short(name) + (" (wrong levels)" if kind == "levels" else "")
            for kind, name in shown
        ]
        ax.set_yticks(np.arange(len(shown)), labels, fontsize="small")
        ax.set_ylim(max(len(shown), 1) - 0.5, -0.5)
        # As wide as the dots need: the whisker of a column with few values may be long.
        ax.set_xlim(0.0, 1.15 * max(1.0, largest))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.9", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "left", "right"]].set_visible(False)
        ax.set_xlabel(
            f"error over that of {self._plain()}"
            f" ({100 * report.confidence_level:.4g}% confidence)"
        )
        ax.legend(
            fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), frameon=False,
            borderaxespad=0.2,
        )  # fmt: skip

    def _plain(self):
        """What errors are compared with."""
        kinds = {"the column mean": "numbers", "the most frequent level": "levels"}
        held = {
            words: len(getattr(self.report, kind)["column"])
            for words, kind in kinds.items()
        }
        return "\nor of ".join(words for words, n_columns in held.items() if n_columns)

    def _draw_distributions(self, ax, i):
        """Distribution functions of the masked values of a column."""
        report = self.report
        heights = report.distributions["probabilities"]
        lines = {}
        for name, (color, style, label) in _STYLES.items():
            values = report.distributions[name][i]
            (lines[name],) = ax.step(
                [values[0], *values], [0.0, *heights], where="post", color=color,
                linestyle=style, linewidth=1.5, label=label,
            )  # fmt: skip
        ax.set_title(_short(report.numbers["column"][i]), fontsize="small", loc="left")
        ax.set_ylim(0.0, 1.0)
        ax.set_yticks([0.0, 0.5, 1.0])
        ax.locator_params(axis="x", nbins=4)
        ax.tick_params(labelsize="small")
        ax.spines[["top", "right"]].set_visible(False)
        return lines


def _order(report):
    """Kinds and names of columns, the worst of the first mechanism first."""
    found = []
    for kind in ("numbers", "levels"):
        table = getattr(report, kind)
        for i in rows_of(table, report.mechanisms[0]).tolist():
            found.append((rank(table["ratio"][i]), kind, table["column"][i]))
    found.sort(key=lambda one: one[0])
    return [(kind, column) for _, kind, column in found]


def _short(name):
    """A name for people; both ends of a long one."""
    text = str(name) if isinstance(name, str) else f"column {name}"
    text = text.replace("$", r"\$")  # no mathematics
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2 - 1
    return f"{text[:half].rstrip()} … {text[-half:].lstrip()}"
