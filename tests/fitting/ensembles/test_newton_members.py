"""Logistic and generalised linear regression on many draws against single fits."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import BayesianBootstrap, Bootstrap, GroupBootstrap, Subsample
from genestimators.fitting._ensembles import fit_ensemble
from genestimators.fitting.families.generalized_linear import _newton_members
from tests.fitting.ensembles.against_clones import assert_same_attributes, refit

NUMBERS = range(17, 23)  # parts of two groups
RESAMPLERS = [Bootstrap(), BayesianBootstrap(), Subsample(), GroupBootstrap()]
# Single fits stop at slopes of 1e-10; no curvature here is below 1e-3 or so.
TOL = 1e-10
NEAR = 1e-6


def logistic(**settings):
    settings = {"solver": "newton-cholesky", "tol": TOL, "max_iter": 1000} | settings
    return LogisticRegression(**settings)


def glm(kind, **settings):
    settings = {"solver": "newton-cholesky", "tol": TOL, "max_iter": 1000} | settings
    return kind(**settings)


GLMS = [
    glm(PoissonRegressor, alpha=0.01),
    glm(GammaRegressor, alpha=0.1, fit_intercept=False),
    glm(TweedieRegressor, power=1.5, alpha=0.01),
    glm(TweedieRegressor, power=0, alpha=0.1),
]


def labelled(seed=0, n=200, p=4, k=2):
    """Data of k classes, whose labels are text."""
    X, y = make_classification(
        n,
        p,
        n_informative=p,
        n_redundant=0,
        n_classes=k,
        class_sep=0.3,
        flip_y=0.2,
        random_state=seed,
    )
    return X, np.array(["a", "bb", "c", "d"])[y]


def positive(seed=0, n=200, p=4):
    """Data with a positive target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, rng.gamma(2, np.exp(0.3 * X[:, 0] - 0.2 * X[:, 1]))


def data_for(estimator, seed=0, **settings):
    return (labelled if is_classifier(estimator) else positive)(seed, **settings)


def draws_of(estimator, X, y, resampler=None, *, sample_weight=None, **settings):
    resampler = Bootstrap() if resampler is None else resampler
    groups = np.arange(len(y)) // 3 if isinstance(resampler, GroupBootstrap) else None
    return resampler.prepare(
        X,
        y,
        sample_weight,
        groups,
        seed=1,
        classifier=is_classifier(estimator),
        **settings,
    )


def groups_of(estimator, X, y, draws, numbers=NUMBERS):
    """The groups of an ensemble, or None where no family serves."""
    classes = (np.unique(y),) if is_classifier(estimator) else ()
    found = fit_ensemble(estimator, X, y, draws, numbers, classes=classes)
    return None if found is None else list(found)


def assert_equals_fits(
    estimator, X, y, draws, *, near=NEAR, numbers=NUMBERS, fine=None
):
    """Members answer, and are, what clones fitted one by one would be.

    Parameters
    ----------
    near : float
        Part of the largest number that a coefficient or an answer may be off.
    fine : list of bool
        Which of the members are fine; None is all.
    """
    groups = groups_of(estimator, X, y, draws, numbers)
    names = ["predict"]
    if is_classifier(estimator):
        names += ["predict_proba", "decision_function"]
    found = []
    for group in groups:
        answers = {name: getattr(group.path, name)(X) for name in names}
        for i, number in enumerate(group.numbers):
            found.append(bool(group.path.fine[i]))
            if not found[-1]:
                continue
            with warnings.catch_warnings():
                # It may see that its tolerance is near to rounding.
                warnings.simplefilter("ignore", ConvergenceWarning)
                expected = refit(estimator, X, y, draws[number], draws)
            model = group.path.model(i)
            assert_same_attributes(model, expected, rtol=0, atol=near, skip=["n_iter_"])
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                for name, answer in answers.items():
                    other = getattr(expected, name)(X)
                    own = getattr(model, name)(X)
                    if other.dtype.kind not in "f":
                        np.testing.assert_array_equal(answer[i], other)
                        np.testing.assert_array_equal(own, other)
                        continue
                    bound = near * np.abs(other).max()
                    np.testing.assert_allclose(answer[i], other, rtol=0, atol=bound)
                    np.testing.assert_allclose(own, other, rtol=0, atol=bound)
    assert found == ([True] * len(numbers) if fine is None else fine)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"C": 0.01, "fit_intercept": False},
        {"C": 1e3, "class_weight": "balanced"},
        {"C": np.inf},
        {"class_weight": {"a": 3.0, "bb": 0.5}, "solver": "lbfgs"},
    ],
)
def test_logistic_members_equal_clones(settings, k, seed):
    """Two classes and several, with and without a penalty and weights of classes."""
    X, y = labelled(seed, k=k)
    model = logistic(**settings)
    assert_equals_fits(model, X, y, draws_of(model, X, y))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("model", GLMS)
