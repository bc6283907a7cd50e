"""Wrappers that make any scikit-learn estimator generalise better, and say how well.

Everything public is here: `from genestimators import BootstrapBaggingRegressor`.
"""

from genestimators._exceptions import (
    AuditWarning,
    CoverageWarning,
    EdgeOfGridWarning,
    FewReplicatesWarning,
    LearningCurveWarning,
    MissingScoreWarning,
    NothingSelectedWarning,
    OneClassReplicateWarning,
    OutOfBagWarning,
    SingularCovarianceWarning,
    UnweightedScoreWarning,
)
from genestimators._version import __version__
from genestimators.bagging import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
)
from genestimators.diagnostics import (
    BiasVarianceDecomposition,
    BiasVarianceDisplay,
    CorrectedScore,
    EnsembleDecomposition,
    ModelComparison,
    bias_variance_decomposition,
    compare_models,
    ensemble_decomposition,
    selection_corrected_score,
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
    GroupSubsample,
    Subsample,
)
from genestimators.selection import (
    ConditionalImportance,
    KnockoffSelector,
    SelectionDisplay,
    Stability,
    StabilityDifference,
    StableFeatureSelector,
    compare_stability,
    conditional_importance,
    selection_stability,
)

__all__ = [
    "AuditWarning",
    "AutoRegularizedCV",
    "BayesianBootstrap",
    "BiasVarianceDecomposition",
    "BiasVarianceDisplay",
    "BlockBootstrap",
    "Bootstrap",
    "BootstrapBaggingClassifier",
    "BootstrapBaggingRegressor",
    "Choice",
    "ConditionalImportance",
    "CorrectedScore",
    "CoverageWarning",
    "Curve",
    "Draw",
    "Draws",
    "EdgeOfGridWarning",
    "EnsembleDecomposition",
    "Family",
    "FewReplicatesWarning",
    "Folds",
    "GroupBootstrap",
    "GroupSubsample",
    "KnockoffSelector",
    "LearningCurveWarning",
    "MissingScoreWarning",
    "ModelComparison",
    "NothingSelectedWarning",
    "OneClassReplicateWarning",
    "OutOfBagWarning",
    "Path",
    "RegularizationDisplay",
    "SelectionDisplay",
    "SingularCovarianceWarning",
    "Stability",
    "StabilityDifference",
    "StableFeatureSelector",
    "Subsample",
    "UnweightedScoreWarning",
    "__version__",
    "bias_variance_decomposition",
    "compare_models",
    "compare_stability",
    "conditional_importance",
    "ensemble_decomposition",
    "register_family",
    "selection_corrected_score",
    "selection_stability",
]
