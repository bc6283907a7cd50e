"""Cross-validation with given folds, and with those of a series."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsClassifier

from genestimators import Folds, RepeatedFolds, generalization_error
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics.error import _cross_validation
from genestimators.diagnostics.error._cross_validation import block_sums, goes_forward
from genestimators.diagnostics.error._estimate import freedom_of
from genestimators.resampling._block_length import optimal_block_length
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import classes, regression

MSE = "neg_mean_squared_error"


def _row_losses(X, y, splits, weight=None):
    """Squared losses of a line, averaged over the splits that test a row."""
    sums, seen = np.zeros(len(y)), np.zeros(len(y))
    weight = np.ones(len(y)) if weight is None else weight
    for train, test in splits:
        model = LinearRegression().fit(X[train], y[train], weight[train])
        sums[test] += (y[test] - model.predict(X[test])) ** 2
        seen[test] += 1
    tested = (seen > 0) & (weight > 0)
    return sums[tested] / seen[tested], tested


def _error(losses, units=None, weight=None):
    """Standard error of a weighted mean of independent units, and their parts."""
    weight = np.ones(len(losses)) if weight is None else weight
    units = np.arange(len(losses)) if units is None else units
    part = weight * (losses - np.average(losses, weights=weight)) / weight.sum()
    own = np.array([part[units == unit].sum() for unit in np.unique(units)])
    share = np.array([weight[units == unit].sum() for unit in np.unique(units)])
    n = share.sum() ** 2 / (share**2).sum()  # of equal weight that tell as much
    return np.sqrt(n / (n - 1) * (own**2).sum()), own


SPLITTERS = {
    "int": 5,
    "folds": KFold(5, shuffle=True, random_state=0),
    "repeats": RepeatedKFold(n_splits=4, n_repeats=2, random_state=0),
    "random": ShuffleSplit(6, test_size=0.3, random_state=0),
    "one by one": LeaveOneOut(),
    "predefined": PredefinedSplit(np.arange(40) % 3 - 1),
    "pairs": list(KFold(3).split(np.zeros(40))),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SPLITTERS)
def test_rows_are_averaged_by_hand(name, weighted):
    cv = SPLITTERS[name]
    X, y = regression(40)
    weight = np.random.default_rng(0).uniform(0.2, 3, size=40) if weighted else None
    told = {"scoring": MSE, "sample_weight": weight, "random_state": 0}
    found = generalization_error(LinearRegression(), X, y, cv=cv, **told)
    splitter = KFold(5) if cv == 5 else cv
    splits = list(splitter.split(X)) if hasattr(splitter, "split") else splitter
    losses, tested = _row_losses(X, y, splits, weight)
    own_weight = None if weight is None else weight[tested]
    error, own = _error(losses, weight=own_weight)
    mean = np.average(losses, weights=own_weight)
    assert found.method == "cross_validation"
    assert found.score == pytest.approx(-mean)
    assert found.std_error == pytest.approx(error)
    assert found.n_fits == len(splits) + 1
    share = np.ones(len(losses)) if weight is None else own_weight
    alike = share.sum() ** 2 / (share**2).sum()
    quantile = stats.t.ppf(0.975, freedom_of(own, alike))
    reach = np.exp(quantile * error / mean)
    assert found.interval == pytest.approx((-mean * reach, -mean / reach))


def test_rows_of_weight_zero_are_none():
    X, y = regression(40)
    weight = np.ones(40)
    weight[::4] = 0
    used = weight > 0
    told = {"scoring": MSE, "cv": 5, "random_state": 0}
    found = generalization_error(LinearRegression(), X, y, sample_weight=weight, **told)
    without = generalization_error(LinearRegression(), X[used], y[used], **told)
    assert found.score == pytest.approx(without.score)
    assert found.std_error == pytest.approx(without.std_error)


def test_ten_folds_by_content_where_none_are_given():
    X, y = classes(50, k=3)
    model = KNeighborsClassifier(3)
    told = {"method": "cross_validation", "random_state": 0}
    found = generalization_error(model, X, y, **told)
    problem = make_problem("f", model, X, y, random_state=0)
    draws = RepeatedFolds(10).prepare(X, y, seed=derive(problem.seed, "folds"))
    hits = [
        model.fit(X[draw.rows], y[draw.rows]).predict(X[draw.out_of_bag])
        == y[draw.out_of_bag]
        for draw in map(draws.__getitem__, range(10))
    ]
    assert found.score == pytest.approx(np.concatenate(hits).mean())
    assert found.n_fits == 11
    order = np.random.default_rng(0).permutation(50)
    moved = generalization_error(model, X[order], y[order], **told)
    assert moved.score == pytest.approx(found.score)
    assert moved.std_error == pytest.approx(found.std_error)
    assert generalization_error(model, X, y, n_jobs=2, **told) == found


def test_groups_go_to_the_splitter_and_are_the_units():
    X, y = regression(60)
    groups = np.random.default_rng(0).integers(9, size=60)
    told = {"scoring": MSE, "groups": groups, "random_state": 0}
    found = generalization_error(LinearRegression(), X, y, cv=GroupKFold(3), **told)
    splits = list(GroupKFold(3).split(X, y, groups))
    losses, _ = _row_losses(X, y, splits)
    assert found.score == pytest.approx(-losses.mean())
    assert found.std_error == pytest.approx(_error(losses, groups)[0])
    # Fewer groups than the ten folds: as many folds as groups.
    every = generalization_error(
        LinearRegression(), X, y, method="cross_validation", **told
    )
    assert every.n_fits == 9 + 1
    with pytest.raises(ValueError, match=r"at least as many groups as folds.*Got 9"):
        generalization_error(LinearRegression(), X, y, cv=10, **told)


def test_r2_is_that_of_the_rows_that_were_tested():
    X, y = regression(60)
    found = generalization_error(Ridge(), X, y, cv=TimeSeriesSplit(5))
    seen = np.concatenate([test for _, test in TimeSeriesSplit(5).split(X)])
    predicted = np.concatenate(
        [
            Ridge().fit(X[train], y[train]).predict(X[test])
            for train, test in TimeSeriesSplit(5).split(X)
        ]
    )
    assert found.score == pytest.approx(r2_score(y[seen], predicted))
    every = generalization_error(Ridge(), X, y, cv=5)
    expected = r2_score(y, cross_val_predict(Ridge(), X, y, cv=KFold(5)))
    assert every.score == pytest.approx(expected)


@pytest.mark.parametrize("scoring", ["r2", MSE])
def test_several_outputs_are_averaged(scoring):
    X, y = regression(50)
    Y = np.column_stack([y, X[:, 0] - 2 * y])
    found = generalization_error(Ridge(), X, Y, scoring=scoring, cv=5)
    single = [
        generalization_error(Ridge(), X, one, scoring=scoring, cv=5).score
        for one in Y.T
    ]
    assert found.score == pytest.approx(np.mean(single))


def test_few_rows_rare_classes_and_frames():
    pd = pytest.importorskip("pandas")
    X, _ = regression(10)
    names = np.array(list("aaaabbbbcd"))
    model = KNeighborsClassifier(1)
    told = {"cv": KFold(5), "random_state": 0}
    found = generalization_error(model, X, names, **told)
    assert 0 <= found.interval[0] <= found.score <= found.interval[1] <= 1
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(10)[::-1])
    assert generalization_error(model, frame, pd.Series(names), **told) == found
    alone = generalization_error(
        model, X, np.arange(10), method="cross_validation", random_state=0
    )
    assert alone.score == pytest.approx(0.0, abs=1e-12)
    assert alone.interval[0] == pytest.approx(0.0, abs=1e-12)
    assert 0.1 < alone.interval[1] < 0.5
    told = {"scoring": "accuracy", "cv": StratifiedKFold(5)}
    balanced = generalization_error(DummyClassifier(), X, np.arange(10) % 2, **told)
    assert balanced.score == pytest.approx(0.5)


def test_bad_input():
    X, y = regression(40)
    with pytest.raises(ValueError, match=r"needs two rows or more.*Got 1"):
        generalization_error(Ridge(), X, y, cv=[(np.arange(39), [39])], scoring=MSE)
    with pytest.raises(ValueError, match=r"has those of `cv`.*n_repeats=5"):
        generalization_error(Ridge(), X, y, cv=5, n_repeats=5)
    with pytest.raises(ValueError, match="must leave out rows of positive weight"):
        generalization_error(Ridge(), X, y, cv=[(np.arange(39), [])])
    with pytest.raises(ValueError, match=r"must hold pairs \(train, test\)"):
        generalization_error(Ridge(), X, y, cv=[np.arange(39)])
    names = y > 0
    with pytest.raises(ValueError, match="needs a score that is a function of a mean"):
        generalization_error(LogisticRegression(), X, names, cv=5, scoring="roc_auc")


def test_series_are_told_by_their_splits():
    X, y = regression(40)

    def forward(cv):
        draws = Folds(cv).prepare(X, y)
        return goes_forward(draws, range(len(draws)))

    assert forward(TimeSeriesSplit(4))
    assert forward(TimeSeriesSplit(4, gap=2, max_train_size=8))
    assert forward([(np.arange(30), np.arange(30, 40))])
    assert not forward(KFold(4))
    assert not forward(LeaveOneOut())
    assert not forward(ShuffleSplit(2, random_state=0))
    assert not forward([(np.arange(1, 40), [0, 1]), (np.arange(30), [35])])


def test_blocks_of_a_series_by_hand():
    """Batch means: blocks of equal numbers of rows, as long as the rule says."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 1))
    y = X[:, 0] + lfilter([1], [1, -0.9], rng.normal(size=240))
    cv = TimeSeriesSplit(5)
    found = generalization_error(LinearRegression(), X, y, cv=cv, scoring=MSE)
    losses, tested = _row_losses(X, y, list(cv.split(X)))
    assert tested.sum() == 200
    length = int(np.ceil(optimal_block_length(losses)[0]))
    assert length > 5
    blocks = np.arange(200) * (200 // length) // 200
    assert np.bincount(blocks).min() >= length
    _, own = _error(losses, blocks)
    error = np.sqrt(len(own) / (len(own) - 1) * (own**2).sum())
    assert found.std_error == pytest.approx(error)
    assert found.score == pytest.approx(-losses.mean())
    low, _ = found.interval
    quantile = stats.t.ppf(0.975, freedom_of(own))
    reach = np.exp(quantile * error / losses.mean())
    assert low == pytest.approx(-losses.mean() * reach)
    # The same losses without an order are less sure to be far from their mean.
    assert error > 1.3 * _error(losses)[0]


def test_groups_of_a_series_are_its_terms():
    """Days of several rows: blocks hold whole days, in the order of their rows."""
    X, y = regression(120)
    # Numbers of days fall, so that their order is not that of their names.
    days = np.repeat(np.arange(60)[::-1], 2)
    told = {"scoring": MSE, "groups": days, "cv": list(TimeSeriesSplit(5).split(X))}
    found = generalization_error(LinearRegression(), X, y, **told)
    losses, tested = _row_losses(X, y, list(TimeSeriesSplit(5).split(X)))
    _, own = _error(losses, -days[tested])
    sums = block_sums(own)
    n = len(sums)
    expected = np.sqrt(n / (n - 1) * (sums**2).sum())
    assert found.std_error == pytest.approx(expected)


def test_block_sums():
    rng = np.random.default_rng(0)
    white = rng.normal(size=400)
    slow = lfilter([1], [1, -0.9], white)
    assert len(block_sums(white)) > 3 * len(block_sums(slow))
    assert block_sums(slow).sum() == pytest.approx(slow.sum())
    # Units do not matter, however small.
    assert block_sums(slow * 1e-30) * 1e30 == pytest.approx(block_sums(slow))
    assert len(block_sums(np.zeros(5))) == 5
    assert len(block_sums(np.array([1.0, -1.0]))) == 2


@pytest.mark.slow
def test_interval_covers_the_loss_of_a_series(monkeypatch):
    """Losses of AR(1) errors: blocks cover as they should, rows alone do not."""
    n_series, n, phi = 150, 600, 0.8

    def covers(seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, 1))
        shocks = rng.normal(size=n + 200) * np.sqrt(1 - phi**2)
        y = X[:, 0] + lfilter([1], [1, -phi], shocks)[200:]
        model = LinearRegression().fit(X, y)
        # Of new rows far from these, whose errors have a variance of one.
        truth = -(1 + model.intercept_**2 + (model.coef_[0] - 1) ** 2)
        cv = TimeSeriesSplit(5)
        low, high = generalization_error(model, X, y, cv=cv, scoring=MSE).interval
        return low <= truth <= high

    blocks = np.mean([covers(seed) for seed in range(n_series)])
    monkeypatch.setattr(_cross_validation, "goes_forward", lambda *told: False)
    rows = np.mean([covers(seed) for seed in range(n_series)])
    # The standard error of a share of 0.95 among 150 is 0.018; three of them, and a
    # hundredth since blocks of some length leave out a little of the correlation.
    # Above there is no room for three: all but one series at most.
    assert 0.885 <= blocks < 1
    # Squares of errors have correlations of phi ** (2 * lag), so rows alone see a
    # standard error of sqrt((1 - phi ** 2) / (1 + phi ** 2)) of what it is, and cover
    # 0.64; three standard errors of a share of that.
    ratio = np.sqrt((1 - phi**2) / (1 + phi**2))
    expected = 2 * stats.norm.cdf(stats.norm.ppf(0.975) * ratio) - 1
    assert rows == pytest.approx(expected, abs=0.12)
