"""Paths of estimators that hold the tuned one: pipelines, transformed targets.

The way down is the parameter's name: `ridge__alpha` is `alpha` of the step `ridge`.
Steps before the tuned one are fitted once for all values.
"""

from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import Pipeline

from genestimators._weights import fit_all, fit_transform_all
from genestimators.fitting._nested import nested_family
from genestimators.fitting._paths import FittedPath, Path, RefittedPath
from genestimators.fitting._registry import find_family


def make_path(estimator, param, values, X, y, weight, *, families=True, groups=None):
    """The path of an estimator on some rows.

    Parameters
    ----------
    estimator : estimator
        Unfitted; clones of it are fitted.
    param : str
        In the notation of `set_params`.
    values : sequence
    X : container of n rows
        Training rows.
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
        Weights, of an estimator that takes them.
    families : bool, default=True
        Whether registered families may do the work.
    groups : ndarray of shape (n,), default=None
        For a bag that draws groups.

    Returns
    -------
    path : Path
        Its `family` is the family that did the work, or None.
    """
    name, _, rest = param.partition("__")
    if rest and type(estimator) is Pipeline and not estimator.transform_input:
        names = [one for one, _ in estimator.steps]
        if name in names:
            place = names.index(name)
            return _pipeline_path(
                estimator, place, rest, values, X, y, weight, families
            )
    if rest and type(estimator) is TransformedTargetRegressor and name == "regressor":
        return _transformed_target_path(estimator, rest, values, X, y, weight, families)
    wrapper = nested_family(estimator) if families and rest else None
    if wrapper is not None and wrapper.param == name:
        if wrapper.unsupported(estimator, rest, X, y, weight, values) is None:
            return wrapper.fit_path(
                clone(estimator), rest, X, y, weight, groups, values
            )
    family = find_family(estimator, param) if families else None
    if family is not None and family.fits_paths and not family.transforms:
        if family.unsupported(estimator, X, y, weight, values) is None:
            path = family.fit_path(clone(estimator), X, y, weight, values)
            path.family = family
            return path
    return _refitted(estimator, param, values, X, y, weight)


def _pipeline_path(pipeline, place, rest, values, X, y, weight, families):
    pipeline = clone(pipeline)
    name, step = pipeline.steps[place]
    last = place == len(pipeline.steps) - 1
    before = pipeline[:place] if place else None
    if before is not None:
        X = fit_transform_all(before, X, y, weight)
    if last:
        inner = make_path(step, rest, values, X, y, weight, families=families)
        return PipelinePath(pipeline, before, inner)
    family = find_family(step, rest) if families else None
    after = pipeline[place + 1 :]
    if family is not None and family.transforms and family.fits_paths:
        if family.unsupported(step, X, y, weight, values) is None:
            columns = family.fit_path(clone(step), X, y, weight, values)
            inner = _behind(columns, after, X, y, weight)
            inner.family = family
            return PipelinePath(pipeline, before, inner)
    inner = _refitted(pipeline[place:], f"{name}__{rest}", values, X, y, weight)
    return PipelinePath(pipeline, before, inner)


def _behind(columns, after, X, y, weight):
    """The path of the steps behind a transformer, by one fit where it knows how."""
    at_once = getattr(columns, "fit_after", None)
    path = None if at_once is None else at_once(after, X, y, weight)
    if path is not None:
        return path
    models = [fit_all(clone(after), part, y, weight) for part in columns.transform(X)]
    return PrefixPath(columns, models)


def _refitted(estimator, param, values, X, y, weight):
    def fit(i):
        model = clone(estimator).set_params(**{param: values[i]})
        return fit_all(model, X, y, weight)

    return RefittedPath(fit, len(values))


class _Memory:
    """Applies a fitted transformation, and remembers the last few results.

    A path is asked about the same rows for each of its parts and methods.
    """

    def __init__(self, transform, size=2):
        self.transform = transform
        self.size = size
        self.known = []

    def __call__(self, X):
        for rows, result in self.known:
            if rows is X:
                return result
        result = self.transform(X)
        self.known = [*self.known, (X, result)][-self.size :]
        return result

    def __getstate__(self):
        return {**vars(self), "known": []}


class _Wrapped(Path):
    """A path around another one."""

    def __init__(self, inner):
        self.inner = inner

    @property
    def n_values(self):
        return self.inner.n_values

    @property
    def family(self):
        return self.inner.family

    @property
    def classes_(self):
        return self.inner.classes_

    @property
    def n_fits(self):
        return self.inner.n_fits

    @property
    def seconds(self):
        return self.inner.seconds

    def training_squared_error(self):
        return self.inner.training_squared_error()

    def around(self, inner):
        """The same around another inner path."""
        raise NotImplementedError

    def training(self):
        inner = self.inner.training()
        return self if inner is self.inner else self.around(inner)

    def parts(self, n_rows):
        for part in self.inner.parts(n_rows):
            yield self.around(part)


