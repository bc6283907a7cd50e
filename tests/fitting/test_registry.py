"""Registering families: what is refused, replaced, found."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV, Family, Path, register_family
from genestimators.fitting import _registry, find_family
from genestimators.fitting._registry import (
    EXACTNESS,
    families_of,
    integer_grid,
    log_grid,
    registered_families,
)
from tests.bagging.toys import regression_data

FOLDS = KFold(3)

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")


class ShrunkenMean(RegressorMixin, BaseEstimator):
    """Shrinks the mean of the target; `rounds` changes nothing but is remembered."""

    def __init__(self, shrinkage=0.5, rounds=3):
        self.shrinkage = shrinkage
        self.rounds = rounds

    def fit(self, X, y, sample_weight=None):
        mean = np.average(y, weights=sample_weight, axis=0)
        self.mean_ = (1 - self.shrinkage) * mean
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


class SubMean(ShrunkenMean):
    """A subclass, which may fit otherwise."""


class TakesAnything(BaseEstimator):
    """Names none of its parameters."""

    def __init__(self, **settings):
        self.settings = settings


class MeanPath(Path):
    def __init__(self, means):
        self.means = means
        self.n_values = len(means)

    def predict(self, X):
        return np.repeat(self.means[:, None], len(X), axis=1)


class Direction(Family):
    """Makes the direction and the range known, and no path."""

    estimator = ShrunkenMean
    param = "shrinkage"
    stronger = "larger"
    scale = "linear"
    preferred = True
    limits = (0.0, 1.0)

    def default_values(self, estimator, X, y, sample_weight):
        return np.linspace(0, 1, 5)


class Means(Direction):
    """Fits once for all values."""

    exactness = "exact"
    n_repeats = 2

    def fit_path(self, estimator, X, y, sample_weight, values):
        mean = np.average(y, weights=sample_weight, axis=0)
        return MeanPath((1 - np.asarray(values)) * mean)


@pytest.fixture(autouse=True)
def known():
    """The registry is afterwards what it was before a test."""
    before = dict(_registry._FAMILIES)
    yield
    _registry._FAMILIES.clear()
    _registry._FAMILIES.update(before)


def search(estimator=None, **settings):
    settings = {"cv": FOLDS, "rule": "best", **settings}
    return AutoRegularizedCV(
        ShrunkenMean() if estimator is None else estimator, **settings
    )


def changed(**attributes):
    """A family with other attributes."""
    return type("Changed", (Direction,), attributes)()


@pytest.mark.parametrize(
    ("family", "error", "message"),
    [
        (Means, TypeError, "`family` must be an instance of a subclass of Family.*Got"),
        ("Means", TypeError, "Got 'Means'; pass an instance"),
        (changed(estimator=None), TypeError, "must be a class, or the full path.*None"),
        (changed(estimator=""), TypeError, "must be a class, or the full path"),
        (changed(estimator=Ridge()), TypeError, r"full path of one. Got Ridge\(\)"),
        (changed(stronger="more"), ValueError, "`stronger` of a family .* Got 'more'"),
        (changed(exactness="near"), ValueError, "`exactness` of a .* Got 'near'"),
        (changed(scale="root"), ValueError, "`scale` of a family .* Got 'root'"),
        (changed(n_repeats=0), ValueError, "`n_repeats` of a family .* Got 0"),
        (changed(n_repeats="10"), ValueError, "`n_repeats` of a family .* Got '10'"),
        (
            changed(param="alpha"),
            ValueError,
            r"parameter of ShrunkenMean: \['shrinkage', 'rounds'\]. Got 'alpha'",
        ),
    ],
)
def test_what_is_refused(family, error, message):
    """Each message says the rule and what came; nothing is registered."""
    before = registered_families()
    with pytest.raises(error, match=message):
        register_family(family)
    assert registered_families() == before


def test_parameters_that_a_class_does_not_name():
    """A class that takes any keyword is believed."""
    family = register_family(changed(estimator=TakesAnything, param="depth"))
    assert find_family(TakesAnything(), "depth") is family


def test_a_family_replaces_another():
    """The last one of a class and a parameter serves."""
    X, y = regression_data()
    first = register_family(Direction())
    assert search().fit(X, y).engine_ == "generic"
    second = register_family(Means())
    assert find_family(ShrunkenMean(), "shrinkage") is second
    assert first not in registered_families()
    model = search().fit(X, y)
    assert (model.engine_, model.exactness_) == ("path", "exact")


def test_a_family_by_the_path_of_its_class():
    """As for libraries that need not be there; the class itself goes first."""
    name = f"{__name__}.ShrunkenMean"
    by_path = register_family(type("ByPath", (Means,), {"estimator": name})())
    assert find_family(ShrunkenMean(), "shrinkage") is by_path
    assert families_of(ShrunkenMean()) == [by_path]
    assert search().fit(*regression_data()).engine_ == "path"
    by_class = register_family(Direction())
    assert find_family(ShrunkenMean(), "shrinkage") is by_class


def test_a_subclass_is_not_served():
    """It is fitted value by value, and nothing is known of its parameters."""
    X, y = regression_data()
    register_family(Means())
    assert find_family(SubMean(), "shrinkage") is None
    with pytest.raises(ValueError, match="No penalty is known for SubMean"):
        search(SubMean()).fit(X, y)
    model = search(SubMean(), param="shrinkage", values=[0.0, 0.5]).fit(X, y)
    assert model.engine_ == "generic"
    assert model.direction_ is None


def test_a_family_without_a_path():
    """Direction and range are known, values are fitted one by one on single folds."""
    X, y = regression_data()
    y = y + 2
    family = register_family(Direction())
    assert not family.fits_paths
    model = search(cv=None).fit(X, y)
    assert model.param_ == "shrinkage"
    assert model.direction_ == "larger"
    assert model.engine_ == "generic"
    assert model.exactness_ == "refit"
    assert model.n_splits_ == 5
    np.testing.assert_array_equal(model.values_, np.linspace(0, 1, 5))


@pytest.mark.parametrize("behind", [False, True])
def test_a_path_equals_refits(behind):
    """The curve of the family is GridSearchCV's, alone and in a pipeline."""
    X, y = regression_data()
    y = y + 2
    register_family(Means())
    estimator = ShrunkenMean()
    name = "shrinkage"
    if behind:
        estimator = make_pipeline(StandardScaler(), estimator)
        name = "shrunkenmean__shrinkage"
    model = search(estimator).fit(X, y)
    assert (model.param_, model.engine_) == (name, "path")
    plain = GridSearchCV(estimator, {name: np.linspace(0, 1, 5)}, cv=FOLDS).fit(X, y)
    np.testing.assert_allclose(
        model.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    assert search(estimator, cv=None).fit(X, y).n_splits_ == 5 * Means.n_repeats


def test_settings_reach_every_fit():
    """In a pipeline too; the user's estimator keeps its own."""
    X, y = regression_data()
    register_family(type("Set", (Means,), {"settings": {"rounds": 7, "none": 1}})())
    for estimator in (ShrunkenMean(), make_pipeline(StandardScaler(), ShrunkenMean())):
        model = search(estimator).fit(X, y)
        last = model.best_estimator_
        last = last[-1] if hasattr(last, "steps") else last
        assert last.rounds == 7
        assert "rounds=7" not in repr(model.estimator)


def test_unsupported_settings_are_fitted_one_by_one():
    """What the family says no to, the generic engine does."""
    X, y = regression_data()

    class Choosy(Means):
        def unsupported(self, estimator, X, y, sample_weight, values):
            return None if sample_weight is None else "No weights."

    register_family(Choosy())
    assert search().fit(X, y).engine_ == "path"
    model = search().fit(X, y, sample_weight=np.arange(1.0, 61))
    assert (model.engine_, model.exactness_) == ("generic", "refit")


class AllDraws:
    """Fits draws from what is known of all rows."""

    def __init__(self, y, draws, values):
        self.y, self.draws, self.values = y, draws, np.asarray(values)
        self.numbers = []

    def fit_path(self, number, draw):
        self.numbers.append(number)
        path = MeanPath((1 - self.values) * np.mean(self.y[draw.rows]))
        path.family = find_family(ShrunkenMean(), "shrinkage")
        return path


@pytest.mark.parametrize("behind", [False, True])
def test_draws_that_are_shared(behind):
    """`share` takes over all draws, with the steps before it handed over unfitted."""
    X, y = regression_data()
    seen = []

    class Shared(Means):
        def share(self, steps, estimator, X, y, draws, values):
            seen.append((steps, AllDraws(y, draws, values)))
            return seen[-1][1]

        def fit_path(self, estimator, X, y, sample_weight, values):
            raise AssertionError("The draws are shared.")

    register_family(Shared())
    estimator = ShrunkenMean()
    if behind:
        estimator = make_pipeline("passthrough", StandardScaler(), None, estimator)
    model = search(estimator).fit(X, y)
    ((steps, shared),) = seen
    assert [type(step) for step in steps] == [StandardScaler] * behind
    assert shared.numbers == [0, 1, 2]
    assert model.engine_ == "path"
    generic = search(estimator, engine="generic").fit(X, y)
    np.testing.assert_allclose(
        model.cv_results_["mean_test_score"], generic.cv_results_["mean_test_score"]
    )


def test_exactness_by_settings():
    """A family may be exact with some settings and less so with others."""

    class Sometimes(Means):
        def exactness_for(self, estimator):
            return "bitwise" if estimator.rounds > 5 else "approximate"

    register_family(Sometimes())
    for rounds, exactness in ((3, "approximate"), (6, "bitwise")):
        chain = make_pipeline(StandardScaler(), ShrunkenMean(rounds=rounds))
        for estimator in (ShrunkenMean(rounds=rounds), chain):
            assert search(estimator).fit(*regression_data()).exactness_ == exactness


def test_an_automatic_range_is_extended_as_the_family_says():
    """A logarithmic one by itself, another by `more_values`."""
    X, y = regression_data()
    y = y + 2

    class Growing(Means):
        scale = "linear"
        stronger = "smaller"
        limits = ()

        def default_values(self, estimator, X, y, sample_weight):
            return np.array([0.8, 0.9])

        def more_values(self, values, larger):
            return np.empty(0) if larger else np.array([values[0] - 0.3])

    register_family(Growing())
    np.testing.assert_allclose(search().fit(X, y).values_, [-0.1, 0.2, 0.5, 0.8, 0.9])
    family = Direction()
    family.scale = "log"
    grid = family.more_values(np.array([1.0, 10.0]), True)
    np.testing.assert_allclose(grid, 10.0 ** np.arange(2, 10))
    grid = family.more_values(np.array([1.0, 10.0]), False)
    np.testing.assert_allclose(grid, 10.0 ** np.arange(-8, 0))
    assert len(family.more_values(np.array([0.0, 1.0]), True)) == 0


def test_preferred_families_come_first():
    """`param="auto"` is the preferred parameter, whatever was registered first."""
    other = register_family(changed(param="rounds", preferred=False))
    preferred = register_family(Means())
    assert families_of(ShrunkenMean()) == [preferred, other]
    assert families_of(DecisionTreeRegressor())[0].param == "ccp_alpha"


def test_every_registered_family_is_complete():
    """What the table of the user guide needs is there."""
    families = registered_families()
    keys = [(str(family.estimator), family.param) for family in families]
    assert len(set(keys)) == len(keys) > 40
    for family in families:
        assert family.exactness in EXACTNESS
        assert family.default_range
        assert family.n_repeats >= 1
        assert isinstance(family.settings, dict)
    preferred = [family.estimator for family in families if family.preferred]
    assert len(set(preferred)) == len(preferred)


def test_grids():
    """Ends included, increasing, no more than asked for."""
    np.testing.assert_allclose(log_grid(0.1, 10, 1), [0.1, 1, 10])
    assert len(log_grid(1.0, 1.0)) == 2
    assert integer_grid(2, 6).tolist() == [2, 3, 4, 5, 6]
    grid = integer_grid(1, 1000, 10)
    assert grid[0] == 1
    assert grid[-1] == 1000
    assert len(grid) <= 10
    assert (np.diff(grid) > 0).all()


def test_a_family_without_a_range():
    """It needs values, and serves once it has them."""
    X, y = regression_data()
    register_family(type("Ask", (Means,), {"default_values": Family.default_values})())
    with pytest.raises(ValueError, match="No range of values is known for `shrinkage`"):
        search().fit(X, y)
    assert search(values=[0.0, 0.5]).fit(X, y).engine_ == "path"


@pytest.mark.parametrize("values", [[], 0.5, [[0.0, 1.0]]])
def test_a_range_that_is_none(values):
    """The message names the family."""
    X, y = regression_data()
    register_family(type("Odd", (Means,), {"default_values": lambda *_: values})())
    with pytest.raises(ValueError, match="`default_values` of Odd must return a seq"):
        search().fit(X, y)


def test_a_family_serves_in_other_processes():
    """Which have not registered it."""
    X, y = regression_data()
    register_family(Means())
    one, two = search().fit(X, y), search(n_jobs=2).fit(X, y)
    assert one.engine_ == two.engine_ == "path"
    for name in ("mean_test_score", "mean_train_score"):
        np.testing.assert_array_equal(one.cv_results_[name], two.cv_results_[name])
