"""How counts and weights reach an estimator."""

import numpy as np
import pytest
from sklearn import clone, config_context
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import AdaBoostRegressor, BaggingRegressor, VotingRegressor
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV, BootstrapBaggingRegressor
from genestimators._weights import (
    accepts_weights,
    fit_weighted,
    row_mode,
    weighted_rows,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5] + RNG.normal(size=40)
LABELS = (Y > 0).astype(int)
ROWS = RNG.permutation(40)[:25]
COUNTS = RNG.integers(1, 4, size=25)

WEIGHTED = [
    Ridge(),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline("passthrough", make_pipeline(StandardScaler(), Lasso(0.1))),
    Pipeline([("a", None), ("b", Ridge())]),
    AdaBoostRegressor(n_estimators=3, random_state=0),
    AdaBoostRegressor(DecisionTreeRegressor(), n_estimators=3, random_state=0),
    BaggingRegressor(Ridge(), n_estimators=3, random_state=0),
    MultiOutputRegressor(Ridge()),
    TransformedTargetRegressor(Ridge(), func=np.arcsinh, inverse_func=np.sinh),
]

REPEATED = [
    KNeighborsRegressor(3),
    make_pipeline(MinMaxScaler(), Ridge()),
    make_pipeline(StandardScaler(), KNeighborsRegressor(3)),
    AdaBoostRegressor(KNeighborsRegressor(3), n_estimators=3, random_state=0),
    BaggingRegressor(KNeighborsRegressor(3), n_estimators=3, random_state=0),
    GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=3),
    VotingRegressor([("a", Ridge()), ("b", KNeighborsRegressor(3))]),
    make_pipeline(ColumnTransformer([("a", StandardScaler(), [0])]), Ridge()),
    make_pipeline(SelectFromModel(Lasso(0.01)), Ridge()),
    TransformedTargetRegressor(),
]


def _target(estimator):
    return (
        np.column_stack([Y, -Y]) if isinstance(estimator, MultiOutputRegressor) else Y
    )


def _name(estimator):
    return repr(estimator).replace("\n", "").replace(" ", "")[:60]


@pytest.mark.parametrize("estimator", WEIGHTED, ids=_name)
def test_mode_is_weights_where_everything_takes_them(estimator):
    """The estimator, each step and everything nested take `sample_weight`."""
    assert accepts_weights(estimator)
    assert row_mode(estimator) == "weights"
    with config_context(enable_metadata_routing=True):
        assert row_mode(estimator) == "weights"


@pytest.mark.parametrize("estimator", REPEATED, ids=_name)
def test_mode_is_rows_where_something_does_not(estimator):
    """One step or nested estimator without weights is enough, routing on or off."""
    assert row_mode(estimator) == "rows"
    with config_context(enable_metadata_routing=True):
        assert row_mode(estimator) == "rows"


def test_wrappers_that_count_weights_themselves():
    """Copies of a row would lie on both sides, were rows repeated before they draw."""
    bag = BootstrapBaggingRegressor(KNeighborsRegressor(3))
    assert row_mode(bag) == "weights"
    assert row_mode(AutoRegularizedCV(KNeighborsRegressor(3))) == "weights"
    assert row_mode(make_pipeline(MinMaxScaler(), bag)) == "rows"


@pytest.mark.parametrize("routing", [False, True])
def test_weights_reach_a_pipeline_behind_a_transformed_target(routing):
    """Every step of it gets them."""
    chain = make_pipeline(StandardScaler(), Ridge())
    whole = TransformedTargetRegressor(chain, func=np.arcsinh, inverse_func=np.sinh)
    with config_context(enable_metadata_routing=routing):
        found = fit_weighted(clone(whole), X, Y, ROWS, COUNTS)
    alone = fit_weighted(clone(chain), X, np.arcsinh(Y), ROWS, COUNTS)
    np.testing.assert_allclose(found.predict(X), np.sinh(alone.predict(X)))


def test_mode_of_nested_classifiers():
    """Calibration takes weights and would pass none on to neighbours."""
    assert row_mode(CalibratedClassifierCV(KNeighborsClassifier())) == "rows"
    assert row_mode(CalibratedClassifierCV(LogisticRegression())) == "weights"


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("estimator", WEIGHTED, ids=_name)
def test_weights_reach_the_estimator(estimator, routing):
    """A fit on weights is the fit that scikit-learn makes with them."""
    y = _target(estimator)
    with config_context(enable_metadata_routing=routing):
        model = fit_weighted(clone(estimator), X, y, ROWS, COUNTS)
    expected = clone(estimator)
    arguments = {"sample_weight": COUNTS.astype(float)}
    if isinstance(estimator, Pipeline):
        names = [name for name, step in estimator.steps if hasattr(step, "fit")]
        arguments = {f"{name}__sample_weight": COUNTS.astype(float) for name in names}
        if isinstance(estimator[-1], Pipeline):
            inner = names[-1]
            arguments = {
                f"{inner}__{name}__sample_weight": COUNTS.astype(float)
                for name, _ in estimator[-1].steps
            }
    expected.fit(X[ROWS], y[ROWS], **arguments)
    assert np.array_equal(model.predict(X), expected.predict(X))
    unweighted = clone(estimator).fit(X[ROWS], y[ROWS])
    assert not np.array_equal(model.predict(X), unweighted.predict(X))


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("estimator", REPEATED, ids=_name)
def test_rows_are_repeated(estimator, routing):
    """Without weights the fit is that on rows repeated by hand."""
    with config_context(enable_metadata_routing=routing):
        model = fit_weighted(clone(estimator), X, Y, ROWS, COUNTS)
    rows = np.repeat(ROWS, COUNTS)
    expected = clone(estimator).fit(X[rows], Y[rows])
    assert np.array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("routing", [False, True])
