"""Methods and attributes taken from the refitted estimator, and when they are there."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import estimator_html_repr, get_tags

from genestimators import (
    AuditWarning,
    AutoRegularizedCV,
    Family,
    Path,
    register_family,
)
from genestimators.fitting import _registry
from tests.bagging.toys import PredictsOnly, classification_data, regression_data

pytestmark = pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "fit_transform",
    "inverse_transform",
    "get_feature_names_out",
    "score_samples",
    "set_output",
)
ONCE = {"cv": 3, "n_repeats": 1, "random_state": 0}


@pytest.mark.parametrize(
    ("base", "values"),
    [
        (Ridge(), [0.1, 1.0]),
        (LogisticRegression(), [0.1, 1.0]),
        (LinearSVC(), [0.1, 1.0]),
        (make_pipeline(StandardScaler(), LogisticRegression()), [0.1, 1.0]),
        (PLSRegression(), [1, 2]),
        (LinearDiscriminantAnalysis(solver="eigen"), [0.1, 0.5]),
    ],
    ids=lambda part: type(part).__name__,
)
def test_methods_are_those_of_the_estimator(base, values):
    """Before and after the fit, and they answer as the refitted estimator does."""
    model = AutoRegularizedCV(base, values=values, **ONCE)
    X, y = classification_data() if is_classifier(base) else regression_data()
    for fitted in (False, True):
        if fitted:
            model.fit(X, y)
        for method in METHODS:
            assert hasattr(model, method) == hasattr(base, method), method
    for method in METHODS[:5]:
        if hasattr(base, method):
            np.testing.assert_array_equal(
                getattr(model, method)(X), getattr(model.best_estimator_, method)(X)
            )
    assert is_classifier(model) == is_classifier(base)
    assert is_regressor(model) == is_regressor(base)
    ours, theirs = get_tags(model), get_tags(base)
    assert ours.transformer_tags == theirs.transformer_tags
    assert ours.input_tags.sparse == theirs.input_tags.sparse


def test_a_transformer():
    """Columns, names and frames are those of the refitted transformer."""
    X, y = regression_data()
    model = AutoRegularizedCV(PLSRegression(), values=[1, 2, 3], **ONCE)
    found = model.fit_transform(X, y)
    plain = PLSRegression(**model.best_params_).fit(X, y)
    np.testing.assert_allclose(found, plain.transform(X))
    np.testing.assert_array_equal(
        model.inverse_transform(found), model.best_estimator_.inverse_transform(found)
    )
    assert (
        model.get_feature_names_out().tolist() == plain.get_feature_names_out().tolist()
    )
    chain = make_pipeline(clone(model), Ridge()).fit(X, y)
    own = Ridge().fit(plain.transform(X), y)
    np.testing.assert_allclose(chain.predict(X), own.predict(plain.transform(X)))


def test_frames_of_a_transformer():
    """`set_output` reaches the estimator, before and after it is fitted."""
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    model = AutoRegularizedCV(PLSRegression(), values=[1, 2], **ONCE)
    early = clone(model).set_output(transform="pandas")
    late = clone(model).fit(X, y).set_output(transform="pandas")
    assert isinstance(late.transform(X), pandas.DataFrame)
    assert isinstance(clone(early).fit_transform(X, y), pandas.DataFrame)
    chain = make_pipeline(StandardScaler(), model, Ridge())
    chain.set_output(transform="pandas").fit(X, y)
    names = chain[:-1].get_feature_names_out().tolist()
    assert chain[:-1].transform(X).columns.tolist() == names


def test_without_a_refit():
    """Everything about the search is there, and the rest says what to do."""
    X, y = classification_data()
    model = AutoRegularizedCV(
        LogisticRegression(), values=[0.1, 1.0], refit=False, **ONCE
    )
    model.fit(X, y)
    assert model.best_params_["C"] in (0.1, 1.0)
    assert model.n_fits_ > 0
    for call in (
        lambda: model.predict(X),
        lambda: model.predict_proba(X),
        lambda: model.score(X, y),
    ):
        with pytest.raises(AttributeError, match="set `refit=True`"):
            call()
    for name in ("best_estimator_", "refit_time_", "classes_"):
        assert not hasattr(model, name)
    assert model.n_features_in_ == 4
    whole = clone(model).set_params(refit=True).fit(X, y)
    assert whole.best_params_ == model.best_params_
    assert whole.n_fits_ == model.n_fits_ + 1


def test_before_the_fit():
    """Methods raise NotFittedError, attributes are missing."""
    X, _ = classification_data()
    model = AutoRegularizedCV(LogisticRegression())
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(model, method)(X)
    with pytest.raises(NotFittedError):
        model.score(X, None)
    for name in ("classes_", "n_features_in_", "best_params_", "best_estimator_"):
        assert not hasattr(model, name)


def test_an_estimator_that_only_predicts():
    """Its labels are kept as out-of-fold predictions."""

    class Nearest(PredictsOnly):
        def __init__(self, power=2):
            self.power = power

    X, y = classification_data(labels=["a", "b", "c"])
    model = AutoRegularizedCV(Nearest(), param="power", values=[1, 2], **ONCE)
    model.fit(X, y)
    assert not hasattr(model, "predict_proba")
    assert set(model.oof_predictions_) <= set(y)


def test_score_uses_the_scorer():
    """By name, by a callable, by default that of the estimator."""
    X, y = regression_data()
    weight = np.arange(60.0)
    model = AutoRegularizedCV(Ridge(), values=[0.1, 1.0], **ONCE).fit(X, y)
    assert model.score(X, y) == r2_score(y, model.predict(X))
    error = model.set_params(scoring="neg_mean_squared_error").fit(X, y)
    expected = -np.average((y - error.predict(X)) ** 2, weights=weight)
    np.testing.assert_allclose(error.score(X, y, sample_weight=weight), expected)

    def size(estimator, X, y):
        return -np.abs(estimator.coef_).sum()

    model.set_params(scoring=size).fit(X, y)
    assert model.score(X, y) == -np.abs(model.best_estimator_.coef_).sum()
    assert model.engine_ == "generic"  # it looks at the fitted estimator


def test_representations():
    """Text and HTML, before and after the fit, after cloning and pickling."""
    X, y = regression_data()
    model = AutoRegularizedCV(
        make_pipeline(StandardScaler(), Ridge()), values=[0.1, 1.0], **ONCE
    )
    assert repr(model) == repr(clone(model))
    assert "AutoRegularizedCV" in estimator_html_repr(model)
    model.fit(X, y)
    page = estimator_html_repr(model)
    assert "Ridge" in page
    assert "genestimators.AutoRegularizedCV.html" in page
    assert repr(pickle.loads(pickle.dumps(model))) == repr(model)
    assert "<li>" in model.choice_._repr_html_()


@pytest.mark.parametrize(("verbose", "every"), [(1, 3), (2, 1)])
def test_verbose_prints_lines(verbose, every, capsys):
    """1 prints about ten lines, 2 one for each split."""
    X, y = regression_data()
    model = AutoRegularizedCV(
        Ridge(), values=[0.1, 1.0], cv=5, n_repeats=6, verbose=verbose
    ).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    pattern = r"\[AutoRegularizedCV\] (\d+)/30 splits, \d+\.\d s"
    told = [int(re.fullmatch(pattern, line)[1]) for line in lines]
    assert told == list(range(every, 31, every))
    model.set_params(verbose=0).fit(X, y)
    assert capsys.readouterr() == ("", "")


class Recorder:
    """Writes down which hook was called for which task."""

    def __init__(self):
        self.hooks = []

    def setup(self, estimator, context):
        self.hooks.append("setup")

    def teardown(self, estimator, context):
        self.hooks.append("teardown")

    def on_fit_task_begin(self, estimator, context, **kwargs):
        self.hooks.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.hooks.append(f"end {context.task_name}")


def test_callbacks_see_each_split():
    """One fit, in it every split, and an end also after an error."""
    pytest.importorskip("sklearn.callback")
    X, y = regression_data()
    recorder = Recorder()
    model = AutoRegularizedCV(Ridge(), values=[0.1, 1.0], cv=3, n_repeats=1)
    model.set_callbacks(recorder).fit(X, y)
    splits = ["begin split", "end split"] * 3
    assert recorder.hooks == ["setup", "begin fit", *splits, "end fit", "teardown"]
    recorder.hooks.clear()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, y)
    assert recorder.hooks[0] == "setup"
    assert recorder.hooks[-1] == "teardown"


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_progress_bar(n_jobs, capsys):
    """scikit-learn's progress bar shows a search, and a range that is extended."""
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    X, y = regression_data()
    model = AutoRegularizedCV(Ridge(), cv=3, n_repeats=1, n_jobs=n_jobs)
    model.set_callbacks(callback.ProgressBar()).fit(X, y)
    assert "AutoRegularizedCV" in capsys.readouterr().out


