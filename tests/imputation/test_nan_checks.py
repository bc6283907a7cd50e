"""Checks of any imputer on tables that have gaps.

scikit-learn's checks of invariance use complete tables, which every imputer passes. To
check another imputer add an instance to `IMPUTERS`.
"""

import pickle

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone

from genestimators import DonorImputer, GaussianImputer
from genestimators._inputs import frame_columns, is_missing, take_rows
from tests.imputation.toys import TABLES, numbers

IMPUTERS = [
    GaussianImputer(random_state=0),
    GaussianImputer(strategy="draw", random_state=1, add_indicator=True),
    GaussianImputer(marginals="copula", random_state=0, add_indicator=False),
    GaussianImputer(strategy="draw", marginals="copula", random_state=2),
    GaussianImputer(n_factors=2, categorical="level", tol=0.02, random_state=0),
    GaussianImputer(n_factors=1, strategy="draw", tol=0.02, random_state=0),
    GaussianImputer(categorical="level", marginals="copula", random_state=0),
    GaussianImputer(strategy="draw", categorical="missing", random_state=0),
    DonorImputer(random_state=0),
    DonorImputer(strategy="nearest", add_indicator=True, random_state=1),
    DonorImputer(n_factors=1, tol=0.02, n_donors=1, random_state=2),
]

_FITTED = {}


def _fitted(imputer, kind):
    """An imputer fitted on a table, once for all checks; none of them changes it."""
    key = repr(imputer), kind
    if key not in _FITTED:
        X = TABLES[kind]()
        _FITTED[key] = clone(imputer).fit(X), X
    return _FITTED[key]


def assert_same(ours, theirs):
    """The same container, types, names and bits."""
    assert type(ours) is type(theirs)
    if hasattr(ours, "equals"):
        assert list(ours.columns) == list(theirs.columns)
        assert list(ours.dtypes) == list(theirs.dtypes)
        if hasattr(ours, "iloc"):
            assert ours.equals(theirs)
        else:  # `equals` of older polars compares the codes of categories
            assert ours.rows() == theirs.rows()
    else:
        assert ours.dtype == theirs.dtype
        if ours.dtype == object:
            assert ours.tolist() == theirs.tolist()
        else:
            np.testing.assert_array_equal(
                ours.view(f"u{ours.itemsize}"), theirs.view(f"u{ours.itemsize}")
            )


def _cells(X):
    """Columns of any container as lists."""
    columns = frame_columns(X)
    columns = list(np.asarray(X).T) if columns is None else columns
    return [column.tolist() for column in columns]


def _copy(X):
    return X.copy() if hasattr(X, "copy") else X.clone()


def _stacked(parts):
    if hasattr(parts[0], "iloc"):
        return pytest.importorskip("pandas").concat(parts)
    if hasattr(parts[0], "get_columns"):
        return pytest.importorskip("polars").concat(parts)
    return np.concatenate(parts)


def _name(imputer):
    return repr(imputer).replace(" ", "").replace("\n", "")


on_all = pytest.mark.parametrize("kind", list(TABLES))
every = pytest.mark.parametrize("imputer", IMPUTERS, ids=_name)


@every
@on_all
def test_rows_are_filled_alike_in_any_company(imputer, kind):
    """Subsets, a permutation, single rows, rows twice."""
    fitted, X = _fitted(imputer, kind)
    whole = fitted.transform(X)
    rng = np.random.default_rng(0)
    for rows in (
        np.sort(rng.choice(80, size=33, replace=False)),
        rng.permutation(80),
        np.repeat(np.arange(5), 2),
        *np.arange(80)[:12, None],
    ):
        assert_same(fitted.transform(take_rows(X, rows)), take_rows(whole, rows))


@every
@on_all
@pytest.mark.parametrize("size", [7, 40])
def test_batches_go_together(imputer, kind, size):
    """What is filled in batches is what is filled at once, types included."""
    fitted, X = _fitted(imputer, kind)
    parts = [
        fitted.transform(take_rows(X, np.arange(start, min(start + size, 80))))
        for start in range(0, 80, size)
    ]
    assert_same(_stacked(parts), fitted.transform(X))


@every
@on_all
def test_fits_and_calls_repeat(imputer, kind):
    """Repeated calls, a pickled imputer, and another fit with the same seed."""
    fitted, X = _fitted(imputer, kind)
    once = fitted.transform(X)
    assert_same(fitted.transform(X), once)
    assert_same(pickle.loads(pickle.dumps(fitted)).transform(X), once)
    again = clone(fitted).fit(_copy(X))
    assert_same(again.transform(X), once)
    assert_same(clone(imputer).fit_transform(X), once)


@every
@on_all
def test_nothing_is_missing_and_nothing_else_has_changed(imputer, kind):
    """Observed cells have their bits; the input is as it was, and not the output."""
    X = TABLES[kind]()
    before = _copy(X)
    given = _cells(X)
    out = clone(imputer).fit(X).transform(X)
    after = _cells(X)
    assert repr(after) == repr(given)
    if isinstance(X, np.ndarray):
        assert not np.shares_memory(X, out)
        assert X.tobytes() == before.tobytes() or X.dtype == object
    for old, new in zip(given, _cells(out), strict=False):
        for a, b in zip(old, new, strict=True):
            assert not is_missing(b)
            assert is_missing(a) or a == b
    if isinstance(X, np.ndarray) and X.dtype.kind == "f":
        assert out.dtype == X.dtype
        seen = ~np.isnan(X)
        bits = f"u{X.itemsize}"
        np.testing.assert_array_equal(
            out[:, : X.shape[1]].copy().view(bits)[seen], X.view(bits)[seen]
        )


