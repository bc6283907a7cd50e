"""A learning curve and where it goes."""

import numpy as np

from genestimators._plotting import new_axes


class LearningCurveForecastDisplay:
    """Scores at several sizes, the curve through them, and its continuation.

    Make it by :meth:`LearningCurveForecast.plot`.

    Parameters
    ----------
    forecast : LearningCurveForecast

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.
    line_ : matplotlib Line2D
        The curve.
    band_ : matplotlib collection
        Its confidence band.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from genestimators import learning_curve_forecast
    >>> X, y = load_diabetes(return_X_y=True)
    >>> display = learning_curve_forecast(Ridge(), X, y).plot()  # doctest: +SKIP
    """

    def __init__(self, forecast):
        self.forecast = forecast

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LearningCurveForecastDisplay
            Itself.
        """
        ax = new_axes(ax, type(self).__name__)
        found = self.forecast
        n = found.n_samples
        x = np.geomspace(found.sizes[0], 2 * n, 200)
        curve, low, high = found.forecast(x)
        self.band_ = ax.fill_between(
            x, low, high, color="C0", alpha=0.2, linewidth=0,
            label=f"{found.confidence_level:.0%} confidence",
        )  # fmt: skip
        within = x <= n
        (self.line_,) = ax.plot(x[within], curve[within], color="C0", label="curve")
        ax.plot(x[~within], curve[~within], color="C0", linestyle="--")
        ax.errorbar(
            found.sizes, found.scores, yerr=found.std_errors, fmt="o", color="0.2",
            capsize=3, label="scores, one standard error",
        )  # fmt: skip
        ax.axvline(n, color="0.4", linewidth=0.8, linestyle=":")
        ax.annotate(
            "all rows", (n, 0.02), xycoords=("data", "axes fraction"),
            xytext=(4, 0), textcoords="offset points", fontsize="small", color="0.3",
        )  # fmt: skip
        if found.target is not None:
            ax.axhline(found.target, color="C3", linestyle="--", label="target")
        ax.set_xscale("log")
        ax.set_xlabel("training rows")
        ax.set_ylabel(found.scoring)
        ax.legend(fontsize="small", loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self