class Scaled(PredictsOnly):
    """Shrinks the first class's mean; its family is wrong on purpose."""

    def __init__(self, shrinkage=0.0):
        self.shrinkage = shrinkage

    def fit(self, X, y):
        super().fit(X, y)
        self.means_ = (1 - self.shrinkage) * self.means_
        return self


class WrongPath(Path):
    """Says the first class of every row."""

    def __init__(self, n_values, classes):
        self.n_values, self.classes_ = n_values, classes

    def predict(self, X):
        return np.full((self.n_values, len(X)), self.classes_[0])


class Wrong(Family):
    estimator = Scaled
    param = "shrinkage"
    exactness = "exact"
    preferred = True

    def default_values(self, estimator, X, y, sample_weight):
        return np.array([0.0, 0.3])

    def fit_path(self, estimator, X, y, sample_weight, values):
        return WrongPath(len(values), np.unique(y))


@pytest.fixture
def wrong_family():
    """A family that does not fit what it says, for the time of a test."""
    yield register_family(Wrong())
    _registry._FAMILIES.pop((Scaled, "shrinkage"))


@pytest.mark.usefixtures("wrong_family")
def test_an_audit_finds_a_wrong_path():
    """It warns, and the search is that of the generic engine."""
    X, y = classification_data()
    model = AutoRegularizedCV(Scaled(), **ONCE)
    assert model.fit(X, y).engine_ == "path"
    with pytest.warns(AuditWarning, match=r"path of Wrong differs .* every value"):
        model.set_params(engine="audit").fit(X, y)
    generic = AutoRegularizedCV(Scaled(), engine="generic", **ONCE).fit(X, y)
    assert model.engine_ == generic.engine_ == "generic"
    assert model.exactness_ == "refit"
    np.testing.assert_array_equal(
        model.cv_results_["mean_test_score"], generic.cv_results_["mean_test_score"]
    )
    assert model.best_params_ == generic.best_params_
    assert model.n_fits_ > generic.n_fits_


