"""Small positive definite systems, many at once.

Arrays have shape (m, m, n): n systems side by side, so every operation runs over rows
of n numbers. Each system is worked on by the same operations in the same order whatever
stands beside it, in additions, multiplications, divisions and roots alone, which are
correctly rounded; so a system's solution has the same bits in any company.
"""

import numpy as np

LARGEST = 14  # entries; from here on a routine of LAPACK for each system is faster


def invert(systems):
    """Invert symmetric positive definite matrices.

    They are bordered by a row and a column at a time: the inverse of the leading k + 1
    rows and columns is made of that of the leading k. Large ones go to LAPACK, whose
    last bits may depend on the number of its threads.

    Parameters
    ----------
    systems : ndarray of shape (m, m, n)
        Overwritten.

    Returns
    -------
    inverses : ndarray of shape (m, m, n)
    log_determinants : ndarray of shape (n,)
        Of the matrices; NaN for those that are not positive definite.
    """
    if len(systems) > LARGEST:
        stacked = np.moveaxis(systems, 2, 0)
        sign, size = np.linalg.slogdet(stacked)
        size[sign <= 0] = np.nan
        return np.moveaxis(np.linalg.inv(stacked), 0, 2), size
    first = systems[0, 0].copy()
    pivots = [first]
    np.divide(1.0, first, out=systems[0, 0])
    for k in range(1, len(systems)):
        known = systems[:k, :k]
        border = systems[:k, k]
        weights = np.einsum("ijn,jn->in", known, border)
        pivot = systems[k, k] - np.einsum("in,in->n", border, weights)
        pivots.append(pivot)
        scaled = weights / pivot
        known += scaled[:, None] * weights
        np.negative(scaled, out=systems[:k, k])
        systems[k, :k] = systems[:k, k]
        np.divide(1.0, pivot, out=systems[k, k])
    with np.errstate(invalid="ignore", divide="ignore"):
        return systems, np.log(pivots).sum(axis=0)


def cholesky(systems):
    """Factor symmetric positive definite matrices into lower triangles.

    Parameters
    ----------
    systems : ndarray of shape (m, m, n)
        Overwritten; only the lower triangles of what is returned have a meaning.

    Returns
    -------
    factors : ndarray of shape (m, m, n)
    """
    m = len(systems)
    for k in range(m):
        np.sqrt(systems[k, k], out=systems[k, k])
        if k + 1 < m:
            column = systems[k + 1 :, k]
            column /= systems[k, k]
            systems[k + 1 :, k + 1 :] -= column[:, None] * column
    return systems


def solve_lower(factors, right):
    """Solve L x = b.

    Parameters
    ----------
    factors : ndarray of shape (m, m, n)
        Lower triangles.
    right : ndarray of shape (m, n)
        Overwritten by the solution.

    Returns
    -------
    solution : ndarray of shape (m, n)
    """
    m = len(right)
    for k in range(m):
        right[k] /= factors[k, k]
        if k + 1 < m:
            right[k + 1 :] -= factors[k + 1 :, k] * right[k]
    return right


def solve_upper(factors, right):
    """Solve L' x = b for lower triangles L; as `solve_lower`."""
    for k in range(len(right) - 1, -1, -1):
        right[k] /= factors[k, k]
        right[:k] -= factors[k, :k] * right[k]
    return right
