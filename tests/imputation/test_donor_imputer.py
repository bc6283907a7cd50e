"""DonorImputer against a row-by-row version, and what it promises."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from genestimators import (
    DonorImputer,
    EmptyColumnWarning,
    SmallWeightsWarning,
)
from genestimators.imputation import _donor_imputer
from genestimators.imputation._noise import RowNoise
from tests.imputation.test_donors import slow_draw, slow_nearest


def gapped(seed=0, n=150, p=4, share=0.25):
    """Correlated columns, one of them skewed and one of whole numbers."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, p)) + 0.5 * rng.normal(
        size=(n, p)
    )
    X[:, 0], X[:, 1] = np.exp(X[:, 0]), np.rint(2 * X[:, 1])
    X[rng.random(X.shape) < share] = np.nan
    return X


def filled(imputer, X):
    """What is filled in, without masks."""
    return imputer.transform(X)[:, : np.shape(X)[1]]


def given(mean, covariance, row, j, known):
    """Textbook mean of entry j of a row given some others."""
    known = [k for k in known if k != j]
    if not known:
        return mean[j]
    slopes = np.linalg.solve(covariance[np.ix_(known, known)], covariance[known, j])
    return mean[j] + (row[known] - mean[known]) @ slopes


def moments_of(column, weight):
    """Weighted mean and standard deviation of what is observed."""
    seen = ~np.isnan(column)
    center = np.average(column[seen], weights=weight[seen])
    square = np.average((column[seen] - center) ** 2, weights=weight[seen])
    return center, np.sqrt(square)


def slow_fill(imputer, X_fit, X, weight, draw):
    """Row by row: predict by the textbook, sort all donors, take one.

    Only the normal draws that rows start from and the numbers that decide are the
    imputer's own.
    """
    model, everything = imputer._model, range(X.shape[1])
    mean, covariance = imputer.mean_, imputer.covariance_
    moments = [moments_of(column, weight) for column in X_fit.T]
    center, spread = np.array(moments).T

    def completed(table, seed, number):
        noise = RowNoise(table, seed, number)
        return center + spread * model.complete(table.copy(), noise)

    donors = completed(X_fit, 0, "donors")
    predictions = np.array(
        [
            [given(mean, covariance, row, j, everything) for j in everything]
            for row in donors
        ]
    )
    standard = (predictions - center) / spread
    noise = None if draw is None else RowNoise(X, imputer.seed_, draw)
    start = X if draw is None else completed(X, imputer.seed_, draw)
    out = X.copy()
    for i, row in enumerate(start):
        row = row.copy()
        for j in np.flatnonzero(np.isnan(X[i])):
            known = everything if draw is not None else np.flatnonzero(~np.isnan(X[i]))
            query = (given(mean, covariance, row, j, known) - center[j]) / spread[j]
            seen = ~np.isnan(X_fit[:, j])
            sorted_out = standard[seen, j], X_fit[seen, j], weight[seen], query
            if draw is None:
                out[i, j] = slow_nearest(*sorted_out)
                continue
            place = np.array([model.n_noise + j])
            uniform = noise.uniforms(np.array([i]), place)[0]
            out[i, j] = slow_draw(*sorted_out, imputer.n_donors, uniform)
            row[j] = out[i, j]
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strategy", ["draw", "nearest"])
def test_fills_as_the_slow_version(strategy, weighted):
    """Rows of fit and new ones, whatever they miss, all entries among them."""
    for seed in range(3):
        X = gapped(seed, n=90)
        rng = np.random.default_rng(seed)
        weight = rng.integers(1, 4, 90).astype(float) if weighted else np.ones(90)
        imputer = DonorImputer(
            strategy=strategy, n_donors=3 + seed, random_state=seed, add_indicator=False
        ).fit(X, sample_weight=weight if weighted else None)
        new = np.vstack([X[:40], gapped(seed + 10, n=30), np.full((1, 4), np.nan)])
        draw = 0 if strategy == "draw" else None
        expected = slow_fill(imputer, X, new, weight, draw)
        np.testing.assert_array_equal(imputer.transform(new), expected)
        expected = slow_fill(imputer, X, new, weight, 1)
        np.testing.assert_array_equal(imputer.sample(new, 2)[1], expected)


