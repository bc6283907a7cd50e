"""Fit one estimator over draws x values: the engine that works for any estimator.

A bag is many draws and one value, a tuned model is a few folds and many values, an
auto-regularized bag is both. Everything is a stream: draws are made when a fit needs
them, results come back in order, and what the caller does not keep is gone.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier

from genestimators._delegate import random_state_parameters
from genestimators._inputs import take_columns, take_rows
from genestimators._parallel import error_note, prefers_threads, run_in_order
from genestimators._weights import fit_weighted, row_mode
from genestimators.fitting._copies import copy_rows, works_in_place
from genestimators.fitting._precision import working_precision
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
    models : tuple of estimators
        Fitted, one for each value; see `model`.
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

    def model(self, i=0):
        """The fitted estimator at value i."""
        return self.models[i]

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
    param=None,
    values=None,
    answer="out_of_bag",
    features=None,
    fit_params=None,
    per_row=(),
    seed=0,
    n_jobs=None,
    owner="",
    noun="replicate",
):
    """Fit clones of an estimator on draws, for each value of a parameter.

    Parameters
    ----------
    estimator : estimator
        Unfitted; it is cloned.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    draws : Draws
    numbers : iterable of int
        Which draws.
    response : Response
        What to ask the fitted estimators.
    param : str, optional
        The parameter that takes the values, in the notation of `set_params`.
    values : sequence, optional
        Its values; without `param` the estimator is fitted as it is.
    answer : {"out_of_bag", "all", "none"}, default="out_of_bag"
        The rows to answer for.
    features : callable, optional
        `features(number)` gives the columns to fit on, or None for all of them.
    fit_params : dict, optional
        Further arguments of the estimator's `fit`.
    per_row : collection of str, optional
        Names in `fit_params` with one item a row.
    seed : int, default=0
        Seeds every `random_state` of the estimator, one for each draw.
    n_jobs : int, default=None
    owner, noun : str
        For the note on an error raised by the estimator.

    Yields
    ------
    FittedDraw
        In the order of `numbers`.
    """
    seeded = random_state_parameters(estimator)
    shared = {
        "X": working_precision(estimator, X),
        "y": y,
        "mode": row_mode(estimator),
        "in_place": works_in_place(estimator),
        "response": response,
        "param": param,
        "values": values,
        "answer": answer,
        "fit_params": fit_params,
        "per_row": per_row,
    }
    waiting = deque()

    def tasks():
        for number in numbers:
            draw = draws[number]
            columns = None if features is None else features(number)
            waiting.append((number, draw, columns))
            seeds = {name: derive_seed(seed, name, number) for name in seeded}
            yield {
                **shared,
                "estimator": estimator,
                "rows": draw.rows,
                "counts": draw.counts,
                "out_of_bag": draw.out_of_bag if answer == "out_of_bag" else None,
                "columns": columns,
                "seeds": seeds,
                "note": f"This happened in {noun} {number} of {owner or 'a fit'}.",
            }

    for models, responses in run_in_order(
        _fit_draw, tasks(), n_jobs=n_jobs, threads=prefers_threads(estimator)
    ):
        number, draw, columns = waiting.popleft()
        yield FittedDraw(number, draw, models, columns, responses, answer)
        del draw, models, responses  # else they would wait for the next fit


def _fit_draw(
    *,
    estimator,
    X,
    y,
    rows,
    counts,
    out_of_bag,
    columns,
    seeds,
    mode,
    in_place,
    response,
    param,
    values,
    answer,
    fit_params,
    per_row,
    note,
):
    """Fit a clone for each value on one draw; return the models and their answers."""
    with error_note(note):
        if columns is not None:
            X = take_columns(X, columns)
        models = []
        for value in [None] if param is None else values:
            model = clone(estimator)
            settings = dict(seeds)
            if param is not None:
                settings[param] = value
            _set_parameters(model, settings)
            if _only_one_class(y, rows, response):
                model = DummyClassifier(strategy="most_frequent")
                model.fit(np.zeros((len(rows), 1)), y[rows])
            else:
                fit_weighted(
                    model,
                    X,
                    y,
                    rows,
                    counts,
                    mode=mode,
                    params=fit_params,
                    per_row=per_row,
                )
            models.append(model)
        if answer == "none":
            return tuple(models), None
        asked = X if answer == "all" else take_rows(X, out_of_bag)
        answers = [
            response(model, copy_rows(asked) if in_place else asked) for model in models
        ]
        return tuple(models), np.stack(answers)


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


def _only_one_class(y, rows, response):
    """Whether a draw holds one class of several: then it is the only answer."""
    if len(response.classes) != 1 or len(response.classes[0]) < 2:
        return False
    labels = y[rows]
    return bool((labels == labels[0]).all())
