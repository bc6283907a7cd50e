"""Boosting of other libraries: every number of rounds from one fit.

XGBoost, LightGBM and CatBoost predict with the first i rounds of a longer fit, which
are a fit of i rounds. None of them is imported here: their classes are known by name.
What they can add up is added up from one number of rounds to the next, so that many
numbers cost little more than the largest.
"""

import numpy as np
from scipy.special import expit, softmax
from sklearn.utils.metaestimators import available_if

from genestimators.fitting._paths import Path
from genestimators.fitting._registry import register_family
from genestimators.fitting.families.trees._boosting import Rounds


class _RoundsPath(Path):
    """Answers after each of some numbers of rounds.

    Parameters
    ----------
    model : fitted estimator
    rounds : ndarray of int
    n_fitted : int, optional
        Rounds the model has: those beyond it change nothing.
    """

    def __init__(self, model, rounds, n_fitted=None):
        self.fitted = model
        self.asked = rounds
        self.rounds = rounds if n_fitted is None else np.minimum(rounds, n_fitted)
        self.n_values = len(rounds)

    @property
    def classes_(self):
        return self.fitted.classes_

    def model(self, i):
        return self.fitted if self.asked[i] == self.asked.max() else None

    def predict(self, X):
        return self._stages("predict", X)

    def predict_proba(self, X):
        return self._stages("predict_proba", X)

    def _stages(self, method, X):
        wanted, place = np.unique(self.rounds, return_inverse=True)
        found = [np.asarray(one) for one in self.stages(method, X, wanted.tolist())]
        return np.stack(found)[place]

    def stages(self, method, X, wanted):
        """Iterate over the answers after each of the wanted rounds, increasing."""
        raise NotImplementedError


class XGBoostPath(_RoundsPath):
    """Margins of the rounds so far are where the next rounds start."""

    def stages(self, method, X, wanted):
        margin, done = None, 0
        for number in wanted:
            rounds = {"iteration_range": (done, number), "base_margin": margin}
            yield getattr(self.fitted, method)(X, **rounds)
            if number < wanted[-1]:
                margin = self.fitted.predict(X, output_margin=True, **rounds)
            done = number


def _two_classes(raw):
    second = expit(raw)
    return np.stack([1.0 - second, second], axis=-1)


def _same(raw):
    return raw


# What LightGBM makes of raw scores, by objective.
_ANSWERS = {
    "regression": _same,
    "regression_l1": _same,
    "huber": _same,
    "fair": _same,
    "quantile": _same,
    "mape": _same,
    "poisson": np.exp,
    "gamma": np.exp,
    "tweedie": np.exp,
    "binary": _two_classes,
    "multiclass": lambda raw: softmax(raw, axis=-1),
}
_OTHERWISE = (
    "boosting",
    "boost",
    "sigmoid",
    "reg_sqrt",
)  # change what it makes of them


class LightGBMPath(_RoundsPath):
    """Raw scores of some rounds are added to those of the rounds before."""

    @available_if(lambda path: hasattr(path.fitted, "decision_function"))
    def decision_function(self, X):
        return self._stages("decision_function", X)

    def stages(self, method, X, wanted):
        answer = self._answer()
        if answer is None:
            for number in wanted:
                yield getattr(self.fitted, method)(X, num_iteration=number)
            return
        raw, done = 0.0, 0
        for number in wanted:
            raw = raw + self.fitted.predict(
                X, raw_score=True, start_iteration=done, num_iteration=number - done
            )
            done = number
            if method == "decision_function":
                yield raw
            elif method == "predict" and hasattr(self.fitted, "classes_"):
                yield self.fitted.classes_[answer(raw).argmax(axis=-1)]
            else:
                yield answer(raw)

    def _answer(self):
        """What turns raw scores into answers, or None where that is not known."""
        settings = self.fitted.get_params()
        adds = settings["boosting_type"] in ("gbdt", "goss")
        if not adds or any(name in settings for name in _OTHERWISE):
            return None
        return _ANSWERS.get(self.fitted.objective_)


class CatBoostPath(_RoundsPath):
    """Trees of CatBoost are so fast that each number is asked for by itself."""

    def stages(self, method, X, wanted):
        for number in wanted:
            yield getattr(self.fitted, method)(X, ntree_end=number)


class XGBoostRounds(Rounds):
    """`XGBRegressor.n_estimators`."""

    estimator = "xgboost.sklearn.XGBRegressor"
    param = "n_estimators"
    settings = {"early_stopping_rounds": None}

    def unsupported(self, estimator, X, y, sample_weight, values):
        settings = estimator.get_params()
        if settings.get("booster") not in (None, "gbtree"):
            return "Rounds of this booster are changed by those that follow."
        if settings.get("process_type") not in (None, "default"):
            return "The fit changes rounds of another one."
        if settings.get("callbacks"):
            return "Callbacks may stop the fit."
        return super().unsupported(estimator, X, y, sample_weight, values)

    def path(self, model, rounds):
        return XGBoostPath(model, rounds)


class XGBoostClassifierRounds(XGBoostRounds):
    """`XGBClassifier.n_estimators`."""

    estimator = "xgboost.sklearn.XGBClassifier"


class LightGBMRounds(Rounds):
    """`LGBMRegressor.n_estimators`."""

    estimator = "lightgbm.sklearn.LGBMRegressor"
    param = "n_estimators"

    # Other names of the number of rounds, and of early stopping.
    aliases = (
        "num_iterations",
        "num_iteration",
        "n_iter",
        "num_tree",
        "num_trees",
        "num_round",
        "num_rounds",
        "nrounds",
        "num_boost_round",
        "max_iter",
        "early_stopping_round",
        "early_stopping_rounds",
        "early_stopping",
        "n_iter_no_change",
    )

    def unsupported(self, estimator, X, y, sample_weight, values):
        settings = estimator.get_params()
        for name in ("boosting_type", "boosting", "boost"):
            if settings.get(name) == "dart":
                return "Rounds of this booster are changed by those that follow."
        if callable(settings.get("objective")):
            return "A function as objective has raw scores for answers."
        if any(name in settings for name in self.aliases):
            return "The number of rounds is set twice."
        return super().unsupported(estimator, X, y, sample_weight, values)

    def path(self, model, rounds):
        return LightGBMPath(model, rounds, max(1, model.n_estimators_))


class LightGBMClassifierRounds(LightGBMRounds):
    """`LGBMClassifier.n_estimators`."""

    estimator = "lightgbm.sklearn.LGBMClassifier"


class CatBoostRounds(Rounds):
    """`CatBoostRegressor.iterations`."""

    estimator = "catboost.core.CatBoostRegressor"
    param = "iterations"

    def unsupported(self, estimator, X, y, sample_weight, values):
        settings = estimator.get_params()
        if settings.get("learning_rate", settings.get("eta")) is None:
            return "The learning rate is chosen by the number of rounds."
        for name in ("model_shrink_rate", "langevin", "posterior_sampling"):
            if settings.get(name):
                return "Rounds are changed by those that follow."
        return super().unsupported(estimator, X, y, sample_weight, values)

    def path(self, model, rounds):
        return CatBoostPath(model, rounds, model.tree_count_)


class CatBoostClassifierRounds(CatBoostRounds):
    """`CatBoostClassifier.iterations`."""

    estimator = "catboost.core.CatBoostClassifier"


for _family in (
    XGBoostRounds,
    XGBoostClassifierRounds,
    LightGBMRounds,
    LightGBMClassifierRounds,
    CatBoostRounds,
    CatBoostClassifierRounds,
):
    register_family(_family())
