"""The choice among predictions that were made elsewhere."""

import numpy as np
from sklearn.utils.multiclass import type_of_target

from genestimators._row_losses import OF_SCORERS, LossTable
from genestimators._scoring import Outputs, ScoredClassifier, ScoredRegressor
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics.tuning._after_choice import (
    OWNER,
    clusters_of,
    result_of,
    scorer_of,
)
from genestimators.regularization._honest import (
    corrected_score,
    corrected_score_of_scorer,
    share_to_choose_by,
)
from genestimators.regularization._measure import resolve_scoring


def of_predictions(predictions, y, scoring, classes, told, settings):
    """The same from predictions that were made elsewhere."""
    if scoring is None or y is None:
        raise ValueError(
            f"{OWNER} needs to know what predictions are scored by, and against what; "
            f"pass `scoring` and `y`. Got scoring={scoring!r} and "
            f"y={'None' if y is None else 'values'}."
        )
    predictions = _as_array(predictions)
    if predictions.ndim not in (2, 3) or predictions.shape[1] != len(y):
        raise ValueError(
            "Predictions must have the shape (n_candidates, n_samples), or with "
            "probabilities (n_candidates, n_samples, n_classes), and y one value for "
            f"each sample. Got {predictions.shape} and {len(y)}."
        )
    if not len(predictions):
        raise ValueError("Predictions must be of at least one candidate. Got none.")
    if predictions.dtype.kind == "f" and not np.isfinite(predictions).all():
        odd = predictions[~np.isfinite(predictions)][0]
        raise ValueError(
            "Predictions must not be NaN or infinite: every candidate has to be tried "
            f"on every row. Got {odd}; leave such rows out of predictions and y."
        )
    probabilities = predictions.ndim == 3
    classifier = probabilities or _holds_classes(scoring, y)
    model = ScoredClassifier() if classifier else ScoredRegressor()
    model.outputs = Outputs(y, predictions if probabilities else None)
    X = np.zeros((len(y), 1))
    problem = make_problem(OWNER, model, X, y, least_rows=4, **told)
    known = problem.classes
    if probabilities:
        known = (_classes_of(classes, known[0], predictions.shape[2]),)
    used = np.flatnonzero(problem.weights)
    weight = None if problem.weight is None else problem.weight[used]
    measure, _ = resolve_scoring(scoring, model, X, problem.y, known, used)
    if measure.kind == "model":
        raise ValueError(
            f"scoring={scoring!r} cannot be found from "
            f"{'probabilities' if probabilities else 'these predictions'} alone; pass "
            "predictions of the other kind, or another `scoring`."
        )
    answers = _as_answers(predictions, measure, known)[:, used]
    common = clusters_of(problem, used), problem.seed
    # Folds leave out few rows; that models had all of them asks the least of it.
    share = share_to_choose_by(len(used), len(used))
    if measure.by_rows:
        parts = measure.needed.split(answers, measure.n_outputs)
        losses = measure.flat_losses(measure.losses(parts, used), used, weight)
        table = LossTable(measure.kind, losses, weight)
        scores = table.scores(np.ones(len(used)) if weight is None else weight)
        chosen = int(np.argmax(scores))
        found = corrected_score(table, chosen, *common, share=share, **settings)
    else:
        score, scores = scorer_of(measure, answers, X, problem.y, used, weight)
        chosen = int(np.nanargmax(scores))
        found = corrected_score_of_scorer(
            score,
            scores,
            chosen,
            len(used),
            *common,
            confidence=settings["confidence"],
            share=share,
        )
    naive = float(scores[chosen])
    return result_of(
        found,
        naive=naive,
        pooled=naive,
        chosen=chosen,
        settings=settings,
        n=len(predictions),
        n_fits=0,
        method="bootstrap",
        scoring=scoring,
    )


def _as_array(predictions):
    try:
        array = np.asarray(predictions)
    except ValueError as exc:
        raise ValueError(
            "Predictions must have one for every candidate and sample. Got rows of "
            f"unequal length ({exc})."
        ) from exc
    if array.dtype.kind == "O":
        kinds = {type(one).__name__ for one in array.ravel().tolist()}
        if len(kinds) > 1:
            raise ValueError(
                "Predictions must be of one kind, all text or all numbers. Got "
                f"{', '.join(sorted(kinds))}."
            )
    return array


def _holds_classes(scoring, y):
    if scoring in OF_SCORERS:
        return OF_SCORERS[scoring].answer != "predict"
    y = np.asarray(y)
    return y.dtype.kind != "f" and type_of_target(y) in ("binary", "multiclass")


def _classes_of(classes, labels, width):
    """What the columns of probabilities stand for."""
    classes = labels if classes is None else np.asarray(classes)
    if len(classes) != width or not np.isin(labels, classes).all():
        raise ValueError(
            f"`classes` must name the {width} columns of probabilities, all labels in "
            f"y among them. Got {classes.tolist()!r} and labels {labels.tolist()!r}."
        )
    if (np.sort(classes) != classes).any():
        raise ValueError(
            "`classes` must be sorted, as scikit-learn has them; sort the columns of "
            f"the probabilities with them. Got {classes.tolist()!r}."
        )
    return classes


def _as_answers(predictions, measure, classes):
    """Predictions as `measure` wants the answers of candidates."""
    kinds = {part.kind for part in measure.needed.parts}
    wanted = {"probability"} if predictions.ndim == 3 else {"label", "predict"}
    if not kinds <= wanted:
        have = "probabilities" if predictions.ndim == 3 else "labels or numbers"
        need = " and ".join(sorted({"label": "labels"}.get(k, k) for k in kinds))
        raise ValueError(
            f"This score needs the answers {need}, and predictions are {have}; pass "
            "what it needs, or another `scoring`."
        )
    if predictions.ndim == 3:
        return predictions.astype(np.float64)
    if classes:
        return measure.needed.parts[0].codes(predictions[..., None])
    return predictions[..., None].astype(np.float64)
