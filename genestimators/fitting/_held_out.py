"""Validation sets for boosters: the rows that a draw leaves out.

A booster that stops early wants rows it does not fit, and splits them off those it is
given. A replicate has such rows already. Estimators differ in the names of the
arguments only, so what a `fit` takes is told by its signature.
"""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import NamedTuple

import numpy as np

from genestimators._inputs import take_rows


class _Kind(NamedTuple):
    """How some estimators write a validation set in `fit`.

    Attributes
    ----------
    names : tuple of str
        Of the arguments for X and y, or of one that takes a list of pairs.
    weights : tuple of str
        The argument for the weights has one of these names.
    """

    names: tuple
    weights: tuple


# Told by the first name. A `fit` may have two: LightGBM 4.7 deprecates `eval_set` in
# favour of `eval_X`, with which it takes labels for the codes that it gives them.
_KINDS = (
    _Kind(("X_val", "y_val"), ("sample_weight_val",)),
    _Kind(("eval_set",), ("sample_weight_eval_set", "eval_sample_weight")),
    _Kind(("eval_X", "eval_y"), ("eval_sample_weight",)),
)
# Parameters that say after how many rounds without progress a booster stops.
_ROUNDS = (
    "early_stopping_rounds",
    "early_stopping_round",
    "early_stopping",
    "n_iter_no_change",
    "od_wait",
)


@dataclass(frozen=True)
class HeldOut:
    """How a `fit` takes a validation set.

    Attributes
    ----------
    names : tuple of str
        Of the arguments for X and y, or of one that takes a list of pairs.
    weight : str or None
        Of the argument for the weights, where there is one.
    quiet : bool
        Whether to ask for silence: some print a line a round as soon as there is a
        validation set.
    """

    names: tuple
    weight: str | None
    quiet: bool

    def arguments(self, X, y, rows, weight, trained, *, classifier):
        """The arguments of `fit` for one draw.

        Parameters
        ----------
        X : container of n rows
        y : ndarray of shape (n,) or (n, n_outputs)
        rows : ndarray of int
            The rows of the occurrences left out.
        weight : ndarray or None
            Their weights, None where each is one.
        trained : ndarray of int
            The rows fitted on.
        classifier : bool
            Whether y holds classes of one output. The estimator cannot be told how
            well it predicts a class it has not seen: rows of such are left aside.

        Returns
        -------
        dict

        Raises
        ------
        ValueError
            If there are no rows, or weights that the `fit` takes no argument for.
        """
        if classifier and len(rows):
            seen = np.isin(y[rows], np.unique(y[trained]))
            rows, weight = rows[seen], None if weight is None else weight[seen]
        if not len(rows):
            raise ValueError(
                '`early_stopping="out_of_bag"` needs rows that each replicate leaves '
                "out, and this one leaves none (of a class that it has drawn); set a "
                "smaller `max_samples`, or `early_stopping=None`."
            )
        taken = take_rows(X, rows), y[rows]
        if len(self.names) == 1:
            found = {self.names[0]: [taken]}
        else:
            found = dict(zip(self.names, taken, strict=True))
        if weight is not None:
            if self.weight is None:
                raise ValueError(
                    '`early_stopping="out_of_bag"` has weights for the validation rows '
                    "that are not one, and the estimator's `fit` takes none for them; "
                    'pass whole numbers with `weight_mode="frequency"`, or set '
                    "`early_stopping=None`."
                )
            alone = self.weight == "sample_weight_val"
            found[self.weight] = weight if alone else [weight]
        if self.quiet:
            found["verbose"] = False
        return found

    @contextmanager
    def unwarned(self):
        """A context without the warning that the name of an argument is deprecated."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The argument 'eval_set' is deprecated")
            yield


def held_out_of(early_stopping, estimator, draws, fit_params, per_row):
    """How an estimator takes a validation set, checked; None where it gets none.

    Parameters
    ----------
    early_stopping : {"out_of_bag"} or None
    estimator : estimator
    draws : Draws
    fit_params : dict
        Further arguments of its `fit`.
    per_row : collection of str
        Those with one item a row.

    Returns
    -------
    HeldOut or None

    Raises
    ------
    ValueError
        If no rows are left out, or if its `fit` takes no validation set, or would not
        stop early by it, or gets one already.
    """
    if early_stopping is None:
        return None
    if not draws.has_out_of_bag:
        raise ValueError(
            '`early_stopping="out_of_bag"` needs rows that are left out, and this '
            "resampling leaves none out; set `early_stopping=None`, or another "
            f"`resampling`. Got {type(draws).__name__}."
        )
    taken = signature(estimator.fit).parameters
    kind = next((kind for kind in _KINDS if kind.names[0] in taken), None)
    if kind is None:
        raise ValueError(
            '`early_stopping="out_of_bag"` needs an estimator whose `fit` takes a '
            "validation set (`X_val`, `eval_set` or `eval_X`), as gradient boosting of "
            "scikit-learn (HistGradientBoosting), XGBoost and LightGBM do by "
            f"themselves, outside a pipeline. Got {estimator!r}; set "
            "`early_stopping=None`."
        )
    every = [name for each in _KINDS for name in each.names]
    twice = [name for name in every if name in fit_params]
    if twice:
        raise ValueError(
            '`early_stopping="out_of_bag"` makes the validation set of each replicate. '
            f"Got another one in {twice[0]!r}; leave it out, or set "
            "`early_stopping=None`."
        )
    if per_row:
        raise ValueError(
            '`early_stopping="out_of_bag"` hands on X, y and weights of validation '
            "rows and nothing else that has one item a row. Got "
            f"{sorted(per_row)!r}; set `early_stopping=None`."
        )
    _check_stops(estimator, kind, fit_params)
    weight = next((name for name in kind.weights if name in taken), None)
    talks = weight == "sample_weight_eval_set" and "verbose" in taken
    return HeldOut(kind.names, weight, talks and "verbose" not in fit_params)


def _check_stops(estimator, kind, fit_params):
    """Refuse an estimator that would take a validation set and not stop by it."""
    params = estimator.get_params(deep=False)
    if kind.names[0] == "X_val":
        # With "auto" it would ignore a validation set for up to 10,000 rows.
        if params.get("early_stopping", True) is not True:
            raise ValueError(
                '`early_stopping="out_of_bag"` needs `early_stopping=True` on the '
                f"estimator. Got {params['early_stopping']!r} there; set it to True."
            )
        return
    stops = any(params.get(name) for name in _ROUNDS)
    if not (stops or params.get("callbacks") or fit_params.get("callbacks")):
        raise ValueError(
            '`early_stopping="out_of_bag"` needs an estimator that is told after how '
            "many rounds without progress to stop. Got none of "
            f"{', '.join(_ROUNDS[:2])} in {estimator!r}; set it there."
        )
