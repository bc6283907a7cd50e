"""Permutation importance in a bag of trees, tree by tree, on out-of-bag rows.

A row's prediction by a tree changes only if a feature on its own path changes, so these
are the only pairs of row and feature that are looked at: as many as a path is long,
however many features there are. Rows walk down the arrays of the fitted tree; no copy
of X is made.
"""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_array

from genestimators._inputs import check_sample_weight, take_columns
from genestimators._parallel import run_in_order
from genestimators._row_losses import row_losses
from genestimators.selection.importances._permutation import check_rows
from genestimators.selection.importances._replaced_columns import donors_of
from genestimators.selection.importances._row_scoring import resolve_scoring, target_of

KINDS = ("r2", "squared", "absolute", "accuracy", "log", "brier")


def tree_bag_importance(
    bag,
    X,
    y,
    *,
    scoring=None,
    sample_weight=None,
    labels=None,
    n_repeats=5,
    seed=0,
    n_jobs=None,
):
    """Permutation importance of each tree of a bag on its own out-of-bag rows.

    This is Breiman's importance [1]_: every tree is scored by itself on the rows it has
    not seen. It is not that of the forest, whose averaged prediction changes less when
    one feature is permuted; compare importances within one way only.

    Parameters
    ----------
    bag : fitted forest or bag of decision trees
        With `estimators_` and `estimators_samples_`.
    X : array, sparse matrix or frame of shape (n, n_features)
        The rows that the bag was fitted on. Of a sparse matrix only the out-of-bag
        rows of the features that a tree uses are made dense.
    y : array-like of shape (n,) or (n, n_outputs)
    scoring : str, default=None
        One of "r2", "neg_mean_squared_error", "neg_mean_absolute_error" for regressors,
        "accuracy", "neg_brier_score", "neg_log_loss" for classifiers. None is that of
        `bag.score`. R2 is relative to the variance of y in all rows.
    sample_weight : array-like of shape (n,), default=None
        Of a row as one that is scored and as one that donates.
    labels : ndarray of shape (n_features,), int, default=None
        Unit of each column, numbered from 0; the columns of a unit are permuted
        together. None makes every column a unit.
    n_repeats : int, default=5
        Permutations of each unit in each tree.
    seed : int, default=0
        A tree is permuted in the same way whatever `n_jobs` is.
    n_jobs : int, default=None

    Returns
    -------
    importances : ndarray of shape (n_trees, n_units)
        Score before less score after; exactly 0 for units that a tree does not use,
        NaN for a tree without out-of-bag rows. The mean over trees is the importance.

    References
    ----------
    .. [1] Breiman, L. (2001). Random forests. Machine Learning 45, 5-32.
    """
    trees, features = _trees_of(bag)
    rows = check_rows(bag, X, y, labels=labels)
    weight = check_sample_weight(sample_weight, rows.n)
    scoring = resolve_scoring(bag, scoring, rows.y)
    if scoring.kind not in KINDS:
        raise ValueError(
            "`scoring` must be a mean of losses of rows, one of 'r2', "
            "'neg_mean_squared_error', 'neg_mean_absolute_error', 'accuracy', "
            "'neg_brier_score' or 'neg_log_loss', of a classifier with one output at "
            f"most. Got {scoring.name!r}; use `out_of_sample_importance`."
        )
    target = target_of(scoring, bag, rows.y)
    unit_loss = np.ones(target.shape[1])
    if scoring.kind == "r2":
        if (np.ptp(target, axis=0) == 0).any():
            raise ValueError(
                "R2 is undefined for a constant y. Got y of one value; pass "
                'scoring="neg_mean_squared_error".'
            )
        mean = np.average(target, axis=0, weights=weight)
        unit_loss = np.average((target - mean) ** 2, axis=0, weights=weight)
    outside = _out_of_bag(bag, rows.n, weight)
    codes = _class_codes(bag, trees)
    numbers = np.arange(len(trees))
    tasks = (
        {
            "trees": [trees[number] for number in own],
            "features": [features[number] for number in own],
            "outside": [outside[number] for number in own],
            "codes": [codes[number] for number in own],
            "seeds": [[seed, int(number)] for number in own],
            "X": rows.X,
            "target": target,
            "weight": weight,
            "labels": rows.labels,
            "kind": scoring.kind,
            "unit_loss": unit_loss,
            "n_repeats": n_repeats,
            "classes": bag.classes_ if is_classifier(bag) else None,
        }
        for own in np.array_split(numbers, min(len(numbers), 16))
    )
    found = run_in_order(_importances_of_trees, tasks, n_jobs=n_jobs, threads=True)
    return np.concatenate(list(found))


