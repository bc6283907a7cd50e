"""A bag without what only its training needs: to be stored, sent and asked."""

from copy import copy

from sklearn.utils.validation import check_is_fitted

# Attributes that predictions do without: the draws and what goes on from them, and one
# answer for each training row.
_TRAINING = (
    "_data",
    "_draws",
    "_kept",
    "_seed",
    "_settings",
    "_stream",
    "_tally",
    "oob_decision_function_",
    "oob_prediction_",
)
_MEMBERS = ("_features", "_members", "estimators_")  # of which the mean may be enough
_MADE = ("estimators_features_", "estimators_samples_")  # from those
_WAY = "ask the bag that `compact()` was called on"
START_ANEW = "fit that of which it is a copy, or set `warm_start=False` to start anew"
_LEFT_BEHIND = frozenset((*_TRAINING, *_MEMBERS, *_MADE))


class Compactable:
    """What makes a bag compact; for the base class of bags."""

    def compact(self):
        """A copy of the fitted bag that predicts, and holds nothing else of size.

        Its predictions are the same to the bit. Where the mean of the members is one
        linear model, the copy holds that model alone, and its size does not depend on
        the number of members.

        Returns
        -------
        bag : object
            A bag of the same class and parameters. It has `predict` and its kin and the
            figures that are single numbers, `oob_score_` for one. Left behind are the
            draws, the out-of-bag predictions and, where their mean replaces them, the
            members; what needs those (`estimators_samples_`, intervals, sets, standard
            errors, to go on by `warm_start`) says so. Calling `fit` makes it an
            ordinary bag again.

        Raises
        ------
        NotFittedError
            If the bag is not fitted.

        Examples
        --------
        >>> import pickle
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import Ridge
        >>> from genestimators import BootstrapBaggingRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> bag = BootstrapBaggingRegressor(Ridge(), n_estimators=50, random_state=0)
        >>> small = bag.fit(X, y).compact()
        >>> bool((small.predict(X) == bag.predict(X)).all())
        True
        >>> len(pickle.dumps(small)) < len(pickle.dumps(bag)) / 5
        True
        """
        check_is_fitted(self)
        part = copy(self)
        one = self._mean_member is not None
        for name in (*_TRAINING, *(_MEMBERS if one else ())):
            vars(part).pop(name, None)
        part._kept = type(self._kept)(None, self._kept.chosen)
        part._compact = True
        return part

    def __getattr__(self, name):
        # Called for attributes that are not there.
        text = f"{type(self).__name__!r} object has no attribute {name!r}"
        if name in _LEFT_BEHIND and is_compact(self):
            text = f"A compact bag has left `{name}` behind; {_WAY}."
        else:  # a method of some bags alone says why it is not one of this bag
            for kind in type(self).__mro__:
                if hasattr(vars(kind).get(name), "__get__"):
                    return vars(kind)[name].__get__(self, type(self))
        raise AttributeError(text, name=name, obj=self)


def is_compact(bag):
    """Whether a bag is a compact copy that was not fitted since."""
    return "_compact" in vars(bag)


def refuse_compact(bag, what, way=_WAY):
    """Say that something needs more than a compact bag has.

    Parameters
    ----------
    bag : BaseBootstrapBagging
    what : str
        The subject of the sentence, in the plural.
    way : str, optional
        The way out.

    Raises
    ------
    ValueError
        If the bag is compact.
    """
    if is_compact(bag):
        raise ValueError(
            f"{what} need the draws of the fit, which a compact bag has left behind; "
            f"{way}. Got a compact bag."
        )
