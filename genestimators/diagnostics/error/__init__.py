"""The error to expect on new rows."""

from genestimators.diagnostics.error._generalization_error import generalization_error
from genestimators.diagnostics.error._result import GeneralizationError

__all__ = ["GeneralizationError", "generalization_error"]
