"""The aggregated answer of fitted members for new rows."""

import numpy as np
from sklearn.dummy import DummyClassifier

from genestimators._inputs import (
    n_rows_of,
    per_row_names,
    take_columns,
    take_rows,
)
from genestimators._parallel import prefers_threads, run_in_order
from genestimators.bagging._aggregate import SUMMED, median_answer, trimmed_answer
from genestimators.bagging._members import as_estimators, ensembles_of
from genestimators.fitting import copy_rows, working_precision, works_in_place

_MEMBERS = 10  # a task; sums are made in this order whatever n_jobs is
_ANSWERS = 1 << 24  # numbers held at a time where every answer is needed


def aggregate_members(
    models, features, X, response, aggregate, *, params=None, n_jobs=None
):
    """The answer of an ensemble, ndarray of shape (n_rows, width).

    Parameters
    ----------
    models : list of fitted estimators and `Member`s
    features : list of ndarray or None
        The columns of each; None is all of them.
    X : container of n rows
    response : Response
    aggregate : str
    params : dict, optional
        Further arguments of the members' methods.
    n_jobs : int, default=None
    """
    if params:  # arguments are of single estimators
        models = list(as_estimators(models))
    runs = list(ensembles_of(models))
    # One member speaks for all, but not a replicate of one class: that is a constant.
    single = [model for path, own in runs if path is None for model in own]
    member = max(single, key=_is_no_constant, default=None)
    threads = member is not None and prefers_threads(member)
    X = X if member is None else working_precision(member, X)
    in_place = member is not None and works_in_place(member)

    def run(rows, params, summed):
        done = 0
        for path, own in runs:
            columns = features[done : done + len(own)]
            done += len(own)
            if path is not None:
                path = path.take([item.place for item in own])
                yield from _answer_ensemble(path, rows, response, summed)
                continue
            tasks = (
                {
                    "models": own[start : start + _MEMBERS],
                    "features": columns[start : start + _MEMBERS],
                    "X": rows,
                    "response": response,
                    "params": params,
                    "summed": summed,
                    "in_place": in_place,
                }
                for start in range(0, len(own), _MEMBERS)
            )
            yield from run_in_order(
                _answer_members, tasks, n_jobs=n_jobs, threads=threads
            )

    if aggregate in SUMMED:
        total = 0.0
        for part in run(X, params, True):
            total = total + part
        return total / len(models)
    combine = median_answer if aggregate == "median" else trimmed_answer
    n_rows = n_rows_of(X)
    size = max(1, _ANSWERS // (len(models) * max(1, len(response.classes) * 2)))
    out = []
    for start in range(0, n_rows, size):
        rows, own = X, params
        if n_rows > size:
            picked = np.arange(start, min(start + size, n_rows))
            rows = take_rows(X, picked)
            own = dict(params or {})
            for name in per_row_names(own, n_rows):
                own[name] = take_rows(own[name], picked)
        out.append(combine(np.concatenate(list(run(rows, own, False)))))
    return np.concatenate(out)


def _is_no_constant(model):
    return not isinstance(model, DummyClassifier)


def _answer_ensemble(path, X, response, summed):
    """Answers of an ensemble: sums of its parts, or the parts."""
    for part in path.parts(n_rows_of(X)):
        answer = response(part, X)
        yield answer.sum(axis=0) if summed else answer


def _answer_members(*, models, features, X, response, params, summed, in_place):
    """Answers of a few members: their sum, or one beside the other."""
    answers = []
    for model, columns in zip(models, features, strict=True):
        rows = X if columns is None else take_columns(X, columns)
        answer = response(model, copy_rows(rows) if in_place else rows, params)
        if summed and answers:
            answers[0] += answer
        else:
            answers.append(np.array(answer) if summed else answer)
    return answers[0] if summed else np.stack(answers)
