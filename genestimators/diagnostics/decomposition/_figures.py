"""Both parts of the loss, extrapolated from pairs at several sizes."""

from dataclasses import dataclass

import numpy as np

from genestimators.diagnostics._extrapolation import (
    extrapolate_limit,
    extrapolate_power,
)

MOST_PAIRS = 100
LEAST_PAIRS = 20
ROUND = 10  # pairs, after which it is asked whether they are enough
PARTS = ("variance", "bias_and_noise")


@dataclass(frozen=True, eq=False)
class Figures:
    """Both parts of the loss at all rows, for each value, with their errors.

    Attributes
    ----------
    value, error : dict of ndarray of shape (n_values,)
        Of "variance", "bias_and_noise", "total" and "variance_share".
    monte_carlo : dict of ndarray of shape (n_values,)
        The error of the parts that more pairs would take away.
    at_sizes : ndarray of shape (2, n_sizes, n_values)
    at_sizes_error : ndarray of shape (2, n_sizes, n_values)
    """

    value: dict
    error: dict
    monte_carlo: dict
    at_sizes: np.ndarray
    at_sizes_error: np.ndarray

    @classmethod
    def of(cls, pairs):
        n_sizes, sizes = pairs.n_sizes, pairs.sizes
        means, both, replicates = _moments(pairs)
        means = means.reshape(2, n_sizes, -1)
        full = pairs.plan.problem.n_used
        parts = [
            extrapolate_power(means[0], sizes, full),
            extrapolate_limit(means[1], sizes, full),
        ]
        gradient = np.zeros((4, 2, n_sizes, means.shape[2]))
        gradient[0, 0], gradient[1, 1] = parts[0][1], parts[1][1]
        variance, rest = parts[0][0], parts[1][0]
        total = variance + rest
        gradient[2] = gradient[0] + gradient[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total > 0, variance / total, np.nan)
            gradient[3] = (gradient[0] - share * gradient[2]) / total
        gradient = gradient.reshape(4, 2 * n_sizes, -1)
        error = np.sqrt(_quadratic(gradient, both))
        names = [*PARTS, "total", "variance_share"]
        monte_carlo = np.sqrt(_quadratic(gradient[:2], replicates))
        own = np.sqrt(np.maximum(np.einsum("vtt->tv", both), 0.0))
        return cls(
            value=dict(zip(names, (variance, rest, total, share), strict=True)),
            error=dict(zip(names, error, strict=True)),
            monte_carlo=dict(zip(PARTS, monte_carlo, strict=True)),
            at_sizes=means,
            at_sizes_error=own.reshape(2, n_sizes, -1),
        )


def _quadratic(gradient, covariance):
    with np.errstate(invalid="ignore"):
        found = np.einsum("gtv,vts,gsv->gv", gradient, covariance, gradient)
    return np.maximum(found, 0.0)


def _moments(pairs):
    """Means of all figures, (n_terms, n_values), and their covariances."""
    sums = pairs.sums
    means = sums.means()
    both, replicates = sums.covariances(pairs.plan.problem.clusters)
    training = pairs.training_covariance()
    if training is not None:
        both = both + _of_training(training, means, pairs.n_sizes)
    return means, both, replicates


def _of_training(covariance, means, n_sizes):
    """The covariance at the least size as one at all sizes, of the same shares.

    Parts at several sizes come from the same data, so they vary together.
    """
    first = np.repeat(means[::n_sizes], n_sizes, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(first > 0, means / first, 1.0)
    whole = np.repeat(np.repeat(covariance, n_sizes, axis=1), n_sizes, axis=2)
    return whole * np.einsum("sv,tv->vst", share, share)


def run(pairs, n_pairs, tolerance):
    """Fit pairs: a number of them, or until they are enough."""
    if n_pairs != "auto":
        pairs.add(n_pairs)
        return
    while pairs.n_pairs < MOST_PAIRS:
        pairs.add(ROUND if pairs.n_pairs else LEAST_PAIRS)
        figures = Figures.of(pairs)
        error = np.maximum(*(figures.monte_carlo[name] for name in PARTS))
        if (error <= tolerance * np.abs(figures.value["total"])).all():
            return
