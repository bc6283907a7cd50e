"""Several outputs at once: regression, classification, labels."""

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.bagging.toys import (
    OneArrayMultilabel,
    classification_data,
    multilabel_data,
    regression_data,
)

REGRESSORS = {
    "tree": DecisionTreeRegressor(max_depth=3),
    "ols": LinearRegression(),
    "ridge": Ridge(),
    "neighbors": KNeighborsRegressor(n_neighbors=3),
    "forest": RandomForestRegressor(n_estimators=3),
    "pls": PLSRegression(n_components=2),
    "one_each": MultiOutputRegressor(LinearSVR()),
    "chain": RegressorChain(Ridge()),
    "scaled": make_pipeline(StandardScaler(), Ridge()),
    "bag": BootstrapBaggingRegressor(Ridge(), n_estimators=3),
}
CLASSIFIERS = {
    "tree": DecisionTreeClassifier(max_depth=3),
    "forest": RandomForestClassifier(n_estimators=3),
    "neighbors": KNeighborsClassifier(n_neighbors=3),
    "one_each": MultiOutputClassifier(LogisticRegression()),
    "bag": BootstrapBaggingClassifier(
        DecisionTreeClassifier(max_depth=3), n_estimators=2
    ),
}
MULTILABEL = {
    "tree": DecisionTreeClassifier(max_depth=3),
    "neighbors": KNeighborsClassifier(n_neighbors=3),
    "one_array": OneArrayMultilabel(),
    "network": MLPClassifier(hidden_layer_sizes=(4,), max_iter=5),
    "scaled_network": make_pipeline(
        StandardScaler(), MLPClassifier(hidden_layer_sizes=(4,), max_iter=5)
    ),
}

# A bag within a bag is handed counts as weights, and finds few rows out of its bags.
pytestmark = pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")


def _cases(table):
    return [pytest.param(base, id=name) for name, base in table.items()]


def two_targets():
    """Labels of two outputs: three texts and two others."""
    X, codes = classification_data()
    other = (X[:, 1] > 0.8).astype(int)
    return X, np.column_stack(
        [np.array(["a", "b", "c"])[codes], np.array(["no", "yes"])[other]]
    )


