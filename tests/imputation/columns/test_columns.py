"""Reading tables: what is a number, what a level, and what is refused."""

import numpy as np
import pytest
from scipy import sparse

from genestimators import GaussianImputer
from tests.imputation.toys import mixed_array, mixed_pandas, mixed_polars, numbers


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_sparse_tables_are_refused(form):
    """In fit and in transform: what they do not hold is zero, not missing."""
    X = sparse.random(20, 3, density=0.5, format=form, random_state=0)
    with pytest.raises(TypeError, match=r"takes no sparse X.*pass X\.toarray\(\)"):
        GaussianImputer().fit(X)
    fitted = GaussianImputer().fit(X.toarray())
    with pytest.raises(TypeError, match=rf"takes no sparse X.*a sparse {form}"):
        fitted.transform(X.asformat(form))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused(value):
    """Whether the table is of numbers or mixed, in fit and in transform."""
    X, Z = numbers(), mixed_array()
    fitted, of_mixed = GaussianImputer().fit(X), GaussianImputer().fit(Z)
    X[3, 2] = Z[3, 1] = value
    for attempt in (GaussianImputer().fit, fitted.transform):
        with pytest.raises(ValueError, match="Input X contains infinity"):
            attempt(X)
    for attempt in (GaussianImputer().fit, of_mixed.transform):
        with pytest.raises(ValueError, match="Got infinity in column 1; replace it by"):
            attempt(Z)


