"""Evidence of estimators that are fitted again on every draw."""

from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from genestimators._exceptions import UnweightedScoreWarning
from genestimators.selection._evidence import refit_sizes
from genestimators.selection.importances._permutation import out_of_sample_importance
from genestimators.selection.importances._refits import (
    coefficient_sizes,
    refit_evidence,
    refit_null_scores,
    scored,
)
from tests.selection.linear_toys import data_of, problem


class OwnRidge(Ridge):
    """A ridge regression without a closed form, since its class is another one."""


def slow_draw(estimator, X, y, draw, importance, seed):
    """Ranks, scores and losses of one draw, a model fitted for every size.

    Permutations have the same seeds as the code under test: of a linear predictor none
    are needed, so they do not matter here.
    """
    kept = list(range(X.shape[1]))
    ranks, scores = np.zeros(len(kept), int), np.zeros(len(kept))
    losses, reached, worth = [], -np.inf, None
    out = draw.out_of_bag
    while kept:
        model = clone(estimator).fit(X[np.ix_(draw.rows, kept)], y[draw.rows])
        losses.append(-model.score(X[np.ix_(out, kept)], y[out]))
        if importance == "elimination" or worth is None:
            own = out_of_sample_importance(model, X[np.ix_(out, kept)], y[out])
            worth = dict(zip(kept, own, strict=True))
        order = sorted(kept, key=lambda unit: -worth[unit])
        n_gone = max(1, int(0.3 * len(kept)))
        gone = order[len(order) - n_gone :]
        for unit in gone:
            ranks[unit] = order.index(unit) + 1
            scores[unit] = worth[unit]
            if importance == "elimination":
                scores[unit] = max(worth[unit], reached)
        reached = max(reached, *(scores[unit] for unit in gone))
        kept = sorted(order[: len(order) - n_gone])
    mean = y[draw.rows].mean()
    spread = ((y[out] - y[out].mean()) ** 2).sum()
    losses.append(((y[out] - mean) ** 2).sum() / spread - 1)
    ranks[scores <= 0] = X.shape[1] + 1
    return ranks, np.maximum(scores, 0), losses[::-1]


@pytest.mark.parametrize("importance", ["elimination", "permutation"])
@pytest.mark.parametrize("seed", range(3))
def test_evidence_equals_a_loop_of_fits(importance, seed):
    """Three tenths of the features go at a time, those of the least importance."""
    X, y = problem(seed, p=9)
    data = data_of(X, y, estimator=OwnRidge(), seed=seed)
    evidence = refit_evidence(data, importance)
    np.testing.assert_array_equal(evidence.sizes, [0, 1, 2, 3, 4, 5, 7, 9])
    for b, draw in enumerate(data.draws):
        ranks, scores, losses = slow_draw(OwnRidge(), X, y, draw, importance, seed)
        np.testing.assert_array_equal(evidence.ranks[b], ranks)
        # Sums in another order.
        np.testing.assert_allclose(evidence.scores[b], scores, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(evidence.losses[b], losses, rtol=1e-9, atol=1e-12)


def test_coefficients_are_taken_in_units_of_columns():
    """importance="coef": sizes times spreads, so units do not decide."""
    X, y = problem(0)
    X = X * 10.0 ** np.arange(5)
    data = data_of(X, y, estimator=make_pipeline(StandardScaler(), OwnRidge()))
    evidence = refit_evidence(data, "coef")
    for b, draw in enumerate(data.draws):
        Z = StandardScaler().fit_transform(X[draw.rows])
        sizes = np.abs(Ridge().fit(Z, y[draw.rows]).coef_)
        np.testing.assert_allclose(evidence.scores[b], sizes, rtol=1e-9)


def test_coefficient_sizes_of_several_outputs_and_sparse_columns():
    """Outputs add up as squares, and sparse columns have the same spreads."""
    X, y = problem(1, k=2)
    X[np.abs(X) < 0.5] = 0.0
    model = Ridge().fit(X, y)
    wanted = np.sqrt((model.coef_**2).sum(axis=0)) * X.std(axis=0)
    np.testing.assert_allclose(coefficient_sizes(model, X), wanted)
    np.testing.assert_allclose(coefficient_sizes(model, sparse.csr_array(X)), wanted)


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (SVC(), "with `coef_`, and SVC has none; use"),
        (make_pipeline(PCA(), Ridge()), "PCA makes other columns of them; use"),
    ],
)
def test_coefficients_of_features_are_needed(estimator, words):
    """Coefficients of other columns than the features' say nothing about these."""
    X, y = problem(0, classes=2)
    y = y if isinstance(estimator, SVC) else (y == "a").astype(float)
    data = data_of(X, y, estimator=estimator, classifier=isinstance(estimator, SVC))
    with pytest.raises(ValueError, match=words) as caught:
        refit_evidence(data, "coef")
    assert caught.value.__notes__ == ["in draw 0"]


