"""Sums over the rows of each class, for many draws at once.

Counts, sums and sums of products are linear in the weights of the rows, so those of all
draws of a group are a few products of matrices. Rows are measured from about the mean
of their class over all rows: a draw's own class means lie near it, so that neither data
far from the origin nor classes far from each other lose digits.
"""

from copy import copy
from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from genestimators._inputs import take_rows
from genestimators.fitting._ensembles import MembersPath
from genestimators.fitting._paths import parts_of
from genestimators.fitting.families._scaling import Scaling
from genestimators.fitting.families.linear._gram import (
    EPS,
    column_means,
    standardised,
)
from genestimators.fitting.families.linear._linear import copy_columns

KEPT = 1e-5  # of a mean square about a shift that has to be left as variance

_WHOLE = 2**20  # whole numbers below have sums of squares that are exact
_LARGEST = 1e100  # its square, and sums of it, are finite
_BLOCK = 2**18  # numbers in a block of products


def class_order(y, classes):
    """Rows class after class.

    Parameters
    ----------
    y : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,), sorted
        There may be no other ones.

    Returns
    -------
    order : ndarray of shape (n,), int
    parts : list of slice
        Of `order`, one for each class.
    """
    codes = np.searchsorted(classes, y)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(classes) + 1))
    parts = [slice(*pair) for pair in pairwise(ends)]
    return order, parts


def plain_numbers(X, y, classes):
    """X as an array of numbers, or None where a family of classes does not serve it.

    Parameters
    ----------
    X : container of n rows
    y : ndarray
    classes : tuple of ndarray

    Returns
    -------
    X : ndarray of shape (n, p) or None
        In single or double precision.

    Raises
    ------
    TypeError, ValueError
        If the estimator itself would refuse X.
    """
    if np.ndim(y) != 1 or len(classes) != 1 or len(classes[0]) < 2:
        return None
    if sparse.issparse(X):
        return None
    X = check_array(X, dtype="numeric")
    if X.dtype.kind in "iub":
        X = X.astype(np.float64)
    if X.dtype not in (np.float64, np.float32):
        return None
    return X if float(np.abs(X).max()) < _LARGEST else None


