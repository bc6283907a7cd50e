"""What kind of target it is, whether it can be halved, and what scores it."""

from numbers import Real

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import get_scorer_names
from sklearn.utils.multiclass import type_of_target

from genestimators.resampling._draws import MAX_OCCURRENCES

SQUARED = (None, "r2", "neg_mean_squared_error", "neg_root_mean_squared_error")


def check_scoring_of(scoring, estimator):
    """Refuse names that no scorer has, and scores of predictions nobody makes."""
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        raise ValueError(
            "`scoring` must be None, a callable or the name of a scorer (see "
            f"sklearn.metrics.get_scorer_names()). Got {scoring!r}."
        )
    if estimator is None and scoring not in SQUARED:
        raise ValueError(
            "`scoring` needs an `estimator` whose predictions are scored; with "
            "estimator=None nested models are scored by squared error. Got "
            f"{scoring!r}; pass an estimator, or leave scoring=None."
        )


def holds_classes(estimator, y):
    """Whether y holds classes: the estimator knows, or the kind of y tells."""
    if estimator is not None:
        return is_classifier(estimator)
    y = np.asarray(y)
    if y.dtype.kind == "O" and all(
        item is None or _is_number(item) for item in y.ravel().tolist()
    ):
        y = y.astype(np.float64)
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        return False  # refused later on, in better words
    if y.dtype.kind not in "fiu":
        return True
    return type_of_target(y) == "binary" and len(np.unique(y)) == 2


def _is_number(item):
    return isinstance(item, Real) and not isinstance(item, bool | np.bool_)


def are_counts(weight):
    """Whether weights are whole, so that each is a number of rows."""
    return weight is None or bool((weight == np.floor(weight)).all())


def check_counts(weight):
    """Refuse whole weights that would stand for too many rows."""
    if weight is None or not are_counts(weight):
        return
    mean = weight[weight > 0].mean()
    if mean > MAX_OCCURRENCES:
        raise ValueError(
            "Whole weights are numbers of rows and must not come to more than "
            f"{MAX_OCCURRENCES} rows on average. Got a mean of {mean:.6g}; divide them "
            "by the largest, which makes them relative."
        )


def of_mean_one(weight):
    """Relative weights with a mean of one over rows that have some; counts as they are.

    Parameters
    ----------
    weight : ndarray of shape (n,) or None
    """
    return weight if are_counts(weight) else weight / weight[weight > 0].mean()


def check_halves(y, weight):
    """Refuse classes of which not every half can have a row."""
    weight = np.ones(len(y)) if weight is None else weight
    y, weight = y[weight > 0], weight[weight > 0]
    if not are_counts(weight):  # rows are drawn, and halves get half of them
        weight = np.ones(len(y))
    for output in (y[:, None] if y.ndim == 1 else y).T:
        classes, codes = np.unique(output, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                "Classifier selection needs at least two classes in y. Got one class, "
                f"{classes.tolist()[0]!r}."
            )
        counts = np.bincount(codes, weights=weight)
        lacking = np.flatnonzero(counts < 2)
        if len(lacking):
            raise ValueError(
                "Each half of the rows must hold every class, so a class needs at "
                "least two rows, or one that counts as two. Got "
                f"a weight of {counts[lacking[0]]:g} for class "
                f"{classes.tolist()[lacking[0]]!r}; leave the class out, or join it "
                "with another."
            )