def test_a_callable_gets_the_fitted_model_and_rows_left_out():
    """importance(fitted, X, y), one number a feature; a unit has its largest."""
    X, y = problem(2)
    seen = []

    def importance(model, X, y):
        seen.append((X.shape, len(y)))
        return np.abs(model.coef_)

    labels = [0, 0, 1, 2, 2]
    data = data_of(X, y, labels=labels, estimator=OwnRidge())
    evidence = refit_evidence(data, importance)
    assert seen == [((14, 5), 14)] * 3
    for b, draw in enumerate(data.draws):
        coef = np.abs(Ridge().fit(X[draw.rows], y[draw.rows]).coef_)
        wanted = [coef[:2].max(), coef[2], coef[3:].max()]
        np.testing.assert_allclose(evidence.scores[b], wanted, rtol=1e-9)


def test_a_callable_returns_one_number_a_feature():
    """Any other shape is refused, with the shape got."""
    X, y = problem(2)
    data = data_of(X, y, estimator=OwnRidge())
    with pytest.raises(ValueError, match=r"each of the 5 features. Got shape \(3,\)\."):
        refit_evidence(data, lambda model, X, y: np.ones(3))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_error_says_in_which_draw(n_jobs):
    """What an estimator raises keeps its type; the draw is noted."""

    class Failing(OwnRidge):
        def fit(self, X, y, sample_weight=None):
            if np.abs(X).max() > 1e3:
                raise NotFittedError("too large")
            return super().fit(X, y, sample_weight)

    X, y = problem(3)
    data = replace(data_of(X, y, estimator=Failing()), n_jobs=n_jobs)
    row = np.setdiff1d(data.draws[1].rows, data.draws[0].rows)[0]
    X[row] = 1e4
    with (
        parallel_config("threading"),
        pytest.raises(NotFittedError, match="too large") as caught,
    ):
        refit_evidence(data, "elimination")
    (note,) = caught.value.__notes__
    number = int(note.removeprefix("in draw "))
    assert row in data.draws[number].rows
    if n_jobs is None:  # of two at a time either may come first
        assert number == 1


def test_every_fit_of_a_draw_is_seeded():
    """Random estimators get seeds of their own, the same again and again."""
    X, y = problem(4)
    data = data_of(X, y, estimator=RandomForestRegressor(n_estimators=3))
    one, two = (refit_evidence(data, "elimination") for _ in range(2))
    np.testing.assert_array_equal(one.scores, two.scores)
    np.testing.assert_array_equal(one.losses, two.losses)
    # A seed that is set is left as it is.
    fixed = data_of(X, y, estimator=DecisionTreeRegressor(random_state=3))
    evidence = refit_evidence(fixed, "permutation")
    draw = fixed.draws[0]
    tree = DecisionTreeRegressor(random_state=3).fit(X[draw.rows], y[draw.rows])
    out = draw.out_of_bag
    assert evidence.losses[0, -1] == -tree.score(X[out], y[out])


def test_forced_units_stay_longest_and_their_number_is_a_size():
    """Models of all that is always kept are fitted, and rank first."""
    X, y = problem(5, p=20)
    forced = np.isin(np.arange(20), np.arange(6, 12))
    assert {6, 20, 1} <= set(refit_sizes(forced))
    data = data_of(X, y, forced=forced, estimator=OwnRidge(), n_draws=2)
    for importance in ("elimination", "coef", "permutation"):
        evidence = refit_evidence(data, importance)
        assert (evidence.ranks[:, forced] <= 6).all()
        assert set(evidence.order[:6]) == set(range(6, 12))


