"""The candidates: which parameter, which values, which of them penalise more."""

import difflib
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone

from genestimators._delegate import pipeline_steps
from genestimators.fitting._tuned import (
    family_of,
    in_an_ensemble,
    known_parameters,
    preferred_parameter,
    rows_before,
    serving_family,
)

# Where every value costs a fit, or every member of an ensemble a set of answers (and
# averaging makes the curve smooth), a part of the values is enough.
MOST_OF_COSTLY = 40


@dataclass(frozen=True, eq=False)
class Candidates:
    """The values of a parameter to choose from.

    Attributes
    ----------
    param : str
    values : ndarray of shape (n_values,)
        Of object where they are not all numbers.
    family : Family or None
        What is known of the parameter.
    automatic : bool
        Whether the values were not the user's.
    before : tuple or None, default=None
        What `rows_before` returned, if it was asked.
    """

    param: str
    values: np.ndarray
    family: object
    automatic: bool
    before: tuple | None = None

    @property
    def column(self):
        """The values as an array of numbers, of object only with None among them."""
        return np.asarray(self.as_list())

    @property
    def direction(self):
        """Which values penalise more, or None where that is not known."""
        return None if self.family is None else self.family.stronger

    @property
    def strength(self):
        """Rank of each value by strength of penalty; in the order given if unknown."""
        if self.direction is None:
            return np.arange(len(self.values))
        none = np.inf if self.direction == "smaller" else -np.inf  # it is no penalty
        key = np.array([none if v is None else float(v) for v in self.values])
        order = np.argsort(key, kind="stable")
        rank = np.empty(len(key), dtype=np.intp)
        rank[order] = np.arange(len(key))
        return rank if self.direction == "larger" else len(key) - 1 - rank

    def with_values(self, values):
        """The same parameter with other values."""
        return replace(self, values=values)

    def joined(self, new):
        """With new values, which lie before or after all others."""
        parts = [self.values, new] if new[0] > self.values[0] else [new, self.values]
        return replace(self, values=np.concatenate(parts))

    def at(self, index):
        """A value as a plain Python object, to be set as a parameter."""
        value = self.values[index]
        return value.item() if isinstance(value, np.generic) else value

    def as_list(self):
        """All values as plain Python objects."""
        return [self.at(i) for i in range(len(self.values))]

    def end(self, index):
        """Whether a value is the weakest or the strongest: "weak", "strong" or ""."""
        strength = self.strength
        if self._limit(index):
            return ""
        if strength[index] == 0:
            return "weak"
        return "strong" if strength[index] == len(strength) - 1 else ""

    def _limit(self, index):
        """Whether no value lies beyond by its nature."""
        if self.family is None or self.values[index] is None:
            return self.values[index] is None
        return float(self.values[index]) in self.family.limits

    def extended(self, index):
        """New values beyond an end of an automatic range, or none."""
        end = self.end(index)
        if not self.automatic or not end or self.family.scale is None:
            return np.empty(0)
        larger = (end == "strong") == (self.direction == "larger")
        return np.asarray(self.family.more_values(self.values, larger))


def find_candidates(estimator, param, values, X, y, weight, *, families=True):
    """Resolve `param` and `values`.

    Parameters
    ----------
    estimator, X, y, weight
        As `make_path` takes them.
    param, values
        As AutoRegularizedCV has them.
    families : bool, default=True
        Whether families may do the work; else there are fewer automatic values.

    Returns
    -------
    Candidates

    Raises
    ------
    ValueError
        If there is no such parameter, no known penalty, or the values do not do.
    """
    if param == "auto":
        param = preferred_parameter(estimator)
        if param is None:
            prefix, last = _last_step(estimator)
            raise ValueError(
                f"No penalty is known for {type(last).__name__}; name one, as in "
                f'`param="{prefix}alpha", values=[...]`. Known are '
                f"{_list(known_parameters())}."
            )
    else:
        _check_settable(estimator, param)
    family = family_of(estimator, param)
    if isinstance(values, str) and values == "auto":
        if family is None or not family.has_range:
            raise ValueError(
                f"No range of values is known for `{param}`; pass `values`, a sequence "
                'of those to try. Got values="auto".'
            )
        before = rows_before(estimator, param, X, y, weight)
        found = np.asarray(family.default_values(*before, weight))
        if found.ndim != 1 or not len(found):
            raise ValueError(
                f"`default_values` of {type(family).__name__} must return a sequence "
                f"of values. Got {found.tolist()!r} for `{param}`; pass `values`."
            )
        if len(found) > MOST_OF_COSTLY:
            told = (estimator, param, X, y, weight, found, before)
            costly = not families or in_an_ensemble(estimator, param)
            if costly or serving_family(*told) is None:
                found = thinned(found, MOST_OF_COSTLY)
        return Candidates(param, found, family, True, before)
    return Candidates(param, _checked(values, param), family, False)


