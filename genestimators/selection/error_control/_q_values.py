"""q-values of units from their scores and the scores of runs with permuted y."""

import numpy as np


def pair_scores(scores):
    """Mean over complementary pairs of the smaller of a unit's two scores.

    A unit has to be of use in both halves, which share no row.

    Parameters
    ----------
    scores : array-like of shape (..., n_draws, n_units)
        Draws 2k and 2k + 1 are a pair.

    Returns
    -------
    scores : ndarray of shape (..., n_units)

    Examples
    --------
    >>> from genestimators.selection.error_control._q_values import pair_scores
    >>> pair_scores([[0.5, 0.1], [0.3, 0.0], [0.6, 0.0], [0.5, 0.4]])
    array([0.4, 0. ])
    """
    scores = np.asarray(scores)
    n_draws = scores.shape[-2]
    if n_draws == 0 or n_draws % 2:
        raise ValueError(
            "Complementary pairs need an even number of draws, at least two. Got "
            f"{n_draws}."
        )
    return np.minimum(scores[..., 0::2, :], scores[..., 1::2, :]).mean(axis=-2)


def q_values(scores, null_scores):
    """The least false discovery rate at which each unit would be selected.

    Parameters
    ----------
    scores : array-like of shape (n_units,)
        Greater is better.
    null_scores : array-like of shape (n_runs, n_units)
        Scores found in the same way after the rows of y were permuted. No q-value is
        below 1 / (n_runs + 1), so a rate alpha needs 1 / alpha - 1 runs or more.

    Returns
    -------
    q_values : ndarray of shape (n_units,)
        Select units with a q-value of at most alpha.

    Notes
    -----
    The rate of the rule "score >= t" is estimated by (1 + N) / ((n_runs + 1) R), with N
    the number of null scores that reach t, over all runs, and R the number of scores
    that do (so ties count in both). That is the mean number of null scores in a run,
    over R, with 1 added to both counts as in the p-value of a permutation test: it
    matters where few units are true. The q-value of a unit is the least estimate among
    the thresholds that select it, or the p-value of the global null where that is
    larger.

    That p-value compares the least estimate of the observed run with that of each
    permuted run, in which the observed scores take the place of the run's own among
    the null scores: (1 + the number of runs whose least estimate is no larger) /
    (n_runs + 1). If y has nothing to do with any feature and the draws were made
    without a look at y (draws stratified by its classes are not, if nearly), the
    n_runs + 1 runs are exchangeable, and the p-value is at most alpha with probability
    at most alpha. Hence at most a share alpha of such data sets has a unit with a
    q-value of at most alpha, exactly and at any dependence between features. (The
    estimates alone would not give this, as the threshold is the best of many.)

    With some true units the estimate is a plug-in: runs without any signal stand for
    the false units beside the true ones. It is right if false units score no higher
    than under the global null, and wrong where they profit from a correlation with
    true ones. The share of true units is not estimated, which errs on the safe side.

    References
    ----------
    .. [1] Storey, J. D. & Tibshirani, R. (2003). Statistical significance for
       genomewide studies. Proceedings of the National Academy of Sciences 100,
       9440-9445.
    .. [2] Tusher, V. G., Tibshirani, R. & Chu, G. (2001). Significance analysis of
       microarrays applied to the ionizing radiation response. Proceedings of the
       National Academy of Sciences 98, 5116-5121.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators.selection.error_control._q_values import q_values
    >>> rng = np.random.default_rng(0)
    >>> null_scores = rng.uniform(size=(19, 4))
    >>> q_values([3.0, 2.0, 0.5, 0.0], null_scores).round(2)
    array([0.05, 0.05, 0.65, 0.96])
    """
    scores = np.asarray(scores, dtype=np.float64)
    null_scores = np.asarray(null_scores, dtype=np.float64)
    if scores.ndim != 1 or null_scores.shape[1:] != scores.shape or len(scores) == 0:
        raise ValueError(
            "`null_scores` must have a row for each permuted run and a column for each "
            f"of the scores. Got shapes {null_scores.shape} and {scores.shape}."
        )
    if len(null_scores) == 0:
        raise ValueError("`null_scores` must hold at least one run. Got none.")
    if np.isnan(scores).any() or np.isnan(null_scores).any():
        raise ValueError("Scores must not be NaN.")
    rates = plug_in_rates(scores, np.sort(null_scores, axis=None), len(null_scores))
    return np.maximum(rates, global_p_value(scores, null_scores))


def runs_needed(alpha):
    """The fewest permuted runs with which a q-value can be as low as alpha."""
    if not 0 < alpha <= 1:
        raise ValueError(f"`alpha` must be above 0 and at most 1. Got {alpha!r}.")
    return max(1, int(np.ceil(round(1 / alpha, 8))) - 1)


def plug_in_rates(scores, null_scores, n_runs):
    """Estimated false discovery rates, each the least of those that select the unit.

    Parameters
    ----------
    scores : ndarray of shape (n_units,)
    null_scores : ndarray of shape (n_null_scores,)
        Of all runs, sorted.
    n_runs : int

    Returns
    -------
    rates : ndarray of shape (n_units,)
        At most 1.
    """
    levels, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    n_selected = np.cumsum(counts[::-1])[::-1]
    n_null = len(null_scores) - np.searchsorted(null_scores, levels, side="left")
    rates = np.minimum((1 + n_null) / ((1 + n_runs) * n_selected), 1.0)
    return np.minimum.accumulate(rates)[place]


def global_p_value(scores, null_scores):
    """p-value of the null that no unit has to do with y, exact by exchangeability.

    Parameters
    ----------
    scores : ndarray of shape (n_units,)
    null_scores : ndarray of shape (n_runs, n_units)

    Returns
    -------
    p_value : float
        A multiple of 1 / (n_runs + 1).
    """
    runs = np.vstack([scores, null_scores])
    pooled = np.sort(runs, axis=None)
    least = np.empty(len(runs))
    for number, run in enumerate(runs):
        levels, counts = np.unique(run, return_counts=True)
        n_own = np.cumsum(counts[::-1])[::-1]
        n_all = len(pooled) - np.searchsorted(pooled, levels, side="left")
        least[number] = ((1 + n_all - n_own) / n_own).min()
    return float(np.mean(least <= least[0]))
