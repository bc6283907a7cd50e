"""What a growing bag keeps of its members' answers."""

import numpy as np

from genestimators.bagging._aggregate import (
    SUMMED,
    labels_of,
    median_answer,
    trimmed_answer,
)
from genestimators.bagging._out_of_bag import OutOfBagSums


class Tally:
    """Sums of answers for the training rows, grown one replicate at a time.

    Parameters
    ----------
    draws : Draws
    y : ndarray of shape (n,) or (n, n_outputs)
    response : Response
    aggregate : str
    figures : bool
        Keep what scores on the training data need.
    stopping : bool
        Keep what choosing the number of replicates needs.
    """

    def __init__(self, draws, y, response, aggregate, *, figures, stopping):
        self.response = response
        self.aggregate = aggregate
        self.figures = figures
        self.busy = False
        self.n_added = 0
        self._occurrences = draws.occurrences.rows
        self._all_held_out = not draws.has_out_of_bag
        targets, outputs = targets_of(y, response, draws.row_order())
        # Without weights occurrences are rows, and one set of sums serves both ends.
        self.rows = OutOfBagSums(targets, outputs) if figures else None
        weighted = draws.row_weight is not None
        self.occurrences = None
        if stopping and (weighted or not figures):
            self.occurrences = OutOfBagSums(targets[self._occurrences], outputs)
        # Sums of answers; those out of bag are in `rows` where they are compared as
        # they are.
        self._compared_as_is = response.kind in ("predict", "probability", "vote")
        self._train = self._oob = 0.0
        self._answers, self._left_out = [], []

    def add(self, draw, answer):
        """Add one replicate's answers for every row, shape (n, width)."""
        self.busy = True
        compared = self._compared(answer)
        if self.figures:
            self.rows.add(draw.out_of_bag, compared[draw.out_of_bag])
            if self.aggregate in SUMMED:
                if self.n_added == 0:
                    self._train = np.zeros_like(answer)
                    if not self._compared_as_is:
                        self._oob = np.zeros_like(answer)
                self._train += answer
                if not self._compared_as_is:
                    self._oob[draw.out_of_bag] += answer[draw.out_of_bag]
            else:
                self._answers.append(answer)
                self._left_out.append(draw.out_of_bag)
        if self.occurrences is not None:
            held = draw.held_out
            if self._all_held_out:
                held = np.arange(len(self._occurrences))
            self.occurrences.add(held, compared[self._occurrences[held]])
        self.n_added += 1
        self.busy = False

    def _compared(self, answer):
        """Answers in the form that is compared with the targets."""
        if self.response.kind == "log_probability":
            return np.exp(answer)
        if self.response.kind == "decision":
            return self.response.one_hot(labels_of(answer, self.response))
        return answer

    @property
    def writeable(self):
        """Whether it can grow: arrays mapped from a file for reading cannot."""
        held = [self._train, self._oob]
        for sums in (self.rows, self.occurrences):
            held += [] if sums is None else [sums.total]
        return all(one.flags.writeable for one in held if isinstance(one, np.ndarray))

    @property
    def stopping_sums(self):
        """The sums over occurrences."""
        return self.rows if self.occurrences is None else self.occurrences

    def answers(self):
        """Aggregated answers for the rows: out of bag (NaN if never), and of all."""
        if self.aggregate in SUMMED:
            if self._compared_as_is:
                return self.rows.mean(), self._train / self.n_added
            with np.errstate(invalid="ignore", divide="ignore"):
                oob = self._oob / self.rows.times[:, None]
            return oob, self._train / self.n_added
        combine = median_answer if self.aggregate == "median" else trimmed_answer
        every = np.stack(self._answers)
        train = combine(every)
        masked = np.full_like(every, np.nan)
        for member, rows in enumerate(self._left_out):
            masked[member, rows] = every[member, rows]
        return combine(masked), train


def targets_of(y, response, rows):
    """The target as an array of shape (n, width), and the output of each column."""
    if response.kind == "predict":
        targets = y.reshape(len(y), -1).astype(np.float64, copy=False)
        return targets, np.arange(targets.shape[1])
    # Rows of weight zero may hold a class that no row of positive weight has.
    targets = np.zeros((len(y), sum(len(labels) for labels in response.classes)))
    targets[rows] = response.one_hot(y[rows])
    return targets, np.zeros(targets.shape[1], dtype=np.intp)
