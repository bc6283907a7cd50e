"""Warnings of this library, one class for each thing that may mislead."""

import sys
import warnings

_INSIDE = ("genestimators", "joblib", "sklearn")


class OutOfBagWarning(UserWarning):
    """Out-of-bag figures rest on few rows, or on none."""


class OneClassReplicateWarning(UserWarning):
    """Some replicates hold rows of one class only and predict it everywhere."""


class CoverageWarning(UserWarning):
    """Intervals or sets do not meet what the proof of their coverage asks for."""


class FewReplicatesWarning(UserWarning):
    """Standard errors rest on too few replicates to be told from their own noise."""


class UnweightedScoreWarning(UserWarning):
    """A scorer takes no sample weights, so a score does not respect them."""


class EdgeOfGridWarning(UserWarning):
    """The chosen value is the first or the last of those to choose from."""


class MissingScoreWarning(UserWarning):
    """Some candidates have no score and cannot be chosen."""


class NothingSelectedWarning(UserWarning):
    """No feature was significant, so the choice of features means nothing."""


class InterpolatingWarning(UserWarning):
    """The training loss is next to nothing, so an estimate that uses it is too good."""


class LearningCurveWarning(UserWarning):
    """A loss does not fall with the number of rows, as extrapolation takes it to."""


class SingularCovarianceWarning(UserWarning):
    """A covariance is singular, so it was shrunk towards its diagonal."""


class UndefinedTestWarning(UserWarning):
    """Nothing varies that a test could go by, so there is no p-value."""


class RepeatedRowsWarning(UserWarning):
    """Many rows are copies of others, so models are tested on what they have seen."""


class OtherDataWarning(UserWarning):
    """What was given does not seem to be the data that a fitted object came from."""


class EmptyColumnWarning(UserWarning):
    """A column has no value that anything could be learned of."""


class SmallWeightsWarning(UserWarning):
    """Weights that count as rows are so small that next to nothing is learned."""


class TooManyFactorsWarning(UserWarning):
    """More factors are asked for than there are columns that vary."""


class AuditWarning(UserWarning):
    """A path of all values does not agree with a fit of one of them."""


def warn_user(message, category):
    """Warn at the line outside this library and scikit-learn that called them."""
    level, frame = 1, sys._getframe()
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in _INSIDE:
            break
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
