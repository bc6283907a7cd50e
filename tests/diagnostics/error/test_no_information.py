"""The no-information rate, against every target with every prediction."""

import numpy as np
import pytest
from sklearn.metrics import get_scorer

from genestimators._row_losses import OF_SCORERS, row_losses
from genestimators._scoring import Measure, Outputs, ScorerCall, call_scorer
from genestimators.diagnostics.error._no_information import no_information

POWERS = [-2.5, -1, 0, 1, 1.5, 1.9, 2, 2.5, 3]
KINDS = {(one.kind, one.power) for one in OF_SCORERS.values()}
KINDS |= {(kind, power) for kind in ("deviance", "d2") for power in POWERS}
KINDS = sorted(KINDS, key=str)


def _every_pair(kind, answer, target, shares, power=None):
    """Losses of all n^2 pairs, one after the other."""
    total = 0.0
    for own, one in zip(shares, answer, strict=True):
        for other, observed in zip(shares, target, strict=True):
            loss = row_losses(kind, one[None, None], observed[None], power)
            total = total + own * other * loss[0, 0]
    return total


def _data(kind, power, seed, n=15):
    """Answers and targets with ties, several outputs where that is allowed, weights."""
    rng = np.random.default_rng(seed)
    shares = rng.gamma(0.5, size=n)
    if kind == "accuracy":
        answer, target = rng.integers(0, 3, size=(2, n, 1 + seed % 2)).astype(float)
    elif kind in ("log", "brier"):
        k = 2 + seed % 2
        answer = rng.dirichlet(np.full(k, 0.3), size=n)
        answer[0] = np.eye(k)[0]  # a certain one
        target = np.eye(k)[rng.integers(0, k, size=n)]
    elif power is None:
        answer, target = np.round(rng.normal(size=(2, n, 1 + seed % 3)), 1)
        answer += 0.5
    else:
        answer = np.exp(rng.normal(size=(n, 1)))
        target = answer * rng.gamma(2, 0.5, size=(n, 1))
        if power < 2:
            target[:5] = 0.0
        if power < 1:
            target -= seed  # the mean may be below zero
        if power == 0:
            answer -= 1.0
    return answer, target, shares / shares.sum()


@pytest.mark.parametrize(("kind", "power"), KINDS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_closed_forms_equal_all_pairs(kind, power, seed):
    """Every kind of loss by rows, weighted."""
    answer, target, shares = _data(kind, power, seed)
    found = no_information(kind, answer, target, shares, power)
    expected = _every_pair(kind, answer, target, shares, power)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["squared", "absolute"])
def test_large_offsets_cost_no_digits(kind):
    """Targets and predictions a million away from zero, and one row of huge weight."""
    answer, target, shares = _data(kind, None, 2)
    shares = np.append(shares[:-1] * 1e-6, 1.0)
    told = answer + 1e6, target + 1e6, shares / shares.sum()
    expected = _every_pair(kind, *told)
    np.testing.assert_allclose(no_information(kind, *told), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["squared", "absolute", "accuracy"])
def test_one_row_and_constants(kind):
    """The loss of that row; nothing where all are right."""
    one = np.ones((1, 1))
    assert no_information(kind, one, 3 * one, one[0]) > 0
    equal = np.full((7, 1), 2.0)
    assert no_information(kind, equal, equal, np.full(7, 1 / 7)) == pytest.approx(0)


def test_formulas_in_words():
    """Shares of labels; moments of targets and predictions."""
    rng = np.random.default_rng(0)
    weight = rng.gamma(1, size=200)
    shares = weight / weight.sum()
    label, target = rng.integers(0, 4, size=(2, 200, 1)).astype(float)
    p = [shares[target[:, 0] == k].sum() for k in range(4)]
    q = [shares[label[:, 0] == k].sum() for k in range(4)]
    rate = sum(a * (1 - b) for a, b in zip(p, q, strict=True))
    assert no_information("accuracy", label, target, shares)[0] == pytest.approx(rate)
    moments = [
        (np.average(one, weights=shares), np.cov(one, aweights=weight, ddof=0))
        for one in (label[:, 0], target[:, 0])
    ]
    rate = moments[0][1] + moments[1][1] + (moments[0][0] - moments[1][0]) ** 2
    assert no_information("squared", label, target, shares)[0] == pytest.approx(rate)


@pytest.mark.parametrize("name", ["neg_log_loss", "neg_brier_score"])
def test_probabilities_by_the_scorer(name):
    """The scorer of scikit-learn on a table of all pairs."""
    answer, target, shares = _data("log", None, 1)
    n, k = answer.shape
    proba = np.repeat(answer, n, axis=0)
    label = np.tile(target.argmax(axis=1), n)
    weight = np.outer(shares, shares).ravel()
    measure = Measure("scorer", ScorerCall(get_scorer(name)))
    outputs = Outputs(label, proba, None, np.arange(k))
    score = call_scorer(measure, outputs, None, label, weight)
    found = no_information(OF_SCORERS[name].kind, answer, target, shares)
    assert found[0] == pytest.approx(-score, rel=1e-12)


def test_a_loss_without_closed_form_is_refused():
    one = np.ones((3, 1))
    with pytest.raises(ValueError, match=r"no closed form.*'pinball'.*method="):
        no_information("pinball", one, one, np.full(3, 1 / 3))
