"""The prequential score: each row of a stream is scored before it is learned.

A row is predicted by the members that will leave it out, so the members behind its
score are those that an out-of-bag score would ask, at the time when the row came. What
is kept of the rows are sums, from which the score over the whole stream and its
standard error follow; their size does not depend on the number of rows.
"""

from dataclasses import dataclass, replace

import numpy as np

from genestimators._exceptions import OutOfBagWarning, warn_user
from genestimators._row_losses import (
    OF_SCORERS,
    KnownScore,
    row_losses,
    scores_of_means,
)
from genestimators.bagging._aggregate import (
    MOST_ANSWERS,
    SUMMED,
    median_answer,
    trimmed_answer,
)
from genestimators.bagging._figures import outputs_of


def stream_score(oob_score, response):
    """The score of a stream that `oob_score` asks for, or None.

    Parameters
    ----------
    oob_score : bool, str or callable
        True is R2 or accuracy.
    response : Response
        What the members are asked.

    Returns
    -------
    KnownScore or None

    Raises
    ------
    ValueError
        If the score cannot be told from sums over rows, or by these members.
    """
    classifier = response.kind != "predict"
    name = oob_score
    if isinstance(oob_score, (bool, np.bool_)):
        if not oob_score:
            return None
        name = "accuracy" if classifier else "r2"
    answers = ["predict"]
    if classifier:
        answers = ["label"]
        if response.kind != "decision" and len(response.classes) == 1:
            answers.append("probability")
    known = OF_SCORERS.get(name) if isinstance(name, str) else None
    if known is None or known.answer not in answers:
        offered = [
            scorer for scorer, one in OF_SCORERS.items() if one.answer in answers
        ]
        raise ValueError(
            "`oob_score` must be True, False or a score that sums over rows tell, for "
            f"`partial_fit`: {', '.join(map(repr, offered))} here. Got {oob_score!r}; "
            "choose one of them, or set `oob_score=False`."
        )
    return known


