"""GaussianImputer: what it learns, what it refuses, and the ends of what it takes."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from genestimators import BootstrapBaggingRegressor, GaussianImputer
from genestimators._delegate import fills_missing
from genestimators._exceptions import EmptyColumnWarning, SingularCovarianceWarning
from tests.imputation.normal.toys import conditional_of, log_likelihood_of
from tests.imputation.toys import mixed_array, numbers

KINDS = [
    {},
    {"strategy": "draw"},
    {"marginals": "copula"},
    {"marginals": "copula", "strategy": "draw"},
    {"n_factors": 1, "tol": 0.02},
]
each_kind = pytest.mark.parametrize("settings", KINDS, ids=str)


@pytest.fixture(autouse=True)
def _no_warnings():
    """A warning that a test does not expect is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_filled_values_are_the_textbook_ones(offset):
    """Row by row from `mean_` and `covariance_`, in the units of X.

    Beside an offset of 1e6 numbers have ten digits left.
    """
    X = numbers() * [1, 10, 0.1, 1, 5] + offset
    imputer = GaussianImputer(add_indicator=False).fit(X)
    for row, ours in zip(X, imputer.transform(X), strict=True):
        m = np.isnan(row)
        expected = conditional_of(row, imputer.mean_, imputer.covariance_)[0]
        np.testing.assert_allclose(ours[m], expected, atol=1e-8 + abs(offset) * 1e-12)


def test_likelihood_is_that_of_the_observed_values():
    """At no shrinkage: in standardized columns, hence the scales."""
    X = numbers()
    imputer = GaussianImputer(shrinkage=0.0, tol=1e-8, max_iter=500).fit(X)
    scales = np.nanstd(X, axis=0)
    seen = ~np.isnan(X)
    expected = log_likelihood_of(X, np.ones(80), imputer.mean_, imputer.covariance_)
    expected += (seen * np.log(scales)).sum()
    # The least weight of the identity costs next to nothing.
    np.testing.assert_allclose(imputer.log_likelihood_[-1], expected, rtol=1e-6)
    assert (np.diff(imputer.log_likelihood_) >= -1e-8).all()


def test_complete_tables_have_a_closed_form():
    """Nothing to fill: mean and covariance of the sample, and the table itself."""
    X = numbers(share=0.0)[2:]
    imputer = GaussianImputer(shrinkage=0).fit(X)
    np.testing.assert_allclose(imputer.mean_, X.mean(axis=0), atol=1e-10)
    np.testing.assert_allclose(imputer.covariance_, np.cov(X.T, ddof=0), rtol=1e-6)
    np.testing.assert_array_equal(imputer.transform(X), X)


@each_kind
def test_intervals_hold_the_mean_and_are_observed_values_elsewhere(settings):
    """Wider for a higher level, of no width where nothing is missing."""
    X = numbers()
    imputer = GaussianImputer(add_indicator=False, random_state=0, **settings).fit(X)
    low, high = imputer.interval(X, 0.5)
    lower, higher = imputer.interval(X, 0.95)
    seen = ~np.isnan(X)
    for end in (low, high, lower, higher):
        np.testing.assert_array_equal(end[seen], X[seen])
    assert (lower <= low).all()
    assert (low <= high).all()
    assert (high <= higher).all()
    if not settings:
        np.testing.assert_allclose((low + high) / 2, imputer.transform(X), atol=1e-9)


def test_intervals_against_the_textbook():
    """Conditional mean and 1.645 standard deviations to either side."""
    X = numbers()
    imputer = GaussianImputer().fit(X)
    low, high = imputer.interval(X, 0.9)
    for row, lower, higher in zip(X, low, high, strict=True):
        m = np.isnan(row)
        center, spread = conditional_of(row, imputer.mean_, imputer.covariance_)
        reach = 1.6448536269514722 * np.sqrt(np.diag(spread))
        np.testing.assert_allclose(lower[m], center - reach, atol=1e-8)
        np.testing.assert_allclose(higher[m], center + reach, atol=1e-8)


def test_intervals_of_mixed_tables_are_of_numbers():
    """NaN in columns of levels."""
    X = mixed_array()
    low, high = GaussianImputer().fit(X).interval(X)
    assert np.isnan(low[:, 4:]).all()
    assert np.isnan(high[:, 4:]).all()
    assert np.isfinite(low[:, :4]).all()


def test_samples_are_draws_and_the_first_is_that_of_transform():
    """Others differ from it, and each is a function of the row."""
    X = numbers()
    imputer = GaussianImputer(strategy="draw", random_state=3).fit(X)
    draws = imputer.sample(X, 3)
    np.testing.assert_array_equal(draws[0], imputer.transform(X))
    gaps = np.isnan(X)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert not (draws[a][:, :5][gaps] == draws[b][:, :5][gaps]).any()
    for draw, again in zip(draws, imputer.sample(X[::-1], 3), strict=True):
        np.testing.assert_array_equal(draw, again[::-1])