def thinned(values, most):
    """At most so many of increasing values, half of them evenly by their logarithm.

    The other half is even by position. The smallest and the largest are among them.
    """
    first = int(np.searchsorted(values, 0.0, side="right"))  # the first positive one
    logs = np.log(values[first:])
    targets = np.linspace(logs[0], logs[-1], most // 2)
    near = first + np.abs(logs[:, None] - targets).argmin(axis=0)
    even = np.rint(np.linspace(0, len(values) - 1, most - most // 2)).astype(int)
    return values[np.union1d(near, even)]


def _list(names):
    return ", ".join(names)


def _last_step(estimator):
    """The last step of nested pipelines, and what its parameters' names begin with."""
    steps = pipeline_steps(estimator)
    if not steps or not hasattr(steps[-1][1], "get_params"):
        return "", estimator
    prefix, last = _last_step(steps[-1][1])
    return f"{steps[-1][0]}__{prefix}", last


def _check_settable(estimator, param):
    known = estimator.get_params(deep=True)
    if hasattr(known.get(param), "get_params"):
        raise ValueError(
            f"`param` must name a parameter that is a number. Got {param!r}, which is "
            f"{known[param]!r}; name one of its parameters, {param}__..."
        )
    try:
        clone(estimator).set_params(**{param: None})
    except (ValueError, AttributeError) as exc:  # no such name; nothing to look into
        raise ValueError(
            f"`param` must be a parameter of {type(estimator).__name__}, in the "
            f"notation of set_params: one of {_list(sorted(known))}. Got {param!r}"
            f"{_meant(param, known)}"
        ) from exc


def _meant(param, known):
    """What a name might have been meant to be, as the end of a message."""
    last = param.rpartition("__")[2]
    same = [name for name in known if name.rpartition("__")[2] == last]
    near = same or difflib.get_close_matches(param, known, n=1)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else "."


def _checked(values, param):
    """Values as an array: at least two, all different, numbers or None."""
    if isinstance(values, (Mapping, Set)) or getattr(values, "ndim", 1) == 0:
        raise TypeError(
            f'`values` must be "auto" or a sequence of the values of `{param}` to try. '
            f"Got {values!r}."
        )
    values = list(values)
    if len(values) < 2:
        raise ValueError(
            f"`values` must hold at least two values of `{param}` to choose from. Got "
            f"{values!r}; with one there is nothing to choose."
        )
    for value in values:
        number = isinstance(value, (int, float, np.integer, np.floating))
        number = number and not isinstance(value, (bool, np.bool_))
        if value is not None and not number:
            raise ValueError(
                "`values` must be numbers (or None), which can be ordered by how "
                f"strongly they penalise. Got {value!r}; use GridSearchCV for others."
            )
        if number and np.isnan(value):
            raise ValueError(f"`values` must not hold NaN. Got {values!r}.")
    if len({None if v is None else float(v) for v in values}) < len(values):
        raise ValueError(f"`values` must all be different. Got {values!r}.")
    if any(value is None for value in values):
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out
    if all(isinstance(value, (int, np.integer)) for value in values):
        return np.asarray(values, dtype=np.int64)
    if any(isinstance(value, (int, np.integer)) for value in values):
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out
    return np.asarray(values, dtype=np.float64)
