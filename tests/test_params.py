"""Parameter constraints: what is taken, and the words for what is not."""

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from genestimators import _params
from genestimators._params import (
    HasMethods,
    Interval,
    Is,
    Options,
    check_parameters,
)


class Example(BaseEstimator):
    """An estimator with parameters of every kind."""

    _parameter_constraints = {
        "n_estimators": [Interval(int, 1)],
        "tolerance": [Interval(float, 0.0, 1.0, open_low=True), Options("auto")],
        "kind": [Options("a", "b")],
        "estimator": [HasMethods("fit", "predict"), _params.NONE],
        "warm_start": [_params.BOOLEAN],
        "oob_score": [_params.BOOLEAN, _params.TEXT, _params.CALLABLE],
        "n_jobs": _params.N_JOBS,
        "random_state": _params.RANDOM_STATE,
        "verbose": _params.VERBOSE,
    }

    def __init__(
        self,
        n_estimators=10,
        tolerance=0.5,
        kind="a",
        estimator=None,
        warm_start=False,
        oob_score=True,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.n_estimators = n_estimators
        self.tolerance = tolerance
        self.kind = kind
        self.estimator = estimator
        self.warm_start = warm_start
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose


def test_defaults_pass():
    """What is allowed passes in silence."""
    check_parameters(Example())


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_estimators": np.int64(3)},
        {"n_estimators": 10**12},
        {"tolerance": 1.0},
        {"tolerance": np.float32(0.25)},
        {"tolerance": Fraction(1, 3)},
        {"tolerance": "auto"},
        {"kind": "b"},
        {"warm_start": np.True_},
        {"oob_score": "accuracy"},
        {"oob_score": len},
        {"n_jobs": -1},
        {"random_state": 2**32 - 1},
        {"random_state": np.random.RandomState(0)},
        {"verbose": True},
        {"verbose": 3},
    ],
)
def test_values_that_are_taken(parameters):
    """Numbers of any type, strings of the list, objects that can do it."""
    check_parameters(Example(**parameters))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"n_estimators": 0},
            ValueError,
            "The 'n_estimators' parameter of Example must be an int in the range "
            "[1, inf). Got 0 instead.",
        ),
        (
            {"n_estimators": 2.0},
            TypeError,
            "The 'n_estimators' parameter of Example must be an int in the range "
            "[1, inf). Got 2.0 instead.",
        ),
        (
            {"n_estimators": True},
            TypeError,
            "The 'n_estimators' parameter of Example must be an int in the range "
            "[1, inf). Got True instead.",
        ),
        (
            {"tolerance": 0.0},
            ValueError,
            "The 'tolerance' parameter of Example must be a float in the range "
            "(0.0, 1.0] or 'auto'. Got 0.0 instead.",
        ),
        (
            {"tolerance": "none"},
            ValueError,
            "The 'tolerance' parameter of Example must be a float in the range "
            "(0.0, 1.0] or 'auto'. Got 'none' instead.",
        ),
        (
            {"tolerance": math.nan},
            ValueError,
            "The 'tolerance' parameter of Example must be a float in the range "
            "(0.0, 1.0] or 'auto'. Got nan instead.",
        ),
        (
            {"kind": "c"},
            ValueError,
            "The 'kind' parameter of Example must be one of {'a', 'b'}. "
            "Got 'c' instead.",
        ),
        (
            {"kind": None},
            TypeError,
            "The 'kind' parameter of Example must be one of {'a', 'b'}. "
            "Got None instead.",
        ),
        (
            {"estimator": 3},
            TypeError,
            "The 'estimator' parameter of Example must be an object with `fit` and "
            "`predict` or None. Got 3 instead.",
        ),
        (
            {"oob_score": 1},
            TypeError,
            "The 'oob_score' parameter of Example must be a bool, a str or a callable. "
            "Got 1 instead.",
        ),
        (
            {"n_jobs": 1.5},
            TypeError,
            "The 'n_jobs' parameter of Example must be an int in the range (-inf, inf) "
            "or None. Got 1.5 instead.",
        ),
        (
            {"random_state": -1},
            ValueError,
            "The 'random_state' parameter of Example must be an int in the range "
            "[0, 4294967295], a RandomState or None. Got -1 instead.",
        ),
        (
            {"random_state": "a"},
            TypeError,
            "The 'random_state' parameter of Example must be an int in the range "
            "[0, 4294967295], a RandomState or None. Got 'a' instead.",
        ),
        (
            {"verbose": -1},
            ValueError,
            "The 'verbose' parameter of Example must be a bool or an int in the range "
            "[0, inf). Got -1 instead.",
        ),
    ],
)
def test_messages(parameters, error, message):
    """The rule, then the value; a wrong kind is a TypeError, a wrong value not."""
    with pytest.raises(error) as caught:
        check_parameters(Example(**parameters))
    assert str(caught.value) == message


def test_only_the_class_itself_is_checked():
    """Parameters of a wrapped estimator are its own business."""

    class Inner(Example):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return X

    check_parameters(Example(estimator=Inner(n_estimators=0)))
    with pytest.raises(TypeError, match=r"an object with `fit` and `predict` or None"):
        check_parameters(Example(estimator=Inner))


@pytest.mark.parametrize(
    ("interval", "words", "inside", "outside"),
    [
        (Interval(int, 0, 2), "an int in the range [0, 2]", [0, 2], [-1, 3]),
        (Interval(float, 0.0), "a float in the range [0.0, inf)", [0.0], [math.inf]),
        (
            Interval(float, 0.0, 1.0, open_low=True, open_high=True),
            "a float in the range (0.0, 1.0)",
            [0.5],
            [0.0, 1.0],
        ),
        (Interval(float, -math.inf), "a float in the range (-inf, inf)", [-1e300],
         [-math.inf, math.inf]),
    ],
)  # fmt: skip
def test_intervals(interval, words, inside, outside):
    """An end belongs to the range as the bracket says; infinite ends never do."""
    assert str(interval) == words
    assert all(interval.accepts(value) for value in inside)
    assert not any(interval.accepts(value) for value in outside)
    assert all(interval.knows(value) for value in outside)


def test_words_of_single_constraints():
    """Constraints say themselves what they take."""
    assert str(Options("auto")) == "'auto'"
    assert str(Options("a", "b")) == "one of {'a', 'b'}"
    assert str(HasMethods("prepare")) == "an object with `prepare`"
    assert str(Is(callable, "a callable")) == "a callable"
