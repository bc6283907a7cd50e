"""The optimism of a training score, against a plain loop."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from genestimators import Bootstrap, GroupBootstrap, InterpolatingWarning
from genestimators import generalization_error as error_of
from genestimators.resampling._hashing import derive, mix_int
from tests.diagnostics.toys import classes, regression

SEED = 3
N_SAMPLES = 12


def _draws(X, y, weight=None, groups=None, classifier=False):
    """The samples that are drawn for SEED."""
    first = np.random.RandomState(SEED).randint(np.iinfo(np.int32).max)
    seed = derive(mix_int(int(first)), "bootstrap")
    kind = Bootstrap() if groups is None else GroupBootstrap()
    told = {"classifier": classifier, "weight_mode": "importance"}
    return kind.prepare(X, y, weight, groups, seed, **told)


def _plain(model, X, y, scorer, draws, weight=None):
    """Optimism, scores on samples: every sample written out row by row."""

    def score(fitted, rows):
        told = {} if weight is None else {"sample_weight": weight[rows]}
        return scorer(fitted, X[rows], y[rows], **told)

    used = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    own, others = [], []
    for number in range(N_SAMPLES):
        draw = draws[number]
        fitted = clone(model).fit(X[draw.rows], y[draw.rows], draw.counts)
        times = draw.counts if weight is None else draw.counts / weight[draw.rows]
        sample = np.repeat(draw.rows, np.rint(times).astype(int))
        own.append(score(fitted, sample))
        others.append(score(fitted, used))
    given = weight if weight is None else weight[used]
    training = score(clone(model).fit(X[used], y[used], given), used)
    return training - np.mean(own) + np.mean(others), np.array(own), training


def _check(found, expected):
    score, own, training = expected
    assert found.score == pytest.approx(score, rel=1e-9)
    assert found.training_score == pytest.approx(training, rel=1e-9)
    assert found.std_error == pytest.approx(own.std(ddof=1), rel=1e-9)
    tail = (1 - found.confidence_level) / 2
    ends = np.quantile(own, [tail, 1 - tail]) - (training - score)
    np.testing.assert_allclose(found.interval, ends, rtol=1e-9)
    assert found.gap == pytest.approx(training - score)


@pytest.mark.parametrize(
    "scoring", ["r2", "neg_mean_absolute_error", "neg_root_mean_squared_error"]
)
@pytest.mark.parametrize("kind", ["rows", "groups", "weights"])
def test_numbers_equal_a_plain_loop(scoring, kind):
    X, y = regression(40, 3, seed=1)
    weight = groups = None
    if kind == "groups":
        groups = np.arange(40) % 9
    if kind == "weights":
        weight = np.random.default_rng(0).gamma(2, size=40)
        weight[::7] = 0.0
    found = error_of(
        LinearRegression(), X, y, scoring=scoring, method="optimism",
        n_repeats=N_SAMPLES, groups=groups, sample_weight=weight, random_state=SEED,
        confidence_level=0.8,
    )  # fmt: skip
    draws = _draws(X, y, weight, groups)
    scorer = get_scorer(scoring)
    _check(found, _plain(LinearRegression(), X, y, scorer, draws, weight))
    assert found.n_fits == N_SAMPLES + 1


@pytest.mark.parametrize(
    "scoring", ["accuracy", "roc_auc", "neg_log_loss", make_scorer(f1_score)]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_classes_equal_a_plain_loop(scoring, weighted):
    """Rank scores, and any other that is no mean over rows, too."""
    X, y = classes(50, 2, seed=2)
    weight = np.random.default_rng(1).gamma(2, size=50) if weighted else None
    found = error_of(
        GaussianNB(), X, y, scoring=scoring, method="optimism", n_repeats=N_SAMPLES,
        sample_weight=weight, random_state=SEED,
    )  # fmt: skip
    draws = _draws(X, y, weight, classifier=True)
    scorer = get_scorer(scoring)
    _check(found, _plain(GaussianNB(), X, y, scorer, draws, weight))


def _slope(estimator, X, y):
    return float(estimator.coef_[0]) + estimator.score(X, y)


def test_scorers_that_look_at_the_model():
    X, y = regression(40, 3, seed=4)
    found = error_of(
        LinearRegression(), X, y, scoring=_slope, method="optimism",
        n_repeats=N_SAMPLES, random_state=SEED,
    )  # fmt: skip
    _check(found, _plain(LinearRegression(), X, y, _slope, _draws(X, y)))


def test_ensembles_that_are_fitted_together_are_asked_as_models():
    """Members of a family have no draw of their own when nothing is predicted."""
    X, y = classes(40)
    forest = RandomForestClassifier(3, random_state=0)
    found = error_of(
        forest, X, y, method="optimism", n_repeats=5, random_state=0,
        scoring=lambda model, X, y: float(len(model.estimators_)),
    )  # fmt: skip
    assert found.score == 3.0


def test_jobs_do_not_matter():
    X, y = classes(40, seed=5)
    told = {"method": "optimism", "n_repeats": 6, "random_state": 0}
    one = error_of(LogisticRegression(), X, y, scoring="roc_auc", **told)
    with joblib.parallel_config("threading", n_jobs=2):
        two = error_of(LogisticRegression(), X, y, scoring="roc_auc", **told)
    assert one == two


def test_interpolation_is_told():
    X, y = regression(40)
    with pytest.warns(InterpolatingWarning, match="method='optimism' is too good"):
        error_of(
            DecisionTreeRegressor(), X, y, method="optimism", n_repeats=5,
            random_state=0,
        )  # fmt: skip


def test_several_scores_are_refused():
    X, y = classes()
    with pytest.raises(ValueError, match="one score, and the scorer gives several"):
        error_of(
            GaussianNB(), X, y, method="optimism", n_repeats=3,
            scoring=lambda model, X, y: {"a": 1.0, "b": 2.0},
        )  # fmt: skip


def test_missing_scores_are_refused():
    X, y = classes()

    def missing(model, X, y):
        return np.nan

    with pytest.raises(ValueError, match=r"on every bootstrap sample.*7 of 7 scores"):
        error_of(GaussianNB(), X, y, method="optimism", n_repeats=3, scoring=missing)
