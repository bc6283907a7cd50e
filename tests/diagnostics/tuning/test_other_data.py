"""Whether a search is given other data than it was fitted on."""

import warnings

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from genestimators import OtherDataWarning, selection_corrected_score
from tests.diagnostics.toys import classes, regression

DEPTHS = {"max_depth": [1, 2, 3, 5, None]}


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "f1"])
def test_other_data_than_those_of_the_search_are_told(scoring):
    """Half of the rows, another target, or folds drawn anew."""
    X, y = classes(80)
    model = DecisionTreeClassifier(max_depth=2, random_state=0)
    grid = {"min_samples_leaf": [1, 5]}
    search = GridSearchCV(model, grid, scoring=scoring).fit(X, y)
    told = r"The best candidate of the search had .* Pass the data of the search"
    for other in ((X[:40], y[:40]), (X[::-1], y), (X[::-1], y[::-1])):
        with pytest.warns(OtherDataWarning, match=told):
            selection_corrected_score(search, *other, random_state=0)
    search = GridSearchCV(model, grid, scoring=scoring, cv=KFold(4, shuffle=True))
    with pytest.warns(OtherDataWarning, match="draws other folds every time"):
        found = selection_corrected_score(search.fit(X, y), X, y, random_state=0)
    assert found.n_fits == 2 * 4


def test_other_data_are_told_for_learners_of_random_numbers():
    """Scores lie six standard errors apart or more; five are allowed."""
    np.random.seed(0)  # noqa: NPY002 - it is the one that open seeds use
    X, y = classes(400)
    search = GridSearchCV(DecisionTreeClassifier(), DEPTHS, cv=10).fit(X, y)
    other = np.random.default_rng(0).permutation(y)
    with pytest.warns(OtherDataWarning, match="Pass the data of the search"):
        selection_corrected_score(search, X, other, random_state=0)


@pytest.mark.parametrize("n", [30, 150])
@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (ExtraTreesClassifier(3, max_depth=2), {"max_features": [1, 2]}),
        (DecisionTreeClassifier(), DEPTHS),
        (make_pipeline(StandardScaler(), SGDClassifier()), {}),
        (Ridge(), {"alpha": [1.0, 2.0]}),
        (KNeighborsRegressor(), {"n_neighbors": [1, 3]}),
    ],
)
def test_the_same_data_raise_no_alarm(model, grid, n):
    """Ties and random numbers give other scores in the next fit.

    Three folds know their spread badly, which a normal slack would forget: that raised
    an alarm in 1.7 of 100 searches.
    """
    np.random.seed(0)  # noqa: NPY002 - it is the one that open seeds use
    X, y = classes(n, k=3) if is_classifier(model) else regression(n)
    for _ in range(10):
        search = GridSearchCV(model, grid, cv=3).fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error", OtherDataWarning)
            found = selection_corrected_score(search, X, y, random_state=0)
        assert found.n_fits == 3 * len(search.cv_results_["params"])


def test_weights_of_a_search():
    """Scores of folds are weighted or not, by the version of scikit-learn."""
    X, y = classes(80)
    weight = np.random.default_rng(0).integers(1, 6, size=80)
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), DEPTHS)
    search.fit(X, y, sample_weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OtherDataWarning)
        selection_corrected_score(search, X, y, sample_weight=weight, random_state=0)
    with pytest.warns(OtherDataWarning, match="weights and groups too"):
        selection_corrected_score(search, X, y, random_state=0)
