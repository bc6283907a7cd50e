"""The classic picture: bias^2 + noise, variance and their sum."""

from dataclasses import replace

import numpy as np

from genestimators._inputs import take_rows
from genestimators._plotting import axis_name, new_axes, place_values
from genestimators.diagnostics.decomposition._figures import Figures, run
from genestimators.diagnostics.decomposition._losses import NAMES
from genestimators.diagnostics.decomposition._pair_plan import plan_pairs
from genestimators.diagnostics.decomposition._pairs import Pairs
from genestimators.regularization._values import find_candidates, thinned

MOST_VALUES = 40  # of an automatic range


class BiasVarianceDisplay:
    """Bias^2 + noise, variance and total against complexity or the number of rows.

    Make it by `from_estimator` or `from_decomposition`. Bands are two standard errors
    wide to each side, over other rows and other subsamples; they say how well a curve
    is known, while differences along a curve are known better.

    Parameters
    ----------
    x : sequence of float or None, of shape (n_values,)
        Values of the parameter, or numbers of training rows.
    variance, bias_and_noise, total : ndarray of shape (n_values,)
        Expected losses.
    std_errors : dict of ndarray of shape (n_values,)
        Of the three.
    x_name : str
        What the values are.
    loss_name : str
        What the loss is.
    marked : int or None
        Position of the least total, or of what was extrapolated.
    mark : str
        What is marked.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.
    lines_ : dict of matplotlib Line2D
        The three curves, by name.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from genestimators import BiasVarianceDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> display = BiasVarianceDisplay.from_estimator(
    ...     Ridge(), X, y, random_state=0
    ... )  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        x,
        variance,
        bias_and_noise,
        total,
        std_errors,
        x_name,
        loss_name="loss",
        marked=None,
        mark="",
    ):
        self.x = x
        self.variance = variance
        self.bias_and_noise = bias_and_noise
        self.total = total
        self.std_errors = std_errors
        self.x_name = x_name
        self.loss_name = loss_name
        self.marked = marked
        self.mark = mark

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        param="auto",
        values="auto",
        loss="auto",
        sizes="auto",
        n_pairs="auto",
        tolerance=0.02,
        groups=None,
        sample_weight=None,
        params=None,
        n_jobs=None,
        random_state=None,
        ax=None,
    ):
        """Draw the parts of the expected loss over the values of a parameter.

        Where the estimator has a path over the parameter (a ridge penalty, a tree's
        pruning, a number of neighbours), all values cost about the fits of one.

        Parameters
        ----------
        estimator, X, y, loss, sizes, n_pairs, tolerance, groups, sample_weight, params
            See :func:`bias_variance_decomposition`.
        param : str, default="auto"
            The parameter, in the notation of `set_params`; "auto" is the penalty that
            :class:`AutoRegularizedCV` would choose the strength of.
        values : "auto" or sequence of numbers, default="auto"
            Its values; "auto" is a range from the data, of at most forty.
        n_jobs, random_state
            See :func:`bias_variance_decomposition`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : BiasVarianceDisplay
        """
        plan = plan_pairs(
            "BiasVarianceDisplay.from_estimator",
            estimator,
            X,
            y,
            loss=loss,
            sizes=sizes,
            n_pairs=n_pairs,
            tolerance=tolerance,
            groups=groups,
            sample_weight=sample_weight,
            params=params,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        candidates = _candidates(plan, param, values)
        plan = replace(plan, param=candidates.param, values=candidates.as_list())
        pairs = Pairs(plan)
        run(pairs, n_pairs, tolerance)
        figures = Figures.of(pairs)
        total = figures.value["total"]
        return cls(
            x=candidates.as_list(),
            **{name: figures.value[name] for name in _DRAWN},
            std_errors={name: figures.error[name] for name in _DRAWN},
            x_name=axis_name(candidates.param, candidates.direction),
            loss_name=NAMES[plan.loss.name],
            marked=int(np.nanargmin(total)),
            mark="least total",
        ).plot(ax=ax)

    @classmethod
    def from_decomposition(cls, decomposition, *, ax=None):
        """Draw the parts against the number of training rows.

        Parameters
        ----------
        decomposition : BiasVarianceDecomposition
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : BiasVarianceDisplay
        """
        found = decomposition
        at_sizes = {
            "variance": found.variance_at_sizes,
            "bias_and_noise": found.bias_and_noise_at_sizes,
        }
        at_sizes["total"] = at_sizes["variance"] + at_sizes["bias_and_noise"]
        errors = dict(found.std_errors_at_sizes)
        errors["total"] = np.hypot(errors["variance"], errors["bias_and_noise"])
        return cls(
            x=[*found.sizes, found.n_samples],
            **{
                name: np.append(one, getattr(found, name))
                for name, one in at_sizes.items()
            },
            std_errors={
                name: np.append(one, found.std_errors[name])
                for name, one in errors.items()
            },
            x_name="training rows",
            loss_name=NAMES[found.loss],
            marked=len(found.sizes),
            mark="extrapolated to all rows",
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : BiasVarianceDisplay
            Itself.
        """
        ax = new_axes(ax, type(self).__name__)
        x, order = place_values(ax, self.x)
        self.lines_ = {}
        for name, (label, color, style) in _DRAWN.items():
            value = getattr(self, name)[order]
            error = 2 * np.nan_to_num(self.std_errors[name][order])
            (self.lines_[name],) = ax.plot(
                x, value, style, color=color, label=label, marker="."
            )
            ax.fill_between(
                x, value - error, value + error, color=color, alpha=0.15, linewidth=0
            )
        if self.marked is not None:
            at = x[np.flatnonzero(order == self.marked)[0]]
            ax.axvline(at, color="0.4", linewidth=0.8, linestyle=":")
            ax.scatter(
                at, self.total[self.marked], marker="*", s=180, color="C3", zorder=4,
                label=self.mark,
            )  # fmt: skip
        ax.set_ylim(bottom=min(0.0, float(np.nanmin(self.variance))))
        ax.set_xlabel(self.x_name)
        ax.set_ylabel(f"expected {self.loss_name}")
        ax.legend(fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _candidates(plan, param, values):
    """Values of the parameter; those of an automatic range suit the least models."""
    problem = plan.problem
    rows = plan.draws(plan.fractions[0])[0].rows
    weight = None if problem.weight is None else np.ones(len(rows))
    taken = take_rows(problem.X, rows), problem.y[rows], weight
    candidates = find_candidates(problem.estimator, param, values, *taken)
    if candidates.automatic and len(candidates.values) > MOST_VALUES:
        return candidates.with_values(thinned(candidates.values, MOST_VALUES))
    return candidates


_DRAWN = {
    "total": ("total", "0.2", "-"),
    "bias_and_noise": ("bias² + noise", "C0", "--"),
    "variance": ("variance", "C1", "-."),
}
