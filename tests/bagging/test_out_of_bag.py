"""Out-of-bag figures against slow versions that keep every prediction."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import accuracy_score, f1_score, make_scorer, r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OutOfBagWarning,
    UnweightedScoreWarning,
)
from genestimators.bagging._out_of_bag import OutOfBagSums


def masked_predictions(bag, X):
    """Predictions (B, n) of each member, NaN where a row was in its bag."""
    out = np.full((len(bag.estimators_), len(X)), np.nan)
    for b, member in enumerate(bag.estimators_):
        left = np.setdiff1d(np.arange(len(X)), bag.estimators_samples_[b])
        out[b, left] = member.predict(X[left])
    return out


def slow_limit_loss(predictions, y):
    """The corrected squared loss of each row, written with plain loops."""
    n_members = len(predictions)
    out = np.full(len(y), np.nan)
    for i in range(len(y)):
        residuals = predictions[:, i] - y[i]
        seen = ~np.isnan(residuals)
        m = seen.sum()
        if n_members < 20:
            if m >= 2:
                r = residuals[seen]
                out[i] = r.mean() ** 2 - r.var(ddof=1) / m
            continue
        total = pairs = 0.0
        for b in range(n_members):
            for c in range(n_members):
                if b // 10 != c // 10 and seen[b] and seen[c]:
                    total += residuals[b] * residuals[c]
                    pairs += 1
        if pairs:
            out[i] = total / pairs
    return out


@pytest.mark.parametrize("n_estimators", [5, 10, 20, 25, 40])
@pytest.mark.parametrize("base", [DecisionTreeRegressor(), Ridge()])
def test_corrected_r2_equals_a_slow_loop(n_estimators, base):
    """R2 out of bag is 1 - corrected loss / variance, for any number of members."""
    X, y = make_regression(60, 5, noise=20, random_state=n_estimators)
    y = y + 1e4
    bag = BootstrapBaggingRegressor(base, n_estimators=n_estimators, random_state=1)
    bag.fit(X, y)
    predictions = masked_predictions(bag, X)
    loss = slow_limit_loss(predictions, y)
    out = ~np.isnan(predictions).all(axis=0)
    if np.isfinite(loss).sum() < 0.9 * out.sum():
        # Too many rows were out of bag once only: nothing is corrected.
        loss = (np.nanmean(predictions[:, out], axis=0) - y[out]) ** 2
        assert n_estimators == 5
        expected = 1 - loss.mean() / y[out].var()
        assert bag.oob_score_ == pytest.approx(expected, rel=1e-8)
        return
    told = ~np.isnan(loss)
    expected = 1 - loss[told].mean() / y[told].var()
    assert bag.oob_score_ == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("n_estimators", [10, 30])
def test_corrected_brier_score_equals_a_slow_loop(n_estimators):
    """The Brier score out of bag is corrected in the same way, class by class."""
    X, y = make_classification(80, 6, n_informative=4, n_classes=3, random_state=0)
    labels = np.array(["a", "b", "c"])[y]
    bag = BootstrapBaggingClassifier(
        DecisionTreeClassifier(max_depth=3),
        n_estimators=n_estimators,
        oob_score="neg_brier_score",
        random_state=0,
    ).fit(X, labels)
    loss = np.zeros(len(y))
    for k, label in enumerate(bag.classes_):
        predictions = np.full((n_estimators, len(y)), np.nan)
        for b, member in enumerate(bag.estimators_):
            left = np.setdiff1d(np.arange(len(y)), bag.estimators_samples_[b])
            predictions[b, left] = member.predict_proba(X[left])[:, k]
        loss += slow_limit_loss(predictions, (labels == label).astype(float))
    assert bag.oob_score_ == pytest.approx(-np.nanmean(loss))


def test_oob_prediction_is_the_mean_over_members_that_left_a_row_out():
    """oob_prediction_ averages each row's own members and no others."""
    X, y = make_regression(50, 4, noise=5, random_state=3)
    bag = BootstrapBaggingRegressor(n_estimators=12, random_state=0).fit(X, y)
    expected = np.nanmean(masked_predictions(bag, X), axis=0)
    np.testing.assert_allclose(bag.oob_prediction_, expected)


def test_multi_output_figures_average_over_outputs():
    """With two outputs R2 is the plain mean of the R2 of each."""
    X, y = make_regression(80, 4, n_targets=2, noise=10, random_state=0)
    y[:, 1] *= 1000
    bag = BootstrapBaggingRegressor(n_estimators=20, random_state=0).fit(X, y)
    assert bag.oob_prediction_.shape == y.shape
    parts = []
    for j in range(2):
        predictions = np.full((20, len(y)), np.nan)
        for b, member in enumerate(bag.estimators_):
            left = np.setdiff1d(np.arange(len(y)), bag.estimators_samples_[b])
            predictions[b, left] = member.predict(X[left])[:, j]
        parts.append(1 - slow_limit_loss(predictions, y[:, j]).mean() / y[:, j].var())
    assert bag.oob_score_ == pytest.approx(np.mean(parts))
    assert bag.train_score_ == pytest.approx(r2_score(y, bag.predict(X)))


