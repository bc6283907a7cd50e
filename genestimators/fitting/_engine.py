"""Fit one estimator over draws x values.

A bag is many draws and one value, a tuned model is a few folds and many values, an
auto-regularized bag is both. Everything is a stream: draws are made when a fit needs
them, results come back in order, and what the caller does not keep is gone.
"""

import time
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier

from genestimators._delegate import random_state_parameters
from genestimators._inputs import n_rows_of, take_columns, take_rows
from genestimators._parallel import error_note, prefers_threads, run_in_order
from genestimators._weights import fit_weighted, row_mode, weighted_rows
from genestimators.fitting._composites import find_shared, make_path
from genestimators.fitting._copies import works_in_place
from genestimators.fitting._ensembles import Member, fit_ensemble
from genestimators.fitting._paths import FittedPath, RefittedPath
from genestimators.fitting._precision import working_precision
from genestimators.fitting._readings import Answers, Fit
from genestimators.fitting._registry import ensure_registered
from genestimators.fitting._tuned import family_of
from genestimators.resampling._draws import Draw
from genestimators.resampling._hashing import derive_seed


@dataclass(frozen=True, eq=False)
class FittedDraw:
    """What fitting on one draw gave.

    Attributes
    ----------
    number : int
        Of the draw.
    draw : Draw
        None of a member of an ensemble that was asked nothing.
    models : tuple of estimators
        Fitted, one for each value; None where a family answers without one, and none
        at all where only answers were asked for. Of an ensemble, the member: see
        `member`.
    features : ndarray of int, or None
        The columns they were fitted on; None is all.
    responses : ndarray of shape (n_values, n_answered, width) or None
        The answers for every row, or for the out-of-bag rows, or none, as asked.
    answered : {"all", "out_of_bag", "none"}
        Which rows `responses` are for.
    """

    number: int
    draw: Draw
    models: tuple
    features: np.ndarray | None
    responses: np.ndarray | None
    answered: str

    @property
    def member(self):
        """The fitted estimator, or its place in an ensemble (a `Member`)."""
        return self.models[0]

    def model(self, i=0):
        """The fitted estimator at value i, or None where a family has none."""
        model = self.models[i]
        return model.model() if isinstance(model, Member) else model

    @property
    def predictions(self):
        """Answers for the out-of-bag rows, (n_values, n_out_of_bag, width)."""
        if self.answered == "all":
            return self.responses[:, self.draw.out_of_bag]
        return self.responses

    @property
    def training_predictions(self):
        """Answers for the in-bag rows, each once, (n_values, n_in_bag, width)."""
        if self.answered != "all":
            raise ValueError(
                'Answers for in-bag rows were not asked for; set `answer="all"`. '
                f"Got answer={self.answered!r}."
            )
        return self.responses[:, np.unique(self.draw.rows)]


def fit_over(
    estimator,
    X,
    y,
    draws,
    numbers,
    *,
    response,
    answer="out_of_bag",
    models=True,
    ensembles=False,
    **settings,
):
    """Fit clones of an estimator on draws, for each value of a parameter.

    Parameters
    ----------
    estimator, X, y, draws, numbers
        As in `read_over`, as are further settings.
    response : Response
        What to ask the fitted estimators.
    answer : {"out_of_bag", "all", "none"}, default="out_of_bag"
        The rows to answer for.
    models : bool, default=True
        Whether the fitted estimators are wanted, and not their answers alone.
    ensembles : bool, default=False
        Whether an ensemble family may fit all draws at once, without a parameter.
        Numbers are a range then.

    Yields
    ------
    FittedDraw
        In the order of `numbers`.
    """
    settings |= {"response": response, "answer": answer, "models": models}
    if ensembles:
        together = _together(estimator, X, y, draws, numbers, **settings)
        if together is not None:
            yield from _fit_groups(together, estimator, X, y, draws, **settings)
            return
    yield from _fit_one_by_one(estimator, X, y, draws, numbers, **settings)


