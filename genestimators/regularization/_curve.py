"""The table that rules read: scores of every candidate, paired differences, the gap."""

from dataclasses import dataclass

import numpy as np

FLAT = 4  # candidates in a row with the same scores on every split


@dataclass(frozen=True, eq=False)
class Curve:
    """Validation and training scores of the candidates.

    Attributes
    ----------
    values : ndarray of shape (n_values,)
        The candidates, in the order given.
    strength : ndarray of shape (n_values,), int
        Rank of each candidate by strength of penalty, 0 is the weakest.
    test, train : ndarray of shape (n_values, n_splits)
        Scores, greater is better. Out of bag there is one split.
    n_folds : int
        Independent parts behind the splits: folds, whatever the number of repeats.
    losses : ndarray of shape (n_values, n_rows) or None
        Row losses that standard errors come from where there is one split.
    train_losses : ndarray of shape (n_values, n_rows) or None
        The same of the training answers.
    weight : ndarray of shape (n_rows,) or None
        Weights of those rows.
    clusters : ndarray of shape (n_rows,), int, or None
        Which of those rows belong together, numbered from 0.
    slope : float, default=1.0
        What one unit of mean row loss is worth in score, for standard errors.
    partition : bool, default=True
        Whether the folds split the rows, each left out once a repeat.
    full_train : ndarray of shape (n_values,) or None
        Training scores of fits on all rows, where a rule needs them.
    instability : ndarray of shape (n_values,) or None
        How much predictions change from fold to fold, where a rule needs it.
    """

    values: np.ndarray
    strength: np.ndarray
    test: np.ndarray
    train: np.ndarray
    n_folds: int
    losses: np.ndarray | None = None
    train_losses: np.ndarray | None = None
    weight: np.ndarray | None = None
    clusters: np.ndarray | None = None
    slope: float = 1.0
    partition: bool = True
    full_train: np.ndarray | None = None
    instability: np.ndarray | None = None

    @property
    def by_rows(self):
        """Whether standard errors come from rows, since there is one split."""
        return self.losses is not None and self.test.shape[1] == 1

    @property
    def mean_test(self):
        """Mean validation scores, NaN where a split has none."""
        return self.test.mean(axis=1)

    @property
    def mean_train(self):
        """Mean training scores."""
        return self.train.mean(axis=1)

    @property
    def gap(self):
        """Mean training score minus mean validation score."""
        return self.mean_train - self.mean_test

    @property
    def best(self):
        """The candidate of the best mean validation score, ties to the stronger."""
        return pick(self.mean_test, self.strength)

    @property
    def order(self):
        """Candidates from the weakest to the strongest penalty."""
        return np.argsort(self.strength, kind="stable")

    def flat_at(self, end):
        """Whether the scores at an end do not depend on the candidate.

        Parameters
        ----------
        end : int
            The weakest or the strongest candidate.
        """
        few = self.order[:FLAT] if self.strength[end] == 0 else self.order[-FLAT:]
        return bool((self.test[few] == self.test[end]).all())

    def paired_std_error(self, reference):
        """Standard errors of the differences to a candidate, (n_values,).

        Over folds: standard deviation of the differences of scores on the same split,
        over the root of the number of folds. Repeats of the folds are no new data, so
        they do not count. Out of bag: from the differences of losses on the same row.
        """
        if self.by_rows:
            return self._row_error(self.losses[reference] - self.losses)
        difference = self.test[reference] - self.test
        return split_std_error(difference, self.n_folds)

    def std_error(self):
        """Standard errors of the mean validation scores, not paired."""
        if self.by_rows:
            return self._row_error(self.losses)
        return split_std_error(self.test, self.n_folds)

    def gap_std_error(self, i):
        """Standard error of the gap of candidate i."""
        if self.by_rows:
            if self.train_losses is None:
                return float("nan")
            difference = self.losses[i] - self.train_losses[i]
            return float(self._row_error(difference[None])[0])
        difference = self.train[i] - self.test[i]
        return float(split_std_error(difference[None], self.n_folds)[0])

    def _row_error(self, values):
        return self.slope * row_std_error(values, self.weight, self.clusters)


def split_std_error(values, n_folds):
    """Standard deviation over splits over the root of the number of folds.

    The degree of freedom that the mean takes is one of the folds, so that a repeat of
    the same folds changes nothing.
    """
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    return values.std(axis=1) / np.sqrt(max(n_folds - 1, 1))


def row_std_error(values, weight, clusters=None):
    """Standard errors of weighted means over rows (the second axis).

    Rows of a cluster are taken as one observation, their weighted sum.
    """
    n = values.shape[1]
    share = np.full(n, 1.0 / n) if weight is None else weight / weight.sum()
    parts = (values - (values @ share)[:, None]) * share
    if clusters is not None:
        order = np.argsort(clusters, kind="stable")
        starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
        parts = np.add.reduceat(parts[:, order], starts, axis=1)
    n = parts.shape[1]
    if n < 2:
        return np.full(len(values), np.nan)
    return np.sqrt(n / (n - 1) * (parts**2).sum(axis=1))


def pick(scores, strength, among=None):
    """The candidate of the best score, ties to the strongest penalty.

    Parameters
    ----------
    scores : ndarray of shape (n_values,)
        NaN is never picked.
    strength : ndarray of shape (n_values,), int
    among : ndarray of shape (n_values,), bool, default=None
        Which candidates to look at.
    """
    usable = ~np.isnan(scores)
    if among is not None:
        usable &= among
    if not usable.any():
        raise ValueError(
            "The rule compares training scores, and no value has one on every split "
            "(R2 needs two rows, ROC AUC both classes). Use other splits, or "
            'rule="median".'
        )
    best = np.max(scores[usable])
    tied = np.flatnonzero(usable & (scores == best))
    return int(tied[np.argmax(strength[tied])])
