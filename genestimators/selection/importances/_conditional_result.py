"""What a conditional importance found, in numbers and in words."""

from dataclasses import dataclass

import numpy as np

from genestimators._results import Result, html_table

MOST_LINES = 15


@dataclass(frozen=True, eq=False)
class ConditionalImportance(Result):
    """How much worse a score gets without what only one feature tells.

    A unit is a feature, or a group of features that was replaced together.

    Attributes
    ----------
    importances_mean : ndarray of shape (n_units,)
        Score on the rows as they are less the mean score with the unit replaced.
    importances_std_error : ndarray of shape (n_units,)
        Of other rows being drawn, paired over rows, where `by_rows`; else only of
        other repeats on the same rows.
    p_values : ndarray of shape (n_units,) or None
        One-sided, of the hypothesis that the unit does not help given the others: that
        the mean is not above zero. Valid on rows that the estimator was not fitted on;
        NaN where they are fewer than three.
        None where the standard error knows nothing of the rows.
    names : ndarray of shape (n_units,)
        Names of features, or labels of groups.
    score : float
        Score on the rows as they are.
    scoring : str
    by_rows : bool
        Whether the score is a function of a mean over rows.
    method : {"closed_form", "permutation"}
        Whether the mean is over all permutations at once, or over some.
    n_repeats : int or None
        Permutations of each unit; None of the closed form.
    n_rows : int
    penalties : ndarray of shape (n_units,)
        Ridge penalty of the regression of each unit on the others, in units of the
        correlation matrix.
    """

    importances_mean: np.ndarray
    importances_std_error: np.ndarray
    p_values: np.ndarray | None
    names: np.ndarray
    score: float
    scoring: str
    by_rows: bool
    method: str
    n_repeats: int | None
    n_rows: int
    penalties: np.ndarray

    def __str__(self):
        order = self._order()
        lines = [self._headline()]
        width = max(len(str(name)) for name in self.names[order])
        for unit in order:
            cells = " ".join(self._cells(unit))
            lines.append(f"  {self.names[unit]!s:<{width}} {cells}")
        more = len(self.names) - len(order)
        if more:
            lines.append(f"  and {more} more")
        return "\n".join(lines)

    def _repr_html_(self):
        columns = self.importances_mean, self.importances_std_error
        texts = [(".4g", columns[0]), (".2g", columns[1])]
        texts += [] if self.p_values is None else [(".2g", self.p_values)]
        head = ("unit", "importance", "std. error", "p-value")[: 1 + len(texts)]
        rows = (
            [str(self.names[unit]), *(f"{own[unit]:{form}}" for form, own in texts)]
            for unit in self._order()
        )
        return html_table(self._headline(), head, rows)

    def _order(self):
        """The greatest first, as many as are shown."""
        order = np.argsort(-self.importances_mean, kind="stable")
        return order[:MOST_LINES]

    def _headline(self):
        how = "all permutations at once"
        if self.n_repeats is not None:
            how = f"{self.n_repeats} permutation{'s' if self.n_repeats > 1 else ''}"
        of = "rows" if self.by_rows else "repeats"
        return (
            f"Drop of {self.scoring} ({self.score:.4g} on {self.n_rows} rows) without "
            f"what each tells beyond the others, by {how}; standard errors over {of}:"
        )

    def _cells(self, unit):
        error = self.importances_std_error[unit]
        yield f"{self.importances_mean[unit]: .4g}"
        if not np.isnan(error):
            yield f"+- {error:.2g}"
        if self.p_values is not None:
            yield f"(p {self.p_values[unit]:.2g})"