@every
@on_all
def test_width_and_names_are_settled_in_fit(imputer, kind):
    """For rows of fit, for complete rows, and for rows that miss all they can."""
    fitted, X = _fitted(imputer, kind)
    names = list(fitted.get_feature_names_out())
    assert len(set(names)) == len(names)
    missing = np.array([[is_missing(c) for c in column] for column in _cells(X)])
    for rows in (
        np.arange(80),
        np.flatnonzero(~missing.any(axis=0)),
        [int(missing.sum(axis=0).argmax())],
    ):
        out = fitted.transform(take_rows(X, rows))
        assert out.shape == (len(rows), len(names))
        if hasattr(out, "columns"):
            assert list(out.columns) == names
        if hasattr(out, "index"):
            assert list(out.index) == [100 + row for row in rows]


@every
@on_all
def test_masks_say_where_values_were_missing(imputer, kind):
    """The columns after the last hold one where theirs was missing."""
    fitted, X = _fitted(imputer, kind)
    cells, out = _cells(X), _cells(fitted.transform(X))
    masks = out[len(cells) :]
    assert len(masks) == len(fitted.indicator_features_)
    for j, mask in zip(fitted.indicator_features_, masks, strict=True):
        assert mask == [float(is_missing(cell)) for cell in cells[j]]


@every
@pytest.mark.parametrize("kind", ["float64", "pandas", "array"])
@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_output_is_the_container_asked_for(imputer, kind, container):
    """With the same cells, under the names that are told."""
    library = pytest.importorskip(container)
    fitted, X = _fitted(imputer, kind)
    out = (
        pickle.loads(pickle.dumps(fitted)).set_output(transform=container).transform(X)
    )
    assert isinstance(out, library.DataFrame)
    assert list(out.columns) == list(fitted.get_feature_names_out())
    for ours, theirs in zip(_cells(out), _cells(fitted.transform(X)), strict=True):
        assert ours == theirs


@every
@pytest.mark.parametrize("kind", ["float64", "pandas"])
def test_threads_of_linear_algebra_change_no_bit(imputer, kind):
    """Of what a fitted imputer fills."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    fitted, X = _fitted(imputer, kind)
    found = []
    for limit in (1, 2):
        with threadpoolctl.threadpool_limits(limit):
            found.append(fitted.transform(X))
    assert_same(*found)


@every
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_jobs_change_no_bit(imputer, backend):
    """Two jobs, of threads and of processes, each with a part of the rows."""
    for kind in ("float64", "array"):
        fitted, X = _fitted(imputer, kind)
        parts = [take_rows(X, np.arange(start, start + 40)) for start in (0, 40)]
        with parallel_config(backend, n_jobs=2):
            found = Parallel()(delayed(fitted.transform)(part) for part in parts)
        assert_same(np.concatenate(found), fitted.transform(X))


@every
def test_strides_and_containers_of_numbers_change_no_bit(imputer):
    """C order, Fortran order, views with gaps, lists, frames and types of numbers."""
    pd = pytest.importorskip("pandas")
    fitted, X = _fitted(imputer, "float64")
    expected = fitted.transform(X)
    wide = np.zeros((160, 10))
    wide[::2, ::2] = X
    for given in (
        np.asfortranarray(X),
        wide[::2, ::2],
        X.tolist(),
        X.astype(object),
        [[None if v != v else v for v in row] for row in X.tolist()],
    ):
        assert_same(fitted.transform(given), expected)
    frame = pd.DataFrame(X, columns=list("abcde"))
    named = clone(imputer).fit(frame)
    assert_same(named.transform(frame), expected)
    assert_same(named.transform(frame.astype("Float64")), expected)
    assert_same(
        named.transform(frame.astype(object).where(frame.notna(), pd.NA)), expected
    )


@every
def test_float32_is_filled_as_the_float64_of_the_same_value(imputer):
    """Rounded once, at the end."""
    fitted, X = _fitted(imputer, "float32")
    expected = fitted.transform(X.astype(np.float64))
    assert_same(fitted.transform(X), expected.astype(np.float32))


@every
def test_rows_without_weight_are_rows_that_are_not_there(imputer):
    """To the last bit, since they are left out first; in mixed tables as well."""
    for kind in ("float64", "array", "pandas"):
        X = TABLES[kind]()
        weight = np.where(np.arange(80) % 5 == 3, 0.0, 1.5)
        kept = np.flatnonzero(weight)
        ours = clone(imputer).fit(X, sample_weight=weight)
        theirs = clone(imputer).fit(take_rows(X, kept), sample_weight=weight[kept])
        assert_same(ours.transform(X), theirs.transform(X))


@every
def test_columns_missing_only_later_are_filled(imputer):
    """A column without a gap in fit, and a row without any value."""
    fitted, X = _fitted(imputer, "float64")
    assert not np.isnan(X[:, -1]).any()
    later = X[:6].copy()
    later[:3, -1] = np.nan
    later[3] = np.nan
    out = fitted.transform(later)
    assert np.isfinite(out).all()
    assert out.shape == fitted.transform(X[:6]).shape
    np.testing.assert_array_equal(out[4:], fitted.transform(X[4:6]))


@every
def test_other_seeds_change_draws_alone(imputer):
    """Conditional means do not know of the seed."""
    X = numbers()
    one = clone(imputer).set_params(random_state=0).fit_transform(X)
    other = clone(imputer).set_params(random_state=7).fit_transform(X)
    drawn = getattr(imputer, "strategy", "draw") == "draw"
    assert np.array_equal(one, other) != drawn