def test_glm_members_equal_clones(model, seed):
    """Each power, with its link, with and without an intercept."""
    X, y = positive(seed)
    assert_equals_fits(model, X, y, draws_of(model, X, y))


@pytest.mark.parametrize("model", [logistic(), logistic(C=np.inf), *GLMS[::2]])
@pytest.mark.parametrize("resampler", RESAMPLERS)
def test_every_way_to_resample_is_served(model, resampler):
    """Counts, fractions, halves of the rows, and groups of them."""
    X, y = data_for(model, 3)
    assert_equals_fits(model, X, y, draws_of(model, X, y, resampler))


@pytest.mark.parametrize("model", [logistic(class_weight="balanced"), *GLMS[1:3]])
@pytest.mark.parametrize("kind", ["whole", "fractional", "importance"])
def test_weights_of_rows_are_those_of_fits(model, kind):
    """Rows of weight zero are not there, whatever is in them."""
    X, y = data_for(model, 4)
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, len(y)).astype(float)
    if kind != "whole":
        weight *= rng.gamma(2, size=len(y))
    X[weight == 0] *= 1e8
    mode = "importance" if kind == "importance" else "frequency"
    draws = draws_of(model, X, y, sample_weight=weight, weight_mode=mode)
    groups = groups_of(model, X, y, draws)
    for group in groups:
        assert group.path.fine.all()
        for i, number in enumerate(group.numbers):
            expected = refit(model, X, y, draws[number], draws)
            np.testing.assert_allclose(
                group.path.model(i).coef_, expected.coef_, atol=NEAR
            )


@pytest.mark.parametrize("model", [logistic(), logistic(C=np.inf), *GLMS])
@pytest.mark.parametrize("settings", [{}, {"with_mean": False}, {"with_std": False}])
def test_a_scaler_in_front_is_that_of_the_draw(model, settings):
    """Its attributes too; it knows the columns, and the estimator does not."""
    pd = pytest.importorskip("pandas")
    X, y = data_for(model, 5)
    X = X * [1.0, 30.0, 0.1, 1.0] + [0.0, 5.0, 0.0, -1.0]
    X[:, 3] = 2.0
    chain = make_pipeline(StandardScaler(**settings), model)
    draws = draws_of(model, X, y)
    moved = settings.get("with_mean", True) and not model.fit_intercept
    undetermined = model.get_params().get("C") == np.inf
    if moved:
        assert groups_of(chain, X, y, draws) is None
        return
    if undetermined:  # a constant column has no coefficient of its own
        X = X[:, :3]
    draws = draws_of(model, X, y)
    assert_equals_fits(chain, X, y, draws)
    frame = pd.DataFrame(X, columns=list("abcd"[: X.shape[1]]))
    assert_equals_fits(chain, frame, y, draws)
    chain.set_output(transform="pandas")
    assert_equals_fits(chain, frame, y, draws)


@pytest.mark.parametrize("model", [logistic(), GLMS[0]])
def test_names_of_columns_are_kept(model):
    """Members know them, and answer for frames."""
    pd = pytest.importorskip("pandas")
    X, y = data_for(model, 6)
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert_equals_fits(model, frame, y, draws_of(model, frame, y))


@pytest.mark.parametrize("model", [logistic(), logistic(C=10.0), *GLMS])
@pytest.mark.parametrize("scaled", [False, True])
def test_single_precision_is_fitted_in_double(model, scaled):
    """Coefficients are of the type they would have."""
    X, y = data_for(model, 7)
    X = X.astype(np.float32)
    if not is_classifier(model):
        y = y.astype(np.float32).astype(np.float64)
    chain = model
    if scaled:
        chain = make_pipeline(StandardScaler(with_mean=model.fit_intercept), model)
    # A fit in single precision may stop there.
    double = X.astype(np.float64)
    draws = draws_of(model, X, y)
    for group in groups_of(chain, X, y, draws):
        for i, number in enumerate(group.numbers):
            expected = refit(chain, double, y, draws[number], draws)
            own = group.path.model(i)
            if scaled:
                own, expected = own[-1], expected[-1]
            assert own.coef_.dtype == np.float32
            np.testing.assert_allclose(own.coef_, expected.coef_, atol=1e-5)
            np.testing.assert_allclose(own.intercept_, expected.intercept_, atol=1e-5)


@pytest.mark.parametrize("model", [logistic(), logistic(C=1e-3), *GLMS[::2]])
@pytest.mark.parametrize("p", [1, 60])
def test_one_column_and_more_columns_than_rows(model, p):
    """Coefficients lie in the span of all rows, whatever rows are drawn."""
    if p == 1:
        X, y = data_for(model, 8)
        X = X[:, :1]
    else:
        rng = np.random.default_rng(8)
        X = rng.normal(size=(40, p))
        y = (
            rng.choice(["a", "b"], 40)
            if is_classifier(model)
            else rng.gamma(2, size=40)
        )
    assert_equals_fits(model, X, y, draws_of(model, X, y))


