"""Families against clone-and-refit: the check that every family has to pass."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold

from genestimators import Folds
from genestimators._inputs import take_rows
from genestimators.fitting import JointResponse, Response, read_over

FOLDS = KFold(3, shuffle=True, random_state=0)


@dataclass(frozen=True)
class EveryAnswer:
    """Reads answers for out-of-bag and training rows, and which family answered."""

    response: object

    def __call__(self, fit):
        asked = [take_rows(fit.X, rows) for rows in (fit.out_of_bag, fit.rows)]
        # One pass over the parts: the generic engine fits when a part is asked for.
        found = [
            np.concatenate([self.response(part, rows) for rows in asked], axis=1)
            for part in fit.path.parts(len(fit.out_of_bag) + len(fit.rows))
        ]
        return np.concatenate(found), fit.path.family


class TrainingErrors:
    """Reads the training errors that the path knows, and computes them."""

    def __call__(self, fit):
        answer = fit.path.predict(fit.X[fit.rows])
        answer = answer.reshape(len(answer), len(fit.rows), -1)
        target = fit.y[fit.rows].reshape(len(fit.rows), -1)
        errors = np.average((answer - target) ** 2, axis=1, weights=fit.weight)
        return fit.path.training_squared_error(), errors


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
    cv=FOLDS,
    rtol=1e-10,
    atol=0.0,
    served=True,
):
    """Answers of the family equal those of a clone fitted for each value.

    Every kind of answer that the estimator has is compared, for out-of-bag and for
    training rows.

    Parameters
    ----------
    estimator, param, values, X, y
        As `read_over` takes them.
    sample_weight : ndarray of shape (n,), default=None
    cv : splitter or list of (train, test), default=FOLDS
    rtol, atol : float
        0 and 0 ask for the same bits. Labels are always compared exactly.
    served : bool
        Whether a family is expected to do the work; False expects the generic engine
        to have been used.
    """
    y = np.asarray(y)
    draws = Folds(cv).prepare(X, y, sample_weight, classifier=is_classifier(estimator))
    # All kinds at once: a refit answers them all.
    response = JointResponse(tuple(responses_of(estimator, y)))
    fast, slow = (
        read_over(
            estimator,
            X,
            y,
            draws,
            range(len(draws)),
            reading=EveryAnswer(response),
            param=param,
            values=values,
            families=families,
            classes=response.classes,
        )
        for families in (True, False)
    )
    n_outputs = 1 if y.ndim == 1 else y.shape[1]
    for (*_, ours), (*_, theirs) in zip(fast, slow, strict=True):
        (own, family), (expected, engine) = ours, theirs
        assert (family is not None) == served
        assert engine is None
        assert own.shape == expected.shape
        own, expected = (response.split(one, n_outputs) for one in (own, expected))
        for kind in own:
            if kind == "label" or (rtol == 0 and atol == 0):
                np.testing.assert_array_equal(own[kind], expected[kind])
            else:
                np.testing.assert_allclose(
                    own[kind], expected[kind], rtol=rtol, atol=atol
                )


def assert_refuses_as_a_fit_does(estimator, param, X, y, *, match):
    """A regressor's family raises ValueError in the words of the estimator itself."""
    draws = Folds(KFold(3)).prepare(X, y)
    with pytest.raises(ValueError, match=match) as expected:
        clone(estimator).fit(X, y)
    with pytest.raises(ValueError, match=match) as raised:
        list(
            read_over(
                estimator,
                X,
                y,
                draws,
                range(3),
                reading=EveryAnswer(Response("predict")),
                param=param,
                values=[1.0],
            )
        )
    assert str(expected.value).splitlines()[0] in str(raised.value)
