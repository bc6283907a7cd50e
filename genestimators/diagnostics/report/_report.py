"""Everything a user asks before production, from one set of fits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genestimators._exceptions import LearningCurveWarning, warn_user
from genestimators._params import (
    CONFIDENCE_LEVEL,
    Interval,
    Options,
    check_arguments,
)
from genestimators._results import Result, plain
from genestimators.diagnostics._copies import warn_of_copies
from genestimators.diagnostics.decomposition._bias_variance import decomposition_of
from genestimators.diagnostics.decomposition._decomposition import (
    BiasVarianceDecomposition,
)
from genestimators.diagnostics.decomposition._losses import NAMES
from genestimators.diagnostics.decomposition._pair_plan import plan_pairs
from genestimators.diagnostics.error._generalization_error import result_of
from genestimators.diagnostics.error._result import GeneralizationError
from genestimators.diagnostics.error._subsampling import estimate_from
from genestimators.diagnostics.report._evidence import gather
from genestimators.diagnostics.report._gains import (
    LossCurve,
    loss_curve,
    of_averaging,
    of_penalty,
    over_constant,
    remedied,
)
from genestimators.diagnostics.report._verdict import number, verdict_of

OWNER = "generalization_report"
N_REPEATS = 5

_CONSTRAINTS = {
    "n_repeats": [Options("auto"), Interval(int, 2)],
    "confidence_level": CONFIDENCE_LEVEL,
    "worthwhile": [Interval(float, 0.0, 1.0)],
}


@dataclass(frozen=True, eq=False)
class GeneralizationReport(Result):
    """How well a model will do, why not better, and what would help.

    Attributes
    ----------
    verdict : tuple of Statement
        What was tested: first whether the model beats a constant, then remedies, those
        that are worth it first, then what is good to know.
    first_remedy : Statement or None
        The first that is worth it; None where none is.
    loss_name : str
    loss : float
        Expected on new rows.
    loss_interval : tuple of float
    training_loss : float
    error : GeneralizationError
        The same as a score.
    decomposition : BiasVarianceDecomposition
    curve : LossCurve
        Loss against the number of training rows.
    confidence_level : float
    estimator : str
    n_samples : int
    n_fits : int
    """

    verdict: tuple
    first_remedy: object
    loss_name: str
    loss: float
    loss_interval: tuple
    training_loss: float
    error: GeneralizationError
    decomposition: BiasVarianceDecomposition
    curve: LossCurve
    confidence_level: float
    estimator: str
    n_samples: int
    n_fits: int

    def __str__(self):
        marks = ["!" if one.worthwhile else "-" for one in self.verdict]
        return "\n".join(
            [
                self.headline(),
                *(
                    f"{mark} {one}"
                    for mark, one in zip(marks, self.verdict, strict=True)
                ),
                self.advice(),
            ]
        )

    def headline(self):
        """The loss to expect, in a sentence."""
        low, high = self.loss_interval
        return (
            f"Expected {NAMES[self.loss_name]} on new rows: {number(self.loss)} "
            f"({number(low)} to {number(high)} at {self.confidence_level:.0%} "
            f"confidence), from {self.n_samples} rows and {self.n_fits} fits."
        )

    def advice(self):
        """What to do first, in a sentence."""
        if self.first_remedy is None:
            return "Nothing that was tried here is worth it."
        first = self.first_remedy
        gain = f" That should take {number(first.predicted_gain)} off the loss."
        return f"First: {first.remedy}{gain if first.kind != 'signal' else ''}"

    def to_dict(self):
        """The fields as plain numbers, texts, lists and dicts.

        Returns
        -------
        fields : dict
        """
        out = {
            name: getattr(self, name)
            for name in (
                "loss_name", "loss", "loss_interval", "training_loss",
                "confidence_level", "estimator", "n_samples", "n_fits",
            )
        }  # fmt: skip
        out["verdict"] = [vars(one).copy() for one in self.verdict]
        first = self.first_remedy
        out["first_remedy"] = None if first is None else first.kind
        out["error"] = self.error.to_dict()
        out["decomposition"] = self.decomposition.to_dict()
        out["curve"] = {
            name: getattr(self.curve, name)
            for name in ("sizes", "losses", "std_errors")
        }
        return plain(out)

    def to_html(self, path=None):
        """Write the report as one page that needs nothing else.

        Parameters
        ----------
        path : str or path, default=None
            Where to; None only returns the page.

        Returns
        -------
        page : str
            HTML with its styles and pictures inside.
        """
        from genestimators.diagnostics.report._html import page_of

        page = page_of(self)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def plot(self, *, ax=None):
        """Draw both parts of the loss against the number of training rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : BiasVarianceDisplay
        """
        return self.decomposition.plot(ax=ax)


def generalization_report(
    estimator,
    X,
    y,
    *,
    loss="auto",
    worthwhile=0.02,
    n_repeats="auto",
    confidence_level=0.95,
    groups=None,
    sample_weight=None,
    params=None,
    n_jobs=None,
    random_state=None,
):
    """Say how well a model will do, why not better, and what would help.

    About 270 fits serve everything: the loss to expect, its parts by bias and variance,
    a learning curve, and what averaging, another penalty or more rows would bring, each
    with an interval and a p-value. A gap between training and test is never called a
    fault by itself.

    Parameters
    ----------
    estimator : estimator
        It is cloned, never fitted itself.
    X : array, sparse matrix or frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Classes in one output, or numbers in any number of them.
    loss : {"auto", "squared_error", "brier", "log_loss", "zero_one"}, default="auto"
        "auto" is squared error for regressors, the Brier score for classifiers with
        probabilities, and the 0-1 loss for others.
    worthwhile : float, default=0.02
        A gain of a smaller share of the expected loss is said to be not worth it.
    n_repeats : int or "auto", default="auto"
        How much work to do: times ten folds, ten halves, and five pairs of subsamples
        of each of two sizes. "auto" is 5.
    confidence_level : float, default=0.95
        Of all intervals.
    groups : array-like of shape (n_samples,), default=None
        Rows of a group are never split, and figures are for new groups.
    sample_weight : array-like of shape (n_samples,), default=None
        In fits and losses.
    params : dict, default=None
        Further arguments of `fit`.
    n_jobs : int, default=None
        Fits run in parallel.
    random_state : int, RandomState instance or None, default=None
        Of subsamples and of the learner.

    Returns
    -------
    report : GeneralizationReport

    Raises
    ------
    ValueError
        If there are too few rows, rows of a class or groups, the target is constant, or
        the loss does not go with the estimator.

    Warns
    -----
    LearningCurveWarning
        If the loss rises with the number of rows.

    See Also
    --------
    generalization_error : The error alone, by several methods and for any score.
    bias_variance_decomposition : The decomposition alone.

    Notes
    -----
    What averaging brings is the loss expected of one model less that of the mean of
    the models fitted on the halves without a row: a bag of subsamples, tested out of
    bag. What a penalty brings is known where a family fits all its values at once; the
    value is chosen anew on resampled rows and tested on the others [1]_. What more rows
    bring is read off a power law through the losses at four sizes [2]_. Confidence
    intervals of gains leave out that the data to learn from are a sample, but for the
    comparison with a constant and the curve.

    References
    ----------
    .. [1] Tsamardinos, I., Greasidou, E. & Borboudakis, G. (2018). Bootstrapping the
       out-of-sample predictions for efficient and accurate cross-validation. Machine
       Learning 107, 1895-1922.
    .. [2] Viering, T. & Loog, M. (2023). The shape of learning curves: a review. IEEE
       Transactions on Pattern Analysis and Machine Intelligence 45, 7799-7819.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from genestimators import generalization_report
    >>> X, y = load_diabetes(return_X_y=True)
    >>> report = generalization_report(
    ...     DecisionTreeRegressor(), X, y, n_repeats=2, random_state=0
    ... )
    >>> report.first_remedy.piece
    'BootstrapBaggingRegressor'
    """
    check_arguments(
        OWNER,
        _CONSTRAINTS,
        n_repeats=n_repeats,
        confidence_level=confidence_level,
        worthwhile=worthwhile,
    )
    plan = plan_pairs(
        OWNER,
        estimator,
        X,
        y,
        loss=loss,
        sizes="auto",
        n_pairs="auto",
        tolerance=0.02,
        groups=groups,
        sample_weight=sample_weight,
        params=params,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    warn_of_copies(plan.problem)
    n_repeats = N_REPEATS if n_repeats == "auto" else n_repeats
    evidence = gather(plan, confidence_level, n_repeats)
    return _report(evidence, plan, worthwhile)


def _report(evidence, plan, worthwhile):
    question = evidence.question
    estimate = estimate_from(question, evidence.whole, evidence.half)
    error = result_of(question, "subsampling", estimate)
    loss = question.loss_of(error.score)
    decomposition = decomposition_of(evidence.pairs)
    curve = loss_curve(evidence)
    _warn_of_rises(curve)
    penalty = of_penalty(evidence)
    share = decomposition.variance_share
    reach = 2 * decomposition.std_errors["variance_share"]
    known = np.isfinite(reach)
    figures = {
        "signal": over_constant(evidence),
        "constant": float(question.shares @ evidence.constant),
        "averaging": of_averaging(evidence, loss),
        "penalty": penalty,
        "remedied": remedied(evidence, penalty),
        "rows": curve.doubling(question.level, loss),
        "variance_share": (
            share,
            (max(share - reach, 0.0), min(share + reach, 1.0)) if known else None,
        ),
        "training": question.loss_of(error.training_score),
    }
    verdict = verdict_of(
        figures,
        classifier=plan.problem.classifier,
        loss=loss,
        worthwhile=worthwhile,
        name=plan.loss.name,
    )
    first = next((one for one in verdict if one.worthwhile), None)
    low, high = error.interval
    return GeneralizationReport(
        verdict=verdict,
        first_remedy=first,
        loss_name=plan.loss.name,
        loss=loss,
        loss_interval=(question.loss_of(high), question.loss_of(low)),
        training_loss=figures["training"],
        error=error,
        decomposition=decomposition,
        curve=curve,
        confidence_level=question.level,
        estimator=" ".join(str(plan.problem.estimator).split()),
        n_samples=len(question.used),
        n_fits=error.n_fits + decomposition.n_fits,
    )


def _warn_of_rises(curve):
    steps = np.diff(curve.losses)
    error = np.hypot(curve.std_errors[1:], curve.std_errors[:-1])
    if (steps > 2 * error).any():
        losses = ", ".join(f"{one:.4g}" for one in curve.losses)
        warn_user(
            f"The loss rises with the number of training rows ({losses}), so what is "
            "said of all rows and of twice as many may be far off.",
            LearningCurveWarning,
        )
