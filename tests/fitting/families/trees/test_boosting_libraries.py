"""Rounds of other libraries from one fit against a fit for each number of rounds."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification, make_regression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators.fitting import Family, find_family, register_family
from genestimators.fitting.families.trees._boosting import Rounds
from tests.fitting.families.against_refits import assert_equals_refits

ROUNDS = [6, 1, 15, 3, 6]
CALM = {
    "xgboost": {"n_jobs": 1},
    "lightgbm": {"n_jobs": 1, "verbose": -1, "min_child_samples": 5},
    "catboost": {
        "thread_count": 1,
        "verbose": False,
        "allow_writing_files": False,
        "learning_rate": 0.3,
    },
}
PREFIX = {"xgboost": "XGB", "lightgbm": "LGBM", "catboost": "CatBoost"}
LIBRARIES = list(CALM)
RANDOM = {
    "xgboost": {"subsample": 0.7, "colsample_bytree": 0.5, "random_state": 3},
    "lightgbm": {
        "subsample": 0.7,
        "subsample_freq": 1,
        "colsample_bytree": 0.5,
        "random_state": 3,
    },
    "catboost": {
        "rsm": 0.5,
        "bootstrap_type": "Bernoulli",
        "subsample": 0.7,
        "random_state": 3,
    },
}


def make(library, kind="Regressor", **settings):
    """An estimator of a library, on one thread and silent."""
    module = pytest.importorskip(library)
    return getattr(module, PREFIX[library] + kind)(**{**CALM[library], **settings})


def rounds_of(library):
    """The name of the number of rounds."""
    return "iterations" if library == "catboost" else "n_estimators"


def regression(seed=0, n=90, p=5, **settings):
    """A target with noise."""
    return make_regression(n, p, noise=10, random_state=seed, **settings)


def classification(seed=0, n_classes=3):
    """Labels as whole numbers."""
    return make_classification(
        90, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=seed
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("library", LIBRARIES)
def test_rounds_of_regressors_equal_refits(library, random, seed):
    """Predictions of each number of rounds, also with rows and columns drawn."""
    X, y = regression(seed)
    model = make(library, **(RANDOM[library] if random else {}))
    assert_equals_refits(model, rounds_of(library), ROUNDS, X, y, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("library", LIBRARIES)
def test_rounds_of_classifiers_equal_refits(library, n_classes):
    """Labels and probabilities of each number of rounds."""
    X, y = classification(n_classes, n_classes)
    model = make(library, "Classifier")
    assert_equals_refits(model, rounds_of(library), ROUNDS, X, y, atol=1e-12)
    if library != "xgboost":  # which wants whole numbers
        y = np.array(["c", "a", "b"])[y]
        assert_equals_refits(model, rounds_of(library), ROUNDS, X, y, atol=1e-12)


@pytest.mark.parametrize(
    ("library", "settings"),
    [
        ("xgboost", {"objective": "count:poisson"}),
        ("xgboost", {"objective": "reg:absoluteerror"}),
        ("xgboost", {"num_parallel_tree": 2}),
        ("lightgbm", {"objective": "gamma"}),
        ("lightgbm", {"objective": "quantile", "alpha": 0.3}),
        ("lightgbm", {"objective": "mae"}),
        ("lightgbm", {"reg_sqrt": True}),
        ("lightgbm", {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1}),
        ("lightgbm", {"data_sample_strategy": "goss", "extra_trees": True}),
        ("catboost", {"loss_function": "Poisson"}),
    ],
)
def test_other_objectives_equal_refits(library, settings):
    """Links are undone as the library does it."""
    X, y = regression()
    y = np.exp(y / y.std())
    model = make(library, **settings)
    assert_equals_refits(model, rounds_of(library), ROUNDS, X, y, atol=1e-12)


@pytest.mark.parametrize(
    "settings", [{"objective": "multiclassova"}, {"objective": "cross_entropy"}]
)
def test_other_objectives_of_classifiers_equal_refits(settings):
    """Where raw scores have another meaning, the library is asked for each number."""
    X, y = classification(n_classes=2 if "cross" in settings["objective"] else 3)
    model = make("lightgbm", "Classifier", **settings)
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, atol=1e-12)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", ["whole", "uneven"])
def test_weights_equal_refits(library, kind):
    """Rows that count more, by whole numbers and by very different ones."""
    X, y = regression()
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, size=90).astype(float)
    if kind == "uneven":
        weight = 10.0 ** rng.uniform(-2, 2, size=90)
    assert_equals_refits(
        make(library), rounds_of(library), [9, 2], X, y, sample_weight=weight, atol=1e-9
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_odd_data_equal_refits(library):
    """Single precision, ties, constant columns, missing cells, offsets, wide tables."""
    X, y = regression()
    holes = np.where(X > 1, np.nan, X)
    constant = np.column_stack([np.round(X), np.full(len(X), 3.0)])
    for table, target in (
        (X.astype(np.float32), y),
        (constant, np.round(y)),
        (holes, y),
        (X[:, :1], y + 1e6 * y.std()),
        regression(n=24, p=40),
    ):
        assert_equals_refits(
            make(library), rounds_of(library), [5, 2], table, target, atol=1e-9
        )


@pytest.mark.parametrize("library", LIBRARIES)
def test_containers_equal_refits(library):
    """Frames, sparse rows, and rows behind a step of a pipeline."""
    pd = pytest.importorskip("pandas")
    X, y = regression()
    model, name = make(library), rounds_of(library)
    frame = pd.DataFrame(X, columns=list("abcde"))
    assert_equals_refits(model, name, [4, 2], frame, y, atol=1e-9)
    thin = sparse.csr_matrix(np.where(np.abs(X) > 0.5, X, 0))
    assert_equals_refits(model, name, [4, 2], thin, y, atol=1e-9)
    pipeline = make_pipeline(StandardScaler(), model)
    name = f"{pipeline.steps[-1][0]}__{name}"
    assert_equals_refits(pipeline, name, [4, 2], X, y, atol=1e-9)


def test_several_outputs_equal_refits():
    """XGBoost takes several targets, and labels of several kinds."""
    X, y = regression(n_targets=2)
    assert_equals_refits(make("xgboost"), "n_estimators", ROUNDS, X, y, atol=1e-9)


def test_lightgbm_that_stops_equals_refits():
    """Without leaves to split there are no more rounds."""
    X, y = regression()
    model = make("lightgbm", min_child_samples=60)
    assert_equals_refits(model, "n_estimators", ROUNDS, X, y, atol=1e-9)


@pytest.mark.parametrize(
    ("library", "settings"),
    [
        ("xgboost", {"booster": "dart", "rate_drop": 0.5}),
        ("xgboost", {"booster": "gblinear"}),
        ("lightgbm", {"boosting_type": "dart"}),
        ("lightgbm", {"objective": lambda y, z: (z - y, np.ones(len(y)))}),
        ("lightgbm", {"num_iterations": 4}),
        ("catboost", {"learning_rate": None}),
        ("catboost", {"model_shrink_rate": 0.1}),
    ],
)
def test_other_settings_are_refitted(library, settings):
    """The generic engine does what the family does not."""
    X, y = regression(n=60)
    model, name = make(library, **settings), rounds_of(library)
    assert find_family(model, name).unsupported(model, X, y, None, [2])
    if "num_iterations" not in settings:  # of which the library warns
        assert_equals_refits(model, name, [4, 2], X, y, served=False)


def test_early_stopping_is_off():
    """What the last fit is told about early stopping is told to all."""
    X, y = regression()
    model = make("xgboost", early_stopping_rounds=2)
    family = find_family(model, "n_estimators")
    path = family.fit_path(model, X, y, None, [3, 8])
    one = make("xgboost", n_estimators=3, **family.settings).fit(X, y)
    np.testing.assert_array_equal(path.predict(X)[0], one.predict(X))


@pytest.mark.parametrize("library", LIBRARIES)
def test_paths_tell_what_a_fit_tells(library):
    """Classes, shapes, the model with most rounds, the same after pickling."""
    X, y = classification()
    model = make(library, "Classifier")
    family = find_family(model, rounds_of(library))
    path = family.fit_path(model, X, y, None, ROUNDS)
    assert path.classes_.tolist() == [0, 1, 2]
    assert path.predict_proba(X).shape == (5, 90, 3)
    assert path.model(0) is None
    np.testing.assert_allclose(
        path.model(2).predict_proba(X), path.predict_proba(X)[2], rtol=1e-6
    )
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again.predict_proba(X), path.predict_proba(X))


@pytest.mark.parametrize("library", LIBRARIES)
def test_fewer_rounds_fit_training_rows_less_closely(library):
    """A stronger penalty has no lower training loss."""
    X, y = regression()
    model = make(library)
    family = find_family(model, rounds_of(library))
    assert family.stronger == "smaller"
    path = family.fit_path(model, X, y, None, [1, 4, 16, 64])
    loss = ((path.predict(X) - y) ** 2).mean(axis=1)
    assert (np.diff(loss) < 0).all()
    values = family.default_values(model, X, y, None)
    assert (np.diff(values) > 0).all()


def test_libraries_are_not_imported():
    """Importing the package leaves those of others alone."""
    code = (
        "import sys, genestimators; "
        "assert not {'xgboost', 'lightgbm', 'catboost'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_classes_are_known_by_path():
    """A family may name its class; subclasses of it are not served."""

    class Named(Rounds):
        estimator = f"{__name__}.Rows"
        param = "n_rounds"

    class Other(Rows):
        pass

    register_family(Named())
    assert type(find_family(Rows(), "n_rounds")) is Named
    assert find_family(Other(), "n_rounds") is None
    assert find_family(Rows(), "others") is None
    with pytest.raises(TypeError, match="full path"):
        register_family(Family())


class Rows:
    """A class that a family names."""
