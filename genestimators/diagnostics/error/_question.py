"""What every way to estimate an error is asked, and the losses of rows it reads."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genestimators._inputs import take_rows
from genestimators._row_losses import RELATIVE, constant_losses, mean_over_rows
from genestimators._scoring import one_number
from genestimators.diagnostics._problem import Problem
from genestimators.diagnostics._split_scores import score_model, stratifies
from genestimators.fitting import fit_over
from genestimators.regularization._measure import CandidateMeasure
from genestimators.resampling import Folds, RepeatedFolds, Subsample
from genestimators.resampling._hashing import derive


@dataclass(frozen=True, eq=False)
class Question:
    """A learner, its data and a score, whose value on new rows is asked for.

    Attributes
    ----------
    problem : Problem
    measure : CandidateMeasure
    scorer : callable
        Of scikit-learn, for the same score.
    scoring : None, str or callable
    level : float
        Confidence.
    cv : int, splitter, iterable or None
    n_repeats : int or None
        None is up to the method.
    """

    problem: Problem
    measure: CandidateMeasure
    scorer: object
    scoring: object
    level: float
    cv: object = None
    n_repeats: int | None = None

    @property
    def by_rows(self):
        """Whether the score is minus (or one less) a mean of losses of rows.

        A root is one, of a single output.
        """
        several = self.measure.kind == "root" and self.measure.n_outputs > 1
        return self.measure.by_rows and not several

    @cached_property
    def used(self):
        """Rows of positive weight, in an order that goes by their content.

        So sums have the same bits in whatever order the rows come.
        """
        problem = self.problem
        draws = Subsample().prepare(
            problem.X,
            problem.y,
            problem.weight,
            problem.groups,
            weight_mode="importance",
        )
        return draws.row_order().astype(np.intp)

    @cached_property
    def place(self):
        """The place of each row in `used`, -1 of those of no weight."""
        place = np.full(self.problem.n_rows, -1)
        place[self.used] = np.arange(len(self.used))
        return place

    @cached_property
    def units(self):
        """Which unit each of the rows in `used` belongs to: a row, or a group."""
        if self.problem.groups is None:
            return np.arange(len(self.used))
        groups = self.problem.groups[self.used]
        return np.unique(groups, return_inverse=True)[1]

    @property
    def n_units(self):
        return int(self.units.max()) + 1

    @cached_property
    def effective_units(self):
        """How many units of equal weight would tell as much."""
        return float(1 / (self.unit_sums(self.shares) ** 2).sum())

    @cached_property
    def shares(self):
        """Weights of the rows in `used`, adding up to one."""
        weight = self.problem.weights[self.used]
        return weight / weight.sum()

    def unit_sums(self, values):
        """Sums over the rows of each unit of values (n_used,)."""
        return np.bincount(self.units, values, minlength=self.n_units)

    @cached_property
    def _spread(self):
        """Losses of a constant that R2 and D2 compare with, (n_used, n_outputs)."""
        measure = self.measure
        return constant_losses(
            measure.kind,
            measure.targets[self.used],
            self.problem.weights[self.used],
            measure.power,
        )

    @cached_property
    def scale(self):
        """What losses of each output are multiplied by before they are added up.

        Raises
        ------
        ValueError
            If an output is constant, and the score compares with a constant.
        """
        n_outputs = self.measure.n_outputs
        if self.measure.kind in ("accuracy", "log", "brier"):
            n_outputs = 1
        if self.measure.kind not in RELATIVE:
            return np.full(n_outputs, 1 / n_outputs)
        baseline = mean_over_rows(self._spread, self.shares)
        constant = np.ptp(self.measure.targets[self.used], axis=0) == 0
        if constant.any():
            raise ValueError(
                f"{self.problem.owner} scores by {self.measure.kind.upper()}, which "
                "compares with a constant, and an output is constant. Got a single "
                f"value in output {int(np.flatnonzero(constant)[0])}; leave it out, or "
                'set `scoring="neg_mean_squared_error"`.'
            )
        return 1 / (n_outputs * baseline)

    def deviations(self, losses):
        """How far each row is from the mean, as much as it moves the mean loss.

        Parameters
        ----------
        losses : ndarray of shape (n_used, n_outputs)

        Returns
        -------
        deviations : ndarray of shape (n_used,)
            With weighted mean zero; for R2 and D2 the baseline moves too.
        """
        centred = losses - self.shares @ losses
        if self.measure.kind in RELATIVE:
            mean = self.shares @ losses * self.scale
            baseline = self._spread - self.shares @ self._spread
            # The loss over the baseline, to first order.
            centred = centred - mean * len(self.scale) * baseline
        return centred @ self.scale

    def score_of(self, loss):
        """The score that a scaled mean loss is."""
        if self.measure.kind == "root":
            return -float(np.sqrt(loss))
        return self.measure.best - float(loss)

    def loss_of(self, score):
        """The scaled mean loss that a score is."""
        if self.measure.kind == "root":
            return float(score) ** 2
        return self.measure.best - float(score)

    def folds(self, n_folds):
        """Folds of rows, or of groups, dealt anew in every repeat.

        Not by class where scores are mean losses: parts of equal composition would tell
        nothing of how data differ in it, and flatter a learner that predicts little
        else.
        """
        problem = self.problem
        return RepeatedFolds(n_folds).prepare(
            problem.X,
            problem.y,
            problem.weight,
            problem.groups,
            derive(problem.seed, "folds"),
            classifier=stratifies(problem, self.measure),
        )

    def read(self, draws, numbers, *, noun="split"):
        """Losses of the rows that draws leave out.

        Parameters
        ----------
        draws : Draws
        numbers : range
        noun : str

        Yields
        ------
        draw : Draw
        places : ndarray of shape (n_out_of_bag,), int
            Increasing places in `used` of the rows left out.
        losses : ndarray of shape (n_out_of_bag, n_outputs)
        """
        for draw, places, parts in self.answers(draws, numbers, noun=noun):
            yield draw, places, self.losses(parts, places, noun)[0]

    def losses(self, parts, places, noun):
        """Losses of answers, (n_values, n, n_outputs).

        Raises
        ------
        ValueError
            If some are not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            found = self.measure.losses(parts, self.used[places])
        if not np.isfinite(found).all():
            worst = found[~np.isfinite(found)][0]
            raise ValueError(
                f"{self.problem.owner} needs finite losses. Got {worst} for a row left "
                f"out of a {noun}; see whether the model predicts NaN or infinity, or "
                "scale a huge target down."
            )
        return found

    def answers(self, draws, numbers, *, noun, **settings):
        """The same with what models answer, a dict of (n_values, n_out_of_bag, width).

        Parameters
        ----------
        **settings
            `param` and `values` of `fit_over`.
        """
        for fitted in self._fit(draws, numbers, noun=noun, models=False, **settings):
            places = self.place[fitted.draw.out_of_bag]
            order = np.argsort(places)
            answers = fitted.predictions[:, order]
            parts = self.measure.needed.split(answers, self.measure.n_outputs)
            yield fitted.draw, places[order], parts

    @cached_property
    def training(self):
        """The fit on all rows, with what `fits` asks of it."""
        problem = self.problem
        everything = [(self.used, np.empty(0, dtype=np.intp))]
        draws = Folds(everything).prepare(
            problem.X, problem.y, problem.weight, classifier=problem.classifier
        )
        (fitted,) = self.fits(draws, range(1), noun="fit on all rows")
        return fitted

    def training_score(self):
        """The score of a fit on all rows on those same rows."""
        return self.score_on(self.training, self.used)

    def fits(self, draws, numbers, *, noun):
        """Fits that can be scored on any rows: models, or answers for all rows."""
        by_model = self.measure.kind == "model"
        answer = "none" if by_model else "all"
        return self._fit(draws, numbers, answer=answer, models=by_model, noun=noun)

    def parts(self, fitted, rows):
        """Answers of one of the `fits` for some rows, by kind."""
        answers = fitted.responses[:, rows]
        return self.measure.needed.split(answers, self.measure.n_outputs)

    def score_on(self, fitted, rows):
        """The score of one of the `fits` on some rows.

        Parameters
        ----------
        fitted : FittedDraw
        rows : ndarray of int
            A row may come several times.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            If the scorer gives several.
        """
        problem, measure = self.problem, self.measure
        weight = None if problem.weight is None else problem.weight[rows]
        if measure.kind == "model":
            told = take_rows(problem.X, rows), problem.y[rows], weight
            found = score_model(measure, self.scorer, fitted.model(), *told)
        else:
            told = {"rows": rows, "y": problem.y, "weight": weight}
            found = measure.scores(self.parts(fitted, rows), problem.X, **told)[0]
        if isinstance(found, dict):
            raise ValueError(
                f"{problem.owner} goes by one score, and the scorer gives several. Got "
                f"{sorted(found)!r}; pass a scorer of one of them."
            )
        return one_number(found, self.scorer)

    def _fit(self, draws, numbers, *, noun, **settings):
        problem = self.problem
        return fit_over(
            problem.estimator,
            problem.X,
            problem.y,
            draws,
            numbers,
            response=self.measure.needed,
            ensembles=draws.limit is None,
            seed=derive(problem.seed, "models", noun),
            noun=noun,
            **settings,
            **problem.settings(),
        )
