"""Columns of levels: text and categories, as indicators and back.

A column of levels is a block of indicators among the latent columns. Which level a row
has where it is missing follows from the law of the block given what is observed: the
level's share times how much better the rest of the row fits with it than without any
level known (the general location model, whose levels shift the means of the others).

References
----------
Olkin, I. & Tate, R. F. (1961). Multivariate correlation models with mixed discrete and
continuous variables. Annals of Mathematical Statistics, 32(2), 448-465.
Little, R. J. A. & Schluchter, M. D. (1985). Maximum likelihood estimation for mixed
continuous and categorical data with missing values. Biometrika, 72(3), 497-512.
"""

from numbers import Real

import numpy as np

from genestimators._inputs import is_missing
from genestimators.imputation.normal._elimination import cholesky, solve_lower

_MOST = 30  # levels with indicators of their own; rarer ones share one
UNKNOWN = -1.0  # code of a level that fit did not see


class Levels:
    """The levels of a column, by code, and the groups that have an indicator.

    Parameters
    ----------
    values : ndarray of shape (n,), object
        Missing ones among them.
    weight : ndarray of shape (n,)
    name : str or int
        Of the column, for errors.

    Attributes
    ----------
    levels : list
        Ascending; a level's place is its code.
    missing_level : str or None
        The level that stands for missing values.
    in_draws : bool
        Whether it does so in random draws too.
    """

    def __init__(self, values, weight, name):
        totals = {}
        for value, amount in zip(values.tolist(), weight.tolist(), strict=True):
            if not is_missing(value):
                totals[value] = totals.get(value, 0.0) + amount
        self.name = name
        self.levels = _ascending(totals, name)
        self.codes = {level: code for code, level in enumerate(self.levels)}
        self.missing_level, self.in_draws = None, True
        shares = np.array([totals[level] for level in self.levels])
        shares = shares / shares.sum() if len(shares) else shares
        self._group(shares)

    def _group(self, shares):
        """The most frequent level first, then others by share, the rare ones as one."""
        order = np.argsort(-shares, kind="stable")
        n_groups = min(len(order), _MOST + 1)
        self.group_of = np.empty(len(order), dtype=np.intp)
        self.group_of[order] = np.minimum(np.arange(len(order)), n_groups - 1)
        self.shares = np.bincount(self.group_of, shares, minlength=n_groups)
        # The level that stands for a group, and the running shares within the last one.
        self.first_of = order[:n_groups]
        self.last = order[n_groups - 1 :] if n_groups else order
        within = shares[self.last]
        self.last_shares = np.cumsum(within) / within.sum() if n_groups else within

    @property
    def n_indicators(self):
        """Of all groups but the first."""
        return max(len(self.shares) - 1, 0)

    def encode(self, values):
        """Codes of values: NaN where missing, `UNKNOWN` for a level not seen in fit."""
        out = np.empty(len(values))
        for i, value in enumerate(values.tolist()):
            if is_missing(value):
                out[i] = np.nan
            else:
                out[i] = self.codes.get(value, UNKNOWN)
        return out

    def set_missing_level(self, *, in_draws=True):
        """Give missing values a level of their own, of a name that no level has."""
        name = "missing"
        while name in self.codes:
            name += "_"
        self.missing_level, self.in_draws = name, in_draws

    @property
    def all_text(self):
        """Whether every level is text, so that there may be one called "missing"."""
        return all(isinstance(level, str) for level in self.levels)

    def decode(self, codes):
        """Levels at codes; that past the last is the one for missing values."""
        known = self.possible
        return [known[int(code)] for code in codes]

    @property
    def possible(self):
        """What a filled column may hold, by code."""
        if self.missing_level is None:
            return self.levels
        return [*self.levels, self.missing_level]

    def indicators(self, codes):
        """Indicators of the groups but the first; NaN where no level is known.

        Returns
        -------
        indicators : ndarray of shape (n, n_indicators)
        """
        known = codes >= 0
        out = np.full((len(codes), self.n_indicators), np.nan)
        groups = self.group_of[codes[known].astype(np.intp)]
        out[known] = groups[:, None] == np.arange(1, self.n_indicators + 1)
        return out

    def choose(self, scores, uniforms=None):
        """A code for each row.

        Parameters
        ----------
        scores : ndarray of shape (n_groups, n)
            Logarithms of what is proportional to the probabilities.
        uniforms : ndarray of shape (n_groups + 1, n), optional
            Numbers between zero and one; with them a level is drawn, without it is the
            most probable one.
        """
        if uniforms is not None:
            scores = scores - np.log(-np.log(uniforms[:-1]))  # Gumbel's maximum
        groups = scores.argmax(axis=0)
        codes = self.first_of[groups]
        if uniforms is not None and len(self.last) > 1:
            rare = groups == len(self.shares) - 1
            place = np.searchsorted(self.last_shares, uniforms[-1][rare])
            codes[rare] = self.last[np.minimum(place, len(self.last) - 1)]
        return codes.astype(np.float64)


class LevelLaw:
    """Scores of the levels of a column given the law of its indicators.

    Parameters
    ----------
    levels : Levels
    center, scale : ndarray of shape (c,)
        Of the indicators, by which they are standardized.
    mean : ndarray of shape (c,)
        Of the standardized indicators.
    covariance : ndarray of shape (c, c)
    """

    def __init__(self, levels, center, scale, mean, covariance):
        corners = np.concatenate(
            [np.zeros((len(center), 1)), np.eye(len(center))], axis=1
        )
        self.corners = (corners - center[:, None]) / scale[:, None]
        rest = self.corners - mean[:, None]
        with np.errstate(divide="ignore"):
            self.base = np.log(levels.shares) + 0.5 * np.einsum(
                "ig,ig->g", rest, np.linalg.solve(covariance, rest)
            )

    def scores(self, means, covariances):
        """Scores of each group of levels.

        Parameters
        ----------
        means : ndarray of shape (c, n)
            Of the standardized indicators given what is observed.
        covariances : ndarray of shape (c, c, n)

        Returns
        -------
        scores : ndarray of shape (c + 1, n)
        """
        factors = cholesky(covariances)
        out = np.empty((len(self.base), means.shape[1]))
        for group, base in enumerate(self.base):
            parts = solve_lower(factors, self.corners[:, group, None] - means)
            distance = np.zeros(means.shape[1])
            for part in parts:  # in order, so that a row's bits are its own
                distance += part * part
            out[group] = base - 0.5 * distance
        return out


def _ascending(levels, name):
    """Levels in their order; they are all text or all numbers."""
    found = list(levels)
    if all(isinstance(level, str) for level in found) or all(
        isinstance(level, (Real, np.bool_)) for level in found
    ):
        return sorted(found)
    other = next(level for level in found if not isinstance(level, str))
    mixed = any(isinstance(level, str) for level in found)
    rule = ", and not both, so that levels can be told from numbers" if mixed else ""
    raise TypeError(
        f"Column {name!r} must hold text or numbers{rule}. Got {other!r} of type "
        f"{type(other).__name__} in it; make the column one of text (categories by "
        "`.cat.rename_categories(str)`), or pass numbers (argument must be a string or "
        "a number)."
    )
