"""Losses, and what two models that share no data say of them.

Of models fitted on independent data, the loss of one is on average

    loss of one = variance + (bias^2 + noise).

Two models f and g give an estimate of both parts in each row. For squared loss
(f - g)^2 / 2 has the variance as its mean, and (y - f)(y - g) the rest, without any
bias. The Brier score is the same with probabilities, the 0-1 loss with indicators of
labels, which is the decomposition of Kohavi and Wolpert (1996). For the log-loss the
mean prediction is the normalised geometric mean (Heskes, 1998; Wood et al., 2023), and
the variance is twice what two models lose against theirs, which is right to second
order.
"""

from dataclasses import dataclass

import numpy as np

from genestimators.fitting import Response

LOSSES = ("squared_error", "brier", "log_loss", "zero_one")
NAMES = {
    "squared_error": "squared error",
    "brier": "Brier score",
    "log_loss": "log-loss",
    "zero_one": "0-1 loss",
}
_TINY = np.finfo(np.float64).eps  # the least probability, as in scikit-learn's log_loss


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss, what it asks estimators for, and how it is split.

    Attributes
    ----------
    name : str
    classes : tuple of ndarray
    """

    name: str
    classes: tuple = ()

    @property
    def response(self):
        """What a fitted estimator is asked for."""
        kinds = {"squared_error": "predict", "zero_one": "label"}
        return Response(kinds.get(self.name, "probability"), self.classes)

    def target(self, outputs):
        """The target in the form of answers, (n, width).

        Parameters
        ----------
        outputs : ndarray of shape (n, n_outputs)
        """
        if self.name == "squared_error":
            return np.asarray(outputs, dtype=np.float64)
        if self.name == "zero_one":
            return self.response.codes(outputs)
        return self.response.one_hot(outputs)

    def of_rows(self, answer, target):
        """Losses of rows, (..., n).

        Parameters
        ----------
        answer : ndarray of shape (..., n, width)
        target : ndarray of shape (n, width)
        """
        if self.name == "squared_error":
            return ((answer - target) ** 2).mean(axis=-1)
        if self.name == "zero_one":
            return (answer != target).any(axis=-1).astype(np.float64)
        if self.name == "brier":
            return self._over_classes((answer - target) ** 2)
        return -self._mean_of_outputs(np.log(_given(answer, target, self._slices)))

    def pair_terms(self, first, second, target):
        """Variance, and bias^2 + noise, that two models show in each row.

        Parameters
        ----------
        first, second : ndarray of shape (n_values, n, width)
            Answers of two models fitted on data that share no row.
        target : ndarray of shape (n, width)

        Returns
        -------
        terms : ndarray of shape (2, n_values, n)
            They add up to the mean loss of the two.
        """
        if self.name == "squared_error":
            variance = ((first - second) ** 2).mean(axis=-1) / 2
            rest = ((target - first) * (target - second)).mean(axis=-1)
            return np.stack([variance, rest])
        if self.name == "brier":
            variance = self._over_classes((first - second) ** 2) / 2
            rest = self._over_classes((target - first) * (target - second))
            return np.stack([variance, rest])
        total = (self.of_rows(first, target) + self.of_rows(second, target)) / 2
        if self.name == "zero_one":
            variance = (first != second).any(axis=-1) / 2.0
        else:
            shared = np.sqrt(_safe(first) * _safe(second))
            mass = [shared[..., own].sum(axis=-1) for own in self._slices]
            variance = -2 * np.log(np.minimum(np.stack(mass, axis=-1), 1.0)).mean(-1)
        return np.stack([variance, total - variance])

    @property
    def _slices(self):
        return self.response.slices

    def _over_classes(self, values):
        """Sums over the classes of an output, halved for two; means over outputs."""
        parts = [
            values[..., own].sum(axis=-1) * (0.5 if len(known) == 2 else 1.0)
            for own, known in zip(self._slices, self.classes, strict=True)
        ]
        return parts[0] if len(parts) == 1 else np.mean(parts, axis=0)

    def _mean_of_outputs(self, values):
        return values.mean(axis=-1)


def _safe(probability):
    return np.maximum(probability, _TINY)


def _given(answer, target, slices):
    """The probability given to what happened, (..., n, n_outputs)."""
    parts = []
    for own in slices:
        given = (answer[..., own] * target[:, own]).sum(axis=-1)
        parts.append(np.clip(given / answer[..., own].sum(axis=-1), _TINY, 1 - _TINY))
    return np.stack(parts, axis=-1)


def resolve_loss(name, problem):
    """The loss that a name means for an estimator and its data.

    Raises
    ------
    ValueError
        If the loss has no meaning for the estimator.
    """
    probabilities = hasattr(problem.estimator, "predict_proba")
    if name == "auto":
        name = "squared_error"
        if problem.classifier:
            name = "brier" if probabilities else "zero_one"
    of_classes = name != "squared_error"
    if of_classes != problem.classifier:
        kind = "classifiers" if of_classes else "regressors"
        own = "a classifier" if problem.classifier else "a regressor"
        good = '"brier", "log_loss" or "zero_one"' if not of_classes else None
        good = good or '"squared_error"'
        raise ValueError(
            f"loss={name!r} is one of {kind}, and {problem.estimator!r} is {own}; set "
            f'`loss` to {good}, or leave it at "auto".'
        )
    if name in ("brier", "log_loss") and not probabilities:
        raise ValueError(
            f"loss={name!r} needs probabilities, and {problem.estimator!r} has no "
            '`predict_proba`; set loss="zero_one", or calibrate the estimator with '
            "sklearn.calibration.CalibratedClassifierCV."
        )
    return Loss(name, problem.classes)
