"""KnockoffSelector as an estimator: what it selects, takes, refuses and says."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import set_config
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from genestimators._exceptions import (
    NothingSelectedWarning,
    SingularCovarianceWarning,
)
from genestimators.selection.knockoffs._filter import fewest_discoveries
from genestimators.selection.knockoffs._selector import KnockoffSelector

NOTHING_IS_FINE = pytest.mark.filterwarnings(
    "ignore::genestimators.selection.knockoffs._selector.NothingSelectedWarning"
)


def _data(seed=0, n=150, p=30, n_true=12):
    """The first columns matter, strongly."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1))
    return X, X[:, :n_true].sum(axis=1) + rng.normal(size=n)


def _selector(**settings):
    return KnockoffSelector(**({"n_copies": 3, "random_state": 0} | settings))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"statistic": "ridge"},
        {"construction": "maximum_entropy"},
        {"construction": "equicorrelated"},
        {"covariance": "empirical"},
        {"n_copies": 1},
        {"offset": 0},
        {"estimator": Lasso(alpha=0.05)},
        {"estimator": make_pipeline(StandardScaler(), Lasso(alpha=0.05))},
        {"statistic": lambda A, y: np.abs(Ridge().fit(A, y).coef_)},
    ],
)
def test_strong_effects_are_selected(settings):
    """Each way to make copies and importances finds what is plain to see."""
    X, y = _data()
    support = _selector(**settings).fit(X, y).get_support()
    assert support[:12].all()
    # A rate of 0.1 or 0.3 is an expectation; among 18 columns without effect, five are
    # more than any of these seeds gives.
    assert support[12:].sum() < 5


@pytest.mark.parametrize(
    "target",
    [
        lambda y: y > 0,
        lambda y: np.where(y > 0, "yes", "no"),
        lambda y: np.where(y > 0, "yes", "no").astype(object),
        lambda y: np.array(["u", "v", "w"])[np.digitize(y, [-2, 2])],
        lambda y: np.c_[y, np.random.default_rng(1).normal(size=len(y))],
        lambda y: np.round(y).astype(int),
        lambda y: y.astype(np.float32),
        lambda y: y.astype(object),
        lambda y: y.reshape(-1, 1)[:, 0] * 1e-8 + 1.0,
    ],
)
def test_targets_of_every_kind(target):
    """Classes, strings, several outputs, counts, tiny numbers beside large means."""
    X, y = _data(n=400)
    selector = _selector().fit(X, target(y))
    support = selector.get_support()
    assert support[:12].sum() >= 10
    assert support[12:].sum() < 5


def test_rule_is_applied_without_refitting():
    """alpha and offset take effect at once, as if set before the fit."""
    X, y = _data()
    fitted = _selector().fit(X, y)
    statistics = fitted.statistics_.copy()
    for alpha, offset in ((0.05, 0), (0.2, 1), (0.5, 1), (0.1, 0)):
        fitted.set_params(alpha=alpha, offset=offset)
        again = _selector(alpha=alpha, offset=offset).fit(X, y)
        np.testing.assert_array_equal(fitted.get_support(), again.get_support())
        np.testing.assert_array_equal(fitted.e_values_, again.e_values_)
        np.testing.assert_array_equal(fitted.q_values_, again.q_values_)
        assert fitted.n_features_significant_ == again.get_support().sum()
        assert fitted.transform(X).shape[1] == again.n_features_significant_
    np.testing.assert_array_equal(fitted.statistics_, statistics)


def test_a_rule_out_of_range_is_refused_when_it_is_applied():
    """get_support says so; attributes that cannot be had are not there."""
    X, y = _data()
    fitted = _selector().fit(X, y).set_params(alpha=1.5)
    with pytest.raises(ValueError, match=r"'alpha' parameter .* Got 1\.5 instead"):
        fitted.get_support()
    for name in ("e_values_", "q_values_", "n_features_significant_"):
        assert not hasattr(fitted, name)
        assert not hasattr(KnockoffSelector(), name)
    assert repr(fitted)
    assert fitted._repr_html_()


