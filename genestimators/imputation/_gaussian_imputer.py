"""Fills missing values from the observed ones in their row, by a joint normal law."""

from scipy.special import ndtri

from genestimators import _params
from genestimators._params import Options
from genestimators.imputation._table_imputer import LAW_PARAMETERS, TableImputer


class GaussianImputer(TableImputer):
    """Fills missing values from what is observed in their row.

    The columns follow a joint normal law, found by maximum likelihood from the
    incomplete rows (EM). A missing value is filled with its mean given the values that
    are observed in the same row, or with a random draw given them. What `fit` saw is
    all that counts: rows given to `transform` never change the law, and a row is filled
    alike whatever rows come with it.

    When to use: before an estimator that takes no missing values, above all where
    columns are correlated; inside a bag, where every replicate fits its own imputer
    (``BootstrapBaggingRegressor(make_pipeline(GaussianImputer(), model))``). When not:
    before trees that handle missing values themselves and have rows enough to learn
    from them; for columns where only observed values make sense, `DonorImputer`.

    Parameters
    ----------
    strategy : {"conditional_mean", "draw"}, default="conditional_mean"
        What fills a missing value: its conditional mean, which predicts best, or one
        random draw from its conditional law. A draw is a function of `random_state` and
        of the content of the row alone. One draw keeps the spread of the column and
        predicts worse than the mean does; to be sure of a spread, take several (see
        `sample`).
    add_indicator : bool or "auto", default="auto"
        Whether columns that were missing somewhere in `fit` get a mask: a further
        column that is one where they are missing. "auto" gives them all one where there
        are 30 rows or more for each mask, since masks are cheap then; where there are
        fewer, only those columns that are seen to be missing by what the others hold (t
        tests at 5 %, corrected for their number). Columns that are missing in the same
        rows share one. Which have one is decided in `fit`; a column that misses values
        only later is filled and gets none.
    marginals : {"gaussian", "copula"}, default="gaussian"
        How columns of numbers relate to the normal law. Under "copula" a column is a
        monotone function of a normal one; what is filled in stays within the range of
        its observed values, and is one of them (the conditional median, for
        "conditional_mean") where the column has at most 20 distinct values or integers
        alone. For skewed and bounded columns, and ordinal ones of five levels or more.
        Where many rows share a value (zeros, two or three levels) relations come out
        too weak; there `DonorImputer` does better.
    shrinkage : "auto" or float in [0, 1), default="auto"
        Weight of the identity in the covariance of the standardized columns. "auto"
        takes the weight under which the data are most probable; it is next to nothing
        where there are many rows a column. Not used with `n_factors`.
    n_factors : int, default=None
        Number of factors of a law of low rank, for hundreds of columns. More than the
        data have settle slowly (a warning says so) and fill a little worse; as many as
        there are columns cost much and fill worse (by a tenth of the error, 600 rows of
        100 columns). None has no such restriction; its cost grows with the cube of the
        missing entries of a row.
    categorical : {"auto", "level", "missing"}, default="auto"
        What a missing level becomes in columns of text or categories: "level" is the
        most probable one given the rest of the row (or one drawn, for draws), "missing"
        a level called "missing", or ``"missing_"`` where there is one of that name; of
        ordered categories it is the last. "auto" is "missing" for conditional means and
        "level" for draws, those of `sample` too. A column that misses nothing in `fit`,
        or whose levels are numbers, gets no such level.
    max_iter : int, default=50
        The most iterations; each is one EM step.
    tol : float, default=0.0001
        The largest change of a mean or a covariance, of standardized columns, in the
        iteration that is the last.
    random_state : int, RandomState or None, default=None
        Of the draws. None takes another seed in every `fit`; pass an int for the same
        draws from fit to fit.

    Attributes
    ----------
    mean_ : ndarray of shape (n_latent,)
        Means of the columns of the law, in the units of X under "gaussian".
    covariance_ : ndarray of shape (n_latent, n_latent)
        Their covariance.
    latent_names_ : ndarray of shape (n_latent,)
        Names of the columns of the law: the columns of numbers that vary, and
        "name=level" for each level but the most frequent one of a column.
    n_iter_ : int
        EM steps that were made.
    log_likelihood_ : ndarray of shape (n_last_iter,)
        Log-likelihood of the observed values, less what the shrinkage costs, since its
        weight is settled; it never falls.
    shrinkage_ : float
        The weight of the identity that was used.
    indicator_features_ : ndarray of shape (n_masks,)
        Positions of the columns that have a mask.
    seed_ : int
        That the draws come from.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if all are text.

    See Also
    --------
    DonorImputer : Fills with values of other rows.

    Notes
    -----
    With :math:`K` the inverse of the covariance and :math:`z` a row less the mean, zero
    where it is missing, the conditional mean of the missing entries solves
    :math:`K_{mm} d = -(Kz)_m`, and :math:`K_{mm}^{-1}` is their conditional covariance.
    Rows that miss equally many entries are solved together, whatever their patterns.

    Arrays stay arrays and come back as floats; a frame with columns of text or
    categories stays a frame. Columns of text enter the law as indicators of their
    levels (up to 30; rarer ones share one), and a level is chosen by the general
    location model. A level that `fit` did not see is left as it is. Boolean columns are
    numbers, 0 and 1; the empty text is a level like others. A column that does not vary
    (by more than four units in the last place) is filled with its value, one without
    any value with zero (one of text or categories in a frame with a level called
    "missing"), after a warning. Weights count as rows: a weight of two is a row twice.

    Rows that hold the same get the same draw. Where many rows are alike, as with a few
    binary columns, their draws are not independent: what is computed from one filled
    table then varies more from draw to draw than it would if each row had its own.

    References
    ----------
    .. [1] Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). Maximum likelihood from
       incomplete data via the EM algorithm. JRSS B, 39(1), 1-38.
    .. [2] Little, R. J. A. & Rubin, D. B. (2019). Statistical analysis with missing
       data, 3rd edition. Wiley.
    .. [3] Chen, C.-F. (1979). Bayesian inference for a normal dispersion matrix and its
       application to stochastic multiple regression analysis. JRSS B, 41(2), 235-248.
    .. [4] Zhao, Y. & Udell, M. (2020). Missing value imputation for mixed data via
       Gaussian copula. KDD '20, 636-646.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import GaussianImputer
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=500)
    >>> X = np.column_stack([x, 2 * x + rng.normal(scale=0.1, size=500)])
    >>> X[:50, 1] = np.nan
    >>> imputer = GaussianImputer().fit(X)
    >>> imputer.transform([[1.0, np.nan], [np.nan, -4.0]]).round(1)
    array([[ 1.,  2.,  1.],
           [-2., -4.,  0.]])
    >>> imputer.get_feature_names_out().tolist()
    ['x0', 'x1', 'missingindicator_x1']
    """

    _parameter_constraints = {
        **LAW_PARAMETERS,
        "strategy": [Options("conditional_mean", "draw")],
        "add_indicator": [Options("auto"), _params.BOOLEAN],
        "marginals": [Options("gaussian", "copula")],
        "categorical": [Options("auto", "level", "missing")],
        "random_state": _params.RANDOM_STATE,
    }

    def __init__(
        self,
        *,
        strategy="conditional_mean",
        add_indicator="auto",
        marginals="gaussian",
        shrinkage="auto",
        n_factors=None,
        categorical="auto",
        max_iter=50,
        tol=1e-4,
        random_state=None,
    ):
        self.strategy = strategy
        self.add_indicator = add_indicator
        self.marginals = marginals
        self.shrinkage = shrinkage
        self.n_factors = n_factors
        self.categorical = categorical
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """Fit the joint law of the columns.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Numbers, text and categories; NaN, None and NA are missing values.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How many rows each row counts for; None is one.

        Returns
        -------
        self : GaussianImputer

        Raises
        ------
        TypeError
            If X is sparse, or a column holds dates, or text and numbers.
        ValueError
            If X holds infinity, or a parameter is out of range.

        Warns
        -----
        EmptyColumnWarning
            If a column has no value at all.
        ConvergenceWarning
            If `max_iter` iterations were not enough.
        SingularCovarianceWarning
            If there are too few rows for `shrinkage=0`.
        TooManyFactorsWarning
            If `n_factors` is more than the columns that vary.
        SmallWeightsWarning
            If all weights together are no more than the columns of the law, though
            there are more rows, so that `shrinkage="auto"` leaves no correlation.
        """
        return self._fit(X, sample_weight)

    def _learn(self, table, weight):
        self._fit_law(table, weight, self.marginals)

    def _prepare_levels(self, missing):
        """Decide which columns of levels get a level that says "missing"."""
        wanted = self.categorical == "missing" or (
            self.categorical == "auto" and self.strategy == "conditional_mean"
        )
        for j, levels in self._levels.items():
            if levels.levels and not (wanted and missing[:, j].any()):
                continue
            if levels.all_text:
                always = not levels.levels or self.categorical == "missing"
                levels.set_missing_level(in_draws=always)
            elif self.categorical == "missing":
                raise ValueError(
                    "categorical='missing' gives missing values a level of text, which "
                    f"column {self._names[j]!r} of numbers cannot have; make its "
                    "categories text, or pass categorical='level'."
                )

    def interval(self, X, confidence_level=0.9):
        """Intervals that hold the missing numbers with a given probability.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
        confidence_level : float in (0, 1), default=0.9
            The probability, under the fitted law and apart from its own uncertainty.

        Returns
        -------
        low, high : ndarray of shape (n_samples, n_features)
            The value itself where it is observed; NaN in columns of levels.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If X is not of the columns that `fit` saw, or the level is not in (0, 1).
        """
        constraints = {"confidence_level": _params.CONFIDENCE_LEVEL}
        _params.check_arguments(
            "interval", constraints, confidence_level=confidence_level
        )
        _, _, table = self._read(X)
        return self._model.interval(table, ndtri((1 + confidence_level) / 2))

    def _fill(self, table, draw):
        self._model.fill(table, None if draw is None else self.seed_, draw)
