"""Subsamples of rows or of groups without replacement, alone or in disjoint pairs."""

from copy import copy

import numpy as np

from genestimators._inputs import check_groups, n_rows_of, named_column
from genestimators._params import BOOLEAN, INTEGER, NONE, TEXT, Interval, Options
from genestimators.resampling._balanced import BalancedUniforms
from genestimators.resampling._draws import Draws, draw_seed
from genestimators.resampling._hashing import derive, mix, to_unit
from genestimators.resampling._keys import column_keys
from genestimators.resampling._resampler import (
    Resampler,
    class_strata,
    plan_occurrences,
)


class Subsample(Resampler):
    """Rows drawn without replacement; the rest is out of bag.

    Half-sized subsamples do about what the bootstrap does at half the cost of a fit
    [1]_. In complementary pairs replicates 2k and 2k + 1 share no row, which is what
    stability selection asks for [2]_ (a row of weight 2 is two rows here, and one may
    be in either half).

    Parameters
    ----------
    fraction : float in (0, 1), default=0.5
        The share of the total weight to draw.
    complementary_pairs : bool, default=False
        Draw pairs of disjoint subsamples; `fraction` is then at most 0.5.
    stratify : {"auto"} or bool, default="auto"
        "auto" takes the same share of each class for a classifier with one output;
        True of each distinct value of y, False takes no notice of y.
    key : {"content", "position"}, str or int, default="content"
        What a row is known by; see :class:`Bootstrap`.

    See Also
    --------
    Bootstrap : Draws with replacement.

    References
    ----------
    .. [1] Buehlmann, P. & Yu, B. (2002). Analyzing bagging. Annals of Statistics 30,
       927-961.
    .. [2] Shah, R. D. & Samworth, R. J. (2013). Variable selection with error control:
       another look at stability selection. Journal of the Royal Statistical Society
       B 75, 55-80.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import Subsample
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> draws = Subsample(complementary_pairs=True).prepare(X, y, seed=0)
    >>> sorted([*draws[0].rows.tolist(), *draws[1].rows.tolist()])
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    _parameter_constraints = {
        "fraction": [Interval(float, 0.0, 1.0, open_low=True, open_high=True)],
        "complementary_pairs": [BOOLEAN],
        "stratify": [Options("auto"), BOOLEAN],
        "key": [Options("content", "position"), TEXT, INTEGER],
    }

    def __init__(
        self,
        fraction=0.5,
        complementary_pairs=False,
        stratify="auto",
        key="content",
    ):
        self.fraction = fraction
        self.complementary_pairs = complementary_pairs
        self.stratify = stratify
        self.key = key

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        _check_pairs(self)
        occurrences, factor, keys = plan_occurrences(
            self.key, X, y, sample_weight, importance, groups=groups
        )
        strata = class_strata(self.stratify, y, classifier, occurrences)
        if strata is None:
            strata = [np.arange(len(occurrences.rows))]
        return SubsampleDraws(
            occurrences,
            len(keys),
            seed,
            strata=strata,
            fraction=self.fraction,
            pairs=self.complementary_pairs,
            row_weight=sample_weight,
            importance=factor,
        )


class GroupSubsample(Resampler):
    """Whole groups drawn without replacement; the others are out of bag.

    What :class:`Subsample` is to rows: use it where rows come in families and the model
    will meet new families.

    Parameters
    ----------
    fraction : float in (0, 1), default=0.5
        The share of the groups to draw.
    complementary_pairs : bool, default=False
        Draw pairs of subsamples that share no group; `fraction` is then at most 0.5.
    groups : str, int or None, default=None
        The column of X that holds the groups, by name (frames) or position; it stays
        in X. With None the groups are those passed to `fit(groups=...)`. Where both
        are given the column is used.

    See Also
    --------
    Subsample : Draws single rows.
    GroupBootstrap : Draws groups with replacement.

    Notes
    -----
    Classes are not stratified: a class that lives in few groups may be missing from
    a subsample.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import GroupSubsample
    >>> X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    >>> groups = np.array(["a", "a", "b", "b", "c", "c"])
    >>> draw = GroupSubsample(0.7).prepare(X, y, groups=groups, seed=0)[0]
    >>> len(np.unique(groups[draw.rows])), len(draw.out_of_bag)
    (2, 2)
    """

    _parameter_constraints = {
        "fraction": [Interval(float, 0.0, 1.0, open_low=True, open_high=True)],
        "complementary_pairs": [BOOLEAN],
        "groups": [TEXT, INTEGER, NONE],
    }

    def __init__(self, fraction=0.5, complementary_pairs=False, groups=None):
        self.fraction = fraction
        self.complementary_pairs = complementary_pairs
        self.groups = groups

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        _check_pairs(self)
        if self.groups is not None:
            groups = named_column(X, self.groups)
        if groups is None:
            raise ValueError(
                "GroupSubsample needs groups, and got none; pass `groups=...`, or "
                "name the column that holds them: `GroupSubsample(groups=...)`."
            )
        group_keys = column_keys(check_groups(groups, n_rows_of(X)))
        occurrences, factor, keys = plan_occurrences(
            "content", X, y, sample_weight, importance, groups=groups
        )
        units, codes = np.unique(group_keys[occurrences.rows], return_inverse=True)
        least = int(np.ceil(1 / self.fraction - 1e-9))
        if len(units) < max(2, least):
            raise ValueError(
                f"A share of {self.fraction:g} of the groups needs at least "
                f"{max(2, least)} groups among the rows of positive weight. Got "
                f"{len(units)}; draw rows with `Subsample` instead."
            )
        return GroupSubsampleDraws(
            occurrences,
            len(keys),
            seed,
            units=units,
            codes=codes,
            fraction=self.fraction,
            pairs=self.complementary_pairs,
            row_weight=sample_weight,
            importance=factor,
            clusters=np.unique(group_keys, return_inverse=True)[1],
        )


def _check_pairs(resampler):
    if resampler.complementary_pairs and resampler.fraction > 0.5:
        raise ValueError(
            "`fraction` must be at most 0.5 with `complementary_pairs=True`, since "
            f"the two of a pair share no row. Got {resampler.fraction!r}."
        )


class _Uniforms:
    """Uniforms of units in draws, balanced, or of pairs that mirror each other.

    Pairs are independent of each other, as bounds on errors of selections want them,
    unless they are asked to be balanced too.
    """

    def __init__(self, states, seed, *, pairs, balanced=False):
        self.states = states
        self.seed = seed
        self.pairs = pairs
        self.balanced = balanced
        self._balanced = BalancedUniforms(states, seed)

    def __call__(self, number):
        """The second of a pair sees the first's upside down."""
        if not self.pairs:
            return self._balanced(number)
        if self.balanced:
            uniforms = self._balanced(number // 2)
        else:
            word = np.uint64(derive(self.seed, "pair", number // 2))
            uniforms = to_unit(mix(self.states ^ word))
        return 1 - uniforms if number % 2 else uniforms

    def balance(self):
        """The same with pairs that are balanced in blocks of ten.

        Units that are in neither of a pair, say, are then others each time, and about
        as often as all others in the end.
        """
        return _Uniforms(self.states, self.seed, pairs=self.pairs, balanced=True)


class _SubsampleDraws(Draws):
    """Draws by uniforms that `balance` can balance."""

    def balance(self):
        """The same draws with uniforms that are balanced; see `_Uniforms.balance`."""
        balanced = copy(self)
        balanced._uniforms = self._uniforms.balance()
        return balanced


class SubsampleDraws(_SubsampleDraws):
    """The occurrences with the least uniforms of each stratum."""

    def __init__(self, occurrences, n_rows, seed, *, strata, fraction, pairs, **kwargs):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.strata = strata
        self.fraction = fraction
        self.pairs = pairs
        own_seed = draw_seed(seed, "subsample")
        self._uniforms = _Uniforms(occurrences.states, own_seed, pairs=pairs)

    def counts_of(self, number):
        uniforms = self._uniforms(number)
        weights = self.occurrences.weights
        counts = np.zeros(len(uniforms), dtype=np.intp)
        for stratum in self.strata:
            order = stratum[np.argsort(uniforms[stratum], kind="stable")]
            own = np.ones(len(order)) if weights is None else weights[order]
            running = np.cumsum(own)
            target = self.fraction * running[-1] * (1 + 1e-12)
            taken = np.searchsorted(running, target, side="right")
            if not self.pairs:
                # The nearest number, at least one: a class does not vanish.
                more = taken < len(own) - 1 and (
                    running[taken] - target < target - (running[taken] - own[taken])
                )
                taken = max(1, taken + more)
            counts[order[:taken]] = 1
        return counts


class GroupSubsampleDraws(_SubsampleDraws):
    """The units with the least uniforms, each a set of occurrences."""

    def __init__(
        self, occurrences, n_rows, seed, *, units, codes, fraction, pairs, **kwargs
    ):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        taken = fraction * len(units) * (1 + 1e-12)
        self._taken = int(np.floor(taken) if pairs else max(1, np.rint(taken)))
        self._codes = codes
        own_seed = draw_seed(seed, "group subsample")
        self._uniforms = _Uniforms(units, own_seed, pairs=pairs)

    def counts_of(self, number):
        uniforms = self._uniforms(number)
        counts = np.zeros(len(uniforms), dtype=np.intp)
        counts[np.argsort(uniforms, kind="stable")[: self._taken]] = 1
        return counts[self._codes]
