"""How candidates are scored: what to ask them, and what to make of the answers."""

import inspect
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.neighbors import KNeighborsClassifier

from genestimators._delegate import pipeline_steps
from genestimators._inputs import take_rows
from genestimators._row_losses import (
    OF_SCORERS,
    RELATIVE,
    KnownScore,
    constant_losses,
    mean_over_rows,
    row_losses,
    scores_of_means,
)
from genestimators._scoring import Measure, Outputs, ScorerCall, call_scorer
from genestimators.fitting import JointResponse, Response, response_kind

_SCORER = type(get_scorer("r2"))
_METHODS = {
    "predict_proba": "probability",
    "decision_function": "decision",
}


@dataclass(frozen=True, eq=False)
class CandidateMeasure:
    """Scores the answers of candidates.

    Attributes
    ----------
    kind : str
        A kind of `genestimators._row_losses`, or "scorer" for any other scorer that
        predictions satisfy, or "model" for one that looks at the fitted estimator.
    needed : JointResponse
        What to ask for a score.
    kept : JointResponse or None
        The same, and what is kept as out-of-fold prediction; None where the estimator
        predicts nothing.
    primary : str
        The kind of answer that is kept.
    measure : Measure
        The scorer, for the last two kinds.
    targets : ndarray of shape (n, width) or None
        What row losses compare with, for all rows.
    n_outputs : int
    flat_y : bool
        Whether the target has one dimension.
    power : float or None, default=None
        Of a deviance.
    """

    kind: str
    needed: JointResponse
    kept: JointResponse | None
    primary: str
    measure: Measure | None
    targets: np.ndarray | None
    n_outputs: int
    flat_y: bool
    power: float | None = None

    @property
    def by_rows(self):
        """Whether the score is a function of mean losses of rows."""
        return self.targets is not None

    @property
    def best(self):
        """The score of perfect predictions, None where it is no function of losses."""
        if not self.by_rows:
            return None
        return 1.0 if self.kind in ("accuracy", *RELATIVE) else 0.0

    @property
    def loss_answer(self):
        """The kind of answer that row losses are made from."""
        if self.kind == "accuracy":
            return "label"
        return "probability" if self.kind in ("log", "brier") else "predict"

    def losses(self, parts, rows):
        """Row losses, (n_values, n_rows, n_outputs).

        Parameters
        ----------
        parts : dict
            Answers by kind, each of shape (n_values, n_rows, width).
        rows : ndarray of int
            The rows that were answered.
        """
        answer, targets = parts[self.loss_answer], self.targets[rows]
        return row_losses(self.kind, answer, targets, self.power)

    def _baseline(self, rows, weight):
        """Mean losses of a constant that R2 and D2 compare with, (n_outputs,)."""
        targets = self.targets[rows]
        if self.kind not in RELATIVE:
            return np.zeros(targets.shape[1])
        losses = constant_losses(self.kind, targets, weight, self.power)
        constant = np.ptp(targets, axis=0) == 0
        # D2 is undefined there: scikit-learn divides by zero, or by its rounding.
        nothing = np.nan if self.kind == "d2" else 0.0
        return np.where(constant, nothing, mean_over_rows(losses, weight))

    def scores_of_losses(self, means, rows, weight):
        """Scores from mean losses (n_values, n_outputs) over some rows."""
        if self.kind in RELATIVE and len(rows) < 2:  # as scikit-learn has it
            return np.full(len(means), np.nan)
        return scores_of_means(self.kind, means, self._baseline(rows, weight))

    def flat_losses(self, losses, rows, weight):
        """One loss a row and candidate, such that their mean makes the score.

        Parameters
        ----------
        losses : ndarray of shape (n_values, n_rows, n_outputs)
        rows : ndarray of int
            All rows that are scored together: R2 and D2 compare with their spread.
        weight : ndarray of shape (n_rows,) or None
        """
        if self.kind == "r2":
            baseline = self._baseline(rows, weight)
            # A constant target that is not met scores 0, by however much.
            missed = (losses > 0).any(axis=1, keepdims=True)
            units = losses / np.where(baseline > 0, baseline, 1.0)
            losses = np.where(baseline > 0, units, missed)
        elif self.kind == "d2":
            losses = losses / self._baseline(rows, weight)
        return losses.mean(axis=2)

    def scores(self, parts, X, y, rows, weight):
        """Scores of every candidate on some rows, (n_values,)."""
        if self.by_rows:
            means = mean_over_rows(self.losses(parts, rows), weight)
            return self.scores_of_losses(means, rows, weight)
        taken = take_rows(X, rows) if self.measure.needs_rows else None
        n_values = len(next(iter(parts.values())))
        return np.array(
            [
                call_scorer(
                    self.measure, self.outputs(parts, i), taken, y[rows], weight
                )
                for i in range(n_values)
            ]
        )

    def outputs(self, parts, i):
        """The answers of candidate i in the forms that a scorer asks for."""
        found = {kind: answer[i] for kind, answer in parts.items()}
        classes = self.needed.classes
        if not classes:
            predicted = found["predict"]
            return Outputs(predicted[:, 0] if self.flat_y else predicted)
        labels = proba = decision = None
        if "label" in found:
            labels = self.labels(found["label"])
        if "probability" in found:
            response = Response("probability", classes)
            proba = [found["probability"][:, part] for part in response.slices]
            proba = proba[0] if len(proba) == 1 else proba
        if "decision" in found:
            decision = found["decision"]
            decision = decision[:, 0] if decision.shape[1] == 1 else decision
        known = classes[0] if len(classes) == 1 else list(classes)
        return Outputs(labels, proba, decision, known)

    def labels(self, codes):
        """Positions of labels (n, n_outputs) as labels; NaN stays NaN."""
        columns = [
            _labels(codes[:, j], known) for j, known in enumerate(self.needed.classes)
        ]
        return columns[0] if self.flat_y else np.column_stack(columns)

    def prediction(self, answer):
        """The kept answer (n, width) as the estimator's method returns it."""
        if self.primary == "label":
            return self.labels(answer)
        if self.primary == "probability":
            parts = [answer[:, part] for part in self._response.slices]
            return parts[0] if len(parts) == 1 else parts
        if answer.shape[1] == 1 and (self.flat_y or self.primary == "decision"):
            return answer[:, 0]
        return answer

    @property
    def _response(self):
        return Response(self.primary, self.needed.classes)


