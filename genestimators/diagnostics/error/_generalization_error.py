"""What to expect of a model on new rows, with an interval."""

from genestimators._params import (
    CONFIDENCE_LEVEL,
    NONE,
    SCORING,
    HasMethods,
    Interval,
    Is,
    Options,
    check_arguments,
)
from genestimators.diagnostics._copies import warn_of_copies
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._split_scores import measure_of, score_name
from genestimators.diagnostics.error._bootstrap import by_632, by_632_plus
from genestimators.diagnostics.error._cross_validation import by_cross_validation
from genestimators.diagnostics.error._nested import by_nested_cv
from genestimators.diagnostics.error._optimism import by_optimism
from genestimators.diagnostics.error._question import Question
from genestimators.diagnostics.error._result import METHODS, GeneralizationError
from genestimators.diagnostics.error._splits import by_conservative_z, by_corrected_t
from genestimators.diagnostics.error._subsampling import by_subsampling

OWNER = "generalization_error"

_METHODS = {
    "subsampling": by_subsampling,
    "nested_cv": by_nested_cv,
    "corrected_t": by_corrected_t,
    "conservative_z": by_conservative_z,
    "cross_validation": by_cross_validation,
    ".632": by_632,
    ".632+": by_632_plus,
    "optimism": by_optimism,
}
_ANY_SCORE = ("corrected_t", "conservative_z", "optimism")

_CONSTRAINTS = {
    "method": [Options("auto", *METHODS)],
    "cv": [
        NONE,
        Interval(int, 2),
        HasMethods("split", "get_n_splits"),
        Is(
            lambda value: hasattr(value, "__iter__") and not isinstance(value, str),
            "an iterable of (train, test) pairs",
        ),
    ],
    "n_repeats": [Options("auto"), Interval(int, 2)],
    "confidence_level": CONFIDENCE_LEVEL,
    "scoring": SCORING,
}


