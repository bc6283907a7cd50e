"""Which pairs of models are fitted, from checked arguments."""

from dataclasses import dataclass

from genestimators._params import Interval, Options, check_arguments
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._sizes import check_sizes
from genestimators.diagnostics.decomposition._losses import LOSSES, resolve_loss
from genestimators.resampling import GroupSubsample, Subsample
from genestimators.resampling._hashing import derive

_CONSTRAINTS = {
    "loss": [Options("auto", *LOSSES)],
    "n_pairs": [Interval(int, 2), Options("auto")],
    "tolerance": [Interval(float, 0.0, open_low=True)],
}


@dataclass(frozen=True, eq=False)
class PairPlan:
    """Which pairs of models are fitted, and what for.

    Attributes
    ----------
    problem : Problem
    loss : Loss
    fractions : tuple of float
        Shares of the rows (or groups) in each model, increasing.
    param : str or None
    values : sequence or None
        Each pair is fitted at all of them.
    """

    problem: object
    loss: object
    fractions: tuple
    param: str | None = None
    values: object = None

    @property
    def n_values(self):
        return 1 if self.param is None else len(self.values)

    def draws(self, fraction):
        """Disjoint pairs of subsamples; those of a smaller fraction lie within.

        Classes are not stratified: subsamples of equal composition would tell nothing
        of how data differ in it, nor of what that does to a model.
        """
        problem = self.problem
        if problem.groups is None:
            kind = Subsample(fraction, complementary_pairs=True, stratify=False)
        else:
            kind = GroupSubsample(fraction, complementary_pairs=True)
        draws = kind.prepare(
            problem.X,
            problem.y,
            problem.weight,
            problem.groups,
            derive(problem.seed, "pairs"),
            classifier=problem.classifier,
            weight_mode="importance",
        )
        return draws.balance()


def plan_pairs(owner, estimator, X, y, *, loss, sizes, n_pairs, tolerance, **told):
    """The plan for the arguments of `bias_variance_decomposition`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not do.
    """
    check_arguments(
        owner, _CONSTRAINTS, loss=loss, n_pairs=n_pairs, tolerance=tolerance
    )
    problem = make_problem(owner, estimator, X, y, **told)
    loss = resolve_loss(loss, problem)
    return PairPlan(problem, loss, check_sizes(sizes, problem))
