"""Answers of many fitted trees for the same rows, which are checked once.

A tree looks up its answers within microseconds; checking the rows takes far longer. The
look-up itself is the documented `tree_.predict`, so answers are the same to the bit.
"""

import numpy as np
from scipy import sparse
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.utils import check_array

from genestimators._delegate import tags_of

# Exactly these: a subclass may predict otherwise.
_TREES = frozenset(
    {
        DecisionTreeClassifier,
        DecisionTreeRegressor,
        ExtraTreeClassifier,
        ExtraTreeRegressor,
    }
)


def tree_rows(model, X):
    """Rows as `tree_.predict` takes them.

    Parameters
    ----------
    model : fitted estimator
        One of those that will be asked; all have its parameters.
    X : container of n rows
        Its columns are known to be those of the fit.

    Returns
    -------
    rows : ndarray or CSR matrix of float32, or None
        None where the model is no tree, or where it would refuse X: it does so in its
        own words.
    """
    if type(model) not in _TREES:
        return None
    if type(X) is np.ndarray and X.ndim == 2 and X.dtype.kind == "f" and len(X):
        with np.errstate(over="ignore"):  # infinities are found below
            rows = X.astype(np.float32, copy=False)
    else:
        try:
            rows = check_array(
                X, accept_sparse="csr", dtype=np.float32, ensure_all_finite=False
            )
        except (TypeError, ValueError):
            return None
    if sparse.issparse(rows):
        short = rows.indices.dtype == rows.indptr.dtype == np.intc
        return rows if short and _is_finite(rows.data) else None
    if _is_finite(rows):
        return rows
    missing = tags_of(model).input_tags.allow_nan and model.monotonic_cst is None
    return rows if missing and not np.isinf(rows).any() else None


def _is_finite(numbers):
    # A sum of float32 that is made in float64 cannot overflow.
    return bool(np.isfinite(numbers.sum(dtype=np.float64)))


class TreeAnswers:
    """A fitted tree that takes its rows as they are.

    Parameters
    ----------
    model : fitted decision tree
    """

    def __init__(self, model):
        self.model = model

    @property
    def classes_(self):
        return self.model.classes_

    def predict(self, rows):
        model = self.model
        value = model.tree_.predict(rows)
        one = model.n_outputs_ == 1
        if not hasattr(model, "classes_"):
            return value[:, 0] if one else value[:, :, 0]
        if one:
            return model.classes_.take(np.argmax(value, axis=1))
        labels = [
            classes.take(np.argmax(value[:, k], axis=1))
            for k, classes in enumerate(model.classes_)
        ]
        return np.column_stack(labels)

    def predict_proba(self, rows):
        model = self.model
        value = model.tree_.predict(rows)
        if model.n_outputs_ == 1:
            return value[:, : model.n_classes_]
        return [value[:, k, :n] for k, n in enumerate(model.n_classes_)]


def plain_tree(model):
    """A tree that takes its rows as they are, or another model itself."""
    return TreeAnswers(model) if type(model) in _TREES else model
