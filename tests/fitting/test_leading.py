"""Ridge regressions on leading columns against a fit for each number of columns."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from genestimators.fitting._leading import leading_ridge


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_leading_ridge_equals_ridge(alpha, fit_intercept, seed):
    """Coefficients of each number of leading columns."""
    rng = np.random.default_rng(seed)
    Z, y = rng.normal(size=(30, 6)) + 2, rng.normal(size=(30, 2))
    sizes = [6, 1, 4]
    coef, Z_mean, y_mean = leading_ridge(
        Z, y, alpha, sizes, fit_intercept=fit_intercept
    )
    for at, size in zip(coef, sizes, strict=True):
        model = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd")
        model.fit(Z[:, :size], y)
        np.testing.assert_allclose(
            (Z - Z_mean) @ at + y_mean, model.predict(Z[:, :size]), rtol=1e-9
        )
        assert (at[size:] == 0).all()
