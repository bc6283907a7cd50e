"""What was chosen, against what, by how much, with which uncertainty."""

from dataclasses import dataclass

import numpy as np

from genestimators._results import Result


@dataclass(frozen=True)
class Choice(Result):
    """The outcome of choosing a penalty strength, in numbers and in words.

    Attributes
    ----------
    param : str
        Name of the parameter.
    value : object
        The chosen value.
    score, score_std_error : float
        Its mean validation score, greater is better, and the standard error.
    gap, gap_std_error : float
        Its training score minus its validation score.
    best_value : object
        The value with the best mean validation score.
    best_score : float
    best_gap : float
    given_up, given_up_std_error : float
        How much lower the score of the chosen value is, with the standard error of
        the paired difference.
    n_values : int
        Candidates compared.
    n_admissible : int
        Candidates that the rule considered tied.
    rule : str
    reason : str
        What decided.
    edge : str
        Empty, or at which end of the values the choice lies.
    """

    param: str
    value: object
    score: float
    score_std_error: float
    gap: float
    gap_std_error: float
    best_value: object
    best_score: float
    best_gap: float
    given_up: float
    given_up_std_error: float
    n_values: int
    n_admissible: int
    rule: str
    reason: str
    edge: str

    def __str__(self):
        lines = [
            f"Chosen: {self.param} = {_value(self.value)}, since {self.reason}.",
            f"Validation score {_number(self.score, self.score_std_error)}, "
            f"gap {_number(self.gap, self.gap_std_error)}.",
        ]
        if not _same(self.value, self.best_value):
            less = self.best_gap - self.gap
            lines.append(
                f"Against the best score, {self.param} = {_value(self.best_value)} "
                f"({self.best_score:.4g}, gap {self.best_gap:.3g}): "
                f"{_number(self.given_up, self.given_up_std_error)} given up, "
                f"the gap {abs(less):.3g} {'larger' if less < 0 else 'smaller'}."
            )
        lines.append(
            f"{self.n_admissible} of {self.n_values} values were admissible to the "
            f"rule {self.rule!r}."
        )
        if self.edge:
            lines.append(
                f"It lies at the {self.edge} end of the values: a better one may lie "
                "beyond."
            )
        return "\n".join(lines)


def _same(a, b):
    return a is b or a == b


def _value(value):
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)


def _number(value, error):
    if np.isnan(error):
        return f"{value:.4g}"
    return f"{value:.4g} +- {error:.2g}"
