"""The joint law of the columns: what imputers that fit one have in common."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from genestimators import _params
from genestimators._exceptions import (
    SingularCovarianceWarning,
    SmallWeightsWarning,
    warn_user,
)
from genestimators._params import Interval, Options
from genestimators.imputation._latent import LatentModel

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


def fit_joint_law(imputer, table, weight, marginals):
    """Fit the joint law of an imputer, and store what is known of it.

    Parameters
    ----------
    imputer : TableImputer
        With the parameters of `LAW_PARAMETERS`; it gets `_model` and the attributes
        `mean_`, `covariance_`, `latent_names_`, `n_iter_`, `log_likelihood_` and
        `shrinkage_`.
    table : ndarray of shape (n_rows, n_features)
        Numbers and codes of levels, NaN where missing.
    weight : ndarray of shape (n_rows,)
        Positive.
    marginals : {"gaussian", "copula"}

    Warns
    -----
    ConvergenceWarning
        If `max_iter` iterations were not enough.
    SingularCovarianceWarning
        If there are too few rows for `shrinkage=0`.
    SmallWeightsWarning
        If all weights together are no more than the columns of the law, though there
        are more rows.
    """
    imputer._model = LatentModel(
        table,
        weight,
        imputer._columns,
        marginals,
        imputer._names,
        **{name: getattr(imputer, name) for name in LAW_PARAMETERS},
    )
    law = imputer._model.law
    imputer.mean_, imputer.covariance_ = imputer._model.parameters()
    imputer.latent_names_ = np.array(imputer._model.names, dtype=object)
    imputer.n_iter_ = 0 if law is None else law.n_iter
    imputer.log_likelihood_ = np.zeros(0) if law is None else law.log_likelihood
    imputer.shrinkage_ = 0.0 if law is None else law.shrinkage
    if law is not None:
        _warn(imputer, law, weight.sum(), len(weight))


def _warn(imputer, law, weight, n_rows):
    if not law.converged:
        warn_user(
            f"The fit did not converge in max_iter={imputer.max_iter} iterations; "
            "raise `max_iter` or `tol`.",
            ConvergenceWarning,
        )
    p = len(imputer.mean_)
    if imputer.n_factors is not None:
        return
    if imputer.shrinkage == "auto" and weight <= p < n_rows:
        warn_user(
            f"Weights count as rows, and those of {n_rows} rows are only {weight:g} "
            f"together, too few for the covariance of {p} columns, which shrinkage="
            "'auto' takes for next to unknown; scale `sample_weight` up, to a mean of "
            "one if all rows count.",
            SmallWeightsWarning,
        )
    if imputer.shrinkage == 0 and weight <= p:
        warn_user(
            f"With shrinkage=0 a covariance of {p} columns from "
            f"{weight:g} rows is singular and barely kept invertible; pass "
            "shrinkage='auto' or `n_factors`.",
            SingularCovarianceWarning,
        )
