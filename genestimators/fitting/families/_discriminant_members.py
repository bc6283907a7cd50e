"""Linear discriminant analysis on many draws, from sums of products in each class.

What a fit knows of its rows are the counts, means and covariances of the classes. Those
of all draws are one product of the weights with the products of columns; what is left
is a Cholesky factor for each draw, whatever the number of rows. Draws whose covariance
is nearly singular, and those of which the solver itself would drop directions, are left
to fits of their own.
"""

from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from genestimators._compat import divides_by_rows
from genestimators.fitting._ensembles import register_ensemble
from genestimators.fitting.families._class_covariances import (
    MOST_COLUMNS,
    ClassEnsemble,
    ClassFits,
    correlations_of,
    pairs_of,
    whiteners,
)
from genestimators.fitting.families._class_sums import KEPT, StackedMembers
from genestimators.fitting.families._discriminant import SINGULAR, LinearPath
from genestimators.fitting.families.linear._linear import is_flag, is_number

_CUT = 1e-10  # of an eigenvalue, beneath which least squares may drop it
_NEAR = 1e-6  # of the largest singular value: so near a bound, rounding decides


class LinearMembers(StackedMembers, LinearPath):
    """Linear discriminant analysis on many draws.

    Parameters
    ----------
    fits : LinearFits
        What all members share.
    rule : dict of ndarray
        Of one item for each member: `coef`, `offset`, `common_coef` and `common_offset`
        as in `LinearPath`.
    learned : dict of ndarray
        Likewise: `priors` of the classes; `places`, means of the classes behind the
        scaler from its image of the centre; `covariance` within classes; and of one
        solver `directions`, `kept` and `explained` (see `_by_svd`).
    scaling : Scaling
    fine : ndarray of shape (n_values,), bool
    """

    _rule = ("coef", "offset", "common_coef", "common_offset")
    _by_value = (*_rule, "learned", "scaling", "fine")
    models = None

    def __init__(self, fits, rule, learned, scaling, fine):
        self.steps, self.blank = fits.steps, fits.blank
        self.fitted = fits.steps.seen
        self.center = fits.rows.centre
        self.classes_ = fits.blank.classes_
        for name in self._rule:
            setattr(self, name, rule[name])
        self.learned, self.scaling, self.fine = learned, scaling, fine

    def mean(self):
        part = self.take(slice(0, 1))
        for name in self._rule:
            setattr(part, name, getattr(self, name).mean(axis=0, keepdims=True))
        return part

    def model(self, i):
        own = {name: value[i] for name, value in self.learned.items()}
        scaling = self.scaling.take(i)
        centre = (self.center - scaling.offset) / scaling.scale
        coef, intercept = self.coef[i], self.offset[i]
        if len(self.classes_) > 2:
            coef = coef + self.common_coef[i]
            intercept = intercept + self.common_offset[i]
        coef = coef * scaling.scale
        learned = {
            "coef_": coef,
            "intercept_": intercept - coef @ centre,
            "means_": own["places"] + centre,
            "priors_": own["priors"],
            "covariance_": own["covariance"],
        }
        if "directions" in own:
            learned["xbar_"] = own["priors"] @ own["places"] + centre
            learned["scalings_"] = own["directions"][own["kept"]].T
            learned["explained_variance_ratio_"] = own["explained"]
        model = copy(self.blank)
        for name, value in learned.items():
            if hasattr(model, name):
                value = value.astype(getattr(model, name).dtype)
                setattr(model, name, value)
        return self.steps.fitted(model, scaling)


