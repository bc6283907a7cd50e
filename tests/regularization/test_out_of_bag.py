"""Bags and forests that choose their penalty by the rows that members left out."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    mean_absolute_error,
    r2_score,
)
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GroupBootstrap,
)
from tests.bagging.toys import classification_data, figures_of, regression_data

# Which value is chosen does not matter where every value is looked at.
pytestmark = pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")

ALPHAS = [0.0, 0.02, 0.2]
TREE = DecisionTreeRegressor(random_state=0)
FOREST = RandomForestRegressor(30, random_state=0)
FOREST_CLASSIFIER = RandomForestClassifier(30, random_state=0)


def bag_of(member=TREE, **settings):
    kind = BootstrapBaggingRegressor
    if is_classifier(member):
        kind = BootstrapBaggingClassifier
    return kind(member, **{"n_estimators": 25, "random_state": 1} | settings)


def data_for(estimator, n_rows=60):
    if is_classifier(estimator):
        return classification_data(n_rows, labels=["a", "b", "c"])
    return regression_data(n_rows)


def search(estimator, param="ccp_alpha", values=ALPHAS, **settings):
    """A search with bags' parameters named as those of their members."""
    if isinstance(estimator, (BootstrapBaggingRegressor, BootstrapBaggingClassifier)):
        param = f"estimator__{param}"
    settings = {"cv": "out_of_bag", "random_state": 0, "store_oof": True} | settings
    return AutoRegularizedCV(estimator, param=param, values=values, **settings)


def assert_same(found, expected, rtol=1e-12):
    """Numbers but for rounding, labels exactly."""
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=rtol)
    else:
        np.testing.assert_array_equal(found, expected)


def refits_of(auto, X, y, **fit):
    """The estimator fitted for each value."""
    return [
        clone(auto.estimator).set_params(**{auto.param_: value}).fit(X, y, **fit)
        for value in auto.values_.tolist()
    ]


def scored_forests(auto, X, y, sample_weight=None):
    """Forests with out-of-bag scores, fitted for each value, and those scores."""
    forests, scores = [], []
    score = accuracy_score if is_classifier(auto.estimator) else r2_score
    for value in auto.values_.tolist():
        forest = clone(auto.estimator).set_params(
            **{auto.param_: value}, oob_score=True
        )
        forest.fit(X, y, sample_weight=sample_weight)
        if is_classifier(forest):
            winners = np.argmax(forest.oob_decision_function_, axis=1)
            answer = forest.classes_[winners]
        else:
            answer = forest.oob_prediction_
        forests.append(forest)
        # scikit-learn's own score leaves weights out.
        scores.append(score(y, answer, sample_weight=sample_weight))
        if sample_weight is None:
            assert scores[-1] == forest.oob_score_
    return forests, scores


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("forest", "param", "values"),
    [
        (FOREST, "ccp_alpha", ALPHAS),
        (FOREST, "n_estimators", [25, 40]),
        (FOREST_CLASSIFIER, "ccp_alpha", ALPHAS),
        (ExtraTreesClassifier(30, bootstrap=True, random_state=0), "ccp_alpha", ALPHAS),
        (BaggingRegressor(n_estimators=30, random_state=0), "n_estimators", [25, 40]),
    ],
)
def test_curves_of_forests_are_their_own_out_of_bag_scores(
    forest, param, values, weighted
):
    """Those of a forest fitted with `oob_score=True` for each value."""
    X, y = data_for(forest)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    weight = weight if weighted else None
    auto = search(forest, param, values).fit(X, y, sample_weight=weight)
    refits, scores = scored_forests(auto, X, y, weight)
    np.testing.assert_allclose(auto.cv_results_["mean_test_score"], scores, rtol=1e-10)
    train = [refit.score(X, y, sample_weight=weight) for refit in refits]
    np.testing.assert_allclose(auto.cv_results_["mean_train_score"], train, rtol=1e-10)
    stored = "oob_decision_function_" if is_classifier(forest) else "oob_prediction_"
    for own, refit in zip(auto.oof_predictions_, refits, strict=True):
        np.testing.assert_allclose(own, getattr(refit, stored), rtol=1e-12)
    chosen = refits[auto.best_index_]
    assert_same(auto.predict(X), chosen.predict(X))
    assert auto.n_splits_ == 1


