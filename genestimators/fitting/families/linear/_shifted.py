"""Symmetric systems shifted by every penalty, and what leaving a row out does to them.

Ridge regression and kernel ridge regression solve (A + alpha I) x = b, with A the
products of columns or of rows. Penalties change the diagonal only: A is brought into a
simpler form once, and every penalty is solved in that form.
"""

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal, lapack

EPS = np.finfo(np.float64).eps
WORST_CONDITION = 1e8  # beyond it two ways to compute the same differ visibly
_TRIDIAGONAL = 128  # from this size on a tridiagonal form is cheaper than eigenvectors


def well_conditioned(low, high, alphas):
    """Penalties with which a system loses no more digits than it should.

    Parameters
    ----------
    low, high : float
        The smallest and the largest eigenvalue.
    alphas : ndarray of shape (m,)

    Returns
    -------
    fine : ndarray of shape (m,), bool
    """
    least = low + alphas
    return (least > 0) & (high + alphas <= WORST_CONDITION * least)


def shifted_solves(A, B, alphas):
    """Solve (A + alpha I) x = b for every penalty and every column b of B.

    Parameters
    ----------
    A : ndarray of shape (s, s)
        Symmetric; only its upper triangle is read.
    B : ndarray of shape (s, k)
    alphas : ndarray of shape (m,)

    Returns
    -------
    solutions : ndarray of shape (m, k, s)
        NaN where the system is not well conditioned.
    fine : ndarray of shape (m,), bool
        Where it is.

    References
    ----------
    G. Golub, C. Van Loan. Matrix Computations, 4th ed. (2013), section 8.3, for the
    reduction to tridiagonal form.
    """
    solutions = np.full((len(alphas), B.shape[1], len(A)), np.nan)
    if not (np.isfinite(A).all() and np.isfinite(B).all()):
        return solutions, np.zeros(len(alphas), dtype=bool)
    solve = _solve_in_eigenvectors if len(A) < _TRIDIAGONAL else _solve_tridiagonal
    fine = solve(A, B, alphas, solutions)
    return solutions, fine


def _solve_in_eigenvectors(A, B, alphas, solutions):
    spectrum, vectors = np.linalg.eigh(A, UPLO="U")
    fine = well_conditioned(spectrum[0], spectrum[-1], alphas)
    parts = (B.T @ vectors) / (spectrum + alphas[fine, None])[:, None]
    flat = parts.reshape(-1, len(A)) @ vectors.T
    solutions[fine] = flat.reshape(parts.shape)
    return fine


def _solve_tridiagonal(A, B, alphas, solutions):
    # The transpose of a row-major matrix is what LAPACK can work on as it is.
    size, _ = lapack.dsytrd_lwork(len(A), lower=1)
    packed, diagonal, beside, tau, _ = lapack.dsytrd(A.T, lower=1, lwork=int(size))
    n = len(diagonal)
    ends = [
        eigvalsh_tridiagonal(diagonal, beside, select="i", select_range=(i, i))[0]
        for i in (0, n - 1)
    ]
    fine = well_conditioned(*ends, alphas)
    # Its first row and column stay where they are under the rotation.
    reflectors = np.asfortranarray(packed[1:, :-1])

    def rotated(columns, direction):
        columns = np.asfortranarray(columns)
        block = columns[1:]
        _, work, _ = lapack.dormqr("L", direction, reflectors, tau, block, -1)
        turned, _, _ = lapack.dormqr(
            "L", direction, reflectors, tau, block, int(work[0])
        )
        columns[1:] = turned
        return columns

    target = rotated(np.array(B, dtype=np.float64), "T")
    found = [
        lapack.dptsv(diagonal + alpha, beside, target)[2] for alpha in alphas[fine]
    ]
    if found:
        back = rotated(np.concatenate(found, axis=1), "N")
        solutions[fine] = back.T.reshape(-1, *solutions.shape[1:])
    return fine


def left_out_residuals(basis, spectrum, target, alphas, beyond=None, spare=None):
    """What each row is missed by when the fit does without it, for every penalty.

    Of a fit to all rows let e = (I - H) y be the residuals and k the diagonal of
    I - H. Without row i that row is missed by e_i / k_i, and the other residuals are
    those of the fit to all rows less (e_i / k_i) times column i of I - H. In an
    orthonormal basis I - H is diagonal, with alpha / (spectrum + alpha) in the basis
    and one beyond it, so that nothing is cancelled.

    Parameters
    ----------
    basis : ndarray of shape (n, r)
        Orthonormal columns; with weights everything is times their roots.
    spectrum : ndarray of shape (r,)
        Eigenvalues of the products of rows.
    target : ndarray of shape (n, q)
    alphas : ndarray of shape (m,)
    beyond : ndarray of shape (n, q), optional
        The part of the target that the basis does not reach.
    spare : ndarray of shape (n,), optional
        Squared length of that part of each unit vector. Without these two the basis
        reaches everything.

    Returns
    -------
    missed : ndarray of shape (m, q, n)
        Target less prediction of each row by the fit without it.
    squares : ndarray of shape (m, q, n)
        Sum of squared residuals of the other rows in that fit.
    left : ndarray of shape (m, n)
        The diagonal k: near zero nothing but the row itself tells about it. Divided by
        alpha where the basis reaches everything.

    References
    ----------
    R. Cook, S. Weisberg. Residuals and Influence in Regression (1982), section 2.2;
    G. Golub, M. Heath, G. Wahba. Generalized cross-validation as a method for choosing
    a good ridge parameter. Technometrics 21 (1979) 215-223.
    """
    # Where the basis reaches everything the penalty cancels from the ratio, which then
    # is right for a penalty of zero, too.
    factor = alphas[:, None] if beyond is not None else np.ones((len(alphas), 1))
    damping = factor / (spectrum + alphas[:, None])
    parts = target.T @ basis
    shape = (len(alphas), *target.T.shape)

    def applied(factors):
        inside = (factors[:, None] * parts).reshape(-1, len(spectrum)) @ basis.T
        inside = inside.reshape(shape)
        return inside if beyond is None else inside + beyond.T

    own, spare = basis.T**2, 0.0 if spare is None else spare
    residuals, twice = applied(damping), applied(damping**2)
    left = damping @ own + spare
    with np.errstate(divide="ignore", invalid="ignore"):
        missed = residuals / left[:, None]
        squares = (residuals**2).sum(axis=-1)[..., None] - 2 * missed * twice
        squares += missed**2 * (damping**2 @ own + spare)[:, None]
        squares *= (alphas[:, None] / factor)[..., None] ** 2
    return missed, np.maximum(squares, 0.0), left
