"""Closed forms of linear least squares against fits that are made again and again."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from genestimators.selection.importances import _linear
from genestimators.selection.importances._linear import LinearFits, numbers_of
from genestimators.selection.importances._linear_bases import linear_base
from tests.selection.linear_toys import (
    data_of,
    problem,
    slow_costs,
    slow_elimination,
    slow_loss,
    slow_targets,
)

SCALED_RIDGE = make_pipeline(StandardScaler(), Ridge(alpha=3.0))
CASES = {
    "ridge": (Ridge(alpha=2.0), {}),
    "least squares": (LinearRegression(), {}),
    "scaled ridge": (SCALED_RIDGE, {}),
    "default": (None, {}),
    "outputs": (Ridge(alpha=2.0), {"k": 2}),
    "two classes": (RidgeClassifier(alpha=2.0), {"classes": 2}),
    "three classes": (
        make_pipeline(StandardScaler(), RidgeClassifier()),
        {"classes": 3},
    ),
    "default classes": (None, {"classes": 3}),
    "more columns than rows": (Ridge(alpha=2.0), {"n": 10, "p": 8}),
}


def fits_of(name, seed, **kwargs):
    estimator, settings = CASES[name]
    X, y = problem(seed, **settings)
    classifier = "classes" in settings
    base = linear_base(estimator, classifier)
    data = data_of(X, y, seed=seed, classifier=classifier, **kwargs)
    fits = LinearFits(base, data, numbers_of(X))
    return fits, base, X, slow_targets(y, classifier), data


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [None, [0, 1, 1, 2, 2]])
@pytest.mark.parametrize("name", CASES)
def test_elimination_and_losses_equal_refits(name, labels, weighted):
    """Ranks, scores, the common order and nested losses are those of repeated fits."""
    seed = 3
    if name == "more columns than rows" and labels is not None:
        labels = np.arange(8) // 2
    fits, base, X, Y, data = fits_of(name, seed, labels=labels, weighted=weighted)
    evidence = fits.evidence("elimination")
    # Without a ridge a millionth of a mean square stands for it, which moves costs by
    # as much, times the condition of the columns.
    close = {"rtol": 1e-4 if base.ridge == 0 else 1e-7, "atol": 1e-9}
    for b, draw in enumerate(data.draws):
        ranks, costs = slow_elimination(base, X, Y, [draw], data.labels)
        np.testing.assert_array_equal(evidence.ranks[b], ranks)
        inside = Y[draw.rows]
        mean = np.average(inside, axis=0, weights=draw.counts)
        spread = (draw.counts[:, None] * (inside - mean) ** 2).sum()
        np.testing.assert_allclose(evidence.scores[b], costs / spread, **close)
        order = np.argsort(ranks)
        losses = [
            slow_loss(base, X, Y, draw, np.flatnonzero(np.isin(data.labels, order[:k])))
            for k in evidence.sizes
        ]
        # For losses it is a billionth.
        np.testing.assert_allclose(evidence.losses[b], losses, rtol=1e-6)
    common, _ = slow_elimination(base, X, Y, data.draws, data.labels)
    np.testing.assert_array_equal(evidence.order, np.argsort(common))
    np.testing.assert_array_equal(evidence.sizes, np.arange(data.n_units + 1))


@pytest.mark.parametrize("labels", [None, [0, 1, 1, 2, 2]])
@pytest.mark.parametrize("name", ["ridge", "default", "outputs", "two classes"])
def test_conditional_scores_equal_refits(name, labels):
    """The score of a unit is what a fit on all the others loses."""
    fits, base, X, Y, data = fits_of(name, 5, labels=labels, weighted=True)
    evidence = fits.evidence("conditional")
    for b, draw in enumerate(data.draws):
        units = list(range(data.n_units))
        costs = slow_costs(base, X, Y, draw, data.labels, units)
        inside = Y[draw.rows]
        mean = np.average(inside, axis=0, weights=draw.counts)
        spread = (draw.counts[:, None] * (inside - mean) ** 2).sum()
        np.testing.assert_allclose(evidence.scores[b], costs / spread, rtol=1e-7)
        np.testing.assert_array_equal(
            evidence.ranks[b], np.argsort(np.argsort(-evidence.scores[b])) + 1
        )


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("estimator", "ratio"), [(Lasso(), 1.0), (ElasticNet(), 0.5)])
def test_path_entries_equal_single_fits(estimator, ratio, scaled):
    """A feature scores by the largest penalty that a lasso takes it in at."""
    X, y = problem(1, n=60, p=8)
    data = data_of(X, y)
    pipe = make_pipeline(StandardScaler(), estimator) if scaled else estimator
    evidence = LinearFits(linear_base(pipe, False), data, X).evidence("coef")
    for b, draw in enumerate(data.draws):
        Z = X[draw.rows] - X[draw.rows].mean(axis=0)
        Z = Z / Z.std(axis=0) if scaled else Z
        target = y[draw.rows] - y[draw.rows].mean()
        largest = np.abs(Z.T @ target).max() / (len(Z) * ratio)
        entry = np.zeros(8)
        for share in np.geomspace(1.0, 1e-2, 51)[1:]:
            model = ElasticNet(alpha=largest * share, l1_ratio=ratio, tol=1e-8)
            new = (np.abs(model.fit(Z, target).coef_) > 0) & (entry == 0)
            entry[new] = share
        # Coefficients that enter at one step are told apart by a millionth.
        np.testing.assert_allclose(evidence.scores[b], entry, rtol=2e-6)


def test_what_a_lasso_selects_is_scored_on_standard_columns():
    """Nested models of tiny columns predict as those of large ones do."""
    X, y = problem(2)
    found = [
        LinearFits(linear_base(Lasso(), False), data_of(scale * X, y), scale * X)
        .evidence("coef")
        .losses
        for scale in (1.0, 1e-6)
    ]
    # Scaling by a factor that is no power of two rounds.
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


@pytest.mark.parametrize("importance", ["elimination", "conditional", "coef"])
@pytest.mark.parametrize("estimator", [Ridge(), SCALED_RIDGE, Lasso()])
def test_sparse_equals_dense(importance, estimator):
    """Sparse columns need not be centred for the same result."""
    X, y = problem(4, n=60)
    X[np.random.default_rng(0).random(X.shape) < 0.6] = 0.0
    base = linear_base(estimator, False)
    one, two = (
        LinearFits(base, data_of(Z, y, labels=[0, 1, 1, 2, 3]), numbers_of(Z))
        for Z in (X, sparse.csr_array(X))
    )
    one, two = one.evidence(importance), two.evidence(importance)
    np.testing.assert_array_equal(one.ranks, two.ranks)
    # Sums of uncentred columns lose a digit or two.
    np.testing.assert_allclose(one.scores, two.scores, rtol=1e-9)
    np.testing.assert_allclose(one.losses, two.losses, rtol=1e-9)


@pytest.mark.parametrize("n_kept", [3, 5])
@pytest.mark.parametrize("labels", [None, np.arange(12) // 2])
def test_many_units_are_pruned_first(monkeypatch, n_kept, labels):
    """Of many units a fifth goes at a time, then one by one."""
    monkeypatch.setattr(_linear, "ONE_BY_ONE", n_kept)
    X, y = problem(6, n=60, p=12)
    base = linear_base(Ridge(alpha=2.0), False)
    data = data_of(X, y, labels=labels)
    evidence = LinearFits(base, data, X).evidence("elimination")
    Y = y[:, None]
    for b, draw in enumerate(data.draws):
        ranks, _ = slow_elimination(base, X, Y, [draw], data.labels, n_kept=n_kept)
        np.testing.assert_array_equal(evidence.ranks[b], ranks)
        order = np.argsort(ranks)
        for k in (0, 1, n_kept):
            columns = np.flatnonzero(np.isin(data.labels, order[:k]))
            # Sums in another order.
            np.testing.assert_allclose(
                evidence.losses[b, k], slow_loss(base, X, Y, draw, columns), rtol=1e-9
            )
    # Units that are not among the first by mean rank follow in that order.
    rest = np.argsort(evidence.ranks.mean(axis=0), kind="stable")[n_kept:]
    assert set(evidence.order[n_kept:]) == set(rest)


def test_wide_groups_are_fitted_draw_by_draw(monkeypatch):
    """Moments of many columns are not kept for all draws, with the same result."""
    X, y = problem(7, n=60, p=12)
    base = linear_base(SCALED_RIDGE, False)
    data = data_of(X, y, labels=np.arange(12) // 4)
    one = LinearFits(base, data, X).evidence("elimination")
    monkeypatch.setattr(_linear, "_TOGETHER", 5)
    two = LinearFits(base, data, X).evidence("elimination")
    np.testing.assert_array_equal(one.ranks, two.ranks)
    np.testing.assert_allclose(one.losses, two.losses, rtol=1e-9)


def test_more_units_than_go_one_by_one():
    """Far more columns than rows: each draw has its ranks, the signal is first."""
    rng = np.random.default_rng(0)
    n_kept = _linear.ONE_BY_ONE
    X = rng.normal(size=(40, n_kept + 50))
    y = 5 * X[:, 7] + 0.1 * rng.normal(size=40)
    evidence = LinearFits(linear_base(None, False), data_of(X, y), X).evidence(
        "elimination"
    )
    np.testing.assert_array_equal(
        np.sort(evidence.ranks), [np.arange(1, n_kept + 51)] * 3
    )
    assert evidence.sizes[-1] == n_kept
    assert evidence.order[0] == 7
    assert sorted(evidence.order) == list(range(n_kept + 50))


@pytest.mark.parametrize("estimator", [None, Ridge(), LinearRegression()])
def test_offsets_cost_no_digits(estimator):
    """Means a million times the spread change nothing."""
    X, y = problem(8)
    X, y = np.round(X, 6), np.round(y, 6)
    base = linear_base(estimator, False)
    one, two = (
        LinearFits(base, data_of(X + by, y + by), X + by).evidence("elimination")
        for by in (0.0, 1e6)
    )
    np.testing.assert_array_equal(one.ranks, two.ranks)
    # The offset rounds the cells themselves by 1e-10.
    np.testing.assert_allclose(one.losses, two.losses, rtol=1e-7)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 + 0.1, 1e-9 / 3])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("estimator", [None, Ridge(), LinearRegression()])
def test_constant_columns_are_of_no_use(estimator, kind, constant):
    """A constant costs nothing to drop and does not move losses, whatever its size.

    Another column is constant in some draws only: there it is of no use either.
    """
    X, y = problem(9)
    rare = np.full(len(X), constant)
    rare[0] += 1.0
    wide = np.column_stack([X, np.full(len(X), constant), rare])
    base = linear_base(estimator, False)
    data = data_of(kind(wide), y)
    evidence = LinearFits(base, data, numbers_of(kind(wide))).evidence("elimination")
    assert (evidence.scores[:, 5] == 0).all()
    without = np.array([0 not in draw.rows for draw in data.draws])
    assert 0 < without.sum() < len(without)
    assert (evidence.scores[without, 6] == 0).all()
    slow = LinearFits(base, data_of(X, y), X).evidence("elimination")
    # Uncentred sums of a sparse column of 1e6 keep ten digits of the other columns.
    close = {"rtol": 1e-6}
    np.testing.assert_allclose(
        evidence.losses[without][:, :6], slow.losses[without], **close
    )


@pytest.mark.parametrize("powers", [[-6, 6, 0, 3, -3], [-180, 170, 0, 200, -40]])
@pytest.mark.parametrize("estimator", [None, LinearRegression()])
def test_units_of_columns_do_not_matter(estimator, powers):
    """Columns are eliminated as they are in their own units, whatever their size."""
    X, y = problem(10)
    scale = 10.0 ** np.array(powers)
    base = linear_base(estimator, False)
    one, two = (
        LinearFits(base, data_of(Z, y), Z).evidence("elimination")
        for Z in (X, X * scale)
    )
    np.testing.assert_array_equal(one.ranks, two.ranks)
    np.testing.assert_allclose(one.losses, two.losses, rtol=1e-9)


def test_a_ridge_knows_the_units_of_columns():
    """A large column does not make the penalty of the others any stronger."""
    X, y = problem(11)
    X = X * np.array([1e6, 1e-2, 1.0, 1.0, 1.0])
    base = linear_base(Ridge(), False)
    data = data_of(X, y)
    evidence = LinearFits(base, data, X).evidence("elimination")
    for b, draw in enumerate(data.draws):
        order = np.argsort(evidence.ranks[b])
        losses = [slow_loss(base, X, y[:, None], draw, order[:k]) for k in range(6)]
        # A billionth of a mean square is the least penalty of the large column.
        np.testing.assert_allclose(evidence.losses[b], losses, rtol=1e-6)


@pytest.mark.parametrize("estimator", [None, LinearRegression(), Lasso()])
def test_of_copies_the_same_one_stays(estimator):
    """The first of three copies outlives the others in every draw."""
    X, y = problem(12, n=80)
    copies = np.column_stack([X, X[:, 0], 3 * X[:, 0] + 2])
    base = linear_base(estimator, False)
    data = data_of(copies, y, n_draws=20)
    evidence = LinearFits(base, data, copies).evidence("elimination")
    assert (evidence.ranks[:, 0] < evidence.ranks[:, 5]).all()
    assert (evidence.ranks[:, 0] < evidence.ranks[:, 6]).all()


@pytest.mark.parametrize("n", [30, 120])
def test_least_squares_with_columns_that_others_make_up(n):
    """Copies, sums and more columns than rows leave the signal where it is.

    Dropping one of two copies takes large numbers off each other; the last costs are
    those of a fit without copies.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 26))
    y = 2 * X[:, 0] + X[:, 1] + 0.3 * rng.normal(size=n)
    X[:, 3], X[:, 4] = X[:, 0], X[:, 0] + 1e-9 * X[:, 4]
    X[:, 5] = X[:, 1] + X[:, 2]
    base = linear_base(LinearRegression(), False)
    evidence = LinearFits(base, data_of(X, y, n_draws=10), X).evidence("elimination")
    assert np.isfinite(evidence.scores).all()
    few = X[:, [0, 1]]
    alone = LinearFits(base, data_of(few, y, n_draws=10), few).evidence("elimination")
    if n == 120:
        assert evidence.order[:2].tolist() == [0, 1]
        # The least ridge is a millionth of a mean square.
        np.testing.assert_allclose(
            evidence.scores[:, :2], alone.scores, rtol=1e-3, atol=1e-5
        )
    assert (evidence.ranks[:, 0] < evidence.ranks[:, 3]).all()
    assert (evidence.ranks[:, 0] < evidence.ranks[:, 4]).all()


