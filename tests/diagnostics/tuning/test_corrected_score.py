"""The score to expect after choosing, against the choice repeated by hand."""

import warnings

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # its effect
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer, r2_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    RepeatedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    selection_corrected_score,
)
from genestimators._row_losses import LossTable
from genestimators.diagnostics._problem import make_problem
from genestimators.regularization._counts import bootstrap_counts
from genestimators.regularization._honest import corrected_score, share_to_choose_by
from tests.diagnostics.toys import classes, regression

DEPTHS = {"max_depth": [1, 2, 3, 5, None]}


def _by_hand(losses, chosen, seed, n_trained, n_resamples=500):
    """Choose in each resample, score on the rows it leaves out; the mean of that.

    The choice is by the first n n_trained / (n + n_trained) of n drawn rows.
    """
    found, n = [], losses.shape[1]
    best = losses.mean(axis=1).argmin()
    n_first = round(n * n_trained / (n + n_trained))
    first = bootstrap_counts(n, n_resamples, seed, n_drawn=n_first)
    later = bootstrap_counts(n, n_resamples, seed + 1, n_drawn=n - n_first)
    for counts, more in zip(
        np.vstack(list(first)), np.vstack(list(later)), strict=True
    ):
        picked = (losses @ counts).argmin()
        found.append(losses[picked, counts + more == 0].mean())
    given_up = losses[chosen].mean() - losses[best].mean()
    return np.mean(found) + given_up


def three_columns_of_thirty(n, seed):
    """Columns, and classes by odds that three of them make."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 30))
    odds = 0.8 * (X[:, 0] + X[:, 1] - X[:, 2])
    return X, rng.random(n) < 1 / (1 + np.exp(-odds))


def _seed(y):
    return make_problem("f", Ridge(), np.zeros((len(y), 1)), y, random_state=0).seed


def test_predictions_equal_loops():
    """Losses of rows, the choice in each resample, the rows left out."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    predictions = y + rng.normal(size=(6, 40))
    found = selection_corrected_score(
        predictions, y=y, scoring="neg_mean_squared_error", random_state=0
    )
    losses = (predictions - y) ** 2
    assert found.naive_score == pytest.approx(-losses.mean(axis=1).min())
    assert found.best_index == losses.mean(axis=1).argmin()
    # Candidates far behind the best are never chosen, so they are not asked.
    assert found.score == pytest.approx(
        -_by_hand(losses, found.best_index, _seed(y), 40), rel=1e-3
    )
    assert found.optimism == pytest.approx(found.naive_score - found.score)
    assert found.optimism > 0
    low, high = found.interval
    assert low < found.score < high
    assert found.n_fits == 0


def test_labels_and_probabilities():
    rng = np.random.default_rng(0)
    y = np.where(rng.random(60) < 0.5, "a", "b")
    labels = np.where(rng.random((5, 60)) < 0.4, "a", "b")
    found = selection_corrected_score(labels, y=y, scoring="accuracy", random_state=0)
    naive = max(accuracy_score(y, one) for one in labels)
    assert found.naive_score == pytest.approx(naive)
    second = rng.random((5, 60))
    proba = np.stack([1 - second, second], axis=2)
    found = selection_corrected_score(proba, y=y, scoring="roc_auc", random_state=0)
    naive = max(roc_auc_score(y, one) for one in second)
    assert found.naive_score == pytest.approx(naive)
    assert found.optimism > 0
    for scoring in ("neg_log_loss", "neg_brier_score"):
        found = selection_corrected_score(proba, y=y, scoring=scoring, random_state=0)
        assert found.optimism > 0
    three = np.stack([1 - second, second / 2, second / 2], axis=2)
    found = selection_corrected_score(
        three, y=y, scoring="neg_log_loss", classes=["a", "b", "c"], random_state=0
    )
    assert found.n_candidates == 5


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
@pytest.mark.parametrize("cv", [4, KFold(4, shuffle=True, random_state=0)])
def test_a_grid_search_equals_predictions_of_its_candidates(scoring, cv):
    """Out-of-fold predictions by scikit-learn, and the choice among them."""
    X, y = regression(60)
    model = DecisionTreeRegressor(random_state=0)
    search = GridSearchCV(model, DEPTHS, scoring=scoring, cv=cv).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    assert found.naive_score == search.best_score_
    assert found.best_index == search.best_index_
    assert found.n_fits == 5 * 4
    predictions = np.stack(
        [
            cross_val_predict(clone(model).set_params(**one), X, y, cv=cv)
            for one in search.cv_results_["params"]
        ]
    )
    if scoring is None:  # R2 is in units of the spread within each fold
        assert found.scoring == "R2"
        return
    losses = np.abs(predictions - y)
    expected = -_by_hand(losses, search.best_index_, _seed(y), 45)
    assert found.score == pytest.approx(expected, rel=1e-3)
    # Predictions do not say how many rows their models were fitted on.
    again = selection_corrected_score(predictions, y=y, scoring=scoring, random_state=0)
    expected = -_by_hand(losses, search.best_index_, _seed(y), 60)
    assert again.score == pytest.approx(expected, rel=1e-3)


