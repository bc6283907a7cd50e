"""The .632 and .632+ estimates: plain loops, exact derivatives, the true spread."""

import itertools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    Bootstrap,
    FewReplicatesWarning,
    GroupBootstrap,
    InterpolatingWarning,
)
from genestimators import generalization_error as error_of
from genestimators.diagnostics.error._bootstrap import _effects, plus
from genestimators.resampling._hashing import derive, mix_int
from tests.diagnostics.toys import classes, regression

SEED = 3
N_SAMPLES = 25
few_samples = pytest.mark.filterwarnings("ignore:The standard error rests")


def _draws(X, y, weight=None, groups=None, classifier=False):
    """The samples that are drawn for SEED."""
    first = np.random.RandomState(SEED).randint(np.iinfo(np.int32).max)
    seed = derive(mix_int(int(first)), "bootstrap")
    kind = Bootstrap() if groups is None else GroupBootstrap()
    told = {"classifier": classifier, "weight_mode": "importance"}
    return kind.prepare(X, y, weight, groups, seed, **told)


def _row_loss(name, y, model, X, known):
    """Losses of rows, written out."""
    if name == "accuracy":
        return (model.predict(X) != y).astype(float)
    if name == "neg_log_loss":
        return -np.log(model.predict_proba(X)[np.arange(len(y)), y])
    if name == "neg_brier_score":
        hot = y[:, None] == known
        half = 0.5 if len(known) == 2 else 1.0
        return half * ((model.predict_proba(X) - hot) ** 2).sum(axis=1)
    found = model.predict(X)
    if name == "neg_mean_absolute_error":
        return np.abs(y - found)
    if name == "neg_mean_poisson_deviance":
        log = np.log(np.where(y > 0, y, 1) / found)
        return 2 * (y * log - y + found)
    return (y - found) ** 2


def _plain(model, X, y, name, draws, method, weight, groups):
    """The estimate and its variance, row by row and sample by sample."""
    used = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    share = np.ones(len(y)) if weight is None else weight
    share = share / share.sum()
    unit = np.arange(len(y)) if groups is None else groups
    labels = np.unique(unit[used])
    known = np.unique(y)
    everything = clone(model).fit(X[used], y[used], share[used] * len(used))
    inside = np.zeros((N_SAMPLES, len(labels)))
    lost = np.full((N_SAMPLES, len(y)), np.nan)
    for b in range(N_SAMPLES):
        draw = draws[b]
        fitted = clone(model).fit(X[draw.rows], y[draw.rows], draw.counts)
        times = draw.counts if weight is None else draw.counts / weight[draw.rows]
        for row, n in zip(draw.rows, times, strict=True):
            inside[b, labels == unit[row]] = n
        out = [i for i in used if inside[b, labels == unit[i]] == 0]
        lost[b, out] = _row_loss(name, y[out], fitted, X[out], known)
    left = np.full(len(y), np.nan)
    left[used] = np.nanmean(lost[:, used], axis=0)
    training = np.full(len(y), np.nan)
    training[used] = _row_loss(name, y[used], everything, X[used], known)
    # Losses of every target with every prediction.
    rate = 0.0
    for i in used:
        other = np.full(len(used), y[i])
        losses = _row_loss(name, other, everything, X[used], known)
        rate += share[i] * share[used] @ losses
    unit_of = [used[unit[used] == label] for label in labels]
    error, apparent = share[used] @ left[used], share[used] @ training[used]
    baseline, moved = 1.0, np.zeros(len(y))
    if name == "r2":
        mean = share @ y
        baseline = share @ (y - mean) ** 2
        moved = (y - mean) ** 2 - baseline
    overfitting = 0.0
    if min(error, rate) - apparent > 1e-9 * rate:
        overfitting = (min(error, rate) - apparent) / (rate - apparent)
    w = 0.632
    if method == ".632+":
        w = 0.632 / (1 - 0.368 * overfitting)
    loss = 0.368 * apparent + 0.632 * error
    loss += (w - 0.632) * (min(error, rate) - apparent)
    mixed = (1 - w) * training + w * left
    mixed = (mixed - share[used] @ mixed[used]) / baseline
    mixed = mixed - ((1 - w) * apparent + w * error) / baseline**2 * moved
    chance = (inside == 0).mean()
    rest = np.zeros(N_SAMPLES)
    for b in range(N_SAMPLES):
        for place, rows in enumerate(unit_of):
            if inside[b, place] == 0:
                rest[b] += share[rows] @ (lost[b, rows] - left[rows])
    variance = naive = 0.0
    for place, rows in enumerate(unit_of):
        terms = w * (inside[:, place] - 1) * rest / chance / baseline
        own = share[rows] @ mixed[rows]
        variance += (own + terms.mean()) ** 2 - terms.var(ddof=1) / N_SAMPLES
        naive += own**2
    return loss / baseline, max(variance, naive / 2)


