"""Conditional importance: what a feature tells beyond what the others tell already."""

from dataclasses import replace

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse, stats
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from genestimators._inputs import is_frame, is_missing
from genestimators._parallel import run_in_order
from genestimators._params import (
    N_JOBS,
    RANDOM_STATE,
    Interval,
    Options,
    check_arguments,
)
from genestimators.selection.importances._conditional_residuals import (
    conditional_residuals,
)
from genestimators.selection.importances._conditional_result import (
    ConditionalImportance,
)
from genestimators.selection.importances._linear_form import linear_form
from genestimators.selection.importances._linear_importance import (
    expected_increase,
    unit_contributions,
)
from genestimators.selection.importances._permutation import (
    check_rows,
    score_drops,
    score_of,
    used_columns,
)
from genestimators.selection.importances._replaced_columns import like, numbers_of
from genestimators.selection.importances._row_scoring import (
    baseline_of,
    resolve_scoring,
    std_error_of,
    target_of,
)

_CONSTRAINTS = {
    "n_repeats": [Interval(int, 1)],
    "method": [Options("auto", "closed_form", "permutation")],
    "random_state": RANDOM_STATE,
    "n_jobs": N_JOBS,
}


def conditional_importance(
    estimator,
    X,
    y,
    *,
    scoring=None,
    sample_weight=None,
    feature_groups=None,
    n_repeats=10,
    method="auto",
    random_state=None,
    n_jobs=None,
):
    """How much a score drops without what one feature alone tells.

    Each feature is replaced by a copy drawn given the other features: its ridge
    regression on them, plus the residual of a row taken at random [1]_. Permuting the
    whole column, as permutation importance does, also makes rows that cannot be, and
    gives a feature credit for what its neighbours tell as well; here a copy of another
    feature has no importance. Of two features that tell the same, both have none: put
    them into one group.

    Pass rows that the estimator was not fitted on: on its own rows it takes noise for
    importance, and the p-values do not hold.

    Where the estimator is linear in X (alone, in a Pipeline with scaling, in a bag) and
    the score is R2 or mean squared error, the mean over all permutations has a closed
    form, and all features together cost about as much as one decomposition of X.

    Parameters
    ----------
    estimator : fitted estimator
    X : array or frame of shape (n_rows, n_features)
        Finite numbers. A frame reaches the estimator as a frame, the replaced columns
        as floats.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
    scoring : str or callable, default=None
        Name of a scorer, a scorer (estimator, X, y) or a metric (y_true, y_pred). None
        is `estimator.score`.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows, in the score, in the regressions and as donors of residuals.
        Only their ratios count; rows of weight zero are left out.
    feature_groups : array-like of shape (n_features,), default=None
        A label for each feature; features of the same label are replaced together,
        given those of other labels. None takes each feature by itself.
    n_repeats : int, default=10
        Copies of each feature, where there is no closed form.
    method : {"auto", "closed_form", "permutation"}, default="auto"
        "auto" takes the closed form where there is one; "closed_form" insists on it.
    random_state : int, RandomState instance or None, default=None
        Of the copies; the closed form draws none.
    n_jobs : int, default=None
        Features are tried in parallel, where there is no closed form.

    Returns
    -------
    result : ConditionalImportance
        With `importances_mean`, `importances_std_error`, `p_values` and `names`.

    Notes
    -----
    For every feature the ridge penalty of its regression is chosen by generalised
    cross-validation, and the residuals are scaled to the variance that the feature has
    given the others, which a regression on many features would understate. With far
    more features than rows that variance is overstated, so that importances lie
    between conditional and marginal. The regressions are linear: what a feature has in
    common with others in a curved way counts as its own.

    Standard errors are those of a V-statistic: each row counts as one that is scored
    and as one that donates its residual; the regressions are taken as known. The
    p-values are of one-sided t tests of these, as in [2]_, and not corrected for the
    number of features.

    References
    ----------
    .. [1] Chamma, A., Engemann, D. A. & Thirion, B. (2023). Statistically valid
       variable importance assessment through conditional permutations. Advances in
       Neural Information Processing Systems 36.
    .. [2] Watson, D. S. & Wright, M. N. (2021). Testing conditional independence in
       supervised learning algorithms. Machine Learning 110, 2107-2129.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from genestimators import conditional_importance
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    >>> y = X[:, 0] + X[:, 2] + rng.normal(size=200)
    >>> model = Ridge().fit(X[:100], y[:100])
    >>> result = conditional_importance(model, X[100:], y[100:])
    >>> result.method
    'closed_form'
    >>> int(result.importances_mean.argmax())
    2
    """
    check_arguments(
        "conditional_importance",
        _CONSTRAINTS,
        n_repeats=n_repeats,
        method=method,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    check_is_fitted(estimator)
    if sparse.issparse(X):
        raise TypeError(
            "Conditional importance needs a dense X, since what is left of a sparse "
            "column given the others is dense. Got a sparse matrix; pass X.toarray()."
        )
    rows = check_rows(estimator, X, y, sample_weight=sample_weight)
    numbers = _finite_numbers(rows.X)
    labels, names = _units(feature_groups, estimator, rows.X)
    rows = replace(rows, labels=labels)
    scoring = resolve_scoring(estimator, scoring, rows.y)
    found = conditional_residuals(numbers, sample_weight=rows.weight, labels=labels)
    residuals = found.calibrated(labels)
    outcome = None
    if method != "permutation":
        outcome = _closed_form(estimator, rows, scoring, numbers, residuals)
        if outcome is None and method == "closed_form":
            raise ValueError(_no_closed_form(estimator, scoring))
    closed = outcome is not None
    if not closed:
        rows = replace(rows, X=_movable(rows.X, numbers))
        outcome = _permuted(
            estimator,
            rows,
            scoring,
            (numbers - residuals, residuals),
            n_repeats,
            check_random_state(random_state),
            n_jobs,
        )
    mean, error, score = outcome
    by_rows = scoring.kind is not None
    return ConditionalImportance(
        importances_mean=mean,
        importances_std_error=error,
        p_values=_p_values(mean, error, rows.n) if by_rows else None,
        names=names,
        score=score,
        scoring=scoring.name,
        by_rows=by_rows,
        method="closed_form" if closed else "permutation",
        n_repeats=None if closed else n_repeats,
        n_rows=rows.n,
        penalties=found.penalty,
    )


def _finite_numbers(X):
    numbers = numbers_of(X)
    if numbers is None:
        raise TypeError(
            "Conditional importance needs columns of numbers, since each is regressed "
            "on the others. Got cells that are no numbers; encode them first, or use "
            "permutation importance."
        )
    bad = ~np.isfinite(numbers)
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        raise ValueError(
            "Conditional importance needs finite numbers, since each column is "
            f"regressed on the others. Got {float(numbers[row, column])!r} (NaN or "
            f"infinity) in row {row}, column {column}; impute first."
        )
    return numbers


def _units(feature_groups, estimator, X):
    """Labels of the columns, numbered from 0, and names of the units."""
    p = X.shape[1]
    if is_frame(X):
        names = getattr(X, "column_names", None) or list(X.columns)
    else:
        names = getattr(estimator, "feature_names_in_", [])
        if len(names) != p:
            names = [f"x{column}" for column in range(p)]
    if feature_groups is None:
        return np.arange(p), np.asarray(names, dtype=object)
    groups = np.asarray(feature_groups)
    if groups.shape != (p,):
        raise ValueError(
            f"`feature_groups` must hold one label for each of the {p} columns of X. "
            f"Got an array of shape {groups.shape}."
        )
    if any(is_missing(label) for label in groups.tolist()):
        raise ValueError(
            "`feature_groups` must not have missing labels; give a feature without a "
            "group a label of its own. Got None or NaN."
        )
    units, labels = np.unique(groups, return_inverse=True)
    return labels, units.astype(object)


def _closed_form(estimator, rows, scoring, numbers, residuals):
    """Means, standard errors and score of a linear predictor, or None."""
    if not scoring.squared:
        return None
    target = target_of(scoring, estimator, rows.y)
    share = np.full(rows.n, 1.0 / rows.n) if rows.weight is None else rows.share
    spread = (target - share @ target) ** 2
    if scoring.kind == "r2" and (np.ptp(target, axis=0) == 0).any():
        return None
    coef = linear_form(estimator, rows.X)
    if coef is None:
        return None
    predicted = np.reshape(estimator.predict(rows.X), target.shape)
    left = (target - predicted).astype(np.float64)
    mean, influence = 0.0, 0.0
    for output, b in enumerate(coef):
        parts = unit_contributions(b, residuals, rows.labels)
        increase, each = expected_increase(parts, left[:, output], share)
        if scoring.kind == "r2":
            base = share @ spread[:, output]
            increase, each = increase / base, each / base
            each = each - np.outer(spread[:, output] / base - 1.0, increase)
        mean, influence = mean + increase, influence + each
    influence *= share[:, None] / len(coef)
    score = baseline_of(scoring, left**2, target, rows.weight).score
    return mean / len(coef), std_error_of(influence), score


def _no_closed_form(estimator, scoring):
    if not scoring.squared:
        return (
            'method="closed_form" needs R2 or mean squared error as the score. Got '
            f'{scoring.name}; use method="auto".'
        )
    return (
        'method="closed_form" needs predictions that are linear in X, and a target '
        "that is not constant. Those of "
        f'{type(estimator).__name__} are not, or y is constant; use method="auto".'
    )


def _movable(X, numbers):
    """X as a container whose cells may become any number."""
    return like(X, numbers) if isinstance(X, np.ndarray) else X


def _permuted(estimator, rows, scoring, parts, n_repeats, random_state, n_jobs):
    """Means and standard errors over permutations of the residuals, and the score."""
    units = np.arange(rows.n_units)
    seeds = random_state.randint(np.iinfo(np.int32).max, size=rows.n_units)
    used = used_columns(estimator, len(rows.labels))
    if used is not None:
        units = np.unique(rows.labels[used])
    n_tasks = min(len(units), 4 * effective_n_jobs(n_jobs))
    tasks = (
        {
            "estimator": estimator,
            "X": rows.X,
            "rows": rows,
            "scoring": scoring,
            "units": own,
            "seeds": [int(seed) for seed in seeds[own]],
            "n_repeats": n_repeats,
            "parts": parts,
        }
        for own in np.array_split(units, max(1, n_tasks))
    )
    mean, error = np.zeros(rows.n_units), np.zeros(rows.n_units)
    for own, (drops, influence) in zip(
        np.array_split(units, max(1, n_tasks)),
        run_in_order(score_drops, tasks, n_jobs=n_jobs),
        strict=True,
    ):
        mean[own] = drops.mean(axis=1)
        if influence is not None:
            error[own] = std_error_of(influence, axis=1)
        elif n_repeats > 1:
            error[own] = drops.std(axis=1, ddof=1) / np.sqrt(n_repeats)
        else:
            error[own] = np.nan
    return mean, error, score_of(estimator, rows.X, rows, scoring)


def _p_values(mean, error, n_rows):
    """One-sided t tests of a mean above zero; 1 where nothing changes at all."""
    moved = (mean != 0) | (error != 0)
    statistic = np.divide(mean, error, out=np.zeros_like(mean), where=error > 0)
    if n_rows < 3:  # of two rows the spread is none, or rounding
        return np.where(moved, np.nan, 1.0)
    return np.where(moved, stats.t.sf(statistic, n_rows - 1), 1.0)
