"""Random splits for any score, against their formulas written out."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_squared_error, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from genestimators import (
    CoverageWarning,
    GroupSubsample,
    RepeatedFolds,
    Subsample,
    generalization_error,
)
from genestimators.diagnostics._problem import make_problem
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import classes, regression

METHODS = ["corrected_t", "conservative_z"]


def _auc(y, model, X, weight):
    return roc_auc_score(y, model.predict_proba(X)[:, 1], sample_weight=weight)


def _squares(y, model, X, weight):
    """What R2 and roots are made of, once splits are averaged."""
    return mean_squared_error(y, model.predict(X), sample_weight=weight)


def _accuracy(y, model, X, weight):
    return accuracy_score(y, model.predict(X), sample_weight=weight)


CASES = {
    "roc_auc": (GaussianNB(), _auc),
    "accuracy": (GaussianNB(), _accuracy),
    "r2": (Ridge(), _squares),
    "neg_root_mean_squared_error": (Ridge(), _squares),
}


def _data(scoring, *, weighted, grouped, n=90):
    X, y = classes(n) if scoring in ("roc_auc", "accuracy") else regression(n)
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.2, 3, n) * (rng.random(n) > 0.1) if weighted else None
    groups = rng.integers(20, size=n) if grouped else None
    return X, y, weight, groups


def _splits(problem, rows, share, n, *name, by_class=True):
    """Random splits of some rows, as positions."""
    X, y = problem.X[rows], problem.y[rows]
    weight = None if problem.weight is None else problem.weight[rows]
    groups = None if problem.groups is None else problem.groups[rows]
    kind = Subsample if groups is None else GroupSubsample
    draws = kind(1 - share).prepare(
        X,
        y,
        weight,
        groups,
        derive(problem.seed, *name),
        classifier=problem.classifier and by_class,
        weight_mode="importance",
    )
    return [(rows[draws[b].rows], rows[draws[b].out_of_bag]) for b in range(n)]


def _as_score(scoring, problem, mean, error):
    """A mean of squares over splits as the score that it makes, with its error."""
    if scoring == "r2":
        spread = np.cov(problem.y, aweights=problem.weights, ddof=0)
        return 1 - mean / spread, error / spread
    if scoring == "neg_root_mean_squared_error":
        return -np.sqrt(mean), error / (2 * np.sqrt(mean))
    return mean, error


def _scores(problem, splits, score):
    """Scores of splits, and the weight of their tests over that of training."""
    weight, found = problem.weights, []
    for train, test in splits:
        model = problem.estimator.fit(
            problem.X[train], problem.y[train], sample_weight=weight[train]
        )
        own = score(problem.y[test], model, problem.X[test], weight[test])
        found.append((own, weight[test].sum() / weight[train].sum()))
    return np.array(found).T


def _interval(scoring, mean, error, quantile, n_rows):
    """On the scale that suits the score."""
    if scoring == "roc_auc":
        return mean - quantile * error, mean + quantile * error
    if scoring == "accuracy":
        n = min(mean * (1 - mean) / error**2, n_rows)
        share, square = 1 - mean, quantile**2 / n
        ends = np.roots([1 + square, -(2 * share + square), share**2])
        return tuple(1 - np.sort(ends)[::-1])
    loss, slope = (1 - mean, 1) if scoring == "r2" else (mean**2, -2 * mean)
    reach = np.exp(quantile * error * slope / loss)
    if scoring == "r2":
        return 1 - loss * reach, 1 - loss / reach
    return -np.sqrt(loss * reach), -np.sqrt(loss / reach)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", CASES)
def test_corrected_t_by_hand(scoring, weighted, grouped):
    X, y, weight, groups = _data(scoring, weighted=weighted, grouped=grouped)
    model, score = CASES[scoring]
    told = {"groups": groups, "sample_weight": weight, "random_state": 0}
    found = generalization_error(
        model, X, y, scoring=scoring, method="corrected_t", **told
    )
    problem = make_problem("f", model, X, y, **told)
    told = {"by_class": scoring == "roc_auc"}
    splits = _splits(problem, np.arange(90), 0.2, 25, "splits", **told)
    scores, ratio = _scores(problem, splits, score)
    error = np.sqrt((1 / 25 + ratio.mean()) * scores.var(ddof=1))
    mean, error = _as_score(scoring, problem, scores.mean(), error)
    assert found.score == pytest.approx(mean)
    assert found.std_error == pytest.approx(error)
    n_rows = np.count_nonzero(problem.weights)
    quantile = stats.t.ppf(0.975, 24)
    expected = _interval(scoring, mean, error, quantile, n_rows)
    assert found.interval == pytest.approx(expected)
    assert found.n_fits == 26


@pytest.mark.parametrize(
    ("weighted", "grouped"), [(False, False), (True, False), (True, True)]
)
@pytest.mark.parametrize("scoring", ["roc_auc", "r2"])
def test_conservative_z_by_hand(scoring, weighted, grouped):
    X, y, weight, groups = _data(scoring, weighted=weighted, grouped=grouped)
    model, score = CASES[scoring]
    told = {"groups": groups, "sample_weight": weight, "random_state": 0}
    found = generalization_error(
        model, X, y, scoring=scoring, method="conservative_z", n_repeats=2, **told
    )
    problem = make_problem("f", model, X, y, **told)
    told = {"by_class": scoring == "roc_auc"}
    whole = _splits(problem, np.arange(90), 0.2, 15, "splits", **told)
    mean = _scores(problem, whole, score)[0].mean()
    halves = RepeatedFolds(2).prepare(
        X,
        y,
        weight,
        groups,
        derive(problem.seed, "folds"),
        classifier=told["by_class"],
    )
    units = np.arange(90) if groups is None else groups
    n_units = len(np.unique(units[problem.weights > 0]))
    squares = 0.0
    for pair in range(2):
        own = []
        for number in (2 * pair, 2 * pair + 1):
            rows = halves[number].rows
            share = 0.2 * n_units / len(np.unique(units[rows]))
            splits = _splits(problem, rows, share, 15, "inside", number, **told)
            own.append(_scores(problem, splits, score)[0].mean())
        assert not set(units[halves[2 * pair].rows]) & set(units[rows])
        squares += (own[0] - own[1]) ** 2
    error = np.sqrt(squares / (2 * 2))
    mean, error = _as_score(scoring, problem, mean, error)
    assert found.score == pytest.approx(mean)
    assert found.std_error == pytest.approx(error)
    n_rows = np.count_nonzero(problem.weights)
    expected = _interval(scoring, mean, error, stats.norm.ppf(0.975), n_rows)
    assert found.interval == pytest.approx(expected)
    assert found.n_fits == 15 + 2 * 2 * 15 + 1


def test_splits_of_halves_test_as_many_rows():
    X, y = regression(60)
    sizes = []

    def count(model, X, y):
        sizes.append(len(y))
        return float(len(y))

    told = {"scoring": count, "random_state": 0}
    with pytest.warns(CoverageWarning, match="the same on every split"):
        generalization_error(
            Ridge(), X, y, method="conservative_z", n_repeats=2, **told
        )
    # All rows are scored once in the end, and when the scorer is tried out.
    assert [size for size in sizes if size != 60] == [12] * (15 + 60)
    with pytest.warns(CoverageWarning, match="the same on every split"):
        found = generalization_error(Ridge(), X, y, method="corrected_t", **told)
    assert found.score == 12.0
    assert found.interval == (12.0, 12.0)


@pytest.mark.parametrize("method", METHODS)
def test_any_scorer(method):
    """Those that look at the fitted model too."""
    X, y = regression(40)
    told = {"method": method, "n_repeats": 2, "random_state": 0}
    found = generalization_error(
        Ridge(), X, y, scoring=lambda model, X, y: model.coef_[0], **told
    )
    low, high = found.interval
    assert found.score - low == pytest.approx(high - found.score)
    full = Ridge().fit(X, y).coef_[0]
    assert found.training_score == pytest.approx(full)
    assert found.score == pytest.approx(full, abs=0.3)
    by_default = generalization_error(
        Ridge(), X, y, scoring=lambda model, X, y: model.coef_[0], random_state=0
    )
    assert by_default.method == "corrected_t"


@pytest.mark.parametrize("method", METHODS)
def test_bounds_are_kept_where_they_are_known(method):
    """Accuracies near one, R2 near one, errors near zero."""
    X, y = classes(40)
    told = {"method": method, "n_repeats": 3, "random_state": 0}
    model = DecisionTreeClassifier(random_state=0)
    found = generalization_error(model, X, (X[:, 0] > 0).astype(int), **told)
    assert 0.5 < found.interval[0] <= found.score <= found.interval[1] <= 1
    low, high = generalization_error(Ridge(), X, X[:, 0], **told).interval
    assert low < high < 1
    sure = told | {"confidence_level": 0.999999, "n_repeats": 2}
    X, y = regression(40)
    low, high = generalization_error(
        Ridge(), X, y, scoring="neg_mean_squared_error", **sure
    ).interval
    assert low < high <= 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scoring", ["neg_mean_squared_error", "roc_auc"])
def test_order_of_rows_and_jobs_do_not_matter(method, scoring):
    if scoring == "roc_auc":
        X, y = classes(40)
        y, model = np.array(["no", "yes"])[y], LogisticRegression()
    else:
        X, y = regression(40)
        y, model = np.column_stack([y, X[:, 0] - y]), Ridge()
    told = {"scoring": scoring, "method": method, "n_repeats": 2, "random_state": 0}
    found = generalization_error(model, X, y, **told)
    assert generalization_error(model, X, y, n_jobs=2, **told) == found
    order = np.random.default_rng(0).permutation(40)
    moved = generalization_error(model, X[order], y[order], **told)
    assert moved.score == pytest.approx(found.score)
    assert moved.std_error == pytest.approx(found.std_error)


@pytest.mark.parametrize("method", METHODS)
def test_models_are_seeded(method):
    X, y = classes(40)
    model = DecisionTreeClassifier(max_features=1)
    told = {"method": method, "n_repeats": 2}
    first, again, other = (
        generalization_error(model, X, y, random_state=seed, **told)
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first.score != other.score


@pytest.mark.parametrize("method", METHODS)
def test_few_rows_and_rare_classes(method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 2))
    model = DecisionTreeClassifier(random_state=0)
    told = {"method": method, "n_repeats": 2, "random_state": 0}
    found = generalization_error(model, X, np.array(list("aaaabbbbcd")), **told)
    assert 0 <= found.interval[0] <= found.score <= found.interval[1] <= 1
    # Every row is a class of its own: nothing can be known of it.
    alone = generalization_error(model, X, np.arange(10), **told)
    assert alone.score == pytest.approx(0.0, abs=1e-12)
    assert alone.interval[0] == pytest.approx(0.0, abs=1e-12)
    assert 0.1 < alone.interval[1] < 1
    with pytest.raises(ValueError, match="needs a score on every split"):
        generalization_error(model, X, np.arange(10) > 8, scoring=_nothing, **told)


def _nothing(model, X, y):
    return np.nan


@pytest.mark.parametrize(("method", "least"), [("corrected_t", 3), (METHODS[1], 4)])
def test_few_groups(method, least):
    X, y = regression(40)
    told = {"method": method, "n_repeats": 2, "random_state": 0}
    found = generalization_error(Ridge(), X, y, groups=np.arange(40) % least, **told)
    assert np.isfinite(found.interval).all()
    groups = np.arange(40) % (least - 1)
    match = rf"needs at least {least} groups.*Got {least - 1}"
    with pytest.raises(ValueError, match=match):
        generalization_error(Ridge(), X, y, groups=groups, **told)


@pytest.mark.parametrize("method", METHODS)
def test_frames(method):
    pd = pytest.importorskip("pandas")
    X, y = regression(40)
    told = {"method": method, "n_repeats": 2, "random_state": 0}
    plain = generalization_error(Ridge(), X, y, **told)
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(40)[::-1])
    framed = generalization_error(Ridge(), frame, pd.Series(y), **told)
    assert framed.score == pytest.approx(plain.score)
    assert framed.interval == pytest.approx(plain.interval)