def test_scores_that_are_no_means_and_scores_of_the_model():
    X, y = classes(80)
    model = DecisionTreeClassifier(random_state=0)
    for scoring in ("roc_auc", "f1", make_scorer(accuracy_score)):
        search = GridSearchCV(model, DEPTHS, scoring=scoring).fit(X, y)
        found = selection_corrected_score(search, X, y, random_state=0)
        assert found.method == "bootstrap"
        assert np.isfinite(found.interval).all()

    def size(estimator, X, y):
        return estimator.score(X, y) - 0.01 * estimator.get_n_leaves()

    search = GridSearchCV(model, DEPTHS, scoring=size).fit(X, y)
    found = selection_corrected_score(search, X, y)
    results = search.cv_results_
    test = np.stack([results[f"split{k}_test_score"] for k in range(5)], axis=1)
    bias = (test.max(axis=0) - test[search.best_index_]).mean()
    assert found.method == "folds"
    assert found.optimism == pytest.approx(bias)
    assert found.n_fits == 0


def test_one_of_several_scores():
    X, y = classes(80)
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        DEPTHS,
        scoring={"right": "accuracy", "odds": "neg_log_loss"},
        refit="right",
    ).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    assert found.scoring == "accuracy"
    assert found.naive_score == search.best_score_
    search.refit = False
    with pytest.raises(ValueError, match=r"corrects one score.*Got refit=False"):
        selection_corrected_score(search, X, y)
    with pytest.raises(ValueError, match="needs a search that chose one candidate"):
        selection_corrected_score(clone(search).fit(X, y), X, y)


def test_several_scores_of_a_callable():
    """A key may be the name of a scorer and mean something else."""
    X, y = regression(60)

    def both(model, X, y):
        return {"a": 1.0, "r2": -np.abs(y - model.predict(X)).mean()}

    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, scoring=both, refit="r2")
    found = selection_corrected_score(search.fit(X, y), X, y)
    assert found.method == "folds"
    assert found.score == pytest.approx(search.best_score_, rel=0.1)


def test_candidates_that_failed_are_never_chosen():
    X, y = regression(60)
    search = GridSearchCV(Ridge(), {"alpha": [-1, 0.1, 1.0]}, cv=3)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    good = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3).fit(X, y)
    again = selection_corrected_score(good, X, y, random_state=0)
    assert found.score == pytest.approx(again.score)
    assert (found.best_index, found.n_candidates) == (search.best_index_, 3)


