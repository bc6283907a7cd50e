"""Sizes of the training data that a diagnostic tries."""

from numbers import Integral, Real

import numpy as np

SHARES = (0.2, 0.4)  # of the rows, in a model


def check_sizes(sizes, problem):
    """Sizes as increasing shares of the rows, or of the groups.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two, or they cannot be drawn from the data.
    """
    shares = SHARES
    groups = problem.groups
    n_units = problem.n_used if groups is None else len(np.unique(groups))
    if not isinstance(sizes, str):
        items = list(sizes) if np.ndim(sizes) == 1 else []
        if not all(isinstance(one, Real) for one in items) or len(set(items)) < 2:
            raise ValueError(
                "`sizes` must be at least two different shares of the rows, or numbers "
                f"of rows, since the parts are extrapolated. Got {sizes!r}."
            )
        shares = [_share(size, n_units) for size in items]
    elif sizes != "auto":
        raise ValueError(f'`sizes` must be "auto" or a sequence. Got {sizes!r}.')
    shares = tuple(sorted(shares))
    if not 0 < shares[0] or not shares[-1] < 0.5:
        raise ValueError(
            "`sizes` must be below half of the rows, since two models share none and "
            f"some rows are left to test them. Got {sizes!r} of {n_units:g}."
        )
    least = int(np.ceil(1 / shares[0] - 1e-9))
    if groups is not None:
        if n_units < max(5, least):
            raise ValueError(
                f"Pairs of models that share no group need at least {max(5, least)} "
                f"groups at sizes={shares!r}. Got {n_units}; leave `groups` out, or "
                "raise the least of `sizes`."
            )
        return shares
    if problem.classifier and problem.y.ndim == 1:
        _check_classes(problem, least, shares)
    return shares


def _share(size, n_units):
    return size / n_units if isinstance(size, Integral) else float(size)


def _check_classes(problem, least, shares):
    counts = np.bincount(
        np.searchsorted(problem.classes[0], problem.y, side="left").clip(
            max=len(problem.classes[0]) - 1
        ),
        weights=problem.weights > 0,
        minlength=len(problem.classes[0]),
    )
    small = np.flatnonzero(counts < least)
    if len(small):
        raise ValueError(
            f"Models on {shares[0]:g} of the rows need at least {least} rows of each "
            f"class. Got {counts[small[0]]:g} of class "
            f"{problem.classes[0].tolist()[small[0]]!r}; join it with another, or "
            "raise the least of `sizes`."
        )


TRAIN_SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)
LEAST_ROWS = 5  # in the least of the training sizes
_WORDS = {2: "two", 3: "three"}


def check_train_sizes(sizes, problem, least_sizes=3):
    """Sizes of a learning curve as increasing shares of the rows, or of the groups.

    Parameters
    ----------
    sizes : "auto" or sequence of numbers
    problem : Problem
    least_sizes : {2, 3}
        A power law with a limit takes three, a line two.

    Raises
    ------
    ValueError
        If there are fewer, or they cannot be drawn from the data.
    """
    groups = problem.groups
    n_units = problem.n_used if groups is None else len(np.unique(groups))
    if isinstance(sizes, str):
        if sizes != "auto":
            raise ValueError(f'`sizes` must be "auto" or a sequence. Got {sizes!r}.')
        least = LEAST_ROWS
        if problem.classifier and problem.y.ndim == 1:
            least = max(least, 2 * len(problem.classes[0]))
        shares = [share for share in TRAIN_SHARES if share * n_units >= least]
    else:
        items = list(sizes) if np.ndim(sizes) == 1 else []
        if not all(isinstance(one, Real) for one in items):
            items = []
        shares = sorted({_share(size, n_units) for size in items})
        if shares and not (0 < shares[0] and shares[-1] < 1):
            raise ValueError(
                "`sizes` must be above none and below all of the rows, since some are "
                f"left to test them. Got {sizes!r} of {n_units:g}."
            )
    if len(shares) < least_sizes:
        units = "rows" if groups is None else "groups"
        raise ValueError(
            f"A learning curve needs at least {_WORDS[least_sizes]} different sizes of "
            f"training data. Got sizes={sizes!r} with {n_units:g} {units}, which gives "
            f"{len(shares)}; give more of them, or more data."
        )
    return tuple(shares)