def test_train_score_gap_and_gain_fit_together():
    """Gap is train minus out-of-bag; gain is member loss minus ensemble loss."""
    X, y = make_regression(70, 4, noise=30, random_state=0)
    bag = BootstrapBaggingRegressor(
        n_estimators=20, oob_score="neg_mean_squared_error", random_state=0
    ).fit(X, y)
    predictions = masked_predictions(bag, X)
    member = np.nanmean((predictions - y) ** 2, axis=0)
    gain = member - slow_limit_loss(predictions, y)
    assert bag.train_score_ == pytest.approx(-np.mean((bag.predict(X) - y) ** 2))
    assert bag.generalization_gap_ == pytest.approx(bag.train_score_ - bag.oob_score_)
    assert bag.bagging_gain_ == pytest.approx(gain.mean())
    spread = gain.std(ddof=1) / np.sqrt(len(y))
    assert bag.bagging_gain_std_error_ == pytest.approx(spread)
    paired = (bag.predict(X) - y) ** 2 - slow_limit_loss(predictions, y)
    spread = paired.std(ddof=1) / np.sqrt(len(y))
    assert bag.generalization_gap_std_error_ == pytest.approx(spread)


def test_accuracy_is_of_the_averaged_out_of_bag_probabilities():
    """Other scores are scores of the out-of-bag predictions as they stand."""
    X, y = make_classification(120, 6, random_state=0)
    bag = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, y)
    predicted = bag.classes_[bag.oob_decision_function_.argmax(axis=1)]
    assert bag.oob_score_ == pytest.approx(accuracy_score(y, predicted))
    assert bag.oob_coverage_ == 1.0


@pytest.mark.parametrize(
    ("scoring", "expected"),
    [
        ("f1", f1_score),
        (make_scorer(f1_score), f1_score),
        (f1_score, f1_score),
        (lambda estimator, X, y: estimator.predict(X).mean(), lambda y, p: p.mean()),
    ],
)
def test_oob_score_takes_any_scorer(scoring, expected):
    """A name, a scorer, a metric of (y_true, y_pred) and a callable all score."""
    X, y = make_classification(100, 6, random_state=0)
    bag = BootstrapBaggingClassifier(n_estimators=10, oob_score=scoring, random_state=0)
    bag.fit(X, y)
    predicted = bag.oob_decision_function_.argmax(axis=1)
    assert bag.oob_score_ == pytest.approx(expected(y, predicted))
    assert bag.oob_score_std_error_ > 0


def test_oob_score_by_probability_and_by_decision():
    """Scorers that need probabilities or decisions get them."""
    X, y = make_classification(100, 6, random_state=0)
    for base in (LogisticRegression(), RidgeClassifier()):
        bag = BootstrapBaggingClassifier(base, n_estimators=10, oob_score="roc_auc")
        assert 0.8 < bag.fit(X, y).oob_score_ <= 1.0


def test_unweighted_metric_with_weights_warns():
    """A metric without sample_weight counts rows alike, and says so."""
    X, y = make_regression(40, 3, random_state=0)

    def metric(y_true, y_pred):
        return -np.abs(y_true - y_pred).max()

    bag = BootstrapBaggingRegressor(n_estimators=10, oob_score=metric, random_state=0)
    with pytest.warns(UnweightedScoreWarning, match="takes no `sample_weight`"):
        bag.fit(X, y, sample_weight=np.r_[np.ones(20), np.full(20, 0.5)])


def test_oob_score_false_computes_no_figures():
    """Without out-of-bag figures there are no training figures either."""
    X, y = make_regression(40, 3, random_state=0)
    bag = BootstrapBaggingRegressor(n_estimators=10).fit(X, y)
    assert hasattr(bag, "oob_score_")
    bag.set_params(oob_score=False).fit(X, y)
    left = [name for name in vars(bag) if name.startswith(("oob_", "train_score_"))]
    assert left == ["oob_score"]
    assert not hasattr(bag, "generalization_gap_")
    assert not hasattr(bag, "bagging_gain_")


