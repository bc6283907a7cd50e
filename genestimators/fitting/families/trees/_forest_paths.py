"""Paths of ensembles that average their members: forests and bags.

Each member is asked once for all values, and only the sum of the answers is kept. Where
members saw a part of the rows, training rows can be answered out of the bag, each by
the members that did not see it [1]_.

References
----------
.. [1] Breiman, L. (1996). Out-of-bag estimation. Technical report, Department of
   Statistics, University of California, Berkeley.
"""

from copy import copy

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from genestimators.fitting._paths import Path, parts_of


def means_of_first(answers, numbers, n_rows):
    """Mean answers of the first members, for some numbers of members.

    Parameters
    ----------
    answers : iterable of (rows, answer)
        Of each member: the rows it answers, a slice or an array of int, and an array
        of shape (n_answered, ...), or None if there are no such rows.
    numbers : sequence of int
    n_rows : int

    Returns
    -------
    means : ndarray of shape (len(numbers), n_rows, ...)
        Zero for a row that no member has answered.
    """
    total, found, most = None, {}, max(numbers)
    n_answers = np.zeros(n_rows)
    for number, (rows, answer) in enumerate(answers, start=1):
        if total is None and answer is not None:
            total = np.zeros((n_rows, *answer.shape[1:]))
        if answer is not None:
            total[rows] += answer
            n_answers[rows] += 1
        if number in numbers:
            divisor = np.maximum(n_answers, 1)
            found[number] = total / divisor.reshape(-1, *[1] * (total.ndim - 1))
        if number == most:
            break
    return np.stack([found[number] for number in numbers])


class EnsemblePath(Path):
    """Ensembles that hold what one fitted ensemble holds, or a part of it.

    Parameters
    ----------
    fitted : fitted ensemble
    param : str
    values : sequence
    n_rows : int
        How many rows it was fitted on.
    scored : bool
        Whether models have to have the out-of-bag scores that fits give them.
    """

    def __init__(self, fitted, param, values, n_rows, *, scored):
        self.fitted = fitted
        self.scored = scored
        self.param = param
        self.values = values
        self.n_rows = n_rows
        self.out_of_bag = False
        # One bit for each member and row: whether the row was left out.
        self.left_out = np.stack(
            [_left_out(rows, n_rows) for rows in fitted.estimators_samples_]
        )

    @property
    def n_values(self):
        return len(self.values)

    @property
    def n_used(self):
        """The least number of members that answer at some value."""
        return len(self.left_out)

    def training(self):
        covered = np.bitwise_or.reduce(self.left_out[: self.n_used])
        covered = np.unpackbits(covered, count=self.n_rows).astype(bool)
        if not covered.any():
            return self
        path = copy(self)
        path.out_of_bag = True
        path.covered = covered
        return path

    def _answers(self, X, ask):
        """For each member k the rows it answers, and `ask(k, X)` for those rows."""
        for k, left_out in enumerate(self.left_out):
            rows = slice(None)
            if self.out_of_bag:
                rows = np.flatnonzero(np.unpackbits(left_out, count=self.n_rows))
            none = self.out_of_bag and not len(rows)
            yield rows, None if none else ask(k, X[rows])

    def take(self, which):
        """The path of a slice of the values."""
        part = copy(self)
        part.values = self.values[which]
        return part

    def parts(self, n_rows):
        return parts_of(self, n_rows * self.width)


def _left_out(rows, n_rows):
    left_out = np.ones(n_rows, dtype=bool)
    left_out[rows] = False
    return np.packbits(left_out)


class _ForestPath(EnsemblePath):
    """What the paths of forests share; `_means` gives (n_values, n_rows, width)."""

    @property
    def width(self):
        """Numbers in the answer for a row."""
        if hasattr(self.fitted, "classes_"):
            return int(np.sum(self.fitted.n_classes_))
        return self.fitted.n_outputs_

    def _validated(self, X):
        tags = get_tags(self.fitted.estimators_[0]).input_tags
        missing = tags.allow_nan and not issparse(X)
        return validate_data(
            self.fitted,
            X,
            dtype=np.float32,
            accept_sparse="csr",
            reset=False,
            ensure_all_finite="allow-nan" if missing else True,
        )

    def predict(self, X):
        answers = self._means(X)
        return answers[:, :, 0] if self.fitted.n_outputs_ == 1 else answers


class _ForestClassifierPath:
    """What paths of forests of classifiers add."""

    @property
    def classes_(self):
        return self.fitted.classes_

    def predict_proba(self, X):
        answers = self._means(X)
        if self.fitted.n_outputs_ == 1:
            return answers
        return np.split(answers, np.cumsum(self.fitted.n_classes_)[:-1], axis=2)

    def predict(self, X):
        answers = self.predict_proba(X)
        if self.fitted.n_outputs_ == 1:
            return self.classes_.take(np.argmax(answers, axis=2), axis=0)
        labels = [
            classes.take(np.argmax(answer, axis=2), axis=0)
            for classes, answer in zip(self.classes_, answers, strict=True)
        ]
        return np.stack(labels, axis=2).astype(self.classes_[0].dtype, copy=False)


