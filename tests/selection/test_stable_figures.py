"""How many features are kept, which always are, groups, and figures after a fit."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from genestimators.selection._stable_selector import StableFeatureSelector
from genestimators.selection.error_control._criteria import CRITERIA
from genestimators.selection.error_control._stability import selection_stability
from tests.selection.stable_toys import OwnRidge, clear_problem

pytestmark = pytest.mark.filterwarnings(
    "ignore::genestimators._exceptions.NothingSelectedWarning"
)


def selector(estimator=None, **kwargs):
    settings = {"n_resamples": 10, "random_state": 0, **kwargs}
    return StableFeatureSelector(estimator, **settings)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_numbers_of_features(criterion):
    """At least so many and at most so many, in the order of the rule."""
    X, y = clear_problem()
    step = selector(criterion=criterion).fit(X, y)
    n_found = step.n_features_significant_
    last = set()
    for least in range(11):
        support = step.set_params(min_features_to_select=least).get_support(True)
        assert len(support) == max(least, n_found)
        assert last <= set(support)
        last = set(support)
    step.set_params(min_features_to_select=0)
    for most in range(10, 0, -1):
        support = step.set_params(max_features=most).get_support(True)
        assert len(support) == min(most, n_found)
        assert set(support) <= last
        last = set(support)


@pytest.mark.parametrize("estimator", [None, OwnRidge()])
def test_groups_stand_or_fall_together(estimator):
    """Members share their figures, and are kept or dropped as one."""
    X, y = clear_problem(p=8)
    groups = ["a", "b", "a", "c", "c", "d", "e", "d"]
    step = selector(estimator, feature_groups=groups, importance="coef").fit(X, y)
    assert step.feature_groups_.tolist() == [0, 1, 0, 2, 2, 3, 4, 3]
    assert step.ranks_.shape == (20, 5)
    assert {0, 1, 2} <= set(step.get_support(indices=True))
    for values in (step.scores_, step.selection_probabilities_, step.get_support()):
        for unit in range(5):
            assert len(set(values[step.feature_groups_ == unit])) == 1
    step.set_params(criterion="prediction", min_features_to_select=4)
    assert step.get_support().sum() >= 4
    assert step.get_support()[0] == step.get_support()[2]


def test_groups_are_not_cut_by_max_features():
    """The best groups that fit are kept whole; if none does the message says so."""
    X, y = clear_problem(p=8)
    groups = [0, 0, 0, 1, 2, 3, 4, 5]
    step = selector(feature_groups=groups, max_features=3).fit(X, y)
    assert step.get_support(indices=True).tolist() == [0, 1, 2]
    words = (
        r"room for the best groups .* Got 2, and the sizes .* begin with \[3, 1, 1\]"
    )
    with pytest.raises(ValueError, match=words):
        step.set_params(max_features=2).get_support()
    with pytest.raises(ValueError, match=words):
        step.fit(X, y)
    assert not step.set_params(min_features_to_select=0).get_support().any()


def test_automatic_groups():
    """Copies, and indicators of one category, are clusters."""
    rng = np.random.default_rng(0)
    X, y = clear_problem(p=5)
    kind = rng.random(100) < 0.4
    wide = np.column_stack([X, X[:, 0] + 0.1 * rng.normal(size=100), kind, ~kind])
    step = selector(feature_groups="auto").fit(wide, y)
    assert step.feature_groups_.tolist() == [0, 1, 2, 3, 4, 0, 5, 5]
    assert step.get_support()[[0, 1, 2, 5]].all()
    assert step.get_support()[6] == step.get_support()[7]


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("estimator", [None, OwnRidge()])
def test_features_that_are_always_kept(estimator, criterion):
    """By position, from the end, by mask or name, whatever the rule finds."""
    pd = pytest.importorskip("pandas")
    X, y = clear_problem(p=6)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    mask = np.isin(np.arange(6), [3, 5])
    importance = "elimination" if estimator is None else "coef"
    settings = {"criterion": criterion, "importance": importance, "n_resamples": 1}
    found = [
        selector(estimator, always_keep=keep, **settings).fit(frame, y)
        for keep in (["d", "f"], [3, -1], mask, mask.tolist())
    ]
    for step in found:
        assert step.get_support()[[3, 5]].all()
        assert (step.selection_probabilities_[[3, 5]] == 1).all()
        np.testing.assert_array_equal(step.ranks_, found[0].ranks_)
        assert step.n_features_significant_ <= 4


def test_features_that_are_always_kept_are_not_counted():
    """They are neither significant nor tested, and leave the others their chances."""
    X, y = clear_problem()
    step = selector(always_keep=[7, 8, 9], criterion="pfer", alpha=1).fit(X, y)
    assert step.n_features_significant_ >= 1
    assert step.get_support()[[0, 7, 8, 9]].all()
    assert np.isnan(step.expected_false_positives_[7:]).all()
    step.set_params(criterion="fdr", alpha=0.1)
    assert step.get_support(indices=True).tolist() == [0, 1, 2, 7, 8, 9]
    assert np.isnan(step.q_values_[7:]).all()
    assert (step.q_values_[:3] <= 0.1).all()
    assert step.n_features_significant_ == 3
    free = step.ranks_[:, :7] <= step.n_selected_
    assert step.stability_ == selection_stability(free).value


def test_a_member_keeps_its_group():
    """Keeping a feature keeps what stands or falls with it."""
    X, y = clear_problem(p=6)
    step = selector(always_keep=[5], feature_groups=[0, 1, 2, 3, 4, 4]).fit(X, y)
    assert step.get_support()[[4, 5]].all()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_figures(criterion):
    """Shapes, ranges, and how figures hang together."""
    X, y = clear_problem()
    step = selector(criterion=criterion).fit(X, y)
    assert step.n_draws_ == 20
    np.testing.assert_array_equal(np.sort(step.ranks_), [np.arange(1, 11)] * 20)
    assert step.scores_.shape == (10,)
    assert (step.scores_ >= 0).all()
    assert step.stability_paths_.shape == (10, 10)
    assert (np.diff(step.stability_paths_, axis=0) >= 0).all()
    assert (step.stability_paths_[-1] == 1).all()
    assert step.nested_losses_.shape == (20, len(step.nested_sizes_))
    if step.n_selected_:
        path = step.stability_paths_[step.n_selected_ - 1]
        np.testing.assert_array_equal(step.selection_probabilities_, path)
        assert step.selection_probabilities_.sum() == pytest.approx(step.n_selected_)
    chosen = selection_stability(step.ranks_ <= step.n_selected_)
    assert step.stability_ == pytest.approx(chosen.value, nan_ok=True)
    low, high = step.stability_interval_
    assert np.isnan(low) or low <= step.stability_ <= high
    if criterion == "fdr":
        assert ((step.q_values_ > 0) & (step.q_values_ <= 1)).all()
        assert step.n_features_significant_ == (step.q_values_ <= 0.1).sum()
    if "pfer" in criterion:
        bound = step.expected_false_positives_
        assert ((bound > 0) & (bound <= 10)).all()


def test_figures_cannot_be_written_to_evidence():
    """Attributes are fresh arrays or the evidence's own, never changed by a rule."""
    X, y = clear_problem()
    step = selector().fit(X, y)
    before = step.scores_.copy()
    step.scores_[:] = -1
    step.selection_probabilities_[:] = -1
    np.testing.assert_array_equal(step.scores_, before)
    assert step.selection_probabilities_.min() >= 0


def test_fit_changes_no_parameter():
    """Parameters, data and the estimator handed in stay as they were."""
    X, y = clear_problem()
    base, keep = Ridge(), [1]
    step = selector(base, always_keep=keep, feature_groups=list(range(10)))
    before, data = step.get_params(), (X.copy(), y.copy())
    step.fit(X, y)
    assert step.get_params() == before
    assert not hasattr(base, "coef_")
    np.testing.assert_array_equal(X, data[0])
    np.testing.assert_array_equal(y, data[1])


def test_verbose_reports_draws(capsys):
    """Fits that are repeated say how far they are."""
    X, y = clear_problem(n=40, p=3)
    selector(OwnRidge(), n_resamples=1, verbose=2).fit(X, y)
    assert "[StableFeatureSelector] 1/2 draws" in capsys.readouterr().out
