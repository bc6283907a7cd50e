"""The score to expect of a model that was chosen for its score."""

from sklearn.utils.validation import check_is_fitted

from genestimators._params import (
    CONFIDENCE_LEVEL,
    Interval,
    Is,
    check_arguments,
)
from genestimators.diagnostics.tuning._after_choice import OWNER, CorrectedScore
from genestimators.diagnostics.tuning._chosen_in_search import of_search, problem_of
from genestimators.diagnostics.tuning._chosen_of_predictions import of_predictions
from genestimators.regularization._auto import AutoRegularizedCV
from genestimators.regularization._honest import N_RESAMPLES

_CONSTRAINTS = {
    "confidence_level": CONFIDENCE_LEVEL,
    "n_resamples": [Interval(int, 50)],
    "scoring": [Is(lambda one: one is None or isinstance(one, str), "a str or None")],
}


def selection_corrected_score(
    search_or_predictions,
    X=None,
    y=None,
    *,
    scoring=None,
    classes=None,
    sample_weight=None,
    groups=None,
    params=None,
    confidence_level=0.95,
    n_resamples=N_RESAMPLES,
    n_jobs=None,
    random_state=None,
):
    """Score to expect of the best of many candidates, without a nested search.

    The best of many noisy scores is too good. The choice is repeated on resampled
    out-of-fold predictions, and what is chosen is scored on the rows that the resample
    left out (bootstrap-bias-corrected cross-validation [1]_).

    Parameters
    ----------
    search_or_predictions : fitted search, or array-like
        A fitted :class:`AutoRegularizedCV`, which knows its own; a fitted GridSearchCV
        or RandomizedSearchCV, whose candidates are fitted again on its folds, since it
        did not keep their predictions; or out-of-fold predictions of all candidates, of
        shape (n_candidates, n_samples) for numbers and labels and (n_candidates,
        n_samples, n_classes) for probabilities.
    X, y : the data of the search
        An AutoRegularizedCV does not look at them, predictions not at X.
    scoring : str, default=None
        What predictions are scored by; a search has a `scoring` of its own.
    classes : array-like, default=None
        What the columns of probabilities stand for; None is the sorted labels in y.
    sample_weight : array-like of shape (n_samples,), default=None
        Of the rows, in fits and in scores.
    groups : array-like of shape (n_samples,), default=None
        For the folds, and drawn as wholes in the resamples.
    params : dict, default=None
        Further arguments of the fits.
    confidence_level : float, default=0.95
        Of the interval.
    n_resamples : int, default=500
        Of the rows.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of the resamples.

    Returns
    -------
    found : CorrectedScore

    Raises
    ------
    ValueError, TypeError
        If the search is not fitted, its data are missing, or there is no scorer of that
        name.

    Warns
    -----
    OtherDataWarning
        If the chosen candidate has other scores in its folds than it had in the search:
        X and y are other data, or the folds were drawn anew. Of a learner with an open
        `random_state` only differences beyond the noise of folds are told.

    Notes
    -----
    Scores that are functions of mean losses of rows (R2, errors, accuracy, log-loss,
    Brier, deviances) are resampled by two matrix products. Any other scorer is called
    on 40 resamples of the three best candidates. Scorers that look at the fitted model
    are corrected by what the best of each fold scores above the best of all [2]_.

    As it was published, the choice of a resample is by n rows drawn of n. Predictions
    of models that are not fitted again do not show the noise of the rows they were
    fitted on: what looks true in all rows by chance helps the same candidate in every
    fold. The variance of a cross-validated score is about v (1 / n + 1 / n_train) and
    not v / n [3]_, so the choice is by the first n n_train / (n + n_train) drawn rows
    (n / 2 where predictions are given, whose models are not known), the score still on
    the rows that none of n drawn ones is. That lowers bias and error (see the user
    guide). An :class:`AutoRegularizedCV`, whose candidates are neighbours on a path and
    much alike, does without.

    Folds that a search drew at random are drawn again; with a splitter whose
    `random_state` is None they are others, which corrects the choice as well.

    References
    ----------
    .. [1] Tsamardinos, I., Greasidou, E. & Borboudakis, G. (2018). Bootstrapping the
       out-of-sample predictions for efficient and accurate cross-validation. Machine
       Learning 107, 1895-1922.
    .. [2] Tibshirani, R. J. & Tibshirani, R. (2009). A bias correction for the minimum
       error rate in cross-validation. Annals of Applied Statistics 3, 822-829.
    .. [3] Nadeau, C. & Bengio, Y. (2003). Inference for the generalization error.
       Machine Learning 52, 239-281.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from genestimators import selection_corrected_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> grid = {"max_depth": [2, 4, 8], "random_state": range(10)}
    >>> search = GridSearchCV(DecisionTreeRegressor(), grid).fit(X, y)
    >>> found = selection_corrected_score(search, X, y, random_state=0)
    >>> bool(found.score < search.best_score_)
    True
    """
    check_arguments(
        OWNER,
        _CONSTRAINTS,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        scoring=scoring,
    )
    search = search_or_predictions
    settings = {"confidence": confidence_level, "n_resamples": n_resamples}
    if isinstance(search, AutoRegularizedCV):
        _refuse(
            "An AutoRegularizedCV knows all of its fit",
            scoring=scoring,
            classes=classes,
            sample_weight=sample_weight,
            groups=groups,
            params=params,
        )
        return _of_own_search(search, confidence_level)
    told = {
        "sample_weight": sample_weight,
        "groups": groups,
        "random_state": random_state,
    }
    if hasattr(search, "fit"):
        _refuse("A search knows its classes", classes=classes)
        problem = problem_of(search, X, y, params=params, n_jobs=n_jobs, **told)
        return of_search(search, problem, scoring, settings)
    _refuse("Predictions are scored as they are", params=params)
    return of_predictions(search, y, scoring, classes, told, settings)


def _refuse(why, **told):
    """Refuse arguments that would change nothing."""
    for name, value in told.items():
        if value is not None:
            got = repr(value) if isinstance(value, str) else type(value).__name__
            raise ValueError(
                f"{why}, so that `{name}` would change nothing. Got {got}; leave it at "
                "None."
            )


def _of_own_search(search, confidence_level):
    check_is_fitted(search)
    if confidence_level != 0.95:
        raise ValueError(
            "An AutoRegularizedCV knows its interval at a confidence of 0.95; leave "
            f"`confidence_level` at that. Got {confidence_level!r}."
        )
    return CorrectedScore(
        score=search.expected_score_,
        interval=tuple(search.expected_score_interval_),
        confidence_level=0.95,
        naive_score=search.best_score_,
        optimism=search.best_score_ - search.expected_score_,
        best_index=int(search.best_index_),
        n_candidates=len(search.values_),
        method="search",
        scoring=search.scoring if isinstance(search.scoring, str) else "score",
        n_fits=0,
    )
