"""The one place that imports matplotlib, which is optional."""

import numpy as np

_WIDE = 30.0  # from this ratio of the largest to the smallest value on: logarithmic
_DECADES = 6  # of a logarithmic axis that begins at zero


def pyplot(owner):
    """`matplotlib.pyplot`, for those who want to know before they compute.

    Parameters
    ----------
    owner : str
        The display, for the error.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as exc:
        raise ImportError(
            f"{owner} needs matplotlib to draw; install it with "
            "`pip install matplotlib`."
        ) from exc
    return plt


def new_axes(ax, owner, figsize=(7, 4.5)):
    """The axes to draw on: those given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
    owner : str
        The display, for the error.
    figsize : tuple of two float
        Of a new figure, in inches.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    plt = pyplot(owner)
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def place_values(ax, values):
    """Where the values of a parameter stand on an axis, which is scaled to them.

    Parameters
    ----------
    ax : matplotlib Axes
        Its x-axis becomes logarithmic where values are far apart.
    values : sequence of float or None
        None and infinity have no place of their own: then values stand in their order.

    Returns
    -------
    x : ndarray of shape (n_values,)
        Places, increasing.
    order : ndarray of shape (n_values,), int
        Which value stands at each.
    """
    numbers = np.array([np.inf if v is None else float(v) for v in values])
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    if not np.isfinite(numbers).all():
        x = np.arange(len(numbers), dtype=float)
        shown = np.linspace(0, len(x) - 1, min(len(x), 8)).round().astype(int)
        shown = np.unique(shown)
        ax.set_xticks(x[shown], [_label(values[order[i]]) for i in shown])
        return x, order
    positive = numbers[numbers > 0]
    if numbers[0] >= 0 and len(positive) and positive[-1] >= _WIDE * positive[0]:
        if numbers[0] > 0:
            ax.set_xscale("log")
        else:
            first = max(positive[0], positive[-1] / 10.0**_DECADES)
            # The ticks are powers of ten; none may stand too near to zero.
            start = 10.0 ** np.ceil(np.log10(first))
            ax.set_xscale("symlog", linthresh=start, linscale=1.0)
    return numbers, order


def _label(value):
    return "None" if value is None else f"{float(value):.4g}"


def axis_name(param, direction):
    """The name of a parameter, with an arrow to where it penalises more."""
    arrows = {"larger": "stronger penalty →", "smaller": "← stronger penalty"}
    return param if direction is None else f"{param}   ({arrows[direction]})"