REGRESSIONS = [
    "r2",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_mean_poisson_deviance",
]
CLASSES = ["accuracy", "neg_log_loss", "neg_brier_score"]


@few_samples
@pytest.mark.parametrize("method", [".632", ".632+"])
@pytest.mark.parametrize("kind", ["rows", "groups", "weights"])
@pytest.mark.parametrize("scoring", REGRESSIONS + CLASSES)
def test_numbers_equal_a_plain_loop(scoring, kind, method):
    """Scores and standard errors of all scores that are means over rows."""
    weight = groups = None
    if scoring in CLASSES:
        X, y = classes(40, 2, k=3 if scoring == "neg_brier_score" else 2, seed=1)
        model = GaussianNB(var_smoothing=0.1)
    else:
        X, y = regression(40, 3, seed=1)
        model = LinearRegression()
    if scoring == "neg_mean_poisson_deviance":
        y, model = np.floor(2 * np.abs(y)), DummyRegressor()
    if kind == "groups":
        groups = np.random.default_rng(2).integers(0, 12, size=40)
    if kind == "weights":
        weight = np.random.default_rng(0).gamma(2, size=40)
        weight[::7] = 0.0
    found = error_of(
        model, X, y, scoring=scoring, method=method, n_repeats=N_SAMPLES,
        groups=groups, sample_weight=weight, random_state=SEED,
    )  # fmt: skip
    draws = _draws(X, y, weight, groups, scoring in CLASSES)
    loss, variance = _plain(model, X, y, scoring, draws, method, weight, groups)
    score = 1 - loss if scoring in ("r2", "accuracy") else -loss
    error = np.sqrt(variance)
    if scoring == "neg_root_mean_squared_error":
        score, error = -np.sqrt(loss), error / (2 * np.sqrt(loss))
    np.testing.assert_allclose(found.score, score, rtol=1e-8)
    np.testing.assert_allclose(found.std_error, error, rtol=1e-8)
    assert found.interval[0] < found.score < found.interval[1]
    assert found.n_fits <= N_SAMPLES + 1


@pytest.mark.parametrize("method", [".632", ".632+"])
def test_several_outputs_are_averaged(method):
    """Of two equal outputs, R2 is that of one."""
    X, y = regression(40)
    told = {"method": method, "n_repeats": 10, "random_state": 0}
    draws_alike = {"groups": np.arange(40)}  # keys of rows depend on the outputs
    one = error_of(LinearRegression(), X, y, **told, **draws_alike)
    two = error_of(
        LinearRegression(), X, np.stack([y, 5 * y], 1), **told, **draws_alike
    )
    assert two.score == pytest.approx(one.score, rel=1e-9)
    assert two.std_error == pytest.approx(one.std_error, rel=1e-9)


class _EverySample:
    """All n^n samples of n rows, as draws."""

    balanced_block = 500

    def __init__(self, n):
        rows = np.array(list(itertools.product(range(n), repeat=n)))
        self.counts = np.stack([(rows == i).sum(axis=1) for i in range(n)], axis=1)

    def counts_matrix(self, numbers):
        return self.counts[list(numbers)]