def _fit_one_by_one(
    estimator, X, y, draws, numbers, *, response, answer, models, **settings
):
    reading = Answers(response, answer, models)
    classes = response.classes
    stream = read_over(
        estimator, X, y, draws, numbers, reading=reading, classes=classes, **settings
    )
    for number, draw, columns, (fitted, responses) in stream:
        yield FittedDraw(number, draw, fitted, columns, responses, answer)
        del draw, fitted, responses  # else they would wait for the next fit


def _together(
    estimator,
    X,
    y,
    draws,
    numbers,
    *,
    response,
    param=None,
    features=None,
    fit_params=None,
    held_out=None,
    **settings,
):
    """Groups of draws fitted together, or None where no family serves them."""
    if param is not None or features is not None or fit_params or held_out:
        return None
    if works_in_place(estimator):
        return None
    return fit_ensemble(estimator, X, y, draws, numbers, classes=response.classes)


def _fit_groups(together, estimator, X, y, draws, *, response, answer, **settings):
    """Members of groups of draws, one after the other; those that failed alone."""
    for group in together:
        answers = _answers_of(group.path, X, response, answer)
        for place, number in enumerate(group.numbers):
            if not group.path.fine[place]:
                yield from _fit_one_by_one(
                    estimator,
                    X,
                    y,
                    draws,
                    [number],
                    response=response,
                    answer=answer,
                    **settings,
                )
                continue
            draw = None
            if answer != "none":
                draw = draws.draw_of(number, group.counts[place])
            own = None if answers is None else answers[place : place + 1]
            if answer == "out_of_bag":
                own = own[:, draw.out_of_bag]
            member = Member(group.path, place)
            yield FittedDraw(number, draw, (member,), None, own, answer)


def _answers_of(path, X, response, answer):
    """Answers of all members for all rows, (n_members, n_rows, width), or None."""
    if answer == "none":
        return None
    parts = [response(part, X) for part in path.parts(n_rows_of(X))]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def read_over(
    estimator,
    X,
    y,
    draws,
    numbers,
    *,
    reading,
    param=None,
    values=None,
    families=True,
    classes=(),
    features=None,
    fit_params=None,
    per_row=(),
    held_out=None,
    groups=None,
    seed=None,
    n_jobs=None,
    owner="",
    noun="replicate",
):
    """Fit an estimator on draws for each value of a parameter; read something off.

    Parameters
    ----------
    estimator : estimator
        Unfitted; it is cloned.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    draws : Draws
    numbers : iterable of int
        Which draws.
    reading : callable
        `reading(fit)` is called with a `Fit`, in the worker; what it returns is
        yielded.
    param : str, optional
        The parameter that takes the values, in the notation of `set_params`.
    values : sequence, optional
        Its values; without `param` the estimator is fitted as it is.
    families : bool, default=True
        Whether registered families may fit all values at once.
    classes : tuple of ndarray, default=()
        The classes of each output, for a classifier.
    features : callable, optional
        `features(number)` gives the columns to fit on, or None for all of them.
    fit_params : dict, optional
        Further arguments of the estimator's `fit`.
    per_row : collection of str, optional
        Names in `fit_params` with one item a row.
    held_out : HeldOut, optional
        How the estimator's `fit` takes the rows left out as its validation set.
    groups : ndarray of shape (n,), optional
        For an estimator that itself draws groups.
    seed : int, default=None
        Seeds every `random_state` of the estimator, one for each draw; None leaves
        them as they are.
    n_jobs : int, default=None
    owner, noun : str
        For the note on an error raised by the estimator.

    Yields
    ------
    number : int
    draw : Draw
    columns : ndarray of int, or None
    result : object
        What the reading returned.
    """
    seeded = [] if seed is None else random_state_parameters(estimator)
    mode = "rows" if draws.unit_counts else row_mode(estimator)
    in_place = works_in_place(estimator)
    whole = param is None or in_place or bool(fit_params) or held_out is not None
    shared, spent = None, 0.0
    if families and not whole and features is None:
        start, numbers = time.perf_counter(), list(numbers)
        shared = find_shared(estimator, param, values, X, y, draws)
        spent = (time.perf_counter() - start) / max(1, len(numbers))
    common = {
        "X": working_precision(estimator, X),
        "y": y,
        "mode": mode,
        "in_place": in_place,
        "reading": reading,
        "param": param,
        "values": values,
        "families": families,
        "family": None if param is None else family_of(estimator, param),
        "whole": whole,
        "classes": classes,
        "shared": shared,
        "spent": spent,
        "fit_params": fit_params,
        "per_row": per_row,
        "held_out": held_out,
        "groups": groups,
    }
    waiting = deque()

    def tasks():
        for number in numbers:
            draw = draws[number]
            columns = None if features is None else features(number)
            waiting.append((number, draw, columns))
            seeds = {name: derive_seed(seed, name, number) for name in seeded}
            yield {
                **common,
                "estimator": estimator,
                "number": number,
                "draw": draw,
                "columns": columns,
                "seeds": seeds,
                "validation": held_out and draws.held_out_rows(draw),
                "note": f"This happened in {noun} {number} of {owner or 'a fit'}.",
            }

    for result in run_in_order(
        _read_draw, tasks(), n_jobs=n_jobs, threads=prefers_threads(estimator)
    ):
        number, draw, columns = waiting.popleft()
        yield number, draw, columns, result
        del draw, result  # else they would wait for the next fit


