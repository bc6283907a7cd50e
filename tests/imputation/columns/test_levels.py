"""Columns of levels: which level a row gets, and what becomes of their types."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from genestimators import GaussianImputer
from genestimators.imputation.columns._levels import UNKNOWN, LevelLaw, Levels
from tests.imputation.normal.toys import covariance_of


def _levels(values, weight=None, name="town"):
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    return Levels(cells, np.ones(len(values)) if weight is None else weight, name)


def test_levels_ascend_and_the_most_frequent_has_no_indicator():
    """Missing values of any kind are no level."""
    levels = _levels(["b", "a", None, "c", "b", float("nan"), "b", "c"])
    assert levels.levels == ["a", "b", "c"]
    codes = levels.encode(np.array(["a", "b", "c", None, "new"], dtype=object))
    np.testing.assert_array_equal(codes, [0.0, 1.0, 2.0, np.nan, UNKNOWN])
    expected = [[0, 1], [0, 0], [1, 0], [np.nan] * 2, [np.nan] * 2]
    np.testing.assert_array_equal(levels.indicators(codes), expected)
    np.testing.assert_allclose(levels.shares, [3 / 6, 2 / 6, 1 / 6])
    assert levels.decode([0.0, 2.0]) == ["a", "c"]


def test_weights_count_as_rows():
    """The shares are those of repeated rows."""
    ours = _levels(["a", "b", "c"], np.array([1.0, 3.0, 2.0]))
    theirs = _levels(["a", "b", "b", "b", "c", "c"])
    np.testing.assert_allclose(ours.shares, theirs.shares)
    np.testing.assert_array_equal(ours.first_of, theirs.first_of)


@pytest.mark.parametrize("kind", [str, int])
def test_missing_value_of_pandas_is_no_level(kind):
    """NA equals nothing."""
    pd = pytest.importorskip("pandas")
    assert _levels([kind(1), pd.NA, kind(2), None]).levels == [kind(1), kind(2)]


def test_name_of_the_missing_level_is_free():
    """A level that is called so stays apart."""
    levels = _levels(["missing", "missing_", "x"])
    levels.set_missing_level()
    assert levels.missing_level == "missing__"
    assert levels.decode([3.0]) == ["missing__"]


def test_posterior_against_the_general_location_model():
    """Share times density of the rest at the level, over that without any level.

    With the rest integrated out by Bayes: the law of the block given the rest over its
    law without it, at the corner of the level.
    """
    values = ["a"] * 5 + ["b"] * 3 + ["c"] * 2
    levels = _levels(values)
    covariance = covariance_of(3, 5)
    mean = np.array([0.2, -0.1, 0.4, 0.0, -0.3])
    block, rest = np.array([1, 2]), np.array([0, 3, 4])
    center, scale = np.array([0.3, 0.2]), np.array([0.46, 0.4])
    own = covariance[np.ix_(block, block)]
    law = LevelLaw(levels, center, scale, mean[block], own)
    z = np.array([0.7, -1.0, 0.4])
    across = covariance[np.ix_(block, rest)] @ np.linalg.inv(
        covariance[np.ix_(rest, rest)]
    )
    means = mean[block] + across @ (z - mean[rest])
    spread = own - across @ covariance[np.ix_(rest, block)]
    scores = law.scores(means[:, None], spread[:, :, None].copy())[:, 0]

    back = covariance[np.ix_(rest, block)] @ np.linalg.inv(own)
    given = covariance[np.ix_(rest, rest)] - back @ covariance[np.ix_(block, rest)]
    density = []
    for corner in ([0, 0], [1, 0], [0, 1]):  # b and c by their shares after a
        at = (np.array(corner) - center) / scale
        shifted = mean[rest] + back @ (at - mean[block])
        density.append(multivariate_normal(shifted, given).pdf(z))
    expected = np.array([0.5, 0.3, 0.2]) * density
    ours = np.exp(scores - scores.max())
    np.testing.assert_allclose(ours / ours.sum(), expected / expected.sum(), rtol=1e-8)
    assert levels.choose(scores[:, None])[0] == expected.argmax()


def _town(seed=0, n=400, share=0.3):
    """A number, and a level that follows from it but for noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    town = np.array(["low", "mid", "top"], dtype=object)[
        np.digitize(x + rng.normal(scale=0.4, size=n), [-0.6, 0.9])
    ]
    gaps = rng.random(n) < share
    cells = town.copy()
    cells[gaps] = None
    X = np.empty((n, 3), dtype=object)
    X[:, 0], X[:, 1], X[:, 2] = x, x + rng.normal(size=n), cells
    return X, town, gaps


