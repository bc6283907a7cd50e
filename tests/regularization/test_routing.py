"""What reaches the fits, the folds and the scores, with metadata routing on and off."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genestimators import AutoRegularizedCV, BootstrapBaggingRegressor, GroupBootstrap
from tests.bagging.toys import classification_data, regression_data

N_ROWS = 60
GROUPS = np.repeat(np.arange(12), 5)
WEIGHTS = np.random.default_rng(0).integers(0, 4, N_ROWS)
ALPHAS = [0.01, 1.0, 100.0]

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")


@pytest.fixture(params=[False, True], ids=["off", "on"])
def routing(request):
    """Metadata routing is off, or on, for the time of a test."""
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def routed():
    """Metadata routing is on for the time of a test."""
    with config_context(enable_metadata_routing=True):
        yield


class Shifted(RegressorMixin, BaseEstimator):
    """Shrinks the mean of y, adds the mean tag, and remembers what it was given."""

    def __init__(self, shrinkage=0.0):
        self.shrinkage = shrinkage

    def fit(self, X, y, sample_weight=None, tag=None, note=None):
        self.tag_, self.note_ = tag, note
        assert tag is None or len(tag) == len(y)
        shift = 0.0 if tag is None else np.mean(tag)
        self.mean_ = (1 - self.shrinkage) * np.average(y, weights=sample_weight) + shift
        return self

    def predict(self, X, factor=1.0):
        return np.full(len(X), self.mean_) * factor


def shifted(**settings):
    settings = {"values": [0.0, 0.5], "cv": KFold(3), "rule": "best", **settings}
    return AutoRegularizedCV(Shifted(), param="shrinkage", **settings)


def loop(model, param, values, X, y, weight, folds):
    """Weighted scores of fits with weights, value by value and fold by fold."""
    scores = np.empty((len(values), len(folds)))
    for i, value in enumerate(values):
        for number, (train, test) in enumerate(folds):
            fitted = clone(model).set_params(**{param: value})
            names = {"sample_weight": weight[train]}
            steps = getattr(model, "steps", [])
            if steps:
                names = {
                    f"{name}__sample_weight": weight[train] for name, _ in model.steps
                }
            fitted.fit(X[train], y[train], **names)
            scores[i, number] = r2_score(
                y[test], fitted.predict(X[test]), sample_weight=weight[test]
            )
    return scores


@pytest.mark.parametrize("engine", ["auto", "generic"])
@pytest.mark.parametrize(
    ("base", "param"),
    [(Ridge(), "alpha"), (make_pipeline(StandardScaler(), Ridge()), "ridge__alpha")],
    ids=["alone", "pipeline"],
)
def test_weights_reach_fits_and_scores(routing, base, param, engine):
    """With the same result as passing them to every step, whatever the routing."""
    X, y = regression_data()
    weight = WEIGHTS + 0.5
    model = AutoRegularizedCV(base, values=ALPHAS, cv=KFold(4), engine=engine)
    model.fit(X, y, sample_weight=weight)
    with config_context(enable_metadata_routing=False):
        expected = loop(base, param, ALPHAS, X, y, weight, list(KFold(4).split(X)))
    found = [model.cv_results_[f"split{i}_test_score"] for i in range(4)]
    np.testing.assert_allclose(np.transpose(found), expected)
    score = model.score(X, y, sample_weight=weight)
    assert score == r2_score(y, model.predict(X), sample_weight=weight)


def test_rows_of_weight_zero_do_not_count(routing):
    """Neither for the range of values, nor the folds, nor the fits."""
    X, y = regression_data()
    weight = (WEIGHTS > 0).astype(float)
    kept = WEIGHTS > 0
    wild = X.copy()
    wild[~kept] *= 100
    for base in (Ridge(), make_pipeline(StandardScaler(), Ridge())):
        ours = AutoRegularizedCV(base, random_state=0)
        ours.fit(wild, y, sample_weight=weight)
        theirs = AutoRegularizedCV(base, random_state=0).fit(X[kept], y[kept])
        np.testing.assert_allclose(ours.values_, theirs.values_)
        np.testing.assert_allclose(
            ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
        )
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X))


def test_groups_keep_rows_together(routing):
    """Group folds by default, those of a splitter, and none without groups."""
    X, y = regression_data()
    model = AutoRegularizedCV(Ridge(), values=ALPHAS, rule="best")
    plain = {}
    for cv in (GroupKFold(4), None):
        model.set_params(cv=cv, n_repeats=1).fit(X, y, groups=GROUPS)
        folds = GroupKFold(5) if cv is None else cv
        splits = list(folds.split(X, y, GROUPS))
        with config_context(enable_metadata_routing=False):
            plain = GridSearchCV(Ridge(), {"alpha": ALPHAS}, cv=splits).fit(X, y)
        np.testing.assert_allclose(
            model.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
        )
    model.set_params(cv=GroupKFold(4))
    with pytest.raises(ValueError, match="groups"):
        model.fit(X, y)


@pytest.mark.usefixtures("routed")
def test_groups_and_weights_arrive_through_outer_searches():
    """Groups need no request; weights have to be requested, as everywhere."""
    X, y = regression_data()
    inner = AutoRegularizedCV(Ridge(), values=ALPHAS, cv=GroupKFold(3))
    grid = {"rule": ["gap", "best"]}
    search = GridSearchCV(inner, grid, cv=GroupKFold(4), error_score="raise")
    search.fit(X, y, groups=GROUPS)
    assert search.best_estimator_.n_splits_ == 3
    weighted = inner.set_fit_request(sample_weight=True).set_score_request(
        sample_weight=True
    )
    params = {"groups": GROUPS, "sample_weight": WEIGHTS + 1}
    result = cross_validate(
        weighted, X, y, cv=GroupKFold(4), params=params, error_score="raise"
    )
    for score, (train, test) in zip(
        result["test_score"], GroupKFold(4).split(X, y, GROUPS), strict=True
    ):
        alone = clone(inner).fit(
            X[train],
            y[train],
            sample_weight=params["sample_weight"][train],
            groups=GROUPS[train],
        )
        own = alone.score(X[test], y[test], sample_weight=params["sample_weight"][test])
        np.testing.assert_allclose(score, own)
    chain = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), inner)
    chain.fit(X, y, **params)
    assert chain[-1].n_splits_ == 3


def test_groups_reach_a_bag_that_draws_them(routing):
    """Out of bag: the members leave out whole groups, in the search and the refit."""
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(
        Ridge(), n_estimators=6, resampling=GroupBootstrap(), random_state=0
    )
    model = AutoRegularizedCV(bag, values=ALPHAS).fit(X, y, groups=GROUPS)
    for rows in model.best_estimator_.estimators_samples_:
        inside = np.unique(GROUPS[rows])
        assert not np.isin(GROUPS[np.setdiff1d(np.arange(60), rows)], inside).any()


@pytest.mark.usefixtures("routed")
def test_other_metadata_follow_their_rows():
    """An argument with one item a row is cut like the rows, another is passed whole."""
    X, y = regression_data()
    tag = np.arange(60) / 60
    model = shifted()
    model.estimator.set_fit_request(tag=True, note=True)
    model.fit(X, y, tag=tag, note="words")
    splits = list(KFold(3).split(X))
    for i, (train, test) in enumerate(splits):
        for place, shrinkage in enumerate([0.0, 0.5]):
            alone = Shifted(shrinkage).fit(X[train], y[train], tag=tag[train])
            np.testing.assert_allclose(
                model.cv_results_[f"split{i}_test_score"][place],
                alone.score(X[test], y[test]),
            )
    np.testing.assert_array_equal(model.best_estimator_.tag_, tag)
    assert model.best_estimator_.note_ == "words"
    weight = WEIGHTS + 1
    model.fit(X, y, tag=tag, sample_weight=weight)
    own = Shifted(model.best_params_["shrinkage"]).fit(X, y, weight, tag)
    np.testing.assert_allclose(model.predict(X), own.predict(X))


@pytest.mark.usefixtures("routed")
def test_metadata_of_predictions():
    """`predict` passes on what the estimator has requested."""
    X, y = regression_data()
    model = shifted()
    model.estimator.set_predict_request(factor=True)
    model.fit(X, y)
    np.testing.assert_allclose(model.predict(X, factor=3.0), 3 * model.predict(X))


@pytest.mark.usefixtures("routed")
def test_metadata_nobody_asked_for_are_refused():
    """In scikit-learn's own words."""
    X, y = regression_data()
    with pytest.raises(ValueError, match="tag"):
        shifted().fit(X, y, tag=y)
    with pytest.raises(TypeError, match="unexpected argument"):
        AutoRegularizedCV(Ridge()).fit(X, y, tag=y)
    with pytest.raises(TypeError, match="unexpected argument"):
        AutoRegularizedCV(Ridge(), values=ALPHAS).fit(X, y).predict(X, factor=2)


