"""What fits on many draws say about units, before any rule selects among them.

Draws are complementary pairs of subsamples or any other draws. A *unit* is a feature,
or a group of features that stands or falls together.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.resampling import Draw
from genestimators.resampling._hashing import derive


@dataclass(frozen=True, eq=False)
class Evidence:
    """The outcome of the fits.

    Attributes
    ----------
    ranks : ndarray of shape (n_draws, n_units), int
        1 for the best unit of a draw; n_units + 1 for one that was not used at all.
    scores : ndarray of shape (n_draws, n_units)
        Importances, greater is better, 0 for no use.
    order : ndarray of shape (n_units,), int
        All units, the best first, by what all draws say together.
    sizes : ndarray of shape (n_sizes,), int
        Numbers of units, increasing from 0.
    losses : ndarray of shape (n_draws, n_sizes), or None
        Out-of-sample losses of the nested models: of each draw's own first so many
        units, on the rows it left out. None where nothing was left out.
    paired : bool
        Whether draws 2k and 2k + 1 share no row.
    """

    ranks: np.ndarray
    scores: np.ndarray
    order: np.ndarray
    sizes: np.ndarray
    losses: np.ndarray | None
    paired: bool

    @property
    def n_units(self):
        return self.ranks.shape[1]

    @property
    def n_draws(self):
        return self.ranks.shape[0]

    def path(self, sizes):
        """Share of the draws in which a unit is among the first so many.

        Parameters
        ----------
        sizes : ndarray of shape (n_sizes,), int
            Increasing, at most n_units.

        Returns
        -------
        path : ndarray of shape (n_sizes, n_units)
        """
        # A rank counts from the first size on that reaches it, if there is one.
        first = np.searchsorted(sizes, self.ranks)
        counts = np.zeros((len(sizes) + 1, self.n_units))
        np.add.at(counts, (first, np.arange(self.n_units)), 1.0)
        path = counts[:-1]
        np.cumsum(path, axis=0, out=path)
        path /= self.n_draws
        return path


@dataclass(frozen=True, eq=False)
class Data:
    """What an engine fits.

    Attributes
    ----------
    estimator : estimator or None
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    labels : ndarray of shape (n_features,), int
        The unit of each feature.
    forced : ndarray of shape (n_units,), bool
        Units that are always kept.
    draws : tuple of Draw
    paired : bool
    classifier : bool
    scoring : str, callable or None
    params : dict
        Further arguments of the estimator's `fit`.
    seed : int
    n_jobs : int or None
    progress : Progress or None
    """

    estimator: object
    X: object
    y: np.ndarray
    labels: np.ndarray
    forced: np.ndarray
    draws: tuple[Draw, ...]
    paired: bool
    classifier: bool
    scoring: object
    params: dict
    seed: int
    n_jobs: int | None = None
    progress: object = None

    @property
    def n_units(self):
        return len(self.forced)

    @property
    def knows_targets(self):
        """Whether draws or weights belong to y: classes are in all, or weights differ.

        With y in another order they would then not be what they are.
        """
        counts = np.concatenate([draw.counts for draw in self.draws])
        return self.classifier or bool(np.ptp(counts) > 0)

    @property
    def left_out(self):
        """Whether every draw leaves rows out."""
        return all(len(draw.out_of_bag) for draw in self.draws)


def step_sizes(n_units, *, share=0.3, one_by_one=1):
    """Numbers of units that an elimination in steps goes through, from all to one.

    Parameters
    ----------
    n_units : int
    share : float, default=0.3
        Of the units that are left, how many go at a time.
    one_by_one : int, default=1
        From so many on they go one at a time.
    """
    sizes = [n_units]
    while sizes[-1] > 1:
        left = sizes[-1]
        gone = 1 if left <= one_by_one else max(1, int(share * left))
        sizes.append(max(left - gone, min(one_by_one, left - 1)))
    return sizes


def refit_sizes(forced):
    """Numbers of units of the models that are fitted again, from all to one.

    That of the units that are always kept is among them, if there are any.
    """
    sizes = set(step_sizes(len(forced)))
    return sorted(sizes | ({int(forced.sum())} - {0}), reverse=True)


def order_of(ranks, scores, forced):
    """Units by mean rank, ties by mean score, those that are forced first.

    Parameters
    ----------
    ranks, scores : ndarray of shape (n_draws, n_units)
    forced : ndarray of shape (n_units,), bool

    Returns
    -------
    order : ndarray of shape (n_units,), int
    """
    return np.lexsort((-scores.mean(axis=0), ranks.mean(axis=0), ~forced))


def lots(seed, number, forced):
    """What ties between the units of a draw are broken by: a random order of them.

    The order of the columns must not do it: at scores that are counts of rows the first
    columns would be found more often than by chance. A draw has lots of its own, the
    same whatever X and y are, so that permuted runs stay comparable. Units that are
    forced are not compared with others, and keep their order.

    Parameters
    ----------
    seed : int
    number : int
        Of the draw.
    forced : ndarray of shape (n_units,), bool

    Returns
    -------
    lots : ndarray of shape (n_units,), int
        The least goes first.
    """
    rng = np.random.default_rng(derive(seed, "lots", number))
    drawn = rng.permutation(len(forced))
    return np.where(forced, np.arange(len(forced)), drawn)


def ranks_of(scores, forced, seed):
    """Ranks in each draw from scores alone.

    Ties are broken by lots; a score of zero or less is no use, unless forced.
    """
    n_draws, n_units = scores.shape
    raised = np.where(forced, np.inf, scores)
    tie = np.stack([lots(seed, number, forced) for number in range(n_draws)])
    order = np.lexsort((tie, -raised), axis=1)
    ranks = np.empty((n_draws, n_units), dtype=int)
    np.put_along_axis(ranks, order, np.arange(1, n_units + 1)[None], axis=1)
    return np.where((scores > 0) | forced, ranks, n_units + 1)


def ranks_without(useless, ranks):
    """Ranks of the units that are of use, n_units + 1 for the others."""
    n_units = ranks.shape[1]
    order = np.argsort(np.where(useless, n_units + 1, ranks), axis=1, kind="stable")
    own = np.empty_like(ranks)
    np.put_along_axis(own, order, np.arange(1, n_units + 1)[None], axis=1)
    return np.where(useless, n_units + 1, own)
