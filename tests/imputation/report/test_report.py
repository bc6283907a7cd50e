"""How well an imputer fills values that are known."""

import inspect
import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline

from genestimators import (
    GaussianImputer,
    ImputationReport,
    ImputationReportDisplay,
    imputation_report,
)
from genestimators._results import plain
from genestimators.imputation.report._words import change
from tests.imputation.report.toys import table_of


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    yield plt
    plt.close("all")


def mixed_frame(seed=0, n_rows=150):
    """Numbers and text that go together."""
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(table_of(seed, n_rows), columns=list("abcd"))
    rng = np.random.default_rng(seed + 50)
    told = X.mean(axis=1).fillna(0) + rng.normal(scale=0.2, size=n_rows)
    X["town"] = np.where(told > 0.2, "x", "y")
    X.loc[rng.uniform(size=n_rows) < 0.1, "town"] = np.nan
    return X


def same_report(one, other):
    """Whether two reports hold the same bits."""
    for name in ("numbers", "levels", "distributions"):
        first, second = getattr(one, name), getattr(other, name)
        assert list(first) == list(second)
        for key, values in first.items():
            np.testing.assert_array_equal(values, second[key])
    assert str(one.overall) == str(other.overall)
    assert str(one) == str(other)


class Draws(TransformerMixin, BaseEstimator):
    """Fills by draws from a normal law of each column, and has no intervals."""

    def fit(self, X, y=None):
        self.mean_, self.std_ = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
        return self

    def transform(self, X):
        return self.sample(X, n_draws=1)[0]

    def sample(self, X, n_draws=10):
        out = []
        rng = np.random.default_rng(len(X))
        for _ in range(n_draws):
            drawn = self.mean_ + self.std_ * rng.normal(size=X.shape)
            out.append(np.where(np.isnan(X), drawn, X))
        return out


# What it says of imputers


@pytest.mark.parametrize("mechanism", ["mcar", "pattern"])
def test_the_column_mean_is_as_good_as_itself(mechanism):
    """Its ratio is one, without any doubt, and its values have next to no spread."""
    report = imputation_report(
        SimpleImputer(), table_of(), mechanism=mechanism, random_state=0
    )
    for name in ("ratio", "ratio_low", "ratio_high"):
        np.testing.assert_allclose(report.numbers[name], 1.0, rtol=1e-12)
    assert (report.numbers["spread_ratio"] < 0.1).all()
    assert (report.numbers["completed_spread_ratio"] < 1).all()
    assert np.isnan(report.numbers["coverage"]).all()
    assert "better than the column mean in 0 of 4 columns" in str(report)
    assert "RMSE the same" in str(report)


def test_draws_have_the_spread_and_means_the_smaller_error():
    """What the guide says of both, on normal columns."""
    X = table_of(n_rows=600)
    mean, draw = (
        imputation_report(
            GaussianImputer(strategy=strategy, random_state=0), X, random_state=0
        )
        for strategy in ("conditional_mean", "draw")
    )
    assert (mean.numbers["rmse"] < draw.numbers["rmse"]).all()
    assert (mean.numbers["spread_ratio"] < 0.85).all()
    assert (np.abs(draw.numbers["spread_ratio"] - 1) < 0.15).all()
    assert (draw.numbers["distance"] < mean.numbers["distance"]).all()
    for mechanism in ("mcar", "pattern"):
        assert mean.overall[mechanism][2] < 1


def test_intervals_come_from_draws_where_there_is_no_other_way():
    """Of a thousand masked entries nine tenths lie between the ends of the draws."""
    X = table_of(n_rows=500, correlation=0.0)
    report = imputation_report(Draws(), X, mechanism="mcar", random_state=0)
    # Binomial noise of 1,000 entries: a standard deviation of 0.01.
    assert abs(report.numbers["coverage"].mean() - 0.9) < 0.04
    at_half = imputation_report(
        Draws(), X, mechanism="mcar", confidence_level=0.5, random_state=0
    )
    assert abs(at_half.numbers["coverage"].mean() - 0.5) < 0.07


