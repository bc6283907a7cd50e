"""What a decomposition of the loss found, in numbers and in words."""

from dataclasses import dataclass

import numpy as np

from genestimators._results import Result, html_table
from genestimators.diagnostics.decomposition._losses import NAMES


@dataclass(frozen=True, eq=False)
class BiasVarianceDecomposition(Result):
    """The expected loss of a learner in two parts, at its full number of rows.

    Figures are losses: smaller is better. Standard errors (``std_errors``) are over
    other rows and other subsamples.

    Attributes
    ----------
    loss : {"squared_error", "brier", "log_loss", "zero_one"}
    n_samples : int
        Rows of the data: what figures are extrapolated to.
    variance : float
        How much of the loss comes from the training data being a sample: what
        averaging over many samples would take away. For the 0-1 loss that of Kohavi
        and Wolpert (1996).
    bias_and_noise : float
        The rest: bias^2 and noise, which cannot be told apart without repeated rows.
    total : float
        Their sum, the expected loss of a model fitted on all rows.
    variance_share : float
        Of the variance in the total.
    std_errors : dict
        Of the four figures above.
    noise_upper_bound : float
        What noise does not exceed, as far as it is known.
    noise_bounds : dict
        The bounds it is the least of, by where they come from.
    bias_range : tuple of two float
        Between which bias^2 lies: up to all of `bias_and_noise`, and down to what the
        bound on noise leaves of it.
    seed_variance : float
        The part of the variance, at the largest size, that comes from the learner's own
        random numbers; 0 where it has none.
    sizes : ndarray of shape (n_sizes,)
        Rows in a model.
    variance_at_sizes, bias_and_noise_at_sizes : ndarray of shape (n_sizes,)
        The figures they were extrapolated from.
    std_errors_at_sizes : dict
        Of these two.
    sample_variance, sample_bias_and_noise : ndarray of shape (n,)
        The parts of each row, at the largest size; NaN where a row was in all models.
        Single rows are noisy, and the second part can be negative.
    terms : dict
        For the 0-1 loss further terms at the largest size, of James (2003) and of
        Domingos (2000); else empty.
    n_pairs : int
        Pairs of models at each size.
    n_fits : int
    monte_carlo_std_errors : dict
        The part of the standard errors of variance and of bias^2 + noise that more
        pairs would take away.
    """

    loss: str
    n_samples: int
    variance: float
    bias_and_noise: float
    total: float
    variance_share: float
    std_errors: dict
    noise_upper_bound: float
    noise_bounds: dict
    bias_range: tuple
    seed_variance: float
    sizes: np.ndarray
    variance_at_sizes: np.ndarray
    bias_and_noise_at_sizes: np.ndarray
    std_errors_at_sizes: dict
    sample_variance: np.ndarray
    sample_bias_and_noise: np.ndarray
    terms: dict
    n_pairs: int
    n_fits: int
    monte_carlo_std_errors: dict

    def __str__(self):
        lines = [self._headline()]
        width = max(len(name) for name, *_ in self._rows())
        for name, value, error, remark in self._rows():
            cells = f"{value: .4g}" + (f" +- {error:.2g}" if np.isfinite(error) else "")
            lines.append(f"  {name:<{width}} {cells}{remark}")
        return "\n".join(lines)

    def _repr_html_(self):
        rows = (
            (name, f"{value:.4g}", f"{error:.2g}", remark.strip(" ,"))
            for name, value, error, remark in self._rows()
        )
        return html_table(self._headline(), ("part", "loss", "std. error", ""), rows)

    def plot(self, *, ax=None):
        """Draw the parts against the number of training rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : BiasVarianceDisplay
        """
        from genestimators.diagnostics.decomposition._display import BiasVarianceDisplay

        return BiasVarianceDisplay.from_decomposition(self, ax=ax)

    def _headline(self):
        return (
            f"Expected {NAMES[self.loss]} of a fit on {self.n_samples} rows "
            f"({self.n_pairs} pairs of fits on {_listed(self.sizes)} rows that share "
            "none):"
        )

    def _rows(self):
        share = ""
        if np.isfinite(self.variance_share):
            low, high = (
                self.variance_share
                + np.array([-2, 2]) * self.std_errors["variance_share"]
            )
            share = f", {_percent(self.variance_share)} % of it"
            if np.isfinite(low):
                low, high = max(low, 0.0), min(high, 1.0)
                share += f" ({_percent(low)} to {_percent(high)})"
        yield "total", self.total, self.std_errors["total"], ""
        yield "variance", self.variance, self.std_errors["variance"], share
        if self.seed_variance > 0:
            yield (
                "  of it by seed", self.seed_variance, np.nan,
                f", at {self.sizes[-1]:g} rows",
            )  # fmt: skip
        yield (
            "bias^2 + noise",
            self.bias_and_noise,
            self.std_errors["bias_and_noise"],
            f", noise at most {self.noise_upper_bound:.4g}",
        )


def _percent(share):
    return f"{100 * share:.0f}"


def _listed(sizes):
    texts = [f"{size:g}" for size in np.round(sizes, 1)]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + f" and {texts[-1]}"
