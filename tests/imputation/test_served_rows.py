"""Rows as they come one by one: text that is all missing, types, odd cells."""

import datetime

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from genestimators import (
    BayesianBootstrap,
    BlockBootstrap,
    BootstrapBaggingRegressor,
    DonorImputer,
    GaussianImputer,
    MultipleImputationRegressor,
    Subsample,
    pool,
)
from tests.imputation.toys import numbers

IMPUTERS = [
    GaussianImputer(),
    GaussianImputer(categorical="level"),
    GaussianImputer(strategy="draw", random_state=0),
    DonorImputer(random_state=0),
    DonorImputer(strategy="nearest"),
]


def _table():
    """Numbers, and a column of text that misses some."""
    X = numbers(p=3)
    text = np.where(X[:, -1] > 0, "x", "y").astype(object)
    text[::5] = None
    return X, text


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("imputer", IMPUTERS, ids=repr)
@pytest.mark.parametrize("hole", [None, np.nan])
def test_a_single_row_without_its_text(imputer, hole):
    """It is filled as among rows that have text, in every container."""
    pd = pytest.importorskip("pandas")
    X, text = _table()
    frame = pd.DataFrame(X, columns=list("abc")).assign(t=text)
    imputer.fit(frame)
    row = frame.iloc[[0, 1]].copy()
    row["t"] = row["t"].astype(object)
    row.iloc[0, 3] = None
    expected = imputer.transform(row).iloc[0].tolist()
    alone = frame.iloc[[0]].assign(t=hole)
    assert imputer.transform(alone).iloc[0].tolist() == expected
    floats = np.column_stack([X[:1], [np.nan]])
    assert imputer.transform(floats)[0].tolist() == expected
    assert expected[3] in ("x", "y", "missing")


@pytest.mark.parametrize("imputer", IMPUTERS, ids=repr)
def test_a_single_row_of_polars(imputer):
    pl = pytest.importorskip("polars")
    X, text = _table()
    columns = dict(zip("abc", X.T, strict=True))
    frame = pl.DataFrame({**columns, "t": text.tolist()})
    imputer.fit(frame)
    expected = imputer.transform(frame)[0]
    assert frame["t"][0] is None
    for hole in (None, float("nan")):
        alone = frame[:1].with_columns(pl.Series("t", [hole]))
        found = imputer.transform(alone)
        assert found.equals(expected)
        assert found.schema == expected.schema


def test_types_do_not_depend_on_what_is_missing():
    """Objects that are numbers come back as floats, gaps or not."""
    pd = pytest.importorskip("pandas")
    X, text = _table()
    frame = pd.DataFrame(X, columns=list("abc")).assign(t=text)
    flags = pd.Series([True, None, False, True] * 20, dtype=object)
    frame.insert(0, "f", flags)
    imputer = GaussianImputer(add_indicator=False).fit(frame)
    whole = imputer.transform(frame)
    assert whole["f"].dtype == np.float64
    np.testing.assert_array_equal(whole["f"][flags.notna()], flags.dropna())
    for part in (frame[:1], frame[1:2], frame[:1].assign(a=[None])):
        found = imputer.transform(part)
        assert found.dtypes.tolist()[:-1] == [np.float64] * 4
    assert imputer.transform(frame[1:2])["f"].iloc[0] == whole["f"].iloc[1]


def test_samples_draw_levels():
    """As transform does with strategy="draw"; "missing" only where it was asked for."""
    pd = pytest.importorskip("pandas")
    X, text = _table()
    frame = pd.DataFrame(X, columns=list("abc")).assign(t=text)
    settings = {"add_indicator": False, "random_state": 0}
    drawn = GaussianImputer(strategy="draw", **settings).fit_transform(frame)
    means = GaussianImputer(**settings).fit(frame)
    assert "missing" in set(means.transform(frame)["t"])
    pd.testing.assert_frame_equal(means.sample(frame, 1)[0], drawn)
    assert set(drawn["t"]) == {"x", "y"}
    asked = GaussianImputer(categorical="missing", random_state=0).fit(frame)
    assert "missing" in set(asked.sample(frame, 1)[0]["t"])


