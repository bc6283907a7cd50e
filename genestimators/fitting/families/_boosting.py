"""Boosting: every number of rounds up to the largest comes from one fit.

Boosting adds one model a round, so the ensemble of the first i rounds of a long fit is
the ensemble of a fit of i rounds. Early stopping would cut the path short and is
switched off.
"""

import numpy as np
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from genestimators._weights import fit_all
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, integer_grid, register_family


class StagedPath(Path):
    """Answers after each of some numbers of rounds, by `staged_predict` and its kin.

    Parameters
    ----------
    model : fitted estimator
    rounds : sequence of int
    n_fitted : int
        Rounds the model has: those beyond it change nothing (AdaBoost may stop).
    """

    def __init__(self, model, rounds, n_fitted):
        self.fitted = model
        self.rounds = np.minimum(rounds, n_fitted)
        self.n_values = len(rounds)

    @property
    def classes_(self):
        return self.fitted.classes_

    def _stages(self, method, X):
        wanted = set(self.rounds.tolist())
        found = {}
        for number, answer in enumerate(getattr(self.fitted, method)(X), start=1):
            if number in wanted:
                found[number] = np.array(answer)
        return np.stack([found[number] for number in self.rounds.tolist()])

    def predict(self, X):
        return self._stages("staged_predict", X)

    def predict_proba(self, X):
        return self._stages("staged_predict_proba", X)

    def decision_function(self, X):
        return self._stages("staged_decision_function", X)


class _Rounds(Family):
    stronger = "smaller"
    exactness = "exact"
    preferred = True
    scale = "integer"
    n_repeats = 1

    def fit_path(self, estimator, X, y, sample_weight, values):
        rounds = np.asarray(values).astype(int)
        estimator.set_params(**{self.param: int(rounds.max())})
        self.switch_off_early_stopping(estimator)
        fit_all(estimator, X, y, sample_weight)
        return StagedPath(estimator, rounds, self.n_fitted(estimator))

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(5, 300, 25)

    def switch_off_early_stopping(self, estimator):
        """Fit every round that is asked for."""

    def n_fitted(self, estimator):
        """Rounds of a fitted model."""
        return len(estimator.estimators_)


class GradientBoostingRounds(_Rounds):
    """`GradientBoosting*.n_estimators`."""

    estimator = GradientBoostingRegressor
    param = "n_estimators"
    default_range = "5 to 300"

    def switch_off_early_stopping(self, estimator):
        estimator.set_params(n_iter_no_change=None)


class GradientBoostingClassifierRounds(GradientBoostingRounds):
    estimator = GradientBoostingClassifier


class HistGradientBoostingRounds(_Rounds):
    """`HistGradientBoosting*.max_iter`."""

    estimator = HistGradientBoostingRegressor
    param = "max_iter"
    default_range = "5 to 300"

    def switch_off_early_stopping(self, estimator):
        estimator.set_params(early_stopping=False)

    def n_fitted(self, estimator):
        return estimator.n_iter_


class HistGradientBoostingClassifierRounds(HistGradientBoostingRounds):
    estimator = HistGradientBoostingClassifier


class AdaBoostRounds(_Rounds):
    """`AdaBoost*.n_estimators`."""

    estimator = AdaBoostRegressor
    param = "n_estimators"
    default_range = "5 to 300"


class AdaBoostClassifierRounds(AdaBoostRounds):
    estimator = AdaBoostClassifier


for _family in (
    GradientBoostingRounds,
    GradientBoostingClassifierRounds,
    HistGradientBoostingRounds,
    HistGradientBoostingClassifierRounds,
    AdaBoostRounds,
    AdaBoostClassifierRounds,
):
    register_family(_family())