@pytest.mark.parametrize("statistic", ["lasso", "ridge"])
def test_fit_repeats(statistic):
    """The same bits again, after pickling, after cloning, and among more copies."""
    X, y = _data()
    first = _selector(statistic=statistic).fit(X, y)
    for other in (
        clone(first).fit(X, y),
        pickle.loads(pickle.dumps(first)),
    ):
        np.testing.assert_array_equal(first.statistics_, other.statistics_)
        np.testing.assert_array_equal(first.covariance_, other.covariance_)
    another = _selector(statistic=statistic, random_state=1).fit(X, y)
    assert (another.statistics_ != first.statistics_).any()
    more = _selector(statistic=statistic, n_copies=4).fit(X, y)
    np.testing.assert_array_equal(more.statistics_[:3], first.statistics_)


@NOTHING_IS_FINE
def test_jobs_change_nothing():
    """The same bits for one job and for two, in processes and in threads."""
    X, y = _data()
    for estimator in (None, RandomForestRegressor(2, max_depth=3)):
        first = _selector(estimator=estimator, offset=0, alpha=0.5).fit(X, y)
        other = clone(first).set_params(n_jobs=2).fit(X, y)
        np.testing.assert_array_equal(first.statistics_, other.statistics_)


@NOTHING_IS_FINE
def test_forests_find_what_is_not_linear():
    """Effects without a slope, which a lasso cannot see."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 20))
    y = (X[:, :5] ** 2).sum(axis=1) + 0.5 * rng.normal(size=400)
    settings = {"alpha": 0.3, "offset": 0, "n_copies": 3}
    forest = RandomForestRegressor(50, max_features=0.5, max_depth=6)
    support = _selector(estimator=forest, **settings).fit(X, y).get_support()
    assert support[:5].all()
    assert support[5:].sum() < 4
    lasso = _selector(**settings).fit(X, y)
    assert lasso.get_support()[:5].sum() < 4


def test_units_and_scale_do_not_matter():
    """Columns in other units and with large means give the same statistics."""
    X, y = _data()
    scale = 10.0 ** np.random.default_rng(0).integers(-6, 7, size=X.shape[1])
    first = _selector().fit(X, y)
    other = _selector().fit(scale * X, 1e3 * y + 1e5)
    # The stops of the lasso amplify rounding.
    np.testing.assert_allclose(other.statistics_, first.statistics_, atol=1e-4)
    far = _selector().fit(X + 1e6, y)
    np.testing.assert_allclose(far.statistics_, first.statistics_, atol=1e-4)
    near = _selector().fit(X.astype(np.float32), y)
    np.testing.assert_allclose(near.statistics_, first.statistics_, atol=1e-3)
    np.testing.assert_allclose(
        other.covariance_, first.covariance_ * np.outer(scale, scale), rtol=1e-6
    )


def test_groups_stand_and_fall_together():
    """A statistic a group; the members of a group that matters all stay."""
    X, y = _data(n=300, p=60, n_true=24)
    groups = [f"group {j // 2}" for j in range(60)]
    selector = _selector(feature_groups=groups).fit(X, y)
    assert selector.statistics_.shape == (3, 30)
    assert selector.feature_groups_.tolist() == [j // 2 for j in range(60)]
    support = selector.get_support()
    np.testing.assert_array_equal(support[::2], support[1::2])
    assert support[:24].all()
    assert selector.n_features_significant_ == support.sum()
    # Columns in another order, the same groups.
    order = np.random.default_rng(0).permutation(60)
    moved = _selector(feature_groups=np.array(groups)[order]).fit(X[:, order], y)
    assert moved.get_support()[np.argsort(order)][:24].all()


def test_automatic_groups_bring_repeated_columns_back():
    """Two copies of each column hide each other; as clusters they are found."""
    X, y = _data(n=300)
    noise = 0.01 * np.random.default_rng(1).normal(size=X.shape)
    both = np.hstack([X, X + noise])
    support = _selector(feature_groups="auto").fit(both, y).get_support()
    assert support[:12].all()
    assert support[30:42].all()
    alone = _selector(offset=0).fit(both, y).get_support()
    assert alone.sum() < 24


@pytest.mark.parametrize("covariance", ["ledoit_wolf", "empirical"])
def test_constant_and_repeated_columns(covariance):
    """A constant never counts; a repeated column is no reason to fail."""
    X, y = _data()
    X[:, 20] = 0.1
    X[:, 21] = X[:, 22]
    selector = _selector(covariance=covariance)
    if covariance == "empirical":
        with pytest.warns(SingularCovarianceWarning, match="`feature_groups`"):
            selector.fit(X, y)
    else:
        selector.fit(X, y)
    assert not selector.statistics_[:, 20].any()
    assert selector.get_support()[:12].all()


def test_more_columns_than_rows():
    """p > n works; the copies come from a shrunken covariance."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 150))
    y = X[:, :12].sum(axis=1) + 0.5 * rng.normal(size=100)
    support = _selector().fit(X, y).get_support()
    assert support[:12].sum() >= 10