def test_rows_of_weight_zero_are_in_no_bag():
    """The forest is that of the other rows."""
    X, y = data_for(FOREST)
    weight = np.ones(len(y))
    weight[::5] = 0
    kept = weight > 0
    auto = search(FOREST).fit(X, y, sample_weight=weight)
    _, scores = scored_forests(auto, X[kept], y[kept], weight[kept])
    np.testing.assert_allclose(auto.cv_results_["mean_test_score"], scores, rtol=1e-10)
    assert np.isnan(auto.oof_predictions_[:, ~kept]).all()


@pytest.mark.parametrize("forest", [FOREST, FOREST_CLASSIFIER])
def test_training_scores_of_forests_on_folds_are_out_of_bag(forest):
    """Trees reproduce the rows they have seen, whatever the penalty."""
    X, y = data_for(forest)
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    auto = search(forest, cv=folds).fit(X, y)
    for number, (train, test) in enumerate(folds):
        refits, scores = scored_forests(auto, X[train], y[train])
        found = auto.cv_results_[f"split{number}_train_score"]
        np.testing.assert_allclose(found, scores, rtol=1e-10)
        expected = [refit.score(X[test], y[test]) for refit in refits]
        found = auto.cv_results_[f"split{number}_test_score"]
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("bag", "param", "values"),
    [
        (bag_of(DecisionTreeClassifier(random_state=0)), "ccp_alpha", ALPHAS),
        (
            bag_of(DecisionTreeClassifier(random_state=0), aggregate="vote"),
            "ccp_alpha",
            ALPHAS,
        ),
        (
            bag_of(DecisionTreeClassifier(random_state=0), aggregate="logit"),
            "max_leaf_nodes",
            [4, 9],
        ),
        (bag_of(KNeighborsClassifier(), max_features=2), "n_neighbors", [1, 9]),
    ],
)
def test_accuracies_of_bags_are_their_own_out_of_bag_scores(bag, param, values):
    """Accuracy is not corrected for the number of members."""
    X, y = data_for(bag)
    auto = search(bag, param, values).fit(X, y)
    refits = refits_of(auto, X, y)
    scores = [refit.oob_score_ for refit in refits]
    np.testing.assert_allclose(auto.cv_results_["mean_test_score"], scores, rtol=1e-12)
    train = [refit.train_score_ for refit in refits]
    np.testing.assert_allclose(auto.cv_results_["mean_train_score"], train, rtol=1e-12)