def test_nested_classifier_without_weights(routing):
    """Calibrated neighbours are fitted on repeated rows, without a warning."""
    estimator = CalibratedClassifierCV(KNeighborsClassifier(3), cv=3)
    with config_context(enable_metadata_routing=routing):
        model = fit_weighted(clone(estimator), X, LABELS, ROWS, COUNTS)
    rows = np.repeat(ROWS, COUNTS)
    expected = clone(estimator).fit(X[rows], LABELS[rows])
    assert np.array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_fractional_counts_are_weights():
    """An estimator that takes weights takes any."""
    model = fit_weighted(Ridge(), X, Y, ROWS, COUNTS / 3)
    expected = Ridge().fit(X[ROWS], Y[ROWS], sample_weight=COUNTS / 3)
    assert np.array_equal(model.coef_, expected.coef_)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (KNeighborsRegressor(3), "KNeighborsRegressor"),
        (make_pipeline(MinMaxScaler(), Ridge()), "Pipeline"),
    ],
)
def test_fractional_counts_need_weights(estimator, name):
    """A row cannot be repeated half a time."""
    counts = np.append(COUNTS[:-1], 1.5)
    with pytest.raises(
        ValueError,
        match=rf"{name} takes no `sample_weight` .* have to be whole numbers\. Got a "
        r"count of 1\.5; pass integer weights, or an estimator that takes weights\.",
    ):
        fit_weighted(estimator, X, Y, ROWS, counts)
    whole = fit_weighted(clone(estimator), X, Y, ROWS, COUNTS.astype(float))
    rows = np.repeat(ROWS, COUNTS)
    expected = clone(estimator).fit(X[rows], Y[rows])
    assert np.array_equal(whole.predict(X), expected.predict(X))


def test_mode_can_be_told():
    """The mode worked out once is used as it is told."""
    model = fit_weighted(Ridge(), X, Y, ROWS, COUNTS, mode="rows")
    rows = np.repeat(ROWS, COUNTS)
    assert np.array_equal(model.coef_, Ridge().fit(X[rows], Y[rows]).coef_)


class Recorder(BaseEstimator):
    """Keeps what it was fitted with."""

    def fit(self, X, y, margin=None, name=None):
        self.seen_ = (X, y, margin, name)
        return self


class WeightedRecorder(Recorder):
    """Takes weights as well."""

    def fit(self, X, y, margin=None, name=None, sample_weight=None):
        self.weight_ = sample_weight
        return super().fit(X, y, margin, name)


def test_further_arguments_follow_the_rows():
    """What holds one item a row is taken and repeated as the rows are."""
    margin = np.arange(40.0)
    params = {"margin": margin, "name": "x"}
    plain = fit_weighted(
        Recorder(), X, Y, ROWS, COUNTS, params=params, per_row=("margin",)
    )
    rows = np.repeat(ROWS, COUNTS)
    assert np.array_equal(plain.seen_[0], X[rows])
    assert np.array_equal(plain.seen_[1], Y[rows])
    assert np.array_equal(plain.seen_[2], margin[rows])
    assert plain.seen_[3] == "x"
    weighted = fit_weighted(
        WeightedRecorder(), X, Y, ROWS, COUNTS, params=params, per_row=("margin",)
    )
    assert np.array_equal(weighted.seen_[2], margin[ROWS])
    assert np.array_equal(weighted.weight_, COUNTS)
    assert weighted.weight_.dtype == np.float64
    whole = fit_weighted(Recorder(), X, Y, ROWS, COUNTS, params=params)
    assert whole.seen_[2] is margin


def test_several_outputs_and_text_rows():
    """y may have columns, X may be texts."""
    texts = [f"text {i}" for i in range(40)]
    model = fit_weighted(Recorder(), texts, np.column_stack([Y, Y]), ROWS, COUNTS)
    rows = np.repeat(ROWS, COUNTS)
    assert model.seen_[0] == [texts[i] for i in rows]
    assert model.seen_[1].shape == (COUNTS.sum(), 2)


def test_weights_and_repeats_agree_where_scikit_learn_says_so():
    """For least squares a weight of k is k rows."""
    weighted = fit_weighted(LinearRegression(), X, Y, ROWS, COUNTS, mode="weights")
    repeated = fit_weighted(LinearRegression(), X, Y, ROWS, COUNTS, mode="rows")
    # Two ways through one well-conditioned problem.
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-10)


def test_a_step_that_takes_weights_by_another_name_is_no_matter():
    """Only `sample_weight` counts."""

    class Odd(BaseEstimator):
        def fit(self, X, y, weights=None):
            return self

    assert row_mode(Odd()) == "rows"
    assert row_mode(make_pipeline(KBinsDiscretizer(), Ridge())) == "weights"


def test_rows_are_not_repeated_without_end():
    """Weights of importance may be huge; rows would fill the memory."""
    counts = np.array([1e9, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"more than 100 for each .* Got 3"):
        weighted_rows(KNeighborsRegressor(), np.arange(3), counts, "rows")
    rows, weight = weighted_rows(
        KNeighborsRegressor(), np.arange(3), np.array([100.0, 2.0, 1.0]), "rows"
    )
    assert weight is None
    assert len(rows) == 103
