"""Discriminant analysis on many draws against clones fitted one by one."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import BayesianBootstrap, Bootstrap, GroupBootstrap, Subsample
from genestimators._compat import divides_by_rows
from tests.fitting.ensembles.against_clones import (
    assert_equals_clones,
    draws_of,
    fitted_groups,
    is_served,
    refit,
)

pytestmark = pytest.mark.skipif(
    not divides_by_rows(LinearDiscriminantAnalysis())
    or not divides_by_rows(QuadraticDiscriminantAnalysis()),
    reason="this scikit-learn has other covariances, and clones are fitted",
)

LINEAR = [
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(store_covariance=True, n_components=1),
    LinearDiscriminantAnalysis(solver="lsqr"),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1),
]
QUADRATIC = [
    QuadraticDiscriminantAnalysis(),
    QuadraticDiscriminantAnalysis(reg_param=0.2, store_covariance=True),
]
AXES = ("scalings_", "rotations_")  # unique but for their signs


def labelled(seed=0, n=240, p=5, k=3):
    """Data of k classes, whose labels are text."""
    X, y = make_classification(
        n, p, n_informative=p - 1, n_redundant=0, n_classes=k, random_state=seed
    )
    return X, np.array(["a", "bb", "c", "d"])[y]


def assert_equals_fits(model, X, y, draws, **settings):
    """As `assert_equals_clones`, of everything that is unique."""
    assert_equals_clones(model, X, y, draws, skip=AXES, **settings)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("model", LINEAR + QUADRATIC)
def test_members_equal_clones(model, k, seed):
    """Attributes, labels, probabilities and decisions."""
    X, y = labelled(seed, k=k)
    assert_equals_fits(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("model", LINEAR[1::2] + QUADRATIC)
@pytest.mark.parametrize("settings", [{}, {"with_mean": False}, {"with_std": False}])
def test_members_behind_a_scaler_equal_clones(settings, model, k):
    """A scaler that rows are repeated for, too."""
    X, y = labelled(k=k)
    X = 3 + X * [1, 2, 5, 1, 0.5]
    pipeline = make_pipeline(StandardScaler(**settings), model)
    assert_equals_fits(pipeline, X, y, draws_of(X, y))


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("model", LINEAR[:2])
def test_transform_equals_clones_up_to_signs(model, k):
    """The axes of the discriminant space are those of a fit, or their negatives."""
    X, y = labelled(k=k)
    draws = draws_of(X, y)
    (group,) = fitted_groups(model, X, y, draws, range(5))
    for i in range(5):
        own, expected = group.path.model(i), refit(model, X, y, draws[i], draws)
        for name in ("scalings_", "rotations_"):
            if hasattr(expected, name):
                assert getattr(own, name).shape == getattr(expected, name).shape
        ours, theirs = own.transform(X), expected.transform(X)
        signs = np.sign((ours * theirs).sum(axis=0))
        np.testing.assert_allclose(ours * signs, theirs, rtol=1e-8, atol=1e-10)
        np.testing.assert_array_equal(
            own.get_feature_names_out(), expected.get_feature_names_out()
        )


def test_axes_of_the_classes_equal_clones_up_to_signs():
    """Rotations of the quadratic analysis."""
    X, y = labelled()
    draws = draws_of(X, y)
    (group,) = fitted_groups(QUADRATIC[0], X, y, draws, range(5))
    for i in range(5):
        own, expected = group.path.model(i), refit(QUADRATIC[0], X, y, draws[i], draws)
        for ours, theirs in zip(own.rotations_, expected.rotations_, strict=True):
            signs = np.sign((ours * theirs).sum(axis=0))
            np.testing.assert_allclose(ours * signs, theirs, rtol=1e-7, atol=1e-9)
        for ours, theirs in zip(own.scalings_, expected.scalings_, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("model", LINEAR[:3] + QUADRATIC[:1])
def test_given_priors_equal_clones(model):
    """Priors also weight the covariances of the classes."""
    X, y = labelled()
    model.set_params(priors=[0.5, 0.2, 0.3])
    try:
        assert_equals_fits(model, X, y, draws_of(X, y))
    finally:
        model.set_params(priors=None)


@pytest.mark.parametrize(
    "resampler", [Subsample(), GroupBootstrap(), Bootstrap(stratify=False)]
)
@pytest.mark.parametrize("model", LINEAR[:3] + QUADRATIC[:1])
def test_other_draws_equal_clones(model, resampler):
    """Rows once or not at all, and by groups."""
    X, y = labelled()
    groups = np.arange(len(y)) // 3
    draws = draws_of(X, y, resampler=resampler, groups=groups)
    assert_equals_fits(model, X, y, draws)


@pytest.mark.parametrize("model", [LINEAR[0], LINEAR[2], QUADRATIC[0]])
def test_whole_weights_equal_clones(model):
    """Rows of whole weights are repeated; those of weight zero are not there."""
    X, y = labelled()
    weight = np.arange(len(y)) % 4.0
    X[weight == 0] *= 1e6
    draws = draws_of(X, y, sample_weight=weight)
    assert_equals_fits(model, X, y, draws, asked=X[weight > 0])


@pytest.mark.parametrize("model", [LINEAR[0], QUADRATIC[0]])
def test_fractions_of_rows_are_left_to_the_engine(model):
    """It says that rows cannot be repeated so."""
    X, y = labelled()
    draws = draws_of(X, y, resampler=BayesianBootstrap())
    assert not is_served(model, X, y, draws)
    with pytest.raises(ValueError, match="which have to be whole numbers"):
        refit(model, X, y, draws[0], draws)


@pytest.mark.parametrize(
    "name", ["offset", "far classes", "column", "whole", "scales", "alike"]
)
@pytest.mark.parametrize("model", [LINEAR[0], LINEAR[2], LINEAR[3], QUADRATIC[0]])
def test_awkward_data_equal_clones(model, name):
    """Far from the origin, one column, columns of all scales, equal columns almost."""
    X, y = labelled()
    settings = {}
    if name == "offset":
        # With "lsqr" the estimator itself takes products of numbers that large.
        X = X + (1e3 if getattr(model, "solver", "svd") == "lsqr" else 1e6)
        settings = {"rtol": 1e-7, "atol": 1e-7, "loose": 10}
    elif name == "far classes":
        X[y == "bb"] += 1e5
        settings = {"rtol": 1e-5, "atol": 1e-7, "loose": 10}
    elif name == "column":
        X = X[:, :1]
    elif name == "whole":
        X = np.rint(10 * X).astype(int)
    elif name == "scales":
        X = X * 10.0 ** np.arange(-1, 4)
        settings = {"rtol": 1e-7, "atol": 1e-8}
    elif name == "alike":
        X[:, 1] = X[:, 0] + 0.03 * X[:, 1]
        settings = {"rtol": 1e-6, "atol": 1e-8}
    assert_equals_fits(model, X, y, draws_of(X, y), **settings)


@pytest.mark.parametrize("model", LINEAR + QUADRATIC)
def test_single_precision_equals_clones(model):
    """Attributes are of the same type; the estimator itself loses digits."""
    X, y = labelled()
    X = X.astype(np.float32)
    draws = draws_of(X, y)
    assert_equals_fits(model, X, y, draws, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("model", [LINEAR[0], QUADRATIC[0]])
def test_frames_keep_their_names(model):
    """Fitted members know the names of the columns."""
    pandas = pytest.importorskip("pandas")
    X, y = labelled()
    X = pandas.DataFrame(X, columns=list("vwxyz"))
    assert_equals_fits(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("name", ["constant", "copy", "nearly", "few"])
@pytest.mark.parametrize("model", [LINEAR[0], LINEAR[2], QUADRATIC[0]])
def test_singular_covariances_are_left_to_the_engine(model, name):
    """Which directions count is then the decision of the solver."""
    X, y = labelled()
    if name == "constant":
        X[:, 2] = 7.0
    elif name == "copy":
        X[:, 2] = X[:, 1]
    elif name == "nearly":
        X[:, 2] = X[:, 1] + 1e-5 * X[:, 2]
    else:
        X = np.random.default_rng(0).normal(size=(len(y), len(y) // 2))
    draws = draws_of(X, y)
    groups = fitted_groups(model, X, y, draws, range(20))
    assert groups is None or not next(groups).path.fine.any()


def test_some_draws_of_a_group_are_singular():
    """A column that varies by two rows is constant in draws without them."""
    X, y = labelled(k=2)
    X[:, 2] = np.arange(len(y)) == np.flatnonzero(y == "a")[0]
    model = LINEAR[0]
    draws = draws_of(X, y)
    expected = [np.ptp(X[draws[b].rows, 2]) > 0 for b in range(20)]
    path = next(fitted_groups(model, X, y, draws, range(20))).path
    assert 0 < sum(expected) < 20
    np.testing.assert_array_equal(path.fine, expected)
    assert_equals_fits(model, X, y, draws, numbers=range(20), least=sum(expected))


def test_classes_with_equal_means_in_part():
    """Directions without any distance between classes are dropped as in a fit."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), np.repeat([0, 1, 2], 100)
    X[y == 2, 0] += 10.0
    model = LinearDiscriminantAnalysis(tol=0.02)
    draws = draws_of(X, y)
    assert_equals_fits(model, X, y, draws, numbers=range(20), least=15)
    (group,) = fitted_groups(model, X, y, draws, range(20))
    ranks = {group.path.model(i).scalings_.shape[1] for i in range(20)}
    assert ranks == {1, 2}