@pytest.mark.parametrize(
    ("scoring", "score"),
    [
        ("neg_mean_absolute_error", lambda *pair: -mean_absolute_error(*pair)),
        ("r2", r2_score),
    ],
)
@pytest.mark.parametrize("fit", ["plain", "weights", "groups"])
def test_curves_of_bags_follow_their_out_of_bag_predictions(scoring, score, fit):
    """To the bit for absolute errors; R2 is that of a bag of all members.

    A row is left out by about a third of the members. The mean of so few has more
    variance, which is taken off.
    """
    X, y = regression_data()
    given, settings = {}, {}
    if fit == "weights":
        given = {"sample_weight": np.random.default_rng(0).integers(1, 3, len(y)) * 1.0}
        settings = {"weight_mode": "importance"}
    if fit == "groups":
        given = {"groups": np.arange(len(y)) // 4}
        settings = {"resampling": GroupBootstrap()}
    auto = search(bag_of(**settings), scoring=scoring).fit(X, y, **given)
    refits = refits_of(auto, X, y, **given)
    found = auto.cv_results_["mean_test_score"]
    weight = given.get("sample_weight")
    for own, curve, refit in zip(auto.oof_predictions_, found, refits, strict=True):
        np.testing.assert_allclose(own, refit.oob_prediction_, rtol=1e-12, atol=1e-12)
        known = ~np.isnan(own)
        share = None if weight is None else weight[known]
        if scoring == "r2":
            plain = r2_score(y[known], own[known], sample_weight=share)
            assert plain < curve < refit.oob_score_
        else:
            error = mean_absolute_error(y[known], own[known], sample_weight=share)
            np.testing.assert_allclose(curve, -error, rtol=1e-12)


def test_the_correction_is_that_of_the_number_of_members():
    """The curve of few members is nearer to the error of all of them on new rows.

    The mean of those that left a row out, four of ten, varies more than that of ten.
    """
    X, y = regression_data(300)
    new_X, new_y = regression_data(4000, seed=9)
    settings = {"scoring": "neg_mean_squared_error", "rule": "best"}
    corrected, plain, truth = [], [], []
    for seed in range(4):
        bag = bag_of(n_estimators=10, random_state=seed)
        auto = search(bag, values=[0.0, 0.001], **settings).fit(X, y)
        corrected.append(-auto.cv_results_["mean_test_score"])
        plain.append(np.nanmean((auto.oof_predictions_ - y) ** 2, axis=1))
        refits = refits_of(auto, X, y)
        truth.append([np.mean((one.predict(new_X) - new_y) ** 2) for one in refits])
    truth = np.mean(truth, axis=0)
    short = np.abs(np.mean(corrected, axis=0) - truth)
    # A few forests of one training set: their own noise is a part of what is left.
    assert (short < 0.5 * np.abs(np.mean(plain, axis=0) - truth)).all()


@pytest.mark.parametrize(
    ("bag", "param", "values"),
    [
        (bag_of(), "ccp_alpha", ALPHAS),
        (bag_of(max_features=2, max_samples=0.6), "ccp_alpha", ALPHAS),
        (bag_of(DecisionTreeClassifier(random_state=0)), "max_leaf_nodes", [3, 9]),
        (bag_of(KNeighborsRegressor()), "n_neighbors", [1, 9]),
        (bag_of(Ridge(random_state=0)), "alpha", [1.0, 30.0]),
        (
            bag_of(make_pipeline(StandardScaler(), TREE)),
            "decisiontreeregressor__ccp_alpha",
            ALPHAS,
        ),
    ],
)
def test_the_chosen_bag_is_not_fitted_again(bag, param, values):
    """It equals the bag fitted with the chosen value, figures and all."""
    X, y = data_for(bag)
    auto = search(bag, param, values).fit(X, y)
    assert auto.n_fits_ == bag.n_estimators
    assert auto.engine_ == "path"
    refit = refits_of(auto, X, y)[auto.best_index_]
    best = auto.best_estimator_
    assert repr(best) == repr(refit)
    for answer in ("predict", "predict_proba"):
        if hasattr(refit, answer):
            # Linear models of a path differ by rounding.
            assert_same(getattr(best, answer)(X), getattr(refit, answer)(X), rtol=1e-9)
    expected = figures_of(refit)
    assert set(figures_of(best)) == set(expected)
    for name, figure in figures_of(best).items():
        np.testing.assert_allclose(figure, expected[name], rtol=1e-9, atol=1e-12)


def test_a_chosen_bag_says_what_averaging_gained():
    """Much for trees, next to nothing for ridge regressions."""
    X, y = regression_data(150)
    gains = {}
    for member, param, values in (
        (TREE, "ccp_alpha", [0.0, 1e-3]),
        (Ridge(), "alpha", [1.0, 10.0]),
    ):
        auto = search(bag_of(member), param, values).fit(X, y)
        assert auto.bagging_gain_ == auto.best_estimator_.bagging_gain_
        error = auto.bagging_gain_std_error_
        assert error == auto.best_estimator_.bagging_gain_std_error_
        gains[param] = auto.bagging_gain_ / np.var(y)
    assert gains["ccp_alpha"] > 10 * abs(gains["alpha"])
    assert abs(gains["alpha"]) < 0.02


@pytest.mark.parametrize(
    "auto",
    [
        search(bag_of(), refit=False),
        search(bag_of(oob_score=False)),
        search(FOREST),
        search(TREE, cv=3),
    ],
)
def test_there_is_no_gain_without_a_bag_that_tells_it(auto):
    """An attribute that is not there, before the fit and after it."""
    X, y = regression_data()
    for name in ("bagging_gain_", "bagging_gain_std_error_"):
        assert not hasattr(auto, name)
    auto = clone(auto).fit(X, y)
    for name in ("bagging_gain_", "bagging_gain_std_error_"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(auto, name)


def test_standard_errors_are_those_of_paired_losses_of_rows():
    """Of differences between two values on the same rows, and of the gap."""
    X, y = data_for(FOREST)
    auto = search(FOREST, scoring="neg_mean_squared_error", rule="best").fit(X, y)
    losses = (auto.oof_predictions_ - y) ** 2
    n, best = len(y), auto.best_index_
    paired = losses[best] - losses
    expected = paired.std(axis=1, ddof=1) / np.sqrt(n)
    np.testing.assert_allclose(
        auto.cv_results_["paired_std_error"], expected, rtol=1e-9
    )
    own = (auto.predict(X) - y) ** 2
    expected = (losses[best] - own).std(ddof=1) / np.sqrt(n)
    np.testing.assert_allclose(auto.generalization_gap_std_error_, expected, rtol=1e-9)
    expected = losses[best].std(ddof=1) / np.sqrt(n)
    np.testing.assert_allclose(auto.choice_.score_std_error, expected, rtol=1e-9)


def test_brier_scores_of_forests_are_those_of_scikit_learn():
    """Two classes: half the sum of squares, as it has it."""
    X, y = classification_data(n_classes=2)
    auto = search(FOREST_CLASSIFIER, scoring="neg_brier_score").fit(X, y)
    found = auto.cv_results_["mean_test_score"]
    for own, score in zip(auto.oof_predictions_, found, strict=True):
        np.testing.assert_allclose(-score, brier_score_loss(y, own[:, 1]), rtol=1e-10)


@pytest.mark.parametrize(
    ("estimator", "out_of_bag"),
    [
        (bag_of(n_estimators=5), True),
        (RandomForestRegressor(5), True),
        (RandomForestRegressor(5, bootstrap=False), False),
        (bag_of(n_estimators=5, aggregate="median"), False),
        (bag_of(n_estimators=5, resampling="bayesian", oob_score=False), False),
    ],
)
def test_bags_and_forests_are_scored_out_of_bag_where_cv_is_none(estimator, out_of_bag):
    """Where members leave rows out; else on folds."""
    X, y = regression_data()
    auto = search(estimator, cv=None, n_repeats=1).fit(X, y)
    assert auto.n_splits_ == (1 if out_of_bag else 5)


@pytest.mark.parametrize("estimator", [RandomForestRegressor(9), bag_of()])
def test_members_that_split_groups_are_scored_on_folds(estimator):
    """Members that have seen a row's group would answer for it."""
    X, y = regression_data()
    groups = np.arange(len(y)) // 4
    auto = search(estimator, cv=None, n_repeats=1).fit(X, y, groups=groups)
    assert auto.n_splits_ == 5
    with pytest.raises(ValueError, match="needs a bag that draws whole groups"):
        search(estimator).fit(X, y, groups=groups)


def test_standard_errors_of_groups_are_those_of_their_sums():
    """Rows of a group err together, so a group is one observation."""
    X, y = regression_data()
    groups = np.repeat(np.arange(12), 5)
    auto = search(
        bag_of(resampling="group"), scoring="neg_mean_absolute_error", rule="best"
    ).fit(X, y, groups=groups)
    losses = np.abs(auto.oof_predictions_ - y)
    best = auto.best_index_
    for found, values in (
        (auto.choice_.score_std_error, losses[best]),
        (
            auto.cv_results_["paired_std_error"][best - 1],
            losses[best] - losses[best - 1],
        ),
    ):
        sums = [(values - values.mean())[groups == one].sum() for one in range(12)]
        expected = np.sqrt(12 / 11 * np.sum(np.square(sums))) / len(y)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_forest_in_a_pipeline_is_scored_on_folds():
    """The steps before it have seen all rows of their fit."""
    X, y = regression_data()
    chain = make_pipeline(StandardScaler(), RandomForestRegressor(5, random_state=0))
    auto = search(chain, "randomforestregressor__ccp_alpha", cv=None).fit(X, y)
    assert auto.n_splits_ == 5


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        (RandomForestRegressor(5, bootstrap=False), {}),
        (bag_of(resampling="bayesian", oob_score=False), {}),
        (bag_of(aggregate="median"), {}),
        (bag_of(warm_start=True), {}),
        (bag_of(), {"engine": "generic"}),
        (bag_of(), {"param": "min_samples_leaf", "values": [1, 5]}),
        (FOREST, {"scoring": lambda model, X, y: len(model.estimators_)}),
        (TREE, {}),
        (make_pipeline(FOREST), {"param": "randomforestregressor__ccp_alpha"}),
    ],
)
def test_what_cannot_be_scored_out_of_bag_is_refused(estimator, settings):
    """Before any fit, with folds as the way out."""
    X, y = regression_data()
    with pytest.raises(ValueError, match='cv="out_of_bag" needs a bag or a forest'):
        search(estimator, **settings).fit(X, y)


