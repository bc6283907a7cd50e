"""What is found after a choice, and how scores that are no means are asked for."""

from dataclasses import dataclass

import numpy as np

from genestimators._inputs import take_rows
from genestimators._results import Result
from genestimators._scoring import call_scorer
from genestimators.diagnostics._estimates_display import EstimatesDisplay, confidence

OWNER = "selection_corrected_score"


@dataclass(frozen=True)
class CorrectedScore(Result):
    """What a chosen model will score, beside what it scored when it was chosen.

    Attributes
    ----------
    score : float
        To expect on new rows, greater is better.
    interval : tuple of float
    confidence_level : float
        Of the interval.
    naive_score : float
        Of the chosen candidate in the search: too good, as it was chosen for it.
    optimism : float
        How much too good the choice makes it look: its score on all rows together less
        `score`. A mean of scores of folds, as `naive_score` is, can differ from that
        for other reasons (root errors, R2, areas under curves).
    best_index : int
        The chosen candidate.
    n_candidates : int
    method : {"bootstrap", "folds", "search"}
        Whether the choice was repeated on resampled predictions, the correction is from
        scores of folds alone, or it is what the search had found itself.
    scoring : str
        What the scores are.
    n_fits : int
        Fits that were made for it.
    """

    score: float
    interval: tuple
    confidence_level: float
    naive_score: float
    optimism: float
    best_index: int
    n_candidates: int
    method: str
    scoring: str
    n_fits: int

    def __str__(self):
        low, high = self.interval
        good = "good" if self.optimism >= 0 else "bad"
        text = (
            f"{self.scoring} to expect on new rows: {self.score:.4g} ({low:.4g} to "
            f"{high:.4g} at {self.confidence_level:.0%} confidence).\n"
            f"The best of {self.n_candidates} candidates had {self.naive_score:.4g} in "
            "the search"
        )
        if self._pools_otherwise():
            text += f", {self.score + self.optimism:.4g} on all rows together"
        return text + f": {abs(self.optimism):.2g} too {good}."

    def plot(self, *, ax=None):
        """Draw the score to expect with its interval, and that of the search.

        A third row is the score on all rows together, where it is another than that of
        the search.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EstimatesDisplay
        """
        names, estimates = ["on new rows"], [self.score]
        if self._pools_otherwise():
            names.append("chosen, on all rows together")
            estimates.append(self.score + self.optimism)
        names.append(f"in the search, best of {self.n_candidates}")
        estimates.append(self.naive_score)
        good = "good" if self.optimism >= 0 else "bad"
        notes = [""] * len(names)
        notes[1] = f"{abs(self.optimism):.2g} too {good}"
        intervals = np.full((len(names), 2), np.nan)
        intervals[0] = self.interval
        return EstimatesDisplay(
            names=names,
            estimates=estimates,
            intervals=intervals,
            notes=notes,
            x_name=f"{self.scoring} ({confidence(self.confidence_level)})",
            references={"_in the search": self.naive_score},
        ).plot(ax=ax)

    def _pools_otherwise(self):
        """Whether the score on all rows together is another than the mean of folds."""
        return f"{self.score + self.optimism:.4g}" != f"{self.naive_score:.4g}"


def result_of(found, *, naive, pooled, chosen, settings, n, n_fits, method, scoring):
    """The result from a score with its interval, and what is known besides."""
    score, interval = found
    return CorrectedScore(
        score=float(score),
        interval=tuple(float(end) for end in interval),
        confidence_level=settings["confidence"],
        naive_score=naive,
        optimism=pooled - float(score),
        best_index=chosen,
        n_candidates=n,
        method=method,
        scoring=scoring,
        n_fits=n_fits,
    )


def clusters_of(problem, rows):
    """The groups of some rows, numbered from 0, or None."""
    if problem.clusters is None:
        return None
    own, clusters = np.unique(problem.clusters[rows], return_inverse=True)
    if len(own) < 2:
        raise ValueError(
            f"{OWNER} resamples whole groups and scores on those that are left out, so "
            "it needs two of them. Got one; leave out `groups` if rows are independent."
        )
    return clusters


def scorer_of(measure, answers, X, y, rows, weight):
    """A score of a candidate on some of the rows, and the scores of all on all."""
    parts = measure.needed.split(answers, measure.n_outputs)

    def score(i, places):
        taken = take_rows(X, rows[places]) if measure.measure.needs_rows else None
        own = None if weight is None else weight[places]
        outputs = measure.outputs(parts, i).take(places)
        return call_scorer(measure.measure, outputs, taken, y[rows[places]], own)

    every = np.arange(len(rows))
    return score, np.array([score(i, every) for i in range(len(answers))])
