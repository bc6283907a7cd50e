"""Rules that select units from evidence."""

import numpy as np
import pytest

from genestimators.selection._evidence import Evidence, order_of
from genestimators.selection.error_control._bounds import (
    expected_false_positives,
    integrated_scores,
    largest_size,
)
from genestimators.selection.error_control._criteria import (
    CRITERIA,
    WITH_ALPHA,
    WITH_THRESHOLD,
    best_size,
    check_draws,
    select,
)
from genestimators.selection.error_control._q_values import pair_scores, q_values
from tests.selection.test_evidence import evidence_of


def random_evidence(seed, n_units=12, n_draws=40, n_signal=3, n_forced=0):
    """Draws in which some units nearly always come first, and runs without any."""
    rng = np.random.default_rng(seed)
    level = np.where(np.arange(n_units) < n_signal, 4.0, 0.0)
    scores = np.abs(level + rng.normal(size=(n_draws, n_units)))
    forced = np.arange(n_units) >= n_units - n_forced
    raised = np.where(forced, 100.0, scores)
    ranks = np.argsort(np.argsort(-raised, axis=1), axis=1) + 1
    sizes = np.arange(n_units + 1)
    losses = (sizes - n_forced - n_signal) ** 2 + rng.normal(size=(n_draws, len(sizes)))
    order = order_of(ranks, scores, forced)
    null = np.abs(rng.normal(size=(19, n_draws, n_units)))
    return Evidence(ranks, scores, order, sizes, losses, True), null, forced


@pytest.mark.parametrize("seed", range(3))
def test_prediction_takes_the_first_of_the_best_size(seed):
    """The size of the least mean loss, in the common order."""
    evidence, _, _ = random_evidence(seed)
    found = select(evidence, "prediction")
    assert found.size == evidence.losses.mean(axis=0).argmin() == best_size(evidence)
    assert set(np.flatnonzero(found.significant)) == set(evidence.order[: found.size])
    np.testing.assert_array_equal(found.order, evidence.order)


@pytest.mark.parametrize("alpha", [0.1, 1, 3.0])
@pytest.mark.parametrize("threshold", [None, 0.6, 1.0])
@pytest.mark.parametrize("criterion", ["pfer", "pfer_unimodal", "pfer_r_concave"])
def test_bounds_keep_to_their_size(criterion, threshold, alpha):
    """A draw's selection is as large as the bound allows, at that frequency."""
    evidence, _, _ = random_evidence(0)
    found = select(evidence, criterion, alpha, threshold)
    bar = threshold or 0.75
    size = largest_size(alpha, bar, 12, criterion, 20)
    assert found.size == size
    if not size:
        assert not found.significant.any()
        np.testing.assert_array_equal(found.expected_false_positives, 12.0)
        return
    frequency = (evidence.ranks <= size).mean(axis=0)
    np.testing.assert_array_equal(found.significant, frequency >= bar - 1e-9)
    bound = expected_false_positives(frequency, size, 12, criterion, 20)
    np.testing.assert_array_equal(found.expected_false_positives, bound)
    assert (bound[found.significant] <= alpha + 1e-9).all()


@pytest.mark.parametrize(("alpha", "cutoff"), [(0.04, 0.02), (0.1, 0.05), (2.0, 0.5)])
def test_integrated_scores_are_compared_with_alpha(alpha, cutoff):
    """The score of a unit is the number of false ones among those above it.

    The path ends where a unit that is always first would have a score below alpha.
    """
    evidence, _, _ = random_evidence(1)
    found = select(evidence, "pfer_integrated", alpha)
    sizes = np.arange(1, 13)
    scores = integrated_scores(evidence.path(sizes), sizes, 12, 20, cutoff=cutoff)
    np.testing.assert_array_equal(found.significant, scores <= alpha)
    np.testing.assert_array_equal(found.expected_false_positives, scores)
    assert found.size == found.significant.sum()


def test_integrated_paths_of_few_units_have_power():
    """Where alpha allows, several units that take turns are found among twenty."""
    rng = np.random.default_rng(0)
    ranks = np.empty((50, 20), int)
    for draw in ranks:
        draw[np.r_[rng.permutation(2), 2 + rng.permutation(18)]] = np.arange(1, 21)
    found = select(evidence_of(ranks), "pfer_integrated", 2.0)
    assert np.flatnonzero(found.significant).tolist() == [0, 1]


