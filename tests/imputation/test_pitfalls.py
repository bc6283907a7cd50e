"""What users run into: nearly constant columns, small weights, odd containers."""

import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from genestimators import (
    BootstrapBaggingRegressor,
    DonorImputer,
    EmptyColumnWarning,
    GaussianImputer,
    MultipleImputationRegressor,
    SmallWeightsWarning,
    TooManyFactorsWarning,
    imputation_report,
    pool,
)
from genestimators.imputation.normal import _expectation
from tests.imputation.toys import mixed_pandas, numbers

SETTINGS = [{}, {"marginals": "copula"}, {"strategy": "draw", "random_state": 0}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_rounding_noise_tells_nothing(settings):
    """A column of 0.3 and 0.1 + 0.2 does not vary, so 0.4 in it moves no other."""
    X = numbers()
    noisy = np.where(np.arange(len(X)) % 2, 0.3, 0.1 + 0.2)
    assert len(np.unique(noisy)) == 2
    imputer = GaussianImputer(add_indicator=False, **settings)
    imputer.fit(np.column_stack([X, noisy]))
    assert len(imputer.mean_) == X.shape[1]
    row = np.array([[np.nan, *X[2, 1:], 0.4]])
    alone = GaussianImputer(add_indicator=False, **settings).fit(X)
    spread = np.nanstd(X[:, 0])
    assert abs(imputer.transform(row)[0, 0] - np.nanmean(X[:, 0])) < 10 * spread
    if settings.get("strategy") != "draw":  # those are of another row
        expected = alone.transform(row[:, :-1])
        np.testing.assert_array_equal(imputer.transform(row)[:, :-1], expected)
    filled = imputer.transform(np.array([[*X[2], np.nan]]))[0, -1]
    assert noisy.min() <= filled <= noisy.max()


def test_a_spread_of_many_last_digits_is_one():
    """Offsets of 1e14 spreads leave a column with some sixty values; it counts."""
    X = numbers()
    imputer = GaussianImputer().fit(X + 1e14)
    assert len(imputer.mean_) == X.shape[1]


@pytest.mark.parametrize("imputer", [GaussianImputer(), DonorImputer(n_donors=1)])
def test_weights_that_sum_to_one_are_told(imputer):
    """They would shrink every correlation away without a word."""
    X = numbers()
    weight = np.full(len(X), 0.5 / len(X))
    with pytest.warns(SmallWeightsWarning, match=r"are only 0\.5 together.*scale"):
        imputer.fit(X, sample_weight=weight)
    assert imputer.shrinkage_ > 0.9


@pytest.mark.parametrize(
    "settings", [{"shrinkage": 0.1}, {"n_factors": 2, "max_iter": 1000, "tol": 1e-3}]
)
def test_small_weights_do_no_harm_where_the_shrinkage_is_given(settings):
    """Nothing is told, and the law is that of any other weights."""
    X = numbers()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = GaussianImputer(**settings).fit(X, sample_weight=np.full(len(X), 1e-3))
    large = GaussianImputer(**settings).fit(X)
    np.testing.assert_allclose(small.covariance_, large.covariance_, rtol=1e-6)


def test_few_rows_are_not_taken_for_small_weights():
    """Fewer rows than columns, each of weight one, are what they are."""
    X = numbers()[:4]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SmallWeightsWarning)
        GaussianImputer().fit(X, sample_weight=np.ones(4))


@pytest.mark.parametrize("imputer", [GaussianImputer(), DonorImputer(random_state=0)])
def test_columns_of_several_levels_of_names(imputer):
    """Masks beside a pandas MultiIndex come without a warning."""
    pd = pytest.importorskip("pandas")
    frame = mixed_pandas()
    expected = imputer.fit_transform(frame)
    frame.columns = pd.MultiIndex.from_product([["all"], frame.columns])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = imputer.fit_transform(frame)
    assert list(out.columns) == list(imputer.get_feature_names_out())
    assert out.set_axis(expected.columns, axis=1).equals(expected)


