"""How much the selected set changes from draw to draw."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class Stability:
    """Stability of a selection over draws.

    Attributes
    ----------
    value : float
        1 if all draws select the same units, about 0 if they select at random, NaN
        where it is not defined.
    std_error : float
    interval : tuple of two float
        Confidence interval; not cut at 1.
    reason : str or None
        Why a figure is NaN.
    """

    value: float
    std_error: float
    interval: tuple[float, float]
    reason: str | None = None

    def __str__(self):
        if np.isnan(self.value):
            return f"stability not defined: {self.reason}"
        if np.isnan(self.std_error):
            return f"stability {self.value:.2f}, no interval: {self.reason}"
        low, high = self.interval
        return f"stability {self.value:.2f} ({low:.2f} to {high:.2f})"


@dataclass(frozen=True)
class StabilityDifference:
    """Stability of a second selection minus that of a first.

    Attributes
    ----------
    difference : float
    std_error : float
    p_value : float
        Two-sided, of equal stability.
    """

    difference: float
    std_error: float
    p_value: float


def selection_stability(selected, *, confidence=0.95):
    """Stability of the selections of several draws, corrected for chance.

    Parameters
    ----------
    selected : array-like of shape (n_draws, n_units), bool
    confidence : float, default=0.95

    Returns
    -------
    stability : Stability

    Notes
    -----
    With k the mean number of units selected of d, and s_f^2 the unbiased variance over
    draws of the indicator that unit f is selected, the stability is

        1 - mean_f(s_f^2) / ((k / d) (1 - k / d)),

    which for two draws of equal size is the kappa coefficient of their agreement. The
    standard error is that of a mean over independent draws, from the influence of each
    draw [1]_. Draws from the same rows are independent given these rows: the interval
    says how well the stability on these data is known, not how it would differ on
    others.

    References
    ----------
    .. [1] Nogueira, S., Sechidis, K. & Brown, G. (2018). On the stability of feature
       selection algorithms. Journal of Machine Learning Research 18, 1-54.

    Examples
    --------
    >>> from genestimators.selection.error_control._stability import selection_stability
    >>> draws = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]]
    >>> print(selection_stability(draws))
    stability 0.50 (0.08 to 0.92)
    """
    selected = _as_indicators(selected)
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence` must be between 0 and 1. Got {confidence!r}.")
    value, influence, reason = _influences(selected)
    n_draws = len(selected)
    if influence is None:
        return Stability(value, np.nan, (np.nan, np.nan), reason)
    error = 2 * np.sqrt(np.sum((influence - influence.mean()) ** 2)) / n_draws
    reach = norm.ppf((1 + confidence) / 2) * error
    return Stability(value, float(error), (float(value - reach), float(value + reach)))


def compare_stability(first, second):
    """Test whether two selections on independent draws are equally stable.

    Parameters
    ----------
    first, second : array-like of shape (n_draws, n_units), bool
        The numbers of draws, and of units, may differ.

    Returns
    -------
    difference : StabilityDifference
        With a p-value from the normal distribution [1]_, NaN if one of the standard
        errors is. Draws that both share make the test conservative as a rule.

    References
    ----------
    .. [1] Nogueira, S., Sechidis, K. & Brown, G. (2018). On the stability of feature
       selection algorithms. Journal of Machine Learning Research 18, 1-54.
    """
    one, two = selection_stability(first), selection_stability(second)
    difference = two.value - one.value
    error = float(np.hypot(one.std_error, two.std_error))
    if error == 0:  # neither changes from draw to draw: the difference is known
        p_value = 1.0 if difference == 0 else 0.0
    else:
        p_value = float(2 * norm.sf(abs(difference) / error))
    return StabilityDifference(difference, error, p_value)


def _influences(selected):
    """The stability, half the influence of each draw (up to a constant), what lacks."""
    n_draws, n_units = selected.shape
    if n_draws == 1:
        return np.nan, None, "a single draw has nothing to agree with"
    frequency = selected.mean(axis=0)
    share = frequency.mean()
    if share in (0, 1):
        which = "no unit" if share == 0 else "all units"
        return np.nan, None, f"every draw selects {which}, which chance does too"
    scale = share * (1 - share)
    spread = n_draws / (n_draws - 1) * np.mean(frequency * (1 - frequency))
    value = float(1 - spread / scale)
    if n_draws == 2:
        return value, None, "it needs three draws or more"
    own = selected.mean(axis=1)
    chance = own * share - (2 * own * share - own - share + 1) * value / 2
    return value, (selected @ frequency / n_units - chance) / scale, None


def _as_indicators(selected):
    selected = np.asarray(selected)
    if selected.ndim != 2 or 0 in selected.shape:
        raise ValueError(
            "`selected` must have a row for each draw and a column for each unit. Got "
            f"shape {selected.shape}."
        )
    if not np.isin(selected, (0, 1)).all():
        raise ValueError("`selected` must say True or False for each unit in a draw.")
    return selected.astype(np.float64)