def test_most_probable_level_is_better_than_the_most_frequent():
    """Where the rest of the row tells of it."""
    X, town, gaps = _town()
    out = GaussianImputer(categorical="level").fit_transform(X)
    right = np.mean(out[gaps, 2] == town[gaps])
    assert right > np.mean(town[gaps] == "mid") + 0.15


@pytest.mark.slow
def test_levels_are_drawn_by_their_posterior():
    """Over 1,000 draws a row: shares within 4.5 standard errors of the probabilities.

    sqrt(p (1 - p) / 1000) is at most 0.0158.
    """
    X, _, _ = _town(n=150)
    imputer = GaussianImputer(strategy="draw", random_state=0).fit(X)
    model = imputer._model
    rows = X[[i for i, cell in enumerate(X[:, 2]) if cell is None][:4]]
    draws = np.array([draw[:, 2] for draw in imputer.sample(rows, 1000)])
    levels = imputer._levels[2]
    table = np.column_stack([rows[:, :2].astype(float), np.full(4, np.nan)])
    latent = model.latent(table)
    for where, means, spreads in model.law.conditional.block_law(
        latent, np.array(model._places[2])
    ):
        scores = model._level_laws[2].scores(means, spreads)
        chance = np.exp(scores - scores.max(axis=0))
        chance /= chance.sum(axis=0)
        for k, row in enumerate(where):
            for group, code in enumerate(levels.first_of):
                seen = np.mean(draws[:, row] == levels.levels[code])
                assert abs(seen - chance[group, k]) < 4.5 * 0.0158


def test_rare_levels_share_an_indicator():
    """Thirty have their own; the rest are drawn by their shares among themselves."""
    rng = np.random.default_rng(0)
    names = [f"k{i:02d}" for i in range(36)]
    values = np.repeat(names, [40] * 30 + [3, 3, 3, 3, 3, 6])
    levels = _levels(values.tolist())
    assert levels.n_indicators == 30
    assert sorted(levels.levels[int(c)] for c in levels.last) == names[30:]
    scores = np.full((31, 6000), -np.inf)
    scores[30] = 0.0
    assert {levels.levels[int(c)] for c in levels.choose(scores)} == {"k35"}
    drawn = levels.choose(scores, rng.random((32, 6000)))
    found, counts = np.unique(drawn, return_counts=True)
    assert [levels.levels[int(c)] for c in found] == names[30:]
    np.testing.assert_allclose(counts / 6000, [1 / 7] * 5 + [2 / 7], atol=0.03)


def test_a_table_with_many_levels_is_filled():
    """By one of them, whether drawn or most probable."""
    rng = np.random.default_rng(1)
    X = np.empty((300, 2), dtype=object)
    X[:, 0] = rng.normal(size=300)
    X[:, 1] = [f"k{i}" for i in rng.integers(0, 45, size=300)]
    X[:30, 1] = None
    known = set(X[30:, 1])
    for strategy in ("conditional_mean", "draw"):
        imputer = GaussianImputer(
            strategy=strategy, categorical="level", random_state=0
        )
        assert set(imputer.fit_transform(X)[:, 1]) <= known
        assert len(imputer.latent_names_) == 31