def test_metadata_without_routing_are_refused():
    """With routing off the message says how to switch it on."""
    X, y = regression_data()
    message = "AutoRegularizedCV.fit passes further arguments on only with metadata"
    with pytest.raises(TypeError, match=message):
        shifted().fit(X, y, tag=y)
    with pytest.raises(TypeError, match=r"AutoRegularizedCV.predict passes"):
        shifted().fit(X, y).predict(X, factor=2)


def test_weights_of_an_estimator_that_takes_none(routing):
    """Whole weights repeat rows; others are refused by name."""
    X, y = classification_data(n_classes=2)
    base = make_pipeline(StandardScaler(), LogisticRegression())
    calm = AutoRegularizedCV(base, values=[0.1, 1.0], cv=KFold(3))
    calm.fit(X, y, sample_weight=WEIGHTS)
    near = AutoRegularizedCV(
        KNeighborsClassifier(), values=[1, 3, 5], cv=KFold(3), rule="best"
    )
    near.fit(X, y, sample_weight=WEIGHTS)
    rows = np.repeat(np.arange(60), WEIGHTS)
    own = KNeighborsClassifier(**near.best_params_).fit(X[rows], y[rows])
    np.testing.assert_array_equal(near.predict(X), own.predict(X))
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no"):
        near.fit(X, y, sample_weight=WEIGHTS + 0.5)


