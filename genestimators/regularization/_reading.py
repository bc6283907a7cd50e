"""What is read off a draw: scores of every candidate, and what it answered."""

import time
from dataclasses import dataclass

import numpy as np

from genestimators._inputs import n_rows_of, take_rows
from genestimators._row_losses import SQUARED
from genestimators.regularization._measure import CandidateMeasure


@dataclass(frozen=True, eq=False)
class DrawScores:
    """Scores of every candidate on one draw.

    Attributes
    ----------
    number : int
        Of the draw.
    rows : ndarray of int
        Rows that were left out and scored.
    test, train : ndarray of shape (n_values,)
    losses : ndarray of shape (n_values, n_rows) or None
        Row losses, one number a row; see `CandidateMeasure.flat_losses`.
    train_losses : ndarray or None
        The same of the training rows, where both are for the same rows (out of bag).
    answers : ndarray of shape (n_values, n_rows, width) or None
        Answers of the kept kinds, one beside the other.
    fit_seconds, score_seconds : ndarray of shape (n_values,)
    family : Family or None
        Which did the work.
    path : Path or None
        The path itself, out of bag.
    n_fits : int
    light : Path or None, default=None
        The path itself, where it was asked for no answers.
    """

    number: int
    rows: np.ndarray
    test: np.ndarray
    train: np.ndarray
    losses: np.ndarray | None
    train_losses: np.ndarray | None
    answers: np.ndarray | None
    fit_seconds: np.ndarray
    score_seconds: np.ndarray
    family: object
    path: object
    n_fits: int
    light: object = None


@dataclass(frozen=True, eq=False)
class ScoreReading:
    """Reads scores off the path of a draw.

    Attributes
    ----------
    measure : CandidateMeasure
    row_weight : ndarray of shape (n,) or None
        Weights of all rows.
    keep_losses : bool
    keep_answers : tuple of int
        Draws whose answers are kept.
    out_of_bag : bool, default=False
        Score the training rows out of bag, rather than the rows left out.
    light : bool, default=False
        Ask no path for answers that knows its errors without them, and return it.
    """

    measure: CandidateMeasure
    row_weight: np.ndarray | None
    keep_losses: bool
    keep_answers: frozenset
    out_of_bag: bool = False
    light: bool = False

    def __call__(self, fit):
        start = time.perf_counter()
        if self.light and self.measure.kind in SQUARED:
            trained = fit.path.training_squared_error()
            left_out = fit.path.left_out_squared_error()
            if trained is not None and left_out is not None:
                return self._read_errors(fit, trained, left_out, start)
        keep = fit.number in self.keep_answers
        sides = _OutOfBagSides(fit) if self.out_of_bag else _FoldSides(fit)
        found = {name: [] for name in ("test", "train", "loss", "own", "answer", "fit")}
        most = max(len(sides.rows), len(sides.train_rows))
        weight = None if self.row_weight is None else self.row_weight[sides.rows]
        for part in fit.path.parts(most):
            test, losses, answer = self._score(
                sides.test(part), fit, sides.test_X, sides.rows, weight, keep, sides
            )
            train, own = self._train_score(part, fit, sides)
            found["test"].append(test)
            found["train"].append(train)
            found["loss"].append(losses)
            found["own"].append(own)
            found["answer"].append(answer)
            found["fit"] += [part.seconds] * part.n_values
        n_values = sum(len(part) for part in found["test"])
        own_times = None not in found["fit"]
        fits = np.full(n_values, fit.seconds / n_values)
        if own_times:
            fits += np.asarray(found["fit"], dtype=np.float64)
        total = time.perf_counter() - start
        spent = np.sum(found["fit"]) if own_times else 0.0
        return DrawScores(
            number=fit.number,
            rows=sides.rows[sides.covered],
            test=np.concatenate(found["test"]),
            train=np.concatenate(found["train"]),
            losses=_joined(found["loss"]),
            train_losses=_joined(found["own"]) if self.out_of_bag else None,
            answers=_joined(found["answer"]),
            fit_seconds=fits,
            score_seconds=np.full(n_values, max(total - spent, 0.0) / n_values),
            family=fit.path.family,
            path=fit.path if self.out_of_bag else None,
            n_fits=n_values if fit.path.family is None else fit.path.n_fits,
        )

    def _read_errors(self, fit, trained, left_out, start):
        """Scores from errors that are known, and the path for later questions."""
        rows, n_values = fit.out_of_bag, fit.path.n_values
        weight = None if self.row_weight is None else self.row_weight[rows]
        test = self.measure.scores_of_losses(left_out, rows, weight)
        train = self.measure.scores_of_losses(trained, fit.rows, fit.weight)
        spent = time.perf_counter() - start
        return DrawScores(
            number=fit.number,
            rows=rows,
            test=test,
            train=train,
            losses=None,
            train_losses=None,
            answers=None,
            fit_seconds=np.full(n_values, fit.seconds / n_values),
            score_seconds=np.full(n_values, spent / n_values),
            family=fit.path.family,
            path=None,
            n_fits=fit.path.n_fits,
            light=fit.path,
        )

    def _score(self, path, fit, X, rows, weight, keep, sides):
        """Scores, row losses and kept answers of a path on some rows."""
        measure = self.measure
        if measure.kind == "model":
            answer = measure.kept(path, fit.given(X)) if keep else None
            scores = [
                measure.measure.call(path.model(i), X, fit.y[rows], weight)
                for i in range(path.n_values)
            ]
            return np.array(scores), None, answer
        response = measure.kept if keep else measure.needed
        answers = response(path, fit.given(X))
        covered = sides.covered
        if not isinstance(covered, slice):
            answers = answers[:, covered]
            rows = rows[covered]
            weight = None if weight is None else weight[covered]
        parts = response.split(answers, measure.n_outputs)
        kept = answers if keep else None
        if not measure.by_rows:
            return measure.scores(parts, fit.X, fit.y, rows, weight), None, kept
        losses = self._known_losses(path, covered)
        if losses is None:
            losses = measure.losses(parts, rows)
        means = _means(losses, weight)
        scores = measure.scores_of_losses(means, rows, weight)
        flat = measure.flat_losses(losses, rows, weight) if self.keep_losses else None
        return scores, flat, kept

    def _known_losses(self, path, covered):
        """Row losses that a path knows better than its answers show, or None."""
        kind = "squared" if self.measure.kind in SQUARED else self.measure.kind
        if kind not in ("squared", "brier"):
            return None
        losses = path.row_losses(kind)
        if losses is None:
            return None
        losses = losses[:, covered]
        if kind == "brier" and len(self.measure.needed.classes[0]) == 2:
            losses = 0.5 * losses  # as scikit-learn has it for two classes
        return losses

    def _train_score(self, part, fit, sides):
        if not self.out_of_bag and self.measure.kind in SQUARED:
            known = part.training_squared_error()
            if known is not None:
                scores = self.measure.scores_of_losses(known, fit.rows, fit.weight)
                return scores, None
        path = sides.train(part)
        scores, losses, _ = self._score(
            path,
            fit,
            sides.train_X,
            sides.train_rows,
            sides.train_weight(self.row_weight),
            False,
            sides.of_training(path),
        )
        return scores, losses


