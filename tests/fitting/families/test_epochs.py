"""Epochs from one training against a training for each number of epochs."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification, make_regression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting import find_family
from tests.fitting.families.against_refits import assert_equals_refits

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

EPOCHS = [4, 1, 9, 4]
SETTINGS = find_family(MLPRegressor(), "max_iter").settings


def network(kind=MLPRegressor, seed=0, **settings):
    """A small network that nothing stops."""
    return kind(
        **{"hidden_layer_sizes": (6,), "batch_size": 20, **settings},
        **SETTINGS,
        random_state=seed,
    )


def regression(seed=0, **settings):
    """Standardised data."""
    X, y = make_regression(90, 5, noise=10, random_state=seed, **settings)
    return X, (y - y.mean(axis=0)) / y.std(axis=0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate": "invscaling"},
        {"solver": "sgd", "momentum": 0.5, "learning_rate": "adaptive"},
        {"shuffle": False},
        {"hidden_layer_sizes": (5, 4), "batch_size": "auto", "activation": "tanh"},
    ],
)
def test_epochs_of_regressor_equal_refits(settings, seed):
    """Predictions after each number of epochs, in any order; once with weights."""
    X, y = regression(seed)
    weight = np.random.default_rng(0).uniform(0.1, 5, len(y)) if seed else None
    assert_equals_refits(
        network(seed=seed, **settings),
        "max_iter",
        EPOCHS,
        X,
        y,
        sample_weight=weight,
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("k", [2, 3])
def test_epochs_of_classifier_equal_refits(k, solver):
    """Labels and probabilities; labels are text."""
    X, y = make_classification(90, 5, n_informative=4, n_redundant=0, n_classes=k)
    y = np.array(["a", "b", "c"])[y]
    model = network(MLPClassifier, solver=solver)
    assert_equals_refits(model, "max_iter", EPOCHS, X, y, rtol=1e-9)
    model = make_pipeline(StandardScaler(), model)
    assert_equals_refits(model, "mlpclassifier__max_iter", EPOCHS, X, y, rtol=1e-9)


@pytest.mark.parametrize(
    "case", ["outputs", "column y", "single precision", "sparse", "frame", "constant"]
)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_epochs_of_other_data_equal_refits(case):
    """Several outputs, other containers, a column without variance."""
    X, y = regression(n_targets=2 if case == "outputs" else 1)
    rtol = 1e-9
    if case == "column y":
        y = y[:, None]
    elif case == "single precision":
        X, rtol = X.astype(np.float32), 1e-3
    elif case == "sparse":
        X = sparse.csc_matrix(np.where(np.abs(X) < 0.5, 0, X))
    elif case == "frame":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    elif case == "constant":
        X[:, 2] = 1.0
    assert_equals_refits(network(), "max_iter", EPOCHS, X, y, rtol=rtol, atol=1e-5)


def test_epochs_of_a_generator_equal_refits():
    """A clone starts from a generator's state, which stays as it is."""
    X, y = regression()
    model = network().set_params(random_state=np.random.RandomState(3))
    assert_equals_refits(model, "max_iter", EPOCHS, X, y, rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "values"),
    [({"solver": "lbfgs"}, [3, 5]), ({"batch_size": 80}, [1, 2])],
)
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.filterwarnings("ignore:Got `batch_size` less than 1 or larger")
def test_other_networks_are_refitted(settings, values):
    """A solver without epochs, batches larger than the data."""
    X, y = regression()
    assert_equals_refits(
        network(**settings), "max_iter", values, X, y, rtol=0, served=False
    )


@pytest.mark.parametrize("kind", [MLPRegressor, MLPClassifier])
def test_models_are_those_of_refits(kind):
    """The network after some epochs has all that a training of its own leaves."""
    X, y = regression()
    y = (y > 0).astype(int) if kind is MLPClassifier else y
    model = network(kind)
    path = find_family(model, "max_iter").fit_path(model, X, y, None, EPOCHS)
    for i, epochs in enumerate(EPOCHS):
        refit = network(kind, max_iter=epochs).fit(X, y)
        mine = path.model(i)
        assert mine.get_params() == refit.get_params()
        assert mine.n_iter_ == refit.n_iter_
        np.testing.assert_allclose(mine.loss_curve_, refit.loss_curve_, rtol=1e-9)
        np.testing.assert_allclose(mine.predict(X), refit.predict(X), rtol=1e-9)


def test_unseeded_training_uses_the_global_generator():
    """Without a seed two paths differ, unless the global generator is seeded."""
    X, y = regression()
    family = find_family(MLPRegressor(), "max_iter")
    answers = []
    for seed in (0, 0, 1):
        np.random.seed(seed)  # noqa: NPY002 - it is the one that is used
        path = family.fit_path(network(seed=None), X, y, None, [2])
        answers.append(path.predict(X))
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_values_are_sane():
    """Increasing; more epochs fit better, and a larger decay fits worse."""
    X, y = regression()
    for model in (MLPRegressor(), MLPClassifier(max_iter=500)):
        family = find_family(model, "max_iter")
        values = family.default_values(model, X, y, None)
        assert (np.diff(values) > 0).all()
        assert values[0] >= 1
        assert values[-1] == max(200, model.max_iter)
        assert family.stronger == "smaller"
        decay = find_family(model, "alpha")
        assert decay.preferred
        assert decay.stronger == "larger"
        assert (np.diff(decay.default_values(model, X, y, None)) > 0).all()
    path = find_family(MLPRegressor(), "max_iter").fit_path(
        network(), X, y, None, [1, 10, 50]
    )
    losses = ((path.predict(X) - y) ** 2).mean(axis=1)
    assert (np.diff(losses) < 0).all()
