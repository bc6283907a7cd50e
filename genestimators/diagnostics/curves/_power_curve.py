"""The curve of a score over the number of training rows: limit - scale / m^rate.

Power laws with a limit describe most learning curves best, and extrapolate best
(Viering and Loog, 2022). For a given rate the curve is a line in m^-rate, so a search
over rates and a line for each are all of a fit, for many curves at once.
"""

from dataclasses import dataclass

import numpy as np

RATES = np.geomspace(0.1, 2.0, 150)


@dataclass(frozen=True, eq=False)
class PowerCurves:
    """Curves fitted to the scores at the same sizes.

    Attributes
    ----------
    limit, scale, rate : ndarray of shape (n_curves,)
        Scores go to the limit from below: the scale is not negative.
    """

    limit: np.ndarray
    scale: np.ndarray
    rate: np.ndarray

    def at(self, sizes):
        """Scores at some sizes, (n_curves, n_sizes)."""
        sizes = np.asarray(sizes, dtype=float)
        return self.limit[:, None] - self.scale[:, None] * sizes ** -self.rate[:, None]

    def size_for(self, target):
        """The least size with a score, (n_curves,); infinite beyond the limit."""
        left = self.limit - target
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = (self.scale / left) ** (1 / self.rate)
        return np.where(left > 0, size, np.inf)


def fit_power_curves(scores, sizes, weight, best=np.inf):
    """Fit curves by weighted least squares.

    Parameters
    ----------
    scores : ndarray of shape (n_curves, n_sizes)
    sizes : ndarray of shape (n_sizes,)
    weight : ndarray of shape (n_sizes,)
        One over the variances of the scores.
    best : float, default=inf
        A score that no number of rows goes beyond, as that of perfect predictions.

    Returns
    -------
    PowerCurves
    """
    share = weight / weight.sum()
    x = (sizes / sizes[-1]) ** -RATES[:, None]  # (n_rates, n_sizes), one at the end
    mean_x, mean = x @ share, scores @ share
    centred = x - mean_x[:, None]
    spread = (centred**2) @ share
    slope = (scores * share) @ centred.T / spread  # (n_curves, n_rates)
    slope = np.minimum(slope, 0.0)  # more rows do not harm
    limit = mean[:, None] - slope * mean_x
    if np.isfinite(best):
        # Where the limit lies beyond, the best curve through it does as well as any.
        through = ((scores - best) * share) @ x.T / ((x**2) @ share)
        beyond = limit > best
        slope = np.where(beyond, np.minimum(through, 0.0), slope)
        limit = np.where(beyond, best, limit)
    fitted = limit[..., None] + slope[..., None] * x
    error = ((scores[:, None] - fitted) ** 2) @ share
    chosen = error.argmin(axis=1)
    every = np.arange(len(scores))
    rate, slope = RATES[chosen], slope[every, chosen]
    return PowerCurves(
        limit=limit[every, chosen],
        scale=-slope * sizes[-1] ** rate,
        rate=rate,
    )
