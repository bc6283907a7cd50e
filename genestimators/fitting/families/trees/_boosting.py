"""Boosting: every number of rounds up to the largest comes from one fit.

Boosting adds one model a round, so the ensemble of the first i rounds of a long fit is
the ensemble of a fit of i rounds. Early stopping would cut the path short and is
switched off.
"""

from copy import copy
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.utils.validation import validate_data

from genestimators._inputs import n_rows_of
from genestimators._weights import fit_all
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import (
    Family,
    integer_grid,
    log_grid,
    register_family,
)
from genestimators.fitting.families._directions import Direction
from genestimators.fitting.families.trees._tree_limits import growth_limit

# What a fitted model holds of each round.
_OF_ROUNDS = (
    "estimators_",
    "estimator_weights_",
    "estimator_errors_",
    "train_score_",
    "oob_improvement_",
    "oob_scores_",
)


def first_rounds(model, n_rounds):
    """A fitted gradient boosting or AdaBoost model cut to its first rounds.

    Parameters
    ----------
    model : fitted estimator
    n_rounds : int

    Returns
    -------
    model : fitted estimator
        A copy that shares the models of the rounds.
    """
    model = copy(model)
    model.n_estimators = n_rounds
    for name in _OF_ROUNDS:
        if hasattr(model, name):
            setattr(model, name, getattr(model, name)[:n_rounds])
    if hasattr(model, "n_estimators_"):
        model.n_estimators_ = len(model.estimators_)
    if hasattr(model, "oob_scores_"):
        model.oob_score_ = model.oob_scores_[-1]
    return model


def weighted_medians(predictions, weight):
    """The weighted median of each row, as AdaBoost.R2 takes it (Drucker, 1997).

    Parameters
    ----------
    predictions : ndarray of shape (n_rows, n_models)
    weight : ndarray of shape (n_models,)

    Returns
    -------
    medians : ndarray of shape (n_rows,)
        The least prediction such that those up to it have half of the weight.
    """
    order = np.argsort(predictions, axis=1)
    reached = weight[order].cumsum(axis=1)
    place = (reached >= 0.5 * reached[:, -1:]).argmax(axis=1)
    rows = np.arange(len(predictions))
    return predictions[rows, order[rows, place]]


class StagedPath(Path):
    """Answers after each of some numbers of rounds, by `staged_predict` and its kin.

    Parameters
    ----------
    model : fitted estimator
    rounds : ndarray of int
    n_fitted : int
        Rounds the model has: those beyond it change nothing (AdaBoost may stop).
    """

    def __init__(self, model, rounds, n_fitted):
        self.fitted = model
        self.asked = rounds
        self.rounds = np.minimum(rounds, n_fitted)
        self.n_values = len(rounds)

    @property
    def classes_(self):
        return self.fitted.classes_

    def _stages(self, method, X):
        wanted, last = set(self.rounds.tolist()), self.rounds.max()
        found = {}
        for number, answer in enumerate(getattr(self.fitted, method)(X), start=1):
            if number in wanted:
                found[number] = np.array(answer)
            if number == last:
                break
        return np.stack([found[number] for number in self.rounds.tolist()])

    def predict(self, X):
        return self._stages("staged_predict", X)

    def predict_proba(self, X):
        return self._stages("staged_predict_proba", X)

    def decision_function(self, X):
        answer = self._stages("staged_decision_function", X)
        # Gradient boosting keeps the single column of two classes in its stages.
        return answer[..., 0] if answer.shape[2:] == (1,) else answer

    def model(self, i):
        asked = int(self.asked[i])
        if asked == self.asked.max():
            return self.fitted
        if not hasattr(self.fitted, "estimators_"):
            return None  # histogram boosting keeps its rounds to itself
        return first_rounds(self.fitted, asked)


class MedianPath(StagedPath):
    """`AdaBoostRegressor`, whose own stages ask the models of all rounds each time."""

    def predict(self, X):
        X = validate_data(
            self.fitted,
            X,
            accept_sparse=["csr", "csc"],
            allow_nd=True,
            dtype=None,
            reset=False,
        )
        models = self.fitted.estimators_[: self.rounds.max()]
        predictions = np.array([model.predict(X) for model in models]).T
        weight = self.fitted.estimator_weights_
        found = {
            number: weighted_medians(predictions[:, :number], weight[:number])
            for number in set(self.rounds.tolist())
        }
        return np.stack([found[number] for number in self.rounds.tolist()])


