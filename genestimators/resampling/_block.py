"""The block bootstrap: runs of consecutive rows of a time series."""

import numpy as np

from genestimators._params import Interval, Options
from genestimators.resampling._block_length import optimal_block_length
from genestimators.resampling._draws import Draws, draw_seed
from genestimators.resampling._hashing import derive, sequence, to_unit
from genestimators.resampling._resampler import (
    MAX_SAMPLES,
    Resampler,
    plan_occurrences,
    sample_fraction,
)


class BlockBootstrap(Resampler):
    """Bootstrap of blocks of consecutive rows, for rows in time order.

    Rows near each other in time resemble each other. Drawing them in blocks keeps
    that dependence inside a replicate; an embargo around the bag keeps it out of the
    out-of-bag score: a row within `embargo` rows of an in-bag row is not out of bag.
    The estimator is handed the rows in time order.

    Parameters
    ----------
    kind : {"moving", "circular", "stationary"}, default="moving"
        "moving" takes blocks of fixed length inside the series; "circular" lets
        blocks run over its end to its beginning, so that every row is drawn equally
        often; "stationary" does so too, with blocks of random (geometric) length.
    block_length : "auto" or int, default="auto"
        Rows in a block (their mean for "stationary"), less than the number of rows.
        "auto" is the Politis-White rule with the Patton correction on y, the longest
        over the outputs or classes.
    embargo : "auto" or int, default="auto"
        Rows on either side of an in-bag row that are not out of bag. "auto" is the
        lag after which autocorrelations of y are not told from zero, at most a block.
    max_samples : float in (0, 1] or int, default=1.0
        How many rows to draw, as a fraction of the rows or as a number.

    See Also
    --------
    Bootstrap : For rows that do not depend on each other.

    References
    ----------
    .. [1] Kuensch, H. R. (1989). The jackknife and the bootstrap for general
       stationary observations. Annals of Statistics 17, 1217-1241. (moving)
    .. [2] Politis, D. N. & Romano, J. P. (1992). A circular block-resampling procedure
       for stationary data. In: Exploring the Limits of Bootstrap. Wiley. (circular)
    .. [3] Politis, D. N. & Romano, J. P. (1994). The stationary bootstrap. Journal of
       the American Statistical Association 89, 1303-1313. (stationary)
    .. [4] Politis, D. N. & White, H. (2004). Automatic block-length selection for the
       dependent bootstrap. Econometric Reviews 23, 53-70; correction by Patton,
       Politis & White (2009), 28, 372-375.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import BlockBootstrap
    >>> X, y = np.arange(40.0).reshape(20, 2), np.sin(np.arange(20.0))
    >>> draws = BlockBootstrap(block_length=5, embargo=1).prepare(X, y, seed=0)
    >>> int(draws[0].counts.sum())
    20
    """

    _parameter_constraints = {
        "kind": [Options("moving", "circular", "stationary")],
        "block_length": [Interval(int, 1), Options("auto")],
        "embargo": [Interval(int, 0), Options("auto")],
        "max_samples": MAX_SAMPLES,
    }

    def __init__(
        self, kind="moving", block_length="auto", embargo="auto", max_samples=1.0
    ):
        self.kind = kind
        self.block_length = block_length
        self.embargo = embargo
        self.max_samples = max_samples

    def _prepare(self, X, y, sample_weight, groups, seed, classifier, importance):
        occurrences, factor, keys = plan_occurrences(
            "position", X, y, sample_weight, importance
        )
        n_rows = len(keys)
        length, embargo = self._lengths(y, classifier)
        if length >= n_rows:
            raise ValueError(
                "`block_length` must be less than the number of rows. "
                f"Got block_length={length} and {n_rows} rows."
            )
        fraction = sample_fraction(self.max_samples, n_rows)
        return BlockDraws(
            occurrences,
            n_rows,
            seed,
            kind=self.kind,
            block_length=length,
            embargo=embargo,
            n_drawn=max(1, round(fraction * n_rows)),
            row_weight=sample_weight,
            importance=factor,
            clusters=np.arange(n_rows) // length,
        )

    def _lengths(self, y, classifier):
        """Block length and embargo, in rows."""
        if self.block_length != "auto" and self.embargo != "auto":
            return self.block_length, self.embargo
        columns = _series_of(y, classifier)
        found = [
            optimal_block_length(column, stationary=self.kind == "stationary")
            for column in columns
        ]
        length = self.block_length
        if length == "auto":
            longest = max(1, round(max(best for best, _ in found)))
            length = min(longest, max(1, len(y) - 1))
        embargo = self.embargo
        if embargo == "auto":
            embargo = min(max(lag for _, lag in found), length)
        return length, embargo


def _series_of(y, classifier):
    """The numeric series whose dependence sets the block length."""
    columns = [y] if y.ndim == 1 else list(y.T)
    if not classifier:
        return columns
    return [
        (column == label).astype(float)
        for column in columns
        for label in np.unique(column)
    ]


class BlockDraws(Draws):
    """Draws of blocks of consecutive rows, with an embargo around the bag.

    Attributes
    ----------
    block_length, embargo : int
        What was used, in rows.
    """

    balanced_block = 1

    def __init__(
        self,
        occurrences,
        n_rows,
        seed,
        *,
        kind,
        block_length,
        embargo,
        n_drawn,
        **kwargs,
    ):
        super().__init__(occurrences, n_rows, seed, **kwargs)
        self.kind = kind
        self.block_length = block_length
        self.embargo = embargo
        self.n_drawn = n_drawn

    def counts_of(self, number):
        return self._row_counts(number)[self.occurrences.rows]

    def _row_counts(self, number):
        """How often each row (position in time) is drawn."""
        word = derive(draw_seed(self.seed, "block"), number)
        words = to_unit(sequence(word, 2 * self.n_drawn))
        n, length = self.n_rows, self.block_length
        if self.kind == "stationary":
            # A new block starts at each row with probability 1 / length.
            starts = words[: self.n_drawn] < 1 / length
            starts[0] = True
            heads = np.flatnonzero(starts)
            block = np.cumsum(starts) - 1
            first = np.floor(words[self.n_drawn :][block] * n).astype(np.intp)
            rows = (first + np.arange(self.n_drawn) - heads[block]) % n
        else:
            n_blocks = -(-self.n_drawn // length)
            places = n if self.kind == "circular" else n - length + 1
            first = np.floor(words[:n_blocks] * places).astype(np.intp)
            rows = (first[:, None] + np.arange(length)).ravel()[: self.n_drawn] % n
        return np.bincount(rows, minlength=n)

    def seen(self, counts):
        in_bag = np.zeros(self.n_rows, dtype=bool)
        in_bag[self.occurrences.rows[counts > 0]] = True
        if self.embargo:
            running = np.concatenate([[0], np.cumsum(in_bag)])
            position = np.arange(self.n_rows)
            last = np.minimum(position + self.embargo + 1, self.n_rows)
            before = np.maximum(position - self.embargo, 0)
            in_bag = running[last] > running[before]
        return in_bag[self.occurrences.rows]