@pytest.mark.parametrize("scoring", ["neg_root_mean_squared_error", "r2", "roc_auc"])
def test_one_candidate_has_no_optimism(scoring):
    """Whatever else distinguishes means over folds from scores of all rows."""
    X, y = regression(60)
    model = Ridge()
    if scoring == "roc_auc":
        X, y = classes(60)
        model = LogisticRegression()
    search = GridSearchCV(model, {}, cv=6, scoring=scoring).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    reach = (found.interval[1] - found.interval[0]) / 2
    assert abs(found.optimism) < 0.15 * reach
    if scoring == "neg_root_mean_squared_error":
        assert "on all rows together" in str(found)


def test_random_searches_pipelines_repeats_and_jobs():
    X, y = regression(60)
    model = make_pipeline(StandardScaler(), Ridge())
    search = RandomizedSearchCV(
        model,
        {"ridge__alpha": uniform(0.1, 10)},
        n_iter=4,
        cv=RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        random_state=0,
    ).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    assert found.n_fits == 4 * 6
    assert selection_corrected_score(search, X, y, n_jobs=2, random_state=0) == found
    assert not hasattr(model[-1], "coef_")


def test_steps_among_the_candidates():
    """Estimators as values are cloned, never fitted themselves."""
    X, y = regression(60)
    steps = [Ridge(), DecisionTreeRegressor(max_depth=2, random_state=0)]
    search = GridSearchCV(make_pipeline(Ridge()), {"ridge": steps}).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    assert found.n_candidates == 2
    assert not hasattr(steps[0], "coef_")


def test_groups_are_drawn_as_wholes():
    X, y = regression(60)
    groups = np.arange(60) // 6
    y = y + 3 * np.random.default_rng(0).normal(size=10)[groups]
    search = GridSearchCV(
        DecisionTreeRegressor(random_state=0), DEPTHS, cv=GroupKFold(5)
    ).fit(X, y, groups=groups)
    found = selection_corrected_score(search, X, y, groups=groups, random_state=0)
    plain = {"scoring": "r2", "random_state": 0}
    predictions = y + np.random.default_rng(1).normal(size=(3, 10))[:, groups]
    wide = selection_corrected_score(predictions, y=y, groups=groups, **plain)
    narrow = selection_corrected_score(predictions, y=y, **plain)
    assert np.diff(wide.interval) > 1.3 * np.diff(narrow.interval)
    assert found.n_fits == 25


def test_whole_weights_are_rows():
    rng = np.random.default_rng(0)
    y, weight = rng.normal(size=50), rng.integers(3, size=50)
    predictions = y + rng.normal(size=(4, 50))
    plain = {"scoring": "neg_mean_squared_error", "random_state": 0}
    found = selection_corrected_score(
        predictions, y=y, sample_weight=weight, groups=np.arange(50), **plain
    )
    rows = np.repeat(np.arange(50), weight)
    again = selection_corrected_score(
        predictions[:, rows], y=y[rows], groups=rows, **plain
    )
    assert found.naive_score == pytest.approx(again.naive_score)
    assert found.score == pytest.approx(again.score, rel=0.02)


def test_an_auto_regularized_search_knows_its_own():
    X, y = regression(60)
    search = AutoRegularizedCV(Ridge(), random_state=0).fit(X, y)
    found = selection_corrected_score(search)
    assert found.score == search.expected_score_
    assert found.interval == search.expected_score_interval_
    assert found.method == "search"
    with pytest.raises(ValueError, match=r"at a confidence of 0\.95; leave"):
        selection_corrected_score(search, confidence_level=0.9)


def test_words():
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    found = selection_corrected_score(
        y + rng.normal(size=(6, 40)), y=y, scoring="r2", random_state=0
    )
    assert str(found).startswith("r2 to expect on new rows:")
    assert "too good" in str(found)
    assert found._repr_html_().count("<li>") == 2
    assert found.to_dict()["score"] == found.score


