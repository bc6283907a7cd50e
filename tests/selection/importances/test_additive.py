"""Additive boosting of rank polynomials over draws and permuted runs."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import eval_legendre
from scipy.stats import rankdata

from genestimators.selection.error_control._q_values import pair_scores, q_values
from genestimators.selection.importances._additive import (
    additive_importance,
    centred_ranks,
    orthonormal_polynomials,
    ranks_of,
    working_response,
)

SETTINGS = {"n_rounds": 8, "shrinkage": 0.5, "degree": 3}


def slow_gains(X, Y, weight, *, n_rounds, shrinkage, degree):
    """Boosting by weighted least squares of each feature, with `lstsq`, in a loop."""
    ranks = np.column_stack([(2 * rankdata(column) - 1) / len(X) - 1 for column in X.T])
    rows = weight > 0
    root = np.sqrt(weight[rows])[:, None]
    designs = [
        root * np.column_stack([eval_legendre(k, u) for k in range(degree + 1)])
        for u in ranks[rows].T
    ]
    residual = root * Y[rows]
    residual = residual - root * (root.T @ residual) / (root**2).sum()
    total = (residual**2).sum()
    gains = np.zeros(X.shape[1])
    for _ in range(n_rounds):
        fits = [
            design @ np.linalg.lstsq(design, residual, rcond=1e-6)[0]
            for design in designs
        ]
        explained = [
            (residual**2).sum() - ((residual - fit) ** 2).sum() for fit in fits
        ]
        best = int(np.argmax(explained))
        before = (residual**2).sum()
        residual = residual - shrinkage * fits[best]
        gains[best] += (before - (residual**2).sum()) / total
    return gains


def problem(seed, *, n_rows=40, n_features=6, n_outputs=1, n_draws=4):
    """Columns with and without ties, weights that are counts, zeros or fractions."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    if n_features > 3:
        X[:, 1] = rng.integers(2, size=n_rows)
        X[:, 2] = rng.integers(4, size=n_rows)
        X[:, 3] = 7.0
    Y = rng.normal(size=(n_rows, n_outputs)) + np.sin(2 * X[:, :1]) + X[:, -1:] ** 2
    weights = rng.integers(3, size=(n_draws, n_rows)) * rng.choice(
        [1.0, 0.3], size=n_rows
    )
    return X, Y, weights


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(("n_rows", "n_features"), [(40, 6), (25, 70), (9, 1)])
def test_gains_equal_weighted_least_squares(n_rows, n_features, n_outputs):
    """Every draw against a loop that fits each feature in each round."""
    for seed in range(3):
        X, Y, weights = problem(
            seed, n_rows=n_rows, n_features=n_features, n_outputs=n_outputs
        )
        scores, _, null_scores = additive_importance(X, Y, weights, **SETTINGS)
        expected = [slow_gains(X, Y, weight, **SETTINGS) for weight in weights]
        # Residuals are in single precision, gains in units of the total.
        np.testing.assert_allclose(scores, expected, atol=2e-5)
        assert null_scores.shape == (0, len(weights), n_features)


def test_permuted_runs_equal_permuted_responses():
    """A run is what fits to the permuted response give, with weights left in place."""
    X, Y, weights = problem(0, n_outputs=2)
    rng = np.random.default_rng(1)
    orders = np.array([rng.permutation(len(X)) for _ in range(3)])
    scores, _, null_scores = additive_importance(
        X, Y, weights, permutations=orders, **SETTINGS
    )
    alone, _, _ = additive_importance(X, Y, weights, **SETTINGS)
    # Products of other sizes are summed in another order, in single precision.
    np.testing.assert_allclose(scores, alone, atol=1e-5)
    for order, found in zip(orders, null_scores, strict=True):
        expected, _, _ = additive_importance(X, Y[order], weights, **SETTINGS)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_units_sum_over_their_features():
    """Labels change what is added up, not which features are fitted."""
    X, Y, weights = problem(2)
    by_feature, _, _ = additive_importance(X, Y, weights, **SETTINGS)
    labels = np.array([1, 0, 1, 2, 0, 1])
    by_unit, ranks, _ = additive_importance(X, Y, weights, labels=labels, **SETTINGS)
    for unit in range(3):
        expected = by_feature[:, labels == unit].sum(axis=1)
        np.testing.assert_allclose(by_unit[:, unit], expected)
    assert ranks.shape == (4, 3)
    assert (by_unit[:, 2] == 0).all()  # the constant column
    assert (ranks[:, 2] == 4).all()