class LeftOutAnswers:
    """Answers of members for the rows of a batch that each will leave out.

    Parameters
    ----------
    n_rows : int
    aggregate : str
    """

    def __init__(self, n_rows, aggregate):
        self.n_rows = n_rows
        self.aggregate = aggregate
        self.times = np.zeros(n_rows, dtype=np.int32)
        self.total = 0.0
        self.parts = []

    def add(self, rows, answer):
        """Add a member's answers for some rows, in increasing order."""
        if self.aggregate in SUMMED:
            if not self.times.any():
                self.total = np.zeros((self.n_rows, answer.shape[1]))
            self.total[rows] += answer
        else:
            self.parts.append((rows, answer))
        self.times[rows] += 1

    def aggregated(self):
        """Rows that some member answered, and the aggregated answers for them."""
        rows = np.flatnonzero(self.times)
        if not len(rows):
            return rows, None
        if self.aggregate in SUMMED:
            return rows, self.total[rows] / self.times[rows, None]
        combine = median_answer if self.aggregate == "median" else trimmed_answer
        width = self.parts[0][1].shape[1]
        size = max(1, MOST_ANSWERS // (len(self.parts) * width))
        out = []
        for start in range(0, self.n_rows, size):
            stop = min(start + size, self.n_rows)
            every = np.full((len(self.parts), stop - start, width), np.nan)
            for own, (answered, answer) in zip(every, self.parts, strict=True):
                first, last = np.searchsorted(answered, (start, stop))
                own[answered[first:last] - start] = answer[first:last]
            asked = rows[(rows >= start) & (rows < stop)] - start
            out.append(combine(every[:, asked]))
        return rows, np.concatenate(out)


@dataclass(frozen=True, eq=False)
class RunningScore:
    """A score over the rows of a stream so far, from sums.

    Each row adds a vector of its losses and 1 (for R2 also of the squares of its
    targets, and the targets, less a fixed shift). How much the row moves the score is
    a linear function of that vector, so sums of vectors and of their products tell the
    score and its standard error.

    Attributes
    ----------
    known : KnownScore
    n_rows : int, default=0
        Rows scored.
    shift : ndarray of shape (n_outputs,) or None
        Mean target of the first rows: takes an offset off the squares.
    sums : ndarray of shape (k,) or None
        Of the vectors, by weight.
    products : ndarray of shape (k, k) or None
        Of the products of vectors, by the square of the weight.
    """

    known: KnownScore
    n_rows: int = 0
    shift: np.ndarray | None = None
    sums: np.ndarray | None = None
    products: np.ndarray | None = None

    def added(self, losses, targets, weight):
        """The score with more rows.

        Parameters
        ----------
        losses : ndarray of shape (n, n_outputs)
        targets : ndarray of shape (n, n_outputs)
            Used by R2 only.
        weight : ndarray of shape (n,) or None

        Returns
        -------
        RunningScore
            A new one; this one stays as it is.
        """
        if not len(losses):
            return self
        weight = np.ones(len(losses)) if weight is None else weight
        shift, columns = self.shift, [losses]
        if self.known.kind == "r2":
            if shift is None:
                shift = targets.mean(axis=0)
            apart = targets - shift
            columns += [apart**2, apart]
        vectors = np.column_stack([*columns, np.ones(len(losses))])
        weighted = weight[:, None] * vectors
        sums, products = weighted.sum(axis=0), weighted.T @ weighted
        if self.sums is not None:
            sums, products = self.sums + sums, self.products + products
        return replace(
            self,
            n_rows=self.n_rows + len(losses),
            shift=shift,
            sums=sums,
            products=products,
        )

    @property
    def value(self):
        """The score, greater is better; NaN before the first row."""
        if not self.n_rows:
            return float("nan")
        means, baseline, _ = self._means()
        return float(scores_of_means(self.known.kind, means, baseline))

    @property
    def std_error(self):
        """Its standard error over rows, NaN for fewer than two."""
        if self.n_rows < 2:
            return float("nan")
        move = self._move()
        square = self.n_rows / (self.n_rows - 1) * float(move @ self.products @ move)
        return float(np.sqrt(max(square, 0.0)) / self.sums[-1])

    def _means(self):
        """Mean losses, mean squared distance of targets from their mean, mean shift."""
        mean = self.sums[:-1] / self.sums[-1]
        if self.known.kind != "r2":
            return mean, None, None
        losses, squares, apart = np.split(mean, 3)
        # A constant target leaves rounding errors of the squares.
        spread = squares - apart**2
        spread[spread <= 1e-13 * squares] = 0.0
        return losses, spread, apart

    def _move(self):
        """How a row of weight one moves the score: coefficients of its vector."""
        means, spread, apart = self._means()
        n = len(means)
        if self.known.kind == "root":
            slope = np.where(means > 0, 0.5 / np.sqrt(np.where(means > 0, means, 1)), 0)
            return np.append(slope, -(slope @ means)) / n
        if self.known.kind != "r2":
            return np.append(np.ones(n), -means.sum()) / n
        varies = spread > 0
        scale = np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0)
        ratio = means * scale
        return (
            np.concatenate(
                [
                    scale,
                    -ratio * scale,
                    2 * apart * ratio * scale,
                    [-(ratio * scale) @ apart**2],
                ]
            )
            / n
        )


def score_batch(running, answers, y, weight, response, aggregate, *, flat_y):
    """The running score with the rows of a batch that could be scored.

    Parameters
    ----------
    running : RunningScore
    answers : LeftOutAnswers
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
    response : Response
    aggregate : str
    flat_y : bool

    Returns
    -------
    RunningScore

    Warns
    -----
    OutOfBagWarning
        If members that have learned little answer with NaN; those rows are left aside.
    """
    rows, answer = answers.aggregated()
    if not len(rows):
        return running
    told = np.isfinite(answer).all(axis=1)
    if not told.all():
        warn_user(
            f"{np.count_nonzero(~told)} of {len(rows)} rows of a batch are not in the "
            "prequential score: members answered them with NaN or infinity, as they do "
            "where they have learned from few rows; begin with a larger batch.",
            OutOfBagWarning,
        )
        rows, answer = rows[told], answer[told]
        if not len(rows):
            return running
    outputs = outputs_of(answer, response, aggregate, flat_y=flat_y)
    known, target = running.known, y[rows].reshape(len(rows), -1)
    if known.answer == "probability":
        given, target = outputs.predict_proba, response.one_hot(y[rows])
    else:
        given = outputs.predict.reshape(target.shape)
        if known.answer == "predict":
            target = target.astype(np.float64, copy=False)
    losses = row_losses(known.kind, given[None], target, known.power)[0]
    return running.added(losses, target, None if weight is None else weight[rows])
