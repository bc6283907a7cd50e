"""The training score, less what fits flatter themselves by on bootstrap samples."""

import numpy as np

from genestimators.diagnostics.error._bootstrap import (
    N_SAMPLES,
    bootstrap_draws,
    losses_of,
    warn_if_interpolating,
)
from genestimators.diagnostics.error._estimate import Estimate


def by_optimism(question):
    """The training score less its optimism (Efron, 1983; Harrell).

    A fit on a bootstrap sample is to the data as the fit on the data is to new rows.
    The interval is that of the training scores of such fits, shifted by the optimism
    (Noma, Shinozaki, Iba, Teramukai & Furukawa, 2021, Confidence intervals of
    prediction accuracy measures for multivariable prediction models based on the
    bootstrap-based optimism correction methods, Statistics in Medicine 40).

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    n_samples = question.n_repeats or N_SAMPLES
    training = question.training_score()
    draws = bootstrap_draws(question)
    own, others, elsewhere = np.empty(n_samples), np.empty(n_samples), 0.0
    stream = question.fits(draws, range(n_samples), noun="bootstrap sample")
    for number, fitted in enumerate(stream):
        draw = draws[number] if fitted.draw is None else fitted.draw
        own[number] = question.score_on(fitted, _sample(question, draw))
        others[number] = question.score_on(fitted, question.used)
        if question.by_rows:
            elsewhere += _mean_loss(question, fitted) / n_samples
    _refuse_missing(question, training, own, others)
    if question.by_rows:
        fit = _mean_loss(question, question.training)
        warn_if_interpolating("optimism", fit, elsewhere)
    optimism = float((own - others).mean())
    tail = (1 - question.level) / 2
    low, high = np.quantile(own, [tail, 1 - tail]) - optimism
    return Estimate(
        training - optimism,
        float(own.std(ddof=1)),
        (float(low), float(high)),
        n_samples,
    )


def _sample(question, draw):
    """The rows of a bootstrap sample, each as often as it is in there."""
    times = draw.counts
    if question.problem.weight is not None:
        times = np.rint(times / question.problem.weight[draw.rows]).astype(np.intp)
    return np.repeat(draw.rows, times)


def _mean_loss(question, fitted):
    return float((question.shares @ losses_of(question, fitted)).mean())


def _refuse_missing(question, *scores):
    missing = np.isnan(np.concatenate([np.atleast_1d(one) for one in scores]))
    if missing.any():
        raise ValueError(
            f"{question.problem.owner} needs a score on every bootstrap sample. Got "
            f"NaN for {missing.sum()} of {len(missing)} scores; see whether the scorer "
            "suits the data (ROC AUC needs both classes in every sample of groups)."
        )
