"""A bag of infinitely many members, where their mean has a formula."""

import math

import numpy as np

from genestimators._compat import callback_context
from genestimators.bagging._members import LimitMembers
from genestimators.bagging._out_of_bag import OutOfBagSums
from genestimators.bagging._tally import targets_of
from genestimators.fitting import fit_limit


class LimitSums(OutOfBagSums):
    """Losses of infinitely many members on rows that they have not seen.

    It stands for the sums over members, and needs no correction for their number.

    Parameters
    ----------
    targets, outputs
        As in `OutOfBagSums`.
    answer : ndarray of shape (n, width)
        Means over the members that left a row out; NaN where none does.
    variance : ndarray of shape (n, n_outputs)
        Of one member among those.
    """

    def __init__(self, targets, outputs, answer, variance):
        super().__init__(targets, outputs)
        self.times[:] = ~np.isnan(answer[:, 0])
        self.total = answer
        self.variance = variance

    def correctable(self):
        return self.times > 0

    def member_loss(self):
        return self.mean_loss() + self.variance

    def limit_loss(self):
        return self.mean_loss()


class LimitTally:
    """What a tally of infinitely many members would tell.

    Parameters
    ----------
    plan : dict
        Of the fit.
    answers : TrainingAnswers
    """

    busy = False
    n_added = math.inf

    def __init__(self, plan, answers):
        targets, outputs = targets_of(
            plan["y"], plan["response"], plan["draws"].row_order()
        )
        self.rows = LimitSums(targets, outputs, answers.left_out, answers.variance)
        self._answers = answers.left_out, answers.every

    def answers(self):
        """Answers for the rows: out of bag (NaN if never), and of all."""
        return self._answers


def limit_parts(bag, plan, figures):
    """Members, their features and the tally of a bag of infinitely many, or None.

    Parameters
    ----------
    bag : BaseBootstrapBagging
    plan : dict
        Of the fit.
    figures : bool
        Whether figures on the training rows are wanted.
    """
    if bag.engine != "auto" or bag.n_estimators != "auto" or bag.warm_start:
        return None
    if bag.aggregate != "mean" or plan["features"] is not None or plan["fit_params"]:
        return None
    X, y, draws = plan["X"], plan["y"], plan["draws"]
    classes = plan["response"].classes
    path = fit_limit(plan["estimator"], X, y, draws, classes=classes)
    if path is None:
        return None
    context = callback_context(bag, None)
    context.call_on_fit_task_begin(estimator=bag, X=X, y=y)
    tally = LimitTally(plan, path.training_answers(draws)) if figures else None
    context.call_on_fit_task_end(estimator=bag, X=X, y=y)
    return LimitMembers(path, draws), [], tally
