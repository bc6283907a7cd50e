"""Parameter constraints as data, one checker, generated messages.

A class lists for each constructor parameter what is allowed::

    _parameter_constraints = {
        "n_estimators": [Interval(int, 1), Options("auto")],
        "estimator": [HasMethods("fit", "predict"), None],
    }

and calls `check_parameters(self)` at the start of `fit`. A value of a kind that no
constraint knows is a TypeError, a value of the right kind out of range a ValueError;
both name the parameter, the class, what is allowed and what was got.
"""

import math
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np


class Interval:
    """Numbers of a kind (int or float) between two ends.

    Parameters
    ----------
    kind : {int, float}
        Integers only, or real numbers that are not integers by type.
    low, high : float
        The ends; infinite ends are never reached.
    open_low, open_high : bool, default=False
        Whether an end itself is excluded.
    """

    def __init__(self, kind, low, high=math.inf, *, open_low=False, open_high=False):
        self.kind = kind
        self.low = low
        self.high = high
        self.open_low = open_low or low == -math.inf
        self.open_high = open_high or high == math.inf

    def knows(self, value):
        if isinstance(value, (bool, np.bool_)):
            return False
        if self.kind is int:
            return isinstance(value, Integral)
        return isinstance(value, Real) and not isinstance(value, Integral)

    def accepts(self, value):
        if not self.knows(value):
            return False
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return bool(above and below)

    def __str__(self):
        noun = "an int" if self.kind is int else "a float"
        left = "(" if self.open_low else "["
        right = ")" if self.open_high else "]"
        return f"{noun} in the range {left}{self.low}, {self.high}{right}"


class Options:
    """One of a few strings."""

    def __init__(self, *values):
        self.values = values

    def knows(self, value):
        return isinstance(value, str)

    def accepts(self, value):
        return isinstance(value, str) and value in self.values

    def __str__(self):
        names = ", ".join(repr(value) for value in self.values)
        return names if len(self.values) == 1 else f"one of {{{names}}}"


class HasMethods:
    """An object (not a class) with the given methods."""

    def __init__(self, *methods):
        self.methods = methods

    def knows(self, value):
        return self.accepts(value)

    def accepts(self, value):
        return not isinstance(value, type) and all(
            callable(getattr(value, method, None)) for method in self.methods
        )

    def __str__(self):
        names = " and ".join(f"`{method}`" for method in self.methods)
        return f"an object with {names}"


@dataclass(frozen=True)
class Is:
    """What a test function accepts, described in words."""

    test: object
    words: str

    def knows(self, value):
        return bool(self.test(value))

    def accepts(self, value):
        return bool(self.test(value))

    def __str__(self):
        return self.words


BOOLEAN = Is(lambda value: isinstance(value, (bool, np.bool_)), "a bool")
TEXT = Is(lambda value: isinstance(value, str), "a str")
CALLABLE = Is(lambda value: callable(value), "a callable")
NONE = Is(lambda value: value is None, "None")
INTEGER = Interval(int, -math.inf)
VERBOSE = [BOOLEAN, Interval(int, 0)]
N_JOBS = [Interval(int, -math.inf), NONE]
CONFIDENCE_LEVEL = [Interval(float, 0.0, 1.0, open_low=True, open_high=True)]
SCORING = [NONE, TEXT, CALLABLE]
RANDOM_STATE = [
    Interval(int, 0, 2**32 - 1),
    Is(lambda value: isinstance(value, np.random.RandomState), "a RandomState"),
    NONE,
]


def check_parameters(estimator):
    """Check each constructor parameter of an estimator against its constraints.

    Raises
    ------
    TypeError
        If a parameter is of a kind that is not allowed.
    ValueError
        If a parameter is of the right kind and out of range.
    """
    for name, constraints in estimator._parameter_constraints.items():
        _check(name, getattr(estimator, name), constraints, type(estimator).__name__)


def check_arguments(owner, constraints, **values):
    """Check arguments of a function against their constraints.

    Parameters
    ----------
    owner : str
        Name of the function.
    constraints : dict
        For each name the constraints of which one has to accept the value.
    **values
        What was passed.

    Raises
    ------
    TypeError, ValueError
        As `check_parameters` does.
    """
    for name, value in values.items():
        _check(name, value, constraints[name], owner)


def _check(name, value, constraints, owner):
    if any(constraint.accepts(value) for constraint in constraints):
        return
    words = [str(constraint) for constraint in constraints]
    allowed = words[0]
    if len(words) > 1:
        allowed = ", ".join(words[:-1]) + " or " + words[-1]
    known = any(constraint.knows(value) for constraint in constraints)
    raise (ValueError if known else TypeError)(
        f"The {name!r} parameter of {owner} must be {allowed}. Got {value!r} instead."
    )
