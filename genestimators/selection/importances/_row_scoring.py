"""What permuting columns is judged by: losses of rows where possible, else a scorer.

Most scores are functions of a mean over rows of a loss. Kept by row, losses before and
after columns were replaced are paired, and every row, as one that is scored and as one
that donates values, has its share in the standard error.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names

from genestimators._row_losses import (
    OF_SCORERS,
    mean_over_rows,
    row_losses,
    scores_of_means,
)
from genestimators._scoring import MetricCall, ScorerCall, is_metric

KINDS = ("r2", "squared", "root", "absolute", "accuracy", "log", "brier")
ROUNDING = 1e-13  # of a loss; a lesser change of it is none


@dataclass(frozen=True, eq=False)
class Scoring:
    """How a fitted estimator is scored.

    Attributes
    ----------
    name : str
        For people.
    kind : str or None
        One of `KINDS`, or None for a score that is no function of mean row losses.
    answer : str or None
        What the losses are made from: "predict", "label" or "probability".
    call : callable or None
        `call(estimator, X, y, sample_weight)`, where there is no kind.
    """

    name: str
    kind: str | None
    answer: str | None = None
    call: object = None

    @property
    def squared(self):
        """Whether the score falls linearly with mean squared error."""
        return self.kind in ("r2", "squared")


def resolve_scoring(estimator, scoring, y):
    """Turn None, a scorer's name, a scorer or a metric into a `Scoring`.

    Parameters
    ----------
    estimator : fitted estimator
    scoring : None, str, callable or Scoring
        None is `estimator.score`. A callable takes (estimator, X, y) as scikit-learn's
        scorers do, or (y_true, y_pred) as metrics do.
    y : ndarray of shape (n,) or (n, n_outputs)

    Raises
    ------
    ValueError
        If no scorer has the name given.
    TypeError
        If there is nothing to score with.
    """
    if isinstance(scoring, Scoring):
        return scoring
    if scoring is None:
        name = _own_score(estimator)
        if name is None:
            _check_own_score(estimator)
            return Scoring("score", None, call=ScorerCall(check_scoring(estimator)))
    elif isinstance(scoring, str):
        if scoring not in get_scorer_names():
            raise ValueError(
                "`scoring` must be None, a callable or the name of a scorer (see "
                f"sklearn.metrics.get_scorer_names()). Got {scoring!r}."
            )
        name = scoring
    elif callable(scoring):
        name = getattr(scoring, "__name__", None) or repr(scoring)
        call = MetricCall(scoring) if is_metric(scoring) else ScorerCall(scoring)
        return Scoring(name, None, call=call)
    else:
        raise TypeError(
            "`scoring` must be None, a callable or the name of a scorer. "
            f"Got {scoring!r}."
        )
    known = OF_SCORERS.get(name)
    if known is not None and _applies(known[0], known[1], estimator, y):
        return Scoring(name, known[0], known[1])
    return Scoring(name, None, call=ScorerCall(get_scorer(name)))


def _own_score(estimator):
    """The name of a scorer that does what `estimator.score` does, or None."""
    while hasattr(estimator, "steps") and hasattr(estimator, "named_steps"):
        estimator = estimator.steps[-1][1]
    score = getattr(type(estimator), "score", None)
    if score is RegressorMixin.score:
        return "r2"
    return "accuracy" if score is ClassifierMixin.score else None


def _check_own_score(estimator):
    if not hasattr(estimator, "score"):
        raise TypeError(
            f"{type(estimator).__name__} has no `score`, so there is nothing to tell "
            "how much worse it gets by; pass `scoring`."
        )


def _applies(kind, answer, estimator, y):
    """Whether losses of rows mean what the scorer of that kind means."""
    if kind not in KINDS:
        return False
    if answer == "predict":
        return y.dtype.kind in "fiub" and not is_classifier(estimator)
    if not is_classifier(estimator):
        return False
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list) or classes is None or y.ndim == 2:
        return False
    if answer == "label":
        return True
    return hasattr(estimator, "predict_proba") and bool(np.isin(y, classes).all())


def target_of(scoring, estimator, y):
    """The target in the form that losses are made with, (n, width)."""
    if scoring.answer == "probability":
        return (y[:, None] == estimator.classes_).astype(np.float64)
    y = y.reshape(len(y), -1)
    return y if scoring.answer == "label" else y.astype(np.float64)


def losses_of(scoring, estimator, X, target):
    """Losses of rows, (n_copies, n, n_outputs), of copies of n rows one upon another.

    Parameters
    ----------
    X : container of n_copies * n rows
    target : ndarray of shape (n, width)
    """
    probability = scoring.answer == "probability"
    answer = (estimator.predict_proba if probability else estimator.predict)(X)
    answer = np.asarray(answer)
    if scoring.answer != "label":
        answer = answer.astype(np.float64, copy=False)
    width = answer.size // len(answer)
    return row_losses(scoring.kind, answer.reshape(-1, len(target), width), target)


@dataclass(frozen=True, eq=False)
class Baseline:
    """Losses and score of rows as they are.

    Attributes
    ----------
    kind : str
    losses : ndarray of shape (n, n_outputs)
    score : float
    share : ndarray of shape (n,)
        Weights of the rows, which sum to 1.
    spread : ndarray of shape (n, n_outputs) or None
        Losses of a constant, which R2 is relative to.
    """

    kind: str
    losses: np.ndarray
    score: float
    share: np.ndarray
    spread: np.ndarray | None

    def drops(self, losses, donors):
        """How much lower the score is with other losses, and what each row adds to it.

        Parameters
        ----------
        losses : ndarray of shape (n_repeats, n, n_outputs)
        donors : ndarray of shape (n_repeats, n), int

        Returns
        -------
        drops : ndarray of shape (n_repeats,)
        influence : ndarray of shape (n,)
            Of the mean drop, summed over repeats: divide by their number. A row adds
            its own change of loss, and those of the rows it gave its values to.
        """
        means = mean_over_rows(losses, self.share)
        before = mean_over_rows(self.losses, self.share)
        drops = self.score - scores_of_means(self.kind, means, self._mean_spread)
        from_before = self.losses * self._slope(before)
        given = losses * self._slope(means)[:, None] - from_before
        if np.abs(given).max() <= ROUNDING * np.abs(from_before).max():
            return np.zeros(len(losses)), np.zeros(len(self.share))
        own = given
        if self.kind == "r2":
            # A row far from the mean also raises what the loss is compared with.
            level = (means - before) / self._safe
            own = given - level[:, None] * (self.spread / self._safe - 1.0)
        own, given = own.mean(axis=2), given.mean(axis=2)
        own = self.share * (own - (own @ self.share)[:, None])
        given = self.share * (given - (given @ self.share)[:, None])
        influence = own.sum(axis=0)
        influence += np.bincount(donors.ravel(), given.ravel(), len(self.share))
        return drops, influence

    @property
    def _mean_spread(self):
        return None if self.spread is None else self.share @ self.spread

    @property
    def _safe(self):
        mean = self._mean_spread
        return np.where(mean > 0, mean, np.inf)

    def _slope(self, means):
        """By how much the score falls with the mean loss."""
        if self.kind == "root":
            return 0.5 / np.sqrt(np.where(means > 0, means, np.inf))
        if self.kind == "r2":
            return np.broadcast_to(1.0 / self._safe, means.shape)
        return np.ones_like(means)


def baseline_of(scoring, losses, target, weight):
    """The `Baseline` of losses of shape (n, n_outputs)."""
    n = len(losses)
    share = np.full(n, 1.0 / n) if weight is None else weight / weight.sum()
    spread = None
    if scoring.kind == "r2":
        # Rounding in the mean must not make a constant target vary.
        varies = np.ptp(target, axis=0) > 0
        spread = varies * (target - share @ target) ** 2
    mean_spread = None if spread is None else share @ spread
    means = mean_over_rows(losses, share)
    score = float(scores_of_means(scoring.kind, means, mean_spread))
    return Baseline(scoring.kind, losses, score, share, spread)


def std_error_of(influence, axis=0):
    """Standard error from the influences of rows; NaN of a single row."""
    n = influence.shape[axis]
    if n < 2:
        return np.full(np.delete(influence.shape, axis), np.nan)
    return np.sqrt(n / (n - 1) * np.sum(influence**2, axis=axis))
