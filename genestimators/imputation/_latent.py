"""The latent table: standardized columns of numbers and indicators of levels."""

import numpy as np

from genestimators.imputation._noise import RowNoise
from genestimators.imputation.columns._levels import LevelLaw
from genestimators.imputation.columns._marginals import MARGINALS, Standardized
from genestimators.imputation.normal._law import fit_law


class LatentModel:
    """A joint law of all columns, which fills a table of numbers and codes.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features)
        Numbers and codes of levels, NaN where missing.
    weight : ndarray of shape (n_rows,)
        Positive.
    levels : dict of Levels
        By position of the feature.
    marginals : {"gaussian", "copula"}
    names : sequence
        Of the features.
    **settings
        Of `fit_law`.

    Attributes
    ----------
    law : Law or None
        None where no column varies.
    names : list of str
        Of the latent columns that have a law.
    n_noise : int
        Columns of noise that draws use.
    """

    def __init__(self, table, weight, levels, marginals, names, **settings):
        self._levels = levels
        self._maps = {}  # by feature: one map, or those of its indicators
        self._places = {}  # by feature: its latent columns
        self.names = []
        for j in range(table.shape[1]):
            seen = ~np.isnan(table[:, j])
            if j in levels:
                sides = levels[j].indicators(table[seen, j]).T
                maps = [Standardized(side, weight[seen]) for side in sides]
                labels = [
                    f"{names[j]}={levels[j].levels[int(code)]}"
                    for code in levels[j].first_of[1:]
                ]
            else:
                maps = [MARGINALS[marginals](table[seen, j], weight[seen])]
                labels = [str(names[j])]
                if not maps[0].varies:
                    self._maps[j], self._places[j] = maps, []
                    continue
            self._places[j] = list(range(len(self.names), len(self.names) + len(maps)))
            self._maps[j] = maps
            self.names += labels
        self.law = None
        if self.names:
            self.law = fit_law(self.latent(table), weight, **settings)
        self._level_laws, self._noise_places = {}, {}
        first = 2 * len(self.names)  # those before are of latent columns and factors
        for j, one in levels.items():
            if self._places[j]:
                self._level_laws[j] = self._level_law(j)
                size = len(one.shares) + 1
                self._noise_places[j] = np.arange(first, first + size)[:, None]
                first += size
        self.n_noise = first

    def _level_law(self, j):
        places, maps = self._places[j], self._maps[j]
        return LevelLaw(
            self._levels[j],
            np.array([one.center for one in maps]),
            np.array([one.scale for one in maps]),
            self.law.mean[places],
            self.law.covariance[np.ix_(places, places)],
        )

    def latent(self, table):
        """The latent columns of rows.

        Parameters
        ----------
        table : ndarray of shape (n, n_features)

        Returns
        -------
        latent : ndarray of shape (n, n_latent)
            NaN where missing.
        """
        out = np.empty((len(table), len(self.names)))
        for j, places in self._places.items():
            if not places:
                continue
            if j in self._levels:
                out[:, places] = self._indicators(j, table[:, j])
            else:
                out[:, places[0]] = self._maps[j][0].forward(table[:, j])
        return out

    def _indicators(self, j, codes):
        sides = self._levels[j].indicators(codes)
        pairs = zip(self._maps[j], sides.T, strict=True)
        return np.stack([one.forward(side) for one, side in pairs], axis=1)

    def fill(self, table, seed=None, draw=0):
        """Fill a table with conditional means, or with a draw where there is a seed.

        Parameters
        ----------
        table : ndarray of shape (n, n_features)
            NaN where missing; it is filled in place.
        seed : int, optional
        draw : int
        """
        missing = np.isnan(table)
        rows = np.flatnonzero(missing.any(axis=1))
        if not len(rows):
            return
        part, missing = table[rows], missing[rows]
        noise = None if seed is None else RowNoise(part, seed, draw)
        deviation = None
        skewed = any(one.skewed for maps in self._maps.values() for one in maps)
        if self.law is not None and noise is None and skewed:
            deviation = np.sqrt(self.law.conditional.variance(self.latent(part)))
        latent = self.complete(part, noise)
        for j, places in self._places.items():
            where = np.flatnonzero(missing[:, j])
            if j in self._levels or not len(where):
                continue
            if not places:
                part[where, j] = self._maps[j][0].backward(np.zeros(len(where)))
                continue
            one, at = self._maps[j][0], latent[where, places[0]]
            if noise is None and one.skewed:
                part[where, j] = one.mean(at, deviation[where, places[0]])
            else:
                part[where, j] = one.backward(at)
        table[rows] = part

    def complete(self, part, noise=None):
        """Choose the levels of rows, in place, and complete their latent columns.

        Parameters
        ----------
        part : ndarray of shape (n, n_features)
            NaN where missing; numbers are left so.
        noise : RowNoise, optional
            Of these rows; with it levels and latent columns are drawn.

        Returns
        -------
        latent : ndarray of shape (n, n_latent)
        """
        latent = self.latent(part)
        for j in self._levels:
            self._fill_levels(j, part, latent, noise)
        if self.law is not None:
            self.law.conditional.fill(latent, noise and noise.normals)
        return latent

    def place(self, j):
        """The latent column of a feature of numbers, None where it does not vary."""
        return self._places[j][0] if self._places[j] else None

    def standardized(self, j, values):
        """Latent values of a feature of numbers."""
        return self._maps[j][0].forward(values)

    def _fill_levels(self, j, part, latent, noise):
        """Choose the levels of one column; a draw is what later ones depend on."""
        levels = self._levels[j]
        rows = np.flatnonzero(np.isnan(part[:, j]))
        if not len(rows):
            return
        if levels.missing_level is not None and (noise is None or levels.in_draws):
            part[rows, j] = len(levels.levels)
            return
        if not self._places[j]:
            part[rows, j] = 0.0 if levels.levels else np.nan
            return
        places = np.array(self._places[j])
        laws = self.law.conditional.block_law(latent[rows], places)
        for where, means, covariances in laws:
            scores = self._level_laws[j].scores(means, covariances)
            uniforms = None
            if noise is not None:
                columns = np.repeat(self._noise_places[j], len(where), axis=1)
                uniforms = noise.uniforms(rows[where], columns)
            part[rows[where], j] = levels.choose(scores, uniforms)
        if noise is not None:
            latent[np.ix_(rows, places)] = self._indicators(j, part[rows, j])

    def interval(self, table, quantile):
        """Ends of the central intervals of missing numbers.

        Parameters
        ----------
        table : ndarray of shape (n, n_features)
        quantile : float
            Of the standard normal law, of the upper end.

        Returns
        -------
        low, high : ndarray of shape (n, n_features)
            The value itself where it is observed; NaN in columns of levels.
        """
        low, high = table.copy(), table.copy()
        if self.law is not None:
            latent = self.latent(table)
            deviation = np.sqrt(self.law.conditional.variance(latent))
            self.law.conditional.fill(latent)
        for j, places in self._places.items():
            if j in self._levels:
                low[:, j] = high[:, j] = np.nan
                continue
            where = np.flatnonzero(np.isnan(table[:, j]))
            one = self._maps[j][0]
            for end, sign in ((low, -1.0), (high, 1.0)):
                at = np.zeros(len(where))
                if places:
                    reach = quantile * deviation[where, places[0]]
                    at = latent[where, places[0]] + sign * reach
                end[where, j] = one.backward(at)
        return low, high

    def parameters(self):
        """Mean and covariance of the latent columns, gaussian ones in their units."""
        scale = np.ones(len(self.names))
        center = np.zeros(len(self.names))
        for j, places in self._places.items():
            for place, one in zip(places, self._maps[j], strict=False):
                if not one.skewed:
                    center[place], scale[place] = one.center, one.scale
        if self.law is None:
            return center, np.zeros((0, 0))
        mean = center + scale * self.law.mean
        with np.errstate(over="ignore"):  # in the units of columns of 1e160 it is inf
            return mean, self.law.covariance * np.outer(scale, scale)
