"""The evidence of a report against plain loops, and what it makes of it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import LearningCurveWarning, generalization_report
from genestimators.diagnostics.decomposition._pair_plan import plan_pairs
from genestimators.diagnostics.error._subsampling import folds, halves
from genestimators.diagnostics.report._charts import ticks
from genestimators.diagnostics.report._evidence import gather
from genestimators.diagnostics.report._gains import (
    Gain,
    PenaltyGain,
    loss_curve,
    of_averaging,
    of_penalty,
    over_constant,
)
from genestimators.diagnostics.report._verdict import number, verdict_of
from genestimators.resampling._hashing import derive
from tests.diagnostics import toys


def _evidence(model, X, y, *, loss="auto", n_repeats=2, **told):
    plan = plan_pairs(
        "test", model, X, y, loss=loss, sizes="auto", n_pairs="auto", tolerance=0.02,
        random_state=0, **told,
    )  # fmt: skip
    return gather(plan, 0.95, n_repeats)


def _answers(model, X, y, draws, numbers, method):
    """Answers of clones for the rows left out, NaN for others."""
    out = None
    for number_ in numbers:
        draw = draws[number_]
        fitted = clone(model).fit(X[draw.rows], y[draw.rows])
        answer = getattr(fitted, method)(X[draw.out_of_bag])
        answer = answer[:, None] if answer.ndim == 1 else answer
        if out is None:
            out = np.full((len(numbers), len(y), answer.shape[1]), np.nan)
        out[number_, draw.out_of_bag] = answer
    return out


def _in_order(evidence, values):
    return np.asarray(values)[evidence.question.used]


def test_averaging_is_a_bag_of_halves_out_of_bag():
    X, y = toys.regression(50)
    model = toys.MeanOfTarget()
    evidence = _evidence(model, X, y)
    draws, numbers, _ = halves(evidence.question, 2)
    answers = _answers(model, X, y, draws, numbers, "predict")[..., 0]
    seen = (~np.isnan(answers)).sum(axis=0)
    expected = (y - np.nanmean(answers, axis=0)) ** 2
    expected -= np.nanvar(answers, axis=0, ddof=1) / seen
    np.testing.assert_allclose(evidence.averaged, _in_order(evidence, expected))


@pytest.mark.parametrize("loss", ["brier", "zero_one", "log_loss"])
@pytest.mark.parametrize("k", [2, 3])
def test_averaging_of_classifiers(loss, k):
    X, y = toys.classes(60, k=k)
    model = GaussianNB()
    evidence = _evidence(model, X, y, loss=loss)
    draws, numbers, _ = halves(evidence.question, 2)
    method = "predict" if loss == "zero_one" else "predict_proba"
    answers = _answers(model, X, y, draws, numbers, method)
    if loss == "zero_one":
        votes = np.stack([(answers[..., 0] == c).sum(axis=0) for c in range(k)], axis=1)
        expected = (votes.argmax(axis=1) != y).astype(float)
    else:
        mean = np.nanmean(answers, axis=0)
        if loss == "log_loss":
            expected = -np.log(mean[np.arange(60), y])
        else:
            seen = (~np.isnan(answers[..., 0])).sum(axis=0)
            variance = np.nanvar(answers, axis=0, ddof=1) / seen[:, None]
            off = (mean - np.eye(k)[y]) ** 2 - variance
            expected = off.sum(axis=1) * (0.5 if k == 2 else 1.0)
    np.testing.assert_allclose(
        evidence.averaged, _in_order(evidence, expected), rtol=1e-7, atol=1e-12
    )


def test_constant_is_learned_from_the_folds():
    X, y = toys.regression(50)
    evidence = _evidence(Ridge(), X, y)
    draws, numbers, _ = folds(evidence.question, 2)
    found = np.full((len(numbers), 50), np.nan)
    for i in numbers:
        draw = draws[i]
        found[i, draw.out_of_bag] = (y[draw.out_of_bag] - y[draw.rows].mean()) ** 2
    expected = np.nanmean(found, axis=0)
    np.testing.assert_allclose(evidence.constant, _in_order(evidence, expected))
    gain = over_constant(evidence)
    rows = _in_order(evidence, np.nanmean(
        (_answers(Ridge(), X, y, draws, numbers, "predict")[..., 0] - y) ** 2, axis=0
    ))  # fmt: skip
    np.testing.assert_allclose(gain.value, (evidence.constant - rows).mean())


@pytest.mark.parametrize("alpha", [1.0, 0.37])
def test_penalty_is_that_of_clones_and_chosen_anew(alpha):
    X, y = toys.regression(40, p=6)
    evidence = _evidence(Ridge(alpha), X, y)
    path = evidence.penalty
    assert path.param == "alpha"
    assert path.values[path.current] == alpha
    draws, numbers, _ = folds(evidence.question, 2)
    for i in (0, path.current, len(path.values) - 1):
        answers = _answers(Ridge(path.values[i]), X, y, draws, numbers, "predict")
        expected = np.nanmean((answers[..., 0] - y) ** 2, axis=0)
        np.testing.assert_allclose(
            path.losses[i], _in_order(evidence, expected), rtol=1e-8
        )
    gain = of_penalty(evidence)
    rng = np.random.default_rng(derive(evidence.question.problem.seed, "penalty"))
    counts = rng.multinomial(40, np.full(40, 1 / 40), size=500)
    lost = [[] for _ in range(40)]
    for count in counts:
        best = (path.losses @ count).argmin()
        for i in np.flatnonzero(count == 0):
            lost[i].append(path.losses[best, i])
    own = path.losses[path.current] - [np.mean(one) for one in lost]
    np.testing.assert_allclose(gain.value, own.mean())
    best = path.values[path.losses.sum(axis=1).argmin()]
    assert gain.best == best
    assert gain.stronger == (None if best == alpha else best > alpha)


def test_learners_without_a_path_have_no_penalty():
    X, y = toys.regression(40)
    assert _evidence(LinearRegression(), X, y).penalty is None
    assert of_penalty(_evidence(toys.MeanOfTarget(), X, y)) is None


def test_curve_goes_through_pairs_halves_and_folds():
    X, y = toys.regression(100)
    evidence = _evidence(Ridge(), X, y)
    curve = loss_curve(evidence)
    np.testing.assert_allclose(curve.sizes, [20, 40, 50, 90])
    figures = evidence.figures
    np.testing.assert_allclose(
        curve.losses[:2], figures.at_sizes.sum(axis=0)[:, 0], rtol=1e-12
    )
    draws, numbers, _ = folds(evidence.question, 2)
    answers = _answers(Ridge(), X, y, draws, numbers, "predict")[..., 0]
    np.testing.assert_allclose(curve.losses[3], np.nanmean((answers - y) ** 2))
    gain = curve.doubling(0.95, 1e9)
    assert gain.interval[0] <= gain.value <= gain.interval[1]
    assert gain.interval[0] >= 0


def _gains(**changed):
    quiet = Gain(0.1, (-0.2, 0.3), 0.3)
    figures = {
        "signal": Gain(5.0, (4.0, 6.0), 1e-6),
        "remedied": dict.fromkeys(
            ("averaging", "penalty"), Gain(5.0, (4.0, 6.0), 1e-6)
        ),
        "constant": 15.0,
        "averaging": quiet,
        "penalty": PenaltyGain(
            0.1, (-0.2, 0.3), 0.3, param="alpha", current=1.0, best=2.0, stronger=True
        ),
        "rows": quiet,
        "variance_share": (0.3, (0.2, 0.4)),
        "training": 5.0,
    }
    return verdict_of(
        figures | changed, classifier=False, loss=10.0, worthwhile=0.02,
        name="squared_error",
    )  # fmt: skip


def _kinds(verdict):
    return [one.kind for one in verdict if one.worthwhile]


def test_nothing_is_worth_it():
    verdict = _gains()
    assert _kinds(verdict) == []
    assert "A gap alone is no fault." in str(verdict[-1])
    assert "not told from no gain" in str(verdict[1])


def test_what_is_free_comes_before_rows():
    more = Gain(4.0, (3.0, 5.0), 1e-9)
    less = Gain(1.0, (0.5, 1.5), 1e-4)
    assert _kinds(_gains(rows=more, averaging=less)) == ["averaging", "rows"]
    penalty = PenaltyGain(
        2.0, (1.0, 3.0), 1e-4, param="alpha", current=1.0, best=0.1, stronger=False
    )
    verdict = _gains(rows=more, averaging=less, penalty=penalty)
    assert _kinds(verdict) == ["penalty", "averaging", "rows"]
    assert "A weaker penalty (alpha near 0.1) would take about 2 off" in str(verdict[1])


def test_a_sure_gain_can_be_too_small():
    small = Gain(0.1, (0.05, 0.15), 1e-9)
    verdict = _gains(averaging=small)
    assert _kinds(verdict) == []
    assert "That is hardly worth it." in [one.remedy for one in verdict]


def test_no_signal_comes_first_unless_a_remedy_finds_some():
    none = Gain(-0.5, (-1.0, 0.1), 0.8)
    verdict = _gains(signal=none, constant=9.5)
    assert _kinds(verdict) == ["signal"]
    assert "Not distinguishable from a constant prediction" in verdict[0].text
    averaging = Gain(4.0, (3.0, 5.0), 1e-9)
    verdict = _gains(signal=none, constant=9.5, averaging=averaging)
    assert _kinds(verdict) == ["averaging"]
    assert verdict[0].remedy == "With averaging it is better (p < 0.001)."
    unsure = dict.fromkeys(("averaging", "penalty"), Gain(0.5, (-0.2, 1.2), 0.03))
    verdict = _gains(signal=none, constant=9.5, averaging=averaging, remedied=unsure)
    assert _kinds(verdict) == ["signal", "averaging"]


def test_interpolation_is_said():
    text = str(_gains(training=0.0)[-1])
    assert "says nothing here: the learner interpolates" in text


def test_numbers_for_people():
    assert [number(v) for v in (-0.0, 0.0, 1 / 3, 123456.0)] == [
        "0", "0", "0.333", "1.23e+05",
    ]  # fmt: skip
    np.testing.assert_allclose(ticks(0.0, 1.0), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(ticks(2.0, 2.0), [2.0])


def test_a_full_tree_should_be_averaged():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(200, 5))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 10 * X[:, 3] + rng.normal(size=200)
    model = DecisionTreeRegressor()
    report = generalization_report(model, X, y, n_repeats=2, random_state=0)
    assert report.first_remedy.kind == "averaging"
    assert not hasattr(model, "tree_")
    text = str(report)
    assert text.startswith("Expected squared error on new rows: ")
    assert "First: Wrap it in BootstrapBaggingRegressor" in text
    assert report.training_loss == 0
    fields = report.to_dict()
    assert fields["first_remedy"] == "averaging"
    assert fields["verdict"][0]["kind"] == "signal"
    assert report.loss == -report.error.score
    assert report.loss_interval[0] < report.loss < report.loss_interval[1]
    page = report.to_html()
    assert f'value="{report.loss!r}"' in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_same_whatever_the_number_of_jobs():
    X, y = toys.classes(60)
    told = {"n_repeats": 2, "random_state": 0}
    first = generalization_report(LogisticRegression(), X, y, **told)
    again = generalization_report(LogisticRegression(), X, y, n_jobs=2, **told)
    assert str(first) == str(again)
    assert first.to_html() == again.to_html()


def test_frames_labels_groups_and_weights():
    pd = pytest.importorskip("pandas")
    X, y = toys.classes(80)
    frame = pd.DataFrame(X, columns=list("abc"))
    labels = pd.Series(np.array(["no", "yes"])[y])
    groups = np.arange(80) // 2
    weight = np.random.default_rng(0).integers(1, 3, size=80)
    report = generalization_report(
        LogisticRegression(), frame, labels, groups=groups, sample_weight=weight,
        n_repeats=2, random_state=0,
    )  # fmt: skip
    assert report.loss_name == "brier"
    assert report.n_samples == 80
    single = generalization_report(
        LogisticRegression(), frame, labels, sample_weight=weight, n_repeats=2,
        random_state=0,
    )  # fmt: skip
    assert single.loss != report.loss


def test_several_outputs_of_numbers():
    X, y = toys.regression(60)
    both = np.column_stack([y, X[:, 0]])
    report = generalization_report(
        KNeighborsRegressor(), X, both, n_repeats=2, random_state=0
    )
    assert 0 < report.loss < y.var()


def test_a_rising_loss_is_warned_of():
    """Least squares on about as many rows as columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 46))
    y = X[:, 0] + rng.normal(size=120)
    with pytest.warns(LearningCurveWarning, match="rises with the number of training"):
        generalization_report(LinearRegression(), X, y, n_repeats=3, random_state=0)


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"worthwhile": 2.0}, "'worthwhile' parameter of generalization_report"),
        ({"n_repeats": 1}, "'n_repeats' parameter"),
        ({"confidence_level": 0}, "'confidence_level' parameter"),
        ({"loss": "brier"}, "is one of classifiers"),
        ({"groups": [0] * 30 + [1] * 30}, "at least 5"),
    ],
)
def test_errors(told, match):
    X, y = toys.regression(60)
    with pytest.raises((ValueError, TypeError), match=match):
        generalization_report(Ridge(), X, y, **told)