def test_null_runs_keep_the_classes_of_every_half():
    """Rows of X are permuted and draws stay with y: a rare class is in each of them."""
    X, _ = problem(6)
    y = np.r_[np.ones(2), np.zeros(38)]
    draws = data_of(X, y).draws
    # The two rows of the rare class go to different sides of each draw.
    place = [draws[0].rows[0], draws[0].out_of_bag[0]]
    order = np.r_[place, np.setdiff1d(np.arange(40), place)]
    X, y = X[np.argsort(order)], y[np.argsort(order)]

    class Own(LogisticRegression):
        pass

    data = data_of(X, y, estimator=Own(), classifier=True, n_draws=1)
    orders = np.stack([np.random.default_rng(r).permutation(40) for r in range(20)])
    scores = np.stack(list(refit_null_scores(data, "permutation", orders)))
    assert scores.shape == (20, 1, 5)


def test_rows_left_out_are_needed():
    """Draws of all rows have nothing to look at, which the message says."""
    X, y = problem(7)
    data = data_of(X, y, estimator=OwnRidge())
    data = replace(data, draws=tuple(_without_rest(draw) for draw in data.draws))
    with pytest.raises(ValueError, match="leaves out, and a draw leaves none out; use"):
        refit_evidence(data, "elimination")
    assert refit_evidence(data, "coef").losses is None


def _without_rest(draw):
    empty = draw.rows[:0]
    return type(draw)(draw.rows, draw.counts, empty, draw.counts[:0], empty)


def test_scores_are_weighted_where_they_can_be():
    """Weights of rows left out reach the score; one that takes none says so."""
    X, y = problem(8)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 40)
    model = Ridge().fit(X, y)
    pipe = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    assert scored(None, model, X, y, weight) == model.score(X, y, weight)
    assert scored(None, pipe, X, y, weight) == pipe.score(X, y, sample_weight=weight)

    def scorer(model, X, y):
        return -mean_absolute_error(y, model.predict(X))

    with pytest.warns(UnweightedScoreWarning, match="takes no `sample_weight`"):
        assert scored(scorer, model, X, y, weight) == scorer(model, X, y)

    class Plain(RegressorMixin, BaseEstimator):
        def score(self, X, y):
            return 0.5

    with pytest.warns(UnweightedScoreWarning, match="takes no `sample_weight`"):
        assert scored(None, Plain(), X, y, weight) == 0.5


def test_a_score_must_be_a_number():
    """NaN would win every comparison, and is refused."""
    X, y = problem(8)
    with pytest.raises(ValueError, match=r"must give a number .* Got NaN"):
        scored(lambda model, X, y: np.nan, Ridge().fit(X, y), X, y, None)
    with pytest.raises(TypeError, match="must return one number"):
        scored(lambda model, X, y: [1, 2], Ridge().fit(X, y), X, y, None)


def test_scoring_names_what_nested_models_are_judged_by():
    """Another score than the estimator's own changes losses, not ranks of features."""
    X, y = problem(9, classes=2)

    class Own(LogisticRegression):
        pass

    data = data_of(X, y, estimator=Own(), classifier=True)
    data = replace(data, scoring="neg_log_loss")
    evidence = refit_evidence(data, "coef")
    draw = data.draws[0]
    model = LogisticRegression().fit(X[draw.rows], y[draw.rows])
    share = model.predict_proba(X[draw.out_of_bag])
    own = share[np.arange(len(share)), (y[draw.out_of_bag] == "b").astype(int)]
    np.testing.assert_allclose(evidence.losses[0, -1], -np.log(own).mean())
    data = replace(data, scoring=None)
    wrong = 1 - accuracy_score(y[draw.out_of_bag], model.predict(X[draw.out_of_bag]))
    np.testing.assert_allclose(refit_evidence(data, "coef").losses[0, -1], wrong - 1)


def test_estimators_without_weights_get_repeated_rows():
    """Whole weights are repetitions; fractions need an estimator that takes them."""
    X, y = problem(10)
    data = data_of(X, y, estimator=KNeighborsRegressor(3))
    assert refit_evidence(data, "permutation").ranks.shape == (3, 5)
    data = data_of(X, y, estimator=KNeighborsRegressor(3), weighted=True)
    with pytest.raises(ValueError, match=r"have to be whole numbers\. Got a count of"):
        refit_evidence(data, "permutation")