class ClassRows:
    """Rows class after class, measured from the means of their classes.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    y : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,)

    Attributes
    ----------
    shifts : ndarray of shape (n_classes, p)
        Near the means of the classes.
    centre : ndarray of shape (p,)
        The mean of all rows.
    columns : ndarray of shape (p, n)
        Rows less the mean of their class.
    """

    def __init__(self, X, y, classes):
        self.order, self.parts = class_order(y, classes)
        self.shifts = np.empty((len(classes), X.shape[1]))
        self.columns = np.empty(X.shape[::-1])
        for part, shift in zip(self.parts, self.shifts, strict=True):
            own = X[self.order[part]]
            shift[:] = _near_mean(own)
            np.subtract(own.T, shift[:, None], out=self.columns[:, part])
        sizes = np.array([part.stop - part.start for part in self.parts])
        self.centre = sizes @ self.shifts / sizes.sum()

    def sorted(self, weights):
        """Weights (n_draws, n) of rows in the order of `columns`."""
        return np.take(weights, self.order, axis=1).astype(np.float64)

    def counts(self, weights):
        """The weight of each class, (n_draws, n_classes)."""
        return np.stack([weights[:, part].sum(axis=1) for part in self.parts], axis=1)

    def sums(self, weights):
        """Sums of columns and of their squares in each class.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n)
            Sorted.

        Returns
        -------
        sums, squares : ndarray of shape (n_draws, n_classes, p)
        """
        shape = (len(weights), len(self.parts), len(self.columns))
        sums, squares = np.zeros(shape), np.zeros(shape)
        for i, rows in self._blocks(len(self.columns)):
            block, own = self.columns[:, rows], weights[:, rows]
            sums[:, i] += own @ block.T
            squares[:, i] += own @ np.square(block).T
        return sums, squares

    def products(self, weights, *, pooled):
        """Sums of columns in each class, and of products of columns.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n)
            Sorted.
        pooled : bool
            Whether products are summed over the classes.

        Returns
        -------
        sums : ndarray of shape (n_draws, n_classes, p)
        products : ndarray of shape (n_draws, 1 or n_classes, p, p)
        """
        p, n_classes = len(self.columns), len(self.parts)
        n_pairs = p * (p + 1) // 2
        sums = np.zeros((len(weights), n_classes, p))
        pairs = np.zeros((len(weights), 1 if pooled else n_classes, n_pairs))
        design = np.empty((n_pairs, min(self._step(n_pairs), len(self.order))))
        for i, rows in self._blocks(n_pairs):
            block, own = self.columns[:, rows], weights[:, rows]
            sums[:, i] += own @ block.T
            m, place = block.shape[1], 0
            for j in range(p):  # products with a column lie side by side
                part = design[place : place + p - j, :m]
                np.multiply(block[j], block[j:], out=part)
                place += p - j
            pairs[:, 0 if pooled else i] += own @ design[:, :m].T
        products, place = np.empty((*pairs.shape[:2], p, p)), 0
        for j in range(p):
            own = pairs[:, :, place : place + p - j]
            products[:, :, j, j:] = own
            products[:, :, j:, j] = own
            place += p - j
        return sums, products

    def _blocks(self, width):
        """The class and the rows of blocks with so many numbers a row."""
        step = self._step(width)
        for i, part in enumerate(self.parts):
            for start in range(part.start, part.stop, step):
                yield i, slice(start, min(start + step, part.stop))

    @staticmethod
    def _step(width):
        return max(64, _BLOCK // width)


def _near_mean(X):
    """The means of columns, or whole numbers near them for those of whole numbers.

    Sums of whole numbers are exact, so that a column that is constant in a draw, as is
    the indicator of a rare case, is found to have no variance.
    """
    means = column_means(X, None)
    whole = (np.rint(X) == X).all(axis=0) & (np.abs(X).max(axis=0) < _WHOLE)
    return np.where(whole, np.rint(means), means)


def spread(counts, means, squares, shifts):
    """Means and variances over all classes, from those of each.

    Parameters
    ----------
    counts : ndarray of shape (n_draws, n_classes)
    means : ndarray of shape (n_draws, n_classes, p)
        From `shifts`.
    squares : ndarray of shape (n_draws, n_classes, p)
        Mean squares about `shifts`.
    shifts : ndarray of shape (n_classes, p)

    Returns
    -------
    mean, variance : ndarray of shape (n_draws, p)
    square : ndarray of shape (n_draws, p)
        Mean squares about `shifts`; a variance far below has lost its digits.
    """
    share = (counts / counts.sum(axis=1, keepdims=True))[:, :, None]
    middle = shifts.mean(axis=0)
    places = shifts - middle + means
    mean = (share * places).sum(axis=1)
    apart = np.square(places - mean[:, None])
    within = np.maximum(squares - np.square(means), 0.0)
    variance = (share * (within + apart)).sum(axis=1)
    return middle + mean, variance, (share * squares).sum(axis=1)


class StackedMembers(MembersPath):
    """Members whose attributes are arrays with one item for each.

    What `_by_value` names is an array, a dict of arrays or a `Scaling`.
    """

    _by_value = ("fine",)

    @property
    def n_values(self):
        return len(self.fine)

    def take(self, which):
        part = copy(self)
        for name in self._by_value:
            own = _of_each(lambda own: own[0][which], [getattr(self, name)])
            setattr(part, name, own)
        return part

    def joined(self, others):
        whole = copy(self)
        for name in self._by_value:
            every = [getattr(path, name) for path in (self, *others)]
            setattr(whole, name, _of_each(np.concatenate, every))
        return whole

    def parts(self, n_rows):
        return parts_of(self, n_rows * len(self.classes_))


def _of_each(function, values):
    """What a function makes of the arrays of the same name."""
    first = values[0]
    if isinstance(first, Scaling):
        return Scaling(**_of_each(function, [vars(value) for value in values]))
    if isinstance(first, dict):
        return {name: function([value[name] for value in values]) for name in first}
    return function(values)


class Steps:
    """An estimator, perhaps behind a scaler, that lacks what a fit would learn.

    Parameters
    ----------
    scaler : StandardScaler or None
        Unfitted.
    estimator : estimator
        Unfitted.
    X : container of n rows

    Attributes
    ----------
    seen : estimator
        Unfitted but for the number and names of the columns of X.
    last : estimator
        Likewise for the columns that reach the estimator.
    """

    def __init__(self, scaler, estimator, X):
        self.seen = clone(estimator)
        validate_data(self.seen, X, skip_check_array=True)
        self.last, self.scaler = self.seen, None
        if scaler is not None:
            few = take_rows(X, np.arange(2))
            self.scaler = clone(scaler).fit(few)
            self.last = clone(estimator)
            validate_data(self.last, self.scaler.transform(few), skip_check_array=True)

    @property
    def settings(self):
        """For each scaler whether it centres and whether it scales."""
        if self.scaler is None:
            return []
        return [(self.scaler.with_mean, self.scaler.with_std)]

    def scaling(self, mean, variance, weight):
        """What the scaler learns of columns, and where rounding does not decide.

        Parameters
        ----------
        mean, variance : ndarray of shape (n_draws, p)
        weight : ndarray of shape (n_draws,)

        Returns
        -------
        scaling : Scaling
        fine : ndarray of shape (n_draws,), bool
        """
        offset, scale = standardised(mean, variance, weight, self.settings)
        fine = np.ones(len(mean), dtype=bool)
        if self.scaler is not None:  # it takes tiny variances for none
            rounding = np.square(weight[:, None] * mean * EPS)
            fine = ((variance == 0) | (variance > 10 * rounding)).all(axis=1)
        return Scaling(mean, variance, offset, scale, weight), fine

    def fitted(self, last, scaling):
        """A fitted estimator, behind a fitted scaler where there is one.

        Parameters
        ----------
        last : estimator
            Fitted, perhaps on other columns.
        scaling : Scaling
            Of one member.
        """
        copy_columns(self.last, last)
        if self.scaler is None:
            return last
        return make_pipeline(scaling.scaler(self.scaler), last)


def usable_priors(priors, n_classes):
    """Whether there are no priors, or one for each class that sum to one.

    Parameters
    ----------
    priors : array-like of shape (n_classes,) or None
    n_classes : int
    """
    if priors is None:
        return True
    priors = np.asarray(priors)
    if priors.shape != (n_classes,) or priors.dtype.kind not in "fiu":
        return False
    return bool((priors > 0).all() and abs(priors.sum() - 1) <= 1e-9)