def _node_answers(model):
    """What each node of a tree answers, (n_nodes, width), classes side by side."""
    value = model.tree_.value
    if not hasattr(model, "classes_"):
        return value[:, :, 0]
    widths = np.atleast_1d(model.n_classes_)
    return np.concatenate([value[:, k, :n] for k, n in enumerate(widths)], axis=1)


class PrunedForestPath(_ForestPath):
    """Forests of trees that are the fitted ones, pruned.

    Parameters
    ----------
    fitted, param, values, n_rows, scored
        See `EnsemblePath`.
    collapses : list of Collapse
        For each tree.
    """

    def __init__(self, fitted, param, values, n_rows, collapses, *, scored):
        super().__init__(fitted, param, values, n_rows, scored=scored)
        self.collapses = collapses

    def _means(self, X):
        trees = self.fitted.estimators_

        def ask(k, X):
            leaves = trees[k].apply(X, check_input=False)
            return self.collapses[k].answers(_node_answers(trees[k]), leaves)

        X = self._validated(X)
        means = means_of_first(self._answers(X, ask), [len(trees)], X.shape[0])
        return np.moveaxis(means[0], 1, 0)

    def take(self, which):
        part = super().take(which)
        part.collapses = [collapse.take(which) for collapse in self.collapses]
        return part

    def model(self, i):
        if self.scored:
            return None
        model = copy(self.fitted).set_params(**{self.param: self.values[i]})
        model.estimators_ = []
        for tree, collapse in zip(self.fitted.estimators_, self.collapses, strict=True):
            cut = collapse.tree(tree.tree_, i, "preorder")
            if cut is None:
                return None
            pruned = copy(tree)
            setattr(pruned, self.param, self.values[i])  # as `set_params`, but quicker
            pruned.tree_ = cut
            model.estimators_.append(pruned)
        return model


class PrunedForestClassifierPath(_ForestClassifierPath, PrunedForestPath):
    """The same for classifiers."""


class FirstMembersPath(EnsemblePath):
    """Ensembles of the first members of a fitted one; values are their numbers."""

    def __init__(self, fitted, param, values, n_rows, *, scored):
        super().__init__(fitted, param, values, n_rows, scored=scored)
        self.fewest = min(values)

    @property
    def n_used(self):
        return self.fewest


class FirstTreesPath(FirstMembersPath, _ForestPath):
    """Forests of the first trees of a fitted one."""

    def _means(self, X):
        trees = self.fitted.estimators_

        def ask(k, X):
            return _node_answers(trees[k])[trees[k].apply(X, check_input=False)]

        X = self._validated(X)
        return means_of_first(self._answers(X, ask), self.values, X.shape[0])

    def model(self, i):
        if self.scored:
            return None
        model = copy(self.fitted).set_params(**{self.param: self.values[i]})
        model.estimators_ = self.fitted.estimators_[: self.values[i]]
        return model


class FirstTreesClassifierPath(_ForestClassifierPath, FirstTreesPath):
    """The same for classifiers."""


class FirstOfBagPath(FirstMembersPath):
    """Bags of the first members of a fitted one."""

    @property
    def width(self):
        """Numbers in the answer for a row."""
        return len(getattr(self.fitted, "classes_", [0]))

    def _means(self, X, method):
        X = validate_data(
            self.fitted,
            X,
            accept_sparse=["csr", "csc"],
            dtype=None,
            ensure_all_finite=False,
            reset=False,
        )

        def ask(k, X):
            X = X[:, self.fitted.estimators_features_[k]]
            return np.asarray(method(self.fitted.estimators_[k], X))

        return means_of_first(self._answers(X, ask), self.values, X.shape[0])

    def predict(self, X):
        return self._means(X, lambda member, X: member.predict(X))

    def model(self, i):
        # Fewer would keep the seeds of the rest, and so their samples.
        whole = self.values[i] == len(self.left_out)
        return self.fitted if whole and not self.scored else None


def _decides(path):
    return hasattr(path.fitted, "decision_function")


class FirstOfBagClassifierPath(FirstOfBagPath):
    """The same for classifiers, whose members know classes by their numbers."""

    @property
    def classes_(self):
        return self.fitted.classes_

    def _probabilities(self, member, X):
        answer = np.zeros((X.shape[0], len(self.classes_)))
        if hasattr(member, "predict_proba"):
            answer[:, member.classes_] = member.predict_proba(X)
        else:
            answer[np.arange(X.shape[0]), member.predict(X)] = 1.0
        return answer

    def predict_proba(self, X):
        return self._means(X, self._probabilities)

    def predict(self, X):
        return self.classes_.take(np.argmax(self.predict_proba(X), axis=2), axis=0)

    @available_if(_decides)
    def decision_function(self, X):
        return self._means(X, lambda member, X: member.decision_function(X))
