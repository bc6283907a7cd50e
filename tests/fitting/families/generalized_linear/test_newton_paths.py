"""Newton's method over folds and values: whole curves, and the ways to get there."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import AutoRegularizedCV, Bootstrap, Folds
from genestimators.fitting import Response, find_family, read_over
from genestimators.fitting.families.generalized_linear import _newton, _newton_paths
from tests.fitting.families.against_refits import EveryAnswer

STRENGTHS = np.geomspace(1e-3, 1e3, 5)


def data(seed, n=120, p=6, k=2):
    """Columns of different size and position, one label in ten wrong."""
    X, y = make_classification(
        n,
        p,
        n_informative=p - 2,
        n_redundant=0,
        n_classes=k,
        n_clusters_per_class=1,
        weights=[0.55] if k == 2 else [0.5, 0.3],
        flip_y=0.1,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    return X * np.geomspace(0.3, 3, p) + rng.normal(size=p), y


def amounts(seed, n=120, p=6):
    """Positive whole numbers that depend on the columns."""
    X, _ = data(seed, n, p)
    rng = np.random.default_rng(seed)
    mean = np.exp(0.5 + X @ rng.normal(size=p) / (3 * p))
    return X, rng.poisson(mean) + 1.0


def scaled(estimator):
    """The estimator behind a StandardScaler."""
    return make_pipeline(StandardScaler(), estimator)


def answers(estimator, param, values, X, y, *, draws=None, families=True):
    """Probabilities or predictions of every draw, and the families that answered."""
    classify = is_classifier(estimator)
    if draws is None:
        cv = KFold(3, shuffle=True, random_state=0)
        draws = Folds(cv).prepare(X, y, None, classifier=classify)
    classes = (np.unique(y),) if classify else ()
    response = Response("probability" if classify else "predict", classes)
    found = read_over(
        estimator,
        X,
        y,
        draws,
        range(3),
        reading=EveryAnswer(response),
        param=param,
        values=values,
        families=families,
        classes=classes,
    )
    results, kinds = zip(*(result for *_, result in found), strict=True)
    return results, kinds


def assert_same(found, expected, limit):
    """Answers of the same draws agree."""
    for ours, theirs in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit)


@pytest.mark.filterwarnings("ignore:Line search", "ignore:lbfgs failed")  # the peer
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("n", "p", "k"),
    [(120, 6, 2), (120, 6, 3), (60, 1, 2), (30, 40, 2), (24, 30, 3), (400, 15, 2)],
)
@pytest.mark.parametrize("behind", [True, False])
def test_curves_of_log_loss_equal_those_of_a_search(seed, n, p, k, behind):
    """At the default tolerance: the same losses of folds, and the same choice."""
    X, y = data(seed, n, max(p, 4), k)
    X = X[:, :p]
    folds = list(StratifiedKFold(4, shuffle=True, random_state=seed).split(X, y))
    model = LogisticRegression(max_iter=2000)
    model = scaled(model) if behind else model
    param = "logisticregression__C" if behind else "C"
    ours = AutoRegularizedCV(
        model,
        values=STRENGTHS,
        cv=folds,
        scoring="neg_log_loss",
        rule="best",
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the best may lie at an end
        ours.fit(X, y)
    # The peer is taken to its minimum: with p > n losses of folds at the default
    # tolerance of its solver are wrong by more than a tenth.
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-11, max_iter=1000)
    search = GridSearchCV(
        scaled(exact) if behind else exact,
        {param: STRENGTHS},
        cv=folds,
        scoring="neg_log_loss",
        return_train_score=True,
        refit=False,
    ).fit(X, y)
    assert ours.engine_ == "path"
    assert ours.exactness_ == "tolerance"
    assert ours.best_index_ == search.best_index_
    for name in ours.cv_results_:
        if name.startswith("split"):
            found, expected = ours.cv_results_[name], search.cv_results_[name]
            # Predictors are within 1e-5 of the minimum.
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("model", "scoring"),
    [
        (PoissonRegressor(max_iter=1000), "neg_mean_poisson_deviance"),
        (GammaRegressor(max_iter=1000), "neg_mean_gamma_deviance"),
        (TweedieRegressor(power=1.5, max_iter=1000), "neg_mean_squared_error"),
        (LogisticRegression(max_iter=1000), "neg_brier_score"),
    ],
)
def test_curves_of_other_scores_equal_those_of_refits(weighted, model, scoring):
    """With weights in fits and scores, against the engine that fits every value."""
    X, y = data(2) if is_classifier(model) else amounts(2)
    weight = np.random.default_rng(2).integers(0, 4, len(y)) if weighted else None
    found = {}
    for engine in ("auto", "generic"):
        # The tolerance of single fits is none of the path's.
        tol = model.tol if engine == "auto" else 1e-9
        search = AutoRegularizedCV(
            scaled(clone(model).set_params(tol=tol, solver="newton-cholesky")),
            values=STRENGTHS,
            cv=4,
            scoring=scoring,
            rule="best",
            engine=engine,
            n_repeats=1,
            refit=False,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the best may lie at an end
            found[engine] = search.fit(X, y, sample_weight=weight)
    ours, theirs = found["auto"], found["generic"]
    assert ours.best_index_ == theirs.best_index_
    assert (ours.engine_, theirs.engine_) == ("path", "generic")
    for name in ("mean_test_score", "mean_train_score"):
        # Predictors are within 1e-5 of the minimum.
        np.testing.assert_allclose(
            ours.cv_results_[name], theirs.cv_results_[name], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("behind", [True, False])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("p", [5, 60])
def test_every_way_leads_to_the_same_answers(monkeypatch, behind, k, p):
    """Stacked, one after the other with kept Hessians, alone, by warm fits."""
    if k == 1:
        model, (X, y) = PoissonRegressor(), amounts(3, 50, p)
    else:
        model, (X, y) = LogisticRegression(), data(3, 50, p, k)
    model.set_params(solver="newton-cholesky", tol=1e-10, max_iter=5000)
    family = find_family(model, "alpha" if k == 1 else "C")
    chain = scaled(model) if behind else model
    param = f"{chain.steps[-1][0]}__{family.param}" if behind else family.param
    values = [1.0, 1e-2, 10.0, 1.0]
    stacked = answers(chain, param, values, X, y)
    assert stacked[1] == (family,) * 3

    with monkeypatch.context() as patch:  # no products: Hessians are kept
        patch.setattr(_newton, "_WIDE", 0)
        assert_same(answers(chain, param, values, X, y), stacked, 1e-6)
    with monkeypatch.context() as patch:  # one value after the other
        patch.setattr(_newton_paths, "_MOST_STACKED", 0)
        assert_same(answers(chain, param, values, X, y), stacked, 1e-6)
    with monkeypatch.context() as patch:  # too much to keep: no shared work
        patch.setattr(_newton_paths, "_MOST_KEPT", 0)
        assert_same(answers(chain, param, values, X, y), stacked, 1e-6)
    with monkeypatch.context() as patch:  # too wide for Hessians
        patch.setattr(_newton_paths, "MOST_PRODUCTS", 0)
        warm = answers(chain, param, values, X, y)
        assert warm[1] == (family,) * 3
        # The estimator itself stops by gradients.
        assert_same(warm, stacked, 1e-5)


@pytest.mark.parametrize("n", [60, 400])
def test_bags_over_values_equal_refits(n):
    """Draws with repeated rows, of which there may always be more."""
    X, y = data(4, n)
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=1000)
    draws = Bootstrap().prepare(X, y, None, seed=0)
    for chain, param in ((model, "C"), (scaled(model), "logisticregression__C")):
        found = [
            answers(chain, param, [1.0, 0.01], X, y, draws=draws, families=families)
            for families in (True, False)
        ]
        assert found[0][1] == (find_family(model, "C"),) * 3
        # As far as refits are from the minimum.
        assert_same(*found, 1e-6)


def test_a_fold_whose_column_has_no_spread_left():
    """A scaler would blow up what rounding leaves: the fold is fitted by itself."""
    X, y = data(5, 60)
    X[:, 0] = 1e-9 * np.random.default_rng(0).normal(size=60)
    X[0, 0] = 1e4
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=1000)
    chain, param = scaled(model), "logisticregression__C"
    found = [
        answers(chain, param, [1.0, 0.01], X, y, families=families)
        for families in (True, False)
    ]
    # As far as refits are from the minimum.
    assert_same(*found, 1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("model", [LogisticRegression(), PoissonRegressor()])
def test_errors_are_those_of_the_estimator(bad, model):
    """Bad cells are refused in the estimator's own words."""
    X, y = data(6, 60)
    X[7, 1] = bad
    param = find_family(model, "C" if is_classifier(model) else "alpha").param
    for chain, name in (
        (model, param),
        (scaled(model), f"{type(model).__name__.lower()}__{param}"),
    ):
        with pytest.raises(ValueError, match="Input X contains"):
            answers(chain, name, [1.0], X, y)