def generalization_error(
    estimator,
    X,
    y,
    *,
    scoring=None,
    method="auto",
    cv=None,
    n_repeats="auto",
    confidence_level=0.95,
    groups=None,
    sample_weight=None,
    params=None,
    n_jobs=None,
    random_state=None,
):
    """Estimate the score of a model on new rows, with a confidence interval.

    Parameters
    ----------
    estimator : estimator
        It is cloned, never fitted itself.
    X : array, sparse matrix or frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    scoring : str or callable, default=None
        As in `cross_val_score`; greater is better.
    method : str, default="auto"
        "subsampling"
            Ten times ten folds and a hundred halves. The loss is extrapolated to a fit
            on all rows; its error is that of the rows, and of what single rows do to
            models [1]_. For scores that are functions of a mean loss: R2, errors,
            accuracy, log-loss, Brier, deviances.
        "nested_cv"
            Cross-validation within cross-validation shows how far off it is [2]_. For
            the same scores; ten times 55 fits.
        "corrected_t"
            Random splits, whose variance is widened for the rows they share [3]_. For
            any score; somewhat liberal.
        "conservative_z"
            The same, with the variance between halves that share no row [3]_. For any
            score; in theory too wide rather than too narrow.
        "cross_validation"
            The folds of `cv`, with the standard error of single rows [4]_; a row that
            several splits test counts once, and what other training rows would change
            is left out. The way for time series, which other methods cannot tell from
            loose rows: where every split tests later rows than it learns from, losses
            of neighbouring rows count as one block.
        ".632", ".632+"
            The bootstrap with a share of the training error [5]_. Biased for learners
            that interpolate.
        "optimism"
            The training score less what bootstrap samples flatter themselves by [6]_.
            For any score; biased for learners that interpolate, and its interval is too
            narrow where a learner overfits.

        "auto" is "cross_validation" where `cv` is given, "subsampling" where the score
        allows it, and "corrected_t" otherwise.
    cv : int, splitter or iterable, default=None
        For `method="cross_validation"`; None is ten folds by content.
    n_repeats : int or "auto", default="auto"
        How much work to do: repeats of ten folds (and as many halves) for "subsampling"
        (10) and "nested_cv" (10), splits for "corrected_t" (25), pairs of halves for
        "conservative_z" (10), bootstrap samples for those of the bootstrap (200).
        "cross_validation" has the splits of `cv`, and takes no other number.
    confidence_level : float, default=0.95
        Of the interval.
    groups : array-like of shape (n_samples,), default=None
        Rows of a group are never split, and the score is for new groups.
    sample_weight : array-like of shape (n_samples,), default=None
        In fits and scores. A row is one observation, whatever its weight.
    params : dict, default=None
        Further arguments of `fit`.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of the splits and of the learner.

    Returns
    -------
    error : GeneralizationError

    Raises
    ------
    TypeError, ValueError
        If the method does not go with the score, the groups or `cv`, or there are too
        few rows.

    Warns
    -----
    InterpolatingWarning
        If the training loss is next to nothing, and the method counts on it.
    FewReplicatesWarning
        If bootstrap samples are too few for the standard error of ".632" and ".632+".

    Notes
    -----
    The interval is meant for two figures: the score of the very model that is fitted on
    all rows, and the mean score of models fitted on so many rows. No method estimates
    the first better than the second [2]_, and in simulations it covers both about
    equally often.

    References
    ----------
    .. [1] Wager, S., Hastie, T. & Efron, B. (2014). Confidence intervals for random
       forests: the jackknife and the infinitesimal jackknife. Journal of Machine
       Learning Research 15, 1625-1651.
    .. [2] Bates, S., Hastie, T. & Tibshirani, R. (2024). Cross-validation: what does it
       estimate and how well does it do it? Journal of the American Statistical
       Association 119, 1434-1445.
    .. [3] Nadeau, C. & Bengio, Y. (2003). Inference for the generalization error.
       Machine Learning 52, 239-281.
    .. [4] Bayle, P., Bayle, A., Janson, L. & Mackey, L. (2020). Cross-validation
       confidence intervals for test error. Advances in Neural Information Processing
       Systems 33.
    .. [5] Efron, B. & Tibshirani, R. (1997). Improvements on cross-validation: the
       .632+ bootstrap method. Journal of the American Statistical Association 92,
       548-560.
    .. [6] Efron, B. (1983). Estimating the error rate of a prediction rule. Journal of
       the American Statistical Association 78, 316-331.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from genestimators import generalization_error
    >>> X, y = load_iris(return_X_y=True)
    >>> found = generalization_error(DecisionTreeClassifier(), X, y, random_state=0)
    >>> bool(found.interval[0] < found.score < found.interval[1] < 1)
    True
    """
    check_arguments(
        OWNER,
        _CONSTRAINTS,
        method=method,
        cv=cv,
        n_repeats=n_repeats,
        confidence_level=confidence_level,
        scoring=scoring,
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
    question = ask(problem, scoring, confidence_level, cv=cv, n_repeats=n_repeats)
    return answer(question, method)


def ask(problem, scoring, level, *, cv=None, n_repeats="auto"):
    """The `Question` for checked data."""
    measure, scorer = measure_of(problem, scoring)
    n_repeats = None if n_repeats == "auto" else n_repeats
    return Question(problem, measure, scorer, scoring, level, cv, n_repeats)


def answer(question, method="auto"):
    """The result of a method.

    Raises
    ------
    ValueError
        If the method does not go with the score or `cv`.
    """
    method = _resolve(question, method)
    return result_of(question, method, _METHODS[method](question))


def result_of(question, method, found):
    """The result from what a method found."""
    training = question.training_score()
    return GeneralizationError(
        score=found.score,
        std_error=found.std_error,
        interval=found.interval,
        confidence_level=question.level,
        training_score=training,
        gap=training - found.score,
        method=method,
        scoring=score_name(question.scoring, question.measure.kind),
        n_samples=len(question.used),
        n_fits=found.n_fits + 1,
    )


def _resolve(question, method):
    if method == "auto" and question.cv is not None:
        method = "cross_validation"
    elif method == "auto":
        return "subsampling" if question.by_rows else "corrected_t"
    if question.cv is not None and method != "cross_validation":
        raise ValueError(
            f'`cv` is for method="cross_validation", and method={method!r} draws its '
            "own splits; leave one of them out."
        )
    if method not in _ANY_SCORE and not question.by_rows:
        raise ValueError(
            f"method={method!r} needs a score that is a function of a mean loss of "
            f"rows, and scoring={question.scoring!r} is none; set "
            'method="corrected_t", "conservative_z" or "optimism".'
        )
    return method