@pytest.mark.parametrize("base", _cases(REGRESSORS))
def test_several_targets_are_averaged_each(base):
    """Predictions and out-of-bag predictions have one column for each target."""
    X, y = regression_data()
    Y = np.column_stack([y, -y, X[:, 0]])
    bag = BootstrapBaggingRegressor(base, n_estimators=10, random_state=0).fit(X, Y)
    mean = np.mean([member.predict(X) for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict(X), mean, rtol=1e-12, atol=1e-12)
    assert bag.oob_prediction_.shape == Y.shape
    assert np.isfinite(bag.oob_score_)


def test_one_target_in_a_column_warns_and_is_flattened():
    """A target of one column is one target, with scikit-learn's warning."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=3, random_state=0)
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        bag.fit(X, y[:, None])
    column = bag.predict(X)
    np.testing.assert_array_equal(column, bag.fit(X, y).predict(X))


@pytest.mark.parametrize("base", _cases(CLASSIFIERS))
def test_several_class_outputs(base):
    """Each output has classes and probabilities of its own; the likeliest wins."""
    X, Y = two_targets()
    bag = BootstrapBaggingClassifier(base, n_estimators=5, random_state=0).fit(X, Y)
    assert [labels.tolist() for labels in bag.classes_] == [
        ["a", "b", "c"],
        ["no", "yes"],
    ]
    parts = bag.predict_proba(X)
    members = [member.predict_proba(X) for member in bag.estimators_]
    predicted = bag.predict(X)
    assert predicted.shape == Y.shape
    for output, part in enumerate(parts):
        np.testing.assert_allclose(part.sum(axis=1), 1)
        np.testing.assert_allclose(
            part, np.mean([each[output] for each in members], axis=0), atol=1e-12
        )
        np.testing.assert_array_equal(
            predicted[:, output], bag.classes_[output][part.argmax(axis=1)]
        )
    assert [part.shape for part in bag.oob_decision_function_] == [(60, 3), (60, 2)]
    assert len(bag.predict_log_proba(X)) == 2
    assert not hasattr(bag, "decision_function")


@pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)
@pytest.mark.parametrize("base", _cases(MULTILABEL))
def test_multilabel(base):
    """Labels may be many a row, whether a member answers in one array or a list."""
    X, Y = multilabel_data()
    bag = BootstrapBaggingClassifier(base, n_estimators=5, random_state=0).fit(X, Y)
    assert [labels.tolist() for labels in bag.classes_] == [[0, 1]] * 3
    members = [member.predict_proba(X) for member in bag.estimators_]
    for label, part in enumerate(bag.predict_proba(X)):
        present = [
            each[label][:, 1] if isinstance(each, list) else each[:, label]
            for each in members
        ]
        np.testing.assert_allclose(part[:, 1], np.mean(present, axis=0), atol=1e-12)
        np.testing.assert_array_equal(
            bag.predict(X)[:, label], (part[:, 1] > part[:, 0]).astype(int)
        )
    assert 0 <= bag.oob_score_ <= 1


def test_chain_of_labels_in_one_array():
    """A classifier chain answers in one array and works."""
    X, Y = multilabel_data()
    base = ClassifierChain(LogisticRegression())
    bag = BootstrapBaggingClassifier(base, n_estimators=3, random_state=0).fit(X, Y)
    present = np.mean([member.predict_proba(X) for member in bag.estimators_], axis=0)
    ours = np.column_stack([part[:, 1] for part in bag.predict_proba(X)])
    np.testing.assert_allclose(ours, present)


@pytest.mark.parametrize("constant", [0, 1])
@pytest.mark.parametrize("base", [DecisionTreeClassifier(), OneArrayMultilabel()])
def test_label_that_is_the_same_in_every_row(base, constant):
    """A label that never varies has one class, of probability one."""
    X, Y = multilabel_data()
    Y[:, 1] = constant
    bag = BootstrapBaggingClassifier(base, n_estimators=3, random_state=0).fit(X, Y)
    assert bag.classes_[1].tolist() == [constant]
    np.testing.assert_array_equal(bag.predict(X)[:, 1], constant)
    assert bag.predict_proba(X)[1].shape == (len(X), 1)


@pytest.mark.parametrize("base", [DecisionTreeClassifier(), KNeighborsClassifier(2)])
def test_label_that_is_missing_from_replicates(base):
    """A rare label is absent from some replicates; its columns stay where they are."""
    X, Y = multilabel_data(30)
    Y[:, 2] = 0
    Y[4, 2] = 1
    bag = BootstrapBaggingClassifier(base, n_estimators=10, random_state=0).fit(X, Y)
    seen = {len(member.classes_[2]) for member in bag.estimators_}
    assert seen == {1, 2}
    part = bag.predict_proba(X)[2]
    assert part.shape == (30, 2)
    np.testing.assert_allclose(part.sum(axis=1), 1)


@pytest.mark.parametrize("aggregate", ["median", "trimmed", "vote", "logit"])
def test_every_aggregate_with_several_outputs(aggregate):
    """Probabilities of each output sum to one under every aggregate."""
    X, Y = two_targets()
    bag = BootstrapBaggingClassifier(
        DecisionTreeClassifier(max_depth=3),
        aggregate=aggregate,
        n_estimators=10,
        random_state=0,
    ).fit(X, Y)
    for output, part in enumerate(bag.predict_proba(X)):
        np.testing.assert_allclose(part.sum(axis=1), 1)
        np.testing.assert_array_equal(
            bag.predict(X)[:, output], bag.classes_[output][part.argmax(axis=1)]
        )
