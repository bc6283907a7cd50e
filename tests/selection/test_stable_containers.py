"""Containers, missing numbers, categories and texts on their way through selectors."""

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from genestimators.selection._stable_selector import StableFeatureSelector
from tests.selection.stable_toys import OwnRidge, clear_problem

BOOSTING = HistGradientBoostingRegressor(
    max_iter=5, min_samples_leaf=5, categorical_features="from_dtype"
)


def selector(estimator=None, **kwargs):
    settings = {"n_resamples": 2, "random_state": 0, **kwargs}
    return StableFeatureSelector(estimator, **settings)


def names_of(X):
    return [f"c{j}" for j in range(X.shape[1])]


def mixed(pd, n=80):
    """Numbers with a gap, a category, texts and booleans; the first two matter."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "kind": pd.Categorical(rng.choice(list("xyz"), n)),
            "text": rng.choice(["u", "v"], n),
            "flag": rng.random(n) > 0.5,
            "noise": rng.normal(size=n),
        }
    )
    y = frame["number"] + 3.0 * (frame["kind"] == "x") + 0.2 * rng.normal(size=n)
    frame.loc[3, "number"] = np.nan
    return frame, y


def test_pandas_reaches_the_estimator_and_comes_back():
    """Categories and gaps are the estimator's business; dtypes stay what they are."""
    pd = pytest.importorskip("pandas")
    frame, y = mixed(pd)
    frame = frame.drop(columns="text")
    step = selector(BOOSTING).set_output(transform="pandas").fit(frame, y)
    assert {"number", "kind"} <= set(step.get_feature_names_out())
    kept = step.transform(frame)
    pd.testing.assert_frame_equal(kept, frame[list(step.get_feature_names_out())])
    # By default the output is an array, of objects if there are categories.
    plain = selector(BOOSTING).fit(frame, y).transform(frame)
    assert isinstance(plain, np.ndarray)
    pd.testing.assert_frame_equal(
        pd.DataFrame(plain, columns=kept.columns, dtype=object), kept.astype(object)
    )


@pytest.mark.parametrize("importance", ["elimination", "permutation"])
def test_texts_through_an_encoder(importance):
    """Every fit gets a frame, of some of the columns, that an encoder understands."""
    pd = pytest.importorskip("pandas")
    frame, y = mixed(pd)
    encoder = OneHotEncoder(handle_unknown="ignore")
    step = selector(make_pipeline(encoder, Ridge()), importance=importance)
    step.fit(frame[["text", "flag", "kind"]], y)
    assert step.get_feature_names_out().tolist() == ["kind"]
    assert step.engine_ == "refits"


def test_polars_reaches_the_estimator_and_comes_back():
    """Polars frames stay polars, with their dtypes where polars is asked for."""
    pl = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    y = rng.normal(size=60)
    text = np.where(y > 0, "u", "v").tolist()
    frame = pl.DataFrame({"count": rng.integers(0, 3, 60), "text": text, "flag": y > 1})
    encoder = OneHotEncoder(handle_unknown="ignore")
    step = selector(make_pipeline(encoder, Ridge()), min_features_to_select=3)
    step.set_output(transform="polars").fit(frame, y)
    assert step.transform(frame).schema == frame.schema
    step.set_params(min_features_to_select=1, max_features=1)
    assert step.transform(frame).equals(frame.select("text"))
    X, y = clear_problem()
    table = pl.DataFrame(X, schema=names_of(X))
    fitted = selector().fit(table, y)
    np.testing.assert_array_equal(fitted.ranks_, selector().fit(X, y).ranks_)
    assert isinstance(fitted.transform(table), np.ndarray)
    out = fitted.set_output(transform="polars").transform(table)
    assert out.columns == fitted.get_feature_names_out().tolist()
    pd = pytest.importorskip("pandas")
    other = fitted.set_output(transform="pandas").transform(table)
    assert isinstance(other, pd.DataFrame)


@pytest.mark.parametrize("estimator", [None, Ridge(), OwnRidge()])
def test_names_and_the_way_back(estimator):
    """Names of what is kept; the inverse puts zeros where columns were dropped."""
    pd = pytest.importorskip("pandas")
    X, y = clear_problem()
    frame = pd.DataFrame(X, columns=names_of(X))
    step = selector(estimator, max_features=3).fit(frame, y)
    assert step.feature_names_in_.tolist() == names_of(X)
    assert step.get_feature_names_out().tolist() == ["c0", "c1", "c2"]
    back = step.inverse_transform(step.transform(frame))
    np.testing.assert_array_equal(back[:, :3], X[:, :3])
    assert not back[:, 3:].any()
    plain = selector(estimator, max_features=3).fit(X, y)
    np.testing.assert_array_equal(plain.ranks_, step.ranks_)
    assert plain.get_feature_names_out(names_of(X)).tolist() == ["c0", "c1", "c2"]


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5),
        make_pipeline(SimpleImputer(), Ridge()),
        make_pipeline(SimpleImputer(), StandardScaler(), OwnRidge()),
    ],
)
def test_gaps_go_to_estimators_that_take_them(estimator):
    """Missing numbers pass the selector both ways."""
    X, y = clear_problem(n=80, p=5)
    X[::9, 0] = np.nan
    step = selector(estimator, max_features=3).fit(X, y)
    assert step.get_support()[0]
    np.testing.assert_array_equal(step.transform(X), X[:, step.get_support()])


@pytest.mark.parametrize("importance", ["auto", "additive", "coef"])
def test_gaps_are_refused_without_an_estimator(importance):
    """Nothing would fill them in."""
    X, y = clear_problem()
    X[4, 2] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        selector(importance=importance).fit(X, y)
    with pytest.raises(ValueError, match="Ridge does not accept missing") as caught:
        selector(Ridge()).fit(X, y)
    assert caught.value.__notes__ == ["in draw 0"]


def test_gaps_are_refused_by_additive_importances():
    """Ranks of missing numbers would be made up."""
    X, y = clear_problem()
    X[4, 2] = np.nan
    step = selector(HistGradientBoostingRegressor(), importance="additive")
    with pytest.raises(ValueError, match="need X without NaN; impute first"):
        step.fit(X, y)


def test_names_of_classes_reach_the_estimator():
    """String labels, several classes."""
    X, y = clear_problem()
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [-1.0, 1.0])]
    base = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    assert selector(base, scoring="neg_log_loss").fit(X, labels).get_support()[0]
    assert selector().fit(X, labels).get_support()[:2].all()
    assert selector().fit(X, labels.astype(object)).get_support()[:2].all()


def test_several_outputs():
    """A feature counts by what it is worth to all outputs, in their own units."""
    X, y = clear_problem()
    both = np.column_stack([y, 1e6 * (X[:, 7] + 0.1 * X[:, 8])])
    for estimator in (None, Ridge(), OwnRidge()):
        assert selector(estimator).fit(X, both).get_support()[[0, 1, 2, 7]].all()


def test_pyarrow_and_lists():
    """Tables and nested lists of numbers are taken as what they hold."""
    X, y = clear_problem()
    wanted = selector().fit(X, y).ranks_
    np.testing.assert_array_equal(selector().fit(X.tolist(), y).ranks_, wanted)
    pa = pytest.importorskip("pyarrow")
    table = pa.table(dict(zip(names_of(X), X.T, strict=True)))
    np.testing.assert_array_equal(selector().fit(table, y).ranks_, wanted)
