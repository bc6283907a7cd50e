"""Epochs of a neural network: all numbers up to the largest from one training.

A network trained for i epochs is what a longer training is after i epochs, as long as
nothing stops it before and the rows come in the same order.
"""

from copy import copy, deepcopy
from numbers import Integral

import numpy as np
from sklearn import config_context
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import check_array, check_random_state, shuffle

from genestimators._inputs import take_rows
from genestimators.fitting._paths import FittedPath
from genestimators.fitting._registry import (
    Family,
    integer_grid,
    log_grid,
    register_family,
)

LARGEST_SEED = 2**31 - 1


def own_generator(random_state):
    """A generator nobody else draws from, in the state a clone would start from."""
    if random_state is None:
        return np.random.RandomState(check_random_state(None).randint(LARGEST_SEED))
    return deepcopy(check_random_state(random_state))


def after_first_weights(estimator, X, y, generator):
    """Let a generator draw the first weights of a network, and no more.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Unfitted.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    generator : RandomState
        It is left where the drawing of row orders begins.

    Returns
    -------
    estimator : a network that has seen one row
    """
    first = copy(estimator).set_params(
        random_state=generator, shuffle=False, batch_size="auto", verbose=False
    )
    return first.partial_fit(take_rows(X, [0]), y[:1], **_classes(first, y))


def _classes(estimator, y):
    return {"classes": np.unique(y)} if is_classifier(estimator) else {}


class ClassifierEpochs(Family):
    """`MLPClassifier.max_iter`."""

    estimator = MLPClassifier
    param = "max_iter"
    stronger = "smaller"
    exactness = "exact"
    scale = "integer"
    default_range = "2 to 200, or to the network's own number if that is larger"
    settings = {"early_stopping": False, "n_iter_no_change": np.inf}

    def default_values(self, estimator, X, y, sample_weight):
        return integer_grid(2, max(200, estimator.max_iter), 20)

    def unsupported(self, estimator, X, y, sample_weight, values):
        if estimator.solver not in ("adam", "sgd"):
            return "The solver has no epochs."
        if estimator.batch_size != "auto" and estimator.batch_size > len(y):
            return "`batch_size` is larger than the number of rows."
        if is_classifier(estimator) and y.ndim == 2:
            return "There are several outputs."
        whole = all(isinstance(value, Integral) and value >= 1 for value in values)
        return None if whole else "`max_iter` has to be whole numbers from 1 on."

    def fit_path(self, estimator, X, y, sample_weight, values):
        estimator.set_params(**self.settings)
        rows = check_array(
            X, accept_sparse="csr", dtype=(np.float64, np.float32), estimator=estimator
        )
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        own = {name: getattr(estimator, name) for name in ("random_state", "shuffle")}
        start = own_generator(estimator.random_state)
        orders = deepcopy(start)
        first = after_first_weights(estimator, X, y, orders)
        # `partial_fit` would shuffle the same rows anew each time, where `fit` shuffles
        # what it has shuffled before: so rows are brought into order here.
        estimator.set_params(random_state=start, shuffle=False)
        order = np.arange(len(y))
        arguments = _classes(estimator, y)
        wanted, models = set(values), {}
        for epoch in range(1, int(max(values)) + 1):
            again = epoch > 1  # nothing is checked twice
            with config_context(assume_finite=again, skip_parameter_validation=again):
                if own["shuffle"]:
                    order = shuffle(order, random_state=orders)
                if sample_weight is not None:
                    arguments["sample_weight"] = sample_weight[order]
                estimator.partial_fit(rows[order], y[order], **arguments)
            if epoch in wanted:
                model = deepcopy(estimator).set_params(max_iter=epoch, **own)
                model.n_iter_ = epoch
                if hasattr(first, "feature_names_in_"):
                    model.feature_names_in_ = first.feature_names_in_
                models[epoch] = model
        return FittedPath([models[int(value)] for value in values])


class RegressorEpochs(ClassifierEpochs):
    """`MLPRegressor.max_iter`."""

    estimator = MLPRegressor


class ClassifierDecay(Family):
    """`MLPClassifier.alpha`; every value is fitted by itself."""

    estimator = MLPClassifier
    param = "alpha"
    preferred = True
    default_range = "1e-6 to 10"

    def default_values(self, estimator, X, y, sample_weight):
        return log_grid(1e-6, 10.0, per_decade=2)


class RegressorDecay(ClassifierDecay):
    """`MLPRegressor.alpha`; every value is fitted by itself."""

    estimator = MLPRegressor


for _family in (ClassifierEpochs, RegressorEpochs, ClassifierDecay, RegressorDecay):
    register_family(_family())