def _read_draw(
    *,
    estimator,
    X,
    y,
    number,
    draw,
    columns,
    seeds,
    mode,
    in_place,
    reading,
    param,
    values,
    families,
    family,
    whole,
    classes,
    shared,
    spent,
    fit_params,
    per_row,
    held_out,
    validation,
    groups,
    note,
):
    """Fit on one draw and return what the reading returns."""
    with error_note(note):
        if family is not None:  # another process may not know it
            ensure_registered(family)
        if columns is not None:
            X = take_columns(X, columns)
        start = time.perf_counter()
        n_values = 1 if param is None else len(values)
        rows, weight = weighted_rows(estimator, draw.rows, draw.counts, mode)
        path = None
        if _only_one_class(y, draw.rows, classes):
            model = DummyClassifier(strategy="most_frequent")
            model.fit(np.zeros((len(draw.rows), 1)), y[draw.rows])
            path = FittedPath([model] * n_values)
        elif shared is not None:
            path = shared.fit_path(number, draw)
        elif held_out is not None:
            one = len(classes) == 1
            stopping = held_out.arguments(X, y, *validation, rows, classifier=one)
            fit_params = {**(fit_params or {}), **stopping}
        if path is None and whole:

            def fit(i):
                model = clone(estimator)
                settings = dict(seeds)
                if param is not None:
                    settings[param] = values[i]
                _set_parameters(model, settings)
                with nullcontext() if held_out is None else held_out.unwarned():
                    return fit_weighted(
                        model,
                        X,
                        y,
                        draw.rows,
                        draw.counts,
                        mode=mode,
                        params=fit_params,
                        per_row=per_row,
                    )

            path = RefittedPath(fit, n_values)
        elif path is None:
            if seeds:
                estimator = clone(estimator).set_params(**seeds)
            path = make_path(
                estimator,
                param,
                values,
                take_rows(X, rows),
                y[rows],
                weight,
                families=families,
                groups=None if groups is None else groups[rows],
            )
        return reading(
            Fit(
                number=number,
                path=path,
                X=X,
                y=y,
                rows=rows,
                weight=weight,
                out_of_bag=draw.out_of_bag,
                in_place=in_place,
                seconds=spent + time.perf_counter() - start,
            )
        )


def _set_parameters(model, settings):
    """`set_params` with names known to be parameters.

    For plain names scikit-learn's own method sets attributes, after it has looked up
    every parameter at the price of a small draw.
    """
    plain = not any("__" in name for name in settings)
    if plain and type(model).set_params is BaseEstimator.set_params:
        for name, value in settings.items():
            setattr(model, name, value)
    elif settings:
        model.set_params(**settings)


def _only_one_class(y, rows, classes):
    """Whether a draw holds one class of several: then it is the only answer."""
    if len(classes) != 1 or len(classes[0]) < 2:
        return False
    labels = y[rows]
    return bool((labels == labels[0]).all())