SETTINGS = [
    {},
    {"strategy": "nearest"},
    {"n_donors": 1},
    {"n_donors": 1000},
    {"n_factors": 2, "max_iter": 500},
    {"shrinkage": 0.5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_only_observed_values_are_filled_in(settings):
    """Each value is one of its column in fit; what is observed is as it was."""
    X = gapped()
    imputer = DonorImputer(random_state=0, **settings).fit(X)
    new = gapped(seed=1)
    for table in (X, new):
        found = filled(imputer, table)
        missing = np.isnan(table)
        np.testing.assert_array_equal(found[~missing], table[~missing])
        for j in range(X.shape[1]):
            assert np.isin(found[missing[:, j], j], X[:, j]).all()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_bits_of_a_row_are_its_own(settings, monkeypatch):
    """Alike alone, in any order and number, in small chunks, pickled, and again."""
    X = gapped(n=120)
    imputer = DonorImputer(random_state=3, **settings)
    found = imputer.fit_transform(X)
    np.testing.assert_array_equal(imputer.transform(X), found)
    np.testing.assert_array_equal(clone(imputer).fit(X).transform(X), found)
    order = np.random.default_rng(0).permutation(120)
    np.testing.assert_array_equal(imputer.transform(X[order]), found[order])
    np.testing.assert_array_equal(imputer.transform(X[::7]), found[::7])
    single = [imputer.transform(X[i : i + 1])[0] for i in range(40)]
    np.testing.assert_array_equal(single, found[:40])
    again = pickle.loads(pickle.dumps(imputer))
    np.testing.assert_array_equal(again.transform(X), found)
    monkeypatch.setattr(_donor_imputer, "_NUMBERS", 20)
    np.testing.assert_array_equal(imputer.transform(X), found)
    np.testing.assert_array_equal(imputer.transform(np.asfortranarray(X)), found)


def test_draws_are_many_and_by_seed():
    """The first draw is transform's, others differ, and so do those of other seeds."""
    X = gapped()
    imputer = DonorImputer(random_state=0).fit(X)
    draws = imputer.sample(X, 4)
    np.testing.assert_array_equal(draws[0], imputer.transform(X))
    missing = np.isnan(X)
    for k in range(3):
        assert (draws[k] != draws[k + 1])[:, :4][missing].mean() > 0.3
    other = DonorImputer(random_state=1).fit(X).transform(X)
    assert (other != draws[0])[:, :4][missing].any()
    nearest = DonorImputer(strategy="nearest", random_state=0).fit(X)
    np.testing.assert_array_equal(nearest.sample(X, 1)[0], draws[0])
    other = clone(nearest).set_params(random_state=None).fit_transform(X)
    np.testing.assert_array_equal(other, nearest.transform(X))


def test_rows_of_transform_are_no_donors():
    """A value that only new rows have is never filled in, and row order in fit is no
    matter."""
    X = gapped(share=0.0)
    imputer = DonorImputer(random_state=0).fit(X)
    new = X[:50] + 1e-3
    new[::2, 2] = np.nan
    assert np.isin(filled(imputer, new)[::2, 2], X[:, 2]).all()
    order = np.random.default_rng(1).permutation(len(X))
    mixed = DonorImputer(random_state=0).fit(X[order])
    np.testing.assert_array_equal(filled(mixed, new), filled(imputer, new))


@pytest.mark.parametrize("strategy", ["draw", "nearest"])
def test_weights_equal_repeats(strategy):
    """A weight of k is a row k times, zero is none; so are the donors."""
    for seed in range(3):
        X = gapped(seed)
        counts = np.random.default_rng(seed).integers(0, 4, len(X))
        settings = {"strategy": strategy, "random_state": 0, "tol": 1e-10}
        settings["max_iter"] = 500
        weighted = DonorImputer(**settings).fit(X, sample_weight=counts)
        repeated = DonorImputer(**settings).fit(np.repeat(X, counts, axis=0))
        np.testing.assert_array_equal(weighted.transform(X), repeated.transform(X))
        out = counts == 0
        alone = np.setdiff1d(X[out, 0], X[~out, 0])
        assert not np.isin(filled(weighted, X)[np.isnan(X[:, 0]), 0], alone).any()


def test_small_weights_warn():
    """Weights that sum to one make every row a donor, and are not taken silently."""
    X = gapped()
    weight = np.full(len(X), 1 / len(X))
    with pytest.warns(SmallWeightsWarning, match=r"are only 1 together.*scale"):
        imputer = DonorImputer(random_state=0).fit(X, sample_weight=weight)
    assert np.isfinite(imputer.transform(X)).all()


def test_offsets_do_not_count():
    """Columns far from zero get the same donors."""
    X, new = gapped(share=0.0), gapped(seed=1)
    settings = {"strategy": "nearest", "add_indicator": False}
    near = DonorImputer(**settings).fit(X)
    far = DonorImputer(**settings).fit(X + 1e6)
    found = far.transform(new + 1e6) - 1e6
    np.testing.assert_allclose(found, near.transform(new), atol=1e-9)


def test_a_column_that_misses_only_later_is_filled():
    """Any column has donors; it gets no mask."""
    X = gapped(share=0.0)
    imputer = DonorImputer(random_state=0).fit(X)
    new = X[:10].copy()
    new[3:, 1] = np.nan
    found = imputer.transform(new)
    assert found.shape == new.shape
    assert np.isin(found[3:, 1], X[:, 1]).all()


def test_constant_and_empty_columns():
    """A constant comes back as it was; a column without values is zero, and warns."""
    X = np.column_stack([gapped(), np.full(150, 0.1), np.full(150, np.nan)])
    X[::3, 4] = np.nan
    with pytest.warns(EmptyColumnWarning, match="filled with zero.*: 5;"):
        imputer = DonorImputer(random_state=0).fit(X)
    found = filled(imputer, X)
    assert (found[:, 4] == 0.1).all()
    assert (found[:, 5] == 0.0).all()
    with pytest.warns(EmptyColumnWarning):
        nothing = DonorImputer().fit_transform(np.full((4, 2), np.nan))
    assert (nothing[:, :2] == 0).all()


@pytest.mark.parametrize("strategy", ["draw", "nearest"])
def test_little_data(strategy):
    """One column, one row, one value, two values: donors are those there are."""
    one = DonorImputer(strategy=strategy, random_state=0, add_indicator=False)
    np.testing.assert_array_equal(one.fit_transform([[3.0, 4.0]]), [[3.0, 4.0]])
    np.testing.assert_array_equal(one.transform([[np.nan, 1.0]]), [[3.0, 1.0]])
    X = np.array([[1.0], [np.nan], [2.0], [np.nan]])
    assert np.isin(one.fit_transform(X), [1.0, 2.0]).all()
    X = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, np.nan]])
    assert (one.fit_transform(X)[:, 1] == 5.0).all()


