"""Progress: callbacks of scikit-learn where it has them, and `verbose` everywhere."""

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingClassifier, BootstrapBaggingRegressor
from tests.bagging.toys import (
    assert_same_fit,
    classification_data,
    regression_data,
)


@pytest.fixture
def callback():
    """scikit-learn's callbacks, from 1.9 on."""
    return pytest.importorskip("sklearn.callback")


class Recorder:
    """Writes down which hook was called for which task."""

    def __init__(self):
        self.hooks = []

    def setup(self, estimator, context):
        self.hooks.append(("setup", context.task_name, context.max_subtasks))

    def teardown(self, estimator, context):
        self.hooks.append(("teardown", context.task_name, context.task_id))

    def on_fit_task_begin(self, estimator, context, **kwargs):
        self.hooks.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.hooks.append(("end", context.task_name, context.task_id))


def expected_hooks(n_replicates, n_planned):
    """The hooks of one fit, in order."""
    replicates = [
        (hook, "replicate", number)
        for number in range(n_replicates)
        for hook in ("begin", "end")
    ]
    return [
        ("setup", "fit", n_planned),
        ("begin", "fit", 0),
        *replicates,
        ("end", "fit", 0),
        ("teardown", "fit", 0),
    ]


@pytest.mark.usefixtures("callback")
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("base", [Ridge(), DecisionTreeRegressor()], ids=str)
def test_one_task_a_replicate(base, n_jobs):
    """A callback sees one fit, and in it each replicate once, for any `n_jobs`."""
    X, y = regression_data()
    recorder = Recorder()
    bag = BootstrapBaggingRegressor(base, n_estimators=4, n_jobs=n_jobs)
    bag.set_params(random_state=0).set_callbacks(recorder)
    bag.fit(X, y)
    assert recorder.hooks == expected_hooks(4, 4)
    recorder.hooks.clear()
    bag.fit(X, y)
    assert recorder.hooks == expected_hooks(4, 4)
    bag.set_callbacks()
    plain = BootstrapBaggingRegressor(base, n_estimators=4, random_state=0)
    assert_same_fit(bag, plain.fit(X, y), X)


@pytest.mark.usefixtures("callback")
def test_tasks_of_a_classifier():
    """The classifier reports as the regressor does."""
    recorder = Recorder()
    bag = BootstrapBaggingClassifier(LogisticRegression(), n_estimators=3)
    bag.set_callbacks(recorder).fit(*classification_data())
    assert recorder.hooks == expected_hooks(3, 3)


@pytest.mark.usefixtures("callback")
def test_tasks_of_an_unknown_number():
    """With a number found on the way, the plan is open and each replicate is told."""
    recorder = Recorder()
    bag = BootstrapBaggingRegressor(max_estimators=30).set_callbacks(recorder)
    bag.fit(*regression_data())
    assert bag.n_estimators_ > 10
    assert recorder.hooks == expected_hooks(bag.n_estimators_, None)


@pytest.mark.usefixtures("callback")
def test_tasks_of_a_growing_bag():
    """Only what is added is reported, and nothing where nothing is added."""
    recorder = Recorder()
    bag = BootstrapBaggingRegressor(n_estimators=3, warm_start=True, random_state=0)
    bag.set_callbacks(recorder).fit(*regression_data())
    for total, added in [(5, 2), (5, 0)]:
        recorder.hooks.clear()
        bag.set_params(n_estimators=total).fit(*regression_data())
        assert recorder.hooks == expected_hooks(added, added)


@pytest.mark.usefixtures("callback")
def test_teardown_after_an_error():
    """A fit that fails in a member still ends with one teardown."""
    X, y = regression_data()
    X[3, 0] = np.nan
    recorder = Recorder()
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=3).set_callbacks(recorder)
    with pytest.raises(ValueError, match="NaN"):
        bag.fit(X, y)
    hooks = [hook for hook, *_ in recorder.hooks]
    assert hooks[0] == "setup"
    assert hooks[-1] == "teardown"
    assert hooks.count("setup") == hooks.count("teardown") == 1


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_progress_bar(callback, n_jobs, capsys):
    """scikit-learn's progress bar shows a fit, alone and in a pipeline in a search."""
    pytest.importorskip("rich")
    X, y = regression_data()
    bag = BootstrapBaggingRegressor(Ridge(), n_estimators=4, n_jobs=n_jobs)
    bag.set_callbacks(callback.ProgressBar())
    bag.fit(X, y)
    assert "BootstrapBaggingRegressor" in capsys.readouterr().out
    auto = BootstrapBaggingRegressor(max_estimators=20)
    auto.set_callbacks(callback.ProgressBar()).fit(X, y)
    pipeline = make_pipeline(
        StandardScaler(), BootstrapBaggingRegressor(Ridge(), n_estimators=3)
    )
    search = GridSearchCV(
        pipeline, {"bootstrapbaggingregressor__n_estimators": [2, 3]}, cv=2
    )
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=3)).fit(X, y)
    assert "GridSearchCV" in capsys.readouterr().out


@pytest.mark.parametrize("verbose", [0, False])
def test_silence(verbose, capsys):
    """Without `verbose` nothing is printed."""
    BootstrapBaggingRegressor(n_estimators=3, verbose=verbose).fit(*regression_data())
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("verbose", "told"), [(1, list(range(2, 21, 2))), (2, list(range(1, 21)))]
)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_verbose_prints_lines(verbose, told, n_jobs, capsys):
    """1 prints about ten lines, 2 one for each replicate."""
    BootstrapBaggingRegressor(n_estimators=20, verbose=verbose, n_jobs=n_jobs).fit(
        *regression_data()
    )
    lines = capsys.readouterr().out.splitlines()
    pattern = r"\[BootstrapBaggingRegressor\] (\d+)/20 replicates, \d+\.\d s"
    assert [int(re.fullmatch(pattern, line)[1]) for line in lines] == told
