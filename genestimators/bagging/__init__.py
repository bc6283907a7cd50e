"""Bootstrap bagging of any estimator, with honest out-of-bag figures."""

from genestimators.bagging import _path  # noqa: F401  # makes the bags' paths known
from genestimators.bagging._classifier import BootstrapBaggingClassifier
from genestimators.bagging._regressor import BootstrapBaggingRegressor

__all__ = ["BootstrapBaggingClassifier", "BootstrapBaggingRegressor"]
