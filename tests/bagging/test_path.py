"""Bags at every value of a parameter, against bags fitted one by one.

Members of a bag draw their rows, columns and seeds by its own seed, so the bag that is
fitted for one value has the same members as the path at that value.
"""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BayesianBootstrap,
    BlockBootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    Folds,
    GroupBootstrap,
    OneClassReplicateWarning,
)
from genestimators.bagging._path import fit_bag_path
from genestimators.fitting import FittedPath
from genestimators.fitting._nested import nested_family
from tests.bagging.toys import classification_data, figures_of, regression_data

ALPHAS = [0.02, 0.0, 0.2]
TREE = DecisionTreeRegressor(random_state=0)
CLASSIFIER = DecisionTreeClassifier(random_state=0)


def regressor(member=TREE, **settings):
    settings = {"n_estimators": 12, "random_state": 1} | settings
    return BootstrapBaggingRegressor(member, **settings)


def classifier(member=CLASSIFIER, **settings):
    settings = {"n_estimators": 12, "random_state": 1} | settings
    return BootstrapBaggingClassifier(member, **settings)


def target_of(bag, n_rows=60):
    """Data that suit a bag."""
    if is_classifier(bag):
        return classification_data(n_rows, labels=["a", "b", "c"])
    return regression_data(n_rows)


def path_of(bag, param, values, X, y, *, sample_weight=None, groups=None):
    return fit_bag_path(clone(bag), param, X, y, sample_weight, groups, values)


def assert_path(bag, param, values, X, y, *, tolerance=1e-12, **fit):
    """Answers in and out of bag are those of bags fitted one by one; so are models.

    Sums over members are rounded in the order in which they are made, hence the least
    tolerance.
    """
    new = X[::2] + 0.1
    path = path_of(bag, param, values, X, y, **fit)
    training = path.training()
    method = "predict_proba" if hasattr(bag, "predict_proba") else "predict"
    stored = "oob_decision_function_" if is_classifier(bag) else "oob_prediction_"

    def same(own, expected):
        pairs = zip(own, expected, strict=True) if isinstance(expected, list) else None
        for one, other in pairs or [(own, expected)]:
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)

    def one_of(answers):
        return answers[0] if isinstance(answers, list) else answers

    def at(answers, i):
        return (
            [part[i] for part in answers] if isinstance(answers, list) else answers[i]
        )

    for i, value in enumerate(values):
        refit = clone(bag).set_params(**{f"estimator__{param}": value}).fit(X, y, **fit)
        for rows in (X, new):
            same(at(getattr(path, method)(rows), i), getattr(refit, method)(rows))
        out, expected = at(getattr(training, method)(X), i), getattr(refit, stored)
        known = ~np.isnan(one_of(expected).reshape(len(y), -1)[:, 0])
        np.testing.assert_array_equal(training.covered, known)
        if not isinstance(out, list):
            out, expected = out[known], expected[known]
        same(out, expected)
        model = path.model(i)
        if model is None:
            continue
        same(getattr(model, method)(new), getattr(refit, method)(new))
        assert set(vars(model)) == set(vars(refit))
        assert repr(model.estimator) == repr(refit.estimator)
        wanted = figures_of(refit)
        for name, figure in figures_of(model).items():
            same(figure, wanted[name])
    return path


@pytest.mark.parametrize(
    "bag",
    [
        regressor(),
        regressor(max_features=2, max_samples=0.7),
        regressor(resampling="subsample", max_samples=0.5),
        regressor(resampling=BlockBootstrap(block_length=5)),
        regressor(DecisionTreeRegressor(max_features=2), n_estimators=25),
        classifier(),
        classifier(aggregate="vote", max_features=0.5),
        classifier(aggregate="logit"),
        classifier(DecisionTreeClassifier(class_weight="balanced", max_features=1)),
    ],
)
def test_bags_of_trees_are_those_fitted_one_by_one(bag):
    """Whatever draws rows and columns, and however members are joined."""
    X, y = target_of(bag)
    path = assert_path(bag, "ccp_alpha", ALPHAS, X, y)
    assert path.n_fits == bag.n_estimators
    assert path.family.exactness == "exact"