@pytest.mark.slow
def test_intervals_cover_what_was_hidden():
    """Of a normal table of 3,000 rows, a fifth hidden: 90 percent.

    Of 3,600 numbers, those of a row dependent: a standard error below one percent, of
    which three are allowed.
    """
    rng = np.random.default_rng(0)
    full = rng.normal(size=(3000, 6)) @ rng.normal(size=(6, 6))
    X = np.where(rng.random(full.shape) < 0.2, np.nan, full)
    gaps = np.isnan(X)
    low, high = GaussianImputer().fit(X).interval(X)
    inside = (low <= full) & (full <= high)
    assert abs(inside[gaps].mean() - 0.9) < 0.03


@each_kind
def test_columns_without_a_value_are_zero_after_a_warning(settings):
    """Whatever is missing elsewhere; later values of theirs are kept."""
    X = numbers()
    X[:, 2] = np.nan
    with pytest.warns(
        EmptyColumnWarning, match="filled with zero.*: 2; leave them out"
    ):
        imputer = GaussianImputer(random_state=0, **settings).fit(X)
    out = imputer.transform(X)
    assert not out[:, 2].any()
    assert np.isfinite(out).all()
    later = X[:1].copy()
    later[0, 2] = 5.0
    assert imputer.transform(later)[0, 2] == 5.0
    assert imputer.interval(X)[0][0, 2] == 0.0
    assert imputer.latent_names_.tolist() == ["0", "1", "3", "4"]


def test_many_columns_without_a_value_are_counted():
    """Five are named."""
    with pytest.warns(EmptyColumnWarning, match="0, 1, 2, 3, 4 and 3 others; leave"):
        GaussianImputer().fit(np.full((4, 8), np.nan))