class _FoldSides:
    """Rows left out against rows fitted on."""

    covered = slice(None)

    def __init__(self, fit):
        self.fit = fit
        self.rows = fit.out_of_bag
        self.test_X = take_rows(fit.X, fit.out_of_bag)
        self.train_rows = fit.rows
        self._train_X = None

    @property
    def train_X(self):
        """Training rows, taken when they are asked for: some paths know better."""
        if self._train_X is None:
            self._train_X = take_rows(self.fit.X, self.fit.rows)
        return self._train_X

    def test(self, part):
        return part

    def train(self, part):
        return part.training()

    def train_weight(self, row_weight):
        return self.fit.weight

    def of_training(self, path):
        return _Covered(slice(None) if path.covered is None else path.covered)


class _OutOfBagSides:
    """Training rows answered out of bag against the same rows answered by all."""

    def __init__(self, fit):
        self.rows = self.train_rows = fit.rows
        self.test_X = self.train_X = (
            fit.X
            if len(fit.rows) == n_rows_of(fit.X)
            and (fit.rows == np.arange(len(fit.rows))).all()
            else take_rows(fit.X, fit.rows)
        )
        training = fit.path.training()
        if training is fit.path:
            raise ValueError(
                "No row was left out by a member, so nothing can be scored out of bag. "
                "Set `cv` to a number of folds, or let members leave rows out."
            )
        covered = training.covered
        self.covered = slice(None) if covered is None else covered

    def test(self, part):
        return part.training()

    def train(self, part):
        return part

    def train_weight(self, row_weight):
        return None if row_weight is None else row_weight[self.train_rows]

    def of_training(self, path):
        return self


@dataclass(frozen=True, eq=False)
class _Covered:
    covered: object


def _means(losses, weight):
    """Mean losses over rows, (n_values, n_outputs)."""
    if weight is None:
        return losses.mean(axis=1)
    return np.einsum("mno,n->mo", losses, weight) / weight.sum()


def _joined(parts):
    if not parts or parts[0] is None:
        return None
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