def test_one_output_of_classes():
    X, y = toys.classes(60)
    both = np.column_stack([y, 1 - y])
    with pytest.raises(ValueError, match=r"takes one output of classes\. Got 2; make"):
        generalization_report(DecisionTreeClassifier(), X, both)


@pytest.mark.slow
def test_gains_of_averaging_and_rows_are_told():
    """Means over 40 data sets beside what remedies bring on 4,000 new rows.

    The gain of averaging is that of infinitely many halves, and has a standard error of
    about 2 % of the loss over 40 data sets; what twice the rows bring is read off a
    curve whose shape is assumed, so 6 % of the loss are allowed.
    """
    losses, predicted = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.uniform(size=(4400, 5))
        y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 10 * X[:, 3]
        y = y + rng.normal(size=4400)
        model = DecisionTreeRegressor(min_samples_leaf=3)
        evidence = _evidence(model, X[:200], y[:200], n_repeats=3)
        loss = -generalization_report(
            model, X[:200], y[:200], n_repeats=2, random_state=seed
        ).error.score
        predicted.append([
            of_averaging(evidence, loss).value,
            loss_curve(evidence).doubling(0.95, loss).value,
        ])  # fmt: skip
        new = X[400:], y[400:]
        halves_ = RandomForestRegressor(
            100, min_samples_leaf=3, max_samples=100, random_state=seed
        ).fit(X[:200], y[:200])
        own = clone(model).fit(X[:200], y[:200])
        twice = clone(model).fit(X[:400], y[:400])
        losses.append([
            np.mean((one.predict(new[0]) - new[1]) ** 2)
            for one in (own, halves_, twice)
        ])  # fmt: skip
    own, bag, twice = np.mean(losses, axis=0)
    averaging, rows = np.mean(predicted, axis=0)
    assert abs(averaging - (own - bag)) < 0.08 * own
    assert abs(rows - (own - twice)) < 0.06 * own
