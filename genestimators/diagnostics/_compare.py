"""Whether one model is better than another, allowing for the splits it was tried on."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from genestimators._exceptions import UndefinedTestWarning, warn_user
from genestimators._params import (
    CONFIDENCE_LEVEL,
    SCORING,
    Interval,
    Options,
    check_arguments,
)
from genestimators._results import Result
from genestimators.diagnostics._estimates_display import EstimatesDisplay
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._split_scores import (
    check_alike,
    measure_of,
    score_name,
    split_scores,
    stratifies,
)
from genestimators.resampling import Folds, GroupSubsample, Subsample
from genestimators.resampling._hashing import derive

OWNER = "compare_models"
N_SPLITS = 25  # random splits, of which each leaves out a fifth
TEST_SHARE = 0.2
N_FOLDS = 5  # of McNemar's test

_CONSTRAINTS = {
    "scoring": SCORING,
    "method": [Options("corrected_t", "5x2cv_f", "mcnemar")],
    "margin": [Interval(float, 0.0), Interval(int, 0)],
    "confidence_level": CONFIDENCE_LEVEL,
}
_METHODS = {
    "corrected_t": "corrected resampled t test",
    "5x2cv_f": "combined 5x2cv F test",
    "mcnemar": "exact McNemar test",
}


@dataclass(frozen=True)
class ModelComparison(Result):
    """How much better one model is than another.

    Attributes
    ----------
    first, second : str
        The models.
    difference : float
        Score of the first less that of the second; above zero the first is better.
    std_error : float
        Of the difference, allowing for splits that share rows; of the F test that of
        one split.
    interval : tuple of float
        Confidence interval of the difference.
    confidence_level : float
    p_value : float
        Two-sided, of equal scores.
    p_value_adjusted : float
        The same where several models are compared with the first (Holm, 1979).
    margin : float
    p_value_non_inferior : float
        One-sided, of the first being worse by `margin` or more; NaN of the F test,
        which has no side.
    scores : tuple of two float
        Mean scores of the two.
    scoring : str
    method : str
    n_fits : int
    """

    first: str
    second: str
    difference: float
    std_error: float
    interval: tuple
    confidence_level: float
    p_value: float
    p_value_adjusted: float
    margin: float
    p_value_non_inferior: float
    scores: tuple
    scoring: str
    method: str
    n_fits: int

    def __str__(self):
        low, high = self.interval
        lines = [
            f"{self.scoring} of {self.first} less that of {self.second}: "
            f"{self.difference:.3g} ({low:.3g} to {high:.3g} at "
            f"{self.confidence_level:.0%} confidence), p = {self.p_value:.2g} "
            f"({_METHODS[self.method]})."
        ]
        if np.isnan(self.p_value):
            lines.append("There is no test: scores are the same on every split.")
        elif self.p_value_adjusted != self.p_value:
            lines.append(
                f"Adjusted for several models: p = {self.p_value_adjusted:.2g}."
            )
        if np.isfinite(self.p_value_non_inferior) and self.margin > 0:
            lines.append(
                f"That it is worse by {self.margin:g} or more: "
                f"p = {self.p_value_non_inferior:.2g}."
            )
        return "\n".join(lines)

    def plot(self, *, ax=None):
        """Draw the difference with its interval, zero and the margin.

        The dot is filled where the adjusted p-value is below one less the confidence
        level. For several comparisons see `EstimatesDisplay.from_comparisons`.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EstimatesDisplay
        """
        return EstimatesDisplay.from_comparisons(self, ax=ax)


def compare_models(
    first,
    second,
    X,
    y,
    *,
    scoring=None,
    method="corrected_t",
    margin=0.0,
    confidence_level=0.95,
    groups=None,
    sample_weight=None,
    params=None,
    n_jobs=None,
    random_state=None,
):
    """Test whether one model scores better than another, or than several others.

    Both are fitted on the same splits. Splits share most of their rows, so the
    differences of scores are not independent, and a t test that takes them for
    independent finds differences that are not there.

    Parameters
    ----------
    first : estimator
    second : estimator, or list of estimators
        What the first is compared with.
    X : array, sparse matrix or frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    scoring : str or callable, default=None
        As in `cross_val_score`; greater is better.
    method : {"corrected_t", "5x2cv_f", "mcnemar"}, default="corrected_t"
        The t test on 25 random splits with the variance of Nadeau and Bengio [1]_; the
        F test on five times two halves [2]_, of models on half of the rows; or the
        exact test of McNemar on the out-of-fold labels of five folds [3]_, which takes
        rows for independent and classifiers by their accuracy alone.
    margin : float, default=0.0
        How much worse the first may be and still do: for `p_value_non_inferior`.
    confidence_level : float, default=0.95
        Of the interval.
    groups : array-like of shape (n_samples,), default=None
        Rows of a group are on one side of a split.
    sample_weight : array-like of shape (n_samples,), default=None
        In fits and scores. A row is one observation, whatever its weight, but for
        McNemar's test, which counts a row of weight k as k rows.
    params : dict, default=None
        Further arguments of both fits.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of the splits. Seeds of the models are their own.

    Returns
    -------
    comparison : ModelComparison, or list of ModelComparison

    Raises
    ------
    TypeError, ValueError
        If the models are not of one kind, the method does not suit them, or a score is
        not defined on a split.

    Warns
    -----
    UndefinedTestWarning
        If scores do not vary over splits, so that there is no test.

    References
    ----------
    .. [1] Nadeau, C. & Bengio, Y. (2003). Inference for the generalization error.
       Machine Learning 52, 239-281.
    .. [2] Alpaydin, E. (1999). Combined 5x2 cv F test for comparing supervised
       classification learning algorithms. Neural Computation 11, 1885-1892.
    .. [3] Dietterich, T. G. (1998). Approximate statistical tests for comparing
       supervised classification learning algorithms. Neural Computation 10, 1895-1923.
    .. [4] Holm, S. (1979). A simple sequentially rejective multiple test procedure.
       Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from genestimators import compare_models
    >>> X, y = load_diabetes(return_X_y=True)
    >>> found = compare_models(
    ...     Ridge(), DecisionTreeRegressor(random_state=0), X, y, random_state=0
    ... )
    >>> bool(found.p_value < 0.01)
    True
    """
    check_arguments(
        OWNER,
        _CONSTRAINTS,
        method=method,
        margin=margin,
        confidence_level=confidence_level,
        scoring=scoring,
    )
    problem = make_problem(
        OWNER,
        first,
        X,
        y,
        groups=groups,
        sample_weight=sample_weight,
        params=params,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    several = isinstance(second, list | tuple)
    others = list(second) if several else [second]
    if not others:
        raise ValueError("`second` must hold at least one model. Got none.")
    check_alike(OWNER, first, others)
    if method == "mcnemar" and (len(problem.classes) != 1 or scoring is not None):
        raise ValueError(
            "McNemar's test compares the labels of classifiers of one output, whose "
            f"score is accuracy. Got scoring={scoring!r} and {first!r}; set "
            'method="corrected_t".'
        )
    draws, numbers = _draws(problem, method, scoring)
    told = scoring, draws, numbers
    keep = {"labels": method == "mcnemar"}
    where = f"{OWNER}, with {_name(first)}"
    own = split_scores(problem, first, *told, **keep, where=where)
    tests = []
    for other in others:
        where = f"{OWNER}, with {_name(other)}"
        theirs = split_scores(problem, other, *told, **keep, where=where)
        test = _TESTS[method](problem, own, theirs)
        tests.append((test, float(theirs.scores.mean())))
    if any(np.isnan(test.p_value) for test, _ in tests):
        warn_user(
            "The scores of two models are the same on every split and differ from each "
            "other, as those of constant predictions do, so there is no variance to "
            "test by and p-values are NaN; for classifiers set "
            'method="mcnemar".',
            UndefinedTestWarning,
        )
    adjusted = holm([test.p_value for test, _ in tests])
    name = score_name(scoring, measure_of(problem, scoring)[0].kind)
    found = [
        _comparison(
            test,
            p_value,
            names=(_name(first), _name(other)),
            scores=(float(own.scores.mean()), score),
            level=confidence_level,
            margin=float(margin),
            scoring="accuracy" if method == "mcnemar" else name,
            method=method,
            n_fits=2 * len(numbers),
        )
        for other, (test, score), p_value in zip(others, tests, adjusted, strict=True)
    ]
    return found if several else found[0]


def _draws(problem, method, scoring):
    seed = derive(problem.seed, "splits")
    told = problem.X, problem.y, problem.weight, problem.groups
    kind = Subsample if problem.groups is None else GroupSubsample
    if method == "mcnemar":
        if problem.groups is not None:
            raise ValueError(
                "McNemar's test takes rows for independent, and rows of a group are "
                'not; set method="corrected_t", or leave `groups` out.'
            )
        draws = Folds(N_FOLDS).prepare(*told, classifier=problem.classifier)
        return draws, range(len(draws))
    settings = {
        "seed": seed,
        "classifier": stratifies(problem, measure_of(problem, scoring)[0]),
        "weight_mode": "importance",
    }
    if method == "5x2cv_f":
        halves = kind(0.5, complementary_pairs=True)
        return halves.prepare(*told, **settings), range(10)
    return kind(1 - TEST_SHARE).prepare(*told, **settings), range(N_SPLITS)


@dataclass(frozen=True)
class _Test:
    """A difference, its error, and the law of their ratio."""

    difference: float
    std_error: float
    p_value: float
    freedom: float = np.inf
    sided: bool = True


def corrected_t(differences, share):
    """The t test of Nadeau and Bengio.

    Parameters
    ----------
    differences : ndarray of shape (n_splits,)
    share : float
        Weight of the rows tested on over that of the rows learned from.
    """
    n = len(differences)
    mean, variance = differences.mean(), differences.var(ddof=1)
    error = np.sqrt((1 / n + share) * variance)
    p_value = _two_sided(mean, error, stats.t(n - 1))
    return _Test(float(mean), _error_of(mean, error), p_value, n - 1)


def five_by_two(differences):
    """The combined F test of Alpaydin.

    Parameters
    ----------
    differences : ndarray of shape (10,)
        Of the two halves, five times.
    """
    pairs = differences.reshape(5, 2)
    spread = ((pairs - pairs.mean(axis=1, keepdims=True)) ** 2).sum()
    total = (pairs**2).sum()
    mean = float(differences.mean())
    if spread == 0:
        p_value = 1.0 if total == 0 else np.nan
        return _Test(mean, _error_of(mean, 0.0), p_value, 5, sided=False)
    p_value = float(stats.f.sf(total / (2 * spread), 10, 5))
    return _Test(mean, float(np.sqrt(spread / 5)), p_value, 5, sided=False)


def exact_mcnemar(first, second, weight=None):
    """The exact binomial test of McNemar.

    Parameters
    ----------
    first, second : ndarray of shape (n,), bool
        Which rows each predicts correctly.
    weight : ndarray of shape (n,) or None
        Whole numbers: rows.
    """
    weight = np.ones(len(first)) if weight is None else weight
    better = (weight * (first & ~second)).sum()
    worse = (weight * (second & ~first)).sum()
    n = weight.sum()
    difference = (better - worse) / n
    error = np.sqrt(max(better + worse - (better - worse) ** 2 / n, 0.0)) / n
    least, both = round(min(better, worse)), round(better + worse)
    p_value = min(1.0, 2 * stats.binom.cdf(least, both, 0.5)) if both else 1.0
    return _Test(float(difference), float(error), float(p_value))


def _error_of(difference, error):
    """NaN where scores are the same on every split, but not those of both models."""
    return np.nan if error == 0 and difference != 0 else float(error)


def _two_sided(difference, error, law):
    if error == 0:
        return 1.0 if difference == 0 else np.nan
    return float(2 * law.sf(abs(difference) / error))


def _by_t(problem, own, theirs):
    share = (own.test_weight / own.train_weight).mean()
    return corrected_t(own.scores - theirs.scores, share)


def _by_f(problem, own, theirs):
    return five_by_two(own.scores - theirs.scores)


def _by_labels(problem, own, theirs):
    used = problem.weights > 0
    y = problem.y[used]
    weight = None if problem.weight is None else problem.weight[used]
    if weight is not None and (weight != np.rint(weight)).any():
        raise ValueError(
            "McNemar's test counts rows, so weights have to be whole numbers of them. "
            f"Got {weight[weight != np.rint(weight)][0]:g}; set "
            'method="corrected_t".'
        )
    hits = [(one.labels[used] == y).astype(bool) for one in (own, theirs)]
    return exact_mcnemar(*hits, weight)


_TESTS = {"corrected_t": _by_t, "5x2cv_f": _by_f, "mcnemar": _by_labels}


def holm(p_values):
    """p-values adjusted for their number (Holm, 1979)."""
    p_values = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    out = np.full(len(p_values), np.nan)
    out[order] = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1.0)
    return out


def _comparison(test, adjusted, *, names, level, margin, **told):
    law = stats.t(test.freedom) if np.isfinite(test.freedom) else stats.norm
    reach = law.ppf(0.5 + level / 2) * test.std_error
    one_sided = np.nan
    if test.sided:
        above = test.difference + margin
        if test.std_error > 0:
            one_sided = float(law.sf(above / test.std_error))
        elif test.std_error == 0:  # the same scores on every split
            one_sided = 0.0 if above > 0 else 1.0
    return ModelComparison(
        first=names[0],
        second=names[1],
        difference=test.difference,
        std_error=test.std_error,
        interval=(test.difference - float(reach), test.difference + float(reach)),
        confidence_level=level,
        p_value=test.p_value,
        p_value_adjusted=float(adjusted),
        margin=margin,
        p_value_non_inferior=one_sided,
        **told,
    )


def _name(estimator):
    return " ".join(str(estimator).split())