def test_target_beside_columns_of_several_levels_of_names():
    """As the same numbers in an array."""
    pd = pytest.importorskip("pandas")
    X = numbers()
    y = X[:, -1]
    names = pd.MultiIndex.from_product([["all"], list("abcd")])
    frame = pd.DataFrame(X[:, :-1], columns=names)
    model = MultipleImputationRegressor(random_state=0)
    expected = model.fit(X[:, :-1], y).predict(X[:, :-1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.fit(frame, y).predict(frame)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("imputer", [GaussianImputer(), DonorImputer()])
def test_categories_of_dates_are_refused(imputer):
    """Some versions of pandas hand them out as integers that no category equals."""
    pd = pytest.importorskip("pandas")
    days = pd.Categorical(pd.to_datetime(["2020-01-01", None, "2020-01-03"]))
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan], "day": days})
    with pytest.raises(TypeError, match=r"Got a column of dates.*categories of date"):
        imputer.fit(frame)


def test_columns_of_lists_are_refused():
    """In one sentence, and not by numpy's about shapes."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [[1, 2], [3, 4]], "town": ["Bern", None]})
    with pytest.raises(TypeError, match=r"Column 'x' must hold numbers.*\[1, 2\]"):
        GaussianImputer().fit(frame)


def test_pool_of_what_is_no_fitted_bag():
    """A bag before fit, another estimator, text and rows of several lengths."""
    bag = BootstrapBaggingRegressor(MultipleImputationRegressor())
    with pytest.raises(NotFittedError, match="not fitted"):
        pool(bag)
    X = np.arange(6.0).reshape(3, 2)
    with pytest.raises(TypeError, match=r"fitted bag.*Got members such as Ridge"):
        pool(Ridge().fit(X, X[:, 0]))
    with pytest.raises(ValueError, match=r"`estimates` must be numbers.*'a'"):
        pool([["a"], ["b"]], [[1.0], [1.0]])
    with pytest.raises(ValueError, match=r"`variances` must be numbers.*\[1, 2\]"):
        pool([[1.0], [1.0]], [[1], [1, 2]])


@pytest.mark.parametrize("imputer", [GaussianImputer(), DonorImputer()])
def test_equal_rows_get_equal_draws(imputer):
    """As documented: a draw is a function of the row's content alone."""
    X = numbers()
    draws = imputer.fit(X).sample(np.repeat(X[:3], 4, axis=0), n_draws=2)
    for draw in draws:
        np.testing.assert_array_equal(draw, np.repeat(draw[::4], 4, axis=0))


def test_report_of_columns_of_several_levels_of_names():
    """Its tables stay tables, a name a row."""
    pd = pytest.importorskip("pandas")
    names = pd.MultiIndex.from_product([["all"], list("abcde")])
    frame = pd.DataFrame(numbers(), columns=names)
    report = imputation_report(
        GaussianImputer(), frame, n_repeats=1, mechanism="mcar", random_state=0
    )
    assert pd.DataFrame(report.numbers)["column"].tolist() == names.tolist()


@pytest.mark.parametrize("levels", [12, 60])
def test_rows_that_miss_the_same_share_a_system(monkeypatch, levels):
    """The law has the same bits as where each row has a system of its own."""
    rng = np.random.default_rng(0)
    X = np.empty((400, 4), dtype=object)
    X[:, 0] = rng.normal(size=400)
    for j in (1, 2, 3):
        X[:, j] = [f"level {k}" for k in rng.integers(levels, size=400)]
    X[rng.random(X.shape) < 0.3] = None
    shared = []
    found = _expectation._patterns

    def watched(block):
        shared.append(not isinstance(found(block)[0], slice))
        return found(block)

    monkeypatch.setattr(_expectation, "_patterns", watched)
    law = GaussianImputer(max_iter=3, tol=1.0).fit(X)
    assert any(shared)
    assert not all(shared)
    monkeypatch.setattr(
        _expectation, "_patterns", lambda block: (slice(None), slice(None))
    )
    alone = GaussianImputer(max_iter=3, tol=1.0).fit(X)
    np.testing.assert_array_equal(law.covariance_, alone.covariance_)
    np.testing.assert_array_equal(law.log_likelihood_, alone.log_likelihood_)


