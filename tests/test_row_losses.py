"""Scores from mean row losses, equal to scikit-learn's own."""

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import d2_tweedie_score, get_scorer, mean_tweedie_deviance

from genestimators._row_losses import (
    OF_SCORERS,
    RELATIVE,
    LossTable,
    constant_losses,
    mean_over_rows,
    row_losses,
    scores_of_means,
    tweedie_deviances,
)
from genestimators._scoring import Measure, Outputs, ScorerCall, call_scorer

POWERS = [-2.5, -1, 0, 1, 1.5, 1.9, 2, 2.5, 3]
REGRESSION = [name for name, one in OF_SCORERS.items() if one.answer == "predict"]


def data(power, seed, n=50, n_values=3):
    """Targets in the domain of a power, of positive mean, and predictions of them."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(size=n))
    if power < 1:
        target = mean + 0.5 * rng.normal(size=n)
    elif power < 2:
        target = rng.poisson(mean) * rng.gamma(2, 0.5, n)
    else:
        target = mean * rng.gamma(2, 0.5, n)
    predicted = mean * np.exp(0.3 * rng.normal(size=(n_values, n)))
    if power == 0:
        predicted -= 1.0
    return target, predicted, rng.gamma(0.5, size=n)


def scores(kind, power, predicted, target, weight):
    """Of every candidate."""
    column = target[:, None]
    losses = row_losses(kind, predicted[:, :, None], column, power)
    baseline = None
    if kind in RELATIVE:
        baseline = mean_over_rows(constant_losses(kind, column, weight, power), weight)
    return scores_of_means(kind, mean_over_rows(losses, weight), baseline)


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_deviances_equal_the_metrics(power, weighted, seed):
    """Mean deviances and the part of them that is explained, for every candidate."""
    target, predicted, weight = data(power, seed)
    weight = weight if weighted else None
    how = {"power": power, "sample_weight": weight}
    expected = [-mean_tweedie_deviance(target, one, **how) for one in predicted]
    found = scores("deviance", power, predicted, target, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    expected = [1 - d2_tweedie_score(target, one, **how) for one in predicted]
    found = 1 - scores("d2", power, predicted, target, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        PoissonRegressor(),
        GammaRegressor(),
        *[TweedieRegressor(power=power, link="log") for power in (0, 1, 1.5, 2, 3)],
        TweedieRegressor(power=0),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_deviances_equal_the_score_of_the_estimator(model, weighted):
    """It works with the linear predictor, here are predictions."""
    power = getattr(model, "power", {PoissonRegressor: 1}.get(type(model), 2))
    target, _, weight = data(power, 3, 80)
    X = np.random.default_rng(4).normal(size=(80, 3)) + 0.1 * target[:, None]
    model.set_params(max_iter=1000, alpha=0.1).fit(X, target)
    weight = weight if weighted else None
    expected = model.score(X, target, sample_weight=weight)
    found = scores("d2", power, model.predict(X)[None], target, weight)
    np.testing.assert_allclose(1 - found, 1 - expected, rtol=1e-12)


@pytest.mark.parametrize("name", REGRESSION)
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_the_scorers(name, weighted):
    """Every score of predictions that is known by its name."""
    known = OF_SCORERS[name]
    target, predicted, weight = data(2, 5)
    weight = weight if weighted else None
    measure = Measure("scorer", ScorerCall(get_scorer(name)))
    expected = [
        call_scorer(measure, Outputs(one), None, target, weight) for one in predicted
    ]
    found = scores(known.kind, known.power, predicted, target, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["deviance", "d2"])
def test_a_table_of_deviances_has_their_scores(kind):
    """Also of some rows only, counted as often as they were drawn."""
    target, predicted, counts = data(1, 6)
    counts = np.floor(3 * counts)
    losses = row_losses(kind, predicted[:, :, None], target[:, None], 1)[:, :, 0]
    baseline = constant_losses("d2", target[:, None], counts, 1)[:, 0]
    if kind == "d2":
        losses = losses / np.average(baseline, weights=counts)
    found = LossTable(kind, losses, None).scores(counts)
    drawn = np.repeat(np.arange(len(target)), counts.astype(int))
    expected = scores(kind, 1, predicted[:, drawn], target[drawn], None)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("power", [1, 1.5, 2, 3])
def test_large_targets_with_little_spread(power):
    """Deviances are what is left of numbers much larger than they are."""
    rng = np.random.default_rng(7)
    target = 1e6 + rng.normal(size=(40, 1))
    mean = target + rng.normal(size=(2, 40, 1))
    # To the third order of the difference, which is 1e-6 of either.
    apart = mean - target
    middle = (mean + 2 * target) / 3
    expected = apart**2 / middle**power
    # Terms of a deviance are of size target ** (2 - power), and so is their rounding,
    # some units in the last place; the deviance is 1e-12 times that.
    found = tweedie_deviances(power, mean, target)
    np.testing.assert_allclose(found, expected, atol=1e-15 * 1e6 ** (2 - power))


def test_single_precision_predictions_are_scored_in_double():
    """As they are, not as the target rounded to them."""
    target, predicted, _ = data(1, 8)
    narrow = predicted.astype(np.float32)
    found = scores("deviance", 1, narrow, target, None)
    expected = scores("deviance", 1, narrow.astype(np.float64), target, None)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("power", [-1, 1, 1.5, 2, 3])
@pytest.mark.parametrize("bad", [0.0, -2.0])
def test_predictions_that_have_no_deviance(power, bad):
    """One of one candidate is refused, as the metric refuses it."""
    target, predicted, _ = data(power, 9)
    predicted[1, 4] = bad
    with pytest.raises(ValueError, match="strictly positive"):
        mean_tweedie_deviance(target, predicted[1], power=power)
    with pytest.raises(
        ValueError,
        match=rf"power {power:g} needs predictions greater than 0\. Got {bad:g} from a "
        "candidate; use a model of positive predictions, or another `scoring`",
    ):
        scores("deviance", power, predicted, target, None)


@pytest.mark.parametrize(
    ("power", "bad", "words"),
    [(1, -1, "at least 0"), (1.5, -1, "at least 0"), (2, 0, "greater than 0"),
     (3, -1, "greater than 0")],
)  # fmt: skip
def test_targets_that_have_no_deviance(power, bad, words):
    """They are refused, as the metric refuses them."""
    target, predicted, _ = data(power, 10)
    target[3] = bad
    with pytest.raises(ValueError, match="can only be used on"):
        mean_tweedie_deviance(target, predicted[0], power=power)
    message = rf"power {power:g} needs targets .*{words}\. Got {bad}; use another"
    with pytest.raises(ValueError, match=message):
        scores("d2", power, predicted, target, None)


def test_any_number_has_a_normal_deviance():
    """Negative targets with a power below one, and anything with power zero."""
    target, predicted, _ = data(0, 11)
    assert np.isfinite(scores("d2", 0, -predicted, target, None)).all()
    target, predicted, _ = data(-1, 12)
    assert (target < 0).any()
    assert np.isfinite(scores("d2", -1, predicted, target, None)).all()


@pytest.mark.parametrize("power", [1, 1.5, 2, 3])
def test_predictions_that_are_not_finite_have_no_finite_score(power):
    """Other candidates keep theirs."""
    target, predicted, _ = data(power, 13)
    expected = scores("d2", power, predicted, target, None)
    for bad in (np.nan, np.inf):
        predicted[1, :2] = bad
        found = scores("d2", power, predicted, target, None)
        np.testing.assert_array_equal(found[[0, 2]], expected[[0, 2]])
        # The deviance of a mean without limit has one where the power is above two.
        assert not np.isfinite(found[1]) or (power > 2 and bad == np.inf)