@pytest.mark.parametrize("rule", ["vfold_penalty", "stability"])
def test_rules_that_need_folds_are_refused(rule):
    """There is one split, and it is no part of a partition."""
    X, y = regression_data()
    with pytest.raises(ValueError, match="fold"):
        search(bag_of(), rule=rule).fit(X, y)


def test_members_that_leave_no_row_out_are_refused():
    """Bags that held every row have no out-of-bag score."""
    X, y = regression_data(3)
    for seed in range(40):
        forest = RandomForestRegressor(1, random_state=seed).fit(X, y)
        if len(np.unique(forest.estimators_samples_[0])) == len(y):
            break
    with pytest.raises(ValueError, match="No row was left out by a member"):
        search(clone(forest)).fit(X, y)


def test_a_bag_of_default_settings_chooses_by_itself():
    """Number of members, parameter and values are found; the result is reproducible."""
    X, y = regression_data()
    auto = AutoRegularizedCV(
        BootstrapBaggingRegressor(DecisionTreeRegressor(), max_estimators=20),
        random_state=0,
    )
    first, second = clone(auto).fit(X, y), clone(auto).fit(X, y)
    assert first.param_ == "estimator__ccp_alpha"
    assert first.n_fits_ == first.best_estimator_.n_estimators_
    assert 10 <= first.n_fits_ <= 20
    assert first.expected_score_interval_[0] < first.best_score_
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    for name in ("mean_test_score", "mean_train_score", "paired_std_error"):
        np.testing.assert_array_equal(first.cv_results_[name], second.cv_results_[name])


def test_an_audit_of_a_bag_on_folds_passes():
    """Sums over members are rounded in the order in which they are made."""
    X, y = regression_data()
    auto = search(bag_of(), cv=3, engine="audit").fit(X, y)
    assert auto.engine_ == "path"
    assert auto.exactness_ == "exact"


def test_weighted_bag_of_neighbours_leaves_out_every_copy():
    """Rows are not repeated before the bag draws: copies would lie on both sides."""
    X, y = regression_data()
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    bag = BootstrapBaggingRegressor(
        KNeighborsRegressor(), n_estimators=25, random_state=1
    )
    search = AutoRegularizedCV(
        bag, param="estimator__n_neighbors", values=[1, 5], rule="best"
    ).fit(X, y, sample_weight=weight)
    chosen = clone(bag).set_params(**search.best_params_)
    chosen.fit(X, y, sample_weight=weight)
    assert search.best_estimator_.oob_score_ == chosen.oob_score_
