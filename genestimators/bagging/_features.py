"""Which columns a replicate sees: `max_features`."""

import numpy as np

from genestimators.resampling._hashing import derive, sequence


class FeatureChooser:
    """Columns of a replicate, drawn without replacement from its seed.

    Parameters
    ----------
    n_features, wanted : int
    seed : int
    """

    def __init__(self, n_features, wanted, seed):
        self.n_features = n_features
        self.wanted = wanted
        self.seed = seed

    def __call__(self, number):
        words = sequence(derive(self.seed, number), self.n_features)
        order = np.argsort(words, kind="stable")
        return np.sort(order[: self.wanted])


def feature_chooser(max_features, n_features, seed):
    """A function from replicates to columns, or None where all are used.

    Parameters
    ----------
    max_features : float in (0, 1] or int
    n_features : int or None
        None where X has no columns.
    seed : int

    Raises
    ------
    ValueError
        If there are fewer columns than asked for, or none.
    """
    share = isinstance(max_features, (float, np.floating))
    if share and max_features == 1.0:
        return None
    if n_features is None:
        raise ValueError(
            "`max_features` needs X with columns, and this X has none to choose from; "
            f"leave it at 1.0. Got {max_features!r}."
        )
    wanted = max(1, int(max_features * n_features)) if share else max_features
    if wanted > n_features:
        raise ValueError(
            "`max_features` must not exceed the number of features of X, "
            f"{n_features}. Got {max_features!r}."
        )
    return FeatureChooser(n_features, wanted, derive(seed, "features"))
