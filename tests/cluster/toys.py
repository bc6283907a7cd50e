"""Estimators and tasks that workers import: they count, fail, kill and tell."""

import os
import signal
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge


class Mean(RegressorMixin, BaseEstimator):
    """Predicts the mean of y; takes any X that has a shape."""

    def fit(self, X, y, sample_weight=None):
        self.mean_ = np.average(y, weights=sample_weight)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.mean_)


class KillsOnce(Ridge):
    """A ridge regression whose first fit anywhere takes its process along."""

    def __init__(self, flag=None, alpha=1.0):
        super().__init__(alpha=alpha)
        self.flag = flag

    def fit(self, X, y, sample_weight=None):
        if self.flag is not None:
            kill_once(Path(self.flag))
        return super().fit(X, y, sample_weight)


class Fails(Ridge):
    """A ridge regression that cannot be fitted where y has a low mean."""

    def fit(self, X, y, sample_weight=None):
        if np.average(y, weights=sample_weight) < 0:
            raise ZeroDivisionError("no such luck")
        return super().fit(X, y, sample_weight)


def kill_once(flag):
    """Kill this process, unless another was killed for the same flag."""
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def square(x, **shared):
    return x * x


def kill(x):
    os.kill(os.getpid(), signal.SIGKILL)


def wait(x, seconds, **shared):
    time.sleep(seconds)
    return x


def process(x):
    return os.getpid()


def identity(x, X):
    """Whether two tasks of a process see the same object, and may write into it."""
    return os.getpid(), id(X), X.flags.writeable


def as_it_lies(x, X):
    """Whether an array is aligned in memory, and the array."""
    return X.flags.aligned, X


def routing(x):
    return get_config()["enable_metadata_routing"]


def warn(x):
    warnings.warn("a deprecated way", DeprecationWarning, stacklevel=1)
    warnings.warn("mind the gap", UserWarning, stacklevel=1)


def nested(x):
    """How many jobs a task may use."""
    from joblib import effective_n_jobs

    return effective_n_jobs(-1)