@pytest.mark.slow
def test_intervals_of_normal_data_cover_their_level():
    """90% intervals of GaussianImputer hold 89% to 91% of masked normal entries."""
    held = {"mcar": [], "pattern": []}
    for seed in range(12):
        report = imputation_report(
            GaussianImputer(), table_of(seed, n_rows=500), n_repeats=5,
            random_state=seed,
        )  # fmt: skip
        for mechanism, coverage in held.items():
            rows = report.numbers["mechanism"] == mechanism
            coverage.append(
                np.average(
                    report.numbers["coverage"][rows],
                    weights=report.numbers["n_masked"][rows],
                )
            )
    for coverage in held.values():
        # 12 tables of about 900 masked entries, some of them twice: a standard error of
        # about 0.003; parameters estimated from 500 rows take off less than that.
        assert abs(np.mean(coverage) - 0.9) < 0.01


@pytest.mark.slow
def test_intervals_of_ratios_cover_their_level():
    """Those over all columns and those of one, over tables of 300 rows."""
    found = []
    for seed in range(60):
        report = imputation_report(
            GaussianImputer(), table_of(seed, n_rows=300), mechanism="mcar",
            random_state=seed,
        )  # fmt: skip
        row = report.numbers
        found.append(
            [
                report.overall["mcar"],
                (row["ratio"][0], row["ratio_low"][0], row["ratio_high"][0]),
            ]
        )
    found = np.array(found)
    truth = found[:, :, 0].mean(axis=0)
    held = (found[:, :, 1] <= truth) & (truth <= found[:, :, 2])
    # The share of 60 has a standard deviation of 0.04 at 0.9, and the intervals leave
    # out that the imputer would be another one on another table (a point or two).
    assert (held.mean(axis=0) > 0.77).all()


# Imputers and containers


def test_the_imputer_is_not_fitted_itself():
    """Clones are."""
    imputer = SimpleImputer()
    imputation_report(imputer, table_of(), random_state=0)
    assert not hasattr(imputer, "statistics_")


def iterative_imputer():
    try:
        from sklearn.impute import IterativeImputer
    except ImportError:  # up to scikit-learn 1.9 it is an experiment
        # Imported for what it does: it lets the next line pass.
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer
    return IterativeImputer(random_state=0, add_indicator=True)


@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(strategy="median", add_indicator=True),
        KNNImputer(add_indicator=True),
        GaussianImputer(add_indicator=True),
        make_pipeline(SimpleImputer()),
        "iterative",
    ],
    ids=str,
)
def test_columns_behind_those_of_x_are_left_aside(imputer):
    """Masks that an imputer adds change nothing."""
    imputer = iterative_imputer() if imputer == "iterative" else imputer
    X = table_of()
    report = imputation_report(imputer, X, n_repeats=2, random_state=0)
    assert report.numbers["column"].tolist() == [0, 1, 2, 3] * 2
    if "add_indicator" in imputer.get_params():
        imputer.set_params(add_indicator=False)
    again = imputation_report(imputer, X, n_repeats=2, random_state=0)
    np.testing.assert_array_equal(report.numbers["rmse"], again.numbers["rmse"])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_give_the_figures_of_arrays(library):
    """With their names."""
    frames = pytest.importorskip(library)
    X = table_of()
    names = ["a", "b", "c", "d"]
    plain = imputation_report(KNNImputer(), X, random_state=0)
    frame = frames.DataFrame(dict(zip(names, X.T, strict=True)))
    found = imputation_report(KNNImputer(), frame, random_state=0)
    assert found.numbers["column"].tolist() == names * 2
    np.testing.assert_array_equal(found.numbers["rmse"], plain.numbers["rmse"])
    kept = KNNImputer().set_output(transform="pandas")
    pytest.importorskip("pandas")
    again = imputation_report(kept, frame, random_state=0)
    np.testing.assert_array_equal(again.numbers["rmse"], plain.numbers["rmse"])


