"""Bootstrap counts: how often each row or split is drawn, a few resamples at a time."""

import numpy as np

_BLOCK = 1 << 22  # counts at a time


def bootstrap_counts(n, n_resamples, seed, *, n_drawn=None, clusters=None):
    """How often each of n items is in each resample.

    Parameters
    ----------
    n : int
    n_resamples : int
    seed : int
    n_drawn : int, default=None
        How many are drawn, with replacement; None is as many as there are.
    clusters : ndarray of shape (n,), int, default=None
        Items that are drawn together, numbered from 0.

    Yields
    ------
    counts : ndarray of shape (some resamples, n)
    """
    rng = np.random.default_rng(seed)
    n_units = n if clusters is None else int(clusters.max()) + 1
    n_drawn = n_units if n_drawn is None else n_drawn
    size = max(1, _BLOCK // n)
    for start in range(0, n_resamples, size):
        n_now = min(size, n_resamples - start)
        drawn = rng.integers(n_units, size=(n_now, n_drawn))
        drawn += n_units * np.arange(n_now)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_now * n_units)
        counts = counts.reshape(n_now, n_units).astype(np.float64)
        yield counts if clusters is None else counts[:, clusters]
