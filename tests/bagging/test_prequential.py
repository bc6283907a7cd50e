"""The prequential score: rows are scored before they are learned."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_poisson_deviance,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OutOfBagWarning,
)
from genestimators._row_losses import OF_SCORERS
from genestimators._scoring import mean_score
from genestimators._scoring import r2_score as r2_with_influence
from genestimators.bagging._prequential import RunningScore
from tests.bagging.stream_toys import BY_POSITION, CountsWeights, Shares, in_batches
from tests.bagging.toys import classification_data, regression_data

WEIGHT = np.random.default_rng(3).integers(0, 4, 60).astype(float)


def log_mean(answers):
    """Means of logarithms of probabilities, as probabilities."""
    mean = np.exp(np.mean(np.log(answers), axis=0))
    return mean / mean.sum(axis=-1, keepdims=True)


def trimmed(answers):
    """A mean without a tenth at either end."""
    cut = int(0.1 * len(answers))
    return np.sort(answers, axis=0)[cut : len(answers) - cut].mean(axis=0)


COMBINE = {
    "mean": lambda answers: np.mean(answers, axis=0),
    "median": lambda answers: np.median(answers, axis=0),
    "trimmed": trimmed,
    "logit": log_mean,
}


def one_by_one(bag, X, y, size, classes=None, sample_weight=None):
    """What is predicted for each row before it is learned, by a plain loop.

    Returns
    -------
    rows : list of int
    predicted : ndarray
    """
    bag = clone(bag).set_params(oob_score=False)
    weighted = None if sample_weight is None else sample_weight
    draws = None
    rows, predicted = [], []
    for start in range(0, len(y), size):
        part = slice(start, start + size)
        if start:
            if draws is None:
                draws = BY_POSITION.prepare(
                    X, y, weighted, seed=bag._seed, weight_mode=bag.weight_mode
                )
            for row in range(start, min(start + size, len(y))):
                if weighted is not None and not weighted[row]:
                    continue
                out = [row in draws[b].out_of_bag for b in range(bag.n_estimators)]
                members = [
                    model
                    for left, model in zip(out, bag._stream.members, strict=True)
                    if left and model is not None
                ]
                if members:
                    rows.append(row)
                    ask = "predict" if classes is None else "predict_proba"
                    answers = [getattr(m, ask)(X[[row]])[0] for m in members]
                    predicted.append(COMBINE[bag.aggregate](np.array(answers)))
        given = {} if classes is None else {"classes": classes}
        if weighted is not None:
            given["sample_weight"] = weighted[part]
        bag.partial_fit(X[part], y[part], **given)
    return rows, np.array(predicted)


OF_NUMBERS = {
    True: r2_score,
    "r2": r2_score,
    "neg_mean_squared_error": lambda *a, **k: -mean_squared_error(*a, **k),
    "neg_root_mean_squared_error": lambda *a, **k: -root_mean_squared_error(*a, **k),
    "neg_mean_absolute_error": lambda *a, **k: -mean_absolute_error(*a, **k),
    "neg_mean_poisson_deviance": lambda *a, **k: -mean_poisson_deviance(*a, **k),
}


@pytest.mark.parametrize("scorer", OF_NUMBERS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize(("size", "aggregate"), [(7, "mean"), (20, "trimmed")])
def test_scores_of_numbers_equal_those_of_a_plain_loop(scorer, weight, size, aggregate):
    """Each row is predicted by the members that will leave it out, and no others."""
    X, y = regression_data()
    y = np.abs(y) + 1.0
    base = CountsWeights()  # predicts positive numbers, as a deviance wants
    bag = BootstrapBaggingRegressor(
        base, n_estimators=12, random_state=1, aggregate=aggregate, oob_score=scorer
    )
    rows, predicted = one_by_one(bag, X, y, size, sample_weight=weight)
    own = None if weight is None else weight[rows]
    expected = OF_NUMBERS[scorer](y[rows], predicted, sample_weight=own)
    in_batches(bag, X, y, [size], sample_weight=weight)
    np.testing.assert_allclose(bag.prequential_score_, expected, rtol=1e-9)


def brier_score(y, p, sample_weight):
    """In [0, 1] for two classes, as scikit-learn has it."""
    losses = ((p - (y[:, None] == np.arange(p.shape[1]))) ** 2).sum(axis=1)
    return np.average(losses, weights=sample_weight) / (2 if p.shape[1] == 2 else 1)


def _as_labels(score):
    return lambda y, p, **k: score(y, p.argmax(axis=1), **k)


OF_CLASSES = {
    True: _as_labels(accuracy_score),
    "accuracy": _as_labels(accuracy_score),
    "neg_log_loss": lambda *a, **k: -log_loss(*a, **k),
    "neg_brier_score": lambda *a, **k: -brier_score(*a, **k),
}


@pytest.mark.parametrize("scorer", OF_CLASSES)
@pytest.mark.parametrize(
    ("weight", "size", "aggregate", "n_classes"),
    [(None, 20, "mean", 3), (WEIGHT, 7, "logit", 2), (WEIGHT, 20, "median", 2)],
)
def test_scores_of_classes_equal_those_of_a_plain_loop(
    scorer, weight, size, aggregate, n_classes
):
    """The same for labels and probabilities."""
    X, y = classification_data(n_classes=n_classes)
    classes = list(range(n_classes))
    bag = BootstrapBaggingClassifier(
        SGDClassifier(loss="log_loss", alpha=1.0),
        n_estimators=12,
        random_state=1,
        aggregate=aggregate,
        oob_score=scorer,
    )
    rows, predicted = one_by_one(bag, X, y, size, classes, weight)
    predicted /= predicted.sum(axis=1, keepdims=True)
    own = None if weight is None else weight[rows]
    expected = OF_CLASSES[scorer](y[rows], predicted, sample_weight=own)
    in_batches(bag, X, y, [size], classes, weight)
    np.testing.assert_allclose(bag.prequential_score_, expected, rtol=1e-9)


def test_every_score_that_is_offered_is_tested():
    """Above are all of them but the deviance of gamma, which is another's power."""
    tested = {*OF_NUMBERS, *OF_CLASSES, "neg_mean_gamma_deviance"}
    assert tested == {True, *OF_SCORERS}


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["r2", "neg_mean_squared_error"])
def test_standard_errors_from_sums_equal_those_of_all_rows(
    name, weighted, offset, n_outputs
):
    """Sums over batches tell what the influences of all rows tell."""
    rng = np.random.default_rng(0)
    target = offset + rng.normal(size=(200, n_outputs)) * np.arange(1, n_outputs + 1)
    answer = target + 0.5 * rng.standard_t(5, size=target.shape)
    weight = rng.uniform(0.1, 3, 200) if weighted else None
    running = RunningScore(OF_SCORERS[name])
    losses = (answer - target) ** 2
    for start in range(0, 200, 33):
        part = slice(start, start + 33)
        own = None if weight is None else weight[part]
        running = running.added(losses[part], target[part], own)
    clusters = np.arange(200)
    if name == "r2":
        expected = r2_with_influence(losses, target, weight, clusters, 200)
    else:
        expected = mean_score(losses.mean(axis=1), weight, clusters, 200)
    # An offset of a million leaves ten digits of the squares about its first mean.
    np.testing.assert_allclose(running.value, expected.value, rtol=1e-9)
    np.testing.assert_allclose(running.std_error, expected.std_error, rtol=1e-7)