@pytest.mark.parametrize("tol", [0.05, 0.5])
def test_variances_beneath_the_tolerance_are_left_to_the_engine(tol):
    """The quadratic analysis takes them for none, and says so."""
    X, y = labelled()
    X[:, 2] *= 0.1
    model = QuadraticDiscriminantAnalysis(tol=tol)
    draws = draws_of(X, y)
    path = next(fitted_groups(model, X, y, draws, range(20))).path
    for b in range(20):
        try:
            refit(model, X, y, draws[b], draws)
        except np.linalg.LinAlgError:
            assert not path.fine[b]
        else:
            assert path.fine[b]


@pytest.mark.parametrize("model", [LINEAR[0], LINEAR[2]])
@pytest.mark.parametrize("k", [2, 3])
def test_the_mean_of_the_members_decides_as_they_do_on_average(model, k):
    """One linear rule stands for all of them."""
    X, y = labelled(k=k)
    path = next(fitted_groups(model, X, y, draws_of(X, y), range(20))).path
    (own,) = path.mean().decision_function(X)
    expected = path.decision_function(X).mean(axis=0)
    np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-10)
    (part,) = path.take(slice(3, 4)).decision_function(X)
    np.testing.assert_allclose(part, path.decision_function(X)[3], rtol=1e-12)


