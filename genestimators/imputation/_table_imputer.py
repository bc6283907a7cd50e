"""What imputers share: reading X, the joint law of its columns, masks, and X whole."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from genestimators import _params
from genestimators._delegate import DocLink
from genestimators._exceptions import (
    EmptyColumnWarning,
    SingularCovarianceWarning,
    SmallWeightsWarning,
    TooManyFactorsWarning,
    warn_user,
)
from genestimators._inputs import check_sample_weight, n_rows_of
from genestimators._params import Interval, Options
from genestimators.imputation._latent import LatentModel
from genestimators.imputation.columns._cells import (
    append_masks,
    own_copy,
    replace_cells,
)
from genestimators.imputation.columns._columns import levels_of, read, table_of
from genestimators.imputation.columns._masks import masked_columns

_LEAST_WEIGHT = 1e-200  # sums of products of weights stay well within floats

LAW_PARAMETERS = {
    "shrinkage": [
        Options("auto"),
        Interval(float, 0.0, 1.0, open_high=True),
        Interval(int, 0, 0),
    ],
    "n_factors": [Interval(int, 1), _params.NONE],
    "max_iter": [Interval(int, 1)],
    "tol": [Interval(float, 0.0), Interval(int, 0)],
}


class TableImputer(DocLink, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base of imputers that fit a joint law of the columns.

    A subclass has the parameters of `LAW_PARAMETERS`, `strategy`, `add_indicator` and
    `random_state`, and the methods `_learn(table, weight)`, which calls `_fit_law` and
    adds what else it needs, and `_fill(table, draw)`, which fills a table of numbers
    and codes of levels in place, by its draw of that number.
    """

    _fills_missing = True

    def _fit(self, X, sample_weight):
        """The recipe of `fit`: check, read, learn, decide masks."""
        _params.check_parameters(self)
        X, parts = read(self, X, reset=True)
        n_rows = n_rows_of(X)
        weight = check_sample_weight(sample_weight, n_rows)
        weight = np.ones(n_rows) if weight is None else weight
        if not _LEAST_WEIGHT < weight.sum() < 1 / _LEAST_WEIGHT:
            raise ValueError(
                "`sample_weight` counts as rows, and its sum must lie between "
                f"{_LEAST_WEIGHT:g} and {1 / _LEAST_WEIGHT:g}. Got {weight.sum():g}; "
                "scale it to a mean of one if all rows count."
            )
        self._levels = levels_of(parts, weight, self._names)
        table = table_of(X, parts, self._levels, self._names)
        used = weight > 0
        if not used.all():
            table, weight = table[used], weight[used]
        missing = np.isnan(table)
        self._warn_of_empty(missing)
        self._prepare_levels(missing)
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._learn(table, weight)
        self.indicator_features_ = masked_columns(
            missing,
            self.add_indicator,
            self._model.latent(table),
            weight,
            [j for j, one in self._levels.items() if one.missing_level],
        )
        return self

    def _prepare_levels(self, missing):
        """Before the fit: what columns of levels are to be."""

    def _fit_law(self, table, weight, marginals):
        """Fit the joint law, and store what is known of it."""
        settings = {name: getattr(self, name) for name in LAW_PARAMETERS}
        self._model = LatentModel(
            table, weight, self._levels, marginals, self._names, **settings
        )
        law = self._model.law
        self.mean_, self.covariance_ = self._model.parameters()
        self.latent_names_ = np.array(self._model.names, dtype=object)
        self.n_iter_ = 0 if law is None else law.n_iter
        self.log_likelihood_ = np.zeros(0) if law is None else law.log_likelihood
        self.shrinkage_ = 0.0 if law is None else law.shrinkage
        if law is not None:
            self._warn_of_law(law, weight.sum(), len(weight))

    def _warn_of_law(self, law, weight, n_rows):
        """Warn of a law that is not settled, or rests on next to nothing."""
        if not law.converged:
            warn_user(
                f"The fit did not converge in max_iter={self.max_iter} iterations; "
                "raise `max_iter` or `tol`.",
                ConvergenceWarning,
            )
        p = len(self.mean_)
        if self.n_factors is not None:
            if self.n_factors > len(law.mean):
                warn_user(
                    f"n_factors={self.n_factors} is more than the columns that vary, "
                    f"and {len(law.mean)} factors are fitted; pass fewer, or None.",
                    TooManyFactorsWarning,
                )
            return
        if self.shrinkage == "auto" and weight <= p < n_rows:
            warn_user(
                f"Weights count as rows, and those of {n_rows} rows are only "
                f"{weight:g} together, too few for the covariance of {p} columns, "
                "which shrinkage='auto' takes for next to unknown; scale "
                "`sample_weight` up, to a mean of one if all rows count.",
                SmallWeightsWarning,
            )
        if self.shrinkage == 0 and weight <= p:
            warn_user(
                f"With shrinkage=0 a covariance of {p} columns from {weight:g} rows is "
                "singular and barely kept invertible; give the imputer "
                "shrinkage='auto' or `n_factors`.",
                SingularCovarianceWarning,
            )

    @property
    def _names(self):
        """Names of the columns of X, or their positions."""
        if hasattr(self, "feature_names_in_"):
            return self.feature_names_in_.tolist()
        return list(range(self.n_features_in_))

    def _warn_of_empty(self, missing):
        """Warn of columns without a value, of which nothing can be learned."""
        empty = np.flatnonzero(missing.all(axis=0))
        if not len(empty):
            return
        named = ", ".join(repr(self._names[j]) for j in empty[:5])
        others = f" and {len(empty) - 5} others" if len(empty) > 5 else ""
        warn_user(
            "Columns without any value in fit are filled with zero (those of text or "
            f"categories with a level called 'missing'): {named}{others}; leave them "
            "out, or give them values.",
            EmptyColumnWarning,
        )

    def transform(self, X):
        """Fill the missing values of X.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            The columns that `fit` saw.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features_out), or frame
            Observed values are as they were, in float32 if X is; masks follow.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If X is not of the columns that `fit` saw.
        """
        return self._completed(X, draw=0 if self.strategy == "draw" else None)

    def _read(self, X):
        """X checked, its columns of levels if it has some, and its table."""
        check_is_fitted(self)
        X, parts = read(self, X, reset=False)
        return X, parts, table_of(X, parts, self._levels, self._names)

    def _completed(self, X, draw):
        """X without gaps, masks beside it."""
        X, parts, table = self._read(X)
        missing = np.isnan(table)
        self._fill(table, draw)
        masks = missing[:, self.indicator_features_]
        if parts is None:
            with np.errstate(over="ignore"):
                filled = table.astype(X.dtype, copy=False)
            if not np.isfinite(filled).all():
                raise ValueError(
                    f"Filled values must be finite in the type of X, {X.dtype}. Got "
                    f"{np.abs(table).max():g}; pass X as float64."
                )
            return np.hstack([filled, masks]) if masks.shape[1] else filled
        X = own_copy(X)
        for j in range(table.shape[1]):
            rows = np.flatnonzero(missing[:, j])
            values, known = table[rows, j].tolist(), None
            if j in self._levels:
                values = self._levels[j].decode(values)
                known = self._levels[j].possible
            X = replace_cells(X, j, rows, values, known)
        return append_masks(X, masks, self.get_feature_names_out())

    def sample(self, X, n_draws=10):
        """Several random completions of X.

        Draw k of a row depends on its content, on `random_state` and on k alone; the
        first has the values that `transform` returns with `strategy="draw"`: levels are
        drawn too, unless ``categorical="missing"``. Masks beside them are those of this
        imputer, and ``add_indicator="auto"`` depends on the strategy. Rows that are
        alike get the same draw, see Notes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        n_draws : int, default=10

        Returns
        -------
        draws : list of array or frame of shape (n_samples, n_features_out)
            As `transform` returns them where `set_output` was not called.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If X is not of the columns that `fit` saw, or `n_draws` is not positive.
        """
        constraints = {"n_draws": [Interval(int, 1)]}
        _params.check_arguments("sample", constraints, n_draws=n_draws)
        return [self._completed(X, number) for number in range(n_draws)]

    def get_feature_names_out(self, input_features=None):
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None takes those seen in fit.

        Returns
        -------
        names : ndarray of str
            Those of the features, then ``"missingindicator_"`` and the name for each
            mask; with an underscore at the end where there is a column of that name.
        """
        check_is_fitted(self)
        names = list(super().get_feature_names_out(input_features))
        for j in self.indicator_features_:
            name = f"missingindicator_{names[j]}"
            while name in names:
                name += "_"
            names.append(name)
        return np.array(names, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
