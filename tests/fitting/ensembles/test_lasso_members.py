"""Lasso and elastic net on many draws against clones fitted one by one."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import BayesianBootstrap, Bootstrap, GroupBootstrap, Subsample
from genestimators._weights import fit_weighted
from genestimators.fitting._ensembles import fit_ensemble

NUMBERS = range(46, 54)  # parts of two groups
MODELS = [
    Lasso(alpha=0.05),
    Lasso(alpha=0.5, positive=True),
    Lasso(alpha=0.05, fit_intercept=False),
    ElasticNet(alpha=0.1, l1_ratio=0.3),
    make_pipeline(StandardScaler(), Lasso(alpha=0.05)),
    make_pipeline(StandardScaler(with_mean=False), ElasticNet(alpha=0.1)),
    make_pipeline(StandardScaler(with_std=False), Lasso(alpha=0.1)),
]


def regression(seed=0, n=120, p=6, outputs=None):
    """Data whose coefficients are zero in part."""
    rng = np.random.default_rng(seed)
    X = 1.0 + rng.normal(size=(n, p)) * rng.uniform(0.5, 2, p)
    coef = rng.normal(size=(p, outputs or 1)) * (np.arange(p)[:, None] % 2)
    y = 3.0 + X @ coef + 0.5 * rng.normal(size=(n, outputs or 1))
    return X, y if outputs else y[:, 0]


def draws_of(X, y, *, resampler=None, sample_weight=None, groups=None, **settings):
    """Draws for a regressor."""
    resampler = Bootstrap() if resampler is None else resampler
    return resampler.prepare(X, y, sample_weight, groups, seed=1, **settings)


def fitted_groups(model, X, y, draws, numbers=NUMBERS):
    """The groups of an ensemble, or None where no family serves."""
    return fit_ensemble(model, X, y, draws, numbers)


def last_of(model):
    """The estimator itself, behind a scaler or not."""
    return model[-1] if hasattr(model, "steps") else model


def tightened(model, tol):
    """A clone that goes on until little is left to gain."""
    model = clone(model)
    last_of(model).set_params(tol=tol, max_iter=100_000)
    return model


def assert_equals_clones(model, X, y, draws, *, rtol=1e-4, tol=1e-11, numbers=NUMBERS):
    """Members are what clones would be that are fitted to the end."""
    groups = fitted_groups(model, X, y, draws, numbers)
    assert groups is not None
    mode = "rows" if draws.unit_counts else None
    for group in groups:
        assert group.path.fine.all()
        answers = group.path.predict(X)
        for i, number in enumerate(group.numbers):
            draw = draws[number]
            expected = tightened(model, tol)
            fit_weighted(expected, X, y, draw.rows, draw.counts, mode=mode)
            own, last = group.path.model(i), last_of(expected)
            for name in ("coef_", "intercept_"):
                one, other = getattr(last_of(own), name), getattr(last, name)
                assert np.shape(one) == np.shape(other)
                assert np.asarray(one).dtype == np.asarray(other).dtype
                # An intercept has the digits of what is far from the origin.
                size = np.abs(last.coef_).max() if name == "coef_" else np.std(y)
                np.testing.assert_allclose(one, other, rtol=1e-7, atol=rtol * size)
            assert vars(last_of(own)).keys() == vars(last).keys()
            assert np.shape(last_of(own).n_iter_) == np.shape(last.n_iter_)
            assert np.shape(last_of(own).dual_gap_) == np.shape(last.dual_gap_)
            prediction = expected.predict(X)
            assert answers[i].shape == prediction.shape
            for one in (answers[i], own.predict(X)):
                bound = rtol * np.std(y)
                np.testing.assert_allclose(one, prediction, rtol=0, atol=bound)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", MODELS)
def test_members_equal_clones(model, seed):
    """Coefficients and predictions, also behind a scaler."""
    X, y = regression(seed)
    assert_equals_clones(model, X, y, draws_of(X, y))


@pytest.mark.parametrize(
    "resampler",
    [Subsample(), GroupBootstrap(), BayesianBootstrap(), Bootstrap(stratify=False)],
)
@pytest.mark.parametrize("model", [MODELS[0], MODELS[4]])
def test_other_draws_equal_clones(model, resampler):
    """Rows once or not at all, by groups, and with random weights."""
    X, y = regression()
    groups = np.arange(len(y)) // 3
    draws = draws_of(X, y, resampler=resampler, groups=groups)
    assert_equals_clones(model, X, y, draws)


@pytest.mark.parametrize("mode", ["frequency", "importance"])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("model", [MODELS[0], MODELS[4]])
def test_weights_equal_clones(model, whole, mode):
    """Weights of rows; those of weight zero are not there."""
    X, y = regression()
    weight = np.arange(len(y)) % 4 * (1.0 if whole else 0.7)
    X[weight == 0] *= 1e3
    draws = draws_of(X, y, sample_weight=weight, weight_mode=mode)
    assert_equals_clones(model, X, y, draws)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[4], MODELS[3]])
def test_several_outputs_equal_clones(model):
    """One descent for each output."""
    X, y = regression(outputs=2)
    assert_equals_clones(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("name", ["offset", "column", "constant", "copy", "whole"])
@pytest.mark.parametrize("scaled", [False, True])
def test_awkward_data_equal_clones(name, scaled):
    """Far from the origin, one column, columns that do not vary or are equal."""
    X, y = regression()
    model = Lasso(alpha=0.05)
    if name == "offset":
        X, y = X + 1e6, y - 1e6
    elif name == "column":
        X = X[:, 1:2]
    elif name == "constant":
        X[:, 2] = 7.0
    elif name == "copy":
        X[:, 2] = X[:, 1]
        model = ElasticNet(alpha=0.05)  # one solution only
    elif name == "whole":
        X = np.rint(3 * X).astype(int)
    if scaled:
        model = make_pipeline(StandardScaler(), model)
    assert_equals_clones(model, X, y, draws_of(X, y))


def test_single_precision_equals_clones():
    """Attributes are single too."""
    X, y = regression()
    X = X.astype(np.float32)
    draws = draws_of(X, y)
    assert_equals_clones(MODELS[0], X, y, draws, rtol=1e-3, tol=1e-6)


def test_frames_keep_their_names():
    """Fitted members know the names of the columns."""
    pandas = pytest.importorskip("pandas")
    X, y = regression()
    X = pandas.DataFrame(X, columns=list("uvwxyz"))
    draws = draws_of(X, y)
    assert_equals_clones(MODELS[0], X, y, draws)
    path = next(fitted_groups(MODELS[0], X, y, draws)).path
    assert path.model(0).feature_names_in_.tolist() == list("uvwxyz")


@pytest.mark.parametrize("model", MODELS[:4])
def test_members_gain_no_more_than_the_tolerance(model):
    """The objective is as low as that of a clone but for a part of the tolerance."""
    X, y = regression(n=200, p=20)
    draws = draws_of(X, y)
    path = next(fitted_groups(model, X, y, draws)).path
    for i in range(4):
        draw = draws[NUMBERS[i]]
        fine = fit_weighted(tightened(model, 1e-12), X, y, draw.rows, draw.counts)
        plain = fit_weighted(clone(model), X, y, draw.rows, draw.counts)
        own, middle = path.model(i), np.average(y[draw.rows], weights=draw.counts)
        if not model.fit_intercept:
            middle = 0.0
        scale = np.average((y[draw.rows] - middle) ** 2, weights=draw.counts)
        best, ours, theirs = (
            _objective(one, X[draw.rows], y[draw.rows], draw.counts)
            for one in (fine, own, plain)
        )
        assert ours - best <= 1e-7 * scale
        assert own.dual_gap_ <= 1e-7 * scale
        assert theirs - best <= 1e-3 * scale


def _objective(model, X, y, counts):
    ratio = getattr(model, "l1_ratio", 1.0)
    loss = np.average((y - model.predict(X)) ** 2, weights=counts) / 2
    l1, l2 = np.abs(model.coef_).sum(), np.square(model.coef_).sum()
    return loss + model.alpha * (ratio * l1 + (1 - ratio) * l2 / 2)


def test_members_that_are_far_from_done_are_left_to_the_engine():
    """It warns for each of them, as a bag of such lassos does."""
    X, y = regression()
    X = X + X[:, :1]
    model = Lasso(alpha=0.01, max_iter=10)
    draws = draws_of(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fitted_groups(model, X, y, draws) is None
        n_fine = set()
        for most in range(80, 120, 5):
            model.set_params(max_iter=most)
            groups = fitted_groups(model, X, y, draws, range(20))
            for path in () if groups is None else [group.path for group in groups]:
                n_fine.add(path.fine.sum())
                for i in np.flatnonzero(path.fine):
                    spread = np.average(np.square(y - y.mean()))
                    assert path.model(i).dual_gap_ <= 2 * model.tol * spread
    assert any(0 < n < 20 for n in n_fine)  # enough for all rows, not for each draw
    model.set_params(max_iter=10)
    with pytest.warns(ConvergenceWarning):
        fit_weighted(clone(model), X, y, draws[0].rows, draws[0].counts)


def test_a_member_is_the_same_in_any_company():
    """How many draws are asked for changes no bits."""
    X, y = regression()
    draws = draws_of(X, y)
    one = next(fitted_groups(MODELS[0], X, y, draws, range(17, 18))).path.model(0)
    every = next(fitted_groups(MODELS[0], X, y, draws, range(20))).path.model(17)
    np.testing.assert_array_equal(one.coef_, every.coef_)
    assert (one.n_iter_, one.intercept_) == (every.n_iter_, every.intercept_)


def test_groups_can_be_joined_and_averaged():
    """The members of two groups in one path, and their mean."""
    X, y = regression()
    draws = draws_of(X, y)
    first, second = (
        group.path for group in fitted_groups(MODELS[4], X, y, draws, range(100))
    )
    both = first.joined([second])
    answers = np.concatenate([path.predict(X) for path in (first, second)])
    np.testing.assert_allclose(both.predict(X), answers)
    assert both.model(75)[-1].n_iter_ == second.model(25)[-1].n_iter_
    np.testing.assert_allclose(both.mean().predict(X)[0], answers.mean(axis=0))


@pytest.mark.parametrize(
    "model",
    [
        Lasso(alpha=0.0),
        Lasso(alpha=-1.0),
        Lasso(selection="random"),
        Lasso(warm_start=True),
        ElasticNet(l1_ratio=0.0),
        ElasticNet(l1_ratio="half"),
        ElasticNet(precompute=np.eye(6)),
    ],
)
def test_other_settings_are_not_served(model):
    """The estimator itself says what is wrong, or does it."""
    X, y = regression()
    assert fitted_groups(model, X, y, draws_of(X, y)) is None


def test_other_data_are_not_served():
    """Sparse matrices, missing numbers, more columns than rows."""
    X, y = regression()
    draws = draws_of(X, y)
    assert fitted_groups(MODELS[0], X, y, draws) is not None
    assert fitted_groups(MODELS[0], sparse.csr_array(X), y, draws) is None
    wide = np.random.default_rng(0).normal(size=(120, 130))
    assert fitted_groups(MODELS[0], wide, y, draws) is None
    X[3, 2] = np.nan
    assert fitted_groups(MODELS[0], X, y, draws) is None
