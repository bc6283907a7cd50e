"""Columns on one scale, and their correlation as knockoffs need it."""

import numpy as np
from scipy import linalg
from sklearn.base import clone
from sklearn.covariance import LedoitWolf

from genestimators._exceptions import SingularCovarianceWarning, warn_user

COVARIANCES = ("ledoit_wolf", "empirical")
_LEAST = 1e-6  # eigenvalue of a correlation that knockoffs are drawn with


def standardize(X, covariance="ledoit_wolf"):
    """Standardised columns and their correlation.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    covariance : {"ledoit_wolf", "empirical"}, array or estimator
        An array is the covariance of the columns in their own units; an estimator is
        cloned and fitted on the standardised columns.

    Returns
    -------
    Z : ndarray of shape (n_samples, n_features)
        Centred, of unit variance by the covariance; constant columns are zero.
    correlation : ndarray of shape (n_features, n_features)
        Positive definite; constant columns are independent of all others.
    covariance : ndarray of shape (n_features, n_features)
        The covariance that was used, in the units of X; zero for constant columns.
    constant : ndarray of shape (n_features,), bool
    """
    constant = X.min(axis=0) == X.max(axis=0)
    Z = X - X.mean(axis=0)
    Z -= Z.mean(axis=0)  # what rounding left of a large mean
    scale = np.sqrt(np.mean(Z**2, axis=0))
    constant |= scale == 0
    scale[constant] = 1.0
    Z[:, constant] = 0.0
    varied = np.flatnonzero(~constant)
    if isinstance(covariance, str) or hasattr(covariance, "fit"):
        found = _estimate(Z[:, varied] / scale[varied], covariance)
        found = found * np.outer(scale[varied], scale[varied])
    else:
        found = _check_array(covariance, X.shape[1])[np.ix_(varied, varied)]
    variance = np.diag(found)
    if not (variance > 0).all():
        raise ValueError(
            "`covariance` must give each column that varies a positive variance. Got "
            f"{float(variance.min())!r} for column {varied[np.argmin(variance)]}; "
            'pass a covariance of these columns, or "ledoit_wolf".'
        )
    scale[varied] = np.sqrt(variance)
    within = _make_definite(found / np.outer(scale[varied], scale[varied]))
    correlation = np.eye(X.shape[1])
    correlation[np.ix_(varied, varied)] = within
    used = correlation * np.outer(scale, scale)
    used[constant, constant] = 0.0
    return Z / scale, correlation, used, constant


def _estimate(Z, covariance):
    """The covariance of standardised columns that vary."""
    if not Z.shape[1]:
        return np.empty((0, 0))
    if isinstance(covariance, str) and covariance == "empirical":
        return Z.T @ Z / len(Z)
    if isinstance(covariance, str):
        estimator = LedoitWolf(store_precision=False, assume_centered=True)
    else:
        estimator = clone(covariance)
    estimator.fit(Z)
    found = getattr(estimator, "covariance_", None)
    if np.shape(found) != (Z.shape[1], Z.shape[1]):
        raise ValueError(
            "An estimator given as `covariance` must have, once fitted, a square "
            f"`covariance_` of {Z.shape[1]} columns, as those of sklearn.covariance "
            f"have. Got {type(covariance).__name__} with one of shape "
            f"{None if found is None else np.shape(found)}."
        )
    return _check_array(found, Z.shape[1])


def _check_array(covariance, n_features):
    """Refuse what is no covariance of so many columns."""
    try:
        matrix = np.array(covariance, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise TypeError(
            f"`covariance` as an array must hold numbers. Got {covariance!r}."
        ) from exc
    if matrix.shape != (n_features, n_features):
        raise ValueError(
            f"`covariance` as an array must have shape ({n_features}, {n_features}), "
            f"one row and one column for each feature. Got shape {matrix.shape}."
        )
    if not np.isfinite(matrix).all():
        raise ValueError("`covariance` must hold finite numbers. Got NaN or infinity.")
    size = np.sqrt(np.abs(np.diag(matrix)))
    if (np.abs(matrix - matrix.T) > 1e-8 * np.outer(size, size) + 1e-300).any():
        raise ValueError(
            "`covariance` must be symmetric. Got an entry that differs by "
            f"{float(np.abs(matrix - matrix.T).max())!r} from its mirror image."
        )
    return (matrix + matrix.T) / 2


def _make_definite(correlation):
    """Shrink a singular correlation until knockoffs can be drawn with it."""
    p = len(correlation)
    if not p:
        return correlation
    least = float(linalg.eigvalsh(correlation, subset_by_index=[0, 0])[0])
    if least >= _LEAST:
        return correlation
    if least < -1e-8 * p:
        raise ValueError(
            "`covariance` must not have negative eigenvalues. Got "
            f"{least:.3g} as the least one of its correlation."
        )
    share = (_LEAST - least) / (1.0 - least)
    warn_user(
        "The covariance is singular (the least eigenvalue of its correlation is "
        f"{least:.1e}), so it is shrunk towards its diagonal by a share of "
        f"{share:.1e}; copies then hardly differ from their columns and little can be "
        'found. covariance="ledoit_wolf" shrinks by as much as pays; columns that '
        "repeat each other belong into one of `feature_groups`.",
        SingularCovarianceWarning,
    )
    correlation = (1 - share) * correlation
    correlation[np.diag_indices(p)] += share
    return correlation
