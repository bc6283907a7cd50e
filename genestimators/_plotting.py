"""The one place that imports matplotlib, which is optional."""


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
    try:
        import matplotlib.pyplot as plt
    except ImportError as exc:
        raise ImportError(
            f"{owner} needs matplotlib to draw; install it with "
            "`pip install matplotlib`."
        ) from exc
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax
