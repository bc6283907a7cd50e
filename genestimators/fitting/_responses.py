"""What a fitted estimator answers, as a plain array aligned to the classes.

Members of an ensemble may have seen different classes, return probabilities as one
array or as a list of them, and decisions in one column or several. Here each answer
becomes an array of shape (n_rows, width) that can be added to that of any other
member.
"""

from dataclasses import dataclass

import numpy as np

KINDS = ("predict", "probability", "log_probability", "decision", "vote")
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
        """The answer of a fitted estimator, ndarray of shape (n_rows, width)."""
        params = params or {}
        if self.kind == "predict":
            answer = np.asarray(model.predict(X, **params), dtype=np.float64)
            return answer.reshape(len(answer), -1)
        if self.kind == "vote":
            return self.one_hot(model.predict(X, **params))
        if self.kind == "decision":
            return self._decisions(model, model_decision(model, X, params))
        answer = self._probabilities(model, model.predict_proba(X, **params))
        if self.kind == "log_probability":
            answer = np.log(np.maximum(answer, LOG_FLOOR))
        return answer

    def one_hot(self, labels):
        """Labels of rows as indicators of the classes, (n_rows, sum of n_classes)."""
        labels = np.asarray(labels)
        columns = labels.reshape(len(labels), -1)
        out = np.zeros((len(labels), sum(len(known) for known in self.classes)))
        rows = np.arange(len(labels))
        for column, part, known in zip(
            columns.T, self.slices, self.classes, strict=True
        ):
            place = np.minimum(np.searchsorted(known, column), len(known) - 1)
            unknown = known[place] != column
            if unknown.any():
                raise ValueError(
                    "A classifier must predict labels it was fitted on, which are "
                    f"{known.tolist()!r}. Got {column[unknown].tolist()[0]!r}."
                )
            out[rows, part.start + place] = 1.0
        return out

    def _probabilities(self, model, answer):
        if len(self.classes) == 1:
            return _aligned(answer, model.classes_, self.classes[0])
        if not isinstance(answer, list):  # multilabel: probability of each label
            # A label that every row has, or none, has one class only.
            answer = [
                np.column_stack([1 - column, column])
                if len(known) == 2
                else np.ones((len(column), 1))
                for column, known in zip(
                    np.asarray(answer).T, self.classes, strict=True
                )
            ]
            seen = self.classes
        else:
            seen = model.classes_
        return np.hstack(
            [
                _aligned(part, labels, known)
                for part, labels, known in zip(answer, seen, self.classes, strict=True)
            ]
        )

    def _decisions(self, model, answer):
        classes, seen = self.classes[0], model.classes_
        if len(seen) == 1:  # it knows one class: that one, by a margin of one
            own = np.searchsorted(classes, seen[0])
            if len(classes) == 2:
                return np.full((len(answer), 1), 2.0 * own - 1.0)
            out = np.full((len(answer), len(classes)), -1.0)
            out[:, own] = 1.0
            return out
        answer = np.asarray(answer, dtype=np.float64)
        if len(classes) == 2:
            return answer.reshape(-1, 1)
        if answer.ndim == 1:
            answer = np.column_stack([-answer, answer])
        # A class it has not seen is never what it prefers.
        out = np.repeat(answer.min(axis=1)[:, None], len(classes), axis=1)
        out[:, np.searchsorted(classes, seen)] = answer
        return out


def model_decision(model, X, params):
    """The decision function of a model; a model of one class has none to speak of."""
    if len(model.classes_) == 1:
        return np.zeros(len(model.predict(X)))
    return model.decision_function(X, **params)


def _aligned(answer, seen, classes):
    """Columns for the classes seen, put in the columns of all classes."""
    answer = np.asarray(answer, dtype=np.float64)
    if len(seen) == len(classes):
        return answer
    out = np.zeros((len(answer), len(classes)))
    out[:, np.searchsorted(classes, seen)] = answer
    return out
