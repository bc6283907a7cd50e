"""Models of several completions, drawn with the target in view."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    GaussianImputer,
    MultipleImputationClassifier,
    MultipleImputationRegressor,
)

PLAIN = {"strategy": "draw", "add_indicator": False, "shrinkage": 0.0}


def _problem(n=150, seed=0, share=0.25):
    """Correlated columns with gaps, a target, and the complete columns."""
    rng = np.random.default_rng(seed)
    full = rng.normal(size=(n, 3))
    full[:, 1] += full[:, 0]
    y = full @ [1.0, -0.5, 2.0] + 0.5 * rng.normal(size=n)
    X = np.where(rng.random(full.shape) < share, np.nan, full)
    return X, y, full


@pytest.mark.parametrize("seed", range(3))
def test_regressor_is_an_imputer_of_both_and_models_of_its_draws(seed):
    """The same steps by hand: impute [X, y], take y off, fit; predict without y."""
    X, y, _ = _problem(seed=seed)
    model = MultipleImputationRegressor(
        LinearRegression(), n_imputations=3, random_state=seed
    ).fit(X, y)
    imputer = GaussianImputer(random_state=model.imputer_.random_state, **PLAIN)
    imputer.fit(np.column_stack([X, y]))
    draws = imputer.sample(np.column_stack([X, y]), 3)
    models = [LinearRegression().fit(draw[:, :3], y) for draw in draws]
    new = _problem(seed=seed + 10)[0]
    unknown = imputer.sample(np.column_stack([new, np.full(len(new), np.nan)]), 3)
    expected = [
        one.predict(draw[:, :3]) for one, draw in zip(models, unknown, strict=True)
    ]
    np.testing.assert_allclose(
        model.predict(new), np.mean(expected, axis=0), rtol=1e-9, atol=1e-12
    )


def test_classifier_is_an_imputer_with_indicators_and_models_of_its_draws():
    """Indicators of all classes but the first stand beside the columns."""
    X, y, _ = _problem()
    labels = np.array(["low", "mid", "top"])[np.digitize(y, [-1, 1])]
    model = MultipleImputationClassifier(
        LogisticRegression(), n_imputations=2, random_state=0
    ).fit(X, labels)
    imputer = GaussianImputer(random_state=model.imputer_.random_state, **PLAIN)
    sides = (labels[:, None] == ["mid", "top"]).astype(float)
    imputer.fit(np.column_stack([X, sides]))
    draws = imputer.sample(np.column_stack([X, sides]), 2)
    models = [LogisticRegression().fit(draw[:, :3], labels) for draw in draws]
    unknown = imputer.sample(np.column_stack([X, np.full(sides.shape, np.nan)]), 2)
    expected = np.mean(
        [m.predict_proba(d[:, :3]) for m, d in zip(models, unknown, strict=True)],
        axis=0,
    )
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)
    np.testing.assert_array_equal(
        model.predict(X), np.array(["low", "mid", "top"])[expected.argmax(axis=1)]
    )


def test_votes_where_there_are_no_probabilities():
    """Most models' class wins."""
    X, y, _ = _problem()
    model = MultipleImputationClassifier(LinearSVC(), n_imputations=3, random_state=0)
    model.fit(X, y > 0)
    assert not hasattr(model, "predict_proba")
    assert model.score(X, y > 0) > 0.75


def test_no_prediction_knows_its_target():
    """Predictions are the same whatever the targets of the rows predicted were."""
    X, y, _ = _problem()
    model = MultipleImputationRegressor(random_state=0).fit(X, y)
    alone = np.concatenate([model.predict(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(model.predict(X)[:20], alone, rtol=1e-12)


@pytest.mark.parametrize("base", [LinearRegression(), KNeighborsRegressor(3)])
def test_weights_are_rows(base):
    """A weight of two is a row twice, one of zero a row less."""
    X, y, _ = _problem(80)
    weight = np.random.default_rng(0).integers(0, 3, size=80)
    model = MultipleImputationRegressor(base, n_imputations=2, random_state=0)
    weighted = clone(model).fit(X, y, sample_weight=weight)
    rows = np.repeat(np.arange(80), weight)
    repeated = clone(model).fit(X[rows], y[rows])
    np.testing.assert_allclose(
        weighted.predict(X), repeated.predict(X), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_text(library):
    """Frames reach the models as frames, and names do not clash."""
    frames = pytest.importorskip(library)
    X, y, full = _problem()
    text = np.where(full[:, 0] > 0, "yes", "no").astype(object)
    text[::7] = None
    columns = {"target0": X[:, 0], "b": X[:, 1], "c": text}
    X = frames.DataFrame(columns)

    class Base(LinearRegression):
        """Takes the columns of numbers, and checks what it gets."""

        def _numbers(self, X):
            assert list(X.columns) == ["target0", "b", "c"]
            assert set(X["c"].to_list() if library == "polars" else X["c"]) == {
                "yes", "no",
            }  # fmt: skip
            return np.column_stack([X["target0"], X["b"]])

        def fit(self, X, y, sample_weight=None):
            return super().fit(self._numbers(X), y, sample_weight)

        def predict(self, X):
            return super().predict(self._numbers(X))

    model = MultipleImputationRegressor(Base(), n_imputations=2, random_state=0)
    assert np.isfinite(model.fit(X, y).predict(X)).all()
    assert model.n_features_in_ == 3


def test_in_a_bag_no_row_reaches_the_imputer_that_scores_it():
    """Members fit on their own rows alone: the same from these rows by hand."""
    X, y, _ = _problem(60)
    bag = BootstrapBaggingRegressor(
        MultipleImputationRegressor(LinearRegression(), n_imputations=2),
        n_estimators=5,
        random_state=0,
    ).fit(X, y)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        alone = clone(member).fit(X[rows], y[rows])
        np.testing.assert_allclose(
            alone.imputer_.mean_, member.imputer_.mean_, rtol=1e-6, atol=1e-9
        )
        np.testing.assert_allclose(alone.predict(X), member.predict(X), rtol=1e-5)


def test_bag_of_classifiers():
    """Classes, probabilities and out-of-bag scores work as for any classifier."""
    X, y, _ = _problem()
    bag = BootstrapBaggingClassifier(
        MultipleImputationClassifier(n_imputations=2), n_estimators=10, random_state=0
    ).fit(X, np.where(y > 0, "up", "down"))
    assert bag.classes_.tolist() == ["down", "up"]
    assert bag.oob_score_ > 0.7


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (MultipleImputationRegressor(n_imputations=0), ValueError, "n_imputations"),
        (MultipleImputationRegressor(imputer=3), TypeError, "`fit` and `sample`"),
        (MultipleImputationRegressor(estimator=3), TypeError, "`fit` and `predict`"),
    ],
)
def test_bad_parameters(model, error, message):
    """Parameters out of range are named."""
    X, y, _ = _problem(20)
    with pytest.raises(error, match=message):
        model.fit(X, y)


def test_bad_targets():
    """One target, of two classes for a classifier."""
    X, y, _ = _problem(20)
    with pytest.raises(ValueError, match="takes one target"):
        MultipleImputationRegressor().fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="at least two classes"):
        MultipleImputationClassifier().fit(X, np.zeros(20))
    with pytest.raises(TypeError, match="takes no sparse X"):
        MultipleImputationRegressor().fit(sparse.csr_array(np.nan_to_num(X)), y)
