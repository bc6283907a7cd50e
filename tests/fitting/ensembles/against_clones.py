"""Members of ensembles of classifiers against clones fitted draw by draw."""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from genestimators import Bootstrap
from genestimators._weights import fit_weighted
from genestimators.fitting._ensembles import find_ensemble, fit_ensemble

NUMBERS = range(46, 54)  # parts of two groups
TINY = 1e-13  # what is left of numbers near one that cancel


def draws_of(X, y, *, resampler=None, sample_weight=None, groups=None, **settings):
    """Draws for a classifier."""
    resampler = Bootstrap() if resampler is None else resampler
    return resampler.prepare(
        X, y, sample_weight, groups, seed=1, classifier=True, **settings
    )


def fitted_groups(estimator, X, y, draws, numbers=NUMBERS):
    """The groups of an ensemble, or None where no family serves."""
    classes = (np.unique(y if draws.row_weight is None else y[draws.row_weight > 0]),)
    return fit_ensemble(estimator, X, y, draws, numbers, classes=classes)


def is_served(estimator, X, y, draws):
    """Whether members are fitted at once, and most of them well."""
    groups = fitted_groups(estimator, X, y, draws)
    return groups is not None and np.mean([g.path.fine.mean() for g in groups]) > 0.5


def refit(estimator, X, y, draw, draws):
    """The estimator itself, fitted on one draw."""
    mode = "rows" if draws.unit_counts else None
    return fit_weighted(clone(estimator), X, y, draw.rows, draw.counts, mode=mode)


def assert_same_attributes(ours, theirs, *, rtol, atol, skip=()):
    """Everything learned is there, of the same kind, and nearly equal."""
    if isinstance(theirs, Pipeline):
        for (_, own), (_, other) in zip(ours.steps, theirs.steps, strict=True):
            assert_same_attributes(own, other, rtol=rtol, atol=atol, skip=skip)
        return
    assert type(ours) is type(theirs)
    assert vars(ours).keys() == vars(theirs).keys()
    for name, expected in vars(theirs).items():
        if not name.endswith("_") or name in skip:
            continue
        own = getattr(ours, name)
        if expected is None:
            assert own is None
            continue
        assert np.shape(own) == np.shape(expected), name
        if name in ("classes_", "feature_names_in_"):
            assert own.dtype == expected.dtype
            np.testing.assert_array_equal(own, expected)
            continue
        for one, other in zip(_parts(own), _parts(expected), strict=True):
            if name != "n_samples_seen_":
                assert np.asarray(one).dtype == np.asarray(other).dtype, name
            bound = atol * np.abs(other).max(initial=0.0) + TINY
            np.testing.assert_allclose(one, other, rtol=rtol, atol=bound, err_msg=name)


def _parts(value):
    return value if isinstance(value, list) else [value]


def assert_equals_clones(
    estimator,
    X,
    y,
    draws,
    *,
    asked=None,
    rtol=1e-9,
    atol=1e-11,
    loose=1,
    skip=(),
    numbers=NUMBERS,
    least=None,
):
    """Members answer, and are, what clones fitted one by one would be.

    Parameters
    ----------
    asked : container, default=None
        Rows to answer for; None is X.
    rtol, atol : float
        Of attributes and answers, `atol` relative to the largest.
    loose : float
        A factor of the tolerances of answers.
    skip : sequence of str
        Attributes that are not unique.
    least : int
        How many members have to be fine; None is all of them.
    """
    asked = X if asked is None else asked
    assert find_ensemble(estimator, X, y, draws) is not None
    groups = fitted_groups(estimator, X, y, draws, numbers)
    assert groups is not None
    n_fine = 0
    for group in groups:
        path = group.path
        answers = {
            name: getattr(path, name)(asked)
            for name in ("predict", "predict_proba", "decision_function")
            if hasattr(estimator, name)
        }
        for i, number in enumerate(group.numbers):
            if not path.fine[i]:
                continue
            n_fine += 1
            expected = refit(estimator, X, y, draws[number], draws)
            model = path.model(i)
            assert_same_attributes(model, expected, rtol=rtol, atol=atol, skip=skip)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                for name, answer in answers.items():
                    own = getattr(model, name)(asked)
                    other = getattr(expected, name)(asked)
                    if name == "predict":
                        assert answer.dtype == other.dtype
                        np.testing.assert_array_equal(answer[i], other)
                        np.testing.assert_array_equal(own, other)
                        continue
                    bound = loose * atol * np.abs(other).max()
                    for one in (answer[i], own):
                        np.testing.assert_allclose(
                            one, other, rtol=loose * rtol, atol=bound, err_msg=name
                        )
    assert n_fine == len(numbers) if least is None else n_fine >= least
