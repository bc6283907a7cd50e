"""From columns to standardized latent ones, and back.

Under "gaussian" a column is its own latent one, centred and scaled. Under "copula" it
is taken for a monotone function of a normal one: its values become normal scores, and
what is filled in comes back through the quantiles of the observed values, so it never
leaves their range, and is one of them where the column is made of few values or of
integers.

References
----------
Liu, H., Lafferty, J. & Wasserman, L. (2009). The nonparanormal: semiparametric
estimation of high dimensional undirected graphs. JMLR, 10, 2295-2328.
Zhao, Y. & Udell, M. (2020). Missing value imputation for mixed data via Gaussian
copula. KDD '20, 636-646.
"""

import numpy as np
from scipy.special import ndtri

_SURE = 2.0**-53  # a share that is told from one
_WHOLE = 2.0**52  # from here on every number is an integer
_FEW = 20  # distinct values; a column of no more takes no values between them
_ROUNDING = 2.0**-51  # of the largest value: four of its last digits
_KNOTS = 1000  # quantiles that stand for a column of more values
_NODES, _SHARES = np.polynomial.hermite_e.hermegauss(15)
_SHARES = _SHARES / _SHARES.sum()


class Standardized:
    """A column less its mean, over its standard deviation.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Those observed; there may be none.
    weight : ndarray of shape (n,)
    """

    skewed = False  # whether the mean of a function is not the function of the mean

    def __init__(self, values, weight):
        self.center, self.scale, self.varies = _moments(values, weight)

    def forward(self, values):
        """Latent values; a column that did not vary is zero throughout."""
        if not self.varies:
            return np.where(np.isnan(values), np.nan, 0.0)
        return (values - self.center) / self.scale

    def backward(self, latent):
        """Values at latent ones."""
        return self.center + latent * self.scale


class Quantiles:
    """A column as a monotone function of a normal one.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Those observed; there may be none.
    weight : ndarray of shape (n,)
    """

    skewed = True

    def __init__(self, values, weight):
        center, _, self.varies = _moments(values, weight)
        if not self.varies:
            self.knots, self.scores = np.array([center]), np.zeros(1)
            self.stepwise = True
            self.borders, self.scale = np.zeros(0), 1.0
            return
        knots, where = np.unique(values, return_inverse=True)
        shares = np.bincount(where, weight) / weight.sum()
        integers = (knots == np.rint(knots)) & (np.abs(knots) < _WHOLE)
        self.stepwise = len(knots) <= _FEW or bool(integers.all())
        below = np.concatenate([[0.0], np.cumsum(shares)[:-1]])
        # Within the ends: next to no weight on the largest value is rounded to one.
        scores = ndtri(np.clip(below + shares / 2, _SURE, 1 - _SURE))
        # Of unit variance, so that a latent column is a standardized one.
        self.scale = float(np.sqrt(shares @ np.square(scores - shares @ scores)))
        kept = _some(below + shares / 2)
        self.knots, self.scores = knots[kept], scores[kept]
        self.borders = ndtri(below[kept][1:])

    def forward(self, values):
        """Latent values: normal scores, those of the ends beyond them."""
        missing = np.isnan(values)
        known = np.where(missing, self.knots[0], values)
        known = np.interp(known, self.knots, self.scores)
        return np.where(missing, np.nan, known / self.scale)

    def backward(self, latent):
        """Values at latent ones: observed ones or between two of them."""
        scores = latent * self.scale
        if self.stepwise:
            return self.knots[np.searchsorted(self.borders, scores, side="right")]
        return np.interp(scores, self.scores, self.knots)

    def mean(self, latent, deviation):
        """Mean value where the latent one is normal, its median if stepwise.

        Parameters
        ----------
        latent, deviation : ndarray of shape (n,)
            Mean and standard deviation of the latent values.
        """
        if self.stepwise:
            return self.backward(latent)
        total = np.zeros(latent.shape)
        for node, share in zip(_NODES, _SHARES, strict=True):
            total += share * self.backward(latent + node * deviation)
        return np.clip(total, self.knots[0], self.knots[-1])


MARGINALS = {"gaussian": Standardized, "copula": Quantiles}


def _moments(values, weight):
    """Mean, standard deviation and whether it is one that is above rounding."""
    if not len(values):
        return 0.0, 1.0, False
    total = weight.sum()
    # Squares of the largest numbers overflow and those of the smallest vanish; a power
    # of two taken out changes no digit.
    power = int(np.frexp(np.abs(values).max())[1])
    values = np.ldexp(values, -power)
    center = weight @ values / total
    rest = values - center
    again = weight @ rest / total  # what rounding left of a large mean
    center, rest = center + again, rest - again
    if values.min() == values.max():
        return float(np.ldexp(values[0], power)), 1.0, False
    # A column told apart by rounding alone would say anything of the others.
    if values.max() - values.min() <= _ROUNDING:
        return float(np.ldexp(center, power)), 1.0, False
    scale = float(np.ldexp(np.sqrt(weight @ np.square(rest) / total), power))
    if not scale > 0:
        return float(np.ldexp(center, power)), 1.0, False
    return float(np.ldexp(center, power)), scale, True


def _some(levels):
    """Positions of at most some of the ascending levels, both ends among them."""
    if len(levels) <= _KNOTS:
        return np.arange(len(levels))
    wanted = np.linspace(levels[0], levels[-1], _KNOTS)
    return np.unique(np.searchsorted(levels, wanted).clip(0, len(levels) - 1))