@pytest.mark.parametrize(
    ("bag", "param", "values"),
    [
        (regressor(TREE), "max_leaf_nodes", [4, 9]),
        (regressor(KNeighborsRegressor()), "n_neighbors", [1, 5, 9]),
        (classifier(KNeighborsClassifier()), "n_neighbors", [1, 5, 9]),
        (regressor(Ridge()), "alpha", [1.0, 30.0]),
        (
            regressor(make_pipeline(StandardScaler(), Ridge()), max_features=3),
            "ridge__alpha",
            [1.0, 30.0],
        ),
        (
            classifier(make_pipeline(StandardScaler(), CLASSIFIER)),
            "decisiontreeclassifier__ccp_alpha",
            ALPHAS,
        ),
    ],
)
def test_bags_of_other_members_are_those_fitted_one_by_one(bag, param, values):
    """Neighbours, linear models, pipelines; equal but for rounding."""
    X, y = target_of(bag)
    path = assert_path(bag, param, values, X, y, tolerance=1e-10)
    assert path.n_fits == bag.n_estimators


def test_bags_of_logistic_regressions_are_near_those_fitted_one_by_one():
    """As near as the solver's tolerance, which is made small here."""
    bag = classifier(LogisticRegression(tol=1e-7))
    X, y = target_of(bag)
    assert_path(bag, "C", [0.1, 10.0], X, y, tolerance=1e-3)


@pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")  # few members
@pytest.mark.parametrize("bag", [regressor(), classifier()])
@pytest.mark.parametrize("mode", ["frequency", "importance"])
def test_weighted_bags_are_those_fitted_one_by_one(bag, mode):
    """Counts, and weights of any size."""
    X, y = target_of(bag)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    if mode == "importance":
        weight = weight + 0.5
    bag = clone(bag).set_params(weight_mode=mode)
    assert_path(bag, "ccp_alpha", ALPHAS, X, y, sample_weight=weight)


def test_bags_of_groups_are_those_fitted_one_by_one():
    """Groups stay together, in the bag and out of it."""
    bag = regressor(resampling=GroupBootstrap())
    X, y = target_of(bag)
    groups = np.arange(len(y)) // 4
    path = assert_path(bag, "ccp_alpha", ALPHAS, X, y, groups=groups)
    covered = path.training().covered.reshape(-1, 4)
    np.testing.assert_array_equal(covered, covered[:, :1].repeat(4, axis=1))


def test_bags_of_several_outputs_are_those_fitted_one_by_one():
    """Targets, and labels of text."""
    X, y = regression_data()
    assert_path(regressor(), "ccp_alpha", ALPHAS, X, np.column_stack([y, y**2]))
    labels = np.column_stack(
        [np.where(y > 0, "yes", "no"), np.digitize(y, [0, 1]).astype(str)]
    )
    bag = classifier(n_estimators=25)  # so that every row is left out by some member
    assert_path(bag, "ccp_alpha", ALPHAS, X, labels)


def test_a_stream_of_random_numbers_is_drawn_from_once():
    """A bag made from the path has the members of the path, and the stream's state."""
    bag = regressor(random_state=np.random.RandomState(3))
    X, y = target_of(bag)
    assert_path(bag, "ccp_alpha", ALPHAS, X, y)


