"""Permutation importance of features, or of groups of them, on given rows.

How much lower a score is where the values of a unit come from other rows. Linear
predictors with squared loss need no permutations: see `_linear_importance`.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier

from genestimators._exceptions import UnweightedScoreWarning
from genestimators._inputs import (
    as_container,
    check_sample_weight,
    check_y,
    n_rows_of,
    take_rows,
)
from genestimators.selection.importances._linear_form import linear_form
from genestimators.selection.importances._linear_importance import squared_increase
from genestimators.selection.importances._replaced_columns import (
    batches,
    donors_of,
    rows_to_donate,
    with_donated,
    with_values,
)
from genestimators.selection.importances._row_scoring import (
    baseline_of,
    losses_of,
    resolve_scoring,
    target_of,
)


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that are scored, ready for use.

    Attributes
    ----------
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
        Positive.
    labels : ndarray of shape (n_features,), int
        Unit of each column, numbered from 0.
    """

    X: object
    y: np.ndarray
    weight: np.ndarray | None
    labels: np.ndarray

    @property
    def n(self):
        return len(self.y)

    @property
    def share(self):
        """Weights that sum to 1, or None."""
        return None if self.weight is None else self.weight / self.weight.sum()

    @property
    def n_units(self):
        return int(self.labels.max()) + 1

    def columns(self, unit):
        return np.flatnonzero(self.labels == unit)


def check_rows(estimator, X, y, *, sample_weight=None, labels=None, rows=None):
    """Check and take the rows to score; those of weight zero are left out.

    Parameters
    ----------
    rows : ndarray of int, default=None
        Which rows of X, y and sample_weight; None takes all.

    Returns
    -------
    rows : Rows
    """
    X = as_container(X)
    shape = getattr(X, "shape", ())
    if len(shape) != 2:
        raise ValueError(
            "X must have two dimensions, rows and columns. "
            f"Got {f'shape {shape}' if shape else type(X).__name__}."
        )
    if shape[0] == 0 or shape[1] == 0:
        raise ValueError(f"X must have rows and columns. Got shape {shape}.")
    y = check_y(y, n_rows_of(X), classifier=is_classifier(estimator))
    weight = check_sample_weight(sample_weight, len(y))
    if rows is not None:
        X, y = take_rows(X, rows), y[rows]
        weight = None if weight is None else weight[rows]
    if weight is not None and (weight == 0).any():
        used = np.flatnonzero(weight)
        X, y, weight = take_rows(X, used), y[used], weight[used]
    labels = np.arange(shape[1]) if labels is None else np.asarray(labels)
    return Rows(X, y, weight, labels)


def score_drops(estimator, X, rows, scoring, units, seeds, n_repeats, parts=None):
    """Drops of the score with the values of each unit from other rows.

    Parameters
    ----------
    estimator : fitted estimator
    X : container of n rows
        As `rows_to_donate` makes it of `rows.X`.
    rows : Rows
    scoring : Scoring
    units : sequence of int
    seeds : sequence of int
        One for each of the units.
    n_repeats : int
    parts : pair of ndarray of shape (n, n_features), default=None
        Parts of the cells that stay and that move from row to row, their sum the
        cells; None moves all. Columns become numbers.

    Returns
    -------
    drops : ndarray of shape (len(units), n_repeats)
    influence : ndarray of shape (len(units), n) or None
        What each row adds to the mean drop; None of a score that is no function of
        mean row losses.
    """
    if scoring.kind is None:
        before = score_of(estimator, rows.X, rows, scoring, warned=True)
    else:
        target = target_of(scoring, estimator, rows.y)
        losses = losses_of(scoring, estimator, rows.X, target)[0]
        baseline = baseline_of(scoring, losses, target, rows.weight)
    drops = np.empty((len(units), n_repeats))
    influence = None if scoring.kind is None else np.zeros((len(units), rows.n))
    for place, (unit, seed) in enumerate(zip(units, seeds, strict=True)):
        rng = np.random.default_rng(seed)
        columns = rows.columns(unit)
        donors = donors_of(rng, n_repeats, rows.n, rows.share)
        for repeats in batches(n_repeats, rows.n, X.shape[1]):
            if scoring.kind is None:
                for repeat in range(repeats.start, repeats.stop):
                    own = donors[[repeat]]
                    copy = _copies(X, columns, own, parts)
                    after = score_of(estimator, copy, rows, scoring, warned=True)
                    drops[place, repeat] = before - after
                continue
            copies = _copies(X, columns, donors[repeats], parts)
            losses = losses_of(scoring, estimator, copies, target)
            drops[place, repeats], added = baseline.drops(losses, donors[repeats])
            influence[place] += added / n_repeats
    return drops, influence