@pytest.mark.parametrize("model", [LINEAR[0], LINEAR[3], QUADRATIC[0]])
def test_groups_can_be_joined(model):
    """The members of two groups in one path."""
    X, y = labelled()
    model = make_pipeline(StandardScaler(), model)
    first, second = (
        group.path for group in fitted_groups(model, X, y, draws_of(X, y), range(100))
    )
    both = first.joined([second])
    assert both.n_values == 100
    answers = [path.decision_function(X) for path in (first, second)]
    np.testing.assert_allclose(both.decision_function(X), np.concatenate(answers))
    own, expected = both.model(75)[-1], second.model(25)[-1]
    np.testing.assert_array_equal(own.means_, expected.means_)


@pytest.mark.parametrize("model", [LINEAR[0], LINEAR[3], QUADRATIC[0]])
def test_a_member_is_the_same_in_any_company(model):
    """How many draws are asked for changes no bits, even next to a singular one."""
    X, y = labelled(k=2)
    X[:, 2] = np.arange(len(y)) == np.flatnonzero(y == "a")[0]
    X[:, 2] += 0.1 * X[:, 1] ** 3
    draws = draws_of(X, y)
    one = next(fitted_groups(model, X, y, draws, range(17, 18))).path.model(0)
    every = next(fitted_groups(model, X, y, draws, range(20))).path.model(17)
    for name, value in vars(one).items():
        if name.endswith("_"):
            np.testing.assert_array_equal(value, getattr(every, name))


@pytest.mark.parametrize(
    "model",
    [
        LinearDiscriminantAnalysis(solver="eigen"),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        LinearDiscriminantAnalysis(shrinkage=0.5),
        LinearDiscriminantAnalysis(tol=2.0),
        LinearDiscriminantAnalysis(n_components=3),
        LinearDiscriminantAnalysis(priors=[0.5, 0.5]),
        LinearDiscriminantAnalysis(priors=[0.5, 0.5, 0.5]),
        LinearDiscriminantAnalysis(store_covariance=3),
        QuadraticDiscriminantAnalysis(reg_param=2),
        QuadraticDiscriminantAnalysis(tol=-1),
    ],
)
def test_other_settings_are_not_served(model):
    """The estimator itself says what is wrong, or does it."""
    X, y = labelled()
    assert not is_served(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("model", [LINEAR[0], QUADRATIC[0]])
def test_other_data_are_not_served(model):
    """Missing numbers, sparse matrices, single classes, squares that are no numbers."""
    X, y = labelled()
    draws = draws_of(X, y)
    assert is_served(model, X, y, draws)
    assert not is_served(model, sparse.csr_array(X), y, draws)
    assert not is_served(model, X, np.full(len(y), "a"), draws)
    assert not is_served(model, X * 1e160, y, draws)
    X[3, 2] = np.nan
    assert not is_served(model, X, y, draws)
