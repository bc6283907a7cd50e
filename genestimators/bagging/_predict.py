"""The aggregated answer of fitted members for new rows."""

import numpy as np
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.utils.validation import validate_data

from genestimators._inputs import (
    as_container,
    n_rows_of,
    per_row_names,
    take_columns,
    take_rows,
)
from genestimators._parallel import prefers_threads, run_in_order
from genestimators.bagging._aggregate import (
    MOST_ANSWERS,
    SUMMED,
    median_answer,
    trimmed_answer,
)
from genestimators.bagging._members import LimitMembers, as_estimators, runs_of
from genestimators.fitting import copy_rows, working_precision, works_in_place
from genestimators.fitting.families.trees._tree_answers import plain_tree, tree_rows

_MEMBERS = 10  # a task; sums are made in this order whatever n_jobs is
_LOOK_UPS = 1 << 17  # in trees, below which they take less time than to share them out


def checked_rows(bag, X):
    """X as the members of a bag are asked with it; refused with other columns."""
    X = as_container(X)
    if isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "fiub":
        raise ValueError(
            f"Expected 2D array, got 1D array instead: {X!r}. Reshape your data "
            "with X.reshape(-1, 1) if it has one feature, X.reshape(1, -1) if it "
            "is one row."
        )
    known = vars(bag)
    # An array has no names; where none are known its width is all there is to check.
    plain = (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.shape[1] == known.get("n_features_in_")
        and "feature_names_in_" not in known
    )
    if not plain:
        validate_data(bag, X, reset=False, skip_check_array=True)
    return X


def mean_of_members(bag):
    """One path that answers as the mean of all members of a bag does, or None."""
    if isinstance(bag._members, LimitMembers):
        return bag._members.path
    if bag._aggregate != "mean" or bag._response.kind not in ("predict", "decision"):
        return None
    [(path, _, _), *others] = _runs_of(bag)
    return None if others or path is None else path.mean()


def runs_in(bag):
    """The members of a bag in runs that answer together; kept, but never pickled."""
    return bag._kept.once("runs", lambda: _runs_of(bag))


def _runs_of(bag):
    n_features = getattr(bag, "n_features_in_", None)
    return runs_of(bag._members, bag._features, bag._response, n_features)


def aggregate_members(runs, X, response, aggregate, *, params=None, n_jobs=None):
    """The answer of an ensemble, ndarray of shape (n_rows, width).

    Parameters
    ----------
    runs : list
        The members, as `runs_of` returns them.
    X : container of n rows
    response : Response
    aggregate : str or callable
        A parameter of a bag, or a function of the answers of all members for some
        rows, (n_members, m, width), that returns an array with m as its first
        dimension.
    params : dict, optional
        Further arguments of the members' methods.
    n_jobs : int, default=None

    Returns
    -------
    ndarray of shape (n_rows, ...)
    """
    if params:  # arguments are of single estimators
        runs = [(None, list(as_estimators(own)), columns) for _, own, columns in runs]
    n_members = sum(len(own) for _, own, _ in runs)
    # One member speaks for all, but not a replicate of one class: that is a constant.
    single = [model for path, own, _ in runs if path is None for model in own]
    member = max(single, key=_is_no_constant, default=None)
    ask = {"response": response, "in_place": False, "plain": False}
    rows = None if member is None or params else tree_rows(member, X)
    if rows is not None:
        ask["plain"] = True
        if n_rows_of(X) * n_members <= _LOOK_UPS:
            n_jobs = 1
        if not sparse.issparse(rows) and any(
            columns[0] is not None for _, _, columns in runs
        ):
            rows = np.asfortranarray(rows)  # so that columns are taken fast
        X = rows
    elif member is not None:
        X = working_precision(member, X)
        ask["in_place"] = works_in_place(member)
    threads = member is not None and prefers_threads(member)

    def run(rows, params, summed):
        for path, own, columns in runs:
            if path is not None:
                yield from _answer_ensemble(path, rows, response, summed)
                continue
            tasks = (
                {
                    "models": own[start : start + _MEMBERS],
                    "features": columns[start : start + _MEMBERS],
                    "X": rows,
                    "params": params,
                    "summed": summed,
                    **ask,
                }
                for start in range(0, len(own), _MEMBERS)
            )
            yield from run_in_order(
                _answer_members, tasks, n_jobs=n_jobs, threads=threads
            )

    if not callable(aggregate) and aggregate in SUMMED:
        total = 0.0
        for part in run(X, params, True):
            total = total + part
        return total / n_members
    combine = _COMBINED.get(aggregate, aggregate)
    n_rows = n_rows_of(X)
    size = max(1, MOST_ANSWERS // (n_members * max(1, response.width)))
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


_COMBINED = {"median": median_answer, "trimmed": trimmed_answer}


def _is_no_constant(model):
    return not isinstance(model, DummyClassifier)


def _answer_ensemble(path, X, response, summed):
    """Answers of an ensemble: sums of its parts, or the parts."""
    total = path.total(X, response) if summed else None
    if total is not None:
        yield total
        return
    for part in path.parts(n_rows_of(X)):
        answer = response(part, X)
        yield answer.sum(axis=0) if summed else answer


def _answer_members(*, models, features, X, response, params, summed, in_place, plain):
    """Answers of a few members: their sum, or one beside the other."""
    answers = []
    for model, columns in zip(models, features, strict=True):
        rows = X if columns is None else take_columns(X, columns)
        if plain:
            model = plain_tree(model)
        answer = response(model, copy_rows(rows) if in_place else rows, params)
        if summed and answers:
            answers[0] += answer
        else:
            answers.append(np.array(answer) if summed else answer)
    return answers[0] if summed else np.stack(answers)
