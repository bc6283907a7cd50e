"""Wrappers that make any scikit-learn estimator generalise better, and say how well.

Everything public is here: `from genestimators import BootstrapBaggingRegressor`.
"""

from genestimators._exceptions import (
    AuditWarning,
    EdgeOfGridWarning,
    MissingScoreWarning,
    OneClassReplicateWarning,
    OutOfBagWarning,
    UnweightedScoreWarning,
)
from genestimators._version import __version__
from genestimators.bagging import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
)
from genestimators.fitting import Family, Path, register_family
from genestimators.regularization import (
    AutoRegularizedCV,
    Choice,
    Curve,
    RegularizationDisplay,
)
from genestimators.resampling import (
    BayesianBootstrap,
    BlockBootstrap,
    Bootstrap,
    Draw,
    Draws,
    Folds,
    GroupBootstrap,
    Subsample,
)

__all__ = [
    "AuditWarning",
    "AutoRegularizedCV",
    "BayesianBootstrap",
    "BlockBootstrap",
    "Bootstrap",
    "BootstrapBaggingClassifier",
    "BootstrapBaggingRegressor",
    "Choice",
    "Curve",
    "Draw",
    "Draws",
    "EdgeOfGridWarning",
    "Family",
    "Folds",
    "GroupBootstrap",
    "MissingScoreWarning",
    "OneClassReplicateWarning",
    "OutOfBagWarning",
    "Path",
    "RegularizationDisplay",
    "Subsample",
    "UnweightedScoreWarning",
    "__version__",
    "register_family",
]