@pytest.mark.parametrize(
    "cell", [datetime.date(2020, 1, 1), datetime.time(1), [1, 2], {"a": 1}, {1}]
)
@pytest.mark.parametrize("with_text", [False, True])
@pytest.mark.parametrize("kind", [GaussianImputer, DonorImputer])
def test_cells_that_are_neither_numbers_nor_text(cell, with_text, kind):
    """The column is named, in arrays by its place."""
    pd = pytest.importorskip("pandas")
    X, text = _table()
    frame = pd.DataFrame(X, columns=list("abc"))
    if with_text:
        frame["t"] = text
    good = kind().fit(frame)
    cells = np.empty(len(X), dtype=object)
    cells[:] = [cell] * len(X)
    bad = frame.assign(b=pd.Series(cells, dtype=object))
    told = r"must hold numbers, text or categories\. Got .* of type \w+; make numbers"
    for act in (kind().fit, good.transform):
        with pytest.raises(TypeError, match=f"Column 'b' {told}"):
            act(bad)
    with pytest.raises(TypeError, match=f"Column 1 {told}"):
        kind().fit(bad.to_numpy(dtype=object))


def test_bytes_alone():
    """They are not said to be mixed with numbers."""
    X = np.array([[b"a", 1.0], [b"b", 2.0], [None, 3.0]], dtype=object)
    with pytest.raises(
        TypeError, match=r"Column 0 must hold text or numbers\. Got b'a'"
    ):
        GaussianImputer().fit(X)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, object])
def test_masked_arrays(dtype):
    """What is masked is missing."""
    X = numbers()
    gaps = np.isnan(X)
    masked = np.ma.masked_array(np.where(gaps, 99.0, X).astype(dtype), mask=gaps)
    plain = X.astype(np.float32) if dtype == np.float32 else X
    np.testing.assert_array_equal(
        GaussianImputer().fit_transform(masked), GaussianImputer().fit_transform(plain)
    )


@pytest.mark.parametrize("weight", [1e305, 1e-250])
@pytest.mark.parametrize("kind", [GaussianImputer, DonorImputer])
def test_weights_beyond_reckoning(kind, weight):
    X = numbers()
    with pytest.raises(
        ValueError, match=r"its sum must lie between .* Got .*; scale it"
    ):
        kind().fit(X, sample_weight=np.full(len(X), weight))


def test_fills_beyond_float32():
    X = numbers(p=3)
    imputer = GaussianImputer(add_indicator=False).fit(1e300 * X)
    with pytest.raises(
        ValueError, match=r"finite in the type of X, float32\..*float64"
    ):
        imputer.transform(np.array([[1.0, np.nan, 1.0]], dtype=np.float32))


def _bag(**settings):
    X = numbers(p=3)
    inside = MultipleImputationRegressor(LinearRegression(), n_imputations=2)
    bag = BootstrapBaggingRegressor(inside, n_estimators=4, random_state=0, **settings)
    return bag.fit(X, X[:, -1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_features": 0.5}, r"all features\. Got .*max_features=0\.5; leave"),
        (
            {"resampling": Subsample(0.8)},
            r"as many rows .* Got .*Subsample\(fraction=0",
        ),
        ({"resampling": "subsample"}, r"as many rows as there are.*Subsample"),
        ({"max_samples": 0.5}, r"as many rows .* Got .*Bootstrap\(max_samples=0\.5\)"),
    ],
)
def test_pooled_replicates_are_bootstrap_samples(settings, message):
    """Of other draws the spread is not that of estimates from all rows."""
    with pytest.raises(ValueError, match=message):
        pool(_bag(**settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"resampling": BayesianBootstrap(), "oob_score": False},
        {"resampling": BlockBootstrap(block_length=2)},
    ],
)
def test_other_bootstraps_are_pooled(settings):
    assert len(pool(_bag(**settings)).estimate) == 4


def test_pooling_takes_two_imputations():
    X = numbers(p=3)
    one = MultipleImputationRegressor(Ridge(), n_imputations=1)
    bag = BootstrapBaggingRegressor(one, n_estimators=3).fit(X, X[:, -1])
    with pytest.raises(ValueError, match=r"two imputations or more.*n_imputations=2"):
        pool(bag)
