"""A picture of the curve that a penalty strength was chosen from."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from genestimators._plotting import axis_name, new_axes, place_values

_CROWDED = 60  # from so many values on there are no markers


class RegularizationDisplay:
    """Training and validation curves, the admissible values, the choice and its gap.

    Make it by `from_estimator`.

    Parameters
    ----------
    param : str
        Name of the parameter.
    values : ndarray of shape (n_values,)
        Its values.
    test, train : ndarray of shape (n_values,)
        Mean validation and training scores.
    band : ndarray of shape (n_values,)
        Paired standard errors of the differences to the best validation score.
    admissible : ndarray of shape (n_values,), bool
        What the rule picked from.
    chosen, best : int
        Positions of the chosen value and of that with the best validation score.
    direction : {"larger", "smaller"} or None
        Which values penalise more.
    score_name : str
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.
    train_line_, test_line_ : matplotlib Line2D
        The curves.
    band_ : matplotlib collection or None
        The band of paired standard errors, if they are known.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from genestimators import AutoRegularizedCV, RegularizationDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AutoRegularizedCV(Ridge(), random_state=0).fit(X, y)
    >>> display = RegularizationDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        param,
        values,
        test,
        train,
        band,
        admissible,
        chosen,
        best,
        direction=None,
        score_name="score",
    ):
        self.param = param
        self.values = values
        self.test = test
        self.train = train
        self.band = band
        self.admissible = admissible
        self.chosen = chosen
        self.best = best
        self.direction = direction
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, score_name=None):
        """Draw the curve of a fitted `AutoRegularizedCV`.

        Parameters
        ----------
        estimator : AutoRegularizedCV
            Fitted.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        score_name : str, default=None
            What the scores are; None takes it from `scoring`.

        Returns
        -------
        display : RegularizationDisplay
        """
        if not hasattr(estimator, "fit") or isinstance(estimator, type):
            raise TypeError(
                f"`estimator` must be a fitted AutoRegularizedCV. Got {estimator!r}."
            )
        check_is_fitted(estimator)
        if not hasattr(estimator, "choice_"):
            raise TypeError(
                f"`estimator` must be a fitted AutoRegularizedCV. Got {estimator!r}."
            )
        results = estimator.cv_results_
        if score_name is None:
            scoring = estimator.scoring
            score_name = scoring if isinstance(scoring, str) else "score"
        best = list(estimator.values_).index(estimator.choice_.best_value)
        display = cls(
            param=estimator.param_,
            values=estimator.values_,
            test=results["mean_test_score"],
            train=results["mean_train_score"],
            band=results["paired_std_error"],
            admissible=results["admissible"],
            chosen=estimator.best_index_,
            best=best,
            direction=estimator.direction_,
            score_name=score_name,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : RegularizationDisplay
            Itself.
        """
        ax = new_axes(ax, type(self).__name__)
        x, order = place_values(ax, self.values)
        train, test, band = self.train[order], self.test[order], self.band[order]
        marker = "." if len(x) < _CROWDED else None
        (self.train_line_,) = ax.plot(
            x, train, color="C1", linestyle="--", marker=marker, label="training"
        )
        (self.test_line_,) = ax.plot(
            x, test, color="C0", marker=marker, label="validation"
        )
        self.band_ = None
        if not np.isnan(band).all():
            self.band_ = ax.fill_between(
                x,
                test - band,
                test + band,
                color="C0",
                alpha=0.2,
                linewidth=0,
                label="paired standard error to the best",
            )
        admissible = self.admissible[order]
        if admissible.sum() > 1:
            ax.scatter(
                x[admissible],
                test[admissible],
                s=60,
                facecolors="none",
                edgecolors="C0",
                zorder=3,
                label="admissible",
            )
        at = int(np.flatnonzero(order == self.chosen)[0])
        ax.vlines(x[at], test[at], train[at], color="0.3", linewidth=1.5, label="gap")
        ax.scatter(
            x[at], test[at], marker="*", s=180, color="C3", zorder=4, label="chosen"
        )
        if self.best != self.chosen:
            place = int(np.flatnonzero(order == self.best)[0])
            ax.scatter(
                x[place],
                test[place],
                marker="x",
                s=60,
                color="0.2",
                zorder=4,
                label="best validation score",
            )
        ax.set_ylabel(self.score_name)
        ax.set_xlabel(axis_name(self.param, self.direction))
        ax.legend(fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self