@pytest.mark.filterwarnings(
    "ignore::genestimators.selection.knockoffs._covariance.SingularCovarianceWarning"
)
@pytest.mark.parametrize("statistic", ["lasso", "ridge"])
@pytest.mark.parametrize(("n", "p"), [(2, 1), (2, 3), (20, 1)])
def test_few_rows_and_columns(statistic, n, p):
    """Two rows, one column: nothing can be selected, and that is said."""
    X = np.random.default_rng(0).normal(size=(n, p))
    with pytest.warns(NothingSelectedWarning, match=f"there are {p}; raise"):
        selector = _selector(statistic=statistic).fit(X, X[:, 0])
    assert selector.statistics_.shape == (3, p)
    assert not selector.get_support().any()


def test_constant_target():
    """Nothing relates to a constant."""
    X, _ = _data()
    with pytest.warns(NothingSelectedWarning, match="none stands out"):
        selector = _selector().fit(X, np.ones(len(X)))
    assert not selector.statistics_.any()


def test_nothing_selected_is_said_once_and_why():
    """One warning a call, with what would help; scikit-learn's is not added."""
    X, y = _data(p=6, n_true=6)
    with pytest.warns(NothingSelectedWarning) as caught:
        selector = _selector().fit(X, y)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "at least 1 / alpha = 10 are selected or none, and there are 6" in message
    assert caught[0].filename == __file__
    with pytest.warns(NothingSelectedWarning) as caught:
        empty = selector.transform(X)
    assert len(caught) == 1
    assert empty.shape == (150, 0)
    assert not selector.inverse_transform(empty).any()
    assert selector.inverse_transform(empty).shape == X.shape
    assert fewest_discoveries(0.2) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert selector.set_params(alpha=0.2).transform(X).shape == (150, 6)
        assert selector.set_params(alpha=0.1, offset=0).transform(X).shape == (150, 6)
    with pytest.warns(NothingSelectedWarning, match="group of features is selected"):
        selector.set_params(offset=1, feature_groups=np.arange(6)).fit(X, y)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames_keep_their_names(container):
    """Names in, names out; the output is a frame where that is asked for."""
    library = pytest.importorskip(container)
    X, y = _data()
    names = [f"x{j}" for j in range(30)]
    frame = library.DataFrame(dict(zip(names, X.T, strict=True)))
    selector = _selector().set_output(transform=container).fit(frame, y)
    support = selector.get_support()
    kept = [name for name, keep in zip(names, support, strict=True) if keep]
    assert selector.feature_names_in_.tolist() == names
    assert selector.get_feature_names_out().tolist() == kept
    out = selector.transform(frame)
    assert isinstance(out, library.DataFrame)
    assert list(out.columns) == kept
    np.testing.assert_array_equal(out.to_numpy(), X[:, support])
    back = selector.inverse_transform(out.to_numpy())
    np.testing.assert_array_equal(back[:, support], X[:, support])
    assert not back[:, ~support].any()
    with pytest.warns(NothingSelectedWarning):
        empty = selector.set_params(alpha=0.01).transform(frame)
    assert isinstance(empty, library.DataFrame)
    assert empty.shape[1] == 0


