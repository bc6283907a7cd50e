"""What users get wrong, and the sentence they get for it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import f1_score, r2_score
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, TimeSeriesSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genestimators import AutoRegularizedCV, MissingScoreWarning
from tests.bagging.toys import classification_data, regression_data

ALPHAS = [0.1, 1.0, 10.0]


def ridge(**settings):
    return AutoRegularizedCV(
        Ridge(), **{"param": "alpha", "values": ALPHAS, **settings}
    )


def scaled(**settings):
    return AutoRegularizedCV(make_pipeline(StandardScaler(), Ridge()), **settings)


class Refuses(RegressorMixin, BaseEstimator):
    """Cannot be fitted with one value."""

    def __init__(self, alpha=1.0, at=3.0):
        self.alpha = alpha
        self.at = at

    def fit(self, X, y):
        if self.alpha == self.at:
            raise FloatingPointError("No solution.")
        self.mean_ = np.mean(y) / self.alpha
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


PARAMETERS = [
    (ridge(param="alhpa"), r"parameter of Ridge.*one of alpha, .*did you mean 'alpha'"),
    (ridge(param=""), r"`param` must be a parameter of Ridge.*Got ''"),
    (ridge(param="alpha__x"), r"`param` must be a parameter of Ridge"),
    (
        scaled(param="alpha", values=ALPHAS),
        r"parameter of Pipeline.*Got 'alpha'; did you mean 'ridge__alpha'",
    ),
    (scaled(param="ridge__alph"), r"did you mean 'ridge__alpha'"),
    (scaled(param="lasso__alpha"), r"Got 'lasso__alpha'; did you mean 'ridge__alpha'"),
    (
        scaled(param="ridge", values=ALPHAS),
        r"must name a parameter that is a number. Got 'ridge'.*ridge__\.\.\.",
    ),
    (
        AutoRegularizedCV(LinearRegression()),
        r'known for LinearRegression.*`param="alpha", values=.*, Ridge\.alpha, ',
    ),
    (
        AutoRegularizedCV(make_pipeline(StandardScaler(), LinearRegression())),
        r'known for LinearRegression.*`param="linearregression__alpha"',
    ),
    (ridge(param="tol", values="auto"), r"No range of values is known for `tol`"),
]


@pytest.mark.parametrize(("own", "message"), PARAMETERS)
def test_no_such_parameter(own, message):
    """Known names are listed, and the likely one is proposed."""
    with pytest.raises(ValueError, match=message):
        own.fit(*regression_data())


VALUES = [
    ([1.0], ValueError, r"at least two values of `alpha`.*Got \[1.0\]; with one"),
    ([], ValueError, r"at least two values"),
    (["a", "b"], ValueError, r"must be numbers.*Got 'a'; use GridSearchCV"),
    ([1.0, "scale"], ValueError, r"must be numbers.*Got 'scale'"),
    ([True, False], ValueError, r"must be numbers.*Got True"),
    (np.ones((2, 2)), ValueError, r"must be numbers"),
    ([1.0, 1], ValueError, r"must all be different. Got \[1.0, 1\]"),
    ([1.0, np.nan], ValueError, r"must not hold NaN"),
    ({"alpha": ALPHAS}, TypeError, r"a sequence of the values of `alpha`"),
    ({1.0, 2.0}, TypeError, r"a sequence of the values of `alpha`"),
    (np.array(1.0), TypeError, r"a sequence of the values of `alpha`"),
    (1.0, TypeError, r"'values' parameter.*a sequence of values"),
    (iter(ALPHAS), TypeError, r"'values' parameter.*a sequence of values"),
    (None, TypeError, r"'values' parameter"),
    ("log", ValueError, r"'values' parameter"),
    ([1.0, np.inf], ValueError, r"'alpha' parameter of Ridge.*Got inf"),
    ([1.0, -1.0], ValueError, r"'alpha' parameter of Ridge.*Got -1.0"),
    ([1.0, None], ValueError, r"'alpha' parameter of Ridge.*Got None"),
]


@pytest.mark.parametrize(("values", "kind", "message"), VALUES)
def test_values_that_cannot_be_compared_or_set(values, kind, message):
    """The rule, what was given, and another tool where this is not the one."""
    with pytest.raises(kind, match=message):
        ridge(values=values).fit(*regression_data())


def test_more_neighbours_than_rows():
    """The error of the estimator, and where it happened."""
    own = AutoRegularizedCV(KNeighborsRegressor(), values=[1, 500])
    with pytest.raises(ValueError, match="n_neighbors") as raised:
        own.fit(*regression_data())
    assert "fold 0 of AutoRegularizedCV" in raised.value.__notes__[0]


def test_an_estimator_that_cannot_be_fitted_with_one_value():
    """Its error keeps its type, with a note."""
    own = AutoRegularizedCV(Refuses(), param="alpha", values=[1.0, 2.0, 3.0])
    with pytest.raises(FloatingPointError, match="No solution") as raised:
        own.fit(*regression_data())
    assert raised.value.__notes__ == ["This happened in fold 0 of AutoRegularizedCV."]


SETTINGS = [
    ({"estimator": Ridge}, TypeError, r"'estimator' parameter.*an object with `fit`"),
    ({"estimator": "ridge"}, TypeError, r"'estimator' parameter"),
    ({"rule": "1se"}, ValueError, r"'rule' parameter.*'one_standard_error'"),
    (
        {"rule": "gap", "rule_params": {"k": 1}},
        ValueError,
        r"rule='gap' may hold \['q'\].*\['k'\]",
    ),
    (
        {"rule": "gap", "rule_params": {"q": -1}},
        ValueError,
        r"'q' in `rule_params`.*a number.*Got -1",
    ),
    (
        {"rule": "gap", "rule_params": {"q": "1"}},
        ValueError,
        r"'q' in `rule_params`.*Got '1'",
    ),
    (
        {"rule": "gap", "rule_params": {"q": np.nan}},
        ValueError,
        r"'q' in `rule_params`.*Got nan",
    ),
    (
        {"rule": "one_standard_error", "rule_params": {"classic": 1}},
        ValueError,
        r"'classic' in `rule_params` must be True or False. Got 1",
    ),
    ({"rule_params": ["q"]}, TypeError, r"'rule_params' parameter.*a dict"),
    ({"rule": lambda: 0}, TypeError, r"callable `rule` must take the curve"),
    (
        {"rule": lambda curve: 0, "rule_params": {"k": 1}},
        TypeError,
        r"callable `rule` must take the curve.*'k': 1.*unexpected keyword",
    ),
    ({"rule": lambda curve: None}, ValueError, r"must return the position.*Got None"),
    ({"engine": "fast"}, ValueError, r"'engine' parameter.*'generic'"),
    ({"cv": 1}, ValueError, r"'cv' parameter.*an int in the range \[2, inf\)"),
    ({"cv": 3.0}, TypeError, r"'cv' parameter"),
    ({"cv": KFold}, TypeError, r"'cv' parameter"),
    ({"cv": "kfold"}, ValueError, r"'cv' parameter.*'out_of_bag'"),
    ({"cv": "out_of_bag"}, ValueError, r'cv="out_of_bag" needs a bag or a forest'),
    ({"cv": 70}, ValueError, r"as many rows as folds, 70"),
    ({"cv": GroupKFold(3)}, ValueError, r"'groups' parameter"),
    ({"cv": KFold(3), "n_repeats": 2}, ValueError, r"`n_repeats` repeats a number of"),
    ({"n_repeats": 0}, ValueError, r"'n_repeats' parameter"),
    (
        {"cv": TimeSeriesSplit(3), "rule": "vfold_penalty"},
        ValueError,
        r"vfold_penalty.*folds that split the rows",
    ),
    ({"refit": "r2"}, TypeError, r"'refit' parameter"),
    ({"scoring": "mse"}, ValueError, r"name of a scorer.*get_scorer_names.*'mse'"),
    ({"scoring": ["r2", "neg_mean_squared_error"]}, TypeError, r"'scoring' parameter"),
    ({"scoring": {"a": "r2"}}, TypeError, r"'scoring' parameter"),
    ({"scoring": r2_score}, ValueError, r"must take \(estimator, X, y\).*make_scorer"),
    (
        {"scoring": lambda truth, answer: 0.0},
        ValueError,
        r"must take \(estimator, X, y\).*make_scorer",
    ),
    (
        {"scoring": lambda estimator, X, y: {"a": 1.0, "b": 2.0}},
        TypeError,
        r"must return one number. Got \{'a'",
    ),
    ({"scoring": lambda estimator, X, y: None}, TypeError, r"must return one number"),
    ({"scoring": "roc_auc"}, (ValueError, AttributeError), r"decision_function|Ridge"),
]


@pytest.mark.parametrize(("settings", "kind", "message"), SETTINGS)
def test_settings(settings, kind, message):
    """Those that make no sense, alone or together."""
    own = ridge().set_params(**settings)
    with pytest.raises(kind, match=message):
        own.fit(*regression_data())


def test_a_rule_is_refused_before_any_fit():
    """Not after hours."""
    own = AutoRegularizedCV(Refuses(at=1.0), param="alpha", values=[1.0, 2.0])
    own.set_params(rule=lambda curve: 0, rule_params={"k": 1})
    with pytest.raises(TypeError, match="callable `rule`"):
        own.fit(*regression_data())


@pytest.mark.parametrize("settings", [{"bootstrap": False}, {}])
def test_out_of_bag_where_there_is_no_bag(settings):
    """A forest of all rows, a forest fitted value by value, one in a pipeline."""
    forest = RandomForestRegressor(n_estimators=3, **settings)
    own = AutoRegularizedCV(forest, cv="out_of_bag")
    if not settings:
        own.set_params(engine="generic")
    with pytest.raises(ValueError, match=r'(?s)cv="out_of_bag" needs.*use folds'):
        own.fit(*regression_data())
    own = AutoRegularizedCV(make_pipeline(StandardScaler(), forest), cv="out_of_bag")
    with pytest.raises(ValueError, match=r'(?s)cv="out_of_bag" needs.*use folds'):
        own.fit(*regression_data())


X, Y = regression_data()
DATA = [
    ({"y": Y[:3]}, ValueError, r"same number of rows. Got 60 and 3"),
    ({"y": Y.reshape(60, 1, 1)}, ValueError, r"dim 3"),
    ({"y": np.full(60, np.nan)}, ValueError, r"y contains NaN"),
    ({"y": np.where(Y > 0, "a", "b")}, ValueError, r"y must hold numbers.*Got"),
    ({"y": None}, ValueError, r"requires y to be passed"),
    ({"X": X[:, 0]}, ValueError, r"Expected 2D array"),
    ({"X": X * np.nan}, ValueError, r"X contains NaN"),
    ({"X": X[:1], "y": Y[:1]}, ValueError, r"at least 2 rows"),
    ({"sample_weight": np.ones(3)}, ValueError, r"one weight for each of the 60 rows"),
    ({"sample_weight": np.ones((60, 2))}, ValueError, r"one-dimensional"),
    ({"sample_weight": -np.ones(60)}, ValueError, r"must not be negative"),
    ({"sample_weight": np.full(60, np.nan)}, ValueError, r"sample_weight contains NaN"),
    ({"sample_weight": np.zeros(60)}, ValueError, r"must not be zero for every row"),
    ({"sample_weight": np.eye(60)[0]}, ValueError, r"2 rows of positive weight"),
    ({"groups": np.ones(3)}, ValueError, r"one label for each of the 60 rows"),
    ({"groups": np.zeros(60)}, ValueError, r"as many groups as folds.*Got 1"),
    ({"groups": np.full(60, np.nan)}, ValueError, r"must not have missing labels"),
    ({"tag": 1}, TypeError, r"metadata routing switched on"),
]


@pytest.mark.parametrize(("changed", "kind", "message"), DATA)
def test_data(changed, kind, message):
    """Wrong shapes, missing numbers, too little of everything."""
    with pytest.raises(kind, match=message):
        ridge().fit(**{"X": X, "y": Y, **changed})


def test_weights_that_an_estimator_cannot_take():
    """Rows are repeated instead, which needs whole numbers."""
    own = AutoRegularizedCV(KNeighborsRegressor(), values=[1, 3])
    with pytest.raises(ValueError, match=r"takes no `sample_weight`.*whole numbers"):
        own.fit(X, Y, sample_weight=np.full(60, 0.5))


@pytest.mark.parametrize(
    "own",
    [
        AutoRegularizedCV(SVC(kernel="precomputed")),
        AutoRegularizedCV(make_pipeline(SVC(kernel="precomputed"))),
    ],
)
def test_pairwise_estimators(own):
    """Rows are taken, and no columns with them."""
    X, y = classification_data()
    with pytest.raises(ValueError, match="cannot take the columns of a precomputed"):
        own.fit(X @ X.T, y)


@pytest.mark.filterwarnings("ignore:Only one class")
def test_no_candidate_has_a_score():
    """A fold without one class, or of one row, scores nothing."""
    X, y = classification_data(60, 2)
    y[:15] = 1
    own = AutoRegularizedCV(LogisticRegression(), param="C", values=ALPHAS)
    own.set_params(scoring="roc_auc", cv=KFold(4))
    with pytest.raises(ValueError, match=r"NaN for all values of `C`.*ROC AUC both"):
        own.fit(X, y)
    with pytest.raises(ValueError, match=r"NaN for all values.*R2 needs two rows"):
        ridge(cv=LeaveOneOut()).fit(*regression_data())
    own = ridge(scoring=lambda estimator, X, y: np.nan)
    with pytest.raises(ValueError, match=r"NaN for all values of `alpha`"):
        own.fit(*regression_data())


def dislikes_one(estimator, X, y):
    return np.nan if estimator.alpha == 1.0 else -estimator.alpha


@pytest.mark.filterwarnings("ignore::genestimators.EdgeOfGridWarning")
@pytest.mark.parametrize("rule", ["gap", "best", "one_standard_error"])
def test_one_candidate_has_no_score(rule):
    """It is not chosen, comes last, and a warning names it."""
    own = ridge(scoring=dislikes_one, rule=rule, cv=3)
    with pytest.warns(MissingScoreWarning, match=r"NaN for alpha in \[1.0\]; these"):
        own.fit(*regression_data())
    assert own.best_params_["alpha"] != 1.0
    assert own.cv_results_["rank_test_score"][1] == 3
    assert np.isnan(own.cv_results_["mean_test_score"][1])


def test_fewer_members_of_a_class_than_folds():
    """scikit-learn's own warning, or its error where no class has enough."""
    X, _ = classification_data(20)
    own = AutoRegularizedCV(LogisticRegression(), param="C", values=[1e-3, 1.0, 1e3])
    own.set_params(cv=5, n_repeats=1, rule=lambda curve: 1)
    with pytest.warns(UserWarning, match="least populated class in y has only 3"):
        own.fit(X, np.repeat([0, 1], [17, 3]))
    with pytest.raises(ValueError, match="number of members in each class"):
        own.fit(X, np.arange(20) // 4)


def test_one_class_in_all():
    """What the classifier says to it."""
    X, y = classification_data(20)
    own = AutoRegularizedCV(LogisticRegression(), param="C", values=ALPHAS)
    with pytest.raises(ValueError, match="one class"):
        own.fit(X, np.zeros_like(y))


def test_targets_of_the_wrong_kind():
    """Numbers for a classifier, labels for a metric of numbers, several classes."""
    X, y = regression_data()
    own = AutoRegularizedCV(LogisticRegression(), param="C", values=ALPHAS)
    with pytest.raises(ValueError, match="Unknown label type"):
        own.fit(X, y)
    X, y = classification_data(labels=["a", "b", "c"])
    for scoring, message in (
        ("r2", "convert"),
        ("f1", "average|pos_label"),
        ("roc_auc", "ovr"),
    ):
        with pytest.raises(ValueError, match=message):
            own.set_params(scoring=scoring).fit(X, y)
    with pytest.raises(ValueError, match=r"must take \(estimator, X, y\)"):
        own.set_params(scoring=f1_score).fit(X, y)


def test_what_predicts_nothing_cannot_be_scored_by_predictions():
    """A transformer has a score of its own, and no other."""
    X, y = regression_data()
    with pytest.raises(AttributeError, match="predict"):
        AutoRegularizedCV(PCA(), values=[1, 2], scoring="r2").fit(X, y)