def _out_of_bag_loss(P, counts, losses, weight):
    """The loss where row i is drawn with chance P_i and is a share P_i of all rows."""
    chance = np.prod(P**counts, axis=1)
    out = counts == 0
    each = (chance @ (out * losses)) / (chance @ out)
    return P * weight @ each / (P @ weight)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_effects_are_derivatives(equal, seed):
    """With all samples, what a row does to the loss is the exact derivative.

    For equal weights it is also what Efron and Tibshirani (1997) write.
    """
    n = 5
    rng = np.random.default_rng(seed)
    draws = _EverySample(n)
    counts = draws.counts
    losses = rng.gamma(1, size=counts.shape)  # any function of the sample
    losses += counts @ rng.normal(size=(n, n)) + 10
    weight = np.ones(n) if equal else rng.gamma(2, size=n)
    share = weight / weight.sum()
    out = counts == 0
    each = (out * losses).sum(axis=0) / out.sum(axis=0)
    error = share @ each
    effects, _ = _effects(draws, np.arange(n), out * losses @ share, share * each)
    found = share * (each - error) + effects
    step = 1e-5
    for i in range(n):
        ends = []
        for eps in (-step, step):
            P = np.full(n, (1 - eps) / n)
            P[i] += eps
            ends.append(_out_of_bag_loss(P, counts, losses, weight))
        slope = (ends[1] - ends[0]) / (2 * step) / n
        assert found[i] == pytest.approx(slope, rel=1e-6, abs=1e-9)
    if equal:
        q = (out * losses).mean(axis=1)
        e_n = (1 - 1 / n) ** -n
        theirs = (2 + 1 / (n - 1)) * (each - error) / n
        theirs += e_n * ((counts - 1) * q[:, None]).mean(axis=0)
        np.testing.assert_allclose(found, theirs, atol=1e-12)


def test_weight_of_the_out_of_bag_loss():
    """From .632 for a fit that does not overfit to 1 for one that knows nothing."""
    loss, weight = plus(0.2, 0.2, 0.5)
    assert weight == pytest.approx(0.632)
    assert loss == pytest.approx(0.2)
    loss, weight = plus(0.0, 0.5, 0.5)
    assert (loss, weight) == (pytest.approx(0.5), pytest.approx(1.0))
    # Worse than nothing: capped in what comes on top, as in the paper.
    loss, weight = plus(0.0, 0.7, 0.5)
    assert weight == pytest.approx(1.0)
    assert loss == pytest.approx(0.632 * 0.7 + 0.368 * 0.5)
    # Better outside than in training, or nothing to know: no overfitting.
    for told in [(0.3, 0.2, 0.5), (0.5, 0.6, 0.5), (0.6, 0.7, 0.5), (0.0, 0.0, 0.0)]:
        loss, weight = plus(*told)
        assert weight == pytest.approx(0.632)
        assert loss == pytest.approx(0.368 * told[0] + 0.632 * told[1])
    loss, weight = plus(0.1, 0.3, 0.5)
    assert weight == pytest.approx(0.632 / (1 - 0.368 * 0.5))
    assert loss == pytest.approx((1 - weight) * 0.1 + weight * 0.3)


@few_samples
@pytest.mark.parametrize("method", [".632", ".632+"])
def test_order_does_not_matter(method):
    """Samples follow the content of rows."""
    X, y = regression(40, seed=7)
    order = np.random.default_rng(0).permutation(40)
    told = {"method": method, "n_repeats": 10, "random_state": 0}
    one = error_of(LinearRegression(), X, y, **told)
    other = error_of(LinearRegression(), X[order], y[order], **told)
    assert other.score == pytest.approx(one.score, rel=1e-9)
    assert other.std_error == pytest.approx(one.std_error, rel=1e-9)


