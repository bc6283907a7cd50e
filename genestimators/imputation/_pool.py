"""One estimate and its error from those of several imputations.

References
----------
Rubin, D. B. (1987). Multiple imputation for nonresponse in surveys. Wiley.
Barnard, J. & Rubin, D. B. (1999). Small-sample degrees of freedom with multiple
imputation. Biometrika, 86(4), 948-955.
von Hippel, P. T. & Bartlett, J. W. (2021). Maximum likelihood multiple imputation:
faster imputations and consistent standard errors without posterior draws. Statistical
Science, 36(3), 400-420.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t
from sklearn.utils.validation import check_is_fitted

from genestimators import _params
from genestimators._params import Interval
from genestimators._results import Result
from genestimators.resampling import (
    BayesianBootstrap,
    BlockBootstrap,
    Bootstrap,
    GroupBootstrap,
)
from genestimators.resampling._resolve import resolve_resampler

_AS_MANY_ROWS = Bootstrap, GroupBootstrap, BlockBootstrap, BayesianBootstrap


@dataclass(frozen=True)
class PooledEstimate(Result):
    """Estimates pooled over imputations.

    Attributes
    ----------
    names : list of str
    estimate : ndarray of shape (n_parameters,)
    std_error : ndarray of shape (n_parameters,)
    interval : ndarray of shape (n_parameters, 2)
        Confidence intervals.
    confidence_level : float
    degrees_of_freedom : ndarray of shape (n_parameters,)
    between : ndarray of shape (n_parameters,)
        Variance between imputations (Rubin's rules), or between replicates, their
        imputations aside.
    within : ndarray of shape (n_parameters,)
        Mean variance of an estimate (Rubin's rules), or variance between the
        imputations of a replicate.
    missing_information : ndarray of shape (n_parameters,)
        Share of the variance that is due to missing values; NaN for replicates.
    n_imputations : int
    n_replicates : int
        One for Rubin's rules.
    """

    names: list
    estimate: np.ndarray
    std_error: np.ndarray
    interval: np.ndarray
    confidence_level: float
    degrees_of_freedom: np.ndarray
    between: np.ndarray
    within: np.ndarray
    missing_information: np.ndarray
    n_imputations: int
    n_replicates: int

    def __str__(self):
        lines = [
            f"{name}: {value:.4g} ({low:.4g} to {high:.4g})"
            for name, value, (low, high) in zip(
                self.names, self.estimate, self.interval, strict=True
            )
        ]
        source = f"{self.n_imputations} imputations"
        if self.n_replicates > 1:
            source += f" in each of {self.n_replicates} replicates"
        return "\n".join([f"{self.confidence_level:.0%} intervals, {source}:", *lines])


def pool(
    estimates,
    variances=None,
    *,
    names=None,
    complete_degrees_of_freedom=None,
    confidence_level=0.95,
):
    """Pool what was estimated from several imputations.

    With `variances` by Rubin's rules: the estimates are averaged, and the variance is
    the mean variance plus that between imputations. Without them, from two or more
    imputations in each of several bootstrap replicates: the variance between
    replicates, with what is due to single imputations taken off, is that of the
    estimator. The latter needs no formula for a variance, and holds where the
    imputation and the model do not agree.

    When to use: for standard errors and intervals of coefficients. When not: for
    predictions, whose models are averaged as they are.

    Parameters
    ----------
    estimates : array-like or fitted bag
        Of shape (n_imputations, n_parameters) with `variances`, of shape (n_replicates,
        n_imputations, n_parameters) without; or a fitted BootstrapBaggingRegressor or
        BootstrapBaggingClassifier of :class:`MultipleImputationRegressor` or
        :class:`MultipleImputationClassifier` with linear estimators, whose coefficients
        and intercepts are taken. Its replicates must be bootstrap samples of as many
        rows as there are (of rows, groups, blocks, or of weights), of all features.
    variances : array-like of shape (n_imputations, n_parameters), default=None
        Squared standard errors of the estimates.
    names : sequence of str of shape (n_parameters,), default=None
        Of the parameters; None takes those of the bag's features, or numbers them.
    complete_degrees_of_freedom : float, default=None
        Of the estimates, were nothing missing: rows less coefficients. Only with
        `variances`; None is infinity.
    confidence_level : float in (0, 1), default=0.95

    Returns
    -------
    pooled : PooledEstimate

    Raises
    ------
    NotFittedError
        If a bag is not fitted.
    TypeError, ValueError
        If shapes or numbers are not as above, or a bag holds no linear estimators or
        was drawn in another way.

    References
    ----------
    .. [1] Rubin, D. B. (1987). Multiple imputation for nonresponse in surveys. Wiley.
    .. [2] Barnard, J. & Rubin, D. B. (1999). Small-sample degrees of freedom with
       multiple imputation. Biometrika, 86(4), 948-955.
    .. [3] von Hippel, P. T. & Bartlett, J. W. (2021). Maximum likelihood multiple
       imputation: faster imputations and consistent standard errors without posterior
       draws. Statistical Science, 36(3), 400-420.

    Examples
    --------
    >>> from genestimators import pool
    >>> pooled = pool([[1.0], [1.2], [1.1]], [[0.04], [0.05], [0.03]], names=["slope"])
    >>> print(pooled)
    95% intervals, 3 imputations:
    slope: 1.1 (0.6296 to 1.57)
    """
    _params.check_arguments(
        "pool",
        {
            "confidence_level": _params.CONFIDENCE_LEVEL,
            "complete_degrees_of_freedom": [
                Interval(float, 0, open_low=True),
                Interval(int, 1),
                _params.NONE,
            ],
        },
        confidence_level=confidence_level,
        complete_degrees_of_freedom=complete_degrees_of_freedom,
    )
    if hasattr(estimates, "get_params"):  # a bag, or what is taken for one
        estimates, known = _coefficients(estimates)
        names = known if names is None else names
    estimates = _finite(estimates, "estimates")
    if variances is None:
        if complete_degrees_of_freedom is not None:
            raise ValueError(
                "`complete_degrees_of_freedom` goes with `variances`. Got it without "
                "them; leave it out."
            )
        parts = _over_replicates(_shaped(estimates, "estimates", 3, (2, 2, 1)))
    else:
        estimates = _shaped(estimates, "estimates", 2, (2, 1))
        variances = _shaped(_finite(variances, "variances"), "variances", 2, (2, 1))
        if variances.shape != estimates.shape or (variances < 0).any():
            raise ValueError(
                "`variances` must hold one number that is not negative for each of the "
                f"estimates, of shape {estimates.shape}. Got shape {variances.shape}, "
                f"the least being {variances.min():g}."
            )
        parts = _by_rubin(estimates, variances, complete_degrees_of_freedom)
    names = _names_of(names, estimates.shape[-1])
    return _result(parts, names, confidence_level, estimates.shape)


def _by_rubin(estimates, variances, complete):
    """Estimate, variance, degrees of freedom, and the parts of the variance."""
    m = len(estimates)
    between = estimates.var(axis=0, ddof=1)
    within = variances.mean(axis=0)
    total = within + (1 + 1 / m) * between
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, (1 + 1 / m) * between / total, 0.0)
        freedom = np.where(share > 0, (m - 1) / share**2, np.inf)
        if complete is not None:
            observed = (complete + 1) / (complete + 3) * complete * (1 - share)
            freedom = 1 / (1 / freedom + 1 / observed)
    return estimates.mean(axis=0), total, freedom, between, within, share


def _over_replicates(estimates):
    """The same from imputations in replicates."""
    b, m, _ = estimates.shape
    means = estimates.mean(axis=1)
    within = np.square(estimates - means[:, None]).sum(axis=(0, 1)) / (b * (m - 1))
    outer = m * means.var(axis=0, ddof=1)
    between = np.maximum(outer - within, 0.0) / m
    first, second = (b + 1) / (b * m) * outer, within / m
    total = (1 + 1 / b) * between + within / (b * m)
    noise = first**2 / (b - 1) + second**2 / (b * (m - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(noise > 0, (first - second) ** 2 / noise, np.inf)
    missing = np.full(len(total), np.nan)
    return means.mean(axis=0), total, np.maximum(freedom, 3.0), between, within, missing


def _result(parts, names, level, shape):
    estimate, total, freedom, between, within, missing = parts
    error = np.sqrt(total)
    reach = t.ppf((1 + level) / 2, freedom) * error
    return PooledEstimate(
        names=names,
        estimate=estimate,
        std_error=error,
        interval=np.stack([estimate - reach, estimate + reach], axis=1),
        confidence_level=level,
        degrees_of_freedom=freedom,
        between=between,
        within=within,
        missing_information=missing,
        n_imputations=shape[-2],
        n_replicates=shape[0] if len(shape) == 3 else 1,
    )


def _coefficients(bag):
    """Coefficients and intercepts of a bag's models, and their names."""
    check_is_fitted(bag)
    _check_draws(bag)
    found, names = [], None
    for member in getattr(bag, "estimators_", [bag]):
        models = getattr(member, "estimators_", None)
        if models is None or not all(hasattr(model, "coef_") for model in models):
            raise TypeError(
                "`estimates` must be numbers, or a fitted bag of "
                "MultipleImputationRegressor or MultipleImputationClassifier with "
                f"estimators that have `coef_`. Got members such as {member!r}."
            )
        if len(models) < 2:
            raise ValueError(
                "Members must have two imputations or more, to tell what is due to "
                f"single ones. Got n_imputations={len(models)}; give the imputing "
                "estimator n_imputations=2."
            )
        own = _parameter_names(member, models[0])
        if names is not None and own != names:
            raise ValueError(
                "All members must have the same coefficients. Got some with other "
                "masks; pass an imputer with add_indicator=False."
            )
        names = own
        found.append([_flat(model) for model in models])
    return np.array(found), names


def _check_draws(bag):
    """Raise for replicates whose spread is not that of estimates from all rows."""
    features = getattr(bag, "estimators_features_", None)
    whole = np.arange(getattr(bag, "n_features_in_", 0))
    if features is not None and not all(np.array_equal(f, whole) for f in features):
        raise ValueError(
            "All members must have the coefficients of all features. Got a bag of "
            f"max_features={bag.max_features!r}; leave `max_features` at 1.0."
        )
    resampling = getattr(bag, "resampling", None)
    if resampling is None:
        return
    resampler = resolve_resampler(resampling, bag.max_samples)
    size = getattr(resampler, "max_samples", 1.0)
    if not isinstance(resampler, _AS_MANY_ROWS) or size != 1.0:
        raise ValueError(
            "The spread of replicates is that of estimates only where they are "
            "bootstrap samples of as many rows as there are. Got a bag with "
            f"{resampler!r}; leave `resampling` and `max_samples` at their defaults."
        )


def _flat(model):
    coefficients = np.atleast_2d(model.coef_)
    intercept = np.broadcast_to(model.intercept_, len(coefficients))
    return np.column_stack([coefficients, intercept]).ravel()


def _parameter_names(member, model):
    columns = member.imputer_.get_feature_names_out().tolist()
    first, size = member.n_features_in_, member._n_target_columns
    columns = [*columns[:first], *columns[first + size :], "intercept"]
    n_rows = len(np.atleast_2d(model.coef_))
    if n_rows == 1:
        return columns
    return [f"{label}:{name}" for label in model.classes_ for name in columns]


def _finite(values, name):
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise type(exc)(
            f"`{name}` must be numbers, as many for each imputation. Got "
            f"{values!r:.60}."
        ) from exc
    if not np.isfinite(values).all():
        raise ValueError(f"`{name}` must be finite. Got NaN or infinity among them.")
    return values


def _shaped(values, name, n_dimensions, least):
    words = "(n_imputations, n_parameters), with two imputations or more"
    if n_dimensions == 3:
        words = (
            "(n_replicates, n_imputations, n_parameters), with two replicates and two "
            "imputations or more, where there are no `variances`"
        )
    if values.ndim != n_dimensions or any(
        size < few for size, few in zip(values.shape, least, strict=True)
    ):
        raise ValueError(f"`{name}` must be of shape {words}. Got {values.shape}.")
    return values


def _names_of(names, n_parameters):
    if names is None:
        return [str(k) for k in range(n_parameters)]
    names = [str(name) for name in names]
    if len(names) != n_parameters:
        raise ValueError(
            f"`names` must hold one name for each of {n_parameters} parameters. Got "
            f"{len(names)}."
        )
    return names