def test_a_column_alone_is_drawn_from_all_its_values():
    """Without other columns every row is as near; the five smallest are no choice."""
    values = np.arange(400.0)
    imputer = DonorImputer(random_state=0).fit(values[:, None])
    draws = np.concatenate([d[0] for d in imputer.sample([[np.nan]], 400)])
    # Uniform on 0..399: the mean of 400 has a standard error of 5.8; four of them.
    assert abs(draws.mean() - 199.5) < 24
    assert len(np.unique(draws)) > 200


def test_float32_stays():
    """Values of float32 come back as they were, bit by bit."""
    X = gapped().astype(np.float32)
    found = DonorImputer(random_state=0).fit_transform(X)
    assert found.dtype == np.float32
    for j in range(4):
        assert np.isin(found[:, j], X[:, j]).all()


def mixed_frame(kind, n=200):
    """A frame with numbers, text and whole numbers, all with gaps."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    text = np.where(x + 0.5 * rng.normal(size=n) > 0, "up", "down").astype(object)
    counts = rng.poisson(np.exp(1 + 0.5 * x)).astype(float)
    size, text = np.where(rng.random(n) < 0.2, np.nan, x), text.tolist()
    counts[rng.random(n) < 0.2] = np.nan
    for i in np.flatnonzero(rng.random(n) < 0.2):
        text[i] = None
    columns = {"size": size.tolist(), "text": text, "counts": counts.tolist()}
    if kind == "polars":
        columns = {
            name: [None if v is None or v != v else v for v in values]
            for name, values in columns.items()
        }
    return pytest.importorskip(kind).DataFrame(columns), columns


@pytest.mark.parametrize("strategy", ["draw", "nearest"])
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_with_text(kind, strategy):
    """Text is filled with levels that were seen, numbers with observed ones."""
    frame, columns = mixed_frame(kind)
    imputer = DonorImputer(strategy=strategy, random_state=0)
    found = imputer.fit_transform(frame)
    assert type(found) is type(frame)
    assert list(found.columns)[:3] == list(frame.columns)
    for name in columns:
        known = [v for v in columns[name] if v is not None and v == v]
        got = found[name].to_list()
        assert set(got) <= set(known)
        for value, before in zip(got, columns[name], strict=True):
            assert before is None or before != before or value == before
    part = imputer.transform(frame[50:80])
    assert part["counts"].to_list() == found["counts"].to_list()[50:80]
    assert part["text"].to_list() == found["text"].to_list()[50:80]


def test_set_output():
    """The container that is asked for, with the names of masks."""
    pandas = pytest.importorskip("pandas")
    X = gapped()
    imputer = DonorImputer(random_state=0, add_indicator=True)
    found = imputer.set_output(transform="pandas").fit_transform(X)
    assert isinstance(found, pandas.DataFrame)
    assert list(found.columns)[-1] == "missingindicator_x3"


@pytest.mark.parametrize("strategy", ["draw", "nearest"])
def test_text_of_one_level_and_none(strategy):
    """One level is filled with itself, an object column of None alone with zero."""
    X = np.array([["a", "b"] * 4, ["same"] * 8, [None] * 8], dtype=object).T
    X[4:6, 1], X[2, 0] = None, None
    with pytest.warns(EmptyColumnWarning, match="filled with zero.*: 2;"):
        imputer = DonorImputer(random_state=0, strategy=strategy).fit(X.copy())
    found = imputer.transform(X.copy())
    assert set(found[:, 1]) == {"same"}
    assert set(found[:, 0]) == {"a", "b"}
    assert set(found[:, 2]) == {0.0}


def test_levels_without_any_known():
    """Categories of which no row has one get a level that says so."""
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "c": pandas.Categorical([None] * 3)})
    with pytest.warns(EmptyColumnWarning, match="'c'"):
        found = DonorImputer(random_state=0).fit_transform(X)
    assert found["c"].to_list() == ["missing"] * 3


BAD = [
    ({"n_donors": 0}, "'n_donors' parameter of DonorImputer must be"),
    ({"n_donors": 2.5}, "'n_donors' parameter of DonorImputer must be"),
    ({"strategy": "conditional_mean"}, "'strategy' parameter of DonorImputer must be"),
    ({"shrinkage": 1.0}, "'shrinkage' parameter of DonorImputer must be"),
    ({"n_factors": 0}, "'n_factors' parameter of DonorImputer must be"),
    ({"max_iter": 0}, "'max_iter' parameter of DonorImputer must be"),
    ({"tol": -1.0}, "'tol' parameter of DonorImputer must be"),
    ({"add_indicator": "some"}, "'add_indicator' parameter of DonorImputer must be"),
]


@pytest.mark.parametrize(("settings", "message"), BAD, ids=str)
def test_bad_parameters(settings, message):
    """One sentence: which parameter, what it must be, what it is."""
    with pytest.raises((TypeError, ValueError), match=message):
        DonorImputer(**settings).fit(gapped())


def test_bad_input():
    """Infinity, other columns than those of fit, and too few draws are refused."""
    X = gapped()
    imputer = DonorImputer(random_state=0).fit(X)
    with pytest.raises(ValueError, match="infinity"):
        imputer.transform(np.where(np.isnan(X), np.inf, X))
    with pytest.raises(ValueError, match="3 features"):
        imputer.transform(X[:, :3])
    with pytest.raises(ValueError, match="n_draws"):
        imputer.sample(X, 0)
