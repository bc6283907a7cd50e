"""The engine with families: how they are chosen, streamed, shared and noted."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import Bootstrap, Folds
from genestimators._weights import fit_weighted
from genestimators.fitting import Response, find_family, fit_over, read_over
from tests.bagging.toys import classification_data, regression_data

REGRESSION = Response("predict")
ALPHAS = [0.1, 1.0, 100.0]


class WhoServed:
    """Reads which family answered, and how many values at once."""

    def __call__(self, fit):
        sizes = [part.n_values for part in fit.path.parts(len(fit.X))]
        return fit.path.family, sizes


def served(estimator, param, values, X, y, **settings):
    draws = Folds(KFold(3)).prepare(X, y)
    stream = read_over(
        estimator,
        X,
        y,
        draws,
        range(3),
        reading=WhoServed(),
        param=param,
        values=values,
        **settings,
    )
    return [result for *_, result in stream]


@pytest.mark.parametrize("draws", [Folds(KFold(4)), Bootstrap()], ids=["folds", "bags"])
@pytest.mark.parametrize(
    ("estimator", "param", "values"),
    [
        (Ridge(), "alpha", ALPHAS),
        (make_pipeline(StandardScaler(), Ridge()), "ridge__alpha", ALPHAS),
        (DecisionTreeRegressor(random_state=0), "ccp_alpha", [0.0, 0.05]),
        (KNeighborsRegressor(), "n_neighbors", [1, 5]),
    ],
    ids=["ridge", "pipeline", "tree", "neighbours"],
)
def test_draws_of_any_kind_equal_refits(draws, estimator, param, values):
    """Bags with their counts as weights or as repeats, folds with counts of one."""
    X, y = regression_data()
    prepared = draws.prepare(X, y, seed=3)
    for item in fit_over(
        estimator,
        X,
        y,
        prepared,
        [2, 0, 3],
        response=REGRESSION,
        answer="all",
        param=param,
        values=values,
    ):
        for i, value in enumerate(values):
            model = clone(estimator).set_params(**{param: value})
            fit_weighted(model, X, y, item.draw.rows, item.draw.counts)
            np.testing.assert_allclose(
                item.responses[i, :, 0], model.predict(X), rtol=1e-8, atol=1e-10
            )


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_shared_draws_in_any_order_and_by_any_number_of_jobs(n_jobs):
    """What draws share does not depend on which of them are asked for."""
    X, y = make_regression(80, 4, noise=5, random_state=0)
    draws = Folds(KFold(5)).prepare(X, y)
    shared = {"response": REGRESSION, "param": "alpha", "values": ALPHAS}
    every = list(fit_over(Ridge(), X, y, draws, range(5), n_jobs=n_jobs, **shared))
    some = list(fit_over(Ridge(), X, y, draws, [4, 1], **shared))
    for item in some:
        np.testing.assert_array_equal(item.responses, every[item.number].responses)


def test_families_serve_unless_told_otherwise():
    """With `families=False`, further arguments or in-place work there are refits."""
    X, y = regression_data()
    family = find_family(Ridge(), "alpha")
    for found, sizes in served(Ridge(), "alpha", ALPHAS, X, y):
        assert found is family
        assert sum(sizes) == 3
    for estimator, settings in (
        (Ridge(), {"families": False}),
        (Ridge(copy_X=False), {}),
        (Ridge(), {"fit_params": {"sample_weight": None}}),
    ):
        for found, sizes in served(estimator, "alpha", ALPHAS, X, y, **settings):
            assert found is None
            assert sizes == [1, 1, 1]


def test_columns_of_a_draw():
    """A family serves draws that see a part of the columns."""
    X, y = regression_data()
    draws = Bootstrap().prepare(X, y, seed=0)
    for item in fit_over(
        Ridge(),
        X,
        y,
        draws,
        range(3),
        response=REGRESSION,
        param="alpha",
        values=ALPHAS,
        features=lambda number: np.array([number, 3]),
    ):
        columns = X[:, item.features]
        rows = np.repeat(item.draw.rows, item.draw.counts)
        for i, alpha in enumerate(ALPHAS):
            model = Ridge(alpha=alpha).fit(columns[rows], y[rows])
            expected = model.predict(columns[item.draw.out_of_bag])
            np.testing.assert_allclose(item.responses[i, :, 0], expected)


@pytest.mark.parametrize("families", [True, False])
def test_a_draw_of_one_class_answers_it(families):
    """Such a draw cannot be fitted by most classifiers."""
    X, y = classification_data(n_classes=2)
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    draws = Folds([(np.arange(30), np.arange(30, 60))]).prepare(X, y)
    response = Response("probability", (np.array([0, 1]),))
    (item,) = fit_over(
        LogisticRegression(),
        X,
        y,
        draws,
        [0],
        response=response,
        param="C",
        values=[0.1, 1.0],
        families=families,
    )
    assert item.responses.shape == (2, 30, 2)
    assert (item.responses == [1.0, 0.0]).all()


@pytest.mark.parametrize("families", [True, False])
@pytest.mark.parametrize("noun", ["fold", "replicate"])
def test_errors_tell_where_they_happened(families, noun):
    """They keep their type, and a note names the draw and its owner."""
    X, y = regression_data()
    X[50, 0] = np.nan
    draws = Folds(KFold(3)).prepare(X, y)
    with pytest.raises(ValueError, match="Input X contains NaN") as raised:
        list(
            read_over(
                KNeighborsRegressor(),
                X,
                y,
                draws,
                range(3),
                reading=WhoServed(),
                param="n_neighbors",
                values=[1, 2],
                families=families,
                owner="Search",
                noun=noun,
            )
        )
    assert raised.value.__notes__ == [f"This happened in {noun} 0 of Search."]


def test_seeds_of_draws_with_families():
    """A random tree gets the seed of its draw, with a path as without."""
    X, y = regression_data()
    draws = Bootstrap().prepare(X, y, seed=0)
    shared = {"response": REGRESSION, "seed": 5}
    tuned = {"param": "ccp_alpha", "values": [0.0, 0.05]}
    base = DecisionTreeRegressor(max_features=1)
    paths = list(fit_over(base, X, y, draws, range(3), **tuned, **shared))
    refits = list(
        fit_over(base, X, y, draws, range(3), families=False, **tuned, **shared)
    )
    plain = list(fit_over(base, X, y, draws, range(3), **shared))
    for path, refit, one in zip(paths, refits, plain, strict=True):
        np.testing.assert_array_equal(path.responses, refit.responses)
        np.testing.assert_array_equal(path.responses[0], one.responses[0])