@pytest.mark.filterwarnings("ignore::genestimators.OneClassReplicateWarning")
def test_replicates_of_one_class_are_constants():
    """They count as one fit each, and answer at every value."""
    X, _ = classification_data(20)
    y = np.where(np.arange(20) == 0, "rare", "common")
    bag = classifier(resampling=GroupBootstrap())
    path = assert_path(bag, "ccp_alpha", ALPHAS, X, y, groups=np.arange(20) // 2)
    assert any(isinstance(member, FittedPath) for member in path.members)
    assert path.n_fits == bag.n_estimators
    with pytest.warns(OneClassReplicateWarning, match="of 12 replicates hold rows of"):
        path.model(0)


@pytest.mark.parametrize("n_estimators", [6, 30])
@pytest.mark.parametrize("bag", [regressor(), classifier()])
def test_row_losses_are_those_of_a_bag_of_all_members(bag, n_estimators):
    """What averaging fewer members adds is taken off, by pairs of members."""
    bag = clone(bag).set_params(n_estimators=n_estimators)
    X, y = target_of(bag, 40)
    values = [0.0, 0.1]
    path = path_of(bag, "ccp_alpha", values, X, y)
    kind, targets = "squared", y[:, None]
    if is_classifier(bag):
        kind, targets = "brier", (y[:, None] == np.unique(y)).astype(float)
    losses = path.training().row_losses(kind)[:, :, 0]
    other = "brier" if kind == "squared" else "squared"
    assert path.training().row_losses(other) is None
    for i in range(len(values)):
        model = path.model(i)
        answers = np.stack(
            [
                member.predict_proba(X)
                if is_classifier(bag)
                else member.predict(X)[:, None]
                for member in model.estimators_
            ]
        )
        residual = answers - targets
        drawn = model.estimators_samples_
        for row in range(len(y)):
            out = [k for k in range(n_estimators) if row not in drawn[k]]
            expected = _whole_bag_loss(residual[:, row], out, n_estimators)
            np.testing.assert_allclose(losses[i, row], expected, rtol=1e-9, atol=1e-12)


def _whole_bag_loss(residual, out, n_members):
    """The loss of a mean of all members for one row that only some left out.

    Members of one block of ten draws are not independent, so from two blocks on only
    pairs of different blocks tell the loss of infinitely many.
    """
    if not out:
        return np.nan
    pairs = [
        residual[j] @ residual[k]
        for j in out
        for k in out
        if (j // 10 != k // 10 if n_members >= 20 else j != k)
    ]
    if not pairs:
        return (residual[out].mean(axis=0) ** 2).sum()
    limit = np.mean(pairs)
    single = (residual[out] ** 2).sum(axis=1).mean()
    return limit + (single - limit) / n_members


@pytest.mark.parametrize("aggregate", ["vote", "logit"])
def test_row_losses_of_other_aggregates_are_those_of_the_answers(aggregate):
    """Only the loss of a mean is known beyond its answers."""
    bag = classifier(aggregate=aggregate)
    X, y = target_of(bag)
    training = path_of(bag, "ccp_alpha", ALPHAS, X, y).training()
    assert training.row_losses("brier") is None


def test_an_automatic_number_of_members_is_that_of_the_best_value():
    """The bag at the value of the least loss has as many members as by itself."""
    bag = regressor(n_estimators="auto", tolerance=0.05)
    X, y = target_of(bag)
    path = path_of(bag, "ccp_alpha", ALPHAS, X, y)
    numbers = []
    for value in ALPHAS:
        own = clone(bag).set_params(estimator__ccp_alpha=value).fit(X, y)
        numbers.append(own.n_estimators_)
    assert len(set(numbers)) > 1
    losses = path.training().row_losses("squared").mean(axis=(1, 2))
    assert len(path.members) == numbers[int(np.argmin(losses))]
    again = clone(bag).set_params(n_estimators=len(path.members))
    assert_path(again, "ccp_alpha", ALPHAS, X, y)


def test_draws_that_are_limited_bound_the_number_of_members():
    """As in the bag's own fit, in the same words."""
    X, y = regression_data()
    bag = regressor(resampling=Folds(KFold(5)), n_estimators="auto")
    assert len(path_of(bag, "ccp_alpha", ALPHAS, X, y).members) == 5
    bag.set_params(n_estimators=9)
    messages = []
    for fit in (bag.fit, lambda X, y: path_of(bag, "ccp_alpha", ALPHAS, X, y)):
        with pytest.raises(ValueError, match="must not exceed the 5 draws") as raised:
            fit(X, y)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


def test_paths_travel_and_do_not_depend_on_the_number_of_jobs():
    """A pickled path, and one fitted by two workers, answer with the same bits."""
    bag = regressor()
    X, y = target_of(bag)
    path = path_of(bag, "ccp_alpha", ALPHAS, X, y)
    two = path_of(clone(bag).set_params(n_jobs=2), "ccp_alpha", ALPHAS, X, y)
    for other in (pickle.loads(pickle.dumps(path)), two):
        np.testing.assert_array_equal(other.predict(X + 0), path.predict(X + 0))
        np.testing.assert_array_equal(
            other.training().predict(X), path.training().predict(X)
        )


@pytest.mark.parametrize(
    ("bag", "param", "reason"),
    [
        (regressor(aggregate="median"), "ccp_alpha", "need the answers of all members"),
        (classifier(aggregate="trimmed"), "ccp_alpha", "need the answers of all"),
        (regressor(warm_start=True), "ccp_alpha", "has members already"),
        (regressor(), "min_samples_leaf", "has no path over that parameter"),
        (regressor(), "criterion", "has no path over that parameter"),
    ],
)
def test_what_is_not_served_is_told(bag, param, reason):
    """Medians, bags that grow, parameters without a path."""
    X, y = target_of(bag)
    found = nested_family(bag).unsupported(bag, param, X, y, None, ALPHAS)
    assert reason in found


@pytest.mark.parametrize(
    ("bag", "possible"),
    [
        (regressor(), True),
        (classifier(aggregate="logit"), True),
        (regressor(aggregate="median"), False),
        (regressor(resampling=BayesianBootstrap()), False),
        (regressor(resampling="bayesian"), False),
    ],
)
def test_out_of_bag_needs_sums_and_rows_that_are_left_out(bag, possible):
    """Weights drawn from a continuum leave no row out."""
    assert nested_family(bag).out_of_bag(bag) == possible
