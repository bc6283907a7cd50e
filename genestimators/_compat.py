"""The only file that knows library versions."""

from contextlib import nullcontext

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