@each_kind
def test_a_table_without_any_value(settings):
    """Zeros, and rows of values later stay."""
    with pytest.warns(EmptyColumnWarning, match="filled with zero"):
        imputer = GaussianImputer(random_state=0, **settings).fit(
            np.full((4, 2), np.nan)
        )
    out = imputer.transform([[np.nan, 1.0], [np.nan, np.nan]])
    assert out.tolist() == [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    assert (imputer.n_iter_, imputer.mean_.shape) == (0, (0,))
    assert imputer.covariance_.shape == (0, 0)
    low, high = imputer.interval([[np.nan, 1.0]])
    assert low.tolist() == high.tolist() == [[0.0, 1.0]]


def test_levels_without_a_value():
    """A column of categories without a value says "missing"."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "t": pd.Categorical([None] * 3, ["a"])})
    with pytest.warns(EmptyColumnWarning, match="with a level called 'missing'.*: 't'"):
        out = GaussianImputer().fit(frame).transform(frame)
    assert out["t"].tolist() == ["missing"] * 3


@each_kind
def test_a_row_that_misses_everything_gets_the_means(settings):
    """Or a draw from the law, and counts for nothing in the fit."""
    X = numbers()
    X[3] = X[40:] = np.nan
    imputer = GaussianImputer(add_indicator=False, random_state=0, **settings).fit(X)
    out = imputer.transform(X)
    assert np.isfinite(out).all()
    without = GaussianImputer(random_state=0, **settings).fit(
        np.delete(X[:40], 3, axis=0)
    )
    assert imputer.shrinkage_ == without.shrinkage_
    np.testing.assert_array_equal(imputer.mean_, without.mean_)
    np.testing.assert_array_equal(imputer.covariance_, without.covariance_)
    if "strategy" not in settings and "marginals" not in settings:
        np.testing.assert_allclose(out[3], imputer.mean_, atol=1e-10)


@each_kind
@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1])
def test_constant_columns_are_filled_exactly(settings, value):
    """And have no part in the law."""
    X = numbers()
    X[:, 1] = np.where(np.isnan(X[:, 1]), np.nan, value)
    imputer = GaussianImputer(random_state=0, **settings).fit(X)
    out = imputer.transform(X)
    assert set(out[:, 1]) == {value}
    assert np.isfinite(out).all()
    assert "1" not in imputer.latent_names_
    # Another value than in fit is kept, and the rest of its row is filled.
    other = np.array([[np.nan, 9.0, np.nan, np.nan, 1.0]])
    assert np.isfinite(imputer.transform(other)).all()
    assert imputer.transform(other)[0, 1] == 9.0


@pytest.mark.parametrize("shrinkage", [0.0, "auto"])
def test_copied_columns_are_filled_with_what_the_copy_says(shrinkage):
    """A singular covariance, which EM comes to in steps that shrink with its rest."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    full = np.column_stack([x, 3 * x + 1, rng.normal(size=200)])
    X = full.copy()
    X[:40, 0] = np.nan
    X[40:90, 1] = np.nan
    imputer = GaussianImputer(shrinkage=shrinkage, add_indicator=False)
    np.testing.assert_allclose(imputer.fit_transform(X), full, atol=1e-2)
    imputer.set_params(tol=1e-10, max_iter=500)
    # As large as what is shrunk, which is 1e-8 and what is most probable.
    tolerance = 1e-6 if shrinkage == 0.0 else 1e-2
    np.testing.assert_allclose(imputer.fit_transform(X), full, atol=tolerance)


@each_kind
def test_one_row(settings):
    """Nothing varies: each value is a constant."""
    with pytest.warns(EmptyColumnWarning, match=": 1;"):
        imputer = GaussianImputer(random_state=0, **settings).fit([[2.5, np.nan]])
    assert imputer.transform([[np.nan, 4.0]]).tolist() == [[2.5, 4.0, 0.0]]


@each_kind
def test_one_column(settings):
    """Filled with its mean, or drawn."""
    X = np.array([[1.0], [2.25], [np.nan], [4.0], [3.0]])
    imputer = GaussianImputer(add_indicator=False, random_state=0, **settings).fit(X)
    out = imputer.transform(X)
    assert np.isfinite(out).all()
    if not settings:
        np.testing.assert_allclose(out[2], np.nanmean(X))


@each_kind
def test_fewer_rows_than_columns(settings):
    """Shrinkage or few factors make a law of it."""
    X = numbers(seed=1, n=8, p=20)
    imputer = GaussianImputer(random_state=0, **(settings | {"tol": 0.05}))
    if "n_factors" not in settings:
        out = imputer.fit_transform(X)
    else:
        out = imputer.set_params(max_iter=500).fit_transform(X)
    spread = np.nanmax(X, axis=0) - np.nanmin(X, axis=0)
    assert np.isfinite(out).all()
    assert (np.abs(out[:, :20] - np.nanmean(X, axis=0)) <= 5 * spread + 1e-9).all()


def test_fewer_rows_than_columns_without_shrinkage():
    """A warning, and finite values all the same."""
    X = numbers(seed=1, n=8, p=20)
    with pytest.warns(
        SingularCovarianceWarning, match="20 columns from 8 rows is sing"
    ):
        out = GaussianImputer(shrinkage=0.0, tol=10.0).fit_transform(X)
    assert np.isfinite(out).all()


@pytest.mark.parametrize("power", [-308, -300, -150, 150, 160, 300])
@each_kind
def test_scales_at_the_ends_of_floats(settings, power):
    """Filled as at scale one, whose draws are of other rows."""
    X = numbers() / 100
    imputer = GaussianImputer(add_indicator=False, random_state=0, **settings)
    out = imputer.fit_transform(X * 10.0**power)
    assert np.isfinite(out).all()
    if settings.get("strategy") != "draw":
        expected = imputer.fit_transform(X)
        tolerance = 1e-2 if power == -308 else 1e-8  # few digits are left there
        np.testing.assert_allclose(
            out / 10.0**power, expected, rtol=tolerance, atol=tolerance
        )


def test_offsets_of_many_spreads():
    """A mean of 1e6 deviations takes no more than its digits from the result."""
    X = numbers()
    expected = GaussianImputer(add_indicator=False).fit_transform(X)
    out = GaussianImputer(add_indicator=False).fit_transform(X + 1e6)
    np.testing.assert_allclose(out - 1e6, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("parameter", "value", "error"),
    [
        ("strategy", "mean", ValueError),
        ("strategy", None, TypeError),
        ("add_indicator", "yes", ValueError),
        ("add_indicator", 1, TypeError),
        ("marginals", "normal", ValueError),
        ("shrinkage", 1.0, ValueError),
        ("shrinkage", -0.1, ValueError),
        ("shrinkage", 1, ValueError),
        ("shrinkage", "none", ValueError),
        ("shrinkage", np.nan, ValueError),
        ("n_factors", 0, ValueError),
        ("n_factors", 2.0, TypeError),
        ("categorical", "mode", ValueError),
        ("max_iter", 0, ValueError),
        ("max_iter", 1.5, TypeError),
        ("tol", -1e-3, ValueError),
        ("tol", np.nan, ValueError),
        ("random_state", -1, ValueError),
        ("random_state", "seed", TypeError),
    ],
)
def test_parameters_out_of_range(parameter, value, error):
    """Named, with what is allowed and what was got."""
    imputer = GaussianImputer(**{parameter: value})
    with pytest.raises(
        error, match=f"The '{parameter}' parameter of .* must be .* Got"
    ):
        imputer.fit(numbers())


def test_arguments_out_of_range():
    """Of the methods."""
    imputer = GaussianImputer().fit(numbers())
    inside = r"'confidence_level' .*range \(0\.0, 1\.0\)"
    for level in (0.0, 1.0, 1.5):
        with pytest.raises(ValueError, match=inside):
            imputer.interval(numbers(), level)
    for n_draws in (0, -3):
        with pytest.raises(ValueError, match="'n_draws' parameter of sample must be"):
            imputer.sample(numbers(), n_draws)
    with pytest.raises(TypeError, match="'n_draws' parameter of sample must be"):
        imputer.sample(numbers(), 2.0)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-np.ones(80), "must not be negative .* Got -1.0"),
        (np.zeros(80), "must not be zero for every row.*Got 80 weights of zero"),
        (np.r_[np.nan, np.ones(79)], "sample_weight contains NaN"),
        (np.r_[np.inf, np.ones(79)], "sample_weight contains infinity"),
        (np.ones(79), "one weight for each of the 80 rows of X. Got 79"),
        (np.ones((80, 2)), "must be one-dimensional"),
    ],
)
def test_weights_that_are_none(weight, message):
    """Each with its sentence."""
    with pytest.raises(ValueError, match=message):
        GaussianImputer().fit(numbers(), sample_weight=weight)


