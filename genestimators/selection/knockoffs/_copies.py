"""Gaussian knockoff copies of the rows of X.

Given standardised rows Z with correlation C, and S of a construction, a knockoff of Z
is normal with mean Z - Z C^-1 S and covariance V = 2 S - S C^-1 S [1]_. Both are worked
out once; a copy is then one product with a matrix of normal numbers.

References
----------
.. [1] Candes, E., Fan, Y., Janson, L. & Lv, J. (2018). Panning for gold: 'model-X'
   knockoffs for high dimensional controlled variable selection. Journal of the Royal
   Statistical Society B 80, 551-577.
"""

import numpy as np
from scipy import linalg


def plan_copies(Z, correlation, S):
    """What all copies share.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        Standardised rows.
    correlation, S : ndarray of shape (n_features, n_features)

    Returns
    -------
    means : ndarray of shape (n_samples, n_features)
    root : ndarray of shape (n_features, n_features)
        A root of V: V = root.T @ root.
    """
    pull = linalg.cho_solve(linalg.cho_factor(correlation), S)
    return Z - Z @ pull, _root(2 * S - S @ pull)


def draw_copy(means, root, seed):
    """One knockoff copy, shape (n_samples, n_features)."""
    noise = np.random.default_rng(seed).standard_normal(means.shape)
    return means + noise @ root


def _root(V):
    """A root of a matrix that may touch the border of the positive semidefinite ones.

    It does where S was taken as far as it goes ("equicorrelated").
    """
    V = (V + V.T) / 2
    try:
        return np.linalg.cholesky(V).T
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(V)
        return (vectors * np.sqrt(np.maximum(values, 0.0))).T