def _labels(codes, known):
    missing = np.isnan(codes)
    if not missing.any():
        return known[codes.astype(np.intp)]
    number = known.dtype.kind in "fiu"
    labels = np.full(len(codes), np.nan, dtype=np.float64 if number else object)
    labels[~missing] = known[codes[~missing].astype(np.intp)]
    return labels


def resolve_scoring(scoring, estimator, X, y, classes, rows, param=""):
    """The measure for a `scoring` parameter, and scikit-learn's scorer for it.

    Parameters
    ----------
    scoring : None, str or callable
        As in GridSearchCV, for one metric.
    estimator : estimator
        Unfitted.
    classes : tuple of ndarray
        Of each output; empty for a regressor.
    rows : ndarray of int
        Rows of positive weight.
    param : str, default=""
        The parameter whose values are scored.

    Returns
    -------
    measure : CandidateMeasure
    scorer : callable

    Raises
    ------
    ValueError
        If no scorer has the name given, or a callable is a metric.
    """
    if callable(scoring) and _is_no_scorer(scoring):
        raise ValueError(
            "A callable `scoring` must take (estimator, X, y), as scorers do. Got "
            f"{scoring!r}; pass `make_scorer` of it if it is a metric of (y_true, "
            "y_pred)."
        )
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        raise ValueError(
            "`scoring` must be None, a callable or the name of a scorer (see "
            f"sklearn.metrics.get_scorer_names()). Got {scoring!r}."
        )
    scorer = check_scoring(estimator, scoring)
    known = _known_score(scoring, estimator, y, classes, param)
    primary = _primary(estimator, classes)
    measure = targets = wanted = None
    if known is not None:
        kind, wanted = known.kind, [known.answer]
        targets = _targets(known.answer, y, classes)
    elif scoring is None:
        kind = "model"
        measure = Measure("scorer", ScorerCall(_by_model(estimator, scorer)))
    else:
        # A callable of the user's own may look at X, one by `make_scorer` does not.
        look = callable(scoring) and not isinstance(scoring, _SCORER)
        measure = Measure("scorer", ScorerCall(scorer), needs_rows=look)
        wanted = _methods_of(measure, estimator, X, y, classes, rows)
        kind = "scorer" if wanted else "model"
    needed = _joint(wanted or [primary], classes)
    # An ensemble that is not fitted yet may not show its methods.
    answers = bool(classes) or is_regressor(estimator) or hasattr(estimator, "predict")
    return (
        CandidateMeasure(
            kind=kind,
            needed=needed,
            kept=_joint([*(wanted or []), primary], classes) if answers else None,
            primary=primary,
            measure=measure,
            targets=targets,
            n_outputs=1 if y.ndim == 1 else y.shape[1],
            flat_y=y.ndim == 1,
            power=None if known is None else known.power,
        ),
        scorer,
    )