def score_of(estimator, X, rows, scoring, warned=False):
    """The score of rows X that belong to the targets of `rows`."""
    if scoring.kind is not None:
        target = target_of(scoring, estimator, rows.y)
        losses = losses_of(scoring, estimator, X, target)[0]
        return baseline_of(scoring, losses, target, rows.weight).score
    with warnings.catch_warnings():
        # Callers score these rows themselves, too, and warn then; once is enough.
        if warned:
            warnings.simplefilter("ignore", UnweightedScoreWarning)
        return scoring.call(estimator, X, rows.y, rows.weight)


def _copies(X, columns, donors, parts):
    if parts is None:
        return with_donated(X, columns, donors)
    here = np.tile(np.arange(donors.shape[1]), len(donors))
    stay, move = (part[:, columns] for part in parts)
    return with_values(take_rows(X, here), columns, stay[here] + move[donors.ravel()])


def used_columns(estimator, n_features):
    """Which columns a tree, a forest or a bag of trees looks at, or None if unknown.

    Parameters
    ----------
    estimator : fitted estimator
    n_features : int

    Returns
    -------
    used : ndarray of shape (n_features,), bool, or None
    """
    members, features = [estimator], [None]
    if np.isinf(getattr(estimator, "n_estimators_", 0)):
        return None  # a bag of infinitely many, none of them a tree
    if hasattr(estimator, "estimators_samples_"):
        members = list(estimator.estimators_)
        features = getattr(estimator, "estimators_features_", [None] * len(members))
    if not all(hasattr(member, "tree_") for member in members):
        return None
    used = np.zeros(n_features, dtype=bool)
    for member, columns in zip(members, features, strict=True):
        split = member.tree_.feature
        split = np.unique(split[split >= 0])
        used[split if columns is None else np.asarray(columns)[split]] = True
    return used


def out_of_sample_importance(
    fitted,
    X,
    y,
    rows=None,
    *,
    scoring=None,
    sample_weight=None,
    labels=None,
    n_repeats=1,
    seed=0,
):
    """Permutation importance of a fitted estimator on rows it has not seen.

    Linear predictors with R2 or squared error get the mean over all permutations, with
    no noise and whatever `n_repeats`. Columns that no tree of a forest splits on are
    exactly 0 and are not permuted.

    Parameters
    ----------
    fitted : fitted estimator
        It predicts from the columns of X as they are.
    X : array, sparse matrix or frame of shape (n, n_features)
        Frames stay frames with their dtypes, sparse matrices stay sparse.
    y : array-like of shape (n,) or (n, n_outputs)
    rows : ndarray of int, default=None
        The rows to score; None takes all.
    scoring : None, str, callable or Scoring, default=None
        None is `fitted.score`.
    sample_weight : array-like of shape (n,), default=None
        Of a row as one that is scored and as one that donates.
    labels : ndarray of shape (n_features,), int, default=None
        Unit of each column, numbered from 0; the columns of a unit are permuted
        together. None makes every column a unit.
    n_repeats : int, default=1
        Permutations of each unit, where they are needed.
    seed : int, default=0
        Unit k is permuted in the same way whatever other units there are.

    Returns
    -------
    importances : ndarray of shape (n_units,)
        Score before less score after, so that what is useful is positive.
    """
    rows = check_rows(
        fitted, X, y, sample_weight=sample_weight, labels=labels, rows=rows
    )
    scoring = resolve_scoring(fitted, scoring, rows.y)
    used = used_columns(fitted, len(rows.labels))
    if scoring.squared and used is None:
        found = _linear_drop(fitted, rows, scoring)
        if found is not None:
            return found
    units = np.arange(rows.n_units)
    if used is not None:
        units = np.unique(rows.labels[used])
    importances = np.zeros(rows.n_units)
    seeds = [[seed, int(unit)] for unit in units]
    prepared = rows_to_donate(rows.X)
    drops, _ = score_drops(fitted, prepared, rows, scoring, units, seeds, n_repeats)
    importances[units] = drops.mean(axis=1)
    return importances


def _linear_drop(fitted, rows, scoring):
    """The mean drop over all permutations, or None where it has no closed form."""
    target = target_of(scoring, fitted, rows.y)
    if scoring.kind == "r2" and (np.ptp(target, axis=0) == 0).any():
        return None
    coef = linear_form(fitted, rows.X)
    if coef is None:
        return None
    residuals = target - np.reshape(fitted.predict(rows.X), target.shape)
    X = rows.X if sparse.issparse(rows.X) else np.asarray(rows.X, dtype=np.float64)
    increase = squared_increase(coef, X, residuals, rows.weight, rows.labels)
    if scoring.kind == "r2":
        n = len(target)
        share = np.full(n, 1 / n) if rows.share is None else rows.share
        increase = increase / (share @ (target - share @ target) ** 2)[:, None]
    return increase.mean(axis=0)