def test_fdr_compares_pairs_with_permuted_runs():
    """q-values of at most alpha."""
    evidence, null, _ = random_evidence(2)
    found = select(evidence, "fdr", 0.2, null_scores=null)
    wanted = q_values(pair_scores(evidence.scores), pair_scores(null))
    np.testing.assert_array_equal(found.q_values, wanted)
    np.testing.assert_array_equal(found.significant, wanted <= 0.2)


def test_frequency_counts_at_the_best_size():
    """A share of the draws, which rounding does not lose."""
    ranks = np.tile([1, 2, 3], (10, 1))
    ranks[:3] = [2, 1, 3]
    losses = np.tile([3.0, 1.0, 2.0, 2.0], (10, 1))
    found = select(evidence_of(ranks, losses), "frequency", threshold=0.7)
    assert found.significant.tolist() == [True, False, False]
    found = select(evidence_of(ranks, losses), "frequency", threshold=0.8)
    assert not found.significant.any()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_selected_units_come_first(criterion):
    """In the order of a rule nothing that it rejects is before what it selects."""
    for seed in range(5):
        evidence, null, forced = random_evidence(seed, n_forced=seed % 3)
        alpha = 1.0 if "pfer" in criterion else 0.3
        found = select(evidence, criterion, alpha, null_scores=null, forced=forced)
        assert sorted(found.order) == list(range(12))
        n_forced = int(forced.sum())
        assert forced[found.order[:n_forced]].all()
        along = found.significant[found.order[n_forced:]]
        assert (np.diff(along.astype(int)) <= 0).all()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_units_that_are_always_kept_are_not_tested(criterion):
    """A rule says of the others what it says where those are not there at all."""
    alpha = 2.0 if "pfer" in criterion else 0.1
    evidence, null, forced = random_evidence(3, n_units=304, n_forced=4)
    free = ~forced
    losses = evidence.losses[:, 4:]
    ranks, scores = evidence.ranks[:, free] - 4, evidence.scores[:, free]
    order = order_of(ranks, scores, np.zeros(300, bool))
    alone = Evidence(ranks, scores, order, np.arange(301), losses, True)
    wanted = select(alone, criterion, alpha, null_scores=null[:, :, free])
    found = select(evidence, criterion, alpha, null_scores=null, forced=forced)
    assert wanted.significant.any()
    np.testing.assert_array_equal(found.significant[free], wanted.significant)
    np.testing.assert_array_equal(found.frequencies[free], wanted.frequencies)
    np.testing.assert_array_equal(found.order[4:], wanted.order)
    assert found.size == wanted.size + 4
    assert not found.significant[forced].any()
    assert (found.frequencies[forced] == 1).all()
    for name in ("q_values", "expected_false_positives", "measure"):
        values, own = getattr(found, name), getattr(wanted, name)
        assert (values is None) == (own is None)
        if values is not None:
            np.testing.assert_array_equal(values[free], own)
            assert np.isnan(values[forced]).all()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_all_units_may_be_kept(criterion):
    """Where nothing is left to test, nothing is significant."""
    evidence, null, _ = random_evidence(0)
    found = select(evidence, criterion, null_scores=null, forced=np.ones(12, bool))
    assert not found.significant.any()
    assert (found.q_values is not None) == (criterion == "fdr")
    assert (found.expected_false_positives is not None) == ("pfer" in criterion)


@pytest.mark.parametrize("criterion", ["prediction", "frequency"])
def test_losses_are_needed_to_choose_a_size(criterion):
    """Draws that leave nothing out cannot tell what predicts best."""
    with pytest.raises(ValueError, match="use another `resampling`"):
        select(evidence_of([[1, 2], [2, 1]]), criterion)


@pytest.mark.parametrize(
    ("criterion", "paired", "halving", "words"),
    [
        ("fdr", False, True, "'fdr' rests on complementary pairs of subsamples; set"),
        ("pfer_unimodal", False, True, "complementary pairs"),
        ("pfer_r_concave", False, True, "complementary pairs"),
        ("pfer_integrated", False, True, "complementary pairs"),
        ("pfer", False, False, "'pfer' rests on subsamples of at most half of the"),
    ],
)
def test_bounds_rest_on_their_draws(criterion, paired, halving, words):
    """Draws that a bound does not hold for are refused."""
    with pytest.raises(ValueError, match=words):
        check_draws(criterion, paired=paired, halving=halving)
    check_draws(criterion, paired=True, halving=True)
    check_draws("prediction", paired=False, halving=False)


def test_tables_of_parameters_name_criteria():
    """Whatever takes alpha or a threshold is a criterion."""
    assert {*WITH_ALPHA, *WITH_THRESHOLD} <= set(CRITERIA)