Y = np.arange(20) % 2
LABELS = np.stack([Y, 1 - Y])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"y": Y}, ValueError, "pass `scoring` and `y`. Got scoring=None"),
        ({"scoring": "accuracy"}, ValueError, "and y=None"),
        ({"y": Y[:9], "scoring": "accuracy"}, ValueError, r"Got \(2, 20\) and 9"),
        ({"y": Y, "scoring": "nothing"}, ValueError, "the name of a scorer"),
        ({"y": Y, "scoring": "neg_log_loss"}, ValueError, "from these predictions al"),
        ({"y": Y, "scoring": 3}, TypeError, "'scoring' parameter of selection_corr"),
        ({"y": Y, "scoring": "r2", "n_resamples": 9}, ValueError, "'n_resamples'"),
        ({"y": Y, "scoring": "r2", "confidence_level": 1.0}, ValueError, "'confiden"),
    ],
)
def test_bad_predictions(given, error, message):
    with pytest.raises(error, match=message):
        selection_corrected_score(LABELS, **given)


def test_predictions_that_are_missing_or_have_other_columns():
    broken = LABELS.astype(float)
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match="Predictions must not be NaN"):
        selection_corrected_score(broken, y=Y, scoring="accuracy")
    proba = np.full((2, 20, 3), 1 / 3)
    with pytest.raises(ValueError, match="must name the 3 columns of probabilities"):
        selection_corrected_score(proba, y=Y, scoring="neg_log_loss")
    with pytest.raises(ValueError, match="`classes` must be sorted"):
        selection_corrected_score(proba, y=Y, scoring="neg_log_loss", classes=[1, 0, 2])
    with pytest.raises(ValueError, match="needs the answers labels, and predictions"):
        selection_corrected_score(proba[..., :2], y=Y, scoring="accuracy")


def test_bad_searches():
    X, y = regression(60)
    grid = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]})
    with pytest.raises(ValueError, match="not fitted yet"):
        selection_corrected_score(grid, X, y)
    grid.fit(X, y)
    with pytest.raises(ValueError, match="pass X and y"):
        selection_corrected_score(grid)
    with pytest.raises(ValueError, match="has a `scoring` of its own"):
        selection_corrected_score(grid, X, y, scoring="r2")
    with pytest.raises(TypeError, match="takes a fitted search or predictions"):
        selection_corrected_score(Ridge().fit(X, y), X, y)
    half = HalvingGridSearchCV(Ridge(), {"alpha": [1.0, 2.0, 3.0]}).fit(X, y)
    with pytest.raises(TypeError, match="successive halving gives them different"):
        selection_corrected_score(half, X, y)


def test_a_choice_without_a_score():
    X, y = classes(80)
    search = GridSearchCV(LinearSVC(), {"C": [0.1, 1.0]}, scoring="neg_log_loss")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    with pytest.raises(ValueError, match=r"whose choice has a score\. Got nan of "):
        selection_corrected_score(search, X, y)


@pytest.mark.slow
def test_the_score_after_choosing_is_honest():
    """Fifty trees of chance on 100 rows: the best is 9 points too good, ours is not.

    Over 60 data sets the mean of the corrected scores is known to .7 of a point (its
    spread is 5 points); two points are allowed.
    """
    naive, honest, true = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = rng.integers(2, size=100)
        predictions = rng.integers(2, size=(50, 100))
        found = selection_corrected_score(
            predictions, y=y, scoring="accuracy", random_state=seed
        )
        naive.append(found.naive_score)
        honest.append(found.score)
        true.append(0.5)
    assert np.mean(naive) - 0.5 > 0.09
    assert np.mean(honest) == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