def _trees_of(bag):
    """The fitted trees of a bag and the columns of each."""
    if not hasattr(bag, "estimators_") or not hasattr(bag, "estimators_samples_"):
        raise TypeError(
            "A fitted bag or forest with `estimators_` and `estimators_samples_` is "
            f"needed. Got {bag!r}; use `out_of_sample_importance`."
        )
    trees = list(bag.estimators_)
    if not all(hasattr(tree, "tree_") for tree in trees):
        raise TypeError(
            "A bag of decision trees is needed, with nothing around them. Got members "
            f"such as {trees[0]!r}; use `out_of_sample_importance`."
        )
    features = getattr(bag, "estimators_features_", None)
    return trees, [None] * len(trees) if features is None else list(features)


def _out_of_bag(bag, n, weight):
    """The rows of positive weight that each tree has not seen."""
    positive = np.ones(n, dtype=bool) if weight is None else weight > 0
    found = []
    for samples in bag.estimators_samples_:
        if len(samples) and samples.max() >= n:
            raise ValueError(
                "X must hold the rows that the bag was fitted on, in their order. "
                f"Got {n} rows, and a tree was fitted on row {int(samples.max())}."
            )
        outside = positive.copy()
        outside[samples] = False
        found.append(np.flatnonzero(outside))
    if not any(len(rows) for rows in found):
        raise ValueError(
            "No tree has out-of-bag rows, so there is nothing to score it on. Got a "
            "bag fitted on all rows; fit it with bootstrap=True or fewer samples."
        )
    return found


def _class_codes(bag, trees):
    """Where the classes of each tree stand among those of the bag."""
    if not is_classifier(bag):
        return [None] * len(trees)
    seen = np.unique(np.concatenate([tree.classes_ for tree in trees]))
    if np.isin(seen, bag.classes_).all():
        return [np.searchsorted(bag.classes_, tree.classes_) for tree in trees]
    return [tree.classes_.astype(np.intp) for tree in trees]  # fitted on codes


def _importances_of_trees(trees, features, outside, codes, seeds, **shared):
    """Importances of some trees, (n_trees, n_units)."""
    return np.stack(
        [
            _importance_of_tree(*each, **shared)
            for each in zip(trees, features, outside, codes, seeds, strict=True)
        ]
    )


