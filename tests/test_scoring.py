"""Scores of predictions already made, and their standard errors."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    get_scorer,
    make_scorer,
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
)
from sklearn.metrics import r2_score as sklearn_r2

from genestimators import UnweightedScoreWarning
from genestimators._scoring import (
    Measure,
    Outputs,
    Score,
    mean_score,
    r2_score,
    resolve_measure,
    scorer_score,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
NUMBERS = X @ [1.0, -1.0, 0.5] + RNG.normal(size=200)
BINARY = (NUMBERS > 0.3).astype(int)
NAMES = np.array(["low", "mid", "high"])[np.digitize(NUMBERS, [-1, 1])]
WEIGHT = RNG.choice([0.5, 1.0, 3.0], size=200)
EVERY = np.arange(200)


def _outputs(model):
    regressor = not hasattr(model, "classes_")
    return Outputs(
        predict=model.predict(X),
        predict_proba=None if regressor else model.predict_proba(X),
        decision_function=None if regressor else model.decision_function(X),
        classes=None if regressor else model.classes_,
    )


def _value(measure, model, y, weight=None):
    return scorer_score(measure, _outputs(model), X, y, weight, EVERY, len(y)).value


CLASSIFIER_SCORERS = [
    "accuracy",
    "balanced_accuracy",
    "neg_log_loss",
    "f1_macro",
    "matthews_corrcoef",
]
BINARY_SCORERS = ["roc_auc", "average_precision", "neg_brier_score", "f1", "recall"]
MULTICLASS_SCORERS = ["roc_auc_ovr", "top_k_accuracy"]
REGRESSOR_SCORERS = [
    "r2",
    "neg_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_median_absolute_error",
    "explained_variance",
    "neg_max_error",
]


@pytest.mark.parametrize(
    ("name", "y"),
    [(name, BINARY) for name in [*CLASSIFIER_SCORERS, *BINARY_SCORERS]]
    + [(name, NAMES) for name in [*CLASSIFIER_SCORERS, *MULTICLASS_SCORERS]],
)
def test_stand_in_equals_the_classifier(name, y):
    """A scorer on the stand-in gives the score of the classifier itself."""
    model = LogisticRegression().fit(X, y)
    scorer = get_scorer(name)
    measure = Measure("scorer", resolve_measure(scorer, classifier=True).call)
    assert _value(measure, model, y) == scorer(model, X, y)
    try:
        expected = scorer(model, X, y, sample_weight=WEIGHT)
    except TypeError:  # the metric takes no weights
        return
    assert _value(measure, model, y, WEIGHT) == expected


@pytest.mark.parametrize("name", REGRESSOR_SCORERS)
def test_stand_in_equals_the_regressor(name):
    """A scorer on the stand-in gives the score of the regressor itself."""
    model = LinearRegression().fit(X, NUMBERS)
    scorer = get_scorer(name)
    measure = resolve_measure(scorer, classifier=False)
    assert measure.kind == "scorer"
    assert _value(measure, model, NUMBERS) == scorer(model, X, NUMBERS)


def test_stand_in_offers_what_there_is():
    """Without probabilities a scorer that needs them says so itself."""
    outputs = Outputs(predict=BINARY, classes=np.array([0, 1]))
    measure = resolve_measure("neg_log_loss", classifier=True)
    with pytest.raises(AttributeError, match="predict_proba"):
        scorer_score(measure, outputs, X, BINARY, None, EVERY, 200)
    scores = RNG.normal(size=200) + BINARY
    by_decision = Outputs(
        predict=BINARY, decision_function=scores, classes=np.array([0, 1])
    )
    measure = resolve_measure("roc_auc", classifier=True)
    value = scorer_score(measure, by_decision, X, BINARY, None, EVERY, 200).value
    better = scores[BINARY == 1][:, None] > scores[BINARY == 0]
    assert value == pytest.approx(better.mean())


@pytest.mark.parametrize(
    ("scoring", "classifier", "probabilities", "kind"),
    [
        (True, True, False, "accuracy"),
        (True, False, False, "r2"),
        ("accuracy", True, False, "accuracy"),
        ("r2", False, False, "r2"),
        ("neg_mean_squared_error", False, False, "squared"),
        ("neg_brier_score", True, True, "brier"),
        ("neg_brier_score", True, False, "scorer"),
        ("r2", True, False, "scorer"),
        ("accuracy", False, False, "scorer"),
        ("roc_auc", True, True, "scorer"),
        (mean_absolute_error, False, False, "scorer"),
        (get_scorer("r2"), False, False, "scorer"),
    ],
)
def test_resolve_measure(scoring, classifier, probabilities, kind):
    """The common losses are known by name; everything else is called."""
    measure = resolve_measure(
        scoring, classifier=classifier, probabilities=probabilities
    )
    assert measure.kind == kind
    assert (measure.call is None) == (kind != "scorer")


def test_unknown_scorer():
    """A name that scikit-learn does not know, in one sentence."""
    with pytest.raises(
        ValueError,
        match=r"`oob_score` must be True, False, a callable or the name of a scorer "
        r"\(see sklearn\.metrics\.get_scorer_names\(\)\)\. Got 'acuracy'\.",
    ):
        resolve_measure("acuracy", classifier=True)


def test_metrics_of_two_arguments():
    """A metric takes (y_true, y_pred), a scorer (estimator, X, y)."""
    model = LinearRegression().fit(X, NUMBERS)

    def by_hand(estimator, X, y):
        return -float(np.mean(np.abs(y - estimator.predict(X))))

    metric = resolve_measure(mean_absolute_error, classifier=False)
    scorer = resolve_measure(by_hand, classifier=False)
    expected = mean_absolute_error(NUMBERS, model.predict(X))
    assert _value(metric, model, NUMBERS) == pytest.approx(expected)
    assert _value(scorer, model, NUMBERS) == pytest.approx(-expected)
    weighted = mean_absolute_error(NUMBERS, model.predict(X), sample_weight=WEIGHT)
    assert _value(metric, model, NUMBERS, WEIGHT) == pytest.approx(weighted)


def test_scorers_without_weights_warn():
    """Where weights cannot be respected the user is told, once a score."""
    model = LinearRegression().fit(X, NUMBERS)

    def metric(y_true, y_pred):
        return float(np.max(np.abs(y_true - y_pred)))

    def scorer(estimator, X, y):
        return metric(y, estimator.predict(X))

    for scoring in (metric, scorer):
        measure = resolve_measure(scoring, classifier=False)
        with pytest.warns(
            UnweightedScoreWarning,
            match=r"takes no `sample_weight`, so scores made with it count every row "
            r"alike; pass a scorer that takes weights\.",
        ) as caught:
            value = _value(measure, model, NUMBERS, WEIGHT)
        assert len(caught) == 1
        assert value == metric(NUMBERS, model.predict(X))


def test_scores_subtract():
    """The error of a difference goes by the differences of the influences."""
    first = Score(0.7, np.array([0.1, -0.1, 0.0]))
    second = Score(0.5, np.array([0.1, 0.1, -0.2]))
    difference = first.minus(second)
    assert difference.value == pytest.approx(0.2)
    assert difference.std_error == pytest.approx(np.sqrt(3 / 2 * (0.04 + 0.04)))
    assert first.minus(first).std_error == 0.0
    assert np.isnan(Score(0.7, np.array([0.1])).std_error)


def test_mean_score_is_the_textbook_mean():
    """One row a cluster, no weights: minus the mean and s / sqrt(n)."""
    losses = RNG.exponential(size=200)
    score = mean_score(losses, None, EVERY, 200)
    assert score.value == pytest.approx(-losses.mean())
    assert score.std_error == pytest.approx(losses.std(ddof=1) / np.sqrt(200))


def test_mean_score_of_clusters_is_the_textbook_ratio():
    """The error of a ratio estimator, from the totals of clusters."""
    losses, clusters = RNG.exponential(size=200), RNG.integers(0, 17, size=200)
    score = mean_score(losses, WEIGHT, clusters, 17)
    mean = np.average(losses, weights=WEIGHT)
    totals = [
        sum(WEIGHT[i] * (losses[i] - mean) for i in range(200) if clusters[i] == c)
        for c in range(17)
    ]
    expected = np.sqrt(17 / 16 * np.sum(np.square(totals))) / WEIGHT.sum()
    assert score.value == pytest.approx(-mean)
    assert score.std_error == pytest.approx(expected)


def test_weights_equal_repeats_within_clusters():
    """A row of weight k in its cluster is k rows of the cluster."""
    losses = RNG.exponential(size=50)
    weight = RNG.integers(0, 4, size=50)
    rows = np.repeat(np.arange(50), weight)
    clusters = np.arange(50)
    weighted = mean_score(losses, weight.astype(float), clusters, 50)
    repeated = mean_score(losses[rows], None, clusters[rows], 50)
    assert weighted.value == pytest.approx(repeated.value)
    np.testing.assert_allclose(weighted.influence, repeated.influence, atol=1e-15)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_r2_equals_scikit_learn(weight):
    """R2 of one or several outputs, constant targets included."""
    targets = np.column_stack([NUMBERS, X[:, 0], np.ones(200), np.ones(200)])
    answers = targets + 0.3 * RNG.normal(size=(200, 4))
    answers[:, 2] = 1.0
    for columns in ([0], [0, 1], [2], [3], [0, 1, 2, 3]):
        y, p = targets[:, columns], answers[:, columns]
        score = r2_score((y - p) ** 2, y, weight, EVERY, 200)
        expected = sklearn_r2(y, p, sample_weight=weight)
        assert score.value == pytest.approx(expected)
    constant = r2_score(np.zeros((200, 1)), np.ones((200, 1)), weight, EVERY, 200)
    assert constant.std_error == 0.0


def _grouped_jackknife(value, clusters, n_clusters):
    """The standard error from leaving out one cluster at a time."""
    without = np.array([value(clusters != c) for c in range(n_clusters)])
    share = (n_clusters - 1) / n_clusters
    return np.sqrt(share * np.sum((without - without.mean()) ** 2))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("n_clusters", [40, 200])
def test_analytic_errors_equal_the_grouped_jackknife(weight, n_clusters):
    """Influences are first order: they meet the jackknife up to terms in 1 / n."""
    clusters = np.arange(200) % n_clusters
    y = NUMBERS[:, None]
    losses = (y - LinearRegression().fit(X, NUMBERS).predict(X)[:, None]) ** 2
    share = np.ones(200) if weight is None else weight

    def mean(kept):
        return np.average(losses[kept, 0], weights=share[kept])

    def r2(kept):
        centre = np.average(y[kept, 0], weights=share[kept])
        total = np.average((y[kept, 0] - centre) ** 2, weights=share[kept])
        return 1 - mean(kept) / total

    # Second-order terms are of relative size 1 / n_clusters: at most 0.025, and the
    # weights add their own spread; 10 per cent.
    found = mean_score(losses[:, 0], weight, clusters, n_clusters).std_error
    assert found == pytest.approx(
        _grouped_jackknife(mean, clusters, n_clusters), rel=0.1
    )
    found = r2_score(losses, y, weight, clusters, n_clusters).std_error
    assert found == pytest.approx(_grouped_jackknife(r2, clusters, n_clusters), rel=0.1)


@pytest.mark.slow
def test_analytic_errors_are_those_of_repeated_samples():
    """Over samples drawn anew, the standard errors are the spread of the scores."""
    rng = np.random.default_rng(5)
    values, errors = {"r2": [], "mse": []}, {"r2": [], "mse": []}
    for _ in range(1000):
        cluster = np.repeat(np.arange(50), 4)
        shared = rng.normal(size=50)[cluster]
        y = shared + rng.normal(size=200)
        p = 0.5 * shared + 0.3 * rng.normal(size=200)
        losses = ((y - p) ** 2)[:, None]
        scores = {
            "r2": r2_score(losses, y[:, None], None, cluster, 50),
            "mse": mean_score(losses[:, 0], None, cluster, 50),
        }
        for name, score in scores.items():
            values[name].append(score.value)
            errors[name].append(score.std_error)
    for name in values:
        # The spread of 1000 values is known within 1 / sqrt(2000) = 0.022; with the
        # bias of first order in 50 clusters, 10 per cent is four errors and more.
        spread = np.std(values[name])
        assert np.sqrt(np.mean(np.square(errors[name]))) == pytest.approx(
            spread, rel=0.1
        )


def test_jackknife_of_a_mean_is_the_grouped_textbook_formula():
    """A scorer that is a mean: the standard error of twenty parts of equal size."""
    losses = (NUMBERS - LinearRegression().fit(X, NUMBERS).predict(X)) ** 2
    outputs = Outputs(predict=LinearRegression().fit(X, NUMBERS).predict(X))
    measure = resolve_measure(mean_squared_error, classifier=False)
    score = scorer_score(measure, outputs, X, NUMBERS, None, EVERY, 200)
    parts = losses.reshape(20, 10).mean(axis=1)
    assert score.influence.shape == (20,)
    assert score.value == pytest.approx(losses.mean())
    assert score.std_error == pytest.approx(parts.std(ddof=1) / np.sqrt(20))


def test_jackknife_leaves_clusters_whole():
    """Rows of one cluster are left out together, in at most twenty parts."""
    clusters = RNG.integers(0, 6, size=200)
    seen = []

    def spy(y_true, y_pred):
        seen.append(frozenset(y_pred.astype(int).tolist()))
        return float(np.mean(y_pred))

    outputs = Outputs(predict=clusters.astype(float))
    score = scorer_score(
        resolve_measure(spy, classifier=False), outputs, X, NUMBERS, None, clusters, 6
    )
    assert score.influence.shape == (6,)
    assert seen[1:] == [frozenset({*range(6)} - {c}) for c in range(6)]


def test_jackknife_of_an_undefined_score_is_nan():
    """A part without which the score is undefined leaves the error unknown."""
    y = np.zeros(20, dtype=int)
    y[3] = 1
    outputs = Outputs(
        predict=y, decision_function=np.arange(20.0), classes=np.array([0, 1])
    )

    def strict(estimator, X, y):
        if len(np.unique(y)) < 2:
            raise ValueError("one class left")
        return 0.5

    measure = resolve_measure(strict, classifier=True)
    score = scorer_score(measure, outputs, X[:20], y, None, np.arange(20), 20)
    assert score.value == 0.5
    assert np.isnan(score.std_error)


def test_one_cluster_has_no_standard_error():
    """One cluster says nothing about others."""
    losses, zeros = np.ones(5), np.zeros(5, dtype=int)
    assert np.isnan(mean_score(losses, None, zeros, 1).std_error)
    outputs = Outputs(predict=np.ones(5))
    measure = resolve_measure(mean_absolute_error, classifier=False)
    assert np.isnan(scorer_score(measure, outputs, X, losses, None, zeros, 1).std_error)


def test_several_outputs():
    """A scorer of several outputs sees them as the estimator would give them."""
    Y = np.column_stack([NUMBERS, X[:, 0] - NUMBERS])
    model = LinearRegression().fit(X, Y)
    outputs = Outputs(predict=model.predict(X))
    measure = resolve_measure("neg_mean_absolute_error", classifier=False)
    score = scorer_score(measure, outputs, X, Y, None, EVERY, 200)
    assert score.value == get_scorer("neg_mean_absolute_error")(model, X, Y)


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(median_absolute_error, greater_is_better=False),
        make_scorer(accuracy_score),
    ],
)
def test_scorers_made_by_the_user(scorer):
    """A scorer from `make_scorer` runs unchanged."""
    classifier = "accuracy" in repr(scorer)
    y = BINARY if classifier else NUMBERS
    model = (LogisticRegression() if classifier else LinearRegression()).fit(X, y)
    measure = resolve_measure(scorer, classifier=classifier)
    assert _value(measure, model, y) == scorer(model, X, y)
    assert _value(measure, model, y, WEIGHT) == scorer(
        model, X, y, sample_weight=WEIGHT
    )