@pytest.mark.parametrize("dtype", ["datetime64[s]", "timedelta64[D]"])
def test_arrays_of_dates_are_refused(dtype):
    """They would be taken for large numbers."""
    X = np.arange(10).astype(dtype).reshape(5, 2)
    with pytest.raises(
        TypeError, match=r"Got a column of dates or times .* days since"
    ):
        GaussianImputer().fit(X)


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("text", [True, False])
def test_dates_in_pandas_are_refused(zone, text):
    """Among numbers, and beside text; with a time zone too."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, 2.0], "t": ["a", "b"] if text else [1.0, 3.0]})
    frame["day"] = pd.date_range("2020", periods=2, tz=zone)
    with pytest.raises(TypeError, match="Got a column of dates or times"):
        GaussianImputer().fit(frame)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("dtype", ["Date", "Datetime", "Time", "Duration"])
def test_dates_in_polars_are_refused(dtype, text):
    """Among numbers, and beside text."""
    pl = pytest.importorskip("polars")
    day = pl.Series([1, 2]).cast(getattr(pl, dtype))
    other = ["a", "b"] if text else [1, 3]
    frame = pl.DataFrame({"x": [1.0, 2.0], "t": other, "d": day})
    with pytest.raises(TypeError, match="Got a column of dates or times"):
        GaussianImputer().fit(frame)


def test_tables_of_pyarrow():
    """Numbers are read; cells of text cannot be replaced, which is said."""
    pa = pytest.importorskip("pyarrow")
    X = numbers(p=3)
    columns = {f"c{j}": [None if v != v else v for v in X[:, j]] for j in range(3)}
    table = pa.table(columns)
    expected = GaussianImputer().fit_transform(X)
    np.testing.assert_array_equal(GaussianImputer().fit_transform(table), expected)
    with pytest.raises(TypeError, match=r"pandas or polars\. Got Table; convert it"):
        GaussianImputer().fit(pa.table(columns | {"t": ["a"] * 80}))


@pytest.mark.parametrize("other", [1.5, True, b"bytes"])
def test_text_mixed_with_numbers_is_refused(other):
    """It is told apart by nobody."""
    X = np.array([[1.0, "a"], [2.0, other], [3.0, None]], dtype=object)
    with pytest.raises(TypeError, match=r"Column 1 must hold text or numbers, and not"):
        GaussianImputer().fit(X)


def test_levels_where_fit_saw_numbers():
    """In a table of numbers, and in one column of a mixed one."""
    X = numbers(p=2)
    Z = X.astype(object)
    Z[0, 1] = "a"
    with pytest.raises(ValueError, match=r"Column 1 must hold numbers.*such as 'a'"):
        GaussianImputer().fit(X).transform(Z)
    mixed = mixed_array()
    fitted = GaussianImputer().fit(mixed)
    mixed[:, 2] = "b"
    with pytest.raises(TypeError, match=r"Column 2 must hold numbers.*Got 'b'"):
        fitted.transform(mixed)


def test_numbers_where_fit_saw_levels():
    """The column is named, with a value of it."""
    frame = mixed_pandas()
    fitted = GaussianImputer().fit(frame)
    with pytest.raises(TypeError, match=r"'town' must hold levels.*such as 3\.0"):
        fitted.transform(frame.assign(town=3.0))


def test_levels_that_are_all_missing_later_are_no_numbers():
    """A batch of rows that all miss the level is read as in fit."""
    X = mixed_array()
    fitted = GaussianImputer(categorical="level").fit(X)
    rows = X[:3].copy()
    rows[:, 4] = None
    assert set(fitted.transform(rows)[:, 4]) <= {"Bern", "Genf", "Chur"}


@pytest.mark.parametrize("make", [mixed_pandas, mixed_polars, mixed_array])
def test_other_columns_than_in_fit_are_refused(make):
    """Another number of them, other names, another order."""
    X = make()
    fitted = GaussianImputer().fit(X)
    fewer = X[:, :-1] if isinstance(X, np.ndarray) else X[X.columns[:-1]]
    if isinstance(X, np.ndarray):
        with pytest.raises(
            ValueError, match="X has 6 features, but GaussianImputer is"
        ):
            fitted.transform(fewer)
        return
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(fewer)
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.transform(X[list(X.columns[::-1])])
    renamed = X[list(X.columns)]
    renamed.columns = ["SIZE", *X.columns[1:]]
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        fitted.transform(renamed)


@pytest.mark.parametrize("make", [mixed_pandas, mixed_polars, mixed_array, numbers])
def test_no_rows_are_refused(make):
    """In fit and in transform."""
    X = make()
    fitted = GaussianImputer().fit(X)
    for attempt in (fitted.transform, GaussianImputer().fit):
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
            attempt(X[:0])


def test_one_dimension_is_refused():
    """A row is no table."""
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        GaussianImputer().fit([1.0, np.nan])
    with pytest.raises(ValueError, match="Complex data not supported"):
        GaussianImputer().fit(numbers() * 1j)


def test_callers_array_stays_as_it_was():
    """What is filled goes into a copy, also where nothing is missing."""
    X = mixed_array()
    given = X.copy()
    fitted = GaussianImputer().fit(X)
    out = fitted.transform(X)
    assert X.tolist() == given.tolist()
    full = out[:, :7].copy()
    again = fitted.set_params(add_indicator=False).fit(X).transform(full)
    again[0, 0] = 7.0
    assert full[0, 0] != 7.0


def test_types_do_not_depend_on_which_rows_are_missing():
    """Nullable integers and booleans become floats even in complete rows."""
    pd = pytest.importorskip("pandas")
    frame = mixed_pandas()
    fitted = GaussianImputer().fit(frame)
    complete = frame[frame.notna().all(axis=1)]
    assert len(complete)
    out = fitted.transform(complete)
    assert out.dtypes.equals(fitted.transform(frame).dtypes)
    assert out["rooms"].dtype == out["old"].dtype == np.float64
    assert out["weight"].dtype == frame["weight"].dtype
    whole = frame.assign(n=np.arange(80), flag=np.arange(80) > 3)
    out = GaussianImputer().fit_transform(whole)
    assert (out["n"].dtype, out["flag"].dtype) == (np.int64, bool)  # take no gaps
    assert isinstance(out["town"].dtype, pd.CategoricalDtype)


def test_types_of_polars_do_not_depend_on_rows():
    """Any column of polars may miss values, so any integer becomes a float."""
    pl = pytest.importorskip("polars")
    frame = mixed_polars().with_columns(n=pl.int_range(80), none=pl.lit(None))
    with pytest.warns(UserWarning, match="filled with zero"):
        fitted = GaussianImputer().fit(frame)
    out = fitted.transform(frame)
    assert fitted.transform(frame[5:6]).schema == out.schema
    assert out.schema["weight"] == pl.Float32
    for name in ("rooms", "old", "n", "none"):
        assert out.schema[name] == pl.Float64
    assert out["none"].to_list() == [0.0] * 80


@pytest.mark.parametrize("dtype", ["float64[pyarrow]", "Float32", "float32", "Sparse"])
def test_types_of_numbers_in_pandas(dtype):
    """They stay, but for sparse columns, which come out dense."""
    pd = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    frame = mixed_pandas()
    size = frame["size"].astype(np.float32).astype(np.float64)
    kind = pd.SparseDtype(float, np.nan) if dtype == "Sparse" else dtype
    out = GaussianImputer().fit_transform(frame.assign(size=size.astype(kind)))
    expected = GaussianImputer().fit_transform(frame.assign(size=size))
    assert out["size"].dtype == (np.float64 if dtype == "Sparse" else dtype)
    np.testing.assert_allclose(out["size"].to_numpy(float), expected["size"], rtol=1e-6)


def test_names_of_numbers_become_names_of_text():
    """An estimator takes no frame whose names are of both kinds."""
    frame = mixed_pandas()
    frame.columns = range(7)
    imputer = GaussianImputer().fit(frame)
    out = imputer.transform(frame)
    assert list(out.columns) == list(imputer.get_feature_names_out())
    assert list(out.columns[:2]) == ["x0", "x1"]
    assert list(frame.columns) == list(range(7))


@pytest.mark.parametrize("make", [mixed_pandas, mixed_polars])
def test_masks_take_no_name_that_is_there(make):
    """Else they would replace the column of that name."""
    frame = make()
    names = ["size", "missingindicator_size", *frame.columns[2:]]
    if make is mixed_pandas:
        frame.columns = names
    else:
        frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    imputer = GaussianImputer(add_indicator=True).fit(frame)
    out = imputer.transform(frame)
    assert list(out.columns) == list(imputer.get_feature_names_out())
    assert "missingindicator_size_" in out.columns
    assert len(out.columns) == 7 + len(imputer.indicator_features_)


def test_missing_value_of_pandas_among_numbers():
    """NA in columns of objects, in frames and arrays."""
    pd = pytest.importorskip("pandas")
    X = numbers(p=3)
    expected = GaussianImputer().fit_transform(X)
    cells = X.astype(object)
    cells[np.isnan(X)] = pd.NA
    before = cells.copy()
    np.testing.assert_array_equal(GaussianImputer().fit_transform(cells), expected)
    frame = pd.DataFrame(cells, columns=list("abc"))
    np.testing.assert_array_equal(GaussianImputer().fit_transform(frame), expected)
    assert all(a is b for a, b in zip(cells.ravel(), before.ravel(), strict=True))
    assert frame.isna().to_numpy().sum() == np.isnan(X).sum()
