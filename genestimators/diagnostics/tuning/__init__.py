"""The score to expect of what was chosen for its score."""

from genestimators.diagnostics.tuning._after_choice import CorrectedScore
from genestimators.diagnostics.tuning._corrected_score import selection_corrected_score

__all__ = ["CorrectedScore", "selection_corrected_score"]
