"""Fills missing values with observed ones of similar rows: predictive mean matching."""

import numpy as np

from genestimators import _params
from genestimators._exceptions import SmallWeightsWarning, warn_user
from genestimators._params import Interval, Options
from genestimators.imputation._donors import Donors
from genestimators.imputation._noise import RowNoise
from genestimators.imputation._table_imputer import LAW_PARAMETERS, TableImputer
from genestimators.imputation.normal._regression import Regressions

_NUMBERS = 1 << 20  # of a chunk of rows that is filled at once
# Seed and name of the noise that completes the rows of fit: that of no draw, and the
# same in every fit, so that "nearest" does not know of `random_state`.
_OF_DONORS = 0, "donors"


class DonorImputer(TableImputer):
    """Fills missing values with observed ones of rows like theirs.

    Predictive mean matching: a joint normal law predicts each column from the others,
    and a missing value becomes the observed value of a donor, a row of `fit` whose
    prediction is near. So nothing is filled in that was not seen: a skewed column stays
    skewed, a bounded one within its bounds, counts stay counts. What `fit` saw is all
    that counts: rows given to `transform` never become donors, and a row is filled
    alike whatever rows come with it.

    When to use: for columns that the normal law fits badly in shape (skewed, with many
    zeros, of few values), and wherever filled tables are looked at or simulated from.
    When not: for the best prediction of the missing value itself, which is its
    conditional mean (`GaussianImputer`); with few rows, which leave few donors; where
    memory counts, since every observed number is stored twice.

    Parameters
    ----------
    n_donors : int, default=5
        How many of the nearest rows a value is drawn from. Fewer follow the prediction
        more closely, more repeat the same value less often; 3 to 10 are usual. All
        draws of a row that misses one entry are among these few values, so intervals of
        draws are too short (see the user guide). Weights count as rows: the donors are
        the nearest rows that weigh as much together.
    strategy : {"draw", "nearest"}, default="draw"
        Whether one of the donors is drawn, with chances by their weights, or the
        nearest taken. A draw is a function of `random_state` and of the content of the
        row alone. The nearest is by the prediction from what is observed, so that rows
        that miss much get values too near the middle.
    add_indicator : bool or "auto", default="auto"
        Whether columns that were missing somewhere in `fit` get a mask: a further
        column that is one where they are missing. "auto" gives them all one where there
        are 30 rows or more for each mask, since masks are cheap then; where there are
        fewer, only those columns that are seen to be missing by what the others hold (t
        tests at 5 %, corrected for their number). Columns that are missing in the same
        rows share one. Which have one is decided in `fit`; a column that misses values
        only later is filled and gets none.
    shrinkage : "auto" or float in [0, 1), default="auto"
        Weight of the identity in the covariance of the standardized columns. "auto"
        takes the weight under which the data are most probable; it is next to nothing
        where there are many rows a column. Not used with `n_factors`.
    n_factors : int, default=None
        Number of factors of a law of low rank, for hundreds of columns. None has no
        such restriction; its cost grows with the cube of the missing entries of a row.
    max_iter : int, default=50
        The most iterations of the fit of the law; each is one EM step.
    tol : float, default=0.0001
        The largest change of a mean or a covariance, of standardized columns, in the
        iteration that is the last.
    random_state : int, RandomState or None, default=None
        Of the draws. None takes another seed in every `fit`; pass an int for the same
        draws from fit to fit.

    Attributes
    ----------
    mean_ : ndarray of shape (n_latent,)
        Means of the columns of the law.
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
    GaussianImputer : Fills with conditional means or draws from the normal law.

    Notes
    -----
    Each missing entry has a donor of its own, since rows miss different entries. For a
    draw, the missing entries of a row are first drawn together from the normal law
    given the observed ones. Then, column by column, the entry is predicted from all
    others in the row, a donor is drawn from those nearest by prediction, and its value
    takes the place of the drawn one before the next column is predicted. This is one
    sweep of a Gibbs sampler that starts where the chain of sweeps would arrive under
    the law, so relations between values filled in the same row are kept as far as the
    predictions carry them, and a row that misses much is as uncertain as it should be.
    Donors are the rows of `fit` in which the column is observed, each predicted from
    its other columns; those of them that it misses are drawn once, given all that it
    has, the same in every fit. With "nearest", the prediction of the row to fill is the
    mean given what is observed. Both sides use the same law; for draws that carry its
    uncertainty too, fit one imputer on each of several bootstrap samples.

    Donors at equal distance share the chances of the places that are left, by weight,
    so a column that nothing is known about is drawn from all its values alike; the
    nearest of several is their median. Predictions count as equal within 1e-9 standard
    deviations of the column. Where fewer rows than `n_donors` have a value, all of them
    are donors.

    Columns of text and categories are indicators in the law, and their levels are drawn
    by the general location model, as `GaussianImputer` does ("nearest" takes the most
    probable one): matching one prediction would have to put the levels in an order. A
    level that `fit` did not see is left as it is. A column that does not vary is filled
    with its value, one without any value with zero (one of text or categories in a
    frame with a level called "missing"), after a warning. Rows that hold the same get
    the same draw, so the draws of a table with many rows alike are not independent.

    References
    ----------
    .. [1] Rubin, D. B. (1986). Statistical matching using file concatenation with
       adjusted weights and multiple imputations. Journal of Business & Economic
       Statistics, 4(1), 87-94.
    .. [2] Little, R. J. A. (1988). Missing-data adjustments in large surveys. Journal
       of Business & Economic Statistics, 6(3), 287-296.
    .. [3] Morris, T. P., White, I. R. & Royston, P. (2014). Tuning multiple imputation
       by predictive mean matching and local residual draws. BMC Medical Research
       Methodology, 14, 75.
    .. [4] van Buuren, S. (2018). Flexible imputation of missing data, 2nd edition,
       section 3.4. Chapman & Hall/CRC.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import DonorImputer
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=500)
    >>> counts = rng.poisson(np.exp(1 + 0.5 * x))
    >>> X = np.column_stack([x, counts])
    >>> X[:50, 1] = np.nan
    >>> imputer = DonorImputer(random_state=0).fit(X)
    >>> bool(np.isin(imputer.transform(X)[:50, 1], counts[50:]).all())
    True
    """

    _parameter_constraints = {
        "n_donors": [Interval(int, 1)],
        "strategy": [Options("draw", "nearest")],
        "add_indicator": [Options("auto"), _params.BOOLEAN],
        **LAW_PARAMETERS,
        "random_state": _params.RANDOM_STATE,
    }

    def __init__(
        self,
        *,
        n_donors=5,
        strategy="draw",
        add_indicator="auto",
        shrinkage="auto",
        n_factors=None,
        max_iter=50,
        tol=1e-4,
        random_state=None,
    ):
        self.n_donors = n_donors
        self.strategy = strategy
        self.add_indicator = add_indicator
        self.shrinkage = shrinkage
        self.n_factors = n_factors
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """Fit the joint law of the columns and store their donors.

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
        self : DonorImputer

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
            If all weights together are no more than `n_donors`, though there are more
            rows, so that every row is a donor; or no more than the columns of the law,
            so that `shrinkage="auto"` leaves no correlation.
        """
        return self._fit(X, sample_weight)

    def _prepare_levels(self, missing):
        """Levels are drawn where there are any."""
        for levels in self._levels.values():
            if not levels.levels:
                levels.set_missing_level()

    def _learn(self, table, weight):
        if weight.sum() <= self.n_donors < len(weight):
            warn_user(
                f"Weights count as rows, and those of {len(weight)} rows are only "
                f"{weight.sum():g} together, so all of them are among the n_donors="
                f"{self.n_donors} nearest rows of any other; scale `sample_weight` up, "
                "to a mean of one if all rows count.",
                SmallWeightsWarning,
            )
        self._fit_law(table, weight, "gaussian")
        noise = RowNoise(table, *_OF_DONORS)
        latent = self._model.complete(table.copy(), noise)
        predictions = latent
        if self._model.law is not None:
            law = self._model.law
            self._regressions = Regressions(law.mean, law.covariance)
            predictions = self._regressions.predict_all(latent)
        self._donors = {}
        for j in range(table.shape[1]):
            if j in self._levels:
                continue
            place = self._model.place(j)
            seen = np.flatnonzero(~np.isnan(table[:, j]))
            if not len(seen):
                self._donors[j] = Donors(np.zeros(1), np.zeros(1), np.ones(1))
                continue
            predicted = np.zeros(len(seen))
            if place is not None:
                predicted = predictions[seen, place]
            self._donors[j] = Donors(predicted, table[seen, j], weight[seen])

    def _fill(self, table, draw):
        missing = np.isnan(table)
        incomplete = np.flatnonzero(missing.any(axis=1))
        size = max(1, _NUMBERS // table.shape[1])
        for start in range(0, len(incomplete), size):
            rows = incomplete[start : start + size]
            part = table[rows]
            self._fill_part(part, missing[rows], draw)
            table[rows] = part

    def _fill_part(self, part, missing, draw):
        """Fill incomplete rows in place, levels first and then column by column."""
        noise = None if draw is None else RowNoise(part, self.seed_, draw)
        latent = self._model.complete(part, noise)
        for j, donors in self._donors.items():
            rows = np.flatnonzero(missing[:, j])
            if not len(rows):
                continue
            place = self._model.place(j)
            predicted = np.zeros(len(rows))
            if place is not None:
                predicted = self._regressions.predict(latent[rows], place)
            if noise is None:
                part[rows, j] = donors.nearest(predicted)
                continue
            column = np.full(len(rows), self._model.n_noise + j)
            uniforms = noise.uniforms(rows, column)
            part[rows, j] = donors.draw(predicted, self.n_donors, uniforms)
            if place is not None:
                latent[rows, place] = self._model.standardized(j, part[rows, j])
