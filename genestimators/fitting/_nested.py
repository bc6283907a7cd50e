"""Wrappers with a path over the parameters of the estimator they wrap.

A bag of trees has a path over the pruning of its trees: every member gives its own
path from one fit. Which parameter, and which family serves it, is the wrapped
estimator's affair.
"""

_WRAPPERS = {}


class NestedFamily:
    """How a wrapper of one class is fitted for all values of a nested parameter.

    Attributes
    ----------
    wrapper : type
        The class, exactly.
    param : str
        The wrapper's parameter that holds the wrapped estimator.
    """

    wrapper = None
    param = "estimator"

    def inner(self, wrapper):
        """The wrapped estimator, the default one where none is set.

        Parameters
        ----------
        wrapper : estimator

        Returns
        -------
        estimator : estimator
        """
        return getattr(wrapper, self.param)

    def out_of_bag(self, wrapper):
        """Whether the path's `training()` answers out of bag; see `Family`."""
        return False

    def draws_groups(self, wrapper):
        """Whether the rows of a group are left out together."""
        return False

    def unsupported(self, wrapper, param, X, y, sample_weight, values):
        """Why these settings are not served, or None; as `Family.unsupported`."""
        return None

    def fit_path(self, wrapper, param, X, y, sample_weight, groups, values):
        """Fit once for all values.

        Parameters
        ----------
        wrapper : estimator
            A clone.
        param : str
            The parameter of the wrapped estimator.
        X, y, sample_weight, values
            As `Family.fit_path` has them.
        groups : ndarray of shape (n,) or None

        Returns
        -------
        path : Path
        """
        raise NotImplementedError


def register_nested(family):
    """Make a wrapper's family known."""
    _WRAPPERS[family.wrapper] = family
    return family


def nested_family(estimator):
    """The family of a wrapper's exact class, or None."""
    return _WRAPPERS.get(type(estimator))
