"""What a fitted estimator answers, as a plain array aligned to the classes.

Members of an ensemble may have seen different classes, return probabilities as one
array or as a list of them, and decisions in one column or several. Here each answer
becomes an array of shape (n_rows, width) that can be added to that of any other
member.
"""

from dataclasses import dataclass

import numpy as np

from genestimators._inputs import n_rows_of
from genestimators.fitting._paths import Path

LOG_FLOOR = 2.0**-26  # probabilities below this are this when logarithms are averaged


def response_kind(estimator, aggregate, *, classifier, multi_output=False):
    """Which answer of an estimator is averaged.

    Parameters
    ----------
    estimator : estimator
    aggregate : str
        The `aggregate` parameter of a bag.

    Returns
    -------
    {"predict", "probability", "log_probability", "decision", "vote"}
    """
    if not classifier:
        return "predict"
    if aggregate == "vote":
        return "vote"
    if hasattr(estimator, "predict_proba"):
        return "log_probability" if aggregate == "logit" else "probability"
    decides = hasattr(estimator, "decision_function") and not multi_output
    if decides and not _one_against_one(estimator):
        return "decision"
    return "vote"


def _one_against_one(estimator):
    """Whether decisions are of pairs of classes, which do not point to a class."""
    if not hasattr(estimator, "get_params"):
        return False
    return any(
        value == "ovo"
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "decision_function_shape"
    )


