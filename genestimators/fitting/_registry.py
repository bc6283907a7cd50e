"""Families: estimators whose fits for all values of a parameter come from one fit.

A family belongs to one class (not to its subclasses, which may fit or predict
otherwise) and one parameter. It knows which way the parameter penalises, a default
range of values, and how exact its paths are; what it cannot do goes to the generic
engine, which fits a clone for each value.
"""

import inspect
from numbers import Integral

import numpy as np

EXACTNESS = ("bitwise", "exact", "tolerance", "approximate", "in_law", "refit")

_FAMILIES = {}


class Family:
    """How a class of estimators is fitted for all values of a parameter at once.

    Make a subclass, and hand it to `register_family`. A family without `fit_path` is
    welcome: its parameter's direction and range are then known, and every value is
    fitted by itself.

    Attributes
    ----------
    estimator : type or str
        The class, exactly: subclasses are not served. A class of a library that may
        not be there is named by its full path, "xgboost.sklearn.XGBRegressor".
    param : str
        The name of the parameter.
    stronger : {"larger", "smaller"}
        Which values penalise more.
    exactness : {"bitwise", "exact", "tolerance", "approximate", "in_law", "refit"}
        How the path's answers compare with those of fits one by one: the same bits;
        the same but for rounding; within the tolerance of the solver; near; the same
        in distribution (other random choices); or they are such fits.
    preferred : bool
        Whether this is the parameter meant by `param="auto"`.
    scale : {"log", "linear", "integer", None}
        How values are spaced; tells how a range is extended. None: never extend.
    n_repeats : int
        How often the folds are repeated where the user leaves that open.
    default_range : str
        The default values in words, for the documentation.
    limits : tuple of float
        Values that lie at an end by their nature: nothing is beyond them.
    settings : dict
        Other parameters that every fit gets, so that the values mean what they say
        (early stopping off, where the number of rounds is chosen).
    transforms : bool
        Whether the estimator is a transformer. Its `fit_path` then returns an object
        with `transform(X)`, an iterator over X transformed at each value, and, where
        it can fit what follows for all values at once, `fit_after(after, X, y,
        sample_weight)`: a `Path` of the steps after it, or None.

    Examples
    --------
    See the user guide for a complete family.
    """

    estimator = None
    param = ""
    stronger = "larger"
    exactness = "refit"
    preferred = False
    scale = "log"
    n_repeats = 1
    default_range = ""
    limits = ()
    settings = {}
    transforms = False

    def default_values(self, estimator, X, y, sample_weight):
        """Values to try where the user names none, in increasing order.

        Parameters
        ----------
        estimator : estimator
            Unfitted, with its other parameters as the user has set them.
        X : container of n rows
            As the estimator gets it: after the steps before it.
        y : ndarray of shape (n,) or (n, n_outputs)
        sample_weight : ndarray of shape (n,) or None

        Returns
        -------
        values : sequence
        """
        raise NotImplementedError

    def more_values(self, values, larger):
        """Values beyond an end of the default ones, where the best lies there.

        Parameters
        ----------
        values : ndarray, increasing
            Those tried so far.
        larger : bool
            Whether beyond the largest, or below the smallest.

        Returns
        -------
        values : ndarray, increasing
            None by default, but for a logarithmic scale, where eight more follow at
            the same ratio.
        """
        if self.scale != "log" or len(values) < 2 or values[0] <= 0:
            return np.empty(0)
        if larger:
            return values[-1] * (values[-1] / values[-2]) ** np.arange(1, 9)
        return (values[0] * (values[0] / values[1]) ** np.arange(1, 9))[::-1]

    def out_of_bag(self, estimator):
        """Whether the path's `training()` answers out of bag, so no folds are needed.

        Parameters
        ----------
        estimator : estimator
            Unfitted.

        Returns
        -------
        possible : bool
        """
        return False

    def unsupported(self, estimator, X, y, sample_weight, values):
        """Why these settings or data are not served, or None where they are.

        Parameters
        ----------
        estimator, X, y, sample_weight
            As in `default_values`.
        values : sequence

        Returns
        -------
        reason : str or None
            With a reason, the generic engine does the work.
        """
        return None

    def fit_path(self, estimator, X, y, sample_weight, values):
        """Fit once for all values.

        Parameters
        ----------
        estimator : estimator
            A clone of the user's, to be used or fitted in place.
        X : container of n rows
            Training rows.
        y : ndarray of shape (n,) or (n, n_outputs)
        sample_weight : ndarray of shape (n,) or None
            None is all ones.
        values : sequence

        Returns
        -------
        path : Path
        """
        raise NotImplementedError

    def share(self, steps, estimator, X, y, draws, values):
        """Take over all draws at once, where that is cheaper than one after the other.

        Parameters
        ----------
        steps : list of estimators
            The unfitted steps before the estimator in its pipeline.
        estimator : estimator
            Unfitted.
        X : container of n rows
            All rows, before any step.
        y : ndarray of shape (n,) or (n, n_outputs)
        draws : Draws
        values : sequence

        Returns
        -------
        shared : object or None
            With a method `fit_path(number, draw)` that returns a `Path` for rows before
            any step, or None for a draw that has to be fitted by itself. None (the
            default): draws are fitted one after the other.
        """
        return None

    def exactness_for(self, estimator):
        """How exact paths are with the settings of an estimator.

        Parameters
        ----------
        estimator : estimator
            Unfitted.

        Returns
        -------
        exactness : str
            The attribute `exactness` by default.
        """
        return self.exactness

    @property
    def fits_paths(self):
        """Whether it has a way of its own."""
        return type(self).fit_path is not Family.fit_path

    @property
    def has_range(self):
        """Whether it knows values to try."""
        return type(self).default_values is not Family.default_values


