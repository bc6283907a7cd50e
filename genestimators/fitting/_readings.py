"""What is read off the fitted estimators of a draw, where they were fitted.

A reading is called in the worker that fitted, so that only what it returns travels
back. It is a picklable object called with a `Fit`.
"""

from dataclasses import dataclass

import numpy as np

from genestimators._inputs import n_rows_of, take_rows
from genestimators.fitting._copies import copy_rows
from genestimators.fitting._paths import Path


@dataclass(frozen=True, eq=False)
class Fit:
    """The fitted estimators of one draw, with the data they came from.

    Attributes
    ----------
    number : int
        Of the draw.
    path : Path
    X : container of n rows
        All rows, in and out of the bag.
    y : ndarray of shape (n,) or (n, n_outputs)
    rows : ndarray of int
        The training rows as they were passed to the fit.
    weight : ndarray or None
        Their weights, as they were passed to the fit.
    out_of_bag : ndarray of int
    in_place : bool
        Whether the estimator may write into what it is given.
    seconds : float
        Time of the fit; values that were not fitted yet are not in it.
    """

    number: int
    path: Path
    X: object
    y: np.ndarray
    rows: np.ndarray
    weight: np.ndarray | None
    out_of_bag: np.ndarray
    in_place: bool = False
    seconds: float = 0.0

    def given(self, X):
        """Rows to hand to the estimators: a copy if they may write into them."""
        return copy_rows(X) if self.in_place else X


@dataclass(frozen=True, eq=False)
class Answers:
    """Reads off the fitted models and their answers.

    Attributes
    ----------
    response : Response
    rows : {"out_of_bag", "all", "none"}
        The rows to answer for.
    models : bool, default=True
        Whether the models are wanted; families make them only then.
    """

    response: object
    rows: str = "out_of_bag"
    models: bool = True

    def __call__(self, fit):
        """Models and answers of shape (n_values, n_rows, width), or None."""
        models, answers = [], []
        asked = None
        if self.rows == "all":
            asked = fit.X
        elif self.rows == "out_of_bag":
            asked = take_rows(fit.X, fit.out_of_bag)
        n_rows = 0 if asked is None else n_rows_of(asked)
        for part in fit.path.parts(n_rows):
            if self.models:
                models += [part.model(i) for i in range(part.n_values)]
            if asked is not None:
                answers.append(self.response(part, fit.given(asked)))
        if asked is None:
            return tuple(models), None
        joined = answers[0] if len(answers) == 1 else np.concatenate(answers)
        return tuple(models), joined
