"""Bias and variance of a learner on real data, without knowing the truth."""

import numpy as np

from genestimators._exceptions import LearningCurveWarning, warn_user
from genestimators.diagnostics._copies import warn_of_copies
from genestimators.diagnostics.decomposition._decomposition import (
    BiasVarianceDecomposition,
)
from genestimators.diagnostics.decomposition._figures import PARTS, Figures, run
from genestimators.diagnostics.decomposition._noise import noise_bounds
from genestimators.diagnostics.decomposition._pair_plan import plan_pairs
from genestimators.diagnostics.decomposition._pairs import Pairs

SEED_PAIRS = 10  # models fitted twice, where the learner has a seed


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
        In fits and losses. A row is one observation, whatever its weight; copies of
        rows belong into one group.
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

    Warns
    -----
    LearningCurveWarning
        If the loss rises with the number of rows.
    RepeatedRowsWarning
        If many rows of a regression are copies of others, and there are no groups.

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
    plan = plan_pairs(
        "bias_variance_decomposition",
        estimator,
        X,
        y,
        loss=loss,
        sizes=sizes,
        n_pairs=n_pairs,
        tolerance=tolerance,
        groups=groups,
        sample_weight=sample_weight,
        params=params,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    warn_of_copies(plan.problem)
    pairs = Pairs(plan)
    run(pairs, n_pairs, tolerance)
    return decomposition_of(pairs)


def decomposition_of(pairs):
    """The result from pairs that were fitted."""
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
    return BiasVarianceDecomposition(
        loss=loss.name,
        n_samples=problem.n_used,
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
            name: error[:, 0]
            for name, error in zip(PARTS, figures.at_sizes_error, strict=True)
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
            LearningCurveWarning,
        )