class Rounds(Family):
    """A number of rounds, all of which come from the fit with most."""

    stronger = "smaller"
    exactness = "exact"
    preferred = True
    scale = "integer"
    n_repeats = 1
    default_range = "5 to 300"
    limits = (1,)

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(5, 300, 25)

    def more_values(self, values, larger):
        if not larger:
            return np.arange(1, min(values))
        return np.rint(max(values) * 1.25 ** np.arange(1, 6)).astype(int)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if not all(isinstance(value, Integral) and value >= 1 for value in values):
            return "Numbers of rounds are whole numbers from one on."
        if getattr(estimator, "warm_start", False):
            return "With `warm_start=True` a fit goes on from the one before."
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        rounds = np.asarray(values)
        estimator.set_params(**{**self.settings, self.param: int(rounds.max())})
        fit_all(estimator, X, y, sample_weight)
        return self.path(estimator, rounds)

    def path(self, model, rounds):
        """The path of a model with the most rounds."""
        raise NotImplementedError


class GradientBoostingRounds(Rounds):
    """`GradientBoosting*.n_estimators`."""

    estimator = GradientBoostingRegressor
    param = "n_estimators"
    settings = {"n_iter_no_change": None}

    def path(self, model, rounds):
        return StagedPath(model, rounds, len(model.estimators_))


class GradientBoostingClassifierRounds(GradientBoostingRounds):
    estimator = GradientBoostingClassifier


class HistGradientBoostingRounds(Rounds):
    """`HistGradientBoosting*.max_iter`."""

    estimator = HistGradientBoostingRegressor
    param = "max_iter"
    settings = {"early_stopping": False}

    def path(self, model, rounds):
        return StagedPath(model, rounds, model.n_iter_)


class HistGradientBoostingClassifierRounds(HistGradientBoostingRounds):
    estimator = HistGradientBoostingClassifier


class AdaBoostRounds(Rounds):
    """`AdaBoostRegressor.n_estimators`."""

    estimator = AdaBoostRegressor
    param = "n_estimators"

    def path(self, model, rounds):
        return MedianPath(model, rounds, len(model.estimators_))


class AdaBoostClassifierRounds(Rounds):
    """`AdaBoostClassifier.n_estimators`."""

    estimator = AdaBoostClassifier
    param = "n_estimators"

    def unsupported(self, estimator, X, y, sample_weight, values):
        if (y[:1] == y).all():
            return "With one class there are no stages."
        return super().unsupported(estimator, X, y, sample_weight, values)

    def path(self, model, rounds):
        return StagedPath(model, rounds, len(model.estimators_))


for _family in (
    GradientBoostingRounds,
    GradientBoostingClassifierRounds,
    HistGradientBoostingRounds,
    HistGradientBoostingClassifierRounds,
    AdaBoostRounds,
    AdaBoostClassifierRounds,
):
    register_family(_family())


def leaf_rows(estimator, X, y):
    """Least numbers of rows in a leaf, to a tenth of all rows."""
    return integer_grid(1, max(2, min(n_rows_of(X) // 10, 200)), 12)


def leaf_penalties(estimator, X, y):
    """Penalties on the values of leaves, to be compared with their numbers of rows."""
    return log_grid(1e-2, 1e3, per_decade=2)


def sizes(low, high, estimator, X, y):
    """Sizes of a tree, whatever the data."""
    return integer_grid(low, high, 10)


_LIMITS = (
    ("max_depth", partial(sizes, 1, 8), "1 to 8"),
    ("min_samples_leaf", leaf_rows, "1 to a tenth of the rows, to 200 at the most"),
)
_LEAF_COUNTS = ("max_leaf_nodes", partial(sizes, 2, 64), "2 to 64")

for _kind in (GradientBoostingRegressor, GradientBoostingClassifier):
    for _limit in _LIMITS:
        register_family(growth_limit(_kind, *_limit))
for _kind in (HistGradientBoostingRegressor, HistGradientBoostingClassifier):
    for _limit in (*_LIMITS, _LEAF_COUNTS):
        register_family(growth_limit(_kind, *_limit))
    register_family(
        Direction(
            _kind,
            "l2_regularization",
            leaf_penalties,
            "0.01 to 1000",
            preferred=False,
        )
    )
