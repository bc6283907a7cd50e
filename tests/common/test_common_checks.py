"""scikit-learn's common checks on every public estimator, without exceptions."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.common.instances import instances


@parametrize_with_checks(instances())
def test_common_checks(estimator, check):
    """Every check passes as it is; none is expected to fail."""
    check(estimator)