@dataclass(frozen=True, eq=False)
class Response:
    """Asks fitted estimators for one kind of answer.

    Attributes
    ----------
    kind : str
        See `response_kind`.
    classes : tuple of ndarray
        The classes of each output; empty for a regressor.
    """

    kind: str
    classes: tuple = ()

    @property
    def width(self):
        """Columns of an answer of a classifier."""
        if self.kind == "decision":
            return 1 if len(self.classes[0]) == 2 else len(self.classes[0])
        return sum(len(labels) for labels in self.classes)

    @property
    def slices(self):
        """The columns of each output."""
        ends = np.cumsum([len(labels) for labels in self.classes])
        return [
            slice(end - len(labels), end)
            for end, labels in zip(ends, self.classes, strict=True)
        ]

    def __call__(self, model, X, params=None):
        """The answer of a fitted estimator, ndarray of shape (n_rows, width).

        A path answers with its values in front, (n_values, n_rows, width).

        Raises
        ------
        ValueError
            If there is not one answer a row.
        """
        answer = self._ask(model, X, params or {})
        n_rows = n_rows_of(X)
        if answer.shape[-2] != n_rows:
            raise ValueError(
                f"A model must answer for each of the {n_rows} rows that it is asked "
                f"about. Got {answer.shape[-2]} answers; see what it predicts."
            )
        return answer

    def _ask(self, model, X, params):
        lead = 2 if isinstance(model, Path) else 1
        if self.kind == "predict":
            answer = np.asarray(model.predict(X, **params), dtype=np.float64)
            return answer.reshape(*answer.shape[:lead], -1)
        if self.kind in ("vote", "label"):
            labels = np.asarray(model.predict(X, **params))
            labels = labels.reshape(*labels.shape[:lead], -1)
            return self.codes(labels) if self.kind == "label" else self.one_hot(labels)
        if self.kind == "decision":
            return self._decisions(model, model_decision(model, X, params), lead)
        answer = self._probabilities(model, model.predict_proba(X, **params))
        if self.kind == "log_probability":
            answer = np.log(np.maximum(answer, LOG_FLOOR))
        return answer

    def codes(self, labels):
        """Labels (..., n_outputs) as positions in the classes, as numbers."""
        out = np.empty(labels.shape)
        for j, known in enumerate(self.classes):
            column = labels[..., j]
            place = np.minimum(np.searchsorted(known, column), len(known) - 1)
            unknown = known[place] != column
            if unknown.any():
                raise ValueError(
                    "A classifier must predict labels it was fitted on, which are "
                    f"{known.tolist()!r}. Got {column[unknown].tolist()[0]!r}."
                )
            out[..., j] = place
        return out

    def one_hot(self, labels):
        """Labels as indicators of the classes, (..., sum of n_classes).

        Parameters
        ----------
        labels : ndarray of shape (n,) or (..., n_outputs)
        """
        labels = np.asarray(labels)
        if labels.ndim == 1:
            labels = labels[:, None]
        hot = [
            np.stack([labels[..., j] == label for label in known])
            for j, known in enumerate(self.classes)
        ]
        if not all(part.any(axis=0).all() for part in hot):
            self.codes(labels)  # says which label is not known
        return np.moveaxis(np.concatenate(hot), 0, -1).astype(np.float64, order="C")

    def _probabilities(self, model, answer):
        if len(self.classes) == 1:
            return _aligned(answer, model.classes_, self.classes[0])
        if not isinstance(answer, list):  # multilabel: probability of each label
            # A label that every row has, or none, has one class only.
            columns = np.moveaxis(np.asarray(answer), -1, 0)
            answer = [
                np.stack([1 - column, column], axis=-1)
                if len(known) == 2
                else np.ones((*column.shape, 1))
                for column, known in zip(columns, self.classes, strict=True)
            ]
            seen = self.classes
        else:
            # Not said by one that has learned in batches: it was told all of them.
            seen = getattr(model, "classes_", self.classes)
        return np.concatenate(
            [
                _aligned(part, labels, known)
                for part, labels, known in zip(answer, seen, self.classes, strict=True)
            ],
            axis=-1,
        )

    def _decisions(self, model, answer, lead):
        classes, seen = self.classes[0], model.classes_
        answer = np.asarray(answer, dtype=np.float64)
        if len(seen) == 1:  # it knows one class: that one, by a margin of one
            own = np.searchsorted(classes, seen[0])
            shape = answer.shape[:lead]
            if len(classes) == 2:
                return np.full((*shape, 1), 2.0 * own - 1.0)
            out = np.full((*shape, len(classes)), -1.0)
            out[..., own] = 1.0
            return out
        if len(classes) == 2:
            return answer.reshape(*answer.shape[:lead], 1)
        if answer.ndim == lead:
            answer = np.stack([-answer, answer], axis=-1)
        # A class it has not seen is never what it prefers.
        out = np.repeat(answer.min(axis=-1)[..., None], len(classes), axis=-1)
        out[..., np.searchsorted(classes, seen)] = answer
        return out


@dataclass(frozen=True, eq=False)
class JointResponse:
    """Asks for several kinds of answer at once, one beside the other.

    Attributes
    ----------
    parts : tuple of Response
    """

    parts: tuple

    @property
    def classes(self):
        """The classes of each output."""
        return self.parts[0].classes

    def __call__(self, model, X, params=None):
        """The answers in one array, (..., n_rows, sum of widths)."""
        return np.concatenate([part(model, X, params) for part in self.parts], axis=-1)

    def split(self, answer, n_outputs):
        """The answers to each part, as a dict by its kind."""
        found, start = {}, 0
        for part in self.parts:
            width = n_outputs if part.kind in ("predict", "label") else part.width
            found[part.kind] = answer[..., start : start + width]
            start += width
        return found


def model_decision(model, X, params):
    """The decision function of a model; a model of one class has none to speak of."""
    if len(model.classes_) == 1:
        return np.zeros(np.shape(model.predict(X)))
    return model.decision_function(X, **params)


def _aligned(answer, seen, classes):
    """Columns for the classes seen, put in the columns of all classes."""
    answer = np.asarray(answer, dtype=np.float64)
    if len(seen) == len(classes):
        return answer
    out = np.zeros((*answer.shape[:-1], len(classes)))
    out[..., np.searchsorted(classes, seen)] = answer
    return out
