"""Block length for bootstrapping a dependent series: the Politis-White rule."""

import numpy as np


def correlation_length(autocorrelation, n_rows):
    """The last lag before autocorrelations stay within noise.

    Parameters
    ----------
    autocorrelation : ndarray
        At lags 0, 1, 2, ...
    n_rows : int
        Length of the series.

    Returns
    -------
    int
        The least m such that the next max(5, sqrt(log10 n)) autocorrelations all lie
        within 2 sqrt(log10(n) / n) of zero; where there is none, the last lag outside.
    """
    run = max(5, int(np.ceil(np.sqrt(np.log10(n_rows)))))
    inside = np.abs(autocorrelation[1:]) < 2 * np.sqrt(np.log10(n_rows) / n_rows)
    for lag in range(len(inside) - run + 1):
        if inside[lag : lag + run].all():
            return lag
    outside = np.flatnonzero(~inside)
    return int(outside[-1]) + 1 if len(outside) else 0


def optimal_block_length(series, *, stationary=False):
    """Block length that serves the variance of the mean best, and correlation length.

    Parameters
    ----------
    series : ndarray of shape (n,)
    stationary : bool, default=False
        For the stationary bootstrap (blocks of random length) rather than blocks of
        fixed length.

    Returns
    -------
    length : float
        At least 1, at most min(3 sqrt(n), n / 3).
    correlated : int
        The lag after which autocorrelations are not told from zero.

    References
    ----------
    .. [1] Politis, D. N. & White, H. (2004). Automatic block-length selection for the
       dependent bootstrap. Econometric Reviews 23, 53-70.
    .. [2] Patton, A., Politis, D. N. & White, H. (2009). Correction to [1]_.
       Econometric Reviews 28, 372-375.
    """
    n_rows = len(series)
    centred = np.asarray(series, dtype=np.float64) - np.mean(series)
    variance = float(centred @ centred) / n_rows
    if n_rows < 4 or variance <= 1e-24 * max(1.0, float(np.max(np.abs(series))) ** 2):
        return 1.0, 0
    run = max(5, int(np.ceil(np.sqrt(np.log10(n_rows)))))
    lags = min(int(np.ceil(np.sqrt(n_rows))) + run, n_rows - 1)
    covariance = np.array(
        [centred[lag:] @ centred[: n_rows - lag] for lag in range(lags + 1)]
    )
    covariance /= n_rows
    correlated = correlation_length(covariance / variance, n_rows)
    bandwidth = max(1, min(2 * correlated, lags))
    lag = np.arange(1, bandwidth + 1)
    # The flat-top window: 1 up to half the bandwidth, then down to 0.
    window = np.clip(2 * (1 - lag / bandwidth), 0.0, 1.0)
    spectrum = variance + 2 * float(window @ covariance[lag])
    slope = 2 * float(window @ (lag * covariance[lag]))
    scale = (2.0 if stationary else 4.0 / 3.0) * spectrum**2
    most = float(np.ceil(min(3 * np.sqrt(n_rows), n_rows / 3)))
    if scale <= 0:
        return most, correlated
    length = (2 * slope**2 / scale) ** (1 / 3) * n_rows ** (1 / 3)
    return float(np.clip(length, 1.0, most)), correlated