@pytest.mark.parametrize("imputer", [GaussianImputer(), DonorImputer()])
@pytest.mark.parametrize("others", [["x"], ["x", "town"]])
@pytest.mark.parametrize("kind", ["object", "string", "category", "polars"])
def test_columns_of_text_without_a_value_are_no_numbers(imputer, others, kind):
    """They stay text, as do values that come later."""
    if kind == "polars":
        pl = pytest.importorskip("polars")
        table = {"x": [1.0, None, 3.0, 2.0], "town": ["Bern", "Genf", "Bern", "Bern"]}
        frame = pl.DataFrame({name: table[name] for name in others})
        empty = frame.with_columns(e=pl.Series([None] * 4, dtype=pl.String))
        known = frame.with_columns(e=pl.Series(["new", None, None, None]))
    else:
        pd = pytest.importorskip("pandas")
        table = {"x": [1.0, np.nan, 3.0, 2.0], "town": ["Bern", "Genf", "Bern", "Bern"]}
        frame = pd.DataFrame({name: table[name] for name in others})
        empty = frame.assign(e=pd.Series([None] * 4, dtype=kind))
        known = frame.assign(e=pd.Series(["new", None, None, None], dtype=kind))
    with pytest.warns(EmptyColumnWarning, match="text or categories.*: 'e'"):
        imputer.fit(empty)
    assert list(imputer.transform(empty)["e"]) == ["missing"] * 4
    assert list(imputer.transform(known)["e"]) == ["new", *["missing"] * 3]


def test_columns_of_numbers_may_be_empty_columns_of_any_type_later():
    """A batch without a value of a column is one of objects, or of text."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "z": [1.0, 2.5, 3.0, 4.0]})
    imputer = GaussianImputer().fit(frame)
    expected = imputer.transform(frame.assign(x=np.nan))
    for dtype in (object, "string", "Int64"):
        batch = frame.assign(x=pd.Series([None] * 4, dtype=dtype))
        np.testing.assert_array_equal(imputer.transform(batch), expected)


@pytest.mark.filterwarnings("ignore::genestimators.EmptyColumnWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_text_known_in_few_rows_goes_through_a_bag(kind):
    """Replicates that hold none of these rows meet them among those left out."""
    pd = pytest.importorskip("pandas")
    X = numbers(n=60)
    note = pd.Series([None] * 58 + ["u", "v"], dtype=kind)
    frame = pd.DataFrame(X, columns=list("abcde")).assign(note=note)
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["note"]), remainder="passthrough"
    )
    bag = BootstrapBaggingRegressor(
        make_pipeline(GaussianImputer(), encoder, Ridge()),
        n_estimators=30,
        random_state=0,
    )
    bag.fit(frame, X[:, -1])
    empty = [len(one[0]._levels[5].levels) == 0 for one in bag.estimators_]
    assert any(empty)
    assert np.isfinite(bag.predict(frame)).all()


@pytest.mark.parametrize("kind", [GaussianImputer, DonorImputer])
def test_more_factors_than_columns(kind):
    """As many as there are columns are fitted, and a warning says so.

    A replicate may have fewer columns that vary than the data have, so that an error
    would end a bag by chance.
    """
    X = numbers(p=5)
    X[:, 0] = np.arange(len(X)) == 7
    told = r"n_factors=6 is more than the columns that vary, and 5 factors are fitted"
    with pytest.warns(TooManyFactorsWarning, match=told):
        more = kind(n_factors=6, tol=0.1).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TooManyFactorsWarning)
        enough = kind(n_factors=5, tol=0.1).fit(X)
    np.testing.assert_array_equal(more.covariance_, enough.covariance_)
    bag = BootstrapBaggingRegressor(
        make_pipeline(kind(n_factors=5, tol=0.1), Ridge()),
        n_estimators=10,
        random_state=0,
    )
    with pytest.warns(TooManyFactorsWarning, match="and 4 factors are fitted"):
        bag.fit(X, np.arange(len(X)))


def test_categories_that_are_intervals():
    """What `pd.cut` makes has to be renamed, and the message says how."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(numbers(n=40, p=2), columns=["a", "b"])
    frame["c"] = pd.cut(frame["b"], 3)
    with pytest.raises(TypeError, match=r"Got Interval\(.*rename_categories\(str\)"):
        GaussianImputer().fit(frame)
    frame["c"] = frame["c"].cat.rename_categories(str)
    assert GaussianImputer().fit_transform(frame)["c"].notna().all()
