"""A path: the fitted estimators of all values of a parameter, as one object.

A path answers as a fitted estimator does, with one more axis in front, that of the
values. Families make paths from one fit; the generic engine makes one that fits a
clone for each value when it is asked.
"""

import time

import numpy as np

MOST_ANSWERS = 2**23  # numbers in the answers of a part


class Path:
    """The fitted estimators of all values of a parameter, as one object.

    A family returns an object of a subclass from `Family.fit_path`. It offers those of
    the methods below that the estimator itself has; each is asked with rows X as the
    estimator would be, and returns an array with the values along its first axis.

    Attributes
    ----------
    n_values : int
        How many values there are.
    classes_ : ndarray or list of ndarray
        The classes seen by the fit, as the fitted estimator has them; classifiers only.
    covered : ndarray of shape (n_rows,), bool, or None
        Of a path for training rows: the rows whose answers count; None is all.
    n_fits : int
        How many fits it took; 1 but for an ensemble of paths.

    Methods
    -------
    predict(X) : ndarray of shape (n_values, n_rows) or (n_values, n_rows, n_outputs)
        Predictions, labels for a classifier.
    predict_proba(X) : ndarray of shape (n_values, n_rows, n_classes)
        Probabilities; a list of such arrays for several outputs.
    decision_function(X) : ndarray of shape (n_values, n_rows[, n_classes])
        Decisions.

    Examples
    --------
    >>> import numpy as np
    >>> from genestimators import Path
    >>> class MeanPath(Path):  # shrinks the mean of y by a factor
    ...     def __init__(self, mean, factors):
    ...         self.means = mean * np.asarray(factors)
    ...         self.n_values = len(factors)
    ...     def predict(self, X):
    ...         return np.repeat(self.means[:, None], len(X), axis=1)
    >>> MeanPath(2.0, [0.5, 1.0]).predict(np.zeros((3, 1)))
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """

    n_values = 0
    family = None
    seconds = None
    covered = None
    n_fits = 1

    def model(self, i):
        """The fitted estimator at value i, if it can be had without another fit.

        Parameters
        ----------
        i : int

        Returns
        -------
        estimator : fitted estimator, or None
            None (the default): it has to be fitted.
        """
        return None

    def training(self):
        """How the training rows are answered where the training score is read off.

        Returns
        -------
        path : Path
            Itself by default. A learner that reproduces its training rows whatever its
            penalty (nearest neighbours, forests) returns a path that answers each
            training row without that row (leave-one-out, out of bag); it is asked for
            all training rows, in order, as they were passed to the fit. Where some of
            them cannot be answered so, its `covered` says which can.
        """
        return self

    def training_squared_error(self):
        """Mean squared errors on the training rows, if they are known without answers.

        Returns
        -------
        errors : ndarray of shape (n_values, n_outputs), or None
            Weighted as the fit was. None (the default): they have to be computed.
        """
        return None

    def left_out_squared_error(self):
        """Mean squared errors on the rows left out, if they are known without answers.

        Returns
        -------
        errors : ndarray of shape (n_values, n_outputs), or None
            Weighted as the rows are. None (the default): they have to be computed.
            A path that knows them has a method `take(which)`, the path of some of the
            values, and is small enough to be kept.
        """
        return None

    def row_losses(self, kind):
        """Losses of the rows asked about, if better ones are known than of the answers.

        Parameters
        ----------
        kind : {"squared", "brier"}

        Returns
        -------
        losses : ndarray of shape (n_values, n_rows, n_outputs), or None
            An ensemble that answers out of bag by few members takes off what their
            small number adds. None (the default): those of the answers are meant.
        """
        return None

    def parts(self, n_rows):
        """Parts of the path that are asked one after the other, to save memory.

        Parameters
        ----------
        n_rows : int
            How many rows will be asked about.

        Yields
        ------
        path : Path
            Of consecutive values, all of them in the end.
        """
        yield self


def parts_of(path, n_numbers):
    """Parts of a path whose answers are of bounded size.

    Parameters
    ----------
    path : Path
        With a method `take(which)`, the path of a slice of the values.
    n_numbers : int
        How many numbers the answer at one value has.

    Yields
    ------
    path : Path
        Of consecutive values, all of them in the end.
    """
    step = max(1, MOST_ANSWERS // max(1, n_numbers))
    if step >= path.n_values:
        yield path
        return
    for start in range(0, path.n_values, step):
        yield path.take(slice(start, start + step))


class FittedPath(Path):
    """Fitted estimators side by side."""

    def __init__(self, models):
        self.models = models
        self.n_values = len(models)

    @property
    def classes_(self):
        return self.models[0].classes_

    def predict(self, X):
        return np.stack([np.asarray(model.predict(X)) for model in self.models])

    def predict_proba(self, X):
        answers = [model.predict_proba(X) for model in self.models]
        if isinstance(answers[0], list):
            return [np.stack(parts) for parts in zip(*answers, strict=True)]
        return np.stack(answers)

    def decision_function(self, X):
        return np.stack([model.decision_function(X) for model in self.models])

    def model(self, i):
        return self.models[i]

    def parts(self, n_rows):
        for model in self.models:
            yield FittedPath([model])


class RefittedPath(Path):
    """A clone for each value, fitted when its turn comes and then let go.

    Parameters
    ----------
    fit : callable
        `fit(i)` returns the fitted estimator at value i.
    n_values : int
    """

    def __init__(self, fit, n_values):
        self.fit = fit
        self.n_values = n_values

    def model(self, i):
        return self.fit(i)

    def parts(self, n_rows):
        for i in range(self.n_values):
            start = time.perf_counter()
            part = FittedPath([self.fit(i)])
            part.seconds = time.perf_counter() - start
            yield part
