"""The Bayesian bootstrap: every row in every replicate, with a random weight."""

import numpy as np

from genestimators.resampling._balanced import BalancedUniforms
from genestimators.resampling._draws import Draws, draw_seed
from genestimators.resampling._resampler import (
    Resampler,
    class_strata,
    plan_occurrences,
)


class BayesianBootstrap(Resampler):
    """Random exponential weights on all rows; nothing is left out of a replicate.

    Smoother than the bootstrap and never without a rare class, but no row is out of
    bag: it goes with `oob_score=False` and an estimator that takes `sample_weight`.
    Weights are balanced over blocks of ten replicates and keep the weight of each
    class of a classifier, as the counts of :class:`Bootstrap` do.

    See Also
    --------
    Bootstrap : Has out-of-bag rows.

    References
    ----------
    .. [1] Rubin, D. B. (1981). The Bayesian bootstrap. Annals of Statistics 9, 130-134.
    .. [2] Clyde, M. A. & Lee, H. K. H. (2001). Bagging and the Bayesian bootstrap.
       Artificial Intelligence and Statistics, 169-174.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import BayesianBootstrap
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> draw = BayesianBootstrap().prepare(X, y, seed=0)[0]
    >>> len(draw.rows), len(draw.out_of_bag)
    (10, 0)
    """

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        occurrences, factor, keys = plan_occurrences(
            "content", X, y, sample_weight, importance, groups=groups
        )
        return BayesianDraws(
            occurrences,
            len(keys),
            seed,
            strata=class_strata("auto", y, classifier, occurrences),
            row_weight=sample_weight,
            importance=factor,
        )


class BayesianDraws(Draws):
    """Exponential weights, scaled so that each stratum keeps its weight."""

    has_out_of_bag = False

    def __init__(self, occurrences, n_rows, seed, *, strata, **kwargs):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.strata = strata
        self._uniforms = BalancedUniforms(
            occurrences.states, draw_seed(seed, "bayesian")
        )

    def counts_of(self, number):
        counts = -np.log1p(-self._uniforms(number))
        counts = np.maximum(counts, np.finfo(float).tiny)
        weights = self.occurrences.weights
        for stratum in self.strata:
            own = np.ones(len(stratum)) if weights is None else weights[stratum]
            # Not a dot product, whose last bits depend on the number of threads.
            counts[stratum] *= own.sum() / (own * counts[stratum]).sum()
        return counts