@pytest.mark.parametrize("model", [logistic(), GLMS[0], GLMS[2]])
def test_columns_far_from_zero_and_constant_ones(model):
    """An offset of a million takes no digits that matter."""
    X, y = data_for(model, 9)
    plain = X.copy()
    X[:, 0] += 1e6
    X[:, 1] = plain[:, 1] = 7.0
    draws = draws_of(model, plain, y)
    # A fit to such columns is not exact: the plain ones have the same coefficients.
    for group in groups_of(model, X, y, draws):
        assert group.path.fine.all()
        for i, number in enumerate(group.numbers):
            expected = refit(model, plain, y, draws[number], draws)
            own = group.path.model(i)
            np.testing.assert_allclose(own.coef_, expected.coef_, atol=NEAR)
            np.testing.assert_allclose(
                group.path.predict(X)[i] == expected.predict(plain)
                if is_classifier(model)
                else group.path.predict(X)[i] / expected.predict(plain),
                1.0,
                rtol=NEAR,
            )


@pytest.mark.parametrize("scaled", [False, True])
def test_a_rare_column_that_a_draw_lacks(scaled):
    """Where it does not vary its coefficient is zero, not that of the other rows."""
    X, y = labelled(10, n=300)
    X[:, 2] = 0.0
    X[5:8, 2] = 1.0
    for C in (1.0, 1e6, np.inf):
        model = logistic(C=C)
        draws = draws_of(model, X, y)
        chain = make_pipeline(StandardScaler(), model) if scaled else model
        numbers = range(40)
        lacking = [not np.isin(draws[b].rows, [5, 6, 7]).any() for b in numbers]
        assert any(lacking)
        groups = groups_of(chain, X, y, draws, numbers)
        for group in groups:
            for i, number in enumerate(group.numbers):
                served = not lacking[number] or (C < np.inf and not scaled)
                if C < np.inf or not served:
                    assert group.path.fine[i] == served
                if lacking[number] and served:
                    assert abs(group.path.model(i).coef_[0, 2]) < 1e-6
                elif group.path.fine[i] and C == 1.0:
                    own = group.path.model(i)
                    expected = refit(chain, X, y, draws[number], draws)
                    if scaled:
                        own, expected = own[-1], expected[-1]
                    np.testing.assert_allclose(own.coef_, expected.coef_, atol=1e-5)


@pytest.mark.parametrize("C", [0.05, 1.0, 1e4])
@pytest.mark.parametrize("k", [2, 3])
def test_many_columns_begin_with_one_hessian(k, C, monkeypatch):
    """Where the penalty vouches for it; else, and by force, with their own."""
    X, y = labelled(11, n=700, p=40, k=k)
    model = logistic(C=C)
    draws = draws_of(model, X, y)
    kept = []
    start = _newton_members.NewtonFits.start

    def watched(self):
        found = start(self)
        kept.append(self.hessian is not None)
        return found

    monkeypatch.setattr(_newton_members.NewtonFits, "start", watched)
    numbers = range(19, 22)
    assert_equals_fits(model, X, y, draws, numbers=numbers)
    monkeypatch.setattr(_newton_members, "_VOUCHES", np.inf)
    assert_equals_fits(model, X, y, draws, numbers=numbers)
    assert kept == [C < 100, False]


def test_draws_without_a_class_are_left_to_the_engine():
    """And those without any count, for a logarithm."""
    X, y = labelled(12, n=60, k=3)
    y = np.where(y == "c", "a", y)
    y[3] = "c"
    model = logistic()
    draws = draws_of(model, X, y, resampler=Bootstrap(stratify=False))
    numbers = range(40)
    fine = [3 in draws[b].rows for b in numbers]
    assert 0 < sum(fine) < 40
    assert_equals_fits(model, X, y, draws, numbers=numbers, fine=fine)
    model = GLMS[0]
    counts = np.zeros(60)
    counts[7] = 2.0
    draws = draws_of(model, X, counts)
    found = np.concatenate(
        [group.path.fine for group in groups_of(model, X, counts, draws, numbers)]
    )
    lacking = np.array([7 not in draws[b].rows for b in numbers])
    assert lacking.any()
    assert not found[lacking].any()


