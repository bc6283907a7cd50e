"""Features that stand or fall together, and features that always stay."""

from numbers import Integral

import numpy as np
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from genestimators._inputs import frame_columns, is_missing

CORRELATED = 0.8  # mean absolute correlation of the features of a cluster


def unit_labels(feature_groups, X, n_features, weight=None):
    """The unit of each feature.

    Parameters
    ----------
    feature_groups : None, "auto" or array-like of shape (n_features,)
    X : array, sparse matrix or frame of shape (n, n_features)
    n_features : int
    weight : ndarray of shape (n,), default=None
        Of the rows, for "auto".

    Returns
    -------
    labels : ndarray of shape (n_features,), int
        Numbered from 0 in the order in which units come up.

    Raises
    ------
    ValueError
        If there is not one label for each feature, or one is missing.
    """
    if feature_groups is None:
        return np.arange(n_features)
    if isinstance(feature_groups, str):
        if feature_groups != "auto":
            raise ValueError(
                "`feature_groups` must be None, 'auto' or one label for each feature. "
                f"Got {feature_groups!r}."
            )
        return correlation_clusters(X, weight=weight)
    groups = list(feature_groups)
    if len(groups) != n_features:
        raise ValueError(
            f"`feature_groups` must hold one label for each of the {n_features} "
            f"features. Got {len(groups)} labels."
        )
    if any(is_missing(label) for label in groups):
        raise ValueError(
            "`feature_groups` must not have missing labels, since a missing label is "
            "no group; give features without a group labels of their own. Got None or "
            "NaN."
        )
    known = {}
    try:
        return np.array([known.setdefault(label, len(known)) for label in groups])
    except TypeError as error:
        raise TypeError(
            "`feature_groups` must hold labels that can be told apart as keys, such as "
            f"texts or numbers, one for each feature. Got {groups!r}."
        ) from error


def is_flat(value):
    """Whether a value is a sequence of items that are no sequences themselves."""
    if isinstance(value, str | bytes | dict) or not hasattr(value, "__len__"):
        return False
    if isinstance(value, list | tuple):
        return not any(isinstance(item, list | tuple | np.ndarray) for item in value)
    return np.ndim(value) == 1


def correlation_clusters(X, threshold=CORRELATED, weight=None):
    """Clusters of features by average linkage of their absolute correlations.

    Parameters
    ----------
    X : array, sparse matrix or frame of shape (n, p)
        Columns that hold no numbers are clusters of their own; missing numbers are
        left out of a column's mean and then stand for it.
    threshold : float, default=0.8
        Two clusters are joined where the correlations between them are at least this
        on average.
    weight : ndarray of shape (n,), default=None
        Of the rows.

    Returns
    -------
    labels : ndarray of shape (p,), int
        Numbered from 0 in the order in which clusters come up.
    """
    if weight is not None:
        weight = weight / weight.sum()
    correlation = np.abs(_correlations(X, weight))
    p = len(correlation)
    if p < 2:
        return np.arange(p)
    distance = np.clip(1.0 - correlation, 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    # Rounding must not part exact copies, whose distance is zero.
    found = fcluster(tree, 1.0 - threshold + 1e-9, "distance")
    _, first, place = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[place]


def _correlations(X, share=None):
    """Correlations of the columns, 0 where one is constant or holds no numbers."""
    if sparse.issparse(X):
        X = X.tocsc().astype(np.float64)
        share = np.full(X.shape[0], 1 / X.shape[0]) if share is None else share
        mean = X.T @ share
        square = (X.T @ X.multiply(share[:, None]).tocsc()).toarray()
        covariance = square - np.outer(mean, mean)
        # What a difference of two sums leaves of a constant is rounding.
        there = np.diagonal(covariance) > 1e-12 * np.diagonal(square)
    else:
        columns = frame_columns(X)
        if columns is None:
            X = np.asarray(X)
            columns = list(X.T)
        Z = np.stack([_standardised(column, share) for column in columns], axis=1)
        root = np.sqrt(np.full(len(Z), 1 / len(Z)) if share is None else share)
        Z = Z * root[:, None]
        covariance = Z.T @ Z
        there = np.diagonal(covariance) > 0
    variance = np.diagonal(covariance)
    scale = np.where(there, 1.0 / np.sqrt(np.where(there, variance, 1.0)), 0.0)
    return covariance * np.outer(scale, scale)


def _standardised(column, share=None):
    """A column of mean 0 and variance 1, or zeros."""
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        return np.zeros(len(column))
    known = np.isfinite(values)
    share = np.ones(len(values)) if share is None else share
    weight = np.where(known, share, 0.0)
    if not weight.sum() > 0:
        return np.zeros(len(values))
    size = np.abs(values[weight > 0]).max()
    values = np.where(known, values, 0.0)
    values = np.where(known, values - weight @ values / weight.sum(), 0.0)
    spread = np.sqrt(weight @ np.square(values) / share.sum())
    # What centring leaves of a constant is rounding.
    return np.zeros(len(values)) if spread <= 1e-12 * size else values / spread


def kept_units(always_keep, labels, names):
    """Which units always stay.

    Parameters
    ----------
    always_keep : None or sequence of names or positions
    labels : ndarray of shape (n_features,), int
    names : ndarray of str or None
        Of the features.

    Returns
    -------
    kept : ndarray of shape (n_units,), bool
        The whole unit of a feature that is kept.

    Raises
    ------
    ValueError
        If there is no such feature.
    TypeError
        If it is neither a name nor a position.
    """
    kept = np.zeros(int(labels.max()) + 1, dtype=bool)
    if always_keep is None:
        return kept
    n_features = len(labels)
    always_keep = list(always_keep)
    if always_keep and all(isinstance(item, bool | np.bool_) for item in always_keep):
        if len(always_keep) != n_features:
            raise ValueError(
                f"`always_keep` as a mask must hold {n_features} entries, one for each "
                f"feature. Got shape {np.shape(always_keep)}."
            )
        always_keep = np.flatnonzero(always_keep).tolist()
    places = {} if names is None else {name: i for i, name in enumerate(names)}
    for item in always_keep:
        if isinstance(item, str):
            if item not in places:
                known = "X has no names" if names is None else f"X has {list(names)!r}"
                raise ValueError(
                    f"`always_keep` must name features of X; {known}. Got {item!r}."
                )
            if list(names).count(item) > 1:
                raise ValueError(
                    "`always_keep` must name one feature by each name, and several "
                    f"columns of X have this one. Got {item!r}; give their positions."
                )
            kept[labels[places[item]]] = True
        elif not isinstance(item, Integral) or isinstance(item, bool):
            raise TypeError(
                f"`always_keep` must hold names or positions of features. Got {item!r}."
            )
        elif not -n_features <= item < n_features:
            raise ValueError(
                f"`always_keep` must hold positions of the {n_features} features of X. "
                f"Got {item!r}."
            )
        else:
            kept[labels[item]] = True
    return kept
