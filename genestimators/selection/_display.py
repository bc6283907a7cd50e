"""Pictures of what a selector saw: stability paths, or knockoff statistics."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from genestimators._plotting import new_axes
from genestimators.selection._stable_selector import StableFeatureSelector
from genestimators.selection.error_control._criteria import THRESHOLD
from genestimators.selection.knockoffs._filter import thresholds
from genestimators.selection.knockoffs._selector import KnockoffSelector

_NAMED = 12  # so many selected features are named at most
_KEPT, _OTHER = "C0", "0.75"


class SelectionDisplay:
    """Stability paths or knockoff statistics, the bar, and what was selected.

    Make it by `from_estimator`.

    Parameters
    ----------
    kind : {"paths", "statistics"}
        What is drawn.
    values : ndarray of shape (n_sizes, n_features) or (n_copies, n_units)
        Stability paths, or knockoff statistics.
    selected : ndarray of shape (n_features,) or (n_units,), bool
        What is kept.
    names : sequence of str
        Of the features or units.
    bar : float or None
        The frequency, or the statistic, to reach; None where the criterion compares
        something else.
    size : int or None
        How many features of a draw count as selected.
    rule : str
        The criterion in words.
    units : {"features", "groups of features"}, default="features"
        What is counted.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from genestimators import SelectionDisplay, StableFeatureSelector
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> selector = StableFeatureSelector(random_state=0).fit(X, y)
    >>> display = SelectionDisplay.from_estimator(selector)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        kind,
        values,
        selected,
        names,
        bar=None,
        size=None,
        rule="",
        units="features",
    ):
        self.kind = kind
        self.values = values
        self.selected = selected
        self.names = names
        self.bar = bar
        self.size = size
        self.rule = rule
        self.units = units

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw what a fitted selector saw.

        Parameters
        ----------
        estimator : StableFeatureSelector or KnockoffSelector
            Fitted.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : SelectionDisplay
        """
        if isinstance(estimator, StableFeatureSelector):
            check_is_fitted(estimator)
            return _of_paths(cls, estimator).plot(ax=ax)
        if isinstance(estimator, KnockoffSelector):
            check_is_fitted(estimator)
            return _of_statistics(cls, estimator).plot(ax=ax)
        raise TypeError(
            "`estimator` must be a fitted StableFeatureSelector or KnockoffSelector. "
            f"Got {estimator!r}."
        )

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : SelectionDisplay
            Itself.
        """
        ax = new_axes(ax, type(self).__name__)
        if self.kind == "paths":
            self._draw_paths(ax)
        else:
            self._draw_statistics(ax)
        ax.set_title(self.rule, fontsize="medium")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_paths(self, ax):
        sizes = np.arange(1, len(self.values) + 1)
        for kept, color, width in ((False, _OTHER, 0.8), (True, _KEPT, 1.6)):
            which = np.flatnonzero(self.selected == kept)
            for j, feature in enumerate(which):
                label = ("kept" if kept else "not kept") if j == 0 else None
                ax.plot(
                    sizes, self.values[:, feature], color=color, linewidth=width,
                    label=label,
                )  # fmt: skip
        if self.bar is not None:
            ax.axhline(self.bar, color="C3", linestyle="--", label="threshold")
        if self.size:
            ax.axvline(
                self.size, color="0.3", linestyle=":", label=f"{self.units} of a draw"
            )
            kept = np.flatnonzero(self.selected)
            end = min(self.size, len(sizes))  # paths do not go on for ever
            self._name(ax, kept, end, self.values[end - 1, kept])
        if len(sizes) > 30:
            ax.set_xscale("log")
        ax.set_ylim(-0.02, 1.04)
        ax.set_xlabel(f"{self.units} that a draw keeps")
        ax.set_ylabel("share of the draws that keep the feature")
        ax.legend(fontsize="small", loc="lower right")

    def _draw_statistics(self, ax):
        mean = self.values.mean(axis=0)
        order = np.argsort(-mean, kind="stable")
        x = np.arange(1, len(order) + 1)
        spread = self.values[:, order]
        ax.vlines(x, spread.min(axis=0), spread.max(axis=0), color="0.85", linewidth=2)
        for kept, color in ((False, "0.45"), (True, _KEPT)):
            which = self.selected[order] == kept
            label = "selected" if kept else "not selected"
            ax.scatter(x[which], mean[order][which], s=12, color=color, label=label)
        ax.axhline(0.0, color="0.3", linewidth=0.8)
        if self.bar is not None:
            ax.axhline(
                self.bar, color="C3", linestyle="--", label="median bar of the copies"
            )
        ax.set_xlabel(f"{self.units} by their mean statistic")
        ax.set_ylabel("importance less that of the copy")
        ax.legend(fontsize="small")

    def _name(self, ax, features, x, heights):
        """Write the names of a few features beside their lines, none on another."""
        if not len(features) or len(features) > _NAMED:
            return
        order = np.argsort(-heights, kind="stable")
        place = np.inf
        for i in order:
            place = min(heights[i] - 0.05, place - 0.045)
            ax.annotate(
                self.names[features[i]],
                (x, heights[i]),
                xytext=(8, (place - heights[i]) * 280),
                textcoords="offset points",
                fontsize="small",
                color=_KEPT,
                va="center",
            )


def _of_paths(cls, estimator):
    rule = f'criterion="{estimator.criterion}"'
    if estimator.criterion not in ("prediction", "frequency"):
        rule += f", alpha={estimator.alpha:g}"
    bar = None
    if estimator.criterion in ("pfer", "pfer_unimodal", "pfer_r_concave", "frequency"):
        bar = estimator.threshold or THRESHOLD
    return cls(
        kind="paths",
        values=estimator.stability_paths_,
        selected=estimator.get_support(),
        names=_names(estimator),
        bar=bar,
        size=estimator.n_selected_,
        rule=rule,
        units=_units(estimator),
    )


def _of_statistics(cls, estimator):
    labels = estimator.feature_groups_
    n_units = int(labels.max()) + 1
    chosen = np.zeros(n_units, dtype=bool)
    chosen[labels[estimator.get_support()]] = True
    bars = thresholds(estimator.statistics_, estimator.alpha, estimator.offset)
    bars = bars[np.isfinite(bars)]
    return cls(
        kind="statistics",
        values=estimator.statistics_,
        selected=chosen,
        names=_names(estimator),
        bar=float(np.median(bars)) if len(bars) else None,
        rule=f"alpha={estimator.alpha:g}, {len(estimator.statistics_)} sets of copies",
        units=_units(estimator),
    )


def _units(estimator):
    labels = estimator.feature_groups_
    return "features" if labels.max() + 1 == len(labels) else "groups of features"


def _names(estimator):
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return [f"x{i}" for i in range(estimator.n_features_in_)]
    return [str(name).replace("$", r"\$") for name in names]  # no mathematics