def test_selector_in_a_searched_pipeline():
    """alpha is tuned like any parameter, with routing on or off."""
    X, y = _data()
    pipe = make_pipeline(_selector(n_copies=2, offset=0), Ridge())
    grid = {"knockoffselector__alpha": [0.1, 0.3]}
    scores = []
    for routing in (False, True):
        set_config(enable_metadata_routing=routing)
        try:
            search = GridSearchCV(pipe, grid, cv=2).fit(X, y)
        finally:
            set_config(enable_metadata_routing=False)
        scores.append(search.best_score_)
    assert scores[0] == scores[1] > 0.8


def test_tags_follow_the_estimator():
    """y is needed; several outputs are taken where the estimator takes them."""
    assert get_tags(KnockoffSelector()).target_tags.required
    assert get_tags(KnockoffSelector()).target_tags.multi_output
    logistic = get_tags(KnockoffSelector(LogisticRegression()))
    assert logistic.target_tags.required
    assert not logistic.target_tags.multi_output
    assert not logistic.input_tags.sparse
    assert not logistic.input_tags.allow_nan


def _nan():
    X, _ = _data()
    X[3, 4] = np.nan
    return X


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"X": sparse.csr_array(np.eye(150))}, TypeError, "takes no sparse X, since"),
        ({"X": _nan()}, ValueError, "impute them before. Got NaN or inf in column 4"),
        ({"X": _data()[0][:9]}, ValueError, "same number of rows. Got 9 and 150"),
        ({"y": None}, ValueError, "requires y to be passed"),
        ({"y": np.full(150, np.nan)}, ValueError, "y contains NaN"),
        ({"alpha": 0.0}, ValueError, r"a float in the range \(0\.0, 1\.0\). Got 0"),
        ({"alpha": 1}, TypeError, "'alpha' parameter of KnockoffSelector"),
        ({"offset": 2}, ValueError, r"an int in the range \[0, 1\]. Got 2"),
        ({"n_copies": 0}, ValueError, r"an int in the range \[1, inf\). Got 0"),
        ({"construction": "sdp"}, ValueError, "'equicorrelated'}. Got 'sdp'"),
        ({"covariance": "oas"}, ValueError, "'covariance' parameter .* Got 'oas'"),
        ({"covariance": np.eye(3)}, ValueError, r"shape \(30, 30\), .* Got .*\(3, 3\)"),
        ({"statistic": "gini"}, ValueError, "'statistic' parameter .* Got 'gini'"),
        ({"feature_groups": [0, 1]}, ValueError, "each of the 30 features. Got 2"),
        (
            {"estimator": Lasso(), "statistic": "ridge"},
            ValueError,
            "left at its default where an `estimator` is given",
        ),
        ({"estimator": Lasso}, TypeError, "an object with `fit` or None. Got"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(settings, error, words):
    """The rule, what was got, and the way out."""
    X, y = _data()
    data = {"X": X, "y": y} | {k: v for k, v in settings.items() if k in ("X", "y")}
    others = {k: v for k, v in settings.items() if k not in data}
    with pytest.raises(error, match=words):
        _selector(**others).fit(data["X"], data["y"])


def test_nan_in_a_named_column_is_named():
    """The column's own name, where there is one."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(_nan(), columns=[f"x{j}" for j in range(30)])
    with pytest.raises(ValueError, match="Got NaN or inf in column 'x4'"):
        _selector().fit(frame, _data()[1])
