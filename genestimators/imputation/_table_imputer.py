"""What imputers share: reading X, masks, and putting X together again."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from genestimators import _params
from genestimators._delegate import DocLink
from genestimators._exceptions import EmptyColumnWarning, warn_user
from genestimators._inputs import check_sample_weight, n_rows_of
from genestimators._params import Interval
from genestimators.imputation.columns._cells import (
    append_masks,
    own_copy,
    replace_cells,
)
from genestimators.imputation.columns._columns import plan, read, table_of
from genestimators.imputation.columns._masks import masked_columns


class TableImputer(DocLink, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base of imputers.

    A subclass has the parameters `add_indicator` and `random_state` and the methods
    `_fit_table(table, weight)`, which makes `_model`, a `LatentModel`, and
    `_fill(table, draw)`, which fills a table of numbers and codes of levels in place,
    by its draw of that number.
    """

    _fills_missing = True

    def _fit(self, X, sample_weight):
        """The recipe of `fit`: check, read, decide masks, learn."""
        _params.check_parameters(self)
        X, parts = read(self, X, reset=True)
        n_rows = n_rows_of(X)
        weight = check_sample_weight(sample_weight, n_rows)
        weight = np.ones(n_rows) if weight is None else weight
        self._columns = plan(parts, weight, self._names)
        table = table_of(X, parts, self._columns, self._names)
        used = weight > 0
        if not used.all():
            table, weight = table[used], weight[used]
        missing = np.isnan(table)
        self._warn_of_empty(missing)
        self._prepare_levels(missing)
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._fit_table(table, weight)
        self.indicator_features_ = masked_columns(
            missing,
            self.add_indicator,
            self._model.latent(table),
            weight,
            [j for j, one in self._columns.levels.items() if one.missing_level],
        )
        return self

    def _prepare_levels(self, missing):
        """Before the fit: what columns of levels are to be."""

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

    def _completed(self, X, draw):
        """X without gaps, masks beside it."""
        check_is_fitted(self)
        X, parts = read(self, X, reset=False)
        table = table_of(X, parts, self._columns, self._names)
        missing = np.isnan(table)
        self._fill(table, draw)
        masks = missing[:, self.indicator_features_]
        if parts is None:
            filled = table.astype(X.dtype, copy=False)
            return np.hstack([filled, masks]) if masks.shape[1] else filled
        X = own_copy(X)
        for j in range(table.shape[1]):
            rows = np.flatnonzero(missing[:, j])
            values, known = table[rows, j].tolist(), None
            if j in self._columns.levels:
                values = self._columns.levels[j].decode(values)
                known = self._columns.levels[j].possible
            X = replace_cells(X, j, rows, values, known)
        return append_masks(X, masks, self.get_feature_names_out())

    def sample(self, X, n_draws=10):
        """Several random completions of X.

        Draw k of a row depends on its content, on `random_state` and on k alone; the
        first is what `transform` returns with `strategy="draw"`. Rows that are alike
        get the same draw, see Notes.

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
