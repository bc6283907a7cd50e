"""Means over rows and replicates, with the errors that both leave.

A figure is a mean over rows, each seen by some of the replicates. Other rows would give
another mean, and so would other replicates of the same rows; the covariance of several
such means has a part of the rows, one of the replicates, and what both parts count
twice is taken off (the pigeonhole variance of Owen, 2007).
"""

import numpy as np


class TwoWaySums:
    """Sums by row and by replicate of several weighted figures.

    Parameters
    ----------
    n_values : int
        Settings that are compared, each with all figures.
    n_rows : int
    weight_of : sequence of int
        For each figure the set of weights that it is a mean with. Figures of one size
        of the training data share theirs.
    """

    def __init__(self, n_values, n_rows, weight_of):
        self.weight_of = np.asarray(weight_of)
        n_terms, n_weights = len(self.weight_of), int(self.weight_of.max()) + 1
        self.row_weight = np.zeros((n_weights, n_rows))
        self.row_sum = np.zeros((n_terms, n_values, n_rows))
        self._replicate_weight, self._replicate_sum = [], []
        self._ww = np.zeros((n_weights, n_weights))
        self._wt = np.zeros((n_weights, n_terms, n_values))
        self._tt = np.zeros((n_terms, n_terms, n_values))

    @property
    def n_replicates(self):
        return len(self._replicate_sum)

    def add(self, weight, terms):
        """Add a replicate.

        Parameters
        ----------
        weight : ndarray of shape (n_weights, n_rows)
            Zero where a row has no figure.
        terms : ndarray of shape (n_terms, n_values, n_rows)
        """
        weighted = weight[self.weight_of][:, None] * terms
        self.row_weight += weight
        self.row_sum += weighted
        self._replicate_weight.append(weight.sum(axis=1))
        self._replicate_sum.append(weighted.sum(axis=2))
        self._ww += weight @ weight.T
        self._wt += np.einsum("wn,tvn->wtv", weight, weighted)
        self._tt += np.einsum("svn,tvn->stv", weighted, weighted)

    def means(self):
        """The means over everything, (n_terms, n_values)."""
        total = self.row_weight.sum(axis=1)[self.weight_of]
        return self.row_sum.sum(axis=2) / total[:, None]

    def row_means(self):
        """Means of each row, (n_terms, n_values, n_rows), NaN where there is none."""
        weight = self.row_weight[self.weight_of][:, None]
        out = np.full(self.row_sum.shape, np.nan)
        return np.divide(self.row_sum, weight, out=out, where=weight > 0)

    def row_influence(self):
        """How much each row moves each mean, (n_terms, n_values, n_rows)."""
        weight = self.row_weight[self.weight_of]
        centred = self.row_sum - self.means()[..., None] * weight[:, None]
        return centred / weight.sum(axis=1)[:, None, None]

    def replicate_influence(self):
        """How much replicates move each mean, (n_terms, n_values, n_replicates)."""
        weight = np.array(self._replicate_weight)[:, self.weight_of]
        sums = np.array(self._replicate_sum)
        centred = sums - self.means() * weight[..., None]
        return np.moveaxis(centred / weight.sum(axis=0)[:, None], 0, -1)

    def covariances(self, clusters=None):
        """Covariances of the means: of everything, and of the replicates alone.

        Parameters
        ----------
        clusters : ndarray of shape (n_rows,), int, or None
            Rows that belong together.

        Returns
        -------
        both : ndarray of shape (n_values, n_terms, n_terms)
        replicates : ndarray of shape (n_values, n_terms, n_terms)
            What more replicates would take away.
        """
        rows = covariance_of(self.row_influence(), clusters, self.row_weight)
        replicates = covariance_of(self.replicate_influence())
        beyond = replicates - self._within()
        positive = (np.einsum("vtt->vt", beyond) > 0).all(axis=1)
        return rows + np.where(positive[:, None, None], beyond, 0.0), replicates

    def _within(self):
        """The covariance that single cells of the table alone would leave."""
        mean, of = self.means(), self.weight_of
        total = self.row_weight.sum(axis=1)[of]
        cross = self._wt[of]  # weight of term s, value of term t
        inner = (
            self._tt
            - mean[None] * np.swapaxes(cross, 0, 1)
            - mean[:, None] * cross
            + mean[None] * mean[:, None] * self._ww[of][:, of][..., None]
        )
        return np.moveaxis(inner / (total[:, None] * total)[..., None], -1, 0)


def covariance_of(influence, clusters=None, weight=None):
    """Covariance of means from influences, (n_values, n_terms, n_terms).

    Parameters
    ----------
    influence : ndarray of shape (n_terms, n_values, n_units)
    clusters : ndarray of shape (n_units,), int, or None
        From 0 on.
    weight : ndarray of shape (n_weights, n_units), default=None
        Units of no weight at all do not count.
    """
    n = influence.shape[2]
    if weight is not None:
        n = int(weight.any(axis=0).sum())
    if clusters is not None:
        order = np.argsort(clusters, kind="stable")
        first = np.flatnonzero(np.diff(clusters[order], prepend=-1))
        influence = np.add.reduceat(influence[..., order], first, axis=2)
        n = int(influence.any(axis=(0, 1)).sum())
    share = n / (n - 1) if n > 1 else np.nan
    return share * np.einsum("svn,tvn->vst", influence, influence)