def _importance_of_tree(
    model,
    features,
    outside,
    codes,
    seed,
    *,
    X,
    target,
    weight,
    labels,
    kind,
    unit_loss,
    n_repeats,
    classes,
):
    n_units = int(labels.max()) + 1
    importance = np.zeros(n_units)
    if not len(outside):
        return np.full(n_units, np.nan)
    tree = model.tree_
    used = np.unique(tree.feature[tree.feature >= 0])
    if not len(used):
        return importance
    columns = used if features is None else np.asarray(features)[used]
    cells = _dense(X, outside, columns)
    walk = _Walk(tree, np.searchsorted(used, tree.feature), cells)
    units, unit_of = np.unique(labels[columns], return_inverse=True)
    leaves, met = walk.with_path(unit_of, len(units))

    answer = _answers(tree, codes, classes, kind)
    own_target = target[outside]
    before = row_losses(kind, answer[leaves][None], own_target)[0]
    share = np.full(len(outside), 1.0 / len(outside))
    if weight is not None:
        share = weight[outside] / weight[outside].sum()
    rng = np.random.default_rng(seed)
    size = len(units), n_repeats, len(outside)
    donors = donors_of(
        rng, size[0] * size[1], size[2], None if weight is None else share
    ).reshape(size)
    row, unit = np.nonzero(met)
    # One column a pair of row and unit, one row a repeat.
    donor = donors[unit, :, row].T
    pairs = np.broadcast_to(row, donor.shape), np.broadcast_to(unit, donor.shape)
    leaves = walk.replaced(*(each.ravel() for each in pairs), donor.ravel(), unit_of)
    after = answer[leaves].reshape(n_repeats, len(row), -1)
    gained = row_losses(kind, after, own_target[row]) - before[row]
    gained = (gained / unit_loss[: gained.shape[2]]).mean(axis=(0, 2)) * share[row]
    importance[units] = np.bincount(unit, gained, len(units))
    return importance


def _dense(X, rows, columns):
    """Cells as trees see them, in single precision."""
    cells = take_columns(X, columns) if hasattr(X, "iloc") else X
    if hasattr(cells, "tocsc"):
        return cells[rows].tocsc()[:, columns].toarray().astype(np.float32)
    if isinstance(cells, np.ndarray):
        return cells[np.ix_(rows, columns)].astype(np.float32)
    if not hasattr(X, "iloc"):
        cells = take_columns(X, columns)
    cells = check_array(cells, dtype=np.float32, ensure_all_finite="allow-nan")
    return cells[rows]


def _answers(tree, codes, classes, kind):
    """What each node answers, (n_nodes, width)."""
    if codes is None:
        return tree.value[:, :, 0]
    given = tree.value[:, 0, : len(codes)]
    if kind == "accuracy":
        return classes[codes][np.argmax(given, axis=1)][:, None]
    wide = np.zeros((len(given), len(classes)))
    wide[:, codes] = given / given.sum(axis=1, keepdims=True)
    return wide


class _Walk:
    """Rows on their way from the root of a tree to a leaf.

    Parameters
    ----------
    tree : the `tree_` of a fitted decision tree
    feature : ndarray of shape (n_nodes,), int
        Column of `cells` that a node looks at.
    cells : ndarray of shape (n, n_used), float32
    """

    def __init__(self, tree, feature, cells):
        self.left, self.right = tree.children_left, tree.children_right
        self.threshold = tree.threshold
        self.feature = feature
        self.cells = cells
        self.missing_left = None
        if np.isnan(cells).any():
            self.missing_left = tree.missing_go_to_left.astype(bool)

    def _next(self, node, value):
        left = value <= self.threshold[node]
        if self.missing_left is not None:
            left |= np.isnan(value) & self.missing_left[node]
        return np.where(left, self.left[node], self.right[node])

    def with_path(self, unit_of, n_units):
        """The leaf of each row, and the units that it meets, (n, n_units)."""
        n = len(self.cells)
        node = np.zeros(n, dtype=np.intp)
        met = np.zeros((n, n_units), dtype=bool)
        walking = np.arange(n)
        while len(walking):
            here = node[walking]
            column = self.feature[here]
            met[walking, unit_of[column]] = True
            here = self._next(here, self.cells[walking, column])
            node[walking] = here
            walking = walking[self.left[here] >= 0]
        return node, met

    def replaced(self, row, unit, donor, unit_of):
        """The leaf of each row where it has the cells of a unit from another row."""
        node = np.zeros(len(row), dtype=np.intp)
        walking = np.arange(len(row))
        while len(walking):
            here = node[walking]
            column = self.feature[here]
            foreign = unit_of[column] == unit[walking]
            source = np.where(foreign, donor[walking], row[walking])
            here = self._next(here, self.cells[source, column])
            node[walking] = here
            walking = walking[self.left[here] >= 0]
        return node
