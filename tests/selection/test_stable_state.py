"""What a fitted selector rests on, and what a fit that fails leaves of it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Lasso, Ridge

from genestimators import KnockoffSelector, Subsample
from genestimators.selection._stable_selector import StableFeatureSelector
from tests.selection.stable_toys import OwnRidge, clear_problem

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators._exceptions.NothingSelectedWarning"
)
FDR = {"criterion": "fdr", "alpha": 0.5}


def selector(estimator=None, **kwargs):
    return StableFeatureSelector(
        estimator, **{"n_resamples": 4, "random_state": 0, **kwargs}
    )


OTHERS = {
    "estimator": Lasso(),
    "importance": "conditional",
    "scoring": "r2",
    "n_resamples": 7,
    "resampling__fraction": 0.2,
    "resampling__stratify": False,
    "resampling__key": "position",
    "resampling__complementary_pairs": False,
    "resampling": Subsample(fraction=0.4),
    "feature_groups": np.arange(10) // 2,
    "always_keep": [9],
    "random_state": 5,
    "n_jobs": 1,
    "memory": None,
    "verbose": 1,
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_rule_waits_for_the_next_fit(name):
    """Permuted runs are those of the fit, whatever is set after it.

    Otherwise scores of the fit's draws would be compared with those of other draws.
    """
    X, y = clear_problem(noise=4.0)
    settings = {"resampling": Subsample(complementary_pairs=True, fraction=0.5)}
    if name == "memory":
        settings = {}
    wanted = selector(**settings, **FDR).fit(X, y)
    fitted = selector(**settings).fit(X, y)
    fitted.set_params(**{name: OTHERS[name]}).set_params(**FDR)
    np.testing.assert_array_equal(fitted.q_values_, wanted.q_values_)
    np.testing.assert_array_equal(fitted.get_support(), wanted.get_support())
    wanted.set_params(criterion="pfer", alpha=1.0)
    fitted.set_params(criterion="pfer", alpha=1.0)
    np.testing.assert_array_equal(fitted.get_support(), wanted.get_support())


@pytest.mark.parametrize("name", ["sample_weight", "groups"])
def test_weights_and_groups_changed_in_place(name):
    """The fit keeps copies: what becomes of the caller's arrays does not matter."""
    X, y = clear_problem(noise=4.0)
    values = np.random.default_rng(0).uniform(0.5, 1.5, 100)
    other = np.r_[np.full(50, 0.01), np.ones(50)]
    if name == "groups":
        values, other = np.arange(100) // 5, np.arange(100) // 50
    wanted = selector(**FDR).fit(X, y, **{name: values.copy()}).q_values_
    fitted = selector().fit(X, y, **{name: values})
    values[:] = other
    np.testing.assert_array_equal(fitted.set_params(**FDR).q_values_, wanted)


class Failing(RegressorMixin, BaseEstimator):
    """Fits nothing."""

    def fit(self, X, y):
        raise RuntimeError("no luck")


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({}, np.r_[np.nan, np.arange(99.0)]),
        ({"estimator": Failing()}, np.arange(100.0)),
        ({"min_features_to_select": 4}, np.arange(100.0)),
        (
            {"max_features": 1, "feature_groups": [0, 0, 0]},
            np.arange(100.0),
        ),
    ],
)
def test_a_failed_fit_leaves_the_last_one(params, target):
    """No mixture of the columns of one fit and the support of another."""
    pd = pytest.importorskip("pandas")
    X, y = clear_problem()
    frame = pd.DataFrame(X, columns=list("abcdefghij"))
    fitted = selector(OwnRidge(), importance="coef").fit(frame, y)
    before = {name: getattr(fitted, name) for name in fitted.get_params(deep=False)}
    names, kept = fitted.get_feature_names_out(), fitted.transform(frame)
    fitted.set_params(**params)
    with pytest.raises((ValueError, RuntimeError)):
        fitted.fit(frame[["h", "i", "j"]], target)
    fitted.set_params(**before)
    assert fitted.n_features_in_ == 10
    np.testing.assert_array_equal(fitted.get_feature_names_out(), names)
    np.testing.assert_array_equal(fitted.transform(frame), kept)
    with pytest.raises(ValueError, match="feature names"):
        fitted.transform(frame[["h", "i", "j"]])


def test_a_failed_first_fit_leaves_nothing():
    """Neither selector looks fitted, not even in its columns."""
    X, y = clear_problem()
    y[0] = np.nan
    for step in (selector(Ridge()), KnockoffSelector(random_state=0)):
        with pytest.raises(ValueError, match="y contains NaN"):
            step.fit(X, y)
        assert not hasattr(step, "n_features_in_")


def test_a_failed_fit_of_knockoffs_leaves_the_last_one():
    """As for the other selector."""
    X, y = clear_problem(n=60, p=6)
    fitted = KnockoffSelector(n_copies=2, alpha=0.5, random_state=0).fit(X, y)
    kept = fitted.transform(X)
    with pytest.raises(ValueError, match="y contains NaN"):
        fitted.fit(X[:, :3], np.full(60, np.nan))
    np.testing.assert_array_equal(fitted.transform(X), kept)