class PipelinePath(_Wrapped):
    """A path behind fitted steps.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted but for `before`.
    before : Pipeline or None
        The fitted steps before the tuned one.
    inner : Path
        Of the rest of the pipeline.
    """

    def __init__(self, pipeline, before, inner, memory=None):
        super().__init__(inner)
        self.pipeline = pipeline
        self.before = before
        self.memory = memory
        if memory is None and before is not None:
            self.memory = _Memory(before.transform)

    def around(self, inner):
        return PipelinePath(self.pipeline, self.before, inner, self.memory)

    def _enter(self, X):
        return X if self.memory is None else self.memory(X)

    def predict(self, X):
        return self.inner.predict(self._enter(X))

    def predict_proba(self, X):
        return self.inner.predict_proba(self._enter(X))

    def decision_function(self, X):
        return self.inner.decision_function(self._enter(X))

    def model(self, i):
        inner = self.inner.model(i)
        if inner is None:
            return None
        place = 0 if self.before is None else len(self.before.steps)
        names = [name for name, _ in self.pipeline.steps]
        known = [] if self.before is None else list(self.before.steps)
        rest = list(inner.steps) if len(names) > place + 1 else [(names[-1], inner)]
        return Pipeline([*known, *rest], **_settings(self.pipeline, "steps"))


def _settings(estimator, *without):
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in without
    }


class PrefixPath(FittedPath):
    """Fitted ends of a pipeline behind a transformer's path.

    Parameters
    ----------
    columns : object
        `columns.transform(X)` iterates over X transformed at each value.
    models : list of fitted pipelines
    """

    def __init__(self, columns, models):
        super().__init__(models)
        self.columns = columns

    def _ask(self, X, method):
        return [
            getattr(model, method)(part)
            for model, part in zip(self.models, self.columns.transform(X), strict=True)
        ]

    def predict(self, X):
        return np.stack(self._ask(X, "predict"))

    def predict_proba(self, X):
        answers = self._ask(X, "predict_proba")
        if isinstance(answers[0], list):
            return [np.stack(parts) for parts in zip(*answers, strict=True)]
        return np.stack(answers)

    def decision_function(self, X):
        return np.stack(self._ask(X, "decision_function"))

    def model(self, i):
        return None

    def parts(self, n_rows):
        yield self


def transformed_target(estimator, y):
    """The target as the regressor behind a TransformedTargetRegressor gets it.

    Returns
    -------
    fitted : TransformedTargetRegressor
        Fitted around a dummy, at the price of a mean: it holds the transformer.
    target : ndarray of shape (n,) or (n, n_outputs)
    """
    settings = _settings(estimator, "regressor")
    fitted = TransformedTargetRegressor(regressor=DummyRegressor(), **settings)
    fitted.fit(np.zeros((len(y), 1)), y)
    target = fitted.transformer_.transform(y.reshape(len(y), -1))
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    return fitted, target


def _transformed_target_path(estimator, rest, values, X, y, weight, families):
    fitted, target = transformed_target(estimator, y)
    regressor = clone(estimator.regressor)
    inner = make_path(regressor, rest, values, X, target, weight, families=families)
    return TransformedTargetPath(estimator, fitted, inner, flat=y.ndim == 1)


class TransformedTargetPath(_Wrapped):
    """A path whose predictions are transformed back.

    Parameters
    ----------
    estimator : TransformedTargetRegressor
        Unfitted.
    fitted : TransformedTargetRegressor
        Fitted around a dummy: it holds the fitted transformer.
    inner : Path
    flat : bool
        Whether the target has one dimension.
    """

    def __init__(self, estimator, fitted, inner, *, flat):
        super().__init__(inner)
        self.estimator = estimator
        self.fitted = fitted
        self.flat = flat

    def around(self, inner):
        return TransformedTargetPath(self.estimator, self.fitted, inner, flat=self.flat)

    def training_squared_error(self):
        return None

    def predict(self, X):
        answer = np.asarray(self.inner.predict(X))
        lead = answer.shape[:2]
        width = answer.shape[2] if answer.ndim == 3 else 1
        back = self.fitted.transformer_.inverse_transform(answer.reshape(-1, width))
        back = np.asarray(back).reshape(*lead, -1)
        return back[:, :, 0] if self.flat and back.shape[2] == 1 else back

    def model(self, i):
        inner = self.inner.model(i)
        if inner is None:
            return None
        whole = copy(self.fitted)
        whole.regressor = clone(inner)
        whole.regressor_ = inner
        return whole


def find_shared(estimator, param, values, X, y, draws):
    """A family's way to fit all draws together, or None.

    Parameters
    ----------
    estimator, param, values, X, y
        As in `make_path`, over all rows.
    draws : Draws
    """
    steps = []
    while type(estimator) is Pipeline:
        name, _, param = param.partition("__")
        if name != estimator.steps[-1][0] or not param:
            return None
        if estimator.memory is not None or estimator.transform_input is not None:
            return None
        steps += [step for _, step in estimator.steps[:-1]]
        estimator = estimator.steps[-1][1]
    family = find_family(estimator, param)
    if family is None or not family.fits_paths or family.transforms:
        return None
    weight = draws.row_weight
    if family.unsupported(estimator, X, y, weight, values) is not None:
        return None
    steps = [step for step in steps if step is not None and step != "passthrough"]
    return family.share(steps, estimator, X, y, draws, values)
