"""What permuting a column costs a linear predictor, over all permutations at once.

With squared loss, replacing the contribution v of a unit to the prediction by that of
a row drawn at random raises the mean loss by 2 var(v) + 2 cov(r, v) on average, where
r = y - prediction. No permutation has to be made, and there is no noise of sampling.
"""

import numpy as np
from scipy import sparse


def unit_contributions(coef, X, labels):
    """What each unit adds to the prediction of each row.

    Parameters
    ----------
    coef : ndarray of shape (p,)
    X : ndarray or sparse matrix of shape (n, p)
    labels : ndarray of shape (p,), int

    Returns
    -------
    contributions : ndarray or sparse CSC matrix of shape (n, n_units)
    """
    p = len(coef)
    if not sparse.issparse(X) and np.array_equal(labels, np.arange(p)):
        return X * coef
    shape = (p, int(labels.max()) + 1)
    table = sparse.csc_array((coef, (np.arange(p), labels)), shape=shape)
    return (X @ table).tocsc() if sparse.issparse(X) else X @ table


def expected_increase(contributions, residuals, share):
    """Mean squared error gained, over all permutations, with each row's influence.

    Parameters
    ----------
    contributions : ndarray of shape (n, n_units)
    residuals : ndarray of shape (n,)
        y minus the prediction.
    share : ndarray of shape (n,)
        Weights of the rows, which sum to 1, as rows that are scored and as donors.

    Returns
    -------
    increase : ndarray of shape (n_units,)
    influence : ndarray of shape (n, n_units)
        Sums to zero when weighted by the shares.
    """
    v = contributions - contributions[0]
    v -= share @ v
    r = residuals - share @ residuals
    influence = 2.0 * v * (v + r[:, None])
    increase = share @ influence
    influence -= increase
    return increase, influence


def linear_permutation_importance(
    coef, X, residuals, *, sample_weight=None, labels=None
):
    """Permutation importance of the units of a linear predictor, in squared loss.

    Parameters
    ----------
    coef : ndarray of shape (p,) or (n_outputs, p)
    X : ndarray or sparse matrix of shape (n, p)
        Sparse ones are not densified.
    residuals : ndarray of shape (n,) or (n, n_outputs)
        y minus the prediction.
    sample_weight : ndarray of shape (n,), default=None
    labels : ndarray of shape (p,), int, default=None
        Unit of each column; the columns of a unit are permuted together.

    Returns
    -------
    importances : ndarray of shape (n_units,)
        How much the mean squared error rises on average over all n! permutations; of
        several outputs the mean.
    """
    coef = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    residuals = np.asarray(residuals, dtype=np.float64).reshape(len(residuals), -1)
    labels = np.arange(coef.shape[1]) if labels is None else np.asarray(labels)
    return squared_increase(coef, X, residuals, sample_weight, labels).mean(axis=0)


def squared_increase(coef, X, residuals, weight, labels):
    """The same for each output, (n_outputs, n_units)."""
    n = len(residuals)
    share = np.full(n, 1.0 / n) if weight is None else weight / weight.sum()
    found = []
    for b, r in zip(coef, residuals.T, strict=True):
        v = unit_contributions(b, X, labels)
        centred = share * (r - share @ r)
        if sparse.issparse(v):
            mean = v.T @ share
            variance = v.multiply(v).T @ share - mean**2
            found.append(2.0 * (np.maximum(variance, 0.0) + v.T @ centred))
        else:
            v = v - v[0]
            v -= share @ v
            found.append(2.0 * (share @ (v * v) + centred @ v))
    return np.array(found)
