"""Running sums over out-of-bag predictions, and the losses they tell.

Nothing here keeps the predictions of single replicates: a few numbers a row are
enough for the out-of-bag mean, the loss of a single member, and the loss that an
ensemble of infinitely many members would have.
"""

import numpy as np

BLOCK = 10  # replicates whose draws are balanced against each other


class OutOfBagSums:
    """Sums of the residuals of units (rows, or occurrences of rows) left out.

    Parameters
    ----------
    targets : ndarray of shape (n, width)
        What predictions are compared with: the target, or indicators of the classes.
    outputs : ndarray of shape (width,), int
        The output to which each column belongs; losses are summed within an output.
    """

    def __init__(self, targets, outputs):
        n, width = targets.shape
        self.targets = targets
        self.outputs = outputs
        self.n_outputs = int(outputs.max()) + 1
        self.n_added = 0
        # Over all replicates: how often a unit was left out, the sum of the predictions
        # for it then, and of their squared errors.
        self.times = np.zeros(n, dtype=np.int32)
        self.total = np.zeros((n, width))
        self.squares = np.zeros((n, self.n_outputs))
        # Over the finished blocks: squares of a block's sum of residuals and of times.
        self.block_squares = np.zeros((n, self.n_outputs))
        self.block_times = np.zeros(n, dtype=np.int32)
        # Of the block being filled.
        self._own = np.zeros((n, width))
        self._own_times = np.zeros(n, dtype=np.int8)

    def add(self, units, predictions):
        """Add one replicate: its predictions for the units it has left out."""
        residual = predictions - self.targets[units]
        self.times[units] += 1
        self.total[units] += predictions
        self.squares[units] += self.by_output(residual**2)
        self._own[units] += residual
        self._own_times[units] += 1
        self.n_added += 1
        if self.n_added % BLOCK == 0:
            self.block_squares += self.by_output(self._own**2)
            self.block_times += np.square(self._own_times, dtype=np.int32)
            self._own[:] = 0.0
            self._own_times[:] = 0

    def by_output(self, values):
        """Columns summed within their outputs, (n, n_outputs)."""
        if self.n_outputs == values.shape[1]:
            return values
        if self.n_outputs == 1:
            return values.sum(axis=1, keepdims=True)
        out = np.zeros((len(values), self.n_outputs))
        np.add.at(out.T, self.outputs, values.T)
        return out

    def correctable(self):
        """Which units were left out often enough for `limit_loss`, (n,) bool."""
        return self.times >= 2 if self.n_added < 2 * BLOCK else self._pairs() > 0

    def _pairs(self):
        """Ordered pairs of replicates of different blocks that left a unit out."""
        own = self.block_times + np.square(self._own_times, dtype=np.int32)
        return self.times.astype(float) ** 2 - own

    def mean(self):
        """Mean prediction for each unit, (n, width); NaN if never out."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.total / self.times[:, None]

    def member_loss(self):
        """Mean loss of one member on each unit, (n, n_outputs); NaN if never out."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.squares / self.times[:, None]

    def mean_loss(self):
        """Loss of the mean of the members that left a unit out, not corrected."""
        return self.by_output((self.mean() - self.targets) ** 2)

    def limit_loss(self):
        """Loss of the mean of infinitely many members, unbiased, (n, n_outputs).

        The mean of M predictions has its variance over M too much loss. With fewer
        than twenty replicates that is estimated and taken off, s^2 / M. Within a block
        of ten the draws are balanced and so not independent; from twenty replicates
        on, only products of residuals of different blocks are averaged, which needs
        no variance at all. NaN where a unit was out of bag too rarely to tell.
        """
        times = self.times[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.n_added < 2 * BLOCK:
                mean = self.mean_loss()
                variance = (self.squares - times * mean) / (times - 1)
                return np.where(times >= 2, mean - variance / times, np.nan)
            own = self.block_squares + self.by_output(self._own**2)
            pairs = self._pairs()[:, None]
            residual = self.total - times * self.targets
            products = self.by_output(residual**2) - own
            return np.where(pairs > 0, products / pairs, np.nan)