def test_weights_meant_as_importance_do_not_leak():
    """Out-of-bag error stays honest for heavy rows under either meaning of weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    y = rng.normal(size=300)  # nothing to learn: an honest R2 is not above zero
    weight = rng.uniform(1, 3, size=300)
    bag = BootstrapBaggingRegressor(n_estimators=20, random_state=0)
    with pytest.warns(OutOfBagWarning, match='weight_mode="importance"'):
        bag.fit(X, y, sample_weight=np.full(300, 5.0))
    assert bag.oob_score_ < 0.1
    bag.set_params(weight_mode="importance").fit(X, y, sample_weight=weight)
    assert bag.oob_coverage_ == 1.0
    assert bag.oob_score_ < 0.1


def test_no_row_out_of_bag_warns_and_gives_nan():
    """Where every row is in every bag the score is NaN, with a warning."""
    X, y = make_regression(30, 3, random_state=0)
    bag = BootstrapBaggingRegressor(n_estimators=1, random_state=0)
    with pytest.warns(OutOfBagWarning, match="No row was ever out of bag"):
        bag.fit(X, y, sample_weight=np.full(30, 20.0))
    assert np.isnan(bag.oob_score_)
    assert bag.oob_coverage_ == 0.0


def test_classification_figures_respect_weights():
    """A weighted accuracy counts rows by their weight."""
    X, y = make_classification(100, 5, flip_y=0.3, random_state=0)
    weight = np.where(y == 1, 2.0, 1.0)
    bag = BootstrapBaggingClassifier(n_estimators=60, random_state=0)
    bag.fit(X, y, sample_weight=weight)
    out = ~np.isnan(bag.oob_decision_function_[:, 0])
    predicted = bag.oob_decision_function_[out].argmax(axis=1)
    expected = accuracy_score(y[out], predicted, sample_weight=weight[out])
    assert bag.oob_score_ == pytest.approx(expected)


def test_group_clusters_widen_standard_errors():
    """Repeated measurements count as one in the standard error."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    X = rng.normal(size=(30, 4))[groups]
    y = rng.normal(size=30)[groups] + 0.01 * rng.normal(size=300)
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=20, random_state=0)
    rows = bag.fit(X, y).oob_score_std_error_
    bag.set_params(resampling="group").fit(X, y, groups=groups)
    assert bag.oob_score_std_error_ > 2 * rows
    assert bag.oob_score_ < 0.2


def test_sums_of_columns_within_one_output():
    """Columns of one output are summed, of several outputs kept apart."""
    targets = np.zeros((4, 3))
    one = OutOfBagSums(targets, np.zeros(3, dtype=int))
    apart = OutOfBagSums(targets, np.array([0, 1, 1]))
    answer = np.arange(12.0).reshape(4, 3)
    for sums in (one, apart):
        sums.add(np.arange(4), answer)
    np.testing.assert_allclose(one.member_loss()[:, 0], (answer**2).sum(axis=1))
    np.testing.assert_allclose(
        apart.member_loss(),
        np.column_stack([answer[:, 0] ** 2, (answer[:, 1:] ** 2).sum(axis=1)]),
    )


@pytest.mark.slow
def test_out_of_bag_accuracy_of_pure_noise_is_a_half():
    """With nothing to learn, out-of-bag accuracy is that of a coin.

    Fifty rows, balanced random labels, 40 data sets: the mean accuracy has a standard
    error of about 0.07 / sqrt(40) = 0.011, so 0.05 is more than four of them.
    scikit-learn's bag comes to about 0.27 here: the class that is short in the bag
    is the one that is left out.
    """
    scores = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(50, 5))
        y = rng.permutation(np.repeat([0, 1], 25))
        bag = BootstrapBaggingClassifier(
            LogisticRegression(C=1e-3), n_estimators=20, random_state=seed
        )
        scores.append(bag.fit(X, y).oob_score_)
    assert abs(np.mean(scores) - 0.5) < 0.05


@pytest.mark.slow
def test_corrected_loss_is_unbiased_for_the_limit():
    """At B = 10 and 20 the corrected loss is that of a large bag.

    60 data sets of 100 rows; the relative error of one has a standard deviation of
    about 10 % at B = 20 and 17 % at B = 10, so their mean has one of 1.3 % and 2.2 %;
    4.5 % and 7 % are more than three of them. Uncorrected, trees come to about +20 %
    and +44 %.
    """
    errors = {10: [], 20: []}
    for seed in range(60):
        X, y = make_regression(100, 5, noise=40, random_state=seed)
        shared = {"oob_score": "neg_mean_squared_error", "random_state": seed}
        large = BootstrapBaggingRegressor(n_estimators=200, **shared).fit(X, y)
        for n, found in errors.items():
            small = BootstrapBaggingRegressor(
                n_estimators=n, **{**shared, "random_state": seed + 1000}
            ).fit(X, y)
            found.append(small.oob_score_ / large.oob_score_ - 1)
    assert abs(np.mean(errors[10])) < 0.07
    assert abs(np.mean(errors[20])) < 0.045


@pytest.mark.slow
def test_gap_standard_error_covers():
    """The out-of-bag score lies within two standard errors of the score on new rows.

    60 data sets; nominal coverage for two standard errors is about 95 %. The
    out-of-bag score leans to the pessimistic side (its members saw 63 % of the rows)
    and the test score adds no error (20,000 rows), so at least 85 % are asked for: the
    binomial standard deviation is 2.8 points.
    """
    inside = 0
    for seed in range(60):
        X, y = make_regression(20_150, 5, noise=60, random_state=seed)
        train, test = slice(0, 150), slice(150, None)
        bag = BootstrapBaggingRegressor(
            DecisionTreeRegressor(min_samples_leaf=5),
            n_estimators=50,
            random_state=seed,
        ).fit(X[train], y[train])
        off = abs(bag.score(X[test], y[test]) - bag.oob_score_)
        inside += off < 2 * bag.oob_score_std_error_
    assert inside >= 51
