"""Whether draws of DonorImputer follow the law that the missing values come from."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, skew

from genestimators import DonorImputer, GaussianImputer

pytestmark = pytest.mark.slow


def draws_of(imputer, X, n_draws):
    """Completions of X, shape (n_draws, n_rows, n_features)."""
    return np.array(imputer.sample(X, n_draws))


def test_skewed_errors_keep_their_shape():
    """Given x, y has mean x and exponential errors, which no normal law has."""
    rng = np.random.default_rng(0)
    n = 4000
    x = rng.normal(size=n)
    y = x + rng.exponential(size=n) - 1
    fitted = np.column_stack([x, np.where(rng.random(n) < 0.3, np.nan, y)])
    new = np.sort(rng.normal(size=2000))
    gaps = np.column_stack([new, np.full(2000, np.nan)])
    truth = rng.exponential(size=20_000) - 1
    settings = {"random_state": 0, "add_indicator": False}
    donor = DonorImputer(**settings).fit(fitted)
    errors = draws_of(donor, gaps, 10)[:, :, 1] - new
    assert np.isin(draws_of(donor, gaps, 1)[0, :, 1], y).all()
    # 2800 donors are taken by as many rows as happen to be near, so the errors are
    # worth about 1600 independent ones: a mean has a standard error of 1 / sqrt(1600) =
    # 0.025, that of a third of the rows up to 0.05 (the ends have the fewest donors);
    # three of them. Donors as far as the fifth nearest shift a draw by thousandths.
    assert abs(errors.mean()) < 0.075
    for part in np.array_split(errors, 3, axis=1):
        assert abs(part.mean()) < 0.15
    # Skewness of 1600 exponential numbers, which is 2, spreads by about 0.2; three.
    assert abs(skew(errors.ravel()) - 2) < 0.6
    # The largest distance of two distribution functions of which one rests on 1600
    # numbers is below 1.95 / sqrt(1600) = 0.049 in 999 of 1000 cases.
    assert ks_2samp(errors.ravel(), truth).statistic < 0.049
    gaussian = GaussianImputer(strategy="draw", **settings).fit(fitted)
    normal = draws_of(gaussian, gaps, 10)[:, :, 1] - new
    # A normal law of the same mean and variance is 0.16 away from this one.
    assert ks_2samp(normal.ravel(), truth).statistic > 0.12


def test_values_filled_together_keep_their_relation():
    """Two entries drawn in a row that misses both: variance and correlation."""
    rng = np.random.default_rng(1)
    covariance = np.full((3, 3), 0.8) + 0.2 * np.eye(3)
    X = rng.multivariate_normal(np.zeros(3), covariance, 4000)
    imputer = DonorImputer(random_state=0, add_indicator=False).fit(X)
    new = rng.multivariate_normal(np.zeros(3), covariance, 4000)
    new[:, :2] = np.nan
    errors = draws_of(imputer, new, 5)[:, :, :2] - 0.8 * new[:, 2, None]
    found = np.cov(errors.reshape(-1, 2).T)
    # Given the third, each has variance 0.36 and both have covariance 0.16. A variance
    # from 4000 donors has a standard error of 0.36 * sqrt(2 / 4000) = 0.008, and the
    # covariance one of 0.006; four of them. Matching on the mean given the third alone
    # would give the variance given both others, which is 0.29, and no covariance.
    np.testing.assert_allclose(found, [[0.36, 0.16], [0.16, 0.36]], atol=0.032)


def test_zeros_stay_zeros():
    """A column that is zero for half of the rows is so for half of what is filled."""
    rng = np.random.default_rng(2)
    n = 4000
    x = rng.normal(size=n)
    y = np.where(x + rng.normal(size=n) > 0, np.exp(x), 0.0)
    missing = rng.random(n) < 0.4
    X = np.column_stack([x, np.where(missing, np.nan, y)])
    found = DonorImputer(random_state=0, add_indicator=False).fit_transform(X)
    low = missing & (x < -0.5)
    high = missing & (x > 0.5)
    for part in (low, high):
        # Shares among 480 rows and of as many draws: standard errors of 0.02 each,
        # of the difference below 0.03; three of them.
        assert abs((found[part, 1] == 0).mean() - (y[part] == 0).mean()) < 0.09
    assert (found[:, 1] >= 0).all()
