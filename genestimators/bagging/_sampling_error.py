"""How much a bagged prediction would vary over samples of data: its standard error.

The infinitesimal jackknife [1]_ [2]_ sums, over the units that are drawn, squared
covariances of a unit's count with the members' predictions. With counts in a matrix of
members x units that is a quadratic form in the B x B matrix of products of members'
counts, so nothing of the size of the training data is needed for a prediction.

From B members the sum is too large: each covariance has an error, and its square adds
up. The usual correction takes the expected excess off, for members that are drawn
independently. Balanced draws are not independent, so only products of members of
different blocks are summed here: their errors are independent, and nothing is in
excess. With blocks of one this is the usual correction.

References
----------
.. [1] Efron, B. (2014). Estimation and accuracy after model selection. Journal of the
   American Statistical Association 109, 991-1007.
.. [2] Wager, S., Hastie, T. & Efron, B. (2014). Confidence intervals for random
   forests: the jackknife and the infinitesimal jackknife. Journal of Machine Learning
   Research 15, 1625-1651.
"""

from dataclasses import dataclass

import numpy as np

_BLOCK = 1 << 13  # units at a time


@dataclass(frozen=True, eq=False)
class CountProducts:
    """Products of the counts of members.

    Attributes
    ----------
    products : ndarray of shape (n_members, n_members)
        Of counts less their expected value, summed over units.
    scale : float
        Makes the variance right for predictions that are linear in the counts: one
        for the bootstrap, where counts have mean and variance one, and
        ((n - 1) / (n - m))^2 for m of n units drawn without replacement [1]_.

    References
    ----------
    .. [1] Wager, S. & Athey, S. (2018). Estimation and inference of heterogeneous
       treatment effects using random forests. Journal of the American Statistical
       Association 113, 1228-1242.
    """

    products: np.ndarray
    scale: float


def count_products(counts):
    """Products of the counts of members, from all their counts.

    Parameters
    ----------
    counts : ndarray of shape (n_members, n_units)
        How often each unit was drawn; n_units at least 2.

    Returns
    -------
    CountProducts
    """
    n_members, n = counts.shape
    products = np.zeros((n_members, n_members))
    totals = np.zeros(n_members)
    for start in range(0, n, _BLOCK):
        block = counts[:, start : start + _BLOCK].astype(np.float64)
        products += block @ block.T
        totals += block.sum(axis=1)
    mean = totals.mean() / n
    variance = (np.diag(products) - totals**2 / n).mean() / (n - 1)
    products -= mean * (totals[:, None] + totals)
    products += n * mean**2
    return CountProducts(products, (mean / variance) ** 2 if variance > 0 else 0.0)


def raw_variance(products, answers):
    """The infinitesimal jackknife as it is, too large by Monte-Carlo error.

    Parameters
    ----------
    products : ndarray of shape (n_members, n_members)
    answers : ndarray of shape (n_members, m)

    Returns
    -------
    ndarray of shape (m,)
    """
    centred = answers - answers.mean(axis=0)
    return _quadratic(products, centred) / len(answers) ** 2


def unbiased_variance(products, answers, block):
    """The infinitesimal jackknife without its Monte-Carlo bias, and its noise.

    Parameters
    ----------
    products : ndarray of shape (n_members, n_members)
    answers : ndarray of shape (n_members, m)
    block : int
        Members are drawn independently of those in other blocks of this many. There
        must be more than one block.

    Returns
    -------
    variance : ndarray of shape (m,)
        Negative where noise is larger than what is estimated.
    noise : ndarray of shape (m,)
        Standard deviation of its Monte-Carlo error, about.

    Notes
    -----
    With :math:`A_b` the centred counts of member b, :math:`t_b` its answer less the
    mean of the members of other blocks, and P the pairs of members of different blocks,
    the variance is :math:`\\sum_P A_b \\cdot A_c \\, t_b t_c / |P|`. Its expected value
    is the sum V of squared covariances, up to a share of :math:`1/B^2`. Its own
    variance is taken from independent normal :math:`A_b` and :math:`t_b`, of variance
    s^2: :math:`2 \\sum_P (A_b \\cdot A_c)^2 s^4 / |P|^2 + 4 V (V + s^2) / B`. The first
    part falls faster with B, and is the larger one for fewer members than units.
    """
    answers = answers - answers[0]  # members that agree leave no rounding behind
    number = np.arange(len(answers)) // block
    size = np.bincount(number)
    sums = np.add.reduceat(answers, np.flatnonzero(np.diff(number, prepend=-1)), axis=0)
    elsewhere = (sums.sum(axis=0) - sums) / (len(answers) - size)[:, None]
    centred = answers - elsewhere[number]
    apart = np.where(number[:, None] != number, products, 0.0)
    n_pairs = len(answers) ** 2 - np.sum(size**2)
    variance = _quadratic(apart, centred) / n_pairs
    spread = np.mean((answers - answers.mean(axis=0)) ** 2, axis=0)
    signal = np.maximum(variance, 0.0)
    alone = 2 * np.sum(apart**2) * (spread / n_pairs) ** 2
    return variance, np.sqrt(alone + 4 * signal * (signal + spread) / len(answers))


def _quadratic(products, centred):
    """c' P c for each column c."""
    return np.einsum("bm,bm->m", products @ centred, centred)
