"""Nested cross-validation, against loops over folds and pairs of them."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier

from genestimators import RepeatedFolds, generalization_error
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics.error._nested import squared_error, unbiased
from genestimators.resampling._hashing import derive
from tests.diagnostics.toys import classes, regression


def _folds(model, X, y, weight, groups, *, n_folds, n_repeats, seed):
    """The fold of each row in each repeat, (n_repeats, n); -1 of weight zero."""
    problem = make_problem("f", model, X, y, random_state=seed)
    own_seed = derive(problem.seed, "folds")
    draws = RepeatedFolds(n_folds).prepare(X, y, weight, groups, own_seed)
    folds = np.full((n_repeats, len(y)), -1)
    for repeat in range(n_repeats):
        for fold in range(n_folds):
            folds[repeat, draws[repeat * n_folds + fold].out_of_bag] = fold
    return folds


def _naive(losses, weight, groups):
    """Squared error of a weighted mean of independent groups, written out."""
    mean = np.average(losses, weights=weight)
    names = np.unique(groups)
    total = 0.0
    for name in names:
        own = groups == name
        total += (weight[own] * (losses[own] - mean)).sum() ** 2
    return len(names) / (len(names) - 1) * total / weight.sum() ** 2


def _by_loops(model, X, y, row_loss, weight=None, groups=None, **told):
    """Loss and standard error of nested cross-validation by plain loops.

    `row_loss(y, model, X)` gives the losses of rows.
    """
    n_folds = told["n_folds"]
    every = _folds(model, X, y, weight, groups, **told)
    own_weight = np.ones(len(y)) if weight is None else weight
    groups = np.arange(len(y)) if groups is None else groups

    def losses_of(train, test):
        told = {} if weight is None else {"sample_weight": weight[train]}
        fitted = model.fit(X[train], y[train], **told)
        return row_loss(y[test], fitted, X[test])

    nested, nested_weight, plain, squares, naive = [], [], [], [], []
    for folds in every:
        once = np.zeros(len(y))
        for k in range(n_folds):
            test = np.flatnonzero(folds == k)
            train = np.flatnonzero((folds != k) & (folds >= 0))
            e_out = once[test] = losses_of(train, test)
            e_in, w_in = [], []
            for other in range(n_folds):
                if other == k:
                    continue
                inner = np.flatnonzero(folds == other)
                rest = np.flatnonzero((folds != k) & (folds != other) & (folds >= 0))
                e_in.extend(losses_of(rest, inner))
                w_in.extend(own_weight[inner])
            a = np.average(e_in, weights=w_in) - np.average(
                e_out, weights=own_weight[test]
            )
            squares.append(a**2 - _naive(e_out, own_weight[test], groups[test]))
            nested.extend(e_in)
            nested_weight.extend(w_in)
        used = folds >= 0
        plain.append(np.average(once[used], weights=own_weight[used]))
        naive.append(_naive(once[used], own_weight[used], groups[used]))
    nested = np.average(nested, weights=nested_weight)
    excess = 1 + ((n_folds - 2) / n_folds) ** 1.5
    loss = nested - excess * (nested - np.mean(plain))
    least = np.mean(naive)
    square = (n_folds - 1) / n_folds * np.mean(squares)
    return loss, np.sqrt(np.clip(square, least, n_folds * least)), np.sqrt(least)


def _log_losses(y, model, X):
    return -np.log(model.predict_proba(X)[np.arange(len(y)), y])


def _squares(y, model, X):
    return (y - model.predict(X)) ** 2


CASES = {
    "classifier": (GaussianNB(), "neg_log_loss", _log_losses),
    "regressor": (LinearRegression(), "neg_mean_squared_error", _squares),
}


@pytest.mark.parametrize(
    ("weighted", "grouped"), [(False, False), (True, False), (True, True)]
)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", CASES)
def test_equals_loops_over_folds_and_pairs(case, seed, weighted, grouped):
    model, scoring, row_loss = CASES[case]
    classifier = case == "classifier"
    X, y = classes(43, seed=seed) if classifier else regression(43, seed=seed)
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.2, 3, size=43) * (rng.random(43) > 0.1) if weighted else None
    groups = rng.integers(30, size=43) if grouped else None
    found = generalization_error(
        model,
        X,
        y,
        scoring=scoring,
        method="nested_cv",
        n_repeats=2,
        groups=groups,
        sample_weight=weight,
        random_state=seed,
    )
    expected, error, _ = _by_loops(
        model,
        X,
        y,
        row_loss,
        weight,
        groups,
        n_folds=10,
        n_repeats=2,
        seed=seed,
    )
    assert found.score == pytest.approx(-expected, rel=1e-9)
    assert found.std_error == pytest.approx(error, rel=1e-9)
    assert found.n_fits == 2 * 55 + 1
    assert found.interval[0] < found.score < found.interval[1] < 0


def test_standard_error_lies_between_its_bounds():
    """The bounds are met at times, and the estimate lies within them at others."""
    inside = 0
    for seed in range(4):
        X, y = regression(30, p=4, seed=seed)
        told = {"scoring": "neg_mean_squared_error", "method": "nested_cv"}
        found = generalization_error(
            LinearRegression(), X, y, n_repeats=2, random_state=seed, **told
        )
        settings = {"n_folds": 10, "n_repeats": 2}
        _, _, least = _by_loops(
            LinearRegression(), X, y, _squares, seed=seed, **settings
        )
        ratio = found.std_error / least
        assert 1 - 1e-9 <= ratio <= np.sqrt(10) + 1e-9
        inside += 1 + 1e-9 < ratio < np.sqrt(10) - 1e-9
    assert 0 < inside


@pytest.mark.parametrize("seed", [0, 1])
def test_r2_allows_for_the_constant_it_compares_with(seed):
    """R2 is one less a ratio, whose error is that of losses less a share of squares."""
    X, y = regression(60, seed=seed)
    told = {"method": "nested_cv", "n_repeats": 2, "random_state": seed}
    found = generalization_error(LinearRegression(), X, y, **told)
    square = generalization_error(
        LinearRegression(), X, y, scoring="neg_mean_squared_error", **told
    )
    spread = (y - y.mean()) ** 2
    assert found.score == pytest.approx(1 + square.score / spread.mean())

    settings = {"n_folds": 10, "n_repeats": 2, "seed": seed}
    every = _folds(LinearRegression(), X, y, None, None, **settings)
    nested = []
    for folds in every:
        for k in range(10):
            for other in set(range(10)) - {k}:
                train = (folds != k) & (folds != other)
                model = LinearRegression().fit(X[train], y[train])
                nested.append(_squares(y, model, X)[folds == other])
    ratio = np.concatenate(nested).mean() / spread.mean()
    of_row = {tuple(row): value for row, value in zip(X, spread, strict=True)}

    def relative(y, model, X):
        own = np.array([of_row[tuple(row)] for row in X])
        return (_squares(y, model, X) - ratio * own) / spread.mean()

    _, error, _ = _by_loops(LinearRegression(), X, y, relative, **settings)
    assert found.std_error == pytest.approx(error, rel=1e-9)


def test_correction_of_the_bias():
    nested, plain = np.array([1.2]), np.array([1.0])
    excess = 1 + 0.8**1.5
    assert unbiased(nested, plain, 10) == pytest.approx(1.2 - excess * 0.2)
    # A correction that would end below zero is that of a power, which cannot.
    assert 0 < unbiased(np.array([10.0]), plain, 10)[0] < 1
    assert unbiased(np.zeros(1), np.zeros(1), 10)[0] == 0.0


def test_correction_is_about_that_of_a_mean():
    """The mean of m rows has a squared error of 1 + 1 / m; n rows are looked for."""
    n = 20
    nested, plain = (np.array([1 + 1 / (n * share)]) for share in (0.8, 0.9))
    # A tenth of what there is to correct from a fit without one fold.
    assert unbiased(nested, plain, 10) == pytest.approx(1 + 1 / n, abs=0.1 / (0.9 * n))


def test_squared_error_of_equal_losses_is_zero():
    folds, units = np.repeat(np.arange(5), 4), np.arange(20)
    shares = np.full(20, 0.05)
    inner = np.full(5, 3.0 * 0.8)
    found = squared_error(inner, np.full(20, 3.0), folds, units, shares, np.zeros(20))
    assert found == pytest.approx((0.0, 0.0), abs=1e-20)


def test_few_rows_and_rare_classes():
    """Folds hold two rows at least; a class of one row is not learned at times."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 2))
    names = np.array(list("aaaabbbbcd"))
    model = KNeighborsClassifier(1)
    found = generalization_error(model, X, names, method="nested_cv", random_state=0)
    assert found.n_fits == 10 * 15 + 1  # five folds
    assert 0 <= found.interval[0] <= found.score <= found.interval[1] <= 1
    # Every row is a class of its own: nothing can be known of it.
    alone = generalization_error(
        model, X, np.arange(10), method="nested_cv", random_state=0
    )
    assert alone.score == pytest.approx(0.0, abs=1e-12)
    assert alone.interval[0] == pytest.approx(0.0, abs=1e-12)
    assert 0.1 < alone.interval[1] < 0.5