def test_standard_error_of_a_root():
    """The root of a mean has half its standard error, over the root."""
    rng = np.random.default_rng(0)
    losses = rng.normal(size=(300, 1)) ** 2
    mean = RunningScore(OF_SCORERS["neg_mean_squared_error"])
    root = RunningScore(OF_SCORERS["neg_root_mean_squared_error"])
    mean, root = (one.added(losses, losses, None) for one in (mean, root))
    np.testing.assert_allclose(root.value**2, -mean.value)
    np.testing.assert_allclose(root.std_error, mean.std_error / 2 / -root.value)


@pytest.mark.parametrize("met", [True, False])
def test_a_constant_target(met):
    """R2 is 1 if it is met exactly, else 0; rounding of its mean is no spread."""
    target = np.full((30, 1), 1e6 + 0.1)
    losses = np.zeros((30, 1)) if met else np.full((30, 1), 0.5)
    running = RunningScore(OF_SCORERS["r2"])
    for start in range(0, 30, 7):
        part = slice(start, start + 7)
        running = running.added(losses[part], target[part], None)
    assert running.value == float(met)
    assert running.std_error == 0.0


def test_one_row_has_no_standard_error():
    """Nor has none a score."""
    running = RunningScore(OF_SCORERS["neg_mean_squared_error"])
    assert np.isnan(running.value)
    assert np.isnan(running.std_error)
    running = running.added(np.ones((1, 1)), np.ones((1, 1)), None)
    assert running.value == -1.0
    assert np.isnan(running.std_error)