def test_the_score_of_models_of_the_same_rows_is_honest():
    """Forty trees that look at few columns: what all rows say by chance helps them.

    Over 150 data sets of 100 rows the mean of the corrected score is known to .45 of a
    point of accuracy (its spread is 5.5 points), and it is .7 off by more data sets.
    Two points are allowed, and less error than where all rows choose, with paired
    errors.
    """
    naive, honest, published = [], [], []
    for seed in range(150):
        X, y = three_columns_of_thirty(100, 10_000 + seed)
        new, y_new = three_columns_of_thirty(2000, 20_000 + seed)
        trees = [
            DecisionTreeClassifier(max_depth=3, max_features=3, random_state=i)
            for i in range(40)
        ]
        right = np.empty((40, 100))
        with config_context(assume_finite=True, skip_parameter_validation=True):
            for train, test in KFold(5, shuffle=True, random_state=seed).split(X):
                for i, tree in enumerate(trees):
                    tree.fit(X[train], y[train])
                    right[i, test] = tree.predict(X[test]) == y[test]
            best = int(right.mean(axis=1).argmax())
            truth = trees[best].fit(X, y).score(new, y_new)
        table = LossTable("accuracy", 1.0 - right, None)
        half = share_to_choose_by(100, 80)
        naive.append(right[best].mean() - truth)
        honest.append(corrected_score(table, best, None, 0, share=half)[0] - truth)
        published.append(corrected_score(table, best, None, 0)[0] - truth)
    assert np.mean(naive) > 0.08
    assert abs(np.mean(honest)) < 0.02
    better = np.square(published) - np.square(honest)
    assert better.mean() > 3 * better.std(ddof=1) / np.sqrt(150)


def test_models_with_a_score_of_their_own():
    """Logistic regression is scored by accuracy, R2 by that of its folds."""
    X, y = classes(80)
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 0.1, 1.0]}).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    assert found.method == "bootstrap"
    X, y = regression(60)
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3).fit(X, y)
    found = selection_corrected_score(search, X, y, random_state=0)
    scores = [
        r2_score(y[rows], search.best_estimator_.predict(X[rows]))
        for rows in (np.arange(60),)
    ]
    assert found.score < scores[0]


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        (np.empty((0, 20)), "of at least one candidate. Got none"),
        (np.full((2, 20), np.inf), r"NaN or infinite.*Got inf; leave such rows"),
        (np.array([[1, "a"] * 10] * 2, dtype=object), "of one kind.*Got int, str"),
        ([[1] * 20, [1] * 3], "Got rows of unequal length"),
    ],
)
def test_predictions_that_are_none(predictions, message):
    with pytest.raises(ValueError, match=message):
        selection_corrected_score(predictions, y=Y, scoring="accuracy")


def test_arguments_that_would_change_nothing():
    X, y = regression(60)
    own = AutoRegularizedCV(Ridge(), random_state=0).fit(X, y)
    for name, value in {"scoring": "r2", "sample_weight": np.ones(60)}.items():
        with pytest.raises(ValueError, match=f"`{name}` would change nothing. Got"):
            selection_corrected_score(own, X, y, **{name: value})
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}).fit(X, y)
    with pytest.raises(ValueError, match=r"`classes` would change nothing\. Got list"):
        selection_corrected_score(search, X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"`params` would change nothing\. Got dict"):
        selection_corrected_score(LABELS, y=Y, scoring="accuracy", params={"a": 1})


def test_a_search_over_groups_needs_them_again():
    X, y = regression(60)
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, cv=GroupKFold(3))
    search.fit(X, y, groups=np.arange(60) // 5)
    with pytest.raises(ValueError, match=r"needs groups\. Got none; pass `groups="):
        selection_corrected_score(search, X, y)


def test_one_group_is_none_to_leave_out():
    y = np.arange(20.0)
    predictions = y + np.random.default_rng(0).normal(size=(3, 20))
    with pytest.raises(ValueError, match=r"needs two of them\. Got one; leave out"):
        selection_corrected_score(
            predictions, y=y, scoring="neg_mean_squared_error", groups=np.zeros(20)
        )
    X, y = regression(40)
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=KFold(4)).fit(X, y)
    with pytest.raises(ValueError, match=r"needs two of them\. Got one; leave out"):
        selection_corrected_score(search, X, y, groups=["a"] * 40)
