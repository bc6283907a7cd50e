"""Folds drawn anew for each repeat, by the content of rows."""

import numpy as np

from genestimators._inputs import check_groups, n_rows_of
from genestimators._params import BOOLEAN, INTEGER, TEXT, Interval, Options
from genestimators.resampling._draws import Draws, draw_seed
from genestimators.resampling._hashing import derive, mix
from genestimators.resampling._keys import column_keys
from genestimators.resampling._resampler import (
    Resampler,
    class_strata,
    plan_occurrences,
)


class RepeatedFolds(Resampler):
    """K folds, dealt anew in every repeat without end; what is in a fold is left out.

    Draws b of one repeat, ``k * n_folds <= b < (k + 1) * n_folds``, leave out each row
    once. Unlike those of scikit-learn's splitters, folds are a function of the content
    of rows and not of their order.

    Parameters
    ----------
    n_folds : int, default=10
    stratify : {"auto"} or bool, default="auto"
        "auto" deals out each class on its own for a classifier with one output; True
        each distinct value of y, False takes no notice of y. Groups are never
        stratified.
    key : {"content", "position"}, str or int, default="content"
        What a row is known by; see :class:`Bootstrap`.

    See Also
    --------
    Folds : The folds of a scikit-learn splitter.

    Notes
    -----
    A row is in one fold whatever its weight, which multiplies its count. Groups passed
    to `prepare` are dealt out whole.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import RepeatedFolds
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> draws = RepeatedFolds(n_folds=5).prepare(X, y, seed=0)
    >>> sorted(np.concatenate([draws[b].out_of_bag for b in range(5)]).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    _parameter_constraints = {
        "n_folds": [Interval(int, 2)],
        "stratify": [Options("auto"), BOOLEAN],
        "key": [Options("content", "position"), TEXT, INTEGER],
    }

    def __init__(self, n_folds=10, stratify="auto", key="content"):
        self.n_folds = n_folds
        self.stratify = stratify
        self.key = key

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        # A row stays whole, so weights are factors whatever they stand for.
        occurrences, factor, keys = plan_occurrences(
            self.key, X, y, sample_weight, True, groups=groups
        )
        told = {"row_weight": sample_weight, "importance": factor}
        if groups is None:
            codes, states = np.arange(len(occurrences.rows)), occurrences.states
            strata = class_strata(self.stratify, y, classifier, occurrences)
            strata = [codes] if strata is None else strata
        else:
            labels = column_keys(check_groups(groups, n_rows_of(X)))
            states, codes = np.unique(labels[occurrences.rows], return_inverse=True)
            strata = [np.arange(len(states))]
            told["clusters"] = np.unique(labels, return_inverse=True)[1]
        if len(states) < self.n_folds:
            units = "rows" if groups is None else "groups"
            raise ValueError(
                f"There must be at least as many {units} of positive weight as folds, "
                f"{self.n_folds}. Got {len(states)}; set a smaller `n_folds`."
            )
        return RepeatedFoldDraws(
            occurrences,
            len(keys),
            seed,
            states=states,
            codes=codes,
            strata=strata,
            n_folds=self.n_folds,
            **told,
        )


class RepeatedFoldDraws(Draws):
    """All occurrences but those of one fold."""

    def __init__(
        self, occurrences, n_rows, seed, *, states, codes, strata, n_folds, **kwargs
    ):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.balanced_block = n_folds
        self._n_folds = n_folds
        self._states = states
        self._codes = codes
        self._strata = strata
        self._seed = draw_seed(seed, "folds")
        self._known = None, None

    def folds_of(self, repeat):
        """The fold of each occurrence in a repeat, (m,)."""
        known, folds = self._known
        if known != repeat:
            words = mix(self._states ^ np.uint64(derive(self._seed, "repeat", repeat)))
            order = np.concatenate(
                [one[np.argsort(words[one], kind="stable")] for one in self._strata]
            )
            folds = np.empty(len(order), dtype=np.intp)
            # Dealt on from stratum to stratum, so that folds are of equal size.
            folds[order] = np.arange(len(order)) % self._n_folds
            folds = folds[self._codes]
            self._known = repeat, folds
        return folds

    def counts_of(self, number):
        repeat, fold = divmod(number, self._n_folds)
        return (self.folds_of(repeat) != fold).astype(np.intp)
