"""What every diagnostic is asked about: an estimator and checked data."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import check_random_state

from genestimators import _inputs
from genestimators._delegate import random_state_parameters
from genestimators._params import N_JOBS, RANDOM_STATE, HasMethods, check_arguments
from genestimators.resampling._hashing import mix_int

_CONSTRAINTS = {
    "estimator": [HasMethods("fit", "predict", "get_params")],
    "n_jobs": N_JOBS,
    "random_state": RANDOM_STATE,
}


@dataclass(frozen=True, eq=False)
class Problem:
    """An estimator that was never fitted, and the data to learn from.

    Attributes
    ----------
    owner : str
        The function that asks, for messages.
    estimator : estimator
        A clone.
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
        A row is one observation, whatever its weight.
    groups : ndarray of shape (n,) or None
    classes : tuple of ndarray
        Of each output; empty for a regressor.
    params : dict
        Further arguments of `fit`.
    per_row : tuple of str
        Those of them with one item a row.
    seed : int
    n_jobs : int or None
    """

    owner: str
    estimator: object
    X: object
    y: np.ndarray
    weight: np.ndarray | None
    groups: np.ndarray | None
    classes: tuple
    params: dict
    per_row: tuple
    seed: int
    n_jobs: int | None

    @property
    def n_rows(self):
        return len(self.y)

    @property
    def classifier(self):
        return bool(self.classes)

    @property
    def outputs(self):
        """The target with an axis of outputs, (n, n_outputs)."""
        return self.y if self.y.ndim == 2 else self.y[:, None]

    @property
    def weights(self):
        """Weights of all rows, ones where none were given."""
        return np.ones(self.n_rows) if self.weight is None else self.weight

    @property
    def n_used(self):
        """Rows of positive weight."""
        return int(np.count_nonzero(self.weights))

    @property
    def mean_weight(self):
        """Of the rows of positive weight."""
        return float(self.weights.sum() / self.n_used)

    @property
    def clusters(self):
        """Groups numbered from 0, or None."""
        if self.groups is None:
            return None
        return np.unique(self.groups, return_inverse=True)[1]

    @property
    def seeded(self):
        """Whether the estimator has a `random_state` to be set."""
        return bool(random_state_parameters(self.estimator))

    def settings(self):
        """What `fit_over` needs besides draws and questions."""
        return {
            "fit_params": self.params,
            "per_row": self.per_row,
            "groups": self.groups,
            "n_jobs": self.n_jobs,
            "owner": self.owner,
        }


def make_problem(
    owner,
    estimator,
    X,
    y,
    *,
    groups=None,
    sample_weight=None,
    params=None,
    n_jobs=None,
    random_state=None,
    least_rows=10,
):
    """Check what a diagnostic was given; the estimator is cloned, never fitted.

    Parameters
    ----------
    least_rows : int
        Of positive weight.

    Raises
    ------
    TypeError, ValueError
        If the estimator, the data or the settings do not do.
    """
    check_arguments(
        owner,
        _CONSTRAINTS,
        estimator=estimator,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    X = _inputs.as_container(X)
    n_rows = _inputs.n_rows_of(X)
    if y is None:
        raise ValueError(
            f"{owner} compares predictions with a target, and y is None; pass y."
        )
    classifier = is_classifier(estimator)
    y = _inputs.check_y(y, n_rows, classifier=classifier)
    weight = _inputs.check_sample_weight(sample_weight, n_rows)
    n_used = n_rows if weight is None else int(np.count_nonzero(weight))
    if n_used < least_rows:
        of = "" if weight is None else " of positive weight"
        raise ValueError(
            f"{owner} needs at least {least_rows} rows{of}. Got {n_used}; with so few "
            "no figure means anything."
        )
    if groups is not None:
        groups = _inputs.check_groups(groups, n_rows)
    params = dict(params or {})
    if "sample_weight" in params:
        raise ValueError(
            f"Weights are an argument of {owner} of their own, so that scores know "
            "them too; pass `sample_weight=...`, not "
            "`params={'sample_weight': ...}`."
        )
    used = slice(None) if weight is None else weight > 0
    outputs = (y if y.ndim == 2 else y[:, None])[used]
    _check_varies(owner, outputs, classifier)
    classes = tuple(np.unique(one) for one in outputs.T) if classifier else ()
    state = check_random_state(random_state)
    return Problem(
        owner=owner,
        estimator=clone(estimator),
        X=X,
        y=y,
        weight=weight,
        groups=groups,
        classes=classes,
        params=params,
        per_row=_inputs.per_row_names(params, n_rows),
        seed=mix_int(int(state.randint(np.iinfo(np.int32).max))),
        n_jobs=n_jobs,
    )


def _check_varies(owner, outputs, classifier):
    if (outputs == outputs[0]).all():
        what = "class" if classifier else "value"
        raise ValueError(
            f"{owner} needs a y that varies, since a constant is predicted without "
            f"error. Got the {what} {outputs[0].tolist()[0]!r} in every row."
        )
