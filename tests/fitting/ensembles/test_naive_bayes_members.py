"""Naive Bayes on many draws against clones fitted one by one."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import BayesianBootstrap, Bootstrap, GroupBootstrap, Subsample
from genestimators._compat import naive_bayes_keeps_single
from genestimators.fitting._ensembles import fit_ensemble
from tests.fitting.ensembles.against_clones import (
    assert_equals_clones,
    draws_of,
    fitted_groups,
    is_served,
    refit,
)

COUNTING = [
    MultinomialNB(),
    MultinomialNB(alpha=0.1, fit_prior=False),
    MultinomialNB(class_prior=[0.2, 0.3, 0.5]),
    BernoulliNB(),
    BernoulliNB(binarize=1.0, alpha=1e-3),
    ComplementNB(),
    ComplementNB(norm=True),
]


def labelled(seed=0, n=150, p=5, k=3):
    """Data of k classes, whose labels are text."""
    X, y = make_classification(
        n, p, n_informative=p - 1, n_redundant=0, n_classes=k, random_state=seed
    )
    return X, np.array(["a", "bb", "c", "d"])[y]


def counted(seed=0, **shape):
    """Counts, many of them zero."""
    X, y = labelled(seed, **shape)
    return np.maximum(np.rint(2 * X), 0), y


def fractional(n):
    """Weights over four orders of magnitude."""
    return 10.0 ** np.random.default_rng(0).uniform(-2, 2, n)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        GaussianNB(var_smoothing=0.0),
        GaussianNB(var_smoothing=0.1),
        make_pipeline(StandardScaler(), GaussianNB(var_smoothing=0.01)),
        make_pipeline(StandardScaler(with_mean=False), GaussianNB()),
        make_pipeline(StandardScaler(with_std=False), GaussianNB()),
    ],
)
def test_gaussian_equals_clones(model, k, seed):
    """Attributes, labels and probabilities, also behind a scaler."""
    X, y = labelled(seed, k=k)
    assert_equals_clones(model, X, y, draws_of(X, y))


@pytest.mark.parametrize(
    "resampler",
    [Subsample(), GroupBootstrap(), BayesianBootstrap(), Bootstrap(stratify=False)],
)
@pytest.mark.parametrize("model", [GaussianNB(var_smoothing=0.01), BernoulliNB()])
def test_other_draws_equal_clones(model, resampler):
    """Rows once or not at all, by groups, and with random weights."""
    X, y = labelled()
    groups = np.arange(len(y)) // 3
    draws = draws_of(X, y, resampler=resampler, groups=groups)
    assert_equals_clones(model, X, y, draws)


@pytest.mark.parametrize("mode", ["frequency", "importance"])
@pytest.mark.parametrize("weights", ["zero or one", "whole", "fractional"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gaussian_with_weights_equals_clones(smoothing, weights, mode):
    """Rows of weight zero are not there, also for what is added to the variances."""
    X, y = labelled()
    weight = {
        "zero or one": (np.arange(len(y)) % 4 > 0).astype(float),
        "whole": np.arange(len(y)) % 4.0,
        "fractional": fractional(len(y)),
    }[weights]
    X[weight == 0] *= 100
    weight = np.minimum(weight, 5)
    draws = draws_of(X, y, sample_weight=weight, weight_mode=mode)
    model = GaussianNB(var_smoothing=smoothing)
    assert_equals_clones(model, X, y, draws, asked=X[weight > 0], rtol=1e-8)


@pytest.mark.parametrize(
    "name", ["offset", "far classes", "rare", "column", "whole", "scales"]
)
@pytest.mark.parametrize("scaled", [False, True])
def test_gaussian_of_awkward_data_equals_clones(name, scaled):
    """Data far from the origin, classes far from each other, rare indicators."""
    X, y = labelled(k=2)
    model, rtol, loose = GaussianNB(), 1e-9, 1
    if name == "offset":
        X, rtol, loose = X + 1e6, 1e-7, 1e2
    elif name == "far classes":
        X[y == "bb"] += 1e7
        rtol, loose = 1e-6, 1e2
    elif name == "rare":  # constant in some draws, and in a class
        X = np.column_stack([X, np.arange(len(y)) == 3, np.full(len(y), 7.0)])
        loose = 1e3  # of squares over variances of a billionth
    elif name == "column":
        X = X[:, :1]
    elif name == "whole":
        X = np.rint(10 * X).astype(int)
    elif name == "scales":
        X = X * 10.0 ** np.arange(-6, 9, 3)
        model = GaussianNB(var_smoothing=1e-20)
    if scaled:
        model = make_pipeline(StandardScaler(), model)
    assert_equals_clones(model, X, y, draws_of(X, y), rtol=rtol, loose=loose)


@pytest.mark.skipif(
    not naive_bayes_keeps_single(), reason="this scikit-learn learns some in double"
)
def test_gaussian_in_single_precision_equals_clones():
    """Attributes are single too; the estimator itself loses digits."""
    X, y = labelled()
    X = X.astype(np.float32)
    assert_equals_clones(
        GaussianNB(var_smoothing=0.01), X, y, draws_of(X, y), rtol=1e-4, atol=1e-5
    )


def test_gaussian_with_priors_equals_clones():
    """Given priors are kept."""
    X, y = labelled()
    model = GaussianNB(priors=[0.2, 0.3, 0.5])
    assert_equals_clones(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("model", [GaussianNB(), MultinomialNB()])
def test_frames_keep_their_names(model):
    """Fitted members know the names of the columns and warn without them."""
    pandas = pytest.importorskip("pandas")
    X, y = counted()
    X = pandas.DataFrame(X, columns=list("vwxyz"))
    draws = draws_of(X, y)
    assert_equals_clones(model, X, y, draws)
    path = next(fitted_groups(model, X, y, draws)).path
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        path.predict(X.to_numpy())


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("model", COUNTING)
def test_counts_equal_clones(model, container):
    """Discrete naive Bayes, of dense and of sparse counts."""
    X, y = counted()
    X = container(X)
    X = X.tocsr() if sparse.issparse(X) else X
    assert_equals_clones(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("weights", ["whole", "fractional"])
@pytest.mark.parametrize("mode", ["frequency", "importance"])
@pytest.mark.parametrize("model", COUNTING[::3])
def test_counts_with_weights_equal_clones(model, mode, weights):
    """Weights of rows reach the counts."""
    X, y = counted()
    weight = fractional(len(y)) if weights == "fractional" else np.arange(len(y)) % 4.0
    weight = np.minimum(weight, 4)
    draws = draws_of(X, y, sample_weight=weight, weight_mode=mode)
    assert_equals_clones(model, X, y, draws)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, bool])
@pytest.mark.parametrize("model", COUNTING[::3])
def test_counts_of_other_types_equal_clones(model, dtype):
    """Single precision, whole numbers, one column."""
    X, y = counted()
    X = X.astype(dtype)
    assert_equals_clones(model, X, y, draws_of(X, y))
    if not getattr(model, "norm", False):
        assert_equals_clones(model, X[:, :1], y, draws_of(X, y))


@pytest.mark.parametrize("model", [GaussianNB(), MultinomialNB()])
def test_draws_that_lack_a_class_are_left_to_the_engine(model):
    """A rare class is missing from draws that are not stratified."""
    X, y = counted()
    rare = np.flatnonzero(y == "c")
    keep = np.setdiff1d(np.arange(len(y)), rare[1:])
    X, y = X[keep], y[keep]
    draws = draws_of(X, y, resampler=Bootstrap(stratify=False))
    has = [(y[draws[b].rows] == "c").any() for b in range(20)]
    path = next(fitted_groups(model, X, y, draws, range(20))).path
    assert 0 < sum(has) < 20
    # One row of a class has no variance of its own, but some is added.
    np.testing.assert_array_equal(path.fine, has)


def test_variances_lost_to_rounding_are_left_to_the_engine():
    """A column that varies by its one outlier only, without anything added."""
    X, y = labelled(k=2)
    X[:, 0] = 0.1
    X[4, 0] = 1e8
    model = GaussianNB(var_smoothing=0.0)
    draws = draws_of(X, y)
    path = next(fitted_groups(model, X, y, draws, range(20))).path
    assert not path.fine.any()


def test_a_member_is_the_same_in_any_company():
    """Other draws, and how many are asked for, change no bits."""
    X, y = labelled()
    draws = draws_of(X, y)
    one = next(fitted_groups(GaussianNB(), X, y, draws, range(17, 18))).path
    all_of_them = next(fitted_groups(GaussianNB(), X, y, draws, range(20))).path
    for name, value in vars(one.model(0)).items():
        np.testing.assert_array_equal(value, getattr(all_of_them.model(17), name))


@pytest.mark.parametrize("model", [GaussianNB(), ComplementNB()])
def test_groups_can_be_joined(model):
    """The members of two groups in one path."""
    X, y = counted()
    first, second = (
        group.path for group in fitted_groups(model, X, y, draws_of(X, y), range(100))
    )
    both = first.joined([second])
    assert both.n_values == 100
    answers = [path.predict_proba(X) for path in (first, second)]
    np.testing.assert_allclose(both.predict_proba(X), np.concatenate(answers))
    assert (
        both.model(75).class_count_.tolist() == second.model(25).class_count_.tolist()
    )


def test_members_go_on_learning():
    """`partial_fit` of a member leaves the others, and the path, as they are."""
    X, y = counted()
    draws = draws_of(X, y)
    path = next(fitted_groups(MultinomialNB(), X, y, draws, range(20))).path
    before = path.predict_proba(X)
    model = path.model(0)
    expected = refit(MultinomialNB(), X, y, draws[0], draws)
    for one in (model, expected):
        one.partial_fit(X[:10], y[:10])
    np.testing.assert_allclose(model.feature_log_prob_, expected.feature_log_prob_)
    np.testing.assert_array_equal(path.predict_proba(X), before)


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(var_smoothing=-1.0),
        GaussianNB(priors=[0.5, 0.5]),
        MultinomialNB(alpha=0.0),
        MultinomialNB(alpha=np.ones(5)),
        BernoulliNB(binarize=-1.0),
        ComplementNB(class_prior=[1.0]),
        ComplementNB(norm=1),
        make_pipeline(StandardScaler(), MultinomialNB()),
        make_pipeline(StandardScaler(with_mean=False, with_std=False), GaussianNB()),
    ],
)
def test_other_settings_are_not_served(model):
    """The estimator itself says what is wrong, or does it."""
    X, y = counted()
    assert not is_served(model, X, y, draws_of(X, y))


@pytest.mark.parametrize("value", [np.nan, -1.0])
def test_other_data_are_not_served(value):
    """Missing and negative numbers are the business of the estimator."""
    X, y = counted()
    X[3, 2] = value
    assert not is_served(MultinomialNB(), X, y, draws_of(X, y))
    assert is_served(GaussianNB(), X, y, draws_of(X, y)) == (value == -1.0)


def test_one_class_or_several_targets_are_not_served():
    """One class has nothing to tell apart."""
    X, y = counted()
    for model in (GaussianNB(), MultinomialNB()):
        assert not is_served(model, X, np.full(len(y), "a"), draws_of(X, y))
        two = np.column_stack([y, y])
        assert fit_ensemble(model, X, two, draws_of(X, y), range(2), classes=()) is None
