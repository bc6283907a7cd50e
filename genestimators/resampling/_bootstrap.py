"""The default bootstrap: balanced, stratified and keyed by the content of the rows."""

import numpy as np

from genestimators._params import BOOLEAN, INTEGER, TEXT, Options
from genestimators.resampling._balanced import (
    BalancedUniforms,
    poisson_counts,
    stratum_counts,
)
from genestimators.resampling._draws import Draws, draw_seed
from genestimators.resampling._many_counts import (
    many_poisson_counts,
    many_stratum_counts,
)
from genestimators.resampling._resampler import (
    MAX_SAMPLES,
    Resampler,
    class_strata,
    plan_occurrences,
    sample_fraction,
)


class Bootstrap(Resampler):
    """Bootstrap that is balanced, stratified and independent of the order of rows.

    Each replicate draws as much weight as the data hold. Three things set it apart
    from drawing n row numbers with replacement:

    - *keyed*: the count of a row depends on the seed, the replicate and the content
      of the row, not on where it stands; shuffled data give the same model, and more
      replicates never change earlier ones;
    - *balanced*: over ten replicates every row is used about equally often, and is
      left out in three or four of them, so ten replicates already give every row an
      out-of-bag prediction;
    - *stratified*: each class keeps its weight in every replicate, so no class
      vanishes and out-of-bag scores are not biased against the majority of the bag.

    Parameters
    ----------
    key : {"content", "position"}, str or int, default="content"
        What a row is known by: its content (X and y), its position, or a column of
        ids (by name in a frame, or by position).
    stratify : {"auto"} or bool, default="auto"
        "auto" keeps the weight of each class for a classifier with one output, and
        the total weight otherwise. True keeps the weight of each distinct value of y.
        False draws each row on its own, at rate `max_samples`: the total then varies,
        and a part of the data can be drawn without knowing the rest.
    duplicates : {"separate", "together"}, default="separate"
        Whether rows of equal content are drawn separately, as the bootstrap does, or
        have equal X in the bag or out of it together, so that no copy of an
        out-of-bag row has been seen in training. Where rows of equal X hold several
        classes, draws are then not stratified.
    max_samples : float in (0, 1] or int, default=1.0
        The weight to draw, as a fraction of the total weight or as a number of rows.

    See Also
    --------
    GroupBootstrap : Draws whole groups.
    BlockBootstrap : Draws blocks of consecutive rows.

    Notes
    -----
    A row of integer weight k is k occurrences; a fractional rest is one more, whose
    count is multiplied by the fraction. For replicate b of a block of ten, occurrence
    i has :math:`u_{ib} = (\\pi_i(b) + v_{ib}) / 10`, with :math:`\\pi_i` a random
    permutation of 0..9 and :math:`v_{ib}` uniform, both hashed from the seed, the
    block and the row's key. Its count is the quantile at :math:`u_{ib}` of a Poisson
    distribution whose rate makes the class total come out right [1]_ [2]_.

    References
    ----------
    .. [1] Efron, B. (1979). Bootstrap methods: another look at the jackknife. Annals
       of Statistics 7, 1-26.
    .. [2] Davison, A. C., Hinkley, D. V. & Schechtman, E. (1986). Efficient bootstrap
       simulation. Biometrika 73, 555-566.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import Bootstrap
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> draws = Bootstrap().prepare(X, y, seed=0)
    >>> int(draws[0].counts.sum())
    10
    >>> np.intersect1d(draws[0].rows, draws[0].out_of_bag).size
    0
    """

    _parameter_constraints = {
        "key": [Options("content", "position"), TEXT, INTEGER],
        "stratify": [Options("auto"), BOOLEAN],
        "duplicates": [Options("separate", "together")],
        "max_samples": MAX_SAMPLES,
    }

    def __init__(
        self, key="content", stratify="auto", duplicates="separate", max_samples=1.0
    ):
        self.key = key
        self.stratify = stratify
        self.duplicates = duplicates
        self.max_samples = max_samples

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        together = self.duplicates == "together"
        if together and self.key != "content":
            raise ValueError(
                '`duplicates="together"` goes by the content of the rows and needs '
                f'`key="content"`. Got `key={self.key!r}`.'
            )
        occurrences, factor, keys = plan_occurrences(
            self.key,
            X,
            y,
            sample_weight,
            importance,
            groups=groups,
            target=not together,
            together=together,
        )
        strata = class_strata(self.stratify, y, classifier, occurrences)
        if together and strata is not None and len(strata) > 1:
            # Equal rows of two classes must share one fate, so one rate for both.
            of_key = {}
            mixed = any(
                of_key.setdefault(key, number) != number
                for number, stratum in enumerate(strata)
                for key in occurrences.take(keys)[stratum].tolist()
            )
            if mixed:
                strata = [np.arange(len(occurrences.rows))]
        return BootstrapDraws(
            occurrences,
            len(keys),
            seed,
            strata=strata,
            fraction=sample_fraction(self.max_samples, occurrences.total),
            row_weight=sample_weight,
            importance=factor,
        )


class BootstrapDraws(Draws):
    """Balanced bootstrap draws over given strata."""

    def __init__(self, occurrences, n_rows, seed, *, strata, fraction, **kwargs):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.fraction = fraction
        # One stratum of everything needs no list of positions.
        whole = strata is not None and len(strata) == 1
        self.strata = [slice(None)] if whole else strata
        self._uniforms = BalancedUniforms(
            occurrences.states, draw_seed(seed, "bootstrap")
        )

    def totals(self):
        """How many occurrences of each stratum a draw holds; None where that varies.

        For whole weights.
        """
        if self.strata is None:
            return None
        sizes = [len(self.occurrences.rows[stratum]) for stratum in self.strata]
        target = self.fraction * np.array(sizes)
        # The nearest whole number, of two the larger, but never none.
        return np.maximum(1, np.floor(target + 0.5)).astype(np.intp)

    def counts_of(self, number):
        uniforms = self._uniforms(number)
        if self.strata is None:
            return poisson_counts(uniforms, self.fraction)
        return self._counts(uniforms.shape, uniforms.__getitem__, stratum_counts)

    def counts_matrix(self, numbers):
        if self.strata is None:
            return many_poisson_counts(self._uniforms.many(numbers), self.fraction)

        def drawn(stratum):
            # An occurrence has its uniform by itself, so each stratum makes its own.
            part = BalancedUniforms(self._uniforms.states[stratum], self._uniforms.seed)
            return part.many(numbers)

        shape = len(numbers), len(self.occurrences.rows)
        return self._counts(shape, drawn, many_stratum_counts)

    def _counts(self, shape, drawn, in_stratum):
        """Counts (..., m), from the uniforms and by the function for a stratum."""
        weights = self.occurrences.weights
        counts = np.empty(shape, dtype=np.int32)
        for stratum in self.strata:
            own = None if weights is None else weights[stratum]
            uniforms = drawn(stratum)
            size = uniforms.shape[-1] if own is None else float(own.sum())
            target = self.fraction * size
            counts[..., stratum] = in_stratum(uniforms, own, target, self.fraction)
        return counts