def test_a_level_that_fit_did_not_see_is_left_as_it_is():
    """And the rest of its row is filled."""
    X, _, _ = _town()
    for strategy in ("conditional_mean", "draw"):
        imputer = GaussianImputer(strategy=strategy, categorical="level").fit(X)
        out = imputer.transform(np.array([[None, 0.5, "new"]], dtype=object))
        assert out[0, 2] == "new"
        assert np.isfinite(float(out[0, 0]))


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "missing"),
        ({"categorical": "missing", "strategy": "draw"}, "missing"),
        ({"categorical": "level"}, None),
        ({"strategy": "draw"}, None),
    ],
)
def test_what_a_missing_level_becomes(settings, missing):
    """A level of its own for conditional means, one of the others for draws."""
    X, _, gaps = _town()
    out = GaussianImputer(**settings).fit_transform(X)
    found = set(out[gaps, 2])
    assert found == {missing} if missing else found <= {"low", "mid", "top"}
    # A level that says "missing" needs no mask beside it.
    assert out.shape[1] == (3 if missing else 4)


def test_a_level_of_that_name_stays_apart():
    """Rows that had it keep it, the others get another."""
    X, _, gaps = _town()
    X[~gaps, 2] = np.where(X[~gaps, 2] == "top", "missing", X[~gaps, 2])
    out = GaussianImputer().fit_transform(X)
    assert set(out[gaps, 2]) == {"missing_"}
    assert "missing" in set(out[~gaps, 2])


def test_columns_missing_only_later_get_a_level_that_was_there():
    """No level says "missing" where fit saw none missing."""
    X, _, _ = _town(share=0.0)
    imputer = GaussianImputer().fit(X)
    out = imputer.transform(
        np.array([[2.5, 2.5, None], [-2.5, -2, None]], dtype=object)
    )
    assert out[:, 2].tolist() == ["top", "low"]
    assert out.shape == (2, 3)


def test_a_column_of_one_level():
    """It says nothing of the others, is filled with its level, and fails nothing."""
    X = np.empty((30, 3), dtype=object)
    X[:, 0] = np.random.default_rng(0).normal(size=30)
    X[:, 1], X[:, 2] = X[:, 0] * 2, "same"
    X[3, 1] = X[4, 2] = None
    for marginals in ("gaussian", "copula"):
        for strategy in ("conditional_mean", "draw"):
            imputer = GaussianImputer(
                marginals=marginals, strategy=strategy, categorical="level"
            )
            out = imputer.fit_transform(X)
            assert out[4, 2] == "same"
            assert np.isfinite(float(out[3, 1]))


MISSING = [None, float("nan"), "NA"]


@pytest.mark.parametrize("gap", MISSING)
@pytest.mark.parametrize("dtype", ["object", "str", "string", "category"])
def test_text_of_pandas(gap, dtype):
    """Every type and every missing value give the same levels, in the same type."""
    pd = pytest.importorskip("pandas")
    gap = pd.NA if gap == "NA" else gap
    X, _, _gaps = _town(n=100)
    cells = [gap if cell is None else cell for cell in X[:, 2]]
    column = pd.Series(cells, dtype=object)
    if dtype != "object":
        column = column.where(column.notna(), None).astype(
            "object" if dtype == "str" and pd.__version__ < "3" else dtype
        )
    frame = pd.DataFrame({"x": X[:, 0].astype(float), "town": column})
    for categorical in ("level", "missing"):
        out = GaussianImputer(categorical=categorical).fit_transform(frame)
        expected = GaussianImputer(categorical=categorical).fit_transform(X[:, [0, 2]])
        assert out["town"].tolist() == expected[:, 1].tolist()
        if dtype != "category":
            assert out["town"].dtype == frame["town"].dtype
            continue
        known = ["low", "mid", "top"]
        new = ["missing"] if categorical == "missing" else []
        assert out["town"].cat.categories.tolist() == known + new


@pytest.mark.parametrize("dtype", ["String", "Categorical", "Enum"])
def test_text_of_polars(dtype):
    """As in arrays; an Enum learns the level that says "missing"."""
    pl = pytest.importorskip("polars")
    X, _, _ = _town(n=100)
    kind = pl.Enum(["mid", "low", "top"]) if dtype == "Enum" else getattr(pl, dtype)
    frame = pl.DataFrame(
        {"x": X[:, 0].astype(float), "town": pl.Series(X[:, 2].tolist(), dtype=kind)}
    )
    for categorical in ("level", "missing"):
        imputer = GaussianImputer(categorical=categorical).fit(frame)
        out = imputer.transform(frame)
        expected = GaussianImputer(categorical=categorical).fit_transform(X[:, [0, 2]])
        assert out["town"].to_list() == expected[:, 1].tolist()
        if dtype == "Enum" and categorical == "missing":
            assert out["town"].dtype == pl.Enum(["mid", "low", "top", "missing"])
        else:
            assert out["town"].dtype == frame["town"].dtype


