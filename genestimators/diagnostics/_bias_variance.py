"""Bias and variance of a learner on real data, without knowing the truth."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from genestimators._exceptions import warn_user
from genestimators._params import Interval, Options, check_arguments
from genestimators.diagnostics._decomposition import BiasVarianceDecomposition
from genestimators.diagnostics._extrapolation import (
    extrapolate_limit,
    extrapolate_power,
)
from genestimators.diagnostics._losses import LOSSES, resolve_loss
from genestimators.diagnostics._noise import noise_bounds
from genestimators.diagnostics._pairs import ROUND, PairPlan, Pairs
from genestimators.diagnostics._problem import make_problem

SHARES = (0.2, 0.4)  # of the rows, in a model
MOST_PAIRS = 100
LEAST_PAIRS = 20
SEED_PAIRS = 10  # models fitted twice, where the learner has a seed

_CONSTRAINTS = {
    "loss": [Options("auto", *LOSSES)],
    "n_pairs": [Interval(int, 2), Options("auto")],
    "tolerance": [Interval(float, 0.0, open_low=True)],
}


def bias_variance_decomposition(
    estimator,
    X,
    y,
    *,
    loss="auto",
    sizes="auto",
    n_pairs="auto",
    tolerance=0.02,
    groups=None,
    sample_weight=None,
    params=None,
    n_jobs=None,
    random_state=None,
):
    """Split the expected loss of a learner into variance and bias^2 + noise.

    Models fitted on two subsamples that share no row are independent. Half their
    squared difference has the variance of the learner as its mean, the product of their
    errors has bias^2 + noise: both without bias, without a test set and without knowing
    the truth. Two or more sizes of subsamples show how the parts fall with the number
    of rows, and they are extrapolated to all rows.

    Bootstrap samples, which other tools fit on, share most of their rows, and hold only
    63 % of them; the bias of so few rows is then taken for bias of the learner.

    Parameters
    ----------
    estimator : estimator
        Never fitted itself; it is cloned.
    X : array, sparse matrix or frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    loss : {"auto", "squared_error", "brier", "log_loss", "zero_one"}, default="auto"
        "auto" is squared error for regressors, the Brier score for classifiers with
        probabilities, and the 0-1 loss for others. Several outputs are averaged, and
        must all be right for the 0-1 loss.
    sizes : "auto" or sequence of float or int, default="auto"
        At least two: shares of the rows below a half (of the groups, where there are
        some), or numbers of rows. "auto" is (0.2, 0.4).
    n_pairs : int or "auto", default="auto"
        Pairs of models at each size. "auto" stops at 20 to 100, as soon as more pairs
        would change neither part by more than `tolerance`.
    tolerance : float, default=0.02
        Standard error, as a share of the total, that the choice of subsamples may leave
        in the two parts.
    groups : array-like of shape (n_samples,), default=None
        Rows of a group are never in two models, and figures are for new groups.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 is two rows.
    params : dict, default=None
        Further arguments of the estimator's `fit`; those with one item a row are cut.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of the subsamples and of the learner.

    Returns
    -------
    decomposition : BiasVarianceDecomposition

    Raises
    ------
    ValueError
        If there are too few rows, rows of a class or groups for pairs, the target is
        constant, or the loss does not go with the estimator.

    See Also
    --------
    ensemble_decomposition : What averaging takes away, from a fitted bag, for free.

    Notes
    -----
    The variance is extrapolated as a power of the number of rows, the rest as
    a + b / m. That is an assumption: learners with a double descent, or that need a
    certain number of rows, do not follow it.

    The 0-1 loss is split as by Kohavi and Wolpert [1]_: the variance is half the
    probability that two models predict different labels, which pairs of models tell
    without bias. `terms` has those decompositions that rest on the main prediction, the
    label that most data sets lead to: the effects of James [2]_, which add up too, and
    the terms of Domingos [3]_. There the vote of all models stands for the main
    prediction; as they share rows it varies itself, and the variance comes out too
    small, by up to a half in simulations.

    For the log-loss the centre of predictions is their normalised geometric mean [4]_.

    References
    ----------
    .. [1] Kohavi, R. & Wolpert, D. H. (1996). Bias plus variance decomposition for
       zero-one loss functions. ICML '96, 275-283.
    .. [2] James, G. M. (2003). Variance and bias for general loss functions. Machine
       Learning 51, 115-135.
    .. [3] Domingos, P. (2000). A unified bias-variance decomposition and its
       applications. ICML '00, 231-238.
    .. [4] Wood, D., Mu, T., Webb, A. M., Reeve, H. W. J., Lujan, M. & Brown, G. (2023).
       A unified theory of diversity in ensemble learning. Journal of Machine Learning
       Research 24, 1-49.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from genestimators import bias_variance_decomposition
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = DecisionTreeRegressor()
    >>> found = bias_variance_decomposition(tree, X, y, n_pairs=20, random_state=0)
    >>> bool(found.variance_share > 0.4)
    True
    """
    check_arguments(
        "bias_variance_decomposition",
        _CONSTRAINTS,
        loss=loss,
        n_pairs=n_pairs,
        tolerance=tolerance,
    )
    problem = make_problem(
        "bias_variance_decomposition",
        estimator,
        X,
        y,
        groups=groups,
        sample_weight=sample_weight,
        params=params,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    loss = resolve_loss(loss, problem)
    plan = PairPlan(problem, loss, check_sizes(sizes, problem))
    pairs = Pairs(plan)
    run(pairs, n_pairs, tolerance)
    return _decomposition(pairs)


def check_sizes(sizes, problem):
    """Sizes as increasing shares of the weight of all rows, or of the groups.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two, or they cannot be drawn from the data.
    """
    shares = SHARES
    groups = problem.groups
    n_units = problem.weights.sum() if groups is None else len(np.unique(groups))
    if not isinstance(sizes, str):
        items = list(sizes) if np.ndim(sizes) == 1 else []
        if not all(isinstance(one, Real) for one in items) or len(set(items)) < 2:
            raise ValueError(
                "`sizes` must be at least two different shares of the rows, or numbers "
                f"of rows, since the parts are extrapolated. Got {sizes!r}."
            )
        shares = [_share(size, n_units) for size in items]
    elif sizes != "auto":
        raise ValueError(f'`sizes` must be "auto" or a sequence. Got {sizes!r}.')
    shares = tuple(sorted(shares))
    if not 0 < shares[0] or not shares[-1] < 0.5:
        raise ValueError(
            "`sizes` must be below half of the rows, since two models share none and "
            f"some rows are left to test them. Got {sizes!r} of {n_units:g}."
        )
    least = int(np.ceil(1 / shares[0] - 1e-9))
    if groups is not None:
        if n_units < max(5, least):
            raise ValueError(
                f"Pairs of models that share no group need at least {max(5, least)} "
                f"groups at sizes={shares!r}. Got {n_units}; leave `groups` out, or "
                "raise the least of `sizes`."
            )
        return shares
    if problem.classifier and problem.y.ndim == 1:
        _check_classes(problem, least, shares)
    return shares


def _share(size, n_units):
    return size / n_units if isinstance(size, Integral) else float(size)


def _check_classes(problem, least, shares):
    counts = np.bincount(
        np.searchsorted(problem.classes[0], problem.y, side="left").clip(
            max=len(problem.classes[0]) - 1
        ),
        weights=problem.weights,
        minlength=len(problem.classes[0]),
    )
    small = np.flatnonzero(counts < least)
    if len(small):
        raise ValueError(
            f"Models on {shares[0]:g} of the rows need at least {least} rows of each "
            f"class. Got {counts[small[0]]:g} of class "
            f"{problem.classes[0].tolist()[small[0]]!r}; join it with another, or "
            "raise the least of `sizes`."
        )


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
        full = pairs.plan.problem.weights.sum()
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


def _decomposition(pairs):
    problem, loss = pairs.plan.problem, pairs.plan.loss
    seed_variance, n_again = 0.0, 0
    if problem.seeded:
        n_again = min(pairs.n_pairs, SEED_PAIRS)
        seed_variance = float(pairs.seed_variance(n_again)[0])
    figures = Figures.of(pairs)
    _warn_of_shape(figures)
    value = {name: float(one[0]) for name, one in figures.value.items()}
    rows = pairs.sums.row_means()[:, 0]
    bounds = {
        "bias^2 + noise of this learner": max(value["bias_and_noise"], 0.0),
        **noise_bounds(problem, loss, pairs.target),
    }
    bound = min(bounds.values())
    rest = max(value["bias_and_noise"], 0.0)
    names = dict(enumerate(PARTS))
    return BiasVarianceDecomposition(
        loss=loss.name,
        n_samples=float(problem.weights.sum()),
        **value,
        std_errors={name: float(one[0]) for name, one in figures.error.items()},
        noise_upper_bound=bound,
        noise_bounds=bounds,
        bias_range=(max(rest - bound, 0.0), rest),
        seed_variance=seed_variance,
        sizes=pairs.sizes,
        variance_at_sizes=figures.at_sizes[0, :, 0],
        bias_and_noise_at_sizes=figures.at_sizes[1, :, 0],
        std_errors_at_sizes={
            names[i]: figures.at_sizes_error[i, :, 0] for i in range(2)
        },
        sample_variance=rows[pairs.n_sizes - 1],
        sample_bias_and_noise=rows[-1],
        terms=_terms(pairs),
        n_pairs=pairs.n_pairs,
        n_fits=pairs.n_fits + 2 * n_again,
        monte_carlo_std_errors={
            name: float(one[0]) for name, one in figures.monte_carlo.items()
        },
    )


def _terms(pairs):
    """Terms of the 0-1 loss that rest on the label voted for, at the largest size."""
    if pairs.votes is None:
        return {}
    weight, votes = pairs.sums.row_weight[-1], pairs.votes[0]
    cast = votes.sum(axis=1)
    used = (cast > 0) & (weight > 0)
    votes, labels = votes[used] / cast[used, None], pairs.labels[used]
    wrong = votes.argmax(axis=1) != labels
    apart = 1 - votes.max(axis=1)  # predictions that are not the main one
    right = votes[np.arange(len(votes)), labels]
    figures = {
        "james_variance": 1 - right - wrong,
        "james_bias_and_noise": wrong,
        "domingos_bias": wrong,
        "domingos_variance": apart,
        # Where the main label is wrong, variance that hits the right one helps.
        "domingos_unbiased_variance": np.where(wrong, 0.0, apart),
        "domingos_biased_variance": np.where(wrong, right, 0.0),
    }
    return {
        name: float(np.average(one, weights=weight[used]))
        for name, one in figures.items()
    }


def _warn_of_shape(figures):
    """Warn where the loss does not fall with the number of rows."""
    total = figures.at_sizes.sum(axis=0)[:, 0]
    error = np.sqrt((figures.at_sizes_error**2).sum(axis=0))[:, 0]
    rises = np.diff(total) > 2 * np.hypot(error[1:], error[:-1])
    if rises.any():
        warn_user(
            "The loss rises with the number of training rows "
            f"({', '.join(f'{one:.4g}' for one in total)}), so figures extrapolated to "
            "all rows may be far off; look at `variance_at_sizes`, or give `sizes` "
            "nearer to a half.",
            UserWarning,
        )
