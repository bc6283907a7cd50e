"""What two models say of a loss, row by row."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import brier_score_loss, log_loss, mean_squared_error

from genestimators.diagnostics.decomposition._losses import Loss, resolve_loss


def _probabilities(rng, *shape):
    answer = rng.random(shape) + 0.01
    return answer / answer.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_squared_error_is_split_without_bias(seed):
    """The formulas of the definition, one row and value at a time."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 2, 7, 3))
    target = rng.normal(size=(7, 3))
    variance, rest = Loss("squared_error").pair_terms(first, second, target)
    for v in range(2):
        for i in range(7):
            f, g, y = first[v, i], second[v, i], target[i]
            assert variance[v, i] == pytest.approx(np.mean((f - g) ** 2 / 2))
            assert rest[v, i] == pytest.approx(np.mean((y - f) * (y - g)))


@pytest.mark.parametrize("sizes", [[2], [3], [2, 4]])
@pytest.mark.parametrize("name", ["brier", "log_loss", "zero_one"])
def test_parts_add_up_to_the_mean_loss(name, sizes):
    """Variance and the rest are the mean loss of both, as scikit-learn has it."""
    rng = np.random.default_rng(len(sizes))
    known = tuple(np.arange(k) for k in sizes)
    loss = Loss(name, known)
    y = np.stack([rng.integers(k, size=40) for k in sizes], axis=1)
    target = loss.target(y)
    if name == "zero_one":
        answers = np.stack([rng.integers(k, size=(2, 40)) for k in sizes], axis=-1)
        answers = answers.astype(float)
    else:
        parts = [_probabilities(rng, 2, 40, k) for k in sizes]
        answers = np.concatenate(parts, axis=-1)
    terms = loss.pair_terms(answers[:1], answers[1:], target)[:, 0]
    single = loss.of_rows(answers, target)
    np.testing.assert_allclose(terms.sum(axis=0), single.mean(axis=0))
    assert (terms[0] >= -1e-15).all()
    if name == "zero_one":
        expected = (answers != y).any(axis=2).mean(axis=1)
    else:
        scorer = {"brier": brier_score_loss, "log_loss": log_loss}[name]
        expected = np.zeros(2)
        for part, column, labels in zip(parts, y.T, known, strict=True):
            for i in range(2):
                # Without this it halves or not by the number of classes, as here.
                expected[i] += scorer(column, part[i], labels=labels) / len(sizes)
    np.testing.assert_allclose(single.mean(axis=1), expected)


def test_equal_models_have_no_variance():
    rng = np.random.default_rng(0)
    answer = _probabilities(rng, 1, 20, 3)
    y = rng.integers(3, size=(20, 1))
    for name in ("brier", "log_loss"):
        loss = Loss(name, (np.arange(3),))
        variance, rest = loss.pair_terms(answer, answer, loss.target(y))
        np.testing.assert_allclose(variance, 0.0, atol=1e-15)
        np.testing.assert_allclose(rest, loss.of_rows(answer, loss.target(y)))


def test_log_loss_of_near_models_has_the_variance_of_their_logarithms():
    """To second order: half the variance of log-odds times p (1 - p)."""
    p, step = 0.3, 1e-3
    odds = np.log(p / (1 - p)) + np.array([-step, step])
    q = 1 / (1 + np.exp(-odds))
    answers = np.stack([1 - q, q], axis=-1)[:, None, None]
    loss = Loss("log_loss", (np.arange(2),))
    variance, _ = loss.pair_terms(*answers, loss.target(np.array([[1]])))
    sample_variance = 2 * step**2  # of two numbers, with one degree of freedom
    assert variance[0, 0] == pytest.approx(p * (1 - p) * sample_variance / 2, rel=1e-3)


def test_certain_models_that_are_wrong_have_a_finite_log_loss():
    loss = Loss("log_loss", (np.arange(2),))
    answer = np.array([[[1.0, 0.0]]])
    terms = loss.pair_terms(answer, 1 - answer, loss.target(np.array([[1]])))
    assert np.isfinite(terms).all()


def test_squared_error_of_rows_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    answer, target = rng.normal(size=(2, 30, 2))
    found = Loss("squared_error").of_rows(answer, target).mean()
    assert found == pytest.approx(mean_squared_error(target, answer))


@pytest.mark.parametrize(
    ("estimator", "name", "found"),
    [
        (Ridge(), "auto", "squared_error"),
        (DummyClassifier(), "auto", "brier"),
        (RidgeClassifier(), "auto", "zero_one"),
        (DummyClassifier(), "log_loss", "log_loss"),
    ],
)
def test_names(estimator, name, found):
    classifier = not isinstance(estimator, Ridge)
    classes = (np.arange(2),) if classifier else ()
    problem = SimpleNamespace(
        estimator=estimator, classifier=classifier, classes=classes
    )
    assert resolve_loss(name, problem).name == found


@pytest.mark.parametrize(
    ("estimator", "name", "message"),
    [
        (Ridge(), "brier", "one of classifiers.*is a regressor; set `loss` to"),
        (DummyClassifier(), "squared_error", "one of regressors.*is a classifier"),
        (RidgeClassifier(), "log_loss", "needs probabilities.*`predict_proba`; set"),
    ],
)
def test_losses_that_do_not_go_with_the_estimator(estimator, name, message):
    classifier = not isinstance(estimator, Ridge)
    problem = SimpleNamespace(
        estimator=estimator, classifier=classifier, classes=(np.arange(2),)
    )
    with pytest.raises(ValueError, match=message):
        resolve_loss(name, problem)
