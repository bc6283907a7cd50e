"""What more rows would bring: a learning curve, continued with its uncertainty."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from genestimators._exceptions import LearningCurveWarning, warn_user
from genestimators._params import (
    CONFIDENCE_LEVEL,
    NONE,
    SCORING,
    Interval,
    Is,
    check_arguments,
)
from genestimators._results import Result
from genestimators.diagnostics._copies import warn_of_copies
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._sizes import check_train_sizes
from genestimators.diagnostics._split_scores import measure_of, score_name
from genestimators.diagnostics.curves._nested_scores import nested_scores
from genestimators.diagnostics.curves._power_curve import PowerCurves, fit_power_curves
from genestimators.resampling._hashing import derive

OWNER = "learning_curve_forecast"
N_CURVES = 2000  # that are drawn for the bands


def _is_finite(value):
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return number and bool(np.isfinite(value))


_CONSTRAINTS = {
    "n_splits": [Interval(int, 5)],
    "confidence_level": CONFIDENCE_LEVEL,
    "scoring": SCORING,
    "target": [NONE, Is(_is_finite, "a finite number")],
}


@dataclass(frozen=True, eq=False)
class LearningCurveForecast(Result):
    """A score against the number of training rows, and where it goes.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        Rows (or their weight) in training.
    scores, std_errors : ndarray of shape (n_sizes,)
        Mean scores on rows left out, greater is better, allowing for splits that share
        rows.
    n_samples : int
        All rows.
    score_now : float
        Expected of a fit on all rows.
    score_doubled : float
        Expected of a fit on twice as many.
    gain_from_doubling : float
        The difference.
    intervals : dict
        Of the three, under their names.
    confidence_level : float
    limit, rate : float
        The curve is ``limit - scale / m ** rate``.
    target, n_for_target : float or None
        How many rows a score takes; infinite if the curve does not reach it.
    n_for_target_interval : tuple of float or None
    scoring : str
    n_fits : int
    """

    sizes: np.ndarray
    scores: np.ndarray
    std_errors: np.ndarray
    n_samples: int
    score_now: float
    score_doubled: float
    gain_from_doubling: float
    intervals: dict
    confidence_level: float
    limit: float
    rate: float
    target: float | None
    n_for_target: float | None
    n_for_target_interval: tuple | None
    scoring: str
    n_fits: int
    curve: PowerCurves
    draws: PowerCurves

    def forecast(self, n_samples, *, beyond=False):
        """Score to expect with some number of training rows.

        Parameters
        ----------
        n_samples : float or sequence of float
        beyond : bool, default=False
            Whether to go beyond twice the rows there are, where the shape of the curve
            decides everything.

        Returns
        -------
        scores : ndarray of shape (n_asked,)
        low, high : ndarray of shape (n_asked,)
            Confidence limits.

        Raises
        ------
        ValueError
            If it goes too far, and was not told to.
        """
        asked = np.atleast_1d(np.asarray(n_samples, dtype=float))
        if not (asked > 0).all():
            raise ValueError(f"Numbers of rows must be positive. Got {n_samples!r}.")
        if not beyond and (asked > 2 * self.n_samples * (1 + 1e-9)).any():
            raise ValueError(
                f"Beyond twice the {self.n_samples} rows there are, a forecast is a "
                f"guess about the shape of the curve. Got {asked.max():g}; set "
                "`beyond=True` to have it all the same."
            )
        tail = (1 - self.confidence_level) / 2
        low, high = np.quantile(self.draws.at(asked), [tail, 1 - tail], axis=0)
        return self.curve.at(asked)[0], low, high

    def __str__(self):
        now, doubled = self.intervals["score_now"], self.intervals["score_doubled"]
        gain = self.intervals["gain_from_doubling"]
        lines = [
            f"{self.scoring} to expect of a fit on all {self.n_samples} rows: "
            f"{self.score_now:.4g} ({now[0]:.4g} to {now[1]:.4g}).",
            f"On twice as many: {self.score_doubled:.4g} ({doubled[0]:.4g} to "
            f"{doubled[1]:.4g}), a gain of {self.gain_from_doubling:.2g} "
            f"({gain[0]:.2g} to {gain[1]:.2g} at {self.confidence_level:.0%} "
            "confidence).",
        ]
        if self.target is not None:
            lines.append(self._target_in_words())
        return "\n".join(lines)

    def _target_in_words(self):
        low, high = self.n_for_target_interval
        if not np.isfinite(self.n_for_target):
            return f"The curve does not reach {self.target:g}."
        if self.n_for_target < self.sizes[0]:
            return f"{self.target:g} takes fewer than {self.sizes[0]:g} rows."
        text = f"{self.target:g} takes about {self.n_for_target:.3g} rows"
        end = f"{high:.3g}" if np.isfinite(high) else "never"
        text += f" ({low:.3g} to {end})"
        far = self.n_for_target > 2 * self.n_samples
        return text + (", a guess so far beyond the data." if far else ".")

    def to_dict(self):
        """The fields as a dict, but for the curves.

        Returns
        -------
        fields : dict
        """
        every = super().to_dict()
        return {k: v for k, v in every.items() if k not in ("curve", "draws")}

    def plot(self, *, ax=None):
        """Draw the curve, its band and what is ahead.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LearningCurveForecastDisplay
        """
        from genestimators.diagnostics.curves._forecast_display import (
            LearningCurveForecastDisplay,
        )

        return LearningCurveForecastDisplay(self).plot(ax=ax)


def learning_curve_forecast(
    estimator,
    X,
    y,
    *,
    scoring=None,
    sizes="auto",
    n_splits=25,
    target=None,
    confidence_level=0.95,
    groups=None,
    sample_weight=None,
    params=None,
    n_jobs=None,
    random_state=None,
):
    """Fit a learning curve and say what more rows would bring.

    The estimator is fitted on growing shares of the rows, each within the next, and
    scored on the rows that the largest leaves out, for several random splits. A power
    law with a limit is fitted to the mean scores and read off at all rows and at twice
    as many [1]_.

    Parameters
    ----------
    estimator : estimator
        It is cloned, never fitted itself.
    X : array, sparse matrix or frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    scoring : str or callable, default=None
        As in `cross_val_score`; greater is better.
    sizes : "auto" or sequence of float or int, default="auto"
        At least three: shares of the rows (of the groups) below one, or numbers of
        rows. "auto" is (0.1, 0.2, 0.4, 0.6, 0.8), without those too small for the data.
    n_splits : int, default=25
    target : float, default=None
        A score: how many rows does it take?
    confidence_level : float, default=0.95
        Of all intervals.
    groups : array-like of shape (n_samples,), default=None
        Rows of a group are on one side of a split.
    sample_weight : array-like of shape (n_samples,), default=None
        In fits and scores. A row is one observation, whatever its weight; copies of
        rows belong into one group.
    params : dict, default=None
        Further arguments of `fit`.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of splits and bands. Seeds of the estimator are its own.

    Returns
    -------
    forecast : LearningCurveForecast

    Raises
    ------
    ValueError
        If the rows are too few for three sizes, or scores are NaN.

    Warns
    -----
    LearningCurveWarning
        If the score falls from one size to a larger one by more than its error: the
        curve is then no power law.

    Notes
    -----
    Means over splits that share rows have the variance of Nadeau and Bengio [2]_.
    Bands come from curves fitted to scores drawn with that covariance. They hold if the
    curve is a power law, which is the larger risk the farther it is continued.

    References
    ----------
    .. [1] Viering, T. & Loog, M. (2023). The shape of learning curves: a review. IEEE
       Transactions on Pattern Analysis and Machine Intelligence 45, 7799-7819.
    .. [2] Nadeau, C. & Bengio, Y. (2003). Inference for the generalization error.
       Machine Learning 52, 239-281.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from genestimators import learning_curve_forecast
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(n_estimators=10, random_state=0)
    >>> found = learning_curve_forecast(forest, X, y, n_splits=10, random_state=0)
    >>> bool(found.gain_from_doubling >= 0)
    True
    """
    check_arguments(
        OWNER,
        _CONSTRAINTS,
        n_splits=n_splits,
        confidence_level=confidence_level,
        scoring=scoring,
        target=target,
    )
    problem = make_problem(
        OWNER,
        estimator,
        X,
        y,
        groups=groups,
        sample_weight=sample_weight,
        params=params,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    warn_of_copies(problem)
    shares = check_train_sizes(sizes, problem)
    found = nested_scores(problem, scoring, shares, n_splits)
    told = found.test_scores.T, found.sizes, found.share, found.best
    return _forecast(problem, scoring, *told, target, confidence_level)


def _forecast(problem, scoring, scores, sizes, share, best, target, level):
    n_splits, n_sizes = scores.shape
    mean = scores.mean(axis=0)
    covariance = np.atleast_2d(np.cov(scores, rowvar=False)) * (1 / n_splits + share)
    error = np.sqrt(np.diag(covariance))
    _warn_of_falls(scores, share, sizes)
    least = 1e-6 * np.abs(mean).max() or 1.0
    weight = 1 / np.maximum(error, least) ** 2
    rng = np.random.default_rng(derive(problem.seed, "curves"))
    drawn = rng.multivariate_normal(mean, covariance, size=N_CURVES, method="eigh")
    curve = fit_power_curves(mean[None], sizes, weight, best)
    draws = fit_power_curves(drawn, sizes, weight, best)
    full = problem.n_used
    now, doubled = curve.at([full, 2 * full])[0]
    drawn_now, drawn_doubled = draws.at([full, 2 * full]).T
    tails = [(1 - level) / 2, (1 + level) / 2]

    def interval(values, kind="linear"):
        return tuple(float(one) for one in np.quantile(values, tails, method=kind))

    needed = needed_interval = None
    if target is not None:
        needed = float(curve.size_for(target)[0])
        needed_interval = interval(draws.size_for(target), "inverted_cdf")
    return LearningCurveForecast(
        sizes=sizes,
        scores=mean,
        std_errors=error,
        n_samples=full,
        score_now=float(now),
        score_doubled=float(doubled),
        gain_from_doubling=float(doubled - now),
        intervals={
            "score_now": interval(drawn_now),
            "score_doubled": interval(drawn_doubled),
            "gain_from_doubling": interval(drawn_doubled - drawn_now),
        },
        confidence_level=level,
        limit=float(curve.limit[0]),
        rate=float(curve.rate[0]),
        target=None if target is None else float(target),
        n_for_target=needed,
        n_for_target_interval=needed_interval,
        scoring=score_name(scoring, measure_of(problem, scoring)[0].kind),
        n_fits=n_splits * n_sizes,
        curve=curve,
        draws=draws,
    )


def _warn_of_falls(scores, share, sizes):
    """Warn where more rows make a score worse by more than the error allows."""
    steps = np.diff(scores, axis=1)
    error = np.sqrt((1 / len(scores) + share) * steps.var(axis=0, ddof=1))
    falls = np.flatnonzero(steps.mean(axis=0) < -2 * error)
    if len(falls):
        i = falls[0]
        warn_user(
            f"The score falls from {scores[:, i].mean():.4g} at {sizes[i]:g} rows to "
            f"{scores[:, i + 1].mean():.4g} at {sizes[i + 1]:g}, so the curve is no "
            "power law and forecasts may be far off; give `sizes` beyond that.",
            LearningCurveWarning,
        )