@pytest.mark.parametrize("model", [logistic(), GLMS[0]])
def test_members_do_not_depend_on_how_many_there_are(model):
    """The same bits alone, among others, and in another order of the rows."""
    X, y = data_for(model, 13)
    draws = draws_of(model, X, y)

    def coefficients(X, y, draws, numbers):
        return np.stack(
            [
                group.path.model(i).coef_
                for group in groups_of(model, X, y, draws, numbers)
                for i in range(len(group.numbers))
            ]
        )

    whole = coefficients(X, y, draws, range(45))
    for numbers in (range(0, 3), range(22, 23), range(18, 41)):
        own = coefficients(X, y, draws, numbers)
        np.testing.assert_array_equal(own, whole[numbers.start : numbers.stop])
    order = np.random.default_rng(0).permutation(len(y))
    X, y = X[order], y[order]
    own = coefficients(X, y, draws_of(model, X, y), range(3))
    np.testing.assert_array_equal(own, whole[:3])


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("model", [logistic(), GLMS[3], GLMS[0]])
def test_means_and_joined_members(model, scaled):
    """The mean answers as the mean of the members, where there is such a member."""
    X, y = data_for(model, 14)
    chain = make_pipeline(StandardScaler(), model) if scaled else model
    first, second = (
        group.path for group in groups_of(chain, X, y, draws_of(model, X, y))
    )
    ask = "decision_function" if is_classifier(model) else "predict"
    both = np.concatenate([getattr(path, ask)(X) for path in (first, second)])
    whole = first.joined([second])
    assert whole.n_values == len(both) == len(NUMBERS)
    assert whole.fine.all()
    np.testing.assert_allclose(getattr(whole, ask)(X), both, rtol=1e-13)
    some = whole.take([4, 1])
    np.testing.assert_allclose(getattr(some, ask)(X), both[[4, 1]], rtol=1e-13)
    own, expected = some.model(0), second.model(1)
    np.testing.assert_array_equal(getattr(own, ask)(X), getattr(expected, ask)(X))
    mean = whole.mean()
    if isinstance(model, PoissonRegressor):
        assert mean is None
        return
    assert mean.n_values == 1
    np.testing.assert_allclose(getattr(mean, ask)(X)[0], both.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(getattr(first, ask)(X), both[:3], rtol=1e-13)


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "liblinear"},
        {"solver": "saga", "l1_ratio": 0.5},
        {"warm_start": True},
        {"C": -1.0},
        {"C": "large"},
        {"class_weight": "wrong"},
    ],
)
def test_other_settings_go_to_the_engine(settings):
    """Also those that a fit would refuse, in its own words."""
    X, y = labelled()
    model = logistic(**settings)
    assert groups_of(model, X, y, draws_of(model, X, y)) is None


def test_other_data_go_to_the_engine():
    """Sparse and missing numbers, labels of one class, targets out of range."""
    X, y = labelled()
    model = logistic()
    assert groups_of(model, sparse.csr_array(X), y, draws_of(model, X, y)) is None
    holes = X.copy()
    holes[3, 1] = np.nan
    assert groups_of(model, holes, y, draws_of(model, X, y)) is None
    chain = make_pipeline(StandardScaler(), model)
    assert groups_of(chain, holes, y, draws_of(model, X, y)) is None
    single = np.full(len(y), "a")
    assert groups_of(model, X, single, draws_of(model, X, single)) is None
    for own in GLMS[:2]:
        target = np.full(len(y), -1.0)
        assert groups_of(own, X, target, draws_of(own, X, target)) is None
    half = make_pipeline(StandardScaler(), model)
    assert groups_of(half, X.astype(np.float16), y, draws_of(model, X, y)) is None


@pytest.mark.parametrize("model", [logistic(C=np.inf), glm(PoissonRegressor, alpha=0)])
def test_without_a_penalty_there_must_be_a_minimum(model):
    """Collinear columns, more columns than rows, and classes apart have none."""
    X, y = data_for(model)
    double = np.column_stack([X, X[:, 0]])
    draws = draws_of(model, X, y)
    groups = groups_of(model, double, y, draws)
    assert groups is None or not any(group.path.fine.any() for group in groups)
    assert_equals_fits(model, X, y, draws)
    wide = np.random.default_rng(0).normal(size=(20, 30))
    few = y[:20]
    assert groups_of(model, wide, few, draws_of(model, wide, few)) is None
    if is_classifier(model):
        apart = (X[:, 0] > 0).astype(int)
        assert groups_of(model, X, apart, draws_of(model, X, apart)) is None


def test_no_penalty_by_name_is_that_without_end():
    """`penalty=None` says what an infinite C says."""
    X, y = labelled()
    draws = draws_of(logistic(), X, y)
    named, infinite = (
        groups_of(model, X, y, draws)[0].path
        for model in (logistic(penalty=None), logistic(C=np.inf))
    )
    np.testing.assert_array_equal(
        named.decision_function(X), infinite.decision_function(X)
    )
    assert named.model(0).penalty is None