def test_weights_reach_a_scorer_of_any_kind(routing):
    """One by name, one made of a metric, one of the user's own that takes weights."""
    X, y = regression_data()
    weight = WEIGHTS + 0.5

    def own(estimator, X, y, sample_weight=None):
        return -mean_squared_error(y, estimator.predict(X), sample_weight=sample_weight)

    scorers = [
        "neg_mean_squared_error",
        make_scorer(mean_squared_error, greater_is_better=False),
        own,
    ]
    if routing:
        scorers[1] = scorers[1].set_score_request(sample_weight=True)
    curves = [
        AutoRegularizedCV(Ridge(), values=ALPHAS, cv=KFold(3), scoring=scoring)
        .fit(X, y, sample_weight=weight)
        .cv_results_["mean_test_score"]
        for scoring in scorers
    ]
    np.testing.assert_allclose(curves[1], curves[0])
    np.testing.assert_allclose(curves[2], curves[0])


def test_weights_of_a_svc_in_a_search_of_two(routing):
    """A base of the generic kind gets them as well."""
    X, y = classification_data(n_classes=2)
    model = AutoRegularizedCV(SVC(), values=[0.1, 1.0], cv=KFold(3), engine="generic")
    model.fit(X, y, sample_weight=WEIGHTS + 1)
    own = SVC(**model.best_params_).fit(X, y, WEIGHTS + 1)
    np.testing.assert_array_equal(model.predict(X), own.predict(X))