def test_fewer_groups_than_folds():
    X, y = regression(60)
    groups = np.arange(60) % 7
    told = {"method": "nested_cv", "random_state": 0}
    found = generalization_error(Ridge(), X, y, groups=groups, **told)
    assert found.n_fits == 10 * 6 + 1  # three folds of two groups and more
    with pytest.raises(ValueError, match=r"needs at least 6 groups.*Got 5"):
        generalization_error(Ridge(), X, y, groups=groups % 5, **told)


def test_score_must_be_a_mean_of_losses():
    X, y = classes(40)
    with pytest.raises(ValueError, match="needs a score that is a function of a mean"):
        generalization_error(GaussianNB(), X, y, method="nested_cv", scoring="roc_auc")
    with pytest.raises(ValueError, match="draws its own splits"):
        generalization_error(GaussianNB(), X, y, method="nested_cv", cv=5)


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_squared_error"])
def test_several_outputs_are_averaged(scoring):
    X, y = regression(50)
    Y = np.column_stack([y, X[:, 0] - 2 * y, np.random.default_rng(1).normal(size=50)])
    told = {"scoring": scoring, "method": "nested_cv", "n_repeats": 2}
    # The same folds for all: the content of a row is what it is known by.
    found = generalization_error(Ridge(), X, Y, random_state=0, **told)
    settings = {"n_folds": 10, "n_repeats": 2, "seed": 0}
    unit = Y.var(axis=0) if scoring == "r2" else np.ones(3)
    expected, _, _ = _by_loops(
        Ridge(),
        X,
        Y,
        lambda Y, model, X: ((Y - model.predict(X)) ** 2 / unit).mean(axis=1),
        **settings,
    )
    score = 1 - expected if scoring == "r2" else -expected
    assert found.score == pytest.approx(score, rel=1e-9)


