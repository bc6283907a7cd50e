"""Simulated designs for feature selection, and the peers that select on them.

Each generator takes a seed and returns X, y and which features are true, as a mask.
"""

import importlib
import time

import numpy as np
from scipy.signal import lfilter


def correlated_columns(rng, n_rows, n_features, correlation=0.5):
    """Standard normal columns, each with the given correlation to its neighbour."""
    noise = rng.normal(size=(n_rows, n_features))
    noise[:, 1:] *= np.sqrt(1 - correlation**2)
    return lfilter([1.0], [1.0, -correlation], noise, axis=1)


def additive_bumps(
    seed,
    *,
    n_rows=500,
    n_features=500,
    correlation=0.5,
    n_true=(5, 15),
    signal_to_noise=(0.5, 2.0),
    grouped=False,
    slope=None,
):
    """Bumps exp(-x^2) of a few features with noise, from the simulations of IPSS.

    Parameters
    ----------
    seed : int
    n_rows, n_features : int
    correlation : float
        Of neighbouring columns.
    n_true : tuple of two int
        Least and greatest number of true features.
    signal_to_noise : tuple of two float
        Range of the ratio of variances.
    grouped : bool, default=False
        Put the true features into groups at random, each bump being one of the sum of
        a group, so that features also interact.
    slope : tuple of two float, optional
        Make y of two classes whose logit is the centred signal times a factor from
        this range (1 to 3 in the source); `signal_to_noise` is then not used.

    References
    ----------
    Melikechi, O., Dunson, D. B. & Miller, J. W. (2025). Nonparametric IPSS: fast,
    flexible feature selection with false discovery control. Bioinformatics 41.
    """
    rng = np.random.default_rng(seed)
    X = correlated_columns(rng, n_rows, n_features, correlation)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    chosen = _choose(rng, n_features, rng.integers(n_true[0], n_true[1] + 1))
    if grouped:
        group = rng.integers(len(chosen), size=len(chosen))
        sums = [X[:, chosen[group == g]].sum(axis=1) for g in np.unique(group)]
        inputs = np.column_stack([(s - s.mean()) / s.std() for s in sums])
    else:
        inputs = X[:, chosen]
    signal = np.exp(-(inputs**2)).sum(axis=1)
    if slope is not None:
        logit = rng.uniform(*slope) * (signal - signal.mean())
        y = (rng.uniform(size=n_rows) < 1 / (1 + np.exp(-logit))).astype(int)
        return X, y, _mask(chosen, n_features)
    ratio = rng.uniform(*signal_to_noise)
    y = signal + rng.normal(0, np.sqrt(signal.var() / ratio), size=n_rows)
    return X, y - y.mean(), _mask(chosen, n_features)


def global_null(seed, *, n_rows=500, n_features=500, correlation=0.5):
    """No feature is true: y is noise."""
    rng = np.random.default_rng(seed)
    X = correlated_columns(rng, n_rows, n_features, correlation)
    return X, rng.normal(size=n_rows), np.zeros(n_features, dtype=bool)


def toeplitz_linear(
    seed,
    *,
    n_rows=500,
    n_features=500,
    correlation=0.5,
    n_true=20,
    amplitude=None,
    signal_to_noise=2.0,
):
    """A linear signal of random signs on neighbouring columns that are correlated.

    Parameters
    ----------
    amplitude : float, optional
        Size of the coefficients over the square root of n_rows, with noise of
        variance 1 (the simulations of Ren and Barber, 2024); otherwise the noise is
        scaled to `signal_to_noise`.
    """
    rng = np.random.default_rng(seed)
    X = correlated_columns(rng, n_rows, n_features, correlation)
    chosen = _choose(rng, n_features, n_true)
    signal = X[:, chosen] @ rng.choice([-1.0, 1.0], size=n_true)
    if amplitude is not None:
        y = signal * amplitude / np.sqrt(n_rows) + rng.normal(size=n_rows)
    else:
        scale = np.sqrt(signal.var() / signal_to_noise)
        y = signal + rng.normal(0, scale, size=n_rows)
    return X, y, _mask(chosen, n_features)