@each_kind
def test_weights_are_repeated_rows(settings):
    """Up to the order of sums, columns of levels included."""
    if settings.get("strategy") == "draw":
        settings = settings | {"categorical": "level"}
    times = np.random.default_rng(0).integers(1, 4, size=80)
    for X in (numbers(), mixed_array()):
        common = settings | {"tol": 1e-7, "max_iter": 3000, "random_state": 0}
        ours = GaussianImputer(**common).fit(X, sample_weight=times)
        theirs = GaussianImputer(**common).fit(np.repeat(X, times, axis=0))
        np.testing.assert_allclose(ours.mean_, theirs.mean_, atol=1e-4)
        np.testing.assert_allclose(ours.covariance_, theirs.covariance_, atol=1e-4)
        filled = [one.transform(X)[:, :4].astype(float) for one in (ours, theirs)]
        np.testing.assert_allclose(*filled, atol=2e-3)


def test_too_few_iterations_are_told():
    """A warning of scikit-learn's class, with the way out."""
    with pytest.warns(ConvergenceWarning, match="max_iter=2 iterations; raise"):
        imputer = GaussianImputer(max_iter=2, tol=0.0, shrinkage=0.1).fit(numbers())
    assert imputer.n_iter_ == 2


def test_before_fit():
    """Every method says that there was none."""
    imputer, X = GaussianImputer(), numbers()
    for method in (imputer.transform, imputer.sample, imputer.interval):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            method(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        imputer.get_feature_names_out()


def test_seed_of_none_differs_from_fit_to_fit():
    """And stays for the calls after a fit."""
    X = numbers()
    imputer = GaussianImputer(strategy="draw")
    one = imputer.fit(X).transform(X)
    np.testing.assert_array_equal(imputer.transform(X), one)
    assert not np.array_equal(imputer.fit(X).transform(X), one)


def test_tags_say_that_gaps_are_taken():
    """And text and categories."""
    tags = get_tags(GaussianImputer())
    assert tags.input_tags.allow_nan
    assert tags.input_tags.string
    assert tags.input_tags.categorical
    assert not tags.input_tags.sparse


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (make_pipeline(GaussianImputer(), Ridge()), True),
        (make_pipeline(StandardScaler(), GaussianImputer(), Ridge()), True),
        (make_pipeline(make_pipeline(GaussianImputer()), Ridge()), True),
        (make_pipeline(make_union(GaussianImputer()), Ridge()), True),
        (make_pipeline(SimpleImputer(), Ridge()), True),
        (make_pipeline(StandardScaler(), Ridge()), False),
        (Ridge(), False),
    ],
    ids=str,
)
def test_composites_that_fill_missing_values_are_known(estimator, expected):
    """Wherever in them the imputer is."""
    assert fills_missing(estimator) is expected


def test_a_bag_of_pipelines_takes_gaps():
    """Its tags say so, and it predicts; a bag of the model alone does not."""
    rng = np.random.default_rng(0)
    full = numbers(share=0.0)
    y = full @ rng.normal(size=5)
    y[1] = 0.0
    X = numbers()
    model = make_pipeline(GaussianImputer(), Ridge())
    bag = BootstrapBaggingRegressor(model, n_estimators=10, random_state=0)
    assert get_tags(bag).input_tags.allow_nan
    assert not get_tags(BootstrapBaggingRegressor(Ridge())).input_tags.allow_nan
    bag.fit(X, np.nan_to_num(y))
    assert np.isfinite(bag.predict(X)).all()
    with pytest.raises(ValueError, match="NaN"):
        BootstrapBaggingRegressor(Ridge(), n_estimators=10).fit(X, np.nan_to_num(y))
