"""Bootstrap bagging of any estimator, with honest out-of-bag figures."""

from genestimators.bagging._classifier import BootstrapBaggingClassifier
from genestimators.bagging._regressor import BootstrapBaggingRegressor

__all__ = ["BootstrapBaggingClassifier", "BootstrapBaggingRegressor"]