def _is_no_scorer(function):
    """Whether a function takes (y_true, y_pred), or cannot take (estimator, X, y)."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # not told
        return False
    if next(iter(signature.parameters), "") in ("y", "y_true"):
        return True
    try:
        signature.bind(None, None, None)
    except TypeError:
        return True
    return False


def _known_score(scoring, estimator, y, classes, param):
    """The `KnownScore` that a scoring stands for, or None."""
    if scoring is None:
        return _own_score(estimator, param)
    if not isinstance(scoring, str) or scoring not in OF_SCORERS:
        return None
    known = OF_SCORERS[scoring]
    fits = {
        "predict": not classes and (known.power is None or y.size == len(y)),
        "label": bool(classes),
        "probability": len(classes) == 1 and hasattr(estimator, "predict_proba"),
    }
    return known if fits[known.answer] else None


def _last_step(estimator):
    while pipeline_steps(estimator):
        estimator = pipeline_steps(estimator)[-1][1]
    return estimator


def _weighted_score(estimator, X, y, sample_weight=None):
    return estimator.score(X, y, sample_weight=sample_weight)


def _by_model(estimator, scorer):
    """The scorer that calls `score`, with weights where that takes them."""
    parameters = inspect.signature(_last_step(estimator).score).parameters
    return _weighted_score if "sample_weight" in parameters else scorer


_OWN_SCORES = {  # of classes whose own `score` is a well-known one
    KNeighborsClassifier: "accuracy",
    "catboost.core.CatBoostClassifier": "accuracy",
    "catboost.core.CatBoostRegressor": "r2",
}


def _own_score(estimator, param):
    """The `KnownScore` that `estimator.score` is, or None."""
    estimator = _last_step(estimator)
    score = getattr(type(estimator), "score", None)
    if score is RegressorMixin.score or isinstance(
        estimator, TransformedTargetRegressor
    ):
        return OF_SCORERS["r2"]
    if score is ClassifierMixin.score:
        return OF_SCORERS["accuracy"]
    kind = type(estimator)
    for known in (kind, f"{kind.__module__}.{kind.__qualname__}"):
        if known in _OWN_SCORES:
            return OF_SCORERS[_OWN_SCORES[known]]
    power = {PoissonRegressor: 1, GammaRegressor: 2}.get(kind)
    # Where powers are candidates each is scored by its own.
    if kind is TweedieRegressor and param.rpartition("__")[2] != "power":
        power = estimator.power
    usable = isinstance(power, Real) and not 0 < power < 1
    return KnownScore("d2", "predict", power) if usable else None


def _primary(estimator, classes):
    """The kind of answer kept as out-of-fold prediction."""
    kind = response_kind(
        estimator, "mean", classifier=bool(classes), multi_output=len(classes) > 1
    )
    return "label" if kind == "vote" else kind


def _joint(kinds, classes):
    return JointResponse(
        tuple(Response(kind, classes) for kind in dict.fromkeys(kinds))
    )


def _targets(answer, y, classes):
    """What answers of a kind are compared with, (n, width)."""
    if answer == "predict":
        return y.reshape(len(y), -1).astype(np.float64)
    response = Response("label", classes)
    labels = y.reshape(len(y), -1)
    known = np.ones(len(y), dtype=bool)
    for j, column in enumerate(classes):
        known &= np.isin(labels[:, j], column)
    codes = np.full(labels.shape, np.nan)
    codes[known] = response.codes(labels[known])
    if answer == "label":
        return codes
    return (codes[:, :1] == np.arange(len(classes[0]))).astype(np.float64)


def _methods_of(measure, estimator, X, y, classes, rows):
    """The kinds of answer that a scorer asks for; none if it looks at the estimator.

    It is tried on perfect predictions for the training rows, and on the mean target,
    which is in the domain of scores that forbid a zero.
    """
    target = y[rows]
    if classes:
        tried = [_perfect(estimator, target, classes)]
    else:
        number = target.astype(np.float64)
        mean = np.broadcast_to(number.mean(axis=0), number.shape)
        tried = [Outputs(number), Outputs(mean)]
    taken = take_rows(X, rows) if measure.needs_rows else None
    for answers in tried:
        asked = set()
        try:
            call_scorer(measure, answers, taken, target, None, asked)
        except Exception:  # perhaps it wants more than predictions
            continue
        kinds = ["label" if classes else "predict"] if "predict" in asked else []
        return kinds + [kind for name, kind in _METHODS.items() if name in asked]
    return []


def _perfect(estimator, y, classes):
    one_hot = Response("vote", classes).one_hot(y)
    proba = decision = None
    response = Response("probability", classes)
    if hasattr(estimator, "predict_proba"):
        proba = [one_hot[:, part] for part in response.slices]
        proba = proba[0] if len(proba) == 1 else proba
    if hasattr(estimator, "decision_function") and len(classes) == 1:
        decision = 2 * one_hot - 1
        decision = decision[:, 1] if decision.shape[1] == 2 else decision
    known = classes[0] if len(classes) == 1 else list(classes)
    return Outputs(y, proba, decision, known)
