"""Training and test score against the number of rows, and the gap between them."""

from genestimators._params import (
    CONFIDENCE_LEVEL,
    SCORING,
    Interval,
    check_arguments,
)
from genestimators._plotting import new_axes, place_values, pyplot
from genestimators.diagnostics._problem import make_problem
from genestimators.diagnostics._sizes import check_train_sizes
from genestimators.diagnostics._split_scores import score_name
from genestimators.diagnostics.curves._gap import (
    gap_interval,
    in_words,
    interpolates,
    mean_interval,
    perfect_score,
)
from genestimators.diagnostics.curves._nested_scores import nested_scores
from genestimators.diagnostics.error._generalization_error import ask

_CONSTRAINTS = {
    "scoring": SCORING,
    "n_splits": [Interval(int, 3)],
    "confidence_level": CONFIDENCE_LEVEL,
}
_DRAWN = {  # name: (label, color, style)
    "train": ("training rows", "C1", "--"),
    "test": ("rows left out", "C0", "-"),
}


class GeneralizationGapDisplay:
    """Score on training rows and on rows left out, and how sure the gap is.

    Make it by `from_estimator`. It shows how a score comes with the number of training
    rows, and whether the gap to the training score closes. A gap alone is no fault: a
    forest that knows its rows by heart has a large one, and may be the best there is.
    Compare models by their scores on rows left out (:func:`compare_models`), and ask
    :func:`generalization_report` what would help.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
        Rows in training, increasing.
    train_scores, test_scores : ndarray of shape (n_sizes, n_splits)
        Scores on the rows of a fit, and on rows left out; greater is better.
    n_samples : int
        All rows.
    test_ratio : float
        Rows tested on over rows learned from, at the largest size.
    confidence_level : float, default=0.95
        Of the bands and of the gap's interval.
    score_name : str, default="score"
        What the scores are.
    best_score : float, default=None
        The score of perfect predictions; None where it is not known.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        As given, as are the other parameters.
    train_scores, test_scores : ndarray of shape (n_sizes, n_splits)
        The scores of every fit.
    gap : float
        Mean training score less mean test score at the largest size.
    gap_interval : tuple of float
        Its confidence limits.
    interpolates : bool
        Whether the training score at the largest size is as good as perfect, which
        says nothing: the learner knows its rows by heart.
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.
    lines_ : dict of matplotlib Line2D
        The mean scores, "train" and "test".
    bands_ : dict of matplotlib collection
        Their confidence bands.
    area_ : matplotlib collection
        The gap.

    See Also
    --------
    learning_curve_forecast : Continues the curve of the test scores.
    generalization_error : The score to expect, with its interval.
    RegularizationDisplay : Both scores against a penalty.

    Notes
    -----
    Means over splits have the variance of Nadeau and Bengio [1]_, ``(1 / n_splits +
    r)`` times that between splits, with r the rows scored over those that are not.
    That is `test_ratio` for test scores, and ``size / (n_samples - size)`` for training
    scores, which differ little between splits because these have most rows in common.
    In the gap's interval the two are paired: they fall together when hard rows are in
    the data, so a small gap is known better than either score.

    Perfect is a training loss of at most a hundredth of the test loss, where losses are
    what scores are below `best_score`. That is not known of a scorer that looks at the
    fitted model, nor of an estimator with a `score` of its own.

    References
    ----------
    .. [1] Nadeau, C. & Bengio, Y. (2003). Inference for the generalization error.
       Machine Learning 52, 239-281.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from genestimators import GeneralizationGapDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> display = GeneralizationGapDisplay.from_estimator(
    ...     Ridge(), X, y, random_state=0
    ... )  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        sizes,
        train_scores,
        test_scores,
        n_samples,
        test_ratio,
        confidence_level=0.95,
        score_name="score",
        best_score=None,
    ):
        self.sizes = sizes
        self.train_scores = train_scores
        self.test_scores = test_scores
        self.n_samples = n_samples
        self.test_ratio = test_ratio
        self.confidence_level = confidence_level
        self.score_name = score_name
        self.best_score = best_score

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        scoring=None,
        sizes="auto",
        n_splits=10,
        confidence_level=0.95,
        groups=None,
        sample_weight=None,
        params=None,
        n_jobs=None,
        random_state=None,
        ax=None,
    ):
        """Fit on growing shares of the rows and draw both scores.

        Each share lies within the next, and all are tested on the rows that the largest
        leaves out. One fit a split and size serves both scores.

        Parameters
        ----------
        estimator : estimator
            It is cloned, never fitted itself.
        X : array, sparse matrix or frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        scoring : str or callable, default=None
            As in `cross_val_score`; greater is better.
        sizes : "auto" or sequence of float or int, default="auto"
            At least two: shares of the rows (of the groups) below one, or numbers of
            rows. "auto" is (0.1, 0.2, 0.4, 0.6, 0.8), without those too small for the
            data.
        n_splits : int, default=10
            At least three: of two, scores such as accuracy agree too often by chance.
        confidence_level : float, default=0.95
        groups : array-like of shape (n_samples,), default=None
            Rows of a group are on one side of a split.
        sample_weight : array-like of shape (n_samples,), default=None
            In fits and scores. A row is one observation, whatever its weight; copies
            of rows belong into one group.
        params : dict, default=None
            Further arguments of `fit`.
        n_jobs : int, default=None
            Fits run in parallel.
        random_state : int, RandomState instance or None, default=None
            Of splits. Seeds of the estimator are its own.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : GeneralizationGapDisplay

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the rows are too few for two sizes, or scores are NaN.
        """
        owner = f"{cls.__name__}.from_estimator"
        pyplot(cls.__name__)  # before the fits
        check_arguments(
            owner,
            _CONSTRAINTS,
            scoring=scoring,
            n_splits=n_splits,
            confidence_level=confidence_level,
        )
        problem = make_problem(
            owner,
            estimator,
            X,
            y,
            groups=groups,
            sample_weight=sample_weight,
            params=params,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        shares = check_train_sizes(sizes, problem, least_sizes=2)
        question = ask(problem, scoring, confidence_level)
        found = nested_scores(problem, scoring, shares, n_splits, training=True)
        return cls(
            sizes=found.sizes,
            train_scores=found.train_scores,
            test_scores=found.test_scores,
            n_samples=problem.n_used,
            test_ratio=found.share,
            confidence_level=confidence_level,
            score_name=score_name(question.scoring, question.measure.kind),
            best_score=perfect_score(question),
        ).plot(ax=ax)

    @property
    def gap(self):
        """Mean training score less mean test score at the largest size."""
        return float(self._gap[0])

    @property
    def gap_interval(self):
        """Confidence limits of the gap."""
        return tuple(float(one) for one in self._gap[1:])

    @property
    def _gap(self):
        train, test = self.train_scores[-1], self.test_scores[-1]
        ratios = self._train_ratios[-1], self.test_ratio
        return gap_interval(train, test, *ratios, self.confidence_level)

    @property
    def _train_ratios(self):
        return self.sizes / (self.n_samples - self.sizes)

    @property
    def interpolates(self):
        """Whether the training score at the largest size is as good as perfect."""
        train, test = self.train_scores[-1].mean(), self.test_scores[-1].mean()
        return interpolates(train, test, self.best_score)

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : GeneralizationGapDisplay
            Itself.
        """
        ax = new_axes(ax, type(self).__name__)
        x, _ = place_values(ax, self.sizes)
        scores = {"train": self.train_scores, "test": self.test_scores}
        ratios = {"train": self._train_ratios, "test": self.test_ratio}
        self.lines_, self.bands_, means = {}, {}, {}
        for name, (label, color, style) in _DRAWN.items():
            mean, low, high = mean_interval(
                scores[name], ratios[name], self.confidence_level
            )
            (self.lines_[name],) = ax.plot(
                x, mean, style, color=color, marker="o", markersize=4, label=label
            )
            self.bands_[name] = ax.fill_between(
                x, low, high, color=color, alpha=0.25, linewidth=0
            )
            means[name] = mean
        self.bands_["test"].set_label(f"{self.confidence_level:.0%} confidence")
        gap = in_words(self.gap, *self.gap_interval)
        self.area_ = ax.fill_between(
            x, means["test"], means["train"], color="0.5", alpha=0.12, linewidth=0,
            label=f"gap at {self.sizes[-1]:.0f} rows: {gap}", zorder=0,
        )  # fmt: skip
        if self.interpolates:
            ax.annotate(
                "The learner interpolates:\nits training score says nothing.",
                (x[0], means["train"][0]), xytext=(4, -6),
                textcoords="offset points", va="top", fontsize="small", color="0.25",
            )  # fmt: skip
        ax.set_xlabel("training rows")
        ax.set_ylabel(self.score_name)
        ax.legend(fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self
