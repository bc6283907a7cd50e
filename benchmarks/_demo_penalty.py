"""The second half of the demo: penalties chosen by AutoRegularizedCV and a search."""

import time

from _tables import load, preprocessed
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeRegressor

from genestimators import AutoRegularizedCV, BootstrapBaggingRegressor

# table, what is predicted, the estimator in words, the estimator
CASES = [
    ("ames", "house prices", "ridge", Ridge()),
    ("concrete", "strength", "tree", DecisionTreeRegressor(random_state=0)),
    ("breast_cancer", "benign or not", "neighbours", KNeighborsClassifier()),
    ("attrition", "who leaves a job", "logistic", LogisticRegression(max_iter=1000)),
]
HEADER = [
    "estimator, table",
    "chosen",
    "expected score",
    "test score",
    "fits",
    "seconds",
    "search: test score",
    "fits",
    "seconds",
]


def timed(model, X, y):
    """Fit a model; return the seconds."""
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started


def compare(name, what, words, estimator, n_rows):
    """A row of the table: the same values for both, five folds for the search."""
    table = load(name).sample(n_rows, 0)
    X, X_test, y, y_test = train_test_split(
        table.X, table.y, test_size=0.3, random_state=0
    )
    ours = AutoRegularizedCV(preprocessed(table, estimator), random_state=0)
    seconds = timed(ours, X, y)
    values = ours.values_.tolist()
    search = GridSearchCV(preprocessed(table, estimator), {ours.param_: values})
    search_seconds = timed(search, X, y)
    low, high = ours.expected_score_interval_
    value = ours.best_params_[ours.param_]
    return [
        f"{words}, {name} ({what})",
        f"{ours.param_.rpartition('__')[2]} = {value:.3g}",
        f"{ours.expected_score_:.3f} ({low:.3f} to {high:.3f})",
        f"**{ours.score(X_test, y_test):.3f}**",
        str(ours.n_fits_),
        f"{seconds:.2f}",
        f"{search.score(X_test, y_test):.3f}",
        str(5 * len(values) + 1),
        f"{search_seconds:.2f}",
    ]


def bag_and_tree(n_rows):
    """In words: a bag whose members' pruning was chosen for the bag."""
    table = load("concrete").sample(n_rows, 0)
    X, X_test, y, y_test = train_test_split(
        table.codes(), table.y, test_size=0.3, random_state=0
    )
    bag = BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=100)
    model = AutoRegularizedCV(bag, random_state=0)
    seconds = timed(model, X, y)
    return (
        f"A bag of 100 trees on concrete, pruned for the bag and out of bag: R2 "
        f"{model.score(X_test, y_test):.3f} on new rows, expected "
        f"{model.expected_score_:.3f}, from {model.n_fits_} fits in {seconds:.1f} s."
    )
