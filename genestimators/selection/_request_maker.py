"""From the parameters of a selector and its data to a checked request."""

from copy import copy, deepcopy
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from genestimators import _inputs, _params
from genestimators._routing import route, routing_enabled
from genestimators.resampling._hashing import mix_int
from genestimators.selection._feature_groups import kept_units, unit_labels
from genestimators.selection._gather import Request
from genestimators.selection._targets import (
    check_counts,
    check_halves,
    check_scoring_of,
    holds_classes,
    of_mean_one,
)
from genestimators.selection.importances._linear_bases import linear_base


class RequestMaker:
    """Checks what a fit is given, and holds on to copies of what later runs need.

    Runs with permuted y are made after the fit, when a figure asks for them. They have
    to be those of the fit whatever becomes of the user's own resampler, weights and
    groups; X and y, which are large, are watched instead (see `fingerprint`).
    """

    def _request_of(self, X, y, sample_weight, groups, params):
        """What the evidence depends on, checked."""
        _params.check_parameters(self)
        estimator = None if self.estimator is None else clone(self.estimator)
        params = self._routed(params, groups)
        X = _inputs.as_container(X)
        if y is None:  # worded by scikit-learn
            validate_data(self, X, y=None, skip_check_array=True)
        if estimator is None:
            X = validate_data(self, X, accept_sparse="csr", dtype="numeric")
        else:
            validate_data(self, X, skip_check_array=True)
        if getattr(self, "n_features_in_", 1) == 0:
            raise ValueError(
                f"Found array with 0 feature(s) (shape={np.shape(X)}) while a minimum "
                f"of 1 is required by {type(self).__name__}."
            )
        if np.ndim(X) == 1 or not hasattr(self, "n_features_in_"):
            raise ValueError(
                "Expected 2D array: X must have columns to select from. Got "
                f"{type(X).__name__} of shape {np.shape(X)}. Reshape your data."
            )
        n_rows = _inputs.check_n_rows(X, minimum=4, name=type(self).__name__)
        classifier = holds_classes(estimator, y)
        y = _inputs.check_y(y, n_rows, classifier=classifier)
        weight = _inputs.check_sample_weight(sample_weight, n_rows)
        if groups is not None:
            groups = _inputs.check_groups(groups, n_rows)
        if weight is not None and np.ceil(weight).sum() < 4:
            raise ValueError(
                f"{type(self).__name__} needs at least 4 rows of positive weight to "
                f"halve. Got {np.count_nonzero(weight)}; pass more rows."
            )
        check_counts(weight)
        if estimator is None:  # whose ridge of 1 is to be weighed against them
            weight = of_mean_one(weight)
        if classifier:
            check_halves(y, weight)
        check_scoring_of(self.scoring, estimator)
        labels = unit_labels(self.feature_groups, X, self.n_features_in_, weight)
        names = getattr(self, "feature_names_in_", None)
        forced = kept_units(self.always_keep, labels, names)
        per_row = _inputs.per_row_names(params, n_rows)
        return Request(
            estimator,
            X,
            y,
            None if weight is None else weight.copy(),
            None if groups is None else groups.copy(),
            labels,
            forced,
            self._importance_of(estimator, classifier),
            self.scoring,
            copy(self.resampling),
            self.n_resamples,
            classifier,
            self._seed(),
            params | {name: deepcopy(params[name]) for name in per_row},
        )

    def _routed(self, params, groups):
        metadata = {name: value for name, value in params.items() if value is not None}
        if groups is not None and routing_enabled():
            metadata["groups"] = groups
        return route(self, "fit", metadata) if metadata else {}

    def _importance_of(self, estimator, classifier):
        """The importance that "auto" stands for."""
        if self.importance != "auto":
            if estimator is None and (
                callable(self.importance) or self.importance == "permutation"
            ):
                raise ValueError(
                    f"importance={self.importance!r} looks at a fitted estimator; pass "
                    "one as `estimator`. Got estimator=None."
                )
            return self.importance
        base = linear_base(estimator, classifier)
        return "coef" if base is not None and base.l1_ratio else "elimination"

    def _seed(self):
        if self.memory is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                "`memory` finds a fit again by its seed and needs an integer "
                f"`random_state`. Got {self.random_state!r}."
            )
        state = check_random_state(self.random_state)
        return mix_int(int(state.randint(np.iinfo(np.int32).max)))