def register_family(family):
    """Make a family known: from now on its estimator is fitted by it.

    Parameters
    ----------
    family : Family
        An instance. One that serves the same class and parameter as another replaces
        it.

    Returns
    -------
    family : Family

    Raises
    ------
    TypeError
        If it is no `Family`, or says of no class whom it serves.
    ValueError
        If an attribute is none of those allowed, or the class has no such parameter.
    """
    if not isinstance(family, Family):
        raise TypeError(
            "`family` must be an instance of a subclass of Family. "
            f"Got {family!r}; pass an instance."
        )
    if not isinstance(family.estimator, (type, str)) or not family.estimator:
        raise TypeError(
            "`estimator` of a family must be a class, or the full path of one. "
            f"Got {family.estimator!r} in {type(family).__name__}."
        )
    for name, allowed in (
        ("stronger", ("larger", "smaller")),
        ("exactness", EXACTNESS),
        ("scale", ("log", "linear", "integer", None)),
    ):
        if getattr(family, name) not in allowed:
            raise ValueError(
                f"`{name}` of a family must be one of {allowed!r}. "
                f"Got {getattr(family, name)!r} in {type(family).__name__}."
            )
    repeats = family.n_repeats
    if not isinstance(repeats, Integral) or repeats < 1:
        raise ValueError(
            "`n_repeats` of a family must be a whole number from one on. "
            f"Got {repeats!r} in {type(family).__name__}."
        )
    _check_param(family)
    _FAMILIES[family.estimator, family.param] = family
    return family


def ensure_registered(family):
    """Register a family unless one of its kind is known already."""
    known = _FAMILIES.get((family.estimator, family.param))
    if type(known) is not type(family):
        register_family(family)


def _check_param(family):
    if isinstance(family.estimator, str):
        return
    parameters = inspect.signature(family.estimator).parameters
    names = list(parameters)
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return  # it takes parameters that it does not name
    if family.param not in names:
        raise ValueError(
            f"`param` of a family must be a parameter of {family.estimator.__name__}: "
            f"{names!r}. Got {family.param!r} in {type(family).__name__}."
        )


def find_family(estimator, param):
    """The family of an estimator's exact class and a parameter, or None."""
    kind = type(estimator)
    found = _FAMILIES.get((kind, param))
    return _FAMILIES.get((_path_of(kind), param)) if found is None else found


def families_of(estimator):
    """All families of an estimator's exact class, the preferred one first."""
    kinds = (type(estimator), _path_of(type(estimator)))
    found = [family for (kind, _), family in _FAMILIES.items() if kind in kinds]
    return sorted(found, key=lambda family: not family.preferred)


def registered_families():
    """All families, by name of class and parameter."""
    order = sorted(_FAMILIES, key=lambda pair: (_class_name(pair[0]), pair[1]))
    return [_FAMILIES[pair] for pair in order]


def _path_of(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def _class_name(kind):
    return kind.rpartition(".")[2] if isinstance(kind, str) else kind.__name__


def log_grid(low, high, per_decade=4):
    """Values spaced evenly in their logarithm, ends included.

    Parameters
    ----------
    low, high : float
        Positive.
    per_decade : int, default=4

    Returns
    -------
    values : ndarray, increasing
    """
    n = max(2, round(np.log10(high / low) * per_decade) + 1)
    return np.geomspace(low, high, n)


def integer_grid(low, high, most=40):
    """Whole numbers from low to high: all of them, or about evenly in the logarithm.

    Parameters
    ----------
    low, high : int
        Positive.
    most : int, default=40
        How many at the most.

    Returns
    -------
    values : ndarray of int, increasing
    """
    if high - low < most:
        return np.arange(low, high + 1)
    return np.unique(np.rint(np.geomspace(low, high, most)).astype(int))