def test_shares_of_the_sum_of_squares():
    """Shares are not negative, and all of a noiseless signal is found."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(200, 5))
    scores, ranks, _ = additive_importance(
        X, centred_ranks(X)[:, 2] ** 3, np.ones((1, 200)), n_rounds=60
    )
    assert (scores >= 0).all()
    # 60 rounds leave 0.5^120 of it, single precision leaves more.
    assert scores[0, 2] == pytest.approx(1, abs=1e-5)
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert ranks[0, 2] == 1


def test_monotone_transformations_offsets_and_precision_change_nothing():
    """Ranks are all that is used of X; of Y neither origin nor unit matters."""
    X, Y, weights = problem(3)
    expected, _, _ = additive_importance(X, Y, weights, **SETTINGS)
    for other in (np.exp(X), 1e6 + X, X.astype(np.float32), X**3):
        found, _, _ = additive_importance(other, Y, weights, **SETTINGS)
        np.testing.assert_array_equal(found, expected)
    # An offset of 1e6 costs Y six of its digits, which leaves more than float32 has.
    found, _, _ = additive_importance(X, 1e6 + Y, weights, **SETTINGS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    found, _, _ = additive_importance(X, 1e-8 * Y, weights, **SETTINGS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_weights_equal_repeats():
    """A row of weight k is k rows, in the ranks too."""
    X, Y, _ = problem(4, n_outputs=2)
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, size=len(X))
    repeats = np.repeat(np.arange(len(X)), weight)
    weighted, _, _ = additive_importance(
        X, Y, weight[None], row_weight=weight, **SETTINGS
    )
    repeated, _, _ = additive_importance(
        X[repeats], Y[repeats], np.ones((1, len(repeats))), **SETTINGS
    )
    np.testing.assert_allclose(weighted, repeated, atol=1e-5)


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_results_do_not_depend_on_jobs(n_jobs):
    """Draws are fitted apart, so every bit is the same."""
    X, Y, weights = problem(5, n_draws=6)
    one = additive_importance(X, Y, weights, **SETTINGS)
    two = additive_importance(X, Y, weights, n_jobs=n_jobs, **SETTINGS)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_draws_without_a_signal_to_fit():
    """No rows, one row, a constant response: no unit enters, nothing is NaN."""
    X, Y, _ = problem(6, n_rows=10)
    weights = np.zeros((3, 10))
    weights[1, 4] = 2.0
    weights[2] = 1.0
    scores, ranks, _ = additive_importance(X, Y, weights, **SETTINGS)
    assert (scores[:2] == 0).all()
    assert (ranks[:2] == X.shape[1] + 1).all()
    assert scores[2].sum() > 0
    for constant in (0.0, 0.1, 1e9 + 0.1):
        scores, _, _ = additive_importance(X, np.full(10, constant), weights)
        assert (scores == 0).all()
    one_class = np.r_[np.full(5, 0.1), np.full(5, 0.9)]
    half = np.r_[np.ones(5), np.zeros(5)][None]
    scores, _, _ = additive_importance(X, one_class, half, **SETTINGS)
    assert (scores == 0).all()


def test_polynomials_are_orthonormal_or_zero():
    """In each draw: lengths of 1, no inner products, none with the intercept."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 100))
    X[:, :10] = rng.integers(3, size=(60, 10))
    X[:, 10] = 1.0
    X[:, 11] = np.arange(60) == 3
    root = np.sqrt(rng.dirichlet(np.ones(60)))
    basis = orthonormal_polynomials(centred_ranks(X), root, 4).astype(np.float64)
    inner = np.einsum("kfi,lfi->fkl", basis, basis)
    sizes = np.einsum("fkk->fk", inner)
    # Single precision.
    np.testing.assert_allclose(inner - sizes[..., None] * np.eye(4), 0, atol=1e-6)
    np.testing.assert_allclose(sizes, np.round(sizes), atol=1e-6)
    np.testing.assert_allclose(basis @ root, 0, atol=1e-6)
    n_kept = np.round(sizes).sum(axis=1)
    assert (n_kept[:10] == 2).all()
    assert n_kept[10:12].tolist() == [0, 1]
    assert (n_kept[12:] == 4).all()


def test_ranks_never_put_more_than_k_units_among_the_first_k():
    """Ties share the last of their ranks; a score of 0 is not ranked."""
    found = ranks_of(np.array([[0.5, 0.2, 0.5, 0.0], [0.0, 0.0, 0.0, 0.1]]))
    assert found.tolist() == [[2, 3, 2, 5], [5, 5, 5, 1]]