def test_the_empty_text_is_a_level_like_others():
    """It is not missing, and may be filled in."""
    X = np.empty((60, 2), dtype=object)
    X[:, 0] = np.r_[np.full(30, -1.0), np.full(30, 1.0)] + np.linspace(0, 0.1, 60)
    X[:, 1] = [""] * 30 + ["b"] * 30
    X[[2, 40], 1] = None
    out = GaussianImputer(categorical="level").fit_transform(X)
    assert out[[0, 2, 40], 1].tolist() == ["", "", "b"]


def test_categories_of_pandas_may_be_numbers_and_ordered():
    """They are levels, not numbers; their type stays, order included."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    grade = pd.Categorical(rng.choice([10, 20, 5], size=60), [5, 10, 20], ordered=True)
    grade = pd.Series(grade).where(rng.random(60) > 0.2)
    frame = pd.DataFrame({"x": rng.normal(size=60), "grade": grade})
    for strategy in ("conditional_mean", "draw"):
        out = GaussianImputer(strategy=strategy).fit_transform(frame)
        assert out["grade"].dtype == frame["grade"].dtype
        assert set(out["grade"]) <= {5, 10, 20}
        assert out.columns.tolist() == ["x", "grade", "missingindicator_grade"]
    with pytest.raises(ValueError, match="which column 'grade' of numbers cannot have"):
        GaussianImputer(categorical="missing").fit(frame)


def test_categories_that_the_type_does_not_know_are_added():
    """A later frame may have been typed by its own rows."""
    pd = pytest.importorskip("pandas")
    X, _, _ = _town(n=100)
    frame = pd.DataFrame({"x": X[:, 0].astype(float), "town": pd.Categorical(X[:, 2])})
    imputer = GaussianImputer(categorical="level").fit(frame)
    later = pd.DataFrame(
        {"x": [9.0, 0.0], "town": pd.Categorical([None, "mid"], ["mid"])}
    )
    out = imputer.transform(later)
    assert out["town"].tolist() == ["top", "mid"]
    assert out["town"].cat.categories.tolist() == ["mid", "low", "top"]
    assert later["town"].cat.categories.tolist() == ["mid"]


def test_a_category_called_missing_that_no_row_has():
    """It is taken for the level that says so."""
    pd = pytest.importorskip("pandas")
    known = ["low", "mid", "missing", "top"]
    X, _, gaps = _town(n=100)
    town = pd.Categorical(X[:, 2], categories=known)
    frame = pd.DataFrame({"x": X[:, 0].astype(float), "town": town})
    out = GaussianImputer().fit_transform(frame)
    assert out["town"].cat.categories.tolist() == known
    assert set(out["town"][gaps]) == {"missing"}


@pytest.mark.parametrize(
    ("library", "dtype"), [("pandas", "boolean"), ("pandas", "object"), ("polars", "")]
)
def test_booleans_are_numbers(library, dtype):
    """Filled with how much of them is true given the rest."""
    frames = pytest.importorskip(library)
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    flags = [None if i % 7 == 0 else bool(v > 0) for i, v in enumerate(x)]
    columns = {"x": x, "t": ["a", "b"] * 40}
    if library == "pandas":
        frame = frames.DataFrame(columns | {"flag": frames.array(flags, dtype=dtype)})
    else:
        frame = frames.DataFrame(columns | {"flag": flags})
    out = GaussianImputer().fit_transform(frame)
    expected = [np.nan if flag is None else flag for flag in flags]
    numbers = np.column_stack([x, np.array(columns["t"]) == "b", expected]).astype(
        float
    )
    theirs = GaussianImputer().fit_transform(numbers)
    flags = np.array(list(out["flag"]), dtype=float)
    np.testing.assert_allclose(flags, theirs[:, 2], atol=1e-10)
