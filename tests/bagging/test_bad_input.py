"""Bad input gets one clear sentence: the rule, the value got, the way out."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVC

from genestimators import (
    BlockBootstrap,
    Bootstrap,
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    Folds,
)

X, Y = make_regression(30, 3, random_state=0)


def regressor(**params):
    return BootstrapBaggingRegressor(Ridge(), **{"n_estimators": 10, **params})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.empty((0, 3)), np.empty(0)), r"0 sample\(s\)"),
        ((X[:1], Y[:1]), "at least 2 rows to resample. Got n_samples = 1"),
        ((X, Y[:-1]), "same number of rows. Got 30 and 29"),
        ((X, np.r_[np.nan, Y[1:]]), "y contains NaN"),
        ((X, np.array(["a"] * 30)), "y must hold numbers for a regressor"),
        ((X, Y.reshape(3, 2, 5)), "one or two dimensions|dim 3"),
    ],
)
def test_data_that_cannot_be_resampled(data, message):
    """Empty, single-row, unequal and unusable data are refused."""
    with pytest.raises(ValueError, match=message):
        regressor().fit(*data)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(30), r"`sample_weight` must not be zero for every row.*weight"),
        (np.r_[-1.0, np.ones(29)], r"must not be negative.*Got.*-1"),
        (np.r_[np.nan, np.ones(29)], "sample_weight contains NaN"),
        (np.r_[np.inf, np.ones(29)], "sample_weight contains infinity"),
        (np.ones(29), "one weight for each of the 30 rows"),
        (np.ones((30, 2)), "must be one-dimensional"),
        (np.r_[1.0, np.zeros(29)], "at least 2 rows of positive weight"),
        (np.full(30, 1000.0), 'mean weight of 1000;.*weight_mode="importance"'),
    ],
)
def test_weights_that_cannot_be_counts(weight, message):
    """All-zero, negative, missing, misshapen and survey-scale weights are refused."""
    with pytest.raises(ValueError, match=message):
        regressor().fit(X, Y, sample_weight=weight)


def test_fractional_weights_need_a_base_with_weights():
    """Rows cannot be repeated half a time."""
    bag = BootstrapBaggingRegressor(KNeighborsRegressor(), n_estimators=5)
    with pytest.raises(ValueError, match="have to be whole numbers"):
        bag.fit(X, Y, sample_weight=np.linspace(0.5, 1.5, 30))


def test_one_class():
    """A classifier needs two classes, also after rows of weight zero are gone."""
    y = np.array(["a"] * 30)
    bag = BootstrapBaggingClassifier(n_estimators=5)
    with pytest.raises(ValueError, match=r"at least two classes.*Got one class, 'a'"):
        bag.fit(X, y)
    y[0] = "b"
    with pytest.raises(ValueError, match="at least two classes"):
        bag.fit(X, y, sample_weight=np.r_[0.0, np.ones(29)])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "GroupBootstrap needs groups, and got none"),
        (np.zeros(29), "one label for each of the 30 rows"),
        (np.zeros(30), "at least two groups.*Got 1"),
    ],
)
def test_groups_that_cannot_be_drawn(groups, message):
    """No groups, the wrong number of labels and one group are refused."""
    with pytest.raises(ValueError, match=message):
        regressor(resampling="group").fit(X, Y, groups=groups)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_estimators": 0}, ValueError, r"'n_estimators'.*range \[1, inf\).*Got 0"),
        ({"n_estimators": 2.5}, TypeError, r"'n_estimators' parameter.*Got 2.5"),
        ({"n_estimators": "many"}, ValueError, "'auto'. Got 'many'"),
        ({"oob_score": "nonsense"}, ValueError, "name of a scorer.*Got 'nonsense'"),
        ({"oob_score": 3}, TypeError, "'oob_score' parameter"),
        ({"tolerance": 0.0}, ValueError, "'tolerance' parameter"),
        ({"max_samples": 1.5}, ValueError, "'max_samples' parameter"),
        ({"max_samples": 31}, ValueError, "must not exceed the total weight"),
        ({"max_features": 4}, ValueError, "must not exceed the number of features"),
        ({"resampling": "nope"}, ValueError, "'resampling' parameter.*Got 'nope'"),
        ({"resampling": 3}, TypeError, "'resampling' parameter"),
        ({"aggregate": "vote"}, ValueError, "'aggregate' parameter.*Got 'vote'"),
        ({"weight_mode": "survey"}, ValueError, "'weight_mode' parameter"),
        (
            {"resampling": Bootstrap(), "max_samples": 0.5},
            ValueError,
            "`max_samples` belongs to a resampler given by name",
        ),
        (
            {"resampling": "bayesian", "max_samples": 0.5, "oob_score": False},
            ValueError,
            "`max_samples` has no meaning",
        ),
        (
            {"resampling": "subsample", "max_samples": 5},
            ValueError,
            "must be a float in the range",
        ),
        (
            {"resampling": "bayesian"},
            ValueError,
            "BayesianBootstrap leaves none out; set `oob_score=False`",
        ),
        (
            {"resampling": BlockBootstrap(block_length=30)},
            ValueError,
            "less than the number of rows. Got block_length=30 and 30 rows",
        ),
        ({"resampling": Folds(3)}, ValueError, "must not exceed the 3 draws"),
        ({"random_state": -1}, ValueError, "'random_state' parameter"),
    ],
)
def test_parameters_out_of_range(params, error, message):
    """Each parameter names itself, what is allowed and what was got."""
    with pytest.raises(error, match=message):
        regressor(**params).fit(X, Y)


def test_estimator_that_is_none():
    """A class, a thing without fit, and a precomputed kernel are refused."""
    with pytest.raises(TypeError, match="'estimator' parameter"):
        BootstrapBaggingRegressor(Ridge).fit(X, Y)
    with pytest.raises(TypeError, match="'estimator' parameter"):
        BootstrapBaggingRegressor("ridge").fit(X, Y)
    kernel = BootstrapBaggingClassifier(SVC(kernel="precomputed"))
    with pytest.raises(ValueError, match="cannot resample the columns of a precomp"):
        kernel.fit(X @ X.T, Y > 0)


def test_logit_needs_probabilities():
    """Log-probabilities can be averaged only where there are probabilities."""
    A, b = make_classification(30, random_state=0)
    bag = BootstrapBaggingClassifier(RidgeClassifier(), aggregate="logit")
    with pytest.raises(ValueError, match='`aggregate="logit"` averages logarithms'):
        bag.fit(A, b)


def test_fit_arguments_without_routing():
    """Arguments that would go nowhere are refused, not swallowed."""
    with pytest.raises(TypeError, match=r"metadata routing.*Got \['check_input'\]"):
        regressor().fit(X, Y, check_input=False)


def test_predict_of_another_width_and_of_one_row():
    """New rows must have the columns of the old ones."""
    bag = regressor().fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features"):
        bag.predict(X[:, :2])
    with pytest.raises(ValueError, match="Reshape your data"):
        bag.predict(X[0])


def test_scores_that_do_not_fit():
    """A scorer for another kind of target raises as it does in scikit-learn."""
    A, b = make_classification(30, random_state=0)
    bag = BootstrapBaggingClassifier(RidgeClassifier(), oob_score="neg_brier_score")
    with pytest.raises(AttributeError, match="predict_proba"):
        bag.fit(A, b)