class LinearFits(ClassFits):
    """What all draws of linear discriminant analysis share."""

    def __init__(self, scaler, estimator, X, numbers, y, classes):
        super().__init__(scaler, estimator, X, numbers, y, classes)
        # Fitted on anything, for the attributes that do not depend on it.
        p = numbers.shape[1]
        n = 3 * len(classes) + p
        anything = np.random.default_rng(0).normal(size=(n, p)).astype(self.dtype)
        labels = classes[np.arange(n) % len(classes)]
        self.blank = clone(estimator).fit(anything, labels)

    def fit(self, weights):
        """The members of a group of draws; see `EnsembleFamily.prepare`."""
        estimator, rows = self.estimator, self.rows
        counts, means, products, fine = self.moments(
            weights, pooled=self.priors is None
        )
        total = counts.sum(axis=1)
        fine &= total > len(rows.parts)
        share, priors = counts / total[:, None], self.shares(counts)
        within = _mean_covariance(products, counts, means, share)
        variance = np.diagonal(within, axis1=1, axis2=2)
        square = np.einsum("gkii->gi", products) / total[:, None]
        if self.priors is not None:
            square = np.einsum("gk,gkii->gi", share / counts, products)
        fine &= ((variance > 0) & (variance >= KEPT * square)).all(axis=1)
        scaling, safe = self.scaling(counts, means, np.maximum(variance, 0)[:, None])
        fine &= safe
        within /= pairs_of(scaling.scale)
        covariance = within
        if self.priors is not None:
            covariance = _mean_covariance(products, counts, means, priors)
            covariance /= pairs_of(scaling.scale)
        shrinkage = estimator.shrinkage or 0.0
        if shrinkage:
            level = np.einsum("gii->g", covariance) / covariance.shape[1]
            covariance = (1 - shrinkage) * covariance
            np.einsum("gii->gi", covariance)[...] += shrinkage * level[:, None]
        by_svd = estimator.solver == "svd"
        R, sigma = correlations_of(within if by_svd else covariance)
        T, inverse_trace = whiteners(R, fine)
        places = (rows.shifts - rows.centre + means) / scaling.scale[:, None]
        with np.errstate(divide="ignore"):
            log_priors = np.log(priors)
        if by_svd:
            fine &= inverse_trace < 1 / max(SINGULAR, (1 + _NEAR) * estimator.tol**2)
            found = _by_svd(T, sigma, places, priors, total, estimator.tol)
            fine &= found.pop("clear")
            ratios = len(self.blank.explained_variance_ratio_)
            found["explained"] = found["explained"][:, :ratios]
            common, common_offset = np.zeros_like(sigma), np.zeros(len(total))
        else:
            variance = np.square(sigma)
            least = variance.min(axis=1) / inverse_trace
            fine &= (inverse_trace < 1 / SINGULAR) & (
                least > _CUT * variance.sum(axis=1)
            )
            centre = (rows.centre - scaling.offset) / scaling.scale
            found, common, common_offset = _by_products(T, sigma, places, centre)
        coef = found.pop("coef") / scaling.scale[:, None]
        offset = found.pop("offset") + log_priors
        if len(rows.parts) == 2:
            coef, offset = coef[:, 1:] - coef[:, :1], offset[:, 1:] - offset[:, :1]
        rule = {
            "coef": coef,
            "offset": offset,
            "common_coef": (common / scaling.scale)[:, None],
            "common_offset": common_offset[:, None],
        }
        if by_svd and not estimator.store_covariance:
            covariance = np.zeros((len(fine), 0))
        learned = {
            "priors": priors, "places": places, "covariance": covariance, **found
        }  # fmt: skip
        return LinearMembers(self, rule, learned, scaling, fine)


def _mean_covariance(products, counts, means, share):
    """Means of the covariances of the classes, (n_draws, p, p).

    Parameters
    ----------
    products : ndarray of shape (n_draws, 1 or n_classes, p, p)
        With one for all classes, their shares have to be those of the counts.
    counts, share : ndarray of shape (n_draws, n_classes)
    means : ndarray of shape (n_draws, n_classes, p)
    """
    if products.shape[1] == 1:
        mean = products[:, 0] / counts.sum(axis=1)[:, None, None]
    else:
        mean = np.einsum("gk,gkij->gij", share / counts, products)
    return mean - np.matmul(np.swapaxes(means * share[:, :, None], 1, 2), means)