def test_single_precision_integers_and_lists():
    """Single precision comes close, integers and lists are numbers like others."""
    X = table_of()
    plain = imputation_report(GaussianImputer(), X, random_state=0)
    single = imputation_report(GaussianImputer(), X.astype(np.float32), random_state=0)
    np.testing.assert_allclose(single.numbers["rmse"], plain.numbers["rmse"], rtol=1e-4)
    same_report(plain, imputation_report(GaussianImputer(), X.tolist(), random_state=0))
    counts = np.random.default_rng(0).integers(0, 9, size=(50, 3))
    told = {"mechanism": "mcar", "random_state": 0}
    same_report(
        imputation_report(SimpleImputer(), counts, **told),
        imputation_report(SimpleImputer(), counts.astype(float), **told),
    )


def test_columns_of_levels():
    """Levels that follow from numbers are found more often than the most frequent."""
    X = mixed_frame(n_rows=300)
    imputer = GaussianImputer(categorical="level")
    report = imputation_report(imputer, X, random_state=0)
    assert report.levels["column"].tolist() == ["town", "town"]
    assert report.numbers["column"].tolist() == list("abcd") * 2
    assert (report.levels["ratio_high"] < 1).all()
    assert (report.levels["share_right"] > report.levels["share_most_frequent"]).all()
    assert (report.levels["share_new"] == 0).all()
    assert "better than the most frequent level in 1 of 1 column" in str(report)


def test_a_level_of_its_own_is_no_answer():
    """An imputer that says "missing" is not compared, and that is said."""
    report = imputation_report(GaussianImputer(), mixed_frame(), random_state=0)
    assert (report.levels["share_new"] == 1).all()
    assert np.isnan(report.levels["ratio"]).all()
    assert "given a level that was never observed in 'town'" in str(report)


def test_columns_are_found_by_name():
    """A column transformer may reorder them."""
    X = mixed_frame()[["town", "a", "b", "c"]]
    imputer = make_column_transformer(
        (SimpleImputer(), ["a", "b", "c"]),
        (SimpleImputer(strategy="most_frequent"), ["town"]),
        verbose_feature_names_out=False,
    )
    report = imputation_report(imputer, X, random_state=0)
    np.testing.assert_allclose(report.numbers["ratio"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(report.levels["ratio"], 1.0, rtol=1e-12)


def test_what_cannot_be_masked_has_no_figures(pyplot):
    """A column of two values, one that does not vary, one without any value."""
    X = table_of()
    X[2:, 0] = np.nan
    X[:, 1] = 7.0
    X[:, 2] = np.nan
    imputer = SimpleImputer(keep_empty_features=True)
    report = imputation_report(imputer, X, mechanism="mcar", random_state=0)
    n_masked, ratio = report.numbers["n_masked"], report.numbers["ratio"]
    assert n_masked[0] == 0
    assert n_masked[2] == 0
    assert n_masked[1] > 0
    assert np.isnan(ratio[:3]).all()
    assert np.isfinite(ratio[3])
    assert "Nothing was masked in 0, 2." in str(report)
    display = report.plot()
    assert len(display.points_["mcar"].get_offsets()) == 1
    display.figure_.canvas.draw()


# Determinism and weights


def test_the_report_is_a_function_of_the_seed():
    """Whatever `n_jobs` is; another seed gives another one."""
    X = mixed_frame()
    imputer = GaussianImputer(categorical="level")
    told = {"n_repeats": 2, "random_state": 3}
    one = imputation_report(imputer, X, **told)
    same_report(one, imputation_report(imputer, X, **told))
    same_report(one, imputation_report(imputer, X, n_jobs=2, **told))
    other = imputation_report(imputer, X, n_repeats=2, random_state=4)
    assert (one.numbers["rmse"] != other.numbers["rmse"]).any()


def test_rows_without_weight_are_left_out():
    """As if they were not there."""
    X = table_of()
    weight = np.ones(len(X))
    weight[::3] = 0
    told = {"n_repeats": 2, "random_state": 0}
    found = imputation_report(GaussianImputer(), X, sample_weight=weight, **told)
    wanted = imputation_report(GaussianImputer(), X[weight > 0], **told)
    assert found.n_samples == wanted.n_samples == 80
    for name in ("rmse", "rmse_mean", "ratio_low", "bias", "coverage"):
        np.testing.assert_allclose(
            found.numbers[name], wanted.numbers[name], rtol=1e-6, atol=1e-12
        )


# The result


def test_the_result_is_frozen_and_speaks():
    """Words, HTML, a dict and tables for pandas."""
    X = table_of(correlation=0.9)
    report = imputation_report(GaussianImputer(), X, random_state=0)
    assert isinstance(report, ImputationReport)
    with pytest.raises(FrozenInstanceError):
        report.share = 0.5
    assert report.n_fits == 11
    lines = str(report).splitlines()
    assert lines[0].startswith("GaussianImputer() on 120 rows, up to 10%")
    assert "better than the column mean in 4 of 4 columns, RMSE" in lines[1]
    assert "at 90% confidence" in lines[1]
    assert "missing because of what they are" in lines[-1]
    html = report._repr_html_()
    assert html.count("<table>") == 2
    fields = json.loads(json.dumps(report.to_dict()))
    assert fields["overall"] == plain(report.overall)
    assert fields["n_fits"] == 11
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(report.numbers)
    assert frame.shape[0] == 8
    assert frame.set_index(["mechanism", "column"])["rmse"].notna().all()
    worst = report.numbers["column"][np.argmax(report.numbers["ratio"][:4])]
    assert lines[2].startswith(f"  Worst by RMSE: {worst!r}")


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ((0.62, 0.55, 0.69), "38% lower (31 to 45)"),
        ((1.12, 1.03, 1.2), "12% higher (3 to 20)"),
        ((0.98, 0.9, 1.05), "2% lower (10% lower to 5% higher)"),
        ((1.0, 1.0, 1.0), "the same"),
        ((0.0, np.nan, np.nan), "100% lower"),
        ((np.nan, np.nan, np.nan), "not known"),
    ],
)
def test_ratios_in_words(ratio, text):
    """The nearer end first."""
    assert change(*ratio) == text


