"""What every resampler shares: its parameters are data, and it plans draws."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import type_of_target

from genestimators._delegate import DocLink
from genestimators._inputs import check_groups, n_rows_of
from genestimators._params import Interval, check_parameters
from genestimators.resampling._balanced import strata_of
from genestimators.resampling._draws import expand, resolve_keys
from genestimators.resampling._keys import column_keys

MAX_SAMPLES = [
    Interval(float, 0.0, 1.0, open_low=True),
    Interval(int, 1),
]


class Resampler(DocLink, BaseEstimator):
    """What every resampler shares: parameters that are data, and `prepare`."""

    _parameter_constraints = {}

    def prepare(
        self,
        X,
        y,
        sample_weight=None,
        groups=None,
        seed=0,
        *,
        classifier=False,
        weight_mode="frequency",
    ):
        """Plan the draws for some data.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n rows
        y : ndarray of shape (n,) or (n, n_outputs)
        sample_weight : ndarray of shape (n,), optional
            Checked weights: finite, not negative, not all zero.
        groups : array-like of shape (n,), optional
            Labels of rows that belong together. Resamplers that do not draw groups
            hand them on as clusters, for standard errors.
        seed : int, default=0
            The same seed and data give the same draws.
        classifier : bool, default=False
            Whether y holds classes.
        weight_mode : {"frequency", "importance"}, default="frequency"
            Whether a weight of k is k rows, or a factor of the row's counts.

        Returns
        -------
        draws : Draws
            `draws[b]` is draw number b.
        """
        check_parameters(self)
        if groups is not None:
            groups = check_groups(groups, n_rows_of(X))
        draws = self._prepare(
            X, y, sample_weight, groups, seed, classifier, weight_mode == "importance"
        )
        if draws.clusters is None and groups is not None:
            draws.clusters = column_keys(groups)
        return draws


def split_weights(sample_weight, importance):
    """Weights to expand into occurrences, and weights to multiply counts by."""
    if sample_weight is None or not importance:
        return sample_weight, None
    # Rows of weight zero are absent under either meaning.
    return (sample_weight > 0).astype(float), sample_weight


def plan_occurrences(
    key,
    X,
    y,
    sample_weight,
    importance,
    *,
    groups=None,
    target=True,
    together=False,
):
    """The occurrences to draw, and the weights to multiply their counts by.

    Parameters
    ----------
    key, target
        See `resolve_keys`.
    sample_weight : ndarray of shape (n,) or None
    importance : bool
        Whether weights multiply counts, rather than being counts.
    groups : ndarray of shape (n,) or None
        Tell rows of equal content apart.
    together : bool, default=False
        See `expand`.

    Returns
    -------
    occurrences : Occurrences
    factor : ndarray of shape (n,) or None
    keys : ndarray of shape (n,), uint64
    """
    frequency, factor = split_weights(sample_weight, importance)
    also = [] if factor is None else [factor]
    if groups is not None:
        also.append(column_keys(groups))
    keys, exact = resolve_keys(key, X, y, frequency, target=target, also=also)
    return expand(keys, exact, frequency, together=together), factor, keys


def sample_fraction(max_samples, total):
    """The fraction of the total weight to draw, from a fraction or a number."""
    if isinstance(max_samples, (float, np.floating)):
        return float(max_samples)
    if max_samples > total:
        raise ValueError(
            f"`max_samples` must not exceed the total weight of the rows, {total:g}. "
            f"Got {max_samples!r}."
        )
    return max_samples / total


def class_strata(stratify, y, classifier, occurrences):
    """Positions of the occurrences of each stratum; None draws each on its own."""
    if stratify is False:
        return None
    if stratify == "auto" and (not classifier or y.ndim > 1):
        return [np.arange(len(occurrences.rows))]
    if stratify is True and (
        y.ndim > 1 or type_of_target(y) not in ("binary", "multiclass")
    ):
        raise ValueError(
            "`stratify=True` needs one column of classes in y. Got a target of type "
            f'{type_of_target(y)!r}; set `stratify="auto"`.'
        )
    return strata_of(occurrences.take(y))
