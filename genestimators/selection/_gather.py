"""From data to evidence: plan the draws, choose an engine, run it.

`gather` and `gather_null` are functions of their arguments alone, so that they can be
cached by content.
"""

from dataclasses import dataclass, replace

import numpy as np
import sklearn
from numpy.polynomial.legendre import legvander
from scipy import sparse

from genestimators._delegate import tags_of
from genestimators._inputs import n_rows_of, per_row_names, take_rows
from genestimators._parallel import Progress
from genestimators._version import __version__
from genestimators.resampling._hashing import derive, digest
from genestimators.resampling._keys import content_keys
from genestimators.selection._evidence import Data, order_of, ranks_of
from genestimators.selection._halves import is_paired, plan_draws
from genestimators.selection._targets import SQUARED
from genestimators.selection.importances._additive import (
    DEGREE,
    additive_importance,
    centred_ranks,
    working_response,
)
from genestimators.selection.importances._linear import LinearFits, numbers_of
from genestimators.selection.importances._linear_bases import linear_base
from genestimators.selection.importances._refits import (
    refit_evidence,
    refit_null_scores,
)

LINEAR = ("elimination", "coef", "conditional")
_MOST_ADDITIVE = 64  # units of nested additive models
VERSIONS = (__version__, sklearn.__version__, np.__version__)


@dataclass(frozen=True, eq=False)
class Request:
    """All that evidence depends on.

    Attributes
    ----------
    estimator : estimator or None
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    sample_weight : ndarray of shape (n,) or None
    groups : ndarray of shape (n,) or None
    labels : ndarray of shape (n_features,), int
    forced : ndarray of shape (n_units,), bool
    importance : str or callable
    scoring : str, callable or None
    resampling : "complementary_pairs" or resampler
    n_resamples : int
    classifier : bool
    seed : int
    params : dict
        Further arguments of the estimator's `fit`.
    versions : tuple of str
        Of the libraries at work, since another one may find another result.
    """

    estimator: object
    X: object
    y: np.ndarray
    sample_weight: np.ndarray | None
    groups: np.ndarray | None
    labels: np.ndarray
    forced: np.ndarray
    importance: object
    scoring: object
    resampling: object
    n_resamples: int
    classifier: bool
    seed: int
    params: dict
    versions: tuple[str, ...] = VERSIONS

    def without_data(self):
        """The same without rows, which a pickle need not carry."""
        rows = dict.fromkeys(("X", "y", "sample_weight", "groups"))
        return replace(self, params={}, **rows)


def fingerprint(request):
    """A word that stands for X and y as they are, row by row."""
    return digest(content_keys(request.X, request.y, exact=True).tobytes())


def gather(request, n_jobs=None, verbose=0, owner=""):
    """Evidence for a request.

    Returns
    -------
    evidence : Evidence
    engine : {"closed_form", "additive", "refits"}
    """
    data, linear = _prepare(request, n_jobs, verbose, owner)
    if linear is not None:
        return linear.evidence(request.importance), "closed_form"
    if request.importance == "additive":
        return _additive_evidence(data), "additive"
    return refit_evidence(data, request.importance), "refits"


def gather_null(request, runs, n_jobs=None):
    """Scores of runs in which the rows of y are permuted.

    Or those of X, where draws or weights belong to y. Run r has the same order in every
    range of runs.

    Parameters
    ----------
    request : Request
    runs : range
    n_jobs : int, default=None

    Returns
    -------
    scores : ndarray of shape (n_runs, n_draws, n_units)
    """
    data, linear = _prepare(request, n_jobs, 0, "")
    orders = np.stack(
        [
            np.random.default_rng(derive(request.seed, "null", run)).permutation(
                len(data.y)
            )
            for run in runs
        ]
    )
    if linear is not None:
        return np.stack(list(linear.null_scores(request.importance, orders)))
    if request.importance == "additive":
        if data.knows_targets:
            return np.stack(
                [_additive(replace(data, X=take_rows(data.X, o)))[0] for o in orders]
            )
        return _additive(data, orders)[2]
    return np.stack(list(refit_null_scores(data, request.importance, orders)))


def _prepare(request, n_jobs, verbose, owner):
    """What an engine fits, and the closed forms if there are any."""
    rows, draws = plan_draws(
        request.resampling,
        request.n_resamples,
        request.X,
        request.y,
        request.sample_weight,
        request.groups,
        classifier=request.classifier,
        seed=request.seed,
    )
    per_row = per_row_names(request.params, n_rows_of(request.X))
    params = {
        name: take_rows(value, rows) if name in per_row else value
        for name, value in request.params.items()
    }
    data = Data(
        request.estimator,
        take_rows(request.X, rows),
        request.y[rows],
        request.labels,
        request.forced,
        draws,
        is_paired(request.resampling),
        request.classifier,
        request.scoring,
        params,
        derive(request.seed, "estimator"),
        n_jobs,
        Progress(owner, "draws", verbose) if verbose else None,
    )
    if request.importance not in LINEAR or request.scoring not in SQUARED or params:
        return data, None
    base = linear_base(request.estimator, request.classifier)
    if base is None:
        return data, None
    sparse_path = base.l1_ratio is not None or request.estimator is None
    if request.importance == "coef" and not sparse_path:
        return data, None
    if sparse.issparse(data.X) and not _takes_sparse(request.estimator):
        return data, None  # the estimator says so itself
    Z = numbers_of(data.X)
    return data, None if Z is None else LinearFits(base, data, Z)


def _takes_sparse(estimator):
    return estimator is None or tags_of(estimator).input_tags.sparse


def _additive(data, orders=None):
    Y = working_response(data.y, classifier=data.classifier)
    weights = np.zeros((len(data.draws), len(data.y)))
    for weight, draw in zip(weights, data.draws, strict=True):
        weight[draw.rows] = draw.counts
    return additive_importance(
        data.X,
        Y,
        weights,
        labels=data.labels,
        permutations=orders,
        n_jobs=data.n_jobs,
    )


def _additive_evidence(data):
    """Evidence of additive boosting.

    Nested models are those of the estimator; without one they are additive, too: a
    ridge regression on the polynomials of the first features.
    """
    scores, _, _ = _additive(data)
    if data.estimator is not None:
        return refit_evidence(data, "additive", scores=scores)
    ranks = ranks_of(scores, data.forced, data.seed)
    order = order_of(ranks, scores, data.forced)
    ranks_of_rows = centred_ranks(data.X)
    n, p = ranks_of_rows.shape
    basis = legvander(ranks_of_rows, DEGREE)[:, :, 1:].reshape(n, p * DEGREE)
    wide = replace(data, labels=np.repeat(data.labels, DEGREE))
    fits = LinearFits(linear_base(None, data.classifier), wide, basis)
    return fits.nested(ranks, scores, order, most=_MOST_ADDITIVE)
