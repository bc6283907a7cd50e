"""Families against clone-and-refit: the check that every family has to pass."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import KFold

from genestimators import Folds
from genestimators._inputs import take_rows
from genestimators.fitting import Response, read_over


@dataclass(frozen=True)
class BothSides:
    """Reads answers for out-of-bag and training rows, and which family answered."""

    response: object

    def __call__(self, fit):
        out, trained = [], []
        path = fit.path
        for rows, collected in ((fit.out_of_bag, out), (fit.rows, trained)):
            asked = take_rows(fit.X, rows)
            collected += [self.response(part, asked) for part in path.parts(len(rows))]
        return np.concatenate(out), np.concatenate(trained), path.family


def responses_of(estimator, y):
    """Every kind of answer that an estimator has."""
    if not is_classifier(estimator):
        return [Response("predict")]
    columns = y.reshape(len(y), -1)
    classes = tuple(np.unique(column) for column in columns.T)
    kinds = ["label"]
    if hasattr(estimator, "predict_proba"):
        kinds.append("probability")
    if hasattr(estimator, "decision_function") and len(classes) == 1:
        kinds.append("decision")
    return [Response(kind, classes) for kind in kinds]


def assert_equals_refits(
    estimator,
    param,
    values,
    X,
    y,
    *,
    sample_weight=None,
    cv=None,
    rtol=1e-10,
    atol=0.0,
    served=True,
):
    """Answers of the family equal those of a clone fitted for each value.

    Parameters
    ----------
    estimator, param, values, X, y
        As `read_over` takes them.
    sample_weight : ndarray of shape (n,), default=None
    cv : splitter, default=None
        None is three shuffled folds.
    rtol, atol : float
        0 and 0 ask for the same bits. Labels are always compared exactly.
    served : bool
        Whether a family is expected to do the work; False expects the generic engine
        to have been used.
    """
    cv = KFold(3, shuffle=True, random_state=0) if cv is None else cv
    y = np.asarray(y)
    draws = Folds(cv).prepare(X, y, sample_weight, classifier=is_classifier(estimator))
    for response in responses_of(estimator, y):
        answers = {}
        for families in (True, False):
            answers[families] = [
                result
                for *_, result in read_over(
                    estimator,
                    X,
                    y,
                    draws,
                    range(len(draws)),
                    reading=BothSides(response),
                    param=param,
                    values=values,
                    families=families,
                    classes=response.classes,
                )
            ]
        for fast, slow in zip(answers[True], answers[False], strict=True):
            assert (fast[2] is not None) == served
            assert slow[2] is None
            for side in (0, 1):
                assert fast[side].shape == slow[side].shape
                if response.kind == "label" or (rtol == 0 and atol == 0):
                    np.testing.assert_array_equal(fast[side], slow[side])
                else:
                    np.testing.assert_allclose(
                        fast[side], slow[side], rtol=rtol, atol=atol
                    )
