"""Scores of predictions already made, with the influence of each row on them.

A scorer of scikit-learn asks an estimator for predictions. Here they exist already
(out of bag, say), so a stand-in offers them and the scorer runs unchanged. For the
common losses each row's share is known in closed form; for any other scorer it is
found by leaving out one twentieth of the rows at a time (the jackknife). Standard
errors of a score, and of a difference of two scores on the same rows, follow.
"""

import inspect
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils.metaestimators import available_if

from genestimators._exceptions import UnweightedScoreWarning, warn_user
from genestimators._inputs import take_rows

N_JACKKNIFE = 20

# Scorers known by name whose loss is a mean over rows.
ANALYTIC = {
    "r2": "r2",
    "neg_mean_squared_error": "squared",
    "neg_brier_score": "brier",
    "accuracy": "accuracy",
}


@dataclass(frozen=True, eq=False)
class Outputs:
    """Predictions of some rows in the forms a scorer may ask for.

    Attributes
    ----------
    predict : ndarray of shape (n,) or (n, n_outputs), or None
    predict_proba : ndarray of shape (n, n_classes), a list of them, or None
    decision_function : ndarray of shape (n,) or (n, n_classes), or None
    classes : ndarray, list of ndarray, or None for a regressor
    """

    predict: np.ndarray | None
    predict_proba: object = None
    decision_function: np.ndarray | None = None
    classes: object = None

    def take(self, rows):
        """The same of some of the rows."""
        return Outputs(
            _rows_of(self.predict, rows),
            _rows_of(self.predict_proba, rows),
            _rows_of(self.decision_function, rows),
            self.classes,
        )


def _rows_of(values, rows):
    if isinstance(values, list):
        return [value[rows] for value in values]
    return None if values is None else values[rows]


def _offers(method):
    def check(self):
        return getattr(self.outputs, method) is not None

    return check


class _Scored(BaseEstimator):
    """Answers with predictions made before, whatever rows it is asked about.

    `asked`, a set, collects the names of the methods that were called.
    """

    def __init__(self, outputs=None, asked=None):
        self.outputs = outputs
        self.asked = asked

    def _answer(self, method):
        if self.asked is not None:
            self.asked.add(method)
        return getattr(self.outputs, method)

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self._answer("predict")


class ScoredClassifier(ClassifierMixin, _Scored):
    @property
    def classes_(self):
        return self.outputs.classes

    @available_if(_offers("predict_proba"))
    def predict_proba(self, X):
        return self._answer("predict_proba")

    @available_if(_offers("decision_function"))
    def decision_function(self, X):
        return self._answer("decision_function")


class ScoredRegressor(RegressorMixin, _Scored):
    pass


@dataclass(frozen=True, eq=False)
class Measure:
    """What is scored: a known mean over rows, or any scorer.

    Attributes
    ----------
    kind : {"r2", "squared", "brier", "accuracy", "scorer"}
    call : callable or None
        `call(stand_in, X, y, sample_weight)` where kind is "scorer".
    needs_rows : bool
        Whether `call` may look at X: a scorer of the user's own.
    """

    kind: str
    call: object = None
    needs_rows: bool = False


def resolve_measure(scoring, *, classifier, probabilities=False):
    """Turn `True`, a scorer's name, a scorer or a metric into a `Measure`.

    Parameters
    ----------
    scoring : True, str, or callable
        A callable takes (estimator, X, y) as scikit-learn's scorers do, or
        (y_true, y_pred) as metrics do.
    classifier : bool
    probabilities : bool, default=False
        Whether there are probabilities of one output.

    Raises
    ------
    ValueError
        If no scorer has the name given.
    """
    if isinstance(scoring, (bool, np.bool_)):
        return Measure("accuracy" if classifier else "r2")
    if isinstance(scoring, str):
        if scoring not in get_scorer_names():
            raise ValueError(
                "`oob_score` must be True, False, a callable or the name of a scorer "
                f"(see sklearn.metrics.get_scorer_names()). Got {scoring!r}."
            )
        kind = ANALYTIC.get(scoring)
        if kind == "accuracy" if classifier else kind in ("r2", "squared"):
            return Measure(kind)
        if kind == "brier" and probabilities:
            return Measure(kind)
        return Measure("scorer", ScorerCall(get_scorer(scoring)))
    if is_metric(scoring):
        return Measure("scorer", MetricCall(scoring))
    return Measure("scorer", ScorerCall(scoring), needs_rows=True)


def is_metric(function):
    """Whether a function takes (y_true, y_pred) and not (estimator, X, y)."""
    positional = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    names = [parameter.name for parameter in positional]
    if names and names[0] in ("y", "y_true"):
        return True
    if len(names) > 2 and names[2] in ("y", "y_true"):
        return False
    return sum(one.default is one.empty for one in positional) == 2


def _takes_weights(function):
    parameters = inspect.signature(function).parameters
    return "sample_weight" in parameters


@dataclass(frozen=True, eq=False)
class ScorerCall:
    scorer: object

    def __call__(self, stand_in, X, y, weight):
        return one_number(self.answer(stand_in, X, y, weight), self.scorer)

    def answer(self, stand_in, X, y, weight):
        """Whatever the scorer returns; weights reach one that takes them."""
        if weight is None:
            return self.scorer(stand_in, X, y)
        if _takes_weights(self.scorer):
            # The caller has asked for weights, so nothing scored has to request them.
            with config_context(enable_metadata_routing=False):
                try:
                    return self.scorer(stand_in, X, y, sample_weight=weight)
                except TypeError as exc:
                    # What `make_scorer` returns takes weights, its metric may not.
                    if "unexpected keyword argument 'sample_weight'" not in str(exc):
                        raise
        _warn_unweighted(self.scorer)
        return self.scorer(stand_in, X, y)