def _by_svd(T, sigma, places, priors, total, tol):
    """Coefficients as the solver of singular values has them.

    Parameters
    ----------
    T : ndarray of shape (n_draws, p, p)
        Whiteners of the correlations within classes.
    sigma : ndarray of shape (n_draws, p)
        Standard deviations within classes.
    places : ndarray of shape (n_draws, n_classes, p)
        Means of the classes from a centre.
    priors : ndarray of shape (n_draws, n_classes)
    total : ndarray of shape (n_draws,)
    tol : float

    Returns
    -------
    found : dict of ndarray
        `coef` of shape (n_draws, n_classes, p) and `offset` of shape (n_draws,
        n_classes), for rows from the centre; `directions` of shape (n_draws, m, p), of
        which `kept` says which count; `explained`, their shares of the variance;
        `clear`, whether rounding decides nothing.
    """
    middle = np.matmul(priors[:, None], places)
    moved = places - middle
    white = np.matmul(moved / sigma[:, None], np.swapaxes(T, 1, 2))
    root = np.sqrt(priors * (total / (places.shape[1] - 1))[:, None])
    _, values, directions = np.linalg.svd(root[:, :, None] * white, full_matrices=False)
    first = values[:, :1]
    kept = values > tol * first
    clear = (np.abs(values - tol * first) > _NEAR * first).all(axis=1)
    directions = np.matmul(directions * kept[:, :, None], T) / sigma[:, None]
    scores = np.matmul(moved, np.swapaxes(directions, 1, 2))
    coef = np.matmul(scores, directions)
    squares = np.square(values)
    return {
        "coef": coef,
        "offset": -0.5 * np.square(scores).sum(axis=2) - (coef * middle).sum(axis=2),
        "directions": directions,
        "kept": kept,
        "explained": squares / np.where(first > 0, squares.sum(axis=1)[:, None], 1.0),
        "clear": clear,
    }


def _by_products(T, sigma, places, centre):
    """Coefficients from the inverse of a covariance matrix, as in `_discriminant`."""
    whitened = np.swapaxes(T, 1, 2)
    white = np.matmul(places / sigma[:, None], whitened)
    own = np.matmul((centre / sigma)[:, None], whitened)
    found = {
        "coef": np.matmul(white, T) / sigma[:, None],
        "offset": -0.5 * np.square(white).sum(axis=2),
    }
    common = np.matmul(own, T)[:, 0] / sigma
    return found, common, 0.5 * np.square(own[:, 0]).sum(axis=1)


class LinearEnsemble(ClassEnsemble):
    """`LinearDiscriminantAnalysis` on many draws."""

    estimator = LinearDiscriminantAnalysis
    fits = LinearFits

    def unsupported(self, estimator, X, y, draws):
        if estimator.solver not in ("svd", "lsqr"):
            return f"The solver {estimator.solver!r} has directions of its own."
        if not divides_by_rows(estimator):
            return "This version of scikit-learn has other covariances."
        if estimator.covariance_estimator is not None:
            return "`covariance_estimator` needs the rows."
        shrinkage = estimator.shrinkage
        if shrinkage is not None and (
            estimator.solver == "svd"
            or not is_number(shrinkage)
            or not 0 <= shrinkage <= 1
        ):
            return "`shrinkage` has to be None or, not with svd, a number from 0 to 1."
        if not is_number(estimator.tol) or not 0 <= estimator.tol < 1:
            return "`tol` has to be a number from 0 on and below 1."
        if not is_flag(estimator.store_covariance):
            return "`store_covariance` has to be True or False."
        return None

    def fits_in(self, estimator, n, p, n_classes):
        """Whether draws of such data are worth the while."""
        return p <= MOST_COLUMNS and (bool(estimator.shrinkage) or n > 2 * p)


register_ensemble(LinearEnsemble())