def test_the_first_batch_is_not_scored():
    """There is no model before it; whatever follows is scored."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(SGDRegressor(), n_estimators=10, random_state=0)
    assert np.isnan(bag.partial_fit(X[:30], y[:30]).prequential_score_)
    assert np.isnan(bag.prequential_score_std_error_)
    bag.partial_fit(X[30:40], y[30:40])
    assert bag._stream.running.n_rows == 10
    assert np.isfinite(bag.prequential_score_)


def test_learning_does_not_depend_on_scoring():
    """The score is only read off."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(SGDRegressor(), n_estimators=10, random_state=0)
    scored = in_batches(clone(bag), X, y, [7]).predict(X)
    bag.set_params(oob_score=False)
    np.testing.assert_array_equal(in_batches(bag, X, y, [7]).predict(X), scored)


def test_several_outputs():
    """R2 is averaged over them, as scikit-learn does."""
    X, y = regression_data()
    Y = np.column_stack([y, 3 * X[:, 2]])
    bag = BootstrapBaggingRegressor(
        MLPRegressor(hidden_layer_sizes=(5,)), n_estimators=10, random_state=0
    )
    rows, predicted = one_by_one(bag, X, Y, 15)
    in_batches(bag, X, Y, [15])
    expected = r2_score(Y[rows], predicted)
    np.testing.assert_allclose(bag.prequential_score_, expected, rtol=1e-9)


@pytest.mark.parametrize("base", [SGDClassifier(), Shares()])
def test_votes_and_decisions_are_scored_by_their_labels(base):
    """Accuracy needs no probabilities."""
    X, y = classification_data(labels=["a", "b", "c"])
    aggregate = "vote" if isinstance(base, Shares) else "mean"
    bag = BootstrapBaggingClassifier(
        base, n_estimators=10, random_state=0, aggregate=aggregate
    )
    in_batches(bag, X, y, [10], classes=["a", "b", "c"])
    assert 0 < bag.prequential_score_ < 1


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_answers_that_are_not_finite():
    """Rows that members answer with NaN are left aside, with a warning."""
    X, y = classification_data(n_classes=2)
    bag = BootstrapBaggingClassifier(
        GaussianNB(), n_estimators=10, random_state=0, oob_score="neg_log_loss"
    )
    bag.partial_fit(X[:1], y[:1], [0, 1])  # of one row there is no variance
    with pytest.warns(OutOfBagWarning, match="5 of 5 rows of a batch are not in the"):
        bag.partial_fit(X[1:6], y[1:6])
    assert np.isnan(bag.prequential_score_)
    bag.partial_fit(X[6:40], y[6:40]).partial_fit(X[40:], y[40:])
    assert np.isfinite(bag.prequential_score_)


@pytest.mark.slow
def test_the_score_is_that_of_new_rows():
    """Over many streams the mean prequential score is that on rows of the same kind.

    The comparison is paired: before each batch the bag of all members is scored on
    fresh rows. Members that leave a row out are seven of twenty, so the running score
    has the variance of fewer members: that and its noise are the tolerance.
    """
    differences = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        bag = BootstrapBaggingRegressor(
            SGDRegressor(),
            n_estimators=20,
            random_state=seed,
            oob_score="neg_mean_squared_error",
        )
        fresh = []
        for turn in range(6):
            X = rng.normal(size=(100, 3))
            y = X[:, 0] + rng.normal(size=100)
            if turn:
                new = rng.normal(size=(1000, 3))
                miss = bag.predict(new) - new[:, 0]
                fresh.append(-(miss @ miss) / 1000 - 1.0)  # the noise has variance one
            bag.partial_fit(X, y)
        differences.append(bag.prequential_score_ - np.mean(fresh))
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    # One in a thousand correct runs is beyond 3.5 standard errors; 0.01 of a loss of
    # about one for the fewer members.
    assert abs(np.mean(differences)) < 3.5 * error + 0.01
