"""The error to expect of a model, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from genestimators._results import Result
from genestimators.diagnostics._estimates_display import EstimatesDisplay, confidence

METHODS = {
    "subsampling": "folds and halves",
    "nested_cv": "nested cross-validation",
    "corrected_t": "corrected resampled t",
    "conservative_z": "conservative z",
    "cross_validation": "cross-validation",
    ".632": ".632 bootstrap",
    ".632+": ".632+ bootstrap",
    "optimism": "bootstrap of the optimism",
}


@dataclass(frozen=True)
class GeneralizationError(Result):
    """What a model will score on new rows.

    Attributes
    ----------
    score : float
        To expect on new rows, greater is better: of the model fitted on all rows, and
        of such models on average.
    std_error : float
    interval : tuple of float
        Confidence interval. It is not symmetric: a loss cannot be negative, a share not
        above one.
    confidence_level : float
    training_score : float
        Of a fit on all rows on the same rows.
    gap : float
        The training score less `score`. A large one is no fault by itself.
    method : str
        That was used, if "auto" was asked for the one that it stood for.
    scoring : str
    n_samples : int
        Rows of positive weight.
    n_fits : int
    """

    score: float
    std_error: float
    interval: tuple
    confidence_level: float
    training_score: float
    gap: float
    method: str
    scoring: str
    n_samples: int
    n_fits: int

    def __str__(self):
        low, high = self.interval
        return (
            f"{self.scoring} to expect on new rows: {self.score:.4g} ({low:.4g} to "
            f"{high:.4g} at {self.confidence_level:.0%} confidence; "
            f"{METHODS[self.method]}, {self.n_fits} fits).\n"
            f"On the {self.n_samples} training rows: {self.training_score:.4g}."
        )

    def plot(self, *, ax=None):
        """Draw the score to expect with its interval, and that on the training rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EstimatesDisplay
        """
        return EstimatesDisplay(
            names=["on new rows", "on the training rows"],
            estimates=[self.score, self.training_score],
            intervals=[self.interval, (np.nan, np.nan)],
            notes=["", f"gap {self.gap:.3g}"],
            x_name=(
                f"{self.scoring} ({confidence(self.confidence_level)})\n"
                f"{self.n_samples} rows; {METHODS[self.method]}, {self.n_fits} fits"
            ),
        ).plot(ax=ax)