def test_a_complete_table_has_no_pattern():
    """It is masked at random alone, and that is said."""
    report = imputation_report(SimpleImputer(), table_of(share=0.0), random_state=0)
    assert report.mechanisms == ("mcar",)
    assert "X misses nothing, so it has no pattern" in str(report)
    np.testing.assert_allclose(report.numbers["completed_spread_ratio"], 1.0)


def test_the_picture(pyplot):
    """A dot for each column and mechanism, two curves for each of a few columns."""
    report = imputation_report(
        GaussianImputer(categorical="level"), mixed_frame(), random_state=0
    )
    display = report.plot()
    assert isinstance(display, ImputationReportDisplay)
    assert set(display.points_) == {"mcar", "pattern"}
    assert len(display.points_["mcar"].get_offsets()) == 5
    assert set(display.distribution_axes_) == set("abcd")
    curve = display.curves_["a"]["imputed"].get_xdata()
    np.testing.assert_array_equal(curve[1:], report.distributions["imputed"][0])
    figure = pyplot.figure(layout="constrained")
    chosen = report.plot(mechanism="pattern", columns=["c", "a"], figure=figure)
    assert chosen.figure_ is figure
    assert list(chosen.curves_) == ["c", "a"]
    np.testing.assert_array_equal(
        chosen.curves_["a"]["true"].get_xdata()[1:], report.distributions["true"][4]
    )
    with pytest.raises(ValueError, match=r"one that the report used: mcar, pattern"):
        report.plot(mechanism="mnar")
    with pytest.raises(ValueError, match=r"columns of numbers .* Got 'town'"):
        report.plot(columns=["town"])


def test_the_docstring_says_what_the_report_cannot():
    """Values that are missing because of what they are."""
    assert "missing not at random" in inspect.getdoc(imputation_report)