def test_samples_that_leave_nothing_out():
    """Of three groups some samples hold all; trees refuse to predict no rows."""
    X, y = regression(30)
    tree = DecisionTreeRegressor(min_samples_leaf=5)
    told = {"groups": np.arange(30) % 3, "n_repeats": 30, "random_state": 0}
    found = error_of(tree, X, y, method=".632", **told)
    assert found.n_fits < 31
    assert found.interval[0] < found.score < found.interval[1]
    draws = _draws(X, y, groups=np.arange(30) % 2)
    assert any(not len(draws[b].out_of_bag) for b in range(2))
    full = next(seed for seed in range(50) if _both_full(X, y, np.arange(30) % 2, seed))
    with pytest.raises(ValueError, match="2 samples with all 2 groups"):
        error_of(
            tree, X, y, method=".632", groups=np.arange(30) % 2, n_repeats=2,
            random_state=full,
        )  # fmt: skip


def _both_full(X, y, groups, seed):
    """Whether the first two samples hold both groups."""
    first = np.random.RandomState(seed).randint(np.iinfo(np.int32).max)
    word = derive(mix_int(int(first)), "bootstrap")
    draws = GroupBootstrap().prepare(X, y, None, groups, word, weight_mode="importance")
    return not any(len(draws[b].out_of_bag) for b in range(2))


def test_few_samples_leave_rows_without_a_loss():
    """Such rows get the mean of the others."""
    X, y = regression(12)
    found = error_of(
        DummyRegressor(), X, y, scoring="r2", method=".632", n_repeats=2, random_state=0
    )
    assert np.isfinite([found.score, found.std_error, *found.interval]).all()


@few_samples
@pytest.mark.parametrize("method", [".632", ".632+"])
def test_interpolation_is_told(method):
    X, y = classes(60, seed=3)
    told = {"method": method, "n_repeats": 10, "random_state": 0}
    with pytest.warns(InterpolatingWarning, match="the learner interpolates"):
        error_of(DecisionTreeClassifier(random_state=0), X, y, **told)


def test_few_samples_are_told(recwarn):
    """Effects of many rows cannot be told from noise with few samples."""
    X, y = regression(400)
    tree = DecisionTreeRegressor(min_samples_leaf=3, random_state=0)
    told = {"method": ".632", "random_state": 0}
    with pytest.warns(FewReplicatesWarning, match=r"Got 10 samples; raise `n_repeats`"):
        error_of(tree, X, y, n_repeats=10, **told)
    recwarn.clear()
    error_of(LinearRegression(), X, y, n_repeats=100, **told)
    assert not [one for one in recwarn if one.category is FewReplicatesWarning]


def test_a_perfect_fit_is_no_interpolation(recwarn):
    """Nothing is lost in training since nothing is to be lost."""
    X, _ = regression(40)
    found = error_of(LinearRegression(), X, X @ [1.0, 2.0, 3.0], method=".632+")
    assert found.score == pytest.approx(1.0)
    assert not [one for one in recwarn if one.category is InterpolatingWarning]


def test_scores_of_no_rows_are_refused():
    X, y = classes(60)
    with pytest.raises(ValueError, match="needs a score that is a function of a mean"):
        error_of(GaussianNB(), X, y, scoring="roc_auc", method=".632+")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "method"),
    [(LinearRegression(), ".632+"), (LinearDiscriminantAnalysis(), ".632")],
)
def test_standard_errors_are_the_true_spread(model, method):
    """Over data sets drawn anew.

    The spread of 100 estimates is known to 1 / sqrt(200), 7 %, so 20 % are about three
    of its errors. In longer runs the ratio is .93 to 1.15: the jackknife errs upwards,
    and rows alone would give .70 to .88.
    """
    rng = np.random.default_rng(0)
    scores, errors = [], []
    for seed in range(100):
        X = rng.normal(size=(80, 8))
        y = X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=80)
        scoring = "neg_mean_squared_error"
        if isinstance(model, LinearDiscriminantAnalysis):
            y, scoring = (y > 0).astype(int), "accuracy"
        found = error_of(
            model, X, y, scoring=scoring, method=method, n_repeats=80, random_state=seed
        )
        scores.append(found.score)
        errors.append(found.std_error)
    ratio = np.sqrt(np.mean(np.square(errors))) / np.std(scores, ddof=1)
    assert 0.8 < ratio < 1.2