@dataclass(frozen=True, eq=False)
class MetricCall:
    metric: object

    def __call__(self, stand_in, X, y, weight):
        predicted = stand_in.predict(X)
        if weight is None:
            return float(self.metric(y, predicted))
        if not _takes_weights(self.metric):
            _warn_unweighted(self.metric)
            return float(self.metric(y, predicted))
        return float(self.metric(y, predicted, sample_weight=weight))


def one_number(score, scorer):
    """The score as a float.

    Raises
    ------
    TypeError
        If it is none.
    """
    try:
        return float(score)
    except (TypeError, ValueError) as exc:
        raise TypeError(
            f"A scorer must return one number. Got {score!r} from {scorer!r}; pass one "
            "that does."
        ) from exc


def _warn_unweighted(function):
    warn_user(
        f"{function!r} takes no `sample_weight`, so scores made with it count every "
        "row alike; pass a scorer that takes weights.",
        UnweightedScoreWarning,
    )


@dataclass(frozen=True, eq=False)
class Score:
    """A score and what each cluster of rows adds to its error.

    Attributes
    ----------
    value : float
    influence : ndarray of shape (n_clusters,)
        The standard error is the root of their sum of squares, times
        sqrt(n_clusters / (n_clusters - 1)).
    """

    value: float
    influence: np.ndarray

    def minus(self, other):
        """The difference of two scores on the same clusters."""
        return Score(self.value - other.value, self.influence - other.influence)

    @property
    def std_error(self):
        """Standard error, NaN where there are fewer than two clusters."""
        n = len(self.influence)
        if n < 2:
            return float("nan")
        return float(np.sqrt(n / (n - 1) * np.sum(self.influence**2)))


def mean_score(losses, weight, clusters, n_clusters):
    """Minus the weighted mean of the losses of rows, as a `Score`.

    Parameters
    ----------
    losses : ndarray of shape (n,)
    weight : ndarray of shape (n,) or None
    clusters : ndarray of shape (n,), int in [0, n_clusters)
    """
    if weight is None:
        mean = float(losses.sum() / len(losses))
    else:
        mean = float((weight * losses).sum() / weight.sum())
    share = _shares(weight, len(losses))
    influence = np.bincount(
        clusters, weights=-share * (losses - mean), minlength=n_clusters
    )
    return Score(-mean, influence)


def r2_score(losses, targets, weight, clusters, n_clusters):
    """R2 from the squared errors of rows, averaged over outputs.

    Parameters
    ----------
    losses : ndarray of shape (n, n_outputs)
        Squared errors, corrected or not.
    targets : ndarray of shape (n, n_outputs)
    """
    share = _shares(weight, len(losses))
    spread = (targets - share @ targets) ** 2
    total = share @ spread
    lost = share @ losses
    # As scikit-learn has it: a constant target scores 1 if met exactly, else 0.
    # Told by its values: rounding in the mean leaves a spread that is not quite zero.
    constant = (np.ptp(targets, axis=0) == 0) | (total <= 0)
    safe = np.where(constant, 1.0, total)
    ratio = np.where(constant, (lost > 0).astype(float), lost / safe)
    rows = (losses - ratio * spread) / safe
    rows[:, constant] = 0.0
    influence = np.bincount(
        clusters, weights=-share * rows.mean(axis=1), minlength=n_clusters
    )
    return Score(float(1 - ratio.mean()), influence)


def call_scorer(measure, outputs, X, y, weight, asked=None):
    """The score that a scorer gives to some predictions for rows X.

    `asked`, a set, collects the methods that the scorer calls.
    """
    regressor = outputs.classes is None
    kind = ScoredRegressor if regressor else ScoredClassifier
    rows = X if measure.needs_rows else np.empty((len(y), 0))
    return measure.call(kind(outputs, asked), rows, y, weight)


def scorer_score(measure, outputs, X, y, weight, clusters, n_clusters):
    """A score by any scorer; influences by the grouped jackknife.

    Clusters are dealt into at most twenty parts of about equal numbers; the score
    without each part gives that part's influence.
    """
    value = call_scorer(measure, outputs, X, y, weight)
    n_parts = min(N_JACKKNIFE, n_clusters)
    part_of = np.arange(n_clusters) * n_parts // max(1, n_clusters)
    parts = part_of[clusters]
    without = np.full(n_parts, np.nan)
    for part in range(n_parts):
        rows = np.flatnonzero(parts != part)
        if len(rows):
            kept = None if weight is None else weight[rows]
            with warnings.catch_warnings():
                # The score of all rows has warned already; once is enough.
                warnings.simplefilter("ignore", UnweightedScoreWarning)
                part_X = take_rows(X, rows) if measure.needs_rows else X
                try:
                    without[part] = call_scorer(
                        measure, outputs.take(rows), part_X, y[rows], kept
                    )
                except ValueError:  # undefined without that part: one class left
                    continue
    influence = (n_parts - 1) / n_parts * (np.mean(without) - without)
    return Score(value, influence)


def _shares(weight, n):
    if weight is None:
        return np.full(n, 1.0 / n)
    return weight / weight.sum()