def test_forced_units_go_last():
    """Units that are always kept have the first ranks in every draw and in common."""
    X, y = problem(13, p=8)
    data = data_of(X, y, forced=np.isin(np.arange(8), [5, 6]))
    for importance in ("elimination", "conditional", "coef"):
        fits = LinearFits(linear_base(None, False), data, X)
        evidence = fits.evidence(importance)
        assert (evidence.ranks[:, [5, 6]] <= 2).all()
        assert set(evidence.order[:2]) == {5, 6}


@pytest.mark.parametrize("importance", ["elimination", "conditional", "coef"])
def test_null_scores_are_those_of_permuted_targets(importance):
    """Permuted runs equal fits on y in another order."""
    X, y = problem(14)
    orders = np.stack([np.random.default_rng(r).permutation(40) for r in range(2)])
    base = linear_base(None, False)
    fits = LinearFits(base, data_of(X, y), X)
    fits.evidence("elimination")
    for order, scores in zip(orders, fits.null_scores(importance, orders), strict=True):
        again = LinearFits(base, data_of(X, y[order]), X)
        np.testing.assert_allclose(scores, again.scores(importance), rtol=1e-9)


@pytest.mark.parametrize("cost", [1.0, 4.0])
def test_logistic_regression_has_the_ridge_of_even_odds(cost):
    """Where odds are about even its coefficients are four times those of the ridge."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    X -= X.mean(axis=0)
    y = (rng.random(2000) < 0.5 + 0.02 * X[:, 0]).astype(int)
    base = linear_base(LogisticRegression(C=cost / 1000), True)
    ridge = Ridge(alpha=base.ridge).fit(X, y).coef_
    logistic = LogisticRegression(C=cost / 1000).fit(X, y).coef_[0]
    # The curvature is a quarter at even odds only.
    np.testing.assert_allclose(logistic, 4 * ridge, rtol=0.02, atol=1e-4)


class OwnRidge(Ridge):
    pass


@pytest.mark.parametrize(
    ("estimator", "classifier"),
    [
        (OwnRidge(), False),
        (Ridge(fit_intercept=False), False),
        (Ridge(positive=True), False),
        (Ridge(alpha=[1.0, 2.0]), False),
        (Lasso(positive=True), False),
        (RidgeClassifier(positive=True), True),
        (Ridge(alpha=-1.0), False),
        (Ridge(alpha=np.nan), False),
        (Ridge(solver="none of these"), False),
        (LogisticRegression(C=0), True),
        (ElasticNet(l1_ratio=0.0), False),
        (RidgeClassifier(class_weight="balanced"), True),
        (LogisticRegression(class_weight="balanced"), True),
        (make_pipeline(MinMaxScaler(), Ridge()), False),
        (make_pipeline(StandardScaler(with_mean=False), Ridge()), False),
    ],
)
def test_others_have_no_closed_form(estimator, classifier):
    """Settings that change the fit are fitted."""
    assert linear_base(estimator, classifier) is None


@pytest.mark.parametrize(
    "X",
    [
        np.array([[np.nan, 1.0]]),
        np.array([["a", "b"]]),
        np.array([[1.0, "b"]], dtype=object),
        sparse.csr_array([[np.inf, 1.0]]),
        [[1.0, 2.0]],
    ],
)
def test_what_is_no_table_of_finite_numbers(X):
    """NaN, text and lists are left to the estimator."""
    assert numbers_of(X) is None


@pytest.mark.parametrize("estimator", [SCALED_RIDGE, Ridge(2.0)])
def test_null_scores_equal_fits_of_permuted_targets(estimator):
    """Reused Gram matrices give the scores of fits on targets in another order."""
    X, y = problem(3)
    X = np.c_[X + 100.0, np.ones(len(X))]
    base = linear_base(estimator, False)
    rng = np.random.default_rng(3)
    orders = np.stack([rng.permutation(len(y)) for _ in range(3)])
    found = LinearFits(base, data_of(X, y), X).null_scores("elimination", orders)
    for order, scores in zip(orders, found, strict=True):
        fits = LinearFits(base, data_of(X, y[order]), X)
        # Two orders of summation.
        wanted = fits.scores("elimination")
        np.testing.assert_allclose(scores, wanted, rtol=1e-9, atol=1e-12)