def test_frames_and_offsets():
    pd = pytest.importorskip("pandas")
    X, y = regression(40)
    told = {"method": "nested_cv", "n_repeats": 2, "random_state": 0}
    plain = generalization_error(LinearRegression(), X, y, **told)
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(40)[::-1])
    framed = generalization_error(LinearRegression(), frame, pd.Series(y), **told)
    # The columns of a frame lie elsewhere in memory, which moves last bits.
    assert framed.score == pytest.approx(plain.score, rel=1e-12)
    assert framed.interval == pytest.approx(plain.interval, rel=1e-12)
    # Rows are dealt by content, so that folds are others, but figures are alike.
    far = generalization_error(LinearRegression(), X + 1e6, y + 1e6, **told)
    assert far.score == pytest.approx(plain.score, abs=plain.std_error / 2)
    assert far.std_error == pytest.approx(plain.std_error, rel=0.5)


def test_order_of_rows_and_jobs_do_not_matter():
    X, y = classes(50, k=3)
    model = DecisionTreeClassifier(max_depth=3, max_features=1)
    told = {"method": "nested_cv", "n_repeats": 2, "random_state": 0}
    found = generalization_error(model, X, y, **told)
    assert generalization_error(model, X, y, n_jobs=2, **told) == found
    order = np.random.default_rng(0).permutation(50)
    moved = generalization_error(model, X[order], y[order], **told)
    assert moved.score == pytest.approx(found.score)
    assert moved.std_error == pytest.approx(found.std_error)
    other = generalization_error(model, X, y, **(told | {"random_state": 1}))
    assert other.score != found.score


def test_interval_is_on_the_scale_of_the_loss():
    X, y = regression(60)
    told = {"method": "nested_cv", "n_repeats": 2, "random_state": 0}
    model = KNeighborsRegressor()
    square = generalization_error(model, X, y, scoring="neg_mean_squared_error", **told)
    low, high = square.interval
    assert low * high == pytest.approx(square.score**2)
    root = generalization_error(
        model, X, y, scoring="neg_root_mean_squared_error", **told
    )
    assert root.interval == pytest.approx((-np.sqrt(-low), -np.sqrt(-high)))
    # Student's t, with fewer degrees of freedom than rows and more than none.
    reach = np.log(low / square.score) * -square.score / square.std_error
    assert stats.norm.ppf(0.975) < reach < stats.t.ppf(0.975, 3)
