"""The bootstrap of whole groups: patients, schools, customers."""

import numpy as np

from genestimators._inputs import check_groups, n_rows_of, named_column
from genestimators._params import INTEGER, NONE, TEXT
from genestimators.resampling._balanced import BalancedUniforms, stratum_counts
from genestimators.resampling._draws import Draws, draw_seed
from genestimators.resampling._keys import column_keys
from genestimators.resampling._resampler import (
    MAX_SAMPLES,
    Resampler,
    plan_occurrences,
    sample_fraction,
)


class GroupBootstrap(Resampler):
    """Bootstrap of whole groups; a group is in the bag or out of it as one.

    Use it where rows come in families (several visits of a patient, pupils of a
    school) and the model will meet new families. Out-of-bag figures are then for
    groups not seen in training. Draws are balanced over groups in blocks of ten
    replicates, as those of :class:`Bootstrap` are over rows.

    Parameters
    ----------
    groups : str, int or None, default=None
        The column of X that holds the groups, by name (frames) or position; it stays
        in X. With None the groups are those passed to `fit(groups=...)`. Where both
        are given the column is used.
    max_samples : float in (0, 1] or int, default=1.0
        How many groups to draw, as a fraction of the groups or as a number.

    See Also
    --------
    Bootstrap : Draws single rows.

    Notes
    -----
    Classes are not stratified: a class that lives in few groups may be missing from
    a replicate.

    References
    ----------
    .. [1] Davison, A. C. & Hinkley, D. V. (1997). Bootstrap Methods and their
       Application, section 3.8. Cambridge University Press.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import GroupBootstrap
    >>> X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    >>> groups = ["a", "a", "b", "b", "c", "c"]
    >>> draw = GroupBootstrap().prepare(X, y, groups=groups, seed=0)[0]
    >>> sorted({groups[i] for i in draw.rows} & {groups[i] for i in draw.out_of_bag})
    []
    """

    _parameter_constraints = {
        "groups": [TEXT, INTEGER, NONE],
        "max_samples": MAX_SAMPLES,
    }

    def __init__(self, groups=None, max_samples=1.0):
        self.groups = groups
        self.max_samples = max_samples

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        if self.groups is not None:
            groups = named_column(X, self.groups)
        if groups is None:
            raise ValueError(
                "GroupBootstrap needs groups, and got none; pass `fit(groups=...)`, or "
                "name the column that holds them: `GroupBootstrap(groups=...)`."
            )
        # Groups are told apart by their hash, so any labels that are equal are one.
        group_keys = column_keys(check_groups(groups, n_rows_of(X)))
        occurrences, factor, keys = plan_occurrences(
            "content", X, y, sample_weight, importance, groups=groups
        )
        units, codes = np.unique(group_keys[occurrences.rows], return_inverse=True)
        if len(units) < 2:
            raise ValueError(
                "GroupBootstrap needs at least two groups among the rows of positive "
                f"weight. Got {len(units)}; draw rows with "
                '`resampling="bootstrap"` instead.'
            )
        return GroupDraws(
            occurrences,
            len(keys),
            seed,
            units=units,
            codes=codes,
            fraction=sample_fraction(self.max_samples, len(units)),
            row_weight=sample_weight,
            importance=factor,
            clusters=np.unique(group_keys, return_inverse=True)[1],
        )


class GroupDraws(Draws):
    """Balanced draws of units, each a set of occurrences."""

    def __init__(self, occurrences, n_rows, seed, *, units, codes, fraction, **kwargs):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.fraction = fraction
        self._codes = codes
        self._uniforms = BalancedUniforms(units, draw_seed(seed, "group"))

    def counts_of(self, number):
        uniforms = self._uniforms(number)
        target = self.fraction * len(uniforms)
        counts = stratum_counts(uniforms, None, target, self.fraction)
        return counts[self._codes]
