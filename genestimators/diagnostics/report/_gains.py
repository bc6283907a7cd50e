"""What each remedy would take off the loss, with its error."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from genestimators.diagnostics._extrapolation import line_weights
from genestimators.diagnostics.curves._power_curve import fit_power_curves
from genestimators.diagnostics.decomposition._two_way import covariance_of
from genestimators.diagnostics.error._estimate import freedom_of
from genestimators.diagnostics.error._subsampling import variance_of
from genestimators.resampling._hashing import derive

N_RESAMPLES = 500  # of the rows, to allow for the choice of a value
N_CURVES = 2000


@dataclass(frozen=True)
class Gain:
    """A loss less another one: above zero the other is the better.

    Attributes
    ----------
    value : float
    interval : tuple of float
    p_value : float
        One-sided, of no gain.
    """

    value: float
    interval: tuple
    p_value: float


def _gain(question, value, std_error, freedom):
    if not std_error > 0:
        p_value = 0.0 if value > 0 else 1.0
        return Gain(float(value), (float(value),) * 2, p_value)
    reach = stats.t.ppf(0.5 + question.level / 2, freedom) * std_error
    return Gain(
        float(value),
        (float(value - reach), float(value + reach)),
        float(stats.t.sf(value / std_error, freedom)),
    )


def _of_units(question, own, value=None, more=0.0):
    """A gain from sums over units of shares times differences of losses.

    Parameters
    ----------
    question : Question
    own : ndarray of shape (n_units,)
    value : float, default=None
        The gain where it is not the sum of them all.
    more : float, default=0.0
        Variance that rows do not show.
    """
    n = question.effective_units
    centred = own - question.unit_sums(question.shares) * own.sum()
    variance = n / (n - 1) * (centred**2).sum() + more
    value = own.sum() if value is None else value
    freedom = freedom_of(centred, n)
    return _gain(question, value, float(np.sqrt(variance)), freedom)


def over_constant(evidence):
    """What the model has less than a constant prediction."""
    question = evidence.question
    difference = evidence.constant - evidence.losses
    mean = question.shares @ difference
    own = question.unit_sums(question.shares * (difference - mean))
    variance = variance_of(question, own, evidence.whole, evidence.half, -1.0)
    freedom = freedom_of(own, question.effective_units)
    return _gain(question, mean, float(np.sqrt(variance)), freedom)


def of_averaging(evidence, loss):
    """What a bag would have less than the loss expected of one model."""
    question = evidence.question
    own = question.unit_sums(question.shares * (evidence.losses - evidence.averaged))
    value = loss - question.shares @ evidence.averaged
    return _of_units(question, own, value, _monte_carlo(evidence))


def remedied(evidence, penalty):
    """What the model has less than a constant prediction with the free remedies.

    Parameters
    ----------
    penalty : PenaltyGain or None

    Returns
    -------
    gains : dict of Gain
    """
    question = evidence.question
    own = question.unit_sums(question.shares * (evidence.constant - evidence.averaged))
    found = {"averaging": _of_units(question, own)}
    if penalty is not None:
        found["penalty"] = penalty.over_constant
    return found


def _monte_carlo(evidence):
    """Variance of the extrapolated loss, that more folds and halves would take away."""
    half, whole = evidence.half, evidence.whole
    sizes = np.array([half.size, whole.size])
    total = evidence.question.problem.weights.sum()
    weights = line_weights(1 / sizes, 1 / total)
    return weights**2 @ [half.monte_carlo(), whole.monte_carlo()]


@dataclass(frozen=True)
class PenaltyGain(Gain):
    """The same of the best value of a penalty, with the price of choosing it.

    Attributes
    ----------
    param : str
    current, best : object
        Values of the parameter.
    stronger : bool or None
        Whether the best value penalises more; None where it is the current one.
    over_constant : Gain or None
        What the model with a value chosen has less than a constant prediction.
    """

    param: str = ""
    current: object = None
    best: object = None
    stronger: bool | None = None
    over_constant: object = None


def of_penalty(evidence):
    """What another value of the penalty would have less, or None.

    The value is chosen anew on resampled rows and tested on the rows left out, so the
    gain is not that of the luckiest value (Tsamardinos et al., 2018).
    """
    path, question = evidence.penalty, evidence.question
    if path is None:
        return None
    n, n_values = question.n_units, len(path.values)
    weight = question.unit_sums(question.shares)
    sums = np.stack([question.unit_sums(question.shares * one) for one in path.losses])
    best = int(sums.sum(axis=1).argmin())
    rng = np.random.default_rng(derive(question.problem.seed, "penalty"))
    counts = rng.multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES)
    chosen = (counts @ sums.T / (counts @ weight)[:, None]).argmin(axis=1)
    left = (counts == 0).astype(float)
    # How often each value was chosen without a unit, of all times it was left out.
    times = np.zeros((n_values, n))
    np.add.at(times, chosen, left)
    share = times / np.maximum(left.sum(axis=0), 1)
    lost = (share * sums).sum(axis=0)
    lost = np.where(left.any(axis=0), lost, sums[best])
    found = _of_units(question, sums[path.current] - lost)
    constant = question.unit_sums(question.shares * evidence.constant)
    stronger = None
    if best != path.current:
        stronger = bool(path.strength[best] > path.strength[path.current])
    return PenaltyGain(
        found.value,
        found.interval,
        found.p_value,
        param=path.param,
        current=path.values[path.current],
        best=path.values[best],
        stronger=stronger,
        over_constant=_of_units(question, constant - lost),
    )


@dataclass(frozen=True, eq=False)
class LossCurve:
    """Mean losses at several sizes of the training data, and a curve through them.

    Attributes
    ----------
    sizes, losses, std_errors : ndarray of shape (4,)
    n_samples : float
    curve : PowerCurves
        Of minus the loss.
    draws : PowerCurves
        Curves through losses drawn with their errors.
    """

    sizes: np.ndarray
    losses: np.ndarray
    std_errors: np.ndarray
    n_samples: float
    curve: object
    draws: object

    def at(self, sizes, level):
        """Losses, and limits of a confidence band, at some sizes."""
        tails = [(1 + level) / 2, (1 - level) / 2]
        low, high = -np.quantile(self.draws.at(sizes), tails, axis=0)
        return -self.curve.at(sizes)[0], low, high

    def doubling(self, level, most):
        """What twice as many rows would have less, of a loss no more than all."""
        n = self.n_samples
        now, then = -self.curve.at([n, 2 * n])[0]
        drawn = self.draws.at([n, 2 * n])
        gains = np.minimum(drawn[:, 1] - drawn[:, 0], most)
        tails = [(1 - level) / 2, (1 + level) / 2]
        low, high = np.quantile(gains, tails)
        return Gain(
            float(min(now - then, most)),
            (float(low), float(high)),
            float((gains <= 0).mean()),
        )


def loss_curve(evidence):
    """The curve through the losses of pairs, halves and folds."""
    question, pairs = evidence.question, evidence.pairs
    n_sizes = pairs.n_sizes
    means = pairs.sums.means()[:, 0]
    losses = [*(means[:n_sizes] + means[n_sizes:])]
    influence = pairs.sums.row_influence()[:, 0]
    influence = (influence[:n_sizes] + influence[n_sizes:])[:, question.used]
    rows = [*influence]
    _, replicates = pairs.sums.covariances(question.problem.clusters)
    total = replicates[0]
    monte_carlo = [total[i, i] + total[i + n_sizes, i + n_sizes]
                   + 2 * total[i, i + n_sizes] for i in range(n_sizes)]  # fmt: skip
    sizes = [*pairs.sizes]
    for left in (evidence.half, evidence.whole):
        losses.append(float(left.mean @ question.scale))
        flat = left.rows @ question.scale
        rows.append(question.shares * (flat - question.shares @ flat))
        sizes.append(left.size / question.problem.mean_weight)
        monte_carlo.append(left.monte_carlo())
    sizes, losses = np.array(sizes), np.array(losses)
    units = np.stack([question.unit_sums(one) for one in rows])
    covariance = covariance_of(units[:, None])[0] + np.diag(monte_carlo)
    covariance += _of_training(evidence, sizes)
    std_errors = np.sqrt(np.diag(covariance))
    rng = np.random.default_rng(derive(question.problem.seed, "curves"))
    drawn = rng.multivariate_normal(-losses, covariance, size=N_CURVES, method="eigh")
    least = 1e-6 * np.abs(losses).max() or 1.0
    weight = 1 / np.maximum(std_errors, least) ** 2
    return LossCurve(
        sizes=sizes,
        losses=losses,
        std_errors=std_errors,
        n_samples=question.problem.n_used,
        curve=fit_power_curves(-losses[None], sizes, weight, 0.0),
        draws=fit_power_curves(drawn, sizes, weight, 0.0),
    )


def _of_training(evidence, sizes):
    """What training rows do to losses: one and the same data, and less the more."""
    half, question = evidence.half, evidence.question
    effects, noise = half.effects()
    square = half.share**2 * ((effects**2).sum() - question.n_units * noise)
    size = half.size / question.problem.mean_weight
    reach = np.sqrt(max(square, 0.0)) * size / sizes
    return np.outer(reach, reach)
