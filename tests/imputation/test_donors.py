"""Donors of a column against all of them sorted by distance, one row at a time."""

import numpy as np
import pytest

from genestimators.imputation._donors import Donors, on_grid

WEIGHTS = {
    "ones": lambda rng, n: np.ones(n),
    "integers": lambda rng, n: rng.integers(1, 4, n).astype(float),
    "fractions": lambda rng, n: rng.exponential(size=n) + 1e-3,
}


def slow_chances(places, weight, here, n_donors):
    """What each donor's chance is, and which are nearer than the farthest chosen."""
    wanted = left = min(n_donors, weight.sum())
    distance = np.abs(places - here)
    chances, nearer = np.zeros(len(places)), np.zeros(len(places), dtype=bool)
    for step in np.unique(distance):
        tied = distance == step
        total = weight[tied].sum()
        chances[tied] = min(left, total) * weight[tied] / total / wanted
        nearer[tied] = total <= left + 1e-9  # weights are summed in another order
        left -= min(left, total)
        if left <= 1e-9:
            break
    return chances, nearer


def slow_draw(predictions, values, weight, query, n_donors, uniform):
    """Donors that are surely among the chosen first, each kind in canonical order."""
    places, here = on_grid(predictions), on_grid(np.array([query]))[0]
    chances, nearer = slow_chances(places, weight, here, n_donors)
    order = np.lexsort((values, places, ~nearer))
    at = np.searchsorted(np.cumsum(chances[order]), uniform)
    return values[order[min(at, len(order) - 1)]]


def slow_nearest(predictions, values, weight, query):
    """The lower weighted median of those at the nearest prediction."""
    places, here = on_grid(predictions), on_grid(np.array([query]))[0]
    distance = np.abs(places - here)
    best = places[distance == distance.min()].min()
    tied = np.flatnonzero(places == best)
    tied = tied[np.argsort(values[tied])]
    total = np.cumsum(weight[tied])
    return values[tied[total >= total[-1] / 2][0]]


def problem(rng, n, tied):
    """Donors and queries among, between and beyond them."""
    predictions = rng.normal(size=n)
    if tied:
        predictions = np.round(predictions * 2) / 2
    values = rng.permutation(n).astype(float)
    among = rng.choice(predictions, 10)
    between = (among + rng.choice(predictions, 10)) / 2
    queries = np.concatenate([among, between, rng.normal(size=10), [-9.0, 9.0]])
    return predictions, values, queries


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("n_donors", [1, 3, 5, 40, 1000])
def test_draws_are_those_of_a_full_sort(n_donors, weights, tied):
    """Every query takes the donor that sorting all distances would give it."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 120))
        predictions, values, queries = problem(rng, n, tied)
        weight = WEIGHTS[weights](rng, n)
        uniforms = rng.random(len(queries))
        found = Donors(predictions, values, weight).draw(queries, n_donors, uniforms)
        expected = [
            slow_draw(predictions, values, weight, query, n_donors, uniform)
            for query, uniform in zip(queries, uniforms, strict=True)
        ]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_chances_are_by_weight_and_shared_among_ties(weights):
    """An even grid of uniforms shows the chances: off by a step at either end."""
    rng = np.random.default_rng(0)
    predictions, values, queries = problem(rng, 30, tied=True)
    weight = WEIGHTS[weights](rng, 30)
    donors = Donors(predictions, values, weight)
    size = 2000
    uniforms = (np.arange(size) + 0.5) / size
    for query in queries[:15]:
        found = donors.draw(np.full(size, query), 5, uniforms)
        shares = np.bincount(found.astype(int), minlength=30)[values.astype(int)] / size
        here = on_grid(np.array([query]))[0]
        expected, _ = slow_chances(on_grid(predictions), weight, here, 5)
        np.testing.assert_allclose(shares, expected, atol=1.01 / size)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_nearest_is_that_of_a_full_sort(weights, tied):
    """The nearest donor, the lower median of several, the lower side of two."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 120))
        predictions, values, queries = problem(rng, n, tied)
        weight = WEIGHTS[weights](rng, n)
        found = Donors(predictions, values, weight).nearest(queries)
        expected = [slow_nearest(predictions, values, weight, q) for q in queries]
        np.testing.assert_array_equal(found, expected)


def test_weights_equal_repeats():
    """A weight of k is a row k times, also where a weight exceeds n_donors."""
    rng = np.random.default_rng(1)
    for tied in (False, True):
        predictions, values, queries = problem(rng, 60, tied)
        queries, counts = np.tile(queries, 50), rng.integers(1, 9, 60)
        uniforms = rng.random(len(queries))
        weighted = Donors(predictions, values, counts.astype(float))
        repeated = Donors(
            np.repeat(predictions, counts),
            np.repeat(values, counts),
            np.ones(sum(counts)),
        )
        np.testing.assert_array_equal(
            weighted.draw(queries, 5, uniforms), repeated.draw(queries, 5, uniforms)
        )
        np.testing.assert_array_equal(
            weighted.nearest(queries), repeated.nearest(queries)
        )


def test_order_of_donors_and_company_of_queries_do_not_count():
    """Donors in any order, queries one by one: the same values."""
    rng = np.random.default_rng(2)
    predictions, values, queries = problem(rng, 80, tied=True)
    uniforms = rng.random(len(queries))
    found = Donors(predictions, values, np.ones(80)).draw(queries, 5, uniforms)
    mixed = rng.permutation(80)
    donors = Donors(predictions[mixed], values[mixed], np.ones(80))
    single = [
        donors.draw(queries[i : i + 1], 5, uniforms[i : i + 1])[0]
        for i in range(len(queries))
    ]
    np.testing.assert_array_equal(single, found)


def test_one_prediction_for_all_draws_from_all():
    """Where nothing is known all values have the same chance, not the first few."""
    values = np.arange(100.0)
    donors = Donors(np.zeros(100), values, np.ones(100))
    uniforms = (np.arange(1000) + 0.5) / 1000
    found = donors.draw(np.full(1000, 0.3), 5, uniforms)
    assert (np.bincount(found.astype(int), minlength=100) == 10).all()
    np.testing.assert_array_equal(donors.nearest(np.array([0.3])), [49.0])


def test_rounding_does_not_break_ties():
    """Predictions that differ by rounding alone are equal."""
    rng = np.random.default_rng(3)
    exact, values = np.repeat([0.1, 0.7], 20), np.arange(40.0)
    noisy = exact + rng.uniform(-1e-13, 1e-13, 40)
    uniforms = rng.random(200)
    queries = np.full(200, 0.15)
    np.testing.assert_array_equal(
        Donors(noisy, values, np.ones(40)).draw(queries, 5, uniforms),
        Donors(exact, values, np.ones(40)).draw(queries, 5, uniforms),
    )


@pytest.mark.parametrize("uniform", [0.0, 2.0**-54, 0.5, 1 - 2.0**-53, 1.0])
@pytest.mark.parametrize("query", [-1e300, -1e12, 0.0, 1e12, 1e300])
def test_extremes_find_donors(query, uniform):
    """However far a row is and whatever decides, an observed value comes back."""
    queries, uniforms = np.array([query]), np.array([uniform])
    for weight in (np.ones(3), np.array([0.1, 0.2, 0.3])):
        donors = Donors(np.array([-1.0, 0.0, 1.0]), np.array([7.0, 8.0, 9.0]), weight)
        for n_donors in (1, 3, 5):
            assert donors.draw(queries, n_donors, uniforms)[0] in (7.0, 8.0, 9.0)
        nearest = donors.nearest(queries)[0]
        assert nearest == 8.0 + np.sign(query)