def test_an_audit_passes_a_right_path(recwarn):
    """Without a warning, the results are those of the path."""
    X, y = regression_data()
    shared = {"values": [0.1, 1.0], "cv": KFold(3), "random_state": 0}
    audited = AutoRegularizedCV(Ridge(), engine="audit", **shared).fit(X, y)
    path = AutoRegularizedCV(Ridge(), **shared).fit(X, y)
    assert not [one for one in recwarn if one.category is AuditWarning]
    assert audited.engine_ == path.engine_ == "path"
    assert audited.best_params_ == path.best_params_
    assert audited.cv_results_["gap"].tolist() == path.cv_results_["gap"].tolist()


@pytest.mark.parametrize(
    ("estimator", "values"), [(Ridge(), [1e18, 1e20]), (BernoulliNB(), [1.0, 1e8])]
)
def test_an_audit_passes_answers_that_are_all_alike(estimator, values, recwarn):
    """They differ by rounding, which is no share of a spread of nothing."""
    X, y = regression_data()
    if is_classifier(estimator):
        X, y = np.ones_like(X), np.arange(60) % 7 == 0
    settings = {"values": values, "random_state": 0}
    model = AutoRegularizedCV(estimator, engine="audit", **settings).fit(X, y)
    assert not [one for one in recwarn if one.category is AuditWarning]
    assert model.engine_ == "path"