def toeplitz_logistic(
    seed, *, n_rows=500, n_features=500, correlation=0.5, n_true=10, slope=1.0
):
    """Two classes, linear in the logit, on columns as in `toeplitz_linear`.

    Parameters
    ----------
    slope : float, default=1.0
        Absolute coefficient of each true feature.
    """
    rng = np.random.default_rng(seed)
    X = correlated_columns(rng, n_rows, n_features, correlation)
    chosen = _choose(rng, n_features, n_true)
    logit = slope * (X[:, chosen] @ rng.choice([-1.0, 1.0], size=n_true))
    y = (rng.uniform(size=n_rows) < 1 / (1 + np.exp(-logit))).astype(int)
    return X, y, _mask(chosen, n_features)


def equicorrelated(
    seed,
    *,
    n_rows=500,
    n_features=500,
    correlation=0.5,
    n_true=20,
    signal_to_noise=2.0,
):
    """A linear signal on columns that are all equally correlated."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_rows, 1))
    own = rng.normal(size=(n_rows, n_features))
    X = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    chosen = _choose(rng, n_features, n_true)
    signal = X[:, chosen] @ rng.choice([-1.0, 1.0], size=n_true)
    y = signal + rng.normal(0, np.sqrt(signal.var() / signal_to_noise), size=n_rows)
    return X, y, _mask(chosen, n_features)


def correlated_blocks(
    seed,
    *,
    n_rows=500,
    n_features=500,
    block_size=5,
    correlation=0.9,
    n_true=10,
    signal_to_noise=2.0,
):
    """Blocks of nearly exchangeable columns; at most one true feature in a block.

    The block of a feature is its position divided by `block_size`, rounded down.
    """
    rng = np.random.default_rng(seed)
    n_blocks = -(-n_features // block_size)
    block = np.arange(n_features) // block_size
    shared = rng.normal(size=(n_rows, n_blocks))[:, block]
    own = rng.normal(size=(n_rows, n_features))
    X = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    firsts = block_size * _choose(rng, n_features // block_size, n_true)
    chosen = firsts + rng.integers(block_size, size=n_true)
    signal = X[:, chosen] @ rng.choice([-1.0, 1.0], size=n_true)
    y = signal + rng.normal(0, np.sqrt(signal.var() / signal_to_noise), size=n_rows)
    return X, y, _mask(chosen, n_features)


DESIGNS = {
    "additive bumps": additive_bumps,
    "global null": global_null,
    "Toeplitz linear": toeplitz_linear,
    "Toeplitz logistic": toeplitz_logistic,
    "equicorrelated": equicorrelated,
    "blocks at 0.9": correlated_blocks,
}


def _choose(rng, n_features, n_true):
    return np.sort(rng.choice(n_features, size=n_true, replace=False))


def _mask(chosen, n_features):
    mask = np.zeros(n_features, dtype=bool)
    mask[chosen] = True
    return mask


def errors(selected, true):
    """Share of true features found, and share of the selected that are false."""
    n_selected = int(selected.sum())
    power = (selected & true).sum() / true.sum() if true.any() else np.nan
    return power, (selected & ~true).sum() / max(n_selected, 1)


def ipss_q_values(X, y, *, selector="gb", seed=0):
    """q-values of the ipss package with its defaults, and CPU seconds.

    The package draws from numpy's global generator, which is put back afterwards.
    """
    ipss = importlib.import_module("ipss.main").ipss
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    start = time.process_time()
    try:
        found = ipss(X, y, selector=selector, selector_args=_threads(selector))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    seconds = time.process_time() - start
    q_values = np.array([found["q_values"][j] for j in range(X.shape[1])])
    scores = np.array([found["efp_scores"][j] for j in range(X.shape[1])])
    return q_values, scores, seconds


def _threads(selector):
    """The package's own settings of xgboost, on one thread.

    Passing any setting replaces all of its defaults, so they are repeated here.
    """
    if selector != "gb":
        return None
    return {
        "max_depth": 1,
        "colsample_bynode": 1 / 3,
        "n_estimators": 100,
        "importance_type": "gain",
        "n_jobs": 1,
    }
