"""Scores of many candidates at once, where a score is a function of mean row losses.

Each common scorer is a mean over rows of a loss (squared, absolute, 0-1, logarithmic,
a deviance), negated, sometimes with a root or a baseline. Computed for all values of a
parameter in one go, and kept by row, the losses also say how far two candidates differ
on the same rows, and what choosing among them costs.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy


class KnownScore(NamedTuple):
    """A score that is a function of mean row losses.

    Attributes
    ----------
    kind : str
        What is lost, and what the score makes of its mean.
    answer : {"predict", "label", "probability"}
        What a candidate is asked for.
    power : float or None, default=None
        Of a deviance: the variance grows with this power of the mean.
    """

    kind: str
    answer: str
    power: float | None = None


OF_SCORERS = {
    "r2": KnownScore("r2", "predict"),
    "neg_mean_squared_error": KnownScore("squared", "predict"),
    "neg_root_mean_squared_error": KnownScore("root", "predict"),
    "neg_mean_absolute_error": KnownScore("absolute", "predict"),
    "neg_mean_poisson_deviance": KnownScore("deviance", "predict", 1),
    "neg_mean_gamma_deviance": KnownScore("deviance", "predict", 2),
    "accuracy": KnownScore("accuracy", "label"),
    "neg_log_loss": KnownScore("log", "probability"),
    "neg_brier_score": KnownScore("brier", "probability"),
}
SQUARED = ("r2", "squared", "root")
RELATIVE = ("r2", "d2")  # to the losses of a constant


def row_losses(kind, answer, target, power=None):
    """Losses of rows for every candidate.

    Parameters
    ----------
    kind : str
        One of those in `OF_SCORERS`, or "d2".
    answer : ndarray of shape (n_values, n_rows, width)
        Predictions, positions of labels, or probabilities.
    target : ndarray of shape (n_rows, width)
        Targets, positions of labels, or indicators of the classes.
    power : float, default=None
        Of the kinds "deviance" and "d2".

    Returns
    -------
    losses : ndarray of shape (n_values, n_rows, n_outputs)

    Raises
    ------
    ValueError
        If predictions or targets are out of the domain of a deviance.
    """
    if kind in ("deviance", "d2"):
        _check_domain(power, answer, target)
        return tweedie_deviances(power, answer, target)
    if kind in SQUARED:
        return (answer - target) ** 2
    if kind == "absolute":
        return np.abs(answer - target)
    if kind == "accuracy":
        return (answer != target).any(axis=2, keepdims=True).astype(np.float64)
    if kind == "log":
        tiny = np.finfo(np.float64).eps
        given = (answer * target).sum(axis=2, keepdims=True)
        total = answer.sum(axis=2, keepdims=True)
        return -np.log(np.clip(given / total, tiny, 1 - tiny))
    half = 0.5 if target.shape[1] == 2 else 1.0
    return half * ((answer - target) ** 2).sum(axis=2, keepdims=True)


def tweedie_deviances(power, mean, target):
    """Deviances of targets from means, where the variance is a power of the mean.

    Parameters
    ----------
    power : float
        At most 0 or at least 1: 0 is the normal distribution, 1 Poisson's, 2 gamma
        (Jorgensen, 1987).
    mean : ndarray of shape (..., n_rows, 1)
    target : ndarray of shape (n_rows, 1)

    Returns
    -------
    deviances : ndarray of shape (..., n_rows, 1)
        Twice what the log-likelihood is below that of means equal to the targets.
    """
    if power == 0:
        return (mean - target) ** 2
    with np.errstate(all="ignore"):  # means may be infinite
        half = target / mean
        if power == 1:
            xlogy(target, half, out=half)
            half -= target
            half += mean
        elif power == 2:
            half -= np.log(half)
            half -= 1
        else:
            half = np.maximum(target, 0.0) ** (2 - power) / ((1 - power) * (2 - power))
            half = half - target * mean ** (1 - power) / (1 - power)
            half += mean ** (2 - power) / (2 - power)
    half *= 2
    return half


def _check_domain(power, mean, target):
    """Refuse predictions and targets that have no deviance."""
    if power == 0:
        return
    least = target.min(initial=np.inf)
    if power >= 1 and (least < 0 or (power >= 2 and least == 0)):
        rule = "greater than 0" if power >= 2 else "of at least 0"
        raise ValueError(
            f"A deviance of power {power:g} needs targets {rule}. Got {least:.6g}; "
            'use another `scoring`, such as "neg_mean_squared_error".'
        )
    if (mean <= 0).any():
        raise ValueError(
            f"A deviance of power {power:g} needs predictions greater than 0. Got "
            f"{np.nanmin(mean):.6g} from a candidate; use a model of positive "
            'predictions, or another `scoring`, such as "neg_mean_squared_error".'
        )


def constant_losses(kind, target, weight, power=None):
    """Losses of the mean target as prediction for all rows.

    Parameters
    ----------
    kind : {"r2", "d2"}
    target : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows,) or None
    power : float, default=None
        Of "d2".

    Returns
    -------
    losses : ndarray of shape (n_rows, n_outputs)
    """
    mean = np.average(target, axis=0, weights=weight)
    return tweedie_deviances(power if kind == "d2" else 0, mean, target)


def mean_over_rows(values, weight):
    """Weighted means over the rows, the second axis from the end."""
    if weight is None:
        return values.mean(axis=-2)
    return np.tensordot(values, weight / weight.sum(), axes=([-2], [0]))


def scores_of_means(kind, means, baseline):
    """Scores from mean losses.

    Parameters
    ----------
    kind : str
    means : ndarray of shape (..., n_outputs)
    baseline : ndarray of shape (n_outputs,)
        Mean of `constant_losses`; used by R2 and D2 only.

    Returns
    -------
    scores : ndarray of shape (...), greater is better
    """
    if kind == "root":
        return -np.sqrt(means).mean(axis=-1)
    if kind == "accuracy":
        return 1.0 - means.mean(axis=-1)
    if kind == "d2":
        return (1.0 - means / baseline).mean(axis=-1)
    if kind != "r2":
        return -means.mean(axis=-1)
    # As scikit-learn has it: a constant target scores 1 if met exactly, else 0.
    constant = baseline <= 0
    ratio = np.where(
        constant, (means > 0).astype(float), means / np.where(constant, 1.0, baseline)
    )
    return (1.0 - ratio).mean(axis=-1)


@dataclass(frozen=True, eq=False)
class LossTable:
    """Losses of rows on which every candidate was tried, for scores and differences.

    Attributes
    ----------
    kind : str
    losses : ndarray of shape (n_values, n_rows)
        One number a row; of several outputs the mean. For R2 and D2 in units of the
        loss of a constant on the rows of the same split.
    weight : ndarray of shape (n_rows,) or None
    single : ndarray of shape (n_values, n_rows) or None, default=None
        Losses of single models, where `losses` are means over several.
    """

    kind: str
    losses: np.ndarray
    weight: np.ndarray | None
    single: np.ndarray | None = None

    def take(self, candidates):
        """The same of some candidates."""
        single = None if self.single is None else self.single[candidates]
        return replace(self, losses=self.losses[candidates], single=single)

    def pooled(self, clusters):
        """The same with the rows of each cluster as one row of their summed weight.

        Parameters
        ----------
        clusters : ndarray of shape (n_rows,), int
            Numbered from 0, none of them empty.
        """
        n = int(clusters.max()) + 1
        weight = np.ones(len(clusters)) if self.weight is None else self.weight
        total = np.bincount(clusters, weights=weight, minlength=n)

        def pool(rows):
            summed = [np.bincount(clusters, row * weight, minlength=n) for row in rows]
            return np.stack(summed) / total

        single = None if self.single is None else pool(self.single)
        return LossTable(self.kind, pool(self.losses), total, single)

    def of_single_models(self):
        """With the losses of single models in the place of their means."""
        return self if self.single is None else replace(self, losses=self.single)

    def limits(self):
        """Scores of the worst and of the best row, between which all others lie."""
        ends = np.array([[np.nanmax(self.losses)], [np.nanmin(self.losses)]])
        return LossTable(self.kind, ends, None).scores(np.ones(1))

    def scores(self, shares):
        """Scores of every candidate under given shares of the rows.

        Parameters
        ----------
        shares : ndarray of shape (..., n_rows)
            Weights of the rows.

        Returns
        -------
        scores : ndarray of shape (..., n_values)
            NaN where all shares are zero.
        """
        total = shares.sum(axis=-1)[..., None]
        total = np.where(total > 0, total, np.nan)
        means = shares @ self.losses.T / total
        if self.kind == "root":
            return -np.sqrt(means)
        return 1.0 - means if self.kind in ("accuracy", *RELATIVE) else -means
