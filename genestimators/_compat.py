"""The only file that knows library versions."""

from contextlib import nullcontext
from functools import lru_cache

import numpy as np
from sklearn.naive_bayes import GaussianNB

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:
        """Stands in where scikit-learn has no callbacks yet."""

    def with_callbacks(method):
        """Return the method itself: there are no callbacks to manage."""
        return method


class _NoContext:
    """A callback context that does nothing."""

    def call_on_fit_task_begin(self, estimator, **kwargs):
        pass

    def call_on_fit_task_end(self, estimator, **kwargs):
        pass

    def subcontext(self, **kwargs):
        return self

    def propagate_callback_context(self, sub_estimator):
        return nullcontext()


def callback_context(estimator, max_subtasks):
    """The root callback context of a fit, or one that does nothing."""
    if not HAS_CALLBACKS:
        return _NoContext()
    return estimator._init_callback_context(max_subtasks=max_subtasks)


@lru_cache(maxsize=8)
def _divides_by_rows(kind):
    model = kind().fit([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1])
    if hasattr(model, "coef_"):  # the distance of the means over a variance of 1 or 2
        return bool(model.coef_[0, 0] > 7)
    return bool(model.scalings_[0][0] < 1.5)


def divides_by_rows(estimator):
    """Whether a discriminant analysis divides scatter by the number of rows.

    Older versions divide by the degrees of freedom, but for the solver "lsqr".
    """
    return getattr(estimator, "solver", "svd") == "lsqr" or _divides_by_rows(
        type(estimator)
    )


@lru_cache(maxsize=1)
def naive_bayes_keeps_single():
    """Whether Gaussian naive Bayes learns single numbers from single precision."""
    X = np.array([[0.0], [1.0]], dtype=np.float32)
    return GaussianNB().fit(X, [0, 1]).theta_.dtype == np.float32