def test_no_convergence_is_a_warning_once_a_path(monkeypatch):
    """It names the estimator and the way out."""
    X, y = data(7, 60)
    model = LogisticRegression(tol=1e-10)
    family = find_family(model, "C")
    limits = {"tol": 1e-10, "max_iter": 1}
    monkeypatch.setattr(_newton_paths, "_limits", lambda estimator: limits)
    with pytest.warns(ConvergenceWarning, match="LogisticRegression did not") as seen:
        family.fit_path(model, X, y, None, STRENGTHS)
    assert len(seen) == 1
    assert "scale the data, or penalise more" in str(seen[0].message)
    with pytest.warns(ConvergenceWarning, match="Got max_iter=100") as seen:
        answers(model, "C", STRENGTHS, X, y)
    assert len(seen) == 3


def test_few_iterations_of_other_solvers_are_enough_here():
    """A limit meant for small steps does not stop a few large ones."""
    X, y = data(8, 60)
    model = LogisticRegression(max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = find_family(model, "C").fit_path(model, X, y, None, STRENGTHS)
    assert path.n_iter.max() < 20


def test_warm_fits_warn_of_no_convergence(monkeypatch):
    """Where the estimator itself is fitted its own limit counts."""
    X, y = data(9, 60)
    monkeypatch.setattr(_newton_paths, "MOST_PRODUCTS", 0)
    model = LogisticRegression(max_iter=2)
    with pytest.warns(ConvergenceWarning, match="Got max_iter=2") as seen:
        path = find_family(model, "C").fit_path(model, X, y, None, STRENGTHS)
    assert len(seen) == 1
    assert path.model(0).warm_start is False
    assert path.model(0).tol == LogisticRegression().tol


def test_a_tolerance_is_tightened_within_bounds():
    """Neighbouring values differ by themselves, not by where their fits stopped."""
    tight = [_newton_paths._tolerance(tol) for tol in (1.0, 1e-4, 1e-6, 0.0)]
    assert tight == pytest.approx([1e-5, 1e-5, 1e-7, 1e-10])