def test_working_response_of_classes_and_outputs():
    """Indicators of classes; every output has the same total variance."""
    weight = np.array([1.0, 2.0, 1.0, 1.0, 3.0, 0.0])
    y = np.array(["b", "a", "b", "c", "a", "c"])
    Y = working_response(y, classifier=True, sample_weight=weight)
    assert Y.shape == (6, 3)
    np.testing.assert_allclose(weight @ Y, 0, atol=1e-12)
    assert weight @ (Y**2).sum(axis=1) == pytest.approx(weight.sum())
    ratio = np.ptp(Y, axis=0)
    np.testing.assert_allclose(ratio, ratio[0])
    two = working_response(y == "a", classifier=True)
    assert two.shape == (6, 1)
    many = working_response(np.column_stack([np.arange(6), 1e3 * np.arange(6) ** 2]))
    np.testing.assert_allclose(many.var(axis=0), 1)
    mixed = working_response(np.column_stack([y, y == "a"]), classifier=True)
    np.testing.assert_allclose((mixed[:, :3] ** 2).mean(axis=0).sum(), 1)
    assert (working_response(np.full(4, 3.0)) == 0).all()
    assert working_response(["x"] * 4, classifier=True).tolist() == [[0.0]] * 4


def test_classes_are_told_apart():
    """The features that separate three classes are those that are found."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    X = rng.normal(size=(300, 20))
    X[:, 4] += y == 0
    X[:, 9] += 1.5 * (y == 2)
    Y = working_response(np.array(["x", "y", "z"])[y], classifier=True)
    _, ranks, _ = additive_importance(X, Y, np.ones((1, 300)))
    assert set(np.argsort(ranks[0])[:2].tolist()) == {4, 9}


def test_frames_serve_as_arrays():
    """A frame of numbers, whole or not, is its array."""
    pandas = pytest.importorskip("pandas")
    X, Y, weights = problem(7)
    expected = additive_importance(X, Y, weights, **SETTINGS)[0]
    frame = pandas.DataFrame(X).astype({1: "Int64", 3: bool})
    found = additive_importance(frame, pandas.Series(Y[:, 0]), weights, **SETTINGS)[0]
    np.testing.assert_array_equal(found, expected)
    frame.iloc[2, 1] = pandas.NA
    with pytest.raises(ValueError, match="NaN in 1 columns"):
        additive_importance(frame, Y, weights)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"X": np.array([[np.nan, 1], [1, 2]])}, ValueError, "without NaN; impute"),
        ({"X": sparse.eye(2)}, TypeError, "need a dense X"),
        ({"X": np.ones(2)}, ValueError, "two dimensions"),
        ({"X": np.array([["a", "b"], ["c", "d"]])}, ValueError, "encode texts"),
        ({"Y": np.ones(3)}, ValueError, "row for each row of X. Got 3 and 2"),
        ({"Y": np.array([1, np.inf])}, ValueError, "Y must be finite"),
        ({"draw_weights": np.ones(2)}, ValueError, r"Got shape \(2,\)"),
        ({"draw_weights": -np.ones((1, 2))}, ValueError, "not negative"),
        ({"labels": [0]}, ValueError, "entry for each of the 2 features"),
        ({"labels": [0.0, 1.0]}, ValueError, "integers from 0 on"),
        ({"permutations": [[0, 0]]}, ValueError, "orders of the 2 rows"),
    ],
)
def test_bad_input_is_told(changes, error, message):
    """One sentence with the rule, the value and the way out."""
    given = {"X": np.eye(2), "Y": np.arange(2.0), "draw_weights": np.ones((1, 2))}
    with pytest.raises(error, match=message):
        additive_importance(**{**given, **changes})


@pytest.mark.slow
def test_bumps_are_found_at_a_false_discovery_rate():
    """Even signals that no correlation shows, among correlated columns of noise."""
    n_sets, n_rows, n_features, n_true, n_pairs = 20, 250, 100, 5, 10
    rates, powers = [], []
    for seed in range(n_sets):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n_rows, n_features))
        X[:, 1:] = 0.5 * X[:, :-1] + np.sqrt(0.75) * X[:, 1:]
        true = rng.choice(n_features, size=n_true, replace=False)
        signal = np.exp(-(X[:, true] ** 2)).sum(axis=1)
        y = signal + signal.std() * rng.normal(size=n_rows)
        halves = np.argsort(rng.uniform(size=(n_pairs, n_rows)), axis=1) < n_rows // 2
        weights = np.stack([halves, ~halves], axis=1).reshape(2 * n_pairs, n_rows)
        orders = rng.permuted(np.tile(np.arange(n_rows), (10, 1)), axis=1)
        scores, _, null_scores = additive_importance(X, y, weights, permutations=orders)
        found = q_values(pair_scores(scores), pair_scores(null_scores)) <= 0.1
        powers.append(found[true].mean())
        found[true] = False
        rates.append(found.sum() / max(1, found.sum() + n_true * powers[-1]))
    # Three standard errors of the mean over data sets.
    assert np.mean(rates) <= 0.1 + 3 * np.std(rates) / np.sqrt(n_sets)
    assert np.mean(powers) > 0.5
