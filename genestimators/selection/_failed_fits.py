"""A fit that fails leaves nothing behind."""

from contextlib import contextmanager


@contextmanager
def unchanged_by_failure(estimator):
    """Leave an estimator as it was, fitted or not, where a fit of it fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
